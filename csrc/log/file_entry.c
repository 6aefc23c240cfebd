/*
 * log/file_entry.c - one line of a file log: JSON to entry and back.
 */
#include "log/filelog_int.h"

/* What Hadoop reports for local files; readers of the log do not use it. */
#define BLOCK_REPLICATION 1
#define BLOCK_SIZE 33554432

void ps_file_entries_clear(ps_file_entries *entries)
{
    for (int i = 0; i < entries->n; i++)
        ps_free(entries->items[i].path);
    ps_free(entries->items);
    *entries = (ps_file_entries){0};
}

/* Reads a line; out->path is a fresh text.  The numbers of the other kind of log stay 0. */
static ps_status parse_line(const ps_filelog *log, ps_slice line, const char *path, ps_file_entry *out, ps_error *err)
{
    bool source = log->options.kind == PS_FILELOG_SOURCE;
    ps_arena arena = {0};
    const ps_json *uri;
    ps_json *root;
    ps_status rc;

    *out = (ps_file_entry){0};
    rc = ps_json_parse(line, &arena, &root, err);
    if (rc != PS_OK) {
        if (rc == PS_E_BAD_JSON)
            rc = ps_raise(err, PS_E_LOG_DAMAGED, path, "a file's entry");
        goto done;
    }
    uri = ps_json_get(root, "path");
    if (uri == NULL || uri->kind != PS_JSON_TEXT ||
        !ps_log_time(ps_json_get(root, source ? "timestamp" : "modificationTime"), &out->mtime_ms) ||
        !ps_json_int(ps_json_get(root, source ? "batchId" : "size"), source ? &out->batch_id : &out->n_bytes)) {
        rc = ps_raise(err, PS_E_LOG_DAMAGED, path, "a file's entry");
        goto done;
    }
    rc = ps_path_from_uri(uri->text.data, &out->path, err);
done:
    ps_arena_clear(&arena);
    return rc;
}

/* Forgotten by the sink's retention. */
static bool is_expired(const ps_filelog *log, const ps_file_entry *entry, int64_t now_ms)
{
    return log->options.retention_ms >= 0 && now_ms - entry->mtime_ms > log->options.retention_ms;
}

ps_status psi_collect_line(void *arg, ps_slice line, const char *path, ps_error *err)
{
    psi_collect *collect = arg;
    const ps_filelog *log = collect->log;
    ps_file_entry entry;
    ps_status rc;
    bool wanted;

    PS_TRY(parse_line(log, line, path, &entry, err));
    if (log->options.kind == PS_FILELOG_SOURCE)
        wanted = entry.batch_id >= collect->first && entry.batch_id <= collect->last;
    else
        wanted = !is_expired(log, &entry, ps_clock_now_ms(log->clock));
    if (!wanted) {
        ps_free(entry.path);
        return PS_OK;
    }
    if ((rc = PS_PUSH(collect->out, entry, err)) != PS_OK)
        ps_free(entry.path);
    return rc;
}

ps_status psi_retain_line(void *arg, ps_slice line, const char *path, ps_error *err)
{
    psi_retain *retain = arg;
    ps_file_entry entry;
    bool expired;

    if (retain->log->options.retention_ms >= 0) {
        PS_TRY(parse_line(retain->log, line, path, &entry, err));
        expired = is_expired(retain->log, &entry, retain->now_ms);
        ps_free(entry.path);
        if (expired)
            return PS_OK;
    }
    PS_TRY(ps_bytes_char(retain->out, '\n', err));
    return ps_bytes_append(retain->out, line.data, line.n_bytes, err);
}

ps_status psi_write_entry(const ps_filelog *log, int64_t id, const ps_file_entry *entry, ps_bytes *out, ps_error *err)
{
    ps_bytes uri = {0};
    ps_status rc;

    PS_TRY_OR(done, ps_path_to_uri(entry->path, true, &uri, err));
    PS_TRY_OR(done, ps_bytes_text(out, "\n{\"path\":", err));
    PS_TRY_OR(done, ps_bytes_json_string(out, ps_bytes_slice(&uri), err));
    if (log->options.kind == PS_FILELOG_SOURCE) {
        rc = ps_bytes_printf(out, err, ",\"timestamp\":%lld,\"batchId\":%lld}", (long long)entry->mtime_ms, (long long)id);
    } else {
        rc = ps_bytes_printf(out, err,
                             ",\"size\":%lld,\"isDir\":false,\"modificationTime\":%lld,\"blockReplication\":%d,"
                             "\"blockSize\":%d,\"action\":\"add\"}",
                             (long long)entry->n_bytes, (long long)entry->mtime_ms, BLOCK_REPLICATION, BLOCK_SIZE);
    }
done:
    ps_bytes_clear(&uri);
    return rc;
}
