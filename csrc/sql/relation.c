/* sql/relation.c - what stands behind FROM: tables, subqueries, VALUES, table functions, joins, aliases. */
#include "sql/select_int.h"

ps_status psi_take_part(psi_parser *p, ps_sql_names *out)
{
    char *name;
    ps_status rc;

    PS_TRY(psi_take_name(p, &name));
    rc = PS_PUSH(out, name, p->err);
    if (rc != PS_OK)
        ps_free(name);
    return rc;
}

ps_status psi_take_parts(psi_parser *p, ps_sql_names *out)
{
    do
        PS_TRY(psi_take_part(p, out));
    while (psi_take_symbol(p, "."));
    return PS_OK;
}

ps_status psi_take_columns(psi_parser *p, ps_sql_names *out)
{
    PS_TRY(psi_want_symbol(p, "("));
    do
        PS_TRY(psi_take_part(p, out));
    while (psi_take_symbol(p, ","));
    return psi_want_symbol(p, ")");
}

bool psi_begins_query(const psi_parser *p, int ahead)
{
    while (psi_is_symbol(p, ahead, "("))
        ahead++;
    return psi_is_word(p, ahead, "select") || psi_is_word(p, ahead, "with") || psi_is_word(p, ahead, "values") ||
           (psi_is_word(p, ahead, "table") && psi_is_name(p, ahead + 1)) ||
           (psi_is_word(p, ahead, "from") && psi_is_name(p, ahead + 1));
}

/* --- aliases ----------------------------------------------------------------------------------------------------- */
/* Words that never are the alias of a table unless AS stands before them. */
static bool is_strict(const psi_parser *p)
{
    static const char *const words[] = {"anti", "cross", "except", "full", "inner", "intersect", "join", "lateral", "left",
                                        "natural", "on", "right", "semi", "minus", "union", "using", "tablesample", "pivot", "unpivot"};

    for (size_t i = 0; i < PS_COUNT_OF(words); i++)
        if (psi_is_word(p, 0, words[i]))
            return true;
    if (psi_is_word(p, 0, "select")) /* FROM t SELECT ... */
        return psi_token_at(p, 1)->kind != PSI_T_END && !psi_is_symbol(p, 1, ")") && !psi_is_symbol(p, 1, ",");
    return psi_ends_item(p);
}

static ps_status parse_alias(psi_parser *p, ps_sql_rel *rel)
{
    bool as = psi_take_word(p, "as");

    if (!as && (!psi_is_name(p, 0) || is_strict(p)))
        return PS_OK;
    PS_TRY(psi_take_name(p, &rel->alias));
    return psi_is_symbol(p, 0, "(") ? psi_take_columns(p, &rel->columns) : PS_OK;
}

/* --- relations ------------------------------------------------------------------------------------------------------ */
/* (1, 'a'), (2, 'b') or 1, 2: rows of one width. */
ps_status psi_parse_values(psi_parser *p, ps_sql_rel **out)
{
    ps_sql_rel *rel;
    int width = 0;
    ps_status rc;

    PS_TRY(ps_alloc0(sizeof *rel, &rel, p->err));
    rel->kind = PS_REL_VALUES;
    do {
        int before = rel->cells.n;
        if (psi_take_symbol(p, "(")) {
            PS_TRY_OR(fail, psi_is_symbol(p, 0, ")") ? psi_syntax_error(p) : psi_parse_list(p, ")", &rel->cells));
        } else {
            ps_expr *cell;
            PS_TRY_OR(fail, psi_parse_expr(p, &cell));
            rc = PS_PUSH(&rel->cells, cell, p->err);
            if (rc != PS_OK) {
                ps_expr_unref(cell);
                goto fail;
            }
        }
        if (rel->n_rows++ == 0)
            width = rel->cells.n;
        if (rel->cells.n == before || rel->cells.n - before != width) {
            rc = ps_raise(p->err, PS_E_VALUES_WIDTH, width, rel->cells.n - before, rel->n_rows - 1);
            goto fail;
        }
    } while (psi_take_symbol(p, ","));
    *out = rel;
    return PS_OK;
fail:
    psi_rel_free(rel);
    return rc;
}

/* IDENTIFIER('a.b') */
static ps_status parse_identifier(psi_parser *p, ps_sql_rel *rel)
{
    ps_expr *name;
    ps_bytes text = {0};
    ps_status rc;

    p->at += 2;
    rc = psi_take_string(p, &text);
    if (rc == PS_OK)
        rc = ps_expr_name_text(ps_bytes_slice(&text), &name, p->err);
    ps_bytes_clear(&text);
    PS_TRY(rc);
    rel->name.items = name->names;
    rel->name.n = name->n_names;
    name->names = NULL;
    name->n_names = 0;
    ps_expr_unref(name);
    return psi_want_symbol(p, ")");
}

static ps_status parse_table(psi_parser *p, ps_sql_rel *rel)
{
    char *name;
    ps_status rc;

    if (psi_is_word(p, 0, "stream") && (psi_is_name(p, 1) || psi_is_symbol(p, 1, "(")) && !psi_is_word(p, 1, "as")) {
        bool parenthesis;
        rel->stream = true;
        p->at++;
        parenthesis = psi_take_symbol(p, "(");
        PS_TRY(psi_take_parts(p, &rel->name));
        return parenthesis ? psi_want_symbol(p, ")") : PS_OK;
    }
    if (psi_is_word(p, 0, "identifier") && psi_token_at(p, 2)->kind == PSI_T_STRING && psi_is_symbol(p, 3, ")"))
        return parse_identifier(p, rel);
    if (!psi_is_symbol(p, 1, "("))
        return psi_take_parts(p, &rel->name);
    rel->kind = PS_REL_FUNCTION;
    PS_TRY(psi_take_name(p, &name));
    rc = psi_parse_function(p, name, &rel->call);
    ps_free(name);
    return rc;
}

ps_status psi_parse_relation(psi_parser *p, ps_sql_rel **out)
{
    ps_sql_rel *rel = NULL;
    ps_status rc;

    *out = NULL;
    if (psi_is_word(p, 0, "values") && !psi_is_word(p, 1, "as")) {
        p->at++;
        PS_TRY(psi_parse_values(p, &rel));
    } else if (psi_is_symbol(p, 0, "(") && !psi_begins_query(p, 1)) {
        p->at++;
        PS_TRY(psi_parse_from(p, &rel)); /* (a JOIN b) */
        PS_TRY_OR(fail, psi_want_symbol(p, ")"));
    } else {
        PS_TRY(ps_alloc0(sizeof *rel, &rel, p->err));
        if (psi_take_symbol(p, "(")) {
            rel->kind = PS_REL_QUERY;
            PS_TRY_OR(fail, psi_parse_query(p, &rel->query));
            PS_TRY_OR(fail, psi_want_symbol(p, ")"));
        } else {
            PS_TRY_OR(fail, parse_table(p, rel));
        }
    }
    if (psi_is_word(p, 0, "tablesample") || psi_is_word(p, 0, "pivot") || psi_is_word(p, 0, "unpivot")) {
        rc = ps_raise(p->err, PS_E_NOT_BUILT, "TABLESAMPLE, PIVOT or UNPIVOT");
        goto fail;
    }
    PS_TRY_OR(fail, parse_alias(p, rel));
    *out = rel;
    return PS_OK;
fail:
    psi_rel_free(rel);
    return rc;
}

/* --- joins -------------------------------------------------------------------------------------------------------------- */
/* The words before JOIN; false when there is no join here (nothing is then taken). */
static bool take_join_words(psi_parser *p, ps_sql_join *join, bool *natural)
{
    int start = p->at;

    *join = PS_SQL_JOIN_INNER;
    *natural = psi_take_word(p, "natural");
    if (psi_take_word(p, "cross")) {
        *join = PS_SQL_JOIN_CROSS;
    } else if (psi_take_word(p, "left") || psi_take_word(p, "right") || psi_take_word(p, "full")) {
        *join = psi_is_word(p, -1, "left") ? PS_SQL_JOIN_LEFT : psi_is_word(p, -1, "right") ? PS_SQL_JOIN_RIGHT : PS_SQL_JOIN_FULL;
        if (*join == PS_SQL_JOIN_LEFT && psi_take_word(p, "semi"))
            *join = PS_SQL_JOIN_SEMI;
        else if (*join == PS_SQL_JOIN_LEFT && psi_take_word(p, "anti"))
            *join = PS_SQL_JOIN_ANTI;
        else
            psi_take_word(p, "outer");
    } else if (psi_take_word(p, "semi")) {
        *join = PS_SQL_JOIN_SEMI;
    } else if (psi_take_word(p, "anti")) {
        *join = PS_SQL_JOIN_ANTI;
    } else {
        psi_take_word(p, "inner");
    }
    if (psi_take_word(p, "join"))
        return true;
    p->at = start;
    return false;
}

/* *left becomes the join of *left and right; takes right. */
static ps_status join_with(psi_parser *p, ps_sql_rel **left, ps_sql_rel *right, ps_sql_join join, ps_sql_rel **out)
{
    ps_sql_rel *rel;
    ps_status rc = ps_alloc0(sizeof *rel, &rel, p->err);

    if (rc != PS_OK) {
        psi_rel_free(right);
        return rc;
    }
    rel->kind = PS_REL_JOIN;
    rel->left = *left;
    rel->right = right;
    rel->join = join;
    *left = rel;
    *out = rel;
    return PS_OK;
}

static ps_status parse_join(psi_parser *p, ps_sql_rel **left, ps_sql_join join, bool natural)
{
    bool lateral = psi_take_word(p, "lateral");
    ps_sql_rel *right, *rel;

    PS_TRY(psi_parse_relation(p, &right));
    PS_TRY(join_with(p, left, right, join, &rel));
    rel->natural = natural;
    rel->lateral = lateral;
    if (psi_take_word(p, "on"))
        return psi_parse_expr(p, &rel->on);
    if (psi_is_word(p, 0, "using") && psi_is_symbol(p, 1, "(")) {
        p->at++;
        return psi_take_columns(p, &rel->using_);
    }
    return PS_OK;
}

static ps_status parse_joined(psi_parser *p, ps_sql_rel **out)
{
    ps_sql_join join;
    bool natural;
    ps_status rc = PS_OK;

    PS_TRY(psi_parse_relation(p, out));
    while (rc == PS_OK && take_join_words(p, &join, &natural))
        rc = parse_join(p, out, join, natural);
    if (rc != PS_OK) {
        psi_rel_free(*out);
        *out = NULL;
    }
    return rc;
}

ps_status psi_parse_from(psi_parser *p, ps_sql_rel **out)
{
    ps_sql_rel *right, *rel;
    ps_status rc = PS_OK;

    PS_TRY(parse_joined(p, out));
    while (rc == PS_OK && psi_take_symbol(p, ",")) {
        bool lateral = psi_take_word(p, "lateral");
        rc = parse_joined(p, &right);
        if (rc == PS_OK)
            rc = join_with(p, out, right, PS_SQL_JOIN_CROSS, &rel);
        if (rc == PS_OK)
            rel->lateral = lateral;
    }
    if (rc != PS_OK) {
        psi_rel_free(*out);
        *out = NULL;
    }
    return rc;
}
