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

/* Appends the run of digits at p to *value (wrong beyond 19 digits in all) and counts them; behind the run then. */
static inline const char *psi_take_digits(const char *p, uint64_t *value, int64_t *n)
{
    static const uint64_t powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000};

    for (*n = 0;;) {
        uint64_t x, other;
        int k;

        memcpy(&x, p, 8);
        x ^= 0x3030303030303030ull;                                    /* digits become 0 to 9 */
        other = ((x + 0x7676767676767676ull) | x) & 0x8080808080808080ull; /* bytes above 9; right up to the first */
        if (__builtin_expect(other == 0, 0)) {
            *value = *value * 100000000 + psi_eight(x);
            *n += 8;
            p += 8;
            continue;
        }
        k = __builtin_ctzll(other) >> 3;
        if (k > 0)
            *value = *value * powers[k] + psi_eight(x << (64 - 8 * k));
        *n += k;
        return p + k;
    }
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

/* A decimal number of at most 15 digits, which is exact after one division; NULL for every other number. */
static inline const char *psi_take_double(const char *p, double *out)
{
    static const double powers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
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
    *out = (double)value / powers[n_fraction];
    if (negative)
        *out = -*out;
    return p;
}
#endif
