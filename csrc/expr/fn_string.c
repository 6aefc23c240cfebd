/* expr/fn_string.c - functions of text and binaries. */
#include "expr/kernel.h"

PS_KERNEL_TEXT_1(upper, ps_str)
{
    PS_TRY(ps_bytes_append(out, ps_str_data(&x), x.n_bytes, err));
    for (size_t i = 0; i < out->n_bytes; i++)
        if (out->data[i] >= 'a' && out->data[i] <= 'z')
            out->data[i] = (char)(out->data[i] - 32);
    return PS_OK;
}
