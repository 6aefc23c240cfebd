/*
 * op/aggregate_parts.c - rows that wait, parted by the leading bits of their hash.
 *
 * A row is the head of a slot, the image of its key and its arguments, each in words of its own:
 *
 *     tag, NULL bits of the arguments, NULL bits of the key | key | argument | argument ...
 *
 * Constants do not wait, and a column that several calls take waits once.  Rows lie in blocks, a
 * list of them a part, cut out of slabs that are large enough for huge pages.  Texts too long for
 * their view are copied into an arena.
 */
#include "op/aggregate_int.h"

#define BLOCK_BYTES ((size_t)16 << 10)
#define SLAB_BYTES ((size_t)16 << 20)
#define KEPT_SLABS 1 /* from one micro-batch to the next, while it uses one */
#define AHEAD 192 /* bytes: how far before it is written the memory of a part is fetched */
#define MOST_ARGS 16 /* NULL bits in a row's head */
#define MOST_KEY 1024 /* bytes: many rows fit in a block */

struct psi_parts_block {
    psi_parts_block *next;
    uint8_t *end; /* of its rows, when it is full */
    uint8_t rows[];
};

typedef struct part {
    uint8_t *at, *end; /* room in the last block */
    psi_parts_block *first, *last;
} part;

typedef struct arg {
    const ps_type *type; /* borrowed */
    bool constant;
    int same;         /* the argument before that is the same column, or -1 */
    size_t at, width; /* in a row */
    ps_vec *value;    /* of a constant, PS_CHUNK times; owned */
} arg;

struct psi_parts {
    int n_outs, n_keys;
    arg args[MOST_ARGS];
    size_t row_bytes;
    part *parts;
    int bits; /* 1 << bits parts */
    uint8_t **slabs;
    int n_slabs, slabs_capacity;
    int slabs_used; /* those before the last are cut up */
    size_t cut;     /* of the last */
    size_t n_bytes; /* that wait */
    bool any_null;  /* among the arguments that wait */
    ps_arena texts;
};

static int n_args_of(const psi_aggregate_plan *plan)
{
    int n = 0;

    for (int i = 0; i < plan->n_calls; i++)
        n += plan->spec->calls.items[i].n_args;
    return n;
}

bool psi_parts_fit(const psi_aggregate_plan *plan)
{
    for (int i = 0; i < plan->n_calls; i++)
        for (int a = 0; a < plan->spec->calls.items[i].n_args; a++) {
            const ps_bound *bound = plan->spec->calls.items[i].args[a];
            ps_kind kind = bound->type->kind;
            if (bound->kind != PS_B_LITERAL && (kind == PS_NULL || ps_kind_is_nested(kind)))
                return false;
        }
    return n_args_of(plan) <= MOST_ARGS && plan->layout.key.n_bytes <= MOST_KEY;
}

/* The argument before n that is the same column. */
static int find_same(ps_bound *const *bounds, int n)
{
    for (int i = 0; i < n && bounds[n]->kind == PS_B_COLUMN; i++)
        if (bounds[i]->kind == PS_B_COLUMN && bounds[i]->attr_id == bounds[n]->attr_id)
            return i;
    return -1;
}

static void lay_out(psi_parts *parts, const psi_aggregate_plan *plan)
{
    ps_bound *bounds[MOST_ARGS];
    size_t at = PS_SLOT_KEY + plan->layout.key.n_bytes;
    int n = 0;

    for (int i = 0; i < plan->n_calls; i++)
        for (int a = 0; a < plan->spec->calls.items[i].n_args; a++, n++) {
            arg *to = &parts->args[n];
            bounds[n] = plan->spec->calls.items[i].args[a];
            to->type = bounds[n]->type;
            to->constant = bounds[n]->kind == PS_B_LITERAL;
            to->same = find_same(bounds, n);
            if (to->constant || to->same >= 0)
                continue;
            to->at = at;
            to->width = ps_type_width(to->type);
            at += (to->width + 7) & ~(size_t)7;
        }
    parts->row_bytes = at;
}

ps_status psi_parts_new(const psi_aggregate_plan *plan, psi_parts **out, ps_error *err)
{
    psi_parts *parts;

    PS_TRY(ps_alloc0(sizeof *parts, out, err));
    parts = *out;
    parts->n_keys = plan->n_keys;
    parts->n_outs = plan->n_keys + n_args_of(plan);
    parts->bits = -1;
    lay_out(parts, plan);
    return PS_OK;
}

static void free_slabs(psi_parts *parts, int from)
{
    for (int i = from; i < parts->n_slabs; i++)
        ps_free(parts->slabs[i]);
    parts->n_slabs = from < parts->n_slabs ? from : parts->n_slabs;
}

void psi_parts_free(psi_parts *parts)
{
    if (parts == NULL)
        return;
    for (int i = 0; i < MOST_ARGS; i++)
        ps_vec_unref(parts->args[i].value);
    free_slabs(parts, 0);
    ps_free(parts->slabs);
    ps_free(parts->parts);
    ps_arena_clear(&parts->texts);
    ps_free(parts);
}

ps_status psi_parts_begin(psi_parts *parts, int bits, ps_error *err)
{
    if (parts->bits != bits)
        PS_TRY(ps_realloc(((size_t)1 << bits) * sizeof *parts->parts, &parts->parts, err));
    parts->bits = bits;
    psi_parts_forget(parts);
    return PS_OK;
}

void psi_parts_forget(psi_parts *parts)
{
    if (parts->bits >= 0)
        memset(parts->parts, 0, ((size_t)1 << parts->bits) * sizeof *parts->parts);
    parts->slabs_used = 0;
    parts->cut = SLAB_BYTES;
    parts->n_bytes = 0;
    parts->any_null = false;
    ps_arena_reset(&parts->texts);
}

void psi_parts_shrink(psi_parts *parts)
{
    free_slabs(parts, parts->slabs_used < KEPT_SLABS ? parts->slabs_used : KEPT_SLABS);
    psi_parts_forget(parts);
}

size_t psi_parts_n_bytes(const psi_parts *parts)
{
    return parts->n_bytes + parts->texts.n_bytes;
}

int64_t psi_parts_n_rows(const psi_parts *parts)
{
    return (int64_t)(parts->n_bytes / parts->row_bytes);
}

/* ---- rows in ---- */

static ps_status next_slab(psi_parts *parts, ps_error *err)
{
    if (parts->slabs_used == parts->n_slabs) {
        PS_TRY(ps_grow(&parts->slabs, parts->n_slabs, &parts->slabs_capacity, sizeof *parts->slabs,
                       err));
        PS_TRY(ps_alloc(SLAB_BYTES, &parts->slabs[parts->n_slabs], err));
        parts->n_slabs++;
    }
    parts->slabs_used++;
    parts->cut = 0;
    return PS_OK;
}

static ps_status add_block(psi_parts *parts, part *to, ps_error *err)
{
    psi_parts_block *more;

    if (parts->cut == SLAB_BYTES)
        PS_TRY(next_slab(parts, err));
    more = (psi_parts_block *)(parts->slabs[parts->slabs_used - 1] + parts->cut);
    parts->cut += BLOCK_BYTES;
    more->next = NULL;
    if (to->last != NULL) {
        to->last->end = to->at;
        to->last->next = more;
    } else {
        to->first = more;
    }
    to->last = more;
    to->at = more->rows;
    to->end = (uint8_t *)more + BLOCK_BYTES;
    return PS_OK;
}

/* Heads and keys; places[k]: where the row of image which[k] now is. */
static ps_status put_keys(psi_parts *parts, const ps_images *images, size_t n_key,
                          const int16_t *which, int n, uint8_t **places, ps_error *err)
{
    size_t row_bytes = parts->row_bytes;
    int shift = 32 - parts->bits;

    for (int k = 0; k < n; k++) {
        uint64_t head = images->heads[which[k]];
        const uint8_t *image = images->data + (size_t)which[k] * images->stride;
        part *to = &parts->parts[(uint64_t)(uint32_t)head >> shift];
        uint8_t *at = to->at;
        if (PS_UNLIKELY(row_bytes > (size_t)(to->end - at))) {
            PS_TRY(add_block(parts, to, err));
            at = to->at;
        }
        to->at = at + row_bytes;
        __builtin_prefetch(at + AHEAD, 1);
        places[k] = at;
        memcpy(at, &head, sizeof head);
        ps_copy_words(at + PS_SLOT_KEY, image, n_key);
    }
    parts->n_bytes += (size_t)n * row_bytes;
    return PS_OK;
}

/* The bytes of far cells, which lie in columns that do not outlive their batch. */
static ps_status keep_cells(psi_parts *parts, const ps_key *key, uint8_t *const *places, int n,
                            ps_error *err)
{
    for (int k = 0; k < n; k++)
        for (int c = 0; c < key->n_cells; c++) {
            ps_cell *cell = (ps_cell *)(places[k] + PS_SLOT_KEY + key->cells[c]);
            char *copy;
            if (!ps_cell_is_far(cell))
                continue;
            PS_TRY(ps_arena_strndup(&parts->texts, (const char *)(uintptr_t)cell->far.at,
                                    cell->n_bytes, &copy, err));
            cell->far.at = (uint64_t)(uintptr_t)copy;
        }
    return PS_OK;
}

/* The bytes of long texts, likewise; a view under a NULL says nothing. */
static ps_status keep_texts(psi_parts *parts, int i, uint8_t *const *places, int n, ps_error *err)
{
    const arg *from = &parts->args[i];

    for (int k = 0; k < n; k++) {
        ps_str text;
        char *copy;
        memcpy(&text, places[k] + from->at, sizeof text);
        if (text.n_bytes <= PS_STR_INLINE || ((const ps_slot *)places[k])->flags >> i & 1)
            continue;
        PS_TRY(ps_arena_strndup(&parts->texts, text.far.data, text.n_bytes, &copy, err));
        text = ps_str_make(copy, text.n_bytes);
        memcpy(places[k] + from->at, &text, sizeof text);
    }
    return PS_OK;
}

static inline __attribute__((always_inline)) void
put_wide(uint8_t *const *places, size_t at, size_t width, const ps_view *view, const int32_t *rows,
         int n)
{
    for (int k = 0; k < n; k++)
        memcpy(places[k] + at, (const uint8_t *)view->data + (size_t)ps_at(view, rows[k]) * width,
               width);
}

static void put_values(uint8_t *const *places, const arg *to, const ps_view *view,
                       const int32_t *rows, int n)
{
    switch (to->width) {
    case 1:
        put_wide(places, to->at, 1, view, rows, n);
        return;
    case 4:
        put_wide(places, to->at, 4, view, rows, n);
        return;
    case 8:
        put_wide(places, to->at, 8, view, rows, n);
        return;
    default:
        put_wide(places, to->at, to->width, view, rows, n);
    }
}

static void put_nulls(uint8_t *const *places, int bit, const ps_view *view, const int32_t *rows,
                      int n)
{
    for (int k = 0; view->valid != NULL && k < n; k++)
        ((ps_slot *)places[k])->flags |=
            (uint16_t)(!ps_bit(view->valid, ps_at(view, rows[k])) << bit);
}

static ps_status put_arg(psi_parts *parts, int i, ps_vec *vec, uint8_t *const *places,
                         const int32_t *rows, int n, ps_error *err)
{
    arg *to = &parts->args[i];
    ps_view view;

    if (to->constant)
        return to->value ? PS_OK : ps_vec_repeat(vec, 0, PS_CHUNK, &to->value, err);
    if (to->same >= 0)
        return PS_OK;
    ps_view_init(&view, vec);
    put_values(places, to, &view, rows, n);
    put_nulls(places, i, &view, rows, n);
    parts->any_null = parts->any_null || view.valid != NULL;
    return ps_kind_is_text(to->type->kind) ? keep_texts(parts, i, places, n, err) : PS_OK;
}

ps_status psi_parts_add(psi_parts *parts, const ps_key *key, const ps_images *images,
                        ps_vec *const *outs, const int16_t *which, const int32_t *rows, int n,
                        ps_error *err)
{
    uint8_t *places[PS_CHUNK];

    PS_TRY(put_keys(parts, images, key->n_bytes, which, n, places, err));
    if (images->any_far)
        PS_TRY(keep_cells(parts, key, places, n, err));
    for (int i = parts->n_keys; i < parts->n_outs; i++)
        PS_TRY(put_arg(parts, i - parts->n_keys, outs[i], places, rows, n, err));
    return PS_OK;
}

/* ---- rows out ---- */

ps_status psi_parts_open(const psi_parts *parts, psi_parts_reader *in, ps_error *err)
{
    memset(in, 0, sizeof *in);
    in->parts = parts;
    PS_TRY(ps_alloc0((size_t)parts->n_outs * sizeof *in->outs, &in->outs, err));
    for (int i = 0; i < parts->n_outs - parts->n_keys; i++) {
        const arg *from = &parts->args[i];
        ps_vec **to = &in->outs[parts->n_keys + i];
        if (from->constant)
            *to = ps_vec_ref(from->value);
        else if (from->same >= 0)
            *to = ps_vec_ref(in->outs[parts->n_keys + from->same]);
        else
            PS_TRY(ps_vec_new(from->type, PS_CHUNK, true, to, err));
    }
    return PS_OK;
}

void psi_parts_close(psi_parts_reader *in)
{
    for (int i = 0; in->outs && i < in->parts->n_outs; i++)
        ps_vec_unref(in->outs[i]);
    ps_free(in->outs);
}

static inline __attribute__((always_inline)) void take_wide(const uint8_t *row, size_t stride,
                                                            int n, size_t width, uint8_t *to)
{
    for (int k = 0; k < n; k++, row += stride)
        memcpy(to + (size_t)k * width, row, width);
}

static void take_values(const uint8_t *row, size_t stride, int n, size_t width, uint8_t *to)
{
    switch (width) {
    case 1:
        take_wide(row, stride, n, 1, to);
        return;
    case 4:
        take_wide(row, stride, n, 4, to);
        return;
    case 8:
        take_wide(row, stride, n, 8, to);
        return;
    default:
        take_wide(row, stride, n, width, to);
    }
}

static void take_nulls(const uint8_t *row, size_t stride, int n, int bit, ps_vec *to)
{
    uint64_t *bits = (uint64_t *)to->valid_buf->data;

    memset(bits, 0, PS_CHUNK / 8);
    for (int k = 0; k < n; k++, row += stride)
        bits[k >> 6] |= (uint64_t)(~((const ps_slot *)row)->flags >> bit & 1) << (k & 63);
    to->valid = bits;
}

static void take_args(const psi_parts_reader *in, const uint8_t *rows, int n)
{
    const psi_parts *parts = in->parts;
    size_t stride = parts->row_bytes;
    unsigned nulls = 0;

    for (int k = 0; parts->any_null && k < n; k++)
        nulls |= ((const ps_slot *)(rows + (size_t)k * stride))->flags;
    for (int i = 0; i < parts->n_outs - parts->n_keys; i++) {
        const arg *from = &parts->args[i];
        ps_vec *to = in->outs[parts->n_keys + i];
        if (from->constant || from->same >= 0)
            continue;
        to->n_rows = n;
        take_values(rows + from->at, stride, n, from->width, to->data);
        to->valid = NULL;
        if (nulls >> i & 1)
            take_nulls(rows, stride, n, i, to);
    }
}

psi_parts_place psi_parts_start(const psi_parts *parts, uint32_t part)
{
    return (psi_parts_place){.part = part, .block = parts->parts[part].first};
}

int psi_parts_next(psi_parts_reader *in, psi_parts_place *place, const uint8_t **rows,
                   size_t *stride)
{
    const part *from = &in->parts->parts[place->part];
    size_t n;

    if (place->at == place->end) {
        if (place->block == NULL)
            return 0;
        place->at = place->block->rows;
        place->end = place->block == from->last ? from->at : place->block->end;
        place->block = place->block->next;
    }
    *stride = in->parts->row_bytes;
    *rows = place->at;
    n = (size_t)(place->end - place->at) / *stride;
    n = n < PS_CHUNK ? n : PS_CHUNK;
    take_args(in, place->at, (int)n);
    place->at += n * *stride;
    return (int)n;
}
