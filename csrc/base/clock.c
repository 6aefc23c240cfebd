/*
 * base/clock.c - the system's clock and one that a test moves.
 */
#include "base/clock.h"
#include "base/mem.h"
#include <time.h>

/* A manual clock is looked at so often by those who wait for it.  Advancing it wakes them at once, save one who
 * is just about to sleep: the clock does not hold the sleeper's lock. */
#define LOOK_AGAIN_MS 20
#define MAX_SLEEPERS 16

struct ps_clock {
    ps_lock lock;
    bool manual;
    int64_t now_ms;
    ps_cond *sleepers[MAX_SLEEPERS]; /* those beyond look again by themselves */
    int n_sleepers;
};

static ps_clock system_clock;

ps_clock *ps_clock_system(void)
{
    return &system_clock;
}

ps_status ps_clock_manual_new(int64_t start_ms, ps_clock **out, ps_error *err)
{
    ps_clock *clock;

    *out = NULL;
    PS_TRY(ps_alloc0(sizeof *clock, &clock, err));
    ps_lock_init(&clock->lock, PS_RANK_CLOCK);
    clock->manual = true;
    clock->now_ms = start_ms;
    *out = clock;
    return PS_OK;
}

void ps_clock_free(ps_clock *clock)
{
    if (clock == NULL || !clock->manual)
        return;
    ps_lock_clear(&clock->lock);
    ps_free(clock);
}

void ps_clock_advance(ps_clock *clock, int64_t ms)
{
    ps_assert(clock->manual);
    ps_lock_take(&clock->lock);
    clock->now_ms += ms;
    for (int i = 0; i < clock->n_sleepers; i++)
        ps_cond_wake_all(clock->sleepers[i]);
    ps_lock_drop(&clock->lock);
}

static int64_t read_clock(clockid_t id, int64_t per_second)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * per_second + now.tv_nsec / (1000000000 / per_second);
}

int64_t ps_clock_now_ms(ps_clock *clock)
{
    int64_t now;

    if (!clock->manual)
        return read_clock(CLOCK_REALTIME, 1000);
    ps_lock_take(&clock->lock);
    now = clock->now_ms;
    ps_lock_drop(&clock->lock);
    return now;
}

int64_t ps_clock_now_us(ps_clock *clock)
{
    return clock->manual ? ps_clock_now_ms(clock) * 1000 : read_clock(CLOCK_REALTIME, 1000000);
}

static void add_sleeper(ps_clock *clock, ps_cond *cond)
{
    ps_lock_take(&clock->lock);
    if (clock->n_sleepers < MAX_SLEEPERS)
        clock->sleepers[clock->n_sleepers++] = cond;
    ps_lock_drop(&clock->lock);
}

static void remove_sleeper(ps_clock *clock, const ps_cond *cond)
{
    ps_lock_take(&clock->lock);
    for (int i = 0; i < clock->n_sleepers; i++) {
        if (clock->sleepers[i] == cond) {
            clock->sleepers[i] = clock->sleepers[--clock->n_sleepers];
            break;
        }
    }
    ps_lock_drop(&clock->lock);
}

void ps_clock_wait(ps_clock *clock, int64_t until_ms, ps_cond *cond, ps_lock *lock)
{
    int64_t now = ps_clock_now_ms(clock);

    if (now >= until_ms)
        return;
    if (!clock->manual) {
        /* In slices, so that a step of the system's clock is noticed. */
        ps_cond_wait_ms(cond, lock, until_ms - now < 1000 ? until_ms - now : 1000);
        return;
    }
    add_sleeper(clock, cond);
    ps_cond_wait_ms(cond, lock, LOOK_AGAIN_MS);
    remove_sleeper(clock, cond);
}

int64_t ps_clock_ticks(void)
{
    return read_clock(CLOCK_MONOTONIC, 1000000000);
}

int64_t ps_clock_age_ticks(void)
{
#ifdef CLOCK_BOOTTIME
    return read_clock(CLOCK_BOOTTIME, 1000000000);
#else
    return ps_clock_ticks();
#endif
}
