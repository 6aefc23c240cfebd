/*
 * sql/sql.h - spark.sql(): a statement's text becomes a plan node.
 *
 * The session stands behind ps_sql_catalog: views by name, confs, and what the few commands change.  Commands give a node
 * too: the rows that Spark shows for them.
 */
#ifndef PS_SQL_SQL_H
#define PS_SQL_SQL_H
#include "plan/plan.h"

typedef struct ps_sql_catalog {
    void *self;
    const ps_conf *conf;
    /* A view's node; a reference.  TABLE_OR_VIEW_NOT_FOUND. */
    ps_status (*view)(void *self, const char *name, ps_node **out, ps_error *err);
    ps_status (*create_view)(void *self, const char *name, ps_node *node, bool replace, ps_error *err);
    bool (*drop_view)(void *self, const char *name);
    ps_status (*set_conf)(void *self, const char *key, const char *value, ps_error *err); /* value NULL unsets */
    ps_status (*view_names)(void *self, ps_options *out, ps_error *err);
} ps_sql_catalog;

/* names NULL: values stand for ? in order; else for :name.  Both borrowed, n may be 0. */
ps_status ps_sql_node(ps_slice text, const char *const *names, ps_expr *const *values, int n, const ps_sql_catalog *catalog, ps_node **out, ps_error *err);
#endif
