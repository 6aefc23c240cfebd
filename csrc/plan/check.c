/*
 * plan/check.c - what streaming allows (stateful.md 8.1).  The rows of that table that concern operators which exist
 * here, in its order; each refusal has Spark's text.
 */
#include "op/aggregate.h"
#include "op/join.h"
#include "op/limit.h"
#include "op/project.h"
#include "plan/plan.h"

static bool is_kind(const ps_node *node, const char *kind) { return strcmp(node->row->kind, kind) == 0; }

/* The aggregation nearest the sink that reads a stream; NULL when there is none. */
static const ps_node *outermost_aggregate(const ps_node *node)
{
    if (is_kind(node, "aggregate") && node->streaming)
        return node;
    for (int i = 0; i < node->n_inputs; i++) {
        const ps_node *found = outermost_aggregate(node->inputs[i]);
        if (found)
            return found;
    }
    return NULL;
}

static bool has_event_time(const ps_node *node)
{
    for (int i = 0; i < node->out.n; i++)
        if (node->out.items[i].watermark_ms >= 0)
            return true;
    return false;
}

static ps_status refuse_mode(ps_mode mode, const char *what, ps_error *err)
{
    return ps_raise(err, PS_E_STREAMING_OUTPUT_MODE, ps_mode_name(mode), what);
}

static ps_status check_mode(const ps_node *node, ps_mode mode, ps_error *err)
{
    const ps_node *aggregate = outermost_aggregate(node);

    if (mode == PS_APPEND && aggregate && !has_event_time(aggregate))
        return refuse_mode(mode, "streaming aggregations without watermark", err);
    if (mode == PS_COMPLETE && !aggregate)
        return refuse_mode(mode, "no streaming aggregations", err);
    return PS_OK;
}

static ps_status check_join(const ps_node *node, ps_mode mode, ps_error *err)
{
    bool left = node->inputs[0]->streaming, right = node->inputs[1]->streaming;
    ps_join_kind kind;

    ps_join_kind_get(node, &kind);
    if (left && right) {
        if (mode == PS_COMPLETE || (mode == PS_UPDATE && kind != PS_JOIN_INNER && kind != PS_JOIN_CROSS))
            return ps_raise(err, PS_E_STREAM_JOIN_MODE, mode == PS_COMPLETE ? "Complete" : "Update");
        return PS_OK;
    }
    if (kind == PS_JOIN_FULL && (left || right))
        return ps_raise(err, PS_E_STREAM_FULL_JOIN, left ? "left" : "right", left ? "right" : "left");
    if (right && kind == PS_JOIN_ANTI)
        return ps_raise(err, PS_E_STREAM_ANTI_JOIN);
    if (right && (kind == PS_JOIN_LEFT || kind == PS_JOIN_SEMI))
        return ps_raise(err, PS_E_STREAM_RIGHT_JOIN, ps_join_kind_name(kind));
    if (left && kind == PS_JOIN_RIGHT)
        return ps_raise(err, PS_E_STREAM_LEFT_JOIN);
    return PS_OK;
}

static ps_status check_limit(const ps_node *node, ps_mode mode, ps_error *err)
{
    int64_t limit, offset;

    ps_limit_get(node, &limit, &offset);
    if (limit >= 0 && node->streaming && mode == PS_UPDATE)
        return ps_raise(err, PS_E_STREAM_UNSUPPORTED, "Limits are not supported on streaming DataFrames/Datasets in Update output mode");
    if (offset > 0 || limit < 0)
        return ps_raise(err, PS_E_STREAM_UNSUPPORTED, "Offset is not supported on streaming DataFrames/Datasets");
    return PS_OK;
}

static bool has_row_ids(const ps_node *node)
{
    const ps_named_list *list = ps_project_list(node);
    bool found = ps_filter_condition(node) && ps_bound_find_call(ps_filter_condition(node), "monotonically_increasing_id");

    for (int i = 0; list && i < list->n; i++)
        found = found || ps_bound_find_call(list->items[i].bound, "monotonically_increasing_id");
    return found;
}

static ps_status check_node(const ps_node *node, ps_mode mode, ps_error *err)
{
    if (node->streaming && ps_aggregate_has_distinct(node))
        return ps_raise(err, PS_E_STREAM_UNSUPPORTED, "Distinct aggregations are not supported on streaming DataFrames/Datasets. Consider using approx_count_distinct() instead.");
    if (has_row_ids(node))
        return ps_raise(err, PS_E_STREAM_UNSUPPORTED, "Expression(s): monotonically_increasing_id() is not supported with streaming DataFrames/Datasets");
    if (is_kind(node, "join"))
        return check_join(node, mode, err);
    if (is_kind(node, "limit"))
        return check_limit(node, mode, err);
    if (is_kind(node, "union")) {
        for (int i = 1; i < node->n_inputs; i++)
            if (node->inputs[i]->streaming != node->inputs[0]->streaming)
                return ps_raise(err, PS_E_STREAM_UNSUPPORTED, "Union between streaming and batch DataFrames/Datasets is not supported");
    }
    if (is_kind(node, "sort") && node->streaming && (mode != PS_COMPLETE || !outermost_aggregate(node->inputs[0])))
        return ps_raise(err, PS_E_STREAM_UNSUPPORTED, "Sorting is not supported on streaming DataFrames/Datasets, unless it is on aggregated DataFrame/Dataset in Complete output mode");
    return PS_OK;
}

static ps_status check_tree(const ps_node *node, ps_mode mode, ps_error *err)
{
    for (int i = 0; i < node->n_inputs; i++)
        PS_TRY(check_tree(node->inputs[i], mode, err));
    return check_node(node, mode, err);
}

/* A stateful operator above an aggregation whose rows may be late for it.  A limit does not count. */
static bool has_late_pattern(const ps_node *node, ps_mode mode)
{
    if (mode != PS_APPEND && node->streaming && is_kind(node, "aggregate"))
        for (int i = 0; i < node->n_inputs; i++)
            if (outermost_aggregate(node->inputs[i]))
                return true;
    for (int i = 0; i < node->n_inputs; i++)
        if (has_late_pattern(node->inputs[i], mode))
            return true;
    return false;
}

/* What this version lacks is refused whatever the confs say. */
static ps_status check_built(const ps_node *node, ps_error *err)
{
    for (int i = 0; i < node->n_inputs; i++)
        PS_TRY(check_built(node->inputs[i], err));
    if (is_kind(node, "join") && node->inputs[0]->streaming && node->inputs[1]->streaming)
        return ps_raise(err, PS_E_NOT_BUILT, "a join of two streams");
    return PS_OK;
}

/* Spark's rules, which a conf may switch off. */
static ps_status check_rules(const ps_node *node, ps_mode mode, const ps_conf *conf, ps_error *err)
{
    if (!ps_conf_bool(conf, "spark.sql.streaming.unsupportedOperationCheck"))
        return PS_OK;
    PS_TRY(check_mode(node, mode, err));
    PS_TRY(check_tree(node, mode, err));
    if (has_late_pattern(node, mode) && ps_conf_bool(conf, "spark.sql.streaming.statefulOperator.checkCorrectness.enabled"))
        return ps_raise(err, PS_E_STREAM_CORRECTNESS);
    return PS_OK;
}

ps_status ps_plan_check_streaming(const ps_node *node, ps_mode mode, const ps_conf *conf, ps_error *err)
{
    if (!node->streaming)
        return ps_raise(err, PS_E_STREAM_UNSUPPORTED, "Queries without streaming sources cannot be executed with writeStream.start()");
    PS_TRY(check_rules(node, mode, conf, err));
    return check_built(node, err);
}

ps_status ps_plan_check_batch(const ps_node *node, ps_error *err)
{
    if (!node->streaming)
        return PS_OK;
    return ps_raise(err, PS_E_STREAM_UNSUPPORTED, "Queries with streaming sources must be executed with writeStream.start(), or from a streaming table or flow definition within a Spark Declarative Pipeline.");
}
