/*
 * expr/kernel.h - the macros that own the loop, the nulls and the vector shapes.
 *
 * A kernel states the rule for one value; the macro makes psi_<name>(run, &vec, err) of it, as a row of functions.def
 * names it.  A rule sees only live rows whose arguments are not NULL (STRICT), and may say
 *
 *   PS_KERNEL_1(abs_i64, int64_t, int64_t)            // argument type, result type
 *   {
 *       if (x == INT64_MIN)
 *           return ps_raise(err, PS_E_...);            // the batch fails
 *       *out = x < 0 ? -x : x;                         // or *null = true;
 *       return PS_OK;
 *   }
 *   PS_KERNEL_2(name, X, Y, OUT)   x, y               PS_KERNEL_3(name, X, Y, Z, OUT)   x, y, z
 *   PS_KERNEL_TEXT_1(name, X)      appends the result to `ps_bytes *out` (a STRING or BINARY result)
 *   PS_KERNEL_TEXT_2, _3
 *   PS_KERNEL_BUILD_1(name, X)     appends exactly one value to `ps_builder *out` (arrays, maps, structs, anything)
 *   PS_KERNEL_BUILD_2, _3
 *
 *   PS_TOTAL_1(name, X, OUT), _2   no errors, no NULLs, safe on any bits: `*out = x + y;`, no return
 *
 * X is the C type of a value: int8_t bool(uint8_t) int16_t int32_t int64_t float double __int128 ps_str ps_span
 * ps_calendar.  Rules are inlined, so one that can neither fail nor give NULL becomes a vectorised loop over dense
 * columns.  In a rule `run` is the ps_fn_run: run->env, run->scratch, run->type, and run->views[i].base (the physical
 * vector of argument i, for the children of arrays, maps: values of span x are rows x.start.. of base->children[0]).
 * A result of type ps_str may point into text of the arguments (the result pins them); new text needs KERNEL_TEXT.
 *
 * What does not fit (NULLs that matter, any number of arguments) is written by hand over PS_EACH_ROW and ps_view; a
 * builder filled with one value per live row, in order, ends in psi_kernel_built().  fn_args.h has the loops over any
 * number of arguments.
 */
#ifndef PS_EXPR_KERNEL_H
#define PS_EXPR_KERNEL_H
#include "col/build.h"
#include "expr/fn_int.h"

typedef struct psi_loop {
    ps_view views[PS_FN_VIEWS]; /* a copy of run->views that no store can alias */
    ps_vec *vec;  /* FLAT result; NULLs of the arguments are in vec->valid already */
    bool dense;   /* every row is live and not NULL, every argument FLAT */
    bool plain;   /* every row is live; arguments are FLAT, or CONST (not all, unless n_rows is 1) */
} psi_loop;
ps_status psi_loop_begin(ps_fn_run *run, int n_args, bool nullable, psi_loop *loop, ps_error *err);
/* Sets run->views, and nothing else: for rules that build. */
void psi_views(ps_fn_run *run, int n_args, psi_loop *loop);
/* Takes the builder that was filled with status rc (with a failure it may be NULL): one value per live row becomes a
 * vector of run->rows->n_rows. */
ps_status psi_kernel_built(const ps_fn_run *run, ps_builder *b, ps_status rc, ps_vec **out, ps_error *err);
/* One value for all rows. */
ps_status psi_kernel_same_int(const ps_fn_run *run, int64_t value, ps_vec **out, ps_error *err);
ps_status psi_kernel_same_text(const ps_fn_run *run, const char *value, ps_vec **out, ps_error *err);
/* The argument is the same for all rows: its value at row 0 may be prepared once (ps_view of it). */
static inline bool psi_arg_is_constant(const ps_fn_run *run, int arg) { return run->args[arg]->shape == PS_CONST; }
/* A constant argument's text; false when it is NULL. */
bool psi_arg_text(const ps_fn_run *run, int arg, ps_slice *out);

#define PS_EACH_ROW(rows, i) for (int64_t j_ = 0, i; j_ < (rows)->n && ((i = ps_row((rows), j_)), true); j_++)

#define PSI_OFF __attribute__((unused))
#define PSI_RULE(name, OUT_DECL, ...)                                                              \
    PSI_ALWAYS ps_status name##_rule(const ps_fn_run *run PSI_OFF, __VA_ARGS__, OUT_DECL,          \
                                     bool *null PSI_OFF, ps_error *err PSI_OFF)

/* One row of a loop with a plain result: CALL is the rule, which may set `null`. */
#define PSI_FLAT_ROW(CALL)                                                                         \
    {                                                                                              \
        bool null = false;                                                                         \
        if (PS_UNLIKELY((rc = CALL) != PS_OK))                                                     \
            goto fail;                                                                             \
        if (PS_UNLIKELY(null))                                                                     \
            PS_TRY_OR(fail, ps_vec_set_null(loop.vec, i, err));                                    \
    }
/* All rows.  CALL is the rule over row i; DATA declares what CALL_DENSE reads, as locals
 * that no store can change, or the loop would not vectorise. */
#define PSI_FLAT_LOOP(n_args_, OUT, DATA, CALL_DENSE, CALL)                                        \
    {                                                                                              \
        const int64_t n_rows = run->rows->n_rows;                                                  \
        psi_loop loop;                                                                             \
        ps_status rc;                                                                              \
        PS_TRY(psi_loop_begin(run, n_args_, false, &loop, err));                                   \
        OUT *restrict data = loop.vec->data;                                                       \
        DATA                                                                                       \
        if (loop.dense) {                                                                          \
            for (int64_t i = 0; i < n_rows; i++)                                                   \
                PSI_FLAT_ROW(CALL_DENSE)                                                           \
        } else {                                                                                   \
            PS_EACH_ROW(run->rows, i)                                                              \
                if (!loop.vec->valid || ps_bit(loop.vec->valid, i))                                \
                    PSI_FLAT_ROW(CALL)                                                             \
        }                                                                                          \
        *result = loop.vec;                                                                        \
        return PS_OK;                                                                              \
    fail:                                                                                          \
        ps_vec_unref(loop.vec);                                                                    \
        return rc;                                                                                 \
    }

#define PSI_VALUE(T, k) ((const T *)loop.views[k].data)[ps_at(&loop.views[k], i)]
#define PSI_DATA(T, k) const T *restrict data##k = loop.views[k].data;
#define PSI_KERNEL(name) ps_status psi_##name(ps_fn_run *run, ps_vec **result, ps_error *err);     \
    ps_status psi_##name(ps_fn_run *run, ps_vec **result, ps_error *err)

/* Rules that may be run on any bits, also those under a NULL, and always give a value: numbers only, no ps_str.  The
 * rule returns nothing. */
#define PSI_TOTAL_RULE(name, OUT, ...) PSI_ALWAYS void name##_rule(__VA_ARGS__, OUT *out)
#define PSI_TOTAL_PASS(CALL)                                                                       \
    for (int64_t i = 0; i < n_rows; i++)                                                           \
        CALL;
#define PS_TOTAL_1(name, X, OUT)                                                                   \
    PSI_TOTAL_RULE(name, OUT, X x PSI_OFF);                                                        \
    PSI_KERNEL(name)                                                                               \
    {                                                                                              \
        const int64_t n_rows = run->rows->n_rows;                                                  \
        psi_loop loop;                                                                             \
        PS_TRY(psi_loop_begin(run, 1, false, &loop, err));                                         \
        OUT *restrict data = loop.vec->data;                                                       \
        PSI_DATA(X, 0)                                                                             \
        if (loop.plain)                                                                            \
            PSI_TOTAL_PASS(name##_rule(data0[i], &data[i]))                                        \
        else                                                                                       \
            PS_EACH_ROW(run->rows, i)                                                              \
                name##_rule(PSI_VALUE(X, 0), &data[i]);                                            \
        *result = loop.vec;                                                                        \
        return PS_OK;                                                                              \
    }                                                                                              \
    PSI_TOTAL_RULE(name, OUT, X x PSI_OFF)
#define PS_TOTAL_2(name, X, Y, OUT)                                                                \
    PSI_TOTAL_RULE(name, OUT, X x PSI_OFF, Y y PSI_OFF);                                           \
    PSI_KERNEL(name)                                                                               \
    {                                                                                              \
        const int64_t n_rows = run->rows->n_rows;                                                  \
        psi_loop loop;                                                                             \
        PS_TRY(psi_loop_begin(run, 2, false, &loop, err));                                         \
        OUT *restrict data = loop.vec->data;                                                       \
        PSI_DATA(X, 0) PSI_DATA(Y, 1)                                                              \
        const X first = data0[0];                                                                  \
        const Y second = data1[0];                                                                 \
        if (loop.plain && run->args[1]->shape == PS_CONST)                                         \
            PSI_TOTAL_PASS(name##_rule(data0[i], second, &data[i]))                                \
        else if (loop.plain && run->args[0]->shape == PS_CONST)                                    \
            PSI_TOTAL_PASS(name##_rule(first, data1[i], &data[i]))                                 \
        else if (loop.plain)                                                                       \
            PSI_TOTAL_PASS(name##_rule(data0[i], data1[i], &data[i]))                              \
        else                                                                                       \
            PS_EACH_ROW(run->rows, i)                                                              \
                name##_rule(PSI_VALUE(X, 0), PSI_VALUE(Y, 1), &data[i]);                           \
        *result = loop.vec;                                                                        \
        return PS_OK;                                                                              \
    }                                                                                              \
    PSI_TOTAL_RULE(name, OUT, X x PSI_OFF, Y y PSI_OFF)

#define PS_KERNEL_1(name, X, OUT)                                                                  \
    PSI_RULE(name, OUT *out PSI_OFF, X x PSI_OFF);                                                 \
    PSI_KERNEL(name)                                                                               \
    PSI_FLAT_LOOP(1, OUT, PSI_DATA(X, 0), name##_rule(run, data0[i], &data[i], &null, err),        \
                  name##_rule(run, PSI_VALUE(X, 0), &data[i], &null, err))                         \
    PSI_RULE(name, OUT *out PSI_OFF, X x PSI_OFF)

#define PS_KERNEL_2(name, X, Y, OUT)                                                               \
    PSI_RULE(name, OUT *out PSI_OFF, X x PSI_OFF, Y y PSI_OFF);                                    \
    PSI_KERNEL(name)                                                                               \
    PSI_FLAT_LOOP(2, OUT, PSI_DATA(X, 0) PSI_DATA(Y, 1), name##_rule(run, data0[i], data1[i], &data[i], &null, err), \
                  name##_rule(run, PSI_VALUE(X, 0), PSI_VALUE(Y, 1), &data[i], &null, err))        \
    PSI_RULE(name, OUT *out PSI_OFF, X x PSI_OFF, Y y PSI_OFF)

#define PS_KERNEL_3(name, X, Y, Z, OUT)                                                            \
    PSI_RULE(name, OUT *out PSI_OFF, X x PSI_OFF, Y y PSI_OFF, Z z PSI_OFF);                       \
    PSI_KERNEL(name)                                                                               \
    PSI_FLAT_LOOP(3, OUT, PSI_DATA(X, 0) PSI_DATA(Y, 1) PSI_DATA(Z, 2),                            \
                  name##_rule(run, data0[i], data1[i], data2[i], &data[i], &null, err),            \
                  name##_rule(run, PSI_VALUE(X, 0), PSI_VALUE(Y, 1), PSI_VALUE(Z, 2), &data[i], &null, err)) \
    PSI_RULE(name, OUT *out PSI_OFF, X x PSI_OFF, Y y PSI_OFF, Z z PSI_OFF)

/* The loop of kernels that build.  MADE appends the value of row i to b. */
#define PSI_BUILD_LOOP(n_args_, MADE)                                                              \
    {                                                                                              \
        psi_loop loop;                                                                             \
        ps_bytes text = {0};                                                                       \
        ps_builder *b;                                                                             \
        ps_status rc = PS_OK;                                                                      \
        psi_views(run, n_args_, &loop);                                                            \
        PS_TRY(ps_build_new(run->type, run->rows->n, &b, err));                                    \
        PS_EACH_ROW(run->rows, i) {                                                                \
            bool null = false, skip = false;                                                       \
            for (int k = 0; k < n_args_; k++)                                                      \
                skip |= ps_view_is_null(&loop.views[k], i);                                        \
            if (skip) {                                                                            \
                PS_TRY_OR(done, ps_build_null(b, err));                                            \
                continue;                                                                          \
            }                                                                                      \
            MADE                                                                                   \
        }                                                                                          \
    done:                                                                                          \
        ps_bytes_clear(&text);                                                                     \
        return psi_kernel_built(run, b, rc, result, err);                                          \
    }

#define PSI_TEXT_MADE(CALL)                                                                        \
    ps_bytes_reset(&text);                                                                         \
    PS_TRY_OR(done, CALL);                                                                         \
    PS_TRY_OR(done, null ? ps_build_null(b, err) : ps_build_text(b, text.data ? text.data : "", text.n_bytes, err));
#define PSI_VALUE_MADE(CALL)                                                                       \
    PS_TRY_OR(done, CALL);                                                                         \
    if (null)                                                                                      \
        PS_TRY_OR(done, ps_build_null(b, err));

#define PSI_BUILDING_1(name, OUT, MADE, target, X)                                                 \
    PSI_RULE(name, OUT *out PSI_OFF, X x PSI_OFF);                                                 \
    PSI_KERNEL(name)                                                                               \
    PSI_BUILD_LOOP(1, MADE(name##_rule(run, PSI_VALUE(X, 0), target, &null, err)))                 \
    PSI_RULE(name, OUT *out PSI_OFF, X x PSI_OFF)
#define PSI_BUILDING_2(name, OUT, MADE, target, X, Y)                                              \
    PSI_RULE(name, OUT *out PSI_OFF, X x PSI_OFF, Y y PSI_OFF);                                    \
    PSI_KERNEL(name)                                                                               \
    PSI_BUILD_LOOP(2, MADE(name##_rule(run, PSI_VALUE(X, 0), PSI_VALUE(Y, 1), target, &null, err))) \
    PSI_RULE(name, OUT *out PSI_OFF, X x PSI_OFF, Y y PSI_OFF)
#define PSI_BUILDING_3(name, OUT, MADE, target, X, Y, Z)                                           \
    PSI_RULE(name, OUT *out PSI_OFF, X x PSI_OFF, Y y PSI_OFF, Z z PSI_OFF);                       \
    PSI_KERNEL(name)                                                                               \
    PSI_BUILD_LOOP(3, MADE(name##_rule(run, PSI_VALUE(X, 0), PSI_VALUE(Y, 1), PSI_VALUE(Z, 2), target, &null, err))) \
    PSI_RULE(name, OUT *out PSI_OFF, X x PSI_OFF, Y y PSI_OFF, Z z PSI_OFF)

#define PS_KERNEL_TEXT_1(name, X) PSI_BUILDING_1(name, ps_bytes, PSI_TEXT_MADE, &text, X)
#define PS_KERNEL_TEXT_2(name, X, Y) PSI_BUILDING_2(name, ps_bytes, PSI_TEXT_MADE, &text, X, Y)
#define PS_KERNEL_TEXT_3(name, X, Y, Z) PSI_BUILDING_3(name, ps_bytes, PSI_TEXT_MADE, &text, X, Y, Z)
/* A rule that sets *null appends nothing. */
#define PS_KERNEL_BUILD_1(name, X) PSI_BUILDING_1(name, ps_builder, PSI_VALUE_MADE, b, X)
#define PS_KERNEL_BUILD_2(name, X, Y) PSI_BUILDING_2(name, ps_builder, PSI_VALUE_MADE, b, X, Y)
#define PS_KERNEL_BUILD_3(name, X, Y, Z) PSI_BUILDING_3(name, ps_builder, PSI_VALUE_MADE, b, X, Y, Z)
#endif
