/*
 * op/project.h - nodes that other operators' bind() functions put below or above their own.
 */
#ifndef PS_OP_PROJECT_H
#define PS_OP_PROJECT_H
#include "op/op.h"

/* A projection of bound columns; takes the list (emptied), also when it fails.  Windows and generators inside become
 * nodes of their own below. References `input`. */
ps_status ps_project_node(ps_node *input, ps_named_list *list, const ps_conf *conf, ps_node **out, ps_error *err);
/* The list of a projection, borrowed; NULL for other nodes. */
const ps_named_list *ps_project_list(const ps_node *node);
/* One entry that hands an attribute on as it is. */
ps_status ps_named_pass(const ps_attr *attr, ps_named *out, ps_error *err);
ps_status ps_filter_node(ps_node *input, ps_bound *condition, ps_node **out, ps_error *err); /* refs condition */
ps_bound *ps_filter_condition(const ps_node *node); /* borrowed; NULL for other nodes */
/* An evaluation environment for plan time (folding constants, literals). */
ps_status ps_plan_env(const ps_conf *conf, ps_eval_env *env, ps_error *err);
#endif
