/*
 * fmt/json_infer.c - the schema of JSON documents (sources-sinks.md C.8 rule 8).
 *
 * Every record has a shape; the schema is what all shapes have in common.  A record's shape is made in an arena
 * of its own and merged into the lasting one only when the whole record could be read.
 */
#include "fmt/json.h"
#include "col/text.h"
#include "fmt/json_int.h"
#include <stdlib.h>

typedef struct shape shape;
typedef struct member {
    ps_slice name;
    shape *type;
} member;

/* PS_NULL, BOOL, INT64, DOUBLE, DECIMAL, STRING, TIMESTAMP, ARRAY, STRUCT. */
struct shape {
    ps_kind kind;
    int precision, scale;
    shape *element;   /* ARRAY */
    member *members;  /* STRUCT, in order of first sight */
    int n, capacity;
};

typedef struct infer {
    psi_json_options opt;
    psi_json json;
    bool as_string, decimals, timestamps, drop_nulls;
    psi_mode mode;
    const char *corrupt;
    ps_arena record, lasting;
    shape root;
} infer;

/* ---- shapes ---- */

static ps_status new_shape(ps_arena *arena, ps_kind kind, shape **out, ps_error *err)
{
    PS_TRY(ps_arena_alloc(arena, sizeof **out, out, err));
    **out = (shape){.kind = kind};
    return PS_OK;
}

/* The member of that name, made when it is missing.  `hint` is where it is when the order of names repeats. */
static ps_status member_of(ps_arena *arena, shape *s, ps_slice name, int hint, shape **out, ps_error *err)
{
    char *copy;

    if (hint < s->n && ps_slice_equal(s->members[hint].name, name)) {
        *out = s->members[hint].type;
        return PS_OK;
    }
    for (int i = 0; i < s->n; i++) {
        if (ps_slice_equal(s->members[i].name, name)) {
            *out = s->members[i].type;
            return PS_OK;
        }
    }
    if (s->n == s->capacity) {
        int capacity = s->capacity ? s->capacity * 2 : 8;
        member *grown;

        PS_TRY(ps_arena_alloc(arena, (size_t)capacity * sizeof *grown, &grown, err));
        if (s->n > 0)
            memcpy(grown, s->members, (size_t)s->n * sizeof *grown);
        s->members = grown;
        s->capacity = capacity;
    }
    PS_TRY(ps_arena_strndup(arena, name.data, name.n_bytes, &copy, err));
    PS_TRY(new_shape(arena, PS_NULL, out, err));
    s->members[s->n++] = (member){{copy, name.n_bytes}, *out};
    return PS_OK;
}

static void become(shape *s, ps_kind kind)
{
    *s = (shape){.kind = kind};
}

/* Two decimals, or a bigint as decimal(20,0), in one. */
static void merge_decimals(shape *into, int precision, int scale)
{
    int whole_a = into->precision - into->scale, whole_b = precision - scale;
    int whole = whole_a > whole_b ? whole_a : whole_b, s = into->scale > scale ? into->scale : scale;

    if (whole + s > 38) {
        become(into, PS_DOUBLE);
        return;
    }
    into->kind = PS_DECIMAL;
    into->precision = whole + s;
    into->scale = s;
}

static void merge_numbers(shape *into, const shape *from)
{
    if (into->kind == PS_DOUBLE || from->kind == PS_DOUBLE) {
        become(into, PS_DOUBLE);
        return;
    }
    if (into->kind == PS_INT64)
        *into = (shape){.kind = PS_DECIMAL, .precision = 20};
    if (from->kind == PS_INT64)
        merge_decimals(into, 20, 0);
    else
        merge_decimals(into, from->precision, from->scale);
}

/* Makes `into`, which lives in the arena, the shape of both; copies what it takes. */
static ps_status merge(ps_arena *arena, shape *into, const shape *from, ps_error *err)
{
    if (from->kind == PS_NULL)
        return PS_OK;
    if (into->kind == PS_NULL) {
        *into = (shape){.kind = from->kind, .precision = from->precision, .scale = from->scale};
        if (from->kind == PS_ARRAY)
            PS_TRY(new_shape(arena, PS_NULL, &into->element, err));
    }
    if (into->kind == PS_STRUCT && from->kind == PS_STRUCT) {
        for (int i = 0; i < from->n; i++) {
            shape *type;
            PS_TRY(member_of(arena, into, from->members[i].name, i, &type, err));
            PS_TRY(merge(arena, type, from->members[i].type, err));
        }
        return PS_OK;
    }
    if (into->kind == PS_ARRAY && from->kind == PS_ARRAY)
        return merge(arena, into->element, from->element, err);
    if (into->kind == from->kind && into->kind != PS_DECIMAL)
        return PS_OK;
    if (ps_kind_is_numeric(into->kind) && ps_kind_is_numeric(from->kind))
        merge_numbers(into, from);
    else
        become(into, PS_STRING);
    return PS_OK;
}

/* ---- one record ---- */

/* Digits and places after the point, as Java's BigDecimal counts them. */
static void measure(ps_slice text, int *precision, int *scale)
{
    int64_t exponent = 0;
    bool point = false;

    *precision = *scale = 0;
    for (size_t i = 0; i < text.n_bytes; i++) {
        char c = text.data[i];

        if (c == '.') {
            point = true;
        } else if ((c | 32) == 'e') {
            if (!ps_parse_int64((ps_slice){text.data + i + 1, text.n_bytes - i - 1}, &exponent) || exponent > 5000 ||
                exponent < -5000)
                exponent = exponent < 0 ? -5000 : 5000;
            break;
        } else if (c >= '0' && c <= '9') {
            *precision += *precision > 0 || c != '0';
            *scale += point;
        }
    }
    if (*precision == 0)
        *precision = 1;
    *scale -= (int)exponent;
}

static ps_status decimal_shape(shape *out, ps_slice text, ps_error *err)
{
    int precision, scale;

    measure(text, &precision, &scale);
    if (scale < 0)
        return ps_raise(err, PS_E_NEGATIVE_SCALE, scale);
    if (precision < scale)
        precision = scale;
    become(out, precision <= 38 ? PS_DECIMAL : PS_DOUBLE);
    out->precision = precision;
    out->scale = scale;
    return PS_OK;
}

static ps_status number_shape(const infer *in, shape *out, psi_token token, ps_slice text, ps_error *err)
{
    int64_t value;
    bool word = text.n_bytes > 1 && (text.data[1] | 32) >= 'a' && (text.data[1] | 32) != 'e'; /* NaN, -INF */

    if (token == PSI_T_INT && ps_parse_int64(text, &value)) {
        become(out, PS_INT64);
        return PS_OK;
    }
    if (token == PSI_T_FLOAT && (!in->decimals || word)) {
        become(out, PS_DOUBLE);
        return PS_OK;
    }
    return decimal_shape(out, text, err);
}

static ps_status text_shape(const infer *in, shape *out, ps_slice text, ps_error *err)
{
    int64_t us;
    double value;

    become(out, text.n_bytes == 0 ? PS_NULL : PS_STRING);
    if (text.n_bytes == 0)
        return PS_OK;
    if (in->decimals && ps_parse_double(text, &value))
        return decimal_shape(out, text, err);
    if (in->timestamps && psi_times_timestamp(&in->opt.times, text, &us))
        become(out, PS_TIMESTAMP);
    return PS_OK;
}

static int value_shape(infer *in, shape *out, int depth, ps_error *err);

static int struct_shape(infer *in, shape *out, int depth, ps_error *err)
{
    psi_json *j = &in->json;
    bool more;
    int rc;

    become(out, PS_STRUCT);
    j->at++;
    if (psi_json_blanks(j) != PS_OK)
        return PSI_SYNTAX;
    more = !psi_json_is(j, '}');
    if (!more)
        j->at++;
    for (int i = 0; more; i++) {
        shape one = {.kind = PS_NULL}, *type;
        ps_slice name;

        if ((rc = psi_json_name(j, &name, err)) != PS_OK)
            return rc;
        PS_TRY(member_of(&in->record, out, name, i, &type, err));
        if ((rc = value_shape(in, &one, depth + 1, err)) != PS_OK)
            return rc;
        *type = one; /* of a repeated name the last value counts */
        if ((rc = psi_json_next(j, '}', &more)) != PS_OK)
            return rc;
    }
    return PS_OK;
}

static int array_shape(infer *in, shape *out, int depth, ps_error *err)
{
    psi_json *j = &in->json;
    bool more;
    int rc;

    become(out, PS_ARRAY);
    PS_TRY(new_shape(&in->record, PS_NULL, &out->element, err));
    j->at++;
    if (psi_json_blanks(j) != PS_OK)
        return PSI_SYNTAX;
    more = !psi_json_is(j, ']');
    if (!more)
        j->at++;
    while (more) {
        shape one = {.kind = PS_NULL};

        if ((rc = value_shape(in, &one, depth + 1, err)) != PS_OK)
            return rc;
        PS_TRY(merge(&in->record, out->element, &one, err));
        if ((rc = psi_json_next(j, ']', &more)) != PS_OK)
            return rc;
    }
    return PS_OK;
}

static int value_shape(infer *in, shape *out, int depth, ps_error *err)
{
    psi_json *j = &in->json;
    psi_token token;
    ps_slice text;
    bool decoded;
    int rc = psi_json_token(j, &token, &text);

    if (rc != PS_OK || depth > PSI_JSON_DEPTH)
        return rc == PS_OK ? PSI_SYNTAX : rc;
    switch (token) {
    case PSI_T_NULL: become(out, PS_NULL); return PS_OK;
    case PSI_T_OBJECT: return struct_shape(in, out, depth, err);
    case PSI_T_ARRAY: return array_shape(in, out, depth, err);
    case PSI_T_STRING:
        if ((rc = psi_json_string(j, &text, &decoded, err)) != PS_OK)
            return rc == PSI_BAD ? PSI_SYNTAX : rc;
        return text_shape(in, out, text, err);
    default: break;
    }
    if (in->as_string) {
        become(out, PS_STRING);
        return PS_OK;
    }
    if (token == PSI_T_INT || token == PSI_T_FLOAT)
        return number_shape(in, out, token, text, err);
    become(out, PS_BOOL);
    return PS_OK;
}

/* ---- all records ---- */

/* A record that is no object, or cannot be read: the corrupt column, nothing, or an error. */
static ps_status bad_record(infer *in, ps_error *err)
{
    shape *type;

    if (in->mode == PSI_FAILFAST)
        return ps_raise(err, PS_E_MALFORMED_SCHEMA);
    if (in->mode == PSI_DROPMALFORMED)
        return PS_OK;
    PS_TRY(member_of(&in->lasting, &in->root, ps_slice_of(in->corrupt), 0, &type, err));
    if (type->kind == PS_NULL)
        become(type, PS_STRING);
    return PS_OK;
}

static ps_status one_record(infer *in, ps_slice text, ps_error *err)
{
    shape found = {.kind = PS_NULL};
    const shape *type = &found;
    int rc;

    ps_arena_reset(&in->record);
    psi_json_start(&in->json, text.data, text.data + text.n_bytes);
    rc = psi_json_blanks(&in->json);
    if (rc == PS_OK && in->json.at == in->json.end)
        return PS_OK;
    if (rc == PS_OK)
        rc = value_shape(in, &found, 0, err);
    if (rc > PS_OK)
        return rc;
    if (rc != PS_OK)
        return bad_record(in, err);
    while (type->kind == PS_ARRAY)
        type = type->element;
    if (type->kind == PS_NULL)
        return PS_OK;
    return type->kind == PS_STRUCT ? merge(&in->lasting, &in->root, type, err) : bad_record(in, err);
}

/* ---- shapes as types ---- */

static int by_name(const void *a, const void *b)
{
    ps_slice x = ((const member *)a)->name, y = ((const member *)b)->name;
    int c = memcmp(x.data, y.data, x.n_bytes < y.n_bytes ? x.n_bytes : y.n_bytes);

    return c != 0 ? c : (x.n_bytes > y.n_bytes) - (x.n_bytes < y.n_bytes);
}

static ps_status type_of(const infer *in, shape *s, const ps_type **out, ps_error *err);

/* Fields by name; those without a type of their own are left out.  `keep`: also when none is left. */
static ps_status struct_type(const infer *in, shape *s, bool keep, const ps_type **out, ps_error *err)
{
    ps_field *fields;
    ps_status rc = PS_OK;
    int n = 0;

    *out = NULL;
    if (s->n > 0)
        qsort(s->members, (size_t)s->n, sizeof *s->members, by_name);
    PS_TRY(ps_alloc0((size_t)s->n * sizeof *fields, &fields, err));
    for (int i = 0; i < s->n && rc == PS_OK; i++) {
        rc = type_of(in, s->members[i].type, &fields[n].type, err);
        if (rc != PS_OK || !fields[n].type)
            continue;
        fields[n].name = (char *)(uintptr_t)s->members[i].name.data; /* terminated: the arena made it */
        fields[n++].nullable = true;
    }
    if (rc == PS_OK && (n > 0 || keep))
        rc = ps_type_struct(fields, n, out, err);
    for (int i = 0; i < n; i++)
        ps_type_unref(fields[i].type);
    ps_free(fields);
    return rc;
}

/* *out NULL: nothing is known of it, it is left out. */
static ps_status type_of(const infer *in, shape *s, const ps_type **out, ps_error *err)
{
    const ps_type *element;
    ps_status rc;

    *out = NULL;
    switch (s->kind) {
    case PS_NULL:
        if (!in->drop_nulls)
            *out = ps_type_of(PS_STRING);
        return PS_OK;
    case PS_STRUCT: return struct_type(in, s, false, out, err);
    case PS_DECIMAL: return ps_type_decimal(s->precision, s->scale, out, err);
    case PS_ARRAY:
        PS_TRY(type_of(in, s->element, &element, err));
        if (!element)
            return PS_OK;
        rc = ps_type_array(element, true, out, err);
        ps_type_unref(element);
        return rc;
    default: *out = ps_type_of(s->kind); return PS_OK;
    }
}

/* ---- entry points ---- */

static ps_status init(infer *in, const ps_format_args *args, ps_error *err)
{
    const ps_options *o = args->options;

    *in = (infer){.root = {.kind = PS_STRUCT}, .mode = psi_mode_option(args), .corrupt = psi_corrupt_name(args)};
    in->json.opt = &in->opt;
    PS_TRY(psi_json_options_init(&in->opt, args, err));
    PS_TRY(ps_options_bool(o, "primitivesAsString", false, &in->as_string, err));
    PS_TRY(ps_options_bool(o, "prefersDecimal", false, &in->decimals, err));
    PS_TRY(ps_options_bool(o, "inferTimestamp", false, &in->timestamps, err));
    PS_TRY(ps_options_bool(o, "dropFieldIfAllNull", false, &in->drop_nulls, err));
    return psi_sampling_check(args, err);
}

static void clear(infer *in)
{
    psi_json_options_clear(&in->opt);
    ps_bytes_clear(&in->json.text);
    ps_bytes_clear(&in->json.name);
    ps_arena_clear(&in->record);
    ps_arena_clear(&in->lasting);
}

static ps_status one_document(infer *in, ps_slice text, bool detect, ps_error *err)
{
    psi_decoder decoder = {.charset = detect ? psi_charset_detect(text.data, text.n_bytes) : PSI_UTF8};
    size_t n_used;
    ps_buf *buf;
    ps_status rc;

    if (decoder.charset == PSI_UTF8)
        return one_record(in, text, err);
    if (text.n_bytes > SIZE_MAX / 8)
        return ps_raise(err, PS_E_NO_MEMORY, text.n_bytes);
    PS_TRY(ps_buf_new(text.n_bytes * PSI_DECODE_GROWTH + 8, &buf, err));
    text.n_bytes = psi_decode(&decoder, text.data, text.n_bytes, true, (char *)buf->data, &n_used);
    text.data = (const char *)buf->data;
    rc = one_record(in, text, err);
    ps_buf_unref(buf);
    return rc;
}

static ps_status one_file(infer *in, psi_input *input, ps_slice line_sep, bool multi_line, bool detect, ps_error *err)
{
    ps_slice text;
    bool more;

    if (multi_line) {
        PS_TRY(psi_input_all(input, &text, err));
        return one_document(in, text, detect, err);
    }
    for (;;) {
        PS_TRY(psi_input_record(input, line_sep, &text, &more, err));
        if (!more)
            return PS_OK;
        PS_TRY(one_record(in, text, err));
    }
}

ps_status psi_json_infer(const ps_format_args *args, ps_fs *fs, const char *const *paths, int n_paths, const ps_type **out,
                         ps_error *err)
{
    psi_input input = {0};
    bool multi_line, detect;
    psi_charset charset;
    ps_slice line_sep;
    infer in;
    ps_status rc;

    *out = NULL;
    PS_TRY_OR(done, init(&in, args, err));
    PS_TRY_OR(done, ps_options_bool(args->options, "multiLine", false, &multi_line, err));
    PS_TRY_OR(done, psi_line_sep_option(args, &line_sep, err));
    PS_TRY_OR(done, psi_json_charset(args, multi_line, &charset, &detect, err));
    for (int i = 0; i < n_paths; i++) {
        PS_TRY_OR(done, psi_input_open(&input, fs, paths[i], charset, err));
        PS_TRY_OR(done, one_file(&in, &input, line_sep, multi_line, detect, err));
    }
    PS_TRY_OR(done, struct_type(&in, &in.root, true, out, err));
done:
    psi_input_clear(&input);
    clear(&in);
    return rc;
}

ps_status ps_json_schema_of(const ps_format_args *args, ps_slice text, const ps_type **out, ps_error *err)
{
    shape found = {.kind = PS_NULL};
    infer in;
    int rc;

    *out = NULL;
    if ((rc = init(&in, args, err)) != PS_OK)
        goto done;
    psi_json_start(&in.json, text.data, text.data + text.n_bytes);
    rc = psi_json_blanks(&in.json);
    if (rc == PS_OK)
        rc = value_shape(&in, &found, 0, err);
    if (rc < PS_OK)
        rc = ps_raise(err, PS_E_MALFORMED_SCHEMA);
    if (rc != PS_OK)
        goto done;
    if (found.kind == PS_STRUCT)
        rc = struct_type(&in, &found, true, out, err);
    else
        rc = type_of(&in, &found, out, err);
    if (rc == PS_OK && !*out)
        *out = ps_type_of(PS_STRING);
done:
    clear(&in);
    return rc;
}
