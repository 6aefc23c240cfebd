/*
 * tests/fuzz/fuzz_log.c - a checkpoint's logs are foreign bytes: an entry is an error, or it says the same when it is
 * written and read again.
 *
 * The first byte chooses the log, the second of a log of files its interval.  There the first line is the name of the file
 * that has the rest, since the names of the files are read too.
 */
#include "fuzz.h"
#include "log/commits.h"
#include "log/filelog.h"
#include "log/meta.h"
#include "log/offsets.h"

static char dir[64];

static void put(const char *name, const void *data, size_t n_bytes)
{
    char path[400];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    MUST(ps_fs_write_atomic(ps_fs_local(), path, data, n_bytes, false, false, &err) == PS_OK);
}

static ps_seqlog *open_seqlog(void)
{
    ps_seqlog *log;

    MUST(ps_seqlog_open(ps_fs_local(), dir, false, &log, &err) == PS_OK);
    return log;
}

/* --- offsets ------------------------------------------------------------------------------------------------ */

/* An offset that is an empty line is lost at the end of a file, where an editor's last line feed is forgiven. */
static bool has_empty(const ps_offsets *entry)
{
    for (int i = 0; i < entry->n; i++)
        if (entry->items[i].offset && !entry->items[i].offset[0])
            return true;
    return false;
}

static void try_offsets(ps_slice text)
{
    ps_offsets entry = {0}, again = {0};
    ps_bytes first = {0}, second = {0};
    ps_conf conf = {0};

    if (ps_offsets_read(text, "it", &entry, &err) == PS_OK) {
        ps_pin_confs(&entry, &conf, &err);
        ps_conf_clear(&conf);
        MUST(ps_offsets_write(&entry, &first, &err) == PS_OK);
        MUST(ps_offsets_read(ps_bytes_slice(&first), "it", &again, &err) == PS_OK);
        MUST(again.watermark_ms == entry.watermark_ms && again.timestamp_ms == entry.timestamp_ms);
        MUST(has_empty(&entry) || again.n == entry.n);
        MUST(ps_offsets_write(&again, &second, &err) == PS_OK);
        MUST(has_empty(&entry) || ps_slice_equal(ps_bytes_slice(&first), ps_bytes_slice(&second)));
    }
    ps_offsets_clear(&entry);
    ps_offsets_clear(&again);
    ps_bytes_clear(&first);
    ps_bytes_clear(&second);
}

/* --- commits, identity ----------------------------------------------------------------------------------------- */

static void try_commits(ps_slice text)
{
    ps_seqlog *log = open_seqlog();
    int64_t next, again;
    bool found;

    put("0", text.data, text.n_bytes);
    if (ps_commits_get(log, 0, &next, &found, &err) == PS_OK) {
        MUST(found);
        MUST(ps_commits_add(log, 1, next, &err) == PS_OK);
        MUST(ps_commits_get(log, 1, &again, &found, &err) == PS_OK && found && again == next);
    }
    ps_seqlog_close(log);
}

static void try_identity(ps_slice text)
{
    char id[PS_QUERY_ID_SIZE];

    put("metadata", text.data, text.n_bytes);
    if (ps_meta_open(ps_fs_local(), dir, false, true, id, &err) == PS_OK) /* it goes into JSON and messages as it is */
        MUST(strspn(id, "0123456789abcdefABCDEF-") == strlen(id) && id[0]);
}

/* --- files ----------------------------------------------------------------------------------------------------- */

static void try_numbers(void)
{
    ps_seqlog *log = open_seqlog();
    int64_t first, last;

    MUST(ps_seqlog_range(log, &first, &last, &err) == PS_OK);
    MUST(first <= last && (first < 0) == (last < 0));
    ps_seqlog_close(log);
}

static void try_files(ps_filelog_kind kind, int interval)
{
    ps_filelog_options options = {.kind = kind, .compact_interval = interval, .deletion = true, .min_to_retain = 1, .retention_ms = kind == PS_FILELOG_SINK ? 1000 : -1};
    ps_file_entries found = {0}, again = {0};
    ps_filelog *log;
    int64_t latest;
    bool whole;

    MUST(ps_filelog_open(ps_fs_local(), ps_clock_system(), dir, &options, &log, &err) == PS_OK);
    MUST(ps_filelog_interval(log) > 0);
    latest = ps_filelog_latest(log);
    whole = ps_filelog_all(log, &found, &err) == PS_OK;
    for (int i = 0; i < found.n; i++)
        MUST(found.items[i].path);
    if (latest >= 0)
        ps_filelog_get(log, latest, latest, &again, &err);
    ps_file_entries_clear(&again);
    if (latest < INT64_MAX && ps_filelog_add(log, latest + 1, found.items, whole ? found.n : 0, &err) == PS_OK && whole)
        MUST(ps_filelog_all(log, &again, &err) == PS_OK);
    ps_file_entries_clear(&found);
    ps_file_entries_clear(&again);
    ps_filelog_close(log);
}

/* Takes the first line as the name of a file for the rest; false when no file can have that name. */
static bool put_named(ps_slice rest)
{
    const char *end = rest.n_bytes ? memchr(rest.data, '\n', rest.n_bytes) : NULL;
    char name[256];
    size_t n = end ? (size_t)(end - rest.data) : 0;

    if (n == 0 || n >= 200 || memchr(rest.data, '/', n) || memchr(rest.data, '\0', n) || rest.data[0] == '.')
        return false;
    snprintf(name, sizeof name, "%.*s", (int)n, rest.data);
    put(name, end + 1, rest.n_bytes - n - 1);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    ps_slice rest = {(const char *)data + 2, n_bytes - 2};

    if (n_bytes < 2)
        return 0;
    if (!dir[0])
        snprintf(dir, sizeof dir, "/dev/shm/fuzz_log.%d", (int)getpid());
    ps_fs_remove_tree(ps_fs_local(), dir, &err);
    MUST(ps_fs_make_dirs(ps_fs_local(), dir, &err) == PS_OK);
    switch (data[0] % 6) {
    case 0: try_offsets(rest); break;
    case 1: try_commits(rest); break;
    case 2: try_identity(rest); break;
    case 3:
        if (put_named(rest))
            try_numbers();
        break;
    default:
        if (put_named(rest))
            try_files(data[0] % 6 == 4 ? PS_FILELOG_SOURCE : PS_FILELOG_SINK, data[1] % 12 + 1);
        break;
    }
    return 0;
}
