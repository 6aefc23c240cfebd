/*
 * query/session.h - a session: confs, temporary views, and actions on bounded plans.
 *
 * A session is shared by reference; a query works on a clone of it (execution.md 1.2).  @thread any, @locks
 * PS_RANK_SESSION.
 */
#ifndef PS_QUERY_SESSION_H
#define PS_QUERY_SESSION_H
#include "base/thread.h"
#include "plan/plan.h"

typedef struct ps_session ps_session;
ps_status ps_session_new(ps_session **out, ps_error *err);
/* `share_views`: spark.newSession() has its own views; a query's clone has a copy of views and confs. */
ps_status ps_session_clone(ps_session *session, bool copy_views, ps_session **out, ps_error *err);
ps_session *ps_session_ref(ps_session *session);
void ps_session_unref(ps_session *session);

/* Confs: text in, text out. */
ps_status ps_session_conf_get(ps_session *session, const char *key, char **out, ps_error *err); /* *out NULL: neither set nor known */
ps_status ps_session_conf_set(ps_session *session, const char *key, const char *value, ps_error *err); /* NULL unsets */
ps_status ps_session_conf_set_static(ps_session *session, const char *key, const char *value, ps_error *err); /* static keys too: for builders */
/* A snapshot for binding and running, to be cleared by the caller. */
ps_status ps_session_conf(ps_session *session, ps_conf *out, ps_error *err);
ps_status ps_session_zone(ps_session *session, const ps_zone **out, ps_error *err);

/* Temporary views; names are compared without case unless spark.sql.caseSensitive. */
ps_status ps_session_view_set(ps_session *session, const char *name, ps_node *node, bool replace, ps_error *err); /* TEMP_TABLE_OR_VIEW_ALREADY_EXISTS */
ps_status ps_session_view_get(ps_session *session, const char *name, ps_node **out, ps_error *err);              /* TABLE_OR_VIEW_NOT_FOUND */
bool ps_session_view_drop(ps_session *session, const char *name);
ps_status ps_session_view_names(ps_session *session, ps_options *out, ps_error *err); /* keys */

/* Which clock and files this session's queries use (tests). */
void ps_session_set_clock(ps_session *session, ps_clock *clock);
ps_clock *ps_session_clock(ps_session *session);
void ps_session_set_fs(ps_session *session, ps_fs *fs);
ps_fs *ps_session_fs(ps_session *session);

/* Actions.  `poll` as in ps_run; both may be NULL. */
typedef struct ps_action {
    ps_status (*poll)(void *self, ps_error *err);
    void *poll_self;
} ps_action;
ps_status ps_session_collect(ps_session *session, ps_node *node, const ps_action *action, ps_batches *out, ps_error *err);
/* df.show(n, truncate, vertical) as text. */
ps_status ps_session_show(ps_session *session, ps_node *node, const ps_action *action, int64_t n, int truncate, bool vertical, ps_bytes *out, ps_error *err);
/* df.write: `request` without schema, conf, zone and fs, which this fills in. */
ps_status ps_session_write(ps_session *session, ps_node *node, const ps_action *action, ps_sink_request *request, ps_error *err);
#endif
