/*
 * io/src_file_list.c - which files a relation has.
 *
 * Paths are expanded, then walked to the bottom, leaving out what is hidden.  Of the files found, those count that
 * lie below partition directories; without any, all of them (recursiveFileLookup) or those directly inside the paths.
 * A directory that a file sink wrote is not walked: its log names the files that are whole (sources-sinks.md B.7).
 */
#include "io/src_file_int.h"
#include <stdlib.h>

#define LOG_DIR "_spark_metadata"
#define MAX_DEPTH 256 /* directories that link to each other end somewhere */

void psi_listing_clear(psi_listing *listing)
{
    ps_file_list_clear(&listing->files);
    psi_texts_clear(&listing->bases);
    psi_texts_clear(&listing->dirs);
    listing->from_log = false;
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), n_end = strlen(end);

    return n >= n_end && strcmp(text + n - n_end, end) == 0;
}

static bool is_hidden(const char *name)
{
    return name[0] == '.' || (name[0] == '_' && strchr(name, '=') == NULL) || ends_with(name, "._COPYING_");
}

static ps_status add_file(ps_file_list *list, const ps_file_info *info, ps_error *err)
{
    ps_file_info copy = *info;
    ps_status rc;

    PS_TRY(ps_strdup(info->path, &copy.path, err));
    if ((rc = PS_PUSH(list, copy, err)) != PS_OK)
        ps_free(copy.path);
    return rc;
}

static ps_status walk(ps_fs *fs, const char *dir, int depth, ps_file_list *leaves, ps_error *err)
{
    ps_file_list entries = {0};
    ps_status rc;

    if (depth > MAX_DEPTH)
        return PS_OK;
    PS_TRY_OR(done, ps_fs_list(fs, dir, &entries, err));
    for (int i = 0; i < entries.n; i++) {
        const ps_file_info *entry = &entries.items[i];
        if (is_hidden(ps_path_name(entry->path)))
            continue;
        PS_TRY_OR(done, entry->is_dir ? walk(fs, entry->path, depth + 1, leaves, err) : add_file(leaves, entry, err));
    }
done:
    ps_file_list_clear(&entries);
    return rc;
}

/* --- the paths ---------------------------------------------------------------------------------------------- */

static ps_status path_not_found(const char *path, ps_error *err)
{
    ps_bytes uri = {0};
    ps_status rc;

    PS_TRY_OR(done, ps_bytes_printf(&uri, err, "file:%s", path));
    rc = ps_raise(err, PS_E_PATH_NOT_FOUND, uri.data);
done:
    ps_bytes_clear(&uri);
    return rc;
}

/* The directories and files that the paths name now. */
static ps_status find_roots(const psi_files *files, ps_fs *fs, bool must_exist, ps_file_list *roots, ps_error *err)
{
    for (int i = 0; i < files->paths.n; i++) {
        const char *path = files->paths.items[i];
        ps_file_info info;
        bool exists;
        int before = roots->n;

        if (psi_glob_is(path)) {
            PS_TRY(psi_glob_expand(fs, path, roots, err));
            if (must_exist && roots->n == before && !files->info.streaming)
                return path_not_found(path, err);
            continue;
        }
        PS_TRY(ps_fs_stat(fs, path, &info, &exists, err));
        if (!exists && must_exist)
            return path_not_found(path, err);
        info.path = (char *)path;
        if (exists)
            PS_TRY(add_file(roots, &info, err));
    }
    return PS_OK;
}

static bool is_below(const char *path, const char *base)
{
    size_t n = strlen(base);

    return strncmp(path, base, n) == 0 && (path[n] == '\0' || path[n] == '/' || (n > 0 && base[n - 1] == '/'));
}

static ps_status find_bases(const psi_files *files, ps_fs *fs, const ps_file_list *roots, psi_texts *bases, ps_error *err)
{
    if (files->base_path) {
        ps_file_info info;
        bool exists;
        PS_TRY(ps_fs_stat(fs, files->base_path, &info, &exists, err));
        if (exists && !info.is_dir)
            return ps_raise(err, PS_E_BASE_PATH_KIND);
        for (int i = 0; i < roots->n; i++)
            if (!is_below(roots->items[i].path, files->base_path))
                return ps_raise(err, PS_E_BASE_PATH_WRONG, files->base_path, roots->items[i].path);
        return psi_texts_add(bases, files->base_path, err);
    }
    for (int i = 0; i < roots->n; i++) {
        char *dir = NULL;
        ps_status rc;
        if (roots->items[i].is_dir) {
            PS_TRY(psi_texts_add(bases, roots->items[i].path, err));
            continue;
        }
        PS_TRY(psi_path_dir(roots->items[i].path, &dir, err));
        rc = psi_texts_has(bases, dir, strlen(dir)) ? PS_OK : psi_texts_add(bases, dir, err);
        ps_free(dir);
        PS_TRY(rc);
    }
    return PS_OK;
}

/* --- the files ------------------------------------------------------------------------------------------------ */

static ps_status read_sink_log(const psi_files *files, ps_fs *fs, ps_clock *clock, const ps_conf *conf, const char *dir,
                               ps_file_list *leaves, ps_error *err)
{
    const char *retention = ps_options_get(&files->options, "retention");
    ps_file_entries entries = {0};
    ps_filelog_options options;
    ps_filelog *log = NULL;
    ps_status rc;

    ps_filelog_configure(&options, PS_FILELOG_SINK, conf, false);
    if (retention && !ps_parse_duration_ms(retention, &options.retention_ms))
        return ps_raise(err, PS_E_BAD_DURATION, retention);
    PS_TRY(ps_filelog_open(fs, clock, dir, &options, &log, err));
    PS_TRY_OR(done, ps_filelog_all(log, &entries, err));
    for (int i = 0; i < entries.n; i++) {
        ps_file_info info = {.path = entries.items[i].path, .n_bytes = entries.items[i].n_bytes, .mtime_ms = entries.items[i].mtime_ms};
        PS_TRY_OR(done, add_file(leaves, &info, err));
    }
done:
    ps_file_entries_clear(&entries);
    ps_filelog_close(log);
    return rc;
}

/* Reads the log of the one directory that is asked for, if it has one. */
static ps_status try_sink_log(const psi_files *files, ps_fs *fs, ps_clock *clock, const ps_conf *conf, const ps_file_list *roots,
                              ps_file_list *leaves, bool *from_log, ps_error *err)
{
    ps_file_info info;
    char *dir;
    ps_status rc;

    *from_log = false;
    if (files->paths.n != 1 || psi_files_is_glob(files) || roots->n != 1 || !roots->items[0].is_dir ||
        ps_conf_bool(conf, "spark.sql.streaming.fileStreamSink.ignoreMetadata"))
        return PS_OK;
    PS_TRY(ps_path_join(roots->items[0].path, LOG_DIR, &dir, err));
    rc = ps_fs_stat(fs, dir, &info, from_log, err);
    if (rc == PS_OK && *from_log)
        rc = read_sink_log(files, fs, clock, conf, dir, leaves, err);
    ps_free(dir);
    return rc;
}

static ps_status note_dirs(const ps_file_list *leaves, psi_texts *dirs, ps_error *err)
{
    ps_map seen = {0};
    ps_status rc = PS_OK;

    for (int i = 0; i < leaves->n; i++) {
        const char *path = leaves->items[i].path;
        ps_slice dir = {path, (size_t)(ps_path_name(path) - path)};
        char *text = NULL;

        if (ps_map_get(&seen, dir))
            continue;
        PS_TRY_OR(done, ps_map_put(&seen, dir, &seen, NULL, err));
        PS_TRY_OR(done, psi_path_dir(path, &text, err));
        rc = psi_texts_add(dirs, text, err);
        ps_free(text);
        if (rc != PS_OK)
            goto done;
    }
done:
    ps_map_clear(&seen);
    return rc;
}

static bool passes_filters(const psi_files *files, const ps_file_info *leaf)
{
    const char *name = ps_path_name(leaf->path);

    if (is_hidden(name))
        return false;
    if (files->name_filter.n > 0 && !psi_glob_match_any(&files->name_filter, name))
        return false;
    return leaf->mtime_ms > files->after_ms && leaf->mtime_ms < files->before_ms;
}

/* Moves to out the leaves that count: all, or those directly inside `root`. */
static void take_leaves(const psi_files *files, ps_file_list *leaves, const ps_file_info *root, ps_file_list *out)
{
    size_t n_root = root ? strlen(root->path) : 0;

    for (int i = 0; i < leaves->n; i++) {
        ps_file_info *leaf = &leaves->items[i];
        size_t n_dir = (size_t)(ps_path_name(leaf->path) - leaf->path);
        bool inside = !root || !root->is_dir || (n_dir == n_root + 1 && memcmp(leaf->path, root->path, n_root) == 0) ||
                      (n_root == 1 && n_dir == 1);

        if (inside && passes_filters(files, leaf))
            out->items[out->n++] = *leaf;
        else
            ps_free(leaf->path);
    }
    leaves->n = 0;
}

/* Files that several overlapping paths led to count once. */
static void drop_repeated(ps_file_list *list)
{
    int n = 0;

    for (int i = 0; i < list->n; i++) {
        if (n > 0 && strcmp(list->items[n - 1].path, list->items[i].path) == 0)
            ps_free(list->items[i].path);
        else
            list->items[n++] = list->items[i];
    }
    list->n = n;
}

static ps_status list_leaves(ps_fs *fs, const ps_file_info *root, ps_file_list *leaves, ps_error *err)
{
    if (root->is_dir)
        return walk(fs, root->path, 0, leaves, err);
    return is_hidden(ps_path_name(root->path)) ? PS_OK : add_file(leaves, root, err);
}

static void sort_files(ps_file_list *list)
{
    if (list->n > 1)
        qsort(list->items, (size_t)list->n, sizeof *list->items, psi_file_order);
}

static ps_status choose_leaves(const psi_files *files, const ps_file_list *roots, ps_file_list *leaves, const int *ends, bool deep,
                               ps_file_list *out, ps_error *err)
{
    int start = 0;

    PS_TRY(ps_alloc((size_t)(leaves->n + 1) * sizeof *out->items, &out->items, err));
    out->capacity = leaves->n + 1;
    if (deep) {
        take_leaves(files, leaves, NULL, out);
        sort_files(out);
        drop_repeated(out);
        return PS_OK;
    }
    for (int i = 0; i < roots->n; i++) {
        ps_file_list part = {.items = leaves->items + start, .n = ends[i] - start};
        take_leaves(files, &part, &roots->items[i], out);
        start = ends[i];
    }
    leaves->n = 0;
    sort_files(out);
    return PS_OK;
}

ps_status psi_files_list(const psi_files *files, ps_fs *fs, ps_clock *clock, const ps_conf *conf, bool must_exist,
                         psi_listing *out, ps_error *err)
{
    ps_file_list roots = {0}, leaves = {0};
    int *ends = NULL; /* of the leaves of each root */
    bool deep;
    ps_status rc;

    *out = (psi_listing){0};
    PS_TRY_OR(done, find_roots(files, fs, must_exist, &roots, err));
    PS_TRY_OR(done, ps_alloc0((size_t)(roots.n + 1) * sizeof *ends, &ends, err));
    PS_TRY_OR(done, find_bases(files, fs, &roots, &out->bases, err));
    PS_TRY_OR(done, try_sink_log(files, fs, clock, conf, &roots, &leaves, &out->from_log, err));
    for (int i = 0; i < roots.n; i++) {
        if (!out->from_log)
            PS_TRY_OR(done, list_leaves(fs, &roots.items[i], &leaves, err));
        ends[i] = leaves.n;
    }
    PS_TRY_OR(done, note_dirs(&leaves, &out->dirs, err));
    deep = files->recursive || out->from_log || psi_partition_any(&out->dirs, &out->bases);
    rc = choose_leaves(files, &roots, &leaves, ends, deep, &out->files, err);
done:
    if (rc != PS_OK)
        psi_listing_clear(out);
    ps_file_list_clear(&roots);
    ps_file_list_clear(&leaves);
    ps_free(ends);
    return rc;
}
