/*
 * query/spool.c - the file of a spool is a row of batches, each with its length before it.  A column is its validity
 * words, then its values as they lie in memory, texts with their lengths, and its children likewise.  The file has no
 * name and lives no longer than the process: its layout is nobody else's business.
 */
#include "query/spool.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* --- a column as bytes ------------------------------------------------------------------------------------- */

static size_t n_words(int64_t n) { return (size_t)(n + 63) / 64; }

static ps_status write_vec(ps_vec *vec, ps_bytes *out, ps_error *err);

static ps_status write_texts(const ps_vec *vec, ps_bytes *out, ps_error *err)
{
    const ps_str *views = vec->data;

    for (int64_t i = 0; i < vec->n_rows; i++) {
        uint32_t n = vec->valid && !ps_bit(vec->valid, i) ? 0 : views[i].n_bytes;

        PS_TRY(ps_bytes_append(out, &n, sizeof n, err));
        PS_TRY(ps_bytes_append(out, ps_str_data(&views[i]), n, err));
    }
    return PS_OK;
}

static ps_status write_flat(const ps_vec *vec, ps_bytes *out, ps_error *err)
{
    uint64_t head[2] = {(uint64_t)vec->n_rows, vec->valid != NULL};

    PS_TRY(ps_bytes_append(out, head, sizeof head, err));
    if (vec->valid)
        PS_TRY(ps_bytes_append(out, vec->valid, n_words(vec->n_rows) * 8, err));
    if (ps_kind_is_text(vec->type->kind))
        PS_TRY(write_texts(vec, out, err));
    else
        PS_TRY(ps_bytes_append(out, vec->data, (size_t)vec->n_rows * ps_type_width(vec->type), err));
    for (int i = 0; i < vec->n_children; i++)
        PS_TRY(write_vec(vec->children[i], out, err));
    return PS_OK;
}

static ps_status write_vec(ps_vec *vec, ps_bytes *out, ps_error *err)
{
    ps_vec *flat = NULL;
    ps_status rc;

    PS_TRY(ps_vec_flatten(vec, &flat, err));
    rc = write_flat(flat, out, err);
    ps_vec_unref(flat);
    return rc;
}

/* --- and back ------------------------------------------------------------------------------------------------- */

static ps_status cut_short(ps_error *err) { return ps_raise(err, PS_E_IO, "reading", "the spool of a micro-batch", "it is cut short"); }

static ps_status take(ps_slice *in, void *to, size_t n, ps_error *err)
{
    if (in->n_bytes < n)
        return cut_short(err);
    if (n > 0)
        memcpy(to, in->data, n);
    in->data += n;
    in->n_bytes -= n;
    return PS_OK;
}

/* Views point into the batch's bytes, which `text` owns. */
static ps_status read_texts(ps_slice *in, ps_vec *vec, ps_buf *text, ps_error *err)
{
    ps_str *views = vec->data;

    for (int64_t i = 0; i < vec->n_rows; i++) {
        uint32_t n = 0;

        PS_TRY(take(in, &n, sizeof n, err));
        if (in->n_bytes < n)
            return cut_short(err);
        views[i] = ps_str_make(in->data, n);
        in->data += n;
        in->n_bytes -= n;
    }
    return ps_vec_pin(vec, text, err);
}

static ps_status read_vec(ps_slice *in, const ps_type *type, ps_buf *text, ps_vec **out, ps_error *err)
{
    uint64_t head[2] = {0, 0};
    ps_vec *vec = NULL;
    ps_status rc;

    PS_TRY(take(in, head, sizeof head, err));
    PS_TRY(ps_vec_new(type, (int64_t)head[0], head[1] != 0, &vec, err));
    if (head[1])
        PS_TRY_OR(fail, take(in, vec->valid, n_words(vec->n_rows) * 8, err));
    if (ps_kind_is_text(type->kind))
        PS_TRY_OR(fail, read_texts(in, vec, text, err));
    else
        PS_TRY_OR(fail, take(in, vec->data, (size_t)vec->n_rows * ps_type_width(type), err));
    for (int i = 0; ps_kind_is_nested(type->kind) && i < type->n_fields; i++) {
        ps_vec *child = NULL;

        PS_TRY_OR(fail, read_vec(in, type->fields[i].type, text, &child, err));
        PS_TRY_OR(fail, ps_vec_add_child(vec, child, err));
    }
    *out = vec;
    return PS_OK;
fail:
    ps_vec_unref(vec);
    return rc;
}

static ps_status read_batch(const ps_spool *spool, int64_t n_rows, ps_buf *bytes, ps_batch **out, ps_error *err)
{
    ps_slice in = {(const char *)bytes->data, bytes->n_bytes};
    ps_batch *batch = NULL;
    ps_status rc;

    PS_TRY(ps_batch_new(spool->n_cols, n_rows, &batch, err));
    for (int i = 0; i < spool->n_cols; i++)
        PS_TRY_OR(fail, read_vec(&in, spool->types[i], bytes, &batch->cols[i], err));
    *out = batch;
    return PS_OK;
fail:
    ps_batch_unref(batch);
    return rc;
}

/* --- the file ----------------------------------------------------------------------------------------------------- */

static ps_status io_error(const char *verb, ps_error *err) { return ps_raise(err, PS_E_IO, verb, "the spool of a micro-batch", strerror(errno)); }

static ps_status open_file(ps_spool *spool, ps_error *err)
{
    const char *tmp = getenv("TMPDIR");
    char path[4096];

    snprintf(path, sizeof path, "%s/pystream-spool-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    spool->fd = mkostemp(path, O_CLOEXEC);
    if (spool->fd < 0)
        return io_error("making", err);
    unlink(path);
    spool->has_file = true;
    return PS_OK;
}

static ps_status write_fully(int fd, const char *data, size_t n, ps_error *err)
{
    while (n > 0) {
        ssize_t done = write(fd, data, n);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return io_error("writing", err);
        data += done;
        n -= (size_t)done;
    }
    return PS_OK;
}

static ps_status read_fully(int fd, off_t at, void *to, size_t n, ps_error *err)
{
    while (n > 0) {
        ssize_t done = pread(fd, to, n, at);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return io_error("reading", err);
        if (done == 0)
            return cut_short(err);
        to = (char *)to + done;
        at += done;
        n -= (size_t)done;
    }
    return PS_OK;
}

static ps_status spill(ps_spool *spool, ps_batch *batch, ps_error *err)
{
    ps_bytes out = {0};
    uint64_t head[2];
    ps_status rc = PS_OK;

    if (!spool->has_file)
        PS_TRY(open_file(spool, err));
    for (int i = 0; rc == PS_OK && i < batch->n_cols; i++)
        rc = write_vec(batch->cols[i], &out, err);
    head[0] = out.n_bytes;
    head[1] = (uint64_t)batch->n_rows;
    if (rc == PS_OK)
        rc = write_fully(spool->fd, (const char *)head, sizeof head, err);
    if (rc == PS_OK)
        rc = write_fully(spool->fd, out.data, out.n_bytes, err);
    spool->n_spilled += rc == PS_OK;
    ps_bytes_clear(&out);
    return rc;
}

ps_status ps_spool_add(ps_spool *spool, ps_batch *batch, ps_error *err)
{
    ps_batch *copy = NULL;
    size_t n_bytes;
    ps_status rc;

    PS_TRY(ps_batch_copy(batch, &copy, err));
    n_bytes = ps_batch_n_bytes(copy);
    if (spool->has_file || spool->n_bytes + n_bytes > spool->limit) {
        rc = spill(spool, copy, err);
    } else {
        rc = ps_batches_add(&spool->rows, copy, err);
        spool->n_bytes += n_bytes;
    }
    ps_batch_unref(copy);
    return rc;
}

ps_status ps_spool_read(ps_spool *spool, ps_status (*emit)(void *self, ps_batch *batch, ps_error *err), void *self, ps_error *err)
{
    off_t at = 0;

    for (int i = 0; i < spool->rows.n; i++)
        PS_TRY(emit(self, spool->rows.items[i], err));
    for (int64_t i = 0; i < spool->n_spilled; i++) {
        uint64_t head[2];
        ps_buf *bytes = NULL;
        ps_batch *batch = NULL;
        ps_status rc;

        PS_TRY(read_fully(spool->fd, at, head, sizeof head, err));
        PS_TRY(ps_buf_new(head[0], &bytes, err));
        rc = read_fully(spool->fd, at + (off_t)sizeof head, bytes->data, head[0], err);
        if (rc == PS_OK)
            rc = read_batch(spool, (int64_t)head[1], bytes, &batch, err);
        if (rc == PS_OK)
            rc = emit(self, batch, err);
        ps_batch_unref(batch);
        ps_buf_unref(bytes);
        PS_TRY(rc);
        at += (off_t)(sizeof head + head[0]);
    }
    return PS_OK;
}

void ps_spool_clear(ps_spool *spool)
{
    ps_batches_clear(&spool->rows);
    if (spool->has_file)
        close(spool->fd);
    spool->has_file = false;
    spool->n_spilled = 0;
    spool->n_bytes = 0;
}
