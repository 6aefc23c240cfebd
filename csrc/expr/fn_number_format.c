/*
 * expr/fn_number_format.c - to_char and to_number: numbers by patterns of 9 0 . D , G $ S MI PR; to_binary.
 */
#include "base/int128.h"
#include "col/text.h"
#include "expr/fn_args.h"
#include "expr/fn_int.h"

/* --- patterns ------------------------------------------------------------------------------------------------------------------- */
typedef enum sign_place { NO_SIGN, SIGN_FIRST, SIGN_LAST, MINUS_FIRST, MINUS_LAST, BRACKETS } sign_place;
typedef struct layout {
    char whole[64];    /* 9, 0 and , before the point */
    int n_whole, n_digits, n_places;
    bool dollar;
    sign_place sign;
} layout;

static bool take(ps_slice *text, const char *word)
{
    size_t n = strlen(word);

    if (text->n_bytes < n || !ps_slice_equal_nocase((ps_slice){text->data, n}, (ps_slice){word, n}))
        return false;
    *text = psi_slice_from(*text, n, text->n_bytes);
    return true;
}

static bool read_layout(ps_slice text, layout *l)
{
    *l = (layout){0};
    if (take(&text, "MI"))
        l->sign = MINUS_FIRST;
    else if (take(&text, "S"))
        l->sign = SIGN_FIRST;
    l->dollar = take(&text, "$");
    for (; text.n_bytes > 0 && strchr("90,Gg", *text.data) && *text.data; text = psi_slice_from(text, 1, text.n_bytes)) {
        char c = *text.data == '9' || *text.data == '0' ? *text.data : ',';
        if (l->n_whole == (int)sizeof l->whole)
            return false;
        l->n_digits += c != ',';
        l->whole[l->n_whole++] = c;
    }
    if (take(&text, ".") || take(&text, "D"))
        for (; text.n_bytes > 0 && (*text.data == '9' || *text.data == '0'); text = psi_slice_from(text, 1, text.n_bytes))
            l->n_places++;
    l->dollar |= take(&text, "$");
    if (l->sign == NO_SIGN)
        l->sign = take(&text, "MI") ? MINUS_LAST : take(&text, "S") ? SIGN_LAST : take(&text, "PR") ? BRACKETS : NO_SIGN;
    return text.n_bytes == 0 && l->n_digits + l->n_places > 0 && l->n_digits + l->n_places <= 38;
}

static ps_status constant_layout(ps_fn_call *call, layout *l, ps_error *err)
{
    char *text = NULL;
    bool valid;
    ps_status rc;

    PS_TRY(ps_fn_constant_text(call, 1, &text, err));
    valid = !text || read_layout(ps_slice_of(text), l);
    rc = valid ? PS_OK : ps_raise(err, PS_E_NUMBER_FORMAT_TEXT, text);
    if (!text)
        *l = (layout){.n_digits = 1};
    ps_free(text);
    return rc;
}

/* --- to_char ------------------------------------------------------------------------------------------------------------------------ */
/* A DECIMAL of the pattern's places. */
ps_status psi_bind_to_char(ps_fn_call *call, ps_error *err);
ps_status psi_bind_to_char(ps_fn_call *call, ps_error *err)
{
    const ps_type *decimal;
    ps_kind kind = call->args[0]->type->kind;
    layout l;
    ps_status rc;

    if (kind == PS_DECIMAL)
        return constant_layout(call, &l, err);
    if (!ps_kind_is_numeric(kind))
        return ps_fn_wrong_type(call, 0, "NUMERIC", err);
    PS_TRY(constant_layout(call, &l, err));
    PS_TRY(ps_type_decimal(38, ps_kind_is_float(kind) ? 18 : 0, &decimal, err));
    rc = ps_fn_cast_arg(call, 0, decimal, err);
    ps_type_unref(decimal);
    return rc;
}

/* The digits of |x|, exactly n_digits before the point (blanks or zeros in front) and n_places behind; false when too large. */
static bool number_digits(ps_int128 x, int scale, const layout *l, char *whole, char *places)
{
    char text[PS_NUMBER_TEXT];
    ps_int128 scaled;
    int n;

    if (!ps_int128_rescale(x < 0 ? -x : x, scale, l->n_places, &scaled))
        return false;
    n = ps_format_decimal(scaled, 0, text);
    for (int i = 0; i < l->n_places; i++)
        places[l->n_places - 1 - i] = n - 1 - i >= 0 ? text[n - 1 - i] : '0';
    n -= l->n_places;
    if (n == 1 && text[0] == '0' && l->n_places > 0)
        n = 0;
    if (n > l->n_digits)
        return false;
    for (int i = 0; i < l->n_digits; i++)
        whole[l->n_digits - 1 - i] = n - 1 - i >= 0 ? text[n - 1 - i] : ' ';
    return true;
}

static ps_status put_layout(const layout *l, bool negative, const char *digits, const char *places, ps_bytes *out, ps_error *err)
{
    bool started = false, zeros = false;
    int k = 0;

    if (l->sign == SIGN_FIRST || l->sign == MINUS_FIRST || (l->sign == NO_SIGN && negative))
        PS_TRY(ps_bytes_char(out, negative ? '-' : l->sign == SIGN_FIRST ? '+' : ' ', err));
    if (l->sign == BRACKETS && negative)
        PS_TRY(ps_bytes_char(out, '<', err));
    if (l->dollar)
        PS_TRY(ps_bytes_char(out, '$', err));
    for (int i = 0; i < l->n_whole; i++) {
        char c = l->whole[i];
        if (c == ',') {
            PS_TRY(ps_bytes_char(out, started || zeros ? ',' : ' ', err));
            continue;
        }
        zeros |= c == '0';
        started |= digits[k] != ' ';
        PS_TRY(ps_bytes_char(out, digits[k] != ' ' ? digits[k] : zeros ? '0' : ' ', err));
        k++;
    }
    if (l->n_places > 0) {
        PS_TRY(ps_bytes_char(out, '.', err));
        PS_TRY(ps_bytes_append(out, places, (size_t)l->n_places, err));
    }
    if (l->sign == SIGN_LAST || l->sign == MINUS_LAST)
        PS_TRY(ps_bytes_char(out, negative ? '-' : l->sign == SIGN_LAST ? '+' : ' ', err));
    return l->sign == BRACKETS && negative ? ps_bytes_char(out, '>', err) : PS_OK;
}

PS_KERNEL_TEXT_2(to_char, ps_int128, ps_str)
{
    char digits[40], places[40];
    layout l;

    *null = !read_layout(ps_str_slice(&y), &l);
    if (*null)
        return PS_OK;
    if (!number_digits(x, run->args[0]->type->scale, &l, digits, places)) {
        memset(digits, '#', sizeof digits);
        memset(places, '#', sizeof places);
        x = 0;
    }
    return put_layout(&l, x < 0, digits, places, out, err);
}

/* --- to_number ---------------------------------------------------------------------------------------------------------------------- */
ps_status psi_bind_to_number(ps_fn_call *call, ps_error *err);
ps_status psi_bind_to_number(ps_fn_call *call, ps_error *err)
{
    layout l;

    PS_TRY(constant_layout(call, &l, err));
    return ps_type_decimal(l.n_digits + l.n_places, l.n_places, &call->type, err);
}

static bool take_sign(ps_slice *text, bool *negative)
{
    *negative = take(text, "-");
    return *negative || take(text, "+");
}

/* Digits from the right must stand under 9 or 0, commas under commas. */
static bool match_whole(const layout *l, ps_slice whole, ps_bytes *digits, ps_error *err, ps_status *rc)
{
    int at = l->n_whole - (int)whole.n_bytes;

    if (at < 0)
        return false;
    for (size_t i = 0; i < whole.n_bytes; i++, at++) {
        bool digit = whole.data[i] >= '0' && whole.data[i] <= '9';
        if (digit == (l->whole[at] == ',') || (!digit && whole.data[i] != ','))
            return false;
        if (digit && (*rc = ps_bytes_char(digits, whole.data[i], err)) != PS_OK)
            return false;
    }
    return true;
}

static bool match_number(const layout *l, ps_slice text, ps_int128 *out, ps_error *err, ps_status *rc)
{
    bool negative = false, matches;
    ps_bytes digits = {0};
    ps_slice whole = text;
    size_t point;

    *rc = PS_OK;
    if (l->sign == SIGN_FIRST || l->sign == MINUS_FIRST)
        take_sign(&text, &negative);
    if (l->sign == BRACKETS && take(&text, "<")) {
        negative = text.n_bytes > 0 && text.data[text.n_bytes - 1] == '>';
        if (!negative)
            return false;
        text.n_bytes--;
    }
    if (l->dollar && !take(&text, "$"))
        return false;
    if ((l->sign == SIGN_LAST || l->sign == MINUS_LAST) && text.n_bytes > 0 && strchr("+-", text.data[text.n_bytes - 1])) {
        negative = text.data[text.n_bytes - 1] == '-';
        text.n_bytes--;
    }
    point = ps_slice_find(text, ps_slice_of("."), 0);
    whole = psi_slice_from(text, 0, point == SIZE_MAX ? text.n_bytes : point);
    matches = text.n_bytes > 0 && match_whole(l, whole, &digits, err, rc);
    if (matches && l->n_places > 0)
        *rc = ps_bytes_char(&digits, '.', err);
    for (size_t i = point + 1; matches && point != SIZE_MAX && i < text.n_bytes && *rc == PS_OK; i++) {
        matches = text.data[i] >= '0' && text.data[i] <= '9' && (int)(i - point) <= l->n_places;
        if (matches)
            *rc = ps_bytes_char(&digits, text.data[i], err);
    }
    matches = matches && *rc == PS_OK && ps_parse_decimal(ps_bytes_slice(&digits), l->n_digits + l->n_places, l->n_places, out);
    if (negative)
        *out = -*out;
    ps_bytes_clear(&digits);
    return matches;
}

PS_KERNEL_2(to_number, ps_str, ps_str, ps_int128)
{
    ps_slice text = ps_str_slice(&x), format = ps_str_slice(&y);
    ps_status rc = PS_OK;
    layout l;

    *out = 0;
    if (read_layout(format, &l) && match_number(&l, text, out, err, &rc))
        return PS_OK;
    PS_TRY(rc);
    *null = true;
    if (strncmp(run->node->fn->name, "try_", 4) == 0)
        return PS_OK;
    return ps_raise(err, PS_E_NUMBER_FORMAT, (int)format.n_bytes, format.data, (int)text.n_bytes, text.data);
}

/* --- to_binary ------------------------------------------------------------------------------------------------------------------------ */
static int hex_value(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static ps_status hex_bytes(ps_slice text, bool *valid, ps_bytes *out, ps_error *err)
{
    bool odd = text.n_bytes % 2 == 1;

    for (size_t at = 0; at < text.n_bytes; at += odd && at == 0 ? 1 : 2) {
        int high = odd && at == 0 ? 0 : hex_value(text.data[at]), low = hex_value(text.data[odd && at == 0 ? 0 : at + 1]);
        if (high < 0 || low < 0) {
            *valid = false;
            return PS_OK;
        }
        PS_TRY(ps_bytes_char(out, (char)(high << 4 | low), err));
    }
    return PS_OK;
}

/* Strict base64: digits in groups of four, filled up with '='. */
static ps_status base64_bytes(ps_slice text, bool *valid, ps_bytes *out, ps_error *err)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = text.n_bytes, filled;
    uint32_t word = 0;

    while (n > 0 && text.data[n - 1] == '=')
        n--;
    filled = text.n_bytes - n;
    *valid = text.n_bytes % 4 == 0 && filled <= 2;
    for (size_t i = 0; i < n && *valid; i++) {
        const char *digit = text.data[i] ? strchr(digits, text.data[i]) : NULL;
        *valid = digit != NULL;
        word = word << 6 | (uint32_t)(digit ? digit - digits : 0);
        if (i % 4 > 0)
            PS_TRY(ps_bytes_char(out, (char)(word >> (6 - 2 * (i % 4))), err));
    }
    return PS_OK;
}

PS_KERNEL_TEXT_2(to_binary, ps_str, ps_str)
{
    ps_slice text = ps_str_slice(&x), format = ps_str_slice(&y);
    bool valid = true;

    if (ps_slice_equal_nocase(format, ps_slice_of("hex")))
        PS_TRY(hex_bytes(text, &valid, out, err));
    else if (ps_slice_equal_nocase(format, ps_slice_of("base64")))
        PS_TRY(base64_bytes(text, &valid, out, err));
    else if (ps_slice_equal_nocase(format, ps_slice_of("utf-8")) || ps_slice_equal_nocase(format, ps_slice_of("utf8")))
        PS_TRY(ps_bytes_append(out, text.data, text.n_bytes, err));
    else
        valid = false;
    if (valid)
        return PS_OK;
    *null = true;
    if (strncmp(run->node->fn->name, "try_", 4) == 0)
        return PS_OK;
    return ps_raise(err, PS_E_CONVERSION_INPUT, (int)text.n_bytes, text.data);
}

/* --- sentences ---------------------------------------------------------------------------------------------------------------------------- */
static bool is_word(ps_slice text, size_t at, size_t *step)
{
    uint32_t code = ps_utf8_decode(text, at, step);

    return (code >= '0' && code <= '9') || (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z') || code == '_' || code == '\'' || code >= 0x80;
}

/* Sentences end at . ! or ? before a blank or the end. */
PS_KERNEL_BUILD_3(sentences, ps_str, ps_str, ps_str)
{
    ps_builder *sentence = ps_build_child(out, 0);
    ps_slice text = ps_str_slice(&x);
    bool open = false;
    size_t step;

    PS_TRY(ps_build_list(out, 0, err));
    for (size_t at = 0; at < text.n_bytes;) {
        size_t start = at;
        while (at < text.n_bytes && is_word(text, at, &step))
            at += step;
        if (at > start) {
            if (!open)
                PS_TRY(ps_build_list(sentence, 0, err));
            open = true;
            PS_TRY(ps_build_text(ps_build_child(sentence, 0), text.data + start, at - start, err));
            continue;
        }
        if (open && strchr(".!?", text.data[at]) && (at + 1 == text.n_bytes || text.data[at + 1] == ' ')) {
            ps_build_list_end(sentence);
            open = false;
        }
        at++;
    }
    if (open)
        ps_build_list_end(sentence);
    ps_build_list_end(out);
    return PS_OK;
}

/* The format is shown when it was written. */
ps_status psi_text_to_binary(const ps_fn_call *call, ps_bytes *out, ps_error *err);
ps_status psi_text_to_binary(const ps_fn_call *call, ps_bytes *out, ps_error *err)
{
    if (call->n_given == 2)
        return psi_call_text(call, out, err);
    return ps_bytes_printf(out, err, "%s(%s)", call->name, call->args[0]->text ? call->args[0]->text : "");
}
