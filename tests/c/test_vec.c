/*
 * tests/c/test_vec.c - vectors of every shape, builders and batches: what text tests cannot reach.
 */
#include "col/batch.h"
#include "col/build.h"
#include "col/row.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static ps_error err;
#define OK(x) assert_int_equal((x), PS_OK)

static ps_vec *ints(int n, ...)
{
    ps_builder *b;
    ps_vec *vec;
    va_list args;

    OK(ps_build_new(ps_type_of(PS_INT32), 0, &b, &err));
    va_start(args, n);
    for (int i = 0; i < n; i++) {
        int x = va_arg(args, int);
        OK(x == -1 ? ps_build_null(b, &err) : ps_build_int(b, x, &err)); /* -1 stands for NULL */
    }
    va_end(args);
    OK(ps_build_finish(b, &vec, &err));
    ps_build_free(b);
    return vec;
}

static int at(const ps_vec *vec, int64_t row)
{
    ps_view view;
    ps_view_init(&view, vec);
    return ps_view_is_null(&view, row) ? -1 : ((const int32_t *)view.data)[ps_at(&view, row)];
}

static const char *const words[] = {"", "short", "exactly12byt", "thirteen byte", "a text that is far too long to be inline"};

/* struct<s: string, l: array<string>>, row i: (words[i % 5] or NULL, the first i % 4 words), every 7th NULL. */
static ps_vec *nested(int n)
{
    const ps_type *list, *type;
    ps_builder *b;
    ps_vec *vec;

    OK(ps_type_array(ps_type_of(PS_STRING), true, &list, &err));
    ps_field fields[2] = {{"s", ps_type_of(PS_STRING), true, NULL}, {"l", list, true, NULL}};
    OK(ps_type_struct(fields, 2, &type, &err));
    OK(ps_build_new(type, 4, &b, &err));
    for (int i = 0; i < n; i++) {
        ps_builder *l = ps_build_child(b, 1);
        if (i % 7 == 6) {
            OK(ps_build_null(b, &err));
            continue;
        }
        OK(ps_build_struct(b, &err));
        OK(i % 3 ? ps_build_text(ps_build_child(b, 0), words[i % 5], strlen(words[i % 5]), &err)
                 : ps_build_null(ps_build_child(b, 0), &err));
        OK(ps_build_list(l, 0, &err));
        for (int k = 0; k < i % 4; k++)
            OK(ps_build_text(ps_build_child(l, 0), words[k + 1], strlen(words[k + 1]), &err));
        ps_build_list_end(l);
    }
    OK(ps_build_finish(b, &vec, &err));
    ps_build_free(b);
    ps_type_unref(type);
    ps_type_unref(list);
    return vec;
}

static void shapes_read_alike(void **state)
{
    ps_vec *flat = ints(5, 10, -1, 30, 40, 50), *slice, *dict, *twice, *constant, *back;
    int32_t index[] = {4, 1, 0, 0};
    int32_t again[] = {3, 1};

    (void)state;
    OK(ps_vec_slice(flat, 1, 3, &slice, &err));
    assert_int_equal(at(slice, 0), -1);
    assert_int_equal(at(slice, 2), 40);
    OK(ps_vec_take(flat, index, 4, NULL, &dict, &err));
    assert_int_equal(at(dict, 0), 50);
    assert_int_equal(at(dict, 1), -1);
    assert_int_equal(ps_vec_null_count(dict), 1);
    OK(ps_vec_take(dict, again, 2, NULL, &twice, &err));
    assert_int_equal(at(twice, 0), 10);
    assert_int_equal(at(twice, 1), -1);
    OK(ps_vec_repeat(dict, 0, 3, &constant, &err));
    assert_int_equal(at(constant, 2), 50);
    OK(ps_vec_flatten(twice, &back, &err));
    assert_int_equal(back->shape, PS_FLAT);
    assert_int_equal(at(back, 1), -1);
    ps_vec_unref(flat);
    assert_int_equal(at(constant, 1), 50);
    ps_vec_unref(slice);
    ps_vec_unref(dict);
    ps_vec_unref(twice);
    ps_vec_unref(constant);
    ps_vec_unref(back);
}

static void nested_values_survive_every_copy(void **state)
{
    ps_vec *vec = nested(200), *slice, *dict, *flat, *copy, *parts[3], *all;
    int32_t rows[150];

    (void)state;
    for (int i = 0; i < 150; i++)
        rows[i] = 149 - i;
    OK(ps_vec_slice(vec, 13, 150, &slice, &err));
    OK(ps_vec_take(slice, rows, 150, NULL, &dict, &err));
    OK(ps_vec_flatten(dict, &flat, &err));
    OK(ps_vec_copy(dict, NULL, 150, &copy, &err));
    parts[0] = copy;
    parts[1] = slice;
    OK(ps_vec_repeat(vec, 8, 5, &parts[2], &err));
    OK(ps_vec_concat(parts, 3, &all, &err));
    for (int i = 0; i < 150; i++) {
        assert_true(ps_vec_equal_rows(vec, 13 + 149 - i, dict, i));
        assert_true(ps_vec_equal_rows(flat, i, dict, i));
        assert_true(ps_vec_equal_rows(copy, i, dict, i));
        assert_true(ps_vec_equal_rows(all, i, copy, i));
        assert_true(ps_vec_equal_rows(all, 150 + i, slice, i));
    }
    assert_true(ps_vec_equal_rows(all, 303, vec, 8));
    uint64_t a[150], b[150];
    ps_vec_hash(dict, NULL, 150, 0, false, a);
    ps_vec_hash(copy, NULL, 150, 0, false, b);
    assert_memory_equal(a, b, sizeof a);
    ps_vec_unref(vec);
    ps_vec_unref(slice);
    ps_vec_unref(dict);
    ps_vec_unref(flat);
    ps_vec_unref(parts[2]);
    assert_true(ps_vec_equal_rows(all, 3, copy, 3));
    ps_vec_unref(copy);
    ps_vec_unref(all);
}

static void a_row_taken_back_leaves_no_trace(void **state)
{
    ps_vec *vec = nested(20), *expected = nested(20), *built;
    ps_builder *b;

    (void)state;
    OK(ps_build_new(vec->type, 0, &b, &err));
    for (int i = 0; i < 20; i++) {
        OK(ps_build_from(b, vec, i, &err));
        OK(ps_build_from(b, vec, 6, &err));
        OK(ps_build_from(b, vec, 7, &err));
        ps_build_pop(b, i + 1);
    }
    OK(ps_build_finish(b, &built, &err));
    for (int i = 0; i < 20; i++)
        assert_true(ps_vec_equal_rows(built, i, expected, i));
    assert_int_equal(ps_vec_null_count(built), 2);
    ps_build_free(b);
    ps_vec_unref(vec);
    ps_vec_unref(expected);
    ps_vec_unref(built);
}

static void batches_select_and_join_up(void **state)
{
    ps_batch *batch, *some, *slice, *compact, *all;
    ps_batches list = {0};
    ps_buf *sel;
    const ps_type *types[] = {ps_type_of(PS_INT32)};

    (void)state;
    OK(ps_batch_new(1, 5, &batch, &err));
    batch->cols[0] = ints(5, 1, 2, -1, 4, 5);
    OK(ps_buf_new(3 * sizeof(int32_t), &sel, &err));
    memcpy(sel->data, (int32_t[]){1, 2, 4}, 12);
    OK(ps_batch_select(batch, sel, 3, &some, &err));
    OK(ps_batch_slice(some, 1, 2, &slice, &err));
    OK(ps_batch_compact(slice, &compact, &err));
    assert_int_equal(compact->n_rows, 2);
    assert_int_equal(at(compact->cols[0], 0), -1);
    assert_int_equal(at(compact->cols[0], 1), 5);
    OK(ps_batches_concat(&list, 1, types, &all, &err));
    assert_int_equal(all->n_rows, 0);
    ps_batch_unref(all);
    OK(ps_batches_add(&list, some, &err));
    OK(ps_batches_add(&list, batch, &err));
    OK(ps_batches_concat(&list, 1, types, &all, &err));
    assert_int_equal(all->n_rows, 8);
    assert_int_equal(at(all->cols[0], 2), 5);
    assert_int_equal(at(all->cols[0], 5), -1);
    ps_batches_clear(&list);
    ps_batch_unref(all);
    ps_batch_unref(compact);
    ps_batch_unref(slice);
    ps_batch_unref(some);
    ps_batch_unref(batch);
}

static void floats_order_and_hash_as_spark(void **state)
{
    ps_builder *b;
    ps_vec *vec;
    uint64_t h[5];

    (void)state;
    OK(ps_build_new(ps_type_of(PS_DOUBLE), 0, &b, &err));
    double values[] = {0.0, -0.0, __builtin_nan(""), -__builtin_nan("7"), __builtin_inf()};
    for (int i = 0; i < 5; i++)
        OK(ps_build_double(b, values[i], &err));
    OK(ps_build_finish(b, &vec, &err));
    ps_vec_hash(vec, NULL, 5, 1, false, h);
    assert_true(h[0] == h[1] && h[2] == h[3] && h[0] != h[2]);
    assert_true(ps_vec_equal_rows(vec, 0, vec, 1));
    assert_true(ps_vec_compare(vec, 2, vec, 4, true) > 0);
    ps_vec_unref(vec);
    ps_build_free(b);
}

/* The order of keys is that of values, for types of every kind, up and down, NULLs first and last. */
static void keys_sort_as_values_do(void **state)
{
    ps_vec *strange = nested(60), *numbers = ints(6, 5, -1, -2, 0, 2147483647, -70000);
    const ps_vec *cols[1];
    ps_bytes keys = {0};
    size_t offsets[61];

    (void)state;
    for (int mode = 0; mode < 8; mode++) {
        const ps_vec *vec = mode & 1 ? numbers : strange;
        ps_row_order order = {mode & 2, mode & 4};
        ps_rows rows = {vec->n_rows, NULL, vec->n_rows};
        cols[0] = vec;
        ps_bytes_reset(&keys);
        OK(ps_row_keys(cols, &order, 1, &rows, &keys, offsets, &err));
        for (int i = 0; i < vec->n_rows; i++) {
            for (int j = 0; j < vec->n_rows; j++) {
                bool null = ps_vec_is_null(vec, i) || ps_vec_is_null(vec, j);
                int expected = ps_vec_compare(vec, i, vec, j, order.nulls_first);
                int got = ps_row_compare(keys.data + offsets[i], offsets[i + 1] - offsets[i], keys.data + offsets[j],
                                         offsets[j + 1] - offsets[j]);
                if (order.descending && !null)
                    expected = -expected;
                assert_int_equal((got > 0) - (got < 0), (expected > 0) - (expected < 0));
            }
        }
    }
    ps_bytes_clear(&keys);
    ps_vec_unref(strange);
    ps_vec_unref(numbers);
}

/* Every allocation of a little program fails in turn: an ordinary error each time, and nothing leaks. */
static void running_out_of_memory_is_an_error(void **state)
{
    size_t before = ps_mem_used();

    (void)state;
    for (int64_t nth = 1; nth < 1000; nth++) {
        ps_vec *vec = nested(30), *dict = NULL, *copy = NULL, *all = NULL, *flat = NULL;
        int32_t rows[] = {5, 6, 7};
        ps_status rc;
        ps_mem_fail_at(nth);
        rc = ps_vec_take(vec, rows, 3, NULL, &dict, &err);
        if (rc == PS_OK)
            rc = ps_vec_flatten(dict, &flat, &err);
        if (rc == PS_OK)
            rc = ps_vec_copy(dict, NULL, 3, &copy, &err);
        if (rc == PS_OK)
            rc = ps_vec_concat((ps_vec *[]){vec, dict, copy}, 3, &all, &err);
        ps_mem_fail_at(0);
        ps_vec_unref(vec);
        ps_vec_unref(dict);
        ps_vec_unref(copy);
        ps_vec_unref(flat);
        ps_vec_unref(all);
        assert_int_equal(ps_mem_used(), before);
        if (rc == PS_OK)
            return;
        assert_int_equal(rc, PS_E_NO_MEMORY);
    }
    fail_msg("never succeeded");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_read_alike),
        cmocka_unit_test(nested_values_survive_every_copy),
        cmocka_unit_test(a_row_taken_back_leaves_no_trace),
        cmocka_unit_test(batches_select_and_join_up),
        cmocka_unit_test(floats_order_and_hash_as_spark),
        cmocka_unit_test(keys_sort_as_values_do),
        cmocka_unit_test(running_out_of_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
