/*
 * fmt/simd_int.h - sixteen bytes at a time: SSE2, or the same in plain C.
 *
 * A mask has bit i set when byte i of the block answers the question.
 */
#ifndef PS_FMT_SIMD_INT_H
#define PS_FMT_SIMD_INT_H
#include "col/vec.h"

#ifdef __SSE2__
#include <emmintrin.h>

typedef __m128i psi_block;

static inline psi_block psi_load(const void *p)
{
    return _mm_loadu_si128((const __m128i *)p);
}

static inline uint32_t psi_equal(psi_block b, char c)
{
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(b, _mm_set1_epi8(c)));
}

static inline uint32_t psi_same(psi_block a, psi_block b)
{
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(a, b));
}

/* Bytes that are not ASCII. */
static inline uint32_t psi_high(psi_block b)
{
    return (uint32_t)_mm_movemask_epi8(b);
}

/* Bytes that end a plain JSON string: quote, backslash, control characters. */
static inline uint32_t psi_string_stop(psi_block b)
{
    const __m128i control = _mm_set1_epi8(0x1f);
    __m128i stop = _mm_cmpeq_epi8(_mm_max_epu8(b, control), control);

    stop = _mm_or_si128(stop, _mm_cmpeq_epi8(b, _mm_set1_epi8('"')));
    stop = _mm_or_si128(stop, _mm_cmpeq_epi8(b, _mm_set1_epi8('\\')));
    return (uint32_t)_mm_movemask_epi8(stop);
}

/* Line feeds and carriage returns. */
static inline uint32_t psi_line_end(psi_block b)
{
    return (uint32_t)_mm_movemask_epi8(
        _mm_or_si128(_mm_cmpeq_epi8(b, _mm_set1_epi8('\n')), _mm_cmpeq_epi8(b, _mm_set1_epi8('\r'))));
}

#else

typedef struct psi_block { uint8_t bytes[16]; } psi_block;

static inline psi_block psi_load(const void *p)
{
    psi_block b;
    memcpy(&b, p, sizeof b);
    return b;
}

#define PSI_MASK_OF(condition)                                                                     \
    uint32_t mask = 0;                                                                             \
    for (int i = 0; i < 16; i++)                                                                   \
        mask |= (uint32_t)((condition) ? 1 : 0) << i;                                              \
    return mask

static inline uint32_t psi_equal(psi_block b, char c) { PSI_MASK_OF(b.bytes[i] == (uint8_t)c); }
static inline uint32_t psi_same(psi_block a, psi_block b) { PSI_MASK_OF(a.bytes[i] == b.bytes[i]); }
static inline uint32_t psi_high(psi_block b) { PSI_MASK_OF(b.bytes[i] >= 0x80); }
static inline uint32_t psi_string_stop(psi_block b)
{
    PSI_MASK_OF(b.bytes[i] < 0x20 || b.bytes[i] == '"' || b.bytes[i] == '\\');
}
static inline uint32_t psi_line_end(psi_block b)
{
    PSI_MASK_OF(b.bytes[i] == '\n' || b.bytes[i] == '\r');
}
#undef PSI_MASK_OF
#endif

/* A view of a text, of which sixteen bytes can be read, whatever its length.  Two whole words are stored: a view that is
 * put together from smaller stores cannot be loaded again at once. */
static inline void psi_put_view(ps_str *out, const char *data, uint32_t n_bytes)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint64_t words[2];

    memcpy(&words[0], data, 8);
    if (n_bytes <= PS_STR_INLINE) {
        uint64_t low = words[0], high = 0;
        uint32_t more;

        memcpy(&more, data + 8, 4);
        low = n_bytes >= 8 ? low : low & ((1ull << 8 * n_bytes) - 1);
        high = n_bytes > 8 ? more & ((1ull << 8 * (n_bytes - 8)) - 1) : 0;
        words[1] = low >> 32 | high << 32;
        words[0] = low << 32 | n_bytes;
    } else {
        words[0] = words[0] << 32 | n_bytes;
        words[1] = (uint64_t)(uintptr_t)data;
    }
    memcpy(out, &words[0], 8);
    memcpy((char *)out + 8, &words[1], 8);
#else
    *out = ps_str_make(data, n_bytes);
#endif
}

static inline int psi_first(uint32_t mask) { return __builtin_ctz(mask); }

/* The first line feed or carriage return at or after p; one must exist, and 16 readable bytes behind it. */
static inline const char *psi_find_line_end(const char *p)
{
    for (;; p += 16) {
        uint32_t mask = psi_line_end(psi_load(p));
        if (mask)
            return p + psi_first(mask);
    }
}

/* The same; *high tells whether bytes before it, and perhaps some behind it, are not ASCII. */
static inline const char *psi_find_line_end_high(const char *p, uint32_t *high)
{
    for (;; p += 16) {
        psi_block b = psi_load(p);
        uint32_t mask = psi_line_end(b);

        *high |= psi_high(b);
        if (mask)
            return p + psi_first(mask);
    }
}
#endif
