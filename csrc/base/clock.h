/*
 * base/clock.h - where the engine gets its time.  A test can hold it.
 */
#ifndef PS_BASE_CLOCK_H
#define PS_BASE_CLOCK_H
#include "base/thread.h"

typedef struct ps_clock ps_clock;

ps_clock *ps_clock_system(void);
ps_status ps_clock_manual_new(int64_t start_ms, ps_clock **out, ps_error *err);
void ps_clock_free(ps_clock *clock); /* no-op on the system clock */
void ps_clock_advance(ps_clock *clock, int64_t ms); /* manual only; wakes sleepers; @thread any */

int64_t ps_clock_now_ms(ps_clock *clock);
int64_t ps_clock_now_us(ps_clock *clock);
/* Waits on `cond`, whose lock is held and is held again after, until it is woken, the clock reads `until_ms`
 * or a short while has passed: the caller looks at his condition and the clock again, in a loop. */
void ps_clock_wait(ps_clock *clock, int64_t until_ms, ps_cond *cond, ps_lock *lock);
/* Nanoseconds of the monotonic clock, for measuring; never a manual clock. */
int64_t ps_clock_ticks(void);
/* The same of a clock that goes on while the machine sleeps: how old something is for the rest of the world. */
int64_t ps_clock_age_ticks(void);
#endif
