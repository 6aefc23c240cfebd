/*
 * expr/picks.h - arrays made of elements that exist already.
 *
 * Most functions of arrays choose and order elements of their argument.  The result is then a vector of spans over a DICT
 * of the argument's child: no element is copied.
 */
#ifndef PS_EXPR_PICKS_H
#define PS_EXPR_PICKS_H
#include "expr/fn_args.h"

typedef struct psi_picks {
    ps_vec *vec;    /* the array or map being made: FLAT, a NULL until its row is set */
    int32_t *items; /* rows of the child that elements come from */
    int n, capacity;
    uint32_t start; /* of the row being made */
} psi_picks;

ps_status psi_picks_begin(const ps_fn_run *run, psi_picks *picks, ps_error *err);
static inline void psi_picks_row(psi_picks *picks) { picks->start = (uint32_t)picks->n; }
static inline ps_status psi_pick(psi_picks *picks, int64_t row, ps_error *err) { return PS_PUSH(picks, (int32_t)row, err); }
void psi_picks_row_end(psi_picks *picks, int64_t i); /* all picked since psi_picks_row is row i */
/* The elements picked, as a vector (owned). */
ps_status psi_picks_take(const psi_picks *picks, ps_vec *child, ps_vec **out, ps_error *err);
/* Ends: the children of the result are the picked rows of child, or `made` when given (taken). */
ps_status psi_picks_end(psi_picks *picks, ps_vec *child, ps_vec *made, ps_vec **out, ps_error *err);
void psi_picks_clear(psi_picks *picks);

/* Elements of an array argument at row i, and its child vector. */
static inline ps_span psi_span_at(const ps_view *view, int64_t i) { return ((const ps_span *)view->data)[ps_at(view, i)]; }
static inline ps_vec *psi_elements(const ps_view *view) { return view->base->children[0]; }
/* array<element> for call->type. */
ps_status psi_set_array_type(ps_fn_call *call, const ps_type *element, bool contains_null, ps_error *err);
/* Casts array argument `arg` to array<element>. */
ps_status psi_cast_elements(ps_fn_call *call, int arg, const ps_type *element, ps_error *err);
#endif
