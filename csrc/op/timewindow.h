/*
 * op/timewindow.h - window(): the operator that gives each row its time window(s).
 */
#ifndef PS_OP_TIMEWINDOW_H
#define PS_OP_TIMEWINDOW_H
#include "op/op.h"

/* A node over `input` that adds the window of a bound window(time, width, slide, start) call as a column and drops rows
 * without a time.  *attr: the new attribute, borrowed from the node. */
ps_status ps_node_window(ps_node *input, ps_bound *window_call, const ps_conf *conf, ps_node **out, const ps_attr **attr, ps_error *err);

/* What a timewindow node does; false for other nodes.  In microseconds; `call` and `time` are borrowed. */
typedef struct ps_window_spec { ps_bound *call, *time; int64_t width, slide, start; int64_t attr_id; } ps_window_spec;
bool ps_window_spec_get(const ps_node *node, ps_window_spec *out);
/* The same node with windows as wide as their slide, under the same attribute: the panes that sliding windows are made of. */
ps_status ps_node_panes(const ps_node *node, ps_node **out, ps_error *err);
#endif
