/*
 * base/failpoint.c - a short list of armed names under one lock; nothing here is on a fast path.
 */
#include "base/failpoint.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_POINTS 32
#define MAX_NAME 80

typedef struct point {
    char name[MAX_NAME];
    bool exits;
    int64_t n_left; /* passages until it acts */
} point;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t environment_read = PTHREAD_ONCE_INIT;
static point points[MAX_POINTS];
static int n_points;
static atomic_int n_armed = -1; /* -1: the environment has not been read */

static point *find(const char *name)
{
    for (int i = 0; i < n_points; i++) {
        if (strcmp(points[i].name, name) == 0)
            return &points[i];
    }
    return NULL;
}

static void disarm(point *found)
{
    *found = points[--n_points];
    atomic_store(&n_armed, n_points);
}

static ps_status arm(const char *name, const char *mode, int64_t nth, ps_error *err)
{
    bool exits = strcmp(mode, "exit") == 0;
    ps_status rc = PS_OK;
    point *found;

    if ((!exits && strcmp(mode, "error") != 0) || strlen(name) >= MAX_NAME)
        return ps_raise(err, PS_E_BAD_FAILPOINT, name, mode);
    pthread_mutex_lock(&mutex);
    found = find(name);
    if (found == NULL && n_points < MAX_POINTS)
        found = &points[n_points++];
    if (found != NULL) {
        strcpy(found->name, name);
        found->exits = exits;
        found->n_left = nth > 0 ? nth : 1;
    } else {
        rc = ps_raise(err, PS_E_BAD_FAILPOINT, name, "too many");
    }
    atomic_store(&n_armed, n_points);
    pthread_mutex_unlock(&mutex);
    return rc;
}

/* "name=exit:2,other=error"; what cannot be read is passed over. */
static void read_environment(void)
{
    const char *p = getenv("PYSTREAM_FAILPOINTS");
    char name[MAX_NAME], mode[16];
    int n;

    if (p != NULL) {
        while (sscanf(p, " %79[^=,]=%15[a-z]%n", name, mode, &n) == 2) {
            int64_t nth = 1;
            p += n;
            if (*p == ':')
                nth = strtoll(p + 1, (char **)&p, 10);
            arm(name, mode, nth, NULL);
            if (*p != ',')
                break;
            p++;
        }
    }
    pthread_mutex_lock(&mutex);
    atomic_store(&n_armed, n_points);
    pthread_mutex_unlock(&mutex);
}

ps_status ps_failpoint_arm(const char *name, const char *mode, int64_t nth, ps_error *err)
{
    pthread_once(&environment_read, read_environment);
    if (mode != NULL)
        return arm(name, mode, nth, err);
    pthread_mutex_lock(&mutex);
    point *found = find(name);
    if (found != NULL)
        disarm(found);
    pthread_mutex_unlock(&mutex);
    return PS_OK;
}

void ps_failpoint_disarm_all(void)
{
    pthread_once(&environment_read, read_environment);
    pthread_mutex_lock(&mutex);
    n_points = 0;
    atomic_store(&n_armed, 0);
    pthread_mutex_unlock(&mutex);
}

bool ps_failpoint_any(void)
{
    int n = atomic_load_explicit(&n_armed, memory_order_relaxed);

    if (PS_UNLIKELY(n < 0)) {
        pthread_once(&environment_read, read_environment);
        n = atomic_load(&n_armed);
    }
    return n > 0;
}

ps_status ps_failpoint_hit(const char *name, ps_error *err)
{
    bool acts = false, exits = false;
    point *found;

    pthread_mutex_lock(&mutex);
    found = find(name);
    if (found != NULL && --found->n_left <= 0) {
        acts = true;
        exits = found->exits;
        disarm(found); /* it acts once */
    }
    pthread_mutex_unlock(&mutex);
    if (exits)
        kill(getpid(), SIGKILL); /* as a crash would: no handler runs */
    return acts ? ps_raise(err, PS_E_FAILPOINT, name) : PS_OK;
}
