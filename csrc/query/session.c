/*
 * query/session.c - confs and temporary views.
 */
#include "query/session.h"
#include "query/query_int.h"
#include "query/session_int.h"

ps_status ps_session_new(ps_session **out, ps_error *err)
{
    ps_session *session = NULL;

    *out = NULL;
    PS_TRY(ps_alloc0(sizeof *session, &session, err));
    ps_refs_init(&session->refs);
    ps_lock_init(&session->lock, PS_RANK_SESSION);
    session->clock = ps_clock_system();
    session->fs = ps_fs_local();
    *out = session;
    return PS_OK;
}

static ps_status copy_views(ps_session *from, ps_session *to, ps_error *err)
{
    for (int i = 0; i < from->views.n; i++) {
        ps_node *node = from->views.items[i].value;

        PS_TRY(ps_map_put(&to->views, ps_slice_of(from->views.items[i].key), node, NULL, err));
        ps_node_ref(node);
    }
    return PS_OK;
}

ps_status ps_session_clone(ps_session *session, bool with_views, ps_session **out, ps_error *err)
{
    ps_session *made = NULL;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_session_new(&made, err));
    ps_lock_take(&session->lock);
    rc = ps_conf_copy(&session->conf, &made->conf, err);
    if (rc == PS_OK && with_views)
        rc = copy_views(session, made, err);
    made->clock = session->clock;
    made->fs = session->fs;
    ps_lock_drop(&session->lock);
    if (rc != PS_OK) {
        ps_session_unref(made);
        return rc;
    }
    *out = made;
    return PS_OK;
}

ps_session *ps_session_ref(ps_session *session)
{
    if (session)
        ps_refs_inc(&session->refs);
    return session;
}

void ps_session_unref(ps_session *session)
{
    if (!session || !ps_refs_dec(&session->refs))
        return;
    for (int i = 0; i < session->views.n; i++)
        ps_node_unref(session->views.items[i].value);
    ps_map_clear(&session->views);
    psi_manager_unref(session->manager);
    ps_conf_clear(&session->conf);
    ps_lock_clear(&session->lock);
    ps_free(session);
}

ps_status ps_session_conf_get(ps_session *session, const char *key, char **out, ps_error *err)
{
    const char *value;
    ps_status rc = PS_OK;

    *out = NULL;
    ps_lock_take(&session->lock);
    value = ps_conf_get(&session->conf, key);
    if (value)
        rc = ps_strdup(value, out, err);
    ps_lock_drop(&session->lock);
    return rc;
}

static ps_status conf_set(ps_session *session, const char *key, const char *value, bool may_be_static, ps_error *err)
{
    const ps_zone *zone;
    ps_status rc;

    if (value && strcmp(key, "spark.sql.session.timeZone") == 0)
        PS_TRY(ps_zone_find(value, &zone, err));
    ps_lock_take(&session->lock);
    rc = may_be_static ? ps_conf_set_static(&session->conf, key, value, err) : ps_conf_set(&session->conf, key, value, err);
    ps_lock_drop(&session->lock);
    return rc;
}

ps_status ps_session_conf_set(ps_session *session, const char *key, const char *value, ps_error *err)
{
    return conf_set(session, key, value, false, err);
}

ps_status ps_session_conf_set_static(ps_session *session, const char *key, const char *value, ps_error *err)
{
    return conf_set(session, key, value, true, err);
}

ps_status ps_session_conf(ps_session *session, ps_conf *out, ps_error *err)
{
    ps_status rc;

    *out = (ps_conf){0};
    ps_lock_take(&session->lock);
    rc = ps_conf_copy(&session->conf, out, err);
    ps_lock_drop(&session->lock);
    if (rc != PS_OK)
        ps_conf_clear(out);
    return rc;
}

ps_status ps_session_zone(ps_session *session, const ps_zone **out, ps_error *err)
{
    char *name = NULL;
    ps_status rc;

    PS_TRY(ps_session_conf_get(session, "spark.sql.session.timeZone", &name, err));
    rc = ps_zone_find(name ? name : "UTC", out, err);
    ps_free(name);
    return rc;
}

/* --- views ------------------------------------------------------------------------------------------------ */

/* The key of a view: its name in lower case unless names are case-sensitive.  Call with the lock held. */
static ps_status view_key(ps_session *session, const char *name, char **out, ps_error *err)
{
    PS_TRY(ps_strdup(name, out, err));
    if (ps_conf_bool(&session->conf, "spark.sql.caseSensitive"))
        return PS_OK;
    for (char *c = *out; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c += 'a' - 'A';
    return PS_OK;
}

ps_status ps_session_view_set(ps_session *session, const char *name, ps_node *node, bool replace, ps_error *err)
{
    char *key = NULL;
    void *old = NULL;
    ps_status rc;

    ps_lock_take(&session->lock);
    rc = view_key(session, name, &key, err);
    if (rc == PS_OK && !replace && ps_map_get(&session->views, ps_slice_of(key)))
        rc = ps_raise(err, PS_E_VIEW_EXISTS, name);
    if (rc == PS_OK)
        rc = ps_map_put(&session->views, ps_slice_of(key), node, &old, err);
    if (rc == PS_OK)
        ps_node_ref(node);
    ps_lock_drop(&session->lock);
    ps_node_unref(old);
    ps_free(key);
    return rc;
}

ps_status ps_session_view_get(ps_session *session, const char *name, ps_node **out, ps_error *err)
{
    char *key = NULL;
    ps_status rc;

    *out = NULL;
    ps_lock_take(&session->lock);
    rc = view_key(session, name, &key, err);
    if (rc == PS_OK)
        *out = ps_node_ref(ps_map_get(&session->views, ps_slice_of(key)));
    ps_lock_drop(&session->lock);
    ps_free(key);
    if (rc == PS_OK && !*out)
        return ps_raise(err, PS_E_TABLE_OR_VIEW_NOT_FOUND, name);
    return rc;
}

bool ps_session_view_drop(ps_session *session, const char *name)
{
    char *key = NULL;
    ps_node *old = NULL;

    ps_lock_take(&session->lock);
    if (view_key(session, name, &key, NULL) == PS_OK)
        old = ps_map_remove(&session->views, ps_slice_of(key));
    ps_lock_drop(&session->lock);
    ps_free(key);
    ps_node_unref(old);
    return old != NULL;
}

ps_status ps_session_view_names(ps_session *session, ps_options *out, ps_error *err)
{
    ps_status rc = PS_OK;

    ps_lock_take(&session->lock);
    for (int i = 0; rc == PS_OK && i < session->views.n; i++)
        rc = ps_options_set(out, session->views.items[i].key, "", err);
    ps_lock_drop(&session->lock);
    return rc;
}

void ps_session_set_clock(ps_session *session, ps_clock *clock) { session->clock = clock; }
ps_clock *ps_session_clock(ps_session *session) { return session->clock; }
void ps_session_set_fs(ps_session *session, ps_fs *fs) { session->fs = fs; }
ps_fs *ps_session_fs(ps_session *session) { return session->fs; }
