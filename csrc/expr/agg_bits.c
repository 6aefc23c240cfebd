/*
 * expr/agg_bits.c - bit_and, bit_or, bit_xor.
 */
#include "expr/agg_int.h"

typedef struct bits {
    int64_t value, seen;
} bits;
typedef enum variant { BIT_AND, BIT_OR, BIT_XOR } variant;

static ps_status bits_bind(ps_fn_call *call, ps_agg_shape *shape, variant what)
{
    psi_agg_shape(call, sizeof(bits), shape);
    shape->exact = true;
    shape->variant = what;
    return psi_agg_result(call, ps_type_ref(call->args[0]->type), true);
}

static inline void combine(variant what, bits *g, int64_t x)
{
    if (!g->seen)
        g->value = x;
    else if (what == BIT_AND)
        g->value &= x;
    else if (what == BIT_OR)
        g->value |= x;
    else
        g->value ^= x;
    g->seen = 1;
}

#define EACH(T)                                                                                    \
    PSI_AGG_EACH(rows, &view, j, at)                                                               \
    combine(shape->variant, ps_agg_at(to, j), ((const T *)view.data)[at]);                         \
    return PS_OK

static ps_status bits_update(const ps_agg_shape *shape, const ps_agg_groups *to,
                             ps_vec *const *args, const ps_rows *rows, ps_error *err)
{
    ps_view view;

    PS_UNUSED(err);
    ps_view_init(&view, args[0]);
    switch (shape->types[0]->kind) {
    case PS_INT8:
        EACH(int8_t);
    case PS_INT16:
        EACH(int16_t);
    case PS_INT32:
        EACH(int32_t);
    case PS_INT64:
        EACH(int64_t);
    default:
        return PS_OK; /* VOID: nothing but NULLs */
    }
}

static ps_status bits_merge(const ps_agg_shape *shape, const ps_agg_groups *to,
                            const ps_agg_groups *from, int64_t n, ps_error *err)
{
    PS_UNUSED(err);
    for (int64_t j = 0; j < n; j++) {
        const bits *b = ps_agg_at(from, j);
        if (b->seen)
            combine(shape->variant, ps_agg_at(to, j), b->value);
    }
    return PS_OK;
}

static ps_status bits_append(const ps_agg_shape *shape, const ps_agg_groups *from, int64_t j,
                             ps_builder *b, ps_error *err)
{
    const bits *g = ps_agg_at(from, j);

    PS_UNUSED(shape);
    return g->seen ? ps_build_int(b, g->value, err) : ps_build_null(b, err);
}

static ps_status bits_finish(const ps_agg_shape *shape, const ps_agg_groups *from, int64_t n,
                             const ps_type *type, ps_vec **out, ps_error *err)
{
    return psi_agg_built(shape, from, n, type, bits_append, out, err);
}

#define BITS(fn, what)                                                                             \
    static ps_status fn##_bind(ps_fn_call *call, ps_agg_shape *shape, ps_error *err)               \
    {                                                                                              \
        PS_UNUSED(err);                                                                            \
        return bits_bind(call, shape, what);                                                       \
    }                                                                                              \
    const ps_agg_fn psi_agg_##fn = {#fn,        fn##_bind,   NULL, bits_update,                    \
                                    bits_merge, bits_finish, NULL};
BITS(bit_and, BIT_AND)
BITS(bit_or, BIT_OR)
BITS(bit_xor, BIT_XOR)
