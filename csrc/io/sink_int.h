/*
 * io/sink_int.h - what the families of sinks share.
 */
#ifndef PS_IO_SINK_INT_H
#define PS_IO_SINK_INT_H
#include "io/sink.h"

typedef ps_status psi_sink_open(const ps_sink_request *request, ps_sink **out, ps_error *err);
psi_sink_open psi_file_sink_open, psi_console_sink_open, psi_memory_sink_open, psi_noop_sink_open, psi_foreach_sink_open,
    psi_foreach_batch_sink_open, psi_connector_open;

/* Where one task writes its files: a directory of partitions, a format, a codec (sink_file_output.c). */
typedef struct psi_outputs psi_outputs;
typedef struct psi_written { char *path; char *final_path; } psi_written; /* owned; equal unless a temporary directory is used */
typedef struct psi_written_list { psi_written *items; int n, capacity; } psi_written_list;

typedef struct psi_outputs_args {
    ps_fs *fs;
    const char *format;
    const ps_options *options;
    const ps_conf *conf;
    const ps_zone *zone;
    const ps_type *schema;         /* of the batches */
    const char *const *partition_by;
    int n_partition_by;
    bool sync;
} psi_outputs_args;
/* Borrows all of args for its life. */
ps_status psi_outputs_new(const psi_outputs_args *args, psi_outputs **out, ps_error *err);
void psi_outputs_free(psi_outputs *outputs); /* accepts NULL */
/* A batch begins: files go to `dir`, their final places are in `final_dir`.  Checks the types of the columns. */
ps_status psi_outputs_begin(psi_outputs *outputs, const char *dir, const char *final_dir, ps_error *err);
ps_status psi_outputs_write(psi_outputs *outputs, ps_batch *batch, ps_error *err);
/* Ends and closes all files: complete and, with sync, durable, their directories too. */
ps_status psi_outputs_finish(psi_outputs *outputs, ps_error *err);
/* The files of the batch so far; they stay the outputs'. */
const psi_written_list *psi_outputs_written(const psi_outputs *outputs);
/* Forgets the batch; `remove`: its files too. */
void psi_outputs_end(psi_outputs *outputs, bool remove);
/* fsync of the directory of a path and of those above it, up to `top`. */
ps_status psi_sync_dirs(ps_fs *fs, const char *path, const char *top, ps_error *err);

/* "name=value" as a directory name (sources-sinks.md G.4). */
ps_status psi_partition_dir(const char *name, const ps_vec *vec, int64_t row, const ps_zone *zone, ps_bytes *out, ps_error *err);
#endif
