/*
 * tests/fuzz/fuzz_number.c - numbers as text: exact like strtod, and back again.
 */
#include "fuzz.h"
#include <math.h>

static void doubles(const char *text, size_t n_bytes)
{
    char printed[PS_NUMBER_TEXT], *end;
    double value, expected, again;
    int n;

    if (!ps_parse_double((ps_slice){text, n_bytes}, &value))
        return;
    expected = strtod(text, &end);
    MUST(end == text + n_bytes);
    MUST(memcmp(&value, &expected, sizeof value) == 0);
    n = ps_format_double(value, printed);
    MUST(n > 0 && n <= PS_NUMBER_TEXT);
    if (isfinite(value))
        MUST(ps_parse_double((ps_slice){printed, (size_t)n}, &again) && memcmp(&value, &again, sizeof value) == 0);
}

static void decimals(ps_slice text)
{
    char printed[PS_NUMBER_TEXT];
    __int128 value, again;
    int n;

    if (!ps_parse_decimal(text, 38, 10, &value))
        return;
    n = ps_format_decimal(value, 10, printed);
    MUST(n > 0 && n <= PS_NUMBER_TEXT);
    MUST(ps_parse_decimal((ps_slice){printed, (size_t)n}, 38, 10, &again) && value == again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    char *text = malloc(n_bytes + 1);
    ps_slice slice = {text, n_bytes};
    int64_t integer;
    double value;
    float narrow;

    memcpy(text, data, n_bytes);
    text[n_bytes] = '\0';
    doubles(text, n_bytes);
    decimals(slice);
    ps_parse_double_java(slice, &value);
    ps_parse_float_java(slice, &narrow);
    if (ps_parse_int64(slice, &integer)) {
        char printed[PS_NUMBER_TEXT];
        int64_t again;
        int n = ps_format_int64(integer, printed);
        MUST(ps_parse_int64((ps_slice){printed, (size_t)n}, &again) && again == integer);
    }
    free(text);
    return 0;
}
