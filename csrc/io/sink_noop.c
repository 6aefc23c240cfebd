/*
 * io/sink_noop.c - takes every row and keeps none: for measuring.
 */
#include "io/sink_int.h"

static ps_status sink_begin(ps_sink *sink, int64_t batch_id, bool *skip, ps_error *err)
{
    PS_UNUSED(err);
    sink->batch_id = batch_id;
    *skip = false;
    return PS_OK;
}

static ps_status sink_write(ps_sink *sink, ps_batch *batch, ps_error *err)
{
    PS_UNUSED(sink);
    PS_UNUSED(batch);
    PS_UNUSED(err);
    return PS_OK;
}

static ps_status sink_commit(ps_sink *sink, int64_t batch_id, ps_error *err)
{
    PS_UNUSED(sink);
    PS_UNUSED(batch_id);
    PS_UNUSED(err);
    return PS_OK;
}

static void sink_abort(ps_sink *sink, int64_t batch_id)
{
    PS_UNUSED(sink);
    PS_UNUSED(batch_id);
}

static void sink_close(ps_sink *sink)
{
    ps_free(sink->description);
    ps_free(sink);
}

ps_status psi_noop_sink_open(const ps_sink_request *request, ps_sink **out, ps_error *err)
{
    static const ps_sink_vt vt = {sink_begin, sink_write, sink_commit, sink_abort, sink_close, NULL};
    ps_sink *self;
    ps_status rc;

    PS_UNUSED(request);
    *out = NULL;
    PS_TRY(ps_alloc0(sizeof *self, &self, err));
    self->vt = &vt;
    self->counts_rows = true;
    if ((rc = ps_strdup("NoopTable", &self->description, err)) != PS_OK) {
        ps_free(self);
        return rc;
    }
    *out = self;
    return PS_OK;
}
