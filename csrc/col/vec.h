/*
 * col/vec.h - one column of values.
 *
 * A vector is immutable once built and shared by reference.  Its shape is FLAT (a value per row), CONST
 * (one value for all rows) or DICT (an index per row into another, flat vector).  Kernels read any shape
 * through a ps_view.  Validity is a bitmap, bit set = not NULL; absent = no NULLs.  A value under a NULL or
 * outside the selection is undefined but readable: what a text or a span there points at is not.
 *
 * Strings are 16-byte views; the vector pins the buffers that they point into (`bufs`).  An array or map
 * value is a span of rows of the child vectors (array: children[0]; map: keys children[0], values
 * children[1]); a struct has a child per field with the struct's own rows.  Children of a FLAT vector are
 * of any shape.
 */
#ifndef PS_COL_VEC_H
#define PS_COL_VEC_H
#include "col/type.h"

/* A string or binary value: up to 12 bytes inline, else a 4-byte prefix and a pointer. */
typedef struct ps_str {
    uint32_t n_bytes;
    union {
        char inlined[12]; /* unused bytes are zero */
        struct {
            char prefix[4];
            const char *data; /* unaligned: read through ps_str_data */
        } __attribute__((packed)) far;
    };
} ps_str;
_Static_assert(sizeof(ps_str) == 16, "a string view has 16 bytes");
#define PS_STR_INLINE 12

typedef struct ps_span { uint32_t start, n; } ps_span;
typedef struct ps_calendar { int32_t months, days; int64_t micros; } ps_calendar;

static inline const char *ps_str_data(const ps_str *s) { return s->n_bytes <= PS_STR_INLINE ? s->inlined : s->far.data; }
static inline ps_slice ps_str_slice(const ps_str *s) { return (ps_slice){ps_str_data(s), s->n_bytes}; }
/* A view of bytes that outlive it (short ones are copied inline). */
static inline ps_str ps_str_make(const char *data, uint32_t n_bytes)
{
    ps_str s;
    memset(&s, 0, sizeof s);
    s.n_bytes = n_bytes;
    if (n_bytes <= PS_STR_INLINE) {
        memcpy(s.inlined, data, n_bytes);
    } else {
        memcpy(s.far.prefix, data, 4);
        s.far.data = data;
    }
    return s;
}
/* What of the first twelve bytes belongs to a text of so many. */
#define PS_STR_LOW(n) ((1ull << 8 * (n)) - 1)
static const uint64_t ps_str_masks[PS_STR_INLINE + 1][2] = {
    {0, 0},                  {PS_STR_LOW(1), 0},      {PS_STR_LOW(2), 0},       {PS_STR_LOW(3), 0},       {PS_STR_LOW(4), 0},
    {PS_STR_LOW(5), 0},      {PS_STR_LOW(6), 0},      {PS_STR_LOW(7), 0},       {~0ull, 0},               {~0ull, PS_STR_LOW(1)},
    {~0ull, PS_STR_LOW(2)},  {~0ull, PS_STR_LOW(3)},  {~0ull, PS_STR_LOW(4)},
};
/* The same from the first twelve bytes at hand (what lies behind the text is cut off): without a branch on the length.  Two
 * whole words are stored: a view that is put together from smaller stores cannot be loaded again at once. */
static inline void ps_str_put_words(ps_str *out, uint64_t low, uint32_t more, const char *data, uint32_t n_bytes)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint64_t words[2] = {low << 32 | n_bytes, (uint64_t)(uintptr_t)data};

    if (n_bytes <= PS_STR_INLINE) {
        low &= ps_str_masks[n_bytes][0];
        words[1] = low >> 32 | (more & ps_str_masks[n_bytes][1]) << 32;
        words[0] = low << 32 | n_bytes;
    }
    memcpy(out, &words[0], 8);
    memcpy((char *)out + 8, &words[1], 8);
#else
    (void)low;
    (void)more;
    *out = ps_str_make(data, n_bytes);
#endif
}
/* The same where twelve bytes can be read from data on, whatever the length. */
static inline void ps_str_put(ps_str *out, const char *data, uint32_t n_bytes)
{
    uint64_t low;
    uint32_t more;

    memcpy(&low, data, 8);
    memcpy(&more, data + 8, 4);
    ps_str_put_words(out, low, more, data, n_bytes);
}
/* The same where the four bytes before data can be read as well: they come first, and the length takes their place. */
static inline void ps_str_put_behind(ps_str *out, const char *data, uint32_t n_bytes)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    static const uint64_t masks[PS_STR_INLINE + 1][2] = {
        {0, 0},                       {PS_STR_LOW(1) << 32, 0},     {PS_STR_LOW(2) << 32, 0},     {PS_STR_LOW(3) << 32, 0},
        {~0ull << 32, 0},             {~0ull << 32, PS_STR_LOW(1)}, {~0ull << 32, PS_STR_LOW(2)}, {~0ull << 32, PS_STR_LOW(3)},
        {~0ull << 32, PS_STR_LOW(4)}, {~0ull << 32, PS_STR_LOW(5)}, {~0ull << 32, PS_STR_LOW(6)}, {~0ull << 32, PS_STR_LOW(7)},
        {~0ull << 32, ~0ull},
    };
    uint64_t first, second;

    memcpy(&first, data - 4, 8);
    if (n_bytes <= PS_STR_INLINE) {
        memcpy(&second, data + 4, 8);
        first &= masks[n_bytes][0];
        second &= masks[n_bytes][1];
    } else {
        first &= ~0ull << 32;
        second = (uint64_t)(uintptr_t)data;
    }
    first |= n_bytes;
    memcpy(out, &first, 8);
    memcpy((char *)out + 8, &second, 8);
#else
    *out = ps_str_make(data, n_bytes);
#endif
}
static inline bool ps_str_equal(const ps_str *a, const ps_str *b)
{
    uint64_t x[2], y[2];

    memcpy(x, a, sizeof x);
    memcpy(y, b, sizeof y);
    if (a->n_bytes <= PS_STR_INLINE) /* one comparison: which of two short texts comes next cannot be foreseen */
        return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
    return x[0] == y[0] /* length and first four bytes */ && memcmp(a->far.data, b->far.data, a->n_bytes) == 0;
}
int ps_str_compare(const ps_str *a, const ps_str *b); /* unsigned bytes, as Spark's UTF8_BINARY */

typedef enum ps_shape { PS_FLAT, PS_CONST, PS_DICT } ps_shape;

typedef struct ps_vec {
    ps_refs refs;
    ps_shape shape;
    const ps_type *type; /* owned */
    int64_t n_rows;      /* logical */
    void *data;          /* FLAT, CONST; NULL for structs and nulls */
    uint64_t *valid;     /* bitmap of the physical rows, or NULL */
    int32_t *index;      /* DICT: physical row of dict per row, never negative */
    struct ps_vec *dict; /* DICT: FLAT; owned */
    ps_buf *data_buf, *valid_buf, *index_buf; /* owned */
    ps_buf **bufs;       /* pinned string memory; owned */
    int n_bufs;
    struct ps_vec **children; /* owned */
    int n_children;
} ps_vec;

static inline bool ps_bit(const uint64_t *bits, int64_t i) { return bits[i >> 6] >> (i & 63) & 1; }
static inline void ps_bit_set(uint64_t *bits, int64_t i) { bits[i >> 6] |= 1ull << (i & 63); }
static inline void ps_bit_clear(uint64_t *bits, int64_t i) { bits[i >> 6] &= ~(1ull << (i & 63)); }

ps_vec *ps_vec_ref(ps_vec *vec);   /* accepts NULL */
void ps_vec_unref(ps_vec *vec);    /* accepts NULL */

/* A FLAT vector to fill: data for n_rows (undefined), `valid` NULL or (nullable) all ones.  For structs,
 * arrays and maps the caller attaches children (ps_vec_add_child). */
ps_status ps_vec_new(const ps_type *type, int64_t n_rows, bool nullable, ps_vec **out, ps_error *err);
ps_status ps_vec_add_child(ps_vec *vec, ps_vec *child, ps_error *err); /* takes child, also when it fails */
ps_status ps_vec_pin(ps_vec *vec, ps_buf *buf, ps_error *err);          /* refs buf; skips one pinned already */
ps_status ps_vec_pin_all(ps_vec *vec, const ps_vec *from, ps_error *err); /* pins what `from` pins (its dict's too) */
ps_status ps_vec_make_nullable(ps_vec *vec, ps_error *err);             /* FLAT being built: gives it an all-ones bitmap */
static inline ps_status ps_vec_set_null(ps_vec *vec, int64_t i, ps_error *err)        /* FLAT being built */
{
    if (PS_UNLIKELY(!vec->valid))
        PS_TRY(ps_vec_make_nullable(vec, err));
    ps_bit_clear(vec->valid, i);
    return PS_OK;
}
ps_status ps_vec_null(const ps_type *type, int64_t n_rows, ps_vec **out, ps_error *err); /* CONST NULL */
/* `value` (row `row` of it) repeated n_rows times, as CONST. */
ps_status ps_vec_repeat(ps_vec *value, int64_t row, int64_t n_rows, ps_vec **out, ps_error *err);
ps_status ps_vec_slice(ps_vec *vec, int64_t start, int64_t n_rows, ps_vec **out, ps_error *err);   /* shares data */
/* Rows index[0..n) of vec as DICT (or CONST); shares data; takes no copy of index when index_buf is given. */
ps_status ps_vec_take(ps_vec *vec, const int32_t *index, int64_t n, ps_buf *index_buf, ps_vec **out, ps_error *err);
ps_status ps_vec_flatten(ps_vec *vec, ps_vec **out, ps_error *err);     /* FLAT of the same rows; a ref when flat already */
/* FLAT and self-contained: string memory is copied into one buffer of its own; for what outlives its batch. */
ps_status ps_vec_copy(ps_vec *vec, const int32_t *sel, int64_t n, ps_vec **out, ps_error *err);
ps_status ps_vec_concat(ps_vec *const *vecs, int n, ps_vec **out, ps_error *err);
size_t ps_vec_n_bytes(const ps_vec *vec); /* memory it pins, shared or not */
/* The same values under another type of the same layout (renamed fields, nullability). */
ps_status ps_vec_retype(ps_vec *vec, const ps_type *type, ps_vec **out, ps_error *err);

/* How a kernel reads a vector of any shape: physical row of row i is ps_at(&view, i). */
typedef struct ps_view {
    const void *data;
    const uint64_t *valid; /* of physical rows, or NULL */
    const int32_t *index;  /* DICT, else NULL */
    int64_t mask;          /* -1, or 0 for CONST */
    const ps_vec *base;    /* the physical vector: children, bufs */
} ps_view;
void ps_view_init(ps_view *view, const ps_vec *vec);
static inline int64_t ps_at(const ps_view *view, int64_t i) { return view->index ? view->index[i] : (i & view->mask); }
static inline bool ps_view_is_null(const ps_view *view, int64_t i) { return view->valid && !ps_bit(view->valid, ps_at(view, i)); }
bool ps_vec_is_null(const ps_vec *vec, int64_t row);
int64_t ps_vec_null_count(const ps_vec *vec);

/* Total order of Spark (NULL first when nulls_first; NaN greatest; -0.0 = 0.0; nested by element). */
int ps_vec_compare(const ps_vec *a, int64_t row_a, const ps_vec *b, int64_t row_b, bool nulls_first);
bool ps_vec_equal_rows(const ps_vec *a, int64_t row_a, const ps_vec *b, int64_t row_b); /* NULLs equal, NaN equal */
/* Hash of each selected row, combined into hashes[j] (j counts selected rows) when `combine`; NaNs and zeros canonical.
 * seed 0 is the stable hash of state files. */
void ps_vec_hash(const ps_vec *vec, const int32_t *sel, int64_t n, uint64_t seed, bool combine, uint64_t *hashes);
#endif
