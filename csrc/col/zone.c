/*
 * col/zone.c - time zones: names as java.time.ZoneId.of knows them, offsets from TZif files (RFC 8536).
 *
 * A zone is a sorted list of instants and the offset that begins at each.  The rule in the file's footer is
 * unrolled for the 400 years after which the calendar repeats, so any later instant is looked up in that span.
 */
#include "base/fs.h"
#include "base/map.h"
#include "col/time.h"
#include "col/time_int.h"
#include <pthread.h>

#define CYCLE_S (146097ll * 86400) /* 400 Gregorian years */
#define FIRST_INSTANT (-(1ll << 59))

typedef struct span { int64_t from; int32_t offset; char abbreviation[8]; } span; /* seconds */
struct ps_zone {
    char name[64];
    span *spans; /* spans[0].from is FIRST_INSTANT */
    int n, capacity;
    int64_t repeats_from; /* from here on the spans repeat every 400 years; INT64_MAX without a rule */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* rank leaf */
static ps_map zones;                                     /* under lock; entries stay for ever */

static ps_status add_span(ps_zone *zone, int64_t from, int32_t offset, const char *abbreviation, ps_error *err)
{
    struct { span *items; int n, capacity; } list = {zone->spans, zone->n, zone->capacity};
    span item = {from, offset, ""};
    ps_status rc;

    memcpy(item.abbreviation, abbreviation, strnlen(abbreviation, sizeof item.abbreviation - 1));
    rc = PS_PUSH(&list, item, err);
    zone->spans = list.items;
    zone->n = list.n;
    zone->capacity = list.capacity;
    return rc;
}

/* ---- the footer of a TZif file: "CET-1CEST,M3.5.0,M10.5.0/3" ---- */

typedef struct rule { char form; int month, week, day, time; } rule; /* form 'M', 'J' or 'N' */
typedef struct posix_zone { char std[8], dst[8]; int std_offset, dst_offset; rule start, end; } posix_zone;

static const char *scan_int(const char *p, int *out)
{
    int n = 0, digits = 0;

    for (; psi_is_digit(*p) && digits < 6; p++, digits++)
        n = n * 10 + (*p - '0');
    *out = n;
    return digits > 0 ? p : NULL;
}

/* [+-]h[h][:mm[:ss]] in seconds. */
static const char *scan_clock(const char *p, int *out)
{
    int part, sign = 1;

    if (*p == '-' || *p == '+')
        sign = *p++ == '-' ? -1 : 1;
    *out = 0;
    for (int unit = 3600; unit > 0; unit /= 60) {
        if (!(p = scan_int(p, &part)))
            return NULL;
        *out += sign * part * unit;
        if (*p != ':')
            break;
        p++;
    }
    return p;
}

static const char *scan_abbreviation(const char *p, char *out)
{
    bool quoted = *p == '<';
    int n = 0;

    p += quoted;
    while (quoted ? *p && *p != '>' : psi_is_alpha(*p)) {
        if (n < 7)
            out[n++] = *p;
        p++;
    }
    out[n] = '\0';
    if (quoted)
        p = *p == '>' ? p + 1 : NULL;
    return n > 0 ? p : NULL;
}

static const char *scan_rule(const char *p, rule *out)
{
    *out = (rule){'N', 0, 0, 0, 7200};
    if (*p == 'M') {
        out->form = 'M';
        if (!(p = scan_int(p + 1, &out->month)) || *p++ != '.' || !(p = scan_int(p, &out->week)) || *p++ != '.')
            return NULL;
        if (out->month < 1 || out->month > 12 || out->week < 1 || out->week > 5)
            return NULL;
    } else if (*p == 'J') {
        out->form = 'J';
        p++;
    }
    if (!(p = scan_int(p, &out->day)))
        return NULL;
    return *p == '/' ? scan_clock(p + 1, &out->time) : p;
}

static bool scan_posix(const char *p, posix_zone *out)
{
    memset(out, 0, sizeof *out);
    if (!(p = scan_abbreviation(p, out->std)) || !(p = scan_clock(p, &out->std_offset)))
        return false;
    out->std_offset = -out->std_offset;
    if (*p == '\0')
        return true;
    if (!(p = scan_abbreviation(p, out->dst)))
        return false;
    out->dst_offset = out->std_offset + 3600;
    if (*p != ',') {
        if (!(p = scan_clock(p, &out->dst_offset)))
            return false;
        out->dst_offset = -out->dst_offset;
    }
    return *p++ == ',' && (p = scan_rule(p, &out->start)) && *p++ == ',' && (p = scan_rule(p, &out->end)) && *p == '\0';
}

/* The local second, counted from 1970, at which a rule takes effect in a year. */
static int64_t rule_second(const rule *r, int64_t year)
{
    int64_t days;

    if (r->form != 'M') {
        bool leap = ps_days_in_month(year, 2) == 29;
        days = ps_days_from_civil(year, 1, 1) + r->day - (r->form == 'J');
        days += r->form == 'J' && leap && r->day >= 60;
    } else {
        int64_t first = ps_days_from_civil(year, r->month, 1);
        int weekday = (int)(((first + 4) % 7 + 7) % 7), length = ps_days_in_month(year, r->month); /* 0 = Sunday */
        int day = (r->day - weekday + 7) % 7 + (r->week - 1) * 7;
        days = first + (day >= length ? day - 7 : day);
    }
    return days * 86400 + r->time;
}

/* Adds the changes that the footer foresees from `year` on. */
static ps_status unroll(ps_zone *zone, const posix_zone *posix, int64_t year, ps_error *err)
{
    int64_t last = zone->spans[zone->n - 1].from;

    for (int64_t y = year; y <= year + 401; y++) {
        int64_t start = rule_second(&posix->start, y) - posix->std_offset;
        int64_t end = rule_second(&posix->end, y) - posix->dst_offset;
        for (int k = 0; k < 2; k++) {
            bool to_dst = (start < end) == (k == 0);
            int64_t at = to_dst ? start : end;
            if (at > last)
                PS_TRY(add_span(zone, at, to_dst ? posix->dst_offset : posix->std_offset,
                                to_dst ? posix->dst : posix->std, err));
        }
    }
    zone->repeats_from = zone->spans[zone->n - 1].from - CYCLE_S;
    return PS_OK;
}

/* ---- TZif ---- */

static int64_t big_endian(const uint8_t *p, int n)
{
    uint64_t x = p[0] & 0x80 ? ~0ull : 0; /* signed */

    for (int i = 0; i < n; i++)
        x = x << 8 | p[i];
    return (int64_t)x;
}

typedef struct tzif { int64_t n_utc, n_std, n_leap, n_times, n_types, n_chars; const uint8_t *body; } tzif;

/* Reads the header at `at`; the length of header and body, or -1. */
static int64_t scan_header(const uint8_t *data, int64_t n_bytes, int64_t at, int time_size, tzif *out)
{
    const uint8_t *p = data + at;
    int64_t n;

    if (n_bytes - at < 44 || memcmp(p, "TZif", 4) != 0)
        return -1;
    *out = (tzif){big_endian(p + 20, 4), big_endian(p + 24, 4), big_endian(p + 28, 4),
                  big_endian(p + 32, 4), big_endian(p + 36, 4), big_endian(p + 40, 4), p + 44};
    if ((out->n_utc | out->n_std | out->n_leap | out->n_times | out->n_types | out->n_chars) < 0)
        return -1;
    n = 44 + out->n_times * (time_size + 1) + out->n_types * 6 + out->n_chars + out->n_leap * (time_size + 4) +
        out->n_std + out->n_utc;
    return n > n_bytes - at ? -1 : n;
}

/* The type of local time number i: offset and abbreviation. */
static bool local_type(const tzif *t, int64_t i, int32_t *offset, char *abbreviation)
{
    const uint8_t *type = t->body + t->n_times * 9 + i * 6;
    const char *chars = (const char *)t->body + t->n_times * 9 + t->n_types * 6;
    int64_t at;

    if (i >= t->n_types)
        return false;
    *offset = (int32_t)big_endian(type, 4);
    at = type[5];
    for (int k = 0; k < 7; k++)
        abbreviation[k] = at + k < t->n_chars ? chars[at + k] : '\0';
    abbreviation[7] = '\0';
    return *offset > -172800 && *offset < 172800;
}

static ps_status read_tzif(ps_zone *zone, const uint8_t *data, int64_t n_bytes, bool *good, ps_error *err)
{
    char abbreviation[8], footer[64] = "";
    int64_t first, second, n_footer;
    ps_civil civil;
    posix_zone posix;
    int32_t offset;
    tzif t;

    *good = false;
    if ((first = scan_header(data, n_bytes, 0, 4, &t)) < 0 || data[4] < '2' ||
        (second = scan_header(data, n_bytes, first, 8, &t)) < 0 || !local_type(&t, 0, &offset, abbreviation))
        return PS_OK;
    PS_TRY(add_span(zone, FIRST_INSTANT, offset, abbreviation, err));
    for (int64_t i = 0; i < t.n_times; i++) {
        int64_t from = big_endian(t.body + i * 8, 8);
        if (!local_type(&t, t.body[t.n_times * 8 + i], &offset, abbreviation))
            return PS_OK;
        if (from > zone->spans[zone->n - 1].from)
            PS_TRY(add_span(zone, from, offset, abbreviation, err));
    }
    *good = true;
    n_footer = n_bytes - first - second;
    if (n_footer < 3 || n_footer > (int64_t)sizeof footer)
        return PS_OK;
    memcpy(footer, data + first + second + 1, (size_t)n_footer - 2);
    if (!scan_posix(footer, &posix) || posix.dst[0] == '\0')
        return PS_OK;
    civil.year = 1970;
    if (zone->n > 1)
        ps_civil_from_days(ps_floor_div(zone->spans[zone->n - 1].from, 86400), &civil);
    return unroll(zone, &posix, civil.year, err);
}

/* ---- names ---- */

static const struct { const char *name, *meaning; } short_ids[] = { /* java.time.ZoneId.SHORT_IDS */
    {"ACT", "Australia/Darwin"}, {"AET", "Australia/Sydney"}, {"AGT", "America/Argentina/Buenos_Aires"},
    {"ART", "Africa/Cairo"}, {"AST", "America/Anchorage"}, {"BET", "America/Sao_Paulo"}, {"BST", "Asia/Dhaka"},
    {"CAT", "Africa/Harare"}, {"CNT", "America/St_Johns"}, {"CST", "America/Chicago"}, {"CTT", "Asia/Shanghai"},
    {"EAT", "Africa/Addis_Ababa"}, {"ECT", "Europe/Paris"}, {"IET", "America/Indiana/Indianapolis"},
    {"IST", "Asia/Kolkata"}, {"JST", "Asia/Tokyo"}, {"MIT", "Pacific/Apia"}, {"NET", "Asia/Yerevan"},
    {"NST", "Pacific/Auckland"}, {"PLT", "Asia/Karachi"}, {"PNT", "America/Phoenix"}, {"PRT", "America/Puerto_Rico"},
    {"PST", "America/Los_Angeles"}, {"SST", "Pacific/Guadalcanal"}, {"VST", "Asia/Ho_Chi_Minh"}, {"EST", "-05:00"},
    {"MST", "-07:00"}, {"HST", "-10:00"}};

static bool two_digits(const char *p, const char *end, int most, int *out)
{
    if (end - p < 2 || !psi_is_digit(p[0]) || !psi_is_digit(p[1]))
        return false;
    *out = (p[0] - '0') * 10 + (p[1] - '0');
    return *out <= most;
}

bool psi_parse_offset(ps_slice text, int *out_s)
{
    const char *p = text.data, *end = p + text.n_bytes;
    int sign, hours, minutes = 0, seconds = 0;

    if (p == end || (*p != '-' && *p != '+'))
        return false;
    sign = *p++ == '-' ? -1 : 1;
    if (end - p >= 1 && psi_is_digit(*p) && (end - p == 1 || p[1] == ':')) {
        hours = *p++ - '0';
    } else {
        if (!two_digits(p, end, 18, &hours))
            return false;
        p += 2;
    }
    if (p < end) {
        bool colon = *p == ':';
        p += colon;
        if (colon && end - p == 1 && psi_is_digit(*p)) { /* +hh:m */
            minutes = *p++ - '0';
        } else {
            if (!two_digits(p, end, 59, &minutes))
                return false;
            p += 2;
        }
        if (p < end) {
            if (colon != (*p == ':') || !two_digits(p + colon, end, 59, &seconds))
                return false;
            p += colon + 2;
        }
    }
    *out_s = sign * (hours * 3600 + minutes * 60 + seconds);
    return p == end && *out_s >= -64800 && *out_s <= 64800;
}

int psi_format_offset(int offset_s, char *out)
{
    int abs = offset_s < 0 ? -offset_s : offset_s, n = 6;

    out[0] = offset_s < 0 ? '-' : '+';
    psi_padded((uint64_t)(abs / 3600), 2, out + 1);
    out[3] = ':';
    psi_padded((uint64_t)(abs / 60 % 60), 2, out + 4);
    if (abs % 60) {
        out[n++] = ':';
        psi_padded((uint64_t)(abs % 60), 2, out + n);
        n += 2;
    }
    return n;
}

bool psi_parse_fixed_zone(ps_slice text, int *out_s, int *n_prefix)
{
    static const char *const prefixes[] = {"UTC", "GMT", "UT"};

    *out_s = *n_prefix = 0;
    if (ps_slice_equal(text, ps_slice_of("Z")))
        return true;
    if (psi_parse_offset(text, out_s))
        return true;
    for (size_t i = 0; i < PS_COUNT_OF(prefixes); i++) {
        size_t n = strlen(prefixes[i]);
        if (text.n_bytes < n || memcmp(text.data, prefixes[i], n) != 0)
            continue;
        *n_prefix = (int)n;
        if (text.n_bytes == n || psi_parse_offset((ps_slice){text.data + n, text.n_bytes - n}, out_s))
            return true;
    }
    return false;
}

static ps_status fixed_zone(ps_zone *zone, ps_slice name, int offset_s, int n_prefix, ps_error *err)
{
    int n = n_prefix;

    memcpy(zone->name, name.data, (size_t)n);
    if (offset_s != 0)
        n += psi_format_offset(offset_s, zone->name + n);
    else if (n == 0)
        zone->name[n++] = 'Z';
    zone->name[n] = '\0';
    return add_span(zone, FIRST_INSTANT, offset_s, "", err);
}

static bool is_region_name(ps_slice name)
{
    if (name.n_bytes < 2 || name.n_bytes >= sizeof ((ps_zone *)0)->name || !psi_is_alpha(name.data[0]))
        return false;
    for (size_t i = 0; i < name.n_bytes; i++) {
        char c = name.data[i];
        if (!psi_is_alpha(c) && !psi_is_digit(c) && !strchr("~/._+-", c))
            return false;
        if (c == '.' && i + 1 < name.n_bytes && name.data[i + 1] == '.')
            return false;
    }
    return memcmp(name.data, "posix", name.n_bytes < 5 ? name.n_bytes : 5) != 0 &&
           memcmp(name.data, "right/", name.n_bytes < 6 ? name.n_bytes : 6) != 0;
}

static ps_status region_zone(ps_zone *zone, ps_slice name, bool *good, ps_error *err)
{
    char path[128] = "/usr/share/zoneinfo/";
    ps_bytes data = {0};
    ps_status rc;

    *good = false;
    if (!is_region_name(name))
        return PS_OK;
    memcpy(zone->name, name.data, name.n_bytes);
    zone->name[name.n_bytes] = '\0';
    strcat(path, zone->name);
    rc = ps_fs_read_all(ps_fs_local(), path, &data, NULL);
    if (rc == PS_OK && data.n_bytes > 0)
        rc = read_tzif(zone, (const uint8_t *)data.data, (int64_t)data.n_bytes, good, err);
    else
        rc = PS_OK; /* no such zone, then */
    ps_bytes_clear(&data);
    return rc;
}

static void free_zone(ps_zone *zone)
{
    ps_free(zone->spans);
    ps_free(zone);
}

static ps_status make_zone(ps_slice name, ps_zone **out, ps_error *err)
{
    int offset_s, n_prefix;
    bool good = true;
    ps_zone *zone;
    ps_status rc;

    *out = NULL;
    for (size_t i = 0; i < PS_COUNT_OF(short_ids); i++)
        if (ps_slice_equal(name, ps_slice_of(short_ids[i].name)))
            name = ps_slice_of(short_ids[i].meaning);
    PS_TRY(ps_alloc0(sizeof *zone, &zone, err));
    zone->repeats_from = INT64_MAX;
    if (psi_parse_fixed_zone(name, &offset_s, &n_prefix))
        rc = fixed_zone(zone, name, offset_s, n_prefix, err);
    else
        rc = region_zone(zone, name, &good, err);
    if (rc == PS_OK && good)
        *out = zone;
    else
        free_zone(zone);
    return rc;
}

/* NULL without an error when there is no such zone. */
static ps_status find_locked(ps_slice name, const ps_zone **out, ps_error *err)
{
    ps_zone *zone;
    ps_status rc;

    if (ps_slice_equal(name, ps_slice_of("UTC"))) {
        *out = ps_zone_utc();
        return PS_OK;
    }
    *out = zone = ps_map_get(&zones, name);
    if (zone)
        return PS_OK;
    PS_TRY(make_zone(name, &zone, err));
    if (!zone)
        return PS_OK;
    if ((rc = ps_map_put(&zones, name, zone, NULL, err)) != PS_OK) {
        free_zone(zone);
        return rc;
    }
    *out = zone;
    return PS_OK;
}

const ps_zone *psi_zone_look_up(ps_slice name)
{
    const ps_zone *zone;

    pthread_mutex_lock(&lock);
    find_locked(name, &zone, NULL);
    pthread_mutex_unlock(&lock);
    return zone;
}

ps_status ps_zone_find(const char *name, const ps_zone **out, ps_error *err)
{
    ps_status rc;

    pthread_mutex_lock(&lock);
    rc = find_locked(ps_slice_of(name), out, err);
    pthread_mutex_unlock(&lock);
    if (rc == PS_OK && !*out)
        return ps_raise(err, PS_E_CONF_TIME_ZONE, name, "spark.sql.session.timeZone");
    return rc;
}

const ps_zone *ps_zone_utc(void)
{
    static span always = {FIRST_INSTANT, 0, "UTC"};
    static const ps_zone utc = {"UTC", &always, 1, 1, INT64_MAX};

    return &utc;
}

const char *ps_zone_name(const ps_zone *zone)
{
    return zone->name;
}

/* ---- offsets ---- */

/* The span around an instant, moved into the part of the list that is unrolled; *moved is what was taken off. */
static const span *find_span(const ps_zone *zone, int64_t second, int64_t *moved)
{
    int low = 0, high = zone->n;

    *moved = 0;
    if (zone->repeats_from != INT64_MAX && second >= zone->repeats_from + CYCLE_S) {
        *moved = (second - zone->repeats_from) / CYCLE_S * CYCLE_S;
        second -= *moved;
    }
    while (high - low > 1) {
        int middle = (low + high) / 2;
        if (zone->spans[middle].from <= second)
            low = middle;
        else
            high = middle;
    }
    return &zone->spans[low];
}

/* The span of the last look-up: rows that follow each other are close in time. */
static _Thread_local struct { const ps_zone *zone; int64_t from, to, offset; } last;

int64_t ps_zone_offset_us(const ps_zone *zone, int64_t utc_us)
{
    int64_t second, moved;
    const span *s;

    if (zone->n == 1)
        return zone->spans[0].offset * PS_US_SECOND;
    second = ps_floor_div(utc_us, PS_US_SECOND);
    if (last.zone == zone && second >= last.from && second < last.to)
        return last.offset;
    s = find_span(zone, second, &moved);
    last.zone = zone;
    last.from = s->from + moved;
    last.to = s + 1 < zone->spans + zone->n ? s[1].from + moved : INT64_MAX;
    last.offset = s->offset * PS_US_SECOND;
    return last.offset;
}

const char *psi_zone_abbreviation(const ps_zone *zone, int64_t utc_us)
{
    int64_t moved;
    const span *s = find_span(zone, ps_floor_div(utc_us, PS_US_SECOND), &moved);

    return s->abbreviation[0] ? s->abbreviation : zone->name;
}

int64_t ps_zone_to_utc(const ps_zone *zone, int64_t local_us)
{
    int64_t before, after;

    if (zone->n == 1)
        return local_us - zone->spans[0].offset * PS_US_SECOND;
    if (local_us < INT64_MIN + 2 * PS_US_DAY || local_us > INT64_MAX - 2 * PS_US_DAY)
        return local_us; /* beyond what has a time on either side */
    if (last.zone == zone) {
        int64_t second = ps_floor_div(local_us, PS_US_SECOND);
        if (second - 172800 >= last.from && second + 172800 < last.to)
            return local_us - last.offset;
    }
    before = ps_zone_offset_us(zone, local_us - PS_US_DAY);
    after = ps_zone_offset_us(zone, local_us + PS_US_DAY);
    if (before == after || ps_zone_offset_us(zone, local_us - before) == before)
        return local_us - before;
    if (ps_zone_offset_us(zone, local_us - after) == after)
        return local_us - after;
    return local_us - before; /* in the gap: as far behind it as the clock was moved */
}
