/*
 * tests/bench/ceiling/ysb.c - views of ads per campaign and ten seconds, by hand.
 */
#include "ysb.h"

static int64_t n_rows;

static void lines(void *self, const char *p, const char *to)
{
    (void)self;
    while (p < to) {
        p = find(find(take_event(p), '"') + 16, '\n') + 1;
        n_rows++;
    }
}

static int64_t run(const char *directory)
{
    begin_counting(directory);
    n_rows = 0;
    read_lines(directory, "ysb/part-%d.json", lines, NULL);
    return n_rows;
}

int main(int argc, char **argv)
{
    return run_program(&(program){"ysb/part-%d.json", run, result}, argc, argv);
}
