/*
 * base/mem.h - counted allocation, arenas and reference counts.
 *
 * Every byte of the engine comes from here, so a test can count them (ps_mem_used) or make the nth
 * allocation fail (ps_mem_fail_at).  Running out of memory is an ordinary error.
 * All functions: @thread any, except that an arena belongs to one thread.
 */
#ifndef PS_BASE_MEM_H
#define PS_BASE_MEM_H
#include "base/status.h"
#include <stdatomic.h>

/* `out` is the address of any pointer; it is NULL after a failure.  n_bytes may be 0. */
ps_status ps_alloc(size_t n_bytes, void *out, ps_error *err);
ps_status ps_alloc0(size_t n_bytes, void *out, ps_error *err);
/* *pointer keeps its old block when this fails. */
ps_status ps_realloc(size_t n_bytes, void *pointer, ps_error *err);
ps_status ps_strdup(const char *text, char **out, ps_error *err);
ps_status ps_strndup(const char *text, size_t n, char **out, ps_error *err);
void ps_free(void *block); /* accepts NULL */

/* Bytes now held by the process through ps_alloc (as malloc counts them), and the most ever held. */
size_t ps_mem_used(void);
size_t ps_mem_peak(void);

/* Tests only: the nth allocation from now (1 = the next) fails, once; 0 switches it off. */
void ps_mem_fail_at(int64_t nth);

/* An arena: blocks that are freed together.  Zeroed by {0}. */
typedef struct ps_arena {
    struct ps_arena_chunk *head;
    size_t n_bytes; /* handed out */
} ps_arena;

/* 16-byte aligned.  The block lives until ps_arena_reset or ps_arena_clear. */
ps_status ps_arena_alloc(ps_arena *arena, size_t n_bytes, void *out, ps_error *err);
ps_status ps_arena_strndup(ps_arena *arena, const char *text, size_t n, char **out, ps_error *err);
void ps_arena_reset(ps_arena *arena); /* keeps the largest chunk for the next round */
void ps_arena_clear(ps_arena *arena);

typedef atomic_int ps_refs;
static inline void ps_refs_init(ps_refs *refs) { atomic_init(refs, 1); }
static inline void ps_refs_inc(ps_refs *refs) { atomic_fetch_add_explicit(refs, 1, memory_order_relaxed); }
/* True when the caller held the last reference and must free the object. */
static inline bool ps_refs_dec(ps_refs *refs)
{
    return atomic_fetch_sub_explicit(refs, 1, memory_order_acq_rel) == 1;
}

/* A counted buffer: column data, immutable once built.  64 readable bytes follow `n_bytes`. */
typedef struct ps_buf {
    ps_refs refs;
    size_t n_bytes;
    uint8_t *data; /* in this block */
} ps_buf;

#define PS_BUF_PADDING 64
ps_status ps_buf_new(size_t n_bytes, ps_buf **out, ps_error *err); /* contents undefined, padding zero */
/* Gives a buffer that only this reference holds a new size; the contents stay. */
ps_status ps_buf_resize(ps_buf **buf, size_t n_bytes, ps_error *err);
ps_buf *ps_buf_ref(ps_buf *buf);   /* accepts NULL */
void ps_buf_unref(ps_buf *buf);    /* accepts NULL */
#endif
