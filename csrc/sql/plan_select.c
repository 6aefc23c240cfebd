/*
 * sql/plan_select.c - one SELECT as nodes.
 *
 * Where aggregates are about, HAVING and the aggregates of ORDER BY travel through the aggregation as further columns,
 * which the projection above it leaves out: the sort finds them below (op/sort.c reaches what a projection dropped).
 */
#include "expr/function.h"
#include "sql/sql_int.h"

typedef struct select_plan {
    const psi_planner *planner;
    const ps_sql_select *select;
    ps_node *node;
    ps_expr_list columns;  /* the select list, then HAVING, then aggregates of ORDER BY */
    ps_expr_list grouping;
    ps_expr_list order;    /* as the sort gets it */
    int n_extra;           /* columns behind the select list */
    int having_at, first_order; /* among the extra ones; -1: none */
} select_plan;

static ps_status push(ps_expr_list *list, ps_expr *expr, ps_error *err)
{
    PS_TRY(PS_PUSH(list, expr, err));
    ps_expr_ref(expr);
    return PS_OK;
}

static bool is_aggregate_call(const ps_expr *expr)
{
    const ps_fn *fn = expr->kind == PS_X_CALL ? ps_fn_find(ps_slice_of(expr->name)) : NULL;
    return fn && (fn->flags & PS_FN_AGGREGATE);
}

static bool has_aggregate(const ps_expr *expr)
{
    if (is_aggregate_call(expr))
        return true;
    for (int i = 0; i < expr->n_args; i++)
        if (has_aggregate(expr->args[i]))
            return true;
    return false;
}

/* The expression behind an alias of the select list; borrowed, NULL when there is none. */
static ps_expr *find_alias(const select_plan *plan, const ps_expr *name)
{
    if (name->kind != PS_X_NAME || name->n_names != 1)
        return NULL;
    for (int i = 0; i < plan->select->items.n; i++) {
        ps_expr *item = plan->select->items.items[i];

        if (item->kind == PS_X_ALIAS && psi_same_name(plan->planner, item->names[0], name->names[0]))
            return item->args[0];
    }
    return NULL;
}

static bool resolves(const select_plan *plan, const ps_expr *expr)
{
    const ps_attrs *inputs[1] = {&plan->node->out};
    ps_scope scope = {.inputs = inputs, .n_inputs = 1, .conf = plan->planner->catalog->conf};
    ps_bound *bound = NULL;
    bool found = ps_bind(expr, &scope, &bound, NULL) == PS_OK;

    ps_bound_unref(bound);
    return found;
}

/* `expr` with aliases of the select list written out; a reference when there are none. */
static ps_status expand_aliases(const select_plan *plan, ps_expr *expr, ps_expr **out, ps_error *err)
{
    ps_expr *stands_for = find_alias(plan, expr), **args = NULL, *made = NULL;
    bool changed = false;
    ps_status rc = PS_OK;

    if (stands_for && !resolves(plan, expr)) {
        *out = ps_expr_ref(stands_for);
        return PS_OK;
    }
    if (expr->kind != PS_X_CALL && expr->kind != PS_X_CAST) {
        *out = ps_expr_ref(expr);
        return PS_OK;
    }
    PS_TRY(ps_alloc0((size_t)expr->n_args * sizeof *args, &args, err));
    for (int i = 0; rc == PS_OK && i < expr->n_args; i++) {
        rc = expand_aliases(plan, expr->args[i], &args[i], err);
        changed = changed || args[i] != expr->args[i];
    }
    if (rc == PS_OK && !changed)
        made = ps_expr_ref(expr);
    else if (rc == PS_OK && expr->kind == PS_X_CAST)
        rc = ps_expr_cast(args[0], expr->type, expr->is_try, &made, err);
    else if (rc == PS_OK && (rc = ps_expr_call(expr->name, args, expr->n_args, &made, err)) == PS_OK) {
        made->distinct = expr->distinct;
        made->is_operator = expr->is_operator;
        made->from_text = expr->from_text;
    }
    for (int i = 0; i < expr->n_args; i++)
        ps_expr_unref(args[i]);
    ps_free(args);
    *out = made;
    return rc;
}

/* --- GROUP BY ---------------------------------------------------------------------------------------------- */

static ps_expr *without_alias(ps_expr *expr) { return expr->kind == PS_X_ALIAS ? expr->args[0] : expr; }

static ps_status add_grouping(select_plan *plan, ps_expr *expr, ps_error *err)
{
    const ps_expr_list *items = &plan->select->items;
    ps_expr *made = NULL;
    int64_t ordinal;
    ps_status rc;

    if (psi_literal_int(expr, &ordinal)) {
        if (ordinal < 1 || ordinal > items->n)
            return ps_raise(err, PS_E_GROUP_BY_POS_OUT_OF_RANGE, (long long)ordinal, items->n);
        if (has_aggregate(items->items[ordinal - 1]))
            return ps_raise(err, PS_E_GROUP_BY_POS_AGGREGATE, (long long)ordinal);
        return push(&plan->grouping, without_alias(items->items[ordinal - 1]), err);
    }
    PS_TRY(expand_aliases(plan, expr, &made, err));
    rc = push(&plan->grouping, made, err);
    ps_expr_unref(made);
    return rc;
}

static ps_status collect_grouping(select_plan *plan, ps_error *err)
{
    const ps_sql_select *select = plan->select;

    for (int i = 0; i < select->group_by.n; i++)
        PS_TRY(add_grouping(plan, select->group_by.items[i], err));
    for (int i = 0; select->group_by_all && i < select->items.n; i++)
        if (!has_aggregate(select->items.items[i]))
            PS_TRY(push(&plan->grouping, without_alias(select->items.items[i]), err));
    return PS_OK;
}

/* --- the aggregation ------------------------------------------------------------------------------------------ */

static ps_status add_extra(select_plan *plan, ps_expr *expr, const char *name, ps_error *err)
{
    ps_expr *expanded = NULL, *named = NULL;
    ps_status rc;

    PS_TRY(expand_aliases(plan, expr, &expanded, err));
    rc = ps_expr_alias(expanded, &name, 1, NULL, &named, err);
    if (rc == PS_OK)
        rc = push(&plan->columns, named, err);
    plan->n_extra++;
    ps_expr_unref(expanded);
    ps_expr_unref(named);
    return rc;
}

static const ps_attr *nth_from_end(const ps_node *node, int n) { return &node->out.items[node->out.n - 1 - n]; }

static ps_status attr_expr(const ps_attr *attr, ps_expr **out, ps_error *err) { return ps_expr_attr(attr->id, attr->name, out, err); }

/* The select list picked out of what the aggregation gives: its columns stand behind the grouping's. */
static ps_status pick_items(select_plan *plan, const ps_node *aggregate, ps_error *err)
{
    int n_items = plan->columns.n - plan->n_extra, first = aggregate->out.n - plan->columns.n;
    ps_expr_list picked = {0};
    ps_status rc = PS_OK;

    for (int i = 0; rc == PS_OK && i < n_items; i++) {
        ps_expr *attr = NULL;

        rc = attr_expr(&aggregate->out.items[first + i], &attr, err);
        if (rc == PS_OK)
            rc = push(&picked, attr, err);
        ps_expr_unref(attr);
    }
    if (rc == PS_OK) {
        ps_arg exprs = {.name = "exprs", .kind = PS_A_EXPRS, .exprs = picked.items, .n = picked.n};
        rc = psi_plan_over(plan->planner, &plan->node, "select", &exprs, 1, err);
    }
    ps_expr_list_clear(&picked);
    return rc;
}

static ps_status filter_having(select_plan *plan, ps_error *err)
{
    ps_expr *having = NULL;
    ps_arg condition = {.name = "condition", .kind = PS_A_EXPRS, .exprs = &having, .n = 1};
    ps_status rc;

    if (plan->having_at < 0)
        return PS_OK;
    PS_TRY(attr_expr(nth_from_end(plan->node, plan->n_extra - 1 - plan->having_at), &having, err));
    rc = psi_plan_over(plan->planner, &plan->node, "filter", &condition, 1, err);
    ps_expr_unref(having);
    return rc;
}

/* ORDER BY items with aggregates sort by the columns that carry them. */
static ps_status settle_order(select_plan *plan, const ps_node *aggregate, const ps_expr_list *order_by, ps_error *err)
{
    int at = plan->first_order;

    for (int i = 0; order_by && i < order_by->n; i++) {
        ps_expr *item = order_by->items[i], *attr = NULL, *sort = NULL;
        ps_status rc;

        if (!has_aggregate(item)) {
            PS_TRY(push(&plan->order, item, err));
            continue;
        }
        PS_TRY(attr_expr(nth_from_end(aggregate, plan->n_extra - 1 - at++), &attr, err));
        rc = ps_expr_sort(attr, item->descending, item->nulls_first, &sort, err);
        if (rc == PS_OK)
            rc = push(&plan->order, sort, err);
        ps_expr_unref(attr);
        ps_expr_unref(sort);
        PS_TRY(rc);
    }
    return PS_OK;
}

static ps_status plan_aggregate(select_plan *plan, const ps_expr_list *order_by, ps_error *err)
{
    const ps_sql_select *select = plan->select;
    ps_node *aggregate;
    ps_status rc;

    PS_TRY(collect_grouping(plan, err));
    for (int i = 0; i < select->items.n; i++)
        PS_TRY(push(&plan->columns, select->items.items[i], err));
    if (select->having) {
        plan->having_at = plan->n_extra;
        PS_TRY(add_extra(plan, select->having, "having", err));
    }
    plan->first_order = plan->n_extra;
    for (int i = 0; order_by && i < order_by->n; i++)
        if (has_aggregate(order_by->items[i]))
            PS_TRY(add_extra(plan, order_by->items[i]->kind == PS_X_SORT ? order_by->items[i]->args[0] : order_by->items[i], "order", err));
    ps_arg items[2] = {{.name = "grouping", .kind = PS_A_EXPRS, .exprs = plan->grouping.items, .n = plan->grouping.n},
                       {.name = "aggregates", .kind = PS_A_EXPRS, .exprs = plan->columns.items, .n = plan->columns.n}};
    PS_TRY(psi_plan_over(plan->planner, &plan->node, "aggregate", items, 2, err));
    aggregate = ps_node_ref(plan->node);
    rc = filter_having(plan, err);
    rc = rc == PS_OK ? pick_items(plan, aggregate, err) : rc;
    rc = rc == PS_OK ? settle_order(plan, aggregate, order_by, err) : rc;
    ps_node_unref(aggregate);
    return rc;
}

/* --- the rest --------------------------------------------------------------------------------------------------- */

static ps_status plan_lateral(select_plan *plan, const ps_sql_lateral *lateral, ps_error *err)
{
    ps_expr *star = NULL, *call = NULL, *exprs[2];
    ps_arg arg = {.name = "exprs", .kind = PS_A_EXPRS, .exprs = exprs, .n = 2};
    ps_bytes outer = {0};
    ps_status rc;

    PS_TRY_OR(done, ps_expr_name_text(ps_slice_of("*"), &star, err));
    if (lateral->outer) {
        PS_TRY_OR(done, ps_bytes_printf(&outer, err, "%s_outer", lateral->call->name));
        PS_TRY_OR(done, ps_expr_call(outer.data, lateral->call->args, lateral->call->n_args, &call, err));
    } else {
        call = ps_expr_ref(lateral->call);
    }
    if (lateral->columns.n > 0) {
        ps_expr *named = NULL;

        PS_TRY_OR(done, ps_expr_alias(call, (const char *const *)lateral->columns.items, lateral->columns.n, NULL, &named, err));
        ps_expr_unref(call);
        call = named;
    }
    exprs[0] = star;
    exprs[1] = call;
    rc = psi_plan_over(plan->planner, &plan->node, "select", &arg, 1, err);
done:
    ps_bytes_clear(&outer);
    ps_expr_unref(star);
    ps_expr_unref(call);
    return rc;
}

static bool aggregates(const ps_sql_select *select)
{
    bool any = select->has_group_by || select->group_by_all || select->having;

    for (int i = 0; i < select->items.n; i++)
        any = any || has_aggregate(select->items.items[i]);
    return any;
}

static ps_status plan_all(select_plan *plan, const ps_expr_list *order_by, ps_error *err)
{
    const ps_sql_select *select = plan->select;
    ps_arg where = {.name = "condition", .kind = PS_A_EXPRS, .exprs = &select->where, .n = 1};
    ps_arg exprs = {.name = "exprs", .kind = PS_A_EXPRS, .exprs = select->items.items, .n = select->items.n};
    ps_arg sql = {.name = "sql", .kind = PS_A_INT, .number = 1};

    PS_TRY(psi_plan_relation(plan->planner, select->from, &plan->node, err));
    for (int i = 0; i < select->laterals.n; i++)
        PS_TRY(plan_lateral(plan, &select->laterals.items[i], err));
    if (select->where)
        PS_TRY(psi_plan_over(plan->planner, &plan->node, "filter", &where, 1, err));
    if (aggregates(select)) {
        PS_TRY(plan_aggregate(plan, order_by, err));
    } else {
        for (int i = 0; order_by && i < order_by->n; i++)
            PS_TRY(push(&plan->order, order_by->items[i], err));
        PS_TRY(psi_plan_over(plan->planner, &plan->node, "select", &exprs, 1, err));
    }
    if (select->distinct)
        PS_TRY(psi_plan_over(plan->planner, &plan->node, "distinct", &sql, 1, err));
    if (plan->order.n == 0)
        return PS_OK;
    ps_arg order = {.name = "exprs", .kind = PS_A_EXPRS, .exprs = plan->order.items, .n = plan->order.n};
    return psi_plan_over(plan->planner, &plan->node, "sort", &order, 1, err);
}

ps_status psi_plan_select(const psi_planner *planner, const ps_sql_select *select, const ps_expr_list *order_by, ps_node **out, ps_error *err)
{
    select_plan plan = {.planner = planner, .select = select, .having_at = -1};
    ps_status rc = plan_all(&plan, order_by, err);

    ps_expr_list_clear(&plan.columns);
    ps_expr_list_clear(&plan.grouping);
    ps_expr_list_clear(&plan.order);
    if (rc != PS_OK)
        ps_node_unref(plan.node);
    else
        *out = plan.node;
    return rc;
}
