/*
 * fmt/digits_int.h - numbers in text that can be read beyond its end: eight digits at a time, without a branch per digit.
 */
#ifndef PS_FMT_DIGITS_INT_H
#define PS_FMT_DIGITS_INT_H
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* The value of eight digits, first digit in the lowest byte, each already less '0'. */
static inline uint64_t psi_eight(uint64_t x)
{
    x = x * 10 + (x >> 8);
    return ((x & 0x000000ff000000ffull) * 0x000f424000000064ull +
            ((x >> 16) & 0x000000ff000000ffull) * 0x0000271000000001ull) >> 32;
}

/* Eight characters; less '0', digits are 0 to 9 and a point is PSI_POINT. */
#define PSI_POINT ('.' ^ '0')
static inline uint64_t psi_load_digits(const char *p)
{
    uint64_t x;

    memcpy(&x, p, sizeof x);
    return x ^ 0x3030303030303030ull;
}

/* The top bit of each byte that is no digit: right up to the first one, and up to the second where the first is a point. */
static inline uint64_t psi_no_digit(uint64_t x)
{
    return ((x + 0x7676767676767676ull) | x) & 0x8080808080808080ull;
}

/* Of a mask that is not zero: how many bits stand before the byte of its lowest bit. */
static inline int psi_bits_before(uint64_t mask)
{
    return __builtin_ctzll(mask) & ~7;
}

/* Appends the run of digits at p to *value (wrong beyond 19 digits in all) and counts them; behind the run then. */
static inline const char *psi_take_digits(const char *p, uint64_t *value, int64_t *n)
{
    static const uint64_t powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000};

    for (*n = 0;;) {
        uint64_t x = psi_load_digits(p), other = psi_no_digit(x);
        int k;

        if (__builtin_expect(other == 0, 0)) {
            *value = *value * 100000000 + psi_eight(x);
            *n += 8;
            p += 8;
            continue;
        }
        k = psi_bits_before(other) >> 3;
        if (k > 0)
            *value = *value * powers[k] + psi_eight(x << (64 - 8 * k));
        *n += k;
        return p + k;
    }
}

/* Whether n bits of digits are the beginning of a number: some, and no leading zero. */
static inline bool psi_is_short(uint64_t x, int n)
{
    return n <= 8 ? n > 0 : (x & 0xff) != 0;
}

/* A number of at most seven digits, within these eight characters, without a sign: its digits, right-aligned and less '0', for
 * psi_eight().  Returns the number of digits, 0 when it is no such number. */
static inline int psi_short_int(uint64_t x, uint64_t *digits)
{
    uint64_t other = psi_no_digit(x);
    int n;

    if (__builtin_expect(other == 0, 0))
        return 0;
    n = psi_bits_before(other);
    if (__builtin_expect(!psi_is_short(x, n), 0))
        return 0;
    *digits = x << (64 - n);
    return n >> 3;
}

/* The same with a point between, which is left out; *n_fraction are the digits behind it, of *all* characters that are returned. */
static inline int psi_short_double(uint64_t x, uint64_t *digits, int *n_fraction)
{
    uint64_t other = psi_no_digit(x), rest = other & (other - 1);
    int n_whole, n; /* digits, as bits */

    *n_fraction = 0;
    if (__builtin_expect(rest == 0, 0)) /* two characters that are no digits: the point, and what follows the number */
        return 0;
    n = n_whole = psi_bits_before(other);
    if (__builtin_expect(!psi_is_short(x, n_whole), 0))
        return 0;
    if ((x >> n_whole & 0xff) == PSI_POINT) {
        uint64_t whole = ((uint64_t)1 << n_whole) - 1;

        n = psi_bits_before(rest) - 8;
        if (__builtin_expect(n == n_whole, 0))
            return 0;
        *n_fraction = (n - n_whole) >> 3;
        *digits = ((x & whole) | (x >> 8 & ~whole)) << (64 - n);
        return (n >> 3) + 1;
    }
    *digits = x << (64 - n);
    return n >> 3;
}

/* An integer of at most 18 digits without leading zeros; NULL for every other number. */
static inline const char *psi_take_int(const char *p, int64_t *out)
{
    bool negative = *p == '-';
    uint64_t value = 0;
    const char *start = p + negative, *end;
    int64_t n;

    end = psi_take_digits(start, &value, &n);
    if (__builtin_expect(n == 0 || n > 18 || (n > 1 && *start == '0'), 0))
        return NULL;
    *out = negative ? -(int64_t)value : (int64_t)value;
    return end;
}

/* What a number with so many digits behind its point is divided by. */
static const double psi_powers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

/* A decimal number of at most 15 digits, which is exact after one division; NULL for every other number. */
static inline const char *psi_take_double(const char *p, double *out)
{
    bool negative = *p == '-';
    uint64_t value = 0;
    int64_t n, n_fraction = 0;
    const char *start = p + negative;

    p = psi_take_digits(start, &value, &n);
    if (*p == '.') {
        p = psi_take_digits(p + 1, &value, &n_fraction);
        if (n_fraction == 0)
            return NULL;
    }
    if (__builtin_expect(n == 0 || n + n_fraction > 15 || (n > 1 && *start == '0') || (*p | 32) == 'e', 0))
        return NULL;
    *out = (double)(int64_t)value / psi_powers[n_fraction];
    if (negative)
        *out = -*out;
    return p;
}
#endif
