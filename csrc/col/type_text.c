/*
 * col/type_text.c - types written as text, in the five ways that Spark has.
 */
#include "col/type_text.h"
#include "col/type_int.h"
#include <stdio.h>

static const char *const sql_names[] = {
#define PS_TYPE(kind, width, sql, simple) sql,
#include "col/types.def"
#undef PS_TYPE
};
static const char *const simple_names[] = {
#define PS_TYPE(kind, width, sql, simple) simple,
#include "col/types.def"
#undef PS_TYPE
};
const char *const psi_day_units[4] = {"day", "hour", "minute", "second"}, *const psi_year_units[2] = {"year", "month"};

typedef enum style { SIMPLE, SQL, NAME } style; /* int, INT, integer */

static const char *name_of(const ps_type *type, style s)
{
    if (s == SQL)
        return sql_names[type->kind];
    if (s == NAME) {
        switch (type->kind) {
        case PS_INT8: return "byte";
        case PS_INT16: return "short";
        case PS_INT32: return "integer";
        case PS_INT64: return "long";
        default: break;
        }
    }
    return simple_names[type->kind];
}

static ps_status upper_if(bool upper, const char *text, ps_bytes *out, ps_error *err)
{
    for (; *text; text++)
        PS_TRY(ps_bytes_char(out, upper && *text >= 'a' && *text <= 'z' ? (char)(*text - 32) : *text, err));
    return PS_OK;
}

static ps_status put_interval(const ps_type *type, style s, ps_bytes *out, ps_error *err)
{
    const char *const *units = type->kind == PS_DAYTIME ? psi_day_units : psi_year_units;

    PS_TRY(upper_if(s == SQL, "interval ", out, err));
    PS_TRY(upper_if(s == SQL, units[type->unit_from], out, err));
    if (type->unit_from == type->unit_to)
        return PS_OK;
    PS_TRY(upper_if(s == SQL, " to ", out, err));
    return upper_if(s == SQL, units[type->unit_to], out, err);
}

/* A type without parts. */
static ps_status put_atom(const ps_type *type, style s, ps_bytes *out, ps_error *err)
{
    switch (type->kind) {
    case PS_DECIMAL:
        return ps_bytes_printf(out, err, "%s(%d,%d)", name_of(type, s), type->precision, type->scale);
    case PS_DAYTIME:
    case PS_YEARMONTH: return put_interval(type, s, out, err);
    case PS_STRING:
        if (type->length > 0) {
            PS_TRY(upper_if(s == SQL, type->varying ? "varchar" : "char", out, err));
            return ps_bytes_printf(out, err, "(%u)", (unsigned)type->length);
        }
        return ps_bytes_text(out, name_of(type, s), err);
    default: return ps_bytes_text(out, name_of(type, s), err);
    }
}

ps_status psi_type_atom_name(const ps_type *type, ps_bytes *out, ps_error *err)
{
    return put_atom(type, NAME, out, err);
}

ps_status ps_type_simple_text(const ps_type *type, ps_bytes *out, ps_error *err)
{
    if (!ps_kind_is_nested(type->kind))
        return put_atom(type, SIMPLE, out, err);
    PS_TRY(ps_bytes_text(out, simple_names[type->kind], err));
    PS_TRY(ps_bytes_char(out, '<', err));
    for (int i = 0; i < type->n_fields; i++) {
        if (i > 0)
            PS_TRY(ps_bytes_char(out, ',', err));
        if (type->kind == PS_STRUCT) {
            PS_TRY(ps_bytes_text(out, type->fields[i].name, err));
            PS_TRY(ps_bytes_char(out, ':', err));
        }
        PS_TRY(ps_type_simple_text(type->fields[i].type, out, err));
    }
    return ps_bytes_char(out, '>', err);
}

/* ---- SQL ---- */

/* A name as it may stand in SQL: letters, digits and _, not digits alone, or in back quotes. */
static ps_status put_identifier(const char *name, ps_bytes *out, ps_error *err)
{
    bool plain = name[0] != '\0', digits = true;

    for (const char *p = name; *p; p++) {
        bool digit = *p >= '0' && *p <= '9', alpha = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || *p == '_';
        plain &= digit || alpha;
        digits &= digit;
    }
    if (plain && !digits)
        return ps_bytes_text(out, name, err);
    PS_TRY(ps_bytes_char(out, '`', err));
    for (const char *p = name; *p; p++) {
        if (*p == '`')
            PS_TRY(ps_bytes_char(out, '`', err));
        PS_TRY(ps_bytes_char(out, *p, err));
    }
    return ps_bytes_char(out, '`', err);
}

/* COMMENT 'x', when the metadata has one. */
static ps_status put_comment(const ps_field *field, ps_bytes *out, ps_error *err)
{
    ps_arena arena = {0};
    ps_json *root;
    const ps_json *comment;
    ps_status rc = PS_OK;

    if (!field->metadata || !strstr(field->metadata, "\"comment\""))
        return PS_OK;
    PS_TRY_OR(done, ps_json_parse(ps_slice_of(field->metadata), &arena, &root, err));
    comment = ps_json_get(root, "comment");
    if (comment && comment->kind == PS_JSON_TEXT) {
        PS_TRY_OR(done, ps_bytes_text(out, " COMMENT '", err));
        for (size_t i = 0; i < comment->text.n_bytes; i++) {
            char c = comment->text.data[i];
            if (c == '\'' || c == '\\')
                PS_TRY_OR(done, ps_bytes_char(out, '\\', err));
            PS_TRY_OR(done, ps_bytes_char(out, c, err));
        }
        rc = ps_bytes_char(out, '\'', err);
    }
done:
    ps_arena_clear(&arena);
    return rc;
}

static ps_status put_field(const ps_field *field, const char *colon, ps_bytes *out, ps_error *err)
{
    PS_TRY(put_identifier(field->name, out, err));
    PS_TRY(ps_bytes_text(out, colon, err));
    PS_TRY(ps_type_sql_text(field->type, out, err));
    if (!field->nullable)
        PS_TRY(ps_bytes_text(out, " NOT NULL", err));
    return put_comment(field, out, err);
}

ps_status ps_type_sql_text(const ps_type *type, ps_bytes *out, ps_error *err)
{
    if (!ps_kind_is_nested(type->kind))
        return put_atom(type, SQL, out, err);
    PS_TRY(ps_bytes_text(out, sql_names[type->kind], err));
    PS_TRY(ps_bytes_char(out, '<', err));
    for (int i = 0; i < type->n_fields; i++) {
        if (i > 0)
            PS_TRY(ps_bytes_text(out, ", ", err));
        if (type->kind == PS_STRUCT)
            PS_TRY(put_field(&type->fields[i], ": ", out, err));
        else
            PS_TRY(ps_type_sql_text(type->fields[i].type, out, err));
    }
    return ps_bytes_char(out, '>', err);
}

ps_status ps_type_ddl_text(const ps_type *type, ps_bytes *out, ps_error *err)
{
    if (type->kind != PS_STRUCT)
        return ps_type_sql_text(type, out, err);
    for (int i = 0; i < type->n_fields; i++) {
        if (i > 0)
            PS_TRY(ps_bytes_char(out, ',', err));
        PS_TRY(put_field(&type->fields[i], " ", out, err));
    }
    return PS_OK;
}

/* ---- the tree of printSchema ---- */

typedef struct tree { ps_bytes prefix, *out; } tree;

static ps_status put_escaped(const char *name, ps_bytes *out, ps_error *err)
{
    static const char special[] = "\n\r\t\f\b\v\a", letters[] = "nrtfbva";

    for (; *name; name++) {
        const char *at = strchr(special, *name);
        if (at)
            PS_TRY(ps_bytes_char(out, '\\', err));
        PS_TRY(ps_bytes_char(out, at ? letters[at - special] : *name, err));
    }
    return PS_OK;
}

static const char *null_word(ps_kind kind)
{
    return kind == PS_STRUCT ? "nullable" : kind == PS_ARRAY ? "containsNull" : "valueContainsNull";
}

static ps_status put_branches(tree *t, const ps_type *type, int level, ps_error *err)
{
    size_t n_prefix = t->prefix.n_bytes;

    for (int i = 0; i < type->n_fields && level > 0; i++) {
        const ps_field *field = &type->fields[i];
        PS_TRY(ps_bytes_append(t->out, t->prefix.data, n_prefix, err));
        PS_TRY(ps_bytes_text(t->out, "-- ", err));
        PS_TRY(put_escaped(field->name, t->out, err));
        PS_TRY(ps_bytes_text(t->out, ": ", err));
        PS_TRY(put_atom(field->type, NAME, t->out, err));
        if (type->kind != PS_MAP || i == 1)
            PS_TRY(ps_bytes_printf(t->out, err, " (%s = %s)", null_word(type->kind), field->nullable ? "true" : "false"));
        PS_TRY(ps_bytes_char(t->out, '\n', err));
        PS_TRY(ps_bytes_text(&t->prefix, "    |", err));
        PS_TRY(put_branches(t, field->type, level - 1, err));
        t->prefix.n_bytes = n_prefix;
    }
    return PS_OK;
}

ps_status ps_type_tree_text(const ps_type *type, int max_level, ps_bytes *out, ps_error *err)
{
    tree t = {.out = out};
    ps_status rc;

    PS_TRY(ps_bytes_text(out, "root\n", err));
    if ((rc = ps_bytes_text(&t.prefix, " |", err)) == PS_OK)
        rc = put_branches(&t, type, max_level > 0 ? max_level : INT32_MAX, err);
    ps_bytes_clear(&t.prefix);
    return rc;
}

/* ---- for messages ---- */

#define N_NAMES 4
#define NAME_SIZE 1024

const char *ps_type_name(const ps_type *type)
{
    static _Thread_local char ring[N_NAMES][NAME_SIZE];
    static _Thread_local int next;
    char *name = ring[next++ % N_NAMES];
    ps_bytes text = {0};

    if (ps_type_sql_text(type, &text, NULL) != PS_OK || !text.data)
        snprintf(name, NAME_SIZE, "%s", sql_names[type->kind]);
    else
        snprintf(name, NAME_SIZE, "%s", text.data);
    ps_bytes_clear(&text);
    return name;
}
