/*
 * py/catalog.c - the session as SQL statements see it: the join of query/ and sql/, which do not know each other.
 */
#include "py/py_int.h"

#include "query/session.h"
#include "sql/sql.h"

static ps_status view(void *self, const char *name, ps_node **out, ps_error *err) { return ps_session_view_get(self, name, out, err); }

static ps_status create_view(void *self, const char *name, ps_node *node, bool replace, ps_error *err)
{
    return ps_session_view_set(self, name, node, replace, err);
}

static bool drop_view(void *self, const char *name) { return ps_session_view_drop(self, name); }

static ps_status set_conf(void *self, const char *key, const char *value, ps_error *err) { return ps_session_conf_set(self, key, value, err); }

static ps_status view_names(void *self, ps_options *out, ps_error *err) { return ps_session_view_names(self, out, err); }

ps_status psi_session_sql(ps_session *session, const char *text, const char *const *names, ps_expr *const *values, int n, ps_node **out, ps_error *err)
{
    ps_conf conf = {0};
    ps_sql_catalog catalog = {session, &conf, view, create_view, drop_view, set_conf, view_names};
    ps_status rc;

    PS_TRY(ps_session_conf(session, &conf, err));
    rc = ps_sql_node(ps_slice_of(text), names, values, n, &catalog, out, err);
    ps_conf_clear(&conf);
    return rc;
}
