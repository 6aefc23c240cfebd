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

#define AHEAD 512        /* bytes: lines are on their way into the cache before they are needed */

/* Lines that have been found. */
typedef struct lines {
    const char *p, *stop; /* the next one; where all end */
    size_t n_skip;        /* as of psi_json_fast */
    int n;
    const char *at[PSI_BLOCK_ROWS], *ends[PSI_BLOCK_ROWS];
} lines;

typedef struct block {
    psi_json_fast *fast;
    psi_json *j;
    const psi_json_node *root;
    int64_t row;                      /* of at[0] */
    const char **at;                  /* where each record has been read up to */
    lines *next;                      /* room for the lines behind the block */
    int64_t minutes[PSI_BLOCK_ROWS];  /* of timestamps whose digits are in the column */
    uint8_t fractions[PSI_BLOCK_ROWS]; /* digits behind the point, likewise */
} block;

/* ---- lines ---- */

static inline const char *next_line(const char *end)
{
    if (PS_UNLIKELY(*end == '\r'))
        end += end[1] == '\n';
    return end + 1;
}

/* Finds one more line, for which there is room.  An end within n_skip bytes is not seen: then the record turns out to end before
 * its line. */
static inline bool find_line(lines *lines)
{
    const char *p = lines->p, *from = p + lines->n_skip, *end;

    if (PS_UNLIKELY(from >= lines->stop)) {
        if (p >= lines->stop)
            return false;
        from = p;
    }
    __builtin_prefetch(p + AHEAD);
    end = psi_find_line_end(from);
    lines->at[lines->n] = p;
    lines->ends[lines->n++] = end;
    lines->p = next_line(end);
    return true;
}

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
    block->j->end = NULL; /* what it was belongs to another record */
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

/* The key and value of the slot in n records; how many of the first ones had it.  Each line is sought from the end of the one
 * before: with the first slot that goes on in the shadow of the rest, for the next block. */
static ALWAYS_INLINE int take_rows(block *block, const psi_json_slot *slot, int n, psi_json_kind kind, bool first)
{
    size_t width = kind == PSI_K_SKIP ? 0 : ps_type_width(slot->b->type);
    void *data = width == 0 ? NULL : slot->b->data + (size_t)block->row * width; /* a struct has none */
    psi_last_minute minute = block->fast->minute;
    psi_block text = psi_load(slot->text);
    uint32_t want = slot->want;
    const char **at = block->at;
    size_t n_bytes = slot->n_bytes;
    int r, reckoned = 0;

    for (r = 0; r < n; r++) {
        const char *p = at[r], *end;

        if (first)
            find_line(block->next);
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

static ALWAYS_INLINE int take_column(block *block, const psi_json_slot *slot, int n, bool first)
{
    switch ((psi_json_kind)slot->kind) {
    case PSI_K_SKIP: return take_rows(block, slot, n, PSI_K_SKIP, first);
    case PSI_K_TEXT: return take_rows(block, slot, n, PSI_K_TEXT, first);
    case PSI_K_LONG: return take_rows(block, slot, n, PSI_K_LONG, first);
    case PSI_K_DOUBLE: return take_rows(block, slot, n, PSI_K_DOUBLE, first);
    case PSI_K_TIMESTAMP:
        if (psi_times_plain(&block->j->opt->times))
            return take_rows(block, slot, n, PSI_K_TIMESTAMP, first);
        /* fall through */
    default: return take_rows(block, slot, n, PSI_K_ODD, first);
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

/* Reads the n records that at[] is at as rows from `row` on, and finds as many lines for the next block.  How many of the first
 * records went well: at[] is at their closing braces. */
static int take_block(psi_json_fast *fast, psi_json *j, const psi_json_node *root, const char **at, int n, lines *next, int64_t row)
{
    block block = {.fast = fast, .j = j, .root = root, .row = row, .at = at, .next = next};
    int r;

    n = take_column(&block, &fast->slots[0], n, true);
    for (int i = 1; i < fast->n_slots; i++)
        n = take_column(&block, &fast->slots[i], n, false);
    for (r = 0; r < n && *at[r] == '}'; r++) {}
    if (PS_UNLIKELY(!fast->all_named) && !fill_unnamed(&block, r))
        r = 0;
    leave(root, row + r);
    return r;
}

/* ---- records ---- */

/* How many more rows all columns have room for. */
static int64_t room(const psi_json_node *root, int64_t row)
{
    int64_t n = ps_batch_rows;

    for (int i = 0; i < root->n_children; i++)
        if (root->children[i].b->capacity < n)
            n = root->children[i].b->capacity;
    return n - row;
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

/* At most n lines from p on, added to those that are there. */
static void find_lines(lines *lines, int n)
{
    while (lines->n < n && find_line(lines)) {}
}

/* The first n records of the lines, which begin at *at, are good, and at their closing braces.  How many of them there really are:
 * what seemed to be one line may have been two, and then *at is at the second.  Else it is behind the last one. */
static int check_ends(psi_json_fast *fast, const lines *lines, const char **at, int n)
{
    uintptr_t other = 0;

    for (int r = 0; r < n; r++)
        other |= (uintptr_t)(lines->at[r] + 1) ^ (uintptr_t)lines->ends[r];
    for (int r = 0; other != 0 && r < n; r++) {
        const char *end = psi_find_line_end(lines->at[r]), *start = *at; /* what follows a record in its line is nobody's */

        *at = next_line(end);
        if (end != lines->ends[r]) {
            fast->n_skip = end - start > SLACK ? (size_t)(end - start) - SLACK : 0;
            return r + 1;
        }
    }
    if (n > 0)
        *at = next_line(lines->ends[n - 1]);
    return n;
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

static int at_most(int64_t n, int limit)
{
    return n < limit ? (int)n : limit;
}

/* The first block's lines, from p on. */
static void begin(psi_json_fast *fast, lines *lines, const char *p, const char *stop, int n)
{
    lines->p = p;
    lines->stop = stop;
    lines->n_skip = fast->n_skip;
    lines->n = 0;
    find_lines(lines, n);
    if (fast->n_skip == 0)
        learn_skip(fast, lines->at, lines->ends, lines->n);
}

/* Blocks of records from *at on, as long as all of a block are good: `most` at most.  How many there were, and where they end. */
static int64_t take_blocks(psi_json_fast *fast, psi_json *j, const psi_json_node *root, const char **at, const char *stop, int64_t row,
                           int64_t most)
{
    lines both[2], *now = &both[0], *next = &both[1];
    int64_t n_rows = 0;
    int n, n_good, n_kept;
    bool whole;

    begin(fast, now, *at, stop, at_most(most, fast->n_block));
    do {
        next->p = now->p;
        next->stop = stop;
        next->n_skip = fast->n_skip;
        next->n = 0;
        n = now->n;
        n_good = take_block(fast, j, root, now->at, n, next, row + n_rows);
        pace(fast, n, n_good);
        n_kept = check_ends(fast, now, at, n_good);
        if (n_kept < n_good)
            leave(root, row + n_rows + n_kept);
        n_rows += n_kept;
        whole = n_kept == n && *at == now->p;
        find_lines(next, at_most(most - n_rows, fast->n_block));
        next->n = at_most(most - n_rows, next->n);
        now = next;
        next = now == &both[0] ? &both[1] : &both[0];
    } while (whole && now->n > 0);
    if (n_rows > 0)
        fast->n_misses = 0;
    return n_rows;
}

int64_t psi_json_lines(psi_json_fast *fast, psi_json *j, const psi_json_node *root, const char **at, const char *stop, int64_t row)
{
    int64_t first = row, most = row + room(root, row);
    const char *end;

    if (stop - *at > INT32_MAX) /* of one record: its texts may be too long */
        return 0;
    if (fast->n_block == 0)
        fast->n_block = PSI_BLOCK_ROWS;
    while (row < most && *at < stop && !psi_json_fast_wants(fast)) {
        if (fast->n_alone == 0) {
            row += take_blocks(fast, j, root, at, stop, row, most - row);
            continue;
        }
        fast->n_alone--;
        if (!(end = psi_json_fast_record(fast, j, root, *at, NULL, row)))
            break;
        *at = next_line(psi_find_line_end(end));
        row++;
    }
    return row - first;
}

int psi_json_block_size(psi_json_fast *fast)
{
    if (fast->n_slots == 0 || psi_json_fast_wants(fast))
        return 0;
    if (fast->n_alone > 0) {
        fast->n_alone--;
        return 0;
    }
    return fast->n_block > 0 ? fast->n_block : PSI_BLOCK_ROWS;
}

int psi_json_texts(psi_json_fast *fast, psi_json *j, const psi_json_node *root, const char **at, const char *const *ends, int n,
                   int64_t row)
{
    lines none = {.n = 0};
    int n_good, r;

    if (n == 0 || room(root, row) < n)
        return 0;
    none.p = none.stop = at[0]; /* no lines are sought */
    n_good = take_block(fast, j, root, at, n, &none, row);
    for (r = 0; r < n_good && at[r] < ends[r]; r++) {}
    if (r < n_good)
        leave(root, row + r);
    pace(fast, n, r);
    if (r > 0)
        fast->n_misses = 0;
    return r;
}
