/*
 * op/aggregate_direct.c - rows straight into the state.
 *
 * Grouping the rows of a micro-batch first saves work where many rows share a group.  Where nearly
 * each row has a group of its own it only makes every group twice, all over memory: so when a
 * worker's table has outgrown the cache and has hardly made the rows fewer, the rest of its rows
 * wait, parted by the leading bits of their hash (aggregate_parts.c), until there are many or the
 * micro-batch ends.  Then they are added part by part: the slots of one fit in a near cache.  Late
 * rows still go into the worker's table, where the end of the micro-batch counts them once per key.
 *
 * That is done where a group does not depend on the order of its rows, and not for sliding windows,
 * whose tables hold panes.
 */
#include "op/aggregate_int.h"

#define MOST_CACHED (2 * ps_batch_rows) /* groups; few where tests make batches tiny */
#define WORTH_GROUPING 4                /* rows a group */
#define PART_BITS 3                     /* 8 parts a shard; of a million groups one takes half a megabyte */
#define MOST_BITS 10                    /* of all parts */

size_t psi_most_waiting = (size_t)64 << 20;

struct psi_direct {
    const ps_aggregate_partial *owner;
    psi_parts *parts;
    ps_store *store; /* of this micro-batch */
    size_t most_bytes;
    uint32_t first;  /* the shard to begin with: workers rarely meet */
    int64_t late_us; /* keys up to this time are late */
    bool may_be_late, on;
    int64_t n_rows; /* that were grouped in this micro-batch */
    int64_t ns;     /* spent here in this micro-batch */
    ps_images images;
    int32_t *late;
    int64_t room; /* late rows that there is place for */
};

bool psi_direct_fits(const psi_aggregate_plan *plan)
{
    if (plan->n_keys == 0 || plan->spec->pane_width > 0)
        return false;
    for (int i = 0; i < plan->n_calls; i++) {
        const ps_agg_call *call = &plan->spec->calls.items[i];
        if (call->shape->ordered || call->distinct || call->filter)
            return false;
    }
    return psi_parts_fit(plan);
}

ps_status psi_direct_new(const ps_aggregate_partial *owner, psi_direct **out, ps_error *err)
{
    PS_TRY(ps_alloc0(sizeof **out, out, err));
    (*out)->owner = owner;
    return psi_parts_new(owner->plan, &(*out)->parts, err);
}

void psi_direct_free(psi_direct *direct)
{
    if (direct == NULL)
        return;
    psi_parts_free(direct->parts);
    ps_images_clear(&direct->images);
    ps_free(direct->late);
    ps_free(direct);
}

ps_status psi_direct_begin(psi_direct *direct, ps_store *store, int worker, int n_workers,
                           const int64_t *late_us, ps_error *err)
{
    direct->store = ps_store_shard_bits(store) + PART_BITS <= MOST_BITS ? store : NULL;
    direct->most_bytes = psi_most_waiting / (size_t)n_workers;
    direct->first = (uint32_t)worker * 7;
    direct->may_be_late = late_us != NULL;
    direct->late_us = late_us ? *late_us : 0;
    direct->on = false;
    direct->n_rows = direct->ns = 0;
    if (direct->store == NULL) {
        psi_parts_forget(direct->parts);
        return PS_OK;
    }
    return psi_parts_begin(direct->parts, ps_store_shard_bits(store) + PART_BITS, err);
}

void psi_direct_end(psi_direct *direct)
{
    if (direct != NULL)
        psi_parts_shrink(direct->parts);
}

int64_t psi_direct_ns(const psi_direct *direct)
{
    return direct->ns;
}

int64_t psi_direct_n_waiting(const psi_direct *direct)
{
    return direct ? psi_parts_n_rows(direct->parts) : 0;
}

bool psi_direct_is_on(psi_direct *direct, const ps_table *table)
{
    if (direct == NULL || direct->store == NULL)
        return false;
    direct->on = direct->on || (table->n >= MOST_CACHED &&
                                direct->n_rows < table->n * WORTH_GROUPING);
    return direct->on;
}

void psi_direct_count(psi_direct *direct, int64_t n_rows)
{
    if (direct != NULL)
        direct->n_rows += n_rows;
}

/* ---- out of the parts ---- */

static ps_status update(const ps_aggregate_partial *owner, ps_shard *shard, uint8_t *const *slots,
                        ps_vec *const *outs, int n, ps_error *err)
{
    ps_rows rows = {n, NULL, n};

    for (int i = 0; i < owner->plan->n_calls; i++) {
        const ps_agg_call *call = &owner->plan->spec->calls.items[i];
        ps_agg_groups to = {slots, owner->plan->at[i], &ps_shard_table(shard)->heap};
        PS_TRY(call->fn->update(call->shape, &to, outs + owner->first_arg[i], &rows, err));
    }
    return PS_OK;
}

/* The next rows of a part, and more while its stretch of the table has room; *n_keys: about how many
 * keys lie there. */
static ps_status add_rows(const psi_direct *direct, ps_shard *shard, psi_parts_reader *in,
                          psi_parts_place *place, int64_t *n_keys, bool *more, ps_error *err)
{
    const ps_table *table = ps_shard_table(shard);
    uint8_t *slots[PS_CHUNK];
    const uint8_t *records;
    size_t stride;

    do {
        int64_t before = table->n;
        int n = psi_parts_next(in, place, &records, &stride);
        if (n == 0)
            return PS_OK;
        PS_TRY(ps_shard_upsert_records(shard, records, stride, n, slots, err));
        PS_TRY(update(direct->owner, shard, slots, in->outs, n, err));
        *n_keys += table->n - before;
        *more = true;
    } while (*n_keys < table->limit >> PART_BITS);
    return PS_OK;
}

/* A part's keys lie in one stretch of the table, which one part after the other would overfill while
 * the table is small: so the parts take turns, longer ones the more room there is. */
static ps_status add_parts(const psi_direct *direct, ps_shard *shard, psi_parts_reader *in,
                           uint32_t number, ps_error *err)
{
    psi_parts_place places[1 << PART_BITS];
    int64_t n_keys[1 << PART_BITS];
    bool more = true;

    for (uint32_t p = 0; p < 1 << PART_BITS; p++) {
        places[p] = psi_parts_start(direct->parts, (number << PART_BITS) + p);
        n_keys[p] = ps_shard_table(shard)->n >> PART_BITS;
    }
    while (more) {
        more = false;
        for (int p = 0; p < 1 << PART_BITS; p++)
            PS_TRY(add_rows(direct, shard, in, &places[p], &n_keys[p], &more, err));
    }
    return ps_table_account(ps_shard_table(shard), err);
}

/* Keys are spread evenly: a shard becomes as large as the largest one, at once. */
ps_status psi_direct_drain(const psi_direct *direct, uint32_t number, psi_shard_size *largest,
                           ps_error *err)
{
    ps_shard *shard = ps_store_shard(direct->store, 0, number);
    psi_parts_reader in;
    int64_t n_keys;
    ps_status rc;

    PS_TRY_OR(done, psi_parts_open(direct->parts, &in, err));
    ps_shard_take(shard);
    rc = ps_shard_reserve(shard, atomic_load(largest), err);
    if (rc == PS_OK)
        rc = add_parts(direct, shard, &in, number, err);
    n_keys = ps_shard_table(shard)->n;
    ps_shard_drop(shard);
    if (n_keys > atomic_load(largest))
        atomic_store(largest, n_keys); /* may be lost to another thread */
done:
    psi_parts_close(&in);
    return rc;
}

static ps_status drain_all(psi_direct *direct, ps_error *err)
{
    uint32_t n_shards = 1u << ps_store_shard_bits(direct->store);
    psi_shard_size largest = 0;

    for (uint32_t i = 0; i < n_shards; i++)
        PS_TRY(psi_direct_drain(direct, (i + direct->first) & (n_shards - 1), &largest, err));
    psi_parts_forget(direct->parts);
    return PS_OK;
}

/* ---- into the parts ---- */

static ps_status make_room(psi_direct *direct, int64_t n, ps_error *err)
{
    if (n <= direct->room)
        return PS_OK;
    PS_TRY(ps_realloc((size_t)n * sizeof *direct->late, &direct->late, err));
    direct->room = n;
    return PS_OK;
}

static bool is_late(const psi_direct *direct, const ps_key *key, int k)
{
    const ps_images *images = &direct->images;
    int64_t time;

    return ps_key_image_time(key, (uint16_t)(images->heads[k] >> 48),
                             images->data + (size_t)k * images->stride, &time) &&
           time <= direct->late_us;
}

/* Live rows from `start` on; late ones are set aside. */
static ps_status push_chunk(psi_direct *direct, const ps_rows *rows, int64_t start, int n,
                            int64_t *n_late, ps_error *err)
{
    const ps_aggregate_partial *owner = direct->owner;
    const ps_key *key = &owner->plan->layout.key;
    int16_t which[PS_CHUNK];
    int32_t at[PS_CHUNK];
    int n_kept = 0;

    PS_TRY(ps_key_encode(key, owner->outs, rows, start, n, owner->seed, &direct->images, err));
    for (int k = 0; k < n; k++) {
        int32_t row = (int32_t)ps_row(rows, start + k);
        which[n_kept] = (int16_t)k;
        at[n_kept] = row;
        if (direct->may_be_late && is_late(direct, key, k))
            direct->late[(*n_late)++] = row;
        else
            n_kept++;
    }
    return psi_parts_add(direct->parts, key, &direct->images, owner->outs, which, at, n_kept, err);
}

ps_status psi_direct_push(psi_direct *direct, const ps_rows *rows, ps_rows *left, ps_error *err)
{
    int64_t from = ps_clock_ticks(), n_late = 0;

    PS_TRY(make_room(direct, rows->n, err));
    for (int64_t start = 0; start < rows->n; start += PS_CHUNK) {
        int n = rows->n - start < PS_CHUNK ? (int)(rows->n - start) : PS_CHUNK;
        PS_TRY(push_chunk(direct, rows, start, n, &n_late, err));
    }
    if (psi_parts_n_bytes(direct->parts) > direct->most_bytes)
        PS_TRY(drain_all(direct, err));
    *left = (ps_rows){rows->n_rows, direct->late, n_late};
    direct->ns += ps_clock_ticks() - from;
    return PS_OK;
}
