/*
 * io/sink_console.c - prints the first rows of every batch as show() does.
 *
 * Only the rows to be printed are kept, and one more, which tells whether there are others.
 */
#include "col/text.h"
#include "io/sink_int.h"

#define RULE "-------------------------------------------\n"

typedef struct console_sink {
    ps_sink sink;
    ps_callback *callback; /* borrowed */
    ps_options options;
    const ps_type *schema;
    const ps_zone *zone;
    int64_t n_rows;        /* to print */
    int truncate;
    ps_batches kept;
} console_sink;

/* Options are looked at when a batch runs: Spark reports them through the query. */
static ps_status read_options(console_sink *self, ps_error *err)
{
    const char *rows = ps_options_get(&self->options, "numRows"), *cut = ps_options_get(&self->options, "truncate");

    self->n_rows = 20;
    if (rows && !ps_parse_int(rows, &self->n_rows))
        return ps_raise(err, PS_E_NUMBER_TEXT, rows);
    if (self->n_rows < 0)
        self->n_rows = 0;
    if (self->n_rows > INT32_MAX - 16)
        self->n_rows = INT32_MAX - 16;
    self->truncate = !cut || ps_stricmp(cut, "true") == 0 ? 20 : 0;
    if (cut && self->truncate == 0 && ps_stricmp(cut, "false") != 0)
        return ps_raise(err, PS_E_BOOLEAN_TEXT, cut);
    return PS_OK;
}

static ps_status sink_begin(ps_sink *sink, int64_t batch_id, bool *skip, ps_error *err)
{
    console_sink *self = (console_sink *)sink;

    *skip = false;
    sink->batch_id = batch_id;
    ps_batches_clear(&self->kept);
    return read_options(self, err);
}

static ps_status sink_write(ps_sink *sink, ps_batch *batch, ps_error *err)
{
    console_sink *self = (console_sink *)sink;
    int64_t left = self->n_rows + 1 - self->kept.n_rows;
    ps_batch *slice = NULL, *copy = NULL;
    ps_status rc;

    if (left <= 0 || batch->n_sel == 0)
        return PS_OK;
    PS_TRY_OR(done, ps_batch_slice(batch, 0, left < batch->n_sel ? left : batch->n_sel, &slice, err));
    PS_TRY_OR(done, ps_batch_copy(slice, &copy, err));
    rc = ps_batches_add(&self->kept, copy, err);
done:
    ps_batch_unref(slice);
    ps_batch_unref(copy);
    return rc;
}

static ps_status table_text(console_sink *self, ps_bytes *out, ps_error *err)
{
    int n = self->schema->n_fields;
    const ps_type **types = NULL;
    const char **names = NULL;
    ps_batch *batch = NULL;
    ps_status rc;

    PS_TRY_OR(done, ps_alloc((size_t)(n + 1) * sizeof *types, &types, err));
    PS_TRY_OR(done, ps_alloc((size_t)(n + 1) * sizeof *names, &names, err));
    for (int i = 0; i < n; i++) {
        types[i] = self->schema->fields[i].type;
        names[i] = self->schema->fields[i].name;
    }
    PS_TRY_OR(done, ps_batches_concat(&self->kept, n, types, &batch, err));
    ps_show show = {.names = names, .batch = batch, .n = self->n_rows, .truncate = self->truncate, .zone = self->zone,
                    .more = self->kept.n_rows > self->n_rows};
    rc = ps_text_table(&show, out, err);
done:
    ps_batch_unref(batch);
    ps_free(types);
    ps_free(names);
    return rc;
}

static ps_status sink_commit(ps_sink *sink, int64_t batch_id, ps_error *err)
{
    console_sink *self = (console_sink *)sink;
    ps_bytes text = {0};
    ps_status rc;

    PS_TRY_OR(done, ps_bytes_printf(&text, err, RULE "Batch: %lld\n" RULE, (long long)batch_id));
    PS_TRY_OR(done, table_text(self, &text, err));
    PS_TRY_OR(done, ps_bytes_char(&text, '\n', err)); /* printed as a line of its own */
    rc = self->callback->print(self->callback->self, ps_bytes_slice(&text), err);
done:
    ps_bytes_clear(&text);
    ps_batches_clear(&self->kept);
    return rc;
}

static void sink_abort(ps_sink *sink, int64_t batch_id)
{
    PS_UNUSED(batch_id);
    ps_batches_clear(&((console_sink *)sink)->kept);
}

static void sink_close(ps_sink *sink)
{
    console_sink *self = (console_sink *)sink;

    ps_batches_clear(&self->kept);
    ps_options_clear(&self->options);
    ps_type_unref(self->schema);
    ps_free(sink->description);
    ps_free(self);
}

ps_status psi_console_sink_open(const ps_sink_request *request, ps_sink **out, ps_error *err)
{
    static const ps_sink_vt vt = {sink_begin, sink_write, sink_commit, sink_abort, sink_close, NULL};
    console_sink *self;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_alloc0(sizeof *self, &self, err));
    self->sink.vt = &vt;
    self->sink.counts_rows = true;
    self->callback = request->callback;
    self->schema = ps_type_ref(request->schema);
    self->zone = request->zone;
    PS_TRY_OR(fail, ps_strdup("ConsoleTable", &self->sink.description, err));
    PS_TRY_OR(fail, ps_options_copy(request->options, &self->options, err));
    *out = &self->sink;
    return PS_OK;
fail:
    sink_close(&self->sink);
    return rc;
}
