/*
 * tests/c/test_bind.c - binding and running expressions: what names, types and values come out, that every vector shape and
 * selection gives the same, that aggregates are taken out, and that running out of memory unwinds.
 */
#include "unit.h"
#include "col/text.h"
#include "col/type_text.h"
#include "expr/bind.h"
#include "expr/eval.h"
#include "expr/function.h"
#include "sql/expr_text.h"

#define N_ROWS 6
typedef struct world {
    ps_attrs attrs;
    ps_batch *batch; /* flat */
    ps_conf conf;
    ps_eval_env env;
    const ps_attrs *inputs[1];
    ps_scope scope;
} world;
static world w;

/* Columns as lists of literals, a value per row. */
static const char *const columns[][N_ROWS + 1] = {
    {"a", "1", "2", "null", "-3", "1", "7"},
    {"b", "10L", "null", "5L", "0L", "-2L", "7L"},
    {"d", "1.5D", "double('NaN')", "-0.0D", "null", "2.5D", "1e10D"},
    {"s", "'x'", "''", "'a longer text than twelve'", "null", "'7'", "'Xyz'"},
    {"t", "true", "false", "null", "true", "false", "true"},
    {"n", "cast(1.25 as decimal(6,2))", "-0.50", "null", "99.99", "0.00", "7.00"},
    {"ts", "timestamp'2024-01-01 00:00:00'", "timestamp'2024-03-31 12:00:00'", "null", "timestamp'1969-12-31 23:59:59'", "timestamp'2024-02-29 10:00:00'", "timestamp'2024-01-01 00:10:00'"},
    {"dt", "date'2024-01-31'", "date'2024-02-29'", "null", "date'1970-01-01'", "date'2024-12-31'", "date'2023-01-01'"},
    {"arr", "array(1, 2)", "array(3)", "null", "array(null, 5, 6)", "array(1)", "array(7, 8, 9)"},
    {"m", "map('k', 1)", "map('j', 2, 'k', 3)", "null", "map('z', null)", "map('k', 4)", "map('x', 5)"},
    {"st", "named_struct('f', 1, 'g', 'p')", "named_struct('f', 2, 'g', null)", "null", "named_struct('f', null, 'g', 'q')", "named_struct('f', 5, 'g', 'r')", "named_struct('f', 6, 'g', 'a text that is long')"},
};

static ps_vec *value_of(const char *text)
{
    ps_expr *expr;
    ps_bound *bound;
    ps_vec *vec;
    ps_scope none = {.conf = &w.conf};

    OK(ps_expr_parse(ps_slice_of(text), &expr, &err));
    OK(ps_bind(expr, &none, &bound, &err));
    OK(ps_eval_constant(bound, &w.env, &vec, &err));
    ps_bound_unref(bound);
    ps_expr_unref(expr);
    return vec;
}

static int setup(void **state)
{
    (void)state;
    OK(ps_conf_set(&w.conf, "spark.sql.session.timeZone", "UTC", &err));
    w.env = (ps_eval_env){ps_zone_utc(), true, 1800000000000000ll, 1, 0, &w.conf};
    OK(ps_batch_new(PS_COUNT_OF(columns), N_ROWS, &w.batch, &err));
    for (size_t c = 0; c < PS_COUNT_OF(columns); c++) {
        ps_vec *first = value_of(columns[c][1]);
        ps_builder *b;
        OK(ps_attrs_add(&w.attrs, columns[c][0], first->type, true, NULL, &err));
        OK(ps_build_new(w.attrs.items[c].type, N_ROWS, &b, &err));
        for (int r = 1; r <= N_ROWS; r++) {
            char text[120];
            ps_bytes type = {0};
            OK(ps_type_sql_text(first->type, &type, &err));
            snprintf(text, sizeof text, "cast(%s as %s)", columns[c][r], type.data);
            ps_vec *value = value_of(strcmp(columns[c][r], "null") == 0 ? text : columns[c][r]);
            OK(ps_vec_is_null(value, 0) ? ps_build_null(b, &err) : ps_build_from(b, value, 0, &err));
            ps_vec_unref(value);
            ps_bytes_clear(&type);
        }
        OK(ps_build_finish(b, &w.batch->cols[c], &err));
        ps_build_free(b);
        ps_vec_unref(first);
    }
    w.inputs[0] = &w.attrs;
    w.scope = (ps_scope){.inputs = w.inputs, .n_inputs = 1, .conf = &w.conf, .allow_aggregates = true, .allow_generators = true};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ps_batch_unref(w.batch);
    ps_attrs_clear(&w.attrs);
    ps_conf_clear(&w.conf);
    return 0;
}

static ps_status bind(const char *text, ps_bound **out)
{
    ps_expr *expr = NULL;
    ps_status rc = ps_expr_parse(ps_slice_of(text), &expr, &err);

    *out = NULL;
    if (rc == PS_OK)
        rc = ps_bind(expr, &w.scope, out, &err);
    ps_expr_unref(expr);
    return rc;
}

static ps_status run(ps_bound *bound, ps_batch *batch, ps_vec **out)
{
    ps_program *program = NULL;
    ps_status rc = ps_program_new(&bound, 1, &w.attrs, &w.env, &program, &err);

    *out = NULL;
    if (rc == PS_OK)
        rc = ps_program_run(program, batch, out, &err);
    ps_program_free(program);
    return rc;
}

/* --- values -------------------------------------------------------------------------------------------------------- */
/* Column a..: "expression => value of row 0 | type". */
static void gives(const char *text, const char *type, int row, const char *value)
{
    ps_bound *bound;
    ps_vec *vec;
    ps_bytes out = {0};

    if (bind(text, &bound) != PS_OK || run(bound, w.batch, &vec) != PS_OK)
        fail_msg("%s: %s", text, err.message);
    OK(ps_type_simple_text(bound->type, &out, &err));
    if (strcmp(out.data, type) != 0)
        fail_msg("%s is %s, not %s", text, out.data, type);
    ps_bytes_reset(&out);
    if (ps_vec_is_null(vec, row))
        OK(ps_bytes_text(&out, "NULL", &err));
    else
        OK(ps_text_of_value(vec, row, ps_zone_utc(), &out, &err));
    if (strcmp(out.data ? out.data : "", value) != 0)
        fail_msg("%s at row %d is %s, not %s", text, row, out.data, value);
    ps_bytes_clear(&out);
    ps_vec_unref(vec);
    ps_bound_unref(bound);
}

static void values(void **state)
{
    (void)state;
    gives("a + b", "bigint", 0, "11");
    gives("a + n", "decimal(13,2)", 3, "96.99");
    gives("a / 2", "double", 1, "1.0");
    gives("d = d", "boolean", 1, "true");
    gives("a <=> null", "boolean", 2, "true");
    gives("t and a > 1", "boolean", 2, "NULL");
    gives("a in (1, 2, 3, 4, 5, 6, 8, null)", "boolean", 5, "NULL");
    gives("coalesce(a, b)", "bigint", 2, "5");
    gives("case when a > 1 then s when t then 'yes' end", "string", 0, "yes");
    gives("case when b <> 0 then 10 / b else -1 end", "double", 3, "-1.0");
    gives("st.f + 1", "int", 4, "6");
    gives("st.g", "string", 5, "a text that is long");
    gives("arr[0]", "int", 3, "NULL");
    gives("m['k']", "int", 1, "3");
    gives("array(st).f", "array<int>", 0, "[1]");
    gives("transform(arr, x -> x + a)", "array<int>", 0, "[2, 3]");
    gives("aggregate(arr, 0L, (acc, x) -> acc + x + a)", "bigint", 5, "45");
    gives("ts + interval 1 day", "timestamp", 4, "2024-03-01 10:00:00");
    gives("dt + interval 1 month", "date", 0, "2024-02-29");
    gives("s like '%y_'", "boolean", 5, "true");
    gives("s like 'X%'", "boolean", 5, "true");
    gives("s like '%z'", "boolean", 5, "true");
    gives("s like '%text%'", "boolean", 2, "true");
    gives("s like '%'", "boolean", 1, "true");
    gives("s like 'Xy'", "boolean", 5, "false");
    gives("struct(a, s as z).z", "string", 0, "x");
    gives("nullif(a, 1)", "int", 0, "NULL");
    gives("a between 0 and b", "boolean", 0, "true");
    gives("cast(null as int) + 1", "int", 0, "NULL");
}

/* --- shapes --------------------------------------------------------------------------------------------------------- */
/* Every column as a DICT over its own rows in reverse. */
static ps_batch *as_dict(void)
{
    int32_t reverse[N_ROWS], back[N_ROWS];
    ps_batch *batch;

    for (int i = 0; i < N_ROWS; i++)
        reverse[i] = back[i] = N_ROWS - 1 - i;
    OK(ps_batch_new(w.batch->n_cols, N_ROWS, &batch, &err));
    for (int c = 0; c < w.batch->n_cols; c++) {
        ps_vec *turned, *flat;
        OK(ps_vec_take(w.batch->cols[c], reverse, N_ROWS, NULL, &turned, &err));
        OK(ps_vec_flatten(turned, &flat, &err));
        OK(ps_vec_take(flat, back, N_ROWS, NULL, &batch->cols[c], &err));
        ps_vec_unref(turned);
        ps_vec_unref(flat);
    }
    return batch;
}

/* Row `row` of every column, as CONST. */
static ps_batch *as_const(int row)
{
    ps_batch *batch;

    OK(ps_batch_new(w.batch->n_cols, 3, &batch, &err));
    for (int c = 0; c < w.batch->n_cols; c++)
        OK(ps_vec_repeat(w.batch->cols[c], row, 3, &batch->cols[c], &err));
    return batch;
}

static ps_batch *selected(ps_batch *batch, int from, int step)
{
    ps_buf *buf;
    ps_batch *out;
    int64_t n = 0;

    OK(ps_buf_new(N_ROWS * sizeof(int32_t), &buf, &err));
    for (int i = from; i < N_ROWS; i += step)
        ((int32_t *)(void *)buf->data)[n++] = i;
    OK(ps_batch_select(batch, buf, n, &out, &err));
    return out;
}

static const char *const shaped[] = {
    "a + b", "a - 1", "2 * a", "a * a", "b + 1L", "n + n", "n * a", "d + 1", "-a", "-d", "~a", "a & 3", "a << 2", "a / 4", "n / 3",
    "a = b", "a < 2", "d > 0", "s < 'x'", "s = 'x'", "t = false", "a <=> b", "n >= 1", "dt = date'2024-01-31'", "ts > '2024-01-01'", "arr = array(1)", "st = st",
    "a in (1, b)", "a in (1, 2, 3, 4, 5, 6, 7, 8)", "s in ('x', 'q')", "a is null", "s is not null", "not t", "t and a > 0", "t or b > 0", "a > 0 and b > 0 and d > 0",
    "case when t then a else b end", "case when a = 1 then arr when t then array(0) end", "if(t, s, 'no')", "if(a > 1, st, null)", "coalesce(a, b, 0)", "coalesce(s, 'none')", "coalesce(m, map('q', 0))",
    "nvl2(a, b, 1L)", "nullif(a, 1)", "zeroifnull(b)", "a between 1 and 5", "s like '%x%'", "s ilike 'X%'", "s like any ('x', '%y_')",
    "st.f", "st.g", "array(st).f", "arr[0]", "m['k']", "m[s]", "struct(a, s)", "named_struct('q', arr)", "array(a, 1)",
    "ts + interval 36 hours", "ts - interval 1 month", "ts - ts", "dt - date'2024-01-01'", "dt + 3", "interval 1 hour * a", "cast(a as string)", "cast(n as int)", "cast(arr as array<string>)", "cast(ts as date)",
    "upper(s)", "substring(s, 2)", "concat(s, a)", "transform(arr, x -> x + a)", "filter(arr, x -> x > 1)", "exists(arr, x -> x = a)", "aggregate(arr, a, (acc, x) -> acc + coalesce(x, 0))",
    "transform(arr, x -> case when t then x else a end)", "a + b + a + b", "abs(a) + abs(a)", "try_divide(a, b)", "st.f + a", "arr[0] + a",
};

static void same_rows(const char *text, const char *shape, ps_vec *expected, ps_vec *got, int64_t from, int64_t to)
{
    if (ps_vec_is_null(expected, from) != ps_vec_is_null(got, to) ||
        (!ps_vec_is_null(expected, from) && !ps_vec_equal_rows(expected, from, got, to)))
        fail_msg("%s over %s differs at row %d", text, shape, (int)to);
}

static void shapes(void **state)
{
    ps_batch *dict = as_dict(), *odd = selected(w.batch, 1, 2), *few = selected(dict, 0, 3);
    ps_batch *const_rows[N_ROWS];

    (void)state;
    for (int r = 0; r < N_ROWS; r++)
        const_rows[r] = as_const(r);
    for (size_t k = 0; k < PS_COUNT_OF(shaped); k++) {
        const char *text = shaped[k];
        ps_bound *bound;
        ps_vec *flat, *vec;
        if (bind(text, &bound) != PS_OK || run(bound, w.batch, &flat) != PS_OK)
            fail_msg("%s: %s", text, err.message);
        OK(run(bound, dict, &vec));
        for (int i = 0; i < N_ROWS; i++)
            same_rows(text, "dict", flat, vec, i, i);
        ps_vec_unref(vec);
        OK(run(bound, odd, &vec));
        for (int i = 1; i < N_ROWS; i += 2)
            same_rows(text, "selected", flat, vec, i, i);
        ps_vec_unref(vec);
        OK(run(bound, few, &vec));
        for (int i = 0; i < N_ROWS; i += 3)
            same_rows(text, "selected dict", flat, vec, i, i);
        ps_vec_unref(vec);
        for (int r = 0; r < N_ROWS; r++) {
            OK(run(bound, const_rows[r], &vec));
            same_rows(text, "const", flat, vec, r, 2);
            ps_vec_unref(vec);
        }
        ps_vec_unref(flat);
        ps_bound_unref(bound);
    }
    for (int r = 0; r < N_ROWS; r++)
        ps_batch_unref(const_rows[r]);
    ps_batch_unref(dict);
    ps_batch_unref(odd);
    ps_batch_unref(few);
}

/* A row that is not live, or not taken, never fails. */
static void errors_of_rows(void **state)
{
    ps_batch *without = selected(w.batch, 0, 2);
    ps_bound *bound;
    ps_vec *vec;

    (void)state;
    OK(bind("10 / b", &bound));
    FAILS(DIVIDE_BY_ZERO, run(bound, w.batch, &vec));
    OK(run(bound, without, &vec)); /* row 3 holds the zero */
    ps_vec_unref(vec);
    ps_bound_unref(bound);
    OK(bind("b != 0 and 10 / b > 1", &bound));
    OK(run(bound, w.batch, &vec));
    ps_vec_unref(vec);
    ps_bound_unref(bound);
    OK(bind("a * 2147483647", &bound));
    FAILS(ARITHMETIC_OVERFLOW, run(bound, w.batch, &vec));
    HAS("try_multiply");
    ps_bound_unref(bound);
    ps_batch_unref(without);
}

static void filters(void **state)
{
    ps_bound *bound;
    ps_program *program;
    ps_batch *out;

    (void)state;
    OK(bind("a > 0 or s = 'none'", &bound));
    OK(ps_program_new(&bound, 1, &w.attrs, &w.env, &program, &err));
    OK(ps_program_filter(program, w.batch, &out, &err));
    assert_int_equal(out->n_sel, 4);
    assert_int_equal(out->sel[2], 4);
    ps_batch_unref(out);
    ps_program_free(program);
    ps_bound_unref(bound);
    OK(bind("a = 100", &bound));
    OK(ps_program_new(&bound, 1, &w.attrs, &w.env, &program, &err));
    OK(ps_program_filter(program, w.batch, &out, &err));
    assert_null(out);
    ps_program_free(program);
    ps_bound_unref(bound);
}

/* --- names, errors, aggregates ------------------------------------------------------------------------------------------ */
static void unbindable(const char *text, ps_status code, const char *part)
{
    ps_bound *bound;
    ps_status rc = bind(text, &bound);

    if (rc != code)
        fail_msg("%s: %s", text, rc == PS_OK ? "was bound" : err.message);
    HAS(part);
}

static void analysis_errors(void **state)
{
    (void)state;
    unbindable("nope", PS_E_UNRESOLVED_COLUMN, "[`n`, ");
    unbindable("st.nope", PS_E_FIELD_NOT_FOUND, "No such struct field `nope` in `f`, `g`");
    unbindable("a.x", PS_E_EXTRACT_BASE, "\"INT\"");
    unbindable("nope(1)", PS_E_UNRESOLVED_ROUTINE, "`nope`");
    unbindable("a + t", PS_E_DT_BINARY_OP_DIFF, "(\"INT\" and \"BOOLEAN\")");
    unbindable("s + s", PS_E_DT_BINARY_OP_WRONG, "NUMERIC");
    unbindable("abs(t)", PS_E_DT_UNEXPECTED_INPUT, "The first parameter requires the (\"NUMERIC\" or \"ANSI INTERVAL\") type, however \"t\" has the type \"BOOLEAN\"");
    unbindable("coalesce(a, arr)", PS_E_DT_DATA_DIFF, "[\"INT\", \"ARRAY<INT>\"]");
    unbindable("upper(s, s)", PS_E_WRONG_NUM_ARGS, "requires 1 parameters but the actual number is 2");
    unbindable("sum(sum(a))", PS_E_NESTED_AGGREGATE, "another aggregate");
    unbindable("explode(arr) + 1", PS_E_GENERATOR_NESTED, "explode");
    unbindable("cast(dt as int)", PS_E_DT_CAST_FUNC, "UNIX_DATE");
    unbindable("window(ts, '10 min')", PS_E_CANNOT_PARSE_INTERVAL, "10 min");
    unbindable("window(ts, '5 minutes', '10 minutes')", PS_E_DT_PARAMETER, "slide_duration");
    unbindable("if(a, 1, 2)", PS_E_DT_UNEXPECTED_INPUT, "BOOLEAN");
}

static void select_lists(void **state)
{
    static const char *const texts[] = {"a", "A as z", "st.*", "* except (arr, m, st)", "cast(s as binary)", "z + 1"};
    static const char *const names[] = {"a", "z", "f", "g", "a", "b", "d", "s", "t", "n", "ts", "dt", "s", "(lateralAliasReference(z) + 1)"};
    ps_expr *exprs[PS_COUNT_OF(texts)];
    ps_named_list list = {0};

    (void)state;
    for (size_t i = 0; i < PS_COUNT_OF(texts); i++)
        OK(ps_expr_parse(ps_slice_of(texts[i]), &exprs[i], &err));
    OK(ps_bind_list(exprs, PS_COUNT_OF(texts), &w.scope, &list, &err));
    assert_int_equal(list.n, PS_COUNT_OF(names));
    for (int i = 0; i < list.n; i++)
        assert_string_equal(list.items[i].name, names[i]);
    assert_int_equal(list.items[0].attr_id, w.attrs.items[0].id);
    assert_int_not_equal(list.items[1].attr_id, w.attrs.items[0].id);
    ps_named_list_clear(&list);
    for (size_t i = 0; i < PS_COUNT_OF(texts); i++)
        ps_expr_unref(exprs[i]);
}

static void ambiguous_names(void **state)
{
    const ps_attrs *both[2] = {&w.attrs, NULL};
    ps_attrs right = {0};
    ps_scope scope = w.scope;
    ps_expr *expr;
    ps_bound *bound;

    (void)state;
    OK(ps_attrs_add(&right, "a", ps_type_of(PS_INT64), false, NULL, &err));
    OK(ps_attr_qualify(&right.items[0], (const char *[]){"r"}, 1, &err));
    both[1] = &right;
    scope.inputs = both;
    scope.n_inputs = 2;
    OK(ps_expr_name_text(ps_slice_of("a"), &expr, &err));
    FAILS(AMBIGUOUS_REFERENCE, ps_bind(expr, &scope, &bound, &err));
    HAS("Reference `a` is ambiguous, could be: [`a`, `r`.`a`]");
    ps_expr_unref(expr);
    OK(ps_expr_name_text(ps_slice_of("r.A"), &expr, &err));
    OK(ps_bind(expr, &scope, &bound, &err));
    assert_int_equal(bound->attr_id, right.items[0].id);
    ps_bound_unref(bound);
    ps_expr_unref(expr);
    ps_attrs_clear(&right);
}

static void aggregates_taken_out(void **state)
{
    ps_bound *bound, *rest;
    ps_agg_calls calls = {0};

    (void)state;
    OK(bind("sum(a + 1) / count(*) + sum(a + 1) + count(distinct b) + sum(b) filter (where t)", &bound));
    OK(ps_extract_aggregates(bound, &calls, &rest, &err));
    assert_int_equal(calls.n, 4);
    assert_string_equal(calls.items[0].name, "sum((a + 1))");
    assert_string_equal(calls.items[1].name, "count(1)");
    assert_true(calls.items[2].distinct);
    assert_non_null(calls.items[3].filter);
    assert_false(ps_bound_has_aggregate(rest));
    assert_true(ps_bound_uses(rest, calls.items[0].attr_id));
    ps_bound_unref(rest);
    ps_agg_calls_clear(&calls);
    ps_bound_unref(bound);
}

static void without_memory(void **state)
{
    static const char text[] = "case when a in (1, 2, 3, 4, 5, 6, 7, 8) then upper(s) like 'X%' else transform(arr, x -> x + a)[0] + st.f > 1 and b + n > 0 end";
    ps_bound *bound = NULL;
    ps_vec *vec = NULL;

    (void)state;
    EVERY_ALLOCATION(bind(text, &bound), (ps_bound_unref(bound), bound = NULL));
    OK(bind("coalesce(concat(s, cast(a as string)), 'q') || m['k'] || st.g", &bound));
    EVERY_ALLOCATION(run(bound, w.batch, &vec), (ps_vec_unref(vec), vec = NULL));
    ps_bound_unref(bound);
    OK(bind(text, &bound));
    EVERY_ALLOCATION(run(bound, w.batch, &vec), (ps_vec_unref(vec), vec = NULL));
    ps_bound_unref(bound);
}

static bool is_true(const ps_vec *vec)
{
    ps_view view;

    ps_view_init(&view, vec);
    return vec->type->kind == PS_BOOL && !ps_view_is_null(&view, 0) && ((const uint8_t *)view.data)[ps_at(&view, 0)];
}

/* How many examples of the registry are not true, or leak; the first round may load zones and the like for good. */
static int wrong_examples(bool once)
{
    int n, failed = 0;
    const ps_fn *const *all = ps_fn_all(&n);

    for (int i = 0; i < n; i++) {
        const ps_fn *fn = all[i];
        ps_bound *bound = NULL;
        ps_vec *vec = NULL;
        size_t before = ps_mem_used();
        int min, max;
        ps_fn_arity(fn, &min, &max);
        assert_true(max < 0 || min <= max);
        if (!fn->example[0] || fn->flags & (PS_FN_AGGREGATE | PS_FN_ALIAS_OF))
            continue;
        if (bind(fn->example, &bound) != PS_OK || run(bound, w.batch, &vec) != PS_OK) {
            print_message("%s: %s\n  %s\n", fn->name, fn->example, err.message);
            failed++;
        } else if (!is_true(vec)) {
            print_message("%s: %s is not true\n", fn->name, fn->example);
            failed++;
        }
        ps_vec_unref(vec);
        ps_bound_unref(bound);
        if (ps_mem_used() != before && once) {
            print_message("%s: %s leaks\n", fn->name, fn->example);
            failed++;
        }
    }
    return failed;
}

static void examples(void **state)
{
    (void)state;
    assert_int_equal(wrong_examples(false), 0);
    assert_int_equal(wrong_examples(true), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values), cmocka_unit_test(shapes), cmocka_unit_test(errors_of_rows), cmocka_unit_test(filters),
        cmocka_unit_test(analysis_errors), cmocka_unit_test(select_lists), cmocka_unit_test(ambiguous_names),
        cmocka_unit_test(aggregates_taken_out), cmocka_unit_test(without_memory), cmocka_unit_test(examples),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
