/*
 * tests/c/test_text.c - numbers and values as text: corners that were wrong somewhere before.
 */
#include "base/int128.h"
#include "col/build.h"
#include "col/text.h"
#include "col/type_text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void doubles_read_exactly_and_print_as_java(void **state)
{
    static const struct { const char *in, *out; } rows[] = {
        {" 1.5d ", "1.5"}, {"0x1p3", "8.0"}, {"0x1.8p1f", "3.0"}, {"-inf", "-Infinity"}, {"nan", "NaN"},
        {".5", "0.5"}, {"5.", "5.0"}, {"1e400", "Infinity"}, {"2e23", "2.0E23"}, {"4.9e-324", "4.9E-324"},
        {"2.4703282292062327e-324", "0.0"}, {"2.4703282292062328e-324", "4.9E-324"},
        {"1.7976931348623158e308", "1.7976931348623157E308"}, {"1.7976931348623159e308", "Infinity"},
        {"9007199254740993", "9.007199254740992E15"}, {"-0", "-0.0"}, {"0.001", "0.001"}, {"0.0001", "1.0E-4"},
        {"9999999", "9999999.0"}, {"10000000", "1.0E7"}, {"0e99999999999999999999", "0.0"},
        {"1e23", "1.0E23"}, {"1.00000000000000000000000000000000000000000000000000000000000000001e23", "1.0000000000000001E23"},
        {"1e", NULL}, {".", NULL}, {"", NULL}, {"1_0", NULL}, {"1-", NULL},
        {"infinit", NULL}, {"0x", NULL}, {"0x1", NULL}, {"1dd", NULL}};
    char out[PS_NUMBER_TEXT];
    double x;

    (void)state;
    for (size_t i = 0; i < PS_COUNT_OF(rows); i++) {
        assert_int_equal(ps_parse_double_java(ps_slice_of(rows[i].in), &x), rows[i].out != NULL);
        if (rows[i].out) {
            out[ps_format_double(x, out)] = '\0';
            assert_string_equal(out, rows[i].out);
        }
    }
    assert_false(ps_parse_double(ps_slice_of("NaN"), &x));
    assert_false(ps_parse_double(ps_slice_of(" 1"), &x));
}

static void floats_are_rounded_once(void **state)
{
    char out[PS_NUMBER_TEXT];
    float x;

    (void)state;
    assert_true(ps_parse_float_java(ps_slice_of("1.00000017881393432617187499"), &x)); /* just below half way */
    out[ps_format_float(x, out)] = '\0';
    assert_string_equal(out, "1.0000001");
    assert_true(ps_parse_float_java(ps_slice_of("1e-45"), &x));
    out[ps_format_float(x, out)] = '\0';
    assert_string_equal(out, "1.4E-45");
}

static void whole_numbers_and_decimals(void **state)
{
    static const struct { const char *in; int precision, scale; const char *out; } rows[] = {
        {"1.005", 5, 2, "1.01"}, {"-1.005", 5, 2, "-1.01"}, {"999.995", 5, 2, NULL}, {"1e3", 4, 0, "1000"},
        {"1e4", 4, 0, NULL}, {"0.00000", 3, 2, "0.00"}, {" 7 ", 3, 1, "7.0"}, {"-.5", 1, 0, "-1"}, {"1e-900", 3, 2, "0.00"},
        {"99999999999999999999999999999999999999", 38, 0, "99999999999999999999999999999999999999"},
        {"1e99999999999", 38, 0, NULL}, {"x", 3, 0, NULL}, {"1.2.3", 3, 0, NULL}, {"", 3, 0, NULL}};
    char out[PS_NUMBER_TEXT];
    __int128 x;
    int64_t n;

    (void)state;
    for (size_t i = 0; i < PS_COUNT_OF(rows); i++) {
        assert_int_equal(ps_parse_decimal(ps_slice_of(rows[i].in), rows[i].precision, rows[i].scale, &x), rows[i].out != NULL);
        if (rows[i].out) {
            out[ps_format_decimal(x, rows[i].scale, out)] = '\0';
            assert_string_equal(out, rows[i].out);
        }
    }
    assert_true(ps_parse_int64(ps_slice_of("-9223372036854775808"), &n) && n == INT64_MIN);
    assert_false(ps_parse_int64(ps_slice_of("9223372036854775808"), &n));
    assert_true(ps_parse_int64(ps_slice_of("+00000000000000000000000000012"), &n) && n == 12);
    assert_false(ps_parse_int64(ps_slice_of("12345678:0"), &n));
    assert_false(ps_parse_int64(ps_slice_of("-"), &n));
    out[ps_format_int64(INT64_MIN, out)] = '\0';
    assert_string_equal(out, "-9223372036854775808");
}

static void wide_decimals_do_not_wrap(void **state)
{
    const ps_int128 most = ps_pow10_128[38] - 1;
    ps_int128 x;

    (void)state;
    assert_true(ps_decimal_multiply(most, 38, most, 38, 38, &x) && x == most - 1);
    assert_false(ps_decimal_multiply(most, 0, most, 0, 0, &x));
    assert_true(ps_decimal_divide(most, 0, most, 38, 0, &x) == false);
    assert_true(ps_decimal_divide(1, 0, 3, 0, 38, &x) && x == most / 3);
    assert_false(ps_decimal_divide(1, 0, 0, 0, 3, &x));
    assert_false(ps_decimal_add(most, 0, 1, 0, 0, false, &x));
    assert_true(ps_decimal_add(most, 0, most, 38, 0, true, &x) && x == most - 1);
    assert_true(ps_int128_to_double(most, 38) == 1.0);
}

/* Two rows of the console golden: one full, one of NULLs. */
static ps_batch *sample(void)
{
    const ps_type *schema;
    ps_batch *batch;
    ps_builder *b, *s;
    ps_error err;

    assert_int_equal(ps_schema_parse(ps_slice_of("b boolean, d double, f double, dec decimal(5,2), dt date, ts timestamp, "
                                                 "bin binary, l array<int>, m map<string,int>, s struct<x:int,y:int>, w string"),
                                     &schema, &err), PS_OK);
    assert_int_equal(ps_build_new(schema, 0, &b, &err), PS_OK);
    ps_build_struct(b, &err);
    ps_build_int(ps_build_child(b, 0), 1, &err);
    ps_build_double(ps_build_child(b, 1), 1.0, &err);
    ps_build_double(ps_build_child(b, 2), 1e10, &err);
    ps_build_int128(ps_build_child(b, 3), 150, &err);
    ps_build_int(ps_build_child(b, 4), 19724, &err);
    ps_build_int(ps_build_child(b, 5), 1704164645120000, &err);
    ps_build_text(ps_build_child(b, 6), "ab", 2, &err);
    ps_build_list(ps_build_child(b, 7), 2, &err);
    ps_build_int(ps_build_child(ps_build_child(b, 7), 0), 1, &err);
    ps_build_null(ps_build_child(ps_build_child(b, 7), 0), &err);
    ps_build_list(ps_build_child(b, 8), 1, &err);
    ps_build_text(ps_build_child(ps_build_child(b, 8), 0), "k", 1, &err);
    ps_build_null(ps_build_child(ps_build_child(b, 8), 1), &err);
    s = ps_build_child(b, 9);
    ps_build_struct(s, &err);
    ps_build_int(ps_build_child(s, 0), 1, &err);
    ps_build_null(ps_build_child(s, 1), &err);
    ps_build_text(ps_build_child(b, 10), "\346\235\261\344\272\254\n\t", 8, &err);
    ps_build_struct(b, &err);
    for (int i = 0; i < 11; i++)
        ps_build_null(ps_build_child(b, i), &err);
    ps_vec *all;
    assert_int_equal(ps_build_finish(b, &all, &err), PS_OK);
    assert_int_equal(ps_batch_new(11, 2, &batch, &err), PS_OK);
    for (int i = 0; i < 11; i++)
        batch->cols[i] = ps_vec_ref(all->children[i]);
    ps_vec_unref(all);
    ps_build_free(b);
    ps_type_unref(schema);
    return batch;
}

static void tables_show_values_as_spark(void **state)
{
    const char *const names[] = {"b", "d", "f", "dec", "dt", "ts", "bin", "l", "m", "s", "w"};
    ps_batch *batch = sample();
    ps_show show = {names, batch, 20, 0, false, false, ps_zone_utc()};
    ps_bytes out = {0};
    ps_error err;

    (void)state;
    assert_int_equal(ps_text_table(&show, &out, &err), PS_OK);
    assert_string_equal(
        out.data, "+----+----+------+----+----------+----------------------+-------+---------+-----------+---------+--------+\n"
                  "|b   |d   |f     |dec |dt        |ts                    |bin    |l        |m          |s        |w       |\n"
                  "+----+----+------+----+----------+----------------------+-------+---------+-----------+---------+--------+\n"
                  "|true|1.0 |1.0E10|1.50|2024-01-02|2024-01-02 03:04:05.12|[61 62]|[1, NULL]|{k -> NULL}|{1, NULL}|"
                  "\346\235\261\344\272\254\\n\\t|\n"
                  "|NULL|NULL|NULL  |NULL|NULL      |NULL                  |NULL   |NULL     |NULL       |NULL     |NULL    |\n"
                  "+----+----+------+----+----------+----------------------+-------+---------+-----------+---------+--------+\n");
    ps_bytes_reset(&out);
    batch->cols[0] = (ps_vec_unref(batch->cols[0]), ps_vec_ref(batch->cols[5]));
    batch->n_cols = 1;
    show = (ps_show){names, batch, 1, 10, false, true, ps_zone_utc()};
    assert_int_equal(ps_text_table(&show, &out, &err), PS_OK);
    assert_string_equal(out.data, "+----------+\n|         b|\n+----------+\n|2024-01...|\n+----------+\nonly showing top 1 row");
    ps_bytes_reset(&out);
    show = (ps_show){names, batch, 2, 0, true, false, ps_zone_utc()};
    assert_int_equal(ps_text_table(&show, &out, &err), PS_OK);
    assert_string_equal(out.data, "-RECORD 0---------------------\n b   | 2024-01-02 03:04:05.12 \n"
                                  "-RECORD 1---------------------\n b   | NULL                   \n");
    ps_bytes_reset(&out);
    batch->n_cols = 11;
    assert_int_equal(ps_text_of_value(batch->cols[8], 0, ps_zone_utc(), &out, &err), PS_OK);
    assert_string_equal(out.data, "{k -> null}");
    ps_bytes_clear(&out);
    ps_batch_unref(batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubles_read_exactly_and_print_as_java),
        cmocka_unit_test(floats_are_rounded_once),
        cmocka_unit_test(whole_numbers_and_decimals),
        cmocka_unit_test(wide_decimals_do_not_wrap),
        cmocka_unit_test(tables_show_values_as_spark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
