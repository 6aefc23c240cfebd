/*
 * state/table.c - the hash table: upsert, find, grow, remove.
 *
 * Rows are looked up a chunk at a time: their images first, then the probes with the slots
 * prefetched some rows ahead. A table grows only when a missing key finds it full; the rows of the
 * call that were placed before are then looked up again, since their slots have moved.
 */
#include "state/table.h"

#define AHEAD 16 /* rows whose slots are fetched before they are probed */
#define FIRST_CAPACITY 16
#define TAIL 64 /* slots behind the last home; runs that reach their end make the table grow */

/* ---- layout ---- */

ps_status ps_layout_init(ps_layout *layout, const ps_key_spec *spec, size_t n_value_bytes,
                         const uint8_t *initial, const uint32_t *value_cells, int n_value_cells,
                         ps_error *err)
{
    ps_status rc;
    const ps_key *key = &layout->key;

    memset(layout, 0, sizeof *layout);
    PS_TRY(ps_key_init(&layout->key, spec, err));
    layout->value_at = PS_SLOT_KEY + key->n_bytes;
    layout->n_bytes = layout->value_at + ((n_value_bytes + 7) & ~(size_t)7);
    PS_TRY_OR(fail, ps_alloc0(layout->n_bytes - layout->value_at, &layout->initial, err));
    if (n_value_bytes > 0)
        memcpy(layout->initial, initial, n_value_bytes);
    PS_TRY_OR(fail, ps_alloc((size_t)(key->n_cells + n_value_cells) * sizeof *layout->cells,
                             &layout->cells, err));
    for (int i = 0; i < key->n_cells; i++)
        layout->cells[layout->n_cells++] = (uint32_t)PS_SLOT_KEY + key->cells[i];
    for (int i = 0; i < n_value_cells; i++)
        layout->cells[layout->n_cells++] = (uint32_t)layout->value_at + value_cells[i];
    return PS_OK;
fail:
    ps_layout_clear(layout);
    return rc;
}

void ps_layout_clear(ps_layout *layout)
{
    ps_key_clear(&layout->key);
    ps_free(layout->initial);
    ps_free(layout->cells);
    memset(layout, 0, sizeof *layout);
}

/* ---- memory ---- */

void ps_table_init(ps_table *table, const ps_layout *layout, int shard_bits,
                   const ps_budget *budget)
{
    memset(table, 0, sizeof *table);
    table->layout = layout;
    table->shard_bits = shard_bits;
    table->budget = budget;
}

size_t ps_table_n_bytes(const ps_table *table)
{
    return table->n_physical * table->layout->n_bytes + table->heap.n_bytes;
}

static void charge(ps_table *table, size_t n_bytes)
{
    if (table->budget != NULL) {
        atomic_fetch_add(table->budget->used, n_bytes - table->charged); /* wraps when it is less */
        table->charged = n_bytes;
    }
}

void ps_table_clear(ps_table *table)
{
    charge(table, 0);
    ps_free(table->slots);
    ps_heap_clear(&table->heap);
    if (table->images != NULL)
        ps_images_clear(table->images);
    ps_free(table->images);
    memset(table, 0, sizeof *table);
}

/* `slot` is the key that needs the room, in this table or the image of one; NULL: none in
 * particular. */
static ps_status check_budget(ps_table *table, size_t n_more, const uint8_t *slot, ps_error *err)
{
    const ps_budget *budget = table->budget;
    ps_bytes text = {0};
    size_t used;

    if (budget == NULL || budget->limit == 0)
        return PS_OK;
    used = atomic_load(budget->used);
    if (used + n_more <= budget->limit)
        return PS_OK;
    if (slot != NULL)
        ps_key_text(&table->layout->key, slot, &table->heap, &text, NULL);
    ps_raise(err, PS_E_STATE_MEMORY_LIMIT, budget->owner, used + n_more,
             text.data ? text.data : "of this batch", budget->limit);
    ps_bytes_clear(&text);
    return PS_E_STATE_MEMORY_LIMIT;
}

static inline uint64_t home_of(const ps_table *table, uint32_t tag)
{
    return (uint64_t)(uint32_t)(tag << table->shard_bits) * table->capacity >> 32;
}

static inline ps_slot *slot_at(const ps_table *table, uint64_t i)
{
    return (ps_slot *)(table->slots + i * table->layout->n_bytes);
}

/* Puts the slots, in order, into others; false when a run does not fit. */
static inline __attribute__((always_inline)) bool refill_slots(const ps_table *from, size_t size,
                                                               uint8_t *slots, uint64_t capacity,
                                                               uint64_t n_physical)
{
    const uint8_t *slot = from->slots;
    uint8_t *last = slots + (n_physical - 1) * size;
    ps_table to = {.shard_bits = from->shard_bits, .capacity = capacity};

    for (uint64_t n = from->n_physical; n > 0; n--, slot += size) {
        uint32_t tag = ((const ps_slot *)slot)->tag;
        uint8_t *at;
        if (tag == 0)
            continue;
        at = slots + home_of(&to, tag) * size;
        while (((const ps_slot *)at)->tag != 0)
            at += size;
        if (at >= last)
            return false;
        ps_copy_words(at, slot, size);
    }
    return true;
}

static bool refill(const ps_table *from, uint8_t *slots, uint64_t capacity, uint64_t n_physical)
{
    switch (from->layout->n_bytes) {
    case 24:
        return refill_slots(from, 24, slots, capacity, n_physical);
    case 32:
        return refill_slots(from, 32, slots, capacity, n_physical);
    case 40:
        return refill_slots(from, 40, slots, capacity, n_physical);
    case 48:
        return refill_slots(from, 48, slots, capacity, n_physical);
    default:
        return refill_slots(from, from->layout->n_bytes, slots, capacity, n_physical);
    }
}

/* State is dense; a transient table is rather sparse, since every second look at a slot costs a
 * wrong guess of the processor. */
static int64_t limit_of(const ps_table *table, uint64_t capacity)
{
    return (int64_t)(table->budget ? capacity - capacity * 2 / 5 : capacity * 3 / 8);
}

static ps_status resize(ps_table *table, uint64_t capacity, uint64_t tail, const uint8_t *slot,
                        ps_error *err)
{
    size_t size = table->layout->n_bytes;

    for (;; tail *= 2) {
        uint64_t n_physical = capacity + tail;
        uint8_t *slots;
        if (n_physical > table->n_physical)
            PS_TRY(check_budget(table, (n_physical - table->n_physical) * size, slot, err));
        if (n_physical > UINT32_MAX || size > SIZE_MAX / n_physical)
            return ps_raise(err, PS_E_NO_MEMORY, SIZE_MAX);
        PS_TRY(ps_alloc0(n_physical * size, &slots, err));
        if (!refill(table, slots, capacity, n_physical)) {
            ps_free(slots);
            continue;
        }
        ps_free(table->slots);
        table->slots = slots;
        table->capacity = capacity;
        table->n_physical = n_physical;
        table->limit = limit_of(table, capacity);
        charge(table, ps_table_n_bytes(table));
        return PS_OK;
    }
}

static uint64_t next_capacity(const ps_table *table, uint64_t capacity)
{
    if (capacity == 0)
        return FIRST_CAPACITY;
    if (table->budget == NULL || capacity < 16384)
        return capacity * 2;
    return capacity + (capacity < 1u << 20 ? capacity / 2 : capacity / 8);
}

static ps_status grow(ps_table *table, const uint8_t *slot, ps_error *err)
{
    uint64_t tail = table->n_physical - table->capacity;

    if (table->capacity > 0 && table->n < table->limit) /* a run has reached the end */
        return resize(table, table->capacity, tail * 2, slot, err);
    return resize(table, next_capacity(table, table->capacity), tail < TAIL ? TAIL : tail, slot,
                  err);
}

ps_status ps_table_reserve(ps_table *table, int64_t n_more, ps_error *err)
{
    uint64_t capacity = table->capacity, tail = table->n_physical - table->capacity;

    if (n_more <= 0 || table->n + n_more <= table->limit)
        return PS_OK;
    while (limit_of(table, capacity) < table->n + n_more)
        capacity = next_capacity(table, capacity);
    return resize(table, capacity, tail < TAIL ? TAIL : tail, NULL, err);
}

ps_status ps_table_reset(ps_table *table, ps_error *err)
{
    uint64_t capacity = FIRST_CAPACITY;

    PS_UNUSED(err);
    ps_heap_clear(&table->heap);
    while (capacity < (uint64_t)table->n * 8)
        capacity *= 2;
    table->n = 0;
    if (capacity < table->capacity) {
        ps_free(table->slots);
        table->slots = NULL;
        table->capacity = table->n_physical = 0;
        table->limit = 0;
    } else if (table->slots != NULL) {
        memset(table->slots, 0, table->n_physical * table->layout->n_bytes);
    }
    charge(table, ps_table_n_bytes(table));
    return PS_OK;
}

/* Copies the living cells, in order, into one new chunk. */
static ps_status compact(ps_table *table, ps_error *err)
{
    const ps_layout *layout = table->layout;
    ps_heap heap = {0};
    size_t n_living = 0;

    for (int pass = 0; pass < 2; pass++) {
        for (uint64_t i = 0; i < table->n_physical; i++) {
            ps_slot *slot = slot_at(table, i);
            for (int c = 0; slot->tag != 0 && c < layout->n_cells; c++) {
                ps_cell *cell = (ps_cell *)((uint8_t *)slot + layout->cells[c]);
                if (pass == 0)
                    n_living += ps_cell_is_far(cell) ? (cell->n_bytes + 7u) & ~(size_t)7 : 0;
                else
                    PS_TRY(ps_cell_adopt(&heap, &table->heap, cell,
                                         err)); /* has its room: cannot fail */
            }
        }
        if (pass == 0 && n_living > UINT32_MAX / 2)
            return PS_OK;
        if (pass == 0)
            PS_TRY(ps_heap_reserve(&heap, (uint32_t)n_living, err));
    }
    ps_heap_clear(&table->heap);
    table->heap = heap;
    return PS_OK;
}

ps_status ps_table_tidy(ps_table *table, ps_error *err)
{
    if (table->capacity > 1024 && (uint64_t)table->n < table->capacity / 8)
        PS_TRY(resize(table, table->capacity / 4, TAIL, NULL, err));
    if (table->heap.n_dead > 1u << 16 && table->heap.n_dead > table->heap.n_bytes / 2)
        PS_TRY(compact(table, err));
    charge(table, ps_table_n_bytes(table));
    return PS_OK;
}

ps_status ps_table_account(ps_table *table, ps_error *err)
{
    charge(table, ps_table_n_bytes(table));
    return check_budget(table, 0, NULL, err);
}

/* ---- probing ---- */

/* The bits in which words differ: 0 when they are the same. */
static inline uint64_t differ(const uint8_t *a, const uint8_t *b, int n_words)
{
    uint64_t bits = 0;

    for (int i = 0; i < n_words; i++)
        bits |= ps_word_at(a + 8 * i) ^ ps_word_at(b + 8 * i);
    return bits;
}

/* Equality of what words alone do not settle: cells with their bytes elsewhere. */
static bool same_cells(const ps_table *table, const uint8_t *slot_key, const uint8_t *image)
{
    const ps_key *key = &table->layout->key;
    size_t at = 0;

    for (int i = 0; i < key->n_cells; i++) {
        const ps_cell *a = (const ps_cell *)(slot_key + key->cells[i]),
                      *b = (const ps_cell *)(image + key->cells[i]);
        if (differ(slot_key + at, image + at, (int)(key->cells[i] - at) / 8) != 0)
            return false;
        at = key->cells[i] + sizeof(ps_cell);
        if (a->n_bytes != b->n_bytes)
            return false;
        if (!ps_cell_is_far(a)) {
            if (differ((const uint8_t *)a, (const uint8_t *)b, (int)sizeof *a / 8) != 0)
                return false;
        } else if (memcmp(a->far.prefix, b->far.prefix, 8) != 0 ||
                   memcmp(ps_heap_at(&table->heap, a->far.at), (const char *)(uintptr_t)b->far.at,
                          a->n_bytes) != 0) {
            return false;
        }
    }
    return differ(slot_key + at, image + at, (int)(key->n_bytes - at) / 8) == 0;
}

#define HEAD_MASK 0xffff0000ffffffffull /* tag and nulls, without the flags */

/* One row: the slot of the key, or the free slot where its run ends.  n_words < 0: some images have
 * far cells.  Of the first two slots one is chosen without a branch, since where in its run a key
 * stands cannot be foreseen. */
static inline __attribute__((always_inline)) uint8_t *probe(const ps_table *table, size_t size,
                                                            uint8_t *slot, uint64_t head,
                                                            const uint8_t *image, int n_words,
                                                            bool *found)
{
    if (n_words >= 0) {
        bool second = (ps_word_at(slot + size) & HEAD_MASK) == head;
        uint8_t *either = slot + (size & -(uint64_t)second);
        uint64_t bits = (ps_word_at(either) ^ head) & HEAD_MASK;
        if (PS_LIKELY((bits | differ(either + PS_SLOT_KEY, image, n_words)) == 0)) {
            *found = true;
            return either;
        }
    }
    for (;; slot += size) {
        uint64_t there = ps_word_at(slot);
        if ((there & HEAD_MASK) == head) {
            if (n_words < 0 ? same_cells(table, slot + PS_SLOT_KEY, image)
                            : differ(slot + PS_SLOT_KEY, image, n_words) == 0) {
                *found = true;
                return slot;
            }
        } else if ((uint32_t)there == 0) {
            *found = false;
            return slot;
        }
    }
}

static ps_status insert(ps_table *table, uint8_t *slot, uint64_t head, const uint8_t *image,
                        ps_error *err)
{
    const ps_layout *layout = table->layout;
    uint64_t flags = (uint64_t)PS_SLOT_NEW << 32;

    ps_copy_words(slot + PS_SLOT_KEY, image, layout->key.n_bytes);
    for (int i = 0; i < layout->key.n_cells; i++) {
        ps_cell *cell = (ps_cell *)(slot + layout->cells[i]), copy = *cell;
        if (!ps_cell_is_far(&copy))
            continue;
        ps_cell_init(cell);
        PS_TRY(ps_cell_set(&table->heap, cell, (const char *)(uintptr_t)copy.far.at, copy.n_bytes,
                           err));
    }
    ps_copy_words(slot + layout->value_at, layout->initial, layout->n_bytes - layout->value_at);
    head |= flags;
    memcpy(slot, &head, sizeof head);
    table->n++;
    return PS_OK;
}

/* The homes of the rows to come, on their way into the cache with the slots behind them; what it
 * takes to find them, out of reach of stores. */
typedef struct homes {
    const uint64_t *heads;
    uint8_t *slots, *next[AHEAD];
    uint64_t capacity;
    size_t size;
    int shard_bits, n;
} homes;

static inline __attribute__((always_inline)) void fetch_home(homes *h, int k)
{
    uint32_t tag = (uint32_t)h->heads[k] << h->shard_bits;
    uint8_t *home = h->slots + (tag * h->capacity >> 32) * h->size;

    __builtin_prefetch(home, 1);
    __builtin_prefetch(home + h->size, 1);
    h->next[k % AHEAD] = home;
}

static inline __attribute__((always_inline)) void
homes_init(homes *h, const ps_table *table, const ps_images *images, size_t size)
{
    h->heads = images->heads;
    h->slots = table->slots;
    h->capacity = table->capacity;
    h->size = size;
    h->shard_bits = table->shard_bits;
    h->n = images->n;
    for (int k = 0; k < AHEAD && k < h->n; k++)
        fetch_home(h, k);
}

/* The home of row k, after those of all before. */
static inline __attribute__((always_inline)) uint8_t *take_home(homes *h, int k)
{
    uint8_t *home = h->next[k % AHEAD];

    if (k + AHEAD < h->n)
        fetch_home(h, k + AHEAD);
    return home;
}

/* Rows of a chunk; stops at a missing key when the table is full (PS_OK with *row < n). */
static inline __attribute__((always_inline)) ps_status
upsert_rows(ps_table *table, const ps_images *images, size_t size, int n_words, int *row,
            uint8_t **slots, ps_error *err)
{
    const uint8_t *end = table->slots + (table->n_physical - 1) * size, *image = images->data;
    size_t stride = images->stride;
    homes h;

    homes_init(&h, table, images, size);
    for (int k = 0; k < h.n; k++, image += stride) {
        bool found;
        slots[k] = probe(table, size, take_home(&h, k), h.heads[k], image, n_words, &found);
        if (PS_LIKELY(found))
            continue;
        *row = k;
        if (table->n >= table->limit || slots[k] >= end)
            return PS_OK;
        PS_TRY(insert(table, slots[k], h.heads[k], image, err));
    }
    *row = images->n;
    return PS_OK;
}

static ps_status upsert_chunk(ps_table *table, const ps_images *images, int *row, uint8_t **slots,
                              ps_error *err)
{
    size_t size = table->layout->n_bytes;
    const ps_key *key = &table->layout->key;

    *row = 0;
    if (table->slots == NULL)
        return PS_OK;
    if (images->any_far)
        return upsert_rows(table, images, size, -1, row, slots, err);
    switch (key->n_bytes) {
    case 8:
        if (size == 24)
            return upsert_rows(table, images, 24, 1, row, slots, err);
        if (size == 32)
            return upsert_rows(table, images, 32, 1, row, slots, err);
        if (size == 40)
            return upsert_rows(table, images, 40, 1, row, slots, err);
        return upsert_rows(table, images, size, 1, row, slots, err);
    case 16:
        if (size == 40)
            return upsert_rows(table, images, 40, 2, row, slots, err);
        if (size == 48)
            return upsert_rows(table, images, 48, 2, row, slots, err);
        return upsert_rows(table, images, size, 2, row, slots, err);
    case 24:
        return upsert_rows(table, images, size, 3, row, slots, err);
    case 32:
        return upsert_rows(table, images, size, 4, row, slots, err);
    default:
        return upsert_rows(table, images, size, key->n_bytes / 8, row, slots, err);
    }
}

/* A key that was not placed, as a slot for messages; its cells hold pointers, so text of those is
 * left out. */
static ps_status grow_for(ps_table *table, const ps_images *images, int row, ps_error *err)
{
    const ps_layout *layout = table->layout;
    uint8_t *slot;
    ps_status rc;

    if (table->budget == NULL || table->budget->limit == 0)
        return grow(table, NULL, err);
    PS_TRY(ps_alloc0(layout->n_bytes, &slot, err));
    memcpy(slot, &images->heads[row], 8);
    memcpy(slot + PS_SLOT_KEY, images->data + (size_t)row * images->stride, layout->key.n_bytes);
    for (int i = 0; i < layout->key.n_cells; i++) {
        ps_cell *cell = (ps_cell *)(slot + layout->cells[i]);
        if (ps_cell_is_far(cell)) {
            char cut[PS_CELL_INLINE];
            memcpy(cut, (const char *)(uintptr_t)cell->far.at, sizeof cut);
            memcpy(cell->inlined, cut, sizeof cut);
            cell->n_bytes = PS_CELL_INLINE;
        }
    }
    rc = grow(table, slot, err);
    ps_free(slot);
    return rc;
}

static ps_status need_images(ps_table *table, ps_error *err)
{
    return table->images ? PS_OK : ps_alloc0(sizeof *table->images, &table->images, err);
}

static inline int chunk_of(int64_t n, int64_t start)
{
    return (int)(n - start < PS_CHUNK ? n - start : PS_CHUNK);
}

/* The keys of slots as images: cells are pointed at, not copied. */
static ps_status image_slots(ps_table *table, const ps_table *from, uint8_t *const *from_slots,
                             int n, ps_error *err)
{
    const ps_key *key = &table->layout->key;
    ps_images *images = table->images;

    if (images->room == NULL)
        PS_TRY(ps_alloc((size_t)PS_CHUNK * key->n_bytes, &images->room, err));
    images->n = n;
    images->any_far = false;
    images->data = images->room;
    images->stride = key->n_bytes;
    for (int k = 0; k < n; k++) {
        uint8_t *image = images->room + (size_t)k * key->n_bytes;
        images->heads[k] = ps_word_at(from_slots[k]) & HEAD_MASK;
        ps_copy_words(image, from_slots[k] + PS_SLOT_KEY, key->n_bytes);
        for (int c = 0; c < key->n_cells; c++) {
            ps_cell *cell = (ps_cell *)(image + key->cells[c]);
            if (ps_cell_is_far(cell)) {
                images->any_far = true;
                cell->far.at = (uint64_t)(uintptr_t)ps_heap_at(&from->heap, cell->far.at);
                cell->far.capacity = 0;
            }
        }
    }
    return PS_OK;
}

/* Records are images behind a head. */
static void image_records(ps_table *table, const uint8_t *records, size_t stride, int n)
{
    const ps_key *key = &table->layout->key;
    ps_images *images = table->images;

    images->n = n;
    images->any_far = false;
    images->data = records + PS_SLOT_KEY;
    images->stride = stride;
    for (int k = 0; k < n; k++) {
        const uint8_t *record = records + (size_t)k * stride;
        images->heads[k] = ps_word_at(record) & HEAD_MASK;
        for (int c = 0; c < key->n_cells; c++)
            images->any_far |=
                ps_cell_is_far((const ps_cell *)(record + PS_SLOT_KEY + key->cells[c]));
    }
}

/* Where keys come from, one of three: columns, slots of another table, records. */
typedef struct keys {
    ps_vec *const *cols;
    const ps_rows *rows; /* NULL: no columns */
    uint64_t seed;
    const ps_table *from;
    uint8_t *const *slots; /* NULL: no slots */
    const uint8_t *records;
    size_t stride;
} keys;

static ps_status image_keys(ps_table *table, const keys *keys, int64_t start, int n, ps_error *err)
{
    if (keys->rows != NULL)
        return ps_key_encode(&table->layout->key, keys->cols, keys->rows, start, n, keys->seed,
                             table->images, err);
    if (keys->slots != NULL)
        return image_slots(table, keys->from, keys->slots + start, n, err);
    image_records(table, keys->records + (size_t)start * keys->stride, keys->stride, n);
    return PS_OK;
}

static ps_status upsert_keys(ps_table *table, const keys *keys, int64_t n_keys, uint8_t **slots,
                             ps_error *err)
{
    int row;

    PS_TRY(need_images(table, err));
    for (int64_t start = 0; start < n_keys; start += PS_CHUNK) {
        int n = chunk_of(n_keys, start);
        PS_TRY(image_keys(table, keys, start, n, err));
        PS_TRY(upsert_chunk(table, table->images, &row, slots + start, err));
        if (row < n) { /* from the start: slots that were found have moved */
            PS_TRY(grow_for(table, table->images, row, err));
            start = -PS_CHUNK;
        }
    }
    return PS_OK;
}

ps_status ps_table_upsert(ps_table *table, ps_vec *const *cols, const ps_rows *rows, uint64_t seed,
                          uint8_t **slots, ps_error *err)
{
    return upsert_keys(table, &(keys){.cols = cols, .rows = rows, .seed = seed}, rows->n, slots,
                       err);
}

ps_status ps_table_upsert_slots(ps_table *table, const ps_table *from, uint8_t *const *from_slots,
                                int64_t n_slots, uint8_t **slots, ps_error *err)
{
    return upsert_keys(table, &(keys){.from = from, .slots = from_slots}, n_slots, slots, err);
}

ps_status ps_table_upsert_records(ps_table *table, const uint8_t *records, size_t stride,
                                  int64_t n_records, uint8_t **slots, ps_error *err)
{
    return upsert_keys(table, &(keys){.records = records, .stride = stride}, n_records, slots, err);
}

ps_status ps_table_find_slots(ps_table *table, const ps_table *from, uint8_t *const *from_slots,
                              int64_t n_slots, uint8_t **slots, int64_t *n_missing, ps_error *err)
{
    const ps_key *key = &table->layout->key;
    size_t size = table->layout->n_bytes;
    int n_words;
    homes h;

    *n_missing = 0;
    if (table->slots == NULL) {
        memset(slots, 0, (size_t)n_slots * sizeof *slots);
        *n_missing = n_slots;
        return PS_OK;
    }
    PS_TRY(need_images(table, err));
    for (int64_t start = 0; start < n_slots; start += PS_CHUNK) {
        int n = chunk_of(n_slots, start);
        PS_TRY(image_slots(table, from, from_slots + start, n, err));
        n_words = table->images->any_far ? -1 : key->n_bytes / 8;
        homes_init(&h, table, table->images, size);
        for (int k = 0; k < n; k++) {
            bool found;
            slots[start + k] =
                probe(table, size, take_home(&h, k), table->images->heads[k],
                      table->images->data + (size_t)k * key->n_bytes, n_words, &found);
            if (!found) {
                slots[start + k] = NULL;
                ++*n_missing;
            }
        }
    }
    return PS_OK;
}

/* ---- walking and removing ---- */

int64_t ps_table_next(const ps_table *table, uint64_t *position, uint8_t **slots, int64_t max)
{
    int64_t n = 0;
    uint64_t i = *position;

    for (; i < table->n_physical && n < max; i++)
        if (slot_at(table, i)->tag != 0)
            slots[n++] = (uint8_t *)slot_at(table, i);
    *position = i;
    return n;
}

int64_t ps_table_next_of_shard(const ps_table *table, int shard_bits, uint32_t shard,
                               uint64_t *position, uint8_t **slots, int64_t max)
{
    int64_t n = 0;
    uint64_t i = *position;
    uint64_t last;

    if (shard_bits == 0)
        return ps_table_next(table, position, slots, max);
    if (table->capacity == 0)
        return 0;
    last = home_of(table, (uint32_t)(((uint64_t)(shard + 1) << (32 - shard_bits)) - 1));
    if (i == 0)
        i = home_of(table, shard << (32 - shard_bits));
    /* What was born at or before `last` lies before the first free slot behind it. */
    for (; n < max && i < table->n_physical; i++) {
        const ps_slot *slot = slot_at(table, i);
        if (slot->tag == 0 && i >= last)
            break;
        if (slot->tag != 0 && slot->tag >> (32 - shard_bits) == shard)
            slots[n++] = (uint8_t *)slot;
    }
    *position = i;
    return n;
}

void ps_table_remove(ps_table *table, uint8_t *slot)
{
    const ps_layout *layout = table->layout;
    uint64_t hole = (uint64_t)(slot - table->slots) / layout->n_bytes;

    for (int c = 0; c < layout->n_cells; c++)
        ps_cell_drop(&table->heap, (ps_cell *)(slot + layout->cells[c]));
    for (uint64_t i = hole + 1; slot_at(table, i)->tag != 0; i++)
        if (home_of(table, slot_at(table, i)->tag) <= hole) {
            memcpy(slot_at(table, hole), slot_at(table, i), layout->n_bytes);
            hole = i;
        }
    memset(slot_at(table, hole), 0, layout->n_bytes);
    table->n--;
}

uint8_t *ps_table_find_tag(const ps_table *table, uint32_t tag, uint8_t *from)
{
    size_t size = table->layout->n_bytes;
    uint8_t *slot;

    if (table->capacity == 0)
        return NULL;
    for (slot = from ? from : table->slots + home_of(table, tag) * size;; slot += size) {
        uint32_t there = ((const ps_slot *)slot)->tag;
        if (there == tag)
            return slot;
        if (there == 0)
            return NULL;
    }
}

void ps_table_prefetch(const ps_table *table, uint32_t tag)
{
    if (table->capacity > 0)
        __builtin_prefetch(table->slots + home_of(table, tag) * table->layout->n_bytes, 1);
}
