/* expr/expr.c - parsed expressions and attributes. */
#include "expr/expr.h"
#include <stdatomic.h>

/* --- parsed nodes -------------------------------------------------------------------------------------- */
static ps_status new_expr(ps_expr_kind kind, ps_expr **out, ps_error *err)
{
    *out = NULL;
    PS_TRY(ps_alloc0(sizeof **out, out, err));
    ps_refs_init(&(*out)->refs);
    (*out)->kind = kind;
    (*out)->attr_id = -1;
    return PS_OK;
}

static ps_status copy_names(const char *const *from, int n, ps_expr *expr, ps_error *err)
{
    PS_TRY(ps_alloc0((size_t)n * sizeof *expr->names, &expr->names, err));
    expr->n_names = n;
    for (int i = 0; i < n; i++)
        PS_TRY(ps_strdup(from[i], &expr->names[i], err));
    return PS_OK;
}

static ps_status ref_args(ps_expr *const *args, int n, ps_expr *expr, ps_error *err)
{
    PS_TRY(ps_alloc0((size_t)n * sizeof *expr->args, &expr->args, err));
    expr->n_args = n;
    for (int i = 0; i < n; i++)
        expr->args[i] = ps_expr_ref(args[i]);
    return PS_OK;
}

ps_expr *ps_expr_ref(ps_expr *expr)
{
    if (expr)
        ps_refs_inc(&expr->refs);
    return expr;
}

void ps_expr_unref(ps_expr *expr)
{
    if (!expr || !ps_refs_dec(&expr->refs))
        return;
    for (int i = 0; expr->names && i < expr->n_names; i++)
        ps_free(expr->names[i]);
    for (int i = 0; expr->args && i < expr->n_args; i++)
        ps_expr_unref(expr->args[i]);
    ps_free(expr->names);
    ps_free(expr->args);
    ps_free(expr->name);
    ps_free(expr->metadata);
    ps_free(expr->sql);
    ps_expr_unref(expr->filter);
    ps_type_unref(expr->type);
    ps_vec_unref(expr->value);
    ps_free(expr);
}

ps_status ps_expr_literal(ps_vec *value, ps_expr **out, ps_error *err)
{
    PS_TRY(new_expr(PS_X_LITERAL, out, err));
    (*out)->value = ps_vec_ref(value);
    (*out)->type = ps_type_ref(value->type);
    return PS_OK;
}

ps_status ps_expr_literal_built(ps_builder *b, ps_status rc, ps_expr **out, ps_error *err)
{
    ps_vec *flat, *value = NULL;

    PS_TRY(ps_build_end(b, rc, &flat, err));
    rc = ps_vec_repeat(flat, 0, 1, &value, err);
    if (rc == PS_OK)
        rc = ps_expr_literal(value, out, err);
    ps_vec_unref(flat);
    ps_vec_unref(value);
    return rc;
}

ps_status ps_expr_literal_int(int64_t value, ps_kind kind, ps_expr **out, ps_error *err)
{
    ps_builder *b;

    *out = NULL;
    PS_TRY(ps_build_new(ps_type_of(kind), 1, &b, err));
    return ps_expr_literal_built(b, ps_build_int(b, value, err), out, err);
}

ps_status ps_expr_literal_text(ps_slice value, ps_expr **out, ps_error *err)
{
    ps_builder *b;

    *out = NULL;
    PS_TRY(ps_build_new(ps_type_of(PS_STRING), 1, &b, err));
    return ps_expr_literal_built(b, ps_build_text(b, value.data ? value.data : "", value.n_bytes, err), out, err);
}

static ps_status named_expr(ps_expr_kind kind, const char *const *names, int n, ps_expr **out, ps_error *err)
{
    ps_expr *expr;
    ps_status rc;

    *out = NULL;
    PS_TRY(new_expr(kind, &expr, err));
    PS_TRY_OR(fail, copy_names(names, n, expr, err));
    *out = expr;
    return PS_OK;
fail:
    ps_expr_unref(expr);
    return rc;
}

ps_status ps_expr_name(const char *const *parts, int n_parts, ps_expr **out, ps_error *err)
{
    return named_expr(PS_X_NAME, parts, n_parts, out, err);
}

ps_status ps_expr_star(const char *const *parts, int n_parts, ps_expr **out, ps_error *err)
{
    return named_expr(PS_X_STAR, parts, n_parts, out, err);
}

/* One part of a dotted name: in backticks (doubled inside) or up to the next dot.  False when it is malformed. */
static bool next_part(ps_slice text, size_t *pos, ps_bytes *part, ps_status *rc, ps_error *err)
{
    size_t i = *pos;

    ps_bytes_reset(part);
    *rc = ps_bytes_reserve(part, 1, err);
    if (i < text.n_bytes && text.data[i] == '`') {
        for (i++; *rc == PS_OK; i++) {
            if (i >= text.n_bytes)
                return false;
            if (text.data[i] == '`' && !(i + 1 < text.n_bytes && text.data[++i] == '`'))
                break;
            *rc = ps_bytes_char(part, text.data[i], err);
        }
        if (i < text.n_bytes && text.data[i] == '`')
            i++;
        if (i < text.n_bytes && text.data[i] != '.')
            return false;
    } else {
        size_t start = i;
        while (i < text.n_bytes && text.data[i] != '.' && text.data[i] != '`')
            i++;
        if (i == start || (i < text.n_bytes && text.data[i] == '`'))
            return false;
        if (*rc == PS_OK)
            *rc = ps_bytes_append(part, text.data + start, i - start, err);
    }
    *pos = i;
    return true;
}

ps_status ps_expr_name_text(ps_slice dotted, ps_expr **out, ps_error *err)
{
    char *parts[64];
    int n = 0;
    size_t pos = 0;
    ps_bytes part = {0};
    ps_status rc = PS_OK;
    bool star = false, good = true;

    *out = NULL;
    while (rc == PS_OK && good) {
        if (n > 0 && n < 64 && dotted.n_bytes - pos == 1 && dotted.data[pos] == '*') {
            star = true;
            break;
        }
        if (n == 0 && dotted.n_bytes == 1 && dotted.data[0] == '*') {
            star = true;
            break;
        }
        good = n < 64 && next_part(dotted, &pos, &part, &rc, err);
        if (!good || rc != PS_OK)
            break;
        rc = ps_strndup(part.data ? part.data : "", part.n_bytes, &parts[n], err);
        if (rc == PS_OK)
            n++;
        if (pos >= dotted.n_bytes)
            break;
        good = ++pos < dotted.n_bytes; /* the dot */
    }
    if (rc == PS_OK && !good)
        rc = ps_raise(err, PS_E_ATTRIBUTE_NAME_SYNTAX, (int)dotted.n_bytes, dotted.data);
    if (rc == PS_OK)
        rc = named_expr(star ? PS_X_STAR : PS_X_NAME, (const char *const *)parts, n, out, err);
    for (int i = 0; i < n; i++)
        ps_free(parts[i]);
    ps_bytes_clear(&part);
    return rc;
}

ps_status ps_expr_attr(int64_t attr_id, const char *name, ps_expr **out, ps_error *err)
{
    PS_TRY(named_expr(PS_X_ATTR, &name, 1, out, err));
    (*out)->attr_id = attr_id;
    return PS_OK;
}

ps_status ps_expr_call(const char *name, ps_expr *const *args, int n_args, ps_expr **out, ps_error *err)
{
    ps_expr *expr;
    ps_status rc;

    *out = NULL;
    PS_TRY(new_expr(PS_X_CALL, &expr, err));
    PS_TRY_OR(fail, ps_strdup(name, &expr->name, err));
    PS_TRY_OR(fail, ref_args(args, n_args, expr, err));
    *out = expr;
    return PS_OK;
fail:
    ps_expr_unref(expr);
    return rc;
}

static ps_status over_one(ps_expr_kind kind, ps_expr *arg, const char *const *names, int n_names, ps_expr **out, ps_error *err)
{
    ps_expr *expr;
    ps_status rc;

    *out = NULL;
    PS_TRY(new_expr(kind, &expr, err));
    PS_TRY_OR(fail, ref_args(&arg, 1, expr, err));
    PS_TRY_OR(fail, copy_names(names, n_names, expr, err));
    *out = expr;
    return PS_OK;
fail:
    ps_expr_unref(expr);
    return rc;
}

ps_status ps_expr_cast(ps_expr *arg, const ps_type *type, bool is_try, ps_expr **out, ps_error *err)
{
    PS_TRY(over_one(PS_X_CAST, arg, NULL, 0, out, err));
    (*out)->type = ps_type_ref(type);
    (*out)->is_try = is_try;
    return PS_OK;
}

ps_status ps_expr_alias(ps_expr *arg, const char *const *names, int n_names, const char *metadata, ps_expr **out, ps_error *err)
{
    PS_TRY(over_one(PS_X_ALIAS, arg, names, n_names, out, err));
    if (metadata && ps_strdup(metadata, &(*out)->metadata, err) != PS_OK) {
        ps_expr_unref(*out);
        *out = NULL;
        return PS_E_NO_MEMORY;
    }
    return PS_OK;
}

ps_status ps_expr_sort(ps_expr *arg, bool descending, bool nulls_first, ps_expr **out, ps_error *err)
{
    PS_TRY(over_one(PS_X_SORT, arg, NULL, 0, out, err));
    (*out)->descending = descending;
    (*out)->nulls_first = nulls_first;
    return PS_OK;
}

ps_status ps_expr_lambda(ps_expr *body, const char *const *names, int n_names, ps_expr **out, ps_error *err)
{
    return over_one(PS_X_LAMBDA, body, names, n_names, out, err);
}

/* --- attributes ---------------------------------------------------------------------------------------- */
int64_t ps_attr_new_id(void)
{
    static atomic_llong next;

    return atomic_fetch_add_explicit(&next, 1, memory_order_relaxed);
}

ps_status ps_attr_copy(const ps_attr *from, ps_attr *to, ps_error *err)
{
    ps_status rc;

    *to = *from;
    to->name = NULL;
    to->qualifier = NULL;
    to->n_qualifier = 0;
    to->metadata = NULL;
    to->type = ps_type_ref(from->type);
    PS_TRY_OR(fail, ps_strdup(from->name, &to->name, err));
    if (from->metadata)
        PS_TRY_OR(fail, ps_strdup(from->metadata, &to->metadata, err));
    PS_TRY_OR(fail, ps_attr_qualify(to, (const char *const *)from->qualifier, from->n_qualifier, err));
    return PS_OK;
fail:
    ps_attr_clear(to);
    return rc;
}

static void free_qualifier(ps_attr *attr)
{
    for (int i = 0; i < attr->n_qualifier; i++)
        ps_free(attr->qualifier[i]);
    ps_free(attr->qualifier);
    attr->qualifier = NULL;
    attr->n_qualifier = 0;
}

ps_status ps_attr_qualify(ps_attr *attr, const char *const *parts, int n_parts, ps_error *err)
{
    free_qualifier(attr);
    if (n_parts == 0)
        return PS_OK;
    PS_TRY(ps_alloc0((size_t)n_parts * sizeof *attr->qualifier, &attr->qualifier, err));
    attr->n_qualifier = n_parts;
    for (int i = 0; i < n_parts; i++)
        PS_TRY(ps_strdup(parts[i], &attr->qualifier[i], err));
    return PS_OK;
}

void ps_attr_clear(ps_attr *attr)
{
    free_qualifier(attr);
    ps_free(attr->name);
    ps_free(attr->metadata);
    ps_type_unref(attr->type);
    *attr = (ps_attr){.id = -1, .watermark_ms = -1};
}

ps_status ps_attrs_add(ps_attrs *attrs, const char *name, const ps_type *type, bool nullable, ps_attr **out, ps_error *err)
{
    ps_attr attr = {.id = ps_attr_new_id(), .nullable = nullable, .watermark_ms = -1};

    PS_TRY(ps_grow(&attrs->items, attrs->n, &attrs->capacity, sizeof *attrs->items, err));
    PS_TRY(ps_strdup(name, &attr.name, err));
    attr.type = ps_type_ref(type);
    attrs->items[attrs->n++] = attr;
    if (out)
        *out = &attrs->items[attrs->n - 1];
    return PS_OK;
}

ps_status ps_attrs_add_copy(ps_attrs *attrs, const ps_attr *attr, ps_error *err)
{
    PS_TRY(ps_grow(&attrs->items, attrs->n, &attrs->capacity, sizeof *attrs->items, err));
    PS_TRY(ps_attr_copy(attr, &attrs->items[attrs->n], err));
    attrs->n++;
    return PS_OK;
}

void ps_attrs_clear(ps_attrs *attrs)
{
    for (int i = 0; i < attrs->n; i++)
        ps_attr_clear(&attrs->items[i]);
    ps_free(attrs->items);
    *attrs = (ps_attrs){0};
}

int ps_attrs_find_id(const ps_attrs *attrs, int64_t id)
{
    for (int i = 0; i < attrs->n; i++)
        if (attrs->items[i].id == id)
            return i;
    return -1;
}

/* The event-time mark shows in a schema as metadata. */
static ps_status metadata_of(const ps_attr *attr, char **out, ps_error *err)
{
    const char *own = attr->metadata;
    size_t n = own ? strlen(own) : 0;
    ps_bytes text = {0};

    if (attr->watermark_ms < 0)
        return own ? ps_strdup(own, out, err) : PS_OK;
    PS_TRY(ps_bytes_printf(&text, err, "%.*s%s\"spark.watermarkDelayMs\":%lld}", n > 2 ? (int)n - 1 : 1, n > 2 ? own : "{", n > 2 ? "," : "",
                           (long long)attr->watermark_ms));
    *out = ps_bytes_take(&text);
    return PS_OK;
}

ps_status ps_attrs_type(const ps_attrs *attrs, const ps_type **out, ps_error *err)
{
    ps_field *fields;
    int n = 0;
    ps_status rc = PS_OK;

    *out = NULL;
    PS_TRY(ps_alloc0((size_t)attrs->n * sizeof *fields, &fields, err));
    for (int i = 0; rc == PS_OK && i < attrs->n; i++) {
        const ps_attr *attr = &attrs->items[i];
        if (attr->hidden)
            continue;
        fields[n] = (ps_field){attr->name, attr->type, attr->nullable, NULL};
        rc = metadata_of(attr, &fields[n++].metadata, err);
    }
    if (rc == PS_OK)
        rc = ps_type_struct(fields, n, out, err);
    for (int i = 0; i < n; i++)
        ps_free(fields[i].metadata);
    ps_free(fields);
    return rc;
}
