/* sql/statement.c - statements: queries, views, SET, and what asks about them. */
#include "sql/select_int.h"

/* The rest of the text up to the end, without blanks and a ; around it. */
static ps_status take_rest(psi_parser *p, char **out)
{
    size_t from = psi_token_at(p, 0)->at, to = p->text.n_bytes;

    while (to > from && ((unsigned char)p->text.data[to - 1] <= ' ' || p->text.data[to - 1] == ';'))
        to--;
    p->at = p->tokens.n - 1;
    return ps_strndup(p->text.data + from, to - from, out, p->err);
}

/* SET, SET key, SET key = value; keys are dotted and may hold dashes. */
static ps_status parse_set_statement(psi_parser *p, ps_sql_statement *statement)
{
    size_t from = psi_token_at(p, 0)->at, to;
    bool quoted = psi_token_at(p, 0)->kind == PSI_T_QUOTED;

    statement->kind = PS_STMT_SET;
    if (psi_is_word(p, 0, "time") && psi_is_word(p, 1, "zone")) {
        ps_bytes zone = {0};
        ps_status rc;
        p->at += 2;
        PS_TRY(ps_strdup("spark.sql.session.timeZone", &statement->key, p->err));
        if (psi_token_at(p, 0)->kind != PSI_T_STRING)
            return take_rest(p, &statement->value);
        rc = psi_take_string(p, &zone);
        if (rc == PS_OK)
            statement->value = ps_bytes_take(&zone);
        ps_bytes_clear(&zone);
        return rc;
    }
    while (psi_token_at(p, 0)->kind != PSI_T_END && !psi_is_symbol(p, 0, "=") && !psi_is_symbol(p, 0, ";")) {
        if (!psi_is_symbol(p, 0, ".") && !psi_is_symbol(p, 0, "-") && p->tokens.items[p->at - 1].at >= from &&
            psi_is_name(p, -1) && psi_is_name(p, 0))
            return psi_raise_at(p, ps_raise(p->err, PS_E_SET_SYNTAX), from);
        p->at++;
    }
    to = psi_token_at(p, 0)->at;
    while (to > from && (unsigned char)p->text.data[to - 1] <= ' ')
        to--;
    if (quoted && to - from >= 2)
        PS_TRY(ps_strndup(p->text.data + from + 1, to - from - 2, &statement->key, p->err));
    else if (to > from)
        PS_TRY(ps_strndup(p->text.data + from, to - from, &statement->key, p->err));
    return psi_take_symbol(p, "=") ? take_rest(p, &statement->value) : PS_OK;
}

static ps_status parse_reset(psi_parser *p, ps_sql_statement *statement)
{
    statement->kind = PS_STMT_RESET;
    return psi_token_at(p, 0)->kind == PSI_T_END ? PS_OK : take_rest(p, &statement->key);
}

/* IF [NOT] EXISTS */
static bool take_if_exists(psi_parser *p, bool negated)
{
    if (!psi_is_word(p, 0, "if") || (negated && !psi_is_word(p, 1, "not")) || !psi_is_word(p, 1 + negated, "exists"))
        return false;
    p->at += 2 + negated;
    return true;
}

static ps_status parse_create(psi_parser *p, ps_sql_statement *statement)
{
    statement->kind = PS_STMT_CREATE_VIEW;
    if (psi_is_word(p, 0, "or") && psi_is_word(p, 1, "replace")) {
        statement->replace = true;
        p->at += 2;
    }
    statement->global = psi_take_word(p, "global");
    if (!psi_take_word(p, "temp"))
        psi_take_word(p, "temporary");
    if (!psi_take_word(p, "view"))
        return ps_raise(p->err, PS_E_NOT_BUILT, "A CREATE statement for anything but a view");
    statement->if_exists = take_if_exists(p, true);
    PS_TRY(psi_take_parts(p, &statement->name));
    if (psi_is_symbol(p, 0, "("))
        PS_TRY(psi_take_columns(p, &statement->columns));
    PS_TRY(psi_want_word(p, "as"));
    return psi_parse_query(p, &statement->query);
}

static ps_status parse_drop(psi_parser *p, ps_sql_statement *statement)
{
    statement->kind = PS_STMT_DROP_VIEW;
    if (!psi_take_word(p, "view"))
        PS_TRY(psi_want_word(p, "table"));
    statement->if_exists = take_if_exists(p, false);
    return psi_take_parts(p, &statement->name);
}

static ps_status parse_describe(psi_parser *p, ps_sql_statement *statement)
{
    statement->kind = PS_STMT_DESCRIBE;
    if (psi_is_word(p, 0, "query") || psi_begins_query(p, 0)) {
        psi_take_word(p, "query");
        return psi_parse_query(p, &statement->query);
    }
    psi_take_word(p, "table");
    statement->extended = psi_is_name(p, 1) && psi_take_word(p, "extended");
    return psi_take_parts(p, &statement->name);
}

static ps_status parse_explain(psi_parser *p, ps_sql_statement *statement)
{
    statement->kind = PS_STMT_EXPLAIN;
    if (psi_take_word(p, "extended") || psi_take_word(p, "cost") || psi_take_word(p, "codegen") || psi_take_word(p, "formatted"))
        statement->extended = psi_is_word(p, -1, "extended");
    return psi_parse_query(p, &statement->query);
}

/* Statements of Spark that begin with a word of their own and do not exist here. */
static ps_status refuse_statement(psi_parser *p)
{
    static const char *const words[] = {"ALTER", "ANALYZE", "CACHE", "CALL", "CLEAR", "COMMENT", "DELETE", "INSERT", "LIST", "LOAD", "MERGE",
                                        "MSCK", "REFRESH", "REPAIR", "SHOW", "TRUNCATE", "UNCACHE", "UPDATE", "USE"};

    for (size_t i = 0; i < PS_COUNT_OF(words); i++)
        if (psi_is_word(p, 0, words[i]) && psi_token_at(p, 1)->kind != PSI_T_END)
            return ps_raise(p->err, PS_E_NOT_BUILT, words[i]);
    return psi_syntax_error(p);
}

static ps_status parse_body(psi_parser *p, ps_sql_statement *statement)
{
    if (psi_begins_query(p, 0))
        return psi_parse_query(p, &statement->query);
    if (psi_take_word(p, "create"))
        return parse_create(p, statement);
    if (psi_take_word(p, "drop"))
        return parse_drop(p, statement);
    if (psi_take_word(p, "set"))
        return parse_set_statement(p, statement);
    if (psi_take_word(p, "reset"))
        return parse_reset(p, statement);
    if (psi_take_word(p, "describe") || psi_take_word(p, "desc"))
        return parse_describe(p, statement);
    if (psi_take_word(p, "explain"))
        return parse_explain(p, statement);
    if (psi_is_word(p, 0, "show") && (psi_is_word(p, 1, "tables") || psi_is_word(p, 1, "views"))) {
        statement->kind = PS_STMT_SHOW_TABLES;
        p->at += 2;
        return PS_OK;
    }
    return refuse_statement(p);
}

ps_status ps_statement_parse(ps_slice text, const ps_sql_params *params, ps_sql_statement **out, ps_error *err)
{
    psi_parser p;
    ps_sql_statement *statement = NULL;
    ps_status rc = psi_parser_init(&p, text, err);

    *out = NULL;
    p.params = params;
    if (rc == PS_OK && p.tokens.n == 1)
        rc = ps_raise(err, PS_E_EMPTY_STATEMENT);
    if (rc == PS_OK)
        rc = ps_alloc0(sizeof *statement, &statement, err);
    if (rc == PS_OK)
        rc = parse_body(&p, statement);
    while (rc == PS_OK && psi_take_symbol(&p, ";"))
        ;
    if (rc == PS_OK && psi_token_at(&p, 0)->kind != PSI_T_END)
        rc = psi_syntax_error(&p);
    psi_parser_clear(&p);
    if (rc != PS_OK) {
        ps_statement_free(statement);
        return rc;
    }
    *out = statement;
    return PS_OK;
}
