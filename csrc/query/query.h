/*
 * query/query.h - a streaming query from start to stop.
 *
 * ps_query_start() checks the plan, resolves the checkpoint, reads or makes `metadata`, registers the query and
 * returns; nothing runs yet.  The caller then gives the query a thread, which calls ps_query_run() and stays in
 * it until the query ends (the binding uses a Python thread, C tests a pthread).  All other functions are
 * @thread any, @locks PS_RANK_QUERY.
 */
#ifndef PS_QUERY_QUERY_H
#define PS_QUERY_QUERY_H
#include "query/session.h"

typedef struct ps_query ps_query;

typedef enum ps_trigger_kind { PS_TRIGGER_INTERVAL, PS_TRIGGER_ONCE, PS_TRIGGER_AVAILABLE_NOW, PS_TRIGGER_CONTINUOUS, PS_TRIGGER_MANUAL } ps_trigger_kind;
typedef struct ps_trigger { ps_trigger_kind kind; int64_t interval_ms; } ps_trigger;
/* "5 seconds" as trigger(processingTime=...) reads it (execution.md 3). */
ps_status ps_trigger_parse_interval(const char *text, int64_t *out_ms, ps_error *err);

typedef struct ps_query_request {
    ps_node *node;
    const char *format;            /* sink */
    const char *name;              /* or NULL */
    const char *mode;              /* append, update, complete */
    const ps_options *options;     /* with path, checkpointLocation */
    const char *const *partition_by;
    int n_partition_by;
    ps_trigger trigger;
    ps_callback *callback;         /* borrowed for the query's life */
    /* Posted on the query's thread: "started", "progress", "idle", "terminated" with a JSON text. May be NULL. */
    void (*event)(void *self, const char *kind, const char *json);
    void *event_self;
} ps_query_request;

ps_status ps_query_start(ps_session *session, const ps_query_request *request, ps_query **out, ps_error *err);
ps_query *ps_query_ref(ps_query *query);
void ps_query_unref(ps_query *query);
/* Runs until the query ends.  Never fails: the reason is kept (ps_query_error). */
void ps_query_run(ps_query *query);

const char *ps_query_id(const ps_query *query);
const char *ps_query_run_id(const ps_query *query);
const char *ps_query_name(const ps_query *query); /* or NULL */
bool ps_query_is_active(ps_query *query);
bool ps_query_is_own_thread(ps_query *query);
/* Asks the query to stop and returns at once; ps_query_wait() waits for the end. */
void ps_query_stop(ps_query *query);
/* True when it ended within ms (negative: for ever; callers slice to poll signals). */
bool ps_query_wait(ps_query *query, int64_t ms);
/* Waits for "no data left" (execution.md 1.5): *done false on time-out. Raises what ended the query. */
ps_status ps_query_process_all(ps_query *query, int64_t ms, bool *done, ps_error *err);
/* Why the query failed: false when it did not. */
bool ps_query_error(ps_query *query, ps_error *out);
/* The block "=== Streaming Query === ..." of an exception's text (1.7). */
ps_status ps_query_describe_failure(ps_query *query, ps_bytes *out, ps_error *err);
ps_status ps_query_status_json(ps_query *query, ps_bytes *out, ps_error *err);
ps_status ps_query_progress_json(ps_query *query, bool all, ps_bytes *out, ps_error *err); /* a JSON array; the last one only when !all */
ps_status ps_query_explain(ps_query *query, bool extended, ps_bytes *out, ps_error *err);
ps_status ps_query_explain_progress(ps_query *query, ps_bytes *out, ps_error *err); /* what is held back, by which watermark */
/* Tests, trigger MANUAL: runs triggers on the query's thread. */
ps_status ps_query_step(ps_query *query, bool *ran, ps_error *err);

/* The queries of a session (spark.streams). */
/* awaitAnyTermination: *terminated; raises the stored failure (1.6). */
ps_status ps_session_wait_any(ps_session *session, int64_t ms, bool *terminated, ps_error *err);
void ps_session_reset_terminated(ps_session *session);
/* Whether events "progress" and "idle" are wanted; at first they are not.  "started" and "terminated" always come. */
ps_status ps_session_listen(ps_session *session, bool on, ps_error *err);
#endif
