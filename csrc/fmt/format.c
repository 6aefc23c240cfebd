/*
 * fmt/format.c - the table of formats.
 */
#include "fmt/format.h"

#define PS_FORMAT(name) extern const ps_format psi_format_##name;
#include "fmt/formats.def"
#undef PS_FORMAT

static const ps_format *const formats[] = {
#define PS_FORMAT(name) &psi_format_##name,
#include "fmt/formats.def"
#undef PS_FORMAT
};

const ps_format *ps_format_find(ps_slice name)
{
    for (size_t i = 0; i < PS_COUNT_OF(formats); i++)
        if (ps_slice_equal_nocase(name, ps_slice_of(formats[i]->name)))
            return formats[i];
    return NULL;
}
