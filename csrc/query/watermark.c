/*
 * query/watermark.c - the global watermark, and what each operator sees of it.
 */
#include "query/query_int.h"

typedef struct visit {
    psi_watermark *watermark;
    int at;
} visit;

static ps_status count_node(void *self, ps_op *op, ps_error *err)
{
    PS_UNUSED(err);
    ((visit *)self)->at += op->vt->event_stats != NULL;
    return PS_OK;
}

static ps_status move_node(void *self, ps_op *op, ps_error *err)
{
    visit *v = self;
    ps_event_stats stats;
    int64_t *value;

    PS_UNUSED(err);
    if (!op->vt->event_stats)
        return PS_OK;
    value = &v->watermark->values[v->at++];
    if (op->vt->event_stats(op, &stats) && stats.n_rows > 0) {
        int64_t candidate;

        if (__builtin_sub_overflow(stats.max_ms, stats.delay_ms, &candidate))
            candidate = INT64_MIN + 1;
        *value = candidate > *value ? candidate : *value;
    }
    return PS_OK;
}

ps_status psi_watermark_advance(psi_watermark *watermark, ps_op *root, ps_error *err)
{
    visit v = {watermark, 0};
    int64_t candidate = watermark->use_max ? INT64_MIN : INT64_MAX;

    if (!watermark->values) {
        PS_TRY(ps_op_walk(root, count_node, &v, err));
        watermark->n = v.at;
        PS_TRY(ps_alloc((size_t)v.at * sizeof *watermark->values, &watermark->values, err));
        for (int i = 0; i < v.at; i++)
            watermark->values[i] = INT64_MIN;
        v.at = 0;
    }
    PS_TRY(ps_op_walk(root, move_node, &v, err));
    for (int i = 0; i < watermark->n; i++) {
        int64_t value = watermark->values[i] == INT64_MIN ? 0 : watermark->values[i];

        if (watermark->use_max ? value > candidate : value < candidate)
            candidate = value;
    }
    watermark->previous_ms = watermark->global_ms;
    if (watermark->n > 0 && candidate > watermark->global_ms)
        watermark->global_ms = candidate;
    return PS_OK;
}

/* The watermark that comes out of `op`; *defined false: none.  `set` gets each operator's own input watermark. */
static ps_status simulate(ps_op *op, int64_t global_ms, void (*set)(ps_op *op, int64_t input_ms, void *self), void *self, bool *defined, int64_t *out, ps_error *err)
{
    int64_t input = INT64_MAX;
    bool any = false;

    for (int i = 0; i < op->n_inputs; i++) {
        int64_t value = 0;
        bool has = false;

        PS_TRY(simulate(op->inputs[i], global_ms, set, self, &has, &value, err));
        if (has)
            input = value < input ? value : input;
        any = any || has;
    }
    if (op->vt->event_stats) {
        if (any)
            return ps_raise(err, PS_E_WATERMARK_REDEFINED);
        *defined = true;
        *out = global_ms;
        set(op, 0, self);
        return PS_OK;
    }
    input = any && input > 0 ? input : 0;
    set(op, input, self);
    *defined = any;
    *out = input;
    return PS_OK;
}

static void set_late(ps_op *op, int64_t ms, void *self)
{
    PS_UNUSED(self);
    op->late_ms = ms;
}

static void set_evict(ps_op *op, int64_t ms, void *self)
{
    PS_UNUSED(self);
    op->evict_ms = ms;
}

typedef struct no_data { bool wanted; } no_data;

static void ask(ps_op *op, int64_t ms, void *self)
{
    if (op->vt->wants_no_data && op->vt->wants_no_data(op, ms))
        ((no_data *)self)->wanted = true;
}

typedef struct everywhere {
    void (*set)(ps_op *op, int64_t ms, void *self);
    void *self;
    int64_t ms;
} everywhere;

static ps_status set_one(void *self, ps_op *op, ps_error *err)
{
    everywhere *e = self;

    PS_UNUSED(err);
    e->set(op, e->ms, e->self);
    return PS_OK;
}

/* With W = 0, and when several stateful operators are not allowed, every operator gets the same value. */
static ps_status spread(ps_op *root, int64_t ms, bool chained, void (*set)(ps_op *op, int64_t ms, void *self), void *self, ps_error *err)
{
    everywhere e = {set, self, ms};
    bool defined;
    int64_t out;

    if (!chained || ms == 0)
        return ps_op_walk(root, set_one, &e, err);
    return simulate(root, ms, set, self, &defined, &out, err);
}

ps_status psi_watermark_propagate(ps_op *root, int64_t late_ms, int64_t evict_ms, bool chained, ps_error *err)
{
    PS_TRY(spread(root, late_ms, chained, set_late, NULL, err));
    return spread(root, evict_ms, chained, set_evict, NULL, err);
}

ps_status psi_watermark_wants_batch(ps_op *root, int64_t evict_ms, bool chained, bool *out, ps_error *err)
{
    no_data answer = {false};
    ps_status rc = spread(root, evict_ms, chained, ask, &answer, err);

    *out = answer.wanted;
    return rc;
}
