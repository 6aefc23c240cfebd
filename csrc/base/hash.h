/*
 * base/hash.h - hashing and checksums.
 *
 * ps_hash_bytes/ps_hash_u64 are our own 64x64->128 multiply-mix.  Seed 0 is the stable layout that state
 * files name "mum1"; transient tables use ps_hash_seed(), different in every process.
 * ps_murmur3_* are Spark's hash() (seed 42, its own rule for tails); ps_xxh64 its xxhash64().
 * Random bytes are the kernel's; all functions are @thread any.
 */
#ifndef PS_BASE_HASH_H
#define PS_BASE_HASH_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t ps_mum(uint64_t a, uint64_t b)
{
    unsigned __int128 r = (unsigned __int128)a * b;
    return (uint64_t)r ^ (uint64_t)(r >> 64);
}
static inline uint64_t ps_hash_u64(uint64_t x, uint64_t seed)
{
    return ps_mum(x ^ 0x9e3779b97f4a7c15ull, seed ^ 0xe7037ed1a0b428dbull ^ (x << 32 | x >> 32));
}
static inline uint64_t ps_hash_combine(uint64_t a, uint64_t b) { return ps_mum(a ^ 0x8ebc6af09c88c6e3ull, b ^ 0x589965cc75374cc3ull); }
uint64_t ps_hash_bytes(const void *data, size_t n_bytes, uint64_t seed);
uint64_t ps_hash_seed(void);

uint32_t ps_murmur3_int(int32_t value, uint32_t seed);
uint32_t ps_murmur3_long(int64_t value, uint32_t seed);
uint32_t ps_murmur3_bytes(const void *data, size_t n_bytes, uint32_t seed);
uint64_t ps_xxh64_int(int32_t value, uint64_t seed);
uint64_t ps_xxh64_long(int64_t value, uint64_t seed);
uint64_t ps_xxh64_bytes(const void *data, size_t n_bytes, uint64_t seed);
uint32_t ps_crc32c(uint32_t crc, const void *data, size_t n_bytes); /* start with 0 */

void ps_random_bytes(void *out, size_t n_bytes);
void ps_uuid_text(char out[37]); /* a random UUID, lower case */
#endif
