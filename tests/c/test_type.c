/*
 * tests/c/test_type.c - types as text; the cases are those of the golden types_schema.
 */
#include "col/type_text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static ps_error err;
#define OK(x) assert_int_equal((x), PS_OK)

static void schemas_read_from_text(void **state)
{
    static const struct { const char *in, *simple; ps_status code; } rows[] = {
        {"", "struct<>", 0}, {", a int", NULL, PS_E_PARSE_SYNTAX}, {"1a int", "struct<1a:int>", 0},
        {"STRUCT<a: INT NOT NULL, b: ARRAY<STRING>>", "struct<a:int,b:array<string>>", 0},
        {"`a b` int, `c``d` string, `e.f` int", "struct<a b:int,c`d:string,e.f:int>", 0}, {"a", NULL, PS_E_PARSE_SYNTAX},
        {"a Int,A string", "struct<a:int,A:string>", 0}, {"a array", NULL, PS_E_INCOMPLETE_ARRAY},
        {"a array<int>, m map<string,array<double>>", "struct<a:array<int>,m:map<string,array<double>>>", 0},
        {"a char", NULL, PS_E_TYPE_SIZE}, {"a char(5), b varchar(3), c character(2)", "struct<a:char(5),b:varchar(3),c:char(2)>", 0},
        {"a decimal(3,5)", NULL, PS_E_DECIMAL_SCALE}, {"a decimal(39,1)", NULL, PS_E_DECIMAL_PRECISION},
        {"a decimal, b decimal(5,2), c dec(3), d numeric(4,1)", "struct<a:decimal(10,0),b:decimal(5,2),c:decimal(3,0),d:decimal(4,1)>", 0},
        {"a int b int", NULL, PS_E_PARSE_SYNTAX}, {"a int default 5", NULL, PS_E_PARSE_SYNTAX}, {"a int not", NULL, PS_E_PARSE_SYNTAX},
        {"a int,", NULL, PS_E_PARSE_SYNTAX}, {"a nope", NULL, PS_E_UNSUPPORTED_DATATYPE}, {"a-b int", NULL, PS_E_IDENTIFIER},
        {"a interval day to second, b interval year to month, c interval, d interval hour",
         "struct<a:interval day to second,b:interval year to month,c:interval,d:interval hour>", 0},
        {"a struct<>", "struct<a:struct<>>", 0}, {"a struct<b int, c: string>", "struct<a:struct<b:int,c:string>>", 0},
        {"a struct<b>", NULL, PS_E_PARSE_SYNTAX}, {"array<>", NULL, PS_E_PARSE_SYNTAX}, {"map<string>", NULL, PS_E_PARSE_SYNTAX},
        {"int", NULL, PS_E_PARSE_SYNTAX}, {"timestamp timestamp, date date", "struct<timestamp:timestamp,date:date>", 0},
        {"a tinyint, d long, e byte, f short, g real, o timestamp_ltz, p void",
         "struct<a:tinyint,d:bigint,e:tinyint,f:smallint,g:float,o:timestamp,p:void>", 0}};
    ps_bytes out = {0};
    const ps_type *type;

    (void)state;
    for (size_t i = 0; i < PS_COUNT_OF(rows); i++) {
        if (ps_schema_parse(ps_slice_of(rows[i].in), &type, &err) != rows[i].code)
            fail_msg("%s: %s", rows[i].in, err.message);
        if (rows[i].simple) {
            ps_bytes_reset(&out);
            OK(ps_type_simple_text(type, &out, &err));
            assert_string_equal(out.data, rows[i].simple);
            ps_type_unref(type);
        }
    }
    assert_int_equal(ps_schema_parse(ps_slice_of("a int b int"), &type, &err), PS_E_PARSE_SYNTAX);
    assert_string_equal(err.message, "[PARSE_SYNTAX_ERROR] Syntax error at or near 'b'. SQLSTATE: 42601 (line 1, pos 6)\n\n"
                                     "== SQL ==\na int b int\n------^^^\n");
    ps_bytes_clear(&out);
}

static void every_text_form(void **state)
{
    const char *const ddl = "a INT NOT NULL,`b c` ARRAY<STRUCT<x: DOUBLE, y: MAP<STRING, DECIMAL(5,2)>>> COMMENT 'it\\'s'";
    const ps_type *type, *back;
    ps_bytes out = {0};

    (void)state;
    OK(ps_schema_parse(ps_slice_of(ddl), &type, &err));
    OK(ps_type_ddl_text(type, &out, &err));
    assert_string_equal(out.data, ddl);
    ps_bytes_reset(&out);
    OK(ps_type_json_text(type, &out, &err));
    assert_string_equal(
        out.data, "{\"fields\":[{\"metadata\":{},\"name\":\"a\",\"nullable\":false,\"type\":\"integer\"},"
                  "{\"metadata\":{\"comment\":\"it's\"},\"name\":\"b c\",\"nullable\":true,\"type\":{\"containsNull\":true,"
                  "\"elementType\":{\"fields\":[{\"metadata\":{},\"name\":\"x\",\"nullable\":true,\"type\":\"double\"},"
                  "{\"metadata\":{},\"name\":\"y\",\"nullable\":true,\"type\":{\"keyType\":\"string\",\"type\":\"map\","
                  "\"valueContainsNull\":true,\"valueType\":\"decimal(5,2)\"}}],\"type\":\"struct\"},\"type\":\"array\"}}],"
                  "\"type\":\"struct\"}");
    OK(ps_type_from_json(ps_bytes_slice(&out), &back, &err));
    assert_true(ps_type_equal(type, back));
    assert_string_equal(back->fields[1].metadata, "{\"comment\":\"it's\"}");
    ps_type_unref(back);
    ps_bytes_reset(&out);
    OK(ps_type_tree_text(type, 0, &out, &err));
    assert_string_equal(out.data, "root\n |-- a: integer (nullable = false)\n |-- b c: array (nullable = true)\n"
                                  " |    |-- element: struct (containsNull = true)\n"
                                  " |    |    |-- x: double (nullable = true)\n |    |    |-- y: map (nullable = true)\n"
                                  " |    |    |    |-- key: string\n"
                                  " |    |    |    |-- value: decimal(5,2) (valueContainsNull = true)\n");
    ps_bytes_reset(&out);
    OK(ps_type_tree_text(type, 2, &out, &err));
    assert_string_equal(out.data, "root\n |-- a: integer (nullable = false)\n |-- b c: array (nullable = true)\n"
                                  " |    |-- element: struct (containsNull = true)\n");
    assert_string_equal(ps_type_name(type->fields[1].type), "ARRAY<STRUCT<x: DOUBLE, y: MAP<STRING, DECIMAL(5,2)>>>");
    ps_type_unref(type);
    ps_bytes_clear(&out);
}

static void json_that_is_no_type(void **state)
{
    static const char *const rows[] = {"\"nope\"", "{}", "5", "{\"type\":\"array\"}", "[", "\"array<int>\"",
                                       "{\"type\":\"struct\",\"fields\":[{\"name\":\"a\"}]}",
                                       "{\"type\":\"struct\",\"fields\":[{\"name\":1,\"type\":\"long\"}]}"};
    const ps_type *type;

    (void)state;
    for (size_t i = 0; i < PS_COUNT_OF(rows); i++)
        if (ps_type_from_json(ps_slice_of(rows[i]), &type, &err) != PS_E_JSON_DATA_TYPE)
            fail_msg("%s: %s", rows[i], err.message);
}

static void depth_and_memory_are_bounded(void **state)
{
    ps_bytes deep = {0};
    const ps_type *type;
    size_t before;

    (void)state;
    for (int i = 0; i < 10000; i++)
        OK(ps_bytes_text(&deep, "array<", &err));
    assert_int_equal(ps_type_parse(ps_bytes_slice(&deep), &type, &err), PS_E_PARSE_SYNTAX);
    ps_bytes_clear(&deep);
    before = ps_mem_used();
    for (int64_t nth = 1; nth < 500; nth++) {
        ps_status rc;
        size_t at = 0;
        ps_mem_fail_at(nth);
        rc = ps_type_parse_at(ps_slice_of("struct<a: map<int, varchar(3)> comment 'x', b: array<decimal(5,2)>> )"), &at, &type, &err);
        ps_mem_fail_at(0);
        if (rc == PS_OK) {
            assert_int_equal(type->fields[0].type->fields[1].type->length, 0);
            ps_type_unref(type);
        }
        assert_int_equal(ps_mem_used(), before);
        if (rc == PS_OK)
            return;
        assert_int_equal(rc, PS_E_NO_MEMORY);
    }
    fail_msg("never succeeded");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schemas_read_from_text),
        cmocka_unit_test(every_text_form),
        cmocka_unit_test(json_that_is_no_type),
        cmocka_unit_test(depth_and_memory_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
