/*
 * log/seqlog.h - a directory of numbered files, each made once, whole, and never changed.
 *
 * `offsets/`, `commits/` and the private logs of sources are such directories: entry N is the file named N.  A file
 * appears under its name complete or not at all, and two writers of one number cannot both succeed, which is what
 * makes a query's batches happen once.  Other names, hidden files among them, are passed over.
 *
 * The text of an entry is lines parted by LF without one at the end; the first is its version, "v1".  This header
 * also has what every reader of such a text needs: the version check with Spark's errors, and the next line.
 *
 * Threads: a log belongs to one thread.
 */
#ifndef PS_LOG_SEQLOG_H
#define PS_LOG_SEQLOG_H
#include "base/fs.h"
#include "base/json.h"

typedef struct ps_seqlog ps_seqlog;

/* Borrows fs for the log's life; makes the directory with the first ps_seqlog_add() or ps_seqlog_make_dir().
 * sync: entries survive a loss of power. */
ps_status ps_seqlog_open(ps_fs *fs, const char *dir, bool sync, ps_seqlog **out, ps_error *err);
ps_status ps_seqlog_make_dir(ps_seqlog *log, ps_error *err);
void ps_seqlog_close(ps_seqlog *log); /* accepts NULL */

/* Fails with CONCURRENT_STREAM_LOG_UPDATE when the entry is there already. */
ps_status ps_seqlog_add(ps_seqlog *log, int64_t id, ps_slice text, ps_error *err);
/* Appends the entry's text to out; *found false when there is none. */
ps_status ps_seqlog_get(ps_seqlog *log, int64_t id, ps_bytes *out, bool *found, ps_error *err);
/* The highest and the lowest number there is, -1 when the log is empty; either may be NULL. */
ps_status ps_seqlog_range(ps_seqlog *log, int64_t *first, int64_t *last, ps_error *err);
/* Removes every entry below `before`, with Hadoop's hidden checksums beside them.  The place of one is kept for the entry
 * that is added next (ps_fs_retire); after a loss of power it may be back under its old number with the new text, which is
 * no harm: nothing reads what is this old. */
ps_status ps_seqlog_purge(ps_seqlog *log, int64_t before, ps_error *err);
/* The path of an entry, for messages and other files of the directory; owned by the caller. */
ps_status ps_seqlog_path(const ps_seqlog *log, int64_t id, char **out, ps_error *err);

/* The number that a file name spells, or -1 when it is none, or one that no query lives to see. */
#define PS_SEQLOG_MAX ((int64_t)1 << 48)
int64_t ps_seqlog_number(const char *name);

/* A time in milliseconds; false unless an integer that is one in microseconds too. */
bool ps_log_time(const ps_json *node, int64_t *out_ms);

/* Takes the next line from *rest; false at the end.  An empty text has no line, "a\n" has two. */
typedef struct ps_lines { ps_slice rest; bool ended; } ps_lines;
ps_lines ps_lines_of(ps_slice text);
bool ps_lines_next(ps_lines *lines, ps_slice *out);

/* Takes the version line of an entry read from `path`.  An empty text raises "Incomplete log file", a line that is no
 * version MALFORMED_LOG_FILE, a version above `max` INVALID_LOG_VERSION.MAX_SUPPORTED_VERSION. */
ps_status ps_lines_version(ps_lines *lines, const char *path, int max, int *version, ps_error *err);
#endif
