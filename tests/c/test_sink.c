/*
 * tests/c/test_sink.c - sinks: what they leave behind, once, whatever fails in between.
 */
#include "unit.h"
#include "base/failpoint.h"
#include "col/build.h"
#include "io/sink.h"
#include "log/filelog.h"
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char root[64];
static ps_fs *fs;
static ps_conf conf;
static const ps_type *schema; /* k string, n bigint */

static int make_root(void **state)
{
    ps_field fields[2] = {{.name = (char *)"k", .type = ps_type_of(PS_STRING), .nullable = true},
                          {.name = (char *)"n", .type = ps_type_of(PS_INT64), .nullable = true}};

    (void)state;
    fs = ps_fs_local();
    conf = (ps_conf){0};
    strcpy(root, "/tmp/ps_sink_XXXXXX");
    return mkdtemp(root) == NULL || ps_type_struct(fields, 2, &schema, &err) != PS_OK;
}

static int remove_root(void **state)
{
    (void)state;
    ps_conf_clear(&conf);
    ps_type_unref(schema);
    ps_failpoint_disarm_all();
    return ps_fs_remove_tree(ps_fs_local(), root, &err);
}

/* Rows "a 1|b 2|- 3"; '-' is NULL. */
static ps_batch *rows(const char *text)
{
    ps_builder *k, *n;
    ps_batch *batch;
    char copy[400], *save = NULL;

    snprintf(copy, sizeof copy, "%s", text);
    OK(ps_build_new(ps_type_of(PS_STRING), 8, &k, &err));
    OK(ps_build_new(ps_type_of(PS_INT64), 8, &n, &err));
    for (char *row = strtok_r(copy, "|", &save); row; row = strtok_r(NULL, "|", &save)) {
        char *space = strrchr(row, ' ');
        *space = '\0';
        OK(strcmp(row, "-") == 0 ? ps_build_null(k, &err) : ps_build_text(k, row, strlen(row), &err));
        OK(ps_build_int(n, atoll(space + 1), &err));
    }
    OK(ps_batch_new(2, n->n, &batch, &err));
    OK(ps_build_finish(k, &batch->cols[0], &err));
    OK(ps_build_finish(n, &batch->cols[1], &err));
    ps_build_free(k);
    ps_build_free(n);
    return batch;
}

typedef struct setup {
    const char *format, *save_mode, *by;
    const char *const *options;
    bool batch, sync;
    ps_mode mode;
    ps_callback *callback;
    ps_memory_table *table;
} setup;
#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})

static ps_status open_sink(const setup *s, ps_sink **out)
{
    const ps_sink_row *row = ps_sink_find(ps_slice_of(s->format));
    ps_options options = {0};
    char path[100];
    ps_sink_request request = {.format = s->format, .options = &options, .partition_by = &s->by, .n_partition_by = s->by != NULL,
                               .mode = s->mode, .schema = schema, .conf = &conf, .zone = ps_zone_utc(), .fs = fs, .clock = ps_clock_system(),
                               .sync = s->sync, .batch = s->batch, .save_mode = s->save_mode, .callback = s->callback, .table = s->table};
    ps_status rc = PS_OK;

    *out = NULL;
    snprintf(path, sizeof path, "%s/out", root);
    rc = ps_options_set(&options, "path", path, &err);
    for (const char *const *o = s->options; rc == PS_OK && o && *o; o += 2)
        rc = ps_options_set(&options, o[0], o[1], &err);
    if (rc == PS_OK)
        rc = row->open(&request, out, &err);
    ps_options_clear(&options);
    return rc;
}

/* One batch as the engine runs it. */
static ps_status run_batch(ps_sink *sink, int64_t id, ps_batch *batch)
{
    bool skip;
    ps_status rc;

    PS_TRY(sink->vt->begin(sink, id, &skip, &err));
    if (skip)
        return PS_OK;
    rc = batch ? sink->vt->write(sink, batch, &err) : PS_OK;
    if (rc == PS_OK)
        rc = sink->vt->commit(sink, id, &err);
    if (rc != PS_OK)
        sink->vt->abort(sink, id);
    return rc;
}

/* A new sink each time, as after a restart. */
static ps_status write_one(const setup *s, int64_t id, const char *text)
{
    ps_batch *batch = text ? rows(text) : NULL;
    ps_sink *sink;
    ps_status rc = open_sink(s, &sink);

    if (rc == PS_OK) {
        rc = run_batch(sink, id, batch);
        sink->vt->close(sink);
    }
    ps_batch_unref(batch);
    return rc;
}

/* --- looking at what is there ------------------------------------------------------------------------------------ */

static int by_path(const void *a, const void *b) { return strcmp(((const ps_file_info *)a)->path, ((const ps_file_info *)b)->path); }

static void walk(const char *dir, ps_bytes *out, bool contents)
{
    ps_file_list list = {0};

    OK(ps_fs_list(ps_fs_local(), dir, &list, &err));
    qsort(list.items, (size_t)list.n, sizeof *list.items, by_path);
    for (int i = 0; i < list.n; i++) {
        const char *path = list.items[i].path, *name = ps_path_name(path);
        if (list.items[i].is_dir) {
            if (strcmp(name, "_spark_metadata") != 0)
                walk(path, out, contents);
        } else if (contents) {
            OK(ps_fs_read_all(ps_fs_local(), path, out, &err));
        } else { /* part-00000-<36 characters>-c000.csv; after a dot when there are partitions */
            const char *part = strstr(path, "part-00000-");
            OK(ps_bytes_append(out, path + strlen(root), part ? (size_t)(part + 10 - path) - strlen(root) : strlen(path) - strlen(root), &err));
            OK(ps_bytes_printf(out, &err, "%s ", part ? part + 47 : ""));
        }
    }
    ps_file_list_clear(&list);
}

static void layout_is(const char *expected)
{
    ps_bytes out = {0};

    OK(ps_bytes_text(&out, "", &err));
    walk(root, &out, false);
    TEXT(&out, expected);
    ps_bytes_clear(&out);
}

static void contents_are(const char *expected)
{
    ps_bytes out = {0};

    OK(ps_bytes_text(&out, "", &err));
    walk(root, &out, true);
    TEXT(&out, expected);
    ps_bytes_clear(&out);
}

/* The rows that the log names, files in its order. */
static void logged_are(const char *expected)
{
    ps_filelog_options options;
    ps_file_entries entries = {0};
    ps_filelog *log;
    ps_bytes out = {0};
    char dir[100];

    snprintf(dir, sizeof dir, "%s/out/_spark_metadata", root);
    ps_filelog_configure(&options, PS_FILELOG_SINK, &conf, false);
    OK(ps_filelog_open(ps_fs_local(), ps_clock_system(), dir, &options, &log, &err));
    OK(ps_filelog_all(log, &entries, &err));
    OK(ps_bytes_text(&out, "", &err));
    for (int i = 0; i < entries.n; i++) {
        size_t before = out.n_bytes;
        OK(ps_fs_read_all(ps_fs_local(), entries.items[i].path, &out, &err));
        assert_int_equal(out.n_bytes - before, entries.items[i].n_bytes);
    }
    TEXT(&out, expected);
    ps_bytes_clear(&out);
    ps_file_entries_clear(&entries);
    ps_filelog_close(log);
}

/* --- the file sink of a stream ------------------------------------------------------------------------------------- */

static const setup stream = {.format = "csv"};

static void a_batch_is_written_once(void **state)
{
    (void)state;
    OK(write_one(&stream, 0, "a 1|b 2"));
    OK(write_one(&stream, 0, "x 9")); /* there already */
    OK(write_one(&stream, 1, NULL));  /* no rows: a file all the same */
    OK(write_one(&stream, 2, "c 3"));
    logged_are("a,1\nb,2\nc,3\n");
    layout_is("/out/part-00000-c000.csv /out/part-00000-c000.csv /out/part-00000-c000.csv ");
}

static void a_failed_batch_leaves_nothing_or_unlogged_files(void **state)
{
    static const char *const points[] = {"sink.file.create", "sink.file.write", "sink.file.written", "sink.file.log", "log.files_add"};

    (void)state;
    OK(write_one(&stream, 0, "a 1"));
    for (size_t i = 0; i < PS_COUNT_OF(points); i++) {
        OK(ps_failpoint_arm(points[i], "error", 1, &err));
        FAILS(FAILPOINT, write_one(&stream, 1, "b 2"));
        logged_are("a,1\n");
    }
    OK(ps_failpoint_arm("sink.file.logged", "error", 1, &err)); /* the batch is there */
    FAILS(FAILPOINT, write_one(&stream, 1, "b 2"));
    logged_are("a,1\nb,2\n");
    OK(write_one(&stream, 1, "b 2"));
    logged_are("a,1\nb,2\n");
}

static void a_killed_process_repeats_its_batch(void **state)
{
    static const char *const points[] = {"sink.file.create", "sink.file.write", "sink.file.written", "sink.file.log", "log.files_add", "sink.file.logged"};
    setup s = stream;

    (void)state;
    s.by = "k";
    s.sync = true;
    for (size_t i = 0; i < PS_COUNT_OF(points); i++) {
        char text[40], expected[40];
        int status;
        pid_t child = fork();
        snprintf(text, sizeof text, "a %zu", i);
        if (child == 0) {
            if (ps_failpoint_arm(points[i], "exit", 1, &err) == PS_OK)
                write_one(&s, (int64_t)i, text);
            _exit(0);
        }
        waitpid(child, &status, 0);
        assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        OK(write_one(&s, (int64_t)i, text));
        memset(expected, 0, sizeof expected);
        for (size_t j = 0; j <= i; j++)
            snprintf(expected + 2 * j, 3, "%zu\n", j);
        logged_are(expected);
    }
}

static void every_failing_write_is_survived(void **state)
{
    (void)state;
    OK(write_one(&stream, 0, "a 1"));
    for (int64_t nth = 1;; nth++) {
        ps_fs *faulty;
        setup s = {.format = "csv", .by = "k", .sync = true};
        ps_status rc;
        OK(ps_fs_faulty_new(nth, &faulty, &err));
        fs = faulty;
        rc = write_one(&s, 1, "b 2|c 3");
        fs = ps_fs_local();
        ps_fs_free(faulty);
        if (rc == PS_OK)
            break;
        OK(rc == PS_E_IO ? PS_OK : rc);
        assert_true(nth < 100);
    }
    OK(write_one(&stream, 1, "b 2|c 3")); /* whether the last attempt was logged or not */
    logged_are("a,1\n2\n3\n");
}

static void partitions_are_directories(void **state)
{
    setup s = {.format = "csv", .by = "K"};

    (void)state;
    OK(write_one(&s, 0, "a/b=c 1|  2|- 3|sp ace% 4|a/b=c 5|é: 6"));
    layout_is("/out/k= /part-00000.c000.csv /out/k=__HIVE_DEFAULT_PARTITION__/part-00000.c000.csv "
              "/out/k=a%2Fb%3Dc/part-00000.c000.csv /out/k=sp ace%25/part-00000.c000.csv /out/k=é%3A/part-00000.c000.csv ");
    contents_are("2\n3\n1\n5\n4\n6\n");
    OK(write_one(&s, 1, NULL));
    s.by = "x";
    FAILS(PARTITION_COLUMN_MISSING, write_one(&s, 2, NULL));
    HAS("Partition column `x` not found in existing columns (k, n).");
    FAILS(ALL_PARTITION_COLUMNS, ps_sink_check_partitions(schema, (const char *const[]){"n", "k"}, 2, &err));
}

static void many_rows_make_many_files(void **state)
{
    setup s = {.format = "csv", .options = OPTIONS("maxRecordsPerFile", "2", "compression", "gzip")};

    (void)state;
    OK(write_one(&s, 0, "a 1|b 2|c 3|d 4|e 5"));
    layout_is("/out/part-00000-c000.csv.gz /out/part-00000-c001.csv.gz /out/part-00000-c002.csv.gz ");
}

static void a_format_refuses_columns_when_a_batch_begins(void **state)
{
    setup s = {.format = "text"};
    ps_sink *sink;
    bool skip;

    (void)state;
    OK(open_sink(&s, &sink));
    FAILS(TYPE_FOR_SOURCE, sink->vt->begin(sink, 0, &skip, &err) == PS_E_TEXT_COLUMNS ? PS_E_TYPE_FOR_SOURCE : err.code);
    sink->vt->close(sink);
}

/* --- df.write --------------------------------------------------------------------------------------------------------- */

static void save_modes(void **state)
{
    setup s = {.format = "csv", .batch = true};

    (void)state;
    OK(write_one(&s, 0, "a 1"));
    layout_is("/out/_SUCCESS /out/part-00000-c000.csv ");
    FAILS(PATH_EXISTS, write_one(&s, 0, "b 2"));
    HAS("Set mode as \"overwrite\"");
    s.save_mode = "Append";
    OK(write_one(&s, 0, "a 1"));
    contents_are("a,1\na,1\n");
    s.save_mode = "ignore";
    OK(write_one(&s, 0, "b 2"));
    contents_are("a,1\na,1\n");
    s.save_mode = "overwrite";
    OK(write_one(&s, 0, "c 3"));
    contents_are("c,3\n");
    s.save_mode = "sometimes";
    FAILS(SAVE_MODE, write_one(&s, 0, "b 2"));
    s.save_mode = "overwrite";
    s.by = "k";
    OK(ps_failpoint_arm("sink.file.written", "error", 1, &err));
    FAILS(FAILPOINT, write_one(&s, 0, "d 4"));
    contents_are("c,3\n"); /* what was there stays until all is written */
    OK(write_one(&s, 0, "d 4|e 5"));
    layout_is("/out/_SUCCESS /out/k=d/part-00000.c000.csv /out/k=e/part-00000.c000.csv ");
}

static void no_memory_is_an_ordinary_error(void **state)
{
    setup s = {.format = "csv", .by = "k", .batch = true, .save_mode = "overwrite"};
    ps_batch *batch = rows("a 1|b 2");
    ps_sink *sink = NULL;

    (void)state;
    EVERY_ALLOCATION(open_sink(&s, &sink) != PS_OK ? err.code : run_batch(sink, 0, batch), (sink ? sink->vt->close(sink) : (void)0, sink = NULL));
    ps_batch_unref(batch);
    contents_are("1\n2\n");
}

/* --- the others ----------------------------------------------------------------------------------------------------------- */

static ps_status keep_text(void *self, ps_slice text, ps_error *error) { return ps_bytes_append(self, text.data, text.n_bytes, error); }

static void the_console_shows_the_first_rows(void **state)
{
    ps_bytes printed = {0};
    ps_callback callback = {.self = &printed, .print = keep_text};
    setup s = {.format = "console", .callback = &callback};

    (void)state;
    OK(write_one(&s, 0, "ab 1"));
    TEXT(&printed, "-------------------------------------------\nBatch: 0\n-------------------------------------------\n"
                   "+---+---+\n|  k|  n|\n+---+---+\n| ab|  1|\n+---+---+\n\n");
    ps_bytes_reset(&printed);
    s.options = OPTIONS("NUMROWS", "1", "truncate", "false");
    OK(write_one(&s, 1, "ab 1|c 2"));
    assert_non_null(strstr(printed.data, "|ab |1  |\n+---+---+\nonly showing top 1 row\n"));
    s.options = OPTIONS("truncate", "5");
    FAILS(BOOLEAN_TEXT, write_one(&s, 2, "ab 1"));
    s.options = OPTIONS("numRows", "all");
    FAILS(NUMBER_TEXT, write_one(&s, 2, "ab 1"));
    ps_bytes_clear(&printed);
}

static void table_has(ps_memory_table *table, int64_t n)
{
    ps_batches list = {0};

    OK(ps_memory_table_snapshot(table, &list, &err));
    assert_int_equal(list.n_rows, n);
    ps_batches_clear(&list);
}

static void a_memory_table_adds_or_replaces(void **state)
{
    setup s = {.format = "memory", .mode = PS_APPEND};

    (void)state;
    OK(ps_memory_table_new(schema, &s.table, &err));
    OK(write_one(&s, 0, "a 1"));
    OK(write_one(&s, 0, "a 1"));
    table_has(s.table, 1);
    OK(write_one(&s, 1, "b 2|c 3"));
    table_has(s.table, 3);
    s.mode = PS_COMPLETE;
    OK(write_one(&s, 2, "b 2|c 3"));
    table_has(s.table, 2);
    ps_memory_table_unref(s.table);
}

typedef struct calls { ps_bytes text; const char *fails; } calls;
static ps_status rows_open(void *self, int64_t batch_id, ps_error *error)
{
    calls *c = self;
    PS_TRY(ps_bytes_printf(&c->text, error, "open%d ", (int)batch_id));
    return strcmp(c->fails, "open") == 0 ? ps_raise(error, PS_E_PYTHON, "open") : PS_OK;
}
static ps_status rows_take(void *self, ps_batch *batch, ps_error *error)
{
    calls *c = self;
    PS_TRY(ps_bytes_printf(&c->text, error, "rows%d ", (int)batch->n_sel));
    return strcmp(c->fails, "rows") == 0 ? ps_raise(error, PS_E_PYTHON, "rows") : PS_OK;
}
static ps_status rows_close(void *self, bool failed, ps_error *error)
{
    calls *c = self;
    PS_TRY(ps_bytes_printf(&c->text, error, "close%d ", failed));
    return strcmp(c->fails, "close") == 0 ? ps_raise(error, PS_E_PYTHON, "close") : PS_OK;
}

static void foreach_closes_what_it_opened(void **state)
{
    static const struct { const char *fails, *calls; } cases[] = {
        {"", "open3 rows2 close0 "}, {"open", "open3 "}, {"rows", "open3 rows2 close1 "}, {"close", "open3 rows2 close0 "}};

    (void)state;
    for (size_t i = 0; i < PS_COUNT_OF(cases); i++) {
        calls c = {.fails = cases[i].fails};
        ps_callback callback = {.self = &c, .rows_open = rows_open, .rows = rows_take, .rows_close = rows_close};
        setup s = {.format = "foreach", .callback = &callback};
        ps_status rc = write_one(&s, 3, "a 1|b 2");
        assert_int_equal(rc, i == 0 ? PS_OK : PS_E_PYTHON);
        TEXT(&c.text, cases[i].calls);
        ps_bytes_clear(&c.text);
    }
}

static void modes_and_rows_of_the_table(void **state)
{
    ps_mode mode;

    (void)state;
    assert_true(ps_mode_parse("Complete", &mode));
    assert_int_equal(mode, PS_COMPLETE);
    assert_false(ps_mode_parse("", &mode));
    assert_null(ps_sink_find(ps_slice_of("nothing")));
    assert_false(ps_sink_find(ps_slice_of("rate"))->streaming);
    assert_int_equal(ps_sink_find(ps_slice_of("JSON"))->modes, 1u << PS_APPEND);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_root, remove_root)
    const struct CMUnitTest tests[] = {
        TEST(a_batch_is_written_once), TEST(a_failed_batch_leaves_nothing_or_unlogged_files), TEST(a_killed_process_repeats_its_batch),
        TEST(every_failing_write_is_survived), TEST(partitions_are_directories), TEST(many_rows_make_many_files),
        TEST(a_format_refuses_columns_when_a_batch_begins), TEST(save_modes), TEST(no_memory_is_an_ordinary_error),
        TEST(the_console_shows_the_first_rows), TEST(a_memory_table_adds_or_replaces), TEST(foreach_closes_what_it_opened),
        TEST(modes_and_rows_of_the_table)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
