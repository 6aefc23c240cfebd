/*
 * kafka/options.c - the options of the Kafka source: read, and checked in Spark's order.
 */
#include "kafka/options.h"
#include "base/hash.h"
#include "expr/pattern.h"
#include "kafka/kafka_int.h"

/* --- where to begin and end --------------------------------------------------------------------------------- */

/* The three ways to give a bound, as options. */
typedef struct bound_keys { const char *time, *times, *offsets; } bound_keys;
static const bound_keys start_keys = {"startingTimestamp", "startingOffsetsByTimestamp", "startingOffsets"};
static const bound_keys end_keys = {"endingTimestamp", "endingOffsetsByTimestamp", "endingOffsets"};

static ps_status read_positions(const char *text, ps_status code, psi_positions *out, ps_error *err)
{
    bool valid;

    PS_TRY(psi_positions_parse(text, out, &valid, err));
    return valid ? PS_OK : ps_raise(err, code, text);
}

/* -1 and -2 are the latest and the earliest, as times too: so says the protocol, and so does Spark.  What the protocol has below
 * is not the user's. */
static ps_status check_bound(const psi_bound *bound, const bound_keys *keys, ps_error *err)
{
    if (bound->kind == PSI_BOUND_TIME && bound->time_ms < PSI_EARLIEST)
        return ps_raise(err, PS_E_KAFKA_NEGATIVE_TIME, keys->time, (long long)bound->time_ms, keys->offsets);
    for (int i = 0; i < bound->positions.n; i++) {
        const psi_position *item = &bound->positions.items[i];

        if (bound->kind == PSI_BOUND_TIMES && item->offset < PSI_EARLIEST)
            return ps_raise(err, PS_E_KAFKA_NEGATIVE_TIME, keys->times, (long long)item->offset, keys->offsets);
        if (item->offset < PSI_EARLIEST)
            return ps_raise(err, PS_E_KAFKA_NEGATIVE_OFFSET, keys->offsets, item->topic, (int)item->partition, (long long)item->offset);
    }
    return PS_OK;
}

static ps_status read_bound(const ps_options *options, const bound_keys *keys, psi_bound_kind fallback, psi_bound *out, ps_error *err)
{
    const char *time = ps_options_get(options, keys->time), *times = ps_options_get(options, keys->times);
    const char *offsets = ps_options_get(options, keys->offsets);

    out->kind = fallback;
    if (time) {
        out->kind = PSI_BOUND_TIME;
        return ps_parse_int(time, &out->time_ms) ? PS_OK : ps_raise(err, PS_E_KAFKA_TIMESTAMP, time);
    }
    if (times) {
        out->kind = PSI_BOUND_TIMES;
        return read_positions(times, PS_E_KAFKA_TIMESTAMPS, &out->positions, err);
    }
    if (!offsets)
        return PS_OK;
    if (ps_stricmp(offsets, "earliest") == 0 || ps_stricmp(offsets, "latest") == 0) {
        out->kind = ps_stricmp(offsets, "latest") == 0 ? PSI_BOUND_LATEST : PSI_BOUND_EARLIEST;
        return PS_OK;
    }
    out->kind = PSI_BOUND_OFFSETS;
    return read_positions(offsets, PS_E_KAFKA_OFFSETS, &out->positions, err);
}

/* The first position with an offset that a bound must not have. */
static const psi_position *find_offset(const psi_bound *bound, int64_t offset)
{
    for (int i = 0; bound->kind == PSI_BOUND_OFFSETS && i < bound->positions.n; i++)
        if (bound->positions.items[i].offset == offset)
            return &bound->positions.items[i];
    return NULL;
}

static ps_status check_batch_bounds(const psi_source_options *options, ps_error *err)
{
    const psi_position *latest = find_offset(&options->start, PSI_LATEST), *earliest = find_offset(&options->end, PSI_EARLIEST);

    if (options->start.kind == PSI_BOUND_LATEST)
        return ps_raise(err, PS_E_KAFKA_BATCH_START_LATEST);
    if (latest)
        return ps_raise(err, PS_E_KAFKA_BATCH_START_LATEST_OF, latest->topic, (int)latest->partition);
    if (options->end.kind == PSI_BOUND_EARLIEST)
        return ps_raise(err, PS_E_KAFKA_BATCH_END_EARLIEST);
    if (earliest)
        return ps_raise(err, PS_E_KAFKA_BATCH_END_EARLIEST_OF, earliest->topic, (int)earliest->partition);
    return PS_OK;
}

/* A stream has no end. */
static ps_status refuse_end(const ps_options *options, ps_error *err)
{
    if (ps_options_get(options, end_keys.time) || ps_options_get(options, end_keys.times))
        return ps_raise(err, PS_E_KAFKA_NOT_STREAMED, "timestamp");
    return ps_options_get(options, end_keys.offsets) ? ps_raise(err, PS_E_KAFKA_NOT_STREAMED, "offset") : PS_OK;
}

static ps_status read_bounds(const ps_options *options, bool streaming, psi_source_options *out, ps_error *err)
{
    PS_TRY(streaming ? refuse_end(options, err) : PS_OK);
    PS_TRY(read_bound(options, &start_keys, streaming ? PSI_BOUND_LATEST : PSI_BOUND_EARLIEST, &out->start, err));
    PS_TRY(check_bound(&out->start, &start_keys, err));
    if (streaming)
        return PS_OK;
    PS_TRY(read_bound(options, &end_keys, PSI_BOUND_LATEST, &out->end, err));
    PS_TRY(check_bound(&out->end, &end_keys, err));
    return check_batch_bounds(out, err);
}

/* --- the subscription ---------------------------------------------------------------------------------------------- */

static const char *const strategy_keys[] = {[PSI_ASSIGN] = "assign", [PSI_SUBSCRIBE] = "subscribe", [PSI_PATTERN] = "subscribePattern"};
static const char *const strategy_empty[] = {[PSI_ASSIGN] = "No topicpartitions to assign", [PSI_SUBSCRIBE] = "No topics to subscribe to",
                                             [PSI_PATTERN] = "Pattern to subscribe is empty"};

/* {"topicA":[0,1]} */
static ps_status read_assigned(const char *text, psi_positions *out, ps_error *err)
{
    ps_arena arena = {0};
    ps_json *root;
    ps_status rc = ps_json_parse(ps_slice_of(text), &arena, &root, err);

    if (rc == PS_E_BAD_JSON || (rc == PS_OK && root->kind != PS_JSON_OBJECT))
        rc = ps_raise(err, PS_E_KAFKA_ASSIGN, text);
    for (const ps_json *topic = rc == PS_OK ? root->first : NULL; rc == PS_OK && topic; topic = topic->next) {
        char *name;

        rc = ps_arena_strndup(&arena, topic->key.data, topic->key.n_bytes, &name, err);
        if (rc == PS_OK && (topic->kind != PS_JSON_ARRAY || topic->key.n_bytes == 0))
            rc = ps_raise(err, PS_E_KAFKA_ASSIGN, text);
        for (const ps_json *item = rc == PS_OK ? topic->first : NULL; rc == PS_OK && item; item = item->next) {
            int64_t partition;

            if (!ps_json_int(item, &partition) || partition < 0 || partition > INT32_MAX)
                rc = ps_raise(err, PS_E_KAFKA_ASSIGN, text);
            else
                rc = psi_positions_set(out, name, (int32_t)partition, 0, err);
        }
    }
    ps_arena_clear(&arena);
    return rc;
}

static ps_status read_topics(const char *text, psi_subscription *out, ps_error *err)
{
    ps_slice rest = ps_slice_of(text);

    while (rest.n_bytes > 0) {
        const char *comma = memchr(rest.data, ',', rest.n_bytes);
        size_t n = comma ? (size_t)(comma - rest.data) : rest.n_bytes;
        ps_slice topic = ps_slice_trimmed((ps_slice){rest.data, n});

        n += comma != NULL;
        rest = (ps_slice){rest.data + n, rest.n_bytes - n};
        if (topic.n_bytes == 0)
            continue;
        PS_TRY(ps_realloc((size_t)(out->n_topics + 1) * sizeof *out->topics, &out->topics, err));
        PS_TRY(ps_strndup(topic.data, topic.n_bytes, &out->topics[out->n_topics], err));
        out->n_topics++;
    }
    return PS_OK;
}

static ps_status read_subscription(const ps_options *options, psi_subscription *out, ps_error *err)
{
    const char *text = NULL, *empty = NULL;
    int n = 0;

    for (int i = 0; i < (int)PS_COUNT_OF(strategy_keys); i++) {
        const char *given = ps_options_get(options, strategy_keys[i]);

        if (!given)
            continue;
        text = given;
        out->kind = (psi_subscribe)i;
        n++;
    }
    if (n != 1)
        return ps_raise(err, n ? PS_E_KAFKA_STRATEGIES : PS_E_KAFKA_STRATEGY_MISSING);
    if (out->kind == PSI_ASSIGN && ps_slice_trimmed(ps_slice_of(text)).data[0] != '{')
        empty = text;
    else if (out->kind == PSI_ASSIGN)
        PS_TRY(read_assigned(text, &out->assigned, err));
    if (out->kind == PSI_SUBSCRIBE) {
        PS_TRY(read_topics(text, out, err));
        empty = out->n_topics ? NULL : text;
    }
    if (out->kind == PSI_PATTERN && ps_slice_trimmed(ps_slice_of(text)).n_bytes == 0)
        empty = text;
    if (empty)
        return ps_raise(err, PS_E_KAFKA_STRATEGY_EMPTY, strategy_empty[out->kind], strategy_keys[out->kind], empty);
    return out->kind == PSI_PATTERN ? ps_pattern_new(text, "subscribePattern", &out->pattern, err) : PS_OK;
}

/* --- numbers and names ------------------------------------------------------------------------------------------------ */

static ps_status read_number(const ps_options *options, const char *key, int64_t fallback, int64_t least, int64_t *out, ps_error *err)
{
    const char *text = ps_options_get(options, key);

    *out = fallback;
    if (!text)
        return PS_OK;
    if (!ps_parse_int(text, out))
        return ps_raise(err, PS_E_NUMBER_TEXT, text);
    return *out >= least ? PS_OK : ps_raise(err, PS_E_KAFKA_POSITIVE, key);
}

static ps_status read_duration(const ps_options *options, const char *key, int64_t fallback, int64_t *out, ps_error *err)
{
    const char *text = ps_options_get(options, key);

    *out = fallback;
    return !text || ps_parse_duration_ms(text, out) ? PS_OK : ps_raise(err, PS_E_BAD_DURATION, text);
}

static ps_status read_group(const ps_options *options, bool streaming, psi_source_options *out, ps_error *err)
{
    const char *given = ps_options_get(options, "kafka.group.id"), *prefix = ps_options_get(options, "groupIdPrefix");
    char id[37];
    ps_bytes text = {0};
    ps_status rc;

    out->has_group_id = given != NULL;
    if (given)
        return ps_strdup(given, &out->group_id, err);
    ps_uuid_text(id);
    rc = ps_bytes_printf(&text, err, "%s-%s", prefix ? prefix : streaming ? "spark-kafka-source" : "spark-kafka-relation", id);
    if (rc == PS_OK)
        out->group_id = ps_bytes_take(&text);
    ps_bytes_clear(&text);
    return rc;
}

static ps_status read_strategy(const ps_options *options, bool *latest, ps_error *err)
{
    const char *text = ps_options_get(options, "startingOffsetsByTimestampStrategy");

    *latest = text && ps_stricmp(text, "latest") == 0;
    if (!text || *latest || ps_stricmp(text, "error") == 0)
        return PS_OK;
    return ps_raise(err, PS_E_OPTION_VALUE, text, "startingOffsetsByTimestampStrategy", "error or latest");
}

static ps_status read_limits(const ps_options *options, bool streaming, psi_source_options *out, ps_error *err)
{
    int64_t unused;

    PS_TRY(read_number(options, "minPartitions", 1, 1, &unused, err)); /* a partition has one reader, which is no slower */
    PS_TRY(read_number(options, "maxRecordsPerPartition", 1, 1, &unused, err));
    PS_TRY(psi_props_forbidden(options, false, err));
    if (!ps_options_get(options, "kafka.bootstrap.servers"))
        return ps_raise(err, PS_E_KAFKA_NO_SERVERS, "consumer");
    if (!streaming)
        return PS_OK;
    PS_TRY(read_number(options, "maxOffsetsPerTrigger", 0, 1, &out->max_offsets, err));
    PS_TRY(read_number(options, "minOffsetsPerTrigger", 0, 1, &out->min_offsets, err));
    if (out->min_offsets && out->max_offsets && out->min_offsets > out->max_offsets)
        return ps_raise(err, PS_E_KAFKA_MIN_ABOVE_MAX, (long long)out->min_offsets, (long long)out->max_offsets);
    return read_duration(options, "maxTriggerDelay", 15 * 60 * 1000, &out->max_delay_ms, err);
}

ps_status psi_source_options_headers(const ps_options *options, bool *out, ps_error *err)
{
    return ps_options_bool(options, "includeHeaders", false, out, err);
}

ps_status psi_source_options_check(const ps_options *options, ps_error *err)
{
    psi_source_options unused = {0};
    ps_status rc = refuse_end(options, err);

    rc = rc == PS_OK ? read_subscription(options, &unused.subscription, err) : rc;
    rc = rc == PS_OK ? read_limits(options, true, &unused, err) : rc;
    psi_source_options_clear(&unused);
    return rc;
}

ps_status psi_source_options_read(const ps_options *options, bool streaming, psi_source_options *out, ps_error *err)
{
    PS_TRY(read_bounds(options, streaming, out, err));
    PS_TRY(read_subscription(options, &out->subscription, err));
    PS_TRY(read_limits(options, streaming, out, err));
    PS_TRY(read_strategy(options, &out->latest_without_match, err));
    PS_TRY(ps_options_bool(options, "failOnDataLoss", true, &out->fail_on_data_loss, err));
    PS_TRY(psi_source_options_headers(options, &out->include_headers, err));
    PS_TRY(read_number(options, "kafkaConsumer.pollTimeoutMs", 120000, 1, &out->poll_timeout_ms, err));
    PS_TRY(read_number(options, "fetchOffset.numRetries", 3, 1, &out->n_retries, err));
    PS_TRY(read_number(options, "fetchOffset.retryIntervalMs", 10, 0, &out->retry_ms, err));
    return read_group(options, streaming, out, err);
}

ps_status psi_source_options_text(const ps_options *options, const psi_source_options *read, ps_bytes *out, ps_error *err)
{
    const psi_subscription *subscription = &read->subscription;

    if (subscription->kind == PSI_PATTERN)
        return ps_bytes_printf(out, err, "SubscribePattern[%s]", ps_options_get(options, strategy_keys[PSI_PATTERN]));
    PS_TRY(ps_bytes_text(out, subscription->kind == PSI_ASSIGN ? "Assign[" : "Subscribe[", err));
    PS_TRY(psi_positions_names(&subscription->assigned, false, out, err));
    for (int i = 0; i < subscription->n_topics; i++)
        PS_TRY(ps_bytes_printf(out, err, "%s%s", i ? ", " : "", subscription->topics[i]));
    return ps_bytes_char(out, ']', err);
}

void psi_source_options_clear(psi_source_options *options)
{
    psi_positions_clear(&options->subscription.assigned);
    for (int i = 0; i < options->subscription.n_topics; i++)
        ps_free(options->subscription.topics[i]);
    ps_free(options->subscription.topics);
    ps_pattern_free(options->subscription.pattern);
    psi_positions_clear(&options->start.positions);
    psi_positions_clear(&options->end.positions);
    ps_free(options->group_id);
    *options = (psi_source_options){0};
}
