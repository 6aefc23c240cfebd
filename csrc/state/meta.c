/*
 * state/meta.c - what a store is made of, beside its files:
 * {"format":1,"hash":"mum1","seed":0,"shardBits":4,...}.
 *
 * Names of columns do not matter, types and their order do; of values, the functions and the
 * layouts of their buffers.
 */
#include "base/json.h"
#include "col/type_text.h"
#include "state/store_int.h"
#include <stdio.h>

#define FORMAT 1

static ps_status key_text(const ps_family *family, ps_bytes *out, ps_error *err)
{
    const ps_key *key = &family->layout->key;

    for (int i = 0; i < key->n_types; i++) {
        if (i > 0)
            PS_TRY(ps_bytes_char(out, ',', err));
        PS_TRY(ps_type_simple_text(key->types[i], out, err));
    }
    return ps_bytes_text(out, "", err);
}

static ps_status family_text(const ps_family *family, ps_bytes *out, ps_error *err)
{
    ps_bytes key = {0};
    ps_status rc;

    PS_TRY_OR(done, key_text(family, &key, err));
    PS_TRY_OR(done, ps_bytes_text(out, "{\"name\":", err));
    PS_TRY_OR(done, ps_bytes_json_string(out, ps_slice_of(family->name), err));
    PS_TRY_OR(done, ps_bytes_text(out, ",\"key\":", err));
    PS_TRY_OR(done, ps_bytes_json_string(out, ps_bytes_slice(&key), err));
    PS_TRY_OR(done, ps_bytes_text(out, ",\"value\":", err));
    PS_TRY_OR(done, ps_bytes_json_string(out, ps_slice_of(family->schema), err));
    rc = ps_bytes_char(out, '}', err);
done:
    ps_bytes_clear(&key);
    return rc;
}

ps_status psi_meta_write(ps_store *store, ps_error *err)
{
    ps_bytes text = {0};
    char *path = NULL;
    ps_status rc;

    PS_TRY_OR(done, ps_path_join(store->options.dir, "meta", &path, err));
    PS_TRY_OR(done, ps_bytes_printf(&text, err, "{\"format\":%d,\"operator\":", FORMAT));
    PS_TRY_OR(done, ps_bytes_json_string(&text, ps_slice_of(store->options.owner), err));
    PS_TRY_OR(done,
              ps_bytes_printf(&text, err,
                              ",\"hash\":\"mum1\",\"seed\":%lld,\"shardBits\":%d,\"families\":[",
                              (long long)store->options.seed, store->options.shard_bits));
    for (int f = 0; f < store->n_families; f++) {
        if (f > 0)
            PS_TRY_OR(done, ps_bytes_char(&text, ',', err));
        PS_TRY_OR(done, family_text(&store->families[f], &text, err));
    }
    PS_TRY_OR(done, ps_bytes_text(&text, "]}", err));
    rc = ps_fs_write_atomic(store->options.fs, path, text.data, text.n_bytes, false,
                            store->options.sync, err);
done:
    ps_bytes_clear(&text);
    ps_free(path);
    return rc;
}

static const char *text_of(const ps_json *object, const char *key)
{
    const ps_json *node = ps_json_get(object, key);

    return node && node->kind == PS_JSON_TEXT ? node->text.data : "";
}

static ps_status check_family(const ps_family *family, const ps_json *node, ps_error *err)
{
    ps_bytes key = {0};
    ps_status rc = key_text(family, &key, err);

    if (rc == PS_OK && strcmp(key.data ? key.data : "", text_of(node, "key")) != 0)
        rc = ps_raise(err, PS_E_STATE_KEY_SCHEMA, text_of(node, "key"), key.data ? key.data : "");
    if (rc == PS_OK && strcmp(family->schema, text_of(node, "value")) != 0)
        rc = ps_raise(err, PS_E_STATE_VALUE_SCHEMA, text_of(node, "value"), family->schema);
    ps_bytes_clear(&key);
    return rc;
}

static ps_status apply(ps_store *store, const ps_json *root, const char *path, ps_error *err)
{
    const ps_json *families = ps_json_get(root, "families"),
                  *node = families ? families->first : NULL;
    int64_t format, seed, shard_bits;

    if (!ps_json_int(ps_json_get(root, "format"), &format))
        return ps_raise(err, PS_E_STATE_CORRUPT, path);
    if (format > FORMAT || strcmp(text_of(root, "hash"), "mum1") != 0)
        return ps_raise(err, PS_E_STATE_FORMAT, path);
    if (!ps_json_int(ps_json_get(root, "seed"), &seed) ||
        !ps_json_int(ps_json_get(root, "shardBits"), &shard_bits) || shard_bits < 0 ||
        shard_bits > 12)
        return ps_raise(err, PS_E_STATE_CORRUPT, path);
    for (int f = 0; f < store->n_families; f++, node = node->next) {
        if (node == NULL || strcmp(text_of(node, "name"), store->families[f].name) != 0)
            return ps_raise(err, PS_E_STATE_CORRUPT, path);
        PS_TRY(check_family(&store->families[f], node, err));
    }
    store->options.seed = (uint64_t)seed;
    if (shard_bits != store->options.shard_bits)
        return psi_shards_make(store, (int)shard_bits, err);
    return PS_OK;
}

ps_status psi_meta_read(ps_store *store, ps_error *err)
{
    ps_arena arena = {0};
    ps_bytes text = {0};
    ps_json *root;
    char *path = NULL;
    ps_status rc;

    PS_TRY_OR(done, ps_path_join(store->options.dir, "meta", &path, err));
    rc = ps_fs_read_all(store->options.fs, path, &text, err);
    if (rc == PS_E_FILE_NOT_FOUND)
        rc = ps_raise(err, PS_E_STATE_VERSION_MISSING, path, store->options.owner, path);
    PS_TRY_OR(done, rc);
    rc = ps_json_parse(ps_bytes_slice(&text), &arena, &root, err);
    if (rc == PS_E_BAD_JSON)
        rc = ps_raise(err, PS_E_STATE_CORRUPT, path);
    PS_TRY_OR(done, rc);
    rc = apply(store, root, path, err);
done:
    ps_arena_clear(&arena);
    ps_bytes_clear(&text);
    ps_free(path);
    return rc;
}
