/*
 * expr/agg_order.c - what needs all values of a group in order: percentile, median,
 * percentile_approx, mode.
 *
 * percentile_approx keeps all values too, so its answers are exact: the value with rank ceil(p *
 * n), as Spark gives it while a group is smaller than the accuracy.
 */
#include "expr/agg_int.h"
#include "col/text.h"
#include "state/value.h"
#include <math.h>
#include <stdlib.h>

/* The percentages asked for; shape->data. */
typedef struct percents {
    int n;
    bool is_array;
    double items[];
} percents;

static ps_status raise_range(const ps_fn_call *call, double x, ps_error *err)
{
    char number[PS_NUMBER_TEXT + 2];
    ps_bytes text = {0};
    int n = ps_format_double(x, number);
    ps_status rc = ps_fn_call_text(call, &text, err);

    memcpy(number + n, "D", 2);
    if (rc == PS_OK)
        rc = ps_raise(err, PS_E_DT_RANGE_OF, text.data, "percentage", "[0.0, 1.0]", number);
    ps_bytes_clear(&text);
    return rc;
}

/* A constant number, or an array of them. */
static ps_status read_percents(ps_fn_call *call, int arg, ps_agg_shape *shape, ps_error *err)
{
    const ps_type *type = ps_type_ref(ps_type_of(PS_DOUBLE));
    bool is_array = call->args[arg]->type->kind == PS_ARRAY;
    ps_vec *value = NULL;
    const ps_vec *items;
    percents *p = NULL;
    ps_view view;
    int64_t first, n = 1;
    ps_status rc;

    if (is_array)
        PS_TRY(ps_type_array(ps_type_of(PS_DOUBLE), true, &type, err));
    PS_TRY_OR(done, ps_fn_cast_arg(call, arg, type, err));
    PS_TRY_OR(done, ps_fn_constant(call, arg, &value, err));
    ps_view_init(&view, value);
    items = view.base;
    first = ps_at(&view, 0);
    if (is_array && !ps_view_is_null(&view, 0)) {
        n = ((const ps_span *)view.data)[first].n;
        first = ((const ps_span *)view.data)[first].start;
        items = items->children[0];
    }
    PS_TRY_OR(done, ps_alloc0(sizeof *p + (size_t)n * sizeof *p->items, &p, err));
    shape->data = p;
    p->is_array = is_array;
    for (; p->n < n; p->n++) {
        double x = NAN;
        ps_view_init(&view, items);
        if (!ps_view_is_null(&view, first + p->n))
            x = ((const double *)view.data)[ps_at(&view, first + p->n)];
        if (!(x >= 0 && x <= 1))
            PS_TRY_OR(done, raise_range(call, x, err));
        p->items[p->n] = x;
    }
done:
    ps_vec_unref(value);
    ps_type_unref(type);
    return rc;
}

static ps_status result_type(ps_fn_call *call, const ps_agg_shape *shape, const ps_type *element,
                             ps_error *err)
{
    const ps_type *type = element;

    if (!((const percents *)shape->data)->is_array)
        return psi_agg_result(call, ps_type_ref(element), true);
    PS_TRY(ps_type_array(element, false, &type, err));
    return psi_agg_result(call, type, true);
}

/* ---- percentile, median: pairs of value and frequency ---- */

typedef struct weighted {
    double x;
    int64_t n;
} weighted;

static ps_status percentile_bind(ps_fn_call *call, ps_agg_shape *shape, ps_error *err)
{
    PS_TRY(ps_fn_cast_arg(call, 0, ps_type_of(PS_DOUBLE), err));
    PS_TRY(read_percents(call, 1, shape, err));
    PS_TRY(psi_list_shape(call, false, shape));
    shape->exact = true;
    shape->ordered = false;
    shape->variant = call->n_args > 2;
    if (shape->variant) /* a default is an INT literal */
        PS_TRY(ps_fn_cast_arg(call, 2, ps_type_of(PS_INT64), err));
    return result_type(call, shape, ps_type_of(PS_DOUBLE), err);
}

static ps_status median_bind(ps_fn_call *call, ps_agg_shape *shape, ps_error *err)
{
    percents *p;

    PS_TRY(ps_fn_cast_arg(call, 0, ps_type_of(PS_DOUBLE), err));
    PS_TRY(psi_list_shape(call, false, shape));
    PS_TRY(ps_alloc0(sizeof *p + sizeof *p->items, &p, err));
    p->n = 1;
    p->items[0] = 0.5;
    shape->data = p;
    shape->exact = true;
    shape->ordered = false;
    return psi_agg_result(call, ps_type_ref(ps_type_of(PS_DOUBLE)), true);
}

static ps_status percentile_update(const ps_agg_shape *shape, const ps_agg_groups *to,
                                   ps_vec *const *args, const ps_rows *rows, ps_error *err)
{
    ps_view view, counts;

    ps_view_init(&view, args[0]);
    if (shape->variant)
        ps_view_init(&counts, args[2]);
    PSI_AGG_EACH(rows, &view, j, at)
    {
        weighted pair = {((const double *)view.data)[at], 1};
        int64_t row = ps_row(rows, j);
        psi_list *g = ps_agg_at(to, j);
        if (shape->variant)
            pair.n = ps_view_is_null(&counts, row)
                         ? 0
                         : ((const int64_t *)counts.data)[ps_at(&counts, row)];
        if (pair.n <= 0)
            continue;
        PS_TRY(ps_cell_append(to->heap, &g->values, &pair, sizeof pair, err));
        g->n++;
    }
    return PS_OK;
}

static int compare_pairs(const void *a, const void *b)
{
    double x = ((const weighted *)a)->x, y = ((const weighted *)b)->x;

    if (x != x || y != y)
        return (x != x) - (y != y);
    return (x > y) - (x < y);
}

static double value_at(const weighted *pairs, int64_t rank)
{
    while (rank >= pairs->n)
        rank -= pairs++->n;
    return pairs->x;
}

static double percentile_of(const weighted *pairs, int64_t total, double p)
{
    double position = (double)(total - 1) * p, low = floor(position), high = ceil(position);
    double x = value_at(pairs, (int64_t)low), y;

    if (low == high)
        return x;
    y = value_at(pairs, (int64_t)high);
    return x == y ? x : (high - position) * x + (position - low) * y;
}

static ps_status percentiles_append(const ps_agg_shape *shape, const ps_agg_groups *from, int64_t j,
                                    ps_builder *b, ps_error *err)
{
    const percents *p = shape->data;
    const psi_list *g = ps_agg_at(from, j);
    ps_slice bytes = ps_cell_get(from->heap, &g->values);
    size_t n = bytes.n_bytes / sizeof(weighted);
    int64_t total = 0;
    weighted *pairs;
    ps_status rc = PS_OK;

    if (n == 0)
        return ps_build_null(b, err);
    PS_TRY(ps_alloc(n * sizeof *pairs, &pairs, err));
    memcpy(pairs, bytes.data, n * sizeof *pairs);
    qsort(pairs, n, sizeof *pairs, compare_pairs);
    for (size_t i = 0; i < n; i++)
        if (pairs[i].n <= 0 || __builtin_add_overflow(total, pairs[i].n, &total))
            rc = ps_raise(err, PS_E_STATE_CORRUPT, "percentile");
    if (rc == PS_OK && p->is_array)
        rc = ps_build_list(b, (uint32_t)p->n, err);
    for (int i = 0; i < p->n && rc == PS_OK; i++)
        rc = ps_build_double(p->is_array ? ps_build_child(b, 0) : b,
                             percentile_of(pairs, total, p->items[i]), err);
    ps_free(pairs);
    return rc;
}

static ps_status percentile_finish(const ps_agg_shape *shape, const ps_agg_groups *from, int64_t n,
                                   const ps_type *type, ps_vec **out, ps_error *err)
{
    return psi_agg_built(shape, from, n, type, percentiles_append, out, err);
}

const ps_agg_fn psi_agg_percentile = {"percentile",   percentile_bind,   NULL,   percentile_update,
                                      psi_list_merge, percentile_finish, ps_free};
const ps_agg_fn psi_agg_median = {"median",       median_bind,       NULL,   percentile_update,
                                  psi_list_merge, percentile_finish, ps_free};

/* ---- values of any type, sorted ---- */

static int compare_rows(const void *a, const void *b, void *vec)
{
    return ps_vec_compare(vec, *(const int64_t *)a, vec, *(const int64_t *)b, true);
}

/* The group's values as a vector and their rows in order; both owned by the caller. */
static ps_status sort_values(const ps_type *type, const psi_list *g, const ps_heap *heap,
                             ps_vec **values, int64_t **order, int64_t *n, ps_error *err)
{
    ps_slice bytes = ps_cell_get(heap, &g->values);
    ps_builder *b;
    ps_status rc = PS_OK;

    *values = NULL;
    *order = NULL;
    PS_TRY(ps_build_new(type, 0, &b, err));
    while (bytes.n_bytes > 0 && rc == PS_OK)
        rc = ps_value_read(&bytes, b, err);
    *n = b->n;
    rc = ps_build_end(b, rc, values, err);
    PS_TRY(rc);
    PS_TRY(ps_alloc((size_t)*n * sizeof **order, order, err));
    for (int64_t i = 0; i < *n; i++)
        (*order)[i] = i;
    if (*n > 1)
        qsort_r(*order, (size_t)*n, sizeof **order, compare_rows, *values);
    return PS_OK;
}

static ps_status approx_bind(ps_fn_call *call, ps_agg_shape *shape, ps_error *err)
{
    PS_TRY(read_percents(call, 1, shape, err));
    PS_TRY(psi_list_shape(call, false, shape));
    shape->exact = true;
    shape->ordered = false;
    return result_type(call, shape, call->args[0]->type, err);
}

static ps_status approx_append(const ps_agg_shape *shape, const ps_agg_groups *from, int64_t j,
                               ps_builder *b, ps_error *err)
{
    const percents *p = shape->data;
    int64_t *order, n;
    ps_vec *values;
    ps_status rc = sort_values(shape->types[0], ps_agg_at(from, j), from->heap, &values, &order,
                               &n, err);

    if (rc == PS_OK && n == 0)
        rc = ps_build_null(b, err);
    else if (rc == PS_OK && p->is_array)
        rc = ps_build_list(b, (uint32_t)p->n, err);
    for (int i = 0; i < p->n && rc == PS_OK && n > 0; i++) {
        int64_t rank = (int64_t)ceil(p->items[i] * (double)n);
        rc = ps_build_from(p->is_array ? ps_build_child(b, 0) : b, values,
                           order[rank > 0 ? rank - 1 : 0], err);
    }
    ps_free(order);
    ps_vec_unref(values);
    return rc;
}

static ps_status approx_finish(const ps_agg_shape *shape, const ps_agg_groups *from, int64_t n,
                               const ps_type *type, ps_vec **out, ps_error *err)
{
    return psi_agg_built(shape, from, n, type, approx_append, out, err);
}

const ps_agg_fn psi_agg_percentile_approx = {
    "percentile_approx", approx_bind,   NULL,   psi_list_update,
    psi_list_merge,      approx_finish, ps_free};

/* ---- mode: the most frequent value, the lowest of those ---- */

static ps_status mode_bind(ps_fn_call *call, ps_agg_shape *shape, ps_error *err)
{
    PS_UNUSED(err);
    PS_TRY(psi_list_shape(call, false, shape));
    shape->exact = true;
    shape->ordered = false;
    return psi_agg_result(call, ps_type_ref(call->args[0]->type), true);
}

/* mode(x), or, when the lowest is asked for, what Spark makes of it. */
ps_status psi_text_mode(const ps_fn_call *call, ps_bytes *out, ps_error *err)
{
    const char *x = call->args[0]->text ? call->args[0]->text : "";
    ps_view view;

    if (call->n_args > 1 && ps_bound_is_literal(call->args[1])) {
        ps_view_init(&view, call->args[1]->value);
        if (!ps_view_is_null(&view, 0) && ((const uint8_t *)view.data)[ps_at(&view, 0)])
            return ps_bytes_printf(out, err, "mode() WITHIN GROUP (ORDER BY %s DESC)", x);
    }
    return ps_bytes_printf(out, err, "mode(%s)", x);
}

static ps_status mode_append(const ps_agg_shape *shape, const ps_agg_groups *from, int64_t j,
                             ps_builder *b, ps_error *err)
{
    int64_t *order, n, best = 0, most = 0, run = 0;
    ps_vec *values;
    ps_status rc = sort_values(shape->types[0], ps_agg_at(from, j), from->heap, &values, &order,
                               &n, err);

    for (int64_t i = 0; rc == PS_OK && i < n; i++) {
        bool same = i > 0 && ps_vec_equal_rows(values, order[i - 1], values, order[i]);
        run = same ? run + 1 : 1;
        if (run > most) {
            most = run;
            best = order[i];
        }
    }
    if (rc == PS_OK)
        rc = n > 0 ? ps_build_from(b, values, best, err) : ps_build_null(b, err);
    ps_free(order);
    ps_vec_unref(values);
    return rc;
}

static ps_status mode_finish(const ps_agg_shape *shape, const ps_agg_groups *from, int64_t n,
                             const ps_type *type, ps_vec **out, ps_error *err)
{
    return psi_agg_built(shape, from, n, type, mode_append, out, err);
}

const ps_agg_fn psi_agg_mode = {"mode",         mode_bind,   NULL, psi_list_update,
                                psi_list_merge, mode_finish, NULL};
