/*
 * tests/c/test_kafka_plan.c - arithmetic over positions that no broker has, but a file or a faulty broker may tell.
 */
#include "unit.h"
#include "kafka/plan.h"

static psi_positions from, to;

/* Partition `id` of t, read from `begin` on and ending at `end`. */
static void put(int id, int64_t begin, int64_t end)
{
    OK(psi_positions_set(&from, "t", id, begin, &err));
    OK(psi_positions_set(&to, "t", id, end, &err));
}

static int clear(void **state)
{
    (void)state;
    psi_positions_clear(&from);
    psi_positions_clear(&to);
    return 0;
}

static void sums_stop_at_the_last_number(void **state)
{
    (void)state;
    assert_int_equal(psi_plan_sum(INT64_MAX, 1), INT64_MAX);
    assert_int_equal(psi_plan_sum(INT64_MIN, -1), INT64_MIN);
    assert_int_equal(psi_plan_sum(-3, 5), 2);
    assert_int_equal(psi_plan_gap(-2, INT64_MAX), INT64_MAX);
    assert_int_equal(psi_plan_gap(INT64_MAX, -2), INT64_MIN);
    put(0, 0, INT64_MAX);
    put(1, 5, INT64_MAX);
    put(2, 7, 3);
    assert_int_equal(psi_plan_distance(&from, &to), INT64_MAX - 4);
    OK(psi_positions_set(&to, "t", 2, 9, &err));
    assert_int_equal(psi_plan_distance(&from, &to), INT64_MAX);
}

static void shares_of_a_backlog_that_is_no_number(void **state)
{
    psi_positions end = {0};

    (void)state;
    put(0, 0, INT64_MAX);
    put(1, INT64_MAX - 4, INT64_MAX);
    put(2, 100, 100);
    OK(psi_plan_limit(&from, &to, 10, &end, &err));
    assert_int_equal(end.items[0].offset, 10);
    assert_int_equal(end.items[1].offset, INT64_MAX - 3);
    assert_int_equal(end.items[2].offset, 100);
    psi_positions_clear(&end);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(sums_stop_at_the_last_number, clear),
        cmocka_unit_test_teardown(shares_of_a_backlog_that_is_no_number, clear),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
