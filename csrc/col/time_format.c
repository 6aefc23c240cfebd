/*
 * col/time_format.c - Java date-time patterns as Spark admits them (java.time.format.DateTimeFormatter, strict,
 * English, without case when reading).
 *
 * A pattern is compiled to a list of items.  Optional sections are ranges of items: printing always prints
 * them, reading skips one that does not match.  Numbers that touch share their digits as in Java: the first of
 * variable width leaves the fixed ones behind it their places.
 */
#include "col/time_int.h"

typedef enum item_kind { LITERAL, NUMBER, FRACTION, TEXT, OFFSET, ZONE_ID, ZONE_NAME, LOCAL_OFFSET, OPEN, CLOSE } item_kind;
typedef struct item {
    item_kind kind;
    char letter;        /* of the pattern; LITERAL: the character; y counts as u */
    int count;          /* how often it stood there */
    int min, max;       /* NUMBER, FRACTION: digits */
    bool exceeds_pad;   /* NUMBER: more than min digits need a sign */
    int reserved;       /* NUMBER: digits that belong to the numbers behind it */
    int end;            /* OPEN: index of its CLOSE */
    const psi_time_names *names; /* TEXT */
} item;
struct ps_time_format {
    item *items;
    int n, capacity;
    bool has_era;
};

/* ---- compiling ---- */

#define LEGACY_LETTERS "GyYMLwWDdFEuaHkKhmszZX" /* what java.text.SimpleDateFormat knows */

/* The error for a pattern that the formatter does not take: what Spark's older formatter understood is told apart. */
static ps_status refuse(const char *pattern, ps_status otherwise, char letter, ps_error *err)
{
    bool quoted = false, legacy = true;

    for (const char *p = pattern; *p; p++) {
        if (*p == '\'')
            quoted = !quoted;
        else if (!quoted && psi_is_alpha(*p) && !strchr(LEGACY_LETTERS, *p))
            legacy = false;
    }
    if (legacy && !quoted)
        return ps_raise(err, PS_E_PATTERN_LEGACY, pattern);
    if (otherwise == PS_E_PATTERN_WEEK)
        return ps_raise(err, PS_E_PATTERN_WEEK, letter);
    return ps_raise(err, otherwise, pattern);
}

static ps_status check_letters(const char *pattern, bool for_parsing, bool *has_era, ps_error *err)
{
    static const struct { char letter; int most; } longest[] = {{'G', 4}, {'y', 6}, {'M', 4}, {'L', 4}, {'E', 4}, {'Q', 4}, {'q', 4}};
    bool quoted = false;
    int run = 0;

    for (const char *p = pattern; *p; p++) {
        quoted ^= *p == '\'';
        if (!quoted && strchr("YWwuec", *p))
            return refuse(pattern, PS_E_PATTERN_WEEK, *p, err);
    }
    quoted = false;
    for (const char *p = pattern; *p; p++) {
        quoted ^= *p == '\'';
        if (quoted || !psi_is_alpha(*p))
            continue;
        run = p > pattern && p[-1] == *p ? run + 1 : 1;
        *has_era |= *p == 'G';
        if (strchr("ABnNp", *p) || (for_parsing && strchr("EFqQ", *p)))
            return refuse(pattern, PS_E_PATTERN_CHARACTER, *p, err);
        for (size_t i = 0; i < PS_COUNT_OF(longest); i++)
            if (longest[i].letter == *p && run > longest[i].most)
                return refuse(pattern, PS_E_PATTERN_LENGTH, *p, err);
    }
    return PS_OK;
}

/* What `count` times `letter` means; false when Java refuses it. */
static bool make_item(char letter, int count, item *out)
{
    *out = (item){.kind = NUMBER, .letter = letter, .count = count, .min = count, .max = count};
    switch (letter) {
    case 'y':
        out->max = count == 2 ? 2 : 19;
        out->exceeds_pad = count >= 4;
        return true;
    case 'M':
    case 'L':
    case 'Q':
    case 'q':
        out->max = count == 1 ? 19 : count;
        out->kind = count > 2 ? TEXT : NUMBER;
        return count <= 4;
    case 'd':
    case 'H':
    case 'h':
    case 'K':
    case 'k':
    case 'm':
    case 's':
        out->max = count == 1 ? 19 : 2;
        return count <= 2;
    case 'D':
        out->max = count == 1 ? 19 : 3;
        return count <= 3;
    case 'F':
        out->max = 19;
        return count == 1;
    case 'S': out->kind = FRACTION; return count <= 9;
    case 'a': out->kind = TEXT; return count == 1;
    case 'E':
    case 'G': out->kind = TEXT; return count <= 4;
    case 'V': out->kind = ZONE_ID; return count == 2;
    case 'z':
    case 'v': out->kind = ZONE_NAME; return count <= 4;
    case 'O': out->kind = LOCAL_OFFSET; return count == 1 || count == 4;
    case 'X':
    case 'x': out->kind = OFFSET; return count <= 5;
    case 'Z': out->kind = count == 4 ? LOCAL_OFFSET : OFFSET; return count <= 5;
    default: return false;
    }
}

static ps_status add_literal(ps_time_format *format, char c, ps_error *err)
{
    item it = {.kind = LITERAL, .letter = c};

    return PS_PUSH(format, it, err);
}

/* A quoted text, '' being one quote; *at stands on the first quote and is left behind the last. */
static ps_status add_quoted(ps_time_format *format, const char *pattern, const char **at, ps_error *err)
{
    const char *p = *at + 1;

    if (*p == '\'')
        PS_TRY(add_literal(format, '\'', err));
    for (; *p && (*p != '\'' || p[1] == '\''); p++) {
        PS_TRY(add_literal(format, *p, err));
        p += *p == '\'';
    }
    if (!*p)
        return refuse(pattern, PS_E_PATTERN, '\'', err);
    *at = p + 1;
    return PS_OK;
}

static ps_status compile(ps_time_format *format, const char *pattern, ps_error *err)
{
    int open[16], depth = 0;

    for (const char *p = pattern; *p;) {
        item it;
        int count = 1;
        if (*p == '\'') {
            PS_TRY(add_quoted(format, pattern, &p, err));
            continue;
        }
        if (psi_is_alpha(*p)) {
            while (p[count] == *p)
                count++;
            if (!make_item(*p, count, &it))
                return refuse(pattern, PS_E_PATTERN, *p, err);
        } else if (*p == '[') {
            if (depth == (int)PS_COUNT_OF(open))
                return refuse(pattern, PS_E_PATTERN, *p, err);
            open[depth++] = format->n;
            it = (item){.kind = OPEN};
        } else if (*p == ']') {
            if (depth == 0)
                return refuse(pattern, PS_E_PATTERN, *p, err);
            format->items[open[--depth]].end = format->n;
            it = (item){.kind = CLOSE};
        } else if (strchr("{}#", *p)) {
            return refuse(pattern, PS_E_PATTERN, *p, err);
        } else {
            it = (item){.kind = LITERAL, .letter = *p};
        }
        PS_TRY(PS_PUSH(format, it, err));
        p += count;
    }
    while (depth > 0) { /* Java closes what was left open */
        item it = {.kind = CLOSE};
        format->items[open[--depth]].end = format->n;
        PS_TRY(PS_PUSH(format, it, err));
    }
    return PS_OK;
}

/* A number of variable width gives up digits to the fixed ones that touch it. */
static void reserve_digits(ps_time_format *format)
{
    item *active = NULL;

    for (int i = 0; i < format->n; i++) {
        item *it = &format->items[i];
        if (it->kind != NUMBER && it->kind != FRACTION)
            active = NULL;
        else if (active && it->min == it->max)
            active->reserved += it->max;
        else
            active = it->min != it->max ? it : NULL;
    }
}

void ps_time_format_set_locale(ps_time_format *format, const char *locale)
{
    const psi_time_names *names = psi_time_names_of(locale);

    for (int i = 0; i < format->n; i++)
        format->items[i].names = names;
}

static ps_status new_format(const char *pattern, bool for_parsing, ps_time_format **out, ps_error *err)
{
    ps_time_format *format;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_alloc0(sizeof *format, &format, err));
    PS_TRY_OR(fail, check_letters(pattern, for_parsing, &format->has_era, err));
    PS_TRY_OR(fail, compile(format, pattern, err));
    reserve_digits(format);
    ps_time_format_set_locale(format, "en");
    *out = format;
    return PS_OK;
fail:
    ps_time_format_free(format);
    return rc;
}

ps_status ps_time_format_new(const char *pattern, ps_time_format **out, ps_error *err)
{
    return new_format(pattern, false, out, err);
}

ps_status ps_time_format_new_parser(const char *pattern, ps_time_format **out, ps_error *err)
{
    return new_format(pattern, true, out, err);
}

void ps_time_format_free(ps_time_format *format)
{
    if (!format)
        return;
    ps_free(format->items);
    ps_free(format);
}

/* ---- printing ---- */

static ps_status put_number(int64_t value, int width, bool exceeds_pad, ps_bytes *out, ps_error *err)
{
    char text[24];
    uint64_t size = value < 0 ? -(uint64_t)value : (uint64_t)value;
    int n = psi_digits(size, text);

    if (value < 0 || (exceeds_pad && n > width))
        PS_TRY(ps_bytes_char(out, value < 0 ? '-' : '+', err));
    for (int i = n; i < width; i++)
        PS_TRY(ps_bytes_char(out, '0', err));
    return ps_bytes_append(out, text, (size_t)n, err);
}

static int day_of_year(const ps_civil *c)
{
    return (int)(ps_days_from_civil(c->year, c->month, c->day) - ps_days_from_civil(c->year, 1, 1)) + 1;
}

static int64_t number_of(const ps_time_format *format, char letter, const ps_civil *c)
{
    switch (letter) {
    case 'y': return format->has_era && c->year < 1 ? 1 - c->year : c->year;
    case 'M':
    case 'L': return c->month;
    case 'Q':
    case 'q': return (c->month + 2) / 3;
    case 'd': return c->day;
    case 'D': return day_of_year(c);
    case 'F': return (c->day - 1) % 7 + 1;
    case 'H': return c->hour;
    case 'k': return c->hour == 0 ? 24 : c->hour;
    case 'K': return c->hour % 12;
    case 'h': return c->hour % 12 == 0 ? 12 : c->hour % 12;
    case 'm': return c->minute;
    default: return c->second;
    }
}

static ps_status put_text(const item *it, const ps_civil *c, ps_bytes *out, ps_error *err)
{
    static const char *const quarters[] = {"1st quarter", "2nd quarter", "3rd quarter", "4th quarter"};
    int64_t days;
    const char *name;

    switch (it->letter) {
    case 'a': return ps_bytes_text(out, c->hour < 12 ? "AM" : "PM", err);
    case 'G':
        if (it->count == 4)
            return ps_bytes_text(out, c->year > 0 ? "Anno Domini" : "Before Christ", err);
        return ps_bytes_text(out, c->year > 0 ? "AD" : "BC", err);
    case 'Q':
    case 'q':
        if (it->count == 4)
            return ps_bytes_text(out, quarters[(c->month - 1) / 3], err);
        PS_TRY(ps_bytes_char(out, 'Q', err));
        return ps_bytes_char(out, (char)('1' + (c->month - 1) / 3), err);
    case 'E':
        days = ps_days_from_civil(c->year, c->month, c->day) + 4;
        name = (it->count == 4 ? it->names->days : it->names->short_days)[days - ps_floor_div(days, 7) * 7];
        break;
    default: name = (it->count == 4 ? it->names->months : it->names->short_months)[c->month - 1]; break;
    }
    return ps_bytes_text(out, name, err);
}

/* "+hh[:]mm[[:]ss]" by the letter and count of X, x and Z. */
static ps_status put_offset(const item *it, int offset_s, ps_bytes *out, ps_error *err)
{
    int abs = offset_s < 0 ? -offset_s : offset_s;
    bool colons = it->count == 3 || it->count == 5, seconds = it->count > 3 && abs % 60;
    bool minutes = it->count > 1 || abs / 60 % 60;
    const char *colon;

    if (it->letter == 'Z') {
        colons = it->count == 5;
        minutes = true;
    }
    if (offset_s == 0 && (it->letter == 'X' || (it->letter == 'Z' && it->count == 5)))
        return ps_bytes_char(out, 'Z', err);
    colon = colons ? ":" : "";
    PS_TRY(ps_bytes_char(out, offset_s < 0 ? '-' : '+', err));
    PS_TRY(put_number(abs / 3600, 2, false, out, err));
    if (minutes) {
        PS_TRY(ps_bytes_text(out, colon, err));
        PS_TRY(put_number(abs / 60 % 60, 2, false, out, err));
    }
    if (seconds) {
        PS_TRY(ps_bytes_text(out, colon, err));
        PS_TRY(put_number(abs % 60, 2, false, out, err));
    }
    return PS_OK;
}

static ps_status put_local_offset(const item *it, int offset_s, ps_bytes *out, ps_error *err)
{
    int abs = offset_s < 0 ? -offset_s : offset_s;

    PS_TRY(ps_bytes_text(out, "GMT", err));
    if (offset_s == 0)
        return PS_OK;
    PS_TRY(ps_bytes_char(out, offset_s < 0 ? '-' : '+', err));
    PS_TRY(put_number(abs / 3600, it->count == 4 ? 2 : 1, false, out, err));
    if (it->count == 4 || abs / 60 % 60) {
        PS_TRY(ps_bytes_char(out, ':', err));
        PS_TRY(put_number(abs / 60 % 60, 2, false, out, err));
    }
    return PS_OK;
}

static const struct { const char *abbreviation, *name; } zone_names[] = {
    {"UTC", "Coordinated Universal Time"},   {"GMT", "Greenwich Mean Time"},
    {"PST", "Pacific Standard Time"},        {"PDT", "Pacific Daylight Time"},
    {"MST", "Mountain Standard Time"},       {"MDT", "Mountain Daylight Time"},
    {"CST", "Central Standard Time"},        {"CDT", "Central Daylight Time"},
    {"EST", "Eastern Standard Time"},        {"EDT", "Eastern Daylight Time"},
    {"CET", "Central European Standard Time"}, {"CEST", "Central European Summer Time"},
    {"EET", "Eastern European Standard Time"}, {"EEST", "Eastern European Summer Time"},
    {"WET", "Western European Standard Time"}, {"WEST", "Western European Summer Time"},
    {"BST", "British Summer Time"},          {"IST", "India Standard Time"},
    {"JST", "Japan Standard Time"},          {"KST", "Korean Standard Time"},
    {"AEST", "Australian Eastern Standard Time"}, {"AEDT", "Australian Eastern Daylight Time"}};

static ps_status put_zone_name(const item *it, int64_t us, const ps_zone *zone, ps_bytes *out, ps_error *err)
{
    const char *abbreviation = psi_zone_abbreviation(zone, us);

    for (size_t i = 0; it->count == 4 && i < PS_COUNT_OF(zone_names); i++)
        if (strcmp(zone_names[i].abbreviation, abbreviation) == 0)
            return ps_bytes_text(out, zone_names[i].name, err);
    return ps_bytes_text(out, abbreviation, err);
}

static ps_status put_item(const ps_time_format *format, const item *it, const ps_civil *c, int64_t us, int offset_s,
                          const ps_zone *zone, ps_bytes *out, ps_error *err)
{
    char digits[16] = "000000000";

    switch (it->kind) {
    case LITERAL: return ps_bytes_char(out, it->letter, err);
    case NUMBER: {
        int64_t value = number_of(format, it->letter, c);
        if (it->letter == 'y' && it->count == 2)
            value = value - ps_floor_div(value, 100) * 100;
        return put_number(value, it->min, it->exceeds_pad, out, err);
    }
    case FRACTION:
        psi_padded((uint64_t)c->micro, 6, digits);
        return ps_bytes_append(out, digits, (size_t)it->count, err);
    case TEXT: return put_text(it, c, out, err);
    case OFFSET: return put_offset(it, offset_s, out, err);
    case LOCAL_OFFSET: return put_local_offset(it, offset_s, out, err);
    case ZONE_ID: return ps_bytes_text(out, ps_zone_name(zone), err);
    case ZONE_NAME: return put_zone_name(it, us, zone, out, err);
    default: return PS_OK;
    }
}

ps_status ps_time_format_print(const ps_time_format *format, int64_t us, const ps_zone *zone, ps_bytes *out, ps_error *err)
{
    int64_t offset = ps_zone_offset_us(zone, us), local_us;
    ps_civil c;

    if (__builtin_add_overflow(us, offset, &local_us))
        local_us = us;
    ps_civil_from_us(local_us, &c);
    for (int i = 0; i < format->n; i++)
        PS_TRY(put_item(format, &format->items[i], &c, us, (int)(offset / PS_US_SECOND), zone, out, err));
    return PS_OK;
}

/* ---- reading ---- */

/* What was found; a letter's value in `value`, whether it was there in `seen` (one bit per letter, by letter - 'A'). */
typedef struct found {
    int64_t value[64];
    uint64_t seen;
    int micro;
    bool has_zone, fixed;
    int offset_s;
    const ps_zone *zone;
} found;

static bool note(found *f, char letter, int64_t value)
{
    int i = letter - 'A';

    if (f->seen >> i & 1)
        return f->value[i] == value; /* said twice, it must be said alike */
    f->seen |= 1ull << i;
    f->value[i] = value;
    return true;
}

static bool has(const found *f, char letter)
{
    return f->seen >> (letter - 'A') & 1;
}

static int64_t get(const found *f, char letter, int64_t fallback)
{
    return has(f, letter) ? f->value[letter - 'A'] : fallback;
}

/* Java's NumberPrinterParser, strict: how many digits belong to this number. */
static const char *read_number(const item *it, const char *p, const char *end, found *f)
{
    const char *start = p, *digits;
    bool negative = false, positive = false, fixed = it->min == it->max;
    int64_t value = 0, most = it->max + it->reserved, n = 0;

    if (p < end && (*p == '-' || *p == '+')) {
        negative = *p == '-';
        positive = !negative;
        if (fixed || (positive && !it->exceeds_pad))
            return NULL;
        start = ++p;
    }
    while (n < most && start + n < end && psi_is_digit(start[n]))
        n++;
    if (it->reserved > 0)
        n = n - it->reserved > it->min ? n - it->reserved : it->min;
    if (n < it->min || n > it->max || end - start < n)
        return NULL;
    if (it->exceeds_pad && (positive ? n <= it->min : !negative && n > it->min))
        return NULL;
    for (digits = start; digits < start + n; digits++) {
        if (!psi_is_digit(*digits) || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *digits - '0', &value))
            return NULL;
    }
    if (it->letter == 'y' && it->count == 2)
        value += 2000;
    return note(f, it->letter == 'L' ? 'M' : it->letter, negative ? -value : value) ? start + n : NULL;
}

static const char *read_fraction(const item *it, const char *p, const char *end, found *f)
{
    int unit = 100000;

    if (end - p < it->count)
        return NULL;
    f->micro = 0;
    for (int i = 0; i < it->count; i++, unit /= 10) {
        if (!psi_is_digit(p[i]))
            return NULL;
        f->micro += (p[i] - '0') * unit;
    }
    return p + it->count;
}

static bool starts_with(const char *p, const char *end, const char *word, size_t n)
{
    return (size_t)(end - p) >= n && ps_slice_equal_nocase((ps_slice){p, n}, (ps_slice){word, n});
}

static const char *read_text(const item *it, const char *p, const char *end, found *f)
{
    if (it->letter == 'a') {
        bool pm = starts_with(p, end, "PM", 2);
        return (pm || starts_with(p, end, "AM", 2)) && note(f, 'a', pm) ? p + 2 : NULL;
    }
    if (it->letter == 'G') {
        const char *const names[2][2] = {{"BC", "Before Christ"}, {"AD", "Anno Domini"}};
        for (int era = 0; era < 2; era++) {
            const char *name = names[era][it->count == 4];
            if (starts_with(p, end, name, strlen(name)))
                return note(f, 'G', era) ? p + strlen(name) : NULL;
        }
        return NULL;
    }
    if (it->letter != 'M' && it->letter != 'L')
        return NULL;
    for (int i = 0; i < 12; i++) {
        const char *name = (it->count == 4 ? it->names->months : it->names->short_months)[i];
        if (starts_with(p, end, name, strlen(name)))
            return note(f, 'M', i + 1) ? p + strlen(name) : NULL;
    }
    return NULL;
}

static const char *set_offset(found *f, int offset_s, const char *p)
{
    f->has_zone = f->fixed = true;
    f->offset_s = offset_s;
    return p;
}

static const char *read_two(const char *p, const char *end, int most, int *out)
{
    if (!p || end - p < 2 || !psi_is_digit(p[0]) || !psi_is_digit(p[1]))
        return NULL;
    *out = (p[0] - '0') * 10 + p[1] - '0';
    return *out <= most ? p + 2 : NULL;
}

/* [:]mm or [:]ss when it is there; where it may be missing, what stands there instead is left. */
static const char *read_part(const char *p, const char *end, bool colon, bool needed, int *out)
{
    const char *q = p;

    if (q && colon)
        q = q < end && *q == ':' ? q + 1 : NULL;
    q = read_two(q, end, 59, out);
    return q || needed ? q : p;
}

static const char *read_offset(const item *it, const char *p, const char *end, found *f)
{
    bool z = it->letter == 'X' || (it->letter == 'Z' && it->count == 5);
    bool colons = it->letter == 'Z' ? it->count == 5 : it->count == 3 || it->count == 5;
    int hours = 0, minutes = 0, seconds = 0, sign;

    if (z && p < end && (*p == 'Z' || *p == 'z'))
        return set_offset(f, 0, p + 1);
    if (p == end || (*p != '+' && *p != '-'))
        return NULL;
    sign = *p++ == '-' ? -1 : 1;
    if (!(p = read_two(p, end, 18, &hours)) ||
        !(p = read_part(p, end, colons, it->count > 1 || it->letter == 'Z', &minutes)))
        return NULL;
    if (it->count > 3)
        p = read_part(p, end, colons, false, &seconds);
    return set_offset(f, sign * ((hours * 60 + minutes) * 60 + seconds), p);
}

static const char *read_local_offset(const item *it, const char *p, const char *end, found *f)
{
    int hours = 0, minutes = 0, sign;

    if (!starts_with(p, end, "GMT", 3))
        return NULL;
    p += 3;
    if (p == end || (*p != '+' && *p != '-'))
        return set_offset(f, 0, p);
    sign = *p++ == '-' ? -1 : 1;
    if (it->count == 4) {
        if (!(p = read_two(p, end, 18, &hours)) || !(p = read_part(p, end, true, true, &minutes)))
            return NULL;
    } else {
        if (p == end || !psi_is_digit(*p))
            return NULL;
        hours = *p++ - '0';
        if (p < end && psi_is_digit(*p))
            hours = hours * 10 + *p++ - '0';
        p = read_part(p, end, true, false, &minutes);
    }
    return hours <= 18 ? set_offset(f, sign * (hours * 60 + minutes) * 60, p) : NULL;
}

/* The longest zone id, or name when `names`, that stands here. */
static const char *read_zone(const char *p, const char *end, found *f)
{
    const char *q = p;

    while (q < end && (psi_is_alpha(*q) || psi_is_digit(*q) || strchr("/_+-:~", *q)) && q - p < 60)
        q++;
    for (; q > p; q--) {
        ps_slice name = {p, (size_t)(q - p)};
        int offset_s, n_prefix;
        if (psi_parse_fixed_zone(name, &offset_s, &n_prefix))
            return set_offset(f, offset_s, q);
        f->zone = psi_zone_look_up(name);
        if (f->zone) {
            f->has_zone = true;
            f->fixed = false;
            return q;
        }
    }
    return NULL;
}

static const char *read_item(const item *it, const char *p, const char *end, found *f)
{
    switch (it->kind) {
    case LITERAL:
        return p < end && starts_with(p, end, &it->letter, 1) ? p + 1 : NULL;
    case NUMBER: return read_number(it, p, end, f);
    case FRACTION: return read_fraction(it, p, end, f);
    case TEXT: return read_text(it, p, end, f);
    case OFFSET: return read_offset(it, p, end, f);
    case LOCAL_OFFSET: return read_local_offset(it, p, end, f);
    case ZONE_ID:
    case ZONE_NAME: return read_zone(p, end, f);
    default: return p;
    }
}

/* Items [i, to); a section that does not match is as if it had not been there. */
static const char *read_items(const ps_time_format *format, int i, int to, const char *p, const char *end, found *f)
{
    for (; i < to; i++) {
        const item *it = &format->items[i];
        if (it->kind == OPEN) {
            found before = *f;
            const char *q = read_items(format, i + 1, it->end, p, end, f);
            if (q)
                p = q;
            else
                *f = before;
            i = it->end;
        } else if (!(p = read_item(it, p, end, f))) {
            return NULL;
        }
    }
    return p;
}

static bool in(const found *f, char letter, int64_t least, int64_t most)
{
    int64_t value = get(f, letter, least);

    return value >= least && value <= most;
}

static bool resolve_hour(const found *f, int *hour)
{
    int pm = (int)get(f, 'a', 0);

    if (!in(f, 'H', 0, 23) || !in(f, 'k', 1, 24) || !in(f, 'h', 1, 12) || !in(f, 'K', 0, 11))
        return false;
    if (has(f, 'H'))
        *hour = (int)get(f, 'H', 0);
    else if (has(f, 'k'))
        *hour = (int)get(f, 'k', 24) % 24;
    else if (has(f, 'h') || has(f, 'K'))
        *hour = (int)(has(f, 'h') ? get(f, 'h', 12) % 12 : get(f, 'K', 0)) + 12 * pm;
    else
        *hour = 12 * pm;
    return !(has(f, 'a') && (has(f, 'H') || has(f, 'k')) && *hour / 12 != pm);
}

static bool resolve(const found *f, ps_civil *c)
{
    int64_t days;

    *c = (ps_civil){.year = get(f, 'y', 1970), .micro = f->micro};
    if (has(f, 'G')) {
        if (has(f, 'y') && c->year < 1)
            return false;
        c->year = get(f, 'G', 1) ? c->year : 1 - c->year;
    }
    if (c->year < -999999999 || c->year > 999999999 || !in(f, 'M', 1, 12) || !in(f, 'd', 1, 31) || !in(f, 'D', 1, 366) ||
        !in(f, 'm', 0, 59) || !in(f, 's', 0, 59) || !resolve_hour(f, &c->hour))
        return false;
    c->month = (int)get(f, 'M', 1);
    c->day = (int)get(f, 'd', 1);
    c->minute = (int)get(f, 'm', 0);
    c->second = (int)get(f, 's', 0);
    if (has(f, 'D')) {
        ps_civil by_day;
        days = ps_days_from_civil(c->year, 1, 1) + get(f, 'D', 1) - 1;
        ps_civil_from_days(days, &by_day);
        if (by_day.year != c->year || (has(f, 'M') && by_day.month != c->month) || (has(f, 'd') && by_day.day != c->day))
            return false;
        c->month = by_day.month;
        c->day = by_day.day;
    }
    return true;
}

bool ps_time_format_parse(const ps_time_format *format, ps_slice text, const ps_zone *zone, int64_t *out_us, bool *has_zone)
{
    const char *end = text.data + text.n_bytes;
    found f;
    ps_civil c;
    int64_t local_us;

    f.seen = 0;
    f.micro = 0;
    f.has_zone = f.fixed = false;
    if (read_items(format, 0, format->n, text.data, end, &f) != end || !resolve(&f, &c) || !psi_civil_to_us(&c, &local_us))
        return false;
    *has_zone = f.has_zone;
    if (f.fixed)
        return !__builtin_sub_overflow(local_us, f.offset_s * PS_US_SECOND, out_us);
    *out_us = ps_zone_to_utc(f.has_zone ? f.zone : zone, local_us);
    return true;
}
