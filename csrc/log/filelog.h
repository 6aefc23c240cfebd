/*
 * log/filelog.h - the log of files: which the file source has seen, and which the file sink has made.
 *
 * Both are directories of numbered entries (log/seqlog.h), one line per file, compacted now and then so that a reader
 * need not open thousands: with an interval c, entry k is written as `k.compact` when (k + 1) mod c = 0 and then holds
 * all that is retained, its own lines last.
 *
 *   source   sources/<i>/       {"path":"file:///in/a%20b.json","timestamp":1480730949000,"batchId":3}
 *   sink     _spark_metadata/   {"path":"file:///out/part-0.json","size":123,"isDir":false,"modificationTime":1700000000000,
 *                                "blockReplication":1,"blockSize":33554432,"action":"add"}        (on one line)
 *
 * The interval is what the existing files show; the configured one counts for a new log alone.  Entries older than
 * the last compacted one are removed once enough newer ones exist.  A log belongs to one thread.
 */
#ifndef PS_LOG_FILELOG_H
#define PS_LOG_FILELOG_H
#include "base/clock.h"
#include "base/fs.h"
#include "base/option.h"

typedef enum ps_filelog_kind { PS_FILELOG_SOURCE, PS_FILELOG_SINK } ps_filelog_kind;

typedef struct ps_filelog_options {
    ps_filelog_kind kind;
    bool sync;
    int64_t compact_interval;  /* of a new log, > 0 */
    bool deletion;             /* superseded files are removed */
    int64_t cleanup_delay_ms;  /* once they are so old */
    int64_t min_to_retain;     /* and so many newer entries exist */
    int64_t retention_ms;      /* sink: files older than this are forgotten; < 0: never */
} ps_filelog_options;
/* The confs spark.sql.streaming.fileSource.log.* or fileSink.log.*, and minBatchesToRetain. */
void ps_filelog_configure(ps_filelog_options *options, ps_filelog_kind kind, const ps_conf *conf, bool sync);

typedef struct ps_file_entry {
    char *path;       /* local and absolute, not encoded; owned */
    int64_t n_bytes;  /* sink only */
    int64_t mtime_ms;
    int64_t batch_id; /* source: the entry that introduced the file */
} ps_file_entry;
/* Zeroed by {0}. */
typedef struct ps_file_entries {
    ps_file_entry *items;
    int n, capacity;
} ps_file_entries;
void ps_file_entries_clear(ps_file_entries *entries);

typedef struct ps_filelog ps_filelog;
/* Looks at what the directory holds; a missing one is an empty log and is made by ps_filelog_make_dir() or the first
 * add.  Borrows fs and clock. */
ps_status ps_filelog_open(ps_fs *fs, ps_clock *clock, const char *dir, const ps_filelog_options *options, ps_filelog **out,
                          ps_error *err);
ps_status ps_filelog_make_dir(ps_filelog *log, ps_error *err);
void ps_filelog_close(ps_filelog *log); /* accepts NULL */

int64_t ps_filelog_latest(const ps_filelog *log); /* the highest entry, -1 when there is none */
int64_t ps_filelog_interval(const ps_filelog *log);

/* Writes entry `id`, which must be above the latest.  Fails when it exists: the source's log with
 * CONCURRENT_STREAM_LOG_UPDATE, the sink's with "Race while writing batch". */
ps_status ps_filelog_add(ps_filelog *log, int64_t id, const ps_file_entry *items, int n, ps_error *err);
/* The files that entries first..last introduced, in order (source logs).  Raises "batch k doesn't exist" when the log
 * knows nothing of one of them. */
ps_status ps_filelog_get(ps_filelog *log, int64_t first, int64_t last, ps_file_entries *out, ps_error *err);
/* All files that are retained, in order of their entries. */
ps_status ps_filelog_all(ps_filelog *log, ps_file_entries *out, ps_error *err);
#endif
