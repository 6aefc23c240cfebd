/*
 * tests/c/fmt_unit.h - what the tests of file formats share: text in, rows as text out.
 */
#ifndef PS_TESTS_FMT_UNIT_H
#define PS_TESTS_FMT_UNIT_H
#include "unit.h"
#include "col/build.h"
#include "col/text.h"
#include "col/type_text.h"
#include "fmt/format.h"
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Options as pairs of key and value, ended by NULL. */
#define OPTIONS(...) (const char *const[]){__VA_ARGS__, NULL}

static inline const ps_type *schema_of(const char *ddl)
{
    const ps_type *type;

    OK(ps_schema_parse(ps_slice_of(ddl), &type, &err));
    return type;
}

static inline void set_options(ps_options *options, const char *const *pairs)
{
    for (; pairs && *pairs; pairs += 2)
        OK(ps_options_set(options, pairs[0], pairs[1], &err));
}

/* A file of these bytes in memory, with a name that the reader can open. */
static inline int memory_file(const void *data, size_t n_bytes, char path[64])
{
    int fd = memfd_create("test", MFD_CLOEXEC);

    assert_true(fd >= 0 && write(fd, data, n_bytes) == (ssize_t)n_bytes);
    snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

static inline void row_text(const ps_batch *batch, int64_t row, ps_bytes *out)
{
    for (int c = 0; c < batch->n_cols; c++) {
        if (c > 0)
            OK(ps_bytes_char(out, '|', &err));
        if (ps_vec_is_null(batch->cols[c], row))
            OK(ps_bytes_text(out, "NULL", &err));
        else
            OK(ps_text_of_value(batch->cols[c], row, ps_zone_utc(), out, &err));
    }
    OK(ps_bytes_char(out, '\n', &err));
}

/* The rows of a file as lines of text (out NULL: read only), or the error of the reader. */
static inline ps_status read_with(const char *format, const ps_format_args *args, const void *data, size_t n_bytes, ps_bytes *out)
{
    ps_reader *reader = NULL;
    ps_batch *batch = NULL;
    char path[64];
    int fd = memory_file(data, n_bytes, path);
    ps_status rc = ps_format_find(ps_slice_of(format))->reader_new(args, &reader, &err);

    if (rc == PS_OK)
        rc = reader->vt->open(reader, ps_fs_local(), path, &err);
    while (rc == PS_OK && (rc = reader->vt->next(reader, &batch, &err)) == PS_OK && batch) {
        assert_true(batch->n_rows > 0 && batch->n_rows <= ps_batch_rows);
        for (int64_t i = 0; out && i < batch->n_rows; i++)
            row_text(batch, i, out);
        ps_batch_unref(batch);
    }
    if (reader) {
        reader->vt->close(reader);
        reader->vt->close(reader); /* twice is harmless */
        reader->vt->free(reader);
    }
    close(fd);
    return rc;
}

static inline ps_status read_bytes(const char *format, const char *ddl, const char *wanted, const void *data, size_t n_bytes,
                                   const char *const *pairs, ps_bytes *out)
{
    const ps_type *full = schema_of(ddl), *schema = wanted ? schema_of(wanted) : ps_type_ref(full);
    ps_options options = {0};
    ps_format_args args = {.schema = schema, .full_schema = full, .options = &options};
    ps_status rc;

    set_options(&options, pairs);
    rc = read_with(format, &args, data, n_bytes, out);
    ps_options_clear(&options);
    ps_type_unref(schema);
    ps_type_unref(full);
    return rc;
}

/* JSON text into rows, and these into the bytes of a file of `format`. */
static inline ps_status write_with(const char *format, const ps_format_args *args, const char *json, ps_bytes *out)
{
    ps_format_args plain = {.schema = args->schema, .options = &(ps_options){0}};
    ps_reader *reader = NULL;
    ps_writer *writer = NULL;
    ps_batch *batch;
    char path[64];
    int fd = memory_file(json, strlen(json), path);
    ps_status rc = ps_format_find(ps_slice_of("json"))->reader_new(&plain, &reader, &err);

    if (rc == PS_OK)
        rc = ps_format_find(ps_slice_of(format))->writer_new(args, &writer, &err);
    if (rc == PS_OK)
        rc = reader->vt->open(reader, ps_fs_local(), path, &err);
    if (rc == PS_OK)
        rc = writer->vt->begin(writer, out, &err);
    while (rc == PS_OK && (rc = reader->vt->next(reader, &batch, &err)) == PS_OK && batch) {
        rc = writer->vt->write(writer, batch, out, &err);
        ps_batch_unref(batch);
    }
    if (rc == PS_OK)
        rc = writer->vt->end(writer, out, &err);
    if (reader)
        reader->vt->free(reader);
    if (writer)
        writer->vt->free(writer);
    close(fd);
    return rc;
}

/* The same, compared. */
static inline void writes(const char *format, const char *ddl, const char *const *pairs, const char *json, const char *expected)
{
    const ps_type *schema = schema_of(ddl);
    ps_options options = {0};
    ps_format_args args = {.schema = schema, .options = &options};
    ps_bytes out = {0};

    set_options(&options, pairs);
    OK(write_with(format, &args, json, &out));
    assert_string_equal(out.data ? out.data : "", expected);
    ps_bytes_clear(&out);
    ps_options_clear(&options);
    ps_type_unref(schema);
}

/* Reads `text` and compares the rows, a line each, columns parted by '|'. */
static inline void reads(const char *format, const char *ddl, const char *const *pairs, const char *text, const char *rows)
{
    ps_bytes out = {0};

    OK(read_bytes(format, ddl, NULL, text, strlen(text), pairs, &out));
    assert_string_equal(out.data ? out.data : "", rows);
    ps_bytes_clear(&out);
}

/* Strings (NULL allowed) as a vector. */
static inline ps_vec *texts(const char *const *items, int n)
{
    ps_builder *b;
    ps_vec *vec;

    OK(ps_build_new(ps_type_of(PS_STRING), n, &b, &err));
    for (int i = 0; i < n; i++)
        OK(items[i] ? ps_build_text(b, items[i], strlen(items[i]), &err) : ps_build_null(b, &err));
    OK(ps_build_finish(b, &vec, &err));
    ps_build_free(b);
    return vec;
}
#endif
