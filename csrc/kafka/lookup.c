/*
 * kafka/lookup.c - look-ups of partitions and offsets, and Spark's rules about them (sources-sinks.md D.3, D.4).
 */
#include "kafka/lookup.h"
#include "base/clock.h"
#include "kafka/kafka_int.h"
#include <time.h>

#define NO_LEADER_MS 100

/* Sleeps, in steps that a stop ends; for a millisecond at least, as between two attempts nothing else would see the stop. */
static ps_status pause_for(psi_client *client, int64_t ms, ps_error *err)
{
    int64_t left = ms > 1 ? ms : 1;

    while (left > 0) {
        int64_t step = left < PSI_KAFKA_WAIT_MS ? left : PSI_KAFKA_WAIT_MS;

        nanosleep(&(struct timespec){.tv_nsec = step * 1000000}, NULL);
        PS_TRY(psi_client_tell(client, err));
        left -= step;
    }
    return PS_OK;
}

static void set_all(psi_positions *set, int64_t offset)
{
    for (int i = 0; i < set->n; i++)
        set->items[i].offset = offset;
}

static bool is_behind(const psi_positions *latest, const psi_positions *known)
{
    for (int i = 0; known && i < known->n; i++) {
        const psi_position *now = psi_positions_find(latest, known->items[i].topic, known->items[i].partition);

        if (now && now->offset < known->items[i].offset)
            return true;
    }
    return false;
}

/* --- one look-up ------------------------------------------------------------------------------------------------- */

typedef struct lookup {
    const psi_positions *asked; /* partitions, and what the offset of each stands for; NULL: the partitions that there are */
    int64_t mark;               /* without `asked`: what all offsets stand for; 0: they are not wanted */
    const psi_positions *known; /* an offset below these is told by a broker that is behind; or NULL */
} lookup;

static ps_status look_once(psi_client *client, const psi_source_options *options, const lookup *what, psi_positions *out, ps_error *err)
{
    /* A topic that was there and is gone is a loss of data, which the plan of the batch reports. */
    bool lenient = what->known && what->known->n > 0;

    psi_positions_clear(out);
    if (what->asked) {
        PS_TRY(psi_positions_copy(what->asked, out, err));
        return psi_client_offsets(client, out, err);
    }
    PS_TRY(psi_client_partitions(client, &options->subscription, lenient, out, err));
    set_all(out, what->mark);
    return what->mark ? psi_client_offsets(client, out, err) : PS_OK;
}

/* Asks until there is an answer.  A partition that was listed and has no leader will have one: that is waited for as long as
 * a look-up may take.  What else may pass has so many attempts.  After a failure `out` has the
 * partitions asked for, with no meaningful offsets, unless it was NO_MEMORY. */
static ps_status look(psi_client *client, const psi_source_options *options, const lookup *what, psi_positions *out, ps_error *err)
{
    int64_t until = ps_clock_ticks() / 1000000 + psi_client_kept(client)->api_timeout_ms;

    for (int64_t attempt = 1;;) {
        ps_status rc = look_once(client, options, what, out, err);
        bool may_pass = rc == PS_E_KAFKA_FAILED || rc == PS_E_KAFKA_NO_LEADER || rc == PS_E_KAFKA_TOPIC_MISSING;

        if (rc == PS_OK && !is_behind(out, what->known))
            return PS_OK;
        if (rc == PS_E_KAFKA_NO_LEADER && ps_clock_ticks() / 1000000 < until) {
            PS_TRY(pause_for(client, NO_LEADER_MS, err));
            continue;
        }
        if ((rc != PS_OK && !may_pass) || attempt++ >= options->n_retries)
            return rc;
        PS_TRY(pause_for(client, options->retry_ms, err));
    }
}

ps_status psi_lookup_latest(psi_client *client, const psi_source_options *options, const psi_positions *known, psi_positions *out, ps_error *err)
{
    return look(client, options, &(lookup){.mark = PSI_LATEST, .known = known}, out, err);
}

ps_status psi_lookup_each(psi_client *client, const psi_source_options *options, psi_positions *set, ps_error *err)
{
    psi_positions asked = *set;
    ps_status rc;

    *set = (psi_positions){0};
    rc = look(client, options, &(lookup){.asked = &asked}, set, err);
    psi_positions_clear(&asked);
    return rc;
}

ps_status psi_lookup_earliest(psi_client *client, const psi_source_options *options, psi_positions *set, ps_error *err)
{
    set_all(set, PSI_EARLIEST);
    return psi_lookup_each(client, options, set, err);
}

/* --- bounds ------------------------------------------------------------------------------------------------------ */

static ps_status check_partitions(const psi_positions *given, const psi_positions *there, ps_status code, const char *position, ps_error *err)
{
    ps_bytes specified = {0}, assigned = {0};
    ps_status rc;

    if (psi_positions_same_partitions(given, there))
        return PS_OK;
    rc = psi_positions_names(given, false, &specified, err);
    rc = rc == PS_OK ? psi_positions_names(there, false, &assigned, err) : rc;
    if (rc == PS_OK) {
        const char *a = specified.data ? specified.data : "none", *b = assigned.data ? assigned.data : "none";

        rc = position ? ps_raise(err, code, position, a, b) : ps_raise(err, code, a, b);
    }
    ps_bytes_clear(&specified);
    ps_bytes_clear(&assigned);
    return rc;
}

/* Looks up those of `set` that the user gave as -1 or -2. */
static ps_status resolve_marks(psi_client *client, const psi_source_options *options, psi_positions *set, ps_error *err)
{
    psi_positions marks = {0};
    ps_status rc = PS_OK;

    for (int i = 0; rc == PS_OK && i < set->n; i++)
        if (set->items[i].offset < 0)
            rc = psi_positions_set(&marks, set->items[i].topic, set->items[i].partition, set->items[i].offset, err);
    rc = rc == PS_OK ? psi_lookup_each(client, options, &marks, err) : rc;
    for (int i = 0; rc == PS_OK && i < marks.n; i++)
        psi_positions_find(set, marks.items[i].topic, marks.items[i].partition)->offset = marks.items[i].offset;
    psi_positions_clear(&marks);
    return rc;
}

/* `set` holds times: offsets take their place. */
static ps_status resolve_times(psi_client *client, const psi_source_options *options, bool is_start, psi_positions *set, ps_error *err)
{
    psi_positions times = {0};
    ps_status rc = psi_positions_copy(set, &times, err);

    rc = rc == PS_OK ? psi_lookup_each(client, options, set, err) : rc;
    for (int i = 0; rc == PS_OK && i < set->n; i++)
        if (set->items[i].offset < 0 && is_start && !options->latest_without_match)
            rc = ps_raise(err, PS_E_KAFKA_NO_OFFSET_FOR_TIME, set->items[i].topic, (int)set->items[i].partition, (long long)times.items[i].offset);
    psi_positions_clear(&times);
    return rc == PS_OK ? resolve_marks(client, options, set, err) : rc;
}

/* What the user gave for each partition, which must be those that are there. */
static ps_status take_given(const psi_bound *bound, bool is_start, psi_positions *out, ps_error *err)
{
    bool times = bound->kind == PSI_BOUND_TIMES;
    ps_status code = times ? PS_E_KAFKA_TIME_PARTITIONS : PS_E_KAFKA_START_PARTITIONS;

    PS_TRY(check_partitions(&bound->positions, out, code, times ? (is_start ? "start" : "end") : NULL, err));
    for (int i = 0; i < out->n; i++)
        out->items[i].offset = bound->positions.items[i].offset; /* the same partitions in the same order */
    return PS_OK;
}

ps_status psi_lookup_bound(psi_client *client, const psi_source_options *options, const psi_bound *bound, bool is_start, psi_positions *out, ps_error *err)
{
    if (bound->kind == PSI_BOUND_EARLIEST || bound->kind == PSI_BOUND_LATEST)
        return look(client, options, &(lookup){.mark = bound->kind == PSI_BOUND_LATEST ? PSI_LATEST : PSI_EARLIEST}, out, err);
    PS_TRY(look(client, options, &(lookup){0}, out, err));
    if (bound->kind == PSI_BOUND_TIME)
        set_all(out, bound->time_ms);
    else
        PS_TRY(take_given(bound, is_start, out, err));
    return bound->kind == PSI_BOUND_OFFSETS ? resolve_marks(client, options, out, err) : resolve_times(client, options, is_start, out, err);
}
