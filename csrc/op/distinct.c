/*
 * op/distinct.c - distinct() and dropDuplicates() of a bounded relation: an aggregation by all columns without
 * aggregates, or by some with the first of each other.
 */
#include "op/op_int.h"
#include "op/project.h"

PSI_OP_BIND(psi_distinct_bind)
{
    const ps_attrs *from = &(*node)->inputs[0]->out;
    ps_arg items[2] = {{.name = "grouping", .kind = PS_A_EXPRS}, {.name = "aggregates", .kind = PS_A_EXPRS}};
    ps_args aggregate = {items, 2, args->conf};
    ps_expr **columns = NULL;
    ps_node *made = NULL;
    int n = 0;
    ps_status rc = PS_OK;

    /* SQL's SELECT DISTINCT is an aggregation on a stream too; df.distinct() there is deduplication. */
    if ((*node)->streaming && !ps_args_int(args, "sql", 0))
        return ps_raise(err, PS_E_NOT_BUILT, "distinct() / dropDuplicates() on a streaming DataFrame");
    PS_TRY(ps_alloc0((size_t)from->n * sizeof *columns, &columns, err));
    for (int i = 0; i < from->n; i++)
        if (!from->items[i].hidden)
            PS_TRY_OR(done, ps_expr_attr(from->items[i].id, from->items[i].name, &columns[n++], err));
    items[0].exprs = columns;
    items[0].n = n;
    PS_TRY_OR(done, ps_node_make("aggregate", (*node)->inputs, 1, &aggregate, &made, err));
    ps_node_unref(*node);
    *node = made;
done:
    for (int i = 0; i < n; i++)
        ps_expr_unref(columns[i]);
    ps_free(columns);
    return rc;
}

/* first(x) AS x for a column that is no key. */
static ps_status first_of(const ps_attr *attr, ps_expr **out, ps_error *err)
{
    ps_expr *column = NULL, *first = NULL;
    ps_status rc;

    PS_TRY(ps_expr_attr(attr->id, attr->name, &column, err));
    rc = ps_expr_call("first", &column, 1, &first, err);
    if (rc == PS_OK)
        rc = ps_expr_alias(first, (const char *const *)&attr->name, 1, NULL, out, err);
    ps_expr_unref(column);
    ps_expr_unref(first);
    return rc;
}

typedef struct dedup_exprs {
    ps_expr **keys, **others;
    int n_keys, n_others;
    bool *is_key;
} dedup_exprs;

static void dedup_clear(dedup_exprs *d)
{
    for (int i = 0; i < d->n_keys; i++)
        ps_expr_unref(d->keys[i]);
    for (int i = 0; i < d->n_others; i++)
        ps_expr_unref(d->others[i]);
    ps_free(d->keys);
    ps_free(d->others);
    ps_free(d->is_key);
}

static ps_status collect_keys(const ps_attrs *from, const ps_arg *texts, const ps_conf *conf, dedup_exprs *d, ps_error *err)
{
    PS_TRY(ps_alloc0((size_t)from->n * sizeof *d->keys, &d->keys, err));
    PS_TRY(ps_alloc0((size_t)from->n * sizeof *d->others, &d->others, err));
    PS_TRY(ps_alloc0((size_t)from->n, &d->is_key, err));
    for (int k = 0; k < texts->n; k++) {
        int at = psi_attrs_find_name(from, texts->texts[k], conf);

        if (at < 0)
            return ps_raise(err, PS_E_UNRESOLVED_COLUMN_AMONG_FIELD_NAMES, texts->texts[k]);
        d->is_key[at] = true;
    }
    for (int i = 0; i < from->n; i++) {
        if (from->items[i].hidden)
            continue;
        if (d->is_key[i])
            PS_TRY(ps_expr_attr(from->items[i].id, from->items[i].name, &d->keys[d->n_keys++], err));
        else
            PS_TRY(first_of(&from->items[i], &d->others[d->n_others++], err));
    }
    return PS_OK;
}

/* The aggregation gives keys, then the others: back to the order of the input. */
static ps_status in_order(ps_node *aggregate, const ps_attrs *from, const dedup_exprs *d, const ps_conf *conf, ps_node **out, ps_error *err)
{
    ps_named_list list = {0};
    int key = 0, other = d->n_keys;
    ps_status rc = PS_OK;

    for (int i = 0; rc == PS_OK && i < from->n; i++) {
        ps_named none = {0};

        if (from->items[i].hidden)
            continue;
        rc = PS_PUSH(&list, none, err);
        if (rc == PS_OK)
            rc = ps_named_pass(&aggregate->out.items[d->is_key[i] ? key++ : other++], &list.items[list.n - 1], err);
    }
    if (rc != PS_OK) {
        ps_named_list_clear(&list);
        return rc;
    }
    return ps_project_node(aggregate, &list, conf, out, err);
}

PSI_OP_BIND(psi_dedup_bind)
{
    const ps_arg *texts = ps_args_find(args, "texts");
    const ps_attrs *from = &(*node)->inputs[0]->out;
    ps_arg items[2] = {{.name = "grouping", .kind = PS_A_EXPRS}, {.name = "aggregates", .kind = PS_A_EXPRS}};
    ps_args aggregate = {items, 2, args->conf};
    ps_node *grouped = NULL, *made = NULL;
    dedup_exprs d = {0};
    ps_status rc;

    if (!texts || texts->n == 0)
        return psi_distinct_bind(args, node, err);
    if ((*node)->streaming)
        return ps_raise(err, PS_E_NOT_BUILT, "distinct() / dropDuplicates() on a streaming DataFrame");
    PS_TRY_OR(done, collect_keys(from, texts, args->conf, &d, err));
    items[0].exprs = d.keys;
    items[0].n = d.n_keys;
    items[1].exprs = d.others;
    items[1].n = d.n_others;
    PS_TRY_OR(done, ps_node_make("aggregate", (*node)->inputs, 1, &aggregate, &grouped, err));
    PS_TRY_OR(done, in_order(grouped, from, &d, args->conf, &made, err));
    ps_node_unref(*node);
    *node = made;
done:
    ps_node_unref(grouped);
    dedup_clear(&d);
    return rc;
}
