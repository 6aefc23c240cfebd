/*
 * expr/agg_pick.c - aggregates that choose a value: min, max, first, last, any_value, min_by,
 * max_by, bool_and, bool_or.
 */
#include "expr/agg_int.h"

/* ---- min, max ---- */

typedef enum pick { PICK_MIN = -1, PICK_MAX = 1 } pick;

static ps_status pick_shape(ps_fn_call *call, ps_agg_shape *shape)
{
    const ps_type *type = call->args[0]->type;

    psi_agg_shape(call, psi_any_bytes(type), shape);
    if (psi_any_in_cell(type))
        shape->cells[shape->n_cells++] = 8;
    return psi_agg_result(call, ps_type_ref(type), true);
}

static ps_status min_bind(ps_fn_call *call, ps_agg_shape *shape, ps_error *err)
{
    PS_TRY(psi_check_orderable(call, call->args[0]->type, err));
    PS_TRY(pick_shape(call, shape));
    shape->exact = true;
    shape->variant = PICK_MIN;
    return PS_OK;
}

static ps_status max_bind(ps_fn_call *call, ps_agg_shape *shape, ps_error *err)
{
    PS_TRY(min_bind(call, shape, err));
    shape->variant = PICK_MAX;
    return PS_OK;
}

/* Fixed-width kinds: the state word, then the value as T. */
#define PICK_ONE(T, any_, x_, better)                                                              \
    {                                                                                              \
        uint64_t *state_ = (uint64_t *)(any_);                                                     \
        T *kept_ = (T *)(state_ + 1);                                                              \
        T x = (x_), kept = *kept_;                                                                 \
        if (*state_ == PSI_ANY_NONE || (better))                                                   \
            *kept_ = x;                                                                            \
        *state_ = PSI_ANY_VALUE;                                                                   \
    }
#define LESS (x < kept)
#define MORE (x > kept)
/* NaN is the greatest. */
#define LESS_F (kept != kept ? x == x : x < kept)
#define MORE_F (x != x ? kept == kept : x > kept)
#define PICK_ROWS(T, less, more)                                                                   \
    if (shape->variant == PICK_MIN) {                                                              \
        PSI_AGG_EACH(rows, view, j, at)                                                            \
        PICK_ONE(T, ps_agg_at(to, j), ((const T *)view->data)[at], less)                           \
    } else {                                                                                       \
        PSI_AGG_EACH(rows, view, j, at)                                                            \
        PICK_ONE(T, ps_agg_at(to, j), ((const T *)view->data)[at], more)                           \
    }                                                                                              \
    return true;

/* False for kinds that it does not know. */
static bool pick_fixed(const ps_agg_shape *shape, const ps_agg_groups *to, const ps_view *view,
                       const ps_rows *rows)
{
    switch (shape->types[0]->kind) {
    case PS_BOOL:
    case PS_INT8:
        PICK_ROWS(int8_t, LESS, MORE);
    case PS_INT16:
        PICK_ROWS(int16_t, LESS, MORE);
    case PS_INT32:
    case PS_DATE:
    case PS_YEARMONTH:
        PICK_ROWS(int32_t, LESS, MORE);
    case PS_INT64:
    case PS_TIMESTAMP:
    case PS_TIMESTAMP_NTZ:
    case PS_DAYTIME:
        PICK_ROWS(int64_t, LESS, MORE);
    case PS_FLOAT:
        PICK_ROWS(float, LESS_F, MORE_F);
    case PS_DOUBLE:
        PICK_ROWS(double, LESS_F, MORE_F);
    default:
        return false;
    }
}

static ps_status pick_update(const ps_agg_shape *shape, const ps_agg_groups *to,
                             ps_vec *const *args, const ps_rows *rows, ps_error *err)
{
    const ps_type *type = shape->types[0];
    ps_view view;

    ps_view_init(&view, args[0]);
    if (type->kind == PS_NULL || pick_fixed(shape, to, &view, rows))
        return PS_OK;
    PSI_AGG_EACH(rows, &view, j, at)
    {
        uint8_t *any = ps_agg_at(to, j);
        int order = 0;
        if (psi_any_state_of(any) != PSI_ANY_NONE)
            PS_TRY(psi_any_compare_row(type, to->heap, any, &view, at, &order, err));
        if (psi_any_state_of(any) == PSI_ANY_NONE ||
            (shape->variant == PICK_MIN ? order > 0 : order < 0))
            PS_TRY(psi_any_set(type, to->heap, any, &view, at, err));
    }
    return PS_OK;
}

static ps_status pick_merge(const ps_agg_shape *shape, const ps_agg_groups *to,
                            const ps_agg_groups *from, int64_t n, ps_error *err)
{
    const ps_type *type = shape->types[0];

    for (int64_t j = 0; j < n; j++) {
        uint8_t *a = ps_agg_at(to, j), *b = ps_agg_at(from, j);
        int order = 0;
        if (psi_any_state_of(b) != PSI_ANY_VALUE)
            continue;
        if (psi_any_state_of(a) == PSI_ANY_VALUE)
            PS_TRY(psi_any_compare(type, to->heap, a, from->heap, b, &order, err));
        if (psi_any_state_of(a) != PSI_ANY_VALUE ||
            (shape->variant == PICK_MIN ? order > 0 : order < 0))
            PS_TRY(psi_any_copy(type, to->heap, a, from->heap, b, err));
    }
    return PS_OK;
}

static ps_status pick_finish(const ps_agg_shape *shape, const ps_agg_groups *from, int64_t n,
                             const ps_type *type, ps_vec **out, ps_error *err)
{
    PS_UNUSED(type);
    return psi_any_finish(shape->types[0], from, 0, n, out, err);
}

const ps_agg_fn psi_agg_min = {"min", min_bind, NULL, pick_update, pick_merge, pick_finish, NULL};
const ps_agg_fn psi_agg_max = {"max", max_bind, NULL, pick_update, pick_merge, pick_finish, NULL};

/* ---- bool_and, bool_or: the least and the greatest ---- */

const ps_agg_fn psi_agg_bool_and = {"bool_and", min_bind,    NULL, pick_update,
                                    pick_merge, pick_finish, NULL};
const ps_agg_fn psi_agg_bool_or = {"bool_or",  max_bind,    NULL, pick_update,
                                   pick_merge, pick_finish, NULL};

/* ---- first, last, any_value ---- */

/* The optional second argument: ignoreNulls. */
static ps_status read_ignore_nulls(ps_fn_call *call, ps_agg_shape *shape, ps_error *err)
{
    ps_vec *value = NULL;
    ps_view view;

    shape->param = call->ignore_nulls;
    if (call->n_args < 2)
        return PS_OK;
    PS_TRY(ps_fn_constant(call, 1, &value, err));
    ps_view_init(&view, value);
    if (value->type->kind == PS_BOOL && !ps_view_is_null(&view, 0))
        shape->param |= ((const uint8_t *)view.data)[ps_at(&view, 0)];
    ps_vec_unref(value);
    return PS_OK;
}

static ps_status first_bind(ps_fn_call *call, ps_agg_shape *shape, ps_error *err)
{
    PS_TRY(pick_shape(call, shape));
    shape->ordered = true;
    return read_ignore_nulls(call, shape, err);
}

static ps_status first_update(const ps_agg_shape *shape, const ps_agg_groups *to,
                              ps_vec *const *args, const ps_rows *rows, ps_error *err)
{
    ps_view view;

    ps_view_init(&view, args[0]);
    for (int64_t j = 0; j < rows->n; j++) {
        int64_t row = ps_row(rows, j);
        uint8_t *any = ps_agg_at(to, j);
        if (psi_any_state_of(any) != PSI_ANY_NONE || (shape->param && ps_view_is_null(&view, row)))
            continue;
        PS_TRY(psi_any_set(shape->types[0], to->heap, any, &view, ps_at(&view, row), err));
    }
    return PS_OK;
}

static ps_status first_merge(const ps_agg_shape *shape, const ps_agg_groups *to,
                             const ps_agg_groups *from, int64_t n, ps_error *err)
{
    for (int64_t j = 0; j < n; j++)
        if (psi_any_state_of(ps_agg_at(to, j)) == PSI_ANY_NONE)
            PS_TRY(psi_any_copy(shape->types[0], to->heap, ps_agg_at(to, j), from->heap,
                                ps_agg_at(from, j), err));
    return PS_OK;
}

static ps_status last_update(const ps_agg_shape *shape, const ps_agg_groups *to,
                             ps_vec *const *args, const ps_rows *rows, ps_error *err)
{
    ps_view view;

    ps_view_init(&view, args[0]);
    for (int64_t j = 0; j < rows->n; j++) {
        int64_t row = ps_row(rows, j);
        if (shape->param && ps_view_is_null(&view, row))
            continue;
        PS_TRY(psi_any_set(shape->types[0], to->heap, ps_agg_at(to, j), &view, ps_at(&view, row),
                           err));
    }
    return PS_OK;
}

static ps_status last_merge(const ps_agg_shape *shape, const ps_agg_groups *to,
                            const ps_agg_groups *from, int64_t n, ps_error *err)
{
    for (int64_t j = 0; j < n; j++)
        if (psi_any_state_of(ps_agg_at(from, j)) != PSI_ANY_NONE)
            PS_TRY(psi_any_copy(shape->types[0], to->heap, ps_agg_at(to, j), from->heap,
                                ps_agg_at(from, j), err));
    return PS_OK;
}

const ps_agg_fn psi_agg_first = {"first",     first_bind,  NULL, first_update,
                                 first_merge, pick_finish, NULL};
const ps_agg_fn psi_agg_last = {"last",     first_bind,  NULL, last_update,
                                last_merge, pick_finish, NULL};

/* ---- min_by, max_by: the value of the row with the best order ---- */

static ps_status min_by_bind(ps_fn_call *call, ps_agg_shape *shape, ps_error *err)
{
    size_t order_at;

    PS_TRY(psi_check_orderable(call, call->args[1]->type, err));
    PS_TRY(pick_shape(call, shape));
    order_at = shape->buffer_bytes;
    shape->buffer_bytes += psi_any_bytes(shape->types[1]);
    if (psi_any_in_cell(shape->types[1]))
        shape->cells[shape->n_cells++] = (uint32_t)order_at + 8;
    shape->param = (int64_t)order_at;
    shape->variant = PICK_MIN;
    return PS_OK;
}

static ps_status max_by_bind(ps_fn_call *call, ps_agg_shape *shape, ps_error *err)
{
    PS_TRY(min_by_bind(call, shape, err));
    shape->variant = PICK_MAX;
    return PS_OK;
}

static ps_status by_update(const ps_agg_shape *shape, const ps_agg_groups *to, ps_vec *const *args,
                           const ps_rows *rows, ps_error *err)
{
    ps_view values, orders;

    ps_view_init(&values, args[0]);
    ps_view_init(&orders, args[1]);
    for (int64_t j = 0; j < rows->n; j++) {
        int64_t row = ps_row(rows, j);
        uint8_t *buffer = ps_agg_at(to, j), *best = buffer + shape->param;
        int order = 0;
        if (shape->types[1]->kind == PS_NULL || ps_view_is_null(&orders, row))
            continue;
        if (psi_any_state_of(best) == PSI_ANY_VALUE) {
            PS_TRY(psi_any_compare_row(shape->types[1], to->heap, best, &orders,
                                       ps_at(&orders, row), &order, err));
            if (shape->variant == PICK_MIN ? order <= 0 : order >= 0)
                continue;
        }
        PS_TRY(psi_any_set(shape->types[1], to->heap, best, &orders, ps_at(&orders, row), err));
        PS_TRY(psi_any_set(shape->types[0], to->heap, buffer, &values, ps_at(&values, row), err));
    }
    return PS_OK;
}

static ps_status by_merge(const ps_agg_shape *shape, const ps_agg_groups *to,
                          const ps_agg_groups *from, int64_t n, ps_error *err)
{
    for (int64_t j = 0; j < n; j++) {
        uint8_t *a = ps_agg_at(to, j), *b = ps_agg_at(from, j);
        int order = 0;
        if (psi_any_state_of(b + shape->param) != PSI_ANY_VALUE)
            continue;
        if (psi_any_state_of(a + shape->param) == PSI_ANY_VALUE) {
            PS_TRY(psi_any_compare(shape->types[1], to->heap, a + shape->param, from->heap,
                                   b + shape->param, &order, err));
            if (shape->variant == PICK_MIN ? order <= 0 : order >= 0)
                continue;
        }
        PS_TRY(psi_any_copy(shape->types[1], to->heap, a + shape->param, from->heap,
                            b + shape->param, err));
        PS_TRY(psi_any_copy(shape->types[0], to->heap, a, from->heap, b, err));
    }
    return PS_OK;
}

const ps_agg_fn psi_agg_min_by = {"min_by", min_by_bind, NULL, by_update,
                                  by_merge, pick_finish, NULL};
const ps_agg_fn psi_agg_max_by = {"max_by", max_by_bind, NULL, by_update,
                                  by_merge, pick_finish, NULL};
