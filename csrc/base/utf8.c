/*
 * base/utf8.c - UTF-8.
 */
#include "base/utf8.h"

size_t ps_utf8_put(uint32_t code, char *out)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | (code >> 18 & 7));
    out[1] = (char)(0x80 | (code >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

int ps_utf8_character(const uint8_t *s, size_t n, int *n_bad)
{
    uint8_t c = s[0], low = 0x80, high = 0xbf;
    int n_more;

    *n_bad = 1;
    if (c < 0x80)
        return 1;
    if (c < 0xc2 || c > 0xf4)
        return 0;
    n_more = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
    if (c == 0xe0)
        low = 0xa0;
    if (c == 0xed)
        high = 0x9f; /* no surrogates */
    if (c == 0xf0)
        low = 0x90;
    if (c == 0xf4)
        high = 0x8f;
    for (int i = 1; i <= n_more; i++) {
        if ((size_t)i >= n || s[i] < low || s[i] > high)
            return 0;
        *n_bad = i + 1;
        low = 0x80;
        high = 0xbf;
    }
    return n_more + 1;
}

size_t ps_utf8_prefix(const char *data, size_t n_bytes)
{
    const uint8_t *s = (const uint8_t *)data;
    size_t i = 0;
    int n_bad;

    while (i < n_bytes) {
        uint64_t word;
        int n;

        if (i + 8 <= n_bytes) {
            memcpy(&word, s + i, 8);
            if (!(word & 0x8080808080808080ull)) {
                i += 8;
                continue;
            }
        }
        n = ps_utf8_character(s + i, n_bytes - i, &n_bad);
        if (n == 0)
            return i;
        i += (size_t)n;
    }
    return n_bytes;
}

uint32_t ps_utf8_decode(ps_slice text, size_t at, size_t *n_bytes)
{
    const uint8_t *s = (const uint8_t *)text.data + at;
    int n_bad, n = ps_utf8_character(s, text.n_bytes - at, &n_bad);

    *n_bytes = n > 1 ? (size_t)n : 1;
    switch (n) {
    case 0: return PS_UTF8_REPLACEMENT;
    case 1: return s[0];
    case 2: return (s[0] & 31u) << 6 | (s[1] & 63u);
    case 3: return (s[0] & 15u) << 12 | (s[1] & 63u) << 6 | (s[2] & 63u);
    default: return (s[0] & 7u) << 18 | (s[1] & 63u) << 12 | (s[2] & 63u) << 6 | (s[3] & 63u);
    }
}

ps_status ps_utf8_repair(ps_slice text, ps_bytes *out, ps_error *err)
{
    while (text.n_bytes > 0) {
        size_t n = ps_utf8_prefix(text.data, text.n_bytes);
        int n_bad;

        PS_TRY(ps_bytes_append(out, text.data, n, err));
        text.data += n;
        text.n_bytes -= n;
        if (text.n_bytes == 0)
            break;
        ps_utf8_character((const uint8_t *)text.data, text.n_bytes, &n_bad);
        PS_TRY(ps_bytes_append(out, "\xef\xbf\xbd", 3, err));
        text.data += n_bad;
        text.n_bytes -= (size_t)n_bad;
    }
    return PS_OK;
}
