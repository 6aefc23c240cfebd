/*
 * col/time.h - dates, timestamps, zones and intervals: arithmetic and text.
 *
 * Timestamps are microseconds since 1970-01-01T00:00:00Z in the proleptic Gregorian calendar.
 */
#ifndef PS_COL_TIME_H
#define PS_COL_TIME_H
#include "col/vec.h"

#define PS_US_SECOND 1000000ll
#define PS_US_DAY 86400000000ll

typedef struct ps_civil { int64_t year; int month, day, hour, minute, second, micro; } ps_civil;
int64_t ps_days_from_civil(int64_t year, int month, int day);
void ps_civil_from_days(int64_t days, ps_civil *out); /* date fields only */
void ps_civil_from_us(int64_t local_us, ps_civil *out);
int ps_days_in_month(int64_t year, int month);
int64_t ps_add_months_days(int64_t days, int64_t months);
static inline int64_t ps_floor_div(int64_t a, int64_t b) { int64_t q = a / b; return q - ((a % b != 0) & ((a < 0) != (b < 0))); }

/* Zones live for the process.  Names: "UTC", "Europe/Berlin", "+02:00", "GMT+1", "Z", "EST".. as java.time.ZoneId.of. */
typedef struct ps_zone ps_zone;
const ps_zone *ps_zone_utc(void);
/* Region names are read from the TZif files of the system. */
ps_status ps_zone_find(const char *name, const ps_zone **out, ps_error *err); /* INVALID_CONF_VALUE.TIME_ZONE */
int64_t ps_zone_offset_us(const ps_zone *zone, int64_t utc_us);         /* local - UTC at an instant */
int64_t ps_zone_to_utc(const ps_zone *zone, int64_t local_us);          /* gaps move on, overlaps take the earlier offset */
const char *ps_zone_name(const ps_zone *zone);

/* Spark's stringToTimestamp / stringToDate: "2024", "2024-1-2", "2024-01-02T03:04:05.123+01:00", "T10:00" ...; blanks trimmed.
 * False when the text is none. `has_zone` tells whether the text named one (NTZ refuses or ignores it by cast rules). */
bool ps_parse_timestamp(ps_slice text, const ps_zone *zone, int64_t *out_us, bool *has_zone);
bool ps_parse_timestamp_ntz(ps_slice text, bool allow_zone, int64_t *out_us);
bool ps_parse_date(ps_slice text, int32_t *out_days);
/* "2024-01-02 03:04:05.12": fraction without trailing zeros, years beyond 9999 with '+'; writes <= 40 bytes, returns the length. */
int ps_format_timestamp(int64_t us, const ps_zone *zone, char *out);
int ps_format_timestamp_ntz(int64_t us, char *out);
int ps_format_date(int32_t days, char *out);
int ps_format_iso_ms(int64_t ms, char *out); /* 2024-01-02T03:04:05.123Z, for progress */

/* "now", "today", "yesterday", "tomorrow", "epoch", with or without a zone behind: what typed literals and casts of
 * constant text know beside dates. */
bool ps_parse_time_word(ps_slice text, const ps_zone *zone, int64_t now_us, int64_t *out_us);

/* Java date-time patterns (yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX] ...), compiled once; a parser refuses E, F, q and Q too. */
typedef struct ps_time_format ps_time_format;
ps_status ps_time_format_new_parser(const char *pattern, ps_time_format **out, ps_error *err);
ps_status ps_time_format_new(const char *pattern, ps_time_format **out, ps_error *err); /* INCONSISTENT_BEHAVIOR_CROSS_VERSION / INVALID_DATETIME_PATTERN */
void ps_time_format_set_locale(ps_time_format *format, const char *locale); /* the language of names: "fr-FR"; English at first */
void ps_time_format_free(ps_time_format *format);
bool ps_time_format_parse(const ps_time_format *format, ps_slice text, const ps_zone *zone, int64_t *out_us, bool *has_zone);
ps_status ps_time_format_print(const ps_time_format *format, int64_t us, const ps_zone *zone, ps_bytes *out, ps_error *err);

/* Interval text, as watermark delays and window lengths are given: "1 day 2 hours", "-5 minutes", "interval '3' day",
 * "interval '1 2:3:4' day to second" -> months, days, microseconds.  False when it cannot be read. */
bool ps_parse_interval(ps_slice text, ps_calendar *out);
/* The same without quotes, which Spark's stringToInterval() reads, and what is wrong with it. */
typedef enum ps_interval_fault {
    PS_INTERVAL_FINE,
    PS_INTERVAL_NUMBER,    /* no number where one should begin */
    PS_INTERVAL_VALUE,     /* a number goes on as none */
    PS_INTERVAL_PRECISION, /* more than nine digits behind the point */
    PS_INTERVAL_NO_UNIT,   /* the text ends behind a number */
    PS_INTERVAL_UNIT,      /* no unit, or more of the word behind it */
    PS_INTERVAL_FRACTION,  /* of another unit than seconds */
    PS_INTERVAL_RANGE
} ps_interval_fault;
ps_interval_fault ps_parse_units(ps_slice text, ps_calendar *out);
/* The text of an ANSI interval by the fields of `type`: "1 02:03:04.5" or the whole "INTERVAL '1 02:03:04.5' DAY TO
 * SECOND" -> microseconds, or months. */
bool ps_parse_interval_fields(ps_slice text, const ps_type *type, int64_t *out);
/* INTERVAL '1 02:03:04.5' DAY TO SECOND, as cast to string; by the units of `type`. */
ps_status ps_format_interval(const ps_type *type, int64_t value, ps_bytes *out, ps_error *err);
ps_status ps_format_calendar(ps_calendar value, ps_bytes *out, ps_error *err); /* 1 years 2 months 3.5 seconds */
#endif
