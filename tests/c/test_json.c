/*
 * tests/c/test_json.c - the JSON reader and writer where files of the conformance cases are too small to reach:
 * chunks, the short cut against the strict reader, columns of texts, running out of memory.
 */
#include "fmt_unit.h"
#include "fmt/json.h"

#define GOOD "{\"a\":%d,\"b\":\"text number %d\",\"c\":%d.5}\n"

static void records_straddle_chunks(void **state)
{
    ps_bytes text = {0}, rows = {0}, expected = {0};

    PS_UNUSED(state);
    for (int i = 0; i < 60000; i++) {
        OK(ps_bytes_printf(&text, &err, GOOD, i, i, i));
        OK(ps_bytes_printf(&expected, &err, "%d|text number %d|%d.5\n", i, i, i));
    }
    OK(read_bytes("json", "a int, b string, c double", NULL, text.data, text.n_bytes - 1, NULL, &rows));
    assert_int_equal(rows.n_bytes, expected.n_bytes);
    assert_memory_equal(rows.data, expected.data, rows.n_bytes);
    ps_bytes_clear(&text);
    ps_bytes_clear(&rows);
    ps_bytes_clear(&expected);
}

static void a_record_may_be_longer_than_a_chunk(void **state)
{
    ps_bytes text = {0}, rows = {0};

    PS_UNUSED(state);
    OK(ps_bytes_text(&text, "{\"a\":1}\n{\"b\":\"", &err));
    for (int i = 0; i < 300000; i++)
        OK(ps_bytes_text(&text, "0123456789", &err));
    OK(ps_bytes_text(&text, "\",\"a\":2}\n{\"a\":3}", &err));
    OK(read_bytes("json", "a int, b string", "a int", text.data, text.n_bytes, NULL, &rows));
    TEXT(&rows, "1\n2\n3\n");
    ps_bytes_reset(&rows);
    OK(read_bytes("json", "b string", NULL, text.data, text.n_bytes, NULL, &rows));
    assert_int_equal(rows.n_bytes, 3000000 + 1 + 2 * 5);
    ps_bytes_clear(&text);
    ps_bytes_clear(&rows);
}

static void predicted_keys_may_go_wrong(void **state)
{
    PS_UNUSED(state);
    reads("json", "a int, b string, c boolean", NULL,
          "{\"a\":1,\"b\":\"x\",\"c\":true}\n"
          "{\"b\":\"y\",\"a\":2,\"c\":false}\n"              /* another order */
          "{\"a\":3,\"c\":true}\n"                           /* one is missing */
          "{\"a\":4,\"zz\":[{\"a\":9}],\"b\":\"z\"}\n"       /* one is new */
          "{}\n"
          "{ \"a\" : 5 , \"b\" : \"w\" , \"c\" : null }\n"   /* other blanks */
          "{\"a\":6,\"a\":7,\"b\":\"twice\",\"c\":true}\n"
          "{\"a\":8,\"b\":\"esc\\u0041\",\"c\":false} rest\n"
          "{\"a\":9,\"b\":\"x\",\"c\":true",
          "1|x|true\n2|y|false\n3|NULL|true\n4|z|NULL\nNULL|NULL|NULL\n5|w|NULL\n7|twice|true\n8|escA|false\nNULL|NULL|NULL\n");
}

static void arrays_of_records_are_cut_into_batches(void **state)
{
    ps_bytes text = {0}, rows = {0}, expected = {0};

    PS_UNUSED(state);
    ps_batch_rows = 10;
    OK(ps_bytes_char(&text, '[', &err));
    for (int i = 0; i < 95; i++) {
        OK(ps_bytes_printf(&text, &err, "%s{\"a\":%d}", i ? "," : "", i));
        OK(ps_bytes_printf(&expected, &err, "%d\n", i));
    }
    OK(ps_bytes_text(&text, "]\n{\"a\":95}\n", &err));
    OK(ps_bytes_text(&expected, "95\n", &err));
    OK(read_bytes("json", "a int", NULL, text.data, text.n_bytes, NULL, &rows));
    assert_string_equal(rows.data, expected.data);
    ps_batch_rows = PS_BATCH_ROWS;
    ps_bytes_clear(&text);
    ps_bytes_clear(&rows);
    ps_bytes_clear(&expected);
}

static void nesting_and_numbers_have_limits(void **state)
{
    ps_bytes text = {0}, rows = {0};

    PS_UNUSED(state);
    OK(ps_bytes_text(&text, "{\"x\":", &err));
    for (int i = 0; i < 100000; i++)
        OK(ps_bytes_char(&text, '[', &err));
    OK(ps_bytes_text(&text, "\n{\"x\":1", &err));
    for (int i = 0; i < 2000; i++)
        OK(ps_bytes_char(&text, '0', &err));
    OK(ps_bytes_text(&text, "}\n{\"x\":[[[[1]]]],\"a\":7}\n", &err));
    OK(read_bytes("json", "a int", NULL, text.data, text.n_bytes, NULL, &rows));
    TEXT(&rows, "NULL\nNULL\n7\n");
    ps_bytes_clear(&text);
    ps_bytes_clear(&rows);
}

static void failfast_names_the_row(void **state)
{
    static const char text[] = "{\"a\":1}\n{\"a\":\"x\",\"b\":\"y\"}\n";

    PS_UNUSED(state);
    FAILS(MALFORMED_RECORD,
          read_bytes("json", "a int, b string", NULL, text, sizeof text - 1, OPTIONS("mode", "FAILFAST"), NULL));
    HAS("[null,y]");
}

static void columns_of_texts(void **state)
{
    const char *const items[] = {"{\"a\":1,\"b\":\"xxxxxxxxxxxxxxxxxxxx\"}", NULL, " ", "{\"a\":2,\n\"b\":\"y\"}", "oops",
                                 "{\"a\":12.50,\"b\":12.50}", "[{\"a\":1}]"};
    const int32_t sel[] = {0, 1, 3, 4, 5, 6};
    const ps_type *schema = schema_of("a int, b string, _corrupt_record string");
    ps_format_args args = {.schema = schema, .options = &(ps_options){0}};
    ps_vec *text = texts(items, 7), *vec;
    ps_rows all = {7, NULL, 7}, some = {7, sel, 6};
    ps_bytes out = {0};
    ps_reader *reader;

    PS_UNUSED(state);
    OK(ps_format_find(ps_slice_of("json"))->reader_new(&args, &reader, &err));
    for (int pass = 0; pass < 2; pass++) {
        OK(reader->vt->parse(reader, text, pass ? &some : &all, &vec, &err));
        assert_int_equal(vec->n_rows, 7);
        ps_bytes_reset(&out);
        for (int i = 0; i < 7; i++) {
            if (pass && i == 2)
                continue;
            if (ps_vec_is_null(vec, i))
                OK(ps_bytes_text(&out, "NULL", &err));
            else
                OK(ps_text_of_value(vec, i, ps_zone_utc(), &out, &err));
            OK(ps_bytes_char(&out, '\n', &err));
        }
        assert_string_equal(out.data, pass ? "{1, xxxxxxxxxxxxxxxxxxxx, null}\nNULL\n{2, y, null}\n{null, null, oops}\n"
                                             "{null, 12.5, {\"a\":12.50,\"b\":12.50}}\n{null, null, [{\"a\":1}]}\n"
                                           : "{1, xxxxxxxxxxxxxxxxxxxx, null}\nNULL\nNULL\n{2, y, null}\n"
                                             "{null, null, oops}\n{null, 12.5, {\"a\":12.50,\"b\":12.50}}\n"
                                             "{null, null, [{\"a\":1}]}\n");
        ps_vec_unref(vec);
    }
    reader->vt->free(reader);
    ps_vec_unref(text);
    ps_type_unref(schema);
    ps_bytes_clear(&out);
}

#define EVERYTHING "a int, b string, c array<int>, m map<string,double>, s struct<x:bigint,y:string>, d decimal(10,8), t timestamp"
#define DOCUMENT "{\"a\":1,\"b\":\"quote \\\" é\",\"c\":[1,null],\"m\":{\"k\":1.5},\"s\":{\"x\":1},\"d\":1.0E-7,\"t\":\"2024-01-02T03:04:05.120Z\"}\n"

static void what_is_read_is_written_again(void **state)
{
    PS_UNUSED(state);
    writes("json", EVERYTHING, NULL, DOCUMENT, DOCUMENT);
    writes("json", "b string", OPTIONS("writeNonAsciiCharacterAsCodePoint", "true", "lineSep", ";"), DOCUMENT,
           "{\"b\":\"quote \\\" \\u00E9\"};");
    writes("json", "a int, c array<int>", OPTIONS("pretty", "true"), DOCUMENT,
           "{\n  \"a\" : 1,\n  \"c\" : [ 1, null ]\n}\n");
}

static void memory_may_run_out_anywhere(void **state)
{
    const ps_type *schema = schema_of(EVERYTHING ", _corrupt_record string");
    ps_format_args args = {.schema = schema, .options = &(ps_options){0}};
    static const char text[] = DOCUMENT "{\"b\":\"\\u0041 and more than twelve bytes\"}\nbad\n" DOCUMENT;
    ps_bytes out = {0};

    PS_UNUSED(state);
    ps_batch_rows = 3;
    EVERY_ALLOCATION(read_with("json", &args, text, sizeof text - 1, NULL), (void)0);
    EVERY_ALLOCATION(write_with("json", &args, text, &out), ps_bytes_clear(&out));
    ps_batch_rows = PS_BATCH_ROWS;
    ps_type_unref(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_straddle_chunks),
        cmocka_unit_test(a_record_may_be_longer_than_a_chunk),
        cmocka_unit_test(predicted_keys_may_go_wrong),
        cmocka_unit_test(arrays_of_records_are_cut_into_batches),
        cmocka_unit_test(nesting_and_numbers_have_limits),
        cmocka_unit_test(failfast_names_the_row),
        cmocka_unit_test(columns_of_texts),
        cmocka_unit_test(what_is_read_is_written_again),
        cmocka_unit_test(memory_may_run_out_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
