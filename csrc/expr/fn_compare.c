/* expr/fn_compare.c - = <=> < <= > >= and IN. */
#include "base/hash.h"
#include "expr/coerce.h"
#include "expr/fn_scratch.h"
#include "expr/kernel.h"

typedef enum compare_op { CMP_EQ, CMP_LT, CMP_LE, CMP_GT, CMP_GE } compare_op;

/* --- binding ------------------------------------------------------------------------------------------------------ */
/* `type` with the field names of `like`, at any depth: structs compare by position. */
static ps_status named_like(const ps_type *type, const ps_type *like, const ps_type **out, ps_error *err)
{
    ps_field *fields;
    ps_status rc = PS_OK;

    *out = NULL;
    if (type->kind != PS_STRUCT || like->kind != PS_STRUCT || type->n_fields != like->n_fields) {
        *out = ps_type_ref(type);
        return PS_OK;
    }
    PS_TRY(ps_alloc0((size_t)type->n_fields * sizeof *fields, &fields, err));
    for (int i = 0; i < type->n_fields && rc == PS_OK; i++) {
        fields[i] = (ps_field){like->fields[i].name, NULL, type->fields[i].nullable, NULL};
        rc = named_like(type->fields[i].type, like->fields[i].type, &fields[i].type, err);
    }
    if (rc == PS_OK)
        rc = ps_type_struct(fields, type->n_fields, out, err);
    for (int i = 0; i < type->n_fields; i++)
        ps_type_unref(fields[i].type);
    ps_free(fields);
    return rc;
}

/* What can be ordered: no maps, at any depth. */
static bool is_orderable(const ps_type *type)
{
    if (type->kind == PS_MAP || type->kind == PS_CALENDAR)
        return false;
    for (int i = 0; i < type->n_fields; i++)
        if (!is_orderable(type->fields[i].type))
            return false;
    return true;
}

ps_status psi_check_orderable(const ps_fn_call *call, const ps_type *type, ps_error *err)
{
    ps_bytes text = {0};
    char *name = NULL;
    ps_status rc;

    if (is_orderable(type))
        return PS_OK;
    rc = ps_fn_call_text(call, &text, err);
    if (rc == PS_OK)
        rc = psi_type_name(type, &name, err);
    if (rc == PS_OK)
        rc = ps_raise(err, PS_E_DT_ORDERING, text.data, call->name, name);
    ps_bytes_clear(&text);
    ps_free(name);
    return rc;
}

ps_status psi_bind_compare(ps_fn_call *call, ps_error *err)
{
    if (call->args[0]->type->kind == PS_STRUCT && call->args[1]->type->kind == PS_STRUCT) {
        const ps_type *type;
        ps_status rc;
        PS_TRY(named_like(call->args[1]->type, call->args[0]->type, &type, err));
        rc = ps_fn_cast_arg(call, 1, type, err);
        ps_type_unref(type);
        PS_TRY(rc);
    }
    PS_TRY(psi_operands(call, false, err));
    if (call->args[0]->type->kind == PS_NULL)
        for (int i = 0; i < 2; i++)
            PS_TRY(ps_fn_cast_arg(call, i, ps_type_of(PS_BOOL), err));
    return psi_check_orderable(call, call->args[0]->type, err);
}

/* --- kernels ---------------------------------------------------------------------------------------------------------- */
#define COMPARE_PLAIN(T, suffix)                                                                   \
    PS_TOTAL_2(eq_##suffix, T, T, uint8_t) { *out = x == y; }                                      \
    PS_TOTAL_2(lt_##suffix, T, T, uint8_t) { *out = x < y; }                                       \
    PS_TOTAL_2(le_##suffix, T, T, uint8_t) { *out = x <= y; }                                      \
    PS_TOTAL_2(gt_##suffix, T, T, uint8_t) { *out = x > y; }                                       \
    PS_TOTAL_2(ge_##suffix, T, T, uint8_t) { *out = x >= y; }
COMPARE_PLAIN(int8_t, i8)
COMPARE_PLAIN(int16_t, i16)
COMPARE_PLAIN(int32_t, i32)
COMPARE_PLAIN(int64_t, i64)
COMPARE_PLAIN(__int128, i128)

/* NaN equals itself and is greater than all else. */
#define COMPARE_FLOAT(T, suffix)                                                                   \
    PS_TOTAL_2(eq_##suffix, T, T, uint8_t) { *out = (x == y) | ((x != x) & (y != y)); }            \
    PS_TOTAL_2(lt_##suffix, T, T, uint8_t) { *out = (x < y) | ((y != y) & (x == x)); }             \
    PS_TOTAL_2(le_##suffix, T, T, uint8_t) { *out = (x <= y) | (y != y); }                         \
    PS_TOTAL_2(gt_##suffix, T, T, uint8_t) { *out = (x > y) | ((x != x) & (y == y)); }             \
    PS_TOTAL_2(ge_##suffix, T, T, uint8_t) { *out = (x >= y) | (x != x); }
COMPARE_FLOAT(float, f32)
COMPARE_FLOAT(double, f64)

#define COMPARE_TEXT(name, EXPR)                                                                   \
    PS_KERNEL_2(name, ps_str, ps_str, uint8_t)                                                     \
    {                                                                                              \
        *out = EXPR;                                                                               \
        return PS_OK;                                                                              \
    }
COMPARE_TEXT(eq_text, ps_str_equal(&x, &y))
COMPARE_TEXT(lt_text, ps_str_compare(&x, &y) < 0)
COMPARE_TEXT(le_text, ps_str_compare(&x, &y) <= 0)
COMPARE_TEXT(gt_text, ps_str_compare(&x, &y) > 0)
COMPARE_TEXT(ge_text, ps_str_compare(&x, &y) >= 0)

/* Nested values, one by one. */
static ps_status compare_nested(ps_fn_run *run, compare_op op, ps_vec **out, ps_error *err)
{
    psi_loop loop;

    PS_TRY(psi_loop_begin(run, 2, false, &loop, err));
    PS_EACH_ROW(run->rows, i)
    {
        int order;
        if (loop.vec->valid && !ps_bit(loop.vec->valid, i))
            continue;
        order = ps_vec_compare(run->args[0], i, run->args[1], i, true);
        ((uint8_t *)loop.vec->data)[i] = op == CMP_EQ ? order == 0 : op == CMP_LT ? order < 0 : op == CMP_LE ? order <= 0
                                       : op == CMP_GT ? order > 0 : order >= 0;
    }
    *out = loop.vec;
    return PS_OK;
}

#define PICK(suffix)                                                                               \
    {                                                                                              \
        static const ps_fn_kernel kernels[] = {psi_eq_##suffix, psi_lt_##suffix, psi_le_##suffix, psi_gt_##suffix, psi_ge_##suffix}; \
        return kernels[op](run, out, err);                                                         \
    }

static ps_status compare(ps_fn_run *run, compare_op op, ps_vec **out, ps_error *err)
{
    switch (run->args[0]->type->kind) {
    case PS_BOOL:
    case PS_INT8:
        PICK(i8)
    case PS_INT16:
        PICK(i16)
    case PS_INT32:
    case PS_DATE:
    case PS_YEARMONTH:
        PICK(i32)
    case PS_INT64:
    case PS_TIMESTAMP:
    case PS_TIMESTAMP_NTZ:
    case PS_DAYTIME:
        PICK(i64)
    case PS_FLOAT:
        PICK(f32)
    case PS_DOUBLE:
        PICK(f64)
    case PS_DECIMAL:
        PICK(i128)
    case PS_STRING:
    case PS_BINARY:
        PICK(text)
    default:
        return compare_nested(run, op, out, err);
    }
}

PSI_KERNEL(equal) { return compare(run, CMP_EQ, result, err); }
PSI_KERNEL(less) { return compare(run, CMP_LT, result, err); }
PSI_KERNEL(less_equal) { return compare(run, CMP_LE, result, err); }
PSI_KERNEL(greater) { return compare(run, CMP_GT, result, err); }
PSI_KERNEL(greater_equal) { return compare(run, CMP_GE, result, err); }

/* <=>: NULLs are equal to each other and to nothing else. */
PSI_KERNEL(equal_null)
{
    ps_vec *vec;
    ps_view a, b;

    PS_TRY(compare(run, CMP_EQ, &vec, err));
    if (vec->valid) {
        uint8_t *data = vec->data;
        ps_view_init(&a, run->args[0]);
        ps_view_init(&b, run->args[1]);
        PS_EACH_ROW(run->rows, i)
            if (!ps_bit(vec->valid, i))
                data[i] = ps_view_is_null(&a, i) && ps_view_is_null(&b, i);
        ps_buf_unref(vec->valid_buf);
        vec->valid_buf = NULL;
        vec->valid = NULL;
    }
    *result = vec;
    return PS_OK;
}

/* --- IN ------------------------------------------------------------------------------------------------------------------- */
typedef psi_in_set literal_set;

void psi_free_in_set(void *scratch)
{
    literal_set *set = scratch;

    ps_vec_unref(set->values);
    ps_free(set->hashes);
    ps_free(set->slots);
}

static ps_status fill_set(const ps_fn_run *run, literal_set *set, ps_error *err)
{
    ps_builder *b;
    ps_status rc = PS_OK;

    PS_TRY(ps_build_new(run->args[0]->type, run->n_args, &b, err));
    for (int k = 1; k < run->n_args && rc == PS_OK; k++) {
        if (ps_vec_is_null(run->args[k], 0))
            set->has_null = true;
        else
            rc = ps_build_from(b, run->args[k], 0, err);
    }
    rc = ps_build_end(b, rc, &set->values, err);
    PS_TRY(rc);
    for (set->n_slots = 16; set->n_slots < 2 * set->values->n_rows; set->n_slots *= 2)
        ;
    PS_TRY(ps_alloc((size_t)set->values->n_rows * sizeof *set->hashes, &set->hashes, err));
    PS_TRY(ps_alloc0((size_t)set->n_slots * sizeof *set->slots, &set->slots, err));
    ps_vec_hash(set->values, NULL, set->values->n_rows, 0, false, set->hashes);
    for (int64_t v = 0; v < set->values->n_rows; v++) {
        int64_t at = (int64_t)(set->hashes[v] & (uint64_t)(set->n_slots - 1));
        while (set->slots[at])
            at = (at + 1) & (set->n_slots - 1);
        set->slots[at] = (int32_t)v + 1;
    }
    return PS_OK;
}

static bool in_set(const literal_set *set, const ps_vec *vec, int64_t row, uint64_t hash)
{
    for (int64_t at = (int64_t)(hash & (uint64_t)(set->n_slots - 1)); set->slots[at]; at = (at + 1) & (set->n_slots - 1)) {
        int64_t v = set->slots[at] - 1;
        if (set->hashes[v] == hash && ps_vec_equal_rows(set->values, v, vec, row))
            return true;
    }
    return false;
}

static ps_status in_literals(ps_fn_run *run, ps_vec **out, ps_error *err)
{
    literal_set *set = run->scratch;
    uint64_t *hashes = NULL;
    psi_loop loop;
    ps_status rc;
    int64_t j = 0;

    if (!set->slots)
        PS_TRY(fill_set(run, set, err));
    PS_TRY(psi_loop_begin(run, 1, set->has_null, &loop, err));
    PS_TRY_OR(fail, ps_alloc((size_t)run->rows->n * sizeof *hashes, &hashes, err));
    ps_vec_hash(run->args[0], run->rows->sel, run->rows->n, 0, false, hashes);
    PS_EACH_ROW(run->rows, i)
    {
        uint64_t hash = hashes[j++];
        bool found;
        if (loop.vec->valid && !ps_bit(loop.vec->valid, i))
            continue;
        found = in_set(set, run->args[0], i, hash);
        ((uint8_t *)loop.vec->data)[i] = found;
        if (!found && set->has_null)
            ps_bit_clear(loop.vec->valid, i);
    }
    ps_free(hashes);
    *out = loop.vec;
    return PS_OK;
fail:
    ps_vec_unref(loop.vec);
    return rc;
}

/* Found, or NULL when it was not found and something was NULL. */
static void merge_found(const ps_rows *rows, const ps_vec *equal, uint8_t *found, uint8_t *unknown)
{
    ps_view view;

    ps_view_init(&view, equal);
    PS_EACH_ROW(rows, i)
    {
        int64_t at = ps_at(&view, i);
        bool null = view.valid && !ps_bit(view.valid, at);
        found[i] |= !null && ((const uint8_t *)view.data)[at];
        unknown[i] |= null;
    }
}

static ps_status in_one_by_one(ps_fn_run *run, ps_vec **out, ps_error *err)
{
    ps_vec *const *args = run->args;
    int n_args = run->n_args;
    psi_loop loop;
    uint8_t *unknown = NULL;
    ps_status rc;

    PS_TRY(psi_loop_begin(run, 1, true, &loop, err));
    memset(loop.vec->data, 0, (size_t)run->rows->n_rows);
    PS_TRY_OR(fail, ps_alloc0((size_t)run->rows->n_rows, &unknown, err));
    for (int k = 1; k < n_args; k++) {
        ps_vec *pair[2] = {args[0], args[k]}, *equal;
        run->args = pair;
        run->n_args = 2;
        rc = compare(run, CMP_EQ, &equal, err);
        run->args = args;
        run->n_args = n_args;
        if (rc != PS_OK)
            goto fail;
        merge_found(run->rows, equal, loop.vec->data, unknown);
        ps_vec_unref(equal);
    }
    PS_EACH_ROW(run->rows, i)
    {
        if (!((uint8_t *)loop.vec->data)[i] && unknown[i])
            ps_bit_clear(loop.vec->valid, i);
        else
            ps_bit_set(loop.vec->valid, i);
    }
    ps_free(unknown);
    *out = loop.vec;
    return PS_OK;
fail:
    ps_free(unknown);
    ps_vec_unref(loop.vec);
    return rc;
}

PSI_KERNEL(in)
{
    bool literals = run->n_args > 2;

    for (int k = 1; k < run->n_args && literals; k++)
        literals = ps_bound_is_literal(run->node->args[k]);
    return literals ? in_literals(run, result, err) : in_one_by_one(run, result, err);
}

ps_status psi_bind_in(ps_fn_call *call, ps_error *err)
{
    if (call->n_args < 1)
        return ps_raise(err, PS_E_WRONG_NUM_ARGS, "in", "> 0", call->n_args);
    PS_TRY(ps_fn_same_type(call, 0, call->n_args, err));
    if (call->args[0]->type->kind == PS_NULL)
        for (int i = 0; i < call->n_args; i++)
            PS_TRY(ps_fn_cast_arg(call, i, ps_type_of(PS_BOOL), err));
    if (call->n_args == 1)
        call->nullable = false;
    return psi_check_orderable(call, call->args[0]->type, err);
}

ps_status psi_text_in(const ps_fn_call *call, ps_bytes *out, ps_error *err)
{
    PS_TRY(ps_bytes_printf(out, err, "(%s IN (", call->args[0]->text));
    for (int i = 1; i < call->n_args; i++)
        PS_TRY(ps_bytes_printf(out, err, "%s%s", i > 1 ? ", " : "", call->args[i]->text));
    return ps_bytes_text(out, "))", err);
}

/* --- NULL or not ------------------------------------------------------------------------------------------------------------ */
static ps_status null_flags(ps_fn_run *run, bool when_null, ps_vec **out, ps_error *err)
{
    ps_view view;
    ps_vec *vec;
    uint8_t *data;

    PS_TRY(ps_vec_new(run->type, run->rows->n_rows, false, &vec, err));
    ps_view_init(&view, run->args[0]);
    data = vec->data;
    if (run->args[0]->type->kind == PS_NULL)
        memset(data, when_null, (size_t)run->rows->n_rows);
    else if (!view.valid)
        memset(data, !when_null, (size_t)run->rows->n_rows);
    else
        PS_EACH_ROW(run->rows, i)
            data[i] = ps_view_is_null(&view, i) == when_null;
    *out = vec;
    return PS_OK;
}

PSI_KERNEL(isnull) { return null_flags(run, true, result, err); }
PSI_KERNEL(isnotnull) { return null_flags(run, false, result, err); }

ps_status psi_text_isnull(const ps_fn_call *call, ps_bytes *out, ps_error *err)
{
    return ps_bytes_printf(out, err, "(%s IS NULL)", call->args[0]->text);
}

ps_status psi_text_isnotnull(const ps_fn_call *call, ps_bytes *out, ps_error *err)
{
    return ps_bytes_printf(out, err, "(%s IS NOT NULL)", call->args[0]->text);
}
