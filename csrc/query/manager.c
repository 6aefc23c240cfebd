/*
 * query/manager.c - the queries of a session, and the rules between queries (execution.md 1.6).
 *
 * A manager belongs to a session and outlives it while queries hold it.  Ids are compared across all managers of the
 * process: two queries on one checkpoint are the same query.
 */
#include "query/query_int.h"
#include "query/session_int.h"

struct psi_manager {
    ps_refs refs;
    ps_lock lock;
    ps_cond cond;
    ps_query **active; /* owned references; under lock */
    int n, capacity;
    bool terminated;   /* one ended since the last reset */
    bool failed;
    ps_error failure;  /* of the last one that failed */
    atomic_bool heard; /* somebody listens to progress */
    struct psi_manager *next; /* all of the process; under all_lock */
};

static pthread_mutex_t all_lock = PTHREAD_MUTEX_INITIALIZER; /* taken before any lock of a manager; guards session->manager too */
static psi_manager *all;

/* Call with all_lock held. */
static ps_status new_manager(psi_manager **out, ps_error *err)
{
    psi_manager *made;

    PS_TRY(ps_alloc0(sizeof *made, &made, err));
    ps_refs_init(&made->refs);
    ps_lock_init(&made->lock, PS_RANK_MANAGER);
    ps_cond_init(&made->cond);
    made->next = all;
    *out = all = made;
    return PS_OK;
}

ps_status psi_manager_of(ps_session *session, psi_manager **out, ps_error *err)
{
    ps_status rc = PS_OK;

    *out = NULL;
    pthread_mutex_lock(&all_lock);
    if (!session->manager)
        rc = new_manager(&session->manager, err);
    if (rc == PS_OK) {
        ps_refs_inc(&session->manager->refs);
        *out = session->manager;
    }
    pthread_mutex_unlock(&all_lock);
    return rc;
}

void psi_manager_unref(psi_manager *manager)
{
    if (!manager || !ps_refs_dec(&manager->refs))
        return;
    pthread_mutex_lock(&all_lock);
    for (psi_manager **at = &all; *at; at = &(*at)->next)
        if (*at == manager) {
            *at = manager->next;
            break;
        }
    pthread_mutex_unlock(&all_lock);
    ps_free(manager->active);
    ps_lock_clear(&manager->lock);
    ps_cond_clear(&manager->cond);
    ps_free(manager);
}

/* The active query with this id in any session but for `except`; a reference, or NULL. */
static ps_query *find_id(const char *id, const ps_query *except)
{
    ps_query *found = NULL;

    pthread_mutex_lock(&all_lock);
    for (psi_manager *manager = all; manager && !found; manager = manager->next) {
        ps_lock_take(&manager->lock);
        for (int i = 0; i < manager->n && !found; i++)
            if (manager->active[i] != except && strcmp(manager->active[i]->id, id) == 0)
                found = ps_query_ref(manager->active[i]);
        ps_lock_drop(&manager->lock);
    }
    pthread_mutex_unlock(&all_lock);
    return found;
}

static ps_status stop_older(ps_query *query, bool stop_active, ps_error *err)
{
    ps_query *older = find_id(query->id, query);

    if (!older)
        return PS_OK;
    if (!stop_active) {
        ps_query_unref(older);
        return ps_raise(err, PS_E_QUERY_ID_ACTIVE, query->id);
    }
    ps_query_stop(older);
    ps_query_wait(older, -1);
    ps_query_unref(older);
    return PS_OK;
}

/* Call with the lock held. */
static ps_status check_name(const psi_manager *manager, const ps_query *query, ps_error *err)
{
    for (int i = 0; query->name && i < manager->n; i++)
        if (manager->active[i]->name && strcmp(manager->active[i]->name, query->name) == 0)
            return ps_raise(err, PS_E_QUERY_NAME_ACTIVE, query->name);
    return PS_OK;
}

ps_status psi_manager_add(psi_manager *manager, ps_query *query, bool stop_active, ps_error *err)
{
    ps_status rc;

    ps_lock_take(&manager->lock);
    rc = check_name(manager, query, err);
    ps_lock_drop(&manager->lock);
    if (rc == PS_OK)
        rc = stop_older(query, stop_active, err);
    if (rc != PS_OK)
        return rc;
    ps_lock_take(&manager->lock);
    rc = check_name(manager, query, err); /* another thread may have started one in the meantime */
    if (rc == PS_OK)
        rc = ps_grow(&manager->active, manager->n, &manager->capacity, sizeof *manager->active, err);
    if (rc == PS_OK)
        manager->active[manager->n++] = ps_query_ref(query);
    ps_lock_drop(&manager->lock);
    return rc;
}

/* Call with the lock held; true when the manager held a reference, which is the caller's now. */
static bool take_out(psi_manager *manager, const ps_query *query)
{
    for (int i = 0; i < manager->n; i++)
        if (manager->active[i] == query) {
            memmove(manager->active + i, manager->active + i + 1, (size_t)(manager->n - i - 1) * sizeof *manager->active);
            manager->n--;
            return true;
        }
    return false;
}

void psi_manager_drop(psi_manager *manager, ps_query *query)
{
    bool found;

    ps_lock_take(&manager->lock);
    found = take_out(manager, query);
    ps_lock_drop(&manager->lock);
    if (found)
        ps_query_unref(query);
}

void psi_manager_remove(psi_manager *manager, ps_query *query)
{
    bool found;

    ps_lock_take(&manager->lock);
    found = take_out(manager, query);
    manager->terminated = true;
    if (query->failed) {
        manager->failed = true;
        manager->failure = query->failure;
    }
    ps_cond_wake_all(&manager->cond);
    ps_lock_drop(&manager->lock);
    if (found)
        ps_query_unref(query);
}

ps_status ps_session_wait_any(ps_session *session, int64_t ms, bool *terminated, ps_error *err)
{
    int64_t until = ps_clock_ticks() + ms * 1000000;
    psi_manager *manager = NULL;
    ps_status rc = PS_OK;

    PS_TRY(psi_manager_of(session, &manager, err));
    ps_lock_take(&manager->lock);
    while (!manager->terminated) {
        int64_t left = ms < 0 ? -1 : (until - ps_clock_ticks() + 999999) / 1000000;

        if (ms >= 0 && left <= 0)
            break;
        ps_cond_wait_ms(&manager->cond, &manager->lock, left);
    }
    *terminated = manager->terminated;
    if (manager->failed) {
        *err = manager->failure;
        rc = err->code;
    }
    ps_lock_drop(&manager->lock);
    psi_manager_unref(manager);
    return rc;
}

ps_status ps_session_listen(ps_session *session, bool on, ps_error *err)
{
    psi_manager *manager = NULL;

    PS_TRY(psi_manager_of(session, &manager, err));
    atomic_store(&manager->heard, on);
    psi_manager_unref(manager);
    return PS_OK;
}

bool psi_manager_is_heard(psi_manager *manager) { return atomic_load_explicit(&manager->heard, memory_order_relaxed); }

void ps_session_reset_terminated(ps_session *session)
{
    psi_manager *manager = NULL;

    if (psi_manager_of(session, &manager, NULL) != PS_OK)
        return;
    ps_lock_take(&manager->lock);
    manager->terminated = manager->failed = false;
    ps_lock_drop(&manager->lock);
    psi_manager_unref(manager);
}
