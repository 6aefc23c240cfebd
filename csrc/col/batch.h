/*
 * col/batch.h - columns of equal length, with a selection.
 *
 * A batch is what operators hand on: at most PS_BATCH_ROWS rows in the hot paths (a test may make it
 * smaller), more where something was materialised.  `sel`, when not NULL, lists the live rows in ascending
 * order; a filter narrows it and copies nothing.  A pushed batch is borrowed: who keeps it takes a reference,
 * who keeps it beyond its micro-batch copies it (ps_batch_copy).
 */
#ifndef PS_COL_BATCH_H
#define PS_COL_BATCH_H
#include "col/vec.h"

#define PS_BATCH_ROWS 8192
extern int ps_batch_rows; /* PS_BATCH_ROWS, or less in the run mode "tiny" */

typedef struct ps_batch {
    ps_refs refs;
    int64_t n_rows;     /* physical */
    const int32_t *sel; /* NULL: all */
    int64_t n_sel;      /* live rows; n_rows when sel is NULL */
    ps_buf *sel_buf;    /* owns sel */
    ps_vec **cols;      /* owned references */
    int n_cols;
} ps_batch;

/* The live rows of a batch, as kernels take them. */
typedef struct ps_rows {
    int64_t n_rows;
    const int32_t *sel;
    int64_t n;
} ps_rows;
static inline int64_t ps_row(const ps_rows *rows, int64_t j) { return rows->sel ? rows->sel[j] : j; }
static inline ps_rows ps_batch_live(const ps_batch *batch) { return (ps_rows){batch->n_rows, batch->sel, batch->n_sel}; }

/* n_cols empty places; the caller sets cols[i] (taken). */
ps_status ps_batch_new(int n_cols, int64_t n_rows, ps_batch **out, ps_error *err);
/* The same for other columns over the rows of `batch`, under its selection. */
ps_status ps_batch_like(const ps_batch *batch, int n_cols, ps_batch **out, ps_error *err);
ps_batch *ps_batch_ref(ps_batch *batch);
void ps_batch_unref(ps_batch *batch); /* accepts NULL */
/* The same columns under a narrower selection; takes sel_buf (int32 rows, n_sel of them), also when it fails. */
ps_status ps_batch_select(ps_batch *batch, ps_buf *sel_buf, int64_t n_sel, ps_batch **out, ps_error *err);
ps_status ps_batch_slice(ps_batch *batch, int64_t start, int64_t n, ps_batch **out, ps_error *err); /* live rows start.. */
ps_status ps_batch_copy(ps_batch *batch, ps_batch **out, ps_error *err);    /* flat, self-contained, no selection */
ps_status ps_batch_compact(ps_batch *batch, ps_batch **out, ps_error *err); /* flat columns, no selection; may share */
size_t ps_batch_n_bytes(const ps_batch *batch);

/* Rows that were kept: a list of batches. Zeroed by {0}. */
typedef struct ps_batches {
    ps_batch **items;
    int n, capacity;
    int64_t n_rows;
} ps_batches;
ps_status ps_batches_add(ps_batches *list, ps_batch *batch, ps_error *err); /* takes a reference */
ps_status ps_batches_concat(const ps_batches *list, int n_cols, const ps_type *const *types, ps_batch **out, ps_error *err);
void ps_batches_clear(ps_batches *list);
#endif
