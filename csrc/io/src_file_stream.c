/*
 * io/src_file_stream.c - the streaming file source.
 *
 * An offset is the number of an entry of the source's own log, which names the files of a batch.  The entry is written
 * while the batch is planned, before the query logs the offset: a crash between the two leaves an entry that the next
 * plan takes up, so no file is lost, and a file is in one entry only, so none is read twice.
 *
 *   1 list     the files there are, unless some of the last listing still wait
 *   2 choose   those that make up the batch; they count as seen from here on
 *   3 log      write sources/<i>/<n>
 */
#include "base/failpoint.h"
#include "base/json.h"
#include "io/source_int.h"
#include "io/src_file_int.h"

typedef struct file_source {
    ps_source source;
    psi_files *files;
    ps_source_open_args args; /* borrowed */
    psi_stream_options options;
    psi_chooser *chooser;
    ps_filelog *log;
    ps_file_list frozen;      /* available-now: what there was at the start, until the first batch takes it */
    bool is_frozen;
    bool looked;              /* a listing found files */
    bool reads_log;           /* ... and they were those of a file sink's log */
} file_source;

static void source_close(ps_source *source)
{
    file_source *self = (file_source *)source;

    psi_chooser_free(self->chooser);
    psi_stream_options_clear(&self->options);
    ps_filelog_close(self->log);
    ps_file_list_clear(&self->frozen);
    ps_source_info_unref(&self->files->info);
    ps_free(self->source.description);
    ps_free(self);
}

/* --- offsets ------------------------------------------------------------------------------------------------- */

static ps_status offset_text(int64_t n, char **out, ps_error *err)
{
    ps_bytes text = {0};

    PS_TRY(ps_bytes_printf(&text, err, "{\"logOffset\":%lld}", (long long)n));
    *out = ps_bytes_take(&text);
    return PS_OK;
}

/* {"logOffset":n}, or a bare n as early versions wrote; NULL is -1. */
static ps_status offset_of(const char *text, int64_t *out, ps_error *err)
{
    ps_arena arena = {0};
    ps_json *root;
    ps_status rc;

    *out = -1;
    if (!text)
        return PS_OK;
    rc = ps_json_parse(ps_slice_of(text), &arena, &root, err);
    if (rc == PS_OK && !ps_json_int(root->kind == PS_JSON_OBJECT ? ps_json_get(root, "logOffset") : root, out))
        rc = ps_raise(err, PS_E_OFFSET_TEXT, text, "file");
    ps_arena_clear(&arena);
    return rc;
}

static ps_status source_canonical(ps_source *source, const char *text, char **out, ps_error *err)
{
    int64_t n;

    PS_UNUSED(source);
    *out = NULL;
    PS_TRY(offset_of(text, &n, err));
    return offset_text(n, out, err);
}

/* --- planning a batch --------------------------------------------------------------------------------------------- */

static ps_status list_files(file_source *self, ps_file_list *out, ps_error *err)
{
    const psi_files *files = self->files;
    psi_listing listing;
    ps_file_info info;
    bool exists;

    if (!psi_files_is_glob(files)) {
        PS_TRY(ps_fs_stat(self->args.fs, files->paths.items[0], &info, &exists, err));
        if (exists && !info.is_dir)
            return ps_raise(err, PS_E_BASE_PATH_KIND);
    }
    PS_TRY(psi_files_list(files, self->args.fs, self->args.clock, self->args.conf, false, &listing, err));
    *out = listing.files;
    listing.files = (ps_file_list){0};
    if (!self->looked && out->n > 0) {
        self->looked = true;
        self->reads_log = listing.from_log;
    }
    psi_listing_clear(&listing);
    if (self->reads_log && self->options.clean != PSI_CLEAN_OFF)
        return ps_raise(err, PS_E_CLEAN_SINK_OUTPUT);
    return PS_OK;
}

static ps_status log_files(file_source *self, const ps_file_list *chosen, ps_error *err)
{
    int64_t id = ps_filelog_latest(self->log) + 1;
    ps_file_entry *entries;
    ps_status rc;

    PS_TRY(ps_alloc((size_t)chosen->n * sizeof *entries, &entries, err));
    for (int i = 0; i < chosen->n; i++)
        entries[i] = (ps_file_entry){.path = chosen->items[i].path, .mtime_ms = chosen->items[i].mtime_ms, .batch_id = id};
    rc = PS_FAILPOINT("source.file.chosen", err);
    if (rc == PS_OK)
        rc = ps_filelog_add(self->log, id, entries, chosen->n, err);
    if (rc == PS_OK)
        rc = PS_FAILPOINT("source.file.logged", err);
    ps_free(entries);
    return rc;
}

/* The files of the start wait in the chooser from the first batch on, so this gives them once. */
static void take_frozen(file_source *self, ps_file_list *out)
{
    *out = self->frozen;
    self->frozen = (ps_file_list){0};
}

static ps_status source_latest(ps_source *source, const char *from, ps_read_limit limit, char **to, char **head, ps_error *err)
{
    file_source *self = (file_source *)source;
    ps_file_list listed = {0}, chosen = {0};
    ps_status rc;

    PS_UNUSED(from);
    *to = *head = NULL;
    if (!psi_chooser_has_unread(self->chooser)) { /* step 1 */
        if (self->is_frozen)
            take_frozen(self, &listed);
        else
            PS_TRY_OR(done, list_files(self, &listed, err));
    }
    PS_TRY_OR(done, psi_chooser_next(self->chooser, &listed, self->is_frozen, limit.all, &chosen, err)); /* step 2 */
    if (chosen.n > 0)
        PS_TRY_OR(done, log_files(self, &chosen, err)); /* step 3 */
    if (ps_filelog_latest(self->log) >= 0)
        rc = offset_text(ps_filelog_latest(self->log), to, err);
done:
    ps_file_list_clear(&listed);
    ps_file_list_clear(&chosen);
    return rc;
}

static ps_status source_freeze(ps_source *source, ps_error *err)
{
    file_source *self = (file_source *)source;

    ps_file_list_clear(&self->frozen);
    self->is_frozen = true;
    return list_files(self, &self->frozen, err);
}

/* --- reading a range -------------------------------------------------------------------------------------------------- */

/* The files of the entries that are still there, as they are now. */
static ps_status find_files(file_source *self, const ps_file_entries *entries, ps_file_list *out, ps_error *err)
{
    for (int i = 0; i < entries->n; i++) {
        ps_file_info info;
        bool exists;
        ps_status rc;
        PS_TRY(ps_fs_stat(self->args.fs, entries->items[i].path, &info, &exists, err));
        if (!exists)
            continue;
        PS_TRY(ps_strdup(entries->items[i].path, &info.path, err));
        if ((rc = PS_PUSH(out, info, err)) != PS_OK) {
            ps_free(info.path);
            return rc;
        }
    }
    return PS_OK;
}

static ps_status add_copies(const ps_file_list *from, bool globs_too, ps_file_list *out, ps_error *err)
{
    for (int i = 0; i < from->n; i++) {
        ps_file_info info = from->items[i];
        ps_status rc;

        if (!globs_too && psi_glob_is(info.path))
            continue;
        PS_TRY(ps_strdup(from->items[i].path, &info.path, err));
        if ((rc = PS_PUSH(out, info, err)) != PS_OK) {
            ps_free(info.path);
            return rc;
        }
    }
    return PS_OK;
}

/* Spark 4 resolves the paths of a batch's files once more: each path that looks like a pattern stands for all files of the
 * batch, and the others for themselves beside that.  Without partition columns or a recursive look-up, which list files by
 * name, a file is then read as often as it is named. */
static ps_status repeat_files(const psi_files *files, ps_file_list *list, ps_error *err)
{
    ps_file_list all = {0};
    int n_globs = 0;
    ps_status rc = PS_OK;

    for (int i = 0; i < list->n; i++)
        n_globs += psi_glob_is(list->items[i].path);
    if (n_globs == 0 || files->recursive || files->part_schema->n_fields > 0)
        return PS_OK;
    for (int i = 0; rc == PS_OK && i < n_globs; i++)
        rc = add_copies(list, true, &all, err);
    if (rc == PS_OK)
        rc = add_copies(list, false, &all, err);
    if (rc == PS_OK) {
        ps_file_list_clear(list);
        *list = all;
        return PS_OK;
    }
    ps_file_list_clear(&all);
    return rc;
}

/* Where the partition directories of a file begin: at the path, or at what the pattern matches now. */
static ps_status find_bases(file_source *self, psi_texts *out, ps_error *err)
{
    const psi_files *files = self->files;
    ps_file_list matches = {0};
    ps_status rc;

    if (files->base_path || !psi_files_is_glob(files))
        return psi_texts_add(out, files->base_path ? files->base_path : files->paths.items[0], err);
    if (files->part_schema->n_fields == 0)
        return PS_OK;
    rc = psi_glob_expand(self->args.fs, files->paths.items[0], &matches, err);
    for (int i = 0; rc == PS_OK && i < matches.n; i++)
        if (matches.items[i].is_dir)
            rc = psi_texts_add(out, matches.items[i].path, err);
    ps_file_list_clear(&matches);
    return rc;
}

static ps_status source_read(ps_source *source, const char *from, const char *to, const bool *wanted, ps_scan **out, ps_error *err)
{
    file_source *self = (file_source *)source;
    ps_file_entries entries = {0};
    ps_file_list list = {0};
    psi_texts bases = {0};
    psi_file_scan_args args = {.files = self->files, .open = &self->args, .wanted = wanted, .bases = &bases};
    int64_t first, last;
    ps_status rc;

    *out = NULL;
    PS_TRY(offset_of(from, &first, err));
    PS_TRY(offset_of(to, &last, err));
    if (last > first)
        PS_TRY_OR(done, ps_filelog_get(self->log, first + 1, last, &entries, err));
    PS_TRY_OR(done, find_files(self, &entries, &list, err));
    PS_TRY_OR(done, repeat_files(self->files, &list, err));
    PS_TRY_OR(done, find_bases(self, &bases, err));
    rc = psi_file_scan_new(&args, &list, out, err);
done:
    ps_file_entries_clear(&entries);
    ps_file_list_clear(&list);
    psi_texts_clear(&bases);
    return rc;
}

/* The files of the batch's last entry are done with. */
static ps_status source_commit(ps_source *source, const char *to, ps_error *err)
{
    file_source *self = (file_source *)source;
    ps_file_entries entries = {0};
    int64_t last;
    ps_status rc;

    if (self->options.clean == PSI_CLEAN_OFF)
        return PS_OK;
    PS_TRY(offset_of(to, &last, err));
    if (last < 0)
        return PS_OK;
    PS_TRY(PS_FAILPOINT("source.file.clean", err));
    rc = ps_filelog_get(self->log, last, last, &entries, err);
    for (int i = 0; rc == PS_OK && i < entries.n; i++)
        psi_clean_file(&self->options, self->args.fs, entries.items[i].path);
    ps_file_entries_clear(&entries);
    return rc;
}

/* A restart needs what the log said of the last batch, and refuses to go on with another directory's files. */
static ps_status source_seen(ps_source *source, const char *to, ps_error *err)
{
    file_source *self = (file_source *)source;
    const psi_files *files = self->files;
    const char *base = files->base_path ? files->base_path : files->paths.items[0];
    size_t n_base = strlen(base);
    ps_file_entries entries = {0};
    int64_t last;
    ps_status rc;

    PS_TRY(offset_of(to, &last, err));
    if (last < 0)
        return PS_OK;
    rc = ps_filelog_get(self->log, last, last, &entries, err);
    for (int i = 0; rc == PS_OK && i < entries.n && (files->base_path || !psi_files_is_glob(files)); i++) {
        const char *path = entries.items[i].path;
        if (strncmp(path, base, n_base) != 0 || (n_base > 1 && path[n_base] != '/'))
            rc = ps_raise(err, PS_E_BASE_PATH_WRONG, base, path);
    }
    ps_file_entries_clear(&entries);
    return rc;
}

/* --- opening ---------------------------------------------------------------------------------------------------------- */

/* What the log holds is known. */
static ps_status remember(file_source *self, ps_error *err)
{
    ps_file_entries entries = {0};
    ps_status rc;

    PS_TRY_OR(done, ps_filelog_all(self->log, &entries, err));
    for (int i = 0; i < entries.n; i++)
        PS_TRY_OR(done, psi_chooser_add(self->chooser, entries.items[i].path, entries.items[i].mtime_ms, err));
    rc = psi_chooser_forget(self->chooser, err);
done:
    ps_file_entries_clear(&entries);
    return rc;
}

ps_status psi_file_stream_open(ps_source_info *info, const ps_source_open_args *args, ps_source **out, ps_error *err)
{
    static const ps_source_vt vt = {.latest = source_latest, .freeze = source_freeze, .read = source_read, .commit = source_commit,
                                    .seen = source_seen, .canonical = source_canonical, .close = source_close};
    ps_filelog_options log_options;
    ps_bytes description = {0};
    file_source *self;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_alloc0(sizeof *self, &self, err));
    self->source.vt = &vt;
    self->files = (psi_files *)info;
    ps_source_info_ref(info);
    self->args = *args;
    PS_TRY_OR(fail, ps_bytes_printf(&description, err, "FileStreamSource[file:%s]", self->files->paths.items[0]));
    self->source.description = ps_bytes_take(&description);
    PS_TRY_OR(fail, psi_stream_options_read(self->files, &self->options, err));
    PS_TRY_OR(fail, psi_clean_check(self->files, &self->options, args->fs, err));
    PS_TRY_OR(fail, psi_chooser_new(&self->options, &self->chooser, err));
    ps_filelog_configure(&log_options, PS_FILELOG_SOURCE, args->conf, args->sync);
    PS_TRY_OR(fail, ps_filelog_open(args->fs, args->clock, args->checkpoint_dir, &log_options, &self->log, err));
    self->args.checkpoint_dir = NULL; /* the caller's */
    PS_TRY_OR(fail, ps_filelog_make_dir(self->log, err));
    PS_TRY_OR(fail, remember(self, err));
    *out = &self->source;
    return PS_OK;
fail:
    source_close(&self->source);
    return rc;
}
