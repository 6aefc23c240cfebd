/*
 * fmt/text_int.h - what the writers of text files share.
 */
#ifndef PS_FMT_TEXT_INT_H
#define PS_FMT_TEXT_INT_H
#include "fmt/format.h"
#include "fmt/charset_int.h"

/* Records go through here on their way to the file: their separator, and the file's encoding. */
typedef struct psi_output {
    ps_slice line_sep; /* "\n" unless told */
    psi_charset charset;
    bool first;        /* nothing was written yet */
    ps_bytes plain;    /* UTF-8 that is yet to be encoded */
} psi_output;
ps_status psi_output_init(psi_output *output, const ps_format_args *args, const char *who, ps_error *err);
void psi_output_clear(psi_output *output);
void psi_output_begin(psi_output *output); /* a file begins */
/* Where to append UTF-8 text that psi_output_flush() then brings to `out`. */
ps_bytes *psi_output_to(psi_output *output, ps_bytes *out);
ps_status psi_output_flush(psi_output *output, ps_bytes *out, ps_error *err);

/* A decimal as Java's BigDecimal.toString: "1.50", and "1.0E-7" when it is small. */
#define PSI_DECIMAL_TEXT 64
int psi_format_decimal(__int128 unscaled, int scale, char *out);
#endif
