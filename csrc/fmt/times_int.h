/*
 * fmt/times_int.h - dates, timestamps and intervals as JSON and CSV text, by the options of sources-sinks.md C.3.
 */
#ifndef PS_FMT_TIMES_INT_H
#define PS_FMT_TIMES_INT_H
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
/* The same for a column of texts, most of them of the day of the one before.  Zeroed by {0}. */
typedef struct psi_last_day { char text[10]; int64_t us; } psi_last_day;
bool psi_times_timestamp_near(const psi_times *times, ps_slice text, psi_last_day *last, int64_t *out);
bool psi_times_ntz(const psi_times *times, ps_slice text, int64_t *out);
/* DAYTIME or YEARMONTH text: "1 02:03:04", "INTERVAL '1-2' YEAR TO MONTH"; exactly the fields of the type. */
bool psi_times_interval(const ps_type *type, ps_slice text, int64_t *out);

ps_status psi_times_write_date(const psi_times *times, int32_t days, ps_bytes *out, ps_error *err);
ps_status psi_times_write_timestamp(const psi_times *times, int64_t us, ps_bytes *out, ps_error *err);
ps_status psi_times_write_ntz(const psi_times *times, int64_t us, ps_bytes *out, ps_error *err);
#endif
