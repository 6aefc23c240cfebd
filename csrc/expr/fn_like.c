/*
 * expr/fn_like.c - LIKE: % for any text, _ for one character, a backslash (or what ESCAPE says) before either.
 *
 * A pattern is read once, when it is the same for all rows, into code points and wildcards.
 */
#include "expr/fn_scratch.h"
#include "expr/kernel.h"

#define ANY_TEXT 0xffffffffu
#define ANY_CHAR 0xfffffffeu

typedef psi_like_pattern pattern;

void psi_free_pattern(void *scratch)
{
    ps_free(((pattern *)scratch)->items);
    ps_bytes_clear(&((pattern *)scratch)->literal);
}

/* One character; a byte that is no UTF-8 stands for itself. */
static uint32_t next_char(const char **p, const char *end)
{
    const unsigned char *s = (const unsigned char *)*p;
    int n = *s < 0xc0 ? 1 : *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : 4;
    uint32_t c = n == 1 ? *s : *s & (0x7fu >> n);

    if (end - *p < n) {
        (*p)++;
        return *s;
    }
    for (int i = 1; i < n; i++)
        c = c << 6 | (s[i] & 0x3f);
    *p += n;
    return c;
}

static ps_status read_pattern(ps_slice text, uint32_t escape, pattern *out, ps_error *err)
{
    const char *p = text.data, *end = p + text.n_bytes;

    out->n = 0;
    while (p < end) {
        uint32_t c = next_char(&p, end);
        if (c == escape) {
            const char *at = p;
            if (p >= end)
                return ps_raise(err, PS_E_ESCAPE_AT_END, (int)text.n_bytes, text.data);
            c = next_char(&p, end);
            if (c != '%' && c != '_' && c != escape)
                return ps_raise(err, PS_E_ESCAPE_IN_MIDDLE, (int)text.n_bytes, text.data, (int)(p - at), at);
        } else if (c == '%') {
            c = ANY_TEXT;
        } else if (c == '_') {
            c = ANY_CHAR;
        }
        PS_TRY(PS_PUSH(out, c, err));
    }
    return PS_OK;
}

/* Whether the pattern is plain text with % at its ends at most; the text goes to p->literal. */
static ps_status look_for_literal(ps_slice text, uint32_t escape, pattern *p, ps_error *err)
{
    size_t from = 0, to = text.n_bytes;

    p->plain = false;
    while (from < to && text.data[from] == '%')
        from++;
    while (to > from && text.data[to - 1] == '%')
        to--;
    for (size_t i = from; i < to; i++)
        if (text.data[i] == '%' || text.data[i] == '_' || (uint8_t)text.data[i] == escape)
            return PS_OK;
    ps_bytes_reset(&p->literal);
    PS_TRY(ps_bytes_append(&p->literal, text.data + from, to - from, err));
    p->open_start = from > 0;
    p->open_end = to < text.n_bytes || from == text.n_bytes;
    p->plain = escape < 0x80 && escape != '%';
    return PS_OK;
}

static bool matches_literal(const pattern *p, ps_slice text)
{
    size_t n = p->literal.n_bytes;

    if (n > text.n_bytes || (!p->open_start && !p->open_end && n != text.n_bytes))
        return false;
    if (n == 0)
        return p->open_start || p->open_end || text.n_bytes == 0;
    if (p->open_start && p->open_end)
        return memmem(text.data, text.n_bytes, p->literal.data, n) != NULL;
    return memcmp(p->open_start ? text.data + text.n_bytes - n : text.data, p->literal.data, n) == 0;
}

/* The usual two-pointer match: on a mismatch the last % takes one character more. */
static bool matches(const pattern *pattern, ps_slice text)
{
    const char *p = text.data, *end = p + text.n_bytes, *again = NULL;
    int i = 0, star = -1;

    while (p < end) {
        const char *next = p;
        uint32_t c = next_char(&next, end);
        if (i < pattern->n && pattern->items[i] == ANY_TEXT) {
            star = i++;
            again = p;
        } else if (i < pattern->n && (pattern->items[i] == ANY_CHAR || pattern->items[i] == c)) {
            i++;
            p = next;
        } else if (star >= 0) {
            next_char(&again, end);
            p = again;
            i = star + 1;
        } else {
            return false;
        }
    }
    while (i < pattern->n && pattern->items[i] == ANY_TEXT)
        i++;
    return i == pattern->n;
}

static uint32_t escape_of(const ps_fn_run *run)
{
    ps_slice text = {"\\", 1};

    if (run->n_args > 2)
        psi_arg_text(run, 2, &text);
    return next_char(&text.data, text.data + text.n_bytes);
}

PS_KERNEL_2(like, ps_str, ps_str, uint8_t)
{
    pattern *p = run->scratch;

    if (!p->ready || !psi_arg_is_constant(run, 1)) {
        PS_TRY(read_pattern(ps_str_slice(&y), escape_of(run), p, err));
        PS_TRY(look_for_literal(ps_str_slice(&y), escape_of(run), p, err));
        p->ready = psi_arg_is_constant(run, 1);
    }
    *out = p->plain ? matches_literal(p, ps_str_slice(&x)) : matches(p, ps_str_slice(&x));
    return PS_OK;
}

ps_status psi_bind_like(ps_fn_call *call, ps_error *err)
{
    char *escape;
    ps_status rc = PS_OK;

    if (call->n_args < 3)
        return PS_OK;
    PS_TRY(ps_fn_constant_text(call, 2, &escape, err));
    if (!escape || *escape == 0 || ((unsigned char)*escape < 0x80 && escape[1] != 0))
        rc = ps_raise(err, PS_E_ESCAPE_CHAR, escape ? (int)strlen(escape) : 4, escape ? escape : "NULL");
    ps_free(escape);
    return rc;
}

ps_status psi_text_like(const ps_fn_call *call, ps_bytes *out, ps_error *err)
{
    PS_TRY(ps_bytes_printf(out, err, "%s LIKE %s", call->args[0]->text, call->args[1]->text));
    if (call->n_args > 2 && strcmp(call->args[2]->text, "\\") != 0)
        return ps_bytes_printf(out, err, " ESCAPE '%s'", call->args[2]->text);
    return PS_OK;
}

static ps_status keep_text(ps_fn_call *call, ps_error *err)
{
    ps_bytes text = {0};
    ps_status rc = ps_fn_call_text(call, &text, err);

    if (rc == PS_OK)
        call->text = ps_bytes_take(&text);
    ps_bytes_clear(&text);
    return rc;
}

static ps_status replace_arg(ps_fn_call *call, int arg, const char *name, ps_error *err)
{
    ps_bound *made;

    PS_TRY(ps_bound_call(name, &call->args[arg], 1, call->conf, &made, err));
    ps_bound_unref(call->args[arg]);
    call->args[arg] = made;
    return PS_OK;
}

/* ILIKE: LIKE in lower case. */
ps_status psi_bind_ilike(ps_fn_call *call, ps_error *err)
{
    PS_TRY(psi_bind_like(call, err));
    PS_TRY(keep_text(call, err));
    PS_TRY(replace_arg(call, 0, "lower", err));
    PS_TRY(replace_arg(call, 1, "lower", err));
    return ps_fn_redirect(call, "like", err);
}

ps_status psi_text_ilike(const ps_fn_call *call, ps_bytes *out, ps_error *err)
{
    PS_TRY(ps_bytes_printf(out, err, "ilike(%s, %s", call->args[0]->text, call->args[1]->text));
    if (call->n_args > 2 && strcmp(call->args[2]->text, "\\") != 0)
        PS_TRY(ps_bytes_printf(out, err, ", %s", call->args[2]->text));
    return ps_bytes_char(out, ')', err);
}

/* x LIKE ANY (p, q): x LIKE p OR x LIKE q; ALL: AND; the `not` forms negate each. */
ps_status psi_bind_like_many(ps_fn_call *call, ps_error *err)
{
    bool negated = strncmp(call->fn->name, "not", 3) == 0, all = strstr(call->fn->name, "all") != NULL;
    ps_bound *chain = NULL;
    ps_status rc;

    PS_TRY(keep_text(call, err));
    for (int i = 1; i < call->n_args; i++) {
        ps_bound *pair[2] = {call->args[0], call->args[i]}, *like, *joined;
        PS_TRY_OR(fail, ps_bound_call("like", pair, 2, call->conf, &like, err));
        if (negated) {
            rc = ps_bound_call("not", &like, 1, call->conf, &joined, err);
            ps_bound_unref(like);
            if (rc != PS_OK)
                goto fail;
            like = joined;
        }
        if (!chain) {
            chain = like;
            continue;
        }
        pair[0] = chain;
        pair[1] = like;
        rc = ps_bound_call(all ? "and" : "or", pair, 2, call->conf, &joined, err);
        ps_bound_unref(like);
        if (rc != PS_OK)
            goto fail;
        ps_bound_unref(chain);
        chain = joined;
    }
    for (int i = 0; i < call->n_args; i++)
        ps_bound_unref(call->args[i]);
    call->args[0] = chain;
    call->args[1] = NULL;
    call->n_args = 1;
    call->fn = ps_fn_find(ps_slice_of("+")); /* hands the value on */
    call->type = ps_type_of(PS_BOOL);
    call->nullable = chain->nullable;
    return PS_OK;
fail:
    ps_bound_unref(chain);
    return rc;
}
