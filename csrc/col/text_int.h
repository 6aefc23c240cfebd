/*
 * col/text_int.h - small pieces that the readers and printers of text share.
 */
#ifndef PS_COL_TEXT_INT_H
#define PS_COL_TEXT_INT_H
#include "col/text.h"

static inline bool psi_is_digit(char c) { return (unsigned char)(c - '0') < 10; }
static inline bool psi_is_alpha(char c) { return (unsigned char)((c | 0x20) - 'a') < 26; }
/* What Spark's casts trim: characters up to U+0020 and DEL. */
static inline bool psi_is_blank(unsigned char c) { return c <= ' ' || c == 0x7f; }
ps_slice psi_trimmed(ps_slice text);

/* Eight ASCII digits at once (the first in the lowest byte): are they, and their value. */
static inline bool psi_eight_digits(uint64_t eight)
{
    return ((eight & 0xf0f0f0f0f0f0f0f0ull) | ((eight + 0x0606060606060606ull) & 0xf0f0f0f0f0f0f0f0ull) >> 4) ==
           0x3333333333333333ull;
}
static inline uint64_t psi_eight_value(uint64_t eight)
{
    eight = (eight & 0x0f0f0f0f0f0f0f0full) * 2561 >> 8;       /* pairs: 10 * first + second */
    eight = (eight & 0x00ff00ff00ff00ffull) * 6553601 >> 16;   /* fours */
    return (eight & 0x0000ffff0000ffffull) * 42949672960001ull >> 32;
}

/* A value as df.show() prints it, NULL as "NULL". */
ps_status psi_text_shown(const ps_vec *vec, int64_t row, const ps_zone *zone, ps_bytes *out, ps_error *err);

int psi_digits(uint64_t value, char *out);         /* up to 20 digits; returns how many */
void psi_padded(uint64_t value, int n, char *out); /* exactly n digits */
#endif
