/*
 * col/arrow_export.c - vectors as Arrow arrays.
 */
#include "col/arrow_int.h"
#include "col/vec_int.h"

/* What an exported array owns: the vector, buffers made for it, and its children. */
typedef struct node {
    ps_vec *vec;
    ps_buf *made[2];
    const void *buffers[3];
    struct ArrowArray **children, *items;
} node;

static void release_array(struct ArrowArray *array)
{
    node *own = array->private_data;

    for (int64_t i = 0; i < array->n_children; i++)
        if (array->children[i]->release)
            array->children[i]->release(array->children[i]);
    ps_vec_unref(own->vec);
    ps_buf_unref(own->made[0]);
    ps_buf_unref(own->made[1]);
    ps_free(own->children);
    ps_free(own->items);
    ps_free(own);
    array->release = NULL;
}

/* An array over vec (may be NULL), with room for children; `out` can be released from here on. */
static ps_status new_array(ps_vec *vec, int64_t length, int n_children, struct ArrowArray *out, node **own, ps_error *err)
{
    ps_status rc;

    *out = (struct ArrowArray){.length = length};
    PS_TRY(ps_alloc0(sizeof **own, own, err));
    out->private_data = *own;
    out->release = release_array;
    (*own)->vec = ps_vec_ref(vec);
    out->buffers = (*own)->buffers;
    if (n_children > 0) {
        PS_TRY_OR(fail, ps_alloc0((size_t)n_children * sizeof *(*own)->children, &(*own)->children, err));
        PS_TRY_OR(fail, ps_alloc0((size_t)n_children * sizeof *(*own)->items, &(*own)->items, err));
        for (int i = 0; i < n_children; i++)
            (*own)->children[i] = &(*own)->items[i];
        out->children = (*own)->children;
        out->n_children = n_children;
    }
    return PS_OK;
fail:
    out->release(out);
    return rc;
}

static bool is_valid(const ps_vec *vec, int64_t i)
{
    return !vec->valid || ps_bit(vec->valid, i);
}

static ps_status export_bools(const ps_vec *vec, node *own, ps_error *err)
{
    const uint8_t *values = vec->data;
    uint64_t *bits;

    PS_TRY(psi_valid_new(vec->n_rows, false, &own->made[0], &bits, err));
    for (int64_t i = 0; i < vec->n_rows; i++)
        bits[i >> 6] |= (uint64_t)(values[i] & 1) << (i & 63);
    own->buffers[1] = bits;
    return PS_OK;
}

static ps_status export_text(const ps_vec *vec, node *own, ps_error *err)
{
    const ps_str *views = vec->data;
    int64_t total = 0;
    int32_t *offsets;
    char *to;

    for (int64_t i = 0; i < vec->n_rows; i++)
        total += is_valid(vec, i) ? views[i].n_bytes : 0;
    if (total > INT32_MAX)
        return psi_arrow_malformed("a column of strings holds at most 2 GiB", err);
    PS_TRY(ps_buf_new((size_t)(vec->n_rows + 1) * sizeof *offsets, &own->made[0], err));
    PS_TRY(ps_buf_new((size_t)total, &own->made[1], err));
    offsets = (int32_t *)(void *)own->made[0]->data;
    to = (char *)own->made[1]->data;
    for (int64_t i = 0; i < vec->n_rows; i++) {
        offsets[i] = (int32_t)(to - (char *)own->made[1]->data);
        if (!is_valid(vec, i))
            continue;
        memcpy(to, ps_str_data(&views[i]), views[i].n_bytes);
        to += views[i].n_bytes;
    }
    offsets[vec->n_rows] = (int32_t)total;
    own->buffers[1] = offsets;
    own->buffers[2] = own->made[1]->data;
    return PS_OK;
}

/* Arrow's month, day and nanosecond. */
static ps_status export_calendars(const ps_vec *vec, node *own, ps_error *err)
{
    const ps_calendar *from = vec->data;
    ps_calendar *to;

    PS_TRY(ps_buf_new((size_t)vec->n_rows * sizeof *to, &own->made[0], err));
    to = (ps_calendar *)(void *)own->made[0]->data;
    for (int64_t i = 0; i < vec->n_rows; i++) {
        to[i] = is_valid(vec, i) ? from[i] : (ps_calendar){0};
        if (__builtin_mul_overflow(to[i].micros, 1000, &to[i].micros))
            return psi_arrow_malformed("an interval beyond what nanoseconds hold", err);
    }
    own->buffers[1] = to;
    return PS_OK;
}

/* Do the spans follow each other in the child, as Arrow's offsets must? */
static bool is_dense(const ps_vec *vec)
{
    const ps_span *spans = vec->data;
    int64_t next = -1;

    for (int64_t i = 0; i < vec->n_rows; i++) {
        if (!is_valid(vec, i) || spans[i].n == 0)
            continue;
        if (next >= 0 && spans[i].start != next)
            return false;
        next = (int64_t)spans[i].start + spans[i].n;
    }
    return next <= INT32_MAX;
}

static ps_status export_offsets(const ps_vec *vec, node *own, ps_error *err)
{
    const ps_span *spans = vec->data;
    int32_t *offsets;
    int64_t next = 0;

    PS_TRY(ps_buf_new((size_t)(vec->n_rows + 1) * sizeof *offsets, &own->made[0], err));
    offsets = (int32_t *)(void *)own->made[0]->data;
    for (int64_t i = 0; i < vec->n_rows; i++) {
        if (is_valid(vec, i) && spans[i].n > 0) {
            next = spans[i].start; /* where the first value begins */
            break;
        }
    }
    for (int64_t i = 0; i < vec->n_rows; i++) {
        offsets[i] = (int32_t)next;
        next += is_valid(vec, i) ? spans[i].n : 0;
    }
    offsets[vec->n_rows] = (int32_t)next;
    own->buffers[1] = offsets;
    return PS_OK;
}

static ps_status export_children(const ps_vec *vec, struct ArrowArray *out, ps_error *err)
{
    for (int i = 0; i < vec->n_children; i++)
        PS_TRY(ps_arrow_export_vec(vec->children[i], out->children[i], err));
    return PS_OK;
}

static ps_status export_nested(const ps_vec *vec, struct ArrowArray *out, node *own, ps_error *err)
{
    struct ArrowArray *entries = out;

    out->n_buffers = vec->type->kind == PS_STRUCT ? 1 : 2;
    if (vec->type->kind != PS_STRUCT)
        PS_TRY(export_offsets(vec, own, err));
    if (vec->type->kind == PS_MAP) {
        node *unused;
        entries = out->children[0];
        PS_TRY(new_array(NULL, vec->children[0]->n_rows, 2, entries, &unused, err));
        entries->n_buffers = 1;
    }
    return export_children(vec, entries, err);
}

/* A flat vector, lists dense. */
static ps_status export_flat(ps_vec *vec, struct ArrowArray *out, ps_error *err)
{
    ps_kind kind = vec->type->kind;
    node *own;
    ps_status rc = PS_OK;

    PS_TRY(new_array(vec, vec->n_rows, kind == PS_MAP ? 1 : vec->n_children, out, &own, err));
    out->null_count = ps_vec_null_count(vec);
    out->n_buffers = 2;
    own->buffers[0] = out->null_count > 0 ? vec->valid : NULL;
    own->buffers[1] = vec->data;
    switch (kind) {
    case PS_NULL: out->n_buffers = 0; break;
    case PS_BOOL: rc = export_bools(vec, own, err); break;
    case PS_STRING:
    case PS_BINARY:
        out->n_buffers = 3;
        rc = export_text(vec, own, err);
        break;
    case PS_CALENDAR: rc = export_calendars(vec, own, err); break;
    case PS_ARRAY:
    case PS_MAP:
    case PS_STRUCT: rc = export_nested(vec, out, own, err); break;
    default: break;
    }
    if (rc != PS_OK)
        out->release(out);
    return rc;
}

ps_status ps_arrow_export_vec(ps_vec *vec, struct ArrowArray *out, ps_error *err)
{
    bool list = vec->type->kind == PS_ARRAY || vec->type->kind == PS_MAP;
    ps_vec *flat;
    ps_status rc;

    out->release = NULL;
    PS_TRY(ps_vec_flatten(vec, &flat, err));
    if (list && !is_dense(flat)) {
        ps_vec *dense;
        rc = ps_vec_copy(flat, NULL, flat->n_rows, &dense, err);
        ps_vec_unref(flat);
        PS_TRY(rc);
        flat = dense;
    }
    rc = export_flat(flat, out, err);
    ps_vec_unref(flat);
    return rc;
}

ps_status ps_arrow_export_batch(ps_batch *batch, struct ArrowArray *out, ps_error *err)
{
    ps_batch *compact;
    node *own;
    ps_status rc;

    out->release = NULL;
    PS_TRY(ps_batch_compact(batch, &compact, err));
    PS_TRY_OR(done, new_array(NULL, compact->n_rows, compact->n_cols, out, &own, err));
    out->n_buffers = 1;
    for (int i = 0; i < compact->n_cols && rc == PS_OK; i++)
        rc = ps_arrow_export_vec(compact->cols[i], out->children[i], err);
    if (rc != PS_OK)
        out->release(out);
done:
    ps_batch_unref(compact);
    return rc;
}
