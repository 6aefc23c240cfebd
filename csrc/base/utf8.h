/*
 * base/utf8.h - UTF-8: writing and reading code points, stepping through text, and how far a text is well-formed.
 *
 * Text from files may be no UTF-8 at all.  Stepping trusts first bytes: one that cannot begin a character counts as a
 * character, and a character that the end cuts off ends there.  Reading does not.
 */
#ifndef PS_BASE_UTF8_H
#define PS_BASE_UTF8_H
#include "base/bytes.h"

#define PS_UTF8_REPLACEMENT 0xfffdu

/* Writes a code point, 1 to 4 bytes, and returns how many.  It is not checked: a surrogate gets three. */
size_t ps_utf8_put(uint32_t code, char *out);
/* The length of the well-formed character at s, which n bytes (not 0) are left of, or 0; then *n_bad is the number of bytes
 * that Java's decoder replaces by one U+FFFD. */
int ps_utf8_character(const uint8_t *s, size_t n, int *n_bad);
/* The length of the well-formed beginning of the text; n_bytes when all of it is well-formed. */
size_t ps_utf8_prefix(const char *data, size_t n_bytes);
/* The code point of the character at a byte before the end, and its length; U+FFFD and 1 for what is none. */
uint32_t ps_utf8_decode(ps_slice text, size_t at, size_t *n_bytes);
/* Appends the text with each malformed sequence replaced by U+FFFD, as Java's decoder does. */
ps_status ps_utf8_repair(ps_slice text, ps_bytes *out, ps_error *err);

static inline bool ps_is_ascii(ps_slice text)
{
    uint8_t all = 0;

    for (size_t i = 0; i < text.n_bytes; i++)
        all |= (uint8_t)text.data[i];
    return all < 0x80;
}
/* Bytes of the character that begins with this byte. */
static inline size_t ps_utf8_width(uint8_t first)
{
    return first < 0xc2 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 1;
}
static inline size_t ps_utf8_step(ps_slice text, size_t at)
{
    size_t width = ps_utf8_width((uint8_t)text.data[at]);

    return width < text.n_bytes - at ? width : text.n_bytes - at;
}
/* Characters as Spark counts them: each first byte says how many belong to it, whether they do or not. */
static inline int64_t ps_utf8_count(ps_slice text)
{
    int64_t n = 0;

    if (ps_is_ascii(text))
        return (int64_t)text.n_bytes;
    for (size_t at = 0; at < text.n_bytes; at += ps_utf8_step(text, at))
        n++;
    return n;
}
/* The byte at which character n begins, or n_bytes when there are fewer. */
static inline size_t ps_utf8_offset(ps_slice text, int64_t n)
{
    size_t at = 0;

    while (n-- > 0 && at < text.n_bytes)
        at += ps_utf8_step(text, at);
    return at;
}
#endif
