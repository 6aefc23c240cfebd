/*
 * col/text.c - whole numbers and decimals as text, and back.
 */
#include "col/text.h"
#include "base/int128.h"
#include "col/text_int.h"

ps_slice psi_trimmed(ps_slice text)
{
    while (text.n_bytes > 0 && psi_is_blank((unsigned char)text.data[0])) {
        text.data++;
        text.n_bytes--;
    }
    while (text.n_bytes > 0 && psi_is_blank((unsigned char)text.data[text.n_bytes - 1]))
        text.n_bytes--;
    return text;
}

bool ps_parse_int64(ps_slice text, int64_t *out)
{
    const char *p = text.data, *end = text.data + text.n_bytes;
    bool negative = false;
    uint64_t value = 0;

    if (p < end && (*p == '-' || *p == '+'))
        negative = *p++ == '-';
    if (p == end)
        return false;
    if (PS_UNLIKELY(end - p > 19)) {
        while (end - p > 19 && *p == '0')
            p++;
        if (end - p > 19)
            return false;
    }
    while (end - p >= 8) {
        uint64_t eight;
        memcpy(&eight, p, 8);
        if (!psi_eight_digits(eight))
            return false;
        value = value * 100000000 + psi_eight_value(eight);
        p += 8;
    }
    for (; p < end; p++) {
        if (!psi_is_digit(*p))
            return false;
        value = value * 10 + (uint64_t)(*p - '0');
    }
    if (value > (uint64_t)INT64_MAX + negative) /* 19 digits never wrap 64 bits */
        return false;
    *out = negative ? (int64_t)-value : (int64_t)value;
    return true;
}

/* A decimal number taken apart: value = the digits in [first, last), which may contain one point, times 10^exp. */
typedef struct digits {
    const char *first, *last;
    int64_t n;   /* digits, the point not counted */
    int64_t exp; /* of the last digit */
    bool negative;
} digits;

static bool scan_exponent(const char *p, const char *end, int64_t *exp)
{
    bool negative = false;
    int64_t value = 0;

    if (p < end && (*p == '-' || *p == '+'))
        negative = *p++ == '-';
    if (p == end || end - p > 10)
        return false;
    for (; p < end; p++) {
        if (!psi_is_digit(*p))
            return false;
        value = value * 10 + (*p - '0');
    }
    *exp += negative ? -value : value;
    return true;
}

static bool scan_decimal(ps_slice text, digits *out)
{
    const char *p = text.data, *end = text.data + text.n_bytes, *point = NULL;
    int64_t n_seen = 0;

    *out = (digits){0};
    if (p < end && (*p == '-' || *p == '+'))
        out->negative = *p++ == '-';
    for (; p < end && (psi_is_digit(*p) || (*p == '.' && !point)); p++) {
        if (*p == '.') {
            point = p;
            continue;
        }
        n_seen++;
        if (*p != '0' && !out->first)
            out->first = p;
        out->n += out->first != NULL;
    }
    out->last = p;
    if (n_seen == 0)
        return false;
    if (point)
        out->exp = -(p - point - 1);
    if (p < end)
        return (*p == 'e' || *p == 'E') && scan_exponent(p + 1, end, &out->exp);
    return true;
}

bool ps_parse_decimal(ps_slice text, int precision, int scale, __int128 *out)
{
    digits d;
    int64_t n_wanted;
    __int128 value = 0;
    const char *p;

    if (!scan_decimal(psi_trimmed(text), &d))
        return false;
    *out = 0;
    n_wanted = d.n + d.exp + scale; /* digits of the unscaled result, before rounding */
    if (!d.first || n_wanted < 0)
        return true;
    if (n_wanted > precision)
        return false;
    p = d.first;
    for (int64_t i = 0; i < n_wanted; i++) {
        if (p < d.last && *p == '.')
            p++;
        value = value * 10 + (p < d.last ? *p++ - '0' : 0);
    }
    if (p < d.last && *p == '.')
        p++;
    value += p < d.last && *p >= '5';
    *out = d.negative ? -value : value;
    return ps_int128_fits(value, precision);
}

static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
                            "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
                            "8081828384858687888990919293949596979899";

int psi_digits(uint64_t value, char *out)
{
    char buffer[20], *p = buffer + sizeof buffer;

    while (value >= 100) {
        p -= 2;
        memcpy(p, pairs + value % 100 * 2, 2);
        value /= 100;
    }
    if (value >= 10) {
        p -= 2;
        memcpy(p, pairs + value * 2, 2);
    } else {
        *--p = (char)('0' + value);
    }
    memcpy(out, p, (size_t)(buffer + sizeof buffer - p));
    return (int)(buffer + sizeof buffer - p);
}

void psi_padded(uint64_t value, int n, char *out)
{
    for (int i = n - 1; i >= 0; i--) {
        out[i] = (char)('0' + value % 10);
        value /= 10;
    }
}

int ps_format_int64(int64_t value, char *out)
{
    int n = 0;

    if (value < 0)
        out[n++] = '-';
    return n + psi_digits(value < 0 ? -(uint64_t)value : (uint64_t)value, out + n);
}

int ps_format_decimal(__int128 unscaled, int scale, char *out)
{
    unsigned __int128 x = unscaled < 0 ? -(unsigned __int128)unscaled : (unsigned __int128)unscaled;
    const uint64_t part = 10000000000000000000ull; /* 10^19 */
    char all[64];
    int n = 0, n_digits;

    if (unscaled < 0)
        out[n++] = '-';
    psi_padded((uint64_t)(x / part / part), 2, all);
    psi_padded((uint64_t)(x / part % part), 19, all + 2);
    psi_padded((uint64_t)(x % part), 19, all + 21);
    n_digits = ps_int128_digits(unscaled);
    if (n_digits <= scale)
        n_digits = scale + 1;
    memcpy(out + n, all + 40 - n_digits, (size_t)(n_digits - scale));
    n += n_digits - scale;
    if (scale > 0) {
        out[n++] = '.';
        memcpy(out + n, all + 40 - scale, (size_t)scale);
        n += scale;
    }
    return n;
}
