/*
 * query/action.c - actions on bounded plans: collect, show, write.
 */
#include "col/text.h"
#include "query/session.h"

/* A run of one action, with what it borrows. */
typedef struct action_run {
    ps_run run;
    ps_conf conf;
    uint64_t seed;
} action_run;

static ps_status begin_run(ps_session *session, const ps_action *action, action_run *out, ps_error *err)
{
    memset(out, 0, sizeof *out);
    PS_TRY(ps_session_conf(session, &out->conf, err));
    out->run.conf = &out->conf;
    out->run.fs = ps_session_fs(session);
    out->run.clock = ps_session_clock(session);
    out->run.n_workers = 1;
    out->run.mode = PS_APPEND;
    out->run.env.conf = &out->conf;
    out->run.env.ansi = ps_conf_bool(&out->conf, "spark.sql.ansi.enabled");
    out->run.env.batch_time_us = ps_clock_now_us(out->run.clock);
    out->run.env.seed = (uint64_t)ps_clock_ticks();
    if (action) {
        out->run.poll = action->poll;
        out->run.poll_self = action->poll_self;
    }
    return ps_session_zone(session, &out->run.env.zone, err);
}

static void end_run(action_run *run) { ps_conf_clear(&run->conf); }

static ps_status run_plan(ps_session *session, ps_node *node, const ps_action *action, ps_status (*write)(void *, ps_batch *, ps_error *), void *self, ps_error *err)
{
    action_run run;
    ps_status rc = begin_run(session, action, &run, err);

    if (rc == PS_OK)
        rc = ps_plan_run(node, &run.run, write, self, err);
    end_run(&run);
    return rc;
}

static ps_status keep_batch(void *self, ps_batch *batch, ps_error *err)
{
    ps_batch *copy = NULL;
    ps_status rc;

    PS_TRY(ps_batch_copy(batch, &copy, err));
    rc = ps_batches_add(self, copy, err);
    ps_batch_unref(copy);
    return rc;
}

ps_status ps_session_collect(ps_session *session, ps_node *node, const ps_action *action, ps_batches *out, ps_error *err)
{
    ps_status rc = run_plan(session, node, action, keep_batch, out, err);

    if (rc != PS_OK)
        ps_batches_clear(out);
    return rc;
}

/* --- show ------------------------------------------------------------------------------------------------- */

static ps_status first_rows(ps_session *session, ps_node *node, const ps_action *action, int64_t n, ps_batches *out, ps_error *err)
{
    ps_conf conf;
    ps_arg limit = {.name = "n", .kind = PS_A_INT, .number = n};
    ps_args args = {&limit, 1, &conf};
    ps_node *limited = NULL;
    ps_status rc;

    PS_TRY(ps_session_conf(session, &conf, err));
    rc = ps_node_make("limit", &node, 1, &args, &limited, err);
    if (rc == PS_OK)
        rc = ps_session_collect(session, limited, action, out, err);
    ps_node_unref(limited);
    ps_conf_clear(&conf);
    return rc;
}

static ps_status table_of(ps_session *session, ps_node *node, const ps_batches *rows, int64_t n, int truncate, bool vertical, ps_bytes *out, ps_error *err)
{
    ps_show show = {.truncate = truncate, .vertical = vertical};
    const ps_type **types = NULL;
    const char **names = NULL;
    ps_batch *all = NULL;
    int n_cols = 0;
    ps_status rc;

    PS_TRY(ps_alloc0((size_t)node->out.n * sizeof *types, &types, err));
    PS_TRY_OR(done, ps_alloc0((size_t)node->out.n * sizeof *names, &names, err));
    for (int i = 0; i < node->out.n; i++)
        if (!node->out.items[i].hidden) {
            names[n_cols] = node->out.items[i].name;
            types[n_cols++] = node->out.items[i].type;
        }
    PS_TRY_OR(done, ps_batches_concat(rows, n_cols, types, &all, err));
    show.names = names;
    show.batch = all;
    show.more = all->n_sel > n;
    show.n = show.more ? n : all->n_sel;
    PS_TRY_OR(done, ps_session_zone(session, &show.zone, err));
    rc = ps_text_table(&show, out, err);
done:
    ps_batch_unref(all);
    ps_free(names);
    ps_free(types);
    return rc;
}

ps_status ps_session_show(ps_session *session, ps_node *node, const ps_action *action, int64_t n, int truncate, bool vertical, ps_bytes *out, ps_error *err)
{
    int64_t wanted = n < 0 ? 0 : n > INT32_MAX - 16 ? INT32_MAX - 16 : n; /* as Spark bounds it */
    ps_batches rows = {0};
    ps_status rc;

    rc = first_rows(session, node, action, wanted + 1, &rows, err);
    if (rc == PS_OK)
        rc = table_of(session, node, &rows, wanted, truncate, vertical, out, err);
    ps_batches_clear(&rows);
    return rc;
}

/* --- write -------------------------------------------------------------------------------------------------- */

static ps_status sink_write(void *self, ps_batch *batch, ps_error *err)
{
    ps_sink *sink = self;

    sink->n_rows_out += batch->n_sel;
    return sink->vt->write(sink, batch, err);
}

static ps_status write_all(ps_session *session, ps_node *node, const ps_action *action, ps_sink *sink, ps_error *err)
{
    bool skip = false;
    ps_status rc;

    PS_TRY(sink->vt->begin(sink, 0, &skip, err));
    if (skip)
        return PS_OK;
    rc = run_plan(session, node, action, sink_write, sink, err);
    if (rc == PS_OK)
        rc = sink->vt->commit(sink, 0, err);
    if (rc != PS_OK)
        sink->vt->abort(sink, 0);
    return rc;
}

ps_status ps_session_write(ps_session *session, ps_node *node, const ps_action *action, ps_sink_request *request, ps_error *err)
{
    const ps_sink_row *row = ps_sink_find(ps_slice_of(request->format));
    const ps_type *schema = NULL;
    ps_sink *sink = NULL;
    action_run run;
    ps_status rc;

    PS_TRY(ps_plan_check_batch(node, err));
    if (!row || !row->batch)
        return ps_raise(err, PS_E_DATA_SOURCE_NOT_FOUND, request->format);
    if (row->missing)
        return ps_raise(err, PS_E_NOT_BUILT, row->missing);
    PS_TRY(ps_node_schema(node, &schema, err));
    PS_TRY_OR(done, begin_run(session, action, &run, err));
    request->schema = schema;
    request->conf = &run.conf;
    request->zone = run.run.env.zone;
    request->fs = run.run.fs;
    request->clock = run.run.clock;
    request->check = ps_run_checked;
    request->check_self = &run.run;
    request->rerun_batch = -1;
    request->batch = true;
    rc = row->open(request, &sink, err);
    if (rc == PS_OK)
        rc = write_all(session, node, action, sink, err);
    if (sink)
        sink->vt->close(sink);
done:
    end_run(&run);
    ps_type_unref(schema);
    return rc;
}
