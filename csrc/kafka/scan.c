/*
 * kafka/scan.c - reads ranges of partitions, several of them in turn.
 *
 * A slice of the scan is some of its ranges, read by one cursor, which takes from each what is there: so all partitions
 * are fetched at a time, however many threads there are.  While nothing is there, next() hands out a batch without rows
 * every 50 ms: its reader then notices a stop.
 */
#include "kafka/scan.h"
#include "base/clock.h"
#include "base/logger.h"
#include "kafka/kafka_int.h"
#include "kafka/lookup.h"
#include "kafka/rows.h"

/* Below so many offsets a second thread costs more than it saves. */
#define ROWS_PER_WORKER 16384
#define BYTES_PER_BATCH (1 << 19)

typedef struct range_state {
    psi_range range;
    psi_part *part;
    bool ended;
    int64_t refused;    /* an offset that is there, and that the brokers would not give */
    int64_t n_refused;  /* how often in a row; 0: not at all */
    int64_t since_ms;   /* when that began */
    int64_t again_ms;   /* when it is to be asked for again; 0: it was */
} range_state;

typedef struct kafka_scan {
    ps_scan scan;
    psi_scan_args args;
    psi_positions ends;
    range_state *items;
    int n;
    bool wanted[PSI_COL_COUNT];
} kafka_scan;

typedef struct kafka_cursor {
    ps_cursor cursor;
    kafka_scan *scan;
    int64_t slice;
    int at;                /* the range to look at next */
    int64_t waited_ns;     /* in vain, since something was last read: what operators do with it does not count */
    rd_kafka_message_t **messages;
    psi_rows_spare spare;
} kafka_cursor;

/* --- data that is no longer there (D.7) --------------------------------------------------------------------------- */

/* The offsets that the partition has now: from *first to before *end. */
static ps_status look_up_log(const kafka_scan *scan, const psi_range *range, int64_t *first, int64_t *end, ps_error *err)
{
    psi_positions at = {0};
    ps_status rc = psi_positions_set(&at, range->topic, range->partition, PSI_EARLIEST, err);

    rc = rc == PS_OK ? psi_lookup_each(scan->args.client, scan->args.options, &at, err) : rc;
    *first = rc == PS_OK ? at.items[0].offset : 0;
    rc = rc == PS_OK ? psi_positions_set(&at, range->topic, range->partition, PSI_LATEST, err) : rc;
    rc = rc == PS_OK ? psi_lookup_each(scan->args.client, scan->args.options, &at, err) : rc;
    *end = rc == PS_OK ? at.items[0].offset : 0;
    psi_positions_clear(&at);
    return rc;
}

static int64_t ticks_ms(void) { return ps_clock_ticks() / 1000000; }

/* The brokers have the offset and refused it: one that took over may be behind for a moment.  It is asked for again after a
 * pause, in which other partitions are read, until the poll time-out is over; time that operators took may be part of that, so
 * there are some attempts in any case. */
static ps_status ask_later(const kafka_scan *scan, range_state *item, int64_t offset, ps_error *err)
{
    const psi_source_options *options = scan->args.options;
    const psi_range *range = &item->range;
    int64_t now = ticks_ms();

    if (item->n_refused == 0 || item->refused != offset) {
        ps_log(PS_LOG_WARNING, "pystream.kafka", "%s-%d: a broker refuses offset %lld, which is there: it is asked for again", range->topic,
               (int)range->partition, (long long)offset);
        item->refused = offset;
        item->n_refused = 0;
        item->since_ms = now;
    }
    if (++item->n_refused > options->n_retries && now - item->since_ms > options->poll_timeout_ms)
        return psi_client_raise_read(psi_reader_client(scan->args.reader), range->topic, range->partition, offset, options->poll_timeout_ms, err);
    item->again_ms = psi_plan_sum(now, options->retry_ms > 1 ? options->retry_ms : 1);
    return PS_OK;
}

static void warn_of_loss(const psi_range *range, int64_t from, int64_t to)
{
    ps_log(PS_LOG_WARNING, "pystream.kafka", "%s-%d: offsets %lld to %lld are gone%s (failOnDataLoss is false)", range->topic,
           (int)range->partition, (long long)from, (long long)to, to < range->to ? ", reading goes on behind them" : "");
}

/* Goes on where the log has something of the range, as Spark does: also at the same offset, when it is there again.  What the
 * brokers do not tell is no loss: then the query fails. */
static ps_status skip_lost(const kafka_scan *scan, range_state *item, psi_fault fault, ps_error *err)
{
    const psi_range *range = &item->range;
    int64_t wanted = psi_part_next(item->part), first = range->to, end = range->to;

    if (fault == PSI_FAULT_OUT_OF_RANGE)
        PS_TRY(look_up_log(scan, range, &first, &end, err));
    if (wanted >= end || first >= range->to) {
        warn_of_loss(range, wanted, range->to);
        item->ended = true;
        return PS_OK;
    }
    if (first <= wanted)
        return ask_later(scan, item, wanted, err);
    warn_of_loss(range, wanted, first);
    return psi_part_seek(item->part, first, err);
}

static ps_status lost(kafka_scan *scan, range_state *item, psi_fault fault, ps_error *err)
{
    const psi_range *range = &item->range;

    if (!scan->args.options->fail_on_data_loss)
        return skip_lost(scan, item, fault, err);
    return ps_raise(err, PS_E_KAFKA_READ, (long long)psi_part_next(item->part), (long long)range->to, range->topic,
                    (int)range->partition, scan->args.options->group_id);
}

/* --- the cursor ------------------------------------------------------------------------------------------------------- */

static ps_status cursor_seek(ps_cursor *cursor, int64_t slice, ps_error *err)
{
    kafka_cursor *self = (kafka_cursor *)cursor;

    self->slice = slice;
    self->at = 0;
    self->waited_ns = 0;
    for (int64_t i = slice; i < self->scan->n; i += self->scan->scan.n_slices) {
        range_state *item = &self->scan->items[i];

        /* Another scan of the same range may have read it: a plan that has its source twice reads twice. */
        item->ended = false;
        item->n_refused = 0;
        item->again_ms = 0;
        PS_TRY(psi_part_at(item->part, item->range.from, err));
    }
    return PS_OK;
}

/* So many that their bytes stay in the cache until the operators have seen them. */
static int rows_at_a_time(const kafka_scan *scan)
{
    double mean = psi_reader_mean_bytes(scan->args.reader), rows = mean > 0 ? BYTES_PER_BATCH / mean : ps_batch_rows;

    return rows >= ps_batch_rows ? ps_batch_rows : rows < 1 ? 1 : (int)rows;
}

static ps_status take_from(kafka_cursor *self, range_state *item, ps_batch **out, ps_error *err)
{
    kafka_scan *scan = self->scan;
    psi_fault fault;
    int n;
    ps_status rc;

    if (item->again_ms > ticks_ms())
        return PS_OK;
    if (item->again_ms) {
        item->again_ms = 0;
        PS_TRY(psi_part_seek(item->part, item->refused, err));
    }
    PS_TRY(psi_part_take(item->part, item->range.to, self->messages, rows_at_a_time(scan), &n, &item->ended, &fault, err));
    if (fault != PSI_FAULT_NONE)
        return lost(scan, item, fault, err);
    if (n == 0)
        return PS_OK;
    rc = psi_rows_batch(scan->args.schema, scan->wanted, self->messages, n, &self->spare, out, err);
    for (int i = 0; i < n; i++)
        rd_kafka_message_destroy(self->messages[i]);
    return rc;
}

/* One look at each range of the slice, from where the last look stopped.  *left: ranges that have not ended. */
static ps_status look_around(kafka_cursor *self, ps_batch **out, int *left, ps_error *err)
{
    kafka_scan *scan = self->scan;
    int n_slices = (int)scan->scan.n_slices, n = (scan->n - (int)self->slice + n_slices - 1) / n_slices;

    *left = 0;
    for (int i = 0; i < n && !*out; i++) {
        range_state *item = &scan->items[self->slice + (int64_t)self->at * n_slices];

        self->at = (self->at + 1) % n;
        if (item->ended)
            continue;
        PS_TRY(take_from(self, item, out, err));
        *left += !item->ended;
    }
    return PS_OK;
}

/* The first range that has not ended: what a time-out names. */
static ps_status timed_out(kafka_cursor *self, ps_error *err)
{
    kafka_scan *scan = self->scan;

    for (int64_t i = self->slice; i < scan->n; i += scan->scan.n_slices) {
        const range_state *item = &scan->items[i];

        if (!item->ended)
            return psi_client_raise_read(psi_reader_client(scan->args.reader), item->range.topic, item->range.partition, psi_part_next(item->part),
                                         scan->args.options->poll_timeout_ms, err);
    }
    return PS_OK;
}

static ps_status cursor_next(ps_cursor *cursor, ps_batch **out, ps_error *err)
{
    kafka_cursor *self = (kafka_cursor *)cursor;
    kafka_scan *scan = self->scan;
    int64_t began = ps_clock_ticks(), now;

    *out = NULL;
    for (;;) {
        uint64_t seen = psi_reader_arrivals(scan->args.reader);
        int left;

        PS_TRY(look_around(self, out, &left, err));
        if (*out)
            self->waited_ns = 0;
        if (*out || left == 0)
            return PS_OK;
        if (self->waited_ns / 1000000 > scan->args.options->poll_timeout_ms)
            return timed_out(self, err);
        now = ps_clock_ticks();
        if ((now - began) / 1000000 >= PSI_KAFKA_WAIT_MS) {
            PS_TRY(psi_client_tell(psi_reader_client(scan->args.reader), err));
            return psi_rows_none(scan->args.schema, scan->wanted, out, err);
        }
        psi_reader_wait(scan->args.reader, seen, PSI_KAFKA_WAIT_MS);
        self->waited_ns += ps_clock_ticks() - now;
    }
}

static void cursor_free(ps_cursor *cursor)
{
    psi_rows_spare_clear(&((kafka_cursor *)cursor)->spare);
    ps_free(((kafka_cursor *)cursor)->messages);
    ps_free(cursor);
}

/* --- the scan ----------------------------------------------------------------------------------------------------------- */

static ps_status scan_cursor(ps_scan *scan, ps_cursor **out, ps_error *err)
{
    static const ps_cursor_vt vt = {cursor_seek, cursor_next, cursor_free};
    kafka_cursor *self = NULL;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_alloc0(sizeof *self, &self, err));
    self->cursor.vt = &vt;
    self->scan = (kafka_scan *)scan;
    if ((rc = ps_alloc((size_t)ps_batch_rows * sizeof *self->messages, &self->messages, err)) != PS_OK) {
        ps_free(self);
        return rc;
    }
    *out = &self->cursor;
    return PS_OK;
}

static void close_args(const psi_scan_args *args)
{
    if (!args->owned)
        return;
    psi_reader_close(args->reader);
    psi_client_close(args->client);
}

static void scan_free(ps_scan *scan)
{
    kafka_scan *self = (kafka_scan *)scan;

    close_args(&self->args);
    psi_positions_clear(&self->ends);
    ps_free(self->items);
    ps_free(self);
}

/* As many as there is work for.  Ends are a user's or a broker's: their sum may be no number. */
static void count_slices(kafka_scan *self)
{
    int64_t most = (int64_t)self->args.n_workers * ROWS_PER_WORKER, total = 0;

    for (int i = 0; i < self->n && total < most; i++) {
        const psi_range *range = &self->items[i].range;

        total += range->to - range->from < most ? range->to - range->from : most;
    }
    self->scan.n_slices = total / ROWS_PER_WORKER + 1;
    if (self->scan.n_slices > self->args.n_workers)
        self->scan.n_slices = self->args.n_workers;
    if (self->scan.n_slices > self->n)
        self->scan.n_slices = self->n;
}

static ps_status fill_scan(kafka_scan *self, const psi_ranges *ranges, ps_error *err)
{
    PS_TRY(ps_alloc0((size_t)ranges->n * sizeof *self->items, &self->items, err));
    for (; self->n < ranges->n; self->n++) {
        range_state *item = &self->items[self->n];

        item->range = ranges->items[self->n];
        PS_TRY(psi_reader_at(self->args.reader, item->range.topic, item->range.partition, item->range.from, &item->part, err));
    }
    count_slices(self);
    return PS_OK;
}

static void take_ranges(psi_ranges *ranges)
{
    ps_free(ranges->items);
    *ranges = (psi_ranges){0};
}

ps_status psi_scan_new(const psi_scan_args *args, psi_positions *ends, psi_ranges *ranges, ps_scan **out, ps_error *err)
{
    static const ps_scan_vt vt = {scan_cursor, scan_free};
    kafka_scan *self = NULL;
    ps_status rc = ps_alloc0(sizeof *self, &self, err);

    *out = NULL;
    if (rc != PS_OK) {
        psi_positions_clear(ends);
        take_ranges(ranges);
        close_args(args);
        return rc;
    }
    self->scan.vt = &vt;
    self->args = *args;
    self->ends = *ends;
    *ends = (psi_positions){0};
    memcpy(self->wanted, args->wanted, (size_t)args->schema->n_fields);
    self->args.wanted = self->wanted;
    rc = fill_scan(self, ranges, err);
    take_ranges(ranges);
    if (rc == PS_OK)
        *out = &self->scan;
    else
        scan_free(&self->scan);
    return rc;
}
