/*
 * state/store.c - families, shards, and what a shard offers to operators.
 */
#include "state/store_int.h"

#define AHEAD 16 /* tags between prefetch and use */

/* The state of all queries of the process counts together. */
static atomic_size_t state_bytes;

void psi_shards_clear(ps_store *store)
{
    for (int i = 0; store->shards && i < store->n_families * store->n_shards; i++) {
        ps_shard *shard = &store->shards[i];
        ps_table_clear(&shard->table);
        psi_times_clear(&shard->times);
        ps_free(shard->dirty.items);
        *shard = (ps_shard){
            .store = store, .family = shard->family, .index = i, .lock = shard->lock};
        ps_table_init(&shard->table, shard->family->layout, store->options.shard_bits,
                      &store->budget);
    }
}

static void free_shards(ps_store *store)
{
    psi_shards_clear(store);
    for (int i = 0; store->shards && i < store->n_families * store->n_shards; i++)
        ps_lock_clear(&store->shards[i].lock);
    ps_free(store->shards);
}

/* Empty shards in place of those that there were. */
ps_status psi_shards_make(ps_store *store, int shard_bits, ps_error *err)
{
    int n_shards = 1 << shard_bits;
    ps_shard *shards;

    PS_TRY(ps_alloc0((size_t)(store->n_families * n_shards) * sizeof *shards, &shards, err));
    free_shards(store);
    store->shards = shards;
    store->n_shards = n_shards;
    store->options.shard_bits = shard_bits;
    for (int i = 0; i < store->n_families * n_shards; i++) {
        shards[i].family = &store->families[i / n_shards];
        ps_lock_init(&shards[i].lock, PS_RANK_STATE);
    }
    psi_shards_clear(store);
    return PS_OK;
}

ps_status ps_store_open(const ps_store_options *options, const ps_family *families, int n_families,
                        ps_store **out, ps_error *err)
{
    ps_store *store = NULL;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_alloc0(sizeof *store, &store, err));
    store->options = *options;
    store->families = families;
    store->n_families = n_families;
    store->budget = (ps_budget){&state_bytes, options->memory_limit, options->owner};
    PS_TRY_OR(fail, psi_spares_new(&store->spares, err));
    PS_TRY_OR(fail, psi_shards_make(store, options->shard_bits, err));
    *out = store;
    return PS_OK;
fail:
    ps_store_close(store);
    return rc;
}

void ps_store_close(ps_store *store)
{
    if (store == NULL)
        return;
    psi_snapshot_end(store);
    psi_spares_free(store);
    free_shards(store);
    ps_free(store);
}

int ps_store_shard_bits(const ps_store *store)
{
    return store->options.shard_bits;
}

ps_shard *ps_store_shard(ps_store *store, int family, uint32_t shard)
{
    return &store->shards[family * store->n_shards + (int)shard];
}

int64_t ps_store_n_keys(const ps_store *store)
{
    int64_t n = 0;

    for (int i = 0; i < store->n_families * store->n_shards; i++)
        n += store->shards[i].table.n;
    return n;
}

size_t ps_store_n_bytes(const ps_store *store)
{
    size_t n =
        sizeof *store + (size_t)(store->n_families * store->n_shards) * sizeof *store->shards;

    for (int i = 0; i < store->n_families * store->n_shards; i++) {
        const ps_shard *shard = &store->shards[i];
        n += ps_table_n_bytes(&shard->table) + psi_times_n_bytes(&shard->times) +
             (size_t)shard->dirty.capacity * sizeof(uint32_t);
    }
    return n;
}

/* ---- one shard ---- */

ps_table *ps_shard_table(ps_shard *shard)
{
    return &shard->table;
}

void ps_shard_take(ps_shard *shard)
{
    ps_lock_take(&shard->lock);
}

void ps_shard_drop(ps_shard *shard)
{
    ps_lock_drop(&shard->lock);
}

/* New keys are counted first: they come in the order of their tags, which a table must have room
 * for. */
static ps_status make_room(ps_shard *shard, const ps_table *from, uint8_t *const *from_slots,
                           int64_t n, uint8_t **slots, ps_error *err)
{
    int64_t n_missing;

    if (shard->table.n + n <= shard->table.limit)
        return PS_OK;
    PS_TRY(ps_table_find_slots(&shard->table, from, from_slots, n, slots, &n_missing, err));
    return ps_table_reserve(&shard->table, n_missing, err);
}

static ps_status mark(ps_shard *shard, uint8_t *slot_bytes, ps_error *err)
{
    ps_slot *slot = (ps_slot *)slot_bytes;
    int64_t time;

    if (slot->flags & PS_SLOT_NEW && shard->family->by_time &&
        ps_key_time(&shard->table.layout->key, slot_bytes, &time))
        PS_TRY(psi_times_add(&shard->times, time, slot->tag, err));
    slot->flags = PS_SLOT_DIRTY | shard->colour;
    shard->n_dirty++;
    if (!shard->many)
        shard->dirty.items[shard->dirty.n++] = slot->tag;
    return PS_OK;
}

/* Walking a table costs about as much as looking up an eighth of its places. */
static bool is_many(const ps_shard *shard, int64_t n_dirty)
{
    return n_dirty > 1024 && (uint64_t)n_dirty > shard->table.capacity / 8;
}

static ps_status reserve_dirty(psi_tags *dirty, int64_t n_more, ps_error *err)
{
    int64_t wanted = dirty->n + n_more;

    if (wanted <= dirty->capacity)
        return PS_OK;
    if (wanted > INT32_MAX / 2)
        return ps_raise(err, PS_E_NO_MEMORY, SIZE_MAX);
    wanted += wanted / 4;
    PS_TRY(ps_realloc((size_t)wanted * sizeof *dirty->items, &dirty->items, err));
    dirty->capacity = (int)wanted;
    return PS_OK;
}

static ps_status mark_all(ps_shard *shard, uint8_t *const *slots, int64_t n, ps_error *err)
{
    shard->many = shard->many || is_many(shard, shard->n_dirty + n);
    if (!shard->many)
        PS_TRY(reserve_dirty(&shard->dirty, n, err));
    for (int64_t j = 0; j < n; j++)
        if (!(((ps_slot *)slots[j])->flags & PS_SLOT_DIRTY))
            PS_TRY(mark(shard, slots[j], err));
    return PS_OK;
}

ps_status ps_shard_upsert(ps_shard *shard, const ps_table *from, uint8_t *const *from_slots,
                          int64_t n, uint8_t **slots, ps_error *err)
{
    PS_TRY(psi_snapshot_detach(shard, err));
    PS_TRY(make_room(shard, from, from_slots, n, slots, err));
    PS_TRY(ps_table_upsert_slots(&shard->table, from, from_slots, n, slots, err));
    return mark_all(shard, slots, n, err);
}

ps_status ps_shard_reserve(ps_shard *shard, int64_t n_keys, ps_error *err)
{
    PS_TRY(psi_snapshot_detach(shard, err));
    return ps_table_reserve(&shard->table, n_keys - shard->table.n, err);
}

ps_status ps_shard_upsert_records(ps_shard *shard, const uint8_t *records, size_t stride, int64_t n,
                                  uint8_t **slots, ps_error *err)
{
    PS_TRY(psi_snapshot_detach(shard, err));
    PS_TRY(ps_table_upsert_records(&shard->table, records, stride, n, slots, err));
    return mark_all(shard, slots, n, err);
}

int64_t ps_shard_n_dirty(const ps_shard *shard)
{
    return shard->n_dirty;
}

/* The slot with this tag whose flags under `mask` are `flags`. */
static uint8_t *find_flagged(const ps_shard *shard, uint32_t tag, uint16_t mask, uint16_t flags)
{
    uint8_t *slot = ps_table_find_tag(&shard->table, tag, NULL);

    while (slot != NULL && (((ps_slot *)slot)->flags & mask) != flags)
        slot = ps_table_find_tag(&shard->table, tag, slot + shard->table.layout->n_bytes);
    return slot;
}

static int64_t walk_dirty(const ps_table *table, uint64_t *position, uint8_t **slots, int64_t max)
{
    size_t size = table->layout->n_bytes;
    int64_t n = 0;
    uint64_t i = *position;

    for (; i < table->n_physical && n < max; i++) {
        uint8_t *slot = table->slots + i * size;
        slots[n] = slot;
        n += ((ps_slot *)slot)->flags & PS_SLOT_DIRTY;
    }
    *position = i;
    return n;
}

/* A tag may stand for several keys and a key that is gone, so a round paints the slots that it has
 * met. */
int64_t ps_shard_next_dirty(ps_shard *shard, uint64_t *position, uint8_t **slots, int64_t max)
{
    int64_t n = 0;

    if (shard->many)
        return walk_dirty(&shard->table, position, slots, max);
    if (*position == 0)
        shard->colour ^= PS_SLOT_SEEN;
    while (n < max && *position < (uint64_t)shard->dirty.n) {
        uint32_t tag = shard->dirty.items[*position];
        uint8_t *slot;
        if (*position + AHEAD < (uint64_t)shard->dirty.n)
            ps_table_prefetch(&shard->table, shard->dirty.items[*position + AHEAD]);
        ++*position;
        slot = find_flagged(shard, tag, PS_SLOT_DIRTY | PS_SLOT_SEEN,
                            PS_SLOT_DIRTY | (shard->colour ^ PS_SLOT_SEEN));
        if (slot == NULL)
            continue;
        ((ps_slot *)slot)->flags ^= PS_SLOT_SEEN;
        slots[n++] = slot;
    }
    return n;
}

/* All slots with this tag that are due and not marked yet. */
static int64_t mark_expired(ps_shard *shard, uint32_t tag, int64_t until_us, uint8_t **slots,
                            int64_t max)
{
    uint8_t *slot = ps_table_find_tag(&shard->table, tag, NULL);
    int64_t n = 0, time;

    for (; slot != NULL && n < max;
         slot = ps_table_find_tag(&shard->table, tag, slot + shard->table.layout->n_bytes)) {
        ps_slot *head = (ps_slot *)slot;
        if (head->flags & PS_SLOT_EXPIRED || !ps_key_time(&shard->table.layout->key, slot, &time) ||
            time > until_us)
            continue;
        head->flags |= PS_SLOT_EXPIRED;
        slots[n++] = slot;
    }
    return n;
}

/* A position is a bucket and a place in it.  A tag stays current until it gives nothing more. */
int64_t ps_shard_next_expired(ps_shard *shard, int64_t until_us, uint64_t *position,
                              uint8_t **slots, int64_t max)
{
    int due = psi_times_due(&shard->times, until_us);
    int bucket = (int)(*position >> 32);
    uint32_t at = (uint32_t)*position;
    int64_t n = 0;

    if (due > 0)
        psi_snapshot_detach(shard, NULL); /* marks are written into slots */
    for (; bucket < due; bucket++, at = 0) {
        const psi_tags *tags = &shard->times.items[bucket].tags;
        for (; at < (uint32_t)tags->n; at++) {
            if (n == max) {
                *position = (uint64_t)bucket << 32 | at;
                return n;
            }
            n += mark_expired(shard, tags->items[at], until_us, slots + n, max - n);
            if (n == max) { /* the same tag again: it may have more */
                *position = (uint64_t)bucket << 32 | at;
                return n;
            }
        }
    }
    *position = (uint64_t)bucket << 32;
    return n;
}

ps_status ps_shard_evict(ps_shard *shard, int64_t until_us, int64_t *n_removed, ps_error *err)
{
    int due = psi_times_due(&shard->times, until_us), whole = due;

    *n_removed = 0;
    PS_TRY(psi_snapshot_detach(shard, err));
    for (int b = 0; b < due; b++) {
        psi_tags *tags = &shard->times.items[b].tags;
        int kept = 0;
        for (int i = 0; i < tags->n; i++) {
            uint8_t *slot = find_flagged(shard, tags->items[i], PS_SLOT_EXPIRED, PS_SLOT_EXPIRED);
            if (slot != NULL) {
                ps_table_remove(&shard->table, slot);
                ++*n_removed;
            } else if (ps_table_find_tag(&shard->table, tags->items[i], NULL) != NULL) {
                tags->items[kept++] = tags->items[i]; /* later in the bucket around the watermark */
            }
        }
        tags->n = kept;
        if (kept > 0 && b < whole)
            whole = b;
    }
    psi_times_remove(&shard->times, whole);
    shard->evicted = true;
    shard->evicted_to = until_us;
    return *n_removed > 0 ? ps_table_tidy(&shard->table, err) : PS_OK;
}

ps_status ps_store_restore(ps_store *store, int64_t version, ps_error *err)
{
    psi_snapshot_end(store);
    psi_shards_clear(store);
    store->version = version;
    store->id = 0;
    store->has_meta = false;
    store->n_deltas = 0;
    store->delta_bytes = store->snapshot_bytes = 0;
    if (version == 0 || store->options.dir == NULL)
        return PS_OK;
    return psi_store_load(store, version, err);
}

/* What is changed is unchanged from here on. */
static void settle(ps_shard *shard)
{
    uint8_t *slots[PS_CHUNK];
    uint64_t position = 0;
    int64_t n;

    while ((n = ps_shard_next_dirty(shard, &position, slots, PS_CHUNK)) > 0)
        for (int64_t j = 0; j < n; j++)
            ((ps_slot *)slots[j])->flags = 0;
    psi_shard_settled(shard);
}

void psi_shard_settled(ps_shard *shard)
{
    if (shard->many) {
        ps_free(shard->dirty.items);
        shard->dirty = (psi_tags){0};
    }
    shard->many = false;
    shard->n_dirty = shard->dirty.n = 0;
    shard->evicted = false;
}

ps_status ps_store_commit(ps_store *store, int64_t version, ps_error *err)
{
    if (store->options.dir != NULL)
        return psi_store_save(store, version, err);
    for (int i = 0; i < store->n_families * store->n_shards; i++)
        settle(&store->shards[i]);
    return PS_OK;
}
