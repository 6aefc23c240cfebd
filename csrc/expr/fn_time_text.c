/*
 * expr/fn_time_text.c - dates and timestamps as text, and back, by Java's patterns; the present; conversions to and from
 * numbers; the parts that make a date.
 */
#include "base/int128.h"
#include "expr/cast.h"
#include "expr/fn_args.h"
#include "expr/fn_int.h"
#include "expr/fn_time.h"

/* --- patterns ----------------------------------------------------------------------------------------------------------- */
/* The scratch of a call: the last pattern it was asked for, compiled. */
typedef struct psi_pattern {
    ps_bytes text;
    ps_time_format *format;
} psi_pattern;
_Static_assert(sizeof(psi_pattern) <= PSI_PATTERN_BYTES, "the rows of fn_time.def reserve that much");

void psi_free_time_pattern(void *scratch);
void psi_free_time_pattern(void *scratch)
{
    psi_pattern *pattern = scratch;

    ps_time_format_free(pattern->format);
    ps_bytes_clear(&pattern->text);
}

static ps_status prepare(psi_pattern *pattern, ps_slice text, bool parser, ps_error *err)
{
    if (PS_LIKELY(pattern->format && ps_slice_equal(ps_bytes_slice(&pattern->text), text)))
        return PS_OK;
    ps_time_format_free(pattern->format);
    pattern->format = NULL;
    ps_bytes_reset(&pattern->text);
    PS_TRY(ps_bytes_append(&pattern->text, text.data, text.n_bytes, err));
    PS_TRY(ps_bytes_char(&pattern->text, 0, err));
    pattern->text.n_bytes--;
    return (parser ? ps_time_format_new_parser : ps_time_format_new)(pattern->text.data, &pattern->format, err);
}

/* An argument's zone: local time for TIMESTAMP, none for TIMESTAMP_NTZ. */
static const ps_zone *zone_of(const ps_fn_run *run, int arg)
{
    return run->args[arg]->type->kind == PS_TIMESTAMP_NTZ ? ps_zone_utc() : run->env->zone;
}

PS_KERNEL_TEXT_2(date_format, int64_t, ps_str)
{
    psi_pattern *pattern = run->scratch;

    PS_TRY(prepare(pattern, ps_str_slice(&y), false, err));
    return ps_time_format_print(pattern->format, x, zone_of(run, 0), out, err);
}

PS_KERNEL_TEXT_2(from_unixtime, int64_t, ps_str)
{
    psi_pattern *pattern = run->scratch;
    int64_t us;

    if (__builtin_mul_overflow(x, PS_US_SECOND, &us))
        us = x < 0 ? INT64_MIN : INT64_MAX;
    PS_TRY(prepare(pattern, ps_str_slice(&y), false, err));
    return ps_time_format_print(pattern->format, us, run->env->zone, out, err);
}

/* Microseconds (local ones when `local`) of text that the pattern must match. */
static ps_status parse(const ps_fn_run *run, ps_slice text, ps_slice pattern, bool local, const char *try_name, int64_t *out, bool *null, ps_error *err)
{
    psi_pattern *compiled = run->scratch;
    bool has_zone;

    *out = 0;
    PS_TRY(prepare(compiled, pattern, true, err));
    if (ps_time_format_parse(compiled->format, text, run->env->zone, out, &has_zone)) {
        if (local)
            *out += ps_zone_offset_us(run->env->zone, *out);
        return PS_OK;
    }
    *null = true;
    if (!run->env->ansi || strncmp(run->node->fn->name, "try_", 4) == 0)
        return PS_OK;
    return ps_raise(err, PS_E_CANNOT_PARSE_TIME, (int)text.n_bytes, text.data, try_name);
}

PS_KERNEL_2(parse_timestamp, ps_str, ps_str, int64_t)
{
    return parse(run, ps_str_slice(&x), ps_str_slice(&y), run->type->kind == PS_TIMESTAMP_NTZ, "try_to_timestamp", out, null, err);
}

PS_KERNEL_2(parse_date, ps_str, ps_str, int32_t)
{
    int64_t us;

    PS_TRY(parse(run, ps_str_slice(&x), ps_str_slice(&y), true, "try_to_date", &us, null, err));
    *out = (int32_t)ps_floor_div(us, PS_US_DAY);
    return PS_OK;
}

PS_KERNEL_2(parse_unix, ps_str, ps_str, int64_t)
{
    int64_t us;

    PS_TRY(parse(run, ps_str_slice(&x), ps_str_slice(&y), false, "try_to_timestamp", &us, null, err));
    *out = ps_floor_div(us, PS_US_SECOND);
    return PS_OK;
}

/* --- to_date, to_timestamp and the like: a cast, or a pattern ------------------------------------------------------------------ */
static ps_cast_mode mode_of(const char *name, bool ansi)
{
    return strncmp(name, "try_", 4) == 0 ? PS_CAST_TRY : ansi ? PS_CAST_ANSI : PS_CAST_LEGACY;
}

/* Text keeps its pattern; anything else is cast, whatever the pattern says. */
ps_status psi_bind_to_time(ps_fn_call *call, ps_error *err);
ps_status psi_bind_to_time(ps_fn_call *call, ps_error *err)
{
    const char *text = call->args[0]->text ? call->args[0]->text : "";

    if (!call->ansi && call->args[0]->type->kind == PS_STRING)
        call->nullable = true;
    return ps_check_cast(call->args[0]->type, call->type, mode_of(call->fn->name, call->ansi), text, err);
}

ps_status psi_to_time(ps_fn_run *run, ps_vec **out, ps_error *err);
ps_status psi_to_time(ps_fn_run *run, ps_vec **out, ps_error *err)
{
    if (run->n_args == 2 && run->args[0]->type->kind == PS_STRING)
        return (run->type->kind == PS_DATE ? psi_parse_date : psi_parse_timestamp)(run, out, err);
    return ps_cast_vec(run->args[0], run->rows, run->type, mode_of(run->node->fn->name, run->env->ansi), false, run->env, out, err);
}

/* --- unix_timestamp ------------------------------------------------------------------------------------------------------------ */
ps_status psi_bind_unix_timestamp(ps_fn_call *call, ps_error *err);
ps_status psi_bind_unix_timestamp(ps_fn_call *call, ps_error *err)
{
    ps_bound *now;
    ps_kind kind;

    if (call->n_args == 0) {
        PS_TRY(ps_bound_call("current_timestamp", NULL, 0, call->conf, &now, err));
        PS_TRY(ps_fn_add_arg(call, now, err));
    }
    if (call->n_args == 1)
        PS_TRY(ps_fn_add_text(call, "yyyy-MM-dd HH:mm:ss", err));
    kind = call->args[0]->type->kind;
    if (kind == PS_DATE)
        return ps_fn_cast_arg(call, 0, ps_type_of(PS_TIMESTAMP), err);
    if (kind == PS_NULL)
        return ps_fn_cast_arg(call, 0, ps_type_of(PS_STRING), err);
    if (kind != PS_STRING && kind != PS_TIMESTAMP && kind != PS_TIMESTAMP_NTZ)
        return ps_fn_wrong_type(call, 0, "(STRING or DATE or TIMESTAMP or TIMESTAMP WITHOUT TIME ZONE)", err);
    call->nullable |= kind == PS_STRING && !call->ansi;
    return PS_OK;
}

/* A TIMESTAMP is cut towards zero here, as Spark does. */
PS_KERNEL_1(unix_of_time, int64_t, int64_t)
{
    *out = (run->args[0]->type->kind == PS_TIMESTAMP ? x : ps_zone_to_utc(run->env->zone, x)) / PS_US_SECOND;
    return PS_OK;
}

ps_status psi_unix_timestamp(ps_fn_run *run, ps_vec **out, ps_error *err);
ps_status psi_unix_timestamp(ps_fn_run *run, ps_vec **out, ps_error *err)
{
    return (run->args[0]->type->kind == PS_STRING ? psi_parse_unix : psi_unix_of_time)(run, out, err);
}

/* --- numbers ------------------------------------------------------------------------------------------------------------------- */
static ps_status scaled(int64_t value, int64_t unit, int64_t *out, ps_error *err)
{
    return __builtin_mul_overflow(value, unit, out) ? ps_raise(err, PS_E_DATETIME_OVERFLOW, "the number is beyond what a TIMESTAMP can hold") : PS_OK;
}
PS_KERNEL_1(seconds_of_int64, int64_t, int64_t) { return scaled(x, PS_US_SECOND, out, err); }
PS_KERNEL_1(timestamp_millis, int64_t, int64_t) { return scaled(x, 1000, out, err); }
PS_KERNEL_1(timestamp_micros, int64_t, int64_t)
{
    *out = x;
    return PS_OK;
}

PS_KERNEL_1(seconds_of_double, double, int64_t)
{
    double us = x * 1e6;

    *null = x - x != 0;
    *out = *null || us >= 9223372036854775808.0 || us < -9223372036854775808.0 ? 0 : (int64_t)us;
    return PS_OK;
}

PS_KERNEL_1(seconds_of_decimal, ps_int128, int64_t)
{
    int scale = run->args[0]->type->scale;
    ps_int128 us = x;

    if (scale >= 6)
        us /= ps_pow10_128[scale - 6];
    else if (__builtin_mul_overflow(us, ps_pow10_128[6 - scale], &us))
        us = (ps_int128)1 << 100;
    *out = (int64_t)us;
    return *out == us ? PS_OK : ps_raise(err, PS_E_DATETIME_OVERFLOW, "the number is beyond what a TIMESTAMP can hold");
}

ps_status psi_bind_timestamp_seconds(ps_fn_call *call, ps_error *err);
ps_status psi_bind_timestamp_seconds(ps_fn_call *call, ps_error *err)
{
    ps_kind kind = call->args[0]->type->kind;

    if (kind == PS_DECIMAL)
        return PS_OK;
    call->nullable |= ps_kind_is_float(kind);
    return ps_fn_cast_arg(call, 0, ps_type_of(ps_kind_is_integer(kind) ? PS_INT64 : PS_DOUBLE), err);
}

ps_status psi_timestamp_seconds(ps_fn_run *run, ps_vec **out, ps_error *err);
ps_status psi_timestamp_seconds(ps_fn_run *run, ps_vec **out, ps_error *err)
{
    ps_kind kind = run->args[0]->type->kind;

    return (kind == PS_DECIMAL ? psi_seconds_of_decimal : kind == PS_INT64 ? psi_seconds_of_int64 : psi_seconds_of_double)(run, out, err);
}

#define FLOORED(name, unit)                                                                        \
    PS_KERNEL_1(name, int64_t, int64_t)                                                            \
    {                                                                                              \
        *out = ps_floor_div(x, unit);                                                              \
        return PS_OK;                                                                              \
    }
FLOORED(unix_seconds, PS_US_SECOND)
FLOORED(unix_millis, 1000)
FLOORED(unix_micros, 1)
PS_KERNEL_1(same_int32, int32_t, int32_t)
{
    *out = x;
    return PS_OK;
}

/* --- the present ----------------------------------------------------------------------------------------------------------------- */
static int64_t local_now(const ps_fn_run *run)
{
    return run->env->batch_time_us + ps_zone_offset_us(run->env->zone, run->env->batch_time_us);
}
ps_status psi_now(ps_fn_run *run, ps_vec **out, ps_error *err);
ps_status psi_now(ps_fn_run *run, ps_vec **out, ps_error *err) { return psi_kernel_same_int(run, run->env->batch_time_us, out, err); }
ps_status psi_local_now(ps_fn_run *run, ps_vec **out, ps_error *err);
ps_status psi_local_now(ps_fn_run *run, ps_vec **out, ps_error *err) { return psi_kernel_same_int(run, local_now(run), out, err); }
ps_status psi_today(ps_fn_run *run, ps_vec **out, ps_error *err);
ps_status psi_today(ps_fn_run *run, ps_vec **out, ps_error *err)
{
    return psi_kernel_same_int(run, ps_floor_div(local_now(run), PS_US_DAY), out, err);
}

ps_status psi_current_timezone(ps_fn_run *run, ps_vec **out, ps_error *err);
ps_status psi_current_timezone(ps_fn_run *run, ps_vec **out, ps_error *err)
{
    return psi_kernel_same_text(run, ps_zone_name(run->env->zone), out, err);
}

/* --- zones -------------------------------------------------------------------------------------------------------------------------- */
ps_status psi_zone_named(ps_slice name, const ps_zone **out, ps_error *err)
{
    char text[64];

    *out = NULL;
    if (name.n_bytes < sizeof text) {
        memcpy(text, name.data, name.n_bytes);
        text[name.n_bytes] = 0;
        if (ps_zone_find(text, out, NULL) == PS_OK)
            return PS_OK;
    }
    return ps_raise(err, PS_E_INVALID_TIMEZONE, (int)name.n_bytes, name.data);
}

/* The instant whose clock in UTC shows what x's clock shows in the zone: the time shifted, as the names say. */
PS_KERNEL_2(from_utc_timestamp, int64_t, ps_str, int64_t)
{
    const ps_zone *zone;

    PS_TRY(psi_zone_named(ps_str_slice(&y), &zone, err));
    *out = psi_local_us(zone, x);
    return PS_OK;
}

PS_KERNEL_2(to_utc_timestamp, int64_t, ps_str, int64_t)
{
    const ps_zone *zone;

    PS_TRY(psi_zone_named(ps_str_slice(&y), &zone, err));
    *out = ps_zone_to_utc(zone, x);
    return PS_OK;
}

/* convert_timezone(to, local): from the session's zone. */
ps_status psi_bind_convert_timezone(ps_fn_call *call, ps_error *err);
ps_status psi_bind_convert_timezone(ps_fn_call *call, ps_error *err)
{
    ps_bound *zone, *last;

    if (call->n_args == 2) {
        PS_TRY(ps_bound_call("current_timezone", NULL, 0, call->conf, &zone, err));
        PS_TRY(ps_fn_add_arg(call, zone, err));
        last = call->args[2];
        call->args[2] = call->args[1];
        call->args[1] = call->args[0];
        call->args[0] = last;
    }
    PS_TRY(ps_fn_cast_arg(call, 0, ps_type_of(PS_STRING), err));
    PS_TRY(ps_fn_cast_arg(call, 1, ps_type_of(PS_STRING), err));
    return ps_fn_cast_arg(call, 2, ps_type_of(PS_TIMESTAMP_NTZ), err);
}

PS_KERNEL_3(convert_timezone, ps_str, ps_str, int64_t, int64_t)
{
    const ps_zone *from, *to;
    int64_t utc;

    PS_TRY(psi_zone_named(ps_str_slice(&x), &from, err));
    PS_TRY(psi_zone_named(ps_str_slice(&y), &to, err));
    utc = ps_zone_to_utc(from, z);
    *out = psi_local_us(to, utc);
    return PS_OK;
}

/* --- window_time --------------------------------------------------------------------------------------------------------------------- */
ps_status psi_bind_window_time(ps_fn_call *call, ps_error *err);
ps_status psi_bind_window_time(ps_fn_call *call, ps_error *err)
{
    const ps_type *type = call->args[0]->type;
    int end = type->kind == PS_STRUCT ? ps_type_field_index(type, "end", true) : -1;

    if (end < 0 || (type->fields[end].type->kind != PS_TIMESTAMP && type->fields[end].type->kind != PS_TIMESTAMP_NTZ))
        return ps_fn_wrong_type(call, 0, "STRUCT", err);
    call->type = ps_type_ref(type->fields[end].type);
    return PS_OK;
}

ps_status psi_window_time(ps_fn_run *run, ps_vec **out, ps_error *err);
ps_status psi_window_time(ps_fn_run *run, ps_vec **out, ps_error *err)
{
    ps_view windows, ends;
    ps_vec *vec;

    ps_view_init(&windows, run->args[0]);
    ps_view_init(&ends, windows.base->children[ps_type_field_index(run->args[0]->type, "end", true)]);
    PS_TRY(ps_vec_new(run->type, run->rows->n_rows, true, &vec, err));
    PS_EACH_ROW(run->rows, i) {
        int64_t at = ps_at(&windows, i);
        if (ps_view_is_null(&windows, i) || ps_view_is_null(&ends, at))
            ps_bit_clear(vec->valid, i);
        else
            ((int64_t *)vec->data)[i] = PSI_AT(int64_t, &ends, at) - 1;
    }
    *out = vec;
    return PS_OK;
}
