/*
 * col/type.c - making, sharing and comparing types.
 *
 * The static types are never counted: sharing them costs nothing and no thread waits for another.
 */
#include "col/type.h"

/* DECIMAL is decimal(10,0), the intervals have all their fields. */
static ps_type statics[PS_KIND_COUNT] = {
#define PS_TYPE(k, width, sql, simple)                                                             \
    [PS_##k] = {.kind = PS_##k,                                                                    \
                .precision = PS_##k == PS_DECIMAL ? 10 : 0,                                        \
                .unit_to = PS_##k == PS_DAYTIME ? 3 : PS_##k == PS_YEARMONTH ? 1 : 0},
#include "col/types.def"
#undef PS_TYPE
};

static const uint8_t widths[PS_KIND_COUNT] = {
#define PS_TYPE(kind, width, sql, simple) [PS_##kind] = width,
#include "col/types.def"
#undef PS_TYPE
};

static bool is_static(const ps_type *type)
{
    return type >= statics && type < statics + PS_KIND_COUNT;
}

const ps_type *ps_type_of(ps_kind kind)
{
    ps_assert(kind < PS_KIND_COUNT && kind != PS_ARRAY && kind != PS_MAP);
    return &statics[kind];
}

size_t ps_type_width(const ps_type *type)
{
    return widths[type->kind];
}

static ps_status new_type(ps_kind kind, int n_fields, ps_type **out, ps_error *err)
{
    ps_type *type;

    *out = NULL;
    PS_TRY(ps_alloc0(sizeof *type, &type, err));
    ps_refs_init(&type->refs);
    type->kind = kind;
    if (n_fields > 0) {
        ps_status rc = ps_alloc0((size_t)n_fields * sizeof *type->fields, &type->fields, err);
        if (rc != PS_OK) {
            ps_free(type);
            return rc;
        }
        type->n_fields = n_fields;
    }
    *out = type;
    return PS_OK;
}

static ps_status fill_field(ps_field *field, const char *name, const ps_type *type, bool nullable,
                            const char *metadata, ps_error *err)
{
    PS_TRY(ps_strdup(name, &field->name, err));
    if (metadata)
        PS_TRY(ps_strdup(metadata, &field->metadata, err));
    field->type = ps_type_ref(type);
    field->nullable = nullable;
    return PS_OK;
}

ps_status ps_type_decimal(int precision, int scale, const ps_type **out, ps_error *err)
{
    ps_type *type;

    *out = NULL;
    if (precision > 38 || scale > 38)
        return ps_raise(err, PS_E_DECIMAL_PRECISION, precision > scale ? precision : scale);
    if (precision < 1 || scale < 0 || scale > precision)
        return ps_raise(err, PS_E_DECIMAL_SCALE, scale, precision);
    if (precision == 10 && scale == 0) {
        *out = &statics[PS_DECIMAL];
        return PS_OK;
    }
    PS_TRY(new_type(PS_DECIMAL, 0, &type, err));
    type->precision = (uint8_t)precision;
    type->scale = (uint8_t)scale;
    *out = type;
    return PS_OK;
}

ps_status ps_type_interval(ps_kind kind, int from, int to, const ps_type **out, ps_error *err)
{
    ps_type *type;
    int last = kind == PS_DAYTIME ? 3 : 1;

    *out = NULL;
    ps_assert(kind == PS_DAYTIME || kind == PS_YEARMONTH);
    ps_assert(from >= 0 && from <= to && to <= last);
    if (from == 0 && to == last) {
        *out = &statics[kind];
        return PS_OK;
    }
    PS_TRY(new_type(kind, 0, &type, err));
    type->unit_from = (uint8_t)from;
    type->unit_to = (uint8_t)to;
    *out = type;
    return PS_OK;
}

ps_status ps_type_string_sized(bool varying, uint32_t length, const ps_type **out, ps_error *err)
{
    ps_type *type;

    *out = NULL;
    PS_TRY(new_type(PS_STRING, 0, &type, err));
    type->length = length;
    type->varying = varying;
    *out = type;
    return PS_OK;
}

ps_status ps_type_array(const ps_type *element, bool contains_null, const ps_type **out, ps_error *err)
{
    ps_type *type;
    ps_status rc;

    *out = NULL;
    PS_TRY(new_type(PS_ARRAY, 1, &type, err));
    if ((rc = fill_field(&type->fields[0], "element", element, contains_null, NULL, err)) != PS_OK) {
        ps_type_unref(type);
        return rc;
    }
    *out = type;
    return PS_OK;
}

ps_status ps_type_map(const ps_type *key, const ps_type *value, bool value_contains_null,
                      const ps_type **out, ps_error *err)
{
    ps_type *type;
    ps_status rc;

    *out = NULL;
    PS_TRY(new_type(PS_MAP, 2, &type, err));
    PS_TRY_OR(fail, fill_field(&type->fields[0], "key", key, false, NULL, err));
    PS_TRY_OR(fail, fill_field(&type->fields[1], "value", value, value_contains_null, NULL, err));
    *out = type;
    return PS_OK;
fail:
    ps_type_unref(type);
    return rc;
}

ps_status ps_type_struct(const ps_field *fields, int n_fields, const ps_type **out, ps_error *err)
{
    ps_type *type;
    ps_status rc;

    *out = NULL;
    PS_TRY(new_type(PS_STRUCT, n_fields, &type, err));
    for (int i = 0; i < n_fields; i++)
        PS_TRY_OR(fail, fill_field(&type->fields[i], fields[i].name, fields[i].type, fields[i].nullable,
                                   fields[i].metadata, err));
    *out = type;
    return PS_OK;
fail:
    ps_type_unref(type);
    return rc;
}

const ps_type *ps_type_ref(const ps_type *type)
{
    if (type && !is_static(type))
        ps_refs_inc((ps_refs *)&type->refs); /* the count is not part of the value */
    return type;
}

void ps_type_unref(const ps_type *type)
{
    if (!type || is_static(type) || !ps_refs_dec((ps_refs *)&type->refs))
        return;
    for (int i = 0; i < type->n_fields; i++) {
        ps_free(type->fields[i].name);
        ps_free(type->fields[i].metadata);
        ps_type_unref(type->fields[i].type);
    }
    ps_free(type->fields);
    ps_free((void *)type);
}

static bool equal(const ps_type *a, const ps_type *b, bool nulls)
{
    if (a == b)
        return true;
    if (a->kind != b->kind || a->precision != b->precision || a->scale != b->scale ||
        a->unit_from != b->unit_from || a->unit_to != b->unit_to || a->n_fields != b->n_fields)
        return false;
    for (int i = 0; i < a->n_fields; i++) {
        const ps_field *fa = &a->fields[i], *fb = &b->fields[i];
        if ((nulls && fa->nullable != fb->nullable) || strcmp(fa->name, fb->name) != 0 ||
            !equal(fa->type, fb->type, nulls))
            return false;
    }
    return true;
}

bool ps_type_equal(const ps_type *a, const ps_type *b)
{
    return equal(a, b, true);
}

bool ps_type_equal_ignoring_null(const ps_type *a, const ps_type *b)
{
    return equal(a, b, false);
}

int ps_type_field_index(const ps_type *type, const char *name, bool case_sensitive)
{
    int found = -1;

    for (int i = 0; i < type->n_fields; i++) {
        const char *other = type->fields[i].name;
        if ((case_sensitive ? strcmp(other, name) : ps_stricmp(other, name)) != 0)
            continue;
        if (found >= 0)
            return -2;
        found = i;
    }
    return found;
}
