/*
 * sql/expr_text.c - expressions by precedence climbing.
 *
 * Tightest first: primary and what follows it (. [] ::), signs, * / % DIV, + - ||, shifts, &, ^, |, comparisons, then the
 * predicates (BETWEEN, IN, LIKE, IS ...), NOT, AND, OR (api-sql.md 5.3).
 */

#include "sql/expr_text.h"
#include "sql/parse.h"
#include "base/utf8.h"
#include "col/type_text.h"

#define MAX_NESTING 400

static ps_status nest(psi_parser *p)
{
    if (++p->depth <= MAX_NESTING)
        return PS_OK;
    return ps_raise(p->err, PS_E_TOO_DEEP, MAX_NESTING);
}

ps_status psi_call(psi_parser *p, const char *name, bool is_operator, ps_expr **args, int n_args, ps_expr **out)
{
    ps_status rc = ps_expr_call(name, args, n_args, out, p->err);

    for (int i = 0; i < n_args; i++)
        ps_expr_unref(args[i]);
    if (rc == PS_OK)
        (*out)->is_operator = is_operator;
    return rc;
}

static ps_status unary(psi_parser *p, const char *name, ps_expr **expr)
{
    ps_expr *args[] = {*expr};

    *expr = NULL;
    return psi_call(p, name, true, args, 1, expr);
}

/* *left becomes name(*left, right). */
static ps_status binary(psi_parser *p, const char *name, ps_expr **left, ps_expr *right)
{
    ps_expr *args[] = {*left, right};

    *left = NULL;
    return psi_call(p, name, true, args, 2, left);
}

/* --- arithmetic and comparison ------------------------------------------------------------------------------------ */
typedef struct operator_row {
    const char *symbol, *call;
    int level;
} operator_row;
static const operator_row operators[] = {
    {"*", "*", 8}, {"/", "/", 8}, {"%", "%", 8}, {"+", "+", 7}, {"-", "-", 7}, {"||", "||", 7}, {"<<", "<<", 6},
    {">>", ">>", 6}, {">>>", ">>>", 6}, {"&", "&", 5}, {"^", "^", 4}, {"|", "|", 3}, {"=", "=", 2}, {"==", "=", 2},
    {"<=>", "<=>", 2}, {"<>", "!=", 2}, {"!=", "!=", 2}, {"<", "<", 2}, {"<=", "<=", 2}, {">", ">", 2}, {">=", ">=", 2},
    {"!<", ">=", 2}, {"!>", "<=", 2},
};

static const operator_row *next_operator(const psi_parser *p)
{
    static const operator_row div = {"DIV", "div", 8};
    const psi_token *token = psi_token_at(p, 0);

    if (token->kind == PSI_T_SYMBOL)
        for (size_t i = 0; i < PS_COUNT_OF(operators); i++)
            if (ps_slice_equal(token->text, ps_slice_of(operators[i].symbol)))
                return &operators[i];
    if (psi_is_word(p, 0, "div") && psi_token_at(p, 1)->kind != PSI_T_END && !psi_is_symbol(p, 1, ",") && !psi_is_symbol(p, 1, ")"))
        return &div;
    return NULL;
}

static ps_status parse_unary(psi_parser *p, ps_expr **out)
{
    const char *name;
    ps_status rc;

    if (psi_is_symbol(p, 0, "-") && psi_token_at(p, 1)->kind == PSI_T_NUMBER) {
        p->at++;
        return psi_parse_number(p, true, out);
    }
    name = psi_is_symbol(p, 0, "-") ? "-" : psi_is_symbol(p, 0, "+") ? "+" : psi_is_symbol(p, 0, "~") ? "~" : NULL;
    if (!name)
        return psi_parse_primary(p, out);
    p->at++;
    PS_TRY(nest(p));
    rc = parse_unary(p, out);
    p->depth--;
    return rc == PS_OK ? unary(p, name, out) : rc;
}

static ps_status parse_binary(psi_parser *p, int level, ps_expr **out)
{
    const operator_row *row;
    ps_status rc;

    PS_TRY(parse_unary(p, out));
    while ((row = next_operator(p)) && row->level >= level) {
        ps_expr *right;
        p->at++;
        rc = parse_binary(p, row->level + 1, &right);
        if (rc != PS_OK) {
            ps_expr_unref(*out);
            *out = NULL;
            return rc;
        }
        PS_TRY(binary(p, strcmp(row->call, "||") == 0 ? "concat" : row->call, out, right));
    }
    return PS_OK;
}

ps_status psi_parse_value(psi_parser *p, ps_expr **out)
{
    return parse_binary(p, 2, out);
}

/* --- predicates ------------------------------------------------------------------------------------------------------ */
static ps_status parse_between(psi_parser *p, ps_expr **expr)
{
    ps_expr *args[3] = {NULL};
    ps_status rc;

    PS_TRY(psi_parse_value(p, &args[1]));
    rc = psi_want_word(p, "and");
    if (rc == PS_OK)
        rc = psi_parse_value(p, &args[2]);
    if (rc != PS_OK) {
        ps_expr_unref(args[1]);
        return rc;
    }
    args[0] = *expr;
    *expr = NULL;
    return psi_call(p, "between", true, args, 3, expr);
}

/* name(*expr, list...): takes the list's items. */
static ps_status call_with_list(psi_parser *p, const char *name, ps_expr **expr, ps_expr_list *list)
{
    ps_expr **args = NULL;
    ps_status rc = ps_alloc((size_t)(list->n + 1) * sizeof *args, &args, p->err);

    if (rc == PS_OK) {
        args[0] = *expr;
        for (int i = 0; i < list->n; i++)
            args[i + 1] = list->items[i];
        *expr = NULL;
        rc = psi_call(p, name, true, args, list->n + 1, expr);
        list->n = 0;
    }
    ps_free(args);
    ps_expr_list_clear(list);
    return rc;
}

static ps_status parse_in(psi_parser *p, ps_expr **expr)
{
    ps_expr_list list = {0};
    ps_status rc;

    PS_TRY(psi_want_symbol(p, "("));
    if (psi_is_word(p, 0, "select") || psi_is_word(p, 0, "with"))
        return ps_raise(p->err, PS_E_NOT_BUILT, "A subquery in IN");
    rc = psi_parse_list(p, ")", &list);
    if (rc == PS_OK && list.n == 0)
        rc = psi_raise_at(p, ps_raise(p->err, PS_E_EMPTY_IN), psi_token_at(p, -1)->at);
    if (rc != PS_OK) {
        ps_expr_list_clear(&list);
        return rc;
    }
    return call_with_list(p, "in", expr, &list);
}

static ps_status parse_escape(psi_parser *p, ps_expr **out)
{
    ps_bytes text = {0};
    size_t at = psi_token_at(p, 0)->at;
    ps_status rc = psi_take_string(p, &text);
    unsigned char c = rc == PS_OK && text.n_bytes ? (unsigned char)text.data[0] : 0;

    if (rc == PS_OK && text.n_bytes != ps_utf8_width(c))
        rc = psi_raise_at(p, ps_raise(p->err, PS_E_ESCAPE_CHAR, (int)text.n_bytes, text.data), at);
    if (rc == PS_OK)
        rc = ps_expr_literal_text(ps_bytes_slice(&text), out, p->err);
    ps_bytes_clear(&text);
    return rc;
}

/* ILIKE ANY: LIKE ANY over lower(x). */
static ps_status all_lower(psi_parser *p, ps_expr **expr, ps_expr_list *list)
{
    ps_status rc = psi_call(p, "lower", false, &(ps_expr *){*expr}, 1, expr);

    for (int i = 0; i < list->n && rc == PS_OK; i++)
        rc = psi_call(p, "lower", false, &(ps_expr *){list->items[i]}, 1, &list->items[i]);
    return rc;
}

/* LIKE p [ESCAPE c], LIKE ANY|ALL|SOME (p, ...). */
static ps_status parse_like(psi_parser *p, const char *name, bool *negated, ps_expr **expr)
{
    ps_expr *args[3] = {NULL};
    int n = 2;
    bool all = psi_is_word(p, 0, "all");
    ps_status rc;

    if (psi_is_symbol(p, 1, "(") && (all || psi_is_word(p, 0, "any") || psi_is_word(p, 0, "some")) && strcmp(name, "rlike") != 0) {
        ps_expr_list list = {0};
        p->at += 2;
        rc = psi_parse_list(p, ")", &list);
        if (rc == PS_OK && list.n == 0)
            rc = psi_syntax_error(p);
        if (rc == PS_OK && strcmp(name, "ilike") == 0)
            rc = all_lower(p, expr, &list);
        if (rc != PS_OK) {
            ps_expr_list_clear(&list);
            return rc;
        }
        rc = call_with_list(p, *negated ? (all ? "notlikeall" : "notlikeany") : all ? "likeall" : "likeany", expr, &list);
        *negated = false;
        return rc;
    }
    PS_TRY(psi_parse_value(p, &args[1]));
    if (strcmp(name, "rlike") != 0 && psi_take_word(p, "escape")) {
        rc = parse_escape(p, &args[2]);
        if (rc != PS_OK) {
            ps_expr_unref(args[1]);
            return rc;
        }
        n = 3;
    }
    args[0] = *expr;
    *expr = NULL;
    return psi_call(p, name, true, args, n, expr);
}

static ps_status literal_bool(psi_parser *p, bool value, ps_expr **out)
{
    ps_builder *b;

    PS_TRY(ps_build_new(ps_type_of(PS_BOOL), 1, &b, p->err));
    return ps_expr_literal_built(b, ps_build_int(b, value, p->err), out, p->err);
}

/* IS [NOT] NULL | TRUE | FALSE | UNKNOWN | DISTINCT FROM x */
static ps_status parse_is(psi_parser *p, ps_expr **expr)
{
    bool negated = psi_take_word(p, "not");
    ps_expr *right;

    if (psi_take_word(p, "null") || psi_take_word(p, "unknown"))
        return unary(p, negated ? "isnotnull" : "isnull", expr);
    if (psi_is_word(p, 0, "true") || psi_is_word(p, 0, "false")) {
        PS_TRY(literal_bool(p, psi_is_word(p, 0, "true"), &right));
        p->at++;
        PS_TRY(binary(p, "<=>", expr, right));
        return negated ? unary(p, "not", expr) : PS_OK;
    }
    PS_TRY(psi_want_word(p, "distinct"));
    PS_TRY(psi_want_word(p, "from"));
    PS_TRY(psi_parse_value(p, &right));
    PS_TRY(binary(p, "<=>", expr, right));
    return negated ? PS_OK : unary(p, "not", expr);
}

/* The word after a value begins a predicate only when what follows fits: "a like" names a column. */
static bool more_follows(const psi_parser *p, int ahead)
{
    const psi_token *token = psi_token_at(p, ahead);

    return token->kind != PSI_T_END && !psi_is_symbol(p, ahead, ",") && !psi_is_symbol(p, ahead, ")");
}

static ps_status parse_predicate(psi_parser *p, ps_expr **expr)
{
    bool negated = psi_is_word(p, 0, "not");
    int word = negated;
    ps_status rc;

    if (!more_follows(p, word + 1))
        return PS_OK;
    if (!negated && psi_is_word(p, 0, "is") && (psi_is_word(p, 1, "not") || psi_is_word(p, 1, "null") || psi_is_word(p, 1, "true") ||
                                                psi_is_word(p, 1, "false") || psi_is_word(p, 1, "unknown") || psi_is_word(p, 1, "distinct"))) {
        p->at++;
        return parse_is(p, expr);
    }
    if (psi_is_word(p, word, "between")) {
        p->at += word + 1;
        rc = parse_between(p, expr);
    } else if (psi_is_word(p, word, "in") && psi_is_symbol(p, word + 1, "(")) {
        p->at += word + 1;
        rc = parse_in(p, expr);
    } else if (psi_is_word(p, word, "like") || psi_is_word(p, word, "ilike")) {
        const char *name = psi_is_word(p, word, "like") ? "like" : "ilike";
        p->at += word + 1;
        rc = parse_like(p, name, &negated, expr);
    } else if (psi_is_word(p, word, "rlike") || psi_is_word(p, word, "regexp")) {
        p->at += word + 1;
        rc = parse_like(p, "rlike", &negated, expr);
    } else {
        return PS_OK;
    }
    return rc == PS_OK && negated ? unary(p, "not", expr) : rc;
}

static ps_status parse_predicated(psi_parser *p, ps_expr **out)
{
    ps_status rc;

    PS_TRY(psi_parse_value(p, out));
    rc = parse_predicate(p, out);
    if (rc != PS_OK) {
        ps_expr_unref(*out);
        *out = NULL;
    }
    return rc;
}

/* --- NOT, AND, OR -------------------------------------------------------------------------------------------------------- */
/* Whether a value may begin here: else NOT is a name. */
static bool begins_value(const psi_parser *p, int ahead)
{
    static const char *const symbols[] = {"(", "-", "+", "~", "!", "*", "?", ":"};
    const psi_token *token = psi_token_at(p, ahead);

    if (token->kind == PSI_T_SYMBOL) {
        for (size_t i = 0; i < PS_COUNT_OF(symbols); i++)
            if (psi_is_symbol(p, ahead, symbols[i]))
                return true;
        return false;
    }
    return token->kind != PSI_T_END && !psi_is_word(p, ahead, "and") && !psi_is_word(p, ahead, "or") && !psi_is_word(p, ahead, "as");
}

static ps_status parse_not(psi_parser *p, ps_expr **out)
{
    bool negated = psi_is_symbol(p, 0, "!") || (psi_is_word(p, 0, "not") && begins_value(p, 1));
    ps_status rc;

    if (!negated)
        return parse_predicated(p, out);
    p->at++;
    PS_TRY(nest(p));
    rc = parse_not(p, out);
    p->depth--;
    return rc == PS_OK ? unary(p, "not", out) : rc;
}

static ps_status parse_chain(psi_parser *p, const char *word, ps_expr **out)
{
    bool is_or = strcmp(word, "or") == 0;
    ps_status rc = is_or ? parse_chain(p, "and", out) : parse_not(p, out);

    while (rc == PS_OK && psi_is_word(p, 0, word) && begins_value(p, 1)) {
        ps_expr *right;
        p->at++;
        rc = is_or ? parse_chain(p, "and", &right) : parse_not(p, &right);
        if (rc != PS_OK) {
            ps_expr_unref(*out);
            *out = NULL;
            break;
        }
        rc = binary(p, word, out, right);
    }
    return rc;
}

ps_status psi_parse_expr(psi_parser *p, ps_expr **out)
{
    ps_status rc;

    *out = NULL;
    PS_TRY(nest(p));
    rc = parse_chain(p, "or", out);
    p->depth--;
    return rc;
}

/* --- items and lists --------------------------------------------------------------------------------------------------------- */
bool psi_ends_item(const psi_parser *p)
{
    static const char *const words[] = {"from", "where", "having", "limit", "offset", "union", "except", "minus", "intersect", "qualify"};
    static const char *const pairs[][2] = {{"group", "by"}, {"order", "by"}, {"sort", "by"}, {"cluster", "by"}, {"distribute", "by"}, {"lateral", "view"}};

    if (!p->statement)
        return false;
    for (size_t i = 0; i < PS_COUNT_OF(pairs); i++)
        if (psi_is_word(p, 0, pairs[i][0]) && psi_is_word(p, 1, pairs[i][1]))
            return true;
    if (psi_is_word(p, 0, "window") && psi_is_name(p, 1) && psi_is_word(p, 2, "as"))
        return true;
    for (size_t i = 0; i < PS_COUNT_OF(words); i++)
        if (psi_is_word(p, 0, words[i]))
            return psi_token_at(p, 1)->kind != PSI_T_END;
    return false;
}

/* [AS] name, or [AS] (name, name). */
static ps_status parse_alias(psi_parser *p, ps_expr **expr)
{
    char *names[64];
    int n = 0;
    bool as = psi_is_word(p, 0, "as") && (psi_is_name(p, 1) || psi_is_symbol(p, 1, "("));
    ps_expr *alias;
    ps_status rc = PS_OK;

    p->at += as;
    if (psi_is_symbol(p, 0, "(") && as) {
        do {
            p->at++;
            rc = n < 64 ? psi_take_name(p, &names[n]) : psi_syntax_error(p);
            n += rc == PS_OK;
        } while (rc == PS_OK && psi_is_symbol(p, 0, ","));
        if (rc == PS_OK)
            rc = psi_want_symbol(p, ")");
    } else if (as || (psi_is_name(p, 0) && !psi_ends_item(p))) {
        rc = psi_take_name(p, &names[n]);
        n += rc == PS_OK;
    } else {
        return PS_OK;
    }
    if (rc == PS_OK)
        rc = ps_expr_alias(*expr, (const char *const *)names, n, NULL, &alias, p->err);
    for (int i = 0; i < n; i++)
        ps_free(names[i]);
    if (rc == PS_OK) {
        ps_expr_unref(*expr);
        *expr = alias;
    }
    return rc;
}

/* A dash inside of a name that is not quoted: "AS my-name". */
static ps_status check_dash(psi_parser *p)
{
    const psi_token *name = psi_token_at(p, -1), *next = psi_token_at(p, 1);
    const char *text = name->text.data;
    int n_bytes;

    if (!psi_is_symbol(p, 0, "-") || next->kind != PSI_T_WORD || name->kind != PSI_T_WORD || name->at + name->text.n_bytes != psi_token_at(p, 0)->at)
        return PS_OK;
    n_bytes = (int)(next->text.data + next->text.n_bytes - text);
    return psi_raise_at(p, ps_raise(p->err, PS_E_IDENTIFIER, n_bytes, text, n_bytes, text), name->at);
}

ps_status psi_parse_item(psi_parser *p, ps_expr **out)
{
    ps_status rc;

    PS_TRY(psi_parse_expr(p, out));
    rc = parse_alias(p, out);
    if (rc == PS_OK && (*out)->kind == PS_X_ALIAS)
        rc = check_dash(p);
    if (rc != PS_OK) {
        ps_expr_unref(*out);
        *out = NULL;
    }
    return rc;
}

ps_status psi_parse_list(psi_parser *p, const char *end, ps_expr_list *out)
{
    ps_expr *expr;
    ps_status rc;

    if (psi_take_symbol(p, end))
        return PS_OK;
    for (;;) {
        PS_TRY(psi_parse_expr(p, &expr));
        rc = PS_PUSH(out, expr, p->err);
        if (rc != PS_OK) {
            ps_expr_unref(expr);
            return rc;
        }
        if (psi_take_symbol(p, end))
            return PS_OK;
        PS_TRY(psi_want_symbol(p, ","));
    }
}

ps_status psi_parse_sort_item(psi_parser *p, ps_expr **out)
{
    ps_expr *expr;
    bool descending = false, first;
    ps_status rc = PS_OK;

    PS_TRY(psi_parse_expr(p, &expr));
    if (psi_take_word(p, "desc"))
        descending = true;
    else
        psi_take_word(p, "asc");
    first = !descending;
    if (psi_is_word(p, 0, "nulls") && (psi_is_word(p, 1, "first") || psi_is_word(p, 1, "last"))) {
        first = psi_is_word(p, 1, "first");
        p->at += 2;
    }
    rc = ps_expr_sort(expr, descending, first, out, p->err);
    ps_expr_unref(expr);
    return rc;
}

ps_status psi_parse_type(psi_parser *p, const ps_type **out)
{
    size_t end = psi_token_at(p, 0)->at;
    ps_status rc;

    *out = NULL;
    if (!psi_is_name(p, 0))
        return psi_syntax_error(p);
    rc = ps_type_parse_at(p->text, &end, out, p->err);
    while (rc == PS_OK && psi_token_at(p, 0)->kind != PSI_T_END && psi_token_at(p, 0)->at < end)
        p->at++;
    return rc;
}

/* --- entry points --------------------------------------------------------------------------------------------------------------- */
void ps_expr_list_clear(ps_expr_list *list)
{
    for (int i = 0; i < list->n; i++)
        ps_expr_unref(list->items[i]);
    ps_free(list->items);
    *list = (ps_expr_list){0};
}

/* The node under an alias keeps the text: repr shows `a + 1 AS b`. */
static ps_status keep_text(ps_slice text, ps_expr *expr, ps_error *err)
{
    if (expr->kind == PS_X_ALIAS || expr->kind == PS_X_LITERAL || expr->kind == PS_X_NAME || expr->kind == PS_X_STAR)
        return PS_OK;
    expr->from_text = true;
    return ps_strndup(text.data, text.n_bytes, &expr->sql, err);
}

ps_status ps_expr_parse(ps_slice text, ps_expr **out, ps_error *err)
{
    psi_parser p;
    ps_status rc;

    *out = NULL;
    rc = psi_parser_init(&p, text, err);
    if (rc == PS_OK && p.tokens.n == 1)
        rc = ps_raise(err, PS_E_EMPTY_STATEMENT);
    if (rc == PS_OK)
        rc = psi_parse_item(&p, out);
    if (rc == PS_OK && psi_token_at(&p, 0)->kind != PSI_T_END)
        rc = psi_syntax_error(&p);
    psi_parser_clear(&p);
    if (rc == PS_OK)
        rc = keep_text(text, *out, err);
    if (rc != PS_OK) {
        ps_expr_unref(*out);
        *out = NULL;
    }
    return rc;
}
