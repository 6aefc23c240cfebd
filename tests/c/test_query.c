/*
 * tests/c/test_query.c - a whole stateful query against failing memory, failing files and every failpoint.
 *
 * The query counts words in windows and appends what the watermark closes.  Rows come in rounds; each round is a run of its
 * own over the same checkpoint, broken off and started again as often as the fault strikes.  Whatever happened, the
 * batches that reached the sink, the last one of each id, must hold what an undisturbed query gives.
 */
#include "base/failpoint.h"
#include "col/text.h"
#include "col/type_text.h"
#include "query/batch_run.h"
#include "query/query.h"
#include "unit.h"
#include <stdlib.h>
#include <unistd.h>

#define MAX_BATCHES 64
#define N_ROUNDS 5

typedef struct world {
    ps_session *session;
    ps_memory_feed *feed;
    ps_node *plan;
    char dir[64];
    ps_mode mode;
    char *batches[MAX_BATCHES]; /* by id: the rows it gave, a line each */
} world;

/* --- the program -------------------------------------------------------------------------------------------- */

static ps_expr *call_of(const char *name, ps_expr *a, ps_expr *b)
{
    ps_expr *args[2] = {a, b}, *out = NULL;

    OK(ps_expr_call(name, args, b ? 2 : 1, &out, &err));
    ps_expr_unref(a);
    ps_expr_unref(b);
    return out;
}

static ps_expr *name_of(const char *name)
{
    ps_expr *out = NULL;
    OK(ps_expr_name_text(ps_slice_of(name), &out, &err));
    return out;
}

static ps_node *over(ps_node *input, const char *kind, const ps_arg *items, int n)
{
    static ps_conf conf;
    ps_args args = {items, n, &conf};
    ps_node *out = NULL;

    OK(ps_node_make(kind, input ? &input : NULL, input != NULL, &args, &out, &err));
    ps_node_unref(input);
    return out;
}

static ps_node *make_plan(ps_memory_feed *feed)
{
    static ps_conf conf;
    static ps_options none;
    const char *column = "ts", *delay = "10 seconds";
    ps_source_request request = {.format = "pystream-memory", .options = &none, .conf = &conf, .streaming = true, .fs = ps_fs_local(), .clock = ps_clock_system(), .object = feed};
    ps_source_info *info = NULL;
    ps_expr *width = NULL, *keys[2], *results[2];
    ps_node *node;

    OK(ps_source_describe(&request, &info, &err));
    node = over(NULL, "source", &(ps_arg){.name = "source", .kind = PS_A_SOURCE, .source = info}, 1);
    ps_source_info_unref(info);
    node = over(node, "watermark", (ps_arg[]){{.name = "column", .kind = PS_A_TEXTS, .texts = &column, .n = 1}, {.name = "delay", .kind = PS_A_TEXTS, .texts = &delay, .n = 1}}, 2);
    OK(ps_expr_literal_text(ps_slice_of("5 seconds"), &width, &err));
    keys[0] = call_of("window", name_of("ts"), width);
    keys[1] = name_of("word");
    results[0] = call_of("sum", name_of("n"), NULL);
    results[1] = call_of("max", name_of("word"), NULL); /* longer words live in the state's heap */
    node = over(node, "aggregate", (ps_arg[]){{.name = "grouping", .kind = PS_A_EXPRS, .exprs = keys, .n = 2}, {.name = "aggregates", .kind = PS_A_EXPRS, .exprs = results, .n = 2}}, 2);
    for (int i = 0; i < 2; i++) {
        ps_expr_unref(keys[i]);
        ps_expr_unref(results[i]);
    }
    return node;
}

static void add_rows(world *w, int64_t second, int n)
{
    ps_builder *b[3];
    ps_batch *batch = NULL;
    int64_t offset;
    static const ps_kind kinds[3] = {PS_TIMESTAMP, PS_STRING, PS_INT32};

    for (int c = 0; c < 3; c++)
        OK(ps_build_new(ps_type_of(kinds[c]), n, &b[c], &err));
    for (int i = 0; i < n; i++) {
        const char *word = i % 3 ? "ant" : "a word of more than sixteen bytes";

        OK(ps_build_int(b[0], (second + i * 2) * PS_US_SECOND, &err));
        OK(ps_build_text(b[1], word, strlen(word), &err));
        OK(ps_build_int(b[2], i, &err));
    }
    OK(ps_batch_new(3, n, &batch, &err));
    for (int c = 0; c < 3; c++) {
        OK(ps_build_finish(b[c], &batch->cols[c], &err));
        ps_build_free(b[c]);
    }
    OK(ps_memory_feed_add(w->feed, batch, &offset, &err));
    ps_batch_unref(batch);
}

static void add_round(world *w, int round)
{
    add_rows(w, round < N_ROUNDS - 2 ? round * 10 : round == N_ROUNDS - 2 ? 1000 : 2000, round < N_ROUNDS - 2 ? 9 : 1);
}

/* --- the sink -------------------------------------------------------------------------------------------------- */

static ps_status text_of_batch(const ps_batch *batch, ps_bytes *out, ps_error *e)
{
    for (int64_t row = 0; row < batch->n_sel; row++) {
        for (int c = 0; c < batch->n_cols; c++) {
            PS_TRY(ps_bytes_char(out, '|', e));
            PS_TRY(ps_text_of_value(batch->cols[c], row, ps_zone_utc(), out, e));
        }
        PS_TRY(ps_bytes_char(out, '\n', e));
    }
    return PS_OK;
}

static ps_status take_batch(void *self, int64_t batch_id, struct ps_batch_run *run, ps_error *e)
{
    world *w = self;
    ps_batches rows = {0};
    ps_node *node = NULL;
    ps_bytes text = {0};
    ps_status rc;

    PS_TRY(ps_batch_run_node(run, &node, e));
    rc = ps_session_collect(ps_batch_run_session(run), node, NULL, &rows, e);
    for (int i = 0; rc == PS_OK && i < rows.n; i++)
        rc = text_of_batch(rows.items[i], &text, e);
    if (rc == PS_OK && batch_id < MAX_BATCHES) {
        free(w->batches[batch_id]);
        w->batches[batch_id] = strdup(text.data ? text.data : "");
    }
    ps_bytes_clear(&text);
    ps_batches_clear(&rows);
    ps_node_unref(node);
    return rc;
}

/* One run over what there is.  False when the fault struck. */
static bool run_once(world *w)
{
    ps_callback callback = {.self = w, .batch = take_batch};
    ps_options options = {0};
    ps_query *query = NULL;
    ps_error e;
    bool ok;

    ps_status rc = ps_options_set(&options, "checkpointLocation", w->dir, &e);
    ps_query_request request = {.node = w->plan, .format = "foreachbatch", .mode = ps_mode_name(w->mode), .options = &options,
                                .trigger = {PS_TRIGGER_AVAILABLE_NOW, 0}, .callback = &callback};
    ok = rc == PS_OK && ps_query_start(w->session, &request, &query, &e) == PS_OK;
    if (ok) {
        ps_query_run(query);
        ok = !ps_query_error(query, &e);
    }
    ps_query_unref(query);
    ps_options_clear(&options);
    return ok;
}

/* --- the world ---------------------------------------------------------------------------------------------------- */

static void open_world(world *w, ps_mode mode)
{
    const ps_type *schema = NULL;

    memset(w, 0, sizeof *w);
    w->mode = mode;
    strcpy(w->dir, "/tmp/pystream-query-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    OK(ps_session_new(&w->session, &err));
    OK(ps_session_conf_set(w->session, "spark.sql.session.timeZone", "UTC", &err));
    OK(ps_session_conf_set(w->session, "pystream.checkpoint.sync", "false", &err));
    OK(ps_session_conf_set(w->session, "pystream.workers", "1", &err));
    OK(ps_schema_parse(ps_slice_of("ts timestamp, word string, n int"), &schema, &err));
    OK(ps_memory_feed_new(schema, &w->feed, &err));
    ps_type_unref(schema);
    w->plan = make_plan(w->feed);
}

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* Update mode tells a group several times: only its last row counts, so rows are kept by everything but the last columns. */
static char *close_world(world *w)
{
    char *lines[4096];
    ps_bytes all = {0};
    int n = 0;

    for (int i = 0; i < MAX_BATCHES; i++)
        for (char *line = w->batches[i] ? strtok(w->batches[i], "\n") : NULL; line && n < 4096; line = strtok(NULL, "\n"))
            lines[n++] = line;
    if (w->mode == PS_APPEND)
        qsort(lines, (size_t)n, sizeof *lines, by_text);
    for (int i = 0; i < n; i++) {
        size_t key = strcspn(lines[i], "}");
        bool again = false;

        key += strcspn(lines[i] + key + 2, "|") + 2; /* behind the word */
        for (int k = i + 1; w->mode == PS_UPDATE && k < n; k++)
            again = again || strncmp(lines[i], lines[k], key) == 0;
        if (!again)
            OK(ps_bytes_printf(&all, &err, "%s\n", lines[i]));
    }
    for (int i = 0; i < MAX_BATCHES; i++)
        free(w->batches[i]);
    ps_node_unref(w->plan);
    ps_memory_feed_unref(w->feed);
    ps_session_unref(w->session);
    OK(ps_fs_remove_tree(ps_fs_local(), w->dir, &err));
    return ps_bytes_take(&all);
}

static char *undisturbed(ps_mode mode)
{
    world w;

    open_world(&w, mode);
    for (int round = 0; round < N_ROUNDS; round++) {
        add_round(&w, round);
        assert_true(run_once(&w));
    }
    return close_world(&w);
}

/* --- faults --------------------------------------------------------------------------------------------------------- */

static void every_failpoint(void **state)
{
    static const char *const names[] = {"batch.planned", "batch.logged", "batch.purged", "batch.sink", "batch.state", "batch.committed",
                                        "log.offsets_add", "log.commits_add", "state.delta_written", "state.meta_written"};
    static const ps_mode modes[] = {PS_APPEND, PS_UPDATE};

    (void)state;
    for (size_t m = 0; m < 2; m++) {
        char *expected = undisturbed(modes[m]), *got;

        for (size_t i = 0; i < PS_COUNT_OF(names); i++)
            for (int nth = 1; nth <= 2; nth++) {
                world w;

                open_world(&w, modes[m]);
                for (int round = 0; round < N_ROUNDS; round++) {
                    add_round(&w, round);
                    if (round < N_ROUNDS - 1) {
                        OK(ps_failpoint_arm(names[i], "error", nth, &err));
                        run_once(&w);
                        ps_failpoint_disarm_all();
                    }
                    assert_true(run_once(&w));
                }
                got = close_world(&w);
                if (strcmp(got, expected) != 0)
                    fail_msg("%s, passage %d, %s: got\n%swant\n%s", names[i], nth, ps_mode_name(modes[m]), got, expected);
                ps_free(got);
            }
        ps_free(expected);
    }
}

/* The nth allocation of a round fails, for ever larger n, until a round gets by without. */
static void every_allocation(void **state)
{
    char *expected = undisturbed(PS_APPEND), *got;
    bool struck = true;

    (void)state;
    for (int64_t nth = 1; struck; nth += 1 + nth / 40) {
        world w;

        open_world(&w, PS_APPEND);
        struck = false;
        for (int round = 0; round < N_ROUNDS; round++) {
            add_round(&w, round);
            if (round < N_ROUNDS - 1) {
                ps_mem_fail_at(nth);
                struck = !run_once(&w) || struck;
                ps_mem_fail_at(0);
            }
            assert_true(run_once(&w));
        }
        got = close_world(&w);
        if (strcmp(got, expected) != 0)
            fail_msg("allocation %lld failed: got\n%swant\n%s", (long long)nth, got, expected);
        ps_free(got);
    }
    ps_free(expected);
}

/* The nth change to a file fails, and all later ones of that run. */
static void every_write(void **state)
{
    char *expected = undisturbed(PS_APPEND), *got;
    bool struck = true;

    (void)state;
    for (int64_t nth = 1; struck; nth++) {
        world w;

        open_world(&w, PS_APPEND);
        struck = false;
        for (int round = 0; round < N_ROUNDS; round++) {
            ps_fs *faulty = NULL;

            add_round(&w, round);
            if (round < N_ROUNDS - 1) {
                OK(ps_fs_faulty_new(nth, &faulty, &err));
                ps_session_set_fs(w.session, faulty);
                struck = !run_once(&w) || struck;
                ps_session_set_fs(w.session, ps_fs_local());
                ps_fs_free(faulty);
            }
            assert_true(run_once(&w));
        }
        got = close_world(&w);
        if (strcmp(got, expected) != 0)
            fail_msg("write %lld failed: got\n%swant\n%s", (long long)nth, got, expected);
        ps_free(got);
    }
    ps_free(expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_failpoint),
        cmocka_unit_test(every_allocation),
        cmocka_unit_test(every_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
