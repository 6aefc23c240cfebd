/*
 * io/source.h - the contract of a source: a row of sources.def each.
 *
 * A source is described (options checked, schema known) when the user calls load(), and opened by each query that
 * reads it, with a private directory under the checkpoint.  Offsets are JSON texts that the source alone understands;
 * the engine compares them as text, so a source writes the same offset always in the same way.  The range
 * (from, to] always reads the same rows.  A source belongs to its query's thread; scans of one range may run on several.
 */
#ifndef PS_IO_SOURCE_H
#define PS_IO_SOURCE_H
#include "base/clock.h"
#include "base/fs.h"
#include "base/option.h"
#include "col/batch.h"
#include "col/time.h"

typedef struct ps_source_info ps_source_info; /* a described relation: shared by reference, in plan nodes */
typedef struct ps_source ps_source;           /* one query's open source */
typedef struct ps_scan ps_scan;               /* one range being read */

/* --- describing -------------------------------------------------------------------------------------- */
typedef struct ps_source_request {
    const char *format;        /* "json", "rate", ... */
    const ps_options *options; /* with "path" */
    const char *const *paths;  /* batch readers may give several; NULL-free */
    int n_paths;
    const ps_type *schema;     /* the user's, or NULL */
    const ps_conf *conf;
    bool streaming;
    ps_fs *fs;
    ps_clock *clock;
    void *object;              /* memory source: its ps_memory_feed, borrowed */
} ps_source_request;

typedef struct ps_source_row {
    const char *name;
    bool batch, streaming;     /* what it can be read as */
    ps_status (*describe)(const ps_source_request *request, ps_source_info **out, ps_error *err);
    const char *missing;       /* the extra it needs, or NULL */
} ps_source_row;
const ps_source_row *ps_source_find(ps_slice name);

/* Finds the row, checks batch/streaming, describes.  DATA_SOURCE_NOT_FOUND names the nearest. */
ps_status ps_source_describe(const ps_source_request *request, ps_source_info **out, ps_error *err);

/* --- a described source -------------------------------------------------------------------------------- */
/* Whom a source tells, from any thread and with no lock held, that there is something to read: so that a query which
 * pauses after an idle trigger need not wait for the end of the pause.  All NULL: nobody. */
typedef struct ps_source_waker {
    void *self;
    void *(*ref)(void *self); /* who calls later holds a reference */
    void (*unref)(void *self);
    void (*wake)(void *self);
} ps_source_waker;

typedef struct ps_source_open_args {
    const char *checkpoint_dir; /* <root>/sources/<i>, or NULL for a batch read */
    const ps_conf *conf;
    ps_fs *fs;
    ps_clock *clock;
    bool sync;                  /* durable logs */
    ps_status (*check)(void *self, ps_error *err); /* raises when the query or action is to end: for who waits; or NULL */
    void *check_self;
    ps_source_waker waker;
} ps_source_open_args;

typedef struct ps_source_info_vt {
    ps_status (*open)(ps_source_info *info, const ps_source_open_args *args, ps_source **out, ps_error *err);
    /* A batch read: everything there is now. `wanted[i]`: is column i of schema needed. */
    ps_status (*read_all)(ps_source_info *info, const ps_source_open_args *args, const bool *wanted, ps_scan **out, ps_error *err);
    void (*free)(ps_source_info *info);
} ps_source_info_vt;
struct ps_source_info {
    ps_refs refs;
    const ps_source_info_vt *vt;
    char *name;                /* "FileStreamSource", for plans */
    const ps_type *schema;     /* STRUCT, visible columns; owned */
    const ps_type *hidden;     /* STRUCT of hidden ones (_metadata), or NULL; they follow the visible ones in `wanted` */
    bool streaming;
};
ps_source_info *ps_source_info_ref(ps_source_info *info);
void ps_source_info_unref(ps_source_info *info); /* accepts NULL */

/* --- one query's source ---------------------------------------------------------------------------------- */
typedef struct ps_read_limit { bool all; } ps_read_limit; /* all: ignore maxFilesPerTrigger and the like (trigger once) */

typedef struct ps_source_vt {
    /* How far could a batch from `from` (NULL: nothing read yet) go?  *to = the end offset (owned text), or NULL: nothing
     * known yet.  *head = the real newest position for progress, or NULL. */
    ps_status (*latest)(ps_source *source, const char *from, ps_read_limit limit, char **to, char **head, ps_error *err);
    /* Available-now: freeze the end as of now; later latest() calls go no further. */
    ps_status (*freeze)(ps_source *source, ps_error *err);
    /* Rows of (from, to]; from NULL: since the beginning.  `wanted` as in read_all. */
    ps_status (*read)(ps_source *source, const char *from, const char *to, const bool *wanted, ps_scan **out, ps_error *err);
    /* The batch that ended at `to` is durably done with. */
    ps_status (*commit)(ps_source *source, const char *to, ps_error *err);
    /* A restart: `to` is the end of the newest logged batch. May be NULL. */
    ps_status (*seen)(ps_source *source, const char *to, ps_error *err);
    /* Canonical text of an offset found in a checkpoint (perhaps another engine's). */
    ps_status (*canonical)(ps_source *source, const char *text, char **out, ps_error *err);
    /* Metrics of progress as a JSON object's text, after a batch that ended at `to`; nothing appended: none.  May be NULL. */
    ps_status (*metrics)(ps_source *source, const char *to, ps_bytes *out, ps_error *err);
    /* Wakes a latest() that waits; @thread any. May be NULL. */
    void (*interrupt)(ps_source *source);
    void (*close)(ps_source *source);
} ps_source_vt;
struct ps_source {
    const ps_source_vt *vt;
    char *description;         /* progress: FileStreamSource[file:/in]; owned */
    bool v1;                   /* progress: getOffset/getBatch keys instead of latestOffset (execution.md 6.3) */
};

/* --- reading a range ----------------------------------------------------------------------------------------- */
/* A scan is a list of slices (files, partitions) that may be read on several threads, each by a cursor of its own. */
typedef struct ps_cursor ps_cursor;
typedef struct ps_scan_vt {
    ps_status (*cursor)(ps_scan *scan, ps_cursor **out, ps_error *err); /* @thread any */
    void (*free)(ps_scan *scan);
} ps_scan_vt;
struct ps_scan {
    const ps_scan_vt *vt;
    int64_t n_slices;          /* 0: no rows at all */
};
typedef struct ps_cursor_vt {
    ps_status (*seek)(ps_cursor *cursor, int64_t slice, ps_error *err);
    /* Columns in schema order, wanted ones only (unwanted places are absent).  NULL: the slice has ended. */
    ps_status (*next)(ps_cursor *cursor, ps_batch **out, ps_error *err);
    void (*free)(ps_cursor *cursor);
} ps_cursor_vt;
struct ps_cursor { const ps_cursor_vt *vt; };

/* --- the memory source of tests and MemoryStream --------------------------------------------------------------- */
typedef struct ps_memory_feed ps_memory_feed; /* rows pushed by any thread; shared by reference */
ps_status ps_memory_feed_new(const ps_type *schema, ps_memory_feed **out, ps_error *err);
ps_memory_feed *ps_memory_feed_ref(ps_memory_feed *feed);
void ps_memory_feed_unref(ps_memory_feed *feed);
/* One addData: returns the offset it made.  Copies the batch.  @thread any */
ps_status ps_memory_feed_add(ps_memory_feed *feed, ps_batch *batch, int64_t *offset, ps_error *err);
/* The run modes of tests, for all feeds: blocks are cut into slices of so many rows (0: not at all), and their columns
 * arrive sliced, as dictionaries and constants, under a selection. */
void ps_memory_feed_mode(int64_t slice_rows, bool shaped);
#endif
