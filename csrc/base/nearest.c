/*
 * base/nearest.c - edit distances, one row of the table at a time.
 */
#include "base/nearest.h"
#include <stddef.h>
#include <string.h>

#define MOST 128

static char fold(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

int ps_edit_distance(const char *a, const char *b, bool ignore_case)
{
    size_t n = strnlen(a, MOST), m = strnlen(b, MOST);
    int row[MOST + 1];

    for (size_t j = 0; j <= m; j++)
        row[j] = (int)j;
    for (size_t i = 1; i <= n; i++) {
        int diagonal = row[0];

        row[0] = (int)i;
        for (size_t j = 1; j <= m; j++) {
            bool same = ignore_case ? fold(a[i - 1]) == fold(b[j - 1]) : a[i - 1] == b[j - 1];
            int above = row[j], best = diagonal + !same;

            if (above + 1 < best)
                best = above + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            diagonal = above;
            row[j] = best;
        }
    }
    return row[m];
}

void ps_nearest_offer(ps_nearest *nearest, const char *name)
{
    int distance = ps_edit_distance(nearest->wrong, name, true);

    if (distance > nearest->limit)
        return;
    nearest->limit = distance - 1;
    nearest->name = name;
}
