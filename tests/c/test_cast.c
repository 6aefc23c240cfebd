/* tests/c/test_cast.c - what the text of a query cannot reach about casts: selections, shapes, memory. */
#include "expr/cast.h"
#include "col/build.h"
#include "col/type_text.h"
#include "unit.h"

static ps_eval_env env;
static const ps_rows all4 = {4, NULL, 4};

static int set_up(void **state)
{
    PS_UNUSED(state);
    env = (ps_eval_env){ps_zone_utc(), true, 0, 1, 0, NULL};
    return 0;
}

static const ps_type *type_of(const char *text)
{
    const ps_type *type;

    OK(ps_type_parse(ps_slice_of(text), &type, &err));
    return type;
}

static ps_vec *texts(const char *const *values, int n)
{
    ps_builder *b;
    ps_vec *vec;

    OK(ps_build_new(ps_type_of(PS_STRING), n, &b, &err));
    for (int i = 0; i < n; i++)
        OK(values[i] ? ps_build_text(b, values[i], strlen(values[i]), &err) : ps_build_null(b, &err));
    OK(ps_build_finish(b, &vec, &err));
    ps_build_free(b);
    return vec;
}

/* Four arrays of texts: ["1", "2"], ["x"], NULL, ["3", NULL]. */
static ps_vec *arrays_of_texts(void)
{
    const ps_type *type = type_of("array<string>");
    ps_builder *b, *items;
    ps_vec *vec;

    OK(ps_build_new(type, 4, &b, &err));
    items = ps_build_child(b, 0);
    OK(ps_build_list(b, 2, &err));
    OK(ps_build_text(items, "1", 1, &err));
    OK(ps_build_text(items, "2", 1, &err));
    OK(ps_build_list(b, 1, &err));
    OK(ps_build_text(items, "x", 1, &err));
    OK(ps_build_null(b, &err));
    OK(ps_build_list(b, 2, &err));
    OK(ps_build_text(items, "3", 1, &err));
    OK(ps_build_null(items, &err));
    OK(ps_build_finish(b, &vec, &err));
    ps_build_free(b);
    ps_type_unref(type);
    return vec;
}

static int32_t int_at(const ps_vec *vec, int64_t row)
{
    ps_view view;

    ps_view_init(&view, vec);
    assert_false(ps_view_is_null(&view, row));
    return ((const int32_t *)view.data)[ps_at(&view, row)];
}

static void bad_values_outside_of_the_selection_raise_nothing(void **state)
{
    const char *const values[] = {"1", "bad", NULL, "-7"};
    const int32_t sel[] = {0, 2, 3};
    const ps_rows some = {4, sel, 3};
    ps_vec *vec = texts(values, 4), *out;

    PS_UNUSED(state);
    OK(ps_cast_vec(vec, &some, ps_type_of(PS_INT32), PS_CAST_ANSI, false, &env, &out, &err));
    assert_int_equal(int_at(out, 0), 1);
    assert_true(ps_vec_is_null(out, 2));
    assert_int_equal(int_at(out, 3), -7);
    ps_vec_unref(out);
    FAILS(CAST_INPUT_NUMBER, ps_cast_vec(vec, &all4, ps_type_of(PS_INT32), PS_CAST_ANSI, false, &env, &out, &err));
    HAS("The value 'bad' of the type \"STRING\" cannot be cast to \"INT\"");
    OK(ps_cast_vec(vec, &all4, ps_type_of(PS_INT32), PS_CAST_TRY, false, &env, &out, &err));
    assert_true(ps_vec_is_null(out, 1));
    ps_vec_unref(out);
    ps_vec_unref(vec);
}

static void elements_that_no_live_row_reaches_raise_nothing(void **state)
{
    const int32_t sel[] = {0, 2, 3};
    const ps_rows some = {4, sel, 3};
    const ps_type *type = type_of("array<int>");
    ps_vec *vec = arrays_of_texts(), *out;

    PS_UNUSED(state);
    OK(ps_cast_vec(vec, &some, type, PS_CAST_ANSI, false, &env, &out, &err));
    assert_true(ps_vec_is_null(out, 2));
    assert_int_equal(int_at(out->children[0], 1), 2);
    ps_vec_unref(out);
    FAILS(CAST_INPUT_NUMBER, ps_cast_vec(vec, &all4, type, PS_CAST_ANSI, false, &env, &out, &err));
    ps_type_unref(type);
    ps_vec_unref(vec);
}

static void vectors_of_every_shape_are_cast(void **state)
{
    const char *const values[] = {"10", "20"};
    const int32_t index[] = {1, 0, 1, 1};
    ps_vec *vec = texts(values, 2), *dict, *constant, *out;

    PS_UNUSED(state);
    OK(ps_vec_take(vec, index, 4, NULL, &dict, &err));
    OK(ps_cast_vec(dict, &all4, ps_type_of(PS_INT32), PS_CAST_ANSI, false, &env, &out, &err));
    assert_int_equal(int_at(out, 0), 20);
    assert_int_equal(int_at(out, 1), 10);
    ps_vec_unref(out);
    OK(ps_vec_repeat(vec, 1, 4, &constant, &err));
    OK(ps_cast_vec(constant, &all4, ps_type_of(PS_INT32), PS_CAST_ANSI, false, &env, &out, &err));
    assert_int_equal(int_at(out, 3), 20);
    ps_vec_unref(out);
    ps_vec_unref(constant);
    ps_vec_unref(dict);
    ps_vec_unref(vec);
}

static void without_ansi_numbers_wrap_and_text_is_null(void **state)
{
    const char *const values[] = {"1.9", "x", ".", "-0"};
    ps_vec *vec = texts(values, 4), *numbers, *out;
    ps_builder *b;

    PS_UNUSED(state);
    OK(ps_cast_vec(vec, &all4, ps_type_of(PS_INT32), PS_CAST_LEGACY, false, &env, &out, &err));
    assert_int_equal(int_at(out, 0), 1);
    assert_true(ps_vec_is_null(out, 1));
    assert_true(ps_vec_is_null(out, 2));
    assert_int_equal(int_at(out, 3), 0);
    ps_vec_unref(out);
    ps_vec_unref(vec);
    OK(ps_build_new(ps_type_of(PS_INT64), 4, &b, &err));
    OK(ps_build_int(b, INT64_MIN, &err));
    OK(ps_build_int(b, INT64_MAX, &err));
    OK(ps_build_int(b, 2147483648, &err));
    OK(ps_build_int(b, 300, &err));
    OK(ps_build_finish(b, &numbers, &err));
    ps_build_free(b);
    OK(ps_cast_vec(numbers, &all4, ps_type_of(PS_INT32), PS_CAST_LEGACY, false, &env, &out, &err));
    assert_int_equal(int_at(out, 0), 0);
    assert_int_equal(int_at(out, 1), -1);
    assert_int_equal(int_at(out, 2), INT32_MIN);
    ps_vec_unref(out);
    FAILS(CAST_OVERFLOW, ps_cast_vec(numbers, &all4, ps_type_of(PS_INT32), PS_CAST_ANSI, false, &env, &out, &err));
    HAS("-9223372036854775808L");
    ps_vec_unref(numbers);
}

static void the_matrix_knows_what_may_be_null(void **state)
{
    static const struct {
        const char *from, *to;
        bool ansi, legacy;
    } pairs[] = {
        {"int", "date", false, false},           {"date", "int", false, true},
        {"boolean", "timestamp", false, true},   {"int", "binary", false, true},
        {"array<int>", "array<string>", true, true}, {"array<string>", "array<int>", true, true},
        {"array<int>", "string", true, true},    {"map<string,int>", "map<int,int>", true, false},
        {"struct<a:int>", "struct<a:int,b:int>", false, false}, {"struct<a:int>", "struct<b:string>", true, true},
        {"struct<a:int>", "struct<a:int not null>", false, false}, {"interval day", "interval month", false, false},
        {"int", "interval day", true, true},     {"double", "interval day", false, false},
    };

    PS_UNUSED(state);
    for (size_t i = 0; i < PS_COUNT_OF(pairs); i++) {
        const ps_type *from = type_of(pairs[i].from), *to = type_of(pairs[i].to);
        if (ps_can_cast(from, to, PS_CAST_ANSI) != pairs[i].ansi || ps_can_cast(from, to, PS_CAST_LEGACY) != pairs[i].legacy)
            fail_msg("%s to %s", pairs[i].from, pairs[i].to);
        ps_type_unref(from);
        ps_type_unref(to);
    }
    FAILS(DT_CAST_CONF, ps_check_cast(ps_type_of(PS_BOOL), ps_type_of(PS_TIMESTAMP), PS_CAST_ANSI, "b", &err));
    HAS("Cannot resolve \"CAST(b AS TIMESTAMP)\"");
    FAILS(DT_CAST_FUNC, ps_check_cast(ps_type_of(PS_INT32), ps_type_of(PS_DATE), PS_CAST_TRY, "1", &err));
    HAS("`DATE_FROM_UNIX_DATE`");
    FAILS(DT_CAST, ps_check_cast(ps_type_of(PS_INT32), ps_type_of(PS_DATE), PS_CAST_LEGACY, "1", &err));
}

static void running_out_of_memory_is_an_error_and_leaks_nothing(void **state)
{
    const ps_type *type = type_of("array<double>");
    const int32_t sel[] = {0, 3};
    const ps_rows some = {4, sel, 2};
    ps_vec *vec = arrays_of_texts(), *out = NULL;

    PS_UNUSED(state);
    EVERY_ALLOCATION(ps_cast_vec(vec, &some, type, PS_CAST_ANSI, false, &env, &out, &err), (ps_vec_unref(out), out = NULL));
    EVERY_ALLOCATION(ps_cast_vec(vec, &some, ps_type_of(PS_STRING), PS_CAST_ANSI, false, &env, &out, &err),
                     (ps_vec_unref(out), out = NULL));
    ps_type_unref(type);
    ps_vec_unref(vec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_values_outside_of_the_selection_raise_nothing),
        cmocka_unit_test(elements_that_no_live_row_reaches_raise_nothing),
        cmocka_unit_test(vectors_of_every_shape_are_cast),
        cmocka_unit_test(without_ansi_numbers_wrap_and_text_is_null),
        cmocka_unit_test(the_matrix_knows_what_may_be_null),
        cmocka_unit_test(running_out_of_memory_is_an_error_and_leaks_nothing),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
