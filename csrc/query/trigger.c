/*
 * query/trigger.c - the text of a trigger's interval (execution.md section 3).
 */
#include "query/query.h"

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

typedef struct words { const char *at; } words;
static ps_slice next_word(words *w)
{
    ps_slice word;

    while (is_blank(*w->at))
        w->at++;
    word.data = w->at;
    while (*w->at && !is_blank(*w->at))
        w->at++;
    word.n_bytes = (size_t)(w->at - word.data);
    return word;
}

static const struct { const char *name; int64_t us; bool calendar; } units[] = {
    {"year", 0, true}, {"month", 0, true}, {"week", 7 * PS_US_DAY, false}, {"day", PS_US_DAY, false}, {"hour", 3600000000, false},
    {"minute", 60000000, false}, {"second", PS_US_SECOND, false}, {"millisecond", 1000, false}, {"microsecond", 1, false},
};

/* Index of a unit, in the singular or plural; -1 when it is none. */
static int find_unit(ps_slice word)
{
    for (size_t i = 0; i < PS_COUNT_OF(units); i++) {
        ps_slice name = ps_slice_of(units[i].name);

        if (ps_slice_equal_nocase(word, name))
            return (int)i;
        if (word.n_bytes == name.n_bytes + 1 && (word.data[word.n_bytes - 1] | 0x20) == 's' && ps_slice_equal_nocase((ps_slice){word.data, name.n_bytes}, name))
            return (int)i;
    }
    return -1;
}

/* A number in millionths; *has_fraction.  False with the condition in *why. */
static bool read_number(ps_slice word, __int128 *out, bool *has_fraction, ps_code *why)
{
    size_t i = word.n_bytes > 0 && (word.data[0] == '-' || word.data[0] == '+');
    bool negative = i > 0 && word.data[0] == '-', digits = false;
    int places = 0;
    __int128 value = 0;

    *has_fraction = false;
    *why = PS_E_TRIGGER_INTERVAL;
    for (; i < word.n_bytes; i++) {
        char c = word.data[i];

        if (c == '.' && digits && !*has_fraction) {
            *has_fraction = true;
            continue;
        }
        if (c < '0' || c > '9') {
            *why = digits ? PS_E_TRIGGER_VALUE : PS_E_TRIGGER_INTERVAL;
            return false;
        }
        digits = true;
        if (*has_fraction && ++places > 6)
            continue; /* below a microsecond */
        if (value > (__int128)INT64_MAX)
            return false;
        value = value * 10 + (c - '0');
    }
    for (; places < 6; places++)
        value *= 10;
    *out = negative ? -value : value;
    return digits;
}

ps_status ps_trigger_parse_interval(const char *text, int64_t *out_ms, ps_error *err)
{
    words w = {text};
    ps_slice word = next_word(&w);
    __int128 total = 0;
    bool calendar = false;

    if (ps_slice_equal_nocase(word, ps_slice_of("interval")))
        word = next_word(&w);
    if (word.n_bytes == 0)
        return ps_raise(err, PS_E_TRIGGER_INTERVAL, text);
    for (; word.n_bytes > 0; word = next_word(&w)) {
        __int128 number;
        bool fraction;
        ps_code why;
        ps_slice unit;
        int at;

        if (!read_number(word, &number, &fraction, &why))
            return ps_raise(err, why, text);
        unit = next_word(&w);
        if (unit.n_bytes == 0)
            return ps_raise(err, PS_E_TRIGGER_UNIT_MISSING, text);
        at = find_unit(unit);
        if (at < 0)
            return ps_raise(err, PS_E_TRIGGER_UNIT, text);
        if (fraction && strcmp(units[at].name, "second") != 0)
            return ps_raise(err, PS_E_TRIGGER_FRACTION, text);
        calendar = calendar || units[at].calendar;
        total += number * units[at].us / 1000000;
    }
    if (calendar)
        return ps_raise(err, PS_E_TRIGGER_MONTHS, text);
    if (total < 0)
        return ps_raise(err, PS_E_TRIGGER_NEGATIVE);
    *out_ms = total / 1000 > INT64_MAX ? INT64_MAX : (int64_t)(total / 1000);
    return PS_OK;
}
