/*
 * expr/agg_any.c - one value of any type inside the buffer of an aggregate.
 */
#include "expr/agg_int.h"
#include "state/value.h"

typedef struct any {
    uint64_t state;
    union {
        uint8_t fixed[16];
        ps_cell cell;
    };
} any;

void psi_agg_shape(const ps_fn_call *call, size_t buffer_bytes, ps_agg_shape *shape)
{
    shape->buffer_bytes = buffer_bytes;
    shape->version = 1;
    shape->ansi = call->ansi;
    for (int i = 0; i < call->n_args && i < (int)PS_COUNT_OF(shape->types); i++)
        shape->types[i] = call->args[i]->type;
}

ps_status psi_agg_result(ps_fn_call *call, const ps_type *type, bool nullable)
{
    ps_type_unref(call->type);
    call->type = type;
    call->nullable = nullable;
    return PS_OK;
}

void ps_agg_init(const ps_agg_fn *fn, const ps_agg_shape *shape, uint8_t *buffer)
{
    memset(buffer, 0, shape->buffer_bytes);
    for (int i = 0; i < shape->n_cells; i++)
        ps_cell_init((ps_cell *)(buffer + shape->cells[i]));
    if (fn->init)
        fn->init(shape, buffer);
}

bool psi_any_in_cell(const ps_type *type)
{
    return ps_kind_is_text(type->kind) || ps_kind_is_nested(type->kind);
}

size_t psi_any_bytes(const ps_type *type)
{
    if (psi_any_in_cell(type))
        return sizeof(any);
    return ps_type_width(type) > 8 ? 24 : 16;
}

ps_status psi_any_set(const ps_type *type, ps_heap *heap, uint8_t *to, const ps_view *view,
                      int64_t at, ps_error *err)
{
    any *value = (any *)to;
    size_t width = ps_type_width(type);
    ps_bytes bytes = {0};
    ps_slice text;
    ps_status rc;

    if (type->kind == PS_NULL || (view->valid && !ps_bit(view->valid, at))) {
        if (psi_any_in_cell(type))
            ps_cell_drop(heap, &value->cell);
        value->state = PSI_ANY_NULL;
        return PS_OK;
    }
    value->state = PSI_ANY_VALUE;
    if (ps_kind_is_text(type->kind)) {
        text = ps_str_slice((const ps_str *)view->data + at);
        return ps_cell_set(heap, &value->cell, text.data, text.n_bytes, err);
    }
    if (!psi_any_in_cell(type)) {
        memcpy(value->fixed, (const uint8_t *)view->data + (size_t)at * width, width);
        return PS_OK;
    }
    rc = ps_value_write(view->base, at, false, &bytes, err);
    if (rc == PS_OK)
        rc = ps_cell_set(heap, &value->cell, bytes.data, bytes.n_bytes, err);
    ps_bytes_clear(&bytes);
    return rc;
}

ps_status psi_any_copy(const ps_type *type, ps_heap *to_heap, uint8_t *to, const ps_heap *from_heap,
                       const uint8_t *from, ps_error *err)
{
    any *target = (any *)to;
    const any *source = (const any *)from;
    ps_slice bytes;

    if (!psi_any_in_cell(type)) {
        memcpy(to, from, psi_any_bytes(type));
        return PS_OK;
    }
    target->state = source->state;
    if (source->cell.n_bytes == PS_CELL_NONE) {
        ps_cell_drop(to_heap, &target->cell);
        return PS_OK;
    }
    bytes = ps_cell_get(from_heap, &source->cell);
    return ps_cell_set(to_heap, &target->cell, bytes.data, bytes.n_bytes, err);
}

static ps_status build_fixed(const ps_type *type, const uint8_t *fixed, ps_builder *out,
                             ps_error *err)
{
    PS_TRY(ps_build_reserve(out, 1, err));
    memcpy(out->data + (size_t)out->n * ps_type_width(type), fixed, ps_type_width(type));
    out->n++;
    return PS_OK;
}

ps_status psi_any_build(const ps_type *type, const ps_heap *heap, const uint8_t *from,
                        ps_builder *out, ps_error *err)
{
    const any *value = (const any *)from;
    ps_slice bytes;

    if (value->state != PSI_ANY_VALUE)
        return ps_build_null(out, err);
    if (!psi_any_in_cell(type))
        return build_fixed(type, value->fixed, out, err);
    bytes = ps_cell_get(heap, &value->cell);
    if (ps_kind_is_text(type->kind))
        return ps_build_text(out, bytes.data, bytes.n_bytes, err);
    return ps_value_read(&bytes, out, err);
}

/* The stored value as a vector of one row. */
static ps_status to_vec(const ps_type *type, const ps_heap *heap, const uint8_t *from, ps_vec **out,
                        ps_error *err)
{
    ps_builder *b;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_build_new(type, 1, &b, err));
    rc = psi_any_build(type, heap, from, b, err);
    return ps_build_end(b, rc, out, err);
}

static int compare_text(ps_slice a, ps_slice b)
{
    size_t n = a.n_bytes < b.n_bytes ? a.n_bytes : b.n_bytes;
    int order = n ? memcmp(a.data, b.data, n) : 0;

    return order ? order : (a.n_bytes > b.n_bytes) - (a.n_bytes < b.n_bytes);
}

ps_status psi_any_compare_row(const ps_type *type, const ps_heap *heap, const uint8_t *from,
                              const ps_view *view, int64_t at, int *order, ps_error *err)
{
    const any *value = (const any *)from;
    ps_vec *vec;

    if (ps_kind_is_text(type->kind)) {
        *order = compare_text(ps_cell_get(heap, &value->cell),
                              ps_str_slice((const ps_str *)view->data + at));
        return PS_OK;
    }
    PS_TRY(to_vec(type, heap, from, &vec, err));
    *order = ps_vec_compare(vec, 0, view->base, at, true);
    ps_vec_unref(vec);
    return PS_OK;
}

ps_status psi_any_compare(const ps_type *type, const ps_heap *heap_a, const uint8_t *a,
                          const ps_heap *heap_b, const uint8_t *b, int *order, ps_error *err)
{
    ps_vec *vec_a, *vec_b;
    ps_status rc;

    if (ps_kind_is_text(type->kind)) {
        *order = compare_text(ps_cell_get(heap_a, &((const any *)a)->cell),
                              ps_cell_get(heap_b, &((const any *)b)->cell));
        return PS_OK;
    }
    PS_TRY(to_vec(type, heap_a, a, &vec_a, err));
    rc = to_vec(type, heap_b, b, &vec_b, err);
    if (rc == PS_OK)
        *order = ps_vec_compare(vec_a, 0, vec_b, 0, true);
    ps_vec_unref(vec_a);
    ps_vec_unref(vec_b);
    return rc;
}

ps_status psi_any_finish(const ps_type *type, const ps_agg_groups *from, size_t offset, int64_t n,
                         ps_vec **out, ps_error *err)
{
    ps_builder *b;
    ps_status rc = PS_OK;

    *out = NULL;
    PS_TRY(ps_build_new(type, n, &b, err));
    for (int64_t j = 0; j < n && rc == PS_OK; j++)
        rc = psi_any_build(type, from->heap, (uint8_t *)ps_agg_at(from, j) + offset, b, err);
    return ps_build_end(b, rc, out, err);
}
