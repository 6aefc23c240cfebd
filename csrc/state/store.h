/*
 * state/store.h - the memory of a stateful operator: a versioned key-value store.
 *
 * A store has one version per committed batch: an operator changes it in place and commits the next
 * version, or closes it and opens the last one again; there is no undo.  A store holds named
 * families, each with a layout of key and value; a family with an event time also keeps its keys in
 * the order of time, so that eviction costs what it removes. The keys of a family are parted into
 * shards by the leading bits of their hash (seed and hash are in the store's metadata).  Different
 * shards may be worked on by different threads; all else belongs to the query's thread.
 *
 * On disk: <dir>/<version>.delta or .snap and meta, see delta.c; a store without a directory lives
 * in memory alone.
 */
#ifndef PS_STATE_STORE_H
#define PS_STATE_STORE_H
#include "base/fs.h"
#include "state/table.h"

typedef struct ps_store ps_store;
typedef struct ps_shard ps_shard;

typedef struct ps_family {
    const char *name;
    const ps_layout *layout; /* borrowed for the life of the store */
    bool by_time;            /* keep the order of event times: the layout's key has one */
    const char
        *schema; /* what the bytes of a value mean; a store of another schema is not opened */
} ps_family;

typedef struct ps_store_options {
    ps_fs *fs;
    const char *dir;   /* NULL: in memory alone */
    const char *owner; /* the operator, for messages */
    uint64_t seed;     /* of the keys' hash */
    int shard_bits;    /* 1 << shard_bits shards, when the store is made */
    bool sync;
    int64_t retain;      /* versions to keep */
    int64_t min_deltas;  /* between snapshots */
    size_t memory_limit; /* of the state of the process; 0: none */
    int n_workers;
} ps_store_options;

/* Borrows what options and families point to. */
ps_status ps_store_open(const ps_store_options *options, const ps_family *families, int n_families,
                        ps_store **out, ps_error *err);
void ps_store_close(ps_store *store); /* accepts NULL; waits for a snapshot that is being written */
/* Forgets everything and loads `version` (0: empty).  STATE_* errors. */
ps_status ps_store_restore(ps_store *store, int64_t version, ps_error *err);
/* Makes all changes since the last commit durable as `version`. */
ps_status ps_store_commit(ps_store *store, int64_t version, ps_error *err);
int ps_store_shard_bits(const ps_store *store);
ps_shard *ps_store_shard(ps_store *store, int family, uint32_t shard);
int64_t ps_store_n_keys(const ps_store *store);
size_t ps_store_n_bytes(const ps_store *store);

/* --- one shard: @thread one at a time
 * ------------------------------------------------------------------- */
ps_table *ps_shard_table(ps_shard *shard);
/* For workers that meet in a shard: nobody else has it until it is dropped. @locks PS_RANK_STATE */
void ps_shard_take(ps_shard *shard);
void ps_shard_drop(ps_shard *shard);
/* The slots of keys, made when missing, marked as changed.  Keys come from slots of another table
 * of the same key, in the order of their tags; or from records (ps_table_upsert_records). */
ps_status ps_shard_upsert(ps_shard *shard, const ps_table *from, uint8_t *const *from_slots,
                          int64_t n, uint8_t **slots, ps_error *err);
ps_status ps_shard_upsert_records(ps_shard *shard, const uint8_t *records, size_t stride, int64_t n,
                                  uint8_t **slots, ps_error *err);
/* Room for so many keys in all (needed before keys come in the order of their tags). */
ps_status ps_shard_reserve(ps_shard *shard, int64_t n_keys, ps_error *err);
int64_t ps_shard_n_dirty(const ps_shard *shard);
/* Slots changed since the last commit, each once, from *position (0) on; 0 at the end. */
int64_t ps_shard_next_dirty(ps_shard *shard, uint64_t *position, uint8_t **slots, int64_t max);
/* Slots whose event time is at or before `until_us`, each once per round; 0 at the end.  Nothing is
 * removed yet. */
int64_t ps_shard_next_expired(ps_shard *shard, int64_t until_us, uint64_t *position,
                              uint8_t **slots, int64_t max);
/* Removes what ps_shard_next_expired(until_us) has given.  Returns how many. */
ps_status ps_shard_evict(ps_shard *shard, int64_t until_us, int64_t *n_removed, ps_error *err);
#endif
