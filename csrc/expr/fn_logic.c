/*
 * expr/fn_logic.c - AND, OR, NOT, CASE, IF, COALESCE: functions that evaluate what they need.
 *
 * A branch is evaluated over the rows that take it and no others, so it cannot fail for the rest.
 */
#include "expr/coerce.h"
#include "expr/kernel.h"

/* --- binding ------------------------------------------------------------------------------------------------------------ */
ps_status psi_bind_logic(ps_fn_call *call, ps_error *err)
{
    for (int i = 0; i < call->n_args; i++) {
        ps_kind kind = call->args[i]->type->kind;
        if (kind != PS_BOOL && kind != PS_NULL && kind != PS_STRING)
            return call->n_args == 2 ? psi_raise_operands(call, err) : ps_fn_wrong_type(call, i, "BOOLEAN", err);
    }
    for (int i = 0; i < call->n_args; i++)
        PS_TRY(ps_fn_cast_arg(call, i, ps_type_of(PS_BOOL), err));
    call->type = ps_type_of(PS_BOOL);
    return PS_OK;
}

ps_status psi_text_and(const ps_fn_call *call, ps_bytes *out, ps_error *err)
{
    return ps_bytes_printf(out, err, "(%s AND %s)", call->args[0]->text, call->args[1]->text);
}

ps_status psi_text_or(const ps_fn_call *call, ps_bytes *out, ps_error *err)
{
    return ps_bytes_printf(out, err, "(%s OR %s)", call->args[0]->text, call->args[1]->text);
}

ps_status psi_text_not(const ps_fn_call *call, ps_bytes *out, ps_error *err)
{
    return ps_bytes_printf(out, err, "(NOT %s)", call->args[0]->text);
}

/* Conditions at 0, 2, ...; values behind them and, with an odd number, the ELSE at the end. */
ps_status psi_bind_case(ps_fn_call *call, ps_error *err)
{
    int values[64], n = 0, *places = values;
    bool nullable = call->n_args % 2 == 0;
    ps_status rc = PS_OK;

    if (call->n_args < 2)
        return ps_raise(err, PS_E_WRONG_NUM_ARGS, call->name, "> 1", call->n_args);
    if (call->n_args > 64)
        PS_TRY(ps_alloc((size_t)call->n_args * sizeof *places, &places, err));
    for (int i = 0; i < call->n_args && rc == PS_OK; i++) {
        if (i % 2 == 0 && i + 1 < call->n_args) {
            if (call->args[i]->type->kind == PS_NULL)
                rc = ps_fn_cast_arg(call, i, ps_type_of(PS_BOOL), err);
            else if (call->args[i]->type->kind != PS_BOOL)
                rc = ps_fn_wrong_type(call, i, "BOOLEAN", err);
        } else {
            places[n++] = i;
        }
    }
    if (rc == PS_OK)
        rc = psi_fn_share_type(call, places, n, 0, false, err);
    for (int i = 0; i < n && rc == PS_OK; i++)
        nullable |= call->args[places[i]]->nullable;
    if (rc == PS_OK) {
        call->type = ps_type_ref(call->args[places[0]]->type);
        call->nullable = nullable;
    }
    if (places != values)
        ps_free(places);
    return rc;
}

ps_status psi_text_case(const ps_fn_call *call, ps_bytes *out, ps_error *err)
{
    int i;

    PS_TRY(ps_bytes_text(out, "CASE", err));
    for (i = 0; i + 1 < call->n_args; i += 2)
        PS_TRY(ps_bytes_printf(out, err, " WHEN %s THEN %s", call->args[i]->text, call->args[i + 1]->text));
    if (i < call->n_args)
        PS_TRY(ps_bytes_printf(out, err, " ELSE %s", call->args[i]->text));
    return ps_bytes_text(out, " END", err);
}

ps_status psi_text_if(const ps_fn_call *call, ps_bytes *out, ps_error *err)
{
    return ps_bytes_printf(out, err, "(IF(%s, %s, %s))", call->args[0]->text, call->args[1]->text, call->args[2]->text);
}

ps_status psi_bind_coalesce(ps_fn_call *call, ps_error *err)
{
    bool nullable = true;

    PS_UNUSED(err);
    for (int i = 0; i < call->n_args; i++)
        nullable &= call->args[i]->nullable;
    call->nullable = nullable;
    return PS_OK;
}

/* Keeps the name of a call that is about to become another. */
static ps_status keep_text(ps_fn_call *call, ps_error *err)
{
    ps_bytes text = {0};
    ps_status rc = ps_fn_call_text(call, &text, err);

    if (rc == PS_OK && !call->text)
        call->text = ps_bytes_take(&text);
    ps_bytes_clear(&text);
    return rc;
}

/* args[0] becomes name(args[0], args[1] if `with_second`). */
static ps_status first_becomes(ps_fn_call *call, const char *name, bool with_second, ps_error *err)
{
    ps_bound *made;

    PS_TRY(ps_bound_call(name, call->args, with_second ? 2 : 1, call->conf, &made, err));
    ps_bound_unref(call->args[0]);
    call->args[0] = made;
    return PS_OK;
}

ps_status psi_bind_nvl2(ps_fn_call *call, ps_error *err)
{
    PS_TRY(keep_text(call, err));
    PS_TRY(first_becomes(call, "isnotnull", false, err));
    return ps_fn_redirect(call, "if", err);
}

/* nullif(a, b): IF(a = b, NULL, a) */
ps_status psi_bind_nullif(ps_fn_call *call, ps_error *err)
{
    ps_bound *value = ps_bound_ref(call->args[0]), *null = NULL;
    ps_vec *nothing;
    ps_status rc;

    PS_TRY_OR(fail, keep_text(call, err));
    PS_TRY_OR(fail, first_becomes(call, "=", true, err));
    PS_TRY_OR(fail, ps_vec_null(value->type, 1, &nothing, err));
    rc = ps_bound_literal(nothing, &null, err);
    ps_vec_unref(nothing);
    if (rc != PS_OK)
        goto fail;
    ps_bound_unref(call->args[1]);
    call->args[1] = null;
    PS_TRY(ps_fn_add_arg(call, value, err));
    return ps_fn_redirect(call, "if", err);
fail:
    ps_bound_unref(value);
    return rc;
}

ps_status psi_bind_zeroifnull(ps_fn_call *call, ps_error *err)
{
    PS_TRY(keep_text(call, err));
    PS_TRY(ps_fn_add_int(call, 0, err));
    return ps_fn_redirect(call, "coalesce", err);
}

ps_status psi_bind_nullifzero(ps_fn_call *call, ps_error *err)
{
    PS_TRY(keep_text(call, err));
    PS_TRY(ps_fn_add_int(call, 0, err));
    return ps_fn_redirect(call, "nullif", err);
}

/* nanvl(a, b): IF(isnan(a), b, a) over fractions */
ps_status psi_bind_nanvl(ps_fn_call *call, ps_error *err)
{
    ps_bound *value;
    ps_status rc;

    PS_TRY(keep_text(call, err));
    if (call->args[0]->type->kind != PS_FLOAT || call->args[1]->type->kind != PS_FLOAT)
        for (int i = 0; i < 2; i++)
            PS_TRY(ps_fn_cast_arg(call, i, ps_type_of(PS_DOUBLE), err));
    value = ps_bound_ref(call->args[0]);
    rc = first_becomes(call, "isnan", false, err);
    if (rc != PS_OK) {
        ps_bound_unref(value);
        return rc;
    }
    PS_TRY(ps_fn_add_arg(call, value, err));
    return ps_fn_redirect(call, "if", err);
}

/* a BETWEEN x AND y: a >= x AND a <= y */
ps_status psi_bind_between(ps_fn_call *call, ps_error *err)
{
    ps_bound *from = NULL, *to = NULL;
    ps_bound *upper[2] = {call->args[0], call->args[2]};
    ps_status rc;

    PS_TRY(keep_text(call, err));
    PS_TRY(ps_bound_call(">=", call->args, 2, call->conf, &from, err));
    rc = ps_bound_call("<=", upper, 2, call->conf, &to, err);
    if (rc != PS_OK) {
        ps_bound_unref(from);
        return rc;
    }
    for (int i = 0; i < 3; i++)
        ps_bound_unref(call->args[i]);
    call->args[0] = from;
    call->args[1] = to;
    call->n_args = 2;
    return ps_fn_redirect(call, "and", err);
}

/* --- rows that are still undecided --------------------------------------------------------------------------------------------- */
typedef struct rest {
    ps_buf *buf;
    ps_rows rows;
} rest;

static ps_status rest_begin(const ps_rows *rows, rest *left, ps_error *err)
{
    PS_TRY(ps_buf_new((size_t)rows->n * sizeof(int32_t), &left->buf, err));
    left->rows = *rows;
    return PS_OK;
}

/* --- AND, OR, NOT ----------------------------------------------------------------------------------------------------------------- */
/* AND decides on false, OR on true: rows where the left side has not decided go on to the right one. */
static ps_status two_sided(ps_fn_run *run, bool decides, ps_vec **out, ps_error *err)
{
    const ps_rows *rows = run->rows;
    ps_vec *left = NULL, *right = NULL, *vec = NULL;
    rest open = {0};
    int32_t *sel;
    int64_t n = 0;
    ps_view a, b;
    uint8_t *data;
    ps_status rc;

    PS_TRY(ps_fn_eval_arg(run, 0, rows, &left, err));
    ps_view_init(&a, left);
    PS_TRY_OR(done, rest_begin(rows, &open, err));
    sel = (int32_t *)(void *)open.buf->data;
    PS_EACH_ROW(rows, i)
    {
        int64_t at = ps_at(&a, i);
        bool decided = (!a.valid || ps_bit(a.valid, at)) && ((const uint8_t *)a.data)[at] == decides;
        sel[n] = (int32_t)i;
        n += !decided;
    }
    if (n == 0) {
        *out = left;
        left = NULL;
        rc = PS_OK;
        goto done;
    }
    open.rows = n == rows->n ? *rows : (ps_rows){rows->n_rows, sel, n};
    PS_TRY_OR(done, ps_fn_eval_arg(run, 1, n == rows->n ? rows : &open.rows, &right, err));
    ps_view_init(&b, right);
    PS_TRY_OR(done, ps_vec_new(run->type, rows->n_rows, a.valid || b.valid, &vec, err));
    data = vec->data;
    memset(data, decides, (size_t)rows->n_rows);
    PS_EACH_ROW(&open.rows, i)
    {
        int64_t at = ps_at(&b, i);
        bool known = !b.valid || ps_bit(b.valid, at), value = known && ((const uint8_t *)b.data)[at];
        data[i] = known ? value : !decides;
        if (known && value == decides)
            continue;
        if (!known || ps_view_is_null(&a, i))
            ps_bit_clear(vec->valid, i);
    }
    *out = vec;
    vec = NULL;
    rc = PS_OK;
done:
    ps_vec_unref(vec);
    ps_vec_unref(left);
    ps_vec_unref(right);
    ps_buf_unref(open.buf);
    return rc;
}

PSI_KERNEL(and) { return two_sided(run, false, result, err); }
PSI_KERNEL(or) { return two_sided(run, true, result, err); }
PS_TOTAL_1(not, uint8_t, uint8_t) { *out = x ^ 1; }

/* --- choosing ------------------------------------------------------------------------------------------------------------------------ */
/* Which of the branch vectors a row takes its value from; -1: NULL. */
typedef struct choice {
    ps_vec **vecs;
    int n;
    int32_t *of_row;
} choice;

#define COPY_CHOSEN(T)                                                                             \
    PS_EACH_ROW(rows, i)                                                                           \
    {                                                                                              \
        int k = c->of_row[i];                                                                      \
        if (k < 0 || ps_view_is_null(&views[k], i))                                                \
            ps_bit_clear(vec->valid, i);                                                           \
        else                                                                                       \
            ((T *)vec->data)[i] = ((const T *)views[k].data)[ps_at(&views[k], i)];                 \
    }

static ps_status chosen_flat(const ps_fn_run *run, const choice *c, const ps_view *views, ps_vec **out, ps_error *err)
{
    const ps_rows *rows = run->rows;
    ps_vec *vec;
    ps_status rc;

    PS_TRY(ps_vec_new(run->type, rows->n_rows, true, &vec, err));
    for (int k = 0; k < c->n && ps_kind_is_text(run->type->kind); k++)
        if (c->vecs[k])
            PS_TRY_OR(fail, ps_vec_pin_all(vec, c->vecs[k], err));
    switch (ps_type_width(run->type)) {
    case 0:
        PS_EACH_ROW(rows, i)
            ps_bit_clear(vec->valid, i);
        break;
    case 1:
        COPY_CHOSEN(uint8_t)
        break;
    case 2:
        COPY_CHOSEN(uint16_t)
        break;
    case 4:
        COPY_CHOSEN(uint32_t)
        break;
    case 8:
        COPY_CHOSEN(uint64_t)
        break;
    default:
        COPY_CHOSEN(ps_str)
        break;
    }
    *out = vec;
    return PS_OK;
fail:
    ps_vec_unref(vec);
    return rc;
}

static ps_status chosen_built(const ps_fn_run *run, const choice *c, ps_vec **out, ps_error *err)
{
    ps_builder *b;
    ps_status rc = PS_OK;

    PS_TRY(ps_build_new(run->type, run->rows->n, &b, err));
    PS_EACH_ROW(run->rows, i)
    {
        int k = c->of_row[i];
        PS_TRY_OR(done, k < 0 || ps_vec_is_null(c->vecs[k], i) ? ps_build_null(b, err) : ps_build_from(b, c->vecs[k], i, err));
    }
done:
    return psi_kernel_built(run, b, rc, out, err);
}

static ps_status choice_begin(const ps_fn_run *run, int n, choice *c, ps_error *err)
{
    c->n = n;
    PS_TRY(ps_alloc0((size_t)n * sizeof *c->vecs, &c->vecs, err));
    PS_TRY(ps_alloc((size_t)run->rows->n_rows * sizeof *c->of_row, &c->of_row, err));
    PS_EACH_ROW(run->rows, i)
        c->of_row[i] = -1;
    return PS_OK;
}

static ps_status choice_end(const ps_fn_run *run, choice *c, ps_vec **out, ps_error *err)
{
    ps_view *views = NULL;
    ps_status rc;

    if (ps_kind_is_nested(run->type->kind))
        return chosen_built(run, c, out, err);
    PS_TRY(ps_alloc((size_t)c->n * sizeof *views, &views, err));
    for (int k = 0; k < c->n; k++)
        if (c->vecs[k])
            ps_view_init(&views[k], c->vecs[k]);
    rc = chosen_flat(run, c, views, out, err);
    ps_free(views);
    return rc;
}

static void choice_clear(choice *c)
{
    for (int k = 0; c->vecs && k < c->n; k++)
        ps_vec_unref(c->vecs[k]);
    ps_free(c->vecs);
    ps_free(c->of_row);
}

/* Splits open->rows by a condition: rows where it is true to `taken` (their number is given back), the others stay. */
static int64_t split(const ps_vec *cond, rest *open, int32_t *taken)
{
    int32_t *left = (int32_t *)(void *)open->buf->data;
    int64_t n_taken = 0, n_left = 0;
    ps_view view;

    ps_view_init(&view, cond);
    PS_EACH_ROW(&open->rows, i)
    {
        int64_t at = ps_at(&view, i);
        bool yes = (!view.valid || ps_bit(view.valid, at)) && ((const uint8_t *)view.data)[at];
        taken[n_taken] = (int32_t)i;
        left[n_left] = (int32_t)i; /* never ahead of the row that is read */
        n_taken += yes;
        n_left += !yes;
    }
    open->rows.sel = left;
    open->rows.n = n_left;
    return n_taken;
}

/* One WHEN: evaluates its condition over the open rows and its value over those that take it. */
static ps_status take_branch(ps_fn_run *run, int arg, choice *c, rest *open, int32_t *taken, ps_error *err)
{
    ps_rows rows = {run->rows->n_rows, taken, 0};
    ps_vec *cond;

    PS_TRY(ps_fn_eval_arg(run, arg, &open->rows, &cond, err));
    rows.n = split(cond, open, taken);
    ps_vec_unref(cond);
    if (rows.n == 0)
        return PS_OK;
    for (int64_t j = 0; j < rows.n; j++)
        c->of_row[taken[j]] = arg + 1;
    return ps_fn_eval_arg(run, arg + 1, &rows, &c->vecs[arg + 1], err);
}

PSI_KERNEL(case)
{
    choice c = {0};
    rest open = {0};
    ps_buf *taken = NULL;
    int i;
    ps_status rc;

    PS_TRY_OR(done, choice_begin(run, run->n_args, &c, err));
    PS_TRY_OR(done, rest_begin(run->rows, &open, err));
    PS_TRY_OR(done, ps_buf_new((size_t)run->rows->n * sizeof(int32_t), &taken, err));
    for (i = 0; i + 1 < run->n_args && open.rows.n > 0; i += 2)
        PS_TRY_OR(done, take_branch(run, i, &c, &open, (int32_t *)(void *)taken->data, err));
    if (run->n_args % 2 == 1 && open.rows.n > 0) {
        i = run->n_args - 1;
        PS_EACH_ROW(&open.rows, row)
            c.of_row[row] = i;
        PS_TRY_OR(done, ps_fn_eval_arg(run, i, &open.rows, &c.vecs[i], err));
    }
    rc = choice_end(run, &c, result, err);
done:
    choice_clear(&c);
    ps_buf_unref(open.buf);
    ps_buf_unref(taken);
    return rc;
}

PSI_KERNEL(coalesce)
{
    choice c = {0};
    rest open = {0};
    ps_status rc;

    PS_TRY_OR(done, choice_begin(run, run->n_args, &c, err));
    PS_TRY_OR(done, rest_begin(run->rows, &open, err));
    for (int k = 0; k < run->n_args && open.rows.n > 0; k++) {
        int32_t *left = (int32_t *)(void *)open.buf->data;
        int64_t n_left = 0;
        ps_view view;
        PS_TRY_OR(done, ps_fn_eval_arg(run, k, &open.rows, &c.vecs[k], err));
        ps_view_init(&view, c.vecs[k]);
        if (k == 0 && !view.valid && run->type->kind != PS_NULL) {
            *result = ps_vec_ref(c.vecs[0]);
            rc = PS_OK;
            goto done;
        }
        PS_EACH_ROW(&open.rows, i)
        {
            bool null = ps_view_is_null(&view, i);
            if (!null)
                c.of_row[i] = k;
            left[n_left] = (int32_t)i;
            n_left += null;
        }
        open.rows.sel = left;
        open.rows.n = n_left;
    }
    rc = choice_end(run, &c, result, err);
done:
    choice_clear(&c);
    ps_buf_unref(open.buf);
    return rc;
}
