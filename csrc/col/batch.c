/*
 * col/batch.c - batches: sharing, selecting, copying, and lists of them.
 */
#include "col/batch.h"

int ps_batch_rows = PS_BATCH_ROWS;

ps_status ps_batch_new(int n_cols, int64_t n_rows, ps_batch **out, ps_error *err)
{
    ps_batch *batch;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_alloc0(sizeof *batch, &batch, err));
    ps_refs_init(&batch->refs);
    batch->n_rows = batch->n_sel = n_rows;
    if ((rc = ps_alloc0((size_t)n_cols * sizeof *batch->cols, &batch->cols, err)) != PS_OK) {
        ps_free(batch);
        return rc;
    }
    batch->n_cols = n_cols;
    *out = batch;
    return PS_OK;
}

ps_status ps_batch_like(const ps_batch *batch, int n_cols, ps_batch **out, ps_error *err)
{
    PS_TRY(ps_batch_new(n_cols, batch->n_rows, out, err));
    if (batch->sel) {
        (*out)->sel_buf = ps_buf_ref(batch->sel_buf);
        (*out)->sel = batch->sel;
        (*out)->n_sel = batch->n_sel;
    }
    return PS_OK;
}

ps_batch *ps_batch_ref(ps_batch *batch)
{
    ps_refs_inc(&batch->refs);
    return batch;
}

void ps_batch_unref(ps_batch *batch)
{
    if (!batch || !ps_refs_dec(&batch->refs))
        return;
    for (int i = 0; i < batch->n_cols; i++)
        ps_vec_unref(batch->cols[i]);
    ps_free(batch->cols);
    ps_buf_unref(batch->sel_buf);
    ps_free(batch);
}

/* The same columns, all rows live. */
static ps_status share_columns(ps_batch *batch, ps_batch **out, ps_error *err)
{
    PS_TRY(ps_batch_new(batch->n_cols, batch->n_rows, out, err));
    for (int i = 0; i < batch->n_cols; i++)
        (*out)->cols[i] = ps_vec_ref(batch->cols[i]);
    return PS_OK;
}

ps_status ps_batch_select(ps_batch *batch, ps_buf *sel_buf, int64_t n_sel, ps_batch **out, ps_error *err)
{
    ps_status rc;

    *out = NULL;
    if ((rc = share_columns(batch, out, err)) != PS_OK) {
        ps_buf_unref(sel_buf);
        return rc;
    }
    (*out)->sel_buf = sel_buf;
    (*out)->sel = (const int32_t *)(const void *)sel_buf->data;
    (*out)->n_sel = n_sel;
    return PS_OK;
}

ps_status ps_batch_slice(ps_batch *batch, int64_t start, int64_t n, ps_batch **out, ps_error *err)
{
    ps_batch *slice;

    *out = NULL;
    ps_assert(start >= 0 && n >= 0 && start + n <= batch->n_sel);
    if (batch->sel) {
        PS_TRY(share_columns(batch, &slice, err));
        slice->sel_buf = ps_buf_ref(batch->sel_buf);
        slice->sel = batch->sel + start;
        slice->n_sel = n;
        *out = slice;
        return PS_OK;
    }
    PS_TRY(ps_batch_new(batch->n_cols, n, &slice, err));
    for (int i = 0; i < batch->n_cols; i++) {
        ps_status rc = ps_vec_slice(batch->cols[i], start, n, &slice->cols[i], err);
        if (rc != PS_OK) {
            ps_batch_unref(slice);
            return rc;
        }
    }
    *out = slice;
    return PS_OK;
}

ps_status ps_batch_copy(ps_batch *batch, ps_batch **out, ps_error *err)
{
    ps_batch *copy;

    *out = NULL;
    PS_TRY(ps_batch_new(batch->n_cols, batch->n_sel, &copy, err));
    for (int i = 0; i < batch->n_cols; i++) {
        ps_status rc = ps_vec_copy(batch->cols[i], batch->sel, batch->n_sel, &copy->cols[i], err);
        if (rc != PS_OK) {
            ps_batch_unref(copy);
            return rc;
        }
    }
    *out = copy;
    return PS_OK;
}

static ps_status compact_column(ps_batch *batch, int i, ps_vec **out, ps_error *err)
{
    ps_vec *take;
    ps_status rc;

    if (!batch->sel)
        return ps_vec_flatten(batch->cols[i], out, err);
    PS_TRY(ps_vec_take(batch->cols[i], batch->sel, batch->n_sel, batch->sel_buf, &take, err));
    rc = ps_vec_flatten(take, out, err);
    ps_vec_unref(take);
    return rc;
}

ps_status ps_batch_compact(ps_batch *batch, ps_batch **out, ps_error *err)
{
    ps_batch *compact;

    *out = NULL;
    PS_TRY(ps_batch_new(batch->n_cols, batch->n_sel, &compact, err));
    for (int i = 0; i < batch->n_cols; i++) {
        ps_status rc = compact_column(batch, i, &compact->cols[i], err);
        if (rc != PS_OK) {
            ps_batch_unref(compact);
            return rc;
        }
    }
    *out = compact;
    return PS_OK;
}

size_t ps_batch_n_bytes(const ps_batch *batch)
{
    size_t n = sizeof *batch + (batch->sel_buf ? batch->sel_buf->n_bytes : 0);

    for (int i = 0; i < batch->n_cols; i++)
        n += ps_vec_n_bytes(batch->cols[i]);
    return n;
}

ps_status ps_batches_add(ps_batches *list, ps_batch *batch, ps_error *err)
{
    PS_TRY(PS_PUSH(list, batch, err));
    ps_batch_ref(batch);
    list->n_rows += batch->n_sel;
    return PS_OK;
}

/* FLAT with no rows, children included. */
static ps_status empty_column(const ps_type *type, ps_vec **out, ps_error *err)
{
    ps_vec *none;
    ps_status rc;

    PS_TRY(ps_vec_null(type, 0, &none, err));
    rc = ps_vec_flatten(none, out, err);
    ps_vec_unref(none);
    return rc;
}

static ps_status concat_column(const ps_batches *list, int col, const ps_type *type, ps_vec **out, ps_error *err)
{
    ps_vec **parts;
    ps_status rc = PS_OK;

    if (list->n == 0)
        return empty_column(type, out, err);
    PS_TRY(ps_alloc0((size_t)list->n * sizeof *parts, &parts, err));
    for (int i = 0; i < list->n && rc == PS_OK; i++) {
        ps_batch *batch = list->items[i];
        if (batch->sel)
            rc = ps_vec_take(batch->cols[col], batch->sel, batch->n_sel, batch->sel_buf, &parts[i], err);
        else
            parts[i] = ps_vec_ref(batch->cols[col]);
    }
    if (rc == PS_OK)
        rc = ps_vec_concat(parts, list->n, out, err);
    for (int i = 0; i < list->n; i++)
        ps_vec_unref(parts[i]);
    ps_free(parts);
    return rc;
}

ps_status ps_batches_concat(const ps_batches *list, int n_cols, const ps_type *const *types, ps_batch **out,
                            ps_error *err)
{
    ps_batch *all;

    *out = NULL;
    PS_TRY(ps_batch_new(n_cols, list->n_rows, &all, err));
    for (int i = 0; i < n_cols; i++) {
        ps_status rc = concat_column(list, i, types[i], &all->cols[i], err);
        if (rc != PS_OK) {
            ps_batch_unref(all);
            return rc;
        }
    }
    *out = all;
    return PS_OK;
}

void ps_batches_clear(ps_batches *list)
{
    for (int i = 0; i < list->n; i++)
        ps_batch_unref(list->items[i]);
    ps_free(list->items);
    *list = (ps_batches){0};
}
