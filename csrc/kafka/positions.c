/*
 * kafka/positions.c - sorted sets of partitions with an offset each, and their texts.
 */
#include "kafka/positions.h"

int psi_position_compare(const psi_position *a, const psi_position *b)
{
    int order = strcmp(a->topic, b->topic);

    return order ? order : (a->partition > b->partition) - (a->partition < b->partition);
}

/* The place of a partition in the set, or where it would be put in. */
static int place(const psi_positions *set, const psi_position *wanted, bool *found)
{
    int low = 0, high = set->n;

    *found = false;
    while (low < high) {
        int middle = low + (high - low) / 2, order = psi_position_compare(&set->items[middle], wanted);

        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

psi_position *psi_positions_find(const psi_positions *set, const char *topic, int32_t partition)
{
    bool found;
    int at = place(set, &(psi_position){topic, partition, 0}, &found);

    return found ? &set->items[at] : NULL;
}

/* A topic's name in the arena: that of a neighbour, when it has the same. */
static ps_status keep_name(psi_positions *set, int at, const char *topic, const char **out, ps_error *err)
{
    char *copy;

    for (int i = at > 0 ? at - 1 : 0; i <= at && i < set->n; i++) {
        if (strcmp(set->items[i].topic, topic) == 0) {
            *out = set->items[i].topic;
            return PS_OK;
        }
    }
    PS_TRY(ps_arena_strndup(&set->names, topic, strlen(topic), &copy, err));
    *out = copy;
    return PS_OK;
}

ps_status psi_positions_set(psi_positions *set, const char *topic, int32_t partition, int64_t offset, ps_error *err)
{
    psi_position item = {topic, partition, offset};
    bool found;
    int at = place(set, &item, &found);

    if (found) {
        set->items[at].offset = offset;
        return PS_OK;
    }
    PS_TRY(keep_name(set, at, topic, &item.topic, err));
    PS_TRY(ps_grow(&set->items, set->n, &set->capacity, sizeof *set->items, err));
    memmove(set->items + at + 1, set->items + at, (size_t)(set->n - at) * sizeof *set->items);
    set->items[at] = item;
    set->n++;
    return PS_OK;
}

ps_status psi_positions_copy(const psi_positions *from, psi_positions *to, ps_error *err)
{
    for (int i = 0; i < from->n; i++)
        PS_TRY(psi_positions_set(to, from->items[i].topic, from->items[i].partition, from->items[i].offset, err));
    return PS_OK;
}

bool psi_positions_cover(const psi_positions *set, const psi_positions *from)
{
    for (int i = 0; i < from->n; i++)
        if (!psi_positions_find(set, from->items[i].topic, from->items[i].partition))
            return false;
    return true;
}

bool psi_positions_same_partitions(const psi_positions *a, const psi_positions *b)
{
    return a->n == b->n && psi_positions_cover(a, b);
}

void psi_positions_clear(psi_positions *set)
{
    ps_free(set->items);
    ps_arena_clear(&set->names);
    *set = (psi_positions){0};
}

/* --- texts ------------------------------------------------------------------------------------------------ */

/* A partition's number: digits alone, in range. */
static bool partition_of(ps_slice key, int32_t *out)
{
    int64_t value = 0;

    for (size_t i = 0; i < key.n_bytes; i++) {
        if (key.data[i] < '0' || key.data[i] > '9' || value > INT32_MAX / 10)
            return false;
        value = value * 10 + (key.data[i] - '0');
    }
    *out = (int32_t)value;
    return key.n_bytes > 0 && value <= INT32_MAX;
}

static ps_status read_topic(const ps_json *topic, psi_positions *out, bool *valid, ps_error *err)
{
    char *name;

    *valid = topic->kind == PS_JSON_OBJECT && topic->key.n_bytes > 0 && !memchr(topic->key.data, 0, topic->key.n_bytes);
    if (!*valid)
        return PS_OK;
    PS_TRY(ps_arena_strndup(&out->names, topic->key.data, topic->key.n_bytes, &name, err));
    for (const ps_json *item = topic->first; item; item = item->next) {
        int32_t partition;
        int64_t offset;

        *valid = partition_of(item->key, &partition) && ps_json_int(item, &offset);
        if (!*valid)
            return PS_OK;
        PS_TRY(psi_positions_set(out, name, partition, offset, err));
    }
    return PS_OK;
}

ps_status psi_positions_parse(const char *text, psi_positions *out, bool *valid, ps_error *err)
{
    ps_arena arena = {0};
    ps_json *root;
    ps_status rc = ps_json_parse(ps_slice_of(text), &arena, &root, err);

    *valid = rc == PS_OK && root->kind == PS_JSON_OBJECT;
    if (rc == PS_E_BAD_JSON)
        rc = PS_OK;
    for (const ps_json *topic = *valid ? root->first : NULL; rc == PS_OK && *valid && topic; topic = topic->next)
        rc = read_topic(topic, out, valid, err);
    ps_arena_clear(&arena);
    return rc;
}

ps_status psi_positions_text(const psi_positions *set, ps_bytes *out, ps_error *err)
{
    PS_TRY(ps_bytes_char(out, '{', err));
    for (int i = 0; i < set->n; i++) {
        const psi_position *item = &set->items[i];
        bool first = i == 0 || strcmp(item[-1].topic, item->topic) != 0;

        if (first) {
            PS_TRY(i ? ps_bytes_text(out, "},", err) : PS_OK);
            PS_TRY(ps_bytes_json_string(out, ps_slice_of(item->topic), err));
            PS_TRY(ps_bytes_text(out, ":{", err));
        }
        PS_TRY(ps_bytes_printf(out, err, "%s\"%d\":%lld", first ? "" : ",", (int)item->partition, (long long)item->offset));
    }
    return ps_bytes_text(out, set->n ? "}}" : "}", err);
}

ps_status psi_positions_names(const psi_positions *set, bool with_offsets, ps_bytes *out, ps_error *err)
{
    for (int i = 0; i < set->n; i++) {
        PS_TRY(ps_bytes_printf(out, err, "%s%s-%d", i ? ", " : "", set->items[i].topic, (int)set->items[i].partition));
        if (with_offsets)
            PS_TRY(ps_bytes_printf(out, err, " -> %lld", (long long)set->items[i].offset));
    }
    return PS_OK;
}
