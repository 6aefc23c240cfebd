/*
 * io/sink_file_output.c - batches to files: one per directory of partitions and batch.
 *
 * Bytes gather in memory and go to a file in large pieces; a file is made with its first piece, so thousands of small
 * partitions need no thousands of open files, and only so many files are open at once: what does not get one waits in
 * memory for the end of the batch.
 */
#include "base/failpoint.h"
#include "base/hash.h"
#include "base/map.h"
#include "col/text.h"
#include "fmt/format.h"
#include "fmt/stream.h"
#include "io/sink_int.h"
#include <stdio.h>

#define PIECE_BYTES ((size_t)1 << 20)
#define MAX_OPEN_FILES 128
#define NULL_NAME "__HIVE_DEFAULT_PARTITION__"

typedef struct output {
    char *dir;        /* below the top, "" for none; owned */
    int counter;      /* of files, when maxRecordsPerFile splits them */
    ps_writer *writer;
    ps_packer *packer;
    ps_bytes raw, packed;
    ps_file *file;    /* NULL: not made yet */
    int64_t n_rows;   /* in the file */
} output;

struct psi_outputs {
    psi_outputs_args args;
    const ps_format *format;
    ps_format_args format_args;
    const ps_type *data_schema; /* STRUCT: without the partition columns */
    int *data_columns;          /* their places in a batch */
    int *part_columns;          /* per partition column */
    const char *codec;
    int64_t max_rows;           /* of a file; 0: no limit */
    char *dir, *final_dir;
    char uuid[37];              /* in the names of all files of a batch */
    ps_map by_dir;              /* -> output */
    output **items;
    int n, capacity, n_open;
    psi_written_list written;
};

/* --- names ------------------------------------------------------------------------------------------------- */

static bool needs_escape(unsigned char c) { return c < 0x20 || c == 0x7F || (c < 0x80 && strchr("\"#%'*/:=?\\{[]^", c) != NULL); }

static ps_status escape_name(ps_slice text, ps_bytes *out, ps_error *err)
{
    for (size_t i = 0; i < text.n_bytes; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c != 0 && needs_escape(c))
            PS_TRY(ps_bytes_printf(out, err, "%%%02X", c));
        else
            PS_TRY(ps_bytes_char(out, (char)(c ? c : '?'), err)); /* no file name can hold a NUL */
    }
    return PS_OK;
}

ps_status psi_partition_dir(const char *name, const ps_vec *vec, int64_t row, const ps_zone *zone, ps_bytes *out, ps_error *err)
{
    ps_bytes text = {0};
    ps_status rc;

    PS_TRY_OR(done, escape_name(ps_slice_of(name), out, err));
    PS_TRY_OR(done, ps_bytes_char(out, '=', err));
    if (!ps_vec_is_null(vec, row))
        PS_TRY_OR(done, ps_text_of_value(vec, row, zone, &text, err));
    rc = text.n_bytes > 0 ? escape_name(ps_bytes_slice(&text), out, err) : ps_bytes_text(out, NULL_NAME, err);
done:
    ps_bytes_clear(&text);
    return rc;
}

/* <top>/<dir>/part-00000-<uuid>-c000.json.gz; a dot before the counter when there are partitions. */
static ps_status file_path(const psi_outputs *self, const output *out, const char *top, char **path, ps_error *err)
{
    bool partitioned = self->args.n_partition_by > 0;
    ps_bytes text = {0};
    ps_status rc;

    *path = NULL;
    PS_TRY_OR(fail, ps_bytes_printf(&text, err, "%s/%s%spart-00000-%s%sc%03d%s%s", top, out->dir, partitioned ? "/" : "", self->uuid,
                                    partitioned ? "." : "-", out->counter, self->format->extension, ps_packer_extension(out->packer)));
    *path = ps_bytes_take(&text);
    return PS_OK;
fail:
    ps_bytes_clear(&text);
    return rc;
}

/* --- one output ------------------------------------------------------------------------------------------------- */

static void output_free(output *out)
{
    if (out->writer)
        out->writer->vt->free(out->writer);
    ps_packer_free(out->packer);
    ps_bytes_clear(&out->raw);
    ps_bytes_clear(&out->packed);
    ps_file_close(out->file, NULL);
    ps_free(out->dir);
    ps_free(out);
}

static void written_clear(psi_written_list *list)
{
    for (int i = 0; i < list->n; i++) {
        ps_free(list->items[i].path);
        ps_free(list->items[i].final_path);
    }
    ps_free(list->items);
    *list = (psi_written_list){0};
}

/* The next file of an output begins, in memory. */
static ps_status start_file(psi_outputs *self, output *out, ps_error *err)
{
    out->n_rows = 0;
    PS_TRY(ps_packer_new(self->codec, &out->packer, err));
    PS_TRY(self->format->writer_new(&self->format_args, &out->writer, err));
    return out->writer->vt->begin(out->writer, &out->raw, err);
}

/* Notes the paths of the output's file. */
static ps_status name_file(psi_outputs *self, output *out, ps_error *err)
{
    psi_written item = {0};
    ps_status rc;

    PS_TRY_OR(fail, file_path(self, out, self->dir, &item.path, err));
    PS_TRY_OR(fail, file_path(self, out, self->final_dir, &item.final_path, err));
    PS_TRY_OR(fail, PS_PUSH(&self->written, item, err));
    return PS_OK;
fail:
    ps_free(item.path);
    ps_free(item.final_path);
    return rc;
}

static ps_status make_file(psi_outputs *self, output *out, ps_error *err)
{
    const char *path;
    char *dir;
    ps_status rc;

    PS_TRY(name_file(self, out, err));
    path = self->written.items[self->written.n - 1].path;
    PS_TRY(ps_strndup(path, (size_t)(ps_path_name(path) - path), &dir, err));
    rc = ps_fs_make_dirs(self->args.fs, dir, err);
    ps_free(dir);
    PS_TRY(rc);
    PS_TRY(PS_FAILPOINT("sink.file.create", err));
    PS_TRY(ps_fs_create(self->args.fs, path, &out->file, err));
    self->n_open++;
    return PS_OK;
}

/* Writes what has gathered; `last` ends the file. */
static ps_status flush(psi_outputs *self, output *out, bool last, ps_error *err)
{
    if (!out->file && !last && self->n_open >= MAX_OPEN_FILES)
        return PS_OK;
    if (!out->file)
        PS_TRY(make_file(self, out, err));
    ps_bytes_reset(&out->packed);
    PS_TRY(ps_packer_write(out->packer, out->raw.data, out->raw.n_bytes, last, &out->packed, err));
    ps_bytes_reset(&out->raw);
    if (out->packed.n_bytes > 0)
        PS_TRY(ps_file_write(out->file, out->packed.data, out->packed.n_bytes, err));
    return PS_OK;
}

static ps_status end_file(psi_outputs *self, output *out, ps_error *err)
{
    ps_file *file;

    PS_TRY(out->writer->vt->end(out->writer, &out->raw, err));
    PS_TRY(flush(self, out, true, err));
    out->writer->vt->free(out->writer);
    out->writer = NULL;
    ps_packer_free(out->packer);
    out->packer = NULL;
    PS_TRY(PS_FAILPOINT("sink.file.write", err));
    if (self->args.sync)
        PS_TRY(ps_file_sync(out->file, err));
    file = out->file;
    out->file = NULL;
    self->n_open--;
    out->counter++;
    return ps_file_close(file, err);
}

static ps_status write_rows(psi_outputs *self, output *out, ps_batch *batch, ps_error *err)
{
    int64_t start = 0;

    while (start < batch->n_sel) {
        int64_t n = batch->n_sel - start;
        ps_batch *slice = NULL;
        ps_status rc;

        if (!out->writer)
            PS_TRY(start_file(self, out, err));
        if (self->max_rows > 0 && n > self->max_rows - out->n_rows)
            n = self->max_rows - out->n_rows;
        PS_TRY(ps_batch_slice(batch, start, n, &slice, err));
        rc = out->writer->vt->write(out->writer, slice, &out->raw, err);
        ps_batch_unref(slice);
        PS_TRY(rc);
        out->n_rows += n;
        start += n;
        if (self->max_rows > 0 && out->n_rows == self->max_rows)
            PS_TRY(end_file(self, out, err));
        else if (out->raw.n_bytes >= PIECE_BYTES)
            PS_TRY(flush(self, out, false, err));
    }
    return PS_OK;
}

static ps_status output_of(psi_outputs *self, const char *dir, size_t n_dir, output **out, ps_error *err)
{
    output *made;
    ps_status rc;

    *out = ps_map_get(&self->by_dir, (ps_slice){dir, n_dir});
    if (*out)
        return PS_OK;
    PS_TRY(ps_alloc0(sizeof *made, &made, err));
    PS_TRY_OR(fail, ps_strndup(dir, n_dir, &made->dir, err));
    PS_TRY_OR(fail, start_file(self, made, err));
    PS_TRY_OR(fail, ps_grow(&self->items, self->n, &self->capacity, sizeof *self->items, err));
    PS_TRY_OR(fail, ps_map_put(&self->by_dir, (ps_slice){dir, n_dir}, made, NULL, err));
    self->items[self->n++] = made;
    *out = made;
    return PS_OK;
fail:
    output_free(made);
    return rc;
}

/* --- rows to their partitions --------------------------------------------------------------------------------------- */

typedef struct grouping {
    int64_t n;          /* live rows */
    uint64_t *hashes;
    int32_t *group;     /* of each live row */
    int32_t *first;     /* a live row of each group */
    int32_t *slots;     /* group + 1, by hash */
    int n_groups, n_slots;
} grouping;

static void grouping_clear(grouping *g)
{
    ps_free(g->hashes);
    ps_free(g->group);
    ps_free(g->first);
    ps_free(g->slots);
}

static bool same_partition(const psi_outputs *self, const ps_batch *batch, int64_t a, int64_t b)
{
    for (int i = 0; i < self->args.n_partition_by; i++) {
        const ps_vec *vec = batch->cols[self->part_columns[i]];
        if (!ps_vec_equal_rows(vec, a, vec, b))
            return false;
    }
    return true;
}

static ps_status group_rows(const psi_outputs *self, const ps_batch *batch, grouping *g, ps_error *err)
{
    ps_rows rows = ps_batch_live(batch);

    g->n = rows.n;
    for (g->n_slots = 16; g->n_slots < 2 * rows.n; g->n_slots *= 2) {
    }
    PS_TRY(ps_alloc((size_t)rows.n * sizeof *g->hashes, &g->hashes, err));
    PS_TRY(ps_alloc((size_t)rows.n * sizeof *g->group, &g->group, err));
    PS_TRY(ps_alloc((size_t)rows.n * sizeof *g->first, &g->first, err));
    PS_TRY(ps_alloc0((size_t)g->n_slots * sizeof *g->slots, &g->slots, err));
    for (int i = 0; i < self->args.n_partition_by; i++)
        ps_vec_hash(batch->cols[self->part_columns[i]], rows.sel, rows.n, ps_hash_seed(), i > 0, g->hashes);
    for (int64_t j = 0; j < rows.n; j++) {
        int slot = (int)(g->hashes[j] & (uint64_t)(g->n_slots - 1));
        while (g->slots[slot]) {
            int32_t first = g->first[g->slots[slot] - 1];
            if (g->hashes[first] == g->hashes[j] && same_partition(self, batch, ps_row(&rows, first), ps_row(&rows, j)))
                break;
            slot = (slot + 1) & (g->n_slots - 1);
        }
        if (!g->slots[slot]) {
            g->first[g->n_groups++] = (int32_t)j;
            g->slots[slot] = g->n_groups;
        }
        g->group[j] = g->slots[slot] - 1;
    }
    return PS_OK;
}

/* The columns that go to files, under the batch's selection. */
static ps_status data_of(const psi_outputs *self, const ps_batch *batch, ps_batch **out, ps_error *err)
{
    PS_TRY(ps_batch_like(batch, self->data_schema->n_fields, out, err));
    for (int i = 0; i < self->data_schema->n_fields; i++)
        (*out)->cols[i] = ps_vec_ref(batch->cols[self->data_columns[i]]);
    return PS_OK;
}

static ps_status group_output(psi_outputs *self, const ps_batch *batch, int64_t row, output **out, ps_error *err)
{
    ps_bytes dir = {0};
    ps_status rc = PS_OK;

    for (int i = 0; rc == PS_OK && i < self->args.n_partition_by; i++) {
        int at = self->part_columns[i];
        if (i > 0)
            rc = ps_bytes_char(&dir, '/', err);
        if (rc == PS_OK)
            rc = psi_partition_dir(self->args.schema->fields[at].name, batch->cols[at], row, self->args.zone, &dir, err);
    }
    if (rc == PS_OK)
        rc = output_of(self, dir.data, dir.n_bytes, out, err);
    ps_bytes_clear(&dir);
    return rc;
}

static ps_status write_group(psi_outputs *self, const ps_batch *batch, ps_batch *data, const grouping *g, int group, ps_error *err)
{
    ps_rows rows = ps_batch_live(batch);
    ps_batch *part = NULL;
    ps_buf *sel = NULL;
    output *out;
    int64_t n = 0;
    ps_status rc;

    PS_TRY(group_output(self, batch, ps_row(&rows, g->first[group]), &out, err));
    PS_TRY(ps_buf_new((size_t)g->n * sizeof(int32_t), &sel, err));
    for (int64_t j = g->first[group]; j < g->n; j++)
        if (g->group[j] == group)
            ((int32_t *)(void *)sel->data)[n++] = (int32_t)ps_row(&rows, j);
    PS_TRY(ps_batch_select(data, sel, n, &part, err)); /* takes sel */
    rc = write_rows(self, out, part, err);
    ps_batch_unref(part);
    return rc;
}

static ps_status write_partitions(psi_outputs *self, ps_batch *batch, ps_batch *data, ps_error *err)
{
    grouping g = {0};
    ps_status rc = group_rows(self, batch, &g, err);

    for (int i = 0; rc == PS_OK && i < g.n_groups; i++)
        rc = write_group(self, batch, data, &g, i, err);
    grouping_clear(&g);
    return rc;
}

ps_status psi_outputs_write(psi_outputs *self, ps_batch *batch, ps_error *err)
{
    ps_batch *data = NULL;
    output *out;
    ps_status rc;

    if (batch->n_sel == 0)
        return PS_OK;
    if (self->args.n_partition_by == 0) {
        PS_TRY(output_of(self, "", 0, &out, err));
        return write_rows(self, out, batch, err);
    }
    PS_TRY(data_of(self, batch, &data, err));
    rc = write_partitions(self, batch, data, err);
    ps_batch_unref(data);
    return rc;
}

/* --- a batch -------------------------------------------------------------------------------------------------------------- */

/* Raises for a column that the format cannot hold, before any file is made. */
static ps_status check_types(psi_outputs *self, ps_error *err)
{
    ps_writer *writer;

    PS_TRY(self->format->writer_new(&self->format_args, &writer, err));
    writer->vt->free(writer);
    return PS_OK;
}

ps_status psi_outputs_begin(psi_outputs *self, const char *dir, const char *final_dir, ps_error *err)
{
    output *out;

    psi_outputs_end(self, false);
    ps_uuid_text(self->uuid);
    PS_TRY(ps_strdup(dir, &self->dir, err));
    PS_TRY(ps_strdup(final_dir, &self->final_dir, err));
    PS_TRY(check_types(self, err));
    /* Without partitions there is a file even when there are no rows: it shows the schema to those who look. */
    return self->args.n_partition_by > 0 ? PS_OK : output_of(self, "", 0, &out, err);
}

ps_status psi_sync_dirs(ps_fs *fs, const char *path, const char *top, ps_error *err)
{
    size_t n_top = strlen(top), n = (size_t)(ps_path_name(path) - path);
    ps_status rc = PS_OK;

    while (rc == PS_OK && n > n_top) {
        char *dir;
        PS_TRY(ps_strndup(path, --n, &dir, err)); /* without the slash */
        rc = ps_fs_sync_dir(fs, dir, err);
        while (n > 0 && dir[n - 1] != '/')
            n--;
        ps_free(dir);
    }
    return rc;
}

ps_status psi_outputs_finish(psi_outputs *self, ps_error *err)
{
    for (int i = 0; i < self->n; i++)
        if (self->items[i]->writer)
            PS_TRY(end_file(self, self->items[i], err));
    PS_TRY(PS_FAILPOINT("sink.file.written", err));
    for (int i = 0; self->args.sync && i < self->written.n; i++)
        PS_TRY(psi_sync_dirs(self->args.fs, self->written.items[i].path, self->dir, err));
    return PS_OK;
}

const psi_written_list *psi_outputs_written(const psi_outputs *self) { return &self->written; }

void psi_outputs_end(psi_outputs *self, bool remove)
{
    for (int i = 0; i < self->n; i++)
        output_free(self->items[i]);
    self->n = self->n_open = 0;
    ps_map_clear(&self->by_dir);
    for (int i = 0; remove && i < self->written.n; i++)
        ps_fs_remove(self->args.fs, self->written.items[i].path, NULL); /* best effort: no reader of the log sees what stays */
    written_clear(&self->written);
    ps_free(self->dir);
    ps_free(self->final_dir);
    self->dir = self->final_dir = NULL;
}

/* --- making --------------------------------------------------------------------------------------------------------------- */

static ps_status split_columns(psi_outputs *self, ps_error *err)
{
    const ps_type *schema = self->args.schema;
    int n_parts = self->args.n_partition_by, n = 0;
    ps_field *fields = NULL;
    bool *is_part = NULL;
    ps_status rc;

    PS_TRY_OR(done, ps_alloc((size_t)(schema->n_fields + 1) * sizeof *fields, &fields, err));
    PS_TRY_OR(done, ps_alloc0((size_t)schema->n_fields + 1, &is_part, err));
    PS_TRY_OR(done, ps_alloc((size_t)(schema->n_fields + 1) * sizeof *self->data_columns, &self->data_columns, err));
    PS_TRY_OR(done, ps_alloc((size_t)(n_parts + 1) * sizeof *self->part_columns, &self->part_columns, err));
    for (int i = 0; i < n_parts; i++) {
        int at = ps_type_field_index(schema, self->args.partition_by[i], false);
        for (int j = 0; at < 0 && j < schema->n_fields; j++) /* the name is there more than once: the first of them */
            if (ps_stricmp(schema->fields[j].name, self->args.partition_by[i]) == 0)
                at = j;
        self->part_columns[i] = at;
        is_part[at] = true;
    }
    for (int i = 0; i < schema->n_fields; i++) {
        if (is_part[i])
            continue;
        self->data_columns[n] = i;
        fields[n++] = schema->fields[i];
    }
    rc = ps_type_struct(fields, n, &self->data_schema, err);
done:
    ps_free(fields);
    ps_free(is_part);
    return rc;
}

static ps_status read_options(psi_outputs *self, ps_error *err)
{
    const ps_options *options = self->args.options;

    self->codec = ps_options_get(options, "compression");
    if (!self->codec)
        self->codec = ps_options_get(options, "codec");
    if (!self->codec)
        self->codec = "none";
    PS_TRY(ps_options_int(options, "maxRecordsPerFile", ps_conf_int(self->args.conf, "spark.sql.files.maxRecordsPerFile"), INT32_MIN,
                          INT64_MAX, &self->max_rows, err));
    if (self->max_rows < 0)
        self->max_rows = 0;
    return PS_OK;
}

void psi_outputs_free(psi_outputs *self)
{
    if (!self)
        return;
    psi_outputs_end(self, false);
    ps_free(self->items);
    ps_free(self->data_columns);
    ps_free(self->part_columns);
    ps_type_unref(self->data_schema);
    ps_free(self);
}

ps_status psi_outputs_new(const psi_outputs_args *args, psi_outputs **out, ps_error *err)
{
    const ps_format *format = ps_format_find(ps_slice_of(args->format));
    psi_outputs *self;
    ps_status rc;

    *out = NULL;
    if (!format || format->missing)
        return ps_raise(err, PS_E_NOT_BUILT, format ? format->missing : args->format);
    PS_TRY(ps_sink_check_partitions(args->schema, args->partition_by, args->n_partition_by, err));
    PS_TRY(ps_alloc0(sizeof *self, &self, err));
    self->args = *args;
    self->format = format;
    PS_TRY_OR(fail, split_columns(self, err));
    PS_TRY_OR(fail, read_options(self, err));
    self->format_args = (ps_format_args){.schema = self->data_schema, .options = args->options, .conf = args->conf, .zone = args->zone};
    *out = self;
    return PS_OK;
fail:
    psi_outputs_free(self);
    return rc;
}
