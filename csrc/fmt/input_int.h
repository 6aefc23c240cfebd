/*
 * fmt/input_int.h - a file as chunks of UTF-8 text, cut into records.
 *
 * Chunks are counted buffers: vectors pin the chunk that their strings point into, and a chunk that nobody
 * pins any more is filled again.  64 readable bytes follow the text of every chunk.
 */
#ifndef PS_FMT_INPUT_INT_H
#define PS_FMT_INPUT_INT_H
#include "fmt/stream.h"
#include "fmt/charset_int.h"

#define PSI_POOL 4

typedef struct psi_input {
    ps_stream *stream;
    ps_buf *chunk;      /* NULL before the first read */
    size_t pos, end;    /* the unread bytes */
    bool ended;         /* nothing follows `end` */
    bool started;       /* the byte order mark was looked for */
    psi_decoder decoder;
    ps_bytes raw;       /* of another encoding, not decoded yet */
    size_t next_bytes;  /* how much to read next */
    ps_buf *pool[PSI_POOL]; /* chunks to use again; kept from file to file */
} psi_input;

ps_status psi_input_open(psi_input *in, ps_fs *fs, const char *path, psi_charset charset, ps_error *err);
void psi_input_close(psi_input *in); /* the file; twice is harmless */
void psi_input_clear(psi_input *in);
static inline const char *psi_input_at(const psi_input *in) { return (const char *)in->chunk->data + in->pos; }

/* Whole lines: from psi_input_at() to *stop, which follows a line feed or carriage return, or is the file's end and
 * is then a line feed itself.  *stop is the position when the file has ended. */
ps_status psi_input_lines(psi_input *in, const char **stop, ps_error *err);
/* The next record that ends with `sep` (or, when that is empty, with LF, CRLF or CR), without the end.
 * *more is false when the file has ended. */
ps_status psi_input_record(psi_input *in, ps_slice sep, ps_slice *record, bool *more, ps_error *err);
/* All that is left of the file, as one piece. */
ps_status psi_input_all(psi_input *in, ps_slice *text, ps_error *err);
/* Makes more unread bytes, or sets `ended`; the unread ones may move to another chunk. */
ps_status psi_input_fill(psi_input *in, ps_error *err);
#endif
