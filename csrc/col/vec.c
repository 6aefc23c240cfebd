/*
 * col/vec.c - making, sharing and measuring vectors, and reading them in any shape.
 */
#include "col/vec.h"
#include "col/vec_int.h"

ps_status psi_vec_shell(const ps_type *type, ps_shape shape, int64_t n_rows, ps_vec **out, ps_error *err)
{
    ps_vec *vec;

    *out = NULL;
    PS_TRY(ps_alloc0(sizeof *vec, &vec, err));
    ps_refs_init(&vec->refs);
    vec->shape = shape;
    vec->type = ps_type_ref(type);
    vec->n_rows = n_rows;
    *out = vec;
    return PS_OK;
}

ps_status psi_valid_new(int64_t n_rows, bool all_valid, ps_buf **buf, uint64_t **bits, ps_error *err)
{
    size_t n_bytes = ((size_t)n_rows + 63) / 64 * 8;

    *bits = NULL;
    PS_TRY(ps_buf_new(n_bytes, buf, err));
    memset((*buf)->data, all_valid ? 0xff : 0, n_bytes);
    *bits = (uint64_t *)(void *)(*buf)->data;
    return PS_OK;
}

ps_vec *ps_vec_ref(ps_vec *vec)
{
    if (vec)
        ps_refs_inc(&vec->refs);
    return vec;
}

void ps_vec_unref(ps_vec *vec)
{
    if (!vec || !ps_refs_dec(&vec->refs))
        return;
    for (int i = 0; i < vec->n_children; i++)
        ps_vec_unref(vec->children[i]);
    for (int i = 0; i < vec->n_bufs; i++)
        ps_buf_unref(vec->bufs[i]);
    ps_free(vec->children);
    ps_free(vec->bufs);
    ps_buf_unref(vec->data_buf);
    ps_buf_unref(vec->valid_buf);
    ps_buf_unref(vec->index_buf);
    ps_vec_unref(vec->dict);
    ps_type_unref(vec->type);
    ps_free(vec);
}

ps_status psi_vec_alloc_data(ps_vec *vec, int64_t n_physical, ps_error *err)
{
    size_t width = ps_type_width(vec->type);

    if (width == 0)
        return PS_OK;
    PS_TRY(ps_buf_new((size_t)n_physical * width, &vec->data_buf, err));
    vec->data = vec->data_buf->data;
    return PS_OK;
}

ps_status ps_vec_new(const ps_type *type, int64_t n_rows, bool nullable, ps_vec **out, ps_error *err)
{
    ps_vec *vec;
    ps_status rc;

    *out = NULL;
    PS_TRY(psi_vec_shell(type, PS_FLAT, n_rows, &vec, err));
    PS_TRY_OR(fail, psi_vec_alloc_data(vec, n_rows, err));
    if (nullable || type->kind == PS_NULL)
        PS_TRY_OR(fail, psi_valid_new(n_rows, type->kind != PS_NULL, &vec->valid_buf, &vec->valid, err));
    *out = vec;
    return PS_OK;
fail:
    ps_vec_unref(vec);
    return rc;
}

ps_status ps_vec_add_child(ps_vec *vec, ps_vec *child, ps_error *err)
{
    ps_status rc = ps_realloc((size_t)(vec->n_children + 1) * sizeof *vec->children, &vec->children, err);

    if (rc != PS_OK) {
        ps_vec_unref(child);
        return rc;
    }
    vec->children[vec->n_children++] = child;
    return PS_OK;
}

/* Looking at the newest pins only keeps a vector made of thousands of parts linear to build; a buffer
 * pinned twice costs a reference and no more. */
#define PIN_LOOK_BACK 32

ps_status ps_vec_pin(ps_vec *vec, ps_buf *buf, ps_error *err)
{
    int n = vec->n_bufs;

    for (int i = n - 1; i >= 0 && i >= n - PIN_LOOK_BACK; i--)
        if (vec->bufs[i] == buf)
            return PS_OK;
    if ((n & (n - 1)) == 0) /* full at powers of two */
        PS_TRY(ps_realloc((size_t)(n ? n * 2 : 1) * sizeof *vec->bufs, &vec->bufs, err));
    vec->bufs[vec->n_bufs++] = ps_buf_ref(buf);
    return PS_OK;
}

ps_status ps_vec_pin_all(ps_vec *vec, const ps_vec *from, ps_error *err)
{
    for (int i = 0; i < from->n_bufs; i++)
        PS_TRY(ps_vec_pin(vec, from->bufs[i], err));
    return from->dict ? ps_vec_pin_all(vec, from->dict, err) : PS_OK;
}

ps_status ps_vec_make_nullable(ps_vec *vec, ps_error *err)
{
    if (vec->valid)
        return PS_OK;
    return psi_valid_new(vec->n_rows, true, &vec->valid_buf, &vec->valid, err);
}

ps_status ps_vec_null(const ps_type *type, int64_t n_rows, ps_vec **out, ps_error *err)
{
    ps_vec *vec;
    ps_status rc;

    *out = NULL;
    PS_TRY(psi_vec_shell(type, PS_CONST, n_rows, &vec, err));
    PS_TRY_OR(fail, psi_vec_alloc_data(vec, 1, err));
    if (vec->data)
        memset(vec->data, 0, ps_type_width(type));
    PS_TRY_OR(fail, psi_valid_new(1, false, &vec->valid_buf, &vec->valid, err));
    for (int i = 0; i < type->n_fields; i++) {
        ps_vec *child;
        PS_TRY_OR(fail, ps_vec_null(type->fields[i].type, type->kind == PS_STRUCT, &child, err));
        PS_TRY_OR(fail, ps_vec_add_child(vec, child, err));
    }
    *out = vec;
    return PS_OK;
fail:
    ps_vec_unref(vec);
    return rc;
}

size_t ps_vec_n_bytes(const ps_vec *vec)
{
    size_t n = sizeof *vec;

    n += vec->data_buf ? vec->data_buf->n_bytes : 0;
    n += vec->valid_buf ? vec->valid_buf->n_bytes : 0;
    n += vec->index_buf ? vec->index_buf->n_bytes : 0;
    n += vec->dict ? ps_vec_n_bytes(vec->dict) : 0;
    for (int i = 0; i < vec->n_bufs; i++)
        n += vec->bufs[i]->n_bytes;
    for (int i = 0; i < vec->n_children; i++)
        n += ps_vec_n_bytes(vec->children[i]);
    return n;
}

void ps_view_init(ps_view *view, const ps_vec *vec)
{
    const ps_vec *base = vec->shape == PS_DICT ? vec->dict : vec;

    *view = (ps_view){base->data, base->valid, vec->shape == PS_DICT ? vec->index : NULL,
                      vec->shape == PS_CONST ? 0 : -1, base};
}

bool ps_vec_is_null(const ps_vec *vec, int64_t row)
{
    ps_view view;

    ps_view_init(&view, vec);
    return ps_view_is_null(&view, row);
}

int64_t ps_vec_null_count(const ps_vec *vec)
{
    ps_view view;
    int64_t n = 0, i = 0;

    ps_view_init(&view, vec);
    if (!view.valid)
        return 0;
    if (vec->shape == PS_CONST)
        return ps_bit(view.valid, 0) ? 0 : vec->n_rows;
    if (vec->shape == PS_FLAT) {
        for (; i + 64 <= vec->n_rows; i += 64)
            n += 64 - __builtin_popcountll(view.valid[i >> 6]);
    }
    for (; i < vec->n_rows; i++)
        n += ps_view_is_null(&view, i);
    return n;
}
