/*
 * op/filter.c - rows for which a condition is true.
 */
#include "op/op_int.h"
#include "op/project.h"

typedef struct filter_op {
    ps_op op;
    ps_program *program;
} filter_op;

PSI_OP_FREE(psi_filter_free) { ps_bound_unref(spec); }

ps_status ps_filter_node(ps_node *input, ps_bound *condition, ps_node **out, ps_error *err)
{
    ps_node *node = NULL;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_node_new(ps_op_find("filter"), &input, 1, &node, err));
    node->spec = ps_bound_ref(condition);
    if ((rc = psi_node_pass_through(node, err)) != PS_OK) {
        ps_node_unref(node);
        return rc;
    }
    *out = node;
    return PS_OK;
}

ps_bound *ps_filter_condition(const ps_node *node)
{
    return strcmp(node->row->kind, "filter") == 0 ? node->spec : NULL;
}

PSI_OP_BIND(psi_filter_bind)
{
    const ps_arg *arg = ps_args_find(args, "condition");
    const ps_attrs *inputs[1];
    ps_attrs missing = {0};
    ps_ids used = {0};
    ps_scope scope;
    ps_bound *condition = NULL;
    ps_node *input = NULL, *made = NULL;
    ps_status rc;

    ps_node_scope(*node, args->conf, inputs, &scope);
    PS_TRY(psi_node_missing((*node)->inputs[0], true, &missing, err));
    scope.missing = &missing;
    PS_TRY_OR(done, ps_bind_condition(arg->exprs[0], &scope, &condition, err));
    PS_TRY_OR(done, ps_ids_add_bound(&used, condition, err));
    PS_TRY_OR(done, psi_node_expose((*node)->inputs[0], &used, &input, err));
    PS_TRY_OR(done, ps_filter_node(input, condition, &made, err));
    ps_node_unref(*node);
    *node = made;
done:
    ps_node_unref(input);
    ps_bound_unref(condition);
    ps_ids_clear(&used);
    ps_attrs_clear(&missing);
    return rc;
}

PSI_OP_NEEDS(psi_filter_needs)
{
    PS_UNUSED(input);
    for (int i = 0; i < wanted->n; i++)
        PS_TRY(ps_ids_add_fields(out, wanted->items[i], wanted->fields[i], err));
    return ps_ids_add_bound(out, node->spec, err);
}

PSI_OP_REMAKE(psi_filter_remake)
{
    PS_UNUSED(wanted);
    return ps_filter_node(inputs[0], node->spec, out, err);
}

PSI_OP_DESCRIBE(psi_filter_describe)
{
    PS_TRY(ps_bytes_text(out, "Filter ", err));
    return ps_bound_text(node->spec, out, err);
}

static ps_status filter_push(ps_op *op, int port, ps_batch *batch, ps_error *err)
{
    filter_op *filter = (filter_op *)op;
    ps_batch *kept = NULL;
    ps_status rc;

    PS_UNUSED(port);
    PS_TRY(ps_program_filter(filter->program, batch, &kept, err));
    if (!kept)
        return PS_OK;
    rc = ps_op_emit(op, kept, err);
    ps_batch_unref(kept);
    return rc;
}

static void filter_close(ps_op *op)
{
    ps_program_free(((filter_op *)op)->program);
    ps_free(op);
}

PSI_OP_OPEN(psi_filter_open)
{
    static const ps_op_vt vt = {.push = filter_push, .close = filter_close};
    filter_op *filter = NULL;
    ps_bound *condition = node->spec;
    ps_status rc;

    *out = NULL;
    PS_TRY(psi_op_new(sizeof *filter, &vt, node, run, &filter, err));
    rc = ps_program_new(&condition, 1, &node->inputs[0]->out, &run->env, &filter->program, err);
    if (rc != PS_OK)
        filter_close(&filter->op);
    else
        *out = &filter->op;
    return rc;
}
