/*
 * tests/c/test_base.c - errors, memory, buffers, maps, hashes, options, names that come near, JSON and failpoints.
 */
#include "unit.h"
#include "base/failpoint.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/map.h"
#include "base/nearest.h"
#include "base/option.h"

static void errors_have_spark_s_shape(void **state)
{
    char bare[PS_ERROR_TEXT];

    (void)state;
    ps_raise(&err, PS_E_CONF_TYPE, "maybe", "spark.sql.ansi.enabled", "boolean");
    assert_string_equal(err.message, "[INVALID_CONF_VALUE.TYPE_MISMATCH] The value 'maybe' in the config "
                                     "\"spark.sql.ansi.enabled\" is invalid. It should be a/an 'boolean'. SQLSTATE: 22022");
    ps_error_bare_text(&err, bare);
    assert_string_equal(bare, "The value 'maybe' in the config \"spark.sql.ansi.enabled\" is invalid. It should be a/an 'boolean'.");
    assert_string_equal(ps_error_describe(err.code)->py_class, "IllegalArgumentException");
    ps_raise(&err, PS_E_INTERNAL, err.message); /* its own text as argument */
    HAS("[INTERNAL_ERROR] [INVALID_CONF_VALUE");
    ps_error_append(&err, "%d;", 7);
    HAS("XX0007;");
    ps_raise(NULL, PS_E_CANCELLED);
}

static void long_messages_are_cut_between_characters(void **state)
{
    static char text[3 * PS_ERROR_TEXT];

    (void)state;
    for (size_t i = 0; i + 2 < sizeof text; i += 2)
        memcpy(text + i, "\xC3\xA9", 2);
    ps_raise(&err, PS_E_INTERNAL, text);
    assert_true(strlen(err.message) < PS_ERROR_TEXT);
    HAS("\xA9 SQLSTATE: XX000");
    ps_error_append(&err, "%s", text);
    assert_true(strlen(err.message) < PS_ERROR_TEXT);
}

static void memory_is_counted_and_may_fail(void **state)
{
    size_t before = ps_mem_used();
    char *text = NULL;
    ps_buf *buf;

    (void)state;
    OK(ps_strdup("hello", &text, &err));
    assert_true(ps_mem_used() >= before + 6);
    ps_mem_fail_at(1);
    FAILS(NO_MEMORY, ps_realloc(100, &text, &err));
    assert_string_equal(text, "hello");
    OK(ps_realloc(100, &text, &err));
    ps_free(text);
    FAILS(NO_MEMORY, ps_alloc(SIZE_MAX - 3, &text, &err));
    assert_null(text);
    OK(ps_buf_new(10, &buf, &err));
    OK(ps_buf_resize(&buf, 1000, &err));
    assert_int_equal(buf->data[1000], 0);
    ps_buf_unref(ps_buf_ref(buf));
    ps_buf_unref(buf);
    assert_int_equal(ps_mem_used(), before);
}

static void arenas_align_and_reset(void **state)
{
    size_t before = ps_mem_used();
    ps_arena arena = {0};

    (void)state;
    for (int round = 0; round < 3; round++) {
        for (size_t n = 0; n < 20000; n += 97) {
            char *block;
            OK(ps_arena_alloc(&arena, n, &block, &err));
            assert_int_equal((uintptr_t)block & 15, 0);
            memset(block, 1, n);
        }
        ps_arena_reset(&arena);
        assert_int_equal(arena.n_bytes, 0);
    }
    ps_arena_clear(&arena);
    assert_int_equal(ps_mem_used(), before);
}

static void buffers_grow_and_escape(void **state)
{
    ps_bytes b = {0};

    (void)state;
    assert_int_equal(ps_bytes_slice(&b).n_bytes, 0);
    for (int i = 0; i < 1000; i++)
        OK(ps_bytes_printf(&b, &err, "%d,", i));
    assert_int_equal(b.n_bytes, 3890);
    ps_bytes_reset(&b);
    OK(ps_bytes_json_string(&b, (ps_slice){"a\"\\\n\x1b\0/\x7f\xC3\xA9", 10}, &err));
    TEXT(&b, "\"a\\\"\\\\\\n\\u001B\\u0000/\x7f\xC3\xA9\"");
    ps_bytes_clear(&b);
    assert_true(ps_slice_equal_nocase(ps_slice_of("TrUe"), ps_slice_of("true")));
    assert_true(ps_slice_equal(ps_slice_trimmed(ps_slice_of(" \t\x01 a b\r\n")), ps_slice_of("a b")));
    assert_int_equal(ps_slice_trimmed(ps_slice_of(" \n ")).n_bytes, 0);
    assert_true(ps_stricmp("abc", "ABD") < 0);
}

static void maps_keep_their_order(void **state)
{
    ps_map map = {0};
    char key[16];
    static int values[500];

    (void)state;
    assert_null(ps_map_get(&map, ps_slice_of("x")));
    for (int i = 0; i < 500; i++) {
        snprintf(key, sizeof key, "key%d", i);
        OK(ps_map_put(&map, ps_slice_of(key), &values[i], NULL, &err));
    }
    for (int i = 0; i < 500; i += 2) {
        snprintf(key, sizeof key, "key%d", i);
        assert_ptr_equal(ps_map_remove(&map, ps_slice_of(key)), &values[i]);
        assert_null(ps_map_get(&map, ps_slice_of(key)));
    }
    assert_int_equal(map.n, 250);
    for (int i = 0; i < map.n; i++)
        assert_ptr_equal(map.items[i].value, &values[2 * i + 1]);
    assert_ptr_equal(ps_map_get(&map, ps_slice_of("key499")), &values[499]);
    ps_map_clear(&map);
}

static void hashes_are_spark_s(void **state)
{
    unsigned char bytes[100];
    uint32_t h;

    (void)state;
    assert_int_equal((int32_t)ps_murmur3_int(0, 42), 933211791);
    assert_int_equal((int32_t)ps_murmur3_int(-1, 42), -1604776387);
    assert_int_equal((int32_t)ps_murmur3_long(0, 42), -1670924195);
    assert_int_equal((int32_t)ps_murmur3_long(-1, 42), -939490007);
    assert_int_equal((int32_t)ps_murmur3_long(0x3ff0000000000000, 42), -460888942); /* 1.0 */
    assert_int_equal((int32_t)ps_murmur3_bytes("", 0, 42), 142593372);
    assert_int_equal((int32_t)ps_murmur3_bytes("abc", 3, 42), 1322437556);
    assert_int_equal((int32_t)ps_murmur3_bytes("abcd", 4, 42), -396302900);
    assert_int_equal((int32_t)ps_murmur3_bytes("\xC3\xA9", 2, 42), 2119106806);
    h = ps_murmur3_int(123, ps_murmur3_bytes("Spark", 5, 42)); /* hash('Spark', array(123), 2), Spark's own example */
    assert_int_equal((int32_t)ps_murmur3_int(2, h), -1321691492);
    assert_int_equal(ps_xxh64_bytes("", 0, 0), 0xef46db3751d8e999ull);
    assert_int_equal(ps_xxh64_bytes("abc", 3, 0), 0x44bc2cf5ad770999ull);
    assert_int_equal(ps_xxh64_int(7, 42), ps_xxh64_bytes("\7\0\0\0", 4, 42));
    assert_int_equal(ps_xxh64_long(7, 42), ps_xxh64_bytes("\7\0\0\0\0\0\0\0", 8, 42));
    assert_int_equal((int64_t)ps_xxh64_int(2, ps_xxh64_int(123, ps_xxh64_bytes("Spark", 5, 42))), 5602566077635097486);
    assert_int_equal(ps_crc32c(0, "123456789", 9), 0xe3069283);
    for (int i = 0; i < 100; i++)
        bytes[i] = (unsigned char)(i * 7);
    for (size_t n = 0; n < 100; n++) {
        assert_int_equal(ps_crc32c(ps_crc32c(0, bytes, n / 3), bytes + n / 3, n - n / 3), ps_crc32c(0, bytes, n));
        for (size_t m = 0; m < n; m++) /* every length differs */
            assert_int_not_equal(ps_hash_bytes(bytes, n, 0), ps_hash_bytes(bytes, m, 0));
    }
    assert_int_equal(ps_hash_seed(), ps_hash_seed());
}

/* State files depend on this function: a change needs a new name for the layout "mum1". */
static void the_stable_hash_never_changes(void **state)
{
    (void)state;
    assert_int_equal(ps_hash_bytes("", 0, 0), 0x9c268340cd8bc1feull);
    assert_int_equal(ps_hash_bytes("pystream", 8, 0), 0x837ccabe64947da1ull);
    assert_int_equal(ps_hash_bytes("the quick brown fox jumps over the lazy dog", 43, 0), 0xa77354ac66cb96aeull);
    assert_int_equal(ps_hash_u64(1, 0), 0xae8ee4624b7dae95ull);
}

static void uuids_are_of_version_4(void **state)
{
    char a[37], b[37];

    (void)state;
    ps_uuid_text(a);
    ps_uuid_text(b);
    assert_int_equal(strlen(a), 36);
    assert_int_equal(a[14], '4');
    assert_non_null(strchr("89ab", a[19]));
    assert_string_not_equal(a, b);
}

static void options_ignore_case_and_check_values(void **state)
{
    ps_options options = {0}, copy = {0};
    int64_t n;
    bool b;

    (void)state;
    OK(ps_options_set(&options, "maxFilesPerTrigger", "5", &err));
    OK(ps_options_set(&options, "MAXFILESPERTRIGGER", "0", &err));
    OK(ps_options_set(&options, "header", "TRUE", &err));
    assert_int_equal(options.n, 2);
    OK(ps_options_copy(&options, &copy, &err));
    assert_string_equal(ps_options_get(&copy, "maxfilespertrigger"), "0");
    FAILS(OPTION_VALUE, ps_options_int(&copy, "maxFilesPerTrigger", 1, 1, INT64_MAX, &n, &err));
    assert_string_equal(err.message, "Invalid value '0' for option 'maxFilesPerTrigger', must be a positive integer");
    OK(ps_options_bool(&copy, "Header", false, &b, &err));
    assert_true(b);
    OK(ps_options_set(&copy, "Header", "yes", &err));
    FAILS(OPTION_VALUE, ps_options_bool(&copy, "header", false, &b, &err));
    OK(ps_options_set(&copy, "header", NULL, &err));
    OK(ps_options_bool(&copy, "header", true, &b, &err));
    assert_true(b);
    ps_options_clear(&options);
    ps_options_clear(&copy);
}

static void confs_have_defaults_and_rules(void **state)
{
    ps_conf conf = {0};
    int n;

    (void)state;
    assert_int_equal(ps_conf_int(&conf, "spark.sql.streaming.noDataProgressEventInterval"), 10000);
    assert_int_equal(ps_conf_int(&conf, "pystream.foreachBatch.spoolMemory"), 64 << 20);
    assert_true(ps_conf_bool(&conf, "spark.sql.ansi.enabled"));
    FAILS(CONF_TYPE, ps_conf_set(&conf, "spark.sql.streaming.minBatchesToRetain", "many", &err));
    FAILS(CONF_REQUIREMENT, ps_conf_set(&conf, "spark.sql.streaming.minBatchesToRetain", "0", &err));
    FAILS(CONF_REQUIREMENT, ps_conf_set(&conf, "spark.sql.streaming.multipleWatermarkPolicy", "median", &err));
    HAS("Valid values are 'min' and 'max'");
    OK(ps_conf_set(&conf, "spark.sql.streaming.multipleWatermarkPolicy", "MAX", &err));
    assert_string_equal(ps_conf_get(&conf, "spark.sql.streaming.multipleWatermarkPolicy"), "MAX");
    FAILS(CONF_STATIC, ps_conf_set(&conf, "spark.sql.warehouse.dir", "/x", &err));
    OK(ps_conf_set_static(&conf, "spark.sql.warehouse.dir", "/x", &err));
    OK(ps_conf_set(&conf, "spark.some.key", "1", &err));
    assert_null(ps_conf_get(&conf, "SPARK.some.key"));
    OK(ps_conf_set(&conf, "spark.some.key", NULL, &err));
    assert_null(ps_conf_get(&conf, "spark.some.key"));
    ps_conf_clear(&conf);
    const ps_conf_row *rows = ps_conf_rows(&n);
    for (int i = 0; i < n; i++) { /* every default obeys its own rule, no key stands twice */
        if (rows[i].fallback != NULL)
            OK(ps_conf_set_static(&conf, rows[i].key, rows[i].fallback, &err));
        assert_ptr_equal(ps_conf_find(rows[i].key), &rows[i]);
    }
    ps_conf_clear(&conf);
}

static void durations_and_sizes(void **state)
{
    int64_t n;

    (void)state;
    assert_true(ps_parse_duration_ms("7d", &n) && n == 604800000);
    assert_true(ps_parse_duration_ms("10 min", &n) && n == 600000);
    assert_true(ps_parse_duration_ms("1500us", &n) && n == 1);
    assert_true(ps_parse_duration_ms("5", &n) && n == 5);
    assert_true(ps_parse_duration_ms("9999999999999999d", &n) && n == INT64_MAX);
    assert_false(ps_parse_duration_ms("", &n));
    assert_false(ps_parse_duration_ms("5x", &n));
    assert_true(ps_parse_bytes("1GB", &n) && n == 1 << 30);
    assert_false(ps_parse_bytes("-1", &n));
    assert_true(ps_parse_int(" -9223372036854775808 ", &n) && n == INT64_MIN);
    assert_false(ps_parse_int("9223372036854775808", &n));
}

static ps_status round_trip(const char *text, ps_bytes *out)
{
    ps_arena arena = {0};
    ps_json *root;
    ps_status rc = ps_json_parse(ps_slice_of(text), &arena, &root, &err);

    if (rc == PS_OK)
        rc = ps_json_write(root, out, &err);
    ps_arena_clear(&arena);
    return rc;
}

static void json_reads_and_writes(void **state)
{
    static const char *const bad[] = {"", " ", "{", "[1,]", "{\"a\"}", "01", "1.", "1e", "-", "nul", "\"a", "\"\\x\"", "\"\\u12\"",
                                      "\"\n\"", "{} x", "[1 2]", "{\"a\":1,}", "\"\\", "\"\\u"};
    ps_bytes out = {0};
    char deep[500];

    (void)state;
    OK(round_trip(" { \"a\" : [ 1 , -2.50e+3 , true , null , { } , [ ] ] , \"\\u00e9\\ud83d\\ude00\\ud800\" : \"x\\/\\n\" } ", &out));
    TEXT(&out, "{\"a\":[1,-2.50e+3,true,null,{},[]],\"\xC3\xA9\xF0\x9F\x98\x80\xEF\xBF\xBD\":\"x/\\n\"}");
    for (size_t i = 0; i < PS_COUNT_OF(bad); i++)
        FAILS(BAD_JSON, round_trip(bad[i], &out));
    memset(deep, '[', sizeof deep);
    deep[sizeof deep - 1] = '\0';
    FAILS(BAD_JSON, round_trip(deep, &out));
    ps_bytes_clear(&out);
    EVERY_ALLOCATION(round_trip("{\"a\":[1,\"b\"]}", &out), ps_bytes_clear(&out));
}

static void the_nearest_name_is_proposed(void **state)
{
    static const char *const names[] = {"json", "csv", "kafka", "kafkb"};
    ps_nearest slip = {.wrong = "Kafak", .limit = 2}, far = {.wrong = "parquet", .limit = 2};
    char long_a[300], long_b[300];

    (void)state;
    for (size_t i = 0; i < PS_COUNT_OF(names); i++) {
        ps_nearest_offer(&slip, names[i]);
        ps_nearest_offer(&far, names[i]);
    }
    assert_string_equal(slip.name, "kafka");
    assert_null(far.name);
    assert_int_equal(ps_edit_distance("", "abc", false), 3);
    assert_int_equal(ps_edit_distance("kitten", "sitting", false), 3);
    assert_int_equal(ps_edit_distance("ABC", "abd", true), 1);
    assert_int_equal(ps_edit_distance("ABC", "abd", false), 3);
    memset(long_a, 'a', sizeof long_a - 1);
    memset(long_b, 'b', sizeof long_b - 1);
    long_a[sizeof long_a - 1] = long_b[sizeof long_b - 1] = '\0';
    assert_int_equal(ps_edit_distance(long_a, long_b, false), 128);
}

static void failpoints_act_once_at_the_nth_passage(void **state)
{
    (void)state;
    assert_false(ps_failpoint_any());
    OK(ps_failpoint_arm("here", "error", 2, &err));
    OK(PS_FAILPOINT("here", &err));
    OK(PS_FAILPOINT("there", &err));
    FAILS(FAILPOINT, PS_FAILPOINT("here", &err));
    OK(PS_FAILPOINT("here", &err));
    FAILS(BAD_FAILPOINT, ps_failpoint_arm("here", "maybe", 1, &err));
    OK(ps_failpoint_arm("here", "error", 1, &err));
    ps_failpoint_disarm_all();
    assert_false(ps_failpoint_any());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_have_spark_s_shape),
        cmocka_unit_test(long_messages_are_cut_between_characters),
        cmocka_unit_test(memory_is_counted_and_may_fail),
        cmocka_unit_test(arenas_align_and_reset),
        cmocka_unit_test(buffers_grow_and_escape),
        cmocka_unit_test(maps_keep_their_order),
        cmocka_unit_test(hashes_are_spark_s),
        cmocka_unit_test(the_stable_hash_never_changes),
        cmocka_unit_test(uuids_are_of_version_4),
        cmocka_unit_test(options_ignore_case_and_check_values),
        cmocka_unit_test(confs_have_defaults_and_rules),
        cmocka_unit_test(durations_and_sizes),
        cmocka_unit_test(the_nearest_name_is_proposed),
        cmocka_unit_test(json_reads_and_writes),
        cmocka_unit_test(failpoints_act_once_at_the_nth_passage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
