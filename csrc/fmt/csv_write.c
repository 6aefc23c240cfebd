/*
 * fmt/csv_write.c - rows as CSV, quoted and trimmed as Spark's writer (uniVocity) does.
 */
#include "fmt/csv.h"
#include "col/text.h"
#include "fmt/csv_int.h"
#include "fmt/text_int.h"

typedef enum binary_style { BY_HEX_DISCRETE, BY_HEX, BY_BASIC, BY_BASE64, BY_UTF8 } binary_style;

struct ps_csv_writer {
    psi_csv_options opt;
    const ps_type *schema;  /* owned */
    ps_view *views;         /* of the fields */
    ps_view row_view;       /* of the structs themselves */
    bool special[256];      /* bytes that make a value look twice */
    binary_style binary;
    ps_bytes text;          /* one value, before it is quoted */
};

/* ---- values as text ---- */

static ps_status put_binary(binary_style style, ps_slice bytes, ps_bytes *out, ps_error *err)
{
    static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    if (style == BY_UTF8)
        return ps_utf8_repair(bytes, out, err);
    if (style == BY_BASE64) {
        for (size_t i = 0; i < bytes.n_bytes; i += 3) {
            size_t n = bytes.n_bytes - i;
            uint32_t bits = (uint32_t)(uint8_t)bytes.data[i] << 16 | (n > 1 ? (uint32_t)(uint8_t)bytes.data[i + 1] << 8 : 0) |
                            (n > 2 ? (uint8_t)bytes.data[i + 2] : 0u);
            char four[4] = {base64[bits >> 18], base64[bits >> 12 & 63], n > 1 ? base64[bits >> 6 & 63] : '=',
                            n > 2 ? base64[bits & 63] : '='};
            PS_TRY(ps_bytes_append(out, four, 4, err));
        }
        return PS_OK;
    }
    if (style != BY_HEX)
        PS_TRY(ps_bytes_char(out, '[', err));
    for (size_t i = 0; i < bytes.n_bytes; i++) {
        if (i > 0 && style != BY_HEX)
            PS_TRY(ps_bytes_text(out, style == BY_BASIC ? ", " : " ", err));
        if (style == BY_BASIC)
            PS_TRY(ps_bytes_printf(out, err, "%d", (int)(int8_t)bytes.data[i]));
        else
            PS_TRY(ps_bytes_printf(out, err, "%02X", (unsigned)(uint8_t)bytes.data[i]));
    }
    return style == BY_HEX ? PS_OK : ps_bytes_char(out, ']', err);
}

static ps_status put_text_of(ps_csv_writer *w, const ps_type *type, const ps_view *view, int64_t row, ps_bytes *out,
                             ps_error *err);

/* Behind a comma or an arrow: a blank and the value; nothing for NULL, unless nullValue was given. */
static ps_status put_inner(ps_csv_writer *w, const ps_type *type, const ps_vec *vec, int64_t row, bool blank, ps_bytes *out,
                           ps_error *err)
{
    ps_view view;
    bool null;

    ps_view_init(&view, vec);
    null = type->kind == PS_NULL || ps_view_is_null(&view, row);
    if (null && !w->opt.null_given)
        return PS_OK;
    if (blank)
        PS_TRY(ps_bytes_char(out, ' ', err));
    if (null)
        return ps_bytes_append(out, w->opt.null_value.data, w->opt.null_value.n_bytes, err);
    return put_text_of(w, type, &view, row, out, err);
}

static ps_status put_nested(ps_csv_writer *w, const ps_type *type, const ps_view *view, int64_t at, ps_bytes *out,
                            ps_error *err)
{
    bool list = type->kind == PS_ARRAY;
    ps_span span = type->kind == PS_STRUCT ? (ps_span){(uint32_t)at, (uint32_t)type->n_fields}
                                           : ((const ps_span *)view->data)[at];

    PS_TRY(ps_bytes_char(out, list ? '[' : '{', err));
    for (uint32_t i = 0; i < span.n; i++) {
        int64_t row = type->kind == PS_STRUCT ? at : (int64_t)span.start + i;
        int field = type->kind == PS_STRUCT ? (int)i : 0;

        if (i > 0)
            PS_TRY(ps_bytes_char(out, ',', err));
        PS_TRY(put_inner(w, type->fields[field].type, view->base->children[field], row, i > 0, out, err));
        if (type->kind == PS_MAP) {
            PS_TRY(ps_bytes_text(out, " ->", err));
            PS_TRY(put_inner(w, type->fields[1].type, view->base->children[1], row, true, out, err));
        }
    }
    return ps_bytes_char(out, list ? ']' : '}', err);
}

static int64_t integer_at(const ps_type *type, const void *data, int64_t at)
{
    switch (ps_type_width(type)) {
    case 1: return ((const int8_t *)data)[at];
    case 2: return ((const int16_t *)data)[at];
    case 4: return ((const int32_t *)data)[at];
    default: return ((const int64_t *)data)[at];
    }
}

/* Row `row`, which is not NULL. */
static ps_status put_text_of(ps_csv_writer *w, const ps_type *type, const ps_view *view, int64_t row, ps_bytes *out,
                             ps_error *err)
{
    int64_t at = ps_at(view, row);
    const void *data = view->data;
    char *p;

    PS_TRY(ps_bytes_reserve(out, PSI_DECIMAL_TEXT, err));
    p = out->data + out->n_bytes;
    switch (type->kind) {
    case PS_STRING: return ps_bytes_append(out, ps_str_data((const ps_str *)data + at), ((const ps_str *)data)[at].n_bytes, err);
    case PS_BINARY: return put_binary(w->binary, ps_str_slice((const ps_str *)data + at), out, err);
    case PS_BOOL: return ps_bytes_text(out, ((const uint8_t *)data)[at] ? "true" : "false", err);
    case PS_INT8:
    case PS_INT16:
    case PS_INT32:
    case PS_INT64: out->n_bytes += (size_t)ps_format_int64(integer_at(type, data, at), p); return PS_OK;
    case PS_FLOAT: out->n_bytes += (size_t)ps_format_float(((const float *)data)[at], p); return PS_OK;
    case PS_DOUBLE: out->n_bytes += (size_t)ps_format_double(((const double *)data)[at], p); return PS_OK;
    case PS_DECIMAL: out->n_bytes += (size_t)psi_format_decimal(((const __int128 *)data)[at], type->scale, p); return PS_OK;
    case PS_DATE: return psi_times_write_date(&w->opt.times, ((const int32_t *)data)[at], out, err);
    case PS_TIMESTAMP: return psi_times_write_timestamp(&w->opt.times, ((const int64_t *)data)[at], out, err);
    case PS_TIMESTAMP_NTZ: return psi_times_write_ntz(&w->opt.times, ((const int64_t *)data)[at], out, err);
    case PS_DAYTIME:
    case PS_YEARMONTH: return ps_format_interval(type, integer_at(type, data, at), out, err);
    case PS_CALENDAR: return ps_text_of_value(view->base, at, w->opt.times.zone, out, err);
    default: return put_nested(w, type, view, at, out, err);
    }
}

/* ---- fields ---- */

static bool is_blank(char c)
{
    return (uint8_t)c <= ' ';
}

static ps_slice trimmed(const psi_csv_options *opt, ps_slice s)
{
    for (; opt->trim_left && s.n_bytes > 0 && is_blank(s.data[0]); s.n_bytes--)
        s.data++;
    while (opt->trim_right && s.n_bytes > 0 && is_blank(s.data[s.n_bytes - 1]))
        s.n_bytes--;
    return s;
}

static bool has_sep(const psi_csv_options *opt, ps_slice s, size_t at)
{
    return s.n_bytes - at >= (size_t)opt->n_sep && memcmp(s.data + at, opt->sep, (size_t)opt->n_sep) == 0;
}

static bool needs_quotes(const ps_csv_writer *w, ps_slice s, bool first)
{
    const psi_csv_options *opt = &w->opt;

    if (opt->quote_all || (s.n_bytes > 0 && (s.data[0] == opt->quote || (first && opt->comment && s.data[0] == opt->comment))))
        return true;
    for (size_t i = 0; i < s.n_bytes; i++) {
        char c = s.data[i];
        if (PS_LIKELY(!w->special[(uint8_t)c]))
            continue;
        if (c == '\n' || c == '\r' || (opt->escape_quotes && c == opt->quote) || has_sep(opt, s, i))
            return true;
        if (opt->line_sep.n_bytes > 0 && memchr(opt->line_sep.data, c, opt->line_sep.n_bytes))
            return true;
    }
    return false;
}

static ps_status put_quoted(const psi_csv_options *opt, ps_slice s, ps_bytes *out, ps_error *err)
{
    char *p;

    PS_TRY(ps_bytes_reserve(out, s.n_bytes * 2 + 2, err));
    p = out->data + out->n_bytes;
    *p++ = opt->quote;
    for (size_t i = 0; i < s.n_bytes; i++) {
        if (s.data[i] == opt->quote)
            *p++ = opt->escape;
        else if (s.data[i] == opt->escape && opt->escape_escape)
            *p++ = opt->escape_escape;
        *p++ = s.data[i];
    }
    *p++ = opt->quote;
    out->n_bytes = (size_t)(p - out->data);
    return PS_OK;
}

/* A value that stands for NULL or for an empty text (`stand_in`), or any other. */
static ps_status put_field(const ps_csv_writer *w, ps_slice s, bool stand_in, bool first, ps_bytes *out, ps_error *err)
{
    const psi_csv_options *opt = &w->opt;

    s = trimmed(opt, s);
    if (s.n_bytes == 0 && !stand_in) {
        s = trimmed(opt, opt->empty_value);
        stand_in = true;
    }
    if (!needs_quotes(w, s, first))
        return ps_bytes_append(out, s.data, s.n_bytes, err);
    if (stand_in && s.n_bytes >= 2 && s.data[0] == opt->quote && s.data[s.n_bytes - 1] == opt->quote)
        return ps_bytes_append(out, s.data, s.n_bytes, err); /* quoted as it is */
    return put_quoted(opt, s, out, err);
}

ps_status ps_csv_write_row(ps_csv_writer *w, int64_t row, ps_bytes *out, ps_error *err)
{
    row = ps_at(&w->row_view, row);
    for (int i = 0; i < w->schema->n_fields; i++) {
        const ps_type *type = w->schema->fields[i].type;
        const ps_view *view = &w->views[i];

        if (i > 0)
            PS_TRY(ps_bytes_append(out, w->opt.sep, (size_t)w->opt.n_sep, err));
        if (type->kind == PS_NULL || ps_view_is_null(view, row)) {
            PS_TRY(put_field(w, w->opt.null_value, true, i == 0, out, err));
        } else if (type->kind == PS_STRING) {
            PS_TRY(put_field(w, ps_str_slice((const ps_str *)view->data + ps_at(view, row)), false, i == 0, out, err));
        } else {
            ps_bytes_reset(&w->text);
            PS_TRY(put_text_of(w, type, view, row, &w->text, err));
            PS_TRY(put_field(w, ps_bytes_slice(&w->text), false, i == 0, out, err));
        }
    }
    return PS_OK;
}

static ps_status put_names(const ps_csv_writer *w, ps_bytes *out, ps_error *err)
{
    for (int i = 0; i < w->schema->n_fields; i++) {
        if (i > 0)
            PS_TRY(ps_bytes_append(out, w->opt.sep, (size_t)w->opt.n_sep, err));
        PS_TRY(put_field(w, ps_slice_of(w->schema->fields[i].name), false, i == 0, out, err));
    }
    return PS_OK;
}

/* ---- the writer ---- */

static void mark_special(ps_csv_writer *w)
{
    const psi_csv_options *opt = &w->opt;

    w->special['\n'] = w->special['\r'] = true;
    w->special[(uint8_t)opt->sep[0]] = true;
    if (opt->quote)
        w->special[(uint8_t)opt->quote] = true;
    for (size_t i = 0; i < opt->line_sep.n_bytes; i++)
        w->special[(uint8_t)opt->line_sep.data[i]] = true;
}

static binary_style style_of(const ps_conf *conf)
{
    static const struct { const char *name; binary_style style; } styles[] = {
        {"HEX", BY_HEX}, {"BASIC", BY_BASIC}, {"BASE64", BY_BASE64}, {"UTF8", BY_UTF8}, {"UTF-8", BY_UTF8},
    };
    const char *name = conf ? ps_conf_get(conf, "spark.sql.binaryOutputStyle") : NULL;

    for (size_t i = 0; name && i < PS_COUNT_OF(styles); i++)
        if (ps_stricmp(name, styles[i].name) == 0)
            return styles[i].style;
    return BY_HEX_DISCRETE;
}

ps_status ps_csv_writer_new(const ps_format_args *args, ps_csv_writer **out, ps_error *err)
{
    ps_csv_writer *w;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_alloc0(sizeof *w, &w, err));
    w->schema = ps_type_ref(args->schema);
    w->row_view.mask = -1;
    w->binary = style_of(args->conf);
    PS_TRY_OR(fail, ps_alloc0((size_t)w->schema->n_fields * sizeof *w->views, &w->views, err));
    PS_TRY_OR(fail, psi_csv_options_init(&w->opt, args, false, err));
    mark_special(w);
    *out = w;
    return PS_OK;
fail:
    ps_csv_writer_free(w);
    return rc;
}

void ps_csv_writer_free(ps_csv_writer *w)
{
    if (!w)
        return;
    psi_csv_options_clear(&w->opt);
    ps_bytes_clear(&w->text);
    ps_free(w->views);
    ps_type_unref(w->schema);
    ps_free(w);
}

ps_status ps_csv_writer_bind(ps_csv_writer *w, const ps_vec *vec, ps_error *err)
{
    if (vec->type->kind != PS_STRUCT || vec->type->n_fields != w->schema->n_fields)
        return ps_raise(err, PS_E_INTERNAL, "a CSV writer was bound to a vector of another type");
    ps_view_init(&w->row_view, vec);
    for (int i = 0; i < w->schema->n_fields; i++)
        ps_view_init(&w->views[i], w->row_view.base->children[i]);
    return PS_OK;
}

/* ---- files ---- */

typedef struct file_writer {
    ps_writer base;
    ps_csv_writer *csv;
    psi_output output;
} file_writer;

static ps_status csv_begin(ps_writer *writer, ps_bytes *out, ps_error *err)
{
    file_writer *w = (file_writer *)writer;
    ps_bytes *to;

    psi_output_begin(&w->output);
    if (!w->csv->opt.header)
        return PS_OK;
    to = psi_output_to(&w->output, out);
    PS_TRY(put_names(w->csv, to, err));
    PS_TRY(ps_bytes_append(to, w->output.line_sep.data, w->output.line_sep.n_bytes, err));
    return psi_output_flush(&w->output, out, err);
}

static ps_status csv_write(ps_writer *writer, const ps_batch *batch, ps_bytes *out, ps_error *err)
{
    file_writer *w = (file_writer *)writer;
    ps_bytes *to = psi_output_to(&w->output, out);
    ps_rows rows = ps_batch_live(batch);

    for (int i = 0; i < batch->n_cols; i++)
        ps_view_init(&w->csv->views[i], batch->cols[i]);
    for (int64_t j = 0; j < rows.n; j++) {
        PS_TRY(ps_csv_write_row(w->csv, ps_row(&rows, j), to, err));
        PS_TRY(ps_bytes_append(to, w->output.line_sep.data, w->output.line_sep.n_bytes, err));
    }
    return psi_output_flush(&w->output, out, err);
}

static ps_status csv_end(ps_writer *writer, ps_bytes *out, ps_error *err)
{
    PS_UNUSED(writer);
    PS_UNUSED(out);
    PS_UNUSED(err);
    return PS_OK;
}

static void csv_writer_free(ps_writer *writer)
{
    file_writer *w = (file_writer *)writer;

    ps_csv_writer_free(w->csv);
    psi_output_clear(&w->output);
    ps_free(w);
}

static const ps_writer_vt writer_vt = {csv_begin, csv_write, csv_end, csv_writer_free};

ps_status psi_csv_writer_new(const ps_format_args *args, ps_writer **out, ps_error *err)
{
    file_writer *w;
    ps_status rc;

    *out = NULL;
    PS_TRY(psi_csv_check_types(args->schema, err));
    PS_TRY(ps_alloc0(sizeof *w, &w, err));
    w->base.vt = &writer_vt;
    PS_TRY_OR(fail, psi_output_init(&w->output, args, "CSVOptions", err));
    PS_TRY_OR(fail, ps_csv_writer_new(args, &w->csv, err));
    *out = &w->base;
    return PS_OK;
fail:
    csv_writer_free(&w->base);
    return rc;
}
