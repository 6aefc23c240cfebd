/*
 * log/commits.c - entries of the commit log as text.
 */
#include "log/commits.h"
#include "base/failpoint.h"
#include <stdio.h>

#define MAX_VERSION 3

ps_status ps_commits_add(ps_seqlog *log, int64_t id, int64_t next_watermark_ms, ps_error *err)
{
    char text[64];

    snprintf(text, sizeof text, "v1\n{\"nextBatchWatermarkMs\":%lld}", (long long)next_watermark_ms);
    PS_TRY(PS_FAILPOINT("log.commits_add", err));
    return ps_seqlog_add(log, id, ps_slice_of(text), err);
}

static ps_status read_entry(ps_slice text, const char *path, int64_t *next_watermark_ms, ps_error *err)
{
    ps_lines lines = ps_lines_of(text);
    ps_arena arena = {0};
    const ps_json *node;
    ps_json *root;
    ps_slice line;
    ps_status rc;
    int version;

    PS_TRY(ps_lines_version(&lines, path, MAX_VERSION, &version, err));
    if (!ps_lines_next(&lines, &line) || line.n_bytes == 0)
        return PS_OK;
    rc = ps_json_parse(line, &arena, &root, err);
    if (rc == PS_OK) {
        node = ps_json_get(root, "nextBatchWatermarkMs");
        if (root->kind != PS_JSON_OBJECT || (node != NULL && !ps_log_time(node, next_watermark_ms)))
            rc = PS_E_BAD_JSON;
    }
    if (rc == PS_E_BAD_JSON)
        rc = ps_raise(err, PS_E_LOG_DAMAGED, path, "nextBatchWatermarkMs");
    ps_arena_clear(&arena);
    return rc;
}

ps_status ps_commits_get(ps_seqlog *log, int64_t id, int64_t *next_watermark_ms, bool *found, ps_error *err)
{
    ps_bytes text = {0};
    char *path = NULL;
    ps_status rc;

    *next_watermark_ms = 0;
    PS_TRY_OR(done, ps_seqlog_get(log, id, &text, found, err));
    if (*found) {
        PS_TRY_OR(done, ps_seqlog_path(log, id, &path, err));
        rc = read_entry(ps_bytes_slice(&text), path, next_watermark_ms, err);
    }
done:
    ps_bytes_clear(&text);
    ps_free(path);
    return rc;
}
