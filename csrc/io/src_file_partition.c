/*
 * io/src_file_partition.c - columns that directory names spell: ".../day=2024-01-02/kind=a%2Fb/file".
 *
 * A path is read from its directory upwards until a base directory, or until a name that is no "key=value" after one
 * that was.  Types are inferred from the raw texts as Spark does (sources-sinks.md B.4), then widened over all
 * directories.
 */
#include "col/build.h"
#include "col/text.h"
#include "col/type_text.h"
#include "io/src_file_int.h"
#include <stdio.h>

#define NULL_NAME "__HIVE_DEFAULT_PARTITION__"

typedef struct part { char *name; char *raw; } part; /* owned; the name unescaped, the value not */
typedef struct parts {
    part *items; /* outermost first */
    int n, capacity;
    size_t n_base; /* the path above the outermost one: a prefix of the directory */
} parts;

static void parts_clear(parts *parts)
{
    for (int i = 0; i < parts->n; i++) {
        ps_free(parts->items[i].name);
        ps_free(parts->items[i].raw);
    }
    ps_free(parts->items);
    parts->items = NULL;
    parts->n = parts->capacity = 0;
}

static int hex_value(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* %XX to the byte, in place. */
static void unescape(char *text)
{
    char *to = text;

    for (; *text; text++) {
        int high = *text == '%' ? hex_value(text[1]) : -1, low = high >= 0 ? hex_value(text[2]) : -1;
        if (low >= 0) {
            *to++ = (char)(high << 4 | low);
            text += 2;
        } else {
            *to++ = *text;
        }
    }
    *to = '\0';
}

static ps_status add_part(parts *parts, const char *component, size_t n, const char *equals, ps_error *err)
{
    size_t n_name = (size_t)(equals - component);
    char text[256];
    part item = {0};
    ps_status rc;

    if (n_name == 0 || n_name + 1 == n) {
        snprintf(text, sizeof text, "%.*s", (int)(n < sizeof text ? n : sizeof text - 1), component);
        return ps_raise(err, PS_E_PARTITION_EMPTY, n_name == 0 ? "name" : "value", text);
    }
    PS_TRY_OR(fail, ps_strndup(component, n_name, &item.name, err));
    PS_TRY_OR(fail, ps_strndup(equals + 1, n - n_name - 1, &item.raw, err));
    unescape(item.name);
    PS_TRY_OR(fail, PS_PUSH(parts, item, err));
    return PS_OK;
fail:
    ps_free(item.name);
    ps_free(item.raw);
    return rc;
}

static ps_status read_parts(const char *dir, const psi_texts *bases, parts *out, ps_error *err)
{
    size_t end = strlen(dir);

    *out = (parts){0};
    if (!strchr(dir, '='))
        return PS_OK;
    while (end > 0 && !psi_texts_has(bases, dir, end)) {
        size_t start = end;
        const char *equals;
        while (start > 0 && dir[start - 1] != '/')
            start--;
        if (end - start == 10 && ps_slice_equal_nocase((ps_slice){dir + start, 10}, ps_slice_of("_temporary"))) {
            parts_clear(out);
            return PS_OK;
        }
        equals = memchr(dir + start, '=', end - start);
        if (!equals && out->n > 0)
            break;
        if (equals) {
            ps_status rc = add_part(out, dir + start, end - start, equals, err);
            if (rc != PS_OK) {
                parts_clear(out);
                return rc;
            }
        }
        end = start > 1 ? start - 1 : 0;
    }
    out->n_base = end;
    for (int i = 0; i < out->n / 2; i++) {
        part item = out->items[i];
        out->items[i] = out->items[out->n - 1 - i];
        out->items[out->n - 1 - i] = item;
    }
    return PS_OK;
}

bool psi_partition_any(const psi_texts *dirs, const psi_texts *bases)
{
    for (int i = 0; i < dirs->n; i++) {
        const char *dir = dirs->items[i];
        size_t end = strchr(dir, '=') ? strlen(dir) : 0;
        while (end > 0 && !psi_texts_has(bases, dir, end)) {
            size_t start = end;
            while (start > 0 && dir[start - 1] != '/')
                start--;
            if (memchr(dir + start, '=', end - start))
                return true;
            end = start > 1 ? start - 1 : 0;
        }
    }
    return false;
}

/* --- types ------------------------------------------------------------------------------------------------- */

/* A number as BigDecimal reads it, without a fraction: the digits it has when written out. */
static bool whole_decimal_digits(const char *text, int *digits)
{
    int n = 0, n_fraction = 0, exponent = 0;
    bool negative = false, leading = true, point = false, any = false;

    text += *text == '+' || *text == '-';
    for (; (*text >= '0' && *text <= '9') || (*text == '.' && !point); text++) {
        if (*text == '.') {
            point = true;
            continue;
        }
        any = true;
        n_fraction += point;
        if (leading && *text == '0')
            continue;
        leading = false;
        n++;
    }
    if (!any)
        return false;
    if (*text == 'e' || *text == 'E') {
        text++;
        negative = *text == '-';
        text += *text == '+' || *text == '-';
        if (*text < '0' || *text > '9')
            return false;
        for (; *text >= '0' && *text <= '9'; text++)
            exponent = exponent > 1000 ? exponent : exponent * 10 + (*text - '0');
    }
    exponent = (negative ? -exponent : exponent) - n_fraction;
    *digits = (n == 0 ? 1 : n) + exponent;
    return *text == '\0' && exponent >= 0 && *digits <= 38;
}

static bool matches_digits(const char *text, const char *pattern)
{
    for (; *pattern; pattern++, text++)
        if (*pattern == '0' ? *text < '0' || *text > '9' : *text != *pattern)
            return false;
    return *text == '\0';
}

/* yyyy-MM-dd HH:mm:ss[.S], escaped or not. */
static bool is_timestamp(const char *raw, const ps_zone *zone)
{
    char text[64];
    int64_t us;
    bool has_zone;

    if (strlen(raw) >= sizeof text)
        return false;
    memcpy(text, raw, strlen(raw) + 1);
    unescape(text);
    return (matches_digits(text, "0000-00-00 00:00:00") || matches_digits(text, "0000-00-00 00:00:00.0")) &&
           ps_parse_timestamp(ps_slice_of(text), zone, &us, &has_zone);
}

static ps_status infer_type(const char *raw, bool infer, const ps_conf *conf, const ps_zone *zone, const ps_type **out, ps_error *err)
{
    const char *timestamp = ps_conf_get(conf, "spark.sql.timestampType");
    ps_kind kind = PS_STRING;
    int64_t integer;
    double real;
    int digits;
    int32_t days;

    if (strcmp(raw, NULL_NAME) == 0)
        kind = PS_NULL;
    else if (!infer)
        kind = PS_STRING;
    else if (ps_parse_int64(ps_slice_of(raw), &integer))
        kind = integer >= INT32_MIN && integer <= INT32_MAX ? PS_INT32 : PS_INT64;
    else if (whole_decimal_digits(raw, &digits))
        return ps_type_decimal(digits, 0, out, err);
    else if (ps_parse_double_java(ps_slice_of(raw), &real))
        kind = PS_DOUBLE;
    else if (is_timestamp(raw, zone))
        kind = timestamp && strcmp(timestamp, "TIMESTAMP_NTZ") == 0 ? PS_TIMESTAMP_NTZ : PS_TIMESTAMP;
    else if (matches_digits(raw, "0000-00-00") && ps_parse_date(ps_slice_of(raw), &days))
        kind = PS_DATE;
    *out = ps_type_ref(ps_type_of(kind));
    return PS_OK;
}

static int decimal_digits(const ps_type *type)
{
    return type->kind == PS_DECIMAL ? type->precision : type->kind == PS_INT64 ? 20 : type->kind == PS_INT32 ? 10 : 0;
}

/* The type that holds values of both. */
static ps_status widen(const ps_type *a, const ps_type *b, const ps_type **out, ps_error *err)
{
    ps_kind kind = PS_STRING, low = a->kind < b->kind ? a->kind : b->kind, high = a->kind < b->kind ? b->kind : a->kind;

    if (ps_type_equal(a, b) || low == PS_NULL) {
        *out = ps_type_ref(a->kind == PS_NULL ? b : a);
        return PS_OK;
    }
    if (high == PS_DECIMAL && decimal_digits(a) > 0 && decimal_digits(b) > 0)
        return ps_type_decimal(decimal_digits(a) > decimal_digits(b) ? decimal_digits(a) : decimal_digits(b), 0, out, err);
    if (low == PS_INT32 && (high == PS_INT64 || high == PS_DOUBLE))
        kind = high;
    else if (low == PS_DATE && (high == PS_TIMESTAMP || high == PS_TIMESTAMP_NTZ))
        kind = high;
    *out = ps_type_ref(ps_type_of(kind));
    return PS_OK;
}

typedef struct inference {
    const ps_type *declared;
    const ps_conf *conf;
    const ps_zone *zone;
    bool case_sensitive, infer;
    ps_field *fields; /* names and types owned */
    int n;            /* -1 before the first directory */
    const char *base; /* of the first directory */
    size_t n_base;
} inference;

static bool same_name(const inference *in, const char *a, const char *b)
{
    return in->case_sensitive ? strcmp(a, b) == 0 : ps_stricmp(a, b) == 0;
}

static const ps_field *declared_field(const inference *in, const char *name)
{
    int i = in->declared ? ps_type_field_index(in->declared, name, in->case_sensitive) : -1;

    return i < 0 ? NULL : &in->declared->fields[i];
}

static ps_status names_conflict(const inference *in, const parts *found, ps_error *err)
{
    ps_bytes text = {0};
    ps_status rc = PS_OK;

    for (int i = 0; rc == PS_OK && i < in->n; i++)
        rc = ps_bytes_printf(&text, err, "%s%s", i ? ", " : "Partition column name list #0: ", in->fields[i].name);
    for (int i = 0; rc == PS_OK && i < found->n; i++)
        rc = ps_bytes_printf(&text, err, "%s%s", i ? ", " : "\nPartition column name list #1: ", found->items[i].name);
    if (rc == PS_OK)
        rc = ps_raise(err, PS_E_PARTITION_NAMES, text.data);
    ps_bytes_clear(&text);
    return rc;
}

static ps_status first_directory(inference *in, const parts *found, const char *dir, ps_error *err)
{
    PS_TRY(ps_alloc0((size_t)(found->n + 1) * sizeof *in->fields, &in->fields, err));
    in->n = found->n;
    in->base = dir;
    in->n_base = found->n_base;
    for (int i = 0; i < found->n; i++) {
        const ps_field *declared = declared_field(in, found->items[i].name);
        in->fields[i].nullable = true;
        PS_TRY(ps_strdup(declared ? declared->name : found->items[i].name, &in->fields[i].name, err));
        in->fields[i].type = ps_type_ref(declared ? declared->type : ps_type_of(PS_NULL));
    }
    return PS_OK;
}

static ps_status next_directory(inference *in, const parts *found, const char *dir, ps_error *err)
{
    bool same = in->n == found->n;

    for (int i = 0; same && i < in->n; i++)
        same = same_name(in, in->fields[i].name, found->items[i].name);
    if (!same)
        return names_conflict(in, found, err);
    if (in->n_base != found->n_base || memcmp(in->base, dir, in->n_base) != 0) {
        char text[512];
        snprintf(text, sizeof text, "\tfile:%.*s\n\tfile:%.*s", (int)(in->n_base > 240 ? 240 : in->n_base), in->base,
                 (int)(found->n_base > 240 ? 240 : found->n_base), dir);
        return ps_raise(err, PS_E_PARTITION_DIRS, text);
    }
    return PS_OK;
}

static ps_status merge_directory(inference *in, const parts *found, const char *dir, ps_error *err)
{
    if (in->n < 0)
        PS_TRY(first_directory(in, found, dir, err));
    else
        PS_TRY(next_directory(in, found, dir, err));
    for (int i = 0; i < in->n; i++) {
        const ps_type *type, *wider;
        ps_status rc;
        if (declared_field(in, in->fields[i].name))
            continue;
        PS_TRY(infer_type(found->items[i].raw, in->infer, in->conf, in->zone, &type, err));
        rc = widen(in->fields[i].type, type, &wider, err);
        ps_type_unref(type);
        PS_TRY(rc);
        ps_type_unref(in->fields[i].type);
        in->fields[i].type = wider;
    }
    return PS_OK;
}

static void inference_clear(inference *in)
{
    for (int i = 0; in->fields && i < in->n; i++) {
        ps_free(in->fields[i].name);
        ps_type_unref(in->fields[i].type);
    }
    ps_free(in->fields);
}

/* A directory of the relation whose own files lie outside all partitions must be the base of the others. */
static ps_status check_plain(const inference *in, const psi_texts *plain, ps_error *err)
{
    for (int i = 0; in->n > 0 && i < plain->n; i++)
        if (strlen(plain->items[i]) != in->n_base || memcmp(plain->items[i], in->base, in->n_base) != 0) {
            char text[512];
            snprintf(text, sizeof text, "\tfile:%.*s\n\tfile:%.240s", (int)(in->n_base > 240 ? 240 : in->n_base), in->base, plain->items[i]);
            return ps_raise(err, PS_E_PARTITION_DIRS, text);
        }
    return PS_OK;
}

ps_status psi_partition_schema(const psi_texts *dirs, const psi_texts *bases, const ps_type *declared, const ps_conf *conf,
                               const ps_zone *zone, const ps_type **out, ps_error *err)
{
    inference in = {.declared = declared, .conf = conf, .zone = zone, .n = -1};
    psi_texts plain = {0};
    ps_status rc = PS_OK;

    *out = NULL;
    in.case_sensitive = ps_conf_bool(conf, "spark.sql.caseSensitive");
    in.infer = ps_conf_bool(conf, "spark.sql.sources.partitionColumnTypeInference.enabled");
    for (int i = 0; i < dirs->n; i++) {
        parts found;
        PS_TRY_OR(done, read_parts(dirs->items[i], bases, &found, err));
        rc = found.n > 0 ? merge_directory(&in, &found, dirs->items[i], err) : psi_texts_add(&plain, dirs->items[i], err);
        parts_clear(&found);
        if (rc != PS_OK)
            goto done;
    }
    PS_TRY_OR(done, check_plain(&in, &plain, err));
    for (int i = 0; i < in.n; i++)
        if (in.fields[i].type->kind == PS_NULL)
            in.fields[i].type = ps_type_of(PS_STRING); /* nothing but NULLs; static types need no count */
    rc = ps_type_struct(in.fields, in.n > 0 ? in.n : 0, out, err);
done:
    psi_texts_clear(&plain);
    inference_clear(&in);
    return rc;
}

/* --- values ---------------------------------------------------------------------------------------------------- */

static bool integer_fits(ps_kind kind, int64_t value)
{
    return kind == PS_INT64 || (value >= INT32_MIN && value <= INT32_MAX);
}

/* Appends the value of a raw text to b; *ok false when the text is none of the type. */
static ps_status build_value(ps_builder *b, const char *raw, char *plain, const ps_zone *zone, bool *ok, ps_error *err)
{
    ps_slice text = ps_slice_of(raw), unescaped = ps_slice_of(plain);
    const ps_type *type = b->type;
    int64_t integer = 0;
    int32_t days = 0;
    __int128 decimal = 0;
    double real = 0;
    bool has_zone;

    switch (type->kind) {
    case PS_STRING:
        return ps_build_text(b, unescaped.data, unescaped.n_bytes, err);
    case PS_BINARY:
        return ps_build_text(b, text.data, text.n_bytes, err);
    case PS_BOOL:
        integer = ps_stricmp(raw, "true") == 0;
        *ok = integer || ps_stricmp(raw, "false") == 0;
        break;
    case PS_INT8: case PS_INT16: case PS_INT32: case PS_INT64:
        *ok = ps_parse_int64(text, &integer) && integer_fits(type->kind, integer);
        integer = type->kind == PS_INT8 ? (int8_t)integer : type->kind == PS_INT16 ? (int16_t)integer : integer;
        break;
    case PS_FLOAT: case PS_DOUBLE:
        *ok = ps_parse_double_java(text, &real);
        return *ok ? ps_build_double(b, real, err) : PS_OK;
    case PS_DECIMAL:
        *ok = ps_parse_decimal(text, type->precision, type->scale, &decimal);
        return *ok ? ps_build_int128(b, decimal, err) : PS_OK;
    case PS_DATE:
        *ok = ps_parse_date(text, &days);
        integer = days;
        break;
    case PS_TIMESTAMP:
        *ok = ps_parse_timestamp(unescaped, zone, &integer, &has_zone);
        break;
    case PS_TIMESTAMP_NTZ:
        *ok = ps_parse_timestamp_ntz(unescaped, true, &integer);
        break;
    default:
        *ok = false;
    }
    return *ok ? ps_build_int(b, integer, err) : PS_OK;
}

static ps_status value_of(const ps_field *field, const char *raw, bool validate, const ps_zone *zone, ps_vec **out, ps_error *err)
{
    ps_builder *b = NULL;
    char *plain = NULL;
    bool ok = true;
    ps_status rc;

    *out = NULL;
    if (!raw || strcmp(raw, NULL_NAME) == 0)
        return ps_vec_null(field->type, 1, out, err);
    PS_TRY_OR(done, ps_build_new(field->type, 1, &b, err));
    PS_TRY_OR(done, ps_strdup(raw, &plain, err));
    unescape(plain);
    PS_TRY_OR(done, build_value(b, raw, plain, zone, &ok, err));
    if (!ok && validate)
        rc = ps_raise(err, PS_E_PARTITION_VALUE, raw, ps_type_name(field->type), field->name);
    else if (!ok)
        rc = ps_vec_null(field->type, 1, out, err);
    else
        rc = ps_build_finish(b, out, err);
done:
    ps_free(plain);
    ps_build_free(b);
    return rc;
}

ps_status psi_partition_values(const ps_type *schema, const char *path, const psi_texts *bases, const ps_conf *conf,
                               const ps_zone *zone, ps_vec **vecs, bool *inside, ps_error *err)
{
    bool case_sensitive = ps_conf_bool(conf, "spark.sql.caseSensitive");
    bool validate = ps_conf_bool(conf, "spark.sql.sources.validatePartitionColumns");
    parts found = {0};
    char *dir = NULL;
    ps_status rc;
    int i = 0;

    *inside = false;
    PS_TRY(psi_path_dir(path, &dir, err));
    PS_TRY_OR(done, read_parts(dir, bases, &found, err));
    *inside = found.n > 0;
    for (; *inside && i < schema->n_fields; i++) {
        const ps_field *field = &schema->fields[i];
        const char *raw = NULL;
        for (int j = 0; j < found.n; j++)
            if (case_sensitive ? strcmp(found.items[j].name, field->name) == 0 : ps_stricmp(found.items[j].name, field->name) == 0)
                raw = found.items[j].raw;
        PS_TRY_OR(fail, value_of(field, raw, validate, zone, &vecs[i], err));
    }
    rc = PS_OK;
    goto done;
fail:
    while (i > 0) {
        ps_vec_unref(vecs[--i]);
        vecs[i] = NULL;
    }
done:
    parts_clear(&found);
    ps_free(dir);
    return rc;
}
