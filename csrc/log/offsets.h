/*
 * log/offsets.h - the write-ahead log: what batch N is, fixed before it runs.
 *
 * offsets/N holds how far each source is read by batch N, the watermark and the time the batch sees, and the confs
 * that must not change while the checkpoint lives:
 *
 *     v1
 *     {"batchWatermarkMs":0,"batchTimestampMs":1710305994254,"conf":{"spark.sql.shuffle.partitions":"200",...}}
 *     {"logOffset":3}
 *     -
 *
 * One line per source in the order of the plan, "-" for one that has no offset yet.  Version 2 names the sources
 * ("0:{...}"); a checkpoint goes on in the version it has.  An offset is its source's own JSON, kept as text.
 */
#ifndef PS_LOG_OFFSETS_H
#define PS_LOG_OFFSETS_H
#include "base/option.h"
#include "log/seqlog.h"

typedef struct ps_source_offset {
    char *source; /* version 2: the source's id; version 1: its position as text */
    char *offset; /* NULL: none yet */
} ps_source_offset;

/* One entry.  Zeroed by {0}; owns what it holds. */
typedef struct ps_offsets {
    int version;             /* 1 or 2 */
    bool has_metadata;       /* false: the metadata line is empty, as 2.1 wrote it */
    int64_t watermark_ms;
    int64_t timestamp_ms;
    ps_options conf;
    char *source_metadata;   /* version 2: the object "sourceMetadataInfo" as text; NULL for {} */
    ps_source_offset *items;
    int n, capacity;
} ps_offsets;

void ps_offsets_clear(ps_offsets *offsets);
/* Adds the next source; copies.  source NULL: its position, offset NULL: none yet. */
ps_status ps_offsets_push(ps_offsets *offsets, const char *source, const char *offset, ps_error *err);

ps_status ps_offsets_write(const ps_offsets *offsets, ps_bytes *out, ps_error *err);
/* `path` is for messages.  *out must be zeroed, and is to be cleared even after a failure. */
ps_status ps_offsets_read(ps_slice text, const char *path, ps_offsets *out, ps_error *err);

/* The same by way of the log.  ps_offsets_get raises "batch N doesn't exist" unless `found` is given. */
ps_status ps_offsets_add(ps_seqlog *log, int64_t id, const ps_offsets *offsets, ps_error *err);
ps_status ps_offsets_get(ps_seqlog *log, int64_t id, ps_offsets *out, bool *found, ps_error *err);

/* What a query runs with: sets each pinned conf of `conf` to what `recorded` has; one it lacks gets the value that
 * releases without it behaved by.  recorded NULL, or without metadata: `conf` stays. */
ps_status ps_pin_confs(const ps_offsets *recorded, ps_conf *conf, ps_error *err);
/* Fills offsets->conf with the pinned confs of `conf`. */
ps_status ps_record_confs(const ps_conf *conf, ps_offsets *offsets, ps_error *err);
#endif
