/*
 * expr/cast.c - the matrix of casts, what a failed cast means, and casting of whole vectors.
 *
 * An array, map or struct is cast by casting its children over the rows that live values reach, so that what lies
 * outside them raises no error.
 */
#include "expr/cast.h"
#include "col/text.h"
#include "col/type_text.h"
#include "expr/cast_int.h"
#include "expr/fn_int.h"

/* --- the matrix ----------------------------------------------------------------------------------------------------- */
static bool is_integral_or_decimal(ps_kind kind) { return ps_kind_is_integer(kind) || kind == PS_DECIMAL; }
static bool is_interval(ps_kind kind) { return kind == PS_DAYTIME || kind == PS_YEARMONTH; }

static bool can_cast_to_time(ps_kind from, ps_kind to, ps_cast_mode mode)
{
    switch (to) {
    case PS_DATE:
        return from == PS_STRING || from == PS_TIMESTAMP || from == PS_TIMESTAMP_NTZ;
    case PS_TIMESTAMP:
        return from == PS_STRING || from == PS_DATE || from == PS_TIMESTAMP_NTZ || ps_kind_is_numeric(from) ||
               (from == PS_BOOL && mode == PS_CAST_LEGACY);
    case PS_TIMESTAMP_NTZ:
        return from == PS_STRING || from == PS_DATE || from == PS_TIMESTAMP;
    case PS_CALENDAR:
        return from == PS_STRING;
    default: /* intervals */
        return from == PS_STRING || from == to || is_integral_or_decimal(from);
    }
}

static bool can_cast_plain(ps_kind from, ps_kind to, ps_cast_mode mode)
{
    bool legacy = mode == PS_CAST_LEGACY;

    if (from == PS_NULL || from == to || to == PS_STRING)
        return true;
    if (to == PS_BOOL)
        return from == PS_STRING || ps_kind_is_numeric(from) || (legacy && (from == PS_DATE || from == PS_TIMESTAMP));
    if (to == PS_BINARY)
        return from == PS_STRING || (legacy && ps_kind_is_integer(from));
    if (is_interval(from) && (is_integral_or_decimal(to) || is_interval(to)))
        return is_integral_or_decimal(to) || from == to;
    if (ps_kind_is_numeric(to))
        return from == PS_STRING || from == PS_BOOL || ps_kind_is_numeric(from) || from == PS_TIMESTAMP || (legacy && from == PS_DATE);
    return to >= PS_DATE && to <= PS_CALENDAR && can_cast_to_time(from, to, mode);
}

bool ps_cast_adds_null(const ps_type *from, const ps_type *to, ps_cast_mode mode)
{
    if (from->kind == PS_NULL)
        return true;
    if (ps_type_equal_ignoring_null(from, to))
        return false;
    if (mode == PS_CAST_TRY)
        return true;
    if (ps_kind_is_float(from->kind) && to->kind == PS_DECIMAL)
        return true; /* NaN */
    return mode == PS_CAST_LEGACY && from->kind == PS_STRING && to->kind != PS_BINARY;
}

/* A part that must not be NULL may not be made of one that may be. */
static bool can_cast_part(const ps_field *from, const ps_field *to, ps_cast_mode mode)
{
    bool adds_null = mode == PS_CAST_LEGACY && from->type->kind != PS_NULL && ps_cast_adds_null(from->type, to->type, mode);

    return ps_can_cast(from->type, to->type, mode) && (to->nullable || !(from->nullable || adds_null));
}

bool ps_can_cast(const ps_type *from, const ps_type *to, ps_cast_mode mode)
{
    if (from->kind == PS_NULL || ps_type_equal(from, to))
        return true;
    if (!ps_kind_is_nested(from->kind) || !ps_kind_is_nested(to->kind))
        return !ps_kind_is_nested(to->kind) && can_cast_plain(from->kind, to->kind, mode);
    if (from->kind != to->kind || from->n_fields != to->n_fields)
        return false;
    for (int i = 0; i < from->n_fields; i++)
        if (!can_cast_part(&from->fields[i], &to->fields[i], mode))
            return false;
    return true;
}

static const char *suggested_function(ps_kind from, ps_kind to)
{
    if (ps_kind_is_numeric(from) && to == PS_DATE)
        return "`DATE_FROM_UNIX_DATE`";
    if (ps_kind_is_numeric(from) && to == PS_TIMESTAMP)
        return "`TIMESTAMP_SECONDS`/`TIMESTAMP_MILLIS`/`TIMESTAMP_MICROS`";
    if (from == PS_DATE && ps_kind_is_numeric(to))
        return "`UNIX_DATE`";
    if (from == PS_TIMESTAMP && ps_kind_is_numeric(to))
        return "`UNIX_SECONDS`/`UNIX_MILLIS`/`UNIX_MICROS`";
    return NULL;
}

ps_status ps_check_cast(const ps_type *from, const ps_type *to, ps_cast_mode mode, const char *text, ps_error *err)
{
    ps_bytes shown = {0};
    const char *from_name, *to_name, *suggested;
    ps_status rc;

    if (ps_can_cast(from, to, mode))
        return PS_OK;
    from_name = ps_type_name(from);
    to_name = ps_type_name(to);
    suggested = mode == PS_CAST_LEGACY ? NULL : suggested_function(from->kind, to->kind);
    PS_TRY_OR(done, ps_bytes_printf(&shown, err, "%s(%s AS %s)", mode == PS_CAST_TRY ? "TRY_CAST" : "CAST", text, to_name));
    if (suggested)
        rc = ps_raise(err, PS_E_DT_CAST_FUNC, shown.data, from_name, to_name, from_name, to_name, suggested);
    else if (mode == PS_CAST_ANSI && ps_can_cast(from, to, PS_CAST_LEGACY))
        rc = ps_raise(err, PS_E_DT_CAST_CONF, shown.data, from_name, to_name, from_name, to_name);
    else
        rc = ps_raise(err, PS_E_DT_CAST, shown.data, from_name, to_name);
done:
    ps_bytes_clear(&shown);
    return rc;
}

/* --- values that cannot be cast -------------------------------------------------------------------------------------- */
static bool is_time(ps_kind kind) { return kind == PS_DATE || kind == PS_TIMESTAMP || kind == PS_TIMESTAMP_NTZ; }

static ps_status raise_malformed(const psi_cast_info *cast, const char *quote, ps_slice text, ps_error *err)
{
    int code = cast->to->kind == PS_BOOL ? PS_E_CAST_INPUT_BOOL : is_time(cast->to->kind) ? PS_E_CAST_INPUT_TIME : PS_E_CAST_INPUT_NUMBER;

    return ps_raise(err, code, quote, (int)text.n_bytes, text.data, quote, ps_type_name(cast->from), ps_type_name(cast->to));
}

ps_status psi_cast_malformed(const ps_fn_run *run, ps_slice text, bool *null, ps_error *err)
{
    *null = true;
    return psi_cast_of(run)->mode == PS_CAST_ANSI ? raise_malformed(psi_cast_of(run), "'", text, err) : PS_OK;
}

ps_status psi_cast_malformed_double(const ps_fn_run *run, double value, bool *null, ps_error *err)
{
    char text[PS_NUMBER_TEXT];
    int n = ps_format_double(value, text);

    *null = true;
    return psi_cast_of(run)->mode == PS_CAST_ANSI ? raise_malformed(psi_cast_of(run), "", (ps_slice){text, (size_t)n}, err) : PS_OK;
}

/* `suffix` makes the text of the value a literal: 300S, 1.0E20D, 99999BD. */
static ps_status overflow(const psi_cast_info *cast, const char *text, int n, const char *suffix, bool *null, ps_error *err)
{
    if (cast->mode == PS_CAST_ANSI)
        return ps_raise(err, PS_E_CAST_OVERFLOW, n, text, suffix, ps_type_name(cast->from), ps_type_name(cast->to));
    *null = cast->mode == PS_CAST_TRY;
    return PS_OK;
}

ps_status psi_cast_overflow_int(const ps_fn_run *run, int64_t value, bool *null, ps_error *err)
{
    const psi_cast_info *cast = psi_cast_of(run);
    ps_bytes text = {0};
    char number[PS_NUMBER_TEXT];
    ps_status rc;

    if (cast->mode != PS_CAST_ANSI || ps_kind_is_integer(cast->from->kind)) {
        ps_kind kind = cast->from->kind;
        const char *suffix = kind == PS_INT64 ? "L" : kind == PS_INT16 ? "S" : kind == PS_INT8 ? "Y" : "";
        return overflow(cast, number, ps_format_int64(value, number), suffix, null, err);
    }
    if (cast->from->kind == PS_TIMESTAMP) {
        int n = ps_format_timestamp(value, run->env->zone, number);
        PS_TRY_OR(done, ps_bytes_printf(&text, err, "TIMESTAMP '%.*s'", n, number));
    } else {
        PS_TRY_OR(done, ps_format_interval(cast->from, value, &text, err));
    }
    rc = overflow(cast, text.data, (int)text.n_bytes, "", null, err);
done:
    ps_bytes_clear(&text);
    return rc;
}

ps_status psi_cast_overflow_double(const ps_fn_run *run, double value, bool *null, ps_error *err)
{
    char text[PS_NUMBER_TEXT];
    bool single = psi_cast_of(run)->from->kind == PS_FLOAT;
    int n = single ? ps_format_float((float)value, text) : ps_format_double(value, text);

    return overflow(psi_cast_of(run), text, n, value - value != 0 ? "" : single ? "F" : "D", null, err);
}

ps_status psi_cast_overflow_decimal(const ps_fn_run *run, __int128 value, bool *null, ps_error *err)
{
    char text[PS_NUMBER_TEXT];

    return overflow(psi_cast_of(run), text, ps_format_decimal(value, psi_cast_of(run)->from->scale, text), "BD", null, err);
}

ps_status psi_cast_beyond_decimal(const ps_fn_run *run, const char *text, int n_bytes, bool *null, ps_error *err)
{
    *null = true;
    if (psi_cast_of(run)->mode != PS_CAST_ANSI)
        return PS_OK;
    return ps_raise(err, PS_E_DECIMAL_RANGE, n_bytes, text, (int)run->type->precision, (int)run->type->scale);
}

/* --- vectors ----------------------------------------------------------------------------------------------------------- */
typedef struct caster {
    ps_cast_mode mode;
    bool constant;
    const ps_eval_env *env;
} caster;

static ps_status cast_vec(const caster *c, ps_vec *vec, const ps_rows *rows, const ps_type *to, ps_vec **out, ps_error *err);

static ps_status cast_plain(const caster *c, ps_vec *vec, const ps_rows *rows, const ps_type *to, ps_vec **out, ps_error *err)
{
    psi_cast_info cast = {c->mode, c->constant, vec->type, to};
    ps_fn_run run = {.env = c->env, .rows = rows, .args = &vec, .n_args = 1, .type = to, .scratch = &cast};
    ps_kind from = vec->type->kind;
    ps_fn_kernel kernel = psi_cast_text_kernel(from, to->kind);

    if (!kernel)
        kernel = psi_cast_number_kernel(from, to->kind);
    if (!kernel)
        kernel = psi_cast_time_kernel(from, to->kind);
    if (!kernel)
        return ps_raise(err, PS_E_INTERNAL, "no such cast");
    return kernel(&run, out, err);
}

/* The rows of the children that live, non-NULL values of `vec` (a FLAT array or map) reach, as a selection. */
static ps_status reached(const ps_vec *vec, const ps_rows *rows, int64_t n_children, ps_buf **sel, int64_t *n_sel, ps_error *err)
{
    const ps_span *spans = vec->data;
    size_t n_words = (size_t)(n_children + 63) / 64;
    uint64_t *bits;
    int32_t *at;
    ps_status rc;

    PS_TRY(ps_alloc0(n_words * 8, &bits, err));
    *n_sel = 0;
    PS_EACH_ROW(rows, i) {
        if (vec->valid && !ps_bit(vec->valid, i))
            continue;
        for (uint32_t k = 0; k < spans[i].n; k++) {
            *n_sel += !ps_bit(bits, (int64_t)spans[i].start + k);
            ps_bit_set(bits, (int64_t)spans[i].start + k);
        }
    }
    rc = ps_buf_new((size_t)*n_sel * sizeof *at, sel, err);
    if (rc == PS_OK) {
        at = (int32_t *)(*sel)->data;
        for (size_t w = 0; w < n_words; w++)
            for (uint64_t word = bits[w]; word; word &= word - 1)
                *at++ = (int32_t)(w * 64 + (size_t)__builtin_ctzll(word));
    }
    ps_free(bits);
    return rc;
}

static ps_status live_parents(const ps_vec *vec, const ps_rows *rows, ps_buf **sel, int64_t *n_sel, ps_error *err)
{
    int32_t *at;

    PS_TRY(ps_buf_new((size_t)rows->n * sizeof *at, sel, err));
    at = (int32_t *)(*sel)->data;
    *n_sel = 0;
    PS_EACH_ROW(rows, i)
        if (!vec->valid || ps_bit(vec->valid, i))
            at[(*n_sel)++] = (int32_t)i;
    return PS_OK;
}

static ps_status cast_children(const caster *c, const ps_vec *flat, const ps_rows *rows, ps_vec *made, ps_error *err)
{
    const ps_type *to = made->type;
    ps_buf *sel = NULL;
    int64_t n_sel = 0, n_rows = flat->n_rows;
    ps_vec *child;
    ps_status rc = PS_OK;

    if (to->kind == PS_STRUCT) {
        PS_TRY(live_parents(flat, rows, &sel, &n_sel, err));
    } else {
        n_rows = flat->children[0]->n_rows;
        PS_TRY(reached(flat, rows, n_rows, &sel, &n_sel, err));
    }
    for (int i = 0; i < flat->n_children; i++) {
        ps_rows some = {n_rows, n_sel == n_rows ? NULL : (const int32_t *)sel->data, n_sel};
        PS_TRY_OR(done, cast_vec(c, flat->children[i], &some, to->fields[i].type, &child, err));
        PS_TRY_OR(done, ps_vec_add_child(made, child, err));
    }
done:
    ps_buf_unref(sel);
    return rc;
}

static ps_status cast_nested(const caster *c, ps_vec *vec, const ps_rows *rows, const ps_type *to, ps_vec **out, ps_error *err)
{
    ps_vec *flat = NULL, *made = NULL;
    ps_status rc;

    PS_TRY(ps_vec_flatten(vec, &flat, err));
    PS_TRY_OR(fail, ps_vec_new(to, flat->n_rows, flat->valid != NULL, &made, err));
    if (flat->valid)
        memcpy(made->valid, flat->valid, (size_t)(flat->n_rows + 63) / 64 * 8);
    if (to->kind != PS_STRUCT && flat->n_rows > 0)
        memcpy(made->data, flat->data, (size_t)flat->n_rows * sizeof(ps_span));
    PS_TRY_OR(fail, cast_children(c, flat, rows, made, err));
    ps_vec_unref(flat);
    *out = made;
    return PS_OK;
fail:
    ps_vec_unref(flat);
    ps_vec_unref(made);
    return rc;
}

static ps_status cast_vec(const caster *c, ps_vec *vec, const ps_rows *rows, const ps_type *to, ps_vec **out, ps_error *err)
{
    *out = NULL;
    if (vec->type->kind == PS_NULL || rows->n == 0)
        return ps_vec_null(to, rows->n_rows, out, err);
    if (ps_type_equal(vec->type, to)) {
        *out = ps_vec_ref(vec);
        return PS_OK;
    }
    if (ps_type_equal_ignoring_null(vec->type, to))
        return ps_vec_retype(vec, to, out, err);
    return ps_kind_is_nested(to->kind) ? cast_nested(c, vec, rows, to, out, err) : cast_plain(c, vec, rows, to, out, err);
}

ps_status ps_cast_vec(ps_vec *vec, const ps_rows *rows, const ps_type *to, ps_cast_mode mode, bool constant,
                      const ps_eval_env *env, ps_vec **out, ps_error *err)
{
    caster c = {mode, constant, env};

    return cast_vec(&c, vec, rows, to, out, err);
}

/* --- rows of functions.def -------------------------------------------------------------------------------------------------- */
static ps_status run_cast(ps_fn_run *run, ps_cast_mode mode, ps_vec **out, ps_error *err)
{
    return ps_cast_vec(run->args[0], run->rows, run->type, mode, run->node->args[0]->kind == PS_B_LITERAL, run->env, out, err);
}

ps_status psi_cast(ps_fn_run *run, ps_vec **out, ps_error *err);
ps_status psi_cast(ps_fn_run *run, ps_vec **out, ps_error *err)
{
    return run_cast(run, run->env->ansi ? PS_CAST_ANSI : PS_CAST_LEGACY, out, err);
}

ps_status psi_try_cast(ps_fn_run *run, ps_vec **out, ps_error *err);
ps_status psi_try_cast(ps_fn_run *run, ps_vec **out, ps_error *err)
{
    return run_cast(run, PS_CAST_TRY, out, err);
}
