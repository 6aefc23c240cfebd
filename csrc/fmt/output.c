/*
 * fmt/output.c - what the writers of text files share.
 */
#include "fmt/text_int.h"
#include "col/text.h"
#include "fmt/rows_int.h"
#include <stdio.h>

ps_status psi_output_init(psi_output *output, const ps_format_args *args, const char *who, ps_error *err)
{
    const char *charset = psi_charset_option(args);

    *output = (psi_output){.charset = PSI_UTF8, .first = true};
    if (charset && !psi_charset_find(charset, &output->charset))
        return ps_raise(err, PS_E_CHARSET, who, charset);
    PS_TRY(psi_line_sep_option(args, &output->line_sep, err));
    if (output->line_sep.n_bytes == 0)
        output->line_sep = (ps_slice){"\n", 1};
    return PS_OK;
}

void psi_output_clear(psi_output *output)
{
    ps_bytes_clear(&output->plain);
}

void psi_output_begin(psi_output *output)
{
    output->first = true;
    ps_bytes_reset(&output->plain);
}

ps_bytes *psi_output_to(psi_output *output, ps_bytes *out)
{
    return output->charset == PSI_UTF8 ? out : &output->plain;
}

ps_status psi_output_flush(psi_output *output, ps_bytes *out, ps_error *err)
{
    if (output->charset == PSI_UTF8)
        return PS_OK;
    PS_TRY(psi_encode(output->charset, ps_bytes_slice(&output->plain), output->first, out, err));
    output->first = output->first && output->plain.n_bytes == 0;
    ps_bytes_reset(&output->plain);
    return PS_OK;
}

int psi_format_decimal(__int128 unscaled, int scale, char *out)
{
    char digits[PS_NUMBER_TEXT], *p = out;
    int n, exponent;
    bool negative = unscaled < 0;

    n = ps_format_decimal(unscaled, 0, digits);
    exponent = n - negative - 1 - scale;
    if (exponent >= -6)
        return ps_format_decimal(unscaled, scale, out);
    if (negative)
        *p++ = '-';
    *p++ = digits[negative];
    if (n - negative > 1) {
        *p++ = '.';
        memcpy(p, digits + negative + 1, (size_t)(n - negative - 1));
        p += n - negative - 1;
    }
    return (int)(p - out) + sprintf(p, "E%d", exponent);
}
