/*
 * op/counter.c - the durable number of a streaming limit.
 *
 * A version's file has 20 bytes: "PSCN", the format version and the value (little-endian), and their CRC-32C.
 */
#include "base/fs.h"
#include "base/hash.h"
#include "op/limit.h"
#include <inttypes.h>
#include <stdio.h>

#define COUNTER_BYTES 20
#define COUNTER_FORMAT 1

struct ps_counter {
    ps_fs *fs;
    char *dir;
    bool sync;
};

ps_status ps_counter_open(ps_fs *fs, const char *state_dir, int op_id, const char *operator_name, bool sync, ps_counter **out, ps_error *err)
{
    ps_counter *counter = NULL;
    char name[64];
    ps_status rc;

    *out = NULL;
    PS_UNUSED(operator_name);
    snprintf(name, sizeof name, "%d/pystream", op_id);
    PS_TRY(ps_alloc0(sizeof *counter, &counter, err));
    counter->fs = fs;
    counter->sync = sync;
    PS_TRY_OR(fail, ps_path_join(state_dir, name, &counter->dir, err));
    PS_TRY_OR(fail, ps_fs_make_dirs(fs, counter->dir, err));
    *out = counter;
    return PS_OK;
fail:
    ps_counter_close(counter);
    return rc;
}

void ps_counter_close(ps_counter *counter)
{
    if (!counter)
        return;
    ps_free(counter->dir);
    ps_free(counter);
}

static ps_status version_path(const ps_counter *counter, int64_t version, char **out, ps_error *err)
{
    char name[48];

    snprintf(name, sizeof name, "%" PRId64 ".count", version);
    return ps_path_join(counter->dir, name, out, err);
}

ps_status ps_counter_read(ps_counter *counter, int64_t version, int64_t *out, ps_error *err)
{
    ps_bytes bytes = {0};
    char *path = NULL;
    uint32_t format, crc;
    ps_status rc;

    PS_TRY(version_path(counter, version, &path, err));
    rc = ps_fs_read_all(counter->fs, path, &bytes, err);
    if (rc == PS_OK && bytes.n_bytes != COUNTER_BYTES)
        rc = ps_raise(err, PS_E_BAD_STATE_FILE, path, "it has the wrong length");
    if (rc == PS_OK) {
        memcpy(&format, bytes.data + 4, 4);
        memcpy(out, bytes.data + 8, 8);
        memcpy(&crc, bytes.data + 16, 4);
        if (memcmp(bytes.data, "PSCN", 4) != 0 || format != COUNTER_FORMAT)
            rc = ps_raise(err, PS_E_BAD_STATE_FILE, path, "it is of another format");
        else if (crc != ps_crc32c(0, bytes.data, 16))
            rc = ps_raise(err, PS_E_BAD_STATE_FILE, path, "its checksum does not fit");
    }
    ps_bytes_clear(&bytes);
    ps_free(path);
    return rc;
}

ps_status ps_counter_write(ps_counter *counter, int64_t version, int64_t value, ps_error *err)
{
    char bytes[COUNTER_BYTES] = "PSCN", *path = NULL;
    uint32_t format = COUNTER_FORMAT, crc;
    ps_status rc;

    memcpy(bytes + 4, &format, 4);
    memcpy(bytes + 8, &value, 8);
    crc = ps_crc32c(0, bytes, 16);
    memcpy(bytes + 16, &crc, 4);
    PS_TRY(version_path(counter, version, &path, err));
    rc = ps_fs_write_atomic(counter->fs, path, bytes, sizeof bytes, false, counter->sync, err);
    ps_free(path);
    return rc;
}
