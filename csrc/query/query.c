/*
 * query/query.c - the life of a query: its loop, its end, and what other threads ask of it.
 */
#include "query/query_int.h"

static const char *const state_names[] = {"INITIALIZING", "ACTIVE", "TERMINATED"};

void psi_query_set_status(ps_query *query, const char *status, const char *more)
{
    ps_lock_take(&query->lock);
    query->status = status;
    query->status_more = more;
    ps_lock_drop(&query->lock);
}

bool psi_query_stopping(ps_query *query) { return atomic_load_explicit(&query->stop, memory_order_relaxed); }

void psi_query_post(ps_query *query, const char *kind, const char *json)
{
    if (query->event)
        query->event(query->event_self, kind, json);
}

void psi_query_post_progress(ps_query *query, const char *kind, const char *json)
{
    if (psi_manager_is_heard(query->manager))
        psi_query_post(query, kind, json);
}

void psi_query_sleep(ps_query *query, int64_t ms)
{
    ps_clock *clock = ps_session_clock(query->session);
    int64_t until = ps_clock_now_ms(clock) + ms;

    ps_lock_take(&query->lock);
    while (!query->wake && !psi_query_stopping(query) && ps_clock_now_ms(clock) < until)
        ps_clock_wait(clock, until, &query->cond, &query->lock);
    query->wake = false;
    ps_lock_drop(&query->lock);
}

void psi_query_wake(void *self)
{
    ps_query *query = self;

    ps_lock_take(&query->lock);
    query->wake = true;
    ps_cond_wake_all(&query->cond);
    ps_lock_drop(&query->lock);
}

/* --- the loop ----------------------------------------------------------------------------------------------- */

static void end_trigger(ps_query *query, bool ran)
{
    ps_lock_take(&query->lock);
    query->trigger_active = false;
    query->no_new_data = query->no_new_data || (!ran && !query->asked_meanwhile);
    query->data_available = query->data_available && ran;
    ps_cond_wake_all(&query->cond);
    ps_lock_drop(&query->lock);
}

/* Waits until a step is asked for; false when the query is to stop. */
static bool wait_for_step(ps_query *query)
{
    bool go;

    ps_lock_take(&query->lock);
    while (query->steps_done >= query->steps && !psi_query_stopping(query))
        ps_cond_wait_ms(&query->cond, &query->lock, 50);
    go = !psi_query_stopping(query);
    ps_lock_drop(&query->lock);
    return go;
}

static void end_step(ps_query *query, bool ran)
{
    ps_lock_take(&query->lock);
    query->steps_done++;
    query->step_ran = ran;
    ps_cond_wake_all(&query->cond);
    ps_lock_drop(&query->lock);
}

/* After a trigger: sleeps until the next one is due; false when there is none. */
static bool wait_for_next(ps_query *query, psi_stream *stream, bool ran)
{
    int64_t interval = query->trigger.interval_ms;

    psi_query_set_status(query, ran || interval > 0 ? "Waiting for next trigger" : "Waiting for data to arrive", NULL);
    switch (query->trigger.kind) {
    case PS_TRIGGER_ONCE:
        return false;
    case PS_TRIGGER_AVAILABLE_NOW:
        return ran;
    case PS_TRIGGER_MANUAL:
        end_step(query, ran);
        return true;
    default:
        break;
    }
    if (interval > 0) {
        int64_t now = ps_clock_now_ms(stream->run.clock);
        int64_t next = stream->trigger_start_ms / interval * interval + interval;

        if (now < next)
            psi_query_sleep_until(query, next);
    } else if (!ran) {
        psi_query_sleep(query, ps_conf_int(&stream->conf, "spark.sql.streaming.pollingDelay"));
    }
    return true;
}

static ps_status loop(ps_query *query, psi_stream *stream, ps_error *err)
{
    bool go = true;

    while (go && !psi_query_stopping(query)) {
        bool ran = false;

        if (query->trigger.kind == PS_TRIGGER_MANUAL && !wait_for_step(query))
            break;
        ps_lock_take(&query->lock);
        query->trigger_active = true;
        query->asked_meanwhile = false;
        ps_lock_drop(&query->lock);
        PS_TRY(psi_stream_trigger(stream, &ran, err));
        end_trigger(query, ran);
        go = wait_for_next(query, stream, ran);
    }
    return PS_OK;
}

static void set_state(ps_query *query, psi_state state)
{
    ps_lock_take(&query->lock);
    query->state = state;
    ps_cond_wake_all(&query->cond);
    ps_lock_drop(&query->lock);
}

static void post_json(ps_query *query, const char *kind, const ps_error *failure)
{
    ps_bytes out = {0};
    char time[64];
    ps_status rc;

    time[ps_format_iso_ms(ps_clock_now_ms(ps_session_clock(query->session)), time)] = '\0';
    rc = ps_bytes_printf(&out, NULL, "{\"id\":\"%s\",\"runId\":\"%s\",\"timestamp\":\"%s\",\"name\":", query->id, query->run_id, time);
    rc = rc == PS_OK ? (query->name ? ps_bytes_json_string(&out, ps_slice_of(query->name), NULL) : ps_bytes_text(&out, "null", NULL)) : rc;
    if (rc == PS_OK && failure) {
        rc = ps_bytes_text(&out, ",\"exception\":", NULL);
        rc = rc == PS_OK ? ps_bytes_json_string(&out, ps_slice_of(failure->message), NULL) : rc;
        rc = rc == PS_OK ? ps_bytes_printf(&out, NULL, ",\"errorClassOnException\":\"%s\"", ps_error_describe(failure->code)->condition) : rc;
    }
    rc = rc == PS_OK ? ps_bytes_char(&out, '}', NULL) : rc;
    if (rc == PS_OK)
        psi_query_post(query, kind, out.data);
    ps_bytes_clear(&out);
}

/* A failure that stop() brought about is none. */
static void settle(ps_query *query, ps_status rc, const ps_error *err)
{
    bool failed = rc != PS_OK && !(rc == PS_E_CANCELLED && psi_query_stopping(query));

    ps_lock_take(&query->lock);
    if (failed) {
        query->failed = true;
        query->failure = *err;
    }
    query->status = failed ? "Terminated with exception: " : "Stopped";
    query->status_more = failed ? query->failure.message : NULL;
    query->data_available = query->trigger_active = false;
    ps_lock_drop(&query->lock);
}

void ps_query_run(ps_query *query)
{
    psi_stream stream;
    ps_error err = {0};
    ps_status rc;

    ps_lock_take(&query->lock);
    query->has_thread = true;
    query->thread = pthread_self();
    ps_lock_drop(&query->lock);
    post_json(query, "started", NULL);
    psi_query_set_status(query, "Initializing sources", NULL);
    rc = psi_stream_open(query, &stream, &err);
    if (rc == PS_OK) {
        set_state(query, PSI_ACTIVE);
        rc = loop(query, &stream, &err);
        psi_stream_close(&stream);
    }
    settle(query, rc, &err);
    if (query->lock_file) {
        ps_file_close(query->lock_file, NULL);
        query->lock_file = NULL;
    }
    if (query->temporary && !query->failed)
        ps_fs_remove_tree(ps_session_fs(query->session), query->checkpoint, NULL); /* best effort, as in Spark */
    psi_manager_remove(query->manager, query);
    post_json(query, "terminated", query->failed ? &query->failure : NULL);
    set_state(query, PSI_TERMINATED);
}

void psi_query_sleep_until(ps_query *query, int64_t until_ms)
{
    ps_clock *clock = ps_session_clock(query->session);

    ps_lock_take(&query->lock);
    while (!psi_query_stopping(query) && ps_clock_now_ms(clock) < until_ms)
        ps_clock_wait(clock, until_ms, &query->cond, &query->lock);
    ps_lock_drop(&query->lock);
}

/* --- what other threads ask ------------------------------------------------------------------------------------ */

const char *ps_query_id(const ps_query *query) { return query->id; }
const char *ps_query_run_id(const ps_query *query) { return query->run_id; }
const char *ps_query_name(const ps_query *query) { return query->name; }

bool ps_query_is_active(ps_query *query)
{
    bool active;

    ps_lock_take(&query->lock);
    active = query->state != PSI_TERMINATED;
    ps_lock_drop(&query->lock);
    return active;
}

bool ps_query_is_own_thread(ps_query *query)
{
    bool own;

    ps_lock_take(&query->lock);
    own = query->has_thread && query->state != PSI_TERMINATED && pthread_equal(query->thread, pthread_self());
    ps_lock_drop(&query->lock);
    return own;
}

void ps_query_stop(ps_query *query)
{
    ps_lock_take(&query->lock);
    atomic_store(&query->stop, true);
    ps_cond_wake_all(&query->cond);
    ps_lock_drop(&query->lock);
}

bool ps_query_wait(ps_query *query, int64_t ms)
{
    int64_t until = ps_clock_ticks() + ms * 1000000;
    bool ended;

    ps_lock_take(&query->lock);
    while (query->state != PSI_TERMINATED) {
        int64_t left = ms < 0 ? -1 : (until - ps_clock_ticks() + 999999) / 1000000;

        if (ms >= 0 && left <= 0)
            break;
        ps_cond_wait_ms(&query->cond, &query->lock, left);
    }
    ended = query->state == PSI_TERMINATED;
    ps_lock_drop(&query->lock);
    return ended;
}

ps_status ps_query_process_all(ps_query *query, int64_t ms, bool *done, ps_error *err)
{
    int64_t until = ps_clock_ticks() + ms * 1000000;
    bool failed = false;

    *done = false;
    if (ps_query_is_own_thread(query))
        return ps_raise(err, PS_E_OWN_THREAD);
    ps_lock_take(&query->lock);
    if (!query->waiting) { /* a caller that waits in slices clears the flag only once */
        query->no_new_data = false;
        query->asked_meanwhile = true;
        query->waiting = true;
        query->wake = true;
        ps_cond_wake_all(&query->cond);
    }
    for (;;) {
        int64_t left = ms < 0 ? -1 : (until - ps_clock_ticks() + 999999) / 1000000;

        failed = query->failed;
        if (failed || query->no_new_data || query->state == PSI_TERMINATED) {
            *done = true;
            query->waiting = false;
            break;
        }
        if (ms >= 0 && left <= 0)
            break;
        ps_cond_wait_ms(&query->cond, &query->lock, left);
    }
    if (failed)
        *err = query->failure;
    ps_lock_drop(&query->lock);
    return failed ? err->code : PS_OK;
}

bool ps_query_error(ps_query *query, ps_error *out)
{
    bool failed;

    ps_lock_take(&query->lock);
    failed = query->failed;
    if (failed)
        *out = query->failure;
    ps_lock_drop(&query->lock);
    return failed;
}

ps_status ps_query_describe_failure(ps_query *query, ps_bytes *out, ps_error *err)
{
    ps_status rc;

    ps_lock_take(&query->lock);
    rc = ps_bytes_printf(out, err, "=== Streaming Query ===\nIdentifier: %s\nCurrent Committed Offsets: %s\nCurrent Available Offsets: %s\n\nCurrent State: %s\nThread State: RUNNABLE",
                         query->pretty_id, query->committed_text ? query->committed_text : "{}", query->available_text ? query->available_text : "{}",
                         state_names[query->planned ? PSI_ACTIVE : PSI_INITIALIZING]);
    if (rc == PS_OK && query->planned) {
        rc = ps_bytes_text(out, "\n\nLogical Plan:\n", err);
        rc = rc == PS_OK ? ps_plan_explain(query->plan, "simple", out, err) : rc;
    }
    ps_lock_drop(&query->lock);
    return rc;
}

ps_status ps_query_status_json(ps_query *query, ps_bytes *out, ps_error *err)
{
    ps_bytes text = {0};
    ps_status rc;

    ps_lock_take(&query->lock);
    rc = ps_bytes_printf(&text, err, "%s%s", query->status ? query->status : "Initializing StreamExecution", query->status_more ? query->status_more : "");
    rc = rc == PS_OK ? ps_bytes_text(out, "{\"message\":", err) : rc;
    rc = rc == PS_OK ? ps_bytes_json_string(out, ps_bytes_slice(&text), err) : rc;
    rc = rc == PS_OK ? ps_bytes_printf(out, err, ",\"isDataAvailable\":%s,\"isTriggerActive\":%s}", query->data_available ? "true" : "false", query->trigger_active ? "true" : "false") : rc;
    ps_lock_drop(&query->lock);
    ps_bytes_clear(&text);
    return rc;
}

ps_status ps_query_progress_json(ps_query *query, bool all, ps_bytes *out, ps_error *err)
{
    ps_status rc = ps_bytes_char(out, '[', err);

    ps_lock_take(&query->lock);
    for (int i = all || query->n_progress == 0 ? 0 : query->n_progress - 1, first = i; rc == PS_OK && i < query->n_progress; i++) {
        rc = i > first ? ps_bytes_char(out, ',', err) : PS_OK;
        rc = rc == PS_OK ? ps_bytes_text(out, query->progress[i], err) : rc;
    }
    ps_lock_drop(&query->lock);
    return rc == PS_OK ? ps_bytes_char(out, ']', err) : rc;
}

ps_status ps_query_explain(ps_query *query, bool extended, ps_bytes *out, ps_error *err)
{
    bool planned;

    ps_lock_take(&query->lock);
    planned = query->planned;
    ps_lock_drop(&query->lock);
    if (!planned)
        return ps_bytes_text(out, "No physical plan. Waiting for data.", err);
    return ps_plan_explain(query->plan, extended ? "extended" : "simple", out, err);
}

ps_status ps_query_explain_progress(ps_query *query, ps_bytes *out, ps_error *err)
{
    ps_status rc;

    ps_lock_take(&query->lock);
    rc = ps_bytes_text(out, query->held_text ? query->held_text : "no batch has run yet\n", err);
    ps_lock_drop(&query->lock);
    return rc;
}

ps_status ps_query_step(ps_query *query, bool *ran, ps_error *err)
{
    int64_t mine;
    bool failed;

    *ran = false;
    ps_lock_take(&query->lock);
    mine = ++query->steps;
    ps_cond_wake_all(&query->cond);
    while (query->steps_done < mine && query->state != PSI_TERMINATED)
        ps_cond_wait_ms(&query->cond, &query->lock, 50);
    *ran = query->steps_done >= mine && query->step_ran;
    failed = query->failed;
    if (failed)
        *err = query->failure;
    ps_lock_drop(&query->lock);
    return failed ? err->code : PS_OK;
}

ps_query *ps_query_ref(ps_query *query)
{
    if (query)
        ps_refs_inc(&query->refs);
    return query;
}

void ps_query_unref(ps_query *query)
{
    if (!query || !ps_refs_dec(&query->refs))
        return;
    ps_node_unref(query->plan);
    ps_memory_table_unref(query->table);
    for (int i = 0; i < query->n_partition_by; i++)
        ps_free(query->partition_by[i]);
    for (int i = 0; i < query->n_progress; i++)
        ps_free(query->progress[i]);
    ps_free(query->partition_by);
    ps_free(query->progress);
    ps_free(query->name);
    ps_free(query->pretty_id);
    ps_free(query->format);
    ps_free(query->checkpoint);
    ps_free(query->committed_text);
    ps_free(query->available_text);
    ps_free(query->held_text);
    ps_options_clear(&query->options);
    if (query->lock_file)
        ps_file_close(query->lock_file, NULL);
    psi_manager_unref(query->manager);
    ps_session_unref(query->session);
    ps_lock_clear(&query->lock);
    ps_cond_clear(&query->cond);
    ps_free(query);
}
