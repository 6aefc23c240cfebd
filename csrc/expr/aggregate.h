/*
 * expr/aggregate.h - aggregate functions: a row of aggregates.def each.
 *
 * The buffer of an aggregate is a fixed number of bytes inside a slot (of a transient hash table,
 * or of the state store), 8-byte aligned, relocatable by memcpy and written to state files as it
 * is.  What grows (a string maximum, a collected list) lies in the heap of the slot's table and the
 * buffer holds a ps_cell (state/heap.h).  Functions work on many groups at a time: slots[j] + at is
 * the buffer of the jth live row's group.
 */
#ifndef PS_EXPR_AGGREGATE_H
#define PS_EXPR_AGGREGATE_H
#include "col/build.h"
#include "expr/function.h"
#include "state/heap.h"

/* Set up by `bind` from the argument types; kept with the call, read-only after. */
#define PS_AGG_CELLS 4
typedef struct ps_agg_shape {
    size_t buffer_bytes;          /* multiple of 8 */
    int version;                  /* of the buffer's layout; recorded in the state's meta */
    uint32_t cells[PS_AGG_CELLS]; /* where in the buffer ps_cells lie */
    int n_cells;
    bool exact;   /* merged parts give the value that the rows give, in any order (but for the last
                     digit of a sum of floating point) */
    bool ordered; /* first, last, collect_list: depends on row order, so input must be merged in
                     order */
    const ps_type *types[2]; /* of the first arguments after coercion; borrowed from the call */
    int variant;             /* the function's own */
    int64_t param;
    bool ansi;
    void *data;
} ps_agg_shape;

/* Buffers of groups: slots[j] + at.  `heap` is that of their table. */
typedef struct ps_agg_groups {
    uint8_t *const *slots;
    size_t at;
    ps_heap *heap;
} ps_agg_groups;
static inline void *ps_agg_at(const ps_agg_groups *groups, int64_t j)
{
    return groups->slots[j] + groups->at;
}

typedef struct ps_agg_fn {
    const char *name;
    /* After the signature of the row: may coerce call->args further, sets call->type/nullable
     * unless the row does, fills shape (zeroed). */
    ps_status (*bind)(ps_fn_call *call, ps_agg_shape *shape, ps_error *err);
    /* The buffer of an empty group; zeros with empty cells when NULL. */
    void (*init)(const ps_agg_shape *shape, uint8_t *buffer);
    /* args: vectors of rows->n_rows rows; to->slots: one per live row. */
    ps_status (*update)(const ps_agg_shape *shape, const ps_agg_groups *to, ps_vec *const *args,
                        const ps_rows *rows, ps_error *err);
    /* Group j of `from`, which has later rows, into group j of `to`; groups of `to` are distinct.
     */
    ps_status (*merge)(const ps_agg_shape *shape, const ps_agg_groups *to,
                       const ps_agg_groups *from, int64_t n, ps_error *err);
    ps_status (*finish)(const ps_agg_shape *shape, const ps_agg_groups *from, int64_t n,
                        const ps_type *type, ps_vec **out, ps_error *err);
    void (*free_data)(void *data); /* ends shape->data; NULL: nothing to end */
} ps_agg_fn;

/* The buffer of an empty group. */
void ps_agg_init(const ps_agg_fn *fn, const ps_agg_shape *shape, uint8_t *buffer);
#endif
