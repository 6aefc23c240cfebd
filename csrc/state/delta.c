/*
 * state/delta.c - state files: <version>.delta has what a batch changed, <version>.snap a whole
 * state.
 *
 * - header, 64 bytes: "PSSTATE2", kind, families, shards, 0 (32 bits each), version, id, parent
 *   (64 bits each), 12 bytes of 0, CRC of all before
 * - section, one per family and shard in that order, 48 bytes: family, shard, blocks, evicted
 *   (32 bits each), records, evicted_to (64 bits each), 12 bytes of 0, CRC of all before; then its
 *   blocks (block.c)
 * - end, 16 bytes: "PSSTAEND", length of the file before the end
 *
 * Numbers are little-endian, CRCs are CRC-32C.  A delta first evicts, then puts: records are final
 * values.  The id of a version is drawn at its commit; a delta names the id that it starts from, so
 * files of two attempts at a batch are never mixed.  A snapshot has the id of its version.
 * "PSSTATE1" is the same with blocks of slots alone.
 */
#include "base/failpoint.h"
#include "base/hash.h"
#include "state/store_int.h"
#include <stdio.h>

#define HEADER 64
#define SECTION 48
#define END 16
#define FULL_WRITE ((size_t)64 << 10)
#define WORTH_WORKERS 10000 /* slots; waking a worker takes as long as packing some hundred */

static const char magic[9] = "PSSTATE2", end_magic[9] = "PSSTAEND";

static void put32(uint8_t *at, uint32_t x)
{
    memcpy(at, &x, sizeof x);
}
static void put64(uint8_t *at, uint64_t x)
{
    memcpy(at, &x, sizeof x);
}
static uint32_t get32(const uint8_t *at)
{
    uint32_t x;
    memcpy(&x, at, sizeof x);
    return x;
}
/* ---- writing a file ---- */

ps_status psi_file_path(const ps_store *store, psi_file_kind kind, int64_t version, char **out,
                        ps_error *err)
{
    char name[40];

    snprintf(name, sizeof name, "%lld.%s", (long long)version,
             kind == PSI_DELTA ? "delta" : "snap");
    return ps_path_join(store->options.dir, name, out, err);
}

static ps_status flush(psi_out *out, ps_error *err)
{
    if (out->waiting.n_bytes > 0)
        PS_TRY(ps_file_write(out->file, out->waiting.data, out->waiting.n_bytes, err));
    ps_bytes_reset(&out->waiting);
    return PS_OK;
}

static ps_status write_bytes(psi_out *out, const void *data, size_t n_bytes, ps_error *err)
{
    out->n_bytes += n_bytes;
    if (out->waiting.n_bytes + n_bytes > FULL_WRITE)
        PS_TRY(flush(out, err));
    if (n_bytes > FULL_WRITE)
        return ps_file_write(out->file, data, n_bytes, err);
    return ps_bytes_append(&out->waiting, data, n_bytes, err);
}

ps_status psi_out_open(const ps_store *store, psi_file_kind kind, int64_t version, uint64_t id,
                       uint64_t parent, psi_out *out, ps_error *err)
{
    uint8_t head[HEADER] = {0};
    char name[64];
    ps_status rc;

    memset(out, 0, sizeof *out);
    out->fs = store->options.fs;
    out->dir = store->options.dir;
    out->sync = store->options.sync;
    PS_TRY_OR(fail, psi_file_path(store, kind, version, &out->path, err));
    snprintf(name, sizeof name, ".%s.tmp", ps_path_name(out->path));
    PS_TRY_OR(fail, ps_path_join(store->options.dir, name, &out->temporary, err));
    PS_TRY_OR(fail, kind == PSI_DELTA ? psi_spare_create(store, out->temporary, &out->file, err)
                                      : ps_fs_create(out->fs, out->temporary, &out->file, err));
    memcpy(head, magic, 8);
    put32(head + 8, (uint32_t)kind);
    put32(head + 12, (uint32_t)store->n_families);
    put32(head + 16, (uint32_t)store->n_shards);
    put64(head + 24, (uint64_t)version);
    put64(head + 32, id);
    put64(head + 40, parent);
    put32(head + HEADER - 4, ps_crc32c(0, head, HEADER - 4));
    PS_TRY_OR(fail, write_bytes(out, head, sizeof head, err));
    return PS_OK;
fail:
    psi_out_clear(out);
    return rc;
}

ps_status psi_out_section(psi_out *out, const ps_shard *shard, bool evicted, int64_t evicted_to,
                          psi_blocks *blocks, ps_error *err)
{
    uint8_t head[SECTION] = {0};
    int n_shards = shard->store->n_shards;

    put32(head, (uint32_t)(shard->index / n_shards));
    put32(head + 4, (uint32_t)(shard->index % n_shards));
    put32(head + 8, blocks->n_blocks);
    put32(head + 12, evicted);
    put64(head + 16, (uint64_t)blocks->n_total);
    put64(head + 24, evicted ? (uint64_t)evicted_to : 0);
    put32(head + SECTION - 4, ps_crc32c(0, head, SECTION - 4));
    PS_TRY(write_bytes(out, head, sizeof head, err));
    return blocks->packed.n_bytes
               ? write_bytes(out, blocks->packed.data, blocks->packed.n_bytes, err)
               : PS_OK;
}

ps_status psi_out_end(psi_out *out, ps_error *err)
{
    uint8_t end[END];
    ps_file *file;

    memcpy(end, end_magic, 8);
    put64(end + 8, out->n_bytes);
    PS_TRY(write_bytes(out, end, sizeof end, err));
    PS_TRY(flush(out, err));
    if (out->sync)
        PS_TRY(ps_file_sync(out->file, err));
    file = out->file;
    out->file = NULL;
    PS_TRY(ps_file_close(file, err));
    PS_TRY(PS_FAILPOINT("state.file_written", err));
    PS_TRY(ps_fs_rename(out->fs, out->temporary, out->path, err));
    ps_free(out->temporary);
    out->temporary = NULL;
    return out->sync ? ps_fs_sync_dir(out->fs, out->dir, err) : PS_OK;
}

void psi_out_clear(psi_out *out)
{
    ps_file_close(out->file, NULL);
    if (out->temporary != NULL)
        ps_fs_remove(out->fs, out->temporary, NULL);
    ps_bytes_clear(&out->waiting);
    ps_free(out->path);
    ps_free(out->temporary);
    memset(out, 0, sizeof *out);
}

/* ---- committing ---- */

typedef struct commit {
    ps_store *store;
    psi_blocks *blocks; /* of each shard */
} commit;

/* What changed in one shard, packed; the shard is then unchanged. @thread a worker */
static ps_status pack_shard(void *arg, int index, ps_error *err)
{
    commit *c = arg;
    ps_shard *shard = &c->store->shards[index];
    psi_blocks *blocks = &c->blocks[index];
    uint8_t *slots[PS_CHUNK];
    uint64_t position = 0;
    int64_t n;

    blocks->layout = shard->table.layout;
    while ((n = ps_shard_next_dirty(shard, &position, slots, PS_CHUNK)) > 0)
        for (int64_t j = 0; j < n; j++) {
            PS_TRY(psi_blocks_add(blocks, slots[j], &shard->table.heap, err));
            ((ps_slot *)slots[j])->flags = 0;
        }
    return psi_blocks_end(blocks, err);
}

static ps_status write_delta(ps_store *store, int64_t version, uint64_t id,
                             const psi_blocks *blocks, ps_error *err)
{
    psi_out out;
    ps_status rc;

    PS_TRY(psi_out_open(store, PSI_DELTA, version, id, store->id, &out, err));
    for (int i = 0; i < store->n_families * store->n_shards; i++) {
        const ps_shard *shard = &store->shards[i];
        PS_TRY_OR(done, psi_out_section(&out, shard, shard->evicted, shard->evicted_to,
                                        (psi_blocks *)&blocks[i], err));
    }
    rc = psi_out_end(&out, err);
    store->delta_bytes += out.n_bytes;
done:
    psi_out_clear(&out);
    return rc;
}

/* A snapshot of an attempt that is now repeated must not be taken for this one's. */
static ps_status remove_stale(ps_store *store, int64_t version, ps_error *err)
{
    int64_t *versions;
    int n;
    ps_status rc = PS_OK;

    PS_TRY(psi_store_list(store, PSI_SNAPSHOT, &versions, &n, err));
    for (int i = 0; i < n && rc == PS_OK; i++) {
        char *path;
        if (versions[i] < version)
            continue;
        rc = psi_file_path(store, PSI_SNAPSHOT, versions[i], &path, err);
        if (rc == PS_OK)
            rc = ps_fs_remove(store->options.fs, path, err);
        ps_free(path);
    }
    ps_free(versions);
    return rc;
}

static ps_status first_commit(ps_store *store, int64_t version, ps_error *err)
{
    if (store->has_meta)
        return PS_OK;
    PS_TRY(ps_fs_make_dirs(store->options.fs, store->options.dir, err));
    PS_TRY(remove_stale(store, version, err));
    PS_TRY(psi_meta_write(store, err));
    store->has_meta = true;
    return PS_OK;
}

ps_status psi_store_save(ps_store *store, int64_t version, ps_error *err)
{
    int n = store->n_families * store->n_shards;
    commit c = {store, NULL};
    int64_t n_dirty = 0;
    uint64_t id;
    ps_status rc;

    for (int i = 0; i < n; i++)
        n_dirty += store->shards[i].n_dirty;
    ps_random_bytes(&id, sizeof id);
    PS_TRY(ps_alloc0((size_t)n * sizeof *c.blocks, &c.blocks, err));
    PS_TRY_OR(done, first_commit(store, version, err));
    PS_TRY_OR(done, ps_pool_run(n_dirty < WORTH_WORKERS ? 1 : store->options.n_workers, n,
                                pack_shard, &c, err));
    PS_TRY_OR(done, write_delta(store, version, id, c.blocks, err));
    PS_TRY_OR(done, PS_FAILPOINT("state.delta_written", err));
    for (int i = 0; i < n; i++)
        psi_shard_settled(&store->shards[i]);
    store->version = version;
    store->id = id;
    store->n_deltas++;
    rc = psi_snapshot_maybe(store, err);
done:
    for (int i = 0; i < n; i++)
        psi_blocks_clear(&c.blocks[i]);
    ps_free(c.blocks);
    return rc;
}

/* ---- reading ---- */

/* The checksum behind `head`, over it and what follows elsewhere. */
static bool is_sound(const uint8_t *head, size_t n_head, const void *data, size_t n_bytes)
{
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
    PS_UNUSED(head);
    PS_UNUSED(n_head);
    PS_UNUSED(data);
    PS_UNUSED(n_bytes);
    return true; /* what a checksum guards against is looked at too */
#else
    return get32(head + n_head) == ps_crc32c(ps_crc32c(0, head, n_head), data, n_bytes);
#endif
}

typedef struct reader {
    ps_store *store;
    const char *path;
    ps_file *file;
    uint64_t n_bytes; /* read so far */
    uint64_t size;    /* of the file */
    uint64_t id, parent;
    ps_bytes packed, raw;
    uint8_t *records; /* aligned copies of PS_CHUNK records, far cells with pointers */
} reader;

static ps_status damaged(const reader *in, ps_error *err)
{
    return ps_raise(err, PS_E_STATE_CORRUPT, in->path);
}

static ps_status read_exactly(reader *in, void *data, size_t n_bytes, ps_error *err)
{
    size_t at = 0, n;

    while (at < n_bytes) {
        PS_TRY(ps_file_read(in->file, (char *)data + at, n_bytes - at, &n, err));
        if (n == 0)
            return damaged(in, err);
        at += n;
    }
    in->n_bytes += n_bytes;
    return PS_OK;
}

static ps_status read_header(reader *in, psi_file_kind kind, int64_t version, ps_error *err)
{
    uint8_t head[HEADER];

    PS_TRY(read_exactly(in, head, sizeof head, err));
    if (memcmp(head, magic, 7) == 0 && head[7] > magic[7] && head[7] <= '9')
        return ps_raise(err, PS_E_STATE_FORMAT, in->path);
    if (memcmp(head, magic, 7) != 0 || head[7] < '1' || head[7] > magic[7] || !is_sound(head, HEADER - 4, NULL, 0) ||
        get32(head + 8) != (uint32_t)kind || get32(head + 12) != (uint32_t)in->store->n_families ||
        get32(head + 16) != (uint32_t)in->store->n_shards || ps_word_at(head + 24) != (uint64_t)version)
        return damaged(in, err);
    in->id = ps_word_at(head + 32);
    in->parent = ps_word_at(head + 40);
    return PS_OK;
}

/* Gives the slot the value of a record, whose far cells hold pointers. */
static ps_status put_value(ps_shard *shard, uint8_t *slot, const uint8_t *record, ps_error *err)
{
    const ps_layout *layout = shard->table.layout;
    int64_t time;

    for (int c = layout->key.n_cells; c < layout->n_cells; c++)
        ps_cell_drop(&shard->table.heap, (ps_cell *)(slot + layout->cells[c]));
    memcpy(slot + layout->value_at, record + layout->value_at, layout->n_bytes - layout->value_at);
    for (int c = layout->key.n_cells; c < layout->n_cells; c++) {
        ps_cell *cell = (ps_cell *)(slot + layout->cells[c]), copy = *cell;
        if (!ps_cell_is_far(&copy))
            continue;
        ps_cell_init(cell);
        PS_TRY(ps_cell_set(&shard->table.heap, cell, (const char *)(uintptr_t)copy.far.at,
                           copy.n_bytes, err));
    }
    if (((ps_slot *)slot)->flags & PS_SLOT_NEW && shard->family->by_time &&
        ps_key_time(&layout->key, slot, &time))
        PS_TRY(psi_times_add(&shard->times, time, ((ps_slot *)slot)->tag, err));
    ((ps_slot *)slot)->flags = 0;
    return PS_OK;
}

static ps_status put_records(reader *in, ps_shard *shard, uint32_t n_records, ps_error *err)
{
    const ps_layout *layout = shard->table.layout;
    uint8_t *slots[PS_CHUNK];
    size_t at = 0;

    for (uint32_t done = 0; done < n_records;) {
        int n = n_records - done < PS_CHUNK ? (int)(n_records - done) : PS_CHUNK;
        for (int j = 0; j < n; j++)
            PS_TRY(psi_record_take(layout, in->path, &in->raw, &at,
                                   in->records + (size_t)j * layout->n_bytes, err));
        PS_TRY(ps_table_upsert_records(&shard->table, in->records, layout->n_bytes, n, slots, err));
        for (int j = 0; j < n; j++)
            PS_TRY(put_value(shard, slots[j], in->records + (size_t)j * layout->n_bytes, err));
        done += (uint32_t)n;
    }
    return at == in->raw.n_bytes ? PS_OK : damaged(in, err);
}

static ps_status read_block(reader *in, ps_shard *shard, uint32_t *n_records, ps_error *err)
{
    const ps_layout *layout = shard->table.layout;
    uint8_t head[PSI_BLOCK_HEAD];
    psi_block block;

    PS_TRY(read_exactly(in, head, sizeof head, err));
    if (!psi_block_read_head(layout, head, &block) || block.n_packed > in->size - in->n_bytes)
        return damaged(in, err);
    ps_bytes_reset(&in->packed);
    PS_TRY(ps_bytes_reserve(&in->packed, block.n_packed + PSI_BLOCK_SLACK, err));
    PS_TRY(read_exactly(in, in->packed.data, block.n_packed, err));
    if (!is_sound(head, PSI_BLOCK_HEAD - 4, in->packed.data, block.n_packed))
        return damaged(in, err);
    PS_TRY(psi_block_unpack(layout, in->path, &block, (const uint8_t *)in->packed.data, &in->raw,
                            err));
    *n_records = block.n_records;
    return put_records(in, shard, block.n_records, err);
}

static ps_status evict(ps_shard *shard, int64_t until_us, ps_error *err)
{
    uint8_t *slots[PS_CHUNK];
    uint64_t position = 0;
    int64_t n_removed;

    if (!shard->family->by_time) /* the query no longer follows time (complete mode): nothing was
                                    evicted either */
        return PS_OK;
    while (ps_shard_next_expired(shard, until_us, &position, slots, PS_CHUNK) > 0) {
    }
    return ps_shard_evict(shard, until_us, &n_removed, err);
}

static ps_status read_section(reader *in, ps_shard *shard, ps_error *err)
{
    uint8_t head[SECTION];
    uint64_t n_records, seen = 0;
    uint32_t n_blocks, n = 0;

    PS_TRY(read_exactly(in, head, sizeof head, err));
    if (!is_sound(head, SECTION - 4, NULL, 0) ||
        get32(head) * (uint64_t)in->store->n_shards + get32(head + 4) != (uint64_t)shard->index ||
        get32(head + 12) > 1)
        return damaged(in, err);
    n_blocks = get32(head + 8);
    n_records = ps_word_at(head + 16);
    /* Keys come in the order of their tags, so the table has its size beforehand; its file bounds
     * what it can hold. */
    if (n_records > psi_blocks_most(shard->table.layout, in->size))
        return damaged(in, err);
    if (get32(head + 12))
        PS_TRY(evict(shard, (int64_t)ps_word_at(head + 24), err));
    PS_TRY(ps_table_reserve(&shard->table, (int64_t)n_records, err));
    for (uint32_t b = 0; b < n_blocks; b++) {
        PS_TRY(read_block(in, shard, &n, err));
        seen += n;
    }
    return seen == n_records ? PS_OK : damaged(in, err);
}

static ps_status read_end(reader *in, ps_error *err)
{
    uint8_t end[END], more;
    uint64_t n_bytes = in->n_bytes;
    size_t n;

    PS_TRY(read_exactly(in, end, sizeof end, err));
    if (memcmp(end, end_magic, 8) != 0 || ps_word_at(end + 8) != n_bytes)
        return damaged(in, err);
    PS_TRY(ps_file_read(in->file, &more, 1, &n, err));
    return n == 0 ? PS_OK : damaged(in, err);
}

/* Applies a file to the store. */
static ps_status read_file(ps_store *store, psi_file_kind kind, int64_t version, ps_error *err)
{
    reader in = {.store = store};
    ps_file_info info = {0};
    bool exists;
    char *path = NULL;
    size_t widest = 0;
    ps_status rc;

    PS_TRY_OR(done, psi_file_path(store, kind, version, &path, err));
    in.path = path;
    for (int f = 0; f < store->n_families; f++)
        if (store->families[f].layout->n_bytes > widest)
            widest = store->families[f].layout->n_bytes;
    PS_TRY_OR(done, ps_alloc(widest * PS_CHUNK, &in.records, err));
    rc = ps_fs_stat(store->options.fs, path, &info, &exists, err);
    if (rc == PS_OK && !exists)
        rc = PS_E_FILE_NOT_FOUND;
    if (rc == PS_OK)
        rc = ps_fs_open_read(store->options.fs, path, &in.file, err);
    in.size = (uint64_t)info.n_bytes;
    if (rc == PS_E_FILE_NOT_FOUND)
        rc = ps_raise(err, PS_E_STATE_VERSION_MISSING, path, store->options.owner, path);
    PS_TRY_OR(done, rc);
    PS_TRY_OR(done, read_header(&in, kind, version, err));
    if (kind == PSI_DELTA && in.parent != store->id)
        PS_TRY_OR(done, damaged(&in, err));
    for (int i = 0; i < store->n_families * store->n_shards; i++)
        PS_TRY_OR(done, read_section(&in, &store->shards[i], err));
    PS_TRY_OR(done, read_end(&in, err));
    store->version = version;
    store->id = in.id;
    if (kind == PSI_DELTA) {
        store->n_deltas++;
        store->delta_bytes += in.n_bytes;
    } else {
        store->n_deltas = 0;
        store->delta_bytes = 0;
        store->snapshot_bytes = in.n_bytes;
    }
done:
    ps_file_close(in.file, NULL);
    ps_bytes_clear(&in.packed);
    ps_bytes_clear(&in.raw);
    ps_free(in.records);
    ps_free(path);
    return rc;
}

static ps_status load_from(ps_store *store, int64_t snapshot, int64_t version, ps_error *err)
{
    psi_shards_clear(store);
    store->version = 0;
    store->id = 0;
    if (snapshot > 0)
        PS_TRY(read_file(store, PSI_SNAPSHOT, snapshot, err));
    for (int64_t v = snapshot + 1; v <= version; v++)
        PS_TRY(read_file(store, PSI_DELTA, v, err));
    for (int i = 0; i < store->n_families * store->n_shards; i++) {
        PS_TRY(ps_table_account(&store->shards[i].table, err));
        store->shards[i].evicted = false;
    }
    return PS_OK;
}

/* From the newest snapshot that can be read; a damaged one costs time alone while its deltas are
 * there. */
ps_status psi_store_load(ps_store *store, int64_t version, ps_error *err)
{
    int64_t *snapshots;
    int n;
    ps_status rc;

    PS_TRY(psi_meta_read(store, err));
    PS_TRY(psi_store_list(store, PSI_SNAPSHOT, &snapshots, &n, err));
    while (n > 0 && snapshots[n - 1] > version)
        n--;
    do {
        n--;
        rc = load_from(store, n >= 0 ? snapshots[n] : 0, version, err);
    } while (n >= 0 && (rc == PS_E_STATE_CORRUPT || rc == PS_E_STATE_VERSION_MISSING));
    if (rc == PS_OK)
        rc = remove_stale(store, version + 1, err);
    ps_free(snapshots);
    store->has_meta = rc == PS_OK;
    return rc;
}
