/*
 * tests/fuzz/fuzz_state.c - state files are foreign bytes: whatever they hold, a restore ends in an error or in a state
 * that can be read, merged into, evicted from and committed.
 *
 * The first byte tells a delta (odd) from a snapshot, keys of a window (bit 1) from those of a time, and slots of words alone
 * (bit 2) from those with a text, a list and a growing value.  Checksums do not count in fuzzing builds, see state/delta.c.
 */
#include "fuzz.h"
#include "state/store.h"

static char dir[64];
static ps_layout layouts[4], *layout;
static ps_family family = {"groups", NULL, true, "fuzz"};

/* A key of a time or a window, a string and a list; a value of eight bytes and a cell.  Without the cells: time or window, and a
 * number. */
static void prepare(void)
{
    const ps_type *types[3] = {ps_type_of(PS_TIMESTAMP), ps_type_of(PS_STRING), NULL}, *words[2] = {types[0], ps_type_of(PS_INT64)}, *window;
    ps_field fields[2] = {{(char *)"start", types[0], true, NULL}, {(char *)"end", types[0], true, NULL}};
    uint8_t initial[32] = {0};
    uint32_t cell = 8;

    if (dir[0])
        return;
    snprintf(dir, sizeof dir, "/dev/shm/fuzz_state.%d", (int)getpid());
    MUST(ps_type_array(ps_type_of(PS_DOUBLE), true, &types[2], &err) == PS_OK);
    ps_cell_init((ps_cell *)(initial + 8));
    MUST(ps_type_struct(fields, 2, &window, &err) == PS_OK);
    MUST(ps_layout_init(&layouts[0], &(ps_key_spec){types, 3, 0, -1, 0}, sizeof initial, initial, &cell, 1, &err) == PS_OK);
    MUST(ps_layout_init(&layouts[2], &(ps_key_spec){words, 2, 0, -1, 0}, sizeof initial, initial, NULL, 0, &err) == PS_OK);
    types[0] = words[0] = window;
    MUST(ps_layout_init(&layouts[1], &(ps_key_spec){types, 3, 0, 0, 500}, sizeof initial, initial, &cell, 1, &err) == PS_OK);
    MUST(ps_layout_init(&layouts[3], &(ps_key_spec){words, 2, 0, 0, 500}, sizeof initial, initial, NULL, 0, &err) == PS_OK);
    ps_type_unref(window);
    ps_type_unref(types[2]);
}

static ps_store *open_store(void)
{
    ps_store_options options = {.fs = ps_fs_local(), .dir = dir, .owner = "fuzz", .shard_bits = 1, .retain = 3, .min_deltas = 100, .n_workers = 1, .memory_limit = 1 << 28};
    ps_store *store;

    MUST(ps_store_open(&options, &family, 1, &store, &err) == PS_OK);
    return store;
}

static void write_file(const char *name, const void *data, size_t n_bytes)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    MUST(ps_fs_write_atomic(ps_fs_local(), path, data, n_bytes, false, false, &err) == PS_OK);
}

/* Reads every key and value, copies every slot elsewhere, evicts a part and commits. */
static void use(ps_store *store)
{
    uint8_t *slots[64], *copies[64];
    ps_table table;

    ps_table_init(&table, layout, 0, NULL);
    for (uint32_t s = 0; s < 1u << ps_store_shard_bits(store); s++) {
        ps_shard *shard = ps_store_shard(store, 0, s);
        ps_table *from = ps_shard_table(shard);
        uint64_t position = 0;
        int64_t n, removed;
        while ((n = ps_table_next(from, &position, slots, 64)) > 0) {
            for (int c = 0; c < layout->key.n_types; c++) {
                ps_vec *vec = NULL;
                if (ps_key_decode(&layout->key, c, slots, n, &from->heap, &vec, &err) == PS_OK)
                    ps_vec_unref(vec);
            }
            for (int64_t j = 0; j < n && layout->n_cells > 0; j++) {
                ps_cell *cell = (ps_cell *)(slots[j] + layout->value_at + 8);
                ps_cell_append(&from->heap, cell, "more", 4, &err);
            }
            ps_table_upsert_slots(&table, from, slots, n, copies, &err);
        }
        position = 0;
        while (ps_shard_next_expired(shard, 1000, &position, slots, 64) > 0) {
        }
        ps_shard_evict(shard, 1000, &removed, &err);
    }
    ps_table_clear(&table);
    ps_store_commit(store, 2, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    char meta[256];
    ps_store *store;
    int n;

    prepare();
    if (n_bytes == 0)
        return 0;
    ps_fs_remove_tree(ps_fs_local(), dir, &err);
    MUST(ps_fs_make_dirs(ps_fs_local(), dir, &err) == PS_OK);
    layout = &layouts[data[0] >> 1 & 3];
    family.layout = layout;
    n = snprintf(meta, sizeof meta, "{\"format\":1,\"hash\":\"mum1\",\"seed\":0,\"shardBits\":1,\"families\":[{\"name\":\"groups\","
                                    "\"key\":\"%s,%s\",\"value\":\"fuzz\"}]}",
                 data[0] & 2 ? "struct<start:timestamp,end:timestamp>" : "timestamp", data[0] & 4 ? "bigint" : "string,array<double>");
    write_file("meta", meta, (size_t)n);
    write_file(data[0] & 1 ? "1.delta" : "1.snap", data + 1, n_bytes - 1);
    store = open_store();
    if (ps_store_restore(store, 1, &err) == PS_OK)
        use(store);
    ps_store_close(store);
    return 0;
}
