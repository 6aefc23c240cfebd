/*
 * op/limit.c - limit(n) and offset(n).
 *
 * On a stream the limit holds for the life of the query: at most n rows ever, counted in state (except above an
 * aggregation in complete mode, where every batch is a whole result).
 */
#include "op/limit.h"
#include "op/op_int.h"

typedef struct limit_spec { int64_t limit, offset; } limit_spec; /* limit -1: none */

typedef struct limit_op {
    ps_op op;
    bool keeps;         /* counts over the life of the query */
    int64_t n_before;   /* rows let through in earlier batches */
    int64_t n_now;      /* in this one */
    int64_t n_skipped;
    ps_counter *counter; /* where a keeping limit is made durable; NULL without a state directory */
} limit_op;

PSI_OP_FREE(psi_limit_free) { ps_free(spec); }

static ps_status limit_node(ps_node *input, const limit_spec *from, ps_node **out, ps_error *err)
{
    limit_spec *spec = NULL;
    ps_node *node = NULL;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_node_new(ps_op_find("limit"), &input, 1, &node, err));
    PS_TRY_OR(fail, ps_alloc(sizeof *spec, &spec, err));
    *spec = *from;
    node->spec = spec;
    PS_TRY_OR(fail, psi_node_pass_through(node, err));
    *out = node;
    return PS_OK;
fail:
    ps_node_unref(node);
    return rc;
}

static ps_status bind_spec(ps_node **node, const limit_spec *spec, ps_error *err)
{
    ps_node *made = NULL;

    PS_TRY(limit_node((*node)->inputs[0], spec, &made, err));
    ps_node_unref(*node);
    *node = made;
    return PS_OK;
}

PSI_OP_BIND(psi_limit_bind)
{
    int64_t n = ps_args_int(args, "n", 0);

    if (n < 0)
        return ps_raise(err, PS_E_LIMIT_NEGATIVE, "limit", (long long)n);
    return bind_spec(node, &(limit_spec){n, 0}, err);
}

PSI_OP_BIND(psi_offset_bind)
{
    int64_t n = ps_args_int(args, "n", 0);

    if (n < 0)
        return ps_raise(err, PS_E_LIMIT_NEGATIVE, "offset", (long long)n);
    return bind_spec(node, &(limit_spec){-1, n}, err);
}

PSI_OP_REMAKE(psi_limit_remake)
{
    PS_UNUSED(wanted);
    return limit_node(inputs[0], node->spec, out, err);
}

bool ps_limit_get(const ps_node *node, int64_t *limit, int64_t *offset)
{
    if (strcmp(node->row->kind, "limit") != 0)
        return false;
    *limit = ((const limit_spec *)node->spec)->limit;
    *offset = ((const limit_spec *)node->spec)->offset;
    return true;
}

PSI_OP_DESCRIBE(psi_limit_describe)
{
    const limit_spec *spec = node->spec;

    if (spec->limit < 0)
        return ps_bytes_printf(out, err, "Offset %lld", (long long)spec->offset);
    return ps_bytes_printf(out, err, "GlobalLimit %lld", (long long)spec->limit);
}

static ps_status limit_begin(ps_op *op, ps_error *err)
{
    limit_op *self = (limit_op *)op;
    const limit_spec *spec = op->node->spec;

    PS_UNUSED(err);
    self->n_before = self->keeps ? self->n_before + self->n_now : 0;
    self->n_now = self->n_skipped = 0;
    op->done = !self->keeps && spec->limit == 0;
    return PS_OK;
}

static ps_status limit_push(ps_op *op, int port, ps_batch *batch, ps_error *err)
{
    limit_op *self = (limit_op *)op;
    const limit_spec *spec = op->node->spec;
    int64_t skip = spec->offset - self->n_skipped < batch->n_sel ? spec->offset - self->n_skipped : batch->n_sel;
    int64_t left = spec->limit < 0 ? INT64_MAX : spec->limit - self->n_before - self->n_now;
    int64_t n = batch->n_sel - skip < left ? batch->n_sel - skip : left;
    ps_batch *part = NULL;
    ps_status rc;

    PS_UNUSED(port);
    self->n_skipped += skip;
    if (n <= 0)
        return PS_OK;
    self->n_now += n;
    PS_TRY(ps_batch_slice(batch, skip, n, &part, err));
    rc = ps_op_emit(op, part, err);
    ps_batch_unref(part);
    /* On a stream the rest of the input is read all the same: its statistics count. */
    op->done = !op->run->streaming && spec->limit >= 0 && self->n_now >= spec->limit;
    return rc;
}

static ps_status limit_restore(ps_op *op, int64_t version, ps_error *err)
{
    limit_op *self = (limit_op *)op;

    self->n_before = self->n_now = 0;
    if (op->run->state_dir && !self->counter)
        PS_TRY(ps_counter_open(op->run->fs, op->run->state_dir, op->state_id, "globalLimit", op->run->sync, &self->counter, err));
    return self->counter && version > 0 ? ps_counter_read(self->counter, version, &self->n_before, err) : PS_OK;
}

static ps_status limit_commit(ps_op *op, int64_t version, ps_error *err)
{
    limit_op *self = (limit_op *)op;
    return self->counter ? ps_counter_write(self->counter, version, self->n_before + self->n_now, err) : PS_OK;
}

static void limit_metrics(ps_op *op, ps_state_metrics *out)
{
    const limit_op *self = (const limit_op *)op;

    out->n_rows_total = 1;
    out->n_rows_updated = self->n_now > 0;
    out->n_instances = 1;
}

static void limit_close(ps_op *op)
{
    ps_counter_close(((limit_op *)op)->counter);
    ps_free(op);
}

PSI_OP_OPEN(psi_limit_open)
{
    static const ps_op_vt plain = {.begin = limit_begin, .push = limit_push, .close = limit_close};
    static const ps_op_vt keeping = {.begin = limit_begin, .push = limit_push, .restore = limit_restore, .commit = limit_commit, .metrics = limit_metrics, .close = limit_close};
    limit_op *self = NULL;
    bool keeps = run->streaming && node->streaming && ps_limit_is_stateful(node, run->mode);

    *out = NULL;
    PS_TRY(psi_op_new(sizeof *self, keeps ? &keeping : &plain, node, run, &self, err));
    self->keeps = keeps;
    *out = &self->op;
    return PS_OK;
}

bool ps_limit_is_stateful(const ps_node *node, ps_mode mode)
{
    if (mode != PS_COMPLETE)
        return true;
    for (node = node->inputs[0]; node; node = node->n_inputs > 0 ? node->inputs[0] : NULL)
        if (strcmp(node->row->kind, "aggregate") == 0)
            return false;
    return true;
}
