/*
 * query/trigger.c - the text of a trigger's interval (execution.md section 3).
 */
#include "col/time.h"
#include "query/query.h"

ps_status ps_trigger_parse_interval(const char *text, int64_t *out_ms, ps_error *err)
{
    static const ps_code codes[] = {
        [PS_INTERVAL_NUMBER] = PS_E_TRIGGER_INTERVAL,      [PS_INTERVAL_VALUE] = PS_E_TRIGGER_VALUE,
        [PS_INTERVAL_PRECISION] = PS_E_TRIGGER_PRECISION,  [PS_INTERVAL_NO_UNIT] = PS_E_TRIGGER_UNIT_MISSING,
        [PS_INTERVAL_UNIT] = PS_E_TRIGGER_UNIT,            [PS_INTERVAL_FRACTION] = PS_E_TRIGGER_FRACTION,
        [PS_INTERVAL_RANGE] = PS_E_TRIGGER_RANGE,
    };
    ps_calendar interval;
    ps_interval_fault fault = ps_parse_units(ps_slice_of(text), &interval);
    __int128 us;

    if (fault != PS_INTERVAL_FINE)
        return ps_raise(err, codes[fault], text);
    if (interval.months != 0)
        return ps_raise(err, PS_E_TRIGGER_MONTHS, text);
    us = (__int128)interval.days * PS_US_DAY + interval.micros;
    if (us < 0)
        return ps_raise(err, PS_E_TRIGGER_NEGATIVE);
    *out_ms = (int64_t)(us / 1000);
    return PS_OK;
}
