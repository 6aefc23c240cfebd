/*
 * query/progress.c - what a trigger reports (execution.md section 6), and what a query says of itself.
 */
#include "base/json.h"
#include "col/text.h"
#include "query/query_int.h"
#include <inttypes.h>
#include <math.h>

/* Sorted, as the report has them. */
static const char *const timing_names[PSI_T_COUNT] = {"addBatch", "commitOffsets", "getBatch", "getOffset", "latestOffset", "queryPlanning", "triggerExecution", "walCommit"};

static ps_status text_member(ps_bytes *out, const char *key, const char *value, ps_error *err)
{
    PS_TRY(ps_bytes_printf(out, err, "\"%s\":", key));
    return value ? ps_bytes_json_string(out, ps_slice_of(value), err) : ps_bytes_text(out, "null", err);
}

static ps_status time_member(ps_bytes *out, const char *key, int64_t ms, ps_error *err)
{
    char text[64];

    text[ps_format_iso_ms(ms, text)] = '\0';
    return text_member(out, key, text, err);
}

/* ,"key":1.5 unless it is not finite. */
static ps_status rate_member(ps_bytes *out, const char *key, double value, ps_error *err)
{
    char text[PS_NUMBER_TEXT];

    if (!isfinite(value))
        return PS_OK;
    PS_TRY(ps_bytes_printf(out, err, ",\"%s\":", key));
    return ps_bytes_append(out, text, (size_t)ps_format_double(value, text), err);
}

typedef struct rates { double input, processed; } rates;

/* The first trigger of a run has no one before it: 0.0. */
static rates rates_of(const psi_stream *stream, int64_t n_rows)
{
    double since = stream->previous_start_ms < 0 ? INFINITY : (double)(stream->trigger_start_ms - stream->previous_start_ms) / 1000.0;
    int64_t took_ms = stream->timings[PSI_T_TRIGGER] / 1000000;

    return (rates){(double)n_rows / since, (double)n_rows / ((double)(took_ms > 1 ? took_ms : 1) / 1000.0)};
}

static int64_t total_rows(const psi_stream *stream)
{
    int64_t n = 0;

    for (int i = 0; i < stream->n_inputs; i++)
        n += stream->inputs[i].n_rows;
    return n;
}

static ps_status write_head(const psi_stream *stream, bool executed, ps_bytes *out, ps_error *err)
{
    const ps_query *query = stream->query;
    int64_t n_rows = executed ? total_rows(stream) : 0;
    rates r = rates_of(stream, n_rows);
    bool first = true;

    PS_TRY(ps_bytes_char(out, '{', err));
    PS_TRY(text_member(out, "id", query->id, err));
    PS_TRY(ps_bytes_char(out, ',', err));
    PS_TRY(text_member(out, "runId", query->run_id, err));
    PS_TRY(ps_bytes_char(out, ',', err));
    PS_TRY(text_member(out, "name", query->name, err));
    PS_TRY(ps_bytes_char(out, ',', err));
    PS_TRY(time_member(out, "timestamp", stream->trigger_start_ms, err));
    PS_TRY(ps_bytes_printf(out, err, ",\"batchId\":%" PRId64 ",\"batchDuration\":%" PRId64 ",\"numInputRows\":%" PRId64, stream->batch_id, stream->timings[PSI_T_TRIGGER] / 1000000, n_rows));
    PS_TRY(rate_member(out, "inputRowsPerSecond", r.input, err));
    PS_TRY(rate_member(out, "processedRowsPerSecond", r.processed, err));
    PS_TRY(ps_bytes_text(out, ",\"durationMs\":{", err));
    for (int i = 0; i < PSI_T_COUNT; i++) {
        if (stream->timings[i] < 0)
            continue;
        PS_TRY(ps_bytes_printf(out, err, "%s\"%s\":%" PRId64, first ? "" : ",", timing_names[i], stream->timings[i] / 1000000));
        first = false;
    }
    return ps_bytes_char(out, '}', err);
}

/* --- event time -------------------------------------------------------------------------------------------- */

typedef struct first_stats { ps_event_stats stats; bool found; } first_stats;

static ps_status find_stats(void *self, ps_op *op, ps_error *err)
{
    first_stats *first = self;
    ps_event_stats stats;

    PS_UNUSED(err);
    if (first->found || !op->vt->event_stats || !op->vt->event_stats(op, &stats) || stats.n_rows == 0)
        return PS_OK;
    first->stats = stats;
    first->found = true;
    return PS_OK;
}

static ps_status write_event_time(const psi_stream *stream, bool executed, int64_t watermark_ms, ps_bytes *out, ps_error *err)
{
    first_stats first = {.found = false};

    if (!stream->has_watermark || (!executed && !stream->last_had_watermark))
        return PS_OK;
    if (executed && stream->has_new_data)
        PS_TRY(ps_op_walk(stream->root, find_stats, &first, err));
    PS_TRY(ps_bytes_text(out, ",\"eventTime\":{", err));
    if (first.found) {
        PS_TRY(time_member(out, "avg", (int64_t)first.stats.mean_ms, err));
        PS_TRY(ps_bytes_char(out, ',', err));
        PS_TRY(time_member(out, "max", first.stats.max_ms, err));
        PS_TRY(ps_bytes_char(out, ',', err));
        PS_TRY(time_member(out, "min", first.stats.min_ms, err));
        PS_TRY(ps_bytes_char(out, ',', err));
    }
    PS_TRY(time_member(out, "watermark", watermark_ms, err));
    return ps_bytes_char(out, '}', err);
}

/* --- operators, sources, sink ---------------------------------------------------------------------------------- */

static ps_status write_operator(const psi_stream *stream, ps_op *op, bool executed, ps_bytes *out, ps_error *err)
{
    ps_state_metrics m = {0};
    int64_t n_partitions = ps_conf_int(&stream->conf, "spark.sql.shuffle.partitions");

    op->vt->metrics(op, &m);
    if (!executed)
        m.n_rows_updated = m.n_rows_removed = m.n_rows_dropped = 0;
    return ps_bytes_printf(out, err,
        "{\"operatorName\":\"%s\",\"numRowsTotal\":%" PRId64 ",\"numRowsUpdated\":%" PRId64 ",\"allUpdatesTimeMs\":%" PRId64
        ",\"numRowsRemoved\":%" PRId64 ",\"allRemovalsTimeMs\":%" PRId64 ",\"commitTimeMs\":%" PRId64 ",\"memoryUsedBytes\":%" PRId64
        ",\"numRowsDroppedByWatermark\":%" PRId64 ",\"numShufflePartitions\":%" PRId64 ",\"numStateStoreInstances\":%" PRId64 ",\"customMetrics\":{\"stateOnCurrentVersionSizeBytes\":%" PRId64 "}}",
        op->node->row->state_name, m.n_rows_total, m.n_rows_updated, m.update_ns / 1000000, m.n_rows_removed, m.removal_ns / 1000000,
        m.commit_ns / 1000000, m.memory_bytes, m.n_rows_dropped, n_partitions, m.n_instances == 1 ? 1 : n_partitions, m.memory_bytes);
}

static ps_status write_operators(psi_stream *stream, bool executed, ps_bytes *out, ps_error *err)
{
    PS_TRY(ps_bytes_text(out, ",\"stateOperators\":[", err));
    for (int i = 0; (executed || stream->ran_before) && i < stream->n_stateful; i++) {
        PS_TRY(i ? ps_bytes_char(out, ',', err) : PS_OK);
        PS_TRY(write_operator(stream, stream->stateful[i], executed, out, err));
    }
    return ps_bytes_char(out, ']', err);
}

/* An offset is JSON already; what is none is written as text. */
static ps_status offset_member(ps_bytes *out, const char *key, const char *offset, ps_error *err)
{
    ps_arena arena = {0};
    ps_json *node;
    bool is_json = offset && ps_json_parse(ps_slice_of(offset), &arena, &node, NULL) == PS_OK;

    ps_arena_clear(&arena);
    if (offset && !is_json)
        return text_member(out, key, offset, err);
    return ps_bytes_printf(out, err, "\"%s\":%s", key, offset ? offset : "null");
}

static ps_status metrics_member(const psi_input *input, ps_bytes *out, ps_error *err)
{
    ps_bytes metrics = {0};
    ps_status rc;

    if (!input->source->vt->metrics)
        return PS_OK;
    rc = input->source->vt->metrics(input->source, input->end, &metrics, err);
    if (rc == PS_OK && metrics.n_bytes > 0)
        rc = ps_bytes_printf(out, err, ",\"metrics\":%s", metrics.data);
    ps_bytes_clear(&metrics);
    return rc;
}

static ps_status write_source(const psi_stream *stream, const psi_input *input, bool executed, ps_bytes *out, ps_error *err)
{
    int64_t n_rows = executed ? input->n_rows : 0;
    rates r = rates_of(stream, n_rows);

    PS_TRY(ps_bytes_char(out, '{', err));
    PS_TRY(text_member(out, "description", input->source->description, err));
    PS_TRY(ps_bytes_char(out, ',', err));
    PS_TRY(offset_member(out, "startOffset", executed ? input->start : input->end, err));
    PS_TRY(ps_bytes_char(out, ',', err));
    PS_TRY(offset_member(out, "endOffset", input->end, err));
    PS_TRY(ps_bytes_char(out, ',', err));
    PS_TRY(offset_member(out, "latestOffset", input->head, err));
    PS_TRY(ps_bytes_printf(out, err, ",\"numInputRows\":%" PRId64, n_rows));
    PS_TRY(rate_member(out, "inputRowsPerSecond", r.input, err));
    PS_TRY(rate_member(out, "processedRowsPerSecond", r.processed, err));
    PS_TRY(metrics_member(input, out, err));
    return ps_bytes_char(out, '}', err);
}

static ps_status write_tail(psi_stream *stream, bool executed, ps_bytes *out, ps_error *err)
{
    PS_TRY(ps_bytes_text(out, ",\"sources\":[", err));
    for (int i = 0; i < stream->n_inputs; i++) {
        PS_TRY(i ? ps_bytes_char(out, ',', err) : PS_OK);
        PS_TRY(write_source(stream, &stream->inputs[i], executed, out, err));
    }
    PS_TRY(ps_bytes_text(out, "],\"sink\":{", err));
    PS_TRY(text_member(out, "description", stream->sink->description, err));
    return ps_bytes_printf(out, err, ",\"numOutputRows\":%" PRId64 "}}", !stream->sink->counts_rows ? -1 : executed ? stream->sink->n_rows_out : 0);
}

/* --- keeping ----------------------------------------------------------------------------------------------------- */

/* Takes text.  At most numRecentProgressUpdates - 1 are kept. */
static ps_status keep(ps_query *query, char *text, int64_t limit, ps_error *err)
{
    ps_status rc;

    ps_lock_take(&query->lock);
    rc = ps_grow(&query->progress, query->n_progress, &query->progress_capacity, sizeof *query->progress, err);
    if (rc == PS_OK)
        query->progress[query->n_progress++] = text;
    else
        ps_free(text);
    while (query->n_progress > 0 && query->n_progress >= limit) {
        ps_free(query->progress[0]);
        memmove(query->progress, query->progress + 1, (size_t)--query->n_progress * sizeof *query->progress);
    }
    ps_lock_drop(&query->lock);
    return rc;
}

static ps_status report(psi_stream *stream, bool executed, int64_t watermark_ms, const char *event, ps_error *err)
{
    ps_bytes out = {0};
    ps_status rc;
    char *limit = NULL;

    rc = write_head(stream, executed, &out, err);
    rc = rc == PS_OK ? write_event_time(stream, executed, watermark_ms, &out, err) : rc;
    rc = rc == PS_OK ? write_operators(stream, executed, &out, err) : rc;
    rc = rc == PS_OK ? write_tail(stream, executed, &out, err) : rc;
    rc = rc == PS_OK ? ps_session_conf_get(stream->query->session, "spark.sql.streaming.numRecentProgressUpdates", &limit, err) : rc;
    if (rc == PS_OK && event)
        psi_query_post_progress(stream->query, event, out.data);
    if (rc == PS_OK) {
        int64_t n = 100;

        ps_parse_int64(ps_slice_of(limit ? limit : "100"), &n);
        rc = keep(stream->query, ps_bytes_take(&out), n, err);
    }
    ps_free(limit);
    ps_bytes_clear(&out);
    return rc;
}

ps_status psi_progress_executed(psi_stream *stream, ps_error *err)
{
    PS_TRY(report(stream, true, stream->watermark.previous_ms, "progress", err));
    stream->last_had_watermark = stream->has_watermark;
    stream->idle_timer_ms = ps_clock_now_ms(stream->run.clock);
    return PS_OK;
}

ps_status psi_progress_idle(psi_stream *stream, ps_error *err)
{
    int64_t interval = ps_conf_int(&stream->conf, "spark.sql.streaming.noDataProgressEventInterval");
    bool first = stream->idle_timer_ms < 0;

    if (!first && stream->trigger_start_ms - interval < stream->idle_timer_ms)
        return PS_OK;
    PS_TRY(report(stream, false, stream->watermark.global_ms, first ? NULL : "idle", err));
    stream->idle_timer_ms = stream->trigger_start_ms;
    return PS_OK;
}

/* --- what the query says of itself ---------------------------------------------------------------------------------- */

static ps_status offsets_text(const psi_stream *stream, bool committed, ps_bytes *out, ps_error *err)
{
    bool first = true;

    PS_TRY(ps_bytes_char(out, '{', err));
    for (int i = 0; i < stream->n_inputs; i++) {
        const char *offset = committed ? stream->inputs[i].start : stream->inputs[i].end;

        if (!offset)
            continue;
        PS_TRY(ps_bytes_printf(out, err, "%s%s: %s", first ? "" : ", ", stream->inputs[i].source->description, offset));
        first = false;
    }
    return ps_bytes_char(out, '}', err);
}

static ps_status held_text(psi_stream *stream, ps_bytes *out, ps_error *err)
{
    char time[64];

    for (int i = 0; i < stream->n_stateful; i++) {
        ps_op *op = stream->stateful[i];
        ps_state_metrics m = {0};

        op->vt->metrics(op, &m);
        time[ps_format_iso_ms(op->evict_ms, time)] = '\0';
        PS_TRY(ps_bytes_printf(out, err, "operator %d (%s): %" PRId64 " rows held; ", i, op->node->row->state_name, m.n_rows_total));
        if (!stream->has_watermark || !op->vt->wants_no_data)
            PS_TRY(ps_bytes_text(out, "no watermark releases them\n", err));
        else
            PS_TRY(ps_bytes_printf(out, err, "released when the watermark, now %s, passes their end; %" PRId64 " late groups dropped in the last batch\n", time, m.n_rows_dropped));
    }
    return stream->n_stateful ? PS_OK : ps_bytes_text(out, "no operator holds rows back\n", err);
}

static void put(char **place, ps_bytes *text)
{
    ps_free(*place);
    *place = ps_bytes_take(text);
}

ps_status psi_progress_describe(psi_stream *stream, ps_error *err)
{
    ps_query *query = stream->query;
    ps_bytes committed = {0}, available = {0}, held = {0};
    ps_status rc;

    rc = offsets_text(stream, true, &committed, err);
    rc = rc == PS_OK ? offsets_text(stream, false, &available, err) : rc;
    rc = rc == PS_OK ? held_text(stream, &held, err) : rc;
    if (rc == PS_OK) {
        ps_lock_take(&query->lock);
        put(&query->committed_text, &committed);
        put(&query->available_text, &available);
        put(&query->held_text, &held);
        query->planned = true;
        query->data_available = stream->has_new_data;
        ps_lock_drop(&query->lock);
    }
    ps_bytes_clear(&committed);
    ps_bytes_clear(&available);
    ps_bytes_clear(&held);
    return rc;
}
