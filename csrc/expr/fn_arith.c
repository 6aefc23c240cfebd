/*
 * expr/fn_arith.c - + - * of numbers; what overflows.
 *
 * Whole numbers are computed for every row at once, NULLs and rows that are not live included, while one flag gathers
 * overflows: the loop vectorises.  Only when the flag is set are the rows looked at one by one, which tells a real
 * overflow from one under a NULL.
 */
#include "expr/fn_arith.h"
#include "base/int128.h"
#include "col/text.h"

psi_arith_mode psi_mode_of(const ps_fn_run *run)
{
    return run->env->ansi ? PSI_RAISE : PSI_WRAP;
}

/* --- failing values ---------------------------------------------------------------------------------------------- */
ps_status psi_raise_overflow(const ps_fn_run *run, psi_arith_op op, int64_t x, int64_t y, ps_error *err)
{
    static const char *const try_names[] = {"try_add", "try_subtract", "try_multiply", "try_mod", "try_mod", "try_divide"};
    static const char *const symbols[] = {"+", "-", "*", "%", "pmod", "div"};
    char hint[80];

    if (run->type->kind == PS_INT8 || run->type->kind == PS_INT16) {
        const char *suffix = run->type->kind == PS_INT8 ? "" : "S";
        return ps_raise(err, PS_E_BINARY_OVERFLOW, (int)x, suffix, symbols[op], (int)y, suffix, try_names[op]);
    }
    if (run->type->kind == PS_DAYTIME || run->type->kind == PS_YEARMONTH)
        return ps_raise(err, PS_E_INTERVAL_OVERFLOW_TRY, try_names[op]);
    snprintf(hint, sizeof hint, " Use '%s' to tolerate overflow and return NULL instead.", try_names[op]);
    return ps_raise(err, PS_E_ARITHMETIC_OVERFLOW, run->type->kind == PS_INT32 ? "integer overflow" : "long overflow", hint);
}

ps_status psi_raise_zero(psi_arith_mode mode, bool remainder, bool *null, ps_error *err)
{
    if (mode == PSI_RAISE)
        return ps_raise(err, remainder ? PS_E_REMAINDER_BY_ZERO : PS_E_DIVIDE_BY_ZERO);
    *null = true;
    return PS_OK;
}

/* --- whole numbers ---------------------------------------------------------------------------------------------------- */
/* One pass over all rows; X and Y are what a row computes with, BAD is negative where the result overflowed. */
#define FAST_PASS(T, X, Y, EXPR, BAD)                                                              \
    for (int64_t i = 0; i < n; i++) {                                                              \
        T x = X, y = Y, r = (T)(EXPR);                                                             \
        o[i] = r;                                                                                  \
        bad |= (T)(BAD);                                                                           \
    }

/* A pass for columns, and one each for a constant on the right and on the left. */
#define INT_OP(name, T, OP, EXPR, BAD, BUILTIN)                                                    \
    static bool name##_fast(const psi_loop *loop, bool left, bool right, int64_t n)                \
    {                                                                                              \
        const T *restrict a = loop->views[0].data, *restrict b = loop->views[1].data;              \
        const T first = a[0], second = b[0];                                                       \
        T *restrict o = loop->vec->data;                                                           \
        T bad = 0;                                                                                 \
        if (right)                                                                                 \
            FAST_PASS(T, a[i], second, EXPR, BAD)                                                  \
        else if (left)                                                                             \
            FAST_PASS(T, first, b[i], EXPR, BAD)                                                   \
        else                                                                                       \
            FAST_PASS(T, a[i], b[i], EXPR, BAD)                                                    \
        return bad >= 0;                                                                           \
    }                                                                                              \
    static inline ps_status name##_row(const ps_fn_run *run, psi_arith_mode mode, T x, T y, T *out, bool *null, ps_error *err) \
    {                                                                                              \
        if (!BUILTIN(x, y, out) || mode == PSI_WRAP)                                               \
            return PS_OK;                                                                          \
        *null = true;                                                                              \
        return mode == PSI_NULL ? PS_OK : psi_raise_overflow(run, OP, x, y, err);                  \
    }                                                                                              \
    static ps_status name(ps_fn_run *run, psi_arith_mode mode, ps_vec **out, ps_error *err)        \
    {                                                                                              \
        psi_loop loop;                                                                             \
        ps_status rc;                                                                              \
        PS_TRY(psi_loop_begin(run, 2, false, &loop, err));                                         \
        if (!loop.plain || (!name##_fast(&loop, run->args[0]->shape == PS_CONST,                   \
                                         run->args[1]->shape == PS_CONST, run->rows->n_rows) &&    \
                            mode != PSI_WRAP))                                                     \
            PSI_PAIR_LOOP(T, T, name##_row(run, mode, x, y, o, &null, err))                        \
        *out = loop.vec;                                                                           \
        return PS_OK;                                                                              \
    fail:                                                                                          \
        ps_vec_unref(loop.vec);                                                                    \
        return rc;                                                                                 \
    }

#define ADD_OP(name, T, U) INT_OP(name, T, PSI_ADD, (U)x + (U)y, (x ^ r) & (y ^ r), __builtin_add_overflow)
ADD_OP(add_i8, int8_t, uint8_t)
ADD_OP(add_i16, int16_t, uint16_t)
ADD_OP(add_i32, int32_t, uint32_t)
ADD_OP(add_i64, int64_t, uint64_t)
#define SUB_OP(name, T, U) INT_OP(name, T, PSI_SUBTRACT, (U)x - (U)y, (x ^ y) & (x ^ r), __builtin_sub_overflow)
SUB_OP(sub_i8, int8_t, uint8_t)
SUB_OP(sub_i16, int16_t, uint16_t)
SUB_OP(sub_i32, int32_t, uint32_t)
SUB_OP(sub_i64, int64_t, uint64_t)
/* The product in the next wider type tells. */
#define MUL_OP(name, T, WIDE) INT_OP(name, T, PSI_MULTIPLY, (WIDE)x * (WIDE)y, (T)-((WIDE)x * (WIDE)y != (WIDE)r), __builtin_mul_overflow)
MUL_OP(mul_i8, int8_t, int32_t)
MUL_OP(mul_i16, int16_t, int32_t)
MUL_OP(mul_i32, int32_t, int64_t)
MUL_OP(mul_i64, int64_t, __int128)

/* --- fractions ----------------------------------------------------------------------------------------------------------- */
#define FLOAT_OPS(T, suffix)                                                                       \
    PS_TOTAL_2(add_##suffix, T, T, T) { *out = x + y; }                                            \
    PS_TOTAL_2(sub_##suffix, T, T, T) { *out = x - y; }                                            \
    PS_TOTAL_2(mul_##suffix, T, T, T) { *out = x * y; }
FLOAT_OPS(float, f32)
FLOAT_OPS(double, f64)

/* --- decimals -------------------------------------------------------------------------------------------------------------- */
/* The value is shown as a fraction of double precision: the exact one has more digits than a decimal. */
ps_status psi_raise_decimal(const ps_fn_run *run, psi_arith_mode mode, double value, bool *null, ps_error *err)
{
    char text[PS_NUMBER_TEXT];
    int n;

    *null = true;
    if (mode != PSI_RAISE)
        return PS_OK;
    n = ps_format_double(value, text);
    return ps_raise(err, PS_E_DECIMAL_RANGE, n, text, (int)run->type->precision, (int)run->type->scale);
}

typedef struct decimal_op {
    psi_arith_op op;
    int left, right; /* scales */
} decimal_op;

static ps_status decimal_row(const ps_fn_run *run, psi_arith_mode mode, const decimal_op *op, __int128 x, __int128 y,
                             __int128 *out, bool *null, ps_error *err)
{
    int scale = run->type->scale;
    double left, right;
    bool fits;

    if (op->op == PSI_MULTIPLY)
        fits = ps_decimal_multiply(x, op->left, y, op->right, scale, out);
    else
        fits = ps_decimal_add(x, op->left, y, op->right, scale, op->op == PSI_SUBTRACT, out);
    if (PS_LIKELY(fits && ps_int128_fits(*out, run->type->precision)))
        return PS_OK;
    left = ps_int128_to_double(x, op->left);
    right = ps_int128_to_double(y, op->right);
    return psi_raise_decimal(run, mode, op->op == PSI_MULTIPLY ? left * right : op->op == PSI_ADD ? left + right : left - right, null, err);
}

static ps_status decimal_kernel(ps_fn_run *run, psi_arith_mode mode, psi_arith_op kind, ps_vec **out, ps_error *err)
{
    const decimal_op op = {kind, run->args[0]->type->scale, run->args[1]->type->scale};
    psi_loop loop;
    ps_status rc;

    PS_TRY(psi_loop_begin(run, 2, false, &loop, err));
    PSI_PAIR_LOOP(__int128, __int128, decimal_row(run, mode, &op, x, y, o, &null, err))
    *out = loop.vec;
    return PS_OK;
fail:
    ps_vec_unref(loop.vec);
    return rc;
}

/* --- by type -------------------------------------------------------------------------------------------------------------- */
#define DISPATCH(name, op)                                                                         \
    switch (run->type->kind) {                                                                     \
    case PS_INT8:                                                                                  \
        return name##_i8(run, mode, out, err);                                                     \
    case PS_INT16:                                                                                 \
        return name##_i16(run, mode, out, err);                                                    \
    case PS_INT32:                                                                                 \
    case PS_YEARMONTH:                                                                             \
        return name##_i32(run, mode, out, err);                                                    \
    case PS_INT64:                                                                                 \
    case PS_DAYTIME:                                                                               \
        return name##_i64(run, mode, out, err);                                                    \
    case PS_FLOAT:                                                                                 \
        return psi_##name##_f32(run, out, err);                                                    \
    case PS_DOUBLE:                                                                                \
        return psi_##name##_f64(run, out, err);                                                    \
    case PS_DECIMAL:                                                                               \
        return decimal_kernel(run, mode, op, out, err);                                            \
    default:                                                                                       \
        return psi_none(run, out, err);                                                            \
    }

ps_status psi_add_mode(ps_fn_run *run, psi_arith_mode mode, ps_vec **out, ps_error *err)
{
    DISPATCH(add, PSI_ADD)
}

ps_status psi_subtract_mode(ps_fn_run *run, psi_arith_mode mode, ps_vec **out, ps_error *err)
{
    DISPATCH(sub, PSI_SUBTRACT)
}

static ps_status multiply_mode(ps_fn_run *run, psi_arith_mode mode, ps_vec **out, ps_error *err)
{
    DISPATCH(mul, PSI_MULTIPLY)
}

#define KERNELS(name, mode_fn)                                                                     \
    ps_status psi_##name(ps_fn_run *run, ps_vec **out, ps_error *err);                             \
    ps_status psi_##name(ps_fn_run *run, ps_vec **out, ps_error *err)                              \
    {                                                                                              \
        return mode_fn(run, psi_mode_of(run), out, err);                                           \
    }                                                                                              \
    ps_status psi_try_##name(ps_fn_run *run, ps_vec **out, ps_error *err);                         \
    ps_status psi_try_##name(ps_fn_run *run, ps_vec **out, ps_error *err)                          \
    {                                                                                              \
        return mode_fn(run, PSI_NULL, out, err);                                                   \
    }
KERNELS(add, psi_add_mode)

/* + with one operand hands it on. */
PSI_KERNEL(plus)
{
    if (run->n_args == 1) {
        *result = ps_vec_ref(run->args[0]);
        return PS_OK;
    }
    return psi_add(run, result, err);
}

KERNELS(subtract, psi_subtract_mode)
KERNELS(multiply, multiply_mode)
