/*
 * expr/cast_int.h - what the files of casts share.
 *
 * A cast of plain values is a kernel like any other, run over a call that ps_cast_vec makes up: run->args[0] is the
 * vector, run->type the target, run->scratch a psi_cast_info.  Rules leave what a failure means to psi_cast_failed.
 */
#ifndef PS_EXPR_CAST_INT_H
#define PS_EXPR_CAST_INT_H
#include "expr/cast.h"
#include "expr/kernel.h"

typedef struct psi_cast_info {
    ps_cast_mode mode;
    bool constant;
    const ps_type *from, *to;
} psi_cast_info;
static inline const psi_cast_info *psi_cast_of(const ps_fn_run *run) { return run->scratch; }

/* What a rule returns for a value that cannot be cast: the error in ANSI mode, *null in try_cast.  Without ANSI malformed
 * values and decimals out of range are NULL, while an overflow keeps what the rule has put in *out. */
ps_status psi_cast_malformed(const ps_fn_run *run, ps_slice text, bool *null, ps_error *err);
ps_status psi_cast_malformed_double(const ps_fn_run *run, double value, bool *null, ps_error *err);
ps_status psi_cast_overflow_int(const ps_fn_run *run, int64_t value, bool *null, ps_error *err);
ps_status psi_cast_overflow_double(const ps_fn_run *run, double value, bool *null, ps_error *err);
ps_status psi_cast_overflow_decimal(const ps_fn_run *run, __int128 value, bool *null, ps_error *err);
ps_status psi_cast_beyond_decimal(const ps_fn_run *run, const char *text, int n_bytes, bool *null, ps_error *err);

/* The kernel for a pair of kinds, NULL when the file has none. */
ps_fn_kernel psi_cast_number_kernel(ps_kind from, ps_kind to); /* between numbers and booleans */
ps_fn_kernel psi_cast_text_kernel(ps_kind from, ps_kind to);   /* from and to text and binary */
ps_fn_kernel psi_cast_time_kernel(ps_kind from, ps_kind to);   /* dates, timestamps and intervals, and numbers */

/* Text without the blanks and control characters around it. */
static inline ps_slice psi_trim(ps_slice text)
{
    while (text.n_bytes > 0 && ((uint8_t)text.data[0] <= ' ' || text.data[0] == 0x7f)) {
        text.data++;
        text.n_bytes--;
    }
    while (text.n_bytes > 0 && ((uint8_t)text.data[text.n_bytes - 1] <= ' ' || text.data[text.n_bytes - 1] == 0x7f))
        text.n_bytes--;
    return text;
}
/* Saturates as Java's (long) and (int) do; NaN is 0. */
static inline int64_t psi_double_to_int64(double x)
{
    if (x != x)
        return 0;
    return x >= 9223372036854775808.0 ? INT64_MAX : x < -9223372036854775808.0 ? INT64_MIN : (int64_t)x;
}
static inline int32_t psi_double_to_int32(double x)
{
    if (x != x)
        return 0;
    return x >= 2147483648.0 ? INT32_MAX : x <= -2147483649.0 ? INT32_MIN : (int32_t)x;
}
#endif
