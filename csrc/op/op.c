/*
 * op/op.c - running a tree of operators.
 */
#include "op/op.h"
#include "op/op_int.h"

ps_status psi_op_new(size_t size, const ps_op_vt *vt, const ps_node *node, ps_run *run, void *out, ps_error *err)
{
    ps_op *op = NULL;

    PS_TRY(ps_alloc0(size, &op, err));
    op->vt = vt;
    op->node = node;
    op->run = run;
    op->order[1] = 1;
    op->skip_port = -1;
    op->state_id = -1;
    *(void **)out = op;
    return PS_OK;
}

ps_status ps_run_check(ps_run *run, ps_error *err)
{
    if (run->cancel && atomic_load_explicit(run->cancel, memory_order_relaxed))
        return ps_raise(err, PS_E_CANCELLED);
    return run->poll ? run->poll(run->poll_self, err) : PS_OK;
}

ps_status ps_run_checked(void *run, ps_error *err) { return ps_run_check(run, err); }

ps_status ps_op_open(const ps_node *node, ps_run *run, ps_op **out, ps_error *err)
{
    ps_op *op = NULL;
    ps_status rc;

    *out = NULL;
    if (!node->row->open)
        return ps_raise(err, PS_E_INTERNAL, "this kind of plan node cannot run");
    PS_TRY(node->row->open(node, run, &op, err));
    PS_TRY_OR(fail, ps_alloc0((size_t)node->n_inputs * sizeof *op->inputs, &op->inputs, err));
    for (int i = 0; i < node->n_inputs; i++) {
        PS_TRY_OR(fail, ps_op_open(node->inputs[i], run, &op->inputs[i], err));
        op->inputs[i]->next = op;
        op->inputs[i]->next_port = i;
        op->n_inputs++;
    }
    *out = op;
    return PS_OK;
fail:
    ps_op_close(op);
    return rc;
}

void ps_op_close(ps_op *op)
{
    if (!op)
        return;
    psi_workers_free(op->workers);
    op->workers = NULL;
    for (int i = 0; i < op->n_inputs; i++)
        ps_op_close(op->inputs[i]);
    ps_free(op->inputs);
    op->inputs = NULL;
    op->n_inputs = 0;
    op->vt->close(op);
}

ps_status ps_op_begin(ps_op *op, ps_error *err)
{
    op->n_rows_out = 0;
    op->done = false;
    for (int i = 0; i < op->n_inputs; i++)
        PS_TRY(ps_op_begin(op->inputs[i], err));
    return op->vt->begin ? op->vt->begin(op, err) : PS_OK;
}

ps_status ps_op_drive(ps_op *op, ps_error *err)
{
    if (op->vt->produce)
        return op->vt->produce(op, err);
    for (int i = 0; i < op->n_inputs; i++) {
        int port = op->n_inputs == 2 ? op->order[i] : i;

        if (port == op->skip_port)
            continue;
        if (psi_can_drive_parallel(op))
            PS_TRY(psi_drive_parallel(op, err));
        else
            PS_TRY(ps_op_drive(op->inputs[port], err));
        if (op->vt->finish)
            PS_TRY(op->vt->finish(op, port, err));
    }
    return PS_OK;
}

ps_status ps_op_emit(ps_op *op, ps_batch *batch, ps_error *err)
{
    if (batch->n_sel == 0 || ps_op_is_done(op->next))
        return PS_OK;
    op->n_rows_out += batch->n_sel;
    return op->next->vt->push(op->next, op->next_port, batch, err);
}

bool ps_op_is_done(const ps_op *op)
{
    for (; op; op = op->next) {
        if (op->done)
            return true;
        /* A breaker takes its whole input whatever comes after it; so does a watermark, whose statistics and the
         * state behind it must not depend on a limit further down. */
        if (!op->node || (op->node->row->flags & PS_OP_BREAKER) || op->vt->event_stats || op->state_id >= 0)
            return false;
    }
    return false;
}

ps_status ps_op_walk(ps_op *op, ps_status (*visit)(void *self, ps_op *op, ps_error *err), void *self, ps_error *err)
{
    PS_TRY(visit(self, op, err));
    for (int i = 0; i < op->n_inputs; i++)
        PS_TRY(ps_op_walk(op->inputs[i], visit, self, err));
    return PS_OK;
}

static ps_status collector_push(ps_op *op, int port, ps_batch *batch, ps_error *err)
{
    ps_collector *collector = (ps_collector *)op;

    PS_UNUSED(port);
    return collector->write(collector->self, batch, err);
}

void ps_collector_init(ps_collector *collector, ps_run *run, ps_status (*write)(void *, ps_batch *, ps_error *), void *self)
{
    static const ps_op_vt vt = {.push = collector_push};

    memset(collector, 0, sizeof *collector);
    collector->op.vt = &vt;
    collector->op.run = run;
    collector->op.state_id = -1;
    collector->write = write;
    collector->self = self;
}
