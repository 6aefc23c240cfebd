/*
 * base/json.c - a recursive-descent reader of RFC 8259, and a writer.
 */
#include "base/json.h"
#include "base/utf8.h"
#include "base/option.h"

#define MAX_DEPTH 200

typedef struct reader {
    const char *start, *p, *end;
    ps_arena *arena;
    ps_error *err;
    int depth;
} reader;

static ps_status parse_value(reader *r, ps_json **out);

static ps_status fail(reader *r, const char *what)
{
    return ps_raise(r->err, PS_E_BAD_JSON, (size_t)(r->p - r->start), what);
}

static void skip_blanks(reader *r)
{
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\t' || *r->p == '\n' || *r->p == '\r'))
        r->p++;
}

static bool take(reader *r, char c)
{
    if (r->p >= r->end || *r->p != c)
        return false;
    r->p++;
    return true;
}

/* ---- text ---- */

static bool take_hex4(reader *r, uint32_t *out)
{
    *out = 0;
    if (r->end - r->p < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        char c = r->p[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return false;
        *out = *out << 4 | (uint32_t)digit;
    }
    r->p += 4;
    return true;
}

/* Behind "\u": one UTF-16 unit, or two that make a pair.  Half a pair alone becomes U+FFFD. */
static ps_status take_unicode(reader *r, char **to)
{
    uint32_t c, low;

    if (!take_hex4(r, &c))
        return fail(r, "four hexadecimal digits expected");
    if (c >= 0xD800 && c < 0xDC00) {
        const char *before = r->p;
        if (take(r, '\\') && take(r, 'u') && take_hex4(r, &low) && low >= 0xDC00 && low < 0xE000) {
            c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
        } else {
            r->p = before;
            c = 0xFFFD;
        }
    } else if (c >= 0xDC00 && c < 0xE000) {
        c = 0xFFFD;
    }
    *to += ps_utf8_put(c, *to);
    return PS_OK;
}

static ps_status take_escape(reader *r, char **to)
{
    static const char letters[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    const char *found;
    char c;

    if (r->p >= r->end)
        return fail(r, "text without end");
    c = *r->p++;
    if (c == 'u')
        return take_unicode(r, to);
    found = c != '\0' ? strchr(letters, c) : NULL;
    if (found == NULL)
        return fail(r, "unknown escape");
    *(*to)++ = values[found - letters];
    return PS_OK;
}

static ps_status parse_text(reader *r, ps_slice *out)
{
    const char *p = r->p;
    char *text, *to;

    /* The closing quote, to know how much room is needed: no escape grows. */
    while (p < r->end && *p != '"')
        p += *p == '\\' && r->end - p > 1 ? 2 : 1;
    if (p >= r->end)
        return fail(r, "text without end");
    PS_TRY(ps_arena_alloc(r->arena, (size_t)(p - r->p) + 1, &text, r->err));
    to = text;
    while (!take(r, '"')) {
        if (r->p >= r->end)
            return fail(r, "text without end");
        if ((unsigned char)*r->p < 0x20)
            return fail(r, "control character in text");
        if (!take(r, '\\'))
            *to++ = *r->p++;
        else
            PS_TRY(take_escape(r, &to));
    }
    *to = '\0';
    *out = (ps_slice){text, (size_t)(to - text)};
    return PS_OK;
}

/* ---- the other values ---- */

static const char *skip_digits(const char *p, const char *end)
{
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return p;
}

static ps_status parse_number(reader *r, ps_slice *out)
{
    const char *p = r->p, *digits, *end = r->end;

    if (p < end && *p == '-')
        p++;
    digits = p;
    p = skip_digits(p, end);
    if (p == digits || (p - digits > 1 && *digits == '0'))
        return fail(r, "value expected");
    if (p < end && *p == '.') {
        digits = ++p;
        if ((p = skip_digits(p, end)) == digits)
            return fail(r, "digit expected after the point");
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < end && (*p == '+' || *p == '-'))
            p++;
        digits = p;
        if ((p = skip_digits(p, end)) == digits)
            return fail(r, "digit expected in the exponent");
    }
    *out = (ps_slice){r->p, (size_t)(p - r->p)};
    r->p = p;
    return PS_OK;
}

static bool take_word(reader *r, const char *word)
{
    size_t n = strlen(word);

    if ((size_t)(r->end - r->p) < n || memcmp(r->p, word, n) != 0)
        return false;
    r->p += n;
    return true;
}

static ps_status parse_members(reader *r, ps_json *node, bool object)
{
    ps_json **link = &node->first;
    char close = object ? '}' : ']';

    if (++r->depth > MAX_DEPTH)
        return fail(r, "nested too deeply");
    skip_blanks(r);
    if (take(r, close)) {
        r->depth--;
        return PS_OK;
    }
    for (;;) {
        ps_slice key = {NULL, 0};
        skip_blanks(r);
        if (object) {
            if (!take(r, '"'))
                return fail(r, "name expected");
            PS_TRY(parse_text(r, &key));
            skip_blanks(r);
            if (!take(r, ':'))
                return fail(r, "':' expected");
        }
        PS_TRY(parse_value(r, link));
        (*link)->key = key;
        link = &(*link)->next;
        skip_blanks(r);
        if (take(r, close))
            break;
        if (!take(r, ','))
            return fail(r, object ? "',' or '}' expected" : "',' or ']' expected");
    }
    r->depth--;
    return PS_OK;
}

static ps_status parse_value(reader *r, ps_json **out)
{
    ps_json *node;

    *out = NULL;
    PS_TRY(ps_arena_alloc(r->arena, sizeof *node, &node, r->err));
    memset(node, 0, sizeof *node);
    *out = node;
    skip_blanks(r);
    if (take(r, '{')) {
        node->kind = PS_JSON_OBJECT;
        return parse_members(r, node, true);
    }
    if (take(r, '[')) {
        node->kind = PS_JSON_ARRAY;
        return parse_members(r, node, false);
    }
    if (take(r, '"')) {
        node->kind = PS_JSON_TEXT;
        return parse_text(r, &node->text);
    }
    if (take_word(r, "null"))
        return PS_OK;
    node->kind = PS_JSON_BOOL;
    if ((node->boolean = take_word(r, "true")) || take_word(r, "false"))
        return PS_OK;
    node->kind = PS_JSON_NUMBER;
    return parse_number(r, &node->text);
}

ps_status ps_json_parse(ps_slice text, ps_arena *arena, ps_json **out, ps_error *err)
{
    reader r = {.arena = arena, .err = err};
    char *copy;

    *out = NULL;
    /* Numbers are slices of the text: a copy lets the caller drop his. */
    PS_TRY(ps_arena_strndup(arena, text.data, text.n_bytes, &copy, err));
    r.start = r.p = copy;
    r.end = copy + text.n_bytes;
    PS_TRY(parse_value(&r, out));
    skip_blanks(&r);
    if (r.p < r.end) {
        *out = NULL;
        return fail(&r, "more text after the value");
    }
    return PS_OK;
}

const ps_json *ps_json_get(const ps_json *object, const char *key)
{
    ps_slice wanted = ps_slice_of(key);

    if (object == NULL || object->kind != PS_JSON_OBJECT)
        return NULL;
    for (const ps_json *member = object->first; member != NULL; member = member->next) {
        if (ps_slice_equal(member->key, wanted))
            return member;
    }
    return NULL;
}

bool ps_json_int(const ps_json *node, int64_t *out)
{
    char text[24];

    *out = 0;
    if (node == NULL || node->kind != PS_JSON_NUMBER || node->text.n_bytes >= sizeof text)
        return false;
    memcpy(text, node->text.data, node->text.n_bytes);
    text[node->text.n_bytes] = '\0';
    return ps_parse_int(text, out);
}

ps_status ps_json_write(const ps_json *node, ps_bytes *out, ps_error *err)
{
    bool object = node->kind == PS_JSON_OBJECT;

    switch (node->kind) {
    case PS_JSON_NULL:
        return ps_bytes_text(out, "null", err);
    case PS_JSON_BOOL:
        return ps_bytes_text(out, node->boolean ? "true" : "false", err);
    case PS_JSON_NUMBER:
        return ps_bytes_append(out, node->text.data, node->text.n_bytes, err);
    case PS_JSON_TEXT:
        return ps_bytes_json_string(out, node->text, err);
    case PS_JSON_ARRAY:
    case PS_JSON_OBJECT:
        break;
    }
    PS_TRY(ps_bytes_char(out, object ? '{' : '[', err));
    for (const ps_json *member = node->first; member != NULL; member = member->next) {
        if (member != node->first)
            PS_TRY(ps_bytes_char(out, ',', err));
        if (object) {
            PS_TRY(ps_bytes_json_string(out, member->key, err));
            PS_TRY(ps_bytes_char(out, ':', err));
        }
        PS_TRY(ps_json_write(member, out, err));
    }
    return ps_bytes_char(out, object ? '}' : ']', err);
}
