/*
 * expr/binder.h - the state of one binding; for this folder.
 */
#ifndef PS_EXPR_BINDER_H
#define PS_EXPR_BINDER_H
#include "expr/bound.h"
#include "expr/fn_int.h"

/* The parameters of the lambdas around a name, innermost first. */
typedef struct psi_frame {
    const struct psi_frame *outer;
    const ps_expr *lambda;
    const int64_t *ids;
    const ps_type *const *types;
    const bool *nullable;
} psi_frame;

typedef struct ps_binder {
    const ps_scope *scope;
    const psi_frame *frame;
    bool ansi, case_sensitive;
    int in_aggregate;
    bool in_list; /* ps_bind_list: without aggregates it is a GROUP BY */
    int depth;
} ps_binder;

void psi_binder_init(ps_binder *binder, const ps_scope *scope);
ps_status psi_bind_expr(ps_binder *binder, ps_expr *expr, ps_bound **out, ps_error *err);
/* Finishes a call: signature, bind rule, text.  Takes args (the array and what is in it), also when it fails. */
ps_status psi_make_call(ps_binder *binder, const ps_expr *expr, const ps_fn *fn, const char *shown, ps_bound **args,
                        int n_args, ps_expr *const *exprs, const ps_conf *conf, ps_bound **out, ps_error *err);
bool psi_is_type_function(const ps_expr *expr); /* int(x): a cast */

/* bind_name.c */
ps_status psi_bind_name_parts(ps_binder *binder, const ps_expr *expr, ps_bound **out, ps_error *err);
ps_status psi_bind_attr(ps_binder *binder, const ps_expr *expr, ps_bound **out, ps_error *err);
ps_status psi_extract_part(ps_bound *base, const char *name, const ps_conf *conf, ps_bound **out, ps_error *err);
/* The columns that a star stands for, as new expressions (ATTR, or getitem calls of a struct's fields) appended to list. */
typedef struct psi_exprs {
    ps_expr **items; /* owned references */
    int n, capacity;
} psi_exprs;
void psi_exprs_clear(psi_exprs *list);
ps_status psi_expand_star(ps_binder *binder, const ps_expr *star, psi_exprs *list, ps_error *err);
#endif
