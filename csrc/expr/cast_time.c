/*
 * expr/cast_time.c - casts among dates, timestamps and intervals, and between them and numbers.
 *
 * A number is seconds since the epoch beside a TIMESTAMP, and the last unit of an interval beside an interval.
 */
#include "base/int128.h"
#include "col/text.h"
#include "expr/cast_int.h"
#include "expr/fn_time.h"

/* --- dates and timestamps ---------------------------------------------------------------------------------------- */
/* A DATE reaches further than a TIMESTAMP: 292,000 years either way. */
static ps_status midnight(int32_t days, int64_t *out, ps_error *err)
{
    const int64_t limit = INT64_MAX / PS_US_DAY - 1;

    *out = 0;
    if (PS_UNLIKELY(days > limit || days < -limit))
        return ps_raise(err, PS_E_ARITHMETIC_OVERFLOW, "long overflow", "");
    *out = (int64_t)days * PS_US_DAY;
    return PS_OK;
}

PS_KERNEL_1(cast_DATE_TIMESTAMP, int32_t, int64_t)
{
    PS_TRY(midnight(x, out, err));
    *out = ps_zone_to_utc(run->env->zone, *out);
    return PS_OK;
}

PS_KERNEL_1(cast_DATE_TIMESTAMP_NTZ, int32_t, int64_t) { return midnight(x, out, err); }

PS_KERNEL_1(cast_TIMESTAMP_DATE, int64_t, int32_t)
{
    *out = (int32_t)ps_floor_div(psi_local_us(run->env->zone, x), PS_US_DAY);
    return PS_OK;
}

PS_KERNEL_1(cast_TIMESTAMP_NTZ_DATE, int64_t, int32_t)
{
    *out = (int32_t)ps_floor_div(x, PS_US_DAY);
    return PS_OK;
}

PS_KERNEL_1(cast_TIMESTAMP_TIMESTAMP_NTZ, int64_t, int64_t)
{
    *out = psi_local_us(run->env->zone, x);
    return PS_OK;
}

PS_KERNEL_1(cast_TIMESTAMP_NTZ_TIMESTAMP, int64_t, int64_t)
{
    *out = ps_zone_to_utc(run->env->zone, x);
    return PS_OK;
}

/* --- numbers to timestamps ------------------------------------------------------------------------------------------ */
#define SECONDS_TO_TIMESTAMP(from, X)                                                              \
    PS_KERNEL_1(cast_##from##_TIMESTAMP, X, int64_t)                                               \
    {                                                                                              \
        if (__builtin_mul_overflow((int64_t)x, PS_US_SECOND, out)) /* as java's TimeUnit */        \
            *out = x < 0 ? INT64_MIN : INT64_MAX;                                                  \
        return PS_OK;                                                                              \
    }
SECONDS_TO_TIMESTAMP(INT8, int8_t)
SECONDS_TO_TIMESTAMP(INT16, int16_t)
SECONDS_TO_TIMESTAMP(INT32, int32_t)
SECONDS_TO_TIMESTAMP(INT64, int64_t)

static ps_status double_to_timestamp(const ps_fn_run *run, double x, int64_t *out, bool *null, ps_error *err)
{
    double us = x * 1e6;

    *out = psi_double_to_int64(us);
    if (x - x != 0) {
        if (psi_cast_of(run)->mode != PS_CAST_LEGACY)
            return psi_cast_malformed_double(run, x, null, err);
        *null = true;
        return PS_OK;
    }
    if (us >= 9223372036854775808.0 || us < -9223372036854775808.0)
        return psi_cast_overflow_double(run, us, null, err);
    return PS_OK;
}
PS_KERNEL_1(cast_DOUBLE_TIMESTAMP, double, int64_t) { return double_to_timestamp(run, x, out, null, err); }
PS_KERNEL_1(cast_FLOAT_TIMESTAMP, float, int64_t) { return double_to_timestamp(run, (double)x, out, null, err); }

PS_KERNEL_1(cast_DECIMAL_TIMESTAMP, ps_int128, int64_t)
{
    int scale = psi_cast_of(run)->from->scale;

    if (scale >= 6)
        *out = (int64_t)(x / ps_pow10_128[scale - 6]);
    else
        *out = (int64_t)((ps_uint128)x * (ps_uint128)ps_pow10_128[6 - scale]);
    return PS_OK;
}

PS_KERNEL_1(cast_BOOL_TIMESTAMP, uint8_t, int64_t)
{
    *out = x;
    return PS_OK;
}

/* --- timestamps to numbers --------------------------------------------------------------------------------------------- */
#define TIMESTAMP_TO_INT(to, OUT)                                                                  \
    PS_KERNEL_1(cast_TIMESTAMP_##to, int64_t, OUT)                                                 \
    {                                                                                              \
        int64_t seconds = ps_floor_div(x, PS_US_SECOND);                                           \
        *out = (OUT)seconds;                                                                       \
        return *out == seconds ? PS_OK : psi_cast_overflow_int(run, x, null, err);                 \
    }
TIMESTAMP_TO_INT(INT8, int8_t)
TIMESTAMP_TO_INT(INT16, int16_t)
TIMESTAMP_TO_INT(INT32, int32_t)
TIMESTAMP_TO_INT(INT64, int64_t)

PS_KERNEL_1(cast_TIMESTAMP_DOUBLE, int64_t, double)
{
    *out = (double)x / 1e6;
    return PS_OK;
}

PS_KERNEL_1(cast_TIMESTAMP_FLOAT, int64_t, float)
{
    *out = (float)((double)x / 1e6);
    return PS_OK;
}

PS_KERNEL_1(cast_TIMESTAMP_DECIMAL, int64_t, ps_int128)
{
    char text[PS_NUMBER_TEXT];

    if (ps_int128_rescale(x, 6, run->type->scale, out) && ps_int128_fits(*out, run->type->precision))
        return PS_OK;
    return psi_cast_beyond_decimal(run, text, ps_format_decimal(x, 6, text), null, err);
}

/* Casts that only exist without ANSI, and know no value. */
static ps_status cast_to_null(ps_fn_run *run, ps_vec **result, ps_error *err)
{
    return ps_vec_null(run->type, run->rows->n_rows, result, err);
}

PS_KERNEL_1(cast_TIMESTAMP_BOOL, int64_t, uint8_t)
{
    *out = x != 0;
    return PS_OK;
}

/* --- intervals ---------------------------------------------------------------------------------------------------------- */
static const int64_t unit_us[] = {PS_US_DAY, 3600 * PS_US_SECOND, 60 * PS_US_SECOND, PS_US_SECOND};

PS_KERNEL_1(cast_DAYTIME_DAYTIME, int64_t, int64_t)
{
    *out = run->type->unit_to == 3 ? x : x - x % unit_us[run->type->unit_to];
    return PS_OK;
}

PS_KERNEL_1(cast_YEARMONTH_YEARMONTH, int32_t, int32_t)
{
    *out = run->type->unit_to == 1 ? x : x - x % 12;
    return PS_OK;
}

#define INTERVAL_TO_INT(to, OUT)                                                                   \
    PS_KERNEL_1(cast_DAYTIME_##to, int64_t, OUT)                                                   \
    {                                                                                              \
        int64_t count = x / unit_us[psi_cast_of(run)->from->unit_to];                              \
        *out = (OUT)count;                                                                         \
        return *out == count ? PS_OK : psi_cast_overflow_int(run, x, null, err);                   \
    }                                                                                              \
    PS_KERNEL_1(cast_YEARMONTH_##to, int32_t, OUT)                                                 \
    {                                                                                              \
        int32_t count = psi_cast_of(run)->from->unit_to == 0 ? x / 12 : x;                         \
        *out = (OUT)count;                                                                         \
        return *out == count ? PS_OK : psi_cast_overflow_int(run, x, null, err);                   \
    }
INTERVAL_TO_INT(INT8, int8_t)
INTERVAL_TO_INT(INT16, int16_t)
INTERVAL_TO_INT(INT32, int32_t)
INTERVAL_TO_INT(INT64, int64_t)

static ps_status count_to_decimal(const ps_fn_run *run, ps_int128 count, int scale, ps_int128 *out, bool *null, ps_error *err)
{
    char text[PS_NUMBER_TEXT];

    if (ps_int128_rescale(count, scale, run->type->scale, out) && ps_int128_fits(*out, run->type->precision))
        return PS_OK;
    return psi_cast_beyond_decimal(run, text, ps_format_decimal(count, scale, text), null, err);
}

PS_KERNEL_1(cast_DAYTIME_DECIMAL, int64_t, ps_int128)
{
    int unit = psi_cast_of(run)->from->unit_to;

    return unit == 3 ? count_to_decimal(run, x, 6, out, null, err) : count_to_decimal(run, x / unit_us[unit], 0, out, null, err);
}

PS_KERNEL_1(cast_YEARMONTH_DECIMAL, int32_t, ps_int128)
{
    return count_to_decimal(run, psi_cast_of(run)->from->unit_to == 0 ? x / 12 : x, 0, out, null, err);
}

#define INT_TO_INTERVAL(from, X)                                                                   \
    PS_KERNEL_1(cast_##from##_DAYTIME, X, int64_t)                                                 \
    {                                                                                              \
        return __builtin_mul_overflow((int64_t)x, unit_us[run->type->unit_to], out)                \
                   ? psi_cast_overflow_int(run, (int64_t)x, null, err)                             \
                   : PS_OK;                                                                        \
    }                                                                                              \
    PS_KERNEL_1(cast_##from##_YEARMONTH, X, int32_t)                                               \
    {                                                                                              \
        return __builtin_mul_overflow((int64_t)x, run->type->unit_to == 0 ? 12 : 1, out)           \
                   ? psi_cast_overflow_int(run, (int64_t)x, null, err)                             \
                   : PS_OK;                                                                        \
    }
INT_TO_INTERVAL(INT8, int8_t)
INT_TO_INTERVAL(INT16, int16_t)
INT_TO_INTERVAL(INT32, int32_t)
INT_TO_INTERVAL(INT64, int64_t)

PS_KERNEL_1(cast_DECIMAL_DAYTIME, ps_int128, int64_t)
{
    ps_int128 us;

    if (!ps_decimal_multiply(x, psi_cast_of(run)->from->scale, unit_us[run->type->unit_to], 0, 0, &us) || (int64_t)us != us)
        return psi_cast_overflow_decimal(run, x, null, err);
    *out = (int64_t)us;
    return PS_OK;
}

PS_KERNEL_1(cast_DECIMAL_YEARMONTH, ps_int128, int32_t)
{
    ps_int128 months;

    if (!ps_decimal_multiply(x, psi_cast_of(run)->from->scale, run->type->unit_to == 0 ? 12 : 1, 0, 0, &months) ||
        (int32_t)months != months)
        return psi_cast_overflow_decimal(run, x, null, err);
    *out = (int32_t)months;
    return PS_OK;
}

/* --- the table --------------------------------------------------------------------------------------------------------------- */
#define N(from, to) [PS_##from][PS_##to] = psi_cast_##from##_##to
static const ps_fn_kernel kernels[PS_CALENDAR][PS_CALENDAR] = {
    N(DATE, TIMESTAMP), N(DATE, TIMESTAMP_NTZ), N(TIMESTAMP, DATE), N(TIMESTAMP_NTZ, DATE), N(TIMESTAMP, TIMESTAMP_NTZ),
    N(TIMESTAMP_NTZ, TIMESTAMP), N(INT8, TIMESTAMP), N(INT16, TIMESTAMP), N(INT32, TIMESTAMP), N(INT64, TIMESTAMP),
    N(DOUBLE, TIMESTAMP), N(FLOAT, TIMESTAMP), N(DECIMAL, TIMESTAMP), N(BOOL, TIMESTAMP), N(TIMESTAMP, INT8),
    N(TIMESTAMP, INT16), N(TIMESTAMP, INT32), N(TIMESTAMP, INT64), N(TIMESTAMP, DOUBLE), N(TIMESTAMP, FLOAT),
    N(TIMESTAMP, DECIMAL), N(TIMESTAMP, BOOL), N(DAYTIME, DAYTIME), N(YEARMONTH, YEARMONTH), N(DAYTIME, INT8),
    N(DAYTIME, INT16), N(DAYTIME, INT32), N(DAYTIME, INT64), N(DAYTIME, DECIMAL), N(YEARMONTH, INT8), N(YEARMONTH, INT16),
    N(YEARMONTH, INT32), N(YEARMONTH, INT64), N(YEARMONTH, DECIMAL), N(INT8, DAYTIME), N(INT16, DAYTIME), N(INT32, DAYTIME),
    N(INT64, DAYTIME), N(DECIMAL, DAYTIME), N(INT8, YEARMONTH), N(INT16, YEARMONTH), N(INT32, YEARMONTH),
    N(INT64, YEARMONTH), N(DECIMAL, YEARMONTH),
};

ps_fn_kernel psi_cast_time_kernel(ps_kind from, ps_kind to)
{
    if (from == PS_DATE && (ps_kind_is_numeric(to) || to == PS_BOOL))
        return cast_to_null;
    return from < PS_CALENDAR && to < PS_CALENDAR ? kernels[from][to] : NULL;
}
