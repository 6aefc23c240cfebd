/* tests/c/test_sql.c - the SQL parser: trees as Column's repr shows them, errors with their place, statements. */
#include "unit.h"
#include "sql/expr_text.h"
#include "sql/select.h"

static void shows(const char *text, const char *expected)
{
    ps_expr *expr = NULL;
    ps_bytes out = {0};

    if (ps_expr_parse(ps_slice_of(text), &expr, &err) != PS_OK)
        fail_msg("%s: %s", text, err.message);
    ps_free(expr->sql); /* the root would show its own text */
    expr->sql = NULL;
    OK(ps_expr_text(expr, &out, &err));
    if (strcmp(out.data, expected) != 0)
        fail_msg("%s\n  is   %s\n  not  %s", text, out.data, expected);
    ps_bytes_clear(&out);
    ps_expr_unref(expr);
}

static void refused(const char *text, ps_status code, const char *part)
{
    ps_expr *expr = NULL;
    ps_status rc = ps_expr_parse(ps_slice_of(text), &expr, &err);

    if (rc != code)
        fail_msg("%s: %s", text, rc == PS_OK ? "was read" : err.message);
    assert_null(expr);
    HAS(part);
}

static void precedence(void **state)
{
    (void)state;
    shows("1 + 2 * 3", "+(1, *(2, 3))");
    shows("a - b - c", "-(-(a, b), c)");
    shows("a & b | c ^ d", "|(&(a, b), ^(c, d))");
    shows("a & 1 = 1", "=(&(a, 1), 1)");
    shows("a << 1 + 2", "<<(a, +(1, 2))");
    shows("not a = b and c or d", "or(and(!(=(a, b)), c), d)");
    shows("not not a", "!(!(a))");
    shows("a = b is null", "isNull(=(a, b))");
    shows("- a * b", "*(-(a), b)");
    shows("-1", "-1");
    shows("-(1)", "-(1)");
    shows("- -1", "-(-1)");
    shows("~a + b", "+(~(a), b)");
    shows("a || b || 'c'", "concat(concat(a, b), 'c')");
    shows("7 div 2 % 3", "%(div(7, 2), 3)");
    shows("a !< b", ">=(a, b)");
}

static void predicates(void **state)
{
    (void)state;
    shows("a between 1 and 2 and b", "and(between(a, 1, 2), b)");
    shows("a not between 1 and 2", "!(between(a, 1, 2))");
    shows("a in (1, 2)", "in(a, 1, 2)");
    shows("a not in ('x')", "!(in(a, 'x'))");
    shows("s like 'x%'", "like(s, 'x%')");
    shows("s not ilike 'x' escape '/'", "!(ilike(s, 'x', '/'))");
    shows("s like any ('a', 'b')", "likeany(s, 'a', 'b')");
    shows("s not like all ('a', 'b')", "notlikeall(s, 'a', 'b')");
    shows("s rlike r'\\d'", "rlike(s, '\\d')");
    shows("a is not null", "isNotNull(a)");
    shows("a is distinct from b", "!(<=>(a, b))");
    shows("t is not true", "!(<=>(t, true))");
}

static void names_and_calls(void **state)
{
    (void)state;
    shows("a.b.c", "a.b.c");
    shows("`a.b`.c", "a.b.c");
    shows("t.*", "t.*");
    shows("*", "*");
    shows("a as b", "a AS b");
    shows("1 select", "1 AS select");
    shows("explode(m) as (k, v)", "explode(m) AS (k, v)");
    shows("sum(distinct a)", "sum(distinct a)");
    shows("count(distinct)", "count(distinct)");
    shows("sum(id) over", "sum(id) AS over");
    shows("arr[0].f", "arr[0]['f']");
    shows("f(x -> x + 1)", "f(lambda(+(x, 1), x))");
    shows("f((x, y) -> x)", "f(lambda(x, x, y))");
    shows("(a, 1)", "named_struct('a', a, 'col2', 1)");
    shows("case a when 1 then 'x' else 'y' end", "CASE WHEN =(a, 1) THEN 'x' ELSE 'y' END");
    shows("case", "case");
    shows("cast(a as array<array<int>>)", "CAST(a AS ARRAY<ARRAY<INT>>)");
    shows("a::string::int", "CAST(CAST(a AS STRING) AS INT)");
    shows("try_cast(a as decimal(10, 2))", "TRY_CAST(a AS DECIMAL(10,2))");
    shows("extract(year from ts)", "extract('year', ts)");
    shows("trim(both 'x' from s)", "trim('x', s)");
    shows("substring(s from 2 for 3)", "substring(s, 2, 3)");
    shows("position('b' in s)", "locate('b', s)");
    shows("dateadd(day, 1, d)", "timestampadd('day', 1, d)");
    shows("date_add(day, 1)", "date_add(day, 1)");
    shows("not", "not");
    shows("timestamp - interval 5 seconds", "-(timestamp, INTERVAL '05' SECOND)");
    shows("window(ts, '5 minutes')", "window(ts, '5 minutes')");
}

static void literals(void **state)
{
    (void)state;
    shows("1L", "1L");
    shows("99999999999", "99999999999L");
    shows("1.50", "1.50");
    shows("1e3", "1000.0");
    shows("1e2BD", "100");
    shows("1.5F", "1.5");
    shows(".5", "0.5");
    shows("9223372036854775808", "9223372036854775808");
    shows("'a' 'b'", "'ab'");
    shows("'it''s'", "'it's'");
    shows("'\\t\\u0041\\101\\%\\q'", "'\tAA\\%q'");
    shows("X'1f'", "X'1F'");
    shows("date'2024-1-2'", "DATE '2024-01-02'");
    shows("interval 1 day 2 hours", "INTERVAL '1 02' DAY TO HOUR");
    shows("interval '1-2' year to month", "INTERVAL '1-2' YEAR TO MONTH");
    shows("interval '1 02:03:04.5' day to second", "INTERVAL '1 02:03:04.5' DAY TO SECOND");
    shows("interval -'1' day", "INTERVAL '-1' DAY");
    shows("interval '10 minutes'", "INTERVAL '10' MINUTE");
    shows("interval", "interval");
    shows("/* a /* nested */ */ 1 -- tail", "1");
}

static void errors(void **state)
{
    (void)state;
    refused("1 +", PS_E_PARSE_SYNTAX, "end of input");
    refused("a b c", PS_E_PARSE_SYNTAX, "'c'. SQLSTATE: 42601 (line 1, pos 4)");
    refused("(a", PS_E_PARSE_SYNTAX, "end of input");
    refused("", PS_E_EMPTY_STATEMENT, "empty");
    refused("'open", PS_E_PARSE_SYNTAX, "'''");
    refused("a..b", PS_E_PARSE_SYNTAX, "'.'");
    refused("f(1,)", PS_E_PARSE_SYNTAX, "')'");
    refused("cast(a as)", PS_E_PARSE_SYNTAX, "')'");
    refused("case when a then 1", PS_E_PARSE_SYNTAX, "end of input");
    refused("/* open", PS_E_UNCLOSED_COMMENT, "pos 0");
    refused("300Y", PS_E_LITERAL_RANGE, "300");
    refused("1e999", PS_E_LITERAL_RANGE, "1e999");
    refused("date'2024-99-01'", PS_E_INVALID_TYPED, "2024-99-01");
    refused("interval 1 month 1 day", PS_E_INTERVAL_MIXED, "mix");
    refused("interval 1.5 days", PS_E_INTERVAL_FRACTION, "1.5");
    refused(":p", PS_E_UNBOUND_PARAMETER, "p");
    refused("a in ()", PS_E_EMPTY_IN, "IN");
}

/* Deep nesting is an error, not a crash. */
static void depth(void **state)
{
    char text[4001];

    (void)state;
    memset(text, '(', 4000);
    text[4000] = '\0';
    refused(text, PS_E_TOO_DEEP, "nested");
    memset(text, '-', 4000);
    for (int i = 1; i < 4000; i += 2)
        text[i] = ' ';
    refused(text, PS_E_TOO_DEEP, "nested");
}

static ps_sql_statement *parsed(const char *text)
{
    ps_sql_statement *statement = NULL;

    if (ps_statement_parse(ps_slice_of(text), NULL, &statement, &err) != PS_OK)
        fail_msg("%s: %s", text, err.message);
    return statement;
}

static void queries(void **state)
{
    ps_sql_statement *s = parsed("SELECT window.start, count(*) AS n FROM t e WHERE a > 1 GROUP BY window(ts, '10 minutes'), k HAVING n > 1 ORDER BY 1 DESC, n NULLS LAST LIMIT 10 OFFSET 2;");
    const ps_sql_select *select = s->query->select;

    (void)state;
    assert_int_equal(select->items.n, 2);
    assert_int_equal(select->from->kind, PS_REL_TABLE);
    assert_string_equal(select->from->alias, "e");
    assert_int_equal(select->group_by.n, 2);
    assert_non_null(select->where);
    assert_non_null(select->having);
    assert_int_equal(s->query->order_by.n, 2);
    assert_true(s->query->order_by.items[0]->descending);
    assert_false(s->query->order_by.items[1]->nulls_first);
    assert_non_null(s->query->limit);
    assert_non_null(s->query->offset);
    ps_statement_free(s);

    s = parsed("select distinct a from x join y using (k) left outer join (select 1 as one) z on x.a = z.one, w");
    select = s->query->select;
    assert_true(select->distinct);
    assert_int_equal(select->from->join, PS_SQL_JOIN_CROSS);
    assert_int_equal(select->from->left->join, PS_SQL_JOIN_LEFT);
    assert_int_equal(select->from->left->left->using_.n, 1);
    assert_int_equal(select->from->left->right->kind, PS_REL_QUERY);
    ps_statement_free(s);

    s = parsed("with a as (select 1 x), b(y) as (values (1, 'a'), (2, 'b')) select * from a union all select y from b order by 1");
    assert_int_equal(s->query->with.n, 2);
    assert_int_equal(s->query->op, PS_SET_UNION);
    assert_true(s->query->all);
    assert_int_equal(s->query->order_by.n, 1);
    assert_int_equal(s->query->with.items[1].query->select->from->n_rows, 2);
    ps_statement_free(s);

    s = parsed("select dept, tag from dept lateral view outer explode(tags) t as tag");
    assert_int_equal(s->query->select->laterals.n, 1);
    assert_true(s->query->select->laterals.items[0].outer);
    ps_statement_free(s);

    s = parsed("select * from range(1, 10) t(id)");
    assert_int_equal(s->query->select->from->kind, PS_REL_FUNCTION);
    assert_int_equal(s->query->select->from->columns.n, 1);
    ps_statement_free(s);

    s = parsed("from emp select name where id = 2");
    assert_string_equal(s->query->select->from->name.items[0], "emp");
    assert_null(s->query->select->from->alias);
    assert_non_null(s->query->select->where);
    ps_statement_free(s);

    s = parsed("select * from");
    assert_null(s->query->select->from);
    assert_int_equal(s->query->select->items.items[0]->kind, PS_X_ALIAS);
    ps_statement_free(s);
}

static void other_statements(void **state)
{
    ps_sql_statement *s = parsed("create or replace temp view v (a, b) as select 1, 2");

    (void)state;
    assert_int_equal(s->kind, PS_STMT_CREATE_VIEW);
    assert_true(s->replace);
    assert_int_equal(s->columns.n, 2);
    ps_statement_free(s);
    s = parsed("SET spark.sql.shuffle.partitions = 2 ;");
    assert_int_equal(s->kind, PS_STMT_SET);
    assert_string_equal(s->key, "spark.sql.shuffle.partitions");
    assert_string_equal(s->value, "2");
    ps_statement_free(s);
    s = parsed("set time zone 'Asia/Tokyo'");
    assert_string_equal(s->value, "Asia/Tokyo");
    ps_statement_free(s);
    s = parsed("drop view if exists v");
    assert_int_equal(s->kind, PS_STMT_DROP_VIEW);
    assert_true(s->if_exists);
    ps_statement_free(s);
}

static void bad_statements(void **state)
{
    static const char *const texts[] = {"select", "select 1 +", "selec 1", "select * frm sales", "select * from (select 1", "select * from t join",
                                        "select 1 from t where", "explain", "with a as (select 1", "values"};
    ps_sql_statement *s;

    (void)state;
    for (size_t i = 0; i < PS_COUNT_OF(texts); i++) {
        ps_status rc = ps_statement_parse(ps_slice_of(texts[i]), NULL, &s, &err);
        if (i != 6) /* a table called t with the alias where */
            assert_int_equal(rc, PS_E_PARSE_SYNTAX);
        assert_true(rc == PS_OK || s == NULL);
        ps_statement_free(s);
    }
    FAILS(VALUES_WIDTH, ps_statement_parse(ps_slice_of("values (1), (1, 2)"), NULL, &s, &err));
    FAILS(DUPLICATED_CTE, ps_statement_parse(ps_slice_of("with a as (select 1), a as (select 2) select 1"), NULL, &s, &err));
}

static void parameters(void **state)
{
    ps_expr *five;
    const char *names[] = {"n"};
    ps_sql_statement *s;

    (void)state;
    OK(ps_expr_literal_int(5, PS_INT32, &five, &err));
    OK(ps_statement_parse(ps_slice_of("select :n"), &(ps_sql_params){names, &five, 1}, &s, &err));
    assert_ptr_equal(s->query->select->items.items[0], five);
    ps_statement_free(s);
    OK(ps_statement_parse(ps_slice_of("select ?"), &(ps_sql_params){NULL, &five, 1}, &s, &err));
    ps_statement_free(s);
    FAILS(UNBOUND_PARAMETER, ps_statement_parse(ps_slice_of("select ?, ?"), &(ps_sql_params){NULL, &five, 1}, &s, &err));
    ps_expr_unref(five);
}

static void without_memory(void **state)
{
    static const char text[] = "with q (z) as (select 1) select a.b[0]::int as x, f(y -> y + 1), case when a like 'b' escape '/' then interval 1 day end "
                               "from t a join (values (1, 'x')) v using (k) lateral view explode(arr) e as i where a in (1, 2) group by 1 order by 2 limit 3";
    ps_sql_statement *s = NULL;

    (void)state;
    EVERY_ALLOCATION(ps_statement_parse(ps_slice_of(text), NULL, &s, &err), (ps_statement_free(s), s = NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(precedence), cmocka_unit_test(predicates), cmocka_unit_test(names_and_calls), cmocka_unit_test(literals),
        cmocka_unit_test(errors), cmocka_unit_test(depth), cmocka_unit_test(queries), cmocka_unit_test(other_statements),
        cmocka_unit_test(bad_statements), cmocka_unit_test(parameters), cmocka_unit_test(without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
