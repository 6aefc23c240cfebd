/*
 * tests/fuzz/fuzz.h - what every fuzz target begins with.
 *
 * A target takes a few bytes from the front of its input to choose options, and reads the rest.
 */
#ifndef PS_TESTS_FUZZ_H
#define PS_TESTS_FUZZ_H
#include "col/text.h"
#include "col/type_text.h"
#include "fmt/format.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

static ps_error err;

static inline void must(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "broken promise: %s (%s)\n", what, err.message);
        abort();
    }
}
#define MUST(x) must((x), #x)

/* A file of these bytes, without a disk; its path is /proc/self/fd/<fd>. */
static inline int fuzz_file(const void *data, size_t n_bytes, char path[64])
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);

    MUST(fd >= 0 && write(fd, data, n_bytes) == (ssize_t)n_bytes);
    snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

/* All rows of a file as one batch; NULL after an error, or without rows. */
static inline ps_batch *fuzz_read(const char *format, const ps_format_args *args, const void *data, size_t n_bytes)
{
    ps_batches list = {0};
    ps_batch *batch = NULL, *all = NULL;
    ps_reader *reader = NULL;
    char path[64];
    int fd = fuzz_file(data, n_bytes, path);
    ps_status rc;

    ps_batch_rows = 7; /* many batches of little text */
    rc = ps_format_find(ps_slice_of(format))->reader_new(args, &reader, &err);

    if (rc == PS_OK)
        rc = reader->vt->open(reader, ps_fs_local(), path, &err);
    while (rc == PS_OK && (rc = reader->vt->next(reader, &batch, &err)) == PS_OK && batch) {
        MUST(batch->n_rows > 0 && batch->n_rows <= ps_batch_rows);
        for (int i = 0; i < batch->n_cols; i++)
            MUST(batch->cols[i]->n_rows == batch->n_rows);
        MUST(ps_batches_add(&list, batch, &err) == PS_OK);
        ps_batch_unref(batch);
    }
    if (rc == PS_OK && list.n > 0) {
        const ps_type *types[64];
        for (int i = 0; i < args->schema->n_fields; i++)
            types[i] = args->schema->fields[i].type;
        MUST(ps_batches_concat(&list, args->schema->n_fields, types, &all, &err) == PS_OK);
    }
    ps_batches_clear(&list);
    if (reader)
        reader->vt->free(reader);
    close(fd);
    return all;
}

/* Touches every byte of every value. */
static inline void fuzz_touch(const ps_batch *batch)
{
    ps_bytes text = {0};

    for (int c = 0; batch && c < batch->n_cols; c++)
        for (int64_t i = 0; i < batch->n_rows; i++)
            if (!ps_vec_is_null(batch->cols[c], i))
                MUST(ps_text_of_value(batch->cols[c], i, ps_zone_utc(), &text, &err) == PS_OK);
    ps_bytes_clear(&text);
}
#endif
