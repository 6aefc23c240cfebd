/*
 * base/int128.h - wide integers for decimals: checked 128-bit arithmetic, powers of ten, and the 256-bit
 * intermediates that a product or quotient of two decimal(38) needs.
 */
#ifndef PS_BASE_INT128_H
#define PS_BASE_INT128_H
#include <stdbool.h>
#include <stdint.h>

typedef __int128 ps_int128;
typedef unsigned __int128 ps_uint128;

extern const ps_int128 ps_pow10_128[39]; /* 10^0 .. 10^38 */
int ps_int128_digits(ps_int128 value);   /* decimal digits of |value|; 1 for 0 */
static inline bool ps_int128_fits(ps_int128 value, int precision) { return value < ps_pow10_128[precision] && value > -ps_pow10_128[precision]; }

/* Moves a decimal from one scale to another, rounding half up; false when it leaves 38 digits. */
bool ps_int128_rescale(ps_int128 value, int from, int to, ps_int128 *out);
/* a*b at scale (sa+sb) rounded half up to `scale`; a/b to `scale` rounded half up; false on overflow of 38 digits or b = 0. */
bool ps_decimal_multiply(ps_int128 a, int sa, ps_int128 b, int sb, int scale, ps_int128 *out);
bool ps_decimal_divide(ps_int128 a, int sa, ps_int128 b, int sb, int scale, ps_int128 *out);
bool ps_decimal_add(ps_int128 a, int sa, ps_int128 b, int sb, int scale, bool subtract, ps_int128 *out);
double ps_int128_to_double(ps_int128 value, int scale); /* correctly rounded as BigDecimal.doubleValue */
#endif
