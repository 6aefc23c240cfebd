/* expr/fn_string.c - functions of text and binaries: case, length, joining, cutting, searching. */
#include "expr/fn_args.h"
#include "expr/fn_int.h"
#include "expr/text_case.h"

/* --- case, length, characters -------------------------------------------------------------------------------------- */
PS_KERNEL_TEXT_1(upper_any, ps_str) { return psi_text_upper(ps_str_slice(&x), out, err); }
PS_KERNEL_TEXT_1(lower_any, ps_str) { return psi_text_lower(ps_str_slice(&x), out, err); }

/* Whether all live texts are ASCII, and the bytes of those that do not fit into a view. */
static bool all_ascii(const ps_fn_run *run, const psi_loop *loop, size_t *n_far)
{
    uint64_t all = 0;

    *n_far = 0;
    PS_EACH_ROW(run->rows, i) {
        const ps_str *s = &((const ps_str *)loop->views[0].data)[ps_at(&loop->views[0], i)];
        if (loop->vec->valid && !ps_bit(loop->vec->valid, i))
            continue;
        if (s->n_bytes <= PS_STR_INLINE) {
            uint64_t words[2];
            memcpy(words, s, sizeof words); /* the length, below 0x80, does not count */
            all |= words[0] | words[1];
        } else {
            for (uint32_t k = 0; k < s->n_bytes; k++)
                all |= (uint8_t)s->far.data[k];
            *n_far += s->n_bytes;
        }
    }
    return (all & 0x8080808080808080ull) == 0;
}

/* Plain loops of fixed length over bytes become vector code. */
static inline void flip_case(const char *from, char *to, size_t n, char first)
{
    for (size_t k = 0; k < n; k++)
        to[k] = (char)((uint8_t)(from[k] - first) < 26 ? from[k] ^ 0x20 : from[k]);
}

/* ASCII keeps its length: short texts are changed in their views, long ones in one buffer. */
static ps_status ascii_case(ps_fn_run *run, char first, ps_fn_kernel any, ps_vec **out, ps_error *err)
{
    ps_buf *buf = NULL;
    psi_loop loop;
    size_t n_far;
    ps_str *to;
    char *far;
    ps_status rc;

    PS_TRY(psi_loop_begin(run, 1, false, &loop, err));
    if (!all_ascii(run, &loop, &n_far)) {
        ps_vec_unref(loop.vec);
        return any(run, out, err);
    }
    PS_TRY_OR(fail, ps_buf_new(n_far, &buf, err));
    PS_TRY_OR(fail, ps_vec_pin(loop.vec, buf, err));
    to = loop.vec->data;
    far = (char *)buf->data;
    PS_EACH_ROW(run->rows, i) {
        const ps_str *s = &((const ps_str *)loop.views[0].data)[ps_at(&loop.views[0], i)];
        if (loop.vec->valid && !ps_bit(loop.vec->valid, i))
            continue;
        if (s->n_bytes <= PS_STR_INLINE) {
            to[i].n_bytes = s->n_bytes;
            flip_case(s->inlined, to[i].inlined, PS_STR_INLINE, first);
        } else {
            flip_case(s->far.data, far, s->n_bytes, first);
            to[i] = ps_str_make(far, s->n_bytes);
            far += s->n_bytes;
        }
    }
    ps_buf_unref(buf);
    *out = loop.vec;
    return PS_OK;
fail:
    ps_buf_unref(buf);
    ps_vec_unref(loop.vec);
    return rc;
}
PSI_KERNEL(upper) { return ascii_case(run, 'a', psi_upper_any, result, err); }
PSI_KERNEL(lower) { return ascii_case(run, 'A', psi_lower_any, result, err); }
PS_KERNEL_TEXT_1(initcap, ps_str) { return psi_text_initcap(ps_str_slice(&x), out, err); }

PS_KERNEL_1(length, ps_str, int32_t)
{
    *out = psi_arg_is_binary(run, 0) ? (int32_t)x.n_bytes : (int32_t)ps_utf8_count(ps_str_slice(&x));
    return PS_OK;
}

PS_KERNEL_1(octet_length, ps_str, int32_t)
{
    *out = (int32_t)x.n_bytes;
    return PS_OK;
}

PS_KERNEL_1(bit_length, ps_str, int32_t)
{
    *out = (int32_t)(x.n_bytes * 8);
    return PS_OK;
}

PS_KERNEL_1(ascii, ps_str, int32_t)
{
    size_t n;

    *out = x.n_bytes == 0 ? 0 : (int32_t)ps_utf8_decode(ps_str_slice(&x), 0, &n);
    return PS_OK;
}

PS_KERNEL_1(chr, int64_t, ps_str)
{
    char bytes[4];

    *out = x < 0 ? ps_str_make("", 0) : ps_str_make(bytes, (uint32_t)ps_utf8_put((uint32_t)(x & 0xff), bytes));
    return PS_OK;
}

ps_status psi_check_text_size(uint64_t n_bytes, ps_error *err)
{
    return n_bytes <= INT32_MAX ? PS_OK : ps_raise(err, PS_E_NO_MEMORY, (size_t)n_bytes);
}

static ps_status repeat_text(ps_slice text, int64_t times, ps_bytes *out, ps_error *err)
{
    uint64_t total = times > 0 ? (uint64_t)times * text.n_bytes : 0;

    PS_TRY(psi_check_text_size(total, err));
    PS_TRY(ps_bytes_reserve(out, (size_t)total, err));
    for (int64_t i = 0; i < times && text.n_bytes > 0; i++)
        PS_TRY(ps_bytes_append(out, text.data, text.n_bytes, err));
    return PS_OK;
}
PS_KERNEL_TEXT_2(repeat, ps_str, int32_t) { return repeat_text(ps_str_slice(&x), y, out, err); }
PS_KERNEL_TEXT_1(space, int32_t) { return repeat_text(ps_slice_of(" "), x, out, err); }

PS_KERNEL_TEXT_1(reverse_text, ps_str)
{
    ps_slice text = ps_str_slice(&x);
    size_t end = text.n_bytes, step;
    char *to;

    PS_TRY(ps_bytes_reserve(out, text.n_bytes, err));
    to = out->data;
    for (size_t at = 0; at < text.n_bytes; at += step) {
        step = ps_utf8_step(text, at);
        end -= step;
        memcpy(to + end, text.data + at, step);
    }
    out->n_bytes = text.n_bytes;
    return PS_OK;
}

/* --- joining --------------------------------------------------------------------------------------------------------- */
ps_status psi_bind_concat(ps_fn_call *call, ps_error *err);
ps_status psi_bind_concat(ps_fn_call *call, ps_error *err)
{
    bool arrays = false, binaries = call->n_args > 0;

    for (int i = 0; i < call->n_args; i++) {
        arrays |= call->args[i]->type->kind == PS_ARRAY;
        binaries &= call->args[i]->type->kind == PS_BINARY;
    }
    if (arrays) {
        PS_TRY(ps_fn_same_type(call, 0, call->n_args, err));
        call->type = ps_type_ref(call->args[0]->type);
        return PS_OK;
    }
    call->type = ps_type_of(binaries ? PS_BINARY : PS_STRING);
    for (int i = 0; i < call->n_args; i++)
        PS_TRY(ps_fn_cast_arg(call, i, call->type, err));
    return PS_OK;
}

static ps_status concat_texts(const ps_fn_run *run, const ps_view *views, int64_t i, ps_bytes *text, ps_error *err)
{
    for (int k = 0; k < run->n_args; k++) {
        ps_slice part = psi_text_at(&views[k], i);
        PS_TRY(ps_bytes_append(text, part.data, part.n_bytes, err));
    }
    return psi_check_text_size(text->n_bytes, err);
}

static ps_status concat_arrays(const ps_fn_run *run, const ps_view *views, int64_t i, ps_builder *b, ps_error *err)
{
    PS_TRY(ps_build_list(b, 0, err));
    for (int k = 0; k < run->n_args; k++) {
        ps_span span = PSI_AT(ps_span, &views[k], i);
        for (uint32_t j = 0; j < span.n; j++)
            PS_TRY(ps_build_from(ps_build_child(b, 0), views[k].base->children[0], (int64_t)span.start + j, err));
    }
    ps_build_list_end(b);
    return PS_OK;
}

PSI_KERNEL(concat)
{
    if (run->type->kind == PS_ARRAY)
        return psi_kernel_values(run, run->n_args, concat_arrays, result, err);
    return psi_kernel_texts(run, run->n_args, concat_texts, result, err);
}

ps_status psi_bind_concat_ws(ps_fn_call *call, ps_error *err);
ps_status psi_bind_concat_ws(ps_fn_call *call, ps_error *err)
{
    const ps_type *texts;
    ps_status rc = PS_OK;

    PS_TRY(ps_type_array(ps_type_of(PS_STRING), true, &texts, err));
    for (int i = 1; i < call->n_args && rc == PS_OK; i++)
        rc = ps_fn_cast_arg(call, i, call->args[i]->type->kind == PS_ARRAY ? texts : ps_type_of(PS_STRING), err);
    call->nullable = call->n_args > 0 && call->args[0]->nullable;
    ps_type_unref(texts);
    return rc;
}

static ps_status join_part(ps_slice part, ps_slice separator, bool *first, ps_bytes *out, ps_error *err)
{
    if (!*first)
        PS_TRY(ps_bytes_append(out, separator.data, separator.n_bytes, err));
    *first = false;
    return ps_bytes_append(out, part.data, part.n_bytes, err);
}

static ps_status join_row(const ps_fn_run *run, const ps_view *views, int64_t i, ps_bytes *out, ps_error *err)
{
    ps_slice separator = psi_text_at(&views[0], i);
    ps_view items;
    bool first = true;

    for (int k = 1; k < run->n_args; k++) {
        if (ps_view_is_null(&views[k], i))
            continue;
        if (run->args[k]->type->kind != PS_ARRAY) {
            PS_TRY(join_part(psi_text_at(&views[k], i), separator, &first, out, err));
            continue;
        }
        ps_span span = PSI_AT(ps_span, &views[k], i);
        ps_view_init(&items, views[k].base->children[0]);
        for (int64_t j = span.start; j < (int64_t)span.start + span.n; j++)
            if (!ps_view_is_null(&items, j))
                PS_TRY(join_part(psi_text_at(&items, j), separator, &first, out, err));
    }
    return psi_check_text_size(out->n_bytes, err);
}

ps_status psi_concat_ws(ps_fn_run *run, ps_vec **out, ps_error *err);
ps_status psi_concat_ws(ps_fn_run *run, ps_vec **out, ps_error *err) { return psi_kernel_texts(run, 1, join_row, out, err); }

/* --- cutting --------------------------------------------------------------------------------------------------------------- */
ps_slice psi_text_part(ps_slice text, int64_t pos, int64_t length, bool binary)
{
    int64_t start = pos > 0 ? pos - 1 : 0, end;
    size_t from, to;

    if (pos < 0)
        start = pos + (binary ? (int64_t)text.n_bytes : ps_utf8_count(text));
    end = start + length;
    if (start < 0)
        start = 0;
    if (end <= start)
        return (ps_slice){text.data, 0};
    if (binary) {
        from = start < (int64_t)text.n_bytes ? (size_t)start : text.n_bytes;
        to = end < (int64_t)text.n_bytes ? (size_t)end : text.n_bytes;
        return psi_slice_from(text, from, to);
    }
    from = ps_utf8_offset(text, start);
    to = from + ps_utf8_offset(psi_slice_from(text, from, text.n_bytes), end - start);
    return psi_slice_from(text, from, to);
}

static ps_str str_of(ps_slice text) { return ps_str_make(text.data, (uint32_t)text.n_bytes); }

PS_KERNEL_3(substring, ps_str, int32_t, int32_t, ps_str)
{
    *out = str_of(psi_text_part(ps_str_slice(&x), y, z, psi_arg_is_binary(run, 0)));
    return PS_OK;
}

PS_KERNEL_2(left, ps_str, int32_t, ps_str)
{
    *out = str_of(psi_text_part(ps_str_slice(&x), 1, y, psi_arg_is_binary(run, 0)));
    return PS_OK;
}

PS_KERNEL_2(right, ps_str, int32_t, ps_str)
{
    *out = y <= 0 ? ps_str_make("", 0) : str_of(psi_text_part(ps_str_slice(&x), -(int64_t)y, INT32_MAX, psi_arg_is_binary(run, 0)));
    return PS_OK;
}

static size_t find_last(ps_slice text, ps_slice part, size_t below)
{
    for (size_t at = below; at-- > 0;)
        if (text.n_bytes - at >= part.n_bytes && memcmp(text.data + at, part.data, part.n_bytes) == 0)
            return at;
    return SIZE_MAX;
}

static ps_slice substring_index(ps_slice text, ps_slice part, int64_t count)
{
    size_t at;

    if (count == 0 || part.n_bytes == 0)
        return (ps_slice){text.data, 0};
    if (count > 0) {
        for (at = 0;; at++) {
            if ((at = ps_slice_find(text, part, at)) == SIZE_MAX)
                return text;
            if (--count == 0)
                return psi_slice_from(text, 0, at);
        }
    }
    for (at = text.n_bytes;;) {
        if ((at = find_last(text, part, at)) == SIZE_MAX)
            return text;
        if (++count == 0)
            return psi_slice_from(text, at + part.n_bytes, text.n_bytes);
    }
}

PS_KERNEL_3(substring_index, ps_str, ps_str, int32_t, ps_str)
{
    *out = str_of(substring_index(ps_str_slice(&x), ps_str_slice(&y), z));
    return PS_OK;
}

/* Part `n` (from 1) of text, from byte *at on; false when there are fewer. */
static bool nth_part(ps_slice text, ps_slice delimiter, int64_t n, ps_slice *out)
{
    size_t from = 0, at;

    for (;; from = at + delimiter.n_bytes) {
        at = delimiter.n_bytes ? ps_slice_find(text, delimiter, from) : SIZE_MAX;
        if (--n == 0) {
            *out = psi_slice_from(text, from, at == SIZE_MAX ? text.n_bytes : at);
            return true;
        }
        if (at == SIZE_MAX)
            return false;
    }
}

static int64_t count_parts(ps_slice text, ps_slice delimiter)
{
    int64_t n = 1;

    for (size_t at = 0; delimiter.n_bytes && (at = ps_slice_find(text, delimiter, at)) != SIZE_MAX; at += delimiter.n_bytes)
        n++;
    return n;
}

PS_KERNEL_3(split_part, ps_str, ps_str, int32_t, ps_str)
{
    ps_slice text = ps_str_slice(&x), delimiter = ps_str_slice(&y), part;
    int64_t n = z;

    if (n == 0)
        return ps_raise(err, PS_E_INDEX_OF_ZERO);
    if (n < 0)
        n += count_parts(text, delimiter) + 1;
    *out = n > 0 && nth_part(text, delimiter, n, &part) ? str_of(part) : ps_str_make("", 0);
    return PS_OK;
}

/* --- searching ---------------------------------------------------------------------------------------------------------------- */
/* Characters before the first `part` at or after character `from`, from 1; 0 when there is none. */
static int32_t position(ps_slice text, ps_slice part, int64_t from)
{
    size_t at;

    if (part.n_bytes == 0)
        return 1;
    at = ps_slice_find(text, part, from > 0 ? ps_utf8_offset(text, from) : 0);
    return at == SIZE_MAX ? 0 : (int32_t)ps_utf8_count((ps_slice){text.data, at}) + 1;
}

PS_KERNEL_2(instr, ps_str, ps_str, int32_t)
{
    *out = position(ps_str_slice(&x), ps_str_slice(&y), 0);
    return PS_OK;
}

PS_KERNEL_3(locate, ps_str, ps_str, int32_t, int32_t)
{
    *out = z == 0 ? 0 : position(ps_str_slice(&y), ps_str_slice(&x), (int64_t)z - 1);
    return PS_OK;
}

PS_KERNEL_2(contains, ps_str, ps_str, uint8_t)
{
    *out = ps_slice_find(ps_str_slice(&x), ps_str_slice(&y), 0) != SIZE_MAX;
    return PS_OK;
}

PS_KERNEL_2(startswith, ps_str, ps_str, uint8_t)
{
    *out = x.n_bytes >= y.n_bytes && memcmp(ps_str_data(&x), ps_str_data(&y), y.n_bytes) == 0;
    return PS_OK;
}

PS_KERNEL_2(endswith, ps_str, ps_str, uint8_t)
{
    *out = x.n_bytes >= y.n_bytes && memcmp(ps_str_data(&x) + (x.n_bytes - y.n_bytes), ps_str_data(&y), y.n_bytes) == 0;
    return PS_OK;
}

PS_KERNEL_2(find_in_set, ps_str, ps_str, int32_t)
{
    ps_slice word = ps_str_slice(&x), set = ps_str_slice(&y), part;

    *out = 0;
    if (word.n_bytes && memchr(word.data, ',', word.n_bytes))
        return PS_OK;
    for (int32_t n = 1; nth_part(set, ps_slice_of(","), n, &part); n++)
        if (ps_slice_equal(word, part)) {
            *out = n;
            break;
        }
    return PS_OK;
}

/* --- replacing -------------------------------------------------------------------------------------------------------------------- */
PS_KERNEL_TEXT_3(replace, ps_str, ps_str, ps_str)
{
    ps_slice text = ps_str_slice(&x), search = ps_str_slice(&y), with = ps_str_slice(&z);
    size_t from = 0, at;

    while (search.n_bytes && (at = ps_slice_find(text, search, from)) != SIZE_MAX) {
        PS_TRY(ps_bytes_append(out, text.data + from, at - from, err));
        PS_TRY(ps_bytes_append(out, with.data, with.n_bytes, err));
        PS_TRY(psi_check_text_size(out->n_bytes, err));
        from = at + search.n_bytes;
    }
    return ps_bytes_append(out, text.data + from, text.n_bytes - from, err);
}

/* Which character of `set` (from 0) the one at text[at] is; -1 for none. */
static int64_t character_in(ps_slice set, const char *one, size_t width)
{
    int64_t n = 0;
    size_t step;

    for (size_t at = 0; at < set.n_bytes; at += step, n++) {
        step = ps_utf8_step(set, at);
        if (step == width && memcmp(set.data + at, one, width) == 0)
            return n;
    }
    return -1;
}

PS_KERNEL_TEXT_3(translate, ps_str, ps_str, ps_str)
{
    ps_slice text = ps_str_slice(&x), from = ps_str_slice(&y), to = ps_str_slice(&z);
    size_t step;

    for (size_t at = 0; at < text.n_bytes; at += step) {
        step = ps_utf8_step(text, at);
        int64_t n = character_in(from, text.data + at, step);
        ps_slice one = n < 0 ? (ps_slice){text.data + at, step} : psi_text_part(to, n + 1, 1, false);
        PS_TRY(ps_bytes_append(out, one.data, one.n_bytes, err));
    }
    return PS_OK;
}

/* overlay(text, with, pos, length) */
static ps_status overlay_row(const ps_fn_run *run, const ps_view *views, int64_t i, ps_bytes *out, ps_error *err)
{
    bool binary = psi_arg_is_binary(run, 0);
    ps_slice into = psi_text_at(&views[0], i), with = psi_text_at(&views[1], i), head, tail;
    int64_t pos = PSI_AT(int32_t, &views[2], i), length = PSI_AT(int32_t, &views[3], i);

    if (length < 0)
        length = binary ? (int64_t)with.n_bytes : ps_utf8_count(with);
    head = psi_text_part(into, 1, pos - 1, binary);
    tail = psi_text_part(into, pos + length, INT32_MAX, binary);
    PS_TRY(ps_bytes_append(out, head.data, head.n_bytes, err));
    PS_TRY(ps_bytes_append(out, with.data, with.n_bytes, err));
    return ps_bytes_append(out, tail.data, tail.n_bytes, err);
}

ps_status psi_overlay(ps_fn_run *run, ps_vec **result, ps_error *err);
ps_status psi_overlay(ps_fn_run *run, ps_vec **result, ps_error *err) { return psi_kernel_texts(run, 4, overlay_row, result, err); }
