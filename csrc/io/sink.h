/*
 * io/sink.h - the contract of a sink: a row of sinks.def each.
 *
 * For every micro-batch: begin(batch id), write() any number of times, then commit() or abort().  A repeated
 * batch id must be harmless: it replaces, or is skipped.  A sink belongs to its query's thread.
 */
#ifndef PS_IO_SINK_H
#define PS_IO_SINK_H
#include "base/clock.h"
#include "base/fs.h"
#include "base/option.h"
#include "col/batch.h"
#include "col/time.h"

typedef enum ps_mode { PS_APPEND, PS_UPDATE, PS_COMPLETE } ps_mode;
bool ps_mode_parse(const char *text, ps_mode *out); /* any case */
const char *ps_mode_name(ps_mode mode);             /* "append" */

typedef struct ps_sink ps_sink;
struct ps_batch_run; /* query/batch_run.h: a micro-batch that has yet to be computed; opaque here */

typedef struct ps_sink_request {
    const char *format;
    const ps_options *options;   /* with "path" */
    const char *const *partition_by;
    int n_partition_by;
    ps_mode mode;
    const ps_type *schema;       /* STRUCT of the result; names as the user sees them */
    const ps_conf *conf;
    const ps_zone *zone;
    const char *query_name;      /* or NULL */
    const char *query_id;        /* a stream's: the same in every run of its checkpoint; or NULL */
    ps_fs *fs;
    ps_clock *clock;
    bool sync;
    const char *checkpoint_dir;  /* a stream's, or NULL: a sink may keep what it must know again after a crash below it */
    int64_t rerun_batch;         /* the batch that an earlier run logged and perhaps gave to the sink, -1: none */
    ps_status (*check)(void *self, ps_error *err); /* raises when the query or action is to end: for who waits; or NULL */
    void *check_self;
    bool batch;                  /* df.write instead of a stream; then `save_mode` */
    const char *save_mode;       /* append, overwrite, ignore, error */
    struct ps_callback *callback; /* foreach, foreachBatch, console: calls into the host language; borrowed */
    struct ps_memory_table *table; /* memory: where rows go; borrowed */
} ps_sink_request;

/* The host language (the binding, or a C test) as the callback sinks see it.  Called on the query's thread.
 * An error that the host keeps sets err->foreign. */
typedef struct ps_callback {
    void *self;
    /* console: a piece of text for sys.stdout. */
    ps_status (*print)(void *self, ps_slice text, ps_error *err);
    /* foreachBatch: `run` computes the batch (query/batch_run.h); the host may call it or not. */
    ps_status (*batch)(void *self, int64_t batch_id, struct ps_batch_run *run, ps_error *err);
    /* foreach: open/process/close of one batch, rows as a batch of columns; `last` ends it, `failed` tells that the plan failed. */
    ps_status (*rows_open)(void *self, int64_t batch_id, ps_error *err);
    ps_status (*rows)(void *self, ps_batch *batch, ps_error *err);
    ps_status (*rows_close)(void *self, bool failed, ps_error *err);
} ps_callback;

/* What a streaming query must name for a sink. */
typedef enum ps_sink_needs {
    PS_SINK_NOTHING,             /* without a checkpoint location a temporary one will do */
    PS_SINK_CHECKPOINT,
    PS_SINK_PATH                 /* and a checkpoint location */
} ps_sink_needs;

typedef struct ps_sink_row {
    const char *name;
    bool streaming, batch;
    unsigned modes;              /* 1 << PS_APPEND | ... */
    ps_sink_needs needs;
    bool partition_by;           /* may be partitioned */
    ps_status (*open)(const ps_sink_request *request, ps_sink **out, ps_error *err);
    const char *missing;
} ps_sink_row;
const ps_sink_row *ps_sink_find(ps_slice name);
/* The columns of partitionBy() against the result: known, of a plain type, and not all there are. */
ps_status ps_sink_check_partitions(const ps_type *schema, const char *const *partition_by, int n, ps_error *err);

typedef struct ps_sink_vt {
    /* *skip: the sink holds this batch already; nothing will be written and neither commit nor abort called.  Nor is abort
     * called when begin fails: the run ends, and close() undoes what there is to undo. */
    ps_status (*begin)(ps_sink *sink, int64_t batch_id, bool *skip, ps_error *err);
    ps_status (*write)(ps_sink *sink, ps_batch *batch, ps_error *err);
    ps_status (*commit)(ps_sink *sink, int64_t batch_id, ps_error *err);
    void (*abort)(ps_sink *sink, int64_t batch_id);
    void (*close)(ps_sink *sink);
    /* foreachBatch: instead of begin/write/commit the whole batch is handed over. NULL for all others. */
    ps_status (*pull)(ps_sink *sink, int64_t batch_id, struct ps_batch_run *run, ps_error *err);
} ps_sink_vt;
struct ps_sink {
    const ps_sink_vt *vt;
    char *description;           /* progress: ForeachBatchSink; owned */
    bool counts_rows;            /* progress numOutputRows, else -1 */
    int64_t n_rows_out;          /* of the current batch */
    int64_t batch_id;
};

/* The memory sink's rows: shared with the temporary view of the query's name.  @thread any. */
typedef struct ps_memory_table ps_memory_table;
ps_status ps_memory_table_new(const ps_type *schema, ps_memory_table **out, ps_error *err);
ps_memory_table *ps_memory_table_ref(ps_memory_table *table);
void ps_memory_table_unref(ps_memory_table *table);
/* A consistent snapshot: references of the batches it held. */
ps_status ps_memory_table_snapshot(ps_memory_table *table, ps_batches *out, ps_error *err);
const ps_type *ps_memory_table_schema(const ps_memory_table *table);
#endif
