/*
 * state/heap.c - chunks that are filled from the front.
 */
#include "state/heap.h"

#define FIRST_CHUNK 1024u
#define LARGEST_CHUNK (1u << 20)

void ps_heap_clear(ps_heap *heap)
{
    for (int i = 0; i < heap->n; i++)
        ps_free(heap->chunks[i].data);
    ps_free(heap->chunks);
    memset(heap, 0, sizeof *heap);
}

static uint32_t rounded(size_t n_bytes)
{
    return (uint32_t)((n_bytes + 7) & ~(size_t)7);
}

static ps_status new_chunk(ps_heap *heap, uint32_t n_bytes, ps_error *err)
{
    uint32_t size = heap->n == 0 ? FIRST_CHUNK : heap->chunks[heap->n - 1].n_bytes;
    uint8_t *data;

    if (heap->n > 0 && size < LARGEST_CHUNK)
        size *= 2;
    if (size > LARGEST_CHUNK)
        size = LARGEST_CHUNK;
    if (size < n_bytes)
        size = n_bytes;
    if (heap->n > 0)
        heap->n_dead += heap->chunks[heap->n - 1].n_bytes - heap->used;
    PS_TRY(ps_grow(&heap->chunks, heap->n, &heap->capacity, sizeof *heap->chunks, err));
    PS_TRY(ps_alloc(size, &data, err));
    heap->chunks[heap->n].data = data;
    heap->chunks[heap->n++].n_bytes = size;
    heap->n_bytes += size;
    heap->used = 0;
    return PS_OK;
}

ps_status ps_heap_reserve(ps_heap *heap, uint32_t n_bytes, ps_error *err)
{
    if (heap->n > 0 && heap->chunks[heap->n - 1].n_bytes - heap->used >= n_bytes)
        return PS_OK;
    return new_chunk(heap, n_bytes, err);
}

/* Lengths stay below 2 GiB, so a capacity that doubles fits 32 bits. */
static ps_status take(ps_heap *heap, size_t n_bytes, uint64_t *at, uint32_t *capacity,
                      ps_error *err)
{
    if (n_bytes > INT32_MAX - 8)
        return ps_raise(err, PS_E_NO_MEMORY, n_bytes);
    *capacity = rounded(n_bytes);
    if (heap->n == 0 || heap->chunks[heap->n - 1].n_bytes - heap->used < *capacity)
        PS_TRY(new_chunk(heap, *capacity, err));
    *at = (uint64_t)(heap->n - 1) << 32 | heap->used;
    heap->used += *capacity;
    return PS_OK;
}

void ps_cell_init(ps_cell *cell)
{
    memset(cell, 0, sizeof *cell);
    cell->n_bytes = PS_CELL_NONE;
}

void ps_cell_drop(ps_heap *heap, ps_cell *cell)
{
    if (ps_cell_is_far(cell))
        heap->n_dead += cell->far.capacity;
    ps_cell_init(cell);
}

static void set_far(ps_heap *heap, ps_cell *cell, uint64_t at, uint32_t capacity, const void *data,
                    size_t n_bytes)
{
    memcpy(ps_heap_at(heap, at), data, n_bytes);
    cell->n_bytes = (uint32_t)n_bytes;
    cell->far.capacity = capacity;
    cell->far.at = at;
    memcpy(cell->far.prefix, data, 8);
}

ps_status ps_cell_set(ps_heap *heap, ps_cell *cell, const void *data, size_t n_bytes, ps_error *err)
{
    uint64_t at = 0;
    uint32_t capacity = 0;

    if (n_bytes <= PS_CELL_INLINE) {
        ps_cell_drop(heap, cell);
        cell->n_bytes = (uint32_t)n_bytes;
        if (n_bytes > 0)
            memcpy(cell->inlined, data, n_bytes);
        return PS_OK;
    }
    if (ps_cell_is_far(cell) && n_bytes <= cell->far.capacity) {
        set_far(heap, cell, cell->far.at, cell->far.capacity, data, n_bytes);
        return PS_OK;
    }
    PS_TRY(take(heap, n_bytes, &at, &capacity, err));
    ps_cell_drop(heap, cell);
    set_far(heap, cell, at, capacity, data, n_bytes);
    return PS_OK;
}

ps_status ps_cell_append(ps_heap *heap, ps_cell *cell, const void *data, size_t n_bytes,
                         ps_error *err)
{
    ps_slice old = ps_cell_get(heap, cell);
    size_t total = old.n_bytes + n_bytes;
    uint64_t at = 0;
    uint32_t capacity = 0;

    if (total <= PS_CELL_INLINE) {
        if (cell->n_bytes == PS_CELL_NONE)
            memset(cell, 0, sizeof *cell);
        memcpy(cell->inlined + old.n_bytes, data, n_bytes);
        cell->n_bytes = (uint32_t)total;
        return PS_OK;
    }
    if (!ps_cell_is_far(cell) || total > cell->far.capacity) {
        char kept[PS_CELL_INLINE];
        PS_TRY(take(heap, total + total / 2, &at, &capacity, err));
        if (!ps_cell_is_far(cell)) {
            memcpy(kept, old.data, old.n_bytes);
            old.data = kept;
        } else {
            heap->n_dead += cell->far.capacity;
        }
        memcpy(ps_heap_at(heap, at), old.data, old.n_bytes);
        cell->far.capacity = capacity;
        cell->far.at = at;
    }
    memcpy(ps_heap_at(heap, cell->far.at) + old.n_bytes, data, n_bytes);
    memcpy(cell->far.prefix, ps_heap_at(heap, cell->far.at), 8);
    cell->n_bytes = (uint32_t)total;
    return PS_OK;
}

ps_status ps_cell_set_zero(ps_heap *heap, ps_cell *cell, size_t n_bytes, ps_error *err)
{
    uint64_t at = 0;
    uint32_t capacity = 0;

    ps_cell_drop(heap, cell);
    if (n_bytes > PS_CELL_INLINE) {
        PS_TRY(take(heap, n_bytes, &at, &capacity, err));
        memset(ps_heap_at(heap, at), 0, n_bytes);
        cell->far.capacity = capacity;
        cell->far.at = at;
    }
    cell->n_bytes = (uint32_t)n_bytes;
    return PS_OK;
}

ps_status ps_cell_adopt(ps_heap *to, const ps_heap *from, ps_cell *cell, ps_error *err)
{
    ps_slice bytes;
    uint64_t at = 0;
    uint32_t capacity = 0;

    if (!ps_cell_is_far(cell))
        return PS_OK;
    bytes = ps_cell_get(from, cell);
    PS_TRY(take(to, bytes.n_bytes, &at, &capacity, err));
    set_far(to, cell, at, capacity, bytes.data, bytes.n_bytes);
    return PS_OK;
}
