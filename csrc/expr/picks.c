/* expr/picks.c - arrays made of elements that exist already. */
#include "expr/picks.h"

ps_status psi_picks_begin(const ps_fn_run *run, psi_picks *picks, ps_error *err)
{
    size_t n_words = (size_t)(run->rows->n_rows + 63) / 64;

    *picks = (psi_picks){0};
    PS_TRY(ps_vec_new(run->type, run->rows->n_rows, true, &picks->vec, err));
    if (run->rows->n_rows > 0) {
        memset(picks->vec->data, 0, (size_t)run->rows->n_rows * sizeof(ps_span));
        memset(picks->vec->valid, 0, n_words * 8);
    }
    return PS_OK;
}

void psi_picks_row_end(psi_picks *picks, int64_t i)
{
    ((ps_span *)picks->vec->data)[i] = (ps_span){picks->start, (uint32_t)picks->n - picks->start};
    ps_bit_set(picks->vec->valid, i);
}

ps_status psi_picks_take(const psi_picks *picks, ps_vec *child, ps_vec **out, ps_error *err)
{
    ps_buf *index;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_buf_new((size_t)picks->n * sizeof(int32_t), &index, err));
    if (picks->n > 0)
        memcpy(index->data, picks->items, (size_t)picks->n * sizeof(int32_t));
    rc = ps_vec_take(child, (const int32_t *)index->data, picks->n, index, out, err);
    ps_buf_unref(index);
    return rc;
}

void psi_picks_clear(psi_picks *picks)
{
    ps_vec_unref(picks->vec);
    ps_free(picks->items);
    *picks = (psi_picks){0};
}

/* The elements may differ from the type of the result in what may be NULL. */
static ps_status fit(ps_vec *elements, const ps_type *type, ps_vec **out, ps_error *err)
{
    ps_status rc;

    if (ps_type_equal(elements->type, type)) {
        *out = elements;
        return PS_OK;
    }
    rc = ps_vec_retype(elements, type, out, err);
    ps_vec_unref(elements);
    return rc;
}

ps_status psi_picks_end(psi_picks *picks, ps_vec *child, ps_vec *made, ps_vec **out, ps_error *err)
{
    ps_vec *elements = made, *fitted;
    ps_status rc = made ? PS_OK : psi_picks_take(picks, child, &elements, err);

    *out = NULL;
    if (rc == PS_OK)
        rc = fit(elements, picks->vec->type->fields[0].type, &fitted, err);
    if (rc == PS_OK)
        rc = ps_vec_add_child(picks->vec, fitted, err);
    if (rc == PS_OK)
        *out = ps_vec_ref(picks->vec);
    psi_picks_clear(picks);
    return rc;
}

ps_status psi_set_array_type(ps_fn_call *call, const ps_type *element, bool contains_null, ps_error *err)
{
    return ps_type_array(element, contains_null, &call->type, err);
}

ps_status psi_cast_elements(ps_fn_call *call, int arg, const ps_type *element, ps_error *err)
{
    const ps_type *from = call->args[arg]->type, *type;
    ps_status rc;

    PS_TRY(ps_type_array(element, from->kind != PS_ARRAY || from->fields[0].nullable, &type, err));
    rc = ps_fn_cast_arg(call, arg, type, err);
    ps_type_unref(type);
    return rc;
}
