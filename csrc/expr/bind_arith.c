/*
 * expr/bind_arith.c - what + - * / % and their like mean for the types of their operands (api-sql.md 2.7): numbers, and
 * dates, timestamps and intervals, for which they become other functions.
 */
#include "expr/bound.h"
#include "expr/fn_arith.h"

static int max_int(int a, int b) { return a > b ? a : b; }
static int min_int(int a, int b) { return a < b ? a : b; }

/* --- numbers --------------------------------------------------------------------------------------------------------- */
static ps_status raise_wrong(const ps_fn_call *call, const char *required, ps_error *err)
{
    ps_bytes text = {0};
    char *type = NULL;
    ps_status rc = ps_fn_call_text(call, &text, err);

    if (rc == PS_OK)
        rc = psi_type_name(call->args[0]->type, &type, err);
    if (rc == PS_OK)
        rc = ps_raise(err, PS_E_DT_BINARY_OP_WRONG, text.data, required, type);
    ps_bytes_clear(&text);
    ps_free(type);
    return rc;
}

#define NUMBERS "(\"NUMERIC\" or \"INTERVAL DAY TO SECOND\" or \"INTERVAL YEAR TO MONTH\" or \"INTERVAL\")"

/* After the operands were brought together: those that were alike from the start are of a wrong type. */
static ps_status raise_operands(const ps_fn_call *call, bool alike, const char *required, ps_error *err)
{
    return alike ? raise_wrong(call, required, err) : psi_raise_operands(call, err);
}

static ps_status both_to(ps_fn_call *call, const ps_type *type, ps_error *err)
{
    PS_TRY(ps_fn_cast_arg(call, 0, type, err));
    return ps_fn_cast_arg(call, 1, type, err);
}

/* The type of the result when the operands are decimals. */
static ps_status decimal_result(const ps_fn_call *call, psi_arith_op op, const ps_type **out, ps_error *err)
{
    const ps_type *a = call->args[0]->type, *b = call->args[1]->type;
    int p1 = a->precision, s1 = a->scale, p2 = b->precision, s2 = b->scale, scale;

    switch (op) {
    case PSI_ADD:
    case PSI_SUBTRACT:
        scale = max_int(s1, s2);
        return psi_decimal_adjusted(max_int(p1 - s1, p2 - s2) + scale + 1, scale, out, err);
    case PSI_MULTIPLY:
        return psi_decimal_adjusted(p1 + p2 + 1, s1 + s2, out, err);
    case PSI_QUOTIENT:
        scale = max_int(6, s1 + p2 + 1);
        return psi_decimal_adjusted(p1 - s1 + s2 + scale, scale, out, err);
    default:
        scale = max_int(s1, s2);
        return psi_decimal_adjusted(min_int(p1 - s1, p2 - s2) + scale, scale, out, err);
    }
}

static ps_status bind_numbers(ps_fn_call *call, psi_arith_op op, ps_error *err)
{
    const ps_type *type;
    bool alike = ps_type_equal(call->args[0]->type, call->args[1]->type);

    if (call->args[0]->type->kind == PS_STRING && call->args[1]->type->kind == PS_STRING) {
        if (call->ansi)
            return raise_wrong(call, NUMBERS, err);
        PS_TRY(both_to(call, ps_type_of(PS_DOUBLE), err));
    }
    if (call->args[0]->type->kind == PS_NULL && call->args[1]->type->kind == PS_NULL)
        PS_TRY(both_to(call, ps_type_of(PS_DOUBLE), err));
    PS_TRY(psi_operands(call, true, err));
    if (!psi_is_numeric(call->args[0]->type))
        return raise_operands(call, alike, NUMBERS, err);
    if (call->args[0]->type->kind == PS_DECIMAL)
        return decimal_result(call, op, &call->type, err);
    if (op == PSI_QUOTIENT)
        PS_TRY(both_to(call, ps_type_of(PS_DOUBLE), err));
    type = call->args[0]->type;
    if (!call->ansi && (op == PSI_QUOTIENT || op == PSI_REMAINDER || op == PSI_PMOD))
        call->nullable = true;
    call->type = ps_type_ref(type);
    return PS_OK;
}

/* --- times ------------------------------------------------------------------------------------------------------------ */
static bool is_interval(const ps_type *type)
{
    return type->kind == PS_DAYTIME || type->kind == PS_YEARMONTH || type->kind == PS_CALENDAR;
}

static bool is_stamp(const ps_type *type)
{
    return type->kind == PS_TIMESTAMP || type->kind == PS_TIMESTAMP_NTZ;
}

static bool has_time(const ps_type *type)
{
    return is_stamp(type) || type->kind == PS_DATE || is_interval(type);
}

static bool is_days(const ps_type *type)
{
    return type->kind == PS_DAYTIME && type->unit_from == 0 && type->unit_to == 0;
}

static void swap_args(ps_fn_call *call)
{
    ps_bound *first = call->args[0];

    call->args[0] = call->args[1];
    call->args[1] = first;
}

/* args[arg] = name(args[arg]) */
static ps_status wrap_arg(ps_fn_call *call, int arg, const char *name, ps_error *err)
{
    ps_bound *wrapped;

    PS_TRY(ps_bound_call(name, &call->args[arg], 1, call->conf, &wrapped, err));
    ps_bound_unref(call->args[arg]);
    call->args[arg] = wrapped;
    return PS_OK;
}

/* Text plus an interval is text: a cast back, which does not show. */
static ps_status bind_text_time(ps_fn_call *call, const char *name, ps_error *err)
{
    ps_bound *sum;

    PS_TRY(ps_fn_cast_arg(call, 0, ps_type_of(PS_TIMESTAMP), err));
    PS_TRY(ps_bound_call(name, call->args, 2, call->conf, &sum, err));
    ps_bound_unref(call->args[0]);
    ps_bound_unref(call->args[1]);
    call->args[0] = sum;
    call->n_args = 1;
    call->fn = ps_fn_find(ps_slice_of("cast"));
    call->type = ps_type_of(PS_STRING);
    return ps_strdup(sum->text, &call->text, err);
}

/* args[0] is the moment, args[1] the interval. */
static ps_status bind_time_interval(ps_fn_call *call, bool minus, ps_error *err)
{
    const ps_type *moment = call->args[0]->type, *interval = call->args[1]->type;
    const char *name = minus ? "time-" : "time+";

    if (interval->kind == PS_NULL) {
        PS_TRY(ps_fn_cast_arg(call, 1, ps_type_of(PS_DAYTIME), err));
        interval = call->args[1]->type;
    }
    if (moment->kind == PS_STRING)
        return bind_text_time(call, name, err);
    if (moment->kind == PS_DATE && is_days(interval)) {
        PS_TRY(wrap_arg(call, 1, "extractansiintervaldays", err));
        if (minus)
            PS_TRY(wrap_arg(call, 1, "-", err));
        return ps_fn_redirect(call, "date_add", err);
    }
    if ((moment->kind == PS_DATE && interval->kind != PS_YEARMONTH) || moment->kind == PS_NULL)
        PS_TRY(ps_fn_cast_arg(call, 0, ps_type_of(PS_TIMESTAMP), err));
    else if (moment->kind != PS_DATE && !is_stamp(moment))
        return ps_fn_wrong_type(call, 0, "TIMESTAMP", err);
    return ps_fn_redirect(call, name, err);
}

static ps_status bind_intervals(ps_fn_call *call, ps_error *err)
{
    if (call->args[0]->type->kind != call->args[1]->type->kind &&
        call->args[0]->type->kind != PS_NULL && call->args[1]->type->kind != PS_NULL)
        return ps_fn_wrong_type(call, 0, "TIMESTAMP", err);
    PS_TRY(psi_operands(call, true, err));
    call->type = ps_type_ref(call->args[0]->type);
    return PS_OK;
}

ps_status psi_bind_add(ps_fn_call *call, ps_error *err)
{
    const ps_type *l = call->args[0]->type, *r;

    if (call->n_args == 1) {
        call->type = ps_type_ref(l);
        return psi_is_numeric(l) || is_interval(l) ? PS_OK : ps_fn_wrong_type(call, 0, "NUMERIC\" or \"INTERVAL", err);
    }
    r = call->args[1]->type;
    if ((is_interval(l) && (is_interval(r) || r->kind == PS_NULL)) || (is_interval(r) && l->kind == PS_NULL))
        return bind_intervals(call, err);
    if (is_interval(l)) {
        swap_args(call);
        return bind_time_interval(call, false, err);
    }
    if (is_interval(r) || (has_time(l) && r->kind == PS_NULL))
        return bind_time_interval(call, false, err);
    if (r->kind == PS_DATE && l->kind != PS_STRING) {
        swap_args(call);
        return ps_fn_redirect(call, "date_add", err);
    }
    if (l->kind == PS_DATE && r->kind != PS_STRING)
        return ps_fn_redirect(call, "date_add", err);
    return bind_numbers(call, PSI_ADD, err);
}

static bool is_moment_or_text(const ps_type *type)
{
    return is_stamp(type) || type->kind == PS_DATE || type->kind == PS_STRING || type->kind == PS_NULL;
}

ps_status psi_bind_subtract(ps_fn_call *call, ps_error *err)
{
    const ps_type *l = call->args[0]->type, *r;

    if (call->n_args == 1)
        return psi_bind_negative(call, err);
    r = call->args[1]->type;
    if ((is_interval(l) && (is_interval(r) || r->kind == PS_NULL)) || (is_interval(r) && l->kind == PS_NULL))
        return bind_intervals(call, err);
    if (is_interval(r))
        return bind_time_interval(call, true, err);
    if (is_interval(l))
        return ps_fn_wrong_type(call, 0, "TIMESTAMP", err);
    if ((is_stamp(l) && is_moment_or_text(r)) || (is_stamp(r) && is_moment_or_text(l))) {
        bool zoned = l->kind == PS_TIMESTAMP || r->kind == PS_TIMESTAMP;
        PS_TRY(both_to(call, ps_type_of(zoned ? PS_TIMESTAMP : PS_TIMESTAMP_NTZ), err));
        return ps_fn_redirect(call, "timestamps-", err);
    }
    if ((r->kind == PS_DATE && is_moment_or_text(l)) || (l->kind == PS_DATE && r->kind == PS_STRING)) {
        PS_TRY(both_to(call, ps_type_of(PS_DATE), err));
        return ps_fn_redirect(call, "dates-", err);
    }
    if (l->kind == PS_DATE)
        return ps_fn_redirect(call, "date_sub", err);
    return bind_numbers(call, PSI_SUBTRACT, err);
}

/* args[0] is the interval, args[1] a number or text. */
static ps_status bind_scaled(ps_fn_call *call, const char *name, ps_error *err)
{
    const ps_type *by = call->args[1]->type;

    if (call->args[0]->type->kind == PS_CALENDAR)
        return ps_fn_wrong_type(call, 0, "ANSI INTERVAL", err);
    if (by->kind == PS_STRING || by->kind == PS_DECIMAL || ps_kind_is_float(by->kind))
        PS_TRY(ps_fn_cast_arg(call, 1, ps_type_of(PS_DOUBLE), err));
    else if (psi_is_numeric(by))
        PS_TRY(ps_fn_cast_arg(call, 1, ps_type_of(PS_INT64), err));
    else
        return ps_fn_wrong_type(call, 1, "NUMERIC", err);
    PS_TRY(ps_fn_redirect(call, name, err));
    ps_type_unref(call->type);
    call->type = ps_type_of(call->args[0]->type->kind);
    return PS_OK;
}

ps_status psi_bind_multiply(ps_fn_call *call, ps_error *err)
{
    if (is_interval(call->args[1]->type)) {
        swap_args(call);
        return bind_scaled(call, "interval*", err);
    }
    if (is_interval(call->args[0]->type))
        return bind_scaled(call, "interval*", err);
    return bind_numbers(call, PSI_MULTIPLY, err);
}

ps_status psi_bind_divide(ps_fn_call *call, ps_error *err)
{
    if (is_interval(call->args[0]->type))
        return bind_scaled(call, "interval/", err);
    PS_TRY(bind_numbers(call, PSI_QUOTIENT, err));
    if (strncmp(call->fn->name, "try_", 4) == 0 || !call->ansi)
        call->nullable = true;
    return PS_OK;
}

ps_status psi_bind_remainder(ps_fn_call *call, ps_error *err)
{
    return bind_numbers(call, PSI_REMAINDER, err);
}

ps_status psi_bind_div(ps_fn_call *call, ps_error *err)
{
    ps_kind l = call->args[0]->type->kind, r = call->args[1]->type->kind;

    call->type = ps_type_of(PS_INT64);
    if (!call->ansi)
        call->nullable = true;
    if (l == r && (l == PS_DAYTIME || l == PS_YEARMONTH))
        return PS_OK;
    if (ps_kind_is_float(l) || ps_kind_is_float(r) || l == PS_STRING || r == PS_STRING)
        return psi_raise_operands(call, err);
    if (l == PS_NULL && r == PS_NULL)
        return both_to(call, ps_type_of(PS_INT64), err);
    PS_TRY(psi_operands(call, true, err));
    if (ps_kind_is_integer(call->args[0]->type->kind))
        return both_to(call, ps_type_of(PS_INT64), err);
    return call->args[0]->type->kind == PS_DECIMAL ? PS_OK : raise_wrong(call, "\"NUMERIC\"", err);
}

/* --- one operand, and bits ---------------------------------------------------------------------------------------------- */
ps_status psi_bind_negative(ps_fn_call *call, ps_error *err)
{
    const ps_type *type = call->args[0]->type;

    if (type->kind == PS_STRING || type->kind == PS_NULL)
        PS_TRY(ps_fn_cast_arg(call, 0, ps_type_of(PS_DOUBLE), err));
    else if (!ps_kind_is_numeric(type->kind) && !is_interval(type))
        return ps_fn_wrong_type(call, 0, "NUMERIC\" or \"INTERVAL", err);
    if (call->fn->name[0] == '-')
        call->fn = ps_fn_find(ps_slice_of("negate"));
    ps_type_unref(call->type);
    call->type = ps_type_ref(call->args[0]->type);
    return PS_OK;
}

ps_status psi_bind_bit_op(ps_fn_call *call, ps_error *err)
{
    bool alike = ps_type_equal(call->args[0]->type, call->args[1]->type);

    if (call->args[0]->type->kind == PS_NULL && call->args[1]->type->kind == PS_NULL)
        PS_TRY(both_to(call, ps_type_of(PS_INT32), err));
    PS_TRY(psi_operands(call, false, err));
    if (!ps_kind_is_integer(call->args[0]->type->kind))
        return raise_operands(call, alike, "\"INTEGRAL\"", err);
    call->type = ps_type_ref(call->args[0]->type);
    return PS_OK;
}

/* TINYINT and SMALLINT are shifted as INT. */
ps_status psi_bind_shift(ps_fn_call *call, ps_error *err)
{
    if (call->args[0]->type->kind != PS_INT64)
        PS_TRY(ps_fn_cast_arg(call, 0, ps_type_of(PS_INT32), err));
    call->type = ps_type_ref(call->args[0]->type);
    return PS_OK;
}

ps_status psi_text_bitnot(const ps_fn_call *call, ps_bytes *out, ps_error *err)
{
    return ps_bytes_printf(out, err, "~%s", call->args[0]->text);
}

/* a + b without parentheses, as Spark shows a moment and an interval. */
ps_status psi_text_moment(const ps_fn_call *call, ps_bytes *out, ps_error *err)
{
    return ps_bytes_printf(out, err, "%s %c %s", call->args[0]->text, call->fn->name[4], call->args[1]->text);
}

ps_status psi_text_between_moments(const ps_fn_call *call, ps_bytes *out, ps_error *err)
{
    const char *name = call->fn->name;

    return ps_bytes_printf(out, err, "(%s %c %s)", call->args[0]->text, name[strlen(name) - 1], call->args[1]->text);
}

ps_status psi_text_sign(const ps_fn_call *call, ps_bytes *out, ps_error *err)
{
    return ps_bytes_printf(out, err, "(- %s)", call->args[0]->text);
}
