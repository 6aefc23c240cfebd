/*
 * log/offsets.c - entries of the offset log as text, and the pinned confs.
 */
#include "log/offsets.h"
#include "base/failpoint.h"
#include <stdio.h>

#define MAX_VERSION 2

/* ---- pinned confs ---- */

static const struct pinned_conf {
    const char *key;
    const char *legacy; /* forced when a checkpoint lacks the key; NULL: the session's value stays */
} pinned[] = {
    {"spark.sql.streaming.stateStore.providerClass", NULL},
    {"spark.sql.dropDuplicates.deterministicKeyOrder.enabled", "false"},
    {"spark.sql.streaming.stateStore.rocksdb.mergeOperatorVersion", "1"},
    {"spark.sql.streaming.stateStore.rocksdb.formatVersion", NULL},
    {"spark.sql.streaming.queryEvolution.enableSourceEvolution", "false"},
    {"spark.sql.streaming.stateStore.encodingFormat", "unsaferow"},
    {"spark.sql.streaming.statefulOperator.useStrictDistribution", "false"},
    {"spark.sql.streaming.flatMapGroupsWithState.stateFormatVersion", "1"},
    {"spark.sql.streaming.multipleWatermarkPolicy", "min"},
    {"spark.sql.streaming.stateStore.rowChecksum.enabled", "false"},
    {"spark.sql.streaming.statefulOperator.alwaysNullableOutput.enabled", "false"},
    {"spark.sql.streaming.aggregation.stateFormatVersion", "1"},
    {"spark.sql.function.protobufExtensions.enabled", "false"},
    {"spark.sql.shuffle.partitions", NULL},
    {"spark.sql.streaming.join.stateFormatVersion", "1"},
    {"spark.sql.streaming.stateStore.compression.codec", "lz4"},
    {"spark.sql.optimizer.pruneFiltersCanPruneStreamingSubplan", "true"},
};
#define N_PINNED ((int)PS_COUNT_OF(pinned))

ps_status ps_pin_confs(const ps_offsets *recorded, ps_conf *conf, ps_error *err)
{
    if (recorded == NULL || !recorded->has_metadata)
        return PS_OK;
    for (int i = 0; i < N_PINNED; i++) {
        const char *value = ps_options_get(&recorded->conf, pinned[i].key);
        if (value == NULL)
            value = pinned[i].legacy;
        if (value != NULL)
            PS_TRY(ps_conf_set_static(conf, pinned[i].key, value, err));
    }
    return PS_OK;
}

ps_status ps_record_confs(const ps_conf *conf, ps_offsets *offsets, ps_error *err)
{
    ps_options_clear(&offsets->conf);
    for (int i = 0; i < N_PINNED; i++) {
        const char *value = ps_conf_get(conf, pinned[i].key);
        if (value != NULL)
            PS_TRY(ps_options_set(&offsets->conf, pinned[i].key, value, err));
    }
    offsets->has_metadata = true;
    return PS_OK;
}

/* ---- entries ---- */

void ps_offsets_clear(ps_offsets *offsets)
{
    for (int i = 0; i < offsets->n; i++) {
        ps_free(offsets->items[i].source);
        ps_free(offsets->items[i].offset);
    }
    ps_free(offsets->items);
    ps_free(offsets->source_metadata);
    ps_options_clear(&offsets->conf);
    *offsets = (ps_offsets){0};
}

/* Takes slices, since a reader has no terminated texts; offset.data NULL: none. */
static ps_status push(ps_offsets *offsets, ps_slice source, ps_slice offset, ps_error *err)
{
    ps_source_offset item = {NULL, NULL};
    ps_status rc;

    PS_TRY(ps_strndup(source.data, source.n_bytes, &item.source, err));
    if (offset.data != NULL)
        PS_TRY_OR(fail, ps_strndup(offset.data, offset.n_bytes, &item.offset, err));
    PS_TRY_OR(fail, PS_PUSH(offsets, item, err));
    return PS_OK;
fail:
    ps_free(item.source);
    ps_free(item.offset);
    return rc;
}

ps_status ps_offsets_push(ps_offsets *offsets, const char *source, const char *offset, ps_error *err)
{
    char position[16];

    snprintf(position, sizeof position, "%d", offsets->n);
    return push(offsets, ps_slice_of(source != NULL ? source : position),
                offset != NULL ? ps_slice_of(offset) : (ps_slice){NULL, 0}, err);
}

static ps_status write_metadata(const ps_offsets *offsets, ps_bytes *out, ps_error *err)
{
    PS_TRY(ps_bytes_printf(out, err, "{\"batchWatermarkMs\":%lld,\"batchTimestampMs\":%lld,\"conf\":{",
                           (long long)offsets->watermark_ms, (long long)offsets->timestamp_ms));
    for (int i = 0; i < offsets->conf.n; i++) {
        if (i > 0)
            PS_TRY(ps_bytes_char(out, ',', err));
        PS_TRY(ps_bytes_json_string(out, ps_slice_of(offsets->conf.items[i].key), err));
        PS_TRY(ps_bytes_char(out, ':', err));
        PS_TRY(ps_bytes_json_string(out, ps_slice_of(offsets->conf.items[i].value), err));
    }
    PS_TRY(ps_bytes_char(out, '}', err));
    if (offsets->version >= 2) {
        const char *sources = offsets->source_metadata != NULL ? offsets->source_metadata : "{}";
        PS_TRY(ps_bytes_printf(out, err, ",\"sourceMetadataInfo\":%s", sources));
    }
    return ps_bytes_char(out, '}', err);
}

ps_status ps_offsets_write(const ps_offsets *offsets, ps_bytes *out, ps_error *err)
{
    ps_assert(offsets->version == 1 || offsets->version == 2);
    PS_TRY(ps_bytes_printf(out, err, "v%d\n", offsets->version));
    if (offsets->has_metadata)
        PS_TRY(write_metadata(offsets, out, err));
    for (int i = 0; i < offsets->n; i++) {
        const char *offset = offsets->items[i].offset;
        PS_TRY(ps_bytes_char(out, '\n', err));
        if (offsets->version >= 2)
            PS_TRY(ps_bytes_printf(out, err, "%s:", offsets->items[i].source));
        PS_TRY(ps_bytes_text(out, offset != NULL ? offset : "-", err));
    }
    return PS_OK;
}

/* An absent time is 0; what is none is damage. */
static ps_status read_time(const ps_json *object, const char *key, const char *path, int64_t *out, ps_error *err)
{
    const ps_json *node = ps_json_get(object, key);

    *out = 0;
    if (node != NULL && node->kind != PS_JSON_NULL && !ps_log_time(node, out))
        return ps_raise(err, PS_E_LOG_DAMAGED, path, key);
    return PS_OK;
}

static ps_status read_confs(const ps_json *conf, const char *path, ps_options *out, ps_error *err)
{
    if (conf == NULL || conf->kind == PS_JSON_NULL)
        return PS_OK;
    if (conf->kind != PS_JSON_OBJECT)
        return ps_raise(err, PS_E_LOG_DAMAGED, path, "conf");
    for (const ps_json *member = conf->first; member != NULL; member = member->next) {
        ps_status rc;
        char *key;
        if (member->kind != PS_JSON_TEXT)
            return ps_raise(err, PS_E_LOG_DAMAGED, path, "conf");
        PS_TRY(ps_strndup(member->key.data, member->key.n_bytes, &key, err));
        rc = ps_options_set(out, key, member->text.data, err);
        ps_free(key);
        PS_TRY(rc);
    }
    return PS_OK;
}

static ps_status read_source_metadata(const ps_json *node, ps_offsets *out, ps_error *err)
{
    ps_bytes text = {0};
    ps_status rc;

    if (node == NULL || node->kind != PS_JSON_OBJECT)
        return PS_OK;
    if ((rc = ps_json_write(node, &text, err)) == PS_OK)
        out->source_metadata = ps_bytes_take(&text);
    ps_bytes_clear(&text);
    return rc;
}

static ps_status read_metadata(ps_slice line, const char *path, ps_offsets *out, ps_error *err)
{
    ps_arena arena = {0};
    ps_json *root;
    ps_status rc;

    if ((rc = ps_json_parse(line, &arena, &root, err)) != PS_OK) {
        if (rc == PS_E_BAD_JSON)
            rc = ps_raise(err, PS_E_LOG_DAMAGED, path, "metadata");
        goto done;
    }
    if (root->kind != PS_JSON_OBJECT) {
        rc = ps_raise(err, PS_E_LOG_DAMAGED, path, "metadata");
        goto done;
    }
    PS_TRY_OR(done, read_time(root, "batchWatermarkMs", path, &out->watermark_ms, err));
    PS_TRY_OR(done, read_time(root, "batchTimestampMs", path, &out->timestamp_ms, err));
    PS_TRY_OR(done, read_confs(ps_json_get(root, "conf"), path, &out->conf, err));
    if (out->version >= 2)
        PS_TRY_OR(done, read_source_metadata(ps_json_get(root, "sourceMetadataInfo"), out, err));
    out->has_metadata = true;
done:
    ps_arena_clear(&arena);
    return rc;
}

static ps_status read_offset(ps_slice line, const char *path, ps_offsets *out, ps_error *err)
{
    char position[16];
    ps_slice source;

    if (out->version >= 2) {
        const char *colon = line.n_bytes > 0 ? memchr(line.data, ':', line.n_bytes) : NULL;
        if (colon == NULL)
            return ps_raise(err, PS_E_LOG_DAMAGED, path, "an offset without the id of its source");
        source = (ps_slice){line.data, (size_t)(colon - line.data)};
        line.n_bytes -= source.n_bytes + 1;
        line.data = colon + 1;
    } else {
        snprintf(position, sizeof position, "%d", out->n);
        source = ps_slice_of(position);
    }
    if (line.n_bytes == 1 && line.data[0] == '-')
        line = (ps_slice){NULL, 0};
    return push(out, source, line, err);
}

ps_status ps_offsets_read(ps_slice text, const char *path, ps_offsets *out, ps_error *err)
{
    ps_lines lines = ps_lines_of(text);
    ps_slice line;

    PS_TRY(ps_lines_version(&lines, path, MAX_VERSION, &out->version, err));
    if (!ps_lines_next(&lines, &line))
        return ps_raise(err, PS_E_LOG_INCOMPLETE, path);
    if (line.n_bytes > 0)
        PS_TRY(read_metadata(line, path, out, err));
    else if (out->version >= 2)
        return ps_raise(err, PS_E_LOG_DAMAGED, path, "metadata");
    while (ps_lines_next(&lines, &line)) {
        if (line.n_bytes == 0 && lines.ended)
            break; /* a last LF, from an editor */
        PS_TRY(read_offset(line, path, out, err));
    }
    return PS_OK;
}

ps_status ps_offsets_add(ps_seqlog *log, int64_t id, const ps_offsets *offsets, ps_error *err)
{
    ps_bytes text = {0};
    ps_status rc;

    PS_TRY_OR(done, ps_offsets_write(offsets, &text, err));
    PS_TRY_OR(done, PS_FAILPOINT("log.offsets_add", err));
    rc = ps_seqlog_add(log, id, ps_bytes_slice(&text), err);
done:
    ps_bytes_clear(&text);
    return rc;
}

ps_status ps_offsets_get(ps_seqlog *log, int64_t id, ps_offsets *out, bool *found, ps_error *err)
{
    ps_bytes text = {0};
    char *path = NULL;
    bool is_there;
    ps_status rc;

    if (found == NULL)
        found = &is_there;
    PS_TRY_OR(done, ps_seqlog_get(log, id, &text, found, err));
    if (*found) {
        PS_TRY_OR(done, ps_seqlog_path(log, id, &path, err));
        rc = ps_offsets_read(ps_bytes_slice(&text), path, out, err);
    } else if (found == &is_there) {
        rc = ps_raise(err, PS_E_LOG_ENTRY_MISSING, (long long)id);
    }
done:
    ps_bytes_clear(&text);
    ps_free(path);
    return rc;
}
