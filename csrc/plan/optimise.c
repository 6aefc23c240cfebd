/*
 * plan/optimise.c - a leaner plan with the same result.
 *
 * Columns that nobody needs are dropped down to the scans.  Conditions move below watermarks as Spark moves them: rows
 * that a condition on other columns rejects must not advance the watermark (stateful.md 1.3), so this is part of
 * the meaning of a query, not only of its speed.
 */
#include "expr/function.h"
#include "op/project.h"
#include "op/timewindow.h"
#include "plan/plan.h"

/* --- columns ------------------------------------------------------------------------------------------- */

static ps_status prune(ps_node *node, const ps_ids *wanted, ps_node **out, ps_error *err);

static ps_status prune_input(ps_node *node, const ps_ids *wanted, int input, ps_node **out, ps_error *err)
{
    ps_ids needs = {0};
    ps_status rc;

    if (!node->row->needs)
        return prune(node->inputs[input], wanted, out, err);
    rc = node->row->needs(node, wanted, input, &needs, err);
    if (rc == PS_OK)
        rc = prune(node->inputs[input], &needs, out, err);
    ps_ids_clear(&needs);
    return rc;
}

static ps_status prune(ps_node *node, const ps_ids *wanted, ps_node **out, ps_error *err)
{
    ps_node **inputs = NULL;
    ps_status rc;

    *out = NULL;
    if (!node->row->remake) {
        *out = ps_node_ref(node);
        return PS_OK;
    }
    PS_TRY(ps_alloc0((size_t)node->n_inputs * sizeof *inputs, &inputs, err));
    rc = PS_OK;
    for (int i = 0; rc == PS_OK && i < node->n_inputs; i++)
        rc = prune_input(node, wanted, i, &inputs[i], err);
    if (rc == PS_OK)
        rc = node->row->remake(node, inputs, wanted, out, err);
    for (int i = 0; i < node->n_inputs; i++)
        ps_node_unref(inputs[i]);
    ps_free(inputs);
    return rc;
}

/* The root must give just the visible columns, in their order. */
static ps_status settle_root(ps_node *node, const ps_attrs *visible, ps_node **out, ps_error *err)
{
    ps_named_list list = {0};
    bool same = node->out.n == visible->n;
    ps_status rc;

    for (int i = 0; same && i < visible->n; i++)
        same = node->out.items[i].id == visible->items[i].id;
    if (same) {
        *out = ps_node_ref(node);
        return PS_OK;
    }
    for (int i = 0; i < visible->n; i++) {
        ps_named none = {0};
        int at = ps_attrs_find_id(&node->out, visible->items[i].id);

        PS_TRY_OR(fail, PS_PUSH(&list, none, err));
        PS_TRY_OR(fail, ps_named_pass(&node->out.items[at], &list.items[list.n - 1], err));
    }
    return ps_project_node(node, &list, NULL, out, err);
fail:
    ps_named_list_clear(&list);
    return rc;
}

/* --- conditions ------------------------------------------------------------------------------------------ */

static bool has_watermark_below(const ps_node *node)
{
    for (;;) {
        if (strcmp(node->row->kind, "watermark") == 0)
            return true;
        if (node->n_inputs != 1 || !(node->row->flags & PS_OP_CHAIN) || strcmp(node->row->kind, "generate") == 0)
            return false;
        node = node->inputs[0];
    }
}

static int64_t event_time_of(const ps_node *watermark)
{
    for (int i = 0; i < watermark->out.n; i++)
        if (watermark->out.items[i].watermark_ms >= 0)
            return watermark->out.items[i].id;
    return -1;
}

/* The condition over a projection's input; *out NULL when it cannot be moved. */
static ps_status below_project(const ps_node *project, ps_bound *condition, ps_bound **out, ps_error *err)
{
    const ps_named_list *list = ps_project_list(project);
    int64_t *from = NULL;
    ps_bound **to = NULL;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_alloc((size_t)list->n * sizeof *from, &from, err));
    if ((rc = ps_alloc((size_t)list->n * sizeof *to, &to, err)) == PS_OK) {
        bool movable = true;

        for (int i = 0; i < list->n; i++) {
            from[i] = list->items[i].attr_id;
            to[i] = list->items[i].bound;
            movable = movable && (to[i]->deterministic || !ps_bound_uses(condition, from[i]));
        }
        if (movable)
            rc = ps_bound_replace(condition, from, to, list->n, out, err);
    }
    ps_free(from);
    ps_free(to);
    return rc;
}

static ps_status push_condition(ps_node *node, ps_bound *condition, ps_node **out, ps_error *err);

/* `node` over an input that has the condition in it. */
static ps_status over_pushed(ps_node *node, ps_bound *condition, ps_node **out, ps_error *err)
{
    ps_node *below = NULL;
    ps_ids all = {0};
    ps_status rc;

    PS_TRY(push_condition(node->inputs[0], condition, &below, err));
    rc = PS_OK;
    for (int i = 0; rc == PS_OK && i < node->out.n; i++)
        rc = ps_ids_add(&all, node->out.items[i].id, err);
    if (rc == PS_OK)
        rc = node->row->remake(node, &below, &all, out, err);
    ps_ids_clear(&all);
    ps_node_unref(below);
    return rc;
}

/* Puts the condition as far down `node` as it may go. */
static ps_status push_condition(ps_node *node, ps_bound *condition, ps_node **out, ps_error *err)
{
    ps_window_spec window;

    *out = NULL;
    if (!condition->deterministic || !has_watermark_below(node))
        return ps_filter_node(node, condition, out, err);
    if (ps_project_list(node)) {
        ps_bound *moved = NULL;
        ps_status rc;

        PS_TRY(below_project(node, condition, &moved, err));
        if (!moved)
            return ps_filter_node(node, condition, out, err);
        rc = over_pushed(node, moved, out, err);
        ps_bound_unref(moved);
        return rc;
    }
    if (ps_window_spec_get(node, &window) && ps_bound_uses(condition, window.attr_id))
        return ps_filter_node(node, condition, out, err);
    if (strcmp(node->row->kind, "watermark") == 0 && ps_bound_uses(condition, event_time_of(node)))
        return ps_filter_node(node, condition, out, err);
    return over_pushed(node, condition, out, err);
}

static ps_status push_conjuncts(ps_node *node, ps_bound *condition, ps_node **out, ps_error *err)
{
    ps_node *below = NULL;
    ps_status rc;

    if (condition->kind != PS_B_CALL || strcmp(condition->fn->name, "and") != 0)
        return push_condition(node, condition, out, err);
    PS_TRY(push_conjuncts(node, condition->args[0], &below, err));
    rc = push_conjuncts(below, condition->args[1], out, err);
    ps_node_unref(below);
    return rc;
}

/* The tree with the conditions above watermarks moved. */
static ps_status move_conditions(ps_node *node, ps_node **out, ps_error *err)
{
    ps_node **inputs = NULL;
    ps_ids all = {0};
    ps_node *made = NULL;
    bool changed = false;
    ps_status rc = PS_OK;

    *out = NULL;
    if (!node->streaming || node->n_inputs == 0) {
        *out = ps_node_ref(node);
        return PS_OK;
    }
    PS_TRY(ps_alloc0((size_t)node->n_inputs * sizeof *inputs, &inputs, err));
    for (int i = 0; rc == PS_OK && i < node->n_inputs; i++) {
        rc = move_conditions(node->inputs[i], &inputs[i], err);
        changed = changed || inputs[i] != node->inputs[i];
    }
    for (int i = 0; rc == PS_OK && i < node->out.n; i++)
        rc = ps_ids_add(&all, node->out.items[i].id, err);
    if (rc == PS_OK && ps_filter_condition(node) && has_watermark_below(inputs[0]))
        rc = push_conjuncts(inputs[0], ps_filter_condition(node), &made, err);
    else if (rc == PS_OK && changed)
        rc = node->row->remake(node, inputs, &all, &made, err);
    for (int i = 0; i < node->n_inputs; i++)
        ps_node_unref(inputs[i]);
    ps_free(inputs);
    ps_ids_clear(&all);
    if (rc == PS_OK)
        *out = made ? made : ps_node_ref(node);
    return rc;
}

ps_status ps_plan_optimise(ps_node *node, ps_node **out, ps_error *err)
{
    ps_attrs visible = {0};
    ps_ids wanted = {0};
    ps_node *moved = NULL, *pruned = NULL;
    ps_status rc = PS_OK;

    *out = NULL;
    for (int i = 0; rc == PS_OK && i < node->out.n; i++) {
        if (node->out.items[i].hidden)
            continue;
        rc = ps_attrs_add_copy(&visible, &node->out.items[i], err);
        if (rc == PS_OK)
            rc = ps_ids_add(&wanted, node->out.items[i].id, err);
    }
    if (rc == PS_OK)
        rc = move_conditions(node, &moved, err);
    if (rc == PS_OK)
        rc = prune(moved, &wanted, &pruned, err);
    if (rc == PS_OK)
        rc = settle_root(pruned, &visible, out, err);
    ps_node_unref(pruned);
    ps_node_unref(moved);
    ps_ids_clear(&wanted);
    ps_attrs_clear(&visible);
    return rc;
}
