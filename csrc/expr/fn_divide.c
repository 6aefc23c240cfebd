/* expr/fn_divide.c - / div % pmod, signs and bits. */
#include "base/int128.h"
#include "expr/fn_arith.h"
#include <math.h>

/* --- one row ------------------------------------------------------------------------------------------------------- */
static inline ps_status quotient_f64(psi_arith_mode mode, double x, double y, double *out, bool *null, ps_error *err)
{
    if (PS_UNLIKELY(y == 0))
        return psi_raise_zero(mode, false, null, err);
    *out = x / y;
    return PS_OK;
}

typedef struct scales {
    int left, right;
} scales;

static ps_status quotient_dec(const ps_fn_run *run, psi_arith_mode mode, scales s, __int128 x, __int128 y, __int128 *out, bool *null, ps_error *err)
{
    if (y == 0)
        return psi_raise_zero(mode, false, null, err);
    if (ps_decimal_divide(x, s.left, y, s.right, run->type->scale, out) && ps_int128_fits(*out, run->type->precision))
        return PS_OK;
    return psi_raise_decimal(run, mode, ps_int128_to_double(x, s.left) / ps_int128_to_double(y, s.right), null, err);
}

/* x % y takes the sign of x; pmod moves a negative one into [0, |y|). */
#define REMAINDER_INT(name, T)                                                                     \
    static inline ps_status name(psi_arith_mode mode, bool positive, T x, T y, T *out, bool *null, ps_error *err) \
    {                                                                                              \
        T r;                                                                                       \
        if (PS_UNLIKELY(y == 0))                                                                   \
            return psi_raise_zero(mode, true, null, err);                                          \
        r = y == -1 ? 0 : (T)(x % y);                                                              \
        *out = positive && r < 0 ? (T)((r + y) % y) : r;                                           \
        return PS_OK;                                                                              \
    }
REMAINDER_INT(remainder_i8, int8_t)
REMAINDER_INT(remainder_i16, int16_t)
REMAINDER_INT(remainder_i32, int32_t)
REMAINDER_INT(remainder_i64, int64_t)
#define REMAINDER_FLOAT(name, T, FMOD)                                                             \
    static inline ps_status name(psi_arith_mode mode, bool positive, T x, T y, T *out, bool *null, ps_error *err) \
    {                                                                                              \
        T r;                                                                                       \
        if (PS_UNLIKELY(y == 0))                                                                   \
            return psi_raise_zero(mode, true, null, err);                                          \
        r = FMOD(x, y);                                                                            \
        *out = positive && r < 0 ? FMOD(r + y, y) : r;                                             \
        return PS_OK;                                                                              \
    }
REMAINDER_FLOAT(remainder_f32, float, fmodf)
REMAINDER_FLOAT(remainder_f64, double, fmod)

/* Both at the greater scale; when that leaves 128 bits the quotient is what is representable, so it is asked first. */
static bool at_one_scale(scales s, __int128 *x, __int128 *y)
{
    int scale = s.left > s.right ? s.left : s.right;

    return ps_int128_rescale(*x, s.left, scale, x) && ps_int128_rescale(*y, s.right, scale, y);
}

static ps_status remainder_dec(const ps_fn_run *run, psi_arith_mode mode, bool positive, scales s, __int128 x, __int128 y,
                               __int128 *out, bool *null, ps_error *err)
{
    int scale = s.left > s.right ? s.left : s.right;
    __int128 r;

    if (y == 0)
        return psi_raise_zero(mode, true, null, err);
    if (!at_one_scale(s, &x, &y))
        return psi_raise_decimal(run, mode, ps_int128_to_double(x, s.left), null, err);
    r = x % y;
    if (positive && r < 0)
        r = (r + y) % y;
    if (!ps_int128_rescale(r, scale, run->type->scale, out) || !ps_int128_fits(*out, run->type->precision))
        return psi_raise_decimal(run, mode, ps_int128_to_double(r, scale), null, err);
    return PS_OK;
}

static ps_status div_i64(const ps_fn_run *run, psi_arith_mode mode, int64_t x, int64_t y, int64_t *out, bool *null, ps_error *err)
{
    if (PS_UNLIKELY(y == 0))
        return psi_raise_zero(mode, false, null, err);
    if (PS_UNLIKELY(y == -1 && x == INT64_MIN)) {
        *out = x;
        return mode == PSI_WRAP ? PS_OK : psi_raise_overflow(run, PSI_QUOTIENT, x, y, err);
    }
    *out = x / y;
    return PS_OK;
}

static ps_status div_dec(const ps_fn_run *run, psi_arith_mode mode, scales s, __int128 x, __int128 y, int64_t *out, bool *null, ps_error *err)
{
    __int128 q;

    if (y == 0)
        return psi_raise_zero(mode, false, null, err);
    if (!at_one_scale(s, &x, &y))
        return psi_raise_overflow(run, PSI_QUOTIENT, 0, 0, err);
    q = x / y;
    *out = (int64_t)q;
    if (q != *out && mode != PSI_WRAP)
        return psi_raise_overflow(run, PSI_QUOTIENT, 0, 0, err);
    return PS_OK;
}

/* --- kernels ----------------------------------------------------------------------------------------------------------- */
static scales scales_of(const ps_fn_run *run)
{
    return (scales){run->args[0]->type->scale, run->args[1]->type->scale};
}

static ps_status divide_mode(ps_fn_run *run, psi_arith_mode mode, ps_vec **out, ps_error *err)
{
    const scales s = scales_of(run);
    psi_loop loop;
    ps_status rc;

    PS_TRY(psi_loop_begin(run, 2, false, &loop, err));
    if (run->type->kind == PS_DECIMAL)
        PSI_PAIR_LOOP(__int128, __int128, quotient_dec(run, mode, s, x, y, o, &null, err))
    else
        PSI_PAIR_LOOP(double, double, quotient_f64(mode, x, y, o, &null, err))
    *out = loop.vec;
    return PS_OK;
fail:
    ps_vec_unref(loop.vec);
    return rc;
}

static ps_status remainder_mode(ps_fn_run *run, psi_arith_mode mode, bool positive, ps_vec **out, ps_error *err)
{
    const scales s = scales_of(run);
    psi_loop loop;
    ps_status rc;

    PS_TRY(psi_loop_begin(run, 2, false, &loop, err));
    switch (run->type->kind) {
    case PS_INT8:
        PSI_PAIR_LOOP(int8_t, int8_t, remainder_i8(mode, positive, x, y, o, &null, err))
        break;
    case PS_INT16:
        PSI_PAIR_LOOP(int16_t, int16_t, remainder_i16(mode, positive, x, y, o, &null, err))
        break;
    case PS_INT32:
        PSI_PAIR_LOOP(int32_t, int32_t, remainder_i32(mode, positive, x, y, o, &null, err))
        break;
    case PS_INT64:
        PSI_PAIR_LOOP(int64_t, int64_t, remainder_i64(mode, positive, x, y, o, &null, err))
        break;
    case PS_FLOAT:
        PSI_PAIR_LOOP(float, float, remainder_f32(mode, positive, x, y, o, &null, err))
        break;
    case PS_DOUBLE:
        PSI_PAIR_LOOP(double, double, remainder_f64(mode, positive, x, y, o, &null, err))
        break;
    default:
        PSI_PAIR_LOOP(__int128, __int128, remainder_dec(run, mode, positive, s, x, y, o, &null, err))
        break;
    }
    *out = loop.vec;
    return PS_OK;
fail:
    ps_vec_unref(loop.vec);
    return rc;
}

PSI_KERNEL(divide) { return divide_mode(run, psi_mode_of(run), result, err); }
PSI_KERNEL(try_divide) { return divide_mode(run, PSI_NULL, result, err); }
PSI_KERNEL(remainder) { return remainder_mode(run, psi_mode_of(run), false, result, err); }
PSI_KERNEL(try_mod) { return remainder_mode(run, PSI_NULL, false, result, err); }
PSI_KERNEL(pmod) { return remainder_mode(run, psi_mode_of(run), true, result, err); }

PSI_KERNEL(div)
{
    const psi_arith_mode mode = psi_mode_of(run);
    const scales s = scales_of(run);
    psi_loop loop;
    ps_status rc;

    PS_TRY(psi_loop_begin(run, 2, false, &loop, err));
    if (run->args[0]->type->kind == PS_DECIMAL)
        PSI_PAIR_LOOP(__int128, int64_t, div_dec(run, mode, s, x, y, o, &null, err))
    else if (run->args[0]->type->kind == PS_YEARMONTH)
        PSI_PAIR_LOOP(int32_t, int64_t, div_i64(run, mode, x, y, o, &null, err))
    else
        PSI_PAIR_LOOP(int64_t, int64_t, div_i64(run, mode, x, y, o, &null, err))
    *result = loop.vec;
    return PS_OK;
fail:
    ps_vec_unref(loop.vec);
    return rc;
}

/* --- signs and bits ------------------------------------------------------------------------------------------------------- */
#define NEGATE_INT(name, T, MIN)                                                                   \
    PS_KERNEL_1(name, T, T)                                                                        \
    {                                                                                              \
        if (PS_UNLIKELY(x == (MIN))) {                                                             \
            *out = x;                                                                              \
            return run->env->ansi ? raise_negative(run, err) : PS_OK;                          \
        }                                                                                          \
        *out = (T)-x;                                                                              \
        return PS_OK;                                                                              \
    }

static ps_status raise_negative(const ps_fn_run *run, ps_error *err)
{
    ps_kind kind = run->type->kind;

    if (kind == PS_DAYTIME || kind == PS_YEARMONTH)
        return ps_raise(err, PS_E_INTERVAL_OVERFLOW);
    return ps_raise(err, PS_E_ARITHMETIC_OVERFLOW,
                    kind == PS_INT64 ? "long overflow" : kind == PS_INT32 ? "integer overflow" : "- caused overflow", "");
}

NEGATE_INT(negate_i8, int8_t, INT8_MIN)
NEGATE_INT(negate_i16, int16_t, INT16_MIN)
NEGATE_INT(negate_i32, int32_t, INT32_MIN)
NEGATE_INT(negate_i64, int64_t, INT64_MIN)
PS_TOTAL_1(negate_f32, float, float) { *out = -x; }
PS_TOTAL_1(negate_f64, double, double) { *out = -x; }
PS_KERNEL_1(negate_dec, __int128, __int128)
{
    *out = -x;
    return PS_OK;
}
PS_KERNEL_1(negate_cal, ps_calendar, ps_calendar)
{
    if (x.months == INT32_MIN || x.days == INT32_MIN || x.micros == INT64_MIN)
        return ps_raise(err, PS_E_INTERVAL_OVERFLOW);
    *out = (ps_calendar){-x.months, -x.days, -x.micros};
    return PS_OK;
}

PSI_KERNEL(negative)
{
    switch (run->type->kind) {
    case PS_INT8:
        return psi_negate_i8(run, result, err);
    case PS_INT16:
        return psi_negate_i16(run, result, err);
    case PS_INT32:
    case PS_YEARMONTH:
        return psi_negate_i32(run, result, err);
    case PS_INT64:
    case PS_DAYTIME:
        return psi_negate_i64(run, result, err);
    case PS_FLOAT:
        return psi_negate_f32(run, result, err);
    case PS_DOUBLE:
        return psi_negate_f64(run, result, err);
    case PS_CALENDAR:
        return psi_negate_cal(run, result, err);
    default:
        return psi_negate_dec(run, result, err);
    }
}

#define BITS(name, EXPR)                                                                           \
    PS_TOTAL_2(name##_8, uint8_t, uint8_t, uint8_t) { *out = (uint8_t)(EXPR); }                    \
    PS_TOTAL_2(name##_16, uint16_t, uint16_t, uint16_t) { *out = (uint16_t)(EXPR); }               \
    PS_TOTAL_2(name##_32, uint32_t, uint32_t, uint32_t) { *out = EXPR; }                           \
    PS_TOTAL_2(name##_64, uint64_t, uint64_t, uint64_t) { *out = EXPR; }                           \
    PSI_KERNEL(name)                                                                               \
    {                                                                                              \
        switch (ps_type_width(run->type)) {                                                        \
        case 1:                                                                                    \
            return psi_##name##_8(run, result, err);                                               \
        case 2:                                                                                    \
            return psi_##name##_16(run, result, err);                                              \
        case 4:                                                                                    \
            return psi_##name##_32(run, result, err);                                              \
        default:                                                                                   \
            return psi_##name##_64(run, result, err);                                              \
        }                                                                                          \
    }
BITS(bitand, x & y)
BITS(bitor, x | y)
BITS(bitxor, x ^ y)

PS_TOTAL_1(bitnot_8, uint8_t, uint8_t) { *out = (uint8_t)~x; }
PS_TOTAL_1(bitnot_16, uint16_t, uint16_t) { *out = (uint16_t)~x; }
PS_TOTAL_1(bitnot_32, uint32_t, uint32_t) { *out = ~x; }
PS_TOTAL_1(bitnot_64, uint64_t, uint64_t) { *out = ~x; }
PSI_KERNEL(bitnot)
{
    switch (ps_type_width(run->type)) {
    case 1:
        return psi_bitnot_8(run, result, err);
    case 2:
        return psi_bitnot_16(run, result, err);
    case 4:
        return psi_bitnot_32(run, result, err);
    default:
        return psi_bitnot_64(run, result, err);
    }
}

/* As in Java the count is taken modulo the width. */
PS_TOTAL_2(shl_32, uint32_t, int32_t, uint32_t) { *out = x << (y & 31); }
PS_TOTAL_2(shl_64, uint64_t, int32_t, uint64_t) { *out = x << (y & 63); }
PS_TOTAL_2(shr_32, int32_t, int32_t, int32_t) { *out = x >> (y & 31); }
PS_TOTAL_2(shr_64, int64_t, int32_t, int64_t) { *out = x >> (y & 63); }
PS_TOTAL_2(shru_32, uint32_t, int32_t, uint32_t) { *out = x >> (y & 31); }
PS_TOTAL_2(shru_64, uint64_t, int32_t, uint64_t) { *out = x >> (y & 63); }
PSI_KERNEL(shiftleft) { return (run->type->kind == PS_INT32 ? psi_shl_32 : psi_shl_64)(run, result, err); }
PSI_KERNEL(shiftright) { return (run->type->kind == PS_INT32 ? psi_shr_32 : psi_shr_64)(run, result, err); }
PSI_KERNEL(shiftrightunsigned) { return (run->type->kind == PS_INT32 ? psi_shru_32 : psi_shru_64)(run, result, err); }
