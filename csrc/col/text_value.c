/*
 * col/text_value.c - values of any type as text: as casts to STRING write them, and as df.show() does.
 *
 * The two differ in NULLs inside nested values ("null", "NULL") and in binaries (the bytes, "[61 62]").
 */
#include "col/text_int.h"
#include "col/vec_int.h"

typedef struct printer {
    const ps_zone *zone;
    bool show;
    ps_bytes *out;
    ps_error *err;
} printer;

static ps_status put_value(const printer *p, const ps_vec *base, int64_t at);

/* A row of a child of any shape. */
static ps_status put_part(const printer *p, const ps_vec *child, int64_t row)
{
    ps_view view;

    ps_view_init(&view, child);
    if (ps_view_is_null(&view, row))
        return ps_bytes_text(p->out, p->show ? "NULL" : "null", p->err);
    return put_value(p, view.base, ps_at(&view, row));
}

static ps_status put_binary(const printer *p, const ps_str *s)
{
    static const char hex[] = "0123456789ABCDEF";
    const unsigned char *data = (const unsigned char *)ps_str_data(s);

    PS_TRY(ps_bytes_char(p->out, '[', p->err));
    for (uint32_t i = 0; i < s->n_bytes; i++) {
        char text[3] = {' ', hex[data[i] >> 4], hex[data[i] & 15]};
        PS_TRY(ps_bytes_append(p->out, text + (i == 0), 3 - (i == 0), p->err));
    }
    return ps_bytes_char(p->out, ']', p->err);
}

static ps_status put_span(const printer *p, const ps_vec *base, ps_span span)
{
    bool map = base->type->kind == PS_MAP;

    PS_TRY(ps_bytes_char(p->out, map ? '{' : '[', p->err));
    for (uint32_t i = 0; i < span.n; i++) {
        if (i > 0)
            PS_TRY(ps_bytes_text(p->out, ", ", p->err));
        PS_TRY(put_part(p, base->children[0], (int64_t)span.start + i));
        if (map) {
            PS_TRY(ps_bytes_text(p->out, " -> ", p->err));
            PS_TRY(put_part(p, base->children[1], (int64_t)span.start + i));
        }
    }
    return ps_bytes_char(p->out, map ? '}' : ']', p->err);
}

static ps_status put_struct(const printer *p, const ps_vec *base, int64_t at)
{
    PS_TRY(ps_bytes_char(p->out, '{', p->err));
    for (int i = 0; i < base->n_children; i++) {
        if (i > 0)
            PS_TRY(ps_bytes_text(p->out, ", ", p->err));
        PS_TRY(put_part(p, base->children[i], at));
    }
    return ps_bytes_char(p->out, '}', p->err);
}

/* A value whose text has a bounded length. */
static int format_scalar(const printer *p, const ps_vec *base, int64_t at, char *text)
{
    switch (base->type->kind) {
    case PS_FLOAT: return ps_format_float(((const float *)base->data)[at], text);
    case PS_DOUBLE: return ps_format_double(((const double *)base->data)[at], text);
    case PS_DECIMAL: return ps_format_decimal(((const __int128 *)base->data)[at], base->type->scale, text);
    case PS_DATE: return ps_format_date(((const int32_t *)base->data)[at], text);
    case PS_TIMESTAMP: return ps_format_timestamp(((const int64_t *)base->data)[at], p->zone, text);
    case PS_TIMESTAMP_NTZ: return ps_format_timestamp_ntz(((const int64_t *)base->data)[at], text);
    default: return ps_format_int64(psi_int_at(base, at), text);
    }
}

static ps_status put_value(const printer *p, const ps_vec *base, int64_t at)
{
    char text[64];

    switch (base->type->kind) {
    case PS_NULL: return ps_bytes_text(p->out, p->show ? "NULL" : "null", p->err);
    case PS_BOOL: return ps_bytes_text(p->out, psi_int_at(base, at) ? "true" : "false", p->err);
    case PS_STRING:
    case PS_BINARY: {
        const ps_str *s = (const ps_str *)base->data + at;
        if (p->show && base->type->kind == PS_BINARY)
            return put_binary(p, s);
        return ps_bytes_append(p->out, ps_str_data(s), s->n_bytes, p->err);
    }
    case PS_DAYTIME:
    case PS_YEARMONTH: return ps_format_interval(base->type, psi_int_at(base, at), p->out, p->err);
    case PS_CALENDAR: return ps_format_calendar(((const ps_calendar *)base->data)[at], p->out, p->err);
    case PS_ARRAY:
    case PS_MAP: return put_span(p, base, ((const ps_span *)base->data)[at]);
    case PS_STRUCT: return put_struct(p, base, at);
    default: return ps_bytes_append(p->out, text, (size_t)format_scalar(p, base, at, text), p->err);
    }
}

ps_status ps_text_of_value(const ps_vec *vec, int64_t row, const ps_zone *zone, ps_bytes *out, ps_error *err)
{
    printer p = {zone, false, out, err};

    return put_part(&p, vec, row);
}

ps_status psi_text_shown(const ps_vec *vec, int64_t row, const ps_zone *zone, ps_bytes *out, ps_error *err)
{
    printer p = {zone, true, out, err};

    return put_part(&p, vec, row);
}
