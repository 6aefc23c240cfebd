/* expr/fn_math.c - functions of DOUBLE, absolute values, bits. */
#include "base/int128.h"
#include "expr/fn_args.h"
#include "expr/fn_int.h"
#include <math.h>

/* The library's root, one step of Newton nearer: the cubes of whole numbers give those. */
static double cube_root(double x)
{
    double y = cbrt(x);

    return y == 0 || y - y != 0 ? y : y - (y * y * y - x) / (3 * y * y);
}

/* --- one DOUBLE --------------------------------------------------------------------------------------------------- */
#define D1(name, RESULT)                                                                           \
    PS_KERNEL_1(name, double, double)                                                              \
    {                                                                                              \
        *out = (RESULT);                                                                           \
        return PS_OK;                                                                              \
    }
/* NULL where Java's function has no value. */
#define D1_NULL(name, UNDEFINED, RESULT)                                                           \
    PS_KERNEL_1(name, double, double)                                                              \
    {                                                                                              \
        *null = (UNDEFINED);                                                                       \
        *out = *null ? 0 : (RESULT);                                                               \
        return PS_OK;                                                                              \
    }
D1(acos, acos(x))
D1(acosh, acosh(x))
D1(asin, asin(x))
D1(asinh, asinh(x))
D1(atan, atan(x))
D1(atanh, atanh(x))
D1(cbrt, cube_root(x))
D1(cos, cos(x))
D1(cosh, cosh(x))
D1(cot, 1 / tan(x))
D1(csc, 1 / sin(x))
D1(degrees, x * (180 / M_PI))
D1(exp, exp(x))
D1(expm1, expm1(x))
D1(radians, x * (M_PI / 180))
D1(rint, rint(x))
D1(sec, 1 / cos(x))
D1(sign, x > 0 ? 1.0 : x < 0 ? -1.0 : x)
D1(sin, sin(x))
D1(sinh, sinh(x))
D1(sqrt, sqrt(x))
D1(tan, tan(x))
D1(tanh, tanh(x))
D1_NULL(ln, x <= 0, log(x))
D1_NULL(log10, x <= 0, log10(x))
D1_NULL(log1p, x <= -1, log1p(x))
D1_NULL(log2, x <= 0, log2(x))

/* The sign of an interval, too. */
PS_KERNEL_1(sign_us, int64_t, double)
{
    *out = (x > 0) - (x < 0);
    return PS_OK;
}

PS_KERNEL_1(sign_months, int32_t, double)
{
    *out = (x > 0) - (x < 0);
    return PS_OK;
}

ps_status psi_sign_any(ps_fn_run *run, ps_vec **out, ps_error *err);
ps_status psi_sign_any(ps_fn_run *run, ps_vec **out, ps_error *err)
{
    ps_kind kind = run->args[0]->type->kind;

    return (kind == PS_DAYTIME ? psi_sign_us : kind == PS_YEARMONTH ? psi_sign_months : psi_sign)(run, out, err);
}

#define D2(name, RESULT)                                                                           \
    PS_KERNEL_2(name, double, double, double)                                                      \
    {                                                                                              \
        *out = (RESULT);                                                                           \
        return PS_OK;                                                                              \
    }
D2(atan2, atan2(x + 0.0, y + 0.0))
D2(hypot, hypot(x, y))

/* As Math.pow: 1 to the power of NaN is NaN there, and so is (-1) to that of infinity. */
D2(pow, y != y || ((x == 1 || x == -1) && y - y != 0) ? NAN : pow(x, y))

PS_KERNEL_2(log_base, double, double, double)
{
    *null = x <= 0 || y <= 0;
    *out = *null ? 0 : log(y) / log(x);
    return PS_OK;
}

ps_status psi_log(ps_fn_run *run, ps_vec **out, ps_error *err);
ps_status psi_log(ps_fn_run *run, ps_vec **out, ps_error *err)
{
    return (run->n_args == 1 ? psi_ln : psi_log_base)(run, out, err);
}

ps_status psi_text_log(const ps_fn_call *call, ps_bytes *out, ps_error *err);
ps_status psi_text_log(const ps_fn_call *call, ps_bytes *out, ps_error *err)
{
    const char *first = call->args[0]->text ? call->args[0]->text : "";

    if (call->n_args == 1)
        return ps_bytes_printf(out, err, "LOG(E(), %s)", first);
    return ps_bytes_printf(out, err, "LOG(%s, %s)", first, call->args[1]->text ? call->args[1]->text : "");
}

static ps_status constant_double(const ps_fn_run *run, double value, ps_vec **out, ps_error *err)
{
    ps_vec *vec;

    PS_TRY(ps_vec_new(run->type, run->rows->n_rows, false, &vec, err));
    for (int64_t i = 0; i < run->rows->n_rows; i++)
        ((double *)vec->data)[i] = value;
    *out = vec;
    return PS_OK;
}
ps_status psi_pi(ps_fn_run *run, ps_vec **out, ps_error *err);
ps_status psi_pi(ps_fn_run *run, ps_vec **out, ps_error *err) { return constant_double(run, M_PI, out, err); }
ps_status psi_e(ps_fn_run *run, ps_vec **out, ps_error *err);
ps_status psi_e(ps_fn_run *run, ps_vec **out, ps_error *err) { return constant_double(run, M_E, out, err); }

/* --- absolute values --------------------------------------------------------------------------------------------------- */
static ps_status overflow(const ps_fn_run *run, const char *what, ps_error *err)
{
    return run->env->ansi ? ps_raise(err, PS_E_ARITHMETIC_OVERFLOW, what, "") : PS_OK;
}

/* The smallest value has no counterpart: an error in ANSI mode, else it stays. */
#define ABS(name, T, U, WHAT)                                                                      \
    PS_KERNEL_1(abs_##name, T, T)                                                                  \
    {                                                                                              \
        *out = x < 0 ? (T)(0 - (U)x) : x;                                                          \
        return PS_UNLIKELY(*out < 0) ? overflow(run, WHAT, err) : PS_OK;                           \
    }
ABS(i8, int8_t, uint8_t, "byte overflow")
ABS(i16, int16_t, uint16_t, "short overflow")
ABS(i32, int32_t, uint32_t, "integer overflow")
ABS(i64, int64_t, uint64_t, "long overflow")
D1(abs_f64, fabs(x))
PS_KERNEL_1(abs_f32, float, float)
{
    *out = fabsf(x);
    return PS_OK;
}
PS_KERNEL_1(abs_decimal, ps_int128, ps_int128)
{
    *out = x < 0 ? -x : x;
    return PS_OK;
}

ps_status psi_abs(ps_fn_run *run, ps_vec **out, ps_error *err);
ps_status psi_abs(ps_fn_run *run, ps_vec **out, ps_error *err)
{
    switch (run->type->kind) {
    case PS_INT8:
        return psi_abs_i8(run, out, err);
    case PS_INT16:
        return psi_abs_i16(run, out, err);
    case PS_INT32:
    case PS_YEARMONTH:
        return psi_abs_i32(run, out, err);
    case PS_INT64:
    case PS_DAYTIME:
        return psi_abs_i64(run, out, err);
    case PS_FLOAT:
        return psi_abs_f32(run, out, err);
    case PS_DECIMAL:
        return psi_abs_decimal(run, out, err);
    default:
        return psi_abs_f64(run, out, err);
    }
}

/* --- whole numbers --------------------------------------------------------------------------------------------------------- */
PS_KERNEL_1(factorial, int32_t, int64_t)
{
    *null = x < 0 || x > 20;
    *out = 1;
    for (int32_t i = 2; i <= x && !*null; i++)
        *out *= i;
    return PS_OK;
}

PS_KERNEL_1(bit_count, int64_t, int32_t)
{
    *out = __builtin_popcountll((unsigned long long)x);
    return PS_OK;
}

/* Positions beyond the width of the argument are an error; the implicit cast to BIGINT hides it, so look behind it. */
static int width_of(const ps_bound *arg)
{
    if (arg->kind == PS_B_CALL && arg->is_implicit && arg->n_args == 1)
        arg = arg->args[0];
    return (int)ps_type_width(arg->type) * 8;
}

PS_KERNEL_2(bit_get, int64_t, int32_t, int8_t)
{
    if (y < 0 || y >= width_of(run->node->args[0]))
        return ps_raise(err, PS_E_BIT_POSITION, width_of(run->node->args[0]), (int)y);
    *out = (int8_t)(x >> y & 1);
    return PS_OK;
}

/* --- numbers as digits ---------------------------------------------------------------------------------------------------------- */
static int digits_of(uint64_t value, unsigned base, char out[65])
{
    char reversed[65];
    int n = 0;

    do {
        reversed[n++] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[value % base];
        value /= base;
    } while (value);
    for (int i = 0; i < n; i++)
        out[i] = reversed[n - 1 - i];
    return n;
}

PS_KERNEL_TEXT_1(bin, int64_t)
{
    char text[65];

    return ps_bytes_append(out, text, (size_t)digits_of((uint64_t)x, 2, text), err);
}

PS_KERNEL_TEXT_1(hex_number, int64_t)
{
    char text[65];

    return ps_bytes_append(out, text, (size_t)digits_of((uint64_t)x, 16, text), err);
}

PS_KERNEL_TEXT_1(hex_bytes, ps_str)
{
    const uint8_t *bytes = (const uint8_t *)ps_str_data(&x);
    char *to;

    PS_TRY(ps_bytes_reserve(out, (size_t)x.n_bytes * 2, err));
    to = out->data;
    for (uint32_t i = 0; i < x.n_bytes; i++) {
        *to++ = "0123456789ABCDEF"[bytes[i] >> 4];
        *to++ = "0123456789ABCDEF"[bytes[i] & 15];
    }
    out->n_bytes = (size_t)x.n_bytes * 2;
    return PS_OK;
}

ps_status psi_hex(ps_fn_run *run, ps_vec **out, ps_error *err);
ps_status psi_hex(ps_fn_run *run, ps_vec **out, ps_error *err)
{
    return (run->args[0]->type->kind == PS_INT64 ? psi_hex_number : psi_hex_bytes)(run, out, err);
}

static int digit_value(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'z' ? c - 'a' + 10 : c >= 'A' && c <= 'Z' ? c - 'A' + 10 : 99;
}

PS_KERNEL_TEXT_1(unhex, ps_str)
{
    ps_slice text = ps_str_slice(&x);
    size_t at = 0;

    if (text.n_bytes % 2 == 1) { /* a lone first digit is a byte of its own */
        *null = digit_value(text.data[0]) > 15;
        PS_TRY(ps_bytes_char(out, (char)digit_value(text.data[at++]), err));
    }
    for (; at < text.n_bytes && !*null; at += 2) {
        int high = digit_value(text.data[at]), low = digit_value(text.data[at + 1]);
        *null = high > 15 || low > 15;
        PS_TRY(ps_bytes_char(out, (char)(high << 4 | low), err));
    }
    return PS_OK;
}

/* Digits up to the first that is none in `base`; too many of them are all ones without ANSI. */
static uint64_t read_digits(ps_slice text, unsigned base, bool *overflowed)
{
    uint64_t value = 0;

    for (size_t i = 0; i < text.n_bytes && digit_value(text.data[i]) < (int)base; i++)
        if (__builtin_mul_overflow(value, (uint64_t)base, &value) ||
            __builtin_add_overflow(value, (uint64_t)digit_value(text.data[i]), &value)) {
            *overflowed = true;
            return UINT64_MAX;
        }
    return value;
}

/* A negative `to` base shows the number as signed. */
PS_KERNEL_TEXT_3(conv, ps_str, int32_t, int32_t)
{
    ps_slice text = ps_str_slice(&x);
    bool negative = false, overflowed = false;
    int64_t to = z < 0 ? -(int64_t)z : z;
    char digits[65];
    uint64_t value;

    while (text.n_bytes > 0 && text.data[0] == ' ')
        text = psi_slice_from(text, 1, text.n_bytes);
    while (text.n_bytes > 0 && text.data[text.n_bytes - 1] == ' ')
        text.n_bytes--;
    *null = text.n_bytes == 0 || y < 2 || y > 36 || to < 2 || to > 36;
    if (*null)
        return PS_OK;
    if (text.data[0] == '-') {
        negative = true;
        text = psi_slice_from(text, 1, text.n_bytes);
    }
    value = read_digits(text, (unsigned)y, &overflowed);
    if (overflowed)
        PS_TRY(overflow(run, "Overflow in function conv()", err));
    if (negative && z > 0)
        value = overflowed || (int64_t)value < 0 ? UINT64_MAX : 0 - value;
    if (z < 0 && (int64_t)value < 0) {
        value = 0 - value;
        negative = true;
    }
    if (negative && z < 0)
        PS_TRY(ps_bytes_char(out, '-', err));
    return ps_bytes_append(out, digits, (size_t)digits_of(value, (unsigned)to, digits), err);
}

/* bit_count, bit_get: any whole number, as BIGINT. */
ps_status psi_bind_bits(ps_fn_call *call, ps_error *err);
ps_status psi_bind_bits(ps_fn_call *call, ps_error *err) { return ps_fn_cast_arg(call, 0, ps_type_of(PS_INT64), err); }
