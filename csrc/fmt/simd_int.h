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

/* The same and bytes that are not ASCII, which are less than all when bytes have signs. */
static inline uint32_t psi_ascii_stop(psi_block b)
{
    __m128i stop = _mm_cmplt_epi8(b, _mm_set1_epi8(0x20));

    stop = _mm_or_si128(stop, _mm_cmpeq_epi8(b, _mm_set1_epi8('"')));
    stop = _mm_or_si128(stop, _mm_cmpeq_epi8(b, _mm_set1_epi8('\\')));
    return (uint32_t)_mm_movemask_epi8(stop);
}

/* The value of each eight bytes that are digits less '0', the first in the lowest byte. */
static inline psi_block psi_eights(psi_block b)
{
    __m128i pairs = _mm_srli_epi16(_mm_mullo_epi16(b, _mm_set1_epi16(10 << 8 | 1)), 8); /* ten times the low byte and the high one */
    __m128i fours = _mm_madd_epi16(pairs, _mm_set1_epi32(100 | 1 << 16));

    return _mm_add_epi64(_mm_mul_epu32(fours, _mm_set1_epi64x(10000)), _mm_srli_epi64(fours, 32));
}

static inline void psi_store(void *p, psi_block b)
{
    _mm_storeu_si128((__m128i *)p, b);
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

static inline void psi_store(void *p, psi_block b)
{
    memcpy(p, &b, sizeof b);
}

static inline psi_block psi_eights(psi_block b)
{
    uint64_t values[2] = {0, 0};
    psi_block out;

    for (int i = 0; i < 16; i++)
        values[i / 8] = values[i / 8] * 10 + b.bytes[i];
    memcpy(&out, values, sizeof out);
    return out;
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
static inline uint32_t psi_ascii_stop(psi_block b)
{
    PSI_MASK_OF(b.bytes[i] < 0x20 || b.bytes[i] >= 0x80 || b.bytes[i] == '"' || b.bytes[i] == '\\');
}
static inline uint32_t psi_line_end(psi_block b)
{
    PSI_MASK_OF(b.bytes[i] == '\n' || b.bytes[i] == '\r');
}
#undef PSI_MASK_OF
#endif

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
