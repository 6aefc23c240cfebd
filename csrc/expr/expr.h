/*
 * expr/expr.h - expressions: what the user wrote, and what it means.
 *
 * ps_expr is the parsed tree: what F.col("a") + 1 or the SQL text "a + 1" say, before any input is known.
 * ps_bound is the same over a known input: every name is an attribute, every function a row of
 * functions.def, every implicit cast explicit, every node typed.  Both are immutable and shared by
 * reference.  Attributes are known by id, not by position: a plan may drop or move columns below a bound
 * expression without touching it; positions are settled when a program is made (eval.h).
 */
#ifndef PS_EXPR_EXPR_H
#define PS_EXPR_EXPR_H
#include "base/option.h"
#include "col/build.h"

typedef enum ps_expr_kind {
    PS_X_LITERAL, /* value */
    PS_X_NAME,    /* parts: a, t.a, a.b.c; resolved when bound */
    PS_X_ATTR,    /* attr_id, from df["a"]; parts keep the name for messages */
    PS_X_STAR,    /* "*" or parts.* */
    PS_X_CALL,    /* name(args); operators are calls too: "+", "=", "and", "not", "case", "getfield", ... */
    PS_X_CAST,    /* args[0] to type */
    PS_X_ALIAS,   /* args[0] as names (more than one for generators) */
    PS_X_SORT,    /* args[0], descending, nulls_first: only in orderings */
    PS_X_LAMBDA   /* args[0] is the body, names are the parameters */
} ps_expr_kind;

typedef struct ps_expr ps_expr;
struct ps_expr {
    ps_refs refs;
    ps_expr_kind kind;
    char *name;          /* CALL: function as the user spelt it */
    char **names;        /* NAME, ATTR, STAR: parts; ALIAS, LAMBDA: names */
    int n_names;
    ps_expr **args;      /* STAR: the columns of EXCEPT (...) */
    int n_args;
    ps_expr *filter;     /* CALL: FILTER (WHERE ...) of an aggregate, or NULL */
    const ps_type *type; /* CAST: target; LITERAL: its type */
    ps_vec *value;       /* LITERAL: one row, CONST */
    int64_t attr_id;     /* ATTR */
    char *metadata;      /* ALIAS: JSON, or NULL */
    char *sql;           /* the text that was parsed, at the root of what the SQL parser made; else NULL */
    bool distinct, ignore_nulls;     /* CALL */
    bool is_try;                     /* CAST: TRY_CAST */
    bool is_operator;                /* CALL written as an operator (names print infix) */
    bool from_text;                  /* made by the SQL parser: cast names print, Column API ones do not */
    bool descending, nulls_first;    /* SORT */
};

ps_expr *ps_expr_ref(ps_expr *expr);
void ps_expr_unref(ps_expr *expr); /* accepts NULL */
ps_status ps_expr_literal(ps_vec *value, ps_expr **out, ps_error *err); /* refs value; n_rows 1 */
ps_status ps_expr_literal_built(ps_builder *b, ps_status rc, ps_expr **out, ps_error *err); /* takes the builder, given one value with status rc */
ps_status ps_expr_literal_int(int64_t value, ps_kind kind, ps_expr **out, ps_error *err);
ps_status ps_expr_literal_text(ps_slice value, ps_expr **out, ps_error *err);
ps_status ps_expr_name(const char *const *parts, int n_parts, ps_expr **out, ps_error *err);
ps_status ps_expr_name_text(ps_slice dotted, ps_expr **out, ps_error *err); /* "a.b", "`a.b`", "*", "t.*" as F.col reads them */
ps_status ps_expr_star(const char *const *parts, int n_parts, ps_expr **out, ps_error *err); /* n_parts 0: "*" */
ps_status ps_expr_attr(int64_t attr_id, const char *name, ps_expr **out, ps_error *err);
/* Copies nothing: takes its own references of args. */
ps_status ps_expr_call(const char *name, ps_expr *const *args, int n_args, ps_expr **out, ps_error *err);
ps_status ps_expr_cast(ps_expr *arg, const ps_type *type, bool is_try, ps_expr **out, ps_error *err);
ps_status ps_expr_alias(ps_expr *arg, const char *const *names, int n_names, const char *metadata, ps_expr **out, ps_error *err);
ps_status ps_expr_sort(ps_expr *arg, bool descending, bool nulls_first, ps_expr **out, ps_error *err);
ps_status ps_expr_lambda(ps_expr *body, const char *const *names, int n_names, ps_expr **out, ps_error *err);
/* What Column.__repr__ shows between Column<'...'>. */
ps_status ps_expr_text(const ps_expr *expr, ps_bytes *out, ps_error *err);

/* --- attributes: the columns of a plan node ------------------------------------------------------- */
typedef struct ps_attr {
    int64_t id;          /* unique in the process */
    char *name;
    char **qualifier;    /* alias parts, or empty */
    int n_qualifier;
    const ps_type *type; /* owned */
    bool nullable;
    bool hidden;         /* _metadata and the like: found by name, not by "*" */
    char *metadata;      /* JSON or NULL */
    int64_t watermark_ms; /* delay of the event-time mark, or -1 */
} ps_attr;
typedef struct ps_attrs {
    ps_attr *items;
    int n, capacity;
} ps_attrs;

int64_t ps_attr_new_id(void); /* @thread any */
ps_status ps_attr_copy(const ps_attr *from, ps_attr *to, ps_error *err);
void ps_attr_clear(ps_attr *attr);
ps_status ps_attr_qualify(ps_attr *attr, const char *const *parts, int n_parts, ps_error *err); /* replaces the qualifier */
ps_status ps_attrs_add(ps_attrs *attrs, const char *name, const ps_type *type, bool nullable, ps_attr **out, ps_error *err); /* new id; *out borrowed until the next add */
ps_status ps_attrs_add_copy(ps_attrs *attrs, const ps_attr *attr, ps_error *err); /* same id */
void ps_attrs_clear(ps_attrs *attrs);
int ps_attrs_find_id(const ps_attrs *attrs, int64_t id); /* -1 */
ps_status ps_attrs_type(const ps_attrs *attrs, const ps_type **out, ps_error *err); /* the struct type of the visible ones */

/* --- bound expressions -------------------------------------------------------------------------------- */
typedef enum ps_bound_kind { PS_B_LITERAL, PS_B_COLUMN, PS_B_CALL, PS_B_LAMBDA, PS_B_PARAM } ps_bound_kind;
struct ps_fn;
struct ps_agg_fn;
typedef struct ps_bound ps_bound;
struct ps_bound {
    ps_refs refs;
    ps_bound_kind kind;
    const ps_type *type; /* owned */
    bool nullable;
    bool deterministic;  /* of the whole tree */
    int64_t attr_id;     /* COLUMN, PARAM */
    char *name;          /* COLUMN: for messages and plans */
    ps_vec *value;       /* LITERAL */
    const struct ps_fn *fn; /* CALL: a row of functions.def; casts are fn "cast" (to `type`) */
    void *fn_data;       /* CALL: what fn->bind left, freed by fn->free_data; of an aggregate its ps_agg_shape */
    uint64_t fields;     /* CALL made by ps_bound_narrow(): the fields that it reads; 0: all */
    ps_bound *data_of;   /* the node that owns fn_data, when this is a rewritten copy; else NULL */
    ps_bound **args;     /* LAMBDA: the body */
    int n_args;
    ps_bound *filter;    /* CALL of an aggregate: FILTER (WHERE ...), or NULL */
    bool distinct, ignore_nulls;
    bool is_implicit;    /* CALL of cast: made by coercion, invisible in generated names */
    int64_t *params;     /* LAMBDA: ids of its parameters (PARAM nodes); owned */
    int n_params;
    char *text;          /* how generated names and messages show it: (a + 1); NULL in nodes that the engine made */
};
ps_bound *ps_bound_ref(ps_bound *bound);
void ps_bound_unref(ps_bound *bound); /* accepts NULL */
ps_status ps_bound_column(const ps_attr *attr, ps_bound **out, ps_error *err);
ps_status ps_bound_literal(ps_vec *value, ps_bound **out, ps_error *err);
ps_status ps_bound_call(const char *fn, ps_bound *const *args, int n_args, const ps_conf *conf, ps_bound **out, ps_error *err); /* coerces */
ps_status ps_bound_cast(ps_bound *arg, const ps_type *type, bool is_try, const ps_conf *conf, ps_bound **out, ps_error *err); /* a ref when no cast is needed */
bool ps_bound_equal(const ps_bound *a, const ps_bound *b);      /* same meaning, by structure */
bool ps_bound_uses(const ps_bound *bound, int64_t attr_id);
int ps_bound_field(const ps_bound *bound); /* which field of its argument a field access gives; -1: it is none */
/* from_json() that reads the fields of a set alone (bit k: field k) and leaves the others NULL; any other call as it is. */
ps_status ps_bound_narrow(ps_bound *bound, uint64_t fields, ps_bound **out, ps_error *err);
/* Replaces column `from[i]` by `to[i]`. */
ps_status ps_bound_replace(ps_bound *bound, const int64_t *from, ps_bound *const *to, int n, ps_bound **out, ps_error *err);
/* Replaces every subtree equal to `from` (ps_bound_equal) by `to`. */
ps_status ps_bound_swap(ps_bound *bound, const ps_bound *from, ps_bound *to, ps_bound **out, ps_error *err);
ps_status ps_bound_text(const ps_bound *bound, ps_bytes *out, ps_error *err); /* as explain() prints: (a#1 + 1) */
bool ps_bound_is_literal(const ps_bound *bound);
#endif
