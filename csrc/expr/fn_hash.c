/*
 * expr/fn_hash.c - hash, xxhash64, digests, checksums, base64.
 *
 * hash() and xxhash64() go over the columns from left to right, the hash so far being the seed of the next value; NULLs
 * leave it as it is.  Structs and arrays are their parts, one after the other.
 */
#include "base/hash.h"
#include "expr/digest.h"
#include "expr/fn_args.h"
#include "expr/fn_int.h"
#include <zlib.h>

/* --- hash and xxhash64 --------------------------------------------------------------------------------------------------- */
static uint64_t hash_int(bool wide, int32_t value, uint64_t seed)
{
    return wide ? ps_xxh64_int(value, seed) : ps_murmur3_int(value, (uint32_t)seed);
}
static uint64_t hash_long(bool wide, int64_t value, uint64_t seed)
{
    return wide ? ps_xxh64_long(value, seed) : ps_murmur3_long(value, (uint32_t)seed);
}
static uint64_t hash_data(bool wide, const void *data, size_t n_bytes, uint64_t seed)
{
    return wide ? ps_xxh64_bytes(data, n_bytes, seed) : ps_murmur3_bytes(data, n_bytes, (uint32_t)seed);
}

/* Of more than 18 digits: the bytes of a BigInteger, as few as hold the sign, the highest first. */
static uint64_t hash_decimal(bool wide, const ps_type *type, __int128 value, uint64_t seed)
{
    uint8_t bytes[16];
    int n = 16;

    if (type->precision <= 18)
        return hash_long(wide, (int64_t)value, seed);
    for (int i = 0; i < 16; i++)
        bytes[i] = (uint8_t)((unsigned __int128)value >> (8 * (15 - i)));
    while (n > 1 && ((bytes[16 - n] == 0 && bytes[17 - n] < 0x80) || (bytes[16 - n] == 0xff && bytes[17 - n] >= 0x80)))
        n--;
    return hash_data(wide, bytes + (16 - n), (size_t)n, seed);
}

static uint64_t hash_double(bool wide, double value, uint64_t seed)
{
    int64_t bits;

    value = value == 0 ? 0 : value != value ? __builtin_nan("") : value;
    memcpy(&bits, &value, sizeof bits);
    return hash_long(wide, value != value ? 0x7ff8000000000000ll : bits, seed);
}

static uint64_t hash_float(bool wide, float value, uint64_t seed)
{
    int32_t bits;

    value = value == 0 ? 0 : value;
    memcpy(&bits, &value, sizeof bits);
    return hash_int(wide, value != value ? 0x7fc00000 : bits, seed);
}

static uint64_t hash_value(bool wide, const ps_vec *vec, int64_t row, uint64_t seed);

static uint64_t hash_nested(bool wide, const ps_view *view, int64_t at, uint64_t seed)
{
    const ps_vec *base = view->base;
    ps_span span;

    if (base->type->kind == PS_STRUCT) {
        for (int i = 0; i < base->n_children; i++)
            seed = hash_value(wide, base->children[i], at, seed);
        return seed;
    }
    span = ((const ps_span *)view->data)[at];
    for (int64_t k = span.start; k < (int64_t)span.start + span.n; k++)
        for (int i = 0; i < base->n_children; i++)
            seed = hash_value(wide, base->children[i], k, seed);
    return seed;
}

static uint64_t hash_at(bool wide, const ps_view *view, int64_t at, uint64_t seed)
{
    const void *data = view->data;
    const ps_str *text;
    const ps_calendar *calendar;

    switch (view->base->type->kind) {
    case PS_NULL:
        return seed;
    case PS_BOOL:
        return hash_int(wide, ((const uint8_t *)data)[at], seed);
    case PS_INT8:
        return hash_int(wide, ((const int8_t *)data)[at], seed);
    case PS_INT16:
        return hash_int(wide, ((const int16_t *)data)[at], seed);
    case PS_INT32:
    case PS_DATE:
    case PS_YEARMONTH:
        return hash_int(wide, ((const int32_t *)data)[at], seed);
    case PS_INT64:
    case PS_TIMESTAMP:
    case PS_TIMESTAMP_NTZ:
    case PS_DAYTIME:
        return hash_long(wide, ((const int64_t *)data)[at], seed);
    case PS_FLOAT:
        return hash_float(wide, ((const float *)data)[at], seed);
    case PS_DOUBLE:
        return hash_double(wide, ((const double *)data)[at], seed);
    case PS_DECIMAL:
        return hash_decimal(wide, view->base->type, ((const __int128 *)data)[at], seed);
    case PS_STRING:
    case PS_BINARY:
        text = &((const ps_str *)data)[at];
        return hash_data(wide, ps_str_data(text), text->n_bytes, seed);
    case PS_CALENDAR:
        calendar = &((const ps_calendar *)data)[at];
        return hash_int(wide, calendar->months, hash_int(wide, calendar->days, hash_long(wide, calendar->micros, seed)));
    default:
        return hash_nested(wide, view, at, seed);
    }
}

static uint64_t hash_value(bool wide, const ps_vec *vec, int64_t row, uint64_t seed)
{
    ps_view view;

    ps_view_init(&view, vec);
    return ps_view_is_null(&view, row) ? seed : hash_at(wide, &view, ps_at(&view, row), seed);
}

uint64_t psi_xxh64_at(const ps_view *view, int64_t at, uint64_t seed)
{
    return hash_at(true, view, at, seed);
}

static ps_status hash_columns(ps_fn_run *run, bool wide, ps_vec **out, ps_error *err)
{
    ps_vec *vec;

    PS_TRY(ps_vec_new(run->type, run->rows->n_rows, false, &vec, err));
    for (int k = -1; k < run->n_args; k++) {
        ps_view view;
        if (k >= 0)
            ps_view_init(&view, run->args[k]);
        PS_EACH_ROW(run->rows, i) {
            uint64_t seed = wide ? ((uint64_t *)vec->data)[i] : ((uint32_t *)vec->data)[i];
            if (k < 0)
                seed = 42;
            else if (!ps_view_is_null(&view, i) && view.base->type->kind != PS_NULL)
                seed = hash_at(wide, &view, ps_at(&view, i), seed);
            if (wide)
                ((uint64_t *)vec->data)[i] = seed;
            else
                ((uint32_t *)vec->data)[i] = (uint32_t)seed;
        }
    }
    *out = vec;
    return PS_OK;
}
ps_status psi_hash(ps_fn_run *run, ps_vec **out, ps_error *err);
ps_status psi_hash(ps_fn_run *run, ps_vec **out, ps_error *err) { return hash_columns(run, false, out, err); }
ps_status psi_xxhash64(ps_fn_run *run, ps_vec **out, ps_error *err);
ps_status psi_xxhash64(ps_fn_run *run, ps_vec **out, ps_error *err) { return hash_columns(run, true, out, err); }

static bool has_map(const ps_type *type)
{
    bool found = type->kind == PS_MAP;

    for (int i = 0; i < type->n_fields; i++)
        found |= has_map(type->fields[i].type);
    return found;
}

ps_status psi_bind_hash(ps_fn_call *call, ps_error *err);
ps_status psi_bind_hash(ps_fn_call *call, ps_error *err)
{
    ps_bytes text = {0};
    ps_status rc = PS_OK;

    for (int i = 0; i < call->n_args && rc == PS_OK; i++) {
        if (!has_map(call->args[i]->type))
            continue;
        rc = ps_fn_call_text(call, &text, err);
        if (rc == PS_OK)
            rc = ps_raise(err, PS_E_DT_HASH_MAP, text.data, call->name);
    }
    ps_bytes_clear(&text);
    return rc;
}

/* --- digests ---------------------------------------------------------------------------------------------------------------- */
static ps_status append_hex(const uint8_t *bytes, int n, ps_bytes *out, ps_error *err)
{
    PS_TRY(ps_bytes_reserve(out, (size_t)n * 2, err));
    for (int i = 0; i < n; i++) {
        out->data[out->n_bytes++] = "0123456789abcdef"[bytes[i] >> 4];
        out->data[out->n_bytes++] = "0123456789abcdef"[bytes[i] & 15];
    }
    return PS_OK;
}

PS_KERNEL_TEXT_1(md5, ps_str)
{
    uint8_t digest[PSI_DIGEST_MAX];

    return append_hex(digest, psi_digest_md5(ps_str_slice(&x), digest), out, err);
}

PS_KERNEL_TEXT_1(sha1, ps_str)
{
    uint8_t digest[PSI_DIGEST_MAX];

    return append_hex(digest, psi_digest_sha1(ps_str_slice(&x), digest), out, err);
}

PS_KERNEL_TEXT_2(sha2, ps_str, int32_t)
{
    uint8_t digest[PSI_DIGEST_MAX];
    int n = 0;

    if (y == 0 || y == 224 || y == 256)
        n = psi_digest_sha256(ps_str_slice(&x), y == 224, digest);
    else if (y == 384 || y == 512)
        n = psi_digest_sha512(ps_str_slice(&x), y == 384, digest);
    *null = n == 0;
    return append_hex(digest, n, out, err);
}

PS_KERNEL_1(crc32, ps_str, int64_t)
{
    *out = (int64_t)crc32(0, (const Bytef *)ps_str_data(&x), x.n_bytes);
    return PS_OK;
}

/* --- base64 -------------------------------------------------------------------------------------------------------------------- */
static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

PS_KERNEL_TEXT_1(base64, ps_str)
{
    const uint8_t *p = (const uint8_t *)ps_str_data(&x);
    char *to;

    PS_TRY(ps_bytes_reserve(out, ((size_t)x.n_bytes + 2) / 3 * 4, err));
    to = out->data;
    for (uint32_t i = 0; i < x.n_bytes; i += 3) {
        uint32_t left = x.n_bytes - i;
        uint32_t word = (uint32_t)p[i] << 16 | (left > 1 ? (uint32_t)p[i + 1] << 8 : 0) | (left > 2 ? p[i + 2] : 0);
        *to++ = base64_digits[word >> 18];
        *to++ = base64_digits[word >> 12 & 63];
        *to++ = left > 1 ? base64_digits[word >> 6 & 63] : '=';
        *to++ = left > 2 ? base64_digits[word & 63] : '=';
    }
    out->n_bytes = ((size_t)x.n_bytes + 2) / 3 * 4;
    return PS_OK;
}

/* As java's MIME decoder: what is no digit is passed over, '=' ends. */
PS_KERNEL_TEXT_1(unbase64, ps_str)
{
    ps_slice text = ps_str_slice(&x);
    uint32_t word = 0;
    int n = 0;

    for (size_t i = 0; i < text.n_bytes && text.data[i] != '='; i++) {
        const char *digit = text.data[i] ? strchr(base64_digits, text.data[i]) : NULL;
        if (!digit)
            continue;
        word = word << 6 | (uint32_t)(digit - base64_digits);
        if (++n % 4 == 0) {
            char bytes[3] = {(char)(word >> 16), (char)(word >> 8), (char)word};
            PS_TRY(ps_bytes_append(out, bytes, 3, err));
            word = 0;
        }
    }
    if (n % 4 == 2)
        return ps_bytes_char(out, (char)(word >> 4), err);
    if (n % 4 == 3) {
        PS_TRY(ps_bytes_char(out, (char)(word >> 10), err));
        return ps_bytes_char(out, (char)(word >> 2), err);
    }
    return PS_OK;
}
