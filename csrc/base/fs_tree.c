/*
 * base/fs_tree.c - directories, whole files, paths and their URIs.
 */
#include "base/fs_int.h"
#include "base/hash.h"
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- directories ---- */

static ps_status make_dir(ps_fs *fs, const char *dir, ps_error *err)
{
    struct stat st;

    if (stat(dir, &st) == 0) {
        if (S_ISDIR(st.st_mode))
            return PS_OK;
        return ps_raise(err, PS_E_IO, "make directory", dir, "a file of that name is there");
    }
    PS_TRY(psi_fs_mutation(fs, "make directory", dir, err));
    if (mkdir(dir, 0777) != 0 && errno != EEXIST)
        return psi_fs_raise(err, "make directory", dir);
    return PS_OK;
}

ps_status ps_fs_make_dirs(ps_fs *fs, const char *dir, ps_error *err)
{
    ps_status rc = PS_OK;
    char *copy;

    PS_TRY(ps_strdup(dir, &copy, err));
    for (char *p = copy + 1; rc == PS_OK && *copy != '\0'; p++) {
        char c = *p;
        if (c != '/' && c != '\0')
            continue;
        *p = '\0';
        rc = make_dir(fs, copy, err);
        *p = c;
        if (c == '\0')
            break;
    }
    ps_free(copy);
    return rc;
}

ps_status ps_fs_remove_tree(ps_fs *fs, const char *path, ps_error *err)
{
    ps_file_list list = {0};
    ps_status rc = PS_OK;
    struct stat st;

    if (lstat(path, &st) != 0)
        return errno == ENOENT ? PS_OK : psi_fs_raise(err, "remove", path);
    if (!S_ISDIR(st.st_mode)) {
        PS_TRY(psi_fs_mutation(fs, "remove", path, err));
        return unlink(path) == 0 || errno == ENOENT ? PS_OK : psi_fs_raise(err, "remove", path);
    }
    PS_TRY_OR(done, ps_fs_list(fs, path, &list, err));
    for (int i = 0; i < list.n; i++)
        PS_TRY_OR(done, ps_fs_remove_tree(fs, list.items[i].path, err));
    PS_TRY_OR(done, psi_fs_mutation(fs, "remove", path, err));
    if (rmdir(path) != 0 && errno != ENOENT)
        rc = psi_fs_raise(err, "remove", path);
done:
    ps_file_list_clear(&list);
    return rc;
}

/* ---- whole files ---- */

ps_status ps_fs_read_all(ps_fs *fs, const char *path, ps_bytes *out, ps_error *err)
{
    ps_file *file;
    ps_status rc;
    size_t n;

    PS_TRY(ps_fs_open_read(fs, path, &file, err));
    do {
        PS_TRY_OR(done, ps_bytes_reserve(out, out->n_bytes < 65536 ? 65536 : out->n_bytes, err));
        PS_TRY_OR(done, ps_file_read(file, out->data + out->n_bytes, out->capacity - out->n_bytes, &n, err));
        out->n_bytes += n;
        out->data[out->n_bytes] = '\0';
    } while (n > 0);
done:
    ps_file_close(file, NULL);
    return rc;
}

/* "<dir>/.<name>.<uuid>.tmp": hidden from everybody who lists. */
static ps_status temporary_path(const char *path, ps_bytes *out, ps_error *err)
{
    const char *name = ps_path_name(path);
    char uuid[37];

    ps_uuid_text(uuid);
    PS_TRY(ps_bytes_append(out, path, (size_t)(name - path), err));
    return ps_bytes_printf(out, err, ".%s.%s.tmp", name, uuid);
}

static ps_status write_file(ps_fs *fs, const char *spare, const char *path, ps_slice data, bool sync, ps_error *err)
{
    ps_file *file;
    ps_status rc;

    PS_TRY(spare ? ps_fs_recycle(fs, spare, path, &file, err) : ps_fs_create(fs, path, &file, err));
    PS_TRY_OR(fail, ps_file_write(file, data.data, data.n_bytes, err));
    if (sync)
        PS_TRY_OR(fail, ps_file_sync(file, err));
    return ps_file_close(file, err);
fail:
    ps_file_close(file, NULL);
    return rc;
}

static ps_status write_atomic(ps_fs *fs, const char *spare, const char *path, ps_slice data, bool exclusive, bool sync,
                              ps_error *err)
{
    ps_bytes temporary = {0};
    char *parent = NULL;
    ps_status rc;

    PS_TRY_OR(done, psi_path_parent(path, &parent, err));
    PS_TRY_OR(done, temporary_path(path, &temporary, err));
    rc = write_file(fs, spare, temporary.data, data, sync, err);
    if (rc == PS_OK) {
        rc = exclusive ? psi_fs_rename_new(fs, temporary.data, path, err)
                       : ps_fs_rename(fs, temporary.data, path, err);
    }
    if (rc != PS_OK)
        unlink(temporary.data);
    else if (sync)
        rc = ps_fs_sync_dir(fs, parent, err);
done:
    ps_bytes_clear(&temporary);
    ps_free(parent);
    return rc;
}

ps_status ps_fs_write_atomic(ps_fs *fs, const char *path, const void *data, size_t n_bytes, bool exclusive, bool sync,
                             ps_error *err)
{
    return write_atomic(fs, NULL, path, (ps_slice){data, n_bytes}, exclusive, sync, err);
}

ps_status ps_fs_write_recycled(ps_fs *fs, const char *spare, const char *path, ps_slice data, bool sync, ps_error *err)
{
    return write_atomic(fs, spare, path, data, true, sync, err);
}

/* ---- paths ---- */

const char *ps_path_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

ps_status psi_path_parent(const char *path, char **out, ps_error *err)
{
    const char *name = ps_path_name(path);
    size_t n = (size_t)(name - path);

    if (n == 0)
        return ps_strdup(".", out, err);
    return ps_strndup(path, n > 1 ? n - 1 : 1, out, err);
}

ps_status ps_path_join(const char *dir, const char *name, char **out, ps_error *err)
{
    size_t n_dir = strlen(dir), n_name;

    while (n_dir > 0 && dir[n_dir - 1] == '/')
        n_dir--;
    while (*name == '/')
        name++;
    n_name = strlen(name);
    *out = NULL;
    PS_TRY(ps_alloc(n_dir + n_name + 2, out, err));
    memcpy(*out, dir, n_dir);
    (*out)[n_dir] = '/';
    memcpy(*out + n_dir + 1, name, n_name + 1);
    return PS_OK;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The length of "scheme" in "scheme:/...", else 0. */
static size_t scheme_length(const char *uri)
{
    size_t n = 0;

    if (!is_letter(uri[0]))
        return 0;
    while (is_letter(uri[n]) || is_digit(uri[n]) || uri[n] == '+' || uri[n] == '-' || uri[n] == '.')
        n++;
    return uri[n] == ':' && (uri[n + 1] == '/' || (n == 4 && strncmp(uri, "file", 4) == 0)) ? n : 0;
}

static int hex_digit(char c)
{
    return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static void decode_percents(char *text)
{
    char *to = text;

    for (const char *p = text; *p != '\0'; p++) {
        int high = *p == '%' ? hex_digit(p[1]) : -1, low = high >= 0 ? hex_digit(p[2]) : -1;
        if (low >= 0 && high * 16 + low != 0) {
            *to++ = (char)(high * 16 + low);
            p += 2;
        } else {
            *to++ = *p;
        }
    }
    *to = '\0';
}

/* Removes empty and "." steps and lets ".." take one back, by the text alone. */
static void normalise(char *path)
{
    char *to = path;

    for (const char *p = path; *p != '\0';) {
        const char *step = p + strspn(p, "/");
        size_t n = strcspn(step, "/");
        p = step + n;
        if (n == 0 || (n == 1 && step[0] == '.'))
            continue;
        if (n == 2 && step[0] == '.' && step[1] == '.') {
            while (to > path && *--to != '/') {
            }
            continue;
        }
        *to++ = '/';
        memmove(to, step, n);
        to += n;
    }
    if (to == path)
        *to++ = '/';
    *to = '\0';
}

ps_status ps_path_from_uri(const char *uri, char **out, ps_error *err)
{
    size_t n_scheme = scheme_length(uri);
    const char *rest = uri + (n_scheme > 0 ? n_scheme + 1 : 0);
    char *text, directory[4096];
    ps_bytes path = {0};
    ps_status rc;

    *out = NULL;
    if (n_scheme > 0 && (n_scheme != 4 || strncmp(uri, "file", 4) != 0)) {
        PS_TRY(ps_strndup(uri, n_scheme, &text, err));
        rc = ps_raise(err, PS_E_NO_FILESYSTEM, text);
        ps_free(text);
        return rc;
    }
    if (n_scheme > 0 && rest[0] == '/' && rest[1] == '/')
        rest += 2; /* an empty authority */
    PS_TRY(ps_strdup(rest, &text, err));
    if (n_scheme > 0)
        decode_percents(text);
    if (text[0] != '/') {
        if (getcwd(directory, sizeof directory) == NULL) {
            rc = psi_fs_raise(err, "find", "the working directory");
            goto fail;
        }
        PS_TRY_OR(fail, ps_bytes_text(&path, directory, err));
        PS_TRY_OR(fail, ps_bytes_char(&path, '/', err));
    }
    PS_TRY_OR(fail, ps_bytes_text(&path, text, err));
    normalise(path.data);
    ps_free(text);
    *out = ps_bytes_take(&path);
    return PS_OK;
fail:
    ps_bytes_clear(&path);
    ps_free(text);
    return rc;
}

/* What java.net.URI leaves as it is in a path: letters, digits, some marks and all beyond ASCII that is neither
 * a control nor a space. */
static size_t plain_length(const unsigned char *p)
{
    static const char *const spaces[] = {"\xC2\xA0", "\xE1\x9A\x80", "\xE2\x80\xA8", "\xE2\x80\xA9",
                                         "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80"};

    if (*p < 0x80)
        return is_letter((char)*p) || is_digit((char)*p) || strchr("/_-!.~'()*,;:$&+=@", *p) != NULL ? 1 : 0;
    if (p[0] == 0xC2 && p[1] < 0xA0) /* C1 controls */
        return 0;
    if (p[0] == 0xE2 && p[1] == 0x80 && p[2] >= 0x80 && p[2] <= 0x8A) /* U+2000..U+200A */
        return 0;
    for (size_t i = 0; i < PS_COUNT_OF(spaces); i++) {
        if (strncmp((const char *)p, spaces[i], strlen(spaces[i])) == 0)
            return 0;
    }
    return p[0] >= 0xF0 && p[1] && p[2] && p[3] ? 4 : p[0] >= 0xE0 && p[1] && p[2] ? 3 : p[1] ? 2 : 1;
}

static size_t quoted_length(const unsigned char *p)
{
    size_t n = p[0] < 0x80 ? 1 : p[0] >= 0xE0 ? 3 : 2;
    return strnlen((const char *)p, n);
}

ps_status ps_path_to_uri(const char *path, bool slashes3, ps_bytes *out, ps_error *err)
{
    const unsigned char *p = (const unsigned char *)path;

    PS_TRY(ps_bytes_text(out, slashes3 ? "file://" : "file:", err));
    while (*p != '\0') {
        size_t n = plain_length(p);
        if (n > 0) {
            PS_TRY(ps_bytes_append(out, p, n, err));
            p += n;
            continue;
        }
        for (n = quoted_length(p); n > 0; n--)
            PS_TRY(ps_bytes_printf(out, err, "%%%02X", *p++));
    }
    return PS_OK;
}
