/*
 * kafka/client.h - one client of the brokers: a consumer or a producer of librdkafka, and what a query needs around it.
 *
 * Nothing here keeps a stop waiting.  A call that blocks in librdkafka runs on a thread of the client while the caller
 * asks its `check` every 50 ms; a caller that gives up leaves it to end by itself, and the client with it.
 * Lines that librdkafka's threads log are kept, and go to the host's log (base/logger.h, "pystream.kafka") whenever the
 * caller waits or calls psi_client_tell(), so that the first failed connection is told at once.
 * Threads: a client belongs to its query's or action's thread, but for what says otherwise: workers that read partitions look up
 * offsets as well.  The functions of psi_client_rk() are librdkafka's, for any thread.
 */
#ifndef PS_KAFKA_CLIENT_H
#define PS_KAFKA_CLIENT_H
#include "base/option.h"
#include "kafka/positions.h"
#include "kafka/props.h"

typedef struct psi_client psi_client;

typedef struct psi_client_args {
    bool producer;
    bool quiet;                        /* beside another client of the same options, which warned of what it could not take */
    const ps_options *options;         /* the user's: kafka.* become properties (props.h) */
    const char *const (*fixed)[2];     /* pairs of librdkafka's own names that the user cannot change; ended by NULL */
    ps_status (*check)(void *self, ps_error *err); /* raises when the caller is to give up; or NULL */
    void *check_self;
} psi_client_args;

/* Fails with IllegalArgumentException for properties; makes no connection yet. */
ps_status psi_client_open(const psi_client_args *args, psi_client **out, ps_error *err);
void psi_client_close(psi_client *client); /* accepts NULL; what waits to be sent is dropped */

rd_kafka_t *psi_client_rk(psi_client *client);
const psi_props_kept *psi_client_kept(const psi_client *client);
/* What librdkafka had to say goes to the log; raises when the brokers refused the client, and what check() of the caller raises.
 * @thread any; @locks the client's, but not while it logs or calls check() */
ps_status psi_client_tell(psi_client *client, ps_error *err);

/* Which topics, and so which partitions. */
typedef enum psi_subscribe { PSI_ASSIGN, PSI_SUBSCRIBE, PSI_PATTERN } psi_subscribe;
typedef struct psi_subscription {
    psi_subscribe kind;
    psi_positions assigned;            /* ASSIGN: offsets mean nothing */
    char **topics;                     /* SUBSCRIBE */
    int n_topics;
    struct ps_pattern *pattern;        /* PATTERN (expr/pattern.h) */
} psi_subscription;

/* The partitions there are now, their offsets zero.  A topic of `topics` that is not there raises KAFKA_TOPIC_MISSING,
 * unless `lenient`. */
ps_status psi_client_partitions(psi_client *client, const psi_subscription *subscription, bool lenient, psi_positions *out, ps_error *err);
/* Replaces each offset, which is PSI_LATEST, PSI_EARLIEST or milliseconds since 1970, by the offset that it stands for.  A
 * time behind the last record gives PSI_LATEST.  Raises when a partition has none to tell.  @thread any; @locks the client's */
ps_status psi_client_offsets(psi_client *client, psi_positions *set, ps_error *err);
/* The handle of a topic, which stays the client's. */
ps_status psi_client_topic(psi_client *client, const char *name, rd_kafka_topic_t **out, ps_error *err);

/* A call that blocks in librdkafka, as the head of what it asks and answers. */
typedef struct psi_task {
    void (*run)(struct psi_task *task, rd_kafka_t *rk, int timeout_ms); /* on the client's thread */
    void (*free)(struct psi_task *task);
    bool done, abandoned; /* the client's */
} psi_task;
/* Runs a task and waits for it.  After PS_OK it is the caller's again; otherwise it is the client's, who frees it when
 * librdkafka has given the call back.  While an abandoned task runs, another one waits for it.  @thread any; @locks the client's,
 * but not while the task runs */
ps_status psi_client_run(psi_client *client, psi_task *task, int timeout_ms, ps_error *err);

/* Producer: raises when a message could not be delivered since the client was made, with the first one's reason.  Reports
 * come while librdkafka is polled or flushed, from whatever thread. */
ps_status psi_client_undelivered(psi_client *client, ps_error *err);

/* Raises what librdkafka says of `what` ("Reading t-0"): a time-out names the last failed connection. */
ps_status psi_client_raise(psi_client *client, rd_kafka_resp_err_t code, const char *what, const char *reason, ps_error *err);
/* The same for a partition that brought nothing in so many milliseconds. */
ps_status psi_client_raise_read(psi_client *client, const char *topic, int32_t partition, int64_t offset, int64_t ms, ps_error *err);
#endif
