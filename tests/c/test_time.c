/*
 * tests/c/test_time.c - dates, timestamps, zones, patterns and intervals; expected values are Spark's (goldens of
 * exprs_cast, exprs_datetime, exprs_interval) and java.time's.
 */
#include "col/time.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

static ps_error err;
#define OK(x) assert_int_equal((x), PS_OK)

static const ps_zone *zone(const char *name)
{
    const ps_zone *z;
    OK(ps_zone_find(name, &z, &err));
    return z;
}

static void timestamps_read_as_spark_casts_do(void **state)
{
    static const struct { const char *in, *out; bool has_zone; } rows[] = {
        {"2024", "2024-01-01 00:00:00", false}, {"2024-01", "2024-01-01 00:00:00", false},
        {"2024-01-02  03:04:05", NULL, false}, {"2024-01-02 03", "2024-01-02 03:00:00", false},
        {"2024-01-02 03:04:05 ", "2024-01-02 03:04:05", false},
        {"2024-01-02 03:04:05 Europe/Paris", "2024-01-02 02:04:05", true},
        {"2024-01-02 03:04:05 GMT+2", "2024-01-02 01:04:05", true},
        {"2024-01-02 03:04:05 Nowhere/City", NULL, true}, {"2024-01-02 03:04:05 PST", "2024-01-02 11:04:05", true},
        {"2024-01-02 03:04:05+0130", "2024-01-02 01:34:05", true}, {"2024-01-02 03:04:05+01:30:15", "2024-01-02 01:33:50", true},
        {"2024-01-02 03:04:05+1", "2024-01-02 02:04:05", true}, {"2024-01-02 03:04:05+19:00", NULL, true},
        {"2024-01-02 03:04:05.1", "2024-01-02 03:04:05.1", false},
        {"2024-01-02T03:04:05.1234567890Z", "2024-01-02 03:04:05.123456", true},
        {"2024-01-02 03:04Z", NULL, false}, {"2024-01-02 23:59:60", NULL, false}, {"2024-01-02 24:00:00", NULL, false},
        {"2024-01-02 3:4:5", "2024-01-02 03:04:05", false}, {"2024-01-02T", NULL, false}, {"2024-01-02t03:04:05", NULL, false},
        {"2024-02-30 00:00:00", NULL, false}, {"abc", NULL, false}, {"", NULL, false}, {"1", NULL, false},
        {"2024-01-02 03:04:05.", "2024-01-02 03:04:05", false}, {"-0044-03-15", "-0044-03-15 00:00:00", false},
        {"294247-01-10 04:00:54.775807", "+294247-01-10 04:00:54.775807", false}, {"294248-01-01", NULL, false},
        {"2024:01-02 03:04:05", NULL, false}, {"2024-0a-02 03:04:05", NULL, false}, {"2024-01-02 03:0/:05", NULL, false}};
    char out[48];
    int64_t us;
    bool has_zone;

    (void)state;
    for (size_t i = 0; i < PS_COUNT_OF(rows); i++) {
        bool good = ps_parse_timestamp(ps_slice_of(rows[i].in), ps_zone_utc(), &us, &has_zone);
        if (good != (rows[i].out != NULL))
            fail_msg("%s", rows[i].in);
        if (!good)
            continue;
        assert_int_equal(has_zone, rows[i].has_zone);
        out[ps_format_timestamp(us, ps_zone_utc(), out)] = '\0';
        assert_string_equal(out, rows[i].out);
    }
    assert_true(ps_parse_timestamp(ps_slice_of("10:11"), ps_zone_utc(), &us, &has_zone));
    assert_int_equal(us % PS_US_DAY, (10 * 60 + 11) * 60 * PS_US_SECOND);
    assert_false(ps_parse_timestamp_ntz(ps_slice_of("03:04:05"), true, &us));
    assert_true(ps_parse_timestamp_ntz(ps_slice_of("1970-01-01 00:00:01+05:00"), true, &us) && us == PS_US_SECOND);
    assert_false(ps_parse_timestamp_ntz(ps_slice_of("1970-01-01 00:00:01+05:00"), false, &us));
    assert_false(ps_parse_timestamp_ntz(ps_slice_of("1970-01-01T00:00:01Z"), false, &us));
}

static void dates_read_as_spark_casts_do(void **state)
{
    static const struct { const char *in, *out; } rows[] = {
        {" 2024-01-02", "2024-01-02"}, {"", NULL}, {"+2024-01-02", "2024-01-02"}, {"-0044-03-15", "-0044-03-15"},
        {"1234567-01-01", "+1234567-01-01"}, {"12345678-01-01", NULL}, {"2024-001-02", NULL}, {"2024-1-2", "2024-01-02"},
        {"2024-01-02Tgarbage", "2024-01-02"}, {"2024-01-02x", NULL}, {"2024/01/02", NULL}, {"24-01-02", NULL},
        {"2024-02-30", NULL}, {"2024-13-01", NULL}, {"2024-01 ", "2024-01-01"}, {"2024-01 x", NULL}, {"9999999-01-01", NULL},
        {"1900-02-29", NULL}, {"2000-02-29", "2000-02-29"}, {"-", NULL}};
    char out[32];
    int32_t days;

    (void)state;
    for (size_t i = 0; i < PS_COUNT_OF(rows); i++) {
        bool good = ps_parse_date(ps_slice_of(rows[i].in), &days);
        if (good != (rows[i].out != NULL))
            fail_msg("%s", rows[i].in);
        if (good) {
            out[ps_format_date(days, out)] = '\0';
            assert_string_equal(out, rows[i].out);
        }
    }
}

static void zones_move_clocks_as_java_does(void **state)
{
    const ps_zone *la = zone("America/Los_Angeles"), *far;
    int64_t us;
    bool has_zone;
    char out[48];

    (void)state;
    assert_true(ps_parse_timestamp(ps_slice_of("2021-03-14 02:30:00"), la, &us, &has_zone) && us == 1615717800 * PS_US_SECOND);
    assert_true(ps_parse_timestamp(ps_slice_of("2021-11-07 01:30:00"), la, &us, &has_zone) && us == 1636273800 * PS_US_SECOND);
    assert_true(ps_parse_timestamp(ps_slice_of("2950-07-01 12:00:00"), la, &us, &has_zone));
    assert_int_equal(ps_zone_offset_us(la, us), -7 * 3600 * PS_US_SECOND);
    out[ps_format_timestamp(us, la, out)] = '\0';
    assert_string_equal(out, "2950-07-01 12:00:00");
    assert_string_equal(ps_zone_name(zone("+1")), "+01:00");
    assert_string_equal(ps_zone_name(zone("GMT+1")), "GMT+01:00");
    assert_int_equal(ps_zone_offset_us(zone("EST"), 0), -5 * 3600 * PS_US_SECOND);
    assert_int_equal(ps_zone_offset_us(zone("+0130"), 0), 5400 * PS_US_SECOND);
    assert_ptr_equal(zone("UTC"), ps_zone_utc());
    assert_int_equal(ps_zone_find("Mars/Phobos", &far, &err), PS_E_CONF_TIME_ZONE);
    assert_int_equal(ps_zone_find("../etc/passwd", &far, &err), PS_E_CONF_TIME_ZONE);
    assert_int_equal(ps_zone_find("", &far, &err), PS_E_CONF_TIME_ZONE);
    assert_int_equal(ps_zone_find("+18:01", &far, &err), PS_E_CONF_TIME_ZONE);
}

static void patterns_print(void **state)
{
    static const struct { const char *pattern, *out; } rows[] = {
        {"yyyy-MM-dd HH:mm:ss", "2024-02-29 13:14:15"}, {"yyyy'T'HH", "2024T13"}, {"", ""}, {"D Q QQ QQQ", "60 1 01 Q1"},
        {"EEE EEEE", "Thu Thursday"}, {"F", "1"}, {"G", "AD"}, {"MMM MMMM L", "Feb February 2"},
        {"SSS SSSSSS S SSSSSSSSS", "123 123456 1 123456000"}, {"Z XXX x O VV z", "+0000 Z +00 GMT UTC UTC"},
        {"[yyyy]", "2024"}, {"k K", "13 1"}, {"y M d H m s", "2024 2 29 13 14 15"}, {"yy/MM/dd hh:mm a", "24/02/29 01:14 PM"},
        {"'it''s' ''", "it's '"}, {"yyyyy", "02024"}};
    const int64_t us = 1709212455123456;
    ps_time_format *format;
    ps_bytes out = {0};

    (void)state;
    for (size_t i = 0; i < PS_COUNT_OF(rows); i++) {
        OK(ps_time_format_new(rows[i].pattern, &format, &err));
        ps_bytes_reset(&out);
        OK(ps_bytes_text(&out, "", &err));
        OK(ps_time_format_print(format, us, ps_zone_utc(), &out, &err));
        assert_string_equal(out.data ? out.data : "", rows[i].out);
        ps_time_format_free(format);
    }
    OK(ps_time_format_new("yyyy-MM-dd HH:mm XXX xx O OOOO z zzzz Z", &format, &err));
    ps_bytes_reset(&out);
    OK(ps_time_format_print(format, 0, zone("America/Los_Angeles"), &out, &err));
    assert_string_equal(out.data, "1969-12-31 16:00 -08:00 -0800 GMT-8 GMT-08:00 PST Pacific Standard Time -0800");
    ps_time_format_free(format);
    ps_bytes_clear(&out);
}

static void patterns_that_spark_refuses(void **state)
{
    static const struct { const char *pattern; ps_status code; } rows[] = {
        {"YYYY", PS_E_PATTERN_LEGACY}, {"u", PS_E_PATTERN_LEGACY}, {"yyyyyyy", PS_E_PATTERN_LEGACY}, {"E", PS_E_PATTERN_LEGACY},
        {"MMMMM", PS_E_PATTERN_LEGACY}, {"b", PS_E_PATTERN}, {"bad pattern", PS_E_PATTERN_WEEK}, {"A", PS_E_PATTERN_CHARACTER},
        {"HHH", PS_E_PATTERN_LEGACY}, {"yyyy'", PS_E_PATTERN}, {"yyyy{", PS_E_PATTERN_LEGACY}, {"V", PS_E_PATTERN}, {"]", PS_E_PATTERN_LEGACY}};
    ps_time_format *format;

    (void)state;
    for (size_t i = 0; i < PS_COUNT_OF(rows); i++)
        if (ps_time_format_new_parser(rows[i].pattern, &format, &err) != rows[i].code)
            fail_msg("%s: %s", rows[i].pattern, err.message);
}

static void patterns_read(void **state)
{
    static const struct { const char *pattern, *in, *out; } rows[] = {
        {"dd/MM/yyyy", "02/01/2024", "2024-01-02 00:00:00"}, {"yyyy-MM-dd", "2024-02-30", NULL},
        {"yyyyMMdd", "20240102", "2024-01-02 00:00:00"}, {"yy-M-d", "24-1-2", "2024-01-02 00:00:00"},
        {"dd.MM.yyyy HH:mm", "02.01.2024 03:04", "2024-01-02 03:04:00"}, {"HH", "12", "1970-01-01 12:00:00"},
        {"yyyy-MM-dd HH:mm:ss Z", "2024-01-02 03:04:05 +0300", "2024-01-02 00:04:05"},
        {"yyyy-MM-dd", "2024-01-02 03:04:05", NULL}, {"yyyy-MM-dd", "12024-01-02", NULL}, {"yyyy-MM-dd", "2024-1-02", NULL},
        {"yyyy-MM-dd HH:mm:ss.SSS", "2024-01-02 03:04:05.123", "2024-01-02 03:04:05.123"},
        {"yyyy-MM-dd HH:mm:ss.SSS", "2024-01-02 03:04:05.12", NULL},
        {"yyyy-MM-dd'T'HH:mm:ssXXX", "2024-01-02T03:04:05+02:00", "2024-01-02 01:04:05"},
        {"yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]", "2024-01-02T03:04:05Z", "2024-01-02 03:04:05"},
        {"yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]", "2024-01-02T03:04:05.5Z", NULL},
        {"MMM d, yyyy h:mm a", "Jan 5, 2024 7:08 PM", "2024-01-05 19:08:00"}, {"MMM d", "jan 5", "1970-01-05 00:00:00"},
        {"yyyyMMddHHmmssSSS", "20240102030405678", "2024-01-02 03:04:05.678"}, {"yyyy-DDD", "2024-060", "2024-02-29 00:00:00"},
        {"yyyy-MM-dd VV", "2024-01-02 Europe/Paris", "2024-01-01 23:00:00"}, {"yyyy-MM-dd z", "2024-01-02 PST", "2024-01-02 08:00:00"},
        {"hh a", "12 AM", "1970-01-01 00:00:00"}, {"hh a", "13 AM", NULL}, {"yyyy", "", NULL}};
    ps_time_format *format;
    char out[48];
    int64_t us;
    bool has_zone;

    (void)state;
    for (size_t i = 0; i < PS_COUNT_OF(rows); i++) {
        OK(ps_time_format_new_parser(rows[i].pattern, &format, &err));
        bool good = ps_time_format_parse(format, ps_slice_of(rows[i].in), ps_zone_utc(), &us, &has_zone);
        if (good != (rows[i].out != NULL))
            fail_msg("%s", rows[i].in);
        if (good) {
            out[ps_format_timestamp(us, ps_zone_utc(), out)] = '\0';
            assert_string_equal(out, rows[i].out);
        }
        ps_time_format_free(format);
    }
}

static void intervals_read(void **state)
{
    static const struct { const char *in; bool good; ps_calendar out; } rows[] = {
        {"3 days", true, {0, 3, 0}}, {"Interval 3 day", true, {0, 3, 0}}, {"inTerval '3' day", true, {0, 3, 0}},
        {" 5 hours", true, {0, 0, 18000000000}}, {"\t8 minutes", true, {0, 0, 480000000}},
        {"1 day 2 hours 3 minutes 4 seconds", true, {0, 1, 7384000000}},
        {"interval '1' day '2' hours '3' minutes '4' seconds", true, {0, 1, 7384000000}},
        {"interval '1 2:3:4' day to second", true, {0, 0, 93784000000}}, {"1 year 2 months", true, {14, 0, 0}},
        {"interval '1-2' year to month", true, {14, 0, 0}}, {"2 weeks 5 milliseconds 7 microseconds", true, {0, 14, 5007}},
        {"5 minute 5 minute", true, {0, 0, 600000000}}, {"1.5 seconds", true, {0, 0, 1500000}}, {"-10 seconds", true, {0, 0, -10000000}},
        {"1 year -13 months", true, {-1, 0, 0}}, {"interval '10 minutes'", true, {0, 0, 600000000}},
        {"1 foo", false, {0}}, {"interva 2 day", false, {0}}, {"interval 4 foo", false, {0}}, {"interval '5' foo", false, {0}},
        {"interval '1 2:3:4' day to hour", false, {0}}, {"interval '1 2' year to month", false, {0}}, {"10", false, {0}},
        {"10 s", false, {0}}, {"2seconds", false, {0}}, {"one minute", false, {0}}, {"PT10S", false, {0}}, {"1 quarter", false, {0}},
        {"interval", false, {0}}, {"", false, {0}}, {"1.5 days", false, {0}}, {"9999999999999 days", false, {0}}, {"interval '1", false, {0}}};

    (void)state;
    for (size_t i = 0; i < PS_COUNT_OF(rows); i++) {
        ps_calendar got;
        if (ps_parse_interval(ps_slice_of(rows[i].in), &got) != rows[i].good)
            fail_msg("%s", rows[i].in);
        if (rows[i].good && memcmp(&got, &rows[i].out, sizeof got) != 0)
            fail_msg("%s: %d %d %lld", rows[i].in, got.months, got.days, (long long)got.micros);
    }
}

static void units_tell_what_is_wrong(void **state)
{
    static const struct { const char *in; ps_interval_fault fault; } rows[] = {
        {"5 seconds", PS_INTERVAL_FINE}, {"interval 5 seconds", PS_INTERVAL_FINE}, {"- 5 seconds", PS_INTERVAL_FINE},
        {".5 seconds", PS_INTERVAL_FINE}, {"", PS_INTERVAL_NUMBER}, {"interval", PS_INTERVAL_NUMBER}, {"x", PS_INTERVAL_NUMBER},
        {"interval '5' days", PS_INTERVAL_NUMBER}, {"5 seconds and", PS_INTERVAL_NUMBER}, {"5x seconds", PS_INTERVAL_VALUE},
        {"1.2.3 seconds", PS_INTERVAL_VALUE}, {". seconds", PS_INTERVAL_VALUE}, {"0.1234567891 seconds", PS_INTERVAL_PRECISION},
        {"10", PS_INTERVAL_NO_UNIT}, {"1 day 10", PS_INTERVAL_NO_UNIT}, {"10 s", PS_INTERVAL_UNIT}, {"10 secondss", PS_INTERVAL_UNIT},
        {"10 seconds5", PS_INTERVAL_UNIT}, {"10 nanoseconds", PS_INTERVAL_UNIT}, {"10 5", PS_INTERVAL_UNIT},
        {"1.5 days", PS_INTERVAL_FRACTION}, {"9999999999999 days", PS_INTERVAL_RANGE}, {"99999999999999999999 days", PS_INTERVAL_RANGE}};

    (void)state;
    for (size_t i = 0; i < PS_COUNT_OF(rows); i++) {
        ps_calendar got;
        ps_interval_fault fault = ps_parse_units(ps_slice_of(rows[i].in), &got);
        if (fault != rows[i].fault)
            fail_msg("%s: %d", rows[i].in, fault);
    }
}

static void intervals_by_fields(void **state)
{
    static const struct { ps_kind kind; int from, to; const char *in; int64_t value; const char *out; } rows[] = {
        {PS_DAYTIME, 0, 3, "1 02:03:04.5", 93784500000, "INTERVAL '1 02:03:04.5' DAY TO SECOND"},
        {PS_DAYTIME, 0, 3, "interval '-1 02:03:04' day to second", -93784000000, "INTERVAL '-1 02:03:04' DAY TO SECOND"},
        {PS_DAYTIME, 2, 2, "10", 600000000, "INTERVAL '10' MINUTE"}, {PS_DAYTIME, 3, 3, "1.5", 1500000, "INTERVAL '01.5' SECOND"},
        {PS_DAYTIME, 1, 2, "02:03", 7380000000, "INTERVAL '02:03' HOUR TO MINUTE"}, {PS_DAYTIME, 0, 1, "1 2", 93600000000, "INTERVAL '1 02' DAY TO HOUR"},
        {PS_DAYTIME, 2, 3, "03:04.000001", 184000001, "INTERVAL '03:04.000001' MINUTE TO SECOND"},
        {PS_DAYTIME, 1, 1, "100", 360000000000, "INTERVAL '100' HOUR"}, {PS_YEARMONTH, 0, 1, "1-2", 14, "INTERVAL '1-2' YEAR TO MONTH"},
        {PS_YEARMONTH, 1, 1, "-3", -3, "INTERVAL '-3' MONTH"}, {PS_YEARMONTH, 0, 0, "2", 24, "INTERVAL '2' YEAR"},
        {PS_DAYTIME, 0, 3, "1 25:00:00", 0, NULL}, {PS_DAYTIME, 0, 3, "1", 0, NULL}, {PS_YEARMONTH, 0, 1, "1-13", 0, NULL}, {PS_DAYTIME, 0, 0, "x", 0, NULL}};
    ps_bytes out = {0};

    (void)state;
    for (size_t i = 0; i < PS_COUNT_OF(rows); i++) {
        const ps_type *type;
        int64_t value;
        OK(ps_type_interval(rows[i].kind, rows[i].from, rows[i].to, &type, &err));
        if (ps_parse_interval_fields(ps_slice_of(rows[i].in), type, &value) != (rows[i].out != NULL))
            fail_msg("%s", rows[i].in);
        if (rows[i].out) {
            assert_int_equal(value, rows[i].value);
            ps_bytes_reset(&out);
            OK(ps_format_interval(type, value, &out, &err));
            assert_string_equal(out.data, rows[i].out);
        }
        ps_type_unref(type);
    }
    ps_bytes_reset(&out);
    OK(ps_format_calendar((ps_calendar){14, 25, 18367500000}, &out, &err));
    assert_string_equal(out.data, "1 years 2 months 25 days 5 hours 6 minutes 7.5 seconds");
    ps_bytes_reset(&out);
    OK(ps_format_calendar((ps_calendar){0, 0, 0}, &out, &err));
    assert_string_equal(out.data, "0 seconds");
    ps_bytes_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timestamps_read_as_spark_casts_do),
        cmocka_unit_test(dates_read_as_spark_casts_do),
        cmocka_unit_test(zones_move_clocks_as_java_does),
        cmocka_unit_test(patterns_print),
        cmocka_unit_test(patterns_that_spark_refuses),
        cmocka_unit_test(patterns_read),
        cmocka_unit_test(intervals_read),
        cmocka_unit_test(units_tell_what_is_wrong),
        cmocka_unit_test(intervals_by_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
