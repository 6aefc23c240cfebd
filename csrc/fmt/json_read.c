/*
 * fmt/json_read.c - the JSON reader: files of records, and columns of texts.
 *
 * A record that looks like its neighbours is read by json_fast.c, everything else by the strict parser; both
 * append to the same builders.  Strings without escapes are views of the chunk, which the columns pin.
 */
#include "fmt/json_int.h"
#include "col/type_text.h"
#include "fmt/simd_int.h"

typedef struct json_reader {
    ps_reader base;
    psi_json_options opt;
    psi_rows rows;
    psi_input input;
    psi_json json;
    psi_json_fast fast;
    psi_json_node root;       /* the columns; or the one value, when a text is an array or a map */
    ps_builder *value;        /* of that value, else NULL */
    ps_builder **views;       /* builders whose strings point into the chunk */
    int n_views, views_capacity;
    ps_slice line_sep;
    psi_charset charset;
    bool multi_line, detect, arrays; /* arrays: a record may be an array of objects */
    ps_buf *decoded;          /* a document of another encoding */
} json_reader;

/* ---- one record by the strict parser ---- */

/* The objects of an array, a row each. */
static int array_of_objects(json_reader *r, int64_t *n, ps_error *err)
{
    psi_json *j = &r->json;
    bool more;
    int rc;

    j->at++;
    if (psi_json_blanks(j) != PS_OK)
        return PSI_SYNTAX;
    more = !psi_json_is(j, ']');
    while (more) {
        if (!psi_json_is(j, '{'))
            return PSI_SYNTAX;
        if ((rc = psi_json_object(j, &r->root, *n, err)) != PS_OK)
            return rc;
        ++*n;
        if (psi_json_next(j, ']', &more) != PS_OK)
            return PSI_SYNTAX;
    }
    return PS_OK;
}

/* Appends the rows of the record; *n goes up by their number. */
static int one_record(json_reader *r, int64_t *n, ps_error *err)
{
    psi_json *j = &r->json;
    int rc;

    if (psi_json_is(j, '{')) {
        if ((rc = psi_json_object(j, &r->root, *n, err)) == PS_OK)
            ++*n;
        return rc;
    }
    return r->arrays && psi_json_is(j, '[') ? array_of_objects(r, n, err) : PSI_SYNTAX;
}

/* A record between strict bounds, good or bad.  *blank: there was nothing but blanks. */
static ps_status strict_record(json_reader *r, const char *p, const char *end, bool *blank, ps_error *err)
{
    int64_t n = r->rows.n;
    ps_slice text = {p, (size_t)(end - p)};
    int rc;

    psi_json_start(&r->json, p, end);
    rc = psi_json_blanks(&r->json);
    *blank = rc == PS_OK && r->json.at == end;
    if (*blank)
        return PS_OK;
    if (rc == PS_OK)
        rc = one_record(r, &n, err);
    if (rc > PS_OK)
        return rc;
    if (rc != PS_OK) {
        psi_rows_pop(&r->rows, r->rows.n);
        return psi_rows_bad(&r->rows, r->rows.n, text, err);
    }
    return r->json.bad ? psi_rows_bad(&r->rows, n, text, err) : psi_rows_good(&r->rows, n, err);
}

/* The record between p and `end` the long way; a good object is learned from when it is time. */
static ps_status long_way(json_reader *r, const char *p, const char *end, bool *blank, ps_error *err)
{
    int64_t n = r->rows.n;

    PS_TRY(strict_record(r, p, end, blank, err));
    if (*p != '{' || r->rows.n != n + 1 || r->json.bad || !psi_json_fast_wants(&r->fast))
        return PS_OK;
    return psi_json_fast_learn(&r->fast, &r->json, &r->root, p, end, err);
}

/* The same by the short cut where that can be. */
static ps_status record(json_reader *r, const char *p, const char *end, bool *blank, ps_error *err)
{
    int64_t n = r->rows.n;

    *blank = false;
    if (PS_UNLIKELY(psi_json_fast_wants(&r->fast) || !psi_json_fast_record(&r->fast, &r->json, &r->root, p, end, n)))
        return long_way(r, p, end, blank, err);
    return psi_rows_good(&r->rows, n + 1, err);
}

/* ---- files ---- */

static ps_status pin_chunk(json_reader *r, ps_buf *chunk, ps_error *err)
{
    for (int i = 0; i < r->n_views; i++)
        PS_TRY(ps_build_pin(r->views[i], chunk, err));
    return PS_OK;
}

/* Records of the whole-line region up to `stop`, as many as the batch takes. */
static ps_status take_lines(json_reader *r, const char *stop, ps_error *err)
{
    psi_input *in = &r->input;
    const char *p = psi_input_at(in);
    ps_status rc = PS_OK;
    bool blank;

    PS_TRY(pin_chunk(r, in->chunk, err));
    PS_TRY(psi_rows_reserve(&r->rows, (size_t)(stop - p), err));
    while (rc == PS_OK && p < stop && !psi_rows_full(&r->rows)) {
        int64_t n = r->rows.n + psi_json_lines(&r->fast, &r->json, &r->root, &p, stop, r->rows.n);

        rc = psi_rows_good(&r->rows, n, err);
        if (rc == PS_OK && p < stop && !psi_rows_full(&r->rows)) {
            const char *end = psi_find_line_end(p);
            rc = long_way(r, p, end, &blank, err);
            p = end + 1; /* between CR and LF there is an empty line, which is no record */
        }
    }
    in->pos = (size_t)((p < stop ? p : stop) - (const char *)in->chunk->data);
    return rc;
}

static ps_status fill_from_lines(json_reader *r, ps_error *err)
{
    const char *stop;
    ps_slice text;
    bool more, blank;

    while (!psi_rows_full(&r->rows)) {
        if (r->line_sep.n_bytes == 0) {
            PS_TRY(psi_input_lines(&r->input, &stop, err));
            if (!stop || stop == psi_input_at(&r->input))
                return PS_OK;
            PS_TRY(take_lines(r, stop, err));
            continue;
        }
        PS_TRY(psi_input_record(&r->input, r->line_sep, &text, &more, err));
        if (!more)
            return PS_OK;
        PS_TRY(pin_chunk(r, r->input.chunk, err));
        PS_TRY(record(r, text.data, text.data + text.n_bytes, &blank, err));
    }
    return PS_OK;
}

static ps_status decode_document(json_reader *r, psi_charset charset, ps_slice *text, ps_error *err)
{
    psi_decoder decoder = {.charset = charset};
    size_t n_used;

    ps_buf_unref(r->decoded);
    r->decoded = NULL;
    if (text->n_bytes > SIZE_MAX / 8)
        return ps_raise(err, PS_E_NO_MEMORY, text->n_bytes);
    PS_TRY(ps_buf_new(text->n_bytes * PSI_DECODE_GROWTH + 8, &r->decoded, err));
    text->n_bytes = psi_decode(&decoder, text->data, text->n_bytes, true, (char *)r->decoded->data, &n_used);
    text->data = (const char *)r->decoded->data;
    return pin_chunk(r, r->decoded, err);
}

/* multiLine: the file is one record. */
static ps_status fill_from_document(json_reader *r, ps_error *err)
{
    psi_charset charset = PSI_UTF8;
    ps_slice text;
    bool blank;

    if (r->input.ended)
        return PS_OK;
    PS_TRY(psi_input_all(&r->input, &text, err));
    if (r->detect)
        charset = psi_charset_detect(text.data, text.n_bytes);
    if (charset != PSI_UTF8)
        PS_TRY(decode_document(r, charset, &text, err));
    else if (r->input.chunk)
        PS_TRY(pin_chunk(r, r->input.chunk, err));
    return strict_record(r, text.data, text.data + text.n_bytes, &blank, err);
}

static ps_status json_open(ps_reader *reader, ps_fs *fs, const char *path, ps_error *err)
{
    json_reader *r = (json_reader *)reader;

    if (r->rows.n_cols == 1 && r->rows.corrupt == 0)
        return ps_raise(err, PS_E_CORRUPT_COLUMN_ONLY, r->rows.schema->fields[0].name);
    psi_rows_forget(&r->rows);
    r->json.shared = r->arrays = true;
    return psi_input_open(&r->input, fs, path, r->charset, err);
}

static ps_status json_next(ps_reader *reader, ps_batch **out, ps_error *err)
{
    json_reader *r = (json_reader *)reader;
    ps_status rc = PS_OK;

    *out = NULL;
    if (!r->rows.big) {
        rc = r->multi_line ? fill_from_document(r, err) : fill_from_lines(r, err);
        if (rc != PS_OK && (r->rows.n == 0 || rc != PS_E_CORRUPT_FILE))
            return rc;
    } /* with rows at hand a damaged file's error waits for the next call, which meets it again */
    return psi_rows_take(&r->rows, out, err);
}

static void json_close(ps_reader *reader)
{
    json_reader *r = (json_reader *)reader;

    psi_input_close(&r->input);
    ps_buf_unref(r->decoded);
    r->decoded = NULL;
}

static void json_free(ps_reader *reader)
{
    json_reader *r = (json_reader *)reader;

    json_close(reader);
    psi_input_clear(&r->input);
    psi_json_node_clear(&r->root);
    psi_json_fast_clear(&r->fast);
    psi_rows_clear(&r->rows);
    psi_json_options_clear(&r->opt);
    ps_build_free(r->value);
    ps_bytes_clear(&r->json.text);
    ps_bytes_clear(&r->json.name);
    ps_free(r->views);
    ps_free(r);
}

/* ---- columns of texts (from_json) ---- */

/* The array or map of one text, NULL when there is none. */
static ps_status one_value(json_reader *r, const char *p, const char *end, ps_error *err)
{
    psi_json *j = &r->json;
    int64_t row = r->value->n;
    int rc;

    psi_json_start(j, p, end);
    rc = psi_json_blanks(j);
    if (rc == PS_OK && r->root.type->kind == PS_ARRAY && psi_json_is(j, '{') &&
        r->root.type->fields[0].type->kind == PS_STRUCT) { /* an object is an array of one */
        PS_TRY(ps_build_list(r->value, 0, err));
        rc = psi_json_value(j, &r->root.children[0], err);
        if (rc == PS_OK)
            ps_build_list_end(r->value);
    } else if (rc == PS_OK) {
        rc = psi_json_value(j, &r->root, err);
    }
    if (rc > PS_OK)
        return rc;
    if (rc != PS_OK || (j->bad && r->rows.mode == PSI_FAILFAST)) {
        ps_build_pop(r->value, row);
        if (r->rows.mode == PSI_FAILFAST && p < end)
            return ps_raise(err, PS_E_MALFORMED_RECORD, "[null]");
        return ps_build_null(r->value, err);
    }
    return PS_OK;
}

/* A struct of one text.  No text, or nothing but blanks, is a NULL struct: *null. */
static ps_status one_struct(json_reader *r, const char *p, const char *end, bool absent, bool *null, ps_error *err)
{
    *null = absent;
    if (!absent)
        PS_TRY(record(r, p, end, null, err));
    if (*null) {
        int64_t n = r->rows.n;
        PS_TRY(psi_rows_fill(&r->rows, n, err));
        PS_TRY(psi_rows_good(&r->rows, n + 1, err));
    }
    return PS_OK;
}

/* Structs of the first of the live texts from the kth on, whose bytes begin at *p; *n of them, perhaps none. */
static ps_status some_structs(json_reader *r, const ps_view *view, const ps_rows *rows, int64_t k, const char **p, int *n, ps_error *err)
{
    const char *at[PSI_BLOCK_ROWS], *ends[PSI_BLOCK_ROWS], *next = *p;
    int n_texts = 0, most = psi_json_block_size(&r->fast);

    for (; n_texts < most && k + n_texts < rows->n; n_texts++) {
        int64_t i = ps_row(rows, k + n_texts);

        if (ps_view_is_null(view, i))
            break;
        at[n_texts] = next;
        ends[n_texts] = next + ((const ps_str *)view->data)[ps_at(view, i)].n_bytes;
        next = ends[n_texts] + 1;
    }
    *n = psi_json_texts(&r->fast, &r->json, &r->root, at, ends, n_texts, r->rows.n);
    if (*n > 0)
        *p = ends[*n - 1] + 1;
    return psi_rows_good(&r->rows, r->rows.n + *n, err);
}

static ps_status each_text(json_reader *r, const ps_view *view, const ps_rows *rows, const char *p, uint64_t *valid,
                           ps_error *err)
{
    int64_t k = 0;

    while (k < rows->n) {
        int64_t i = ps_row(rows, k);
        bool absent = ps_view_is_null(view, i), null = false;
        const char *end;
        int n = 0;

        if (!r->value)
            PS_TRY(some_structs(r, view, rows, k, &p, &n, err));
        k += n;
        if (n > 0)
            continue;
        end = absent ? p : p + ((const ps_str *)view->data)[ps_at(view, i)].n_bytes;
        if (r->value && absent)
            PS_TRY(ps_build_null(r->value, err));
        else if (r->value)
            PS_TRY(one_value(r, p, end, err));
        else
            PS_TRY(one_struct(r, p, end, absent, &null, err));
        if (null)
            ps_bit_clear(valid, k);
        if (!absent)
            p = end + 1;
        k++;
    }
    return PS_OK;
}

/* The columns of the rows as the fields of a struct. */
static ps_status finish_struct(json_reader *r, ps_vec *vec, ps_error *err)
{
    ps_vec *child;

    for (int i = 0; i < r->rows.n_cols; i++) {
        PS_TRY(ps_build_finish(r->rows.cols[i], &child, err));
        PS_TRY(ps_vec_add_child(vec, child, err));
    }
    r->rows.n = 0;
    return PS_OK;
}

/* One value per live row. */
static ps_status parse_live(json_reader *r, ps_vec *text, const ps_rows *rows, ps_vec **out, ps_error *err)
{
    ps_buf *texts = NULL;
    const char *start;
    ps_vec *vec = NULL;
    ps_view view;
    ps_status rc;

    ps_view_init(&view, text);
    PS_TRY_OR(done, psi_rows_gather(text, rows, "\n", &texts, &start, err));
    PS_TRY_OR(done, pin_chunk(r, texts, err));
    if (!r->value) {
        PS_TRY_OR(done, ps_vec_new(r->rows.schema, rows->n, true, &vec, err));
        for (int i = 0; i < r->rows.n_cols; i++)
            PS_TRY_OR(done, ps_build_reserve(r->rows.cols[i], rows->n, err));
    }
    PS_TRY_OR(done, each_text(r, &view, rows, start, vec ? vec->valid : NULL, err));
    PS_TRY_OR(done, vec ? finish_struct(r, vec, err) : ps_build_finish(r->value, &vec, err));
    *out = vec;
    vec = NULL;
done:
    ps_vec_unref(vec);
    ps_buf_unref(texts);
    if (rc != PS_OK) {
        psi_rows_forget(&r->rows);
        if (r->value)
            ps_build_reset(r->value);
    }
    return rc;
}

static ps_status json_parse(ps_reader *reader, ps_vec *text, const ps_rows *rows, ps_vec **out, ps_error *err)
{
    json_reader *r = (json_reader *)reader;
    ps_vec *live;

    *out = NULL;
    r->arrays = r->opt.exact = false;
    r->json.shared = true;
    if (r->rows.mode == PSI_DROPMALFORMED)
        r->rows.mode = PSI_PERMISSIVE;
    PS_TRY(parse_live(r, text, rows, &live, err));
    return psi_rows_spread(live, rows, out, err);
}

/* ---- making one ---- */

static const ps_reader_vt reader_vt = {json_open, json_next, json_close, json_free, json_parse};

static ps_status check_map_keys(const ps_type *type, const ps_type *whole, ps_error *err)
{
    if (type->kind == PS_MAP && type->fields[0].type->kind != PS_STRING)
        return ps_raise(err, PS_E_JSON_MAP_KEY, ps_type_name(whole));
    for (int i = 0; i < type->n_fields; i++)
        PS_TRY(check_map_keys(type->fields[i].type, whole, err));
    return PS_OK;
}

static ps_status collect_views(json_reader *r, const psi_json_node *node, ps_error *err)
{
    struct { ps_builder **items; int n, capacity; } list = {r->views, r->n_views, r->views_capacity};
    ps_status rc = PS_OK;

    if (node->type->kind == PS_STRING)
        rc = PS_PUSH(&list, node->b, err);
    r->views = list.items;
    r->n_views = list.n;
    r->views_capacity = list.capacity;
    for (int i = 0; rc == PS_OK && i < node->n_children; i++)
        rc = collect_views(r, &node->children[i], err);
    return rc;
}

static ps_status init_columns(json_reader *r, const ps_format_args *args, ps_error *err)
{
    PS_TRY(check_map_keys(args->full_schema ? args->full_schema : args->schema, args->schema, err));
    if (args->schema->kind == PS_STRUCT) {
        PS_TRY(psi_rows_init(&r->rows, args, err));
        PS_TRY(psi_json_root_init(&r->root, &r->rows, err));
        return collect_views(r, &r->root, err);
    }
    r->rows.schema = ps_type_ref(args->schema); /* from_json of an array or a map */
    r->rows.corrupt = -1;
    r->rows.mode = psi_mode_option(args);
    PS_TRY(ps_build_new(args->schema, 0, &r->value, err));
    PS_TRY(psi_json_node_init(&r->root, args->schema, r->value, err));
    return collect_views(r, &r->root, err);
}

ps_status psi_json_reader_new(const ps_format_args *args, ps_reader **out, ps_error *err)
{
    json_reader *r;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_alloc0(sizeof *r, &r, err));
    r->base.vt = &reader_vt;
    PS_TRY_OR(fail, psi_json_options_init(&r->opt, args, err));
    r->json.opt = &r->opt;
    PS_TRY_OR(fail, ps_options_bool(args->options, "multiLine", false, &r->multi_line, err));
    PS_TRY_OR(fail, psi_line_sep_option(args, &r->line_sep, err));
    PS_TRY_OR(fail, psi_json_charset(args, r->multi_line, &r->charset, &r->detect, err));
    PS_TRY_OR(fail, init_columns(r, args, err));
    *out = &r->base;
    return PS_OK;
fail:
    json_free(&r->base);
    return rc;
}
