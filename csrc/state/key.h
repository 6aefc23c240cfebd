/*
 * state/key.h - keys as records of fixed size.
 *
 * The columns of a key are laid out one behind the other, structs by their fields: fixed-width
 * values in kernel layout, strings and binaries as cells (heap.h), nested values as a cell with
 * their canonical bytes (value.h).  NULL bits live in the head of a slot.  Floats are canonical
 * (one NaN, no -0.0), so equal keys are equal byte by byte but for what lies in a heap.  When a key
 * needs more than 16 NULL bits, all its columns but the event time are packed into one cell.
 */
#ifndef PS_STATE_KEY_H
#define PS_STATE_KEY_H
#include "col/batch.h"
#include "state/heap.h"

static inline uint64_t ps_word_at(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}
/* Slots and keys are whole words, and so few that calling memcpy() takes longer. */
static inline __attribute__((always_inline)) void ps_copy_words(uint8_t *to, const uint8_t *from,
                                                                size_t n_bytes)
{
    for (size_t at = 0; at < n_bytes; at += 8)
        memcpy(to + at, from + at, 8);
}

#define PS_CHUNK 512 /* rows that are encoded and probed together */
#define PS_KEY_WORDS 7 /* of a key that is read in one go: a window and two texts */

typedef enum ps_key_form {
    PS_KEY_FIXED,
    PS_KEY_TEXT,
    PS_KEY_VALUE,
    PS_KEY_STRUCT,
    PS_KEY_END /* the end of a window: its start, which has the leaf before, and the width */
} ps_key_form;
typedef struct ps_key_leaf {
    const ps_type *type; /* borrowed from the key's types */
    ps_key_form form;
    uint16_t at;       /* in the key */
    uint16_t null_bit; /* as a mask */
} ps_key_leaf;

typedef struct ps_key {
    const ps_type **types; /* owned */
    int n_types;
    int *first_leaf;       /* of each column; -1: packed; owned */
    const ps_type *packed; /* the struct of the packed columns, else NULL; owned */
    ps_key_leaf *leaves; /* fields of structs in order, behind a leaf of no bytes for the struct */
    int n_leaves, leaves_capacity;
    uint16_t n_bits;
    uint16_t *cells; /* offsets of cells in the key */
    int n_cells, cells_capacity;
    uint16_t n_bytes;    /* a multiple of 8 */
    int time_leaf;       /* TIMESTAMP or the end of a window struct, or -1 */
    uint16_t time_nulls; /* NULL bits that make the time NULL */
    int end_word;        /* where the end of a window that is not kept would stand, or -1 */
    int64_t window_us;   /* from its start to there */
    bool whole_words;    /* a few words that need no canonical form */
} ps_key;

/* What a key is made of. */
typedef struct ps_key_spec {
    const ps_type *const *types;
    int n_types;
    int time_col;      /* event time: TIMESTAMP, or a struct whose second field is its end; or -1 */
    int window_col;    /* a struct of a start and, window_us later, an end: that is not kept */
    int64_t window_us; /* 0: there is no such column */
} ps_key_spec;
ps_status ps_key_init(ps_key *key, const ps_key_spec *spec, ps_error *err);
void ps_key_clear(ps_key *key);

/* The images of at most PS_CHUNK keys: what is compared with slots and copied into them.  Zeroed by
 * {0}. */
typedef struct ps_images {
    int n;
    uint64_t heads[PS_CHUNK]; /* tag | nulls << 48 */
    const uint8_t *data;      /* n keys, `stride` apart; far cells hold pointers */
    size_t stride;
    bool any_far;    /* some cell points at its bytes; else equal keys are equal byte by byte */
    uint8_t *room;   /* owned */
    ps_bytes values; /* bytes of nested values */
} ps_images;
void ps_images_clear(ps_images *images);

/* Images of the live rows start .. start + n, with the hashes ("mum1" in state files) for this
 * seed. */
ps_status ps_key_encode(const ps_key *key, ps_vec *const *cols, const ps_rows *rows, int64_t start,
                        int n, uint64_t seed, ps_images *out, ps_error *err);
/* Column `col` of the keys in these slots, whose cells lie in `heap`. */
ps_status ps_key_decode(const ps_key *key, int col, uint8_t *const *slots, int64_t n,
                        const ps_heap *heap, ps_vec **out, ps_error *err);
/* The event time in microseconds; false when NULL. */
bool ps_key_time(const ps_key *key, const uint8_t *slot, int64_t *us);
bool ps_key_image_time(const ps_key *key, uint16_t nulls, const uint8_t *image, int64_t *us);
/* A readable form for messages: "(5, abc)". */
ps_status ps_key_text(const ps_key *key, const uint8_t *slot, const ps_heap *heap, ps_bytes *out,
                      ps_error *err);
#endif
