/*
 * op/select.c - the spellings of a projection: select, with_columns, drop, rename, to_df, alias.
 */
#include "op/op_int.h"
#include "op/project.h"

static bool has_aggregate(const ps_named_list *list)
{
    for (int i = 0; i < list->n; i++)
        if (ps_bound_has_aggregate(list->items[i].bound))
            return true;
    return false;
}

static ps_status exchange(ps_node **node, ps_node *made)
{
    ps_node_unref(*node);
    *node = made;
    return PS_OK;
}

/* df.select(F.sum("x")) is an aggregation without keys. */
static ps_status select_is_aggregate(const ps_args *args, const ps_arg *exprs, ps_node **node, ps_error *err)
{
    ps_arg items[2] = {{.name = "grouping", .kind = PS_A_EXPRS}, *exprs};
    ps_args aggregate = {items, 2, args->conf};
    ps_node *made = NULL;

    items[1].name = "aggregates";
    PS_TRY(ps_node_make("aggregate", (*node)->inputs, 1, &aggregate, &made, err));
    return exchange(node, made);
}

PSI_OP_BIND(psi_select_bind)
{
    const ps_arg *exprs = ps_args_find(args, "exprs");
    const ps_attrs *inputs[1];
    ps_named_list list = {0};
    ps_attrs missing = {0};
    ps_ids used = {0};
    ps_scope scope;
    ps_node *input = NULL, *made = NULL;
    ps_status rc;

    ps_node_scope(*node, args->conf, inputs, &scope);
    scope.allow_aggregates = scope.allow_generators = true;
    PS_TRY_OR(done, psi_node_missing((*node)->inputs[0], false, &missing, err));
    scope.missing = &missing;
    PS_TRY_OR(done, ps_bind_list(exprs->exprs, exprs->n, &scope, &list, err));
    if (has_aggregate(&list)) {
        rc = select_is_aggregate(args, exprs, node, err);
        goto done;
    }
    for (int i = 0; i < list.n; i++)
        PS_TRY_OR(done, ps_ids_add_bound(&used, list.items[i].bound, err));
    PS_TRY_OR(done, psi_node_expose((*node)->inputs[0], &used, &input, err));
    PS_TRY_OR(done, ps_project_node(input, &list, args->conf, &made, err));
    exchange(node, made);
done:
    ps_named_list_clear(&list);
    ps_attrs_clear(&missing);
    ps_ids_clear(&used);
    ps_node_unref(input);
    return rc;
}

static ps_status add_pass(ps_named_list *list, const ps_attr *attr, ps_error *err)
{
    ps_named none = {0};

    PS_TRY(PS_PUSH(list, none, err));
    return ps_named_pass(attr, &list->items[list->n - 1], err);
}

/* Moves *named to the end of the list. */
static ps_status add_moved(ps_named_list *list, ps_named *named, ps_error *err)
{
    PS_TRY(PS_PUSH(list, *named, err));
    memset(named, 0, sizeof *named);
    return PS_OK;
}

/* Finishes a bind: takes the list. */
static ps_status project_over(ps_node **node, ps_named_list *list, const ps_conf *conf, ps_error *err)
{
    ps_node *made = NULL;

    PS_TRY(ps_project_node((*node)->inputs[0], list, conf, &made, err));
    return exchange(node, made);
}

/* Each new column replaces all of its name, in place, or is appended. */
PSI_OP_BIND(psi_with_columns_bind)
{
    const ps_arg *exprs = ps_args_find(args, "exprs");
    const ps_attrs *from = &(*node)->inputs[0]->out;
    const ps_attrs *inputs[1];
    ps_named_list made = {0}, list = {0};
    ps_scope scope;
    ps_status rc;

    ps_node_scope(*node, args->conf, inputs, &scope);
    scope.allow_generators = true;
    PS_TRY_OR(done, ps_bind_list(exprs->exprs, exprs->n, &scope, &made, err));
    for (int i = 0; i < from->n; i++) {
        int by = -1;

        if (from->items[i].hidden)
            continue;
        for (int k = 0; k < made.n; k++)
            if (made.items[k].name && ps_conf_same_name(args->conf, made.items[k].name, from->items[i].name))
                by = k;
        PS_TRY_OR(done, by < 0 ? add_pass(&list, &from->items[i], err) : add_moved(&list, &made.items[by], err));
    }
    for (int k = 0; k < made.n; k++)
        if (made.items[k].bound)
            PS_TRY_OR(done, add_moved(&list, &made.items[k], err));
    rc = project_over(node, &list, args->conf, err);
done:
    ps_named_list_clear(&made);
    ps_named_list_clear(&list);
    return rc;
}

/* Names are matched whole, unknown ones ignored; expressions must be columns. */
PSI_OP_BIND(psi_drop_bind)
{
    const ps_arg *texts = ps_args_find(args, "texts"), *exprs = ps_args_find(args, "exprs");
    const ps_attrs *from = &(*node)->inputs[0]->out;
    const ps_attrs *inputs[1];
    ps_named_list list = {0};
    ps_ids gone = {0};
    ps_scope scope;
    ps_status rc = PS_OK;

    ps_node_scope(*node, args->conf, inputs, &scope);
    for (int k = 0; exprs && k < exprs->n; k++) {
        ps_bound *bound = NULL;
        /* A column that is not there drops nothing. */
        if (ps_bind(exprs->exprs[k], &scope, &bound, NULL) == PS_OK && bound->kind == PS_B_COLUMN)
            rc = ps_ids_add(&gone, bound->attr_id, err);
        ps_bound_unref(bound);
        if (rc != PS_OK)
            goto done;
    }
    for (int i = 0; i < from->n; i++) {
        bool drop = from->items[i].hidden || ps_ids_has(&gone, from->items[i].id);

        for (int k = 0; texts && k < texts->n; k++)
            drop = drop || ps_conf_same_name(args->conf, texts->texts[k], from->items[i].name);
        if (!drop)
            PS_TRY_OR(done, add_pass(&list, &from->items[i], err));
    }
    rc = project_over(node, &list, args->conf, err);
done:
    ps_ids_clear(&gone);
    ps_named_list_clear(&list);
    return rc;
}

static ps_status rename_entry(ps_named *named, const char *name, ps_error *err)
{
    ps_free(named->name);
    named->name = NULL;
    named->attr_id = ps_attr_new_id();
    return ps_strdup(name, &named->name, err);
}

/* texts: old, new, old, new ...; an old name that is not there is ignored. */
PSI_OP_BIND(psi_rename_bind)
{
    const ps_arg *texts = ps_args_find(args, "texts");
    const ps_attrs *from = &(*node)->inputs[0]->out;
    ps_named_list list = {0};
    ps_status rc = PS_OK;

    for (int i = 0; i < from->n; i++) {
        if (from->items[i].hidden)
            continue;
        PS_TRY_OR(done, add_pass(&list, &from->items[i], err));
        for (int k = 0; k + 1 < texts->n; k += 2)
            if (ps_conf_same_name(args->conf, texts->texts[k], list.items[list.n - 1].name))
                PS_TRY_OR(done, rename_entry(&list.items[list.n - 1], texts->texts[k + 1], err));
    }
    rc = project_over(node, &list, args->conf, err);
done:
    ps_named_list_clear(&list);
    return rc;
}

PSI_OP_BIND(psi_to_df_bind)
{
    const ps_arg *texts = ps_args_find(args, "texts");
    const ps_attrs *from = &(*node)->inputs[0]->out;
    ps_named_list list = {0};
    ps_status rc = PS_OK;
    int n = 0;

    for (int i = 0; i < from->n; i++)
        n += !from->items[i].hidden;
    if (texts->n != n)
        return ps_raise(err, PS_E_ASSIGNMENT_ARITY_MISMATCH, n, texts->n);
    for (int i = 0; i < from->n; i++) {
        if (from->items[i].hidden)
            continue;
        PS_TRY_OR(done, add_pass(&list, &from->items[i], err));
        PS_TRY_OR(done, rename_entry(&list.items[list.n - 1], texts->texts[list.n - 1], err));
    }
    rc = project_over(node, &list, args->conf, err);
done:
    ps_named_list_clear(&list);
    return rc;
}

PSI_OP_BIND(psi_alias_bind)
{
    ps_node *made = NULL;

    PS_TRY(psi_project_alias((*node)->inputs[0], ps_args_text(args, "name", ""), &made, err));
    return exchange(node, made);
}
