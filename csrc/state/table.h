/*
 * state/table.h - a hash table of slots, {hash tag, key, accumulators} one behind the other.
 *
 * Open addressing with linear probing below 60 % load.  The home of a slot is its tag scaled to the
 * capacity, so the table is in order of the tags, growing reads and writes front to back and any
 * capacity will do (large tables grow by an eighth).  One kind of table serves the transient tables
 * of a batch and the shards of a store. A table belongs to one thread at a time.  Pointers to slots
 * hold until the next upsert, removal or compaction.
 */
#ifndef PS_STATE_TABLE_H
#define PS_STATE_TABLE_H
#include "state/key.h"

typedef struct ps_slot {
    uint32_t tag;   /* upper half of the hash, never 0; 0: the slot is free */
    uint16_t flags; /* ps_slot_flags */
    uint16_t nulls; /* of the key */
} ps_slot;
#define PS_SLOT_KEY sizeof(ps_slot) /* where the key begins */
typedef enum ps_slot_flags {
    PS_SLOT_DIRTY = 1,
    PS_SLOT_NEW = 2,
    PS_SLOT_EXPIRED = 4,
    PS_SLOT_SEEN = 8
} ps_slot_flags;

/* What a slot is made of; shared by tables, read-only. */
typedef struct ps_layout {
    ps_key key;
    size_t value_at, n_bytes; /* the accumulators begin here and end with the slot */
    uint8_t *initial;         /* accumulators of a new key; owned */
    uint32_t *cells;          /* offsets of all cells in a slot, those of the key first; owned */
    int n_cells;
} ps_layout;
/* value_cells: offsets within the value. */
ps_status ps_layout_init(ps_layout *layout, const ps_key_spec *key, size_t n_value_bytes,
                         const uint8_t *initial, const uint32_t *value_cells, int n_value_cells,
                         ps_error *err);
void ps_layout_clear(ps_layout *layout);

/* What tables may take together.  `owner` names the operator in STATE_MEMORY_LIMIT_EXCEEDED. */
typedef struct ps_budget {
    atomic_size_t *used; /* shared by all that count together */
    size_t limit;        /* 0: none */
    const char *owner;
} ps_budget;

typedef struct ps_table {
    const ps_layout *layout;
    uint8_t *slots;
    uint64_t capacity;   /* homes */
    uint64_t n_physical; /* slots from `slots` on, the last one always free */
    int64_t n, limit;
    int shard_bits; /* leading bits of the tag that all keys here share */
    ps_heap heap;
    ps_images *images;       /* scratch, made at the first use */
    const ps_budget *budget; /* or NULL */
    size_t charged;
} ps_table;

void ps_table_init(ps_table *table, const ps_layout *layout, int shard_bits,
                   const ps_budget *budget);
void ps_table_clear(ps_table *table);
/* Forgets all keys; memory in proportion to what was in use is kept. */
ps_status ps_table_reset(ps_table *table, ps_error *err);
/* Makes room for n_more keys at once (needed before keys come in order of their tags). */
ps_status ps_table_reserve(ps_table *table, int64_t n_more, ps_error *err);
/* slots[j]: the slot of live row j, made when missing (flag NEW, initial accumulators). */
ps_status ps_table_upsert(ps_table *table, ps_vec *const *cols, const ps_rows *rows, uint64_t seed,
                          uint8_t **slots, ps_error *err);
/* The same for keys in slots of another table with the same key. */
ps_status ps_table_upsert_slots(ps_table *table, const ps_table *from, uint8_t *const *from_slots,
                                int64_t n, uint8_t **slots, ps_error *err);
/* And for keys in records, `stride` bytes from one to the next, that begin as slots do; their far
 * cells hold pointers. */
ps_status ps_table_upsert_records(ps_table *table, const uint8_t *records, size_t stride, int64_t n,
                                  uint8_t **slots, ps_error *err);
/* As ps_table_upsert_slots(); slots[j] is NULL where the key is missing.  Returns how many are
 * missing in *n_missing. */
ps_status ps_table_find_slots(ps_table *table, const ps_table *from, uint8_t *const *from_slots,
                              int64_t n, uint8_t **slots, int64_t *n_missing, ps_error *err);
/* Up to `max` occupied slots from *position on, which moves; 0 at the end.  Positions begin at 0.
 */
int64_t ps_table_next(const ps_table *table, uint64_t *position, uint8_t **slots, int64_t max);
/* The same for the keys of one of 1 << shard_bits shards of a table that holds several (shard_bits
 * 0). */
int64_t ps_table_next_of_shard(const ps_table *table, int shard_bits, uint32_t shard,
                               uint64_t *position, uint8_t **slots, int64_t max);
/* Removes one key; its cells count as dead. Other slots may move. */
void ps_table_remove(ps_table *table, uint8_t *slot);
/* The first slot with this tag at or behind `from` (NULL: from its home), or NULL. */
uint8_t *ps_table_find_tag(const ps_table *table, uint32_t tag, uint8_t *from);
void ps_table_prefetch(const ps_table *table, uint32_t tag);
/* Gives memory back after many removals; copies the living of a heap that is mostly dead. */
ps_status ps_table_tidy(ps_table *table, ps_error *err);
/* Counts what heaps have grown by; STATE_MEMORY_LIMIT_EXCEEDED. */
ps_status ps_table_account(ps_table *table, ps_error *err);
size_t ps_table_n_bytes(const ps_table *table);
static inline uint32_t ps_tag_of(uint64_t hash)
{
    uint32_t tag = (uint32_t)(hash >> 32);
    return tag ? tag : 1;
}
#endif
