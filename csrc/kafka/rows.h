/*
 * kafka/rows.h - messages of one partition as columns: the fixed schema of the Kafka source (sources-sinks.md D.1).
 */
#ifndef PS_KAFKA_ROWS_H
#define PS_KAFKA_ROWS_H
#include "col/batch.h"
#include <librdkafka/rdkafka.h>

typedef enum psi_column {
    PSI_COL_KEY, PSI_COL_VALUE, PSI_COL_TOPIC, PSI_COL_PARTITION, PSI_COL_OFFSET, PSI_COL_TIMESTAMP, PSI_COL_TIMESTAMP_TYPE,
    PSI_COL_HEADERS, /* with includeHeaders */
    PSI_COL_COUNT
} psi_column;

/* The memory of the last batch's keys and values: written again when nobody else holds it.  Zeroed by {0}. */
typedef struct psi_rows_spare { ps_buf *keys, *values; } psi_rows_spare;
void psi_rows_spare_clear(psi_rows_spare *spare);

ps_status psi_rows_schema(bool headers, const ps_type **out, ps_error *err);
/* The wanted columns of n messages, one at least, of one partition.  Keys and values are copied, so the messages can go. */
ps_status psi_rows_batch(const ps_type *schema, const bool *wanted, rd_kafka_message_t *const *messages, int n, psi_rows_spare *spare,
                         ps_batch **out, ps_error *err);
/* The same columns without a row. */
ps_status psi_rows_none(const ps_type *schema, const bool *wanted, ps_batch **out, ps_error *err);
#endif
