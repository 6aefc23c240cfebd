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

/* A view of a text of at most twelve bytes, of which sixteen can be read. */
static inline ps_str psi_short_text(const char *data, uint32_t n_bytes)
{
    uint64_t low, high;
    uint32_t n_low = n_bytes < 8 ? n_bytes : 8, n_high = n_bytes - n_low;
    ps_str s;

    memcpy(&low, data, 8);
    memcpy(&high, data + 8, 8);
    low = n_low == 8 ? low : low & ((1ull << 8 * n_low) - 1);
    high &= (1ull << 8 * n_high) - 1;
    s.n_bytes = n_bytes;
    memcpy(s.inlined, &low, 8);
    memcpy(s.inlined + 8, &high, 4);
    return s;
}

/* The same for any text. */
static inline ps_str psi_text_view(const char *data, uint32_t n_bytes)
{
    ps_str s;

    if (n_bytes <= PS_STR_INLINE)
        return psi_short_text(data, n_bytes);
    s.n_bytes = n_bytes;
    memcpy(s.far.prefix, data, 4);
    s.far.data = data;
    return s;
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
#endif
