/* expr/text_case.c - upper and lower case. */
#include "expr/text_case.h"

static bool map_code(const psi_case_range *ranges, int n, uint32_t *code)
{
    int from = 0, to = n;

    while (from < to) {
        int middle = (from + to) / 2;
        if (ranges[middle].first <= *code)
            from = middle + 1;
        else
            to = middle;
    }
    /* A range of every second code may reach over the start of the next one. */
    for (int i = from - 1; i >= 0 && i >= from - 2; i--) {
        uint32_t distance = *code - ranges[i].first;
        if (distance % ranges[i].step == 0 && distance / ranges[i].step < ranges[i].count) {
            *code = (uint32_t)((int32_t)*code + ranges[i].delta);
            return true;
        }
    }
    return false;
}

static const char *special(const psi_case_special *specials, int n, uint32_t code)
{
    for (int i = 0; i < n; i++)
        if (specials[i].code == code)
            return specials[i].text;
    return NULL;
}

static ps_status append_code(uint32_t code, ps_bytes *out, ps_error *err)
{
    char bytes[4];

    return ps_bytes_append(out, bytes, ps_utf8_put(code, bytes), err);
}

static ps_status append_upper(uint32_t code, ps_bytes *out, ps_error *err)
{
    const char *text = special(psi_upper_specials, psi_n_upper_specials, code);

    if (text)
        return ps_bytes_text(out, text, err);
    map_code(psi_upper_ranges, psi_n_upper_ranges, &code);
    return append_code(code, out, err);
}

static bool is_cased(uint32_t code)
{
    uint32_t upper = code, lower = code;

    return map_code(psi_upper_ranges, psi_n_upper_ranges, &upper) || map_code(psi_lower_ranges, psi_n_lower_ranges, &lower);
}

/* Capital sigma ends a word: a letter stands before it and none behind. */
static bool is_final_sigma(ps_slice text, size_t at, size_t end)
{
    size_t before = at, n;

    if (at == 0)
        return false;
    do {
        before--;
    } while (before > 0 && (text.data[before] & 0xc0) == 0x80);
    return is_cased(ps_utf8_decode(text, before, &n)) && !(end < text.n_bytes && is_cased(ps_utf8_decode(text, end, &n)));
}

static ps_status append_lower(ps_slice text, size_t at, uint32_t code, size_t n, ps_bytes *out, ps_error *err)
{
    const char *several = special(psi_lower_specials, psi_n_lower_specials, code);

    if (several)
        return ps_bytes_text(out, several, err);
    if (code == 0x3a3 && is_final_sigma(text, at, at + n))
        return append_code(0x3c2, out, err);
    map_code(psi_lower_ranges, psi_n_lower_ranges, &code);
    return append_code(code, out, err);
}

/* Plain loops over bytes: the compiler makes vector code of them. */
static ps_status ascii_case(ps_slice text, char from, char flip, ps_bytes *out, ps_error *err)
{
    char *to;

    PS_TRY(ps_bytes_reserve(out, text.n_bytes, err));
    to = out->data + out->n_bytes;
    for (size_t i = 0; i < text.n_bytes; i++) {
        char c = text.data[i];
        to[i] = (char)((uint8_t)(c - from) < 26 ? c ^ flip : c);
    }
    out->n_bytes += text.n_bytes;
    return PS_OK;
}

ps_status psi_text_upper(ps_slice text, ps_bytes *out, ps_error *err)
{
    size_t n;

    if (ps_is_ascii(text))
        return ascii_case(text, 'a', 0x20, out, err);
    for (size_t at = 0; at < text.n_bytes; at += n)
        PS_TRY(append_upper(ps_utf8_decode(text, at, &n), out, err));
    return PS_OK;
}

ps_status psi_text_lower(ps_slice text, ps_bytes *out, ps_error *err)
{
    size_t n;

    if (ps_is_ascii(text))
        return ascii_case(text, 'A', 0x20, out, err);
    for (size_t at = 0; at < text.n_bytes; at += n) {
        uint32_t code = ps_utf8_decode(text, at, &n);
        PS_TRY(append_lower(text, at, code, n, out, err));
    }
    return PS_OK;
}

ps_status psi_text_initcap(ps_slice text, ps_bytes *out, ps_error *err)
{
    bool first = true;
    size_t n;

    for (size_t at = 0; at < text.n_bytes; at += n) {
        uint32_t code = ps_utf8_decode(text, at, &n);
        if (first) {
            if (!map_code(psi_title_ranges, psi_n_title_ranges, &code))
                map_code(psi_upper_ranges, psi_n_upper_ranges, &code);
            PS_TRY(append_code(code, out, err));
        } else {
            PS_TRY(append_lower(text, at, code, n, out, err));
        }
        first = code == ' ';
    }
    return PS_OK;
}
