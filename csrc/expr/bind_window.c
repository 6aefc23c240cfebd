/*
 * expr/bind_window.c - window(), session_window() and the explode family: what they are called and give.
 *
 * Their rows are made by operators (op/timewindow.c, op/generate.c).  After binding a window() has its durations as BIGINT
 * literals of microseconds behind the time; a session_window() has its gap so unless it is computed per row.  The type
 * of a generator is a struct of the columns that it puts out.
 */
#include "col/time.h"
#include "expr/coerce.h"
#include "expr/kernel.h"

#define US_MONTH 2678400000000ll

/* --- durations ----------------------------------------------------------------------------------------------------- */
/* "[interval] (number unit)+" with units spelled out; *months for those that have no fixed length. */
typedef struct unit_row {
    const char *name;
    int64_t us;
    int months;
} unit_row;
static const unit_row units[] = {
    {"year", 0, 12}, {"month", 0, 1}, {"week", 7 * PS_US_DAY, 0}, {"day", PS_US_DAY, 0}, {"hour", 3600000000ll, 0},
    {"minute", 60000000, 0}, {"second", PS_US_SECOND, 0}, {"millisecond", 1000, 0}, {"microsecond", 1, 0}, {"nanosecond", 0, 0},
};

static const unit_row *find_unit(ps_slice word)
{
    for (size_t i = 0; i < PS_COUNT_OF(units); i++) {
        ps_slice name = ps_slice_of(units[i].name);
        if (ps_slice_equal_nocase(word, name))
            return &units[i];
        if (word.n_bytes == name.n_bytes + 1 && (word.data[name.n_bytes] | 32) == 's' &&
            ps_slice_equal_nocase((ps_slice){word.data, name.n_bytes}, name))
            return &units[i];
    }
    return NULL;
}

static ps_slice next_word(ps_slice *rest)
{
    size_t n = 0, start = 0;

    while (start < rest->n_bytes && (unsigned char)rest->data[start] <= ' ')
        start++;
    while (start + n < rest->n_bytes && (unsigned char)rest->data[start + n] > ' ')
        n++;
    ps_slice word = {rest->data + start, n};
    *rest = (ps_slice){rest->data + start + n, rest->n_bytes - start - n};
    return word;
}

/* A number, for seconds with a fraction; in units of 1e-9. */
static bool read_number(ps_slice word, __int128 *out, bool *fraction)
{
    bool negative = false, digits = false;
    size_t i = 0;
    __int128 value = 0;
    int places = -1;

    while (i < word.n_bytes && (word.data[i] == '-' || word.data[i] == '+') && i < 1)
        negative = word.data[i++] == '-';
    for (; i < word.n_bytes; i++) {
        char c = word.data[i];
        if (c == '.' && places < 0) {
            places = 0;
        } else if (c >= '0' && c <= '9' && places < 9 && value < (__int128)1 << 90) {
            value = value * 10 + (c - '0');
            places += places >= 0;
            digits = true;
        } else {
            return false;
        }
    }
    *fraction = places >= 0;
    for (places = places < 0 ? 0 : places; places < 9; places++)
        value *= 10;
    *out = negative ? -value : value;
    return digits;
}

static bool read_duration(ps_slice text, int64_t *us, int64_t *months)
{
    ps_slice rest = text, word = next_word(&rest);
    __int128 total = 0, all_months = 0;

    if (ps_slice_equal_nocase(word, ps_slice_of("interval")))
        word = next_word(&rest);
    if (word.n_bytes == 0)
        return false;
    while (word.n_bytes > 0) {
        __int128 number;
        bool fraction, sign_alone = word.n_bytes == 1 && (*word.data == '-' || *word.data == '+');
        bool minus = sign_alone && *word.data == '-';
        const unit_row *unit;
        if (sign_alone)
            word = next_word(&rest);
        if (!read_number(word, &number, &fraction))
            return false;
        unit = find_unit(next_word(&rest));
        if (!unit || (fraction && strcmp(unit->name, "second") != 0))
            return false;
        if (minus)
            number = -number;
        all_months += unit->months * (number / 1000000000);
        if (strcmp(unit->name, "nanosecond") == 0)
            total += number / 1000000000 / 1000;
        else
            total += number / 1000 * unit->us / 1000000;
        if (total > INT64_MAX || total < INT64_MIN || all_months > INT32_MAX || all_months < INT32_MIN)
            return false;
        word = next_word(&rest);
    }
    *us = (int64_t)total;
    *months = (int64_t)all_months;
    return true;
}

ps_status ps_duration_us(ps_slice text, bool months_count, int64_t *out, ps_error *err)
{
    int64_t months;

    if (!read_duration(text, out, &months))
        return ps_raise(err, PS_E_CANNOT_PARSE_INTERVAL, (int)text.n_bytes, text.data);
    if (months == 0)
        return PS_OK;
    if (!months_count)
        return ps_raise(err, PS_E_WINDOW_MONTHS, (int)text.n_bytes, text.data);
    if (__builtin_mul_overflow(months, US_MONTH, &months) || __builtin_add_overflow(*out, months, out))
        return ps_raise(err, PS_E_CANNOT_PARSE_INTERVAL, (int)text.n_bytes, text.data);
    return PS_OK;
}

/* --- windows ------------------------------------------------------------------------------------------------------------- */
static ps_status literal_us(int64_t us, ps_bound **out, ps_error *err)
{
    ps_builder *b;
    ps_vec *value = NULL;
    ps_status rc;

    PS_TRY(ps_build_new(ps_type_of(PS_INT64), 1, &b, err));
    rc = ps_build_int(b, us, err);
    if (rc == PS_OK)
        rc = ps_build_finish(b, &value, err);
    ps_build_free(b);
    if (rc == PS_OK)
        rc = ps_bound_literal(value, out, err);
    ps_vec_unref(value);
    return rc;
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
        PS_TRY(ps_duration_us(ps_str_slice(bound->value->data), false, us, err));
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
