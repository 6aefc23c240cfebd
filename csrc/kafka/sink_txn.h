/*
 * kafka/sink_txn.h - exactly once: one transaction per micro-batch, which commits the batch's number with its rows.
 *
 * The number is the offset of a consumer group: group and transactional id are both "pystream-<query id>", the partition is
 * 0 of a topic that the query writes to, the offset is how many batches are done: the batch's id and one.  A run begins by
 * taking over the transactional id, which ends what an earlier run left open and shuts that run out, and then reads the
 * number: a batch below it is there, rows and all.
 *
 * The brokers may forget the number (offsets.retention.minutes, or the topic is deleted).  That must not pass for "never
 * written", so the checkpoint has a note, sinks/0/kafka/<n>, that there is a number.  The steps of a query's first
 * rows are:
 *   1 mark     a transaction that commits the number of batches before these rows, and nothing else
 *   2 note     the checkpoint says that the group has a number, and under which topic
 *   3 begin    the transaction of the batch
 *   4 produce  its rows
 *   5 offsets  the number of the batch joins them
 *   6 commit
 * A crash between 1 and 2 leaves a number without a note, and the steps are taken again.  From 2 on there is a note and,
 * unless the brokers forgot it, a number; so a note without a number means that it was lost, whatever batch was on its way.
 * Later batches take steps 3 to 6.  Between two steps stands a failpoint.
 *
 * A number that was last stored a minute ago or more may be forgotten before the next rows come: so a batch then begins with
 * step 1 again, under the noted topic.  What a restart does not find was forgotten after that batch had begun.
 * A renewal that fails ends the run before anything of the batch is computed.  When the number was forgotten by then (brokers
 * out of reach, after a pause longer than their retention) the next run has a logged batch and no number, and fails with
 * KAFKA_BATCH_ID_LOST though nothing of that batch was written: it cannot know.
 */
#ifndef PS_KAFKA_SINK_TXN_H
#define PS_KAFKA_SINK_TXN_H
#include "io/sink.h"
#include "kafka/client.h"

/* What becomes of a batch that an earlier run may have written when the number is lost (pystream.kafka.onLostBatchId). */
typedef enum psi_lost { PSI_LOST_FAIL, PSI_LOST_RESEND, PSI_LOST_SKIP } psi_lost;

typedef struct psi_txn psi_txn;

/* The transactional id of a query, owned by the caller: the client must have been opened with it. */
ps_status psi_txn_name(const char *query_id, char **out, ps_error *err);
/* Takes over the transactional id and reads the number.  Borrows the client for its life, and the topic of all rows, which
 * is NULL when they name their own.  Fails with KAFKA_BATCH_ID_LOST. */
ps_status psi_txn_open(psi_client *client, const ps_sink_request *request, const char *name, const char *topic, psi_lost lost,
                       psi_txn **out, ps_error *err);
/* Ends what is open, or leaves it to the next run when the brokers do not answer within 100 ms. */
void psi_txn_close(psi_txn *txn); /* accepts NULL */

bool psi_txn_has(const psi_txn *txn, int64_t batch_id); /* the batch is in Kafka */
/* Stores the number again when it may soon be forgotten: for a batch that is not in Kafka, before anything of it is computed.
 * Fails with KAFKA_FENCED, KAFKA_TIMEOUT, KAFKA_FAILED, KAFKA_LOGIN, or what check() of the caller raises.  Its transaction may
 * be open then, so the caller does nothing more with txn but close it, which ends it. */
ps_status psi_txn_renew(psi_txn *txn, int64_t batch_id, ps_error *err);
/* Steps 1 to 3, unless they are done: before the first row of a batch, which goes to `topic`. */
ps_status psi_txn_begin(psi_txn *txn, int64_t batch_id, ps_slice topic, ps_error *err);
/* Steps 5 and 6, all rows having been delivered; nothing when no row came. */
ps_status psi_txn_commit(psi_txn *txn, ps_error *err);
void psi_txn_abort(psi_txn *txn);
/* Replaces a failure of the open transaction by KAFKA_TRANSACTION_EXPIRED when its time was over; returns what stands. */
ps_status psi_txn_explain(psi_txn *txn, ps_status rc, ps_error *err);
/* Why librdkafka takes no more rows, which it refused with `code`. */
ps_status psi_txn_raise(psi_txn *txn, rd_kafka_resp_err_t code, const char *what, ps_error *err);
#endif
