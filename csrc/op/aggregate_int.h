/*
 * op/aggregate_int.h - what the files of the aggregation share.
 */
#ifndef PS_OP_AGGREGATE_INT_H
#define PS_OP_AGGREGATE_INT_H
#include "expr/aggregate.h"
#include "op/aggregate.h"
#include "op/op_int.h"
#include "state/store.h"

/* A node's spec: the grouping columns (a plain column keeps its id) and the aggregate calls, whose
 * ids are those of the output attributes behind them. */
typedef struct psi_aggregate_spec {
    ps_named_list grouping;
    ps_agg_calls calls;
    int64_t pane_width; /* 0, or the width of sliding windows whose panes the input has
                           (aggregate_panes.c) */
    int64_t pane_slide;
    int pane_key; /* which grouping column */
} psi_aggregate_spec;

/* How slots are laid out for a node. */
typedef struct psi_aggregate_plan {
    const psi_aggregate_spec *spec;
    int n_keys, n_calls;
    int time_key; /* grouping column with the event-time mark, or -1 */
    ps_layout layout;
    size_t *at;   /* of each call's buffer in a slot; owned */
    char *schema; /* of the value, for the state's metadata; owned */
} psi_aggregate_plan;
ps_status psi_aggregate_plan_init(psi_aggregate_plan *plan, const ps_node *node, ps_error *err);
void psi_aggregate_plan_clear(psi_aggregate_plan *plan);

/* The arguments of one call under FILTER: evaluated over the rows that pass. */
typedef struct psi_filtered {
    ps_program *condition; /* NULL: the call has no FILTER */
    ps_program *args;      /* of a call with FILTER, NULL when it takes none */
} psi_filtered;

/* What a call with DISTINCT has seen (aggregate_distinct.c). */
typedef struct psi_distinct {
    ps_layout layout; /* grouping columns and arguments; no value */
    ps_table table;
    ps_vec **cols; /* borrowed while rows are picked */
    uint8_t **slots;
    int32_t *sel;
    int64_t room;
} psi_distinct;
ps_status psi_distinct_new(const psi_aggregate_plan *plan, const ps_agg_call *call,
                           psi_distinct **out, ps_error *err);
void psi_distinct_free(psi_distinct *distinct); /* accepts NULL */
/* Narrows rows to those not seen before, and groups[] (one per live row) with them.  *rows then
 * borrows a selection. */
ps_status psi_distinct_pick(psi_distinct *distinct, uint64_t seed, ps_vec *const *keys, int n_keys,
                            ps_vec *const *args, int n_args, ps_rows *rows, uint8_t **groups,
                            ps_error *err);

/* Rows that wait, each with its key and its arguments, parted by the leading bits of the hash
 * (aggregate_parts.c).  A writer is @thread one at a time; so is a reader of a part, while nobody
 * writes. */
typedef struct psi_parts psi_parts;
typedef struct psi_parts_block psi_parts_block;
bool psi_parts_fit(const psi_aggregate_plan *plan); /* can its keys and arguments wait */
ps_status psi_parts_new(const psi_aggregate_plan *plan, psi_parts **out, ps_error *err);
void psi_parts_free(psi_parts *parts); /* accepts NULL */
/* No rows, and 1 << bits parts. */
ps_status psi_parts_begin(psi_parts *parts, int bits, ps_error *err);
void psi_parts_forget(psi_parts *parts); /* all rows; keeps the memory */
void psi_parts_shrink(psi_parts *parts); /* forgets all rows and gives most memory back */
size_t psi_parts_n_bytes(const psi_parts *parts);
int64_t psi_parts_n_rows(const psi_parts *parts);
/* Adds the keys images[which[k]], whose arguments are in rows[k] of outs (keys, then arguments). */
ps_status psi_parts_add(psi_parts *parts, const ps_key *key, const ps_images *images,
                        ps_vec *const *outs, const int16_t *which, const int32_t *rows, int n,
                        ps_error *err);
typedef struct psi_parts_reader {
    const psi_parts *parts;
    ps_vec **outs; /* arguments of the rows last read, behind room for the keys; owned */
} psi_parts_reader;
typedef struct psi_parts_place {
    uint32_t part;
    const psi_parts_block *block; /* the next one */
    const uint8_t *at, *end;      /* in this one */
} psi_parts_place;
ps_status psi_parts_open(const psi_parts *parts, psi_parts_reader *in, ps_error *err);
psi_parts_place psi_parts_start(const psi_parts *parts, uint32_t part);
/* At most PS_CHUNK rows as records (ps_table_upsert_records), in the order in which they came;
 * returns how many, 0 at the end of the part. */
int psi_parts_next(psi_parts_reader *in, psi_parts_place *place, const uint8_t **rows,
                   size_t *stride);
void psi_parts_close(psi_parts_reader *in);

/* Rows that go straight into the state (aggregate_direct.c). */
extern size_t psi_most_waiting; /* bytes, of all workers; tests set it */
typedef struct psi_direct psi_direct;
/* May rows of this aggregation go straight into the state. */
bool psi_direct_fits(const psi_aggregate_plan *plan);
/* *out is to be freed also when this fails. */
ps_status psi_direct_new(const ps_aggregate_partial *owner, psi_direct **out, ps_error *err);
void psi_direct_free(psi_direct *direct); /* accepts NULL */
/* A micro-batch begins.  late_us: keys up to this time are late; NULL: none is. */
ps_status psi_direct_begin(psi_direct *direct, ps_store *store, int worker, int n_workers,
                           const int64_t *late_us, ps_error *err);
/* Should the next rows go there; `table` has the groups of those before.  Accepts NULL. */
bool psi_direct_is_on(psi_direct *direct, const ps_table *table);
void psi_direct_count(psi_direct *direct, int64_t n_rows); /* were grouped; accepts NULL */
/* Takes rows of the owner's outs.  *left, which may be *rows: those that are left to be grouped,
 * borrowed. @locks PS_RANK_STATE */
ps_status psi_direct_push(psi_direct *direct, const ps_rows *rows, ps_rows *left, ps_error *err);
int64_t psi_direct_n_waiting(const psi_direct *direct); /* rows; accepts NULL */
/* The number of keys of the largest shard that has been drained, a hint; 0: none has. */
typedef atomic_int_least64_t psi_shard_size;
/* Adds what waits for a shard to it; the rows stay, so once between two psi_direct_end().
 * @thread any @locks PS_RANK_STATE */
ps_status psi_direct_drain(const psi_direct *direct, uint32_t shard, psi_shard_size *largest,
                           ps_error *err);
int64_t psi_direct_ns(const psi_direct *direct); /* spent in pushing in this micro-batch */
void psi_direct_end(psi_direct *direct);         /* of the micro-batch; accepts NULL */

struct ps_aggregate_partial {
    const psi_aggregate_plan *plan;
    ps_program *program; /* keys, then arguments of the calls without FILTER */
    int n_outs;
    int *first_arg; /* of each call among outs */
    psi_filtered *filtered;
    psi_distinct **distinct; /* of each call, NULL where there is none */
    ps_vec **outs, **args;   /* results of the programs */
    ps_table table;
    psi_direct *direct; /* NULL: no such rows */
    uint64_t seed;
    uint8_t **slots, **some; /* of the live rows; of those that pass a FILTER */
    int64_t room;            /* rows that both have place for */
};
ps_status psi_partial_new(const psi_aggregate_plan *plan, const ps_node *node, ps_run *run,
                          uint64_t seed, ps_aggregate_partial **out, ps_error *err);
void psi_partial_free(ps_aggregate_partial *partial); /* accepts NULL */
ps_status psi_partial_reset(ps_aggregate_partial *partial,
                            ps_error *err); /* for the next micro-batch */
/* Adds the slot of an aggregation without keys, which is there without rows too. */
ps_status psi_partial_ensure(ps_aggregate_partial *partial, ps_error *err);

/* Exchanges *input for a node that gives panes, when the result is the same, and says so in the
 * spec. */
ps_status psi_panes_plan(ps_node **input, psi_aggregate_spec *spec, ps_error *err);
/* Groups by pane become groups by window. */
ps_status psi_panes_expand(ps_aggregate_partial *partial, ps_error *err);

/* Merges the aggregates of slots of one table into those of another. */
ps_status psi_aggregate_merge(const psi_aggregate_plan *plan, ps_table *to, uint8_t **to_slots,
                              const ps_table *from, uint8_t **from_slots, int64_t n, ps_error *err);
/* Emits groups as rows. */
ps_status psi_aggregate_emit(ps_op *op, const psi_aggregate_plan *plan, const ps_table *table,
                             uint8_t **slots, int64_t n, ps_error *err);
#endif
