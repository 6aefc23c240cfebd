/*
 * expr/agg_moments.c - variance, skewness, kurtosis; covariance, correlation and linear regression.
 *
 * One pass over central moments, merged as Chan, Golub and LeVeque have it; the order of the
 * operations is that of Spark, since results are compared to the last digits that survive rounding.
 */
#include "expr/agg_int.h"
#include <math.h>

static double value_at(const ps_view *view, int64_t at)
{
    return ((const double *)view->data)[at];
}

static ps_status put(ps_vec *vec, int64_t j, bool known, double x, ps_error *err)
{
    if (vec->type->kind == PS_INT64)
        ((int64_t *)vec->data)[j] = (int64_t)x;
    else
        ((double *)vec->data)[j] = x;
    return known ? PS_OK : ps_vec_set_null(vec, j, err);
}

/* A family of aggregates has one buffer, and <family>_bind, _update, _merge and _result, which tells
 * a group's number or that there is none.  FAMILY makes its finish(), MEMBER a function of it. */
#define FAMILY(family)                                                                             \
    static ps_status family##_write(const ps_agg_shape *shape, const ps_agg_groups *from,          \
                                    int64_t j, ps_vec *vec, ps_error *err)                         \
    {                                                                                              \
        double x = 0;                                                                              \
        bool known = family##_result(shape, ps_agg_at(from, j), &x);                               \
        return put(vec, j, known, x, err);                                                         \
    }                                                                                              \
    static ps_status family##_finish(const ps_agg_shape *shape, const ps_agg_groups *from,         \
                                     int64_t n, const ps_type *type, ps_vec **out, ps_error *err)  \
    {                                                                                              \
        return psi_agg_written(shape, from, n, type, family##_write, out, err);                    \
    }
#define MEMBER(family, fn, variant)                                                                \
    static ps_status fn##_bind(ps_fn_call *call, ps_agg_shape *shape, ps_error *err)               \
    {                                                                                              \
        PS_UNUSED(err);                                                                            \
        return family##_bind(call, shape, variant);                                                \
    }                                                                                              \
    const ps_agg_fn psi_agg_##fn = {#fn,            fn##_bind,       NULL, family##_update,        \
                                    family##_merge, family##_finish, NULL};

/* ---- one variable ---- */

typedef enum moment { STDDEV_SAMP, STDDEV_POP, VAR_SAMP, VAR_POP, SKEWNESS, KURTOSIS } moment;
typedef struct moments {
    double n, avg, m2, m3, m4;
} moments;

static ps_status moments_bind(ps_fn_call *call, ps_agg_shape *shape, moment variant)
{
    psi_agg_shape(call, sizeof(moments), shape);
    shape->variant = variant;
    return psi_agg_result(call, ps_type_ref(ps_type_of(PS_DOUBLE)), true);
}

static ps_status moments_update(const ps_agg_shape *shape, const ps_agg_groups *to,
                                ps_vec *const *args, const ps_rows *rows, ps_error *err)
{
    ps_view view;

    PS_UNUSED(shape);
    PS_UNUSED(err);
    ps_view_init(&view, args[0]);
    PSI_AGG_EACH(rows, &view, j, at)
    {
        moments *g = ps_agg_at(to, j);
        double x = value_at(&view, at), n = g->n + 1, delta = x - g->avg, delta_n = delta / n;
        double m2 = g->m2 + delta * (delta - delta_n), delta2 = delta * delta,
               delta_n2 = delta_n * delta_n;
        double m3 = g->m3 - 3.0 * delta_n * m2 + delta * (delta2 - delta_n2);
        g->m4 = g->m4 - 4.0 * delta_n * m3 - 6.0 * delta_n2 * m2 +
                delta * (delta * delta2 - delta_n * delta_n2);
        g->m3 = m3;
        g->m2 = m2;
        g->avg += delta_n;
        g->n = n;
    }
    return PS_OK;
}

static ps_status moments_merge(const ps_agg_shape *shape, const ps_agg_groups *to,
                               const ps_agg_groups *from, int64_t n_groups, ps_error *err)
{
    PS_UNUSED(shape);
    PS_UNUSED(err);
    for (int64_t j = 0; j < n_groups; j++) {
        moments *a = ps_agg_at(to, j);
        const moments *b = ps_agg_at(from, j);
        double n1 = a->n, n2 = b->n, n = n1 + n2, delta = b->avg - a->avg,
               delta_n = n == 0 ? 0 : delta / n;
        moments r = {.n = n, .avg = a->avg + delta_n * n2};
        r.m2 = a->m2 + b->m2 + delta * delta_n * n1 * n2;
        r.m3 = a->m3 + b->m3 + delta_n * delta_n * delta * n1 * n2 * (n1 - n2) +
               3.0 * delta_n * (n1 * b->m2 - n2 * a->m2);
        r.m4 = a->m4 + b->m4 +
               delta_n * delta_n * delta_n * delta * n1 * n2 * (n1 * n1 - n1 * n2 + n2 * n2) +
               6.0 * delta_n * delta_n * (n1 * n1 * b->m2 + n2 * n2 * a->m2) +
               4.0 * delta_n * (n1 * b->m3 - n2 * a->m3);
        *a = r;
    }
    return PS_OK;
}

static bool moments_result(const ps_agg_shape *shape, const void *group, double *out)
{
    const moments *g = group;

    if (g->n == 0)
        return false;
    switch ((moment)shape->variant) {
    case STDDEV_POP:
        *out = sqrt(g->m2 / g->n);
        return true;
    case VAR_POP:
        *out = g->m2 / g->n;
        return true;
    case STDDEV_SAMP:
        *out = sqrt(g->m2 / (g->n - 1.0));
        return g->n != 1;
    case VAR_SAMP:
        *out = g->m2 / (g->n - 1.0);
        return g->n != 1;
    case SKEWNESS:
        *out = sqrt(g->n) * g->m3 / sqrt(g->m2 * g->m2 * g->m2);
        return g->m2 != 0;
    case KURTOSIS:
        *out = g->n * g->m4 / (g->m2 * g->m2) - 3.0;
        return g->m2 != 0;
    }
    return false;
}

FAMILY(moments)
MEMBER(moments, stddev_samp, STDDEV_SAMP)
MEMBER(moments, stddev_pop, STDDEV_POP)
MEMBER(moments, var_samp, VAR_SAMP)
MEMBER(moments, var_pop, VAR_POP)
MEMBER(moments, skewness, SKEWNESS)
MEMBER(moments, kurtosis, KURTOSIS)

/* ---- two variables ---- */

typedef enum relation {
    CORR,
    COVAR_POP,
    COVAR_SAMP,
    REGR_AVGX,
    REGR_AVGY,
    REGR_COUNT,
    REGR_INTERCEPT,
    REGR_R2,
    REGR_SLOPE,
    REGR_SXX,
    REGR_SXY,
    REGR_SYY
} relation;
/* x is the first argument, y the second; the regr_ functions are written (y, x) and mean the second
 * by x. */
typedef struct pair {
    double n, x, y, c, xm, ym;
} pair;

static ps_status pair_bind(ps_fn_call *call, ps_agg_shape *shape, relation variant)
{
    psi_agg_shape(call, sizeof(pair), shape);
    shape->variant = variant;
    return psi_agg_result(call,
                          ps_type_ref(ps_type_of(variant == REGR_COUNT ? PS_INT64 : PS_DOUBLE)),
                          variant != REGR_COUNT);
}

static ps_status pair_update(const ps_agg_shape *shape, const ps_agg_groups *to,
                             ps_vec *const *args, const ps_rows *rows, ps_error *err)
{
    ps_view xs, ys;

    PS_UNUSED(shape);
    PS_UNUSED(err);
    ps_view_init(&xs, args[0]);
    ps_view_init(&ys, args[1]);
    PSI_AGG_EACH(rows, &xs, j, at)
    {
        int64_t row = ps_row(rows, j);
        pair *g = ps_agg_at(to, j);
        double x, y, dx, dy;
        if (ps_view_is_null(&ys, row))
            continue;
        x = value_at(&xs, at);
        y = value_at(&ys, ps_at(&ys, row));
        g->n += 1;
        dx = x - g->x;
        dy = y - g->y;
        g->x += dx / g->n;
        g->y += dy / g->n;
        g->c += dx * (y - g->y);
        g->xm += dx * (x - g->x);
        g->ym += dy * (y - g->y);
    }
    return PS_OK;
}

static ps_status pair_merge(const ps_agg_shape *shape, const ps_agg_groups *to,
                            const ps_agg_groups *from, int64_t n_groups, ps_error *err)
{
    PS_UNUSED(shape);
    PS_UNUSED(err);
    for (int64_t j = 0; j < n_groups; j++) {
        pair *a = ps_agg_at(to, j);
        const pair *b = ps_agg_at(from, j);
        double n1 = a->n, n2 = b->n, n = n1 + n2, dx = b->x - a->x, dy = b->y - a->y;
        double dx_n = n == 0 ? 0 : dx / n, dy_n = n == 0 ? 0 : dy / n;
        a->n = n;
        a->x += dx_n * n2;
        a->y += dy_n * n2;
        a->c += b->c + dx * dy_n * n1 * n2;
        a->xm += b->xm + dx * dx_n * n1 * n2;
        a->ym += b->ym + dy * dy_n * n1 * n2;
    }
    return PS_OK;
}

/* The regression of the first argument on the second. */
static bool regression(relation what, const pair *g, double *out)
{
    double slope = g->c / g->ym;

    switch (what) {
    case REGR_AVGX:
        *out = g->y;
        return true;
    case REGR_AVGY:
        *out = g->x;
        return true;
    case REGR_SXX:
        *out = g->ym;
        return true;
    case REGR_SXY:
        *out = g->c;
        return true;
    case REGR_SYY:
        *out = g->xm;
        return true;
    case REGR_SLOPE:
        *out = slope;
        return g->ym != 0;
    case REGR_INTERCEPT:
        *out = g->x - slope * g->y;
        return g->ym != 0;
    default:
        *out = g->xm == 0 ? 1.0 : g->c * g->c / (g->xm * g->ym);
        return g->ym != 0;
    }
}

static bool pair_result(const ps_agg_shape *shape, const void *group, double *out)
{
    const pair *g = group;

    if (g->n == 0 && shape->variant != REGR_COUNT)
        return false;
    switch ((relation)shape->variant) {
    case REGR_COUNT:
        *out = g->n;
        return true;
    case CORR:
        *out = g->c / sqrt(g->xm * g->ym);
        return g->n != 1 && g->xm != 0 && g->ym != 0;
    case COVAR_POP:
        *out = g->c / g->n;
        return true;
    case COVAR_SAMP:
        *out = g->c / (g->n - 1.0);
        return g->n != 1;
    default:
        return regression(shape->variant, g, out);
    }
}

FAMILY(pair)
MEMBER(pair, corr, CORR)
MEMBER(pair, covar_pop, COVAR_POP)
MEMBER(pair, covar_samp, COVAR_SAMP)
MEMBER(pair, regr_avgx, REGR_AVGX)
MEMBER(pair, regr_avgy, REGR_AVGY)
MEMBER(pair, regr_count, REGR_COUNT)
MEMBER(pair, regr_intercept, REGR_INTERCEPT)
MEMBER(pair, regr_r2, REGR_R2)
MEMBER(pair, regr_slope, REGR_SLOPE)
MEMBER(pair, regr_sxx, REGR_SXX)
MEMBER(pair, regr_sxy, REGR_SXY)
MEMBER(pair, regr_syy, REGR_SYY)

/* ---- product ---- */

typedef struct product {
    double product;
    int64_t n;
} product;

static ps_status product_bind(ps_fn_call *call, ps_agg_shape *shape, ps_error *err)
{
    PS_UNUSED(err);
    psi_agg_shape(call, sizeof(product), shape);
    return psi_agg_result(call, ps_type_ref(ps_type_of(PS_DOUBLE)), true);
}

static void product_init(const ps_agg_shape *shape, uint8_t *buffer)
{
    PS_UNUSED(shape);
    ((product *)buffer)->product = 1.0;
}

static ps_status product_update(const ps_agg_shape *shape, const ps_agg_groups *to,
                                ps_vec *const *args, const ps_rows *rows, ps_error *err)
{
    ps_view view;

    PS_UNUSED(shape);
    PS_UNUSED(err);
    ps_view_init(&view, args[0]);
    PSI_AGG_EACH(rows, &view, j, at)
    {
        product *g = ps_agg_at(to, j);
        g->product *= value_at(&view, at);
        g->n++;
    }
    return PS_OK;
}

static ps_status product_merge(const ps_agg_shape *shape, const ps_agg_groups *to,
                               const ps_agg_groups *from, int64_t n, ps_error *err)
{
    PS_UNUSED(shape);
    PS_UNUSED(err);
    for (int64_t j = 0; j < n; j++) {
        ((product *)ps_agg_at(to, j))->product *= ((const product *)ps_agg_at(from, j))->product;
        ((product *)ps_agg_at(to, j))->n += ((const product *)ps_agg_at(from, j))->n;
    }
    return PS_OK;
}

static bool product_result(const ps_agg_shape *shape, const void *group, double *out)
{
    PS_UNUSED(shape);
    *out = ((const product *)group)->product;
    return ((const product *)group)->n > 0;
}

FAMILY(product)
const ps_agg_fn psi_agg_product = {"product",     product_bind,   product_init, product_update,
                                   product_merge, product_finish, NULL};
