/*
 * log/seqlog.c - numbered files, and the first lines of their texts.
 */
#include "log/seqlog.h"
#include "base/failpoint.h"
#include <stdio.h>

struct ps_seqlog {
    ps_fs *fs;
    char *dir;
    bool sync;
    bool dir_made;
    int64_t purged; /* nothing below this number is left; -1: not known yet */
    char *spare;    /* where the entry that was purged last waits to become the next one */
    bool has_spare;
};

ps_status ps_seqlog_open(ps_fs *fs, const char *dir, bool sync, ps_seqlog **out, ps_error *err)
{
    ps_seqlog *log;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_alloc0(sizeof *log, &log, err));
    log->fs = fs;
    log->sync = sync;
    log->purged = -1;
    PS_TRY_OR(fail, ps_strdup(dir, &log->dir, err));
    PS_TRY_OR(fail, ps_path_join(dir, ".spare", &log->spare, err));
    *out = log;
    return PS_OK;
fail:
    ps_seqlog_close(log);
    return rc;
}

void ps_seqlog_close(ps_seqlog *log)
{
    if (log == NULL)
        return;
    if (log->has_spare)
        ps_fs_remove(log->fs, log->spare, NULL);
    ps_free(log->spare);
    ps_free(log->dir);
    ps_free(log);
}

ps_status ps_seqlog_make_dir(ps_seqlog *log, ps_error *err)
{
    if (log->dir_made)
        return PS_OK;
    PS_TRY(ps_fs_make_dirs(log->fs, log->dir, err));
    log->dir_made = true;
    return PS_OK;
}

ps_status ps_seqlog_path(const ps_seqlog *log, int64_t id, char **out, ps_error *err)
{
    char name[24];

    snprintf(name, sizeof name, "%lld", (long long)id);
    return ps_path_join(log->dir, name, out, err);
}

ps_status ps_seqlog_add(ps_seqlog *log, int64_t id, ps_slice text, ps_error *err)
{
    ps_status rc;
    char *path;

    PS_TRY(ps_seqlog_make_dir(log, err));
    PS_TRY(ps_seqlog_path(log, id, &path, err));
    rc = ps_fs_write_recycled(log->fs, log->has_spare ? log->spare : NULL, path, text, log->sync, err);
    log->has_spare = false;
    if (rc == PS_E_FILE_EXISTS)
        rc = ps_raise(err, PS_E_LOG_CONCURRENT, (long long)id);
    ps_free(path);
    return rc;
}

ps_status ps_seqlog_get(ps_seqlog *log, int64_t id, ps_bytes *out, bool *found, ps_error *err)
{
    ps_file_info info;
    ps_status rc;
    char *path;

    *found = false;
    PS_TRY(ps_seqlog_path(log, id, &path, err));
    PS_TRY_OR(done, ps_fs_stat(log->fs, path, &info, found, err));
    if (*found)
        rc = ps_fs_read_all(log->fs, path, out, err);
done:
    ps_free(path);
    return rc;
}

int64_t ps_seqlog_number(const char *name)
{
    int64_t value = 0;

    if (*name == '\0')
        return -1;
    for (; *name != '\0'; name++) {
        if (*name < '0' || *name > '9')
            return -1;
        value = value * 10 + (*name - '0');
        if (value > PS_SEQLOG_MAX)
            return -1;
    }
    return value;
}

bool ps_log_time(const ps_json *node, int64_t *out_ms)
{
    return ps_json_int(node, out_ms) && *out_ms >= INT64_MIN / 1000 && *out_ms <= INT64_MAX / 1000;
}

ps_status ps_seqlog_range(ps_seqlog *log, int64_t *first, int64_t *last, ps_error *err)
{
    ps_file_list list = {0};
    int64_t low = -1, high = -1;
    ps_status rc;

    PS_TRY_OR(done, ps_fs_list(log->fs, log->dir, &list, err));
    for (int i = 0; i < list.n; i++) {
        int64_t id = ps_seqlog_number(ps_path_name(list.items[i].path));
        if (id < 0)
            continue;
        if (low < 0 || id < low)
            low = id;
        if (id > high)
            high = id;
    }
    if (first != NULL)
        *first = low;
    if (last != NULL)
        *last = high;
done:
    ps_file_list_clear(&list);
    return rc;
}

ps_status ps_seqlog_purge(ps_seqlog *log, int64_t before, ps_error *err)
{
    ps_status rc = PS_OK;

    if (log->purged < 0) {
        PS_TRY(ps_seqlog_range(log, &log->purged, NULL, err));
        if (log->purged < 0)
            return PS_OK;
    }
    /* Numbers are contiguous: from here on names are known without listing. */
    for (; rc == PS_OK && log->purged < before; log->purged++) {
        char *path;
        PS_TRY(PS_FAILPOINT("log.purge", err));
        PS_TRY(ps_seqlog_path(log, log->purged, &path, err));
        rc = log->has_spare ? ps_fs_remove(log->fs, path, err) : ps_fs_retire(log->fs, path, log->spare, &log->has_spare, err);
        ps_free(path);
    }
    return rc;
}

/* ---- texts ---- */

ps_lines ps_lines_of(ps_slice text)
{
    return (ps_lines){text, text.n_bytes == 0};
}

bool ps_lines_next(ps_lines *lines, ps_slice *out)
{
    const char *end;

    *out = (ps_slice){"", 0};
    if (lines->ended)
        return false;
    *out = lines->rest;
    end = lines->rest.n_bytes > 0 ? memchr(lines->rest.data, '\n', lines->rest.n_bytes) : NULL;
    if (end == NULL) {
        lines->ended = true;
        lines->rest.n_bytes = 0;
    } else {
        out->n_bytes = (size_t)(end - lines->rest.data);
        lines->rest.data += out->n_bytes + 1;
        lines->rest.n_bytes -= out->n_bytes + 1;
    }
    return true;
}

ps_status ps_lines_version(ps_lines *lines, const char *path, int max, int *version, ps_error *err)
{
    char text[64];
    int64_t number;
    ps_slice line;

    *version = 0;
    if (!ps_lines_next(lines, &line))
        return ps_raise(err, PS_E_LOG_INCOMPLETE, path);
    snprintf(text, sizeof text, "%.*s", (int)(line.n_bytes < sizeof text ? line.n_bytes : sizeof text - 1), line.data);
    number = line.n_bytes < 12 && text[0] == 'v' ? ps_seqlog_number(text + 1) : -1;
    if (number < 1)
        return ps_raise(err, PS_E_LOG_MALFORMED, text);
    if (number > max)
        return ps_raise(err, PS_E_LOG_VERSION, max, (long long)number);
    *version = (int)number;
    return PS_OK;
}
