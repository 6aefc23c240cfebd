/*
 * col/arrow_import.c - Arrow arrays as vectors, copied and checked.
 *
 * Rows are taken from `start` of an array's own rows on; its offset is added where its buffers are read, and
 * handed down to the children of structs, whose rows are counted without the parent's offset.
 */
#include "col/arrow_int.h"
#include "col/time.h"
#include "col/vec_int.h"

typedef struct part {
    const struct ArrowSchema *schema;
    const struct ArrowArray *array;
    int64_t start, n; /* rows wanted */
    int64_t at;       /* array->offset + start: the first of them in the buffers */
} part;

static ps_status import_part(const ps_type *type, const part *p, ps_vec **out, ps_error *err);

/* ---- checks ---- */

static ps_status open_part(const struct ArrowSchema *schema, const struct ArrowArray *array, int64_t start, int64_t n,
                           part *out, ps_error *err)
{
    *out = (part){schema, array, start, n, 0};
    if (!array)
        return psi_arrow_malformed("an array is missing", err);
    if (array->length < 0 || array->offset < 0 || array->length > INT32_MAX || array->offset > INT64_MAX / 32 ||
        array->n_buffers < 0 || (array->n_buffers > 0 && !array->buffers))
        return psi_arrow_malformed("lengths out of range", err);
    if (start < 0 || n < 0 || start > array->length || n > array->length - start)
        return psi_arrow_malformed("an array is shorter than its parent needs", err);
    out->at = array->offset + start;
    return PS_OK;
}

/* Buffer i, which must be there when any row is. */
static ps_status get_buffer(const part *p, int i, const void **out, ps_error *err)
{
    *out = i < p->array->n_buffers ? p->array->buffers[i] : NULL;
    if (!*out && p->n > 0)
        return psi_arrow_malformed("a buffer is missing", err);
    return PS_OK;
}

static ps_status get_child(const part *p, int i, const struct ArrowSchema **schema, const struct ArrowArray **array,
                           ps_error *err)
{
    *schema = NULL;
    *array = NULL;
    if (i >= p->array->n_children || !p->array->children || !p->array->children[i])
        return psi_arrow_malformed("a child is missing", err);
    *schema = p->schema->children[i];
    *array = p->array->children[i];
    return PS_OK;
}

/* ---- bits ---- */

static bool get_bit(const uint8_t *bits, int64_t i)
{
    return bits[i >> 3] >> (i & 7) & 1;
}

static ps_status import_valid(const part *p, ps_vec *vec, ps_error *err)
{
    const uint8_t *bits = p->array->n_buffers > 0 ? p->array->buffers[0] : NULL;

    if (!bits || p->array->null_count == 0 || p->n == 0)
        return PS_OK;
    PS_TRY(ps_vec_make_nullable(vec, err));
    if ((p->at & 7) == 0) {
        memcpy(vec->valid, bits + (p->at >> 3), (size_t)(p->n + 7) / 8);
        return PS_OK;
    }
    for (int64_t i = 0; i < p->n; i++)
        if (!get_bit(bits, p->at + i))
            ps_bit_clear(vec->valid, i);
    return PS_OK;
}

static bool is_null(const ps_vec *vec, int64_t i)
{
    return vec->valid && !ps_bit(vec->valid, i);
}

/* ---- values of fixed width ---- */

static float from_half(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exp = h >> 10 & 31, fraction = h & 0x3ff, bits;
    float x;

    if (exp == 0)
        return (sign ? -1.0f : 1.0f) * (float)fraction * 0x1p-24f;
    bits = sign | (exp == 31 ? 0xff : exp + 112) << 23 | fraction << 13;
    memcpy(&x, &bits, sizeof x);
    return x;
}

#define CONVERT(To, From, expression)                                                              \
    do {                                                                                           \
        const char *src = (const char *)from + p->at * (int64_t)sizeof(From);                      \
        To *dst = vec->data;                                                                       \
        for (int64_t i = 0; i < p->n; i++) {                                                       \
            From x;                                                                                \
            memcpy(&x, src + i * (int64_t)sizeof(From), sizeof x); /* may be unaligned */          \
            dst[i] = (expression);                                                                 \
        }                                                                                          \
        return PS_OK;                                                                              \
    } while (0)

static ps_status copy_values(const part *p, const void *from, ps_vec *vec)
{
    size_t width = ps_type_width(vec->type);

    if (p->n > 0)
        memcpy(vec->data, (const char *)from + (size_t)p->at * width, (size_t)p->n * width);
    return PS_OK;
}

static ps_status import_decimals(const part *p, const void *from, ps_vec *vec)
{
    typedef struct { __int128 low, high; } wide;
    int precision, scale, bits;

    if (strcmp(p->schema->format, "L") == 0)
        CONVERT(__int128, uint64_t, x);
    if (!psi_arrow_decimal(p->schema->format, &precision, &scale, &bits) || bits == 128)
        return copy_values(p, from, vec);
    if (bits == 32)
        CONVERT(__int128, int32_t, x);
    if (bits == 64)
        CONVERT(__int128, int64_t, x);
    CONVERT(__int128, wide, x.low); /* at most 38 digits, so the rest is sign */
}

/* Times of another unit to microseconds: times `by`, or floored by 1000. */
static ps_status import_times(const part *p, const void *from, char unit, ps_vec *vec, ps_error *err)
{
    const char *src = (const char *)from + p->at * 8;
    int64_t by = unit == 's' ? 1000000 : unit == 'm' ? 1000 : 1, *to = vec->data;

    for (int64_t i = 0; i < p->n; i++) {
        int64_t x;
        memcpy(&x, src + i * 8, sizeof x);
        if (unit == 'n') {
            to[i] = ps_floor_div(x, 1000);
        } else if (__builtin_mul_overflow(x, by, &to[i])) {
            if (!is_null(vec, i))
                return psi_arrow_malformed("a time is beyond what microseconds hold", err);
            to[i] = 0;
        }
    }
    return PS_OK;
}

static ps_status import_dates(const part *p, const void *from, ps_vec *vec, ps_error *err)
{
    const char *src = (const char *)from + p->at * 8;
    int32_t *to = vec->data;

    if (strcmp(p->schema->format, "tdD") == 0)
        return copy_values(p, from, vec);
    for (int64_t i = 0; i < p->n; i++) {
        int64_t ms, days;
        memcpy(&ms, src + i * 8, sizeof ms);
        days = ps_floor_div(ms, 86400000);
        if (days != (int32_t)days && !is_null(vec, i))
            return psi_arrow_malformed("a date out of range", err);
        to[i] = (int32_t)days;
    }
    return PS_OK;
}

static ps_status import_calendars(const part *p, const void *from, ps_vec *vec)
{
    typedef struct { int32_t days, ms; } day_time;

    if (strcmp(p->schema->format, "tiD") == 0)
        CONVERT(ps_calendar, day_time, ((ps_calendar){0, x.days, x.ms * 1000ll}));
    CONVERT(ps_calendar, ps_calendar, ((ps_calendar){x.months, x.days, ps_floor_div(x.micros, 1000)}));
}

static ps_status import_bools(const part *p, const void *from, ps_vec *vec)
{
    uint8_t *to = vec->data;

    for (int64_t i = 0; i < p->n; i++)
        to[i] = get_bit(from, p->at + i);
    return PS_OK;
}

static ps_status import_fixed(const part *p, ps_vec *vec, ps_error *err)
{
    const char *format = p->schema->format;
    const void *from;

    PS_TRY(get_buffer(p, 1, &from, err));
    switch (vec->type->kind) {
    case PS_BOOL: return import_bools(p, from, vec);
    case PS_DECIMAL: return import_decimals(p, from, vec);
    case PS_DATE: return import_dates(p, from, vec, err);
    case PS_TIMESTAMP:
    case PS_TIMESTAMP_NTZ:
    case PS_DAYTIME: return import_times(p, from, format[2], vec, err);
    case PS_CALENDAR: return import_calendars(p, from, vec);
    default: break;
    }
    switch (format[0]) {
    case 'C': CONVERT(int16_t, uint8_t, x);
    case 'S': CONVERT(int32_t, uint16_t, x);
    case 'I': CONVERT(int64_t, uint32_t, x);
    case 'e': CONVERT(float, uint16_t, from_half(x));
    default: return copy_values(p, from, vec);
    }
}

/* ---- strings ---- */

/* Offset i of a buffer of 4- or 8-byte offsets. */
static int64_t get_offset(const void *offsets, bool wide, int64_t i)
{
    int64_t x;
    int32_t narrow;

    if (wide) {
        memcpy(&x, (const char *)offsets + i * 8, sizeof x);
        return x;
    }
    memcpy(&narrow, (const char *)offsets + i * 4, sizeof narrow);
    return narrow;
}

/* Offsets must not fall, nor span more than a string or list may hold. */
static ps_status check_offsets(const part *p, const void *offsets, bool wide, ps_error *err)
{
    int64_t last = p->n > 0 ? get_offset(offsets, wide, p->at) : 0;

    if (last < 0)
        return psi_arrow_malformed("a negative offset", err);
    for (int64_t i = 1; i <= p->n; i++) {
        int64_t next = get_offset(offsets, wide, p->at + i);
        if (next < last || next - last > INT32_MAX)
            return psi_arrow_malformed("offsets out of order", err);
        last = next;
    }
    return PS_OK;
}

static ps_status import_strings(const part *p, bool wide, ps_vec *vec, ps_error *err)
{
    const void *offsets, *data;
    ps_str *views = vec->data;
    int64_t first, n_bytes;
    ps_buf *buf;
    ps_status rc;

    PS_TRY(get_buffer(p, 1, &offsets, err));
    if (p->n == 0)
        return PS_OK;
    PS_TRY(check_offsets(p, offsets, wide, err));
    first = get_offset(offsets, wide, p->at);
    n_bytes = get_offset(offsets, wide, p->at + p->n) - first;
    data = p->array->n_buffers > 2 ? p->array->buffers[2] : NULL;
    if (n_bytes > 0 && !data)
        return psi_arrow_malformed("a buffer is missing", err);
    PS_TRY(ps_buf_new((size_t)n_bytes, &buf, err));
    if (n_bytes > 0)
        memcpy(buf->data, (const char *)data + first, (size_t)n_bytes);
    for (int64_t i = 0; i < p->n; i++) {
        int64_t from = get_offset(offsets, wide, p->at + i), to = get_offset(offsets, wide, p->at + i + 1);
        views[i] = ps_str_make((const char *)buf->data + (from - first), (uint32_t)(to - from));
    }
    rc = ps_vec_pin(vec, buf, err);
    ps_buf_unref(buf);
    return rc;
}

static ps_status import_fixed_strings(const part *p, ps_vec *vec, ps_error *err)
{
    int64_t size = psi_arrow_size(p->schema->format);
    ps_str *views = vec->data;
    const void *from;
    ps_buf *buf;
    ps_status rc;

    PS_TRY(get_buffer(p, 1, &from, err));
    if (p->at > INT64_MAX / (size + 1))
        return psi_arrow_malformed("lengths out of range", err);
    PS_TRY(ps_buf_new((size_t)(p->n * size), &buf, err));
    if (p->n > 0 && size > 0)
        memcpy(buf->data, (const char *)from + p->at * size, (size_t)(p->n * size));
    for (int64_t i = 0; i < p->n; i++)
        views[i] = ps_str_make((const char *)buf->data + i * size, (uint32_t)size);
    rc = ps_vec_pin(vec, buf, err);
    ps_buf_unref(buf);
    return rc;
}

/* Arrow's string views: as ours, but far ones name a buffer and an offset in it. The last buffer holds the sizes. */
typedef struct arrow_view { int32_t n_bytes; char inlined[4]; int32_t buffer, offset; } arrow_view;

static ps_status far_view(const part *p, const arrow_view *v, const char **data, ps_error *err)
{
    int64_t n_data = p->array->n_buffers - 3, size;

    if (n_data < 0 || v->buffer < 0 || v->buffer >= n_data || v->offset < 0 || !p->array->buffers[2 + v->buffer] ||
        !p->array->buffers[p->array->n_buffers - 1])
        return psi_arrow_malformed("a string view outside of its buffers", err);
    memcpy(&size, (const char *)p->array->buffers[p->array->n_buffers - 1] + v->buffer * 8, sizeof size);
    if ((int64_t)v->offset + v->n_bytes > size)
        return psi_arrow_malformed("a string view outside of its buffers", err);
    *data = (const char *)p->array->buffers[2 + v->buffer] + v->offset;
    return PS_OK;
}

static ps_status import_views(const part *p, ps_vec *vec, ps_error *err)
{
    ps_str *views = vec->data;
    const void *from;
    ps_vec *own;
    ps_status rc;

    PS_TRY(get_buffer(p, 1, &from, err));
    for (int64_t i = 0; i < p->n; i++) {
        arrow_view v;
        const char *data = (const char *)from + (p->at + i) * 16 + 4;
        memcpy(&v, data - 4, sizeof v);
        if (is_null(vec, i))
            v.n_bytes = 0;
        if (v.n_bytes < 0)
            return psi_arrow_malformed("a negative length", err);
        if (v.n_bytes > PS_STR_INLINE)
            PS_TRY(far_view(p, &v, &data, err));
        views[i] = ps_str_make(data, (uint32_t)v.n_bytes);
    }
    PS_TRY(ps_vec_copy(vec, NULL, p->n, &own, err)); /* the foreign bytes become ours */
    if (p->n > 0)
        memcpy(vec->data, own->data, (size_t)p->n * sizeof *views);
    rc = ps_vec_pin_all(vec, own, err);
    ps_vec_unref(own);
    return rc;
}

static ps_status import_text(const part *p, ps_vec *vec, ps_error *err)
{
    const char *format = p->schema->format;

    if (format[0] == 'w')
        return import_fixed_strings(p, vec, err);
    if (format[0] == 'v')
        return import_views(p, vec, err);
    return import_strings(p, format[0] == 'U' || format[0] == 'Z', vec, err);
}

/* ---- nested ---- */

/* The fields of the struct part `p`, rows counted by the parent. */
static ps_status import_fields(const ps_type *type, const part *p, ps_vec *vec, ps_error *err)
{
    for (int i = 0; i < type->n_fields; i++) {
        const struct ArrowSchema *schema;
        const struct ArrowArray *array;
        ps_vec *child;
        part q;
        PS_TRY(get_child(p, i, &schema, &array, err));
        PS_TRY(open_part(schema, array, p->at, p->n, &q, err));
        PS_TRY(import_part(type->fields[i].type, &q, &child, err));
        PS_TRY(ps_vec_add_child(vec, child, err));
    }
    return PS_OK;
}

/* Rows [first, first + n) of the only child of a list or map. */
static ps_status import_elements(const part *p, int64_t first, int64_t n, ps_vec *vec, ps_error *err)
{
    const struct ArrowSchema *schema;
    const struct ArrowArray *array;
    ps_vec *child;
    part q;

    PS_TRY(get_child(p, 0, &schema, &array, err));
    PS_TRY(open_part(schema, array, first, n, &q, err));
    if (vec->type->kind == PS_MAP)
        return import_fields(vec->type, &q, vec, err);
    PS_TRY(import_part(vec->type->fields[0].type, &q, &child, err));
    return ps_vec_add_child(vec, child, err);
}

static ps_status import_list(const part *p, ps_vec *vec, ps_error *err)
{
    bool wide = strcmp(p->schema->format, "+L") == 0;
    ps_span *spans = vec->data;
    const void *offsets;
    int64_t first = 0, n = 0;

    if (strncmp(p->schema->format, "+w:", 3) == 0) {
        int64_t size = psi_arrow_size(p->schema->format);
        if (size > 0 && p->at + p->n > INT32_MAX / size)
            return psi_arrow_malformed("lengths out of range", err);
        for (int64_t i = 0; i < p->n; i++)
            spans[i] = (ps_span){(uint32_t)(i * size), (uint32_t)size};
        return import_elements(p, p->at * size, p->n * size, vec, err);
    }
    PS_TRY(get_buffer(p, 1, &offsets, err));
    PS_TRY(check_offsets(p, offsets, wide, err));
    if (p->n > 0) {
        first = get_offset(offsets, wide, p->at);
        n = get_offset(offsets, wide, p->at + p->n) - first;
    }
    PS_TRY(import_elements(p, first, n, vec, err)); /* so the offsets are within the child */
    for (int64_t i = 0; i < p->n; i++) {
        int64_t from = get_offset(offsets, wide, p->at + i), to = get_offset(offsets, wide, p->at + i + 1);
        spans[i] = (ps_span){(uint32_t)(from - first), (uint32_t)(to - from)};
    }
    return PS_OK;
}

/* ---- dictionaries ---- */

static bool get_index(char format, const void *from, int64_t i, int64_t *out)
{
    const uint8_t *p = from;

    switch (format) {
    case 'c': *out = ((const int8_t *)p)[i]; return true;
    case 'C': *out = p[i]; return true;
    case 's': { int16_t x; memcpy(&x, p + i * 2, 2); *out = x; return true; }
    case 'S': { uint16_t x; memcpy(&x, p + i * 2, 2); *out = x; return true; }
    case 'i': { int32_t x; memcpy(&x, p + i * 4, 4); *out = x; return true; }
    case 'I': { uint32_t x; memcpy(&x, p + i * 4, 4); *out = x; return true; }
    case 'l':
    case 'L': memcpy(out, p + i * 8, 8); return true;
    default: return false;
    }
}

/* The index of every row in `rows`; a NULL row (its bit in `nulls`) points at row 0. */
static ps_status import_indexes(const part *p, int64_t n_values, ps_vec *nulls, int32_t *rows, ps_error *err)
{
    const char *format = p->schema->format;
    const void *from;

    PS_TRY(get_buffer(p, 1, &from, err));
    if (format[0] == '\0' || format[1] != '\0')
        return psi_arrow_malformed("a dictionary's index is no integer", err);
    for (int64_t i = 0; i < p->n; i++) {
        int64_t at = 0;
        if (!is_null(nulls, i) && (!get_index(format[0], from, p->at + i, &at) || at < 0 || at >= n_values))
            return psi_arrow_malformed("an index outside of its dictionary", err);
        rows[i] = (int32_t)at;
    }
    return PS_OK;
}

/* Rows `rows` of `values`, NULL also where `nulls` is. */
static ps_status look_up(ps_vec *values, const int32_t *rows, ps_vec *nulls, ps_vec **out, ps_error *err)
{
    int64_t n = nulls->n_rows;
    ps_vec *taken, *flat;
    ps_status rc;

    if (values->n_rows == 0 && n > 0) { /* then every row is NULL */
        PS_TRY(ps_vec_null(values->type, n, &taken, err));
        rc = ps_vec_flatten(taken, out, err);
        ps_vec_unref(taken);
        return rc;
    }
    PS_TRY(ps_vec_take(values, rows, n, NULL, &taken, err));
    if (!nulls->valid) {
        *out = taken;
        return PS_OK;
    }
    rc = ps_vec_flatten(taken, &flat, err);
    ps_vec_unref(taken);
    PS_TRY(rc);
    if ((rc = ps_vec_make_nullable(flat, err)) != PS_OK) {
        ps_vec_unref(flat);
        return rc;
    }
    for (int64_t i = 0; i < n; i++)
        if (is_null(nulls, i))
            ps_bit_clear(flat->valid, i);
    *out = flat;
    return PS_OK;
}

static ps_status import_dictionary(const ps_type *type, const part *p, ps_vec **out, ps_error *err)
{
    const struct ArrowArray *values = p->array->dictionary;
    ps_vec *dictionary = NULL, *nulls = NULL;
    int32_t *rows = NULL;
    ps_status rc;
    part q;

    PS_TRY_OR(done, open_part(p->schema->dictionary, values, 0, values ? values->length : 0, &q, err));
    PS_TRY_OR(done, import_part(type, &q, &dictionary, err));
    PS_TRY_OR(done, psi_vec_shell(ps_type_of(PS_NULL), PS_FLAT, p->n, &nulls, err));
    PS_TRY_OR(done, import_valid(p, nulls, err));
    PS_TRY_OR(done, ps_alloc((size_t)p->n * sizeof *rows, &rows, err));
    PS_TRY_OR(done, import_indexes(p, dictionary->n_rows, nulls, rows, err));
    rc = look_up(dictionary, rows, nulls, out, err);
done:
    ps_vec_unref(dictionary);
    ps_vec_unref(nulls);
    ps_free(rows);
    return rc;
}

/* ---- all together ---- */

static ps_status import_part(const ps_type *type, const part *p, ps_vec **out, ps_error *err)
{
    ps_vec *vec;
    ps_status rc;

    *out = NULL;
    if (p->schema->dictionary)
        return import_dictionary(type, p, out, err);
    PS_TRY(ps_vec_new(type, p->n, false, &vec, err));
    if (type->kind != PS_NULL)
        PS_TRY_OR(fail, import_valid(p, vec, err));
    switch (type->kind) {
    case PS_NULL: rc = PS_OK; break;
    case PS_STRING:
    case PS_BINARY: rc = import_text(p, vec, err); break;
    case PS_ARRAY:
    case PS_MAP: rc = import_list(p, vec, err); break;
    case PS_STRUCT: rc = import_fields(type, p, vec, err); break;
    default: rc = import_fixed(p, vec, err); break;
    }
    if (rc != PS_OK)
        goto fail;
    *out = vec;
    return PS_OK;
fail:
    ps_vec_unref(vec);
    return rc;
}

ps_status ps_arrow_import_vec(const struct ArrowSchema *schema, const struct ArrowArray *array, ps_vec **out, ps_error *err)
{
    const ps_type *type;
    ps_status rc;
    part p;

    *out = NULL;
    PS_TRY(ps_arrow_import_type(schema, &type, err));
    if ((rc = open_part(schema, array, 0, array ? array->length : 0, &p, err)) == PS_OK)
        rc = import_part(type, &p, out, err);
    ps_type_unref(type);
    return rc;
}

ps_status ps_arrow_import_batch(const struct ArrowSchema *schema, const struct ArrowArray *array, const ps_type **type,
                                ps_batch **out, ps_error *err)
{
    ps_vec *all;
    ps_status rc;

    *out = NULL;
    if (type)
        *type = NULL;
    PS_TRY(ps_arrow_import_vec(schema, array, &all, err));
    if (all->type->kind != PS_STRUCT || all->shape != PS_FLAT) {
        ps_vec_unref(all);
        return psi_arrow_malformed("a record batch is a struct array", err);
    }
    if ((rc = ps_batch_new(all->n_children, all->n_rows, out, err)) == PS_OK) {
        for (int i = 0; i < all->n_children; i++)
            (*out)->cols[i] = ps_vec_ref(all->children[i]);
        if (type)
            *type = ps_type_ref(all->type);
    }
    ps_vec_unref(all);
    return rc;
}
