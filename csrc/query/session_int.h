/*
 * query/session_int.h - a session's layout, for this folder only.
 */
#ifndef PS_QUERY_SESSION_INT_H
#define PS_QUERY_SESSION_INT_H
#include "base/map.h"
#include "query/session.h"

struct ps_session {
    ps_refs refs;
    ps_lock lock;
    ps_conf conf;    /* under lock */
    ps_map views;    /* key -> ps_node, owned references; under lock */
    ps_clock *clock; /* set before any query starts */
    ps_fs *fs;
    struct psi_manager *manager; /* queries (manager.c); made on first use, under lock; shared with nobody */
};
#endif
