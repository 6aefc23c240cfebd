/*
 * base/option.h - option maps and typed confs.
 *
 * ps_options is what a user passed with .option(k, v): keys are compared without case and kept in the
 * order of first setting, values are text.  ps_conf is a session's configuration: the same map over the
 * defaults of confs.def.
 */
#ifndef PS_BASE_OPTION_H
#define PS_BASE_OPTION_H
#include "base/bytes.h"

typedef struct ps_option { char *key, *value; } ps_option;
/* Zeroed by {0}. */
typedef struct ps_options {
    ps_option *items;
    int n, capacity;
} ps_options;

ps_status ps_options_set(ps_options *options, const char *key, const char *value, ps_error *err); /* value NULL removes */
const char *ps_options_get(const ps_options *options, const char *key); /* NULL when absent */
ps_status ps_options_copy(const ps_options *from, ps_options *to, ps_error *err);
void ps_options_clear(ps_options *options);

/* Typed access; the default when the key is absent, an error that names key, value and what is valid. */
ps_status ps_options_bool(const ps_options *options, const char *key, bool fallback, bool *out, ps_error *err);
ps_status ps_options_int(const ps_options *options, const char *key, int64_t fallback, int64_t min, int64_t max, int64_t *out, ps_error *err);

/* Every conf with a default or a rule is a row of confs.def: PS_CONF(key, default, kind, rule, doc). */
typedef enum ps_conf_kind {
    PS_CONF_TEXT,
    PS_CONF_BOOL,
    PS_CONF_INT,         /* 32 bits, any sign */
    PS_CONF_POSITIVE,    /* 32 bits, above zero */
    PS_CONF_CHOICE,      /* one of the words of `rule`, compared without case */
    PS_CONF_DURATION_MS,
    PS_CONF_BYTES,
    PS_CONF_STATIC       /* text that only the builder of the first session may set */
} ps_conf_kind;
typedef struct ps_conf_row {
    const char *key, *fallback; /* fallback NULL: unset */
    ps_conf_kind kind;
    const char *rule; /* CHOICE: "min|max"; else NULL */
    const char *doc;
} ps_conf_row;
const ps_conf_row *ps_conf_rows(int *n);
const ps_conf_row *ps_conf_find(const char *key); /* NULL when it has no row */

/* A session's confs: ps_options over the table.  Keys are case-sensitive here. */
typedef struct ps_conf { ps_options set; } ps_conf;
const char *ps_conf_get(const ps_conf *conf, const char *key); /* set value, else default, else NULL */
bool ps_conf_bool(const ps_conf *conf, const char *key);
bool ps_conf_same_name(const ps_conf *conf, const char *a, const char *b); /* of columns, views: with case as spark.sql.caseSensitive says */
int64_t ps_conf_int(const ps_conf *conf, const char *key); /* ms for durations, bytes for sizes */
ps_status ps_conf_set(ps_conf *conf, const char *key, const char *value, ps_error *err); /* INVALID_CONF_VALUE.*; value NULL unsets */
ps_status ps_conf_set_static(ps_conf *conf, const char *key, const char *value, ps_error *err); /* static keys too: for builders */
ps_status ps_conf_copy(const ps_conf *from, ps_conf *to, ps_error *err);
void ps_conf_clear(ps_conf *conf);

/* "7d", "10 min", "100ms", "5" (ms) as JavaUtils.timeStringAsMs reads it; false when it cannot. */
bool ps_parse_duration_ms(const char *text, int64_t *out);
/* "64m", "1gb", "100" (bytes) as JavaUtils.byteStringAsBytes reads it; false when it cannot. */
bool ps_parse_bytes(const char *text, int64_t *out);
/* A whole decimal integer with optional sign and blanks around it; false when it is anything else. */
bool ps_parse_int(const char *text, int64_t *out);
#endif
