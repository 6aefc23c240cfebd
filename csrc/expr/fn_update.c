/*
 * expr/fn_update.c - withField and dropFields: a struct with one field more, changed or less.
 *
 * They become IF(s IS NULL, NULL, named_struct(...)) over the fields of s, deeper for a dotted path.
 */
#include "expr/bound.h"
#include "expr/coerce.h"
#include "expr/kernel.h"

typedef struct update {
    const ps_conf *conf;
    ps_bound *value; /* NULL: the field is dropped */
} update;

static ps_status updated(ps_bound *base, const char *path, const update *how, ps_bound **out, ps_error *err);

/* args[n], args[n + 1] = name, value (taken); */
static ps_status add_pair(ps_bound **args, int *n, const char *name, size_t n_name, ps_bound *value, ps_error *err)
{
    ps_status rc = psi_text_literal((ps_slice){name, n_name}, &args[*n], err);

    if (rc != PS_OK) {
        ps_bound_unref(value);
        return rc;
    }
    args[*n + 1] = value;
    *n += 2;
    return PS_OK;
}

static ps_status field_of(ps_bound *base, const ps_field *field, const ps_conf *conf, ps_bound **out, ps_error *err)
{
    ps_bound *pair[2] = {base, NULL};
    ps_status rc;

    PS_TRY(psi_text_literal(ps_slice_of(field->name), &pair[1], err));
    rc = ps_bound_call("getitem", pair, 2, conf, out, err);
    ps_bound_unref(pair[1]);
    return rc;
}

/* The pairs of the new struct. */
static ps_status fill_pairs(ps_bound *base, const char *path, const update *how, ps_bound **args, int *n, ps_error *err)
{
    const char *dot = strchr(path, '.');
    size_t n_name = dot ? (size_t)(dot - path) : strlen(path);
    bool found = false;

    for (int i = 0; i < base->type->n_fields; i++) {
        const ps_field *field = &base->type->fields[i];
        bool same = ps_slice_equal_nocase(ps_slice_of(field->name), (ps_slice){path, n_name});
        ps_bound *value = NULL, *inner;
        found |= same;
        if (same && !dot && !how->value)
            continue;
        if (same && !dot) {
            value = ps_bound_ref(how->value);
        } else {
            PS_TRY(field_of(base, field, how->conf, &value, err));
            if (same) {
                ps_status rc = updated(value, dot + 1, how, &inner, err);
                ps_bound_unref(value);
                PS_TRY(rc);
                value = inner;
            }
        }
        PS_TRY(add_pair(args, n, field->name, strlen(field->name), value, err));
    }
    if (found || !how->value)
        return PS_OK;
    if (dot)
        return ps_raise(err, PS_E_FIELD_NOT_FOUND, path, "");
    return add_pair(args, n, path, n_name, ps_bound_ref(how->value), err);
}

/* IF(base IS NULL, NULL, made); takes made. */
static ps_status null_kept(ps_bound *base, ps_bound *made, const ps_conf *conf, ps_bound **out, ps_error *err)
{
    ps_bound *args[3] = {NULL, NULL, made};
    ps_vec *null;
    ps_status rc = ps_bound_call("isnull", &base, 1, conf, &args[0], err);

    if (rc == PS_OK)
        rc = ps_vec_null(made->type, 1, &null, err);
    if (rc == PS_OK) {
        rc = ps_bound_literal(null, &args[1], err);
        ps_vec_unref(null);
    }
    if (rc == PS_OK)
        rc = ps_bound_call("if", args, 3, conf, out, err);
    for (int i = 0; i < 3; i++)
        ps_bound_unref(args[i]);
    return rc;
}

static ps_status updated(ps_bound *base, const char *path, const update *how, ps_bound **out, ps_error *err)
{
    ps_bound **args = NULL, *made = NULL;
    int n = 0;
    ps_status rc;

    *out = NULL;
    if (base->type->kind != PS_STRUCT)
        return ps_raise(err, PS_E_EXTRACT_BASE, base->text ? base->text : "", "a value that is no struct");
    PS_TRY(ps_alloc0((size_t)(base->type->n_fields + 1) * 2 * sizeof *args, &args, err));
    rc = fill_pairs(base, path, how, args, &n, err);
    if (rc == PS_OK && n == 0)
        rc = ps_raise(err, PS_E_CANNOT_DROP_ALL_FIELDS, base->text ? base->text : "");
    if (rc == PS_OK)
        rc = ps_bound_call("named_struct", args, n, how->conf, &made, err);
    for (int i = 0; i < n; i++)
        ps_bound_unref(args[i]);
    ps_free(args);
    PS_TRY(rc);
    if (base->nullable)
        return null_kept(base, made, how->conf, out, err);
    *out = made;
    return PS_OK;
}

/* The call hands on what it was turned into. */
static ps_status hand_on(ps_fn_call *call, ps_bound *made, ps_error *err)
{
    ps_bytes text = {0};
    ps_status rc = ps_fn_call_text(call, &text, err);

    if (rc == PS_OK)
        call->text = ps_bytes_take(&text);
    ps_bytes_clear(&text);
    for (int i = 0; i < call->n_args; i++)
        ps_bound_unref(call->args[i]);
    call->args[0] = made;
    call->n_args = 1;
    call->fn = ps_fn_find(ps_slice_of("+"));
    call->type = ps_type_ref(made->type);
    call->nullable = made->nullable;
    return rc;
}

ps_status psi_bind_update_fields(ps_fn_call *call, ps_error *err)
{
    const update how = {call->conf, call->args[2]};
    char *path;
    ps_bound *made;
    ps_status rc;

    if (call->args[0]->type->kind != PS_STRUCT)
        return ps_fn_wrong_type(call, 0, "STRUCT", err);
    PS_TRY(ps_fn_constant_text(call, 1, &path, err));
    rc = updated(call->args[0], path ? path : "", &how, &made, err);
    ps_free(path);
    return rc == PS_OK ? hand_on(call, made, err) : rc;
}

ps_status psi_bind_drop_fields(ps_fn_call *call, ps_error *err)
{
    const update how = {call->conf, NULL};
    ps_bound *made = ps_bound_ref(call->args[0]);
    ps_status rc = PS_OK;

    if (made->type->kind != PS_STRUCT)
        rc = ps_fn_wrong_type(call, 0, "STRUCT", err);
    for (int i = 1; i < call->n_args && rc == PS_OK; i++) {
        char *path;
        ps_bound *next = NULL;
        rc = ps_fn_constant_text(call, i, &path, err);
        if (rc == PS_OK)
            rc = updated(made, path ? path : "", &how, &next, err);
        ps_free(path);
        if (rc == PS_OK) {
            ps_bound_unref(made);
            made = next;
        }
    }
    if (rc == PS_OK)
        return hand_on(call, made, err);
    ps_bound_unref(made);
    return rc;
}

ps_status psi_text_update_fields(const ps_fn_call *call, ps_bytes *out, ps_error *err)
{
    return ps_bytes_printf(out, err, "update_fields(%s, WithField(%s))", call->args[0]->text, call->args[2]->text);
}

ps_status psi_text_drop_fields(const ps_fn_call *call, ps_bytes *out, ps_error *err)
{
    PS_TRY(ps_bytes_printf(out, err, "update_fields(%s", call->args[0]->text));
    for (int i = 1; i < call->n_args; i++)
        PS_TRY(ps_bytes_text(out, ", dropfield()", err));
    return ps_bytes_char(out, ')', err);
}
