/*
 * col/row.c - rows as sortable bytes.
 *
 * Before each value stands a byte that places NULL: 0 before 1 (a value), 2 behind it.  Numbers are big-endian with
 * the sign turned over, floats by the usual trick on their bits; in text a zero byte is followed by 0xff and the
 * end is two zeros; an element of a list is preceded by 1, its end is 0.  A descending value is complemented.
 */
#include "col/row.h"
#include "col/vec_int.h"

static ps_status put_value(const ps_vec *base, int64_t at, ps_bytes *out, ps_error *err);

/* Room was reserved by the caller. */
static inline void put_big_endian(ps_bytes *out, uint64_t x, size_t n)
{
    x = __builtin_bswap64(x);
    memcpy(out->data + out->n_bytes, (const char *)&x + 8 - n, n);
    out->n_bytes += n;
}

static inline void put_int(ps_bytes *out, int64_t x, size_t n)
{
    put_big_endian(out, (uint64_t)x ^ 1ull << (n * 8 - 1), n);
}

static ps_status put_text(const ps_str *s, ps_bytes *out, ps_error *err)
{
    const char *p = ps_str_data(s), *end = p + s->n_bytes;

    while (p < end) {
        const char *zero = memchr(p, 0, (size_t)(end - p)), *stop = zero ? zero + 1 : end;
        PS_TRY(ps_bytes_append(out, p, (size_t)(stop - p), err));
        if (zero)
            PS_TRY(ps_bytes_char(out, '\xff', err));
        p = stop;
    }
    return ps_bytes_append(out, "\0\0", 2, err);
}

static ps_status put_part(const ps_vec *child, int64_t row, ps_bytes *out, ps_error *err)
{
    ps_view view;

    ps_view_init(&view, child);
    if (ps_view_is_null(&view, row))
        return ps_bytes_char(out, 0, err);
    PS_TRY(ps_bytes_char(out, 1, err));
    return put_value(view.base, ps_at(&view, row), out, err);
}

static ps_status put_span(const ps_vec *base, ps_span span, ps_bytes *out, ps_error *err)
{
    for (uint32_t i = 0; i < span.n; i++) {
        PS_TRY(ps_bytes_char(out, 1, err));
        for (int c = 0; c < base->n_children; c++)
            PS_TRY(put_part(base->children[c], (int64_t)span.start + i, out, err));
    }
    return ps_bytes_char(out, 0, err);
}

static void put_double(double x, ps_bytes *out)
{
    uint64_t bits = psi_double_bits(x);

    put_big_endian(out, bits >> 63 ? ~bits : bits | 1ull << 63, 8);
}

static ps_status put_value(const ps_vec *base, int64_t at, ps_bytes *out, ps_error *err)
{
    PS_TRY(ps_bytes_reserve(out, 16, err));
    switch (base->type->kind) {
    case PS_NULL: return PS_OK;
    case PS_FLOAT:
    case PS_DOUBLE: put_double(psi_float_at(base, at), out); return PS_OK;
    case PS_DECIMAL: {
        __int128 x = ((const __int128 *)base->data)[at];
        put_int(out, (int64_t)(x >> 64), 8);
        put_big_endian(out, (uint64_t)x, 8);
        return PS_OK;
    }
    case PS_STRING:
    case PS_BINARY: return put_text((const ps_str *)base->data + at, out, err);
    case PS_CALENDAR: {
        const ps_calendar *c = (const ps_calendar *)base->data + at;
        put_int(out, c->months, 4);
        put_int(out, c->days, 4);
        put_int(out, c->micros, 8);
        return PS_OK;
    }
    case PS_ARRAY:
    case PS_MAP: return put_span(base, ((const ps_span *)base->data)[at], out, err);
    case PS_STRUCT:
        for (int c = 0; c < base->n_children; c++)
            PS_TRY(put_part(base->children[c], at, out, err));
        return PS_OK;
    default: put_int(out, psi_int_at(base, at), ps_type_width(base->type)); return PS_OK;
    }
}

static ps_status put_column(const ps_view *view, ps_row_order order, int64_t row, ps_bytes *out, ps_error *err)
{
    size_t start;

    if (ps_view_is_null(view, row))
        return ps_bytes_char(out, order.nulls_first ? 0 : 2, err);
    PS_TRY(ps_bytes_char(out, 1, err));
    start = out->n_bytes;
    PS_TRY(put_value(view->base, ps_at(view, row), out, err));
    if (order.descending)
        for (size_t i = start; i < out->n_bytes; i++)
            out->data[i] = (char)~out->data[i];
    return PS_OK;
}

ps_status ps_row_keys(const ps_vec *const *cols, const ps_row_order *orders, int n_cols, const ps_rows *rows,
                      ps_bytes *out, size_t *offsets, ps_error *err)
{
    ps_view *views;
    ps_status rc = PS_OK;

    PS_TRY(ps_alloc((size_t)n_cols * sizeof *views, &views, err));
    for (int c = 0; c < n_cols; c++)
        ps_view_init(&views[c], cols[c]);
    for (int64_t j = 0; j < rows->n && rc == PS_OK; j++) {
        int64_t row = ps_row(rows, j);
        offsets[j] = out->n_bytes;
        for (int c = 0; c < n_cols && rc == PS_OK; c++)
            rc = put_column(&views[c], orders[c], row, out, err);
    }
    offsets[rows->n] = out->n_bytes;
    ps_free(views);
    return rc;
}
