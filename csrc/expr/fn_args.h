/*
 * expr/fn_args.h - small help for kernels that are written by hand: views of any number of arguments, constant arguments,
 * the characters of text.
 */
#ifndef PS_EXPR_FN_ARGS_H
#define PS_EXPR_FN_ARGS_H
#include "expr/kernel.h"
#include "expr/utf8.h"

/* A view per argument; *out is owned (ps_free). */
static inline ps_status psi_arg_views(const ps_fn_run *run, ps_view **out, ps_error *err)
{
    PS_TRY(ps_alloc((size_t)(run->n_args > 0 ? run->n_args : 1) * sizeof **out, out, err));
    for (int k = 0; k < run->n_args; k++)
        ps_view_init(&(*out)[k], run->args[k]);
    return PS_OK;
}
#define PSI_AT(T, view, i) (((const T *)(view)->data)[ps_at((view), (i))])
/* An integer of any width. */
static inline int64_t psi_whole_at(const ps_vec *vec, const ps_view *view, int64_t i)
{
    switch (ps_type_width(vec->type)) {
    case 1: return PSI_AT(int8_t, view, i);
    case 2: return PSI_AT(int16_t, view, i);
    case 4: return PSI_AT(int32_t, view, i);
    default: return PSI_AT(int64_t, view, i);
    }
}
static inline ps_slice psi_text_at(const ps_view *view, int64_t i) { return ps_str_slice(&((const ps_str *)view->data)[ps_at(view, i)]); }
static inline bool psi_arg_is_binary(const ps_fn_run *run, int arg) { return run->args[arg]->type->kind == PS_BINARY; }
static inline ps_slice psi_slice_from(ps_slice text, size_t from, size_t to) { return (ps_slice){text.data + from, to - from}; }

/* SUBSTRING as Spark counts: from 1, from the end when negative, 0 as 1; characters, or bytes of a binary. */
ps_slice psi_text_part(ps_slice text, int64_t pos, int64_t length, bool binary);
/* Text no longer than a string may be; NO_MEMORY beyond. */
ps_status psi_check_text_size(uint64_t n_bytes, ps_error *err);
#endif
