/*
 * tests/c/test_arrow.c - columns out and in through the Arrow C data interface, and foreign arrays that lie.
 */
#include "col/arrow.h"
#include "col/build.h"
#include "col/type_text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static ps_error err;
#define OK(x) assert_int_equal((x), PS_OK)

static const char ddl[] = "a void, b boolean, c tinyint, d smallint, e int, f bigint, g float, h double, i decimal(38,10), "
                          "j string, k binary, l date, m timestamp, n timestamp_ntz, o interval day to second, "
                          "p interval year to month, q interval, r array<string>, s map<int,array<double>>, "
                          "t struct<x:string,y:array<struct<z:boolean>>>";

static ps_status put(ps_builder *b, int i, int depth)
{
    if (b->type->kind == PS_NULL || (depth > 0 && i % 5 == 3))
        return ps_build_null(b, &err);
    switch (b->type->kind) {
    case PS_BOOL: return ps_build_int(b, i & 1, &err);
    case PS_FLOAT:
    case PS_DOUBLE: return ps_build_double(b, i * 0.5, &err);
    case PS_DECIMAL: return ps_build_int128(b, (__int128)i << 90, &err);
    case PS_CALENDAR: return ps_build_calendar(b, (ps_calendar){i, -i, i * 1000ll}, &err);
    case PS_STRING:
    case PS_BINARY: return ps_build_text(b, "a text that does not fit inline", (size_t)(i % 32), &err);
    case PS_ARRAY:
    case PS_MAP:
        PS_TRY(ps_build_list(b, (uint32_t)(i % 3), &err));
        for (int c = 0; c < b->n_children; c++)
            for (int k = 0; k < i % 3; k++)
                PS_TRY(put(ps_build_child(b, c), i + k, b->type->kind == PS_MAP && c == 0 ? 0 : depth + 1));
        return PS_OK;
    case PS_STRUCT:
        PS_TRY(ps_build_struct(b, &err));
        for (int c = 0; c < b->n_children; c++)
            PS_TRY(put(ps_build_child(b, c), i + c, depth + 1));
        return PS_OK;
    default: return ps_build_int(b, i * 3 - 50, &err);
    }
}

static ps_vec *sample(int n)
{
    const ps_type *type;
    ps_builder *b;
    ps_vec *vec;

    OK(ps_schema_parse(ps_slice_of(ddl), &type, &err));
    OK(ps_build_new(type, 0, &b, &err));
    for (int i = 0; i < n; i++)
        OK(put(b, i, 0));
    OK(ps_build_finish(b, &vec, &err));
    ps_build_free(b);
    ps_type_unref(type);
    return vec;
}

static ps_batch *batch_of(const ps_vec *vec)
{
    ps_batch *batch;

    OK(ps_batch_new(vec->n_children, vec->n_rows, &batch, &err));
    for (int i = 0; i < vec->n_children; i++)
        batch->cols[i] = ps_vec_ref(vec->children[i]);
    return batch;
}

static void every_type_goes_out_and_comes_back(void **state)
{
    ps_vec *vec = sample(200);
    ps_batch *batch = batch_of(vec), *some, *back;
    struct ArrowSchema schema;
    struct ArrowArray array;
    const ps_type *type;
    ps_buf *sel;

    (void)state;
    OK(ps_buf_new(50 * 4, &sel, &err));
    for (int i = 0; i < 50; i++)
        ((int32_t *)(void *)sel->data)[i] = i * 4 + 1;
    OK(ps_batch_select(batch, sel, 50, &some, &err));
    OK(ps_arrow_export_type(vec->type, "", false, "Europe/Berlin", &schema, &err));
    OK(ps_arrow_export_batch(some, &array, &err));
    ps_batch_unref(batch);
    ps_batch_unref(some);
    assert_string_equal(schema.children[12]->format, "tsu:Europe/Berlin");
    OK(ps_arrow_import_batch(&schema, &array, &type, &back, &err));
    array.release(&array);
    schema.release(&schema);
    assert_true(ps_type_equal(type, vec->type));
    for (int c = 0; c < back->n_cols; c++)
        for (int i = 0; i < 50; i++)
            if (!ps_vec_equal_rows(back->cols[c], i, vec->children[c], i * 4 + 1))
                fail_msg("column %d row %d", c, i);
    ps_type_unref(type);
    ps_batch_unref(back);
    ps_vec_unref(vec);
}

static void parts_with_offsets_come_in(void **state)
{
    ps_vec *vec = sample(100), *back;
    struct ArrowSchema schema;
    struct ArrowArray array;

    (void)state;
    OK(ps_arrow_export_type(vec->type, "", false, "UTC", &schema, &err));
    OK(ps_arrow_export_vec(vec, &array, &err));
    for (int64_t start = 1; start < 20; start += 6) {
        array.offset = start;
        array.length = 100 - 2 * start;
        OK(ps_arrow_import_vec(&schema, &array, &back, &err));
        for (int64_t i = 0; i < array.length; i++)
            assert_true(ps_vec_equal_rows(back, i, vec, start + i));
        ps_vec_unref(back);
        for (int64_t c = 0; c < array.n_children; c++) { /* the same slice, of every column by itself */
            int64_t length = array.children[c]->length;
            array.children[c]->offset = start;
            array.children[c]->length = 100 - 2 * start;
            OK(ps_arrow_import_vec(schema.children[c], array.children[c], &back, &err));
            for (int64_t i = 0; i < array.length; i++)
                assert_true(ps_vec_equal_rows(back, i, vec->children[c], start + i));
            array.children[c]->offset = 0;
            array.children[c]->length = length;
            ps_vec_unref(back);
        }
    }
    array.offset = 0;
    array.release(&array);
    schema.release(&schema);
    ps_vec_unref(vec);
}

/* A hand-made array: format, buffers, and perhaps a child or a dictionary. */
typedef struct hand { struct ArrowSchema schema, *child_schema; struct ArrowArray array, *child; const void *buffers[4]; } hand;

static void make(hand *h, const char *format, int64_t length, int64_t n_buffers, const void *b1, const void *b2)
{
    *h = (hand){.buffers = {NULL, b1, b2}};
    h->schema.format = format;
    h->array = (struct ArrowArray){.length = length, .null_count = 0, .n_buffers = n_buffers, .buffers = h->buffers};
}

static void arrays_that_lie_are_refused(void **state)
{
    static const int32_t falling[] = {0, 5, 3, 6}, negative[] = {-4, 0, 3, 6}, far[] = {0, 1, 2, 9}, index[] = {0, 2, 1};
    static const int64_t huge[] = {0, 5, 5000000000, 5000000001};
    hand strings, values, list;
    ps_vec *out;

    (void)state;
    make(&strings, "u", 3, 3, falling, "abcdef");
    assert_int_equal(ps_arrow_import_vec(&strings.schema, &strings.array, &out, &err), PS_E_ARROW_ARRAY);
    make(&strings, "u", 3, 3, negative, "abcdef");
    assert_int_equal(ps_arrow_import_vec(&strings.schema, &strings.array, &out, &err), PS_E_ARROW_ARRAY);
    make(&strings, "U", 3, 3, huge, "abcdef");
    assert_int_equal(ps_arrow_import_vec(&strings.schema, &strings.array, &out, &err), PS_E_ARROW_ARRAY);
    make(&strings, "u", 3, 2, index, NULL);
    assert_int_equal(ps_arrow_import_vec(&strings.schema, &strings.array, &out, &err), PS_E_ARROW_ARRAY);
    make(&strings, "u", -1, 3, index, "");
    assert_int_equal(ps_arrow_import_vec(&strings.schema, &strings.array, &out, &err), PS_E_ARROW_ARRAY);
    make(&values, "i", 2, 2, index, NULL);
    make(&list, "+l", 3, 2, far, NULL);
    list.child_schema = &values.schema;
    list.child = &values.array;
    list.schema.children = &list.child_schema;
    list.schema.n_children = 1;
    assert_int_equal(ps_arrow_import_vec(&list.schema, &list.array, &out, &err), PS_E_ARROW_ARRAY);
    list.array.children = &list.child;
    list.array.n_children = 1;
    assert_int_equal(ps_arrow_import_vec(&list.schema, &list.array, &out, &err), PS_E_ARROW_ARRAY);
    make(&strings, "i", 3, 2, index, NULL); /* index 2 into a dictionary of two */
    strings.schema.dictionary = &values.schema;
    strings.array.dictionary = &values.array;
    assert_int_equal(ps_arrow_import_vec(&strings.schema, &strings.array, &out, &err), PS_E_ARROW_ARRAY);
    strings.array.dictionary = NULL;
    assert_int_equal(ps_arrow_import_vec(&strings.schema, &strings.array, &out, &err), PS_E_ARROW_ARRAY);
    make(&values, "ttu", 1, 2, huge, NULL);
    assert_int_equal(ps_arrow_import_vec(&values.schema, &values.array, &out, &err), PS_E_ARROW_TYPE);
    make(&values, "tss:", 3, 2, (const int64_t[]){0, INT64_MAX, 1}, NULL);
    assert_int_equal(ps_arrow_import_vec(&values.schema, &values.array, &out, &err), PS_E_ARROW_ARRAY);
}

static void dictionaries_become_their_values(void **state)
{
    static const int32_t offsets[] = {0, 3, 6};
    static const uint8_t index[] = {1, 0, 77, 1}, valid[] = {0x0b};
    hand words, codes;
    ps_vec *out;

    (void)state;
    make(&words, "u", 2, 3, offsets, "anncho");
    make(&codes, "C", 4, 2, index, NULL);
    codes.buffers[0] = valid;
    codes.array.null_count = 1;
    codes.schema.dictionary = &words.schema;
    codes.array.dictionary = &words.array;
    OK(ps_arrow_import_vec(&codes.schema, &codes.array, &out, &err));
    assert_true(ps_vec_is_null(out, 2) && !ps_vec_is_null(out, 3));
    assert_true(ps_slice_equal(ps_str_slice((ps_str *)out->data), ps_slice_of("cho")));
    ps_vec_unref(out);
}

static void running_out_of_memory_is_an_error(void **state)
{
    ps_vec *vec = sample(10), *back;
    size_t before = ps_mem_used();

    (void)state;
    for (int64_t nth = 1; nth < 2000; nth++) {
        struct ArrowSchema schema = {0};
        struct ArrowArray array = {0};
        ps_status rc;
        ps_mem_fail_at(nth);
        rc = ps_arrow_export_type(vec->type, "", false, NULL, &schema, &err);
        if (rc == PS_OK)
            rc = ps_arrow_export_vec(vec, &array, &err);
        if (rc == PS_OK && (rc = ps_arrow_import_vec(&schema, &array, &back, &err)) == PS_OK)
            ps_vec_unref(back);
        ps_mem_fail_at(0);
        if (array.release)
            array.release(&array);
        if (schema.release)
            schema.release(&schema);
        assert_int_equal(ps_mem_used(), before);
        if (rc == PS_OK) {
            ps_vec_unref(vec);
            return;
        }
        assert_int_equal(rc, PS_E_NO_MEMORY);
    }
    fail_msg("never succeeded");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_goes_out_and_comes_back),
        cmocka_unit_test(parts_with_offsets_come_in),
        cmocka_unit_test(arrays_that_lie_are_refused),
        cmocka_unit_test(dictionaries_become_their_values),
        cmocka_unit_test(running_out_of_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
