/*
 * query/stream.c - what a query's thread makes before its first trigger, and takes down after its last: sources,
 * operators, sink, logs, and the place in the logs where the query goes on (execution.md 1.2, 2.1, 2.6).
 */
#include "base/failpoint.h"
#include "query/query_int.h"
#include <inttypes.h>
#include <stdio.h>

/* --- sources ------------------------------------------------------------------------------------------------ */

static ps_status add_occurrence(void *self, ps_op *op, ps_error *err)
{
    psi_stream *stream = self;
    ps_source_info *info = op->node ? ps_scan_node_source(op->node) : NULL;
    int input;

    if (!info)
        return PS_OK;
    for (input = 0; input < stream->n_inputs; input++)
        if (stream->inputs[input].info == info)
            break;
    if (input == stream->n_inputs) {
        PS_TRY(ps_realloc((size_t)(input + 1) * sizeof *stream->inputs, &stream->inputs, err));
        stream->inputs[input] = (psi_input){.info = info};
        stream->n_inputs++;
    }
    PS_TRY(ps_realloc((size_t)(stream->n_occurrences + 1) * sizeof *stream->occurrences, &stream->occurrences, err));
    PS_TRY(ps_grow(&stream->inputs[input].scans, stream->inputs[input].n_scans, &stream->inputs[input].scans_capacity, sizeof(ps_op *), err));
    stream->inputs[input].scans[stream->inputs[input].n_scans++] = op;
    stream->occurrences[stream->n_occurrences++] = input;
    return PS_OK;
}

static void *hold_query(void *query) { return ps_query_ref(query); }
static void drop_query(void *query) { ps_query_unref(query); }

static ps_status open_source(psi_stream *stream, int at, ps_error *err)
{
    psi_input *input = &stream->inputs[at];
    char *dir = NULL;
    char name[48];
    ps_status rc;

    snprintf(name, sizeof name, "sources/%d", at);
    PS_TRY(ps_path_join(stream->query->checkpoint, name, &dir, err));
    ps_source_open_args args = {.checkpoint_dir = dir, .conf = &stream->conf, .fs = stream->run.fs, .clock = stream->run.clock, .sync = stream->sync,
                                .check = ps_run_checked, .check_self = &stream->run,
                                .waker = {stream->query, hold_query, drop_query, psi_query_wake}};
    rc = input->info->vt->open(input->info, &args, &input->source, err);
    ps_free(dir);
    return rc;
}

/* --- recovery -------------------------------------------------------------------------------------------------- */

/* The offset that an entry has for an input, in the source's own spelling. */
static ps_status take_offset(psi_stream *stream, const ps_offsets *entry, int input, char **out, ps_error *err)
{
    ps_source *source = stream->inputs[input].source;

    *out = NULL;
    for (int i = 0; i < stream->n_occurrences; i++) {
        if (stream->occurrences[i] != input)
            continue;
        if (i >= entry->n || !entry->items[i].offset)
            return PS_OK;
        if (source->vt->canonical)
            return source->vt->canonical(source, entry->items[i].offset, out, err);
        return ps_strdup(entry->items[i].offset, out, err);
    }
    return PS_OK;
}

static ps_status check_sources(const psi_stream *stream, const ps_offsets *entry, ps_error *err)
{
    if (entry->version == 1 && entry->n != stream->n_occurrences)
        return ps_raise(err, PS_E_SOURCE_COUNT, entry->n, stream->n_occurrences);
    return PS_OK;
}

static ps_status set_offsets(psi_stream *stream, const ps_offsets *entry, bool as_start, ps_error *err)
{
    PS_TRY(check_sources(stream, entry, err));
    for (int i = 0; i < stream->n_inputs; i++) {
        char **place = as_start ? &stream->inputs[i].start : &stream->inputs[i].end;

        ps_free(*place);
        *place = NULL;
        PS_TRY(take_offset(stream, entry, i, place, err));
    }
    return PS_OK;
}

static ps_status copy_offset(const char *from, char **to, ps_error *err)
{
    ps_free(*to);
    *to = NULL;
    return from ? ps_strdup(from, to, err) : PS_OK;
}

/* Batch L is the newest logged one: S and E, and whether it is still to run. */
static ps_status resume(psi_stream *stream, int64_t last, int64_t last_commit, const ps_offsets *entry, ps_error *err)
{
    ps_offsets before = {0};
    bool found = false;
    ps_status rc = PS_OK;

    PS_TRY(set_offsets(stream, entry, false, err));
    for (int i = 0; i < stream->n_inputs; i++)
        if (stream->inputs[i].source->vt->seen && stream->inputs[i].end)
            PS_TRY(stream->inputs[i].source->vt->seen(stream->inputs[i].source, stream->inputs[i].end, err));
    stream->batch_id = last;
    stream->constructed = true;
    stream->run.env.batch_time_us = entry->timestamp_ms * 1000;
    stream->watermark.global_ms = entry->watermark_ms;
    if (last > 0) {
        rc = ps_offsets_get(stream->offsets, last - 1, &before, NULL, err);
        if (rc == PS_OK)
            rc = set_offsets(stream, &before, true, err);
        stream->watermark.previous_ms = before.watermark_ms;
        ps_offsets_clear(&before);
        PS_TRY(rc);
    }
    if (last_commit != last)
        return PS_OK;
    /* Batch L is done: the next one starts where it ended. */
    int64_t next_ms = 0;
    PS_TRY(ps_commits_get(stream->commits, last_commit, &next_ms, &found, err));
    stream->watermark.previous_ms = stream->watermark.global_ms;
    if (next_ms > stream->watermark.global_ms)
        stream->watermark.global_ms = next_ms;
    stream->batch_id = last + 1;
    stream->constructed = false;
    for (int i = 0; i < stream->n_inputs; i++)
        PS_TRY(copy_offset(stream->inputs[i].end, &stream->inputs[i].start, err));
    return PS_OK;
}

static ps_status dir_has_entries(psi_stream *stream, const char *name, bool *out, ps_error *err)
{
    ps_file_list list = {0};
    char *dir = NULL;
    ps_status rc;

    *out = false;
    PS_TRY(ps_path_join(stream->query->checkpoint, name, &dir, err));
    rc = ps_fs_list(stream->run.fs, dir, &list, err);
    for (int i = 0; rc == PS_OK && i < list.n; i++)
        *out = *out || ps_path_name(list.items[i].path)[0] != '.';
    ps_file_list_clear(&list);
    ps_free(dir);
    return rc;
}

static ps_status check_fresh(psi_stream *stream, int64_t last_commit, ps_error *err)
{
    bool has_state = false;

    if (!ps_conf_bool(&stream->conf, "spark.sql.streaming.verifyCheckpointDirectoryEmptyOnStart"))
        return PS_OK;
    if (last_commit >= 0)
        return ps_raise(err, PS_E_ASSERTION_FAILED);
    PS_TRY(dir_has_entries(stream, "state", &has_state, err));
    return has_state ? ps_raise(err, PS_E_STATE_LOCATION_NOT_EMPTY, stream->query->checkpoint) : PS_OK;
}

static ps_status recover(psi_stream *stream, ps_error *err)
{
    ps_offsets entry = {0};
    int64_t last, last_commit;
    ps_status rc;

    PS_TRY(ps_seqlog_range(stream->offsets, NULL, &last, err));
    PS_TRY(ps_seqlog_range(stream->commits, NULL, &last_commit, err));
    if (last < 0)
        return check_fresh(stream, last_commit, err);
    rc = ps_offsets_get(stream->offsets, last, &entry, NULL, err);
    if (rc == PS_OK)
        rc = ps_pin_confs(&entry, &stream->conf, err);
    if (rc == PS_OK)
        rc = resume(stream, last, last_commit, &entry, err);
    ps_offsets_clear(&entry);
    return rc;
}

/* --- operators, sink ---------------------------------------------------------------------------------------------- */

static ps_status number_operator(void *self, ps_op *op, ps_error *err)
{
    psi_stream *stream = self;

    stream->has_watermark = stream->has_watermark || op->vt->event_stats;
    if (!op->vt->restore || !op->node->streaming) /* one of a static side keeps nothing between batches */
        return PS_OK;
    PS_TRY(ps_realloc((size_t)(stream->n_stateful + 1) * sizeof *stream->stateful, &stream->stateful, err));
    op->state_id = stream->n_stateful;
    stream->stateful[stream->n_stateful++] = op;
    return PS_OK;
}

static ps_status open_run(psi_stream *stream, ps_error *err)
{
    ps_query *query = stream->query;
    ps_run *run = &stream->run;
    char *state_dir = NULL;

    run->conf = &stream->conf;
    run->fs = ps_session_fs(query->session);
    run->clock = ps_session_clock(query->session);
    run->streaming = true;
    run->mode = query->mode;
    run->cancel = &query->stop;
    run->sync = stream->sync;
    run->n_workers = (int)ps_conf_int(&stream->conf, "pystream.workers");
    if (run->n_workers <= 0)
        run->n_workers = ps_cpu_count();
    run->memory_limit = (size_t)ps_conf_int(&stream->conf, "pystream.state.memoryLimit");
    run->env.conf = &stream->conf;
    run->env.ansi = ps_conf_bool(&stream->conf, "spark.sql.ansi.enabled");
    PS_TRY(ps_path_join(query->checkpoint, "state", &state_dir, err));
    run->state_dir = state_dir; /* freed by psi_stream_close */
    return ps_session_zone(query->session, &run->env.zone, err);
}

static ps_status open_sink(psi_stream *stream, ps_error *err)
{
    ps_query *query = stream->query;
    const ps_type *schema = NULL;
    ps_status rc;

    PS_TRY(ps_node_schema(query->plan, &schema, err));
    ps_sink_request request = {
        .format = query->format, .options = &query->options, .partition_by = (const char *const *)query->partition_by,
        .n_partition_by = query->n_partition_by, .mode = query->mode, .schema = schema, .conf = &stream->conf,
        .zone = stream->run.env.zone, .query_name = query->name, .query_id = query->id, .fs = stream->run.fs, .clock = stream->run.clock,
        .checkpoint_dir = query->checkpoint, .rerun_batch = stream->constructed ? stream->batch_id : -1, .check = ps_run_checked,
        .check_self = &stream->run, .sync = stream->sync, .callback = query->callback, .table = query->table,
    };
    rc = query->sink_row->open(&request, &stream->sink, err);
    ps_type_unref(schema);
    return rc;
}

static ps_status open_log(psi_stream *stream, const char *name, ps_seqlog **out, ps_error *err)
{
    char *dir = NULL;
    ps_status rc;

    PS_TRY(ps_path_join(stream->query->checkpoint, name, &dir, err));
    rc = ps_seqlog_open(stream->run.fs, dir, stream->sync, out, err);
    if (rc == PS_OK)
        rc = ps_seqlog_make_dir(*out, err);
    ps_free(dir);
    return rc;
}

static ps_status restore_state(psi_stream *stream, ps_error *err)
{
    bool has_state = true;

    if (stream->batch_id > 0 && stream->n_stateful > 0)
        PS_TRY(dir_has_entries(stream, "state", &has_state, err));
    if (!has_state)
        return ps_raise(err, PS_E_STATE_DIRECTORY_MISSING, stream->query->checkpoint);
    for (int i = 0; i < stream->n_stateful; i++)
        PS_TRY(stream->stateful[i]->vt->restore(stream->stateful[i], stream->batch_id, err));
    return PS_OK;
}

static ps_status open_all(psi_stream *stream, ps_error *err)
{
    ps_query *query = stream->query;

    PS_TRY(ps_session_conf(query->session, &stream->conf, err));
    stream->sync = ps_conf_bool(&stream->conf, "pystream.checkpoint.sync");
    PS_TRY(open_run(stream, err));
    PS_TRY(open_log(stream, "offsets", &stream->offsets, err));
    PS_TRY(open_log(stream, "commits", &stream->commits, err));
    PS_TRY(ps_op_open(query->plan, &stream->run, &stream->root, err));
    PS_TRY(ps_op_walk(stream->root, add_occurrence, stream, err));
    PS_TRY(ps_op_walk(stream->root, number_operator, stream, err));
    for (int i = 0; i < stream->n_inputs; i++)
        PS_TRY(open_source(stream, i, err));
    PS_TRY(recover(stream, err));
    stream->watermark.use_max = ps_stricmp(ps_conf_get(&stream->conf, "spark.sql.streaming.multipleWatermarkPolicy"), "max") == 0;
    stream->chained = ps_conf_bool(&stream->conf, "spark.sql.streaming.statefulOperator.allowMultiple");
    stream->no_data_batches = ps_conf_bool(&stream->conf, "spark.sql.streaming.noDataMicroBatches.enabled");
    stream->retain = ps_conf_int(&stream->conf, "spark.sql.streaming.minBatchesToRetain");
    PS_TRY(restore_state(stream, err));
    PS_TRY(open_sink(stream, err));
    if (query->trigger.kind == PS_TRIGGER_AVAILABLE_NOW)
        for (int i = 0; i < stream->n_inputs; i++)
            if (stream->inputs[i].source->vt->freeze)
                PS_TRY(stream->inputs[i].source->vt->freeze(stream->inputs[i].source, err));
    return PS_OK;
}

ps_status psi_stream_open(ps_query *query, psi_stream *stream, ps_error *err)
{
    ps_status rc;

    memset(stream, 0, sizeof *stream);
    stream->query = query;
    stream->previous_start_ms = stream->idle_timer_ms = -1;
    stream->seed = (uint64_t)ps_clock_ticks();
    rc = open_all(stream, err);
    if (rc != PS_OK)
        psi_stream_close(stream);
    return rc;
}

void psi_stream_close(psi_stream *stream)
{
    ps_op_close(stream->root);
    if (stream->sink)
        stream->sink->vt->close(stream->sink);
    for (int i = 0; i < stream->n_inputs; i++) {
        psi_input *input = &stream->inputs[i];

        if (input->source)
            input->source->vt->close(input->source);
        ps_free(input->start);
        ps_free(input->end);
        ps_free(input->head);
        ps_free(input->scans);
    }
    ps_free(stream->inputs);
    ps_free(stream->occurrences);
    ps_free(stream->stateful);
    ps_free(stream->watermark.values);
    ps_seqlog_close(stream->offsets);
    ps_seqlog_close(stream->commits);
    ps_free((char *)stream->run.state_dir);
    ps_conf_clear(&stream->conf);
    *stream = (psi_stream){0};
}
