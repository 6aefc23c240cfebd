/*
 * expr/cast.h - which types can be cast to which, and casting.
 *
 * The matrix is api-sql.md 2.6: what ANSI mode allows, and the few pairs more that it allows when it is off.  Errors of
 * values (malformed text, overflow) are raised in ANSI mode, are NULL in try_cast, and NULL or wrapped without ANSI.
 */
#ifndef PS_EXPR_CAST_H
#define PS_EXPR_CAST_H
#include "expr/eval.h"

typedef enum ps_cast_mode { PS_CAST_ANSI, PS_CAST_LEGACY, PS_CAST_TRY } ps_cast_mode;

bool ps_can_cast(const ps_type *from, const ps_type *to, ps_cast_mode mode);
/* The result may be NULL though the value is not. */
bool ps_cast_adds_null(const ps_type *from, const ps_type *to, ps_cast_mode mode);
/* Raises DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION and its like when there is no such cast; `text` shows the argument. */
ps_status ps_check_cast(const ps_type *from, const ps_type *to, ps_cast_mode mode, const char *text, ps_error *err);
/* Casts the live rows of vec; *out has rows->n_rows rows, defined on the live ones.  `constant`: the value stands in the
 * program's text, so that text may also be one of the words epoch, now, today, yesterday, tomorrow. */
ps_status ps_cast_vec(ps_vec *vec, const ps_rows *rows, const ps_type *to, ps_cast_mode mode, bool constant,
                      const ps_eval_env *env, ps_vec **out, ps_error *err);
#endif
