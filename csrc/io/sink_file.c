/*
 * io/sink_file.c - files as a sink: exactly once for a stream, and df.write.
 *
 * A streamed batch (sources-sinks.md G.2):
 *   1 skip     the log in <path>/_spark_metadata holds this batch: nothing to do
 *   2 write    files with fresh names in their final directories; nobody looks at them yet
 *   3 sync     files and directories are durable
 *   4 log      one entry with all of them, exclusively: from here on the batch is there
 * A crash before 4 leaves files that no entry names; the batch is written again under other names.
 *
 * A batch write puts files below <path>/_temporary and moves them when all are complete; _SUCCESS ends it.
 */
#include "base/failpoint.h"
#include "io/sink_int.h"
#include "log/filelog.h"

#define LOG_DIR "/_spark_metadata"
#define TEMPORARY_DIR "/_temporary"

typedef enum save_mode { SAVE_ERROR, SAVE_APPEND, SAVE_OVERWRITE, SAVE_IGNORE } save_mode;

typedef struct file_sink {
    ps_sink sink;
    ps_fs *fs;
    bool batch, sync;
    save_mode mode;
    const ps_type *schema;
    ps_options options;
    char **partition_by;
    int n_partition_by;
    char *dir, *temporary_dir;
    ps_filelog *log;      /* streams */
    psi_outputs *outputs;
} file_sink;

static void sink_close(ps_sink *sink)
{
    file_sink *self = (file_sink *)sink;

    psi_outputs_free(self->outputs);
    ps_filelog_close(self->log);
    for (int i = 0; i < self->n_partition_by; i++)
        ps_free(self->partition_by[i]);
    ps_free(self->partition_by);
    ps_options_clear(&self->options);
    ps_type_unref(self->schema);
    ps_free(self->dir);
    ps_free(self->temporary_dir);
    ps_free(sink->description);
    ps_free(self);
}

/* --- beginning ------------------------------------------------------------------------------------------------ */

/* Makes the directory of the files, known to its parent. */
static ps_status make_dir(file_sink *self, ps_error *err)
{
    ps_file_info info;
    bool exists;
    char *parent;
    ps_status rc;

    PS_TRY(ps_fs_stat(self->fs, self->dir, &info, &exists, err));
    if (exists)
        return PS_OK;
    PS_TRY(ps_fs_make_dirs(self->fs, self->dir, err));
    if (!self->sync)
        return PS_OK;
    PS_TRY(ps_path_join(self->dir, "..", &parent, err));
    rc = ps_fs_sync_dir(self->fs, parent, err);
    ps_free(parent);
    return rc;
}

static ps_status begin_stream(file_sink *self, int64_t batch_id, bool *skip, ps_error *err)
{
    *skip = batch_id <= ps_filelog_latest(self->log); /* step 1 */
    if (*skip)
        return PS_OK;
    PS_TRY(make_dir(self, err));
    PS_TRY(ps_filelog_make_dir(self->log, err));
    return psi_outputs_begin(self->outputs, self->dir, self->dir, err);
}

static ps_status begin_batch(file_sink *self, bool *skip, ps_error *err)
{
    ps_file_info info;
    bool exists;

    PS_TRY(ps_fs_stat(self->fs, self->dir, &info, &exists, err));
    *skip = exists && self->mode == SAVE_IGNORE;
    if (exists && self->mode == SAVE_ERROR)
        return ps_raise(err, PS_E_PATH_EXISTS, self->dir);
    return *skip ? PS_OK : psi_outputs_begin(self->outputs, self->temporary_dir, self->dir, err);
}

static ps_status sink_begin(ps_sink *sink, int64_t batch_id, bool *skip, ps_error *err)
{
    file_sink *self = (file_sink *)sink;

    *skip = false;
    sink->batch_id = batch_id;
    return self->batch ? begin_batch(self, skip, err) : begin_stream(self, batch_id, skip, err);
}

static ps_status sink_write(ps_sink *sink, ps_batch *batch, ps_error *err)
{
    return psi_outputs_write(((file_sink *)sink)->outputs, batch, err); /* step 2 */
}

/* --- a stream's commit ---------------------------------------------------------------------------------------------- */

static ps_status log_entries(file_sink *self, ps_file_entry **out, ps_error *err)
{
    const psi_written_list *written = psi_outputs_written(self->outputs);

    PS_TRY(ps_alloc0((size_t)(written->n + 1) * sizeof **out, out, err));
    for (int i = 0; i < written->n; i++) {
        ps_file_info info;
        bool exists;
        PS_TRY(ps_fs_stat(self->fs, written->items[i].path, &info, &exists, err));
        if (!exists)
            return ps_raise(err, PS_E_FILE_NOT_FOUND, written->items[i].path);
        (*out)[i] = (ps_file_entry){.path = written->items[i].path, .n_bytes = info.n_bytes, .mtime_ms = info.mtime_ms};
    }
    return PS_OK;
}

/* When adding the entry fails it may be there all the same, so the files it names stay. */
static ps_status commit_stream(file_sink *self, int64_t batch_id, ps_error *err)
{
    ps_file_entry *entries = NULL;
    ps_status rc;

    PS_TRY_OR(fail, psi_outputs_finish(self->outputs, err)); /* step 3 */
    PS_TRY_OR(fail, log_entries(self, &entries, err));
    PS_TRY_OR(fail, PS_FAILPOINT("sink.file.log", err));
    rc = ps_filelog_add(self->log, batch_id, entries, psi_outputs_written(self->outputs)->n, err); /* step 4 */
    psi_outputs_end(self->outputs, false);
    ps_free(entries);
    return rc == PS_OK ? PS_FAILPOINT("sink.file.logged", err) : rc;
fail:
    ps_free(entries);
    psi_outputs_end(self->outputs, true);
    return rc;
}

/* --- a batch write's commit -------------------------------------------------------------------------------------------- */

/* Overwriting: everything but what was just written goes. */
static ps_status remove_old(file_sink *self, ps_error *err)
{
    ps_file_list list = {0};
    ps_status rc;

    PS_TRY_OR(done, ps_fs_list(self->fs, self->dir, &list, err));
    for (int i = 0; i < list.n; i++)
        if (strcmp(ps_path_name(list.items[i].path), &TEMPORARY_DIR[1]) != 0)
            PS_TRY_OR(done, ps_fs_remove_tree(self->fs, list.items[i].path, err));
done:
    ps_file_list_clear(&list);
    return rc;
}

static ps_status move_file(file_sink *self, const psi_written *file, ps_error *err)
{
    char *dir;
    ps_status rc;

    PS_TRY(ps_strndup(file->final_path, (size_t)(ps_path_name(file->final_path) - file->final_path), &dir, err));
    rc = ps_fs_make_dirs(self->fs, dir, err);
    ps_free(dir);
    return rc == PS_OK ? ps_fs_rename(self->fs, file->path, file->final_path, err) : rc;
}

static ps_status commit_batch(file_sink *self, ps_error *err)
{
    const psi_written_list *written = psi_outputs_written(self->outputs);
    char *success = NULL, *temporary = NULL;
    ps_status rc;

    PS_TRY_OR(done, psi_outputs_finish(self->outputs, err));
    PS_TRY_OR(done, make_dir(self, err));
    if (self->mode == SAVE_OVERWRITE)
        PS_TRY_OR(done, remove_old(self, err));
    for (int i = 0; i < written->n; i++)
        PS_TRY_OR(done, move_file(self, &written->items[i], err));
    for (int i = 0; self->sync && i < written->n; i++)
        PS_TRY_OR(done, psi_sync_dirs(self->fs, written->items[i].final_path, self->dir, err));
    PS_TRY_OR(done, ps_path_join(self->dir, TEMPORARY_DIR, &temporary, err));
    PS_TRY_OR(done, ps_fs_remove_tree(self->fs, temporary, err));
    PS_TRY_OR(done, ps_path_join(self->dir, "_SUCCESS", &success, err));
    PS_TRY_OR(done, ps_fs_write_atomic(self->fs, success, "", 0, false, self->sync, err));
    psi_outputs_end(self->outputs, false);
done:
    ps_free(success);
    ps_free(temporary);
    return rc;
}

static ps_status sink_commit(ps_sink *sink, int64_t batch_id, ps_error *err)
{
    file_sink *self = (file_sink *)sink;

    return self->batch ? commit_batch(self, err) : commit_stream(self, batch_id, err);
}

static void sink_abort(ps_sink *sink, int64_t batch_id)
{
    file_sink *self = (file_sink *)sink;
    char *temporary;

    PS_UNUSED(batch_id);
    psi_outputs_end(self->outputs, true);
    if (self->batch && ps_path_join(self->dir, TEMPORARY_DIR, &temporary, NULL) == PS_OK) {
        ps_fs_remove_tree(self->fs, temporary, NULL);
        ps_free(temporary);
    }
}

/* --- opening ---------------------------------------------------------------------------------------------------------------- */

static ps_status read_mode(file_sink *self, const char *text, ps_error *err)
{
    static const struct { const char *name; save_mode mode; } modes[] = {
        {"error", SAVE_ERROR}, {"errorifexists", SAVE_ERROR}, {"default", SAVE_ERROR},
        {"append", SAVE_APPEND}, {"overwrite", SAVE_OVERWRITE}, {"ignore", SAVE_IGNORE}};

    for (size_t i = 0; i < PS_COUNT_OF(modes); i++) {
        if (!text || ps_stricmp(text, modes[i].name) == 0) {
            self->mode = modes[i].mode;
            return PS_OK;
        }
    }
    return ps_raise(err, PS_E_SAVE_MODE, text);
}

static ps_status copy_request(file_sink *self, const ps_sink_request *request, ps_error *err)
{
    const char *path = ps_options_get(request->options, "path");

    self->fs = request->fs;
    self->batch = request->batch;
    self->sync = request->sync;
    self->schema = ps_type_ref(request->schema);
    PS_TRY(read_mode(self, request->save_mode, err));
    if (!path && self->batch)
        return ps_raise(err, PS_E_WRITE_PATH, "");
    if (!path)
        return ps_raise(err, PS_E_SINK_PATH);
    PS_TRY(ps_path_from_uri(path, &self->dir, err));
    PS_TRY(ps_path_join(self->dir, TEMPORARY_DIR "/0", &self->temporary_dir, err));
    PS_TRY(ps_options_copy(request->options, &self->options, err));
    PS_TRY(ps_options_set(&self->options, "path", NULL, err));
    PS_TRY(ps_alloc0((size_t)(request->n_partition_by + 1) * sizeof *self->partition_by, &self->partition_by, err));
    for (; self->n_partition_by < request->n_partition_by; self->n_partition_by++)
        PS_TRY(ps_strdup(request->partition_by[self->n_partition_by], &self->partition_by[self->n_partition_by], err));
    return PS_OK;
}

static ps_status open_log(file_sink *self, const ps_sink_request *request, ps_error *err)
{
    const char *retention = ps_options_get(&self->options, "retention");
    ps_filelog_options options;
    char *dir;
    ps_status rc;

    ps_filelog_configure(&options, PS_FILELOG_SINK, request->conf, request->sync);
    if (retention && !ps_parse_duration_ms(retention, &options.retention_ms))
        return ps_raise(err, PS_E_BAD_DURATION, retention);
    PS_TRY(ps_path_join(self->dir, LOG_DIR, &dir, err));
    rc = ps_filelog_open(request->fs, request->clock, dir, &options, &self->log, err);
    ps_free(dir);
    return rc;
}

static ps_status describe(file_sink *self, ps_error *err)
{
    ps_bytes text = {0};

    PS_TRY(ps_bytes_printf(&text, err, "FileSink[file:%s]", self->dir));
    self->sink.description = ps_bytes_take(&text);
    return PS_OK;
}

ps_status psi_file_sink_open(const ps_sink_request *request, ps_sink **out, ps_error *err)
{
    static const ps_sink_vt vt = {sink_begin, sink_write, sink_commit, sink_abort, sink_close, NULL};
    file_sink *self;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_alloc0(sizeof *self, &self, err));
    self->sink.vt = &vt;
    PS_TRY_OR(fail, copy_request(self, request, err));
    PS_TRY_OR(fail, describe(self, err));
    if (!self->batch)
        PS_TRY_OR(fail, open_log(self, request, err));
    psi_outputs_args args = {.fs = self->fs, .format = request->format, .options = &self->options, .conf = request->conf,
                             .zone = request->zone, .schema = self->schema, .partition_by = (const char *const *)self->partition_by,
                             .n_partition_by = self->n_partition_by, .sync = self->sync};
    PS_TRY_OR(fail, psi_outputs_new(&args, &self->outputs, err));
    *out = &self->sink;
    return PS_OK;
fail:
    sink_close(&self->sink);
    return rc;
}
