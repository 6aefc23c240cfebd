/*
 * col/interval.c - intervals as text, and back.
 *
 * Two ways of reading, as in Spark: units with numbers before them ("1 day 2 hours", IntervalUtils.stringToInterval),
 * and SQL's literals, where values may be quoted and fields may come at once ("interval '1 2:3:4' day to second").
 */
#include "col/time_int.h"

static const struct { const char *name; int months, days; int64_t nanos; } units[] = {
    {"year", 12, 0, 0},          {"month", 1, 0, 0},          {"week", 0, 7, 0},
    {"day", 0, 1, 0},            {"hour", 0, 0, 3600000000000}, {"minute", 0, 0, 60000000000},
    {"second", 0, 0, 1000000000}, {"millisecond", 0, 0, 1000000}, {"microsecond", 0, 0, 1000},
    {"nanosecond", 0, 0, 1}};
enum { UNIT_SECOND = 6, N_TEXT_UNITS = 9, N_LITERAL_UNITS = 10 }; /* nanoseconds stand in literals alone */

static const char *const day_fields[] = {"DAY", "HOUR", "MINUTE", "SECOND"}, *const year_fields[] = {"YEAR", "MONTH"};

typedef struct reader { const char *p, *end; } reader;

static bool skip_blanks(reader *r)
{
    const char *start = r->p;

    while (r->p < r->end && psi_is_blank((unsigned char)*r->p))
        r->p++;
    return r->p > start;
}

static ps_slice read_word(reader *r)
{
    const char *start = r->p;

    while (r->p < r->end && psi_is_alpha(*r->p))
        r->p++;
    return (ps_slice){start, (size_t)(r->p - start)};
}

static bool read_sign(reader *r, bool *negative)
{
    *negative = r->p < r->end && *r->p == '-';
    if (!*negative && (r->p == r->end || *r->p != '+'))
        return false;
    r->p++;
    return true;
}

/* Digits, and up to nine behind a point as nanoseconds; *whole is cleared by a point. */
static ps_interval_fault read_number(reader *r, int64_t *value, int64_t *nanos, bool *whole)
{
    const char *start = r->p;
    int64_t unit = 100000000;

    *value = *nanos = 0;
    *whole = true;
    for (; r->p < r->end && psi_is_digit(*r->p); r->p++)
        if (__builtin_mul_overflow(*value, 10, value) || __builtin_add_overflow(*value, *r->p - '0', value))
            return PS_INTERVAL_RANGE;
    if (r->p == r->end || *r->p != '.')
        return r->p > start ? PS_INTERVAL_FINE : PS_INTERVAL_NUMBER;
    *whole = false;
    for (r->p++; r->p < r->end && psi_is_digit(*r->p); r->p++, unit /= 10) {
        if (unit == 0)
            return PS_INTERVAL_PRECISION;
        *nanos += (*r->p - '0') * unit;
    }
    return r->p > start + 1 ? PS_INTERVAL_FINE : PS_INTERVAL_VALUE;
}

static int find_unit(ps_slice word, int n_units)
{
    for (int i = 0; i < n_units; i++) {
        ps_slice singular = ps_slice_of(units[i].name), stem = {word.data, word.n_bytes ? word.n_bytes - 1 : 0};
        if (ps_slice_equal_nocase(word, singular) ||
            (ps_slice_equal_nocase(stem, singular) && (word.data[word.n_bytes - 1] | 0x20) == 's'))
            return i;
    }
    return -1;
}

/* out += (negative ? - : +)(value units + nanos) */
static bool add_unit(ps_calendar *out, int unit, bool negative, int64_t value, int64_t nanos)
{
    __int128 sign = negative ? -1 : 1, months, days, micros;

    months = out->months + sign * value * units[unit].months;
    days = out->days + sign * value * units[unit].days;
    micros = out->micros + sign * (((__int128)value * units[unit].nanos + nanos) / 1000);
    out->months = (int32_t)months;
    out->days = (int32_t)days;
    out->micros = (int64_t)micros;
    return out->months == months && out->days == days && out->micros == micros;
}

/* number unit */
static ps_interval_fault read_term(reader *r, bool negative, int n_units, ps_calendar *out)
{
    int64_t value, nanos;
    bool whole;
    int unit;
    ps_interval_fault fault = read_number(r, &value, &nanos, &whole);

    if (fault)
        return fault;
    if (r->p == r->end)
        return PS_INTERVAL_NO_UNIT;
    if (!skip_blanks(r))
        return PS_INTERVAL_VALUE;
    unit = find_unit(read_word(r), n_units);
    if (unit < 0)
        return PS_INTERVAL_UNIT;
    if (!whole && unit != UNIT_SECOND)
        return PS_INTERVAL_FRACTION;
    return add_unit(out, unit, negative, value, nanos) ? PS_INTERVAL_FINE : PS_INTERVAL_RANGE;
}

/* (sign? number unit)+ */
static ps_interval_fault read_units(reader *r, ps_calendar *out)
{
    ps_interval_fault fault = PS_INTERVAL_FINE;

    *out = (ps_calendar){0};
    skip_blanks(r);
    if (r->p == r->end)
        return PS_INTERVAL_NUMBER;
    while (!fault && r->p < r->end) {
        bool negative;
        if (read_sign(r, &negative))
            skip_blanks(r);
        fault = read_term(r, negative, N_TEXT_UNITS, out);
        if (!fault && !skip_blanks(r) && r->p < r->end)
            fault = PS_INTERVAL_UNIT;
    }
    return fault;
}

/* ---- fields at once: "1 02:03:04.5" from DAY to SECOND, "1-2" from YEAR to MONTH ---- */

static int find_field(ps_kind kind, ps_slice word)
{
    const char *const *names = kind == PS_DAYTIME ? day_fields : year_fields;
    int n = kind == PS_DAYTIME ? 4 : 2;

    for (int i = 0; i < n; i++)
        if (ps_slice_equal_nocase(word, ps_slice_of(names[i])))
            return i;
    return -1;
}

/* "1-2", "1" or "14" */
static bool read_months(reader *r, int from, int to, int64_t *out)
{
    int64_t years = 0, months = 0, nanos;
    bool whole;

    if (read_number(r, from == 0 ? &years : &months, &nanos, &whole) || !whole)
        return false;
    if (from < to) {
        const char *start;
        if (r->p == r->end || *r->p++ != '-')
            return false;
        start = r->p;
        if (read_number(r, &months, &nanos, &whole) || !whole || r->p - start > 2 || months > 11)
            return false;
    }
    return !__builtin_mul_overflow(years, 12, out) && !__builtin_add_overflow(*out, months, out) && *out <= INT32_MAX;
}

static bool read_day_time(reader *r, int from, int to, int64_t *out)
{
    static const int64_t in_us[] = {PS_US_DAY, 3600 * PS_US_SECOND, 60 * PS_US_SECOND, PS_US_SECOND};
    static const int most[] = {0, 23, 59, 59};

    *out = 0;
    for (int i = from; i <= to; i++) {
        int64_t value, nanos, us;
        const char *start = r->p;
        bool whole;
        if (i > from) {
            if (i == 1 ? !skip_blanks(r) : r->p == r->end || *r->p++ != ':')
                return false;
            start = r->p;
        }
        if (read_number(r, &value, &nanos, &whole) || (!whole && i < 3) || *start == '.')
            return false;
        if (i > from && (value > most[i] || (r->p - start > 2 && start[1] != '.' && start[2] != '.')))
            return false;
        if (__builtin_mul_overflow(value, in_us[i], &us) || __builtin_add_overflow(*out, us, out) ||
            __builtin_add_overflow(*out, nanos / 1000, out))
            return false;
    }
    return true;
}

static bool read_fields(ps_slice text, ps_kind kind, int from, int to, int64_t *out)
{
    reader r;
    bool negative;

    text = psi_trimmed(text);
    r = (reader){text.data, text.data + text.n_bytes};
    read_sign(&r, &negative);
    if (kind == PS_DAYTIME ? !read_day_time(&r, from, to, out) : !read_months(&r, from, to, out))
        return false;
    if (negative)
        *out = -*out;
    return r.p == r.end;
}

/* [-]'text' */
static bool read_quoted(reader *r, ps_slice *out)
{
    const char *start = ++r->p;

    while (r->p < r->end && *r->p != '\'')
        r->p++;
    *out = (ps_slice){start, (size_t)(r->p - start)};
    return r->p < r->end && r->p++;
}

/* "TO field" behind the first field of a quoted text. */
static bool read_to(reader *r, ps_slice first, ps_kind *kind, int *from, int *to)
{
    reader ahead = *r;

    if (!skip_blanks(&ahead) || !ps_slice_equal_nocase(read_word(&ahead), ps_slice_of("to")) || !skip_blanks(&ahead))
        return false;
    *kind = find_field(PS_YEARMONTH, first) >= 0 ? PS_YEARMONTH : PS_DAYTIME;
    *from = find_field(*kind, first);
    *to = find_field(*kind, read_word(&ahead));
    *r = ahead;
    return true;
}

/* One term of a literal with its value in quotes: '3' day, '1-2' year to month, or '3 days' alone. */
static bool read_quoted_term(reader *r, bool negative, ps_calendar *out)
{
    ps_slice quoted, word;
    ps_calendar term = {0};
    ps_kind kind;
    int from, to, unit;
    int64_t value;

    if (!read_quoted(r, &quoted))
        return false;
    skip_blanks(r);
    word = read_word(r);
    if (word.n_bytes == 0) {
        if (!ps_parse_interval(quoted, &term) || negative)
            return false;
    } else if (read_to(r, word, &kind, &from, &to)) {
        if (from < 0 || to <= from || !read_fields(quoted, kind, from, to, &value))
            return false;
        value = negative ? -value : value;
        if (kind == PS_YEARMONTH)
            term.months = (int32_t)value;
        else
            term.micros = value;
    } else {
        reader inner = {quoted.data, quoted.data + quoted.n_bytes};
        int64_t nanos;
        bool minus, whole;
        skip_blanks(&inner);
        read_sign(&inner, &minus);
        if ((unit = find_unit(word, N_LITERAL_UNITS)) < 0 || read_number(&inner, &value, &nanos, &whole) || (!whole && unit != UNIT_SECOND))
            return false;
        skip_blanks(&inner);
        if (inner.p != inner.end || !add_unit(&term, unit, negative != minus, value, nanos))
            return false;
    }
    return !__builtin_add_overflow(out->months, term.months, &out->months) &&
           !__builtin_add_overflow(out->days, term.days, &out->days) &&
           !__builtin_add_overflow(out->micros, term.micros, &out->micros);
}

/* What stands behind the word INTERVAL: terms with bare or quoted values. */
static bool read_literal(reader *r, ps_calendar *out)
{
    *out = (ps_calendar){0};
    if (r->p == r->end)
        return false;
    while (r->p < r->end) {
        bool negative;
        if (read_sign(r, &negative))
            skip_blanks(r);
        if (r->p < r->end && *r->p == '\'' ? !read_quoted_term(r, negative, out)
                                           : read_term(r, negative, N_LITERAL_UNITS, out) != PS_INTERVAL_FINE)
            return false;
        if (!skip_blanks(r) && r->p < r->end)
            return false;
    }
    return true;
}

static bool skip_interval_word(reader *r)
{
    static const char word[] = "interval";
    size_t n = sizeof word - 1;

    if ((size_t)(r->end - r->p) <= n || !ps_slice_equal_nocase((ps_slice){r->p, n}, (ps_slice){word, n}) ||
        (!psi_is_blank((unsigned char)r->p[n]) && r->p[n] != '\''))
        return false;
    r->p += n;
    skip_blanks(r);
    return true;
}

bool ps_parse_interval(ps_slice text, ps_calendar *out)
{
    reader r;

    text = psi_trimmed(text);
    r = (reader){text.data, text.data + text.n_bytes};
    return skip_interval_word(&r) ? read_literal(&r, out) : read_units(&r, out) == PS_INTERVAL_FINE;
}

ps_interval_fault ps_parse_units(ps_slice text, ps_calendar *out)
{
    reader r;

    text = psi_trimmed(text);
    r = (reader){text.data, text.data + text.n_bytes};
    skip_interval_word(&r);
    return read_units(&r, out);
}

bool ps_parse_interval_fields(ps_slice text, const ps_type *type, int64_t *out)
{
    reader r;
    ps_slice quoted, word;
    ps_kind kind = type->kind;
    int from = type->unit_from, to = type->unit_to;
    bool negative;

    text = psi_trimmed(text);
    r = (reader){text.data, text.data + text.n_bytes};
    if (!skip_interval_word(&r))
        return read_fields(text, kind, from, to, out);
    if (read_sign(&r, &negative))
        skip_blanks(&r);
    if (r.p == r.end || *r.p != '\'' || !read_quoted(&r, &quoted) || !skip_blanks(&r))
        return false;
    word = read_word(&r);
    if (!read_to(&r, word, &kind, &from, &to))
        from = to = find_field(kind, word);
    if (r.p != r.end || kind != type->kind || from != type->unit_from || to != type->unit_to ||
        !read_fields(quoted, kind, from, to, out))
        return false;
    *out = negative ? -*out : *out;
    return true;
}

/* ---- printing ---- */

/* A number of seconds with the fraction that it has; `width` digits before the point. */
static int put_seconds(uint64_t us, int width, char *out)
{
    uint64_t seconds = us / PS_US_SECOND, fraction = us % PS_US_SECOND;
    int n = width;

    if (width == 2 && seconds < 100)
        psi_padded(seconds, 2, out);
    else
        n = psi_digits(seconds, out);
    if (fraction == 0)
        return n;
    out[n++] = '.';
    psi_padded(fraction, 6, out + n);
    n += 6;
    while (out[n - 1] == '0')
        n--;
    return n;
}

static int put_day_time(const ps_type *type, uint64_t us, char *out)
{
    static const uint64_t in_us[] = {86400000000, 3600000000, 60000000, 1000000};
    int n = 0;

    for (int i = type->unit_from; i <= type->unit_to; i++) {
        uint64_t value = us / in_us[i];
        if (i > type->unit_from)
            out[n++] = i == 1 ? ' ' : ':';
        if (i == 3) {
            n += put_seconds(us, 2, out + n);
        } else if (i == 0 || value > 99) {
            n += psi_digits(value, out + n);
        } else {
            psi_padded(value, 2, out + n);
            n += 2;
        }
        us %= in_us[i];
    }
    return n;
}

static int put_months(const ps_type *type, uint64_t months, char *out)
{
    int n;

    if (type->unit_from == type->unit_to)
        return psi_digits(type->unit_from == 0 ? months / 12 : months, out);
    n = psi_digits(months / 12, out);
    out[n++] = '-';
    return n + psi_digits(months % 12, out + n);
}

ps_status ps_format_interval(const ps_type *type, int64_t value, ps_bytes *out, ps_error *err)
{
    const char *const *names = type->kind == PS_DAYTIME ? day_fields : year_fields;
    uint64_t size = value < 0 ? -(uint64_t)value : (uint64_t)value;
    char text[48];
    int n = type->kind == PS_DAYTIME ? put_day_time(type, size, text) : put_months(type, size, text);

    PS_TRY(ps_bytes_text(out, value < 0 ? "INTERVAL '-" : "INTERVAL '", err));
    PS_TRY(ps_bytes_append(out, text, (size_t)n, err));
    PS_TRY(ps_bytes_text(out, "' ", err));
    PS_TRY(ps_bytes_text(out, names[type->unit_from], err));
    if (type->unit_from == type->unit_to)
        return PS_OK;
    PS_TRY(ps_bytes_text(out, " TO ", err));
    return ps_bytes_text(out, names[type->unit_to], err);
}

static ps_status put_part(int64_t value, const char *unit, ps_bytes *out, ps_error *err)
{
    char text[PS_NUMBER_TEXT];

    if (value == 0)
        return PS_OK;
    if (out->n_bytes > 0)
        PS_TRY(ps_bytes_char(out, ' ', err));
    PS_TRY(ps_bytes_append(out, text, (size_t)ps_format_int64(value, text), err));
    return ps_bytes_text(out, unit, err);
}

ps_status ps_format_calendar(ps_calendar value, ps_bytes *out, ps_error *err)
{
    int64_t rest = value.micros % (60 * PS_US_SECOND);
    size_t start = out->n_bytes;
    ps_bytes text = {0};
    char digits[PS_NUMBER_TEXT];
    ps_status rc;

    PS_TRY_OR(done, put_part(value.months / 12, " years", &text, err));
    PS_TRY_OR(done, put_part(value.months % 12, " months", &text, err));
    PS_TRY_OR(done, put_part(value.days, " days", &text, err));
    PS_TRY_OR(done, put_part(value.micros / (3600 * PS_US_SECOND), " hours", &text, err));
    PS_TRY_OR(done, put_part(value.micros / (60 * PS_US_SECOND) % 60, " minutes", &text, err));
    if (rest != 0 || text.n_bytes == 0) {
        if (text.n_bytes > 0)
            PS_TRY_OR(done, ps_bytes_char(&text, ' ', err));
        if (rest < 0)
            PS_TRY_OR(done, ps_bytes_char(&text, '-', err));
        rc = ps_bytes_append(&text, digits, (size_t)put_seconds((uint64_t)(rest < 0 ? -rest : rest), 1, digits), err);
        if (rc != PS_OK)
            goto done;
        PS_TRY_OR(done, ps_bytes_text(&text, " seconds", err));
    }
    rc = ps_bytes_append(out, text.data, text.n_bytes, err);
done:
    if (rc != PS_OK)
        out->n_bytes = start;
    ps_bytes_clear(&text);
    return rc;
}
