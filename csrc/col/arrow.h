/*
 * col/arrow.h - columns in and out through the Arrow C data interface.
 *
 * Export shares the buffers of fixed-width columns and copies what has another layout (booleans, strings); the
 * exported array keeps its vector alive until the consumer releases it, on any thread.  Import copies, so the
 * foreign array may be released at once, and believes nothing: every offset, length and index is checked.
 * (Sizes of foreign buffers are not part of the interface; that they hold `offset + length` rows is trusted.)
 */
#ifndef PS_COL_ARROW_H
#define PS_COL_ARROW_H
#include "col/batch.h"

#ifndef ARROW_C_DATA_INTERFACE /* the ABI, as https://arrow.apache.org/docs/format/CDataInterface.html fixes it */
#define ARROW_C_DATA_INTERFACE
#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4
struct ArrowSchema {
    const char *format, *name, *metadata;
    int64_t flags, n_children;
    struct ArrowSchema **children, *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};
struct ArrowArray {
    int64_t length, null_count, offset, n_buffers, n_children;
    const void **buffers;
    struct ArrowArray **children, *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};
#endif
#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE
struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out);
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};
#endif

/* `zone` names the time zone of TIMESTAMP columns.  *out is the caller's to release. */
ps_status ps_arrow_export_type(const ps_type *type, const char *name, bool nullable, const char *zone,
                               struct ArrowSchema *out, ps_error *err);
ps_status ps_arrow_export_vec(ps_vec *vec, struct ArrowArray *out, ps_error *err);
/* The live rows as a struct array, as record batches are exchanged. */
ps_status ps_arrow_export_batch(ps_batch *batch, struct ArrowArray *out, ps_error *err);

/* Borrow schema and array.  Unsigned integers widen, a dictionary becomes its values' type, times become
 * microseconds; UNSUPPORTED_DATA_TYPE_FOR_ARROW_CONVERSION for what Spark has not. */
ps_status ps_arrow_import_type(const struct ArrowSchema *schema, const ps_type **out, ps_error *err);
ps_status ps_arrow_import_vec(const struct ArrowSchema *schema, const struct ArrowArray *array, ps_vec **out, ps_error *err);
/* A struct array; *type (may be NULL) becomes its STRUCT type. */
ps_status ps_arrow_import_batch(const struct ArrowSchema *schema, const struct ArrowArray *array, const ps_type **type,
                                ps_batch **out, ps_error *err);
#endif
