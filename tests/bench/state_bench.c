/*
 * tests/bench/state_bench.c - how fast grouping and state are, apart from everything else.
 *
 *   make -f csrc/build.mk OUT=/tmp/bench DIRS="base col state"
 *   gcc -O2 -Icsrc tests/bench/state_bench.c /tmp/bench/libps.a -llz4 -lpthread -lm -o /tmp/bench/state_bench
 *   /tmp/bench/state_bench [directory]
 *
 * Tab-separated: what, million per second.  "loop" is the same work written by hand in one loop.
 */
#include "base/clock.h"
#include "base/hash.h"
#include "state/store.h"
#include <stdio.h>
#include <stdlib.h>

#define ROWS 8192
static ps_error err;

static void must(ps_status rc)
{
    if (rc != PS_OK) {
        fprintf(stderr, "%s\n", err.message);
        exit(1);
    }
}

static uint64_t random_state = 88172645463325252ull;
static uint64_t random_u64(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    return random_state ^= random_state << 17;
}

static double seconds(int64_t since) { return (double)(ps_clock_ticks() - since) * 1e-9; }

/* count and sum of a group */
typedef struct buffer { int64_t count, sum, seen; } buffer;

typedef struct bench {
    ps_layout layout;
    ps_table table;
    uint8_t *slots[ROWS];
} bench;

static void bench_init(bench *b)
{
    const ps_type *type = ps_type_of(PS_INT64);
    buffer zero = {0};

    must(ps_layout_init(&b->layout, &(ps_key_spec){&type, 1, -1, -1, 0}, sizeof zero, (uint8_t *)&zero, NULL, 0, &err));
    ps_table_init(&b->table, &b->layout, 0, NULL);
}

static ps_vec *int_vec(int64_t n)
{
    ps_vec *vec;

    must(ps_vec_new(ps_type_of(PS_INT64), n, false, &vec, &err));
    return vec;
}

/* Rows into a table: upsert, count, sum, as the operator does it. */
static void add_rows(bench *b, ps_vec *keys, const int64_t *values, int64_t n)
{
    ps_rows rows = {n, NULL, n};
    size_t at = b->layout.value_at;

    must(ps_table_upsert(&b->table, &keys, &rows, 0, b->slots, &err));
    for (int64_t j = 0; j < n; j++)
        ((buffer *)(b->slots[j] + at))->count++;
    for (int64_t j = 0; j < n; j++) {
        buffer *group = (buffer *)(b->slots[j] + at);
        group->sum += values[j];
        group->seen = 1;
    }
}

/* ---- grouping ---- */

typedef struct loop_slot { int64_t key, count, sum; } loop_slot;

static double loop(const int64_t *keys, const int64_t *values, int64_t n, int rounds, uint64_t capacity)
{
    loop_slot *slots = calloc(capacity, sizeof *slots);
    double best = 1e9;

    for (int r = 0; r < rounds; r++) {
        int64_t start = ps_clock_ticks();
        for (int64_t j = 0; j < n; j++) {
            uint64_t at = ps_mum((uint64_t)keys[j] ^ 0x9e3779b97f4a7c15ull, 0xe7037ed1a0b428dbull) & (capacity - 1);
            while (slots[at].count != 0 && slots[at].key != keys[j])
                at = (at + 1) & (capacity - 1);
            slots[at].key = keys[j];
            slots[at].count++;
            slots[at].sum += values[j];
        }
        if (seconds(start) < best)
            best = seconds(start);
    }
    free(slots);
    return best;
}

static void grouping(int64_t n_keys)
{
    enum { BATCHES = 512, ROUNDS = 5 };
    int64_t n = (int64_t)BATCHES * ROWS, *values = malloc((size_t)n * 8);
    ps_vec *all = int_vec(n), *keys;
    double best = 1e9;
    bench *b = calloc(1, sizeof *b);

    for (int64_t i = 0; i < n; i++) {
        ((int64_t *)all->data)[i] = (int64_t)(random_u64() % (uint64_t)n_keys);
        values[i] = i & 1023;
    }
    bench_init(b);
    for (int r = 0; r < ROUNDS; r++) {
        int64_t start = ps_clock_ticks();
        for (int i = 0; i < BATCHES; i++) {
            must(ps_vec_slice(all, (int64_t)i * ROWS, ROWS, &keys, &err));
            add_rows(b, keys, values + (int64_t)i * ROWS, ROWS);
            ps_vec_unref(keys);
        }
        if (seconds(start) < best)
            best = seconds(start);
    }
    uint64_t capacity = 64;
    while (capacity < (uint64_t)n_keys * 2)
        capacity *= 2;
    double by_hand = loop(all->data, values, n, ROUNDS, capacity);
    printf("group %lld keys\t%.1f\tloop\t%.1f\tratio\t%.2f\n", (long long)n_keys, (double)n / best * 1e-6, (double)n / by_hand * 1e-6, by_hand / best);
    ps_table_clear(&b->table);
    ps_layout_clear(&b->layout);
    ps_vec_unref(all);
    free(values);
    free(b);
}

/* ---- state ---- */

typedef struct times { double partial, merge, commit; } times;

/* One batch: n rows with these keys into a partial table, from there into the shards, then committed. */
static void batch(bench *b, ps_store *store, ps_vec *keys, const int64_t *values, int64_t n, int64_t version, times *out)
{
    static uint8_t *from[100000], *to[100000];
    size_t at = b->layout.value_at;
    int64_t start = ps_clock_ticks(), m;

    must(ps_table_reset(&b->table, &err));
    for (int64_t i = 0; i < n; i += ROWS) {
        ps_vec *some;
        int64_t k = n - i < ROWS ? n - i : ROWS;
        must(ps_vec_slice(keys, i, k, &some, &err));
        add_rows(b, some, values + i, k);
        ps_vec_unref(some);
    }
    out->partial += seconds(start);
    start = ps_clock_ticks();
    for (uint32_t s = 0; s < 1u << ps_store_shard_bits(store); s++) {
        uint64_t position = 0;
        m = ps_table_next_of_shard(&b->table, ps_store_shard_bits(store), s, &position, from, 100000);
        must(ps_shard_upsert(ps_store_shard(store, 0, s), &b->table, from, m, to, &err));
        for (int64_t j = 0; j < m; j++) {
            buffer *x = (buffer *)(to[j] + at), *y = (buffer *)(from[j] + at);
            x->count += y->count;
            x->sum += y->sum;
            x->seen |= y->seen;
        }
    }
    out->merge += seconds(start);
    start = ps_clock_ticks();
    must(ps_store_commit(store, version, &err));
    out->commit += seconds(start);
}

static void state(const char *dir)
{
    enum { KEYS = 1300000, CHANGES = 100000, BATCHES = 40 };
    bench *b = calloc(1, sizeof *b);
    int64_t *values = calloc(CHANGES, sizeof *values), version = 0;
    ps_vec *keys = int_vec(CHANGES);
    ps_family family;
    ps_store_options options = {.fs = ps_fs_local(), .dir = dir, .owner = "bench", .shard_bits = 4, .sync = true, .retain = 5, .min_deltas = 10, .n_workers = 1};
    ps_store *store;
    times t = {0};

    bench_init(b);
    family = (ps_family){"groups", &b->layout, false, "bench"};
    must(ps_store_open(&options, &family, 1, &store, &err));
    must(ps_store_restore(store, 0, &err));
    for (int64_t from = 0; from < KEYS; from += CHANGES) {
        for (int64_t i = 0; i < CHANGES; i++)
            ((int64_t *)keys->data)[i] = from + i;
        batch(b, store, keys, values, CHANGES, ++version, &t);
        if (from + CHANGES == 700000 || from + CHANGES == 1000000 || from + CHANGES == 1300000)
            printf("bytes per key at %lld\t%.1f\n", (long long)ps_store_n_keys(store), (double)ps_store_n_bytes(store) / (double)ps_store_n_keys(store));
    }
    printf("insert, durable\t%.1f\n", KEYS / (t.partial + t.merge + t.commit) * 1e-6);
    for (int workers = 1; workers <= 2; workers++) {
        memset(&t, 0, sizeof t);
        for (int r = 0; r < BATCHES; r++) {
            for (int64_t i = 0; i < CHANGES; i++) {
                ((int64_t *)keys->data)[i] = (int64_t)(random_u64() % 1000000);
                values[i] = i;
            }
            batch(b, store, keys, values, CHANGES, ++version, &t);
        }
        double n = (double)CHANGES * BATCHES * 1e-6;
        printf("update, %d workers\tall\t%.1f\tpartial\t%.1f\tmerge\t%.1f\tcommit\t%.1f\n", workers, n / (t.partial + t.merge + t.commit), n / t.partial, n / t.merge, n / t.commit);
        ps_store_close(store);
        options.n_workers = 2;
        must(ps_store_open(&options, &family, 1, &store, &err));
        int64_t start = ps_clock_ticks();
        must(ps_store_restore(store, version, &err));
        printf("restore of %lld keys\t%.3f s\n", (long long)ps_store_n_keys(store), seconds(start));
    }
    ps_store_close(store);
    ps_table_clear(&b->table);
    ps_layout_clear(&b->layout);
    ps_vec_unref(keys);
    free(values);
    free(b);
}

int main(int argc, char **argv)
{
    char made[] = "/tmp/state_bench.XXXXXX";

    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int64_t n = 100; n <= 1000000; n *= 100)
        grouping(n);
    state(argc > 1 ? argv[1] : mkdtemp(made));
    if (argc <= 1)
        must(ps_fs_remove_tree(ps_fs_local(), made, &err));
    return 0;
}
