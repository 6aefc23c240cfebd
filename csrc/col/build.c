/*
 * col/build.c - builders.
 *
 * The bitmap appears with the first NULL and keeps ones behind the last row, so appending a value never
 * touches it.  A NULL array or map is an empty span where its children end, so taking rows back
 * (ps_build_pop) finds how far the children go.
 */
#include "col/build.h"

#define FIRST_ROWS 64
#define FIRST_TEXT 4096
#define LAST_TEXT ((size_t)1 << 20)

ps_status ps_build_new(const ps_type *type, int64_t capacity, ps_builder **out, ps_error *err)
{
    ps_builder *b;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_alloc0(sizeof *b, &b, err));
    b->type = ps_type_ref(type);
    if (type->n_fields > 0) {
        PS_TRY_OR(fail, ps_alloc0((size_t)type->n_fields * sizeof *b->children, &b->children, err));
        for (int i = 0; i < type->n_fields; i++) {
            int64_t n = type->kind == PS_STRUCT ? capacity : 0;
            PS_TRY_OR(fail, ps_build_new(type->fields[i].type, n, &b->children[i], err));
            b->n_children++;
        }
    }
    if (capacity > 0)
        PS_TRY_OR(fail, ps_build_reserve(b, capacity, err));
    *out = b;
    return PS_OK;
fail:
    ps_build_free(b);
    return rc;
}

static void drop_bufs(ps_builder *b)
{
    for (int i = 0; i < b->n_bufs; i++)
        ps_buf_unref(b->bufs[i]);
    b->n_bufs = 0;
    b->text = NULL;
    b->text_left = 0;
}

void ps_build_free(ps_builder *b)
{
    if (!b)
        return;
    for (int i = 0; i < b->n_children; i++)
        ps_build_free(b->children[i]);
    drop_bufs(b);
    ps_free(b->children);
    ps_free(b->bufs);
    ps_buf_unref(b->data_buf);
    ps_buf_unref(b->valid_buf);
    ps_type_unref(b->type);
    ps_free(b);
}

/* A bitmap for `capacity` rows, ones behind the `n_old` words that are kept. */
static ps_status grow_valid(ps_builder *b, int64_t capacity, ps_error *err)
{
    size_t n_words = ((size_t)capacity + 63) / 64, n_old = 0;

    if (b->valid_buf) {
        n_old = b->valid_buf->n_bytes / 8;
        if (n_words <= n_old)
            return PS_OK;
        PS_TRY(ps_buf_resize(&b->valid_buf, n_words * 8, err));
    } else {
        PS_TRY(ps_buf_new(n_words * 8, &b->valid_buf, err));
    }
    b->valid = (uint64_t *)(void *)b->valid_buf->data;
    memset(b->valid + n_old, 0xff, (n_words - n_old) * 8);
    return PS_OK;
}

static ps_status grow(ps_builder *b, int64_t n_needed, ps_error *err)
{
    size_t width = ps_type_width(b->type);
    int64_t capacity = b->capacity < FIRST_ROWS ? FIRST_ROWS : b->capacity * 2;

    if (capacity < n_needed)
        capacity = n_needed;
    if (width > 0) {
        if (b->data_buf)
            PS_TRY(ps_buf_resize(&b->data_buf, (size_t)capacity * width, err));
        else
            PS_TRY(ps_buf_new((size_t)capacity * width, &b->data_buf, err));
        b->data = b->data_buf->data;
    }
    if (b->valid)
        PS_TRY(grow_valid(b, capacity, err));
    b->capacity = capacity;
    return PS_OK;
}

ps_status ps_build_reserve(ps_builder *b, int64_t n_more, ps_error *err)
{
    if (PS_UNLIKELY(n_more > b->capacity - b->n))
        PS_TRY(grow(b, b->n + n_more, err));
    if (b->type->kind == PS_STRUCT)
        for (int i = 0; i < b->n_children; i++)
            PS_TRY(ps_build_reserve(b->children[i], n_more, err));
    return PS_OK;
}

static inline ps_status need_one(ps_builder *b, ps_error *err)
{
    return PS_LIKELY(b->n < b->capacity) ? PS_OK : grow(b, b->n + 1, err);
}

/* Gives the vector the builder's buffers, cut to size when much would be wasted. */
static ps_status move_buffers(ps_builder *b, ps_vec *vec, ps_error *err)
{
    size_t n_bytes = (size_t)b->n * ps_type_width(b->type);

    if (b->data_buf && b->data_buf->n_bytes > n_bytes * 2 + 1024)
        PS_TRY(ps_buf_resize(&b->data_buf, n_bytes, err));
    if (b->type->kind == PS_NULL && !b->valid)
        PS_TRY(grow_valid(b, b->n > 0 ? b->n : 1, err));
    if (b->type->kind == PS_NULL)
        memset(b->valid, 0, b->valid_buf->n_bytes);
    if (!b->data_buf && ps_type_width(b->type) > 0)
        PS_TRY(ps_buf_new(0, &b->data_buf, err));
    vec->data_buf = b->data_buf;
    vec->data = b->data_buf ? b->data_buf->data : NULL;
    vec->valid_buf = b->valid_buf;
    vec->valid = b->valid;
    b->data_buf = b->valid_buf = NULL;
    b->data = NULL;
    b->valid = NULL;
    b->capacity = 0;
    return PS_OK;
}

static ps_status finish_into(ps_builder *b, ps_vec *vec, ps_error *err)
{
    for (int i = 0; i < b->n_bufs; i++)
        PS_TRY(ps_vec_pin(vec, b->bufs[i], err));
    for (int i = 0; i < b->n_children; i++) {
        ps_vec *child;
        ps_assert(b->type->kind != PS_STRUCT || b->children[i]->n == b->n);
        PS_TRY(ps_build_finish(b->children[i], &child, err));
        PS_TRY(ps_vec_add_child(vec, child, err));
    }
    return move_buffers(b, vec, err);
}

ps_status ps_build_finish(ps_builder *b, ps_vec **out, ps_error *err)
{
    ps_vec *vec;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_alloc0(sizeof *vec, &vec, err));
    ps_refs_init(&vec->refs);
    vec->shape = PS_FLAT;
    vec->type = ps_type_ref(b->type);
    vec->n_rows = b->n;
    if ((rc = finish_into(b, vec, err)) != PS_OK) {
        ps_vec_unref(vec);
        ps_build_reset(b);
        return rc;
    }
    drop_bufs(b);
    b->n = 0;
    *out = vec;
    return PS_OK;
}

ps_status ps_build_end(ps_builder *b, ps_status rc, ps_vec **out, ps_error *err)
{
    *out = NULL;
    if (rc == PS_OK)
        rc = ps_build_finish(b, out, err);
    ps_build_free(b);
    return rc;
}

void ps_build_reset(ps_builder *b)
{
    for (int i = 0; i < b->n_children; i++)
        ps_build_reset(b->children[i]);
    drop_bufs(b);
    ps_buf_unref(b->valid_buf);
    b->valid_buf = NULL;
    b->valid = NULL;
    b->n = 0;
}

ps_builder *ps_build_child(ps_builder *b, int i)
{
    ps_assert(i >= 0 && i < b->n_children);
    return b->children[i];
}

static inline uint32_t child_rows(const ps_builder *b)
{
    return (uint32_t)b->children[0]->n;
}

ps_status ps_build_null(ps_builder *b, ps_error *err)
{
    size_t width = ps_type_width(b->type);

    PS_TRY(need_one(b, err));
    if (!b->valid)
        PS_TRY(grow_valid(b, b->capacity, err));
    if (b->type->kind == PS_STRUCT)
        for (int i = 0; i < b->n_children; i++)
            PS_TRY(ps_build_null(b->children[i], err));
    if (width > 0)
        memset(b->data + (size_t)b->n * width, 0, width);
    if (b->type->kind == PS_ARRAY || b->type->kind == PS_MAP)
        ((ps_span *)(void *)b->data)[b->n].start = child_rows(b);
    ps_bit_clear(b->valid, b->n);
    b->n++;
    return PS_OK;
}

ps_status ps_build_int(ps_builder *b, int64_t value, ps_error *err)
{
    PS_TRY(need_one(b, err));
    switch (ps_type_width(b->type)) {
    case 1: ((int8_t *)b->data)[b->n] = (int8_t)value; break;
    case 2: ((int16_t *)(void *)b->data)[b->n] = (int16_t)value; break;
    case 4: ((int32_t *)(void *)b->data)[b->n] = (int32_t)value; break;
    default: ((int64_t *)(void *)b->data)[b->n] = value; break;
    }
    b->n++;
    return PS_OK;
}

ps_status ps_build_double(ps_builder *b, double value, ps_error *err)
{
    PS_TRY(need_one(b, err));
    if (b->type->kind == PS_FLOAT)
        ((float *)(void *)b->data)[b->n++] = (float)value;
    else
        ((double *)(void *)b->data)[b->n++] = value;
    return PS_OK;
}

ps_status ps_build_int128(ps_builder *b, __int128 value, ps_error *err)
{
    PS_TRY(need_one(b, err));
    ((__int128 *)(void *)b->data)[b->n++] = value;
    return PS_OK;
}

ps_status ps_build_calendar(ps_builder *b, ps_calendar value, ps_error *err)
{
    PS_TRY(need_one(b, err));
    ((ps_calendar *)(void *)b->data)[b->n++] = value;
    return PS_OK;
}

static ps_status keep_buf(ps_builder *b, ps_buf *buf, ps_error *err)
{
    struct { ps_buf **items; int n, capacity; } list = {b->bufs, b->n_bufs, b->bufs_capacity};
    ps_status rc = PS_PUSH(&list, buf, err);

    b->bufs = list.items;
    b->n_bufs = list.n;
    b->bufs_capacity = list.capacity;
    return rc;
}

ps_status ps_build_pin(ps_builder *b, ps_buf *buf, ps_error *err)
{
    if (b->n_bufs > 0 && b->bufs[b->n_bufs - 1] == buf)
        return PS_OK;
    PS_TRY(keep_buf(b, buf, err));
    ps_buf_ref(buf);
    return PS_OK;
}

/* A chunk for at least n_bytes; chunks double up to LAST_TEXT. */
static ps_status new_chunk(ps_builder *b, size_t n_bytes, ps_error *err)
{
    size_t n = FIRST_TEXT;
    ps_buf *buf;
    ps_status rc;

    for (int i = 0; i < b->n_bufs && n < LAST_TEXT; i++)
        n *= 2;
    if (n < n_bytes)
        n = n_bytes;
    PS_TRY(ps_buf_new(n, &buf, err));
    if ((rc = keep_buf(b, buf, err)) != PS_OK) {
        ps_buf_unref(buf);
        return rc;
    }
    b->text = (char *)buf->data;
    b->text_left = n;
    return PS_OK;
}

ps_status ps_build_text(ps_builder *b, const char *data, size_t n_bytes, ps_error *err)
{
    PS_TRY(need_one(b, err));
    if (n_bytes > PS_STR_INLINE) {
        if (PS_UNLIKELY(n_bytes > INT32_MAX))
            return ps_raise(err, PS_E_NO_MEMORY, n_bytes);
        if (n_bytes > b->text_left)
            PS_TRY(new_chunk(b, n_bytes, err));
        memcpy(b->text, data, n_bytes);
        data = b->text;
        b->text += n_bytes;
        b->text_left -= n_bytes;
    }
    ((ps_str *)(void *)b->data)[b->n++] = ps_str_make(data, (uint32_t)n_bytes);
    return PS_OK;
}

ps_status ps_build_view(ps_builder *b, ps_str view, ps_error *err)
{
    PS_TRY(need_one(b, err));
    ((ps_str *)(void *)b->data)[b->n++] = view;
    return PS_OK;
}

ps_status ps_build_list(ps_builder *b, uint32_t n, ps_error *err)
{
    if (PS_UNLIKELY(b->children[0]->n + (int64_t)n > INT32_MAX))
        return ps_raise(err, PS_E_NO_MEMORY, ((size_t)b->children[0]->n + n) * 16);
    PS_TRY(need_one(b, err));
    ((ps_span *)(void *)b->data)[b->n++] = (ps_span){child_rows(b), n};
    return PS_OK;
}

void ps_build_list_end(ps_builder *b)
{
    ps_span *last = (ps_span *)(void *)b->data + b->n - 1;

    last->n = child_rows(b) - last->start;
}

ps_status ps_build_struct(ps_builder *b, ps_error *err)
{
    PS_TRY(need_one(b, err));
    b->n++;
    return PS_OK;
}

static ps_status build_list_from(ps_builder *b, const ps_vec *base, ps_span span, ps_error *err)
{
    PS_TRY(ps_build_list(b, span.n, err));
    for (int c = 0; c < b->n_children; c++)
        for (uint32_t i = 0; i < span.n; i++)
            PS_TRY(ps_build_from(b->children[c], base->children[c], (int64_t)span.start + i, err));
    return PS_OK;
}

ps_status ps_build_from(ps_builder *b, const ps_vec *vec, int64_t row, ps_error *err)
{
    size_t width = ps_type_width(b->type);
    ps_view view;
    int64_t at;

    ps_view_init(&view, vec);
    at = ps_at(&view, row);
    if (view.valid && !ps_bit(view.valid, at))
        return ps_build_null(b, err);
    switch (b->type->kind) {
    case PS_NULL: return ps_build_null(b, err);
    case PS_STRING:
    case PS_BINARY: {
        const ps_str *s = (const ps_str *)view.data + at;
        return ps_build_text(b, ps_str_data(s), s->n_bytes, err);
    }
    case PS_ARRAY:
    case PS_MAP: return build_list_from(b, view.base, ((const ps_span *)view.data)[at], err);
    case PS_STRUCT:
        PS_TRY(ps_build_struct(b, err));
        for (int c = 0; c < b->n_children; c++)
            PS_TRY(ps_build_from(b->children[c], view.base->children[c], at, err));
        return PS_OK;
    default:
        PS_TRY(need_one(b, err));
        memcpy(b->data + (size_t)b->n++ * width, (const char *)view.data + (size_t)at * width, width);
        return PS_OK;
    }
}

void ps_build_pop(ps_builder *b, int64_t n)
{
    if (n >= b->n)
        return;
    for (int i = 0; i < b->n_children; i++) {
        int64_t end = n;
        if (b->type->kind != PS_STRUCT)
            end = ((const ps_span *)(const void *)b->data)[n].start;
        ps_build_pop(b->children[i], end);
    }
    for (int64_t i = n; b->valid && i < b->n; i++)
        ps_bit_set(b->valid, i);
    b->n = n;
}
