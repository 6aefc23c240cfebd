/* sql/lex.c - SQL text as tokens. */
#include "sql/lex.h"
#include "col/type_text.h"

bool psi_is_name_byte(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

typedef struct lexer {
    ps_slice text;
    size_t at;
} lexer;

static char peek(const lexer *lex, size_t ahead)
{
    return lex->at + ahead < lex->text.n_bytes ? lex->text.data[lex->at + ahead] : '\0';
}

/* Blanks of ASCII and Unicode (no-break, ideographic, en quad to hair space, ...): their length in bytes, or 0. */
static size_t blank_length(const lexer *lex)
{
    unsigned char c = (unsigned char)peek(lex, 0), d = (unsigned char)peek(lex, 1), e = (unsigned char)peek(lex, 2);

    if (lex->at < lex->text.n_bytes && (c <= ' ' && c != '\0'))
        return 1;
    if (c == 0xc2 && d == 0xa0)
        return 2;
    if (c == 0xe3 && d == 0x80 && e == 0x80)
        return 3;
    if (c == 0xe2 && d == 0x80 && ((e >= 0x80 && e <= 0x8a) || e == 0xa8 || e == 0xa9 || e == 0xaf))
        return 3;
    return 0;
}

static ps_status skip_comment(lexer *lex, ps_error *err)
{
    size_t start = lex->at;
    int depth = 0;

    do {
        if (lex->at >= lex->text.n_bytes) {
            ps_raise(err, PS_E_UNCLOSED_COMMENT);
            ps_error_mark_text(err, lex->text, start);
            return PS_E_UNCLOSED_COMMENT;
        }
        if (peek(lex, 0) == '/' && peek(lex, 1) == '*') {
            depth++;
            lex->at += 2;
        } else if (peek(lex, 0) == '*' && peek(lex, 1) == '/') {
            depth--;
            lex->at += 2;
        } else {
            lex->at++;
        }
    } while (depth > 0);
    return PS_OK;
}

static ps_status skip_blanks(lexer *lex, ps_error *err)
{
    for (;;) {
        size_t n = blank_length(lex);
        if (n > 0) {
            lex->at += n;
        } else if (peek(lex, 0) == '-' && peek(lex, 1) == '-') {
            while (lex->at < lex->text.n_bytes && peek(lex, 0) != '\n')
                lex->at++;
        } else if (peek(lex, 0) == '/' && peek(lex, 1) == '*') {
            PS_TRY(skip_comment(lex, err));
        } else {
            return PS_OK;
        }
    }
}

static size_t count_digits(const lexer *lex, size_t from)
{
    size_t n = 0;

    while (is_digit(peek(lex, from + n)))
        n++;
    return n;
}

/* An exponent at `from` ("e-5"): its length, or 0. */
static size_t exponent_length(const lexer *lex, size_t from)
{
    size_t sign, digits;

    if ((peek(lex, from) | 32) != 'e')
        return 0;
    sign = peek(lex, from + 1) == '+' || peek(lex, from + 1) == '-';
    digits = count_digits(lex, from + 1 + sign);
    return digits ? 1 + sign + digits : 0;
}

/* L S Y F D BD, if no name goes on behind it. */
static size_t suffix_length(const lexer *lex, size_t from, bool fraction)
{
    char c = (char)(peek(lex, from) | 32), d = (char)(peek(lex, from + 1) | 32);
    size_t n = 0;

    if (c == 'b' && d == 'd')
        n = 2;
    else if (c == 'd' || c == 'f' || (!fraction && (c == 'l' || c == 's' || c == 'y')))
        n = 1;
    return psi_is_name_byte((unsigned char)peek(lex, from + n)) ? 0 : n;
}

/* The length of a number here, or 0: "1a" is a name, and so is "1e" or "1_". */
static size_t number_length(const lexer *lex)
{
    size_t whole = count_digits(lex, 0), n = whole;
    bool fraction = false;

    if (peek(lex, n) == '.' && (whole > 0 || is_digit(peek(lex, 1)))) {
        fraction = true;
        n++;
        n += count_digits(lex, n);
    }
    if (n == 0)
        return 0;
    size_t exponent = exponent_length(lex, n);
    n += exponent;
    n += suffix_length(lex, n, fraction || exponent > 0);
    if (psi_is_name_byte((unsigned char)peek(lex, n))) {
        if (!fraction)
            return 0;
        n = whole; /* "1.x": a number, a dot, a name */
    }
    return n;
}

static size_t string_length(const lexer *lex, size_t from, bool raw)
{
    char quote = peek(lex, from);

    for (size_t n = from + 1; lex->at + n < lex->text.n_bytes; n++) {
        if (peek(lex, n) == '\\' && !raw)
            n++;
        else if (peek(lex, n) == quote && peek(lex, n + 1) == quote && !raw)
            n++;
        else if (peek(lex, n) == quote)
            return n + 1 - from;
    }
    return 0;
}

static size_t quoted_length(const lexer *lex)
{
    for (size_t n = 1; lex->at + n < lex->text.n_bytes; n++) {
        if (peek(lex, n) != '`')
            continue;
        if (peek(lex, n + 1) != '`')
            return n + 1;
        n++;
    }
    return 0;
}

static size_t symbol_length(const lexer *lex)
{
    static const char *const symbols[] = {">>>", "<=>", "->", "=>", "::", "||", "<<", ">>", "<>", "!=", "<=", ">=", "==", "!<", "!>"};

    for (size_t i = 0; i < PS_COUNT_OF(symbols); i++) {
        size_t n = strlen(symbols[i]);
        if (lex->text.n_bytes - lex->at >= n && memcmp(lex->text.data + lex->at, symbols[i], n) == 0)
            return n;
    }
    return peek(lex, 0) && strchr("+-*/%=<>!&|^~()[],.:;?", peek(lex, 0)) ? 1 : 0;
}

static psi_token make_token(lexer *lex, psi_token_kind kind, size_t n, size_t cut)
{
    psi_token token = {kind, false, lex->at, {lex->text.data + lex->at + cut, n - 2 * cut}};

    lex->at += n;
    return token;
}

/* A number may not begin with a dot right behind a name: t.5 is no fraction. */
static bool is_access(const psi_tokens *tokens, const lexer *lex)
{
    const psi_token *last = tokens->n ? &tokens->items[tokens->n - 1] : NULL;

    if (!last || peek(lex, 0) != '.')
        return false;
    return last->kind == PSI_T_WORD || last->kind == PSI_T_QUOTED ||
           (last->kind == PSI_T_SYMBOL && (*last->text.data == ')' || *last->text.data == ']'));
}

static psi_token next_token(lexer *lex, const psi_tokens *tokens)
{
    char c = peek(lex, 0);
    size_t n;

    if (lex->at >= lex->text.n_bytes)
        return make_token(lex, PSI_T_END, 0, 0);
    if ((c == 'r' || c == 'R') && (peek(lex, 1) == '\'' || peek(lex, 1) == '"') && (n = string_length(lex, 1, true)) > 0) {
        psi_token token;
        lex->at++;
        token = make_token(lex, PSI_T_STRING, n, 0);
        token.raw = true;
        return token;
    }
    if (c == '\'' || c == '"') {
        n = string_length(lex, 0, false);
        return n ? make_token(lex, PSI_T_STRING, n, 0) : make_token(lex, PSI_T_BAD, 1, 0);
    }
    if (c == '`') {
        n = quoted_length(lex);
        return n ? make_token(lex, PSI_T_QUOTED, n, 1) : make_token(lex, PSI_T_BAD, 1, 0);
    }
    if ((is_digit(c) || (c == '.' && !is_access(tokens, lex))) && (n = number_length(lex)) > 0)
        return make_token(lex, PSI_T_NUMBER, n, 0);
    for (n = 0; lex->at + n < lex->text.n_bytes && psi_is_name_byte((unsigned char)peek(lex, n)); n++)
        ;
    if (n > 0)
        return make_token(lex, PSI_T_WORD, n, 0);
    n = symbol_length(lex);
    return n ? make_token(lex, PSI_T_SYMBOL, n, 0) : make_token(lex, PSI_T_BAD, 1, 0);
}

ps_status psi_lex(ps_slice text, psi_tokens *out, ps_error *err)
{
    lexer lex = {text, 0};

    do {
        psi_token token;
        PS_TRY(skip_blanks(&lex, err));
        token = next_token(&lex, out);
        PS_TRY(PS_PUSH(out, token, err));
    } while (out->items[out->n - 1].kind != PSI_T_END);
    return PS_OK;
}
