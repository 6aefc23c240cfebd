/*
 * io/src_memory_mode.c - a feed's rows in the shapes that operators must cope with: for the run modes of tests.
 *
 * What a test pushes arrives flat and whole.  Other sources give slices, dictionaries, constants and selections; with
 * the mode "shaped" a feed does so too, and with slices it gives workers something to share.
 */
#include "io/source_int.h"

static int64_t slice_rows; /* set before queries start, only read by them */
static bool shaped;

void ps_memory_feed_mode(int64_t rows, bool shapes)
{
    slice_rows = rows;
    shaped = shapes;
}

/* Every row twice: a constant when there is one, else a dictionary, a slice of a longer vector, or a flat one. */
static ps_status twice(ps_vec *vec, int shape, ps_vec **out, ps_error *err)
{
    ps_buf *index_buf;
    ps_vec *made = NULL;
    int32_t *index;
    ps_status rc;

    if (vec->n_rows == 1)
        return ps_vec_repeat(vec, 0, 2, out, err);
    PS_TRY(ps_buf_new((size_t)(2 * vec->n_rows + 1) * sizeof *index, &index_buf, err));
    index = (int32_t *)index_buf->data;
    index[0] = 0;
    for (int64_t i = 0; i < 2 * vec->n_rows; i++)
        index[i + 1] = (int32_t)(i / 2);
    rc = ps_vec_take(vec, index + 1, 2 * vec->n_rows, index_buf, out, err);
    if (rc == PS_OK && shape == 1) { /* of a longer vector */
        ps_vec_unref(*out);
        *out = NULL;
        rc = ps_vec_take(vec, index, 2 * vec->n_rows + 1, index_buf, &made, err);
        if (rc == PS_OK)
            rc = ps_vec_slice(made, 1, 2 * vec->n_rows, out, err);
    } else if (rc == PS_OK && shape == 2) {
        made = *out;
        rc = ps_vec_flatten(made, out, err);
    }
    ps_vec_unref(made);
    ps_buf_unref(index_buf);
    return rc;
}

static ps_status add_shaped(ps_batches *list, ps_batch *block, int64_t start, int64_t n, ps_error *err)
{
    ps_batch *batch = NULL, *chosen = NULL;
    ps_buf *sel;
    ps_status rc;

    PS_TRY(ps_batch_new(block->n_cols, 2 * n, &batch, err));
    for (int i = 0; i < block->n_cols; i++) {
        ps_vec *piece = NULL;

        rc = ps_vec_slice(block->cols[i], start, n, &piece, err);
        if (rc == PS_OK)
            rc = twice(piece, i % 3, &batch->cols[i], err);
        ps_vec_unref(piece);
        if (rc != PS_OK)
            goto done;
    }
    PS_TRY_OR(done, ps_buf_new((size_t)n * sizeof(int32_t), &sel, err));
    for (int64_t i = 0; i < n; i++)
        ((int32_t *)sel->data)[i] = (int32_t)(2 * i + i % 2);
    PS_TRY_OR(done, ps_batch_select(batch, sel, n, &chosen, err));
    rc = ps_batches_add(list, chosen, err);
done:
    ps_batch_unref(chosen);
    ps_batch_unref(batch);
    return rc;
}

ps_status psi_memory_mode_add(ps_batches *list, ps_batch *block, ps_error *err)
{
    int64_t step = slice_rows > 0 ? slice_rows : block->n_rows;

    if (!shaped && (step >= block->n_rows || block->n_rows == 0))
        return ps_batches_add(list, block, err);
    for (int64_t start = 0, n; start < block->n_rows; start += n) {
        n = shaped && start == 0 ? 1 : step;
        if (n > block->n_rows - start)
            n = block->n_rows - start;
        if (shaped) {
            PS_TRY(add_shaped(list, block, start, n, err));
        } else {
            ps_batch *slice;
            ps_status rc;

            PS_TRY(ps_batch_slice(block, start, n, &slice, err));
            rc = ps_batches_add(list, slice, err);
            ps_batch_unref(slice);
            PS_TRY(rc);
        }
    }
    return PS_OK;
}
