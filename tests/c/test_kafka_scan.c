/*
 * tests/c/test_kafka_scan.c - ranges read from librdkafka's mock cluster: what is late, and what is gone for a moment.
 */
#include "unit.h"
#include "base/logger.h"
#include "kafka/rows.h"
#include "kafka/scan.h"
#include <librdkafka/rdkafka_mock.h>
#include <time.h>

#define FETCH 1
#define LIST_OFFSETS 2

static rd_kafka_t *judge; /* owns the cluster */
static rd_kafka_mock_cluster_t *cluster;
static const ps_type *schema;
static const bool wanted[PSI_COL_COUNT] = {[PSI_COL_OFFSET] = true};
static psi_source_options options;
static ps_cursor *cursor;
static ps_scan *scan;

static int make_world(void **state)
{
    char reason[200];

    (void)state;
    judge = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), reason, sizeof reason);
    cluster = rd_kafka_mock_cluster_new(judge, 1);
    rd_kafka_brokers_add(judge, rd_kafka_mock_cluster_bootstraps(cluster));
    return psi_rows_schema(false, &schema, &err) != PS_OK;
}

static int end_world(void **state)
{
    (void)state;
    ps_type_unref(schema);
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(judge);
    return 0;
}

static void produce(const char *topic, int n)
{
    for (int i = 0; i < n; i++)
        assert_int_equal(rd_kafka_producev(judge, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_VALUE("v", 1), RD_KAFKA_V_END), 0);
    assert_int_equal(rd_kafka_flush(judge, 10000), 0);
}

/* Begins to read offsets [from, to) of partition 0 of a topic that has n records. */
static void begin(const char *topic, int n, int64_t from, int64_t to)
{
    const char *const fixed[][2] = {{"enable.partition.eof", "true"}, {"auto.offset.reset", "error"}, {NULL, NULL}};
    ps_options given = {0};
    psi_client_args client = {.options = &given, .fixed = fixed};
    psi_scan_args args = {.owned = true, .options = &options, .schema = schema, .wanted = wanted, .n_workers = 1};
    psi_positions ends = {0};
    psi_ranges ranges = {0};
    psi_client *fetches;

    rd_kafka_mock_topic_create(cluster, topic, 1, 1);
    produce(topic, n);
    OK(ps_options_set(&given, "kafka.bootstrap.servers", rd_kafka_mock_cluster_bootstraps(cluster), &err));
    OK(psi_client_open(&client, &args.client, &err));
    OK(psi_client_open(&client, &fetches, &err));
    OK(psi_reader_open(fetches, NULL, &args.reader, &err));
    ps_options_clear(&given);
    OK(psi_positions_set(&ends, topic, 0, to, &err));
    OK(PS_PUSH(&ranges, ((psi_range){ends.items[0].topic, 0, from, to}), &err));
    OK(psi_scan_new(&args, &ends, &ranges, &scan, &err));
    OK(scan->vt->cursor(scan, &cursor, &err));
    OK(cursor->vt->seek(cursor, 0, &err));
}

static int end(void **state)
{
    (void)state;
    if (cursor)
        cursor->vt->free(cursor);
    if (scan)
        scan->vt->free(scan);
    cursor = NULL;
    scan = NULL;
    ps_logger_set(NULL);
    rd_kafka_mock_clear_request_errors(cluster, FETCH);
    return 0;
}

/* Reads on until so many rows came, or the end. */
static ps_status read_rows(int64_t at_least, int64_t *n)
{
    ps_batch *batch;

    for (*n = 0; *n < at_least;) {
        PS_TRY(cursor->vt->next(cursor, &batch, &err));
        if (!batch)
            return PS_OK;
        *n += batch->n_rows;
        ps_batch_unref(batch);
    }
    return PS_OK;
}

static void time_spent_with_the_rows_is_no_wait(void **state)
{
    int64_t n, began;

    (void)state;
    options = (psi_source_options){.fail_on_data_loss = true, .poll_timeout_ms = 2000, .n_retries = 1};
    begin("slow", 1, 0, 3);
    OK(read_rows(1, &n));
    assert_int_equal(n, 1);
    nanosleep(&(struct timespec){.tv_sec = 3}, NULL); /* the operators take their time */
    began = ps_clock_ticks();
    FAILS(KAFKA_READ_TIMEOUT, read_rows(1, &n));
    assert_true(ps_clock_ticks() - began > 1800000000);
    produce("slow", 2);
    OK(cursor->vt->seek(cursor, 0, &err));
    OK(read_rows(INT64_MAX, &n));
    assert_int_equal(n, 3);
}

static void an_offset_that_is_there_again(void **state)
{
    int64_t n;

    (void)state;
    options = (psi_source_options){.poll_timeout_ms = 5000, .n_retries = 3, .retry_ms = 1};
    rd_kafka_mock_push_request_errors(cluster, FETCH, 1, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE);
    begin("again", 5, 0, 5);
    OK(read_rows(INT64_MAX, &n));
    assert_int_equal(n, 5);
}

static int n_warnings;
static void count_warnings(ps_log_level level, const char *name, const char *text)
{
    (void)name;
    n_warnings += level == PS_LOG_WARNING && strstr(text, "a broker refuses offset 0, which is there") != NULL;
}

static void an_offset_that_stays_refused(void **state)
{
    int64_t n, began = ps_clock_ticks();

    (void)state;
    options = (psi_source_options){.poll_timeout_ms = 3000, .n_retries = 1, .retry_ms = 100};
    n_warnings = 0;
    ps_logger_set(count_warnings);
    for (int i = 0; i < 100; i++) /* librdkafka 2.0 asks once a second, later ones more often */
        rd_kafka_mock_push_request_errors(cluster, FETCH, 1, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE);
    begin("kept", 5, 0, 5);
    FAILS(KAFKA_READ_TIMEOUT, read_rows(INT64_MAX, &n));
    HAS("offset 0 of kept-0");
    assert_true(ps_clock_ticks() - began > 3000000000);
    assert_int_equal(n_warnings, 1);
    rd_kafka_mock_clear_request_errors(cluster, FETCH);
    OK(cursor->vt->seek(cursor, 0, &err));
    OK(read_rows(INT64_MAX, &n));
    assert_int_equal(n, 5);
}

static void what_lies_behind_the_log_is_gone(void **state)
{
    int64_t n;

    (void)state;
    options = (psi_source_options){.poll_timeout_ms = 5000, .n_retries = 3, .retry_ms = 1};
    begin("short", 2, 3, 5);
    for (int i = 0; i < 2; i++) { /* a plan that has its source twice reads it twice */
        OK(cursor->vt->seek(cursor, 0, &err));
        OK(read_rows(INT64_MAX, &n));
        assert_int_equal(n, 0);
    }
}

static void a_look_up_that_fails_is_tried_again(void **state)
{
    int64_t n;

    (void)state;
    options = (psi_source_options){.poll_timeout_ms = 5000, .n_retries = 3, .retry_ms = 1};
    rd_kafka_mock_push_request_errors(cluster, FETCH, 1, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE);
    rd_kafka_mock_push_request_errors(cluster, LIST_OFFSETS, 2, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
                                      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    begin("retried", 5, 0, 5);
    OK(read_rows(INT64_MAX, &n));
    assert_int_equal(n, 5);
}

static void a_look_up_that_keeps_failing_is_no_loss(void **state)
{
    int64_t n;

    (void)state;
    options = (psi_source_options){.poll_timeout_ms = 5000, .n_retries = 2, .retry_ms = 1};
    rd_kafka_mock_push_request_errors(cluster, FETCH, 1, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE);
    rd_kafka_mock_push_request_errors(cluster, LIST_OFFSETS, 2, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
                                      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    begin("refused", 5, 0, 5);
    FAILS(KAFKA_FAILED, read_rows(INT64_MAX, &n));
    HAS("Looking up offsets");
    assert_int_equal(n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(time_spent_with_the_rows_is_no_wait, end),
        cmocka_unit_test_teardown(an_offset_that_is_there_again, end),
        cmocka_unit_test_teardown(an_offset_that_stays_refused, end),
        cmocka_unit_test_teardown(what_lies_behind_the_log_is_gone, end),
        cmocka_unit_test_teardown(a_look_up_that_fails_is_tried_again, end),
        cmocka_unit_test_teardown(a_look_up_that_keeps_failing_is_no_loss, end),
    };

    return cmocka_run_group_tests(tests, make_world, end_world);
}
