/*
 * base/thread.c - ranked locks and the worker pool.
 */
#include "base/thread.h"
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* ---- locks ---- */

#ifdef PS_DEBUG
#define MAX_HELD 16
static _Thread_local ps_rank held[MAX_HELD];
static _Thread_local int n_held;

static void note_taken(ps_rank rank)
{
    ps_assert(n_held < MAX_HELD && (n_held == 0 || held[n_held - 1] < rank));
    held[n_held++] = rank;
}

static void note_dropped(ps_rank rank)
{
    int i = n_held - 1;

    while (i >= 0 && held[i] != rank)
        i--;
    ps_assert(i >= 0);
    for (n_held--; i < n_held; i++)
        held[i] = held[i + 1];
}
#else
#define note_taken(rank) ((void)(rank))
#define note_dropped(rank) ((void)(rank))
#endif

void ps_lock_init(ps_lock *lock, ps_rank rank)
{
    pthread_mutex_init(&lock->mutex, NULL);
    lock->rank = rank;
}

void ps_lock_clear(ps_lock *lock)
{
    pthread_mutex_destroy(&lock->mutex);
}

void ps_lock_take(ps_lock *lock)
{
    note_taken(lock->rank); /* before waiting, so that an inversion shows even when it does not deadlock */
    pthread_mutex_lock(&lock->mutex);
}

void ps_lock_drop(ps_lock *lock)
{
    pthread_mutex_unlock(&lock->mutex);
    note_dropped(lock->rank);
}

void ps_cond_init(ps_cond *cond)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&cond->cond, &attr);
    pthread_condattr_destroy(&attr);
}

void ps_cond_clear(ps_cond *cond)
{
    pthread_cond_destroy(&cond->cond);
}

void ps_cond_wake_all(ps_cond *cond)
{
    pthread_cond_broadcast(&cond->cond);
}

bool ps_cond_wait_ms(ps_cond *cond, ps_lock *lock, int64_t ms)
{
    struct timespec until;

    if (ms < 0) {
        pthread_cond_wait(&cond->cond, &lock->mutex);
        return true;
    }
    if (ms > 86400000)
        ms = 86400000; /* a spurious time-out a day is allowed, an overflow is not */
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(ms / 1000);
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    return pthread_cond_timedwait(&cond->cond, &lock->mutex, &until) != ETIMEDOUT;
}

void ps_thread_set_name(const char *name)
{
    char cut[16];

    snprintf(cut, sizeof cut, "%s", name);
    prctl(PR_SET_NAME, cut, 0, 0, 0);
}

void ps_thread_step_back(void)
{
    (void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 5); /* on Linux a thread has a nice value of its own */
}

int ps_cpu_count(void)
{
    cpu_set_t set;
    int n = 0;

    if (sched_getaffinity(0, sizeof set, &set) == 0)
        n = CPU_COUNT(&set);
    if (n <= 0)
        n = (int)sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? n : 1;
}

/* ---- the pool ----
 *
 * A job lies on its caller's stack and is listed while it has room for another worker.  Workers sleep until a
 * job is listed, enter it, and take tasks in order by an atomic counter; so does the caller, who then waits
 * until nobody is inside.  A job needs no worker to finish: threads that cannot be made cost speed alone.
 */
#define MAX_THREADS 256

typedef struct job {
    ps_status (*fn)(void *arg, int task, ps_error *err);
    void *arg;
    int n_tasks;
    atomic_int next; /* the next task to take; n_tasks or more: none is left */
    /* under the pool's lock */
    int n_room;      /* workers that may still enter */
    int n_inside;
    int failed_task; /* -1: none */
    ps_error *err;
    ps_status status;
    struct job *next_job;
} job;

static struct pool {
    ps_lock lock;
    pthread_cond_t work, left;
    job *jobs;
    int n_threads;
} pool = {{PTHREAD_MUTEX_INITIALIZER, PS_RANK_POOL}, PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL, 0};

/* Tasks are begun in order, so the failure with the lowest number is always among those that are seen: which
 * error a job ends with does not depend on the threads. */
static void note_failure(job *j, int task, ps_status status, const ps_error *err)
{
    ps_lock_take(&pool.lock);
    if (j->failed_task < 0 || task < j->failed_task) {
        j->failed_task = task;
        j->status = status;
        if (j->err != NULL)
            *j->err = *err;
    }
    ps_lock_drop(&pool.lock);
    atomic_store(&j->next, j->n_tasks);
}

static void run_tasks(job *j)
{
    ps_error err;

    for (;;) {
        int task = atomic_load(&j->next);
        /* Not fetch_add: the counter must not wrap, nor undo the stop of note_failure(). */
        while (task < j->n_tasks && !atomic_compare_exchange_weak(&j->next, &task, task + 1)) {
        }
        if (task >= j->n_tasks)
            return;
        err.code = PS_OK;
        err.foreign = false;
        err.message[0] = '\0';
        ps_status status = j->fn(j->arg, task, &err);
        if (status != PS_OK)
            note_failure(j, task, status, &err);
    }
}

static void unlist(job *j)
{
    job **link = &pool.jobs;

    while (*link != NULL && *link != j)
        link = &(*link)->next_job;
    if (*link == j)
        *link = j->next_job;
}

static void *worker(void *unused)
{
    PS_UNUSED(unused);
    ps_thread_set_name("pystream-worker");
    ps_lock_take(&pool.lock);
    for (;;) {
        job *j = pool.jobs;
        if (j == NULL) {
            pthread_cond_wait(&pool.work, &pool.lock.mutex);
            continue;
        }
        j->n_inside++;
        if (--j->n_room == 0)
            unlist(j);
        ps_lock_drop(&pool.lock);
        run_tasks(j);
        ps_lock_take(&pool.lock);
        unlist(j); /* its tasks are all taken */
        if (--j->n_inside == 0)
            pthread_cond_broadcast(&pool.left);
    }
    return NULL;
}

static void before_fork(void)
{
    pthread_mutex_lock(&pool.lock.mutex);
}

static void after_fork_in_parent(void)
{
    pthread_mutex_unlock(&pool.lock.mutex);
}

/* Threads do not survive fork(): the child starts with an empty pool. */
static void after_fork_in_child(void)
{
    pthread_mutex_init(&pool.lock.mutex, NULL);
    pthread_cond_init(&pool.work, NULL);
    pthread_cond_init(&pool.left, NULL);
    pool.jobs = NULL;
    pool.n_threads = 0;
}

static void register_fork_handlers(void)
{
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

/* With the pool's lock held. */
static void make_threads(int n_wanted)
{
    pthread_attr_t attr;
    sigset_t all, before;
    pthread_t thread;

    if (n_wanted > MAX_THREADS)
        n_wanted = MAX_THREADS;
    if (pool.n_threads >= n_wanted)
        return;
    sigfillset(&all); /* signals are the main thread's */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    while (pool.n_threads < n_wanted && pthread_create(&thread, &attr, worker, NULL) == 0)
        pool.n_threads++;
    pthread_attr_destroy(&attr);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

ps_status ps_pool_run(int n_workers, int n_tasks, ps_status (*fn)(void *arg, int task, ps_error *err), void *arg,
                      ps_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    job j = {.fn = fn, .arg = arg, .n_tasks = n_tasks, .failed_task = -1, .err = err};

    if (n_workers > n_tasks)
        n_workers = n_tasks;
    if (n_workers <= 1) {
        for (int i = 0; i < n_tasks; i++)
            PS_TRY(fn(arg, i, err));
        return PS_OK;
    }
    pthread_once(&once, register_fork_handlers);
    ps_lock_take(&pool.lock);
    make_threads(n_workers - 1);
    j.n_room = n_workers - 1;
    j.next_job = pool.jobs;
    pool.jobs = &j;
    for (int i = 1; i < n_workers; i++)
        pthread_cond_signal(&pool.work);
    ps_lock_drop(&pool.lock);

    run_tasks(&j);

    ps_lock_take(&pool.lock);
    unlist(&j);
    while (j.n_inside > 0)
        pthread_cond_wait(&pool.left, &pool.lock.mutex);
    ps_lock_drop(&pool.lock);
    return j.status;
}
