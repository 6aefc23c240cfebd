/*
 * plan/plan.h - what is done with a plan as a whole: making it lean, checking it for streaming, explaining it.
 */
#ifndef PS_PLAN_PLAN_H
#define PS_PLAN_PLAN_H
#include "op/op.h"

/* Drops unused columns down to the scans, moves filters below watermarks (stateful.md 1.3). *out owned. */
ps_status ps_plan_optimise(ps_node *node, ps_node **out, ps_error *err);

/* What streaming allows (stateful.md 8.1): raised by start(). */
ps_status ps_plan_check_streaming(const ps_node *node, ps_mode mode, const ps_conf *conf, ps_error *err);
/* A batch action on a streaming plan (8.3). `action` may be NULL. */
ps_status ps_plan_check_batch(const ps_node *node, ps_error *err);

/* explain(): mode simple, extended, codegen, cost, formatted. */
ps_status ps_plan_explain(const ps_node *node, const char *mode, ps_bytes *out, ps_error *err);

/* Runs a bounded plan on the calling thread and hands every batch to `write`. */
ps_status ps_plan_run(ps_node *node, ps_run *run, ps_status (*write)(void *self, ps_batch *batch, ps_error *err), void *self, ps_error *err);

#endif
