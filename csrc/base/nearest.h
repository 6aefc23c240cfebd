/*
 * base/nearest.h - the known name that comes nearest to a wrong one, for messages that propose it.
 */
#ifndef PS_BASE_NEAREST_H
#define PS_BASE_NEAREST_H
#include <stdbool.h>

/* The number of single-character changes that make b of a; what lies behind the first 128 characters does not count. */
int ps_edit_distance(const char *a, const char *b, bool ignore_case);

/* Begin with {.wrong = text, .limit = changes}, offer every name, look at `name`: NULL when none is near enough. */
typedef struct ps_nearest {
    const char *wrong;
    int limit;        /* the most changes that still make a likely slip */
    const char *name; /* borrowed from who offered it */
} ps_nearest;
void ps_nearest_offer(ps_nearest *nearest, const char *name); /* of equally near names the first stays */
#endif
