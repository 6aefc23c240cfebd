/* expr/fn_math.c - arithmetic functions, rounding, logarithms, bits. */
#include "expr/kernel.h"

PS_KERNEL_1(abs_i64, int64_t, int64_t)
{
    if (x == INT64_MIN) /* as Spark in ANSI mode */
        return ps_raise(err, PS_E_INTERNAL, "abs");
    *out = x < 0 ? -x : x;
    return PS_OK;
}

PS_KERNEL_1(abs_f64, double, double)
{
    *out = __builtin_fabs(x);
    return PS_OK;
}

ps_status psi_abs(ps_fn_run *run, ps_vec **out, ps_error *err)
{
    switch (run->type->kind) {
    case PS_INT64:
        return psi_abs_i64(run, out, err);
    case PS_DOUBLE:
        return psi_abs_f64(run, out, err);
    default:
        return psi_none(run, out, err);
    }
}
