/*
 * col/time_int.h - what the files of dates, zones, patterns and intervals share.
 */
#ifndef PS_COL_TIME_INT_H
#define PS_COL_TIME_INT_H
#include "col/text_int.h"
#include "col/time.h"

/* "+hh:mm" and its kin (h, hh, hhmm, hh:mm:ss, hhmmss), at most 18 hours. */
bool psi_parse_offset(ps_slice text, int *out_s);
int psi_format_offset(int offset_s, char *out); /* +hh:mm[:ss]; returns the length */
/* Z, an offset, or UTC, GMT, UT with one or without; *n_prefix is the length of those words. */
bool psi_parse_fixed_zone(ps_slice text, int *out_s, int *n_prefix);
/* NULL when there is none; no error is raised. */
const ps_zone *psi_zone_look_up(ps_slice name);
const char *psi_zone_abbreviation(const ps_zone *zone, int64_t utc_us);

/* Day, month and so on checked and put together; false when there is no such time or 64 bits do not hold it. */
bool psi_civil_to_us(const ps_civil *civil, int64_t *out_us);

/* Names of months and days, long and short; days from Sunday on. */
typedef struct psi_time_names {
    const char *language;
    const char *months[12], *short_months[12], *days[7], *short_days[7];
} psi_time_names;
const psi_time_names *psi_time_names_of(const char *locale); /* "fr-FR"; English for languages that are not known */
#endif
