/*
 * base/bytes.h - slices of bytes, and a growing buffer to write text and records into.
 */
#ifndef PS_BASE_BYTES_H
#define PS_BASE_BYTES_H
#include "base/mem.h"
#include <string.h>

/* Borrowed bytes; not terminated. */
typedef struct ps_slice {
    const char *data;
    size_t n_bytes;
} ps_slice;

static inline ps_slice ps_slice_of(const char *text) { return (ps_slice){text, strlen(text)}; }
static inline bool ps_slice_equal(ps_slice a, ps_slice b)
{
    return a.n_bytes == b.n_bytes && (a.n_bytes == 0 || memcmp(a.data, b.data, a.n_bytes) == 0);
}
bool ps_slice_equal_nocase(ps_slice a, ps_slice b); /* ASCII */
ps_slice ps_slice_trimmed(ps_slice text);           /* as Java trims: without what is no higher than a blank at both ends */
int ps_stricmp(const char *a, const char *b);       /* ASCII, locale-free */
/* Where `part` begins in text at or after byte `from`; SIZE_MAX when it does not. */
size_t ps_slice_find(ps_slice text, ps_slice part, size_t from);

/* A growing buffer.  Zeroed by {0}; data is always NUL-terminated once something was written, the NUL not
 * counted, and 64 readable bytes follow. */
typedef struct ps_bytes {
    char *data;
    size_t n_bytes;
    size_t capacity;
} ps_bytes;

ps_status ps_bytes_reserve(ps_bytes *bytes, size_t n_more, ps_error *err);
ps_status ps_bytes_append(ps_bytes *bytes, const void *data, size_t n_bytes, ps_error *err);
ps_status ps_bytes_text(ps_bytes *bytes, const char *text, ps_error *err);
ps_status ps_bytes_char(ps_bytes *bytes, char c, ps_error *err);
ps_status ps_bytes_printf(ps_bytes *bytes, ps_error *err, const char *format, ...) __attribute__((format(printf, 3, 4)));
ps_status ps_bytes_json_string(ps_bytes *bytes, ps_slice text, ps_error *err); /* quoted and escaped, as Jackson does */
ps_slice ps_bytes_slice(const ps_bytes *bytes);
char *ps_bytes_take(ps_bytes *bytes); /* the text, owned by the caller (ps_free); never NULL unless empty and unreserved */
void ps_bytes_reset(ps_bytes *bytes); /* n_bytes = 0, memory kept */
void ps_bytes_clear(ps_bytes *bytes);

/* A growing array of pointers or of any fixed-size item: PS_PUSH(list, item) on {T *items; int n, capacity;}. */
ps_status ps_grow(void *items, int n, int *capacity, size_t item_size, ps_error *err);
#define PS_PUSH(list, item, err)                                                                   \
    (ps_grow(&(list)->items, (list)->n, &(list)->capacity, sizeof *(list)->items, (err)) == PS_OK  \
         ? ((list)->items[(list)->n++] = (item), PS_OK)                                            \
         : PS_E_NO_MEMORY)
#endif
