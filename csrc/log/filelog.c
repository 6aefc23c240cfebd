/*
 * log/filelog.c - which files make up the log, and when they are compacted and removed.
 *
 * Compaction copies lines as they are: what another writer put on a line survives, and nothing is parsed unless
 * a retention must be applied.
 */
#include "log/filelog_int.h"
#include "base/failpoint.h"
#include <stdio.h>

#define COMPACT ".compact"

void ps_filelog_configure(ps_filelog_options *options, ps_filelog_kind kind, const ps_conf *conf, bool sync)
{
    bool source = kind == PS_FILELOG_SOURCE;

    *options = (ps_filelog_options){
        .kind = kind,
        .sync = sync,
        .compact_interval = ps_conf_int(conf, source ? "spark.sql.streaming.fileSource.log.compactInterval"
                                                     : "spark.sql.streaming.fileSink.log.compactInterval"),
        .deletion = ps_conf_bool(conf, source ? "spark.sql.streaming.fileSource.log.deletion"
                                              : "spark.sql.streaming.fileSink.log.deletion"),
        .cleanup_delay_ms = ps_conf_int(conf, source ? "spark.sql.streaming.fileSource.log.cleanupDelay"
                                                     : "spark.sql.streaming.fileSink.log.cleanupDelay"),
        .min_to_retain = ps_conf_int(conf, "spark.sql.streaming.minBatchesToRetain"),
        .retention_ms = -1,
    };
}

/* ---- what there is ---- */

/* What a listing shows. */
typedef struct directory {
    int64_t first;              /* lowest number of any file, -1: none */
    int64_t latest;             /* highest, -1: none */
    int64_t compacts[2];        /* the two highest compacted ones, -1: none */
} directory;

/* The number of a log file, compacted or not; -1 for other names. */
static int64_t file_number(const char *name, bool *compact)
{
    char digits[24];
    size_t n = strlen(name), n_end = strlen(COMPACT);

    *compact = n > n_end && strcmp(name + n - n_end, COMPACT) == 0;
    if (*compact)
        n -= n_end;
    if (n >= sizeof digits)
        return -1;
    memcpy(digits, name, n);
    digits[n] = '\0';
    return ps_seqlog_number(digits);
}

static ps_status look(const ps_filelog *log, directory *out, ps_error *err)
{
    ps_file_list list = {0};
    ps_status rc;

    *out = (directory){-1, -1, {-1, -1}};
    PS_TRY_OR(done, ps_fs_list(log->fs, log->dir, &list, err));
    for (int i = 0; i < list.n; i++) {
        bool compact;
        int64_t id = file_number(ps_path_name(list.items[i].path), &compact);
        if (id < 0)
            continue;
        if (out->first < 0 || id < out->first)
            out->first = id;
        if (id > out->latest)
            out->latest = id;
        if (compact && id > out->compacts[0]) {
            out->compacts[1] = out->compacts[0];
            out->compacts[0] = id;
        } else if (compact && id > out->compacts[1]) {
            out->compacts[1] = id;
        }
    }
done:
    ps_file_list_clear(&list);
    return rc;
}

/* The interval that the compacted files were written with. */
static int64_t derive_interval(const directory *found, int64_t fallback)
{
    int64_t n = found->compacts[0] + 1, divisor, other;

    if (found->compacts[0] < 0)
        return fallback;
    if (found->compacts[1] >= 0)
        return found->compacts[0] - found->compacts[1];
    if (n <= fallback)
        return n;
    if (fallback >= n / 2)
        return n;
    /* The smallest divisor of n that is no less than the configured interval: up to the root of n, or else it is the
     * partner of one below. */
    for (divisor = fallback; divisor <= n / divisor; divisor++)
        if (n % divisor == 0)
            return divisor;
    for (other = n / divisor; n % other != 0; other--) {
    }
    return n / other;
}

static bool is_compact(const ps_filelog *log, int64_t id)
{
    return (id + 1) % log->interval == 0;
}

/* Where a reader of everything up to `latest` begins: the last compacted entry, or the first of all.  A sink's log begins
 * late when the query wrote elsewhere before. */
static int64_t first_to_read(const ps_filelog *log, int64_t latest)
{
    int64_t first = (latest + 1) / log->interval * log->interval - 1;

    if (first < 0)
        first = 0;
    return log->options.kind == PS_FILELOG_SINK && log->first > first ? log->first : first;
}

ps_status ps_filelog_open(ps_fs *fs, ps_clock *clock, const char *dir, const ps_filelog_options *options, ps_filelog **out,
                          ps_error *err)
{
    directory found;
    ps_filelog *log;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_alloc0(sizeof *log, &log, err));
    log->fs = fs;
    log->clock = clock;
    log->options = *options;
    PS_TRY_OR(fail, ps_strdup(dir, &log->dir, err));
    PS_TRY_OR(fail, look(log, &found, err));
    log->interval = derive_interval(&found, options->compact_interval > 0 ? options->compact_interval : 1);
    log->latest = found.latest;
    log->first = found.first;
    *out = log;
    return PS_OK;
fail:
    ps_filelog_close(log);
    return rc;
}

void ps_filelog_close(ps_filelog *log)
{
    if (log == NULL)
        return;
    ps_free(log->dir);
    ps_free(log);
}

ps_status ps_filelog_make_dir(ps_filelog *log, ps_error *err)
{
    if (!log->dir_made)
        PS_TRY(ps_fs_make_dirs(log->fs, log->dir, err));
    log->dir_made = true;
    return PS_OK;
}

int64_t ps_filelog_latest(const ps_filelog *log)
{
    return log->latest;
}

int64_t ps_filelog_interval(const ps_filelog *log)
{
    return log->interval;
}

static ps_status file_path(const ps_filelog *log, int64_t id, char **out, ps_error *err)
{
    char name[40];

    snprintf(name, sizeof name, "%lld%s", (long long)id, is_compact(log, id) ? COMPACT : "");
    return ps_path_join(log->dir, name, out, err);
}

/* ---- reading ---- */

/* Calls visit(line) for each line of the file of `id`; PS_E_FILE_NOT_FOUND when there is none. */
static ps_status visit_file(ps_filelog *log, int64_t id, psi_visit *visit, void *arg, ps_error *err)
{
    ps_bytes text = {0};
    char *path = NULL;
    ps_lines lines;
    ps_slice line;
    ps_status rc;
    int version;

    PS_TRY_OR(done, file_path(log, id, &path, err));
    PS_TRY_OR(done, ps_fs_read_all(log->fs, path, &text, err));
    lines = ps_lines_of(ps_bytes_slice(&text));
    PS_TRY_OR(done, ps_lines_version(&lines, path, 1, &version, err));
    while (ps_lines_next(&lines, &line)) {
        if (line.n_bytes > 0)
            PS_TRY_OR(done, visit(arg, line, path, err));
    }
done:
    ps_bytes_clear(&text);
    ps_free(path);
    return rc;
}

/* Everything retained up to entry `latest`. */
static ps_status visit_all(ps_filelog *log, int64_t latest, psi_visit *visit, void *arg, ps_error *err)
{
    for (int64_t id = first_to_read(log, latest); id <= latest; id++) {
        ps_status rc = visit_file(log, id, visit, arg, err);
        if (rc == PS_E_FILE_NOT_FOUND)
            return ps_raise(err, PS_E_LOG_ENTRY_MISSING, (long long)id);
        PS_TRY(rc);
    }
    return PS_OK;
}

ps_status ps_filelog_all(ps_filelog *log, ps_file_entries *out, ps_error *err)
{
    psi_collect collect = {.log = log, .out = out, .first = 0, .last = INT64_MAX};
    int n_before = out->n;

    for (;;) {
        directory found;
        int64_t seen = first_to_read(log, log->latest);
        ps_status rc = visit_all(log, log->latest, psi_collect_line, &collect, err);
        if (rc != PS_E_LOG_ENTRY_MISSING)
            return rc;
        /* Another process may have compacted and removed what was about to be read: look again. */
        while (out->n > n_before)
            ps_free(out->items[--out->n].path);
        PS_TRY(look(log, &found, err));
        log->latest = found.latest > log->latest ? found.latest : log->latest;
        if (first_to_read(log, log->latest) <= seen)
            return rc;
    }
}

/* What entries first..last introduced, from the compacted file that swallowed them. */
static ps_status get_from_all(ps_filelog *log, int64_t id, ps_file_entries *out, ps_error *err)
{
    psi_collect collect = {.log = log, .out = out, .first = id, .last = id};
    int n_before = out->n;

    if (log->latest >= id)
        PS_TRY(visit_all(log, log->latest, psi_collect_line, &collect, err));
    return out->n > n_before ? PS_OK : ps_raise(err, PS_E_LOG_ENTRY_MISSING, (long long)id);
}

ps_status ps_filelog_get(ps_filelog *log, int64_t first, int64_t last, ps_file_entries *out, ps_error *err)
{
    for (int64_t id = first; id <= last; id++) {
        psi_collect collect = {.log = log, .out = out, .first = id, .last = id};
        ps_status rc = visit_file(log, id, psi_collect_line, &collect, err);
        if (rc == PS_E_FILE_NOT_FOUND)
            rc = get_from_all(log, id, out, err);
        PS_TRY(rc);
    }
    return PS_OK;
}

/* ---- writing ---- */

/* Removes files that a later compacted one has swallowed, when there are enough newer entries and the file is old. */
static ps_status remove_old(ps_filelog *log, int64_t id, ps_error *err)
{
    int64_t keep_from = id + 1 - log->options.min_to_retain, limit, now, left = -1;
    ps_file_list list = {0};
    ps_status rc;

    if (!log->options.deletion || log->interval > keep_from)
        return PS_OK;
    limit = keep_from - keep_from % log->interval - 1; /* a compacted entry, which stays */
    if (log->first < 0 || log->first >= limit)
        return PS_OK;
    now = ps_clock_now_ms(log->clock);
    PS_TRY_OR(done, ps_fs_list(log->fs, log->dir, &list, err));
    for (int i = 0; i < list.n; i++) {
        bool compact;
        int64_t number = file_number(ps_path_name(list.items[i].path), &compact);
        if (number < 0)
            continue;
        if (number < limit && now - list.items[i].mtime_ms > log->options.cleanup_delay_ms)
            PS_TRY_OR(done, ps_fs_remove(log->fs, list.items[i].path, err));
        else if (left < 0 || number < left)
            left = number;
    }
    log->first = left;
done:
    ps_file_list_clear(&list);
    return rc;
}

ps_status ps_filelog_add(ps_filelog *log, int64_t id, const ps_file_entry *items, int n, ps_error *err)
{
    ps_bytes text = {0};
    char *path = NULL;
    ps_status rc;

    PS_TRY_OR(done, ps_filelog_make_dir(log, err));
    PS_TRY_OR(done, ps_bytes_text(&text, "v1", err));
    if (is_compact(log, id)) {
        psi_retain retain = {.log = log, .out = &text, .now_ms = ps_clock_now_ms(log->clock)};
        PS_TRY_OR(done, visit_all(log, id - 1, psi_retain_line, &retain, err));
    }
    for (int i = 0; i < n; i++)
        PS_TRY_OR(done, psi_write_entry(log, id, &items[i], &text, err));
    PS_TRY_OR(done, file_path(log, id, &path, err));
    PS_TRY_OR(done, PS_FAILPOINT("log.files_add", err));
    rc = ps_fs_write_atomic(log->fs, path, text.data, text.n_bytes, true, log->options.sync, err);
    if (rc == PS_E_FILE_EXISTS) {
        rc = ps_raise(err, log->options.kind == PS_FILELOG_SOURCE ? PS_E_LOG_CONCURRENT : PS_E_LOG_RACE,
                      (long long)id);
    }
    if (rc != PS_OK)
        goto done;
    log->latest = id;
    if (log->first < 0)
        log->first = id;
    rc = remove_old(log, id, err);
done:
    ps_bytes_clear(&text);
    ps_free(path);
    return rc;
}
