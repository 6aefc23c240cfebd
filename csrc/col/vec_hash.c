/*
 * col/vec_hash.c - hashes of rows, a column at a time.
 *
 * Values that are equal in ps_vec_compare() hash alike: integers by their 64-bit value, floats by canonical
 * bits, nested values by their elements.  With seed 0 the result is the stable hash "mum1" that state files
 * name, so a change here is a new name there.
 */
#include "base/hash.h"
#include "col/vec_int.h"

#define NULL_HASH 0x7fb5d329728ea185ull
#define CHUNK 256

static inline void put(uint64_t *hash, uint64_t value, bool combine)
{
    *hash = combine ? ps_hash_combine(*hash, value) : value;
}

/* One loop per value type and shape; `combine` and the shape are constants in each. */
#define LOOP_OVER(hash_of_at, combine)                                                             \
    do {                                                                                           \
        if (!view->valid && !view->index && view->mask && !sel) {                                  \
            for (int64_t j = 0; j < n; j++) {                                                      \
                int64_t at = j;                                                                    \
                put(&hashes[j], hash_of_at, combine);                                              \
            }                                                                                      \
        } else {                                                                                   \
            for (int64_t j = 0; j < n; j++) {                                                      \
                int64_t at = ps_at(view, sel ? sel[j] : j);                                        \
                if (view->valid && !ps_bit(view->valid, at))                                       \
                    put(&hashes[j], NULL_HASH ^ seed, combine);                                    \
                else                                                                               \
                    put(&hashes[j], hash_of_at, combine);                                          \
            }                                                                                      \
        }                                                                                          \
    } while (0)

#define DEFINE_LOOP(name, T, hash_of_at)                                                           \
    static void name(const ps_view *view, const int32_t *sel, int64_t n, uint64_t seed, bool combine, \
                     uint64_t *hashes)                                                             \
    {                                                                                              \
        const T *data = view->data;                                                                \
        if (combine)                                                                               \
            LOOP_OVER(hash_of_at, true);                                                           \
        else                                                                                       \
            LOOP_OVER(hash_of_at, false);                                                          \
    }

static inline uint64_t hash_str(const ps_str *s, uint64_t seed)
{
    uint64_t words[2];

    if (s->n_bytes > PS_STR_INLINE)
        return ps_hash_bytes(s->far.data, s->n_bytes, seed);
    memcpy(words, s, sizeof words); /* the length and twelve bytes, the unused ones zero */
    return ps_hash_combine(ps_hash_u64(words[0], seed), words[1]);
}

DEFINE_LOOP(hash_i8, int8_t, ps_hash_u64((uint64_t)(int64_t)data[at], seed))
DEFINE_LOOP(hash_i16, int16_t, ps_hash_u64((uint64_t)(int64_t)data[at], seed))
DEFINE_LOOP(hash_i32, int32_t, ps_hash_u64((uint64_t)(int64_t)data[at], seed))
DEFINE_LOOP(hash_i64, int64_t, ps_hash_u64((uint64_t)data[at], seed))
DEFINE_LOOP(hash_f32, float, ps_hash_u64(psi_double_bits(data[at]), seed))
DEFINE_LOOP(hash_f64, double, ps_hash_u64(psi_double_bits(data[at]), seed))
DEFINE_LOOP(hash_i128, unsigned __int128,
            ps_hash_combine(ps_hash_u64((uint64_t)data[at], seed), (uint64_t)(data[at] >> 64)))
DEFINE_LOOP(hash_text, ps_str, hash_str(&data[at], seed))
DEFINE_LOOP(hash_calendar, ps_calendar,
            ps_hash_combine(ps_hash_u64((uint64_t)(uint32_t)data[at].months << 32 | (uint32_t)data[at].days, seed),
                            (uint64_t)data[at].micros))

/* Structs: rows in chunks, field after field combined. */
static void hash_struct(const ps_view *view, const int32_t *sel, int64_t n, uint64_t seed, bool combine,
                        uint64_t *hashes)
{
    int32_t rows[CHUNK];
    uint64_t part[CHUNK];

    for (int64_t start = 0; start < n; start += CHUNK) {
        int m = (int)(n - start < CHUNK ? n - start : CHUNK);
        for (int k = 0; k < m; k++) {
            rows[k] = (int32_t)ps_at(view, sel ? sel[start + k] : start + k);
            part[k] = ps_hash_u64((uint64_t)view->base->n_children, seed);
        }
        for (int c = 0; c < view->base->n_children; c++)
            ps_vec_hash(view->base->children[c], rows, m, seed, true, part);
        for (int k = 0; k < m; k++) {
            bool null = view->valid && !ps_bit(view->valid, rows[k]);
            put(&hashes[start + k], null ? NULL_HASH ^ seed : part[k], combine);
        }
    }
}

static uint64_t hash_span(const ps_vec *base, ps_span span, uint64_t seed)
{
    uint64_t hash = ps_hash_u64(span.n, seed);

    for (uint32_t i = 0; i < span.n; i++) {
        int32_t row = (int32_t)(span.start + i);
        for (int c = 0; c < base->n_children; c++)
            ps_vec_hash(base->children[c], &row, 1, seed, true, &hash);
    }
    return hash;
}
DEFINE_LOOP(hash_spans, ps_span, hash_span(view->base, data[at], seed))

static void hash_rows(const ps_view *view, const int32_t *sel, int64_t n, uint64_t seed, bool combine,
                      uint64_t *hashes)
{
    switch (view->base->type->kind) {
    case PS_FLOAT: hash_f32(view, sel, n, seed, combine, hashes); return;
    case PS_DOUBLE: hash_f64(view, sel, n, seed, combine, hashes); return;
    case PS_DECIMAL: hash_i128(view, sel, n, seed, combine, hashes); return;
    case PS_STRING:
    case PS_BINARY: hash_text(view, sel, n, seed, combine, hashes); return;
    case PS_CALENDAR: hash_calendar(view, sel, n, seed, combine, hashes); return;
    case PS_ARRAY:
    case PS_MAP: hash_spans(view, sel, n, seed, combine, hashes); return;
    case PS_STRUCT: hash_struct(view, sel, n, seed, combine, hashes); return;
    default: break;
    }
    switch (ps_type_width(view->base->type)) {
    case 1: hash_i8(view, sel, n, seed, combine, hashes); return;
    case 2: hash_i16(view, sel, n, seed, combine, hashes); return;
    case 4: hash_i32(view, sel, n, seed, combine, hashes); return;
    case 8: hash_i64(view, sel, n, seed, combine, hashes); return;
    default:
        for (int64_t j = 0; j < n; j++) /* VOID: NULL in every row */
            put(&hashes[j], NULL_HASH ^ seed, combine);
    }
}

void ps_vec_hash(const ps_vec *vec, const int32_t *sel, int64_t n, uint64_t seed, bool combine, uint64_t *hashes)
{
    ps_view view;
    uint64_t one;

    if (n == 0)
        return;
    ps_view_init(&view, vec);
    if (vec->shape != PS_CONST || n == 1) {
        hash_rows(&view, sel, n, seed, combine, hashes);
        return;
    }
    hash_rows(&view, NULL, 1, seed, false, &one);
    for (int64_t j = 0; j < n; j++)
        put(&hashes[j], one, combine);
}
