/*
 * log/meta.h - who a checkpoint belongs to: the query's id in `metadata`, and the lock of the directory.
 *
 *     {"id":"6d2e2cf2-29a5-4a9f-a0d7-5c2e9e7c2b5d"}
 *
 * The file is written once, before anything else, and never again.
 */
#ifndef PS_LOG_META_H
#define PS_LOG_META_H
#include "base/fs.h"

#define PS_QUERY_ID_SIZE 64 /* with the NUL; a UUID has 36 characters */

/* Reads the id of the checkpoint `root`, or makes the directory and the file with a fresh UUID.  A file that is empty, cut
 * or without a UUID raises.  verify: a checkpoint that has offsets or commits but no id raises
 * STREAMING_CHECKPOINT_MISSING_METADATA_FILE; else it gets a new one. */
ps_status ps_meta_open(ps_fs *fs, const char *root, bool sync, bool verify, char id[PS_QUERY_ID_SIZE], ps_error *err);

/* Holds the checkpoint for this process until *out is closed.  Held by another one: CONCURRENT_STREAM_LOG_UPDATE. */
ps_status ps_meta_lock(ps_fs *fs, const char *root, ps_file **out, ps_error *err);
#endif
