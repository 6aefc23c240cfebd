/*
 * fmt/charset.c - the encodings of text files.
 */
#include "fmt/charset_int.h"

/* ---- names ---- */

static const struct { const char *name; psi_charset charset; } names[] = {
    {"UTF-8", PSI_UTF8}, {"US-ASCII", PSI_ASCII}, {"ISO-8859-1", PSI_LATIN1}, {"UTF-16", PSI_UTF16},
    {"UTF-16BE", PSI_UTF16BE}, {"UTF-16LE", PSI_UTF16LE}, {"UTF-32", PSI_UTF32}, {"UTF-32BE", PSI_UTF32BE},
    {"UTF-32LE", PSI_UTF32LE}, {"UTF8", PSI_UTF8}, {"ASCII", PSI_ASCII}, {"LATIN1", PSI_LATIN1},
    {"ISO8859_1", PSI_LATIN1}, {"ISO8859-1", PSI_LATIN1}, {"UTF16", PSI_UTF16}, {"UTF32", PSI_UTF32},
};

bool psi_charset_find(const char *name, psi_charset *out)
{
    for (size_t i = 0; i < PS_COUNT_OF(names); i++) {
        if (ps_stricmp(name, names[i].name) == 0) {
            *out = names[i].charset;
            return true;
        }
    }
    return false;
}

psi_charset psi_charset_detect(const char *data, size_t n_bytes)
{
    uint8_t b[4] = {1, 1, 1, 1};

    memcpy(b, data, n_bytes < 4 ? n_bytes : 4);
    if (n_bytes >= 4 && b[0] == 0 && b[1] == 0 && b[2] == 0xfe && b[3] == 0xff)
        return PSI_UTF32BE;
    if (n_bytes >= 4 && b[0] == 0xff && b[1] == 0xfe && b[2] == 0 && b[3] == 0)
        return PSI_UTF32LE;
    if (n_bytes >= 2 && b[0] == 0xfe && b[1] == 0xff)
        return PSI_UTF16BE;
    if (n_bytes >= 2 && b[0] == 0xff && b[1] == 0xfe)
        return PSI_UTF16LE;
    if (n_bytes >= 4 && b[0] == 0 && b[1] == 0 && b[2] == 0)
        return PSI_UTF32BE;
    if (n_bytes >= 4 && b[1] == 0 && b[2] == 0 && b[3] == 0)
        return PSI_UTF32LE;
    if (n_bytes >= 2 && b[0] == 0)
        return PSI_UTF16BE;
    if (n_bytes >= 2 && b[1] == 0)
        return PSI_UTF16LE;
    return PSI_UTF8;
}

/* ---- decoding ---- */

static uint32_t unit_at(const uint8_t *s, int width, bool big)
{
    if (width == 1)
        return s[0];
    if (width == 2)
        return big ? (uint32_t)s[0] << 8 | s[1] : (uint32_t)s[1] << 8 | s[0];
    return big ? (uint32_t)s[0] << 24 | (uint32_t)s[1] << 16 | (uint32_t)s[2] << 8 | s[3]
               : (uint32_t)s[3] << 24 | (uint32_t)s[2] << 16 | (uint32_t)s[1] << 8 | s[0];
}

static int unit_width(psi_charset charset)
{
    return charset >= PSI_UTF32 ? 4 : charset >= PSI_UTF16 ? 2 : 1;
}

static bool is_big(psi_charset charset)
{
    return charset != PSI_UTF16LE && charset != PSI_UTF32LE;
}

/* One unit of input; returns the bytes written. */
static size_t decode_unit(psi_decoder *d, uint32_t c, char *out)
{
    size_t n = 0;

    if (d->charset == PSI_ASCII && c >= 0x80)
        c = PS_UTF8_REPLACEMENT;
    if (unit_width(d->charset) != 2)
        return ps_utf8_put(c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) ? PS_UTF8_REPLACEMENT : c, out);
    if (d->lead) {
        uint32_t lead = d->lead;
        d->lead = 0;
        if (c >= 0xdc00 && c <= 0xdfff)
            return ps_utf8_put(0x10000 + ((lead - 0xd800) << 10) + (c - 0xdc00), out);
        n = ps_utf8_put(PS_UTF8_REPLACEMENT, out);
    }
    if (c >= 0xd800 && c <= 0xdbff)
        d->lead = c;
    else
        n += ps_utf8_put(c >= 0xdc00 && c <= 0xdfff ? PS_UTF8_REPLACEMENT : c, out + n);
    return n;
}

size_t psi_decode(psi_decoder *d, const char *data, size_t n_bytes, bool last, char *out, size_t *n_used)
{
    const uint8_t *s = (const uint8_t *)data;
    size_t width = (size_t)unit_width(d->charset), i = 0, n = 0;

    if (!d->started && n_bytes >= width) {
        uint32_t first = unit_at(s, (int)width, true);
        uint32_t swapped = width == 2 ? 0xfffeu : 0xfffe0000u;

        if (d->charset == PSI_UTF16 && first == swapped)
            d->charset = PSI_UTF16LE;
        else if (d->charset == PSI_UTF32 && first == swapped)
            d->charset = PSI_UTF32LE;
        if (width > 1 && unit_at(s, (int)width, is_big(d->charset)) == 0xfeff)
            i = width;
        d->started = true;
    }
    for (; i + width <= n_bytes; i += width)
        n += decode_unit(d, unit_at(s + i, (int)width, is_big(d->charset)), out + n);
    if (last && (d->lead || i < n_bytes)) {
        n += ps_utf8_put(PS_UTF8_REPLACEMENT, out + n);
        d->lead = 0;
        i = n_bytes;
    }
    *n_used = i;
    return n;
}

/* ---- encoding ---- */

static void put_unit(uint32_t c, int width, bool big, char *out)
{
    for (int i = 0; i < width; i++)
        out[i] = (char)(c >> 8 * (big ? width - 1 - i : i));
}

static int encode_character(psi_charset charset, uint32_t c, char *out)
{
    int width = unit_width(charset);

    if (width == 1) {
        out[0] = c < (charset == PSI_ASCII ? 0x80u : 0x100u) ? (char)c : '?';
        return 1;
    }
    if (width == 2 && c >= 0x10000) {
        put_unit(0xd800 + ((c - 0x10000) >> 10), 2, is_big(charset), out);
        put_unit(0xdc00 + ((c - 0x10000) & 0x3ff), 2, is_big(charset), out + 2);
        return 4;
    }
    put_unit(c, width, is_big(charset), out);
    return width;
}

ps_status psi_encode(psi_charset charset, ps_slice text, bool first, ps_bytes *out, ps_error *err)
{
    if (charset == PSI_UTF8)
        return ps_bytes_append(out, text.data, text.n_bytes, err);
    PS_TRY(ps_bytes_reserve(out, text.n_bytes * 4 + 4, err));
    if (first && charset == PSI_UTF16) { /* Java's encoder writes a mark for UTF-16 alone */
        put_unit(0xfeff, 2, true, out->data + out->n_bytes);
        out->n_bytes += 2;
    }
    for (size_t i = 0, n; i < text.n_bytes; i += n) {
        uint32_t c = ps_utf8_decode(text, i, &n);
        int n_bad;

        if (c == PS_UTF8_REPLACEMENT && ps_utf8_character((const uint8_t *)text.data + i, text.n_bytes - i, &n_bad) == 0)
            n = (size_t)n_bad;
        out->n_bytes += (size_t)encode_character(charset, c, out->data + out->n_bytes);
    }
    return PS_OK;
}
