/* expr/fn_interval.c - moments and intervals: adding, differences, scaling. */
#include "col/time.h"
#include "expr/fn_arith.h"
#include <math.h>
#include <stdlib.h>

/* Integral days are added on the calendar of the zone, the rest as exact microseconds: a day keeps the wall clock over a
 * change of summer time (api-sql.md 2.7). */
static ps_status shift_moment(int64_t us, const ps_zone *zone, int64_t months, int64_t days, int64_t micros, int64_t *out, ps_error *err)
{
    if (months != 0 || days != 0) {
        int64_t local = us + ps_zone_offset_us(zone, us), day = ps_floor_div(local, PS_US_DAY), time = local - day * PS_US_DAY;
        if (months != 0)
            day = ps_add_months_days(day, months);
        if (__builtin_add_overflow(day, days, &day) || __builtin_mul_overflow(day, PS_US_DAY, &local) ||
            __builtin_add_overflow(local, time, &local))
            return ps_raise(err, PS_E_ARITHMETIC_OVERFLOW, "long overflow", "");
        us = ps_zone_to_utc(zone, local);
    }
    if (__builtin_add_overflow(us, micros, out))
        return ps_raise(err, PS_E_ARITHMETIC_OVERFLOW, "long overflow", "");
    return PS_OK;
}

static const ps_zone *zone_of(const ps_fn_run *run)
{
    return run->type->kind == PS_TIMESTAMP ? run->env->zone : ps_zone_utc();
}

static inline int64_t sign_of(const ps_fn_run *run)
{
    return run->node->fn->name[4] == '-' ? -1 : 1;
}

PS_KERNEL_2(moment_daytime, int64_t, int64_t, int64_t)
{
    int64_t sign = sign_of(run);

    return shift_moment(x, zone_of(run), 0, sign * (y / PS_US_DAY), sign * (y % PS_US_DAY), out, err);
}
PS_KERNEL_2(moment_months, int64_t, int32_t, int64_t)
{
    return shift_moment(x, zone_of(run), sign_of(run) * y, 0, 0, out, err);
}
PS_KERNEL_2(moment_calendar, int64_t, ps_calendar, int64_t)
{
    int64_t sign = sign_of(run);

    if (y.micros == INT64_MIN)
        return ps_raise(err, PS_E_ARITHMETIC_OVERFLOW, "long overflow", "");
    return shift_moment(x, zone_of(run), sign * y.months, sign * y.days, sign * y.micros, out, err);
}
PS_KERNEL_2(date_months, int32_t, int32_t, int32_t)
{
    *out = (int32_t)ps_add_months_days(x, sign_of(run) * y);
    return PS_OK;
}

PSI_KERNEL(moment_shift)
{
    if (run->type->kind == PS_DATE)
        return psi_date_months(run, result, err);
    switch (run->args[1]->type->kind) {
    case PS_DAYTIME:
        return psi_moment_daytime(run, result, err);
    case PS_YEARMONTH:
        return psi_moment_months(run, result, err);
    default:
        return psi_moment_calendar(run, result, err);
    }
}

/* Between local times of the session zone. */
PS_KERNEL_2(moment_difference, int64_t, int64_t, int64_t)
{
    const ps_zone *zone = run->args[0]->type->kind == PS_TIMESTAMP ? run->env->zone : ps_zone_utc();

    if (__builtin_sub_overflow(x + ps_zone_offset_us(zone, x), y + ps_zone_offset_us(zone, y), out))
        return ps_raise(err, PS_E_INTERVAL_OVERFLOW);
    return PS_OK;
}
PS_KERNEL_2(date_difference, int32_t, int32_t, int64_t)
{
    if (__builtin_mul_overflow((int64_t)x - y, PS_US_DAY, out))
        return ps_raise(err, PS_E_INTERVAL_OVERFLOW);
    return PS_OK;
}
PS_KERNEL_1(interval_days, int64_t, int32_t)
{
    *out = (int32_t)(x / PS_US_DAY);
    return PS_OK;
}

/* --- scaling ----------------------------------------------------------------------------------------------------------- */
static ps_status half_up(double value, double limit, int64_t *out, ps_error *err)
{
    double rounded = value < 0 ? -floor(-value + 0.5) : floor(value + 0.5);

    if (!(rounded < limit && rounded >= -limit))
        return ps_raise(err, PS_E_INTERVAL_OVERFLOW);
    *out = (int64_t)rounded;
    return PS_OK;
}

static ps_status times(const ps_fn_run *run, int64_t x, int64_t y, int64_t *out, ps_error *err)
{
    if (__builtin_mul_overflow(x, y, out) || (run->type->kind == PS_YEARMONTH && *out != (int32_t)*out))
        return ps_raise(err, PS_E_INTERVAL_OVERFLOW);
    return PS_OK;
}

static ps_status over(int64_t x, int64_t y, int64_t *out, ps_error *err)
{
    int64_t q, r;

    if (y == 0)
        return ps_raise(err, PS_E_INTERVAL_DIVIDED_BY_ZERO);
    if (y == -1) {
        *out = (int64_t)(0 - (uint64_t)x);
        return x == INT64_MIN ? ps_raise(err, PS_E_INTERVAL_OVERFLOW) : PS_OK;
    }
    q = x / y;
    r = x % y;
    if (r != 0 && (uint64_t)llabs(r) >= ((uint64_t)llabs(y) + 1) / 2)
        q += (x < 0) == (y < 0) ? 1 : -1;
    *out = q;
    return PS_OK;
}

static ps_status over_double(double x, double y, double limit, int64_t *out, ps_error *err)
{
    return y == 0 ? ps_raise(err, PS_E_INTERVAL_DIVIDED_BY_ZERO) : half_up(x / y, limit, out, err);
}

PS_KERNEL_2(us_times_i64, int64_t, int64_t, int64_t) { return times(run, x, y, out, err); }
PS_KERNEL_2(us_times_f64, int64_t, double, int64_t) { return half_up((double)x * y, 0x1p63, out, err); }
PS_KERNEL_2(us_over_i64, int64_t, int64_t, int64_t) { return over(x, y, out, err); }
PS_KERNEL_2(us_over_f64, int64_t, double, int64_t) { return over_double((double)x, y, 0x1p63, out, err); }

#define MONTHS(name, Y, EXPR)                                                                      \
    PS_KERNEL_2(name, int32_t, Y, int32_t)                                                         \
    {                                                                                              \
        int64_t wide = 0;                                                                          \
        PS_TRY(EXPR);                                                                              \
        if (wide != (int32_t)wide)                                                                 \
            return ps_raise(err, PS_E_INTERVAL_OVERFLOW);                                          \
        *out = (int32_t)wide;                                                                      \
        return PS_OK;                                                                              \
    }
MONTHS(months_times_i64, int64_t, times(run, x, y, &wide, err))
MONTHS(months_times_f64, double, half_up(x * y, 0x1p31, &wide, err))
MONTHS(months_over_i64, int64_t, over(x, y, &wide, err))
MONTHS(months_over_f64, double, over_double(x, y, 0x1p31, &wide, err))

PSI_KERNEL(interval_times)
{
    bool whole = run->args[1]->type->kind == PS_INT64;

    if (run->type->kind == PS_YEARMONTH)
        return (whole ? psi_months_times_i64 : psi_months_times_f64)(run, result, err);
    return (whole ? psi_us_times_i64 : psi_us_times_f64)(run, result, err);
}

PSI_KERNEL(interval_over)
{
    bool whole = run->args[1]->type->kind == PS_INT64;

    if (run->type->kind == PS_YEARMONTH)
        return (whole ? psi_months_over_i64 : psi_months_over_f64)(run, result, err);
    return (whole ? psi_us_over_i64 : psi_us_over_f64)(run, result, err);
}
