/*
 * tests/fuzz/fuzz_timestamp.c - dates, timestamps, intervals and patterns from any text.
 */
#include "fuzz.h"

/* What was read prints as a text that reads as the same again. */
static void round_trip(ps_slice text)
{
    char printed[64];
    int64_t us, again;
    int32_t days, same;
    bool has_zone;
    int n;

    if (ps_parse_timestamp(text, ps_zone_utc(), &us, &has_zone)) {
        n = ps_format_timestamp(us, ps_zone_utc(), printed);
        MUST(n > 0 && n <= 40);
        if (us > -62135596800000000ll) /* from the year 1 on */
            MUST(ps_parse_timestamp((ps_slice){printed, (size_t)n}, ps_zone_utc(), &again, &has_zone) && us == again);
    }
    if (ps_parse_date(text, &days)) {
        n = ps_format_date(days, printed);
        MUST(n > 0 && n <= 40);
        if (days > -719162)
            MUST(ps_parse_date((ps_slice){printed, (size_t)n}, &same) && days == same);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    static const ps_zone *berlin;
    const uint8_t *zero = n_bytes ? memchr(data, 0, n_bytes) : NULL;
    ps_time_format *format = NULL;
    ps_calendar interval;
    ps_bytes out = {0};
    char *pattern, *text;
    size_t n_pattern = zero ? (size_t)(zero - data) : 0, n_text = n_bytes - n_pattern - (zero != NULL);
    ps_slice slice;
    int64_t us;
    bool has_zone;

    if (!berlin && ps_zone_find("Europe/Berlin", &berlin, &err) != PS_OK)
        berlin = ps_zone_utc();
    text = malloc(n_text + 1); /* exactly sized: nothing may be read behind it */
    memcpy(text, data + (n_bytes - n_text), n_text);
    slice = (ps_slice){text, n_text};
    round_trip(slice);
    ps_parse_timestamp(slice, berlin, &us, &has_zone);
    ps_parse_timestamp_ntz(slice, false, &us);
    ps_parse_interval(slice, &interval);
    ps_parse_units(slice, &interval);
    pattern = malloc(n_pattern + 1);
    memcpy(pattern, data, n_pattern);
    pattern[n_pattern] = '\0';
    if (zero && ps_time_format_new(pattern, &format, &err) == PS_OK) {
        if (ps_time_format_parse(format, slice, berlin, &us, &has_zone))
            MUST(ps_time_format_print(format, us, berlin, &out, &err) == PS_OK);
        ps_time_format_free(format);
    }
    ps_bytes_clear(&out);
    free(pattern);
    free(text);
    return 0;
}
