/*
 * op/sort.c - orderBy: keeps its input and gives it back in order.  The sort is stable.
 */
#include "op/op_int.h"
#include "op/project.h"

typedef struct sort_key {
    ps_bound *bound;
    bool descending, nulls_first;
} sort_key;
typedef struct sort_spec {
    sort_key *keys;
    int n;
} sort_spec;

typedef struct sort_op {
    ps_op op;
    ps_program *program;
    ps_batches rows;
} sort_op;

PSI_OP_FREE(psi_sort_free)
{
    sort_spec *sort = spec;

    for (int i = 0; i < sort->n; i++)
        ps_bound_unref(sort->keys[i].bound);
    ps_free(sort->keys);
    ps_free(sort);
}

static ps_status sort_node(ps_node *input, sort_spec *spec, ps_node **out, ps_error *err)
{
    ps_node *node = NULL;
    ps_status rc;

    *out = NULL;
    if ((rc = ps_node_new(ps_op_find("sort"), &input, 1, &node, err)) != PS_OK) {
        psi_sort_free(spec);
        return rc;
    }
    node->spec = spec;
    if ((rc = psi_node_pass_through(node, err)) != PS_OK) {
        ps_node_unref(node);
        return rc;
    }
    *out = node;
    return PS_OK;
}

/* An integer literal is the 1-based position of a column. */
static bool ordinal_of(const ps_expr *expr, int64_t *out)
{
    ps_view view;

    if (expr->kind != PS_X_LITERAL || !expr->type || expr->type->kind != PS_INT32 || ps_vec_is_null(expr->value, 0))
        return false;
    ps_view_init(&view, expr->value);
    *out = ((const int32_t *)view.data)[ps_at(&view, 0)];
    return true;
}

static ps_status bind_key(const ps_expr *expr, const ps_node *input, const ps_scope *scope, sort_key *key, ps_error *err)
{
    const ps_expr *inner = expr;
    int64_t ordinal;

    key->nulls_first = true;
    if (expr->kind == PS_X_SORT) {
        key->descending = expr->descending;
        key->nulls_first = expr->nulls_first;
        inner = expr->args[0];
    }
    if (ordinal_of(inner, &ordinal)) {
        int at = -1;

        for (int64_t left = ordinal; left > 0 && ++at < input->out.n;)
            left -= !input->out.items[at].hidden;
        if (ordinal < 1 || at >= input->out.n)
            return ps_raise(err, PS_E_ORDER_BY_POS_OUT_OF_RANGE, (long long)ordinal, input->out.n);
        return ps_bound_column(&input->out.items[at], &key->bound, err);
    }
    PS_TRY(ps_bind(inner, scope, &key->bound, err));
    if (key->bound->type->kind == PS_MAP)
        return ps_raise(err, PS_E_SORT_TYPE);
    return PS_OK;
}

PSI_OP_BIND(psi_sort_bind)
{
    const ps_arg *exprs = ps_args_find(args, "exprs");
    ps_node *input = (*node)->inputs[0], *below = NULL, *made = NULL;
    const ps_attrs *inputs[1];
    ps_attrs missing = {0};
    ps_ids used = {0};
    sort_spec *spec = NULL;
    ps_scope scope;
    ps_status rc;

    ps_node_scope(*node, args->conf, inputs, &scope);
    PS_TRY_OR(done, psi_node_missing(input, true, &missing, err));
    scope.missing = &missing;
    PS_TRY_OR(done, ps_alloc0(sizeof *spec, &spec, err));
    PS_TRY_OR(done, ps_alloc0((size_t)exprs->n * sizeof *spec->keys, &spec->keys, err));
    for (int i = 0; i < exprs->n; i++) {
        spec->n = i + 1;
        PS_TRY_OR(done, bind_key(exprs->exprs[i], input, &scope, &spec->keys[i], err));
        PS_TRY_OR(done, ps_ids_add_bound(&used, spec->keys[i].bound, err));
    }
    PS_TRY_OR(done, psi_node_expose(input, &used, &below, err));
    rc = sort_node(below, spec, &made, err);
    spec = NULL;
    if (rc != PS_OK)
        goto done;
    ps_node_unref(*node);
    *node = made;
done:
    if (spec)
        psi_sort_free(spec);
    ps_node_unref(below);
    ps_ids_clear(&used);
    ps_attrs_clear(&missing);
    return rc;
}

PSI_OP_NEEDS(psi_sort_needs)
{
    const sort_spec *spec = node->spec;

    PS_UNUSED(input);
    for (int i = 0; i < wanted->n; i++)
        PS_TRY(ps_ids_add_fields(out, wanted->items[i], wanted->fields[i], err));
    for (int i = 0; i < spec->n; i++)
        PS_TRY(ps_ids_add_bound(out, spec->keys[i].bound, err));
    return PS_OK;
}

PSI_OP_REMAKE(psi_sort_remake)
{
    const sort_spec *from = node->spec;
    sort_spec *spec = NULL;
    ps_status rc;

    PS_UNUSED(wanted);
    *out = NULL;
    PS_TRY(ps_alloc0(sizeof *spec, &spec, err));
    if ((rc = ps_alloc0((size_t)from->n * sizeof *spec->keys, &spec->keys, err)) != PS_OK) {
        ps_free(spec);
        return rc;
    }
    for (spec->n = 0; spec->n < from->n; spec->n++) {
        spec->keys[spec->n] = from->keys[spec->n];
        ps_bound_ref(spec->keys[spec->n].bound);
    }
    return sort_node(inputs[0], spec, out, err);
}

PSI_OP_DESCRIBE(psi_sort_describe)
{
    const sort_spec *spec = node->spec;

    PS_TRY(ps_bytes_text(out, "Sort [", err));
    for (int i = 0; i < spec->n; i++) {
        PS_TRY(i ? ps_bytes_text(out, ", ", err) : PS_OK);
        PS_TRY(ps_bound_text(spec->keys[i].bound, out, err));
        PS_TRY(ps_bytes_printf(out, err, " %s NULLS %s", spec->keys[i].descending ? "DESC" : "ASC", spec->keys[i].nulls_first ? "FIRST" : "LAST"));
    }
    return ps_bytes_text(out, "], true", err);
}

static ps_status sort_begin(ps_op *op, ps_error *err)
{
    PS_UNUSED(err);
    ps_batches_clear(&((sort_op *)op)->rows);
    return PS_OK;
}

static ps_status sort_push(ps_op *op, int port, ps_batch *batch, ps_error *err)
{
    ps_batch *copy = NULL;
    ps_status rc;

    PS_UNUSED(port);
    PS_TRY(ps_batch_copy(batch, &copy, err));
    rc = ps_batches_add(&((sort_op *)op)->rows, copy, err);
    ps_batch_unref(copy);
    return rc;
}

typedef struct sort_order {
    const sort_spec *spec;
    ps_vec **keys;
} sort_order;

static int compare_rows(const sort_order *order, int32_t a, int32_t b)
{
    for (int k = 0; k < order->spec->n; k++) {
        const sort_key *key = &order->spec->keys[k];
        /* Descending turns the whole order round, and with it the place of NULLs. */
        int c = ps_vec_compare(order->keys[k], a, order->keys[k], b, key->nulls_first != key->descending);

        if (c != 0)
            return key->descending ? -c : c;
    }
    return 0;
}

/* Merge sort of rows[0..n), stable; `room` has n places. */
static void merge_sort(const sort_order *order, int32_t *rows, int32_t *room, int64_t n)
{
    int64_t half = n / 2, a = 0, b, at = 0;

    if (n < 2)
        return;
    merge_sort(order, rows, room, half);
    merge_sort(order, rows + half, room, n - half);
    if (compare_rows(order, rows[half - 1], rows[half]) <= 0)
        return;
    memcpy(room, rows, (size_t)half * sizeof *rows);
    for (b = half; a < half && b < n;)
        rows[at++] = compare_rows(order, rows[b], room[a]) < 0 ? rows[b++] : room[a++];
    memcpy(rows + at, room + a, (size_t)(half - a) * sizeof *rows);
}

static ps_status emit_sorted(ps_op *op, ps_batch *all, const int32_t *rows, ps_error *err)
{
    for (int64_t start = 0; start < all->n_rows && !ps_op_is_done(op->next); start += ps_batch_rows) {
        int64_t n = all->n_rows - start < ps_batch_rows ? all->n_rows - start : ps_batch_rows;
        ps_batch *batch = NULL;
        ps_status rc;

        PS_TRY(ps_run_check(op->run, err));
        PS_TRY(ps_batch_new(all->n_cols, n, &batch, err));
        rc = PS_OK;
        for (int c = 0; rc == PS_OK && c < all->n_cols; c++)
            rc = ps_vec_take(all->cols[c], rows + start, n, NULL, &batch->cols[c], err);
        if (rc == PS_OK)
            rc = ps_op_emit(op, batch, err);
        ps_batch_unref(batch);
        PS_TRY(rc);
    }
    return PS_OK;
}

static ps_status sort_all(sort_op *self, ps_batch *all, ps_error *err)
{
    const sort_spec *spec = self->op.node->spec;
    sort_order order = {.spec = spec};
    int32_t *rows = NULL;
    ps_status rc;

    if (all->n_rows > INT32_MAX / 2)
        return ps_raise(err, PS_E_INTERNAL, "too many rows to sort");
    PS_TRY(ps_alloc0((size_t)spec->n * sizeof *order.keys, &order.keys, err));
    PS_TRY_OR(done, ps_program_run(self->program, all, order.keys, err));
    PS_TRY_OR(done, ps_alloc((size_t)(all->n_rows * 2) * sizeof *rows, &rows, err));
    for (int64_t i = 0; i < all->n_rows; i++)
        rows[i] = (int32_t)i;
    merge_sort(&order, rows, rows + all->n_rows, all->n_rows);
    rc = emit_sorted(&self->op, all, rows, err);
done:
    for (int k = 0; k < spec->n; k++)
        ps_vec_unref(order.keys[k]);
    ps_free(order.keys);
    ps_free(rows);
    return rc;
}

static ps_status sort_finish(ps_op *op, int port, ps_error *err)
{
    sort_op *self = (sort_op *)op;
    const ps_attrs *from = &op->node->inputs[0]->out;
    const ps_type **types = NULL;
    ps_batch *all = NULL;
    ps_status rc;

    PS_UNUSED(port);
    if (self->rows.n_rows == 0)
        return PS_OK;
    PS_TRY(ps_alloc((size_t)from->n * sizeof *types, &types, err));
    for (int i = 0; i < from->n; i++)
        types[i] = from->items[i].type;
    rc = ps_batches_concat(&self->rows, from->n, types, &all, err);
    ps_free(types);
    ps_batches_clear(&self->rows);
    if (rc == PS_OK)
        rc = sort_all(self, all, err);
    ps_batch_unref(all);
    return rc;
}

static void sort_close(ps_op *op)
{
    ps_program_free(((sort_op *)op)->program);
    ps_batches_clear(&((sort_op *)op)->rows);
    ps_free(op);
}

PSI_OP_OPEN(psi_sort_open)
{
    static const ps_op_vt vt = {.begin = sort_begin, .push = sort_push, .finish = sort_finish, .close = sort_close};
    const sort_spec *spec = node->spec;
    ps_bound **bounds = NULL;
    sort_op *self = NULL;
    ps_status rc;

    *out = NULL;
    PS_TRY(psi_op_new(sizeof *self, &vt, node, run, &self, err));
    PS_TRY_OR(fail, ps_alloc((size_t)spec->n * sizeof *bounds, &bounds, err));
    for (int i = 0; i < spec->n; i++)
        bounds[i] = spec->keys[i].bound;
    PS_TRY_OR(fail, ps_program_new(bounds, spec->n, &node->inputs[0]->out, &run->env, &self->program, err));
    ps_free(bounds);
    *out = &self->op;
    return PS_OK;
fail:
    ps_free(bounds);
    sort_close(&self->op);
    return rc;
}
