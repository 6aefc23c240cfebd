/*
 * op/aggregate_partial.c - rows into groups: the table that a worker fills in one micro-batch.
 */
#include "op/aggregate_int.h"
#include "col/type_text.h"
#include "op/timewindow.h"

/* ---- layout ---- */

static ps_status describe_calls(psi_aggregate_plan *plan, ps_error *err)
{
    ps_bytes text = {0};
    ps_status rc = PS_OK;

    for (int i = 0; i < plan->n_calls && rc == PS_OK; i++) {
        const ps_agg_call *call = &plan->spec->calls.items[i];
        rc = ps_bytes_printf(&text, err, "%s%s/%d", i ? " " : "", call->fn->name,
                             call->shape->version);
        for (int a = 0; a < call->n_args && rc == PS_OK; a++) {
            rc = ps_bytes_char(&text, ':', err);
            if (rc == PS_OK)
                rc = ps_type_simple_text(call->args[a]->type, &text, err);
        }
    }
    if (rc == PS_OK && text.data == NULL)
        rc = ps_bytes_text(&text, "", err);
    if (rc == PS_OK)
        plan->schema = ps_bytes_take(&text);
    ps_bytes_clear(&text);
    return rc;
}

static ps_status lay_out_values(psi_aggregate_plan *plan, const ps_key_spec *key, ps_error *err)
{
    uint32_t cells[64 * PS_AGG_CELLS];
    uint8_t *initial = NULL;
    size_t n_bytes = 0;
    int n_cells = 0;
    ps_status rc;

    for (int i = 0; i < plan->n_calls; i++) {
        const ps_agg_shape *shape = plan->spec->calls.items[i].shape;
        plan->at[i] = n_bytes;
        for (int c = 0; c < shape->n_cells; c++) {
            if (n_cells == (int)PS_COUNT_OF(cells))
                return ps_raise(err, PS_E_NOT_BUILT,
                                "An aggregation with more than 256 growing buffers");
            cells[n_cells++] = (uint32_t)(n_bytes + shape->cells[c]);
        }
        n_bytes += (shape->buffer_bytes + 7) & ~(size_t)7;
    }
    PS_TRY(ps_alloc0(n_bytes, &initial, err));
    for (int i = 0; i < plan->n_calls; i++)
        ps_agg_init(plan->spec->calls.items[i].fn, plan->spec->calls.items[i].shape,
                    initial + plan->at[i]);
    rc = ps_layout_init(&plan->layout, key, n_bytes, initial, cells, n_cells, err);
    ps_free(initial);
    for (int i = 0; i < plan->n_calls; i++)
        plan->at[i] += plan->layout.value_at;
    return rc;
}

/* A grouping column that is the window of the node below: its end need not be kept. */
static void find_window(const ps_node *node, ps_key_spec *key)
{
    const psi_aggregate_spec *spec = node->spec;
    ps_window_spec window;

    if (!ps_window_spec_get(node->inputs[0], &window))
        return;
    for (int i = 0; i < key->n_types; i++) {
        const ps_bound *bound = spec->grouping.items[i].bound;
        if (bound->kind != PS_B_COLUMN || bound->attr_id != window.attr_id)
            continue;
        key->window_col = i;
        key->window_us = spec->pane_width > 0 ? spec->pane_width : window.width;
        return;
    }
}

ps_status psi_aggregate_plan_init(psi_aggregate_plan *plan, const ps_node *node, ps_error *err)
{
    const ps_type **types = NULL;
    ps_key_spec key;
    ps_status rc;

    memset(plan, 0, sizeof *plan);
    plan->spec = node->spec;
    plan->n_keys = plan->spec->grouping.n;
    plan->n_calls = plan->spec->calls.n;
    plan->time_key = -1;
    PS_TRY_OR(done, ps_alloc0((size_t)plan->n_calls * sizeof *plan->at, &plan->at, err));
    PS_TRY_OR(done, ps_alloc0((size_t)plan->n_keys * sizeof *types, &types, err));
    for (int i = 0; i < plan->n_keys; i++) {
        types[i] = plan->spec->grouping.items[i].bound->type;
        if (node->streaming && plan->time_key < 0 && node->out.items[i].watermark_ms >= 0)
            plan->time_key = i;
    }
    PS_TRY_OR(done, describe_calls(plan, err));
    key = (ps_key_spec){types, plan->n_keys, plan->time_key, -1, 0};
    find_window(node, &key);
    rc = lay_out_values(plan, &key, err);
done:
    ps_free(types);
    if (rc != PS_OK)
        psi_aggregate_plan_clear(plan);
    return rc;
}

void psi_aggregate_plan_clear(psi_aggregate_plan *plan)
{
    ps_layout_clear(&plan->layout);
    ps_free(plan->at);
    ps_free(plan->schema);
    memset(plan, 0, sizeof *plan);
}

/* ---- programs ---- */

static ps_status make_program(ps_aggregate_partial *partial, const ps_node *node,
                              const ps_eval_env *env, ps_error *err)
{
    const psi_aggregate_plan *plan = partial->plan;
    ps_bound **bounds = NULL;
    int n = plan->n_keys;
    ps_status rc;

    for (int i = 0; i < plan->n_calls; i++) {
        const ps_agg_call *call = &plan->spec->calls.items[i];
        partial->first_arg[i] = n;
        n += call->filter ? 0 : call->n_args;
    }
    PS_TRY_OR(done, ps_alloc0((size_t)n * sizeof *bounds, &bounds, err));
    PS_TRY_OR(done, ps_alloc0((size_t)n * sizeof *partial->outs, &partial->outs, err));
    for (int i = 0; i < plan->n_keys; i++)
        bounds[i] = plan->spec->grouping.items[i].bound;
    for (int i = 0; i < plan->n_calls; i++) {
        const ps_agg_call *call = &plan->spec->calls.items[i];
        for (int a = 0; !call->filter && a < call->n_args; a++)
            bounds[partial->first_arg[i] + a] = call->args[a];
    }
    partial->n_outs = n;
    rc = ps_program_new(bounds, n, &node->inputs[0]->out, env, &partial->program, err);
done:
    ps_free(bounds);
    return rc;
}

static ps_status make_filtered(ps_aggregate_partial *partial, const ps_node *node,
                               const ps_eval_env *env, ps_error *err)
{
    int most = 0;

    for (int i = 0; i < partial->plan->n_calls; i++) {
        const ps_agg_call *call = &partial->plan->spec->calls.items[i];
        ps_bound *filter = call->filter;
        if (filter == NULL)
            continue;
        PS_TRY(ps_program_new(&filter, 1, &node->inputs[0]->out, env,
                              &partial->filtered[i].condition, err));
        PS_TRY(ps_program_new(call->args, call->n_args, &node->inputs[0]->out, env,
                              &partial->filtered[i].args, err));
        most = call->n_args > most ? call->n_args : most;
    }
    return ps_alloc0((size_t)most * sizeof *partial->args, &partial->args, err);
}

ps_status psi_partial_new(const psi_aggregate_plan *plan, const ps_node *node, ps_run *run,
                          uint64_t seed, ps_aggregate_partial **out, ps_error *err)
{
    ps_aggregate_partial *partial = NULL;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_alloc0(sizeof *partial, &partial, err));
    partial->plan = plan;
    partial->seed = seed;
    ps_table_init(&partial->table, &plan->layout, 0, NULL);
    PS_TRY_OR(fail, ps_alloc0((size_t)plan->n_calls * sizeof *partial->first_arg,
                              &partial->first_arg, err));
    PS_TRY_OR(fail, ps_alloc0((size_t)plan->n_calls * sizeof *partial->filtered, &partial->filtered,
                              err));
    PS_TRY_OR(fail, ps_alloc0((size_t)plan->n_calls * sizeof *partial->distinct, &partial->distinct,
                              err));
    for (int i = 0; i < plan->n_calls; i++)
        if (plan->spec->calls.items[i].distinct)
            PS_TRY_OR(fail, psi_distinct_new(plan, &plan->spec->calls.items[i],
                                             &partial->distinct[i], err));
    PS_TRY_OR(fail, make_program(partial, node, &run->env, err));
    PS_TRY_OR(fail, make_filtered(partial, node, &run->env, err));
    *out = partial;
    return PS_OK;
fail:
    psi_partial_free(partial);
    return rc;
}

void psi_partial_free(ps_aggregate_partial *partial)
{
    if (partial == NULL)
        return;
    for (int i = 0; partial->filtered && i < partial->plan->n_calls; i++) {
        ps_program_free(partial->filtered[i].condition);
        ps_program_free(partial->filtered[i].args);
    }
    for (int i = 0; partial->distinct && i < partial->plan->n_calls; i++)
        psi_distinct_free(partial->distinct[i]);
    ps_program_free(partial->program);
    ps_free(partial->distinct);
    ps_free(partial->filtered);
    ps_free(partial->first_arg);
    ps_free(partial->outs);
    ps_free(partial->args);
    psi_direct_free(partial->direct);
    ps_table_clear(&partial->table);
    ps_free(partial->slots);
    ps_free(partial->some);
    ps_free(partial);
}

/* ---- rows ---- */

static ps_status make_room(ps_aggregate_partial *partial, int64_t n, ps_error *err)
{
    if (n <= partial->room)
        return PS_OK;
    PS_TRY(ps_realloc((size_t)n * sizeof *partial->slots, &partial->slots, err));
    PS_TRY(ps_realloc((size_t)n * sizeof *partial->some, &partial->some, err));
    partial->room = n;
    return PS_OK;
}

static void drop_vecs(ps_vec **vecs, int n)
{
    for (int i = 0; i < n; i++) {
        ps_vec_unref(vecs[i]);
        vecs[i] = NULL;
    }
}

/* The slots of the rows that passed: `kept` selects, in order, some of the live rows of `batch`. */
static void pick_slots(ps_aggregate_partial *partial, const ps_rows *all, const ps_rows *kept)
{
    int64_t j = 0;

    for (int64_t k = 0; k < kept->n; k++, j++) {
        while (ps_row(all, j) != ps_row(kept, k))
            j++;
        partial->some[k] = partial->slots[j];
    }
}

/* One call over these rows, whose groups are groups[] (reused when the call is DISTINCT). */
static ps_status update_call(ps_aggregate_partial *partial, int i, ps_vec *const *args,
                             ps_rows rows, uint8_t **groups, ps_error *err)
{
    const psi_aggregate_plan *plan = partial->plan;
    const ps_agg_call *call = &plan->spec->calls.items[i];
    ps_agg_groups to = {groups, plan->at[i], &partial->table.heap};

    if (partial->distinct[i] != NULL)
        PS_TRY(psi_distinct_pick(partial->distinct[i], partial->seed, partial->outs, plan->n_keys,
                                 args, call->n_args, &rows, groups, err));
    return rows.n > 0 ? call->fn->update(call->shape, &to, args, &rows, err) : PS_OK;
}

static ps_status update_filtered(ps_aggregate_partial *partial, int i, ps_batch *batch,
                                 ps_error *err)
{
    ps_rows all = ps_batch_live(batch), live;
    ps_batch *kept = NULL;
    ps_status rc;

    PS_TRY(ps_program_filter(partial->filtered[i].condition, batch, &kept, err));
    if (kept == NULL)
        return PS_OK;
    live = ps_batch_live(kept);
    pick_slots(partial, &all, &live);
    rc = ps_program_run(partial->filtered[i].args, kept, partial->args, err);
    if (rc == PS_OK) {
        rc = update_call(partial, i, partial->args, live, partial->some, err);
        drop_vecs(partial->args, partial->plan->spec->calls.items[i].n_args);
    }
    ps_batch_unref(kept);
    return rc;
}

/* `rows`: the live rows of the batch, or some of them when no call has a FILTER. */
static ps_status update_all(ps_aggregate_partial *partial, ps_batch *batch, ps_rows rows,
                            ps_error *err)
{
    const psi_aggregate_plan *plan = partial->plan;

    for (int i = 0; i < plan->n_calls; i++) {
        uint8_t **groups = partial->slots;
        if (plan->spec->calls.items[i].filter) {
            PS_TRY(update_filtered(partial, i, batch, err));
            continue;
        }
        if (partial->distinct[i] != NULL)
            groups = memcpy(partial->some, partial->slots, (size_t)rows.n * sizeof *groups);
        PS_TRY(update_call(partial, i, partial->outs + partial->first_arg[i], rows, groups, err));
    }
    return PS_OK;
}

ps_status ps_aggregate_partial_push(ps_aggregate_partial *partial, ps_batch *batch, ps_error *err)
{
    ps_rows rows = ps_batch_live(batch);
    ps_status rc;

    if (rows.n == 0)
        return PS_OK;
    PS_TRY(make_room(partial, rows.n, err));
    PS_TRY(ps_program_run(partial->program, batch, partial->outs, err));
    if (psi_direct_is_on(partial->direct, &partial->table))
        PS_TRY_OR(done, psi_direct_push(partial->direct, &rows, &rows, err));
    PS_TRY_OR(done, ps_table_upsert(&partial->table, partial->outs, &rows, partial->seed,
                                    partial->slots, err));
    psi_direct_count(partial->direct, rows.n);
    rc = update_all(partial, batch, rows, err);
done:
    drop_vecs(partial->outs, partial->n_outs);
    return rc;
}

ps_status psi_partial_ensure(ps_aggregate_partial *partial, ps_error *err)
{
    ps_rows one = {1, NULL, 1};

    if (partial->plan->n_keys > 0 || partial->table.n > 0)
        return PS_OK;
    PS_TRY(make_room(partial, 1, err));
    return ps_table_upsert(&partial->table, NULL, &one, partial->seed, partial->slots, err);
}

ps_status psi_partial_reset(ps_aggregate_partial *partial, ps_error *err)
{
    for (int i = 0; i < partial->plan->n_calls; i++)
        if (partial->distinct[i] != NULL)
            PS_TRY(ps_table_reset(&partial->distinct[i]->table, err));
    psi_direct_end(partial->direct);
    return ps_table_reset(&partial->table, err);
}
