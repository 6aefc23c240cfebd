/*
 * col/text.h - numbers and whole values as text, and back.
 *
 * Parsing never looks at the locale.  Doubles are read exactly (Eisel-Lemire with a slow path) and printed
 * as Java's Double.toString does ("1.0E10", "NaN", "Infinity").
 */
#ifndef PS_COL_TEXT_H
#define PS_COL_TEXT_H
#include "col/batch.h"
#include "col/time.h"

bool ps_parse_int64(ps_slice text, int64_t *out);            /* [+-]digits, no blanks, in range */
bool ps_parse_double(ps_slice text, double *out);            /* decimal and exponent, no blanks; not NaN/Infinity/suffixes */
bool ps_parse_double_java(ps_slice text, double *out);       /* blanks around, "NaN", "Infinity", "inf", "1d", as CAST(string AS DOUBLE) */
bool ps_parse_float_java(ps_slice text, float *out);
/* Blanks around are skipped. Rounds half up to `scale`; false when no number or beyond the precision. */
bool ps_parse_decimal(ps_slice text, int precision, int scale, __int128 *out);

#define PS_NUMBER_TEXT 48
int ps_format_int64(int64_t value, char *out);   /* each returns the length; out has PS_NUMBER_TEXT bytes */
int ps_format_double(double value, char *out);
int ps_format_float(float value, char *out);
int ps_format_decimal(__int128 unscaled, int scale, char *out); /* plain digits, as BigDecimal.toPlainString (CAST to string) */

/* A value as CAST(x AS STRING) gives it: "[1, 2]", "{a, 1}", "{k -> v}"; NULL inside a nested value is "null" (and
 * "NULL" in df.show()), top-level NULL is for the caller. */
ps_status ps_text_of_value(const ps_vec *vec, int64_t row, const ps_zone *zone, ps_bytes *out, ps_error *err);

/* df.show(): the first `n` live rows of batch under these names, as spec I.1 lays it out, footer included when `more`
 * rows exist.  truncate 0 = off; `vertical` prints a record per row. */
typedef struct ps_show {
    const char *const *names;
    const ps_batch *batch;
    int64_t n;
    int truncate;
    bool vertical, more;
    const ps_zone *zone;
} ps_show;
ps_status ps_text_table(const ps_show *show, ps_bytes *out, ps_error *err);
#endif
