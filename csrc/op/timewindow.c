/*
 * op/timewindow.c - window(): each row once per time window that it falls into (stateful.md 2.1).
 *
 * A sliding window repeats the batch, not the rows: for the i-th window before the last one the same columns are
 * emitted again under another window column, so nothing is copied.
 */
#include "op/timewindow.h"
#include "expr/function.h"
#include "op/op_int.h"
#include "op/project.h"

typedef struct timewindow_op {
    ps_op op;
    ps_program *program;
    int *pass; /* column of the input per passed attribute */
    int n_pass;
} timewindow_op;

PSI_OP_FREE(psi_timewindow_free)
{
    ps_bound_unref(((ps_window_spec *)spec)->call);
    ps_bound_unref(((ps_window_spec *)spec)->time);
    ps_free(spec);
}

bool ps_window_spec_get(const ps_node *node, ps_window_spec *out)
{
    if (strcmp(node->row->kind, "timewindow") != 0)
        return false;
    *out = *(const ps_window_spec *)node->spec;
    return true;
}

static const ps_attr *window_attr(const ps_node *node) { return &node->out.items[node->out.n - 1]; }

/* An argument of the bound call in microseconds: bind has checked that it is a BIGINT literal. */
static int64_t literal_us(const ps_bound *call, int arg, int64_t fallback)
{
    ps_view view;

    if (arg >= call->n_args)
        return fallback;
    ps_view_init(&view, call->args[arg]->value);
    return ((const int64_t *)view.data)[ps_at(&view, 0)];
}

/* The event-time mark moves to the window when the time is a plain column, or the time of a window that is one. */
static int64_t window_mark(const ps_node *input, const ps_bound *time)
{
    if (time->kind == PS_B_CALL && strcmp(time->fn->name, "window_time") == 0)
        time = time->args[0];
    int at = time->kind == PS_B_COLUMN ? ps_attrs_find_id(&input->out, time->attr_id) : -1;
    return at < 0 ? -1 : input->out.items[at].watermark_ms;
}

ps_status ps_node_window(ps_node *input, ps_bound *call, const ps_conf *conf, ps_node **out, const ps_attr **attr, ps_error *err)
{
    ps_window_spec *spec = NULL;
    ps_node *node = NULL;
    ps_attr *made;
    ps_status rc;

    PS_UNUSED(conf);
    *out = NULL;
    PS_TRY(ps_node_new(ps_op_find("timewindow"), &input, 1, &node, err));
    PS_TRY_OR(fail, ps_alloc0(sizeof *spec, &spec, err));
    node->spec = spec;
    spec->call = ps_bound_ref(call);
    spec->time = ps_bound_ref(call->args[0]);
    spec->width = literal_us(call, 1, 0);
    spec->slide = literal_us(call, 2, spec->width);
    spec->start = literal_us(call, 3, 0);
    PS_TRY_OR(fail, psi_node_pass_through(node, err));
    PS_TRY_OR(fail, ps_attrs_add(&node->out, "window", call->type, false, &made, err));
    made->watermark_ms = window_mark(input, spec->time);
    PS_TRY_OR(fail, ps_strdup("{\"spark.timeWindow\":true}", &made->metadata, err));
    spec->attr_id = made->id;
    *out = node;
    *attr = made;
    return PS_OK;
fail:
    ps_node_unref(node);
    return rc;
}

static ps_status rewrite(ps_named_list *list, const ps_bound *call, const ps_attr *attr, ps_error *err)
{
    ps_bound *column = NULL;
    ps_status rc = ps_bound_column(attr, &column, err);

    for (int i = 0; rc == PS_OK && i < list->n; i++) {
        ps_named *named = &list->items[i];
        ps_bound *swapped = NULL;
        bool whole = ps_bound_equal(named->bound, call);

        rc = ps_bound_swap(named->bound, call, column, &swapped, err);
        if (rc != PS_OK)
            break;
        ps_bound_unref(named->bound);
        named->bound = swapped;
        if (!whole)
            continue;
        named->watermark_ms = attr->watermark_ms;
        if (!named->metadata)
            rc = ps_strdup(attr->metadata, &named->metadata, err);
    }
    ps_bound_unref(column);
    return rc;
}

ps_status psi_swap_window(const ps_node *node, ps_named_list *list, ps_error *err)
{
    ps_window_spec spec;

    if (!ps_window_spec_get(node, &spec))
        return PS_OK;
    PS_TRY(rewrite(list, spec.call, window_attr(node), err));
    for (int i = 0; i < list->n; i++)
        if (ps_bound_find_call(list->items[i].bound, "window") || ps_bound_find_call(list->items[i].bound, "session_window"))
            return ps_raise(err, PS_E_MULTIPLE_WINDOWS);
    return PS_OK;
}

ps_status psi_extract_windows(ps_node **input, ps_named_list *list, const ps_conf *conf, ps_error *err)
{
    ps_bound *call = NULL;
    const ps_attr *attr = NULL;
    ps_node *made = NULL;
    ps_status rc;

    for (int i = 0; i < list->n; i++)
        if (ps_bound_find_call(list->items[i].bound, "session_window"))
            return ps_raise(err, PS_E_NOT_BUILT, "session_window()");
    for (int i = 0; !call && i < list->n; i++)
        call = ps_bound_find_call(list->items[i].bound, "window");
    if (!call)
        return PS_OK;
    ps_bound_ref(call);
    PS_TRY_OR(done, ps_node_window(*input, call, conf, &made, &attr, err));
    PS_TRY_OR(done, psi_swap_window(made, list, err));
    ps_node_unref(*input);
    *input = ps_node_ref(made);
done:
    ps_bound_unref(call);
    ps_node_unref(made);
    return rc;
}

PSI_OP_NEEDS(psi_timewindow_needs)
{
    const ps_window_spec *spec = node->spec;

    PS_UNUSED(input);
    for (int i = 0; i < wanted->n; i++)
        if (wanted->items[i] != spec->attr_id)
            PS_TRY(ps_ids_add_fields(out, wanted->items[i], wanted->fields[i], err));
    return ps_ids_add_bound(out, spec->time, err);
}

PSI_OP_REMAKE(psi_timewindow_remake)
{
    const ps_window_spec *from = node->spec;
    ps_window_spec *spec = NULL;
    ps_node *made = NULL;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_node_new(node->row, inputs, 1, &made, err));
    PS_TRY_OR(fail, ps_alloc(sizeof *spec, &spec, err));
    *spec = *from;
    ps_bound_ref(spec->call);
    ps_bound_ref(spec->time);
    made->spec = spec;
    PS_TRY_OR(fail, psi_node_add_wanted(made, &inputs[0]->out, wanted, err));
    PS_TRY_OR(fail, ps_attrs_add_copy(&made->out, window_attr(node), err));
    *out = made;
    return PS_OK;
fail:
    ps_node_unref(made);
    return rc;
}

ps_status ps_node_panes(const ps_node *node, ps_node **out, ps_error *err)
{
    ps_ids all = {0};
    ps_status rc = PS_OK;

    *out = NULL;
    for (int i = 0; i < node->out.n - 1 && rc == PS_OK; i++)
        rc = ps_ids_add(&all, node->out.items[i].id, err);
    if (rc == PS_OK)
        rc = psi_timewindow_remake(node, node->inputs, &all, out, err);
    ps_ids_clear(&all);
    PS_TRY(rc);
    ((ps_window_spec *)(*out)->spec)->width = ((ps_window_spec *)(*out)->spec)->slide;
    return PS_OK;
}

PSI_OP_DESCRIBE(psi_timewindow_describe)
{
    const ps_window_spec *spec = node->spec;

    PS_TRY(ps_bytes_text(out, "TimeWindow ", err));
    PS_TRY(ps_bound_text(spec->time, out, err));
    return ps_bytes_printf(out, err, ", %lld, %lld, %lld AS window#%lld", (long long)spec->width, (long long)spec->slide, (long long)spec->start, (long long)spec->attr_id);
}

/* --- running ------------------------------------------------------------------------------------------------- */

/* Window `back` slides before the last one that starts at or before t.  False when t is not in it. */
static inline bool window_start(const ps_window_spec *spec, int64_t t, int64_t back, int64_t *start)
{
    int64_t r = (int64_t)((uint64_t)t - (uint64_t)spec->start) % spec->slide;

    r += r < 0 ? spec->slide : 0;
    *start = (int64_t)((uint64_t)t - (uint64_t)r - (uint64_t)(back * spec->slide));
    return t < *start + spec->width;
}

typedef struct made_windows {
    ps_vec *vec; /* struct<start, end> over all rows of the batch */
    ps_buf *sel; /* NULL: all rows */
    int64_t n_sel;
} made_windows;

/* Times mostly come in order, so a row is in the window of the row before: that saves a division. */
typedef struct last_window { int64_t from, until; } last_window; /* times for which `from` is the start of the slide */

static inline bool window_near(const ps_window_spec *spec, int64_t t, int64_t back, last_window *last, int64_t *start)
{
    if (PS_LIKELY(t >= last->from && t < last->until)) {
        *start = (int64_t)((uint64_t)last->from - (uint64_t)(back * spec->slide));
        return t < *start + spec->width;
    }
    bool in = window_start(spec, t, back, start);
    last->from = (int64_t)((uint64_t)*start + (uint64_t)(back * spec->slide));
    if (__builtin_add_overflow(last->from, spec->slide, &last->until))
        last->until = last->from;
    return in;
}

static int64_t fill_dense(const ps_window_spec *spec, const int64_t *times, int64_t n, int64_t back, int64_t *starts, int64_t *ends, int32_t *sel)
{
    last_window last = {0, 0};
    int64_t n_sel = 0;

    for (int64_t row = 0; row < n; row++) {
        bool in = window_near(spec, times[row], back, &last, &starts[row]);
        ends[row] = starts[row] + spec->width;
        sel[n_sel] = (int32_t)row;
        n_sel += in;
    }
    return n_sel;
}

static int64_t fill_sparse(const ps_window_spec *spec, const ps_view *view, const ps_rows *live, int64_t back, int64_t *starts, int64_t *ends, int32_t *sel)
{
    last_window last = {0, 0};
    int64_t n_sel = 0;

    for (int64_t j = 0; j < live->n; j++) {
        int64_t row = ps_row(live, j), from = 0;
        bool in = !ps_view_is_null(view, row);

        in = in && window_near(spec, ((const int64_t *)view->data)[ps_at(view, row)], back, &last, &from);
        starts[row] = from;
        ends[row] = from + spec->width;
        sel[n_sel] = (int32_t)row;
        n_sel += in;
    }
    return n_sel;
}

/* Do all times lie in the slide of the first.  Without a branch, and with no sign the differences have but that of being out. */
static bool in_one_slide(const ps_window_spec *spec, const int64_t *times, int64_t n, int64_t *from)
{
    uint64_t out = 0, first, last = (uint64_t)spec->slide - 1;

    window_start(spec, times[0], 0, from);
    first = (uint64_t)*from;
    for (int64_t row = 0; row < n; row++) {
        uint64_t since = (uint64_t)times[row] - first;
        out |= since | (last - since);
    }
    return out >> 63 == 0;
}

/* Windows of a batch that lies in one slide: one for all rows. */
static ps_status repeat_window(const ps_window_spec *spec, const ps_type *type, int64_t from, int64_t n, ps_vec **out, ps_error *err)
{
    int64_t bounds[2] = {from, (int64_t)((uint64_t)from + (uint64_t)spec->width)};
    ps_vec *one = NULL, *bound;
    ps_status rc;

    PS_TRY(ps_vec_new(type, 1, false, &one, err));
    for (int i = 0; i < 2; i++) {
        PS_TRY_OR(done, ps_vec_new(type->fields[i].type, 1, false, &bound, err));
        ((int64_t *)bound->data)[0] = bounds[i];
        PS_TRY_OR(done, ps_vec_add_child(one, bound, err));
    }
    rc = ps_vec_repeat(one, 0, n, out, err);
done:
    ps_vec_unref(one);
    return rc;
}

static ps_status make_windows(const ps_window_spec *spec, const ps_type *type, const ps_vec *time, const ps_rows *live, int64_t back, made_windows *out, ps_error *err)
{
    ps_vec *start = NULL, *end = NULL, *vec = NULL;
    int64_t *starts, *ends;
    int32_t *sel;
    int64_t from;
    ps_view view;
    bool dense;
    ps_status rc;

    ps_view_init(&view, time);
    dense = !view.valid && !view.index && view.mask && !live->sel && live->n > 0;
    if (dense && spec->width % spec->slide == 0 && in_one_slide(spec, view.data, live->n, &from)) {
        out->n_sel = live->n;
        return repeat_window(spec, type, (int64_t)((uint64_t)from - (uint64_t)(back * spec->slide)), live->n_rows, &out->vec, err);
    }
    PS_TRY(ps_buf_new((size_t)live->n * sizeof(int32_t), &out->sel, err));
    PS_TRY_OR(fail, ps_vec_new(type->fields[0].type, live->n_rows, false, &start, err));
    PS_TRY_OR(fail, ps_vec_new(type->fields[1].type, live->n_rows, false, &end, err));
    PS_TRY_OR(fail, ps_vec_new(type, live->n_rows, false, &vec, err));
    starts = start->data;
    ends = end->data;
    sel = (int32_t *)out->sel->data;
    out->n_sel = 0;
    if (live->n < live->n_rows) { /* rows that are not live stay readable */
        memset(starts, 0, (size_t)live->n_rows * sizeof *starts);
        memset(ends, 0, (size_t)live->n_rows * sizeof *ends);
    }
    if (dense)
        out->n_sel = fill_dense(spec, view.data, live->n, back, starts, ends, sel);
    else
        out->n_sel = fill_sparse(spec, &view, live, back, starts, ends, sel);
    rc = ps_vec_add_child(vec, start, err); /* takes it, also when it fails */
    start = NULL;
    if (rc == PS_OK) {
        rc = ps_vec_add_child(vec, end, err);
        end = NULL;
    }
    if (rc != PS_OK)
        goto fail;
    out->vec = vec;
    return PS_OK;
fail:
    ps_vec_unref(start);
    ps_vec_unref(end);
    ps_vec_unref(vec);
    ps_buf_unref(out->sel);
    out->sel = NULL;
    return rc;
}

static ps_status emit_windows(timewindow_op *self, ps_batch *batch, made_windows *windows, ps_error *err)
{
    ps_batch *all = NULL, *result = NULL;
    ps_status rc;

    rc = ps_batch_new(self->n_pass + 1, batch->n_rows, &all, err);
    if (rc != PS_OK) {
        ps_vec_unref(windows->vec);
        ps_buf_unref(windows->sel);
        return rc;
    }
    for (int i = 0; i < self->n_pass; i++)
        all->cols[i] = ps_vec_ref(batch->cols[self->pass[i]]);
    all->cols[self->n_pass] = windows->vec;
    if (windows->n_sel == batch->n_rows) { /* all of them: without a selection */
        ps_buf_unref(windows->sel);
        result = ps_batch_ref(all);
        rc = PS_OK;
    } else {
        rc = ps_batch_select(all, windows->sel, windows->n_sel, &result, err);
    }
    if (rc == PS_OK)
        rc = ps_op_emit(&self->op, result, err);
    ps_batch_unref(result);
    ps_batch_unref(all);
    return rc;
}

static ps_status timewindow_push(ps_op *op, int port, ps_batch *batch, ps_error *err)
{
    timewindow_op *self = (timewindow_op *)op;
    const ps_window_spec *spec = op->node->spec;
    int64_t n = (spec->width + spec->slide - 1) / spec->slide;
    ps_rows live = ps_batch_live(batch);
    ps_vec *time = NULL;
    ps_status rc;

    PS_UNUSED(port);
    PS_TRY(ps_program_run(self->program, batch, &time, err));
    rc = PS_OK;
    for (int64_t back = 0; rc == PS_OK && back < n; back++) {
        made_windows windows = {0};

        rc = make_windows(spec, window_attr(op->node)->type, time, &live, back, &windows, err);
        if (rc == PS_OK)
            rc = emit_windows(self, batch, &windows, err);
    }
    ps_vec_unref(time);
    return rc;
}

static void timewindow_close(ps_op *op)
{
    ps_program_free(((timewindow_op *)op)->program);
    ps_free(((timewindow_op *)op)->pass);
    ps_free(op);
}

PSI_OP_OPEN(psi_timewindow_open)
{
    static const ps_op_vt vt = {.push = timewindow_push, .close = timewindow_close};
    const ps_window_spec *spec = node->spec;
    ps_bound *time = spec->time;
    timewindow_op *self = NULL;
    ps_status rc;

    *out = NULL;
    PS_TRY(psi_op_new(sizeof *self, &vt, node, run, &self, err));
    self->n_pass = node->out.n - 1;
    PS_TRY_OR(fail, ps_alloc((size_t)self->n_pass * sizeof *self->pass, &self->pass, err));
    for (int i = 0; i < self->n_pass; i++)
        self->pass[i] = ps_attrs_find_id(&node->inputs[0]->out, node->out.items[i].id);
    PS_TRY_OR(fail, ps_program_new(&time, 1, &node->inputs[0]->out, &run->env, &self->program, err));
    *out = &self->op;
    return PS_OK;
fail:
    timewindow_close(&self->op);
    return rc;
}
