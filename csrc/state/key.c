/*
 * state/key.c - from columns to key records and back.
 */
#include "state/key.h"
#include "base/hash.h"
#include "col/text.h"
#include "state/table.h"
#include "state/value.h"

#define MAX_BITS 16

/* ---- layout ---- */

static int count_bits(const ps_type *type)
{
    int n = 1;

    if (type->kind == PS_STRUCT)
        for (int f = 0; f < type->n_fields; f++)
            n += count_bits(type->fields[f].type);
    return n;
}

static ps_key_form form_of(const ps_type *type)
{
    if (ps_kind_is_text(type->kind))
        return PS_KEY_TEXT;
    if (type->kind == PS_STRUCT)
        return PS_KEY_STRUCT;
    return ps_kind_is_nested(type->kind) ? PS_KEY_VALUE : PS_KEY_FIXED;
}

static size_t width_of(const ps_type *type, ps_key_form form)
{
    switch (form) {
    case PS_KEY_FIXED:
        return ps_type_width(type);
    case PS_KEY_STRUCT:
    case PS_KEY_END:
        return 0;
    default:
        return sizeof(ps_cell);
    }
}

static ps_status add_leaf(ps_key *key, const ps_type *type, ps_key_form form, ps_error *err)
{
    ps_key_leaf leaf = {type, form, 0, (uint16_t)(1u << key->n_bits++)};
    size_t width = width_of(type, form), align = width == 0 ? 1 : width > 8 ? 8 : width;

    leaf.at = (uint16_t)((key->n_bytes + align - 1) & ~(align - 1));
    key->n_bytes = (uint16_t)(leaf.at + width);
    if (form == PS_KEY_TEXT || form == PS_KEY_VALUE) {
        PS_TRY(ps_grow(&key->cells, key->n_cells, &key->cells_capacity, sizeof *key->cells, err));
        key->cells[key->n_cells++] = leaf.at;
    }
    PS_TRY(ps_grow(&key->leaves, key->n_leaves, &key->leaves_capacity, sizeof *key->leaves, err));
    key->leaves[key->n_leaves++] = leaf;
    if (form == PS_KEY_STRUCT)
        for (int f = 0; f < type->n_fields; f++)
            PS_TRY(add_leaf(key, type->fields[f].type, form_of(type->fields[f].type), err));
    return PS_OK;
}

/* The end of a window that is now the last leaf but for its two fields is no longer kept. */
static void derive_end(ps_key *key, int64_t width_us)
{
    ps_key_leaf *end = &key->leaves[key->n_leaves - 1];

    end->form = PS_KEY_END;
    end->at = end[-1].at;
    key->n_bytes = (uint16_t)(end->at + 8);
    key->end_word = end->at / 8 + 1;
    key->window_us = width_us;
}

/* All columns but the event time as one value: a struct in a cell. */
static ps_status pack(ps_key *key, int time_col, ps_error *err)
{
    ps_field *fields;
    int n = 0;
    ps_status rc;

    PS_TRY(ps_alloc0((size_t)key->n_types * sizeof *fields, &fields, err));
    for (int i = 0; i < key->n_types; i++)
        if (i != time_col)
            fields[n++] = (ps_field){(char *)"", key->types[i], true, NULL};
    rc = ps_type_struct(fields, n, &key->packed, err);
    ps_free(fields);
    PS_TRY(rc);
    return add_leaf(key, key->packed, PS_KEY_VALUE, err);
}

static void find_time(ps_key *key, int time_col)
{
    int leaf = key->first_leaf[time_col];
    uint16_t nulls = key->leaves[leaf].null_bit;

    if (key->leaves[leaf].form == PS_KEY_STRUCT) /* window: the struct, its start, its end */
        leaf += 2;
    if (leaf < key->n_leaves && ps_type_width(key->leaves[leaf].type) == 8 &&
        (key->leaves[leaf].form == PS_KEY_FIXED || key->leaves[leaf].form == PS_KEY_END)) {
        key->time_leaf = leaf;
        key->time_nulls = nulls | key->leaves[leaf].null_bit;
    }
}

static ps_status lay_out(ps_key *key, const ps_key_spec *spec, ps_error *err)
{
    int n_bits = 0, time_col = spec->time_col;
    bool packed;

    for (int i = 0; i < key->n_types; i++)
        n_bits += count_bits(key->types[i]);
    packed = n_bits > MAX_BITS;
    for (int i = 0; i < key->n_types; i++) {
        key->first_leaf[i] = -1;
        if (packed && i != time_col)
            continue;
        key->first_leaf[i] = key->n_leaves;
        PS_TRY(add_leaf(key, key->types[i], form_of(key->types[i]), err));
        if (spec->window_us > 0 && i == spec->window_col)
            derive_end(key, spec->window_us);
    }
    if (packed)
        PS_TRY(pack(key, time_col, err));
    key->n_bytes = (uint16_t)((key->n_bytes + 7) & ~7);
    if (time_col >= 0)
        find_time(key, time_col);
    return PS_OK;
}

ps_status ps_key_init(ps_key *key, const ps_key_spec *spec, ps_error *err)
{
    size_t n = (size_t)spec->n_types;
    ps_status rc;

    memset(key, 0, sizeof *key);
    key->time_leaf = -1;
    key->end_word = -1;
    PS_TRY_OR(fail, ps_alloc0(n * sizeof *key->types, &key->types, err));
    PS_TRY_OR(fail, ps_alloc0(n * sizeof *key->first_leaf, &key->first_leaf, err));
    for (int i = 0; i < spec->n_types; i++)
        key->types[key->n_types++] = ps_type_ref(spec->types[i]);
    PS_TRY_OR(fail, lay_out(key, spec, err));
    key->direct = key->n_leaves == 1 && key->leaves[0].form == PS_KEY_FIXED &&
                  key->leaves[0].type->kind != PS_DOUBLE && ps_type_width(key->leaves[0].type) == 8;
    return PS_OK;
fail:
    ps_key_clear(key);
    return rc;
}

void ps_key_clear(ps_key *key)
{
    for (int i = 0; i < key->n_types; i++)
        ps_type_unref(key->types[i]);
    ps_free(key->types);
    ps_free(key->first_leaf);
    ps_type_unref(key->packed);
    ps_free(key->leaves);
    ps_free(key->cells);
    memset(key, 0, sizeof *key);
}

void ps_images_clear(ps_images *images)
{
    ps_free(images->room);
    ps_bytes_clear(&images->values);
    images->room = NULL;
}

/* ---- encoding ---- */

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

static inline uint64_t word_at(const uint8_t *image, int i)
{
    uint64_t word;
    memcpy(&word, image + 8 * i, sizeof word);
    return word;
}

static inline __attribute__((always_inline)) void
hash_words(const ps_key *key, ps_images *out, const uint16_t *nulls, uint64_t seed, int n_words)
{
    int end_word = key->end_word;
    uint64_t window = (uint64_t)key->window_us;

    for (int k = 0; k < out->n; k++) {
        const uint8_t *image = out->data + (size_t)k * out->stride;
        uint64_t head = (uint64_t)nulls[k] << 48;
        uint64_t hash = ps_hash_u64(n_words > 0 ? word_at(image, 0) : 0, seed ^ head);
        for (int i = 1; i <= n_words; i++) {
            if (i == end_word)
                hash = ps_hash_combine(hash, word_at(image, i - 1) + window);
            if (i < n_words)
                hash = ps_hash_combine(hash, word_at(image, i));
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
        uint64_t word = i < n_words ? word_at(image, i) : 0;
        bool first = i == 0;
        if (i == key->end_word)
            hash = ps_hash_combine(hash, word_at(image, i - 1) + (uint64_t)key->window_us);
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

    out->n = n;
    if (key->direct && !rows->sel && cols[0]->shape == PS_FLAT && !cols[0]->valid) {
        const uint64_t *words = (const uint64_t *)cols[0]->data + start;
        out->data = (const uint8_t *)words;
        out->stride = 8;
        out->any_far = false;
        for (int k = 0; k < n; k++)
            out->heads[k] = ps_tag_of(ps_hash_u64(words[k], seed));
        return PS_OK;
    }
    memset(nulls, 0, (size_t)n * sizeof *nulls);
    if (out->room == NULL)
        PS_TRY(ps_alloc0((size_t)PS_CHUNK * key->n_bytes, &out->room, err));
    out->data = out->room;
    out->stride = key->n_bytes;
    for (int k = 0; k < n; k++)
        at[k] = (int32_t)ps_row(rows, start + k);
    PS_TRY(encode_columns(key, cols, at, nulls, out, err));
    hash_images(key, nulls, seed, out);
    return PS_OK;
}

/* ---- decoding ---- */

typedef struct origin {
    const ps_key *key;
    uint8_t *const *slots;
    int64_t n;
    const ps_heap *heap;
} origin;

static inline bool is_null(const origin *from, int64_t k, uint16_t nulls)
{
    return (((const ps_slot *)from->slots[k])->nulls & nulls) != 0;
}

static ps_status mark_nulls(const origin *from, uint16_t nulls, ps_vec *vec, ps_error *err)
{
    for (int64_t k = 0; k < from->n; k++)
        if (is_null(from, k, nulls)) {
            if (!vec->valid)
                PS_TRY(ps_vec_make_nullable(vec, err));
            ps_bit_clear(vec->valid, k);
        }
    return PS_OK;
}

#define GET_LOOP(T)                                                                                \
    for (int64_t k = 0; k < from->n; k++)                                                          \
        memcpy((T *)vec->data + k, from->slots[k] + at, sizeof(T));

static void get_fixed(const origin *from, const ps_key_leaf *leaf, ps_vec *vec)
{
    size_t at = PS_SLOT_KEY + leaf->at;

    switch (ps_type_width(leaf->type)) {
    case 1:
        GET_LOOP(uint8_t);
        return;
    case 2:
        GET_LOOP(uint16_t);
        return;
    case 4:
        GET_LOOP(uint32_t);
        return;
    case 8:
        GET_LOOP(uint64_t);
        return;
    case 16:
        GET_LOOP(__int128);
        return;
    default:
        return;
    }
}

static void get_end(const origin *from, const ps_key_leaf *leaf, ps_vec *vec)
{
    uint64_t *ends = vec->data, window = (uint64_t)from->key->window_us;

    get_fixed(from, leaf, vec);
    for (int64_t k = 0; k < from->n; k++)
        ends[k] += window;
}

static ps_status get_text(const origin *from, const ps_key_leaf *leaf, ps_vec *vec, ps_error *err)
{
    size_t at = PS_SLOT_KEY + leaf->at, n_far = 0;
    ps_str *out = vec->data;
    ps_buf *buf = NULL;
    ps_status rc;

    for (int64_t k = 0; k < from->n; k++) {
        size_t n = ps_cell_get(from->heap, (const ps_cell *)(from->slots[k] + at)).n_bytes;
        n_far += n > PS_STR_INLINE ? n : 0;
    }
    if (n_far > 0)
        PS_TRY(ps_buf_new(n_far, &buf, err));
    n_far = 0;
    for (int64_t k = 0; k < from->n; k++) {
        ps_slice text = ps_cell_get(from->heap, (const ps_cell *)(from->slots[k] + at));
        if (text.n_bytes > PS_STR_INLINE) {
            text.data = memcpy(buf->data + n_far, text.data, text.n_bytes);
            n_far += text.n_bytes;
        }
        out[k] = ps_str_make(text.data, (uint32_t)text.n_bytes);
    }
    rc = buf ? ps_vec_pin(vec, buf, err) : PS_OK;
    ps_buf_unref(buf);
    return rc;
}

/* field: of the packed struct, or -1. */
static ps_status get_values(const origin *from, const ps_key_leaf *leaf, const ps_type *type,
                            int field, ps_vec **out, ps_error *err)
{
    ps_builder *b = NULL;
    ps_status rc;

    PS_TRY(ps_build_new(type, from->n, &b, err));
    for (int64_t k = 0; k < from->n; k++) {
        ps_slice bytes =
            ps_cell_get(from->heap, (const ps_cell *)(from->slots[k] + PS_SLOT_KEY + leaf->at));
        for (int f = 0; f < field; f++)
            if (!ps_value_skip(leaf->type->fields[f].type, &bytes))
                bytes.n_bytes = 0;
        if (field < 0 && is_null(from, k, leaf->null_bit))
            rc = ps_build_null(b, err);
        else
            rc = ps_value_read(&bytes, b, err);
        PS_TRY_OR(done, rc);
    }
    rc = ps_build_finish(b, out, err);
done:
    ps_build_free(b);
    return rc;
}

static ps_status get_column(const origin *from, int *leaf_at, uint16_t outer_nulls, ps_vec **out,
                            ps_error *err)
{
    const ps_key_leaf *leaf = &from->key->leaves[(*leaf_at)++];
    uint16_t nulls = outer_nulls | leaf->null_bit;
    ps_vec *vec = NULL, *child;
    ps_status rc;

    if (leaf->form == PS_KEY_VALUE)
        return get_values(from, leaf, leaf->type, -1, out, err);
    if (leaf->type->kind == PS_NULL)
        return ps_vec_null(leaf->type, from->n, out, err);
    PS_TRY(ps_vec_new(leaf->type, from->n, false, &vec, err));
    if (leaf->form == PS_KEY_FIXED)
        get_fixed(from, leaf, vec);
    else if (leaf->form == PS_KEY_END)
        get_end(from, leaf, vec);
    else if (leaf->form == PS_KEY_TEXT)
        PS_TRY_OR(fail, get_text(from, leaf, vec, err));
    else
        for (int c = 0; c < leaf->type->n_fields; c++) {
            PS_TRY_OR(fail, get_column(from, leaf_at, nulls, &child, err));
            PS_TRY_OR(fail, ps_vec_add_child(vec, child, err));
        }
    PS_TRY_OR(fail, mark_nulls(from, nulls, vec, err));
    *out = vec;
    return PS_OK;
fail:
    ps_vec_unref(vec);
    return rc;
}

ps_status ps_key_decode(const ps_key *key, int col, uint8_t *const *slots, int64_t n,
                        const ps_heap *heap, ps_vec **out, ps_error *err)
{
    origin from = {key, slots, n, heap};
    int leaf = key->first_leaf[col], field = 0;

    *out = NULL;
    if (leaf >= 0)
        return get_column(&from, &leaf, 0, out, err);
    for (int i = 0; i < col; i++)
        field += key->first_leaf[i] < 0;
    return get_values(&from, &key->leaves[key->n_leaves - 1], key->types[col], field, out, err);
}

bool ps_key_time(const ps_key *key, const uint8_t *slot, int64_t *us)
{
    if (key->time_leaf < 0 || (((const ps_slot *)slot)->nulls & key->time_nulls))
        return false;
    memcpy(us, slot + PS_SLOT_KEY + key->leaves[key->time_leaf].at, sizeof *us);
    if (key->leaves[key->time_leaf].form == PS_KEY_END)
        *us = (int64_t)((uint64_t)*us + (uint64_t)key->window_us);
    return true;
}

ps_status ps_key_text(const ps_key *key, const uint8_t *slot, const ps_heap *heap, ps_bytes *out,
                      ps_error *err)
{
    uint8_t *one = (uint8_t *)(uintptr_t)slot;
    ps_status rc = ps_bytes_char(out, '(', err);

    for (int i = 0; i < key->n_types && rc == PS_OK; i++) {
        ps_vec *vec;
        if (i > 0)
            PS_TRY(ps_bytes_text(out, ", ", err));
        PS_TRY(ps_key_decode(key, i, &one, 1, heap, &vec, err));
        rc = ps_vec_is_null(vec, 0) ? ps_bytes_text(out, "NULL", err)
                                    : ps_text_of_value(vec, 0, ps_zone_utc(), out, err);
        ps_vec_unref(vec);
    }
    PS_TRY(rc);
    return ps_bytes_char(out, ')', err);
}
