/*
 * base/hash.c - hashing and checksums.
 */
#include "base/hash.h"
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "hashes and files are defined over little-endian words");

static uint64_t load64(const unsigned char *p)
{
    uint64_t x;
    memcpy(&x, p, 8);
    return x;
}

static uint32_t load32(const unsigned char *p)
{
    uint32_t x;
    memcpy(&x, p, 4);
    return x;
}

/* ---- our own: layout "mum1", never to change ---- */

#define K0 0xa0761d6478bd642full
#define K1 0xe7037ed1a0b428dbull
#define K2 0x8ebc6af09c88c6e3ull
#define K3 0x589965cc75374cc3ull

uint64_t ps_hash_bytes(const void *data, size_t n_bytes, uint64_t seed)
{
    const unsigned char *p = data;
    uint64_t a, b, h = seed ^ K0;
    size_t n = n_bytes;

    if (n > 32) {
        uint64_t g = h;
        for (; n > 32; n -= 32, p += 32) {
            h = ps_mum(load64(p) ^ K1, load64(p + 8) ^ h);
            g = ps_mum(load64(p + 16) ^ K2, load64(p + 24) ^ g);
        }
        h ^= g;
    }
    if (n > 16) {
        h = ps_mum(load64(p) ^ K1, load64(p + 8) ^ h);
        p += n - 16; /* the last 16 bytes, some of them for the second time */
        n = 16;
    }
    if (n >= 8) {
        a = load64(p);
        b = load64(p + n - 8);
    } else if (n >= 4) {
        a = load32(p);
        b = load32(p + n - 4);
    } else {
        a = n > 0 ? (uint64_t)p[0] << 16 | (uint64_t)p[n >> 1] << 8 | p[n - 1] : 0;
        b = 0;
    }
    return ps_mum(K3 ^ n_bytes, ps_mum(a ^ K1, b ^ h));
}

uint64_t ps_hash_seed(void)
{
    static _Atomic uint64_t seed;
    uint64_t now = atomic_load_explicit(&seed, memory_order_relaxed), fresh;

    if (now != 0)
        return now;
    ps_random_bytes(&fresh, sizeof fresh);
    fresh |= 1;
    /* Of several threads that come here first, one decides. */
    return atomic_compare_exchange_strong(&seed, &now, fresh) ? fresh : now;
}

/* ---- Spark's hash(): Murmur3_x86_32 ---- */

static uint32_t rotl32(uint32_t x, int n)
{
    return x << n | x >> (32 - n);
}

static uint32_t murmur_mix(uint32_t h, uint32_t k)
{
    h ^= rotl32(k * 0xcc9e2d51u, 15) * 0x1b873593u;
    return rotl32(h, 13) * 5 + 0xe6546b64u;
}

static uint32_t murmur_finish(uint32_t h, uint32_t n_bytes)
{
    h ^= n_bytes;
    h = (h ^ h >> 16) * 0x85ebca6bu;
    h = (h ^ h >> 13) * 0xc2b2ae35u;
    return h ^ h >> 16;
}

uint32_t ps_murmur3_int(int32_t value, uint32_t seed)
{
    return murmur_finish(murmur_mix(seed, (uint32_t)value), 4);
}

uint32_t ps_murmur3_long(int64_t value, uint32_t seed)
{
    uint32_t h = murmur_mix(seed, (uint32_t)value);
    return murmur_finish(murmur_mix(h, (uint32_t)((uint64_t)value >> 32)), 8);
}

/* Unlike the published function each byte of the tail is a full step of its own, sign-extended. */
uint32_t ps_murmur3_bytes(const void *data, size_t n_bytes, uint32_t seed)
{
    const unsigned char *p = data, *end = p + n_bytes, *words_end = p + (n_bytes & ~(size_t)3);
    uint32_t h = seed;

    for (; p < words_end; p += 4)
        h = murmur_mix(h, load32(p));
    for (; p < end; p++)
        h = murmur_mix(h, (uint32_t)(int32_t)(int8_t)*p);
    return murmur_finish(h, (uint32_t)n_bytes);
}

/* ---- Spark's xxhash64() ---- */

#define P1 0x9E3779B185EBCA87ull
#define P2 0xC2B2AE3D27D4EB4Full
#define P3 0x165667B19E3779F9ull
#define P4 0x85EBCA77C2B2AE63ull
#define P5 0x27D4EB2F165667C5ull

static uint64_t rotl64(uint64_t x, int n)
{
    return x << n | x >> (64 - n);
}

static uint64_t xxh_round(uint64_t acc, uint64_t word)
{
    return rotl64(acc + word * P2, 31) * P1;
}

static uint64_t xxh_finish(uint64_t h)
{
    h = (h ^ h >> 33) * P2;
    h = (h ^ h >> 29) * P3;
    return h ^ h >> 32;
}

static uint64_t xxh_step8(uint64_t h, uint64_t word)
{
    return rotl64(h ^ xxh_round(0, word), 27) * P1 + P4;
}

static uint64_t xxh_step4(uint64_t h, uint32_t word)
{
    return rotl64(h ^ word * P1, 23) * P2 + P3;
}

uint64_t ps_xxh64_int(int32_t value, uint64_t seed)
{
    return xxh_finish(xxh_step4(seed + P5 + 4, (uint32_t)value));
}

uint64_t ps_xxh64_long(int64_t value, uint64_t seed)
{
    return xxh_finish(xxh_step8(seed + P5 + 8, (uint64_t)value));
}

uint64_t ps_xxh64_bytes(const void *data, size_t n_bytes, uint64_t seed)
{
    const unsigned char *p = data, *end = p + n_bytes;
    uint64_t h = seed + P5;

    if (n_bytes >= 32) {
        uint64_t acc[4] = {seed + P1 + P2, seed + P2, seed, seed - P1};
        for (; end - p >= 32; p += 32) {
            for (int i = 0; i < 4; i++)
                acc[i] = xxh_round(acc[i], load64(p + 8 * i));
        }
        h = rotl64(acc[0], 1) + rotl64(acc[1], 7) + rotl64(acc[2], 12) + rotl64(acc[3], 18);
        for (int i = 0; i < 4; i++)
            h = (h ^ xxh_round(0, acc[i])) * P1 + P4;
    }
    h += n_bytes;
    for (; end - p >= 8; p += 8)
        h = xxh_step8(h, load64(p));
    if (end - p >= 4) {
        h = xxh_step4(h, load32(p));
        p += 4;
    }
    for (; p < end; p++)
        h = rotl64(h ^ *p * P5, 11) * P1;
    return xxh_finish(h);
}

/* ---- CRC-32C ---- */

static uint32_t crc_portable(uint32_t crc, const unsigned char *p, size_t n)
{
    static const uint32_t half_bytes[16] = {
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
        0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75};

    for (; n > 0; n--) {
        crc ^= *p++;
        crc = crc >> 4 ^ half_bytes[crc & 15];
        crc = crc >> 4 ^ half_bytes[crc & 15];
    }
    return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc_sse42(uint32_t crc, const unsigned char *p, size_t n)
{
    uint64_t wide = crc;

    for (; n >= 8; n -= 8, p += 8)
        wide = _mm_crc32_u64(wide, load64(p));
    crc = (uint32_t)wide;
    for (; n > 0; n--)
        crc = _mm_crc32_u8(crc, *p++);
    return crc;
}
#endif

uint32_t ps_crc32c(uint32_t crc, const void *data, size_t n_bytes)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2"))
        return ~crc_sse42(~crc, data, n_bytes);
#endif
    return ~crc_portable(~crc, data, n_bytes);
}

/* ---- randomness ---- */

void ps_random_bytes(void *out, size_t n_bytes)
{
    unsigned char *p = out;

    while (n_bytes > 0) {
        ssize_t n = getrandom(p, n_bytes < 256 ? n_bytes : 256, 0);
        if (n <= 0)
            break;
        p += n;
        n_bytes -= (size_t)n;
    }
    /* Only a kernel without getrandom() leaves something to do. */
    for (uint64_t x = 0; n_bytes > 0; n_bytes--) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        x = ps_hash_u64((uint64_t)now.tv_nsec ^ x, (uint64_t)getpid() ^ (uint64_t)now.tv_sec ^ (uintptr_t)p);
        *p++ = (unsigned char)(x >> 32);
    }
}

void ps_uuid_text(char out[37])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char raw[16];
    int n = 0;

    ps_random_bytes(raw, sizeof raw);
    raw[6] = (unsigned char)((raw[6] & 0x0F) | 0x40);
    raw[8] = (unsigned char)((raw[8] & 0x3F) | 0x80);
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            out[n++] = '-';
        out[n++] = digits[raw[i] >> 4];
        out[n++] = digits[raw[i] & 15];
    }
    out[n] = '\0';
}
