/*
 * state/times.c - keys in the order of their event time.
 *
 * Windows give few different times and many keys each; raw event times the opposite.  Buckets
 * therefore widen when there are too many of them, and only the one around the watermark may hold
 * keys that have to stay.
 */
#include "state/store_int.h"

#define MOST_BUCKETS 1024

/* The first bucket with a time at or above `time`. */
static int lower_bound(const psi_times *times, int64_t time)
{
    int from = 0, to = times->n;

    while (from < to) {
        int middle = (from + to) / 2;
        if (times->items[middle].time < time)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static ps_status append(psi_tags *to, const psi_tags *from, ps_error *err)
{
    if (to->n > INT32_MAX - from->n)
        return ps_raise(err, PS_E_NO_MEMORY, SIZE_MAX);
    if (to->n + from->n > to->capacity) {
        PS_TRY(ps_realloc((size_t)(to->n + from->n) * sizeof *to->items, &to->items, err));
        to->capacity = to->n + from->n;
    }
    memcpy(to->items + to->n, from->items, (size_t)from->n * sizeof *to->items);
    to->n += from->n;
    return PS_OK;
}

/* Buckets 16 times as wide. */
static ps_status widen(psi_times *times, ps_error *err)
{
    int kept = 0;

    for (int i = 0; i < times->n; i++)
        times->items[i].time >>= 4;
    times->shift += 4;
    times->last = 0;
    for (int i = 1; i < times->n; i++) {
        if (times->items[i].time == times->items[kept].time) {
            PS_TRY(append(&times->items[kept].tags, &times->items[i].tags, err));
            ps_free(times->items[i].tags.items);
        } else if (++kept != i) {
            times->items[kept] = times->items[i];
        }
        if (kept != i)
            times->items[i].tags = (psi_tags){0};
    }
    times->n = times->n ? kept + 1 : 0;
    return PS_OK;
}

ps_status psi_times_add(psi_times *times, int64_t time_us, uint32_t tag, ps_error *err)
{
    int64_t time = time_us >> times->shift;
    int at = times->last;

    if (at >= times->n || times->items[at].time != time) {
        at = lower_bound(times, time);
        if (at == times->n || times->items[at].time != time) {
            if (times->n >= MOST_BUCKETS && times->shift < 56) {
                PS_TRY(widen(times, err));
                return psi_times_add(times, time_us, tag, err);
            }
            PS_TRY(ps_grow(&times->items, times->n, &times->capacity, sizeof *times->items, err));
            memmove(times->items + at + 1, times->items + at,
                    (size_t)(times->n - at) * sizeof *times->items);
            times->items[at] = (psi_bucket){time, {0}};
            times->n++;
        }
        times->last = at;
    }
    return PS_PUSH(&times->items[at].tags, tag, err);
}

int psi_times_due(const psi_times *times, int64_t until_us)
{
    int64_t last = until_us >> times->shift;
    int n = lower_bound(times, last);

    return n < times->n && times->items[n].time == last ? n + 1 : n;
}

void psi_times_remove(psi_times *times, int n)
{
    for (int i = 0; i < n; i++)
        ps_free(times->items[i].tags.items);
    times->n -= n;
    times->last = 0;
    if (times->n > 0)
        memmove(times->items, times->items + n, (size_t)times->n * sizeof *times->items);
}

void psi_times_clear(psi_times *times)
{
    psi_times_remove(times, times->n);
    ps_free(times->items);
    memset(times, 0, sizeof *times);
}

size_t psi_times_n_bytes(const psi_times *times)
{
    size_t n = (size_t)times->capacity * sizeof *times->items;

    for (int i = 0; i < times->n; i++)
        n += (size_t)times->items[i].tags.capacity * sizeof(uint32_t);
    return n;
}
