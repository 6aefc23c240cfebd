/*
 * kafka/sink_columns.h - which columns of a result make a record, and the records of a batch (sources-sinks.md E.1).
 */
#ifndef PS_KAFKA_SINK_COLUMNS_H
#define PS_KAFKA_SINK_COLUMNS_H
#include "base/option.h"
#include "col/batch.h"
#include <librdkafka/rdkafka.h>

/* Places in a batch; -1: there is no such column. */
typedef struct psi_sink_columns {
    int value, key, topic, partition, headers;
} psi_sink_columns;

/* By exact name; the errors are Spark's, in its order.  has_topic: an option names the topic of all rows, so a column of
 * that name is one of those that mean nothing. */
ps_status psi_sink_columns_find(const ps_type *schema, const ps_conf *conf, bool has_topic, psi_sink_columns *out, ps_error *err);

/* The same columns of one batch, for reading: borrows it. */
typedef struct psi_records {
    psi_sink_columns columns;
    ps_rows rows;
    ps_view value, key, topic, partition, headers;
} psi_records;
void psi_records_init(psi_records *records, const psi_sink_columns *columns, const ps_batch *batch);

/* What a record is made of.  A NULL has no data. */
ps_slice psi_record_value(const psi_records *records, int64_t row);
ps_slice psi_record_key(const psi_records *records, int64_t row);
ps_slice psi_record_topic(const psi_records *records, int64_t row);
/* RD_KAFKA_PARTITION_UA: the partitioner decides. */
ps_status psi_record_partition(const psi_records *records, int64_t row, int32_t *out, ps_error *err);
/* NULL when the row has no headers; else the caller's, until a message takes them. */
ps_status psi_record_headers(const psi_records *records, int64_t row, rd_kafka_headers_t **out, ps_error *err);
#endif
