/*
 * io/sink_memory.c - rows kept for a temporary view of the query's name.
 *
 * Append and update add the rows of a batch, complete puts them in place of all others.  Readers get a snapshot, so
 * they never see half a batch.
 */
#include "base/thread.h"
#include "io/sink_int.h"

struct ps_memory_table {
    ps_refs refs;
    ps_lock lock;      /* PS_RANK_SINK; guards the rest */
    const ps_type *schema;
    ps_batches rows;
    int64_t last;      /* the newest batch that was taken, -1: none */
};

typedef struct memory_sink {
    ps_sink sink;
    ps_memory_table *table;
    ps_mode mode;
    ps_batches pending; /* of the current batch */
} memory_sink;

/* --- the table ------------------------------------------------------------------------------------------------ */

ps_status ps_memory_table_new(const ps_type *schema, ps_memory_table **out, ps_error *err)
{
    PS_TRY(ps_alloc0(sizeof **out, out, err));
    ps_refs_init(&(*out)->refs);
    ps_lock_init(&(*out)->lock, PS_RANK_SINK);
    (*out)->schema = ps_type_ref(schema);
    (*out)->last = -1;
    return PS_OK;
}

ps_memory_table *ps_memory_table_ref(ps_memory_table *table)
{
    ps_refs_inc(&table->refs);
    return table;
}

void ps_memory_table_unref(ps_memory_table *table)
{
    if (!table || !ps_refs_dec(&table->refs))
        return;
    ps_batches_clear(&table->rows);
    ps_type_unref(table->schema);
    ps_lock_clear(&table->lock);
    ps_free(table);
}

const ps_type *ps_memory_table_schema(const ps_memory_table *table) { return table->schema; }

ps_status ps_memory_table_snapshot(ps_memory_table *table, ps_batches *out, ps_error *err)
{
    ps_status rc = PS_OK;

    ps_lock_take(&table->lock);
    for (int i = 0; rc == PS_OK && i < table->rows.n; i++)
        rc = ps_batches_add(out, table->rows.items[i], err);
    ps_lock_drop(&table->lock);
    return rc;
}

/* All rows of `added` or none. */
static ps_status table_add(ps_memory_table *table, ps_batches *added, bool replace, int64_t batch_id, ps_error *err)
{
    int n_before;
    ps_status rc = PS_OK;

    ps_lock_take(&table->lock);
    n_before = table->rows.n;
    for (int i = 0; rc == PS_OK && !replace && i < added->n; i++)
        rc = ps_batches_add(&table->rows, added->items[i], err);
    while (rc != PS_OK && table->rows.n > n_before) {
        ps_batch *batch = table->rows.items[--table->rows.n];
        table->rows.n_rows -= batch->n_sel;
        ps_batch_unref(batch);
    }
    if (rc == PS_OK && replace) {
        ps_batches old = table->rows;
        table->rows = *added;
        *added = old;
    }
    if (rc == PS_OK)
        table->last = batch_id;
    ps_lock_drop(&table->lock);
    return rc;
}

/* --- the sink --------------------------------------------------------------------------------------------------- */

static ps_status sink_begin(ps_sink *sink, int64_t batch_id, bool *skip, ps_error *err)
{
    memory_sink *self = (memory_sink *)sink;

    PS_UNUSED(err);
    ps_batches_clear(&self->pending);
    sink->batch_id = batch_id;
    ps_lock_take(&self->table->lock);
    *skip = batch_id <= self->table->last;
    ps_lock_drop(&self->table->lock);
    return PS_OK;
}

static ps_status sink_write(ps_sink *sink, ps_batch *batch, ps_error *err)
{
    ps_batch *copy;
    ps_status rc;

    if (batch->n_sel == 0)
        return PS_OK;
    PS_TRY(ps_batch_copy(batch, &copy, err));
    rc = ps_batches_add(&((memory_sink *)sink)->pending, copy, err);
    ps_batch_unref(copy);
    return rc;
}

static ps_status sink_commit(ps_sink *sink, int64_t batch_id, ps_error *err)
{
    memory_sink *self = (memory_sink *)sink;
    ps_status rc = table_add(self->table, &self->pending, self->mode == PS_COMPLETE, batch_id, err);

    ps_batches_clear(&self->pending);
    return rc;
}

static void sink_abort(ps_sink *sink, int64_t batch_id)
{
    PS_UNUSED(batch_id);
    ps_batches_clear(&((memory_sink *)sink)->pending);
}

static void sink_close(ps_sink *sink)
{
    memory_sink *self = (memory_sink *)sink;

    ps_batches_clear(&self->pending);
    ps_memory_table_unref(self->table);
    ps_free(sink->description);
    ps_free(self);
}

ps_status psi_memory_sink_open(const ps_sink_request *request, ps_sink **out, ps_error *err)
{
    static const ps_sink_vt vt = {sink_begin, sink_write, sink_commit, sink_abort, sink_close, NULL};
    memory_sink *self;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_alloc0(sizeof *self, &self, err));
    self->sink.vt = &vt;
    self->sink.counts_rows = true;
    self->mode = request->mode;
    self->table = ps_memory_table_ref(request->table);
    if ((rc = ps_strdup("MemorySink", &self->sink.description, err)) != PS_OK) {
        sink_close(&self->sink);
        return rc;
    }
    *out = &self->sink;
    return PS_OK;
}
