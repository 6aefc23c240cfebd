/*
 * state/delta.c - state files: <version>.delta has what a batch changed, <version>.snap a whole
 * state.
 *
 * - header, 64 bytes: "PSSTATE1", kind, families, shards, 0 (32 bits each), version, id, parent
 *   (64 bits each), 12 bytes of 0, CRC of all before
 * - section, one per family and shard in that order, 48 bytes: family, shard, blocks, evicted
 *   (32 bits each), records, evicted_to (64 bits each), 12 bytes of 0, CRC of all before; then its
 *   blocks
 * - block, 20 bytes: kind (1: slots), records, bytes unpacked, bytes packed, CRC of the sixteen
 *   bytes before and of the packed bytes (32 bits each); then the bytes, LZ4 unless both sizes are
 *   the same
 * - end, 16 bytes: "PSSTAEND", length of the file before the end
 *
 * Numbers are little-endian, CRCs are CRC-32C.  A record is a slot as it lies in memory without
 * flags, the end of its window put in where the slot has none, and behind it the bytes of its far
 * cells, in the order of the layout.  A delta first evicts, then puts: records are final values.  The
 * id of a version is drawn at its commit; a delta names the id that it starts from, so files of two
 * attempts at a batch are never mixed.  A snapshot has the id of its version.
 */
#include "base/failpoint.h"
#include "base/hash.h"
#include "state/store_int.h"
#include <lz4.h>
#include <stdio.h>

#define HEADER 64
#define SECTION 48
#define BLOCK 20
#define END 16
#define FULL_BLOCK ((size_t)64 << 10)
#define KIND_SLOTS 1
#define WORTH_WORKERS 10000 /* slots; waking a worker takes as long as packing some hundred */

static const char magic[9] = "PSSTATE1", end_magic[9] = "PSSTAEND";

/* ---- slots and records ---- */

/* Where the end of the window is put in; behind the slot when there is none to put. */
static size_t end_of_window(const ps_layout *layout)
{
    int word = layout->key.end_word;

    return word < 0 ? layout->n_bytes : PS_SLOT_KEY + 8 * (size_t)word;
}

static size_t record_bytes(const ps_layout *layout)
{
    return layout->n_bytes + (layout->key.end_word < 0 ? 0 : 8);
}

static size_t place_in_record(const ps_layout *layout, size_t at)
{
    return at < end_of_window(layout) ? at : at + 8;
}

static uint64_t window_end(const ps_layout *layout, const uint8_t *slot)
{
    uint64_t start;

    memcpy(&start, slot + end_of_window(layout) - 8, sizeof start);
    return start + (uint64_t)layout->key.window_us;
}

static void put_slot(const ps_layout *layout, const uint8_t *slot, uint8_t *record)
{
    size_t n = end_of_window(layout);
    uint64_t end;

    memcpy(record, slot, n);
    if (n == layout->n_bytes)
        return;
    end = window_end(layout, slot);
    memcpy(record + n, &end, sizeof end);
    memcpy(record + n + 8, slot + n, layout->n_bytes - n);
}

/* False when a record's window is of another width. */
static bool get_slot(const ps_layout *layout, const void *record, uint8_t *slot)
{
    size_t n = end_of_window(layout);
    uint64_t end;

    memcpy(slot, record, n);
    if (n == layout->n_bytes)
        return true;
    memcpy(&end, (const char *)record + n, sizeof end);
    memcpy(slot + n, (const char *)record + n + 8, layout->n_bytes - n);
    return end == window_end(layout, slot);
}

/* ---- records to blocks ---- */

void psi_blocks_clear(psi_blocks *blocks)
{
    ps_bytes_clear(&blocks->raw);
    ps_bytes_clear(&blocks->packed);
    memset(blocks, 0, sizeof *blocks);
}

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
static uint64_t get64(const uint8_t *at)
{
    uint64_t x;
    memcpy(&x, at, sizeof x);
    return x;
}

static ps_status close_block(psi_blocks *blocks, ps_error *err)
{
    ps_bytes *out = &blocks->packed;
    int n_raw = (int)blocks->raw.n_bytes, n;
    uint8_t *head;

    if (blocks->n_records == 0)
        return PS_OK;
    if (blocks->raw.n_bytes > LZ4_MAX_INPUT_SIZE)
        return ps_raise(err, PS_E_INTERNAL, "a record of state is longer than 2 GiB");
    PS_TRY(ps_bytes_reserve(out, BLOCK + (size_t)LZ4_compressBound(n_raw), err));
    head = (uint8_t *)out->data + out->n_bytes;
    n = LZ4_compress_default(blocks->raw.data, (char *)head + BLOCK, n_raw,
                             LZ4_compressBound(n_raw));
    if (n <= 0 || n >= n_raw) {
        n = n_raw;
        memcpy(head + BLOCK, blocks->raw.data, (size_t)n);
    }
    put32(head, KIND_SLOTS);
    put32(head + 4, blocks->n_records);
    put32(head + 8, (uint32_t)n_raw);
    put32(head + 12, (uint32_t)n);
    put32(head + 16, ps_crc32c(ps_crc32c(0, head, 16), head + BLOCK, (size_t)n));
    out->n_bytes += BLOCK + (size_t)n;
    blocks->n_total += blocks->n_records;
    blocks->n_records = 0;
    blocks->n_blocks++;
    ps_bytes_reset(&blocks->raw);
    return PS_OK;
}

ps_status psi_blocks_add(psi_blocks *blocks, const uint8_t *slot, const ps_heap *heap,
                         ps_error *err)
{
    const ps_layout *layout = blocks->layout;
    size_t at = blocks->raw.n_bytes, n = record_bytes(layout);
    uint8_t *record;

    PS_TRY(ps_bytes_reserve(&blocks->raw, n, err));
    record = (uint8_t *)blocks->raw.data + at;
    put_slot(layout, slot, record);
    memset(record + offsetof(ps_slot, flags), 0, sizeof(uint16_t));
    blocks->raw.n_bytes += n;
    for (int c = 0; c < layout->n_cells; c++) {
        const ps_cell *cell = (const ps_cell *)(slot + layout->cells[c]);
        ps_slice bytes;
        if (!ps_cell_is_far(cell))
            continue;
        record = (uint8_t *)blocks->raw.data + at + place_in_record(layout, layout->cells[c]);
        memset(record + offsetof(ps_cell, far), 0, sizeof cell->far);
        bytes = ps_cell_get(heap, cell);
        PS_TRY(ps_bytes_append(&blocks->raw, bytes.data, bytes.n_bytes, err));
    }
    blocks->n_records++;
    return blocks->raw.n_bytes >= FULL_BLOCK ? close_block(blocks, err) : PS_OK;
}

ps_status psi_blocks_end(psi_blocks *blocks, ps_error *err)
{
    return close_block(blocks, err);
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
    if (out->waiting.n_bytes + n_bytes > FULL_BLOCK)
        PS_TRY(flush(out, err));
    if (n_bytes > FULL_BLOCK)
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
    if (memcmp(head, magic, 8) != 0 || !is_sound(head, HEADER - 4, NULL, 0) ||
        get32(head + 8) != (uint32_t)kind || get32(head + 12) != (uint32_t)in->store->n_families ||
        get32(head + 16) != (uint32_t)in->store->n_shards || get64(head + 24) != (uint64_t)version)
        return damaged(in, err);
    in->id = get64(head + 32);
    in->parent = get64(head + 40);
    return PS_OK;
}

/* One record, copied to `to` as a slot with pointers in its far cells; *at moves behind it. */
static ps_status take_record(const reader *in, const ps_layout *layout, size_t *at, uint8_t *to,
                             ps_error *err)
{
    const ps_bytes *raw = &in->raw;
    size_t left = raw->n_bytes - *at, n = record_bytes(layout);
    const char *data = raw->data + *at;

    if (left < n)
        return damaged(in, err);
    if (!get_slot(layout, data, to))
        return ps_raise(err, PS_E_STATE_KEY_SCHEMA, "windows of another width",
                        "the windows of this query");
    data += n;
    left -= n;
    if (((ps_slot *)to)->tag == 0 || ((ps_slot *)to)->flags != 0)
        return damaged(in, err);
    for (int c = 0; c < layout->n_cells; c++) {
        ps_cell *cell = (ps_cell *)(to + layout->cells[c]);
        if (!ps_cell_is_far(cell))
            continue;
        if (cell->n_bytes > left || cell->n_bytes > INT32_MAX - 8)
            return damaged(in, err);
        cell->far.at = (uint64_t)(uintptr_t)data;
        memcpy(cell->far.prefix, data, 8);
        data += cell->n_bytes;
        left -= cell->n_bytes;
    }
    *at = (size_t)(data - raw->data);
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
    uint8_t *from[PS_CHUNK], *slots[PS_CHUNK];
    size_t at = 0;

    for (uint32_t done = 0; done < n_records;) {
        int n = n_records - done < PS_CHUNK ? (int)(n_records - done) : PS_CHUNK;
        for (int j = 0; j < n; j++) {
            from[j] = in->records + (size_t)j * layout->n_bytes;
            PS_TRY(take_record(in, layout, &at, from[j], err));
        }
        PS_TRY(ps_table_upsert_slots(&shard->table, NULL, from, n, slots, err));
        for (int j = 0; j < n; j++)
            PS_TRY(put_value(shard, slots[j], from[j], err));
        done += (uint32_t)n;
    }
    return at == in->raw.n_bytes ? PS_OK : damaged(in, err);
}

static ps_status read_block(reader *in, ps_shard *shard, uint32_t *n_records, ps_error *err)
{
    uint8_t head[BLOCK];
    uint32_t n_raw, n_packed;

    PS_TRY(read_exactly(in, head, sizeof head, err));
    *n_records = get32(head + 4);
    n_raw = get32(head + 8);
    n_packed = get32(head + 12);
    /* LZ4 packs at most 255 to 1: sizes beyond that are no reason to reserve memory. */
    if (get32(head) != KIND_SLOTS || n_raw > LZ4_MAX_INPUT_SIZE || n_packed > n_raw ||
        n_raw / 255 > n_packed || *n_records > n_raw / record_bytes(shard->table.layout))
        return damaged(in, err);
    ps_bytes_reset(&in->packed);
    ps_bytes_reset(&in->raw);
    PS_TRY(ps_bytes_reserve(&in->packed, n_packed, err));
    PS_TRY(read_exactly(in, in->packed.data, n_packed, err));
    if (!is_sound(head, 16, in->packed.data, n_packed))
        return damaged(in, err);
    PS_TRY(ps_bytes_reserve(&in->raw, n_raw, err));
    in->raw.n_bytes = n_raw;
    if (n_packed == n_raw)
        memcpy(in->raw.data, in->packed.data, n_raw);
    else if (LZ4_decompress_safe(in->packed.data, in->raw.data, (int)n_packed, (int)n_raw) !=
             (int)n_raw)
        return damaged(in, err);
    return put_records(in, shard, *n_records, err);
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
    uint32_t n_blocks, n;

    PS_TRY(read_exactly(in, head, sizeof head, err));
    if (!is_sound(head, SECTION - 4, NULL, 0) ||
        get32(head) * (uint64_t)in->store->n_shards + get32(head + 4) != (uint64_t)shard->index ||
        get32(head + 12) > 1)
        return damaged(in, err);
    n_blocks = get32(head + 8);
    n_records = get64(head + 16);
    /* Keys come in the order of their tags, so the table has its size beforehand; LZ4 bounds what a
     * file can hold. */
    if (n_records > in->size * 255 / record_bytes(shard->table.layout))
        return damaged(in, err);
    if (get32(head + 12))
        PS_TRY(evict(shard, (int64_t)get64(head + 24), err));
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
    if (memcmp(end, end_magic, 8) != 0 || get64(end + 8) != n_bytes)
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
