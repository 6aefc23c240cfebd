/*
 * kafka/sink_txn.c - the transactions of the sink and the number in them; the steps bear the numbers of the header.
 */
#include "kafka/sink_txn.h"
#include "base/clock.h"
#include "base/failpoint.h"
#include "base/logger.h"
#include "kafka/kafka_int.h"
#include "log/seqlog.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define NOTE_DIR "sinks/0/kafka"
#define NOTE_VERSION 1
#define ABORT_MS 100
#define RETRY_MS 20
#define RENEW_NS 60000000000 /* offsets.retention.minutes is 1 at least: a younger number is there */
#define MOST_ASK_MS 3600000 /* librdkafka waits no longer for an answer of this kind */

struct psi_txn {
    psi_client *client;    /* borrowed */
    psi_client *group;     /* reads the number; NULL when that is done */
    char *name;            /* transactional id and group */
    const char *topic;     /* of all rows, or NULL; borrowed */
    char *number_topic;    /* under which the number stands; NULL: not known yet */
    ps_seqlog *notes;
    int64_t n_notes;
    int64_t rerun_batch;
    int64_t n_done;        /* the number: batches below it are done; -1: none is stored */
    bool marked;           /* a number is stored and noted */
    int64_t stored;        /* when this run last stored it, by ps_clock_age_ticks(): brokers do not sleep with us */
    bool open;             /* a transaction is */
    bool abandoned;        /* a call was left to itself: what became of it, the next run will see */
    int64_t batch_id;      /* of the open transaction */
    int64_t began;         /* when, by ps_clock_ticks() */
    int64_t timeout_ms;    /* transaction.timeout.ms */
};

/* --- calls ---------------------------------------------------------------------------------------------------------- */

typedef enum txn_step { TXN_INIT, TXN_OFFSETS, TXN_COMMIT, TXN_ABORT } txn_step;
static const char *const step_names[] = {"Starting transactions", "Adding the batch id to the transaction", "Committing the transaction",
                                         "Aborting the transaction"};
typedef struct txn_call {
    psi_task task; /* first */
    txn_step step;
    rd_kafka_topic_partition_list_t *offsets;      /* OFFSETS */
    rd_kafka_consumer_group_metadata_t *group;     /* OFFSETS */
    rd_kafka_error_t *error;
} txn_call;

static void free_call(psi_task *task)
{
    txn_call *call = (txn_call *)task;

    if (call->offsets)
        rd_kafka_topic_partition_list_destroy(call->offsets);
    if (call->group)
        rd_kafka_consumer_group_metadata_destroy(call->group);
    if (call->error)
        rd_kafka_error_destroy(call->error);
    ps_free(call);
}

static rd_kafka_error_t *call_once(const txn_call *call, rd_kafka_t *rk, int timeout_ms)
{
    switch (call->step) {
    case TXN_INIT:
        return rd_kafka_init_transactions(rk, timeout_ms);
    case TXN_OFFSETS:
        return rd_kafka_send_offsets_to_transaction(rk, call->offsets, call->group, timeout_ms);
    case TXN_COMMIT:
        return rd_kafka_commit_transaction(rk, timeout_ms);
    default:
        return rd_kafka_abort_transaction(rk, timeout_ms);
    }
}

/* Errors that will pass are met by calling again, as librdkafka asks for, while there is time. */
static void run_call(psi_task *task, rd_kafka_t *rk, int timeout_ms)
{
    txn_call *call = (txn_call *)task;
    int64_t until = ps_clock_ticks() / 1000000 + timeout_ms;
    int64_t left = timeout_ms;

    while ((call->error = call_once(call, rk, (int)left)) != NULL && rd_kafka_error_is_retriable(call->error)) {
        left = until - ps_clock_ticks() / 1000000;
        if (left <= RETRY_MS)
            break;
        rd_kafka_error_destroy(call->error);
        nanosleep(&(struct timespec){.tv_nsec = RETRY_MS * 1000000L}, NULL);
        left -= RETRY_MS;
    }
}

static ps_status new_call(txn_step step, txn_call **out, ps_error *err)
{
    PS_TRY(ps_alloc0(sizeof **out, out, err));
    (*out)->task.run = run_call;
    (*out)->task.free = free_call;
    (*out)->step = step;
    return PS_OK;
}

/* --- errors ------------------------------------------------------------------------------------------------------------ */

static ps_status raise_error(psi_txn *txn, const char *what, const rd_kafka_error_t *error, ps_error *err)
{
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    const char *reason = rd_kafka_error_string(error);

    if (code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED || code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH)
        return ps_raise(err, PS_E_KAFKA_FENCED, txn->name, reason);
    PS_TRY(psi_client_undelivered(txn->client, err)); /* a row that could not be delivered says more than the transaction that fails for it */
    return psi_client_raise(txn->client, code, what, reason, err);
}

/* What a transaction that outlived its time ends with is also what a run that was shut out meets, or one whose brokers do not
 * answer: its age tells. */
ps_status psi_txn_explain(psi_txn *txn, ps_status rc, ps_error *err)
{
    int64_t age_ms = (ps_clock_ticks() - txn->began) / 1000000;
    bool by_brokers = rc == PS_E_KAFKA_FAILED || rc == PS_E_KAFKA_TIMEOUT || rc == PS_E_KAFKA_FENCED;

    if (!txn->open || !by_brokers || age_ms < txn->timeout_ms)
        return rc;
    return ps_raise(err, PS_E_KAFKA_TRANSACTION_EXPIRED, (long long)txn->batch_id, (long long)age_ms, (long long)txn->timeout_ms,
                    err ? err->message : "");
}

/* Takes the call. */
static ps_status run_step(psi_txn *txn, txn_call *call, int timeout_ms, ps_error *err)
{
    ps_status rc = psi_client_run(txn->client, &call->task, timeout_ms, err);

    if (rc != PS_OK) {
        txn->abandoned = true;
        return rc;
    }
    if (call->error)
        rc = raise_error(txn, step_names[call->step], call->error, err);
    call->task.free(&call->task);
    return rc;
}

static int patience_ms(const psi_txn *txn) { return (int)psi_client_kept(txn->client)->max_block_ms; }

/* --- the note ------------------------------------------------------------------------------------------------------------ */

static ps_status parse_note(psi_txn *txn, const char *path, ps_slice text, ps_error *err)
{
    ps_lines lines = ps_lines_of(text);
    ps_arena arena = {0};
    const ps_json *topic = NULL;
    ps_json *note = NULL;
    ps_slice line = {NULL, 0};
    ps_status rc;
    int version;

    PS_TRY(ps_lines_version(&lines, path, NOTE_VERSION, &version, err));
    ps_lines_next(&lines, &line);
    rc = ps_json_parse(line, &arena, &note, err);
    if (rc == PS_OK)
        topic = ps_json_get(note, "topic");
    if (rc == PS_E_BAD_JSON || (rc == PS_OK && (!topic || topic->kind != PS_JSON_TEXT)))
        rc = ps_raise(err, PS_E_LOG_DAMAGED, path, "the note on Kafka's batch id");
    if (rc == PS_OK)
        rc = ps_strndup(topic->text.data, topic->text.n_bytes, &txn->number_topic, err);
    ps_arena_clear(&arena);
    return rc;
}

static ps_status read_note(psi_txn *txn, const ps_sink_request *request, ps_error *err)
{
    char *dir = NULL, *path = NULL;
    ps_bytes text = {0};
    bool found = false;
    int64_t last = -1;
    ps_status rc;

    PS_TRY_OR(done, ps_path_join(request->checkpoint_dir, NOTE_DIR, &dir, err));
    PS_TRY_OR(done, ps_seqlog_open(request->fs, dir, request->sync, &txn->notes, err));
    PS_TRY_OR(done, ps_seqlog_range(txn->notes, NULL, &last, err));
    txn->n_notes = last + 1;
    if (last < 0)
        goto done;
    PS_TRY_OR(done, ps_seqlog_path(txn->notes, last, &path, err));
    PS_TRY_OR(done, ps_seqlog_get(txn->notes, last, &text, &found, err));
    PS_TRY_OR(done, parse_note(txn, path, ps_bytes_slice(&text), err));
done:
    ps_bytes_clear(&text);
    ps_free(path);
    ps_free(dir);
    return rc;
}

static ps_status write_note(psi_txn *txn, int64_t first_batch, ps_error *err)
{
    ps_bytes text = {0};
    ps_status rc;

    PS_TRY_OR(done, ps_bytes_printf(&text, err, "v%d\n{\"transactionalId\":\"%s\",\"group\":\"%s\",\"topic\":", NOTE_VERSION, txn->name, txn->name));
    PS_TRY_OR(done, ps_bytes_json_string(&text, ps_slice_of(txn->number_topic), err));
    PS_TRY_OR(done, ps_bytes_printf(&text, err, ",\"firstBatch\":%lld}", (long long)first_batch));
    PS_TRY_OR(done, ps_seqlog_add(txn->notes, txn->n_notes, ps_bytes_slice(&text), err));
    txn->n_notes++;
done:
    ps_bytes_clear(&text);
    return rc;
}

/* --- reading the number ------------------------------------------------------------------------------------------------------ */

/* The highest offset of the group: numbers only grow, also when their topic was another one once. */
static rd_kafka_resp_err_t take_number(psi_txn *txn, rd_kafka_event_t *event, char *reason, size_t n_reason)
{
    const rd_kafka_group_result_t **groups;
    const rd_kafka_topic_partition_list_t *list;
    const rd_kafka_error_t *error;
    size_t n_groups = 0;

    snprintf(reason, n_reason, "%s", rd_kafka_event_error_string(event));
    if (rd_kafka_event_error(event))
        return rd_kafka_event_error(event);
    groups = rd_kafka_ListConsumerGroupOffsets_result_groups(rd_kafka_event_ListConsumerGroupOffsets_result(event), &n_groups);
    error = n_groups ? rd_kafka_group_result_error(groups[0]) : NULL;
    if (error) {
        snprintf(reason, n_reason, "%s", rd_kafka_error_string(error));
        return rd_kafka_error_code(error);
    }
    list = n_groups ? rd_kafka_group_result_partitions(groups[0]) : NULL;
    for (int i = 0; list && i < list->cnt; i++) {
        if (list->elems[i].err) {
            snprintf(reason, n_reason, "%s", rd_kafka_err2str(list->elems[i].err));
            return list->elems[i].err;
        }
        if (list->elems[i].offset > txn->n_done)
            txn->n_done = list->elems[i].offset;
    }
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* Waits for an answer in slices; NULL and PS_OK: none came in time. */
static ps_status wait_answer(psi_txn *txn, rd_kafka_queue_t *queue, int timeout_ms, rd_kafka_event_t **out, ps_error *err)
{
    *out = NULL;
    for (int waited = 0; !*out && waited < timeout_ms; waited += PSI_KAFKA_WAIT_MS) {
        PS_TRY(psi_client_tell(txn->group, err));
        *out = rd_kafka_queue_poll(queue, PSI_KAFKA_WAIT_MS);
    }
    return PS_OK;
}

/* One question.  Stable: a commit that the brokers have decided and not yet carried out counts, so it is waited for. */
static ps_status ask_number(psi_txn *txn, int timeout_ms, rd_kafka_resp_err_t *code, char *reason, size_t n_reason, ps_error *err)
{
    rd_kafka_t *rk = psi_client_rk(txn->group);
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS);
    rd_kafka_ListConsumerGroupOffsets_t *question = rd_kafka_ListConsumerGroupOffsets_new(txn->name, NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_event_t *event = NULL;
    rd_kafka_error_t *refused = rd_kafka_AdminOptions_set_require_stable_offsets(options, 1);
    ps_status rc;

    rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, reason, n_reason);
    rd_kafka_ListConsumerGroupOffsets(rk, &question, 1, options, queue);
    rc = wait_answer(txn, queue, timeout_ms + PSI_KAFKA_WAIT_MS, &event, err);
    *code = RD_KAFKA_RESP_ERR__TIMED_OUT;
    snprintf(reason, n_reason, "%s", rd_kafka_err2str(*code));
    if (event) {
        *code = take_number(txn, event, reason, n_reason);
        rd_kafka_event_destroy(event);
    }
    if (refused)
        rd_kafka_error_destroy(refused);
    rd_kafka_queue_destroy(queue);
    rd_kafka_ListConsumerGroupOffsets_destroy(question);
    rd_kafka_AdminOptions_destroy(options);
    return rc;
}

static bool will_pass(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT || code == RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS ||
           code == RD_KAFKA_RESP_ERR_NOT_COORDINATOR || code == RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE;
}

/* Asks until there is an answer. */
static ps_status ask_until_told(psi_txn *txn, ps_error *err)
{
    int64_t until = ps_clock_ticks() / 1000000 + patience_ms(txn);
    rd_kafka_resp_err_t code;
    char reason[512];

    for (;;) {
        int64_t left = until - ps_clock_ticks() / 1000000, ask = left < MOST_ASK_MS ? left : MOST_ASK_MS;

        PS_TRY(ask_number(txn, ask > RETRY_MS ? (int)ask : RETRY_MS, &code, reason, sizeof reason, err));
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
            return PS_OK;
        if (!will_pass(code) || left <= RETRY_MS)
            return psi_client_raise(txn->group, code, "Reading the batch id", reason, err);
        nanosleep(&(struct timespec){.tv_nsec = RETRY_MS * 1000000L}, NULL);
    }
}

/* By a client that has the group: one without, as a producer is, crashes in librdkafka (up to 2.16 at least) when a broker
 * answers that it is not the group's coordinator. */
static ps_status read_number(psi_txn *txn, const ps_sink_request *request, ps_error *err)
{
    const char *const fixed[][2] = {{"group.id", txn->name}, {"enable.auto.commit", "false"}, {NULL, NULL}};
    psi_client_args args = {.quiet = true, .options = request->options, .fixed = fixed, .check = request->check, .check_self = request->check_self};
    ps_status rc;

    PS_TRY(psi_client_open(&args, &txn->group, err));
    rc = ask_until_told(txn, err);
    psi_client_close(txn->group);
    txn->group = NULL;
    return rc;
}

/* --- writing the number -------------------------------------------------------------------------------------------------------- */

static ps_status start(psi_txn *txn, int64_t batch_id, ps_error *err)
{
    rd_kafka_error_t *error = rd_kafka_begin_transaction(psi_client_rk(txn->client));
    ps_status rc;

    if (error) {
        rc = raise_error(txn, "Beginning a transaction", error, err);
        rd_kafka_error_destroy(error);
        return rc;
    }
    txn->open = true;
    txn->batch_id = batch_id;
    txn->began = ps_clock_ticks();
    return PS_OK;
}

static ps_status send_number(psi_txn *txn, int64_t number, ps_error *err)
{
    txn_call *call = NULL;

    PS_TRY(new_call(TXN_OFFSETS, &call, err));
    call->group = rd_kafka_consumer_group_metadata_new(txn->name);
    call->offsets = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(call->offsets, txn->number_topic, 0)->offset = number;
    return run_step(txn, call, patience_ms(txn), err);
}

/* A transaction that takes no more rows takes no number either, and says why.  Were it otherwise, no harm is done: the batch
 * is aborted. */
ps_status psi_txn_raise(psi_txn *txn, rd_kafka_resp_err_t code, const char *what, ps_error *err)
{
    PS_TRY(send_number(txn, txn->batch_id, err));
    return psi_client_raise(txn->client, code, what, NULL, err);
}

static ps_status finish(psi_txn *txn, int64_t number, ps_error *err)
{
    txn_call *call = NULL;

    PS_TRY(new_call(TXN_COMMIT, &call, err));
    PS_TRY(run_step(txn, call, patience_ms(txn), err));
    txn->open = false;
    txn->n_done = number;
    txn->stored = ps_clock_age_ticks();
    return PS_OK;
}

/* A transaction of the number alone. */
static ps_status store(psi_txn *txn, int64_t number, ps_error *err)
{
    PS_TRY(start(txn, number, err));
    PS_TRY(send_number(txn, number, err));
    return finish(txn, number, err);
}

/* Steps 1 and 2, under `topic`. */
static ps_status mark(psi_txn *txn, ps_slice topic, int64_t number, ps_error *err)
{
    char *copy;

    PS_TRY(ps_strndup(topic.data, topic.n_bytes, &copy, err));
    ps_free(txn->number_topic);
    txn->number_topic = copy;
    PS_TRY(store(txn, number, err));
    PS_TRY(PS_FAILPOINT("kafka.marked", err));
    PS_TRY(write_note(txn, number, err));
    txn->marked = true;
    return PS_FAILPOINT("kafka.noted", err);
}

/* --- opening --------------------------------------------------------------------------------------------------------------------- */

static ps_status choose_lost(psi_txn *txn, psi_lost lost, ps_error *err)
{
    if (lost == PSI_LOST_FAIL)
        return ps_raise(err, PS_E_KAFKA_BATCH_ID_LOST, (long long)txn->rerun_batch, txn->name, txn->number_topic);
    ps_log(PS_LOG_WARNING, "pystream.kafka", "batch %lld may have been written to Kafka, whose brokers forgot its id: it is %s, as pystream.kafka.onLostBatchId says",
           (long long)txn->rerun_batch, lost == PSI_LOST_SKIP ? "skipped" : "sent again");
    txn->n_done = lost == PSI_LOST_SKIP ? txn->rerun_batch + 1 : txn->rerun_batch;
    return PS_OK;
}

/* There is a note and no number.  A batch that an earlier run logged may be written or not.  Where there is none nothing is
 * in doubt, and the number is put back before one can come; where the topic is gone too, that is left to the first row. */
static ps_status put_back(psi_txn *txn, psi_lost lost, ps_error *err)
{
    psi_subscription subscription = {.kind = PSI_SUBSCRIBE, .topics = &txn->number_topic, .n_topics = 1};
    psi_positions found = {0};
    bool exists;
    ps_status rc;

    if (txn->rerun_batch >= 0)
        PS_TRY(choose_lost(txn, lost, err));
    rc = psi_client_partitions(txn->client, &subscription, true, &found, err);
    exists = found.n > 0;
    psi_positions_clear(&found);
    if (rc != PS_OK || !exists)
        return rc;
    return mark(txn, ps_slice_of(txn->number_topic), txn->n_done < 0 ? 0 : txn->n_done, err);
}

static int64_t read_timeout(psi_client *client)
{
    char value[32] = "";
    size_t n_value = sizeof value;

    rd_kafka_conf_get(rd_kafka_conf(psi_client_rk(client)), "transaction.timeout.ms", value, &n_value);
    return atoll(value);
}

ps_status psi_txn_name(const char *query_id, char **out, ps_error *err)
{
    ps_bytes text = {0};

    *out = NULL;
    PS_TRY(ps_bytes_printf(&text, err, "pystream-%s", query_id));
    *out = ps_bytes_take(&text);
    return PS_OK;
}

ps_status psi_txn_open(psi_client *client, const ps_sink_request *request, const char *name, const char *topic, psi_lost lost,
                       psi_txn **out, ps_error *err)
{
    txn_call *call = NULL;
    psi_txn *txn = NULL;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_alloc0(sizeof *txn, &txn, err));
    txn->client = client;
    txn->topic = topic;
    txn->rerun_batch = request->rerun_batch;
    txn->n_done = -1;
    txn->stored = ps_clock_age_ticks() - RENEW_NS;
    txn->timeout_ms = read_timeout(client);
    PS_TRY_OR(fail, ps_strdup(name, &txn->name, err));
    PS_TRY_OR(fail, read_note(txn, request, err));
    PS_TRY_OR(fail, new_call(TXN_INIT, &call, err));
    PS_TRY_OR(fail, run_step(txn, call, patience_ms(txn), err));
    PS_TRY_OR(fail, read_number(txn, request, err));
    txn->marked = txn->n_notes > 0 && txn->n_done >= 0;
    if (txn->n_notes > 0 && txn->n_done < 0)
        PS_TRY_OR(fail, put_back(txn, lost, err));
    *out = txn;
    return PS_OK;
fail:
    psi_txn_close(txn);
    return rc;
}

void psi_txn_close(psi_txn *txn)
{
    if (!txn)
        return;
    psi_txn_abort(txn);
    ps_seqlog_close(txn->notes);
    ps_free(txn->number_topic);
    ps_free(txn->name);
    ps_free(txn);
}

/* --- batches ------------------------------------------------------------------------------------------------------------------------ */

bool psi_txn_has(const psi_txn *txn, int64_t batch_id) { return batch_id < txn->n_done; }

ps_status psi_txn_renew(psi_txn *txn, int64_t batch_id, ps_error *err)
{
    return txn->marked && ps_clock_age_ticks() - txn->stored >= RENEW_NS ? store(txn, batch_id, err) : PS_OK;
}

ps_status psi_txn_begin(psi_txn *txn, int64_t batch_id, ps_slice topic, ps_error *err)
{
    if (txn->open)
        return PS_OK;
    if (!txn->marked) /* steps 1 and 2 */
        PS_TRY(mark(txn, txn->topic ? ps_slice_of(txn->topic) : topic, batch_id, err));
    PS_TRY(start(txn, batch_id, err)); /* step 3 */
    return PS_FAILPOINT("kafka.begun", err);
}

ps_status psi_txn_commit(psi_txn *txn, ps_error *err)
{
    int64_t number = txn->batch_id + 1;

    if (!txn->open)
        return PS_OK;
    PS_TRY(PS_FAILPOINT("kafka.produced", err)); /* step 4 is the sink's */
    PS_TRY(send_number(txn, number, err));       /* step 5 */
    PS_TRY(PS_FAILPOINT("kafka.offsets_sent", err));
    PS_TRY(finish(txn, number, err));            /* step 6 */
    return PS_FAILPOINT("kafka.committed", err);
}

void psi_txn_abort(psi_txn *txn)
{
    txn_call *call = NULL;

    if (!txn->open || txn->abandoned || new_call(TXN_ABORT, &call, NULL) != PS_OK)
        return;
    run_step(txn, call, ABORT_MS, NULL);
    txn->open = false;
}
