/*
 * fmt/charset_int.h - the encodings of text files: into UTF-8 and out of it.
 */
#ifndef PS_FMT_CHARSET_INT_H
#define PS_FMT_CHARSET_INT_H
#include "base/utf8.h"

typedef enum psi_charset {
    PSI_UTF8,
    PSI_ASCII,
    PSI_LATIN1,
    PSI_UTF16,   /* by its byte order mark, else big-endian */
    PSI_UTF16BE,
    PSI_UTF16LE,
    PSI_UTF32,
    PSI_UTF32BE,
    PSI_UTF32LE
} psi_charset;
bool psi_charset_find(const char *name, psi_charset *out); /* any case, Java's aliases */
/* The encoding of a JSON document by its first bytes. */
psi_charset psi_charset_detect(const char *data, size_t n_bytes);

/* Bytes of another encoding into UTF-8, piece by piece. */
typedef struct psi_decoder {
    psi_charset charset;
    bool started;
    uint32_t lead; /* a first surrogate that waits for its second */
} psi_decoder;
#define PSI_DECODE_GROWTH 3 /* no byte of input makes more bytes of output; UTF-16 pairs included */
/* Decodes whole units of data into out (PSI_DECODE_GROWTH * n_bytes + 8 of room); *n_used bytes were used. */
size_t psi_decode(psi_decoder *decoder, const char *data, size_t n_bytes, bool last, char *out, size_t *n_used);
/* UTF-8 text in another encoding, for writers; what it lacks becomes '?'. */
ps_status psi_encode(psi_charset charset, ps_slice text, bool first, ps_bytes *out, ps_error *err);
#endif
