/*
 * state/heap.h - what grows beside the slots of a table: long strings, collected lists.
 *
 * A cell is the 24 bytes by which a slot holds bytes of any length: up to 20 of them inline, longer
 * ones in the heap of the slot's table.  Cells are moved by memcpy with their slot; nothing in a
 * heap points to anything.  A heap only grows and counts what is dead; the table copies the living
 * into a new heap when that is worth it. A heap belongs to one thread at a time.
 */
#ifndef PS_STATE_HEAP_H
#define PS_STATE_HEAP_H
#include "base/bytes.h"

#define PS_CELL_INLINE 20u
#define PS_CELL_NONE UINT32_MAX /* n_bytes of a cell without a value */

typedef struct ps_cell {
    uint32_t n_bytes;
    union {
        char inlined[PS_CELL_INLINE]; /* unused bytes are zero */
        struct {
            uint32_t capacity;
            uint64_t at; /* chunk << 32 | offset; in the image of a key: a pointer to the bytes */
            char prefix[8];
        } __attribute__((packed)) far;
    };
} ps_cell;
_Static_assert(sizeof(ps_cell) == 24, "a cell has 24 bytes");

/* Zeroed by {0}. */
typedef struct ps_heap {
    struct ps_heap_chunk {
        uint8_t *data;
        uint32_t n_bytes;
    } * chunks;
    int n, capacity;
    uint32_t used;  /* of the newest chunk */
    size_t n_bytes; /* of all chunks */
    size_t n_dead;  /* bytes that no cell refers to any more */
} ps_heap;

void ps_heap_clear(ps_heap *heap);
/* Room for n_bytes in one piece: that many bytes of cells (each rounded up to 8) then fit without
 * an allocation. */
ps_status ps_heap_reserve(ps_heap *heap, uint32_t n_bytes, ps_error *err);
static inline bool ps_cell_is_far(const ps_cell *cell)
{
    return cell->n_bytes > PS_CELL_INLINE && cell->n_bytes != PS_CELL_NONE;
}
static inline uint8_t *ps_heap_at(const ps_heap *heap, uint64_t at)
{
    return heap->chunks[at >> 32].data + (uint32_t)at;
}
static inline char *ps_cell_data(const ps_heap *heap, ps_cell *cell)
{
    return ps_cell_is_far(cell) ? (char *)ps_heap_at(heap, cell->far.at) : cell->inlined;
}
/* The value; an empty slice for a cell without one.  Borrowed until the cell, or its slot, changes.
 */
static inline ps_slice ps_cell_get(const ps_heap *heap, const ps_cell *cell)
{
    if (cell->n_bytes == PS_CELL_NONE)
        return (ps_slice){"", 0};
    return (ps_slice){ps_cell_data(heap, (ps_cell *)cell), cell->n_bytes};
}
void ps_cell_init(ps_cell *cell); /* without a value */
/* `data` may not lie in this heap. */
ps_status ps_cell_set(ps_heap *heap, ps_cell *cell, const void *data, size_t n_bytes,
                      ps_error *err);
ps_status ps_cell_append(ps_heap *heap, ps_cell *cell, const void *data, size_t n_bytes,
                         ps_error *err);
/* n_bytes of zeros, 8-byte aligned when longer than PS_CELL_INLINE. */
ps_status ps_cell_set_zero(ps_heap *heap, ps_cell *cell, size_t n_bytes, ps_error *err);
void ps_cell_drop(ps_heap *heap, ps_cell *cell); /* back to no value */
/* Makes `cell`, which was copied from a slot of `from`, own its bytes in `to`. */
ps_status ps_cell_adopt(ps_heap *to, const ps_heap *from, ps_cell *cell, ps_error *err);
#endif
