/*
 * query/query_int.h - a streaming query's parts, for this folder only.
 *
 * ps_query is what other threads see: identity, state, progress, requests.  psi_stream is what its own thread works
 * with while it runs: sources, operators, logs, watermark (microbatch.c, stream.c).
 */
#ifndef PS_QUERY_QUERY_INT_H
#define PS_QUERY_QUERY_INT_H
#include "log/commits.h"
#include "log/meta.h"
#include "log/offsets.h"
#include "query/batch_run.h"
#include "query/query.h"

typedef struct psi_stream psi_stream;
typedef struct psi_manager psi_manager;

typedef enum psi_state { PSI_INITIALIZING, PSI_ACTIVE, PSI_TERMINATED } psi_state;

struct ps_query {
    ps_refs refs;
    /* Fixed at start. */
    ps_session *session;      /* the query's own clone */
    psi_manager *manager;     /* of the user's session; owned reference */
    char id[PS_QUERY_ID_SIZE], run_id[PS_QUERY_ID_SIZE];
    char *name;               /* or NULL */
    char *pretty_id;          /* "name [id = .., runId = ..]" */
    ps_node *plan;            /* optimised */
    ps_mode mode;
    ps_trigger trigger;
    ps_options options;
    char *format;
    char **partition_by;
    int n_partition_by;
    const ps_sink_row *sink_row;
    ps_callback *callback;    /* borrowed */
    ps_memory_table *table;   /* of a memory sink; owned */
    char *checkpoint;
    bool temporary;           /* the checkpoint is removed at the end */
    ps_file *lock_file;       /* holds the checkpoint */
    void (*event)(void *self, const char *kind, const char *json);
    void *event_self;
    /* Requests from other threads. */
    atomic_bool stop;
    /* Under lock. */
    ps_lock lock;
    ps_cond cond;
    psi_state state;
    bool has_thread;
    pthread_t thread;
    bool no_new_data;         /* the last trigger found nothing to do */
    bool wake;                /* somebody waits for the next trigger */
    bool waiting;             /* processAllAvailable is under way, perhaps in slices */
    bool asked_meanwhile;     /* it was called during this trigger, which may have looked at the sources before */
    int64_t steps;            /* manual triggers asked for */
    int64_t steps_done;
    bool step_ran;
    bool failed;
    ps_error failure;
    const char *status, *status_more; /* both parts of the message; the second, or NULL, belongs to a source */
    bool data_available, trigger_active;
    char **progress;          /* JSON texts, oldest first */
    int n_progress, progress_capacity;
    char *committed_text, *available_text; /* "{source: offset}" of 1.7 */
    bool planned;             /* a batch was planned: explain() has something to say */
    char *held_text;          /* explainProgress() */
};

/* --- query.c ---------------------------------------------------------------------------------------------- */
/* Two texts put together, borrowed while the status stands; `more` may be NULL. */
void psi_query_set_status(ps_query *query, const char *status, const char *more);
bool psi_query_stopping(ps_query *query);
/* Ends a pause after an idle trigger.  @thread any, @locks PS_RANK_QUERY. */
void psi_query_wake(void *query);
/* Sleeps until `ms` are over, or somebody wakes or stops the query. */
void psi_query_sleep(ps_query *query, int64_t ms);
void psi_query_sleep_until(ps_query *query, int64_t until_ms); /* nothing but stop() cuts it short */
/* Tells the host.  Progress that nobody listens to is kept from it: the call may wait for a busy interpreter. */
void psi_query_post(ps_query *query, const char *kind, const char *json);
void psi_query_post_progress(ps_query *query, const char *kind, const char *json);

/* --- watermark.c -------------------------------------------------------------------------------------------- */
/* Event time across the watermark nodes of a plan (execution.md section 5). */
typedef struct psi_watermark {
    int64_t global_ms;   /* in force for the batch being made */
    int64_t previous_ms; /* of the batch before */
    bool use_max;        /* policy */
    int64_t *values;     /* per watermark operator, in pre-order; INT64_MIN: has not seen a row in this run */
    int n;
} psi_watermark;
/* After a batch: moves the global watermark by what the watermark operators of `root` saw. */
ps_status psi_watermark_advance(psi_watermark *watermark, ps_op *root, ps_error *err);
/* Sets late_ms and evict_ms of every operator. */
ps_status psi_watermark_propagate(ps_op *root, int64_t late_ms, int64_t evict_ms, bool chained, ps_error *err);
/* Would a batch without data do anything if the global watermark were evict_ms? */
ps_status psi_watermark_wants_batch(ps_op *root, int64_t evict_ms, bool chained, bool *out, ps_error *err);

/* --- stream.c, microbatch.c --------------------------------------------------------------------------------- */
typedef struct psi_input {
    ps_source_info *info; /* borrowed from the plan */
    ps_source *source;    /* owned */
    char *start, *end;    /* offsets: what is done, and what the batch goes to; owned, NULL: none */
    char *head;           /* the source's real newest position, or NULL */
    ps_op **scans;        /* the leaves that read it */
    int n_scans, scans_capacity;
    int64_t n_rows;       /* read by the batch */
} psi_input;

typedef enum psi_timing { PSI_T_ADD_BATCH, PSI_T_COMMIT_OFFSETS, PSI_T_GET_BATCH, PSI_T_GET_OFFSET, PSI_T_LATEST_OFFSET, PSI_T_PLANNING, PSI_T_TRIGGER, PSI_T_WAL_COMMIT, PSI_T_COUNT } psi_timing;

struct psi_stream {
    ps_query *query;
    ps_conf conf;            /* with the pinned values */
    ps_run run;
    ps_op *root;
    ps_collector end;        /* gives rows to the sink, or to a spool */
    ps_sink *sink;
    bool discard;            /* the sink holds this batch: rows go nowhere */
    ps_seqlog *offsets, *commits;
    psi_input *inputs;       /* distinct sources */
    int n_inputs;
    int *occurrences;        /* per scan in pre-order: its input */
    int n_occurrences;
    ps_op **stateful;        /* by operator id */
    int n_stateful;
    bool has_watermark;
    psi_watermark watermark;
    int64_t batch_id;
    bool constructed;        /* batch_id is in offsets/ and has to run */
    bool ran_before;         /* a batch was executed in this run */
    bool chained;            /* statefulOperator.allowMultiple */
    bool has_new_data;
    bool no_data_batches;
    bool sync;
    int64_t retain;
    /* Progress. */
    int64_t timings[PSI_T_COUNT]; /* ns, -1: not taken */
    int64_t trigger_start_ms, previous_start_ms; /* -1: none */
    int64_t idle_timer_ms;        /* -1: unset */
    bool last_had_watermark;      /* the last executed batch had one */
    uint64_t seed;
};

ps_status psi_stream_open(ps_query *query, psi_stream *stream, ps_error *err);
void psi_stream_close(psi_stream *stream);
/* One trigger.  *ran: a batch was executed. */
ps_status psi_stream_trigger(psi_stream *stream, bool *ran, ps_error *err);
/* Computes the current batch: pushes its rows into `write`. */
ps_status psi_stream_compute(psi_stream *stream, ps_status (*write)(void *, ps_batch *, ps_error *), void *self, ps_error *err);

/* --- batch_run.c ---------------------------------------------------------------------------------------------- */
ps_status psi_batch_run_new(psi_stream *stream, ps_batch_run **out, ps_error *err);
bool psi_batch_run_is_computed(const ps_batch_run *run);
/* The plan failed in an action, whatever the function made of that. */
bool psi_batch_run_failure(const ps_batch_run *run, ps_error *out);
void psi_batch_run_end(ps_batch_run *run); /* drops the spool; nodes that are still about raise from now on */

/* --- progress.c ------------------------------------------------------------------------------------------------ */
ps_status psi_progress_executed(psi_stream *stream, ps_error *err);
ps_status psi_progress_idle(psi_stream *stream, ps_error *err);
ps_status psi_progress_describe(psi_stream *stream, ps_error *err); /* explain, explainProgress and 1.7's maps */

/* --- manager.c -------------------------------------------------------------------------------------------------- */
ps_status psi_manager_of(ps_session *session, psi_manager **out, ps_error *err); /* a reference */
void psi_manager_unref(psi_manager *manager);
/* Checks name and id rules (1.6) and adds the query. `stop_active`: an older run of the same checkpoint is stopped. */
ps_status psi_manager_add(psi_manager *manager, ps_query *query, bool stop_active, ps_error *err);
/* A query has ended: waiters of any termination wake. */
void psi_manager_remove(psi_manager *manager, ps_query *query);
/* A query that could not be started after all. */
void psi_manager_drop(psi_manager *manager, ps_query *query);
bool psi_manager_is_heard(psi_manager *manager); /* @thread any */
#endif
