/*
 * kafka/kafka_int.h - what the files of the Kafka connector share.
 *
 * Reading order: positions.h, client.h with props.h and jaas.h, options.h, lookup.h, plan.h, reader.h, rows.h, scan.h, then
 * src_kafka.c; sink_columns.h, sink_txn.h, then sink_kafka.c.
 */
#ifndef PS_KAFKA_KAFKA_INT_H
#define PS_KAFKA_KAFKA_INT_H
#include "io/connector.h"
#include "kafka/client.h"

#define PSI_KAFKA_WAIT_MS 50 /* how long a wait may keep a stop waiting */

/* src_kafka.c, sink_kafka.c */
ps_status psi_kafka_describe(const ps_source_request *request, ps_source_info **out, ps_error *err);
ps_status psi_kafka_open_sink(const ps_sink_request *request, ps_sink **out, ps_error *err);
#endif
