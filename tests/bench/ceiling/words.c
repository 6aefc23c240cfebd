/*
 * tests/bench/ceiling/words.c - how often each word is there, by hand: split, hash and count in one pass.
 */
#include "ceiling.h"

#define GROUPS 65536

typedef struct group { uint64_t head, tail; int64_t n; uint32_t n_bytes; } group; /* words of up to 16 bytes */

static group *groups;
static int64_t n_rows;

static inline void add_word(const char *p, size_t n)
{
    uint64_t head = load64(p), tail = load64(p + 8), at;

    if (n < 8) {
        head &= n ? ~0ull >> (64 - 8 * n) : 0;
        tail = 0;
    } else {
        tail &= n > 8 ? ~0ull >> (128 - 8 * n) : 0;
    }
    at = mix(head, tail ^ n) & (GROUPS - 1);
    while (groups[at].n != 0 && (groups[at].head != head || groups[at].tail != tail))
        at = (at + 1) & (GROUPS - 1);
    groups[at].head = head;
    groups[at].tail = tail;
    groups[at].n_bytes = (uint32_t)n;
    groups[at].n++;
}

static void lines(void *self, const char *from, const char *to)
{
    const __m128i space = _mm_set1_epi8(' '), end = _mm_set1_epi8('\n');
    const char *word = from;

    (void)self;
    for (; from < to; from += 64) {
        uint64_t mask = 0, ends = 0;
        for (int i = 0; i < 4; i++) {
            __m128i x = _mm_loadu_si128((const __m128i *)(from + 16 * i)), e = _mm_cmpeq_epi8(x, end);
            ends |= (uint64_t)(unsigned)_mm_movemask_epi8(e) << (16 * i);
            mask |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_or_si128(e, _mm_cmpeq_epi8(x, space))) << (16 * i);
        }
        if (to - from < 64) {
            mask &= (1ull << (to - from)) - 1;
            ends &= mask;
        }
        n_rows += __builtin_popcountll(ends);
        for (; mask != 0; mask &= mask - 1) {
            const char *at = from + __builtin_ctzll(mask);
            add_word(word, (size_t)(at - word));
            word = at + 1;
        }
    }
}

static int64_t run(const char *directory)
{
    free(groups);
    groups = must_alloc(GROUPS * sizeof *groups);
    n_rows = 0;
    read_lines(directory, "words/part-%d.txt", lines, NULL);
    return n_rows;
}

static void result(FILE *out)
{
    for (int i = 0; i < GROUPS; i++)
        if (groups[i].n != 0)
            fprintf(out, "%.*s\t%lld\n", (int)groups[i].n_bytes, (const char *)&groups[i], (long long)groups[i].n);
}

int main(int argc, char **argv)
{
    return run_program(&(program){"words/part-%d.txt", run, result}, argc, argv);
}
