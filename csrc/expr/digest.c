/*
 * expr/digest.c - MD5 (RFC 1321), SHA-1 and SHA-2 (FIPS 180-4).
 *
 * All share the outer shape: whole blocks, then the rest with a bit appended, zeros, and the length in bits.
 */
#include "expr/digest.h"

static uint32_t rotate_left(uint32_t x, int n) { return x << n | x >> (32 - n); }
static uint32_t rotate_right(uint32_t x, int n) { return x >> n | x << (32 - n); }
static uint64_t rotate_right_64(uint64_t x, int n) { return x >> n | x << (64 - n); }
static uint32_t read_le32(const uint8_t *p) { return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24; }
static uint32_t read_be32(const uint8_t *p) { return __builtin_bswap32(read_le32(p)); }
static uint64_t read_be64(const uint8_t *p) { return (uint64_t)read_be32(p) << 32 | read_be32(p + 4); }

typedef void (*block_fn)(void *state, const uint8_t *block);

static void run_blocks(block_fn block, void *state, ps_slice data, size_t block_bytes, bool big_endian)
{
    uint8_t last[256] = {0};
    size_t rest = data.n_bytes % block_bytes, length_bytes = block_bytes / 8, n;

    for (size_t at = 0; at + block_bytes <= data.n_bytes; at += block_bytes)
        block(state, (const uint8_t *)data.data + at);
    memcpy(last, data.data + (data.n_bytes - rest), rest);
    last[rest] = 0x80;
    n = rest + 1 + length_bytes <= block_bytes ? block_bytes : 2 * block_bytes;
    for (size_t i = 0; i < 8; i++)
        last[big_endian ? n - 1 - i : n - 8 + i] = (uint8_t)((uint64_t)data.n_bytes * 8 >> (8 * i));
    for (size_t at = 0; at < n; at += block_bytes)
        block(state, last + at);
}

static int write_words(const uint32_t *words, int n, bool big_endian, uint8_t *out)
{
    for (int i = 0; i < n * 4; i++)
        out[i] = (uint8_t)(words[i / 4] >> (8 * (big_endian ? 3 - i % 4 : i % 4)));
    return n * 4;
}

/* --- MD5 -------------------------------------------------------------------------------------------------------------- */
static const uint32_t md5_k[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};

static void md5_block(void *state, const uint8_t *block)
{
    static const uint8_t shifts[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
    uint32_t *h = state, a = h[0], b = h[1], c = h[2], d = h[3];

    for (int i = 0; i < 64; i++) {
        uint32_t f, t;
        int g;
        switch (i / 16) {
        case 0:
            f = (b & c) | (~b & d);
            g = i;
            break;
        case 1:
            f = (d & b) | (~d & c);
            g = (5 * i + 1) % 16;
            break;
        case 2:
            f = b ^ c ^ d;
            g = (3 * i + 5) % 16;
            break;
        default:
            f = c ^ (b | ~d);
            g = 7 * i % 16;
            break;
        }
        t = d;
        d = c;
        c = b;
        b += rotate_left(a + f + md5_k[i] + read_le32(block + 4 * g), shifts[i / 16][i % 4]);
        a = t;
    }
    h[0] += a;
    h[1] += b;
    h[2] += c;
    h[3] += d;
}

int psi_digest_md5(ps_slice data, uint8_t out[PSI_DIGEST_MAX])
{
    uint32_t h[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};

    run_blocks(md5_block, h, data, 64, false);
    return write_words(h, 4, false, out);
}

/* --- SHA-1 ------------------------------------------------------------------------------------------------------------ */
static void sha1_block(void *state, const uint8_t *block)
{
    static const uint32_t k[4] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
    uint32_t *h = state, w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];

    for (int i = 0; i < 80; i++)
        w[i] = i < 16 ? read_be32(block + 4 * i) : rotate_left(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    for (int i = 0; i < 80; i++) {
        uint32_t f = i < 20 ? (b & c) | (~b & d) : i < 40 || i >= 60 ? b ^ c ^ d : (b & c) | (b & d) | (c & d);
        uint32_t t = rotate_left(a, 5) + f + e + k[i / 20] + w[i];
        e = d;
        d = c;
        c = rotate_left(b, 30);
        b = a;
        a = t;
    }
    h[0] += a;
    h[1] += b;
    h[2] += c;
    h[3] += d;
    h[4] += e;
}

int psi_digest_sha1(ps_slice data, uint8_t out[PSI_DIGEST_MAX])
{
    uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};

    run_blocks(sha1_block, h, data, 64, true);
    return write_words(h, 5, true, out);
}

/* --- SHA-2 ------------------------------------------------------------------------------------------------------------ */
static const uint32_t sha256_k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};
static const uint64_t sha512_k[80] = {
    0x428a2f98d728ae22ull, 0x7137449123ef65cdull, 0xb5c0fbcfec4d3b2full, 0xe9b5dba58189dbbcull,
    0x3956c25bf348b538ull, 0x59f111f1b605d019ull, 0x923f82a4af194f9bull, 0xab1c5ed5da6d8118ull,
    0xd807aa98a3030242ull, 0x12835b0145706fbeull, 0x243185be4ee4b28cull, 0x550c7dc3d5ffb4e2ull,
    0x72be5d74f27b896full, 0x80deb1fe3b1696b1ull, 0x9bdc06a725c71235ull, 0xc19bf174cf692694ull,
    0xe49b69c19ef14ad2ull, 0xefbe4786384f25e3ull, 0x0fc19dc68b8cd5b5ull, 0x240ca1cc77ac9c65ull,
    0x2de92c6f592b0275ull, 0x4a7484aa6ea6e483ull, 0x5cb0a9dcbd41fbd4ull, 0x76f988da831153b5ull,
    0x983e5152ee66dfabull, 0xa831c66d2db43210ull, 0xb00327c898fb213full, 0xbf597fc7beef0ee4ull,
    0xc6e00bf33da88fc2ull, 0xd5a79147930aa725ull, 0x06ca6351e003826full, 0x142929670a0e6e70ull,
    0x27b70a8546d22ffcull, 0x2e1b21385c26c926ull, 0x4d2c6dfc5ac42aedull, 0x53380d139d95b3dfull,
    0x650a73548baf63deull, 0x766a0abb3c77b2a8ull, 0x81c2c92e47edaee6ull, 0x92722c851482353bull,
    0xa2bfe8a14cf10364ull, 0xa81a664bbc423001ull, 0xc24b8b70d0f89791ull, 0xc76c51a30654be30ull,
    0xd192e819d6ef5218ull, 0xd69906245565a910ull, 0xf40e35855771202aull, 0x106aa07032bbd1b8ull,
    0x19a4c116b8d2d0c8ull, 0x1e376c085141ab53ull, 0x2748774cdf8eeb99ull, 0x34b0bcb5e19b48a8ull,
    0x391c0cb3c5c95a63ull, 0x4ed8aa4ae3418acbull, 0x5b9cca4f7763e373ull, 0x682e6ff3d6b2b8a3ull,
    0x748f82ee5defb2fcull, 0x78a5636f43172f60ull, 0x84c87814a1f0ab72ull, 0x8cc702081a6439ecull,
    0x90befffa23631e28ull, 0xa4506cebde82bde9ull, 0xbef9a3f7b2c67915ull, 0xc67178f2e372532bull,
    0xca273eceea26619cull, 0xd186b8c721c0c207ull, 0xeada7dd6cde0eb1eull, 0xf57d4f7fee6ed178ull,
    0x06f067aa72176fbaull, 0x0a637dc5a2c898a6ull, 0x113f9804bef90daeull, 0x1b710b35131c471bull,
    0x28db77f523047d84ull, 0x32caab7b40c72493ull, 0x3c9ebe0a15c9bebcull, 0x431d67c49c100d4cull,
    0x4cc5d4becb3e42b6ull, 0x597f299cfc657e2aull, 0x5fcb6fab3ad6faecull, 0x6c44198c4a475817ull,
};

/*
 * One block of SHA-2 (FIPS 180-4, 6.2.2 and 6.4.2): both widths take the same steps.  They differ in the word, the rounds,
 * their constants, and the amounts of the rotations and shifts: a of x and b of y in the schedule, c of e and d of a in a round.
 */
#define SHA2_BLOCK(name, word, n_rounds, read, rotate, k, a1, a2, a3, b1, b2, b3, c1, c2, c3, d1, d2, d3)                                 \
    static void name(void *state, const uint8_t *block)                                                                                   \
    {                                                                                                                                     \
        word *h = state, w[n_rounds], v[8];                                                                                               \
                                                                                                                                          \
        for (size_t i = 0; i < 16; i++)                                                                                                   \
            w[i] = read(block + sizeof(word) * i);                                                                                        \
        for (int i = 16; i < n_rounds; i++) {                                                                                             \
            word x = w[i - 15], y = w[i - 2];                                                                                             \
            w[i] = w[i - 16] + w[i - 7] + (rotate(x, a1) ^ rotate(x, a2) ^ x >> a3) + (rotate(y, b1) ^ rotate(y, b2) ^ y >> b3);          \
        }                                                                                                                                 \
        memcpy(v, h, sizeof v);                                                                                                           \
        for (int i = 0; i < n_rounds; i++) {                                                                                              \
            word s1 = rotate(v[4], c1) ^ rotate(v[4], c2) ^ rotate(v[4], c3);                                                             \
            word s0 = rotate(v[0], d1) ^ rotate(v[0], d2) ^ rotate(v[0], d3);                                                             \
            word t1 = v[7] + s1 + ((v[4] & v[5]) ^ (~v[4] & v[6])) + k[i] + w[i];                                                         \
            word t2 = s0 + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));                                                               \
            memmove(v + 1, v, 7 * sizeof *v);                                                                                             \
            v[4] += t1;                                                                                                                   \
            v[0] = t1 + t2;                                                                                                               \
        }                                                                                                                                 \
        for (int i = 0; i < 8; i++)                                                                                                       \
            h[i] += v[i];                                                                                                                 \
    }
SHA2_BLOCK(sha256_block, uint32_t, 64, read_be32, rotate_right, sha256_k, 7, 18, 3, 17, 19, 10, 6, 11, 25, 2, 13, 22)
SHA2_BLOCK(sha512_block, uint64_t, 80, read_be64, rotate_right_64, sha512_k, 1, 8, 7, 19, 61, 6, 14, 18, 41, 28, 34, 39)

int psi_digest_sha256(ps_slice data, bool sha224, uint8_t out[PSI_DIGEST_MAX])
{
    static const uint32_t start[2][8] = {
        {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19},
        {0xc1059ed8, 0x367cd507, 0x3070dd17, 0xf70e5939, 0xffc00b31, 0x68581511, 0x64f98fa7, 0xbefa4fa4},
    };
    uint32_t h[8];

    memcpy(h, start[sha224], sizeof h);
    run_blocks(sha256_block, h, data, 64, true);
    return write_words(h, sha224 ? 7 : 8, true, out);
}

int psi_digest_sha512(ps_slice data, bool sha384, uint8_t out[PSI_DIGEST_MAX])
{
    static const uint64_t start[2][8] = {
        {
        0x6a09e667f3bcc908ull, 0xbb67ae8584caa73bull, 0x3c6ef372fe94f82bull, 0xa54ff53a5f1d36f1ull,
        0x510e527fade682d1ull, 0x9b05688c2b3e6c1full, 0x1f83d9abfb41bd6bull, 0x5be0cd19137e2179ull,
        },
        {
        0xcbbb9d5dc1059ed8ull, 0x629a292a367cd507ull, 0x9159015a3070dd17ull, 0x152fecd8f70e5939ull,
        0x67332667ffc00b31ull, 0x8eb44a8768581511ull, 0xdb0c2e0d64f98fa7ull, 0x47b5481dbefa4fa4ull,
        },
    };
    uint64_t h[8];
    int n = sha384 ? 48 : 64;

    memcpy(h, start[sha384], sizeof h);
    run_blocks(sha512_block, h, data, 128, true);
    for (int i = 0; i < n; i++)
        out[i] = (uint8_t)(h[i / 8] >> (8 * (7 - i % 8)));
    return n;
}
