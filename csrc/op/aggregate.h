/*
 * op/aggregate.h - aggregation: what parallel.c needs of it.
 *
 * A worker puts rows into a partial table of its own (one per worker and micro-batch); when the
 * input has ended the operator merges the tables shard by shard.
 */
#ifndef PS_OP_AGGREGATE_H
#define PS_OP_AGGREGATE_H
#include "op/op.h"

typedef struct ps_aggregate_partial ps_aggregate_partial;
/* False when the order of rows matters (first, collect_list) or rows must meet in one place
 * (DISTINCT). */
bool ps_aggregate_allows_partials(const ps_op *op);
/* The partial table of worker `worker` (0: the operator's own, which push() fills); lives as long
 * as the operator. Call on the run's thread, before the workers start. */
ps_status ps_aggregate_partial_get(ps_op *op, int worker, ps_aggregate_partial **out,
                                   ps_error *err);
/* @thread any, one per partial. @locks PS_RANK_STATE */
ps_status ps_aggregate_partial_push(ps_aggregate_partial *partial, ps_batch *batch, ps_error *err);
/* Is there a DISTINCT among the aggregates of this node; false for other nodes. */
bool ps_aggregate_has_distinct(const ps_node *node);
#endif
