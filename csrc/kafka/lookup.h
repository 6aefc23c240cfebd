/*
 * kafka/lookup.h - positions as the brokers know them now: what a bound means, and what there is to read.
 *
 * Look-ups are tried again as fetchOffset.numRetries says, but for those that a time-out ended; a leader that is missing is
 * waited for, as long as default.api.timeout.ms allows.
 */
#ifndef PS_KAFKA_LOOKUP_H
#define PS_KAFKA_LOOKUP_H
#include "kafka/options.h"

/* The newest offset of each partition there is.  `known` (or NULL): where the query is; a partition whose newest offset
 * lies before that is asked again, as its broker may be behind. */
ps_status psi_lookup_latest(psi_client *client, const psi_source_options *options, const psi_positions *known, psi_positions *out, ps_error *err);
/* Replaces each offset as psi_client_offsets() does.  After a failure the partitions are still there, with no meaningful offsets,
 * unless it was NO_MEMORY.  @thread any; @locks the client's */
ps_status psi_lookup_each(psi_client *client, const psi_source_options *options, psi_positions *set, ps_error *err);
/* The oldest offset of each of these partitions; after a failure as psi_lookup_each(). */
ps_status psi_lookup_earliest(psi_client *client, const psi_source_options *options, psi_positions *set, ps_error *err);
/* Where a read begins (is_start) or ends. */
ps_status psi_lookup_bound(psi_client *client, const psi_source_options *options, const psi_bound *bound, bool is_start, psi_positions *out, ps_error *err);
#endif
