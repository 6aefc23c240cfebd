/*
 * expr/fn_args.h - small help for kernels that are written by hand: views of any number of arguments, constant arguments,
 * the characters of text.
 */
#ifndef PS_EXPR_FN_ARGS_H
#define PS_EXPR_FN_ARGS_H
#include "base/utf8.h"
#include "expr/kernel.h"

/* A view per argument; *out is owned (ps_free). */
static inline ps_status psi_arg_views(const ps_fn_run *run, ps_view **out, ps_error *err)
{
    PS_TRY(ps_alloc((size_t)(run->n_args > 0 ? run->n_args : 1) * sizeof **out, out, err));
    for (int k = 0; k < run->n_args; k++)
        ps_view_init(&(*out)[k], run->args[k]);
    return PS_OK;
}
/* NULL in any of the first n arguments. */
static inline bool psi_any_null(const ps_view *views, int n, int64_t i)
{
    bool null = false;

    for (int k = 0; k < n; k++)
        null |= ps_view_is_null(&views[k], i);
    return null;
}

/* A value per row, which `row` appends to the builder; NULL where any of the first n_strict arguments is.  Both loops are
 * inlined into their kernels, and the rules into them. */
typedef ps_status psi_value_row(const ps_fn_run *run, const ps_view *views, int64_t i, ps_builder *b, ps_error *err);
PSI_ALWAYS ps_status psi_kernel_values(const ps_fn_run *run, int n_strict, psi_value_row *row, ps_vec **out, ps_error *err)
{
    ps_builder *b = NULL;
    ps_view *views;
    ps_status rc;

    PS_TRY(psi_arg_views(run, &views, err));
    PS_TRY_OR(done, ps_build_new(run->type, run->rows->n, &b, err));
    PS_EACH_ROW(run->rows, i)
        PS_TRY_OR(done, psi_any_null(views, n_strict, i) ? ps_build_null(b, err) : row(run, views, i, b, err));
done:
    ps_free(views);
    return psi_kernel_built(run, b, rc, out, err);
}

/* A text per row, which `row` appends to the empty `text`. */
typedef ps_status psi_text_row(const ps_fn_run *run, const ps_view *views, int64_t i, ps_bytes *text, ps_error *err);
PSI_ALWAYS ps_status psi_kernel_texts(const ps_fn_run *run, int n_strict, psi_text_row *row, ps_vec **out, ps_error *err)
{
    ps_bytes text = {0};
    ps_builder *b = NULL;
    ps_view *views;
    ps_status rc;

    PS_TRY(psi_arg_views(run, &views, err));
    PS_TRY_OR(done, ps_build_new(run->type, run->rows->n, &b, err));
    PS_EACH_ROW(run->rows, i) {
        if (psi_any_null(views, n_strict, i)) {
            PS_TRY_OR(done, ps_build_null(b, err));
            continue;
        }
        ps_bytes_reset(&text);
        PS_TRY_OR(done, row(run, views, i, &text, err));
        PS_TRY_OR(done, ps_build_text(b, text.data ? text.data : "", text.n_bytes, err));
    }
done:
    ps_bytes_clear(&text);
    ps_free(views);
    return psi_kernel_built(run, b, rc, out, err);
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
