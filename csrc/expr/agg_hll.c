/*
 * expr/agg_hll.c - approx_count_distinct: HyperLogLog++ with the registers, hashes and corrections
 * of Spark.
 *
 * 2^p registers of a byte each, in a cell; p follows from the relative error asked for.  A value's
 * hash gives its register by the first p bits and a rank by the leading zeros of the rest.  The
 * estimate is the raw one less its bias (mean of the six nearest entries of the table), or a count
 * of empty registers where that is better.
 */
#include "expr/agg_int.h"
#include <math.h>

#define NEAREST 6
#define MOST_BITS 25

static const double thresholds[15] = {10,   20,   40,    80,    220,   400,    900,   1800,
                                      3100, 6500, 15500, 20000, 50000, 120000, 350000};

static ps_status hll_bind(ps_fn_call *call, ps_agg_shape *shape, ps_error *err)
{
    double rsd = 0.05, bits;
    ps_vec *value = NULL;
    ps_view view;

    if (call->n_args > 1) {
        PS_TRY(ps_fn_constant(call, 1, &value, err));
        ps_view_init(&view, value);
        rsd = ps_view_is_null(&view, 0) ? NAN : ((const double *)view.data)[ps_at(&view, 0)];
        ps_vec_unref(value);
    }
    bits = ceil(2.0 * log(1.106 / rsd) / log(2.0));
    if (!(bits >= 4 && bits <= MOST_BITS))
        return ps_raise(err, PS_E_HLL_PRECISION);
    psi_agg_shape(call, sizeof(ps_cell), shape);
    shape->exact = true;
    shape->param = (int64_t)bits;
    shape->cells[shape->n_cells++] = 0;
    return psi_agg_result(call, ps_type_ref(ps_type_of(PS_INT64)), false);
}

/* The registers of a group, made when `make`; NULL when there are none. */
static ps_status registers_of(const ps_agg_shape *shape, ps_heap *heap, ps_cell *cell, bool make,
                              uint8_t **out, ps_error *err)
{
    size_t m = (size_t)1 << shape->param;

    *out = NULL;
    if (cell->n_bytes == PS_CELL_NONE) {
        if (!make)
            return PS_OK;
        PS_TRY(ps_cell_set_zero(heap, cell, m, err));
    }
    if (cell->n_bytes != m)
        return ps_raise(err, PS_E_STATE_CORRUPT, "approx_count_distinct");
    *out = (uint8_t *)ps_cell_data(heap, cell);
    return PS_OK;
}

static ps_status hll_update(const ps_agg_shape *shape, const ps_agg_groups *to, ps_vec *const *args,
                            const ps_rows *rows, ps_error *err)
{
    int p = (int)shape->param;
    ps_view view;

    ps_view_init(&view, args[0]);
    if (view.base->type->kind == PS_NULL)
        return PS_OK;
    PSI_AGG_EACH(rows, &view, j, at)
    {
        uint64_t x = psi_xxh64_at(&view, at, 42);
        uint8_t *registers, rank = (uint8_t)(__builtin_clzll(x << p | 1ull << (p - 1)) + 1);
        PS_TRY(registers_of(shape, to->heap, ps_agg_at(to, j), true, &registers, err));
        registers += x >> (64 - p);
        if (*registers < rank)
            *registers = rank;
    }
    return PS_OK;
}

static ps_status hll_merge(const ps_agg_shape *shape, const ps_agg_groups *to,
                           const ps_agg_groups *from, int64_t n, ps_error *err)
{
    size_t m = (size_t)1 << shape->param;

    for (int64_t j = 0; j < n; j++) {
        uint8_t *a, *b;
        PS_TRY(registers_of(shape, from->heap, ps_agg_at(from, j), false, &b, err));
        if (b == NULL)
            continue;
        PS_TRY(registers_of(shape, to->heap, ps_agg_at(to, j), true, &a, err));
        for (size_t i = 0; i < m; i++)
            a[i] = a[i] > b[i] ? a[i] : b[i];
    }
    return PS_OK;
}

static double bias_of(int p, double e)
{
    const psi_hll_bias *table = &psi_hll_biases[p - 4];
    const double *estimate = table->estimate;
    int from = 0, to = table->n, low, high;
    double sum = 0;

    while (from < to) {
        int middle = (from + to) / 2;
        if (estimate[middle] < e)
            from = middle + 1;
        else
            to = middle;
    }
    low = from - NEAREST + 1 > 0 ? from - NEAREST + 1 : 0;
    high = low + NEAREST < table->n ? low + NEAREST : table->n;
    while (high < table->n && (e - estimate[high]) * (e - estimate[high]) <
                                  (e - estimate[low]) * (e - estimate[low])) {
        low++;
        high++;
    }
    for (int i = low; i < high; i++)
        sum += table->bias[i];
    return sum / (high - low);
}

static int64_t estimate(int p, const uint8_t *registers)
{
    static const double alphas[3] = {0.673, 0.697, 0.709};
    double m = (double)(1ll << p), alpha = p < 7 ? alphas[p - 4] : 0.7213 / (1.0 + 1.079 / m);
    double inverse = 0, empty = 0, e, counted;

    for (int64_t i = 0; i < 1ll << p; i++) {
        inverse += 1.0 / (double)(1ull << (registers[i] & 63));
        empty += registers[i] == 0;
    }
    e = alpha * m * m / inverse;
    counted = m * log(m / empty);
    if (empty > 0 && ((p < 19 && counted <= thresholds[p - 4]) || e <= 2.5 * m))
        e = counted;
    else if (p < 19 && e < 5.0 * m)
        e -= bias_of(p, e);
    return (int64_t)floor(e + 0.5);
}

static ps_status hll_write(const ps_agg_shape *shape, const ps_agg_groups *from, int64_t j,
                           ps_vec *vec, ps_error *err)
{
    uint8_t *registers;

    PS_TRY(registers_of(shape, from->heap, ps_agg_at(from, j), false, &registers, err));
    ((int64_t *)vec->data)[j] = registers ? estimate((int)shape->param, registers) : 0;
    return PS_OK;
}

static ps_status hll_finish(const ps_agg_shape *shape, const ps_agg_groups *from, int64_t n,
                            const ps_type *type, ps_vec **out, ps_error *err)
{
    return psi_agg_written(shape, from, n, type, hll_write, out, err);
}

const ps_agg_fn psi_agg_approx_count_distinct = {
    "approx_count_distinct", hll_bind, NULL, hll_update, hll_merge, hll_finish, NULL};
