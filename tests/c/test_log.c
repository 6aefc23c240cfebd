/*
 * tests/c/test_log.c - the checkpoint's logs: byte for byte, in every crash and with every kind of damage.
 */
#include "unit.h"
#include "log/commits.h"
#include "log/filelog.h"
#include "log/meta.h"
#include "log/offsets.h"
#include <stdlib.h>
#include <utime.h>

static char root[64];
static ps_fs *fs;

static int make_root(void **state)
{
    (void)state;
    fs = ps_fs_local();
    strcpy(root, "/tmp/ps_log_XXXXXX");
    return mkdtemp(root) == NULL;
}

static int remove_root(void **state)
{
    (void)state;
    return ps_fs_remove_tree(fs, root, &err);
}

static const char *in_root(const char *name)
{
    static char path[4][200];
    static int turn;

    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[turn], "%s/%s", root, name);
    return path[turn];
}

static void put(const char *name, const char *text)
{
    OK(ps_fs_write_atomic(fs, in_root(name), text, strlen(text), false, false, &err));
}

static void file_is(const char *name, const char *expected)
{
    ps_bytes out = {0};

    OK(ps_fs_read_all(fs, in_root(name), &out, &err));
    TEXT(&out, expected);
    ps_bytes_clear(&out);
}

static bool exists(const char *name)
{
    ps_file_info info;
    bool is_there;

    OK(ps_fs_stat(fs, in_root(name), &info, &is_there, &err));
    return is_there;
}

static ps_seqlog *open_seq(const char *name)
{
    ps_seqlog *log;

    OK(ps_seqlog_open(fs, in_root(name), false, &log, &err));
    return log;
}

/* ---- numbered files ---- */

static void entries_are_made_once_and_purged(void **state)
{
    ps_seqlog *log = open_seq("seq");
    ps_bytes out = {0};
    int64_t first, last;
    bool found;

    (void)state;
    OK(ps_seqlog_range(log, &first, &last, &err));
    assert_int_equal(last, -1);
    assert_false(exists("seq"));
    for (int i = 0; i < 12; i++)
        OK(ps_seqlog_add(log, i, ps_slice_of("v1\nx"), &err));
    FAILS(LOG_CONCURRENT, ps_seqlog_add(log, 3, ps_slice_of("v1\ny"), &err));
    HAS("[CONCURRENT_STREAM_LOG_UPDATE] Concurrent update to the log. Multiple streaming jobs detected for 3.");
    put("seq/13.bak", "");
    put("seq/.12.tmp", "");
    put("seq/.0.crc", "");
    put("seq/_x", "");
    OK(ps_seqlog_range(log, &first, &last, &err));
    assert_int_equal(first, 0);
    assert_int_equal(last, 11);
    OK(ps_seqlog_get(log, 11, &out, &found, &err));
    TEXT(&out, "v1\nx");
    OK(ps_seqlog_get(log, 12, &out, &found, &err));
    assert_false(found);
    OK(ps_seqlog_purge(log, 3, &err));
    assert_false(exists("seq/.0.crc"));
    OK(ps_seqlog_purge(log, 5, &err));
    OK(ps_seqlog_range(log, &first, NULL, &err));
    assert_int_equal(first, 5);
    assert_true(exists("seq/.spare"));
    OK(ps_seqlog_add(log, 12, ps_slice_of("v1"), &err));
    assert_false(exists("seq/.spare"));
    ps_bytes_clear(&out);
    OK(ps_seqlog_get(log, 12, &out, &found, &err));
    TEXT(&out, "v1");
    OK(ps_seqlog_purge(log, 7, &err));
    ps_bytes_clear(&out);
    ps_seqlog_close(log);
    assert_false(exists("seq/.spare"));
    assert_int_equal(ps_seqlog_number("281474976710656"), PS_SEQLOG_MAX);
    assert_int_equal(ps_seqlog_number("281474976710657"), -1);
    assert_int_equal(ps_seqlog_number("18446744073709551617"), -1);
    assert_int_equal(ps_seqlog_number("-1"), -1);
    assert_int_equal(ps_seqlog_number(""), -1);
}

static void lines_end_where_they_end(void **state)
{
    ps_lines lines = ps_lines_of(ps_slice_of("a\n\nb\n"));
    ps_slice line;
    int n = 0;

    (void)state;
    while (ps_lines_next(&lines, &line))
        n++;
    assert_int_equal(n, 4);
    lines = ps_lines_of(ps_slice_of(""));
    assert_false(ps_lines_next(&lines, &line));
}

/* ---- offsets ---- */

#define CONFS                                                                                                          \
    "{\"spark.sql.streaming.stateStore.providerClass\":\"org.apache.spark.sql.execution.streaming.state."              \
    "HDFSBackedStateStoreProvider\",\"spark.sql.dropDuplicates.deterministicKeyOrder.enabled\":\"true\","              \
    "\"spark.sql.streaming.stateStore.rocksdb.mergeOperatorVersion\":\"2\",\"spark.sql.streaming.stateStore.rocksdb."  \
    "formatVersion\":\"5\",\"spark.sql.streaming.queryEvolution.enableSourceEvolution\":\"false\",\"spark.sql."        \
    "streaming.stateStore.encodingFormat\":\"unsaferow\",\"spark.sql.streaming.statefulOperator."                      \
    "useStrictDistribution\":\"true\",\"spark.sql.streaming.flatMapGroupsWithState.stateFormatVersion\":\"2\","        \
    "\"spark.sql.streaming.multipleWatermarkPolicy\":\"min\",\"spark.sql.streaming.stateStore.rowChecksum.enabled\":"  \
    "\"false\",\"spark.sql.streaming.statefulOperator.alwaysNullableOutput.enabled\":\"true\",\"spark.sql.streaming."  \
    "aggregation.stateFormatVersion\":\"2\",\"spark.sql.function.protobufExtensions.enabled\":\"false\",\"spark.sql."  \
    "shuffle.partitions\":\"2\",\"spark.sql.streaming.join.stateFormatVersion\":\"2\",\"spark.sql.streaming."          \
    "stateStore.compression.codec\":\"lz4\",\"spark.sql.optimizer.pruneFiltersCanPruneStreamingSubplan\":\"false\"}"

/* As Spark 4.3 wrote it. */
static const char spark_s_entry[] = "v1\n{\"batchWatermarkMs\":0,\"batchTimestampMs\":1795246954545,\"conf\":" CONFS "}\n"
                                    "{\"logOffset\":0}\n-";

static void offsets_are_written_as_spark_writes_them(void **state)
{
    ps_offsets offsets = {.version = 1, .timestamp_ms = 1795246954545}, back = {0};
    ps_seqlog *log = open_seq("offsets");
    ps_conf conf = {0};

    (void)state;
    OK(ps_conf_set(&conf, "spark.sql.shuffle.partitions", "2", &err));
    OK(ps_record_confs(&conf, &offsets, &err));
    OK(ps_offsets_push(&offsets, NULL, "{\"logOffset\":0}", &err));
    OK(ps_offsets_push(&offsets, NULL, NULL, &err));
    OK(ps_offsets_add(log, 0, &offsets, &err));
    file_is("offsets/0", spark_s_entry);
    OK(ps_offsets_get(log, 0, &back, NULL, &err));
    assert_int_equal(back.timestamp_ms, 1795246954545);
    assert_int_equal(back.n, 2);
    assert_string_equal(back.items[0].offset, "{\"logOffset\":0}");
    assert_null(back.items[1].offset);
    assert_int_equal(back.conf.n, 17);
    FAILS(LOG_ENTRY_MISSING, ps_offsets_get(log, 1, &back, NULL, &err));
    ps_offsets_clear(&back);
    ps_offsets_clear(&offsets);
    ps_conf_clear(&conf);
    ps_seqlog_close(log);
}

static ps_status read_offsets(const char *text, ps_offsets *out)
{
    ps_offsets_clear(out);
    return ps_offsets_read(ps_slice_of(text), "/c/offsets/2", out, &err);
}

static void damaged_offsets_are_refused(void **state)
{
    ps_offsets out = {0};

    (void)state;
    FAILS(LOG_INCOMPLETE, read_offsets("", &out));
    assert_string_equal(err.message, "Failed to read log file /c/offsets/2. Incomplete log file");
    FAILS(LOG_INCOMPLETE, read_offsets("v1", &out));
    FAILS(LOG_MALFORMED, read_offsets("hello\n{}\n-", &out));
    HAS("[MALFORMED_LOG_FILE] Log file was malformed: failed to read correct log version from hello.");
    FAILS(LOG_MALFORMED, read_offsets("v0\n{}", &out));
    FAILS(LOG_MALFORMED, read_offsets("v\n{}", &out));
    FAILS(LOG_MALFORMED, read_offsets("v99999999999999999999\n{}", &out));
    FAILS(LOG_VERSION, read_offsets("v99\n{}\n{\"logOffset\":2}", &out));
    HAS("maximum supported log version is v2, but encountered v99");
    FAILS(LOG_DAMAGED, read_offsets("v1\n{\"batchWatermarkMs\":\n{}", &out));
    FAILS(LOG_DAMAGED, read_offsets("v1\n{\"batchWatermarkMs\":\"x\"}\n{}", &out));
    FAILS(LOG_DAMAGED, read_offsets("v1\n{\"conf\":{\"a\":1}}\n{}", &out));
    FAILS(LOG_DAMAGED, read_offsets("v1\n[]\n{}", &out));
    FAILS(LOG_DAMAGED, read_offsets("v2\n\n0:-", &out));
    FAILS(LOG_DAMAGED, read_offsets("v2\n{}\nnone", &out));
    EVERY_ALLOCATION(read_offsets(spark_s_entry, &out), ps_offsets_clear(&out));
}

static void old_and_new_versions_are_read(void **state)
{
    ps_offsets out = {0};
    ps_conf conf = {0};
    ps_bytes text = {0};

    (void)state;
    OK(read_offsets("v1\n\n{\"a\":1}\n-", &out)); /* 2.1 */
    assert_false(out.has_metadata);
    assert_int_equal(out.n, 2);
    OK(ps_pin_confs(&out, &conf, &err));
    assert_int_equal(conf.set.n, 0);
    OK(read_offsets("v1\n{\"new\":{},\"conf\":{\"spark.sql.shuffle.partitions\":\"7\",\"unknown\":\"1\"}}\n0", &out));
    OK(ps_pin_confs(&out, &conf, &err));
    assert_int_equal(ps_conf_int(&conf, "spark.sql.shuffle.partitions"), 7);
    assert_int_equal(ps_conf_int(&conf, "spark.sql.streaming.join.stateFormatVersion"), 1); /* as releases without it */
    assert_null(ps_conf_get(&conf, "unknown"));
    OK(read_offsets("v2\n{\"batchWatermarkMs\":5,\"conf\":{},\"sourceMetadataInfo\":{\"a\":{\"sourceId\":\"a\"}}}\na:{\"x\":1}\nb:-", &out));
    assert_string_equal(out.items[0].source, "a");
    assert_string_equal(out.items[0].offset, "{\"x\":1}");
    assert_null(out.items[1].offset);
    OK(ps_offsets_write(&out, &text, &err));
    TEXT(&text, "v2\n{\"batchWatermarkMs\":5,\"batchTimestampMs\":0,\"conf\":{},\"sourceMetadataInfo\":{\"a\":{\"sourceId\":\"a\"}}}\n"
                "a:{\"x\":1}\nb:-");
    ps_offsets_clear(&out);
    ps_conf_clear(&conf);
    ps_bytes_clear(&text);
}

static void commits_are_read_leniently(void **state)
{
    static const struct { const char *text; ps_status rc; int64_t watermark; } cases[] = {
        {"v1\n{\"nextBatchWatermarkMs\":1480730949000}", PS_OK, 1480730949000},
        {"v1", PS_OK, 0},
        {"v1\n", PS_OK, 0},
        {"v1\n{}", PS_OK, 0},
        {"v2\n{\"nextBatchWatermarkMs\":7,\"stateUniqueIds\":{\"0\":[[\"a\"]]}}", PS_OK, 7},
        {"", PS_E_LOG_INCOMPLETE, 0},
        {"v1\n{\"nextB", PS_E_LOG_DAMAGED, 0},
        {"v1\n{\"nextBatchWatermarkMs\":\"1\"}", PS_E_LOG_DAMAGED, 0},
        {"v99\n{}", PS_E_LOG_VERSION, 0},
        {"{\"nextBatchWatermarkMs\":0}", PS_E_LOG_MALFORMED, 0},
    };
    ps_seqlog *log = open_seq("commits");
    int64_t watermark;
    bool found;

    (void)state;
    OK(ps_commits_add(log, 0, -5, &err));
    file_is("commits/0", "v1\n{\"nextBatchWatermarkMs\":-5}");
    FAILS(LOG_CONCURRENT, ps_commits_add(log, 0, 0, &err));
    OK(ps_commits_get(log, 1, &watermark, &found, &err));
    assert_false(found);
    for (size_t i = 0; i < PS_COUNT_OF(cases); i++) {
        put("commits/1", cases[i].text);
        assert_int_equal(ps_commits_get(log, 1, &watermark, &found, &err), cases[i].rc);
        assert_int_equal(watermark, cases[i].watermark);
    }
    ps_seqlog_close(log);
}

/* ---- identity ---- */

static void a_checkpoint_keeps_its_id(void **state)
{
    static const char *const bad[] = {"", "{\"id\":\"12", "{}", "{\"id\":7}", "{\"id\":\"\"}",
                                      "{\"id\":\"6d2e2cf2-29a5-4a9f-a0d7-5c2e9e7c2b5d\\u0000\"}", "{\"id\":\"6d2e2cf2-29a5-4a9f-a0d7-5c2e9e7c2b5\\\"\"}"};
    char id[PS_QUERY_ID_SIZE], again[PS_QUERY_ID_SIZE], text[100];
    ps_file *lock, *second;

    (void)state;
    OK(ps_meta_open(fs, in_root("cp/deep"), true, true, id, &err));
    assert_int_equal(strlen(id), 36);
    snprintf(text, sizeof text, "{\"id\":\"%s\"}", id);
    file_is("cp/deep/metadata", text);
    OK(ps_meta_open(fs, in_root("cp/deep"), true, true, again, &err));
    assert_string_equal(id, again);
    OK(ps_meta_lock(fs, in_root("cp/deep"), &lock, &err));
    FAILS(LOG_IN_USE, ps_meta_lock(fs, in_root("cp/deep"), &second, &err));
    HAS("Multiple streaming queries are concurrently using");
    OK(ps_file_close(lock, &err));
    for (size_t i = 0; i < PS_COUNT_OF(bad); i++) {
        put("cp/deep/metadata", bad[i]);
        FAILS(META_DAMAGED, ps_meta_open(fs, in_root("cp/deep"), true, true, id, &err));
    }
    OK(ps_fs_remove(fs, in_root("cp/deep/metadata"), &err));
    OK(ps_fs_make_dirs(fs, in_root("cp/deep/commits"), &err));
    put("cp/deep/commits/0", "v1");
    FAILS(META_MISSING, ps_meta_open(fs, in_root("cp/deep"), true, true, id, &err));
    assert_false(exists("cp/deep/metadata"));
    OK(ps_meta_open(fs, in_root("cp/deep"), true, false, id, &err));
    OK(ps_fs_remove(fs, in_root("cp/deep/metadata"), &err));
    EVERY_ALLOCATION(ps_meta_open(fs, in_root("cp/deep"), false, false, id, &err), ps_fs_remove(fs, in_root("cp/deep/metadata"), NULL));
}

/* ---- the log of files ---- */

static ps_filelog_options filelog_options(ps_filelog_kind kind, int64_t interval, int64_t retain)
{
    ps_filelog_options options;
    ps_conf conf = {0};

    ps_filelog_configure(&options, kind, &conf, false);
    assert_int_equal(options.compact_interval, 10);
    assert_int_equal(options.cleanup_delay_ms, 600000);
    options.compact_interval = interval;
    options.min_to_retain = retain;
    options.cleanup_delay_ms = -1;
    return options;
}

static ps_filelog *open_files(const char *dir, ps_filelog_options options)
{
    ps_filelog *log;

    OK(ps_filelog_open(fs, ps_clock_system(), in_root(dir), &options, &log, &err));
    return log;
}

static void add_file(ps_filelog *log, int64_t id)
{
    char path[40];
    ps_file_entry entry = {path, 100 + id, 1700000000000 + id, 0};

    snprintf(path, sizeof path, "/in/a b%lld.json", (long long)id);
    OK(ps_filelog_add(log, id, &entry, 1, &err));
}

static void the_source_s_log_compacts_and_forgets_nothing(void **state)
{
    ps_filelog *log = open_files("src", filelog_options(PS_FILELOG_SOURCE, 3, 2));
    ps_file_entries found = {0};

    (void)state;
    assert_int_equal(ps_filelog_latest(log), -1);
    for (int64_t id = 0; id < 8; id++)
        add_file(log, id);
    file_is("src/7", "v1\n{\"path\":\"file:///in/a%20b7.json\",\"timestamp\":1700000000007,\"batchId\":7}");
    /* 8 entries, 2 to be retained: 2.compact is superseded by 5.compact */
    assert_false(exists("src/0"));
    assert_false(exists("src/2.compact"));
    assert_true(exists("src/5.compact"));
    ps_filelog_close(log);

    log = open_files("src", filelog_options(PS_FILELOG_SOURCE, 10, 2)); /* the files' interval counts, not 10 */
    assert_int_equal(ps_filelog_interval(log), 6);
    ps_filelog_close(log);
    log = open_files("src", filelog_options(PS_FILELOG_SOURCE, 3, 2));
    assert_int_equal(ps_filelog_interval(log), 6);
    assert_int_equal(ps_filelog_latest(log), 7);
    OK(ps_filelog_all(log, &found, &err));
    assert_int_equal(found.n, 8);
    for (int i = 0; i < 8; i++)
        assert_int_equal(found.items[i].batch_id, i);
    ps_file_entries_clear(&found);
    OK(ps_filelog_get(log, 1, 6, &found, &err)); /* 1 is in the compacted file only */
    assert_int_equal(found.n, 6);
    assert_string_equal(found.items[0].path, "/in/a b1.json");
    assert_int_equal(found.items[5].mtime_ms, 1700000000006);
    FAILS(LOG_ENTRY_MISSING, ps_filelog_get(log, 8, 8, &found, &err));
    ps_file_entries_clear(&found);
    put("src/8", "v1");
    FAILS(LOG_CONCURRENT, ps_filelog_add(log, 8, NULL, 0, &err));
    put("src/7", "v1\n{\"path\":\"file");
    FAILS(LOG_DAMAGED, ps_filelog_all(log, &found, &err));
    ps_file_entries_clear(&found);
    put("src/7", "");
    FAILS(LOG_INCOMPLETE, ps_filelog_get(log, 7, 7, &found, &err));
    put("src/7", "v99\n");
    FAILS(LOG_VERSION, ps_filelog_get(log, 7, 7, &found, &err));
    ps_file_entries_clear(&found);
    ps_filelog_close(log);
}

static void intervals_follow_the_files(void **state)
{
    static const struct { int64_t compacts[2]; int64_t fallback, expected; } cases[] = {
        {{-1, -1}, 10, 10}, {{3, 7}, 10, 4},  {{4, -1}, 10, 5},  {{23, -1}, 5, 6},
        {{23, -1}, 13, 24}, {{22, -1}, 5, 23}, {{23, -1}, 12, 24}, {{23, -1}, 11, 12},
        {{24, -1}, 5, 5},   {{24, -1}, 4, 5},  {{24, -1}, 6, 25},  {{281474976710654, -1}, 10, 13},
        {{281474976710596, -1}, 10, 281474976710597},
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT_OF(cases); i++) {
        OK(ps_fs_make_dirs(fs, in_root("iv"), &err));
        for (int k = 0; k < 2; k++) {
            char name[40];
            snprintf(name, sizeof name, "iv/%lld.compact", (long long)cases[i].compacts[k]);
            if (cases[i].compacts[k] >= 0)
                put(name, "v1");
        }
        ps_filelog *log = open_files("iv", filelog_options(PS_FILELOG_SOURCE, cases[i].fallback, 100));
        assert_int_equal(ps_filelog_interval(log), cases[i].expected);
        ps_filelog_close(log);
        OK(ps_fs_remove_tree(fs, in_root("iv"), &err));
    }
}

static void the_sink_s_log_has_a_retention(void **state)
{
    ps_filelog_options options = filelog_options(PS_FILELOG_SINK, 2, 100);
    ps_file_entries found = {0};
    ps_filelog *log, *reader;
    ps_clock *clock;

    (void)state;
    OK(ps_clock_manual_new(1700000000000, &clock, &err));
    options.retention_ms = 2;
    OK(ps_filelog_open(fs, clock, in_root("sink"), &options, &log, &err));
    OK(ps_filelog_add(log, 0, NULL, 0, &err));
    file_is("sink/0", "v1");
    add_file(log, 1);
    file_is("sink/1.compact", "v1\n{\"path\":\"file:///in/a%20b1.json\",\"size\":101,\"isDir\":false,\"modificationTime\":1700000000001,"
                              "\"blockReplication\":1,\"blockSize\":33554432,\"action\":\"add\"}");
    add_file(log, 2);
    ps_clock_advance(clock, 4);
    OK(ps_filelog_all(log, &found, &err));
    assert_int_equal(found.n, 1); /* file 1 has expired */
    ps_file_entries_clear(&found);
    OK(ps_filelog_open(fs, clock, in_root("sink"), &options, &reader, &err));
    add_file(log, 3);
    FAILS(LOG_RACE, ps_filelog_add(reader, 3, NULL, 0, &err));
    assert_string_equal(err.message, "Race while writing batch 3");
    for (int64_t id = 4; id < 8; id++)
        add_file(log, id);
    OK(ps_fs_remove(fs, in_root("sink/1.compact"), &err)); /* a reader behind the writer looks again */
    OK(ps_fs_remove(fs, in_root("sink/2"), &err));
    OK(ps_filelog_all(reader, &found, &err));
    assert_int_equal(ps_filelog_latest(reader), 7);
    assert_int_equal(found.n, 6);
    ps_file_entries_clear(&found);
    EVERY_ALLOCATION(ps_filelog_all(reader, &found, &err), ps_file_entries_clear(&found));
    ps_filelog_close(reader);
    ps_filelog_close(log);
    ps_clock_free(clock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_made_once_and_purged),
        cmocka_unit_test(lines_end_where_they_end),
        cmocka_unit_test(offsets_are_written_as_spark_writes_them),
        cmocka_unit_test(damaged_offsets_are_refused),
        cmocka_unit_test(old_and_new_versions_are_read),
        cmocka_unit_test(commits_are_read_leniently),
        cmocka_unit_test(a_checkpoint_keeps_its_id),
        cmocka_unit_test(the_source_s_log_compacts_and_forgets_nothing),
        cmocka_unit_test(intervals_follow_the_files),
        cmocka_unit_test(the_sink_s_log_has_a_retention),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
