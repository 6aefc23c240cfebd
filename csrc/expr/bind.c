/* expr/bind.c - from parsed to bound expressions: literals, calls, casts, lambdas. */
#include "expr/binder.h"
#include "col/type_text.h"
#include "expr/aggregate.h"
#include "expr/cast.h"
#include "expr/coerce.h"

#define MAX_DEPTH 2500

static bool conf_ansi(const ps_conf *conf)
{
    return !conf || ps_conf_bool(conf, "spark.sql.ansi.enabled");
}

void psi_binder_init(ps_binder *binder, const ps_scope *scope)
{
    *binder = (ps_binder){.scope = scope, .ansi = conf_ansi(scope->conf)};
    binder->case_sensitive = scope->conf && ps_conf_bool(scope->conf, "spark.sql.caseSensitive");
}

/* --- literals and casts ---------------------------------------------------------------------------------------- */
static ps_status new_literal(ps_vec *value, const ps_conf *conf, ps_bound **out, ps_error *err)
{
    ps_bytes text = {0};
    ps_bound *bound;
    ps_status rc;

    *out = NULL;
    PS_TRY(psi_bound_new(PS_B_LITERAL, value->type, ps_vec_is_null(value, 0), &bound, err));
    rc = value->shape == PS_CONST && value->n_rows == 1 ? (bound->value = ps_vec_ref(value), PS_OK)
                                                        : ps_vec_repeat(value, 0, 1, &bound->value, err);
    if (rc == PS_OK)
        rc = psi_literal_text(bound->value, conf, &text, err);
    if (rc == PS_OK)
        rc = ps_strndup(text.data ? text.data : "", text.n_bytes, &bound->text, err);
    ps_bytes_clear(&text);
    if (rc != PS_OK) {
        ps_bound_unref(bound);
        return rc;
    }
    *out = bound;
    return PS_OK;
}

/* TIMESTAMP'...' without a zone: a local time of the session's zone (sql/literal.c). */
static ps_status local_timestamp(const ps_expr *expr, const ps_conf *conf, ps_bound **out, ps_error *err)
{
    int64_t local = *(const int64_t *)expr->value->data;
    ps_builder *b;
    ps_vec *value = NULL;
    ps_status rc;

    PS_TRY(ps_build_new(ps_type_of(PS_TIMESTAMP), 1, &b, err));
    rc = ps_build_int(b, ps_zone_to_utc(psi_conf_zone(conf), local), err);
    rc = ps_build_end(b, rc, &value, err);
    if (rc == PS_OK)
        rc = new_literal(value, conf, out, err);
    ps_vec_unref(value);
    return rc;
}

ps_status ps_bound_literal(ps_vec *value, ps_bound **out, ps_error *err)
{
    return new_literal(value, NULL, out, err);
}

/* A NULL literal of another type, under its old text. */
static ps_status typed_null(const ps_bound *arg, const ps_type *type, ps_bound **out, ps_error *err)
{
    ps_vec *value;
    ps_status rc;

    PS_TRY(ps_vec_null(type, 1, &value, err));
    rc = psi_bound_new(PS_B_LITERAL, type, true, out, err);
    if (rc != PS_OK) {
        ps_vec_unref(value);
        return rc;
    }
    (*out)->value = value;
    if (arg->text && ps_strdup(arg->text, &(*out)->text, err) != PS_OK) {
        ps_bound_unref(*out);
        *out = NULL;
        return PS_E_NO_MEMORY;
    }
    return PS_OK;
}

static ps_status new_cast(ps_bound *arg, const ps_type *type, bool is_try, bool implicit, bool ansi, ps_bound **out, ps_error *err)
{
    ps_cast_mode mode = is_try ? PS_CAST_TRY : ansi ? PS_CAST_ANSI : PS_CAST_LEGACY;
    bool nullable = arg->nullable || ps_cast_adds_null(arg->type, type, mode);
    ps_bytes text = {0};
    ps_bound *bound = NULL;
    ps_status rc;

    *out = NULL;
    if (implicit) {
        PS_TRY_OR(done, ps_bytes_text(&text, arg->text ? arg->text : "", err));
    } else {
        PS_TRY_OR(done, ps_bytes_printf(&text, err, "%s(%s AS ", is_try ? "TRY_CAST" : "CAST", arg->text ? arg->text : ""));
        PS_TRY_OR(done, ps_type_sql_text(type, &text, err));
        PS_TRY_OR(done, ps_bytes_char(&text, ')', err));
    }
    PS_TRY_OR(done, ps_check_cast(arg->type, type, mode, arg->text ? arg->text : "", err));
    PS_TRY_OR(done, psi_bound_new(PS_B_CALL, type, nullable, &bound, err));
    bound->fn = ps_fn_find(ps_slice_of(is_try ? "try_cast" : "cast"));
    bound->deterministic = arg->deterministic;
    bound->is_implicit = implicit;
    PS_TRY_OR(done, ps_alloc0(sizeof *bound->args, &bound->args, err));
    bound->args[0] = ps_bound_ref(arg);
    bound->n_args = 1;
    PS_TRY_OR(done, ps_strndup(text.data ? text.data : "", text.n_bytes, &bound->text, err));
    *out = bound;
    bound = NULL;
done:
    ps_bound_unref(bound);
    ps_bytes_clear(&text);
    return rc;
}

ps_status psi_bound_cast_implicit(ps_bound *arg, const ps_type *type, const ps_conf *conf, ps_bound **out, ps_error *err)
{
    if (ps_type_equal_ignoring_null(arg->type, type)) {
        *out = ps_bound_ref(arg);
        return PS_OK;
    }
    if (ps_bound_is_literal(arg) && arg->type->kind == PS_NULL)
        return typed_null(arg, type, out, err);
    return new_cast(arg, type, false, true, conf_ansi(conf), out, err);
}

ps_status ps_bound_cast(ps_bound *arg, const ps_type *type, bool is_try, const ps_conf *conf, ps_bound **out, ps_error *err)
{
    if (ps_type_equal(arg->type, type)) {
        *out = ps_bound_ref(arg);
        return PS_OK;
    }
    return new_cast(arg, type, is_try, false, conf_ansi(conf), out, err);
}

/* --- calls --------------------------------------------------------------------------------------------------------- */
void psi_agg_data_free(const ps_agg_fn *fn, void *data)
{
    ps_agg_shape *shape = data;

    if (shape && shape->data && fn->free_data)
        fn->free_data(shape->data);
    ps_free(shape);
}

/* `call` to a node, which takes over args, type and data. */
static ps_status node_of_call(ps_fn_call *call, ps_bound **out, ps_error *err)
{
    ps_bytes text = {0};
    ps_bound *bound = NULL;
    bool nullable = call->nullable;
    ps_status rc;

    ps_assert(call->type);
    if (call->fn->flags & PS_FN_NULLABLE)
        nullable = true;
    if (call->fn->flags & PS_FN_NOT_NULL)
        nullable = false;
    PS_TRY_OR(done, ps_fn_call_text(call, &text, err));
    PS_TRY_OR(done, psi_bound_new(PS_B_CALL, call->type, nullable, &bound, err));
    PS_TRY_OR(done, ps_strndup(text.data ? text.data : "", text.n_bytes, &bound->text, err));
    bound->fn = call->fn;
    bound->fn_data = call->data;
    bound->args = call->args;
    bound->n_args = call->n_args;
    bound->distinct = call->distinct;
    bound->ignore_nulls = call->ignore_nulls;
    bound->deterministic = !(call->fn->flags & PS_FN_VOLATILE);
    for (int i = 0; i < call->n_args; i++)
        bound->deterministic &= call->args[i]->deterministic;
    call->args = NULL;
    call->n_args = 0;
    call->data = NULL;
    *out = bound;
    bound = NULL;
done:
    ps_bytes_clear(&text);
    ps_bound_unref(bound);
    return rc;
}

static ps_status check_lambdas(const ps_fn_call *call, ps_error *err)
{
    for (int i = 0; i < call->n_args; i++)
        if (!call->args[i])
            return ps_raise(err, PS_E_LAMBDA_NOT_ALLOWED, call->name);
    return PS_OK;
}

ps_status psi_make_call(ps_binder *binder, const ps_expr *expr, const ps_fn *fn, const char *shown, ps_bound **args,
                        int n_args, ps_expr *const *exprs, const ps_conf *conf, ps_bound **out, ps_error *err)
{
    ps_fn_call call = {.fn = fn, .name = shown, .args = args, .n_args = n_args, .n_given = n_args, .exprs = exprs,
                       .binder = binder, .conf = conf, .ansi = conf_ansi(conf)};
    ps_agg_shape *shape = NULL;
    ps_status rc;

    *out = NULL;
    if (expr) {
        call.distinct = expr->distinct;
        call.ignore_nulls = expr->ignore_nulls;
    }
    for (int i = 0; i < n_args; i++)
        call.nullable |= args[i] && args[i]->nullable;
    PS_TRY_OR(done, psi_fn_sign(&call, err));
    if (fn->aggregate) {
        PS_TRY_OR(done, ps_alloc0(sizeof *shape, &shape, err));
        call.data = shape;
        PS_TRY_OR(done, fn->aggregate->bind(&call, shape, err));
    } else {
        PS_TRY_OR(done, fn->bind(&call, err));
    }
    PS_TRY_OR(done, check_lambdas(&call, err));
    if (!call.type) { /* a row that only the binder itself may call: getmapvalue(...) */
        rc = ps_raise(err, PS_E_UNRESOLVED_ROUTINE, fn->name);
        goto done;
    }
    rc = node_of_call(&call, out, err);
done:
    if (call.data && fn->aggregate)
        psi_agg_data_free(fn->aggregate, call.data);
    else if (call.data && call.fn->free_data)
        call.fn->free_data(call.data);
    for (int i = 0; i < call.n_args; i++)
        ps_bound_unref(call.args[i]);
    ps_free(call.args);
    ps_free(call.text);
    ps_type_unref(call.type);
    return rc;
}

ps_status ps_bound_call(const char *name, ps_bound *const *args, int n_args, const ps_conf *conf, ps_bound **out, ps_error *err)
{
    const char *shown;
    const ps_fn *fn = psi_fn_lookup(ps_slice_of(name), &shown);
    ps_bound **own;

    *out = NULL;
    ps_assert(fn);
    PS_TRY(ps_alloc0((size_t)n_args * sizeof *own, &own, err));
    for (int i = 0; i < n_args; i++)
        own[i] = ps_bound_ref(args[i]);
    return psi_make_call(NULL, NULL, fn, shown, own, n_args, NULL, conf, out, err);
}

/* --- calls as written ------------------------------------------------------------------------------------------------- */
static const char *const type_functions[] = {"boolean", "tinyint", "smallint", "int", "bigint", "float", "double",
                                             "decimal", "string", "binary", "date", "timestamp"};

bool psi_is_type_function(const ps_expr *expr)
{
    if (expr->kind != PS_X_CALL || expr->n_args != 1 || expr->is_operator)
        return false;
    for (size_t i = 0; i < PS_COUNT_OF(type_functions); i++)
        if (ps_stricmp(expr->name, type_functions[i]) == 0)
            return true;
    return false;
}

/* `hidden`: generated names show the argument alone, as for int(x), and for casts to nested types in SQL text. */
static ps_status bind_cast(ps_binder *binder, ps_expr *arg, const ps_type *type, bool is_try, bool hidden, ps_bound **out, ps_error *err)
{
    ps_bound *bound;
    ps_status rc;

    *out = NULL;
    PS_TRY(psi_bind_expr(binder, arg, &bound, err));
    if (ps_bound_is_literal(bound) && bound->type->kind == PS_NULL && hidden)
        rc = typed_null(bound, type, out, err);
    else
        rc = new_cast(bound, type, is_try, hidden, binder->ansi, out, err);
    ps_bound_unref(bound);
    return rc;
}

/* The arguments with stars expanded; count(*) counts the literal 1. */
static ps_status expand_args(ps_binder *binder, const ps_expr *call, psi_exprs *list, ps_error *err)
{
    for (int i = 0; i < call->n_args; i++) {
        ps_expr *arg = call->args[i], *one = NULL;
        if (arg->kind != PS_X_STAR) {
            PS_TRY(PS_PUSH(list, ps_expr_ref(arg), err));
        } else if (ps_stricmp(call->name, "count") == 0 && call->n_args == 1 && arg->n_names == 0 && !call->distinct) {
            PS_TRY(ps_expr_literal_int(1, PS_INT32, &one, err));
            PS_TRY(PS_PUSH(list, one, err));
        } else {
            PS_TRY(psi_expand_star(binder, arg, list, err));
        }
    }
    return PS_OK;
}

static ps_status check_place(const ps_binder *binder, const ps_expr *expr, const ps_fn *fn, ps_error *err)
{
    if (fn->flags & PS_FN_AGGREGATE) {
        if (binder->in_aggregate)
            return ps_raise(err, PS_E_NESTED_AGGREGATE);
        if (!binder->scope->allow_aggregates)
            return ps_raise(err, binder->in_list ? PS_E_GROUP_BY_AGGREGATE : PS_E_UNSUPPORTED_EXPR, expr->name);
    } else if (expr->distinct) {
        return ps_raise(err, PS_E_FUNCTION_DISTINCT, fn->name);
    }
    if (fn->flags & PS_FN_GENERATOR) {
        if (!binder->scope->allow_generators)
            return ps_raise(err, PS_E_GENERATOR_OUTSIDE, expr->name);
        if (binder->depth > 1)
            return ps_raise(err, PS_E_GENERATOR_NESTED, expr->name);
    }
    return PS_OK;
}

static ps_status bind_filter(ps_binder *binder, const ps_expr *expr, ps_bound *call, ps_error *err)
{
    ps_bytes text = {0};
    ps_status rc;

    binder->in_aggregate++;
    rc = psi_bind_expr(binder, expr->filter, &call->filter, err);
    binder->in_aggregate--;
    if (rc == PS_OK && call->filter->type->kind != PS_BOOL) {
        char *type = NULL;
        rc = psi_type_name(call->filter->type, &type, err);
        if (rc == PS_OK)
            rc = ps_raise(err, PS_E_AGGREGATE_FILTER, call->filter->text);
        ps_free(type);
    }
    if (rc == PS_OK)
        rc = ps_bytes_printf(&text, err, "%s FILTER (WHERE %s)", call->text, call->filter->text);
    if (rc == PS_OK) {
        ps_free(call->text);
        call->text = ps_bytes_take(&text);
    }
    ps_bytes_clear(&text);
    return rc;
}

static ps_status bind_args(ps_binder *binder, const psi_exprs *list, const ps_fn *fn, ps_bound ***out, ps_error *err)
{
    bool inside = (fn->flags & PS_FN_AGGREGATE) != 0;
    ps_bound **args;
    ps_status rc = PS_OK;

    PS_TRY(ps_alloc0((size_t)list->n * sizeof *args, &args, err));
    binder->in_aggregate += inside;
    for (int i = 0; i < list->n && rc == PS_OK; i++)
        if (list->items[i]->kind != PS_X_LAMBDA)
            rc = psi_bind_expr(binder, list->items[i], &args[i], err);
    binder->in_aggregate -= inside;
    for (int i = 0; i < list->n && rc != PS_OK; i++)
        ps_bound_unref(args[i]);
    if (rc != PS_OK)
        ps_free(args);
    else
        *out = args;
    return rc;
}

static ps_status bind_function(ps_binder *binder, ps_expr *expr, const char *name, ps_bound **out, ps_error *err)
{
    const char *shown;
    const ps_fn *fn = psi_fn_lookup(ps_slice_of(name), &shown);
    psi_exprs list = {0};
    ps_bound **args = NULL;
    ps_status rc;

    if (!fn) {
        ps_bytes quoted = {0};
        rc = ps_bytes_printf(&quoted, err, "`%s`", name);
        if (rc == PS_OK)
            rc = ps_raise(err, PS_E_UNRESOLVED_ROUTINE, quoted.data);
        ps_bytes_clear(&quoted);
        return rc;
    }
    PS_TRY(check_place(binder, expr, fn, err));
    PS_TRY_OR(done, expand_args(binder, expr, &list, err));
    PS_TRY_OR(done, bind_args(binder, &list, fn, &args, err));
    PS_TRY_OR(done, psi_make_call(binder, expr, fn, shown, args, list.n, list.items, binder->scope->conf, out, err));
    if (expr->filter) {
        rc = fn->aggregate ? bind_filter(binder, expr, *out, err) : ps_raise(err, PS_E_FUNCTION_FILTER, fn->name);
        if (rc != PS_OK) {
            ps_bound_unref(*out);
            *out = NULL;
        }
    }
done:
    psi_exprs_clear(&list);
    return rc;
}

/* a != b is NOT (a = b). */
static ps_status bind_unequal(ps_binder *binder, ps_expr *expr, ps_bound **out, ps_error *err)
{
    ps_bound *equal;
    ps_status rc;

    PS_TRY(bind_function(binder, expr, "=", &equal, err));
    rc = ps_bound_call("not", &equal, 1, binder->scope->conf, out, err);
    ps_bound_unref(equal);
    return rc;
}

static ps_status bind_call(ps_binder *binder, ps_expr *expr, ps_bound **out, ps_error *err)
{
    if (psi_is_type_function(expr) && expr->args[0]->kind != PS_X_STAR) {
        const ps_type *type;
        ps_status rc;
        PS_TRY(ps_type_parse(ps_slice_of(expr->name), &type, err));
        rc = bind_cast(binder, expr->args[0], type, false, true, out, err);
        ps_type_unref(type);
        return rc;
    }
    if (expr->is_operator && (strcmp(expr->name, "!=") == 0 || strcmp(expr->name, "<>") == 0))
        return bind_unequal(binder, expr, out, err);
    return bind_function(binder, expr, expr->name, out, err);
}

/* --- the tree ------------------------------------------------------------------------------------------------------- */
static ps_status bind_alias(ps_binder *binder, ps_expr *expr, ps_bound **out, ps_error *err)
{
    ps_bound *bound;
    ps_bytes text = {0};
    ps_status rc;

    PS_TRY(psi_bind_expr(binder, expr->args[0], &bound, err));
    rc = ps_bytes_printf(&text, err, "%s AS %s", bound->text ? bound->text : "", expr->n_names ? expr->names[0] : "");
    if (rc == PS_OK)
        rc = psi_bound_retext(bound, text.data, text.n_bytes, out, err);
    ps_bytes_clear(&text);
    ps_bound_unref(bound);
    return rc;
}

static ps_status bind_sort(ps_binder *binder, ps_expr *expr, ps_bound **out, ps_error *err)
{
    ps_bound *bound;
    ps_bytes text = {0};
    ps_status rc;

    PS_TRY(psi_bind_expr(binder, expr->args[0], &bound, err));
    rc = ps_bytes_printf(&text, err, "%s %s NULLS %s", bound->text ? bound->text : "", expr->descending ? "DESC" : "ASC",
                         expr->nulls_first ? "FIRST" : "LAST");
    if (rc == PS_OK)
        rc = psi_bound_retext(bound, text.data, text.n_bytes, out, err);
    ps_bytes_clear(&text);
    ps_bound_unref(bound);
    return rc;
}

ps_status psi_bind_expr(ps_binder *binder, ps_expr *expr, ps_bound **out, ps_error *err)
{
    ps_status rc;

    *out = NULL;
    if (binder->depth >= MAX_DEPTH)
        return ps_raise(err, PS_E_TOO_DEEP, MAX_DEPTH);
    binder->depth++;
    switch (expr->kind) {
    case PS_X_LITERAL:
        if (expr->type->kind == PS_TIMESTAMP && expr->value->type->kind == PS_TIMESTAMP_NTZ)
            rc = local_timestamp(expr, binder->scope->conf, out, err);
        else
            rc = new_literal(expr->value, binder->scope->conf, out, err);
        break;
    case PS_X_NAME:
        rc = psi_bind_name_parts(binder, expr, out, err);
        break;
    case PS_X_ATTR:
        rc = psi_bind_attr(binder, expr, out, err);
        break;
    case PS_X_CALL:
        rc = bind_call(binder, expr, out, err);
        break;
    case PS_X_CAST:
        rc = bind_cast(binder, expr->args[0], expr->type, expr->is_try, expr->from_text && ps_kind_is_nested(expr->type->kind), out, err);
        break;
    case PS_X_ALIAS:
        rc = bind_alias(binder, expr, out, err);
        break;
    case PS_X_SORT:
        rc = bind_sort(binder, expr, out, err);
        break;
    case PS_X_STAR:
        rc = ps_raise(err, PS_E_INVALID_STAR, "expression");
        break;
    default:
        rc = ps_raise(err, PS_E_LAMBDA_NOT_ALLOWED, "lambda");
        break;
    }
    binder->depth--;
    return rc;
}

ps_status ps_bind(const ps_expr *expr, const ps_scope *scope, ps_bound **out, ps_error *err)
{
    ps_binder binder;
    ps_expr *inner = (ps_expr *)expr; /* references are counted through it; nothing else is changed */

    psi_binder_init(&binder, scope);
    while (inner->kind == PS_X_ALIAS)
        inner = inner->args[0];
    return psi_bind_expr(&binder, inner, out, err);
}

ps_status ps_bind_condition(const ps_expr *expr, const ps_scope *scope, ps_bound **out, ps_error *err)
{
    ps_scope wide = *scope;
    ps_bound *bound;
    char *type = NULL;
    ps_status rc = PS_OK;

    *out = NULL;
    wide.allow_aggregates = true;
    PS_TRY(ps_bind(expr, &wide, &bound, err));
    if (!scope->allow_aggregates && ps_bound_has_aggregate(bound)) {
        rc = ps_raise(err, PS_E_INVALID_WHERE, bound->text, bound->text);
    } else if (bound->type->kind != PS_BOOL) {
        rc = psi_type_name(bound->type, &type, err);
        if (rc == PS_OK && scope->is_join)
            rc = ps_raise(err, PS_E_JOIN_NOT_BOOLEAN, bound->text, type);
        if (rc == PS_OK)
            rc = ps_raise(err, PS_E_DT_FILTER, bound->text, bound->text, type);
    }
    ps_free(type);
    if (rc != PS_OK)
        ps_bound_unref(bound);
    else
        *out = bound;
    return rc;
}

/* --- lambdas ----------------------------------------------------------------------------------------------------------- */
static ps_status lambda_text(ps_bound *lambda, ps_error *err)
{
    ps_bytes text = {0};
    ps_status rc = ps_bytes_printf(&text, err, "lambdafunction(%s", lambda->args[0]->text ? lambda->args[0]->text : "");

    for (int i = 0; i < lambda->n_params && rc == PS_OK; i++)
        rc = ps_bytes_text(&text, ", namedlambdavariable()", err);
    if (rc == PS_OK)
        rc = ps_bytes_char(&text, ')', err);
    if (rc == PS_OK)
        lambda->text = ps_bytes_take(&text);
    ps_bytes_clear(&text);
    return rc;
}

/* A plain value where a lambda is wanted: one that does not look at its parameter. */
static ps_status constant_lambda(ps_fn_call *call, int arg, ps_error *err)
{
    ps_bound *body = call->args[arg], *bound;
    ps_status rc;

    PS_TRY(psi_bound_new(PS_B_LAMBDA, body->type, body->nullable, &bound, err));
    bound->deterministic = body->deterministic;
    PS_TRY_OR(fail, ps_alloc(sizeof *bound->params, &bound->params, err));
    bound->params[0] = ps_attr_new_id();
    bound->n_params = 1;
    PS_TRY_OR(fail, ps_alloc0(sizeof *bound->args, &bound->args, err));
    bound->args[0] = ps_bound_ref(body);
    bound->n_args = 1;
    PS_TRY_OR(fail, lambda_text(bound, err));
    ps_bound_unref(body);
    call->args[arg] = bound;
    return PS_OK;
fail:
    ps_bound_unref(bound);
    return rc;
}

ps_status ps_fn_bind_lambda(ps_fn_call *call, int arg, const ps_type *const *types, const bool *nullable, int n, ps_error *err)
{
    const ps_expr *lambda = call->exprs && arg < call->n_given ? call->exprs[arg] : NULL;
    ps_bound *bound, *body = NULL;
    psi_frame frame;
    ps_status rc;

    if (!lambda || !call->binder)
        return ps_fn_wrong_type(call, arg, "LAMBDA", err);
    if (lambda->kind != PS_X_LAMBDA)
        return constant_lambda(call, arg, err);
    if (lambda->n_names > n)
        return ps_raise(err, PS_E_LAMBDA_NUM_ARGS, n, lambda->n_names);
    PS_TRY(psi_bound_new(PS_B_LAMBDA, ps_type_of(PS_NULL), true, &bound, err));
    PS_TRY_OR(fail, ps_alloc((size_t)lambda->n_names * sizeof *bound->params, &bound->params, err));
    bound->n_params = lambda->n_names;
    for (int i = 0; i < bound->n_params; i++)
        bound->params[i] = ps_attr_new_id();
    frame = (psi_frame){call->binder->frame, lambda, bound->params, types, nullable};
    call->binder->frame = &frame;
    rc = psi_bind_expr(call->binder, lambda->args[0], &body, err);
    call->binder->frame = frame.outer;
    if (rc != PS_OK)
        goto fail;
    bound->type = ps_type_ref(body->type);
    bound->nullable = body->nullable;
    bound->deterministic = body->deterministic;
    rc = ps_alloc0(sizeof *bound->args, &bound->args, err);
    if (rc != PS_OK) {
        ps_bound_unref(body);
        goto fail;
    }
    bound->args[0] = body;
    bound->n_args = 1;
    PS_TRY_OR(fail, lambda_text(bound, err));
    ps_bound_unref(call->args[arg]);
    call->args[arg] = bound;
    return PS_OK;
fail:
    ps_bound_unref(bound);
    return rc;
}
