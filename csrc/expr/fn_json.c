/* expr/fn_json.c - from_json, from_csv, to_json, schema_of_json: the formats of files, over values. */
#include "expr/fn_json.h"
#include "col/type_text.h"
#include "expr/bound.h"
#include "expr/fn_args.h"
#include "expr/fn_int.h"

/* --- what a call was made with ---------------------------------------------------------------------------------------------- */
typedef struct format_call {
    const ps_type *schema; /* of the values read, or written */
    const ps_type *narrow; /* the fields of schema that are read (ps_bound.fields), when not all of them are; else NULL */
    ps_options options;
} format_call;

void psi_free_format(void *data);
void psi_free_format(void *data)
{
    format_call *made = data;

    if (!made)
        return;
    ps_type_unref(made->schema);
    ps_type_unref(made->narrow);
    ps_options_clear(&made->options);
    ps_free(made);
}

void psi_free_format_scratch(void *data);
void psi_free_format_scratch(void *data)
{
    psi_format_scratch *scratch = data;

    if (scratch->reader)
        scratch->reader->vt->free(scratch->reader);
    ps_json_writer_free(scratch->writer);
}

/* Options are a constant map of texts. */
static ps_status read_options(ps_fn_call *call, int arg, ps_options *options, ps_error *err)
{
    char key[256], value[1024];
    ps_vec *constant;
    ps_view maps, keys, values;
    ps_status rc = PS_OK;

    if (arg >= call->n_args)
        return PS_OK;
    if (call->args[arg]->type->kind != PS_MAP)
        return ps_fn_wrong_type(call, arg, "MAP", err);
    PS_TRY(ps_fn_constant(call, arg, &constant, err));
    ps_view_init(&maps, constant);
    ps_span span = ps_view_is_null(&maps, 0) ? (ps_span){0, 0} : ((const ps_span *)maps.data)[ps_at(&maps, 0)];
    ps_view_init(&keys, maps.base->children[0]);
    ps_view_init(&values, maps.base->children[1]);
    for (int64_t k = span.start; k < (int64_t)span.start + span.n && rc == PS_OK; k++) {
        ps_slice name, text;
        if (ps_view_is_null(&values, k) || maps.base->children[1]->type->kind != PS_STRING)
            continue;
        name = psi_text_at(&keys, k);
        text = psi_text_at(&values, k);
        if (name.n_bytes >= sizeof key || text.n_bytes >= sizeof value)
            continue;
        memcpy(key, name.data, name.n_bytes);
        key[name.n_bytes] = 0;
        memcpy(value, text.data, text.n_bytes);
        value[text.n_bytes] = 0;
        rc = ps_options_set(options, key, value, err);
    }
    ps_vec_unref(constant);
    return rc;
}

static ps_status new_format_call(ps_fn_call *call, int options_arg, format_call **out, ps_error *err)
{
    PS_TRY(ps_alloc0(sizeof **out, out, err));
    call->data = *out; /* ended with the call, also when binding fails */
    return read_options(call, options_arg, &(*out)->options, err);
}

/* --- schemas -------------------------------------------------------------------------------------------------------------------- */
/* Whatever a schema says, a value that was read may be NULL at any depth. */
static ps_status all_nullable(const ps_type *type, const ps_type **out, ps_error *err)
{
    ps_field *fields = NULL;
    const ps_type *parts[2] = {NULL, NULL};
    ps_status rc = PS_OK;

    *out = NULL;
    if (type->kind == PS_ARRAY || type->kind == PS_MAP) {
        for (int i = 0; i < type->n_fields && rc == PS_OK; i++)
            rc = all_nullable(type->fields[i].type, &parts[i], err);
        if (rc == PS_OK)
            rc = type->kind == PS_ARRAY ? ps_type_array(parts[0], true, out, err) : ps_type_map(parts[0], parts[1], true, out, err);
        ps_type_unref(parts[0]);
        ps_type_unref(parts[1]);
        return rc;
    }
    if (type->kind != PS_STRUCT) {
        *out = ps_type_ref(type);
        return PS_OK;
    }
    PS_TRY(ps_alloc0((size_t)(type->n_fields + 1) * sizeof *fields, &fields, err));
    for (int i = 0; i < type->n_fields && rc == PS_OK; i++) {
        fields[i] = (ps_field){type->fields[i].name, NULL, true, type->fields[i].metadata};
        rc = all_nullable(type->fields[i].type, &fields[i].type, err);
    }
    if (rc == PS_OK)
        rc = ps_type_struct(fields, type->n_fields, out, err);
    for (int i = 0; i < type->n_fields; i++)
        ps_type_unref(fields[i].type);
    ps_free(fields);
    return rc;
}

/* The JSON of a type, a type, or the columns of a table. */
static ps_status parse_schema(const char *text, const ps_type **out, ps_error *err)
{
    ps_slice slice = ps_slice_of(text);
    ps_status rc;

    if (*text == '{' || *text == '"')
        return ps_type_from_json(slice, out, err);
    rc = ps_type_parse(slice, out, err);
    if (rc == PS_OK || rc == PS_E_NO_MEMORY)
        return rc;
    rc = ps_schema_parse(slice, out, NULL);
    if (rc == PS_E_NO_MEMORY)
        return ps_raise(err, rc, slice.n_bytes);
    return rc == PS_OK ? rc : ps_type_parse(slice, out, err); /* for its error */
}

static ps_status schema_arg(ps_fn_call *call, int arg, const ps_type **out, ps_error *err)
{
    const ps_type *parsed = NULL;
    char *text = NULL;
    ps_status rc;

    rc = call->args[arg]->type->kind == PS_STRING ? ps_fn_constant_text(call, arg, &text, err) : PS_OK;
    if (rc == PS_E_NO_MEMORY)
        return rc;
    if (rc != PS_OK || !text)
        return ps_raise(err, PS_E_SCHEMA_NOT_LITERAL, call->args[arg]->text ? call->args[arg]->text : "");
    rc = parse_schema(text, &parsed, err);
    ps_free(text);
    if (rc == PS_OK)
        rc = all_nullable(parsed, out, err);
    ps_type_unref(parsed);
    return rc;
}

static ps_status refuse_type(const ps_fn_call *call, const ps_type *type, ps_error *err)
{
    ps_bytes text = {0}, name = {0};
    ps_status rc = ps_fn_call_text(call, &text, err);

    if (rc == PS_OK)
        rc = ps_type_sql_text(type, &name, err);
    if (rc == PS_OK)
        rc = ps_raise(err, PS_E_DT_JSON_SCHEMA, text.data, name.data);
    ps_bytes_clear(&text);
    ps_bytes_clear(&name);
    return rc;
}

/* --- from_json, from_csv ------------------------------------------------------------------------------------------------------------ */
static ps_status bind_from(ps_fn_call *call, bool only_structs, ps_error *err)
{
    format_call *made;
    const char *mode;

    if (call->args[0]->type->kind != PS_STRING && call->args[0]->type->kind != PS_NULL)
        return ps_fn_wrong_type(call, 0, "STRING", err);
    PS_TRY(ps_fn_cast_arg(call, 0, ps_type_of(PS_STRING), err));
    PS_TRY(new_format_call(call, 2, &made, err));
    PS_TRY(schema_arg(call, 1, &made->schema, err));
    if (made->schema->kind != PS_STRUCT && (only_structs || (made->schema->kind != PS_ARRAY && made->schema->kind != PS_MAP)))
        return refuse_type(call, made->schema, err);
    mode = ps_options_get(&made->options, "mode");
    if (mode && ps_stricmp(mode, "DROPMALFORMED") == 0)
        return ps_raise(err, PS_E_PARSE_MODE, call->name, mode);
    call->type = ps_type_ref(made->schema);
    call->nullable = true;
    return PS_OK;
}
ps_status psi_bind_from_json(ps_fn_call *call, ps_error *err);
ps_status psi_bind_from_json(ps_fn_call *call, ps_error *err) { return bind_from(call, false, err); }
ps_status psi_bind_from_csv(ps_fn_call *call, ps_error *err);
ps_status psi_bind_from_csv(ps_fn_call *call, ps_error *err) { return bind_from(call, true, err); }

PSI_KERNEL(from_json);

/* --- reading only some fields ------------------------------------------------------------------------------------------------- */

/* With options, or a column for the text of bad records, fields that are not read could show in those that are. */
static bool may_narrow(const ps_bound *bound)
{
    const format_call *made = bound->fn_data;

    return bound->kind == PS_B_CALL && bound->fn->run == psi_from_json && made->schema->kind == PS_STRUCT && made->schema->n_fields < 63 &&
           made->options.n == 0 && !made->narrow && ps_type_field_index(made->schema, "_corrupt_record", false) == -1;
}

static ps_status narrow_type(const ps_type *schema, uint64_t fields, const ps_type **out, ps_error *err)
{
    ps_field *kept = NULL;
    int n = 0;
    ps_status rc;

    PS_TRY(ps_alloc((size_t)schema->n_fields * sizeof *kept, &kept, err));
    for (int i = 0; i < schema->n_fields; i++)
        if (fields >> i & 1)
            kept[n++] = schema->fields[i];
    rc = ps_type_struct(kept, n, out, err);
    ps_free(kept);
    return rc;
}

ps_status ps_bound_narrow(ps_bound *bound, uint64_t fields, ps_bound **out, ps_error *err)
{
    const format_call *from = bound->fn_data;
    format_call *made = NULL;
    ps_bound *copy = NULL;
    ps_status rc;

    *out = NULL;
    if (!may_narrow(bound)) {
        *out = ps_bound_ref(bound);
        return PS_OK;
    }
    PS_TRY_OR(fail, ps_alloc0(sizeof *made, &made, err));
    made->schema = ps_type_ref(from->schema);
    PS_TRY_OR(fail, narrow_type(from->schema, fields, &made->narrow, err));
    PS_TRY_OR(fail, psi_bound_copy(bound, NULL, &copy, err));
    ps_bound_unref(copy->data_of);
    copy->data_of = NULL;
    copy->fn_data = made;
    copy->fields = fields;
    *out = copy;
    return PS_OK;
fail:
    psi_free_format(made);
    return rc;
}

/* A struct of the fields that were read (FLAT), as one of all fields. */
static ps_status widen(const ps_bound *bound, const ps_vec *narrow, ps_vec **out, ps_error *err)
{
    const ps_type *schema = ((const format_call *)bound->fn_data)->schema;
    ps_vec *vec = NULL, *child;
    ps_status rc;
    int at = 0;

    PS_TRY(ps_vec_new(schema, narrow->n_rows, narrow->valid != NULL, &vec, err));
    if (narrow->valid)
        memcpy(vec->valid, narrow->valid, (size_t)(narrow->n_rows + 63) / 64 * 8);
    for (int i = 0; i < schema->n_fields; i++) {
        if (bound->fields >> i & 1)
            child = ps_vec_ref(narrow->children[at++]);
        else
            PS_TRY_OR(fail, ps_vec_null(schema->fields[i].type, narrow->n_rows, &child, err));
        PS_TRY_OR(fail, ps_vec_add_child(vec, child, err));
    }
    *out = vec;
    return PS_OK;
fail:
    ps_vec_unref(vec);
    return rc;
}

/* The same for what a reader gives, FLAT or rows of it; takes `narrow`. */
static ps_status widen_any(const ps_bound *bound, ps_vec *narrow, ps_vec **out, ps_error *err)
{
    ps_vec *wide = NULL;
    ps_status rc;

    if (narrow->shape == PS_FLAT)
        rc = widen(bound, narrow, out, err);
    else if ((rc = widen(bound, narrow->dict, &wide, err)) == PS_OK)
        rc = ps_vec_take(wide, narrow->index, narrow->n_rows, narrow->index_buf, out, err);
    ps_vec_unref(wide);
    ps_vec_unref(narrow);
    return rc;
}

static ps_status parse_values(ps_fn_run *run, const char *format_name, ps_vec **out, ps_error *err)
{
    const format_call *made = run->node->fn_data;
    const ps_format *format = ps_format_find(ps_slice_of(format_name));
    psi_format_scratch *scratch = run->scratch;
    ps_vec *narrow = NULL;

    if (!scratch->reader) {
        const ps_type *read = made->narrow ? made->narrow : made->schema;

        scratch->args = (ps_format_args){read, made->schema, &made->options, run->env->conf, run->env->zone};
        PS_TRY(format->reader_new(&scratch->args, &scratch->reader, err));
    }
    if (!made->narrow)
        return scratch->reader->vt->parse(scratch->reader, run->args[0], run->rows, out, err);
    PS_TRY(scratch->reader->vt->parse(scratch->reader, run->args[0], run->rows, &narrow, err));
    return widen_any(run->node, narrow, out, err);
}
PSI_KERNEL(from_json) { return parse_values(run, "json", result, err); }
PSI_KERNEL(from_csv) { return parse_values(run, "csv", result, err); }

/* A map is shown by the name that Spark gives it inside. */
ps_status psi_text_from_json(const ps_fn_call *call, ps_bytes *out, ps_error *err);
ps_status psi_text_from_json(const ps_fn_call *call, ps_bytes *out, ps_error *err)
{
    if (call->type && call->type->kind == PS_MAP)
        return ps_bytes_text(out, "entries", err);
    return ps_bytes_printf(out, err, "%s(%s)", call->name, call->args[0]->text ? call->args[0]->text : "");
}

/* --- to_json ---------------------------------------------------------------------------------------------------------------------------- */
ps_status psi_bind_to_json(ps_fn_call *call, ps_error *err);
ps_status psi_bind_to_json(ps_fn_call *call, ps_error *err)
{
    const ps_type *type = call->args[0]->type;
    format_call *made;

    PS_TRY(new_format_call(call, 1, &made, err));
    made->schema = ps_type_ref(type);
    return type->kind >= PS_ARRAY || type->kind == PS_NULL ? PS_OK : refuse_type(call, type, err);
}

static ps_status json_row(const ps_fn_run *run, const ps_view *views, int64_t i, ps_bytes *text, ps_error *err)
{
    PS_UNUSED(views);
    return ps_json_write_value(((psi_format_scratch *)run->scratch)->writer, i, text, err);
}

PSI_KERNEL(to_json)
{
    const format_call *made = run->node->fn_data;
    psi_format_scratch *scratch = run->scratch;

    if (run->args[0]->type->kind == PS_NULL)
        return ps_vec_null(run->type, run->rows->n_rows, result, err);
    if (!scratch->writer) {
        scratch->args = (ps_format_args){made->schema, NULL, &made->options, run->env->conf, run->env->zone};
        PS_TRY(ps_json_writer_new(&scratch->args, &scratch->writer, err));
    }
    PS_TRY(ps_json_writer_bind(scratch->writer, run->args[0], err));
    return psi_kernel_texts(run, 1, json_row, result, err);
}

/* --- schema_of_json ------------------------------------------------------------------------------------------------------------------------ */
ps_status psi_bind_schema_of_json(ps_fn_call *call, ps_error *err);
ps_status psi_bind_schema_of_json(ps_fn_call *call, ps_error *err)
{
    format_call *made;

    return new_format_call(call, 1, &made, err);
}

PS_KERNEL_TEXT_1(schema_of_json, ps_str)
{
    const format_call *made = run->node->fn_data;
    ps_format_args args = {NULL, NULL, &made->options, run->env->conf, run->env->zone};
    const ps_type *type;
    ps_status rc;

    PS_TRY(ps_json_schema_of(&args, ps_str_slice(&x), &type, err));
    rc = ps_type_sql_text(type, out, err);
    ps_type_unref(type);
    return rc;
}
