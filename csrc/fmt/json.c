/*
 * fmt/json.c - the json format: its row of the table and its options (sources-sinks.md C.7).
 */
#include "fmt/json_int.h"

static bool conf_bool(const ps_format_args *args, const char *key, bool fallback)
{
    return args->conf ? ps_conf_bool(args->conf, key) : fallback;
}

ps_status psi_json_options_init(psi_json_options *opt, const ps_format_args *args, ps_error *err)
{
    const ps_options *o = args->options;

    PS_TRY(ps_options_bool(o, "allowComments", false, &opt->comments, err));
    PS_TRY(ps_options_bool(o, "allowUnquotedFieldNames", false, &opt->bare_names, err));
    PS_TRY(ps_options_bool(o, "allowSingleQuotes", true, &opt->single_quotes, err));
    PS_TRY(ps_options_bool(o, "allowNumericLeadingZeros", false, &opt->leading_zeros, err));
    PS_TRY(ps_options_bool(o, "allowNonNumericNumbers", true, &opt->nan_words, err));
    PS_TRY(ps_options_bool(o, "allowBackslashEscapingAnyCharacter", false, &opt->any_escape, err));
    PS_TRY(ps_options_bool(o, "allowUnquotedControlChars", false, &opt->control_chars, err));
    opt->partial = conf_bool(args, "spark.sql.json.enablePartialResults", true);
    opt->exact = conf_bool(args, "spark.sql.json.enableExactStringParsing", true);
    opt->empty_is_null = conf_bool(args, "spark.sql.legacy.json.allowEmptyString.enabled", false);
    return psi_times_init(&opt->times, args, "json", true, err);
}

void psi_json_options_clear(psi_json_options *opt)
{
    psi_fmt_times_clear(&opt->times);
}

ps_status psi_json_charset(const ps_format_args *args, bool multi_line, psi_charset *out, bool *detect, ps_error *err)
{
    const char *name = psi_charset_option(args);

    *out = PSI_UTF8;
    *detect = multi_line && !name;
    if (!name)
        return PS_OK;
    if (!psi_charset_find(name, out))
        return ps_raise(err, PS_E_CHARSET, "JSONOptions", name);
    if (multi_line)
        return PS_OK;
    if (*out == PSI_UTF16 || *out == PSI_UTF32) /* every line would need its own byte order mark */
        return ps_raise(err, PS_E_JSON_ENCODING, name);
    if (*out != PSI_UTF8 && !ps_options_get(args->options, "lineSep"))
        return ps_raise(err, PS_E_LINE_SEP_NEEDED, name);
    return PS_OK;
}

const ps_format psi_format_json = {
    .name = "json",
    .extension = ".json",
    .reader_new = psi_json_reader_new,
    .writer_new = psi_json_writer_new,
    .infer = psi_json_infer,
};
