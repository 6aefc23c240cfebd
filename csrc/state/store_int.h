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

/* The tags of keys by event time, in buckets of 1 << shift microseconds.  A bucket may name keys
 * that are gone. */
typedef struct psi_bucket {
    int64_t time; /* event time >> shift */
    psi_tags tags;
} psi_bucket;
typedef struct psi_times {
    psi_bucket *items; /* ascending */
    int n, capacity;
    int shift;
    int last; /* where the last key went */
} psi_times;
ps_status psi_times_add(psi_times *times, int64_t time_us, uint32_t tag, ps_error *err);
/* How many buckets begin at or before until_us. */
int psi_times_due(const psi_times *times, int64_t until_us);
void psi_times_remove(psi_times *times, int n); /* the first n buckets */
void psi_times_clear(psi_times *times);
size_t psi_times_n_bytes(const psi_times *times);

/* A shard as it was at a commit, for a snapshot: its slots side by side and its heap. */
typedef struct psi_image {
    uint8_t *slots;
    int64_t n;
    ps_heap heap;
} psi_image;

struct ps_shard {
    ps_store *store;
    const ps_family *family;
    ps_table table;
    psi_times times;
    int64_t n_dirty; /* slots changed since the last commit */
    psi_tags dirty;  /* their tags, one entry per slot, unless they are `many` */
    bool many;       /* so many that they are found by walking the table */
    uint16_t colour; /* PS_SLOT_SEEN or 0: of the dirty slots that this round over them has met */
    bool evicted;    /* since the last commit, up to evicted_to */
    int64_t evicted_to;
    int index;       /* in store->shards */
    ps_lock lock;    /* for ps_shard_take() */
};

typedef struct psi_snapshot psi_snapshot;
typedef struct psi_spares psi_spares;
struct ps_store {
    ps_store_options options;
    const ps_family *families;
    int n_families;
    int n_shards;
    ps_shard *shards; /* n_families * n_shards */
    ps_budget budget;
    /* on disk */
    int64_t version; /* last loaded or committed */
    uint64_t id;     /* of that version: random, names the attempt that wrote it */
    bool has_meta;
    int64_t n_deltas; /* since the newest snapshot, and their size */
    size_t delta_bytes, snapshot_bytes;
    psi_snapshot *snapshot; /* being written or done; NULL: none */
    psi_spares *spares;     /* owned; shared with the snapshot's thread */
};

/* What was changed is committed. */
void psi_shard_settled(ps_shard *shard);
ps_status psi_shards_make(ps_store *store, int shard_bits, ps_error *err);
void psi_shards_clear(ps_store *store);

/* --- meta.c
 * ------------------------------------------------------------------------------------------------
 */
ps_status psi_meta_write(ps_store *store, ps_error *err);
/* Reads shards and seed, and checks that the families are those of this store. */
ps_status psi_meta_read(ps_store *store, ps_error *err);

/* --- block.c
 * -----------------------------------------------------------------------------------------------
 */
/* Records of one shard, packed block by block. */
typedef struct psi_blocks {
    const ps_layout *layout;
    ps_bytes raw, packed;
    uint32_t n_records; /* of the open block */
    int64_t n_total;
    uint32_t n_blocks;
} psi_blocks;
ps_status psi_blocks_add(psi_blocks *blocks, const uint8_t *slot, const ps_heap *heap,
                         ps_error *err);
ps_status psi_blocks_end(psi_blocks *blocks, ps_error *err);
void psi_blocks_clear(psi_blocks *blocks);

#define PSI_BLOCK_HEAD 20
#define PSI_BLOCK_SLACK 8 /* readable bytes behind the packed ones */
/* What the head of a block says before its checksum. */
typedef struct psi_block {
    uint32_t kind, n_records, n_raw, n_packed;
} psi_block;
/* The most records that this many bytes can hold. */
uint64_t psi_blocks_most(const ps_layout *layout, uint64_t n_bytes);
/* False when no block can be like that. */
bool psi_block_read_head(const ps_layout *layout, const uint8_t *head, psi_block *block);
/* Its records, one behind the other, for a head that psi_block_read_head() took; PSI_BLOCK_SLACK
 * bytes can be read behind `packed`.  STATE_CORRUPT names the file at `path`. */
ps_status psi_block_unpack(const ps_layout *layout, const char *path, const psi_block *block,
                           const uint8_t *packed, ps_bytes *records, ps_error *err);
/* The record at *at as a slot with pointers in its far cells; *at moves behind it.  STATE_CORRUPT, or
 * STATE_KEY_SCHEMA when its window has another width. */
ps_status psi_record_take(const ps_layout *layout, const char *path, const ps_bytes *records,
                          size_t *at, uint8_t *to, ps_error *err);

/* --- delta.c: the files
 * -------------------------------------------------------------------------------------- */
typedef enum psi_file_kind { PSI_DELTA = 1, PSI_SNAPSHOT = 2 } psi_file_kind;
/* A file being written: sections in order, then the end, then its name. */
typedef struct psi_out {
    ps_fs *fs;
    const char *dir;
    char *path, *temporary;
    ps_file *file;
    ps_bytes waiting; /* small pieces, written together */
    size_t n_bytes;
    bool sync;
} psi_out;
ps_status psi_out_open(const ps_store *store, psi_file_kind kind, int64_t version, uint64_t id,
                       uint64_t parent, psi_out *out, ps_error *err);
ps_status psi_out_section(psi_out *out, const ps_shard *shard, bool evicted, int64_t evicted_to,
                          psi_blocks *blocks, ps_error *err);
ps_status psi_out_end(psi_out *out, ps_error *err);
void psi_out_clear(psi_out *out); /* removes what has no name yet */

/* <dir>/<version>.delta or .snap */
ps_status psi_file_path(const ps_store *store, psi_file_kind kind, int64_t version, char **out,
                        ps_error *err);
ps_status psi_store_load(ps_store *store, int64_t version, ps_error *err);
ps_status psi_store_save(ps_store *store, int64_t version, ps_error *err);

/* --- snapshot.c
 * --------------------------------------------------------------------------------------------- */
/* Versions of a kind in the directory, ascending; owned by the caller (ps_free). */
ps_status psi_store_list(const ps_store *store, psi_file_kind kind, int64_t **versions, int *n,
                         ps_error *err);
/* Starts a snapshot of the version just committed when one is due; tidies old files when it is
 * written. */
ps_status psi_snapshot_maybe(ps_store *store, ps_error *err);
/* --- spare.c
 * ------------------------------------------------------------------------------------------------
 */
ps_status psi_spares_new(psi_spares **out, ps_error *err);
void psi_spares_free(ps_store *store); /* with the files that were not used */
/* Removes a delta, or keeps its place for a new one. @thread the snapshot's */
ps_status psi_spare_keep(const ps_store *store, const char *path, ps_error *err);
/* Makes a file, out of a kept one if there is one. @thread the query's */
ps_status psi_spare_create(const ps_store *store, const char *path, ps_file **out, ps_error *err);

/* Before a shard changes: what the snapshot still needs of it is copied. */
ps_status psi_snapshot_detach(ps_shard *shard, ps_error *err);
void psi_snapshot_end(ps_store *store); /* stops and waits */
#endif
