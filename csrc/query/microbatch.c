/*
 * query/microbatch.c - the commit protocol of one micro-batch.
 *
 *   1 latest    ask every source how far it can go (limits apply)
 *   2 plan      fix batch id, end offsets, watermark, batch time
 *   3 log       write offsets/N  <- from here on batch N is this batch, after any crash; then tell the sources that
 *               N-1 is done with, and purge
 *   4 run       read (start, end], push through the operators into the sink, keyed by N
 *   5 state     write version N+1 of every stateful operator
 *   6 sink      commit N (idempotent by N)
 *   7 commit    move the watermark, write commits/N with it
 *   8 publish   progress; wake who waits
 *
 * A failure anywhere ends the query: what is on disk then decides how a restart goes on (execution.md 2.6).  Between
 * two steps stands a failpoint, so a test can end the process there.
 */
#include "base/failpoint.h"
#include "query/query_int.h"

static void take_time(psi_stream *stream, psi_timing which, int64_t from)
{
    int64_t ns = ps_clock_ticks() - from;
    stream->timings[which] = (stream->timings[which] < 0 ? 0 : stream->timings[which]) + ns;
}

static bool same_text(const char *a, const char *b) { return a == b || (a && b && strcmp(a, b) == 0); }

/* --- 1 latest --------------------------------------------------------------------------------------------- */

static ps_status ask_source(psi_stream *stream, psi_input *input, ps_error *err)
{
    ps_read_limit limit = {.all = stream->query->trigger.kind == PS_TRIGGER_ONCE};
    char *to = NULL;
    int64_t began = ps_clock_ticks();

    psi_query_set_status(stream->query, "Getting offsets from ", input->source->description);
    ps_free(input->head);
    input->head = NULL;
    PS_TRY(input->source->vt->latest(input->source, input->start, limit, &to, &input->head, err));
    take_time(stream, input->source->v1 ? PSI_T_GET_OFFSET : PSI_T_LATEST_OFFSET, began);
    if (to) {
        ps_free(input->end);
        input->end = to;
    }
    return PS_OK;
}

/* --- 2 plan ------------------------------------------------------------------------------------------------ */

static ps_status is_there_work(psi_stream *stream, bool *out, ps_error *err)
{
    stream->has_new_data = false;
    for (int i = 0; i < stream->n_inputs; i++)
        if (stream->inputs[i].end && !same_text(stream->inputs[i].start, stream->inputs[i].end))
            stream->has_new_data = true;
    *out = stream->has_new_data;
    if (*out || !stream->no_data_batches || !stream->ran_before)
        return PS_OK;
    return psi_watermark_wants_batch(stream->root, stream->watermark.global_ms, stream->chained, out, err);
}

/* --- 3 log --------------------------------------------------------------------------------------------------- */

static ps_status write_offsets(psi_stream *stream, ps_error *err)
{
    ps_offsets entry = {.version = 1, .has_metadata = true, .watermark_ms = stream->watermark.global_ms, .timestamp_ms = stream->run.env.batch_time_us / 1000};
    ps_status rc = ps_record_confs(&stream->conf, &entry, err);

    for (int i = 0; rc == PS_OK && i < stream->n_occurrences; i++)
        rc = ps_offsets_push(&entry, NULL, stream->inputs[stream->occurrences[i]].end, err);
    if (rc == PS_OK)
        rc = ps_offsets_add(stream->offsets, stream->batch_id, &entry, err);
    ps_offsets_clear(&entry);
    return rc;
}

/* Sources learn that batch N-1 is done with only now that offsets/N is durable: `start` is where N-1 ended. */
static ps_status tell_sources(psi_stream *stream, ps_error *err)
{
    for (int i = 0; stream->batch_id > 0 && i < stream->n_inputs; i++) {
        psi_input *input = &stream->inputs[i];
        if (input->start && input->source->vt->commit)
            PS_TRY(input->source->vt->commit(input->source, input->start, err));
    }
    return PS_OK;
}

static ps_status purge(psi_stream *stream, ps_error *err)
{
    if (stream->batch_id <= stream->retain)
        return PS_OK;
    PS_TRY(ps_seqlog_purge(stream->offsets, stream->batch_id - stream->retain, err));
    return ps_seqlog_purge(stream->commits, stream->batch_id - stream->retain, err);
}

static ps_status construct(psi_stream *stream, bool *constructed, ps_error *err)
{
    int64_t began;

    *constructed = false;
    for (int i = 0; i < stream->n_inputs; i++)
        PS_TRY(ask_source(stream, &stream->inputs[i], err));
    PS_TRY(PS_FAILPOINT("batch.planned", err));
    stream->run.env.batch_time_us = ps_clock_now_ms(stream->run.clock) * 1000; /* as the log has it */
    PS_TRY(is_there_work(stream, constructed, err));
    if (!*constructed)
        return PS_OK;
    psi_query_set_status(stream->query, "Writing offsets to log", NULL);
    began = ps_clock_ticks();
    PS_TRY(write_offsets(stream, err));
    PS_TRY(PS_FAILPOINT("batch.logged", err));
    PS_TRY(tell_sources(stream, err));
    PS_TRY(purge(stream, err));
    take_time(stream, PSI_T_WAL_COMMIT, began);
    return PS_FAILPOINT("batch.purged", err);
}

/* --- 4 run ------------------------------------------------------------------------------------------------------- */

static ps_status give_ranges(psi_stream *stream, ps_error *err)
{
    int64_t began = ps_clock_ticks();

    for (int i = 0; i < stream->n_inputs; i++) {
        psi_input *input = &stream->inputs[i];
        bool moved = input->end && !same_text(input->start, input->end);

        for (int k = 0; k < input->n_scans; k++) {
            ps_scan *scan = NULL;

            if (moved)
                PS_TRY(input->source->vt->read(input->source, input->start, input->end, ps_scan_node_wanted(input->scans[k]->node), &scan, err));
            ps_scan_op_set(input->scans[k], scan);
        }
    }
    take_time(stream, PSI_T_GET_BATCH, began);
    return PS_OK;
}

static void count_inputs(psi_stream *stream)
{
    for (int i = 0; i < stream->n_inputs; i++) {
        stream->inputs[i].n_rows = 0;
        for (int k = 0; k < stream->inputs[i].n_scans; k++)
            stream->inputs[i].n_rows += ps_scan_op_rows(stream->inputs[i].scans[k]);
    }
}

ps_status psi_stream_compute(psi_stream *stream, ps_status (*write)(void *, ps_batch *, ps_error *), void *self, ps_error *err)
{
    ps_status rc;

    ps_collector_init(&stream->end, &stream->run, write, self);
    stream->root->next = &stream->end.op;
    PS_TRY(ps_op_begin(stream->root, err));
    rc = ps_op_drive(stream->root, err);
    count_inputs(stream);
    return rc;
}

static ps_status to_sink(void *self, ps_batch *batch, ps_error *err)
{
    psi_stream *stream = self;

    if (stream->discard)
        return PS_OK;
    stream->sink->n_rows_out += batch->n_sel;
    return stream->sink->vt->write(stream->sink, batch, err);
}

/* --- 5 state ------------------------------------------------------------------------------------------------------- */

static ps_status commit_state(psi_stream *stream, ps_error *err)
{
    for (int i = 0; i < stream->n_stateful; i++) {
        PS_TRY(stream->stateful[i]->vt->commit(stream->stateful[i], stream->batch_id + 1, err));
        PS_TRY(PS_FAILPOINT("batch.state", err));
    }
    return PS_OK;
}

/* The sink holds this batch from before a crash.  State was written before the sink's commit, so version N+1 is there:
 * it is taken as it is, since a plan with rand() or a UDF would not give the same rows again. */
static ps_status adopt_state(psi_stream *stream, ps_error *err)
{
    for (int i = 0; i < stream->n_stateful; i++) {
        ps_error missing;

        if (stream->stateful[i]->vt->restore(stream->stateful[i], stream->batch_id + 1, &missing) == PS_OK)
            continue;
        /* Not whole, which only another hand can have brought about: what was computed now stands in for it. */
        PS_TRY(stream->stateful[i]->vt->restore(stream->stateful[i], stream->batch_id, err));
        return ps_raise(err, PS_E_STATE_NOT_ADOPTED, (long long)stream->batch_id, missing.message);
    }
    return PS_OK;
}

/* --- 4 to 6 for the two kinds of sinks ------------------------------------------------------------------------------ */

static ps_status run_pushed(psi_stream *stream, ps_error *err)
{
    ps_sink *sink = stream->sink;
    ps_status rc;

    sink->n_rows_out = 0;
    stream->discard = false;
    PS_TRY(sink->vt->begin(sink, stream->batch_id, &stream->discard, err));
    rc = psi_stream_compute(stream, to_sink, stream, err);
    if (rc == PS_OK)
        rc = PS_FAILPOINT("batch.ran", err);
    if (stream->discard)
        return rc == PS_OK ? adopt_state(stream, err) : rc;
    if (rc == PS_OK)
        rc = commit_state(stream, err);
    if (rc == PS_OK)
        rc = sink->vt->commit(sink, stream->batch_id, err);
    if (rc != PS_OK)
        sink->vt->abort(sink, stream->batch_id);
    return rc == PS_OK ? PS_FAILPOINT("batch.sink", err) : rc;
}

static ps_status nowhere(void *self, ps_batch *batch, ps_error *err)
{
    PS_UNUSED(self);
    PS_UNUSED(batch);
    PS_UNUSED(err);
    return PS_OK;
}

/* The sink pulls: the function may compute the batch or not.  What it left undone a stateful plan needs all the same. */
static ps_status run_pulled(psi_stream *stream, ps_error *err)
{
    ps_batch_run *batch = NULL;
    ps_status rc;

    for (int i = 0; i < stream->n_inputs; i++)
        stream->inputs[i].n_rows = 0;
    PS_TRY(psi_batch_run_new(stream, &batch, err));
    rc = stream->sink->vt->pull(stream->sink, stream->batch_id, batch, err);
    if (rc == PS_OK && psi_query_stopping(stream->query))
        rc = ps_raise(err, PS_E_CANCELLED);
    if (rc == PS_OK && psi_batch_run_failure(batch, err))
        rc = err->code; /* the function caught it, but there is no whole batch */
    if (rc == PS_OK && !psi_batch_run_is_computed(batch) && (stream->n_stateful > 0 || stream->has_watermark))
        rc = psi_stream_compute(stream, nowhere, NULL, err);
    psi_batch_run_end(batch);
    if (rc == PS_OK)
        rc = PS_FAILPOINT("batch.sink", err);
    return rc == PS_OK ? commit_state(stream, err) : rc;
}

/* --- the batch --------------------------------------------------------------------------------------------------------- */

static ps_status run_batch(psi_stream *stream, ps_error *err)
{
    int64_t began;

    psi_query_set_status(stream->query, stream->has_new_data ? "Processing new data" : "No new data but cleaning up state", NULL);
    PS_TRY(give_ranges(stream, err));
    began = ps_clock_ticks();
    stream->run.batch_id = stream->batch_id;
    stream->run.env.seed = ++stream->seed;
    PS_TRY(psi_watermark_propagate(stream->root, stream->chained ? stream->watermark.previous_ms : stream->watermark.global_ms, stream->watermark.global_ms, stream->chained, err));
    PS_TRY(psi_progress_describe(stream, err));
    take_time(stream, PSI_T_PLANNING, began);
    began = ps_clock_ticks();
    PS_TRY(stream->sink->vt->pull ? run_pulled(stream, err) : run_pushed(stream, err));
    take_time(stream, PSI_T_ADD_BATCH, began);
    return PS_OK;
}

/* 7 commit */
static ps_status commit_batch(psi_stream *stream, ps_error *err)
{
    int64_t began = ps_clock_ticks();

    PS_TRY(psi_watermark_advance(&stream->watermark, stream->root, err));
    PS_TRY(ps_commits_add(stream->commits, stream->batch_id, stream->watermark.global_ms, err));
    take_time(stream, PSI_T_COMMIT_OFFSETS, began);
    return PS_FAILPOINT("batch.committed", err);
}

static ps_status move_on(psi_stream *stream, ps_error *err)
{
    for (int i = 0; i < stream->n_inputs; i++) {
        psi_input *input = &stream->inputs[i];

        ps_free(input->start);
        input->start = NULL;
        if (input->end)
            PS_TRY(ps_strdup(input->end, &input->start, err));
    }
    stream->batch_id++;
    stream->constructed = false;
    stream->ran_before = true;
    return PS_OK;
}

ps_status psi_stream_trigger(psi_stream *stream, bool *ran, ps_error *err)
{
    int64_t began = ps_clock_ticks();

    *ran = false;
    for (int i = 0; i < PSI_T_COUNT; i++)
        stream->timings[i] = -1;
    stream->trigger_start_ms = ps_clock_now_ms(stream->run.clock);
    if (!stream->constructed) {
        PS_TRY(construct(stream, &stream->constructed, err));
    } else {
        stream->has_new_data = true;
    }
    if (!stream->constructed) {
        take_time(stream, PSI_T_TRIGGER, began);
        psi_query_set_status(stream->query, "Waiting for data to arrive", NULL);
        PS_TRY(psi_progress_idle(stream, err));
        stream->previous_start_ms = stream->trigger_start_ms;
        return PS_OK;
    }
    PS_TRY(run_batch(stream, err));
    PS_TRY(commit_batch(stream, err));
    take_time(stream, PSI_T_TRIGGER, began);
    PS_TRY(psi_progress_executed(stream, err)); /* 8 publish */
    stream->previous_start_ms = stream->trigger_start_ms;
    *ran = true;
    return move_on(stream, err);
}
