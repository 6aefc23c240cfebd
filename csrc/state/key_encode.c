/*
 * state/key_encode.c - from columns to key records: images and their hashes.
 */
#include "state/key.h"
#include "base/hash.h"
#include "state/table.h"
#include "state/value.h"

void ps_images_clear(ps_images *images)
{
    ps_free(images->room);
    ps_bytes_clear(&images->values);
    images->room = NULL;
}

/* Where a chunk goes.  rows[k] is the row of the vector at hand, -1 where a struct around it is
 * NULL.  Every leaf writes all its bytes, zeros for a NULL, so the images are never cleared: bytes
 * between leaves are zero from the first. */
typedef struct target {
    const ps_key *key;
    uint8_t *data;
    size_t stride;
    uint16_t *nulls;
    int n;
    bool any_far; /* some cell points at its bytes */
    bool holes;   /* some of rows[] may be -1 */
} target;

static inline bool is_plain(const ps_view *view)
{
    return !view->valid && !view->index && view->mask;
}

static inline void set_null(target *to, int k, const ps_key_leaf *leaf)
{
    to->nulls[k] |= leaf->null_bit;
}

#define PUT_LOOP(T, value)                                                                         \
    if (is_plain(view) && !to->holes) {                                                            \
        for (int k = 0; k < to->n; k++) {                                                          \
            T x = ((const T *)view->data)[rows[k]];                                                \
            T y = (value);                                                                         \
            memcpy(out + (size_t)k * to->stride, &y, sizeof y);                                    \
        }                                                                                          \
        return;                                                                                    \
    }                                                                                              \
    for (int k = 0; k < to->n; k++) {                                                              \
        int64_t at = rows[k] < 0 ? 0 : ps_at(view, rows[k]);                                       \
        if (rows[k] < 0 || (view->valid && !ps_bit(view->valid, at))) {                            \
            if (rows[k] >= 0)                                                                      \
                set_null(to, k, leaf);                                                             \
            memset(out + (size_t)k * to->stride, 0, sizeof(T));                                    \
        } else {                                                                                   \
            T x = ((const T *)view->data)[at];                                                     \
            T y = (value);                                                                         \
            memcpy(out + (size_t)k * to->stride, &y, sizeof y);                                    \
        }                                                                                          \
    }

static void put_fixed(target *to, const ps_key_leaf *leaf, const ps_view *view, const int32_t *rows)
{
    uint8_t *out = to->data + leaf->at;

    switch (leaf->type->kind) {
    case PS_FLOAT:
        PUT_LOOP(float, x != x ? __builtin_nanf("") : x + 0.0f);
        return;
    case PS_DOUBLE:
        PUT_LOOP(double, x != x ? __builtin_nan("") : x + 0.0);
        return;
    case PS_DECIMAL:
        PUT_LOOP(__int128, x);
        return;
    case PS_CALENDAR:
        PUT_LOOP(ps_calendar, x);
        return;
    default:
        break;
    }
    switch (ps_type_width(leaf->type)) {
    case 1:
        PUT_LOOP(uint8_t, x);
        return;
    case 2:
        PUT_LOOP(uint16_t, x);
        return;
    case 4:
        PUT_LOOP(uint32_t, x);
        return;
    case 8:
        PUT_LOOP(uint64_t, x);
        return;
    default:
        for (int k = 0; k < to->n; k++) /* VOID */
            if (rows[k] >= 0)
                set_null(to, k, leaf);
    }
}

/* The image of a cell: as the slot has it, but with a pointer in place of a place in the heap. */
static void put_cell(target *to, uint8_t *out, const char *data, size_t n_bytes)
{
    ps_cell cell;

    to->any_far |= n_bytes > PS_CELL_INLINE;
    memset(&cell, 0, sizeof cell);
    cell.n_bytes = (uint32_t)n_bytes;
    if (n_bytes <= PS_CELL_INLINE) {
        memcpy(cell.inlined, data, n_bytes);
    } else {
        cell.far.at = (uint64_t)(uintptr_t)data;
        memcpy(cell.far.prefix, data, 8);
    }
    memcpy(out, &cell, sizeof cell);
}

static void put_text(target *to, const ps_key_leaf *leaf, const ps_view *view, const int32_t *rows)
{
    for (int k = 0; k < to->n; k++) {
        uint8_t *out = to->data + leaf->at + (size_t)k * to->stride;
        int64_t at = rows[k] < 0 ? 0 : ps_at(view, rows[k]);
        const ps_str *s = (const ps_str *)view->data + at;
        if (rows[k] < 0 || (view->valid && !ps_bit(view->valid, at))) {
            if (rows[k] >= 0)
                set_null(to, k, leaf);
            memset(out, 0, sizeof(ps_cell));
        } else if (PS_LIKELY(s->n_bytes <= PS_STR_INLINE)) { /* a view and a cell begin alike */
            memcpy(out, s, sizeof *s);
            memset(out + sizeof *s, 0, sizeof(ps_cell) - sizeof *s);
        } else {
            put_cell(to, out, s->far.data, s->n_bytes);
        }
    }
}

/* The bytes of all nested values of a chunk share a buffer that may move, so cells hold offsets
 * until it is whole. */
static ps_status put_values(target *to, const ps_key_leaf *leaf, ps_vec *const *cols, int n_cols,
                            const int32_t *rows, ps_bytes *values, ps_error *err)
{
    for (int k = 0; k < to->n; k++) {
        uint8_t *out = to->data + leaf->at + (size_t)k * to->stride;
        ps_cell cell = {.n_bytes = 0};
        if (rows[k] < 0 ||
            (leaf->type != to->key->packed && ps_vec_is_null(cols[0], rows[k]))) {
            if (rows[k] >= 0)
                set_null(to, k, leaf);
            memset(out, 0, sizeof cell);
            continue;
        }
        cell.far.at = values->n_bytes;
        for (int c = 0; c < n_cols; c++)
            if (cols[c] != NULL)
                PS_TRY(ps_value_write(cols[c], rows[k], true, values, err));
        if (values->n_bytes - cell.far.at > INT32_MAX)
            return ps_raise(err, PS_E_INTERNAL, "a key of state is longer than 2 GiB");
        cell.n_bytes = (uint32_t)(values->n_bytes - cell.far.at);
        memcpy(out, &cell, sizeof cell);
    }
    return PS_OK;
}

static void point_at_values(target *to, const ps_bytes *values)
{
    for (int i = 0; i < to->key->n_leaves; i++) {
        const ps_key_leaf *leaf = &to->key->leaves[i];
        if (leaf->form != PS_KEY_VALUE)
            continue;
        for (int k = 0; k < to->n; k++) {
            uint8_t *image = to->data + leaf->at + (size_t)k * to->stride;
            ps_cell cell;
            memcpy(&cell, image, sizeof cell);
            if (cell.n_bytes > 0)
                put_cell(to, image, values->data + cell.far.at, cell.n_bytes);
        }
    }
}

static ps_status put_column(target *to, int *leaf_at, ps_vec *col, const int32_t *rows,
                            ps_bytes *values, ps_error *err)
{
    const ps_key_leaf *leaf = &to->key->leaves[(*leaf_at)++];
    ps_view view;
    int32_t inner[PS_CHUNK];

    ps_view_init(&view, col);
    switch (leaf->form) {
    case PS_KEY_FIXED:
        put_fixed(to, leaf, &view, rows);
        return PS_OK;
    case PS_KEY_TEXT:
        put_text(to, leaf, &view, rows);
        return PS_OK;
    case PS_KEY_VALUE:
        return put_values(to, leaf, &col, 1, rows, values, err);
    case PS_KEY_END: /* follows from the start, and so is NULL with it */
        return PS_OK;
    case PS_KEY_STRUCT:
        break;
    }
    if (is_plain(&view)) {
        for (int c = 0; c < leaf->type->n_fields; c++)
            PS_TRY(put_column(to, leaf_at, view.base->children[c], rows, values, err));
        return PS_OK;
    }
    for (int k = 0; k < to->n; k++) {
        inner[k] = rows[k] < 0 ? -1 : (int32_t)ps_at(&view, rows[k]);
        if (inner[k] >= 0 && view.valid && !ps_bit(view.valid, inner[k])) {
            set_null(to, k, leaf);
            inner[k] = -1;
            to->holes = true;
        }
    }
    for (int c = 0; c < leaf->type->n_fields; c++)
        PS_TRY(put_column(to, leaf_at, view.base->children[c], inner, values, err));
    return PS_OK;
}

/* The columns that are packed, NULL in place of the one that is not. */
static ps_status put_packed(target *to, ps_vec *const *cols, const int32_t *rows, ps_bytes *values,
                            ps_error *err)
{
    const ps_key *key = to->key;
    ps_vec **packed;
    ps_status rc;

    PS_TRY(ps_alloc((size_t)key->n_types * sizeof *packed, &packed, err));
    for (int i = 0; i < key->n_types; i++)
        packed[i] = key->first_leaf[i] < 0 ? cols[i] : NULL;
    rc = put_values(to, &key->leaves[key->n_leaves - 1], packed, key->n_types, rows, values, err);
    ps_free(packed);
    return rc;
}

/* ---- hashes ----
 *
 * A key is hashed as its image, word by word, but for cells that point at their bytes: there the
 * bytes are hashed.  The end of a window enters where it would stand if it were kept.  Seed and
 * NULL bits enter with the first word.
 */

static inline __attribute__((always_inline)) void
hash_words(const ps_key *key, ps_images *out, const uint16_t *nulls, uint64_t seed, int n_words)
{
    int end_word = key->end_word;
    uint64_t window = (uint64_t)key->window_us;

    for (int k = 0; k < out->n; k++) {
        const uint8_t *image = out->data + (size_t)k * out->stride;
        uint64_t head = (uint64_t)nulls[k] << 48;
        uint64_t hash = ps_hash_u64(n_words > 0 ? ps_word_at(image) : 0, seed ^ head);
        for (int i = 1; i <= n_words; i++) {
            if (i == end_word)
                hash = ps_hash_combine(hash, ps_word_at(image + 8 * (i - 1)) + window);
            if (i < n_words)
                hash = ps_hash_combine(hash, ps_word_at(image + 8 * i));
        }
        out->heads[k] = head | ps_tag_of(hash);
    }
}

/* The same where the bytes of a far cell stand for its words. */
static uint64_t hash_with_cells(const ps_key *key, const uint8_t *image, uint64_t seed)
{
    uint64_t hash = 0;
    int next = 0, n_words = key->n_bytes / 8;

    for (int i = 0; i <= n_words; i++) {
        uint64_t word = i < n_words ? ps_word_at(image + 8 * i) : 0;
        bool first = i == 0;
        if (i == key->end_word)
            hash = ps_hash_combine(hash, ps_word_at(image + 8 * (i - 1)) + (uint64_t)key->window_us);
        if (i == n_words)
            break;
        if (next < key->n_cells && key->cells[next] == 8 * i) {
            ps_cell cell;
            memcpy(&cell, image + key->cells[next++], sizeof cell);
            if (ps_cell_is_far(&cell)) {
                word = ps_hash_bytes((const char *)(uintptr_t)cell.far.at, cell.n_bytes, 0);
                i += (int)(sizeof cell / 8) - 1;
            }
        }
        hash = first ? ps_hash_u64(word, seed) : ps_hash_combine(hash, word);
    }
    return hash;
}

static void hash_images(const ps_key *key, const uint16_t *nulls, uint64_t seed, ps_images *out)
{
    if (out->any_far) {
        for (int k = 0; k < out->n; k++) {
            uint64_t head = (uint64_t)nulls[k] << 48;
            const uint8_t *image = out->data + (size_t)k * out->stride;
            out->heads[k] = head | ps_tag_of(hash_with_cells(key, image, seed ^ head));
        }
        return;
    }
    switch (key->n_bytes / 8) {
    case 0:
        hash_words(key, out, nulls, seed, 0);
        return;
    case 1:
        hash_words(key, out, nulls, seed, 1);
        return;
    case 2:
        hash_words(key, out, nulls, seed, 2);
        return;
    case 3:
        hash_words(key, out, nulls, seed, 3);
        return;
    case 4:
        hash_words(key, out, nulls, seed, 4);
        return;
    default:
        hash_words(key, out, nulls, seed, key->n_bytes / 8);
    }
}

/* ---- keys of whole words without NULLs, read and hashed in one go ----
 *
 * A value is a word, or a text of up to PS_STR_INLINE bytes: the two words of its view and a third,
 * zero.  Longer texts are rare among keys; their rows are put right when all are read.
 */

typedef struct word_source {
    const uint8_t *data;
    int64_t mask; /* 0: the first value stands for all */
} word_source;

typedef struct word_sources {
    word_source items[PS_KEY_WORDS];
    int n;
    uint32_t texts; /* a bit for each that is one */
} word_sources;

static bool add_words(const ps_key *key, int *leaf_at, const ps_vec *col, int64_t mask,
                      word_sources *out)
{
    const ps_key_leaf *leaf = &key->leaves[(*leaf_at)++];

    if (col->shape == PS_DICT || col->valid)
        return false;
    if (col->shape == PS_CONST)
        mask = 0;
    if (leaf->form == PS_KEY_STRUCT) {
        for (int c = 0; c < col->n_children; c++)
            if (!add_words(key, leaf_at, col->children[c], mask, out))
                return false;
        return true;
    }
    if (leaf->form == PS_KEY_END)
        return true;
    out->texts |= (uint32_t)(leaf->form == PS_KEY_TEXT) << out->n;
    out->items[out->n++] = (word_source){col->data, mask};
    return true;
}

/* False when a column has to be looked at row by row. */
static bool find_words(const ps_key *key, ps_vec *const *cols, word_sources *out)
{
    int leaf = 0;

    out->n = 0;
    out->texts = 0;
    for (int i = 0; i < key->n_types; i++)
        if (!add_words(key, &leaf, cols[i], -1, out))
            return false;
    return true;
}

/* A key on its way: what of it is written and hashed. */
typedef struct key_words {
    uint64_t *image;
    uint64_t hash;
    int n;
} key_words;

static inline __attribute__((always_inline)) void add_word(key_words *to, uint64_t word,
                                                           uint64_t seed, int end_word,
                                                           uint64_t window)
{
    to->image[to->n] = word;
    to->hash = to->n == 0 ? ps_hash_u64(word, seed) : ps_hash_combine(to->hash, word);
    if (++to->n == end_word)
        to->hash = ps_hash_combine(to->hash, word + window);
}

/* The first n_same values, 0 or 1, are words that are those of all rows, and so is their part of
 * the hash.  True when some text is long. */
static inline __attribute__((always_inline)) bool
encode_words(const ps_key *key, const word_sources *from, const int32_t *sel, int64_t start,
             uint64_t seed, int n_values, uint32_t texts, int n_same, ps_images *out)
{
    int end_word = key->end_word; /* no word of a text */
    size_t n_words = key->n_bytes / 8;
    uint64_t window = (uint64_t)key->window_us, first[1];
    key_words same = {first, 0, 0};
    bool any_long = false;

    if (n_same > 0)
        add_word(&same, ps_word_at(from->items[0].data), seed, end_word, window);
    for (int k = 0; k < out->n; k++) {
        int64_t row = sel ? sel[start + k] : start + k;
        key_words to = {(uint64_t *)out->room + (size_t)k * n_words, same.hash, n_same};
        if (n_same > 0)
            to.image[0] = first[0];
        for (int v = n_same; v < n_values; v++) {
            const uint8_t *data = from->items[v].data;
            int64_t at = row & from->items[v].mask;
            if (texts >> v & 1) {
                uint64_t head = ps_word_at(data + at * (int64_t)sizeof(ps_str));
                any_long |= (uint32_t)head > PS_STR_INLINE;
                add_word(&to, head, seed, -1, 0);
                add_word(&to, ps_word_at(data + at * (int64_t)sizeof(ps_str) + 8), seed, -1, 0);
                add_word(&to, 0, seed, -1, 0);
            } else {
                add_word(&to, ps_word_at(data + at * 8), seed, end_word, window);
            }
        }
        out->heads[k] = ps_tag_of(to.hash);
    }
    return any_long;
}

/* What rows with a long text are in truth. */
static void encode_long(const ps_key *key, const word_sources *from, const ps_rows *rows,
                        int64_t start, uint64_t seed, ps_images *out)
{
    target to = {key, out->room, key->n_bytes, NULL, out->n, false, false};

    for (int k = 0; k < out->n; k++) {
        uint8_t *image = out->room + (size_t)k * key->n_bytes;
        int64_t row = ps_row(rows, start + k);
        bool any_long = false;
        for (int v = 0, cell = 0; v < from->n; v++) {
            const ps_str *s = (const ps_str *)(const void *)from->items[v].data;
            if (!(from->texts >> v & 1))
                continue;
            s += row & from->items[v].mask;
            if (s->n_bytes > PS_STR_INLINE) {
                put_cell(&to, image + key->cells[cell], s->far.data, s->n_bytes);
                any_long = true;
            }
            cell++;
        }
        if (any_long)
            out->heads[k] = ps_tag_of(hash_with_cells(key, image, seed));
    }
    out->any_far = to.any_far;
}

/* A function each for the shapes of key that come most: a loop of its own has the registers. */
typedef bool encode_fn(const ps_key *key, const word_sources *from, const int32_t *sel,
                       int64_t start, uint64_t seed, ps_images *out);
#define ENCODE(name, n_values, texts, n_same)                                                      \
    static __attribute__((noinline)) bool name(const ps_key *key, const word_sources *from,        \
                                               const int32_t *sel, int64_t start, uint64_t seed,   \
                                               ps_images *out)                                     \
    {                                                                                              \
        if (sel)                                                                                   \
            return encode_words(key, from, sel, start, seed, n_values, texts, n_same, out);        \
        return encode_words(key, from, NULL, start, seed, n_values, texts, n_same, out);           \
    }
ENCODE(encode_word, 1, 0, 0)
ENCODE(encode_two, 2, 0, 0)
ENCODE(encode_second, 2, 0, 1)
ENCODE(encode_text, 1, 1, 0)
ENCODE(encode_word_text, 2, 2, 0)
ENCODE(encode_second_text, 2, 2, 1)
ENCODE(encode_any, from->n, from->texts, 0)
ENCODE(encode_any_second, from->n, from->texts, 1)

static encode_fn *choose_encode(const word_sources *from, bool same)
{
    if (from->n == 1 && !same)
        return from->texts ? encode_text : encode_word;
    if (from->n == 2 && from->texts == 0)
        return same ? encode_second : encode_two;
    if (from->n == 2 && from->texts == 2)
        return same ? encode_second_text : encode_word_text;
    return same ? encode_any_second : encode_any;
}

static void encode_plain(const ps_key *key, const word_sources *from, const ps_rows *rows,
                         int64_t start, uint64_t seed, ps_images *out)
{
    bool same = from->items[0].mask == 0 && !(from->texts & 1);

    out->any_far = false;
    if (choose_encode(from, same)(key, from, rows->sel, start, seed, out))
        encode_long(key, from, rows, start, seed, out);
}

static ps_status encode_columns(const ps_key *key, ps_vec *const *cols, const int32_t *at,
                                uint16_t *nulls, ps_images *out, ps_error *err)
{
    target to = {key, out->room, key->n_bytes, nulls, out->n, false, false};

    ps_bytes_reset(&out->values);
    for (int i = 0; i < key->n_types; i++) {
        int leaf = key->first_leaf[i];
        to.holes = false;
        if (leaf >= 0)
            PS_TRY(put_column(&to, &leaf, cols[i], at, &out->values, err));
    }
    if (key->packed)
        PS_TRY(put_packed(&to, cols, at, &out->values, err));
    if (out->values.n_bytes > 0)
        point_at_values(&to, &out->values);
    out->any_far = to.any_far;
    return PS_OK;
}

ps_status ps_key_encode(const ps_key *key, ps_vec *const *cols, const ps_rows *rows, int64_t start,
                        int n, uint64_t seed, ps_images *out, ps_error *err)
{
    int32_t at[PS_CHUNK];
    uint16_t nulls[PS_CHUNK];
    word_sources words;

    out->n = n;
    if (out->room == NULL)
        PS_TRY(ps_alloc0((size_t)PS_CHUNK * key->n_bytes, &out->room, err));
    out->data = out->room;
    out->stride = key->n_bytes;
    if (key->whole_words && find_words(key, cols, &words)) {
        encode_plain(key, &words, rows, start, seed, out);
        return PS_OK;
    }
    memset(nulls, 0, (size_t)n * sizeof *nulls);
    for (int k = 0; k < n; k++)
        at[k] = (int32_t)ps_row(rows, start + k);
    PS_TRY(encode_columns(key, cols, at, nulls, out, err));
    hash_images(key, nulls, seed, out);
    return PS_OK;
}
