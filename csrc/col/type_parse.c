/*
 * col/type_parse.c - types and schemas read from SQL text, by recursive descent.
 *
 *   schema = [column {, column}]            column = name [:] type [NOT NULL] [COMMENT 'text']
 *   type   = ARRAY<type> | MAP<type, type> | STRUCT<[column {, column}]>
 *          | INTERVAL [unit [TO unit]] | word [(number {, number})]
 */
#include "col/type_text.h"
#include "col/text_int.h"
#include "col/type_int.h"
#include <stdio.h>

typedef struct parser {
    ps_slice text;
    size_t at;     /* behind the last token read */
    ps_error *err;
    int depth;
} parser;

static ps_status parse_type(parser *p, const ps_type **out);

/* ---- fields ---- */

ps_status psi_fields_add(psi_fields *fields, ps_slice name, const ps_type *type, bool nullable, const char *metadata,
                         ps_error *err)
{
    ps_field field = {.type = type, .nullable = nullable};
    ps_status rc;

    PS_TRY_OR(fail, ps_strndup(name.data, name.n_bytes, &field.name, err));
    if (metadata)
        PS_TRY_OR(fail, ps_strdup(metadata, &field.metadata, err));
    PS_TRY_OR(fail, PS_PUSH(fields, field, err));
    return PS_OK;
fail:
    ps_free(field.name);
    ps_free(field.metadata);
    ps_type_unref(type);
    return rc;
}

void psi_fields_clear(psi_fields *fields)
{
    for (int i = 0; i < fields->n; i++) {
        ps_free(fields->items[i].name);
        ps_free(fields->items[i].metadata);
        ps_type_unref(fields->items[i].type);
    }
    ps_free(fields->items);
    *fields = (psi_fields){0};
}

/* ---- tokens ---- */

static bool is_word_char(char c)
{
    return psi_is_alpha(c) || psi_is_digit(c) || c == '_' || (unsigned char)c >= 0x80;
}

static void skip_blanks(parser *p)
{
    const char *text = p->text.data;
    size_t end = p->text.n_bytes;

    while (p->at < end) {
        if (psi_is_blank((unsigned char)text[p->at])) {
            p->at++;
        } else if (end - p->at >= 2 && text[p->at] == '-' && text[p->at + 1] == '-') {
            while (p->at < end && text[p->at] != '\n')
                p->at++;
        } else {
            return;
        }
    }
}

static char next_char(parser *p)
{
    skip_blanks(p);
    return p->at < p->text.n_bytes ? p->text.data[p->at] : '\0';
}

static bool take(parser *p, char c)
{
    if (next_char(p) != c || c == '\0')
        return false;
    p->at++;
    return true;
}

/* The word that comes next; empty when something else does. */
static ps_slice next_word(parser *p)
{
    size_t end;

    skip_blanks(p);
    end = p->at;
    while (end < p->text.n_bytes && is_word_char(p->text.data[end]))
        end++;
    return (ps_slice){p->text.data + p->at, end - p->at};
}

static bool take_word(parser *p, const char *word)
{
    ps_slice next = next_word(p);

    if (!ps_slice_equal_nocase(next, ps_slice_of(word)))
        return false;
    p->at += next.n_bytes;
    return true;
}

/* ---- errors ---- */

void ps_error_mark_text(ps_error *err, ps_slice text, size_t at)
{
    size_t line = 1, start = 0, end;

    if (!err)
        return;
    for (size_t i = 0; i < at && i < text.n_bytes; i++) {
        if (text.data[i] == '\n') {
            line++;
            start = i + 1;
        }
    }
    ps_error_append(err, " (line %zu, pos %zu)\n\n== SQL ==\n", line, at - start);
    for (end = start; end < text.n_bytes && text.data[end] != '\n'; end++) {
    }
    ps_error_append(err, "%.*s\n", (int)end, text.data);
    for (size_t i = start; i < at; i++)
        ps_error_append(err, "-");
    ps_error_append(err, "^^^");
    if (end < text.n_bytes)
        ps_error_append(err, "%.*s", (int)(text.n_bytes - end), text.data + end);
    ps_error_append(err, "\n");
}

static ps_status syntax_error(parser *p)
{
    char near[80] = "end of input";
    ps_status rc;

    if (next_char(p) != '\0') {
        ps_slice word = next_word(p);
        int n = word.n_bytes == 0 ? 1 : word.n_bytes > 60 ? 60 : (int)word.n_bytes;
        snprintf(near, sizeof near, "'%.*s'", n, p->text.data + p->at);
    }
    rc = ps_raise(p->err, PS_E_PARSE_SYNTAX, near);
    ps_error_mark_text(p->err, p->text, p->at);
    return rc;
}

/* A name in capitals, for messages. */
static void capitals(ps_slice word, char out[64])
{
    size_t n = word.n_bytes < 63 ? word.n_bytes : 63;

    for (size_t i = 0; i < n; i++)
        out[i] = word.data[i] >= 'a' && word.data[i] <= 'z' ? (char)(word.data[i] - 32) : word.data[i];
    out[n] = '\0';
}

/* ---- names and texts ---- */

/* A column's name: a word with a letter in it, or anything in back quotes. */
static ps_status parse_name(parser *p, ps_bytes *out)
{
    size_t start = (skip_blanks(p), p->at);
    ps_slice word = next_word(p);
    bool letters = false;
    ps_status rc;

    ps_bytes_reset(out);
    if (take(p, '`')) {
        const char *text = p->text.data;
        while (p->at < p->text.n_bytes && (text[p->at] != '`' || (p->at + 1 < p->text.n_bytes && text[p->at + 1] == '`'))) {
            PS_TRY(ps_bytes_char(out, text[p->at], p->err));
            p->at += text[p->at] == '`' ? 2 : 1;
        }
        if (p->at < p->text.n_bytes && out->n_bytes > 0) {
            p->at++;
            return PS_OK;
        }
        p->at = start;
        return syntax_error(p);
    }
    for (size_t i = 0; i < word.n_bytes; i++)
        letters |= !psi_is_digit(word.data[i]);
    if (!letters)
        return syntax_error(p);
    p->at += word.n_bytes;
    if (p->at + 1 < p->text.n_bytes && p->text.data[p->at] == '-' && is_word_char(p->text.data[p->at + 1])) {
        while (p->at < p->text.n_bytes && (is_word_char(p->text.data[p->at]) || p->text.data[p->at] == '-'))
            p->at++;
        rc = ps_raise(p->err, PS_E_IDENTIFIER, (int)(p->at - start), word.data, (int)(p->at - start), word.data);
        ps_error_mark_text(p->err, p->text, start);
        return rc;
    }
    return ps_bytes_append(out, word.data, word.n_bytes, p->err);
}

/* 'text' or "text", with backslashes and doubled quotes. */
static ps_status parse_text(parser *p, ps_bytes *out)
{
    static const char from[] = "0bnrtZ", to[] = "\0\b\n\r\t\x1a";
    char quote = next_char(p);
    size_t at = p->at + 1;

    if (quote != '\'' && quote != '"')
        return syntax_error(p);
    for (; at < p->text.n_bytes; at++) {
        char c = p->text.data[at];
        if (c == quote) {
            if (at + 1 >= p->text.n_bytes || p->text.data[at + 1] != quote) {
                p->at = at + 1;
                return PS_OK;
            }
            at++;
        } else if (c == '\\' && at + 1 < p->text.n_bytes) {
            const char *known = strchr(from, p->text.data[++at]);
            c = known && *known ? to[known - from] : p->text.data[at];
        }
        PS_TRY(ps_bytes_char(out, c, p->err));
    }
    return syntax_error(p);
}

static ps_status parse_comment(parser *p, char **metadata)
{
    ps_bytes text = {0}, json = {0};
    ps_status rc;

    PS_TRY_OR(done, parse_text(p, &text));
    PS_TRY_OR(done, ps_bytes_text(&json, "{\"comment\":", p->err));
    PS_TRY_OR(done, ps_bytes_json_string(&json, ps_bytes_slice(&text), p->err));
    PS_TRY_OR(done, ps_bytes_char(&json, '}', p->err));
    *metadata = ps_bytes_take(&json);
done:
    ps_bytes_clear(&text);
    ps_bytes_clear(&json);
    return rc;
}

/* ---- columns and types ---- */

static ps_status parse_column(parser *p, psi_fields *fields)
{
    const ps_type *type = NULL;
    char *metadata = NULL;
    ps_bytes name = {0};
    bool nullable = true;
    ps_status rc;

    PS_TRY_OR(done, parse_name(p, &name));
    take(p, ':');
    PS_TRY_OR(done, parse_type(p, &type));
    if (take_word(p, "not")) {
        if (!take_word(p, "null")) {
            rc = syntax_error(p);
            goto done;
        }
        nullable = false;
    }
    if (take_word(p, "comment"))
        PS_TRY_OR(done, parse_comment(p, &metadata));
    rc = psi_fields_add(fields, ps_bytes_slice(&name), type, nullable, metadata, p->err);
    type = NULL;
done:
    ps_type_unref(type);
    ps_free(metadata);
    ps_bytes_clear(&name);
    return rc;
}

/* Columns up to `end` ('\0': the end of the text), which is consumed. */
static ps_status parse_columns(parser *p, char end, const ps_type **out)
{
    psi_fields fields = {0};
    ps_status rc = PS_OK;

    if (next_char(p) != end) {
        do {
            PS_TRY_OR(done, parse_column(p, &fields));
        } while (take(p, ','));
    }
    if (next_char(p) != end) {
        rc = syntax_error(p);
        goto done;
    }
    p->at += end != '\0';
    rc = ps_type_struct(fields.items, fields.n, out, p->err);
done:
    psi_fields_clear(&fields);
    return rc;
}

static int unit_of(ps_slice word, const char *const *units, int n)
{
    for (int i = 0; i < n; i++)
        if (ps_slice_equal_nocase(word, ps_slice_of(units[i])))
            return i;
    return -1;
}

/* Behind the word INTERVAL. */
static ps_status parse_interval(parser *p, const ps_type **out)
{
    ps_slice word = next_word(p);
    ps_kind kind = unit_of(word, psi_year_units, 2) >= 0 ? PS_YEARMONTH : PS_DAYTIME;
    const char *const *units = kind == PS_YEARMONTH ? psi_year_units : psi_day_units;
    int n = kind == PS_YEARMONTH ? 2 : 4, from = unit_of(word, units, n), to = from;

    if (from < 0) {
        *out = ps_type_of(PS_CALENDAR);
        return PS_OK;
    }
    p->at += word.n_bytes;
    if (take_word(p, "to")) {
        to = unit_of(next_word(p), units, n);
        if (to <= from)
            return syntax_error(p);
        p->at += next_word(p).n_bytes;
    }
    return ps_type_interval(kind, from, to, out, p->err);
}

/* The parts of ARRAY and MAP, behind the '<'. */
static ps_status parse_parts(parser *p, ps_kind kind, const ps_type **out)
{
    const ps_type *part[2] = {NULL, NULL};
    ps_status rc;

    PS_TRY_OR(done, parse_type(p, &part[0]));
    if (kind == PS_MAP) {
        if (!take(p, ',')) {
            rc = syntax_error(p);
            goto done;
        }
        PS_TRY_OR(done, parse_type(p, &part[1]));
    }
    if (!take(p, '>'))
        rc = syntax_error(p);
    else if (kind == PS_MAP)
        rc = ps_type_map(part[0], part[1], true, out, p->err);
    else
        rc = ps_type_array(part[0], true, out, p->err);
done:
    ps_type_unref(part[0]);
    ps_type_unref(part[1]);
    return rc;
}

static ps_status parse_nested(parser *p, ps_kind kind, size_t start, const ps_type **out)
{
    static const ps_status incomplete[] = {PS_E_INCOMPLETE_ARRAY, PS_E_INCOMPLETE_MAP, PS_E_INCOMPLETE_STRUCT};
    ps_status rc;

    if (!take(p, '<')) {
        rc = ps_raise(p->err, incomplete[kind - PS_ARRAY]);
        ps_error_mark_text(p->err, p->text, start);
        return rc;
    }
    if (++p->depth > PSI_TYPE_DEPTH)
        return syntax_error(p);
    rc = kind == PS_STRUCT ? parse_columns(p, '>', out) : parse_parts(p, kind, out);
    p->depth--;
    return rc;
}

/* (n {, n}); *n is -1 without parentheses. */
static ps_status parse_numbers(parser *p, int64_t values[2], int *n)
{
    *n = -1;
    if (!take(p, '('))
        return PS_OK;
    *n = 0;
    do {
        ps_slice word = next_word(p);
        if (*n == 2 || !ps_parse_int64(word, &values[*n]))
            return syntax_error(p);
        values[*n] = values[*n] > INT32_MAX ? INT32_MAX : values[*n];
        ++*n;
        p->at += word.n_bytes;
    } while (take(p, ','));
    return take(p, ')') ? PS_OK : syntax_error(p);
}

static const struct { const char *word; ps_kind kind; } words[] = {
    {"void", PS_NULL},           {"null", PS_NULL},           {"boolean", PS_BOOL},
    {"tinyint", PS_INT8},        {"byte", PS_INT8},           {"smallint", PS_INT16},
    {"short", PS_INT16},         {"int", PS_INT32},           {"integer", PS_INT32},
    {"bigint", PS_INT64},        {"long", PS_INT64},          {"float", PS_FLOAT},
    {"real", PS_FLOAT},          {"double", PS_DOUBLE},       {"decimal", PS_DECIMAL},
    {"dec", PS_DECIMAL},         {"numeric", PS_DECIMAL},     {"string", PS_STRING},
    {"binary", PS_BINARY},       {"date", PS_DATE},           {"timestamp", PS_TIMESTAMP},
    {"timestamp_ltz", PS_TIMESTAMP}, {"timestamp_ntz", PS_TIMESTAMP_NTZ}, {"array", PS_ARRAY},
    {"map", PS_MAP},             {"struct", PS_STRUCT},       {"interval", PS_CALENDAR}};

static ps_status parse_string(parser *p, const ps_type **out)
{
    *out = ps_type_of(PS_STRING);
    if (!take_word(p, "collate"))
        return PS_OK;
    if (!take_word(p, "utf8_binary"))
        return ps_raise(p->err, PS_E_NOT_BUILT, "A collation other than UTF8_BINARY");
    return PS_OK;
}

/* CHAR(n) and VARCHAR(n), and types that Spark has and pystream has not. */
static ps_status parse_other(parser *p, ps_slice word, size_t start, const ps_type **out)
{
    bool varying = ps_slice_equal_nocase(word, ps_slice_of("varchar"));
    bool sized = varying || ps_slice_equal_nocase(word, ps_slice_of("char")) ||
                 ps_slice_equal_nocase(word, ps_slice_of("character"));
    int64_t values[2];
    char name[64];
    int n;
    ps_status rc;

    capitals(word, name);
    if (strcmp(name, "VARIANT") == 0 || strcmp(name, "TIME") == 0)
        return ps_raise(p->err, PS_E_NOT_BUILT, strcmp(name, "TIME") == 0 ? "The type TIME" : "The type VARIANT");
    PS_TRY(parse_numbers(p, values, &n));
    if (sized && n == 1 && values[0] > 0)
        return ps_type_string_sized(varying, (uint32_t)values[0], out, p->err);
    if (sized && n == -1)
        rc = ps_raise(p->err, PS_E_TYPE_SIZE, name, name);
    else
        rc = ps_raise(p->err, PS_E_UNSUPPORTED_DATATYPE, name);
    ps_error_mark_text(p->err, p->text, start);
    return rc;
}

static ps_status parse_atom(parser *p, ps_kind kind, ps_slice word, size_t start, const ps_type **out)
{
    int64_t values[2] = {10, 0};
    char name[64];
    ps_status rc;
    int n;

    PS_TRY(parse_numbers(p, values, &n));
    if (kind == PS_DECIMAL && n != 0) {
        if ((rc = ps_type_decimal((int)values[0], (int)values[1], out, p->err)) == PS_E_DECIMAL_SCALE)
            ps_error_mark_text(p->err, p->text, start);
        return rc;
    }
    if (n == -1) {
        *out = ps_type_of(kind);
        return PS_OK;
    }
    capitals(word, name);
    rc = ps_raise(p->err, PS_E_UNSUPPORTED_DATATYPE, name);
    ps_error_mark_text(p->err, p->text, start);
    return rc;
}

static ps_status parse_type(parser *p, const ps_type **out)
{
    ps_slice word = next_word(p);
    size_t start = p->at;

    *out = NULL;
    if (word.n_bytes == 0 || psi_is_digit(word.data[0]))
        return syntax_error(p);
    p->at += word.n_bytes;
    for (size_t i = 0; i < PS_COUNT_OF(words); i++) {
        if (!ps_slice_equal_nocase(word, ps_slice_of(words[i].word)))
            continue;
        if (ps_kind_is_nested(words[i].kind))
            return parse_nested(p, words[i].kind, start, out);
        if (words[i].kind == PS_CALENDAR)
            return parse_interval(p, out);
        if (words[i].kind == PS_STRING)
            return parse_string(p, out);
        return parse_atom(p, words[i].kind, word, start, out);
    }
    return parse_other(p, word, start, out);
}

ps_status ps_type_parse(ps_slice text, const ps_type **out, ps_error *err)
{
    parser p = {.text = text, .err = err};
    ps_status rc;

    PS_TRY(parse_type(&p, out));
    if (next_char(&p) == '\0')
        return PS_OK;
    rc = syntax_error(&p);
    ps_type_unref(*out);
    *out = NULL;
    return rc;
}

ps_status ps_schema_parse(ps_slice text, const ps_type **out, ps_error *err)
{
    parser p = {.text = text, .err = err};
    ps_status rc;

    *out = NULL;
    if ((rc = parse_columns(&p, '\0', out)) == PS_OK || rc == PS_E_NO_MEMORY)
        return rc;
    if (ps_type_parse(text, out, NULL) == PS_OK) {
        if ((*out)->kind == PS_STRUCT) {
            if (err)
                err->code = PS_OK;
            return PS_OK;
        }
        ps_type_unref(*out);
        *out = NULL;
    }
    return rc;
}

/* CHAR and VARCHAR are STRING outside of schemas, at any depth. */
static ps_status without_sizes(const ps_type *type, const ps_type **out, ps_error *err)
{
    const ps_type *part[2] = {NULL, NULL};
    ps_status rc = PS_OK;

    *out = NULL;
    if (type->kind == PS_ARRAY || type->kind == PS_MAP) {
        for (int i = 0; i < type->n_fields && rc == PS_OK; i++)
            rc = without_sizes(type->fields[i].type, &part[i], err);
        if (rc == PS_OK && type->kind == PS_ARRAY)
            rc = ps_type_array(part[0], type->fields[0].nullable, out, err);
        else if (rc == PS_OK)
            rc = ps_type_map(part[0], part[1], type->fields[1].nullable, out, err);
        ps_type_unref(part[0]);
        ps_type_unref(part[1]);
    } else if (type->kind == PS_STRUCT) {
        psi_fields fields = {0};
        for (int i = 0; i < type->n_fields && rc == PS_OK; i++) {
            const ps_field *field = &type->fields[i];
            if ((rc = without_sizes(field->type, &part[0], err)) == PS_OK)
                rc = psi_fields_add(&fields, ps_slice_of(field->name), part[0], field->nullable, field->metadata, err);
        }
        if (rc == PS_OK)
            rc = ps_type_struct(fields.items, fields.n, out, err);
        psi_fields_clear(&fields);
    } else {
        *out = type->length > 0 ? ps_type_of(PS_STRING) : ps_type_ref(type);
    }
    return rc;
}

ps_status ps_type_parse_at(ps_slice text, size_t *at, const ps_type **out, ps_error *err)
{
    parser p = {.text = text, .at = *at, .err = err};
    const ps_type *type;
    ps_status rc;

    *out = NULL;
    PS_TRY(parse_type(&p, &type));
    rc = without_sizes(type, out, err);
    ps_type_unref(type);
    *at = p.at;
    return rc;
}
