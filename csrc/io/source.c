/*
 * io/source.c - the table of sources, and what their families share.
 */
#include "io/source_int.h"
#include "base/nearest.h"

#define PS_SOURCE(name, batch, streaming, describe, missing) &(const ps_source_row){name, batch, streaming, describe, missing},
static const ps_source_row *const rows[] = {
#include "io/sources.def"
};
#undef PS_SOURCE

const ps_source_row *ps_source_find(ps_slice name)
{
    for (size_t i = 0; i < PS_COUNT_OF(rows); i++)
        if (ps_slice_equal_nocase(name, ps_slice_of(rows[i]->name)))
            return rows[i];
    return NULL;
}

ps_status psi_not_found(const char *name, ps_error *err)
{
    ps_nearest nearest = {.wrong = name, .limit = 2};
    ps_status rc;

    for (size_t i = 0; i < PS_COUNT_OF(rows); i++)
        ps_nearest_offer(&nearest, rows[i]->name);
    rc = ps_raise(err, PS_E_DATA_SOURCE_NOT_FOUND, name);
    if (nearest.name)
        ps_error_append(err, "\nDid you mean '%s'?", nearest.name);
    return rc;
}

/* CHAR(n) or VARCHAR(n) anywhere in the type. */
static bool has_sized_text(const ps_type *type)
{
    if (type->kind == PS_STRING && type->length > 0)
        return true;
    for (int i = 0; i < type->n_fields; i++)
        if (has_sized_text(type->fields[i].type))
            return true;
    return false;
}

ps_status ps_source_describe(const ps_source_request *request, ps_source_info **out, ps_error *err)
{
    const ps_source_row *row = ps_source_find(ps_slice_of(request->format));

    *out = NULL;
    if (request->schema && has_sized_text(request->schema))
        return ps_raise(err, PS_E_CHAR_AS_STRING);
    if (!row)
        return psi_not_found(request->format, err);
    if (request->streaming && !row->streaming)
        return ps_raise(err, PS_E_NOT_STREAMED, row->name, "reading");
    if (!request->streaming && !row->batch)
        return ps_raise(err, PS_E_NOT_A_SOURCE, row->name);
    if (row->missing)
        return ps_raise(err, PS_E_NOT_BUILT, row->missing);
    return row->describe(request, out, err);
}

ps_source_info *ps_source_info_ref(ps_source_info *info)
{
    if (info)
        ps_refs_inc(&info->refs);
    return info;
}

void ps_source_info_unref(ps_source_info *info)
{
    if (!info || !ps_refs_dec(&info->refs))
        return;
    ps_free(info->name);
    ps_type_unref(info->schema);
    ps_type_unref(info->hidden);
    info->vt->free(info);
}

/* --- shared by the families ------------------------------------------------------------------------------- */

ps_status psi_info_init(ps_source_info *info, const ps_source_info_vt *vt, const char *name, const ps_type *schema, ps_error *err)
{
    ps_refs_init(&info->refs);
    info->vt = vt;
    info->schema = schema;
    info->streaming = true;
    return ps_strdup(name, &info->name, err);
}

ps_status psi_columns(const char *const *names, const ps_kind *kinds, int n, const ps_type **out, ps_error *err)
{
    ps_field fields[4];

    ps_assert(n <= 4);
    for (int i = 0; i < n; i++)
        fields[i] = (ps_field){.name = (char *)names[i], .type = ps_type_of(kinds[i]), .nullable = true};
    return ps_type_struct(fields, n, out, err);
}

ps_status psi_refuse_schema(const ps_source_request *request, const char *provider, ps_error *err)
{
    return request->schema ? ps_raise(err, PS_E_USER_SCHEMA, provider) : PS_OK;
}

ps_status psi_option_long(const ps_options *options, const char *key, int64_t fallback, int64_t *out, ps_error *err)
{
    const char *text = ps_options_get(options, key);

    *out = fallback;
    if (text && !ps_parse_int(text, out))
        return ps_raise(err, PS_E_NUMBER_TEXT, text);
    return PS_OK;
}

ps_status psi_offset_integer(const char *text, int64_t none, const char *source, int64_t *out, ps_error *err)
{
    *out = none;
    if (text && (!ps_parse_int(text, out) || *out == INT64_MAX)) /* sources count on from it */
        return ps_raise(err, PS_E_OFFSET_TEXT, text, source);
    return PS_OK;
}

ps_status psi_integer_text(int64_t value, char **out, ps_error *err)
{
    ps_bytes text = {0};

    PS_TRY(ps_bytes_printf(&text, err, "%lld", (long long)value));
    *out = ps_bytes_take(&text);
    return PS_OK;
}

ps_status psi_integer_canonical(ps_source *source, const char *text, char **out, ps_error *err)
{
    int64_t value;

    PS_UNUSED(source);
    *out = NULL;
    PS_TRY(psi_offset_integer(text, 0, "stream", &value, err));
    return psi_integer_text(value, out, err);
}
