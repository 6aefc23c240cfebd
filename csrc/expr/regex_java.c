/*
 * expr/regex_java.c - the syntax of java.util.regex as that of PCRE2.
 *
 * Most of it is the same.  Rewritten are: character classes that hold classes or intersections ([a[bc]], [a-z&&[^x]]),
 * which become alternatives and look-aheads of plain ones; \Q..\E; \u and octal escapes; names of \p{...}; and the flags
 * d, u and U, which go.  Wrong patterns are passed on: PCRE2 refuses what Java refuses, with few exceptions.
 */
#include "expr/regex.h"
#include "base/utf8.h"

typedef struct reader {
    ps_slice text;
    size_t at;
    int depth; /* of nested classes: stops at MAX_DEPTH, since translating recurses */
} reader;
#define MAX_DEPTH 50

static bool looking_at(const reader *r, const char *word)
{
    size_t n = strlen(word);

    return r->text.n_bytes - r->at >= n && memcmp(r->text.data + r->at, word, n) == 0;
}
static int peek(const reader *r) { return r->at < r->text.n_bytes ? (uint8_t)r->text.data[r->at] : -1; }
static bool is_alnum(int c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static int hex_digit(int c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; }

bool psi_regex_literal(ps_slice pattern, ps_bytes *out, ps_status *rc, ps_error *err)
{
    *rc = PS_OK;
    for (size_t i = 0; i < pattern.n_bytes && *rc == PS_OK; i++) {
        char c = pattern.data[i];
        if (c == '\\') {
            if (++i == pattern.n_bytes || is_alnum(pattern.data[i]))
                return false;
            c = pattern.data[i];
        } else if (strchr("^$.|?*+()[]{}", c) && c) {
            return false;
        }
        *rc = ps_bytes_char(out, c, err);
    }
    return *rc == PS_OK;
}

static ps_status literal(ps_slice text, ps_bytes *out, ps_error *err)
{
    for (size_t i = 0; i < text.n_bytes; i++) {
        if ((uint8_t)text.data[i] < 0x80 && !is_alnum(text.data[i]) && text.data[i])
            PS_TRY(ps_bytes_char(out, '\\', err));
        PS_TRY(text.data[i] ? ps_bytes_char(out, text.data[i], err) : ps_bytes_text(out, "\\x00", err));
    }
    return PS_OK;
}

/* \Q behind us: all up to \E stands for itself. */
static ps_status quoted(reader *r, ps_bytes *out, ps_error *err)
{
    ps_slice rest = {r->text.data + r->at, r->text.n_bytes - r->at};
    size_t end = ps_slice_find(rest, ps_slice_of("\\E"), 0);

    r->at = end == SIZE_MAX ? r->text.n_bytes : r->at + end + 2;
    rest.n_bytes = end == SIZE_MAX ? rest.n_bytes : end;
    return literal(rest, out, err);
}

static bool four_hex(const reader *r, size_t at, uint32_t *out)
{
    *out = 0;
    for (size_t i = at; i < at + 4; i++) {
        int digit = i < r->text.n_bytes ? hex_digit((uint8_t)r->text.data[i]) : -1;
        if (digit < 0)
            return false;
        *out = *out << 4 | (uint32_t)digit;
    }
    return true;
}

/* \uXXXX, a pair of which may be one character. */
static ps_status unicode(reader *r, ps_bytes *out, ps_error *err)
{
    uint32_t code, low;

    if (!four_hex(r, r->at, &code))
        return ps_bytes_text(out, "\\x{", err); /* refused */
    r->at += 4;
    if (code >= 0xd800 && code < 0xdc00 && looking_at(r, "\\u") && four_hex(r, r->at + 2, &low) && low >= 0xdc00 && low < 0xe000) {
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        r->at += 6;
    }
    return ps_bytes_printf(out, err, "\\x{%x}", code);
}

static ps_status octal(reader *r, ps_bytes *out, ps_error *err)
{
    uint32_t code = 0;
    int n = 0;

    while (n < 3 && peek(r) >= '0' && peek(r) <= '7' && code * 8 + (uint32_t)(peek(r) - '0') < 256) {
        code = code * 8 + (uint32_t)(peek(r) - '0');
        r->at++;
        n++;
    }
    return ps_bytes_printf(out, err, "\\x{%x}", code);
}

/* \p{Name}: Java's POSIX names are ASCII, its java... and Is... ones are properties. */
static ps_status property(reader *r, bool negated, bool in_class, ps_bytes *out, ps_error *err)
{
    static const char *const posix[] = {"Lower", "Upper", "ASCII", "Alpha", "Digit", "Alnum", "Punct",
                                        "Graph", "Print", "Blank", "Cntrl", "XDigit", "Space"};
    static const char *const lower[] = {"lower", "upper", "ascii", "alpha", "digit", "alnum", "punct",
                                        "graph", "print", "blank", "cntrl", "xdigit", "space"};
    static const char *const renamed[][2] = {
        {"javaLowerCase", "Ll"}, {"javaUpperCase", "Lu"}, {"javaWhitespace", "Z"}, {"javaLetter", "L"}, {"javaDigit", "Nd"},
        {"IsAlphabetic", "L"},   {"IsLetter", "L"},       {"IsLowercase", "Ll"},   {"IsUppercase", "Lu"}, {"IsTitlecase", "Lt"},
        {"IsPunctuation", "P"},  {"IsDigit", "Nd"},       {"IsWhite_Space", "Z"},  {"IsControl", "Cc"},   {"IsAssigned", "Any"},
        {"IsEmoji", "Any"},      {"L1", "Any"},           {"all", "Any"},
    };
    ps_slice name = {r->text.data + r->at, 1};

    if (peek(r) == '{') {
        ps_slice rest = {r->text.data + r->at + 1, r->text.n_bytes - r->at - 1};
        size_t end = ps_slice_find(rest, ps_slice_of("}"), 0);
        if (end == SIZE_MAX)
            return ps_bytes_text(out, "\\p{", err); /* refused */
        name = (ps_slice){rest.data, end};
        r->at += end + 2;
    } else if (peek(r) >= 0) {
        r->at++;
    } else {
        return ps_bytes_text(out, "\\p{", err);
    }
    for (size_t i = 0; i < PS_COUNT_OF(posix); i++)
        if (ps_slice_equal(name, ps_slice_of(posix[i])))
            return ps_bytes_printf(out, err, in_class ? "[:%s%s:]" : "[[:%s%s:]]", negated ? "^" : "", lower[i]);
    for (size_t i = 0; i < PS_COUNT_OF(renamed); i++)
        if (ps_slice_equal(name, ps_slice_of(renamed[i][0])))
            return ps_bytes_printf(out, err, "\\%c{%s}", negated ? 'P' : 'p', renamed[i][1]);
    size_t equals = ps_slice_find(name, ps_slice_of("="), 0);
    if (equals != SIZE_MAX)
        name = (ps_slice){name.data + equals + 1, name.n_bytes - equals - 1};
    else if (name.n_bytes > 2 && memcmp(name.data, "Is", 2) == 0)
        name = (ps_slice){name.data + 2, name.n_bytes - 2};
    return ps_bytes_printf(out, err, "\\%c{%.*s}", negated ? 'P' : 'p', (int)name.n_bytes, name.data);
}

/* A backslash behind us. */
static ps_status escape(reader *r, bool in_class, ps_bytes *out, ps_error *err)
{
    int c = peek(r);
    size_t step;

    if (c < 0)
        return ps_bytes_char(out, '\\', err); /* refused */
    r->at++;
    switch (c) {
    case 'Q':
        return quoted(r, out, err);
    case 'u':
        return unicode(r, out, err);
    case '0':
        return octal(r, out, err);
    case 'p':
    case 'P':
        return property(r, c == 'P', in_class, out, err);
    default:
        if (is_alnum(c))
            return ps_bytes_printf(out, err, "\\%c", c);
        r->at--;
        step = ps_utf8_step(r->text, r->at);
        r->at += step;
        return literal((ps_slice){r->text.data + r->at - step, step}, out, err);
    }
}

/* --- character classes ------------------------------------------------------------------------------------------------- */
static ps_status class_of(reader *r, ps_bytes *out, ps_error *err);

/* One operand of &&: plain members and classes, up to `]` or `&&`. */
static ps_status operand(reader *r, bool first, ps_bytes *out, ps_error *err)
{
    ps_bytes plain = {0}, nested = {0};
    int n_nested = 0;
    ps_status rc = PS_OK;

    for (; peek(r) >= 0 && rc == PS_OK; first = false) {
        int c = peek(r);
        if ((c == ']' && !(first && plain.n_bytes == 0 && n_nested == 0)) || looking_at(r, "&&"))
            break;
        r->at++;
        if (c == '[') {
            rc = n_nested++ ? ps_bytes_char(&nested, '|', err) : PS_OK;
            if (rc == PS_OK)
                rc = class_of(r, &nested, err);
        } else if (c == '\\') {
            rc = escape(r, true, &plain, err);
        } else if (c == '-' || c >= 0x80 || is_alnum(c)) {
            rc = ps_bytes_char(&plain, (char)c, err); /* a hyphen keeps its meaning */
        } else {
            char one = (char)c;
            rc = literal((ps_slice){&one, 1}, &plain, err);
        }
    }
    if (rc == PS_OK && n_nested == 0)
        rc = ps_bytes_printf(out, err, "[%s]", plain.data ? plain.data : "");
    else if (rc == PS_OK && plain.n_bytes == 0)
        rc = ps_bytes_printf(out, err, n_nested > 1 ? "(?:%s)" : "%s", nested.data);
    else if (rc == PS_OK)
        rc = ps_bytes_printf(out, err, "(?:[%s]|%s)", plain.data, nested.data);
    ps_bytes_clear(&plain);
    ps_bytes_clear(&nested);
    return rc;
}

/* All operands of a class as one expression for one character: each but the last looks ahead. */
static ps_status operands(reader *r, ps_bytes *out, int *n, ps_error *err)
{
    ps_bytes one = {0};
    ps_status rc = PS_OK;

    for (*n = 1; rc == PS_OK; (*n)++) {
        bool more;
        ps_bytes_reset(&one);
        PS_TRY_OR(done, operand(r, *n == 1, &one, err));
        more = looking_at(r, "&&");
        PS_TRY_OR(done, ps_bytes_printf(out, err, more ? "(?=%s)" : "%s", one.data));
        if (!more)
            break;
        r->at += 2;
    }
done:
    ps_bytes_clear(&one);
    return rc;
}

/* A class whose `[` is behind us. */
static ps_status class_of(reader *r, ps_bytes *out, ps_error *err)
{
    bool negated = peek(r) == '^';
    ps_bytes inside = {0};
    int n;
    ps_status rc;

    if (++r->depth > MAX_DEPTH)
        return ps_bytes_char(out, '[', err); /* refused */
    r->at += negated;
    PS_TRY_OR(done, operands(r, &inside, &n, err));
    if (peek(r) != ']') {
        rc = ps_bytes_char(out, '[', err); /* refused: it has no end */
        goto done;
    }
    r->at++;
    if (n == 1 && inside.data[0] == '[' && !(negated && inside.data[1] == '^'))
        rc = ps_bytes_printf(out, err, negated ? "[^%s" : "[%s", inside.data + 1);
    else
        rc = ps_bytes_printf(out, err, negated ? "(?:(?!%s)(?s:.))" : "(?:%s)", inside.data);
done:
    r->depth--;
    ps_bytes_clear(&inside);
    return rc;
}

/* --- groups ----------------------------------------------------------------------------------------------------------------- */
/* "(?" behind us: flags lose those that PCRE2 has not, or for other ends. */
static ps_status group_head(reader *r, ps_bytes *out, ps_error *err)
{
    size_t at = r->at;

    while (at < r->text.n_bytes && (is_alnum(r->text.data[at]) || r->text.data[at] == '-'))
        at++;
    if (at == r->at || at == r->text.n_bytes || (r->text.data[at] != ')' && r->text.data[at] != ':'))
        return PS_OK;
    for (; r->at < at; r->at++)
        if (!strchr("duU", r->text.data[r->at]))
            PS_TRY(ps_bytes_char(out, r->text.data[r->at], err));
    return PS_OK;
}

ps_status psi_regex_translate(ps_slice pattern, ps_bytes *out, ps_error *err)
{
    reader r = {pattern, 0, 0};

    while (r.at < pattern.n_bytes) {
        char c = pattern.data[r.at++];
        if (c == '\\') {
            PS_TRY(escape(&r, false, out, err));
        } else if (c == '[') {
            PS_TRY(class_of(&r, out, err));
        } else if (c == '(' && looking_at(&r, "?")) {
            r.at++;
            PS_TRY(ps_bytes_text(out, "(?", err));
            PS_TRY(group_head(&r, out, err));
        } else if (c == '(' && looking_at(&r, "*")) {
            PS_TRY(ps_bytes_text(out, "(*FAIL_HERE", err)); /* PCRE2's verbs: Java refuses them */
        } else {
            PS_TRY(ps_bytes_char(out, c, err));
        }
    }
    return PS_OK;
}
