/*
 * op/join_int.h - a join's plan (join.c) as its operator (join_run.c) reads it.
 */
#ifndef PS_OP_JOIN_INT_H
#define PS_OP_JOIN_INT_H
#include "op/join.h"
#include "op/op_int.h"

typedef struct psi_join_spec {
    ps_join_kind kind;
    int n_keys;
    ps_bound **keys[2];   /* per side, of one type */
    bool *null_safe;      /* per key: <=> */
    ps_bound *residual;   /* what is no key, over both sides, or NULL */
} psi_join_spec;
/* The port of the kept side, when a batch of the other side can be probed by several workers; else -1. */
int psi_join_build_port(const ps_op *op);
static inline bool psi_join_gives_right(ps_join_kind kind) { return kind != PS_JOIN_SEMI && kind != PS_JOIN_ANTI; }
#endif
