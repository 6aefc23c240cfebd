/*
 * query/trigger.c - the text of a trigger's interval (execution.md section 3).
 */
#include "query/query.h"

static bool has_word(const char *text, const char *word)
{
    size_t n = strlen(word);

    for (; *text; text++) {
        size_t i = 0;
        while (i < n && (text[i] | 0x20) == word[i])
            i++;
        if (i == n)
            return true;
    }
    return false;
}

ps_status ps_trigger_parse_interval(const char *text, int64_t *out_ms, ps_error *err)
{
    ps_calendar interval;
    __int128 us;

    if (!ps_parse_interval(ps_slice_of(text), &interval))
        return ps_raise(err, PS_E_TRIGGER_INTERVAL, text);
    if (interval.months != 0 || has_word(text, "month") || has_word(text, "year"))
        return ps_raise(err, PS_E_TRIGGER_MONTHS, text);
    us = (__int128)interval.days * PS_US_DAY + interval.micros;
    if (us < 0)
        return ps_raise(err, PS_E_TRIGGER_NEGATIVE);
    *out_ms = us / 1000 > INT64_MAX ? INT64_MAX : (int64_t)(us / 1000);
    return PS_OK;
}
