/*
 * col/arrow_type.c - types as Arrow schemas, both ways.
 */
#include "col/arrow_int.h"
#include "col/type_int.h"
#include "col/type_text.h"
#include <stdio.h>
#include <stdlib.h>

/* ---- out ---- */

typedef struct node {
    struct ArrowSchema **children, *items;
    char *name, *format;
} node;

static void release_schema(struct ArrowSchema *schema)
{
    node *own = schema->private_data;

    for (int64_t i = 0; i < schema->n_children; i++)
        if (schema->children[i]->release)
            schema->children[i]->release(schema->children[i]);
    ps_free(own->children);
    ps_free(own->items);
    ps_free(own->name);
    ps_free(own->format);
    ps_free(own);
    schema->release = NULL;
}

static void format_of(const ps_type *type, const char *zone, char *out, size_t n_bytes)
{
    static const char *const plain[PS_KIND_COUNT] = {
        [PS_NULL] = "n",      [PS_BOOL] = "b",       [PS_INT8] = "c",      [PS_INT16] = "s",
        [PS_INT32] = "i",     [PS_INT64] = "l",      [PS_FLOAT] = "f",     [PS_DOUBLE] = "g",
        [PS_STRING] = "u",    [PS_BINARY] = "z",     [PS_DATE] = "tdD",    [PS_TIMESTAMP_NTZ] = "tsu:",
        [PS_DAYTIME] = "tDu", [PS_YEARMONTH] = "tiM", [PS_CALENDAR] = "tin", [PS_ARRAY] = "+l",
        [PS_MAP] = "+m",      [PS_STRUCT] = "+s"};

    if (type->kind == PS_DECIMAL)
        snprintf(out, n_bytes, "d:%d,%d", type->precision, type->scale);
    else if (type->kind == PS_TIMESTAMP)
        snprintf(out, n_bytes, "tsu:%s", zone ? zone : "UTC");
    else
        snprintf(out, n_bytes, "%s", plain[type->kind]);
}

static ps_status new_schema(const char *format, const char *name, bool nullable, int n_children,
                            struct ArrowSchema *out, ps_error *err)
{
    node *own;
    ps_status rc;

    *out = (struct ArrowSchema){.flags = nullable ? ARROW_FLAG_NULLABLE : 0};
    PS_TRY(ps_alloc0(sizeof *own, &own, err));
    out->private_data = own;
    out->release = release_schema;
    PS_TRY_OR(fail, ps_strdup(format, &own->format, err));
    PS_TRY_OR(fail, ps_strdup(name, &own->name, err));
    if (n_children > 0) {
        PS_TRY_OR(fail, ps_alloc0((size_t)n_children * sizeof *own->children, &own->children, err));
        PS_TRY_OR(fail, ps_alloc0((size_t)n_children * sizeof *own->items, &own->items, err));
        for (int i = 0; i < n_children; i++)
            own->children[i] = &own->items[i];
    }
    out->format = own->format;
    out->name = own->name;
    out->children = own->children;
    out->n_children = n_children;
    return PS_OK;
fail:
    out->release(out);
    return rc;
}

ps_status ps_arrow_export_type(const ps_type *type, const char *name, bool nullable, const char *zone,
                               struct ArrowSchema *out, ps_error *err)
{
    struct ArrowSchema *parent = out;
    char format[128];
    ps_status rc;

    format_of(type, zone, format, sizeof format);
    PS_TRY(new_schema(format, name, nullable, type->kind == PS_MAP ? 1 : type->n_fields, out, err));
    if (type->kind == PS_MAP) {
        PS_TRY_OR(fail, new_schema("+s", "entries", false, 2, out->children[0], err));
        parent = out->children[0];
    }
    for (int i = 0; i < type->n_fields; i++) {
        const ps_field *field = &type->fields[i];
        PS_TRY_OR(fail, ps_arrow_export_type(field->type, field->name, field->nullable, zone, parent->children[i], err));
    }
    return PS_OK;
fail:
    out->release(out);
    return rc;
}

/* ---- in ---- */

static ps_status refuse(const struct ArrowSchema *schema, ps_error *err)
{
    char text[160];

    snprintf(text, sizeof text, "The Arrow type '%.100s'", schema->format ? schema->format : "");
    return ps_raise(err, PS_E_ARROW_TYPE, text);
}

ps_status psi_arrow_malformed(const char *what, ps_error *err)
{
    return ps_raise(err, PS_E_ARROW_ARRAY, what);
}

/* A format of one or a few fixed letters. */
static const ps_type *plain_type(const char *format)
{
    static const struct { const char *format; ps_kind kind; } rows[] = {
        {"n", PS_NULL},    {"b", PS_BOOL},   {"c", PS_INT8},   {"C", PS_INT16},  {"s", PS_INT16},      {"S", PS_INT32},
        {"i", PS_INT32},   {"I", PS_INT64},  {"l", PS_INT64},  {"e", PS_FLOAT},  {"f", PS_FLOAT},      {"g", PS_DOUBLE},
        {"u", PS_STRING},  {"U", PS_STRING}, {"vu", PS_STRING}, {"z", PS_BINARY}, {"Z", PS_BINARY},     {"vz", PS_BINARY},
        {"tdD", PS_DATE},  {"tdm", PS_DATE}, {"tDs", PS_DAYTIME}, {"tDm", PS_DAYTIME}, {"tDu", PS_DAYTIME},
        {"tDn", PS_DAYTIME}, {"tiM", PS_YEARMONTH}, {"tiD", PS_CALENDAR}, {"tin", PS_CALENDAR}};

    for (size_t i = 0; i < PS_COUNT_OF(rows); i++)
        if (strcmp(rows[i].format, format) == 0)
            return ps_type_of(rows[i].kind);
    return NULL;
}

bool psi_arrow_decimal(const char *format, int *precision, int *scale, int *bits)
{
    char tail;

    *bits = 128;
    return sscanf(format, "d:%d,%d,%d%c", precision, scale, bits, &tail) == 3 ||
           sscanf(format, "d:%d,%d%c", precision, scale, &tail) == 2;
}

int64_t psi_arrow_size(const char *format)
{
    const char *colon = strchr(format, ':');
    char *end;
    long n = colon ? strtol(colon + 1, &end, 10) : -1;

    return colon && *end == '\0' && n >= 0 && n <= INT32_MAX ? n : -1;
}

static ps_status import_type(const struct ArrowSchema *schema, int depth, const ps_type **out, ps_error *err);

static ps_status import_field(const struct ArrowSchema *schema, int depth, psi_fields *fields, ps_error *err)
{
    const ps_type *type;

    PS_TRY(import_type(schema, depth + 1, &type, err));
    return psi_fields_add(fields, ps_slice_of(schema->name ? schema->name : ""), type,
                          schema->flags & ARROW_FLAG_NULLABLE, NULL, err);
}

static ps_status import_nested(const struct ArrowSchema *schema, int depth, const ps_type **out, ps_error *err)
{
    bool map = strcmp(schema->format, "+m") == 0, whole = strcmp(schema->format, "+s") == 0;
    bool list = strcmp(schema->format, "+l") == 0 || strcmp(schema->format, "+L") == 0 ||
                (strncmp(schema->format, "+w:", 3) == 0 && psi_arrow_size(schema->format) >= 0);
    psi_fields fields = {0};
    ps_status rc = PS_OK;

    if (!map && !whole && !list)
        return refuse(schema, err);
    if (!whole && (schema->n_children != 1 || !schema->children || !schema->children[0]))
        return psi_arrow_malformed("a list or map without its child", err);
    if (map)
        schema = schema->children[0];
    if (schema->n_children < 0 || schema->n_children > INT32_MAX || (schema->n_children > 0 && !schema->children) ||
        (map && (!schema->format || strcmp(schema->format, "+s") != 0 || schema->n_children != 2)))
        return psi_arrow_malformed("children do not fit the type", err);
    for (int64_t i = 0; i < schema->n_children && rc == PS_OK; i++)
        rc = schema->children[i] ? import_field(schema->children[i], depth, &fields, err)
                                 : psi_arrow_malformed("a child is missing", err);
    if (rc == PS_OK && map)
        rc = ps_type_map(fields.items[0].type, fields.items[1].type, fields.items[1].nullable, out, err);
    else if (rc == PS_OK && list)
        rc = ps_type_array(fields.items[0].type, fields.items[0].nullable, out, err);
    else if (rc == PS_OK)
        rc = ps_type_struct(fields.items, fields.n, out, err);
    psi_fields_clear(&fields);
    return rc;
}

static ps_status import_type(const struct ArrowSchema *schema, int depth, const ps_type **out, ps_error *err)
{
    const char *format = schema->format;
    int precision, scale, bits;

    *out = NULL;
    if (!format || depth > PSI_TYPE_DEPTH)
        return psi_arrow_malformed("a schema without format, or too deep", err);
    if (schema->dictionary)
        return import_type(schema->dictionary, depth + 1, out, err);
    if ((*out = plain_type(format)) != NULL)
        return PS_OK;
    if (format[0] == '+')
        return import_nested(schema, depth, out, err);
    if (strcmp(format, "L") == 0)
        return ps_type_decimal(20, 0, out, err);
    if (strncmp(format, "w:", 2) == 0 && psi_arrow_size(format) >= 0) {
        *out = ps_type_of(PS_BINARY);
        return PS_OK;
    }
    if (strncmp(format, "ts", 2) == 0 && format[2] && strchr("smun", format[2]) && format[3] == ':') {
        *out = ps_type_of(format[4] ? PS_TIMESTAMP : PS_TIMESTAMP_NTZ);
        return PS_OK;
    }
    if (psi_arrow_decimal(format, &precision, &scale, &bits) && precision >= 1 && precision <= 38 && scale >= 0 &&
        scale <= precision && (bits == 32 || bits == 64 || bits == 128 || bits == 256))
        return ps_type_decimal(precision, scale, out, err);
    return refuse(schema, err);
}

ps_status ps_arrow_import_type(const struct ArrowSchema *schema, const ps_type **out, ps_error *err)
{
    return import_type(schema, 0, out, err);
}
