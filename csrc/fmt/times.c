/*
 * fmt/times.c - dates, timestamps and intervals in data files.
 */
#include "fmt/times_int.h"
#include "fmt/rows_int.h"
#include "col/text.h"
#include <stdio.h>

/* ---- options ---- */

/* A pattern with letters that mean nothing fails when a value is looked at, so reading makes bad fields of all. */
static ps_status pattern_option(const ps_format_args *args, const char *key, bool reading, ps_time_format **out,
                                bool *never, ps_error *err)
{
    const char *pattern = ps_options_get(args->options, key), *locale = ps_options_get(args->options, "locale");
    ps_status rc = PS_OK;

    if (pattern)
        rc = reading ? ps_time_format_new_parser(pattern, out, err) : ps_time_format_new(pattern, out, err);
    if (rc == PS_OK && pattern && locale)
        ps_time_format_set_locale(*out, locale);

    *never = reading && (rc == PS_E_PATTERN || rc == PS_E_PATTERN_CHARACTER || rc == PS_E_PATTERN_LENGTH);
    return *never ? PS_OK : rc;
}

ps_status psi_times_init(psi_times *times, const ps_format_args *args, const char *family, bool reading, ps_error *err)
{
    const char *policy = args->conf ? ps_conf_get(args->conf, "spark.sql.legacy.timeParserPolicy") : NULL;
    const char *by_conf;
    char key[80];
    bool fallback, given;

    *times = (psi_times){.days = strcmp(family, "json") == 0};
    PS_TRY(psi_zone_option(args, &times->zone, err));
    times->utc = times->zone == ps_zone_utc();
    PS_TRY(pattern_option(args, "dateFormat", reading, &times->date, &times->no_date, err));
    PS_TRY(pattern_option(args, "timestampFormat", reading, &times->timestamp, &times->no_timestamp, err));
    PS_TRY(pattern_option(args, "timestampNTZFormat", reading, &times->ntz, &times->no_ntz, err));

    snprintf(key, sizeof key, "spark.sql.%s.enableDateTimeParsingFallback", family);
    by_conf = args->conf ? ps_conf_get(args->conf, key) : NULL;
    fallback = by_conf && ps_stricmp(by_conf, "true") == 0;
    PS_TRY(ps_options_bool(args->options, "enableDateTimeParsingFallback", fallback, &fallback, err));
    given = by_conf || ps_options_get(args->options, "enableDateTimeParsingFallback");
    if (!given && policy && ps_stricmp(policy, "LEGACY") == 0)
        fallback = true;
    times->date_fallback = fallback || (!given && !times->date);
    times->timestamp_fallback = fallback || (!given && !times->timestamp);
    return PS_OK;
}

void psi_fmt_times_clear(psi_times *times)
{
    ps_time_format_free(times->date);
    ps_time_format_free(times->timestamp);
    ps_time_format_free(times->ntz);
    *times = (psi_times){0};
}

/* ---- reading ---- */

/* "2024-01-02GMT" and the like: old writers put the marker in; the text without it. */
static bool without_gmt(ps_slice text, char *buffer, size_t n_buffer, ps_slice *out)
{
    const char *at = text.n_bytes < n_buffer ? memmem(text.data, text.n_bytes, "GMT", 3) : NULL;
    size_t n_before;

    if (!at)
        return false;
    n_before = (size_t)(at - text.data);
    memcpy(buffer, text.data, n_before);
    memcpy(buffer + n_before, at + 3, text.n_bytes - n_before - 3);
    *out = (ps_slice){buffer, text.n_bytes - 3};
    return true;
}

bool psi_times_date(const psi_times *times, ps_slice text, int32_t *out)
{
    char buffer[64];
    int64_t us, days;
    bool has_zone;
    ps_slice clean;

    if (times->no_date)
        return false;
    if (times->date) {
        if (ps_time_format_parse(times->date, text, ps_zone_utc(), &us, &has_zone)) {
            *out = (int32_t)ps_floor_div(us, PS_US_DAY);
            return true;
        }
    } else if (ps_parse_date(text, out)) {
        return true;
    }
    if (!times->date_fallback)
        return false;
    if (times->date && ps_parse_date(text, out))
        return true;
    if (without_gmt(text, buffer, sizeof buffer, &clean) && ps_parse_date(clean, out))
        return true;
    if (!times->days || !ps_parse_int64(text, &days) || days < INT32_MIN || days > INT32_MAX)
        return false;
    *out = (int32_t)days;
    return true;
}

static int two_digits(const char *s)
{
    unsigned a = (unsigned)(uint8_t)s[0] - '0', b = (unsigned)(uint8_t)s[1] - '0';

    return a > 9 || b > 9 ? -1 : (int)(a * 10 + b);
}

/* yyyy-MM-dd HH:mm (or T between) as microseconds; false when it is none. */
static bool minute_of(const char *s, int64_t *out)
{
    int century = two_digits(s), year = two_digits(s + 2), month = two_digits(s + 5), day = two_digits(s + 8);
    int hour = two_digits(s + 11), minute = two_digits(s + 14);

    if (s[4] != '-' || s[7] != '-' || (s[10] != ' ' && s[10] != 'T') || s[13] != ':')
        return false;
    if ((century | year) < 0 || month < 1 || month > 12 || day < 1 || hour < 0 || hour > 23 || minute < 0 || minute > 59)
        return false;
    year += century * 100;
    if (day > 28 && day > ps_days_in_month(year, month))
        return false;
    *out = ps_days_from_civil(year, month, day) * PS_US_DAY + (hour * 60 + minute) * 60 * PS_US_SECOND;
    return true;
}

bool psi_times_minute(const psi_times *times, const char *s, psi_last_minute *last)
{
    const int64_t rest = 60 * PS_US_SECOND - 1;
    int64_t utc, local;

    if (!minute_of(s, &utc))
        return false;
    local = times->utc ? utc : ps_zone_to_utc(times->zone, utc);
    if (!times->utc && ps_zone_to_utc(times->zone, utc + rest) != local + rest)
        return false; /* the zone's offset changes within this minute */
    memcpy(last->text, s, sizeof last->text);
    last->utc = utc;
    last->local = local;
    return true;
}

/* Of a text within strict bounds; *zulu tells of the Z. */
static bool fixed_layout(ps_slice text, int64_t *out, bool *zulu)
{
    const char *s = text.data;
    int64_t minute, micro = 0;
    int second;
    size_t i = 19;

    if (text.n_bytes < 19 || !minute_of(s, &minute) || s[16] != ':' || (second = two_digits(s + 17)) < 0 || second > 59)
        return false;
    if (i < text.n_bytes && s[i] == '.') {
        int n_digits = 0;
        for (i++; i < text.n_bytes && n_digits < 6 && s[i] >= '0' && s[i] <= '9'; i++, n_digits++)
            micro = micro * 10 + (s[i] - '0');
        if (n_digits == 0)
            return false;
        for (; n_digits < 6; n_digits++)
            micro *= 10;
    }
    *zulu = i < text.n_bytes && s[i] == 'Z';
    if (i + *zulu != text.n_bytes)
        return false;
    *out = minute + second * PS_US_SECOND + micro;
    return true;
}

bool psi_times_timestamp(const psi_times *times, ps_slice text, int64_t *out)
{
    char buffer[64];
    bool has_zone, zulu;
    ps_slice clean;

    if (times->no_timestamp)
        return false;
    if (times->timestamp) {
        if (ps_time_format_parse(times->timestamp, text, times->zone, out, &has_zone))
            return true;
    } else {
        if (fixed_layout(text, out, &zulu) && (zulu || times->utc))
            return true;
        if (ps_parse_timestamp(text, times->zone, out, &has_zone))
            return true;
    }
    if (!times->timestamp_fallback)
        return false;
    if (times->timestamp && ps_parse_timestamp(text, times->zone, out, &has_zone))
        return true;
    return without_gmt(text, buffer, sizeof buffer, &clean) && ps_parse_timestamp(clean, times->zone, out, &has_zone);
}

bool psi_times_ntz(const psi_times *times, ps_slice text, int64_t *out)
{
    bool has_zone, zulu;

    if (times->no_ntz)
        return false;
    if (times->ntz)
        return ps_time_format_parse(times->ntz, text, ps_zone_utc(), out, &has_zone) && !has_zone;
    if (fixed_layout(text, out, &zulu) && !zulu)
        return true;
    return ps_parse_timestamp_ntz(text, false, out);
}

/* ---- intervals ---- */

static const char *const day_units[] = {"DAY", "HOUR", "MINUTE", "SECOND"};
static const char *const year_units[] = {"YEAR", "MONTH"};

typedef struct cursor { const char *at, *end; } cursor;

static void skip_blanks(cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || (*c->at >= '\t' && *c->at <= '\r')))
        c->at++;
}

/* A word that a blank, a quote or the end follows. */
static bool take_word(cursor *c, const char *word)
{
    size_t n = strlen(word);

    skip_blanks(c);
    if ((size_t)(c->end - c->at) < n || !ps_slice_equal_nocase((ps_slice){c->at, n}, (ps_slice){word, n}))
        return false;
    if (c->at + n < c->end && ((c->at[n] | 32) >= 'a' && (c->at[n] | 32) <= 'z'))
        return false;
    c->at += n;
    return true;
}

static bool take_char(cursor *c, char x)
{
    if (c->at == c->end || *c->at != x)
        return false;
    c->at++;
    return true;
}

static bool take_number(cursor *c, int64_t *out)
{
    const char *start = c->at;
    ps_slice digits;

    while (c->at < c->end && *c->at >= '0' && *c->at <= '9')
        c->at++;
    digits = (ps_slice){start, (size_t)(c->at - start)};
    return digits.n_bytes > 0 && ps_parse_int64(digits, out);
}

static bool take_fraction(cursor *c, int64_t *micro)
{
    int n = 0;

    *micro = 0;
    if (!take_char(c, '.'))
        return true;
    for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++, n++)
        if (n < 6)
            *micro = *micro * 10 + (*c->at - '0');
    for (int i = n; i < 6; i++)
        *micro *= 10;
    return n > 0 && n <= 9;
}

/* INTERVAL [sign] '...' units around the text, or the text alone; *inner is what the quotes hold. */
static bool unwrap(const ps_type *type, ps_slice text, cursor *inner, bool *negative)
{
    const char *const *units = type->kind == PS_DAYTIME ? day_units : year_units;
    cursor c = {text.data, text.data + text.n_bytes};

    *negative = false;
    if (!take_word(&c, "INTERVAL")) {
        skip_blanks(&c);
        *inner = c;
        while (inner->end > inner->at && inner->end[-1] == ' ')
            inner->end--;
        return true;
    }
    skip_blanks(&c);
    if (take_char(&c, '-'))
        *negative = true;
    else
        take_char(&c, '+');
    skip_blanks(&c);
    if (!take_char(&c, '\''))
        return false;
    inner->at = c.at;
    while (c.at < c.end && *c.at != '\'')
        c.at++;
    inner->end = c.at;
    if (!take_char(&c, '\'') || !take_word(&c, units[type->unit_from]))
        return false;
    if (type->unit_to != type->unit_from && (!take_word(&c, "TO") || !take_word(&c, units[type->unit_to])))
        return false;
    skip_blanks(&c);
    return c.at == c.end;
}

static bool year_month(const ps_type *type, cursor *c, int64_t *out)
{
    int64_t n;

    *out = 0;
    for (int unit = type->unit_from; unit <= type->unit_to; unit++) {
        if ((unit > type->unit_from && !take_char(c, '-')) || !take_number(c, &n) || n > INT32_MAX)
            return false;
        if (unit == 1 && type->unit_from == 0 && n > 11)
            return false;
        *out += unit == 0 ? n * 12 : n;
    }
    return *out <= INT32_MAX;
}

static bool day_time(const ps_type *type, cursor *c, int64_t *out)
{
    static const int64_t scale[] = {PS_US_DAY, 3600 * PS_US_SECOND, 60 * PS_US_SECOND, PS_US_SECOND};
    static const int64_t most[] = {INT32_MAX, 23, 59, 59};
    int64_t n, part, micro;

    *out = 0;
    for (int unit = type->unit_from; unit <= type->unit_to; unit++) {
        if (unit > type->unit_from && !take_char(c, unit == 1 ? ' ' : ':'))
            return false;
        if (!take_number(c, &n) || (unit > type->unit_from && n > most[unit]))
            return false;
        if (__builtin_mul_overflow(n, scale[unit], &part) || __builtin_add_overflow(*out, part, out))
            return false;
        if (unit == 3 && (!take_fraction(c, &micro) || __builtin_add_overflow(*out, micro, out)))
            return false;
    }
    return true;
}

bool psi_times_interval(const ps_type *type, ps_slice text, int64_t *out)
{
    cursor c;
    bool negative, ok;

    if (!unwrap(type, text, &c, &negative))
        return false;
    if (take_char(&c, '-'))
        negative = !negative;
    else
        take_char(&c, '+');
    ok = type->kind == PS_DAYTIME ? day_time(type, &c, out) : year_month(type, &c, out);
    if (negative)
        *out = -*out;
    return ok && c.at == c.end;
}

/* ---- writing ---- */

ps_status psi_times_write_date(const psi_times *times, int32_t days, ps_bytes *out, ps_error *err)
{
    char text[PS_NUMBER_TEXT];

    if (times->date)
        return ps_time_format_print(times->date, days * PS_US_DAY, ps_zone_utc(), out, err);
    return ps_bytes_append(out, text, (size_t)ps_format_date(days, text), err);
}

static char *put_two(char *p, int n)
{
    *p++ = (char)('0' + n / 10);
    *p++ = (char)('0' + n % 10);
    return p;
}

/* yyyy-MM-ddTHH:mm:ss.SSS, microseconds cut. */
static char *put_local(char *p, int64_t local_us)
{
    int64_t days = ps_floor_div(local_us, PS_US_DAY), rest = local_us - days * PS_US_DAY;
    int ms = (int)(rest / 1000 % 1000), seconds = (int)(rest / PS_US_SECOND);

    p += ps_format_date((int32_t)days, p);
    *p++ = 'T';
    p = put_two(p, seconds / 3600);
    *p++ = ':';
    p = put_two(p, seconds / 60 % 60);
    *p++ = ':';
    p = put_two(p, seconds % 60);
    *p++ = '.';
    *p++ = (char)('0' + ms / 100);
    return put_two(p, ms % 100);
}

ps_status psi_times_write_timestamp(const psi_times *times, int64_t us, ps_bytes *out, ps_error *err)
{
    char text[2 * PS_NUMBER_TEXT], *p = text;
    int64_t offset, seconds;

    if (times->timestamp)
        return ps_time_format_print(times->timestamp, us, times->zone, out, err);
    offset = times->utc ? 0 : ps_zone_offset_us(times->zone, us);
    p = put_local(p, us + offset);
    seconds = offset / PS_US_SECOND;
    if (seconds == 0) {
        *p++ = 'Z';
    } else {
        *p++ = seconds < 0 ? '-' : '+';
        seconds = seconds < 0 ? -seconds : seconds;
        p = put_two(p, (int)(seconds / 3600));
        *p++ = ':';
        p = put_two(p, (int)(seconds / 60 % 60));
    }
    return ps_bytes_append(out, text, (size_t)(p - text), err);
}

ps_status psi_times_write_ntz(const psi_times *times, int64_t us, ps_bytes *out, ps_error *err)
{
    char text[2 * PS_NUMBER_TEXT];

    if (times->ntz)
        return ps_time_format_print(times->ntz, us, ps_zone_utc(), out, err);
    return ps_bytes_append(out, text, (size_t)(put_local(text, us) - text), err);
}
