/*
 * io/src_memory.c - rows that a program hands to a stream: the source of tests and of MemoryStream.
 *
 * A feed holds blocks, one per addData(); the offset is the number of the last.  Several queries may read one feed,
 * also one after another, so a block is dropped when every open source has committed it.
 */
#include "base/thread.h"
#include "io/source_int.h"

#define MAX_WOKEN 16

struct ps_memory_feed {
    ps_refs refs;
    ps_lock lock;         /* PS_RANK_SOURCE; guards the rest */
    const ps_type *schema;
    ps_batch **blocks;    /* owned */
    int n, capacity;
    int64_t first;        /* the offset of blocks[0] */
    struct memory_source **open; /* the sources that read it */
    int n_open, open_capacity;
};

typedef struct memory_info { ps_source_info info; ps_memory_feed *feed; } memory_info;
typedef struct memory_source {
    ps_source source;
    memory_info *info;
    ps_memory_feed *feed;
    int64_t committed;    /* under the feed's lock */
    int64_t frozen;       /* -2: not frozen */
    ps_source_waker waker;
} memory_source;

ps_status ps_memory_feed_new(const ps_type *schema, ps_memory_feed **out, ps_error *err)
{
    PS_TRY(ps_alloc0(sizeof **out, out, err));
    ps_refs_init(&(*out)->refs);
    ps_lock_init(&(*out)->lock, PS_RANK_SOURCE);
    (*out)->schema = ps_type_ref(schema);
    return PS_OK;
}

ps_memory_feed *ps_memory_feed_ref(ps_memory_feed *feed)
{
    ps_refs_inc(&feed->refs);
    return feed;
}

void ps_memory_feed_unref(ps_memory_feed *feed)
{
    if (!feed || !ps_refs_dec(&feed->refs))
        return;
    for (int i = 0; i < feed->n; i++)
        ps_batch_unref(feed->blocks[i]);
    ps_free(feed->blocks);
    ps_free(feed->open);
    ps_type_unref(feed->schema);
    ps_lock_clear(&feed->lock);
    ps_free(feed);
}

/* Under the lock: references to those who read the feed, as many as there is room for; the others find the rows after
 * their pause. */
static int hold_wakers(ps_memory_feed *feed, ps_source_waker *out)
{
    int n = 0;

    for (int i = 0; i < feed->n_open && n < MAX_WOKEN; i++)
        if (feed->open[i]->waker.wake) {
            out[n] = feed->open[i]->waker;
            out[n].ref(out[n].self);
            n++;
        }
    return n;
}

ps_status ps_memory_feed_add(ps_memory_feed *feed, ps_batch *batch, int64_t *offset, ps_error *err)
{
    ps_source_waker wakers[MAX_WOKEN];
    ps_batch *copy;
    ps_status rc;
    int n = 0;

    PS_TRY(ps_batch_copy(batch, &copy, err));
    ps_lock_take(&feed->lock);
    rc = ps_grow(&feed->blocks, feed->n, &feed->capacity, sizeof *feed->blocks, err);
    if (rc == PS_OK) {
        *offset = feed->first + feed->n;
        feed->blocks[feed->n++] = copy;
        n = hold_wakers(feed, wakers);
    }
    ps_lock_drop(&feed->lock);
    for (int i = 0; i < n; i++) { /* without the lock: a query's lock comes before a source's */
        wakers[i].wake(wakers[i].self);
        wakers[i].unref(wakers[i].self);
    }
    if (rc != PS_OK)
        ps_batch_unref(copy);
    return rc;
}

/* Under the lock: forgets what all open sources have committed. */
static void drop_committed(ps_memory_feed *feed)
{
    int64_t least = INT64_MAX;
    int n = 0;

    for (int i = 0; i < feed->n_open; i++)
        if (feed->open[i]->committed < least)
            least = feed->open[i]->committed;
    while (n < feed->n && feed->first + n <= least && feed->n_open > 0)
        ps_batch_unref(feed->blocks[n++]);
    if (n > 0)
        memmove(feed->blocks, feed->blocks + n, (size_t)(feed->n - n) * sizeof *feed->blocks);
    feed->n -= n;
    feed->first += n;
}

/* --- reading a range ---------------------------------------------------------------------------------------- */

static ps_status add_block(ps_batches *list, ps_batch *block, const bool *wanted, ps_error *err)
{
    ps_batch *batch;
    int n_wanted = 0, at = 0;
    ps_status rc;

    for (int i = 0; i < block->n_cols; i++)
        n_wanted += wanted[i];
    PS_TRY(ps_batch_new(n_wanted, block->n_rows, &batch, err));
    for (int i = 0; i < block->n_cols; i++)
        if (wanted[i])
            batch->cols[at++] = ps_vec_ref(block->cols[i]);
    rc = psi_memory_mode_add(list, batch, err);
    ps_batch_unref(batch);
    return rc;
}

/* Under the lock. */
static ps_status take_blocks(ps_memory_feed *feed, int64_t after, int64_t last, const bool *wanted, ps_batches *list, ps_error *err)
{
    if (after + 1 < feed->first || last >= feed->first + feed->n)
        return ps_raise(err, PS_E_MEMORY_GONE, (long long)after + 1, (long long)last);
    for (int64_t i = after + 1; i <= last; i++)
        PS_TRY(add_block(list, feed->blocks[i - feed->first], wanted, err));
    return PS_OK;
}

static ps_status source_read(ps_source *source, const char *from, const char *to, const bool *wanted, ps_scan **out, ps_error *err)
{
    memory_source *self = (memory_source *)source;
    ps_batches list = {0};
    int64_t after, last;
    ps_status rc;

    *out = NULL;
    PS_TRY(psi_offset_integer(from, -1, "memory", &after, err));
    PS_TRY(psi_offset_integer(to, -1, "memory", &last, err));
    ps_lock_take(&self->feed->lock);
    rc = after < last ? take_blocks(self->feed, after, last, wanted, &list, err) : PS_OK;
    ps_lock_drop(&self->feed->lock);
    if (rc == PS_OK)
        rc = psi_batch_scan_new(&list, out, err);
    ps_batches_clear(&list);
    return rc;
}

/* --- one query's source ---------------------------------------------------------------------------------------- */

static int64_t newest(ps_memory_feed *feed)
{
    int64_t last;

    ps_lock_take(&feed->lock);
    last = feed->first + feed->n - 1;
    ps_lock_drop(&feed->lock);
    return last;
}

static ps_status source_latest(ps_source *source, const char *from, ps_read_limit limit, char **to, char **head, ps_error *err)
{
    memory_source *self = (memory_source *)source;
    int64_t last = self->frozen >= -1 ? self->frozen : newest(self->feed);

    PS_UNUSED(from);
    PS_UNUSED(limit);
    *to = *head = NULL;
    return last < 0 ? PS_OK : psi_integer_text(last, to, err);
}

static ps_status source_freeze(ps_source *source, ps_error *err)
{
    memory_source *self = (memory_source *)source;

    PS_UNUSED(err);
    self->frozen = newest(self->feed);
    return PS_OK;
}

static ps_status source_commit(ps_source *source, const char *to, ps_error *err)
{
    memory_source *self = (memory_source *)source;
    int64_t last;

    PS_TRY(psi_offset_integer(to, -1, "memory", &last, err));
    ps_lock_take(&self->feed->lock);
    if (last > self->committed)
        self->committed = last;
    drop_committed(self->feed);
    ps_lock_drop(&self->feed->lock);
    return PS_OK;
}

static void source_close(ps_source *source)
{
    memory_source *self = (memory_source *)source;
    ps_memory_feed *feed = self->feed;

    ps_lock_take(&feed->lock);
    for (int i = 0; i < feed->n_open; i++)
        if (feed->open[i] == self)
            feed->open[i--] = feed->open[--feed->n_open];
    ps_lock_drop(&feed->lock);
    ps_source_info_unref(&self->info->info);
    ps_free(source->description);
    ps_free(self);
}

/* "MemoryStream[value#1]" without the numbers that Spark gives columns. */
static ps_status describe_columns(const ps_type *schema, char **out, ps_error *err)
{
    ps_bytes text = {0};
    ps_status rc;

    PS_TRY_OR(fail, ps_bytes_text(&text, "MemoryStream[", err));
    for (int i = 0; i < schema->n_fields; i++)
        PS_TRY_OR(fail, ps_bytes_printf(&text, err, "%s%s", i ? "," : "", schema->fields[i].name));
    PS_TRY_OR(fail, ps_bytes_char(&text, ']', err));
    *out = ps_bytes_take(&text);
    return PS_OK;
fail:
    ps_bytes_clear(&text);
    return rc;
}

static ps_status info_open(ps_source_info *info, const ps_source_open_args *args, ps_source **out, ps_error *err)
{
    static const ps_source_vt vt = {.latest = source_latest, .freeze = source_freeze, .read = source_read, .commit = source_commit,
                                    .canonical = psi_integer_canonical, .close = source_close};
    memory_info *from = (memory_info *)info;
    ps_memory_feed *feed = from->feed;
    memory_source *self;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_alloc0(sizeof *self, &self, err));
    self->source.vt = &vt;
    self->waker = args->waker;
    self->feed = feed;
    self->info = from;
    ps_source_info_ref(info);
    self->committed = -1;
    self->frozen = -2;
    PS_TRY_OR(fail, describe_columns(info->schema, &self->source.description, err));
    ps_lock_take(&feed->lock);
    rc = ps_grow(&feed->open, feed->n_open, &feed->open_capacity, sizeof *feed->open, err);
    if (rc == PS_OK)
        feed->open[feed->n_open++] = self;
    ps_lock_drop(&feed->lock);
    if (rc != PS_OK)
        goto fail;
    *out = &self->source;
    return PS_OK;
fail:
    source_close(&self->source);
    return rc;
}

static void info_free(ps_source_info *info)
{
    ps_memory_feed_unref(((memory_info *)info)->feed);
    ps_free(info);
}

ps_status psi_memory_describe(const ps_source_request *request, ps_source_info **out, ps_error *err)
{
    static const ps_source_info_vt vt = {.open = info_open, .free = info_free};
    ps_memory_feed *feed = request->object;
    memory_info *self;
    ps_status rc;

    *out = NULL;
    if (!feed)
        return psi_not_found(request->format, err);
    PS_TRY(ps_alloc0(sizeof *self, &self, err));
    self->feed = ps_memory_feed_ref(feed);
    rc = psi_info_init(&self->info, &vt, "MemoryStream", ps_type_ref(feed->schema), err);
    if (rc != PS_OK) {
        ps_source_info_unref(&self->info);
        return rc;
    }
    *out = &self->info;
    return PS_OK;
}
