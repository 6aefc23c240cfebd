/*
 * col/time.c - the calendar, and dates and timestamps as text, as Spark's casts read and print them.
 */
#include "col/time.h"
#include "base/clock.h"
#include "col/time_int.h"

/* ---- the calendar: years begin in March, so the leap day is the last of its year; eras of 400 years ---- */

int64_t ps_days_from_civil(int64_t year, int month, int day)
{
    int64_t y = year - (month <= 2), era = ps_floor_div(y, 400);
    int64_t of_era = y - era * 400, of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void ps_civil_from_days(int64_t days, ps_civil *out)
{
    int64_t d = days + 719468, era = ps_floor_div(d, 146097);
    int64_t of_era = d - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int of_year = (int)(of_era - (365 * year + year / 4 - year / 100)), month = (5 * of_year + 2) / 153;

    *out = (ps_civil){0};
    out->day = of_year - (153 * month + 2) / 5 + 1;
    out->month = month + (month < 10 ? 3 : -9);
    out->year = year + era * 400 + (out->month <= 2);
}

void ps_civil_from_us(int64_t local_us, ps_civil *out)
{
    int64_t days = ps_floor_div(local_us, PS_US_DAY), rest = local_us % PS_US_DAY;
    int second;

    rest += rest < 0 ? PS_US_DAY : 0;
    second = (int)(rest / PS_US_SECOND);
    ps_civil_from_days(days, out);
    out->hour = second / 3600;
    out->minute = second / 60 % 60;
    out->second = second % 60;
    out->micro = (int)(rest % PS_US_SECOND);
}

int ps_days_in_month(int64_t year, int month)
{
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    if (month == 2)
        return leap ? 29 : 28;
    return 30 + ((month + (month > 7)) & 1);
}

int64_t ps_add_months_days(int64_t days, int64_t months)
{
    ps_civil c;
    int64_t all, year;
    int month, most;

    ps_civil_from_days(days, &c);
    all = c.year * 12 + c.month - 1 + months;
    year = ps_floor_div(all, 12);
    month = (int)(all - year * 12) + 1;
    most = ps_days_in_month(year, month);
    return ps_days_from_civil(year, month, c.day < most ? c.day : most);
}

bool psi_civil_to_us(const ps_civil *c, int64_t *out_us)
{
    int64_t rest;

    if (c->month < 1 || c->month > 12 || c->day < 1 || c->day > ps_days_in_month(c->year, c->month) ||
        (unsigned)c->hour > 23 || (unsigned)c->minute > 59 || (unsigned)c->second > 59)
        return false;
    rest = ((c->hour * 60 + c->minute) * 60 + c->second) * PS_US_SECOND + c->micro;
    return !__builtin_mul_overflow(ps_days_from_civil(c->year, c->month, c->day), PS_US_DAY, out_us) &&
           !__builtin_add_overflow(*out_us, rest, out_us);
}

/* ---- reading: the plain form 2024-01-02[T ]03:04:05[.123456][Z] first ---- */

/* Days of the ten characters yyyy-MM-dd, or false. Rows that follow each other mostly share their date. */
static bool plain_date(const char *p, int64_t *days)
{
    static _Thread_local struct { char text[10]; bool filled; int64_t days; } last;
    const uint64_t zeros = 0x2d30302d30303030ull, low = 0xfff0f0fff0f0f0f0ull;
    uint64_t x;
    int year, month, day;

    if (last.filled && memcmp(p, last.text, 10) == 0) {
        *days = last.days;
        return true;
    }
    memcpy(&x, p, 8);
    x ^= zeros; /* digits become 0..9, dashes 0 */
    if ((x & low) || ((x + 0x0006060006060606ull) & 0x00f0f000f0f0f0f0ull) || !psi_is_digit(p[8]) || !psi_is_digit(p[9]))
        return false;
    year = (p[0] - '0') * 1000 + (p[1] - '0') * 100 + (p[2] - '0') * 10 + (p[3] - '0');
    month = (p[5] - '0') * 10 + (p[6] - '0');
    day = (p[8] - '0') * 10 + (p[9] - '0');
    if (month < 1 || month > 12 || day < 1 || day > ps_days_in_month(year, month))
        return false;
    memcpy(last.text, p, 10);
    last.days = *days = ps_days_from_civil(year, month, day);
    last.filled = true;
    return true;
}

/* Microseconds of the eight characters HH:mm:ss, or false. */
static bool plain_clock(const char *p, int64_t *us)
{
    const uint64_t zeros = 0x30303a30303a3030ull;
    uint64_t x;
    int hour, minute, second;

    memcpy(&x, p, 8);
    x ^= zeros;
    if ((x & 0xf0f0fff0f0fff0f0ull) || ((x + 0x0606000606000606ull) & 0xf0f0fff0f0fff0f0ull))
        return false;
    hour = (int)((x & 0xff) * 10 + (x >> 8 & 0xff));
    minute = (int)((x >> 24 & 0xff) * 10 + (x >> 32 & 0xff));
    second = (int)((x >> 48 & 0xff) * 10 + (x >> 56));
    *us = ((hour * 60 + minute) * 60 + second) * PS_US_SECOND;
    return hour < 24 && minute < 60 && second < 60;
}

static bool plain_timestamp(ps_slice text, int64_t *local_us, bool *utc)
{
    const char *p = text.data, *end = p + text.n_bytes;
    int64_t days, clock, unit = 100000;

    if (text.n_bytes < 19 || (p[10] != ' ' && p[10] != 'T') || !plain_date(p, &days) || !plain_clock(p + 11, &clock))
        return false;
    p += 19;
    if (p < end && *p == '.') {
        for (p++; p < end && psi_is_digit(*p); p++, unit /= 10)
            clock += (*p - '0') * unit;
    }
    *utc = p < end && *p == 'Z';
    *local_us = days * PS_US_DAY + clock;
    return p + *utc == end;
}

/* ---- reading: everything else that Spark takes ---- */

typedef struct fields {
    ps_civil civil;
    bool time_only;
    ps_slice zone; /* empty when there is none */
} fields;

/* One to `most` digits; the year wants at least four. */
static bool scan_field(const char **at, const char *end, int least, int most, int64_t *out)
{
    const char *p = *at;

    *out = 0;
    for (; p < end && psi_is_digit(*p) && p - *at <= most; p++)
        *out = *out * 10 + (*p - '0');
    if (p - *at < least || p - *at > most)
        return false;
    *at = p;
    return true;
}

/* [.fraction] and what follows it, the zone. */
static bool scan_end(const char *p, const char *end, fields *out)
{
    int unit = 100000;

    if (p < end && *p == '.')
        for (p++; p < end && psi_is_digit(*p); p++, unit /= 10)
            out->civil.micro += (*p - '0') * unit;
    out->zone = psi_trimmed((ps_slice){p, (size_t)(end - p)});
    return true;
}

/* h[h][:m[m][:s[s][.f*][zone]]] */
static bool scan_clock(const char *p, const char *end, fields *out)
{
    int *const parts[] = {&out->civil.hour, &out->civil.minute, &out->civil.second};
    int64_t value;

    for (int i = 0; i < 3; i++) {
        if (!scan_field(&p, end, 1, 2, &value))
            return false;
        *parts[i] = (int)value;
        if (i == 2)
            return scan_end(p, end, out);
        if (p == end)
            return true;
        if (*p++ != ':')
            return false;
    }
    return false;
}

static bool scan_year(const char **at, const char *end, int most, int64_t *year)
{
    bool negative = **at == '-';

    if (negative || **at == '+')
        ++*at;
    if (!scan_field(at, end, 4, most, year))
        return false;
    *year = negative ? -*year : *year;
    return true;
}

/* Spark's segments: [+-]yyyy[yy][-m[m][-d[d][{T| }time]]], or a time alone. */
static bool scan_timestamp(ps_slice text, fields *out)
{
    const char *p = text.data, *end = p + text.n_bytes, *q = p;
    int64_t value;

    *out = (fields){.civil = {.year = 1970, .month = 1, .day = 1}};
    while (q < end && psi_is_digit(*q))
        q++;
    if (*p == 'T' || (q > p && q < end && *q == ':')) {
        out->time_only = true;
        return scan_clock(p + (*p == 'T'), end, out);
    }
    if (!scan_year(&p, end, 6, &out->civil.year))
        return false;
    for (int i = 0; i < 2; i++) {
        if (p == end)
            return true;
        if (*p++ != '-' || !scan_field(&p, end, 1, 2, &value))
            return false;
        *(i == 0 ? &out->civil.month : &out->civil.day) = (int)value;
    }
    return p == end || ((*p == ' ' || *p == 'T') && scan_clock(p + 1, end, out));
}

/* Local time to an instant, by the zone that the text names or else `zone`. */
static bool to_instant(const fields *f, int64_t local_us, const ps_zone *zone, int64_t *out_us)
{
    int offset_s, n_prefix;

    if (f->zone.n_bytes > 0) {
        if (psi_parse_fixed_zone(f->zone, &offset_s, &n_prefix))
            return !__builtin_sub_overflow(local_us, offset_s * PS_US_SECOND, out_us);
        if (!(zone = psi_zone_look_up(f->zone)))
            return false;
    }
    *out_us = ps_zone_to_utc(zone, local_us);
    return true;
}

static void set_today(ps_civil *civil, const ps_zone *zone)
{
    int64_t now = ps_clock_now_us(ps_clock_system());
    ps_civil today;

    ps_civil_from_us(now + ps_zone_offset_us(zone, now), &today);
    civil->year = today.year;
    civil->month = today.month;
    civil->day = today.day;
}

bool ps_parse_timestamp(ps_slice text, const ps_zone *zone, int64_t *out_us, bool *has_zone)
{
    int64_t local_us;
    fields f;

    if (PS_LIKELY(plain_timestamp(text, &local_us, has_zone))) {
        *out_us = *has_zone ? local_us : ps_zone_to_utc(zone, local_us);
        return true;
    }
    text = psi_trimmed(text);
    if (text.n_bytes == 0 || !scan_timestamp(text, &f))
        return false;
    *has_zone = f.zone.n_bytes > 0;
    if (f.time_only) {
        int offset_s, n_prefix;
        const ps_zone *named = zone;
        if (*has_zone && !psi_parse_fixed_zone(f.zone, &offset_s, &n_prefix))
            named = psi_zone_look_up(f.zone);
        set_today(&f.civil, named ? named : zone);
    }
    return psi_civil_to_us(&f.civil, &local_us) && to_instant(&f, local_us, zone, out_us);
}

bool ps_parse_timestamp_ntz(ps_slice text, bool allow_zone, int64_t *out_us)
{
    int64_t unused;
    bool utc;
    fields f;

    if (PS_LIKELY(plain_timestamp(text, out_us, &utc)))
        return allow_zone || !utc;
    text = psi_trimmed(text);
    if (text.n_bytes == 0 || !scan_timestamp(text, &f) || f.time_only || (f.zone.n_bytes > 0 && !allow_zone))
        return false;
    return psi_civil_to_us(&f.civil, out_us) && to_instant(&f, 0, ps_zone_utc(), &unused);
}

bool ps_parse_date(ps_slice text, int32_t *out_days)
{
    const char *p, *end;
    int64_t days, year, month = 1, day = 1;

    if (text.n_bytes == 10 && plain_date(text.data, &days)) {
        *out_days = (int32_t)days;
        return true;
    }
    text = psi_trimmed(text);
    p = text.data;
    end = p + text.n_bytes;
    if (p == end || !scan_year(&p, end, 7, &year))
        return false;
    if (p < end) {
        if (*p++ != '-' || !scan_field(&p, end, 1, 2, &month))
            return false;
        if (p < end && (*p++ != '-' || !scan_field(&p, end, 1, 2, &day)))
            return false;
        if (p < end && *p != ' ' && *p != 'T')
            return false;
    }
    if (month < 1 || month > 12 || day < 1 || day > ps_days_in_month(year, (int)month))
        return false;
    days = ps_days_from_civil(year, (int)month, (int)day);
    *out_days = (int32_t)days;
    return *out_days == days;
}

bool ps_parse_time_word(ps_slice text, const ps_zone *zone, int64_t now_us, int64_t *out_us)
{
    static const struct { const char *word; int days; } words[] = {
        {"epoch", 0}, {"now", 0}, {"today", 0}, {"yesterday", -1}, {"tomorrow", 1}};
    ps_slice word = psi_trimmed(text), rest;
    size_t n = 0;
    int64_t local_us;

    while (n < word.n_bytes && psi_is_alpha(word.data[n]))
        n++;
    rest = psi_trimmed((ps_slice){word.data + n, word.n_bytes - n});
    word.n_bytes = n;
    if (rest.n_bytes > 0 && !(zone = psi_zone_look_up(rest)))
        return false;
    for (size_t i = 0; i < PS_COUNT_OF(words); i++) {
        if (!ps_slice_equal_nocase(word, ps_slice_of(words[i].word)))
            continue;
        *out_us = i == 0 ? 0 : now_us;
        if (i < 2)
            return true;
        local_us = now_us + ps_zone_offset_us(zone, now_us);
        local_us = (ps_floor_div(local_us, PS_US_DAY) + words[i].days) * PS_US_DAY;
        *out_us = ps_zone_to_utc(zone, local_us);
        return true;
    }
    return false;
}

/* ---- printing ---- */

static int format_date(const ps_civil *c, char *out)
{
    uint64_t year = c->year < 0 ? (uint64_t)-c->year : (uint64_t)c->year;
    int n = 0;

    if (c->year < 0 || c->year > 9999)
        out[n++] = c->year < 0 ? '-' : '+';
    if (year < 10000) {
        psi_padded(year, 4, out + n);
        n += 4;
    } else {
        n += psi_digits(year, out + n);
    }
    out[n] = out[n + 3] = '-';
    psi_padded((uint64_t)c->month, 2, out + n + 1);
    psi_padded((uint64_t)c->day, 2, out + n + 4);
    return n + 6;
}

int ps_format_date(int32_t days, char *out)
{
    ps_civil c;

    ps_civil_from_days(days, &c);
    return format_date(&c, out);
}

static int format_clock(const ps_civil *c, char *out)
{
    psi_padded((uint64_t)c->hour, 2, out);
    psi_padded((uint64_t)c->minute, 2, out + 3);
    psi_padded((uint64_t)c->second, 2, out + 6);
    out[2] = out[5] = ':';
    return 8;
}

int ps_format_timestamp_ntz(int64_t us, char *out)
{
    ps_civil c;
    int n;

    ps_civil_from_us(us, &c);
    n = format_date(&c, out);
    out[n++] = ' ';
    n += format_clock(&c, out + n);
    if (c.micro == 0)
        return n;
    out[n++] = '.';
    psi_padded((uint64_t)c.micro, 6, out + n);
    n += 6;
    while (out[n - 1] == '0')
        n--;
    return n;
}

int ps_format_timestamp(int64_t us, const ps_zone *zone, char *out)
{
    int64_t local_us;

    if (__builtin_add_overflow(us, ps_zone_offset_us(zone, us), &local_us))
        local_us = us;
    return ps_format_timestamp_ntz(local_us, out);
}

int ps_format_iso_ms(int64_t ms, char *out)
{
    ps_civil c;
    int n;

    ps_civil_from_us(ms * 1000, &c);
    n = format_date(&c, out);
    out[n++] = 'T';
    n += format_clock(&c, out + n);
    out[n++] = '.';
    psi_padded((uint64_t)(c.micro / 1000), 3, out + n);
    n += 3;
    out[n++] = 'Z';
    return n;
}
