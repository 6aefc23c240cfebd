/* expr/kernel.c - what the macros of kernel.h call. */
#include "expr/kernel.h"

/* Clears in valid (of the result) the rows where an argument is NULL.  Words at a time when the argument is FLAT. */
static void and_nulls(const ps_view *view, const ps_rows *rows, uint64_t *valid)
{
    if (!view->index && view->mask) {
        for (int64_t w = 0; w < (rows->n_rows + 63) / 64; w++)
            valid[w] &= view->valid[w];
        return;
    }
    PS_EACH_ROW(rows, i)
        if (ps_view_is_null(view, i))
            ps_bit_clear(valid, i);
}

void psi_views(ps_fn_run *run, int n_args, psi_loop *loop)
{
    ps_assert(n_args <= PS_FN_VIEWS && n_args <= run->n_args);
    for (int k = 0; k < n_args; k++) {
        ps_view_init(&loop->views[k], run->args[k]);
        run->views[k] = loop->views[k];
    }
}

ps_status psi_loop_begin(ps_fn_run *run, int n_args, bool nullable, psi_loop *loop, ps_error *err)
{
    int n_const = 0;
    ps_status rc;

    psi_views(run, n_args, loop);
    loop->dense = loop->plain = run->rows->sel == NULL;
    for (int k = 0; k < n_args; k++) {
        nullable |= loop->views[k].valid != NULL;
        loop->dense &= run->args[k]->shape == PS_FLAT && !loop->views[k].valid;
        loop->plain &= run->args[k]->shape != PS_DICT;
        n_const += run->args[k]->shape == PS_CONST;
    }
    loop->plain &= n_const < n_args || run->rows->n_rows == 1;
    PS_TRY(ps_vec_new(run->type, run->rows->n_rows, nullable, &loop->vec, err));
    if (ps_kind_is_text(run->type->kind) && !loop->dense) /* a view must be readable where no rule makes one */
        memset(loop->vec->data, 0, (size_t)run->rows->n_rows * sizeof(ps_str));
    for (int k = 0; k < n_args; k++) {
        if (loop->views[k].valid)
            and_nulls(&loop->views[k], run->rows, loop->vec->valid);
        if (ps_kind_is_text(run->type->kind) && ps_kind_is_text(run->args[k]->type->kind))
            PS_TRY_OR(fail, ps_vec_pin_all(loop->vec, run->args[k], err));
    }
    return PS_OK;
fail:
    ps_vec_unref(loop->vec);
    return rc;
}

/* The jth value of `dense` is that of the jth live row: a DICT whose other rows show any value. */
ps_status psi_kernel_built(const ps_fn_run *run, ps_builder *b, ps_status rc, ps_vec **out, ps_error *err)
{
    const ps_rows *rows = run->rows;
    ps_vec *dense = NULL;
    ps_buf *index = NULL;
    int32_t *at;

    *out = NULL;
    PS_TRY(ps_build_end(b, rc, &dense, err));
    ps_assert(dense->n_rows == rows->n);
    if (!rows->sel) {
        *out = dense;
        return PS_OK;
    }
    PS_TRY_OR(done, ps_buf_new((size_t)rows->n_rows * sizeof *at, &index, err));
    at = (int32_t *)index->data;
    memset(at, 0, (size_t)rows->n_rows * sizeof *at);
    for (int64_t j = 0; j < rows->n; j++)
        at[rows->sel[j]] = (int32_t)j;
    rc = ps_vec_take(dense, at, rows->n_rows, index, out, err);
done:
    ps_buf_unref(index);
    ps_vec_unref(dense);
    return rc;
}

/* Takes the builder, which was given one value with status rc. */
static ps_status repeated(const ps_fn_run *run, ps_builder *b, ps_status rc, ps_vec **out, ps_error *err)
{
    ps_vec *value;

    PS_TRY(ps_build_end(b, rc, &value, err));
    rc = ps_vec_repeat(value, 0, run->rows->n_rows, out, err);
    ps_vec_unref(value);
    return rc;
}

ps_status psi_kernel_same_int(const ps_fn_run *run, int64_t value, ps_vec **out, ps_error *err)
{
    ps_builder *b;

    PS_TRY(ps_build_new(run->type, 1, &b, err));
    return repeated(run, b, ps_build_int(b, value, err), out, err);
}

ps_status psi_kernel_same_text(const ps_fn_run *run, const char *value, ps_vec **out, ps_error *err)
{
    ps_builder *b;

    PS_TRY(ps_build_new(run->type, 1, &b, err));
    return repeated(run, b, ps_build_text(b, value, strlen(value), err), out, err);
}

bool psi_arg_text(const ps_fn_run *run, int arg, ps_slice *out)
{
    ps_view view;

    ps_view_init(&view, run->args[arg]);
    if (ps_view_is_null(&view, 0))
        return false;
    *out = ps_str_slice(&((const ps_str *)view.data)[ps_at(&view, 0)]);
    return true;
}
