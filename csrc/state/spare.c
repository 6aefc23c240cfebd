/*
 * state/spare.c - deltas that are no longer needed wait to become new ones (ps_fs_retire).
 *
 * The snapshot's thread retires them, the query's takes them: a ring of hidden names, each counter
 * moved by one thread alone.
 */
#include "state/store_int.h"
#include <stdio.h>

#define N_SPARES 16

struct psi_spares {
    _Atomic int64_t made, used;
};

ps_status psi_spares_new(psi_spares **out, ps_error *err)
{
    return ps_alloc0(sizeof **out, out, err);
}

static ps_status spare_path(const ps_store *store, int64_t number, char **out, ps_error *err)
{
    char name[24];

    snprintf(name, sizeof name, ".%d.spare", (int)(number % N_SPARES));
    return ps_path_join(store->options.dir, name, out, err);
}

ps_status psi_spare_keep(const ps_store *store, const char *path, ps_error *err)
{
    psi_spares *spares = store->spares;
    int64_t made = atomic_load(&spares->made);
    bool kept;
    char *spare;
    ps_status rc;

    if (made - atomic_load(&spares->used) == N_SPARES)
        return ps_fs_remove(store->options.fs, path, err);
    PS_TRY(spare_path(store, made, &spare, err));
    rc = ps_fs_retire(store->options.fs, path, spare, &kept, err);
    if (kept)
        atomic_store(&spares->made, made + 1);
    ps_free(spare);
    return rc;
}

ps_status psi_spare_create(const ps_store *store, const char *path, ps_file **out, ps_error *err)
{
    psi_spares *spares = store->spares;
    int64_t used = atomic_load(&spares->used);
    char *spare;
    ps_status rc;

    if (used == atomic_load(&spares->made))
        return ps_fs_create(store->options.fs, path, out, err);
    PS_TRY(spare_path(store, used, &spare, err));
    rc = ps_fs_recycle(store->options.fs, spare, path, out, err);
    atomic_store(&spares->used, used + 1);
    ps_free(spare);
    return rc;
}

void psi_spares_free(ps_store *store)
{
    psi_spares *spares = store->spares;

    for (int64_t i = spares ? spares->used : 0; spares && i < spares->made; i++) {
        char *spare;

        if (spare_path(store, i, &spare, NULL) != PS_OK)
            continue;
        ps_fs_remove(store->options.fs, spare, NULL); /* best effort: the name is hidden */
        ps_free(spare);
    }
    ps_free(spares);
    store->spares = NULL;
}
