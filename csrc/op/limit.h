/*
 * op/limit.h - what the plan checks and the query ask of a limit, and the counter that makes one durable.
 */
#ifndef PS_OP_LIMIT_H
#define PS_OP_LIMIT_H
#include "op/op.h"

bool ps_limit_get(const ps_node *node, int64_t *limit, int64_t *offset); /* false for other nodes; limit -1: none */
/* Counts over the life of a streaming query in this mode, so has state. */
bool ps_limit_is_stateful(const ps_node *node, ps_mode mode);

/* One number per state version: files <state dir>/<op>/pystream/<version>.count, written like every state file. */
typedef struct ps_counter ps_counter;
ps_status ps_counter_open(ps_fs *fs, const char *state_dir, int op_id, const char *operator_name, bool sync, ps_counter **out, ps_error *err);
void ps_counter_close(ps_counter *counter); /* accepts NULL */
ps_status ps_counter_read(ps_counter *counter, int64_t version, int64_t *out, ps_error *err);
ps_status ps_counter_write(ps_counter *counter, int64_t version, int64_t value, ps_error *err);
#endif
