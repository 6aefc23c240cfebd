/* expr/fn_map.c - functions of maps, and arrays of structs. */
#include "col/text.h"
#include "col/type_text.h"
#include "expr/fn_int.h"
#include "expr/picks.h"
#include "expr/regex.h"

/* --- building: every map goes through here, so that keys are neither NULL nor doubled ------------------------------------ */
typedef struct entry {
    const ps_vec *keys, *values;
    int64_t key, value;
} entry;
typedef struct entries {
    entry *items;
    int n, capacity;
} entries;

static ps_status add_entry(entries *list, const ps_vec *keys, int64_t key, const ps_vec *values, int64_t value,
                           const ps_eval_env *env, ps_error *err)
{
    ps_bytes text = {0};
    ps_status rc;

    if (ps_vec_is_null(keys, key))
        return ps_raise(err, PS_E_NULL_MAP_KEY);
    for (int k = 0; k < list->n; k++) {
        entry *old = &list->items[k];
        if (!ps_vec_equal_rows(old->keys, old->key, keys, key))
            continue;
        if (env->conf && strcmp(ps_conf_get(env->conf, "spark.sql.mapKeyDedupPolicy"), "LAST_WIN") == 0) {
            old->values = values;
            old->value = value;
            return PS_OK;
        }
        rc = ps_text_of_value(keys, key, env->zone, &text, err);
        if (rc == PS_OK)
            rc = ps_raise(err, PS_E_DUPLICATED_MAP_KEY, (int)text.n_bytes, text.data ? text.data : "");
        ps_bytes_clear(&text);
        return rc;
    }
    return PS_PUSH(list, ((entry){keys, values, key, value}), err);
}

static ps_status build_entries(ps_builder *b, const entries *list, ps_error *err)
{
    PS_TRY(ps_build_list(b, (uint32_t)list->n, err));
    for (int k = 0; k < list->n; k++) {
        PS_TRY(ps_build_from(ps_build_child(b, 0), list->items[k].keys, list->items[k].key, err));
        PS_TRY(ps_build_from(ps_build_child(b, 1), list->items[k].values, list->items[k].value, err));
    }
    return PS_OK;
}

/* A kernel that makes a map per row: `rule` fills the entries, or says NULL. */
typedef ps_status (*map_rule)(const ps_fn_run *run, const ps_view *views, int64_t i, entries *list, bool *null, ps_error *err);

static ps_status make_maps(ps_fn_run *run, map_rule rule, ps_vec **out, ps_error *err)
{
    entries list = {0};
    ps_builder *b = NULL;
    ps_view *views;
    ps_status rc;

    PS_TRY(psi_arg_views(run, &views, err));
    PS_TRY_OR(done, ps_build_new(run->type, run->rows->n, &b, err));
    PS_EACH_ROW(run->rows, i) {
        bool null = false;
        list.n = 0;
        PS_TRY_OR(done, rule(run, views, i, &list, &null, err));
        PS_TRY_OR(done, null ? ps_build_null(b, err) : build_entries(b, &list, err));
    }
done:
    ps_free(list.items);
    ps_free(views);
    return psi_kernel_built(run, b, rc, out, err);
}

static bool holds_map(const ps_type *type)
{
    bool found = type->kind == PS_MAP;

    for (int i = 0; i < type->n_fields; i++)
        found |= holds_map(type->fields[i].type);
    return found;
}

/* map<key, value> for call->type; maps are no keys. */
static ps_status set_map_type(ps_fn_call *call, const ps_type *key, const ps_type *value, bool nullable, ps_error *err)
{
    ps_bytes text = {0};
    ps_status rc;

    if (!holds_map(key))
        return ps_type_map(key, value, nullable, &call->type, err);
    rc = ps_fn_call_text(call, &text, err);
    if (rc == PS_OK)
        rc = ps_raise(err, PS_E_DT_MAP_KEY, text.data, ps_type_name(key));
    ps_bytes_clear(&text);
    return rc;
}

/* --- map(key, value, ...) --------------------------------------------------------------------------------------------------- */
ps_status psi_bind_map(ps_fn_call *call, ps_error *err);
ps_status psi_bind_map(ps_fn_call *call, ps_error *err)
{
    int places[2][64];
    bool nullable = false;
    int n = call->n_args / 2;

    if (call->n_args % 2 != 0 || n > 64)
        return ps_raise(err, PS_E_WRONG_NUM_ARGS, call->name, "2n (n > 0)", call->n_args);
    for (int i = 0; i < n; i++) {
        places[0][i] = 2 * i;
        places[1][i] = 2 * i + 1;
    }
    if (n > 0) {
        PS_TRY(psi_fn_share_type(call, places[0], n, 0, false, err));
        PS_TRY(psi_fn_share_type(call, places[1], n, 0, false, err));
    }
    for (int i = 0; i < n; i++)
        nullable |= call->args[2 * i + 1]->nullable;
    return set_map_type(call, n ? call->args[0]->type : ps_type_of(PS_NULL), n ? call->args[1]->type : ps_type_of(PS_NULL), nullable, err);
}

static ps_status map_row(const ps_fn_run *run, const ps_view *views, int64_t i, entries *list, bool *null, ps_error *err)
{
    PS_UNUSED(views);
    PS_UNUSED(null);
    for (int k = 0; k + 1 < run->n_args; k += 2)
        PS_TRY(add_entry(list, run->args[k], i, run->args[k + 1], i, run->env, err));
    return PS_OK;
}
PSI_KERNEL(map) { return make_maps(run, map_row, result, err); }

/* --- map_from_arrays, map_from_entries, map_concat ---------------------------------------------------------------------------- */
ps_status psi_bind_map_from_arrays(ps_fn_call *call, ps_error *err);
ps_status psi_bind_map_from_arrays(ps_fn_call *call, ps_error *err)
{
    for (int i = 0; i < 2; i++)
        if (call->args[i]->type->kind != PS_ARRAY)
            return ps_fn_wrong_type(call, i, "ARRAY", err);
    return set_map_type(call, call->args[0]->type->fields[0].type, call->args[1]->type->fields[0].type,
                        call->args[1]->type->fields[0].nullable, err);
}

static ps_status arrays_row(const ps_fn_run *run, const ps_view *views, int64_t i, entries *list, bool *null, ps_error *err)
{
    ps_span keys, values;

    *null = ps_view_is_null(&views[0], i) || ps_view_is_null(&views[1], i);
    if (*null)
        return PS_OK;
    keys = psi_span_at(&views[0], i);
    values = psi_span_at(&views[1], i);
    if (keys.n != values.n)
        return ps_raise(err, PS_E_MAP_SIZES);
    for (uint32_t k = 0; k < keys.n; k++)
        PS_TRY(add_entry(list, psi_elements(&views[0]), (int64_t)keys.start + k, psi_elements(&views[1]), (int64_t)values.start + k, run->env, err));
    return PS_OK;
}
PSI_KERNEL(map_from_arrays) { return make_maps(run, arrays_row, result, err); }

ps_status psi_bind_map_from_entries(ps_fn_call *call, ps_error *err);
ps_status psi_bind_map_from_entries(ps_fn_call *call, ps_error *err)
{
    const ps_type *type = call->args[0]->type, *item = type->kind == PS_ARRAY ? type->fields[0].type : type;

    if (type->kind != PS_ARRAY || item->kind != PS_STRUCT || item->n_fields != 2)
        return ps_fn_wrong_type(call, 0, "ARRAY OF pair STRUCT", err);
    call->nullable |= type->fields[0].nullable;
    return set_map_type(call, item->fields[0].type, item->fields[1].type, item->fields[1].nullable, err);
}

static ps_status pairs_row(const ps_fn_run *run, const ps_view *views, int64_t i, entries *list, bool *null, ps_error *err)
{
    ps_view pairs;
    ps_span span;

    *null = ps_view_is_null(&views[0], i);
    if (*null)
        return PS_OK;
    span = psi_span_at(&views[0], i);
    ps_view_init(&pairs, psi_elements(&views[0]));
    for (int64_t k = span.start; k < (int64_t)span.start + span.n; k++)
        *null |= ps_view_is_null(&pairs, k);
    for (int64_t k = span.start; k < (int64_t)span.start + span.n && !*null; k++) {
        int64_t at = ps_at(&pairs, k);
        PS_TRY(add_entry(list, pairs.base->children[0], at, pairs.base->children[1], at, run->env, err));
    }
    return PS_OK;
}
PSI_KERNEL(map_from_entries) { return make_maps(run, pairs_row, result, err); }

ps_status psi_bind_map_concat(ps_fn_call *call, ps_error *err);
ps_status psi_bind_map_concat(ps_fn_call *call, ps_error *err)
{
    if (call->n_args == 0)
        return ps_type_map(ps_type_of(PS_STRING), ps_type_of(PS_STRING), false, &call->type, err);
    for (int i = 0; i < call->n_args; i++)
        if (call->args[i]->type->kind != PS_MAP)
            return ps_fn_wrong_type(call, i, "MAP", err);
    PS_TRY(ps_fn_same_type(call, 0, call->n_args, err));
    call->type = ps_type_ref(call->args[0]->type);
    return PS_OK;
}

static ps_status concat_row(const ps_fn_run *run, const ps_view *views, int64_t i, entries *list, bool *null, ps_error *err)
{
    for (int k = 0; k < run->n_args; k++)
        *null |= ps_view_is_null(&views[k], i);
    for (int k = 0; k < run->n_args && !*null; k++) {
        ps_span span = psi_span_at(&views[k], i);
        for (int64_t j = span.start; j < (int64_t)span.start + span.n; j++)
            PS_TRY(add_entry(list, views[k].base->children[0], j, views[k].base->children[1], j, run->env, err));
    }
    return PS_OK;
}
PSI_KERNEL(map_concat) { return make_maps(run, concat_row, result, err); }

/* --- taking maps apart ------------------------------------------------------------------------------------------------------------ */
ps_status psi_bind_map_part(ps_fn_call *call, ps_error *err);
ps_status psi_bind_map_part(ps_fn_call *call, ps_error *err)
{
    const ps_type *type = call->args[0]->type;
    int part = strcmp(call->fn->name, "map_values") == 0;

    if (type->kind != PS_MAP)
        return ps_fn_wrong_type(call, 0, "MAP", err);
    return psi_set_array_type(call, type->fields[part].type, part && type->fields[1].nullable, err);
}

/* The same spans over the keys, the values, or structs of both. */
static ps_status map_part(ps_fn_run *run, int part, ps_vec **out, ps_error *err)
{
    ps_vec *flat = NULL, *vec = NULL, *child;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_vec_flatten(run->args[0], &flat, err));
    PS_TRY_OR(fail, ps_vec_new(run->type, flat->n_rows, flat->valid != NULL, &vec, err));
    if (flat->n_rows > 0)
        memcpy(vec->data, flat->data, (size_t)flat->n_rows * sizeof(ps_span));
    if (flat->valid)
        memcpy(vec->valid, flat->valid, (size_t)(flat->n_rows + 63) / 64 * 8);
    if (part < 2) {
        PS_TRY_OR(fail, ps_vec_add_child(vec, ps_vec_ref(flat->children[part]), err));
    } else {
        PS_TRY_OR(fail, ps_vec_new(run->type->fields[0].type, flat->children[0]->n_rows, false, &child, err));
        PS_TRY_OR(fail, ps_vec_add_child(vec, child, err));
        for (int k = 0; k < 2; k++)
            PS_TRY_OR(fail, ps_vec_add_child(child, ps_vec_ref(flat->children[k]), err));
    }
    ps_vec_unref(flat);
    *out = vec;
    return PS_OK;
fail:
    ps_vec_unref(flat);
    ps_vec_unref(vec);
    return rc;
}
PSI_KERNEL(map_keys) { return map_part(run, 0, result, err); }
PSI_KERNEL(map_values) { return map_part(run, 1, result, err); }
PSI_KERNEL(map_entries) { return map_part(run, 2, result, err); }

ps_status psi_bind_map_entries(ps_fn_call *call, ps_error *err);
ps_status psi_bind_map_entries(ps_fn_call *call, ps_error *err)
{
    const ps_type *type = call->args[0]->type, *pair;
    ps_field fields[2];
    ps_status rc;

    if (type->kind != PS_MAP)
        return ps_fn_wrong_type(call, 0, "MAP", err);
    fields[0] = (ps_field){(char *)"key", type->fields[0].type, false, NULL};
    fields[1] = (ps_field){(char *)"value", type->fields[1].type, type->fields[1].nullable, NULL};
    PS_TRY(ps_type_struct(fields, 2, &pair, err));
    rc = psi_set_array_type(call, pair, false, err);
    ps_type_unref(pair);
    return rc;
}

ps_status psi_bind_map_contains_key(ps_fn_call *call, ps_error *err);
ps_status psi_bind_map_contains_key(ps_fn_call *call, ps_error *err)
{
    ps_bytes text = {0};
    ps_status rc;

    if (call->args[0]->type->kind != PS_MAP)
        return ps_fn_wrong_type(call, 0, "MAP", err);
    if (call->args[1]->type->kind != PS_NULL)
        return ps_fn_cast_arg(call, 1, call->args[0]->type->fields[0].type, err);
    rc = ps_fn_call_text(call, &text, err);
    if (rc == PS_OK)
        rc = ps_raise(err, PS_E_DT_NULL_TYPE, text.data, call->name);
    ps_bytes_clear(&text);
    return rc;
}

PSI_KERNEL(map_contains_key)
{
    ps_view view;
    ps_vec *vec;

    ps_view_init(&view, run->args[0]);
    PS_TRY(ps_vec_new(run->type, run->rows->n_rows, true, &vec, err));
    PS_EACH_ROW(run->rows, i) {
        bool found = false, null = ps_view_is_null(&view, i) || ps_vec_is_null(run->args[1], i);
        ps_span span = null ? (ps_span){0, 0} : psi_span_at(&view, i);
        for (int64_t k = span.start; k < (int64_t)span.start + span.n && !found; k++)
            found = ps_vec_equal_rows(view.base->children[0], k, run->args[1], i);
        ((uint8_t *)vec->data)[i] = found;
        if (null)
            ps_bit_clear(vec->valid, i);
    }
    *result = vec;
    return PS_OK;
}

/* --- str_to_map(text, pair pattern, key pattern) ------------------------------------------------------------------------------------ */
typedef struct psi_two_patterns { psi_regex pairs, keys; } psi_two_patterns;

void psi_free_two_patterns(void *scratch);
void psi_free_two_patterns(void *scratch)
{
    psi_regex_clear(&((psi_two_patterns *)scratch)->pairs);
    psi_regex_clear(&((psi_two_patterns *)scratch)->keys);
}

/* The key ends at the first match of the second pattern; without one the value is NULL. */
static ps_status add_pair(psi_regex *keys, ps_builder *b, ps_slice pair, ps_error *err)
{
    bool found = false;

    PS_TRY(psi_regex_find(keys, pair, 0, &found, err));
    PS_TRY(ps_build_text(ps_build_child(b, 0), pair.data, found ? keys->spans[0] : pair.n_bytes, err));
    if (!found)
        return ps_build_null(ps_build_child(b, 1), err);
    return ps_build_text(ps_build_child(b, 1), pair.data + keys->spans[1], pair.n_bytes - keys->spans[1], err);
}

PS_KERNEL_BUILD_3(str_to_map, ps_str, ps_str, ps_str)
{
    psi_two_patterns *patterns = run->scratch;
    ps_slice text = ps_str_slice(&x);
    size_t from = 0, at = 0;
    bool found = true;

    PS_TRY(psi_regex_prepare(&patterns->pairs, ps_str_slice(&y), "str_to_map", err));
    PS_TRY(psi_regex_prepare(&patterns->keys, ps_str_slice(&z), "str_to_map", err));
    PS_TRY(ps_build_list(out, 0, err));
    while (at != SIZE_MAX) {
        PS_TRY(psi_regex_find(&patterns->pairs, text, at, &found, err));
        if (!found)
            break;
        at = psi_regex_next(&patterns->pairs, text);
        if (patterns->pairs.spans[1] == 0)
            continue;
        PS_TRY(add_pair(&patterns->keys, out, psi_slice_from(text, from, patterns->pairs.spans[0]), err));
        from = patterns->pairs.spans[1];
    }
    PS_TRY(add_pair(&patterns->keys, out, psi_slice_from(text, from, text.n_bytes), err));
    ps_build_list_end(out);
    return PS_OK;
}

/* --- arrays_zip ------------------------------------------------------------------------------------------------------------------------ */
static const char *zip_name(const ps_fn_call *call, int i, char *number)
{
    const ps_bound *arg = call->args[i];
    const ps_expr *expr = call->exprs && i < call->n_given ? call->exprs[i] : NULL;

    if (expr && (expr->kind == PS_X_NAME || expr->kind == PS_X_ALIAS || expr->kind == PS_X_ATTR) && expr->n_names > 0)
        return expr->names[expr->n_names - 1];
    if (arg->kind == PS_B_COLUMN && arg->name)
        return arg->name;
    number[ps_format_int64(i, number)] = 0;
    return number;
}

ps_status psi_bind_arrays_zip(ps_fn_call *call, ps_error *err);
ps_status psi_bind_arrays_zip(ps_fn_call *call, ps_error *err)
{
    char numbers[64][PS_NUMBER_TEXT];
    ps_field fields[64];
    const ps_type *item;
    ps_status rc;

    if (call->n_args > 64)
        return ps_raise(err, PS_E_WRONG_NUM_ARGS, call->name, "[0, 64]", call->n_args);
    for (int i = 0; i < call->n_args; i++) {
        if (call->args[i]->type->kind != PS_ARRAY)
            return ps_fn_wrong_type(call, i, "ARRAY", err);
        fields[i] = (ps_field){(char *)zip_name(call, i, numbers[i]), call->args[i]->type->fields[0].type, true, NULL};
    }
    PS_TRY(ps_type_struct(fields, call->n_args, &item, err));
    rc = psi_set_array_type(call, item, false, err);
    ps_type_unref(item);
    return rc;
}

static ps_status zip_row(const ps_fn_run *run, const ps_view *views, int64_t i, ps_builder *b, ps_error *err)
{
    ps_builder *item = ps_build_child(b, 0);
    uint32_t n = 0;

    for (int k = 0; k < run->n_args; k++)
        n = psi_span_at(&views[k], i).n > n ? psi_span_at(&views[k], i).n : n;
    PS_TRY(ps_build_list(b, n, err));
    for (uint32_t j = 0; j < n; j++) {
        PS_TRY(ps_build_struct(item, err));
        for (int k = 0; k < run->n_args; k++) {
            ps_span span = psi_span_at(&views[k], i);
            PS_TRY(j < span.n ? ps_build_from(ps_build_child(item, k), psi_elements(&views[k]), (int64_t)span.start + j, err)
                              : ps_build_null(ps_build_child(item, k), err));
        }
    }
    return PS_OK;
}

PSI_KERNEL(arrays_zip) { return psi_kernel_values(run, run->n_args, zip_row, result, err); }
