/*
 * io/src_file_int.h - what the parts of the file source share.
 *
 *   src_file.c            describing a relation of files, and reading it as a batch
 *   src_file_glob.c       patterns: matching a name, expanding a path
 *   src_file_list.c       which files there are
 *   src_file_partition.c  columns that directory names spell ("day=2024-01-02")
 *   src_file_scan.c       files to batches
 *   src_file_stream.c     the streaming source: its offsets, its log, its batches
 *   src_file_choose.c     which of the files make up the next batch
 *   src_file_clean.c      what becomes of files that are done with
 */
#ifndef PS_IO_SRC_FILE_INT_H
#define PS_IO_SRC_FILE_INT_H
#include "base/map.h"
#include "fmt/format.h"
#include "io/source.h"
#include "log/filelog.h"

/* --- patterns ------------------------------------------------------------------------------------------ */
/* Hadoop's: * ? [abc] [a-b] [^a] {ab,cd} and \ before a character that is meant. */
bool psi_glob_is(const char *path);
/* One component, without '/' and without braces. */
bool psi_glob_match(const char *pattern, const char *name);
typedef struct psi_texts { char **items; int n, capacity; } psi_texts;
void psi_texts_clear(psi_texts *texts);
/* The patterns without braces that stand for `pattern`. */
ps_status psi_glob_braces(const char *pattern, psi_texts *out, ps_error *err);
/* Whether any of the patterns that psi_glob_braces() gave matches the name. */
bool psi_glob_match_any(const psi_texts *patterns, const char *name);
/* What exists and matches, by path, each once. */
ps_status psi_glob_expand(ps_fs *fs, const char *pattern, ps_file_list *out, ps_error *err);

/* --- a described relation -------------------------------------------------------------------------------- */
typedef struct psi_files {
    ps_source_info info;
    const ps_format *format;
    ps_options options;      /* without path */
    const ps_zone *zone;     /* of the option timeZone or the session */
    psi_texts paths;         /* absolute; may be patterns */
    psi_texts name_filter;   /* pathGlobFilter; empty: none */
    char *base_path;         /* where partition directories begin, or NULL: at the paths */
    bool recursive;
    int64_t after_ms, before_ms; /* batch: modification times strictly between; INT64_MIN, INT64_MAX: any */
    const ps_type *data_schema;  /* STRUCT: the columns that the files hold */
    const ps_type *part_schema;  /* STRUCT: the columns that the directories spell */
    int *origin;             /* visible column -> field of data_schema, or ~field of part_schema */
    ps_file_list found;      /* batch: the files as they were when load() was called */
    psi_texts bases;         /* and the directories below which partitions were looked for */
} psi_files;
static inline bool psi_files_is_glob(const psi_files *files) { return files->paths.n == 1 && psi_glob_is(files->paths.items[0]); }

/* --- listing ------------------------------------------------------------------------------------------------ */
typedef struct psi_listing {
    ps_file_list files;  /* by path */
    psi_texts bases;
    psi_texts dirs;      /* that hold any of the files seen, whether they count or not */
    bool from_log;       /* the directory was written by a file sink: its log says which files are whole */
} psi_listing;
void psi_listing_clear(psi_listing *listing);
/* must_exist: PATH_NOT_FOUND for a path that does not (streams: patterns may match nothing). */
ps_status psi_files_list(const psi_files *files, ps_fs *fs, ps_clock *clock, const ps_conf *conf, bool must_exist,
                         psi_listing *out, ps_error *err);

/* --- partition columns -------------------------------------------------------------------------------------- */
/* The columns that dirs below bases spell, a STRUCT (no fields: none).  Types are those of `declared` (the user's
 * schema, or NULL) or the narrowest that fits all values.  CONFLICTING_*. */
ps_status psi_partition_schema(const psi_texts *dirs, const psi_texts *bases, const ps_type *declared, const ps_conf *conf,
                               const ps_zone *zone, const ps_type **out, ps_error *err);
bool psi_partition_any(const psi_texts *dirs, const psi_texts *bases);
/* The values of one file's directories, a vector of one row per field of `schema`, NULL where the path has none.
 * *inside false: the path spells no column at all, so the file is not part of the relation.  vecs: owned. */
ps_status psi_partition_values(const ps_type *schema, const char *path, const psi_texts *bases, const ps_conf *conf,
                               const ps_zone *zone, ps_vec **vecs, bool *inside, ps_error *err);

/* --- reading ------------------------------------------------------------------------------------------------- */
typedef struct psi_file_scan_args {
    psi_files *files;
    const ps_source_open_args *open; /* borrowed: its fs and conf, for the scan's life */
    const bool *wanted;
    const psi_texts *bases;
} psi_file_scan_args;
/* Takes the items of `list`, also when it fails; files without bytes are left out. */
ps_status psi_file_scan_new(const psi_file_scan_args *args, ps_file_list *list, ps_scan **out, ps_error *err);
/* The one hidden column of a relation of files, `_metadata`. */
ps_status psi_file_metadata_schema(const ps_type **out, ps_error *err);

/* --- streaming -------------------------------------------------------------------------------------------------- */
typedef enum psi_clean { PSI_CLEAN_OFF, PSI_CLEAN_DELETE, PSI_CLEAN_ARCHIVE } psi_clean;
typedef struct psi_stream_options {
    int64_t max_files, max_bytes; /* 0: no limit */
    bool latest_first, name_only;
    int64_t max_age_ms;
    psi_clean clean;
    char *archive_dir;
    int64_t max_cached;
    double discard_ratio;
} psi_stream_options;
ps_status psi_stream_options_read(const psi_files *files, psi_stream_options *out, ps_error *err);
void psi_stream_options_clear(psi_stream_options *options);

/* The files that were taken, and those that wait. */
typedef struct psi_chooser psi_chooser;
ps_status psi_chooser_new(const psi_stream_options *options, psi_chooser **out, ps_error *err); /* borrows options */
void psi_chooser_free(psi_chooser *chooser); /* accepts NULL */
ps_status psi_chooser_add(psi_chooser *chooser, const char *path, int64_t mtime_ms, ps_error *err); /* was taken before */
ps_status psi_chooser_forget(psi_chooser *chooser, ps_error *err);   /* what is older than maxFileAge */
bool psi_chooser_has_unread(const psi_chooser *chooser);
/* Moves the files of the next batch to *out; `listed` (moved from; not looked at while unread files wait) need not be
 * sorted.  The chosen ones count as taken.  The rest waits when that is worth it, with keep_all in any case. */
ps_status psi_chooser_next(psi_chooser *chooser, ps_file_list *listed, bool keep_all, bool no_limit, ps_file_list *out, ps_error *err);

/* Checks that archived files can never match what is read (IllegalArgumentException). */
ps_status psi_clean_check(const psi_files *files, const psi_stream_options *options, ps_fs *fs, ps_error *err);
/* Best effort. */
void psi_clean_file(const psi_stream_options *options, ps_fs *fs, const char *path);

ps_status psi_file_stream_open(ps_source_info *info, const ps_source_open_args *args, ps_source **out, ps_error *err);

/* Small things all parts use. */
ps_status psi_path_dir(const char *path, char **out, ps_error *err);
ps_status psi_texts_add(psi_texts *texts, const char *text, ps_error *err);
bool psi_texts_has(const psi_texts *texts, const char *text, size_t n_bytes);
int psi_file_order(const void *a, const void *b); /* ps_file_info by path */
#endif
