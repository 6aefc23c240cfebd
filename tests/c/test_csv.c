/*
 * tests/c/test_csv.c - CSV and text files: chunks, columns of texts, writing, packed files, running out of memory.
 */
#include "fmt_unit.h"
#include "fmt/csv.h"
#include "fmt/stream.h"

static void records_straddle_chunks(void **state)
{
    ps_bytes text = {0}, rows = {0}, expected = {0};

    PS_UNUSED(state);
    for (int i = 0; i < 60000; i++) {
        OK(ps_bytes_printf(&text, &err, "%d,\"text, number %d\",%d.5\r\n", i, i, i));
        OK(ps_bytes_printf(&expected, &err, "%d|text, number %d|%d.5\n", i, i, i));
    }
    OK(read_bytes("csv", "a int, b string, c double", NULL, text.data, text.n_bytes, NULL, &rows));
    assert_int_equal(rows.n_bytes, expected.n_bytes);
    assert_memory_equal(rows.data, expected.data, rows.n_bytes);
    ps_bytes_reset(&rows);
    OK(read_bytes("csv", "a int, b string, c double", NULL, text.data, text.n_bytes, OPTIONS("multiLine", "true"), &rows));
    assert_memory_equal(rows.data, expected.data, rows.n_bytes);
    ps_bytes_reset(&rows);
    OK(read_bytes("csv", "a int, b string, c double", NULL, text.data, text.n_bytes, OPTIONS("lineSep", "\r\n"), &rows));
    assert_memory_equal(rows.data, expected.data, rows.n_bytes);
    ps_bytes_clear(&text);
    ps_bytes_clear(&rows);
    ps_bytes_clear(&expected);
}

static void lines_end_in_any_way(void **state)
{
    PS_UNUSED(state);
    reads("text", "value string", NULL, "a\r\n\r\nb\rc\n\rd", "a\n\nb\nc\n\nd\n");
    reads("text", "value string", NULL, "a\r", "a\n");
    reads("text", "value string", NULL, "\r\n", "\n");
    reads("text", "value string", OPTIONS("lineSep", "||"), "a||b|||c", "a\nb\n|c\n");
    reads("text", "value string", OPTIONS("wholetext", "true"), "", "");
    FAILS(LINE_SEP_EMPTY, read_bytes("text", "value string", NULL, "a", 1, OPTIONS("lineSep", ""), NULL));
}

/* Only CR ends the lines of a file larger than a chunk. */
static void carriage_returns_alone(void **state)
{
    ps_bytes text = {0}, rows = {0};

    PS_UNUSED(state);
    for (int i = 0; i < 200000; i++)
        OK(ps_bytes_text(&text, "0123456789\r", &err));
    OK(read_bytes("text", "value string", NULL, text.data, text.n_bytes, NULL, &rows));
    assert_int_equal(rows.n_bytes, text.n_bytes);
    for (size_t i = 0; i < rows.n_bytes; i++)
        assert_int_equal(rows.data[i], i % 11 == 10 ? '\n' : text.data[i]);
    ps_bytes_clear(&text);
    ps_bytes_clear(&rows);
}

static void quotes_as_spark_cuts_them(void **state)
{
    PS_UNUSED(state);
    reads("csv", "a string, b string", NULL,
          "\"a,b\",c\n\"x \"y\" z\",w\n\"open,c\n\"a\" ,\"b\"\n\"two \"\"q\"\"\",x\n\"\\\\\",\"\\\"\"\n",
          "a,b|c\n\"x \"y\" z\"|w\nopen,c|NULL\na|b\n\"two \"\"q\"\"\"|x\n\\|\"\n");
    reads("csv", "a string, b string", OPTIONS("escape", "\""), "\"a \"\"q\"\"\",\"\"\"\"\n", "a \"q\"|\"\n");
    reads("csv", "a string, b string", OPTIONS("unescapedQuoteHandling", "BACK_TO_DELIMITER"), "\"a\"b,c\"\n", "\"a\"b|c\"\n");
    FAILS(CSV_RECORD, read_bytes("csv", "a string", NULL, "\"a\"b\n", 5, OPTIONS("unescapedQuoteHandling", "RAISE_ERROR"), NULL));
    FAILS(OPTION_ONE_CHARACTER, read_bytes("csv", "a string", NULL, "a\n", 2, OPTIONS("quote", "''"), NULL));
    FAILS(OPTION_ONE_CHARACTER, read_bytes("csv", "a string", NULL, "a\n", 2, OPTIONS("comment", "\u00e9a"), NULL));
    FAILS(NOT_BUILT, read_bytes("csv", "a string", NULL, "a\n", 2, OPTIONS("quote", "\u00e9"), NULL));
}

static void columns_of_texts(void **state)
{
    const char *const items[] = {"1,x", NULL, "", "2,a\nb", "z"};
    const int32_t sel[] = {0, 3};
    const ps_type *schema = schema_of("a int, b string, _corrupt_record string");
    ps_format_args args = {.schema = schema, .options = &(ps_options){0}};
    ps_vec *text = texts(items, 5), *vec;
    ps_rows all = {5, NULL, 5}, some = {5, sel, 2};
    ps_bytes out = {0};
    ps_reader *reader;

    PS_UNUSED(state);
    OK(ps_format_find(ps_slice_of("csv"))->reader_new(&args, &reader, &err));
    OK(reader->vt->parse(reader, text, &all, &vec, &err));
    for (int i = 0; i < 5; i++) {
        if (ps_vec_is_null(vec, i))
            OK(ps_bytes_text(&out, "NULL", &err));
        else
            OK(ps_text_of_value(vec, i, ps_zone_utc(), &out, &err));
        OK(ps_bytes_char(&out, ';', &err));
    }
    TEXT(&out, "{1, x, null};NULL;{null, null, };{2, a\nb, null};{null, null, z};");
    ps_vec_unref(vec);
    OK(reader->vt->parse(reader, text, &some, &vec, &err));
    assert_int_equal(vec->n_rows, 5);
    ps_bytes_reset(&out);
    OK(ps_text_of_value(vec, 3, ps_zone_utc(), &out, &err));
    TEXT(&out, "{2, a\nb, null}");
    ps_vec_unref(vec);
    ps_vec_unref(text);
    reader->vt->free(reader);
    ps_type_unref(schema);
    ps_bytes_clear(&out);
}

#define EVERYTHING "a int, b string, c double, d date, t timestamp, e decimal(10,8), f boolean, g binary"
#define DOCUMENT "{\"a\":1,\"b\":\"say \\\"hi\\\"\",\"c\":1e10,\"d\":\"2024-01-02\",\"t\":\"2024-01-02T03:04:05.12Z\"," \
                 "\"e\":1e-7,\"f\":true,\"g\":\"YWI=\"}\n{\"b\":\" padded, \"}\n{\"b\":\"\"}\n"

static void what_is_written(void **state)
{
    PS_UNUSED(state);
    writes("csv", EVERYTHING, NULL, DOCUMENT,
           "1,\"say \\\"hi\\\"\",1.0E10,2024-01-02,2024-01-02T03:04:05.120Z,1.0E-7,true,[61 62]\n"
           ",\"padded,\",,,,,,\n,\"\",,,,,,\n");
    writes("csv", "a int, b string", OPTIONS("header", "true", "sep", "\\t", "nullValue", "NULL"), DOCUMENT,
           "a\tb\n1\t\"say \\\"hi\\\"\"\nNULL\tpadded,\nNULL\t\"\"\n");
    writes("text", "b string", NULL, "{\"b\":\"x\"}\n{}\n{\"b\":\"y\"}\n", "x\n\ny\n");
}

static ps_status infer(const char *text, const char *const *pairs, ps_bytes *out)
{
    ps_options options = {0};
    ps_format_args args = {.options = &options};
    const ps_type *type = NULL;
    char path[64];
    const char *paths[] = {path};
    int fd = memory_file(text, strlen(text), path);
    ps_status rc;

    set_options(&options, pairs);
    rc = ps_format_find(ps_slice_of("csv"))->infer(&args, ps_fs_local(), paths, 1, &type, &err);
    if (rc == PS_OK)
        rc = ps_type_simple_text(type, out, &err);
    ps_type_unref(type);
    ps_options_clear(&options);
    close(fd);
    return rc;
}

static void schemas_are_inferred(void **state)
{
    ps_bytes out = {0};

    PS_UNUSED(state);
    OK(infer("1,x\n2,y\n", NULL, &out));
    TEXT(&out, "struct<_c0:string,_c1:string>");
    ps_bytes_reset(&out);
    OK(infer("a,b,A,\n1,1.5,2024-01-01,true\n3000000000,2,2024-01-01 10:00:00,x\n",
             OPTIONS("header", "true", "inferSchema", "true"), &out));
    TEXT(&out, "struct<a0:bigint,b:double,A2:timestamp,_c3:string>");
    ps_bytes_clear(&out);
}

/* Each packed file unpacks to what went in; cut short it gives the whole lines and then an error. */
static void packed_files(void **state)
{
    static const struct { const char *codec, *name; } codecs[] = {
        {"gzip", "/tmp/ps-test-%d.txt.gz"}, {"zstd", "/tmp/ps-test-%d.txt.zst"}, {"deflate", "/tmp/ps-test-%d.txt.deflate"},
        {"bzip2", "/tmp/ps-test-%d.txt.bz2"},
    };
    ps_bytes text = {0};

    PS_UNUSED(state);
    for (int i = 0; i < 50000; i++)
        OK(ps_bytes_printf(&text, &err, "line %d\n", i * 7919));
    for (size_t k = 0; k < PS_COUNT_OF(codecs); k++) {
        char path[64], *data = malloc(text.n_bytes + 1);
        ps_bytes packed = {0};
        ps_packer *packer;
        ps_stream *stream;
        size_t n_all = 0, n;

        snprintf(path, sizeof path, codecs[k].name, (int)getpid());
        OK(ps_packer_new(codecs[k].codec, &packer, &err));
        OK(ps_packer_write(packer, text.data, text.n_bytes / 2, false, &packed, &err));
        OK(ps_packer_write(packer, text.data + text.n_bytes / 2, text.n_bytes - text.n_bytes / 2, true, &packed, &err));
        ps_packer_free(packer);
        for (int cut = 0; cut < 2; cut++) {
            ps_status rc = PS_OK;

            OK(ps_fs_write_atomic(ps_fs_local(), path, packed.data, packed.n_bytes - (cut ? 20 : 0), false, false, &err));
            OK(ps_stream_open(ps_fs_local(), path, &stream, &err));
            n_all = 0;
            while ((rc = ps_stream_read(stream, data + n_all, text.n_bytes + 1 - n_all, &n, &err)) == PS_OK && n > 0)
                n_all += n;
            ps_stream_close(stream);
            assert_int_equal(rc, cut ? PS_E_CORRUPT_FILE : PS_OK);
            assert_true(cut ? n_all <= text.n_bytes : n_all == text.n_bytes);
            assert_memory_equal(data, text.data, n_all);
        }
        OK(ps_fs_remove(ps_fs_local(), path, &err));
        ps_bytes_clear(&packed);
        free(data);
    }
    ps_bytes_clear(&text);
}

static void memory_may_run_out_anywhere(void **state)
{
    const ps_type *schema = schema_of(EVERYTHING ", _corrupt_record string"), *plain = schema_of(EVERYTHING);
    ps_format_args args = {.schema = schema, .options = &(ps_options){0}};
    static const char text[] = "1,\"a \\\"quoted\\\" text, long\",1.5,2024-01-02,,0.1,true,x\nbad,line\n,\xff,,,,,,\n";
    ps_bytes out = {0};

    PS_UNUSED(state);
    ps_batch_rows = 2;
    EVERY_ALLOCATION(read_with("csv", &args, text, sizeof text - 1, NULL), (void)0);
    args.schema = plain;
    EVERY_ALLOCATION(write_with("csv", &args, DOCUMENT, &out), ps_bytes_clear(&out));
    ps_batch_rows = PS_BATCH_ROWS;
    ps_type_unref(schema);
    ps_type_unref(plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_straddle_chunks),
        cmocka_unit_test(lines_end_in_any_way),
        cmocka_unit_test(carriage_returns_alone),
        cmocka_unit_test(quotes_as_spark_cuts_them),
        cmocka_unit_test(columns_of_texts),
        cmocka_unit_test(what_is_written),
        cmocka_unit_test(schemas_are_inferred),
        cmocka_unit_test(packed_files),
        cmocka_unit_test(memory_may_run_out_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
