/* sql/primary.c - literals, names, parentheses, CASE, lambdas, and what follows them: .field [index] ::type. */
#include "sql/parse.h"
#include <stdio.h>

/* --- names ------------------------------------------------------------------------------------------------------- */
#define MAX_PARTS 32

/* a.b.c, a.b.*; *star when it ends in a star. */
static ps_status take_parts(psi_parser *p, char **parts, int *n, bool *star)
{
    *n = 0;
    *star = false;
    for (;;) {
        if (*n == MAX_PARTS)
            return psi_syntax_error(p);
        PS_TRY(psi_take_name(p, &parts[*n]));
        (*n)++;
        if (!psi_is_symbol(p, 0, "."))
            return PS_OK;
        p->at++;
        if (psi_take_symbol(p, "*")) {
            *star = true;
            return PS_OK;
        }
    }
}

/* * [EXCEPT (a, b.c)]: the names become the star's arguments. */
static ps_status parse_except(psi_parser *p, ps_expr *star)
{
    ps_expr_list list = {0};
    ps_status rc;

    if (!psi_is_word(p, 0, "except") || !psi_is_symbol(p, 1, "(") || psi_is_word(p, 2, "select"))
        return PS_OK;
    p->at += 2;
    rc = psi_parse_list(p, ")", &list);
    for (int i = 0; i < list.n && rc == PS_OK; i++)
        if (list.items[i]->kind != PS_X_NAME)
            rc = psi_syntax_error(p);
    if (rc != PS_OK) {
        ps_expr_list_clear(&list);
        return rc;
    }
    star->args = list.items;
    star->n_args = list.n;
    return PS_OK;
}

static ps_status parse_star(psi_parser *p, char *const *parts, int n, ps_expr **out)
{
    ps_status rc;

    PS_TRY(ps_expr_star((const char *const *)parts, n, out, p->err));
    rc = parse_except(p, *out);
    if (rc != PS_OK) {
        ps_expr_unref(*out);
        *out = NULL;
    }
    return rc;
}

static ps_status join_parts(psi_parser *p, char *const *parts, int n, ps_bytes *out)
{
    for (int i = 0; i < n; i++) {
        if (i)
            PS_TRY(ps_bytes_char(out, '.', p->err));
        PS_TRY(ps_bytes_text(out, parts[i], p->err));
    }
    return PS_OK;
}

static ps_status parse_name(psi_parser *p, ps_expr **out)
{
    char *parts[MAX_PARTS];
    int n;
    bool star;
    ps_bytes name = {0};
    ps_status rc = take_parts(p, parts, &n, &star);

    if (rc == PS_OK && star) {
        rc = parse_star(p, parts, n, out);
    } else if (rc == PS_OK && psi_is_symbol(p, 0, "(")) {
        rc = join_parts(p, parts, n, &name);
        if (rc == PS_OK && n > 2)
            rc = ps_raise(p->err, PS_E_SINGLE_PART_NAMESPACE, name.data);
        if (rc == PS_OK)
            rc = psi_parse_function(p, name.data, out);
    } else if (rc == PS_OK) {
        rc = ps_expr_name((const char *const *)parts, n, out, p->err);
    }
    for (int i = 0; i < n; i++)
        ps_free(parts[i]);
    ps_bytes_clear(&name);
    return rc;
}

/* --- lambdas --------------------------------------------------------------------------------------------------------- */
/* The number of tokens of "x ->" or "(x, y) ->" before the arrow, or 0. */
static int lambda_head(const psi_parser *p)
{
    int ahead = 1;

    if (psi_is_name(p, 0) && psi_is_symbol(p, 1, "->"))
        return 1;
    if (!psi_is_symbol(p, 0, "("))
        return 0;
    while (psi_is_name(p, ahead)) {
        ahead++;
        if (!psi_is_symbol(p, ahead, ","))
            break;
        ahead++;
    }
    return psi_is_symbol(p, ahead, ")") && psi_is_symbol(p, ahead + 1, "->") ? ahead + 1 : 0;
}

static ps_status parse_lambda(psi_parser *p, int n_head, ps_expr **out)
{
    char *names[MAX_PARTS];
    int n = 0, end = p->at + n_head;
    ps_expr *body = NULL;
    ps_status rc = PS_OK;

    for (; p->at < end && rc == PS_OK; p->at++) {
        if (!psi_is_name(p, 0))
            continue;
        rc = n < MAX_PARTS ? psi_take_name(p, &names[n]) : psi_syntax_error(p);
        n += rc == PS_OK;
        p->at--;
    }
    if (rc == PS_OK) {
        p->at = end + 1;
        rc = psi_parse_expr(p, &body);
    }
    if (rc == PS_OK)
        rc = ps_expr_lambda(body, (const char *const *)names, n, out, p->err);
    ps_expr_unref(body);
    for (int i = 0; i < n; i++)
        ps_free(names[i]);
    return rc;
}

/* --- parentheses ------------------------------------------------------------------------------------------------------ */
/* (a, b): a struct whose fields are called as the columns are, else col1, col2, ... */
static ps_status parse_row(psi_parser *p, ps_expr *first, ps_expr **out)
{
    ps_expr_list list = {0};
    ps_expr **args = NULL;
    int n = 0;
    ps_status rc = PS_PUSH(&list, first, p->err);

    if (rc != PS_OK)
        ps_expr_unref(first);
    if (rc == PS_OK)
        rc = psi_parse_list(p, ")", &list);
    if (rc == PS_OK)
        rc = ps_alloc((size_t)list.n * 2 * sizeof *args, &args, p->err);
    for (int i = 0; i < list.n && rc == PS_OK; i++) {
        const ps_expr *item = list.items[i];
        char made[24];
        const char *name = item->kind == PS_X_NAME ? item->names[item->n_names - 1] : item->kind == PS_X_ALIAS ? item->names[0] : made;
        snprintf(made, sizeof made, "col%d", i + 1);
        rc = ps_expr_literal_text(ps_slice_of(name), &args[n], p->err);
        if (rc == PS_OK) {
            n++;
            args[n++] = ps_expr_ref(list.items[i]);
        }
    }
    if (rc == PS_OK)
        rc = psi_call(p, "named_struct", false, args, n, out);
    else
        for (int i = 0; i < n; i++)
            ps_expr_unref(args[i]);
    ps_free(args);
    ps_expr_list_clear(&list);
    return rc;
}

static ps_status parse_parenthesis(psi_parser *p, ps_expr **out)
{
    ps_status rc;

    p->at++;
    if (psi_is_word(p, 0, "select") && psi_token_at(p, 1)->kind != PSI_T_SYMBOL)
        return ps_raise(p->err, PS_E_NOT_BUILT, "A scalar subquery");
    PS_TRY(psi_parse_expr(p, out));
    if (psi_take_symbol(p, ","))
        return parse_row(p, *out, out);
    rc = psi_want_symbol(p, ")");
    if (rc != PS_OK) {
        ps_expr_unref(*out);
        *out = NULL;
    }
    return rc;
}

/* --- CASE ------------------------------------------------------------------------------------------------------------------ */
/* `operand` (or NULL) = WHEN's value. */
static ps_status parse_when(psi_parser *p, ps_expr *operand, ps_expr_list *list)
{
    ps_expr *cond, *value;
    ps_status rc;

    PS_TRY(psi_parse_expr(p, &cond));
    if (operand) {
        ps_expr *args[] = {ps_expr_ref(operand), cond};
        PS_TRY(psi_call(p, "=", true, args, 2, &cond));
    }
    rc = PS_PUSH(list, cond, p->err);
    if (rc != PS_OK) {
        ps_expr_unref(cond);
        return rc;
    }
    PS_TRY(psi_want_word(p, "then"));
    PS_TRY(psi_parse_expr(p, &value));
    rc = PS_PUSH(list, value, p->err);
    if (rc != PS_OK)
        ps_expr_unref(value);
    return rc;
}

static ps_status parse_case(psi_parser *p, ps_expr **out)
{
    ps_expr_list list = {0};
    ps_expr *operand = NULL, *other;
    ps_status rc = PS_OK;

    p->at++;
    if (!psi_is_word(p, 0, "when"))
        PS_TRY(psi_parse_expr(p, &operand));
    if (!psi_is_word(p, 0, "when"))
        rc = psi_syntax_error(p);
    while (rc == PS_OK && psi_take_word(p, "when"))
        rc = parse_when(p, operand, &list);
    if (rc == PS_OK && psi_take_word(p, "else")) {
        rc = psi_parse_expr(p, &other);
        if (rc == PS_OK && (rc = PS_PUSH(&list, other, p->err)) != PS_OK)
            ps_expr_unref(other);
    }
    if (rc == PS_OK)
        rc = psi_want_word(p, "end");
    if (rc == PS_OK) {
        rc = psi_call(p, "case", true, list.items, list.n, out);
        list.n = 0;
    }
    ps_expr_unref(operand);
    ps_expr_list_clear(&list);
    return rc;
}

/* A column may be called "case": then no value follows. */
static bool is_case(const psi_parser *p)
{
    const psi_token *next = psi_token_at(p, 1);

    if (!psi_is_word(p, 0, "case"))
        return false;
    return next->kind != PSI_T_END && (next->kind != PSI_T_SYMBOL || psi_is_symbol(p, 1, "(") || psi_is_symbol(p, 1, "-"));
}

/* --- primary ------------------------------------------------------------------------------------------------------------------ */
static ps_status parse_string(psi_parser *p, ps_expr **out)
{
    ps_bytes text = {0};
    ps_status rc = psi_take_string(p, &text);

    if (rc == PS_OK)
        rc = ps_expr_literal_text(ps_bytes_slice(&text), out, p->err);
    ps_bytes_clear(&text);
    return rc;
}

/* The value given for :name or the next ?; NULL when there is none. */
static ps_expr *find_parameter(psi_parser *p, ps_slice name)
{
    const ps_sql_params *params = p->params;

    if (!params)
        return NULL;
    if (name.n_bytes == 0)
        return !params->names && p->n_marks < params->n ? params->values[p->n_marks++] : NULL;
    for (int i = 0; params->names && i < params->n; i++)
        if (ps_slice_equal(name, ps_slice_of(params->names[i])))
            return params->values[i];
    return NULL;
}

static ps_status parse_parameter(psi_parser *p, ps_expr **out)
{
    ps_bytes name = {0};
    size_t at = psi_token_at(p, 0)->at;
    bool mark = psi_is_symbol(p, 0, "?");
    ps_status rc = PS_OK;

    if (!mark && !(psi_is_symbol(p, 0, ":") && psi_is_name(p, 1)))
        return psi_syntax_error(p);
    *out = ps_expr_ref(find_parameter(p, mark ? (ps_slice){"", 0} : psi_token_at(p, 1)->text));
    if (*out) {
        p->at += mark ? 1 : 2;
        return PS_OK;
    }
    if (mark)
        rc = ps_bytes_printf(&name, p->err, "_%zu", at);
    else
        rc = ps_bytes_append(&name, psi_token_at(p, 1)->text.data, psi_token_at(p, 1)->text.n_bytes, p->err);
    if (rc == PS_OK)
        rc = psi_raise_at(p, ps_raise(p->err, PS_E_UNBOUND_PARAMETER, name.data), at);
    ps_bytes_clear(&name);
    return rc;
}

static ps_status parse_word(psi_parser *p, ps_expr **out)
{
    bool plain = !psi_is_symbol(p, 1, "(") && !psi_is_symbol(p, 1, ".");
    ps_builder *b;

    if (plain && (psi_is_word(p, 0, "true") || psi_is_word(p, 0, "false"))) {
        PS_TRY(ps_build_new(ps_type_of(PS_BOOL), 1, &b, p->err));
        p->at++;
        return ps_expr_literal_built(b, ps_build_int(b, psi_is_word(p, -1, "true"), p->err), out, p->err);
    }
    if (plain && psi_is_word(p, 0, "null")) {
        PS_TRY(ps_build_new(ps_type_of(PS_NULL), 1, &b, p->err));
        p->at++;
        return ps_expr_literal_built(b, ps_build_null(b, p->err), out, p->err);
    }
    if (is_case(p))
        return parse_case(p, out);
    PS_TRY(psi_parse_typed(p, out));
    if (!*out)
        PS_TRY(psi_parse_interval(p, out));
    if (!*out && psi_is_symbol(p, 1, "("))
        PS_TRY(psi_parse_special(p, out));
    return *out ? PS_OK : parse_name(p, out);
}

static ps_status parse_first(psi_parser *p, ps_expr **out)
{
    int head = lambda_head(p);

    if (head)
        return parse_lambda(p, head, out);
    switch (psi_token_at(p, 0)->kind) {
    case PSI_T_NUMBER:
        return psi_parse_number(p, false, out);
    case PSI_T_STRING:
        return parse_string(p, out);
    case PSI_T_WORD:
        return parse_word(p, out);
    case PSI_T_QUOTED:
        return parse_name(p, out);
    case PSI_T_SYMBOL:
        break;
    default:
        return psi_syntax_error(p);
    }
    if (psi_is_symbol(p, 0, "("))
        return parse_parenthesis(p, out);
    if (psi_take_symbol(p, "*"))
        return parse_star(p, NULL, 0, out);
    return parse_parameter(p, out);
}

/* *expr becomes getitem(*expr, key); takes key. */
static ps_status item_of(psi_parser *p, ps_expr **expr, ps_expr *key)
{
    ps_expr *args[] = {*expr, key};

    *expr = NULL;
    return psi_call(p, "getitem", true, args, 2, expr);
}

static ps_status parse_field(psi_parser *p, ps_expr **expr)
{
    char *name;
    ps_expr *key;
    ps_status rc;

    PS_TRY(psi_take_name(p, &name));
    rc = ps_expr_literal_text(ps_slice_of(name), &key, p->err);
    ps_free(name);
    return rc == PS_OK ? item_of(p, expr, key) : rc;
}

static ps_status parse_index(psi_parser *p, ps_expr **expr)
{
    ps_expr *key;
    ps_status rc;

    PS_TRY(psi_parse_value(p, &key));
    rc = psi_want_symbol(p, "]");
    if (rc != PS_OK) {
        ps_expr_unref(key);
        return rc;
    }
    return item_of(p, expr, key);
}

static ps_status parse_cast_to(psi_parser *p, ps_expr **expr)
{
    const ps_type *type;
    ps_expr *cast;
    ps_status rc;

    PS_TRY(psi_parse_type(p, &type));
    rc = ps_expr_cast(*expr, type, false, &cast, p->err);
    ps_type_unref(type);
    if (rc == PS_OK) {
        cast->from_text = true;
        ps_expr_unref(*expr);
        *expr = cast;
    }
    return rc;
}

ps_status psi_parse_primary(psi_parser *p, ps_expr **out)
{
    ps_status rc;

    *out = NULL;
    rc = parse_first(p, out);
    while (rc == PS_OK && (*out)->kind != PS_X_LAMBDA) {
        if (psi_is_symbol(p, 0, ".") && psi_is_name(p, 1)) {
            p->at++;
            rc = parse_field(p, out);
        } else if (psi_take_symbol(p, "[")) {
            rc = parse_index(p, out);
        } else if (psi_take_symbol(p, "::")) {
            rc = parse_cast_to(p, out);
        } else {
            break;
        }
    }
    if (rc != PS_OK) {
        ps_expr_unref(*out);
        *out = NULL;
    }
    return rc;
}
