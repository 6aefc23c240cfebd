/*
 * fmt/times_int.h - dates, timestamps and intervals as JSON and CSV text, by the options of sources-sinks.md C.3.
 */
#ifndef PS_FMT_TIMES_INT_H
#define PS_FMT_TIMES_INT_H
#include "fmt/digits_int.h"
#include "fmt/format.h"

typedef struct psi_times {
    const ps_zone *zone;
    bool utc;
    ps_time_format *date, *timestamp, *ntz; /* NULL: the default form */
    bool no_date, no_timestamp, no_ntz;     /* the pattern is none: no text matches */
    bool date_fallback, timestamp_fallback; /* the lenient forms are tried after the pattern */
    bool days;                              /* the text of an integer is a date: days since the epoch (JSON) */
} psi_times;

/* `family` is "json" or "csv": the conf of the fallback is spark.sql.<family>.enableDateTimeParsingFallback. */
ps_status psi_times_init(psi_times *times, const ps_format_args *args, const char *family, bool reading, ps_error *err);
void psi_fmt_times_clear(psi_times *times);

bool psi_times_date(const psi_times *times, ps_slice text, int32_t *out);
bool psi_times_timestamp(const psi_times *times, ps_slice text, int64_t *out);

/* The minute that a text named last: most texts of a column name the one of their neighbour.  Zeroed by {0}. */
typedef struct psi_last_minute {
    char text[16];      /* yyyy-MM-dd HH:mm, or with a T */
    int64_t local, utc; /* microseconds, as the zone reads it and with a Z behind */
} psi_last_minute;
/* Makes `last` the minute of the text at s, which goes on with its seconds; false for what only the full parser can tell. */
bool psi_times_minute(const psi_times *times, const char *s, psi_last_minute *last);

/* The common layout yyyy-MM-dd HH:mm:ss[.f{1,6}][Z] (or T between) at s, with 32 readable bytes: behind it; NULL for every
 * other text.  It is *minute and psi_eight() of *digits.  The caller looks at what follows, and has asked psi_times_plain(). */
static inline bool psi_times_plain(const psi_times *times) { return !times->no_timestamp && !times->timestamp; }
static inline const char *psi_times_take(const psi_times *times, const char *s, psi_last_minute *last, uint64_t *digits,
                                         int64_t *minute)
{
    uint64_t now[2], before[2], fraction = 0;
    uint16_t second;

    memcpy(now, s, sizeof now);
    memcpy(before, last->text, sizeof before);
    if (PS_UNLIKELY(((now[0] ^ before[0]) | (now[1] ^ before[1])) != 0 && !psi_times_minute(times, s, last)))
        return NULL;
    memcpy(&second, s + 17, sizeof second);
    second ^= 0x3030;
    if (PS_UNLIKELY(s[16] != ':' || (((second + 0x767a) | second) & 0x8080) != 0)) /* above 5, above 9 */
        return NULL;
    s += 19;
    if (*s == '.') {
        uint64_t x = psi_load_digits(s + 1), other = psi_no_digit(x) | 0x80ull << 56;
        int n = psi_bits_before(other);

        if (PS_UNLIKELY(n < 8 || n > 48))
            return NULL;
        fraction = x & (((uint64_t)1 << n) - 1);
        s += 1 + (n >> 3);
    }
    *digits = fraction << 16 | second;
    *minute = last->local;
    if (*s == 'Z') {
        *minute = last->utc;
        s++;
    }
    return s;
}
bool psi_times_ntz(const psi_times *times, ps_slice text, int64_t *out);
/* DAYTIME or YEARMONTH text: "1 02:03:04", "INTERVAL '1-2' YEAR TO MONTH"; exactly the fields of the type. */
bool psi_times_interval(const ps_type *type, ps_slice text, int64_t *out);

ps_status psi_times_write_date(const psi_times *times, int32_t days, ps_bytes *out, ps_error *err);
ps_status psi_times_write_timestamp(const psi_times *times, int64_t us, ps_bytes *out, ps_error *err);
ps_status psi_times_write_ntz(const psi_times *times, int64_t us, ps_bytes *out, ps_error *err);
#endif
