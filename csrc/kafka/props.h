/*
 * kafka/props.h - the Java client's properties in librdkafka's terms: a row of props.def each.
 *
 * Users write kafka.<name of the Java client>.  A row says what becomes of a name: the same or another one, a value to
 * translate, nothing (with a warning), or an error that says what to write instead.  A name without a row that librdkafka
 * knows is passed on; one that neither knows is an error with the nearest name.  Java's defaults are set where
 * librdkafka's differ (sources-sinks.md D.8).  Values of secret rows stand in no message, log or plan.
 */
#ifndef PS_KAFKA_PROPS_H
#define PS_KAFKA_PROPS_H
#include "base/option.h"
#include <librdkafka/rdkafka.h>

/* What the client keeps to itself, as librdkafka has no such property. */
typedef struct psi_props_kept {
    int64_t max_block_ms;       /* max.block.ms: how long a full queue may hold a producer up; 60,000 */
    int64_t api_timeout_ms;     /* default.api.timeout.ms: how long a look-up may take; 60,000 */
    int64_t delivery_timeout_ms; /* delivery.timeout.ms: how long a message may wait for its acknowledgement; 120,000 */
} psi_props_kept;

/* Sets on conf what the options that begin with "kafka." say (names without regard to case), and defaults: Java's, but where
 * props.def says why not.  `producer`: which kind the client is; properties of the other kind are passed over with a warning,
 * as the Java client does.  `quiet`: without one, for a client beside the one that the options are meant for. */
ps_status psi_props_apply(const ps_options *options, bool producer, bool quiet, rd_kafka_conf_t *conf, psi_props_kept *kept, ps_error *err);
/* The refusals alone (KAFKA_FORBIDDEN), for callers whose other checks come between. */
ps_status psi_props_forbidden(const ps_options *options, bool producer, ps_error *err);
/* Whether the value of a property, with "kafka." before its name or without, is for nobody's eyes. */
bool psi_props_secret(const char *name);
#endif
