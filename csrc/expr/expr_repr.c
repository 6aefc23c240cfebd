/*
 * expr/expr_repr.c - expressions as text for people: Column<'...'> of what was written, explain() of what was bound.
 */
#include "col/type_text.h"
#include "expr/bound.h"
#include "expr/fn_int.h"

/* --- as written ------------------------------------------------------------------------------------------------------ */
static ps_status literal_repr(const ps_expr *expr, ps_bytes *out, ps_error *err)
{
    ps_bytes text = {0};
    ps_status rc = psi_literal_text(expr->value, NULL, &text, err);

    if (rc == PS_OK && expr->type->kind == PS_STRING && !ps_vec_is_null(expr->value, 0))
        rc = ps_bytes_printf(out, err, "'%s'", text.data ? text.data : "");
    else if (rc == PS_OK)
        rc = ps_bytes_printf(out, err, "%s%s", text.data ? text.data : "", expr->type->kind == PS_INT64 ? "L" : "");
    ps_bytes_clear(&text);
    return rc;
}

static ps_status names_repr(const ps_expr *expr, ps_bytes *out, ps_error *err)
{
    for (int i = 0; i < expr->n_names; i++)
        PS_TRY(ps_bytes_printf(out, err, "%s%s", i ? "." : "", expr->names[i]));
    return PS_OK;
}

static ps_status args_repr(const ps_expr *expr, const char *name, ps_bytes *out, ps_error *err)
{
    PS_TRY(ps_bytes_printf(out, err, "%s(%s", name, expr->distinct ? "distinct " : ""));
    for (int i = 0; i < expr->n_args; i++) {
        if (i)
            PS_TRY(ps_bytes_text(out, ", ", err));
        PS_TRY(ps_expr_text(expr->args[i], out, err));
    }
    return ps_bytes_char(out, ')', err);
}

static ps_status case_repr(const ps_expr *expr, ps_bytes *out, ps_error *err)
{
    int i;

    PS_TRY(ps_bytes_text(out, "CASE", err));
    for (i = 0; i + 1 < expr->n_args; i += 2) {
        PS_TRY(ps_bytes_text(out, " WHEN ", err));
        PS_TRY(ps_expr_text(expr->args[i], out, err));
        PS_TRY(ps_bytes_text(out, " THEN ", err));
        PS_TRY(ps_expr_text(expr->args[i + 1], out, err));
    }
    if (i < expr->n_args) {
        PS_TRY(ps_bytes_text(out, " ELSE ", err));
        PS_TRY(ps_expr_text(expr->args[i], out, err));
    }
    return ps_bytes_text(out, " END", err);
}

static ps_status call_repr(const ps_expr *expr, ps_bytes *out, ps_error *err)
{
    if (strcmp(expr->name, "case") == 0)
        return case_repr(expr, out, err);
    if (strcmp(expr->name, "getitem") == 0 && expr->n_args == 2) {
        PS_TRY(ps_expr_text(expr->args[0], out, err));
        PS_TRY(ps_bytes_char(out, '[', err));
        PS_TRY(ps_expr_text(expr->args[1], out, err));
        return ps_bytes_char(out, ']', err);
    }
    if (strcmp(expr->name, "not") == 0)
        return args_repr(expr, "!", out, err);
    if (strcmp(expr->name, "isnull") == 0)
        return args_repr(expr, "isNull", out, err);
    if (strcmp(expr->name, "isnotnull") == 0)
        return args_repr(expr, "isNotNull", out, err);
    return args_repr(expr, expr->name, out, err);
}

static ps_status lambda_repr(const ps_expr *expr, ps_bytes *out, ps_error *err)
{
    PS_TRY(ps_bytes_text(out, "lambda(", err));
    PS_TRY(ps_expr_text(expr->args[0], out, err));
    for (int i = 0; i < expr->n_names; i++)
        PS_TRY(ps_bytes_printf(out, err, ", %s", expr->names[i]));
    return ps_bytes_char(out, ')', err);
}

ps_status ps_expr_text(const ps_expr *expr, ps_bytes *out, ps_error *err)
{
    if (expr->sql && expr->kind != PS_X_LITERAL)
        return ps_bytes_text(out, expr->sql, err);
    switch (expr->kind) {
    case PS_X_LITERAL:
        return literal_repr(expr, out, err);
    case PS_X_NAME:
    case PS_X_ATTR:
        return names_repr(expr, out, err);
    case PS_X_STAR:
        PS_TRY(names_repr(expr, out, err));
        return ps_bytes_text(out, expr->n_names ? ".*" : "*", err);
    case PS_X_CALL:
        return call_repr(expr, out, err);
    case PS_X_CAST:
        PS_TRY(ps_bytes_text(out, expr->is_try ? "TRY_CAST(" : "CAST(", err));
        PS_TRY(ps_expr_text(expr->args[0], out, err));
        PS_TRY(ps_bytes_text(out, " AS ", err));
        PS_TRY(ps_type_sql_text(expr->type, out, err));
        return ps_bytes_char(out, ')', err);
    case PS_X_ALIAS:
        PS_TRY(ps_expr_text(expr->args[0], out, err));
        for (int i = 0; i < expr->n_names; i++)
            PS_TRY(ps_bytes_printf(out, err, "%s%s", i ? ", " : expr->n_names > 1 ? " AS (" : " AS ", expr->names[i]));
        return expr->n_names > 1 ? ps_bytes_char(out, ')', err) : PS_OK;
    case PS_X_SORT:
        PS_TRY(ps_expr_text(expr->args[0], out, err));
        return ps_bytes_printf(out, err, " %s NULLS %s", expr->descending ? "DESC" : "ASC", expr->nulls_first ? "FIRST" : "LAST");
    default:
        return lambda_repr(expr, out, err);
    }
}

/* --- as bound ----------------------------------------------------------------------------------------------------------- */
/* A call's usual name over arguments that show their ids. */
static ps_status call_text(const ps_bound *bound, ps_bytes *out, ps_error *err)
{
    ps_bound *shown = NULL, **args = NULL;
    ps_fn_call call = {.fn = bound->fn, .name = bound->fn->name, .n_args = bound->n_args, .distinct = bound->distinct};
    ps_status rc;

    PS_TRY_OR(done, ps_alloc0((size_t)(bound->n_args + 1) * sizeof *shown, &shown, err));
    PS_TRY_OR(done, ps_alloc0((size_t)(bound->n_args + 1) * sizeof *args, &args, err));
    for (int i = 0; i < bound->n_args; i++) {
        ps_bytes text = {0};
        args[i] = &shown[i];
        shown[i].kind = bound->args[i]->kind;
        shown[i].type = bound->args[i]->type;
        rc = ps_bound_text(bound->args[i], &text, err);
        if (rc == PS_OK)
            shown[i].text = ps_bytes_take(&text);
        ps_bytes_clear(&text);
        if (rc != PS_OK)
            goto done;
    }
    call.args = args;
    rc = ps_fn_call_text(&call, out, err);
done:
    for (int i = 0; shown && i < bound->n_args; i++)
        ps_free(shown[i].text);
    ps_free(shown);
    ps_free(args);
    return rc;
}

ps_status ps_bound_text(const ps_bound *bound, ps_bytes *out, ps_error *err)
{
    switch (bound->kind) {
    case PS_B_COLUMN:
        return ps_bytes_printf(out, err, "%s#%lld%s", bound->name, (long long)bound->attr_id, bound->type->kind == PS_INT64 ? "L" : "");
    case PS_B_PARAM:
        return ps_bytes_printf(out, err, "lambda %s#%lld", bound->name, (long long)bound->attr_id);
    case PS_B_LITERAL:
        return ps_bytes_text(out, bound->text ? bound->text : "", err);
    case PS_B_LAMBDA:
        PS_TRY(ps_bytes_text(out, "lambdafunction(", err));
        PS_TRY(ps_bound_text(bound->args[0], out, err));
        return ps_bytes_char(out, ')', err);
    default:
        break;
    }
    if (bound->n_args == 1 && (strcmp(bound->fn->name, "cast") == 0 || strcmp(bound->fn->name, "try_cast") == 0)) {
        PS_TRY(ps_bytes_printf(out, err, "%s(", bound->fn->name));
        PS_TRY(ps_bound_text(bound->args[0], out, err));
        PS_TRY(ps_bytes_text(out, " as ", err));
        PS_TRY(ps_type_simple_text(bound->type, out, err));
        return ps_bytes_char(out, ')', err);
    }
    PS_TRY(call_text(bound, out, err));
    if (bound->filter) {
        PS_TRY(ps_bytes_text(out, " FILTER (WHERE ", err));
        PS_TRY(ps_bound_text(bound->filter, out, err));
        PS_TRY(ps_bytes_char(out, ')', err));
    }
    return PS_OK;
}
