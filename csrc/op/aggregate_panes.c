/*
 * op/aggregate_panes.c - sliding windows made of panes.
 *
 * A window of k slides is the union of k panes, each as wide as the slide.  Rows are grouped by
 * pane, so each is looked at once instead of k times; at the end of a micro-batch a group by pane
 * is merged into the k windows around it.  That is done where merging gives the very same value
 * (ps_agg_shape.exact) and nothing else looks at the window.
 */
#include "op/aggregate_int.h"
#include "op/timewindow.h"

#define MOST_PANES 1000

/* The grouping column that is the window as it is; -1: none, or the window is used in other ways as
 * well. */
static int find_window_key(const psi_aggregate_spec *spec, int64_t attr_id)
{
    int found = -1;

    for (int i = 0; i < spec->grouping.n; i++) {
        const ps_named *key = &spec->grouping.items[i];
        if (!ps_bound_uses(key->bound, attr_id))
            continue;
        if (found >= 0 || key->bound->kind != PS_B_COLUMN)
            return -1;
        found = i;
    }
    for (int i = 0; i < spec->calls.n; i++)
        if (ps_bound_uses(spec->calls.items[i].call, attr_id))
            return -1;
    return found;
}

ps_status psi_panes_plan(ps_node **input, psi_aggregate_spec *spec, ps_error *err)
{
    ps_window_spec window;
    ps_node *panes;
    int key;

    if (!ps_window_spec_get(*input, &window) || window.slide >= window.width ||
        window.width % window.slide != 0 || window.width / window.slide > MOST_PANES)
        return PS_OK;
    for (int i = 0; i < spec->calls.n; i++)
        if (!spec->calls.items[i].shape->exact || spec->calls.items[i].distinct)
            return PS_OK;
    key = find_window_key(spec, window.attr_id);
    if (key < 0)
        return PS_OK;
    PS_TRY(ps_node_panes(*input, &panes, err));
    ps_node_unref(*input);
    *input = panes;
    spec->pane_width = window.width;
    spec->pane_slide = window.slide;
    spec->pane_key = key;
    return PS_OK;
}

/* The windows that begin `back` slides before each pane, as a column like `panes`. */
static ps_status make_windows(const psi_aggregate_spec *spec, const ps_vec *panes, int64_t back,
                              ps_vec **out, ps_error *err)
{
    const ps_type *type = panes->type;
    int64_t n = panes->n_rows;
    const int64_t *from = panes->children[0]->data;
    ps_vec *vec = NULL, *start = NULL, *end = NULL;
    ps_status rc;

    *out = NULL;
    PS_TRY_OR(fail, ps_vec_new(type->fields[0].type, n, false, &start, err));
    PS_TRY_OR(fail, ps_vec_new(type->fields[1].type, n, false, &end, err));
    PS_TRY_OR(fail, ps_vec_new(type, n, false, &vec, err));
    for (int64_t j = 0; j < n; j++) {
        int64_t first = (int64_t)((uint64_t)from[j] - (uint64_t)(back * spec->pane_slide));
        ((int64_t *)start->data)[j] = first;
        ((int64_t *)end->data)[j] = (int64_t)((uint64_t)first + (uint64_t)spec->pane_width);
    }
    rc = ps_vec_add_child(vec, start, err);
    start = NULL;
    PS_TRY_OR(fail, rc);
    rc = ps_vec_add_child(vec, end, err);
    end = NULL;
    PS_TRY_OR(fail, rc);
    *out = vec;
    return PS_OK;
fail:
    ps_vec_unref(start);
    ps_vec_unref(end);
    ps_vec_unref(vec);
    return rc;
}

/* Some groups by pane into all their windows. */
static ps_status expand_some(ps_aggregate_partial *partial, ps_table *to, uint8_t **slots,
                             int64_t n, ps_vec **cols, ps_error *err)
{
    const psi_aggregate_plan *plan = partial->plan;
    const psi_aggregate_spec *spec = plan->spec;
    int64_t n_windows = spec->pane_width / spec->pane_slide;
    uint8_t *windows[PS_CHUNK];
    ps_rows rows = {n, NULL, n};
    ps_vec *panes = NULL;
    ps_status rc = PS_OK;

    for (int i = 0; i < plan->n_keys; i++)
        PS_TRY(ps_key_decode(&plan->layout.key, i, slots, n, &partial->table.heap, &cols[i], err));
    panes = cols[spec->pane_key];
    cols[spec->pane_key] = NULL;
    for (int64_t back = 0; back < n_windows && rc == PS_OK; back++) {
        rc = make_windows(spec, panes, back, &cols[spec->pane_key], err);
        if (rc == PS_OK)
            rc = ps_table_upsert(to, cols, &rows, partial->seed, windows, err);
        if (rc == PS_OK)
            rc = psi_aggregate_merge(plan, to, windows, &partial->table, slots, n, err);
        ps_vec_unref(cols[spec->pane_key]);
        cols[spec->pane_key] = NULL;
    }
    ps_vec_unref(panes);
    return rc;
}

ps_status psi_panes_expand(ps_aggregate_partial *partial, ps_error *err)
{
    const psi_aggregate_plan *plan = partial->plan;
    uint8_t *slots[PS_CHUNK];
    uint64_t position = 0;
    ps_vec **cols = NULL;
    ps_table windows;
    int64_t n;
    ps_status rc = PS_OK;

    ps_table_init(&windows, &plan->layout, 0, NULL);
    PS_TRY_OR(done, ps_alloc0((size_t)plan->n_keys * sizeof *cols, &cols, err));
    while (rc == PS_OK && (n = ps_table_next(&partial->table, &position, slots, PS_CHUNK)) > 0) {
        rc = expand_some(partial, &windows, slots, n, cols, err);
        for (int i = 0; i < plan->n_keys; i++) {
            ps_vec_unref(cols[i]);
            cols[i] = NULL;
        }
    }
done:
    if (rc == PS_OK) {
        ps_table_clear(&partial->table);
        partial->table = windows;
    } else {
        ps_table_clear(&windows);
    }
    ps_free(cols);
    return rc;
}
