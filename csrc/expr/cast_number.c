/*
 * expr/cast_number.c - casts between numbers and booleans.
 *
 * An overflow without ANSI wraps as Java's narrowing does, so every rule sets *out before it reports one.
 */
#include "base/int128.h"
#include "col/text.h"
#include "expr/cast_int.h"


/* --- integers, booleans and floats ----------------------------------------------------------------------- */
#define INT_TO_INT(from, X, to, OUT)                                                               \
    PS_KERNEL_1(cast_##from##_##to, X, OUT)                                                           \
    {                                                                                              \
        *out = (OUT)x;                                                                             \
        return PS_LIKELY((int64_t)*out == (int64_t)x) ? PS_OK : psi_cast_overflow_int(run, (int64_t)x, null, err); \
    }
/* FLOAT and DOUBLE, truncated: in range when the whole part is. */
#define FLOAT_TO_INT(from, X, to, OUT, MIN, MAX)                                                   \
    PS_KERNEL_1(cast_##from##_##to, X, OUT)                                                           \
    {                                                                                              \
        double value = (double)x;                                                                  \
        if (value > (double)(MIN)-1.0 && value < (double)(MAX) + 1.0) {                            \
            *out = (OUT)psi_double_to_int64(value);                                                \
            return PS_OK;                                                                          \
        }                                                                                          \
        *out = (OUT)psi_double_to_int32(value);                                                    \
        return psi_cast_overflow_double(run, value, null, err);                                    \
    }
/* BIGINT takes 2^63 itself as the largest value: the bound has no exact double below it. */
#define FLOAT_TO_LONG(from, X)                                                                     \
    PS_KERNEL_1(cast_##from##_INT64, X, int64_t)                                                    \
    {                                                                                              \
        double value = (double)x;                                                                  \
        *out = psi_double_to_int64(value);                                                         \
        return value >= -9223372036854775808.0 && value <= 9223372036854775808.0                   \
                   ? PS_OK                                                                         \
                   : psi_cast_overflow_double(run, value, null, err);                              \
    }
#define PLAIN(from, X, to, OUT, RESULT)                                                            \
    PS_KERNEL_1(cast_##from##_##to, X, OUT)                                                           \
    {                                                                                              \
        *out = (OUT)(RESULT);                                                                      \
        return PS_OK;                                                                              \
    }

INT_TO_INT(INT16, int16_t, INT8, int8_t)
INT_TO_INT(INT32, int32_t, INT8, int8_t)
INT_TO_INT(INT64, int64_t, INT8, int8_t)
INT_TO_INT(INT32, int32_t, INT16, int16_t)
INT_TO_INT(INT64, int64_t, INT16, int16_t)
INT_TO_INT(INT64, int64_t, INT32, int32_t)
PLAIN(INT8, int8_t, INT16, int16_t, x)
PLAIN(INT8, int8_t, INT32, int32_t, x)
PLAIN(INT16, int16_t, INT32, int32_t, x)
PLAIN(INT8, int8_t, INT64, int64_t, x)
PLAIN(INT16, int16_t, INT64, int64_t, x)
PLAIN(INT32, int32_t, INT64, int64_t, x)

FLOAT_TO_INT(FLOAT, float, INT8, int8_t, INT8_MIN, INT8_MAX)
FLOAT_TO_INT(FLOAT, float, INT16, int16_t, INT16_MIN, INT16_MAX)
FLOAT_TO_INT(FLOAT, float, INT32, int32_t, INT32_MIN, INT32_MAX)
FLOAT_TO_INT(DOUBLE, double, INT8, int8_t, INT8_MIN, INT8_MAX)
FLOAT_TO_INT(DOUBLE, double, INT16, int16_t, INT16_MIN, INT16_MAX)
FLOAT_TO_INT(DOUBLE, double, INT32, int32_t, INT32_MIN, INT32_MAX)
FLOAT_TO_LONG(FLOAT, float)
FLOAT_TO_LONG(DOUBLE, double)

PLAIN(INT8, int8_t, FLOAT, float, x)
PLAIN(INT16, int16_t, FLOAT, float, x)
PLAIN(INT32, int32_t, FLOAT, float, x)
PLAIN(INT64, int64_t, FLOAT, float, x)
PLAIN(DOUBLE, double, FLOAT, float, x)
PLAIN(INT8, int8_t, DOUBLE, double, x)
PLAIN(INT16, int16_t, DOUBLE, double, x)
PLAIN(INT32, int32_t, DOUBLE, double, x)
PLAIN(INT64, int64_t, DOUBLE, double, x)
PLAIN(FLOAT, float, DOUBLE, double, x)

PLAIN(INT8, int8_t, BOOL, uint8_t, x != 0)
PLAIN(INT16, int16_t, BOOL, uint8_t, x != 0)
PLAIN(INT32, int32_t, BOOL, uint8_t, x != 0)
PLAIN(INT64, int64_t, BOOL, uint8_t, x != 0)
PLAIN(FLOAT, float, BOOL, uint8_t, x != 0)
PLAIN(DOUBLE, double, BOOL, uint8_t, x != 0)
PLAIN(DECIMAL, ps_int128, BOOL, uint8_t, x != 0)
PLAIN(BOOL, uint8_t, INT8, int8_t, x)
PLAIN(BOOL, uint8_t, INT16, int16_t, x)
PLAIN(BOOL, uint8_t, INT32, int32_t, x)
PLAIN(BOOL, uint8_t, INT64, int64_t, x)
PLAIN(BOOL, uint8_t, FLOAT, float, x)
PLAIN(BOOL, uint8_t, DOUBLE, double, x)

/* --- decimals ------------------------------------------------------------------------------------------------ */
#define DECIMAL_TO_INT(to, OUT)                                                                    \
    PS_KERNEL_1(cast_DECIMAL_##to, ps_int128, OUT)                                                \
    {                                                                                              \
        ps_int128 whole = x / ps_pow10_128[psi_cast_of(run)->from->scale];                         \
        *out = (OUT)whole;                                                                         \
        return (ps_int128)*out == whole ? PS_OK : psi_cast_overflow_decimal(run, x, null, err);    \
    }
DECIMAL_TO_INT(INT8, int8_t)
DECIMAL_TO_INT(INT16, int16_t)
DECIMAL_TO_INT(INT32, int32_t)
DECIMAL_TO_INT(INT64, int64_t)
PLAIN(DECIMAL, ps_int128, DOUBLE, double, ps_int128_to_double(x, psi_cast_of(run)->from->scale))
PLAIN(DECIMAL, ps_int128, FLOAT, float, ps_int128_to_double(x, psi_cast_of(run)->from->scale))

PSI_ALWAYS ps_status to_decimal(const ps_fn_run *run, ps_int128 x, int scale, ps_int128 *out, bool *null, ps_error *err)
{
    char text[PS_NUMBER_TEXT];

    if (PS_LIKELY(ps_int128_rescale(x, scale, run->type->scale, out) && ps_int128_fits(*out, run->type->precision)))
        return PS_OK;
    return psi_cast_beyond_decimal(run, text, ps_format_decimal(x, scale, text), null, err);
}
#define TO_DECIMAL(from, X, SCALE)                                                                 \
    PS_KERNEL_1(cast_##from##_DECIMAL, X, ps_int128)                                                \
    {                                                                                              \
        return to_decimal(run, (ps_int128)x, SCALE, out, null, err);                               \
    }
TO_DECIMAL(BOOL, uint8_t, 0)
TO_DECIMAL(INT8, int8_t, 0)
TO_DECIMAL(INT16, int16_t, 0)
TO_DECIMAL(INT32, int32_t, 0)
TO_DECIMAL(INT64, int64_t, 0)
TO_DECIMAL(DECIMAL, ps_int128, psi_cast_of(run)->from->scale)

/* By its shortest text, as BigDecimal.valueOf; what is no number is NULL even in ANSI mode. */
static ps_status double_to_decimal(const ps_fn_run *run, double x, ps_int128 *out, bool *null, ps_error *err)
{
    char text[PS_NUMBER_TEXT];
    int n;

    *out = 0;
    if (x - x != 0) {
        *null = true;
        return PS_OK;
    }
    n = ps_format_double(x, text);
    if (ps_parse_decimal((ps_slice){text, (size_t)n}, run->type->precision, run->type->scale, out))
        return PS_OK;
    return psi_cast_beyond_decimal(run, text, n, null, err);
}
PS_KERNEL_1(cast_DOUBLE_DECIMAL, double, ps_int128) { return double_to_decimal(run, x, out, null, err); }
PS_KERNEL_1(cast_FLOAT_DECIMAL, float, ps_int128) { return double_to_decimal(run, (double)x, out, null, err); }

/* --- the table --------------------------------------------------------------------------------------------------- */
#define N(from, to) [PS_##from][PS_##to] = psi_cast_##from##_##to
static const ps_fn_kernel kernels[PS_DECIMAL + 1][PS_DECIMAL + 1] = {
    N(BOOL, INT8), N(BOOL, INT16), N(BOOL, INT32), N(BOOL, INT64), N(BOOL, FLOAT), N(BOOL, DOUBLE), N(BOOL, DECIMAL),
    N(INT8, BOOL), N(INT8, INT16), N(INT8, INT32), N(INT8, INT64), N(INT8, FLOAT), N(INT8, DOUBLE), N(INT8, DECIMAL),
    N(INT16, BOOL), N(INT16, INT8), N(INT16, INT32), N(INT16, INT64), N(INT16, FLOAT), N(INT16, DOUBLE), N(INT16, DECIMAL),
    N(INT32, BOOL), N(INT32, INT8), N(INT32, INT16), N(INT32, INT64), N(INT32, FLOAT), N(INT32, DOUBLE), N(INT32, DECIMAL),
    N(INT64, BOOL), N(INT64, INT8), N(INT64, INT16), N(INT64, INT32), N(INT64, FLOAT), N(INT64, DOUBLE), N(INT64, DECIMAL),
    N(FLOAT, BOOL), N(FLOAT, INT8), N(FLOAT, INT16), N(FLOAT, INT32), N(FLOAT, INT64), N(FLOAT, DOUBLE), N(FLOAT, DECIMAL),
    N(DOUBLE, BOOL), N(DOUBLE, INT8), N(DOUBLE, INT16), N(DOUBLE, INT32), N(DOUBLE, INT64), N(DOUBLE, FLOAT), N(DOUBLE, DECIMAL),
    N(DECIMAL, BOOL), N(DECIMAL, INT8), N(DECIMAL, INT16), N(DECIMAL, INT32), N(DECIMAL, INT64), N(DECIMAL, FLOAT),
    N(DECIMAL, DOUBLE), N(DECIMAL, DECIMAL),
};

ps_fn_kernel psi_cast_number_kernel(ps_kind from, ps_kind to)
{
    return from <= PS_DECIMAL && to <= PS_DECIMAL ? kernels[from][to] : NULL;
}
