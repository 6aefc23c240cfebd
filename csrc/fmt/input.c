/*
 * fmt/input.c - files as chunks of text.
 *
 * A record that straddles two chunks is moved to the front of the next one, so records are whole and at most
 * one in a chunk is copied.
 */
#include "fmt/input_int.h"
#include "fmt/simd_int.h"

#define FIRST_READ ((size_t)1 << 16) /* small files need no more */
#define LATER_READ ((size_t)1 << 20)

ps_status psi_input_open(psi_input *in, ps_fs *fs, const char *path, psi_charset charset, ps_error *err)
{
    psi_input_close(in);
    in->ended = in->started = false;
    in->decoder = (psi_decoder){.charset = charset};
    in->next_bytes = FIRST_READ;
    ps_bytes_reset(&in->raw);
    return ps_stream_open(fs, path, &in->stream, err);
}

static void give_back(psi_input *in, ps_buf *chunk)
{
    if (!chunk)
        return;
    for (int i = 0; i < PSI_POOL; i++) {
        if (!in->pool[i]) {
            in->pool[i] = chunk;
            return;
        }
    }
    ps_buf_unref(chunk);
}

void psi_input_close(psi_input *in)
{
    ps_stream_close(in->stream);
    in->stream = NULL;
    give_back(in, in->chunk);
    in->chunk = NULL;
    in->pos = in->end = 0;
}

void psi_input_clear(psi_input *in)
{
    psi_input_close(in);
    for (int i = 0; i < PSI_POOL; i++)
        ps_buf_unref(in->pool[i]);
    ps_bytes_clear(&in->raw);
    *in = (psi_input){0};
}

/* A buffer of at least n_bytes that nobody reads: an old one or a new one. */
static ps_status free_chunk(psi_input *in, size_t n_bytes, ps_buf **out, ps_error *err)
{
    for (int i = 0; i < PSI_POOL; i++) {
        ps_buf *buf = in->pool[i];
        if (!buf || atomic_load_explicit(&buf->refs, memory_order_acquire) != 1)
            continue;
        if (buf->n_bytes >= n_bytes) {
            *out = buf;
            in->pool[i] = NULL;
            return PS_OK;
        }
        ps_buf_unref(buf);
        in->pool[i] = NULL;
    }
    return ps_buf_new(n_bytes, out, err);
}

/* Puts the chunk away and leaves the unread bytes at the front of another with n_room more. */
static ps_status next_chunk(psi_input *in, size_t n_room, ps_error *err)
{
    size_t n_kept = in->end - in->pos;
    ps_buf *fresh;

    if (n_kept > SIZE_MAX / 4)
        return ps_raise(err, PS_E_NO_MEMORY, n_kept);
    PS_TRY(free_chunk(in, n_kept + n_room + 1, &fresh, err)); /* 1: for a last line feed */
    if (n_kept > 0)
        memcpy(fresh->data, in->chunk->data + in->pos, n_kept);
    give_back(in, in->chunk);
    in->chunk = fresh;
    in->pos = 0;
    in->end = n_kept;
    return PS_OK;
}

/* Reads until n_bytes are there or the file ends; what was read before a failure counts. */
static ps_status read_some(psi_input *in, char *to, size_t n_bytes, size_t *n_read, bool *ended, ps_error *err)
{
    *n_read = 0;
    *ended = false;
    while (*n_read < n_bytes) {
        size_t n;
        ps_status rc = ps_stream_read(in->stream, to + *n_read, n_bytes - *n_read, &n, err);

        if (rc != PS_OK)
            return *n_read > 0 ? PS_OK : rc;
        if (n == 0) {
            *ended = true;
            return PS_OK;
        }
        *n_read += n;
    }
    return PS_OK;
}

static ps_status read_decoded(psi_input *in, size_t n_room, ps_error *err)
{
    size_t n_want = n_room / PSI_DECODE_GROWTH, n_read, n_used;
    bool ended;

    PS_TRY(ps_bytes_reserve(&in->raw, n_want, err));
    PS_TRY(read_some(in, in->raw.data + in->raw.n_bytes, n_want - 16 - in->raw.n_bytes, &n_read, &ended, err));
    in->raw.n_bytes += n_read;
    in->end += psi_decode(&in->decoder, in->raw.data, in->raw.n_bytes, ended, (char *)in->chunk->data + in->end,
                          &n_used);
    in->raw.n_bytes -= n_used;
    memmove(in->raw.data, in->raw.data + n_used, in->raw.n_bytes);
    in->ended = ended;
    return PS_OK;
}

static void drop_byte_order_mark(psi_input *in)
{
    in->started = true;
    if (in->end - in->pos >= 3 && memcmp(in->chunk->data + in->pos, "\xef\xbb\xbf", 3) == 0)
        in->pos += 3;
}

ps_status psi_input_fill(psi_input *in, ps_error *err)
{
    size_t n_room = in->next_bytes, n_read;

    if (in->ended)
        return PS_OK;
    if (n_room < in->end - in->pos) /* a record larger than a chunk: double, so that it is not copied too often */
        n_room = in->end - in->pos;
    in->next_bytes = LATER_READ;
    PS_TRY(next_chunk(in, n_room, err));
    if (in->decoder.charset != PSI_UTF8) {
        PS_TRY(read_decoded(in, n_room, err));
    } else {
        PS_TRY(read_some(in, (char *)in->chunk->data + in->end, n_room, &n_read, &in->ended, err));
        in->end += n_read;
    }
    memset(in->chunk->data + in->end, 0, PS_BUF_PADDING); /* the buffer may be larger, and hold older text */
    if (!in->started && in->end > 0)
        drop_byte_order_mark(in);
    return PS_OK;
}

/* The end of the last whole line in [from, to), or NULL.  A carriage return at the very end may be half of a CRLF. */
static const char *last_line_end(const char *from, const char *to)
{
    const char *end = memrchr(from, '\n', (size_t)(to - from));

    if (!end && to - from > 1)
        end = memrchr(from, '\r', (size_t)(to - from) - 1);
    return end ? end + 1 : NULL;
}

ps_status psi_input_lines(psi_input *in, const char **stop, ps_error *err)
{
    size_t searched = 0;

    for (;;) {
        const char *from, *end = NULL;

        if (in->end > in->pos) {
            from = psi_input_at(in);
            end = last_line_end(from + searched, (const char *)in->chunk->data + in->end);
            if (end || in->ended)
                break;
            searched = in->end - in->pos - 1;
        } else if (in->ended) {
            *stop = in->chunk ? psi_input_at(in) : NULL;
            return PS_OK;
        }
        PS_TRY(psi_input_fill(in, err));
    }
    *stop = (const char *)in->chunk->data + in->end;
    if (!in->ended) {
        *stop = last_line_end(psi_input_at(in), *stop);
    } else if ((*stop)[-1] != '\n' && (*stop)[-1] != '\r') {
        in->chunk->data[in->end] = '\n';
    }
    return PS_OK;
}

/* The first separator in the unread bytes from `from` on; NULL when more bytes could change the answer. */
static const char *find_separator(const psi_input *in, const char *from, ps_slice sep, size_t *n_sep)
{
    const char *stop = (const char *)in->chunk->data + in->end, *at;

    *n_sep = sep.n_bytes;
    if (sep.n_bytes > 0)
        return memmem(from, (size_t)(stop - from), sep.data, sep.n_bytes);
    for (at = from; at < stop; at += 16) {
        uint32_t mask = psi_line_end(psi_load(at));
        if (!mask)
            continue;
        at += psi_first(mask);
        if (at >= stop)
            return NULL;
        *n_sep = 1;
        if (*at == '\r' && at + 1 == stop && !in->ended)
            return NULL;
        if (*at == '\r' && at + 1 < stop && at[1] == '\n')
            *n_sep = 2;
        return at;
    }
    return NULL;
}

ps_status psi_input_record(psi_input *in, ps_slice sep, ps_slice *record, bool *more, ps_error *err)
{
    size_t searched = 0, n_sep = 0;
    const char *at = NULL;

    *more = true;
    for (;;) {
        if (in->end > in->pos) {
            at = find_separator(in, psi_input_at(in) + searched, sep, &n_sep);
            if (at || in->ended)
                break;
            /* the tail may hold the beginning of a separator */
            searched = in->end - in->pos;
            searched -= searched < sep.n_bytes + 1 ? searched : sep.n_bytes + 1;
        } else if (in->ended) {
            *more = false;
            return PS_OK;
        }
        PS_TRY(psi_input_fill(in, err));
    }
    record->data = psi_input_at(in);
    record->n_bytes = at ? (size_t)(at - record->data) : in->end - in->pos;
    in->pos += record->n_bytes + (at ? n_sep : 0);
    return PS_OK;
}

ps_status psi_input_all(psi_input *in, ps_slice *text, ps_error *err)
{
    while (!in->ended)
        PS_TRY(psi_input_fill(in, err));
    *text = in->chunk ? (ps_slice){psi_input_at(in), in->end - in->pos} : (ps_slice){"", 0};
    in->pos = in->end;
    return PS_OK;
}
