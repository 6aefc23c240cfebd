/*
 * expr/bound.h - making and rewriting bound nodes; for this folder.
 */
#ifndef PS_EXPR_BOUND_H
#define PS_EXPR_BOUND_H
#include "col/time.h"
#include "expr/bind.h"

ps_status psi_bound_new(ps_bound_kind kind, const ps_type *type, bool nullable, ps_bound **out, ps_error *err);
/* Neither columns nor anything volatile inside: the value is the same for all rows (and known at plan time, unless it is
 * a batch time). */
bool psi_bound_is_constant(const ps_bound *bound);
ps_status psi_bound_copy(ps_bound *from, ps_bound *const *args, ps_bound **out, ps_error *err);
ps_status psi_bound_retext(ps_bound *bound, const char *text, size_t n, ps_bound **out, ps_error *err);

typedef ps_status (*psi_rewriter)(ps_bound *bound, void *data, ps_bound **out, ps_error *err);
ps_status psi_bound_rewrite(ps_bound *bound, psi_rewriter change, void *data, ps_bound **out, ps_error *err);

/* A literal of the one value that a builder was given with status rc; takes the builder.  A literal of text. */
ps_status psi_built_literal(ps_builder *b, ps_status rc, ps_bound **out, ps_error *err);
ps_status psi_text_literal(ps_slice text, ps_bound **out, ps_error *err);

void psi_agg_data_free(const struct ps_agg_fn *fn, void *shape);

/* A literal as generated names and SQL show it: 1, x, DATE '2024-01-01', INTERVAL '10' MINUTE (lit_text.c). */
ps_status psi_literal_text(const ps_vec *value, const ps_conf *conf, ps_bytes *out, ps_error *err);
ps_status psi_decimal_name(__int128 unscaled, int scale, ps_bytes *out, ps_error *err);
const ps_zone *psi_conf_zone(const ps_conf *conf);
#endif
