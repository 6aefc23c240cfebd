/*
 * state/value.c - values as bytes.
 *
 * A value is a byte 0 (NULL) or 1 and then: fixed-width types their bytes; strings a 32-bit length
 * and the bytes; arrays and maps a 32-bit count and the elements (keys and values in turn); structs
 * their fields.
 */
#include "state/value.h"
#include "col/vec.h"

#define MAX_DEPTH 100

static ps_status write_value(const ps_vec *vec, int64_t row, bool canonical, int depth,
                             ps_bytes *out, ps_error *err);

static ps_status write_fixed(const ps_vec *base, int64_t at, bool canonical, ps_bytes *out,
                             ps_error *err)
{
    size_t width = ps_type_width(base->type);
    const uint8_t *data = (const uint8_t *)base->data + (size_t)at * width;
    double d;
    float f;

    if (canonical && base->type->kind == PS_DOUBLE) {
        memcpy(&d, data, sizeof d);
        d = d != d ? __builtin_nan("") : d + 0.0;
        return ps_bytes_append(out, &d, sizeof d, err);
    }
    if (canonical && base->type->kind == PS_FLOAT) {
        memcpy(&f, data, sizeof f);
        f = f != f ? __builtin_nanf("") : f + 0.0f;
        return ps_bytes_append(out, &f, sizeof f, err);
    }
    return ps_bytes_append(out, data, width, err);
}

/* The entries of a map in the order of their keys. */
static ps_status write_sorted_map(const ps_vec *base, ps_span span, int depth, ps_bytes *out,
                                  ps_error *err)
{
    const ps_vec *keys = base->children[0];
    uint32_t *order;
    ps_status rc = PS_OK;

    PS_TRY(ps_alloc((size_t)span.n * sizeof *order, &order, err));
    for (uint32_t i = 0; i < span.n; i++) {
        uint32_t k = i;
        for (; k > 0 && ps_vec_compare(keys, span.start + i, keys, order[k - 1], true) < 0; k--)
            order[k] = order[k - 1];
        order[k] = span.start + i;
    }
    for (uint32_t i = 0; i < span.n && rc == PS_OK; i++) {
        rc = write_value(keys, order[i], true, depth, out, err);
        if (rc == PS_OK)
            rc = write_value(base->children[1], order[i], true, depth, out, err);
    }
    ps_free(order);
    return rc;
}

static ps_status write_span(const ps_vec *base, int64_t at, bool canonical, int depth,
                            ps_bytes *out, ps_error *err)
{
    ps_span span = ((const ps_span *)base->data)[at];

    PS_TRY(ps_bytes_append(out, &span.n, sizeof span.n, err));
    if (base->type->kind == PS_MAP && canonical)
        return write_sorted_map(base, span, depth, out, err);
    for (uint32_t i = 0; i < span.n; i++)
        for (int c = 0; c < base->n_children; c++)
            PS_TRY(write_value(base->children[c], span.start + i, canonical, depth, out, err));
    return PS_OK;
}

static ps_status write_value(const ps_vec *vec, int64_t row, bool canonical, int depth,
                             ps_bytes *out, ps_error *err)
{
    ps_view view;
    int64_t at;
    const ps_str *s;

    ps_view_init(&view, vec);
    at = ps_at(&view, row);
    if (vec->type->kind == PS_NULL || (view.valid && !ps_bit(view.valid, at)))
        return ps_bytes_append(out, "\0", 1, err);
    PS_TRY(ps_bytes_append(out, "\1", 1, err));
    if (depth >= MAX_DEPTH)
        return ps_raise(err, PS_E_INTERNAL, "a value is nested too deeply for state");
    switch (vec->type->kind) {
    case PS_STRING:
    case PS_BINARY:
        s = (const ps_str *)view.data + at;
        PS_TRY(ps_bytes_append(out, &s->n_bytes, sizeof s->n_bytes, err));
        return ps_bytes_append(out, ps_str_data(s), s->n_bytes, err);
    case PS_ARRAY:
    case PS_MAP:
        return write_span(view.base, at, canonical, depth + 1, out, err);
    case PS_STRUCT:
        for (int c = 0; c < view.base->n_children; c++)
            PS_TRY(write_value(view.base->children[c], at, canonical, depth + 1, out, err));
        return PS_OK;
    default:
        return write_fixed(view.base, at, canonical, out, err);
    }
}

ps_status ps_value_write(const ps_vec *vec, int64_t row, bool canonical, ps_bytes *out,
                         ps_error *err)
{
    return write_value(vec, row, canonical, 0, out, err);
}

static bool cut(ps_slice *bytes, void *out, size_t n_bytes)
{
    if (bytes->n_bytes < n_bytes)
        return false;
    if (out != NULL)
        memcpy(out, bytes->data, n_bytes);
    bytes->data += n_bytes;
    bytes->n_bytes -= n_bytes;
    return true;
}

/* Every element takes at least its NULL byte, so a count is checked against what is left. */
static bool cut_count(ps_slice *bytes, uint32_t *n)
{
    return cut(bytes, n, sizeof *n) && *n <= bytes->n_bytes;
}

static bool skip_value(const ps_type *type, ps_slice *bytes, int depth)
{
    uint8_t present;
    uint32_t n;

    if (depth > MAX_DEPTH || !cut(bytes, &present, 1) || present > 1)
        return false;
    if (!present)
        return true;
    switch (type->kind) {
    case PS_NULL:
        return false;
    case PS_STRING:
    case PS_BINARY:
        return cut(bytes, &n, sizeof n) && cut(bytes, NULL, n);
    case PS_ARRAY:
    case PS_MAP:
        if (!cut_count(bytes, &n))
            return false;
        for (uint32_t i = 0; i < n; i++)
            for (int f = 0; f < type->n_fields; f++)
                if (!skip_value(type->fields[f].type, bytes, depth + 1))
                    return false;
        return true;
    case PS_STRUCT:
        for (int f = 0; f < type->n_fields; f++)
            if (!skip_value(type->fields[f].type, bytes, depth + 1))
                return false;
        return true;
    default:
        return cut(bytes, NULL, ps_type_width(type));
    }
}

bool ps_value_skip(const ps_type *type, ps_slice *bytes)
{
    return skip_value(type, bytes, 0);
}

static ps_status read_checked(ps_slice *bytes, ps_builder *out, ps_error *err);

static ps_status read_fixed(ps_slice *bytes, ps_builder *out, ps_error *err)
{
    union {
        int8_t i8;
        int16_t i16;
        int32_t i32;
        int64_t i64;
        float f;
        double d;
        __int128 i128;
        ps_calendar c;
    } v;

    cut(bytes, &v, ps_type_width(out->type));
    switch (out->type->kind) {
    case PS_BOOL:
        return ps_build_int(out, v.i8 != 0, err);
    case PS_INT8:
        return ps_build_int(out, v.i8, err);
    case PS_INT16:
        return ps_build_int(out, v.i16, err);
    case PS_FLOAT:
        return ps_build_double(out, v.f, err);
    case PS_DOUBLE:
        return ps_build_double(out, v.d, err);
    case PS_DECIMAL:
        return ps_build_int128(out, v.i128, err);
    case PS_CALENDAR:
        return ps_build_calendar(out, v.c, err);
    default:
        return ps_build_int(out, ps_type_width(out->type) == 4 ? v.i32 : v.i64, err);
    }
}

static ps_status read_checked(ps_slice *bytes, ps_builder *out, ps_error *err)
{
    const ps_type *type = out->type;
    uint8_t present = 0;
    uint32_t n = 0;

    cut(bytes, &present, 1);
    if (!present)
        return ps_build_null(out, err);
    switch (type->kind) {
    case PS_STRING:
    case PS_BINARY:
        cut(bytes, &n, sizeof n);
        PS_TRY(ps_build_text(out, bytes->data, n, err));
        cut(bytes, NULL, n);
        return PS_OK;
    case PS_ARRAY:
    case PS_MAP:
        cut(bytes, &n, sizeof n);
        PS_TRY(ps_build_list(out, n, err));
        for (uint32_t i = 0; i < n; i++)
            for (int f = 0; f < type->n_fields; f++)
                PS_TRY(read_checked(bytes, ps_build_child(out, f), err));
        return PS_OK;
    case PS_STRUCT:
        PS_TRY(ps_build_struct(out, err));
        for (int f = 0; f < type->n_fields; f++)
            PS_TRY(read_checked(bytes, ps_build_child(out, f), err));
        return PS_OK;
    default:
        return read_fixed(bytes, out, err);
    }
}

ps_status ps_value_read(ps_slice *bytes, ps_builder *out, ps_error *err)
{
    ps_slice check = *bytes;

    if (!skip_value(out->type, &check, 0))
        return ps_raise(err, PS_E_STATE_CORRUPT, "a value");
    return read_checked(bytes, out, err);
}
