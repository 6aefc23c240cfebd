/*
 * expr/fn_format.c - format_number and format_string (java.util.Formatter: %s %d %x %o %f %e %g %b %c %n %%).
 */
#include "base/int128.h"
#include "col/text.h"
#include "col/type_text.h"
#include "expr/fn_args.h"
#include "expr/fn_int.h"
#include "expr/text_case.h"

/* --- decimal digits ---------------------------------------------------------------------------------------------------------- */
/* A finite number as digits and a scale, from its shortest text (doubles) or exactly. */
typedef struct number {
    bool negative;
    char digits[400]; /* without leading zeros, but one */
    int n;            /* of them */
    int scale;        /* the last so many stand behind the point; negative: zeros follow */
} number;

static void number_from_text(ps_slice text, number *out)
{
    int exponent = 0, places = 0;
    bool fraction = false, started = false;

    *out = (number){0};
    for (size_t i = 0; i < text.n_bytes; i++) {
        char c = text.data[i];
        if (c == '-') {
            out->negative = true;
        } else if (c == '.') {
            fraction = true;
        } else if (c == 'E') {
            bool below = text.data[i + 1] == '-';
            for (i += 1 + below; i < text.n_bytes; i++)
                exponent = exponent * 10 + (text.data[i] - '0');
            exponent = below ? -exponent : exponent;
        } else {
            places += fraction;
            started |= c != '0';
            if (started && out->n < (int)sizeof out->digits - 2)
                out->digits[out->n++] = c;
        }
    }
    out->scale = places - exponent;
    if (out->n == 0) {
        out->digits[out->n++] = '0';
        out->scale = 0;
    }
}

static void number_from_double(double value, number *out)
{
    char text[PS_NUMBER_TEXT];

    number_from_text((ps_slice){text, (size_t)ps_format_double(value, text)}, out);
}

/* Rounds to `scale` places; half_even for format_number, else half up. */
static void round_number(number *x, int scale, bool half_even)
{
    int drop = x->scale - scale, at = x->n - drop;
    bool up;

    if (drop <= 0)
        return;
    if (at < 0) {
        x->n = 0;
        up = false;
    } else {
        bool tie = x->digits[at] == '5';
        for (int i = at + 1; i < x->n && tie; i++)
            tie = x->digits[i] == '0';
        up = x->digits[at] > '5' || (x->digits[at] == '5' && (!tie || !half_even || (at > 0 && (x->digits[at - 1] - '0') % 2 == 1)));
        x->n = at;
    }
    x->scale = scale;
    for (at = x->n - 1; up && at >= 0; at--) {
        up = x->digits[at] == '9';
        x->digits[at] = up ? '0' : (char)(x->digits[at] + 1);
    }
    if (up) {
        memmove(x->digits + 1, x->digits, (size_t)x->n);
        x->digits[0] = '1';
        x->n++;
    }
    if (x->n == 0)
        x->digits[x->n++] = '0';
}

/* The digits with `places` behind the point, and commas between thousands. */
static ps_status put_number(const number *x, int places, int min_whole, bool commas, ps_bytes *out, ps_error *err)
{
    int whole = x->n - x->scale, first = whole > min_whole ? whole : min_whole;

    for (int left = first; left > 0; left--) { /* the digit that `left - 1` others follow before the point */
        int at = whole - left;
        PS_TRY(ps_bytes_char(out, at >= 0 && at < x->n ? x->digits[at] : '0', err));
        if (commas && left > 1 && left % 3 == 1)
            PS_TRY(ps_bytes_char(out, ',', err));
    }
    if (places > 0)
        PS_TRY(ps_bytes_char(out, '.', err));
    for (int i = 0; i < places; i++) {
        int at = whole + i;
        PS_TRY(ps_bytes_char(out, at >= 0 && at < x->n ? x->digits[at] : '0', err));
    }
    return PS_OK;
}

static bool is_zero(const number *x)
{
    for (int i = 0; i < x->n; i++)
        if (x->digits[i] != '0')
            return false;
    return true;
}

/* A value of any numeric type; false for NaN and the infinities, whose text is left in `text`. */
static bool read_number(const ps_fn_run *run, const ps_view *view, int arg, int64_t i, number *out, ps_slice *text)
{
    static const char *const odd[] = {"NaN", "Infinity", "-Infinity"};
    char digits[PS_NUMBER_TEXT];
    double value;
    int n;

    switch (run->args[arg]->type->kind) {
    case PS_INT8:
        n = ps_format_int64(PSI_AT(int8_t, view, i), digits);
        break;
    case PS_INT16:
        n = ps_format_int64(PSI_AT(int16_t, view, i), digits);
        break;
    case PS_INT32:
        n = ps_format_int64(PSI_AT(int32_t, view, i), digits);
        break;
    case PS_INT64:
        n = ps_format_int64(PSI_AT(int64_t, view, i), digits);
        break;
    case PS_DECIMAL:
        n = ps_format_decimal(PSI_AT(ps_int128, view, i), run->args[arg]->type->scale, digits);
        break;
    default:
        value = run->args[arg]->type->kind == PS_FLOAT ? (double)PSI_AT(float, view, i) : PSI_AT(double, view, i);
        if (value - value != 0) {
            *text = ps_slice_of(odd[value != value ? 0 : value > 0 ? 1 : 2]);
            return false;
        }
        number_from_double(value, out);
        return true;
    }
    number_from_text((ps_slice){digits, (size_t)n}, out);
    return true;
}

/* --- format_number ------------------------------------------------------------------------------------------------------------------- */
/* A DecimalFormat pattern of # , 0 and one point. */
typedef struct layout {
    int min_whole, min_places, max_places;
    bool commas;
} layout;

static layout read_layout(ps_slice pattern)
{
    layout l = {0, 0, 0, false};
    bool fraction = false;

    for (size_t i = 0; i < pattern.n_bytes; i++) {
        char c = pattern.data[i];
        l.commas |= c == ',' && !fraction;
        l.min_whole += c == '0' && !fraction;
        l.min_places += c == '0' && fraction;
        l.max_places += (c == '0' || c == '#') && fraction;
        fraction |= c == '.';
    }
    return l;
}

static ps_status format_number(number *x, const layout *l, ps_bytes *out, ps_error *err)
{
    int places;

    round_number(x, l->max_places, true);
    places = x->scale > l->min_places ? x->scale : l->min_places;
    for (; places > l->min_places; places--) { /* optional places lose their zeros */
        int at = x->n - x->scale + places - 1;
        if (at >= 0 && at < x->n && x->digits[at] != '0')
            break;
    }
    if (x->negative && !is_zero(x))
        PS_TRY(ps_bytes_char(out, '-', err));
    return put_number(x, places, l->min_whole, l->commas, out, err);
}

static ps_status number_row(const ps_fn_run *run, const psi_loop *loop, int64_t i, bool *null, ps_bytes *out, ps_error *err)
{
    layout l = {1, 0, 0, true};
    ps_slice odd;
    number x;

    ps_bytes_reset(out);
    if (run->args[1]->type->kind == PS_STRING) {
        ps_slice pattern = psi_text_at(&loop->views[1], i);
        if (pattern.n_bytes > 0)
            l = read_layout(pattern);
    } else {
        int32_t places = PSI_AT(int32_t, &loop->views[1], i);
        *null = places < 0;
        if (*null)
            return PS_OK;
        l.min_places = l.max_places = places < 300 ? places : 300;
    }
    if (!read_number(run, &loop->views[0], 0, i, &x, &odd))
        return ps_bytes_append(out, odd.data, odd.n_bytes, err);
    return format_number(&x, &l, out, err);
}

PSI_KERNEL(format_number)
{
    ps_bytes text = {0};
    psi_loop loop;
    ps_builder *b;
    ps_status rc = PS_OK;

    psi_views(run, 2, &loop);
    PS_TRY(ps_build_new(run->type, run->rows->n, &b, err));
    PS_EACH_ROW(run->rows, i) {
        bool null = ps_view_is_null(&loop.views[0], i) || ps_view_is_null(&loop.views[1], i);
        if (!null)
            PS_TRY_OR(done, number_row(run, &loop, i, &null, &text, err));
        PS_TRY_OR(done, null ? ps_build_null(b, err) : ps_build_text(b, text.data, text.n_bytes, err));
    }
done:
    ps_bytes_clear(&text);
    return psi_kernel_built(run, b, rc, result, err);
}

/* --- format_string ---------------------------------------------------------------------------------------------------------------------- */
typedef struct spec {
    bool minus, plus, blank, zero, comma, paren, alternate, upper;
    int width, precision; /* precision -1: none */
    int arg;              /* from 0; -1: the next */
    char conversion;
} spec;

static int take_int(ps_slice text, size_t *at)
{
    int n = 0;

    while (*at < text.n_bytes && text.data[*at] >= '0' && text.data[*at] <= '9' && n < 100000)
        n = n * 10 + (text.data[(*at)++] - '0');
    return n;
}

static bool take_flag(spec *s, char c)
{
    switch (c) {
    case '-':
        return s->minus = true;
    case '+':
        return s->plus = true;
    case ' ':
        return s->blank = true;
    case '0':
        return s->zero = true;
    case ',':
        return s->comma = true;
    case '(':
        return s->paren = true;
    case '#':
        return s->alternate = true;
    default:
        return false;
    }
}

/* %[argument$][flags][width][.precision]conversion, the percent sign behind us. */
static bool read_spec(ps_slice format, size_t *at, spec *s)
{
    size_t start = *at;
    int n;

    *s = (spec){.precision = -1, .arg = -1};
    n = take_int(format, at);
    if (*at > start && *at < format.n_bytes && format.data[*at] == '$') {
        s->arg = n - 1;
        ++*at;
    } else {
        *at = start;
    }
    while (*at < format.n_bytes && take_flag(s, format.data[*at]))
        ++*at;
    s->width = take_int(format, at);
    if (*at < format.n_bytes && format.data[*at] == '.') {
        ++*at;
        s->precision = take_int(format, at);
    }
    if (*at >= format.n_bytes)
        return false;
    s->conversion = format.data[(*at)++];
    if (s->conversion >= 'A' && s->conversion <= 'Z') {
        s->upper = true;
        s->conversion = (char)(s->conversion + 32);
    }
    return s->conversion && strchr("sdxofegbcn%", s->conversion) != NULL;
}

static ps_status put_padded(const spec *s, ps_slice text, ps_bytes *out, ps_error *err)
{
    int64_t missing = s->width - ps_utf8_count(text);

    for (int64_t i = 0; !s->minus && i < missing; i++)
        PS_TRY(ps_bytes_char(out, ' ', err));
    if (s->upper)
        PS_TRY(psi_text_upper(text, out, err));
    else
        PS_TRY(ps_bytes_append(out, text.data, text.n_bytes, err));
    for (int64_t i = 0; s->minus && i < missing; i++)
        PS_TRY(ps_bytes_char(out, ' ', err));
    return PS_OK;
}

/* Sign and body; zeros fill the width behind the sign. */
static ps_status put_signed(const spec *s, bool negative, ps_slice body, ps_bytes *out, ps_error *err)
{
    ps_bytes text = {0};
    const char *sign = negative ? (s->paren ? "(" : "-") : s->plus ? "+" : s->blank ? " " : "";
    int64_t zeros = s->zero ? s->width - (int64_t)strlen(sign) - (int64_t)body.n_bytes - (negative && s->paren) : 0;
    ps_status rc = ps_bytes_text(&text, sign, err);

    for (; rc == PS_OK && zeros > 0; zeros--)
        rc = ps_bytes_char(&text, '0', err);
    if (rc == PS_OK)
        rc = ps_bytes_append(&text, body.data, body.n_bytes, err);
    if (rc == PS_OK && negative && s->paren)
        rc = ps_bytes_char(&text, ')', err);
    if (rc == PS_OK)
        rc = put_padded(s, ps_bytes_slice(&text), out, err);
    ps_bytes_clear(&text);
    return rc;
}

/* d.ddde+00 */
static ps_status put_scientific(number *x, int places, ps_bytes *out, ps_error *err)
{
    int exponent = is_zero(x) ? 0 : x->n - x->scale - 1, before;

    x->scale = x->n - 1; /* one digit before the point */
    before = x->n - x->scale;
    round_number(x, places, false);
    if (x->n - x->scale > before) { /* 9.99 became 10.0 */
        exponent++;
        x->n--;
        x->scale = x->n - 1;
    }
    PS_TRY(put_number(x, places, 1, false, out, err));
    return ps_bytes_printf(out, err, "e%c%02d", exponent < 0 ? '-' : '+', exponent < 0 ? -exponent : exponent);
}

static ps_status put_float(const spec *s, const ps_fn_run *run, const ps_view *view, int arg, int64_t i, ps_bytes *out, ps_error *err)
{
    int places = s->precision < 0 ? 6 : s->precision > 300 ? 300 : s->precision;
    ps_bytes body = {0};
    ps_slice odd;
    number x;
    ps_status rc;

    if (!read_number(run, view, arg, i, &x, &odd))
        return put_padded(s, odd, out, err);
    if (s->conversion == 'g') { /* `places` significant digits, with an exponent outside of 10^-4 .. 10^places */
        int magnitude = x.n - x.scale;
        places = places == 0 ? 1 : places;
        if (!is_zero(&x) && (magnitude < -3 || magnitude > places))
            rc = put_scientific(&x, places - 1, &body, err);
        else
            rc = (places -= is_zero(&x) ? 1 : magnitude, round_number(&x, places, false), put_number(&x, places, 1, s->comma, &body, err));
    } else if (s->conversion == 'e') {
        rc = put_scientific(&x, places, &body, err);
    } else {
        round_number(&x, places, false);
        rc = put_number(&x, places, 1, s->comma, &body, err);
    }
    if (rc == PS_OK)
        rc = put_signed(s, x.negative, ps_bytes_slice(&body), out, err);
    ps_bytes_clear(&body);
    return rc;
}

/* d in decimal digits; x and o show the bits of the argument's own width. */
static ps_status put_integer(const spec *s, const ps_vec *vec, const ps_view *view, int64_t i, ps_bytes *out, ps_error *err)
{
    int64_t value = psi_whole_at(vec, view, i);
    ps_bytes body = {0};
    number x;
    char text[PS_NUMBER_TEXT];
    ps_status rc;

    if (s->conversion != 'd') {
        size_t bits = ps_type_width(vec->type) * 8;
        unsigned long long shown = bits < 64 ? (uint64_t)value & ((1ull << bits) - 1) : (uint64_t)value;
        rc = ps_bytes_printf(&body, err, s->conversion == 'x' ? "%s%llx" : "%s%llo", s->alternate ? (s->conversion == 'x' ? "0x" : "0") : "", shown);
    } else {
        number_from_text((ps_slice){text, (size_t)ps_format_int64(value, text)}, &x);
        rc = put_number(&x, 0, 1, s->comma, &body, err);
    }
    if (rc == PS_OK)
        rc = put_signed(s, s->conversion == 'd' && value < 0, ps_bytes_slice(&body), out, err);
    ps_bytes_clear(&body);
    return rc;
}

static ps_status put_text(const spec *s, const ps_fn_run *run, const ps_vec *vec, const ps_view *view, int64_t i, ps_bytes *out, ps_error *err)
{
    ps_bytes text = {0};
    ps_slice shown;
    ps_status rc = PS_OK;

    if (vec->type->kind == PS_NULL || ps_view_is_null(view, i))
        rc = ps_bytes_text(&text, "null", err);
    else
        rc = ps_text_of_value(vec, i, run->env->zone, &text, err);
    shown = (ps_slice){text.data ? text.data : "", text.n_bytes};
    if (s->precision >= 0)
        shown = psi_text_part(shown, 1, s->precision, false);
    if (rc == PS_OK)
        rc = put_padded(s, shown, out, err);
    ps_bytes_clear(&text);
    return rc;
}

static ps_status bad_format(const spec *s, const ps_vec *vec, ps_error *err)
{
    return ps_raise(err, PS_E_STRING_FORMAT, s->conversion, vec ? ps_type_name(vec->type) : "no argument");
}

static ps_status put_one(const spec *s, const ps_fn_run *run, const ps_view *views, int arg, int64_t i, ps_bytes *out, ps_error *err)
{
    const ps_vec *vec = arg < run->n_args ? run->args[arg] : NULL;
    const ps_view *view = &views[arg];
    bool null;
    char bytes[4];

    if (!vec)
        return bad_format(s, NULL, err);
    null = vec->type->kind == PS_NULL || ps_view_is_null(view, i);
    if (s->conversion == 'b') {
        bool truth = !null && (vec->type->kind != PS_BOOL || PSI_AT(uint8_t, view, i));
        return put_padded(s, ps_slice_of(truth ? "true" : "false"), out, err);
    }
    if (null || s->conversion == 's')
        return put_text(s, run, vec, view, i, out, err);
    if (strchr("dxo", s->conversion) && ps_kind_is_integer(vec->type->kind))
        return put_integer(s, vec, view, i, out, err);
    if (strchr("feg", s->conversion) && (ps_kind_is_float(vec->type->kind) || vec->type->kind == PS_DECIMAL))
        return put_float(s, run, view, arg, i, out, err);
    if (s->conversion == 'c' && ps_kind_is_integer(vec->type->kind))
        return put_padded(s, (ps_slice){bytes, ps_utf8_put((uint32_t)psi_whole_at(vec, view, i), bytes)}, out, err);
    return bad_format(s, vec, err);
}

static ps_status format_row(const ps_fn_run *run, const ps_view *views, int64_t i, ps_bytes *out, ps_error *err)
{
    ps_slice format = psi_text_at(&views[0], i);
    int next = 1;
    spec s;

    for (size_t at = 0; at < format.n_bytes;) {
        if (format.data[at] != '%') {
            PS_TRY(ps_bytes_char(out, format.data[at++], err));
            continue;
        }
        at++;
        if (!read_spec(format, &at, &s))
            return bad_format(&s, NULL, err);
        if (s.conversion == 'n')
            PS_TRY(ps_bytes_char(out, '\n', err));
        else if (s.conversion == '%')
            PS_TRY(put_padded(&s, ps_slice_of("%"), out, err));
        else
            PS_TRY(put_one(&s, run, views, s.arg >= 0 ? s.arg + 1 : next++, i, out, err));
    }
    return psi_check_text_size(out->n_bytes, err);
}

PSI_KERNEL(format_string) { return psi_kernel_texts(run, 1, format_row, result, err); }

/* The places are a number, or a pattern. */
ps_status psi_bind_format_number(ps_fn_call *call, ps_error *err);
ps_status psi_bind_format_number(ps_fn_call *call, ps_error *err)
{
    if (call->args[1]->type->kind == PS_STRING)
        return PS_OK;
    if (!ps_kind_is_integer(call->args[1]->type->kind) && call->args[1]->type->kind != PS_NULL)
        return ps_fn_wrong_type(call, 1, "(INT or STRING)", err);
    return ps_fn_cast_arg(call, 1, ps_type_of(PS_INT32), err);
}
