/*
 * fmt/csv_infer.c - the schema of CSV files (sources-sinks.md C.5 rules 9 and 10).
 *
 * A column starts as NULL and widens with every value: int, bigint, decimal, double, date, timestamp, boolean,
 * string.  What its values have in common is its type.
 */
#include "fmt/csv.h"
#include "col/text.h"
#include "fmt/csv_int.h"
#include <stdio.h>

typedef struct column {
    char *name;
    ps_kind kind;
    int n_digits; /* of a DECIMAL */
} column;

typedef struct columns {
    column *items;
    int n, capacity;
} columns;

static void clear_columns(columns *cols)
{
    for (int i = 0; i < cols->n; i++)
        ps_free(cols->items[i].name);
    ps_free(cols->items);
}

/* ---- one value ---- */

static bool is_bool(ps_slice s)
{
    return ps_slice_equal_nocase(s, ps_slice_of("true")) || ps_slice_equal_nocase(s, ps_slice_of("false"));
}

static bool is_double(const psi_csv_options *opt, ps_slice s)
{
    double value;
    char last = s.n_bytes > 0 ? (char)(s.data[s.n_bytes - 1] | 32) : '\0';

    if (ps_slice_equal(s, opt->nan) || ps_slice_equal(s, opt->infinity) || ps_slice_equal(s, opt->minus_infinity))
        return true;
    return last != 'd' && last != 'f' && psi_csv_double(s, &value); /* "1d" may be a text of its own */
}

static bool is_integer(ps_slice s, int *n_digits)
{
    size_t i = s.n_bytes > 0 && (s.data[0] == '-' || s.data[0] == '+'), start;

    for (start = i; i < s.n_bytes; i++)
        if (s.data[i] < '0' || s.data[i] > '9')
            return false;
    while (start < s.n_bytes && s.data[start] == '0')
        start++;
    *n_digits = s.n_bytes - start > 0 ? (int)(s.n_bytes - start > 1000 ? 1000 : s.n_bytes - start) : 1;
    return s.n_bytes > 0 && s.data[s.n_bytes - 1] >= '0';
}

static bool is_timestamp(const psi_csv_options *opt, ps_slice s)
{
    int64_t us;

    return psi_times_timestamp(&opt->times, s, &us);
}

/* Dates are recognised strictly: only the pattern, which is yyyy-MM-dd by default. */
static bool is_date(const psi_csv_options *opt, ps_slice s)
{
    bool has_zone;
    int64_t us;
    int32_t days;

    if (!opt->prefer_date)
        return false;
    if (opt->times.date)
        return ps_time_format_parse(opt->times.date, s, ps_zone_utc(), &us, &has_zone);
    return s.n_bytes == 10 && s.data[4] == '-' && s.data[7] == '-' && ps_parse_date(s, &days);
}

/* The narrowest type of the value, not narrower than `from`, which is what the column was so far. */
static ps_kind kind_of(const psi_csv_options *opt, ps_slice s, ps_kind from, int *n_digits)
{
    int64_t value;

    *n_digits = 0;
    if (from == PS_STRING)
        return PS_STRING;
    if (from != PS_DOUBLE && from != PS_DATE && from != PS_TIMESTAMP && from != PS_BOOL && is_integer(s, n_digits)) {
        if (ps_parse_int64(s, &value))
            return value == (int32_t)value ? PS_INT32 : PS_INT64;
        if (*n_digits <= 38)
            return PS_DECIMAL;
    }
    if (from != PS_DATE && from != PS_TIMESTAMP && from != PS_BOOL && is_double(opt, s))
        return PS_DOUBLE;
    if (from != PS_BOOL && from != PS_TIMESTAMP && is_date(opt, s))
        return PS_DATE;
    if (from != PS_BOOL && is_timestamp(opt, s))
        return PS_TIMESTAMP;
    return is_bool(s) ? PS_BOOL : PS_STRING;
}

/* What two kinds have in common. */
static ps_kind merge(ps_kind a, ps_kind b)
{
    if (a == b || b == PS_NULL)
        return a;
    if (a == PS_NULL)
        return b;
    if (ps_kind_is_numeric(a) && ps_kind_is_numeric(b)) {
        if (a == PS_DOUBLE || b == PS_DOUBLE)
            return PS_DOUBLE;
        return a == PS_DECIMAL || b == PS_DECIMAL ? PS_DECIMAL : PS_INT64;
    }
    if ((a == PS_DATE && b == PS_TIMESTAMP) || (a == PS_TIMESTAMP && b == PS_DATE))
        return PS_TIMESTAMP;
    return PS_STRING;
}

static void widen(const psi_csv_options *opt, column *col, ps_slice value)
{
    int n_digits;
    ps_kind kind = kind_of(opt, value, col->kind, &n_digits);

    if ((kind == PS_INT32 || kind == PS_INT64) && n_digits < (kind == PS_INT32 ? 10 : 20))
        n_digits = kind == PS_INT32 ? 10 : 20; /* as decimals these have so many digits */
    if (n_digits > col->n_digits)
        col->n_digits = n_digits;
    col->kind = merge(col->kind, kind);
}

/* ---- records ---- */

static ps_status add_column(columns *cols, ps_slice name, ps_error *err)
{
    column col = {.kind = PS_NULL};
    ps_status rc;

    PS_TRY(ps_strndup(name.data, name.n_bytes, &col.name, err));
    if ((rc = PS_PUSH(cols, col, err)) != PS_OK)
        ps_free(col.name);
    return rc;
}

static ps_status read_names(const psi_csv_options *opt, psi_csv *csv, columns *cols, ps_error *err)
{
    psi_csv_token token;
    bool more = true;
    char place[32];

    while (more) {
        ps_slice name;

        PS_TRY(psi_csv_field(csv, &token, &more, err));
        if (!opt->header || !psi_csv_text(opt, &token, &name) || name.n_bytes == 0)
            name = (ps_slice){place, (size_t)snprintf(place, sizeof place, "_c%d", cols->n)};
        PS_TRY(add_column(cols, name, err));
    }
    return PS_OK;
}

/* A name that occurs twice gets its place appended, every time. */
static ps_status tell_apart(columns *cols, bool case_sensitive, ps_error *err)
{
    ps_status rc = PS_OK;
    bool *twice;

    PS_TRY(ps_alloc0((size_t)cols->n * sizeof *twice, &twice, err));
    for (int i = 0; i < cols->n; i++)
        for (int k = 0; k < i; k++)
            if (case_sensitive ? strcmp(cols->items[i].name, cols->items[k].name) == 0
                               : ps_stricmp(cols->items[i].name, cols->items[k].name) == 0)
                twice[i] = twice[k] = true;
    for (int i = 0; rc == PS_OK && i < cols->n; i++) {
        ps_bytes name = {0};

        if (!twice[i])
            continue;
        if ((rc = ps_bytes_printf(&name, err, "%s%d", cols->items[i].name, i)) == PS_OK) {
            ps_free(cols->items[i].name);
            cols->items[i].name = ps_bytes_take(&name);
        }
    }
    ps_free(twice);
    return rc;
}

static ps_status look_at(const psi_csv_options *opt, psi_csv *csv, columns *cols, ps_error *err)
{
    psi_csv_token token;
    bool more = true;

    for (int i = 0; more; i++) {
        ps_slice text;

        PS_TRY(psi_csv_field(csv, &token, &more, err));
        if (opt->infer && i < cols->n && psi_csv_text(opt, &token, &text) && text.n_bytes > 0)
            widen(opt, &cols->items[i], text);
    }
    return PS_OK;
}

static ps_status make_schema(const psi_csv_options *opt, const columns *cols, const ps_type **out, ps_error *err)
{
    ps_field *fields;
    ps_status rc = PS_OK;

    PS_TRY(ps_alloc0((size_t)cols->n * sizeof *fields, &fields, err));
    for (int i = 0; i < cols->n && rc == PS_OK; i++) {
        const column *col = &cols->items[i];

        fields[i].name = col->name;
        fields[i].nullable = true;
        if (!opt->infer || col->kind == PS_NULL)
            fields[i].type = ps_type_of(PS_STRING);
        else if (col->kind == PS_DECIMAL && col->n_digits > 38)
            fields[i].type = ps_type_of(PS_DOUBLE);
        else if (col->kind == PS_DECIMAL)
            rc = ps_type_decimal(col->n_digits, 0, &fields[i].type, err);
        else
            fields[i].type = ps_type_of(col->kind);
    }
    if (rc == PS_OK)
        rc = ps_type_struct(fields, cols->n, out, err);
    for (int i = 0; i < cols->n; i++)
        ps_type_unref(fields[i].type);
    ps_free(fields);
    return rc;
}

/* ---- files ---- */

static ps_status one_file(const psi_csv_options *opt, psi_csv_source *source, columns *cols, bool case_sensitive, ps_error *err)
{
    bool more, first = true;

    for (;;) {
        const char *start;

        PS_TRY(psi_csv_source_next(source, &more, err));
        if (!more)
            return PS_OK;
        start = source->csv.at;
        if (cols->n == 0) {
            PS_TRY(read_names(opt, &source->csv, cols, err));
            PS_TRY(opt->header ? tell_apart(cols, case_sensitive, err) : PS_OK);
            source->csv.at = start;
        }
        if (!opt->infer && !opt->multi_line)
            return PS_OK;
        if (opt->header && first) {
            columns skipped = {0};
            ps_status rc = read_names(opt, &source->csv, &skipped, err);
            clear_columns(&skipped);
            PS_TRY(rc);
        } else {
            PS_TRY(look_at(opt, &source->csv, cols, err));
        }
        first = false;
    }
}

ps_status psi_csv_infer(const ps_format_args *args, ps_fs *fs, const char *const *paths, int n_paths, const ps_type **out,
                        ps_error *err)
{
    bool case_sensitive = args->conf && ps_conf_bool(args->conf, "spark.sql.caseSensitive");
    psi_csv_source source = {0};
    psi_csv_options opt;
    columns cols = {0};
    ps_status rc;

    *out = NULL;
    PS_TRY_OR(done, psi_csv_options_init(&opt, args, true, err));
    PS_TRY_OR(done, psi_sampling_check(args, err));
    for (int i = 0; i < n_paths; i++) {
        PS_TRY_OR(done, psi_csv_source_open(&source, &opt, fs, paths[i], err));
        PS_TRY_OR(done, one_file(&opt, &source, &cols, case_sensitive, err));
    }
    PS_TRY_OR(done, make_schema(&opt, &cols, out, err));
done:
    psi_csv_source_clear(&source);
    clear_columns(&cols);
    psi_csv_options_clear(&opt);
    return rc;
}

ps_status ps_csv_schema_of(const ps_format_args *args, ps_slice text, const ps_type **out, ps_error *err)
{
    psi_csv csv = {0};
    psi_csv_options opt;
    columns cols = {0};
    ps_buf *padded = NULL;
    ps_status rc;

    *out = NULL;
    PS_TRY_OR(done, psi_csv_options_init(&opt, args, true, err));
    PS_TRY_OR(done, ps_buf_new(text.n_bytes, &padded, err));
    memcpy(padded->data, text.data, text.n_bytes);
    opt.header = false;
    opt.infer = true;
    csv.opt = &opt;
    csv.at = (const char *)padded->data;
    csv.end = csv.at + text.n_bytes;
    PS_TRY_OR(done, read_names(&opt, &csv, &cols, err));
    csv.at = (const char *)padded->data;
    PS_TRY_OR(done, look_at(&opt, &csv, &cols, err));
    PS_TRY_OR(done, make_schema(&opt, &cols, out, err));
done:
    ps_buf_unref(padded);
    ps_bytes_clear(&csv.text);
    clear_columns(&cols);
    psi_csv_options_clear(&opt);
    return rc;
}
