/*
 * kafka/sink_columns.c - finding and checking the columns of the sink, and reading records from a batch.
 */
#include "kafka/sink_columns.h"
#include "col/type_text.h"

/* --- finding --------------------------------------------------------------------------------------------------- */

static bool is_text(const ps_type *type, const ps_conf *conf)
{
    PS_UNUSED(conf);
    return ps_kind_is_text(type->kind);
}

static bool is_string(const ps_type *type, const ps_conf *conf)
{
    PS_UNUSED(conf);
    return type->kind == PS_STRING;
}

static bool is_int(const ps_type *type, const ps_conf *conf)
{
    PS_UNUSED(conf);
    return type->kind == PS_INT32;
}

/* Names of fields count as names of columns do. */
static bool is_headers(const ps_type *type, const ps_conf *conf)
{
    const ps_type *header = type->kind == PS_ARRAY ? type->fields[0].type : NULL;

    return header && header->kind == PS_STRUCT && header->n_fields == 2 && header->fields[0].type->kind == PS_STRING &&
           header->fields[1].type->kind == PS_BINARY && ps_conf_same_name(conf, header->fields[0].name, "key") &&
           ps_conf_same_name(conf, header->fields[1].name, "value");
}

typedef struct column_rule {
    const char *name, *types;
    bool (*fits)(const ps_type *type, const ps_conf *conf);
} column_rule;
static const column_rule topic_rule = {"topic", "string", is_string};
static const column_rule key_rule = {"key", "string or binary", is_text};
static const column_rule value_rule = {"value", "string or binary", is_text};
static const column_rule headers_rule = {"headers", "array<struct<key:string,value:binary>>", is_headers};
static const column_rule partition_rule = {"partition", "int", is_int};

static ps_status raise_type(const column_rule *rule, const ps_type *type, ps_error *err)
{
    ps_bytes text = {0};
    ps_status rc = ps_type_simple_text(type, &text, err);

    if (rc == PS_OK)
        rc = ps_raise(err, PS_E_KAFKA_COLUMN_TYPE, rule->name, text.data, rule->types);
    ps_bytes_clear(&text);
    return rc;
}

static ps_status find_column(const ps_type *schema, const ps_conf *conf, const column_rule *rule, int *out, ps_error *err)
{
    *out = -1;
    for (int i = 0; i < schema->n_fields; i++) {
        if (strcmp(schema->fields[i].name, rule->name) != 0)
            continue;
        *out = i;
        return rule->fits(schema->fields[i].type, conf) ? PS_OK : raise_type(rule, schema->fields[i].type, err);
    }
    return PS_OK;
}

ps_status psi_sink_columns_find(const ps_type *schema, const ps_conf *conf, bool has_topic, psi_sink_columns *out, ps_error *err)
{
    out->topic = -1;
    if (!has_topic) {
        PS_TRY(find_column(schema, conf, &topic_rule, &out->topic, err));
        if (out->topic < 0)
            return ps_raise(err, PS_E_KAFKA_TOPIC_REQUIRED);
    }
    PS_TRY(find_column(schema, conf, &key_rule, &out->key, err));
    PS_TRY(find_column(schema, conf, &value_rule, &out->value, err));
    if (out->value < 0)
        return ps_raise(err, PS_E_KAFKA_COLUMN_MISSING, value_rule.name);
    PS_TRY(find_column(schema, conf, &headers_rule, &out->headers, err));
    return find_column(schema, conf, &partition_rule, &out->partition, err);
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

static void init_view(ps_view *view, const ps_batch *batch, int column)
{
    if (column >= 0)
        ps_view_init(view, batch->cols[column]);
}

void psi_records_init(psi_records *records, const psi_sink_columns *columns, const ps_batch *batch)
{
    records->columns = *columns;
    records->rows = ps_batch_live(batch);
    init_view(&records->value, batch, columns->value);
    init_view(&records->key, batch, columns->key);
    init_view(&records->topic, batch, columns->topic);
    init_view(&records->partition, batch, columns->partition);
    init_view(&records->headers, batch, columns->headers);
}

static inline ps_slice text_at(const ps_view *view, int64_t row)
{
    if (ps_view_is_null(view, row))
        return (ps_slice){NULL, 0};
    return ps_str_slice((const ps_str *)view->data + ps_at(view, row));
}

ps_slice psi_record_value(const psi_records *records, int64_t row) { return text_at(&records->value, row); }

ps_slice psi_record_key(const psi_records *records, int64_t row)
{
    return records->columns.key < 0 ? (ps_slice){NULL, 0} : text_at(&records->key, row);
}

ps_slice psi_record_topic(const psi_records *records, int64_t row)
{
    return records->columns.topic < 0 ? (ps_slice){NULL, 0} : text_at(&records->topic, row);
}

ps_status psi_record_partition(const psi_records *records, int64_t row, int32_t *out, ps_error *err)
{
    const ps_view *view = &records->partition;

    *out = RD_KAFKA_PARTITION_UA;
    if (records->columns.partition < 0 || ps_view_is_null(view, row))
        return PS_OK;
    *out = ((const int32_t *)view->data)[ps_at(view, row)];
    return *out >= 0 ? PS_OK : ps_raise(err, PS_E_KAFKA_PARTITION, (int)*out);
}

/* Header `at` of the elements of all rows. */
static ps_status add_header(rd_kafka_headers_t *headers, const ps_view *elements, int64_t at, ps_error *err)
{
    ps_view keys, values;
    ps_slice key, value;

    if (ps_view_is_null(elements, at))
        return ps_raise(err, PS_E_KAFKA_NULL_HEADER);
    ps_view_init(&keys, elements->base->children[0]);
    ps_view_init(&values, elements->base->children[1]);
    key = text_at(&keys, ps_at(elements, at));
    value = text_at(&values, ps_at(elements, at));
    if (!key.data)
        return ps_raise(err, PS_E_KAFKA_NULL_HEADER);
    if (rd_kafka_header_add(headers, key.data, (ssize_t)key.n_bytes, value.data, (ssize_t)value.n_bytes) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return ps_raise(err, PS_E_NO_MEMORY, key.n_bytes + value.n_bytes);
    return PS_OK;
}

ps_status psi_record_headers(const psi_records *records, int64_t row, rd_kafka_headers_t **out, ps_error *err)
{
    const ps_view *view = &records->headers;
    ps_view elements;
    ps_status rc;
    ps_span span;

    *out = NULL;
    if (records->columns.headers < 0 || ps_view_is_null(view, row))
        return PS_OK;
    span = ((const ps_span *)view->data)[ps_at(view, row)];
    ps_view_init(&elements, view->base->children[0]);
    *out = rd_kafka_headers_new(span.n);
    for (uint32_t i = 0; i < span.n; i++)
        PS_TRY_OR(fail, add_header(*out, &elements, (int64_t)span.start + i, err));
    return PS_OK;
fail:
    rd_kafka_headers_destroy(*out);
    *out = NULL;
    return rc;
}
