/*
 * expr/function.h - the registry of functions: a row of functions.def each.
 *
 * A row tells name, argument count, how arguments are coerced and the result is typed (`bind`), and the kernel that
 * runs over vectors.  Python's pystream.sql.functions, its stub and docstrings, and the tests of the examples are made
 * from the same rows.
 */
#ifndef PS_EXPR_FUNCTION_H
#define PS_EXPR_FUNCTION_H
#include "expr/eval.h"

struct ps_agg_fn;
typedef struct ps_fn ps_fn;

/* At bind time: a call whose arguments are bound. `bind` may replace args (casts: ps_fn_cast_arg), must set type and
 * nullable, and may leave data. */
typedef struct ps_fn_call {
    const ps_fn *fn;
    const char *name;      /* as the user spelt it */
    ps_bound **args;       /* owned by the call; replaced in place */
    int n_args;
    const ps_type *type;   /* out, owned */
    bool nullable;         /* out; preset: any argument nullable */
    bool distinct;
    void *data;            /* out */
    const ps_conf *conf;
    bool ansi;
} ps_fn_call;
ps_status ps_fn_cast_arg(ps_fn_call *call, int arg, const ps_type *type, ps_error *err);

/* At run time. */
typedef struct ps_fn_run {
    const ps_bound *node;
    const ps_eval_env *env;
    const ps_rows *rows;       /* live rows: kernels touch no others */
    ps_vec *const *args;       /* evaluated arguments, any shape; NULL for lazy functions */
    int n_args;
    const ps_type *type;
    void *scratch;             /* per program and node; made zeroed with fn->scratch_size, ended by fn->free_scratch */
} ps_fn_run;
typedef ps_status (*ps_fn_kernel)(ps_fn_run *run, ps_vec **out, ps_error *err);

typedef enum ps_fn_flags {
    PS_FN_STRICT = 1,      /* NULL in, NULL out; kernel sees the rows, result validity is made by the macro */
    PS_FN_VOLATILE = 2,    /* rand, uuid: not deterministic */
    PS_FN_BATCH_TIME = 4,  /* current_timestamp: fixed per batch */
    PS_FN_LAZY = 8,        /* evaluates its arguments itself (case, coalesce, and, or) */
    PS_FN_GENERATOR = 16,  /* explode and the like: op/generate.c */
    PS_FN_OPERATOR = 32,   /* hidden from pystream.sql.functions */
    PS_FN_AGGREGATE = 64
} ps_fn_flags;

struct ps_fn {
    const char *name;      /* lower case */
    int min_args, max_args; /* max -1: any number */
    unsigned flags;
    ps_status (*bind)(ps_fn_call *call, ps_error *err);
    ps_fn_kernel run;      /* for one bound node; NULL for lazy functions, aggregates and generators */
    void (*free_data)(void *data);
    size_t scratch_size;
    void (*free_scratch)(void *scratch);
    const struct ps_agg_fn *aggregate;
    const char *params;    /* Python parameter names: "col, format" */
    const char *example;   /* "abs(-3) = 3": evaluated by the tests */
    const char *doc;       /* one line */
};
const ps_fn *ps_fn_find(ps_slice name);      /* any case; NULL */
const ps_fn *const *ps_fn_all(int *n);       /* sorted by name */
#endif
