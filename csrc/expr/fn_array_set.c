/* expr/fn_array_set.c - arrays as sets: searching, comparing, adding and taking away elements. */
#include "col/type_text.h"
#include "expr/fn_int.h"
#include "expr/picks.h"

/* --- an element in an array --------------------------------------------------------------------------------------------------- */
static ps_status raise_null_type(const ps_fn_call *call, ps_error *err)
{
    ps_bytes text = {0};
    ps_status rc = ps_fn_call_text(call, &text, err);

    if (rc == PS_OK)
        rc = ps_raise(err, PS_E_DT_NULL_TYPE, text.data, call->name);
    ps_bytes_clear(&text);
    return rc;
}

static ps_status raise_different(const ps_fn_call *call, bool two_arrays, ps_error *err)
{
    ps_bytes text = {0}, types[2] = {{0}, {0}};
    ps_status rc = ps_fn_call_text(call, &text, err);

    for (int i = 0; i < 2 && rc == PS_OK; i++)
        rc = ps_type_sql_text(call->args[i]->type, &types[i], err);
    if (rc == PS_OK)
        rc = ps_raise(err, two_arrays ? PS_E_DT_BINARY_ARRAY : PS_E_DT_ARRAY_FUNCTION, text.data, call->name, types[0].data, types[1].data);
    ps_bytes_clear(&text);
    ps_bytes_clear(&types[0]);
    ps_bytes_clear(&types[1]);
    return rc;
}

/* Array argument 0 and value argument 1 get one element type. */
static ps_status unite(ps_fn_call *call, int value, ps_error *err)
{
    const ps_type *type = call->args[0]->type, *common;
    ps_status rc;

    if (type->kind != PS_ARRAY)
        return ps_fn_wrong_type(call, 0, "ARRAY", err);
    if (ps_type_equal_ignoring_null(type->fields[0].type, call->args[value]->type))
        return PS_OK;
    PS_TRY(ps_common_type(type->fields[0].type, call->args[value]->type, call->ansi, &common, err));
    if (!common || (type->fields[0].type->kind == PS_STRING) != (call->args[value]->type->kind == PS_STRING)) {
        if (common && (type->fields[0].type->kind == PS_NULL || call->args[value]->type->kind == PS_NULL))
            goto cast;
        ps_type_unref(common);
        return raise_different(call, false, err);
    }
cast:
    rc = psi_cast_elements(call, 0, common, err);
    if (rc == PS_OK)
        rc = ps_fn_cast_arg(call, value, common, err);
    ps_type_unref(common);
    return rc;
}

ps_status psi_bind_array_contains(ps_fn_call *call, ps_error *err);
ps_status psi_bind_array_contains(ps_fn_call *call, ps_error *err)
{
    if (call->args[1]->type->kind == PS_NULL)
        return raise_null_type(call, err);
    PS_TRY(unite(call, 1, err));
    call->nullable |= call->args[0]->type->fields[0].nullable;
    return PS_OK;
}

ps_status psi_bind_array_position(ps_fn_call *call, ps_error *err);
ps_status psi_bind_array_position(ps_fn_call *call, ps_error *err) { return unite(call, 1, err); }

/* The first element equal to the value, -1; *has_null tells of NULLs passed by. */
static int64_t find_value(const ps_vec *child, ps_span span, const ps_vec *values, int64_t i, bool *has_null)
{
    *has_null = false;
    for (uint32_t k = 0; k < span.n; k++) {
        if (ps_vec_is_null(child, (int64_t)span.start + k))
            *has_null = true;
        else if (ps_vec_equal_rows(child, (int64_t)span.start + k, values, i))
            return k;
    }
    return -1;
}

/* array_contains is NULL when the value is not found among NULLs; array_position counts from 1. */
static ps_status search(ps_fn_run *run, bool position, ps_vec **out, ps_error *err)
{
    ps_view view;
    ps_vec *vec;

    ps_view_init(&view, run->args[0]);
    PS_TRY(ps_vec_new(run->type, run->rows->n_rows, true, &vec, err));
    PS_EACH_ROW(run->rows, i) {
        bool has_null = false, null = ps_view_is_null(&view, i) || ps_vec_is_null(run->args[1], i);
        int64_t at = null ? -1 : find_value(psi_elements(&view), psi_span_at(&view, i), run->args[1], i, &has_null);
        if (position)
            ((int64_t *)vec->data)[i] = at + 1;
        else
            ((uint8_t *)vec->data)[i] = at >= 0;
        if (null || (!position && at < 0 && has_null))
            ps_bit_clear(vec->valid, i);
    }
    *out = vec;
    return PS_OK;
}
PSI_KERNEL(array_contains) { return search(run, false, result, err); }
PSI_KERNEL(array_position) { return search(run, true, result, err); }

static ps_status extreme(ps_fn_run *run, int sign, ps_vec **out, ps_error *err)
{
    ps_builder *b;
    ps_view view;
    ps_status rc = PS_OK;

    ps_view_init(&view, run->args[0]);
    PS_TRY(ps_build_new(run->type, run->rows->n, &b, err));
    PS_EACH_ROW(run->rows, i) {
        ps_span span = ps_view_is_null(&view, i) ? (ps_span){0, 0} : psi_span_at(&view, i);
        const ps_vec *child = psi_elements(&view);
        int64_t best = -1;
        for (int64_t k = span.start; k < (int64_t)span.start + span.n; k++)
            if (!ps_vec_is_null(child, k) && (best < 0 || sign * ps_vec_compare(child, k, child, best, true) > 0))
                best = k;
        PS_TRY_OR(done, best < 0 ? ps_build_null(b, err) : ps_build_from(b, child, best, err));
    }
done:
    return psi_kernel_built(run, b, rc, out, err);
}
PSI_KERNEL(array_max) { return extreme(run, 1, result, err); }
PSI_KERNEL(array_min) { return extreme(run, -1, result, err); }

/* --- one array, fewer elements ---------------------------------------------------------------------------------------------------- */
static bool picked_already(const psi_picks *picks, const ps_vec *child, int64_t row)
{
    for (int k = (int)picks->start; k < picks->n; k++)
        if (ps_vec_equal_rows(child, picks->items[k], child, row))
            return true;
    return false;
}

typedef enum filter { DISTINCT, COMPACT, REMOVE } filter;

static ps_status filtered(ps_fn_run *run, filter what, ps_vec **out, ps_error *err)
{
    psi_picks picks;
    ps_view view;
    ps_status rc;

    ps_view_init(&view, run->args[0]);
    PS_TRY(psi_picks_begin(run, &picks, err));
    PS_EACH_ROW(run->rows, i) {
        const ps_vec *child = psi_elements(&view);
        if (ps_view_is_null(&view, i) || (what == REMOVE && ps_vec_is_null(run->args[1], i)))
            continue;
        ps_span span = psi_span_at(&view, i);
        psi_picks_row(&picks);
        for (int64_t k = span.start; k < (int64_t)span.start + span.n; k++) {
            bool drop = what == DISTINCT  ? picked_already(&picks, child, k)
                        : what == COMPACT ? ps_vec_is_null(child, k)
                                          : !ps_vec_is_null(child, k) && ps_vec_equal_rows(child, k, run->args[1], i);
            if (!drop)
                PS_TRY_OR(fail, psi_pick(&picks, k, err));
        }
        psi_picks_row_end(&picks, i);
    }
    return psi_picks_end(&picks, psi_elements(&view), NULL, out, err);
fail:
    psi_picks_clear(&picks);
    return rc;
}
PSI_KERNEL(array_distinct) { return filtered(run, DISTINCT, result, err); }
PSI_KERNEL(array_compact) { return filtered(run, COMPACT, result, err); }
PSI_KERNEL(array_remove) { return filtered(run, REMOVE, result, err); }

ps_status psi_bind_array_remove(ps_fn_call *call, ps_error *err);
ps_status psi_bind_array_remove(ps_fn_call *call, ps_error *err)
{
    PS_TRY(unite(call, 1, err));
    call->type = ps_type_ref(call->args[0]->type);
    return PS_OK;
}

/* --- two arrays ---------------------------------------------------------------------------------------------------------------------- */
ps_status psi_bind_two_arrays(ps_fn_call *call, ps_error *err);
ps_status psi_bind_two_arrays(ps_fn_call *call, ps_error *err)
{
    const ps_type *a = call->args[0]->type, *b = call->args[1]->type, *common;
    ps_status rc;

    if (a->kind != PS_ARRAY || b->kind != PS_ARRAY)
        return raise_different(call, true, err);
    PS_TRY(ps_common_type(a->fields[0].type, b->fields[0].type, call->ansi, &common, err));
    if (!common || ((a->fields[0].type->kind == PS_STRING) != (b->fields[0].type->kind == PS_STRING) &&
                    a->fields[0].type->kind != PS_NULL && b->fields[0].type->kind != PS_NULL)) {
        ps_type_unref(common);
        return raise_different(call, true, err);
    }
    rc = psi_cast_elements(call, 0, common, err);
    if (rc == PS_OK)
        rc = psi_cast_elements(call, 1, common, err);
    if (rc == PS_OK && !call->type)
        rc = psi_set_array_type(call, common, a->fields[0].nullable || b->fields[0].nullable, err);
    ps_type_unref(common);
    return rc;
}

static bool holds(const ps_vec *child, ps_span span, const ps_vec *from, int64_t row)
{
    for (int64_t k = span.start; k < (int64_t)span.start + span.n; k++)
        if (ps_vec_equal_rows(child, k, from, row))
            return true;
    return false;
}

typedef enum set_op { UNION, INTERSECT, EXCEPT } set_op;

/* Both children as one vector: the second begins at row *offset of it. */
static ps_status join_children(const ps_view *a, const ps_view *b, ps_vec **out, int64_t *offset, ps_error *err)
{
    ps_vec *parts[2] = {psi_elements(a), psi_elements(b)}, *fitted;
    ps_status rc;

    *offset = parts[0]->n_rows;
    PS_TRY(ps_vec_retype(parts[1], parts[0]->type, &fitted, err));
    parts[1] = fitted;
    rc = ps_vec_concat(parts, 2, out, err);
    ps_vec_unref(fitted);
    return rc;
}

static ps_status set_row(psi_picks *picks, set_op op, const ps_vec *all, ps_span a, ps_span b, ps_error *err)
{
    psi_picks_row(picks);
    for (int64_t k = a.start; k < (int64_t)a.start + a.n; k++) {
        bool take = op == UNION || holds(all, b, all, k) == (op == INTERSECT);
        if (take && !picked_already(picks, all, k))
            PS_TRY(psi_pick(picks, k, err));
    }
    for (int64_t k = b.start; op == UNION && k < (int64_t)b.start + b.n; k++)
        if (!picked_already(picks, all, k))
            PS_TRY(psi_pick(picks, k, err));
    return PS_OK;
}

static ps_status set_operation(ps_fn_run *run, set_op op, ps_vec **out, ps_error *err)
{
    psi_picks picks = {0};
    ps_vec *all = NULL;
    int64_t offset;
    psi_loop loop;
    ps_status rc;

    psi_views(run, 2, &loop);
    PS_TRY(join_children(&loop.views[0], &loop.views[1], &all, &offset, err));
    PS_TRY_OR(fail, psi_picks_begin(run, &picks, err));
    PS_EACH_ROW(run->rows, i) {
        if (ps_view_is_null(&loop.views[0], i) || ps_view_is_null(&loop.views[1], i))
            continue;
        ps_span a = psi_span_at(&loop.views[0], i), b = psi_span_at(&loop.views[1], i);
        b.start += (uint32_t)offset;
        PS_TRY_OR(fail, set_row(&picks, op, all, a, b, err));
        psi_picks_row_end(&picks, i);
    }
    rc = psi_picks_end(&picks, all, NULL, out, err);
    ps_vec_unref(all);
    return rc;
fail:
    psi_picks_clear(&picks);
    ps_vec_unref(all);
    return rc;
}
PSI_KERNEL(array_union) { return set_operation(run, UNION, result, err); }
PSI_KERNEL(array_intersect) { return set_operation(run, INTERSECT, result, err); }
PSI_KERNEL(array_except) { return set_operation(run, EXCEPT, result, err); }

static bool has_null(const ps_vec *child, ps_span span)
{
    for (int64_t k = span.start; k < (int64_t)span.start + span.n; k++)
        if (ps_vec_is_null(child, k))
            return true;
    return false;
}

/* True with a common element; else NULL when a NULL might have been one. */
PSI_KERNEL(arrays_overlap)
{
    psi_loop loop;
    ps_vec *vec;

    psi_views(run, 2, &loop);
    PS_TRY(ps_vec_new(run->type, run->rows->n_rows, true, &vec, err));
    PS_EACH_ROW(run->rows, i) {
        bool overlap = false, null = ps_view_is_null(&loop.views[0], i) || ps_view_is_null(&loop.views[1], i);
        if (!null) {
            const ps_vec *x = psi_elements(&loop.views[0]), *y = psi_elements(&loop.views[1]);
            ps_span a = psi_span_at(&loop.views[0], i), b = psi_span_at(&loop.views[1], i);
            for (int64_t k = a.start; k < (int64_t)a.start + a.n && !overlap; k++)
                overlap = !ps_vec_is_null(x, k) && holds(y, b, x, k);
            null = !overlap && a.n > 0 && b.n > 0 && (has_null(x, a) || has_null(y, b));
        }
        ((uint8_t *)vec->data)[i] = overlap;
        if (null)
            ps_bit_clear(vec->valid, i);
    }
    *result = vec;
    return PS_OK;
}

/* --- adding ------------------------------------------------------------------------------------------------------------------------------ */
ps_status psi_bind_array_add(ps_fn_call *call, ps_error *err);
ps_status psi_bind_array_add(ps_fn_call *call, ps_error *err)
{
    int value = call->n_args - 1;
    const ps_type *type;

    PS_TRY(unite(call, value, err));
    call->nullable = call->args[0]->nullable || (call->n_args == 3 && call->args[1]->nullable);
    type = call->args[0]->type;
    return psi_set_array_type(call, type->fields[0].type, call->n_args == 3 || type->fields[0].nullable || call->args[value]->nullable, err);
}

/* Elements [from, to) of a span appended. */
static ps_status copy_part(ps_builder *to, const ps_vec *child, ps_span span, int64_t first, int64_t last, ps_error *err)
{
    for (int64_t k = first; k < last; k++)
        PS_TRY(ps_build_from(to, child, (int64_t)span.start + k, err));
    return PS_OK;
}

static ps_status insert_row(ps_builder *b, const ps_vec *child, ps_span span, int64_t pos, const ps_vec *values, int64_t i, ps_error *err)
{
    ps_builder *to = ps_build_child(b, 0);
    int64_t n = span.n, at = pos > 0 ? pos - 1 : n + pos + 1, gap_before = 0, gap_behind = 0;

    if (at > n)
        gap_before = at - n;
    if (at < 0)
        gap_behind = -at;
    if (gap_before > 1 << 28 || gap_behind > 1 << 28)
        return ps_raise(err, PS_E_ARRAY_TOO_LONG, (long long)(gap_before + gap_behind));
    at = at < 0 ? 0 : at > n ? n : at;
    PS_TRY(ps_build_list(b, 0, err));
    PS_TRY(copy_part(to, child, span, 0, at, err));
    for (; gap_before > 0; gap_before--)
        PS_TRY(ps_build_null(to, err));
    PS_TRY(ps_build_from(to, values, i, err));
    for (; gap_behind > 0; gap_behind--)
        PS_TRY(ps_build_null(to, err));
    PS_TRY(copy_part(to, child, span, at, n, err));
    ps_build_list_end(b);
    return PS_OK;
}

/* `pos` of the new element from 1, or from the end; given by argument 1, or fixed. */
static ps_status insert(ps_fn_run *run, int64_t fixed, ps_vec **out, ps_error *err)
{
    const ps_vec *values = run->args[run->n_args - 1];
    ps_view arrays, places;
    ps_builder *b;
    ps_status rc = PS_OK;

    ps_view_init(&arrays, run->args[0]);
    ps_view_init(&places, run->args[1]);
    PS_TRY(ps_build_new(run->type, run->rows->n, &b, err));
    PS_EACH_ROW(run->rows, i) {
        if (ps_view_is_null(&arrays, i) || (!fixed && ps_view_is_null(&places, i))) {
            PS_TRY_OR(done, ps_build_null(b, err));
            continue;
        }
        int64_t pos = fixed ? fixed : PSI_AT(int32_t, &places, i);
        if (pos == 0) {
            rc = ps_raise(err, PS_E_INDEX_OF_ZERO);
            goto done;
        }
        PS_TRY_OR(done, insert_row(b, psi_elements(&arrays), psi_span_at(&arrays, i), pos, values, i, err));
    }
done:
    return psi_kernel_built(run, b, rc, out, err);
}
PSI_KERNEL(array_append) { return insert(run, -1, result, err); }
PSI_KERNEL(array_prepend) { return insert(run, 1, result, err); }
PSI_KERNEL(array_insert) { return insert(run, 0, result, err); }

/* --- joining to text ------------------------------------------------------------------------------------------------------------------------ */
static ps_status join_elements(const ps_view *items, ps_span span, ps_slice separator, const ps_slice *for_null, ps_bytes *out, ps_error *err)
{
    bool first = true;

    ps_bytes_reset(out);
    for (int64_t k = span.start; k < (int64_t)span.start + span.n; k++) {
        bool null = ps_view_is_null(items, k);
        if (null && !for_null)
            continue;
        ps_slice part = null ? *for_null : psi_text_at(items, k);
        if (!first)
            PS_TRY(ps_bytes_append(out, separator.data, separator.n_bytes, err));
        PS_TRY(ps_bytes_append(out, part.data, part.n_bytes, err));
        first = false;
    }
    return psi_check_text_size(out->n_bytes, err);
}

PSI_KERNEL(array_join)
{
    ps_bytes text = {0};
    ps_view items;
    psi_loop loop;
    ps_builder *b;
    ps_status rc = PS_OK;

    psi_views(run, run->n_args, &loop);
    ps_view_init(&items, psi_elements(&loop.views[0]));
    PS_TRY(ps_build_new(run->type, run->rows->n, &b, err));
    PS_EACH_ROW(run->rows, i) {
        ps_slice for_null;
        bool null = false;
        for (int k = 0; k < run->n_args; k++)
            null |= ps_view_is_null(&loop.views[k], i);
        if (null) {
            PS_TRY_OR(done, ps_build_null(b, err));
            continue;
        }
        if (run->n_args == 3)
            for_null = psi_text_at(&loop.views[2], i);
        PS_TRY_OR(done, join_elements(&items, psi_span_at(&loop.views[0], i), psi_text_at(&loop.views[1], i),
                                      run->n_args == 3 ? &for_null : NULL, &text, err));
        PS_TRY_OR(done, ps_build_text(b, text.data ? text.data : "", text.n_bytes, err));
    }
done:
    ps_bytes_clear(&text);
    return psi_kernel_built(run, b, rc, result, err);
}
