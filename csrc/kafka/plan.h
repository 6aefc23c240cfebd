/*
 * kafka/plan.h - from positions to what a batch reads: limits per trigger, and the range of each partition (D.4, D.5).
 *
 * Nothing here talks to a broker: what the caller looked up comes in, what he has to report comes out.
 */
#ifndef PS_KAFKA_PLAN_H
#define PS_KAFKA_PLAN_H
#include "kafka/positions.h"

typedef struct psi_range {
    const char *topic; /* of the positions it was made from */
    int32_t partition;
    int64_t from, to;  /* [from, to) */
} psi_range;
/* Zeroed by {0}. */
typedef struct psi_ranges { psi_range *items; int n, capacity; } psi_ranges;

/* Offsets are what files and brokers say: sums and differences of them stop at the last number there is. */
int64_t psi_plan_sum(int64_t a, int64_t b);
int64_t psi_plan_gap(int64_t from, int64_t to); /* to - from */
/* The end of a batch of about `limit` offsets, shared out by what each partition has.  `from` has all of latest's. */
ps_status psi_plan_limit(const psi_positions *from, const psi_positions *latest, int64_t limit, psi_positions *out, ps_error *err);
/* How many offsets lie between; partitions that `from` does not have count from zero. */
int64_t psi_plan_distance(const psi_positions *from, const psi_positions *to);
/* Partitions of `a` that `b` does not have, with a's offsets. */
ps_status psi_plan_without(const psi_positions *a, const psi_positions *b, psi_positions *out, ps_error *err);
/* Ranges that are not empty; the first partition whose end lies before its beginning is told in *shrunk (or NULL). */
ps_status psi_plan_ranges(const psi_positions *from, const psi_positions *to, psi_ranges *out, const psi_position **shrunk, ps_error *err);
#endif
