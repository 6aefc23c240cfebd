/*
 * plan/run.c - a bounded plan, run once on the calling thread.
 */
#include "plan/plan.h"

ps_status ps_plan_run(ps_node *node, ps_run *run, ps_status (*write)(void *self, ps_batch *batch, ps_error *err), void *self, ps_error *err)
{
    ps_collector end;
    ps_node *lean = NULL;
    ps_op *root = NULL;
    ps_status rc;

    PS_TRY(ps_plan_check_batch(node, err));
    PS_TRY(ps_plan_optimise(node, &lean, err));
    ps_collector_init(&end, run, write, self);
    PS_TRY_OR(done, ps_op_open(lean, run, &root, err));
    root->next = &end.op;
    PS_TRY_OR(done, ps_op_begin(root, err));
    rc = ps_op_drive(root, err);
done:
    ps_op_close(root);
    ps_node_unref(lean);
    return rc;
}
