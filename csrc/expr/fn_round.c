/*
 * expr/fn_round.c - round, bround, ceil, floor.
 *
 * A DOUBLE is rounded by its shortest decimal text, as BigDecimal.valueOf shows it: round(2.675, 2) is 2.68 though the
 * double lies below.  Nearly always plain arithmetic gives the same and is taken.
 */
#include "base/int128.h"
#include "col/text.h"
#include "expr/fn_args.h"
#include <math.h>

typedef enum rounding { HALF_UP, HALF_EVEN, UP_TO_CEILING, DOWN_TO_FLOOR } rounding;

/* x / unit, rounded; unit > 0. */
static ps_int128 divide_rounded(ps_int128 x, ps_int128 unit, rounding mode)
{
    ps_int128 quotient = x / unit, rest = x % unit;
    ps_uint128 twice = (ps_uint128)(rest < 0 ? -rest : rest) * 2; /* below 2 * 10^38 */
    bool away;

    if (rest == 0)
        return quotient;
    switch (mode) {
    case UP_TO_CEILING:
        return quotient + (rest > 0);
    case DOWN_TO_FLOOR:
        return quotient - (rest < 0);
    case HALF_UP:
        away = twice >= (ps_uint128)unit;
        break;
    default:
        away = twice > (ps_uint128)unit || (twice == (ps_uint128)unit && quotient % 2 != 0);
        break;
    }
    return away ? quotient + (x < 0 ? -1 : 1) : quotient;
}

/* A decimal of scale `from` rounded to `digits` places (negative: tens, hundreds), as one of scale max(digits, 0). */
static ps_status round_decimal(ps_int128 x, int from, int64_t digits, rounding mode, const ps_type *type, ps_int128 *out,
                               const ps_fn_run *run, bool *null, ps_error *err)
{
    int64_t drop = from - digits;
    ps_int128 value;
    char text[PS_NUMBER_TEXT];

    if (drop <= 0) {
        *out = x;
        return PS_OK;
    }
    if (drop > 38)
        value = mode == UP_TO_CEILING && x > 0 ? 1 : mode == DOWN_TO_FLOOR && x < 0 ? -1 : 0;
    else
        value = divide_rounded(x, ps_pow10_128[drop], mode);
    for (; digits < 0 && value != 0; digits++)
        if (__builtin_mul_overflow(value, (ps_int128)10, &value))
            break;
    *out = value;
    if (ps_int128_fits(value, type->precision) && (digits >= 0 || value == 0))
        return PS_OK;
    *null = true;
    if (!run->env->ansi)
        return PS_OK;
    return ps_raise(err, PS_E_DECIMAL_RANGE, ps_format_decimal(x, from, text), text, (int)type->precision, (int)type->scale);
}

/* --- doubles ------------------------------------------------------------------------------------------------------------ */
/* The digits of the shortest text as an integer below 10^18, and their scale. */
static void shortest_digits(double x, ps_int128 *value, int *scale)
{
    char text[PS_NUMBER_TEXT];
    int n = ps_format_double(x, text), exponent = 0, places = 0;
    bool fraction = false, negative = text[0] == '-';

    *value = 0;
    for (int i = negative; i < n; i++) {
        if (text[i] == '.') {
            fraction = true;
        } else if (text[i] == 'E') {
            bool below = text[++i] == '-';
            for (i += below; i < n; i++)
                exponent = exponent * 10 + (text[i] - '0');
            exponent = below ? -exponent : exponent;
        } else {
            *value = *value * 10 + (text[i] - '0');
            places += fraction;
        }
    }
    *value = negative ? -*value : *value;
    *scale = places - exponent;
}

static double round_text(double x, int64_t digits, rounding mode)
{
    ps_int128 value;
    char text[PS_NUMBER_TEXT + 24];
    int scale, n;
    double out;

    shortest_digits(x, &value, &scale);
    if (scale <= digits)
        return x;
    value = scale - digits > 38 ? 0 : divide_rounded(value, ps_pow10_128[scale - digits], mode);
    if (value == 0)
        return 0;
    n = ps_format_decimal(value, 0, text);
    text[n++] = 'E';
    n += ps_format_int64(-digits, text + n);
    return ps_parse_double((ps_slice){text, (size_t)n}, &out) ? out : x;
}

/* Exact while the scaled value and the power of ten are: then the quotient is the double next to the decimal. */
static double round_double(double x, int64_t digits, rounding mode)
{
    static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
    double scaled, whole, rest;

    if (x - x != 0)
        return x;
    if (digits >= 0 && digits < (int64_t)PS_COUNT_OF(powers)) {
        scaled = fabs(x) * powers[digits];
        whole = floor(scaled);
        rest = scaled - whole;
        if (scaled < 1e12 && (rest < 0.499 || rest > 0.501)) {
            double out = (whole + (rest > 0.5)) / powers[digits];
            return out == 0 ? 0 : copysign(out, x);
        }
    }
    return round_text(x, digits, mode);
}

/* --- round and bround ------------------------------------------------------------------------------------------------------ */
static ps_status round_integer(const ps_fn_run *run, int64_t x, int64_t digits, rounding mode, int64_t min, int64_t max, int64_t *out, ps_error *err)
{
    ps_int128 value = x;

    if (digits < 0)
        value = digits < -19 ? 0 : divide_rounded(x, ps_pow10_128[-digits], mode) * ps_pow10_128[-digits];
    *out = (int64_t)value;
    if ((value < min || value > max) && run->env->ansi)
        return ps_raise(err, PS_E_ARITHMETIC_OVERFLOW, "Overflow", "");
    return PS_OK;
}

#define ROUND_INT(name, mode, T, MIN, MAX)                                                         \
    PS_KERNEL_2(name, T, int32_t, T)                                                               \
    {                                                                                              \
        int64_t value;                                                                             \
        PS_TRY(round_integer(run, x, y, mode, MIN, MAX, &value, err));                             \
        *out = (T)value;                                                                           \
        return PS_OK;                                                                              \
    }
#define ROUND(name, mode)                                                                          \
    ROUND_INT(name##_i8, mode, int8_t, INT8_MIN, INT8_MAX)                                         \
    ROUND_INT(name##_i16, mode, int16_t, INT16_MIN, INT16_MAX)                                     \
    ROUND_INT(name##_i32, mode, int32_t, INT32_MIN, INT32_MAX)                                     \
    ROUND_INT(name##_i64, mode, int64_t, INT64_MIN, INT64_MAX)                                     \
    PS_KERNEL_2(name##_f32, float, int32_t, float)                                                 \
    {                                                                                              \
        *out = (float)round_double((double)x, y, mode);                                            \
        return PS_OK;                                                                              \
    }                                                                                              \
    PS_KERNEL_2(name##_f64, double, int32_t, double)                                               \
    {                                                                                              \
        *out = round_double(x, y, mode);                                                           \
        return PS_OK;                                                                              \
    }                                                                                              \
    PS_KERNEL_2(name##_decimal, ps_int128, int32_t, ps_int128)                                     \
    {                                                                                              \
        return round_decimal(x, run->args[0]->type->scale, y, mode, run->type, out, run, null, err); \
    }                                                                                              \
    ps_status psi_##name(ps_fn_run *run, ps_vec **out, ps_error *err);                             \
    ps_status psi_##name(ps_fn_run *run, ps_vec **out, ps_error *err)                              \
    {                                                                                              \
        static const ps_fn_kernel kernels[PS_KIND_COUNT] = {                                       \
            [PS_INT8] = psi_##name##_i8,   [PS_INT16] = psi_##name##_i16,  [PS_INT32] = psi_##name##_i32, \
            [PS_INT64] = psi_##name##_i64, [PS_FLOAT] = psi_##name##_f32,  [PS_DOUBLE] = psi_##name##_f64, \
            [PS_DECIMAL] = psi_##name##_decimal};                                                  \
        return kernels[run->args[0]->type->kind](run, out, err);                                   \
    }
ROUND(round, HALF_UP)
ROUND(bround, HALF_EVEN)

/* decimal(p, s) rounded to d places. */
static ps_status rounded_type(const ps_type *from, int64_t digits, const ps_type **out, ps_error *err)
{
    int64_t whole = from->precision - from->scale + 1, precision, scale = 0;

    if (digits < 0) {
        precision = whole > 1 - digits ? whole : 1 - digits;
    } else {
        scale = digits < from->scale ? digits : from->scale;
        precision = whole + scale;
    }
    return ps_type_decimal((int)(precision > 38 ? 38 : precision), (int)(scale > 38 ? 38 : scale), out, err);
}

ps_status psi_bind_round(ps_fn_call *call, ps_error *err);
ps_status psi_bind_round(ps_fn_call *call, ps_error *err)
{
    int64_t digits;
    bool is_null;

    PS_TRY(ps_fn_constant_int(call, 1, &digits, &is_null, err));
    if (call->args[0]->type->kind != PS_DECIMAL) {
        call->type = ps_type_ref(call->args[0]->type);
        return PS_OK;
    }
    call->nullable |= !call->ansi;
    return rounded_type(call->args[0]->type, is_null ? 0 : digits, &call->type, err);
}

/* --- ceil and floor ---------------------------------------------------------------------------------------------------------- */
#define TO_WHOLE(name, mode, FUNCTION)                                                             \
    PS_KERNEL_1(name##_f64, double, int64_t)                                                       \
    {                                                                                              \
        double whole = FUNCTION(x);                                                                \
        bool fits = whole >= -9223372036854775808.0 && whole < 9223372036854775808.0;              \
        *out = fits ? (int64_t)whole : whole > 0 ? INT64_MAX : whole < 0 ? INT64_MIN : 0;          \
        if (!fits && whole == whole && run->env->ansi)                                             \
            return ps_raise(err, PS_E_ARITHMETIC_OVERFLOW, "Overflow", "");                        \
        return PS_OK;                                                                              \
    }                                                                                              \
    PS_KERNEL_1(name##_decimal, ps_int128, ps_int128)                                              \
    {                                                                                              \
        return round_decimal(x, run->args[0]->type->scale, 0, mode, run->type, out, run, null, err); \
    }                                                                                              \
    PS_KERNEL_2(name##_scaled, ps_int128, int32_t, ps_int128)                                      \
    {                                                                                              \
        return round_decimal(x, run->args[0]->type->scale, y, mode, run->type, out, run, null, err); \
    }                                                                                              \
    ps_status psi_##name(ps_fn_run *run, ps_vec **out, ps_error *err);                             \
    ps_status psi_##name(ps_fn_run *run, ps_vec **out, ps_error *err)                              \
    {                                                                                              \
        if (run->n_args == 2)                                                                      \
            return psi_##name##_scaled(run, out, err);                                             \
        if (run->args[0]->type->kind == PS_INT64) {                                                \
            *out = ps_vec_ref(run->args[0]);                                                       \
            return PS_OK;                                                                          \
        }                                                                                          \
        return (run->args[0]->type->kind == PS_DECIMAL ? psi_##name##_decimal : psi_##name##_f64)(run, out, err); \
    }
TO_WHOLE(ceil, UP_TO_CEILING, ceil)
TO_WHOLE(floor, DOWN_TO_FLOOR, floor)

/* The DECIMAL that holds every value of a type, as casts for DECIMAL parameters use it. */
static ps_status decimal_for(const ps_type *type, const ps_type **out, ps_error *err)
{
    static const uint8_t digits[PS_KIND_COUNT][2] = {[PS_INT8] = {3, 0},   [PS_INT16] = {5, 0}, [PS_INT32] = {10, 0},
                                                     [PS_INT64] = {20, 0}, [PS_FLOAT] = {14, 7}, [PS_DOUBLE] = {30, 15}};

    return ps_type_decimal(digits[type->kind][0], digits[type->kind][1], out, err);
}

ps_status psi_bind_whole(ps_fn_call *call, ps_error *err);
ps_status psi_bind_whole(ps_fn_call *call, ps_error *err)
{
    ps_kind kind = call->args[0]->type->kind;
    const ps_type *decimal;
    int64_t digits = 0;
    bool is_null;
    ps_status rc;

    if (call->n_args == 1) {
        if (kind == PS_DECIMAL)
            return rounded_type(call->args[0]->type, 0, &call->type, err);
        call->type = ps_type_of(PS_INT64);
        return ps_fn_cast_arg(call, 0, ps_type_of(ps_kind_is_integer(kind) ? PS_INT64 : PS_DOUBLE), err);
    }
    PS_TRY(ps_fn_constant_int(call, 1, &digits, &is_null, err));
    if (kind != PS_DECIMAL) {
        PS_TRY(decimal_for(call->args[0]->type, &decimal, err));
        rc = ps_fn_cast_arg(call, 0, decimal, err);
        ps_type_unref(decimal);
        PS_TRY(rc);
    }
    return rounded_type(call->args[0]->type, digits, &call->type, err);
}

/* CEIL(x), but ceil(x, 1). */
ps_status psi_text_whole(const ps_fn_call *call, ps_bytes *out, ps_error *err);
ps_status psi_text_whole(const ps_fn_call *call, ps_bytes *out, ps_error *err)
{
    const char *first = call->args[0]->text ? call->args[0]->text : "";
    const char *name = call->name;

    if (call->n_args == 1 && strcmp(name, "ceiling") != 0)
        name = strcmp(name, "ceil") == 0 ? "CEIL" : "FLOOR";
    if (call->n_args == 1)
        return ps_bytes_printf(out, err, "%s(%s)", name, first);
    return ps_bytes_printf(out, err, "%s(%s, %s)", name, first, call->args[1]->text ? call->args[1]->text : "");
}
