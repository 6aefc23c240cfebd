/* expr/cast_text.c - casts from text to anything, and from anything to text. */
#include "base/int128.h"
#include "col/text.h"
#include "col/type_text.h"
#include "expr/cast_int.h"
#include "expr/fn_args.h"

/* --- text to numbers and booleans ------------------------------------------------------------------------------ */
/* Without ANSI a fraction is read and dropped: "1.9" is 1, "1e3" is none. */
static bool parse_integer(const ps_fn_run *run, ps_slice text, int64_t *out)
{
    const char *dot;
    ps_slice whole = text;

    if (ps_parse_int64(text, out))
        return true;
    if (psi_cast_of(run)->mode != PS_CAST_LEGACY || !text.n_bytes || !(dot = memchr(text.data, '.', text.n_bytes)))
        return false;
    whole.n_bytes = (size_t)(dot - text.data);
    for (const char *p = dot + 1; p < text.data + text.n_bytes; p++)
        if (*p < '0' || *p > '9')
            return false;
    if (whole.n_bytes == 0 || (whole.n_bytes == 1 && (*whole.data == '-' || *whole.data == '+'))) {
        *out = 0;
        return text.n_bytes > whole.n_bytes + 1;
    }
    return ps_parse_int64(whole, out);
}

#define TEXT_TO_INT(to, OUT)                                                                       \
    PS_KERNEL_1(cast_STRING_##to, ps_str, OUT)                                                     \
    {                                                                                              \
        int64_t value = 0;                                                                         \
        if (PS_LIKELY(parse_integer(run, psi_trim(ps_str_slice(&x)), &value) && (OUT)value == value)) { \
            *out = (OUT)value;                                                                     \
            return PS_OK;                                                                          \
        }                                                                                          \
        *out = 0;                                                                                  \
        return psi_cast_malformed(run, ps_str_slice(&x), null, err);                               \
    }
TEXT_TO_INT(INT8, int8_t)
TEXT_TO_INT(INT16, int16_t)
TEXT_TO_INT(INT32, int32_t)
TEXT_TO_INT(INT64, int64_t)

#define TEXT_TO(to, OUT, PARSED)                                                                   \
    PS_KERNEL_1(cast_STRING_##to, ps_str, OUT)                                                     \
    {                                                                                              \
        ps_slice text = psi_trim(ps_str_slice(&x));                                                \
        if (PS_LIKELY(PARSED))                                                                     \
            return PS_OK;                                                                          \
        *out = 0;                                                                                  \
        return psi_cast_malformed(run, ps_str_slice(&x), null, err);                               \
    }
TEXT_TO(FLOAT, float, ps_parse_float_java(text, out))
TEXT_TO(DOUBLE, double, ps_parse_double_java(text, out))

/* Malformed text and a number that is too large are different errors: a number of any size reads as DOUBLE. */
PS_KERNEL_1(cast_STRING_DECIMAL, ps_str, ps_int128)
{
    ps_slice text = psi_trim(ps_str_slice(&x));
    ps_int128 x38;
    double any;

    if (PS_LIKELY(ps_parse_decimal(text, run->type->precision, run->type->scale, out)))
        return PS_OK;
    *out = 0;
    if (ps_parse_double(text, &any) && !ps_parse_decimal(text, 38, 0, &x38) && psi_cast_of(run)->mode == PS_CAST_ANSI)
        return ps_raise(err, PS_E_NUMERIC_SUPPORTED_RANGE, (int)text.n_bytes, text.data);
    if (ps_parse_double(text, &any))
        return psi_cast_beyond_decimal(run, text.data, (int)text.n_bytes, null, err);
    return psi_cast_malformed(run, ps_str_slice(&x), null, err);
}

static bool parse_bool(ps_slice text, uint8_t *out)
{
    static const char *const words[] = {"f", "false", "n", "no", "0", "t", "true", "y", "yes", "1"};

    for (size_t i = 0; i < PS_COUNT_OF(words); i++)
        if (ps_slice_equal_nocase(text, ps_slice_of(words[i]))) {
            *out = i >= PS_COUNT_OF(words) / 2;
            return true;
        }
    return false;
}
TEXT_TO(BOOL, uint8_t, parse_bool(text, out))

/* --- text to dates, times and intervals --------------------------------------------------------------------------- */
/* now, today and the like, which only a program's own text may say.  Read as of a zone: UTC's words give a local time. */
static bool special_word(const ps_fn_run *run, ps_slice text, const ps_zone *zone, int64_t now, int64_t *out)
{
    return psi_cast_of(run)->constant && ps_parse_time_word(text, zone, now, out);
}

static bool special_local(const ps_fn_run *run, ps_slice text, int64_t *local_us)
{
    int64_t now = run->env->batch_time_us;

    return special_word(run, text, ps_zone_utc(), now + ps_zone_offset_us(run->env->zone, now), local_us);
}

static bool parse_date(const ps_fn_run *run, ps_slice text, int32_t *out)
{
    int64_t local;

    if (PS_LIKELY(ps_parse_date(text, out)))
        return true;
    if (!special_local(run, text, &local))
        return false;
    *out = (int32_t)ps_floor_div(local, PS_US_DAY);
    return true;
}

static bool parse_timestamp(const ps_fn_run *run, ps_slice text, int64_t *out)
{
    bool has_zone;

    return PS_LIKELY(ps_parse_timestamp(text, run->env->zone, out, &has_zone)) ||
           special_word(run, text, run->env->zone, run->env->batch_time_us, out);
}
TEXT_TO(DATE, int32_t, parse_date(run, text, out))
TEXT_TO(TIMESTAMP, int64_t, parse_timestamp(run, text, out))
TEXT_TO(TIMESTAMP_NTZ, int64_t, ps_parse_timestamp_ntz(text, true, out) || special_local(run, text, out))

static ps_status bad_interval(const ps_fn_run *run, ps_slice text, bool *null, ps_error *err)
{
    if (psi_cast_of(run)->mode == PS_CAST_ANSI)
        return ps_raise(err, PS_E_INTERVAL_FORMAT, (int)text.n_bytes, text.data, ps_type_name(run->type));
    *null = true;
    return PS_OK;
}

PS_KERNEL_1(cast_STRING_DAYTIME, ps_str, int64_t)
{
    if (ps_parse_interval_fields(psi_trim(ps_str_slice(&x)), run->type, out))
        return PS_OK;
    *out = 0;
    return bad_interval(run, ps_str_slice(&x), null, err);
}

PS_KERNEL_1(cast_STRING_YEARMONTH, ps_str, int32_t)
{
    int64_t months = 0;
    bool read = ps_parse_interval_fields(psi_trim(ps_str_slice(&x)), run->type, &months);

    *out = (int32_t)months;
    return read ? PS_OK : bad_interval(run, ps_str_slice(&x), null, err);
}

PS_KERNEL_1(cast_STRING_CALENDAR, ps_str, ps_calendar)
{
    if (ps_parse_interval(psi_trim(ps_str_slice(&x)), out))
        return PS_OK;
    *out = (ps_calendar){0, 0, 0};
    return psi_cast_malformed(run, ps_str_slice(&x), null, err);
}

/* --- anything to text ------------------------------------------------------------------------------------------------ */
/* Short texts lie in their views, the others in a buffer that is pinned when there are any. */
#define NUMBER_TO_TEXT(from, X, FORMATTED)                                                         \
    PSI_KERNEL(cast_##from##_STRING)                                                               \
    {                                                                                              \
        ps_buf *buf = NULL;                                                                        \
        psi_loop loop;                                                                             \
        char *to, *start;                                                                          \
        ps_str *out;                                                                               \
        ps_status rc;                                                                              \
        PS_TRY(psi_loop_begin(run, 1, false, &loop, err));                                         \
        PS_TRY_OR(fail, ps_buf_new((size_t)run->rows->n * PS_NUMBER_TEXT, &buf, err));             \
        to = start = (char *)buf->data;                                                            \
        out = loop.vec->data;                                                                      \
        PS_EACH_ROW(run->rows, i) {                                                                \
            if (loop.vec->valid && !ps_bit(loop.vec->valid, i))                                    \
                continue;                                                                          \
            X x = PSI_VALUE(X, 0);                                                                 \
            int n = FORMATTED;                                                                     \
            out[i] = ps_str_make(to, (uint32_t)n);                                                 \
            to += n > PS_STR_INLINE ? n : 0;                                                       \
        }                                                                                          \
        PS_TRY_OR(fail, to > start ? ps_vec_pin(loop.vec, buf, err) : PS_OK);                      \
        ps_buf_unref(buf);                                                                         \
        *result = loop.vec;                                                                        \
        return PS_OK;                                                                              \
    fail:                                                                                          \
        ps_buf_unref(buf);                                                                         \
        ps_vec_unref(loop.vec);                                                                    \
        return rc;                                                                                 \
    }
NUMBER_TO_TEXT(INT8, int8_t, ps_format_int64(x, to))
NUMBER_TO_TEXT(INT16, int16_t, ps_format_int64(x, to))
NUMBER_TO_TEXT(INT32, int32_t, ps_format_int64(x, to))
NUMBER_TO_TEXT(INT64, int64_t, ps_format_int64(x, to))
NUMBER_TO_TEXT(FLOAT, float, ps_format_float(x, to))
NUMBER_TO_TEXT(DOUBLE, double, ps_format_double(x, to))
NUMBER_TO_TEXT(DECIMAL, ps_int128, ps_format_decimal(x, psi_cast_of(run)->from->scale, to))
NUMBER_TO_TEXT(DATE, int32_t, ps_format_date(x, to))
NUMBER_TO_TEXT(TIMESTAMP, int64_t, ps_format_timestamp(x, run->env->zone, to))
NUMBER_TO_TEXT(TIMESTAMP_NTZ, int64_t, ps_format_timestamp_ntz(x, to))
PS_KERNEL_1(cast_BOOL_STRING, uint8_t, ps_str)
{
    *out = x ? ps_str_make("true", 4) : ps_str_make("false", 5);
    return PS_OK;
}

/* Intervals, arrays, maps and structs. */
static ps_status value_row(const ps_fn_run *run, const ps_view *views, int64_t i, ps_bytes *text, ps_error *err)
{
    PS_UNUSED(views);
    return ps_text_of_value(run->args[0], i, run->env->zone, text, err);
}
static ps_status cast_value_STRING(ps_fn_run *run, ps_vec **result, ps_error *err)
{
    return psi_kernel_texts(run, 1, value_row, result, err);
}

/* STRING to BINARY and back: the same bytes. */
static ps_status cast_bytes(ps_fn_run *run, ps_vec **result, ps_error *err)
{
    return ps_vec_retype(run->args[0], run->type, result, err);
}

/* Integers as big-endian bytes: only without ANSI. */
#define INT_TO_BINARY(from, X)                                                                     \
    PS_KERNEL_1(cast_##from##_BINARY, X, ps_str)                                                   \
    {                                                                                              \
        char bytes[sizeof x];                                                                      \
        for (size_t i = 0; i < sizeof x; i++)                                                      \
            bytes[i] = (char)((uint64_t)(int64_t)x >> (8 * (sizeof x - 1 - i)));                   \
        *out = ps_str_make(bytes, sizeof x);                                                       \
        return PS_OK;                                                                              \
    }
INT_TO_BINARY(INT8, int8_t)
INT_TO_BINARY(INT16, int16_t)
INT_TO_BINARY(INT32, int32_t)
INT_TO_BINARY(INT64, int64_t)

/* --- the tables ----------------------------------------------------------------------------------------------------------- */
#define FROM(to) [PS_##to] = psi_cast_STRING_##to
static const ps_fn_kernel from_text[PS_KIND_COUNT] = {
    FROM(BOOL), FROM(INT8), FROM(INT16), FROM(INT32), FROM(INT64), FROM(FLOAT), FROM(DOUBLE), FROM(DECIMAL), FROM(DATE),
    FROM(TIMESTAMP), FROM(TIMESTAMP_NTZ), FROM(DAYTIME), FROM(YEARMONTH), FROM(CALENDAR), [PS_BINARY] = cast_bytes,
};
#define TO(from) [PS_##from] = psi_cast_##from##_STRING
static const ps_fn_kernel to_text[PS_KIND_COUNT] = {
    TO(BOOL), TO(INT8), TO(INT16), TO(INT32), TO(INT64), TO(FLOAT), TO(DOUBLE), TO(DECIMAL), TO(DATE), TO(TIMESTAMP),
    TO(TIMESTAMP_NTZ), [PS_BINARY] = cast_bytes, [PS_DAYTIME] = cast_value_STRING, [PS_YEARMONTH] = cast_value_STRING,
    [PS_CALENDAR] = cast_value_STRING, [PS_ARRAY] = cast_value_STRING, [PS_MAP] = cast_value_STRING,
    [PS_STRUCT] = cast_value_STRING,
};
static const ps_fn_kernel to_binary[PS_KIND_COUNT] = {
    [PS_INT8] = psi_cast_INT8_BINARY, [PS_INT16] = psi_cast_INT16_BINARY, [PS_INT32] = psi_cast_INT32_BINARY,
    [PS_INT64] = psi_cast_INT64_BINARY,
};

ps_fn_kernel psi_cast_text_kernel(ps_kind from, ps_kind to)
{
    if (from == PS_STRING)
        return from_text[to];
    if (to == PS_STRING)
        return to_text[from];
    return to == PS_BINARY ? to_binary[from] : NULL;
}
