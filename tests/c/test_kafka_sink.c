/*
 * tests/c/test_kafka_sink.c - the Kafka sink: its columns, and its steps against librdkafka's mock cluster, which keeps
 * records but no offsets of groups: so a second run finds that the brokers forgot the number.
 */
#include "unit.h"
#include "base/failpoint.h"
#include "col/build.h"
#include "col/type_text.h"
#include "kafka/kafka_int.h"
#include "kafka/sink_columns.h"
#include <dlfcn.h>
#include <librdkafka/rdkafka_mock.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static ps_conf conf;
static char root[64];
static rd_kafka_t *judge; /* owns the cluster */
static rd_kafka_mock_cluster_t *cluster;

static int make_world(void **state)
{
    rd_kafka_conf_t *plain = rd_kafka_conf_new();
    char reason[200];

    (void)state;
    strcpy(root, "/tmp/ps_kafka_XXXXXX");
    judge = rd_kafka_new(RD_KAFKA_PRODUCER, plain, reason, sizeof reason);
    cluster = rd_kafka_mock_cluster_new(judge, 2);
    rd_kafka_brokers_add(judge, rd_kafka_mock_cluster_bootstraps(cluster));
    rd_kafka_mock_topic_create(cluster, "t", 4, 1);
    rd_kafka_mock_topic_create(cluster, "u", 4, 1);
    return mkdtemp(root) == NULL;
}

static int end_world(void **state)
{
    (void)state;
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(judge);
    ps_conf_clear(&conf);
    ps_failpoint_disarm_all();
    return ps_fs_remove_tree(ps_fs_local(), root, &err);
}

static const ps_type *schema_of(const char *ddl)
{
    const ps_type *type;

    OK(ps_schema_parse(ps_slice_of(ddl), &type, &err));
    return type;
}

/* --- columns --------------------------------------------------------------------------------------------------------- */

static ps_status find(const char *ddl, bool has_topic, psi_sink_columns *out)
{
    const ps_type *type = schema_of(ddl);
    ps_status rc = psi_sink_columns_find(type, &conf, has_topic, out, &err);

    ps_type_unref(type);
    return rc;
}

static void columns_are_found_by_exact_name(void **state)
{
    psi_sink_columns columns;

    (void)state;
    OK(find("a int, partition int, headers array<struct<KEY:string,value:binary>>, key binary, value string, topic string", false, &columns));
    assert_int_equal(columns.partition, 1);
    assert_int_equal(columns.headers, 2);
    assert_int_equal(columns.key, 3);
    assert_int_equal(columns.value, 4);
    assert_int_equal(columns.topic, 5);
    OK(find("topic int, value binary, Key int, timestamp timestamp", true, &columns));
    assert_int_equal(columns.topic, -1);
    assert_int_equal(columns.key, -1);
    FAILS(KAFKA_TOPIC_REQUIRED, find("value int", false, &columns)); /* the topic comes first, as in Spark */
    FAILS(KAFKA_COLUMN_TYPE, find("value int, key int", true, &columns));
    assert_string_equal(err.message, "key attribute unsupported type int. key must be a(n) string or binary");
    FAILS(KAFKA_COLUMN_MISSING, find("Value string", true, &columns));
    OK(ps_conf_set(&conf, "spark.sql.caseSensitive", "true", &err));
    FAILS(KAFKA_COLUMN_TYPE, find("value string, headers array<struct<KEY:string,value:binary>>", true, &columns));
    HAS("headers must be a(n) array<struct<key:string,value:binary>>");
    OK(ps_conf_set(&conf, "spark.sql.caseSensitive", NULL, &err));
}

/* --- a sink ------------------------------------------------------------------------------------------------------------ */

static bool stopping;
static int64_t fail_at; /* this allocation of open() fails; 0: none */
static ps_status check(void *self, ps_error *out)
{
    (void)self;
    return stopping ? ps_raise(out, PS_E_CANCELLED) : PS_OK;
}

/* Names and values in turn, ended by NULL; the checkpoint is root/<name>, NULL: a batch write. */
static ps_status open_sink(const char *checkpoint, int64_t rerun, const char *const *pairs, ps_sink **out)
{
    const ps_type *schema = schema_of("key string, value string, topic string");
    ps_sink_request request = {.format = "kafka", .schema = schema, .conf = &conf, .fs = ps_fs_local(), .query_id = "q", .rerun_batch = rerun,
                               .check = check, .batch = checkpoint == NULL, .save_mode = "append"};
    ps_options options = {0};
    char *dir = NULL;
    ps_status rc;

    request.options = &options;
    if (checkpoint)
        OK(ps_path_join(root, checkpoint, &dir, &err));
    request.checkpoint_dir = dir;
    OK(ps_options_set(&options, "kafka.bootstrap.servers", rd_kafka_mock_cluster_bootstraps(cluster), &err));
    for (; *pairs; pairs += 2)
        OK(ps_options_set(&options, pairs[0], pairs[1], &err));
    ps_mem_fail_at(fail_at);
    rc = psi_kafka_open_sink(&request, out, &err);
    ps_mem_fail_at(0);
    ps_options_clear(&options);
    ps_type_unref(schema);
    ps_free(dir);
    return rc;
}
#define OPEN(checkpoint, rerun, ...) open_sink(checkpoint, rerun, (const char *const[]){__VA_ARGS__ __VA_OPT__(,) NULL}, &sink)
#define ONCE "pystream.kafka.exactlyOnce", "true", "topic", "t"

/* n rows into `topic` (NULL: a null), under a selection that leaves every second one. */
static ps_batch *rows(int n, const char *topic)
{
    ps_batch *batch, *chosen;
    ps_builder *columns[3];
    ps_buf *sel;

    OK(ps_batch_new(3, 2 * n, &batch, &err));
    for (int c = 0; c < 3; c++)
        OK(ps_build_new(ps_type_of(PS_STRING), 2 * n, &columns[c], &err));
    OK(ps_buf_new((size_t)n * sizeof(int32_t), &sel, &err));
    for (int i = 0; i < 2 * n; i++) {
        OK(i % 4 ? ps_build_text(columns[0], "k", 1, &err) : ps_build_null(columns[0], &err));
        OK(ps_build_text(columns[1], "a value that is not inlined", 27, &err));
        OK(topic ? ps_build_text(columns[2], topic, strlen(topic), &err) : ps_build_null(columns[2], &err));
        ((int32_t *)sel->data)[i / 2] = i / 2 * 2;
    }
    for (int c = 0; c < 3; c++) {
        OK(ps_build_finish(columns[c], &batch->cols[c], &err));
        ps_build_free(columns[c]);
    }
    OK(ps_batch_select(batch, sel, n, &chosen, &err));
    ps_batch_unref(batch);
    return chosen;
}

static ps_status write_batch(ps_sink *sink, int64_t id, int n, const char *topic)
{
    ps_batch *batch = rows(n, topic);
    bool skip;
    ps_status rc = sink->vt->begin(sink, id, &skip, &err);

    assert_false(skip);
    if (rc == PS_OK)
        rc = sink->vt->write(sink, batch, &err);
    ps_batch_unref(batch); /* nothing of it stays with the sink */
    if (rc == PS_OK)
        rc = sink->vt->commit(sink, id, &err);
    if (rc != PS_OK)
        sink->vt->abort(sink, id);
    return rc;
}

/* How many records are in a topic of four partitions. */
static int64_t count(const char *topic)
{
    int64_t n = 0, low, high;

    for (int partition = 0; partition < 4; partition++) {
        assert_int_equal(rd_kafka_query_watermark_offsets(judge, topic, partition, &low, &high, 10000), RD_KAFKA_RESP_ERR_NO_ERROR);
        n += high - low;
    }
    return n;
}

static void rows_arrive(void **state)
{
    int64_t before_t = count("t"), before_u = count("u");
    ps_sink *sink;

    (void)state;
    OK(OPEN(NULL, -1));
    OK(write_batch(sink, 0, 3000, "u"));
    OK(write_batch(sink, 1, 1, "t"));
    FAILS(KAFKA_NULL_TOPIC, write_batch(sink, 2, 1, NULL));
    sink->vt->close(sink);
    assert_int_equal(count("u") - before_u, 3000);
    assert_int_equal(count("t") - before_t, 1);
    OK(OPEN(NULL, -1, "kafka.queue.buffering.max.messages", "100"));
    OK(write_batch(sink, 0, 3000, "u"));
    sink->vt->close(sink);
    assert_int_equal(count("u") - before_u, 6000);
}

static void refused_rows_fail_the_batch(void **state)
{
    ps_sink *sink;

    (void)state;
    OK(OPEN(NULL, -1));
    rd_kafka_mock_push_request_errors(cluster, 0, 1, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    FAILS(KAFKA_FAILED, write_batch(sink, 0, 10, "t"));
    HAS("Writing to t-");
    HAS("failed: Broker: Topic authorization failed (TOPIC_AUTHORIZATION_FAILED)");
    sink->vt->close(sink);
    OK(OPEN(NULL, -1, "kafka.max.request.size", "1000"));
    OK(write_batch(sink, 0, 10, "t"));
    rd_kafka_mock_push_request_errors(cluster, 0, 2, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT);
    OK(write_batch(sink, 1, 10, "t")); /* what passes is tried again */
    sink->vt->close(sink);
}

/* librdkafka then gives up what waits in the queue of itself, and reports it as purged: nothing of that may pass for written. */
static void a_producer_beyond_help_fails_the_batch(void **state)
{
    int64_t before = count("t");
    ps_sink *sink;

    (void)state;
    OK(OPEN(NULL, -1));
    rd_kafka_mock_push_request_errors(cluster, 22 /* InitProducerId */, 1, RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED);
    FAILS(KAFKA_FAILED, write_batch(sink, 0, 10, "t"));
    HAS("CLUSTER_AUTHORIZATION_FAILED");
    sink->vt->close(sink);
    assert_int_equal(count("t"), before);
}

static void a_stop_is_heard_while_nobody_answers(void **state)
{
    ps_sink *sink;

    (void)state;
    OK(OPEN(NULL, -1));
    OK(write_batch(sink, 0, 1, "t"));
    for (int broker = 1; broker <= 2; broker++)
        rd_kafka_mock_broker_set_down(cluster, broker);
    stopping = true;
    FAILS(CANCELLED, write_batch(sink, 1, 10, "t"));
    sink->vt->close(sink);
    FAILS(CANCELLED, OPEN("down", -1, ONCE));
    stopping = false;
    FAILS(KAFKA_TIMEOUT, OPEN("down", -1, ONCE, "kafka.max.block.ms", "300"));
    HAS("Starting transactions timed out");
    for (int broker = 1; broker <= 2; broker++)
        rd_kafka_mock_broker_set_up(cluster, broker);
}

static atomic_bool slow_names;

/* In the place of the system's: a name server that does not answer. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

    if (atomic_load(&slow_names)) {
        sleep(6);
        return EAI_AGAIN;
    }
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    return real(node, service, hints, out);
}

static void a_name_server_that_is_silent_holds_no_close_up(void **state)
{
    int64_t began;
    ps_sink *sink;

    (void)state;
    OK(OPEN(NULL, -1, "kafka.bootstrap.servers", "nowhere.invalid:9092", "kafka.delivery.timeout.ms", "300"));
    atomic_store(&slow_names, true);
    FAILS(KAFKA_TIMEOUT, write_batch(sink, 0, 1, "t"));
    began = ps_clock_ticks();
    sink->vt->close(sink);
    assert_true(ps_clock_ticks() - began < 3000000000);
    atomic_store(&slow_names, false);
}

/* --- exactly once --------------------------------------------------------------------------------------------------------- */

static bool has_note(const char *checkpoint, int n)
{
    char path[200];
    ps_file_info info;
    bool exists;

    snprintf(path, sizeof path, "%s/%s/sinks/0/kafka/%d", root, checkpoint, n);
    OK(ps_fs_stat(ps_fs_local(), path, &info, &exists, &err));
    return exists;
}

static void a_batch_is_a_transaction(void **state)
{
    int64_t before = count("t");
    ps_sink *sink;
    bool skip;

    (void)state;
    OK(OPEN("once", -1, ONCE));
    OK(sink->vt->begin(sink, 0, &skip, &err));
    OK(sink->vt->commit(sink, 0, &err));
    assert_false(has_note("once", 0)); /* no row, no transaction */
    OK(write_batch(sink, 1, 100, "t"));
    assert_true(has_note("once", 0));
    OK(sink->vt->begin(sink, 1, &skip, &err));
    assert_true(skip); /* it is there */
    OK(write_batch(sink, 2, 100, "t"));
    sink->vt->close(sink);
    assert_int_equal(count("t") - before, 200);
}

static void a_step_that_fails_fails_the_batch(void **state)
{
    static const char *const points[] = {"kafka.marked", "kafka.noted", "kafka.begun", "kafka.produced", "kafka.offsets_sent", "kafka.committed"};
    char name[32];
    ps_sink *sink;

    (void)state;
    for (size_t i = 0; i < PS_COUNT_OF(points); i++) {
        snprintf(name, sizeof name, "step%zu", i);
        OK(OPEN(name, -1, ONCE));
        OK(ps_failpoint_arm(points[i], "error", 1, &err));
        FAILS(FAILPOINT, write_batch(sink, 0, 10, "t"));
        assert_int_equal(has_note(name, 0), i > 0);
        sink->vt->close(sink);
    }
}

static void errors_of_transactions_are_told(void **state)
{
    ps_sink *sink;

    (void)state;
    OK(OPEN("errors", -1, ONCE));
    OK(write_batch(sink, 0, 10, "t"));
    rd_kafka_mock_push_request_errors(cluster, 24 /* AddPartitionsToTxn */, 1, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    FAILS(KAFKA_FAILED, write_batch(sink, 1, 10, "t"));
    HAS("TOPIC_AUTHORIZATION_FAILED");
    sink->vt->close(sink);
    OK(OPEN("errors2", -1, ONCE));
    rd_kafka_mock_push_request_errors(cluster, 26 /* EndTxn */, 1, RD_KAFKA_RESP_ERR_PRODUCER_FENCED);
    FAILS(KAFKA_FENCED, write_batch(sink, 1, 10, "t"));
    HAS("pystream-q");
    sink->vt->close(sink);
}

static void a_lost_number_wants_a_choice(void **state)
{
    ps_sink *sink;
    bool skip;

    (void)state;
    OK(OPEN("lost", -1, ONCE));
    OK(write_batch(sink, 7, 10, "t"));
    sink->vt->close(sink);
    FAILS(KAFKA_BATCH_ID_LOST, OPEN("lost", 7, ONCE));
    HAS("batch 7");
    assert_non_null(strstr(err.message, "topic t is deleted"));
    FAILS(OPTION_VALUE, OPEN("lost", 7, ONCE, "pystream.kafka.onLostBatchId", "guess"));
    OK(OPEN("lost", 7, ONCE, "pystream.kafka.onLostBatchId", "skip"));
    OK(sink->vt->begin(sink, 7, &skip, &err));
    assert_true(skip);
    sink->vt->close(sink);
    assert_true(has_note("lost", 1));
    OK(OPEN("lost", 7, ONCE, "pystream.kafka.onLostBatchId", "resend"));
    OK(write_batch(sink, 7, 10, "t"));
    sink->vt->close(sink);
    OK(OPEN("lost", -1, ONCE)); /* no batch is in doubt */
    OK(write_batch(sink, 8, 10, "t"));
    sink->vt->close(sink);
}

/* Opens with each allocation failing in turn, until none does. */
static void open_without_memory(const char *checkpoint, const char *const *pairs)
{
    size_t before = ps_mem_used();
    ps_status rc = PS_E_NO_MEMORY;
    ps_sink *sink;

    for (fail_at = 1; rc != PS_OK; fail_at++) {
        rc = open_sink(checkpoint, -1, pairs, &sink);
        if (rc == PS_OK)
            sink->vt->close(sink);
        else
            assert_int_equal(rc, PS_E_NO_MEMORY);
        assert_int_equal(ps_mem_used(), before);
    }
    fail_at = 0;
}

static void a_note_that_is_no_note(void **state)
{
    static const char *const texts[] = {"v1\n{\"topic\":", "v1\n{\"topic\":7}", "v1", "v1\n[]"};
    char path[200];
    ps_sink *sink;

    (void)state;
    OK(OPEN("torn", -1, ONCE));
    OK(write_batch(sink, 0, 1, "t"));
    sink->vt->close(sink);
    snprintf(path, sizeof path, "%s/torn/sinks/0/kafka/0", root);
    for (size_t i = 0; i < PS_COUNT_OF(texts); i++) {
        OK(ps_fs_write_atomic(ps_fs_local(), path, texts[i], strlen(texts[i]), false, false, &err));
        FAILS(LOG_DAMAGED, OPEN("torn", -1, ONCE));
        HAS("sinks/0/kafka/0");
    }
    OK(ps_fs_write_atomic(ps_fs_local(), path, "v9\n{}", 5, false, false, &err));
    FAILS(LOG_VERSION, OPEN("torn", -1, ONCE));
}

static void memory_may_run_out(void **state)
{
    (void)state;
    open_without_memory(NULL, (const char *const[]){"topic", "t", NULL});
    open_without_memory("poor", (const char *const[]){ONCE, NULL});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_found_by_exact_name),
        cmocka_unit_test(rows_arrive),
        cmocka_unit_test(refused_rows_fail_the_batch),
        cmocka_unit_test(a_producer_beyond_help_fails_the_batch),
        cmocka_unit_test(a_stop_is_heard_while_nobody_answers),
        cmocka_unit_test(a_name_server_that_is_silent_holds_no_close_up),
        cmocka_unit_test(a_batch_is_a_transaction),
        cmocka_unit_test(a_step_that_fails_fails_the_batch),
        cmocka_unit_test(errors_of_transactions_are_told),
        cmocka_unit_test(a_lost_number_wants_a_choice),
        cmocka_unit_test(a_note_that_is_no_note),
        cmocka_unit_test(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, make_world, end_world);
}
