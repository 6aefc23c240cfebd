/*
 * fmt/json_write.c - values as JSON, as Spark's generator spells them.
 *
 * A tree of nodes follows the type; binding it to a vector makes a view per node, so a value is found without
 * asking for shapes again.
 */
#include "fmt/json.h"
#include "col/text.h"
#include "fmt/rows_int.h"
#include "fmt/simd_int.h"
#include "fmt/text_int.h"
#include "fmt/times_int.h"
#include "fmt/charset_int.h"
#include <math.h>

typedef struct node node;
struct node {
    const ps_type *type;
    ps_view view;
    node *children;
    int n_children;
    ps_bytes name; /* of a field, quoted, with its colon */
};

struct ps_json_writer {
    node root;
    psi_times times;
    bool ignore_nulls, pretty, ascii;
    ps_bytes text; /* a value that is escaped afterwards */
};

/* ---- strings ---- */

static ps_status put_escaped(const ps_json_writer *w, ps_slice text, ps_bytes *out, ps_error *err);

/* The characters that need no escape, to the first that does. */
static size_t plain_run(ps_slice text)
{
    size_t i = 0;

    for (; i + 16 <= text.n_bytes; i += 16) {
        uint32_t stop = psi_string_stop(psi_load(text.data + i));
        if (stop)
            return i + (size_t)psi_first(stop);
    }
    while (i < text.n_bytes && (uint8_t)text.data[i] >= 0x20 && text.data[i] != '"' && text.data[i] != '\\')
        i++;
    return i;
}

static ps_status put_string(const ps_json_writer *w, ps_slice text, ps_bytes *out, ps_error *err)
{
    char *p;

    if (PS_UNLIKELY(w->ascii || plain_run(text) < text.n_bytes))
        return put_escaped(w, text, out, err);
    PS_TRY(ps_bytes_reserve(out, text.n_bytes + 2, err));
    p = out->data + out->n_bytes;
    *p = '"';
    memcpy(p + 1, text.data, text.n_bytes);
    p[text.n_bytes + 1] = '"';
    out->n_bytes += text.n_bytes + 2;
    return PS_OK;
}

/* \uXXXX, two of them for a character beyond the first plane. */
static ps_status put_code_points(ps_slice text, ps_bytes *out, ps_error *err)
{
    ps_bytes units = {0};
    ps_status rc = psi_encode(PSI_UTF16BE, text, false, &units, err);

    for (size_t i = 0; rc == PS_OK && i + 2 <= units.n_bytes; i += 2)
        rc = ps_bytes_printf(out, err, "\\u%02X%02X", (unsigned)(uint8_t)units.data[i], (unsigned)(uint8_t)units.data[i + 1]);
    ps_bytes_clear(&units);
    return rc;
}

static ps_status put_escaped(const ps_json_writer *w, ps_slice text, ps_bytes *out, ps_error *err)
{
    size_t start, i = 0;

    if (!w->ascii)
        return ps_bytes_json_string(out, text, err);
    PS_TRY(ps_bytes_json_string(out, (ps_slice){"", 0}, err));
    out->n_bytes--; /* the closing quote comes last */
    while (i < text.n_bytes) {
        bool high = (uint8_t)text.data[i] >= 0x80;

        for (start = i; i < text.n_bytes && ((uint8_t)text.data[i] >= 0x80) == high; i++) {}
        if (high) {
            PS_TRY(put_code_points((ps_slice){text.data + start, i - start}, out, err));
        } else {
            size_t at = out->n_bytes;
            PS_TRY(ps_bytes_json_string(out, (ps_slice){text.data + start, i - start}, err));
            memmove(out->data + at, out->data + at + 1, out->n_bytes - at - 2); /* without its quotes */
            out->n_bytes -= 2;
        }
    }
    return ps_bytes_char(out, '"', err);
}

static ps_status put_base64(ps_slice bytes, ps_bytes *out, ps_error *err)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *p;

    PS_TRY(ps_bytes_reserve(out, bytes.n_bytes / 3 * 4 + 6, err));
    p = out->data + out->n_bytes;
    *p++ = '"';
    for (size_t i = 0; i < bytes.n_bytes; i += 3) {
        size_t n = bytes.n_bytes - i < 3 ? bytes.n_bytes - i : 3;
        uint32_t bits = 0;

        for (size_t k = 0; k < 3; k++)
            bits = bits << 8 | (k < n ? (uint8_t)bytes.data[i + k] : 0u);
        *p++ = digits[bits >> 18];
        *p++ = digits[bits >> 12 & 63];
        *p++ = n > 1 ? digits[bits >> 6 & 63] : '=';
        *p++ = n > 2 ? digits[bits & 63] : '=';
    }
    *p++ = '"';
    out->n_bytes = (size_t)(p - out->data);
    return PS_OK;
}

/* ---- scalars ---- */

static ps_status put_double(double value, bool narrow, ps_bytes *out, ps_error *err)
{
    bool quoted = !isfinite(value);
    char *p;

    PS_TRY(ps_bytes_reserve(out, PS_NUMBER_TEXT + 2, err));
    p = out->data + out->n_bytes;
    if (quoted)
        *p++ = '"';
    p += narrow ? ps_format_float((float)value, p) : ps_format_double(value, p);
    if (quoted)
        *p++ = '"';
    out->n_bytes = (size_t)(p - out->data);
    return PS_OK;
}

static int64_t integer_at(const node *nd, int64_t at)
{
    switch (ps_type_width(nd->type)) {
    case 1: return ((const int8_t *)nd->view.data)[at];
    case 2: return ((const int16_t *)nd->view.data)[at];
    case 4: return ((const int32_t *)nd->view.data)[at];
    default: return ((const int64_t *)nd->view.data)[at];
    }
}

static ps_status put_integer(int64_t value, ps_bytes *out, ps_error *err)
{
    PS_TRY(ps_bytes_reserve(out, PS_NUMBER_TEXT, err));
    out->n_bytes += (size_t)ps_format_int64(value, out->data + out->n_bytes);
    return PS_OK;
}

static ps_status put_quoted_time(ps_json_writer *w, const node *nd, int64_t at, ps_bytes *out, ps_error *err)
{
    int64_t value = nd->type->kind == PS_CALENDAR ? 0 : integer_at(nd, at);
    bool pattern = w->times.date || w->times.timestamp || w->times.ntz;
    ps_bytes *to = pattern ? &w->text : out;

    if (pattern) /* letters of a pattern may need escapes */
        ps_bytes_reset(&w->text);
    else
        PS_TRY(ps_bytes_char(out, '"', err));
    switch (nd->type->kind) {
    case PS_DATE: PS_TRY(psi_times_write_date(&w->times, (int32_t)value, to, err)); break;
    case PS_TIMESTAMP: PS_TRY(psi_times_write_timestamp(&w->times, value, to, err)); break;
    case PS_TIMESTAMP_NTZ: PS_TRY(psi_times_write_ntz(&w->times, value, to, err)); break;
    case PS_CALENDAR: PS_TRY(ps_text_of_value(nd->view.base, at, w->times.zone, to, err)); break;
    default: PS_TRY(ps_format_interval(nd->type, value, to, err));
    }
    return pattern ? put_string(w, ps_bytes_slice(&w->text), out, err) : ps_bytes_char(out, '"', err);
}

static ps_status put_decimal(const node *nd, int64_t at, ps_bytes *out, ps_error *err)
{
    PS_TRY(ps_bytes_reserve(out, PSI_DECIMAL_TEXT, err));
    out->n_bytes += (size_t)psi_format_decimal(((const __int128 *)nd->view.data)[at], nd->type->scale,
                                               out->data + out->n_bytes);
    return PS_OK;
}

/* A map's key: numbers and times in the engine's own form, quoted. */
static ps_status put_key(ps_json_writer *w, const node *nd, int64_t row, ps_bytes *out, ps_error *err)
{
    int64_t at = ps_at(&nd->view, row);

    if (ps_kind_is_text(nd->type->kind)) {
        PS_TRY(put_string(w, ps_str_slice((const ps_str *)nd->view.data + at), out, err));
    } else {
        ps_bytes_reset(&w->text);
        if (nd->type->kind == PS_DATE || nd->type->kind == PS_TIMESTAMP || nd->type->kind == PS_TIMESTAMP_NTZ)
            PS_TRY(put_integer(integer_at(nd, at), &w->text, err));
        else
            PS_TRY(ps_text_of_value(nd->view.base, at, w->times.zone, &w->text, err));
        PS_TRY(put_string(w, ps_bytes_slice(&w->text), out, err));
    }
    return ps_bytes_text(out, w->pretty ? " : " : ":", err);
}

/* ---- nested values ---- */

static ps_status put_value(ps_json_writer *w, const node *nd, int64_t row, int depth, ps_bytes *out, ps_error *err);

static ps_status put_indent(int depth, ps_bytes *out, ps_error *err)
{
    PS_TRY(ps_bytes_char(out, '\n', err));
    for (int i = 0; i < depth; i++)
        PS_TRY(ps_bytes_append(out, "  ", 2, err));
    return PS_OK;
}

/* Before a member: the comma, and the line of the pretty form. */
static ps_status put_separator(const ps_json_writer *w, bool first, int depth, ps_bytes *out, ps_error *err)
{
    if (!first)
        PS_TRY(ps_bytes_char(out, ',', err));
    return w->pretty ? put_indent(depth, out, err) : PS_OK;
}

static ps_status put_close(const ps_json_writer *w, bool empty, int depth, char close, ps_bytes *out, ps_error *err)
{
    if (w->pretty)
        PS_TRY(empty ? ps_bytes_char(out, ' ', err) : put_indent(depth, out, err));
    return ps_bytes_char(out, close, err);
}

static ps_status put_struct(ps_json_writer *w, const node *nd, int64_t row, int depth, ps_bytes *out, ps_error *err)
{
    bool first = true;

    PS_TRY(ps_bytes_char(out, '{', err));
    for (int i = 0; i < nd->n_children; i++) {
        const node *child = &nd->children[i];
        bool null = child->type->kind == PS_NULL || ps_view_is_null(&child->view, row);

        if (null && w->ignore_nulls)
            continue;
        PS_TRY(put_separator(w, first, depth + 1, out, err));
        PS_TRY(ps_bytes_append(out, child->name.data, child->name.n_bytes, err));
        PS_TRY(null ? ps_bytes_append(out, "null", 4, err) : put_value(w, child, row, depth + 1, out, err));
        first = false;
    }
    return put_close(w, first, depth, '}', out, err);
}

static ps_status put_array(ps_json_writer *w, const node *nd, ps_span span, int depth, ps_bytes *out, ps_error *err)
{
    PS_TRY(ps_bytes_text(out, w->pretty ? "[ " : "[", err));
    for (uint32_t i = 0; i < span.n; i++) {
        if (i > 0)
            PS_TRY(ps_bytes_text(out, w->pretty ? ", " : ",", err));
        PS_TRY(put_value(w, &nd->children[0], (int64_t)span.start + i, depth, out, err));
    }
    return ps_bytes_text(out, w->pretty && span.n > 0 ? " ]" : "]", err);
}

static ps_status put_map(ps_json_writer *w, const node *nd, ps_span span, int depth, ps_bytes *out, ps_error *err)
{
    PS_TRY(ps_bytes_char(out, '{', err));
    for (uint32_t i = 0; i < span.n; i++) {
        PS_TRY(put_separator(w, i == 0, depth + 1, out, err));
        PS_TRY(put_key(w, &nd->children[0], (int64_t)span.start + i, out, err));
        PS_TRY(put_value(w, &nd->children[1], (int64_t)span.start + i, depth + 1, out, err));
    }
    return put_close(w, span.n == 0, depth, '}', out, err);
}

static ps_status put_value(ps_json_writer *w, const node *nd, int64_t row, int depth, ps_bytes *out, ps_error *err)
{
    int64_t at = ps_at(&nd->view, row);
    const void *data = nd->view.data;

    if (nd->type->kind == PS_NULL || (nd->view.valid && !ps_bit(nd->view.valid, at)))
        return ps_bytes_append(out, "null", 4, err);
    switch (nd->type->kind) {
    case PS_STRING: return put_string(w, ps_str_slice((const ps_str *)data + at), out, err);
    case PS_BINARY: return put_base64(ps_str_slice((const ps_str *)data + at), out, err);
    case PS_BOOL: return ps_bytes_text(out, ((const uint8_t *)data)[at] ? "true" : "false", err);
    case PS_INT8:
    case PS_INT16:
    case PS_INT32:
    case PS_INT64: return put_integer(integer_at(nd, at), out, err);
    case PS_FLOAT: return put_double((double)((const float *)data)[at], true, out, err);
    case PS_DOUBLE: return put_double(((const double *)data)[at], false, out, err);
    case PS_DECIMAL: return put_decimal(nd, at, out, err);
    case PS_ARRAY: return put_array(w, nd, ((const ps_span *)data)[at], depth, out, err);
    case PS_MAP: return put_map(w, nd, ((const ps_span *)data)[at], depth, out, err);
    case PS_STRUCT: return put_struct(w, nd, at, depth, out, err);
    default: return put_quoted_time(w, nd, at, out, err);
    }
}

/* ---- the writer ---- */

static ps_status init_node(const ps_json_writer *w, node *nd, const ps_type *type, ps_error *err)
{
    nd->type = type;
    if (type->n_fields == 0)
        return PS_OK;
    PS_TRY(ps_alloc0((size_t)type->n_fields * sizeof *nd->children, &nd->children, err));
    for (int i = 0; i < type->n_fields; i++) {
        node *child = &nd->children[nd->n_children++];

        if (type->kind == PS_STRUCT) {
            PS_TRY(put_string(w, ps_slice_of(type->fields[i].name), &child->name, err));
            PS_TRY(ps_bytes_text(&child->name, w->pretty ? " : " : ":", err));
        }
        PS_TRY(init_node(w, child, type->fields[i].type, err));
    }
    return PS_OK;
}

static void clear_node(node *nd)
{
    for (int i = 0; i < nd->n_children; i++)
        clear_node(&nd->children[i]);
    ps_free(nd->children);
    ps_bytes_clear(&nd->name);
}

static void bind_node(node *nd, const ps_vec *vec)
{
    ps_view_init(&nd->view, vec);
    for (int i = 0; i < nd->n_children; i++)
        bind_node(&nd->children[i], nd->view.base->children[i]);
}

ps_status ps_json_writer_new(const ps_format_args *args, ps_json_writer **out, ps_error *err)
{
    bool ignore = !args->conf || ps_conf_bool(args->conf, "spark.sql.jsonGenerator.ignoreNullFields");
    ps_json_writer *w;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_alloc0(sizeof *w, &w, err));
    PS_TRY_OR(fail, ps_options_bool(args->options, "ignoreNullFields", ignore, &w->ignore_nulls, err));
    PS_TRY_OR(fail, ps_options_bool(args->options, "pretty", false, &w->pretty, err));
    PS_TRY_OR(fail, ps_options_bool(args->options, "writeNonAsciiCharacterAsCodePoint", false, &w->ascii, err));
    PS_TRY_OR(fail, psi_times_init(&w->times, args, "json", false, err));
    PS_TRY_OR(fail, init_node(w, &w->root, args->schema, err));
    *out = w;
    return PS_OK;
fail:
    ps_json_writer_free(w);
    return rc;
}

void ps_json_writer_free(ps_json_writer *w)
{
    if (!w)
        return;
    clear_node(&w->root);
    psi_fmt_times_clear(&w->times);
    ps_bytes_clear(&w->text);
    ps_free(w);
}

ps_status ps_json_writer_bind(ps_json_writer *w, const ps_vec *vec, ps_error *err)
{
    if (w->root.n_children != vec->type->n_fields)
        return ps_raise(err, PS_E_INTERNAL, "a JSON writer was bound to a vector of another type");
    bind_node(&w->root, vec);
    return PS_OK;
}

ps_status ps_json_write_value(ps_json_writer *w, int64_t row, ps_bytes *out, ps_error *err)
{
    return put_value(w, &w->root, row, 0, out, err);
}

/* ---- files ---- */

typedef struct file_writer {
    ps_writer base;
    ps_json_writer *json;
    psi_output output;
} file_writer;

static ps_status json_begin(ps_writer *writer, ps_bytes *out, ps_error *err)
{
    PS_UNUSED(out);
    PS_UNUSED(err);
    psi_output_begin(&((file_writer *)writer)->output);
    return PS_OK;
}

static ps_status write_rows(file_writer *w, const ps_batch *batch, ps_bytes *out, ps_error *err)
{
    ps_rows rows = ps_batch_live(batch);

    for (int c = 0; c < batch->n_cols; c++)
        bind_node(&w->json->root.children[c], batch->cols[c]);
    for (int64_t j = 0; j < rows.n; j++) {
        PS_TRY(put_struct(w->json, &w->json->root, ps_row(&rows, j), 0, out, err));
        PS_TRY(ps_bytes_append(out, w->output.line_sep.data, w->output.line_sep.n_bytes, err));
    }
    return PS_OK;
}

static ps_status json_write(ps_writer *writer, const ps_batch *batch, ps_bytes *out, ps_error *err)
{
    file_writer *w = (file_writer *)writer;

    PS_TRY(write_rows(w, batch, psi_output_to(&w->output, out), err));
    return psi_output_flush(&w->output, out, err);
}

static ps_status json_end(ps_writer *writer, ps_bytes *out, ps_error *err)
{
    PS_UNUSED(writer);
    PS_UNUSED(out);
    PS_UNUSED(err);
    return PS_OK;
}

static void json_writer_free(ps_writer *writer)
{
    file_writer *w = (file_writer *)writer;

    ps_json_writer_free(w->json);
    psi_output_clear(&w->output);
    ps_free(w);
}

static const ps_writer_vt writer_vt = {json_begin, json_write, json_end, json_writer_free};

ps_status psi_json_writer_new(const ps_format_args *args, ps_writer **out, ps_error *err)
{
    file_writer *w;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_alloc0(sizeof *w, &w, err));
    w->base.vt = &writer_vt;
    PS_TRY_OR(fail, psi_output_init(&w->output, args, "JSONOptions", err));
    PS_TRY_OR(fail, ps_json_writer_new(args, &w->json, err));
    *out = &w->base;
    return PS_OK;
fail:
    json_writer_free(&w->base);
    return rc;
}
