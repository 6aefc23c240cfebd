/*
 * expr/bind.h - from what the user wrote to what it means.
 *
 * Names are resolved (api-sql.md 4.1), functions looked up, arguments coerced (2.10), generated names
 * made (4.2).  Errors carry Spark's conditions with the nearest valid names.
 */
#ifndef PS_EXPR_BIND_H
#define PS_EXPR_BIND_H
#include "expr/expr.h"

/* Where names are looked up: the attributes of the inputs, in order.  All borrowed. */
typedef struct ps_scope {
    const ps_attrs *const *inputs;
    int n_inputs;
    const ps_conf *conf;
    /* Attributes that can be reached though the inputs do not show them (df.select("v").select("_metadata"),
     * orderBy on a dropped column); they are asked for last and reported in `used_missing`. May be NULL. */
    const ps_attrs *missing;
    /* Names that stand for expressions (SQL aliases in GROUP BY/HAVING/ORDER BY, lateral aliases). May be NULL. */
    const struct ps_named *aliases;
    int n_aliases;
    bool allow_aggregates; /* else an aggregate function is an error */
    bool allow_generators;
    bool is_join;          /* ps_bind_condition: of a join, for its errors */
} ps_scope;

/* One output column: a bound expression under a name. */
typedef struct ps_named {
    ps_bound *bound;  /* owned */
    char *name;       /* owned */
    char *metadata;   /* owned; JSON or NULL; a plain column hands on its own */
    int64_t attr_id;  /* of the output: a plain column keeps its id, all else has a new one */
    int64_t watermark_ms; /* handed on by plain columns, or -1 */
    char **names;     /* a generator's several output names, or NULL */
    int n_names;
} ps_named;
typedef struct ps_named_list {
    ps_named *items;
    int n, capacity;
} ps_named_list;
void ps_named_list_clear(ps_named_list *list);

/* Binds one expression; no star, no alias at the top (an alias is looked through). */
ps_status ps_bind(const ps_expr *expr, const ps_scope *scope, ps_bound **out, ps_error *err);
/* Binds a condition: BOOLEAN or an error (DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN). */
ps_status ps_bind_condition(const ps_expr *expr, const ps_scope *scope, ps_bound **out, ps_error *err);
/* Binds a select list: stars expand, names are generated. */
ps_status ps_bind_list(ps_expr *const *exprs, int n, const ps_scope *scope, ps_named_list *out, ps_error *err);

/* Aggregate calls.  A bound tree that scope->allow_aggregates let through has CALL nodes whose fn is an aggregate
 * (fn->aggregate != NULL).  This takes them out: each distinct call becomes an entry of `calls`, and `bound` is
 * rewritten over attributes (calls[i].attr_id). */
typedef struct ps_agg_call {
    ps_bound *call;       /* owned; holds what is borrowed below */
    const struct ps_agg_fn *fn;          /* expr/aggregate.h; borrowed */
    const struct ps_agg_shape *shape;    /* what the aggregate's bind left; borrowed */
    ps_bound *const *args;               /* coerced; borrowed */
    int n_args;
    ps_bound *filter;     /* borrowed, or NULL */
    bool distinct;
    const ps_type *type;  /* result; borrowed */
    bool nullable;
    int64_t attr_id;      /* of the result */
    const char *name;     /* for plans: sum(x); borrowed */
} ps_agg_call;
typedef struct ps_agg_calls {
    ps_agg_call *items;
    int n, capacity;
} ps_agg_calls;
ps_status ps_extract_aggregates(ps_bound *bound, ps_agg_calls *calls, ps_bound **out, ps_error *err);
void ps_agg_calls_clear(ps_agg_calls *calls);
bool ps_bound_has_aggregate(const ps_bound *bound);
bool ps_bound_has_generator(const ps_bound *bound);
/* The first window()/session_window() call inside, or NULL; borrowed. */
ps_bound *ps_bound_find_call(ps_bound *bound, const char *fn_name);

/* The least common type of two under ANSI coercion (unions, coalesce, in, case); NULL type when none. */
ps_status ps_common_type(const ps_type *a, const ps_type *b, bool ansi, const ps_type **out, ps_error *err);
/* Levenshtein-nearest names for a message: "`a`, `b`", at most 5. */
ps_status ps_suggest(const char *wrong, const char *const *names, int n, ps_bytes *out, ps_error *err);
#endif
