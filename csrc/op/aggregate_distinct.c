/*
 * op/aggregate_distinct.c - sum(DISTINCT x): of rows that are equal in grouping columns and
 * arguments one counts.
 *
 * Each such call has a table of what it has seen; only bounded plans have any, and they fill one
 * partial table.
 */
#include "op/aggregate_int.h"

ps_status psi_distinct_new(const psi_aggregate_plan *plan, const ps_agg_call *call,
                           psi_distinct **out, ps_error *err)
{
    int n = plan->n_keys + call->n_args;
    psi_distinct *distinct = NULL;
    const ps_type **types = NULL;
    ps_status rc;

    *out = NULL;
    PS_TRY_OR(done, ps_alloc0(sizeof *distinct, &distinct, err));
    PS_TRY_OR(done, ps_alloc0((size_t)n * sizeof *types, &types, err));
    PS_TRY_OR(done, ps_alloc0((size_t)n * sizeof *distinct->cols, &distinct->cols, err));
    for (int i = 0; i < plan->n_keys; i++)
        types[i] = plan->spec->grouping.items[i].bound->type;
    for (int i = 0; i < call->n_args; i++)
        types[plan->n_keys + i] = call->args[i]->type;
    PS_TRY_OR(done, ps_layout_init(&distinct->layout, &(ps_key_spec){types, n, -1, -1, 0}, 0, NULL,
                                   NULL, 0, err));
    ps_table_init(&distinct->table, &distinct->layout, 0, NULL);
    *out = distinct;
    distinct = NULL;
done:
    ps_free(types);
    psi_distinct_free(distinct);
    return rc;
}

void psi_distinct_free(psi_distinct *distinct)
{
    if (distinct == NULL)
        return;
    ps_table_clear(&distinct->table);
    ps_layout_clear(&distinct->layout);
    ps_free(distinct->cols);
    ps_free(distinct->slots);
    ps_free(distinct->sel);
    ps_free(distinct);
}

static ps_status make_room(psi_distinct *distinct, int64_t n, ps_error *err)
{
    if (n <= distinct->room)
        return PS_OK;
    PS_TRY(ps_realloc((size_t)n * sizeof *distinct->slots, &distinct->slots, err));
    PS_TRY(ps_realloc((size_t)n * sizeof *distinct->sel, &distinct->sel, err));
    distinct->room = n;
    return PS_OK;
}

ps_status psi_distinct_pick(psi_distinct *distinct, uint64_t seed, ps_vec *const *keys, int n_keys,
                            ps_vec *const *args, int n_args, ps_rows *rows, uint8_t **groups,
                            ps_error *err)
{
    int64_t n = 0;

    PS_TRY(make_room(distinct, rows->n, err));
    for (int i = 0; i < n_keys; i++)
        distinct->cols[i] = keys[i];
    for (int i = 0; i < n_args; i++)
        distinct->cols[n_keys + i] = args[i];
    PS_TRY(ps_table_upsert(&distinct->table, distinct->cols, rows, seed, distinct->slots, err));
    for (int64_t j = 0; j < rows->n; j++) {
        ps_slot *slot = (ps_slot *)distinct->slots[j];
        if (!(slot->flags & PS_SLOT_NEW))
            continue;
        slot->flags = 0;
        groups[n] = groups[j];
        distinct->sel[n++] = (int32_t)ps_row(rows, j);
    }
    rows->sel = distinct->sel;
    rows->n = n;
    return PS_OK;
}
