/*
 * state/snapshot.c - whole states written beside the query's thread, and files that are no longer
 * needed.
 *
 * After a commit the snapshot's thread takes one shard after the other: it copies the shard, lets
 * the query go on with it, and packs the copy into the file.  When the query wants to change a
 * shard that has not had its turn, it makes the copy itself.  So a commit waits for nothing, the
 * query for one copy of a shard at most, and the file shows the version that was committed.  A
 * snapshot that fails is no harm: the deltas are there, and another is due soon.  The thread steps
 * back behind the others: with few cores it would make every tenth small batch slow.
 */
#include "base/failpoint.h"
#include "state/store_int.h"
#include <signal.h>
#include <stdlib.h>

typedef enum turn { WAITING, COPYING, COPIED } turn;

struct psi_snapshot {
    pthread_t thread;
    const ps_store *store; /* what does not change: options, families */
    int64_t version;
    uint64_t id;
    ps_lock lock; /* over turns and stop */
    ps_cond cond;
    turn *turns;       /* of each shard */
    psi_image *images; /* of shards that are COPIED, until packed */
    int n;
    bool stop;
    atomic_bool done;
    bool written;
    size_t n_bytes;
};

/* ---- copies ---- */

static void image_clear(psi_image *image)
{
    ps_free(image->slots);
    ps_heap_clear(&image->heap);
    image->slots = NULL;
}

static ps_status copy_heap(const ps_heap *from, ps_heap *to, ps_error *err)
{
    if (from->n == 0)
        return PS_OK;
    PS_TRY(ps_alloc0((size_t)from->n * sizeof *to->chunks, &to->chunks, err));
    to->capacity = from->n;
    for (; to->n < from->n; to->n++) {
        PS_TRY(ps_alloc(from->chunks[to->n].n_bytes, &to->chunks[to->n].data, err));
        to->chunks[to->n].n_bytes = from->chunks[to->n].n_bytes;
        memcpy(to->chunks[to->n].data, from->chunks[to->n].data, from->chunks[to->n].n_bytes);
    }
    return PS_OK;
}

static ps_status copy_shard(const ps_shard *shard, psi_image *image, ps_error *err)
{
    const ps_table *table = &shard->table;
    size_t size = table->layout->n_bytes;
    uint8_t *slots[PS_CHUNK];
    uint64_t position = 0;
    int64_t n;

    PS_TRY(ps_alloc((size_t)table->n * size, &image->slots, err));
    image->n = 0;
    while ((n = ps_table_next(table, &position, slots, PS_CHUNK)) > 0)
        for (int64_t j = 0; j < n; j++)
            memcpy(image->slots + (size_t)image->n++ * size, slots[j], size);
    return copy_heap(&table->heap, &image->heap, err);
}

/* Copies shard i unless that is done; whoever comes first does it, others wait. */
static ps_status take_copy(psi_snapshot *snapshot, int i, ps_error *err)
{
    ps_status rc = PS_OK;
    bool mine;

    ps_lock_take(&snapshot->lock);
    while (snapshot->turns[i] == COPYING)
        ps_cond_wait_ms(&snapshot->cond, &snapshot->lock, -1);
    mine = snapshot->turns[i] == WAITING && !snapshot->stop;
    if (mine)
        snapshot->turns[i] = COPYING;
    ps_lock_drop(&snapshot->lock);
    if (!mine)
        return PS_OK;
    rc = copy_shard(&snapshot->store->shards[i], &snapshot->images[i], err);
    ps_lock_take(&snapshot->lock);
    snapshot->turns[i] = COPIED;
    snapshot->stop = snapshot->stop || rc != PS_OK;
    ps_cond_wake_all(&snapshot->cond);
    ps_lock_drop(&snapshot->lock);
    return rc;
}

ps_status psi_snapshot_detach(ps_shard *shard, ps_error *err)
{
    psi_snapshot *snapshot = shard->store->snapshot;

    PS_UNUSED(err);
    if (snapshot != NULL && !atomic_load(&snapshot->done))
        take_copy(snapshot, shard->index,
                  NULL); /* no memory for a copy stops the snapshot, not the query */
    return PS_OK;
}

/* ---- the thread ---- */

static bool stopped(psi_snapshot *snapshot)
{
    bool stop;

    ps_lock_take(&snapshot->lock);
    stop = snapshot->stop;
    ps_lock_drop(&snapshot->lock);
    return stop;
}

static ps_status write_shard(psi_snapshot *snapshot, psi_out *out, int i, ps_error *err)
{
    const ps_shard *shard = &snapshot->store->shards[i];
    psi_image *image = &snapshot->images[i];
    psi_blocks blocks = {.layout = shard->family->layout};
    size_t size = blocks.layout->n_bytes;
    ps_status rc;

    PS_TRY(take_copy(snapshot, i, err));
    for (int64_t j = 0; j < image->n; j++) {
        PS_TRY_OR(done, j % 4096 == 0 && stopped(snapshot) ? PS_E_CANCELLED : PS_OK);
        PS_TRY_OR(done,
                  psi_blocks_add(&blocks, image->slots + (size_t)j * size, &image->heap, err));
    }
    PS_TRY_OR(done, psi_blocks_end(&blocks, err));
    rc = psi_out_section(out, shard, false, 0, &blocks, err);
done:
    psi_blocks_clear(&blocks);
    image_clear(image);
    return rc;
}

static ps_status write_snapshot(psi_snapshot *snapshot, ps_error *err)
{
    psi_out out;
    ps_status rc;

    PS_TRY(
        psi_out_open(snapshot->store, PSI_SNAPSHOT, snapshot->version, snapshot->id, 0, &out, err));
    for (int i = 0; i < snapshot->n; i++)
        PS_TRY_OR(done, stopped(snapshot) ? PS_E_CANCELLED : write_shard(snapshot, &out, i, err));
    PS_TRY_OR(done, stopped(snapshot) ? PS_E_CANCELLED : PS_OK);
    PS_TRY_OR(done, PS_FAILPOINT("state.snapshot_written", err));
    rc = psi_out_end(&out, err);
    snapshot->n_bytes = out.n_bytes;
done:
    psi_out_clear(&out);
    return rc;
}

/* ---- old files ---- */

static int compare_versions(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* The number before the suffix, or -1. */
static int64_t version_of(const char *name, const char *suffix)
{
    int64_t version = 0;

    if (*name < '1' || *name > '9')
        return -1;
    for (; *name >= '0' && *name <= '9' && version < INT64_MAX / 100; name++)
        version = version * 10 + (*name - '0');
    return strcmp(name, suffix) == 0 ? version : -1;
}

ps_status psi_store_list(const ps_store *store, psi_file_kind kind, int64_t **versions, int *n,
                         ps_error *err)
{
    ps_file_list files = {0};
    ps_status rc;

    *versions = NULL;
    *n = 0;
    PS_TRY_OR(done, ps_fs_list(store->options.fs, store->options.dir, &files, err));
    PS_TRY_OR(done, ps_alloc((size_t)files.n * sizeof **versions, versions, err));
    for (int i = 0; i < files.n; i++) {
        int64_t version =
            version_of(ps_path_name(files.items[i].path), kind == PSI_DELTA ? ".delta" : ".snap");
        if (version > 0)
            (*versions)[(*n)++] = version;
    }
    if (*n > 1)
        qsort(*versions, (size_t)*n, sizeof **versions, compare_versions);
done:
    ps_file_list_clear(&files);
    return rc;
}

static ps_status remove_up_to(const ps_store *store, psi_file_kind kind, int64_t last,
                              ps_error *err)
{
    int64_t *versions;
    int n;
    ps_status rc = psi_store_list(store, kind, &versions, &n, err);

    for (int i = 0; i < n && rc == PS_OK && versions[i] <= last; i++) {
        char *path;
        rc = psi_file_path(store, kind, versions[i], &path, err);
        if (rc == PS_OK)
            rc = kind == PSI_DELTA ? psi_spare_keep(store, path, err)
                                   : ps_fs_remove(store->options.fs, path, err);
        ps_free(path);
    }
    ps_free(versions);
    return rc;
}

/* Every one of the last `retain` versions can be made from what is kept: the newest snapshot that
 * is old enough. */
static ps_status purge(const ps_store *store, int64_t latest, ps_error *err)
{
    int64_t *snapshots, base = 0;
    int n;

    PS_TRY(psi_store_list(store, PSI_SNAPSHOT, &snapshots, &n, err));
    for (int i = 0; i < n; i++)
        if (snapshots[i] <= latest - store->options.retain)
            base = snapshots[i];
    ps_free(snapshots);
    if (base == 0)
        return PS_OK;
    PS_TRY(remove_up_to(store, PSI_DELTA, base, err));
    return remove_up_to(store, PSI_SNAPSHOT, base - 1, err);
}

static void *run(void *arg)
{
    psi_snapshot *snapshot = arg;
    ps_error err;

    ps_thread_set_name("pystream-state");
    ps_thread_step_back();
    err.code = PS_OK;
    snapshot->written = write_snapshot(snapshot, &err) == PS_OK;
    if (snapshot->written)
        purge(snapshot->store, snapshot->version, &err);
    atomic_store(&snapshot->done, true);
    return NULL;
}

/* ---- when ---- */

static void snapshot_free(psi_snapshot *snapshot)
{
    for (int i = 0; snapshot->images && i < snapshot->n; i++)
        image_clear(&snapshot->images[i]);
    ps_free(snapshot->images);
    ps_free(snapshot->turns);
    ps_cond_clear(&snapshot->cond);
    ps_lock_clear(&snapshot->lock);
    ps_free(snapshot);
}

/* Joins a snapshot and takes note of what became of it. */
static void reap(ps_store *store)
{
    psi_snapshot *snapshot = store->snapshot;

    pthread_join(snapshot->thread, NULL);
    if (snapshot->written) {
        store->n_deltas = store->version - snapshot->version;
        store->snapshot_bytes = snapshot->n_bytes;
        store->delta_bytes = 0;
    }
    store->snapshot = NULL;
    snapshot_free(snapshot);
}

void psi_snapshot_end(ps_store *store)
{
    psi_snapshot *snapshot = store->snapshot;

    if (snapshot == NULL)
        return;
    ps_lock_take(&snapshot->lock);
    snapshot->stop = true;
    ps_lock_drop(&snapshot->lock);
    reap(store);
}

/* Often enough that deltas do not outgrow the state by far, and never a chain without end. */
static bool is_due(const ps_store *store)
{
    const ps_store_options *options = &store->options;
    size_t size = store->snapshot_bytes ? store->snapshot_bytes : ps_store_n_bytes(store) / 4;

    return store->n_deltas >= options->min_deltas &&
           (store->delta_bytes >= size || store->n_deltas >= 10 * options->min_deltas);
}

static ps_status start(ps_store *store, ps_error *err)
{
    psi_snapshot *snapshot;
    sigset_t all, before;
    ps_status rc;
    int failed;

    PS_TRY(ps_alloc0(sizeof *snapshot, &snapshot, err));
    snapshot->store = store;
    snapshot->version = store->version;
    snapshot->id = store->id;
    snapshot->n = store->n_families * store->n_shards;
    ps_lock_init(&snapshot->lock, PS_RANK_LEAF);
    ps_cond_init(&snapshot->cond);
    PS_TRY_OR(fail,
              ps_alloc0((size_t)snapshot->n * sizeof *snapshot->turns, &snapshot->turns, err));
    PS_TRY_OR(fail,
              ps_alloc0((size_t)snapshot->n * sizeof *snapshot->images, &snapshot->images, err));
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&snapshot->thread, NULL, run, snapshot);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        snapshot_free(snapshot);
    else
        store->snapshot = snapshot;
    return PS_OK;
fail:
    snapshot_free(snapshot);
    return rc;
}

ps_status psi_snapshot_maybe(ps_store *store, ps_error *err)
{
    if (store->snapshot != NULL && atomic_load(&store->snapshot->done))
        reap(store);
    if (store->snapshot != NULL || !is_due(store))
        return PS_OK;
    return start(store, err);
}
