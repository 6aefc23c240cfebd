/*
 * base/fs.c - the operations on files.
 */
#include "base/fs_int.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct ps_fs {
    bool faulty;
    int64_t fail_at;         /* the first mutation that fails, from 1; 0: none */
    _Atomic int64_t n_mutations;
};

struct ps_file {
    ps_fs *fs;
    char *path;
    int fd;
    int64_t n_written; /* of a recycled file: where it will end; -1: the file was made new */
    struct ps_file *next_lock; /* in the list of held locks */
    bool is_lock;
};

static ps_fs local_fs;

ps_fs *ps_fs_local(void)
{
    return &local_fs;
}

ps_status ps_fs_faulty_new(int64_t fail_at, ps_fs **out, ps_error *err)
{
    ps_fs *fs;

    *out = NULL;
    PS_TRY(ps_alloc0(sizeof *fs, &fs, err));
    fs->faulty = true;
    fs->fail_at = fail_at;
    *out = fs;
    return PS_OK;
}

int64_t ps_fs_faulty_count(const ps_fs *fs)
{
    return atomic_load(&((ps_fs *)fs)->n_mutations);
}

void ps_fs_free(ps_fs *fs)
{
    if (fs != NULL && fs->faulty)
        ps_free(fs);
}

ps_status psi_fs_raise(ps_error *err, const char *verb, const char *path)
{
    char text[128];
    int number = errno;

    if (number == ENOENT)
        return ps_raise(err, PS_E_FILE_NOT_FOUND, path);
    if (number == EEXIST)
        return ps_raise(err, PS_E_FILE_EXISTS, path);
    return ps_raise(err, PS_E_IO, verb, path, strerror_r(number, text, sizeof text));
}

ps_status psi_fs_mutation(ps_fs *fs, const char *verb, const char *path, ps_error *err)
{
    if (PS_LIKELY(!fs->faulty))
        return PS_OK;
    int64_t n = atomic_fetch_add(&fs->n_mutations, 1) + 1;
    if (fs->fail_at > 0 && n >= fs->fail_at)
        return ps_raise(err, PS_E_IO, verb, path, "the disk of this test is broken");
    return PS_OK;
}

/* ---- open files ---- */

static ps_status open_file(ps_fs *fs, const char *path, int flags, const char *verb, ps_file **out, ps_error *err)
{
    ps_file *file;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_alloc0(sizeof *file, &file, err));
    file->fs = fs;
    file->fd = file->n_written = -1;
    PS_TRY_OR(fail, ps_strdup(path, &file->path, err));
    do {
        file->fd = open(path, flags | O_CLOEXEC, 0666);
    } while (file->fd < 0 && errno == EINTR);
    if (file->fd < 0) {
        rc = psi_fs_raise(err, verb, path);
        goto fail;
    }
    *out = file;
    return PS_OK;
fail:
    ps_free(file->path);
    ps_free(file);
    return rc;
}

ps_status ps_fs_open_read(ps_fs *fs, const char *path, ps_file **out, ps_error *err)
{
    return open_file(fs, path, O_RDONLY, "open", out, err);
}

ps_status ps_fs_create(ps_fs *fs, const char *path, ps_file **out, ps_error *err)
{
    *out = NULL;
    PS_TRY(psi_fs_mutation(fs, "create", path, err));
    return open_file(fs, path, O_WRONLY | O_CREAT | O_TRUNC, "create", out, err);
}

ps_status ps_fs_recycle(ps_fs *fs, const char *spare, const char *path, ps_file **out, ps_error *err)
{
    struct stat st;

    *out = NULL;
    PS_TRY(psi_fs_mutation(fs, "rename", spare, err));
    if (rename(spare, path) != 0 || open_file(fs, path, O_WRONLY, "create", out, NULL) != PS_OK)
        return ps_fs_create(fs, path, out, err);
    if (fstat((*out)->fd, &st) != 0 || st.st_nlink != 1) {
        ps_file_close(*out, NULL);
        *out = NULL;
        if (unlink(path) != 0)
            return psi_fs_raise(err, "remove", path);
        return ps_fs_create(fs, path, out, err);
    }
    (*out)->n_written = 0;
    return PS_OK;
}

ps_status ps_file_read(ps_file *file, void *data, size_t n_bytes, size_t *n_read, ps_error *err)
{
    ssize_t n;

    *n_read = 0;
    do {
        n = read(file->fd, data, n_bytes < (1u << 30) ? n_bytes : 1u << 30);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return psi_fs_raise(err, "read", file->path);
    *n_read = (size_t)n;
    return PS_OK;
}

static ps_status write_all(ps_file *file, const char *data, size_t n_bytes, ps_error *err)
{
    while (n_bytes > 0) {
        ssize_t n = write(file->fd, data, n_bytes < (1u << 30) ? n_bytes : 1u << 30);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return psi_fs_raise(err, "write", file->path);
        data += n;
        n_bytes -= (size_t)n;
        if (file->n_written >= 0)
            file->n_written += n;
    }
    return PS_OK;
}

/* A recycled file ends where writing ended.  Not truncated before: some file systems take an emptied file that is written
 * again for one to be saved at once. */
static ps_status cut(ps_file *file, ps_error *err)
{
    if (file->n_written >= 0 && ftruncate(file->fd, file->n_written) != 0)
        return psi_fs_raise(err, "truncate", file->path);
    return PS_OK;
}

ps_status ps_file_write(ps_file *file, const void *data, size_t n_bytes, ps_error *err)
{
    ps_status rc = psi_fs_mutation(file->fs, "write", file->path, err);

    if (rc != PS_OK) {
        write_all(file, data, n_bytes / 2, NULL); /* a full disk leaves a part */
        return rc;
    }
    return write_all(file, data, n_bytes, err);
}

ps_status ps_file_sync(ps_file *file, ps_error *err)
{
    PS_TRY(psi_fs_mutation(file->fs, "sync", file->path, err));
    PS_TRY(cut(file, err));
    if (fsync(file->fd) != 0)
        return psi_fs_raise(err, "sync", file->path);
    return PS_OK;
}

/* ---- locks: a forked child must not keep its parent's ---- */

static pthread_mutex_t locks_mutex = PTHREAD_MUTEX_INITIALIZER;
static ps_file *locks;

static void before_fork(void)
{
    pthread_mutex_lock(&locks_mutex);
}

static void after_fork_in_parent(void)
{
    pthread_mutex_unlock(&locks_mutex);
}

/* Closing this copy of the descriptor leaves the parent's lock as it is. */
static void after_fork_in_child(void)
{
    for (ps_file *file = locks; file != NULL; file = file->next_lock) {
        close(file->fd);
        file->fd = -1;
        file->is_lock = false;
    }
    locks = NULL;
    pthread_mutex_init(&locks_mutex, NULL);
}

static void register_fork_handlers(void)
{
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

static void list_lock(ps_file *file)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, register_fork_handlers);
    pthread_mutex_lock(&locks_mutex);
    file->is_lock = true;
    file->next_lock = locks;
    locks = file;
    pthread_mutex_unlock(&locks_mutex);
}

static void unlist_lock(ps_file *file)
{
    ps_file **link = &locks;

    pthread_mutex_lock(&locks_mutex);
    while (*link != NULL && *link != file)
        link = &(*link)->next_lock;
    if (*link == file)
        *link = file->next_lock;
    pthread_mutex_unlock(&locks_mutex);
}

ps_status ps_fs_lock_dir(ps_fs *fs, const char *dir, ps_file **out, bool *held, ps_error *err)
{
    ps_file *file;
    char *path;
    ps_status rc;

    *out = NULL;
    *held = false;
    PS_TRY(ps_path_join(dir, ".pystream.lock", &path, err));
    rc = open_file(fs, path, O_RDWR | O_CREAT, "lock", &file, err);
    ps_free(path);
    PS_TRY(rc);
    if (flock(file->fd, LOCK_EX | LOCK_NB) != 0) {
        bool taken = errno == EWOULDBLOCK;
        if (!taken)
            rc = psi_fs_raise(err, "lock", file->path);
        ps_file_close(file, NULL);
        return rc;
    }
    list_lock(file);
    *out = file;
    *held = true;
    return PS_OK;
}

ps_status ps_file_close(ps_file *file, ps_error *err)
{
    ps_status rc = PS_OK;

    if (file == NULL)
        return PS_OK;
    if (file->is_lock) {
        unlist_lock(file);
        flock(file->fd, LOCK_UN); /* now, even if a child that was just forked has not closed its copy yet */
    }
    if (file->fd >= 0) {
        rc = cut(file, err);
        if (close(file->fd) != 0 && errno != EINTR && rc == PS_OK)
            rc = psi_fs_raise(err, "close", file->path);
    }
    ps_free(file->path);
    ps_free(file);
    return rc;
}

/* ---- looking ---- */

static void describe(const struct stat *st, ps_file_info *out)
{
    out->path = NULL;
    out->n_bytes = st->st_size;
    out->mtime_ms = (int64_t)st->st_mtim.tv_sec * 1000 + st->st_mtim.tv_nsec / 1000000;
    out->is_dir = S_ISDIR(st->st_mode);
}

ps_status ps_fs_stat(ps_fs *fs, const char *path, ps_file_info *out, bool *exists, ps_error *err)
{
    struct stat st;

    PS_UNUSED(fs);
    *out = (ps_file_info){0};
    *exists = false;
    if (stat(path, &st) != 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            return PS_OK;
        return psi_fs_raise(err, "stat", path);
    }
    *exists = true;
    describe(&st, out);
    return PS_OK;
}

static ps_status add_entry(DIR *handle, const char *dir, const char *name, ps_file_list *out, ps_error *err)
{
    ps_file_info info;
    struct stat st;
    ps_status rc;

    if (fstatat(dirfd(handle), name, &st, 0) != 0) {
        /* It vanished meanwhile, or is a link to nothing. */
        return errno == ENOENT || errno == ELOOP ? PS_OK : psi_fs_raise(err, "stat", name);
    }
    describe(&st, &info);
    PS_TRY(ps_path_join(dir, name, &info.path, err));
    rc = PS_PUSH(out, info, err);
    if (rc != PS_OK)
        ps_free(info.path);
    return rc;
}

ps_status ps_fs_list(ps_fs *fs, const char *dir, ps_file_list *out, ps_error *err)
{
    DIR *handle = opendir(dir); /* close-on-exec, by POSIX */
    struct dirent *entry;
    ps_status rc = PS_OK;

    PS_UNUSED(fs);
    if (handle == NULL)
        return errno == ENOENT ? PS_OK : psi_fs_raise(err, "list", dir);
    for (;;) {
        errno = 0;
        if ((entry = readdir(handle)) == NULL) {
            if (errno != 0)
                rc = psi_fs_raise(err, "list", dir);
            break;
        }
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if ((rc = add_entry(handle, dir, entry->d_name, out, err)) != PS_OK)
            break;
    }
    closedir(handle);
    return rc;
}

void ps_file_list_clear(ps_file_list *list)
{
    for (int i = 0; i < list->n; i++)
        ps_free(list->items[i].path);
    ps_free(list->items);
    *list = (ps_file_list){0};
}

/* ---- names ---- */

ps_status ps_fs_rename(ps_fs *fs, const char *from, const char *to, ps_error *err)
{
    PS_TRY(psi_fs_mutation(fs, "rename", from, err));
    if (rename(from, to) != 0)
        return psi_fs_raise(err, "rename", from);
    return PS_OK;
}

ps_status psi_fs_rename_new(ps_fs *fs, const char *from, const char *to, ps_error *err)
{
    PS_TRY(psi_fs_mutation(fs, "rename", from, err));
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return PS_OK;
    if (errno == ENOSYS || errno == EINVAL) { /* a file system that cannot: a second name, then drop the first */
        if (link(from, to) == 0) {
            unlink(from);
            return PS_OK;
        }
    }
    return psi_fs_raise(err, "rename", errno == EEXIST ? to : from);
}

/* Hadoop's checksum of the old file would keep it from making a new one. */
static ps_status remove_checksum(const char *path, ps_error *err)
{
    const char *name = ps_path_name(path);
    ps_bytes crc = {0};
    ps_status rc;

    PS_TRY_OR(done, ps_bytes_append(&crc, path, (size_t)(name - path), err));
    PS_TRY_OR(done, ps_bytes_char(&crc, '.', err));
    PS_TRY_OR(done, ps_bytes_text(&crc, name, err));
    PS_TRY_OR(done, ps_bytes_text(&crc, ".crc", err));
    unlink(crc.data);
done:
    ps_bytes_clear(&crc);
    return rc;
}

ps_status ps_fs_remove(ps_fs *fs, const char *path, ps_error *err)
{
    PS_TRY(psi_fs_mutation(fs, "remove", path, err));
    if (unlink(path) != 0 && errno != ENOENT)
        return psi_fs_raise(err, "remove", path);
    return remove_checksum(path, err);
}

ps_status ps_fs_retire(ps_fs *fs, const char *path, const char *spare, bool *kept, ps_error *err)
{
    *kept = false;
    PS_TRY(psi_fs_mutation(fs, "remove", path, err));
    if (rename(path, spare) == 0)
        *kept = true;
    else if (errno != ENOENT)
        return psi_fs_raise(err, "remove", path);
    return remove_checksum(path, err);
}

ps_status ps_fs_sync_dir(ps_fs *fs, const char *dir, ps_error *err)
{
    ps_status rc = PS_OK;
    int fd;

    PS_TRY(psi_fs_mutation(fs, "sync", dir, err));
    fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return psi_fs_raise(err, "sync", dir);
    if (fsync(fd) != 0 && errno != EINVAL) /* EINVAL: a file system without it */
        rc = psi_fs_raise(err, "sync", dir);
    close(fd);
    return rc;
}
