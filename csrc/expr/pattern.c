/*
 * expr/pattern.c - a compiled pattern, for folders that know nothing of functions.
 */
#include "expr/pattern.h"
#include "expr/regex.h"

struct ps_pattern { psi_regex regex; };

ps_status ps_pattern_new(const char *text, const char *what, ps_pattern **out, ps_error *err)
{
    ps_pattern *pattern = NULL;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_alloc0(sizeof *pattern, &pattern, err));
    if ((rc = psi_regex_prepare(&pattern->regex, ps_slice_of(text), what, err)) == PS_OK)
        *out = pattern;
    else
        ps_pattern_free(pattern);
    return rc;
}

ps_status ps_pattern_find(ps_pattern *pattern, ps_slice text, bool *out, ps_error *err)
{
    return psi_regex_find(&pattern->regex, text, 0, out, err);
}

void ps_pattern_free(ps_pattern *pattern)
{
    if (!pattern)
        return;
    psi_regex_clear(&pattern->regex);
    ps_free(pattern);
}
