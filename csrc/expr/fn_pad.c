/* expr/fn_pad.c - trimming and padding. */
#include "expr/fn_args.h"

/* --- trimming: trim(text), trim(characters, text) ------------------------------------------------------------------ */
enum { LEADING = 1, TRAILING = 2, BOTH = 3 };

static bool has_character(ps_slice set, const char *one, size_t width)
{
    size_t step;

    for (size_t at = 0; at < set.n_bytes; at += step) {
        step = ps_utf8_step(set, at);
        if (step == width && memcmp(set.data + at, one, width) == 0)
            return true;
    }
    return false;
}

static size_t last_character(ps_slice text)
{
    size_t at = text.n_bytes - 1;

    while (at > 0 && ((uint8_t)text.data[at] & 0xc0) == 0x80)
        at--;
    return at;
}

static ps_str trim(ps_slice text, ps_slice set, int sides)
{
    size_t step;

    while (sides & LEADING && text.n_bytes > 0 && has_character(set, text.data, step = ps_utf8_step(text, 0))) {
        text.data += step;
        text.n_bytes -= step;
    }
    while (sides & TRAILING && text.n_bytes > 0) {
        size_t at = last_character(text);
        if (!has_character(set, text.data + at, text.n_bytes - at))
            break;
        text.n_bytes = at;
    }
    return ps_str_make(text.data, (uint32_t)text.n_bytes);
}

static ps_str trim_blanks(ps_slice text, int sides)
{
    while (sides & LEADING && text.n_bytes > 0 && text.data[0] == ' ') {
        text.data++;
        text.n_bytes--;
    }
    while (sides & TRAILING && text.n_bytes > 0 && text.data[text.n_bytes - 1] == ' ')
        text.n_bytes--;
    return ps_str_make(text.data, (uint32_t)text.n_bytes);
}

#define TRIM(name, sides)                                                                          \
    PS_KERNEL_1(name##_blanks, ps_str, ps_str)                                                     \
    {                                                                                              \
        *out = trim_blanks(ps_str_slice(&x), sides);                                               \
        return PS_OK;                                                                              \
    }                                                                                              \
    PS_KERNEL_2(name##_characters, ps_str, ps_str, ps_str)                                         \
    {                                                                                              \
        *out = trim(ps_str_slice(&y), ps_str_slice(&x), sides);                                    \
        return PS_OK;                                                                              \
    }                                                                                              \
    ps_status psi_##name(ps_fn_run *run, ps_vec **out, ps_error *err);                             \
    ps_status psi_##name(ps_fn_run *run, ps_vec **out, ps_error *err)                              \
    {                                                                                              \
        return (run->n_args == 1 ? psi_##name##_blanks : psi_##name##_characters)(run, out, err);  \
    }
TRIM(trim, BOTH)
TRIM(ltrim, LEADING)
TRIM(rtrim, TRAILING)

/* btrim(text, characters) */
PS_KERNEL_2(btrim_characters, ps_str, ps_str, ps_str)
{
    *out = trim(ps_str_slice(&x), ps_str_slice(&y), BOTH);
    return PS_OK;
}
ps_status psi_btrim(ps_fn_run *run, ps_vec **out, ps_error *err);
ps_status psi_btrim(ps_fn_run *run, ps_vec **out, ps_error *err)
{
    return (run->n_args == 1 ? psi_trim_blanks : psi_btrim_characters)(run, out, err);
}

static const char *arg_text(const ps_fn_call *call, int arg) { return call->args[arg]->text ? call->args[arg]->text : ""; }

static ps_status trim_text(const ps_fn_call *call, const char *side, ps_bytes *out, ps_error *err)
{
    if (call->n_args == 1)
        return ps_bytes_printf(out, err, "%s(%s)", call->name, arg_text(call, 0));
    return ps_bytes_printf(out, err, "TRIM(%s %s FROM %s)", side, arg_text(call, 0), arg_text(call, 1));
}
ps_status psi_text_trim(const ps_fn_call *call, ps_bytes *out, ps_error *err);
ps_status psi_text_trim(const ps_fn_call *call, ps_bytes *out, ps_error *err) { return trim_text(call, "BOTH", out, err); }
ps_status psi_text_ltrim(const ps_fn_call *call, ps_bytes *out, ps_error *err);
ps_status psi_text_ltrim(const ps_fn_call *call, ps_bytes *out, ps_error *err) { return trim_text(call, "LEADING", out, err); }
ps_status psi_text_rtrim(const ps_fn_call *call, ps_bytes *out, ps_error *err);
ps_status psi_text_rtrim(const ps_fn_call *call, ps_bytes *out, ps_error *err) { return trim_text(call, "TRAILING", out, err); }

/* --- padding ----------------------------------------------------------------------------------------------------------- */
static ps_status pad(ps_slice text, int64_t length, ps_slice with, bool binary, bool left, ps_bytes *out, ps_error *err)
{
    int64_t missing = length - (binary ? (int64_t)text.n_bytes : ps_utf8_count(text));
    int64_t one = binary ? (int64_t)with.n_bytes : ps_utf8_count(with);

    if (missing <= 0 || one == 0) {
        text = psi_text_part(text, 1, length, binary);
        return ps_bytes_append(out, text.data, text.n_bytes, err);
    }
    if (!left)
        PS_TRY(ps_bytes_append(out, text.data, text.n_bytes, err));
    PS_TRY(psi_check_text_size((uint64_t)missing + text.n_bytes, err));
    for (; missing >= one; missing -= one)
        PS_TRY(ps_bytes_append(out, with.data, with.n_bytes, err));
    with = psi_text_part(with, 1, missing, binary);
    PS_TRY(ps_bytes_append(out, with.data, with.n_bytes, err));
    return left ? ps_bytes_append(out, text.data, text.n_bytes, err) : PS_OK;
}

PS_KERNEL_TEXT_3(lpad, ps_str, int32_t, ps_str)
{
    return pad(ps_str_slice(&x), y, ps_str_slice(&z), psi_arg_is_binary(run, 0), true, out, err);
}

PS_KERNEL_TEXT_3(rpad, ps_str, int32_t, ps_str)
{
    return pad(ps_str_slice(&x), y, ps_str_slice(&z), psi_arg_is_binary(run, 0), false, out, err);
}
