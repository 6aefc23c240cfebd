/*
 * state/key.c - how keys are laid out, and from key records back to columns.
 */
#include "state/key.h"
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

/* Is the leaf made of words that need no canonical form (short texts do not), or of nothing. */
static bool is_words(const ps_key_leaf *leaf)
{
    return leaf->form == PS_KEY_STRUCT || leaf->form == PS_KEY_END || leaf->form == PS_KEY_TEXT ||
           (leaf->form == PS_KEY_FIXED && leaf->type->kind != PS_DOUBLE &&
            ps_type_width(leaf->type) == 8);
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
    key->whole_words = !key->packed && key->n_bytes > 0 && key->n_bytes <= 8 * PS_KEY_WORDS;
    for (int i = 0; i < key->n_leaves; i++)
        key->whole_words = key->whole_words && is_words(&key->leaves[i]);
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

bool ps_key_image_time(const ps_key *key, uint16_t nulls, const uint8_t *image, int64_t *us)
{
    if (key->time_leaf < 0 || (nulls & key->time_nulls))
        return false;
    memcpy(us, image + key->leaves[key->time_leaf].at, sizeof *us);
    if (key->leaves[key->time_leaf].form == PS_KEY_END)
        *us = (int64_t)((uint64_t)*us + (uint64_t)key->window_us);
    return true;
}

bool ps_key_time(const ps_key *key, const uint8_t *slot, int64_t *us)
{
    return ps_key_image_time(key, ((const ps_slot *)slot)->nulls, slot + PS_SLOT_KEY, us);
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
