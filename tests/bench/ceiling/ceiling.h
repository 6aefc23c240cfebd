/*
 * tests/bench/ceiling/ceiling.h - what the hand-written loops share: files, clocks, a table, the plain scan.
 *
 * Each program knows its input's layout and checks nothing: it stands for the most that one core can do.  It prints, as the
 * other contestants do, "wall <tab> cpu <tab> rows" for each round after the first, then "scan" and the time that a plain
 * SSE2 scan for line ends takes over the same bytes; the result's rows go to a file.
 *
 *   gcc -O3 -D_GNU_SOURCE tests/bench/ceiling/ysb.c -o ysb && ./ysb INPUT RESULT ROUNDS
 */
#ifndef CEILING_H
#define CEILING_H
#include <emmintrin.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CHUNK ((size_t)1 << 20)
#define N_FILES 4

static double seconds_of(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void *must_alloc(size_t n)
{
    void *p = calloc(1, n);

    if (p == NULL)
        exit(2);
    return p;
}

/* Calls lines(self, from, to) with whole lines, 64 readable bytes behind them; the chunks are read, not mapped, as the
 * engine must do. */
typedef void (*lines_fn)(void *self, const char *from, const char *to);
static void read_lines(const char *directory, const char *pattern, lines_fn lines, void *self)
{
    static char room[2 * CHUNK + 64];
    char path[512], name[64];

    for (int f = 0; f < N_FILES; f++) {
        size_t kept = 0;
        ssize_t got;
        int fd;

        snprintf(name, sizeof name, pattern, f);
        snprintf(path, sizeof path, "%s/%s", directory, name);
        if ((fd = open(path, O_RDONLY)) < 0) {
            perror(path);
            exit(2);
        }
        while ((got = read(fd, room + kept, CHUNK)) > 0) {
            char *end = room + kept + got, *last = memrchr(room, '\n', (size_t)(end - room)) + 1;
            lines(self, room, last);
            kept = (size_t)(end - last);
            memmove(room, last, kept);
        }
        close(fd);
    }
}

static inline const char *find(const char *p, char c)
{
    for (;; p += 16) {
        unsigned mask = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)p), _mm_set1_epi8(c)));
        if (mask)
            return p + __builtin_ctz(mask);
    }
}

/* The plain scan: counts line ends. */
static void count_lines(void *self, const char *from, const char *to)
{
    uint64_t n = 0;
    const __m128i end = _mm_set1_epi8('\n');

    for (; from < to; from += 16) {
        unsigned mask = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)from), end));
        n += (uint64_t)__builtin_popcount(mask);
    }
    *(uint64_t *)self += n;
}

static inline uint64_t load64(const char *p)
{
    uint64_t x;

    memcpy(&x, p, 8);
    return x;
}

static inline uint64_t mix(uint64_t a, uint64_t b)
{
    unsigned __int128 x = (unsigned __int128)(a ^ 0x9e3779b97f4a7c15ull) * (b ^ 0xe7037ed1a0b428dbull);
    return (uint64_t)x ^ (uint64_t)(x >> 64);
}

static inline int64_t digits(const char *p, int n)
{
    int64_t x = 0;

    for (int i = 0; i < n; i++)
        x = x * 10 + (p[i] - '0');
    return x;
}

/* The frame of all programs. run() does the whole job and returns the number of rows; result() writes its rows. */
typedef struct program {
    const char *pattern; /* of the input's files; NULL: no scan */
    int64_t (*run)(const char *directory);
    void (*result)(FILE *out);
} program;

static int run_program(const program *p, int argc, char **argv)
{
    int rounds = argc > 3 ? atoi(argv[3]) : 5;
    double scan = 1e9;
    FILE *out;

    if (argc < 3)
        return 2;
    for (int i = 0; i <= rounds; i++) {
        double wall = seconds_of(CLOCK_MONOTONIC), cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
        int64_t n = p->run(argv[1]);
        wall = seconds_of(CLOCK_MONOTONIC) - wall;
        cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
        if (i > 0)
            printf("%.4f\t%.4f\t%lld\n", wall, cpu, (long long)n);
    }
    for (int i = 0; p->pattern && i <= rounds; i++) {
        double cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
        uint64_t n = 0;
        read_lines(argv[1], p->pattern, count_lines, &n);
        cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
        scan = n > 0 && cpu < scan ? cpu : scan;
    }
    if (p->pattern)
        printf("scan\t%.4f\n", scan);
    if ((out = fopen(argv[2], "w")) == NULL)
        return 2;
    p->result(out);
    return fclose(out) ? 2 : 0;
}
#endif
