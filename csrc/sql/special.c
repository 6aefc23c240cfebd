/* sql/special.c - function calls, and functions with a grammar of their own: CAST, EXTRACT, TRIM, SUBSTRING ... FROM. */
#include "sql/parse.h"

/* --- calls ---------------------------------------------------------------------------------------------------------- */
static ps_status push(psi_parser *p, ps_expr_list *list, ps_expr *expr)
{
    ps_status rc = PS_PUSH(list, expr, p->err);

    if (rc != PS_OK)
        ps_expr_unref(expr);
    return rc;
}

/* Arguments up to the closing parenthesis, which is left; names of named ones are passed over; aliases only for struct(). */
static ps_status parse_args(psi_parser *p, bool aliases, ps_expr_list *out)
{
    ps_expr *expr;

    if (psi_is_symbol(p, 0, ")"))
        return PS_OK;
    for (;;) {
        if (psi_is_name(p, 0) && psi_is_symbol(p, 1, "=>"))
            p->at += 2;
        PS_TRY(aliases ? psi_parse_item(p, &expr) : psi_parse_expr(p, &expr));
        PS_TRY(push(p, out, expr));
        if (psi_is_symbol(p, 0, ")") || psi_is_word(p, 0, "ignore") || psi_is_word(p, 0, "respect"))
            return PS_OK;
        PS_TRY(psi_want_symbol(p, ","));
    }
}

/* IGNORE NULLS or RESPECT NULLS, inside of the parentheses or behind them. */
static void take_nulls(psi_parser *p, bool *ignore)
{
    if ((psi_is_word(p, 0, "ignore") || psi_is_word(p, 0, "respect")) && psi_is_word(p, 1, "nulls")) {
        *ignore = psi_is_word(p, 0, "ignore");
        p->at += 2;
    }
}

static ps_status parse_filter(psi_parser *p, ps_expr *call)
{
    if (!psi_is_word(p, 0, "filter") || !psi_is_symbol(p, 1, "("))
        return PS_OK;
    p->at += 2;
    PS_TRY(psi_want_word(p, "where"));
    PS_TRY(psi_parse_expr(p, &call->filter));
    return psi_want_symbol(p, ")");
}

static ps_status refuse_clauses(psi_parser *p)
{
    if (psi_is_word(p, 0, "within") && psi_is_word(p, 1, "group"))
        return ps_raise(p->err, PS_E_NOT_BUILT, "WITHIN GROUP");
    if (psi_is_word(p, 0, "over") && psi_is_symbol(p, 1, "("))
        return ps_raise(p->err, PS_E_NOT_BUILT, "A window function (OVER)");
    return PS_OK;
}

ps_status psi_parse_function(psi_parser *p, const char *name, ps_expr **out)
{
    ps_expr_list list = {0};
    bool distinct = false, ignore_nulls = false;
    ps_status rc;

    PS_TRY(psi_want_symbol(p, "("));
    if ((psi_is_word(p, 0, "distinct") || psi_is_word(p, 0, "all")) && !psi_is_symbol(p, 1, ")") && !psi_is_symbol(p, 1, ",") && !psi_is_symbol(p, 1, ".")) {
        distinct = psi_is_word(p, 0, "distinct");
        p->at++;
    }
    rc = parse_args(p, ps_stricmp(name, "struct") == 0, &list);
    if (rc == PS_OK) {
        take_nulls(p, &ignore_nulls);
        rc = psi_want_symbol(p, ")");
    }
    if (rc == PS_OK) {
        rc = psi_call(p, name, false, list.items, list.n, out);
        list.n = 0;
    }
    ps_expr_list_clear(&list);
    PS_TRY(rc);
    (*out)->distinct = distinct;
    take_nulls(p, &ignore_nulls);
    rc = refuse_clauses(p);
    if (rc == PS_OK)
        rc = parse_filter(p, *out);
    take_nulls(p, &ignore_nulls);
    if (rc == PS_OK)
        rc = refuse_clauses(p);
    (*out)->ignore_nulls = ignore_nulls;
    if (rc != PS_OK) {
        ps_expr_unref(*out);
        *out = NULL;
    }
    return rc;
}

/* --- special forms ------------------------------------------------------------------------------------------------------- */
static ps_status parse_cast(psi_parser *p, bool is_try, ps_expr **out)
{
    ps_expr *arg;
    const ps_type *type = NULL;
    ps_status rc;

    p->at += 2;
    PS_TRY(psi_parse_expr(p, &arg));
    rc = psi_want_word(p, "as");
    if (rc == PS_OK)
        rc = psi_parse_type(p, &type);
    if (rc == PS_OK)
        rc = psi_want_symbol(p, ")");
    if (rc == PS_OK)
        rc = ps_expr_cast(arg, type, is_try, out, p->err);
    if (rc == PS_OK)
        (*out)->from_text = true;
    ps_type_unref(type);
    ps_expr_unref(arg);
    return rc;
}

/* The word here as a text literal. */
static ps_status word_literal(psi_parser *p, ps_expr **out)
{
    const psi_token *token = psi_token_at(p, 0);

    if (token->kind != PSI_T_WORD)
        return psi_syntax_error(p);
    p->at++;
    return ps_expr_literal_text(token->text, out, p->err);
}

/* EXTRACT(field FROM x) */
static ps_status parse_extract(psi_parser *p, ps_expr **out)
{
    ps_expr *args[2] = {NULL};
    ps_status rc;

    p->at += 2;
    PS_TRY(word_literal(p, &args[0]));
    rc = psi_want_word(p, "from");
    if (rc == PS_OK)
        rc = psi_parse_value(p, &args[1]);
    if (rc == PS_OK)
        rc = psi_want_symbol(p, ")");
    if (rc == PS_OK)
        return psi_call(p, "extract", false, args, 2, out);
    ps_expr_unref(args[0]);
    ps_expr_unref(args[1]);
    return rc;
}

/* TRIM([BOTH|LEADING|TRAILING] [characters] FROM x); *out NULL when it is a plain call. */
static ps_status parse_trim(psi_parser *p, ps_expr **out)
{
    int start = p->at, n = 0;
    const char *name = "trim";
    ps_expr *args[2] = {NULL};
    ps_status rc = PS_OK;

    p->at += 2;
    if (psi_is_word(p, 0, "both") || psi_is_word(p, 0, "leading") || psi_is_word(p, 0, "trailing")) {
        name = psi_is_word(p, 0, "leading") ? "ltrim" : psi_is_word(p, 0, "trailing") ? "rtrim" : "trim";
        p->at++;
    }
    if (!psi_is_word(p, 0, "from"))
        rc = psi_parse_value(p, &args[n++]);
    if (rc == PS_OK && !psi_take_word(p, "from")) {
        ps_expr_unref(args[0]);
        p->at = start;
        return PS_OK;
    }
    if (rc == PS_OK)
        rc = psi_parse_value(p, &args[n++]);
    if (rc == PS_OK)
        rc = psi_want_symbol(p, ")");
    if (rc == PS_OK)
        return psi_call(p, name, false, args, n, out);
    ps_expr_unref(args[0]);
    ps_expr_unref(args[1]);
    return rc;
}

/* name(a <word1> b [<word2> c]); *out NULL when the first word is not there. */
static ps_status parse_worded(psi_parser *p, const char *name, const char *const *words, int n_words, ps_expr **out)
{
    int start = p->at, n = 0;
    ps_expr *args[4] = {NULL};
    ps_status rc;

    p->at += 2;
    rc = psi_parse_value(p, &args[n]);
    n += rc == PS_OK;
    for (int i = 0; i < n_words && rc == PS_OK; i++) {
        if (!psi_take_word(p, words[i])) {
            if (i == 0)
                break;
            continue;
        }
        rc = psi_parse_value(p, &args[n]);
        n += rc == PS_OK;
    }
    if (rc == PS_OK && n > 1)
        rc = psi_want_symbol(p, ")");
    if (rc == PS_OK && n > 1)
        return psi_call(p, name, false, args, n, out);
    for (int i = 0; i < n; i++)
        ps_expr_unref(args[i]);
    if (rc != PS_OK && n > 1)
        return rc;
    p->at = start;
    return PS_OK;
}

/* timestampadd(MINUTE, 5, ts), dateadd(DAY, 1, d): the unit is a bare word. */
static ps_status parse_unit_call(psi_parser *p, const char *name, ps_expr **out)
{
    static const char *const units[] = {"microsecond", "millisecond", "second", "minute", "hour", "day", "dayofyear", "week", "month", "quarter", "year"};
    ps_expr_list list = {0};
    ps_expr *unit;
    int start = p->at;
    bool found = false;
    ps_status rc;

    for (size_t i = 0; i < PS_COUNT_OF(units); i++)
        found |= psi_is_word(p, 2, units[i]);
    if (!found || !psi_is_symbol(p, 3, ","))
        return PS_OK;
    p->at += 2;
    PS_TRY(word_literal(p, &unit));
    p->at++; /* the comma */
    rc = push(p, &list, unit);
    if (rc == PS_OK)
        rc = psi_parse_list(p, ")", &list);
    if (rc == PS_OK && list.n == 3) {
        rc = psi_call(p, name, false, list.items, list.n, out);
        list.n = 0;
    } else {
        p->at = start; /* a column called "day" */
    }
    ps_expr_list_clear(&list);
    return rc;
}

/* IDENTIFIER('a.b') names a column, IDENTIFIER('f')(...) a function. */
static ps_status parse_identifier(psi_parser *p, ps_expr **out)
{
    ps_bytes text = {0};
    ps_status rc;

    p->at += 2;
    rc = psi_take_string(p, &text);
    if (rc == PS_OK)
        rc = psi_want_symbol(p, ")");
    if (rc == PS_OK && psi_is_symbol(p, 0, "("))
        rc = psi_parse_function(p, text.data, out);
    else if (rc == PS_OK)
        rc = ps_expr_name_text(ps_bytes_slice(&text), out, p->err);
    ps_bytes_clear(&text);
    return rc;
}

ps_status psi_parse_special(psi_parser *p, ps_expr **out)
{
    static const char *const from_for[] = {"from", "for"};
    static const char *const in[] = {"in"};
    static const char *const placing[] = {"placing", "from", "for"};

    *out = NULL;
    if (psi_is_word(p, 0, "cast") || psi_is_word(p, 0, "try_cast"))
        return parse_cast(p, psi_is_word(p, 0, "try_cast"), out);
    if (psi_is_word(p, 0, "identifier") && psi_token_at(p, 2)->kind == PSI_T_STRING)
        return parse_identifier(p, out);
    if (psi_is_word(p, 0, "extract") && psi_is_word(p, 3, "from"))
        return parse_extract(p, out);
    if (psi_is_word(p, 0, "trim"))
        return parse_trim(p, out);
    if (psi_is_word(p, 0, "substring") || psi_is_word(p, 0, "substr"))
        return parse_worded(p, psi_is_word(p, 0, "substr") ? "substr" : "substring", from_for, 2, out);
    if (psi_is_word(p, 0, "position"))
        return parse_worded(p, "locate", in, 1, out);
    if (psi_is_word(p, 0, "overlay"))
        return parse_worded(p, "overlay", placing, 3, out);
    if (psi_is_word(p, 0, "timestampadd") || psi_is_word(p, 0, "dateadd") || psi_is_word(p, 0, "date_add"))
        return parse_unit_call(p, "timestampadd", out);
    if (psi_is_word(p, 0, "timestampdiff") || psi_is_word(p, 0, "datediff") || psi_is_word(p, 0, "date_diff"))
        return parse_unit_call(p, "timestampdiff", out);
    if (psi_is_word(p, 0, "exists") && psi_is_word(p, 2, "select"))
        return ps_raise(p->err, PS_E_NOT_BUILT, "EXISTS with a subquery");
    return PS_OK;
}
