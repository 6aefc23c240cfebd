/*
 * op/aggregate_direct.c - rows straight into the state.
 *
 * Grouping the rows of a micro-batch first saves work where many rows share a group.  Where nearly
 * each row has a group of its own it only makes every group twice: so when a worker's table has
 * outgrown the cache and has hardly made the rows fewer, the rest of its rows go to the shards of
 * the state at once.  The rows of a batch are parted by shard, and a shard is held while its rows
 * are added; workers begin at different shards, so they rarely meet.  Late rows still go into the
 * worker's table, where the end of the micro-batch counts them once per key.
 *
 * That is done where a group does not depend on the order of its rows, and not for sliding windows,
 * whose tables hold panes.
 */
#include "op/aggregate_int.h"

#define MOST_CACHED 16384 /* groups */
#define WORTH_GROUPING 4  /* rows a group */
#define MOST_SHARDS 256

struct psi_direct {
    ps_store *store; /* of this micro-batch */
    int first;       /* the shard to begin with */
    int64_t late_us; /* keys up to this time are late */
    bool may_be_late, on;
    int64_t n_rows; /* that were grouped in this micro-batch */
    int64_t ns;     /* spent here in this micro-batch */
    ps_images scratch;
    uint8_t *records;
    uint8_t **by_shard; /* records of the rows that are not late, shard by shard */
    int32_t *sel;       /* and the rows */
    int32_t *late;
    uint8_t **slots;
    int64_t room; /* rows that there is place for */
};

ps_status psi_direct_new(psi_direct **out, ps_error *err)
{
    return ps_alloc0(sizeof **out, out, err);
}

void psi_direct_free(psi_direct *direct)
{
    if (direct == NULL)
        return;
    ps_images_clear(&direct->scratch);
    ps_free(direct->records);
    ps_free(direct->by_shard);
    ps_free(direct->sel);
    ps_free(direct->late);
    ps_free(direct->slots);
    ps_free(direct);
}

bool psi_direct_fits(const psi_aggregate_plan *plan)
{
    if (plan->n_keys == 0 || plan->spec->pane_width > 0 || !ps_key_is_flat(&plan->layout.key))
        return false;
    for (int i = 0; i < plan->n_calls; i++) {
        const ps_agg_call *call = &plan->spec->calls.items[i];
        if (call->shape->ordered || call->distinct || call->filter)
            return false;
    }
    return true;
}

void psi_direct_begin(psi_direct *direct, ps_store *store, int worker, const int64_t *late_us)
{
    direct->store = ps_store_shard_bits(store) <= 8 ? store : NULL;
    direct->first = worker * 7;
    direct->may_be_late = late_us != NULL;
    direct->late_us = late_us ? *late_us : 0;
    direct->on = false;
    direct->n_rows = direct->ns = 0;
}

int64_t psi_direct_ns(const psi_direct *direct)
{
    return direct->ns;
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

static ps_status make_room(psi_direct *direct, int64_t n, size_t record_bytes, ps_error *err)
{
    if (n <= direct->room)
        return PS_OK;
    PS_TRY(ps_realloc((size_t)n * record_bytes, &direct->records, err));
    PS_TRY(ps_realloc((size_t)n * sizeof *direct->by_shard, &direct->by_shard, err));
    PS_TRY(ps_realloc((size_t)n * sizeof *direct->sel, &direct->sel, err));
    PS_TRY(ps_realloc((size_t)n * sizeof *direct->late, &direct->late, err));
    PS_TRY(ps_realloc((size_t)n * sizeof *direct->slots, &direct->slots, err));
    direct->room = n;
    return PS_OK;
}

static inline uint32_t shard_of(const uint8_t *record, int shard_bits)
{
    return (uint32_t)((uint64_t)((const ps_slot *)record)->tag >> (32 - shard_bits));
}

/* Moves the late rows aside; the tags of the others are then all of this micro-batch. */
static int64_t set_late_aside(psi_direct *direct, const ps_key *key, const ps_rows *rows,
                              size_t record_bytes)
{
    int64_t n_late = 0, time;

    for (int64_t j = 0; direct->may_be_late && j < rows->n; j++) {
        uint8_t *record = direct->records + (size_t)j * record_bytes;
        if (!ps_key_time(key, record, &time) || time > direct->late_us)
            continue;
        ((ps_slot *)record)->tag = 0;
        direct->late[n_late++] = (int32_t)ps_row(rows, j);
    }
    return n_late;
}

/* Parts the records by shard; ends[s] is where those of shard s end. */
static void part(psi_direct *direct, const ps_rows *rows, size_t record_bytes, int shard_bits,
                 int32_t *ends)
{
    int32_t n_shards = 1 << shard_bits, at = 0;
    const uint8_t *record = direct->records;

    for (int32_t s = 0; s < n_shards; s++)
        ends[s] = 0;
    for (int64_t j = 0; j < rows->n; j++, record += record_bytes)
        ends[shard_of(record, shard_bits)] += ((const ps_slot *)record)->tag != 0;
    for (int32_t s = 0; s < n_shards; s++) { /* where they begin, to be moved on to the end */
        int32_t n = ends[s];
        ends[s] = at;
        at += n;
    }
    record = direct->records;
    for (int64_t j = 0; j < rows->n; j++, record += record_bytes) {
        int32_t to;
        if (((const ps_slot *)record)->tag == 0)
            continue;
        to = ends[shard_of(record, shard_bits)]++;
        direct->by_shard[to] = (uint8_t *)record;
        direct->sel[to] = (int32_t)ps_row(rows, j);
    }
}

/* Rows start .. end of those parted, which all belong to this shard. */
static ps_status add_to_shard(psi_direct *direct, const psi_aggregate_plan *plan, ps_shard *shard,
                              ps_vec *const *outs, const int *first_arg, int64_t n_rows,
                              int32_t start, int32_t end, ps_error *err)
{
    ps_rows rows = {n_rows, direct->sel + start, end - start};
    ps_status rc;

    ps_shard_take(shard);
    rc = ps_shard_upsert(shard, NULL, direct->by_shard + start, rows.n, direct->slots, err);
    for (int i = 0; i < plan->n_calls && rc == PS_OK; i++) {
        const ps_agg_call *call = &plan->spec->calls.items[i];
        ps_agg_groups to = {direct->slots, plan->at[i], &ps_shard_table(shard)->heap};
        rc = call->fn->update(call->shape, &to, outs + first_arg[i], &rows, err);
    }
    ps_shard_drop(shard);
    return rc;
}

ps_status psi_direct_push(psi_direct *direct, const psi_aggregate_plan *plan, ps_vec *const *outs,
                          const int *first_arg, const ps_rows *rows, uint64_t seed, ps_rows *left,
                          ps_error *err)
{
    const ps_key *key = &plan->layout.key;
    size_t record_bytes = PS_SLOT_KEY + key->n_bytes;
    int shard_bits = ps_store_shard_bits(direct->store), n_shards = 1 << shard_bits;
    int32_t ends[MOST_SHARDS];
    int64_t start = ps_clock_ticks(), n_late;

    PS_TRY(make_room(direct, rows->n, record_bytes, err));
    PS_TRY(ps_key_write(key, outs, rows, seed, &direct->scratch, direct->records, err));
    n_late = set_late_aside(direct, key, rows, record_bytes);
    part(direct, rows, record_bytes, shard_bits, ends);
    for (int i = 0; i < n_shards; i++) {
        int s = (i + direct->first) & (n_shards - 1);
        int32_t from = s > 0 ? ends[s - 1] : 0;
        if (ends[s] > from)
            PS_TRY(add_to_shard(direct, plan, ps_store_shard(direct->store, 0, (uint32_t)s), outs,
                                first_arg, rows->n_rows, from, ends[s], err));
    }
    *left = (ps_rows){rows->n_rows, direct->late, n_late};
    direct->ns += ps_clock_ticks() - start;
    return PS_OK;
}
