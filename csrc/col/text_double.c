/*
 * col/text_double.c - doubles and floats as text, and back, exactly.
 *
 * Reading: up to 19 digits and a small power of ten are one exact operation (Clinger); otherwise one 64x128-bit
 * product decides (Eisel and Lemire, "Number parsing at a gigabyte per second"), and what it cannot decide is
 * divided out in long integers.  Printing: Schubfach (R. Giulietti, "The Schubfach way to render doubles"),
 * with the choice that Java makes: the closest of the shortest texts of at least two digits.
 */
#include "base/mem.h"
#include "col/pow10.h"
#include "col/text_int.h"

/* ---- building a double from bits ---- */

/* Bits of the significand, exponents of its last bit, and below how many units of the least exponent a number
 * has too few digits to choose the closest of two. */
typedef struct float_shape { int bits, min_exp, max_exp; uint64_t tiny; } float_shape;
static const float_shape shape64 = {53, -1074, 971, 3}, shape32 = {24, -149, 104, 8};

static double power_of_two(int n) /* a normal one */
{
    uint64_t bits = (uint64_t)(1023 + n) << 52;
    double x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

/* m * 2^exp (m not 0), plus something below one unit when `sticky`, rounded to the shape, half to even. */
static double round_to_shape(uint64_t m, int64_t exp, bool sticky, const float_shape *shape)
{
    int shift, lead = __builtin_clzll(m);
    uint64_t rest, half;

    m <<= lead;
    exp -= lead;
    if (exp > 2000)
        return __builtin_inf();
    shift = 64 - shape->bits;
    if (exp + shift < shape->min_exp)
        shift = exp < shape->min_exp - 64 ? 65 : (int)(shape->min_exp - exp);
    if (shift > 64)
        return 0.0; /* below half of the least */
    half = 1ull << (shift - 1);
    rest = shift == 64 ? m : m & ((half << 1) - 1);
    m = shift == 64 ? 0 : m >> shift;
    exp += shift;
    if (rest > half || (rest == half && (sticky || m & 1)))
        m++;
    if (m >> shape->bits) {
        m >>= 1;
        exp++;
    }
    if (exp > shape->max_exp)
        return __builtin_inf();
    if (exp < -1000) /* two exact steps through the subnormals */
        return (double)m * power_of_two(-537) * power_of_two((int)exp + 537);
    return (double)m * power_of_two((int)exp);
}

/* ---- long integers, for the rare texts that nothing faster decides ---- */

/* 800 digits times 2^1200, or 10^1150: 130 words have 4160 bits. */
#define N_LONG 140
#define MAX_DIGITS 800
typedef struct long_int { uint32_t w[N_LONG]; int n; } long_int;

static void long_multiply_add(long_int *x, uint32_t by, uint32_t add)
{
    uint64_t carry = add;

    for (int i = 0; i < x->n; i++) {
        carry += (uint64_t)x->w[i] * by;
        x->w[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry) {
        ps_assert(x->n < N_LONG);
        x->w[x->n++] = (uint32_t)carry;
    }
}

static void long_power(long_int *x, int n)
{
    for (; n >= 9; n -= 9)
        long_multiply_add(x, 1000000000, 0);
    for (; n > 0; n--)
        long_multiply_add(x, 10, 0);
}

static int long_bits(const long_int *x)
{
    return x->n == 0 ? 0 : x->n * 32 - __builtin_clz(x->w[x->n - 1]);
}

static void long_shift(long_int *x, int n)
{
    int words = n / 32, bits = n % 32;

    if (x->n == 0)
        return;
    ps_assert(x->n + words + 1 <= N_LONG);
    x->w[x->n] = 0;
    for (int i = x->n; i >= 0; i--)
        x->w[i + words] = (uint32_t)((uint64_t)x->w[i] << bits | (i > 0 && bits ? x->w[i - 1] >> (32 - bits) : 0));
    memset(x->w, 0, (size_t)words * 4);
    x->n += words + (x->w[x->n + words] != 0);
}

/* x -= y when x >= y. */
static bool long_subtract(long_int *x, const long_int *y)
{
    int64_t borrow = 0;

    if (x->n != y->n) {
        if (x->n < y->n)
            return false;
    } else {
        int i = x->n - 1;
        while (i >= 0 && x->w[i] == y->w[i])
            i--;
        if (i >= 0 && x->w[i] < y->w[i])
            return false;
    }
    for (int i = 0; i < x->n; i++) {
        borrow += (int64_t)x->w[i] - (i < y->n ? y->w[i] : 0);
        x->w[i] = (uint32_t)borrow;
        borrow >>= 32;
    }
    while (x->n > 0 && x->w[x->n - 1] == 0)
        x->n--;
    return true;
}

/* ---- the text taken apart ---- */

typedef struct number {
    uint64_t first;     /* up to 19 significant digits */
    int64_t exp;        /* value = first * 10^exp, and more when `cut` */
    int64_t last_exp;   /* of the last digit there is */
    const char *digits; /* from the first significant one on */
    const char *end;    /* behind the last digit */
    bool negative, cut;
} number;

/* Counts and values the significant digits again when there are more than 19. */
static void cut_digits(number *n, const char *point)
{
    int n_kept = 0;
    const char *p = n->digits;

    n->first = 0;
    for (; n_kept < 19; p++) {
        if (*p == '.')
            continue;
        n->first = n->first * 10 + (uint64_t)(*p - '0');
        n_kept++;
    }
    /* Every digit not kept, before or behind the point, raises the exponent of the last kept one. */
    n->exp += n->end - p - (point && point >= p ? 1 : 0);
    n->cut = true;
}

/* Reads [+-]digits[.digits][e[+-]digits]; the end of what was read in *used. */
static bool scan_number(const char *p, const char *end, number *n, const char **used)
{
    const char *point = NULL, *start;
    int64_t n_seen;

    *n = (number){0};
    if (p < end && (*p == '-' || *p == '+'))
        n->negative = *p++ == '-';
    start = p;
    for (;;) {
        uint64_t eight;
        if (end - p >= 8 && (memcpy(&eight, p, 8), psi_eight_digits(eight))) {
            n->first = n->first * 100000000 + psi_eight_value(eight);
            p += 8;
        } else if (p < end && psi_is_digit(*p)) {
            n->first = n->first * 10 + (uint64_t)(*p++ - '0');
        } else if (p < end && *p == '.' && !point) {
            point = p++;
        } else {
            break;
        }
    }
    n->end = p;
    n_seen = p - start - (point != NULL);
    if (n_seen == 0)
        return false;
    n->exp = n->last_exp = point ? -(p - point - 1) : 0;
    n->digits = start;
    if (PS_UNLIKELY(n_seen > 19)) {
        while (n->digits < p && (*n->digits == '0' || *n->digits == '.'))
            n->digits++;
        if (p - n->digits - (point && point >= n->digits) > 19)
            cut_digits(n, point);
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        const char *q = p + 1;
        bool negative = false;
        int64_t e = 0;
        if (q < end && (*q == '-' || *q == '+'))
            negative = *q++ == '-';
        if (q < end && psi_is_digit(*q)) {
            for (; q < end && psi_is_digit(*q); q++)
                e = e < 100000000 ? e * 10 + (*q - '0') : e;
            n->exp += negative ? -e : e;
            n->last_exp += negative ? -e : e;
            p = q;
        }
    }
    *used = p;
    return true;
}

/* The significant digits as an integer; returns how many there are.  What lies behind MAX_DIGITS only matters
 * as being there. */
static int long_digits(const number *n, long_int *out, int64_t *exp, bool *sticky)
{
    int n_digits = 0;

    for (const char *p = n->digits; p < n->end; p++) {
        if (*p == '.' || (n_digits == 0 && *p == '0'))
            continue;
        if (n_digits < MAX_DIGITS) {
            long_multiply_add(out, 10, (uint32_t)(*p - '0'));
            n_digits++;
        } else {
            *sticky |= *p != '0';
            ++*exp;
        }
    }
    return n_digits;
}

/* The exact value of the text by long division. */
static double divide_out(const number *n, const float_shape *shape)
{
    long_int top = {{0}, 0}, bottom = {{1}, 1};
    int64_t exp = n->last_exp;
    bool sticky = false;
    int n_digits = long_digits(n, &top, &exp, &sticky), shift, n_bits = 0;
    uint64_t q = 0;

    if (n_digits == 0 || exp + n_digits < -330)
        return 0.0;
    if (exp + n_digits > 320)
        return __builtin_inf();
    if (exp >= 0)
        long_power(&top, (int)exp);
    else
        long_power(&bottom, (int)-exp);
    shift = long_bits(&bottom) - long_bits(&top); /* then top / bottom is between 1/2 and 2 */
    long_shift(shift > 0 ? &top : &bottom, shift > 0 ? shift : -shift);
    while (q >> 63 == 0) {
        q = q << 1 | long_subtract(&top, &bottom);
        long_shift(&top, 1);
        n_bits++;
    }
    return round_to_shape(q, 1 - (int64_t)n_bits - shift, sticky || top.n > 0, shape);
}

/* first * 10^exp by one or two products, or false when they do not decide. */
static bool eisel_lemire(uint64_t m, int64_t exp, double *out)
{
    typedef unsigned __int128 wide;
    const uint64_t *power;
    int lead, binary;
    wide x;
    uint64_t high, low, bits, msb;

    if (exp < PSI_POW10_LOW || exp > 308)
        return false;
    power = psi_pow10[exp - PSI_POW10_LOW];
    lead = __builtin_clzll(m);
    m <<= lead;
    binary = (int)((217706 * exp) >> 16) + 64 + 1023 - lead;
    x = (wide)m * power[0];
    high = (uint64_t)(x >> 64);
    low = (uint64_t)x;
    if ((high & 0x1ff) == 0x1ff && low + m < m) { /* the low half of the power may carry into the rounding bits */
        wide y = (wide)m * power[1], sum = x + (uint64_t)(y >> 64);
        if ((uint64_t)(sum >> 64 & 0x1ff) == 0x1ff && (uint64_t)sum + 1 == 0 && (uint64_t)y + m < m)
            return false;
        high = (uint64_t)(sum >> 64);
        low = (uint64_t)sum;
    }
    msb = high >> 63;
    bits = high >> (msb + 9);
    binary -= (int)(1 ^ msb);
    if (low == 0 && (high & 0x1ff) == 0 && (bits & 3) == 1)
        return false; /* half way, as far as can be seen */
    bits = (bits + (bits & 1)) >> 1;
    if (bits >> 53) {
        bits >>= 1;
        binary++;
    }
    if (binary <= 0 || binary >= 0x7ff)
        return false;
    bits = (bits & 0xfffffffffffffull) | (uint64_t)binary << 52;
    memcpy(out, &bits, sizeof bits);
    return true;
}

static double to_double(const number *n)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    double x, next;

    if (n->first == 0 && !n->cut)
        return 0.0;
    if (!n->cut && n->first <= 1ull << 53 && n->exp >= -22 && n->exp <= 22)
        return n->exp < 0 ? (double)n->first / powers[-n->exp] : (double)n->first * powers[n->exp];
    if (eisel_lemire(n->first, n->exp, &x) &&
        (!n->cut || (eisel_lemire(n->first + 1, n->exp, &next) && next == x)))
        return x;
    return divide_out(n, &shape64);
}

bool ps_parse_double(ps_slice text, double *out)
{
    const char *end = text.data + text.n_bytes, *used;
    number n;
    double x;

    if (!scan_number(text.data, end, &n, &used) || used != end)
        return false;
    x = to_double(&n);
    *out = n.negative ? -x : x;
    return true;
}

/* ---- as Java's Double.parseDouble and Spark's casts read them ---- */

static int hex_digit(char c)
{
    if (psi_is_digit(c))
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 0x[hex][.hex]p[+-]digits; sign and suffix are the caller's. */
static bool parse_hex(const char *p, const char *end, const float_shape *shape, double *out)
{
    bool point = false, sticky = false, any = false, negative = false;
    uint64_t m = 0;
    int64_t exp = 0, e = 0;

    for (p += 2; p < end && (hex_digit(*p) >= 0 || (*p == '.' && !point)); p++) {
        if (*p == '.') {
            point = true;
            continue;
        }
        any = true;
        if (m >> 60) {
            sticky |= *p != '0';
            exp += point ? 0 : 4;
        } else {
            m = m << 4 | (uint64_t)hex_digit(*p);
            exp -= point ? 4 : 0;
        }
    }
    if (!any || p == end || (*p | 0x20) != 'p')
        return false;
    p++;
    if (p < end && (*p == '-' || *p == '+'))
        negative = *p++ == '-';
    if (p == end)
        return false;
    for (; p < end; p++) {
        if (!psi_is_digit(*p))
            return false;
        e = e < 100000000 ? e * 10 + (*p - '0') : e;
    }
    *out = m == 0 ? 0.0 : round_to_shape(m, exp + (negative ? -e : e), sticky, shape);
    return true;
}

static bool parse_word(ps_slice text, double *out)
{
    static const struct { const char *word; int sign; } words[] = {
        {"inf", 1}, {"infinity", 1}, {"+inf", 1}, {"+infinity", 1}, {"-inf", -1}, {"-infinity", -1}};

    if (ps_slice_equal_nocase(text, ps_slice_of("nan")) || ps_slice_equal(text, ps_slice_of("+NaN")) ||
        ps_slice_equal(text, ps_slice_of("-NaN"))) {
        *out = __builtin_nan("");
        return true;
    }
    for (size_t i = 0; i < PS_COUNT_OF(words); i++) {
        if (ps_slice_equal_nocase(text, ps_slice_of(words[i].word))) {
            *out = words[i].sign * __builtin_inf();
            return true;
        }
    }
    return false;
}

/* A float that was rounded to double first is wrong only where the double lies half way between two floats, or
 * where floats are subnormal. */
static double to_float(const number *n)
{
    double x = to_double(n);
    uint64_t bits;

    memcpy(&bits, &x, sizeof bits);
    if ((bits & 0x1fffffff) == 0x10000000 || (x > 0 && x < 1.2e-38))
        return divide_out(n, &shape32);
    return (double)(float)x;
}

static bool parse_java(ps_slice text, const float_shape *shape, double *out)
{
    const char *p, *end, *used;
    number n;
    double x;

    text = psi_trimmed(text);
    p = text.data;
    end = p + text.n_bytes;
    if (scan_number(p, end, &n, &used) && (used == end || (used + 1 == end && strchr("dDfF", *used)))) {
        x = shape->bits == 53 ? to_double(&n) : to_float(&n);
        *out = n.negative ? -x : x;
        return true;
    }
    if (parse_word(text, out))
        return true;
    n.negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    if (end - p < 4 || p[0] != '0' || (p[1] | 0x20) != 'x')
        return false;
    if (strchr("dDfF", end[-1]))
        end--;
    if (!parse_hex(p, end, shape, &x))
        return false;
    *out = n.negative ? -x : x;
    return true;
}

bool ps_parse_double_java(ps_slice text, double *out)
{
    return parse_java(text, &shape64, out);
}

bool ps_parse_float_java(ps_slice text, float *out)
{
    double x;

    if (!parse_java(text, &shape32, &x))
        return false;
    *out = (float)x;
    return true;
}

/* ---- printing ---- */

/* The high word of power * c, its last bit set when anything lies below. */
static uint64_t round_to_odd(const uint64_t power[2], uint64_t c)
{
    unsigned __int128 x = (unsigned __int128)power[1] * c, y = (unsigned __int128)power[0] * c;

    y += (uint64_t)(x >> 64);
    return (uint64_t)(y >> 64) | ((uint64_t)y > 1);
}

/* The digits of c * 2^q: returns d with value d * 10^(*k). */
static uint64_t shortest(uint64_t c, int q, const float_shape *shape, int *k)
{
    bool even = (c & 1) == 0, irregular, under, over;
    int shift, dk = 0;
    uint64_t power[2], low, mid, high, s;

    if (c < shape->tiny && q == shape->min_exp) {
        c *= 10;
        dk = -1;
    }
    irregular = c == 1ull << (shape->bits - 1) && q > shape->min_exp;
    *k = (q * 1262611 - (irregular ? 524031 : 0)) >> 22;
    shift = q + ((-*k * 1741647) >> 19) + 1;
    memcpy(power, psi_pow10[-*k - PSI_POW10_LOW], sizeof power);
    if (-*k < 0 || -*k > 55) { /* cut in the table, wanted rounded up */
        power[1]++;
        power[0] += power[1] == 0;
    }
    low = round_to_odd(power, (4 * c - (irregular ? 1 : 2)) << shift) + !even;
    mid = round_to_odd(power, 4 * c << shift);
    high = round_to_odd(power, (4 * c + 2) << shift) - !even;
    s = mid / 4;
    *k += dk;
    if (s >= 100) {
        uint64_t tens = s / 10;
        under = low <= 40 * tens;
        over = 40 * tens + 40 <= high;
        if (under != over)
            return (tens + over) * 10;
    }
    under = low <= 4 * s;
    over = 4 * s + 4 <= high;
    if (under != over)
        return s + over;
    return s + (mid > 4 * s + 2 || (mid == 4 * s + 2 && (s & 1)));
}

/* d * 10^k as Java lays it out: plain from 10^-3 to 10^7, else with an exponent. */
static int lay_out(uint64_t d, int k, char *out)
{
    char digits[20];
    int n, point, at = 0;

    n = psi_digits(d, digits);
    point = n + k; /* digits before the point */
    while (n > 1 && digits[n - 1] == '0')
        n--;
    if (point > 7 || point < -2) {
        out[at++] = digits[0];
        out[at++] = '.';
        if (n == 1)
            out[at++] = '0';
        memcpy(out + at, digits + 1, (size_t)n - 1);
        at += n - 1;
        out[at++] = 'E';
        return at + ps_format_int64(point - 1, out + at);
    }
    if (point <= 0) {
        memcpy(out, "0.00", 4);
        at = 2 - point;
        memcpy(out + at, digits, (size_t)n);
        return at + n;
    }
    for (; at < point; at++)
        out[at] = at < n ? digits[at] : '0';
    out[at++] = '.';
    if (n <= point) {
        out[at++] = '0';
        return at;
    }
    memcpy(out + at, digits + point, (size_t)(n - point));
    return at + n - point;
}

static int format(uint64_t fraction, int exponent, const float_shape *shape, char *out)
{
    uint64_t c = fraction;
    int q = shape->min_exp, k = 0;

    if (exponent > 0) {
        c |= 1ull << (shape->bits - 1);
        q += exponent - 1;
    }
    if (q <= 0 && q > -shape->bits && (c & ((1ull << -q) - 1)) == 0)
        return lay_out(c >> -q, 0, out); /* a whole number */
    c = shortest(c, q, shape, &k);
    return lay_out(c, k, out);
}

static int format_special(bool nan, bool negative, char *out)
{
    const char *text = nan ? "NaN" : negative ? "-Infinity" : "Infinity";

    memcpy(out, text, strlen(text));
    return (int)strlen(text);
}

int ps_format_double(double value, char *out)
{
    uint64_t bits;
    int exponent, n = 0;

    memcpy(&bits, &value, sizeof bits);
    exponent = (int)(bits >> 52 & 0x7ff);
    if (exponent == 0x7ff)
        return format_special(value != value, value < 0, out);
    if (bits >> 63)
        out[n++] = '-';
    if (value == 0) {
        memcpy(out + n, "0.0", 3);
        return n + 3;
    }
    return n + format(bits & 0xfffffffffffffull, exponent, &shape64, out + n);
}

int ps_format_float(float value, char *out)
{
    uint32_t bits;
    int exponent, n = 0;

    memcpy(&bits, &value, sizeof bits);
    exponent = (int)(bits >> 23 & 0xff);
    if (exponent == 0xff)
        return format_special(value != value, value < 0, out);
    if (bits >> 31)
        out[n++] = '-';
    if (value == 0) {
        memcpy(out + n, "0.0", 3);
        return n + 3;
    }
    return n + format(bits & 0x7fffff, exponent, &shape32, out + n);
}
