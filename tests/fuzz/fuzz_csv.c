/*
 * tests/fuzz/fuzz_csv.c - CSV files: any bytes give rows, under any options.
 */
#include "fuzz.h"
#include "fmt/csv.h"

#define SCHEMA "a int, b string, c double, d timestamp, e date, f decimal(10,2), g boolean, h binary, i tinyint, " \
               "_corrupt_record string"

static const struct { const char *key, *value; } options[] = {
    {"sep", ";"}, {"sep", "ab"}, {"escape", "\""}, {"quote", "'"}, {"ignoreLeadingWhiteSpace", "true"},
    {"ignoreTrailingWhiteSpace", "true"}, {"comment", "#"}, {"charToEscapeQuoteEscaping", "+"},
    {"unescapedQuoteHandling", "STOP_AT_CLOSING_QUOTE"}, {"unescapedQuoteHandling", "BACK_TO_DELIMITER"},
    {"unescapedQuoteHandling", "SKIP_VALUE"}, {"multiLine", "true"}, {"lineSep", "|"}, {"header", "true"},
    {"encoding", "UTF-16LE"}, {"inferSchema", "true"},
};

static void expressions(const ps_format_args *args, const ps_batch *batch)
{
    ps_rows rows = ps_batch_live(batch);
    ps_csv_writer *writer;
    ps_reader *reader;
    ps_bytes text = {0};
    ps_vec *vec;

    MUST(ps_format_find(ps_slice_of("csv"))->reader_new(args, &reader, &err) == PS_OK);
    MUST(reader->vt->parse(reader, batch->cols[batch->n_cols - 1], &rows, &vec, &err) == PS_OK);
    MUST(vec->n_rows == batch->n_rows);
    MUST(ps_csv_writer_new(args, &writer, &err) == PS_OK);
    MUST(ps_csv_writer_bind(writer, vec, &err) == PS_OK);
    for (int64_t i = 0; i < vec->n_rows; i++)
        if (!ps_vec_is_null(vec, i))
            MUST(ps_csv_write_row(writer, i, &text, &err) == PS_OK);
    ps_csv_writer_free(writer);
    ps_bytes_clear(&text);
    ps_vec_unref(vec);
    reader->vt->free(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    static const ps_type *schema;
    ps_options opts = {0};
    ps_format_args args = {.options = &opts};
    const ps_type *found = NULL;
    ps_batch *batch;
    char path[64];
    const char *paths[] = {path};
    int fd;

    if (n_bytes < 2)
        return 0;
    if (!schema)
        MUST(ps_schema_parse(ps_slice_of(SCHEMA), &schema, &err) == PS_OK);
    args.schema = schema;
    for (int i = 0; i < 16; i++)
        if (data[i / 8] >> i % 8 & 1)
            MUST(ps_options_set(&opts, options[i].key, options[i].value, &err) == PS_OK);
    data += 2;
    n_bytes -= 2;
    fd = fuzz_file(data, n_bytes, path);
    if (ps_format_find(ps_slice_of("csv"))->infer(&args, ps_fs_local(), paths, 1, &found, &err) == PS_OK)
        ps_type_unref(found);
    close(fd);
    batch = fuzz_read("csv", &args, data, n_bytes);
    fuzz_touch(batch);
    if (batch)
        expressions(&args, batch);
    ps_batch_unref(batch);
    ps_options_clear(&opts);
    return 0;
}
