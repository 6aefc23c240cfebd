/*
 * expr/fn_lambda.c - functions that take a function: transform, filter, exists, forall, aggregate, zip_with, and those of
 * maps.
 *
 * The elements of all live rows are laid out one after the other and the lambda runs over them once.
 */
#include "col/type_text.h"
#include "expr/fn_int.h"
#include "expr/picks.h"

/* --- the elements of a batch, laid out ---------------------------------------------------------------------------------- */
typedef struct layout {
    psi_picks picks;   /* spans over the elements laid out; rows of the child they come from */
    int32_t *parents;  /* the batch's row of each element */
    int32_t *places;   /* its place in its array, from 0 */
} layout;

static void layout_clear(layout *l)
{
    psi_picks_clear(&l->picks);
    ps_free(l->parents);
    ps_free(l->places);
}

static ps_status lay_out(const ps_fn_run *run, const ps_view *view, layout *l, ps_error *err)
{
    ps_status rc;

    *l = (layout){0};
    PS_TRY(psi_picks_begin(run, &l->picks, err));
    PS_EACH_ROW(run->rows, i) {
        if (ps_view_is_null(view, i))
            continue;
        ps_span span = psi_span_at(view, i);
        psi_picks_row(&l->picks);
        for (uint32_t k = 0; k < span.n; k++)
            PS_TRY_OR(fail, psi_pick(&l->picks, (int64_t)span.start + k, err));
        psi_picks_row_end(&l->picks, i);
    }
    PS_TRY_OR(fail, ps_alloc((size_t)l->picks.n * sizeof(int32_t), &l->parents, err));
    PS_TRY_OR(fail, ps_alloc((size_t)l->picks.n * sizeof(int32_t), &l->places, err));
    PS_EACH_ROW(run->rows, i) {
        ps_span span = ((const ps_span *)l->picks.vec->data)[i];
        for (uint32_t k = 0; k < span.n; k++) {
            l->parents[span.start + k] = (int32_t)i;
            l->places[span.start + k] = (int32_t)k;
        }
    }
    return PS_OK;
fail:
    layout_clear(l);
    return rc;
}

static ps_status int_vec(const int32_t *values, int64_t n, ps_vec **out, ps_error *err)
{
    PS_TRY(ps_vec_new(ps_type_of(PS_INT32), n, false, out, err));
    if (n > 0)
        memcpy((*out)->data, values, (size_t)n * sizeof *values);
    return PS_OK;
}

/* The lambda at `arg` over the elements laid out; its parameters are the given children and the place. */
static ps_status apply(ps_fn_run *run, int arg, const layout *l, ps_vec *const *children, int n_children, ps_vec **out, ps_error *err)
{
    ps_vec *params[3] = {NULL, NULL, NULL};
    ps_status rc = PS_OK;

    *out = NULL;
    for (int i = 0; i < n_children && rc == PS_OK; i++)
        rc = psi_picks_take(&l->picks, children[i], &params[i], err);
    if (rc == PS_OK)
        rc = int_vec(l->places, l->picks.n, &params[n_children], err);
    if (rc == PS_OK && l->picks.n == 0)
        rc = ps_vec_null(run->node->args[arg]->type, 0, out, err);
    else if (rc == PS_OK)
        rc = ps_fn_eval_lambda(run, arg, params, n_children + 1, l->parents, l->picks.n, out, err);
    for (int i = 0; i < 3; i++)
        ps_vec_unref(params[i]);
    return rc;
}

/* --- transform ------------------------------------------------------------------------------------------------------------ */
static ps_status bind_element_lambda(ps_fn_call *call, bool with_place, ps_error *err)
{
    const ps_type *type = call->args[0]->type;
    const ps_type *types[2];
    bool nullable[2] = {true, false};

    if (type->kind != PS_ARRAY)
        return ps_fn_wrong_type(call, 0, "ARRAY", err);
    types[0] = type->fields[0].type;
    types[1] = ps_type_of(PS_INT32);
    nullable[0] = type->fields[0].nullable;
    call->nullable = call->args[0]->nullable;
    return ps_fn_bind_lambda(call, 1, types, nullable, with_place ? 2 : 1, err);
}

ps_status psi_bind_transform(ps_fn_call *call, ps_error *err);
ps_status psi_bind_transform(ps_fn_call *call, ps_error *err)
{
    PS_TRY(bind_element_lambda(call, true, err));
    return psi_set_array_type(call, call->args[1]->type, call->args[1]->nullable, err);
}

PSI_KERNEL(transform)
{
    ps_vec *child, *made = NULL;
    ps_view view;
    layout l;
    ps_status rc;

    ps_view_init(&view, run->args[0]);
    PS_TRY(lay_out(run, &view, &l, err));
    child = psi_elements(&view);
    rc = apply(run, 1, &l, &child, 1, &made, err);
    if (rc == PS_OK)
        rc = psi_picks_end(&l.picks, NULL, made, result, err);
    layout_clear(&l);
    return rc;
}

/* --- filter, exists, forall -------------------------------------------------------------------------------------------------- */
static ps_status want_boolean(ps_fn_call *call, int arg, ps_error *err)
{
    return call->args[arg]->type->kind == PS_BOOL || call->args[arg]->type->kind == PS_NULL ? PS_OK : ps_fn_wrong_type(call, arg, "BOOLEAN", err);
}

ps_status psi_bind_filter(ps_fn_call *call, ps_error *err);
ps_status psi_bind_filter(ps_fn_call *call, ps_error *err)
{
    PS_TRY(bind_element_lambda(call, true, err));
    call->type = ps_type_ref(call->args[0]->type);
    return want_boolean(call, 1, err);
}

ps_status psi_bind_exists(ps_fn_call *call, ps_error *err);
ps_status psi_bind_exists(ps_fn_call *call, ps_error *err)
{
    PS_TRY(bind_element_lambda(call, false, err));
    call->nullable |= call->args[1]->nullable;
    return want_boolean(call, 1, err);
}

/* 1 true, 0 false, -1 NULL */
static int truth(const ps_vec *vec, const ps_view *view, int64_t i)
{
    return vec->type->kind == PS_NULL || ps_view_is_null(view, i) ? -1 : PSI_AT(uint8_t, view, i) != 0;
}

PSI_KERNEL(filter)
{
    ps_vec *child, *kept = NULL;
    psi_picks picks;
    ps_view view, flags;
    layout l;
    ps_status rc;

    ps_view_init(&view, run->args[0]);
    PS_TRY(lay_out(run, &view, &l, err));
    child = psi_elements(&view);
    PS_TRY_OR(done, apply(run, 1, &l, &child, 1, &kept, err));
    ps_view_init(&flags, kept);
    PS_TRY_OR(done, psi_picks_begin(run, &picks, err));
    PS_EACH_ROW(run->rows, i) {
        if (!ps_bit(l.picks.vec->valid, i))
            continue;
        ps_span span = ((const ps_span *)l.picks.vec->data)[i];
        psi_picks_row(&picks);
        for (uint32_t k = span.start; k < span.start + span.n && rc == PS_OK; k++)
            if (truth(kept, &flags, k) == 1)
                rc = psi_pick(&picks, l.picks.items[k], err);
        psi_picks_row_end(&picks, i);
    }
    if (rc == PS_OK)
        rc = psi_picks_end(&picks, child, NULL, result, err);
    else
        psi_picks_clear(&picks);
done:
    ps_vec_unref(kept);
    layout_clear(&l);
    return rc;
}

/* `wanted` decides at once; else NULL when there was a NULL, else the other. */
static ps_status quantified(ps_fn_run *run, int wanted, ps_vec **out, ps_error *err)
{
    ps_vec *child, *truths = NULL, *vec = NULL;
    const ps_type *array = run->args[0]->type;
    ps_fn_run laid = *run;
    ps_view view, flags;
    layout l;
    ps_status rc;

    laid.type = array; /* the layout's vector is an array, the result is not */
    ps_view_init(&view, run->args[0]);
    PS_TRY(lay_out(&laid, &view, &l, err));
    child = psi_elements(&view);
    PS_TRY_OR(done, apply(run, 1, &l, &child, 1, &truths, err));
    ps_view_init(&flags, truths);
    PS_TRY_OR(done, ps_vec_new(run->type, run->rows->n_rows, true, &vec, err));
    PS_EACH_ROW(run->rows, i) {
        ps_span span = ((const ps_span *)l.picks.vec->data)[i];
        int value = !wanted;
        for (uint32_t k = span.start; k < span.start + span.n && value != wanted; k++) {
            int one = truth(truths, &flags, k);
            value = one == wanted || one < 0 ? one : value;
        }
        ((uint8_t *)vec->data)[i] = value == 1;
        if (value < 0 || !ps_bit(l.picks.vec->valid, i))
            ps_bit_clear(vec->valid, i);
    }
    *out = vec;
done:
    ps_vec_unref(truths);
    layout_clear(&l);
    return rc;
}
PSI_KERNEL(exists) { return quantified(run, 1, result, err); }
PSI_KERNEL(forall) { return quantified(run, 0, result, err); }

/* --- aggregate(array, start, merge, finish) -------------------------------------------------------------------------------------- */
ps_status psi_bind_aggregate(ps_fn_call *call, ps_error *err);
ps_status psi_bind_aggregate(ps_fn_call *call, ps_error *err)
{
    const ps_type *array = call->args[0]->type, *types[2];
    bool nullable[2] = {true, true};

    if (array->kind != PS_ARRAY)
        return ps_fn_wrong_type(call, 0, "ARRAY", err);
    types[0] = call->args[1]->type;
    types[1] = array->fields[0].type;
    PS_TRY(ps_fn_bind_lambda(call, 2, types, nullable, 2, err));
    if (!ps_type_equal_ignoring_null(call->args[2]->type, types[0]))
        return ps_fn_wrong_type(call, 2, ps_type_name(types[0]), err);
    if (call->n_args == 4)
        PS_TRY(ps_fn_bind_lambda(call, 3, types, nullable, 1, err));
    call->type = ps_type_ref(call->args[call->n_args == 4 ? 3 : 1]->type);
    call->nullable = true;
    return PS_OK;
}

/* Without `finish` it is the identity, and shown so. */
ps_status psi_text_aggregate(const ps_fn_call *call, ps_bytes *out, ps_error *err);
ps_status psi_text_aggregate(const ps_fn_call *call, ps_bytes *out, ps_error *err)
{
    PS_TRY(psi_call_text(call, out, err));
    if (call->n_args == 4 || out->n_bytes == 0)
        return PS_OK;
    out->n_bytes--;
    return ps_bytes_text(out, ", lambdafunction(namedlambdavariable(), namedlambdavariable()))", err);
}

/* One round: the accumulators of the rows that have an element `round`, merged with it.  `acc` has a row per row of the
 * batch; those not in the round keep theirs. */
static ps_status merge_round(ps_fn_run *run, const ps_view *arrays, uint32_t round, ps_vec **acc, bool *any, ps_error *err)
{
    int64_t n_rows = run->rows->n_rows;
    int32_t *parents = NULL, *items = NULL, *take = NULL;
    ps_vec *params[2] = {NULL, NULL}, *merged = NULL, *parts[2], *next = NULL;
    int32_t n = 0;
    ps_status rc;

    PS_TRY_OR(done, ps_alloc((size_t)n_rows * sizeof(int32_t), &parents, err));
    PS_TRY_OR(done, ps_alloc((size_t)n_rows * sizeof(int32_t), &items, err));
    PS_TRY_OR(done, ps_alloc((size_t)n_rows * sizeof(int32_t), &take, err));
    for (int64_t i = 0; i < n_rows; i++)
        take[i] = (int32_t)i;
    PS_EACH_ROW(run->rows, i) {
        ps_span span = ps_view_is_null(arrays, i) ? (ps_span){0, 0} : psi_span_at(arrays, i);
        if (round >= span.n)
            continue;
        parents[n] = (int32_t)i;
        items[n] = (int32_t)(span.start + round);
        take[i] = (int32_t)(n_rows + n++);
    }
    *any = n > 0;
    if (n == 0)
        goto done;
    PS_TRY_OR(done, ps_vec_take(*acc, parents, n, NULL, &params[0], err));
    PS_TRY_OR(done, ps_vec_take(psi_elements(arrays), items, n, NULL, &params[1], err));
    PS_TRY_OR(done, ps_fn_eval_lambda(run, 2, params, 2, parents, n, &merged, err));
    parts[0] = *acc;
    PS_TRY_OR(done, ps_vec_retype(merged, (*acc)->type, &parts[1], err));
    rc = ps_vec_concat(parts, 2, &next, err);
    ps_vec_unref(parts[1]);
    if (rc != PS_OK)
        goto done;
    ps_vec_unref(*acc);
    rc = ps_vec_take(next, take, n_rows, NULL, acc, err);
done:
    ps_free(parents);
    ps_free(items);
    ps_free(take);
    ps_vec_unref(params[0]);
    ps_vec_unref(params[1]);
    ps_vec_unref(merged);
    ps_vec_unref(next);
    return rc;
}

/* Rows whose array is NULL are NULL. */
static ps_status null_where(const ps_fn_run *run, const ps_view *arrays, ps_vec *values, ps_vec **out, ps_error *err)
{
    ps_builder *b;
    ps_status rc = PS_OK;

    PS_TRY(ps_build_new(run->type, run->rows->n, &b, err));
    PS_EACH_ROW(run->rows, i)
        PS_TRY_OR(done, ps_view_is_null(arrays, i) ? ps_build_null(b, err) : ps_build_from(b, values, i, err));
done:
    return psi_kernel_built(run, b, rc, out, err);
}

PSI_KERNEL(aggregate)
{
    ps_vec *acc = ps_vec_ref(run->args[1]), *finished = NULL;
    int32_t *rows = NULL;
    ps_view arrays;
    bool any = true;
    ps_status rc = PS_OK;

    ps_view_init(&arrays, run->args[0]);
    for (uint32_t round = 0; any && rc == PS_OK; round++)
        rc = merge_round(run, &arrays, round, &acc, &any, err);
    if (rc == PS_OK && run->n_args == 4) {
        rc = ps_alloc((size_t)run->rows->n_rows * sizeof *rows, &rows, err);
        for (int64_t i = 0; i < run->rows->n_rows && rc == PS_OK; i++)
            rows[i] = (int32_t)i;
        if (rc == PS_OK)
            rc = ps_fn_eval_lambda(run, 3, &acc, 1, rows, run->rows->n_rows, &finished, err);
    }
    if (rc == PS_OK)
        rc = null_where(run, &arrays, finished ? finished : acc, result, err);
    ps_free(rows);
    ps_vec_unref(finished);
    ps_vec_unref(acc);
    return rc;
}

/* --- zip_with ------------------------------------------------------------------------------------------------------------------------ */
ps_status psi_bind_zip_with(ps_fn_call *call, ps_error *err);
ps_status psi_bind_zip_with(ps_fn_call *call, ps_error *err)
{
    const ps_type *types[2];
    bool nullable[2] = {true, true};

    for (int i = 0; i < 2; i++) {
        if (call->args[i]->type->kind != PS_ARRAY)
            return ps_fn_wrong_type(call, i, "ARRAY", err);
        types[i] = call->args[i]->type->fields[0].type;
    }
    call->nullable = call->args[0]->nullable || call->args[1]->nullable;
    PS_TRY(ps_fn_bind_lambda(call, 2, types, nullable, 2, err));
    return psi_set_array_type(call, call->args[2]->type, call->args[2]->nullable, err);
}

/* Both arrays as builders of equal length, the shorter one filled up with NULLs. */
static ps_status zip_rows(const ps_fn_run *run, const psi_loop *loop, psi_picks *picks, ps_builder *const *sides, ps_error *err)
{
    PS_EACH_ROW(run->rows, i) {
        if (ps_view_is_null(&loop->views[0], i) || ps_view_is_null(&loop->views[1], i))
            continue;
        ps_span spans[2] = {psi_span_at(&loop->views[0], i), psi_span_at(&loop->views[1], i)};
        uint32_t n = spans[0].n > spans[1].n ? spans[0].n : spans[1].n;
        psi_picks_row(picks);
        for (uint32_t k = 0; k < n; k++) {
            for (int side = 0; side < 2; side++)
                PS_TRY(k < spans[side].n
                           ? ps_build_from(sides[side], psi_elements(&loop->views[side]), (int64_t)spans[side].start + k, err)
                           : ps_build_null(sides[side], err));
            PS_TRY(psi_pick(picks, i, err)); /* the row it belongs to */
        }
        psi_picks_row_end(picks, i);
    }
    return PS_OK;
}

PSI_KERNEL(zip_with)
{
    ps_builder *sides[2] = {NULL, NULL};
    ps_vec *params[2] = {NULL, NULL}, *made = NULL;
    psi_picks picks;
    psi_loop loop;
    ps_status rc;

    psi_views(run, 2, &loop);
    PS_TRY(psi_picks_begin(run, &picks, err));
    for (int side = 0; side < 2; side++)
        PS_TRY_OR(done, ps_build_new(psi_elements(&loop.views[side])->type, 0, &sides[side], err));
    PS_TRY_OR(done, zip_rows(run, &loop, &picks, sides, err));
    for (int side = 0; side < 2; side++)
        PS_TRY_OR(done, ps_build_finish(sides[side], &params[side], err));
    if (picks.n == 0)
        rc = ps_vec_null(run->type->fields[0].type, 0, &made, err);
    else
        rc = ps_fn_eval_lambda(run, 2, params, 2, picks.items, picks.n, &made, err);
    if (rc == PS_OK)
        rc = psi_picks_end(&picks, NULL, made, result, err);
done:
    psi_picks_clear(&picks);
    for (int side = 0; side < 2; side++) {
        ps_build_free(sides[side]);
        ps_vec_unref(params[side]);
    }
    return rc;
}

/* --- maps -------------------------------------------------------------------------------------------------------------------------------- */
static ps_status bind_entry_lambda(ps_fn_call *call, ps_error *err)
{
    const ps_type *type = call->args[0]->type, *types[2];
    bool nullable[2] = {false, true};

    if (type->kind != PS_MAP)
        return ps_fn_wrong_type(call, 0, "MAP", err);
    types[0] = type->fields[0].type;
    types[1] = type->fields[1].type;
    nullable[1] = type->fields[1].nullable;
    call->nullable = call->args[0]->nullable;
    return ps_fn_bind_lambda(call, 1, types, nullable, 2, err);
}

ps_status psi_bind_map_filter(ps_fn_call *call, ps_error *err);
ps_status psi_bind_map_filter(ps_fn_call *call, ps_error *err)
{
    PS_TRY(bind_entry_lambda(call, err));
    call->type = ps_type_ref(call->args[0]->type);
    return want_boolean(call, 1, err);
}

ps_status psi_bind_transform_entries(ps_fn_call *call, ps_error *err);
ps_status psi_bind_transform_entries(ps_fn_call *call, ps_error *err)
{
    const ps_type *type = call->args[0]->type;

    PS_TRY(bind_entry_lambda(call, err));
    if (strcmp(call->fn->name, "transform_keys") == 0)
        return ps_type_map(call->args[1]->type, type->fields[1].type, type->fields[1].nullable, &call->type, err);
    return ps_type_map(type->fields[0].type, call->args[1]->type, call->args[1]->nullable, &call->type, err);
}

/* The map of `keys` and `values` (both taken) in the places of the layout. */
static ps_status end_map(layout *l, ps_vec *keys, ps_vec *values, ps_vec **out, ps_error *err)
{
    ps_vec *vec = ps_vec_ref(l->picks.vec), *parts[2] = {keys, values}, *fitted;
    ps_status rc = PS_OK;

    for (int k = 0; k < 2; k++) {
        if (rc == PS_OK)
            rc = ps_vec_retype(parts[k], vec->type->fields[k].type, &fitted, err);
        if (rc == PS_OK)
            rc = ps_vec_add_child(vec, fitted, err);
        ps_vec_unref(parts[k]);
    }
    if (rc == PS_OK)
        *out = vec;
    else
        ps_vec_unref(vec);
    return rc;
}

static ps_status check_keys(const ps_fn_run *run, const layout *l, const ps_vec *keys, ps_error *err)
{
    PS_EACH_ROW(run->rows, i) {
        ps_span span = ((const ps_span *)l->picks.vec->data)[i];
        for (uint32_t k = span.start; k < span.start + span.n; k++) {
            if (ps_vec_is_null(keys, k))
                return ps_raise(err, PS_E_NULL_MAP_KEY);
            for (uint32_t j = span.start; j < k; j++)
                if (ps_vec_equal_rows(keys, j, keys, k))
                    return ps_raise(err, PS_E_DUPLICATED_MAP_KEY, 0, "");
        }
    }
    return PS_OK;
}

static ps_status transform_entries(ps_fn_run *run, int which, ps_vec **out, ps_error *err)
{
    ps_vec *made = NULL, *kept = NULL;
    ps_view view;
    layout l;
    ps_status rc;

    ps_view_init(&view, run->args[0]);
    PS_TRY(lay_out(run, &view, &l, err));
    PS_TRY_OR(fail, apply(run, 1, &l, view.base->children, 2, &made, err));
    PS_TRY_OR(fail, which == 0 ? check_keys(run, &l, made, err) : PS_OK);
    PS_TRY_OR(fail, psi_picks_take(&l.picks, view.base->children[1 - which], &kept, err));
    rc = which == 0 ? end_map(&l, made, kept, out, err) : end_map(&l, kept, made, out, err);
    layout_clear(&l);
    return rc;
fail:
    ps_vec_unref(made);
    layout_clear(&l);
    return rc;
}
PSI_KERNEL(transform_keys) { return transform_entries(run, 0, result, err); }
PSI_KERNEL(transform_values) { return transform_entries(run, 1, result, err); }

PSI_KERNEL(map_filter)
{
    ps_vec *truths = NULL, *keys = NULL, *values = NULL;
    layout l, kept = {0};
    ps_view view, flags;
    ps_status rc;

    ps_view_init(&view, run->args[0]);
    PS_TRY(lay_out(run, &view, &l, err));
    PS_TRY_OR(done, apply(run, 1, &l, view.base->children, 2, &truths, err));
    ps_view_init(&flags, truths);
    PS_TRY_OR(done, psi_picks_begin(run, &kept.picks, err));
    PS_EACH_ROW(run->rows, i) {
        if (!ps_bit(l.picks.vec->valid, i))
            continue;
        ps_span span = ((const ps_span *)l.picks.vec->data)[i];
        psi_picks_row(&kept.picks);
        for (uint32_t k = span.start; k < span.start + span.n; k++)
            if (truth(truths, &flags, k) == 1)
                PS_TRY_OR(done, psi_pick(&kept.picks, l.picks.items[k], err));
        psi_picks_row_end(&kept.picks, i);
    }
    PS_TRY_OR(done, psi_picks_take(&kept.picks, view.base->children[0], &keys, err));
    rc = psi_picks_take(&kept.picks, view.base->children[1], &values, err);
    if (rc == PS_OK)
        rc = end_map(&kept, keys, values, result, err);
    else
        ps_vec_unref(keys);
done:
    ps_vec_unref(truths);
    layout_clear(&kept);
    layout_clear(&l);
    return rc;
}

/* --- array_sort(array, comparison) -------------------------------------------------------------------------------------------------------- */
ps_status psi_bind_array_sort(ps_fn_call *call, ps_error *err);
ps_status psi_bind_array_sort(ps_fn_call *call, ps_error *err)
{
    const ps_type *type = call->args[0]->type, *types[2];
    bool nullable[2];

    if (type->kind != PS_ARRAY)
        return ps_fn_wrong_type(call, 0, "ARRAY", err);
    call->type = ps_type_ref(type);
    call->nullable = call->args[0]->nullable;
    if (call->n_args == 1)
        return PS_OK;
    types[0] = types[1] = type->fields[0].type;
    nullable[0] = nullable[1] = type->fields[0].nullable;
    PS_TRY(ps_fn_bind_lambda(call, 1, types, nullable, 2, err));
    if (call->args[1]->type->kind != PS_INT32)
        return ps_fn_wrong_type(call, 1, "INT", err);
    return PS_OK;
}

/* What the comparison says of every pair (i before j) of the elements at items[0..n), one row of the table after the other. */
static ps_status compare_pairs(ps_fn_run *run, ps_vec *child, const int32_t *items, uint32_t n, int32_t row, int8_t *table, ps_error *err)
{
    int64_t n_pairs = (int64_t)n * (n - 1) / 2, k = 0;
    int32_t *index = NULL, *parents;
    ps_vec *params[2] = {NULL, NULL}, *orders = NULL;
    ps_view view;
    ps_status rc;

    PS_TRY(ps_alloc((size_t)n_pairs * 3 * sizeof *index, &index, err));
    parents = index + 2 * n_pairs;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t j = i + 1; j < n; j++, k++) {
            index[k] = items[i];
            index[n_pairs + k] = items[j];
            parents[k] = row;
        }
    PS_TRY_OR(done, ps_vec_take(child, index, n_pairs, NULL, &params[0], err));
    PS_TRY_OR(done, ps_vec_take(child, index + n_pairs, n_pairs, NULL, &params[1], err));
    PS_TRY_OR(done, ps_fn_eval_lambda(run, 1, params, 2, parents, n_pairs, &orders, err));
    ps_view_init(&view, orders);
    k = 0;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t j = i + 1; j < n; j++, k++) {
            if (ps_view_is_null(&view, k)) {
                rc = ps_raise(err, PS_E_COMPARATOR_NULL);
                goto done;
            }
            int32_t order = PSI_AT(int32_t, &view, k);
            table[i * n + j] = (int8_t)((order > 0) - (order < 0));
            table[j * n + i] = (int8_t)-table[i * n + j];
        }
done:
    ps_free(index);
    ps_vec_unref(params[0]);
    ps_vec_unref(params[1]);
    ps_vec_unref(orders);
    return rc;
}

/* Places of elements, merged in order; a comparison that contradicts itself still ends. */
static void merge_places(uint32_t *places, uint32_t *spare, uint32_t n, const int8_t *table, uint32_t width)
{
    uint32_t half = n / 2, i = 0, j = half, k = 0;

    if (n < 2)
        return;
    merge_places(places, spare, half, table, width);
    merge_places(places + half, spare, n - half, table, width);
    while (i < half && j < n)
        spare[k++] = table[places[i] * width + places[j]] <= 0 ? places[i++] : places[j++];
    while (i < half)
        spare[k++] = places[i++];
    memcpy(places, spare, k * sizeof *places);
}

#define MAX_COMPARED 20000 /* elements: the table of pairs has their square */

static ps_status sort_row(ps_fn_run *run, ps_vec *child, ps_span span, int64_t i, psi_picks *picks, ps_error *err)
{
    uint32_t n = span.n, *places = NULL;
    int32_t *items = NULL;
    int8_t *table = NULL;
    ps_status rc;

    if (n > MAX_COMPARED)
        return ps_raise(err, PS_E_ARRAY_TOO_LONG, (long long)n);
    PS_TRY_OR(done, ps_alloc((size_t)n * sizeof *items + 1, &items, err));
    PS_TRY_OR(done, ps_alloc((size_t)n * 2 * sizeof *places + 1, &places, err));
    PS_TRY_OR(done, ps_alloc0((size_t)n * n + 1, &table, err));
    for (uint32_t k = 0; k < n; k++) {
        items[k] = (int32_t)(span.start + k);
        places[k] = k;
    }
    if (n > 1)
        PS_TRY_OR(done, compare_pairs(run, child, items, n, (int32_t)i, table, err));
    merge_places(places, places + n, n, table, n);
    for (uint32_t k = 0; k < n; k++)
        PS_TRY_OR(done, psi_pick(picks, items[places[k]], err));
done:
    ps_free(items);
    ps_free(places);
    ps_free(table);
    return rc;
}

PSI_KERNEL(array_sort_by)
{
    psi_picks picks;
    ps_view view;
    ps_status rc;

    ps_view_init(&view, run->args[0]);
    PS_TRY(psi_picks_begin(run, &picks, err));
    PS_EACH_ROW(run->rows, i) {
        if (ps_view_is_null(&view, i))
            continue;
        psi_picks_row(&picks);
        PS_TRY_OR(fail, sort_row(run, psi_elements(&view), psi_span_at(&view, i), i, &picks, err));
        psi_picks_row_end(&picks, i);
    }
    return psi_picks_end(&picks, psi_elements(&view), NULL, result, err);
fail:
    psi_picks_clear(&picks);
    return rc;
}

/* --- map_zip_with ---------------------------------------------------------------------------------------------------------------------------- */
ps_status psi_bind_map_zip_with(ps_fn_call *call, ps_error *err);
ps_status psi_bind_map_zip_with(ps_fn_call *call, ps_error *err)
{
    const ps_type *types[3];
    bool nullable[3] = {false, true, true};

    for (int i = 0; i < 2; i++)
        if (call->args[i]->type->kind != PS_MAP)
            return ps_fn_wrong_type(call, i, "MAP", err);
    if (!ps_type_equal_ignoring_null(call->args[0]->type->fields[0].type, call->args[1]->type->fields[0].type))
        return ps_fn_wrong_type(call, 1, ps_type_name(call->args[0]->type), err);
    types[0] = call->args[0]->type->fields[0].type;
    types[1] = call->args[0]->type->fields[1].type;
    types[2] = call->args[1]->type->fields[1].type;
    call->nullable = call->args[0]->nullable || call->args[1]->nullable;
    PS_TRY(ps_fn_bind_lambda(call, 2, types, nullable, 3, err));
    return ps_type_map(types[0], call->args[2]->type, call->args[2]->nullable, &call->type, err);
}

static int64_t find_key(const ps_vec *keys, ps_span span, const ps_vec *from, int64_t row)
{
    for (int64_t k = span.start; k < (int64_t)span.start + span.n; k++)
        if (ps_vec_equal_rows(keys, k, from, row))
            return k;
    return -1;
}

/* Key and both values (NULL where a map has none) of one entry, appended. */
static ps_status add_zipped(ps_builder *const *to, const ps_vec *const *maps, int64_t at0, int64_t at1, psi_picks *picks, int64_t i, ps_error *err)
{
    PS_TRY(at0 >= 0 ? ps_build_from(to[0], maps[0]->children[0], at0, err) : ps_build_from(to[0], maps[1]->children[0], at1, err));
    PS_TRY(at0 >= 0 ? ps_build_from(to[1], maps[0]->children[1], at0, err) : ps_build_null(to[1], err));
    PS_TRY(at1 >= 0 ? ps_build_from(to[2], maps[1]->children[1], at1, err) : ps_build_null(to[2], err));
    return psi_pick(picks, i, err);
}

static ps_status zip_maps(const ps_fn_run *run, const psi_loop *loop, psi_picks *picks, ps_builder *const *to, ps_error *err)
{
    const ps_vec *maps[2] = {loop->views[0].base, loop->views[1].base};

    PS_EACH_ROW(run->rows, i) {
        if (ps_view_is_null(&loop->views[0], i) || ps_view_is_null(&loop->views[1], i))
            continue;
        ps_span a = psi_span_at(&loop->views[0], i), b = psi_span_at(&loop->views[1], i);
        psi_picks_row(picks);
        for (int64_t k = a.start; k < (int64_t)a.start + a.n; k++)
            PS_TRY(add_zipped(to, maps, k, find_key(maps[1]->children[0], b, maps[0]->children[0], k), picks, i, err));
        for (int64_t k = b.start; k < (int64_t)b.start + b.n; k++)
            if (find_key(maps[0]->children[0], a, maps[1]->children[0], k) < 0)
                PS_TRY(add_zipped(to, maps, -1, k, picks, i, err));
        psi_picks_row_end(picks, i);
    }
    return PS_OK;
}

PSI_KERNEL(map_zip_with)
{
    ps_builder *to[3] = {NULL, NULL, NULL};
    ps_vec *params[3] = {NULL, NULL, NULL}, *made = NULL;
    layout l = {0};
    psi_loop loop;
    ps_status rc;

    psi_views(run, 2, &loop);
    PS_TRY(psi_picks_begin(run, &l.picks, err));
    PS_TRY_OR(done, ps_build_new(loop.views[0].base->children[0]->type, 0, &to[0], err));
    PS_TRY_OR(done, ps_build_new(loop.views[0].base->children[1]->type, 0, &to[1], err));
    PS_TRY_OR(done, ps_build_new(loop.views[1].base->children[1]->type, 0, &to[2], err));
    PS_TRY_OR(done, zip_maps(run, &loop, &l.picks, to, err));
    for (int k = 0; k < 3; k++)
        PS_TRY_OR(done, ps_build_finish(to[k], &params[k], err));
    if (l.picks.n == 0)
        rc = ps_vec_null(run->type->fields[1].type, 0, &made, err);
    else
        rc = ps_fn_eval_lambda(run, 2, params, 3, l.picks.items, l.picks.n, &made, err);
    if (rc == PS_OK)
        rc = end_map(&l, ps_vec_ref(params[0]), made, result, err);
done:
    layout_clear(&l);
    for (int k = 0; k < 3; k++) {
        ps_build_free(to[k]);
        ps_vec_unref(params[k]);
    }
    return rc;
}
