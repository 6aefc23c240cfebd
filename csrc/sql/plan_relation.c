/*
 * sql/plan_relation.c - FROM: views, subqueries, VALUES, range() and joins as nodes.
 */
#include "col/build.h"
#include "col/text.h"
#include "expr/eval.h"
#include "op/project.h"
#include "sql/sql_int.h"

ps_status psi_plan_over(const psi_planner *planner, ps_node **node, const char *kind, const ps_arg *items, int n, ps_error *err)
{
    ps_args args = {items, n, planner->catalog->conf};
    ps_node *made = NULL;

    PS_TRY(ps_node_make(kind, node, 1, &args, &made, err));
    ps_node_unref(*node);
    *node = made;
    return PS_OK;
}

bool psi_same_name(const psi_planner *planner, const char *a, const char *b)
{
    return ps_conf_same_name(planner->catalog->conf, a, b);
}

bool psi_literal_int(const ps_expr *expr, int64_t *out)
{
    ps_view view;

    if (expr->kind != PS_X_LITERAL || !expr->type || !ps_kind_is_integer(expr->type->kind) || ps_vec_is_null(expr->value, 0))
        return false;
    ps_view_init(&view, expr->value);
    switch (expr->type->kind) {
    case PS_INT8: *out = ((const int8_t *)view.data)[0]; break;
    case PS_INT16: *out = ((const int16_t *)view.data)[0]; break;
    case PS_INT32: *out = ((const int32_t *)view.data)[0]; break;
    default: *out = ((const int64_t *)view.data)[0]; break;
    }
    return true;
}

static ps_status join_names(const ps_sql_names *names, ps_bytes *out, ps_error *err)
{
    const char *between = names->n == 2 && ps_stricmp(names->items[0], "global_temp") == 0 ? "." : "`.`"; /* as views are kept */

    for (int i = 0; i < names->n; i++)
        PS_TRY(ps_bytes_printf(out, err, "%s%s", i ? between : "", names->items[i]));
    return PS_OK;
}

static ps_status plan_table(const psi_planner *planner, const ps_sql_rel *rel, ps_node **out, ps_error *err)
{
    const char *name = rel->name.items[rel->name.n - 1];
    ps_bytes full = {0};
    ps_node *view = NULL;
    ps_status rc;

    for (const psi_with *with = planner->with; rel->name.n == 1 && with; with = with->outer)
        if (psi_same_name(planner, with->name, name)) {
            view = ps_node_ref(with->node);
            break;
        }
    if (!view) {
        rc = join_names(&rel->name, &full, err);
        /* The current database may be named; other ones hold no views. */
        bool local = rel->name.n == 1 || (rel->name.n == 2 && ps_stricmp(rel->name.items[0], "default") == 0);
        if (rc == PS_OK)
            rc = planner->catalog->view(planner->catalog->self, local ? name : full.data, &view, err);
        ps_bytes_clear(&full);
        PS_TRY(rc);
    }
    ps_arg alias = {.name = "name", .kind = PS_A_TEXTS, .texts = &name, .n = 1};
    rc = psi_plan_over(planner, &view, "alias", &alias, 1, err);
    if (rc != PS_OK) {
        ps_node_unref(view);
        return rc;
    }
    *out = view;
    return PS_OK;
}

/* --- VALUES ----------------------------------------------------------------------------------------------- */

/* One column: the common type of its cells, each evaluated at once. */
static ps_status values_column(const psi_planner *planner, const ps_sql_rel *rel, int column, int n_columns, ps_vec **out, bool *nullable, ps_error *err)
{
    const ps_conf *conf = planner->catalog->conf;
    bool ansi = ps_conf_bool(conf, "spark.sql.ansi.enabled");
    ps_scope scope = {.conf = conf};
    const ps_type *type = NULL;
    ps_bound **cells = NULL;
    ps_builder *b = NULL;
    ps_eval_env env;
    ps_status rc;

    PS_TRY(ps_plan_env(conf, &env, err));
    PS_TRY(ps_alloc0((size_t)rel->n_rows * sizeof *cells, &cells, err));
    for (int r = 0; r < rel->n_rows; r++) {
        const ps_type *both = NULL;

        PS_TRY_OR(done, ps_bind(rel->cells.items[r * n_columns + column], &scope, &cells[r], err));
        PS_TRY_OR(done, type ? ps_common_type(type, cells[r]->type, ansi, &both, err) : PS_OK);
        if (type && !both) {
            rc = ps_raise(err, PS_E_INLINE_TABLE_TYPES, column + 1);
            goto done;
        }
        ps_type_unref(type);
        type = both ? both : ps_type_ref(cells[r]->type);
    }
    PS_TRY_OR(done, ps_build_new(type, rel->n_rows, &b, err));
    for (int r = 0; r < rel->n_rows; r++) {
        ps_bound *cast = NULL;
        ps_vec *value = NULL;

        rc = ps_bound_cast(cells[r], type, false, conf, &cast, err);
        rc = rc == PS_OK ? ps_eval_constant(cast, &env, &value, err) : rc;
        *nullable = *nullable || (rc == PS_OK && ps_vec_is_null(value, 0));
        rc = rc == PS_OK ? ps_build_from(b, value, 0, err) : rc;
        ps_vec_unref(value);
        ps_bound_unref(cast);
        if (rc != PS_OK)
            goto done;
    }
done:
    rc = ps_build_end(b, rc, out, err);
    for (int r = 0; r < rel->n_rows; r++)
        ps_bound_unref(cells[r]);
    ps_free(cells);
    ps_type_unref(type);
    return rc;
}

static ps_status local_node(const psi_planner *planner, ps_batch *batch, const ps_field *fields, ps_node **out, ps_error *err)
{
    ps_batches rows = {0};
    const ps_type *schema = NULL;
    ps_status rc;

    PS_TRY(ps_type_struct(fields, batch->n_cols, &schema, err));
    rc = ps_batches_add(&rows, batch, err);
    if (rc == PS_OK) {
        ps_arg items[2] = {{.name = "type", .kind = PS_A_TYPE, .type = schema}, {.name = "batches", .kind = PS_A_BATCHES, .batches = &rows}};
        ps_args args = {items, 2, planner->catalog->conf};

        rc = ps_node_make("local", NULL, 0, &args, out, err);
    }
    ps_batches_clear(&rows);
    ps_type_unref(schema);
    return rc;
}

static ps_status plan_values(const psi_planner *planner, const ps_sql_rel *rel, ps_node **out, ps_error *err)
{
    int n = rel->n_rows ? rel->cells.n / rel->n_rows : 0;
    ps_field *fields = NULL;
    char (*names)[16] = NULL;
    ps_batch *batch = NULL;
    ps_status rc;

    PS_TRY(ps_batch_new(n, rel->n_rows, &batch, err));
    PS_TRY_OR(done, ps_alloc0((size_t)n * sizeof *fields, &fields, err));
    PS_TRY_OR(done, ps_alloc0((size_t)n * sizeof *names, &names, err));
    for (int c = 0; c < n; c++) {
        PS_TRY_OR(done, values_column(planner, rel, c, n, &batch->cols[c], &fields[c].nullable, err));
        memcpy(names[c], "col", 3);
        names[c][3 + ps_format_int64(c + 1, names[c] + 3)] = '\0';
        fields[c].name = names[c];
        fields[c].type = batch->cols[c]->type;
    }
    rc = local_node(planner, batch, fields, out, err);
done:
    ps_batch_unref(batch);
    ps_free(fields);
    ps_free(names);
    return rc;
}

/* --- functions, joins ---------------------------------------------------------------------------------------- */

static ps_status plan_range(const psi_planner *planner, const ps_expr *call, ps_node **out, ps_error *err)
{
    int64_t v[3] = {0, 0, 1};
    ps_arg items[3] = {{.name = "start", .kind = PS_A_INT}, {.name = "end", .kind = PS_A_INT}, {.name = "step", .kind = PS_A_INT}};
    ps_args args = {items, 3, planner->catalog->conf};

    for (int i = 0; i < call->n_args && i < 3; i++)
        if (!psi_literal_int(call->args[i], &v[call->n_args == 1 ? 1 : i]))
            return ps_raise(err, PS_E_NOT_BUILT, "range() of anything but integer literals");
    for (int i = 0; i < 3; i++)
        items[i].number = v[i];
    return ps_node_make("range", NULL, 0, &args, out, err);
}

static ps_status one_row(const psi_planner *planner, ps_node **out, ps_error *err)
{
    ps_batch *batch = NULL;
    ps_status rc;

    PS_TRY(ps_batch_new(0, 1, &batch, err));
    rc = local_node(planner, batch, NULL, out, err);
    ps_batch_unref(batch);
    return rc;
}

/* A generator in FROM: its rows over one row. */
static ps_status plan_function(const psi_planner *planner, const ps_sql_rel *rel, ps_node **out, ps_error *err)
{
    ps_arg exprs = {.name = "exprs", .kind = PS_A_EXPRS, .exprs = &rel->call, .n = 1};
    ps_status rc;

    if (ps_stricmp(rel->call->name, "range") == 0)
        return plan_range(planner, rel->call, out, err);
    PS_TRY(one_row(planner, out, err));
    rc = psi_plan_over(planner, out, "select", &exprs, 1, err);
    if (rc != PS_OK) {
        ps_node_unref(*out);
        *out = NULL;
    }
    return rc;
}

static ps_status natural_names(const psi_planner *planner, const ps_node *left, const ps_node *right, ps_sql_names *out, ps_error *err)
{
    for (int i = 0; i < left->out.n; i++)
        for (int k = 0; k < right->out.n; k++)
            if (!left->out.items[i].hidden && !right->out.items[k].hidden && psi_same_name(planner, left->out.items[i].name, right->out.items[k].name))
                PS_TRY(PS_PUSH(out, left->out.items[i].name, err));
    return PS_OK;
}

static ps_status plan_join(const psi_planner *planner, const ps_sql_rel *rel, ps_node **out, ps_error *err)
{
    static const char *const words[] = {"inner", "cross", "left", "right", "full", "semi", "anti"};
    ps_node *sides[2] = {NULL, NULL};
    ps_sql_names common = {0};
    ps_arg items[2] = {{.name = "how", .kind = PS_A_TEXTS, .texts = &words[rel->join], .n = 1}, {.name = "on"}};
    ps_args args = {items, 2, planner->catalog->conf};
    const ps_sql_names *names = &rel->using_;
    ps_status rc;

    if (rel->lateral)
        return ps_raise(err, PS_E_NOT_BUILT, "a LATERAL join");
    PS_TRY_OR(done, psi_plan_relation(planner, rel->left, &sides[0], err));
    PS_TRY_OR(done, psi_plan_relation(planner, rel->right, &sides[1], err));
    if (rel->natural) {
        PS_TRY_OR(done, natural_names(planner, sides[0], sides[1], &common, err));
        names = &common;
    }
    if (names->n > 0) {
        items[1].kind = PS_A_TEXTS;
        items[1].texts = (const char *const *)names->items;
        items[1].n = names->n;
    } else {
        items[1].kind = PS_A_EXPRS;
        items[1].exprs = &rel->on;
        items[1].n = rel->on != NULL;
    }
    rc = ps_node_make("join", sides, 2, &args, out, err);
done:
    ps_node_unref(sides[0]);
    ps_node_unref(sides[1]);
    ps_free(common.items); /* the names are the left side's */
    return rc;
}

static ps_status name_result(const psi_planner *planner, const ps_sql_rel *rel, ps_node **node, ps_error *err)
{
    ps_arg columns = {.name = "texts", .kind = PS_A_TEXTS, .texts = (const char *const *)rel->columns.items, .n = rel->columns.n};
    ps_arg alias = {.name = "name", .kind = PS_A_TEXTS, .texts = (const char *const *)&rel->alias, .n = 1};

    if (rel->columns.n > 0)
        PS_TRY(psi_plan_over(planner, node, "to_df", &columns, 1, err));
    return rel->alias ? psi_plan_over(planner, node, "alias", &alias, 1, err) : PS_OK;
}

ps_status psi_plan_relation(const psi_planner *planner, const ps_sql_rel *rel, ps_node **out, ps_error *err)
{
    ps_status rc;

    *out = NULL;
    if (!rel)
        return one_row(planner, out, err);
    switch (rel->kind) {
    case PS_REL_TABLE: rc = plan_table(planner, rel, out, err); break;
    case PS_REL_QUERY: rc = psi_plan_query(planner, rel->query, out, err); break;
    case PS_REL_VALUES: rc = plan_values(planner, rel, out, err); break;
    case PS_REL_FUNCTION: rc = plan_function(planner, rel, out, err); break;
    default: rc = plan_join(planner, rel, out, err); break;
    }
    if (rc == PS_OK)
        rc = name_result(planner, rel, out, err);
    if (rc != PS_OK) {
        ps_node_unref(*out);
        *out = NULL;
    }
    return rc;
}
