/*
 * fmt/json_block.c - many records that are spelled alike, a key at a time.
 *
 * Where one value ends the next begins, so a single record is a chain of short steps, each of another sort and each waiting
 * for the one before.  Here the first value of up to 64 records is read, then the second of all, and so on: each step is a
 * loop over records that know nothing of each other, whose constants stay in registers, and the values go straight into
 * their column.  An odd value (a null, an escape, a long number) is read alone by json_fast.c, in its place.  A record with
 * other keys ends the block in front of it: what was read of the records from there on is taken back.
 *
 * The loops count no rows in the builders: within a block a builder says less than it has.  leave() puts that right.
 */
#include "fmt/json_int.h"
#include "fmt/digits_int.h"
#include "fmt/simd_int.h"

#define FEWEST 8         /* records of a block */
#define LONGEST_PAUSE 1024
#define SLACK 2          /* a line may be so much shorter than all before, and its end is still seen */

#define AHEAD 512 /* bytes: lines are on their way into the cache before they are needed */

typedef struct block {
    psi_json_fast *fast;
    psi_json *j;
    const psi_json_node *root;
    int64_t row;                      /* of at[0] */
    const char **at;
    int64_t minutes[PSI_BLOCK_ROWS];  /* of timestamps whose digits are in the column */
    uint8_t fractions[PSI_BLOCK_ROWS]; /* digits behind the point, likewise */
} block;

/* ---- values ----
 *
 * A number first leaves its digits in the column, eight bytes of them; what they are worth is reckoned for many at once.
 */

/* Behind an opening quote: where a text of plain ASCII ends. */
static inline const char *plain_end(const char *s)
{
    for (;; s += 16) {
        uint32_t stop = psi_ascii_stop(psi_load(s));
        if (stop)
            return s + psi_first(stop);
    }
}

static inline const char *take_text(const char *p, ps_str *out)
{
    const char *end;

    if (PS_UNLIKELY(*p != '"'))
        return NULL;
    end = plain_end(p + 1);
    if (PS_UNLIKELY(*end != '"'))
        return NULL;
    if (out)
        ps_str_put_behind(out, p + 1, (uint32_t)(end - p - 1)); /* behind a brace, a name and a colon */
    return end + 1;
}

static inline const char *take_timestamp(block *block, psi_last_minute *minute, const char *p, uint64_t *out, int r)
{
    if (PS_UNLIKELY(*p != '"'))
        return NULL;
    p = psi_times_take(&block->j->opt->times, p + 1, minute, out, &block->minutes[r]);
    return PS_LIKELY(p && *p == '"') ? p + 1 : NULL;
}

static inline const char *take_double(block *block, const char *p, uint64_t *out, int r)
{
    int n_fraction, n = psi_short_double(psi_load_digits(p), out, &n_fraction);

    block->fractions[r] = (uint8_t)n_fraction;
    return PS_LIKELY(n > 0) ? p + n : NULL;
}

static inline const char *take_long(const char *p, uint64_t *out)
{
    int n = psi_short_int(psi_load_digits(p), out);

    return PS_LIKELY(n > 0) ? p + n : NULL;
}

/* The value at p into row r of a column, when it is as most are. */
#define ALWAYS_INLINE inline __attribute__((always_inline))
static ALWAYS_INLINE const char *take_plain(block *block, psi_last_minute *minute, void *data, psi_json_kind kind, const char *p, int r)
{
    switch (kind) {
    case PSI_K_SKIP: return take_text(p, NULL);
    case PSI_K_TEXT: return take_text(p, (ps_str *)data + r);
    case PSI_K_LONG: return take_long(p, (uint64_t *)data + r);
    case PSI_K_DOUBLE: return take_double(block, p, (uint64_t *)data + r, r);
    case PSI_K_TIMESTAMP: return take_timestamp(block, minute, p, (uint64_t *)data + r, r);
    default: return NULL;
    }
}

/* Rows from .. to - 1, whose digits are there, get their values. */
static void reckon(const block *block, psi_json_kind kind, int64_t *data, int from, int to)
{
    int r = from;

    for (; r + 2 <= to; r += 2)
        psi_store(data + r, psi_eights(psi_load(data + r)));
    if (r < to)
        data[r] = (int64_t)psi_eight((uint64_t)data[r]);
    for (r = from; kind == PSI_K_TIMESTAMP && r < to; r++)
        data[r] += block->minutes[r];
    for (r = from; kind == PSI_K_DOUBLE && r < to; r++) {
        double value = (double)(int32_t)data[r] / psi_powers[block->fractions[r]];
        memcpy(data + r, &value, sizeof value);
    }
}

static ALWAYS_INLINE bool has_digits(psi_json_kind kind)
{
    return kind == PSI_K_LONG || kind == PSI_K_DOUBLE || kind == PSI_K_TIMESTAMP;
}

static __attribute__((noinline)) const char *take_odd(const block *block, const psi_json_slot *slot, const char *p, int r)
{
    const psi_json_node *node = slot->child < 0 ? NULL : &block->root->children[slot->child];

    if (node)
        node->b->n = block->row + r;
    return psi_json_fast_value(block->j, node, (psi_json_kind)slot->kind, p);
}

/* ---- columns ---- */

static bool rest_as_expected(const char *p, const psi_json_slot *slot)
{
    int n = slot->n_bytes;

    for (int i = 16; i < n; i += 16) {
        uint32_t want = n - i >= 16 ? 0xffffu : (1u << (n - i)) - 1;
        if (want & ~psi_same(psi_load(p + i), psi_load(slot->text + i)))
            return false;
    }
    return true;
}

/* The key and value of the slot in n records; how many of the first ones had it. */
static ALWAYS_INLINE int take_rows(block *block, const psi_json_slot *slot, int n, psi_json_kind kind)
{
    size_t width = kind == PSI_K_SKIP ? 0 : ps_type_width(slot->b->type);
    void *data = kind == PSI_K_SKIP ? NULL : slot->b->data + (size_t)block->row * width;
    psi_last_minute minute = block->fast->minute;
    psi_block text = psi_load(slot->text);
    uint32_t want = slot->want;
    const char **at = block->at;
    int n_bytes = slot->n_bytes, r, reckoned = 0;

    for (r = 0; r < n; r++) {
        const char *p = at[r], *end;

        if (PS_UNLIKELY(want & ~psi_same(psi_load(p), text)) || (n_bytes > 16 && !rest_as_expected(p, slot)))
            break;
        p += n_bytes;
        end = take_plain(block, &minute, data, kind, p, r);
        if (PS_UNLIKELY(!end)) {
            if (has_digits(kind))
                reckon(block, kind, data, reckoned, r);
            reckoned = r + 1;
            if (!(end = take_odd(block, slot, p, r)))
                break;
        }
        at[r] = end;
    }
    if (has_digits(kind))
        reckon(block, kind, data, reckoned, r);
    if (kind == PSI_K_TIMESTAMP)
        block->fast->minute = minute;
    return r;
}

static int take_column(block *block, const psi_json_slot *slot, int n)
{
    switch ((psi_json_kind)slot->kind) {
    case PSI_K_SKIP: return take_rows(block, slot, n, PSI_K_SKIP);
    case PSI_K_TEXT: return take_rows(block, slot, n, PSI_K_TEXT);
    case PSI_K_LONG: return take_rows(block, slot, n, PSI_K_LONG);
    case PSI_K_DOUBLE: return take_rows(block, slot, n, PSI_K_DOUBLE);
    case PSI_K_TIMESTAMP:
        if (psi_times_plain(&block->j->opt->times))
            return take_rows(block, slot, n, PSI_K_TIMESTAMP);
        /* fall through */
    default: return take_rows(block, slot, n, PSI_K_ODD);
    }
}

/* NULLs in the columns that have no slot. */
static bool fill_unnamed(const block *block, int n)
{
    for (int i = 0; i < block->root->n_children; i++) {
        ps_builder *b = block->root->children[i].b;
        bool named = false;

        for (int k = 0; k < block->fast->n_slots; k++)
            named = named || block->fast->slots[k].child == i;
        for (int r = 0; !named && r < n; r++)
            if (ps_build_null(b, NULL) != PS_OK)
                return false;
    }
    return true;
}

/* All columns have `row` rows then. */
static void leave(const psi_json_node *root, int64_t row)
{
    for (int i = 0; i < root->n_children; i++) {
        ps_builder *b = root->children[i].b;

        if (b->n < row) /* of a plain column */
            b->n = row;
        ps_build_pop(b, row);
    }
}

int psi_json_block(psi_json_fast *fast, psi_json *j, const psi_json_node *root, const char **at, int n, int64_t row)
{
    block block = {.fast = fast, .j = j, .root = root, .row = row, .at = at};
    int r;

    for (int i = 0; i < fast->n_slots; i++)
        n = take_column(&block, &fast->slots[i], n);
    for (r = 0; r < n && *at[r] == '}'; r++)
        at[r]++;
    if (PS_UNLIKELY(!fast->all_named) && !fill_unnamed(&block, r))
        r = 0;
    leave(root, row + r);
    return r;
}

/* ---- lines ---- */

/* How many more rows all columns have room for. */
static int64_t room(const psi_json_node *root, int64_t row)
{
    int64_t n = ps_batch_rows;

    for (int i = 0; i < root->n_children; i++)
        if (root->children[i].b->capacity < n)
            n = root->children[i].b->capacity;
    return n - row;
}

static inline const char *next_line(const char *end)
{
    if (PS_UNLIKELY(*end == '\r'))
        end += end[1] == '\n';
    return end + 1;
}

/* The first n_skip bytes of a line are not looked at; at the beginning that is nothing. */
static void learn_skip(psi_json_fast *fast, const char *const *at, const char *const *ends, int n)
{
    int64_t shortest = INT32_MAX;

    for (int r = 0; r < n; r++)
        if (ends[r] - at[r] < shortest)
            shortest = ends[r] - at[r];
    fast->n_skip = shortest > SLACK ? (size_t)shortest - SLACK : 0;
}

/* The beginnings and ends of at most n lines from p on.  An end within n_skip bytes is not seen: then the record turns out to end
 * before its line. */
static int find_lines(psi_json_fast *fast, const char *p, const char *stop, int n, const char **at, const char **ends)
{
    size_t n_skip = fast->n_skip;
    int r;

    for (r = 0; r < n && p < stop; r++) {
        const char *from = p + n_skip;

        __builtin_prefetch(p + AHEAD);
        at[r] = p;
        ends[r] = psi_find_line_end(PS_LIKELY(from < stop) ? from : p);
        p = next_line(ends[r]);
    }
    if (n_skip == 0)
        learn_skip(fast, at, ends, r);
    return r;
}

/* Behind the line of the last of n good records, which began at p.  *n goes down when the end of a line was not seen. */
static const char *behind(psi_json_fast *fast, const char *p, const char *const *at, const char *const *ends, int *n)
{
    for (int r = 0; r < *n; r++) {
        const char *end = at[r];

        if (PS_UNLIKELY(end != ends[r]))
            end = psi_find_line_end(end); /* what follows a record in its line is nobody's */
        if (PS_UNLIKELY(end != ends[r])) {
            fast->n_skip = end - p > SLACK ? (size_t)(end - p) - SLACK : 0;
            *n = r + 1;
            return next_line(end);
        }
        p = next_line(end);
    }
    return p;
}

/* What the next block should be like after one of n records, n_good of them good.  Where most are read in vain, records are read
 * alone for a while. */
static void pace(psi_json_fast *fast, int n, int n_good)
{
    if (n_good == n) {
        fast->pause = 0;
        fast->n_block = PSI_BLOCK_ROWS;
        return;
    }
    fast->n_block = n_good < FEWEST ? FEWEST : n_good;
    if (n_good >= n - n_good)
        fast->pause = 0;
    else
        fast->pause = fast->pause == 0 ? FEWEST : fast->pause < LONGEST_PAUSE ? fast->pause * 2 : fast->pause;
    fast->n_alone = fast->pause > 0 ? fast->pause : 1;
}

/* Records from p on, as many as one block has; *n of them are there. */
static const char *take_block(psi_json_fast *fast, psi_json *j, const psi_json_node *root, const char *p, const char *stop,
                              int64_t row, int most, int *n)
{
    const char *at[PSI_BLOCK_ROWS], *ends[PSI_BLOCK_ROWS];
    int n_lines;

    if (fast->n_block < FEWEST)
        fast->n_block = PSI_BLOCK_ROWS;
    n_lines = find_lines(fast, p, stop, fast->n_block < most ? fast->n_block : most, at, ends);
    *n = psi_json_block(fast, j, root, at, n_lines, row);
    pace(fast, n_lines, *n);
    if (*n == 0)
        return p;
    fast->n_misses = 0;
    n_lines = *n;
    p = behind(fast, p, at, ends, n);
    if (*n < n_lines)
        leave(root, row + *n);
    return p;
}

int64_t psi_json_lines(psi_json_fast *fast, psi_json *j, const psi_json_node *root, const char **at, const char *stop, int64_t row)
{
    int64_t first = row, most = row + room(root, row);
    const char *p = *at;

    if (stop - p > INT32_MAX) /* of one record: its texts may be too long */
        return 0;
    while (row < most && p < stop && !psi_json_fast_wants(fast)) {
        const char *end;
        int n = 0;

        if (fast->n_alone == 0) {
            j->end = NULL;
            p = take_block(fast, j, root, p, stop, row, most - row < PSI_BLOCK_ROWS ? (int)(most - row) : PSI_BLOCK_ROWS, &n);
            row += n;
            continue;
        }
        fast->n_alone--;
        if (!(end = psi_json_fast_record(fast, j, root, p, NULL, row)))
            break;
        p = next_line(psi_find_line_end(end));
        row++;
    }
    *at = p;
    return row - first;
}
