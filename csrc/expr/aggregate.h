/*
 * expr/aggregate.h - aggregate functions: a row of aggregates.def each.
 *
 * The buffer of an aggregate is a fixed number of bytes inside a slot (of a transient hash table, or of the state
 * store), 8-byte aligned, relocatable by memcpy and written to state files as it is.  What grows (a string maximum, a
 * collected list) lives in the slot's heap and the buffer holds a ps_heap_ref (state/heap.h).  Functions work on many
 * groups at a time: slots[j] is the buffer of the jth live row's group.
 */
#ifndef PS_EXPR_AGGREGATE_H
#define PS_EXPR_AGGREGATE_H
#include "col/build.h"
#include "expr/function.h"

struct ps_heap; /* state/heap.h */

/* Set up by `bind` from the argument types; kept with the call, read-only after. */
typedef struct ps_agg_shape {
    size_t buffer_bytes;   /* multiple of 8 */
    int version;           /* of the buffer's layout; recorded in the state's meta */
    bool uses_heap;
    bool ordered;          /* first/last/collect_list: depends on row order, so input must be merged in order */
    void *data;
} ps_agg_shape;

typedef struct ps_agg_fn {
    const char *name;
    /* After the signature of the row: may coerce call->args further, sets call->type/nullable unless the row does, fills
     * shape (zeroed). */
    ps_status (*bind)(ps_fn_call *call, ps_agg_shape *shape, ps_error *err);
    void (*init)(const ps_agg_shape *shape, uint8_t *buffer);
    /* args: vectors over rows; slots: one pointer per live row. */
    ps_status (*update)(const ps_agg_shape *shape, struct ps_heap *heap, ps_vec *const *args, const ps_rows *rows, uint8_t *const *slots, ps_error *err);
    ps_status (*merge)(const ps_agg_shape *shape, struct ps_heap *to_heap, uint8_t *const *to, const struct ps_heap *from_heap, uint8_t *const *from, int64_t n, ps_error *err);
    ps_status (*finish)(const ps_agg_shape *shape, const struct ps_heap *heap, uint8_t *const *slots, int64_t n, const ps_type *type, ps_vec **out, ps_error *err);
    void (*free_data)(void *data); /* ends shape->data; NULL: nothing to end */
} ps_agg_fn;
#endif
