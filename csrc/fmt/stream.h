/*
 * fmt/stream.h - a file as a stream of bytes, unpacked by its extension (.gz, .zst, .deflate ...), and the
 * other way round.
 */
#ifndef PS_FMT_STREAM_H
#define PS_FMT_STREAM_H
#include "base/fs.h"

typedef struct ps_stream ps_stream;
/* Raises FAILED_READ_FILE.* through the caller; an unknown codec is an error that names the supported ones. */
ps_status ps_stream_open(ps_fs *fs, const char *path, ps_stream **out, ps_error *err);
/* Up to n_bytes; 0 = end.  Truncated or corrupt packing is PS_E_CORRUPT_FILE. */
ps_status ps_stream_read(ps_stream *stream, void *data, size_t n_bytes, size_t *n_read, ps_error *err);
void ps_stream_close(ps_stream *stream); /* accepts NULL */

/* Codec for writing: none, gzip, zstd, deflate (bzip2, lz4, snappy name what is missing); extension "" or ".gz". */
typedef struct ps_packer ps_packer;
ps_status ps_packer_new(const char *codec, ps_packer **out, ps_error *err);
const char *ps_packer_extension(const ps_packer *packer);
ps_status ps_packer_write(ps_packer *packer, const void *data, size_t n_bytes, bool last, ps_bytes *out, ps_error *err);
void ps_packer_free(ps_packer *packer);
#endif
