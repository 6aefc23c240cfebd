/*
 * fmt/json_scan.c - JSON tokens, with the options of Spark's parser, never reading beyond the end.
 */
#include "fmt/json_int.h"
#include "col/text.h"
#include "fmt/simd_int.h"

/* ---- blanks and comments ---- */

static inline bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static int skip_comment(psi_json *j)
{
    if (j->end - j->at < 2)
        return PSI_SYNTAX;
    if (j->at[1] == '/') {
        while (j->at < j->end && *j->at != '\n' && *j->at != '\r')
            j->at++;
        return PS_OK;
    }
    if (j->at[1] != '*')
        return PSI_SYNTAX;
    for (j->at += 2; j->end - j->at >= 2; j->at++) {
        if (j->at[0] == '*' && j->at[1] == '/') {
            j->at += 2;
            return PS_OK;
        }
    }
    return PSI_SYNTAX;
}

int psi_json_blanks(psi_json *j)
{
    for (;;) {
        while (j->at < j->end && is_blank(*j->at))
            j->at++;
        if (PS_LIKELY(!j->opt->comments || !psi_json_is(j, '/')))
            return PS_OK;
        if (skip_comment(j) != PS_OK)
            return PSI_SYNTAX;
    }
}

/* ---- strings ---- */

/* Where a plain run of string characters ends: at the quote, a backslash, a control character or the end. */
static const char *plain_run(const char *p, const char *end, char quote)
{
    if (quote == '"') {
        for (; end - p >= 16; p += 16) {
            uint32_t stop = psi_string_stop(psi_load(p));
            if (stop)
                return p + psi_first(stop);
        }
    }
    while (p < end && *p != quote && *p != '\\' && (uint8_t)*p >= 0x20)
        p++;
    return p;
}

static int hex4(const char *p, const char *end, uint32_t *out)
{
    uint32_t c = 0;

    if (end - p < 4)
        return PSI_SYNTAX;
    for (int i = 0; i < 4; i++) {
        char x = p[i];
        int digit = x >= '0' && x <= '9' ? x - '0' : (x | 32) >= 'a' && (x | 32) <= 'f' ? (x | 32) - 'a' + 10 : -1;
        if (digit < 0)
            return PSI_SYNTAX;
        c = c << 4 | (uint32_t)digit;
    }
    *out = c;
    return PS_OK;
}

/* At 'u': one escape, or the two of a pair. */
static int unicode_escape(psi_json *j, char *out, int *n)
{
    uint32_t c, low;

    if (hex4(j->at + 1, j->end, &c) != PS_OK)
        return PSI_SYNTAX;
    j->at += 5;
    if (c >= 0xd800 && c <= 0xdbff && j->end - j->at >= 6 && j->at[0] == '\\' && j->at[1] == 'u' &&
        hex4(j->at + 2, j->end, &low) == PS_OK && low >= 0xdc00 && low <= 0xdfff) {
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        j->at += 6;
    }
    *n = (int)ps_utf8_put(c >= 0xd800 && c <= 0xdfff ? '?' : c, out); /* as Java's getBytes */
    return PS_OK;
}

/* Behind a backslash: the character it stands for. */
static int escape(psi_json *j, char *out, int *n)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *found;
    char c;

    if (j->at >= j->end)
        return PSI_SYNTAX;
    c = *j->at;
    if (c == 'u')
        return unicode_escape(j, out, n);
    found = c ? strchr(from, c) : NULL;
    if (!found && !j->opt->any_escape && !(c == '\'' && j->opt->single_quotes))
        return PSI_SYNTAX;
    out[0] = found ? to[found - from] : c;
    *n = 1;
    j->at++;
    return PS_OK;
}

/* Well-formed; cut short by the closing quote alone (Spark's parser then goes on behind the quote); or neither. */
static int check_utf8(ps_slice text)
{
    size_t n = ps_utf8_prefix(text.data, text.n_bytes);
    const uint8_t *s = (const uint8_t *)text.data + n;
    size_t left = text.n_bytes - n, needed;

    if (left == 0)
        return PS_OK;
    needed = ps_utf8_width(s[0]);
    if (needed == 1 || left >= needed)
        return PSI_SYNTAX;
    for (size_t i = 1; i < left; i++)
        if ((s[i] & 0xc0) != 0x80)
            return PSI_SYNTAX;
    return PSI_BAD;
}

static int decode_string(psi_json *j, char quote, const char *start, ps_bytes *out, ps_error *err)
{
    ps_bytes_reset(out);
    for (;;) {
        const char *run = plain_run(j->at, j->end, quote);
        char one[4];
        int n;

        PS_TRY(ps_bytes_append(out, start, (size_t)(run - start), err));
        j->at = start = run;
        if (run == j->end)
            return PSI_SYNTAX;
        if (*run == quote)
            break;
        if (*run != '\\') {
            if (!j->opt->control_chars)
                return PSI_SYNTAX;
            j->at++;
            continue;
        }
        j->at++;
        if (escape(j, one, &n) != PS_OK)
            return PSI_SYNTAX;
        PS_TRY(ps_bytes_append(out, one, (size_t)n, err));
        start = j->at;
    }
    j->at++;
    return PS_OK;
}

/* At a quote; decoded text goes to `out`. */
static int read_string(psi_json *j, ps_bytes *out, ps_slice *text, bool *decoded, ps_error *err)
{
    char quote = *j->at++;
    const char *start = j->at, *run = plain_run(start, j->end, quote);

    *decoded = run < j->end && *run != quote;
    if (run == j->end)
        return PSI_SYNTAX;
    j->at = run;
    if (*decoded) {
        int rc = decode_string(j, quote, start, out, err);
        if (rc != PS_OK)
            return rc;
        *text = (ps_slice){out->data ? out->data : "", out->n_bytes};
    } else {
        *text = (ps_slice){start, (size_t)(run - start)};
        j->at++;
    }
    return check_utf8(*text);
}

int psi_json_string(psi_json *j, ps_slice *text, bool *decoded, ps_error *err)
{
    return read_string(j, &j->text, text, decoded, err);
}

/* A string whose text nobody wants: its grammar is checked all the same. */
static int skip_string(psi_json *j)
{
    char quote = *j->at++;
    const char *start = j->at;

    for (;;) {
        char one[4];
        int n;

        j->at = plain_run(j->at, j->end, quote);
        if (j->at == j->end)
            return PSI_SYNTAX;
        if (*j->at == quote)
            break;
        if (*j->at != '\\') {
            if (!j->opt->control_chars)
                return PSI_SYNTAX;
            j->at++;
            continue;
        }
        j->at++;
        if (escape(j, one, &n) != PS_OK)
            return PSI_SYNTAX;
    }
    if (ps_utf8_prefix(start, (size_t)(j->at - start)) != (size_t)(j->at - start))
        return PSI_SYNTAX;
    j->at++;
    return PS_OK;
}

static inline bool at_quote(const psi_json *j)
{
    return psi_json_is(j, '"') || (j->opt->single_quotes && psi_json_is(j, '\''));
}

static inline bool is_word_char(char c)
{
    return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '_' || c == '$' || (uint8_t)c >= 0x80;
}

static int bare_name(psi_json *j, ps_slice *name)
{
    const char *start = j->at;

    if (!j->opt->bare_names || j->at == j->end || (!is_word_char(*j->at) && !strchr("#*+-@", *j->at)) || !*j->at)
        return PSI_SYNTAX;
    while (j->at < j->end && *j->at && (is_word_char(*j->at) || strchr("#*+-@", *j->at)))
        j->at++;
    *name = (ps_slice){start, (size_t)(j->at - start)};
    return *start >= '0' && *start <= '9' ? PSI_SYNTAX : PS_OK;
}

int psi_json_name(psi_json *j, ps_slice *name, ps_error *err)
{
    bool decoded;
    int rc = at_quote(j) ? read_string(j, &j->name, name, &decoded, err) : bare_name(j, name);

    if (rc != PS_OK)
        return rc == PSI_BAD ? PSI_SYNTAX : rc;
    if (psi_json_blanks(j) != PS_OK || !psi_json_is(j, ':'))
        return PSI_SYNTAX;
    j->at++;
    return psi_json_blanks(j);
}

/* ---- numbers and words ---- */

static inline bool is_digit(const psi_json *j)
{
    return j->at < j->end && *j->at >= '0' && *j->at <= '9';
}

static bool take_word(psi_json *j, const char *word)
{
    size_t n = strlen(word);

    if ((size_t)(j->end - j->at) < n || memcmp(j->at, word, n) != 0 ||
        (j->at + n < j->end && is_word_char(j->at[n])))
        return false;
    j->at += n;
    return true;
}

static int digits(psi_json *j)
{
    if (!is_digit(j))
        return PSI_SYNTAX;
    while (is_digit(j))
        j->at++;
    return PS_OK;
}

static int number(psi_json *j, psi_token *token)
{
    const char *start = j->at;

    *token = PSI_T_INT;
    if (psi_json_is(j, '-'))
        j->at++;
    if (psi_json_is(j, '0') && !j->opt->leading_zeros) {
        j->at++;
        if (is_digit(j))
            return PSI_SYNTAX;
    } else if (digits(j) != PS_OK) {
        return PSI_SYNTAX;
    }
    if (psi_json_is(j, '.')) {
        *token = PSI_T_FLOAT;
        j->at++;
        if (digits(j) != PS_OK)
            return PSI_SYNTAX;
    }
    if (psi_json_is(j, 'e') || psi_json_is(j, 'E')) {
        *token = PSI_T_FLOAT;
        j->at++;
        if (psi_json_is(j, '+') || psi_json_is(j, '-'))
            j->at++;
        if (digits(j) != PS_OK)
            return PSI_SYNTAX;
    }
    return j->at - start > PSI_JSON_NUMBER ? PSI_SYNTAX : PS_OK;
}

/* NaN and the infinities, bare. */
static bool take_nan_word(psi_json *j)
{
    static const char *const words[] = {"NaN", "Infinity", "-Infinity", "-INF", "+INF", "+Infinity"};

    if (!j->opt->nan_words)
        return false;
    for (size_t i = 0; i < PS_COUNT_OF(words); i++)
        if (take_word(j, words[i]))
            return true;
    return false;
}

int psi_json_token(psi_json *j, psi_token *token, ps_slice *text)
{
    const char *start = j->at;
    int rc = PS_OK;

    *text = (ps_slice){start, 0};
    if (j->at == j->end)
        return PSI_SYNTAX;
    switch (*j->at) {
    case '{': *token = PSI_T_OBJECT; return PS_OK;
    case '[': *token = PSI_T_ARRAY; return PS_OK;
    case '"': *token = PSI_T_STRING; return PS_OK;
    case '\'': *token = PSI_T_STRING; return j->opt->single_quotes ? PS_OK : PSI_SYNTAX;
    case 't': *token = PSI_T_TRUE; rc = take_word(j, "true") ? PS_OK : PSI_SYNTAX; break;
    case 'f': *token = PSI_T_FALSE; rc = take_word(j, "false") ? PS_OK : PSI_SYNTAX; break;
    case 'n': *token = PSI_T_NULL; rc = take_word(j, "null") ? PS_OK : PSI_SYNTAX; break;
    case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9':
        rc = number(j, token);
        break;
    default:
        if (take_nan_word(j))
            *token = PSI_T_FLOAT;
        else
            rc = *start == '-' ? number(j, token) : PSI_SYNTAX;
    }
    text->n_bytes = (size_t)(j->at - start);
    return rc;
}

int psi_json_next(psi_json *j, char close, bool *more)
{
    *more = false;
    if (psi_json_blanks(j) != PS_OK || j->at == j->end)
        return PSI_SYNTAX;
    if (*j->at == close) {
        j->at++;
        return PS_OK;
    }
    if (*j->at != ',')
        return PSI_SYNTAX;
    j->at++;
    *more = true;
    return psi_json_blanks(j);
}

/* ---- whole values ---- */

/* Which of the open containers are objects, innermost last. */
typedef struct nesting {
    uint64_t objects[PSI_JSON_DEPTH / 64 + 1];
    int depth;
} nesting;

static inline bool in_object(const nesting *nest)
{
    int i = nest->depth - 1;
    return nest->objects[i / 64] >> (i % 64) & 1;
}

static bool enter(nesting *nest, bool object)
{
    uint64_t bit = 1ull << (nest->depth % 64);

    if (nest->depth >= PSI_JSON_DEPTH)
        return false;
    if (object)
        nest->objects[nest->depth / 64] |= bit;
    else
        nest->objects[nest->depth / 64] &= ~bit;
    nest->depth++;
    return true;
}

static int copy_number(ps_slice text, psi_token token, ps_bytes *out, ps_error *err)
{
    char buffer[PS_NUMBER_TEXT];
    double value;

    if (token == PSI_T_INT && ps_slice_equal(text, ps_slice_of("-0")))
        return ps_bytes_char(out, '0', err);
    if (token == PSI_T_FLOAT && ps_parse_double(text, &value))
        return ps_bytes_append(out, buffer, (size_t)ps_format_double(value, buffer), err);
    if (token == PSI_T_FLOAT) { /* NaN and the infinities become strings */
        bool negative = text.data[0] == '-';
        PS_TRY(ps_bytes_text(out, text.data[0] == 'N' ? "\"NaN\"" : negative ? "\"-Infinity\"" : "\"Infinity\"", err));
        return PS_OK;
    }
    return ps_bytes_append(out, text.data, text.n_bytes, err);
}

static int copy_string(psi_json *j, ps_bytes *out, ps_error *err)
{
    ps_slice text;
    bool decoded;
    int rc = psi_json_string(j, &text, &decoded, err);

    return rc == PS_OK ? ps_bytes_json_string(out, text, err) : rc;
}

static int copy_name(psi_json *j, ps_bytes *out, ps_error *err)
{
    ps_slice name;
    int rc = psi_json_name(j, &name, err);

    if (rc != PS_OK || !out)
        return rc;
    PS_TRY(ps_bytes_json_string(out, name, err));
    return ps_bytes_char(out, ':', err);
}

static int open_container(psi_json *j, nesting *nest, bool object, bool *opened, ps_bytes *out, ps_error *err)
{
    char close = object ? '}' : ']';

    if (!enter(nest, object))
        return PSI_SYNTAX;
    if (out)
        PS_TRY(ps_bytes_char(out, *j->at, err));
    j->at++;
    if (psi_json_blanks(j) != PS_OK)
        return PSI_SYNTAX;
    *opened = !psi_json_is(j, close);
    if (*opened)
        return object ? copy_name(j, out, err) : PS_OK;
    j->at++;
    nest->depth--;
    return out ? ps_bytes_char(out, close, err) : PS_OK;
}

/* At the first character of a value.  Appends it to `out` unless that is NULL.  *opened: a container was entered that
 * has members. */
static int one_value(psi_json *j, nesting *nest, bool *opened, ps_bytes *out, ps_error *err)
{
    psi_token token;
    ps_slice text;
    int rc = psi_json_token(j, &token, &text);

    *opened = false;
    if (rc != PS_OK)
        return rc;
    switch (token) {
    case PSI_T_STRING: return out ? copy_string(j, out, err) : skip_string(j);
    case PSI_T_OBJECT: return open_container(j, nest, true, opened, out, err);
    case PSI_T_ARRAY: return open_container(j, nest, false, opened, out, err);
    default: return out ? copy_number(text, token, out, err) : PS_OK;
    }
}

static int walk(psi_json *j, ps_bytes *out, ps_error *err)
{
    nesting nest = {.depth = 0};
    bool more;

    for (;;) {
        int rc = one_value(j, &nest, &more, out, err);

        if (rc != PS_OK)
            return rc;
        while (!more) { /* a value is complete: what comes next in its container? */
            bool object;
            if (nest.depth == 0)
                return PS_OK;
            object = in_object(&nest);
            if ((rc = psi_json_next(j, object ? '}' : ']', &more)) != PS_OK)
                return rc;
            if (out)
                PS_TRY(ps_bytes_char(out, more ? ',' : object ? '}' : ']', err));
            if (!more)
                nest.depth--;
            else if (object && (rc = copy_name(j, out, err)) != PS_OK)
                return rc;
        }
    }
}

int psi_json_skip(psi_json *j, ps_error *err)
{
    return walk(j, NULL, err);
}

int psi_json_compact(psi_json *j, ps_bytes *out, ps_error *err)
{
    return walk(j, out, err);
}
