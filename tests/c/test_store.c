/*
 * tests/c/test_store.c - state tables against a naive model, shards, eviction, versions on disk.
 */
#include "unit.h"
#include "col/build.h"
#include "state/store.h"
#include <stdlib.h>

typedef struct groups {
    ps_layout layout;
    ps_table table;
} groups;

static void groups_init(groups *g, const ps_type *const *types, int n_types, int time_col)
{
    int64_t zero = 0;

    OK(ps_layout_init(&g->layout, &(ps_key_spec){types, n_types, time_col, -1, 0}, sizeof zero, (uint8_t *)&zero, NULL, 0, &err));
    ps_table_init(&g->table, &g->layout, 0, NULL);
}

static void groups_clear(groups *g)
{
    ps_table_clear(&g->table);
    ps_layout_clear(&g->layout);
}

static int64_t *value_of(const ps_layout *layout, uint8_t *slot)
{
    return (int64_t *)(slot + layout->value_at);
}

/* Adds 1 to the group of every row. */
static void count_rows(groups *g, ps_vec **cols, const ps_rows *rows)
{
    uint8_t **slots = calloc((size_t)rows->n, sizeof *slots);

    OK(ps_table_upsert(&g->table, cols, rows, 0, slots, &err));
    for (int64_t j = 0; j < rows->n; j++)
        ++*value_of(&g->layout, slots[j]);
    free(slots);
}

static ps_vec *int_column(const int64_t *values, const bool *nulls, int64_t n, ps_kind kind)
{
    ps_builder *b;
    ps_vec *vec;

    OK(ps_build_new(ps_type_of(kind), n, &b, &err));
    for (int64_t i = 0; i < n; i++)
        OK(nulls && nulls[i] ? ps_build_null(b, &err) : ps_build_int(b, values[i], &err));
    OK(ps_build_finish(b, &vec, &err));
    ps_build_free(b);
    return vec;
}

static ps_vec *text_column(const int64_t *values, int64_t n, const char *format)
{
    ps_builder *b;
    ps_vec *vec;
    char text[128];

    OK(ps_build_new(ps_type_of(PS_STRING), n, &b, &err));
    for (int64_t i = 0; i < n; i++) {
        int len = snprintf(text, sizeof text, format, (long long)values[i]);
        OK(ps_build_text(b, text, (size_t)len, &err));
    }
    OK(ps_build_finish(b, &vec, &err));
    ps_build_free(b);
    return vec;
}

/* Every group's count is what counting by hand gives; the key is read back through its column. */
static void test_counts_by_int(void **state)
{
    enum { N = 20000, KEYS = 3001 };
    const ps_type *types[1] = {ps_type_of(PS_INT64)};
    int64_t *values = calloc(N, sizeof *values), *expected = calloc(KEYS, sizeof *expected);
    uint8_t **slots = calloc(KEYS + 1, sizeof *slots);
    uint64_t position = 0;
    groups g;
    ps_vec *col, *keys;

    PS_UNUSED(state);
    groups_init(&g, types, 1, -1);
    for (int i = 0; i < N; i++) {
        values[i] = (i * 7919LL) % KEYS;
        expected[values[i]]++;
    }
    col = int_column(values, NULL, N, PS_INT64);
    count_rows(&g, &col, &(ps_rows){N, NULL, N});
    ps_vec_unref(col);
    assert_int_equal(g.table.n, KEYS);
    assert_int_equal(ps_table_next(&g.table, &position, slots, KEYS + 1), KEYS);
    OK(ps_key_decode(&g.layout.key, 0, slots, KEYS, &g.table.heap, &keys, &err));
    for (int i = 0; i < KEYS; i++)
        assert_int_equal(*value_of(&g.layout, slots[i]), expected[((int64_t *)keys->data)[i]]);
    ps_vec_unref(keys);
    groups_clear(&g);
    free(values);
    free(expected);
    free(slots);
}

/* Removing keys one by one leaves all others reachable. */
static void test_removal(void **state)
{
    enum { N = 5000 };
    const ps_type *types[2] = {ps_type_of(PS_STRING), ps_type_of(PS_INT32)};
    int64_t values[N];
    uint8_t *slots[N];
    uint64_t position = 0;
    groups g;
    ps_vec *cols[2];

    PS_UNUSED(state);
    groups_init(&g, types, 2, -1);
    for (int i = 0; i < N; i++)
        values[i] = i;
    cols[0] = text_column(values, N, "a key that does not fit a cell %lld");
    cols[1] = int_column(values, NULL, N, PS_INT32);
    count_rows(&g, cols, &(ps_rows){N, NULL, N});
    for (int round = 0; round < N / 2; round++) {
        int64_t n;
        position = (uint64_t)round * 3 % g.table.n_physical;
        n = ps_table_next(&g.table, &position, slots, 1);
        if (n == 0) {
            position = 0;
            n = ps_table_next(&g.table, &position, slots, 1);
        }
        assert_int_equal(n, 1);
        ps_table_remove(&g.table, slots[0]);
    }
    assert_int_equal(g.table.n, N - N / 2);
    OK(ps_table_tidy(&g.table, &err));
    count_rows(&g, cols, &(ps_rows){N, NULL, N});
    assert_int_equal(g.table.n, N);
    position = 0;
    assert_int_equal(ps_table_next(&g.table, &position, slots, N), N);
    for (int i = 0, twice = 0; i < N; i++) {
        twice += *value_of(&g.layout, slots[i]) == 2;
        if (i == N - 1)
            assert_int_equal(twice, N - N / 2);
    }
    ps_vec_unref(cols[0]);
    ps_vec_unref(cols[1]);
    groups_clear(&g);
}

/* NULLs are one group; NaNs are one, zeros of both signs are one; a NULL struct is not a struct of NULLs. */
static void test_rare_keys(void **state)
{
    static const double doubles[] = {0.0, -0.0, __builtin_nan(""), __builtin_nan("1"), 1.5};
    const ps_type *types[1], *pair;
    ps_field fields[2] = {{(char *)"a", ps_type_of(PS_INT64), true, NULL}, {(char *)"b", ps_type_of(PS_STRING), true, NULL}};
    ps_builder *b;
    ps_vec *col;
    groups g;

    PS_UNUSED(state);
    types[0] = ps_type_of(PS_DOUBLE);
    groups_init(&g, types, 1, -1);
    OK(ps_build_new(types[0], 8, &b, &err));
    for (size_t i = 0; i < PS_COUNT_OF(doubles); i++)
        OK(ps_build_double(b, doubles[i], &err));
    OK(ps_build_null(b, &err));
    OK(ps_build_null(b, &err));
    OK(ps_build_finish(b, &col, &err));
    ps_build_free(b);
    count_rows(&g, &col, &(ps_rows){7, NULL, 7});
    assert_int_equal(g.table.n, 4);
    ps_vec_unref(col);
    groups_clear(&g);

    OK(ps_type_struct(fields, 2, &pair, &err));
    types[0] = pair;
    groups_init(&g, types, 1, -1);
    OK(ps_build_new(pair, 4, &b, &err));
    for (int i = 0; i < 4; i++) {
        if (i == 1) {
            OK(ps_build_null(b, &err));
            continue;
        }
        OK(ps_build_struct(b, &err));
        OK(ps_build_null(ps_build_child(b, 0), &err));
        OK(i == 3 ? ps_build_text(ps_build_child(b, 1), "x", 1, &err) : ps_build_null(ps_build_child(b, 1), &err));
    }
    OK(ps_build_finish(b, &col, &err));
    ps_build_free(b);
    count_rows(&g, &col, &(ps_rows){4, NULL, 4});
    assert_int_equal(g.table.n, 3);
    ps_vec_unref(col);
    groups_clear(&g);
    ps_type_unref(pair);
}

/* More columns than NULL bits: the key is packed, and comes back column by column. */
static void test_wide_keys(void **state)
{
    enum { COLS = 20, N = 300 };
    const ps_type *types[COLS];
    ps_vec *cols[COLS], *back;
    uint8_t *slots[N];
    uint64_t position = 0;
    int64_t values[N];
    groups g;

    PS_UNUSED(state);
    for (int i = 0; i < N; i++)
        values[i] = i % 100;
    for (int c = 0; c < COLS; c++) {
        types[c] = ps_type_of(c % 2 ? PS_STRING : PS_INT32);
        cols[c] = c % 2 ? text_column(values, N, "%lld") : int_column(values, NULL, N, PS_INT32);
    }
    groups_init(&g, types, COLS, -1);
    count_rows(&g, cols, &(ps_rows){N, NULL, N});
    assert_int_equal(ps_table_next(&g.table, &position, slots, N), 100);
    OK(ps_key_decode(&g.layout.key, 18, slots, 100, &g.table.heap, &back, &err));
    for (int i = 0, sum = 0; i < 100; i++) {
        sum += ((int32_t *)back->data)[i];
        if (i == 99)
            assert_int_equal(sum, 4950);
    }
    ps_vec_unref(back);
    for (int c = 0; c < COLS; c++)
        ps_vec_unref(cols[c]);
    groups_clear(&g);
}

/* The end of a window is not kept when the layout knows its width: hashes, times and columns are those of a layout that keeps
 * it. */
static void test_window_keys(void **state)
{
    enum { N = 100, WIDTH = 600 };
    const ps_type *types[2] = {NULL, ps_type_of(PS_STRING)};
    ps_field fields[2] = {{(char *)"start", ps_type_of(PS_TIMESTAMP), true, NULL}, {(char *)"end", ps_type_of(PS_TIMESTAMP), true, NULL}};
    int64_t starts[N], ends[N];
    uint8_t *slots[N], *short_slots[N];
    ps_vec *cols[2], *back;
    groups g, s;

    PS_UNUSED(state);
    for (int i = 0; i < N; i++) {
        starts[i] = i * 100;
        ends[i] = starts[i] + WIDTH;
    }
    OK(ps_type_struct(fields, 2, &types[0], &err));
    OK(ps_vec_new(types[0], N, false, &cols[0], &err));
    OK(ps_vec_add_child(cols[0], int_column(starts, NULL, N, PS_TIMESTAMP), &err));
    OK(ps_vec_add_child(cols[0], int_column(ends, NULL, N, PS_TIMESTAMP), &err));
    for (int far = 0; far < 2; far++) {
        cols[1] = text_column(starts, N, far ? "a text that does not fit a cell %lld" : "%lld");
        groups_init(&g, types, 2, 0);
        memset(&s, 0, sizeof s);
        OK(ps_layout_init(&s.layout, &(ps_key_spec){types, 2, 0, 0, WIDTH}, 8, (uint8_t *)starts, NULL, 0, &err));
        ps_table_init(&s.table, &s.layout, 0, NULL);
        assert_int_equal(s.layout.n_bytes, g.layout.n_bytes - 8);
        OK(ps_table_upsert(&g.table, cols, &(ps_rows){N, NULL, N}, 0, slots, &err));
        OK(ps_table_upsert(&s.table, cols, &(ps_rows){N, NULL, N}, 0, short_slots, &err));
        for (int i = 0; i < N; i++) {
            int64_t time = 0;
            assert_int_equal(((ps_slot *)slots[i])->tag, ((ps_slot *)short_slots[i])->tag);
            assert_true(ps_key_time(&s.layout.key, short_slots[i], &time));
            assert_int_equal(time, ends[i]);
        }
        OK(ps_key_decode(&s.layout.key, 0, short_slots, N, &s.table.heap, &back, &err));
        for (int i = 0; i < N; i++)
            assert_true(ps_vec_equal_rows(back, i, cols[0], i));
        ps_vec_unref(back);
        ps_vec_unref(cols[1]);
        groups_clear(&g);
        groups_clear(&s);
    }
    ps_vec_unref(cols[0]);
    ps_type_unref(types[0]);
}

/* Images and hashes of these columns, read in one go, are those of the same rows looked at one by one. */
static void check_one_go(ps_vec *const *cols, int n_cols, const ps_rows *rows, int64_t window_us)
{
    static ps_images fast, slow;
    const ps_type *types[3];
    ps_vec *dicts[3];
    int32_t *index = calloc((size_t)rows->n_rows, sizeof *index);
    ps_key key;

    for (int64_t i = 0; i < rows->n_rows; i++)
        index[i] = (int32_t)i;
    for (int c = 0; c < n_cols; c++) {
        types[c] = cols[c]->type;
        OK(ps_vec_take(cols[c], index, rows->n_rows, NULL, &dicts[c], &err));
    }
    OK(ps_key_init(&key, &(ps_key_spec){types, n_cols, -1, 0, window_us}, &err));
    assert_true(key.whole_words);
    OK(ps_key_encode(&key, cols, rows, 1, (int)rows->n - 1, 7, &fast, &err));
    OK(ps_key_encode(&key, dicts, rows, 1, (int)rows->n - 1, 7, &slow, &err));
    assert_int_equal(fast.any_far, slow.any_far);
    assert_memory_equal(fast.heads, slow.heads, (size_t)fast.n * sizeof *fast.heads);
    assert_memory_equal(fast.data, slow.data, (size_t)fast.n * key.n_bytes);
    ps_images_clear(&fast);
    ps_images_clear(&slow);
    for (int c = 0; c < n_cols; c++)
        ps_vec_unref(dicts[c]);
    ps_key_clear(&key);
    free(index);
}

/* Keys of words and texts, texts of all lengths: those that a view holds, that only a cell holds, that lie in a heap. */
static void test_keys_in_one_go(void **state)
{
    enum { N = 100 };
    const ps_type *types[1];
    ps_field fields[2] = {{(char *)"start", ps_type_of(PS_TIMESTAMP), true, NULL}, {(char *)"end", ps_type_of(PS_TIMESTAMP), true, NULL}};
    int64_t values[N];
    int32_t sel[N / 2];
    ps_vec *number, *same, *brief, *texts, *long_text, *window, *windows;

    PS_UNUSED(state);
    for (int i = 0; i < N; i++)
        values[i] = i;
    for (int i = 0; i < N / 2; i++)
        sel[i] = 2 * i + 1;
    OK(ps_type_struct(fields, 2, &types[0], &err));
    OK(ps_vec_new(types[0], N, false, &windows, &err));
    OK(ps_vec_add_child(windows, int_column(values, NULL, N, PS_TIMESTAMP), &err));
    OK(ps_vec_add_child(windows, int_column(values, NULL, N, PS_TIMESTAMP), &err));
    OK(ps_vec_repeat(windows, 3, N, &window, &err));
    number = int_column(values, NULL, N, PS_INT64);
    OK(ps_vec_repeat(number, 3, N, &same, &err));
    brief = text_column(values, N, "%lld");
    for (int i = 0; i < N; i++)
        values[i] = 1ll << (i % 62);
    texts = text_column(values, N, "0x%llo"); /* 3 to 23 bytes */
    OK(ps_vec_repeat(texts, 60, N, &long_text, &err));
    for (int chosen = 0; chosen < 2; chosen++) {
        const ps_rows rows = chosen ? (ps_rows){N, sel, N / 2} : (ps_rows){N, NULL, N};
        ps_vec *all[] = {number, same, brief, texts, long_text};
        for (size_t a = 0; a < PS_COUNT_OF(all); a++) {
            check_one_go(&all[a], 1, &rows, 0);
            for (size_t b = 0; b < PS_COUNT_OF(all); b++) {
                check_one_go((ps_vec *[]){all[a], all[b]}, 2, &rows, 0);
                check_one_go((ps_vec *[]){window, all[a], all[b]}, 3, &rows, 1000);
                check_one_go((ps_vec *[]){windows, all[a], all[b]}, 3, &rows, 1000);
            }
            check_one_go((ps_vec *[]){window, all[a]}, 2, &rows, 1000);
            check_one_go((ps_vec *[]){windows, all[a]}, 2, &rows, 1000);
        }
    }
    for (size_t i = 0; i < 7; i++)
        ps_vec_unref(((ps_vec *[]){number, same, brief, texts, long_text, window, windows})[i]);
    ps_type_unref(types[0]);
}

/* ---- stores ---- */

typedef struct world {
    groups rows;      /* where keys come from */
    ps_family family;
    ps_store *store;
    ps_store_options options;
} world;

static void world_open(world *w, const char *dir)
{
    const ps_type *types[2] = {ps_type_of(PS_TIMESTAMP), ps_type_of(PS_STRING)};

    memset(w, 0, sizeof *w);
    groups_init(&w->rows, types, 2, 0);
    w->family = (ps_family){"groups", &w->rows.layout, true, "count/1"};
    w->options = (ps_store_options){.fs = ps_fs_local(), .dir = dir, .owner = "test", .shard_bits = 2, .retain = 2, .min_deltas = 3, .n_workers = 1};
    OK(ps_store_open(&w->options, &w->family, 1, &w->store, &err));
}

static void world_close(world *w)
{
    ps_store_close(w->store);
    groups_clear(&w->rows);
}

/* Adds `n` to each of the keys (time, "key <time>") for times from, from + 1 .. to. */
static void world_add(world *w, int64_t from, int64_t to, int64_t amount)
{
    int64_t n = to - from + 1, values[4096];
    ps_vec *cols[2];
    uint8_t *slots[4096], *state_slots[4096];

    assert_true(n <= 4096);
    for (int64_t i = 0; i < n; i++)
        values[i] = from + i;
    cols[0] = int_column(values, NULL, n, PS_TIMESTAMP);
    cols[1] = text_column(values, n, "the key of time %lld");
    OK(ps_table_reset(&w->rows.table, &err));
    count_rows(&w->rows, cols, &(ps_rows){n, NULL, n});
    for (uint32_t s = 0; s < 1u << w->options.shard_bits; s++) {
        ps_shard *shard = ps_store_shard(w->store, 0, s);
        uint64_t position = 0;
        int64_t m;
        while ((m = ps_table_next_of_shard(&w->rows.table, w->options.shard_bits, s, &position, slots, 100)) > 0) {
            OK(ps_shard_upsert(shard, &w->rows.table, slots, m, state_slots, &err));
            for (int64_t j = 0; j < m; j++)
                *value_of(&w->rows.layout, state_slots[j]) += amount;
        }
    }
    ps_vec_unref(cols[0]);
    ps_vec_unref(cols[1]);
}

/* Sum over all keys of time * value: tells states apart. */
static int64_t world_sum(world *w, int64_t *n_keys)
{
    int64_t sum = 0;

    *n_keys = 0;
    for (uint32_t s = 0; s < 1u << w->options.shard_bits; s++) {
        ps_table *table = ps_shard_table(ps_store_shard(w->store, 0, s));
        uint64_t position = 0;
        uint8_t *slot;
        int64_t time = 0;
        while (ps_table_next(table, &position, &slot, 1) > 0) {
            assert_true(ps_key_time(&w->rows.layout.key, slot, &time));
            sum += time * *value_of(&w->rows.layout, slot);
            ++*n_keys;
        }
    }
    return sum;
}

static int64_t world_evict(world *w, int64_t until)
{
    int64_t total = 0, removed;
    uint8_t *slots[64];

    for (uint32_t s = 0; s < 1u << w->options.shard_bits; s++) {
        ps_shard *shard = ps_store_shard(w->store, 0, s);
        uint64_t position = 0;
        int64_t n, given = 0;
        while ((n = ps_shard_next_expired(shard, until, &position, slots, 64)) > 0)
            given += n;
        OK(ps_shard_evict(shard, until, &removed, &err));
        assert_int_equal(given, removed);
        total += removed;
    }
    return total;
}

static int64_t count_dirty(world *w)
{
    int64_t n = 0, m;
    uint8_t *slots[7];

    for (uint32_t s = 0; s < 1u << w->options.shard_bits; s++) {
        uint64_t position = 0;
        while ((m = ps_shard_next_dirty(ps_store_shard(w->store, 0, s), &position, slots, 7)) > 0)
            n += m;
    }
    return n;
}

static void test_shards(void **state)
{
    world w;
    int64_t n;

    PS_UNUSED(state);
    world_open(&w, NULL);
    world_add(&w, 1, 3000, 1);
    world_add(&w, 1000, 2000, 1);
    assert_int_equal(count_dirty(&w), 3000);
    assert_int_equal(count_dirty(&w), 3000); /* once per round */
    assert_int_equal(world_sum(&w, &n), 3000LL * 3001 / 2 + 1001LL * 1500);
    assert_int_equal(n, 3000);
    OK(ps_store_commit(w.store, 1, &err));
    assert_int_equal(count_dirty(&w), 0);
    assert_int_equal(world_evict(&w, 0), 0);
    assert_int_equal(world_evict(&w, 1700), 1700);
    assert_int_equal(world_evict(&w, 1700), 0);
    world_sum(&w, &n);
    assert_int_equal(n, 1300);
    world_add(&w, 1, 10, 1); /* late keys may come back */
    assert_int_equal(world_evict(&w, 2999), 10 + 1299);
    assert_int_equal(ps_store_n_keys(w.store), 1);
    world_close(&w);
}

/* ---- on disk ---- */

static char directory[64];

static void new_directory(void)
{
    snprintf(directory, sizeof directory, "/tmp/test_store.XXXXXX");
    assert_non_null(mkdtemp(directory));
}

static void remove_directory(void) { OK(ps_fs_remove_tree(ps_fs_local(), directory, &err)); }

/* What versions 1..n hold: each batch adds keys, changes some and evicts some. */
static void run_batch(world *w, int64_t version)
{
    world_add(w, version * 100, version * 100 + 199, 1);
    world_evict(w, version * 100 - 250);
}

static void test_versions(void **state)
{
    int64_t sums[21] = {0}, keys[21] = {0}, n;
    world w;

    PS_UNUSED(state);
    new_directory();
    world_open(&w, directory);
    OK(ps_store_restore(w.store, 0, &err));
    for (int v = 1; v <= 20; v++) {
        run_batch(&w, v);
        sums[v] = world_sum(&w, &keys[v]);
        OK(ps_store_commit(w.store, v, &err));
    }
    world_close(&w);
    for (int v = 20; v >= 19; v--) { /* two versions are kept */
        world_open(&w, directory);
        OK(ps_store_restore(w.store, v, &err));
        assert_int_equal(world_sum(&w, &n), sums[v]);
        assert_int_equal(n, keys[v]);
        assert_int_equal(count_dirty(&w), 0);
        run_batch(&w, v + 1);
        assert_int_equal(world_sum(&w, &n), v < 20 ? sums[v + 1] : world_sum(&w, &n));
        world_close(&w);
    }
    /* Another attempt at 20: 21 must follow it, not the first one's. */
    world_open(&w, directory);
    OK(ps_store_restore(w.store, 19, &err));
    world_add(&w, 5000, 5009, 7);
    sums[20] = world_sum(&w, &n);
    OK(ps_store_commit(w.store, 20, &err));
    world_close(&w);
    world_open(&w, directory);
    OK(ps_store_restore(w.store, 20, &err));
    assert_int_equal(world_sum(&w, &n), sums[20]);
    assert_int_equal(ps_store_restore(w.store, 30, &err), PS_E_STATE_VERSION_MISSING);
    world_close(&w);
    remove_directory();
}

/* A flipped bit or a cut anywhere in 1.delta is an error, never a wrong state; restores version 1 at last. */
static void check_damage(world *w)
{
    ps_bytes file = {0};
    char path[128];

    snprintf(path, sizeof path, "%s/1.delta", directory);
    OK(ps_fs_read_all(ps_fs_local(), path, &file, &err));
    for (size_t i = 0; i < file.n_bytes; i += 1 + i / 50) {
        file.data[i] ^= 0x10;
        OK(ps_fs_write_atomic(ps_fs_local(), path, file.data, file.n_bytes, false, false, &err));
        assert_int_not_equal(ps_store_restore(w->store, 1, &err), PS_OK);
        file.data[i] ^= 0x10;
        OK(ps_fs_write_atomic(ps_fs_local(), path, file.data, i, false, false, &err));
        assert_int_equal(ps_store_restore(w->store, 1, &err), PS_E_STATE_CORRUPT);
    }
    OK(ps_fs_write_atomic(ps_fs_local(), path, file.data, file.n_bytes, false, false, &err));
    OK(ps_store_restore(w->store, 1, &err));
    ps_bytes_clear(&file);
}

static void test_damage(void **state)
{
    world w;

    PS_UNUSED(state);
    new_directory();
    world_open(&w, directory);
    OK(ps_store_restore(w.store, 0, &err));
    run_batch(&w, 1);
    OK(ps_store_commit(w.store, 1, &err));
    check_damage(&w);
    world_close(&w);
    remove_directory();
}

/* Slots of whole words: what is read back is what was written, whatever the words are; damage is found. */

static int64_t word_of(int pattern, int64_t i)
{
    switch (pattern) {
    case 0: return i; /* near each other */
    case 1: return -i * 1000003;
    case 2: return i % 2 ? INT64_MAX - i : INT64_MIN + i; /* as far as can be */
    case 3: return (int64_t)((uint64_t)i * 0x9e3779b97f4a7c15u);
    default: return i + ((int64_t)1 << (15 + 3 * (i % 16))); /* of every width */
    }
}

static void words_open(world *w)
{
    const ps_type *type = ps_type_of(PS_INT64);

    memset(w, 0, sizeof *w);
    groups_init(&w->rows, &type, 1, -1);
    w->family = (ps_family){"groups", &w->rows.layout, false, "count/1"};
    w->options = (ps_store_options){.fs = ps_fs_local(), .dir = directory, .owner = "test", .shard_bits = 0, .retain = 2, .min_deltas = 3, .n_workers = 1};
    OK(ps_store_open(&w->options, &w->family, 1, &w->store, &err));
}

/* A version with n keys, whose values are words of the same pattern. */
static void words_write(int pattern, int64_t n)
{
    int64_t *keys = calloc((size_t)n, sizeof *keys);
    uint8_t **from = calloc((size_t)n, sizeof *from), **slots = calloc((size_t)n, sizeof *slots);
    ps_vec *col;
    world w;

    words_open(&w);
    OK(ps_store_restore(w.store, 0, &err));
    for (int64_t i = 0; i < n; i++)
        keys[i] = word_of(pattern, i);
    col = int_column(keys, NULL, n, PS_INT64);
    OK(ps_table_upsert(&w.rows.table, &col, &(ps_rows){n, NULL, n}, 0, from, &err));
    OK(ps_shard_upsert(ps_store_shard(w.store, 0, 0), &w.rows.table, from, n, slots, &err));
    for (int64_t i = 0; i < n; i++)
        *value_of(&w.rows.layout, slots[i]) = ~keys[i];
    OK(ps_store_commit(w.store, 1, &err));
    ps_vec_unref(col);
    world_close(&w);
    free(keys);
    free(from);
    free(slots);
}

static void words_check(world *w, int64_t n_keys)
{
    ps_table *table = ps_shard_table(ps_store_shard(w->store, 0, 0));
    uint64_t position = 0;
    int64_t n = 0;

    for (uint8_t *slot; ps_table_next(table, &position, &slot, 1) > 0; n++) {
        int64_t key;
        memcpy(&key, slot + PS_SLOT_KEY, sizeof key);
        assert_int_equal(*value_of(&w->rows.layout, slot), ~key);
    }
    assert_int_equal(n, n_keys);
}

static void test_words(void **state)
{
    world w;

    PS_UNUSED(state);
    for (int pattern = 0; pattern < 5; pattern++)
        for (int64_t n = 1; n < 20000; n = n * 7 + 1) {
            new_directory();
            words_write(pattern, n);
            words_open(&w);
            OK(ps_store_restore(w.store, 1, &err));
            words_check(&w, n);
            world_close(&w);
            remove_directory();
        }
    new_directory();
    words_write(4, 900);
    words_open(&w);
    check_damage(&w);
    words_check(&w, 900);
    world_close(&w);
    remove_directory();
}

/* A store of other types or other aggregates is refused. */
static void test_schema(void **state)
{
    world w;

    PS_UNUSED(state);
    new_directory();
    world_open(&w, directory);
    OK(ps_store_restore(w.store, 0, &err));
    run_batch(&w, 1);
    OK(ps_store_commit(w.store, 1, &err));
    w.family.schema = "sum/1:bigint";
    assert_int_equal(ps_store_restore(w.store, 1, &err), PS_E_STATE_VALUE_SCHEMA);
    world_close(&w);
    remove_directory();
}

/* Every write that fails leaves the last version readable. */
static void test_failing_writes(void **state)
{
    int64_t sum, n;

    PS_UNUSED(state);
    for (int64_t nth = 1;; nth++) {
        ps_status rc = PS_OK;
        int64_t done = 0;
        ps_fs *fs;
        world w;
        new_directory();
        world_open(&w, directory);
        OK(ps_fs_faulty_new(nth, &fs, &err));
        ps_store_close(w.store);
        w.options.fs = fs;
        w.options.sync = true;
        OK(ps_store_open(&w.options, &w.family, 1, &w.store, &err));
        OK(ps_store_restore(w.store, 0, &err));
        sum = 0;
        for (int v = 1; v <= 6 && rc == PS_OK; v++) {
            int64_t now;
            run_batch(&w, v);
            now = world_sum(&w, &n);
            rc = ps_store_commit(w.store, v, &err);
            if (rc == PS_OK) {
                done = v;
                sum = now;
            }
        }
        world_close(&w);
        world_open(&w, directory);
        OK(ps_store_restore(w.store, done, &err));
        assert_int_equal(world_sum(&w, &n), sum);
        world_close(&w);
        ps_fs_free(fs);
        remove_directory();
        if (done == 6)
            break;
    }
}

/* Memory that runs out at any point is an ordinary error. */
static ps_status small_life(const ps_layout *layout, ps_vec **cols)
{
    uint8_t *slots[40], *copies[40];
    ps_rows rows = {40, NULL, 40};
    ps_table table, copy;
    ps_status rc;

    ps_table_init(&table, layout, 0, NULL);
    ps_table_init(&copy, layout, 0, NULL);
    PS_TRY_OR(done, ps_table_upsert(&table, cols, &rows, 0, slots, &err));
    rc = ps_table_upsert_slots(&copy, &table, slots, 40, copies, &err);
done:
    ps_table_clear(&table);
    ps_table_clear(&copy);
    return rc;
}

static void test_no_memory(void **state)
{
    const ps_type *types[2] = {ps_type_of(PS_INT32), ps_type_of(PS_STRING)};
    int64_t values[40];
    ps_vec *cols[2];
    groups g;

    PS_UNUSED(state);
    for (int i = 0; i < 40; i++)
        values[i] = i;
    groups_init(&g, types, 2, -1);
    cols[0] = int_column(values, NULL, 40, PS_INT32);
    cols[1] = text_column(values, 40, "longer than what fits into a cell %lld");
    EVERY_ALLOCATION(small_life(&g.layout, cols), (void)0);
    ps_vec_unref(cols[0]);
    ps_vec_unref(cols[1]);
    groups_clear(&g);
}

static void test_memory_limit(void **state)
{
    world w;
    int64_t values[2000];
    ps_vec *cols[2];
    uint8_t *slots[2000], *state_slots[2000];
    uint64_t position = 0;
    int64_t n;

    PS_UNUSED(state);
    world_open(&w, NULL);
    ps_store_close(w.store);
    w.options.memory_limit = 40000;
    OK(ps_store_open(&w.options, &w.family, 1, &w.store, &err));
    for (int i = 0; i < 2000; i++)
        values[i] = i;
    cols[0] = int_column(values, NULL, 2000, PS_TIMESTAMP);
    cols[1] = text_column(values, 2000, "long enough to be far from its cell %lld");
    count_rows(&w.rows, cols, &(ps_rows){2000, NULL, 2000});
    n = ps_table_next_of_shard(&w.rows.table, 2, 1, &position, slots, 2000);
    assert_int_equal(ps_shard_upsert(ps_store_shard(w.store, 0, 1), &w.rows.table, slots, n, state_slots, &err), PS_E_STATE_MEMORY_LIMIT);
    HAS("test");
    ps_vec_unref(cols[0]);
    ps_vec_unref(cols[1]);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts_by_int), cmocka_unit_test(test_removal), cmocka_unit_test(test_rare_keys),
        cmocka_unit_test(test_wide_keys), cmocka_unit_test(test_window_keys),
        cmocka_unit_test(test_keys_in_one_go), cmocka_unit_test(test_shards), cmocka_unit_test(test_versions),
        cmocka_unit_test(test_damage), cmocka_unit_test(test_words),
        cmocka_unit_test(test_schema), cmocka_unit_test(test_failing_writes),
        cmocka_unit_test(test_memory_limit), cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
