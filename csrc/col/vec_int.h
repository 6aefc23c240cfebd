/*
 * col/vec_int.h - what the files of vec share.
 */
#ifndef PS_COL_VEC_INT_H
#define PS_COL_VEC_INT_H
#include "col/vec.h"

/* A vector with type, shape and length only. */
ps_status psi_vec_shell(const ps_type *type, ps_shape shape, int64_t n_rows, ps_vec **out, ps_error *err);
/* Room for n_physical values; nothing for types of width 0. */
ps_status psi_vec_alloc_data(ps_vec *vec, int64_t n_physical, ps_error *err);
/* A bitmap of whole words; bits behind the last row have the same value. */
ps_status psi_valid_new(int64_t n_rows, bool all_valid, ps_buf **buf, uint64_t **bits, ps_error *err);

/* NaNs and zeros that compare equal made equal bit by bit. */
static inline uint64_t psi_double_bits(double x)
{
    uint64_t bits;
    x = x != x ? __builtin_nan("") : x + 0.0; /* -0.0 + 0.0 is 0.0 */
    memcpy(&bits, &x, sizeof bits);
    return bits;
}
static inline double psi_float_at(const ps_vec *base, int64_t row)
{
    return base->type->kind == PS_FLOAT ? (double)((const float *)base->data)[row] : ((const double *)base->data)[row];
}
/* The value of any kind that fits 64 bits: BOOL, integers, dates, times, intervals. */
static inline int64_t psi_int_at(const ps_vec *base, int64_t row)
{
    switch (ps_type_width(base->type)) {
    case 1: return ((const int8_t *)base->data)[row];
    case 2: return ((const int16_t *)base->data)[row];
    case 4: return ((const int32_t *)base->data)[row];
    default: return ((const int64_t *)base->data)[row];
    }
}
#endif
