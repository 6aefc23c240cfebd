/*
 * tests/c/test_aggregate.c - grouping as an operator: bounded, with several workers, and over micro-batches with state.
 */
#include "unit.h"
#include "col/build.h"
#include "col/text.h"
#include "op/aggregate_int.h"
#include "op/op.h"
#include "op/project.h"
#include <stdlib.h>

/* --- relations and expressions ------------------------------------------------------------------------------------ */

static ps_expr *name(const char *text)
{
    ps_expr *expr;

    OK(ps_expr_name(&text, 1, &expr, &err));
    return expr;
}

static ps_expr *call(const char *fn, ps_expr *arg, const char *alias)
{
    ps_expr *expr, *named;

    OK(ps_expr_call(fn, &arg, arg ? 1 : 0, &expr, &err));
    ps_expr_unref(arg);
    if (alias == NULL)
        return expr;
    OK(ps_expr_alias(expr, &alias, 1, NULL, &named, &err));
    ps_expr_unref(expr);
    return named;
}

static ps_expr *count_all(void)
{
    ps_expr *star, *one = NULL;

    OK(ps_expr_literal_int(1, PS_INT32, &one, &err));
    star = call("count", one, "count");
    return star;
}

/* Rows (t seconds, k text, v bigint); k "" is NULL, v INT64_MIN is NULL. */
typedef struct row { int64_t t; const char *k; int64_t v; } row;

static const ps_type *row_type(void)
{
    ps_field fields[3] = {{(char *)"t", ps_type_of(PS_TIMESTAMP), true, NULL}, {(char *)"k", ps_type_of(PS_STRING), true, NULL},
                          {(char *)"v", ps_type_of(PS_INT64), true, NULL}};
    const ps_type *type;

    OK(ps_type_struct(fields, 3, &type, &err));
    return type;
}

static ps_batch *rows_batch(const row *rows, int64_t n)
{
    const ps_type *type = row_type();
    ps_builder *b[3];
    ps_batch *batch;

    OK(ps_batch_new(3, n, &batch, &err));
    for (int c = 0; c < 3; c++)
        OK(ps_build_new(type->fields[c].type, n, &b[c], &err));
    for (int64_t i = 0; i < n; i++) {
        OK(ps_build_int(b[0], rows[i].t * 1000000, &err));
        OK(*rows[i].k ? ps_build_text(b[1], rows[i].k, strlen(rows[i].k), &err) : ps_build_null(b[1], &err));
        OK(rows[i].v == INT64_MIN ? ps_build_null(b[2], &err) : ps_build_int(b[2], rows[i].v, &err));
    }
    for (int c = 0; c < 3; c++) {
        OK(ps_build_finish(b[c], &batch->cols[c], &err));
        ps_build_free(b[c]);
    }
    ps_type_unref(type);
    return batch;
}

static ps_conf conf;

/* A local relation; streaming or not, its t marked as event time when asked. */
static ps_node *relation(ps_batches *batches, bool streaming, bool marked)
{
    const ps_type *type = row_type();
    ps_arg items[2] = {{.name = "type", .kind = PS_A_TYPE, .type = type}, {.name = "batches", .kind = PS_A_BATCHES, .batches = batches}};
    ps_args args = {items, 2, &conf};
    ps_node *node;

    OK(ps_node_make("local", NULL, 0, &args, &node, &err));
    node->streaming = streaming;
    if (marked)
        node->out.items[0].watermark_ms = 0;
    ps_type_unref(type);
    return node;
}

/* Takes input and expressions. */
static ps_node *aggregate(ps_node *input, ps_expr **grouping, int n_grouping, ps_expr **results, int n_results)
{
    ps_arg items[2] = {{.name = "grouping", .kind = PS_A_EXPRS, .exprs = grouping, .n = n_grouping},
                       {.name = "aggregates", .kind = PS_A_EXPRS, .exprs = results, .n = n_results}};
    ps_args args = {items, 2, &conf};
    ps_node *node;

    OK(ps_node_make("aggregate", &input, 1, &args, &node, &err));
    ps_node_unref(input);
    for (int i = 0; i < n_grouping; i++)
        ps_expr_unref(grouping[i]);
    for (int i = 0; i < n_results; i++)
        ps_expr_unref(results[i]);
    return node;
}

/* --- running ---------------------------------------------------------------------------------------------------------- */

typedef struct world {
    ps_run run;
    ps_node *node;
    ps_op *root, *op; /* the tree, and the aggregation in it */
    ps_collector end;
    ps_bytes out;     /* rows as text, a line each, sorted */
} world;

static int compare_lines(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static ps_status write_rows(void *self, ps_batch *batch, ps_error *e)
{
    world *w = self;
    ps_rows rows = ps_batch_live(batch);

    for (int64_t j = 0; j < rows.n; j++) {
        for (int c = 0; c < batch->n_cols; c++) {
            if (c)
                PS_TRY(ps_bytes_char(&w->out, ' ', e));
            if (ps_vec_is_null(batch->cols[c], ps_row(&rows, j)))
                PS_TRY(ps_bytes_text(&w->out, "NULL", e));
            else
                PS_TRY(ps_text_of_value(batch->cols[c], ps_row(&rows, j), ps_zone_utc(), &w->out, e));
        }
        PS_TRY(ps_bytes_char(&w->out, '\n', e));
    }
    return PS_OK;
}

static void sort_lines(ps_bytes *text)
{
    char *lines[64], *copy = text->data ? strdup(text->data) : strdup("");
    int n = 0;

    for (char *line = strtok(copy, "\n"); line; line = strtok(NULL, "\n"))
        lines[n++] = line;
    qsort(lines, (size_t)n, sizeof *lines, compare_lines);
    ps_bytes_reset(text);
    OK(ps_bytes_text(text, "", &err));
    for (int i = 0; i < n; i++)
        OK(ps_bytes_printf(text, &err, "%s%s", i ? "\n" : "", lines[i]));
    free(copy);
}

static void world_open(world *w, ps_node *node, bool streaming, ps_mode mode, const char *state_dir)
{
    memset(w, 0, sizeof *w);
    w->run = (ps_run){.conf = &conf, .fs = ps_fs_local(), .clock = ps_clock_system(), .n_workers = 2, .streaming = streaming, .mode = mode, .state_dir = state_dir};
    OK(ps_plan_env(&conf, &w->run.env, &err));
    w->node = node;
    OK(ps_op_open(node, &w->run, &w->root, &err));
    for (w->op = w->root; strcmp(w->op->node->row->kind, "aggregate") != 0; w->op = w->op->inputs[0]) {
    }
    w->op->state_id = 0;
    ps_collector_init(&w->end, &w->run, write_rows, w);
    w->root->next = &w->end.op;
}

static void world_close(world *w)
{
    ps_op_close(w->root);
    ps_node_unref(w->node);
    ps_bytes_clear(&w->out);
}

static const char *drive(world *w)
{
    ps_bytes_reset(&w->out);
    OK(ps_op_begin(w->root, &err));
    OK(ps_op_drive(w->root, &err));
    sort_lines(&w->out);
    return w->out.data;
}

/* One micro-batch of these rows, pushed into the aggregation itself. */
static const char *micro_batch(world *w, const row *rows, int64_t n, int64_t late_ms, int64_t evict_ms)
{
    ps_batch *batch = rows_batch(rows, n);

    w->op->late_ms = late_ms;
    w->op->evict_ms = evict_ms;
    ps_bytes_reset(&w->out);
    OK(ps_op_begin(w->root, &err));
    if (n > 0)
        OK(w->op->vt->push(w->op, 0, batch, &err));
    OK(w->op->vt->finish(w->op, 0, &err));
    ps_batch_unref(batch);
    sort_lines(&w->out);
    return w->out.data;
}

/* --- tests ---------------------------------------------------------------------------------------------------------------- */

static const row some_rows[] = {{10, "a", 1}, {11, "b", INT64_MIN}, {12, "a", 3}, {13, "", 7}, {14, "b", 2}, {15, "", INT64_MIN}};

static void test_grouped(void **state)
{
    ps_batches batches = {0};
    ps_batch *batch = rows_batch(some_rows, PS_COUNT_OF(some_rows));
    ps_expr *keys[1] = {name("k")}, *results[6] = {count_all(), call("count", name("v"), NULL), call("sum", name("v"), NULL),
                                                   call("avg", name("v"), NULL), call("max", name("v"), "top"), call("min", name("k"), NULL)};
    world w;

    PS_UNUSED(state);
    OK(ps_batches_add(&batches, batch, &err));
    world_open(&w, aggregate(relation(&batches, false, false), keys, 1, results, 6), false, PS_COMPLETE, NULL);
    assert_string_equal(w.node->out.items[0].name, "k");
    assert_string_equal(w.node->out.items[2].name, "count(v)");
    assert_string_equal(w.node->out.items[5].name, "top");
    assert_false(w.node->out.items[1].nullable);
    assert_string_equal(drive(&w), "NULL 2 1 7 7.0 7 NULL\na 2 2 4 2.0 3 a\nb 2 1 2 2.0 2 b");
    assert_string_equal(drive(&w), "NULL 2 1 7 7.0 7 NULL\na 2 2 4 2.0 3 a\nb 2 1 2 2.0 2 b"); /* a run starts afresh */
    world_close(&w);
    ps_batches_clear(&batches);
    ps_batch_unref(batch);
}

/* No keys: one row, also of nothing.  Expressions over aggregates become a projection. */
static void test_global(void **state)
{
    ps_batches batches = {0};
    ps_expr *sum = call("sum", name("v"), NULL), *count = call("count", name("v"), NULL), *args[2] = {sum, count}, *results[2];
    world w;

    PS_UNUSED(state);
    OK(ps_expr_call("+", args, 2, &results[0], &err));
    ps_expr_unref(sum);
    ps_expr_unref(count);
    results[1] = count_all();
    world_open(&w, aggregate(relation(&batches, false, false), NULL, 0, results, 2), false, PS_COMPLETE, NULL);
    assert_string_equal(drive(&w), "NULL 0");
    world_close(&w);
    ps_batches_clear(&batches);
}

/* Partial tables of two workers give what one gives. */
static void test_workers(void **state)
{
    ps_batches batches = {0};
    ps_batch *batch = rows_batch(some_rows, PS_COUNT_OF(some_rows));
    ps_expr *keys[1] = {name("k")}, *results[2] = {call("sum", name("v"), NULL), call("max", name("k"), NULL)};
    ps_aggregate_partial *partial;
    world w;

    PS_UNUSED(state);
    world_open(&w, aggregate(relation(&batches, false, false), keys, 1, results, 2), false, PS_COMPLETE, NULL);
    assert_true(ps_aggregate_allows_partials(w.op));
    OK(ps_op_begin(w.root, &err));
    for (int worker = 0; worker < 3; worker++) {
        OK(ps_aggregate_partial_get(w.op, worker, &partial, &err));
        OK(ps_aggregate_partial_push(partial, batch, &err));
    }
    OK(w.op->vt->finish(w.op, 0, &err));
    sort_lines(&w.out);
    TEXT(&w.out, "NULL 21 NULL\na 12 a\nb 6 b");
    world_close(&w);
    ps_batch_unref(batch);
}

static ps_status count_written(void *self, ps_batch *batch, ps_error *e)
{
    PS_UNUSED(e);
    *(int64_t *)self += batch->n_sel;
    return PS_OK;
}

/* So many groups that workers merge them side by side; keys of several workers count once, late ones too. */
static void test_many_groups(void **state)
{
    enum { N = 20000 };
    row *rows = calloc(N, sizeof *rows);
    int64_t n_rows = 0;
    ps_state_metrics metrics;

    PS_UNUSED(state);
    for (int streams = 0; streams < 2; streams++) {
        ps_batches batches = {0};
        ps_expr *keys[2] = {name("t"), name("k")}, *results[2] = {count_all(), call("max", name("k"), NULL)};
        world w;
        world_open(&w, aggregate(relation(&batches, streams, streams), keys, 2, results, 2), streams, PS_UPDATE, NULL);
        ps_collector_init(&w.end, &w.run, count_written, &n_rows);
        n_rows = 0;
        w.root->next = &w.end.op;
        w.op->late_ms = 100 * 1000;
        OK(ps_op_begin(w.root, &err));
        for (int worker = 0; worker < 3; worker++) {
            ps_aggregate_partial *partial;
            ps_batch *batch;
            for (int i = 0; i < N; i++) /* half of the keys are those of the worker before */
                rows[i] = (row){(i + worker * N / 2), i % 2 ? "some text that does not fit a cell" : "a", i};
            batch = rows_batch(rows, N);
            OK(ps_aggregate_partial_get(w.op, worker, &partial, &err));
            OK(ps_aggregate_partial_push(partial, batch, &err));
            ps_batch_unref(batch);
        }
        OK(w.op->vt->finish(w.op, 0, &err));
        assert_int_equal(n_rows, streams ? 2 * N - 101 : 2 * N);
        w.op->vt->metrics(w.op, &metrics);
        assert_int_equal(metrics.n_rows_dropped, streams ? 101 : 0);
        assert_int_equal(metrics.n_rows_updated, streams ? 2 * N - 101 : 0);
        world_close(&w);
    }
    free(rows);
}

typedef struct written { int64_t n_rows, sum, values; } written;

/* Rows of (t, k, count, max(k), sum(v)). */
static ps_status add_written(void *self, ps_batch *batch, ps_error *e)
{
    written *to = self;
    ps_view count, sum, time;

    PS_UNUSED(e);
    ps_view_init(&count, batch->cols[2]);
    ps_view_init(&sum, batch->cols[4]);
    ps_view_init(&time, batch->cols[0]);
    to->n_rows += batch->n_rows;
    for (int64_t j = 0; j < batch->n_rows; j++) {
        to->sum += ((const int64_t *)count.data)[ps_at(&count, j)];
        assert_true(ps_vec_equal_rows(batch->cols[1], j, batch->cols[3], j));
        assert_int_equal(ps_view_is_null(&sum, j), ((const int64_t *)time.data)[ps_at(&time, j)] / 1000000 % 5 == 0);
        to->values += ps_view_is_null(&sum, j) ? 0 : ((const int64_t *)sum.data)[ps_at(&sum, j)];
    }
    return PS_OK;
}

#define LATE 100 /* seconds */

/* Returns the sum of what is not late and not NULL. */
static int64_t push_times(world *w, int worker, row *rows, int first, int n)
{
    ps_aggregate_partial *partial;
    ps_batch *batch;
    int64_t sum = 0;

    for (int i = 0; i < n; i++) {
        rows[i] = (row){first + i, (first + i) % 2 ? "some text that does not fit a cell" : "a", i % 5 ? i : INT64_MIN};
        sum += i % 5 && first + i > LATE ? i : 0;
    }
    batch = rows_batch(rows, n);
    OK(ps_aggregate_partial_get(w->op, worker, &partial, &err));
    OK(ps_aggregate_partial_push(partial, batch, &err));
    ps_batch_unref(batch);
    return sum;
}

/* Rows that grouping has not made fewer go straight into the state: with the groups of other workers and with late rows the
 * result is the same, and so is what a new engine finds. */
static void check_straight_into_state(void)
{
    enum { N = 20000 };
    char dir[] = "/tmp/test_aggregate.XXXXXX";
    row *rows = calloc(N, sizeof *rows);
    written got;
    int64_t sum;
    ps_state_metrics metrics;

    assert_non_null(mkdtemp(dir));
    for (int start = 0; start < 2; start++) {
        ps_batches batches = {0};
        ps_expr *keys[2] = {name("t"), name("k")}, *results[3] = {count_all(), call("max", name("k"), NULL), call("sum", name("v"), NULL)};
        world w;
        world_open(&w, aggregate(relation(&batches, true, true), keys, 2, results, 3), true, PS_UPDATE, dir);
        ps_collector_init(&w.end, &w.run, add_written, &got);
        w.root->next = &w.end.op;
        OK(w.op->vt->restore(w.op, start, &err));
        w.op->vt->metrics(w.op, &metrics);
        assert_int_equal(metrics.n_rows_total, start * (N + 50 - 101));
        w.op->late_ms = LATE * 1000;
        got = (written){0};
        OK(ps_op_begin(w.root, &err));
        sum = push_times(&w, 0, rows, 0, N);
        sum += push_times(&w, 0, rows, 50, N); /* straight on, but for those that are late */
        sum += push_times(&w, 1, rows, 50, N);
        sum += push_times(&w, 1, rows, 50, N);
        OK(w.op->vt->finish(w.op, 0, &err));
        assert_int_equal(got.n_rows, N + 50 - 101);
        assert_int_equal(got.sum, (start + 1) * (4 * (N - 101) + 3 * 50));
        assert_int_equal(got.values, (start + 1) * sum);
        w.op->vt->metrics(w.op, &metrics);
        assert_int_equal(metrics.n_rows_dropped, 101);
        assert_int_equal(metrics.n_rows_updated, N + 50 - 101);
        OK(w.op->vt->commit(w.op, start + 1, &err));
        world_close(&w);
    }
    OK(ps_fs_remove_tree(ps_fs_local(), dir, &err));
    free(rows);
}

static void test_straight_into_state(void **state)
{
    size_t most = psi_most_waiting;

    PS_UNUSED(state);
    check_straight_into_state();
    psi_most_waiting = 1000; /* they do not wait for the end */
    check_straight_into_state();
    psi_most_waiting = most;
}

static void test_missing_aggregation(void **state)
{
    ps_batches batches = {0};
    ps_node *input = relation(&batches, false, false), *node = NULL;
    ps_expr *keys[1] = {name("k")}, *results[1] = {name("v")};
    ps_arg items[2] = {{.name = "grouping", .kind = PS_A_EXPRS, .exprs = keys, .n = 1}, {.name = "aggregates", .kind = PS_A_EXPRS, .exprs = results, .n = 1}};
    ps_args args = {items, 2, &conf};

    PS_UNUSED(state);
    FAILS(MISSING_AGGREGATION, ps_node_make("aggregate", &input, 1, &args, &node, &err));
    HAS("\"v\"");
    items[0].n = 0;
    FAILS(MISSING_GROUP_BY, ps_node_make("aggregate", &input, 1, &args, &node, &err));
    ps_expr_unref(keys[0]);
    ps_expr_unref(results[0]);
    ps_node_unref(input);
}

static ps_node *counts_by(const char *a, const char *b, bool marked)
{
    ps_batches batches = {0};
    ps_expr *keys[2] = {name(a), b ? name(b) : NULL}, *results[2] = {count_all(), call("max", name("k"), NULL)};

    return aggregate(relation(&batches, true, marked), keys, b ? 2 : 1, results, 2);
}

static void test_update_and_complete(void **state)
{
    static const row more[] = {{20, "b", 1}, {21, "a long key that no cell holds", 1}};
    ps_state_metrics metrics;
    world w;

    PS_UNUSED(state);
    world_open(&w, counts_by("k", NULL, false), true, PS_UPDATE, NULL);
    OK(w.op->vt->restore(w.op, 0, &err));
    assert_string_equal(micro_batch(&w, some_rows, 6, 0, 0), "NULL 2 NULL\na 2 a\nb 2 b");
    OK(w.op->vt->commit(w.op, 1, &err));
    assert_string_equal(micro_batch(&w, more, 2, 0, 0), "a long key that no cell holds 1 a long key that no cell holds\nb 3 b");
    w.op->vt->metrics(w.op, &metrics);
    assert_int_equal(metrics.n_rows_total, 4);
    assert_int_equal(metrics.n_rows_updated, 2);
    OK(w.op->vt->commit(w.op, 2, &err));
    assert_string_equal(micro_batch(&w, more, 0, 0, 0), "");
    assert_true(w.op->vt->wants_no_data(w.op, 1));
    world_close(&w);

    world_open(&w, counts_by("k", NULL, false), true, PS_COMPLETE, NULL);
    OK(w.op->vt->restore(w.op, 0, &err));
    micro_batch(&w, some_rows, 6, 0, 0);
    assert_string_equal(micro_batch(&w, more, 1, 0, 0), "NULL 2 NULL\na 2 a\nb 3 b");
    assert_false(w.op->vt->wants_no_data(w.op, 1));
    world_close(&w);
}

/* A group leaves when the watermark has reached its time; one that is late is dropped, once per key. */
static void test_append(void **state)
{
    static const row first[] = {{10, "a", 1}, {10, "a", 1}, {11, "a", 1}, {12, "b", 1}}, late[] = {{11, "a", 1}, {11, "a", 1}, {13, "c", 1}};
    ps_state_metrics metrics;
    world w;

    PS_UNUSED(state);
    world_open(&w, counts_by("t", "k", true), true, PS_APPEND, NULL);
    OK(w.op->vt->restore(w.op, 0, &err));
    assert_string_equal(micro_batch(&w, first, 4, 0, 0), "");
    OK(w.op->vt->commit(w.op, 1, &err));
    assert_string_equal(micro_batch(&w, first, 0, 0, 11000), "1970-01-01 00:00:10 a 2 a\n1970-01-01 00:00:11 a 1 a");
    w.op->vt->metrics(w.op, &metrics);
    assert_int_equal(metrics.n_rows_removed, 2);
    assert_int_equal(metrics.n_rows_total, 1);
    OK(w.op->vt->commit(w.op, 2, &err));
    assert_string_equal(micro_batch(&w, late, 3, 11000, 12000), "1970-01-01 00:00:12 b 1 b");
    w.op->vt->metrics(w.op, &metrics);
    assert_int_equal(metrics.n_rows_dropped, 1);
    assert_int_equal(metrics.n_rows_updated, 1);
    world_close(&w);

    world_open(&w, counts_by("k", NULL, false), true, PS_APPEND, NULL);
    OK(w.op->vt->restore(w.op, 0, &err));
    FAILS(STREAM_WITHOUT_WATERMARK, ps_op_begin(w.root, &err));
    world_close(&w);
}

/* A new engine on the same directory goes on where the last commit was; a batch without one never happened. */
static void test_restart(void **state)
{
    char dir[] = "/tmp/test_aggregate.XXXXXX";
    world w;

    PS_UNUSED(state);
    assert_non_null(mkdtemp(dir));
    world_open(&w, counts_by("k", NULL, false), true, PS_COMPLETE, dir);
    OK(w.op->vt->restore(w.op, 0, &err));
    micro_batch(&w, some_rows, 6, 0, 0);
    OK(w.op->vt->commit(w.op, 1, &err));
    micro_batch(&w, some_rows, 6, 0, 0);
    world_close(&w);
    world_open(&w, counts_by("k", NULL, false), true, PS_COMPLETE, dir);
    OK(w.op->vt->restore(w.op, 1, &err));
    assert_string_equal(micro_batch(&w, some_rows, 1, 0, 0), "NULL 2 NULL\na 3 a\nb 2 b");
    world_close(&w);
    world_open(&w, counts_by("v", NULL, false), true, PS_COMPLETE, dir);
    FAILS(STATE_KEY_SCHEMA, w.op->vt->restore(w.op, 1, &err));
    world_close(&w);
    OK(ps_fs_remove_tree(ps_fs_local(), dir, &err));
}

/* Memory that runs out anywhere in the life of an aggregation with state is an ordinary error, without a leak. */
static ps_status whole_life(ps_node *node, ps_run *run, ps_batch *batch)
{
    world w = {0};
    ps_op *op = NULL;
    ps_status rc;

    ps_collector_init(&w.end, run, write_rows, &w);
    PS_TRY_OR(done, ps_op_open(node, run, &op, &err));
    op->next = &w.end.op;
    PS_TRY_OR(done, op->vt->restore(op, 0, &err));
    for (int i = 0; i < 2; i++) {
        PS_TRY_OR(done, op->vt->begin(op, &err));
        PS_TRY_OR(done, op->vt->push(op, 0, batch, &err));
        PS_TRY_OR(done, op->vt->push(op, 0, batch, &err));
        PS_TRY_OR(done, op->vt->finish(op, 0, &err));
        PS_TRY_OR(done, op->vt->commit(op, i + 1, &err));
    }
done:
    ps_op_close(op);
    ps_bytes_clear(&w.out);
    return rc;
}

static void test_no_memory(void **state)
{
    ps_batches batches = {0};
    ps_batch *batch = rows_batch(some_rows, PS_COUNT_OF(some_rows));
    ps_expr *keys[2] = {name("k"), name("v")};
    ps_expr *results[6] = {count_all(), call("max", name("k"), NULL), call("collect_set", name("k"), NULL), call("collect_list", name("v"), NULL),
                           call("approx_count_distinct", name("v"), NULL), call("sum", name("v"), NULL)};
    ps_node *node = aggregate(relation(&batches, true, false), keys, 2, results, 6);
    ps_run run = {.conf = &conf, .fs = ps_fs_local(), .clock = ps_clock_system(), .n_workers = 1, .streaming = true, .mode = PS_UPDATE};

    PS_UNUSED(state);
    OK(ps_plan_env(&conf, &run.env, &err));
    EVERY_ALLOCATION(whole_life(node, &run, batch), (void)0);
    ps_node_unref(node);
    ps_batch_unref(batch);
}

/* The same for rows that go straight into the state. */
static void test_no_memory_straight(void **state)
{
    ps_batches batches = {0};
    ps_batch *batch = rows_batch(some_rows, PS_COUNT_OF(some_rows));
    ps_expr *keys[2] = {name("k"), name("t")}, *results[3] = {count_all(), call("max", name("k"), NULL), call("sum", name("v"), NULL)};
    ps_node *node = aggregate(relation(&batches, true, false), keys, 2, results, 3);
    ps_run run = {.conf = &conf, .fs = ps_fs_local(), .clock = ps_clock_system(), .n_workers = 1, .streaming = true, .mode = PS_UPDATE};

    PS_UNUSED(state);
    OK(ps_plan_env(&conf, &run.env, &err));
    ps_batch_rows = 1;
    for (size_t most = 0; most < 2; most++) {
        psi_most_waiting = most << 20;
        EVERY_ALLOCATION(whole_life(node, &run, batch), (void)0);
    }
    ps_batch_rows = PS_BATCH_ROWS;
    psi_most_waiting = (size_t)64 << 20;
    ps_node_unref(node);
    ps_batch_unref(batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grouped), cmocka_unit_test(test_global), cmocka_unit_test(test_workers), cmocka_unit_test(test_many_groups), cmocka_unit_test(test_straight_into_state), cmocka_unit_test(test_missing_aggregation),
        cmocka_unit_test(test_update_and_complete), cmocka_unit_test(test_append), cmocka_unit_test(test_restart), cmocka_unit_test(test_no_memory), cmocka_unit_test(test_no_memory_straight),
    };

    if (ps_conf_set(&conf, "spark.sql.session.timeZone", "UTC", &err) != PS_OK)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    ps_conf_clear(&conf);
    return failed;
}
