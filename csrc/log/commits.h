/*
 * log/commits.h - the completion log: batch N is done, and this is the watermark after it.
 *
 *     v1
 *     {"nextBatchWatermarkMs":1480730949000}
 *
 * Read leniently: the second line may be missing or empty braces, as releases up to 2.3.1 left it; versions 2 and 3
 * say more, which concerns state stores and sinks that are not ours.
 */
#ifndef PS_LOG_COMMITS_H
#define PS_LOG_COMMITS_H
#include "log/seqlog.h"

ps_status ps_commits_add(ps_seqlog *log, int64_t id, int64_t next_watermark_ms, ps_error *err);
/* *found false, and 0, when batch `id` has no entry. */
ps_status ps_commits_get(ps_seqlog *log, int64_t id, int64_t *next_watermark_ms, bool *found, ps_error *err);
#endif
