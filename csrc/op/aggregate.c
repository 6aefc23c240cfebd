/*
 * op/aggregate.c - GROUP BY, bounded and streaming.
 *
 * A micro-batch of a stream (stateful.md 3.1):
 * 1. rows go into a partial table per worker (aggregate_partial.c), or wait for the state
 *    (aggregate_direct.c)
 * 2. the partial tables are met shard by shard; groups that are late are dropped and counted, one
 *    per key
 * 3. what waited and what is left is merged into the state
 * 4. groups are emitted as the output mode says
 * 5. groups that the watermark has passed leave the state
 *
 * A bounded aggregation ends after the merge of the partial tables: their groups are the result.
 */
#include "op/aggregate_int.h"
#include "base/hash.h"
#include <stdio.h>

#define SHARD_BITS 4
#define WORTH_WORKERS 10000 /* groups */

typedef struct aggregate_op {
    ps_op op;
    psi_aggregate_plan plan;
    ps_aggregate_partial **partials;
    int n_partials;
    ps_family family;
    bool streams; /* keeps state, in a store; else it is bounded and store is NULL */
    ps_store *store;
    char *dir; /* of the store, or NULL: in memory */
    uint64_t seed;
    int64_t *dropped; /* per shard: groups that were late in this micro-batch */
    int64_t *updated;
    psi_shard_size largest; /* of the shards that took rows which waited */
    ps_state_metrics metrics;
} aggregate_op;

static int64_t until_us(int64_t ms)
{
    return ms > INT64_MAX / 1000 ? INT64_MAX : ms < INT64_MIN / 1000 ? INT64_MIN : ms * 1000;
}

/* ---- workers ---- */

bool ps_aggregate_allows_partials(const ps_op *op)
{
    const psi_aggregate_spec *spec = op->node->spec;

    for (int i = 0; i < spec->calls.n; i++)
        if (spec->calls.items[i].shape->ordered || spec->calls.items[i].distinct)
            return false;
    return true;
}

/* The micro-batch begins for a worker. */
static ps_status begin_partial(aggregate_op *self, int worker, ps_error *err)
{
    ps_aggregate_partial *partial = self->partials[worker];
    bool may_be_late = self->plan.layout.key.time_leaf >= 0 && self->op.run->mode != PS_COMPLETE;
    int64_t late_us = until_us(self->op.late_ms);

    if (partial->direct == NULL || self->store == NULL)
        return PS_OK;
    return psi_direct_begin(partial->direct, self->store, worker, self->op.run->n_workers,
                            may_be_late ? &late_us : NULL, err);
}

static ps_status make_partial(aggregate_op *self, int worker, ps_error *err)
{
    PS_TRY(psi_partial_new(&self->plan, self->op.node, self->op.run, self->seed,
                           &self->partials[worker], err));
    if (self->streams && psi_direct_fits(&self->plan))
        PS_TRY(psi_direct_new(self->partials[worker], &self->partials[worker]->direct, err));
    return begin_partial(self, worker, err);
}

ps_status ps_aggregate_partial_get(ps_op *op, int worker, ps_aggregate_partial **out, ps_error *err)
{
    aggregate_op *self = (aggregate_op *)op;

    *out = NULL;
    if (worker >= self->n_partials) {
        PS_TRY(ps_realloc((size_t)(worker + 1) * sizeof *self->partials, &self->partials, err));
        while (self->n_partials <= worker)
            self->partials[self->n_partials++] = NULL;
    }
    if (self->partials[worker] == NULL)
        PS_TRY(make_partial(self, worker, err));
    *out = self->partials[worker];
    return PS_OK;
}

static ps_status aggregate_push(ps_op *op, int port, ps_batch *batch, ps_error *err)
{
    PS_UNUSED(port);
    return ps_aggregate_partial_push(((aggregate_op *)op)->partials[0], batch, err);
}

/* ---- merging ---- */

ps_status psi_aggregate_merge(const psi_aggregate_plan *plan, ps_table *to, uint8_t **to_slots,
                              const ps_table *from, uint8_t **from_slots, int64_t n, ps_error *err)
{
    for (int i = 0; i < plan->n_calls; i++) {
        const ps_agg_call *call = &plan->spec->calls.items[i];
        ps_agg_groups a = {to_slots, plan->at[i], &to->heap};
        ps_agg_groups b = {from_slots, plan->at[i], (ps_heap *)&from->heap};
        PS_TRY(call->fn->merge(call->shape, &a, &b, n, err));
    }
    return PS_OK;
}

/* The groups of one shard of `from` into `to`. */
static ps_status merge_shard(const psi_aggregate_plan *plan, ps_table *to, const ps_table *from,
                             int shard_bits, uint32_t shard, ps_error *err)
{
    uint8_t *from_slots[PS_CHUNK], *to_slots[PS_CHUNK];
    uint64_t position = 0;
    int64_t n;

    PS_TRY(ps_table_reserve(to, from->n >> shard_bits,
                            err)); /* keys come in the order of their tags */
    while ((n = ps_table_next_of_shard(from, shard_bits, shard, &position, from_slots, PS_CHUNK)) >
           0) {
        PS_TRY(ps_table_upsert_slots(to, from, from_slots, n, to_slots, err));
        PS_TRY(psi_aggregate_merge(plan, to, to_slots, from, from_slots, n, err));
    }
    return PS_OK;
}

/* Leaves in slots[] the groups that are not late; the others go into `late`, where each key is
 * once. */
static ps_status drop_late(const aggregate_op *self, const ps_table *from, uint8_t **slots,
                           int64_t *n, ps_table *late, ps_error *err)
{
    int64_t until = until_us(self->op.late_ms), kept = 0, n_late = 0, time;
    uint8_t *dropped[PS_CHUNK], *places[PS_CHUNK];

    for (int64_t j = 0; j < *n; j++) {
        if (!ps_key_time(&self->plan.layout.key, slots[j], &time) || time > until)
            slots[kept++] = slots[j];
        else
            dropped[n_late++] = slots[j];
    }
    *n = kept;
    return n_late > 0 ? ps_table_upsert_slots(late, from, dropped, n_late, places, err) : PS_OK;
}

/* All slots of a shard that are not late; owned by the caller, also when it fails. */
static ps_status gather(aggregate_op *self, const ps_table *from, uint32_t shard, ps_table *late,
                        uint8_t ***slots, int64_t *n, ps_error *err)
{
    int bits = ps_store_shard_bits(self->store);
    bool may_be_late = self->plan.layout.key.time_leaf >= 0 && self->op.run->mode != PS_COMPLETE;
    int64_t capacity = 0, got;
    uint64_t position = 0;

    *n = 0;
    do {
        if (*n + PS_CHUNK > capacity) {
            capacity += capacity / 2 + (from->n >> bits) + PS_CHUNK;
            PS_TRY(ps_realloc((size_t)capacity * sizeof **slots, slots, err));
        }
        got = ps_table_next_of_shard(from, bits, shard, &position, *slots + *n, PS_CHUNK);
        if (got > 0) {
            int64_t kept = got;
            if (may_be_late)
                PS_TRY(drop_late(self, from, *slots + *n, &kept, late, err));
            *n += kept;
        }
    } while (got > 0);
    return PS_OK;
}

static ps_status merge_into_state(aggregate_op *self, const ps_table *from, uint32_t shard,
                                  ps_table *late, ps_error *err)
{
    ps_shard *to = ps_store_shard(self->store, 0, shard);
    uint8_t **from_slots = NULL, **to_slots = NULL;
    int64_t n;
    ps_status rc;

    PS_TRY_OR(done, gather(self, from, shard, late, &from_slots, &n, err));
    PS_TRY_OR(done, ps_alloc((size_t)n * sizeof *to_slots, &to_slots, err));
    PS_TRY_OR(done, ps_shard_upsert(to, from, from_slots, n, to_slots, err));
    for (int64_t i = 0; i < n; i += PS_CHUNK) {
        int64_t m = n - i < PS_CHUNK ? n - i : PS_CHUNK;
        PS_TRY_OR(done, psi_aggregate_merge(&self->plan, ps_shard_table(to), to_slots + i, from,
                                            from_slots + i, m, err));
    }
    rc = ps_table_account(ps_shard_table(to), err);
done:
    ps_free(from_slots);
    ps_free(to_slots);
    return rc;
}

/* One task of the pool: steps 2 and 3 for one shard, and the rows that waited for it.  A key of
 * several workers counts once. */
static ps_status update_shard(void *arg, int shard, ps_error *err)
{
    aggregate_op *self = arg;
    ps_table late;
    ps_status rc = PS_OK;

    ps_table_init(&late, &self->plan.layout, 0, NULL);
    for (int w = 0; w < self->n_partials && rc == PS_OK; w++) {
        const ps_aggregate_partial *partial = self->partials[w];
        if (partial == NULL)
            continue;
        if (psi_direct_n_waiting(partial->direct) > 0)
            rc = psi_direct_drain(partial->direct, (uint32_t)shard, &self->largest, err);
        if (rc == PS_OK)
            rc = merge_into_state(self, &partial->table, (uint32_t)shard, &late, err);
    }
    self->dropped[shard] = late.n;
    self->updated[shard] = ps_shard_n_dirty(ps_store_shard(self->store, 0, (uint32_t)shard));
    ps_table_clear(&late);
    return rc;
}

/* ---- output ---- */

static ps_status emit_batch(ps_op *op, const psi_aggregate_plan *plan, const ps_table *table,
                            uint8_t **slots, int64_t n, ps_error *err)
{
    ps_batch *batch = NULL;
    ps_status rc;

    PS_TRY(ps_batch_new(plan->n_keys + plan->n_calls, n, &batch, err));
    for (int i = 0; i < plan->n_keys; i++)
        PS_TRY_OR(done, ps_key_decode(&plan->layout.key, i, slots, n, &table->heap, &batch->cols[i],
                                      err));
    for (int i = 0; i < plan->n_calls; i++) {
        const ps_agg_call *call = &plan->spec->calls.items[i];
        ps_agg_groups from = {slots, plan->at[i], (ps_heap *)&table->heap};
        PS_TRY_OR(done, call->fn->finish(call->shape, &from, n, call->type,
                                         &batch->cols[plan->n_keys + i], err));
    }
    rc = ps_op_emit(op, batch, err);
done:
    ps_batch_unref(batch);
    return rc;
}

ps_status psi_aggregate_emit(ps_op *op, const psi_aggregate_plan *plan, const ps_table *table,
                             uint8_t **slots, int64_t n, ps_error *err)
{
    for (int64_t start = 0; start < n && !ps_op_is_done(op); start += ps_batch_rows) {
        int64_t left = n - start;
        PS_TRY(emit_batch(op, plan, table, slots + start,
                          left < ps_batch_rows ? left : ps_batch_rows, err));
    }
    return PS_OK;
}

static ps_status emit_table(aggregate_op *self, const ps_table *table, ps_error *err)
{
    uint8_t **slots;
    uint64_t position = 0;
    int64_t n;
    ps_status rc = PS_OK;

    PS_TRY(ps_alloc((size_t)ps_batch_rows * sizeof *slots, &slots, err));
    while (rc == PS_OK && (n = ps_table_next(table, &position, slots, ps_batch_rows)) > 0)
        rc = psi_aggregate_emit(&self->op, &self->plan, table, slots, n, err);
    ps_free(slots);
    return rc;
}

static ps_status emit_dirty(aggregate_op *self, ps_shard *shard, uint8_t **slots, ps_error *err)
{
    uint64_t position = 0;
    int64_t n;

    while ((n = ps_shard_next_dirty(shard, &position, slots, ps_batch_rows)) > 0)
        PS_TRY(psi_aggregate_emit(&self->op, &self->plan, ps_shard_table(shard), slots, n, err));
    return PS_OK;
}

/* Step 5, with the output of append mode. */
static ps_status expire(aggregate_op *self, ps_shard *shard, uint8_t **slots, ps_error *err)
{
    int64_t until = until_us(self->op.evict_ms), n, n_removed;
    uint64_t position = 0;

    while ((n = ps_shard_next_expired(shard, until, &position, slots, ps_batch_rows)) > 0)
        if (self->op.run->mode == PS_APPEND)
            PS_TRY(
                psi_aggregate_emit(&self->op, &self->plan, ps_shard_table(shard), slots, n, err));
    PS_TRY(ps_shard_evict(shard, until, &n_removed, err));
    self->metrics.n_rows_removed += n_removed;
    return PS_OK;
}

static ps_status emit_state(aggregate_op *self, ps_error *err)
{
    int n_shards = 1 << ps_store_shard_bits(self->store);
    ps_mode mode = self->op.run->mode;
    uint8_t **slots;
    ps_status rc = PS_OK;

    PS_TRY(ps_alloc((size_t)ps_batch_rows * sizeof *slots, &slots, err));
    for (int s = 0; s < n_shards && rc == PS_OK; s++) {
        ps_shard *shard = ps_store_shard(self->store, 0, (uint32_t)s);
        if (mode == PS_COMPLETE)
            rc = emit_table(self, ps_shard_table(shard), err);
        else if (mode == PS_UPDATE)
            rc = emit_dirty(self, shard, slots, err);
        if (rc == PS_OK && mode != PS_COMPLETE && self->family.by_time)
            rc = expire(self, shard, slots, err);
    }
    ps_free(slots);
    return rc;
}

/* ---- the end of a micro-batch ---- */

typedef struct bounded {
    aggregate_op *self;
    ps_table *shards;
} bounded;

static ps_status unite_shard(void *arg, int shard, ps_error *err)
{
    bounded *b = arg;

    for (int w = 0; w < b->self->n_partials; w++)
        if (b->self->partials[w] != NULL)
            PS_TRY(merge_shard(&b->self->plan, &b->shards[shard], &b->self->partials[w]->table,
                               SHARD_BITS, (uint32_t)shard, err));
    return PS_OK;
}

/* What several workers have grouped, shard by shard. */
static ps_status emit_united(aggregate_op *self, int64_t n_groups, ps_error *err)
{
    ps_table shards[1 << SHARD_BITS];
    bounded b = {self, shards};
    ps_status rc;

    for (int s = 0; s < 1 << SHARD_BITS; s++)
        ps_table_init(&shards[s], &self->plan.layout, SHARD_BITS, NULL);
    rc = ps_pool_run(n_groups < WORTH_WORKERS ? 1 : self->op.run->n_workers, 1 << SHARD_BITS,
                     unite_shard, &b, err);
    for (int s = 0; s < 1 << SHARD_BITS; s++) {
        if (rc == PS_OK)
            rc = emit_table(self, &shards[s], err);
        ps_table_clear(&shards[s]);
    }
    return rc;
}

static int64_t count_groups(const aggregate_op *self, int *n_filled)
{
    int64_t n = 0;

    *n_filled = 0;
    for (int w = 0; w < self->n_partials; w++) {
        int64_t more = self->partials[w] ? self->partials[w]->table.n : 0;
        n += more;
        *n_filled += more > 0;
    }
    return n;
}

static ps_status finish_bounded(aggregate_op *self, ps_error *err)
{
    int n_filled;
    int64_t n_groups = count_groups(self, &n_filled);

    if (n_filled > 1)
        return emit_united(self, n_groups, err);
    for (int w = 0; w < self->n_partials; w++)
        if (self->partials[w] != NULL)
            PS_TRY(emit_table(self, &self->partials[w]->table, err));
    return PS_OK;
}

static ps_status finish_stream(aggregate_op *self, ps_error *err)
{
    int n_shards = 1 << ps_store_shard_bits(self->store);
    int n_filled;
    int64_t start = ps_clock_ticks(), merged, n_groups = count_groups(self, &n_filled);

    atomic_store(&self->largest, 0);
    for (int w = 0; w < self->n_partials; w++)
        if (self->partials[w] != NULL)
            n_groups += psi_direct_n_waiting(self->partials[w]->direct);
    PS_TRY(ps_pool_run(n_groups < WORTH_WORKERS ? 1 : self->op.run->n_workers, n_shards,
                       update_shard, self, err));
    for (int s = 0; s < n_shards; s++) {
        self->metrics.n_rows_dropped += self->dropped[s];
        self->metrics.n_rows_updated += self->updated[s];
    }
    merged = ps_clock_ticks();
    self->metrics.update_ns = merged - start;
    for (int w = 0; w < self->n_partials; w++)
        if (self->partials[w] != NULL && self->partials[w]->direct != NULL)
            self->metrics.update_ns += psi_direct_ns(self->partials[w]->direct);
    PS_TRY(emit_state(self, err));
    self->metrics.removal_ns = ps_clock_ticks() - merged;
    return PS_OK;
}

static ps_status expand_partial(void *arg, int worker, ps_error *err)
{
    ps_aggregate_partial *partial = ((aggregate_op *)arg)->partials[worker];

    return partial ? psi_panes_expand(partial, err) : PS_OK;
}

static ps_status aggregate_finish(ps_op *op, int port, ps_error *err)
{
    aggregate_op *self = (aggregate_op *)op;
    int n_filled;

    PS_UNUSED(port);
    PS_TRY(psi_partial_ensure(self->partials[0], err));
    if (self->plan.spec->pane_width > 0)
        PS_TRY(ps_pool_run(count_groups(self, &n_filled) < WORTH_WORKERS ? 1 : op->run->n_workers,
                           self->n_partials, expand_partial, self, err));
    PS_TRY(self->store ? finish_stream(self, err) : finish_bounded(self, err));
    for (int w = 0; w < self->n_partials; w++)
        if (self->partials[w] != NULL)
            PS_TRY(psi_partial_reset(self->partials[w], err));
    return PS_OK;
}

/* Append mode can only ever emit what a watermark closes. */
static ps_status check_watermark(const ps_op *op, ps_error *err)
{
    ps_bytes names = {0};
    int n = 0;
    ps_status rc = PS_OK;

    for (int i = 0; i < ((const psi_aggregate_spec *)op->node->spec)->grouping.n; i++) {
        const ps_attr *attr = &op->node->out.items[i];
        bool again = false;
        for (int k = 0; k < i; k++)
            again = again || op->node->out.items[k].id == attr->id;
        if (attr->watermark_ms < 0 || again)
            continue;
        rc = ps_bytes_printf(&names, err, "%s%s#%lld", n++ ? ", " : "", attr->name,
                             (long long)attr->id);
        if (rc != PS_OK)
            break;
    }
    if (rc == PS_OK && n > 1)
        rc = ps_raise(err, PS_E_MULTIPLE_EVENT_TIME, names.data);
    if (rc == PS_OK && n == 0 && op->run->mode == PS_APPEND)
        rc = ps_raise(err, PS_E_STREAM_WITHOUT_WATERMARK, "Append", "aggregations");
    ps_bytes_clear(&names);
    return rc;
}

/* The store is made when the operator knows its id: operators of a query hash with different seeds,
 * or the groups of one would come to the next in the order of its own table. */
static ps_status open_store(aggregate_op *self, ps_error *err)
{
    const ps_run *run = self->op.run;
    ps_store_options options = {.fs = run->fs,
                                .dir = self->dir,
                                .owner = "stateStoreSave",
                                .shard_bits = SHARD_BITS,
                                .sync = run->sync,
                                .memory_limit = run->memory_limit,
                                .n_workers = run->n_workers};

    self->seed = options.seed = self->op.state_id > 0 ? (uint64_t)self->op.state_id : 0;
    for (int w = 0; w < self->n_partials; w++)
        if (self->partials[w] != NULL)
            self->partials[w]->seed = self->seed;
    options.retain = ps_conf_int(run->conf, "spark.sql.streaming.minBatchesToRetain");
    options.min_deltas =
        ps_conf_int(run->conf, "spark.sql.streaming.stateStore.minDeltasForSnapshot");
    return ps_store_open(&options, &self->family, 1, &self->store, err);
}

static ps_status aggregate_restore(ps_op *op, int64_t version, ps_error *err)
{
    aggregate_op *self = (aggregate_op *)op;
    char number[32];
    size_t n_shards;

    if (!self->streams)
        return PS_OK;
    ps_store_close(self->store);
    self->store = NULL;
    ps_free(self->dir);
    self->dir = NULL;
    if (op->run->state_dir != NULL) {
        snprintf(number, sizeof number, "%d/pystream", op->state_id);
        PS_TRY(ps_path_join(op->run->state_dir, number, &self->dir, err));
    }
    PS_TRY(open_store(self, err));
    PS_TRY(ps_store_restore(self->store, version, err));
    /* The files may have another number of shards than new ones would. */
    n_shards = (size_t)1 << ps_store_shard_bits(self->store);
    PS_TRY(ps_realloc(n_shards * sizeof *self->dropped, &self->dropped, err));
    return ps_realloc(n_shards * sizeof *self->updated, &self->updated, err);
}

static ps_status aggregate_begin(ps_op *op, ps_error *err)
{
    aggregate_op *self = (aggregate_op *)op;

    if (self->streams && self->store == NULL)
        PS_TRY(aggregate_restore(op, 0, err));
    for (int w = 0; w < self->n_partials; w++) /* a batch that failed may have left rows */
        if (self->partials[w] != NULL && self->partials[w]->table.n > 0)
            PS_TRY(psi_partial_reset(self->partials[w], err));
    for (int w = 0; w < self->n_partials; w++)
        if (self->partials[w] != NULL)
            PS_TRY(begin_partial(self, w, err));
    memset(&self->metrics, 0, sizeof self->metrics);
    return self->store ? check_watermark(op, err) : PS_OK;
}

static ps_status aggregate_commit(ps_op *op, int64_t version, ps_error *err)
{
    aggregate_op *self = (aggregate_op *)op;
    int64_t start = ps_clock_ticks();

    if (self->store)
        PS_TRY(ps_store_commit(self->store, version, err));
    self->metrics.commit_ns = ps_clock_ticks() - start;
    return PS_OK;
}

static void aggregate_metrics(ps_op *op, ps_state_metrics *out)
{
    aggregate_op *self = (aggregate_op *)op;

    *out = self->metrics;
    if (self->store == NULL)
        return;
    out->n_rows_total = ps_store_n_keys(self->store);
    out->memory_bytes = (int64_t)ps_store_n_bytes(self->store);
    out->n_instances = self->plan.n_keys == 0 ? 1 : 1 << ps_store_shard_bits(self->store);
}

static bool aggregate_wants_no_data(ps_op *op, int64_t evict_ms)
{
    return ((aggregate_op *)op)->store && op->run->mode != PS_COMPLETE && evict_ms > op->evict_ms;
}

static void aggregate_close(ps_op *op)
{
    aggregate_op *self = (aggregate_op *)op;

    for (int w = 0; w < self->n_partials; w++)
        psi_partial_free(self->partials[w]);
    ps_free(self->partials);
    ps_store_close(self->store);
    ps_free(self->dir);
    ps_free(self->dropped);
    ps_free(self->updated);
    psi_aggregate_plan_clear(&self->plan);
    ps_free(self);
}

PSI_OP_OPEN(psi_aggregate_open)
{
    static const ps_op_vt vt = {.begin = aggregate_begin,
                                .push = aggregate_push,
                                .finish = aggregate_finish,
                                .restore = aggregate_restore,
                                .commit = aggregate_commit,
                                .metrics = aggregate_metrics,
                                .wants_no_data = aggregate_wants_no_data,
                                .close = aggregate_close};
    aggregate_op *self = NULL;
    ps_aggregate_partial *first;
    ps_status rc;

    *out = NULL;
    PS_TRY(psi_op_new(sizeof *self, &vt, node, run, &self, err));
    self->streams = node->streaming && run->streaming;
    self->seed = ps_hash_seed() + (uint64_t)node->id;
    PS_TRY_OR(fail, psi_aggregate_plan_init(&self->plan, node, err));
    PS_TRY_OR(fail, ps_aggregate_partial_get(&self->op, 0, &first, err));
    self->family = (ps_family){"groups", &self->plan.layout,
                               self->plan.layout.key.time_leaf >= 0 && run->mode != PS_COMPLETE,
                               self->plan.schema};
    *out = &self->op;
    return PS_OK;
fail:
    aggregate_close(&self->op);
    return rc;
}
