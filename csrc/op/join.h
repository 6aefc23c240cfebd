/*
 * op/join.h - what the plan checks ask of a join.
 */
#ifndef PS_OP_JOIN_H
#define PS_OP_JOIN_H
#include "op/op.h"

typedef enum ps_join_kind { PS_JOIN_INNER, PS_JOIN_CROSS, PS_JOIN_LEFT, PS_JOIN_RIGHT, PS_JOIN_FULL, PS_JOIN_SEMI, PS_JOIN_ANTI } ps_join_kind;
bool ps_join_kind_get(const ps_node *node, ps_join_kind *out); /* false for other nodes */
const char *ps_join_kind_name(ps_join_kind kind);              /* "LeftOuter" */
#endif
