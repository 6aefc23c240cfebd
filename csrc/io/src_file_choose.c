/*
 * io/src_file_choose.c - which files make up the next batch of a stream (sources-sinks.md B.3).
 *
 * Files that were taken are remembered by path, or by name alone, with their modification times; what is older than
 * the newest of them by more than maxFileAge is forgotten, and files as old as that are then passed over.  When a limit
 * cuts a batch short the rest may wait here, which saves listing a large directory for every batch.
 */
#include "base/map.h"
#include "col/text.h"
#include "io/src_file_int.h"
#include <stdlib.h>

struct psi_chooser {
    const psi_stream_options *options;
    ps_map seen;            /* identity -> index into times */
    struct { int64_t *items; int n, capacity; } times;
    int64_t latest_ms, purge_ms;
    ps_file_list unread;    /* in the order of choice, from `next_unread` */
    int next_unread;
};

/* --- options ------------------------------------------------------------------------------------------------ */

/* confs and options are checked when the query runs, not when load() is called (A.2). */
static ps_status read_limits(const ps_options *options, psi_stream_options *out, ps_error *err)
{
    PS_TRY(ps_options_int(options, "maxFilesPerTrigger", 0, 1, INT32_MAX, &out->max_files, err));
    PS_TRY(ps_options_int(options, "maxBytesPerTrigger", 0, 1, INT64_MAX, &out->max_bytes, err));
    if (out->max_files && out->max_bytes)
        return ps_raise(err, PS_E_FILE_LIMITS);
    return ps_options_int(options, "maxCachedFiles", 10000, 0, INT32_MAX, &out->max_cached, err);
}

static ps_status read_clean(const ps_options *options, psi_stream_options *out, ps_error *err)
{
    const char *mode = ps_options_get(options, "cleanSource"), *dir = ps_options_get(options, "sourceArchiveDir");

    if (!mode || ps_stricmp(mode, "off") == 0)
        out->clean = PSI_CLEAN_OFF;
    else if (ps_stricmp(mode, "delete") == 0)
        out->clean = PSI_CLEAN_DELETE;
    else if (ps_stricmp(mode, "archive") == 0)
        out->clean = PSI_CLEAN_ARCHIVE;
    else
        return ps_raise(err, PS_E_CLEAN_MODE, mode);
    if (out->clean != PSI_CLEAN_ARCHIVE)
        return PS_OK;
    if (!dir)
        return ps_raise(err, PS_E_ARCHIVE_MISSING);
    return ps_path_from_uri(dir, &out->archive_dir, err);
}

static ps_status read_rest(const ps_options *options, psi_stream_options *out, ps_error *err)
{
    const char *age = ps_options_get(options, "maxFileAge"), *ratio = ps_options_get(options, "discardCachedInputRatio");

    out->max_age_ms = 7 * 86400000ll;
    if (age && !ps_parse_duration_ms(age, &out->max_age_ms))
        return ps_raise(err, PS_E_BAD_DURATION, age);
    if (out->latest_first && (out->max_files || out->max_bytes))
        out->max_age_ms = INT64_MAX;
    out->discard_ratio = 0.2;
    if (ratio && (!ps_parse_double(ps_slice_of(ratio), &out->discard_ratio) || !(out->discard_ratio >= 0 && out->discard_ratio <= 1)))
        return ps_raise(err, PS_E_OPTION_VALUE, ratio, "discardCachedInputRatio", "a floating-point number between 0.0 and 1.0");
    return PS_OK;
}

ps_status psi_stream_options_read(const psi_files *files, psi_stream_options *out, ps_error *err)
{
    static const char *const forbidden[] = {"modifiedBefore", "modifiedAfter"};
    const ps_options *options = &files->options;

    *out = (psi_stream_options){0};
    for (size_t i = 0; i < PS_COUNT_OF(forbidden); i++)
        if (ps_options_get(options, forbidden[i]))
            return ps_raise(err, PS_E_STREAM_OPTION, forbidden[i]);
    PS_TRY(read_limits(options, out, err));
    PS_TRY(ps_options_bool(options, "latestFirst", false, &out->latest_first, err));
    PS_TRY(ps_options_bool(options, "fileNameOnly", false, &out->name_only, err));
    PS_TRY(read_rest(options, out, err));
    return read_clean(options, out, err);
}

void psi_stream_options_clear(psi_stream_options *options)
{
    ps_free(options->archive_dir);
    *options = (psi_stream_options){0};
}

/* --- what was seen ------------------------------------------------------------------------------------------------ */

ps_status psi_chooser_new(const psi_stream_options *options, psi_chooser **out, ps_error *err)
{
    PS_TRY(ps_alloc0(sizeof **out, out, err));
    (*out)->options = options;
    (*out)->purge_ms = INT64_MIN;
    return PS_OK;
}

static void drop_unread(psi_chooser *chooser)
{
    for (int i = chooser->next_unread; i < chooser->unread.n; i++)
        ps_free(chooser->unread.items[i].path);
    ps_free(chooser->unread.items);
    chooser->unread = (ps_file_list){0};
    chooser->next_unread = 0;
}

void psi_chooser_free(psi_chooser *chooser)
{
    if (!chooser)
        return;
    drop_unread(chooser);
    ps_map_clear(&chooser->seen);
    ps_free(chooser->times.items);
    ps_free(chooser);
}

static ps_slice identity(const psi_chooser *chooser, const char *path)
{
    return ps_slice_of(chooser->options->name_only ? ps_path_name(path) : path);
}

static int64_t *seen_time(const psi_chooser *chooser, ps_slice key)
{
    uintptr_t index = (uintptr_t)ps_map_get(&chooser->seen, key);

    return index ? &chooser->times.items[index - 1] : NULL;
}

ps_status psi_chooser_add(psi_chooser *chooser, const char *path, int64_t mtime_ms, ps_error *err)
{
    ps_slice key = identity(chooser, path);
    int64_t *time = seen_time(chooser, key);

    if (time) {
        *time = mtime_ms;
    } else {
        PS_TRY(PS_PUSH(&chooser->times, mtime_ms, err));
        PS_TRY(ps_map_put(&chooser->seen, key, (void *)(uintptr_t)chooser->times.n, NULL, err));
    }
    if (mtime_ms > chooser->latest_ms)
        chooser->latest_ms = mtime_ms;
    return PS_OK;
}

ps_status psi_chooser_forget(psi_chooser *chooser, ps_error *err)
{
    ps_map kept = {0};
    int64_t *times;
    int n = 0, n_old = 0;
    ps_status rc;

    chooser->purge_ms = chooser->options->max_age_ms == INT64_MAX ? INT64_MIN : chooser->latest_ms - chooser->options->max_age_ms;
    for (int i = 0; i < chooser->times.n; i++)
        n_old += chooser->times.items[i] < chooser->purge_ms;
    if (n_old == 0)
        return PS_OK;
    PS_TRY(ps_alloc((size_t)(chooser->times.n + 1) * sizeof *times, &times, err));
    for (int i = 0; i < chooser->seen.n; i++) {
        const ps_map_entry *entry = &chooser->seen.items[i];
        int64_t time = chooser->times.items[(uintptr_t)entry->value - 1];
        if (time < chooser->purge_ms)
            continue;
        times[n++] = time;
        PS_TRY_OR(fail, ps_map_put(&kept, (ps_slice){entry->key, entry->n_key}, (void *)(uintptr_t)n, NULL, err));
    }
    ps_free(chooser->times.items);
    chooser->times.items = times;
    chooser->times.capacity = chooser->times.n + 1;
    chooser->times.n = n;
    ps_map_clear(&chooser->seen);
    chooser->seen = kept;
    return PS_OK;
fail:
    ps_free(times);
    ps_map_clear(&kept);
    return rc;
}

bool psi_chooser_has_unread(const psi_chooser *chooser) { return chooser->next_unread < chooser->unread.n; }

/* --- choosing ------------------------------------------------------------------------------------------------------- */

static int by_time(const void *a, const void *b)
{
    const ps_file_info *x = a, *y = b;

    if (x->mtime_ms != y->mtime_ms)
        return x->mtime_ms < y->mtime_ms ? -1 : 1;
    return strcmp(x->path, y->path);
}

static int by_time_newest_first(const void *a, const void *b)
{
    const ps_file_info *x = a, *y = b;

    if (x->mtime_ms != y->mtime_ms)
        return x->mtime_ms > y->mtime_ms ? -1 : 1;
    return strcmp(x->path, y->path);
}

/* The new ones of the listed files become the candidates. */
static void take_candidates(psi_chooser *chooser, ps_file_list *listed)
{
    int n = 0;

    drop_unread(chooser);
    for (int i = 0; i < listed->n; i++) {
        ps_file_info *file = &listed->items[i];
        if (file->mtime_ms >= chooser->purge_ms && !seen_time(chooser, identity(chooser, file->path)))
            listed->items[n++] = *file;
        else
            ps_free(file->path);
    }
    listed->n = n;
    if (n > 1)
        qsort(listed->items, (size_t)n, sizeof *listed->items, chooser->options->latest_first ? by_time_newest_first : by_time);
    chooser->unread = *listed;
    *listed = (ps_file_list){0};
}

/* How many of the candidates fit; a byte limit always takes the first, and stops at one that does not fit. */
static int count_fitting(const psi_chooser *chooser, bool no_limit)
{
    const psi_stream_options *options = chooser->options;
    const ps_file_info *files = chooser->unread.items + chooser->next_unread;
    int n_all = chooser->unread.n - chooser->next_unread, n = 0;
    int64_t sum = 0;

    if (no_limit || (!options->max_files && !options->max_bytes))
        return n_all;
    if (options->max_files)
        return options->max_files < n_all ? (int)options->max_files : n_all;
    while (n < n_all && (n == 0 || (files[n].n_bytes <= options->max_bytes && sum <= options->max_bytes - files[n].n_bytes))) {
        sum = sum > INT64_MAX - files[n].n_bytes ? INT64_MAX : sum + files[n].n_bytes;
        n++;
    }
    return n;
}

/* Whether the rest is worth keeping, or the next batch would be too small for it. */
static bool worth_keeping(const psi_chooser *chooser)
{
    const psi_stream_options *options = chooser->options;
    int n = chooser->unread.n - chooser->next_unread;
    double sum = 0;

    if (n == 0 || options->max_cached == 0 || options->latest_first || (!options->max_files && !options->max_bytes))
        return false;
    if (options->max_files)
        return n >= (double)options->max_files * options->discard_ratio;
    for (int i = chooser->next_unread; i < chooser->unread.n; i++)
        sum += (double)chooser->unread.items[i].n_bytes;
    return sum >= (double)options->max_bytes * options->discard_ratio;
}

static void cut_unread(psi_chooser *chooser)
{
    int64_t most = chooser->next_unread + chooser->options->max_cached;

    while (chooser->unread.n > most)
        ps_free(chooser->unread.items[--chooser->unread.n].path);
}

ps_status psi_chooser_next(psi_chooser *chooser, ps_file_list *listed, bool keep_all, bool no_limit, ps_file_list *out, ps_error *err)
{
    int n;

    if (!psi_chooser_has_unread(chooser))
        take_candidates(chooser, listed);
    n = count_fitting(chooser, no_limit);
    for (; n > 0; n--) {
        ps_file_info file = chooser->unread.items[chooser->next_unread];
        PS_TRY(PS_PUSH(out, file, err));
        chooser->next_unread++;
        PS_TRY(psi_chooser_add(chooser, file.path, file.mtime_ms, err));
    }
    if (!keep_all && worth_keeping(chooser))
        cut_unread(chooser);
    else if (!keep_all)
        drop_unread(chooser);
    return psi_chooser_forget(chooser, err);
}
