/* sql/parse.c - tokens, names and errors of the SQL parser. */
#include "sql/parse.h"
#include "base/utf8.h"
#include "col/type_text.h"

ps_status psi_parser_init(psi_parser *p, ps_slice text, ps_error *err)
{
    *p = (psi_parser){.text = text, .err = err};
    return psi_lex(text, &p->tokens, err);
}

void psi_parser_clear(psi_parser *p)
{
    ps_free(p->tokens.items);
    p->tokens = (psi_tokens){0};
}

bool psi_is_word(const psi_parser *p, int ahead, const char *word)
{
    const psi_token *token = psi_token_at(p, ahead);

    return token->kind == PSI_T_WORD && ps_slice_equal_nocase(token->text, ps_slice_of(word));
}

bool psi_is_symbol(const psi_parser *p, int ahead, const char *symbol)
{
    const psi_token *token = psi_token_at(p, ahead);

    return token->kind == PSI_T_SYMBOL && ps_slice_equal(token->text, ps_slice_of(symbol));
}

bool psi_take_word(psi_parser *p, const char *word)
{
    bool found = psi_is_word(p, 0, word);

    p->at += found;
    return found;
}

bool psi_take_symbol(psi_parser *p, const char *symbol)
{
    bool found = psi_is_symbol(p, 0, symbol);

    p->at += found;
    return found;
}

ps_status psi_want_word(psi_parser *p, const char *word)
{
    return psi_take_word(p, word) ? PS_OK : psi_syntax_error(p);
}

ps_status psi_want_symbol(psi_parser *p, const char *symbol)
{
    return psi_take_symbol(p, symbol) ? PS_OK : psi_syntax_error(p);
}

ps_status psi_raise_at(psi_parser *p, ps_status rc, size_t at)
{
    ps_error_mark_text(p->err, p->text, at);
    return rc;
}

ps_status psi_syntax_error(psi_parser *p)
{
    const psi_token *token = psi_token_at(p, 0);
    ps_bytes near = {0};
    ps_status rc;

    if (token->kind == PSI_T_END)
        rc = ps_bytes_text(&near, "end of input", p->err);
    else
        rc = ps_bytes_printf(&near, p->err, "'%.*s'", token->text.n_bytes > 60 ? 60 : (int)token->text.n_bytes, token->text.data);
    if (rc == PS_OK)
        rc = psi_raise_at(p, ps_raise(p->err, PS_E_PARSE_SYNTAX, near.data), token->at);
    ps_bytes_clear(&near);
    return rc;
}

bool psi_is_name(const psi_parser *p, int ahead)
{
    psi_token_kind kind = psi_token_at(p, ahead)->kind;

    return kind == PSI_T_WORD || kind == PSI_T_QUOTED;
}

ps_status psi_take_name(psi_parser *p, char **out)
{
    const psi_token *token = psi_token_at(p, 0);
    size_t n = 0;

    *out = NULL;
    if (!psi_is_name(p, 0) || token->text.n_bytes == 0)
        return psi_syntax_error(p);
    PS_TRY(ps_strndup(token->text.data, token->text.n_bytes, out, p->err));
    if (token->kind == PSI_T_QUOTED) {
        for (size_t i = 0; i < token->text.n_bytes; i++) {
            (*out)[n++] = token->text.data[i];
            i += token->text.data[i] == '`'; /* a doubled one */
        }
        (*out)[n] = '\0';
    }
    p->at++;
    return PS_OK;
}

/* --- strings ---------------------------------------------------------------------------------------------------- */
static ps_status append_code_point(ps_bytes *out, uint32_t c, ps_error *err)
{
    char utf8[4];

    return ps_bytes_append(out, utf8, ps_utf8_put(c, utf8), err);
}

/* n hexadecimal digits; false when they are not there. */
static bool read_hex(ps_slice text, size_t at, int n, uint32_t *out)
{
    *out = 0;
    if (at + (size_t)n > text.n_bytes)
        return false;
    for (int i = 0; i < n; i++) {
        char c = text.data[at + (size_t)i], low = (char)(c | 32);
        if (c >= '0' && c <= '9')
            *out = *out << 4 | (uint32_t)(c - '0');
        else if (low >= 'a' && low <= 'f')
            *out = *out << 4 | (uint32_t)(low - 'a' + 10);
        else
            return false;
    }
    return true;
}

static bool is_octal(ps_slice text, size_t at)
{
    if (at + 3 > text.n_bytes || text.data[at] > '3')
        return false;
    for (size_t i = at; i < at + 3; i++)
        if (text.data[i] < '0' || text.data[i] > '7')
            return false;
    return true;
}

/* What stands behind a backslash at text.data[*at]; moves on behind it. */
static ps_status append_escape(ps_slice text, size_t *at, ps_bytes *out, ps_error *err)
{
    static const char from[] = "0bnrtZ", to[] = "\0\b\n\r\t\x1a";
    char c = text.data[*at];
    const char *plain;
    uint32_t code;

    if (c >= '0' && is_octal(text, *at)) {
        code = (uint32_t)((c - '0') << 6 | (text.data[*at + 1] - '0') << 3 | (text.data[*at + 2] - '0'));
        *at += 3;
        return append_code_point(out, code, err);
    }
    if ((c == 'u' && read_hex(text, *at + 1, 4, &code)) || (c == 'U' && read_hex(text, *at + 1, 8, &code))) {
        *at += c == 'u' ? 5 : 9;
        return append_code_point(out, code > 0x10ffff ? '?' : code, err);
    }
    (*at)++;
    if (c == '%' || c == '_')
        PS_TRY(ps_bytes_char(out, '\\', err));
    plain = strchr(from, c);
    return ps_bytes_char(out, plain && c ? to[plain - from] : c, err);
}

static ps_status append_string(const psi_token *token, ps_bytes *out, ps_error *err)
{
    ps_slice text = {token->text.data + 1, token->text.n_bytes - 2};
    char quote = *token->text.data;

    for (size_t i = 0; i < text.n_bytes;) {
        char c = text.data[i++];
        if (c == '\\' && !token->raw && i < text.n_bytes) {
            PS_TRY(append_escape(text, &i, out, err));
            continue;
        }
        PS_TRY(ps_bytes_char(out, c, err));
        i += c == quote && !token->raw; /* a doubled one */
    }
    return PS_OK;
}

ps_status psi_take_string(psi_parser *p, ps_bytes *out)
{
    if (psi_token_at(p, 0)->kind != PSI_T_STRING)
        return psi_syntax_error(p);
    PS_TRY(ps_bytes_reserve(out, 1, p->err));
    while (psi_token_at(p, 0)->kind == PSI_T_STRING) {
        PS_TRY(append_string(psi_token_at(p, 0), out, p->err));
        p->at++;
    }
    return PS_OK;
}
