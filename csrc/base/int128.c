/*
 * base/int128.c - decimal arithmetic on 128-bit integers, with 256 bits where a product needs them.
 *
 * Rounding half up looks at the first dropped digit only, so numbers may be cut in steps as long as the last
 * step rounds.
 */
#include "base/int128.h"
#include <string.h>

#define P18 ((ps_int128)1000000000000000000ll)
#define ROW(n, x) [n] = (x), [n + 1] = (x)*10, [n + 2] = (x)*100
const ps_int128 ps_pow10_128[39] = {
    ROW(0, (ps_int128)1),          ROW(3, (ps_int128)1000),          ROW(6, (ps_int128)1000000),
    ROW(9, (ps_int128)1000000000), ROW(12, (ps_int128)1000000000000), ROW(15, (ps_int128)1000000000000000),
    ROW(18, P18),                  ROW(21, P18 * 1000),              ROW(24, P18 * 1000000),
    ROW(27, P18 * 1000000000),     ROW(30, P18 * 1000000000000),     ROW(33, P18 * 1000000000000000),
    ROW(36, P18 *P18),
};
#undef ROW

static ps_uint128 magnitude(ps_int128 x)
{
    return x < 0 ? -(ps_uint128)x : (ps_uint128)x;
}

static int bit_length(ps_uint128 x)
{
    uint64_t high = (uint64_t)(x >> 64), low = (uint64_t)x;

    return high ? 128 - __builtin_clzll(high) : low ? 64 - __builtin_clzll(low) : 0;
}

int ps_int128_digits(ps_int128 value)
{
    ps_uint128 x = magnitude(value);
    int n = bit_length(x) * 1233 >> 12; /* digits, or one less */

    n += x >= (ps_uint128)ps_pow10_128[n];
    return n > 0 ? n : 1;
}

/* ---- 256 bits, unsigned: words from the lowest ---- */

typedef struct wide { uint64_t w[4]; } wide;

static wide widen(ps_uint128 x)
{
    return (wide){{(uint64_t)x, (uint64_t)(x >> 64), 0, 0}};
}

static ps_uint128 low_half(const wide *x)
{
    return (ps_uint128)x->w[1] << 64 | x->w[0];
}

static bool is_narrow(const wide *x)
{
    return (x->w[2] | x->w[3]) == 0;
}

/* x *= y; false when 256 bits do not hold it. */
static bool multiply(wide *x, ps_uint128 y)
{
    uint64_t out[6] = {0}, part[2] = {(uint64_t)y, (uint64_t)(y >> 64)};

    for (int j = 0; j < 2; j++) {
        uint64_t carry = 0;
        for (int i = 0; i < 4; i++) {
            ps_uint128 sum = (ps_uint128)x->w[i] * part[j] + out[i + j] + carry;
            out[i + j] = (uint64_t)sum;
            carry = (uint64_t)(sum >> 64);
        }
        out[4 + j] = carry;
    }
    memcpy(x->w, out, sizeof x->w);
    return (out[4] | out[5]) == 0;
}

/* x /= y, y > 0 and below 2^64; returns the remainder. */
static uint64_t divide_small(wide *x, uint64_t y)
{
    ps_uint128 rest = 0;

    for (int i = 3; i >= 0; i--) {
        rest = rest << 64 | x->w[i];
        x->w[i] = (uint64_t)(rest / y);
        rest %= y;
    }
    return (uint64_t)rest;
}

/* One digit of a long division in base 2^64: (high, next) / y with high < y and y's top bit set.
 * Knuth, TAOCP 4.3.1, algorithm D: the estimate from the leading words is at most two too large. */
static uint64_t quotient_word(ps_uint128 *high, uint64_t next, ps_uint128 y)
{
    uint64_t y1 = (uint64_t)(y >> 64), y0 = (uint64_t)y, top = (uint64_t)(*high >> 64);
    ps_uint128 q = top >= y1 ? UINT64_MAX : *high / y1;
    ps_uint128 r = *high - q * y1, lost;

    while (r >> 64 == 0 && q * y0 > (r << 64 | next)) {
        q--;
        r += y1;
    }
    lost = q * y;                        /* modulo 2^128, as the difference is below y */
    *high = (*high << 64 | next) - lost; /* likewise */
    return (uint64_t)q;
}

/* x /= y, y > 0; returns the remainder. */
static ps_uint128 divide(wide *x, ps_uint128 y)
{
    uint64_t words[5];
    ps_uint128 rest;
    int shift;

    if (is_narrow(x)) {
        ps_uint128 all = low_half(x);
        *x = widen(all / y);
        return all % y;
    }
    if (y >> 64 == 0)
        return divide_small(x, (uint64_t)y);
    shift = __builtin_clzll((uint64_t)(y >> 64));
    words[4] = shift ? x->w[3] >> (64 - shift) : 0;
    for (int i = 3; i > 0; i--)
        words[i] = x->w[i] << shift | (shift ? x->w[i - 1] >> (64 - shift) : 0);
    words[0] = x->w[0] << shift;
    y <<= shift;
    rest = words[4];
    rest = rest << 64 | words[3]; /* below 2^127, so below y */
    *x = (wide){{0}};
    for (int i = 2; i >= 0; i--)
        x->w[i] = quotient_word(&rest, words[i], y);
    return rest >> shift;
}

static void increase(wide *x, uint64_t by)
{
    for (int i = 0; i < 4 && by; i++) {
        x->w[i] += by;
        by = x->w[i] < by;
    }
}

/* x / 10^n rounded half up. */
static void drop_digits(wide *x, int n)
{
    for (; n > 18; n -= 18)
        divide_small(x, (uint64_t)P18);
    if (n > 0) {
        divide_small(x, (uint64_t)ps_pow10_128[n - 1]);
        increase(x, 5);
        divide_small(x, 10);
    }
}

/* x * 10^n; false when 256 bits do not hold it. */
static bool add_digits(wide *x, int n)
{
    for (; n > 38; n -= 38)
        if (!multiply(x, (ps_uint128)ps_pow10_128[38]))
            return false;
    return multiply(x, (ps_uint128)ps_pow10_128[n]);
}

static bool finish(const wide *x, bool negative, ps_int128 *out)
{
    ps_uint128 value = low_half(x);

    if (!is_narrow(x) || value >= (ps_uint128)ps_pow10_128[38])
        return false;
    *out = negative ? -(ps_int128)value : (ps_int128)value;
    return true;
}

static bool move_scale(wide *x, int from, int to)
{
    if (to >= from)
        return add_digits(x, to - from);
    drop_digits(x, from - to);
    return true;
}

bool ps_int128_rescale(ps_int128 value, int from, int to, ps_int128 *out)
{
    wide x;

    if (from == to && ps_int128_fits(value, 38)) {
        *out = value;
        return true;
    }
    if (to > from && to - from <= 18 && value == (int64_t)value) {
        *out = value * ps_pow10_128[to - from];
        return true;
    }
    x = widen(magnitude(value));
    return move_scale(&x, from, to) && finish(&x, value < 0, out);
}

bool ps_decimal_multiply(ps_int128 a, int sa, ps_int128 b, int sb, int scale, ps_int128 *out)
{
    wide x;

    if (sa + sb == scale && a == (int64_t)a && b == (int64_t)b) {
        *out = a * b;
        return ps_int128_fits(*out, 38);
    }
    x = widen(magnitude(a));
    multiply(&x, magnitude(b));
    return move_scale(&x, sa + sb, scale) && finish(&x, (a < 0) != (b < 0), out);
}

bool ps_decimal_divide(ps_int128 a, int sa, ps_int128 b, int sb, int scale, ps_int128 *out)
{
    int more = scale - sa + sb; /* the quotient is a * 10^more / b */
    wide x = widen(magnitude(a)), y = widen(magnitude(b));
    ps_uint128 divisor, rest;

    if (b == 0)
        return false;
    if (more >= 0 && !add_digits(&x, more))
        return a == 0; /* beyond 10^77, so the quotient is beyond 10^38 */
    if (more < 0 && (!add_digits(&y, -more) || !is_narrow(&y))) {
        *out = 0; /* the divisor is more than twice the dividend */
        return true;
    }
    divisor = low_half(&y);
    rest = divide(&x, divisor);
    if (rest >= divisor - rest)
        increase(&x, 1);
    return finish(&x, (a < 0) != (b < 0), out);
}

static bool less(const wide *x, const wide *y)
{
    for (int i = 3; i >= 0; i--)
        if (x->w[i] != y->w[i])
            return x->w[i] < y->w[i];
    return false;
}

static void add(wide *x, const wide *y, bool subtract)
{
    ps_uint128 carry = subtract;

    for (int i = 0; i < 4; i++) {
        carry += (ps_uint128)x->w[i] + (subtract ? ~y->w[i] : y->w[i]);
        x->w[i] = (uint64_t)carry;
        carry >>= 64;
    }
}

bool ps_decimal_add(ps_int128 a, int sa, ps_int128 b, int sb, int scale, bool subtract, ps_int128 *out)
{
    int common = sa > sb ? sa : sb;
    bool negative_a = a < 0, negative_b = (b < 0) != subtract;
    wide x, y;

    if (sa == sb && ps_int128_fits(a, 38) && ps_int128_fits(b, 38)) { /* the sum stays below 2^127 */
        return ps_int128_rescale(subtract ? a - b : a + b, sa, scale, out);
    }
    x = widen(magnitude(a));
    y = widen(magnitude(b));
    add_digits(&x, common - sa);
    add_digits(&y, common - sb);
    if (negative_a == negative_b) {
        add(&x, &y, false);
    } else if (less(&x, &y)) {
        add(&y, &x, true);
        x = y;
        negative_a = negative_b;
    } else {
        add(&x, &y, true);
    }
    return move_scale(&x, common, scale) && finish(&x, negative_a, out);
}

double ps_int128_to_double(ps_int128 value, int scale)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    ps_uint128 x = magnitude(value), divisor, q;
    uint64_t power;
    double result, unit;
    int shift;
    wide n;

    if (x <= (ps_uint128)1 << 53 && scale <= 22)
        return (double)value / powers[scale]; /* both exact, so one rounding */
    /* The quotient with at least 66 bits and a last bit that is set when anything was cut rounds as the
     * exact number would. */
    divisor = (ps_uint128)ps_pow10_128[scale];
    shift = 66 - (bit_length(x) - bit_length(divisor));
    shift = shift > 0 ? shift : 0;
    n = widen(x);
    for (int left = shift; left > 0; left -= 64)
        multiply(&n, (ps_uint128)1 << (left < 64 ? left : 64));
    q = divide(&n, divisor) != 0;
    q |= low_half(&n);
    power = (uint64_t)(1023 - shift) << 52;
    memcpy(&unit, &power, sizeof unit);
    result = (double)q * unit;
    return value < 0 ? -result : result;
}
