/*
 * kafka/reader.h - the partitions that a query reads, each fetched ahead into a queue of its own.
 *
 * Offsets belong to the checkpoint: a partition is started at an explicit offset and never joins a group.  Fetching goes on
 * between batches; what was fetched behind the end of a batch stays for the next one, so nothing is paused or sought, and
 * a partition is started anew only when a batch begins elsewhere than the last one ended.
 * Threads: a reader belongs to its query's thread, but several cursors may take from different partitions at a time.
 */
#ifndef PS_KAFKA_READER_H
#define PS_KAFKA_READER_H
#include "io/source.h"
#include "kafka/client.h"

typedef struct psi_reader psi_reader;
typedef struct psi_part psi_part; /* one partition being read */

/* Takes client, also when it fails: one that asks for nothing else, since a broker answers a connection's requests in
 * their order, and a fetch waits for messages.  `waker` (or NULL) is told when an empty queue gets a message. */
ps_status psi_reader_open(psi_client *client, const ps_source_waker *waker, psi_reader **out, ps_error *err);
void psi_reader_close(psi_reader *reader); /* accepts NULL */
psi_client *psi_reader_client(psi_reader *reader);

/* The partition, to be read on from `offset`. */
ps_status psi_reader_at(psi_reader *reader, const char *topic, int32_t partition, int64_t offset, psi_part **out, ps_error *err);
/* Ends the reading of partitions that `kept` does not have. */
void psi_reader_keep_only(psi_reader *reader, const psi_positions *kept);

/* Why a partition cannot be read on. */
typedef enum psi_fault { PSI_FAULT_NONE, PSI_FAULT_OUT_OF_RANGE, PSI_FAULT_GONE } psi_fault;

/* Up to `max` messages below offset `to` that are here already, in order; they are the caller's (rd_kafka_message_destroy).
 * *ended: there are no more below `to`.  *fault: the log does not have the wanted offset, or the partition is gone. */
ps_status psi_part_take(psi_part *part, int64_t to, rd_kafka_message_t **messages, int max, int *n, bool *ended, psi_fault *fault, ps_error *err);
/* The offset that the next message has at least. */
int64_t psi_part_next(const psi_part *part);
/* Goes on at an offset: begins anew at it, or (_at) only where that is not where the partition is being read. */
ps_status psi_part_seek(psi_part *part, int64_t offset, ps_error *err);
ps_status psi_part_at(psi_part *part, int64_t offset, ps_error *err);

/* A number that changes whenever a queue gets a message; and the wait for it to differ from `seen`, for at most `ms`. */
uint64_t psi_reader_arrivals(psi_reader *reader);
void psi_reader_wait(psi_reader *reader, uint64_t seen, int64_t ms);
/* Bytes of a message on average, keys and values, of all that were taken; 0: none yet. */
double psi_reader_mean_bytes(psi_reader *reader);
#endif
