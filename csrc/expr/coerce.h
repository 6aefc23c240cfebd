/*
 * expr/coerce.h - the rules of implicit conversion (api-sql.md 2.7, 2.10); for this folder.
 */
#ifndef PS_EXPR_COERCE_H
#define PS_EXPR_COERCE_H
#include "expr/function.h"

/* How types of several arguments meet. */
typedef enum psi_meet {
    PSI_MEET_ANY,     /* text gives way to numbers, dates and booleans: coalesce, case, in, union */
    PSI_MEET_NO_TEXT, /* text only with text: greatest, least, the two-array functions */
} psi_meet;
/* *out NULL when they do not meet; owned. */
ps_status psi_meet_types(const ps_type *a, const ps_type *b, psi_meet how, bool ansi, const ps_type **out, ps_error *err);

/* What an argument of type `from` becomes for a parameter word of functions.def; *out NULL when it does not fit; owned. */
ps_status psi_implicit_type(const ps_type *from, ps_slice word, const ps_type **out, ps_error *err);
/* A word as messages show it: "NUMERIC". */
const char *psi_word_sql(ps_slice word);

/* The DECIMAL that holds every value of an integral kind. */
void psi_decimal_of_kind(ps_kind kind, int *precision, int *scale);
/* precision, scale capped at 38 as allowPrecisionLoss has it. */
ps_status psi_decimal_adjusted(int precision, int scale, const ps_type **out, ps_error *err);

/* Brings both operands of a binary operator to one type (numbers, text with numbers, NULLs, dates); decimals stay as they
 * are apart when `keep_decimals`.  BINARY_OP_DIFF_TYPES when they do not meet. */
ps_status psi_operands(ps_fn_call *call, bool keep_decimals, ps_error *err);
ps_status psi_raise_operands(const ps_fn_call *call, ps_error *err);
bool psi_is_numeric(const ps_type *type); /* also VOID */
/* "INT" etc. in a buffer that is freed by the caller. */
ps_status psi_type_name(const ps_type *type, char **out, ps_error *err);
#endif
