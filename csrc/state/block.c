/*
 * state/block.c - slots as records, and records packed into blocks.
 *
 * A record is a slot as it lies in memory without flags, the end of its window put in where the
 * slot has none, and behind it the bytes of its far cells, in the order of the layout.  A block is a
 * head of 20 bytes {kind, records, bytes unpacked, bytes packed, CRC of the sixteen bytes before and
 * of the packed bytes; 32 bits each} and the packed bytes:
 *
 * - kind 1, slots: the records, LZ4 unless both sizes are the same
 * - kind 2, words, for slots without cells: the records' words as columns.  A column is the least
 *   value, signed (64 bits), how many bytes of a value's distance to it are kept (8 bits), and
 *   these bytes of each record.  The same window, small counts and near keys take next to nothing.
 */
#include "base/hash.h"
#include "state/store_int.h"
#include <lz4.h>

#define FULL_SLOTS ((size_t)64 << 10)
#define FULL_WORDS ((size_t)16 << 10) /* columns are read out of what fits in the nearest cache */
#define MOST_RECORDS 4096 /* of words; a few bytes could stand for any number of equal ones */
#define COLUMN_HEAD 9
typedef enum kind { KIND_SLOTS = 1, KIND_WORDS = 2 } kind;

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
    return ps_word_at(slot + end_of_window(layout) - 8) + (uint64_t)layout->key.window_us;
}

static void put_slot(const ps_layout *layout, const uint8_t *slot, uint8_t *record)
{
    size_t n = end_of_window(layout);

    ps_copy_words(record, slot, n);
    memset(record + offsetof(ps_slot, flags), 0, sizeof(uint16_t));
    if (n < layout->n_bytes) {
        uint64_t end = window_end(layout, slot);
        memcpy(record + n, &end, sizeof end);
        ps_copy_words(record + n + 8, slot + n, layout->n_bytes - n);
    }
}

/* False when a record's window is of another width. */
static bool get_slot(const ps_layout *layout, const uint8_t *record, uint8_t *slot)
{
    size_t n = end_of_window(layout);

    ps_copy_words(slot, record, n);
    if (n == layout->n_bytes)
        return true;
    ps_copy_words(slot + n, record + n + 8, layout->n_bytes - n);
    return ps_word_at(record + n) == window_end(layout, slot);
}

static ps_status damaged(const char *path, ps_error *err)
{
    return ps_raise(err, PS_E_STATE_CORRUPT, path);
}

ps_status psi_record_take(const ps_layout *layout, const char *path, const ps_bytes *records,
                          size_t *at, uint8_t *to, ps_error *err)
{
    size_t left = records->n_bytes - *at, n = record_bytes(layout);
    const char *data = records->data + *at;

    if (left < n)
        return damaged(path, err);
    if (!get_slot(layout, (const uint8_t *)data, to))
        return ps_raise(err, PS_E_STATE_KEY_SCHEMA, "windows of another width",
                        "the windows of this query");
    data += n;
    left -= n;
    if (((ps_slot *)to)->tag == 0 || ((ps_slot *)to)->flags != 0)
        return damaged(path, err);
    for (int c = 0; c < layout->n_cells; c++) {
        ps_cell *cell = (ps_cell *)(to + layout->cells[c]);
        if (!ps_cell_is_far(cell))
            continue;
        if (cell->n_bytes > left || cell->n_bytes > INT32_MAX - 8)
            return damaged(path, err);
        cell->far.at = (uint64_t)(uintptr_t)data;
        memcpy(cell->far.prefix, data, 8);
        data += cell->n_bytes;
        left -= cell->n_bytes;
    }
    *at = (size_t)(data - records->data);
    return PS_OK;
}

/* ---- words as columns ---- */

/* How many bytes hold x. */
static int bytes_of(uint64_t x)
{
    return x == 0 ? 0 : (71 - __builtin_clzll(x)) / 8;
}

/* Writes whole words, each over what is not kept of the one before: 8 bytes behind the last. */
static inline __attribute__((always_inline)) void put_values(const uint8_t *word, size_t stride,
                                                             uint32_t n, uint64_t least,
                                                             size_t width, uint8_t *out)
{
    for (uint32_t i = 0; i < n; i++, word += stride, out += width) {
        uint64_t x = ps_word_at(word) - least;
        memcpy(out, &x, sizeof x);
    }
}

static uint8_t *put_column(const uint8_t *word, size_t stride, uint32_t n, uint8_t *out)
{
    int64_t least = INT64_MAX, most = INT64_MIN;
    int width;

    for (uint32_t i = 0; i < n; i++) {
        int64_t x = (int64_t)ps_word_at(word + i * stride);
        least = x < least ? x : least;
        most = x > most ? x : most;
    }
    width = bytes_of((uint64_t)most - (uint64_t)least);
    memcpy(out, &least, sizeof least);
    out[8] = (uint8_t)width;
    out += COLUMN_HEAD;
    if (width > 0)
        put_values(word, stride, n, (uint64_t)least, (size_t)width, out);
    return out + (size_t)width * n;
}

/* `out` has room for bound_of_words() bytes.  Returns how many it took. */
static size_t pack_words(const uint8_t *records, size_t stride, uint32_t n, uint8_t *out)
{
    uint8_t *at = out;

    for (size_t w = 0; w < stride; w += 8)
        at = put_column(records + w, stride, n, at);
    return (size_t)(at - out);
}

static size_t bound_of_words(size_t stride, size_t n_raw)
{
    return n_raw + stride / 8 * COLUMN_HEAD + PSI_BLOCK_SLACK;
}

/* `packed` has PSI_BLOCK_SLACK readable bytes behind it.  False when it is not what was packed. */
static bool unpack_words(const uint8_t *packed, size_t n_packed, size_t stride, uint32_t n,
                         uint8_t *records)
{
    const uint8_t *at = packed, *end = packed + n_packed;

    for (size_t w = 0; w < stride; w += 8) {
        uint64_t least, kept;
        size_t width;
        if (end - at < COLUMN_HEAD || at[8] > 8)
            return false;
        least = ps_word_at(at);
        width = at[8];
        kept = width == 8 ? UINT64_MAX : ((uint64_t)1 << 8 * width) - 1;
        at += COLUMN_HEAD;
        if ((size_t)(end - at) < width * n)
            return false;
        for (uint32_t i = 0; i < n; i++, at += width) {
            uint64_t x = least + (ps_word_at(at) & kept);
            memcpy(records + i * stride + w, &x, sizeof x);
        }
    }
    return at == end;
}

/* ---- packing ---- */

void psi_blocks_clear(psi_blocks *blocks)
{
    ps_bytes_clear(&blocks->raw);
    ps_bytes_clear(&blocks->packed);
    memset(blocks, 0, sizeof *blocks);
}

static kind kind_of(const ps_layout *layout)
{
    return layout->n_cells == 0 ? KIND_WORDS : KIND_SLOTS;
}

/* Packs the open block's records behind `head`, where there is room; returns their size. */
static size_t pack(const psi_blocks *blocks, uint8_t *to, size_t room)
{
    const ps_bytes *raw = &blocks->raw;
    int n;

    if (kind_of(blocks->layout) == KIND_WORDS)
        return pack_words((const uint8_t *)raw->data, record_bytes(blocks->layout),
                          blocks->n_records, to);
    n = LZ4_compress_default(raw->data, (char *)to, (int)raw->n_bytes, (int)room);
    if (n > 0 && (size_t)n < raw->n_bytes)
        return (size_t)n;
    memcpy(to, raw->data, raw->n_bytes);
    return raw->n_bytes;
}

static ps_status close_block(psi_blocks *blocks, ps_error *err)
{
    ps_bytes *out = &blocks->packed;
    size_t n_raw = blocks->raw.n_bytes, room, n;
    uint32_t head[PSI_BLOCK_HEAD / 4] = {kind_of(blocks->layout), blocks->n_records};
    uint8_t *at;

    if (blocks->n_records == 0)
        return PS_OK;
    if (n_raw > LZ4_MAX_INPUT_SIZE)
        return ps_raise(err, PS_E_INTERNAL, "a record of state is longer than 2 GiB");
    room = head[0] == KIND_WORDS ? bound_of_words(record_bytes(blocks->layout), n_raw)
                                 : (size_t)LZ4_compressBound((int)n_raw);
    PS_TRY(ps_bytes_reserve(out, PSI_BLOCK_HEAD + room, err));
    at = (uint8_t *)out->data + out->n_bytes;
    n = pack(blocks, at + PSI_BLOCK_HEAD, room);
    head[2] = (uint32_t)n_raw;
    head[3] = (uint32_t)n;
    head[4] = ps_crc32c(ps_crc32c(0, head, PSI_BLOCK_HEAD - 4), at + PSI_BLOCK_HEAD, n);
    memcpy(at, head, PSI_BLOCK_HEAD);
    out->n_bytes += PSI_BLOCK_HEAD + n;
    blocks->n_total += blocks->n_records;
    blocks->n_records = 0;
    blocks->n_blocks++;
    ps_bytes_reset(&blocks->raw);
    return PS_OK;
}

static ps_status add_cells(psi_blocks *blocks, size_t record, const uint8_t *slot,
                           const ps_heap *heap, ps_error *err)
{
    const ps_layout *layout = blocks->layout;

    for (int c = 0; c < layout->n_cells; c++) {
        const ps_cell *cell = (const ps_cell *)(slot + layout->cells[c]);
        char *copy = blocks->raw.data + record + place_in_record(layout, layout->cells[c]);
        ps_slice bytes;
        if (!ps_cell_is_far(cell))
            continue;
        memset(copy + offsetof(ps_cell, far), 0, sizeof cell->far);
        bytes = ps_cell_get(heap, cell);
        PS_TRY(ps_bytes_append(&blocks->raw, bytes.data, bytes.n_bytes, err));
    }
    return PS_OK;
}

ps_status psi_blocks_add(psi_blocks *blocks, const uint8_t *slot, const ps_heap *heap,
                         ps_error *err)
{
    const ps_layout *layout = blocks->layout;
    size_t at = blocks->raw.n_bytes, n = record_bytes(layout);

    PS_TRY(ps_bytes_reserve(&blocks->raw, n, err));
    put_slot(layout, slot, (uint8_t *)blocks->raw.data + at);
    blocks->raw.n_bytes += n;
    blocks->n_records++;
    if (layout->n_cells == 0)
        return blocks->raw.n_bytes >= FULL_WORDS ? close_block(blocks, err) : PS_OK;
    PS_TRY(add_cells(blocks, at, slot, heap, err));
    return blocks->raw.n_bytes >= FULL_SLOTS ? close_block(blocks, err) : PS_OK;
}

ps_status psi_blocks_end(psi_blocks *blocks, ps_error *err)
{
    return close_block(blocks, err);
}

/* ---- unpacking ---- */

/* LZ4 packs at most 255 to 1; of records of words each takes a byte, since their keys differ. */
uint64_t psi_blocks_most(const ps_layout *layout, uint64_t n_bytes)
{
    uint64_t slots = n_bytes * 255 / record_bytes(layout);

    return layout->n_cells == 0 && slots < n_bytes ? n_bytes : slots;
}

bool psi_block_read_head(const ps_layout *layout, const uint8_t *head, psi_block *block)
{
    size_t size = record_bytes(layout);

    memcpy(block, head, sizeof *block);
    if (block->n_raw > LZ4_MAX_INPUT_SIZE || block->n_records > block->n_raw / size)
        return false;
    if (block->kind == KIND_WORDS)
        return layout->n_cells == 0 && block->n_records <= MOST_RECORDS &&
               block->n_raw == block->n_records * size &&
               block->n_packed <= bound_of_words(size, block->n_raw);
    /* Sizes beyond what LZ4 can do are no reason to reserve memory. */
    return block->kind == KIND_SLOTS && block->n_packed <= block->n_raw &&
           block->n_raw / 255 <= block->n_packed;
}

ps_status psi_block_unpack(const ps_layout *layout, const char *path, const psi_block *block,
                           const uint8_t *packed, ps_bytes *records, ps_error *err)
{
    bool sound = true;

    ps_bytes_reset(records);
    PS_TRY(ps_bytes_reserve(records, block->n_raw, err));
    records->n_bytes = block->n_raw;
    if (block->kind == KIND_WORDS)
        sound = unpack_words(packed, block->n_packed, record_bytes(layout), block->n_records,
                             (uint8_t *)records->data);
    else if (block->n_packed == block->n_raw)
        memcpy(records->data, packed, block->n_raw);
    else
        sound = LZ4_decompress_safe((const char *)packed, records->data, (int)block->n_packed,
                                    (int)block->n_raw) == (int)block->n_raw;
    return sound ? PS_OK : damaged(path, err);
}
