/*
 * kafka/sink_kafka.c - rows as messages: at least once with an idempotent producer, or exactly once (sink_txn.h).
 *
 * The producer is made when the query starts and kept for its life.  Rows are handed over in runs of one topic and one
 * partition; a message that failed ends the batch, and only those are reported to us.  What waits here waits in slices,
 * and no longer than the user's time-outs say: a row for a place in the queue max.block.ms, a batch for its last
 * acknowledgement delivery.timeout.ms.
 */
#include "base/clock.h"
#include "base/nearest.h"
#include "kafka/kafka_int.h"
#include "kafka/sink_columns.h"
#include "kafka/sink_txn.h"
#include <limits.h>
#include <stdio.h>

#define RUN_ROWS 1024     /* messages handed over by one call */
#define QUEUE_WAIT_MS 5   /* a full queue is looked at again */
#define FLUSH_SLACK_MS 5000 /* librdkafka looks for messages that are too old once a second, and no more often */
#define TOPIC_SIZE 250    /* of a topic's name: Kafka allows 249 bytes */

typedef struct kafka_sink {
    ps_sink sink;
    psi_client *client;
    rd_kafka_t *rk;
    psi_txn *txn;            /* exactly once, or NULL */
    psi_sink_columns columns;
    char *option_topic;      /* of all rows, or NULL */
    char *name;              /* transactional id, or NULL */
    /* The run being gathered. */
    rd_kafka_topic_t *topic; /* the client's */
    char topic_name[TOPIC_SIZE];
    int32_t partition;
    int n;
    rd_kafka_message_t run[RUN_ROWS];
} kafka_sink;

/* --- handing over ----------------------------------------------------------------------------------------------- */

static const char *writing_to(const kafka_sink *self, char *what, size_t n_what)
{
    if (self->partition == RD_KAFKA_PARTITION_UA)
        snprintf(what, n_what, "Writing to %s", self->topic_name);
    else
        snprintf(what, n_what, "Writing to %s-%d", self->topic_name, (int)self->partition);
    return what;
}

/* A producer that is beyond help gives up what waits in its queue, without a report that is kept: its error is theirs.  Of a
 * transaction it is the commit that tells it, in its own words. */
static ps_status check_fatal(const kafka_sink *self, ps_error *err)
{
    char what[300], reason[512];
    rd_kafka_resp_err_t code = self->txn ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_fatal_error(self->rk, reason, sizeof reason);

    return code ? psi_client_raise(self->client, code, writing_to(self, what, sizeof what), reason, err) : PS_OK;
}

static ps_status raise_refused(kafka_sink *self, rd_kafka_resp_err_t code, ps_error *err)
{
    char what[300];

    PS_TRY(psi_client_undelivered(self->client, err));
    PS_TRY(check_fatal(self, err));
    writing_to(self, what, sizeof what);
    if (self->txn && (code == RD_KAFKA_RESP_ERR__STATE || code == RD_KAFKA_RESP_ERR__FATAL))
        return psi_txn_raise(self->txn, code, what, err);
    return psi_client_raise(self->client, code, what, NULL, err);
}

/* The queue is full: gives the brokers a moment.  `since` is when the row began to wait. */
static ps_status wait_for_room(kafka_sink *self, int64_t since, int64_t *told, ps_error *err)
{
    int64_t now = ps_clock_ticks() / 1000000;
    char what[300];

    if (now - since >= psi_client_kept(self->client)->max_block_ms)
        return psi_client_raise(self->client, RD_KAFKA_RESP_ERR__TIMED_OUT, writing_to(self, what, sizeof what),
                                "the queue of messages stayed full for max.block.ms", err);
    if (now - *told >= PSI_KAFKA_WAIT_MS) {
        PS_TRY(psi_client_undelivered(self->client, err));
        PS_TRY(psi_client_tell(self->client, err));
        *told = now;
    }
    rd_kafka_poll(self->rk, QUEUE_WAIT_MS);
    return PS_OK;
}

/* How many of the run's messages from `at` on were taken before the first that was not. */
static int count_taken(const kafka_sink *self, int at, rd_kafka_resp_err_t *code)
{
    *code = RD_KAFKA_RESP_ERR_NO_ERROR;
    for (int i = at; i < self->n; i++) {
        *code = self->run[i].err;
        if (*code)
            return i - at;
    }
    return self->n - at;
}

/* A full queue refuses a message and all behind it, so order holds. */
static ps_status send_run(kafka_sink *self, ps_error *err)
{
    int64_t told = ps_clock_ticks() / 1000000, since = told;
    rd_kafka_resp_err_t code;

    for (int at = 0, n; at < self->n; at += n) {
        n = rd_kafka_produce_batch(self->topic, self->partition, RD_KAFKA_MSG_F_COPY, &self->run[at], self->n - at);
        if (n == self->n - at)
            break;
        n = count_taken(self, at, &code);
        if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL)
            return raise_refused(self, code, err);
        if (n > 0)
            since = ps_clock_ticks() / 1000000;
        PS_TRY(wait_for_room(self, since, &told, err));
    }
    self->n = 0;
    return PS_OK;
}

/* One message with headers, which it takes. */
static ps_status send_with_headers(kafka_sink *self, ps_slice value, ps_slice key, rd_kafka_headers_t *headers, ps_error *err)
{
    int64_t since = ps_clock_ticks() / 1000000, told = since;
    rd_kafka_resp_err_t code;
    ps_status rc;

    for (;;) {
        code = rd_kafka_producev(self->rk, RD_KAFKA_V_RKT(self->topic), RD_KAFKA_V_PARTITION(self->partition),
                                 RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_VALUE((void *)value.data, value.n_bytes),
                                 RD_KAFKA_V_KEY((void *)key.data, key.n_bytes), RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
            return PS_OK;
        rc = code == RD_KAFKA_RESP_ERR__QUEUE_FULL ? wait_for_room(self, since, &told, err) : raise_refused(self, code, err);
        if (rc != PS_OK) {
            rd_kafka_headers_destroy(headers);
            return rc;
        }
    }
}

/* --- rows ------------------------------------------------------------------------------------------------------- */

static ps_status set_topic(kafka_sink *self, ps_slice name, ps_error *err)
{
    if (name.n_bytes >= TOPIC_SIZE || memchr(name.data, '\0', name.n_bytes))
        return ps_raise(err, PS_E_KAFKA_TOPIC_NAME, (int)(name.n_bytes < TOPIC_SIZE ? name.n_bytes : TOPIC_SIZE), name.data);
    self->topic = NULL;
    memcpy(self->topic_name, name.data, name.n_bytes);
    self->topic_name[name.n_bytes] = '\0';
    return psi_client_topic(self->client, self->topic_name, &self->topic, err);
}

static ps_status topic_of(const kafka_sink *self, const psi_records *records, int64_t row, ps_slice *out, ps_error *err)
{
    *out = self->option_topic ? ps_slice_of(self->option_topic) : psi_record_topic(records, row);
    return out->data ? PS_OK : ps_raise(err, PS_E_KAFKA_NULL_TOPIC);
}

/* Makes sure that the row at hand belongs to the run. */
static ps_status open_run(kafka_sink *self, const psi_records *records, int64_t row, ps_error *err)
{
    int32_t partition;
    ps_slice topic;
    bool same_topic;

    PS_TRY(psi_record_partition(records, row, &partition, err));
    PS_TRY(topic_of(self, records, row, &topic, err));
    same_topic = self->topic && ps_slice_equal(ps_slice_of(self->topic_name), topic);
    if (same_topic && partition == self->partition && self->n < RUN_ROWS)
        return PS_OK;
    PS_TRY(send_run(self, err));
    self->partition = partition;
    return same_topic ? PS_OK : set_topic(self, topic, err);
}

static ps_status write_row(kafka_sink *self, const psi_records *records, int64_t row, ps_error *err)
{
    ps_slice value = psi_record_value(records, row), key = psi_record_key(records, row);
    rd_kafka_headers_t *headers;

    PS_TRY(open_run(self, records, row, err));
    PS_TRY(psi_record_headers(records, row, &headers, err));
    if (headers) {
        PS_TRY(send_run(self, err)); /* the messages before it go first */
        return send_with_headers(self, value, key, headers, err);
    }
    self->run[self->n++] = (rd_kafka_message_t){.payload = (void *)value.data, .len = value.n_bytes, .key = (void *)key.data, .key_len = key.n_bytes};
    return PS_OK;
}

static ps_status sink_begin(ps_sink *sink, int64_t batch_id, bool *skip, ps_error *err)
{
    kafka_sink *self = (kafka_sink *)sink;

    sink->batch_id = batch_id;
    *skip = self->txn && psi_txn_has(self->txn, batch_id);
    return self->txn && !*skip ? psi_txn_renew(self->txn, batch_id, err) : PS_OK;
}

static ps_status write_rows(kafka_sink *self, const ps_batch *batch, ps_error *err)
{
    psi_records records;
    ps_slice topic;

    psi_records_init(&records, &self->columns, batch);
    if (self->txn) {
        PS_TRY(topic_of(self, &records, ps_row(&records.rows, 0), &topic, err));
        PS_TRY(psi_txn_begin(self->txn, self->sink.batch_id, topic, err));
    }
    for (int64_t j = 0; j < records.rows.n; j++)
        PS_TRY(write_row(self, &records, ps_row(&records.rows, j), err));
    PS_TRY(send_run(self, err)); /* the batch is borrowed: nothing of it stays here */
    return psi_client_undelivered(self->client, err);
}

static ps_status sink_write(ps_sink *sink, ps_batch *batch, ps_error *err)
{
    kafka_sink *self = (kafka_sink *)sink;
    ps_status rc = batch->n_sel > 0 ? write_rows(self, batch, err) : PS_OK;

    return self->txn ? psi_txn_explain(self->txn, rc, err) : rc;
}

/* --- the end of a batch ------------------------------------------------------------------------------------------ */

/* Slices are short at first: a small batch is there within a millisecond or two. */
static ps_status flush(kafka_sink *self, ps_error *err)
{
    int64_t began = ps_clock_ticks() / 1000000, told = began, now = began;
    int64_t patience = psi_client_kept(self->client)->delivery_timeout_ms + FLUSH_SLACK_MS;

    while (rd_kafka_outq_len(self->rk) > 0) {
        int64_t slice = 1 + (now - began) / 4;

        rd_kafka_flush(self->rk, slice < PSI_KAFKA_WAIT_MS ? (int)slice : PSI_KAFKA_WAIT_MS);
        PS_TRY(psi_client_undelivered(self->client, err));
        now = ps_clock_ticks() / 1000000;
        if (now - told >= PSI_KAFKA_WAIT_MS) {
            PS_TRY(psi_client_tell(self->client, err));
            told = now;
        }
        if (now - began >= patience)
            return psi_client_raise(self->client, RD_KAFKA_RESP_ERR__TIMED_OUT, "Writing a batch", "delivery.timeout.ms is over", err);
    }
    PS_TRY(psi_client_undelivered(self->client, err));
    return check_fatal(self, err);
}

static ps_status sink_commit(ps_sink *sink, int64_t batch_id, ps_error *err)
{
    kafka_sink *self = (kafka_sink *)sink;
    ps_status rc = flush(self, err);

    PS_UNUSED(batch_id);
    if (rc == PS_OK && self->txn)
        rc = psi_txn_commit(self->txn, err);
    return self->txn ? psi_txn_explain(self->txn, rc, err) : rc;
}

static void sink_abort(ps_sink *sink, int64_t batch_id)
{
    kafka_sink *self = (kafka_sink *)sink;

    PS_UNUSED(batch_id);
    self->n = 0;
    if (self->txn)
        psi_txn_abort(self->txn);
    else
        rd_kafka_purge(self->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
}

static void sink_close(ps_sink *sink)
{
    kafka_sink *self = (kafka_sink *)sink;

    psi_txn_close(self->txn);
    psi_client_close(self->client);
    ps_free(self->option_topic);
    ps_free(self->name);
    ps_free(sink->description);
    ps_free(self);
}

/* --- opening --------------------------------------------------------------------------------------------------------- */

#define OWN_PREFIX "pystream.kafka."
static const char *const own_options[] = {OWN_PREFIX "exactlyOnce", OWN_PREFIX "onLostBatchId"};

/* Options are many and free, but those of our own prefix are a closed set: a slip there would cost the guarantee. */
static ps_status check_names(const ps_options *options, ps_error *err)
{
    ps_slice prefix = ps_slice_of(OWN_PREFIX);

    for (int i = 0; i < options->n; i++) {
        const char *key = options->items[i].key;
        ps_nearest nearest = {.wrong = key, .limit = INT_MAX};

        if (strlen(key) < prefix.n_bytes || !ps_slice_equal_nocase((ps_slice){key, prefix.n_bytes}, prefix))
            continue;
        for (size_t k = 0; k < PS_COUNT_OF(own_options); k++)
            ps_nearest_offer(&nearest, own_options[k]);
        if (ps_stricmp(key, nearest.name) != 0)
            return ps_raise(err, PS_E_KAFKA_SINK_OPTION, key, nearest.name);
    }
    return PS_OK;
}

static ps_status read_lost(const ps_options *options, psi_lost *out, ps_error *err)
{
    static const char *const words[] = {"fail", "resend", "skip"}; /* in the order of psi_lost */
    const char *value = ps_options_get(options, own_options[1]);

    *out = PSI_LOST_FAIL;
    for (size_t i = 0; value && i < PS_COUNT_OF(words); i++) {
        if (ps_stricmp(value, words[i]) == 0) {
            *out = (psi_lost)i;
            return PS_OK;
        }
    }
    return value ? ps_raise(err, PS_E_OPTION_VALUE, value, own_options[1], "'fail', 'resend' or 'skip'") : PS_OK;
}

static ps_status check_save_mode(const char *mode, ps_error *err)
{
    static const char *const refused[][2] = {{"overwrite", "Overwrite"}, {"ignore", "Ignore"}};
    static const char *const allowed[] = {"append", "error", "errorifexists", "default"};

    for (size_t i = 0; mode && i < PS_COUNT_OF(refused); i++)
        if (ps_stricmp(mode, refused[i][0]) == 0)
            return ps_raise(err, PS_E_KAFKA_SAVE_MODE, refused[i][1]);
    for (size_t i = 0; mode && i < PS_COUNT_OF(allowed); i++)
        if (ps_stricmp(mode, allowed[i]) == 0)
            return PS_OK;
    return mode ? ps_raise(err, PS_E_SAVE_MODE, mode) : PS_OK;
}

static ps_status read_topic(kafka_sink *self, const ps_options *options, ps_error *err)
{
    const char *text = ps_options_get(options, "topic");
    ps_slice topic;

    if (!text)
        return PS_OK;
    topic = ps_slice_trimmed(ps_slice_of(text));
    return ps_strndup(topic.data, topic.n_bytes, &self->option_topic, err);
}

static ps_status open_client(kafka_sink *self, const ps_sink_request *request, ps_error *err)
{
    const char *const fixed[][2] = {{"delivery.report.only.error", "true"}, {self->name ? "transactional.id" : NULL, self->name}, {NULL, NULL}};
    ps_options options = {0};
    psi_client_args args = {.producer = true, .options = &options, .fixed = fixed, .check = request->check, .check_self = request->check_self};
    ps_status rc;

    if (!ps_options_get(request->options, "kafka.bootstrap.servers"))
        return ps_raise(err, PS_E_KAFKA_NO_SERVERS, "producer");
    PS_TRY_OR(done, ps_options_copy(request->options, &options, err));
    PS_TRY_OR(done, ps_options_set(&options, own_options[0], self->name ? "true" : "false", err)); /* which the conf may have decided */
    PS_TRY_OR(done, psi_client_open(&args, &self->client, err));
    self->rk = psi_client_rk(self->client);
done:
    ps_options_clear(&options);
    return rc;
}

/* The option, or for a stream the conf of that name. */
static ps_status read_exactly_once(const ps_sink_request *request, bool *out, ps_error *err)
{
    bool conf = !request->batch && ps_conf_bool(request->conf, own_options[0]);

    PS_TRY(ps_options_bool(request->options, own_options[0], conf, out, err));
    return *out && request->batch ? ps_raise(err, PS_E_KAFKA_EXACTLY_ONCE_STREAMS, own_options[0]) : PS_OK;
}

static ps_status open_sink(kafka_sink *self, const ps_sink_request *request, ps_error *err)
{
    bool exactly_once;
    psi_lost lost;

    if (request->batch)
        PS_TRY(check_save_mode(request->save_mode, err));
    PS_TRY(check_names(request->options, err));
    PS_TRY(read_exactly_once(request, &exactly_once, err));
    PS_TRY(read_lost(request->options, &lost, err));
    PS_TRY(psi_props_forbidden(request->options, true, err));
    PS_TRY(read_topic(self, request->options, err));
    PS_TRY(psi_sink_columns_find(request->schema, request->conf, self->option_topic != NULL, &self->columns, err));
    if (exactly_once)
        PS_TRY(psi_txn_name(request->query_id, &self->name, err));
    PS_TRY(open_client(self, request, err));
    if (exactly_once)
        PS_TRY(psi_txn_open(self->client, request, self->name, self->option_topic, lost, &self->txn, err));
    return ps_strdup("org.apache.spark.sql.kafka010.KafkaSourceProvider$KafkaTable", &self->sink.description, err);
}

ps_status psi_kafka_open_sink(const ps_sink_request *request, ps_sink **out, ps_error *err)
{
    static const ps_sink_vt vt = {sink_begin, sink_write, sink_commit, sink_abort, sink_close, NULL};
    kafka_sink *self;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_alloc0(sizeof *self, &self, err));
    self->sink.vt = &vt;
    self->sink.counts_rows = true;
    if ((rc = open_sink(self, request, err)) != PS_OK) {
        sink_close(&self->sink);
        return rc;
    }
    *out = &self->sink;
    return PS_OK;
}
