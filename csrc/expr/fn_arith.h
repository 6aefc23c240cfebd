/*
 * expr/fn_arith.h - what arithmetic of numbers and of times shares.
 */
#ifndef PS_EXPR_FN_ARITH_H
#define PS_EXPR_FN_ARITH_H
#include "expr/coerce.h"
#include "expr/kernel.h"
#include <stdio.h>

/* What an overflow or a zero divisor means: the error of ANSI mode; NULL (try_add); wrapped and NULL (ANSI off). */
typedef enum psi_arith_mode { PSI_RAISE, PSI_NULL, PSI_WRAP } psi_arith_mode;
typedef enum psi_arith_op { PSI_ADD, PSI_SUBTRACT, PSI_MULTIPLY, PSI_REMAINDER, PSI_PMOD, PSI_QUOTIENT } psi_arith_op;
psi_arith_mode psi_mode_of(const ps_fn_run *run);
ps_status psi_raise_overflow(const ps_fn_run *run, psi_arith_op op, int64_t x, int64_t y, ps_error *err);
ps_status psi_raise_zero(psi_arith_mode mode, bool remainder, bool *null, ps_error *err);
ps_status psi_raise_decimal(const ps_fn_run *run, psi_arith_mode mode, double value, bool *null, ps_error *err);
ps_status psi_add_mode(ps_fn_run *run, psi_arith_mode mode, ps_vec **out, ps_error *err);
ps_status psi_subtract_mode(ps_fn_run *run, psi_arith_mode mode, ps_vec **out, ps_error *err);
ps_status psi_bind_negative(ps_fn_call *call, ps_error *err);

/* Runs ROW(x, y, &out, &null) over the live rows of a loop that was begun over two arguments of type X. */
#define PSI_PAIR_LOOP(X, OUT, ROW)                                                                 \
    PS_EACH_ROW(run->rows, i)                                                                      \
    {                                                                                              \
        OUT *o = &((OUT *)loop.vec->data)[i];                                                      \
        if (loop.vec->valid && !ps_bit(loop.vec->valid, i))                                        \
            continue;                                                                              \
        X x = PSI_VALUE(X, 0), y = PSI_VALUE(X, 1);                                                \
        PSI_FLAT_ROW(ROW)                                                                          \
    }
#endif
