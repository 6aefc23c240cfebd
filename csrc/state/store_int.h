/*
 * state/store_int.h - the parts of a store; for this folder only.
 */
#ifndef PS_STATE_STORE_INT_H
#define PS_STATE_STORE_INT_H
#include "base/thread.h"
#include "state/store.h"

typedef struct psi_tags {
    uint32_t *items;
    int n, capacity;
} psi_tags;

/* The tags of keys by event time, in buckets of 1 << shift microseconds.  A bucket may name keys that are gone. */
typedef struct psi_bucket {
    int64_t time; /* event time >> shift */
    psi_tags tags;
} psi_bucket;
typedef struct psi_times {
    psi_bucket *items; /* ascending */
    int n, capacity;
    int shift;
    int last;          /* where the last key went */
} psi_times;
ps_status psi_times_add(psi_times *times, int64_t time_us, uint32_t tag, ps_error *err);
/* How many buckets begin at or before until_us. */
int psi_times_due(const psi_times *times, int64_t until_us);
void psi_times_remove(psi_times *times, int n); /* the first n buckets */
void psi_times_clear(psi_times *times);
size_t psi_times_n_bytes(const psi_times *times);

struct ps_shard {
    ps_store *store;
    const ps_family *family;
    ps_table table;
    psi_times times;
    psi_tags dirty;      /* tags of changed slots, one entry per slot */
    uint16_t colour;     /* PS_SLOT_SEEN or 0: of the dirty slots that this round over them has met */
    bool evicted;        /* since the last commit, up to evicted_to */
    int64_t evicted_to;
};

struct ps_store {
    ps_store_options options;
    const ps_family *families;
    int n_families;
    int n_shards;
    ps_shard *shards;    /* n_families * n_shards */
    ps_budget budget;
};
#endif
