/*
 * fmt/csv.c - the csv format: its row of the table and its options (sources-sinks.md C.4).
 */
#include "fmt/csv_int.h"
#include "base/utf8.h"
#include "col/type_text.h"

static ps_status bool_option(const ps_format_args *args, const char *key, bool fallback, bool *out, ps_error *err)
{
    const char *value = ps_options_get(args->options, key);

    *out = fallback;
    if (!value)
        return PS_OK;
    *out = ps_stricmp(value, "true") == 0;
    return *out || ps_stricmp(value, "false") == 0 ? PS_OK : ps_raise(err, PS_E_CSV_BOOL, key);
}

static ps_status int_option(const ps_format_args *args, const char *key, int64_t fallback, int64_t *out, ps_error *err)
{
    const char *value = ps_options_get(args->options, key);

    *out = fallback;
    if (value && (!ps_parse_int(value, out) || *out < INT32_MIN || *out > INT32_MAX))
        return ps_raise(err, PS_E_CSV_INT, key, value);
    return PS_OK;
}

/* One character, or none at all for an empty text. */
static ps_status char_option(const ps_format_args *args, const char *key, char fallback, char *out, ps_error *err)
{
    const char *value = ps_options_get(args->options, key);
    size_t n = value ? strlen(value) : 0;

    *out = value ? value[0] : fallback;
    if (n > 3 || (n > 1 && ps_utf8_width((uint8_t)value[0]) != n)) /* of UTF-16, as Spark counts */
        return ps_raise(err, PS_E_OPTION_ONE_CHARACTER, key);
    if (n > 1)
        return ps_raise(err, PS_E_NOT_BUILT, "A CSV quote, escape or comment character beyond ASCII");
    return PS_OK;
}

static ps_slice text_option(const ps_format_args *args, const char *key, const char *fallback)
{
    const char *value = ps_options_get(args->options, key);

    return ps_slice_of(value ? value : fallback);
}

/* A separator with its backslash escapes. */
static ps_status sep_option(psi_csv_options *opt, const ps_format_args *args, ps_error *err)
{
    static const char from[] = "trbf\"'\\", to[] = "\t\r\b\f\"'\\";
    const char *value = ps_options_get(args->options, "sep"), *found;

    if (!value)
        value = ps_options_get(args->options, "delimiter");
    if (!value)
        value = ",";
    if (!*value)
        return ps_raise(err, PS_E_CSV_DELIMITER_EMPTY);
    for (; *value; value++) {
        char c = *value;

        if (opt->n_sep == (int)sizeof opt->sep)
            return ps_raise(err, PS_E_OPTION_VALUE, value, "sep", "at most 32 characters");
        if (c == '\\') {
            if (!*++value)
                return ps_raise(err, PS_E_CSV_DELIMITER_BACKSLASH);
            if (strncmp(value, "u0000", 5) == 0) {
                c = '\0';
                value += 4;
            } else if ((found = strchr(from, *value)) != NULL) {
                c = to[found - from];
            } else {
                return ps_raise(err, PS_E_CSV_DELIMITER_ESCAPE, value - 1);
            }
        }
        opt->sep[opt->n_sep++] = c;
    }
    return PS_OK;
}

static ps_status file_options(psi_csv_options *opt, const ps_format_args *args, ps_error *err)
{
    const char *charset = psi_charset_option(args);

    PS_TRY(psi_line_sep_option(args, &opt->line_sep, err));
    if (ps_utf8_count(opt->line_sep) > 2)
        return ps_raise(err, PS_E_LINE_SEP_LONG);
    opt->charset = PSI_UTF8;
    if (charset && (!psi_charset_find(charset, &opt->charset) || opt->charset > PSI_UTF32))
        return ps_raise(err, PS_E_CHARSET, "CSVOptions", charset);
    return PS_OK;
}

static ps_status quote_options(psi_csv_options *opt, const ps_format_args *args, ps_error *err)
{
    static const char *const names[] = {"STOP_AT_DELIMITER", "STOP_AT_CLOSING_QUOTE", "BACK_TO_DELIMITER", "SKIP_VALUE",
                                        "RAISE_ERROR"};
    const char *handling = ps_options_get(args->options, "unescapedQuoteHandling");

    PS_TRY(char_option(args, "quote", '"', &opt->quote, err));
    PS_TRY(char_option(args, "escape", '\\', &opt->escape, err));
    PS_TRY(char_option(args, "comment", '\0', &opt->comment, err));
    PS_TRY(char_option(args, "charToEscapeQuoteEscaping", opt->escape == opt->quote ? '\0' : opt->escape,
                       &opt->escape_escape, err));
    for (int i = 0; handling && i < (int)PS_COUNT_OF(names); i++)
        if (ps_stricmp(handling, names[i]) == 0)
            opt->unescaped = (psi_unescaped)i;
    return PS_OK;
}

ps_status psi_csv_options_init(psi_csv_options *opt, const ps_format_args *args, bool reading, ps_error *err)
{
    bool prune = !args->conf || ps_conf_bool(args->conf, "spark.sql.csv.parser.columnPruning.enabled");

    *opt = (psi_csv_options){0};
    PS_TRY(bool_option(args, "header", false, &opt->header, err));
    PS_TRY(bool_option(args, "multiLine", false, &opt->multi_line, err));
    PS_TRY(bool_option(args, "enforceSchema", true, &opt->enforce_schema, err));
    PS_TRY(bool_option(args, "inferSchema", false, &opt->infer, err));
    PS_TRY(bool_option(args, "preferDate", true, &opt->prefer_date, err));
    PS_TRY(bool_option(args, "columnPruning", prune, &opt->prune, err));
    PS_TRY(bool_option(args, "ignoreLeadingWhiteSpace", !reading, &opt->trim_left, err));
    PS_TRY(bool_option(args, "ignoreTrailingWhiteSpace", !reading, &opt->trim_right, err));
    PS_TRY(bool_option(args, "quoteAll", false, &opt->quote_all, err));
    PS_TRY(bool_option(args, "escapeQuotes", true, &opt->escape_quotes, err));
    PS_TRY(int_option(args, "maxColumns", 20480, &opt->max_columns, err));
    PS_TRY(int_option(args, "maxCharsPerColumn", -1, &opt->max_chars, err));
    PS_TRY(sep_option(opt, args, err));
    PS_TRY(quote_options(opt, args, err));
    PS_TRY(file_options(opt, args, err));
    opt->null_given = ps_options_get(args->options, "nullValue") != NULL;
    opt->null_value = text_option(args, "nullValue", "");
    opt->empty_value = text_option(args, "emptyValue", reading ? "" : "\"\"");
    opt->nan = text_option(args, "nanValue", "NaN");
    opt->infinity = text_option(args, "positiveInf", "Inf");
    opt->minus_infinity = text_option(args, "negativeInf", "-Inf");
    return psi_times_init(&opt->times, args, "csv", reading, err);
}

void psi_csv_options_clear(psi_csv_options *opt)
{
    psi_fmt_times_clear(&opt->times);
}

ps_status psi_csv_check_types(const ps_type *schema, ps_error *err)
{
    for (int i = 0; i < schema->n_fields; i++) {
        const ps_field *f = &schema->fields[i];
        if (ps_kind_is_nested(f->type->kind) || f->type->kind == PS_NULL)
            return ps_raise(err, PS_E_TYPE_FOR_SOURCE, "csv", f->name, ps_type_name(f->type));
    }
    return PS_OK;
}

const ps_format psi_format_csv = {
    .name = "csv",
    .extension = ".csv",
    .reader_new = psi_csv_reader_new,
    .writer_new = psi_csv_writer_new,
    .infer = psi_csv_infer,
};
