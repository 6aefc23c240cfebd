/*
 * expr/fn_int.h - what the files of this folder share about functions.
 */
#ifndef PS_EXPR_FN_INT_H
#define PS_EXPR_FN_INT_H
#include "expr/bind.h"
#include "expr/function.h"

#define PSI_ALWAYS static inline __attribute__((always_inline))

/* The row that a name stands for, and the name that texts show; NULL when there is none. */
const ps_fn *psi_fn_lookup(ps_slice name, const char **shown);

/* Counts, coerces and completes call->args as fn->accepts says (sign.c). */
ps_status psi_fn_sign(ps_fn_call *call, ps_error *err);

/* Casts args[0..n) (places; NULL: first, first + 1, ...) to their common type; DATA_DIFF_TYPES. */
ps_status psi_fn_share_type(ps_fn_call *call, const int *args, int n, int first, bool no_text, ps_error *err);
/* One more argument: the one value that a builder was given with status rc; takes the builder. */
ps_status psi_fn_add_built(ps_fn_call *call, ps_builder *b, ps_status rc, ps_error *err);
/* DATATYPE_MISMATCH.INVALID_ORDERING_TYPE for maps and calendar intervals, at any depth of an argument's type. */
ps_status psi_check_orderable(const ps_fn_call *call, const ps_type *type, ps_error *err);
ps_status psi_type_of_word(ps_slice word, const ps_type **out, ps_error *err);

/* A cast that coercion makes: it keeps the argument's text and is a ref when none is needed. */
ps_status psi_bound_cast_implicit(ps_bound *arg, const ps_type *type, const ps_conf *conf, ps_bound **out, ps_error *err);

/* name(arg, arg): what a call is called unless its row says otherwise. */
ps_status psi_call_text(const ps_fn_call *call, ps_bytes *out, ps_error *err);

/* For rows without a bind rule or kernel: `none`. */
ps_status psi_bind_none(ps_fn_call *call, ps_error *err);
ps_status psi_none(ps_fn_run *run, ps_vec **out, ps_error *err);
/* xxhash64() of the value at a physical row, which is not NULL. */
uint64_t psi_xxh64_at(const ps_view *view, int64_t at, uint64_t seed);
#endif
