/*
 * expr/regex.h - java.util.regex patterns, run by PCRE2.
 *
 * A pattern is translated (regex_java.c), compiled once, and matched with the JIT where that can be had.  A pattern without
 * any operator is found by plain search.  One psi_regex belongs to one call and thread (it is a call's scratch) and keeps
 * the last pattern it was asked for, so that a pattern from a column costs no more than it must.
 */
#ifndef PS_EXPR_REGEX_H
#define PS_EXPR_REGEX_H
#include "base/bytes.h"

typedef struct psi_regex {
    bool ready;
    bool is_literal;  /* `literal` is all there is to find */
    ps_bytes pattern; /* as the user wrote it */
    ps_bytes literal;
    int n_groups;
    struct pcre2_real_code_8 *code;
    struct pcre2_real_match_data_8 *match;
    struct pcre2_real_match_context_8 *context;
    size_t *spans;    /* of the last match: start and end of group k at 2k and 2k+1, SIZE_MAX when it took no part */
    size_t literal_span[2];
} psi_regex;

/* Makes `regex` ready for a pattern; INVALID_PARAMETER_VALUE.PATTERN names the function. */
ps_status psi_regex_prepare(psi_regex *regex, ps_slice pattern, const char *function, ps_error *err);
/* The first match at or after byte `from`. */
ps_status psi_regex_find(psi_regex *regex, ps_slice text, size_t from, bool *found, ps_error *err);
/* Where to look for the next match, as java's Matcher.find; SIZE_MAX behind the end. */
size_t psi_regex_next(const psi_regex *regex, ps_slice text);
ps_slice psi_regex_group(const psi_regex *regex, ps_slice text, int group); /* empty when it took no part */
/* The number of a named group, -1. */
int psi_regex_named(const psi_regex *regex, ps_slice name);
void psi_regex_clear(psi_regex *regex);

/* Java's syntax as PCRE2's. */
ps_status psi_regex_translate(ps_slice pattern, ps_bytes *out, ps_error *err);
/* The text that a pattern without operators stands for; false when it has any. */
bool psi_regex_literal(ps_slice pattern, ps_bytes *out, ps_status *rc, ps_error *err);
#endif
