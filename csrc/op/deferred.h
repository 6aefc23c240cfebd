/*
 * op/deferred.h - a bounded leaf whose rows are computed by somebody else when it runs.
 */
#ifndef PS_OP_DEFERRED_H
#define PS_OP_DEFERRED_H
#include "op/op.h"

typedef ps_status (*ps_emit_fn)(void *emit_self, ps_batch *batch, ps_error *err);
/* `rows` is called once per run, on the run's thread, with where to put the batches.  `release(self)` is called when the
 * last node goes. */
typedef ps_status (*ps_rows_fn)(void *self, ps_emit_fn emit, void *emit_self, ps_error *err);
/* Calls release(self) also when it fails. */
ps_status ps_node_deferred(const ps_type *schema, ps_rows_fn rows, void (*release)(void *), void *self, ps_node **out, ps_error *err);
#endif
