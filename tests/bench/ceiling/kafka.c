/*
 * tests/bench/ceiling/kafka.c - librdkafka alone: reading a topic to its end, bare or with the work on each event, and
 * writing to one.
 *
 *   gcc -O3 -D_GNU_SOURCE tests/bench/ceiling/kafka.c -o kafka $(pkg-config --cflags --libs rdkafka)
 *   ./kafka consume SERVERS TOPIC PARTITIONS MESSAGES ROUNDS
 *   ./kafka count SERVERS TOPIC PARTITIONS MESSAGES ROUNDS DIRECTORY RESULT    (of ysb-ads.csv; the rows counted)
 *   ./kafka produce SERVERS TOPIC PARTITIONS MESSAGES ROUNDS
 *
 * Prints "wall <tab> cpu <tab> messages" for each round after the first.  The properties are those of the engine's clients.
 */
#include "ysb.h"
#include <librdkafka/rdkafka.h>
#include <stdbool.h>

#define BATCH 8192
#define PAYLOAD 100

static const char *const reading[][2] = {{"group.id", "bench"}, {"auto.offset.reset", "error"}, {"enable.auto.commit", "false"}, {"check.crcs", "true"},
    {"isolation.level", "read_uncommitted"}, {"queued.min.messages", "100000"}, {"queued.max.messages.kbytes", "65536"}};
static const char *const writing[][2] = {{"enable.idempotence", "true"}, {"partitioner", "murmur2_random"}, {"linger.ms", "0"},
    {"queue.buffering.max.kbytes", "32768"}, {"queue.buffering.max.messages", "10000000"}, {"delivery.report.only.error", "true"}};

static rd_kafka_t *client(rd_kafka_type_t type, const char *servers, const char *const (*pairs)[2], size_t n)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char reason[512];
    rd_kafka_t *rk;

    if (rd_kafka_conf_set(conf, "bootstrap.servers", servers, reason, sizeof reason) != RD_KAFKA_CONF_OK)
        exit(2);
    for (size_t i = 0; i < n; i++)
        if (rd_kafka_conf_set(conf, pairs[i][0], pairs[i][1], reason, sizeof reason) != RD_KAFKA_CONF_OK) {
            fprintf(stderr, "%s\n", reason);
            exit(2);
        }
    if (rd_kafka_version() >= 0x020200ff && type == RD_KAFKA_CONSUMER)
        rd_kafka_conf_set(conf, "fetch.queue.backoff.ms", "10", reason, sizeof reason);
    if ((rk = rd_kafka_new(type, conf, reason, sizeof reason)) == NULL) {
        fprintf(stderr, "%s\n", reason);
        exit(2);
    }
    return rk;
}

static int64_t consume(const char *servers, const char *topic, int partitions, int64_t wanted, bool counts)
{
    rd_kafka_t *rk = client(RD_KAFKA_CONSUMER, servers, reading, sizeof reading / sizeof *reading);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    static rd_kafka_message_t *messages[BATCH];
    rd_kafka_queue_t *queue;
    int64_t n = 0, n_bytes = 0;

    for (int i = 0; i < partitions; i++)
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = 0;
    rd_kafka_poll_set_consumer(rk);
    if (rd_kafka_assign(rk, list) != RD_KAFKA_RESP_ERR_NO_ERROR)
        exit(2);
    rd_kafka_topic_partition_list_destroy(list);
    queue = rd_kafka_queue_get_consumer(rk);
    while (n < wanted) {
        ssize_t got = rd_kafka_consume_batch_queue(queue, 1, messages, BATCH);

        for (ssize_t i = 0; i < got; i++) {
            if (messages[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
                n++;
                n_bytes += (int64_t)messages[i]->len;
                if (counts)
                    take_event(messages[i]->payload);
            }
            rd_kafka_message_destroy(messages[i]);
        }
    }
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    return n_bytes > 0 ? n : 0;
}

static int64_t produce(const char *servers, const char *topic, int64_t wanted)
{
    rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, servers, writing, sizeof writing / sizeof *writing);
    rd_kafka_topic_t *handle = rd_kafka_topic_new(rk, topic, NULL);
    static rd_kafka_message_t messages[BATCH];
    static char payload[PAYLOAD + 1] = "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789";
    int64_t n = 0;

    while (n < wanted) {
        int size = wanted - n < BATCH ? (int)(wanted - n) : BATCH;

        for (int i = 0; i < size; i++)
            messages[i] = (rd_kafka_message_t){.payload = payload, .len = PAYLOAD};
        for (int done = 0; done < size;) {
            int sent = rd_kafka_produce_batch(handle, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, messages, size);

            done += sent;
            if (done < size) { /* those that did not fit move to the front */
                int left = 0;
                for (int i = 0; i < size; i++)
                    if (messages[i].err != RD_KAFKA_RESP_ERR_NO_ERROR)
                        messages[left++] = (rd_kafka_message_t){.payload = payload, .len = PAYLOAD};
                size = left;
                done = 0;
                rd_kafka_poll(rk, 1);
            }
            if (done == size)
                break;
        }
        n += BATCH < wanted - n ? BATCH : wanted - n;
    }
    while (rd_kafka_flush(rk, 1000) == RD_KAFKA_RESP_ERR__TIMED_OUT) {}
    rd_kafka_topic_destroy(handle);
    rd_kafka_destroy(rk);
    return n;
}

int main(int argc, char **argv)
{
    bool counts = argc == 9 && strcmp(argv[1], "count") == 0;
    FILE *out;

    if (argc != (counts ? 9 : 7))
        return 2;
    for (int i = 0, rounds = atoi(argv[6]); i <= rounds; i++) {
        double wall = seconds_of(CLOCK_MONOTONIC), cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
        int64_t n;

        if (counts)
            begin_counting(argv[7]);
        n = strcmp(argv[1], "produce") == 0 ? produce(argv[2], argv[3], atoll(argv[5]))
                                            : consume(argv[2], argv[3], atoi(argv[4]), atoll(argv[5]), counts);
        wall = seconds_of(CLOCK_MONOTONIC) - wall;
        cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
        if (i > 0)
            printf("%.4f\t%.4f\t%lld\n", wall, cpu, (long long)n);
    }
    if (!counts)
        return 0;
    if ((out = fopen(argv[8], "w")) == NULL)
        return 2;
    result(out);
    return fclose(out) ? 2 : 0;
}
