/*
 * col/vec_copy.c - vectors made from vectors: slices, gathers, flat copies, concatenation.
 *
 * Slices and gathers share memory and cost a header; ps_vec_copy() is for what outlives its batch.
 */
#include "col/vec_int.h"

/* Bits [start, start + n) of a bitmap, as words; bits behind the end are zero or garbage, never read. */
static ps_status slice_valid(const ps_vec *vec, int64_t start, int64_t n, ps_vec *out, ps_error *err)
{
    int shift = (int)(start & 63);
    const uint64_t *from = vec->valid + (start >> 6);
    int64_t n_words = (n + 63) / 64, n_from = (shift + n + 63) / 64;

    if (shift == 0) {
        out->valid = vec->valid + (start >> 6);
        out->valid_buf = ps_buf_ref(vec->valid_buf);
        return PS_OK;
    }
    PS_TRY(psi_valid_new(n, true, &out->valid_buf, &out->valid, err));
    for (int64_t i = 0; i < n_words; i++)
        out->valid[i] = from[i] >> shift | (i + 1 < n_from ? from[i + 1] << (64 - shift) : 0);
    return PS_OK;
}

/* What child i of a slice is: a struct's children have its rows, those of arrays and maps rows of their own. */
static ps_status slice_child(const ps_vec *base, int i, int64_t start, int64_t n, ps_vec **out, ps_error *err)
{
    if (base->type->kind == PS_STRUCT)
        return ps_vec_slice(base->children[i], start, n, out, err);
    *out = ps_vec_ref(base->children[i]);
    return PS_OK;
}

static ps_status slice_flat(ps_vec *vec, int64_t start, int64_t n, ps_vec *out, ps_error *err)
{
    if (vec->data) {
        out->data = (char *)vec->data + (size_t)start * ps_type_width(vec->type);
        out->data_buf = ps_buf_ref(vec->data_buf);
    }
    if (vec->valid)
        PS_TRY(slice_valid(vec, start, n, out, err));
    PS_TRY(ps_vec_pin_all(out, vec, err));
    for (int i = 0; i < vec->n_children; i++) {
        ps_vec *child;
        PS_TRY(slice_child(vec, i, start, n, &child, err));
        PS_TRY(ps_vec_add_child(out, child, err));
    }
    return PS_OK;
}

ps_status ps_vec_slice(ps_vec *vec, int64_t start, int64_t n_rows, ps_vec **out, ps_error *err)
{
    ps_vec *slice;
    ps_status rc;

    *out = NULL;
    ps_assert(start >= 0 && n_rows >= 0 && start + n_rows <= vec->n_rows);
    if (start == 0 && n_rows == vec->n_rows) {
        *out = ps_vec_ref(vec);
        return PS_OK;
    }
    if (vec->shape == PS_CONST)
        return ps_vec_repeat(vec, 0, n_rows, out, err);
    PS_TRY(psi_vec_shell(vec->type, vec->shape, n_rows, &slice, err));
    if (vec->shape == PS_DICT) {
        slice->index = vec->index + start;
        slice->index_buf = ps_buf_ref(vec->index_buf);
        slice->dict = ps_vec_ref(vec->dict);
    } else {
        PS_TRY_OR(fail, slice_flat(vec, start, n_rows, slice, err));
    }
    *out = slice;
    return PS_OK;
fail:
    ps_vec_unref(slice);
    return rc;
}

ps_status ps_vec_repeat(ps_vec *value, int64_t row, int64_t n_rows, ps_vec **out, ps_error *err)
{
    ps_view view;
    ps_vec *vec;
    ps_status rc;
    int64_t at;

    *out = NULL;
    ps_view_init(&view, value);
    at = ps_at(&view, row);
    if (view.valid && !ps_bit(view.valid, at))
        return ps_vec_null(value->type, n_rows, out, err);
    PS_TRY(psi_vec_shell(value->type, PS_CONST, n_rows, &vec, err));
    if (view.base->data) {
        vec->data = (char *)view.base->data + (size_t)at * ps_type_width(value->type);
        vec->data_buf = ps_buf_ref(view.base->data_buf);
    }
    PS_TRY_OR(fail, ps_vec_pin_all(vec, view.base, err));
    for (int i = 0; i < view.base->n_children; i++) {
        ps_vec *child;
        PS_TRY_OR(fail, slice_child(view.base, i, at, 1, &child, err));
        PS_TRY_OR(fail, ps_vec_add_child(vec, child, err));
    }
    *out = vec;
    return PS_OK;
fail:
    ps_vec_unref(vec);
    return rc;
}

ps_status ps_vec_take(ps_vec *vec, const int32_t *index, int64_t n, ps_buf *index_buf, ps_vec **out, ps_error *err)
{
    ps_vec *take;
    ps_status rc;

    *out = NULL;
    if (vec->shape == PS_CONST)
        return ps_vec_repeat(vec, 0, n, out, err);
    PS_TRY(psi_vec_shell(vec->type, PS_DICT, n, &take, err));
    if (vec->shape == PS_FLAT && index_buf) {
        take->index_buf = ps_buf_ref(index_buf);
        take->index = (int32_t *)(uintptr_t)index; /* never written through */
    } else {
        PS_TRY_OR(fail, ps_buf_new((size_t)n * sizeof *index, &take->index_buf, err));
        take->index = (int32_t *)(void *)take->index_buf->data;
        if (vec->shape == PS_FLAT)
            memcpy(take->index, index, (size_t)n * sizeof *index);
        else
            for (int64_t i = 0; i < n; i++)
                take->index[i] = vec->index[index[i]];
    }
    take->dict = ps_vec_ref(vec->shape == PS_FLAT ? vec : vec->dict);
    *out = take;
    return PS_OK;
fail:
    ps_vec_unref(take);
    return rc;
}

/* Values of rows sel[0..n) (or 0..n) of `view`, one behind the other at `to`; a value under a NULL is as it was. */
#define GATHER(T)                                                                                  \
    do {                                                                                           \
        const T *src = view->data;                                                                 \
        T *dst = to;                                                                               \
        if (!sel && !view->index && view->mask)                                                    \
            memcpy(dst, src, (size_t)n * sizeof(T));                                               \
        else                                                                                       \
            for (int64_t j = 0; j < n; j++)                                                        \
                dst[j] = src[ps_at(view, sel ? sel[j] : j)];                                       \
    } while (0)

static void gather_data(const ps_view *view, const int32_t *sel, int64_t n, size_t width, void *to)
{
    typedef struct { uint64_t low, high; } wide;

    if (n == 0)
        return;
    switch (width) {
    case 1: GATHER(uint8_t); break;
    case 2: GATHER(uint16_t); break;
    case 4: GATHER(uint32_t); break;
    case 8: GATHER(uint64_t); break;
    case 16: GATHER(wide); break;
    default: break;
    }
}

/* Sets the bits from `at` on of a bitmap of ones. */
static void gather_valid(const ps_view *view, const int32_t *sel, int64_t n, uint64_t *valid, int64_t at)
{
    for (int64_t j = 0; j < n; j++)
        if (ps_view_is_null(view, sel ? sel[j] : j))
            ps_bit_clear(valid, at + j);
}

static ps_status flatten_children(const ps_vec *vec, const ps_view *view, ps_vec *out, ps_error *err)
{
    for (int i = 0; i < view->base->n_children; i++) {
        ps_vec *from = view->base->children[i], *child = NULL;
        if (vec->type->kind != PS_STRUCT)
            child = ps_vec_ref(from);
        else if (vec->shape == PS_CONST)
            PS_TRY(ps_vec_repeat(from, 0, vec->n_rows, &child, err));
        else
            PS_TRY(ps_vec_take(from, vec->index, vec->n_rows, vec->index_buf, &child, err));
        PS_TRY(ps_vec_add_child(out, child, err));
    }
    return PS_OK;
}

ps_status ps_vec_flatten(ps_vec *vec, ps_vec **out, ps_error *err)
{
    ps_view view;
    ps_vec *flat;
    ps_status rc;

    *out = NULL;
    if (vec->shape == PS_FLAT) {
        *out = ps_vec_ref(vec);
        return PS_OK;
    }
    ps_view_init(&view, vec);
    PS_TRY(ps_vec_new(vec->type, vec->n_rows, view.valid != NULL, &flat, err));
    gather_data(&view, NULL, vec->n_rows, ps_type_width(vec->type), flat->data);
    if (view.valid && vec->type->kind != PS_NULL)
        gather_valid(&view, NULL, vec->n_rows, flat->valid, 0);
    PS_TRY_OR(fail, ps_vec_pin_all(flat, view.base, err));
    PS_TRY_OR(fail, flatten_children(vec, &view, flat, err));
    *out = flat;
    return PS_OK;
fail:
    ps_vec_unref(flat);
    return rc;
}

/* Moves the far strings of `vec`, whose views were gathered already, into one buffer of its own. */
static ps_status own_strings(ps_vec *vec, ps_error *err)
{
    ps_str *views = vec->data;
    size_t total = 0;
    ps_buf *buf;
    ps_status rc;
    char *to;

    for (int64_t i = 0; i < vec->n_rows; i++) {
        if (vec->valid && !ps_bit(vec->valid, i))
            memset(&views[i], 0, sizeof views[i]);
        else if (views[i].n_bytes > PS_STR_INLINE)
            total += views[i].n_bytes;
    }
    if (total == 0)
        return PS_OK;
    PS_TRY(ps_buf_new(total, &buf, err));
    to = (char *)buf->data;
    for (int64_t i = 0; i < vec->n_rows; i++) {
        if (views[i].n_bytes <= PS_STR_INLINE)
            continue;
        memcpy(to, views[i].far.data, views[i].n_bytes);
        views[i].far.data = to;
        to += views[i].n_bytes;
    }
    rc = ps_vec_pin(vec, buf, err);
    ps_buf_unref(buf);
    return rc;
}

/* Copies the child rows that the gathered spans of `out` use, and makes the spans dense. */
static ps_status own_spans(const ps_vec *base, ps_vec *out, ps_error *err)
{
    ps_span *spans = out->data;
    uint64_t total = 0;
    int32_t *rows;
    ps_status rc = PS_OK;
    int64_t k = 0;

    for (int64_t i = 0; i < out->n_rows; i++) {
        if (out->valid && !ps_bit(out->valid, i))
            spans[i].n = 0;
        total += spans[i].n;
    }
    if (total > INT32_MAX)
        return ps_raise(err, PS_E_NO_MEMORY, (size_t)total * 16);
    PS_TRY(ps_alloc((size_t)total * sizeof *rows, &rows, err));
    for (int64_t i = 0; i < out->n_rows; i++) {
        uint32_t start = (uint32_t)k;
        for (uint32_t j = 0; j < spans[i].n; j++)
            rows[k++] = (int32_t)(spans[i].start + j);
        spans[i].start = start;
    }
    for (int i = 0; i < base->n_children && rc == PS_OK; i++) {
        ps_vec *child;
        if ((rc = ps_vec_copy(base->children[i], rows, (int64_t)total, &child, err)) == PS_OK)
            rc = ps_vec_add_child(out, child, err);
    }
    ps_free(rows);
    return rc;
}

static ps_status own_fields(const ps_vec *base, const ps_view *view, const int32_t *sel, int64_t n, ps_vec *out,
                            ps_error *err)
{
    int32_t *rows;
    ps_status rc = PS_OK;

    PS_TRY(ps_alloc((size_t)n * sizeof *rows, &rows, err));
    for (int64_t j = 0; j < n; j++)
        rows[j] = (int32_t)ps_at(view, sel ? sel[j] : j);
    for (int i = 0; i < base->n_children && rc == PS_OK; i++) {
        ps_vec *child;
        if ((rc = ps_vec_copy(base->children[i], rows, n, &child, err)) == PS_OK)
            rc = ps_vec_add_child(out, child, err);
    }
    ps_free(rows);
    return rc;
}

ps_status ps_vec_copy(ps_vec *vec, const int32_t *sel, int64_t n, ps_vec **out, ps_error *err)
{
    ps_view view;
    ps_vec *copy;
    ps_status rc = PS_OK;

    *out = NULL;
    ps_view_init(&view, vec);
    PS_TRY(ps_vec_new(vec->type, n, view.valid != NULL, &copy, err));
    gather_data(&view, sel, n, ps_type_width(vec->type), copy->data);
    if (view.valid && vec->type->kind != PS_NULL)
        gather_valid(&view, sel, n, copy->valid, 0);
    switch (vec->type->kind) {
    case PS_STRING:
    case PS_BINARY: rc = own_strings(copy, err); break;
    case PS_ARRAY:
    case PS_MAP: rc = own_spans(view.base, copy, err); break;
    case PS_STRUCT: rc = own_fields(view.base, &view, sel, n, copy, err); break;
    default: break;
    }
    if (rc != PS_OK) {
        ps_vec_unref(copy);
        return rc;
    }
    *out = copy;
    return PS_OK;
}

/* The child rows an array or map vector really uses, when that is far less than it holds (a small slice of a
 * large vector): then a dense copy in *out, else a reference to vec. */
static ps_status trim_spans(ps_vec *vec, ps_vec **out, ps_error *err)
{
    ps_view view;
    uint64_t used = 0;
    const ps_span *spans;

    ps_view_init(&view, vec);
    spans = view.data;
    for (int64_t i = 0; i < vec->n_rows; i++)
        used += ps_view_is_null(&view, i) ? 0 : spans[ps_at(&view, i)].n;
    if (used * 2 < (uint64_t)view.base->children[0]->n_rows)
        return ps_vec_copy(vec, NULL, vec->n_rows, out, err);
    *out = ps_vec_ref(vec);
    return PS_OK;
}

static ps_status concat_spans(ps_vec *const *vecs, int n, ps_vec *out, ps_error *err)
{
    int n_children = vecs[0]->type->n_fields;
    ps_span *spans = out->data;
    ps_vec **parts;
    ps_status rc = PS_OK;
    uint64_t base = 0;
    int64_t at = 0;

    PS_TRY(ps_alloc0((size_t)n * 2 * sizeof *parts, &parts, err));
    for (int i = 0; i < n && rc == PS_OK; i++)
        rc = trim_spans(vecs[i], &parts[i], err);
    for (int i = 0; i < n && rc == PS_OK; i++) {
        ps_view view;
        ps_view_init(&view, parts[i]);
        gather_data(&view, NULL, parts[i]->n_rows, sizeof *spans, spans + at);
        for (int64_t j = 0; j < parts[i]->n_rows; j++, at++)
            spans[at].start += (uint32_t)base;
        base += (uint64_t)view.base->children[0]->n_rows;
        if (base > UINT32_MAX)
            rc = ps_raise(err, PS_E_NO_MEMORY, (size_t)base * 16);
    }
    for (int c = 0; c < n_children && rc == PS_OK; c++) {
        ps_vec *child;
        for (int i = 0; i < n; i++) {
            ps_view view;
            ps_view_init(&view, parts[i]);
            parts[n + i] = view.base->children[c];
        }
        if ((rc = ps_vec_concat(parts + n, n, &child, err)) == PS_OK)
            rc = ps_vec_add_child(out, child, err);
    }
    for (int i = 0; i < n; i++)
        ps_vec_unref(parts[i]);
    ps_free(parts);
    return rc;
}

static ps_status concat_fields(ps_vec *const *vecs, int n, ps_vec *out, ps_error *err)
{
    ps_vec **flat;
    ps_status rc = PS_OK;

    PS_TRY(ps_alloc0((size_t)n * 2 * sizeof *flat, &flat, err));
    for (int i = 0; i < n && rc == PS_OK; i++)
        rc = ps_vec_flatten(vecs[i], &flat[i], err);
    for (int c = 0; c < out->type->n_fields && rc == PS_OK; c++) {
        ps_vec *child;
        for (int i = 0; i < n; i++)
            flat[n + i] = flat[i]->children[c];
        if ((rc = ps_vec_concat(flat + n, n, &child, err)) == PS_OK)
            rc = ps_vec_add_child(out, child, err);
    }
    for (int i = 0; i < n; i++)
        ps_vec_unref(flat[i]);
    ps_free(flat);
    return rc;
}

static ps_status concat_plain(ps_vec *const *vecs, int n, ps_vec *out, ps_error *err)
{
    size_t width = ps_type_width(out->type);
    int64_t at = 0;

    for (int i = 0; i < n; i++) {
        ps_view view;
        ps_view_init(&view, vecs[i]);
        gather_data(&view, NULL, vecs[i]->n_rows, width, (char *)out->data + (size_t)at * width);
        PS_TRY(ps_vec_pin_all(out, vecs[i], err));
        at += vecs[i]->n_rows;
    }
    return PS_OK;
}

static void concat_valid(ps_vec *const *vecs, int n, ps_vec *out)
{
    int64_t at = 0;

    for (int i = 0; i < n; i++) {
        ps_view view;
        ps_view_init(&view, vecs[i]);
        if (view.valid)
            gather_valid(&view, NULL, vecs[i]->n_rows, out->valid, at);
        at += vecs[i]->n_rows;
    }
}

ps_status ps_vec_concat(ps_vec *const *vecs, int n, ps_vec **out, ps_error *err)
{
    bool nullable = false;
    int64_t n_rows = 0;
    ps_vec *all;
    ps_status rc;

    *out = NULL;
    ps_assert(n > 0);
    if (n == 1)
        return ps_vec_flatten(vecs[0], out, err);
    for (int i = 0; i < n; i++) {
        ps_view view;
        ps_view_init(&view, vecs[i]);
        nullable |= view.valid != NULL;
        n_rows += vecs[i]->n_rows;
    }
    PS_TRY(ps_vec_new(vecs[0]->type, n_rows, nullable, &all, err));
    if (all->type->kind == PS_ARRAY || all->type->kind == PS_MAP)
        rc = concat_spans(vecs, n, all, err);
    else if (all->type->kind == PS_STRUCT)
        rc = concat_fields(vecs, n, all, err);
    else
        rc = concat_plain(vecs, n, all, err);
    if (rc != PS_OK) {
        ps_vec_unref(all);
        return rc;
    }
    if (nullable && all->type->kind != PS_NULL)
        concat_valid(vecs, n, all);
    *out = all;
    return PS_OK;
}

static ps_status retype_parts(ps_vec *vec, const ps_type *type, ps_vec *out, ps_error *err)
{
    out->data = vec->data;
    out->valid = vec->valid;
    out->index = vec->index;
    out->data_buf = ps_buf_ref(vec->data_buf);
    out->valid_buf = ps_buf_ref(vec->valid_buf);
    out->index_buf = ps_buf_ref(vec->index_buf);
    for (int i = 0; i < vec->n_bufs; i++)
        PS_TRY(ps_vec_pin(out, vec->bufs[i], err));
    if (vec->dict)
        PS_TRY(ps_vec_retype(vec->dict, type, &out->dict, err));
    for (int i = 0; i < vec->n_children; i++) {
        ps_vec *child;
        PS_TRY(ps_vec_retype(vec->children[i], type->fields[i].type, &child, err));
        PS_TRY(ps_vec_add_child(out, child, err));
    }
    return PS_OK;
}

ps_status ps_vec_retype(ps_vec *vec, const ps_type *type, ps_vec **out, ps_error *err)
{
    ps_vec *same;
    ps_status rc;

    *out = NULL;
    if (vec->type == type) {
        *out = ps_vec_ref(vec);
        return PS_OK;
    }
    ps_assert(ps_type_width(vec->type) == ps_type_width(type) && vec->type->n_fields == type->n_fields);
    PS_TRY(psi_vec_shell(type, vec->shape, vec->n_rows, &same, err));
    if ((rc = retype_parts(vec, type, same, err)) != PS_OK) {
        ps_vec_unref(same);
        return rc;
    }
    *out = same;
    return PS_OK;
}
