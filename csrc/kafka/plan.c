/*
 * kafka/plan.c - arithmetic over positions.
 */
#include "kafka/plan.h"
#include <math.h>

int64_t psi_plan_sum(int64_t a, int64_t b)
{
    int64_t sum;

    if (__builtin_add_overflow(a, b, &sum))
        return b > 0 ? INT64_MAX : INT64_MIN;
    return sum;
}

int64_t psi_plan_gap(int64_t from, int64_t to)
{
    int64_t gap;

    if (__builtin_sub_overflow(to, from, &gap))
        return to > from ? INT64_MAX : INT64_MIN;
    return gap;
}

/* How much of its backlog a partition gets: its share of the limit, but always something. */
static int64_t share(int64_t backlog, int64_t total, int64_t limit)
{
    double part = (double)limit * ((double)backlog / (double)total);
    double whole = part < 1 ? ceil(part) : floor(part);

    return whole >= (double)backlog ? backlog : (int64_t)whole;
}

ps_status psi_plan_limit(const psi_positions *from, const psi_positions *latest, int64_t limit, psi_positions *out, ps_error *err)
{
    int64_t total = 0;

    for (int i = 0; i < latest->n; i++) {
        const psi_position *end = &latest->items[i], *begin = psi_positions_find(from, end->topic, end->partition);

        if (begin && end->offset > begin->offset)
            total = psi_plan_sum(total, psi_plan_gap(begin->offset, end->offset));
    }
    for (int i = 0; i < latest->n; i++) {
        const psi_position *end = &latest->items[i], *begin = psi_positions_find(from, end->topic, end->partition);
        int64_t offset = end->offset;

        if (begin && end->offset > begin->offset)
            offset = begin->offset + share(psi_plan_gap(begin->offset, end->offset), total, limit);
        PS_TRY(psi_positions_set(out, end->topic, end->partition, offset, err));
    }
    return PS_OK;
}

int64_t psi_plan_distance(const psi_positions *from, const psi_positions *to)
{
    int64_t sum = 0;

    for (int i = 0; i < to->n; i++) {
        const psi_position *begin = psi_positions_find(from, to->items[i].topic, to->items[i].partition);

        sum = psi_plan_sum(sum, psi_plan_gap(begin ? begin->offset : 0, to->items[i].offset));
    }
    return sum;
}

ps_status psi_plan_without(const psi_positions *a, const psi_positions *b, psi_positions *out, ps_error *err)
{
    for (int i = 0; i < a->n; i++)
        if (!psi_positions_find(b, a->items[i].topic, a->items[i].partition))
            PS_TRY(psi_positions_set(out, a->items[i].topic, a->items[i].partition, a->items[i].offset, err));
    return PS_OK;
}

ps_status psi_plan_ranges(const psi_positions *from, const psi_positions *to, psi_ranges *out, const psi_position **shrunk, ps_error *err)
{
    *shrunk = NULL;
    for (int i = 0; i < to->n; i++) {
        const psi_position *end = &to->items[i], *begin = psi_positions_find(from, end->topic, end->partition);
        psi_range range;

        if (!begin)
            continue;
        if (end->offset < begin->offset && !*shrunk)
            *shrunk = end;
        range = (psi_range){end->topic, end->partition, begin->offset, end->offset};
        if (range.from < range.to)
            PS_TRY(PS_PUSH(out, range, err));
    }
    return PS_OK;
}
