/*
 * expr/agg_count.c - count and count_if.
 */
#include "expr/agg_int.h"

static ps_status count_bind(ps_fn_call *call, ps_agg_shape *shape, ps_error *err)
{
    PS_UNUSED(err);
    psi_agg_shape(call, 8, shape);
    shape->variant = call->n_args;
    shape->exact = true;
    return psi_agg_result(call, ps_type_ref(ps_type_of(PS_INT64)), false);
}

static inline void add_one(const ps_agg_groups *to, int64_t j)
{
    ++*(int64_t *)ps_agg_at(to, j);
}

/* Rows where all arguments are not NULL. */
static ps_status count_update(const ps_agg_shape *shape, const ps_agg_groups *to,
                              ps_vec *const *args, const ps_rows *rows, ps_error *err)
{
    int n_views = 0;
    ps_view *views;

    PS_TRY(ps_alloc((size_t)shape->variant * sizeof *views, &views, err));
    for (int i = 0; i < shape->variant; i++) {
        ps_view_init(&views[n_views], args[i]);
        if (args[i]->type->kind == PS_NULL) { /* nothing to count */
            ps_free(views);
            return PS_OK;
        }
        n_views += views[n_views].valid != NULL;
    }
    if (n_views == 0) {
        uint8_t *const *slots = to->slots;
        size_t at = to->at;
        for (int64_t j = 0, n = rows->n; j < n; j++)
            ++*(int64_t *)(slots[j] + at);
    } else if (n_views == 1) {
        PSI_AGG_EACH(rows, &views[0], j, at) add_one(to, j);
    } else {
        for (int64_t j = 0; j < rows->n; j++) {
            int64_t row = ps_row(rows, j);
            int i = 0;
            while (i < n_views && !ps_view_is_null(&views[i], row))
                i++;
            if (i == n_views)
                add_one(to, j);
        }
    }
    ps_free(views);
    return PS_OK;
}

static ps_status count_merge(const ps_agg_shape *shape, const ps_agg_groups *to,
                             const ps_agg_groups *from, int64_t n, ps_error *err)
{
    PS_UNUSED(shape);
    PS_UNUSED(err);
    for (int64_t j = 0; j < n; j++)
        *(int64_t *)ps_agg_at(to, j) += *(const int64_t *)ps_agg_at(from, j);
    return PS_OK;
}

static ps_status count_finish(const ps_agg_shape *shape, const ps_agg_groups *from, int64_t n,
                              const ps_type *type, ps_vec **out, ps_error *err)
{
    int64_t *data;

    PS_UNUSED(shape);
    PS_TRY(ps_vec_new(type, n, false, out, err));
    data = (*out)->data;
    for (int64_t j = 0; j < n; j++)
        data[j] = *(const int64_t *)ps_agg_at(from, j);
    return PS_OK;
}

const ps_agg_fn psi_agg_count = {"count",     count_bind,   NULL, count_update,
                                 count_merge, count_finish, NULL};

static ps_status count_if_update(const ps_agg_shape *shape, const ps_agg_groups *to,
                                 ps_vec *const *args, const ps_rows *rows, ps_error *err)
{
    ps_view view;

    PS_UNUSED(shape);
    PS_UNUSED(err);
    ps_view_init(&view, args[0]);
    if (args[0]->type->kind != PS_BOOL)
        return PS_OK;
    PSI_AGG_EACH(rows, &view, j, at) * (int64_t *)ps_agg_at(to, j) +=
        ((const uint8_t *)view.data)[at] != 0;
    return PS_OK;
}

const ps_agg_fn psi_agg_count_if = {"count_if",  count_bind,   NULL, count_if_update,
                                    count_merge, count_finish, NULL};
