/*
 * log/filelog_int.h - between the files of the log (filelog.c) and their lines (file_entry.c).
 */
#ifndef PS_LOG_FILELOG_INT_H
#define PS_LOG_FILELOG_INT_H
#include "log/filelog.h"
#include "log/seqlog.h"

struct ps_filelog {
    ps_fs *fs;
    ps_clock *clock;
    char *dir;
    ps_filelog_options options;
    int64_t interval;
    int64_t latest;
    int64_t first; /* the lowest number of a file that may still be there, -1: none */
    bool dir_made;
};

/* One line of the file `path`. */
typedef ps_status psi_visit(void *arg, ps_slice line, const char *path, ps_error *err);

/* Adds the entries that were introduced by first..last (source), or all (sink), to out. */
typedef struct psi_collect {
    const ps_filelog *log;
    ps_file_entries *out;
    int64_t first, last;
} psi_collect;
psi_visit psi_collect_line;

/* Copies the lines that a compacted file retains, each after an LF. */
typedef struct psi_retain {
    const ps_filelog *log;
    ps_bytes *out;
    int64_t now_ms;
} psi_retain;
psi_visit psi_retain_line;

/* Appends LF and the entry's line. */
ps_status psi_write_entry(const ps_filelog *log, int64_t id, const ps_file_entry *entry, ps_bytes *out, ps_error *err);
#endif
