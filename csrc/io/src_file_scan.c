/*
 * io/src_file_scan.c - files to batches: a slice per file.
 *
 * The format gives the columns that files hold; those that directories spell, and the hidden `_metadata`, are one
 * value for the whole file and are added as constants.  Errors while a file is read become FAILED_READ_FILE.* with the
 * reason behind them, or end the file early when ignoreCorruptFiles or ignoreMissingFiles says so.
 */
#include "base/failpoint.h"
#include "col/build.h"
#include "io/src_file_int.h"

typedef struct file_scan {
    ps_scan scan;
    psi_files *files;
    ps_fs *fs;
    const ps_conf *conf;
    ps_file_list list;
    psi_texts bases;
    bool *wanted;           /* per visible column, then `_metadata` */
    int n_wanted;
    const ps_type *schema;  /* STRUCT: the wanted columns of the files */
    int *place;             /* output position of each of them */
    bool plain;             /* the batches of the format are the batches of the scan */
    bool ignore_missing, ignore_corrupt;
} file_scan;

typedef struct file_cursor {
    ps_cursor cursor;
    file_scan *scan;
    ps_format_args args;    /* the reader borrows it */
    ps_reader *reader;
    ps_vec **constants;     /* per output position: a vector of one row, or NULL */
    ps_vec **values;        /* per field of the partition schema; moved to constants */
    const ps_file_info *file; /* being read, NULL: none */
} file_cursor;

ps_status psi_file_metadata_schema(const ps_type **out, ps_error *err)
{
    static const struct { const char *name; ps_kind kind; } fields[] = {
        {"file_path", PS_STRING}, {"file_name", PS_STRING}, {"file_size", PS_INT64}, {"file_block_start", PS_INT64},
        {"file_block_length", PS_INT64}, {"file_modification_time", PS_TIMESTAMP}};
    ps_field parts[PS_COUNT_OF(fields)], whole = {.name = (char *)"_metadata"};
    ps_status rc;

    for (size_t i = 0; i < PS_COUNT_OF(fields); i++)
        parts[i] = (ps_field){.name = (char *)fields[i].name, .type = ps_type_of(fields[i].kind)};
    PS_TRY(ps_type_struct(parts, (int)PS_COUNT_OF(fields), &whole.type, err));
    rc = ps_type_struct(&whole, 1, out, err);
    ps_type_unref(whole.type);
    return rc;
}

/* --- errors ------------------------------------------------------------------------------------------------ */

/* Errors that have nothing to do with this file. */
static bool is_fatal(ps_status rc, const ps_error *err)
{
    if (strcmp(ps_error_describe(rc)->py_class, "AnalysisException") == 0)
        return true;
    return rc == PS_E_NO_MEMORY || rc == PS_E_CANCELLED || rc == PS_E_FAILPOINT || rc == PS_E_INTERNAL || (err && err->foreign);
}

/* What a failed read of the file becomes: PS_OK when it is to be passed over. */
static ps_status read_failed(file_cursor *self, ps_status rc, ps_error *err)
{
    const file_scan *scan = self->scan;
    char reason[PS_ERROR_TEXT];
    ps_bytes uri = {0};
    ps_status made;

    if (is_fatal(rc, err))
        return rc;
    if (rc == PS_E_FILE_NOT_FOUND ? scan->ignore_missing : scan->ignore_corrupt && rc != PS_E_MALFORMED_RECORD)
        return PS_OK;
    memcpy(reason, err ? err->message : "", err ? strlen(err->message) + 1 : 1);
    made = ps_path_to_uri(self->file->path, true, &uri, err);
    if (made == PS_OK) {
        made = ps_raise(err, rc == PS_E_FILE_NOT_FOUND ? PS_E_READ_FILE_GONE : PS_E_READ_FILE, uri.data);
        if (rc != PS_E_FILE_NOT_FOUND)
            ps_error_append(err, "\nCaused by: %s", reason);
    }
    ps_bytes_clear(&uri);
    return made;
}

/* --- constants ------------------------------------------------------------------------------------------------ */

static void drop_constants(file_cursor *self)
{
    for (int i = 0; i < self->scan->n_wanted; i++) {
        ps_vec_unref(self->constants[i]);
        self->constants[i] = NULL;
    }
}

static ps_status metadata_value(const ps_type *type, const ps_file_info *file, ps_vec **out, ps_error *err)
{
    ps_bytes uri = {0};
    ps_builder *b = NULL;
    const char *name;
    ps_status rc;

    PS_TRY_OR(done, ps_path_to_uri(file->path, true, &uri, err));
    name = ps_path_name(uri.data);
    PS_TRY_OR(done, ps_build_new(type, 1, &b, err));
    PS_TRY_OR(done, ps_build_struct(b, err));
    PS_TRY_OR(done, ps_build_text(ps_build_child(b, 0), uri.data, uri.n_bytes, err));
    PS_TRY_OR(done, ps_build_text(ps_build_child(b, 1), name, strlen(name), err));
    PS_TRY_OR(done, ps_build_int(ps_build_child(b, 2), file->n_bytes, err));
    PS_TRY_OR(done, ps_build_int(ps_build_child(b, 3), 0, err));
    PS_TRY_OR(done, ps_build_int(ps_build_child(b, 4), file->n_bytes, err));
    PS_TRY_OR(done, ps_build_int(ps_build_child(b, 5), file->mtime_ms * 1000, err));
done:
    rc = ps_build_end(b, rc, out, err);
    ps_bytes_clear(&uri);
    return rc;
}

/* The constants of the file; *inside false: it does not belong to the relation. */
static ps_status make_constants(file_cursor *self, bool *inside, ps_error *err)
{
    const file_scan *scan = self->scan;
    const psi_files *files = scan->files;
    int n_visible = files->info.schema->n_fields, n_parts = files->part_schema->n_fields, at = 0;
    ps_status rc = PS_OK;

    drop_constants(self);
    *inside = true;
    if (n_parts > 0) {
        PS_TRY(psi_partition_values(files->part_schema, self->file->path, &scan->bases, scan->conf, files->zone, self->values,
                                    inside, err));
        if (!*inside)
            return PS_OK;
    }
    for (int i = 0; i < n_visible; i++) {
        if (!scan->wanted[i])
            continue;
        if (files->origin[i] < 0)
            self->constants[at] = ps_vec_ref(self->values[~files->origin[i]]);
        at++;
    }
    for (int i = 0; i < n_parts; i++) {
        ps_vec_unref(self->values[i]);
        self->values[i] = NULL;
    }
    if (files->info.hidden && scan->wanted[n_visible])
        rc = metadata_value(files->info.hidden->fields[0].type, self->file, &self->constants[at], err);
    return rc;
}

/* --- the cursor ---------------------------------------------------------------------------------------------------- */

static ps_status make_reader(const file_scan *scan, ps_format_args *args, ps_reader **out, ps_error *err)
{
    *args = (ps_format_args){.schema = scan->schema, .full_schema = scan->files->data_schema, .options = &scan->files->options,
                             .conf = scan->conf, .zone = scan->files->zone};
    return scan->files->format->reader_new(args, out, err);
}

static ps_status cursor_seek(ps_cursor *cursor, int64_t slice, ps_error *err)
{
    file_cursor *self = (file_cursor *)cursor;
    file_scan *scan = self->scan;
    bool inside;
    ps_status rc;

    if (!self->reader)
        PS_TRY(make_reader(scan, &self->args, &self->reader, err));
    self->reader->vt->close(self->reader);
    self->file = &scan->list.items[slice];
    PS_TRY(make_constants(self, &inside, err));
    if (!inside) {
        self->file = NULL;
        return PS_OK;
    }
    PS_TRY(PS_FAILPOINT("source.file.open", err));
    rc = self->reader->vt->open(self->reader, scan->fs, self->file->path, err);
    if (rc != PS_OK) {
        rc = read_failed(self, rc, err);
        self->file = NULL;
    }
    return rc;
}

/* The wanted columns of all kinds, in order.  Takes batch. */
static ps_status assemble(file_cursor *self, ps_batch *batch, ps_batch **out, ps_error *err)
{
    const file_scan *scan = self->scan;
    ps_batch *made = NULL;
    ps_status rc;

    PS_TRY_OR(done, ps_batch_like(batch, scan->n_wanted, &made, err));
    for (int i = 0; i < batch->n_cols; i++)
        made->cols[scan->place[i]] = ps_vec_ref(batch->cols[i]);
    for (int i = 0; i < scan->n_wanted; i++)
        if (self->constants[i])
            PS_TRY_OR(done, ps_vec_repeat(self->constants[i], 0, batch->n_rows, &made->cols[i], err));
    *out = made;
    made = NULL;
    rc = PS_OK;
done:
    ps_batch_unref(made);
    ps_batch_unref(batch);
    return rc;
}

static ps_status cursor_next(ps_cursor *cursor, ps_batch **out, ps_error *err)
{
    file_cursor *self = (file_cursor *)cursor;
    ps_batch *batch = NULL;
    ps_status rc;

    *out = NULL;
    if (!self->file)
        return PS_OK;
    rc = self->reader->vt->next(self->reader, &batch, err);
    if (rc != PS_OK || !batch) {
        if (rc != PS_OK)
            rc = read_failed(self, rc, err);
        self->reader->vt->close(self->reader);
        self->file = NULL;
        return rc;
    }
    if (self->scan->plain)
        *out = batch;
    else
        rc = assemble(self, batch, out, err);
    return rc;
}

static void cursor_free(ps_cursor *cursor)
{
    file_cursor *self = (file_cursor *)cursor;

    if (self->reader)
        self->reader->vt->free(self->reader);
    if (self->constants)
        drop_constants(self);
    for (int i = 0; self->values && i < self->scan->files->part_schema->n_fields; i++)
        ps_vec_unref(self->values[i]);
    ps_free(self->constants);
    ps_free(self->values);
    ps_free(self);
}

static ps_status scan_cursor(ps_scan *scan, ps_cursor **out, ps_error *err)
{
    static const ps_cursor_vt vt = {cursor_seek, cursor_next, cursor_free};
    file_scan *from = (file_scan *)scan;
    file_cursor *self;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_alloc0(sizeof *self, &self, err));
    self->cursor.vt = &vt;
    self->scan = from;
    PS_TRY_OR(fail, ps_alloc0((size_t)(from->n_wanted + 1) * sizeof *self->constants, &self->constants, err));
    PS_TRY_OR(fail, ps_alloc0((size_t)(from->files->part_schema->n_fields + 1) * sizeof *self->values, &self->values, err));
    *out = &self->cursor;
    return PS_OK;
fail:
    cursor_free(&self->cursor);
    return rc;
}

/* --- the scan -------------------------------------------------------------------------------------------------------- */

static void scan_free(ps_scan *scan)
{
    file_scan *self = (file_scan *)scan;

    ps_source_info_unref(&self->files->info);
    ps_file_list_clear(&self->list);
    psi_texts_clear(&self->bases);
    ps_type_unref(self->schema);
    ps_free(self->wanted);
    ps_free(self->place);
    ps_free(self);
}

/* Which of the wanted columns the format gives, and where they go. */
static ps_status plan_columns(file_scan *self, const bool *wanted, ps_error *err)
{
    const psi_files *files = self->files;
    int n_visible = files->info.schema->n_fields, n_data = files->data_schema->n_fields, n = 0;
    int n_all = n_visible + (files->info.hidden ? 1 : 0);
    int *output = NULL; /* per data column: its output position, -1 */
    ps_field *fields = NULL;
    ps_status rc;

    PS_TRY_OR(done, ps_alloc0((size_t)n_all + 1, &self->wanted, err));
    memcpy(self->wanted, wanted, (size_t)n_all * sizeof *wanted);
    PS_TRY_OR(done, ps_alloc((size_t)(n_data + 1) * sizeof *output, &output, err));
    PS_TRY_OR(done, ps_alloc((size_t)(n_data + 1) * sizeof *fields, &fields, err));
    PS_TRY_OR(done, ps_alloc((size_t)(n_data + 1) * sizeof *self->place, &self->place, err));
    memset(output, -1, (size_t)n_data * sizeof *output);
    for (int i = 0; i < n_all; i++) {
        if (wanted[i] && i < n_visible && files->origin[i] >= 0)
            output[files->origin[i]] = self->n_wanted;
        self->n_wanted += wanted[i];
    }
    self->plain = true;
    for (int i = 0; i < n_data; i++) {
        if (output[i] < 0)
            continue;
        self->plain &= output[i] == n;
        self->place[n] = output[i];
        fields[n++] = files->data_schema->fields[i];
    }
    self->plain &= n == self->n_wanted;
    rc = ps_type_struct(fields, n, &self->schema, err);
done:
    ps_free(output);
    ps_free(fields);
    return rc;
}

static ps_status ignore_option(const file_scan *self, const char *option, const char *conf, bool *out, ps_error *err)
{
    return ps_options_bool(&self->files->options, option, ps_conf_bool(self->conf, conf), out, err);
}

/* Options are checked by the reader; a scan without files makes one for that alone. */
static ps_status check_options(const file_scan *self, ps_error *err)
{
    ps_format_args args;
    ps_reader *reader;

    if (self->list.n > 0)
        return PS_OK;
    PS_TRY(make_reader(self, &args, &reader, err));
    reader->vt->free(reader);
    return PS_OK;
}

ps_status psi_file_scan_new(const psi_file_scan_args *args, ps_file_list *list, ps_scan **out, ps_error *err)
{
    static const ps_scan_vt vt = {scan_cursor, scan_free};
    file_scan *self = NULL;
    int n = 0;
    ps_status rc;

    *out = NULL;
    PS_TRY_OR(fail, ps_alloc0(sizeof *self, &self, err));
    self->scan.vt = &vt;
    self->files = args->files;
    ps_source_info_ref(&args->files->info);
    self->fs = args->open->fs;
    self->conf = args->open->conf;
    PS_TRY_OR(fail, plan_columns(self, args->wanted, err));
    PS_TRY_OR(fail, ignore_option(self, "ignoreMissingFiles", "spark.sql.files.ignoreMissingFiles", &self->ignore_missing, err));
    PS_TRY_OR(fail, ignore_option(self, "ignoreCorruptFiles", "spark.sql.files.ignoreCorruptFiles", &self->ignore_corrupt, err));
    for (int i = 0; i < args->bases->n; i++)
        PS_TRY_OR(fail, psi_texts_add(&self->bases, args->bases->items[i], err));
    for (int i = 0; i < list->n; i++) {
        if (list->items[i].n_bytes > 0)
            list->items[n++] = list->items[i];
        else
            ps_free(list->items[i].path);
    }
    list->n = n;
    self->list = *list;
    *list = (ps_file_list){0};
    self->scan.n_slices = n;
    PS_TRY_OR(fail, check_options(self, err));
    *out = &self->scan;
    return PS_OK;
fail:
    ps_file_list_clear(list);
    if (self)
        scan_free(&self->scan);
    return rc;
}
