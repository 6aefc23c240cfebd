/*
 * op/distinct.c - DataFrame.distinct() of a bounded relation: an aggregation by all columns without aggregates.
 */
#include "op/op_int.h"

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
