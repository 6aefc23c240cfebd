/*
 * kafka/src_kafka.c - the Kafka source: describing it, and one query's open source.
 *
 * An offset is {"topic":{"partition":next offset}} as Spark writes it, so either engine goes on from the other's
 * checkpoint.  Where a query began is kept in sources/<i>/0 and never asked again.
 */
#include "base/clock.h"
#include "base/logger.h"
#include "col/text.h"
#include "kafka/kafka_int.h"
#include "kafka/lookup.h"
#include "kafka/rows.h"
#include "kafka/scan.h"
#include "log/seqlog.h"
#include <math.h>

typedef struct kafka_info {
    ps_source_info info;
    ps_options options;
    psi_source_options batch; /* of a batch read: checked when it was described */
} kafka_info;

typedef struct kafka_source {
    ps_source source;
    kafka_info *info;
    psi_source_options options;
    psi_client *client;      /* for look-ups */
    psi_reader *reader;
    ps_clock *clock;
    ps_fs *fs;
    char *dir;               /* sources/<i> */
    bool sync;
    int n_workers;
    psi_positions initial;   /* where the query began */
    bool has_initial;
    psi_positions latest;    /* what the last look-up found */
    psi_positions frozen;    /* where an available-now run ends */
    bool is_frozen;
    int64_t last_trigger_ms; /* of minOffsetsPerTrigger; 0: none yet, so the first check always fires */
} kafka_source;

/* --- texts ------------------------------------------------------------------------------------------------------ */

static ps_status positions_of(const char *text, psi_positions *out, ps_error *err)
{
    bool valid;

    PS_TRY(psi_positions_parse(text, out, &valid, err));
    for (int i = 0; valid && i < out->n; i++)
        valid = out->items[i].offset >= 0;
    return valid ? PS_OK : ps_raise(err, PS_E_OFFSET_TEXT, text, "kafka");
}

static ps_status text_of(const psi_positions *set, char **out, ps_error *err)
{
    ps_bytes text = {0};
    ps_status rc = psi_positions_text(set, &text, err);

    *out = rc == PS_OK ? ps_bytes_take(&text) : NULL;
    ps_bytes_clear(&text);
    return rc;
}

static ps_status source_canonical(ps_source *source, const char *text, char **out, ps_error *err)
{
    psi_positions set = {0};
    ps_status rc;

    PS_UNUSED(source);
    *out = NULL;
    rc = positions_of(text, &set, err);
    if (rc == PS_OK)
        rc = text_of(&set, out, err);
    psi_positions_clear(&set);
    return rc;
}

/* --- where the query began ----------------------------------------------------------------------------------------- */

/* A zero byte, "v1", and the offset; files of Spark 2.1.0 lack the version. */
static ps_status read_initial(kafka_source *self, const ps_bytes *text, ps_error *err)
{
    const char *at = text->data;

    if (text->n_bytes > 0 && *at == '\0')
        at++;
    if (strncmp(at, "v1\n", 3) == 0)
        at += 3;
    else if (*at == 'v')
        return ps_raise(err, PS_E_LOG_MALFORMED, self->dir);
    return positions_of(at, &self->initial, err);
}

static ps_status write_initial(kafka_source *self, ps_seqlog *log, ps_error *err)
{
    ps_bytes text = {0};
    ps_status rc = psi_lookup_bound(self->client, &self->options, &self->options.start, true, &self->initial, err);

    rc = rc == PS_OK ? ps_bytes_append(&text, "\0v1\n", 4, err) : rc;
    rc = rc == PS_OK ? psi_positions_text(&self->initial, &text, err) : rc;
    rc = rc == PS_OK ? ps_seqlog_add(log, 0, ps_bytes_slice(&text), err) : rc;
    ps_bytes_clear(&text);
    return rc;
}

static ps_status find_initial(kafka_source *self, ps_error *err)
{
    ps_seqlog *log = NULL;
    ps_bytes text = {0};
    bool found;
    ps_status rc;

    if (self->has_initial)
        return PS_OK;
    psi_positions_clear(&self->initial);
    PS_TRY_OR(done, ps_seqlog_open(self->fs, self->dir, self->sync, &log, err));
    PS_TRY_OR(done, ps_seqlog_get(log, 0, &text, &found, err));
    rc = found ? read_initial(self, &text, err) : write_initial(self, log, err);
    self->has_initial = rc == PS_OK;
done:
    ps_bytes_clear(&text);
    ps_seqlog_close(log);
    return rc;
}

/* The positions of an offset, or where the query began. */
static ps_status start_of(kafka_source *self, const char *from, psi_positions *out, ps_error *err)
{
    if (from)
        return positions_of(from, out, err);
    PS_TRY(find_initial(self, err));
    return psi_positions_copy(&self->initial, out, err);
}

/* --- how far ------------------------------------------------------------------------------------------------------------ */

/* minOffsetsPerTrigger: is too little there, and is it too early to take it anyway? */
static bool must_wait(kafka_source *self, const psi_positions *start)
{
    int64_t now = ps_clock_now_ms(self->clock);

    if (self->options.min_offsets == 0)
        return false;
    if (now - self->last_trigger_ms < self->options.max_delay_ms && psi_plan_distance(start, &self->latest) < self->options.min_offsets)
        return true;
    self->last_trigger_ms = now;
    return false;
}

/* maxOffsetsPerTrigger: partitions that are new count from their oldest offset. */
static ps_status limited(kafka_source *self, const psi_positions *start, psi_positions *out, ps_error *err)
{
    psi_positions added = {0};
    psi_positions from = {0};
    ps_status rc = psi_plan_without(&self->latest, start, &added, err);

    rc = rc == PS_OK ? psi_lookup_earliest(self->client, &self->options, &added, err) : rc;
    rc = rc == PS_OK ? psi_positions_copy(start, &from, err) : rc;
    rc = rc == PS_OK ? psi_positions_copy(&added, &from, err) : rc;
    rc = rc == PS_OK ? psi_plan_limit(&from, &self->latest, self->options.max_offsets, out, err) : rc;
    psi_positions_clear(&added);
    psi_positions_clear(&from);
    return rc;
}

static ps_status choose_end(kafka_source *self, const psi_positions *start, bool all, psi_positions *out, ps_error *err)
{
    if (all)
        return psi_positions_copy(&self->latest, out, err);
    if (must_wait(self, start))
        return psi_positions_copy(start, out, err);
    if (self->options.max_offsets > 0)
        return limited(self, start, out, err);
    return psi_positions_copy(&self->latest, out, err);
}

static ps_status refresh_latest(kafka_source *self, const psi_positions *start, ps_error *err)
{
    if (!self->is_frozen)
        return psi_lookup_latest(self->client, &self->options, start, &self->latest, err);
    psi_positions_clear(&self->latest);
    return psi_positions_copy(&self->frozen, &self->latest, err);
}

static ps_status source_latest(ps_source *source, const char *from, ps_read_limit limit, char **to, char **head, ps_error *err)
{
    kafka_source *self = (kafka_source *)source;
    psi_positions start = {0}, end = {0};
    ps_status rc;

    *to = *head = NULL;
    PS_TRY_OR(done, start_of(self, from, &start, err));
    PS_TRY_OR(done, refresh_latest(self, &start, err));
    PS_TRY_OR(done, choose_end(self, &start, limit.all, &end, err));
    PS_TRY_OR(done, text_of(&end, to, err));
    if ((rc = text_of(&self->latest, head, err)) != PS_OK) {
        ps_free(*to);
        *to = NULL;
    }
done:
    psi_positions_clear(&start);
    psi_positions_clear(&end);
    return rc;
}

static ps_status source_freeze(ps_source *source, ps_error *err)
{
    kafka_source *self = (kafka_source *)source;

    PS_TRY(psi_lookup_latest(self->client, &self->options, NULL, &self->frozen, err));
    self->is_frozen = true;
    return PS_OK;
}

/* --- reading a range ---------------------------------------------------------------------------------------------------------- */

/* Fails, or tells the log, as failOnDataLoss says: `found` was raised already. */
static ps_status report_loss(const kafka_source *self, const ps_error *found, ps_error *err)
{
    char text[PS_ERROR_TEXT];

    if (self->options.fail_on_data_loss) {
        *err = *found;
        return found->code;
    }
    ps_error_bare_text(found, text);
    ps_log(PS_LOG_WARNING, "pystream.kafka", "%s", text);
    return PS_OK;
}

static ps_status report_partitions(const kafka_source *self, ps_status code, const psi_positions *set, ps_error *err)
{
    ps_bytes names = {0};
    ps_error found;
    ps_status rc = psi_positions_names(set, false, &names, err);

    if (rc == PS_OK) {
        ps_raise(&found, code, names.data);
        rc = report_loss(self, &found, err);
    }
    ps_bytes_clear(&names);
    return rc;
}

/* The oldest offsets of partitions that came since the last batch.  Those that are no longer there are lost.  While all of them
 * are there a look-up that fails is no loss: a batch without them would be committed past rows that nobody read. */
static ps_status look_up_added(const kafka_source *self, psi_positions *added, ps_error *err)
{
    psi_positions there = {0}, gone = {0}, left = {0};
    ps_status rc = psi_lookup_earliest(self->client, &self->options, added, err);
    ps_error failure;

    if (rc != PS_E_KAFKA_FAILED && rc != PS_E_KAFKA_NO_LEADER)
        return rc;
    failure = *err;
    PS_TRY_OR(done, psi_client_partitions(self->client, &self->options.subscription, true, &there, err));
    PS_TRY_OR(done, psi_plan_without(added, &there, &gone, err));
    if (gone.n == 0) {
        *err = failure;
        rc = failure.code;
        goto done;
    }
    PS_TRY_OR(done, report_partitions(self, PS_E_KAFKA_INITIAL_MISSING, &gone, err));
    PS_TRY_OR(done, psi_plan_without(added, &gone, &left, err));
    rc = psi_lookup_earliest(self->client, &self->options, &left, err);
    psi_positions_clear(added);
    *added = left;
    left = (psi_positions){0};
done:
    psi_positions_clear(&there);
    psi_positions_clear(&gone);
    psi_positions_clear(&left);
    return rc;
}

/* Partitions that came since the last batch are read from their oldest offset on, which ought to be 0. */
static ps_status add_new_partitions(kafka_source *self, psi_positions *from, const psi_positions *to, ps_error *err)
{
    psi_positions added = {0};
    ps_error found;
    ps_status rc = psi_plan_without(to, from, &added, err);

    rc = rc == PS_OK && added.n > 0 ? look_up_added(self, &added, err) : rc;
    for (int i = 0; rc == PS_OK && i < added.n; i++) {
        if (added.items[i].offset != 0) {
            ps_raise(&found, PS_E_KAFKA_ADDED_NOT_FROM_ZERO, added.items[i].topic, (int)added.items[i].partition, (long long)added.items[i].offset);
            rc = report_loss(self, &found, err);
        }
        rc = rc == PS_OK ? psi_positions_set(from, added.items[i].topic, added.items[i].partition, added.items[i].offset, err) : rc;
    }
    psi_positions_clear(&added);
    return rc;
}

static ps_status check_deleted(const kafka_source *self, const psi_positions *from, const psi_positions *to, ps_error *err)
{
    psi_positions deleted = {0};
    ps_status rc = psi_plan_without(from, to, &deleted, err);

    if (rc == PS_OK && deleted.n > 0)
        rc = report_partitions(self, self->options.has_group_id ? PS_E_KAFKA_DELETED_WITH_GROUP : PS_E_KAFKA_DELETED, &deleted, err);
    psi_positions_clear(&deleted);
    return rc;
}

static ps_status raise_sets(ps_status code, bool offsets, const psi_positions *a, const psi_positions *b, ps_error *err)
{
    ps_bytes first = {0}, second = {0};
    ps_status rc = psi_positions_names(a, offsets, &first, err);

    rc = rc == PS_OK ? psi_positions_names(b, offsets, &second, err) : rc;
    rc = rc == PS_OK ? ps_raise(err, code, first.data ? first.data : "none", second.data ? second.data : "none") : rc;
    ps_bytes_clear(&first);
    ps_bytes_clear(&second);
    return rc;
}

static bool goes_beyond(const psi_positions *end, const psi_positions *limit)
{
    for (int i = 0; i < end->n; i++) {
        const psi_position *most = psi_positions_find(limit, end->items[i].topic, end->items[i].partition);

        if (most && end->items[i].offset > most->offset)
            return true;
    }
    return false;
}

/* An available-now run ends where it saw the end when it began: brokers that tell something else are not to be believed. */
static ps_status check_frozen(kafka_source *self, const psi_positions *to, ps_error *err)
{
    psi_positions now = {0};
    ps_status rc;

    if (!self->is_frozen)
        return PS_OK;
    if (!psi_positions_same_partitions(&self->frozen, to))
        return raise_sets(PS_E_KAFKA_END_PARTITIONS, false, &self->frozen, to, err);
    if (goes_beyond(to, &self->frozen))
        return raise_sets(PS_E_KAFKA_END_BEYOND_PREFETCHED, true, &self->frozen, to, err);
    rc = psi_lookup_latest(self->client, &self->options, to, &now, err);
    if (rc == PS_OK && !psi_positions_cover(&now, to))
        rc = raise_sets(PS_E_KAFKA_LOST_PARTITIONS, false, &now, to, err);
    else if (rc == PS_OK && goes_beyond(to, &now))
        rc = raise_sets(PS_E_KAFKA_END_BEYOND_LATEST, true, &now, to, err);
    psi_positions_clear(&now);
    return rc;
}

static ps_status plan(kafka_source *self, psi_positions *from, const psi_positions *to, psi_ranges *ranges, ps_error *err)
{
    const psi_position *shrunk;
    ps_error found;

    PS_TRY(check_frozen(self, to, err));
    PS_TRY(add_new_partitions(self, from, to, err));
    PS_TRY(check_deleted(self, from, to, err));
    PS_TRY(psi_plan_ranges(from, to, ranges, &shrunk, err));
    if (!shrunk)
        return PS_OK;
    ps_raise(&found, PS_E_KAFKA_OFFSET_CHANGED, shrunk->topic, (int)shrunk->partition,
             (long long)psi_positions_find(from, shrunk->topic, shrunk->partition)->offset, (long long)shrunk->offset);
    return report_loss(self, &found, err);
}

/* Partitions without anything to read are fetched from their end on: what comes next then wakes the query. */
static ps_status watch(kafka_source *self, const psi_positions *from, const psi_positions *to, ps_error *err)
{
    psi_part *part;

    psi_reader_keep_only(self->reader, to);
    for (int i = 0; i < to->n; i++) {
        const psi_position *end = &to->items[i], *begin = psi_positions_find(from, end->topic, end->partition);

        if (begin && begin->offset == end->offset)
            PS_TRY(psi_reader_at(self->reader, end->topic, end->partition, end->offset, &part, err));
    }
    return PS_OK;
}

static ps_status source_read(ps_source *source, const char *from, const char *to, const bool *wanted, ps_scan **out, ps_error *err)
{
    kafka_source *self = (kafka_source *)source;
    psi_scan_args args = {.client = self->client, .reader = self->reader, .options = &self->options, .schema = self->info->info.schema,
                          .wanted = wanted, .n_workers = self->n_workers};
    psi_positions start = {0}, end = {0};
    psi_ranges ranges = {0};
    ps_status rc;

    *out = NULL;
    PS_TRY_OR(done, start_of(self, from, &start, err));
    PS_TRY_OR(done, positions_of(to, &end, err));
    PS_TRY_OR(done, plan(self, &start, &end, &ranges, err));
    PS_TRY_OR(done, watch(self, &start, &end, err));
    rc = psi_scan_new(&args, &end, &ranges, out, err);
done:
    ps_free(ranges.items);
    psi_positions_clear(&start);
    psi_positions_clear(&end);
    return rc;
}

/* --- progress ------------------------------------------------------------------------------------------------------------------- */

static ps_status source_metrics(ps_source *source, const char *to, ps_bytes *out, ps_error *err)
{
    kafka_source *self = (kafka_source *)source;
    int64_t least = INT64_MAX, most = 0, sum = 0;
    psi_positions end = {0};
    char average[64];
    int n = 0;

    if (!to || self->latest.n == 0)
        return PS_OK;
    ps_status rc = positions_of(to, &end, err);
    for (int i = 0; rc == PS_OK && i < self->latest.n; i++) {
        const psi_position *done = psi_positions_find(&end, self->latest.items[i].topic, self->latest.items[i].partition);
        int64_t behind = done ? psi_plan_gap(done->offset, self->latest.items[i].offset) : 0;

        if (!done)
            continue;
        least = behind < least ? behind : least;
        most = behind > most ? behind : most;
        sum = psi_plan_sum(sum, behind);
        n++;
    }
    psi_positions_clear(&end);
    if (rc != PS_OK || n == 0)
        return rc;
    average[ps_format_double((double)sum / n, average)] = '\0';
    return ps_bytes_printf(out, err, "{\"minOffsetsBehindLatest\":\"%lld\",\"maxOffsetsBehindLatest\":\"%lld\",\"avgOffsetsBehindLatest\":\"%s\","
                           "\"estimatedTotalBytesBehindLatest\":\"%.0f\"}", (long long)least, (long long)most, average,
                           floor((double)sum * psi_reader_mean_bytes(self->reader)));
}

/* --- opening ----------------------------------------------------------------------------------------------------------------------- */

static void source_close(ps_source *source)
{
    kafka_source *self = (kafka_source *)source;

    psi_reader_close(self->reader);
    psi_client_close(self->client);
    psi_positions_clear(&self->initial);
    psi_positions_clear(&self->latest);
    psi_positions_clear(&self->frozen);
    psi_source_options_clear(&self->options);
    ps_source_info_unref(&self->info->info);
    ps_free(self->dir);
    ps_free(source->description);
    ps_free(self);
}

/* A consumer that tells of a partition's end, decides nothing about offsets by itself, and has a group only by the user's wish. */
static ps_status open_consumer(const ps_options *options, const psi_source_options *read, const ps_source_open_args *args, bool quiet,
                               psi_client **out, ps_error *err)
{
    const char *const fixed[][2] = {{"enable.partition.eof", "true"}, {"auto.offset.reset", "error"}, {"enable.auto.commit", "false"},
                                    {"enable.auto.offset.store", "false"}, {read->has_group_id ? "group.id" : NULL, read->group_id}, {NULL, NULL}};
    psi_client_args client = {.quiet = quiet, .options = options, .fixed = fixed, .check = args->check, .check_self = args->check_self};

    return psi_client_open(&client, out, err);
}

/* A client for look-ups, and a reader with one of its own. */
static ps_status open_consumers(const ps_options *options, const psi_source_options *read, const ps_source_open_args *args,
                                psi_client **lookups, psi_reader **reader, ps_error *err)
{
    psi_client *fetches = NULL;

    PS_TRY(open_consumer(options, read, args, false, lookups, err));
    PS_TRY(open_consumer(options, read, args, true, &fetches, err));
    return psi_reader_open(fetches, &args->waker, reader, err);
}

static int count_workers(const ps_conf *conf)
{
    int64_t n = ps_conf_int(conf, "pystream.workers");

    return n > 0 ? (int)n : ps_cpu_count();
}

static ps_status info_open(ps_source_info *info, const ps_source_open_args *args, ps_source **out, ps_error *err)
{
    static const ps_source_vt vt = {.latest = source_latest, .freeze = source_freeze, .read = source_read, .canonical = source_canonical,
                                    .metrics = source_metrics, .close = source_close};
    const ps_options *options = &((kafka_info *)info)->options;
    kafka_source *self = NULL;
    ps_bytes text = {0};
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_alloc0(sizeof *self, &self, err));
    self->source.vt = &vt;
    self->info = (kafka_info *)ps_source_info_ref(info);
    self->clock = args->clock;
    self->fs = args->fs;
    self->sync = args->sync;
    self->n_workers = count_workers(args->conf);
    PS_TRY_OR(fail, ps_strdup(args->checkpoint_dir, &self->dir, err));
    PS_TRY_OR(fail, psi_source_options_read(options, true, &self->options, err));
    PS_TRY_OR(fail, ps_bytes_text(&text, "KafkaV2[", err));
    PS_TRY_OR(fail, psi_source_options_text(options, &self->options, &text, err));
    PS_TRY_OR(fail, ps_bytes_char(&text, ']', err));
    self->source.description = ps_bytes_take(&text);
    PS_TRY_OR(fail, open_consumers(options, &self->options, args, &self->client, &self->reader, err));
    *out = &self->source;
    return PS_OK;
fail:
    ps_bytes_clear(&text);
    source_close(&self->source);
    return rc;
}

/* --- batch reads ------------------------------------------------------------------------------------------------------------------------- */

/* Both bounds given as offsets: what can be told without a broker. */
static ps_status check_given(const psi_source_options *options, ps_error *err)
{
    const psi_positions *start = &options->start.positions, *end = &options->end.positions;

    if (options->start.kind != PSI_BOUND_OFFSETS || options->end.kind != PSI_BOUND_OFFSETS)
        return PS_OK;
    if (!psi_positions_same_partitions(start, end))
        return raise_sets(PS_E_KAFKA_START_END_PARTITIONS, false, start, end, err);
    for (int i = 0; i < start->n; i++)
        if (start->items[i].offset >= 0 && end->items[i].offset >= 0 && start->items[i].offset > end->items[i].offset)
            return ps_raise(err, PS_E_KAFKA_UNRESOLVED_START, (long long)start->items[i].offset, (long long)end->items[i].offset,
                            start->items[i].topic, (int)start->items[i].partition);
    return PS_OK;
}

static ps_status batch_ranges(psi_client *client, const psi_source_options *options, psi_positions *start, psi_positions *end,
                              psi_ranges *ranges, ps_error *err)
{
    const psi_position *shrunk;

    PS_TRY(check_given(options, err));
    PS_TRY(psi_lookup_bound(client, options, &options->start, true, start, err));
    PS_TRY(psi_lookup_bound(client, options, &options->end, false, end, err));
    PS_TRY(psi_plan_ranges(start, end, ranges, &shrunk, err));
    if (!shrunk)
        return PS_OK;
    return ps_raise(err, PS_E_KAFKA_RESOLVED_START, (long long)psi_positions_find(start, shrunk->topic, shrunk->partition)->offset,
                    (long long)shrunk->offset, shrunk->topic, (int)shrunk->partition);
}

static ps_status info_read_all(ps_source_info *info, const ps_source_open_args *args, const bool *wanted, ps_scan **out, ps_error *err)
{
    kafka_info *self = (kafka_info *)info;
    psi_scan_args scan = {.options = &self->batch, .schema = info->schema, .wanted = wanted, .n_workers = 1, .owned = true};
    psi_positions start = {0}, end = {0};
    psi_ranges ranges = {0};
    ps_status rc;

    *out = NULL;
    PS_TRY_OR(done, open_consumers(&self->options, &self->batch, args, &scan.client, &scan.reader, err));
    PS_TRY_OR(done, batch_ranges(scan.client, &self->batch, &start, &end, &ranges, err));
    rc = psi_scan_new(&scan, &end, &ranges, out, err);
    scan.client = NULL; /* the scan's now, both */
    scan.reader = NULL;
done:
    psi_reader_close(scan.reader);
    psi_client_close(scan.client);
    ps_free(ranges.items);
    psi_positions_clear(&start);
    psi_positions_clear(&end);
    return rc;
}

/* --- describing ------------------------------------------------------------------------------------------------------------------------------ */

static void info_free(ps_source_info *info)
{
    kafka_info *self = (kafka_info *)info;

    psi_source_options_clear(&self->batch);
    ps_options_clear(&self->options);
    ps_free(self);
}

static void warn_of_stream_options(const ps_options *options)
{
    static const char *const keys[] = {"maxOffsetsPerTrigger", "minOffsetsPerTrigger", "maxTriggerDelay"};

    for (size_t i = 0; i < PS_COUNT_OF(keys); i++)
        if (ps_options_get(options, keys[i]))
            ps_log(PS_LOG_WARNING, "pystream.kafka", "%s option ignored in batch queries", keys[i]);
}

ps_status psi_kafka_describe(const ps_source_request *request, ps_source_info **out, ps_error *err)
{
    static const ps_source_info_vt vt = {.open = info_open, .read_all = info_read_all, .free = info_free};
    const ps_type *schema = NULL;
    kafka_info *self = NULL;
    bool headers;
    ps_status rc;

    *out = NULL;
    if (request->schema)
        return ps_raise(err, PS_E_USER_SCHEMA, "kafka");
    PS_TRY(ps_alloc0(sizeof *self, &self, err));
    PS_TRY_OR(fail, ps_options_copy(request->options, &self->options, err));
    PS_TRY_OR(fail, psi_source_options_headers(&self->options, &headers, err));
    if (request->streaming) {
        PS_TRY_OR(fail, psi_source_options_check(&self->options, err));
    } else {
        PS_TRY_OR(fail, psi_source_options_read(&self->options, false, &self->batch, err));
        warn_of_stream_options(&self->options);
    }
    PS_TRY_OR(fail, psi_rows_schema(headers, &schema, err));
    ps_refs_init(&self->info.refs);
    self->info.vt = &vt;
    self->info.schema = schema;
    self->info.streaming = request->streaming;
    PS_TRY_OR(fail, ps_strdup("kafka", &self->info.name, err));
    *out = &self->info;
    return PS_OK;
fail:
    ps_type_unref(schema);
    info_free(&self->info);
    return rc;
}
