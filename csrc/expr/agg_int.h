/*
 * expr/agg_int.h - what the files of aggregates share.
 */
#ifndef PS_EXPR_AGG_INT_H
#define PS_EXPR_AGG_INT_H
#include "base/int128.h"
#include "expr/aggregate.h"
#include "expr/fn_int.h"

/* The start of every bind: size, types of the arguments, ansi. */
void psi_agg_shape(const ps_fn_call *call, size_t buffer_bytes, ps_agg_shape *shape);
ps_status psi_agg_result(ps_fn_call *call, const ps_type *type, bool nullable); /* takes type */

/* Live rows whose value is not NULL: j counts live rows, at is the physical row. */
#define PSI_AGG_EACH(rows, view, j, at)                                                            \
    for (int64_t j = 0, at; j < (rows)->n && ((at = ps_at((view), ps_row((rows), j))), true); j++) \
        if ((view)->valid && !ps_bit((view)->valid, at)) {                                         \
        } else

/* __int128 in a buffer is 8-byte aligned only. */
static inline __int128 psi_get128(const void *at)
{
    __int128 x;
    memcpy(&x, at, sizeof x);
    return x;
}
static inline void psi_put128(void *at, __int128 x)
{
    memcpy(at, &x, sizeof x);
}

/* The tables behind approx_count_distinct, from precision 4 on (agg_hll_bias.c). */
typedef struct psi_hll_bias {
    const double *estimate, *bias;
    int n;
} psi_hll_bias;
extern const psi_hll_bias psi_hll_biases[15];

/* The loops of finish(), inlined with their rule: `write` fills row j of a FLAT vector, `append`
 * adds the value of group j to a builder. */
typedef ps_status psi_agg_write(const ps_agg_shape *shape, const ps_agg_groups *from, int64_t j,
                                ps_vec *vec, ps_error *err);
typedef ps_status psi_agg_append(const ps_agg_shape *shape, const ps_agg_groups *from, int64_t j,
                                 ps_builder *b, ps_error *err);
PSI_ALWAYS ps_status psi_agg_written(const ps_agg_shape *shape, const ps_agg_groups *from,
                                     int64_t n, const ps_type *type, psi_agg_write *write,
                                     ps_vec **out, ps_error *err)
{
    ps_vec *vec;
    ps_status rc = PS_OK;

    *out = NULL;
    PS_TRY(ps_vec_new(type, n, false, &vec, err));
    for (int64_t j = 0; j < n && rc == PS_OK; j++)
        rc = write(shape, from, j, vec, err);
    if (rc != PS_OK) {
        ps_vec_unref(vec);
        return rc;
    }
    *out = vec;
    return PS_OK;
}
PSI_ALWAYS ps_status psi_agg_built(const ps_agg_shape *shape, const ps_agg_groups *from, int64_t n,
                                   const ps_type *type, psi_agg_append *append, ps_vec **out,
                                   ps_error *err)
{
    ps_builder *b;
    ps_status rc = PS_OK;

    PS_TRY(ps_build_new(type, n, &b, err));
    for (int64_t j = 0; j < n && rc == PS_OK; j++)
        rc = append(shape, from, j, b, err);
    return ps_build_end(b, rc, out, err);
}

/* --- one value of any type in a buffer (agg_any.c)
 * -------------------------------------------------------- */
/* A word that tells what is there, then the value: 8 or 16 bytes of fixed width, or a cell. */
typedef enum psi_any_state { PSI_ANY_NONE, PSI_ANY_NULL, PSI_ANY_VALUE } psi_any_state;
size_t psi_any_bytes(const ps_type *type);
bool psi_any_in_cell(const ps_type *type); /* the cell lies 8 bytes into the value */
static inline psi_any_state psi_any_state_of(const uint8_t *any)
{
    uint64_t state;
    memcpy(&state, any, sizeof state);
    return (psi_any_state)state;
}
ps_status psi_any_set(const ps_type *type, ps_heap *heap, uint8_t *any, const ps_view *view,
                      int64_t at, ps_error *err); /* physical row; NULL counts */
ps_status psi_any_copy(const ps_type *type, ps_heap *to_heap, uint8_t *to, const ps_heap *from_heap,
                       const uint8_t *from, ps_error *err);
ps_status psi_any_build(const ps_type *type, const ps_heap *heap, const uint8_t *any,
                        ps_builder *out, ps_error *err); /* NONE gives NULL */
/* Order of the stored value and a row, or of two stored ones; neither may be NULL. */
ps_status psi_any_compare_row(const ps_type *type, const ps_heap *heap, const uint8_t *any,
                              const ps_view *view, int64_t at, int *order, ps_error *err);
ps_status psi_any_compare(const ps_type *type, const ps_heap *heap_a, const uint8_t *a,
                          const ps_heap *heap_b, const uint8_t *b, int *order, ps_error *err);
/* A column of stored values, `offset` into each buffer. */
ps_status psi_any_finish(const ps_type *type, const ps_agg_groups *from, size_t offset, int64_t n,
                         ps_vec **out, ps_error *err);

/* --- all values of a group, one behind the other (agg_collect.c)
 * -------------------------------------------- */
typedef struct psi_list {
    int64_t n;
    ps_cell values;
    ps_cell index; /* of a set: its values by hash, pairs of 32 bits: hash, offset + 1 */
} psi_list;
#define PSI_LIST_BYTES offsetof(psi_list, index)
ps_status psi_list_shape(ps_fn_call *call, bool is_set, ps_agg_shape *shape);
ps_status psi_list_update(const ps_agg_shape *shape, const ps_agg_groups *to, ps_vec *const *args,
                          const ps_rows *rows, ps_error *err);
ps_status psi_list_merge(const ps_agg_shape *shape, const ps_agg_groups *to,
                         const ps_agg_groups *from, int64_t n, ps_error *err);
#endif
