/*
 * base/thread.h - locks with a rank, and condition waits.
 *
 * A thread may take a lock only when its rank is higher than that of every lock it holds; debug builds
 * assert it.  The order, lowest first:
 */
#ifndef PS_BASE_THREAD_H
#define PS_BASE_THREAD_H
#include "base/status.h"
#include <pthread.h>

typedef enum ps_rank {
    PS_RANK_MANAGER = 1, /* query/manager: the list of queries */
    PS_RANK_SESSION,     /* query/session: views and confs */
    PS_RANK_QUERY,       /* query/query: its state and progress */
    PS_RANK_SOURCE,      /* io: rows added to a memory source, a socket's buffer */
    PS_RANK_SINK,        /* io: rows of a memory sink */
    PS_RANK_POOL,        /* base/thread: the worker pool */
    PS_RANK_STATE,       /* state/store: a shard that several workers fill */
    PS_RANK_CLOCK,       /* base/clock: the manual clock */
    PS_RANK_LEAF         /* anything that calls nothing */
} ps_rank;

typedef struct ps_lock { pthread_mutex_t mutex; ps_rank rank; } ps_lock;
typedef struct ps_cond { pthread_cond_t cond; } ps_cond;
void ps_lock_init(ps_lock *lock, ps_rank rank);
void ps_lock_clear(ps_lock *lock);
void ps_lock_take(ps_lock *lock);
void ps_lock_drop(ps_lock *lock);
void ps_cond_init(ps_cond *cond); /* on the monotonic clock */
void ps_cond_clear(ps_cond *cond);
void ps_cond_wake_all(ps_cond *cond);
/* Waits at most `ms` (negative: for ever); true when woken, false on time-out.  The lock is held again after. */
bool ps_cond_wait_ms(ps_cond *cond, ps_lock *lock, int64_t ms);

void ps_thread_set_name(const char *name); /* cut to 15 bytes */
/* From now on this thread runs when others leave it time, but not so rarely that who waits for its lock notices. */
void ps_thread_step_back(void);

/* The process-wide worker pool.  Runs fn(arg, i) for i in [0, n_tasks) on up to n_workers threads, the
 * caller's among them, and returns when all are done; the first failure wins.  After fork() the child
 * makes its own pool. */
ps_status ps_pool_run(int n_workers, int n_tasks, ps_status (*fn)(void *arg, int task, ps_error *err), void *arg, ps_error *err);
int ps_cpu_count(void);
#endif
