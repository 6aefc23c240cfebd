/*
 * tests/bench/ceiling/trades.c - trades per symbol in sliding windows, by hand: panes of five minutes, put together in twos.
 */
#include "ceiling.h"

#define GROUPS 65536
#define PANE_MS 300000

typedef struct group {
    uint64_t symbol; /* its bytes; 0: free */
    int64_t pane, n, size;
    double sum, min, max;
} group;

static group *panes, *windows;
static int64_t n_rows;

static inline group *group_of(group *groups, uint64_t symbol, int64_t pane)
{
    uint64_t at = mix(symbol, (uint64_t)pane) & (GROUPS - 1);

    while (groups[at].symbol != 0 && (groups[at].symbol != symbol || groups[at].pane != pane))
        at = (at + 1) & (GROUPS - 1);
    if (groups[at].symbol == 0)
        groups[at] = (group){symbol, pane, 0, 0, 0, 1e300, -1e300};
    return &groups[at];
}

static int64_t days_of(const char *p)
{
    int64_t y = digits(p, 4), m = digits(p + 5, 2), d = digits(p + 8, 2), era;

    y -= m <= 2;
    era = y / 400;
    int64_t yoe = y - era * 400, doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

/* {"ts":"2023-11-14 10:00:00.000","symbol":"ABC","price":709.12,"size":142} */
static void lines(void *self, const char *p, const char *to)
{
    static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4};
    uint64_t day_text[2] = {0, 0};
    int64_t day = 0;

    (void)self;
    while (p < to) {
        const char *ts = p + 7, *symbol = ts + 35, *end = find(symbol, '"');
        int64_t ms, mantissa = 0, size = 0;
        uint64_t name = load64(symbol) & (~0ull >> (64 - 8 * (end - symbol)));
        int scale = 0;
        double price;
        group *g;

        if (load64(ts) != day_text[0] || load64(ts + 2) != day_text[1]) {
            day_text[0] = load64(ts);
            day_text[1] = load64(ts + 2);
            day = days_of(ts);
        }
        ms = day * 86400000 + digits(ts + 11, 2) * 3600000 + digits(ts + 14, 2) * 60000 + digits(ts + 17, 2) * 1000 + digits(ts + 20, 3);
        for (p = end + 10; *p >= '0'; p++)
            mantissa = mantissa * 10 + (*p - '0');
        if (*p == '.')
            for (p++; *p >= '0'; p++, scale++)
                mantissa = mantissa * 10 + (*p - '0');
        price = (double)mantissa / powers[scale];
        for (p += 8; *p <= '9'; p++)
            size = size * 10 + (*p - '0');
        p += 2;
        g = group_of(panes, name, ms / PANE_MS);
        g->n++;
        g->size += size;
        g->sum += price;
        g->min = price < g->min ? price : g->min;
        g->max = price > g->max ? price : g->max;
        n_rows++;
    }
}

static int64_t run(const char *directory)
{
    free(panes);
    free(windows);
    panes = must_alloc(GROUPS * sizeof *panes);
    windows = must_alloc(GROUPS * sizeof *windows);
    n_rows = 0;
    read_lines(directory, "trades/part-%d.json", lines, NULL);
    for (int i = 0; i < GROUPS; i++) {
        const group *from = &panes[i];
        for (int back = 0; from->symbol != 0 && back < 2; back++) {
            group *g = group_of(windows, from->symbol, from->pane - back);
            g->n += from->n;
            g->size += from->size;
            g->sum += from->sum;
            g->min = from->min < g->min ? from->min : g->min;
            g->max = from->max > g->max ? from->max : g->max;
        }
    }
    return n_rows;
}

static void result(FILE *out)
{
    for (int i = 0; i < GROUPS; i++)
        if (windows[i].symbol != 0)
            fprintf(out, "%lld\t%.8s\t%.6f\t%.17g\t%.17g\t%lld\t%lld\n", (long long)windows[i].pane * PANE_MS, (const char *)&windows[i].symbol,
                    windows[i].sum / (double)windows[i].n, windows[i].min, windows[i].max, (long long)windows[i].size, (long long)windows[i].n);
}

int main(int argc, char **argv)
{
    return run_program(&(program){"trades/part-%d.json", run, result}, argc, argv);
}
