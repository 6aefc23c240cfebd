/* sql/select.c - queries: SELECT, set operations, WITH, ORDER BY, LIMIT. */
#include "sql/select_int.h"

/* --- SELECT -------------------------------------------------------------------------------------------------------- */
static ps_status push_expr(psi_parser *p, ps_expr_list *list, ps_expr *expr)
{
    ps_status rc = PS_PUSH(list, expr, p->err);

    if (rc != PS_OK)
        ps_expr_unref(expr);
    return rc;
}

static ps_status parse_items(psi_parser *p, ps_expr_list *list)
{
    ps_expr *expr;

    do {
        PS_TRY(psi_parse_item(p, &expr));
        PS_TRY(push_expr(p, list, expr));
    } while (psi_take_symbol(p, ","));
    return PS_OK;
}

/* LATERAL VIEW [OUTER] fn(args) [t] [AS a, b] */
static ps_status parse_lateral(psi_parser *p, ps_sql_lateral *lateral)
{
    char *name;
    ps_status rc;

    lateral->outer = psi_take_word(p, "outer");
    PS_TRY(psi_take_name(p, &name));
    rc = psi_parse_function(p, name, &lateral->call);
    ps_free(name);
    PS_TRY(rc);
    if (psi_is_name(p, 0) && !psi_is_word(p, 0, "as") && !psi_ends_item(p))
        PS_TRY(psi_take_name(p, &lateral->alias));
    if (!psi_take_word(p, "as"))
        return lateral->alias ? PS_OK : psi_syntax_error(p);
    do
        PS_TRY(psi_take_part(p, &lateral->columns));
    while (psi_take_symbol(p, ","));
    return PS_OK;
}

static ps_status parse_laterals(psi_parser *p, ps_sql_select *select)
{
    while (psi_is_word(p, 0, "lateral") && psi_is_word(p, 1, "view")) {
        ps_sql_lateral none = {0};
        p->at += 2;
        PS_TRY(PS_PUSH(&select->laterals, none, p->err));
        PS_TRY(parse_lateral(p, &select->laterals.items[select->laterals.n - 1]));
    }
    return PS_OK;
}

static ps_status parse_group_by(psi_parser *p, ps_sql_select *select)
{
    ps_expr *expr;

    select->has_group_by = true;
    if (psi_is_word(p, 0, "grouping") && psi_is_word(p, 1, "sets"))
        return ps_raise(p->err, PS_E_NOT_BUILT, "GROUPING SETS");
    if ((psi_is_word(p, 0, "rollup") || psi_is_word(p, 0, "cube")) && psi_is_symbol(p, 1, "("))
        return ps_raise(p->err, PS_E_NOT_BUILT, "ROLLUP or CUBE");
    if (psi_is_word(p, 0, "all") && !psi_is_symbol(p, 1, ",") && !psi_is_symbol(p, 1, ".")) {
        select->group_by_all = true;
        p->at++;
        return PS_OK;
    }
    do {
        PS_TRY(psi_parse_expr(p, &expr));
        PS_TRY(push_expr(p, &select->group_by, expr));
    } while (psi_take_symbol(p, ","));
    if (psi_is_word(p, 0, "with") && (psi_is_word(p, 1, "rollup") || psi_is_word(p, 1, "cube")))
        return ps_raise(p->err, PS_E_NOT_BUILT, "ROLLUP or CUBE");
    return PS_OK;
}

/* What may follow the items, in this order. */
static ps_status parse_clauses(psi_parser *p, ps_sql_select *select)
{
    if (psi_take_word(p, "from"))
        PS_TRY(psi_parse_from(p, &select->from));
    PS_TRY(parse_laterals(p, select));
    if (psi_take_word(p, "where"))
        PS_TRY(psi_parse_expr(p, &select->where));
    if (psi_is_word(p, 0, "group") && psi_is_word(p, 1, "by")) {
        p->at += 2;
        PS_TRY(parse_group_by(p, select));
    }
    if (psi_take_word(p, "having"))
        PS_TRY(psi_parse_expr(p, &select->having));
    if (psi_is_word(p, 0, "qualify") || (psi_is_word(p, 0, "window") && psi_is_word(p, 2, "as")))
        return ps_raise(p->err, PS_E_NOT_BUILT, "QUALIFY or WINDOW");
    return PS_OK;
}

ps_status psi_parse_select(psi_parser *p, ps_sql_select **out)
{
    ps_sql_select *select;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_alloc0(sizeof *select, &select, p->err));
    rc = psi_want_word(p, "select");
    if (rc == PS_OK && (psi_is_word(p, 0, "distinct") || psi_is_word(p, 0, "all")) && !psi_is_symbol(p, 1, ",") && psi_token_at(p, 1)->kind != PSI_T_END) {
        select->distinct = psi_is_word(p, 0, "distinct");
        p->at++;
    }
    if (rc == PS_OK)
        rc = parse_items(p, &select->items);
    if (rc == PS_OK)
        rc = parse_clauses(p, select);
    if (rc != PS_OK) {
        psi_select_free(select);
        return rc;
    }
    *out = select;
    return PS_OK;
}

/* --- queries --------------------------------------------------------------------------------------------------------- */
/* SELECT * FROM rel; takes rel. */
static ps_status select_all(psi_parser *p, ps_sql_rel *rel, ps_sql_query **out)
{
    ps_sql_query *query = NULL;
    ps_expr *star;
    ps_status rc = ps_alloc0(sizeof *query, &query, p->err);

    if (rc == PS_OK)
        rc = ps_alloc0(sizeof *query->select, &query->select, p->err);
    if (rc != PS_OK) {
        psi_rel_free(rel);
        psi_query_free(query);
        return rc;
    }
    query->select->from = rel;
    rc = ps_expr_star(NULL, 0, &star, p->err);
    if (rc == PS_OK)
        rc = push_expr(p, &query->select->items, star);
    if (rc != PS_OK) {
        psi_query_free(query);
        return rc;
    }
    *out = query;
    return PS_OK;
}

/* FROM t SELECT ...: the relation moves into the SELECT that follows. */
static ps_status select_from_first(psi_parser *p, ps_sql_query *query)
{
    ps_sql_select *select;

    PS_TRY(psi_parse_select(p, &select));
    if (select->from) {
        psi_select_free(select);
        return psi_syntax_error(p);
    }
    select->from = query->select->from;
    query->select->from = NULL;
    psi_select_free(query->select);
    query->select = select;
    return PS_OK;
}

static ps_status parse_primary_query(psi_parser *p, ps_sql_query **out)
{
    ps_sql_rel *rel;
    ps_status rc;

    *out = NULL;
    if (psi_take_symbol(p, "(")) {
        PS_TRY(psi_parse_query(p, out));
        rc = psi_want_symbol(p, ")");
    } else if (psi_take_word(p, "values")) {
        PS_TRY(psi_parse_values(p, &rel));
        return select_all(p, rel, out);
    } else if (psi_is_word(p, 0, "table") && psi_is_name(p, 1)) {
        p->at++;
        PS_TRY(psi_parse_relation(p, &rel));
        return select_all(p, rel, out);
    } else if (psi_take_word(p, "from")) { /* FROM t [SELECT ...] */
        PS_TRY(psi_parse_from(p, &rel));
        PS_TRY(select_all(p, rel, out));
        rc = psi_is_word(p, 0, "select") ? select_from_first(p, *out) : PS_OK;
    } else {
        PS_TRY(ps_alloc0(sizeof **out, out, p->err));
        rc = psi_parse_select(p, &(*out)->select);
    }
    if (rc != PS_OK) {
        psi_query_free(*out);
        *out = NULL;
    }
    return rc;
}

/* *left becomes *left op right; takes right. */
static ps_status set_operation(psi_parser *p, ps_sql_query **left, ps_sql_set_op op, bool all, ps_sql_query *right)
{
    ps_sql_query *query;
    ps_status rc = ps_alloc0(sizeof *query, &query, p->err);

    if (rc != PS_OK) {
        psi_query_free(right);
        return rc;
    }
    query->op = op;
    query->all = all;
    query->left = *left;
    query->right = right;
    *left = query;
    return PS_OK;
}

static ps_sql_set_op next_set_op(const psi_parser *p, bool intersect)
{
    if (intersect)
        return psi_is_word(p, 0, "intersect") ? PS_SET_INTERSECT : PS_SET_NONE;
    return psi_is_word(p, 0, "union") ? PS_SET_UNION : psi_is_word(p, 0, "except") || psi_is_word(p, 0, "minus") ? PS_SET_EXCEPT : PS_SET_NONE;
}

/* INTERSECT binds tighter than the others. */
static ps_status parse_set(psi_parser *p, bool intersect, ps_sql_query **out)
{
    ps_sql_set_op op;
    ps_status rc = intersect ? parse_primary_query(p, out) : parse_set(p, true, out);

    while (rc == PS_OK && (op = next_set_op(p, intersect)) != PS_SET_NONE) {
        ps_sql_query *right;
        bool all;
        p->at++;
        all = psi_take_word(p, "all");
        if (!all)
            psi_take_word(p, "distinct");
        rc = intersect ? parse_primary_query(p, &right) : parse_set(p, true, &right);
        if (rc == PS_OK)
            rc = set_operation(p, out, op, all, right);
    }
    if (rc != PS_OK) {
        psi_query_free(*out);
        *out = NULL;
    }
    return rc;
}

static ps_status parse_ctes(psi_parser *p, ps_sql_query *into)
{
    if (psi_is_word(p, 0, "recursive") && psi_is_name(p, 1))
        return ps_raise(p->err, PS_E_NOT_BUILT, "WITH RECURSIVE");
    do {
        ps_sql_cte none = {0};
        ps_sql_cte *cte;
        PS_TRY(PS_PUSH(&into->with, none, p->err));
        cte = &into->with.items[into->with.n - 1];
        PS_TRY(psi_take_name(p, &cte->name));
        for (int i = 0; i + 1 < into->with.n; i++)
            if (ps_stricmp(into->with.items[i].name, cte->name) == 0)
                return ps_raise(p->err, PS_E_DUPLICATED_CTE, cte->name);
        if (psi_is_symbol(p, 0, "("))
            PS_TRY(psi_take_columns(p, &cte->columns));
        psi_take_word(p, "as");
        PS_TRY(psi_want_symbol(p, "("));
        PS_TRY(psi_parse_query(p, &cte->query));
        PS_TRY(psi_want_symbol(p, ")"));
    } while (psi_take_symbol(p, ","));
    return PS_OK;
}

static ps_status parse_order(psi_parser *p, ps_sql_query *query)
{
    ps_expr *expr;

    if ((psi_is_word(p, 0, "cluster") || psi_is_word(p, 0, "distribute")) && psi_is_word(p, 1, "by"))
        return ps_raise(p->err, PS_E_NOT_BUILT, "CLUSTER BY or DISTRIBUTE BY");
    if ((psi_is_word(p, 0, "order") || psi_is_word(p, 0, "sort")) && psi_is_word(p, 1, "by")) {
        p->at += 2;
        do {
            PS_TRY(psi_parse_sort_item(p, &expr));
            PS_TRY(push_expr(p, &query->order_by, expr));
        } while (psi_take_symbol(p, ","));
    }
    if (psi_take_word(p, "limit") && !psi_take_word(p, "all"))
        PS_TRY(psi_parse_expr(p, &query->limit));
    if (psi_take_word(p, "offset"))
        PS_TRY(psi_parse_expr(p, &query->offset));
    return PS_OK;
}

/* Clauses and CTEs of a parenthesised query stay inside of it. */
static bool needs_wrap(const ps_sql_query *query)
{
    return query->order_by.n > 0 || query->limit || query->offset || query->with.n > 0;
}

static ps_status wrap(psi_parser *p, ps_sql_query **query)
{
    ps_sql_rel *rel;

    PS_TRY(ps_alloc0(sizeof *rel, &rel, p->err));
    rel->kind = PS_REL_QUERY;
    rel->query = *query;
    *query = NULL;
    return select_all(p, rel, query);
}

static bool more_clauses(const psi_parser *p)
{
    return psi_is_word(p, 0, "order") || psi_is_word(p, 0, "sort") || psi_is_word(p, 0, "limit") || psi_is_word(p, 0, "offset");
}

static ps_status parse_query_body(psi_parser *p, ps_sql_query *with, ps_sql_query **out)
{
    if (psi_take_word(p, "with"))
        PS_TRY(parse_ctes(p, with));
    PS_TRY(parse_set(p, false, out));
    if (needs_wrap(*out) && (more_clauses(p) || with->with.n > 0))
        PS_TRY(wrap(p, out));
    return parse_order(p, *out);
}

ps_status psi_parse_query(psi_parser *p, ps_sql_query **out)
{
    ps_sql_query *with;
    bool outer = p->statement;
    ps_status rc;

    *out = NULL;
    if (p->depth >= 100)
        return ps_raise(p->err, PS_E_TOO_DEEP, 100);
    PS_TRY(ps_alloc0(sizeof *with, &with, p->err)); /* holds the CTEs until there is a query */
    p->depth++;
    p->statement = true;
    rc = parse_query_body(p, with, out);
    p->depth--;
    p->statement = outer;
    if (rc == PS_OK && with->with.n > 0) {
        ps_sql_query none = {0};
        (*out)->with = with->with;
        with->with = none.with;
    }
    if (rc != PS_OK) {
        psi_query_free(*out);
        *out = NULL;
    }
    psi_query_free(with);
    return rc;
}
