/*
 * col/type_json.c - types as Spark's schema JSON, both ways.
 *
 * Written with sorted keys, as PySpark's StructType.json(); read in any order.
 */
#include "col/type_int.h"
#include "col/type_text.h"

static ps_status put_bool(const char *key, bool value, ps_bytes *out, ps_error *err)
{
    PS_TRY(ps_bytes_text(out, key, err));
    return ps_bytes_text(out, value ? "true" : "false", err);
}

static ps_status put_struct(const ps_type *type, ps_bytes *out, ps_error *err)
{
    PS_TRY(ps_bytes_text(out, "{\"fields\":[", err));
    for (int i = 0; i < type->n_fields; i++) {
        const ps_field *field = &type->fields[i];
        PS_TRY(ps_bytes_text(out, i > 0 ? ",{\"metadata\":" : "{\"metadata\":", err));
        PS_TRY(ps_bytes_text(out, field->metadata ? field->metadata : "{}", err));
        PS_TRY(ps_bytes_text(out, ",\"name\":", err));
        PS_TRY(ps_bytes_json_string(out, ps_slice_of(field->name), err));
        PS_TRY(put_bool(",\"nullable\":", field->nullable, out, err));
        PS_TRY(ps_bytes_text(out, ",\"type\":", err));
        PS_TRY(ps_type_json_text(field->type, out, err));
        PS_TRY(ps_bytes_char(out, '}', err));
    }
    return ps_bytes_text(out, "],\"type\":\"struct\"}", err);
}

ps_status ps_type_json_text(const ps_type *type, ps_bytes *out, ps_error *err)
{
    switch (type->kind) {
    case PS_STRUCT: return put_struct(type, out, err);
    case PS_ARRAY:
        PS_TRY(put_bool("{\"containsNull\":", type->fields[0].nullable, out, err));
        PS_TRY(ps_bytes_text(out, ",\"elementType\":", err));
        PS_TRY(ps_type_json_text(type->fields[0].type, out, err));
        return ps_bytes_text(out, ",\"type\":\"array\"}", err);
    case PS_MAP:
        PS_TRY(ps_bytes_text(out, "{\"keyType\":", err));
        PS_TRY(ps_type_json_text(type->fields[0].type, out, err));
        PS_TRY(put_bool(",\"type\":\"map\",\"valueContainsNull\":", type->fields[1].nullable, out, err));
        PS_TRY(ps_bytes_text(out, ",\"valueType\":", err));
        PS_TRY(ps_type_json_text(type->fields[1].type, out, err));
        return ps_bytes_char(out, '}', err);
    default:
        PS_TRY(ps_bytes_char(out, '"', err));
        PS_TRY(psi_type_atom_name(type, out, err));
        return ps_bytes_char(out, '"', err);
    }
}

/* ---- reading ---- */

static ps_status from_node(const ps_json *node, int depth, const ps_type **out, ps_error *err);

static ps_status refuse(const ps_json *node, ps_error *err)
{
    ps_bytes text = {0};
    ps_slice shown = ps_slice_of("");
    ps_status rc;

    if (node && ps_json_write(node, &text, NULL) == PS_OK)
        shown = ps_bytes_slice(&text);
    rc = ps_raise(err, PS_E_JSON_DATA_TYPE, (int)shown.n_bytes, shown.data);
    ps_bytes_clear(&text);
    return rc;
}

static bool get_bool(const ps_json *node, const char *key)
{
    const ps_json *value = ps_json_get(node, key);

    return !value || value->kind != PS_JSON_BOOL || value->boolean;
}

/* "integer", "decimal(5,2)", "interval day to second": JSON's names are among DDL's words. */
static ps_status atom_from(const ps_json *node, const ps_type **out, ps_error *err)
{
    ps_status rc = ps_type_parse(node->text, out, err);

    if (rc == PS_OK && ps_kind_is_nested((*out)->kind)) {
        ps_type_unref(*out);
        *out = NULL;
        rc = PS_E_PARSE_SYNTAX;
    }
    return rc == PS_E_PARSE_SYNTAX || rc == PS_E_UNSUPPORTED_DATATYPE ? refuse(node, err) : rc;
}

static ps_status field_from(const ps_json *node, int depth, psi_fields *fields, ps_error *err)
{
    const ps_json *name = ps_json_get(node, "name"), *metadata = ps_json_get(node, "metadata");
    const ps_type *type;
    ps_bytes text = {0};
    ps_status rc = PS_OK;

    if (!name || name->kind != PS_JSON_TEXT)
        return refuse(node, err);
    PS_TRY(from_node(ps_json_get(node, "type"), depth + 1, &type, err));
    if (metadata && metadata->kind == PS_JSON_OBJECT && metadata->first)
        rc = ps_json_write(metadata, &text, err);
    if (rc == PS_OK)
        rc = psi_fields_add(fields, name->text, type, get_bool(node, "nullable"), text.data, err);
    else
        ps_type_unref(type);
    ps_bytes_clear(&text);
    return rc;
}

static ps_status struct_from(const ps_json *node, int depth, const ps_type **out, ps_error *err)
{
    const ps_json *list = ps_json_get(node, "fields");
    psi_fields fields = {0};
    ps_status rc = PS_OK;

    if (!list || list->kind != PS_JSON_ARRAY)
        return refuse(node, err);
    for (const ps_json *item = list->first; item && rc == PS_OK; item = item->next)
        rc = field_from(item, depth, &fields, err);
    if (rc == PS_OK)
        rc = ps_type_struct(fields.items, fields.n, out, err);
    psi_fields_clear(&fields);
    return rc;
}

static ps_status parts_from(const ps_json *node, bool map, int depth, const ps_type **out, ps_error *err)
{
    const ps_type *part[2] = {NULL, NULL};
    ps_status rc;

    PS_TRY(from_node(ps_json_get(node, map ? "keyType" : "elementType"), depth + 1, &part[0], err));
    if (map) {
        PS_TRY_OR(done, from_node(ps_json_get(node, "valueType"), depth + 1, &part[1], err));
        rc = ps_type_map(part[0], part[1], get_bool(node, "valueContainsNull"), out, err);
    } else {
        rc = ps_type_array(part[0], get_bool(node, "containsNull"), out, err);
    }
done:
    ps_type_unref(part[0]);
    ps_type_unref(part[1]);
    return rc;
}

static ps_status from_node(const ps_json *node, int depth, const ps_type **out, ps_error *err)
{
    const ps_json *kind = node ? ps_json_get(node, "type") : NULL;

    *out = NULL;
    if (!node || depth > PSI_TYPE_DEPTH)
        return refuse(NULL, err);
    if (node->kind == PS_JSON_TEXT)
        return atom_from(node, out, err);
    if (!kind || kind->kind != PS_JSON_TEXT)
        return refuse(node, err);
    if (ps_slice_equal(kind->text, ps_slice_of("struct")))
        return struct_from(node, depth, out, err);
    if (ps_slice_equal(kind->text, ps_slice_of("array")))
        return parts_from(node, false, depth, out, err);
    if (ps_slice_equal(kind->text, ps_slice_of("map")))
        return parts_from(node, true, depth, out, err);
    return refuse(node, err);
}

ps_status ps_type_from_json(ps_slice text, const ps_type **out, ps_error *err)
{
    ps_arena arena = {0};
    ps_json *root;
    ps_status rc;

    *out = NULL;
    if ((rc = ps_json_parse(text, &arena, &root, err)) == PS_OK)
        rc = from_node(root, 0, out, err);
    else if (rc == PS_E_BAD_JSON)
        rc = ps_raise(err, PS_E_JSON_DATA_TYPE, (int)text.n_bytes, text.data);
    ps_arena_clear(&arena);
    return rc;
}
