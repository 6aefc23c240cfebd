/*
 * fmt/rows.c - rows under construction, good and bad records.
 */
#include "fmt/rows_int.h"
#include "col/text.h"
#include "col/type_text.h"

/* ---- options ---- */

psi_mode psi_mode_option(const ps_format_args *args)
{
    const char *mode = ps_options_get(args->options, "mode");

    if (mode && ps_stricmp(mode, "DROPMALFORMED") == 0)
        return PSI_DROPMALFORMED;
    if (mode && ps_stricmp(mode, "FAILFAST") == 0)
        return PSI_FAILFAST;
    return PSI_PERMISSIVE; /* unknown modes too, as in Spark */
}

const char *psi_corrupt_name(const ps_format_args *args)
{
    const char *name = ps_options_get(args->options, "columnNameOfCorruptRecord");

    if (!name && args->conf)
        name = ps_conf_get(args->conf, "spark.sql.columnNameOfCorruptRecord");
    return name ? name : "_corrupt_record";
}

ps_status psi_zone_option(const ps_format_args *args, const ps_zone **out, ps_error *err)
{
    const char *name = ps_options_get(args->options, "timeZone");

    *out = args->zone ? args->zone : ps_zone_utc();
    return name ? ps_zone_find(name, out, err) : PS_OK;
}

ps_status psi_line_sep_option(const ps_format_args *args, ps_slice *out, ps_error *err)
{
    const char *sep = ps_options_get(args->options, "lineSep");

    *out = (ps_slice){"", 0};
    if (!sep)
        return PS_OK;
    if (!*sep)
        return ps_raise(err, PS_E_LINE_SEP_EMPTY);
    *out = ps_slice_of(sep);
    return PS_OK;
}

const char *psi_charset_option(const ps_format_args *args)
{
    const char *name = ps_options_get(args->options, "encoding");

    return name ? name : ps_options_get(args->options, "charset");
}

ps_status psi_sampling_check(const ps_format_args *args, ps_error *err)
{
    const char *text = ps_options_get(args->options, "samplingRatio");
    double ratio;

    if (text && (!ps_parse_double_java(ps_slice_of(text), &ratio) || !(ratio > 0)))
        return ps_raise(err, PS_E_SAMPLING_RATIO, text);
    return PS_OK;
}

/* ---- life ---- */

static ps_status check_corrupt(const ps_format_args *args, const char *name, ps_error *err)
{
    const ps_type *full = args->full_schema ? args->full_schema : args->schema;
    int i = ps_type_field_index(full, name, true);

    if (i >= 0 && (full->fields[i].type->kind != PS_STRING || !full->fields[i].nullable))
        return ps_raise(err, PS_E_CORRUPT_COLUMN_TYPE, name, ps_type_name(full->fields[i].type));
    return PS_OK;
}

ps_status psi_rows_init(psi_rows *rows, const ps_format_args *args, ps_error *err)
{
    const char *name = psi_corrupt_name(args);

    *rows = (psi_rows){.corrupt = -1, .mode = psi_mode_option(args)};
    PS_TRY(check_corrupt(args, name, err));
    rows->schema = ps_type_ref(args->schema);
    PS_TRY(ps_alloc0((size_t)args->schema->n_fields * sizeof *rows->cols, &rows->cols, err));
    for (int i = 0; i < args->schema->n_fields; i++) {
        PS_TRY(ps_build_new(args->schema->fields[i].type, 0, &rows->cols[i], err));
        rows->n_cols++;
    }
    rows->corrupt = ps_type_field_index(args->schema, name, true);
    return PS_OK;
}

void psi_rows_clear(psi_rows *rows)
{
    for (int i = 0; i < rows->n_cols; i++)
        ps_build_free(rows->cols[i]);
    ps_free(rows->cols);
    ps_type_unref(rows->schema);
    ps_batch_unref(rows->big);
    *rows = (psi_rows){0};
}

void psi_rows_forget(psi_rows *rows)
{
    for (int i = 0; i < rows->n_cols; i++)
        ps_build_reset(rows->cols[i]);
    ps_batch_unref(rows->big);
    rows->big = NULL;
    rows->n = 0;
}

/* ---- building ---- */

ps_status psi_rows_reserve(psi_rows *rows, size_t n_bytes, ps_error *err)
{
    int64_t n = rows->n < ps_batch_rows ? ps_batch_rows - rows->n : 0;

    if (n_bytes / 2 < (size_t)n)
        n = (int64_t)(n_bytes / 2 + 1);
    for (int i = 0; i < rows->n_cols; i++)
        PS_TRY(ps_build_reserve(rows->cols[i], n, err));
    return PS_OK;
}

ps_status psi_rows_fill(psi_rows *rows, int64_t row, ps_error *err)
{
    for (int i = 0; i < rows->n_cols; i++)
        if (rows->cols[i]->n <= row && i != rows->corrupt)
            PS_TRY(ps_build_null(rows->cols[i], err));
    return PS_OK;
}

void psi_rows_pop(psi_rows *rows, int64_t n)
{
    for (int i = 0; i < rows->n_cols; i++)
        ps_build_pop(rows->cols[i], n);
    if (rows->n > n)
        rows->n = n;
}

ps_status psi_rows_good(psi_rows *rows, int64_t n_now, ps_error *err)
{
    if (rows->corrupt >= 0)
        for (int64_t i = rows->n; i < n_now; i++)
            PS_TRY(ps_build_null(rows->cols[rows->corrupt], err));
    rows->n = n_now;
    return PS_OK;
}

/* Row `row` as "[1,null,x]", the form in which Spark shows it. */
static ps_status row_text(psi_rows *rows, int64_t row, ps_bytes *out, ps_error *err)
{
    PS_TRY(ps_bytes_char(out, '[', err));
    for (int i = 0; i < rows->n_cols; i++) {
        ps_vec *vec;
        ps_status rc;

        if (i > 0)
            PS_TRY(ps_bytes_char(out, ',', err));
        PS_TRY(ps_build_finish(rows->cols[i], &vec, err));
        rc = ps_vec_is_null(vec, row) ? ps_bytes_text(out, "null", err)
                                      : ps_text_of_value(vec, row, ps_zone_utc(), out, err);
        ps_vec_unref(vec);
        PS_TRY(rc);
    }
    return ps_bytes_char(out, ']', err);
}

static ps_status fail_fast(psi_rows *rows, ps_error *err)
{
    ps_bytes text = {0};
    ps_status rc = row_text(rows, rows->n, &text, err);

    if (rc == PS_OK)
        rc = ps_raise(err, PS_E_MALFORMED_RECORD, text.data);
    ps_bytes_clear(&text);
    psi_rows_forget(rows);
    return rc;
}

ps_status psi_rows_bad(psi_rows *rows, int64_t n_now, ps_slice text, ps_error *err)
{
    if (rows->mode == PSI_DROPMALFORMED) {
        psi_rows_pop(rows, rows->n);
        return PS_OK;
    }
    if (n_now == rows->n) {
        psi_rows_pop(rows, rows->n);
        PS_TRY(psi_rows_fill(rows, n_now, err));
        n_now++;
    }
    if (rows->corrupt >= 0) {
        ps_builder *b = rows->cols[rows->corrupt];
        for (int64_t i = rows->n; i < n_now; i++)
            PS_TRY(rows->mode == PSI_FAILFAST ? ps_build_null(b, err) : ps_build_text(b, text.data, text.n_bytes, err));
    }
    if (rows->mode == PSI_FAILFAST)
        return fail_fast(rows, err);
    rows->n = n_now;
    return PS_OK;
}

static ps_status finish(psi_rows *rows, ps_batch **out, ps_error *err)
{
    ps_status rc;

    PS_TRY(ps_batch_new(rows->n_cols, rows->n, out, err));
    for (int i = 0; i < rows->n_cols; i++) {
        ps_assert(rows->cols[i]->n == rows->n);
        if ((rc = ps_build_finish(rows->cols[i], &(*out)->cols[i], err)) != PS_OK) {
            ps_batch_unref(*out);
            *out = NULL;
            return rc;
        }
    }
    rows->n = 0;
    return PS_OK;
}

ps_status psi_rows_take(psi_rows *rows, ps_batch **out, ps_error *err)
{
    int64_t n;

    *out = NULL;
    if (!rows->big) {
        if (rows->n == 0)
            return PS_OK;
        if (rows->n <= ps_batch_rows)
            return finish(rows, out, err);
        PS_TRY(finish(rows, &rows->big, err));
        rows->big_at = 0;
    }
    n = rows->big->n_rows - rows->big_at;
    if (n > ps_batch_rows)
        n = ps_batch_rows;
    PS_TRY(ps_batch_slice(rows->big, rows->big_at, n, out, err));
    rows->big_at += n;
    if (rows->big_at == rows->big->n_rows) {
        ps_batch_unref(rows->big);
        rows->big = NULL;
    }
    return PS_OK;
}

ps_status psi_rows_spread(ps_vec *live, const ps_rows *rows, ps_vec **out, ps_error *err)
{
    ps_buf *buf = NULL;
    ps_status rc = PS_OK;

    *out = NULL;
    if (!rows->sel) {
        *out = live;
        return PS_OK;
    }
    if (rows->n == 0) {
        rc = ps_vec_null(live->type, rows->n_rows, out, err);
    } else if ((rc = ps_buf_new((size_t)rows->n_rows * sizeof(int32_t), &buf, err)) == PS_OK) {
        int32_t *index = (int32_t *)(void *)buf->data;
        memset(index, 0, (size_t)rows->n_rows * sizeof *index);
        for (int64_t j = 0; j < rows->n; j++)
            index[rows->sel[j]] = (int32_t)j;
        rc = ps_vec_take(live, index, rows->n_rows, buf, out, err);
        ps_buf_unref(buf);
    }
    ps_vec_unref(live);
    return rc;
}

/* Where the live texts begin, when they lie one after another in the one buffer that their vector pins, `behind` behind each;
 * NULL otherwise. */
static const char *lying_in_order(const ps_vec *vec, const ps_view *texts, const ps_rows *rows, const char *behind, size_t n_behind)
{
    const char *first = NULL, *next = NULL;
    const ps_buf *buf;

    if (vec->shape != PS_FLAT || vec->n_bufs != 1)
        return NULL;
    buf = vec->bufs[0];
    for (int64_t k = 0; k < rows->n; k++) {
        int64_t i = ps_row(rows, k);
        const ps_str *s = (const ps_str *)texts->data + i;

        if (ps_view_is_null(texts, i))
            continue;
        if (s->n_bytes <= PS_STR_INLINE || (next && s->far.data != next))
            return NULL;
        next = s->far.data + s->n_bytes; /* readable: 64 bytes are, behind any buffer */
        for (size_t c = 0; c < n_behind; c++) /* one character, or none */
            if (next[c] != behind[c])
                return NULL;
        next += n_behind;
        first = first ? first : s->far.data;
    }
    return first && (uint8_t *)first >= buf->data && (uint8_t *)next <= buf->data + buf->n_bytes ? first : NULL;
}

ps_status psi_rows_gather(const ps_vec *vec, const ps_rows *rows, const char *behind, ps_buf **out, const char **start, ps_error *err)
{
    size_t n_bytes = 0, at = 0, n_behind = strlen(behind);
    ps_view view;
    const ps_view *texts = &view;

    ps_view_init(&view, vec);
    *start = lying_in_order(vec, texts, rows, behind, n_behind);
    if (*start) {
        *out = ps_buf_ref(vec->bufs[0]);
        return PS_OK;
    }
    for (int64_t k = 0; k < rows->n; k++) {
        int64_t i = ps_row(rows, k);
        if (!ps_view_is_null(texts, i))
            n_bytes += ((const ps_str *)texts->data)[ps_at(texts, i)].n_bytes + n_behind;
    }
    PS_TRY(ps_buf_new(n_bytes, out, err));
    for (int64_t k = 0; k < rows->n; k++) {
        int64_t i = ps_row(rows, k);
        const ps_str *s = (const ps_str *)texts->data + ps_at(texts, i);

        if (ps_view_is_null(texts, i))
            continue;
        memcpy((*out)->data + at, ps_str_data(s), s->n_bytes);
        memcpy((*out)->data + at + s->n_bytes, behind, n_behind);
        at += s->n_bytes + n_behind;
    }
    *start = (const char *)(*out)->data;
    return PS_OK;
}
