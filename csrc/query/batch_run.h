/*
 * query/batch_run.h - the micro-batch that foreachBatch is given: computed at the first action, then spooled.
 *
 * The host wraps ps_batch_run_node() in a DataFrame and calls the user's function.  The first time a plan that
 * contains that node runs, the micro-batch is computed into the spool (memory up to pystream.foreachBatch.spoolMemory,
 * then an unlinked file); later actions read the spool.  It is dropped when the function has returned: a node
 * used after that raises.
 */
#ifndef PS_QUERY_BATCH_RUN_H
#define PS_QUERY_BATCH_RUN_H
#include "query/session.h"

typedef struct ps_batch_run ps_batch_run;
/* A bounded leaf with the schema of the result; a new reference each time. */
ps_status ps_batch_run_node(ps_batch_run *run, ps_node **out, ps_error *err);
/* The query's own session (a clone of the user's); borrowed. */
ps_session *ps_batch_run_session(ps_batch_run *run);
#endif
