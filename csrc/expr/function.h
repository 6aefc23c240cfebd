/*
 * expr/function.h - the registry of functions: a row of functions.def each.
 *
 * A row tells name, arguments (a signature text: how many, which types, which defaults), result type and the kernel
 * that runs over vectors.  Python's pystream.sql.functions, its stub and docstrings, and the tests of the examples are
 * made from the same rows.  functions.def explains the columns of a row and the words of a signature.
 */
#ifndef PS_EXPR_FUNCTION_H
#define PS_EXPR_FUNCTION_H
#include "expr/eval.h"

struct ps_agg_fn;
typedef struct ps_fn ps_fn;

/* At bind time: a call whose arguments are bound and, when the row has a signature, counted, coerced and filled up
 * with defaults.  `bind` may replace args (ps_fn_cast_arg), append some (ps_fn_add_arg), and leave data. */
typedef struct ps_fn_call {
    const ps_fn *fn;
    const char *name;      /* of the row that was called (an alias that keeps its name: the alias) */
    ps_bound **args;       /* owned by the call; replaced in place; NULL where exprs[i] is a lambda not bound yet */
    int n_args;
    int n_given;           /* arguments the user wrote */
    ps_expr *const *exprs; /* the n_given arguments as written; NULL for calls that the engine makes */
    struct ps_binder *binder; /* for ps_fn_bind_lambda */
    const ps_type *type;   /* out, owned; preset from the row's result word, NULL when that is "" */
    bool nullable;         /* out; preset: any argument nullable */
    bool distinct, ignore_nulls;
    void *data;            /* out; ended by fn->free_data */
    char *text;            /* out, owned: the generated name when it is none of the usual ones; NULL else */
    const ps_conf *conf;
    bool ansi;
} ps_fn_call;

/* What a bind rule may do.  Messages show args[i]->text. */
ps_status ps_fn_cast_arg(ps_fn_call *call, int arg, const ps_type *type, ps_error *err); /* no check of the cast rules' ANSI limits is skipped */
ps_status ps_fn_add_arg(ps_fn_call *call, ps_bound *arg, ps_error *err); /* takes arg, also when it fails */
ps_status ps_fn_add_int(ps_fn_call *call, int32_t value, ps_error *err);
ps_status ps_fn_add_text(ps_fn_call *call, const char *value, ps_error *err);
/* Casts args[from..to) to their least common type (strings and numbers mix as ANSI says); DATA_DIFF_TYPES. */
ps_status ps_fn_same_type(ps_fn_call *call, int from, int to, ps_error *err);
/* Makes it a call of another function: its signature and bind rule are applied to the arguments as they are now. */
ps_status ps_fn_redirect(ps_fn_call *call, const char *name, ps_error *err);
/* Binds the lambda that was written as argument `arg` over parameters of these types; args[arg] is then a
 * PS_B_LAMBDA.  A lambda with fewer parameters than n gets the first ones. */
ps_status ps_fn_bind_lambda(ps_fn_call *call, int arg, const ps_type *const *types, const bool *nullable, int n, ps_error *err);
/* The value of a constant argument (1 row, CONST; NULL values stay NULL); NON_FOLDABLE_INPUT when it is none. */
ps_status ps_fn_constant(ps_fn_call *call, int arg, ps_vec **out, ps_error *err);
ps_status ps_fn_constant_int(ps_fn_call *call, int arg, int64_t *out, bool *is_null, ps_error *err);
ps_status ps_fn_constant_text(ps_fn_call *call, int arg, char **out, ps_error *err); /* owned; NULL for NULL */
/* Raises DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE about args[arg]; `required` as Spark names it: "ARRAY", "NUMERIC". */
ps_status ps_fn_wrong_type(const ps_fn_call *call, int arg, const char *required, ps_error *err);
/* The text of the call so far, as generated names and messages show it. */
ps_status ps_fn_call_text(const ps_fn_call *call, ps_bytes *out, ps_error *err);

/* At run time. */
#define PS_FN_VIEWS 4
typedef struct ps_fn_run {
    const ps_bound *node;
    const ps_eval_env *env;
    const ps_rows *rows;       /* live rows: kernels touch no others; never empty */
    ps_vec *const *args;       /* evaluated arguments, any shape, not all CONST; NULL at lambdas and for lazy functions */
    int n_args;
    const ps_type *type;
    void *scratch;             /* per program and node; made zeroed with fn->scratch_size, ended by fn->free_scratch */
    ps_view views[PS_FN_VIEWS]; /* set by the macros of kernel.h: a view per argument */
    struct psi_node *self;     /* eval.c's own */
    struct ps_program *program;
} ps_fn_run;
typedef ps_status (*ps_fn_kernel)(ps_fn_run *run, ps_vec **out, ps_error *err);

/* For lazy functions: argument `arg` over `rows` (a subset of run->rows). */
ps_status ps_fn_eval_arg(ps_fn_run *run, int arg, const ps_rows *rows, ps_vec **out, ps_error *err);
/* For higher-order functions: the body of the lambda at `arg` over n values.  params[k] has n rows; parent[i] is the row
 * of the batch that value i belongs to (for the columns that the body uses besides its parameters). */
ps_status ps_fn_eval_lambda(ps_fn_run *run, int arg, ps_vec *const *params, int n_params, const int32_t *parent, int64_t n, ps_vec **out, ps_error *err);

typedef enum ps_fn_flags {
    PS_FN_STRICT = 1,      /* NULL in, NULL out: a constant NULL argument makes the call a NULL without running it */
    PS_FN_VOLATILE = 2,    /* rand, uuid: not deterministic */
    PS_FN_BATCH_TIME = 4,  /* current_timestamp: fixed per batch */
    PS_FN_LAZY = 8,        /* evaluates its arguments itself (case, coalesce, and, or): ps_fn_eval_arg */
    PS_FN_GENERATOR = 16,  /* explode and the like: op/generate.c */
    PS_FN_OPERATOR = 32,   /* hidden from pystream.sql.functions */
    PS_FN_AGGREGATE = 64,
    PS_FN_NULLABLE = 128,  /* the result may be NULL whatever the arguments */
    PS_FN_NOT_NULL = 256,  /* the result is never NULL */
    PS_FN_UPPER = 512,     /* generated names show it in upper case: POWER(a, 2) */
    PS_FN_TEXT_FIRST = 1024, /* generated names show the first argument alone: from_json(value) */
    PS_FN_INFIX = 2048,    /* generated names: (a + b) */
    PS_FN_WINDOW_ONLY = 4096, /* row_number and the like: only with OVER */
    PS_FN_ALIAS_OF = 8192  /* an alias row; `target` is what is called */
} ps_fn_flags;

struct ps_fn {
    const char *name;      /* lower case */
    unsigned flags;
    const char *accepts;   /* signature, see functions.def */
    const char *returns;
    ps_status (*bind)(ps_fn_call *call, ps_error *err); /* after coercion by the signature; NULL: nothing more to do */
    ps_fn_kernel run;      /* NULL for aggregates and generators */
    const char *params;    /* Python parameter names: "col, format" */
    const char *example;   /* "abs(-3) = 3": evaluated by the tests; "" for none */
    const char *doc;       /* one line */
    /* Set by PS_FN_MORE rows, else NULL / 0. */
    ps_status (*text)(const ps_fn_call *call, ps_bytes *out, ps_error *err); /* the generated name */
    void (*free_data)(void *data);
    size_t scratch_size;
    void (*free_scratch)(void *scratch);
    const ps_fn *target;   /* of an alias */
    const struct ps_agg_fn *aggregate;
};
const ps_fn *ps_fn_find(ps_slice name);      /* any case; aliases give the row of what they stand for; NULL */
const ps_fn *const *ps_fn_all(int *n);       /* sorted by name, aliases included; aggregates too */
/* How many arguments a signature takes; *max -1: any number. */
void ps_fn_arity(const ps_fn *fn, int *min, int *max);
#endif
