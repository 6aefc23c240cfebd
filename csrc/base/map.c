/*
 * base/map.c - the entries lie in an array in order of insertion; `slots` is an open-addressed index of
 * 1 + entry number, 0 for free.
 */
#include "base/map.h"
#include "base/hash.h"

static uint64_t hash_key(ps_slice key)
{
    return ps_hash_bytes(key.data, key.n_bytes, ps_hash_seed());
}

/* The slot that holds the key, or the free one where it belongs. */
static int find_slot(const ps_map *map, ps_slice key, uint64_t hash)
{
    int i = (int)(hash & (uint64_t)(map->n_slots - 1));

    for (; map->slots[i] != 0; i = (i + 1) & (map->n_slots - 1)) {
        const ps_map_entry *entry = &map->items[map->slots[i] - 1];
        if (entry->hash == hash && ps_slice_equal((ps_slice){entry->key, entry->n_key}, key))
            break;
    }
    return i;
}

static void fill_slots(ps_map *map)
{
    memset(map->slots, 0, (size_t)map->n_slots * sizeof *map->slots);
    for (int i = 0; i < map->n; i++) {
        int slot = (int)(map->items[i].hash & (uint64_t)(map->n_slots - 1));
        while (map->slots[slot] != 0)
            slot = (slot + 1) & (map->n_slots - 1);
        map->slots[slot] = i + 1;
    }
}

static ps_status grow_slots(ps_map *map, ps_error *err)
{
    int n_slots = map->n_slots == 0 ? 16 : map->n_slots * 2;

    if (map->n_slots > (1 << 29))
        return ps_raise(err, PS_E_NO_MEMORY, SIZE_MAX);
    PS_TRY(ps_realloc((size_t)n_slots * sizeof *map->slots, &map->slots, err));
    map->n_slots = n_slots;
    fill_slots(map);
    return PS_OK;
}

void *ps_map_get(const ps_map *map, ps_slice key)
{
    int slot;

    if (map->n == 0)
        return NULL;
    slot = map->slots[find_slot(map, key, hash_key(key))];
    return slot == 0 ? NULL : map->items[slot - 1].value;
}

ps_status ps_map_put(ps_map *map, ps_slice key, void *value, void **old, ps_error *err)
{
    ps_map_entry entry = {.n_key = key.n_bytes, .hash = hash_key(key), .value = value};
    int slot;

    if (old != NULL)
        *old = NULL;
    if (map->n + 1 > map->n_slots / 2)
        PS_TRY(grow_slots(map, err));
    slot = find_slot(map, key, entry.hash);
    if (map->slots[slot] != 0) {
        ps_map_entry *there = &map->items[map->slots[slot] - 1];
        if (old != NULL)
            *old = there->value;
        there->value = value;
        return PS_OK;
    }
    PS_TRY(ps_grow(&map->items, map->n, &map->capacity, sizeof *map->items, err));
    PS_TRY(ps_strndup(key.data, key.n_bytes, &entry.key, err));
    map->items[map->n++] = entry;
    map->slots[slot] = map->n;
    return PS_OK;
}

void *ps_map_remove(ps_map *map, ps_slice key)
{
    void *value;
    int i;

    if (map->n == 0 || (i = map->slots[find_slot(map, key, hash_key(key))] - 1) < 0)
        return NULL;
    value = map->items[i].value;
    ps_free(map->items[i].key);
    map->n--;
    memmove(map->items + i, map->items + i + 1, (size_t)(map->n - i) * sizeof *map->items);
    fill_slots(map);
    return value;
}

void ps_map_clear(ps_map *map)
{
    for (int i = 0; i < map->n; i++)
        ps_free(map->items[i].key);
    ps_free(map->items);
    ps_free(map->slots);
    *map = (ps_map){0};
}
