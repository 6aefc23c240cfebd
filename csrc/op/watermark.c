/*
 * op/watermark.c - withWatermark: marks a column as event time and keeps count of what passes (stateful.md 1.1, 1.3).
 */
#include "col/type_text.h"
#include "op/op_int.h"

typedef struct watermark_spec {
    int64_t attr_id;
    int64_t delay_ms;
    char *name;
} watermark_spec;

typedef struct watermark_op {
    ps_op op;
    int column;
    bool is_window;       /* the time is the `end` of a struct */
    int field;
    ps_event_stats stats; /* of this micro-batch */
} watermark_op;

PSI_OP_FREE(psi_watermark_free)
{
    ps_free(((watermark_spec *)spec)->name);
    ps_free(spec);
}

/* A struct counts by its field `end`. */
static bool event_time_field(const ps_type *type, int *field)
{
    *field = -1;
    if (type->kind == PS_TIMESTAMP)
        return true;
    if (type->kind != PS_STRUCT)
        return false;
    *field = ps_type_field_index(type, "end", true);
    return *field >= 0 && type->fields[*field].type->kind == PS_TIMESTAMP;
}

static ps_status parse_delay(const char *text, int64_t *out_ms, ps_error *err)
{
    ps_calendar delay;
    __int128 us;

    if (!ps_parse_interval(ps_slice_of(text), &delay))
        return ps_raise(err, PS_E_CANNOT_PARSE_INTERVAL, (int)strlen(text), text);
    us = ((__int128)delay.months * 31 + delay.days) * PS_US_DAY + delay.micros;
    if (us < 0)
        return ps_raise(err, PS_E_NEGATIVE_DELAY, text);
    if (us / 1000 > INT64_MAX)
        return ps_raise(err, PS_E_CANNOT_PARSE_INTERVAL, (int)strlen(text), text);
    *out_ms = (int64_t)(us / 1000);
    return PS_OK;
}

static ps_status watermark_node(ps_node *input, const watermark_spec *from, ps_node **out, ps_error *err)
{
    watermark_spec *spec = NULL;
    ps_node *node = NULL;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_node_new(ps_op_find("watermark"), &input, 1, &node, err));
    PS_TRY_OR(fail, ps_alloc0(sizeof *spec, &spec, err));
    node->spec = spec;
    spec->attr_id = from->attr_id;
    spec->delay_ms = from->delay_ms;
    PS_TRY_OR(fail, ps_strdup(from->name, &spec->name, err));
    PS_TRY_OR(fail, psi_node_pass_through(node, err));
    for (int i = 0; i < node->out.n; i++)
        node->out.items[i].watermark_ms = node->out.items[i].id == spec->attr_id ? spec->delay_ms : -1;
    *out = node;
    return PS_OK;
fail:
    ps_node_unref(node);
    return rc;
}

PSI_OP_BIND(psi_watermark_bind)
{
    const char *column = ps_args_text(args, "column", ""), *delay = ps_args_text(args, "delay", "");
    ps_node *input = (*node)->inputs[0], *made = NULL;
    const ps_attrs *inputs[1];
    watermark_spec spec = {0};
    ps_expr *name = NULL;
    ps_bound *bound = NULL;
    ps_scope scope;
    int field;
    ps_status rc;

    PS_TRY(parse_delay(delay, &spec.delay_ms, err));
    if (!input->streaming) { /* nothing to do on a bounded relation: the node goes */
        made = ps_node_ref(input);
        ps_node_unref(*node);
        *node = made;
        return PS_OK;
    }
    ps_node_scope(*node, args->conf, inputs, &scope);
    PS_TRY(ps_expr_name_text(ps_slice_of(column), &name, err));
    PS_TRY_OR(done, ps_bind(name, &scope, &bound, err));
    if (bound->kind != PS_B_COLUMN) {
        rc = ps_raise(err, PS_E_EVENT_TIME_NOT_TOP_LEVEL, column);
        goto done;
    }
    if (!event_time_field(bound->type, &field)) {
        rc = ps_raise(err, PS_E_EVENT_TIME_TYPE, bound->name, ps_type_name(bound->type));
        goto done;
    }
    spec.attr_id = bound->attr_id;
    spec.name = bound->name;
    PS_TRY_OR(done, watermark_node(input, &spec, &made, err));
    ps_node_unref(*node);
    *node = made;
done:
    ps_expr_unref(name);
    ps_bound_unref(bound);
    return rc;
}

PSI_OP_NEEDS(psi_watermark_needs)
{
    const watermark_spec *spec = node->spec;

    PS_UNUSED(input);
    for (int i = 0; i < wanted->n; i++)
        PS_TRY(ps_ids_add_fields(out, wanted->items[i], wanted->fields[i], err));
    return ps_ids_add(out, spec->attr_id, err);
}

PSI_OP_REMAKE(psi_watermark_remake)
{
    PS_UNUSED(wanted);
    return watermark_node(inputs[0], node->spec, out, err);
}

PSI_OP_DESCRIBE(psi_watermark_describe)
{
    const watermark_spec *spec = node->spec;
    return ps_bytes_printf(out, err, "EventTimeWatermark %s#%lld, %lld ms", spec->name, (long long)spec->attr_id, (long long)spec->delay_ms);
}

static ps_status watermark_begin(ps_op *op, ps_error *err)
{
    const watermark_spec *spec = op->node->spec;

    PS_UNUSED(err);
    ((watermark_op *)op)->stats = (ps_event_stats){.delay_ms = spec->delay_ms};
    return PS_OK;
}

/* A NULL time counts as the epoch, as Spark's collector reads it. */
static void add_times(ps_event_stats *stats, const ps_vec *vec, const ps_rows *live)
{
    ps_view view;
    int64_t min = INT64_MAX, max = INT64_MIN;
    double sum = 0;

    ps_view_init(&view, vec);
    for (int64_t j = 0; j < live->n; j++) {
        int64_t row = ps_row(live, j);
        int64_t us = ps_view_is_null(&view, row) ? 0 : ((const int64_t *)view.data)[ps_at(&view, row)];

        min = us < min ? us : min;
        max = us > max ? us : max;
        sum += (double)ps_floor_div(us, 1000);
    }
    min = ps_floor_div(min, 1000);
    max = ps_floor_div(max, 1000);
    stats->min_ms = stats->n_rows == 0 || min < stats->min_ms ? min : stats->min_ms;
    stats->max_ms = stats->n_rows == 0 || max > stats->max_ms ? max : stats->max_ms;
    stats->mean_ms = (stats->mean_ms * (double)stats->n_rows + sum) / (double)(stats->n_rows + live->n);
    stats->n_rows += live->n;
}

static ps_status watermark_push(ps_op *op, int port, ps_batch *batch, ps_error *err)
{
    watermark_op *self = (watermark_op *)op;
    ps_rows live = ps_batch_live(batch);
    ps_vec *vec = batch->cols[self->column], *flat = NULL;

    PS_UNUSED(port);
    if (live.n > 0 && self->is_window) {
        PS_TRY(ps_vec_flatten(vec, &flat, err));
        add_times(&self->stats, flat->children[self->field], &live);
        ps_vec_unref(flat);
    } else if (live.n > 0) {
        add_times(&self->stats, vec, &live);
    }
    return ps_op_emit(op, batch, err);
}

static void watermark_gather(ps_op *original, ps_op *copy)
{
    ps_event_stats *to = &((watermark_op *)original)->stats;
    const ps_event_stats *from = &((watermark_op *)copy)->stats;

    if (from->n_rows == 0)
        return;
    to->min_ms = to->n_rows == 0 || from->min_ms < to->min_ms ? from->min_ms : to->min_ms;
    to->max_ms = to->n_rows == 0 || from->max_ms > to->max_ms ? from->max_ms : to->max_ms;
    to->mean_ms = (to->mean_ms * (double)to->n_rows + from->mean_ms * (double)from->n_rows) / (double)(to->n_rows + from->n_rows);
    to->n_rows += from->n_rows;
}

static bool watermark_stats(ps_op *op, ps_event_stats *out)
{
    *out = ((watermark_op *)op)->stats;
    return true;
}

static void watermark_close(ps_op *op) { ps_free(op); }

PSI_OP_OPEN(psi_watermark_open)
{
    static const ps_op_vt vt = {.begin = watermark_begin, .push = watermark_push, .event_stats = watermark_stats, .gather = watermark_gather, .close = watermark_close};
    const watermark_spec *spec = node->spec;
    const ps_attrs *from = &node->inputs[0]->out;
    watermark_op *self = NULL;

    *out = NULL;
    PS_TRY(psi_op_new(sizeof *self, &vt, node, run, &self, err));
    self->column = ps_attrs_find_id(from, spec->attr_id);
    event_time_field(from->items[self->column].type, &self->field);
    self->is_window = self->field >= 0;
    *out = &self->op;
    return PS_OK;
}
