/* expr/fn_time_make.c - dates, timestamps and intervals from their parts. */
#include "base/int128.h"
#include "expr/fn_args.h"
#include "expr/fn_int.h"
#include "expr/fn_time.h"

static bool is_try(const ps_fn_run *run) { return strncmp(run->node->fn->name, "try_", 4) == 0; }

/* A part out of bounds: an error in ANSI mode, else NULL. */
static ps_status out_of_bounds(const ps_fn_run *run, const char *field, const char *range, int64_t value, bool *null, ps_error *err)
{
    *null = true;
    if (!run->env->ansi || is_try(run))
        return PS_OK;
    return ps_raise(err, PS_E_DATETIME_FIELD, field, range, (long long)value);
}

static ps_status make_days(const ps_fn_run *run, int64_t year, int64_t month, int64_t day, int64_t *out, bool *null, ps_error *err)
{
    *out = 0;
    if (year < -999999 || year > 999999)
        return out_of_bounds(run, "Year", "-999999999 - 999999999", year, null, err);
    if (month < 1 || month > 12)
        return out_of_bounds(run, "MonthOfYear", "1 - 12", month, null, err);
    if (day < 1 || day > ps_days_in_month(year, (int)month))
        return out_of_bounds(run, "DayOfMonth", "1 - 28/31", day, null, err);
    *out = ps_days_from_civil(year, (int)month, (int)day);
    return PS_OK;
}

PS_KERNEL_3(make_date, int32_t, int32_t, int32_t, int32_t)
{
    int64_t days;

    PS_TRY(make_days(run, x, y, z, &days, null, err));
    *out = (int32_t)days;
    return PS_OK;
}

/* --- timestamps: year, month, day, hour, minute, second as DECIMAL(16, 6), and a zone or none ------------------------------- */
static ps_status make_local(const ps_fn_run *run, const ps_view *views, int64_t i, int64_t *out, bool *null, ps_error *err)
{
    int64_t hour = PSI_AT(int32_t, &views[3], i), minute = PSI_AT(int32_t, &views[4], i);
    int64_t us = (int64_t)PSI_AT(ps_int128, &views[5], i), days;

    PS_TRY(make_days(run, PSI_AT(int32_t, &views[0], i), PSI_AT(int32_t, &views[1], i), PSI_AT(int32_t, &views[2], i), &days, null, err));
    if (*null)
        return PS_OK;
    if (hour < 0 || hour > 23)
        return out_of_bounds(run, "HourOfDay", "0 - 23", hour, null, err);
    if (minute < 0 || minute > 59)
        return out_of_bounds(run, "MinuteOfHour", "0 - 59", minute, null, err);
    if (us < 0 || us > 60 * PS_US_SECOND) /* 60 itself is the next minute */
        return out_of_bounds(run, "SecondOfMinute", "0 - 59", us / PS_US_SECOND, null, err);
    *out = days * PS_US_DAY + (hour * 60 + minute) * 60 * PS_US_SECOND + us;
    return PS_OK;
}

static ps_status zone_at(const ps_fn_run *run, const ps_view *views, int64_t i, const ps_zone **out, ps_error *err)
{
    *out = run->type->kind == PS_TIMESTAMP_NTZ ? ps_zone_utc() : run->env->zone;
    return run->n_args < 7 ? PS_OK : psi_zone_named(psi_text_at(&views[6], i), out, err);
}

static ps_status make_row(const ps_fn_run *run, const ps_view *views, int64_t i, ps_vec *vec, ps_error *err)
{
    const ps_zone *zone;
    int64_t local = 0;
    bool null = psi_any_null(views, run->n_args, i);

    if (!null) {
        PS_TRY(make_local(run, views, i, &local, &null, err));
        PS_TRY(zone_at(run, views, i, &zone, err));
        ((int64_t *)vec->data)[i] = ps_zone_to_utc(zone, local);
    }
    if (null)
        ps_bit_clear(vec->valid, i);
    return PS_OK;
}

ps_status psi_make_timestamp(ps_fn_run *run, ps_vec **out, ps_error *err);
ps_status psi_make_timestamp(ps_fn_run *run, ps_vec **out, ps_error *err)
{
    ps_view *views;
    ps_vec *vec = NULL;
    ps_status rc;

    PS_TRY(psi_arg_views(run, &views, err));
    PS_TRY_OR(fail, ps_vec_new(run->type, run->rows->n_rows, true, &vec, err));
    PS_EACH_ROW(run->rows, i)
        PS_TRY_OR(fail, make_row(run, views, i, vec, err));
    ps_free(views);
    *out = vec;
    return PS_OK;
fail:
    ps_free(views);
    ps_vec_unref(vec);
    return rc;
}

/* Seconds of any number become DECIMAL(16, 6). */
static ps_status seconds_arg(ps_fn_call *call, int arg, ps_error *err)
{
    const ps_type *seconds;
    ps_status rc;

    if (arg >= call->n_args)
        return PS_OK;
    PS_TRY(ps_type_decimal(16, 6, &seconds, err));
    rc = ps_fn_cast_arg(call, arg, seconds, err);
    ps_type_unref(seconds);
    return rc;
}

ps_status psi_bind_make_timestamp(ps_fn_call *call, ps_error *err);
ps_status psi_bind_make_timestamp(ps_fn_call *call, ps_error *err)
{
    call->nullable |= !call->ansi;
    return seconds_arg(call, 5, err);
}

/* --- intervals ------------------------------------------------------------------------------------------------------------------ */
PS_KERNEL_2(make_ym_interval, int32_t, int32_t, int32_t)
{
    int64_t months = (int64_t)x * 12 + y;

    *out = (int32_t)months;
    return *out == months ? PS_OK : ps_raise(err, PS_E_INTERVAL_OVERFLOW);
}

/* The seconds that were left out are shown as the DECIMAL that they are. */
static ps_status name_default(ps_bound *seconds, ps_error *err)
{
    char *text;

    PS_TRY(ps_strdup("0.000000", &text, err));
    ps_free(seconds->text);
    seconds->text = text;
    return PS_OK;
}

/* make_dt_interval(days, hours, minutes, seconds) and make_interval(years, months, weeks, days, hours, minutes, seconds):
 * what is left out is zero. */
static ps_status add_zeros(ps_fn_call *call, int n, ps_error *err)
{
    bool has_seconds = call->n_args == n;

    while (call->n_args < n)
        PS_TRY(ps_fn_add_int(call, 0, err));
    PS_TRY(seconds_arg(call, n - 1, err));
    return has_seconds ? PS_OK : name_default(call->args[n - 1], err);
}
ps_status psi_bind_make_dt_interval(ps_fn_call *call, ps_error *err);
ps_status psi_bind_make_dt_interval(ps_fn_call *call, ps_error *err) { return add_zeros(call, 4, err); }
ps_status psi_bind_make_interval(ps_fn_call *call, ps_error *err);
ps_status psi_bind_make_interval(ps_fn_call *call, ps_error *err) { return add_zeros(call, 7, err); }

static bool micros_of(const ps_view *days_on, int64_t i, bool with_days, int64_t *out)
{
    const ps_view *v = days_on;
    int64_t days = PSI_AT(int32_t, &v[0], i), hours = PSI_AT(int32_t, &v[1], i), minutes = PSI_AT(int32_t, &v[2], i);
    ps_int128 us = PSI_AT(ps_int128, &v[3], i);

    us += (ps_int128)(hours * 60 + minutes) * 60 * PS_US_SECOND + (with_days ? (ps_int128)days * PS_US_DAY : 0);
    *out = (int64_t)us;
    return *out == us;
}

static ps_status interval_row(const ps_fn_run *run, const ps_view *views, int64_t i, ps_builder *b, ps_error *err)
{
    ps_calendar calendar;

    if (run->type->kind == PS_DAYTIME) {
        int64_t us;
        return micros_of(views, i, true, &us) ? ps_build_int(b, us, err) : ps_raise(err, PS_E_INTERVAL_OVERFLOW);
    }
    int64_t months = (int64_t)PSI_AT(int32_t, &views[0], i) * 12 + PSI_AT(int32_t, &views[1], i);
    int64_t days = (int64_t)PSI_AT(int32_t, &views[2], i) * 7 + PSI_AT(int32_t, &views[3], i);
    calendar.months = (int32_t)months;
    calendar.days = (int32_t)days;
    if (micros_of(views + 3, i, false, &calendar.micros) && calendar.months == months && calendar.days == days)
        return ps_build_calendar(b, calendar, err);
    return run->env->ansi && !is_try(run) ? ps_raise(err, PS_E_INTERVAL_OVERFLOW) : ps_build_null(b, err);
}

PSI_KERNEL(make_interval) { return psi_kernel_values(run, run->n_args, interval_row, result, err); }
