/*
 * fmt/stream.c - packed files: gzip, zlib, zstd and bzip2.
 *
 * What was unpacked before a file turns out to be damaged is handed out first, and the error comes with the
 * next read: ignoreCorruptFiles keeps the rows that could be read.
 */
#include "fmt/stream.h"
#include "fmt/bzip2_int.h"
#include <zlib.h>
#include <zstd.h>

#define PACKED_BYTES ((size_t)1 << 17)

typedef enum packing { PLAIN, ZLIB, ZSTD, BZIP2 } packing;

typedef struct codec_row {
    const char *name, *alias;
    const char *extension;
    packing kind;
    int window_bits; /* of zlib */
    const char *missing; /* what this build lacks, or NULL */
} codec_row;

static const codec_row codecs[] = {
    {"none", "uncompressed", "", PLAIN, 0, NULL},
    {"gzip", "gzip", ".gz", ZLIB, 15 + 16, NULL},
    {"deflate", "deflate", ".deflate", ZLIB, 15, NULL},
    {"zstd", "zstd", ".zst", ZSTD, 0, NULL},
    {"bzip2", "bzip2", ".bz2", BZIP2, 0, NULL},
    {"lz4", "lz4", ".lz4", PLAIN, 0, "Files packed with lz4"},
    {"snappy", "snappy", ".snappy", PLAIN, 0, "Files packed with snappy"},
};
#define CODEC_NAMES "bzip2, deflate, uncompressed, snappy, none, lz4, gzip, zstd"

static ps_status check_codec(const codec_row *codec, ps_error *err)
{
    if (codec->missing)
        return ps_raise(err, PS_E_NOT_BUILT, codec->missing);
    if (codec->kind == BZIP2 && !psi_bzip2_get())
        return ps_raise(err, PS_E_NOT_BUILT, "bzip2 without the library libbz2");
    return PS_OK;
}

/* ---- reading ---- */

struct ps_stream {
    const codec_row *codec;
    ps_file *file;
    char *path;
    uint8_t *packed; /* bytes of the file that are yet to be unpacked */
    size_t pos, n_packed;
    bool file_ended, member_open, failed;
    bool unpacker_ready;
    z_stream z;
    psi_bz_stream bz;
    ZSTD_DStream *zstd;
};

static const codec_row *codec_of_path(const char *path)
{
    size_t n = strlen(path);

    for (size_t i = 1; i < PS_COUNT_OF(codecs); i++) {
        size_t n_extension = strlen(codecs[i].extension);
        if (n > n_extension && strcmp(path + n - n_extension, codecs[i].extension) == 0)
            return &codecs[i];
    }
    return &codecs[0];
}

static ps_status start_unpacker(ps_stream *stream, ps_error *err)
{
    bool ok = false;

    if (stream->codec->kind == ZLIB)
        ok = inflateInit2(&stream->z, stream->codec->window_bits) == Z_OK;
    else if (stream->codec->kind == BZIP2)
        ok = psi_bzip2_get()->decompress_init(&stream->bz, 0, 0) == PSI_BZ_OK;
    else
        ok = (stream->zstd = ZSTD_createDStream()) != NULL;
    if (!ok)
        return ps_raise(err, PS_E_NO_MEMORY, PACKED_BYTES);
    stream->unpacker_ready = true;
    return PS_OK;
}

ps_status ps_stream_open(ps_fs *fs, const char *path, ps_stream **out, ps_error *err)
{
    const codec_row *codec = codec_of_path(path);
    ps_stream *stream;
    ps_status rc;

    *out = NULL;
    PS_TRY(check_codec(codec, err));
    PS_TRY(ps_alloc0(sizeof *stream, &stream, err));
    stream->codec = codec;
    PS_TRY_OR(fail, ps_strdup(path, &stream->path, err));
    PS_TRY_OR(fail, ps_fs_open_read(fs, path, &stream->file, err));
    if (codec->kind != PLAIN) {
        PS_TRY_OR(fail, ps_alloc(PACKED_BYTES, &stream->packed, err));
        PS_TRY_OR(fail, start_unpacker(stream, err));
    }
    *out = stream;
    return PS_OK;
fail:
    ps_stream_close(stream);
    return rc;
}

/* Each unpacker moves stream->pos, adds to *n_out and says whether the data are sound. */
static bool unpack_zlib(ps_stream *stream, uint8_t *out, size_t room, size_t *n_out)
{
    int rc;

    if (!stream->member_open && inflateReset(&stream->z) != Z_OK)
        return false;
    stream->member_open = true;
    stream->z.next_in = stream->packed + stream->pos;
    stream->z.avail_in = (uInt)(stream->n_packed - stream->pos);
    stream->z.next_out = out;
    stream->z.avail_out = (uInt)(room < (1u << 30) ? room : 1u << 30);
    rc = inflate(&stream->z, Z_NO_FLUSH);
    stream->pos = stream->n_packed - stream->z.avail_in;
    *n_out = (size_t)(stream->z.next_out - out);
    if (rc == Z_STREAM_END)
        stream->member_open = false;
    return rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR;
}

static bool unpack_bzip2(ps_stream *stream, uint8_t *out, size_t room, size_t *n_out)
{
    unsigned n = (unsigned)(room < (1u << 30) ? room : 1u << 30);
    int rc;

    if (!stream->member_open && stream->bz.total_in_lo32 + stream->bz.total_in_hi32 > 0) {
        psi_bzip2_get()->decompress_end(&stream->bz);
        memset(&stream->bz, 0, sizeof stream->bz);
        stream->unpacker_ready = psi_bzip2_get()->decompress_init(&stream->bz, 0, 0) == PSI_BZ_OK;
        if (!stream->unpacker_ready)
            return false;
    }
    stream->member_open = true;
    stream->bz.next_in = (char *)stream->packed + stream->pos;
    stream->bz.avail_in = (unsigned)(stream->n_packed - stream->pos);
    stream->bz.next_out = (char *)out;
    stream->bz.avail_out = n;
    rc = psi_bzip2_get()->decompress(&stream->bz);
    stream->pos = stream->n_packed - stream->bz.avail_in;
    *n_out = n - stream->bz.avail_out;
    if (rc == PSI_BZ_STREAM_END)
        stream->member_open = false;
    return rc == PSI_BZ_OK || rc == PSI_BZ_STREAM_END;
}

static bool unpack_zstd(ps_stream *stream, uint8_t *out, size_t room, size_t *n_out)
{
    ZSTD_inBuffer in = {stream->packed, stream->n_packed, stream->pos};
    ZSTD_outBuffer to = {out, room, 0};
    size_t rc = ZSTD_decompressStream(stream->zstd, &to, &in);

    stream->pos = in.pos;
    *n_out = to.pos;
    if (ZSTD_isError(rc))
        return false;
    stream->member_open = rc != 0;
    return true;
}

static bool unpack(ps_stream *stream, uint8_t *out, size_t room, size_t *n_out)
{
    switch (stream->codec->kind) {
    case ZLIB: return unpack_zlib(stream, out, room, n_out);
    case BZIP2: return unpack_bzip2(stream, out, room, n_out);
    default: return unpack_zstd(stream, out, room, n_out);
    }
}

/* More packed bytes once all are used up. */
static ps_status refill(ps_stream *stream, ps_error *err)
{
    if (stream->pos < stream->n_packed || stream->file_ended)
        return PS_OK;
    stream->pos = stream->n_packed = 0;
    PS_TRY(ps_file_read(stream->file, stream->packed, PACKED_BYTES, &stream->n_packed, err));
    stream->file_ended = stream->n_packed == 0;
    return PS_OK;
}

ps_status ps_stream_read(ps_stream *stream, void *data, size_t n_bytes, size_t *n_read, ps_error *err)
{
    *n_read = 0;
    if (stream->codec->kind == PLAIN)
        return ps_file_read(stream->file, data, n_bytes, n_read, err);
    while (!stream->failed && *n_read < n_bytes) {
        size_t n_out = 0, pos;

        PS_TRY(refill(stream, err));
        if (stream->file_ended && !stream->member_open)
            break;
        pos = stream->pos;
        stream->failed = !unpack(stream, (uint8_t *)data + *n_read, n_bytes - *n_read, &n_out);
        *n_read += n_out;
        if (stream->file_ended && n_out == 0 && stream->pos == pos)
            stream->failed = true; /* the file ends inside a packed block */
    }
    if (stream->failed && *n_read == 0)
        return ps_raise(err, PS_E_CORRUPT_FILE, stream->path);
    return PS_OK;
}

void ps_stream_close(ps_stream *stream)
{
    if (!stream)
        return;
    if (stream->unpacker_ready && stream->codec->kind == ZLIB)
        inflateEnd(&stream->z);
    if (stream->unpacker_ready && stream->codec->kind == BZIP2)
        psi_bzip2_get()->decompress_end(&stream->bz);
    if (stream->zstd)
        ZSTD_freeDStream(stream->zstd);
    ps_file_close(stream->file, NULL);
    ps_free(stream->packed);
    ps_free(stream->path);
    ps_free(stream);
}

/* ---- writing ---- */

struct ps_packer {
    const codec_row *codec;
    bool ready;
    z_stream z;
    psi_bz_stream bz;
    ZSTD_CStream *zstd;
};

static ps_status start_packer(ps_packer *packer, ps_error *err)
{
    switch (packer->codec->kind) {
    case PLAIN: return PS_OK;
    case ZLIB:
        packer->ready = deflateInit2(&packer->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, packer->codec->window_bits,
                                     8, Z_DEFAULT_STRATEGY) == Z_OK;
        break;
    case BZIP2: packer->ready = psi_bzip2_get()->compress_init(&packer->bz, 9, 0, 0) == PSI_BZ_OK; break;
    case ZSTD: packer->ready = (packer->zstd = ZSTD_createCStream()) != NULL; break;
    }
    return packer->ready ? PS_OK : ps_raise(err, PS_E_NO_MEMORY, PACKED_BYTES);
}

ps_status ps_packer_new(const char *codec, ps_packer **out, ps_error *err)
{
    ps_slice name = ps_slice_of(codec);
    ps_packer *packer;
    ps_status rc;

    *out = NULL;
    for (size_t i = 0; i < PS_COUNT_OF(codecs); i++) {
        if (!ps_slice_equal_nocase(name, ps_slice_of(codecs[i].name)) &&
            !ps_slice_equal_nocase(name, ps_slice_of(codecs[i].alias)))
            continue;
        PS_TRY(check_codec(&codecs[i], err));
        PS_TRY(ps_alloc0(sizeof *packer, &packer, err));
        packer->codec = &codecs[i];
        if ((rc = start_packer(packer, err)) != PS_OK) {
            ps_packer_free(packer);
            return rc;
        }
        *out = packer;
        return PS_OK;
    }
    return ps_raise(err, PS_E_CODEC, codec, CODEC_NAMES);
}

const char *ps_packer_extension(const ps_packer *packer)
{
    return packer->codec->extension;
}

/* Each packs what it is given into `room` bytes at `out`; *done when everything of this call is out. */
static bool pack_zlib(ps_packer *packer, bool last, uint8_t *out, size_t room, size_t *n_out, bool *done)
{
    int rc;

    packer->z.next_out = out;
    packer->z.avail_out = (uInt)room;
    rc = deflate(&packer->z, last ? Z_FINISH : Z_NO_FLUSH);
    *n_out = room - packer->z.avail_out;
    *done = last ? rc == Z_STREAM_END : packer->z.avail_in == 0 && packer->z.avail_out > 0;
    return rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR;
}

static bool pack_bzip2(ps_packer *packer, bool last, uint8_t *out, size_t room, size_t *n_out, bool *done)
{
    int rc = PSI_BZ_RUN_OK;

    packer->bz.next_out = (char *)out;
    packer->bz.avail_out = (unsigned)room;
    if (last || packer->bz.avail_in > 0)
        rc = psi_bzip2_get()->compress(&packer->bz, last ? PSI_BZ_FINISH : PSI_BZ_RUN);
    *n_out = room - packer->bz.avail_out;
    *done = last ? rc == PSI_BZ_STREAM_END : packer->bz.avail_in == 0;
    return rc == PSI_BZ_RUN_OK || rc == PSI_BZ_FINISH_OK || rc == PSI_BZ_STREAM_END;
}

static bool pack_zstd(ps_packer *packer, ZSTD_inBuffer *in, bool last, uint8_t *out, size_t room, size_t *n_out,
                      bool *done)
{
    ZSTD_outBuffer to = {out, room, 0};
    size_t rc = ZSTD_compressStream2(packer->zstd, &to, in, last ? ZSTD_e_end : ZSTD_e_continue);

    *n_out = to.pos;
    *done = !ZSTD_isError(rc) && (last ? rc == 0 : in->pos == in->size);
    return !ZSTD_isError(rc);
}

ps_status ps_packer_write(ps_packer *packer, const void *data, size_t n_bytes, bool last, ps_bytes *out,
                          ps_error *err)
{
    ZSTD_inBuffer in = {data, n_bytes, 0};
    bool done = false;

    if (packer->codec->kind == PLAIN)
        return ps_bytes_append(out, data, n_bytes, err);
    if (n_bytes > INT32_MAX)
        return ps_raise(err, PS_E_NO_MEMORY, n_bytes);
    packer->z.next_in = (Bytef *)(uintptr_t)data;
    packer->z.avail_in = (uInt)n_bytes;
    packer->bz.next_in = (char *)(uintptr_t)data;
    packer->bz.avail_in = (unsigned)n_bytes;
    while (!done) {
        size_t n_out = 0;
        uint8_t *to;
        bool ok;

        PS_TRY(ps_bytes_reserve(out, PACKED_BYTES, err));
        to = (uint8_t *)out->data + out->n_bytes;
        if (packer->codec->kind == ZLIB)
            ok = pack_zlib(packer, last, to, PACKED_BYTES, &n_out, &done);
        else if (packer->codec->kind == BZIP2)
            ok = pack_bzip2(packer, last, to, PACKED_BYTES, &n_out, &done);
        else
            ok = pack_zstd(packer, &in, last, to, PACKED_BYTES, &n_out, &done);
        if (!ok)
            return ps_raise(err, PS_E_INTERNAL, "a packer failed");
        out->n_bytes += n_out;
    }
    if (last) { /* ready for the next file */
        ps_packer fresh = {.codec = packer->codec};
        if (packer->codec->kind == ZLIB)
            deflateReset(&packer->z);
        else if (packer->codec->kind == BZIP2) {
            psi_bzip2_get()->compress_end(&packer->bz);
            *packer = fresh;
            return start_packer(packer, err);
        }
    }
    return PS_OK;
}

void ps_packer_free(ps_packer *packer)
{
    if (!packer)
        return;
    if (packer->ready && packer->codec->kind == ZLIB)
        deflateEnd(&packer->z);
    if (packer->ready && packer->codec->kind == BZIP2)
        psi_bzip2_get()->compress_end(&packer->bz);
    if (packer->zstd)
        ZSTD_freeCStream(packer->zstd);
    ps_free(packer);
}
