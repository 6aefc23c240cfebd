/*
 * expr/text_case.h - upper and lower case.
 */
#ifndef PS_EXPR_TEXT_CASE_H
#define PS_EXPR_TEXT_CASE_H
#include "base/utf8.h"

/* As java.lang.String: SS for sharp s, the final sigma.  Appends to out. */
ps_status psi_text_upper(ps_slice text, ps_bytes *out, ps_error *err);
ps_status psi_text_lower(ps_slice text, ps_bytes *out, ps_error *err);
ps_status psi_text_initcap(ps_slice text, ps_bytes *out, ps_error *err); /* the first letter after each blank; the rest small */

/* The tables of unicode_case.c: `count` code points from `first`, `step` apart, become themselves + delta. */
typedef struct psi_case_range {
    uint32_t first;
    uint16_t count;
    uint8_t step;
    int32_t delta;
} psi_case_range;
typedef struct psi_case_special { /* one character becomes several */
    uint32_t code;
    const char *text;
} psi_case_special;
extern const psi_case_range psi_upper_ranges[], psi_lower_ranges[], psi_title_ranges[];
extern const int psi_n_upper_ranges, psi_n_lower_ranges, psi_n_title_ranges;
extern const psi_case_special psi_upper_specials[], psi_lower_specials[];
extern const int psi_n_upper_specials, psi_n_lower_specials;
#endif
