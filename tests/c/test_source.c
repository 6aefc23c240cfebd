/*
 * tests/c/test_source.c - sources: what they see, in what batches, and the same again after a crash.
 */
#include "unit.h"
#include "base/failpoint.h"
#include "col/build.h"
#include "col/text.h"
#include "col/type_text.h"
#include "io/source.h"
#include "io/src_file_int.h"
#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utime.h>

static char root[64];
static ps_fs *fs;
static ps_conf conf;
static ps_clock *clock_;

static int make_root(void **state)
{
    (void)state;
    fs = ps_fs_local();
    clock_ = ps_clock_system();
    conf = (ps_conf){0};
    strcpy(root, "/tmp/ps_source_XXXXXX");
    return mkdtemp(root) == NULL || ps_conf_set(&conf, "spark.sql.session.timeZone", "UTC", &err) != PS_OK;
}

static int remove_root(void **state)
{
    (void)state;
    ps_conf_clear(&conf);
    ps_failpoint_disarm_all();
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

static int64_t tick = 1700000000;

/* A file with its own name as its one line, a second newer than the last. */
static void put(const char *name)
{
    char text[100], dir[200];
    struct utimbuf when = {tick, tick};

    snprintf(dir, sizeof dir, "%s", in_root(name));
    *strrchr(dir, '/') = '\0';
    OK(ps_fs_make_dirs(fs, dir, &err));
    snprintf(text, sizeof text, "%s\n", strrchr(in_root(name), '/') + 1);
    OK(ps_fs_write_atomic(fs, in_root(name), text, strlen(text), false, false, &err));
    utime(in_root(name), &when);
    tick++;
}

/* --- reading ------------------------------------------------------------------------------------------------ */

/* Options as key, value, ..., NULL. */
static ps_status describe(const char *format, bool streaming, const char *const *options, void *object, ps_source_info **out)
{
    ps_options map = {0};
    ps_source_request request = {.format = format, .options = &map, .conf = &conf, .streaming = streaming, .fs = fs, .clock = clock_, .object = object};
    ps_status rc = PS_OK;

    *out = NULL;
    for (; rc == PS_OK && options && *options; options += 2)
        rc = ps_options_set(&map, options[0], options[1], &err);
    if (rc == PS_OK)
        rc = ps_source_describe(&request, out, &err);
    ps_options_clear(&map);
    return rc;
}
#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* All values of the wanted columns, comma between columns, ';' between rows. */
static ps_status read_scan(ps_scan *scan, ps_bytes *out)
{
    ps_cursor *cursor;
    ps_batch *batch;
    ps_status rc;

    ps_bytes_reset(out);
    PS_TRY(ps_bytes_text(out, "", &err));
    PS_TRY(scan->vt->cursor(scan, &cursor, &err));
    for (int64_t slice = 0; slice < scan->n_slices; slice++) {
        PS_TRY_OR(done, cursor->vt->seek(cursor, slice, &err));
        for (;;) {
            PS_TRY_OR(done, cursor->vt->next(cursor, &batch, &err));
            if (!batch)
                break;
            ps_rows rows = ps_batch_live(batch);
            for (int64_t j = 0; j < rows.n; j++)
                for (int c = 0; c < batch->n_cols; c++) {
                    if (out->n_bytes > 0)
                        OK(ps_bytes_text(out, c ? "," : ";", &err));
                    if (ps_vec_is_null(batch->cols[c], ps_row(&rows, j)))
                        OK(ps_bytes_text(out, "NULL", &err));
                    else
                        OK(ps_text_of_value(batch->cols[c], ps_row(&rows, j), ps_zone_utc(), out, &err));
                }
            ps_batch_unref(batch);
        }
    }
    rc = PS_OK;
done:
    cursor->vt->free(cursor);
    return rc;
}

#define ALL NULL
/* What is wanted of a source: NULL stands for all visible columns. */
static const bool *wanted_of(const ps_source_info *info, const bool *wanted)
{
    static bool visible[16];

    for (int i = 0; i < 16; i++)
        visible[i] = i < info->schema->n_fields;
    return wanted ? wanted : visible;
}

static ps_status read_batch(const char *format, const char *const *options, const bool *wanted, ps_bytes *out)
{
    ps_source_open_args args = {.conf = &conf, .fs = fs, .clock = clock_};
    ps_source_info *info;
    ps_scan *scan;
    ps_status rc;

    PS_TRY(describe(format, false, options, NULL, &info));
    rc = info->vt->read_all(info, &args, wanted_of(info, wanted), &scan, &err);
    if (rc == PS_OK) {
        rc = read_scan(scan, out);
        scan->vt->free(scan);
    }
    ps_source_info_unref(info);
    return rc;
}

static void rows_are(const char *format, const char *const *options, const bool *wanted, const char *expected)
{
    ps_bytes out = {0};

    OK(read_batch(format, options, wanted, &out));
    TEXT(&out, expected);
    ps_bytes_clear(&out);
}

/* --- a query's source ------------------------------------------------------------------------------------------ */

typedef struct run { ps_source_info *info; ps_source *source; char *at; } run;

static ps_status run_open(run *r, const char *format, const char *const *options, void *object)
{
    ps_source_open_args args = {.checkpoint_dir = in_root("checkpoint/sources/0"), .conf = &conf, .fs = fs, .clock = clock_};

    PS_TRY(describe(format, true, options, object, &r->info));
    return r->info->vt->open(r->info, &args, &r->source, &err);
}

static void run_close(run *r)
{
    if (r->source)
        r->source->vt->close(r->source);
    ps_source_info_unref(r->info);
    ps_free(r->at);
    *r = (run){0};
}

/* One batch: its rows, or "-" when there is no new offset. */
static void batch_is(run *r, bool all, const char *expected)
{
    char *to, *head;
    ps_bytes out = {0};
    ps_scan *scan;

    OK(r->source->vt->latest(r->source, r->at, (ps_read_limit){all}, &to, &head, &err));
    ps_free(head);
    if (!to || (r->at && strcmp(to, r->at) == 0)) {
        assert_string_equal("-", expected);
        ps_free(to);
        return;
    }
    OK(r->source->vt->read(r->source, r->at, to, wanted_of(r->info, ALL), &scan, &err));
    OK(read_scan(scan, &out));
    TEXT(&out, expected);
    scan->vt->free(scan);
    ps_bytes_clear(&out);
    if (r->at)
        OK(r->source->vt->commit(r->source, r->at, &err));
    ps_free(r->at);
    r->at = to;
}

/* --- patterns ------------------------------------------------------------------------------------------------------ */

static void patterns_match_as_hadoop_s(void **state)
{
    static const struct { const char *pattern, *name; bool matches; } cases[] = {
        {"*", "a", true}, {"*", "", true}, {"a*c", "abc", true}, {"a*c", "abd", false}, {"a*b*c", "aXbYbZc", true},
        {"?", "ü", true}, {"?", "", false}, {"??", "東a", true}, {"[a-c]x", "bx", true}, {"[^a-c]x", "bx", false}, {"[!a]x", "bx", true},
        {"[a", "a", false}, {"a\\*", "a*", true}, {"a\\*", "ab", false}, {"[\\]]", "]", true}, {"[ü-þ]", "ý", true}, {"*.txt", "a.txt.gz", false}};

    (void)state;
    for (size_t i = 0; i < PS_COUNT_OF(cases); i++)
        if (psi_glob_match(cases[i].pattern, cases[i].name) != cases[i].matches)
            fail_msg("%s against %s", cases[i].pattern, cases[i].name);
}

static void braces_multiply(void **state)
{
    psi_texts out = {0};

    (void)state;
    OK(psi_glob_braces("{a,b{1,2}}x{,y}", &out, &err));
    assert_int_equal(out.n, 6);
    assert_string_equal(out.items[0], "ax");
    assert_string_equal(out.items[3], "b1xy");
    psi_texts_clear(&out);
    OK(psi_glob_braces("a\\{b", &out, &err));
    assert_int_equal(out.n, 1);
    psi_texts_clear(&out);
    FAILS(GLOB, psi_glob_braces("{a", &out, &err));
    psi_texts_clear(&out);
}

/* --- files, as a batch ------------------------------------------------------------------------------------------------ */

static void hidden_and_nested_files_are_left_out(void **state)
{
    static const char *const names[] = {"in/top", "in/_hidden", "in/.dot", "in/half._COPYING_", "in/_metadata", "in/d/one", "in/d/e/two", "in/_a=b"};

    (void)state;
    for (size_t i = 0; i < PS_COUNT_OF(names); i++)
        put(names[i]);
    OK(ps_fs_remove(fs, in_root("in/_a=b"), &err));
    rows_are("text", OPTIONS("path", in_root("in")), ALL, "top");
    rows_are("text", OPTIONS("path", in_root("in"), "recursiveFileLookup", "true"), ALL, "two;one;top");
    rows_are("text", OPTIONS("path", in_root("in/*")), ALL, "one;top");
    rows_are("text", OPTIONS("path", in_root("in/*/*")), ALL, "two;one");
    rows_are("text", OPTIONS("path", in_root("in/{top,d}")), ALL, "one;top");
    rows_are("text", OPTIONS("path", in_root("in"), "pathGlobFilter", "t{x,op}"), ALL, "top");
    FAILS(PATH_NOT_FOUND, read_batch("text", OPTIONS("path", in_root("gone")), ALL, &(ps_bytes){0}));
    HAS("file:/tmp/ps_source_");
    FAILS(PATH_NOT_FOUND, read_batch("text", OPTIONS("path", in_root("gone*")), ALL, &(ps_bytes){0}));
}

static void partition_directories_become_columns(void **state)
{
    static const bool only_name[] = {false, false, true, false};

    (void)state;
    put("in/year=2024/name=a b/f");
    put("in/year=2025/name=__HIVE_DEFAULT_PARTITION__/g");
    put("in/year=2025/name=50%25/h");
    rows_are("text", OPTIONS("path", in_root("in")), (const bool[]){true, true, true, false}, "f,2024,a b;h,2025,50%;g,2025,NULL");
    rows_are("text", OPTIONS("path", in_root("in")), only_name, "a b;50%;NULL");
    rows_are("text", OPTIONS("path", in_root("in/year=2024")), (const bool[]){true, true, false}, "f,a b");
    rows_are("text", OPTIONS("path", in_root("in/year=2024"), "basePath", in_root("in")), (const bool[]){true, true, true, false}, "f,2024,a b");
    FAILS(BASE_PATH_WRONG, read_batch("text", OPTIONS("path", in_root("in"), "basePath", in_root("in/year=2024")), ALL, &(ps_bytes){0}));
    put("in/other=1/f");
    FAILS(PARTITION_NAMES, read_batch("text", OPTIONS("path", in_root("in")), ALL, &(ps_bytes){0}));
}

static void partition_types_widen(void **state)
{
    static const struct { const char *a, *b; const char *type; } cases[] = {
        {"1", "2", "int"}, {"1", "2147483648", "bigint"}, {"1", "2.5", "double"}, {"1", "abc", "string"}, {"2024-01-01", "2024-01-02", "date"},
        {"2024-01-01", "2024-01-01 10%3A00%3A00", "timestamp"}, {"1", "__HIVE_DEFAULT_PARTITION__", "int"}, {"2147483648", "1.5", "string"},
        {"1e3", "1", "decimal(10,0)"}, {"99999999999999999999", "1", "decimal(20,0)"}, {"1.5", "NaN", "double"}, {"true", "false", "string"},
        {"2024-01-01", "1", "string"}, {"-1", "+1", "int"}};

    (void)state;
    for (size_t i = 0; i < PS_COUNT_OF(cases); i++) {
        psi_texts dirs = {0}, bases = {0};
        const ps_type *schema;
        ps_bytes text = {0};
        char dir[100];
        OK(psi_texts_add(&bases, "/b", &err));
        snprintf(dir, sizeof dir, "/b/p=%s", cases[i].a);
        OK(psi_texts_add(&dirs, dir, &err));
        snprintf(dir, sizeof dir, "/b/p=%s", cases[i].b);
        OK(psi_texts_add(&dirs, dir, &err));
        OK(psi_partition_schema(&dirs, &bases, NULL, &conf, ps_zone_utc(), &schema, &err));
        OK(ps_type_simple_text(schema->fields[0].type, &text, &err));
        TEXT(&text, cases[i].type);
        ps_bytes_clear(&text);
        ps_type_unref(schema);
        psi_texts_clear(&dirs);
        psi_texts_clear(&bases);
    }
}

static void metadata_is_a_hidden_column(void **state)
{
    static const bool wanted[] = {false, true};
    ps_bytes out = {0};
    char expected[300];

    (void)state;
    put("in/a b");
    OK(read_batch("text", OPTIONS("path", in_root("in")), wanted, &out));
    snprintf(expected, sizeof expected, "{file://%s/in/a%%20b, a%%20b, 4, 0, 4, %s}", root, "2023-11-14 22:13:");
    assert_memory_equal(out.data, expected, strlen(expected) - 2);
    ps_bytes_clear(&out);
}

static void lost_and_damaged_files(void **state)
{
    ps_source_open_args args = {.conf = &conf, .fs = fs, .clock = clock_};
    ps_source_info *info;
    ps_scan *scan;
    ps_bytes out = {0};

    (void)state;
    put("in/a");
    put("in/b.gz"); /* not packed at all */
    FAILS(READ_FILE, read_batch("text", OPTIONS("path", in_root("in")), ALL, &out));
    HAS("[FAILED_READ_FILE.NO_HINT]");
    HAS("in/b.gz");
    rows_are("text", OPTIONS("path", in_root("in"), "ignoreCorruptFiles", "true"), ALL, "a");
    OK(ps_fs_remove(fs, in_root("in/b.gz"), &err));
    OK(describe("text", false, OPTIONS("path", in_root("in")), NULL, &info));
    OK(ps_fs_remove(fs, in_root("in/a"), &err));
    OK(info->vt->read_all(info, &args, wanted_of(info, ALL), &scan, &err));
    FAILS(READ_FILE_GONE, read_scan(scan, &out));
    scan->vt->free(scan);
    ps_source_info_unref(info);
    ps_bytes_clear(&out);
}

/* --- files, as a stream --------------------------------------------------------------------------------------------------- */

static void a_stream_takes_files_in_order_and_once(void **state)
{
    run r = {0};

    (void)state;
    put("in/c");
    put("in/a");
    put("in/b");
    OK(run_open(&r, "text", OPTIONS("path", in_root("in"), "maxFilesPerTrigger", "2"), NULL));
    assert_non_null(strstr(r.source->description, "FileStreamSource[file:/tmp/"));
    batch_is(&r, false, "c;a");
    batch_is(&r, false, "b");
    batch_is(&r, false, "-");
    put("in/d");
    put("in/e");
    put("in/f");
    batch_is(&r, true, "d;e;f");
    assert_string_equal(r.at, "{\"logOffset\":2}");
    run_close(&r);
    OK(run_open(&r, "text", OPTIONS("path", in_root("in")), NULL)); /* the log says what was seen */
    OK(ps_strdup("{\"logOffset\":2}", &r.at, &err));
    batch_is(&r, false, "-");
    put("in/g");
    batch_is(&r, false, "g");
    run_close(&r);
}

/* A batch's files are read as often as Spark 4 names them (repeat_files). */
static void names_that_look_like_patterns_are_read_as_spark_reads_them(void **state)
{
    run r = {0};

    (void)state;
    put("in/a");
    put("in/{b");
    OK(run_open(&r, "text", OPTIONS("path", in_root("in")), NULL));
    batch_is(&r, false, "a;{b;a");
    put("in/[c]");
    batch_is(&r, false, "[c]");
    run_close(&r);
    put("rec/a");
    put("rec/{b");
    OK(run_open(&r, "text", OPTIONS("path", in_root("rec"), "recursiveFileLookup", "true"), NULL));
    OK(ps_strdup("{\"logOffset\":1}", &r.at, &err));
    batch_is(&r, false, "a;{b");
    run_close(&r);
}

static void a_frozen_stream_ends_with_what_there_was(void **state)
{
    run r = {0};

    (void)state;
    put("in/a");
    put("in/b");
    OK(run_open(&r, "text", OPTIONS("path", in_root("in"), "maxFilesPerTrigger", "1"), NULL));
    OK(r.source->vt->freeze(r.source, &err));
    put("in/c");
    batch_is(&r, false, "a");
    batch_is(&r, false, "b");
    batch_is(&r, false, "-");
    run_close(&r);
}

static void limits_of_bytes_and_age(void **state)
{
    run r = {0};
    int64_t start = tick;

    (void)state;
    put("in/aaaaaa");
    put("in/b");
    put("in/c");
    put("in/dddddddddd");
    OK(run_open(&r, "text", OPTIONS("path", in_root("in"), "maxBytesPerTrigger", "9", "maxFileAge", "1h"), NULL));
    batch_is(&r, false, "aaaaaa;b");
    batch_is(&r, false, "c");
    batch_is(&r, false, "dddddddddd");
    tick = start - 7200;
    put("in/old");
    batch_is(&r, false, "-");
    tick = start - 60;
    put("in/young");
    batch_is(&r, false, "young");
    tick = start + 10;
    run_close(&r);
}

static void a_crash_after_the_log_loses_no_file(void **state)
{
    run r = {0};
    char *to, *head;

    (void)state;
    put("in/a");
    OK(run_open(&r, "text", OPTIONS("path", in_root("in")), NULL));
    batch_is(&r, false, "a");
    put("in/b");
    OK(ps_failpoint_arm("source.file.logged", "error", 1, &err));
    FAILS(FAILPOINT, r.source->vt->latest(r.source, r.at, (ps_read_limit){false}, &to, &head, &err));
    run_close(&r);
    OK(run_open(&r, "text", OPTIONS("path", in_root("in")), NULL));
    OK(ps_strdup("{\"logOffset\":0}", &r.at, &err));
    put("in/c");
    batch_is(&r, false, "b;c"); /* entry 1 has b, entry 2 has c: one batch */
    assert_string_equal(r.at, "{\"logOffset\":2}");
    run_close(&r);
}

static void a_restart_needs_the_log_and_the_directory(void **state)
{
    run r = {0};

    (void)state;
    put("in/a");
    put("other/b");
    OK(run_open(&r, "text", OPTIONS("path", in_root("in")), NULL));
    batch_is(&r, false, "a");
    OK(r.source->vt->seen(r.source, r.at, &err));
    FAILS(LOG_ENTRY_MISSING, r.source->vt->seen(r.source, "{\"logOffset\":7}", &err));
    FAILS(OFFSET_TEXT, r.source->vt->seen(r.source, "{\"offset\":7}", &err));
    FAILS(BAD_JSON, r.source->vt->seen(r.source, "{", &err));
    run_close(&r);
    OK(run_open(&r, "text", OPTIONS("path", in_root("other")), NULL));
    FAILS(BASE_PATH_WRONG, r.source->vt->seen(r.source, "{\"logOffset\":0}", &err));
    run_close(&r);
}

static void done_files_are_cleaned(void **state)
{
    run r = {0};
    ps_file_info info;
    bool exists;
    char *archive = NULL;

    (void)state;
    OK(ps_strdup(in_root("archive"), &archive, &err));
    put("in/a");
    OK(run_open(&r, "text", OPTIONS("path", in_root("in"), "cleanSource", "ARCHIVE", "sourceArchiveDir", archive), NULL));
    batch_is(&r, false, "a");
    put("in/b");
    batch_is(&r, false, "b");
    OK(ps_fs_stat(fs, in_root("in/a"), &info, &exists, &err));
    assert_false(exists);
    run_close(&r);
    FAILS(ARCHIVE_MATCHES, run_open(&r, "text", OPTIONS("path", in_root("in"), "cleanSource", "archive", "sourceArchiveDir", in_root("in/x")), NULL));
    run_close(&r);
    ps_free(archive);
}

static void options_of_a_stream_are_checked_when_it_opens(void **state)
{
    run r = {0};

    (void)state;
    put("in/a");
    FAILS(OPTION_VALUE, run_open(&r, "text", OPTIONS("path", in_root("in"), "maxFilesPerTrigger", "0"), NULL));
    HAS("Invalid value '0' for option 'maxFilesPerTrigger', must be a positive integer");
    run_close(&r);
    FAILS(CLEAN_MODE, run_open(&r, "text", OPTIONS("path", in_root("in"), "cleanSource", "burn"), NULL));
    run_close(&r);
    FAILS(STREAM_OPTION, run_open(&r, "text", OPTIONS("path", in_root("in"), "modifiedAfter", "2024-01-01T00:00:00"), NULL));
    run_close(&r);
    FAILS(PATH_NOT_FOUND, run_open(&r, "text", OPTIONS("path", in_root("gone")), NULL));
    FAILS(STREAM_SCHEMA, run_open(&r, "csv", OPTIONS("path", in_root("in")), NULL));
    FAILS(SINK_PATH, run_open(&r, "text", NULL, NULL));
    FAILS(DATA_SOURCE_NOT_FOUND, run_open(&r, "jsn", NULL, NULL));
    HAS("Did you mean 'json'?");
    FAILS(NOT_STREAMED, run_open(&r, "jdbc", NULL, NULL));
    FAILS(NOT_A_SOURCE, read_batch("rate", NULL, ALL, &(ps_bytes){0}));
}

static void no_memory_is_an_ordinary_error(void **state)
{
    ps_bytes out = {0};
    run r = {0};
    char *to = NULL, *head;

    (void)state;
    put("in/p=1/a");
    put("in/p=2/b");
    OK(ps_bytes_reserve(&out, 4096, &err));
    EVERY_ALLOCATION(read_batch("text", OPTIONS("path", in_root("in")), ALL, &out), (void)0);
    ps_bytes_clear(&out);
    EVERY_ALLOCATION((run_open(&r, "text", OPTIONS("path", in_root("in")), NULL) != PS_OK
                          ? err.code
                          : r.source->vt->latest(r.source, NULL, (ps_read_limit){false}, &to, &head, &err)),
                     (ps_free(to), to = NULL, run_close(&r)));
}

/* --- numbers and lines ---------------------------------------------------------------------------------------------------------- */

static void rate_follows_the_clock(void **state)
{
    run r = {0};
    ps_scan *scan;
    ps_bytes out = {0};

    (void)state;
    OK(ps_clock_manual_new(1000000, &clock_, &err));
    OK(run_open(&r, "rate", OPTIONS("rowsPerSecond", "10", "rampUpTime", "4s", "numPartitions", "1"), NULL));
    assert_string_equal(r.source->description, "RateStreamV2[rowsPerSecond=10, rampUpTimeSeconds=4, numPartitions=1");
    batch_is(&r, false, "");
    assert_string_equal(r.at, "0");
    ps_clock_advance(clock_, 1000);
    batch_is(&r, false, "1970-01-01 00:16:40,0;1970-01-01 00:16:40.5,1");
    ps_clock_advance(clock_, 2000);
    OK(r.source->vt->read(r.source, "2", "3", wanted_of(r.info, ALL), &scan, &err));
    OK(read_scan(scan, &out));
    scan->vt->free(scan);
    TEXT(&out, "1970-01-01 00:16:42,6;1970-01-01 00:16:42.167,7;1970-01-01 00:16:42.333,8;1970-01-01 00:16:42.5,9;"
               "1970-01-01 00:16:42.667,10;1970-01-01 00:16:42.833,11");
    run_close(&r);
    ps_clock_advance(clock_, 5000); /* a restart counts on */
    OK(run_open(&r, "rate", OPTIONS("rowsPerSecond", "10", "rampUpTime", "4s", "numPartitions", "1"), NULL));
    OK(r.source->vt->read(r.source, "1", "2", (const bool[]){false, true}, &scan, &err));
    OK(read_scan(scan, &out));
    scan->vt->free(scan);
    TEXT(&out, "2;3;4;5");
    run_close(&r);
    ps_bytes_clear(&out);
    ps_clock_free(clock_);
}

static void rate_per_batch_is_fixed_by_the_offset(void **state)
{
    run r = {0};

    (void)state;
    OK(run_open(&r, "rate-micro-batch", OPTIONS("rowsPerBatch", "3", "startTimestamp", "1000", "advanceMillisPerBatch", "50", "numPartitions", "2"), NULL));
    batch_is(&r, false, "1970-01-01 00:00:01,0;1970-01-01 00:00:01,2;1970-01-01 00:00:01,1");
    batch_is(&r, false, "1970-01-01 00:00:01.05,3;1970-01-01 00:00:01.05,5;1970-01-01 00:00:01.05,4");
    assert_string_equal(r.at, "{\"offset\":6,\"timestamp\":1100}");
    OK(r.source->vt->freeze(r.source, &err));
    batch_is(&r, false, "1970-01-01 00:00:01.1,6;1970-01-01 00:00:01.1,8;1970-01-01 00:00:01.1,7");
    batch_is(&r, false, "-");
    run_close(&r);
    FAILS(OPTION_POSITIVE, run_open(&r, "rate-micro-batch", NULL, NULL));
    HAS("Invalid value '0'. The option 'rowsPerBatch' must be positive");
    FAILS(NUMBER_TEXT, run_open(&r, "rate", OPTIONS("rowsPerSecond", "fast"), NULL));
    FAILS(OPTION_NEGATIVE, run_open(&r, "rate", OPTIONS("rampUpTime", "-1s"), NULL));
    FAILS(DURATION_NUMBER, run_open(&r, "rate", OPTIONS("rampUpTime", "soon"), NULL));
}

static ps_batch *one_number(int64_t value)
{
    ps_batch *batch;

    OK(ps_batch_new(1, 1, &batch, &err));
    OK(ps_vec_new(ps_type_of(PS_INT64), 1, false, &batch->cols[0], &err));
    *(int64_t *)batch->cols[0]->data = value;
    return batch;
}

static void a_feed_keeps_rows_until_all_readers_are_done(void **state)
{
    ps_field field = {.name = (char *)"n", .type = ps_type_of(PS_INT64), .nullable = true};
    const ps_type *schema;
    ps_memory_feed *feed;
    run one = {0}, two = {0};
    ps_batch *batch;
    int64_t offset;

    (void)state;
    OK(ps_type_struct(&field, 1, &schema, &err));
    OK(ps_memory_feed_new(schema, &feed, &err));
    OK(run_open(&one, "pystream-memory", NULL, feed));
    OK(run_open(&two, "pystream-memory", NULL, feed));
    batch_is(&one, false, "-");
    for (int i = 0; i < 3; i++) {
        batch = one_number(10 + i);
        OK(ps_memory_feed_add(feed, batch, &offset, &err));
        assert_int_equal(offset, i);
        ps_batch_unref(batch);
        batch_is(&one, false, i == 0 ? "10" : i == 1 ? "11" : "12");
    }
    assert_string_equal(one.at, "2");
    batch_is(&two, false, "10;11;12");
    run_close(&one);
    run_close(&two);
    ps_memory_feed_unref(feed);
    ps_type_unref(schema);
}

static void socket_lines_are_rows(void **state)
{
    int listener = socket(AF_INET, SOCK_STREAM, 0), client;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n_address = sizeof address;
    char port[16];
    run r = {0};

    (void)state;
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 1), 0);
    getsockname(listener, (struct sockaddr *)&address, &n_address);
    snprintf(port, sizeof port, "%d", ntohs(address.sin_port));
    OK(run_open(&r, "socket", OPTIONS("host", "127.0.0.1", "port", port), NULL));
    batch_is(&r, false, "");
    assert_string_equal(r.at, "-1");
    client = accept(listener, NULL, NULL);
    assert_int_equal(write(client, "a\r\nb\r\n\nun", 9), 9);
    usleep(100000);
    batch_is(&r, false, "a;b;");
    close(client); /* the rest comes as a line of its own */
    usleep(100000);
    batch_is(&r, false, "un");
    batch_is(&r, false, "-");
    run_close(&r);
    close(listener);
    OK(run_open(&r, "socket", OPTIONS("host", "127.0.0.1", "port", port), NULL));
    FAILS(SOCKET, r.source->vt->latest(r.source, NULL, (ps_read_limit){false}, &(char *){0}, &(char *){0}, &err));
    run_close(&r);
    FAILS(SOCKET_PORT, run_open(&r, "socket", OPTIONS("host", "x"), NULL));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_root, remove_root)
    const struct CMUnitTest tests[] = {
        TEST(patterns_match_as_hadoop_s), TEST(braces_multiply), TEST(hidden_and_nested_files_are_left_out),
        TEST(partition_directories_become_columns), TEST(partition_types_widen), TEST(metadata_is_a_hidden_column),
        TEST(lost_and_damaged_files), TEST(a_stream_takes_files_in_order_and_once),
        TEST(names_that_look_like_patterns_are_read_as_spark_reads_them), TEST(a_frozen_stream_ends_with_what_there_was),
        TEST(limits_of_bytes_and_age), TEST(a_crash_after_the_log_loses_no_file), TEST(a_restart_needs_the_log_and_the_directory), TEST(done_files_are_cleaned),
        TEST(options_of_a_stream_are_checked_when_it_opens), TEST(no_memory_is_an_ordinary_error), TEST(rate_follows_the_clock),
        TEST(rate_per_batch_is_fixed_by_the_offset), TEST(a_feed_keeps_rows_until_all_readers_are_done), TEST(socket_lines_are_rows)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
