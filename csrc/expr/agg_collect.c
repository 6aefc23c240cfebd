/*
 * expr/agg_collect.c - collect_list, collect_set, listagg.
 *
 * A group's values lie one behind the other in a cell (state/value.h).
 */
#include "expr/agg_int.h"
#include "base/hash.h"
#include "state/value.h"

ps_status psi_list_shape(ps_fn_call *call, bool is_set, ps_agg_shape *shape)
{
    psi_agg_shape(call, is_set ? sizeof(psi_list) : PSI_LIST_BYTES, shape);
    shape->cells[shape->n_cells++] = offsetof(psi_list, values);
    if (is_set)
        shape->cells[shape->n_cells++] = offsetof(psi_list, index);
    shape->ordered = true;
    return PS_OK;
}

static ps_status list_bind(ps_fn_call *call, ps_agg_shape *shape, ps_error *err)
{
    const ps_type *type;

    PS_TRY(psi_list_shape(call, false, shape));
    PS_TRY(ps_type_array(call->args[0]->type, false, &type, err));
    return psi_agg_result(call, type, false);
}

ps_status psi_list_update(const ps_agg_shape *shape, const ps_agg_groups *to, ps_vec *const *args,
                          const ps_rows *rows, ps_error *err)
{
    ps_bytes bytes = {0};
    ps_status rc = PS_OK;
    ps_view view;

    PS_UNUSED(shape);
    ps_view_init(&view, args[0]);
    if (view.base->type->kind == PS_NULL)
        return PS_OK;
    PSI_AGG_EACH(rows, &view, j, at)
    {
        psi_list *g = ps_agg_at(to, j);
        ps_bytes_reset(&bytes);
        PS_TRY_OR(done, ps_value_write(view.base, at, false, &bytes, err));
        PS_TRY_OR(done, ps_cell_append(to->heap, &g->values, bytes.data, bytes.n_bytes, err));
        g->n++;
    }
done:
    ps_bytes_clear(&bytes);
    return rc;
}

ps_status psi_list_merge(const ps_agg_shape *shape, const ps_agg_groups *to,
                         const ps_agg_groups *from, int64_t n, ps_error *err)
{
    PS_UNUSED(shape);
    for (int64_t j = 0; j < n; j++) {
        psi_list *a = ps_agg_at(to, j);
        const psi_list *b = ps_agg_at(from, j);
        ps_slice bytes = ps_cell_get(from->heap, &b->values);
        if (bytes.n_bytes > 0)
            PS_TRY(ps_cell_append(to->heap, &a->values, bytes.data, bytes.n_bytes, err));
        a->n += b->n;
    }
    return PS_OK;
}

static ps_status list_append(const ps_agg_shape *shape, const ps_agg_groups *from, int64_t j,
                             ps_builder *b, ps_error *err)
{
    const psi_list *g = ps_agg_at(from, j);
    ps_slice bytes = ps_cell_get(from->heap, &g->values);

    PS_UNUSED(shape);
    PS_TRY(ps_build_list(b, 0, err));
    while (bytes.n_bytes > 0)
        PS_TRY(ps_value_read(&bytes, ps_build_child(b, 0), err));
    ps_build_list_end(b);
    return PS_OK;
}

static ps_status list_finish(const ps_agg_shape *shape, const ps_agg_groups *from, int64_t n,
                             const ps_type *type, ps_vec **out, ps_error *err)
{
    return psi_agg_built(shape, from, n, type, list_append, out, err);
}

const ps_agg_fn psi_agg_collect_list = {"collect_list", list_bind,   NULL, psi_list_update,
                                        psi_list_merge, list_finish, NULL};

/* ---- sets ---- */

static bool has_map(const ps_type *type)
{
    if (type->kind == PS_MAP)
        return true;
    for (int f = 0; f < type->n_fields; f++)
        if (has_map(type->fields[f].type))
            return true;
    return false;
}

static ps_status set_bind(ps_fn_call *call, ps_agg_shape *shape, ps_error *err)
{
    if (has_map(call->args[0]->type))
        return ps_fn_wrong_type(call, 0, "ANY TYPE EXCEPT MAP", err);
    PS_TRY(list_bind(call, shape, err));
    shape->buffer_bytes = sizeof(psi_list);
    shape->cells[shape->n_cells++] = offsetof(psi_list, index);
    return PS_OK;
}

#define FIRST_INDEX 16

/* Puts a value's place into the index; false when it is full, which only a damaged state can make
 * it. */
static bool index_put(uint32_t *index, uint32_t n_places, uint32_t hash, uint32_t offset)
{
    uint32_t at = hash & (n_places - 1), seen = 0;

    while (index[2 * at + 1] != 0 && seen++ < n_places)
        at = (at + 1) & (n_places - 1);
    if (index[2 * at + 1] != 0)
        return false;
    index[2 * at] = hash;
    index[2 * at + 1] = offset + 1;
    return true;
}

static uint32_t hash_of(ps_slice value)
{
    return (uint32_t)(ps_hash_bytes(value.data, value.n_bytes, 0) >> 32);
}

/* An index of n_places over all values. */
static ps_status index_make(const ps_type *type, ps_heap *heap, psi_list *g, uint32_t n_places,
                            ps_error *err)
{
    ps_slice all = ps_cell_get(heap, &g->values), rest = all;
    uint32_t *index;

    PS_TRY(ps_cell_set_zero(heap, &g->index, (size_t)n_places * 8, err));
    index = (uint32_t *)ps_cell_data(heap, &g->index);
    while (rest.n_bytes > 0) {
        ps_slice value = rest;
        bool whole = ps_value_skip(type, &rest);
        value.n_bytes -= rest.n_bytes;
        if (!whole ||
            !index_put(index, n_places, hash_of(value), (uint32_t)(value.data - all.data)))
            return ps_raise(err, PS_E_STATE_CORRUPT, "collect_set");
    }
    return PS_OK;
}

static bool set_has(const ps_heap *heap, psi_list *g, ps_slice value, uint32_t hash)
{
    ps_slice all = ps_cell_get(heap, &g->values);
    const uint32_t *index = (const uint32_t *)ps_cell_data(heap, &g->index);
    uint32_t n_places = g->index.n_bytes == PS_CELL_NONE ? 0 : g->index.n_bytes / 8,
             at = hash & (n_places - 1);

    for (uint32_t seen = 0; seen < n_places && index[2 * at + 1] != 0;
         seen++, at = (at + 1) & (n_places - 1)) {
        uint32_t offset = index[2 * at + 1] - 1;
        if (index[2 * at] == hash && offset < all.n_bytes &&
            value.n_bytes <= all.n_bytes - offset &&
            memcmp(all.data + offset, value.data, value.n_bytes) == 0)
            return true;
    }
    return false;
}

static ps_status set_add(const ps_type *type, ps_heap *heap, psi_list *g, ps_slice value,
                         ps_error *err)
{
    uint32_t hash = hash_of(value),
             n_places = g->index.n_bytes == PS_CELL_NONE ? 0 : g->index.n_bytes / 8, offset;

    if (set_has(heap, g, value, hash))
        return PS_OK;
    if ((uint64_t)(g->n + 1) * 2 > n_places) {
        n_places = n_places ? n_places * 2 : FIRST_INDEX;
        PS_TRY(index_make(type, heap, g, n_places, err));
    }
    offset = g->values.n_bytes == PS_CELL_NONE ? 0 : g->values.n_bytes;
    PS_TRY(ps_cell_append(heap, &g->values, value.data, value.n_bytes, err));
    if (!index_put((uint32_t *)ps_cell_data(heap, &g->index), n_places, hash, offset))
        return ps_raise(err, PS_E_STATE_CORRUPT, "collect_set");
    g->n++;
    return PS_OK;
}

static ps_status set_update(const ps_agg_shape *shape, const ps_agg_groups *to, ps_vec *const *args,
                            const ps_rows *rows, ps_error *err)
{
    ps_bytes bytes = {0};
    ps_status rc = PS_OK;
    ps_view view;

    ps_view_init(&view, args[0]);
    if (view.base->type->kind == PS_NULL)
        return PS_OK;
    PSI_AGG_EACH(rows, &view, j, at)
    {
        ps_bytes_reset(&bytes);
        PS_TRY_OR(done, ps_value_write(view.base, at, true, &bytes, err));
        PS_TRY_OR(done, set_add(shape->types[0], to->heap, ps_agg_at(to, j), ps_bytes_slice(&bytes),
                                err));
    }
done:
    ps_bytes_clear(&bytes);
    return rc;
}

static ps_status set_merge(const ps_agg_shape *shape, const ps_agg_groups *to,
                           const ps_agg_groups *from, int64_t n, ps_error *err)
{
    for (int64_t j = 0; j < n; j++) {
        const psi_list *b = ps_agg_at(from, j);
        ps_slice rest = ps_cell_get(from->heap, &b->values);
        while (rest.n_bytes > 0) {
            ps_slice value = rest;
            if (!ps_value_skip(shape->types[0], &rest))
                return ps_raise(err, PS_E_STATE_CORRUPT, "collect_set");
            value.n_bytes -= rest.n_bytes;
            PS_TRY(set_add(shape->types[0], to->heap, ps_agg_at(to, j), value, err));
        }
    }
    return PS_OK;
}

const ps_agg_fn psi_agg_collect_set = {"collect_set", set_bind,    NULL, set_update,
                                       set_merge,     list_finish, NULL};

/* ---- listagg: texts one behind the other ---- */

/* data: the delimiter, or NULL for none. */
static ps_status listagg_bind(ps_fn_call *call, ps_agg_shape *shape, ps_error *err)
{
    char *delimiter = NULL;

    PS_TRY(psi_list_shape(call, false, shape));
    if (call->n_args > 1 && call->args[1]->type->kind != PS_NULL)
        PS_TRY(ps_fn_constant_text(call, 1, &delimiter, err));
    shape->data = delimiter;
    return psi_agg_result(call, ps_type_ref(call->args[0]->type), true);
}

static ps_status add_text(const ps_agg_shape *shape, ps_heap *heap, psi_list *g, ps_slice text,
                          ps_error *err)
{
    const char *delimiter = shape->data ? shape->data : "";

    if (g->n++ > 0)
        PS_TRY(ps_cell_append(heap, &g->values, delimiter, strlen(delimiter), err));
    return ps_cell_append(heap, &g->values, text.data, text.n_bytes, err);
}

static ps_status listagg_update(const ps_agg_shape *shape, const ps_agg_groups *to,
                                ps_vec *const *args, const ps_rows *rows, ps_error *err)
{
    ps_view view;

    ps_view_init(&view, args[0]);
    if (!ps_kind_is_text(view.base->type->kind))
        return PS_OK;
    PSI_AGG_EACH(rows, &view, j, at)
    PS_TRY(add_text(shape, to->heap, ps_agg_at(to, j), ps_str_slice((const ps_str *)view.data + at),
                    err));
    return PS_OK;
}

static ps_status listagg_merge(const ps_agg_shape *shape, const ps_agg_groups *to,
                               const ps_agg_groups *from, int64_t n, ps_error *err)
{
    for (int64_t j = 0; j < n; j++) {
        const psi_list *b = ps_agg_at(from, j);
        psi_list *a = ps_agg_at(to, j);
        int64_t total = a->n + b->n;
        if (b->n > 0)
            PS_TRY(add_text(shape, to->heap, a, ps_cell_get(from->heap, &b->values), err));
        a->n = total;
    }
    return PS_OK;
}

static ps_status listagg_append(const ps_agg_shape *shape, const ps_agg_groups *from, int64_t j,
                                ps_builder *b, ps_error *err)
{
    const psi_list *g = ps_agg_at(from, j);
    ps_slice text = ps_cell_get(from->heap, &g->values);

    PS_UNUSED(shape);
    return g->n > 0 && b->type->kind != PS_NULL ? ps_build_text(b, text.data, text.n_bytes, err)
                                                : ps_build_null(b, err);
}

static ps_status listagg_finish(const ps_agg_shape *shape, const ps_agg_groups *from, int64_t n,
                                const ps_type *type, ps_vec **out, ps_error *err)
{
    return psi_agg_built(shape, from, n, type, listagg_append, out, err);
}

const ps_agg_fn psi_agg_listagg = {"listagg",     listagg_bind,   NULL,   listagg_update,
                                   listagg_merge, listagg_finish, ps_free};
