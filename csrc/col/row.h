/*
 * col/row.h - rows as sortable bytes: memcmp() of two keys orders them as the columns do.
 *
 * A key is self-delimiting, so no key is a prefix of another, and equal rows have equal keys.  Order of a value is
 * that of ps_vec_compare(); maps have none and are taken by their entries.
 */
#ifndef PS_COL_ROW_H
#define PS_COL_ROW_H
#include "col/batch.h"

typedef struct ps_row_order { bool descending, nulls_first; } ps_row_order;

/* Appends the key of every live row to `out`, which should not hold much else; offsets (rows->n + 1 of them) tell where
 * in `out` each begins, the last where they end. */
ps_status ps_row_keys(const ps_vec *const *cols, const ps_row_order *orders, int n_cols, const ps_rows *rows,
                      ps_bytes *out, size_t *offsets, ps_error *err);
/* The order of two keys. */
static inline int ps_row_compare(const char *a, size_t n_a, const char *b, size_t n_b)
{
    int order = memcmp(a, b, n_a < n_b ? n_a : n_b);
    return order ? order : (n_a > n_b) - (n_a < n_b);
}
#endif
