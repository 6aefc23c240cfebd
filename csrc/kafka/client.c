/*
 * kafka/client.c - a client of librdkafka, its blocking calls on a thread of their own, and its log.
 *
 * A task belongs to the caller until he gives up; then it is marked abandoned and whoever is done with it last, the
 * thread, frees it.  The client itself is freed by the last of two: its owner and its thread.  It is the thread that ends
 * librdkafka, which waits for threads of its own, and they perhaps for a name server.
 */
#include "kafka/client.h"
#include "base/clock.h"
#include "base/logger.h"
#include "base/map.h"
#include "base/thread.h"
#include "expr/pattern.h"
#include "kafka/kafka_int.h"
#include <signal.h>
#include <stdio.h>

#define MAX_LINES 16
#define LINE_SIZE 512
#define CLOSE_MS 1000 /* how long a close waits for librdkafka to end */

typedef struct log_line { ps_log_level level; char text[LINE_SIZE]; } log_line;

typedef enum call_kind { CALL_METADATA, CALL_OFFSETS } call_kind;
typedef struct psi_call {
    psi_task task; /* first */
    call_kind kind;
    bool all_topics;                          /* METADATA */
    const struct rd_kafka_metadata *metadata; /* METADATA: the answer */
    rd_kafka_topic_partition_list_t *list;    /* OFFSETS: question and answer */
    rd_kafka_resp_err_t code;
} psi_call;

/* The first message that could not be delivered. */
typedef struct undelivered {
    rd_kafka_resp_err_t code; /* NO_ERROR: none */
    const char *reason;       /* librdkafka's, for ever */
    char what[300];           /* "Writing to t-0" */
} undelivered;

struct psi_client {
    ps_refs refs;          /* the owner's, and the thread's */
    rd_kafka_t *rk;
    psi_props_kept kept;
    bool quiet;
    ps_status (*check)(void *self, ps_error *err);
    void *check_self;
    ps_map topics;         /* name -> rd_kafka_topic_t */
    pthread_t thread;
    bool has_thread;
    ps_lock lock;          /* PS_RANK_LEAF; guards what follows */
    ps_cond cond;          /* a call, an answer, the end */
    psi_task *task;        /* to be taken by the thread */
    int timeout_ms;        /* of the task */
    bool running;          /* the thread is in librdkafka */
    bool closed;
    log_line lines[MAX_LINES];
    int n_lines, n_dropped;
    char failure[LINE_SIZE]; /* the last thing that went wrong with a connection, or "" */
    rd_kafka_resp_err_t refused; /* the brokers do not know who this is: no use in waiting */
    bool connected;        /* the last attempt to connect to a broker came to something */
    int n_trying;          /* brokers that may refuse an attempt at this moment */
    undelivered undelivered;
};

/* --- what librdkafka says ----------------------------------------------------------------------------------- */

/* @thread any: librdkafka's.  Lines of one reason come again and again; the newest of them will do. */
static void keep_line(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    psi_client *client = rd_kafka_opaque(rk);
    log_line *line;

    if (client->quiet && strcmp(facility, "CONFWARN") == 0)
        return;
    ps_lock_take(&client->lock);
    if (strcmp(facility, "FAIL") == 0 || strcmp(facility, "ERROR") == 0)
        snprintf(client->failure, sizeof client->failure, "%s", text);
    if (client->n_lines == MAX_LINES) {
        client->n_dropped++;
    } else {
        line = &client->lines[client->n_lines++];
        line->level = level <= 3 ? PS_LOG_ERROR : level <= 5 ? PS_LOG_WARNING : PS_LOG_INFO;
        snprintf(line->text, sizeof line->text, "%s", text);
    }
    ps_lock_drop(&client->lock);
}

/* TLS that was cut short, as by a broker that stops, is no refusal. */
static bool is_refusal(int code, const char *reason)
{
    if (code == RD_KAFKA_RESP_ERR__SSL)
        return !strstr(reason, "unexpected eof") && !strstr(reason, "SSL transport error");
    return code == RD_KAFKA_RESP_ERR__AUTHENTICATION;
}

/* On a thread that polls. */
static void note_error(rd_kafka_t *rk, int code, const char *reason, void *self)
{
    psi_client *client = self;

    PS_UNUSED(rk);
    if (!is_refusal(code, reason))
        return;
    ps_lock_take(&client->lock);
    client->refused = (rd_kafka_resp_err_t)code;
    snprintf(client->failure, sizeof client->failure, "%s", reason);
    ps_lock_drop(&client->lock);
}

/* What a broker may answer with a refusal: TLS, what versions it speaks, the login. */
static bool may_be_refused(const char *state)
{
    return strncmp(state, "SSL_", 4) == 0 || strncmp(state, "APIVERSION_", 11) == 0 || strncmp(state, "AUTH_", 5) == 0;
}

/* @thread any: librdkafka's, one for each broker.  Comes when it happens, while note_error comes when somebody polls: a refusal
 * that is over by then is none.  As librdkafka tells of a refusal before it calls the broker DOWN, nothing is decided while an
 * attempt is on its way.  The end of a connection that had been made is no attempt.
 * This is kept for the client, not for each broker: of several the last attempt counts, so where one broker refuses and another
 * lets the client in, the query fails or goes on as it happens; one that goes on ends in a time-out, which names the refusal,
 * when it needs the broker that refuses. */
static rd_kafka_resp_err_t note_state(rd_kafka_t *rk, int32_t id, const char *protocol, const char *name, int port, const char *state, void *self)
{
    static _Thread_local bool was_up, trying;
    bool up = strcmp(state, "UP") == 0, down = strcmp(state, "DOWN") == 0, tries = may_be_refused(state) || (trying && !up && !down);
    psi_client *client = self;

    PS_UNUSED(rk), PS_UNUSED(id), PS_UNUSED(protocol), PS_UNUSED(name), PS_UNUSED(port);
    ps_lock_take(&client->lock);
    client->n_trying += tries - trying;
    if (up || (down && !was_up))
        client->connected = up;
    ps_lock_drop(&client->lock);
    trying = tries;
    was_up = up || (was_up && !down);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t watch_states(rd_kafka_t *rk, const rd_kafka_conf_t *conf, void *self, char *reason, size_t n_reason)
{
    PS_UNUSED(conf), PS_UNUSED(reason), PS_UNUSED(n_reason);
    return rd_kafka_interceptor_add_on_broker_state_change(rk, "pystream", note_state, self);
}

static void tell(psi_client *client)
{
    log_line lines[MAX_LINES];
    int n, n_dropped;

    ps_lock_take(&client->lock);
    n = client->n_lines;
    n_dropped = client->n_dropped;
    memcpy(lines, client->lines, (size_t)n * sizeof *lines);
    client->n_lines = client->n_dropped = 0;
    ps_lock_drop(&client->lock);
    for (int i = 0; i < n; i++)
        ps_log(lines[i].level, "pystream.kafka", "%s", lines[i].text);
    if (n_dropped)
        ps_log(PS_LOG_WARNING, "pystream.kafka", "%d more lines were left out", n_dropped);
}

/* With SCRAM there is one more reason than a wrong password. */
#define SCRAM_SINCE 0x020601ff
static void hint_at_scram(psi_client *client, ps_error *err)
{
    char mechanism[32] = "";
    size_t size = sizeof mechanism;

    rd_kafka_conf_get(rd_kafka_conf(client->rk), "sasl.mechanism", mechanism, &size);
    if (rd_kafka_version() < SCRAM_SINCE && strncmp(mechanism, "SCRAM", 5) == 0)
        ps_error_append(err, " (Brokers of Kafka 4 refuse SCRAM of a librdkafka below 2.6.1; this is %s.)", rd_kafka_version_str());
}

static ps_status check_refused(psi_client *client, ps_error *err)
{
    char failure[LINE_SIZE];
    rd_kafka_resp_err_t code;
    ps_status rc;

    ps_lock_take(&client->lock);
    if (client->connected && client->n_trying == 0)
        client->refused = RD_KAFKA_RESP_ERR_NO_ERROR;
    code = client->n_trying == 0 ? client->refused : RD_KAFKA_RESP_ERR_NO_ERROR;
    memcpy(failure, client->failure, LINE_SIZE);
    ps_lock_drop(&client->lock);
    if (!code)
        return PS_OK;
    rc = ps_raise(err, PS_E_KAFKA_LOGIN, failure, rd_kafka_err2name(code));
    if (code == RD_KAFKA_RESP_ERR__AUTHENTICATION)
        hint_at_scram(client, err);
    return rc;
}

ps_status psi_client_tell(psi_client *client, ps_error *err)
{
    rd_kafka_poll(client->rk, 0); /* note_error, and reports of deliveries */
    tell(client);
    PS_TRY(check_refused(client, err));
    return client->check ? client->check(client->check_self, err) : PS_OK;
}

/* The last failure of a connection, and what is in the log with it. */
static void last_failure(psi_client *client, char out[LINE_SIZE])
{
    ps_lock_take(&client->lock);
    memcpy(out, client->failure, LINE_SIZE);
    ps_lock_drop(&client->lock);
    tell(client);
}

ps_status psi_client_raise_read(psi_client *client, const char *topic, int32_t partition, int64_t offset, int64_t ms, ps_error *err)
{
    char failure[LINE_SIZE];

    last_failure(client, failure);
    return ps_raise(err, PS_E_KAFKA_READ_TIMEOUT, (long long)offset, topic, (int)partition, (long long)ms, *failure ? " Last failure: " : "", failure);
}

ps_status psi_client_raise(psi_client *client, rd_kafka_resp_err_t code, const char *what, const char *reason, ps_error *err)
{
    char failure[LINE_SIZE];

    last_failure(client, failure);
    switch (code) {
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
        return ps_raise(err, PS_E_KAFKA_TIMEOUT, what, reason ? reason : rd_kafka_err2str(code), *failure ? " Last failure: " : "", failure);
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
        return ps_raise(err, PS_E_KAFKA_NO_LEADER, what, reason ? reason : rd_kafka_err2str(code), rd_kafka_err2name(code));
    default:
        return ps_raise(err, PS_E_KAFKA_FAILED, what, reason ? reason : rd_kafka_err2str(code), rd_kafka_err2name(code));
    }
}

/* A delivery report.  What was purged was given up by ourselves, or follows from a fatal error or a transaction's, which whoever
 * writes has to ask for. */
static void keep_undelivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    psi_client *client = opaque;
    undelivered *kept = &client->undelivered;

    PS_UNUSED(rk);
    if (!message->err || message->err == RD_KAFKA_RESP_ERR__PURGE_QUEUE || message->err == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT)
        return;
    ps_lock_take(&client->lock);
    if (!kept->code) {
        kept->code = message->err;
        kept->reason = rd_kafka_err2str(message->err);
        if (message->partition == RD_KAFKA_PARTITION_UA)
            snprintf(kept->what, sizeof kept->what, "Writing to %s", rd_kafka_topic_name(message->rkt));
        else
            snprintf(kept->what, sizeof kept->what, "Writing to %s-%d", rd_kafka_topic_name(message->rkt), (int)message->partition);
    }
    ps_lock_drop(&client->lock);
}

ps_status psi_client_undelivered(psi_client *client, ps_error *err)
{
    undelivered kept;

    ps_lock_take(&client->lock);
    kept.code = client->undelivered.code;
    if (kept.code)
        kept = client->undelivered;
    ps_lock_drop(&client->lock);
    return kept.code ? psi_client_raise(client, kept.code, kept.what, kept.reason, err) : PS_OK;
}

/* --- life -------------------------------------------------------------------------------------------------------- */

static void end_librdkafka(psi_client *client)
{
    if (client->rk)
        rd_kafka_destroy_flags(client->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

static void unref(psi_client *client)
{
    if (!ps_refs_dec(&client->refs))
        return;
    end_librdkafka(client); /* where there was no thread for it */
    ps_cond_clear(&client->cond);
    ps_lock_clear(&client->lock);
    ps_free(client);
}

static ps_status fill_conf(const psi_client_args *args, psi_client *client, rd_kafka_conf_t *conf, ps_error *err)
{
    char reason[LINE_SIZE];

    PS_TRY(psi_props_apply(args->options, args->producer, args->quiet, conf, &client->kept, err));
    for (int i = 0; args->fixed && args->fixed[i][0]; i++)
        if (rd_kafka_conf_set(conf, args->fixed[i][0], args->fixed[i][1], reason, sizeof reason) != RD_KAFKA_CONF_OK)
            return ps_raise(err, PS_E_KAFKA_FAILED, args->fixed[i][0], reason, "conf");
    rd_kafka_conf_set_opaque(conf, client);
    rd_kafka_conf_set_log_cb(conf, keep_line);
    rd_kafka_conf_set_error_cb(conf, note_error);
    rd_kafka_conf_interceptor_add_on_new(conf, "pystream", watch_states, client);
    if (args->producer)
        rd_kafka_conf_set_dr_msg_cb(conf, keep_undelivered);
    return PS_OK;
}

/* Signals are for the threads of the interpreter: librdkafka's are made with all of them blocked. */
static rd_kafka_t *make_quiet(rd_kafka_type_t type, rd_kafka_conf_t *conf, char *reason, size_t n_reason)
{
    sigset_t all, before;
    rd_kafka_t *rk;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rk = rd_kafka_new(type, conf, reason, n_reason);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rk;
}

ps_status psi_client_open(const psi_client_args *args, psi_client **out, ps_error *err)
{
    psi_client *client = NULL;
    char reason[LINE_SIZE];
    rd_kafka_conf_t *conf;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_alloc0(sizeof *client, &client, err));
    ps_refs_init(&client->refs);
    ps_lock_init(&client->lock, PS_RANK_LEAF);
    ps_cond_init(&client->cond);
    client->quiet = args->quiet;
    client->check = args->check;
    client->check_self = args->check_self;
    conf = rd_kafka_conf_new();
    PS_TRY_OR(fail, fill_conf(args, client, conf, err));
    client->rk = make_quiet(args->producer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER, conf, reason, sizeof reason);
    if (!client->rk) {
        rc = ps_raise(err, PS_E_KAFKA_PROPERTIES, reason);
        goto fail;
    }
    *out = client;
    return PS_OK;
fail:
    rd_kafka_conf_destroy(conf);
    unref(client);
    return rc;
}

rd_kafka_t *psi_client_rk(psi_client *client) { return client->rk; }
const psi_props_kept *psi_client_kept(const psi_client *client) { return &client->kept; }

ps_status psi_client_topic(psi_client *client, const char *name, rd_kafka_topic_t **out, ps_error *err)
{
    ps_status rc;

    *out = ps_map_get(&client->topics, ps_slice_of(name));
    if (*out)
        return PS_OK;
    *out = rd_kafka_topic_new(client->rk, name, NULL);
    if (!*out)
        return psi_client_raise(client, rd_kafka_last_error(), name, NULL, err);
    if ((rc = ps_map_put(&client->topics, ps_slice_of(name), *out, NULL, err)) != PS_OK) {
        rd_kafka_topic_destroy(*out);
        *out = NULL;
    }
    return rc;
}

/* --- calls that block ------------------------------------------------------------------------------------------------ */

static void *serve(void *arg)
{
    psi_client *client = arg;

    ps_thread_set_name("ps-kafka");
    ps_lock_take(&client->lock);
    while (!client->closed) {
        psi_task *task = client->task;
        int timeout_ms = client->timeout_ms;

        if (!task) {
            ps_cond_wait_ms(&client->cond, &client->lock, -1);
            continue;
        }
        client->task = NULL;
        client->running = true;
        ps_cond_wake_all(&client->cond);
        ps_lock_drop(&client->lock);
        task->run(task, client->rk, timeout_ms);
        ps_lock_take(&client->lock);
        client->running = false;
        task->done = true;
        if (task->abandoned)
            task->free(task);
        ps_cond_wake_all(&client->cond);
    }
    ps_lock_drop(&client->lock);
    end_librdkafka(client);
    ps_lock_take(&client->lock);
    client->rk = NULL;
    ps_cond_wake_all(&client->cond);
    ps_lock_drop(&client->lock);
    unref(client);
    return NULL;
}

/* With the lock held: several cursors may come with their first look-up at a time. */
static ps_status start_thread(psi_client *client, ps_error *err)
{
    sigset_t all, before;
    int error;

    if (client->has_thread)
        return PS_OK;
    ps_refs_inc(&client->refs);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&client->thread, NULL, serve, client);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    client->has_thread = error == 0;
    if (error == 0)
        return PS_OK;
    ps_refs_dec(&client->refs);
    return ps_raise(err, PS_E_IO, "start", "a thread for Kafka", strerror(error));
}

/* Waits with the lock held until the task is done; `check` may end the wait. */
static ps_status wait_for(psi_client *client, psi_task *task, ps_error *err)
{
    ps_status rc = PS_OK;

    while (!task->done && rc == PS_OK) {
        if (ps_cond_wait_ms(&client->cond, &client->lock, PSI_KAFKA_WAIT_MS))
            continue;
        ps_lock_drop(&client->lock);
        rc = psi_client_tell(client, err);
        ps_lock_take(&client->lock);
    }
    return rc;
}

ps_status psi_client_run(psi_client *client, psi_task *task, int timeout_ms, ps_error *err)
{
    ps_status rc;

    ps_lock_take(&client->lock);
    if ((rc = start_thread(client, err)) != PS_OK) {
        ps_lock_drop(&client->lock);
        task->free(task);
        return rc;
    }
    while (client->task) /* of another cursor; the thread takes it when it is free */
        ps_cond_wait_ms(&client->cond, &client->lock, PSI_KAFKA_WAIT_MS);
    client->task = task;
    client->timeout_ms = timeout_ms;
    ps_cond_wake_all(&client->cond);
    rc = wait_for(client, task, err);
    task->abandoned = rc != PS_OK && !task->done && client->task != task;
    if (client->task == task) /* the thread has not taken it */
        client->task = NULL;
    if (rc != PS_OK && !task->abandoned)
        task->free(task);
    ps_lock_drop(&client->lock);
    return rc;
}

static void drop_topics(psi_client *client)
{
    for (int i = 0; i < client->topics.n; i++)
        rd_kafka_topic_destroy(client->topics.items[i].value);
    ps_map_clear(&client->topics);
}

void psi_client_close(psi_client *client)
{
    int64_t until = ps_clock_ticks() / 1000000 + CLOSE_MS;
    bool ended;

    if (!client)
        return;
    drop_topics(client);
    ps_lock_take(&client->lock);
    start_thread(client, NULL);
    client->closed = true;
    client->check = NULL; /* of a caller who is gone */
    ps_cond_wake_all(&client->cond);
    while (client->has_thread && !client->running && client->rk && ps_clock_ticks() / 1000000 < until)
        ps_cond_wait_ms(&client->cond, &client->lock, PSI_KAFKA_WAIT_MS);
    ended = !client->rk;
    ps_lock_drop(&client->lock);
    if (client->has_thread && ended)
        pthread_join(client->thread, NULL);
    else if (client->has_thread)
        pthread_detach(client->thread); /* it ends when librdkafka gives the call back, or has ended */
    tell(client);
    unref(client);
}

/* --- look-ups ---------------------------------------------------------------------------------------------------------- */

static void free_call(psi_task *task)
{
    psi_call *call = (psi_call *)task;

    if (call->metadata)
        rd_kafka_metadata_destroy(call->metadata);
    if (call->list)
        rd_kafka_topic_partition_list_destroy(call->list);
    ps_free(call);
}

static void run_call(psi_task *task, rd_kafka_t *rk, int timeout_ms)
{
    psi_call *call = (psi_call *)task;

    if (call->kind == CALL_METADATA)
        call->code = rd_kafka_metadata(rk, call->all_topics, NULL, &call->metadata, timeout_ms);
    else
        call->code = rd_kafka_offsets_for_times(rk, call->list, timeout_ms);
}

static ps_status new_call(call_kind kind, psi_call **out, ps_error *err)
{
    PS_TRY(ps_alloc0(sizeof **out, out, err));
    (*out)->task.run = run_call;
    (*out)->task.free = free_call;
    (*out)->kind = kind;
    return PS_OK;
}

/* Asks and waits.  After PS_OK the call is the caller's again; otherwise it is gone. */
static ps_status ask(psi_client *client, psi_call *call, const char *what, ps_error *err)
{
    rd_kafka_resp_err_t code;

    PS_TRY(psi_client_run(client, &call->task, (int)client->kept.api_timeout_ms, err));
    code = call->code;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return PS_OK;
    free_call(&call->task);
    return psi_client_raise(client, code, what, NULL, err);
}

/* --- partitions ------------------------------------------------------------------------------------------------------ */

/* Topics that Kafka keeps for itself are never found by a pattern.  A pattern need not match the whole name, as in Spark. */
static bool is_internal(const char *topic)
{
    static const char *const names[] = {"__consumer_offsets", "__transaction_state", "__share_group_state"};

    for (size_t i = 0; i < PS_COUNT_OF(names); i++)
        if (strcmp(topic, names[i]) == 0)
            return true;
    return false;
}

static ps_status is_subscribed(const psi_subscription *subscription, const char *topic, bool *out, ps_error *err)
{
    *out = false;
    if (subscription->kind == PSI_PATTERN)
        return is_internal(topic) ? PS_OK : ps_pattern_find(subscription->pattern, ps_slice_of(topic), out, err);
    for (int i = 0; i < subscription->n_topics && !*out; i++)
        *out = strcmp(subscription->topics[i], topic) == 0;
    for (int i = 0; i < subscription->assigned.n && !*out; i++)
        *out = strcmp(subscription->assigned.items[i].topic, topic) == 0;
    return PS_OK;
}

static ps_status take_topic(psi_client *client, const struct rd_kafka_metadata_topic *topic, const psi_subscription *subscription,
                            bool lenient, psi_positions *out, ps_error *err)
{
    bool wanted;

    PS_TRY(is_subscribed(subscription, topic->topic, &wanted, err));
    if (!wanted)
        return PS_OK;
    if (topic->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || topic->err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
        return lenient ? PS_OK : ps_raise(err, PS_E_KAFKA_TOPIC_MISSING, topic->topic);
    if (topic->err != RD_KAFKA_RESP_ERR_NO_ERROR && topic->partition_cnt == 0)
        return psi_client_raise(client, topic->err, topic->topic, NULL, err);
    for (int i = 0; i < topic->partition_cnt; i++) {
        int32_t id = topic->partitions[i].id;

        if (subscription->kind == PSI_ASSIGN && !psi_positions_find(&subscription->assigned, topic->topic, id))
            continue;
        PS_TRY(psi_positions_set(out, topic->topic, id, 0, err));
    }
    return PS_OK;
}

/* Makes the topics known to librdkafka, which asks for those it knows. */
static ps_status name_topics(psi_client *client, const psi_subscription *subscription, ps_error *err)
{
    rd_kafka_topic_t *topic;

    for (int i = 0; i < subscription->n_topics; i++)
        PS_TRY(psi_client_topic(client, subscription->topics[i], &topic, err));
    for (int i = 0; i < subscription->assigned.n; i++)
        PS_TRY(psi_client_topic(client, subscription->assigned.items[i].topic, &topic, err));
    return PS_OK;
}

ps_status psi_client_partitions(psi_client *client, const psi_subscription *subscription, bool lenient, psi_positions *out, ps_error *err)
{
    psi_call *call = NULL;
    ps_status rc = PS_OK;

    PS_TRY(name_topics(client, subscription, err));
    PS_TRY(new_call(CALL_METADATA, &call, err));
    call->all_topics = subscription->kind == PSI_PATTERN;
    PS_TRY(ask(client, call, "Listing topics", err));
    for (int i = 0; rc == PS_OK && i < call->metadata->topic_cnt; i++)
        rc = take_topic(client, &call->metadata->topics[i], subscription, lenient, out, err);
    free_call(&call->task);
    return rc;
}

/* --- offsets ----------------------------------------------------------------------------------------------------------- */

static ps_status take_offsets(psi_client *client, const psi_call *call, psi_positions *set, ps_error *err)
{
    char what[300];

    for (int i = 0; i < call->list->cnt; i++) {
        const rd_kafka_topic_partition_t *found = &call->list->elems[i];
        psi_position *item = psi_positions_find(set, found->topic, found->partition);

        if (found->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            snprintf(what, sizeof what, "Looking up offsets of %s-%d", found->topic, (int)found->partition);
            return psi_client_raise(client, found->err, what, NULL, err);
        }
        if (item)
            item->offset = found->offset;
    }
    return PS_OK;
}

ps_status psi_client_offsets(psi_client *client, psi_positions *set, ps_error *err)
{
    psi_call *call = NULL;
    ps_status rc;

    if (set->n == 0)
        return PS_OK;
    PS_TRY(new_call(CALL_OFFSETS, &call, err));
    call->list = rd_kafka_topic_partition_list_new(set->n);
    for (int i = 0; i < set->n; i++)
        rd_kafka_topic_partition_list_add(call->list, set->items[i].topic, set->items[i].partition)->offset = set->items[i].offset;
    PS_TRY(ask(client, call, "Looking up offsets", err));
    rc = take_offsets(client, call, set, err);
    free_call(&call->task);
    return rc;
}
