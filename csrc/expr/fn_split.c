/*
 * expr/fn_split.c - split: the parts of texts around the matches of a pattern, mostly around one byte: the words of a line.
 *
 * Parts are views: they lie in what the text's vector pins, or inline.
 */
#include "expr/fn_args.h"
#include "expr/regex.h"
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* --- one text ---------------------------------------------------------------------------------------------------------------- */
static ps_status add_part(ps_builder *parts, ps_slice text, size_t from, size_t to, ps_error *err)
{
    return ps_build_view(parts, ps_str_make(text.data + from, (uint32_t)(to - from)), err);
}

static int64_t count_byte(ps_slice text, char c)
{
    int64_t n = 0;

    for (size_t i = 0; i < text.n_bytes; i++)
        n += text.data[i] == c;
    return n;
}

#if defined(__SSE2__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
static inline uint64_t find_in_block(const char *p, __m128i all)
{
    return (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(const void *)p), all));
}

/* `last`: where the last sixteen bytes of the text begin.  A part that begins behind it is shifted out of them. */
static inline void put_part(ps_str *out, const char *from, const char *to, const char *last)
{
    const char *p = from < last ? from : last;
    unsigned __int128 bytes;

    memcpy(&bytes, p, sizeof bytes);
    bytes >>= 8 * (from - p) & 127;
    ps_str_put_words(out, (uint64_t)bytes, (uint32_t)(bytes >> 64), from, (uint32_t)(to - from));
}

/* A text of sixteen bytes or more; to: room for all its parts.  Sixty-four bytes are looked through at once: what costs time
 * are the ends of loops. */
static ps_str *split_long(ps_str *to, ps_slice text, char c)
{
    const char *from = text.data, *p = from, *end = from + text.n_bytes, *last = end - 16;
    const __m128i all = _mm_set1_epi8(c);

    for (int width; p < end; p += width) {
        uint64_t hits = 0;

        width = end - p < 64 ? (int)(end - p) : 64;
        for (int i = 0; i < width; i += 16)
            hits |= (p + i <= last ? find_in_block(p + i, all) : find_in_block(last, all) >> (p + i - last)) << i;
        for (; hits; hits &= hits - 1) {
            const char *at = p + __builtin_ctzll(hits);
            put_part(to++, from, at, last);
            from = at + 1;
        }
    }
    put_part(to++, from, end, last);
    return to;
}
#endif

static ps_str *split_short(ps_str *to, ps_slice text, char c)
{
    const char *from = text.data, *end = from + text.n_bytes;

    for (const char *p = from; p < end; p++)
        if (*p == c) {
            *to++ = ps_str_make(from, (uint32_t)(p - from));
            from = p + 1;
        }
    *to++ = ps_str_make(from, (uint32_t)(end - from));
    return to;
}

/* One byte parts the text, without a limit: the words of a line. */
static ps_status split_at_byte(ps_builder *parts, ps_slice text, char c, ps_error *err)
{
    ps_str *to;

    if ((size_t)(parts->capacity - parts->n) <= text.n_bytes)
        PS_TRY(ps_build_reserve(parts, count_byte(text, c) + 1, err));
    to = (ps_str *)(void *)parts->data + parts->n;
#if defined(__SSE2__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    to = text.n_bytes >= 16 ? split_long(to, text, c) : split_short(to, text, c);
#else
    to = split_short(to, text, c);
#endif
    parts->n = to - (ps_str *)(void *)parts->data;
    return PS_OK;
}

static ps_status split_characters(ps_builder *parts, ps_slice text, int64_t limit, ps_error *err)
{
    size_t step;

    for (size_t at = 0; at < text.n_bytes; at += step) {
        step = ps_utf8_step(text, at);
        PS_TRY(add_part(parts, text, at, at + step, err));
        if (limit > 0 && --limit == 0)
            break;
    }
    return PS_OK;
}

/* As java.lang.String.split; an empty match at the very start parts nothing. */
static ps_status split_text(psi_regex *regex, ps_builder *parts, ps_slice text, int64_t limit, ps_error *err)
{
    size_t from = 0;
    int64_t n = 0;
    bool found = true;

    for (size_t at = 0; at != SIZE_MAX && (limit <= 0 || n < limit - 1); at = psi_regex_next(regex, text)) {
        PS_TRY(psi_regex_find(regex, text, at, &found, err));
        if (!found)
            break;
        if (regex->spans[1] == 0)
            continue;
        PS_TRY(add_part(parts, text, from, regex->spans[0], err));
        n++;
        from = regex->spans[1];
    }
    return add_part(parts, text, from, text.n_bytes, err);
}

/* --- texts one behind the other ------------------------------------------------------------------------------------------------
 *
 * The lines of a file lie in one buffer with a byte between them.  Such a strip is looked through as if it were one text, with
 * bits set where the byte is and where texts end: neither texts nor parts of them then cost a wrong guess of the processor.
 * Up to PS_BUF_PADDING bytes behind the strip are looked at as well.
 */

#define WINDOW 4096 /* bytes of a strip that are looked through at once */

typedef struct marks {
    uint64_t bits[WINDOW / 64];
    int32_t before[WINDOW / 64]; /* how many bits are set in the words before */
    uint16_t at[WINDOW + 4];     /* of the bits that are set, with room for what is written in vain */
    int n;
} marks;

static inline uint64_t find_64(const char *p, char c)
{
    uint64_t hits = 0;
#if defined(__SSE2__)
    const __m128i all = _mm_set1_epi8(c);

    for (int i = 0; i < 64; i += 16) {
        __m128i block = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        hits |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(block, all)) << i;
    }
#else
    for (int i = 0; i < 64; i++)
        hits |= (uint64_t)(p[i] == c) << i;
#endif
    return hits;
}

/* Sets the bits of the texts that end in the window; how many these are. */
static int64_t mark_ends(marks *m, const char *window, int64_t width, const ps_str *texts, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        int64_t end = texts[i].far.data + texts[i].n_bytes - window;
        if (end >= width)
            return i;
        m->bits[end >> 6] |= 1ull << (end & 63);
    }
    return n;
}

/* Lists the bits, four at a time whether or not there are so many. */
static void list_marks(marks *m, int64_t width)
{
    m->n = 0;
    for (int w = 0; w < (int)((width + 63) / 64); w++) {
        uint64_t bits = m->bits[w];
        int n_here;

        if (width - 64 * w < 64)
            bits &= (1ull << (width - 64 * w)) - 1;
        n_here = __builtin_popcountll(bits);
        m->before[w] = m->n;
        for (uint16_t *at = m->at + m->n, *end = at + n_here; at < end; at += 4)
            for (int k = 0; k < 4; k++, bits &= bits - 1)
                at[k] = (uint16_t)(64 * w + __builtin_ctzll(bits | 1ull << 63));
        m->n += n_here;
    }
}

/* How many bits are set up to and with this one. */
static inline int32_t marks_up_to(const marks *m, int64_t at)
{
    return m->before[at >> 6] + __builtin_popcountll(m->bits[at >> 6] & ~0ull >> (63 - (at & 63)));
}

/* The lists of n texts that end in this window; `first`: where the parts of the first begin, and then of the next. */
static void add_lists(ps_builder *out, const marks *m, const char *window, const ps_str *texts, int64_t n, uint32_t n_before,
                      uint32_t *first)
{
    ps_span *to = (ps_span *)(void *)out->data + out->n;

    for (int64_t i = 0; i < n; i++) {
        uint32_t end = n_before + (uint32_t)marks_up_to(m, texts[i].far.data + texts[i].n_bytes - window);
        to[i] = (ps_span){*first, end - *first};
        *first = end;
    }
    out->n += n;
}

/* Of parts the first begins at `part`; where the one behind them begins. */
static const char *add_parts(ps_builder *parts, const marks *m, const char *window, const char *part)
{
    ps_str *to = (ps_str *)(void *)parts->data + parts->n;

    for (int i = 0; i < m->n; i++) {
        const char *end = window + m->at[i];
        ps_str_put(&to[i], part, (uint32_t)(end - part));
        part = end + 1;
    }
    parts->n += m->n;
    return part;
}

static ps_status split_strip(ps_builder *out, const ps_str *texts, int64_t n, char c, ps_error *err)
{
    ps_builder *parts = ps_build_child(out, 0);
    const char *window = texts[0].far.data, *part = window, *end = texts[n - 1].far.data + texts[n - 1].n_bytes + 1;
    uint32_t first = (uint32_t)parts->n;
    marks m;

    PS_TRY(ps_build_reserve(out, n, err));
    for (int64_t width; window < end; window += width) {
        int64_t n_ended;

        width = end - window < WINDOW ? end - window : WINDOW;
        for (int64_t i = 0; i < width; i += 64)
            m.bits[i / 64] = find_64(window + i, c);
        n_ended = mark_ends(&m, window, width, texts, n);
        list_marks(&m, width);
        if (PS_UNLIKELY(parts->n + m.n > INT32_MAX))
            return ps_raise(err, PS_E_NO_MEMORY, ((size_t)parts->n + (size_t)m.n) * sizeof(ps_str));
        PS_TRY(ps_build_reserve(parts, m.n, err));
        add_lists(out, &m, window, texts, n_ended, (uint32_t)parts->n, &first);
        part = add_parts(parts, &m, window, part);
        texts += n_ended;
        n -= n_ended;
    }
    return PS_OK;
}

static bool lies_in(const ps_str *text, const ps_buf *buf)
{
    uintptr_t from = (uintptr_t)text->far.data, start = (uintptr_t)buf->data;

    return from >= start && from - start <= buf->n_bytes && text->n_bytes <= buf->n_bytes - (from - start);
}

/* How many of n texts make a strip; 0: the first is short, or no buffer of its vector has it.  *hint: the buffer to try first. */
static int64_t strip_length(const ps_vec *vec, const ps_str *texts, int64_t n, int *hint)
{
    int64_t i = 0;
    int b = *hint;

    if (texts[0].n_bytes <= PS_STR_INLINE || vec->n_bufs == 0)
        return 0;
    for (int tried = 0; !lies_in(&texts[0], vec->bufs[b]); tried++, b = (b + 1) % vec->n_bufs)
        if (tried == vec->n_bufs)
            return 0;
    *hint = b;
    do
        i++;
    while (i < n && texts[i].n_bytes > PS_STR_INLINE && texts[i].far.data == texts[i - 1].far.data + texts[i - 1].n_bytes + 1 &&
           lies_in(&texts[i], vec->bufs[b]));
    return i;
}

/* All texts at one byte: none is NULL and all are live. */
static ps_status split_texts(const ps_fn_run *run, char c, ps_vec **result, ps_error *err)
{
    const ps_vec *vec = run->args[0];
    const ps_str *texts = vec->data;
    ps_builder *b = NULL;
    int hint = 0;
    ps_status rc = PS_OK;

    PS_TRY(ps_build_new(run->type, vec->n_rows, &b, err));
    for (int64_t i = 0, n; i < vec->n_rows; i += n) {
        n = strip_length(vec, texts + i, vec->n_rows - i, &hint);
        if (n > 0) {
            PS_TRY_OR(done, split_strip(b, texts + i, n, c, err));
            continue;
        }
        n = 1;
        PS_TRY_OR(done, ps_build_list(b, 0, err));
        PS_TRY_OR(done, split_at_byte(ps_build_child(b, 0), ps_str_slice(&texts[i]), c, err));
        ps_build_list_end(b);
    }
done:
    return psi_kernel_built(run, b, rc, result, err);
}

/* Is every text parted at the same byte, as often as it is there. */
static ps_status parts_at_byte(const ps_fn_run *run, bool *yes, ps_error *err)
{
    psi_regex *regex = run->scratch;
    const ps_vec *texts = run->args[0];
    ps_slice pattern;

    *yes = false;
    if (run->rows->sel || texts->shape != PS_FLAT || texts->valid || !psi_arg_is_constant(run, 1) || !psi_arg_is_constant(run, 2) ||
        ps_vec_is_null(run->args[2], 0) || *(const int32_t *)run->args[2]->data > 0 || !psi_arg_text(run, 1, &pattern))
        return PS_OK;
    PS_TRY(psi_regex_prepare(regex, pattern, "split", err));
    *yes = regex->is_literal && regex->literal.n_bytes == 1;
    return PS_OK;
}

/* --- the function ------------------------------------------------------------------------------------------------------------ */
PS_KERNEL_BUILD_3(split_rows, ps_str, ps_str, int32_t)
{
    psi_regex *regex = run->scratch;
    ps_builder *parts = ps_build_child(out, 0);
    ps_slice pattern = ps_str_slice(&y);
    ps_slice text = ps_str_slice(&x);

    PS_TRY(ps_build_list(out, 0, err));
    PS_TRY(psi_regex_prepare(regex, pattern, "split", err));
    if (pattern.n_bytes == 0 && text.n_bytes > 0)
        PS_TRY(split_characters(parts, text, z, err));
    else if (regex->is_literal && regex->literal.n_bytes == 1 && z <= 0)
        PS_TRY(split_at_byte(parts, text, regex->literal.data[0], err));
    else
        PS_TRY(split_text(regex, parts, text, z, err));
    ps_build_list_end(out);
    return PS_OK;
}

static ps_status pin_texts(ps_vec *array, const ps_vec *texts, ps_error *err)
{
    if (array->shape == PS_DICT)
        array = array->dict;
    return ps_vec_pin_all(array->children[0], texts, err);
}

ps_status psi_split(ps_fn_run *run, ps_vec **result, ps_error *err);
ps_status psi_split(ps_fn_run *run, ps_vec **result, ps_error *err)
{
    const psi_regex *regex = run->scratch;
    bool at_byte;
    ps_status rc;

    PS_TRY(parts_at_byte(run, &at_byte, err));
    PS_TRY(at_byte ? split_texts(run, regex->literal.data[0], result, err) : psi_split_rows(run, result, err));
    if ((rc = pin_texts(*result, run->args[0], err)) != PS_OK) {
        ps_vec_unref(*result);
        *result = NULL;
    }
    return rc;
}
