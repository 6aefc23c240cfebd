/*
 * expr/fn_access.c - parts of values: fields of structs, items of arrays, values of maps; making structs.
 *
 * x.f, x['f'] and x[0] are all getitem calls; what they mean is settled by the type of x (api-sql.md 4.1).
 */
#include "expr/coerce.h"
#include "expr/kernel.h"
#include "col/type_text.h"

/* --- binding ------------------------------------------------------------------------------------------------------------- */
static void *data_of_ordinal(int ordinal) { return (void *)(intptr_t)(ordinal + 1); }
static int ordinal_of(const ps_bound *node) { return (int)(intptr_t)node->fn_data - 1; }

static ps_status raise_not_found(const char *name, const ps_type *type, ps_error *err)
{
    ps_bytes fields = {0}, quoted = {0};
    ps_status rc = ps_bytes_printf(&quoted, err, "`%s`", name);

    for (int i = 0; i < type->n_fields && rc == PS_OK; i++)
        rc = ps_bytes_printf(&fields, err, "%s`%s`", i ? ", " : "", type->fields[i].name);
    if (rc == PS_OK)
        rc = ps_raise(err, PS_E_FIELD_NOT_FOUND, quoted.data, fields.data ? fields.data : "");
    ps_bytes_clear(&fields);
    ps_bytes_clear(&quoted);
    return rc;
}

static ps_status find_field(const ps_fn_call *call, const ps_type *type, const char *name, int *out, ps_error *err)
{
    bool case_sensitive = call->conf && ps_conf_bool(call->conf, "spark.sql.caseSensitive");
    int n = 0;

    *out = ps_type_field_index(type, name, case_sensitive);
    if (*out >= 0)
        return PS_OK;
    if (*out == -1)
        return raise_not_found(name, type, err);
    for (int i = 0; i < type->n_fields; i++)
        n += ps_stricmp(type->fields[i].name, name) == 0;
    return ps_raise(err, PS_E_AMBIGUOUS_FIELDS, name, n);
}

/* The field name when args[1] is a text literal; NULL else; owned. */
static ps_status literal_name(const ps_fn_call *call, char **out, ps_error *err)
{
    const ps_bound *key = call->args[1];
    ps_slice text;

    *out = NULL;
    if (!ps_bound_is_literal(key) || key->type->kind != PS_STRING || ps_vec_is_null(key->value, 0))
        return PS_OK;
    text = ps_str_slice(key->value->data);
    return ps_strndup(text.data, text.n_bytes, out, err);
}

static ps_status bind_struct_field(ps_fn_call *call, const char *name, ps_error *err)
{
    const ps_type *type = call->args[0]->type;
    int at;

    if (!name)
        return ps_raise(err, PS_E_EXTRACT_FIELD, call->args[1]->text ? call->args[1]->text : "");
    PS_TRY(find_field(call, type, name, &at, err));
    call->fn = ps_fn_find(ps_slice_of("getfield"));
    call->data = data_of_ordinal(at);
    call->type = ps_type_ref(type->fields[at].type);
    call->nullable = call->args[0]->nullable || type->fields[at].nullable;
    return PS_OK;
}

/* The field of every element. */
static ps_status bind_array_field(ps_fn_call *call, const char *name, ps_error *err)
{
    const ps_type *element = call->args[0]->type->fields[0].type;
    int at;

    PS_TRY(find_field(call, element, name, &at, err));
    call->fn = ps_fn_find(ps_slice_of("getarrayfield"));
    call->data = data_of_ordinal(at);
    call->nullable = call->args[0]->nullable;
    return ps_type_array(element->fields[at].type, call->args[0]->type->fields[0].nullable || element->fields[at].nullable, &call->type, err);
}

static ps_status bind_map_value(ps_fn_call *call, ps_error *err)
{
    const ps_type *type = call->args[0]->type, *common;
    ps_status rc;

    PS_TRY(psi_meet_types(type->fields[0].type, call->args[1]->type, PSI_MEET_ANY, call->ansi, &common, err));
    if (!common || !ps_type_equal_ignoring_null(common, type->fields[0].type)) {
        char *name = NULL;
        bool text = call->args[1]->type->kind == PS_STRING || call->args[1]->type->kind == PS_NULL ||
                    (ps_kind_is_numeric(call->args[1]->type->kind) && ps_kind_is_numeric(type->fields[0].type->kind)) ||
                    (type->fields[0].type->kind == PS_STRING && !ps_kind_is_nested(call->args[1]->type->kind));
        ps_type_unref(common);
        if (!text) {
            PS_TRY(psi_type_name(type->fields[0].type, &name, err));
            rc = ps_fn_wrong_type(call, 1, name, err);
            ps_free(name);
            return rc;
        }
    } else {
        ps_type_unref(common);
    }
    PS_TRY(ps_fn_cast_arg(call, 1, type->fields[0].type, err));
    call->fn = ps_fn_find(ps_slice_of("getmapvalue"));
    call->type = ps_type_ref(type->fields[1].type);
    call->nullable = true;
    return PS_OK;
}

static ps_status bind_array_item(ps_fn_call *call, ps_error *err)
{
    ps_kind kind = call->args[1]->type->kind;

    if (kind == PS_NULL)
        PS_TRY(ps_fn_cast_arg(call, 1, ps_type_of(PS_INT64), err));
    else if (!ps_kind_is_integer(kind))
        return ps_fn_wrong_type(call, 1, "INTEGRAL", err);
    PS_TRY(ps_fn_cast_arg(call, 1, ps_type_of(PS_INT64), err));
    call->fn = ps_fn_find(ps_slice_of("getarrayitem"));
    call->type = ps_type_ref(call->args[0]->type->fields[0].type);
    call->nullable = true;
    return PS_OK;
}

ps_status psi_bind_getitem(ps_fn_call *call, ps_error *err)
{
    const ps_type *type = call->args[0]->type;
    char *name, *type_name = NULL;
    ps_status rc;

    PS_TRY(literal_name(call, &name, err));
    if (type->kind == PS_STRUCT) {
        rc = bind_struct_field(call, name, err);
    } else if (type->kind == PS_ARRAY && type->fields[0].type->kind == PS_STRUCT && name) {
        rc = bind_array_field(call, name, err);
    } else if (type->kind == PS_ARRAY) {
        rc = bind_array_item(call, err);
    } else if (type->kind == PS_MAP) {
        rc = bind_map_value(call, err);
    } else {
        rc = psi_type_name(type, &type_name, err);
        if (rc == PS_OK)
            rc = ps_raise(err, PS_E_EXTRACT_BASE, call->args[0]->text ? call->args[0]->text : "", type_name);
        ps_free(type_name);
    }
    ps_free(name);
    return rc;
}

ps_status psi_text_field(const ps_fn_call *call, ps_bytes *out, ps_error *err)
{
    return ps_bytes_printf(out, err, "%s.%s", call->args[0]->text, call->args[1]->text);
}

ps_status psi_text_item(const ps_fn_call *call, ps_bytes *out, ps_error *err)
{
    return ps_bytes_printf(out, err, "%s[%s]", call->args[0]->text, call->args[1]->text);
}

/* --- fields ------------------------------------------------------------------------------------------------------------------ */
/* A copy of `child` with the NULLs of its struct; both FLAT over the same rows. */
static ps_status masked(const ps_vec *child, const ps_vec *parent, ps_vec **out, ps_error *err)
{
    size_t n_bytes = (size_t)child->n_rows * ps_type_width(child->type);
    int64_t n_words = (child->n_rows + 63) / 64;
    ps_vec *vec;
    ps_status rc;

    PS_TRY(ps_vec_new(child->type, child->n_rows, true, &vec, err));
    if (n_bytes > 0)
        memcpy(vec->data, child->data, n_bytes);
    PS_TRY_OR(fail, ps_vec_pin_all(vec, child, err));
    for (int i = 0; i < child->n_children; i++)
        PS_TRY_OR(fail, ps_vec_add_child(vec, ps_vec_ref(child->children[i]), err));
    for (int64_t w = 0; w < n_words; w++)
        vec->valid[w] = parent->valid[w] & (child->valid ? child->valid[w] : ~0ull);
    *out = vec;
    return PS_OK;
fail:
    ps_vec_unref(vec);
    return rc;
}

/* Field `at` of a FLAT vector of structs. */
static ps_status field_of_flat(ps_vec *parent, int at, ps_vec **out, ps_error *err)
{
    ps_vec *flat;
    ps_status rc;

    if (!parent->valid) {
        *out = ps_vec_ref(parent->children[at]);
        return PS_OK;
    }
    PS_TRY(ps_vec_flatten(parent->children[at], &flat, err));
    rc = masked(flat, parent, out, err);
    ps_vec_unref(flat);
    return rc;
}

int ps_bound_field(const ps_bound *bound)
{
    return bound->kind == PS_B_CALL && strcmp(bound->fn->name, "getfield") == 0 ? ordinal_of(bound) : -1;
}

PSI_KERNEL(getfield)
{
    ps_vec *vec = run->args[0], *field;
    int at = ordinal_of(run->node);
    ps_status rc;

    if (vec->shape == PS_CONST) {
        if (ps_vec_is_null(vec, 0))
            return ps_vec_null(run->type, run->rows->n_rows, result, err);
        return ps_vec_repeat(vec->children[at], 0, run->rows->n_rows, result, err);
    }
    if (vec->shape == PS_FLAT)
        return field_of_flat(vec, at, result, err);
    PS_TRY(field_of_flat(vec->dict, at, &field, err));
    rc = ps_vec_take(field, vec->index, vec->n_rows, vec->index_buf, result, err);
    ps_vec_unref(field);
    return rc;
}

/* The same spans over the field of the elements. */
PSI_KERNEL(getarrayfield)
{
    ps_vec *flat, *field = NULL, *elements = NULL, *vec = NULL;
    ps_status rc;

    PS_TRY(ps_vec_flatten(run->args[0], &flat, err));
    PS_TRY_OR(done, ps_vec_flatten(flat->children[0], &elements, err));
    PS_TRY_OR(done, field_of_flat(elements, ordinal_of(run->node), &field, err));
    PS_TRY_OR(done, ps_vec_new(run->type, flat->n_rows, flat->valid != NULL, &vec, err));
    memcpy(vec->data, flat->data, (size_t)flat->n_rows * sizeof(ps_span));
    if (flat->valid)
        memcpy(vec->valid, flat->valid, (size_t)(flat->n_rows + 63) / 64 * 8);
    rc = ps_vec_add_child(vec, field, err);
    field = NULL;
    if (rc != PS_OK)
        goto done;
    *result = vec;
    vec = NULL;
done:
    ps_vec_unref(vec);
    ps_vec_unref(field);
    ps_vec_unref(elements);
    ps_vec_unref(flat);
    return rc;
}

/* --- items ---------------------------------------------------------------------------------------------------------------------- */
/* Rows of `values` that were found (-1: NULL), one per live row, as a vector over all rows. */
static ps_status picked(const ps_fn_run *run, ps_vec *values, const int32_t *places, ps_vec **out, ps_error *err)
{
    ps_vec *flat;
    ps_builder *b = NULL;
    ps_status rc;
    bool null = false;
    int64_t j = 0;

    for (int64_t k = 0; k < run->rows->n; k++)
        null |= places[k] < 0;
    if (!null && values->n_rows > 0) { /* no copy: an index into the elements */
        ps_buf *index;
        PS_TRY(ps_buf_new((size_t)run->rows->n_rows * sizeof(int32_t), &index, err));
        memset(index->data, 0, (size_t)run->rows->n_rows * sizeof(int32_t));
        PS_EACH_ROW(run->rows, i)
            ((int32_t *)(void *)index->data)[i] = places[j++];
        rc = ps_vec_take(values, (int32_t *)(void *)index->data, run->rows->n_rows, index, out, err);
        ps_buf_unref(index);
        return rc;
    }
    PS_TRY(ps_vec_flatten(values, &flat, err));
    rc = ps_build_new(run->type, run->rows->n, &b, err);
    for (int64_t k = 0; k < run->rows->n && rc == PS_OK; k++)
        rc = places[k] < 0 || ps_vec_is_null(flat, places[k]) ? ps_build_null(b, err) : ps_build_from(b, flat, places[k], err);
    ps_vec_unref(flat);
    return psi_kernel_built(run, b, rc, out, err);
}

PSI_KERNEL(getarrayitem)
{
    psi_loop loop;
    int32_t *places;
    int64_t j = 0;
    ps_status rc = PS_OK;

    psi_views(run, 2, &loop);
    PS_TRY(ps_alloc((size_t)run->rows->n * sizeof *places, &places, err));
    PS_EACH_ROW(run->rows, i)
    {
        places[j] = -1;
        if (!ps_view_is_null(&loop.views[0], i) && !ps_view_is_null(&loop.views[1], i)) {
            ps_span span = PSI_VALUE(ps_span, 0);
            int64_t at = PSI_VALUE(int64_t, 1);
            if (at >= 0 && at < span.n) {
                places[j] = (int32_t)(span.start + at);
            } else if (run->env->ansi) {
                rc = ps_raise(err, PS_E_INVALID_ARRAY_INDEX, (long long)at, (long long)span.n);
                break;
            }
        }
        j++;
    }
    if (rc == PS_OK)
        rc = picked(run, loop.views[0].base->children[0], places, result, err);
    ps_free(places);
    return rc;
}

PSI_KERNEL(getmapvalue)
{
    psi_loop loop;
    int32_t *places;
    int64_t j = 0;
    ps_status rc;

    psi_views(run, 2, &loop);
    PS_TRY(ps_alloc((size_t)run->rows->n * sizeof *places, &places, err));
    PS_EACH_ROW(run->rows, i)
    {
        places[j] = -1;
        if (!ps_view_is_null(&loop.views[0], i) && !ps_view_is_null(&loop.views[1], i)) {
            ps_span span = PSI_VALUE(ps_span, 0);
            for (uint32_t k = 0; k < span.n && places[j] < 0; k++)
                if (ps_vec_equal_rows(loop.views[0].base->children[0], span.start + k, run->args[1], i))
                    places[j] = (int32_t)(span.start + k);
        }
        j++;
    }
    rc = picked(run, loop.views[0].base->children[1], places, result, err);
    ps_free(places);
    return rc;
}

/* --- structs ------------------------------------------------------------------------------------------------------------------------ */
/* struct(a, b AS c, 1): fields a, c, col3. */
static const char *given_name(const ps_fn_call *call, int arg)
{
    const ps_expr *expr = call->exprs && arg < call->n_given ? call->exprs[arg] : NULL;
    const ps_bound *bound = call->args[arg];

    if (!expr)
        return bound->kind == PS_B_COLUMN ? bound->name : NULL;
    if (expr->kind == PS_X_ALIAS || expr->kind == PS_X_NAME || expr->kind == PS_X_ATTR)
        return expr->names[expr->kind == PS_X_ALIAS ? 0 : expr->n_names - 1];
    if (ps_bound_field(bound) >= 0)
        return bound->args[0]->type->fields[ps_bound_field(bound)].name;
    return NULL;
}

ps_status psi_bind_struct(ps_fn_call *call, ps_error *err)
{
    ps_field *fields = NULL;
    char (*made)[24] = NULL;
    ps_status rc;

    PS_TRY(ps_alloc0((size_t)call->n_args * sizeof *fields, &fields, err));
    PS_TRY_OR(done, ps_alloc0((size_t)call->n_args * sizeof *made, &made, err));
    for (int i = 0; i < call->n_args; i++) {
        const char *name = given_name(call, i);
        int n = 3;
        if (!name) {
            char digits[12];
            int k = 0;
            for (int rest = i + 1; rest > 0; rest /= 10)
                digits[k++] = (char)('0' + rest % 10);
            memcpy(made[i], "col", 3);
            while (k > 0)
                made[i][n++] = digits[--k];
            name = made[i];
        }
        fields[i] = (ps_field){(char *)name, call->args[i]->type, call->args[i]->nullable, NULL};
    }
    rc = ps_type_struct(fields, call->n_args, &call->type, err);
    call->nullable = false;
done:
    ps_free(fields);
    ps_free(made);
    return rc;
}

static ps_status refuse_name(const ps_fn_call *call, int arg, ps_error *err)
{
    ps_bytes text = {0};
    ps_status rc = ps_fn_call_text(call, &text, err);

    if (rc == PS_OK)
        rc = ps_raise(err, PS_E_DT_STRUCT_NAME, text.data, call->args[arg]->text ? call->args[arg]->text : "");
    ps_bytes_clear(&text);
    return rc;
}

ps_status psi_bind_named_struct(ps_fn_call *call, ps_error *err)
{
    int n = call->n_args / 2;
    ps_field *fields = NULL;
    ps_status rc = PS_OK;

    if (call->n_args % 2 != 0)
        return ps_raise(err, PS_E_WRONG_NUM_ARGS, call->name, "2n (n > 0)", call->n_args);
    PS_TRY(ps_alloc0((size_t)n * sizeof *fields, &fields, err));
    for (int i = 0; i < n && rc == PS_OK; i++) {
        char *name = NULL;
        rc = ps_fn_constant_text(call, 2 * i, &name, err);
        if (rc == PS_OK && !name)
            rc = refuse_name(call, 2 * i, err);
        fields[i] = (ps_field){name, call->args[2 * i + 1]->type, call->args[2 * i + 1]->nullable, NULL};
    }
    if (rc == PS_OK)
        rc = ps_type_struct(fields, n, &call->type, err);
    for (int i = 0; i < n; i++)
        ps_free(fields[i].name);
    ps_free(fields);
    call->nullable = false;
    return rc;
}

/* A struct of args[from], args[from + step], ... */
static ps_status struct_of(ps_fn_run *run, int from, int step, ps_vec **out, ps_error *err)
{
    ps_vec *vec;

    PS_TRY(ps_vec_new(run->type, run->rows->n_rows, false, &vec, err));
    for (int i = from; i < run->n_args; i += step) {
        ps_status rc;
        if (run->rows->n_rows != run->args[i]->n_rows) { /* once, for all rows */
            ps_vec *one;
            rc = ps_vec_repeat(run->args[i], 0, run->rows->n_rows, &one, err);
            if (rc == PS_OK)
                rc = ps_vec_add_child(vec, one, err);
        } else {
            rc = ps_vec_add_child(vec, ps_vec_ref(run->args[i]), err);
        }
        if (rc != PS_OK) {
            ps_vec_unref(vec);
            return rc;
        }
    }
    *out = vec;
    return PS_OK;
}

PSI_KERNEL(struct) { return struct_of(run, 0, 1, result, err); }
PSI_KERNEL(named_struct) { return struct_of(run, 1, 2, result, err); }
