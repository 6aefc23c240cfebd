/*
 * query/batch_run.c - the micro-batch of foreachBatch: computed at the first action, read from the spool by the rest.
 *
 * The run outlives the user's function only as an empty shell: nodes that were kept raise when they are used later.
 */
#include "query/batch_run.h"

#include "op/deferred.h"
#include "query/query_int.h"
#include "query/spool.h"

struct ps_batch_run {
    ps_refs refs;
    psi_stream *stream; /* NULL once the function has returned */
    const ps_type *schema;
    const ps_type **types; /* of its fields; borrowed from it */
    ps_spool spool;
    bool computed, failed;
    ps_error failure;
};

static void unref(void *self)
{
    ps_batch_run *run = self;

    if (!run || !ps_refs_dec(&run->refs))
        return;
    ps_spool_clear(&run->spool);
    ps_free(run->types);
    ps_type_unref(run->schema);
    ps_free(run);
}

ps_status psi_batch_run_new(psi_stream *stream, ps_batch_run **out, ps_error *err)
{
    ps_batch_run *run = NULL;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_alloc0(sizeof *run, &run, err));
    ps_refs_init(&run->refs);
    run->stream = stream;
    PS_TRY_OR(fail, ps_node_schema(stream->query->plan, &run->schema, err));
    PS_TRY_OR(fail, ps_alloc((size_t)run->schema->n_fields * sizeof *run->types, &run->types, err));
    for (int i = 0; i < run->schema->n_fields; i++)
        run->types[i] = run->schema->fields[i].type;
    run->spool.types = run->types;
    run->spool.n_cols = run->schema->n_fields;
    run->spool.limit = (size_t)ps_conf_int(&stream->conf, "pystream.foreachBatch.spoolMemory");
    *out = run;
    return PS_OK;
fail:
    unref(run);
    return rc;
}

bool psi_batch_run_is_computed(const ps_batch_run *run) { return run->computed; }

bool psi_batch_run_failure(const ps_batch_run *run, ps_error *out)
{
    if (run->failed)
        *out = run->failure;
    return run->failed;
}

void psi_batch_run_end(ps_batch_run *run)
{
    run->stream = NULL;
    ps_spool_clear(&run->spool);
    unref(run);
}

static ps_status keep(void *self, ps_batch *batch, ps_error *err) { return ps_spool_add(&((ps_batch_run *)self)->spool, batch, err); }

static ps_status compute(ps_batch_run *run, ps_error *err)
{
    ps_status rc;

    run->computed = true; /* also when it fails: half a batch must not be computed twice */
    rc = psi_stream_compute(run->stream, keep, run, err);
    if (rc != PS_OK) {
        run->failed = true;
        run->failure = *err;
    }
    return rc;
}

static ps_status rows(void *self, ps_emit_fn emit, void *emit_self, ps_error *err)
{
    ps_batch_run *run = self;

    if (!run->stream)
        return ps_raise(err, PS_E_BATCH_IS_OVER);
    if (run->failed) {
        *err = run->failure;
        return run->failure.code;
    }
    if (!run->computed)
        PS_TRY(compute(run, err));
    return ps_spool_read(&run->spool, emit, emit_self, err);
}

ps_status ps_batch_run_node(ps_batch_run *run, ps_node **out, ps_error *err)
{
    ps_refs_inc(&run->refs);
    return ps_node_deferred(run->schema, rows, unref, run, out, err);
}

ps_session *ps_batch_run_session(ps_batch_run *run) { return run->stream->query->session; }
