/*
 * fmt/csv_read.c - the CSV reader: tokens under declared types (sources-sinks.md C.5), from files and texts.
 */
#include "fmt/csv_int.h"
#include "col/text.h"
#include "fmt/digits_int.h"
#include "fmt/simd_int.h"
#include <math.h>

typedef struct csv_reader {
    ps_reader base;
    psi_csv_options opt;
    psi_rows rows;
    psi_csv_source source;
    ps_builder **target;   /* by place in the file; NULL: the column is not wanted */
    uint8_t *places;       /* how each is stored */
    int n_places;          /* columns of the full schema, without the corrupt one */
    int n_used;            /* places up to the last one wanted */
    bool pruned;           /* only wanted places are looked at */
    bool count_only;       /* lines are rows, whatever is in them */
    bool odd_words;        /* NaN or an infinity is spelled like a number */
    bool simple;           /* plain_fields() may be tried */
    bool counting;         /* all tokens are looked at, for maxColumns */
    bool ascii;            /* the record at hand has no other bytes */
    bool header_due;
    bool texts;            /* from_csv */
    ps_slice *names;       /* of the places */
    bool case_sensitive;
    char *path;
    ps_bytes repaired;
} csv_reader;

/* ---- values ---- */

static bool hex_double(const char *s, const char *end, double *out)
{
    uint64_t mantissa = 0;
    int exponent = 0, n_digits = 0, power = 0;
    bool point = false, minus = false;

    for (; s < end; s++) {
        char c = (char)(*s | 32);
        int digit = *s >= '0' && *s <= '9' ? *s - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;

        if (*s == '.' && !point) {
            point = true;
            continue;
        }
        if (digit < 0)
            break;
        n_digits++;
        if (mantissa >> 59 == 0) {
            mantissa = mantissa << 4 | (uint64_t)digit;
            exponent -= point ? 4 : 0;
        } else {
            exponent += point ? 0 : 4;
        }
    }
    if (n_digits == 0 || s == end || (*s | 32) != 'p')
        return false;
    s++;
    if (s < end && (*s == '-' || *s == '+'))
        minus = *s++ == '-';
    if (s == end)
        return false;
    for (; s < end && *s >= '0' && *s <= '9'; s++)
        power = power < 100000 ? power * 10 + (*s - '0') : power;
    *out = ldexp((double)mantissa, exponent + (minus ? -power : power));
    return s == end;
}

bool psi_csv_double(ps_slice text, double *out)
{
    const char *s = text.data, *end = s + text.n_bytes;
    bool minus = false, ok;
    char last;

    if (ps_parse_double(text, out))
        return true;
    while (s < end && (uint8_t)*s <= ' ')
        s++;
    while (end > s && (uint8_t)end[-1] <= ' ')
        end--;
    if (s < end && (*s == '-' || *s == '+'))
        minus = *s++ == '-';
    if (s == end || *s == '-' || *s == '+')
        return false;
    last = (char)(end[-1] | 32);
    if (ps_slice_equal((ps_slice){s, (size_t)(end - s)}, ps_slice_of("NaN"))) {
        *out = NAN;
        return true;
    }
    if (ps_slice_equal((ps_slice){s, (size_t)(end - s)}, ps_slice_of("Infinity"))) {
        *out = minus ? -INFINITY : INFINITY;
        return true;
    }
    if (end - s > 2 && s[0] == '0' && (s[1] | 32) == 'x') {
        if (last == 'd' || last == 'f')
            ok = hex_double(s + 2, memchr(s, 'p', (size_t)(end - s)) || memchr(s, 'P', (size_t)(end - s)) ? end - 1 : end, out);
        else
            ok = hex_double(s + 2, end, out);
    } else {
        if (last == 'd' || last == 'f')
            end--;
        ok = end > s && ps_parse_double((ps_slice){s, (size_t)(end - s)}, out);
    }
    if (minus)
        *out = -*out;
    return ok;
}

static ps_status real(const csv_reader *r, ps_builder *b, ps_slice text, bool *bad, ps_error *err)
{
    double value = 0;

    if (ps_slice_equal(text, r->opt.nan))
        value = NAN;
    else if (ps_slice_equal(text, r->opt.infinity))
        value = INFINITY;
    else if (ps_slice_equal(text, r->opt.minus_infinity))
        value = -INFINITY;
    else if (b->type->kind == PS_FLOAT && text.n_bytes > 0 && (uint8_t)(text.data[text.n_bytes - 1] - '0') < 10) {
        float narrow;
        *bad = !psi_csv_double(text, &value);
        if (!*bad && ps_parse_float_java(text, &narrow))
            value = (double)narrow;
    } else {
        *bad = !psi_csv_double(text, &value);
    }
    return *bad ? PS_OK : ps_build_double(b, value, err);
}

static ps_status integer(ps_builder *b, ps_slice text, bool *bad, ps_error *err)
{
    static const int64_t low[] = {INT8_MIN, INT16_MIN, INT32_MIN, INT64_MIN};
    static const int64_t high[] = {INT8_MAX, INT16_MAX, INT32_MAX, INT64_MAX};
    int i = (int)b->type->kind - (int)PS_INT8;
    int64_t value;

    *bad = !ps_parse_int64(text, &value) || value < low[i] || value > high[i];
    return *bad ? PS_OK : ps_build_int(b, value, err);
}

/* US style: commas mean nothing. */
static ps_status decimal(ps_builder *b, ps_slice text, bool *bad, ps_error *err)
{
    char plain[128];
    size_t n = 0;
    __int128 value;

    *bad = true;
    for (size_t i = 0; i < text.n_bytes; i++) {
        if (text.data[i] == ',')
            continue;
        if ((uint8_t)text.data[i] <= ' ' || n == sizeof plain)
            return PS_OK;
        plain[n++] = text.data[i];
    }
    *bad = n == 0 || !ps_parse_decimal((ps_slice){plain, n}, b->type->precision, b->type->scale, &value);
    return *bad ? PS_OK : ps_build_int128(b, value, err);
}

static ps_status string(csv_reader *r, ps_builder *b, const psi_csv_token *token, ps_slice text, ps_error *err)
{
    if (PS_UNLIKELY(ps_utf8_prefix(text.data, text.n_bytes) != text.n_bytes)) {
        ps_bytes_reset(&r->repaired);
        PS_TRY(ps_utf8_repair(text, &r->repaired, err));
        return ps_build_text(b, r->repaired.data, r->repaired.n_bytes, err);
    }
    if (token->copied || text.data != token->text.data || text.n_bytes > INT32_MAX)
        return ps_build_text(b, text.data, text.n_bytes, err);
    return ps_build_view(b, ps_str_make(text.data, (uint32_t)text.n_bytes), err);
}

static ps_status boolean(ps_builder *b, ps_slice text, bool *bad, ps_error *err)
{
    bool value = ps_slice_equal_nocase(text, (ps_slice){"true", 4});

    *bad = !value && !ps_slice_equal_nocase(text, (ps_slice){"false", 5});
    return *bad ? PS_OK : ps_build_int(b, value, err);
}

static ps_status moment(const csv_reader *r, ps_builder *b, ps_slice text, bool *bad, ps_error *err)
{
    const psi_times *times = &r->opt.times;
    int64_t value = 0;
    int32_t days = 0;

    switch (b->type->kind) {
    case PS_DATE:
        *bad = !psi_times_date(times, text, &days);
        value = days;
        break;
    case PS_TIMESTAMP: *bad = !psi_times_timestamp(times, text, &value); break;
    case PS_TIMESTAMP_NTZ: *bad = !psi_times_ntz(times, text, &value); break;
    default: *bad = !psi_times_interval(b->type, text, &value);
    }
    return *bad ? PS_OK : ps_build_int(b, value, err);
}

/* Appends the token, or a NULL when it is none of the type: then *bad. */
static ps_status put_token(csv_reader *r, ps_builder *b, const psi_csv_token *token, bool *bad, ps_error *err)
{
    ps_calendar interval;
    bool failed = false;
    ps_slice text;

    if (!psi_csv_text(&r->opt, token, &text))
        return ps_build_null(b, err);
    switch (b->type->kind) {
    case PS_STRING: return string(r, b, token, text, err);
    case PS_BINARY: return ps_build_text(b, text.data, text.n_bytes, err);
    case PS_INT8:
    case PS_INT16:
    case PS_INT32:
    case PS_INT64: PS_TRY(integer(b, text, &failed, err)); break;
    case PS_FLOAT:
    case PS_DOUBLE: PS_TRY(real(r, b, text, &failed, err)); break;
    case PS_DECIMAL: PS_TRY(decimal(b, text, &failed, err)); break;
    case PS_BOOL: PS_TRY(boolean(b, text, &failed, err)); break;
    case PS_CALENDAR:
        failed = !ps_parse_interval(text, &interval);
        if (!failed)
            PS_TRY(ps_build_calendar(b, interval, err));
        break;
    default: PS_TRY(moment(r, b, text, &failed, err));
    }
    if (!failed)
        return PS_OK;
    *bad = true;
    return ps_build_null(b, err);
}

/* ---- records ---- */

/* How a place's values are stored by plain_fields(). */
enum place { PLACE_SKIPPED, PLACE_TEXT, PLACE_INT64, PLACE_INT32, PLACE_DOUBLE, PLACE_OTHER };

static enum place place_of(const ps_builder *b)
{
    if (!b)
        return PLACE_SKIPPED;
    switch (b->type->kind) {
    case PS_STRING: return PLACE_TEXT;
    case PS_INT64: return PLACE_INT64;
    case PS_INT32: return PLACE_INT32;
    case PS_DOUBLE: return PLACE_DOUBLE;
    default: return PLACE_OTHER;
    }
}

/* Stores the text from p to `end` when that takes no more than this; false: nothing was stored. */
static inline bool put_plain(const csv_reader *r, ps_builder *b, enum place place, const char *p, const char *end)
{
    int64_t value;
    double real;

    if (place == PLACE_SKIPPED)
        return true;
    if (PS_UNLIKELY(b->n >= b->capacity))
        return false;
    switch (place) {
    case PLACE_TEXT:
        if (!r->ascii && ps_utf8_prefix(p, (size_t)(end - p)) != (size_t)(end - p))
            return false;
        ps_str_put((ps_str *)(void *)b->data + b->n++, p, (uint32_t)(end - p));
        return true;
    case PLACE_INT64:
        if (psi_take_int(p, &value) != end)
            return false;
        ((int64_t *)(void *)b->data)[b->n++] = value;
        return true;
    case PLACE_INT32:
        if (psi_take_int(p, &value) != end || value != (int32_t)value)
            return false;
        ((int32_t *)(void *)b->data)[b->n++] = (int32_t)value;
        return true;
    case PLACE_DOUBLE:
        if (psi_take_double(p, &real) != end || r->odd_words)
            return false;
        ((double *)(void *)b->data)[b->n++] = real;
        return true;
    default: return false;
    }
}

/* The first fields of the record, as far as they are what most fields are: not quoted, not empty, of a common type.
 * How many there were; *more as in psi_csv_field(). */
static int plain_fields(csv_reader *r, bool *more)
{
    psi_csv *csv = &r->source.csv;
    const char *end = csv->end, sep = r->opt.sep[0], quote = r->opt.quote;
    size_t n_null = r->opt.null_value.n_bytes;
    int n = 0;

    for (; *more && n < r->n_used; n++) {
        const char *start = csv->at, *p = start;
        uint32_t mask = 0;

        if (p >= end || *p == quote)
            break;
        for (; p < end && !(mask = psi_equal(psi_load(p), sep)); p += 16) {}
        p += mask ? psi_first(mask) : 0;
        if (p > end || !mask)
            p = end;
        if (p == start || (size_t)(p - start) == n_null || p - start > INT32_MAX ||
            !put_plain(r, r->target[n], r->places[n], start, p))
            break;
        *more = p < end;
        csv->at = p + *more;
    }
    return n;
}

/* The tokens of the record at csv->at, into the row that comes next. */
static ps_status put_record(csv_reader *r, ps_error *err)
{
    psi_csv *csv = &r->source.csv;
    const char *start = csv->at;
    bool bad = false, more = csv->at < csv->end || !r->texts;
    int64_t row = r->rows.n;
    int n = 0;

    if (!more)
        bad = true; /* an empty text has no tokens at all */
    else if (PS_LIKELY(r->simple))
        n = plain_fields(r, &more);
    for (; more && (!r->pruned || n < r->n_used || r->counting); n++) {
        psi_csv_token token;

        PS_TRY(psi_csv_field(csv, &token, &more, err));
        if (PS_UNLIKELY(n >= r->opt.max_columns))
            return ps_raise(err, PS_E_CSV_RECORD, "more columns than maxColumns");
        if (n < r->n_places && r->target[n])
            PS_TRY(put_token(r, r->target[n], &token, &bad, err));
    }
    if (!r->pruned && n != r->n_places)
        bad = true;
    if (n < r->n_used)
        PS_TRY(psi_rows_fill(&r->rows, row, err));
    if (PS_LIKELY(!bad))
        return psi_rows_good(&r->rows, row + 1, err);
    if (csv->newlines)
        return psi_rows_bad(&r->rows, row + 1, (ps_slice){start, (size_t)(csv->at - start)}, err);
    return psi_rows_bad(&r->rows, row + 1, (ps_slice){start, (size_t)(csv->end - start)}, err);
}

/* ---- headers ---- */

static bool same_name(const csv_reader *r, ps_slice a, ps_slice b)
{
    return r->case_sensitive ? ps_slice_equal(a, b) : ps_slice_equal_nocase(a, b);
}

static ps_status list_names(const csv_reader *r, ps_bytes *out, ps_error *err)
{
    for (int i = 0; i < r->n_places; i++) {
        if (r->pruned && !r->target[i])
            continue;
        PS_TRY(ps_bytes_text(out, out->n_bytes > 0 ? ", " : "", err));
        PS_TRY(ps_bytes_append(out, r->names[i].data, r->names[i].n_bytes, err));
    }
    return PS_OK;
}

static ps_status header_error(csv_reader *r, const ps_bytes *header, ps_slice expected, ps_slice found, ps_error *err)
{
    ps_bytes names = {0}, text = {0};
    ps_status rc = list_names(r, &names, err);

    if (rc == PS_OK)
        rc = ps_bytes_printf(&text, err,
                             "CSV header does not conform to the schema.\n Header: %.*s\n Schema: %.*s\n"
                             "Expected: %.*s but found: %.*s\nCSV file: %s",
                             (int)header->n_bytes, header->data, (int)names.n_bytes, names.data ? names.data : "",
                             (int)expected.n_bytes, expected.data, (int)found.n_bytes, found.data, r->path);
    if (rc == PS_OK)
        rc = ps_raise(err, PS_E_CSV_HEADER, text.data);
    ps_bytes_clear(&names);
    ps_bytes_clear(&text);
    return rc;
}

/* The names of the header against those of the schema, place by place. */
static ps_status check_header(csv_reader *r, ps_error *err)
{
    psi_csv *csv = &r->source.csv;
    const char *start = csv->at;
    ps_bytes header = {0}, text = {0};
    psi_csv_token token;
    ps_status rc = PS_OK;
    bool more = true;
    int n = 0;

    while (more && rc == PS_OK) {
        rc = psi_csv_field(csv, &token, &more, err);
        if (rc == PS_OK && (!r->pruned || (n < r->n_places && r->target[n]))) {
            rc = ps_bytes_text(&header, header.n_bytes > 0 ? ", " : "", err);
            if (rc == PS_OK)
                rc = ps_bytes_append(&header, token.text.data, token.text.n_bytes, err);
        }
        n++;
    }
    if (rc == PS_OK && !r->pruned && n != r->n_places) {
        rc = ps_bytes_printf(&text, err,
                             "Number of column in CSV header is not equal to number of fields in the schema:\n"
                             " Header length: %d, schema size: %d\nCSV file: %s", n, r->n_places, r->path);
        if (rc == PS_OK)
            rc = ps_raise(err, PS_E_CSV_HEADER, text.data);
    }
    csv->at = start;
    more = true;
    for (int i = 0; more && rc == PS_OK && i < r->n_places; i++) {
        rc = psi_csv_field(csv, &token, &more, err);
        if (rc == PS_OK && (!r->pruned || r->target[i]) && !same_name(r, token.text, r->names[i]))
            rc = header_error(r, &header, r->names[i], token.text, err);
    }
    ps_bytes_clear(&header);
    ps_bytes_clear(&text);
    return rc;
}

/* Moves over the header, which is the first record of every file. */
static ps_status skip_header(csv_reader *r, ps_error *err)
{
    psi_csv *csv = &r->source.csv;
    psi_csv_token token;
    bool more = true;

    r->header_due = false;
    if (!r->opt.enforce_schema)
        PS_TRY(check_header(r, err));
    while (csv->newlines && more)
        PS_TRY(psi_csv_field(csv, &token, &more, err));
    return PS_OK;
}

/* ---- files ---- */

static ps_status pin(csv_reader *r, ps_buf *chunk, ps_error *err)
{
    for (int i = 0; i < r->rows.n_cols; i++)
        if (r->rows.cols[i]->type->kind == PS_STRING)
            PS_TRY(ps_build_pin(r->rows.cols[i], chunk, err));
    return PS_OK;
}

static ps_status one_record(csv_reader *r, ps_error *err)
{
    if (PS_UNLIKELY(r->header_due))
        return skip_header(r, err);
    if (PS_UNLIKELY(r->count_only)) {
        r->rows.n++;
        return PS_OK;
    }
    return put_record(r, err);
}

/* The lines of a region of whole lines. */
static ps_status take_lines(csv_reader *r, const char *stop, ps_error *err)
{
    psi_input *in = &r->source.input;
    const char *p = psi_input_at(in);
    ps_status rc = pin(r, in->chunk, err);

    if (rc == PS_OK)
        rc = psi_rows_reserve(&r->rows, (size_t)(stop - p), err);
    while (rc == PS_OK && p < stop && !psi_rows_full(&r->rows)) {
        uint32_t high = 0;
        const char *end = psi_find_line_end_high(p, &high);

        r->ascii = high == 0;
        if (PS_LIKELY((uint8_t)*p > ' ' && (!r->opt.comment || *p != r->opt.comment)) ||
            !psi_csv_ignored(&r->opt, (ps_slice){p, (size_t)(end - p)})) {
            r->source.csv.at = p;
            r->source.csv.end = end;
            rc = one_record(r, err);
        }
        p = end + 1; /* between CR and LF there is an empty line, which is ignored */
    }
    in->pos = (size_t)((p < stop ? p : stop) - (const char *)in->chunk->data);
    return rc;
}

static ps_status fill_batch(csv_reader *r, ps_error *err)
{
    psi_input *in = &r->source.input;
    const char *stop;
    bool more;

    while (!psi_rows_full(&r->rows)) {
        if (!r->opt.multi_line && r->opt.line_sep.n_bytes == 0) {
            PS_TRY(psi_input_lines(in, &stop, err));
            if (!stop || stop == psi_input_at(in))
                return PS_OK;
            PS_TRY(take_lines(r, stop, err));
            continue;
        }
        PS_TRY(psi_csv_source_next(&r->source, &more, err));
        if (!more)
            return PS_OK;
        PS_TRY(pin(r, in->chunk, err));
        PS_TRY(one_record(r, err));
    }
    return PS_OK;
}

static ps_status csv_open(ps_reader *reader, ps_fs *fs, const char *path, ps_error *err)
{
    csv_reader *r = (csv_reader *)reader;

    if (r->rows.n_cols == 1 && r->rows.corrupt == 0)
        return ps_raise(err, PS_E_CORRUPT_COLUMN_ONLY, r->rows.schema->fields[0].name);
    psi_rows_forget(&r->rows);
    r->header_due = r->opt.header;
    ps_free(r->path);
    r->path = NULL;
    PS_TRY(ps_strdup(path, &r->path, err));
    return psi_csv_source_open(&r->source, &r->opt, fs, path, err);
}

static ps_status csv_next(ps_reader *reader, ps_batch **out, ps_error *err)
{
    csv_reader *r = (csv_reader *)reader;
    ps_status rc;

    *out = NULL;
    r->ascii = false;
    rc = fill_batch(r, err);
    if (rc != PS_OK && (r->rows.n == 0 || rc != PS_E_CORRUPT_FILE))
        return rc;
    return psi_rows_take(&r->rows, out, err); /* a damaged file's error comes again with the next call */
}

static void csv_close(ps_reader *reader)
{
    psi_input_close(&((csv_reader *)reader)->source.input);
}

static void csv_free(ps_reader *reader)
{
    csv_reader *r = (csv_reader *)reader;

    psi_csv_source_clear(&r->source);
    psi_rows_clear(&r->rows);
    psi_csv_options_clear(&r->opt);
    ps_bytes_clear(&r->repaired);
    ps_free(r->target);
    ps_free(r->places);
    ps_free(r->names);
    ps_free(r->path);
    ps_free(r);
}

/* ---- columns of texts (from_csv) ---- */

/* A row of NULLs; the struct around it is NULL too. */
static ps_status put_nothing(csv_reader *r, ps_error *err)
{
    int64_t row = r->rows.n;

    PS_TRY(psi_rows_fill(&r->rows, row, err));
    return psi_rows_good(&r->rows, row + 1, err);
}

static ps_status each_text(csv_reader *r, const ps_view *view, const ps_rows *rows, const char *p, uint64_t *valid,
                           ps_error *err)
{
    for (int64_t k = 0; k < rows->n; k++) {
        int64_t i = ps_row(rows, k);

        if (ps_view_is_null(view, i)) {
            PS_TRY(put_nothing(r, err));
            ps_bit_clear(valid, k);
            continue;
        }
        r->source.csv.at = p;
        r->source.csv.end = p + ((const ps_str *)view->data)[ps_at(view, i)].n_bytes;
        p = r->source.csv.end;
        PS_TRY(put_record(r, err));
    }
    return PS_OK;
}

static ps_status parse_live(csv_reader *r, ps_vec *text, const ps_rows *rows, ps_vec **out, ps_error *err)
{
    ps_buf *texts = NULL;
    const char *start;
    ps_vec *vec = NULL, *child;
    ps_view view;
    ps_status rc;

    ps_view_init(&view, text);
    PS_TRY_OR(done, psi_rows_gather(text, rows, "", &texts, &start, err));
    PS_TRY_OR(done, pin(r, texts, err));
    PS_TRY_OR(done, ps_vec_new(r->rows.schema, rows->n, true, &vec, err));
    PS_TRY_OR(done, each_text(r, &view, rows, start, vec->valid, err));
    for (int i = 0; i < r->rows.n_cols; i++) {
        PS_TRY_OR(done, ps_build_finish(r->rows.cols[i], &child, err));
        PS_TRY_OR(done, ps_vec_add_child(vec, child, err));
    }
    r->rows.n = 0;
    *out = vec;
    vec = NULL;
done:
    ps_vec_unref(vec);
    ps_buf_unref(texts);
    if (rc != PS_OK)
        psi_rows_forget(&r->rows);
    return rc;
}

static ps_status csv_parse(ps_reader *reader, ps_vec *text, const ps_rows *rows, ps_vec **out, ps_error *err)
{
    csv_reader *r = (csv_reader *)reader;
    ps_vec *live;

    *out = NULL;
    r->texts = true;
    r->pruned = r->ascii = false;
    r->source.csv.opt = &r->opt;
    r->source.csv.newlines = false;
    if (r->rows.mode == PSI_DROPMALFORMED)
        r->rows.mode = PSI_PERMISSIVE;
    PS_TRY(parse_live(r, text, rows, &live, err));
    return psi_rows_spread(live, rows, out, err);
}

/* ---- making one ---- */

static const ps_reader_vt reader_vt = {csv_open, csv_next, csv_close, csv_free, csv_parse};

/* Which column each place of the file goes to. */
static ps_status map_places(csv_reader *r, const ps_format_args *args, ps_error *err)
{
    const ps_type *full = args->full_schema ? args->full_schema : args->schema;
    int corrupt = ps_type_field_index(full, psi_corrupt_name(args), true), n_wanted = 0;

    PS_TRY(ps_alloc0((size_t)full->n_fields * sizeof *r->target, &r->target, err));
    PS_TRY(ps_alloc0((size_t)full->n_fields * sizeof *r->places, &r->places, err));
    PS_TRY(ps_alloc0((size_t)full->n_fields * sizeof *r->names, &r->names, err));
    for (int i = 0; i < full->n_fields; i++) {
        int col;

        if (i == corrupt)
            continue;
        col = ps_type_field_index(args->schema, full->fields[i].name, true);
        r->names[r->n_places] = ps_slice_of(full->fields[i].name);
        if (col >= 0) {
            r->target[r->n_places] = r->rows.cols[col];
            r->n_used = r->n_places + 1;
            n_wanted++;
        }
        r->places[r->n_places] = (uint8_t)place_of(r->target[r->n_places]);
        r->n_places++;
    }
    r->pruned = r->opt.prune && !r->opt.multi_line && n_wanted < r->n_places;
    r->count_only = r->pruned && n_wanted == 0 && r->rows.corrupt < 0;
    return PS_OK;
}

static bool is_number(ps_slice word)
{
    double value;

    return ps_parse_double(word, &value);
}

ps_status psi_csv_reader_new(const ps_format_args *args, ps_reader **out, ps_error *err)
{
    csv_reader *r;
    ps_status rc;

    *out = NULL;
    PS_TRY(psi_csv_check_types(args->full_schema ? args->full_schema : args->schema, err));
    PS_TRY(ps_alloc0(sizeof *r, &r, err));
    r->base.vt = &reader_vt;
    PS_TRY_OR(fail, psi_csv_options_init(&r->opt, args, true, err));
    PS_TRY_OR(fail, psi_rows_init(&r->rows, args, err));
    r->case_sensitive = args->conf && ps_conf_bool(args->conf, "spark.sql.caseSensitive");
    PS_TRY_OR(fail, map_places(r, args, err));
    r->odd_words = is_number(r->opt.nan) || is_number(r->opt.infinity) || is_number(r->opt.minus_infinity);
    r->counting = r->opt.max_columns < r->n_places;
    r->simple = r->opt.n_sep == 1 && !r->opt.multi_line && !r->opt.trim_left && !r->opt.trim_right && r->opt.max_chars < 0 &&
                !r->counting;
    *out = &r->base;
    return PS_OK;
fail:
    csv_free(&r->base);
    return rc;
}
