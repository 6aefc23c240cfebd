/*
 * io/sink_callback.c - foreach and foreachBatch: rows and micro-batches for the host language.
 */
#include "io/sink_int.h"

typedef struct callback_sink {
    ps_sink sink;
    ps_callback *callback; /* borrowed */
    bool is_open;          /* foreach: rows_open() succeeded and rows_close() is still to come */
} callback_sink;

static ps_status foreach_begin(ps_sink *sink, int64_t batch_id, bool *skip, ps_error *err)
{
    callback_sink *self = (callback_sink *)sink;

    *skip = false;
    sink->batch_id = batch_id;
    PS_TRY(self->callback->rows_open(self->callback->self, batch_id, err));
    self->is_open = true;
    return PS_OK;
}

static ps_status foreach_write(ps_sink *sink, ps_batch *batch, ps_error *err)
{
    callback_sink *self = (callback_sink *)sink;

    return self->callback->rows(self->callback->self, batch, err);
}

static ps_status foreach_commit(ps_sink *sink, int64_t batch_id, ps_error *err)
{
    callback_sink *self = (callback_sink *)sink;

    PS_UNUSED(batch_id);
    self->is_open = false; /* an error of close() does not call it again */
    return self->callback->rows_close(self->callback->self, false, err);
}

static void foreach_abort(ps_sink *sink, int64_t batch_id)
{
    callback_sink *self = (callback_sink *)sink;
    ps_error second; /* the first error is what the user must see */

    PS_UNUSED(batch_id);
    if (!self->is_open)
        return;
    self->is_open = false;
    second.code = PS_OK;
    second.foreign = false;
    self->callback->rows_close(self->callback->self, true, &second);
}

static ps_status batch_pull(ps_sink *sink, int64_t batch_id, struct ps_batch_run *run, ps_error *err)
{
    callback_sink *self = (callback_sink *)sink;

    sink->batch_id = batch_id;
    return self->callback->batch(self->callback->self, batch_id, run, err);
}

static void sink_close(ps_sink *sink)
{
    foreach_abort(sink, sink->batch_id);
    ps_free(sink->description);
    ps_free(sink);
}

static ps_status open_sink(const ps_sink_request *request, const ps_sink_vt *vt, const char *description, ps_sink **out, ps_error *err)
{
    callback_sink *self;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_alloc0(sizeof *self, &self, err));
    self->sink.vt = vt;
    self->sink.counts_rows = vt->pull == NULL;
    self->callback = request->callback;
    if ((rc = ps_strdup(description, &self->sink.description, err)) != PS_OK) {
        ps_free(self);
        return rc;
    }
    *out = &self->sink;
    return PS_OK;
}

ps_status psi_foreach_sink_open(const ps_sink_request *request, ps_sink **out, ps_error *err)
{
    static const ps_sink_vt vt = {foreach_begin, foreach_write, foreach_commit, foreach_abort, sink_close, NULL};

    return open_sink(request, &vt, "ForeachWriterTable", out, err);
}

ps_status psi_foreach_batch_sink_open(const ps_sink_request *request, ps_sink **out, ps_error *err)
{
    static const ps_sink_vt vt = {.close = sink_close, .pull = batch_pull};

    return open_sink(request, &vt, "ForeachBatchSink", out, err);
}
