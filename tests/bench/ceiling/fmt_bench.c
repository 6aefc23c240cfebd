/*
 * tests/bench/ceiling/fmt_bench.c - how fast files become columns, beside loops written by hand for these very files.
 *
 *   make -f csrc/build.mk OUT=/tmp/bench OPT=-O3 DIRS="base col fmt"
 *   gcc -O3 -D_GNU_SOURCE -Icsrc tests/bench/ceiling/fmt_bench.c /tmp/bench/libps.a -lz -lzstd -lpthread -lm -o /tmp/bench/fmt_bench
 *   /tmp/bench/fmt_bench
 *
 * Tab-separated: what, million records per second, GB per second.  "loop" knows the keys and their order, checks nothing
 * and keeps no NULLs: what the engine cannot beat.  Both read from the page cache, in chunks of 1 MiB.
 */
#include "col/type_text.h"
#include "fmt/format.h"
#include <emmintrin.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define RECORDS 400000
#define ROUNDS 7
#define CHUNK ((size_t)1 << 20)

static ps_error err;

static void must(ps_status rc)
{
    if (rc != PS_OK) {
        fprintf(stderr, "%s\n", err.message);
        exit(1);
    }
}

/* Of this thread's own work: other work on the machine counts less so. */
static int64_t cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

/* ---- the files ---- */

typedef struct file {
    int fd;
    char path[64];
    size_t n_bytes;
} file;

static uint64_t random_state = 88172645463325252ull;
static unsigned random_below(unsigned n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)(random_state >> 33) % n;
}

static file make_file(void (*record)(FILE *out, int i))
{
    file f = {.fd = memfd_create("bench", 0)};
    FILE *out = fdopen(dup(f.fd), "w");

    for (int i = 0; i < RECORDS; i++)
        record(out, i);
    fclose(out);
    f.n_bytes = (size_t)lseek(f.fd, 0, SEEK_END);
    snprintf(f.path, sizeof f.path, "/proc/self/fd/%d", f.fd);
    return f;
}

static void uuid(FILE *out)
{
    fprintf(out, "%08x-%04x-4%03x-8%03x-%08x%04x", random_below(1u << 30), random_below(65536), random_below(4096),
            random_below(4096), random_below(1u << 30), random_below(65536));
}

static const char *const ysb_keys[] = {"user_id", "page_id", "ad_id", "ad_type", "event_type", "event_time", "ip_address"};

static void ysb_value(FILE *out, int key, int i)
{
    static const char *const kinds[] = {"view", "click", "purchase"};

    if (key < 3)
        uuid(out);
    else if (key == 3)
        fputs("banner78", out);
    else if (key == 4)
        fputs(kinds[random_below(3)], out);
    else
        key == 5 ? fprintf(out, "%lld", 1700000000000ll + i) : fprintf(out, "1.2.3.4");
}

static void ysb_in_order(FILE *out, int i, const int *order)
{
    for (int k = 0; k < 7; k++) {
        fprintf(out, "%c\"%s\":\"", k ? ',' : '{', ysb_keys[order[k]]);
        ysb_value(out, order[k], i);
        fputc('"', out);
    }
    fputs("}\n", out);
}

static void ysb(FILE *out, int i)
{
    ysb_in_order(out, i, (const int[]){0, 1, 2, 3, 4, 5, 6});
}

static void ysb_shuffled(FILE *out, int i)
{
    int order[] = {0, 1, 2, 3, 4, 5, 6};

    for (int k = 6; k > 0; k--) {
        int other = (int)random_below((unsigned)k + 1), kept = order[k];
        order[k] = order[other];
        order[other] = kept;
    }
    ysb_in_order(out, i, order);
}

static void trade(FILE *out, int i)
{
    fprintf(out, "{\"dt\": \"2023-11-%02d 10:%02d:%02d\", \"amount\": %u, \"price\": %u.%u}\n", i % 28 + 1, i % 60, i % 59,
            random_below(1000), random_below(20000), random_below(10));
}

static void sale(FILE *out, int i)
{
    fprintf(out, "%d,beta%u,%u,%u.%02u,2023-11-%02d 10:%02d:%02d,abcdefgh\n", i, random_below(100), random_below(1000000),
            random_below(1000), random_below(100), i % 28 + 1, i % 60, i % 59);
}

static void sentence(FILE *out, int i)
{
    fprintf(out, "the quick brown fox jumps over the lazy dog and so on %d\n", i);
}

/* ---- the engine ---- */

static double engine(const file *f, const char *format, const char *full, const char *wanted)
{
    const ps_type *all, *schema;
    ps_format_args args = {.options = &(ps_options){0}};
    ps_reader *reader;
    double best = 1e9;

    must(ps_schema_parse(ps_slice_of(full), &all, &err));
    must(ps_schema_parse(ps_slice_of(wanted), &schema, &err));
    args.schema = schema;
    args.full_schema = all;
    must(ps_format_find(ps_slice_of(format))->reader_new(&args, &reader, &err));
    for (int round = 0; round < ROUNDS; round++) {
        int64_t since = cpu_ns(), n = 0;
        ps_batch *batch;

        must(reader->vt->open(reader, ps_fs_local(), f->path, &err));
        for (must(reader->vt->next(reader, &batch, &err)); batch; must(reader->vt->next(reader, &batch, &err))) {
            n += batch->n_rows;
            ps_batch_unref(batch);
        }
        reader->vt->close(reader);
        if (n != RECORDS)
            exit(2);
        double t = (double)(cpu_ns() - since) * 1e-9;
        best = t < best ? t : best;
    }
    reader->vt->free(reader);
    ps_type_unref(schema);
    ps_type_unref(all);
    return best;
}

/* from_json over the lines as texts; reading the lines does not count. */
static double engine_parse(const file *f, const char *schema_text)
{
    ps_format_args args = {.options = &(ps_options){0}}, text_args = args;
    ps_reader *lines, *json;
    double best = 1e9;

    must(ps_schema_parse(ps_slice_of(schema_text), &args.schema, &err));
    must(ps_schema_parse(ps_slice_of("value string"), &text_args.schema, &err));
    must(ps_format_find(ps_slice_of("json"))->reader_new(&args, &json, &err));
    must(ps_format_find(ps_slice_of("text"))->reader_new(&text_args, &lines, &err));
    for (int round = 0; round < ROUNDS; round++) {
        int64_t spent = 0;
        ps_batch *batch;

        must(lines->vt->open(lines, ps_fs_local(), f->path, &err));
        for (must(lines->vt->next(lines, &batch, &err)); batch; must(lines->vt->next(lines, &batch, &err))) {
            ps_rows rows = ps_batch_live(batch);
            int64_t since = cpu_ns();
            ps_vec *vec;

            must(json->vt->parse(json, batch->cols[0], &rows, &vec, &err));
            ps_vec_unref(vec);
            spent += cpu_ns() - since;
            ps_batch_unref(batch);
        }
        lines->vt->close(lines);
        best = (double)spent * 1e-9 < best ? (double)spent * 1e-9 : best;
    }
    lines->vt->free(lines);
    json->vt->free(json);
    ps_type_unref(args.schema);
    ps_type_unref(text_args.schema);
    return best;
}

/* ---- by hand ---- */

static ps_str strings[3][RECORDS];
static int64_t longs[2][RECORDS];
static double doubles[RECORDS];

static inline const char *find(const char *p, char c)
{
    for (;; p += 16) {
        int mask = _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)p), _mm_set1_epi8(c)));
        if (mask)
            return p + __builtin_ctz((unsigned)mask);
    }
}

static inline const char *take_long(const char *p, int64_t *out)
{
    int64_t value = 0;

    for (; *p >= '0' && *p <= '9'; p++)
        value = value * 10 + (*p - '0');
    *out = value;
    return p;
}

static inline const char *take_double(const char *p, double *out)
{
    static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
    int64_t value = 0;
    int n = 0;

    for (; *p >= '0' && *p <= '9'; p++)
        value = value * 10 + (*p - '0');
    if (*p == '.')
        for (p++; *p >= '0' && *p <= '9'; p++, n++)
            value = value * 10 + (*p - '0');
    *out = (double)value / powers[n];
    return p;
}

static const char *ysb_by_hand(const char *p, int64_t row)
{
    static const int skip[] = {12, 13, 11, 13, 16, 16, 16}; /* from a closing quote to the next value */
    static const int col[] = {-1, -1, 0, -1, 1, 2, -1};

    for (int k = 0; k < 7; k++) {
        const char *start = p + skip[k], *end = find(start, '"');
        if (col[k] >= 0)
            strings[col[k]][row] = ps_str_make(start, (uint32_t)(end - start));
        p = end;
    }
    return p + 3;
}

static const char *trade_by_hand(const char *p, int64_t row)
{
    strings[0][row] = ps_str_make(p + 8, 19);
    p = take_long(p + 8 + 19 + 13, &longs[0][row]);
    return take_double(p + 11, &doubles[row]) + 2;
}

static const char *sale_by_hand(const char *p, int64_t row)
{
    const char *end;

    p = take_long(p, &longs[0][row]) + 1;
    end = find(p, ',');
    strings[0][row] = ps_str_make(p, (uint32_t)(end - p));
    p = take_long(end + 1, &longs[1][row]);
    p = take_double(p + 1, &doubles[row]) + 1;
    end = find(p, ',');
    strings[1][row] = ps_str_make(p, (uint32_t)(end - p));
    p = end + 1;
    end = find(p, '\n');
    strings[2][row] = ps_str_make(p, (uint32_t)(end - p));
    return end + 1;
}

static const char *sentence_by_hand(const char *p, int64_t row)
{
    const char *end = find(p, '\n');

    strings[0][row] = ps_str_make(p, (uint32_t)(end - p));
    return end + 1;
}

static double by_hand(const file *f, const char *(*record)(const char *p, int64_t row))
{
    char *chunk = malloc(2 * CHUNK + 64);
    double best = 1e9;

    for (int round = 0; round < ROUNDS; round++) {
        int64_t since = cpu_ns(), row = 0;
        size_t kept = 0;
        ssize_t n;

        lseek(f->fd, 0, SEEK_SET);
        while ((n = read(f->fd, chunk + kept, CHUNK)) > 0) {
            const char *p = chunk, *stop = (const char *)memrchr(chunk, '\n', kept + (size_t)n) + 1;
            while (p < stop)
                p = record(p, row++ % 8192);
            kept = kept + (size_t)n - (size_t)(stop - chunk);
            memmove(chunk, stop, kept);
        }
        if (row != RECORDS)
            exit(3);
        double t = (double)(cpu_ns() - since) * 1e-9;
        best = t < best ? t : best;
    }
    free(chunk);
    return best;
}

static void report(const char *what, const file *f, double seconds)
{
    printf("%s\t%.2f\t%.2f\n", what, RECORDS / seconds / 1e6, (double)f->n_bytes / seconds / 1e9);
    fflush(stdout);
}

#define YSB "user_id string, page_id string, ad_id string, ad_type string, event_type string, event_time string, ip_address string"
#define YSB3 "ad_id string, event_type string, event_time string"
#define SALE "a bigint, b string, c bigint, d double, e string, f string"

int main(void)
{
    file f = make_file(ysb);

    report("ysb json, 3 of 7 columns: loop", &f, by_hand(&f, ysb_by_hand));
    report("ysb json, 3 of 7 columns: engine", &f, engine(&f, "json", YSB, YSB3));
    report("ysb json, all columns: engine", &f, engine(&f, "json", YSB, YSB));
    report("ysb from_json, 3 of 7 fields: engine", &f, engine_parse(&f, YSB3));
    f = make_file(ysb_shuffled);
    report("ysb json, keys in any order: engine", &f, engine(&f, "json", YSB, YSB3));
    f = make_file(trade);
    report("trades json: loop", &f, by_hand(&f, trade_by_hand));
    report("trades json: engine", &f, engine(&f, "json", "dt string, amount bigint, price double", "dt string, amount bigint, price double"));
    report("trades json, dt as timestamp: engine", &f, engine(&f, "json", "dt timestamp, amount bigint, price double", "dt timestamp, amount bigint, price double"));
    f = make_file(sale);
    report("sales csv: loop", &f, by_hand(&f, sale_by_hand));
    report("sales csv: engine", &f, engine(&f, "csv", SALE, SALE));
    report("sales csv, 2 of 6 columns: engine", &f, engine(&f, "csv", SALE, "a bigint, b string"));
    f = make_file(sentence);
    report("text: loop", &f, by_hand(&f, sentence_by_hand));
    report("text: engine", &f, engine(&f, "text", "value string", "value string"));
    return 0;
}
