/*
 * base/utf8.h - UTF-8: writing a code point, and how far a text is well-formed.
 */
#ifndef PS_BASE_UTF8_H
#define PS_BASE_UTF8_H
#include "base/bytes.h"

/* Writes a code point, 1 to 4 bytes, and returns how many.  It is not checked: a surrogate gets three. */
size_t ps_utf8_put(uint32_t code, char *out);
/* The length of the well-formed character at s, which n bytes (not 0) are left of, or 0; then *n_bad is the number of bytes
 * that Java's decoder replaces by one U+FFFD. */
int ps_utf8_character(const uint8_t *s, size_t n, int *n_bad);
/* The length of the well-formed beginning of the text; n_bytes when all of it is well-formed. */
size_t ps_utf8_prefix(const char *data, size_t n_bytes);
#endif
