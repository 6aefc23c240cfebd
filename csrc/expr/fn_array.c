/* expr/fn_array.c - functions of arrays: making, cutting, searching, ordering. */
#include "expr/fn_int.h"
#include "expr/picks.h"
#include <stdlib.h>

/* --- making --------------------------------------------------------------------------------------------------------------- */
ps_status psi_bind_array(ps_fn_call *call, ps_error *err);
ps_status psi_bind_array(ps_fn_call *call, ps_error *err)
{
    const ps_type *element = ps_type_of(PS_NULL);
    bool nullable = false;

    if (call->n_args > 0) {
        PS_TRY(ps_fn_same_type(call, 0, call->n_args, err));
        element = call->args[0]->type;
    }
    for (int i = 0; i < call->n_args; i++)
        nullable |= call->args[i]->nullable;
    return psi_set_array_type(call, element, nullable, err);
}

ps_status psi_array(ps_fn_run *run, ps_vec **out, ps_error *err);
ps_status psi_array(ps_fn_run *run, ps_vec **out, ps_error *err)
{
    ps_builder *b;
    ps_status rc = PS_OK;

    PS_TRY(ps_build_new(run->type, run->rows->n, &b, err));
    PS_EACH_ROW(run->rows, i) {
        PS_TRY_OR(done, ps_build_list(b, (uint32_t)run->n_args, err));
        for (int k = 0; k < run->n_args; k++)
            PS_TRY_OR(done, ps_build_from(ps_build_child(b, 0), run->args[k], i, err));
    }
done:
    return psi_kernel_built(run, b, rc, out, err);
}

static ps_status too_many(int64_t n, ps_error *err) { return ps_raise(err, PS_E_ARRAY_TOO_LONG, (long long)n); }

ps_status psi_bind_array_repeat(ps_fn_call *call, ps_error *err);
ps_status psi_bind_array_repeat(ps_fn_call *call, ps_error *err)
{
    call->nullable = call->args[1]->nullable;
    return psi_set_array_type(call, call->args[0]->type, call->args[0]->nullable, err);
}

ps_status psi_array_repeat(ps_fn_run *run, ps_vec **out, ps_error *err);
ps_status psi_array_repeat(ps_fn_run *run, ps_vec **out, ps_error *err)
{
    psi_picks picks;
    ps_view times;
    ps_status rc;

    ps_view_init(&times, run->args[1]);
    PS_TRY(psi_picks_begin(run, &picks, err));
    PS_EACH_ROW(run->rows, i) {
        if (ps_view_is_null(&times, i))
            continue;
        int32_t n = PSI_AT(int32_t, &times, i);
        psi_picks_row(&picks);
        if ((int64_t)picks.n + n > INT32_MAX - 16) {
            rc = too_many(n, err);
            goto fail;
        }
        for (int32_t k = 0; k < n; k++)
            PS_TRY_OR(fail, psi_pick(&picks, i, err));
        psi_picks_row_end(&picks, i);
    }
    return psi_picks_end(&picks, run->args[0], NULL, out, err);
fail:
    psi_picks_clear(&picks);
    return rc;
}

/* sequence(start, stop, step): whole numbers. */
static ps_status sequence_count(int64_t start, int64_t stop, int64_t step, int64_t *n, ps_error *err)
{
    if ((step == 0 && start != stop) || (step > 0 && start > stop) || (step < 0 && start < stop))
        return ps_raise(err, PS_E_SEQUENCE_BOUNDS, (long long)start, (long long)stop, (long long)step);
    __int128 distance = (__int128)stop - start;
    __int128 count = step == 0 ? 1 : distance / step + 1;
    if (count > INT32_MAX - 16)
        return too_many(INT32_MAX, err);
    *n = (int64_t)count;
    return PS_OK;
}

ps_status psi_bind_sequence(ps_fn_call *call, ps_error *err);
ps_status psi_bind_sequence(ps_fn_call *call, ps_error *err)
{
    PS_TRY(ps_fn_same_type(call, 0, call->n_args, err));
    if (!ps_kind_is_integer(call->args[0]->type->kind))
        return ps_fn_wrong_type(call, 0, "INTEGRAL", err);
    return psi_set_array_type(call, call->args[0]->type, false, err);
}

static ps_status sequence_row(const ps_fn_run *run, const ps_view *views, int64_t i, ps_builder *b, ps_error *err)
{
    int64_t start = psi_whole_at(run->args[0], &views[0], i), stop = psi_whole_at(run->args[1], &views[1], i), n = 0;
    int64_t step = run->n_args == 3 ? psi_whole_at(run->args[2], &views[2], i) : start <= stop ? 1 : -1;

    PS_TRY(sequence_count(start, stop, step, &n, err));
    PS_TRY(ps_build_list(b, (uint32_t)n, err));
    PS_TRY(ps_build_reserve(ps_build_child(b, 0), n, err));
    for (int64_t k = 0; k < n; k++)
        PS_TRY(ps_build_int(ps_build_child(b, 0), start + k * step, err));
    return PS_OK;
}
PSI_KERNEL(sequence) { return psi_kernel_values(run, run->n_args, sequence_row, result, err); }

/* --- size and single elements ------------------------------------------------------------------------------------------------- */
/* size(NULL) is NULL in ANSI mode, else -1. */
ps_status psi_size(ps_fn_run *run, ps_vec **out, ps_error *err);
ps_status psi_size(ps_fn_run *run, ps_vec **out, ps_error *err)
{
    ps_view view;
    ps_vec *vec;

    ps_view_init(&view, run->args[0]);
    PS_TRY(ps_vec_new(run->type, run->rows->n_rows, true, &vec, err));
    PS_EACH_ROW(run->rows, i) {
        bool null = run->args[0]->type->kind == PS_NULL || ps_view_is_null(&view, i);
        ((int32_t *)vec->data)[i] = null ? -1 : (int32_t)psi_span_at(&view, i).n;
        if (null && (run->env->ansi || strcmp(run->node->fn->name, "array_size") == 0))
            ps_bit_clear(vec->valid, i);
    }
    *out = vec;
    return PS_OK;
}

ps_status psi_bind_size(ps_fn_call *call, ps_error *err);
ps_status psi_bind_size(ps_fn_call *call, ps_error *err)
{
    PS_UNUSED(err);
    call->nullable = call->ansi && call->args[0]->nullable;
    return PS_OK;
}

/* The elements at the places that a rule finds; a place below zero is NULL. */
typedef ps_status (*place_rule)(ps_fn_run *run, ps_span span, int64_t k, int64_t *at, ps_error *err);

static ps_status elements_at(ps_fn_run *run, const ps_view *arrays, place_rule place, ps_vec **out, ps_error *err)
{
    ps_view places;
    ps_builder *b;
    ps_status rc = PS_OK;

    ps_view_init(&places, run->args[1]);
    PS_TRY(ps_build_new(run->type, run->rows->n, &b, err));
    PS_EACH_ROW(run->rows, i) {
        int64_t at = -1;
        if (!ps_view_is_null(arrays, i) && !ps_view_is_null(&places, i))
            PS_TRY_OR(done, place(run, psi_span_at(arrays, i), PSI_AT(int32_t, &places, i), &at, err));
        PS_TRY_OR(done, at < 0 ? ps_build_null(b, err) : ps_build_from(b, psi_elements(arrays), at, err));
    }
done:
    return psi_kernel_built(run, b, rc, out, err);
}

static ps_status place_from_one(ps_fn_run *run, ps_span span, int64_t k, int64_t *at, ps_error *err)
{
    if (k == 0)
        return ps_raise(err, PS_E_INDEX_OF_ZERO);
    *at = k > 0 ? k - 1 : (int64_t)span.n + k;
    if (*at >= 0 && *at < (int64_t)span.n) {
        *at += span.start;
        return PS_OK;
    }
    *at = -1;
    if (!run->env->ansi || strncmp(run->node->fn->name, "try_", 4) == 0)
        return PS_OK;
    return ps_raise(err, PS_E_ELEMENT_AT, (long long)k, (long long)span.n);
}

static ps_status place_from_zero(ps_fn_run *run, ps_span span, int64_t k, int64_t *at, ps_error *err)
{
    PS_UNUSED(run);
    PS_UNUSED(err);
    *at = k >= 0 && k < (int64_t)span.n ? (int64_t)span.start + k : -1;
    return PS_OK;
}

static ps_status map_values_at(ps_fn_run *run, const ps_view *maps, ps_vec **out, ps_error *err);

ps_status psi_element_at(ps_fn_run *run, ps_vec **out, ps_error *err);
ps_status psi_element_at(ps_fn_run *run, ps_vec **out, ps_error *err)
{
    ps_view view;

    ps_view_init(&view, run->args[0]);
    return run->args[0]->type->kind == PS_MAP ? map_values_at(run, &view, out, err) : elements_at(run, &view, place_from_one, out, err);
}

ps_status psi_get(ps_fn_run *run, ps_vec **out, ps_error *err);
ps_status psi_get(ps_fn_run *run, ps_vec **out, ps_error *err)
{
    ps_view view;

    ps_view_init(&view, run->args[0]);
    return elements_at(run, &view, place_from_zero, out, err);
}

static ps_status map_values_at(ps_fn_run *run, const ps_view *maps, ps_vec **out, ps_error *err)
{
    const ps_vec *keys = maps->base->children[0], *values = maps->base->children[1];
    ps_builder *b;
    ps_status rc = PS_OK;

    PS_TRY(ps_build_new(run->type, run->rows->n, &b, err));
    PS_EACH_ROW(run->rows, i) {
        int64_t at = -1;
        if (!ps_view_is_null(maps, i) && !ps_vec_is_null(run->args[1], i)) {
            ps_span span = psi_span_at(maps, i);
            for (int64_t k = span.start; k < (int64_t)span.start + span.n && at < 0; k++)
                if (ps_vec_equal_rows(keys, k, run->args[1], i))
                    at = k;
        }
        PS_TRY_OR(done, at < 0 ? ps_build_null(b, err) : ps_build_from(b, values, at, err));
    }
done:
    return psi_kernel_built(run, b, rc, out, err);
}

ps_status psi_bind_element_at(ps_fn_call *call, ps_error *err);
ps_status psi_bind_element_at(ps_fn_call *call, ps_error *err)
{
    const ps_type *type = call->args[0]->type;

    if (type->kind == PS_MAP) {
        call->type = ps_type_ref(type->fields[1].type);
        return ps_fn_cast_arg(call, 1, type->fields[0].type, err);
    }
    if (type->kind != PS_ARRAY)
        return ps_fn_wrong_type(call, 0, "(ARRAY or MAP)", err);
    if (!ps_kind_is_integer(call->args[1]->type->kind) && call->args[1]->type->kind != PS_NULL)
        return ps_fn_wrong_type(call, 1, "INT", err);
    call->type = ps_type_ref(type->fields[0].type);
    return ps_fn_cast_arg(call, 1, ps_type_of(PS_INT32), err);
}

/* --- cutting and ordering -------------------------------------------------------------------------------------------------------- */
PSI_KERNEL(slice)
{
    psi_loop loop;
    psi_picks picks;
    ps_status rc;

    psi_views(run, 3, &loop);
    PS_TRY(psi_picks_begin(run, &picks, err));
    PS_EACH_ROW(run->rows, i) {
        if (ps_view_is_null(&loop.views[0], i) || ps_view_is_null(&loop.views[1], i) || ps_view_is_null(&loop.views[2], i))
            continue;
        ps_span span = psi_span_at(&loop.views[0], i);
        int64_t start = PSI_AT(int32_t, &loop.views[1], i), length = PSI_AT(int32_t, &loop.views[2], i);
        if (start == 0 || length < 0) {
            rc = start == 0 ? ps_raise(err, PS_E_SLICE_START) : ps_raise(err, PS_E_SLICE_LENGTH, (long long)length);
            goto fail;
        }
        start = start > 0 ? start - 1 : (int64_t)span.n + start;
        psi_picks_row(&picks);
        for (int64_t k = start; start >= 0 && k < (int64_t)span.n && k < start + length; k++)
            PS_TRY_OR(fail, psi_pick(&picks, span.start + k, err));
        psi_picks_row_end(&picks, i);
    }
    return psi_picks_end(&picks, psi_elements(&loop.views[0]), NULL, result, err);
fail:
    psi_picks_clear(&picks);
    return rc;
}

PSI_KERNEL(reverse_array)
{
    psi_loop loop;
    psi_picks picks;
    ps_status rc;

    psi_views(run, 1, &loop);
    PS_TRY(psi_picks_begin(run, &picks, err));
    PS_EACH_ROW(run->rows, i) {
        if (ps_view_is_null(&loop.views[0], i))
            continue;
        ps_span span = psi_span_at(&loop.views[0], i);
        psi_picks_row(&picks);
        for (uint32_t k = span.n; k-- > 0;)
            PS_TRY_OR(fail, psi_pick(&picks, (int64_t)span.start + k, err));
        psi_picks_row_end(&picks, i);
    }
    return psi_picks_end(&picks, psi_elements(&loop.views[0]), NULL, result, err);
fail:
    psi_picks_clear(&picks);
    return rc;
}

PSI_KERNEL(reverse_text);
PSI_KERNEL(reverse) { return (run->type->kind == PS_ARRAY ? psi_reverse_array : psi_reverse_text)(run, result, err); }

typedef struct order {
    const ps_vec *child;
    bool descending, nulls_first;
} order;

static int compare_items(const void *a, const void *b, void *with)
{
    const order *o = with;
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    bool x_null = ps_vec_is_null(o->child, x), y_null = ps_vec_is_null(o->child, y);
    int order;

    if (x_null || y_null)
        return x_null && y_null ? (x > y) - (x < y) : x_null == o->nulls_first ? -1 : 1;
    order = ps_vec_compare(o->child, x, o->child, y, true);
    if (order == 0)
        return (x > y) - (x < y);
    return o->descending ? -order : order;
}

static ps_status sorted(ps_fn_run *run, bool by_flag, ps_vec **result, ps_error *err)
{
    ps_view arrays, flags;
    psi_picks picks;
    order o = {0};
    ps_status rc;

    ps_view_init(&arrays, run->args[0]);
    if (by_flag)
        ps_view_init(&flags, run->args[1]);
    o.child = psi_elements(&arrays);
    PS_TRY(psi_picks_begin(run, &picks, err));
    PS_EACH_ROW(run->rows, i) {
        if (ps_view_is_null(&arrays, i) || (by_flag && ps_view_is_null(&flags, i)))
            continue;
        ps_span span = psi_span_at(&arrays, i);
        psi_picks_row(&picks);
        for (uint32_t k = 0; k < span.n; k++)
            PS_TRY_OR(fail, psi_pick(&picks, (int64_t)span.start + k, err));
        o.descending = by_flag && !PSI_AT(uint8_t, &flags, i);
        o.nulls_first = by_flag && !o.descending;
        if (span.n > 1)
            qsort_r(picks.items + picks.start, span.n, sizeof *picks.items, compare_items, &o);
        psi_picks_row_end(&picks, i);
    }
    return psi_picks_end(&picks, psi_elements(&arrays), NULL, result, err);
fail:
    psi_picks_clear(&picks);
    return rc;
}
PSI_KERNEL(sort_array) { return sorted(run, true, result, err); }
PSI_KERNEL(array_sort_by);
PSI_KERNEL(array_sort) { return run->n_args == 2 ? psi_array_sort_by(run, result, err) : sorted(run, false, result, err); }

/* The comparison that array_sort has when none is given, as Spark spells it. */
ps_status psi_text_array_sort(const ps_fn_call *call, ps_bytes *out, ps_error *err);
ps_status psi_text_array_sort(const ps_fn_call *call, ps_bytes *out, ps_error *err)
{
    static const char v[] = "namedlambdavariable()";

    if (call->n_args == 2)
        return psi_call_text(call, out, err);
    return ps_bytes_printf(out, err,
                           "array_sort(%s, lambdafunction((IF(((%s IS NULL) AND (%s IS NULL)), 0, (IF((%s IS NULL), 1, (IF((%s IS NULL), "
                           "-1, (IF((%s < %s), -1, (IF((%s > %s), 1, 0)))))))))), %s, %s))",
                           call->args[0]->text ? call->args[0]->text : "", v, v, v, v, v, v, v, v, v, v);
}

PSI_KERNEL(flatten)
{
    psi_loop loop;
    psi_picks picks;
    ps_view inner;
    ps_status rc;

    psi_views(run, 1, &loop);
    ps_view_init(&inner, psi_elements(&loop.views[0]));
    PS_TRY(psi_picks_begin(run, &picks, err));
    PS_EACH_ROW(run->rows, i) {
        bool null = ps_view_is_null(&loop.views[0], i);
        ps_span span = null ? (ps_span){0, 0} : psi_span_at(&loop.views[0], i);
        for (uint32_t k = 0; k < span.n; k++)
            null |= ps_view_is_null(&inner, (int64_t)span.start + k);
        if (null)
            continue;
        psi_picks_row(&picks);
        for (uint32_t k = 0; k < span.n; k++) {
            ps_span part = psi_span_at(&inner, (int64_t)span.start + k);
            for (uint32_t j = 0; j < part.n; j++)
                PS_TRY_OR(fail, psi_pick(&picks, (int64_t)part.start + j, err));
        }
        psi_picks_row_end(&picks, i);
    }
    return psi_picks_end(&picks, psi_elements(&inner), NULL, result, err);
fail:
    psi_picks_clear(&picks);
    return rc;
}

ps_status psi_bind_flatten(ps_fn_call *call, ps_error *err);
ps_status psi_bind_flatten(ps_fn_call *call, ps_error *err)
{
    const ps_type *type = call->args[0]->type;

    if (type->kind != PS_ARRAY || type->fields[0].type->kind != PS_ARRAY)
        return ps_fn_wrong_type(call, 0, "ARRAY OF ARRAY", err);
    call->type = ps_type_ref(type->fields[0].type);
    call->nullable |= type->fields[0].nullable;
    return PS_OK;
}
