/*
 * sql/sql_int.h - from a statement's tree to nodes, for this folder only.
 */
#ifndef PS_SQL_SQL_INT_H
#define PS_SQL_SQL_INT_H
#include "sql/select.h"
#include "sql/sql.h"

/* The WITH names in force, innermost first. */
typedef struct psi_with {
    const char *name;
    ps_node *node;
    const struct psi_with *outer;
} psi_with;
typedef struct psi_planner {
    const ps_sql_catalog *catalog;
    const psi_with *with;
} psi_planner;

ps_status psi_plan_query(const psi_planner *planner, const ps_sql_query *query, ps_node **out, ps_error *err);
ps_status psi_plan_select(const psi_planner *planner, const ps_sql_select *select, const ps_expr_list *order_by, ps_node **out, ps_error *err);
ps_status psi_plan_relation(const psi_planner *planner, const ps_sql_rel *rel, ps_node **out, ps_error *err);
/* One operator over *node, which is exchanged. */
ps_status psi_plan_over(const psi_planner *planner, ps_node **node, const char *kind, const ps_arg *args, int n_args, ps_error *err);
/* An integer literal; false when the expression is none. */
bool psi_literal_int(const ps_expr *expr, int64_t *out);
bool psi_same_name(const psi_planner *planner, const char *a, const char *b);
#endif
