/*
 * expr/eval.h - running bound expressions over batches.
 *
 * A program is made once per operator and worker from bound expressions and the attributes of its input; it owns
 * scratch and is for one thread.  Conditional functions (case, if, coalesce, and, or) evaluate their branches only over
 * the rows that need them, so an ANSI error never comes from a branch that was not taken.
 */
#ifndef PS_EXPR_EVAL_H
#define PS_EXPR_EVAL_H
#include "col/batch.h"
#include "col/time.h"
#include "expr/expr.h"

/* What is fixed while a micro-batch (or a batch query) runs.  Owned by the run, borrowed by programs. */
typedef struct ps_eval_env {
    const ps_zone *zone;      /* session time zone */
    bool ansi;
    int64_t batch_time_us;    /* current_timestamp() */
    uint64_t seed;            /* rand(), uuid(): new in every batch and re-run */
    int64_t rows_before;      /* monotonically_increasing_id(): rows of this run seen so far (kept by the caller, optional) */
    const ps_conf *conf;
} ps_eval_env;

typedef struct ps_program ps_program;
ps_status ps_program_new(ps_bound *const *exprs, int n, const ps_attrs *input, const ps_eval_env *env, ps_program **out, ps_error *err);
void ps_program_free(ps_program *program); /* accepts NULL */
/* outs[i]: a vector of batch->n_rows rows, defined on the live ones; owned by the caller. */
ps_status ps_program_run(ps_program *program, ps_batch *batch, ps_vec **outs, ps_error *err);
/* The batch narrowed to the rows where the single expression is true; *out owned, NULL when none is left. */
ps_status ps_program_filter(ps_program *program, ps_batch *batch, ps_batch **out, ps_error *err);
/* One row, no input: folds constants, evaluates literals at plan time. */
ps_status ps_eval_constant(ps_bound *bound, const ps_eval_env *env, ps_vec **out, ps_error *err);
#endif
