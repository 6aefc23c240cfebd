/* expr/fn_misc.c - greatest and least, random numbers, identifiers, types, assertions, facts about the session. */
#include "base/hash.h"
#include "col/type_text.h"
#include "expr/fn_args.h"
#include "expr/fn_int.h"
#include <math.h>
#include <stdlib.h>

/* --- greatest, least, isnan ----------------------------------------------------------------------------------------------- */
PSI_ALWAYS ps_status extreme(const ps_fn_run *run, const ps_view *views, int64_t i, int sign, ps_builder *b, ps_error *err)
{
    int best = -1;

    for (int k = 0; k < run->n_args; k++) {
        if (ps_view_is_null(&views[k], i))
            continue;
        if (best < 0 || sign * ps_vec_compare(run->args[k], i, run->args[best], i, true) > 0)
            best = k;
    }
    return best < 0 ? ps_build_null(b, err) : ps_build_from(b, run->args[best], i, err);
}
static ps_status greatest_row(const ps_fn_run *run, const ps_view *views, int64_t i, ps_builder *b, ps_error *err)
{
    return extreme(run, views, i, 1, b, err);
}
static ps_status least_row(const ps_fn_run *run, const ps_view *views, int64_t i, ps_builder *b, ps_error *err)
{
    return extreme(run, views, i, -1, b, err);
}
PSI_KERNEL(greatest) { return psi_kernel_values(run, 0, greatest_row, result, err); }
PSI_KERNEL(least) { return psi_kernel_values(run, 0, least_row, result, err); }

/* NULL only when every argument is. */
ps_status psi_bind_extreme(ps_fn_call *call, ps_error *err);
ps_status psi_bind_extreme(ps_fn_call *call, ps_error *err)
{
    PS_UNUSED(err);
    call->nullable = true;
    for (int i = 0; i < call->n_args; i++)
        call->nullable &= call->args[i]->nullable;
    return PS_OK;
}

ps_status psi_isnan(ps_fn_run *run, ps_vec **out, ps_error *err);
ps_status psi_isnan(ps_fn_run *run, ps_vec **out, ps_error *err)
{
    bool single = run->args[0]->type->kind == PS_FLOAT;
    ps_view view;
    ps_vec *vec;

    ps_view_init(&view, run->args[0]);
    PS_TRY(ps_vec_new(run->type, run->rows->n_rows, false, &vec, err));
    PS_EACH_ROW(run->rows, i)
        ((uint8_t *)vec->data)[i] = !ps_view_is_null(&view, i) &&
                                    (single ? PSI_AT(float, &view, i) != PSI_AT(float, &view, i) : PSI_AT(double, &view, i) != PSI_AT(double, &view, i));
    *out = vec;
    return PS_OK;
}

/* --- random numbers: Spark's XORShiftRandom, so a seed gives the numbers it gives there ----------------------------------- */
typedef struct psi_random {
    bool started;
    uint64_t batch; /* env->seed: every batch begins anew */
    uint64_t state;
    double spare;   /* the second of two normal numbers */
    bool has_spare;
} psi_random;
_Static_assert(sizeof(psi_random) <= 64, "the rows of fn_misc.def reserve that much");

static uint32_t rotate(uint32_t x, int n) { return x << n | x >> (32 - n); }

/* scala.util.hashing.MurmurHash3.bytesHash of the 8 bytes of a long, the highest first. */
static uint32_t murmur_of_long(uint64_t value, uint32_t seed)
{
    uint32_t h = seed;

    value = __builtin_bswap64(value);
    for (int i = 0; i < 2; i++) {
        uint32_t k = (uint32_t)(value >> (32 * i));
        h ^= rotate(k * 0xcc9e2d51u, 15) * 0x1b873593u;
        h = rotate(h, 13) * 5 + 0xe6546b64u;
    }
    h ^= 8;
    h = (h ^ h >> 16) * 0x85ebca6bu;
    h = (h ^ h >> 13) * 0xc2b2ae35u;
    return h ^ h >> 16;
}

static void start_random(psi_random *random, uint64_t seed)
{
    uint32_t low = murmur_of_long(seed, 0x3c074a61);

    random->state = (uint64_t)murmur_of_long(seed, low) << 32 | low;
    random->started = true;
    random->has_spare = false;
}

static uint64_t next_bits(psi_random *random, int bits)
{
    uint64_t x = random->state;

    x ^= x << 21;
    x ^= x >> 35;
    x ^= x << 4;
    random->state = x;
    return x & ((1ull << bits) - 1);
}

static double next_double(psi_random *random)
{
    uint64_t high = next_bits(random, 26);

    return (double)((high << 27) + next_bits(random, 27)) * 0x1p-53;
}

/* As java.util.Random.nextGaussian: the polar method. */
static double next_gaussian(psi_random *random)
{
    double v1, v2, s;

    if (random->has_spare) {
        random->has_spare = false;
        return random->spare;
    }
    do {
        v1 = 2 * next_double(random) - 1;
        v2 = 2 * next_double(random) - 1;
        s = v1 * v1 + v2 * v2;
    } while (s >= 1 || s == 0);
    s = sqrt(-2 * log(s) / s);
    random->spare = v2 * s;
    random->has_spare = true;
    return v1 * s;
}

static ps_status random_numbers(ps_fn_run *run, double (*next)(psi_random *), ps_vec **out, ps_error *err)
{
    psi_random *random = run->scratch;
    int64_t seed = (int64_t)run->env->seed;
    ps_vec *vec;

    if (run->n_args == 1) {
        ps_view view;
        ps_view_init(&view, run->args[0]);
        seed = ps_view_is_null(&view, 0) ? 0 : PSI_AT(int64_t, &view, 0);
    }
    if (!random->started || random->batch != run->env->seed)
        start_random(random, (uint64_t)seed);
    random->batch = run->env->seed;
    PS_TRY(ps_vec_new(run->type, run->rows->n_rows, false, &vec, err));
    PS_EACH_ROW(run->rows, i)
        ((double *)vec->data)[i] = next(random);
    *out = vec;
    return PS_OK;
}
ps_status psi_rand(ps_fn_run *run, ps_vec **out, ps_error *err);
ps_status psi_rand(ps_fn_run *run, ps_vec **out, ps_error *err) { return random_numbers(run, next_double, out, err); }
ps_status psi_randn(ps_fn_run *run, ps_vec **out, ps_error *err);
ps_status psi_randn(ps_fn_run *run, ps_vec **out, ps_error *err) { return random_numbers(run, next_gaussian, out, err); }

ps_status psi_uuid(ps_fn_run *run, ps_vec **out, ps_error *err);
ps_status psi_uuid(ps_fn_run *run, ps_vec **out, ps_error *err)
{
    char text[37];
    ps_builder *b;
    ps_status rc = PS_OK;

    PS_TRY(ps_build_new(run->type, run->rows->n, &b, err));
    for (int64_t j = 0; j < run->rows->n; j++) {
        ps_uuid_text(text);
        PS_TRY_OR(done, ps_build_text(b, text, 36, err));
    }
done:
    return psi_kernel_built(run, b, rc, out, err);
}

/* --- row numbers ------------------------------------------------------------------------------------------------------------- */
typedef struct psi_counter {
    uint64_t batch;
    int64_t next;
} psi_counter;
_Static_assert(sizeof(psi_counter) <= 64, "the rows of fn_misc.def reserve that much");

ps_status psi_increasing_id(ps_fn_run *run, ps_vec **out, ps_error *err);
ps_status psi_increasing_id(ps_fn_run *run, ps_vec **out, ps_error *err)
{
    psi_counter *counter = run->scratch;
    ps_vec *vec;

    if (counter->batch != run->env->seed)
        counter->next = 0;
    counter->batch = run->env->seed;
    if (run->env->rows_before > counter->next)
        counter->next = run->env->rows_before;
    PS_TRY(ps_vec_new(run->type, run->rows->n_rows, false, &vec, err));
    PS_EACH_ROW(run->rows, i)
        ((int64_t *)vec->data)[i] = counter->next++;
    *out = vec;
    return PS_OK;
}

/* --- constants --------------------------------------------------------------------------------------------------------------- */
#define CONSTANT_TEXT(name, TEXT)                                                                  \
    ps_status psi_##name(ps_fn_run *run, ps_vec **out, ps_error *err);                             \
    ps_status psi_##name(ps_fn_run *run, ps_vec **out, ps_error *err) { return psi_kernel_same_text(run, TEXT, out, err); }
CONSTANT_TEXT(current_catalog, "spark_catalog")
CONSTANT_TEXT(current_schema, "default")
CONSTANT_TEXT(current_user, getenv("USER") ? getenv("USER") : "root")
CONSTANT_TEXT(version, "4.0.0 pystream")
CONSTANT_TEXT(input_file_name, "")

ps_status psi_zero(ps_fn_run *run, ps_vec **out, ps_error *err);
ps_status psi_zero(ps_fn_run *run, ps_vec **out, ps_error *err) { return psi_kernel_same_int(run, 0, out, err); }
ps_status psi_minus_one(ps_fn_run *run, ps_vec **out, ps_error *err);
ps_status psi_minus_one(ps_fn_run *run, ps_vec **out, ps_error *err) { return psi_kernel_same_int(run, -1, out, err); }

ps_status psi_typeof(ps_fn_run *run, ps_vec **out, ps_error *err);
ps_status psi_typeof(ps_fn_run *run, ps_vec **out, ps_error *err)
{
    ps_bytes text = {0};
    ps_status rc;

    PS_TRY_OR(done, ps_type_simple_text(run->node->args[0]->type, &text, err));
    rc = psi_kernel_same_text(run, text.data, out, err);
done:
    ps_bytes_clear(&text);
    return rc;
}

/* --- assertions ---------------------------------------------------------------------------------------------------------------- */
/* The first live row raises. */
ps_status psi_raise_error(ps_fn_run *run, ps_vec **out, ps_error *err);
ps_status psi_raise_error(ps_fn_run *run, ps_vec **out, ps_error *err)
{
    int64_t row = ps_row(run->rows, 0);
    ps_slice text = {"null", 4};
    ps_view view;

    *out = NULL;
    ps_view_init(&view, run->args[0]);
    if (!ps_view_is_null(&view, row) && run->args[0]->type->kind == PS_STRING)
        text = psi_text_at(&view, row);
    return ps_raise(err, PS_E_USER_RAISED, (int)text.n_bytes, text.data);
}

ps_status psi_text_raise_error(const ps_fn_call *call, ps_bytes *out, ps_error *err);
ps_status psi_text_raise_error(const ps_fn_call *call, ps_bytes *out, ps_error *err)
{
    return ps_bytes_printf(out, err, "raise_error(USER_RAISED_EXCEPTION, map(errorMessage, %s))", call->args[0]->text ? call->args[0]->text : "");
}

ps_status psi_bind_assert_true(ps_fn_call *call, ps_error *err);
ps_status psi_bind_assert_true(ps_fn_call *call, ps_error *err)
{
    ps_bytes text = {0};
    ps_status rc;

    if (call->n_args == 2)
        return PS_OK;
    PS_TRY_OR(done, ps_bytes_printf(&text, err, "'%s' is not true!", call->args[0]->text ? call->args[0]->text : ""));
    rc = ps_fn_add_text(call, text.data, err);
done:
    ps_bytes_clear(&text);
    return rc;
}

ps_status psi_assert_true(ps_fn_run *run, ps_vec **out, ps_error *err);
ps_status psi_assert_true(ps_fn_run *run, ps_vec **out, ps_error *err)
{
    ps_view conditions, messages;

    ps_view_init(&conditions, run->args[0]);
    ps_view_init(&messages, run->args[1]);
    PS_EACH_ROW(run->rows, i) {
        if (!ps_view_is_null(&conditions, i) && PSI_AT(uint8_t, &conditions, i))
            continue;
        ps_slice text = ps_view_is_null(&messages, i) ? ps_slice_of("null") : psi_text_at(&messages, i);
        return ps_raise(err, PS_E_USER_RAISED, (int)text.n_bytes, text.data);
    }
    return ps_vec_null(run->type, run->rows->n_rows, out, err);
}

/* A seed is a BIGINT. */
ps_status psi_bind_rand(ps_fn_call *call, ps_error *err);
ps_status psi_bind_rand(ps_fn_call *call, ps_error *err)
{
    return call->n_args == 1 ? ps_fn_cast_arg(call, 0, ps_type_of(PS_INT64), err) : PS_OK;
}
