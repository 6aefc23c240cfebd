/*
 * expr/utf8.h - stepping through UTF-8, and case.
 *
 * Text from files may be no UTF-8 at all: a byte that cannot begin a character counts as one, and a character that the
 * end cuts off ends there.
 */
#ifndef PS_EXPR_UTF8_H
#define PS_EXPR_UTF8_H
#include "base/utf8.h"

/* Bytes of the character that begins with this byte. */
static inline size_t psi_utf8_width(uint8_t first)
{
    return first < 0xc2 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 1;
}
static inline size_t psi_utf8_step(ps_slice text, size_t at)
{
    size_t width = psi_utf8_width((uint8_t)text.data[at]);

    return width < text.n_bytes - at ? width : text.n_bytes - at;
}
static inline bool psi_is_ascii(ps_slice text)
{
    uint8_t all = 0;

    for (size_t i = 0; i < text.n_bytes; i++)
        all |= (uint8_t)text.data[i];
    return all < 0x80;
}
/* Characters as Spark counts them: each first byte says how many belong to it, whether they do or not. */
static inline int64_t psi_utf8_count(ps_slice text)
{
    int64_t n = 0;

    if (psi_is_ascii(text))
        return (int64_t)text.n_bytes;
    for (size_t at = 0; at < text.n_bytes; at += psi_utf8_step(text, at))
        n++;
    return n;
}
/* The byte at which character n begins, or n_bytes when there are fewer. */
static inline size_t psi_utf8_offset(ps_slice text, int64_t n)
{
    size_t at = 0;

    while (n-- > 0 && at < text.n_bytes)
        at += psi_utf8_step(text, at);
    return at;
}

uint32_t psi_utf8_decode(ps_slice text, size_t at, size_t *n_bytes); /* U+FFFD for what is none */
/* Where `part` begins in text at or after byte `from`; SIZE_MAX when it does not. */
size_t psi_find(ps_slice text, ps_slice part, size_t from);

/* As java.lang.String: SS for sharp s, the final sigma.  Appends to out. */
ps_status psi_utf8_upper(ps_slice text, ps_bytes *out, ps_error *err);
ps_status psi_utf8_lower(ps_slice text, ps_bytes *out, ps_error *err);
ps_status psi_utf8_initcap(ps_slice text, ps_bytes *out, ps_error *err); /* the first letter after each blank; the rest small */

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
