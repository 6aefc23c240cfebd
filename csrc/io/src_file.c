/*
 * io/src_file.c - describing a relation of files, and reading it as a batch.
 *
 * The schema is fixed here, when load() is called: the user's or an inferred one, with the columns that partition
 * directories spell at the end.  A batch read also fixes the list of files, as Spark does: what comes later is not seen,
 * what goes is missed.
 */
#include "io/src_file_int.h"
#include "io/source_int.h"
#include <stdio.h>

/* --- the schema ---------------------------------------------------------------------------------------------- */

static ps_status nullable_struct(const ps_type *type, const ps_type **out, ps_error *err);

/* The type with everything inside nullable: files promise nothing. */
static ps_status nullable_type(const ps_type *type, const ps_type **out, ps_error *err)
{
    const ps_type *first = NULL, *second = NULL;
    ps_status rc;

    *out = NULL;
    if (type->kind == PS_STRUCT)
        return nullable_struct(type, out, err);
    if (type->kind != PS_ARRAY && type->kind != PS_MAP) {
        *out = ps_type_ref(type);
        return PS_OK;
    }
    PS_TRY_OR(done, nullable_type(type->fields[0].type, &first, err));
    if (type->kind == PS_ARRAY) {
        rc = ps_type_array(first, true, out, err);
        goto done;
    }
    PS_TRY_OR(done, nullable_type(type->fields[1].type, &second, err));
    rc = ps_type_map(first, second, true, out, err);
done:
    ps_type_unref(first);
    ps_type_unref(second);
    return rc;
}

static ps_status nullable_struct(const ps_type *type, const ps_type **out, ps_error *err)
{
    ps_field *fields = NULL;
    int n = 0;
    ps_status rc;

    PS_TRY(ps_alloc((size_t)(type->n_fields + 1) * sizeof *fields, &fields, err));
    for (; n < type->n_fields; n++) {
        fields[n] = type->fields[n];
        fields[n].nullable = true;
        PS_TRY_OR(done, nullable_type(type->fields[n].type, &fields[n].type, err));
    }
    rc = ps_type_struct(fields, n, out, err);
done:
    while (n > 0)
        ps_type_unref(fields[--n].type);
    ps_free(fields);
    return rc;
}

static bool is_text(const psi_files *files) { return strcmp(files->format->name, "text") == 0; }

static ps_status infer_schema(psi_files *files, const ps_source_request *request, const ps_type **out, ps_error *err)
{
    static const char *const text_column = "value";
    static const ps_kind text_kind = PS_STRING;
    ps_format_args args = {.options = &files->options, .conf = request->conf, .zone = files->zone};
    const char **paths = NULL;
    char name[32];
    ps_status rc;

    if (is_text(files))
        return psi_columns(&text_column, &text_kind, 1, out, err);
    snprintf(name, sizeof name, "%s", files->format->name);
    for (char *p = name; *p; p++)
        *p = *p >= 'a' && *p <= 'z' ? (char)(*p - 32) : *p;
    if (!files->format->infer || files->found.n == 0)
        return ps_raise(err, PS_E_UNABLE_TO_INFER, name);
    PS_TRY(ps_alloc((size_t)(files->found.n + 1) * sizeof *paths, &paths, err));
    for (int i = 0; i < files->found.n; i++)
        paths[i] = files->found.items[i].path;
    rc = files->format->infer(&args, request->fs, paths, files->found.n, out, err);
    ps_free(paths);
    return rc;
}

/* The columns of the files: a declared schema without those that directories spell; an inferred one as it is. */
static ps_status set_data_schema(psi_files *files, const ps_type *given, bool declared, bool case_sensitive, ps_error *err)
{
    ps_field *fields = NULL;
    const ps_type *kept = NULL;
    int n = 0;
    ps_status rc;

    PS_TRY(ps_alloc((size_t)(given->n_fields + 1) * sizeof *fields, &fields, err));
    for (int i = 0; i < given->n_fields; i++)
        if (!declared || ps_type_field_index(files->part_schema, given->fields[i].name, case_sensitive) < 0)
            fields[n++] = given->fields[i];
    PS_TRY_OR(done, ps_type_struct(fields, n, &kept, err));
    rc = nullable_struct(kept, &files->data_schema, err);
done:
    ps_type_unref(kept);
    ps_free(fields);
    return rc;
}

/* Names that differ by case alone are one name, unless the session says otherwise. */
static ps_status check_names(const ps_type *schema, bool case_sensitive, ps_error *err)
{
    for (int i = 0; i < schema->n_fields; i++)
        if (ps_type_field_index(schema, schema->fields[i].name, case_sensitive) == -2)
            return ps_raise(err, PS_E_COLUMN_EXISTS, schema->fields[i].name);
    return PS_OK;
}

/* The visible columns: an inferred column that a directory spells too keeps its place but takes the directory's value;
 * the other partition columns follow. */
static ps_status set_visible_schema(psi_files *files, bool case_sensitive, ps_error *err)
{
    const ps_type *data = files->data_schema, *parts = files->part_schema;
    ps_field *fields = NULL;
    bool *placed = NULL;
    int n = 0;
    ps_status rc;

    PS_TRY_OR(done, ps_alloc((size_t)(data->n_fields + parts->n_fields + 1) * sizeof *fields, &fields, err));
    PS_TRY_OR(done, ps_alloc((size_t)(data->n_fields + parts->n_fields + 1) * sizeof *files->origin, &files->origin, err));
    PS_TRY_OR(done, ps_alloc0((size_t)parts->n_fields + 1, &placed, err));
    for (int i = 0; i < data->n_fields; i++) {
        int part = ps_type_field_index(parts, data->fields[i].name, case_sensitive);
        if (part >= 0)
            placed[part] = true;
        files->origin[n] = part >= 0 ? ~part : i;
        fields[n++] = part >= 0 ? parts->fields[part] : data->fields[i];
    }
    for (int i = 0; i < parts->n_fields; i++) {
        if (placed[i])
            continue;
        files->origin[n] = ~i;
        fields[n++] = parts->fields[i];
    }
    PS_TRY_OR(done, check_names(data, case_sensitive, err));
    PS_TRY_OR(done, ps_type_struct(fields, n, &files->info.schema, err));
    if (ps_type_field_index(files->info.schema, "_metadata", case_sensitive) == -1)
        PS_TRY_OR(done, psi_file_metadata_schema(&files->info.hidden, err));
done:
    ps_free(fields);
    ps_free(placed);
    return rc;
}

/* A schema that JSON cannot have is refused at once; all other things a reader checks wait until it reads. */
static ps_status check_json_schema(const psi_files *files, const ps_source_request *request, ps_error *err)
{
    ps_format_args args = {.schema = files->data_schema, .options = &files->options, .conf = request->conf, .zone = files->zone};
    ps_reader *reader = NULL;
    ps_error other;
    ps_status rc;

    if (!request->schema || strcmp(files->format->name, "json") != 0)
        return PS_OK;
    other.code = PS_OK;
    rc = files->format->reader_new(&args, &reader, &other);
    if (rc == PS_OK)
        reader->vt->free(reader);
    if (rc == PS_E_JSON_MAP_KEY && err)
        *err = other;
    return rc == PS_E_JSON_MAP_KEY ? rc : PS_OK;
}

/* A stream whose schema nobody gave. */
static ps_status check_stream_schema(const psi_files *files, const ps_source_request *request, ps_error *err)
{
    if (!files->info.streaming || request->schema || is_text(files) || ps_conf_bool(request->conf, "spark.sql.streaming.schemaInference"))
        return PS_OK;
    return ps_raise(err, PS_E_STREAM_SCHEMA);
}

static ps_status set_schemas(psi_files *files, const ps_source_request *request, const psi_listing *listing, ps_error *err)
{
    bool case_sensitive = ps_conf_bool(request->conf, "spark.sql.caseSensitive");
    const ps_type *parts = NULL, *inferred = NULL;
    ps_status rc;

    if (files->recursive)
        PS_TRY_OR(done, ps_type_struct(NULL, 0, &parts, err));
    else
        PS_TRY_OR(done, psi_partition_schema(&listing->dirs, &listing->bases, request->schema, request->conf, files->zone, &parts, err));
    PS_TRY_OR(done, nullable_struct(parts, &files->part_schema, err));
    PS_TRY_OR(done, check_stream_schema(files, request, err));
    if (!request->schema)
        PS_TRY_OR(done, infer_schema(files, request, &inferred, err));
    PS_TRY_OR(done, set_data_schema(files, request->schema ? request->schema : inferred, request->schema != NULL, case_sensitive, err));
    PS_TRY_OR(done, check_json_schema(files, request, err));
    rc = set_visible_schema(files, case_sensitive, err);
done:
    ps_type_unref(parts);
    ps_type_unref(inferred);
    return rc;
}

/* --- options ---------------------------------------------------------------------------------------------------- */

static ps_status set_paths(psi_files *files, const ps_source_request *request, ps_error *err)
{
    const char *option = ps_options_get(request->options, "path");
    const char *const *paths = request->n_paths > 0 ? request->paths : &option;
    int n = request->n_paths > 0 ? request->n_paths : option != NULL;

    if (n == 0 && request->streaming)
        return ps_raise(err, PS_E_SINK_PATH);
    for (int i = 0; i < n; i++) {
        char *path;
        ps_status rc;
        PS_TRY(ps_path_from_uri(paths[i], &path, err));
        rc = psi_texts_add(&files->paths, path, err);
        ps_free(path);
        PS_TRY(rc);
    }
    return PS_OK;
}

/* YYYY-MM-DDTHH:mm:ss in the reader's zone. */
static ps_status read_bound(const psi_files *files, const char *option, int64_t *ms, ps_error *err)
{
    const char *text = ps_options_get(&files->options, option);
    int64_t us;
    bool has_zone;

    if (!text || files->info.streaming) /* a stream refuses the option when it starts */
        return PS_OK;
    if (strlen(text) != 19 || text[10] != 'T' || !ps_parse_timestamp(ps_slice_of(text), files->zone, &us, &has_zone))
        return ps_raise(err, PS_E_MODIFIED_BOUND, option, text);
    *ms = ps_floor_div(us, 1000);
    return PS_OK;
}

static ps_status read_options(psi_files *files, const ps_source_request *request, ps_error *err)
{
    const char *filter, *base, *recursive, *zone = ps_options_get(request->options, "timeZone");

    PS_TRY(ps_options_copy(request->options, &files->options, err));
    PS_TRY(ps_options_set(&files->options, "path", NULL, err));
    if (!zone)
        zone = ps_conf_get(request->conf, "spark.sql.session.timeZone");
    files->zone = ps_zone_utc();
    if (zone)
        PS_TRY(ps_zone_find(zone, &files->zone, err));
    if ((filter = ps_options_get(&files->options, "pathGlobFilter")) != NULL)
        PS_TRY(psi_glob_braces(filter, &files->name_filter, err));
    if ((recursive = ps_options_get(&files->options, "recursiveFileLookup")) != NULL) {
        files->recursive = ps_stricmp(recursive, "true") == 0;
        if (!files->recursive && ps_stricmp(recursive, "false") != 0)
            return ps_raise(err, PS_E_BOOLEAN_TEXT, recursive);
    }
    if ((base = ps_options_get(&files->options, "basePath")) != NULL)
        PS_TRY(ps_path_from_uri(base, &files->base_path, err));
    PS_TRY(read_bound(files, "modifiedAfter", &files->after_ms, err));
    return read_bound(files, "modifiedBefore", &files->before_ms, err);
}

/* --- the described source ------------------------------------------------------------------------------------------- */

static void info_free(ps_source_info *info)
{
    psi_files *files = (psi_files *)info;

    ps_options_clear(&files->options);
    psi_texts_clear(&files->paths);
    psi_texts_clear(&files->name_filter);
    psi_texts_clear(&files->bases);
    ps_file_list_clear(&files->found);
    ps_type_unref(files->data_schema);
    ps_type_unref(files->part_schema);
    ps_free(files->base_path);
    ps_free(files->origin);
    ps_free(files);
}

static ps_status info_read_all(ps_source_info *info, const ps_source_open_args *args, const bool *wanted, ps_scan **out, ps_error *err)
{
    psi_files *files = (psi_files *)info;
    psi_file_scan_args scan = {.files = files, .open = args, .wanted = wanted, .bases = &files->bases};
    ps_file_list list = {0};
    ps_status rc;

    for (int i = 0; i < files->found.n; i++) {
        ps_file_info file = files->found.items[i];
        PS_TRY_OR(fail, ps_strdup(file.path, &file.path, err));
        if ((rc = PS_PUSH(&list, file, err)) != PS_OK) {
            ps_free(file.path);
            goto fail;
        }
    }
    return psi_file_scan_new(&scan, &list, out, err);
fail:
    ps_file_list_clear(&list);
    return rc;
}

/* Takes what the listing found, for the schema; a batch read keeps it. */
static ps_status look_around(psi_files *files, const ps_source_request *request, ps_error *err)
{
    psi_listing listing = {0};
    ps_status rc;

    PS_TRY_OR(done, psi_files_list(files, request->fs, request->clock, request->conf, true, &listing, err));
    files->found = listing.files;
    listing.files = (ps_file_list){0};
    PS_TRY_OR(done, set_schemas(files, request, &listing, err));
    if (files->info.streaming) {
        ps_file_list_clear(&files->found);
        goto done;
    }
    files->bases = listing.bases;
    listing.bases = (psi_texts){0};
done:
    psi_listing_clear(&listing);
    return rc;
}

ps_status psi_file_describe(const ps_source_request *request, ps_source_info **out, ps_error *err)
{
    static const ps_source_info_vt vt = {psi_file_stream_open, info_read_all, info_free};
    const ps_format *format = ps_format_find(ps_slice_of(request->format));
    psi_files *files;
    ps_status rc;

    *out = NULL;
    if (!format || format->missing)
        return ps_raise(err, PS_E_NOT_BUILT, format ? format->missing : request->format);
    PS_TRY(ps_alloc0(sizeof *files, &files, err));
    files->info = (ps_source_info){.vt = &vt, .streaming = request->streaming};
    ps_refs_init(&files->info.refs);
    files->format = format;
    files->after_ms = INT64_MIN;
    files->before_ms = INT64_MAX;
    PS_TRY_OR(fail, ps_strdup(request->streaming ? "FileStreamSource" : format->name, &files->info.name, err));
    PS_TRY_OR(fail, set_paths(files, request, err));
    PS_TRY_OR(fail, read_options(files, request, err));
    PS_TRY_OR(fail, look_around(files, request, err));
    *out = &files->info;
    return PS_OK;
fail:
    ps_source_info_unref(&files->info);
    return rc;
}
