/*
 * tests/fuzz/fuzz_json.c - JSON files: any bytes give rows, and the short cut gives the same rows as the long way.
 */
#include "fuzz.h"
#include "fmt/json.h"

#define SCHEMA "a int, b string, c double, d timestamp, e array<int>, f map<string,string>, " \
               "g struct<x:bigint,y:decimal(10,2),z:string>, h boolean, i date, j tinyint, k binary, l float, " \
               "m timestamp_ntz, n interval day to second, _corrupt_record string"
#define PLAIN_SCHEMA "a bigint, b string, c double, d timestamp, x int, _corrupt_record string" /* what json_block.c is for */

static const char *const options[] = {"allowComments", "allowUnquotedFieldNames", "allowNumericLeadingZeros",
                                      "allowBackslashEscapingAnyCharacter", "allowUnquotedControlChars"};

/* A blank before every line keeps the short cut from being taken, and changes nothing else. */
static size_t with_blanks(const uint8_t *data, size_t n_bytes, uint8_t *out)
{
    size_t n = 0;

    if (n_bytes >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) { /* the mark stays in front */
        memcpy(out, data, 3);
        n = 3;
        data += 3;
        n_bytes -= 3;
    }
    out[n++] = ' ';
    for (size_t i = 0; i < n_bytes; i++) {
        out[n++] = data[i];
        if (data[i] == '\n' || data[i] == '\r')
            out[n++] = ' ';
    }
    return n;
}

static void compare(const ps_batch *fast, const ps_batch *strict)
{
    MUST((fast == NULL) == (strict == NULL));
    if (!fast)
        return;
    MUST(fast->n_rows == strict->n_rows);
    for (int c = 0; c < fast->n_cols - 1; c++) /* the text of corrupt records differs by the blank */
        for (int64_t i = 0; i < fast->n_rows; i++)
            MUST(ps_vec_equal_rows(fast->cols[c], i, strict->cols[c], i));
    for (int64_t i = 0; i < fast->n_rows; i++)
        MUST(ps_vec_is_null(fast->cols[fast->n_cols - 1], i) == ps_vec_is_null(strict->cols[fast->n_cols - 1], i));
}

/* from_json of every row's corrupt text, and to_json of all there is. */
static void expressions(const ps_format_args *args, const ps_batch *batch)
{
    ps_rows rows = ps_batch_live(batch);
    ps_json_writer *writer;
    ps_reader *reader;
    ps_vec *vec;
    ps_bytes text = {0};

    MUST(ps_format_find(ps_slice_of("json"))->reader_new(args, &reader, &err) == PS_OK);
    MUST(reader->vt->parse(reader, batch->cols[batch->n_cols - 1], &rows, &vec, &err) == PS_OK);
    MUST(vec->n_rows == batch->n_rows);
    MUST(ps_json_writer_new(args, &writer, &err) == PS_OK);
    MUST(ps_json_writer_bind(writer, vec, &err) == PS_OK);
    for (int64_t i = 0; i < vec->n_rows; i++)
        MUST(ps_json_write_value(writer, i, &text, &err) == PS_OK);
    ps_json_writer_free(writer);
    ps_bytes_clear(&text);
    ps_vec_unref(vec);
    reader->vt->free(reader);
}

/* from_json of the file's lines; NULL when there are none. */
static ps_vec *from_lines(const ps_format_args *args, const uint8_t *data, size_t n_bytes)
{
    static const ps_type *line;
    ps_format_args text_args = {.options = &(ps_options){0}};
    ps_reader *reader;
    ps_batch *batch;
    ps_vec *vec = NULL;

    if (!line)
        MUST(ps_schema_parse(ps_slice_of("value string"), &line, &err) == PS_OK);
    text_args.schema = line;
    if (!(batch = fuzz_read("text", &text_args, data, n_bytes)))
        return NULL;
    MUST(ps_format_find(ps_slice_of("json"))->reader_new(args, &reader, &err) == PS_OK);
    ps_rows rows = ps_batch_live(batch);
    ps_batch_rows = 1000; /* of what fuzz_read() has put together */
    MUST(reader->vt->parse(reader, batch->cols[0], &rows, &vec, &err) == PS_OK);
    reader->vt->free(reader);
    ps_batch_unref(batch);
    return vec;
}

/* The short cut and the long way over columns of texts. */
static void compare_texts(const ps_format_args *args, const uint8_t *data, size_t n_bytes, const uint8_t *blanks, size_t n_blanks)
{
    ps_vec *fast, *strict;

    if (memchr(data, '\r', n_bytes)) /* a blank within CRLF makes two lines of one */
        return;
    fast = from_lines(args, data, n_bytes);
    strict = from_lines(args, blanks, n_blanks);
    for (int64_t i = 0; fast && strict && i < fast->n_rows; i++) {
        MUST(ps_vec_is_null(fast, i) == ps_vec_is_null(strict, i));
        for (int c = 0; c < fast->n_children - 1; c++)
            MUST(ps_vec_equal_rows(fast->children[c], i, strict->children[c], i));
    }
    ps_vec_unref(fast);
    ps_vec_unref(strict);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    static const ps_type *schemas[2];
    ps_options opts = {0};
    ps_format_args args = {.options = &opts};
    ps_batch *fast, *strict;
    const ps_type *found = NULL;
    uint8_t *blanks;
    size_t n_blanks;
    char path[64];
    const char *paths[] = {path};
    int fd;

    if (n_bytes < 1)
        return 0;
    if (!schemas[0]) {
        MUST(ps_schema_parse(ps_slice_of(SCHEMA), &schemas[0], &err) == PS_OK);
        MUST(ps_schema_parse(ps_slice_of(PLAIN_SCHEMA), &schemas[1], &err) == PS_OK);
    }
    args.schema = schemas[data[0] >> 6 & 1];
    if (data[0] >> 7 & 1 && ps_zone_find("America/New_York", &args.zone, &err) != PS_OK)
        args.zone = NULL;
    for (int i = 0; i < 5; i++)
        if (data[0] >> i & 1)
            MUST(ps_options_set(&opts, options[i], "true", &err) == PS_OK);
    if (data[0] >> 5 & 1)
        MUST(ps_options_set(&opts, "multiLine", "true", &err) == PS_OK);
    fd = fuzz_file(data + 1, n_bytes - 1, path);
    if (ps_format_find(ps_slice_of("json"))->infer(&args, ps_fs_local(), paths, 1, &found, &err) == PS_OK)
        ps_type_unref(found);
    close(fd);
    blanks = malloc(2 * n_bytes + 2);
    fast = fuzz_read("json", &args, data + 1, n_bytes - 1);
    n_blanks = with_blanks(data + 1, n_bytes - 1, blanks);
    strict = data[0] >> 5 & 1 ? NULL : fuzz_read("json", &args, blanks, n_blanks);
    fuzz_touch(fast);
    if (!(data[0] >> 5 & 1))
        compare(fast, strict);
    if (!(data[0] >> 5 & 1))
        compare_texts(&args, data + 1, n_bytes - 1, blanks, n_blanks);
    if (fast && !(data[0] >> 5 & 1))
        expressions(&args, fast);
    ps_batch_unref(fast);
    ps_batch_unref(strict);
    free(blanks);
    ps_options_clear(&opts);
    return 0;
}
