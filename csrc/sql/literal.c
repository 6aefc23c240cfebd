/* sql/literal.c - numbers, and literals with a type in front: DATE'..', TIMESTAMP'..', X'..'. */
#include "col/text.h"
#include "sql/parse.h"
#include <time.h>

/* --- numbers -------------------------------------------------------------------------------------------------------- */
typedef struct number {
    ps_slice digits; /* without suffix */
    char suffix;     /* l s y f d, b for BD, or 0 */
    bool negative, whole, exponent;
} number;

static number read_number(ps_slice text, bool negative)
{
    number n = {text, 0, negative, true, false};
    char last = (char)(text.data[text.n_bytes - 1] | 32);

    if (last == 'd' && text.n_bytes > 1 && (text.data[text.n_bytes - 2] | 32) == 'b') {
        n.suffix = 'b';
        n.digits.n_bytes -= 2;
    } else if (last == 'l' || last == 's' || last == 'y' || last == 'f' || last == 'd') {
        n.suffix = last;
        n.digits.n_bytes--;
    }
    for (size_t i = 0; i < n.digits.n_bytes; i++) {
        n.whole &= n.digits.data[i] >= '0' && n.digits.data[i] <= '9';
        n.exponent |= (n.digits.data[i] | 32) == 'e';
    }
    return n;
}

static ps_status raise_range(psi_parser *p, const number *n, const char *type, const char *min, const char *max)
{
    char text[128];
    size_t k = n->digits.n_bytes < 100 ? n->digits.n_bytes : 100;

    memcpy(text + n->negative, n->digits.data, k);
    if (n->negative)
        text[0] = '-';
    text[k + n->negative] = '\0';
    return psi_raise_at(p, ps_raise(p->err, PS_E_LITERAL_RANGE, text, type, min, max), psi_token_at(p, 0)->at);
}

/* The digits with a sign, NUL-terminated. */
static ps_status signed_text(psi_parser *p, const number *n, ps_bytes *out)
{
    if (n->negative)
        PS_TRY(ps_bytes_char(out, '-', p->err));
    return ps_bytes_append(out, n->digits.data, n->digits.n_bytes, p->err);
}

typedef struct int_row {
    char suffix;
    ps_kind kind;
    int64_t min, max;
    const char *type, *min_text, *max_text;
} int_row;
static const int_row int_rows[] = {
    {'y', PS_INT8, INT8_MIN, INT8_MAX, "tinyint", "-128", "127"},
    {'s', PS_INT16, INT16_MIN, INT16_MAX, "smallint", "-32768", "32767"},
    {'l', PS_INT64, INT64_MIN, INT64_MAX, "bigint", "-9223372036854775808", "9223372036854775807"},
};

static ps_status int_literal(psi_parser *p, const number *n, ps_slice text, bool *done, ps_expr **out)
{
    int64_t value;
    bool fits = ps_parse_int64(text, &value);

    *done = true;
    for (size_t i = 0; i < PS_COUNT_OF(int_rows); i++) {
        const int_row *row = &int_rows[i];
        if (row->suffix != n->suffix)
            continue;
        if (!fits || value < row->min || value > row->max)
            return raise_range(p, n, row->type, row->min_text, row->max_text);
        return ps_expr_literal_int(value, row->kind, out, p->err);
    }
    if (fits)
        return ps_expr_literal_int(value, value == (int32_t)value ? PS_INT32 : PS_INT64, out, p->err);
    *done = false; /* beyond 64 bits: a decimal */
    return PS_OK;
}

/* The unscaled value and scale of plain or exponent notation; false beyond 38 digits (*precision is then set). */
static bool read_decimal(ps_slice text, __int128 *unscaled, int *precision, int *scale)
{
    bool point = false, negative = false;
    int digits = 0, exponent = 0;
    size_t i = 0;

    *unscaled = 0;
    *scale = 0;
    if (text.n_bytes && text.data[0] == '-') {
        negative = true;
        i = 1;
    }
    for (; i < text.n_bytes && (text.data[i] | 32) != 'e'; i++) {
        if (text.data[i] == '.') {
            point = true;
            continue;
        }
        *scale += point;
        digits += digits > 0 || text.data[i] != '0';
        if (digits <= 38)
            *unscaled = *unscaled * 10 + (text.data[i] - '0');
    }
    if (i < text.n_bytes) {
        int64_t e = 0;
        if (!ps_parse_int64((ps_slice){text.data + i + 1, text.n_bytes - i - 1}, &e) || e > 1000 || e < -1000)
            e = e < 0 ? -1000 : 1000;
        exponent = (int)e;
    }
    *scale -= exponent;
    while (*scale < 0 && digits <= 38) {
        *unscaled *= 10;
        digits += digits > 0;
        (*scale)++;
    }
    *precision = digits > *scale ? digits : *scale;
    if (*precision == 0)
        *precision = 1;
    if (negative)
        *unscaled = -*unscaled;
    return *precision <= 38;
}

static ps_status decimal_literal(psi_parser *p, ps_slice text, ps_expr **out)
{
    const ps_type *type;
    __int128 unscaled;
    int precision, scale;
    ps_builder *b;
    ps_status rc;

    if (!read_decimal(text, &unscaled, &precision, &scale))
        return psi_raise_at(p, ps_raise(p->err, PS_E_DECIMAL_PRECISION, precision), psi_token_at(p, 0)->at);
    PS_TRY(ps_type_decimal(precision, scale, &type, p->err));
    rc = ps_build_new(type, 1, &b, p->err);
    ps_type_unref(type);
    return rc == PS_OK ? ps_expr_literal_built(b, ps_build_int128(b, unscaled, p->err), out, p->err) : rc;
}

static ps_status float_literal(psi_parser *p, const number *n, ps_slice text, ps_expr **out)
{
    bool single = n->suffix == 'f';
    double value;
    ps_builder *b;

    if (!ps_parse_double(text, &value) || value > 1.7976931348623157e308 || value < -1.7976931348623157e308)
        return raise_range(p, n, "double", "-1.7976931348623157E308", "1.7976931348623157E308");
    if (single && (value > 3.4028234663852886e38 || value < -3.4028234663852886e38))
        return raise_range(p, n, "float", "-3.4028234663852886E38", "3.4028234663852886E38");
    PS_TRY(ps_build_new(ps_type_of(single ? PS_FLOAT : PS_DOUBLE), 1, &b, p->err));
    return ps_expr_literal_built(b, ps_build_double(b, value, p->err), out, p->err);
}

ps_status psi_parse_number(psi_parser *p, bool negative, ps_expr **out)
{
    number n = read_number(psi_token_at(p, 0)->text, negative);
    ps_bytes text = {0};
    bool done = false;
    ps_status rc = signed_text(p, &n, &text);

    *out = NULL;
    if (rc == PS_OK && n.whole && n.suffix != 'f' && n.suffix != 'd' && n.suffix != 'b')
        rc = int_literal(p, &n, ps_bytes_slice(&text), &done, out);
    if (rc == PS_OK && !done) {
        if (n.suffix == 'f' || n.suffix == 'd' || (n.exponent && n.suffix != 'b'))
            rc = float_literal(p, &n, ps_bytes_slice(&text), out);
        else
            rc = decimal_literal(p, ps_bytes_slice(&text), out);
    }
    ps_bytes_clear(&text);
    if (rc == PS_OK)
        p->at++;
    return rc;
}

/* --- typed literals --------------------------------------------------------------------------------------------------- */
static ps_status raise_typed(psi_parser *p, const char *type, const ps_bytes *text, size_t at)
{
    return psi_raise_at(p, ps_raise(p->err, PS_E_INVALID_TYPED, type, text->data), at);
}

/* epoch, now, today, yesterday, tomorrow: microseconds UTC. */
static bool special_moment(ps_slice text, int64_t *us)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    *us = (int64_t)now.tv_sec * PS_US_SECOND + now.tv_nsec / 1000;
    if (ps_slice_equal_nocase(text, ps_slice_of("now")))
        return true;
    *us = ps_floor_div(*us, PS_US_DAY) * PS_US_DAY;
    if (ps_slice_equal_nocase(text, ps_slice_of("today")))
        return true;
    if (ps_slice_equal_nocase(text, ps_slice_of("yesterday")) || ps_slice_equal_nocase(text, ps_slice_of("tomorrow"))) {
        *us += (text.data[0] | 32) == 'y' ? -PS_US_DAY : PS_US_DAY;
        return true;
    }
    *us = 0;
    return ps_slice_equal_nocase(text, ps_slice_of("epoch"));
}

static ps_status int_of_kind(psi_parser *p, ps_kind kind, int64_t value, ps_expr **out)
{
    ps_builder *b;

    PS_TRY(ps_build_new(ps_type_of(kind), 1, &b, p->err));
    return ps_expr_literal_built(b, ps_build_int(b, value, p->err), out, p->err);
}

static ps_status date_literal(psi_parser *p, const ps_bytes *text, size_t at, ps_expr **out)
{
    int32_t days;
    int64_t us;

    if (special_moment(ps_bytes_slice(text), &us))
        days = (int32_t)ps_floor_div(us, PS_US_DAY);
    else if (!ps_parse_date(ps_bytes_slice(text), &days))
        return raise_typed(p, "\"DATE\"", text, at);
    return int_of_kind(p, PS_DATE, days, out);
}

/* Without a zone the value is a local time until the session's zone is known: a literal whose type is TIMESTAMP and whose
 * value is TIMESTAMP_NTZ, which binding settles. */
static ps_status timestamp_literal(psi_parser *p, bool ntz, const ps_bytes *text, size_t at, ps_expr **out)
{
    const ps_zone *utc = ps_zone_utc();
    bool zoned = false;
    int64_t us;

    if (ntz) {
        if (!special_moment(ps_bytes_slice(text), &us) && !ps_parse_timestamp_ntz(ps_bytes_slice(text), true, &us))
            return raise_typed(p, "\"TIMESTAMP_NTZ\"", text, at);
        return int_of_kind(p, PS_TIMESTAMP_NTZ, us, out);
    }
    if (special_moment(ps_bytes_slice(text), &us))
        zoned = true;
    else if (!ps_parse_timestamp(ps_bytes_slice(text), utc, &us, &zoned))
        return raise_typed(p, "\"TIMESTAMP\"", text, at);
    PS_TRY(int_of_kind(p, zoned ? PS_TIMESTAMP : PS_TIMESTAMP_NTZ, us, out));
    if (!zoned) {
        ps_type_unref((*out)->type);
        (*out)->type = ps_type_of(PS_TIMESTAMP);
    }
    return PS_OK;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* X'1F': an odd number of digits has a 0 in front. */
static ps_status hex_literal(psi_parser *p, const ps_bytes *text, size_t at, ps_expr **out)
{
    ps_bytes bytes = {0};
    ps_builder *b;
    ps_status rc = ps_bytes_reserve(&bytes, text->n_bytes, p->err);
    int high = text->n_bytes % 2 ? 0 : -1;

    for (size_t i = 0; i < text->n_bytes && rc == PS_OK; i++) {
        int digit = hex_digit(text->data[i]);
        if (digit < 0) {
            rc = raise_typed(p, "\"X\"", text, at);
        } else if (high < 0) {
            high = digit;
        } else {
            rc = ps_bytes_char(&bytes, (char)(high << 4 | digit), p->err);
            high = -1;
        }
    }
    if (rc == PS_OK)
        rc = ps_build_new(ps_type_of(PS_BINARY), 1, &b, p->err);
    if (rc == PS_OK)
        rc = ps_expr_literal_built(b, ps_build_text(b, bytes.data ? bytes.data : "", bytes.n_bytes, p->err), out, p->err);
    ps_bytes_clear(&bytes);
    return rc;
}

ps_status psi_parse_typed(psi_parser *p, ps_expr **out)
{
    bool date = psi_is_word(p, 0, "date"), hex = psi_is_word(p, 0, "x"), ntz = psi_is_word(p, 0, "timestamp_ntz");
    bool timestamp = ntz || psi_is_word(p, 0, "timestamp") || psi_is_word(p, 0, "timestamp_ltz");
    size_t at = psi_token_at(p, 0)->at;
    ps_bytes text = {0};
    ps_status rc;

    *out = NULL;
    if (psi_token_at(p, 1)->kind != PSI_T_STRING || !(date || hex || timestamp))
        return PS_OK;
    p->at++;
    rc = psi_take_string(p, &text);
    if (rc == PS_OK)
        rc = date ? date_literal(p, &text, at, out) : hex ? hex_literal(p, &text, at, out) : timestamp_literal(p, ntz, &text, at, out);
    ps_bytes_clear(&text);
    return rc;
}
