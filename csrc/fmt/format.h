/*
 * fmt/format.h - file formats: bytes to batches and back.  A row of formats.def each.
 *
 * A reader is made once per scan and worker, then opened on one file after another; next() gives batches until the
 * file ends.  Bad records are the format's business (mode PERMISSIVE, DROPMALFORMED, FAILFAST; sources-sinks.md C),
 * bytes that cannot be read or unpacked are an error.  A writer turns batches into the bytes of one file.
 */
#ifndef PS_FMT_FORMAT_H
#define PS_FMT_FORMAT_H
#include "base/fs.h"
#include "base/option.h"
#include "col/batch.h"
#include "col/time.h"

/* What a reader or writer is made from; borrowed for its life. */
typedef struct ps_format_args {
    const ps_type *schema;    /* reading: STRUCT of the columns wanted, in output order (pruned already; may be
                               * empty: then batches have rows and no columns); writing: of the columns given */
    const ps_type *full_schema; /* reading: before pruning (CSV positions, corrupt-record rules); NULL = schema */
    const ps_options *options;
    const ps_conf *conf;
    const ps_zone *zone;      /* session zone; the option timeZone wins */
} ps_format_args;

typedef struct ps_reader ps_reader;
typedef struct ps_writer ps_writer;

typedef struct ps_format {
    const char *name;
    const char *extension;    /* of written files, ".json" */
    /* All options are checked here, before any file is touched. */
    ps_status (*reader_new)(const ps_format_args *args, ps_reader **out, ps_error *err);
    ps_status (*writer_new)(const ps_format_args *args, ps_writer **out, ps_error *err);
    /* Schema from samples (spark.read without schema): reads the given files. NULL: not for this format. */
    ps_status (*infer)(const ps_format_args *args, ps_fs *fs, const char *const *paths, int n_paths, const ps_type **out, ps_error *err);
    const char *missing;      /* non-NULL: the extra or library that this format needs and this build lacks */
} ps_format;
const ps_format *ps_format_find(ps_slice name); /* any case; NULL */

/* Reading.  `vt` first, so each format extends the struct. */
typedef struct ps_reader_vt {
    ps_status (*open)(ps_reader *reader, ps_fs *fs, const char *path, ps_error *err);
    ps_status (*next)(ps_reader *reader, ps_batch **out, ps_error *err); /* NULL: the file has ended */
    void (*close)(ps_reader *reader);  /* the file; also after an error; twice is harmless */
    void (*free)(ps_reader *reader);
    /* Values of a string vector instead of a file (from_json, from_csv): *out has rows->n_rows rows, defined on the live
     * ones, of the type of args->schema (json: a struct, an array or a map).  NULL: not for this format. */
    ps_status (*parse)(ps_reader *reader, ps_vec *text, const ps_rows *rows, ps_vec **out, ps_error *err);
} ps_reader_vt;
struct ps_reader { const ps_reader_vt *vt; };

typedef struct ps_writer_vt {
    ps_status (*begin)(ps_writer *writer, ps_bytes *out, ps_error *err);                   /* a file begins: header */
    ps_status (*write)(ps_writer *writer, const ps_batch *batch, ps_bytes *out, ps_error *err);
    ps_status (*end)(ps_writer *writer, ps_bytes *out, ps_error *err);
    void (*free)(ps_writer *writer);
} ps_writer_vt;
struct ps_writer { const ps_writer_vt *vt; };
#endif
