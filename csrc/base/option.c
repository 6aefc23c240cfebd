/*
 * base/option.c - option maps and typed confs.
 */
#include "base/option.h"
#include <stdio.h>

/* ---- values ---- */

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static ps_slice trim(const char *text)
{
    ps_slice s = ps_slice_of(text);

    for (; s.n_bytes > 0 && is_blank(s.data[0]); s.n_bytes--)
        s.data++;
    while (s.n_bytes > 0 && is_blank(s.data[s.n_bytes - 1]))
        s.n_bytes--;
    return s;
}

/* Reads a signed decimal at the start of *s and moves past it. */
static bool take_int(ps_slice *s, int64_t *out)
{
    bool negative = false;
    int64_t value = 0;
    size_t i = 0, n_digits = 0;

    if (i < s->n_bytes && (s->data[i] == '-' || s->data[i] == '+'))
        negative = s->data[i++] == '-';
    for (; i < s->n_bytes && s->data[i] >= '0' && s->data[i] <= '9'; i++, n_digits++) {
        int digit = s->data[i] - '0';
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, negative ? -digit : digit, &value))
            return false;
    }
    s->data += i;
    s->n_bytes -= i;
    *out = value;
    return n_digits > 0;
}

bool ps_parse_int(const char *text, int64_t *out)
{
    ps_slice s = trim(text);
    return take_int(&s, out) && s.n_bytes == 0;
}

static bool parse_bool(const char *text, bool *out)
{
    ps_slice s = trim(text);

    *out = ps_slice_equal_nocase(s, ps_slice_of("true"));
    return *out || ps_slice_equal_nocase(s, ps_slice_of("false"));
}

typedef struct unit {
    const char *name;
    int64_t factor;
} unit;

/* "<integer>[blank]<unit>"; the first unit is the default.  Saturates. */
static bool parse_with_unit(const char *text, const unit *units, int n_units, int64_t *out)
{
    ps_slice s = trim(text);
    int64_t value;

    if (!take_int(&s, &value))
        return false;
    while (s.n_bytes > 0 && is_blank(s.data[0]))
        s.data++, s.n_bytes--;
    for (int i = 0; i < n_units; i++) {
        if (s.n_bytes > 0 && !ps_slice_equal_nocase(s, ps_slice_of(units[i].name)))
            continue;
        if (units[i].factor < 0) /* a part of the base unit */
            *out = value / -units[i].factor;
        else if (__builtin_mul_overflow(value, units[i].factor, out))
            *out = value < 0 ? INT64_MIN : INT64_MAX;
        return true;
    }
    return false;
}

bool ps_parse_duration_ms(const char *text, int64_t *out)
{
    static const unit units[] = {{"ms", 1},      {"us", -1000},    {"s", 1000},     {"m", 60000},
                                 {"min", 60000}, {"h", 3600000}, {"d", 86400000}};
    return parse_with_unit(text, units, PS_COUNT_OF(units), out);
}

bool ps_parse_bytes(const char *text, int64_t *out)
{
    static const unit units[] = {{"b", 1},        {"k", 1ll << 10},  {"kb", 1ll << 10}, {"m", 1ll << 20},
                                 {"mb", 1ll << 20}, {"g", 1ll << 30},  {"gb", 1ll << 30}, {"t", 1ll << 40},
                                 {"tb", 1ll << 40}, {"p", 1ll << 50}, {"pb", 1ll << 50}};
    return parse_with_unit(text, units, PS_COUNT_OF(units), out) && *out >= 0;
}

/* ---- options ---- */

typedef int (*compare_keys)(const char *a, const char *b);

static ps_option *find(const ps_options *options, const char *key, compare_keys compare)
{
    for (int i = 0; i < options->n; i++) {
        if (compare(options->items[i].key, key) == 0)
            return &options->items[i];
    }
    return NULL;
}

static void remove_option(ps_options *options, ps_option *option)
{
    int i = (int)(option - options->items);

    ps_free(option->key);
    ps_free(option->value);
    options->n--;
    memmove(option, option + 1, (size_t)(options->n - i) * sizeof *option);
}

static ps_status set_option(ps_options *options, const char *key, const char *value,
                            compare_keys compare, ps_error *err)
{
    ps_option *old = find(options, key, compare), option = {NULL, NULL};
    ps_status rc;

    if (value == NULL) {
        if (old != NULL)
            remove_option(options, old);
        return PS_OK;
    }
    PS_TRY(ps_strdup(value, &option.value, err));
    if (old != NULL) {
        ps_free(old->value);
        old->value = option.value;
        return PS_OK;
    }
    PS_TRY_OR(fail, ps_strdup(key, &option.key, err));
    PS_TRY_OR(fail, PS_PUSH(options, option, err));
    return PS_OK;
fail:
    ps_free(option.key);
    ps_free(option.value);
    return rc;
}

static ps_status copy_options(const ps_options *from, ps_options *to, compare_keys compare, ps_error *err)
{
    for (int i = 0; i < from->n; i++)
        PS_TRY(set_option(to, from->items[i].key, from->items[i].value, compare, err));
    return PS_OK;
}

ps_status ps_options_set(ps_options *options, const char *key, const char *value, ps_error *err)
{
    return set_option(options, key, value, ps_stricmp, err);
}

const char *ps_options_get(const ps_options *options, const char *key)
{
    const ps_option *option = find(options, key, ps_stricmp);
    return option != NULL ? option->value : NULL;
}

ps_status ps_options_copy(const ps_options *from, ps_options *to, ps_error *err)
{
    return copy_options(from, to, ps_stricmp, err);
}

void ps_options_clear(ps_options *options)
{
    for (int i = 0; i < options->n; i++) {
        ps_free(options->items[i].key);
        ps_free(options->items[i].value);
    }
    ps_free(options->items);
    *options = (ps_options){0};
}

ps_status ps_options_bool(const ps_options *options, const char *key, bool fallback, bool *out, ps_error *err)
{
    const char *value = ps_options_get(options, key);

    *out = fallback;
    if (value != NULL && !parse_bool(value, out))
        return ps_raise(err, PS_E_OPTION_VALUE, value, key, "'true' or 'false'");
    return PS_OK;
}

ps_status ps_options_int(const ps_options *options, const char *key, int64_t fallback, int64_t min,
                         int64_t max, int64_t *out, ps_error *err)
{
    const char *value = ps_options_get(options, key);
    char rule[96];

    *out = fallback;
    if (value == NULL || (ps_parse_int(value, out) && *out >= min && *out <= max))
        return PS_OK;
    *out = fallback;
    if (min == 1)
        snprintf(rule, sizeof rule, "a positive integer");
    else if (min == 0)
        snprintf(rule, sizeof rule, "a non-negative integer");
    else
        snprintf(rule, sizeof rule, "an integer from %lld to %lld", (long long)min, (long long)max);
    return ps_raise(err, PS_E_OPTION_VALUE, value, key, rule);
}

/* ---- confs ---- */

static const ps_conf_row conf_rows[] = {
#define PS_CONF(key, fallback, kind, rule, doc) {key, fallback, PS_CONF_##kind, rule, doc},
#include "base/confs.def"
#undef PS_CONF
};

const ps_conf_row *ps_conf_rows(int *n)
{
    *n = (int)PS_COUNT_OF(conf_rows);
    return conf_rows;
}

const ps_conf_row *ps_conf_find(const char *key)
{
    for (size_t i = 0; i < PS_COUNT_OF(conf_rows); i++) {
        if (strcmp(conf_rows[i].key, key) == 0)
            return &conf_rows[i];
    }
    return NULL;
}

const char *ps_conf_get(const ps_conf *conf, const char *key)
{
    const ps_option *option = find(&conf->set, key, strcmp);
    const ps_conf_row *row;

    if (option != NULL)
        return option->value;
    row = ps_conf_find(key);
    return row != NULL ? row->fallback : NULL;
}

bool ps_conf_bool(const ps_conf *conf, const char *key)
{
    const char *value = ps_conf_get(conf, key);
    bool out = false;

    ps_assert(ps_conf_find(key) != NULL && ps_conf_find(key)->kind == PS_CONF_BOOL);
    return value != NULL && parse_bool(value, &out) && out;
}

bool ps_conf_same_name(const ps_conf *conf, const char *a, const char *b)
{
    return (ps_conf_bool(conf, "spark.sql.caseSensitive") ? strcmp(a, b) : ps_stricmp(a, b)) == 0;
}

/* True when value fits a conf of this kind; *out is its number, if it is one. */
static bool read_conf(const ps_conf_row *row, const char *value, int64_t *out)
{
    bool truth;

    *out = 0;
    switch (row->kind) {
    case PS_CONF_BOOL:
        return parse_bool(value, &truth);
    case PS_CONF_INT:
    case PS_CONF_POSITIVE:
        return ps_parse_int(value, out) && *out >= INT32_MIN && *out <= INT32_MAX;
    case PS_CONF_DURATION_MS:
        return ps_parse_duration_ms(value, out);
    case PS_CONF_BYTES:
        return ps_parse_bytes(value, out);
    case PS_CONF_TEXT:
    case PS_CONF_CHOICE:
    case PS_CONF_STATIC:
        break;
    }
    return true;
}

int64_t ps_conf_int(const ps_conf *conf, const char *key)
{
    const char *value = ps_conf_get(conf, key);
    const ps_conf_row *row = ps_conf_find(key);
    int64_t out;

    ps_assert(row != NULL);
    if (value == NULL || row == NULL || !read_conf(row, value, &out))
        return 0;
    return out;
}

static bool is_choice(const char *choices, const char *value)
{
    ps_slice word = {choices, 0};

    for (const char *p = choices;; p++) {
        if (*p != '|' && *p != '\0')
            continue;
        word.n_bytes = (size_t)(p - word.data);
        if (ps_slice_equal_nocase(word, ps_slice_of(value)))
            return true;
        if (*p == '\0')
            return false;
        word.data = p + 1;
    }
}

static ps_status reject_choice(const ps_conf_row *row, const char *value, ps_error *err)
{
    char rule[512];
    size_t n = (size_t)snprintf(rule, sizeof rule, "Invalid value for '%s'. Valid values are '", row->key);

    for (const char *p = row->rule; *p != '\0' && n < sizeof rule - 8; p++) {
        if (*p != '|')
            rule[n++] = *p;
        else
            n += (size_t)snprintf(rule + n, sizeof rule - n, "%s", strchr(p + 1, '|') != NULL ? "', '" : "' and '");
    }
    snprintf(rule + n, sizeof rule - n, "'");
    return ps_raise(err, PS_E_CONF_REQUIREMENT, value, row->key, rule);
}

static ps_status check_conf(const ps_conf_row *row, const char *value, ps_error *err)
{
    int64_t number;
    bool fits = read_conf(row, value, &number);

    switch (row->kind) {
    case PS_CONF_BOOL:
        return fits ? PS_OK : ps_raise(err, PS_E_CONF_TYPE, value, row->key, "boolean");
    case PS_CONF_INT:
    case PS_CONF_POSITIVE:
        if (!fits)
            return ps_raise(err, PS_E_CONF_TYPE, value, row->key, "int");
        if (row->kind == PS_CONF_POSITIVE && number <= 0)
            return ps_raise(err, PS_E_CONF_REQUIREMENT, value, row->key, "The value must be positive.");
        return PS_OK;
    case PS_CONF_DURATION_MS:
        return fits ? PS_OK : ps_raise(err, PS_E_BAD_DURATION, value);
    case PS_CONF_BYTES:
        return fits ? PS_OK : ps_raise(err, PS_E_BAD_BYTES, value);
    case PS_CONF_CHOICE:
        return is_choice(row->rule, value) ? PS_OK : reject_choice(row, value, err);
    case PS_CONF_TEXT:
    case PS_CONF_STATIC:
        break;
    }
    return PS_OK;
}

ps_status ps_conf_set(ps_conf *conf, const char *key, const char *value, ps_error *err)
{
    const ps_conf_row *row = ps_conf_find(key);

    if (row != NULL && row->kind == PS_CONF_STATIC)
        return ps_raise(err, PS_E_CONF_STATIC, key);
    return ps_conf_set_static(conf, key, value, err);
}

ps_status ps_conf_set_static(ps_conf *conf, const char *key, const char *value, ps_error *err)
{
    const ps_conf_row *row = ps_conf_find(key);

    if (row != NULL && value != NULL)
        PS_TRY(check_conf(row, value, err));
    return set_option(&conf->set, key, value, strcmp, err);
}

ps_status ps_conf_copy(const ps_conf *from, ps_conf *to, ps_error *err)
{
    return copy_options(&from->set, &to->set, strcmp, err);
}

void ps_conf_clear(ps_conf *conf)
{
    ps_options_clear(&conf->set);
}
