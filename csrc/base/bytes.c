/*
 * base/bytes.c - growing buffers.
 */
#include "base/bytes.h"
#include <limits.h>
#include <stdio.h>

/* Readable beyond the last byte: the NUL and what a vector load may touch. */
#define SLACK 64

static int lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

bool ps_slice_equal_nocase(ps_slice a, ps_slice b)
{
    if (a.n_bytes != b.n_bytes)
        return false;
    for (size_t i = 0; i < a.n_bytes; i++) {
        if (lower((unsigned char)a.data[i]) != lower((unsigned char)b.data[i]))
            return false;
    }
    return true;
}

size_t ps_slice_find(ps_slice text, ps_slice part, size_t from)
{
    const char *found;

    if (from > text.n_bytes)
        return SIZE_MAX;
    if (part.n_bytes == 0)
        return from;
    found = part.n_bytes == 1 ? memchr(text.data + from, part.data[0], text.n_bytes - from)
                              : memmem(text.data + from, text.n_bytes - from, part.data, part.n_bytes);
    return found ? (size_t)(found - text.data) : SIZE_MAX;
}

ps_slice ps_slice_trimmed(ps_slice text)
{
    while (text.n_bytes > 0 && (unsigned char)text.data[0] <= ' ')
        text = (ps_slice){text.data + 1, text.n_bytes - 1};
    while (text.n_bytes > 0 && (unsigned char)text.data[text.n_bytes - 1] <= ' ')
        text.n_bytes--;
    return text;
}

int ps_stricmp(const char *a, const char *b)
{
    while (*a != '\0' && lower((unsigned char)*a) == lower((unsigned char)*b))
        a++, b++;
    return lower((unsigned char)*a) - lower((unsigned char)*b);
}

ps_status ps_bytes_reserve(ps_bytes *bytes, size_t n_more, ps_error *err)
{
    size_t n;

    if (PS_LIKELY(bytes->capacity - bytes->n_bytes >= n_more && bytes->data != NULL))
        return PS_OK;
    if (n_more > SIZE_MAX / 4)
        return ps_raise(err, PS_E_NO_MEMORY, n_more);
    n = bytes->n_bytes + n_more;
    if (n < bytes->capacity * 2)
        n = bytes->capacity * 2;
    if (n < 64)
        n = 64;
    PS_TRY(ps_realloc(n + SLACK, &bytes->data, err));
    bytes->capacity = n;
    bytes->data[bytes->n_bytes] = '\0';
    return PS_OK;
}

ps_status ps_bytes_append(ps_bytes *bytes, const void *data, size_t n_bytes, ps_error *err)
{
    PS_TRY(ps_bytes_reserve(bytes, n_bytes, err));
    if (n_bytes > 0)
        memcpy(bytes->data + bytes->n_bytes, data, n_bytes);
    bytes->n_bytes += n_bytes;
    bytes->data[bytes->n_bytes] = '\0';
    return PS_OK;
}

ps_status ps_bytes_text(ps_bytes *bytes, const char *text, ps_error *err)
{
    return ps_bytes_append(bytes, text, strlen(text), err);
}

ps_status ps_bytes_char(ps_bytes *bytes, char c, ps_error *err)
{
    return ps_bytes_append(bytes, &c, 1, err);
}

ps_status ps_bytes_printf(ps_bytes *bytes, ps_error *err, const char *format, ...)
{
    va_list args;
    int n;

    PS_TRY(ps_bytes_reserve(bytes, 64, err));
    for (;;) {
        /* The slack takes the NUL. */
        size_t room = bytes->capacity - bytes->n_bytes;
        va_start(args, format);
        n = vsnprintf(bytes->data + bytes->n_bytes, room + 1, format, args);
        va_end(args);
        if (n < 0)
            return ps_raise(err, PS_E_INTERNAL, "text could not be formatted");
        if ((size_t)n <= room)
            break;
        bytes->data[bytes->n_bytes] = '\0';
        PS_TRY(ps_bytes_reserve(bytes, (size_t)n, err));
    }
    bytes->n_bytes += (size_t)n;
    return PS_OK;
}

/* What Jackson writes for a byte below 0x20, a quote or a backslash; the length, or 0 to copy the byte. */
static size_t escape(unsigned char c, char out[8])
{
    static const char digits[] = "0123456789ABCDEF";
    char letter = 0;

    switch (c) {
    case '"': letter = '"'; break;
    case '\\': letter = '\\'; break;
    case '\b': letter = 'b'; break;
    case '\f': letter = 'f'; break;
    case '\n': letter = 'n'; break;
    case '\r': letter = 'r'; break;
    case '\t': letter = 't'; break;
    default:
        if (c >= 0x20)
            return 0;
        memcpy(out, "\\u00", 4);
        out[4] = digits[c >> 4];
        out[5] = digits[c & 15];
        return 6;
    }
    out[0] = '\\';
    out[1] = letter;
    return 2;
}

ps_status ps_bytes_json_string(ps_bytes *bytes, ps_slice text, ps_error *err)
{
    size_t start = 0, n;
    char escaped[8];

    PS_TRY(ps_bytes_reserve(bytes, text.n_bytes + 2, err));
    PS_TRY(ps_bytes_char(bytes, '"', err));
    for (size_t i = 0; i < text.n_bytes; i++) {
        if (PS_LIKELY((n = escape((unsigned char)text.data[i], escaped)) == 0))
            continue;
        PS_TRY(ps_bytes_append(bytes, text.data + start, i - start, err));
        PS_TRY(ps_bytes_append(bytes, escaped, n, err));
        start = i + 1;
    }
    if (start < text.n_bytes)
        PS_TRY(ps_bytes_append(bytes, text.data + start, text.n_bytes - start, err));
    return ps_bytes_char(bytes, '"', err);
}

ps_slice ps_bytes_slice(const ps_bytes *bytes)
{
    return (ps_slice){bytes->data != NULL ? bytes->data : "", bytes->n_bytes};
}

char *ps_bytes_take(ps_bytes *bytes)
{
    char *data = bytes->data;
    *bytes = (ps_bytes){0};
    return data;
}

void ps_bytes_reset(ps_bytes *bytes)
{
    bytes->n_bytes = 0;
    if (bytes->data != NULL)
        bytes->data[0] = '\0';
}

void ps_bytes_clear(ps_bytes *bytes)
{
    ps_free(bytes->data);
    *bytes = (ps_bytes){0};
}

ps_status ps_grow(void *items, int n, int *capacity, size_t item_size, ps_error *err)
{
    int larger;

    if (PS_LIKELY(n < *capacity))
        return PS_OK;
    if (*capacity > INT_MAX / 2)
        return ps_raise(err, PS_E_NO_MEMORY, SIZE_MAX);
    larger = *capacity < 4 ? 8 : *capacity * 2;
    if ((size_t)larger > SIZE_MAX / 4 / item_size)
        return ps_raise(err, PS_E_NO_MEMORY, SIZE_MAX);
    PS_TRY(ps_realloc((size_t)larger * item_size, items, err));
    *capacity = larger;
    return PS_OK;
}
