/*
 * tests/bench/ceiling/columns.c - count and sum per key and minute, by hand, from columns in memory.
 *
 * The number of keys comes with the program's name: columns-10000, columns-1000000.
 */
#include "ceiling.h"

#define MINUTE_US 60000000

typedef struct group { int64_t key, minute, n, sum; } group; /* n 0: free */

static const char *name;
static int64_t *ts, *keys, *values, n_rows;
static group *groups;
static uint64_t capacity, n_groups;

static void load(const char *directory)
{
    char path[512];
    int64_t row[3], room = 1 << 20;
    FILE *in;

    snprintf(path, sizeof path, "%s/%s.bin", directory, name);
    if ((in = fopen(path, "rb")) == NULL) {
        perror(path);
        exit(2);
    }
    fseek(in, 0, SEEK_END);
    room = ftell(in) / 24;
    rewind(in);
    ts = must_alloc((size_t)room * 8);
    keys = must_alloc((size_t)room * 8);
    values = must_alloc((size_t)room * 8);
    for (n_rows = 0; n_rows < room && fread(row, sizeof row, 1, in) == 1; n_rows++) {
        ts[n_rows] = row[0];
        keys[n_rows] = row[1];
        values[n_rows] = row[2];
    }
    fclose(in);
}

static inline group *place_of(group *in, uint64_t n_places, int64_t key, int64_t minute)
{
    /* The upper half of a product is in order of its first factor: growing writes front to back. */
    uint64_t at = (uint64_t)((unsigned __int128)mix((uint64_t)key, (uint64_t)minute) * n_places >> 64);

    while (in[at].n != 0 && (in[at].key != key || in[at].minute != minute))
        at = at + 1 == n_places ? 0 : at + 1;
    return &in[at];
}

static void grow(void)
{
    uint64_t more = capacity ? capacity * 2 : 1024;
    group *larger = must_alloc(more * sizeof *larger);

    for (uint64_t i = 0; i < capacity; i++)
        if (groups[i].n != 0)
            *place_of(larger, more, groups[i].key, groups[i].minute) = groups[i];
    free(groups);
    groups = larger;
    capacity = more;
}

static inline int64_t minute_of(int64_t us)
{
    static int64_t start, minute;

    if ((uint64_t)(us - start) >= MINUTE_US) {
        minute = us / MINUTE_US;
        start = minute * MINUTE_US;
    }
    return minute;
}

static void add(int64_t from, int64_t to)
{
    for (int64_t i = from; i < to; i++) {
        int64_t minute = minute_of(ts[i]);
        group *g = place_of(groups, capacity, keys[i], minute);
        if (g->n == 0) {
            if (++n_groups * 5 > capacity * 3) {
                grow();
                g = place_of(groups, capacity, keys[i], minute);
            }
            g->key = keys[i];
            g->minute = minute;
        }
        g->n++;
        g->sum += values[i];
    }
}

static int64_t run(const char *directory)
{
    if (ts == NULL)
        load(directory);
    free(groups);
    groups = NULL;
    capacity = n_groups = 0;
    grow();
    for (int64_t i = 0; i < n_rows; i += 512) { /* the places of 512 rows are on their way before the first is looked at */
        int64_t end = i + 512 < n_rows ? i + 512 : n_rows;
        for (int64_t k = i; k < end; k++)
            __builtin_prefetch(&groups[(uint64_t)((unsigned __int128)mix((uint64_t)keys[k], (uint64_t)minute_of(ts[k])) * capacity >> 64)], 1);
        add(i, end);
    }
    return n_rows;
}

static void result(FILE *out)
{
    for (uint64_t i = 0; i < capacity; i++)
        if (groups[i].n != 0)
            fprintf(out, "%lld\t%lld\t%lld\t%lld\n", (long long)groups[i].minute * (MINUTE_US / 1000), (long long)groups[i].key, (long long)groups[i].n, (long long)groups[i].sum);
}

int main(int argc, char **argv)
{
    name = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
    return run_program(&(program){NULL, run, result}, argc, argv);
}
