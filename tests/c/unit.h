/*
 * tests/c/unit.h - what every C test begins with.
 */
#ifndef PS_TESTS_UNIT_H
#define PS_TESTS_UNIT_H
#include "base/bytes.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

static ps_error err;
/* Shows the message of what failed. */
#define OK(x)                                                                                      \
    do {                                                                                           \
        if ((x) != PS_OK)                                                                          \
            fail_msg("%s: %s", #x, err.message);                                                   \
    } while (0)
#define FAILS(code_, x) assert_int_equal((x), PS_E_##code_)
#define HAS(text) assert_non_null(strstr(err.message, (text)))
#define TEXT(bytes, expected) assert_string_equal((bytes)->data, (expected))

/* Makes every allocation of `body` fail in turn: it must return PS_E_NO_MEMORY without leak until it succeeds. */
#define EVERY_ALLOCATION(call, cleanup)                                                            \
    do {                                                                                           \
        size_t before_ = ps_mem_used();                                                            \
        for (int64_t nth_ = 1;; nth_++) {                                                          \
            ps_mem_fail_at(nth_);                                                                  \
            ps_status rc_ = (call);                                                                \
            ps_mem_fail_at(0);                                                                     \
            cleanup;                                                                               \
            assert_int_equal(ps_mem_used(), before_);                                              \
            if (rc_ == PS_OK)                                                                      \
                break;                                                                             \
            assert_int_equal(rc_, PS_E_NO_MEMORY);                                                 \
        }                                                                                          \
    } while (0)
#endif
