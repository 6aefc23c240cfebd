/*
 * op/aggregate_bind.c - GROUP BY as a node: the aggregate calls are taken out of the select list,
 * which becomes a projection above when it is more than calls.
 */
#include "op/aggregate_int.h"
#include "op/project.h"

PSI_OP_FREE(psi_aggregate_free)
{
    psi_aggregate_spec *aggregate = spec;

    ps_named_list_clear(&aggregate->grouping);
    ps_agg_calls_clear(&aggregate->calls);
    ps_free(aggregate);
}

/* ---- making a node of a spec ---- */

static ps_status add_key_attr(ps_node *node, const ps_named *key, ps_error *err)
{
    const ps_attrs *from = &node->inputs[0]->out;
    int at = key->bound->kind == PS_B_COLUMN && key->bound->attr_id == key->attr_id
                 ? ps_attrs_find_id(from, key->attr_id)
                 : -1;
    ps_attr *attr;

    if (at >= 0) {
        PS_TRY(ps_attrs_add_copy(&node->out, &from->items[at], err));
        node->out.items[node->out.n - 1].hidden = false;
        return PS_OK;
    }
    PS_TRY(ps_attrs_add(&node->out, key->name, key->bound->type, key->bound->nullable, &attr, err));
    attr->id = key->attr_id;
    attr->watermark_ms = key->watermark_ms;
    return key->metadata ? ps_strdup(key->metadata, &attr->metadata, err) : PS_OK;
}

static ps_status add_call_attr(ps_node *node, const ps_agg_call *call, ps_error *err)
{
    ps_attr *attr;

    PS_TRY(ps_attrs_add(&node->out, call->name, call->type, call->nullable, &attr, err));
    attr->id = call->attr_id;
    return PS_OK;
}

/* Takes *spec, also when it fails. */
static ps_status make_node(ps_node *input, psi_aggregate_spec *spec, ps_node **out, ps_error *err)
{
    ps_node *node = NULL;
    ps_status rc = ps_node_new(ps_op_find("aggregate"), &input, 1, &node, err);

    *out = NULL;
    if (rc != PS_OK) {
        psi_aggregate_free(spec);
        return rc;
    }
    node->spec = spec;
    for (int i = 0; i < spec->grouping.n; i++)
        PS_TRY_OR(fail, add_key_attr(node, &spec->grouping.items[i], err));
    for (int i = 0; i < spec->calls.n; i++)
        PS_TRY_OR(fail, add_call_attr(node, &spec->calls.items[i], err));
    *out = node;
    return PS_OK;
fail:
    ps_node_unref(node);
    return rc;
}

/* ---- the select list over the node ---- */

/* Grouping expressions that are no plain columns are columns of the aggregation wherever they
 * stand. */
static ps_status swap_keys(const psi_aggregate_spec *spec, const ps_node *node, ps_bound **bound,
                           ps_error *err)
{
    for (int i = 0; i < spec->grouping.n; i++) {
        const ps_named *key = &spec->grouping.items[i];
        ps_bound *column = NULL, *swapped = NULL;
        ps_status rc;
        if (key->bound->kind == PS_B_COLUMN && key->bound->attr_id == key->attr_id)
            continue;
        PS_TRY(ps_bound_column(&node->out.items[i], &column, err));
        rc = ps_bound_swap(*bound, key->bound, column, &swapped, err);
        ps_bound_unref(column);
        PS_TRY(rc);
        ps_bound_unref(*bound);
        *bound = swapped;
    }
    return PS_OK;
}

/* Every column that is left must be one of the node's. */
static ps_status check_grouped(const ps_named *item, int n_keys, const ps_node *node, ps_error *err)
{
    ps_ids ids = {0};
    ps_status rc;

    PS_TRY_OR(done, ps_ids_add_bound(&ids, item->bound, err));
    for (int i = 0; i < ids.n; i++)
        if (ps_attrs_find_id(&node->out, ids.items[i]) < 0) {
            const char *shown = item->bound->text ? item->bound->text : item->name;
            rc = n_keys > 0 ? ps_raise(err, PS_E_MISSING_AGGREGATION, shown, shown)
                            : ps_raise(err, PS_E_MISSING_GROUP_BY);
            goto done;
        }
done:
    ps_ids_clear(&ids);
    return rc;
}

static ps_status project_results(ps_node *node, const psi_aggregate_spec *spec,
                                 ps_named_list *results, const ps_conf *conf, ps_node **out,
                                 ps_error *err)
{
    ps_named_list list = {0};
    ps_named none = {0};
    ps_status rc = PS_OK;

    for (int i = 0; i < spec->grouping.n; i++) {
        PS_TRY_OR(fail, PS_PUSH(&list, none, err));
        PS_TRY_OR(fail, ps_named_pass(&node->out.items[i], &list.items[list.n - 1], err));
    }
    for (int i = 0; i < results->n; i++) {
        PS_TRY_OR(fail, swap_keys(spec, node, &results->items[i].bound, err));
        PS_TRY_OR(fail, check_grouped(&results->items[i], spec->grouping.n, node, err));
        PS_TRY_OR(fail, PS_PUSH(&list, results->items[i], err));
        memset(&results->items[i], 0, sizeof results->items[i]);
    }
    return ps_project_node(node, &list, conf, out, err);
fail:
    ps_named_list_clear(&list);
    return rc;
}

/* True when the list is the calls themselves, one each and in their order: then their attributes
 * take its names. */
static bool is_calls_alone(const ps_named_list *results, const ps_agg_calls *calls)
{
    if (results->n != calls->n)
        return false;
    for (int i = 0; i < results->n; i++)
        if (results->items[i].bound->kind != PS_B_COLUMN ||
            results->items[i].bound->attr_id != calls->items[i].attr_id)
            return false;
    return true;
}

static ps_status name_calls(ps_node *node, psi_aggregate_spec *spec, ps_named_list *results,
                            ps_error *err)
{
    for (int i = 0; i < results->n; i++) {
        ps_attr *attr = &node->out.items[spec->grouping.n + i];
        ps_free(attr->name);
        attr->name = NULL;
        PS_TRY(ps_strdup(results->items[i].name, &attr->name, err));
        if (results->items[i].metadata && !attr->metadata)
            PS_TRY(ps_strdup(results->items[i].metadata, &attr->metadata, err));
    }
    return PS_OK;
}

static ps_status extract_calls(ps_named_list *results, ps_agg_calls *calls, ps_error *err)
{
    for (int i = 0; i < results->n; i++) {
        ps_bound *rest = NULL;
        PS_TRY(ps_extract_aggregates(results->items[i].bound, calls, &rest, err));
        ps_bound_unref(results->items[i].bound);
        results->items[i].bound = rest;
    }
    return PS_OK;
}

/* A window() among the keys becomes a column of a node below, which the results may call by its
 * name. */
static ps_status bind_lists(const ps_args *args, ps_node *node, ps_named_list *keys,
                            ps_named_list *results, ps_error *err)
{
    const ps_arg *grouping = ps_args_find(args, "grouping"),
                 *aggregates = ps_args_find(args, "aggregates");

    if (grouping && grouping->n > 0)
        PS_TRY(psi_bind_exprs(args, grouping, node, false, keys, err));
    PS_TRY(psi_extract_windows(&node->inputs[0], keys, args->conf, err));
    if (aggregates && aggregates->n > 0)
        PS_TRY(psi_bind_exprs(args, aggregates, node, true, results, err));
    return psi_swap_window(node->inputs[0], results, err);
}

PSI_OP_BIND(psi_aggregate_bind)
{
    psi_aggregate_spec *spec = NULL;
    ps_named_list keys = {0}, results = {0};
    ps_node *made = NULL, *top = NULL;
    ps_status rc;

    PS_TRY_OR(done, bind_lists(args, *node, &keys, &results, err));
    PS_TRY_OR(done, ps_alloc0(sizeof *spec, &spec, err));
    spec->grouping = keys;
    keys = (ps_named_list){0};
    rc = extract_calls(&results, &spec->calls, err);
    if (rc == PS_OK)
        rc = psi_panes_plan(&(*node)->inputs[0], spec, err);
    if (rc != PS_OK) {
        psi_aggregate_free(spec);
        goto done;
    }
    PS_TRY_OR(done, make_node((*node)->inputs[0], spec, &made, err));
    if (is_calls_alone(&results, &spec->calls))
        PS_TRY_OR(done, name_calls(made, spec, &results, err));
    else
        PS_TRY_OR(done, project_results(made, spec, &results, args->conf, &top, err));
    ps_node_unref(*node);
    *node = top ? top : made;
    made = top ? made : NULL;
done:
    ps_node_unref(made);
    ps_named_list_clear(&keys);
    ps_named_list_clear(&results);
    return rc;
}

bool ps_aggregate_has_distinct(const ps_node *node)
{
    const psi_aggregate_spec *spec = node->spec;

    if (strcmp(node->row->kind, "aggregate") != 0)
        return false;
    for (int i = 0; i < spec->calls.n; i++)
        if (spec->calls.items[i].distinct)
            return true;
    return false;
}

/* ---- pruning ---- */

PSI_OP_NEEDS(psi_aggregate_needs)
{
    const psi_aggregate_spec *spec = node->spec;

    PS_UNUSED(input);
    for (int i = 0; i < spec->grouping.n; i++)
        PS_TRY(ps_ids_add_bound(out, spec->grouping.items[i].bound, err));
    for (int i = 0; i < spec->calls.n; i++)
        if (node->streaming || ps_ids_has(wanted, spec->calls.items[i].attr_id))
            PS_TRY(ps_ids_add_bound(out, spec->calls.items[i].call, err));
    return PS_OK;
}

static ps_status copy_key(const ps_named *from, ps_named_list *to, ps_error *err)
{
    ps_named none = {0}, *key;

    PS_TRY(PS_PUSH(to, none, err));
    key = &to->items[to->n - 1];
    key->bound = ps_bound_ref(from->bound);
    key->attr_id = from->attr_id;
    key->watermark_ms = from->watermark_ms;
    if (from->metadata)
        PS_TRY(ps_strdup(from->metadata, &key->metadata, err));
    return ps_strdup(from->name, &key->name, err);
}

/* Calls nobody wants are left out, but not on a stream: they are part of its state. */
PSI_OP_REMAKE(psi_aggregate_remake)
{
    const psi_aggregate_spec *from = node->spec;
    psi_aggregate_spec *spec = NULL;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_alloc0(sizeof *spec, &spec, err));
    spec->pane_width = from->pane_width;
    spec->pane_slide = from->pane_slide;
    spec->pane_key = from->pane_key;
    for (int i = 0; i < from->grouping.n; i++)
        PS_TRY_OR(fail, copy_key(&from->grouping.items[i], &spec->grouping, err));
    for (int i = 0; i < from->calls.n; i++) {
        ps_agg_call call = from->calls.items[i];
        if (!node->streaming && !ps_ids_has(wanted, call.attr_id))
            continue;
        PS_TRY_OR(fail, PS_PUSH(&spec->calls, call, err));
        ps_bound_ref(call.call);
    }
    PS_TRY(make_node(inputs[0], spec, out, err));
    for (int i = 0; i < (*out)->out.n; i++) { /* names, and what was found out about NULLs */
        const ps_attr *old =
            &node->out.items[ps_attrs_find_id(&node->out, (*out)->out.items[i].id)];
        ps_attr copy = {0};
        PS_TRY_OR(fail_node, ps_attr_copy(old, &copy, err));
        ps_attr_clear(&(*out)->out.items[i]);
        (*out)->out.items[i] = copy;
    }
    return PS_OK;
fail:
    psi_aggregate_free(spec);
    return rc;
fail_node:
    ps_node_unref(*out);
    *out = NULL;
    return rc;
}

PSI_OP_DESCRIBE(psi_aggregate_describe)
{
    const psi_aggregate_spec *spec = node->spec;

    PS_TRY(ps_bytes_text(out, "Aggregate [", err));
    for (int i = 0; i < spec->grouping.n; i++) {
        PS_TRY(i ? ps_bytes_text(out, ", ", err) : PS_OK);
        PS_TRY(ps_bound_text(spec->grouping.items[i].bound, out, err));
    }
    PS_TRY(ps_bytes_text(out, "], [", err));
    for (int i = 0; i < node->out.n; i++) {
        const ps_attr *attr = &node->out.items[i];
        PS_TRY(i ? ps_bytes_text(out, ", ", err) : PS_OK);
        if (i >= spec->grouping.n) {
            PS_TRY(ps_bound_text(spec->calls.items[i - spec->grouping.n].call, out, err));
            PS_TRY(ps_bytes_text(out, " AS ", err));
        }
        PS_TRY(ps_bytes_printf(out, err, "%s#%lld", attr->name, (long long)attr->id));
    }
    return ps_bytes_char(out, ']', err);
}
