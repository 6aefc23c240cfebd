/*
 * query/sql.c - spark.sql().
 */
#include "query/session.h"

ps_status ps_session_sql(ps_session *session, const char *text, ps_node **out, ps_error *err)
{
    PS_UNUSED(session);
    PS_UNUSED(text);
    *out = NULL;
    return ps_raise(err, PS_E_NOT_BUILT, "spark.sql");
}
