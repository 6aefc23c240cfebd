/*
 * kafka/reader.c - partitions being fetched, each into a queue of its own.
 *
 * librdkafka's batch calls wait until the array is full or the time is over, so they are only ever asked for what is there
 * (no time at all); waiting is done on a condition that the queues' callback signals.
 * Control records, aborted transactions and compacted offsets give no message.  That a range has ended then shows in a
 * message behind it, or in the mark of the partition's end, which carries the offset that the fetches have come to.
 */
#include "kafka/reader.h"
#include "base/thread.h"
#include "kafka/kafka_int.h"
#include <stdio.h>

/* Before 2.2 librdkafka looks at a queue that was full only once a second, unless its thread is woken by something else. */
#define NUDGE_BELOW 0x020200ff
#define NUDGE_MESSAGES 32768
#define MAX_KEPT 2048

struct psi_part {
    psi_reader *reader;
    const char *topic; /* the reader's client has it */
    int32_t partition;
    rd_kafka_topic_t *handle;
    rd_kafka_queue_t *queue;
    bool started;
    bool faulted;              /* nothing is fetched any more */
    int64_t next;              /* what was given out lies below */
    int64_t end;               /* fetches came to the partition's end here; -1: not yet */
    rd_kafka_message_t **kept; /* taken from the queue, not given out yet: in order, from kept_at on */
    int kept_at, n_kept;
    int64_t since_nudge;
};

struct psi_reader {
    psi_client *client;
    ps_source_waker waker;
    psi_part **parts;
    int n_parts, capacity;
    _Atomic int64_t n_bytes, n_messages; /* taken */
    bool nudge;
    ps_lock lock;              /* PS_RANK_LEAF; guards arrivals */
    ps_cond cond;
    uint64_t arrivals;
};

/* --- life ------------------------------------------------------------------------------------------------------- */

ps_status psi_reader_open(psi_client *client, const ps_source_waker *waker, psi_reader **out, ps_error *err)
{
    psi_reader *reader = NULL;
    ps_status rc;

    *out = NULL;
    if ((rc = ps_alloc0(sizeof *reader, &reader, err)) != PS_OK) {
        psi_client_close(client);
        return rc;
    }
    reader->client = client;
    reader->nudge = rd_kafka_version() < NUDGE_BELOW;
    ps_lock_init(&reader->lock, PS_RANK_LEAF);
    ps_cond_init(&reader->cond);
    if (waker && waker->self)
        reader->waker = *waker;
    if (reader->waker.self)
        reader->waker.self = reader->waker.ref(reader->waker.self);
    *out = reader;
    return PS_OK;
}

static void drop_kept(psi_part *part)
{
    for (int i = part->kept_at; i < part->n_kept; i++)
        rd_kafka_message_destroy(part->kept[i]);
    part->kept_at = part->n_kept = 0;
}

static void stop_part(psi_part *part)
{
    drop_kept(part);
    if (!part->queue)
        return;
    rd_kafka_queue_cb_event_enable(part->queue, NULL, NULL);
    if (part->started)
        rd_kafka_consume_stop(part->handle, part->partition);
    rd_kafka_queue_destroy(part->queue);
    part->queue = NULL;
    part->started = false;
}

static void free_part(psi_part *part)
{
    stop_part(part);
    ps_free(part->kept);
    ps_free(part);
}

void psi_reader_close(psi_reader *reader)
{
    if (!reader)
        return;
    for (int i = 0; i < reader->n_parts; i++)
        free_part(reader->parts[i]);
    ps_free(reader->parts);
    psi_client_close(reader->client);
    if (reader->waker.self)
        reader->waker.unref(reader->waker.self);
    ps_cond_clear(&reader->cond);
    ps_lock_clear(&reader->lock);
    ps_free(reader);
}

psi_client *psi_reader_client(psi_reader *reader) { return reader->client; }

/* --- waiting ------------------------------------------------------------------------------------------------------- */

/* @thread librdkafka's, which holds the lock of its queue: nothing here may call librdkafka. */
static void arrived(rd_kafka_t *rk, void *self)
{
    psi_reader *reader = self;

    PS_UNUSED(rk);
    ps_lock_take(&reader->lock);
    reader->arrivals++;
    ps_cond_wake_all(&reader->cond);
    ps_lock_drop(&reader->lock);
    if (reader->waker.self)
        reader->waker.wake(reader->waker.self);
}

uint64_t psi_reader_arrivals(psi_reader *reader)
{
    uint64_t arrivals;

    ps_lock_take(&reader->lock);
    arrivals = reader->arrivals;
    ps_lock_drop(&reader->lock);
    return arrivals;
}

void psi_reader_wait(psi_reader *reader, uint64_t seen, int64_t ms)
{
    ps_lock_take(&reader->lock);
    if (reader->arrivals == seen)
        ps_cond_wait_ms(&reader->cond, &reader->lock, ms);
    ps_lock_drop(&reader->lock);
}

double psi_reader_mean_bytes(psi_reader *reader)
{
    int64_t n = atomic_load(&reader->n_messages);

    return n ? (double)atomic_load(&reader->n_bytes) / (double)n : 0;
}

/* --- partitions ------------------------------------------------------------------------------------------------------ */

ps_status psi_part_seek(psi_part *part, int64_t offset, ps_error *err)
{
    char what[300];

    stop_part(part);
    part->faulted = false;
    part->next = offset;
    part->end = -1;
    part->queue = rd_kafka_queue_new(psi_client_rk(part->reader->client));
    rd_kafka_queue_cb_event_enable(part->queue, arrived, part->reader);
    if (rd_kafka_consume_start_queue(part->handle, part->partition, offset, part->queue) == 0) {
        part->started = true;
        return PS_OK;
    }
    snprintf(what, sizeof what, "Reading %s-%d", part->topic, (int)part->partition);
    return psi_client_raise(part->reader->client, rd_kafka_last_error(), what, NULL, err);
}

ps_status psi_part_at(psi_part *part, int64_t offset, ps_error *err)
{
    return part->started && !part->faulted && part->next == offset ? PS_OK : psi_part_seek(part, offset, err);
}

static ps_status new_part(psi_reader *reader, const char *topic, int32_t partition, psi_part **out, ps_error *err)
{
    psi_part *part = NULL;
    ps_status rc;

    PS_TRY(ps_alloc0(sizeof *part, &part, err));
    part->reader = reader;
    part->partition = partition;
    PS_TRY_OR(fail, psi_client_topic(reader->client, topic, &part->handle, err));
    part->topic = rd_kafka_topic_name(part->handle);
    PS_TRY_OR(fail, ps_grow(&reader->parts, reader->n_parts, &reader->capacity, sizeof *reader->parts, err));
    reader->parts[reader->n_parts++] = part;
    *out = part;
    return PS_OK;
fail:
    ps_free(part);
    return rc;
}

ps_status psi_reader_at(psi_reader *reader, const char *topic, int32_t partition, int64_t offset, psi_part **out, ps_error *err)
{
    psi_part *part = NULL;

    *out = NULL;
    for (int i = 0; i < reader->n_parts && !part; i++)
        if (reader->parts[i]->partition == partition && strcmp(reader->parts[i]->topic, topic) == 0)
            part = reader->parts[i];
    if (!part)
        PS_TRY(new_part(reader, topic, partition, &part, err));
    *out = part;
    return psi_part_at(part, offset, err);
}

void psi_reader_keep_only(psi_reader *reader, const psi_positions *kept)
{
    for (int i = 0; i < reader->n_parts;) {
        if (psi_positions_find(kept, reader->parts[i]->topic, reader->parts[i]->partition)) {
            i++;
            continue;
        }
        free_part(reader->parts[i]);
        reader->parts[i] = reader->parts[--reader->n_parts];
    }
}

int64_t psi_part_next(const psi_part *part) { return part->next; }

/* --- taking messages --------------------------------------------------------------------------------------------------- */

/* What stands in the place of a message: the mark of the end, or why there are no more. */
static ps_status take_event(psi_part *part, const rd_kafka_message_t *event, psi_fault *fault, ps_error *err)
{
    char what[300];

    switch (event->err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
        part->end = event->offset;
        return PS_OK;
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
        *fault = PSI_FAULT_OUT_OF_RANGE;
        return PS_OK;
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
        *fault = PSI_FAULT_GONE;
        return PS_OK;
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
        return PS_OK; /* librdkafka tries again; the poll time-out bounds it */
    default:
        snprintf(what, sizeof what, "Reading %s-%d", part->topic, (int)part->partition);
        return psi_client_raise(part->reader->client, event->err, what, rd_kafka_message_errstr(event), err);
    }
}

/* Wakes the thread that fetches: any request to the partition's leader does; nobody waits for the answer. */
static void nudge(psi_part *part)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

    rd_kafka_topic_partition_list_add(list, part->topic, part->partition)->offset = RD_KAFKA_OFFSET_END;
    rd_kafka_offsets_for_times(psi_client_rk(part->reader->client), list, 0);
    rd_kafka_topic_partition_list_destroy(list);
    part->since_nudge = 0;
}

/* What is in the queue now, when all before it was given out. */
static ps_status refill(psi_part *part, ps_error *err)
{
    ssize_t got;

    if (part->kept_at < part->n_kept)
        return PS_OK;
    if (!part->kept)
        PS_TRY(ps_alloc(MAX_KEPT * sizeof *part->kept, &part->kept, err));
    got = rd_kafka_consume_batch_queue(part->queue, 0, part->kept, MAX_KEPT);
    part->kept_at = 0;
    part->n_kept = got > 0 ? (int)got : 0;
    if (part->reader->nudge && (part->since_nudge += part->n_kept) >= NUDGE_MESSAGES)
        nudge(part);
    return PS_OK;
}

/* The first kept message, or event, or NULL. */
static rd_kafka_message_t *front(const psi_part *part) { return part->kept_at < part->n_kept ? part->kept[part->kept_at] : NULL; }

static void count(psi_reader *reader, int64_t n_bytes, int n)
{
    atomic_fetch_add_explicit(&reader->n_bytes, n_bytes, memory_order_relaxed);
    atomic_fetch_add_explicit(&reader->n_messages, n, memory_order_relaxed);
}

ps_status psi_part_take(psi_part *part, int64_t to, rd_kafka_message_t **messages, int max, int *n, bool *ended, psi_fault *fault, ps_error *err)
{
    rd_kafka_message_t *message;
    int64_t n_bytes = 0;
    ps_status rc = PS_OK;

    *n = 0;
    *ended = false;
    *fault = PSI_FAULT_NONE;
    PS_TRY(refill(part, err));
    while (*n < max && (message = front(part)) != NULL) {
        if (message->err ? *n > 0 : message->offset >= to) /* what was read before an event comes first */
            break;
        part->kept_at++;
        if (!message->err && message->offset >= part->next) {
            part->next = message->offset + 1;
            n_bytes += (int64_t)(message->len + message->key_len);
            messages[(*n)++] = message;
            continue;
        }
        rc = message->err ? take_event(part, message, fault, err) : PS_OK;
        rd_kafka_message_destroy(message);
        part->faulted = *fault != PSI_FAULT_NONE;
        if (rc != PS_OK || part->faulted)
            return rc;
    }
    count(part->reader, n_bytes, *n);
    message = front(part);
    *ended = part->next >= to || (message && !message->err && message->offset >= to) || (!message && *n == 0 && part->end >= to);
    if (*ended && part->next < to)
        part->next = to;
    return PS_OK;
}
