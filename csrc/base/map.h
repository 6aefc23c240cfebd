/*
 * base/map.h - a small hash map from text to pointer, for names, options and registries.
 */
#ifndef PS_BASE_MAP_H
#define PS_BASE_MAP_H
#include "base/bytes.h"

typedef struct ps_map_entry {
    char *key; /* owned, NUL-terminated */
    size_t n_key;
    uint64_t hash;
    void *value;
} ps_map_entry;

/* Zeroed by {0}.  Entries keep the order of insertion.  Borrows values. */
typedef struct ps_map {
    ps_map_entry *items;
    int n, capacity;
    int *slots;
    int n_slots;
} ps_map;

void *ps_map_get(const ps_map *map, ps_slice key); /* NULL when absent */
ps_status ps_map_put(ps_map *map, ps_slice key, void *value, void **old, ps_error *err); /* old may be NULL */
void *ps_map_remove(ps_map *map, ps_slice key);    /* the value that was there, or NULL */
void ps_map_clear(ps_map *map);
#endif
