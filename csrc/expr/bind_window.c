/*
 * expr/bind_window.c - window(), session_window() and the explode family: what they are called and give.
 *
 * Their rows are made by operators (op/timewindow.c, op/generate.c).  After binding a window() has its durations as BIGINT
 * literals of microseconds behind the time; a session_window() has its gap so unless it is computed per row.  The type
 * of a generator is a struct of the columns that it puts out.
 */
#include "col/time.h"
#include "expr/coerce.h"
#include "expr/bound.h"
#include "expr/kernel.h"
#include <stdio.h>

/* --- durations ----------------------------------------------------------------------------------------------------- */
static ps_status duration_us(ps_slice text, int64_t *out, ps_error *err)
{
    ps_calendar duration;
    __int128 us;

    if (!ps_parse_interval(text, &duration))
        return ps_raise(err, PS_E_CANNOT_PARSE_INTERVAL, (int)text.n_bytes, text.data);
    if (duration.months != 0)
        return ps_raise(err, PS_E_WINDOW_MONTHS, (int)text.n_bytes, text.data);
    us = (__int128)duration.days * PS_US_DAY + duration.micros;
    if (us > INT64_MAX || us < INT64_MIN)
        return ps_raise(err, PS_E_CANNOT_PARSE_INTERVAL, (int)text.n_bytes, text.data);
    *out = (int64_t)us;
    return PS_OK;
}

/* --- windows ------------------------------------------------------------------------------------------------------------- */
static ps_status literal_us(int64_t us, ps_bound **out, ps_error *err)
{
    ps_builder *b;

    PS_TRY(ps_build_new(ps_type_of(PS_INT64), 1, &b, err));
    return psi_built_literal(b, ps_build_int(b, us, err), out, err);
}

/* args[arg], a literal of text or microseconds, becomes a BIGINT literal. */
static ps_status to_us(ps_fn_call *call, int arg, int64_t *us, ps_error *err)
{
    const ps_bound *bound = call->args[arg];
    ps_bound *literal;
    bool is_null = false;

    if (!ps_bound_is_literal(bound) || (bound->type->kind != PS_STRING && !ps_kind_is_integer(bound->type->kind)) ||
        ps_vec_is_null(bound->value, 0))
        return ps_raise(err, PS_E_WINDOW_DURATION);
    if (bound->type->kind == PS_STRING)
        PS_TRY(duration_us(ps_str_slice(bound->value->data), us, err));
    else
        PS_TRY(ps_fn_constant_int(call, arg, us, &is_null, err));
    PS_TRY(literal_us(*us, &literal, err));
    ps_bound_unref(call->args[arg]);
    call->args[arg] = literal;
    return PS_OK;
}

/* The type of a window over the time in args[0]; text and dates become timestamps. */
static ps_status window_type(ps_fn_call *call, ps_error *err)
{
    const ps_type *type = call->args[0]->type;
    ps_field fields[2] = {{"start", NULL, true, NULL}, {"end", NULL, true, NULL}};

    if (type->kind == PS_STRUCT && type->n_fields == 2 && strcmp(type->fields[0].name, "start") == 0 &&
        strcmp(type->fields[1].name, "end") == 0) {
        ps_bound *time;
        PS_TRY(ps_bound_call("window_time", call->args, 1, call->conf, &time, err));
        ps_bound_unref(call->args[0]);
        call->args[0] = time;
    } else if (type->kind == PS_STRING || type->kind == PS_DATE || type->kind == PS_NULL) {
        PS_TRY(ps_fn_cast_arg(call, 0, ps_type_of(PS_TIMESTAMP), err));
    } else if (type->kind != PS_TIMESTAMP && type->kind != PS_TIMESTAMP_NTZ) {
        return ps_fn_wrong_type(call, 0, "TIMESTAMP\" or \"TIMESTAMP_NTZ", err);
    }
    fields[0].type = fields[1].type = call->args[0]->type;
    ps_type_unref(call->type);
    call->type = NULL;
    return ps_type_struct(fields, 2, &call->type, err);
}

static ps_status check_positive(const ps_fn_call *call, const char *what, int64_t us, ps_error *err)
{
    if (us > 0)
        return PS_OK;
    return ps_raise(err, PS_E_DT_RANGE, call->name, what, "(0, 9223372036854775807]", (long long)us);
}

ps_status psi_bind_window(ps_fn_call *call, ps_error *err)
{
    int64_t width = 0, slide, start = 0;

    if (call->n_args < 2 || call->n_args > 4)
        return ps_raise(err, PS_E_WRONG_NUM_ARGS, "window", "[2, 4]", call->n_args);
    PS_TRY(to_us(call, 1, &width, err));
    slide = width;
    if (call->n_args > 2)
        PS_TRY(to_us(call, 2, &slide, err));
    if (call->n_args > 3)
        PS_TRY(to_us(call, 3, &start, err));
    PS_TRY(window_type(call, err));
    PS_TRY(check_positive(call, "window_duration", width, err));
    PS_TRY(check_positive(call, "slide_duration", slide, err));
    if (slide > width)
        return ps_raise(err, PS_E_DT_PARAMETER, "window", "slide_duration", (long long)slide, "<=", "window_duration", (long long)width);
    if (start == INT64_MIN || (start < 0 ? -start : start) >= slide)
        return ps_raise(err, PS_E_DT_PARAMETER, "window", "abs(start_time)", (long long)(start < 0 ? -(start + 1) : start), "<",
                        "slide_duration", (long long)slide);
    return PS_OK;
}

/* A gap that is no literal may be text or an interval, per row. */
ps_status psi_bind_session_window(ps_fn_call *call, ps_error *err)
{
    int64_t gap;
    ps_kind kind = call->args[1]->type->kind;

    PS_TRY(window_type(call, err));
    if (ps_bound_is_literal(call->args[1]))
        return to_us(call, 1, &gap, err);
    if (kind != PS_STRING && kind != PS_DAYTIME && kind != PS_CALENDAR)
        return ps_fn_wrong_type(call, 1, "STRING\" or \"INTERVAL", err);
    return PS_OK;
}

ps_status psi_text_window(const ps_fn_call *call, ps_bytes *out, ps_error *err)
{
    return ps_bytes_text(out, call->fn->name, err);
}

/* --- generators ------------------------------------------------------------------------------------------------------------ */
static ps_status generator_type(ps_fn_call *call, bool position, ps_error *err)
{
    const ps_type *type = call->args[0]->type;
    bool outer = strstr(call->fn->name, "_outer") != NULL;
    ps_field fields[3];
    int n = 0;

    if (position)
        fields[n++] = (ps_field){"pos", ps_type_of(PS_INT32), outer, NULL};
    if (type->kind == PS_MAP) {
        fields[n++] = (ps_field){"key", type->fields[0].type, outer, NULL};
        fields[n++] = (ps_field){"value", type->fields[1].type, outer || type->fields[1].nullable, NULL};
    } else {
        fields[n++] = (ps_field){"col", type->fields[0].type, outer || type->fields[0].nullable, NULL};
    }
    return ps_type_struct(fields, n, &call->type, err);
}

ps_status psi_bind_explode(ps_fn_call *call, ps_error *err)
{
    ps_kind kind = call->args[0]->type->kind;

    if (kind != PS_ARRAY && kind != PS_MAP)
        return ps_fn_wrong_type(call, 0, "ARRAY\" or \"MAP", err);
    return generator_type(call, strncmp(call->fn->name, "pos", 3) == 0, err);
}

ps_status psi_bind_inline(ps_fn_call *call, ps_error *err)
{
    const ps_type *type = call->args[0]->type;

    if (type->kind != PS_ARRAY || type->fields[0].type->kind != PS_STRUCT)
        return ps_fn_wrong_type(call, 0, "ARRAY<STRUCT>", err);
    call->type = ps_type_ref(type->fields[0].type);
    return PS_OK;
}

/* One struct of `n` values under the names c0, c1, ... (`prefix` and a number); takes nothing. */
static ps_status numbered_struct(const char *prefix, ps_bound *const *values, int n, const ps_conf *conf, ps_bound **out, ps_error *err)
{
    ps_bound **args;
    ps_status rc = PS_OK;

    PS_TRY(ps_alloc0((size_t)n * 2 * sizeof *args, &args, err));
    for (int i = 0; i < n && rc == PS_OK; i++) {
        char name[24];
        snprintf(name, sizeof name, "%s%d", prefix, i);
        rc = psi_text_literal(ps_slice_of(name), &args[2 * i], err);
        args[2 * i + 1] = ps_bound_ref(values[i]);
    }
    if (rc == PS_OK)
        rc = ps_bound_call("named_struct", args, 2 * n, conf, out, err);
    for (int i = 0; i < 2 * n; i++)
        ps_bound_unref(args[i]);
    ps_free(args);
    return rc;
}

/* The call becomes inline(array(rows...)). */
static ps_status inline_rows(ps_fn_call *call, ps_bound *const *rows, int n, ps_error *err)
{
    ps_bound *list;

    PS_TRY(ps_bound_call("array", rows, n, call->conf, &list, err));
    for (int i = 0; i < call->n_args; i++)
        ps_bound_unref(call->args[i]);
    call->args[0] = list;
    call->n_args = 1;
    return ps_fn_redirect(call, "inline", err);
}

/* stack(n, v1, v2, ...): the values in n rows; NULL where they run out. */
ps_status psi_bind_stack(ps_fn_call *call, ps_error *err)
{
    ps_bound **rows = NULL, **cells = NULL, *null = NULL;
    ps_vec *nothing = NULL;
    int64_t n = 0;
    int n_values = call->n_args - 1, width;
    bool is_null = false;
    ps_status rc;

    if (call->n_args < 2)
        return ps_raise(err, PS_E_WRONG_NUM_ARGS, "stack", "> 1", call->n_args);
    PS_TRY(ps_fn_constant_int(call, 0, &n, &is_null, err));
    if (is_null || n < 1 || n > 1000000)
        return ps_fn_wrong_type(call, 0, "INT", err);
    width = (int)((n_values + n - 1) / n);
    PS_TRY_OR(done, ps_vec_null(ps_type_of(PS_NULL), 1, &nothing, err));
    PS_TRY_OR(done, ps_bound_literal(nothing, &null, err));
    PS_TRY_OR(done, ps_alloc0((size_t)n * sizeof *rows, &rows, err));
    PS_TRY_OR(done, ps_alloc0((size_t)width * sizeof *cells, &cells, err));
    for (int64_t r = 0; r < n; r++) {
        for (int c = 0; c < width; c++)
            cells[c] = r * width + c < n_values ? call->args[1 + r * width + c] : null;
        PS_TRY_OR(done, numbered_struct("col", cells, width, call->conf, &rows[r], err));
    }
    rc = inline_rows(call, rows, (int)n, err);
done:
    for (int64_t r = 0; rows && r < n; r++)
        ps_bound_unref(rows[r]);
    ps_free(rows);
    ps_free(cells);
    ps_bound_unref(null);
    ps_vec_unref(nothing);
    return rc;
}

/* json_tuple(json, 'a', 'b'): one row of texts. */
ps_status psi_bind_json_tuple(ps_fn_call *call, ps_error *err)
{
    ps_bound **cells = NULL, *row = NULL;
    int n = call->n_args - 1;
    ps_status rc;

    PS_TRY(ps_alloc0((size_t)n * sizeof *cells, &cells, err));
    rc = PS_OK;
    for (int i = 0; i < n && rc == PS_OK; i++) {
        ps_bound *pair[2] = {NULL, call->args[i + 1]}, *path[2] = {call->args[0], NULL};
        rc = psi_text_literal(ps_slice_of("$."), &pair[0], err);
        if (rc == PS_OK)
            rc = ps_bound_call("concat", pair, 2, call->conf, &path[1], err);
        ps_bound_unref(pair[0]);
        if (rc == PS_OK)
            rc = ps_bound_call("get_json_object", path, 2, call->conf, &cells[i], err);
        ps_bound_unref(path[1]);
    }
    if (rc == PS_OK)
        rc = numbered_struct("c", cells, n, call->conf, &row, err);
    if (rc == PS_OK)
        rc = inline_rows(call, &row, 1, err);
    ps_bound_unref(row);
    for (int i = 0; i < n; i++)
        ps_bound_unref(cells[i]);
    ps_free(cells);
    return rc;
}
