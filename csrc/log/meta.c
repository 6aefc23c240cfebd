/*
 * log/meta.c - the identity of a checkpoint.
 */
#include "log/meta.h"
#include "base/hash.h"
#include "log/seqlog.h"
#include <ctype.h>
#include <stdio.h>

/* 8-4-4-4-12 hexadecimal digits. */
static bool is_uuid(ps_slice text)
{
    for (size_t i = 0; i < text.n_bytes; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash ? text.data[i] != '-' : !isxdigit((unsigned char)text.data[i]))
            return false;
    }
    return text.n_bytes == 36;
}

static ps_status parse_id(ps_slice text, const char *path, char id[PS_QUERY_ID_SIZE], ps_error *err)
{
    ps_arena arena = {0};
    const ps_json *node;
    ps_json *root;
    ps_status rc = ps_json_parse(text, &arena, &root, err);

    if (rc == PS_OK) {
        node = ps_json_get(root, "id");
        if (node == NULL || node->kind != PS_JSON_TEXT || !is_uuid(node->text))
            rc = PS_E_BAD_JSON;
        else
            memcpy(id, node->text.data, node->text.n_bytes + 1);
    }
    if (rc == PS_E_BAD_JSON)
        rc = ps_raise(err, PS_E_META_DAMAGED, path);
    ps_arena_clear(&arena);
    return rc;
}

static ps_status has_entries(ps_fs *fs, const char *root, const char *name, bool *out, ps_error *err)
{
    ps_seqlog *log = NULL;
    int64_t last = -1;
    ps_status rc;
    char *dir;

    PS_TRY(ps_path_join(root, name, &dir, err));
    PS_TRY_OR(done, ps_seqlog_open(fs, dir, false, &log, err));
    PS_TRY_OR(done, ps_seqlog_range(log, NULL, &last, err));
    *out = *out || last >= 0;
done:
    ps_seqlog_close(log);
    ps_free(dir);
    return rc;
}

static ps_status make_id(ps_fs *fs, const char *root, const char *path, bool sync, bool verify,
                         char id[PS_QUERY_ID_SIZE], ps_error *err)
{
    bool used = false;
    char text[64];

    if (verify) {
        PS_TRY(has_entries(fs, root, "offsets", &used, err));
        PS_TRY(has_entries(fs, root, "commits", &used, err));
        if (used)
            return ps_raise(err, PS_E_META_MISSING, root);
    }
    PS_TRY(ps_fs_make_dirs(fs, root, err));
    ps_uuid_text(id);
    snprintf(text, sizeof text, "{\"id\":\"%s\"}", id);
    return ps_fs_write_atomic(fs, path, text, strlen(text), true, sync, err);
}

ps_status ps_meta_open(ps_fs *fs, const char *root, bool sync, bool verify, char id[PS_QUERY_ID_SIZE], ps_error *err)
{
    ps_bytes text = {0};
    char *path = NULL;
    ps_status rc;

    PS_TRY_OR(done, ps_path_join(root, "metadata", &path, err));
    rc = ps_fs_read_all(fs, path, &text, err);
    if (rc == PS_E_FILE_NOT_FOUND) {
        rc = make_id(fs, root, path, sync, verify, id, err);
        if (rc != PS_E_FILE_EXISTS)
            goto done;
        rc = ps_fs_read_all(fs, path, &text, err); /* another process was faster: it is the same query */
    }
    if (rc == PS_OK)
        rc = parse_id(ps_bytes_slice(&text), path, id, err);
done:
    ps_bytes_clear(&text);
    ps_free(path);
    return rc;
}

ps_status ps_meta_lock(ps_fs *fs, const char *root, ps_file **out, ps_error *err)
{
    bool held;

    PS_TRY(ps_fs_lock_dir(fs, root, out, &held, err));
    return held ? PS_OK : ps_raise(err, PS_E_LOG_IN_USE, root);
}
