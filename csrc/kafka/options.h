/*
 * kafka/options.h - what a user asks of the Kafka source, checked (sources-sinks.md D.2).
 */
#ifndef PS_KAFKA_OPTIONS_H
#define PS_KAFKA_OPTIONS_H
#include "kafka/client.h"

/* Where a read begins or ends. */
typedef enum psi_bound_kind {
    PSI_BOUND_EARLIEST,
    PSI_BOUND_LATEST,
    PSI_BOUND_OFFSETS, /* `positions`: offsets, PSI_LATEST and PSI_EARLIEST among them */
    PSI_BOUND_TIME,    /* `time_ms`, for all partitions */
    PSI_BOUND_TIMES    /* `positions`: milliseconds */
} psi_bound_kind;
typedef struct psi_bound {
    psi_bound_kind kind;
    psi_positions positions;
    int64_t time_ms;
} psi_bound;

/* Zeroed by {0}. */
typedef struct psi_source_options {
    psi_subscription subscription;
    psi_bound start, end;              /* end: of batch reads */
    bool latest_without_match;         /* startingOffsetsByTimestampStrategy=latest */
    bool fail_on_data_loss;
    bool include_headers;
    int64_t poll_timeout_ms;           /* a read that brings nothing for so long fails */
    int64_t n_retries, retry_ms;       /* of look-ups */
    int64_t max_offsets, min_offsets;  /* per trigger; 0: no such limit */
    int64_t max_delay_ms;              /* how long min_offsets may hold a batch back */
    char *group_id;                    /* kafka.group.id, or made of the prefix */
    bool has_group_id;                 /* the user gave it */
} psi_source_options;

/* Reads and checks all of them, in Spark's order.  The caller clears `out`, also after a failure. */
ps_status psi_source_options_read(const ps_options *options, bool streaming, psi_source_options *out, ps_error *err);
/* What Spark checks of a stream when it is described; the rest is checked when it starts. */
ps_status psi_source_options_check(const ps_options *options, ps_error *err);
/* includeHeaders alone: what the schema needs to know. */
ps_status psi_source_options_headers(const ps_options *options, bool *out, ps_error *err);
/* "Subscribe[a, b]", "SubscribePattern[a.*]", "Assign[a-0]". */
ps_status psi_source_options_text(const ps_options *options, const psi_source_options *read, ps_bytes *out, ps_error *err);
void psi_source_options_clear(psi_source_options *options);
#endif
