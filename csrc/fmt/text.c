/*
 * fmt/text.c - the text format: a row per line, or per file.
 *
 * Lines are views into the chunk that was read; nothing is copied or decoded.
 */
#include "col/type_text.h"
#include "fmt/input_int.h"
#include "fmt/rows_int.h"
#include "fmt/simd_int.h"
#include "fmt/text_int.h"

/* Spark checks the type first, then the number of columns. */
static ps_status check_schema(const ps_type *schema, ps_error *err)
{
    for (int i = 0; i < schema->n_fields; i++) {
        const ps_field *f = &schema->fields[i];
        if (f->type->kind != PS_STRING)
            return ps_raise(err, PS_E_TYPE_FOR_SOURCE, "text", f->name, ps_type_name(f->type));
    }
    if (schema->n_fields > 1)
        return ps_raise(err, PS_E_TEXT_COLUMNS, schema->n_fields);
    return PS_OK;
}

/* ---- reading ---- */

typedef struct text_reader {
    ps_reader base;
    psi_input input;
    ps_builder *lines; /* NULL: no column is wanted, only the number of rows */
    ps_slice line_sep;
    bool whole;
    int64_t n; /* rows so far */
} text_reader;

static ps_status text_open(ps_reader *reader, ps_fs *fs, const char *path, ps_error *err)
{
    text_reader *r = (text_reader *)reader;

    r->n = 0;
    if (r->lines)
        ps_build_reset(r->lines);
    return psi_input_open(&r->input, fs, path, PSI_UTF8, err);
}

static ps_status add_line(text_reader *r, const char *data, size_t n_bytes, ps_error *err)
{
    if (PS_UNLIKELY(n_bytes > INT32_MAX))
        return ps_raise(err, PS_E_NO_MEMORY, n_bytes);
    if (r->lines)
        PS_TRY(ps_build_view(r->lines, ps_str_make(data, (uint32_t)n_bytes), err));
    r->n++;
    return PS_OK;
}

static ps_status pin(text_reader *r, ps_error *err)
{
    return r->lines ? ps_build_pin(r->lines, r->input.chunk, err) : PS_OK;
}

/* Lines of the whole-line region up to `stop`, as many as the batch takes. */
static ps_status take_lines(text_reader *r, const char *stop, ps_error *err)
{
    const char *p = psi_input_at(&r->input), *end;
    int64_t n = r->n, n_most = stop - p < ps_batch_rows - n ? n + (stop - p) : ps_batch_rows; /* a line has a byte at least */
    ps_str *out = NULL;

    PS_TRY(pin(r, err));
    if (r->lines) {
        PS_TRY(ps_build_reserve(r->lines, n_most - n, err));
        out = (ps_str *)(void *)r->lines->data;
    }
    for (; p < stop && n < n_most; n++) {
        end = psi_find_line_end(p);
        if (PS_UNLIKELY(end - p > INT32_MAX))
            return ps_raise(err, PS_E_NO_MEMORY, (size_t)(end - p));
        if (out)
            ps_str_put(&out[n], p, (uint32_t)(end - p));
        p = end + 1 + (*end == '\r' && end + 1 < stop && end[1] == '\n');
    }
    r->n = n;
    if (r->lines)
        r->lines->n = n;
    r->input.pos = (size_t)((p < stop ? p : stop) - (const char *)r->input.chunk->data);
    return PS_OK;
}

static ps_status fill_batch(text_reader *r, ps_error *err)
{
    const char *stop;
    ps_slice text;
    bool more = true;

    if (r->whole) {
        if (r->input.ended)
            return PS_OK;
        PS_TRY(psi_input_all(&r->input, &text, err));
        if (text.n_bytes == 0)
            return PS_OK;
        PS_TRY(pin(r, err));
        return add_line(r, text.data, text.n_bytes, err);
    }
    while (r->n < ps_batch_rows) {
        if (r->line_sep.n_bytes > 0) {
            PS_TRY(psi_input_record(&r->input, r->line_sep, &text, &more, err));
            if (!more)
                return PS_OK;
            PS_TRY(pin(r, err));
            PS_TRY(add_line(r, text.data, text.n_bytes, err));
            continue;
        }
        PS_TRY(psi_input_lines(&r->input, &stop, err));
        if (!stop || stop == psi_input_at(&r->input))
            return PS_OK;
        PS_TRY(take_lines(r, stop, err));
    }
    return PS_OK;
}

static ps_status text_next(ps_reader *reader, ps_batch **out, ps_error *err)
{
    text_reader *r = (text_reader *)reader;
    ps_status rc;

    *out = NULL;
    rc = fill_batch(r, err);
    if (rc != PS_OK && rc != PS_E_CORRUPT_FILE)
        return rc;
    if (r->n == 0) /* with rows at hand a damaged file's error waits for the next call, which meets it again */
        return rc;
    PS_TRY(ps_batch_new(r->lines ? 1 : 0, r->n, out, err));
    if (r->lines && (rc = ps_build_finish(r->lines, &(*out)->cols[0], err)) != PS_OK) {
        ps_batch_unref(*out);
        *out = NULL;
        return rc;
    }
    r->n = 0;
    return PS_OK;
}

static void text_close(ps_reader *reader)
{
    psi_input_close(&((text_reader *)reader)->input);
}

static void text_free(ps_reader *reader)
{
    text_reader *r = (text_reader *)reader;

    psi_input_clear(&r->input);
    ps_build_free(r->lines);
    ps_free(r);
}

static const ps_reader_vt reader_vt = {text_open, text_next, text_close, text_free, NULL};

static ps_status text_reader_new(const ps_format_args *args, ps_reader **out, ps_error *err)
{
    text_reader *r;
    ps_status rc;

    *out = NULL;
    PS_TRY(check_schema(args->full_schema ? args->full_schema : args->schema, err));
    PS_TRY(ps_alloc0(sizeof *r, &r, err));
    r->base.vt = &reader_vt;
    PS_TRY_OR(fail, psi_line_sep_option(args, &r->line_sep, err));
    PS_TRY_OR(fail, ps_options_bool(args->options, "wholetext", false, &r->whole, err));
    if (args->schema->n_fields > 0)
        PS_TRY_OR(fail, ps_build_new(args->schema->fields[0].type, 0, &r->lines, err));
    *out = &r->base;
    return PS_OK;
fail:
    text_free(&r->base);
    return rc;
}

/* ---- writing ---- */

typedef struct text_writer {
    ps_writer base;
    psi_output output;
} text_writer;

static ps_status text_begin(ps_writer *writer, ps_bytes *out, ps_error *err)
{
    PS_UNUSED(out);
    PS_UNUSED(err);
    psi_output_begin(&((text_writer *)writer)->output);
    return PS_OK;
}

static ps_status write_lines(const text_writer *w, const ps_batch *batch, ps_bytes *out, ps_error *err)
{
    ps_rows rows = ps_batch_live(batch);
    ps_view view;

    ps_view_init(&view, batch->cols[0]);
    for (int64_t j = 0; j < rows.n; j++) {
        int64_t i = ps_row(&rows, j);
        if (!ps_view_is_null(&view, i)) {
            const ps_str *s = (const ps_str *)view.data + ps_at(&view, i);
            PS_TRY(ps_bytes_append(out, ps_str_data(s), s->n_bytes, err));
        }
        PS_TRY(ps_bytes_append(out, w->output.line_sep.data, w->output.line_sep.n_bytes, err));
    }
    return PS_OK;
}

static ps_status text_write(ps_writer *writer, const ps_batch *batch, ps_bytes *out, ps_error *err)
{
    text_writer *w = (text_writer *)writer;

    PS_TRY(write_lines(w, batch, psi_output_to(&w->output, out), err));
    return psi_output_flush(&w->output, out, err);
}

static ps_status text_end(ps_writer *writer, ps_bytes *out, ps_error *err)
{
    PS_UNUSED(writer);
    PS_UNUSED(out);
    PS_UNUSED(err);
    return PS_OK;
}

static void text_writer_free(ps_writer *writer)
{
    text_writer *w = (text_writer *)writer;

    psi_output_clear(&w->output);
    ps_free(w);
}

static const ps_writer_vt writer_vt = {text_begin, text_write, text_end, text_writer_free};

static ps_status text_writer_new(const ps_format_args *args, ps_writer **out, ps_error *err)
{
    text_writer *w;
    ps_status rc;

    *out = NULL;
    PS_TRY(check_schema(args->schema, err));
    if (args->schema->n_fields == 0)
        return ps_raise(err, PS_E_TEXT_COLUMNS, 0);
    PS_TRY(ps_alloc0(sizeof *w, &w, err));
    w->base.vt = &writer_vt;
    if ((rc = psi_output_init(&w->output, args, "TextOptions", err)) != PS_OK) {
        text_writer_free(&w->base);
        return rc;
    }
    *out = &w->base;
    return PS_OK;
}

const ps_format psi_format_text = {
    .name = "text",
    .extension = ".txt",
    .reader_new = text_reader_new,
    .writer_new = text_writer_new,
};
