/*
 * base/fs.h - files.  Everything the engine reads and writes goes through a ps_fs, so that a test can make
 * the nth operation fail.
 *
 * Paths are absolute local paths (ps_path_from_uri strips "file:").  Durable writes are: temporary file,
 * fsync, rename or link, fsync of the directory; `sync` false leaves the fsyncs out.
 * Descriptors are close-on-exec.  Functions are @thread any.
 */
#ifndef PS_BASE_FS_H
#define PS_BASE_FS_H
#include "base/bytes.h"

typedef struct ps_fs ps_fs;
typedef struct ps_file ps_file;

typedef struct ps_file_info {
    char *path;       /* owned */
    int64_t n_bytes;
    int64_t mtime_ms;
    bool is_dir;
} ps_file_info;
typedef struct ps_file_list {
    ps_file_info *items;
    int n, capacity;
} ps_file_list;

ps_fs *ps_fs_local(void);                                                     /* never freed */
ps_status ps_fs_faulty_new(int64_t fail_at, ps_fs **out, ps_error *err);      /* tests: the nth mutation fails, and all later ones */
int64_t ps_fs_faulty_count(const ps_fs *fs);                                  /* mutations so far */
void ps_fs_free(ps_fs *fs);                                                   /* no-op on the local one */

/* Reading.  Opening a missing file raises PS_E_FILE_NOT_FOUND. */
ps_status ps_fs_open_read(ps_fs *fs, const char *path, ps_file **out, ps_error *err);
ps_status ps_file_read(ps_file *file, void *data, size_t n_bytes, size_t *n_read, ps_error *err); /* 0 read = end */
ps_status ps_fs_read_all(ps_fs *fs, const char *path, ps_bytes *out, ps_error *err);
ps_status ps_fs_list(ps_fs *fs, const char *dir, ps_file_list *out, ps_error *err); /* unsorted, one level; missing dir = empty */
ps_status ps_fs_stat(ps_fs *fs, const char *path, ps_file_info *out, bool *exists, ps_error *err); /* out->path is not set */
void ps_file_list_clear(ps_file_list *list);

/* Writing. */
ps_status ps_fs_create(ps_fs *fs, const char *path, ps_file **out, ps_error *err); /* truncates; parents must exist */
/* The same out of `spare`, which goes, if that can be: see ps_fs_retire(). */
ps_status ps_fs_recycle(ps_fs *fs, const char *spare, const char *path, ps_file **out, ps_error *err);
ps_status ps_file_write(ps_file *file, const void *data, size_t n_bytes, ps_error *err);
ps_status ps_file_sync(ps_file *file, ps_error *err);
ps_status ps_file_close(ps_file *file, ps_error *err); /* frees file even on failure; accepts NULL */
ps_status ps_fs_make_dirs(ps_fs *fs, const char *dir, ps_error *err);
ps_status ps_fs_rename(ps_fs *fs, const char *from, const char *to, ps_error *err); /* overwrites */
ps_status ps_fs_remove(ps_fs *fs, const char *path, ps_error *err);                 /* a missing file is no error; also removes ".<name>.crc" beside it */
/* Like ps_fs_remove(), but the file goes on as `spare`, a hidden name in the same directory, to be recycled.  Who makes and
 * removes files at a steady pace saves time so: a file system must find and keep apart what was removed lately, and on
 * ext4 a new file costs ten times what an old one does.  *kept false: there was none. */
ps_status ps_fs_retire(ps_fs *fs, const char *path, const char *spare, bool *kept, ps_error *err);
ps_status ps_fs_remove_tree(ps_fs *fs, const char *path, ps_error *err);
ps_status ps_fs_sync_dir(ps_fs *fs, const char *dir, ps_error *err);

/* Makes `path` with these bytes, all or nothing.  exclusive: PS_E_FILE_EXISTS when it is there already. */
ps_status ps_fs_write_atomic(ps_fs *fs, const char *path, const void *data, size_t n_bytes, bool exclusive, bool sync, ps_error *err);
/* The same, always exclusive, out of `spare`, which goes (NULL: there is none). */
ps_status ps_fs_write_recycled(ps_fs *fs, const char *spare, const char *path, ps_slice data, bool sync, ps_error *err);

/* An advisory lock on a directory (flock on a hidden file), gone with the process.  *held false: another process has it. */
ps_status ps_fs_lock_dir(ps_fs *fs, const char *dir, ps_file **out, bool *held, ps_error *err);

/* Paths: join with one slash; "file:///a%20b" or "/a b" to "/a b"; absolute path to Spark's URI text "file:///a%20b". */
ps_status ps_path_join(const char *dir, const char *name, char **out, ps_error *err);
ps_status ps_path_from_uri(const char *uri, char **out, ps_error *err); /* relative ones are made absolute */
ps_status ps_path_to_uri(const char *path, bool slashes3, ps_bytes *out, ps_error *err); /* "file:///a" or "file:/a" */
const char *ps_path_name(const char *path);                             /* last component, borrowed */
#endif
