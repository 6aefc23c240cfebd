/*
 * kafka/rows.c - messages to columns.
 *
 * Keys and values of a batch are copied one after another into one buffer, which has the readable bytes behind its end that
 * parsers count on, and frees librdkafka's memory while it is warm; from there on they are views, parsed where they lie: an
 * end of line stands behind each, as the JSON parser wants it (psi_rows_gather).
 */
#include "kafka/rows.h"
#include "col/build.h"

#define AHEAD 4 /* messages whose bytes are fetched into the cache before their turn */
#define MAX_AHEAD 512

/* --- the schema ----------------------------------------------------------------------------------------------- */

static ps_status header_type(const ps_type **out, ps_error *err)
{
    ps_field fields[] = {{.name = "key", .type = ps_type_of(PS_STRING), .nullable = true}, {.name = "value", .type = ps_type_of(PS_BINARY), .nullable = true}};
    const ps_type *header = NULL;
    ps_status rc;

    PS_TRY(ps_type_struct(fields, 2, &header, err));
    rc = ps_type_array(header, true, out, err);
    ps_type_unref(header);
    return rc;
}

ps_status psi_rows_schema(bool headers, const ps_type **out, ps_error *err)
{
    static const char *const names[] = {"key", "value", "topic", "partition", "offset", "timestamp", "timestampType", "headers"};
    static const ps_kind kinds[] = {PS_BINARY, PS_BINARY, PS_STRING, PS_INT32, PS_INT64, PS_TIMESTAMP, PS_INT32};
    ps_field fields[PSI_COL_COUNT];
    const ps_type *list = NULL;
    ps_status rc;

    *out = NULL;
    for (int i = 0; i < PSI_COL_HEADERS; i++)
        fields[i] = (ps_field){.name = (char *)names[i], .type = ps_type_of(kinds[i]), .nullable = true};
    if (!headers)
        return ps_type_struct(fields, PSI_COL_HEADERS, out, err);
    PS_TRY(header_type(&list, err));
    fields[PSI_COL_HEADERS] = (ps_field){.name = (char *)names[PSI_COL_HEADERS], .type = list, .nullable = true};
    rc = ps_type_struct(fields, PSI_COL_COUNT, out, err);
    ps_type_unref(list);
    return rc;
}

/* --- columns ----------------------------------------------------------------------------------------------------- */

static ps_slice part_of(const rd_kafka_message_t *message, bool key)
{
    return key ? (ps_slice){message->key, message->key_len} : (ps_slice){message->payload, message->len};
}

void psi_rows_spare_clear(psi_rows_spare *spare)
{
    ps_buf_unref(spare->keys);
    ps_buf_unref(spare->values);
    *spare = (psi_rows_spare){0};
}

/* A buffer of so many bytes: the spare one when it is large enough and free again, which saves the page faults of new memory. */
static ps_status take_buffer(ps_buf **spare, size_t n_bytes, ps_buf **out, ps_error *err)
{
    if (*spare && (*spare)->n_bytes >= n_bytes && atomic_load_explicit(&(*spare)->refs, memory_order_acquire) == 1) {
        *out = ps_buf_ref(*spare);
        return PS_OK;
    }
    PS_TRY(ps_buf_new(n_bytes + n_bytes / 8, out, err));
    ps_buf_unref(*spare);
    *spare = ps_buf_ref(*out);
    return PS_OK;
}

/* The first lines of bytes that are copied soon: the processor's own look-ahead begins anew at each message. */
static inline void fetch_ahead(ps_slice part)
{
    size_t n_bytes = part.n_bytes < MAX_AHEAD ? part.n_bytes : MAX_AHEAD;

    for (size_t at = 0; at < n_bytes; at += 64)
        __builtin_prefetch(part.data + at);
}

/* Keys or values: absent ones are NULL, empty ones are not. */
static ps_status bytes_column(bool key, rd_kafka_message_t *const *messages, int n, ps_buf **spare, ps_vec **out, ps_error *err)
{
    size_t n_bytes = 0;
    bool nullable = false;
    ps_buf *buf = NULL;
    ps_vec *vec = NULL;
    ps_str *views;
    char *at;
    ps_status rc;

    for (int i = 0; i < n; i++) {
        ps_slice part = part_of(messages[i], key);

        nullable = nullable || !part.data;
        n_bytes += part.n_bytes + 1;
    }
    PS_TRY(ps_vec_new(ps_type_of(PS_BINARY), n, nullable, &vec, err));
    PS_TRY_OR(fail, take_buffer(spare, n_bytes, &buf, err));
    views = vec->data;
    at = (char *)buf->data;
    for (int i = 0; i < n; i++) {
        ps_slice part = part_of(messages[i], key);

        if (i + AHEAD < n)
            fetch_ahead(part_of(messages[i + AHEAD], key));
        if (!part.data) {
            ps_bit_clear(vec->valid, i);
            ps_str_put(&views[i], at, 0);
            continue;
        }
        memcpy(at, part.data, part.n_bytes);
        ps_str_put(&views[i], at, (uint32_t)part.n_bytes);
        at += part.n_bytes;
        *at++ = '\n';
    }
    rc = ps_vec_pin(vec, buf, err);
    ps_buf_unref(buf);
    if (rc != PS_OK)
        goto fail;
    *out = vec;
    return PS_OK;
fail:
    ps_vec_unref(vec);
    return rc;
}

/* What is the same for all messages of a partition. */
static ps_status same_column(const ps_type *type, const rd_kafka_message_t *message, int n, ps_vec **out, ps_error *err)
{
    ps_builder *b = NULL;
    ps_vec *one = NULL;
    ps_status rc;

    PS_TRY(ps_build_new(type, 1, &b, err));
    if (type->kind == PS_STRING) {
        const char *topic = rd_kafka_topic_name(message->rkt);

        rc = ps_build_text(b, topic, strlen(topic), err);
    } else {
        rc = ps_build_int(b, message->partition, err);
    }
    if (rc == PS_OK)
        rc = ps_build_finish(b, &one, err);
    if (rc == PS_OK)
        rc = ps_vec_repeat(one, 0, n, out, err);
    ps_vec_unref(one);
    ps_build_free(b);
    return rc;
}

/* As the Java client numbers them; a message without a timestamp has -1. */
static int32_t timestamp_type(rd_kafka_timestamp_type_t type)
{
    return type == RD_KAFKA_TIMESTAMP_CREATE_TIME ? 0 : type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME ? 1 : -1;
}

static int64_t milliseconds_to_micros(int64_t ms)
{
    return ms > INT64_MAX / 1000 ? INT64_MAX : ms < INT64_MIN / 1000 ? INT64_MIN : ms * 1000;
}

static ps_status number_column(psi_column column, const ps_type *type, rd_kafka_message_t *const *messages, int n, ps_vec **out, ps_error *err)
{
    rd_kafka_timestamp_type_t kind;

    PS_TRY(ps_vec_new(type, n, false, out, err));
    for (int i = 0; i < n; i++) {
        if (column == PSI_COL_OFFSET)
            ((int64_t *)(*out)->data)[i] = messages[i]->offset;
        else if (column == PSI_COL_TIMESTAMP)
            ((int64_t *)(*out)->data)[i] = milliseconds_to_micros(rd_kafka_message_timestamp(messages[i], &kind));
        else {
            rd_kafka_message_timestamp(messages[i], &kind);
            ((int32_t *)(*out)->data)[i] = timestamp_type(kind);
        }
    }
    return PS_OK;
}

static ps_status add_header(ps_builder *item, const char *name, const void *value, size_t n_bytes, ps_error *err)
{
    ps_builder *value_of = ps_build_child(item, 1);

    PS_TRY(ps_build_struct(item, err));
    PS_TRY(ps_build_text(ps_build_child(item, 0), name, strlen(name), err));
    return value ? ps_build_text(value_of, value, n_bytes, err) : ps_build_null(value_of, err);
}

/* A message without headers has NULL, not an empty list. */
static ps_status add_headers(ps_builder *b, const rd_kafka_message_t *message, ps_error *err)
{
    rd_kafka_headers_t *headers;
    const char *name;
    const void *value;
    size_t n_bytes;

    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR || rd_kafka_header_cnt(headers) == 0)
        return ps_build_null(b, err);
    PS_TRY(ps_build_list(b, 0, err));
    for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &n_bytes) == RD_KAFKA_RESP_ERR_NO_ERROR; i++)
        PS_TRY(add_header(ps_build_child(b, 0), name, value, n_bytes, err));
    ps_build_list_end(b);
    return PS_OK;
}

static ps_status headers_column(const ps_type *type, rd_kafka_message_t *const *messages, int n, ps_vec **out, ps_error *err)
{
    ps_builder *b = NULL;
    ps_status rc;

    PS_TRY(ps_build_new(type, n, &b, err));
    rc = PS_OK;
    for (int i = 0; rc == PS_OK && i < n; i++)
        rc = add_headers(b, messages[i], err);
    if (rc == PS_OK)
        rc = ps_build_finish(b, out, err);
    ps_build_free(b);
    return rc;
}

static ps_status make_column(psi_column column, const ps_type *type, rd_kafka_message_t *const *messages, int n, psi_rows_spare *spare,
                             ps_vec **out, ps_error *err)
{
    switch (column) {
    case PSI_COL_KEY: return bytes_column(true, messages, n, &spare->keys, out, err);
    case PSI_COL_VALUE: return bytes_column(false, messages, n, &spare->values, out, err);
    case PSI_COL_TOPIC:
    case PSI_COL_PARTITION: return same_column(type, messages[0], n, out, err);
    case PSI_COL_HEADERS: return headers_column(type, messages, n, out, err);
    default: return number_column(column, type, messages, n, out, err);
    }
}

/* --- batches ----------------------------------------------------------------------------------------------------------- */

static int count_wanted(const ps_type *schema, const bool *wanted)
{
    int n = 0;

    for (int i = 0; i < schema->n_fields; i++)
        n += wanted[i];
    return n;
}

ps_status psi_rows_batch(const ps_type *schema, const bool *wanted, rd_kafka_message_t *const *messages, int n, psi_rows_spare *spare,
                         ps_batch **out, ps_error *err)
{
    ps_batch *batch = NULL;
    ps_status rc = PS_OK;
    int at = 0;

    *out = NULL;
    PS_TRY(ps_batch_new(count_wanted(schema, wanted), n, &batch, err));
    for (int i = 0; rc == PS_OK && i < schema->n_fields; i++)
        if (wanted[i])
            rc = make_column((psi_column)i, schema->fields[i].type, messages, n, spare, &batch->cols[at++], err);
    if (rc == PS_OK)
        *out = batch;
    else
        ps_batch_unref(batch);
    return rc;
}

ps_status psi_rows_none(const ps_type *schema, const bool *wanted, ps_batch **out, ps_error *err)
{
    ps_batch *batch = NULL;
    ps_status rc = PS_OK;
    int at = 0;

    *out = NULL;
    PS_TRY(ps_batch_new(count_wanted(schema, wanted), 0, &batch, err));
    for (int i = 0; rc == PS_OK && i < schema->n_fields; i++)
        if (wanted[i])
            rc = ps_vec_null(schema->fields[i].type, 0, &batch->cols[at++], err);
    if (rc == PS_OK)
        *out = batch;
    else
        ps_batch_unref(batch);
    return rc;
}
