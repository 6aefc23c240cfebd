/*
 * sql/sql.c - statements: queries with WITH, set operations, LIMIT, and the few commands that a session knows.
 */
#include "sql/sql.h"
#include "col/build.h"
#include "sql/sql_int.h"

static ps_status plan_body(const psi_planner *planner, const ps_sql_query *query, ps_node **out, ps_error *err)
{
    ps_args args = {NULL, 0, planner->catalog->conf};
    ps_node *sides[2] = {NULL, NULL};
    ps_arg sql = {.name = "sql", .kind = PS_A_INT, .number = 1};
    ps_arg order = {.name = "exprs", .kind = PS_A_EXPRS, .exprs = query->order_by.items, .n = query->order_by.n};
    ps_status rc;

    if (query->op == PS_SET_NONE)
        return psi_plan_select(planner, query->select, &query->order_by, out, err);
    if (query->op != PS_SET_UNION)
        return ps_raise(err, PS_E_NOT_BUILT, query->op == PS_SET_EXCEPT ? "EXCEPT" : "INTERSECT");
    PS_TRY_OR(done, psi_plan_query(planner, query->left, &sides[0], err));
    PS_TRY_OR(done, psi_plan_query(planner, query->right, &sides[1], err));
    PS_TRY_OR(done, ps_node_make("union", sides, 2, &args, out, err));
    if (!query->all)
        PS_TRY_OR(done, psi_plan_over(planner, out, "distinct", &sql, 1, err));
    rc = query->order_by.n ? psi_plan_over(planner, out, "sort", &order, 1, err) : PS_OK;
done:
    ps_node_unref(sides[0]);
    ps_node_unref(sides[1]);
    return rc;
}

static ps_status plan_count(const psi_planner *planner, ps_node **node, const char *kind, const ps_expr *count, ps_error *err)
{
    ps_arg n = {.name = "n", .kind = PS_A_INT};

    if (!count)
        return PS_OK;
    if (!psi_literal_int(count, &n.number))
        return ps_raise(err, PS_E_NOT_BUILT, "LIMIT or OFFSET of anything but an integer");
    return psi_plan_over(planner, node, kind, &n, 1, err);
}

/* Plans the query with its WITH names in force, one by one. */
static ps_status plan_with(const psi_planner *planner, const ps_sql_query *query, int at, ps_node **out, ps_error *err)
{
    psi_with with = {.outer = planner->with};
    psi_planner inner = *planner;
    ps_status rc;

    if (at == query->with.n) {
        PS_TRY(plan_body(planner, query, out, err));
        rc = plan_count(planner, out, "offset", query->offset, err);
        return rc == PS_OK ? plan_count(planner, out, "limit", query->limit, err) : rc;
    }
    const ps_sql_cte *cte = &query->with.items[at];
    PS_TRY(psi_plan_query(planner, cte->query, &with.node, err));
    ps_arg columns = {.name = "texts", .kind = PS_A_TEXTS, .texts = (const char *const *)cte->columns.items, .n = cte->columns.n};
    rc = cte->columns.n ? psi_plan_over(planner, &with.node, "to_df", &columns, 1, err) : PS_OK;
    with.name = cte->name;
    inner.with = &with;
    if (rc == PS_OK)
        rc = plan_with(&inner, query, at + 1, out, err);
    ps_node_unref(with.node);
    return rc;
}

ps_status psi_plan_query(const psi_planner *planner, const ps_sql_query *query, ps_node **out, ps_error *err)
{
    ps_status rc;

    *out = NULL;
    rc = plan_with(planner, query, 0, out, err);
    if (rc != PS_OK) {
        ps_node_unref(*out);
        *out = NULL;
    }
    return rc;
}

/* --- commands ------------------------------------------------------------------------------------------------- */

/* What a command shows: text columns, cells row by row. */
static ps_status text_rows(const psi_planner *planner, const char *const *names, int n_columns, const char *const *cells, int n_rows, ps_node **out, ps_error *err)
{
    ps_field fields[4] = {{0}};
    const ps_type *schema = NULL;
    ps_batch *batch = NULL;
    ps_batches rows = {0};
    ps_status rc;

    PS_TRY(ps_batch_new(n_columns, n_rows, &batch, err));
    for (int c = 0; c < n_columns; c++) {
        ps_builder *b = NULL;

        fields[c] = (ps_field){.name = (char *)names[c], .type = ps_type_of(PS_STRING)};
        rc = ps_build_new(ps_type_of(PS_STRING), n_rows, &b, err);
        for (int r = 0; rc == PS_OK && r < n_rows; r++)
            rc = ps_build_text(b, cells[r * n_columns + c], strlen(cells[r * n_columns + c]), err);
        PS_TRY_OR(done, ps_build_end(b, rc, &batch->cols[c], err));
    }
    PS_TRY_OR(done, ps_type_struct(fields, n_columns, &schema, err));
    PS_TRY_OR(done, ps_batches_add(&rows, batch, err));
    ps_arg items[2] = {{.name = "type", .kind = PS_A_TYPE, .type = schema}, {.name = "batches", .kind = PS_A_BATCHES, .batches = &rows}};
    ps_args args = {items, 2, planner->catalog->conf};
    rc = ps_node_make("local", NULL, 0, &args, out, err);
done:
    ps_batches_clear(&rows);
    ps_type_unref(schema);
    ps_batch_unref(batch);
    return rc;
}

static ps_status set_conf(const psi_planner *planner, const ps_sql_statement *statement, ps_node **out, ps_error *err)
{
    static const char *const names[2] = {"key", "value"};
    const char *cells[2] = {statement->key, statement->value};

    if (!statement->key)
        return ps_raise(err, PS_E_NOT_BUILT, "SET without a key");
    if (!cells[1]) {
        cells[1] = ps_conf_get(planner->catalog->conf, statement->key);
        if (!cells[1])
            cells[1] = "<undefined>";
    } else {
        PS_TRY(planner->catalog->set_conf(planner->catalog->self, statement->key, statement->value, err));
    }
    return text_rows(planner, names, 2, cells, 1, out, err);
}

static ps_status create_view(const psi_planner *planner, const ps_sql_statement *statement, ps_node **out, ps_error *err)
{
    ps_arg columns = {.name = "texts", .kind = PS_A_TEXTS, .texts = (const char *const *)statement->columns.items, .n = statement->columns.n};
    ps_node *node = NULL;
    ps_status rc;

    PS_TRY(psi_plan_query(planner, statement->query, &node, err));
    rc = columns.n ? psi_plan_over(planner, &node, "to_df", &columns, 1, err) : PS_OK;
    if (rc == PS_OK)
        rc = planner->catalog->create_view(planner->catalog->self, statement->name.items[statement->name.n - 1], node, statement->replace, err);
    ps_node_unref(node);
    return rc == PS_OK ? text_rows(planner, NULL, 0, NULL, 0, out, err) : rc;
}

static ps_status drop_view(const psi_planner *planner, const ps_sql_statement *statement, ps_node **out, ps_error *err)
{
    const char *name = statement->name.items[statement->name.n - 1];

    if (!planner->catalog->drop_view(planner->catalog->self, name) && !statement->if_exists)
        return ps_raise(err, PS_E_TABLE_OR_VIEW_NOT_FOUND, name);
    return text_rows(planner, NULL, 0, NULL, 0, out, err);
}

static ps_status show_views(const psi_planner *planner, ps_node **out, ps_error *err)
{
    static const char *const names[3] = {"namespace", "tableName", "isTemporary"};
    ps_options views = {0};
    const char **cells = NULL;
    ps_status rc = planner->catalog->view_names(planner->catalog->self, &views, err);

    if (rc == PS_OK)
        rc = ps_alloc((size_t)views.n * 3 * sizeof *cells, &cells, err);
    for (int i = 0; rc == PS_OK && i < views.n; i++) {
        cells[i * 3] = "";
        cells[i * 3 + 1] = views.items[i].key;
        cells[i * 3 + 2] = "true";
    }
    if (rc == PS_OK)
        rc = text_rows(planner, names, 3, cells, views.n, out, err);
    ps_free(cells);
    ps_options_clear(&views);
    return rc;
}

static ps_status explain(const psi_planner *planner, const ps_sql_statement *statement, ps_node **out, ps_error *err)
{
    static const char *const names[1] = {"plan"};
    ps_node *node = NULL;
    ps_bytes text = {0};
    ps_status rc;

    PS_TRY(psi_plan_query(planner, statement->query, &node, err));
    rc = ps_plan_explain(node, statement->extended ? "extended" : "simple", &text, err);
    if (rc == PS_OK)
        rc = text_rows(planner, names, 1, (const char *const *)&text.data, 1, out, err);
    ps_bytes_clear(&text);
    ps_node_unref(node);
    return rc;
}

static ps_status plan_statement(const psi_planner *planner, const ps_sql_statement *statement, ps_node **out, ps_error *err)
{
    switch (statement->kind) {
    case PS_STMT_QUERY: return psi_plan_query(planner, statement->query, out, err);
    case PS_STMT_SET: return set_conf(planner, statement, out, err);
    case PS_STMT_RESET:
        if (!statement->key)
            return ps_raise(err, PS_E_NOT_BUILT, "RESET without a key");
        PS_TRY(planner->catalog->set_conf(planner->catalog->self, statement->key, NULL, err));
        return text_rows(planner, NULL, 0, NULL, 0, out, err);
    case PS_STMT_CREATE_VIEW: return create_view(planner, statement, out, err);
    case PS_STMT_DROP_VIEW: return drop_view(planner, statement, out, err);
    case PS_STMT_SHOW_TABLES: return show_views(planner, out, err);
    case PS_STMT_EXPLAIN: return explain(planner, statement, out, err);
    default: return ps_raise(err, PS_E_NOT_BUILT, "DESCRIBE");
    }
}

ps_status ps_sql_node(ps_slice text, const char *const *names, ps_expr *const *values, int n, const ps_sql_catalog *catalog, ps_node **out, ps_error *err)
{
    ps_sql_params params = {names, values, n};
    psi_planner planner = {.catalog = catalog};
    ps_sql_statement *statement = NULL;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_statement_parse(text, &params, &statement, err));
    rc = plan_statement(&planner, statement, out, err);
    ps_statement_free(statement);
    return rc;
}
