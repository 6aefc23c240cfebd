/*
 * expr/agg_sum.c - sum, try_sum, avg, try_avg.
 *
 * Integers are added in 64 bits and checked at every step, as Spark does: the order of the rows
 * decides whether a sum that comes back into range had failed before.  Decimals are added in 128
 * bits and checked when the group is read.
 */
#include "expr/agg_int.h"
#include <stdio.h>

/* Sums of integers and intervals, of doubles. */
typedef struct sum_int {
    int64_t sum;
    int64_t state;
} sum_int;
typedef struct sum_double {
    double sum;
    int64_t n;
} sum_double;
/* Sums of decimals: sum (16 bytes), state or count. */
typedef struct sum_decimal {
    uint64_t sum[2];
    int64_t n;
} sum_decimal;
#define SUM_EMPTY 0
#define SUM_SEEN 1
#define SUM_OVERFLOW 2 /* try_sum and legacy decimals: NULL for good */

typedef enum variant { V_ANSI, V_TRY, V_WRAP } variant;

static ps_status raise_overflow(const ps_agg_shape *shape, const char *hint, ps_error *err)
{
    char text[96];

    if (shape->types[0]->kind == PS_DAYTIME || shape->types[0]->kind == PS_YEARMONTH)
        return ps_raise(err, PS_E_INTERVAL_OVERFLOW_TRY, hint);
    snprintf(text, sizeof text, " Use '%s' to tolerate overflow and return NULL instead.", hint);
    return ps_raise(err, PS_E_ARITHMETIC_OVERFLOW,
                    shape->types[0]->kind == PS_DECIMAL ? "Overflow in sum of decimals."
                                                        : "long overflow.",
                    text);
}

static ps_status sum_type(ps_fn_call *call, ps_error *err)
{
    const ps_type *arg = call->args[0]->type, *type;
    int precision = arg->precision + 10;

    if (arg->kind == PS_DECIMAL)
        PS_TRY(ps_type_decimal(precision > 38 ? 38 : precision, arg->scale, &type, err));
    else if (ps_kind_is_integer(arg->kind))
        type = ps_type_ref(ps_type_of(PS_INT64));
    else if (ps_kind_is_float(arg->kind))
        type = ps_type_ref(ps_type_of(PS_DOUBLE));
    else
        type = ps_type_ref(arg);
    return psi_agg_result(call, type, true);
}

static ps_status sum_shape(ps_fn_call *call, ps_agg_shape *shape, ps_error *err)
{
    if (call->args[0]->type->kind == PS_NULL)
        PS_TRY(ps_fn_cast_arg(call, 0, ps_type_of(PS_DOUBLE), err));
    psi_agg_shape(call,
                  call->args[0]->type->kind == PS_DECIMAL ? sizeof(sum_decimal) : sizeof(sum_int),
                  shape);
    shape->variant = call->ansi ? V_ANSI : V_WRAP;
    return PS_OK;
}

static ps_status sum_bind(ps_fn_call *call, ps_agg_shape *shape, ps_error *err)
{
    PS_TRY(sum_shape(call, shape, err));
    shape->exact =
        true; /* floating point too: in which order rows are added is left to the workers anyway */
    return sum_type(call, err);
}

static ps_status try_sum_bind(ps_fn_call *call, ps_agg_shape *shape, ps_error *err)
{
    PS_TRY(sum_bind(call, shape, err));
    shape->variant = V_TRY;
    return PS_OK;
}

static inline ps_status add_int(const ps_agg_shape *shape, sum_int *group, int64_t value,
                                ps_error *err)
{
    if (PS_UNLIKELY(__builtin_add_overflow(group->sum, value, &group->sum))) {
        if (shape->variant == V_ANSI ||
            (shape->variant == V_WRAP && !ps_kind_is_integer(shape->types[0]->kind)))
            return raise_overflow(shape, "try_sum", err);
        if (shape->variant == V_TRY)
            group->state = SUM_OVERFLOW;
    }
    group->state |= SUM_SEEN;
    return PS_OK;
}

/* What `to` and `rows` point at is kept at hand: the compiler cannot know that no sum lies there. */
#define ADD_LOOP(T)                                                                                \
    if (!view.valid && !view.index && view.mask) {                                                 \
        const ps_agg_groups groups = *to;                                                          \
        const int32_t *sel = rows->sel;                                                            \
        const T *data = view.data;                                                                 \
        for (int64_t j = 0, n = rows->n; j < n; j++)                                               \
            PS_TRY(add_int(shape, ps_agg_at(&groups, j), data[sel ? sel[j] : j], err));            \
    } else {                                                                                       \
        PSI_AGG_EACH(rows, &view, j, at)                                                           \
        PS_TRY(add_int(shape, ps_agg_at(to, j), ((const T *)view.data)[at], err));                 \
    }                                                                                              \
    return PS_OK;

#define ADD_DOUBLES(T)                                                                             \
    PSI_AGG_EACH(rows, &view, j, at)                                                               \
    {                                                                                              \
        sum_double *group = ps_agg_at(to, j);                                                      \
        group->sum += (double)((const T *)view.data)[at];                                          \
        group->n++;                                                                                \
    }                                                                                              \
    return PS_OK;

static ps_status add_decimals(const ps_agg_groups *to, const ps_view *view, const ps_rows *rows)
{
    PSI_AGG_EACH(rows, view, j, at)
    {
        sum_decimal *group = ps_agg_at(to, j);
        __int128 sum;
        if (__builtin_add_overflow(psi_get128(group->sum), ((const __int128 *)view->data)[at],
                                   &sum))
            group->n = INT64_MIN / 2; /* stays negative: overflowed */
        psi_put128(group->sum, sum);
        group->n++;
    }
    return PS_OK;
}

static ps_status sum_update(const ps_agg_shape *shape, const ps_agg_groups *to, ps_vec *const *args,
                            const ps_rows *rows, ps_error *err)
{
    ps_view view;

    ps_view_init(&view, args[0]);
    switch (shape->types[0]->kind) {
    case PS_INT8:
        ADD_LOOP(int8_t);
    case PS_INT16:
        ADD_LOOP(int16_t);
    case PS_INT32:
    case PS_YEARMONTH:
        ADD_LOOP(int32_t);
    case PS_FLOAT:
        ADD_DOUBLES(float);
    case PS_DOUBLE:
        ADD_DOUBLES(double);
    case PS_DECIMAL:
        return add_decimals(to, &view, rows);
    default:
        ADD_LOOP(int64_t);
    }
}

static void merge_doubles(const ps_agg_groups *to, const ps_agg_groups *from, int64_t n)
{
    for (int64_t j = 0; j < n; j++) {
        sum_double *a = ps_agg_at(to, j);
        const sum_double *b = ps_agg_at(from, j);
        a->sum += b->sum;
        a->n += b->n;
    }
}

static void merge_decimals(const ps_agg_groups *to, const ps_agg_groups *from, int64_t n)
{
    for (int64_t j = 0; j < n; j++) {
        sum_decimal *a = ps_agg_at(to, j);
        const sum_decimal *b = ps_agg_at(from, j);
        __int128 sum;
        if (__builtin_add_overflow(psi_get128(a->sum), psi_get128(b->sum), &sum) || a->n < 0 ||
            b->n < 0)
            a->n = INT64_MIN / 2;
        else
            a->n += b->n;
        psi_put128(a->sum, sum);
    }
}

static ps_status sum_merge(const ps_agg_shape *shape, const ps_agg_groups *to,
                           const ps_agg_groups *from, int64_t n, ps_error *err)
{
    if (ps_kind_is_float(shape->types[0]->kind)) {
        merge_doubles(to, from, n);
    } else if (shape->types[0]->kind == PS_DECIMAL) {
        merge_decimals(to, from, n);
    } else {
        for (int64_t j = 0; j < n; j++) {
            sum_int *a = ps_agg_at(to, j);
            const sum_int *b = ps_agg_at(from, j);
            if (b->state != SUM_EMPTY)
                PS_TRY(add_int(shape, a, b->sum, err));
            a->state |= b->state;
        }
    }
    return PS_OK;
}

static ps_status finish_decimal(const ps_agg_shape *shape, const sum_decimal *group, ps_vec *vec,
                                int64_t j, ps_error *err)
{
    __int128 sum = psi_get128(group->sum);

    if (group->n == 0)
        return ps_vec_set_null(vec, j, err);
    if (group->n < 0 || !ps_int128_fits(sum, vec->type->precision)) {
        if (shape->variant == V_ANSI)
            return raise_overflow(shape, "try_sum", err);
        return ps_vec_set_null(vec, j, err);
    }
    ((__int128 *)vec->data)[j] = sum;
    return PS_OK;
}

static ps_status finish_int(const ps_agg_shape *shape, const sum_int *group, ps_vec *vec, int64_t j,
                            ps_error *err)
{
    if (group->state == SUM_EMPTY || group->state & SUM_OVERFLOW)
        return ps_vec_set_null(vec, j, err);
    if (vec->type->kind != PS_YEARMONTH) {
        ((int64_t *)vec->data)[j] = group->sum;
        return PS_OK;
    }
    if (group->sum != (int32_t)group->sum)
        return shape->variant == V_TRY ? ps_vec_set_null(vec, j, err)
                                       : raise_overflow(shape, "try_sum", err);
    ((int32_t *)vec->data)[j] = (int32_t)group->sum;
    return PS_OK;
}

static ps_status sum_write(const ps_agg_shape *shape, const ps_agg_groups *from, int64_t j,
                           ps_vec *vec, ps_error *err)
{
    const void *group = ps_agg_at(from, j);

    if (vec->type->kind == PS_DECIMAL)
        return finish_decimal(shape, group, vec, j, err);
    if (vec->type->kind != PS_DOUBLE)
        return finish_int(shape, group, vec, j, err);
    ((double *)vec->data)[j] = ((const sum_double *)group)->sum;
    return ((const sum_double *)group)->n == 0 ? ps_vec_set_null(vec, j, err) : PS_OK;
}

static ps_status sum_finish(const ps_agg_shape *shape, const ps_agg_groups *from, int64_t n,
                            const ps_type *type, ps_vec **out, ps_error *err)
{
    return psi_agg_written(shape, from, n, type, sum_write, out, err);
}

const ps_agg_fn psi_agg_sum = {"sum", sum_bind, NULL, sum_update, sum_merge, sum_finish, NULL};
const ps_agg_fn psi_agg_try_sum = {"try_sum", try_sum_bind, NULL, sum_update,
                                   sum_merge, sum_finish,   NULL};

/* ---- avg ---- */

/* Integers are summed as doubles; decimals and intervals exactly, in 128 bits, with a count. */
static bool avg_is_double(const ps_agg_shape *shape)
{
    return ps_kind_is_integer(shape->types[0]->kind) || ps_kind_is_float(shape->types[0]->kind);
}

static ps_status avg_bind(ps_fn_call *call, ps_agg_shape *shape, ps_error *err)
{
    const ps_type *arg, *type = ps_type_of(PS_DOUBLE);
    int precision, scale;

    PS_TRY(sum_shape(call, shape, err));
    arg = call->args[0]->type;
    shape->exact = true;
    shape->buffer_bytes = avg_is_double(shape) ? sizeof(sum_double) : sizeof(sum_decimal);
    precision = arg->precision + 4;
    scale = arg->scale + 4;
    if (arg->kind == PS_DECIMAL)
        PS_TRY(
            ps_type_decimal(precision > 38 ? 38 : precision, scale > 38 ? 38 : scale, &type, err));
    else if (!avg_is_double(shape))
        type = ps_type_of(arg->kind);
    return psi_agg_result(call, arg->kind == PS_DECIMAL ? type : ps_type_ref(type), true);
}

static ps_status try_avg_bind(ps_fn_call *call, ps_agg_shape *shape, ps_error *err)
{
    PS_TRY(avg_bind(call, shape, err));
    shape->variant = V_TRY;
    return PS_OK;
}

#define ADD_WIDE(T)                                                                                \
    PSI_AGG_EACH(rows, &view, j, at)                                                               \
    {                                                                                              \
        sum_decimal *group = ps_agg_at(to, j);                                                     \
        psi_put128(group->sum, psi_get128(group->sum) + ((const T *)view.data)[at]);               \
        group->n++;                                                                                \
    }                                                                                              \
    return PS_OK;

static ps_status avg_update(const ps_agg_shape *shape, const ps_agg_groups *to, ps_vec *const *args,
                            const ps_rows *rows, ps_error *err)
{
    ps_view view;

    PS_UNUSED(err);
    ps_view_init(&view, args[0]);
    switch (shape->types[0]->kind) {
    case PS_INT8:
        ADD_DOUBLES(int8_t);
    case PS_INT16:
        ADD_DOUBLES(int16_t);
    case PS_INT32:
        ADD_DOUBLES(int32_t);
    case PS_INT64:
        ADD_DOUBLES(int64_t);
    case PS_FLOAT:
        ADD_DOUBLES(float);
    case PS_DOUBLE:
        ADD_DOUBLES(double);
    case PS_DECIMAL:
        return add_decimals(to, &view, rows);
    case PS_YEARMONTH:
        ADD_WIDE(int32_t);
    default:
        ADD_WIDE(int64_t);
    }
}

static ps_status avg_merge(const ps_agg_shape *shape, const ps_agg_groups *to,
                           const ps_agg_groups *from, int64_t n, ps_error *err)
{
    PS_UNUSED(err);
    if (avg_is_double(shape))
        merge_doubles(to, from, n);
    else
        merge_decimals(to, from, n);
    return PS_OK;
}

static ps_status avg_of_decimal(const ps_agg_shape *shape, const sum_decimal *group, ps_vec *vec,
                                int64_t j, ps_error *err)
{
    const ps_type *type = vec->type;
    __int128 sum = psi_get128(group->sum), avg;
    int sum_precision = shape->types[0]->precision + 10;
    bool fits = group->n > 0 && ps_int128_fits(sum, sum_precision > 38 ? 38 : sum_precision) &&
                ps_decimal_divide(sum, shape->types[0]->scale, group->n, 0, type->scale, &avg) &&
                ps_int128_fits(avg, type->precision);

    if (group->n == 0)
        return ps_vec_set_null(vec, j, err);
    if (!fits)
        return shape->variant == V_ANSI ? raise_overflow(shape, "try_avg", err)
                                        : ps_vec_set_null(vec, j, err);
    ((__int128 *)vec->data)[j] = avg;
    return PS_OK;
}

/* Halves are rounded away from zero. */
static ps_status avg_of_interval(const sum_decimal *group, ps_vec *vec, int64_t j, ps_error *err)
{
    __int128 avg = 0;

    if (group->n == 0)
        return ps_vec_set_null(vec, j, err);
    ps_decimal_divide(psi_get128(group->sum), 0, group->n, 0, 0, &avg);
    if (vec->type->kind == PS_YEARMONTH)
        ((int32_t *)vec->data)[j] = (int32_t)avg;
    else
        ((int64_t *)vec->data)[j] = (int64_t)avg;
    return PS_OK;
}

static ps_status avg_write(const ps_agg_shape *shape, const ps_agg_groups *from, int64_t j,
                           ps_vec *vec, ps_error *err)
{
    const void *group = ps_agg_at(from, j);
    const sum_double *d = group;

    if (vec->type->kind == PS_DECIMAL)
        return avg_of_decimal(shape, group, vec, j, err);
    if (vec->type->kind != PS_DOUBLE)
        return avg_of_interval(group, vec, j, err);
    if (d->n == 0)
        return ps_vec_set_null(vec, j, err);
    ((double *)vec->data)[j] = d->sum / (double)d->n;
    return PS_OK;
}

static ps_status avg_finish(const ps_agg_shape *shape, const ps_agg_groups *from, int64_t n,
                            const ps_type *type, ps_vec **out, ps_error *err)
{
    return psi_agg_written(shape, from, n, type, avg_write, out, err);
}

const ps_agg_fn psi_agg_avg = {"avg", avg_bind, NULL, avg_update, avg_merge, avg_finish, NULL};
const ps_agg_fn psi_agg_try_avg = {"try_avg", try_avg_bind, NULL, avg_update,
                                   avg_merge, avg_finish,   NULL};
