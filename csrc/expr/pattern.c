/*
 * expr/pattern.c - whole matches of a pattern: the pattern between the text's two ends.
 */
#include "expr/pattern.h"
#include "expr/regex.h"

struct ps_pattern {
    psi_regex regex;
    ps_bytes anchored;
};

ps_status ps_pattern_new(const char *text, const char *what, ps_pattern **out, ps_error *err)
{
    ps_pattern *pattern = NULL;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_alloc0(sizeof *pattern, &pattern, err));
    PS_TRY_OR(fail, psi_regex_prepare(&pattern->regex, ps_slice_of(text), what, err)); /* an error shows what the user wrote */
    PS_TRY_OR(fail, ps_bytes_printf(&pattern->anchored, err, "\\A(?:%s)\\z", text));
    PS_TRY_OR(fail, psi_regex_prepare(&pattern->regex, ps_bytes_slice(&pattern->anchored), what, err));
    *out = pattern;
    return PS_OK;
fail:
    ps_pattern_free(pattern);
    return rc;
}

ps_status ps_pattern_matches(ps_pattern *pattern, ps_slice text, bool *out, ps_error *err)
{
    return psi_regex_find(&pattern->regex, text, 0, out, err);
}

void ps_pattern_free(ps_pattern *pattern)
{
    if (!pattern)
        return;
    psi_regex_clear(&pattern->regex);
    ps_bytes_clear(&pattern->anchored);
    ps_free(pattern);
}
