/*
 * col/arrow_int.h - what the files of arrow share.
 */
#ifndef PS_COL_ARROW_INT_H
#define PS_COL_ARROW_INT_H
#include "col/arrow.h"

ps_status psi_arrow_malformed(const char *what, ps_error *err);
/* "d:precision,scale[,bits]" */
bool psi_arrow_decimal(const char *format, int *precision, int *scale, int *bits);
int64_t psi_arrow_size(const char *format); /* of "w:42" and "+w:42", or -1 */
#endif
