/*
 * expr/pattern.h - is a java.util.regex pattern somewhere in a text?  For names: topics of a subscription.
 */
#ifndef PS_EXPR_PATTERN_H
#define PS_EXPR_PATTERN_H
#include "base/bytes.h"

typedef struct ps_pattern ps_pattern;
/* Compiles; a pattern that is none raises INVALID_PARAMETER_VALUE.PATTERN, which names `what`. */
ps_status ps_pattern_new(const char *text, const char *what, ps_pattern **out, ps_error *err);
ps_status ps_pattern_find(ps_pattern *pattern, ps_slice text, bool *out, ps_error *err);
void ps_pattern_free(ps_pattern *pattern); /* accepts NULL */
#endif
