/*
 * query/spool.h - rows that are kept to be read several times: in memory up to a limit, then in an unlinked file.
 *
 * Batches come back in the order in which they were added.  A spool belongs to one thread at a time.
 */
#ifndef PS_QUERY_SPOOL_H
#define PS_QUERY_SPOOL_H
#include "col/batch.h"

/* Zeroed by {0}; `limit` in bytes and `types` (borrowed, n_cols of them) are the caller's to set. */
typedef struct ps_spool {
    ps_batches rows;      /* what fits in memory */
    size_t n_bytes, limit;
    const ps_type *const *types;
    int n_cols;
    int fd;               /* of the file, when has_file */
    bool has_file;
    int64_t n_spilled;    /* batches in the file */
} ps_spool;

ps_status ps_spool_add(ps_spool *spool, ps_batch *batch, ps_error *err); /* copies */
ps_status ps_spool_read(ps_spool *spool, ps_status (*emit)(void *self, ps_batch *batch, ps_error *err), void *self, ps_error *err);
void ps_spool_clear(ps_spool *spool);
#endif
