/*
 * base/mem.c - counted allocation over malloc.
 *
 * The counters use malloc_usable_size(), so blocks carry no header of ours.
 */
#include "base/mem.h"
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static atomic_size_t used, peak;
static _Atomic int64_t fail_at;

/* No object is larger, and sums of a few such sizes cannot wrap. */
#define MAX_BLOCK (SIZE_MAX / 4)
/* Blocks of this size are tables and buffers that will be full. */
#define HUGE_FROM ((size_t)2 << 20)

static bool must_fail(void)
{
    if (PS_LIKELY(atomic_load_explicit(&fail_at, memory_order_relaxed) == 0))
        return false;
    return atomic_fetch_sub(&fail_at, 1) == 1;
}

static void count(size_t n_new)
{
    size_t now = atomic_fetch_add_explicit(&used, n_new, memory_order_relaxed) + n_new;
    size_t most = atomic_load_explicit(&peak, memory_order_relaxed);
    while (now > most && !atomic_compare_exchange_weak_explicit(
                             &peak, &most, now, memory_order_relaxed, memory_order_relaxed)) {
    }
}

static void uncount(size_t n_old)
{
    atomic_fetch_sub_explicit(&used, n_old, memory_order_relaxed);
}

/* Fresh memory comes a page at a time, at the first touch of each; a large block is touched all over at once, so pages of 2 MiB
 * save most of that time.  Where there are none the advice is without effect. */
static void advise_huge(void *block, size_t n, bool zeroed)
{
#ifdef MADV_HUGEPAGE
    /* A block of its own begins right behind the start of a mapping, which may be that of a huge page: its whole pages count. */
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t start = (uintptr_t)block & ~(page - 1), end = ((uintptr_t)block + n + page - 1) & ~(page - 1);

    (void)madvise((void *)start, end - start, MADV_HUGEPAGE);
    if (zeroed)
        (void)madvise((void *)start, end - start, MADV_POPULATE_WRITE);
#else
    PS_UNUSED(block);
    PS_UNUSED(n);
#endif
}

static ps_status allocate(size_t n_bytes, bool zeroed, void *out, ps_error *err)
{
    void *block = NULL;
    size_t n = n_bytes > 0 ? n_bytes : 1;

    if (PS_LIKELY(n <= MAX_BLOCK && !must_fail()))
        block = zeroed ? calloc(1, n) : malloc(n);
    memcpy(out, &block, sizeof block);
    if (PS_UNLIKELY(block == NULL))
        return ps_raise(err, PS_E_NO_MEMORY, n_bytes);
    count(malloc_usable_size(block));
    if (PS_UNLIKELY(n >= HUGE_FROM))
        advise_huge(block, n, zeroed);
    return PS_OK;
}

ps_status ps_alloc(size_t n_bytes, void *out, ps_error *err)
{
    return allocate(n_bytes, false, out, err);
}

ps_status ps_alloc0(size_t n_bytes, void *out, ps_error *err)
{
    return allocate(n_bytes, true, out, err);
}

ps_status ps_realloc(size_t n_bytes, void *pointer, ps_error *err)
{
    void *old, *block = NULL;
    size_t n_old, n = n_bytes > 0 ? n_bytes : 1;

    memcpy(&old, pointer, sizeof old);
    n_old = old != NULL ? malloc_usable_size(old) : 0;
    if (PS_LIKELY(n <= MAX_BLOCK && !must_fail()))
        block = realloc(old, n);
    if (PS_UNLIKELY(block == NULL))
        return ps_raise(err, PS_E_NO_MEMORY, n_bytes);
    uncount(n_old);
    count(malloc_usable_size(block));
    memcpy(pointer, &block, sizeof block);
    return PS_OK;
}

ps_status ps_strdup(const char *text, char **out, ps_error *err)
{
    return ps_strndup(text, strlen(text), out, err);
}

ps_status ps_strndup(const char *text, size_t n, char **out, ps_error *err)
{
    if (n >= MAX_BLOCK) {
        *out = NULL;
        return ps_raise(err, PS_E_NO_MEMORY, n);
    }
    PS_TRY(ps_alloc(n + 1, out, err));
    if (n > 0)
        memcpy(*out, text, n);
    (*out)[n] = '\0';
    return PS_OK;
}

void ps_free(void *block)
{
    if (block == NULL)
        return;
    uncount(malloc_usable_size(block));
    free(block);
}

size_t ps_mem_used(void)
{
    return atomic_load_explicit(&used, memory_order_relaxed);
}

size_t ps_mem_peak(void)
{
    return atomic_load_explicit(&peak, memory_order_relaxed);
}

void ps_mem_fail_at(int64_t nth)
{
    atomic_store(&fail_at, nth);
}

/* ---- arenas ---- */

typedef struct ps_arena_chunk {
    struct ps_arena_chunk *next; /* an older chunk, full or nearly so */
    size_t n_used, n_bytes;      /* of data */
    _Alignas(16) char data[];
} ps_arena_chunk;

#define FIRST_CHUNK 4032
#define LAST_CHUNK ((size_t)1 << 20)

static ps_status add_chunk(ps_arena *arena, size_t n_bytes, ps_error *err)
{
    ps_arena_chunk *chunk;
    size_t n = FIRST_CHUNK;

    if (arena->head != NULL)
        n = arena->head->n_bytes < LAST_CHUNK ? arena->head->n_bytes * 2 : LAST_CHUNK;
    if (n < n_bytes)
        n = n_bytes;
    PS_TRY(ps_alloc(sizeof *chunk + n, &chunk, err));
    chunk->next = arena->head;
    chunk->n_used = 0;
    chunk->n_bytes = n;
    arena->head = chunk;
    return PS_OK;
}

ps_status ps_arena_alloc(ps_arena *arena, size_t n_bytes, void *out, ps_error *err)
{
    void *block = NULL;
    size_t n;

    memcpy(out, &block, sizeof block);
    if (n_bytes > MAX_BLOCK)
        return ps_raise(err, PS_E_NO_MEMORY, n_bytes);
    n = (n_bytes + 15) & ~(size_t)15;
    if (arena->head == NULL || arena->head->n_bytes - arena->head->n_used < n)
        PS_TRY(add_chunk(arena, n, err));
    block = arena->head->data + arena->head->n_used;
    arena->head->n_used += n;
    arena->n_bytes += n;
    memcpy(out, &block, sizeof block);
    return PS_OK;
}

ps_status ps_arena_strndup(ps_arena *arena, const char *text, size_t n, char **out, ps_error *err)
{
    *out = NULL;
    if (n > MAX_BLOCK)
        return ps_raise(err, PS_E_NO_MEMORY, n);
    PS_TRY(ps_arena_alloc(arena, n + 1, out, err));
    if (n > 0)
        memcpy(*out, text, n);
    (*out)[n] = '\0';
    return PS_OK;
}

static void free_chunks(ps_arena_chunk *chunk, const ps_arena_chunk *kept)
{
    while (chunk != NULL) {
        ps_arena_chunk *next = chunk->next;
        if (chunk != kept)
            ps_free(chunk);
        chunk = next;
    }
}

void ps_arena_reset(ps_arena *arena)
{
    ps_arena_chunk *largest = arena->head;

    for (ps_arena_chunk *chunk = arena->head; chunk != NULL; chunk = chunk->next) {
        if (chunk->n_bytes > largest->n_bytes)
            largest = chunk;
    }
    free_chunks(arena->head, largest);
    if (largest != NULL) {
        largest->next = NULL;
        largest->n_used = 0;
    }
    arena->head = largest;
    arena->n_bytes = 0;
}

void ps_arena_clear(ps_arena *arena)
{
    free_chunks(arena->head, NULL);
    *arena = (ps_arena){0};
}

/* ---- counted buffers ---- */

/* The header fills a cache line, so data begins as well aligned as the block. */
#define BUF_HEADER 64
_Static_assert(sizeof(ps_buf) <= BUF_HEADER, "the header of a buffer fits its line");

ps_status ps_buf_new(size_t n_bytes, ps_buf **out, ps_error *err)
{
    ps_buf *buf;

    *out = NULL;
    if (n_bytes > MAX_BLOCK)
        return ps_raise(err, PS_E_NO_MEMORY, n_bytes);
    PS_TRY(ps_alloc(BUF_HEADER + n_bytes + PS_BUF_PADDING, &buf, err));
    ps_refs_init(&buf->refs);
    buf->n_bytes = n_bytes;
    buf->data = (uint8_t *)buf + BUF_HEADER;
    memset(buf->data + n_bytes, 0, PS_BUF_PADDING);
    *out = buf;
    return PS_OK;
}

ps_status ps_buf_resize(ps_buf **buf, size_t n_bytes, ps_error *err)
{
    ps_assert(atomic_load(&(*buf)->refs) == 1);
    if (n_bytes > MAX_BLOCK)
        return ps_raise(err, PS_E_NO_MEMORY, n_bytes);
    PS_TRY(ps_realloc(BUF_HEADER + n_bytes + PS_BUF_PADDING, buf, err));
    (*buf)->data = (uint8_t *)*buf + BUF_HEADER;
    (*buf)->n_bytes = n_bytes;
    memset((*buf)->data + n_bytes, 0, PS_BUF_PADDING);
    return PS_OK;
}

ps_buf *ps_buf_ref(ps_buf *buf)
{
    if (buf != NULL)
        ps_refs_inc(&buf->refs);
    return buf;
}

void ps_buf_unref(ps_buf *buf)
{
    if (buf != NULL && ps_refs_dec(&buf->refs))
        ps_free(buf);
}
