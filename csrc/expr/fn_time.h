/*
 * expr/fn_time.h - what the files of time functions share: units and fields.
 */
#ifndef PS_EXPR_FN_TIME_H
#define PS_EXPR_FN_TIME_H
#include "col/time.h"

#define PSI_PATTERN_BYTES 40 /* the scratch of functions with a pattern */

/* The clock of a zone at an instant; wraps, as Java does, at the ends of the range. */
static inline int64_t psi_local_us(const ps_zone *zone, int64_t us)
{
    return (int64_t)((uint64_t)us + (uint64_t)ps_zone_offset_us(zone, us));
}

/* The zone of an argument; INVALID_TIMEZONE. */
ps_status psi_zone_named(ps_slice name, const ps_zone **out, ps_error *err);

/* From the longest to the shortest. */
typedef enum psi_unit {
    PSI_NO_UNIT, PSI_YEAR, PSI_QUARTER, PSI_MONTH, PSI_WEEK, PSI_DAY,
    PSI_HOUR, PSI_MINUTE, PSI_SECOND, PSI_MILLISECOND, PSI_MICROSECOND
} psi_unit;
psi_unit psi_unit_of(ps_slice word); /* as trunc and date_trunc name them, in any case */

typedef enum psi_field {
    PSI_F_YEAR, PSI_F_YEAROFWEEK, PSI_F_QUARTER, PSI_F_MONTH, PSI_F_WEEK, PSI_F_DAY, PSI_F_DAYOFYEAR, PSI_F_DAYOFWEEK,
    PSI_F_WEEKDAY, PSI_F_ISO_WEEKDAY, PSI_F_HOUR, PSI_F_MINUTE, PSI_F_SECOND
} psi_field;
int32_t psi_date_field(int64_t days, psi_field field); /* those before HOUR */
int psi_iso_weekday(int64_t days);                     /* 1 Monday .. 7 Sunday */
#endif
