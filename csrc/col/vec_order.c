/*
 * col/vec_order.c - the order and the equality of values, as Spark has them: NaN is the greatest number and
 * equals itself, -0.0 equals 0.0, text is compared by unsigned bytes, nested values element by element with
 * NULL elements first.
 */
#include "col/vec_int.h"

int ps_str_compare(const ps_str *a, const ps_str *b)
{
    uint32_t n = a->n_bytes < b->n_bytes ? a->n_bytes : b->n_bytes;
    int order = memcmp(ps_str_data(a), ps_str_data(b), n);

    return order ? order : (a->n_bytes > b->n_bytes) - (a->n_bytes < b->n_bytes);
}

static int compare_at(const ps_vec *a, int64_t at_a, const ps_vec *b, int64_t at_b);

/* Rows of children, which may have any shape. */
static int compare_rows(const ps_vec *a, int64_t row_a, const ps_vec *b, int64_t row_b)
{
    return ps_vec_compare(a, row_a, b, row_b, true);
}

static int compare_spans(const ps_vec *a, ps_span x, const ps_vec *b, ps_span y)
{
    uint32_t n = x.n < y.n ? x.n : y.n;

    for (uint32_t i = 0; i < n; i++) {
        for (int c = 0; c < a->n_children; c++) {
            int order = compare_rows(a->children[c], (int64_t)x.start + i, b->children[c], (int64_t)y.start + i);
            if (order)
                return order;
        }
    }
    return (x.n > y.n) - (x.n < y.n);
}

static int compare_doubles(double x, double y)
{
    if (x != x || y != y)
        return (x != x) - (y != y);
    return (x > y) - (x < y);
}

static int compare_calendars(const ps_calendar *x, const ps_calendar *y)
{
    if (x->months != y->months)
        return x->months < y->months ? -1 : 1;
    if (x->days != y->days)
        return x->days < y->days ? -1 : 1;
    return (x->micros > y->micros) - (x->micros < y->micros);
}

/* Two values that are not NULL, at physical rows. */
static int compare_at(const ps_vec *a, int64_t at_a, const ps_vec *b, int64_t at_b)
{
    switch (a->type->kind) {
    case PS_NULL: return 0;
    case PS_FLOAT:
    case PS_DOUBLE: return compare_doubles(psi_float_at(a, at_a), psi_float_at(b, at_b));
    case PS_DECIMAL: {
        __int128 x = ((const __int128 *)a->data)[at_a], y = ((const __int128 *)b->data)[at_b];
        return (x > y) - (x < y);
    }
    case PS_STRING:
    case PS_BINARY: return ps_str_compare((const ps_str *)a->data + at_a, (const ps_str *)b->data + at_b);
    case PS_CALENDAR: return compare_calendars((const ps_calendar *)a->data + at_a, (const ps_calendar *)b->data + at_b);
    case PS_ARRAY:
    case PS_MAP: return compare_spans(a, ((const ps_span *)a->data)[at_a], b, ((const ps_span *)b->data)[at_b]);
    case PS_STRUCT:
        for (int c = 0; c < a->n_children; c++) {
            int order = compare_rows(a->children[c], at_a, b->children[c], at_b);
            if (order)
                return order;
        }
        return 0;
    default: {
        int64_t x = psi_int_at(a, at_a), y = psi_int_at(b, at_b);
        return (x > y) - (x < y);
    }
    }
}

int ps_vec_compare(const ps_vec *a, int64_t row_a, const ps_vec *b, int64_t row_b, bool nulls_first)
{
    ps_view va, vb;
    bool null_a, null_b;

    ps_view_init(&va, a);
    ps_view_init(&vb, b);
    null_a = ps_view_is_null(&va, row_a);
    null_b = ps_view_is_null(&vb, row_b);
    if (null_a || null_b)
        return null_a == null_b ? 0 : null_a == nulls_first ? -1 : 1;
    return compare_at(va.base, ps_at(&va, row_a), vb.base, ps_at(&vb, row_b));
}

bool ps_vec_equal_rows(const ps_vec *a, int64_t row_a, const ps_vec *b, int64_t row_b)
{
    return ps_vec_compare(a, row_a, b, row_b, true) == 0;
}
