/* expr/fn_call.c - what bind rules do to a call: casts, constants, names, complaints. */
#include "expr/bound.h"
#include "expr/coerce.h"
#include "expr/fn_int.h"
#include "col/type_text.h"
#include <stdio.h>

/* --- arguments ------------------------------------------------------------------------------------------------- */
ps_status ps_fn_cast_arg(ps_fn_call *call, int arg, const ps_type *type, ps_error *err)
{
    ps_bound *cast;

    PS_TRY(psi_bound_cast_implicit(call->args[arg], type, call->conf, &cast, err));
    if (cast->nullable)
        call->nullable = true;
    ps_bound_unref(call->args[arg]);
    call->args[arg] = cast;
    return PS_OK;
}

ps_status ps_fn_add_arg(ps_fn_call *call, ps_bound *arg, ps_error *err)
{
    ps_status rc = ps_realloc((size_t)(call->n_args + 1) * sizeof *call->args, &call->args, err);

    if (rc != PS_OK) {
        ps_bound_unref(arg);
        return rc;
    }
    call->args[call->n_args++] = arg;
    return PS_OK;
}

ps_status psi_fn_add_built(ps_fn_call *call, ps_builder *b, ps_status rc, ps_error *err)
{
    ps_bound *bound;

    PS_TRY(psi_built_literal(b, rc, &bound, err));
    return ps_fn_add_arg(call, bound, err);
}

ps_status ps_fn_add_int(ps_fn_call *call, int32_t value, ps_error *err)
{
    ps_builder *b;

    PS_TRY(ps_build_new(ps_type_of(PS_INT32), 1, &b, err));
    return psi_fn_add_built(call, b, ps_build_int(b, value, err), err);
}

ps_status ps_fn_add_text(ps_fn_call *call, const char *value, ps_error *err)
{
    ps_builder *b;

    PS_TRY(ps_build_new(ps_type_of(PS_STRING), 1, &b, err));
    return psi_fn_add_built(call, b, ps_build_text(b, value, strlen(value), err), err);
}

/* --- one type for several ---------------------------------------------------------------------------------------- */
static ps_status raise_diff(const ps_fn_call *call, const int *args, int n, int first, ps_error *err)
{
    ps_bytes text = {0}, types = {0};
    ps_status rc = ps_fn_call_text(call, &text, err);

    for (int i = 0; i < n && rc == PS_OK; i++) {
        rc = ps_bytes_text(&types, i ? ", \"" : "\"", err);
        if (rc == PS_OK)
            rc = ps_type_sql_text(call->args[args ? args[i] : first + i]->type, &types, err);
        if (rc == PS_OK)
            rc = ps_bytes_char(&types, '"', err);
    }
    if (rc == PS_OK)
        rc = ps_raise(err, PS_E_DT_DATA_DIFF, text.data, call->name, types.data ? types.data : "");
    ps_bytes_clear(&text);
    ps_bytes_clear(&types);
    return rc;
}

ps_status psi_fn_share_type(ps_fn_call *call, const int *args, int n, int first, bool no_text, ps_error *err)
{
    const ps_type *common = NULL;
    ps_status rc = PS_OK;

    for (int i = 0; i < n && rc == PS_OK; i++) {
        const ps_type *own = call->args[args ? args[i] : first + i]->type, *wider;
        if (!common) {
            common = ps_type_ref(own);
            continue;
        }
        rc = psi_meet_types(common, own, no_text ? PSI_MEET_NO_TEXT : PSI_MEET_ANY, call->ansi, &wider, err);
        if (rc == PS_OK && !wider)
            rc = raise_diff(call, args, n, first, err);
        ps_type_unref(common);
        common = rc == PS_OK ? wider : NULL;
    }
    for (int i = 0; i < n && rc == PS_OK && common; i++)
        rc = ps_fn_cast_arg(call, args ? args[i] : first + i, common, err);
    ps_type_unref(common);
    return rc;
}

ps_status ps_fn_same_type(ps_fn_call *call, int from, int to, ps_error *err)
{
    return psi_fn_share_type(call, NULL, to - from, from, false, err);
}

ps_status psi_type_of_word(ps_slice word, const ps_type **out, ps_error *err)
{
    return ps_type_parse(word, out, err);
}

ps_status ps_fn_redirect(ps_fn_call *call, const char *name, ps_error *err)
{
    call->fn = psi_fn_lookup(ps_slice_of(name), &call->name);
    ps_assert(call->fn);
    call->nullable = false;
    for (int i = 0; i < call->n_args; i++)
        call->nullable |= call->args[i] && call->args[i]->nullable;
    PS_TRY(psi_fn_sign(call, err));
    return call->fn->bind(call, err);
}

/* --- constants ----------------------------------------------------------------------------------------------------- */
ps_status ps_fn_constant(ps_fn_call *call, int arg, ps_vec **out, ps_error *err)
{
    ps_eval_env env = {psi_conf_zone(call->conf), call->ansi, 0, 0, 0, call->conf};
    ps_bound *bound = call->args[arg];
    ps_bytes text = {0};
    char *type = NULL;
    ps_status rc;

    *out = NULL;
    if (psi_bound_is_constant(bound))
        return ps_eval_constant(bound, &env, out, err);
    PS_TRY_OR(done, ps_fn_call_text(call, &text, err));
    PS_TRY_OR(done, psi_type_name(bound->type, &type, err));
    rc = ps_raise(err, PS_E_DT_NON_FOLDABLE, text.data, bound->text ? bound->text : "", type, bound->text ? bound->text : "");
done:
    ps_bytes_clear(&text);
    ps_free(type);
    return rc;
}

ps_status ps_fn_constant_int(ps_fn_call *call, int arg, int64_t *out, bool *is_null, ps_error *err)
{
    ps_vec *value;
    ps_view view;

    *out = 0;
    PS_TRY(ps_fn_constant(call, arg, &value, err));
    ps_view_init(&view, value);
    *is_null = value->type->kind == PS_NULL || ps_view_is_null(&view, 0);
    if (!*is_null) {
        int64_t at = ps_at(&view, 0);
        switch (ps_type_width(value->type)) {
        case 1:
            *out = ((const int8_t *)view.data)[at];
            break;
        case 2:
            *out = ((const int16_t *)view.data)[at];
            break;
        case 4:
            *out = ((const int32_t *)view.data)[at];
            break;
        case 8:
            *out = ((const int64_t *)view.data)[at];
            break;
        default:
            break;
        }
    }
    ps_vec_unref(value);
    return PS_OK;
}

ps_status ps_fn_constant_text(ps_fn_call *call, int arg, char **out, ps_error *err)
{
    ps_vec *value;
    ps_view view;
    ps_status rc = PS_OK;

    *out = NULL;
    PS_TRY(ps_fn_constant(call, arg, &value, err));
    ps_view_init(&view, value);
    if (ps_kind_is_text(value->type->kind) && !ps_view_is_null(&view, 0)) {
        const ps_str *s = &((const ps_str *)view.data)[ps_at(&view, 0)];
        rc = ps_strndup(ps_str_data(s), s->n_bytes, out, err);
    }
    ps_vec_unref(value);
    return rc;
}

/* --- texts ----------------------------------------------------------------------------------------------------------- */
static const char *text_of(const ps_bound *arg)
{
    return arg && arg->text ? arg->text : "";
}

static ps_status infix_text(const ps_fn_call *call, ps_bytes *out, ps_error *err)
{
    if (call->n_args == 1)
        return ps_bytes_printf(out, err, "(%s %s)", call->name, text_of(call->args[0]));
    return ps_bytes_printf(out, err, "(%s %s %s)", text_of(call->args[0]), call->name, text_of(call->args[1]));
}

ps_status psi_call_text(const ps_fn_call *call, ps_bytes *out, ps_error *err)
{
    int n = call->fn->flags & PS_FN_TEXT_FIRST && call->n_args > 1 ? 1 : call->n_args;

    if (call->fn->flags & PS_FN_INFIX)
        return infix_text(call, out, err);
    for (const char *p = call->name; *p; p++) {
        bool upper = call->fn->flags & PS_FN_UPPER && call->name == call->fn->name && *p >= 'a' && *p <= 'z';
        PS_TRY(ps_bytes_char(out, upper ? (char)(*p - 32) : *p, err));
    }
    PS_TRY(ps_bytes_text(out, call->distinct ? "(DISTINCT " : "(", err));
    for (int i = 0; i < n; i++)
        PS_TRY(ps_bytes_printf(out, err, "%s%s", i ? ", " : "", text_of(call->args[i])));
    return ps_bytes_char(out, ')', err);
}

ps_status ps_fn_call_text(const ps_fn_call *call, ps_bytes *out, ps_error *err)
{
    if (call->text)
        return ps_bytes_text(out, call->text, err);
    return call->fn->text ? call->fn->text(call, out, err) : psi_call_text(call, out, err);
}

ps_status ps_fn_wrong_type(const ps_fn_call *call, int arg, const char *required, ps_error *err)
{
    static const char *const ordinals[] = {"first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"};
    ps_bytes text = {0}, quoted = {0};
    char *type = NULL, ordinal[24];
    ps_status rc;

    if (arg < 10)
        snprintf(ordinal, sizeof ordinal, "%s", ordinals[arg]);
    else
        snprintf(ordinal, sizeof ordinal, "%dth", arg + 1);
    PS_TRY_OR(done, ps_fn_call_text(call, &text, err));
    PS_TRY_OR(done, psi_type_name(call->args[arg]->type, &type, err));
    PS_TRY_OR(done, ps_bytes_printf(&quoted, err, strstr(required, "\" or \"") ? "(\"%s\")" : "\"%s\"", required));
    rc = ps_raise(err, PS_E_DT_UNEXPECTED_INPUT, text.data, ordinal, quoted.data, text_of(call->args[arg]), type);
done:
    ps_bytes_clear(&text);
    ps_bytes_clear(&quoted);
    ps_free(type);
    return rc;
}
