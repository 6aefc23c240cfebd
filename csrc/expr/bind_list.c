/* expr/bind_list.c - select lists: stars, generated names, generators; and taking aggregate calls out. */
#include "expr/aggregate.h"
#include "expr/binder.h"

/* --- named items --------------------------------------------------------------------------------------------------- */
static void named_clear(ps_named *named)
{
    ps_bound_unref(named->bound);
    ps_free(named->name);
    ps_free(named->metadata);
    for (int i = 0; named->names && i < named->n_names; i++)
        ps_free(named->names[i]);
    ps_free(named->names);
    *named = (ps_named){0};
}

void ps_named_list_clear(ps_named_list *list)
{
    for (int i = 0; i < list->n; i++)
        named_clear(&list->items[i]);
    ps_free(list->items);
    *list = (ps_named_list){0};
}

/* The column that a chain of casts stands on; NULL when it stands on anything else. */
static const ps_expr *cast_column(const ps_expr *expr)
{
    while (expr->kind == PS_X_CAST || psi_is_type_function(expr))
        expr = expr->args[0];
    return expr->kind == PS_X_NAME || expr->kind == PS_X_ATTR ? expr : NULL;
}

/* The bound side of the same: whether it is a column itself, not a part of one. */
static bool is_cast_column(const ps_bound *bound)
{
    while (bound->kind == PS_B_CALL && bound->n_args == 1 && (strcmp(bound->fn->name, "cast") == 0 || strcmp(bound->fn->name, "try_cast") == 0))
        bound = bound->args[0];
    return bound->kind == PS_B_COLUMN;
}

/* current_date without parentheses, and no column of that name. */
static bool is_bare_function(const ps_expr *expr, const ps_bound *bound)
{
    return expr->n_names == 1 && bound->kind == PS_B_CALL && bound->n_args == 0 && ps_stricmp(bound->fn->name, expr->names[0]) == 0;
}

static const char *item_name(const ps_expr *expr, const ps_bound *bound)
{
    const ps_expr *column;

    if ((expr->kind == PS_X_NAME && !is_bare_function(expr, bound)) || expr->kind == PS_X_ATTR)
        return expr->names[expr->n_names - 1];
    column = cast_column(expr);
    if (column && is_cast_column(bound))
        return column->names[column->n_names - 1];
    return bound->text ? bound->text : "";
}

static const ps_attr *find_id(const ps_scope *scope, int64_t id)
{
    for (int k = 0; k < scope->n_inputs; k++) {
        int at = ps_attrs_find_id(scope->inputs[k], id);
        if (at >= 0)
            return &scope->inputs[k]->items[at];
    }
    if (scope->missing) {
        int at = ps_attrs_find_id(scope->missing, id);
        if (at >= 0)
            return &scope->missing->items[at];
    }
    return NULL;
}

/* A generator puts out several columns: the fields of its type, under the alias' names if it has one. */
static ps_status name_generator(const ps_expr *alias, ps_named *named, ps_error *err)
{
    const ps_type *type = named->bound->type;

    if (alias && alias->n_names != type->n_fields) {
        ps_bytes given = {0};
        ps_status rc = PS_OK;
        for (int i = 0; i < alias->n_names && rc == PS_OK; i++)
            rc = ps_bytes_printf(&given, err, "%s%s", i ? "," : "", alias->names[i]);
        if (rc == PS_OK)
            rc = ps_raise(err, PS_E_UDTF_ALIASES, type->n_fields, given.data ? given.data : "");
        ps_bytes_clear(&given);
        return rc;
    }
    PS_TRY(ps_alloc0((size_t)type->n_fields * sizeof *named->names, &named->names, err));
    named->n_names = type->n_fields;
    for (int i = 0; i < type->n_fields; i++)
        PS_TRY(ps_strdup(alias ? alias->names[i] : type->fields[i].name, &named->names[i], err));
    return PS_OK;
}

static bool is_generator(const ps_bound *bound)
{
    return bound->kind == PS_B_CALL && bound->fn->flags & PS_FN_GENERATOR;
}

/* The event-time mark of a plain column, and of a window for window_time() of it (stateful.md 1.2). */
static int64_t mark_of(const ps_scope *scope, const ps_bound *bound)
{
    const ps_attr *attr;

    if (bound->kind == PS_B_CALL && strcmp(bound->fn->name, "window_time") == 0)
        bound = bound->args[0];
    attr = bound->kind == PS_B_COLUMN ? find_id(scope, bound->attr_id) : NULL;
    return attr ? attr->watermark_ms : -1;
}

/* window_time() takes a column that window() made, which its metadata tells. */
static ps_status check_window_time(const ps_scope *scope, ps_bound *bound, ps_error *err)
{
    const ps_bound *call = ps_bound_find_call(bound, "window_time");
    const ps_attr *attr = call && call->args[0]->kind == PS_B_COLUMN ? find_id(scope, call->args[0]->attr_id) : NULL;

    if (!call || (attr && attr->metadata && strstr(attr->metadata, "\"spark.timeWindow\"")))
        return PS_OK;
    return ps_raise(err, PS_E_NOT_A_WINDOW, call->args[0]->name ? call->args[0]->name : "an expression");
}

/* A plain column keeps its id; under an alias it has a new one and still hands on metadata and watermark. */
static ps_status fill_item(const ps_expr *expr, const ps_expr *alias, const ps_scope *scope, ps_named *named, ps_error *err)
{
    const ps_attr *attr = named->bound->kind == PS_B_COLUMN ? find_id(scope, named->bound->attr_id) : NULL;
    const char *name = alias ? alias->names[0] : item_name(expr, named->bound);
    const char *metadata = alias && alias->metadata ? alias->metadata : attr ? attr->metadata : NULL;

    named->attr_id = attr && !alias ? attr->id : ps_attr_new_id();
    named->watermark_ms = mark_of(scope, named->bound);
    if (metadata)
        PS_TRY(ps_strdup(metadata, &named->metadata, err));
    if (is_generator(named->bound))
        PS_TRY(name_generator(alias, named, err));
    else if (alias && alias->n_names != 1)
        return ps_raise(err, PS_E_ALIASES, named->bound->text ? named->bound->text : "");
    return ps_strdup(name, &named->name, err);
}

static ps_status add_item(ps_binder *binder, ps_expr *expr, ps_named_list *out, ps_error *err)
{
    const ps_expr *alias = NULL;
    ps_named named = {0};
    ps_status rc;

    while (expr->kind == PS_X_ALIAS) {
        if (!alias)
            alias = expr;
        expr = expr->args[0];
    }
    PS_TRY(psi_bind_expr(binder, expr, &named.bound, err));
    rc = check_window_time(binder->scope, named.bound, err);
    if (rc == PS_OK)
        rc = fill_item(expr, alias, binder->scope, &named, err);
    if (rc == PS_OK)
        rc = PS_PUSH(out, named, err);
    if (rc != PS_OK)
        named_clear(&named);
    return rc;
}

static ps_status add_star(ps_binder *binder, const ps_expr *star, ps_named_list *out, ps_error *err)
{
    psi_exprs list = {0};
    ps_status rc;

    if (binder->scope->n_inputs == 0)
        return ps_raise(err, PS_E_INVALID_STAR, "`Project`");
    rc = psi_expand_star(binder, star, &list, err);
    for (int i = 0; i < list.n && rc == PS_OK; i++)
        rc = add_item(binder, list.items[i], out, err);
    psi_exprs_clear(&list);
    return rc;
}

ps_status ps_bind_list(ps_expr *const *exprs, int n, const ps_scope *scope, ps_named_list *out, ps_error *err)
{
    ps_binder binder;
    ps_scope wide = *scope;
    ps_status rc = PS_OK;

    psi_binder_init(&binder, &wide);
    binder.in_list = true;
    for (int i = 0; i < n && rc == PS_OK; i++) {
        if (!scope->aliases) { /* lateral aliases: the items before this one */
            wide.aliases = out->items;
            wide.n_aliases = out->n;
        }
        rc = exprs[i]->kind == PS_X_STAR ? add_star(&binder, exprs[i], out, err) : add_item(&binder, exprs[i], out, err);
    }
    if (rc != PS_OK)
        ps_named_list_clear(out);
    return rc;
}

/* --- aggregates ------------------------------------------------------------------------------------------------------- */
static ps_status add_call(ps_agg_calls *calls, ps_bound *bound, ps_error *err)
{
    ps_agg_call call = {
        .call = bound,
        .fn = bound->fn->aggregate,
        .shape = bound->fn_data,
        .args = bound->args,
        .n_args = bound->n_args,
        .filter = bound->filter,
        .distinct = bound->distinct,
        .type = bound->type,
        .nullable = bound->nullable,
        .attr_id = ps_attr_new_id(),
        .name = bound->text,
    };

    PS_TRY(PS_PUSH(calls, call, err));
    ps_bound_ref(bound);
    return PS_OK;
}

static ps_status take_aggregate(ps_bound *bound, void *data, ps_bound **out, ps_error *err)
{
    ps_agg_calls *calls = data;
    ps_agg_call *call;
    int i;

    if (bound->kind != PS_B_CALL || !bound->fn->aggregate)
        return PS_OK;
    for (i = 0; i < calls->n; i++)
        if (ps_bound_equal(calls->items[i].call, bound))
            break;
    if (i == calls->n)
        PS_TRY(add_call(calls, bound, err));
    call = &calls->items[i];
    return ps_bound_column(&(ps_attr){.id = call->attr_id, .name = (char *)call->name, .type = call->type, .nullable = call->nullable}, out, err);
}

ps_status ps_extract_aggregates(ps_bound *bound, ps_agg_calls *calls, ps_bound **out, ps_error *err)
{
    return psi_bound_rewrite(bound, take_aggregate, calls, out, err);
}

void ps_agg_calls_clear(ps_agg_calls *calls)
{
    for (int i = 0; i < calls->n; i++)
        ps_bound_unref(calls->items[i].call);
    ps_free(calls->items);
    *calls = (ps_agg_calls){0};
}
