/*
 * fmt/json_value.c - JSON tokens under declared types (sources-sinks.md C.8 rule 4).
 */
#include "fmt/json_int.h"
#include "base/hash.h"
#include "col/text.h"

/* ---- the tree of types ---- */

static uint32_t hash_name(ps_slice name)
{
    return (uint32_t)ps_hash_bytes(name.data, name.n_bytes, 0);
}

static void add_name(psi_json_node *node, int child, const char *name)
{
    ps_slice text = ps_slice_of(name);
    uint32_t at = hash_name(text) & node->slot_mask;

    node->names[child] = text;
    for (; node->slots[at]; at = (at + 1) & node->slot_mask)
        if (ps_slice_equal(node->names[node->slots[at] - 1], text))
            break; /* the last of equal names takes the values */
    node->slots[at] = (uint16_t)(child + 1);
}

static ps_status alloc_children(psi_json_node *node, int n, bool named, ps_error *err)
{
    uint32_t n_slots = 4;

    if (n > 0)
        PS_TRY(ps_alloc0((size_t)n * sizeof *node->children, &node->children, err));
    if (!named)
        return PS_OK;
    while (n_slots < (uint32_t)n * 2)
        n_slots *= 2;
    node->slot_mask = n_slots - 1;
    PS_TRY(ps_alloc0(n_slots * sizeof *node->slots, &node->slots, err));
    return ps_alloc0((size_t)(n > 0 ? n : 1) * sizeof *node->names, &node->names, err);
}

ps_status psi_json_node_init(psi_json_node *node, const ps_type *type, ps_builder *b, ps_error *err)
{
    bool named = type->kind == PS_STRUCT;

    *node = (psi_json_node){.type = type, .b = b};
    if (!ps_kind_is_nested(type->kind))
        return PS_OK;
    if (type->n_fields >= UINT16_MAX)
        return ps_raise(err, PS_E_NO_MEMORY, (size_t)type->n_fields);
    PS_TRY(alloc_children(node, type->n_fields, named, err));
    for (int i = 0; i < type->n_fields; i++) {
        node->n_children++; /* a child half made is cleared too */
        PS_TRY(psi_json_node_init(&node->children[i], type->fields[i].type, ps_build_child(b, i), err));
        if (named)
            add_name(node, i, type->fields[i].name);
    }
    return PS_OK;
}

ps_status psi_json_root_init(psi_json_node *node, const psi_rows *rows, ps_error *err)
{
    *node = (psi_json_node){.type = rows->schema};
    if (rows->n_cols >= UINT16_MAX)
        return ps_raise(err, PS_E_NO_MEMORY, (size_t)rows->n_cols);
    PS_TRY(alloc_children(node, rows->n_cols, true, err));
    for (int i = 0; i < rows->n_cols; i++) {
        psi_json_node *child;

        if (i == rows->corrupt)
            continue;
        child = &node->children[node->n_children++];
        PS_TRY(psi_json_node_init(child, rows->cols[i]->type, rows->cols[i], err));
        add_name(node, node->n_children - 1, rows->schema->fields[i].name);
    }
    return PS_OK;
}

void psi_json_node_clear(psi_json_node *node)
{
    for (int i = 0; i < node->n_children; i++)
        psi_json_node_clear(&node->children[i]);
    ps_free(node->children);
    ps_free(node->names);
    ps_free(node->slots);
    *node = (psi_json_node){0};
}

int psi_json_find(const psi_json_node *node, ps_slice name)
{
    uint32_t at = hash_name(name) & node->slot_mask;

    for (; node->slots[at]; at = (at + 1) & node->slot_mask)
        if (ps_slice_equal(node->names[node->slots[at] - 1], name))
            return node->slots[at] - 1;
    return -1;
}

/* ---- scalars ---- */

static int keep_text(const psi_json *j, ps_builder *b, ps_slice text, bool decoded, ps_error *err)
{
    if (!j->shared || decoded || text.n_bytes > INT32_MAX)
        return ps_build_text(b, text.data, text.n_bytes, err);
    return ps_build_view(b, ps_str_make(text.data, (uint32_t)text.n_bytes), err);
}

/* Six bits of a base64 character, -1 none. */
static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Padding is required and blanks between are skipped, as in Spark's parser. */
static int binary(psi_json *j, ps_builder *b, ps_slice text, ps_error *err)
{
    ps_bytes out = {0};
    uint32_t bits = 0;
    int n = 0, n_pad = 0;
    int rc = ps_bytes_reserve(&out, text.n_bytes / 4 * 3 + 4, err);

    PS_UNUSED(j);
    for (size_t i = 0; rc == PS_OK && i < text.n_bytes; i++) {
        int digit = base64_digit(text.data[i]);

        if ((uint8_t)text.data[i] <= ' ')
            continue;
        if (text.data[i] == '=' && n >= 2) {
            n_pad++;
            digit = 0;
        } else if (digit < 0 || n_pad > 0) {
            rc = PSI_BAD;
            break;
        }
        bits = bits << 6 | (uint32_t)digit;
        if (++n < 4)
            continue;
        for (int k = 0; k < 3 - n_pad; k++)
            out.data[out.n_bytes++] = (char)(bits >> (16 - 8 * k));
        bits = 0;
        n = n_pad == 0 ? 0 : -1000; /* nothing may follow padding */
    }
    if (rc == PS_OK)
        rc = n > 0 ? PSI_BAD : ps_build_text(b, out.data ? out.data : "", out.n_bytes, err);
    ps_bytes_clear(&out);
    return rc;
}

static int decimal(ps_builder *b, ps_slice text, ps_error *err)
{
    const ps_type *type = b->type;
    __int128 value;

    if (text.n_bytes == 0 || (uint8_t)text.data[0] <= ' ' || (uint8_t)text.data[text.n_bytes - 1] <= ' ' ||
        !ps_parse_decimal(text, type->precision, type->scale, &value))
        return PSI_BAD;
    return ps_build_int128(b, value, err);
}

/* US style: commas between the digits mean nothing. */
static int decimal_text(ps_builder *b, ps_slice text, ps_error *err)
{
    char plain[128];
    size_t n = 0;

    if (!memchr(text.data, ',', text.n_bytes))
        return decimal(b, text, err);
    for (size_t i = 0; i < text.n_bytes; i++) {
        if (text.data[i] == ',')
            continue;
        if (n == sizeof plain)
            return PSI_BAD;
        plain[n++] = text.data[i];
    }
    return decimal(b, (ps_slice){plain, n}, err);
}

static bool nan_word(ps_slice text, double *out)
{
    static const struct { const char *word; double value; } words[] = {
        {"NaN", __builtin_nan("")}, {"Infinity", __builtin_inf()}, {"+INF", __builtin_inf()},
        {"+Infinity", __builtin_inf()}, {"-Infinity", -__builtin_inf()}, {"-INF", -__builtin_inf()},
    };

    for (size_t i = 0; i < PS_COUNT_OF(words); i++) {
        if (ps_slice_equal(text, ps_slice_of(words[i].word))) {
            *out = words[i].value;
            return true;
        }
    }
    return false;
}

static int floating(ps_builder *b, ps_slice text, ps_error *err)
{
    double value;
    float narrow;

    if (nan_word(text, &value))
        return ps_build_double(b, value, err);
    if (b->type->kind == PS_FLOAT)
        return ps_parse_float_java(text, &narrow) ? ps_build_double(b, (double)narrow, err) : PSI_BAD;
    return ps_parse_double(text, &value) ? ps_build_double(b, value, err) : PSI_BAD;
}

/* A string under a type that is not text. */
static int typed_text(psi_json *j, ps_builder *b, ps_slice text, ps_error *err)
{
    const psi_times *times = &j->opt->times;
    int64_t value;
    int32_t days;
    double real;
    ps_calendar interval;

    if (text.n_bytes == 0 && j->opt->empty_is_null && b->type->kind != PS_BINARY)
        return ps_build_null(b, err);
    switch (b->type->kind) {
    case PS_BINARY: return binary(j, b, text, err);
    case PS_DECIMAL: return decimal_text(b, text, err);
    case PS_FLOAT:
    case PS_DOUBLE:
        return j->opt->nan_words && nan_word(text, &real) ? ps_build_double(b, real, err) : PSI_BAD;
    case PS_DATE: return psi_times_date(times, text, &days) ? ps_build_int(b, days, err) : PSI_BAD;
    case PS_TIMESTAMP: return psi_times_timestamp(times, text, &value) ? ps_build_int(b, value, err) : PSI_BAD;
    case PS_TIMESTAMP_NTZ: return psi_times_ntz(times, text, &value) ? ps_build_int(b, value, err) : PSI_BAD;
    case PS_DAYTIME:
    case PS_YEARMONTH: return psi_times_interval(b->type, text, &value) ? ps_build_int(b, value, err) : PSI_BAD;
    case PS_CALENDAR: return ps_parse_interval(text, &interval) ? ps_build_calendar(b, interval, err) : PSI_BAD;
    case PS_NULL: return ps_build_null(b, err);
    default: return PSI_BAD;
    }
}

static int string_value(psi_json *j, const psi_json_node *node, ps_error *err)
{
    ps_slice text;
    bool decoded;
    int rc = psi_json_string(j, &text, &decoded, err);

    if (rc != PS_OK)
        return rc;
    if (node->type->kind == PS_STRING)
        return keep_text(j, node->b, text, decoded, err);
    return typed_text(j, node->b, text, err);
}

static int integer(ps_builder *b, ps_slice text, ps_error *err)
{
    static const int64_t low[] = {INT8_MIN, INT16_MIN, INT32_MIN, INT64_MIN};
    static const int64_t high[] = {UINT8_MAX, INT16_MAX, INT32_MAX, INT64_MAX}; /* a byte wraps above 127 */
    int i = (int)b->type->kind - (int)PS_INT8;
    int64_t value;

    if (!ps_parse_int64(text, &value) || value < low[i] || value > high[i])
        return PSI_BAD;
    return ps_build_int(b, value, err);
}

/* A number under any type but text. */
static int number_value(psi_json *j, ps_builder *b, psi_token token, ps_slice text, ps_error *err)
{
    int64_t value;

    PS_UNUSED(j);
    switch (b->type->kind) {
    case PS_INT8:
    case PS_INT16:
    case PS_INT32:
    case PS_INT64: return token == PSI_T_INT ? integer(b, text, err) : PSI_BAD;
    case PS_FLOAT:
    case PS_DOUBLE: return floating(b, text, err);
    case PS_DECIMAL: return decimal(b, text, err);
    case PS_TIMESTAMP: /* seconds */
        if (token != PSI_T_INT || !ps_parse_int64(text, &value))
            return PSI_BAD;
        return ps_build_int(b, (int64_t)((uint64_t)value * PS_US_SECOND), err);
    default: return PSI_BAD;
    }
}

static int number_as_text(psi_json *j, ps_builder *b, ps_slice text, ps_error *err)
{
    psi_json one = {.opt = j->opt, .at = text.data, .end = text.data + text.n_bytes};
    ps_bytes out = {0};
    int rc;

    if (j->opt->exact)
        return keep_text(j, b, text, false, err);
    rc = psi_json_compact(&one, &out, err);
    if (rc == PS_OK && out.n_bytes > 1 && out.data[0] == '"') /* "NaN" as a value has no quotes */
        rc = ps_build_text(b, out.data + 1, out.n_bytes - 2, err);
    else if (rc == PS_OK)
        rc = ps_build_text(b, out.data, out.n_bytes, err);
    ps_bytes_clear(&out);
    return rc;
}

/* An object or array as text: its source, or the same without blanks. */
static int container_as_text(psi_json *j, ps_builder *b, ps_error *err)
{
    const char *start = j->at;
    int rc;

    if (j->opt->exact) {
        rc = psi_json_skip(j, err);
        return rc == PS_OK ? keep_text(j, b, (ps_slice){start, (size_t)(j->at - start)}, false, err) : rc;
    }
    ps_bytes_reset(&j->text);
    ps_bytes out = {0};
    rc = psi_json_compact(j, &out, err);
    if (rc == PS_OK)
        rc = ps_build_text(b, out.data, out.n_bytes, err);
    ps_bytes_clear(&out);
    return rc;
}

/* ---- nested values ---- */

/* A field's value once more: the last one that is good wins. */
static int again(psi_json *j, const psi_json_node *child, int64_t row, ps_error *err)
{
    const char *start = j->at;
    int rc = psi_json_value(j, child, err);

    if (rc == PSI_BAD)
        ps_build_pop(child->b, row + 1);
    if (rc != PS_OK)
        return rc;
    ps_build_pop(child->b, row);
    j->at = start;
    return psi_json_value(j, child, err);
}

int psi_json_object(psi_json *j, const psi_json_node *node, int64_t row, ps_error *err)
{
    bool more, failed = false;
    int rc;

    j->at++;
    if (psi_json_blanks(j) != PS_OK)
        return PSI_SYNTAX;
    more = !psi_json_is(j, '}');
    if (!more)
        j->at++;
    while (more) {
        ps_slice name;
        int i;

        if ((rc = psi_json_name(j, &name, err)) != PS_OK)
            return rc;
        i = psi_json_find(node, name);
        if (i < 0)
            rc = psi_json_skip(j, err);
        else if (PS_UNLIKELY(node->children[i].b->n > row))
            rc = again(j, &node->children[i], row, err);
        else
            rc = psi_json_value(j, &node->children[i], err);
        if (rc == PSI_BAD)
            failed = j->bad = true;
        else if (rc != PS_OK)
            return rc;
        if (psi_json_next(j, '}', &more) != PS_OK)
            return PSI_SYNTAX;
    }
    for (int i = 0; i < node->n_children; i++)
        if (node->children[i].b->n <= row)
            PS_TRY(ps_build_null(node->children[i].b, err));
    return failed && !j->opt->partial && node->b ? PSI_BAD : PS_OK;
}

static int struct_value(psi_json *j, const psi_json_node *node, ps_error *err)
{
    int64_t row = node->b->n;
    int rc;

    PS_TRY(ps_build_struct(node->b, err));
    rc = psi_json_object(j, node, row, err);
    if (rc == PSI_BAD)
        ps_build_pop(node->b, row);
    return rc;
}

/* Elements of an array, or names and values of a map. A bad one makes the whole value bad, yet the text is read on. */
static int list_value(psi_json *j, const psi_json_node *node, ps_error *err)
{
    bool map = node->type->kind == PS_MAP, more, failed = false;
    const psi_json_node *value = &node->children[map ? 1 : 0];
    char close = map ? '}' : ']';
    int64_t row = node->b->n;
    int rc;

    PS_TRY(ps_build_list(node->b, 0, err));
    j->at++;
    if (psi_json_blanks(j) != PS_OK)
        return PSI_SYNTAX;
    more = !psi_json_is(j, close);
    if (!more)
        j->at++;
    while (more) {
        ps_slice name;

        if (map) {
            if ((rc = psi_json_name(j, &name, err)) != PS_OK)
                return rc;
            PS_TRY(ps_build_text(node->children[0].b, name.data, name.n_bytes, err));
        }
        rc = failed ? psi_json_skip(j, err) : psi_json_value(j, value, err);
        if (rc == PSI_BAD)
            failed = true;
        else if (rc != PS_OK)
            return rc;
        if (psi_json_next(j, close, &more) != PS_OK)
            return PSI_SYNTAX;
    }
    if (failed) {
        ps_build_pop(node->b, row);
        return PSI_BAD;
    }
    ps_build_list_end(node->b);
    return PS_OK;
}

/* Moves behind a value that has the wrong token. */
static int wrong(psi_json *j, psi_token token, ps_error *err)
{
    int rc = PS_OK;

    if (token == PSI_T_OBJECT || token == PSI_T_ARRAY || token == PSI_T_STRING)
        rc = psi_json_skip(j, err);
    return rc == PS_OK ? PSI_BAD : rc;
}

static int value_of(psi_json *j, const psi_json_node *node, psi_token token, ps_slice text, ps_error *err)
{
    ps_kind kind = node->type->kind;

    if (kind == PS_NULL) {
        int rc = wrong(j, token, err);
        return rc == PSI_BAD ? (int)ps_build_null(node->b, err) : rc;
    }
    if (token == PSI_T_STRING)
        return ps_kind_is_nested(kind) || kind == PS_BOOL || ps_kind_is_integer(kind) ? wrong(j, token, err)
                                                                                      : string_value(j, node, err);
    if (kind == PS_STRING)
        return token == PSI_T_OBJECT || token == PSI_T_ARRAY ? container_as_text(j, node->b, err)
                                                             : number_as_text(j, node->b, text, err);
    if (token == PSI_T_OBJECT)
        return kind == PS_STRUCT ? struct_value(j, node, err) : kind == PS_MAP ? list_value(j, node, err)
                                                                               : wrong(j, token, err);
    if (token == PSI_T_ARRAY)
        return kind == PS_ARRAY ? list_value(j, node, err) : wrong(j, token, err);
    if (token == PSI_T_INT || token == PSI_T_FLOAT)
        return number_value(j, node->b, token, text, err);
    return kind == PS_BOOL ? (int)ps_build_int(node->b, token == PSI_T_TRUE, err) : PSI_BAD;
}

int psi_json_value(psi_json *j, const psi_json_node *node, ps_error *err)
{
    psi_token token;
    ps_slice text;
    int rc = psi_json_token(j, &token, &text);

    if (rc != PS_OK)
        return rc;
    if (token == PSI_T_NULL)
        return ps_build_null(node->b, err);
    rc = value_of(j, node, token, text, err);
    if (rc == PSI_BAD) {
        j->bad = true;
        PS_TRY(ps_build_null(node->b, err));
    }
    return rc;
}
