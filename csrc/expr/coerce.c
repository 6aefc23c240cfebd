/* expr/coerce.c - common types, implicit casts, operands. */
#include "expr/coerce.h"
#include "col/type_text.h"
#include "expr/bound.h"

static int max_int(int a, int b) { return a > b ? a : b; }

ps_status psi_type_name(const ps_type *type, char **out, ps_error *err)
{
    ps_bytes text = {0};
    ps_status rc = ps_type_sql_text(type, &text, err);

    *out = NULL;
    if (rc == PS_OK)
        *out = ps_bytes_take(&text);
    ps_bytes_clear(&text);
    return rc;
}

/* --- decimals ---------------------------------------------------------------------------------------------- */
void psi_decimal_of_kind(ps_kind kind, int *precision, int *scale)
{
    *scale = 0;
    *precision = kind == PS_INT8 ? 3 : kind == PS_INT16 ? 5 : kind == PS_INT32 ? 10 : 20;
}

static void decimal_of(const ps_type *type, int *precision, int *scale)
{
    if (type->kind == PS_DECIMAL) {
        *precision = type->precision;
        *scale = type->scale;
    } else {
        psi_decimal_of_kind(type->kind, precision, scale);
    }
}

ps_status psi_decimal_adjusted(int precision, int scale, const ps_type **out, ps_error *err)
{
    if (precision > 38) {
        int digits = precision - scale, kept = scale < 6 ? scale : 6;
        scale = max_int(38 - digits, kept);
        precision = 38;
    }
    return ps_type_decimal(precision, scale, out, err);
}

/* The cap keeps integral digits first, unlike that of arithmetic. */
static ps_status wider_decimal(const ps_type *a, const ps_type *b, const ps_type **out, ps_error *err)
{
    int pa, sa, pb, sb, scale, digits;

    decimal_of(a, &pa, &sa);
    decimal_of(b, &pb, &sb);
    scale = max_int(sa, sb);
    digits = max_int(pa - sa, pb - sb);
    if (digits + scale > 38) {
        scale = max_int(38 - digits, 0);
        digits = 38 - scale;
    }
    return ps_type_decimal(digits + scale, scale, out, err);
}

/* --- common types ------------------------------------------------------------------------------------------- */
static bool is_time(ps_kind kind)
{
    return kind == PS_DATE || kind == PS_TIMESTAMP || kind == PS_TIMESTAMP_NTZ;
}

static ps_status meet_numbers(const ps_type *a, const ps_type *b, bool ansi, const ps_type **out, ps_error *err)
{
    bool floats = ps_kind_is_float(a->kind) || ps_kind_is_float(b->kind);

    if (floats) {
        bool both = ps_kind_is_float(a->kind) && ps_kind_is_float(b->kind);
        bool decimal = a->kind == PS_DECIMAL || b->kind == PS_DECIMAL;
        bool is_double = a->kind == PS_DOUBLE || b->kind == PS_DOUBLE || decimal || (!both && ansi);
        *out = ps_type_of(is_double ? PS_DOUBLE : PS_FLOAT);
        return PS_OK;
    }
    if (a->kind == PS_DECIMAL || b->kind == PS_DECIMAL)
        return wider_decimal(a, b, out, err);
    *out = ps_type_of(a->kind > b->kind ? a->kind : b->kind);
    return PS_OK;
}

static ps_status meet_text(const ps_type *other, psi_meet how, bool ansi, const ps_type **out)
{
    *out = NULL;
    if (how == PSI_MEET_NO_TEXT)
        return PS_OK;
    if (!ansi) {
        if (!ps_kind_is_nested(other->kind))
            *out = ps_type_of(PS_STRING);
    } else if (ps_kind_is_integer(other->kind)) {
        *out = ps_type_of(PS_INT64);
    } else if (ps_kind_is_numeric(other->kind)) {
        *out = ps_type_of(PS_DOUBLE);
    } else if (is_time(other->kind) || other->kind == PS_BOOL || other->kind == PS_BINARY) {
        *out = ps_type_of(other->kind);
    }
    return PS_OK;
}

/* Fields meet one by one; names must agree without case, those of `a` stay. */
static ps_status meet_nested(const ps_type *a, const ps_type *b, psi_meet how, bool ansi, const ps_type **out, ps_error *err)
{
    ps_field *fields = NULL;
    ps_status rc;

    if (a->n_fields != b->n_fields)
        return PS_OK;
    PS_TRY(ps_alloc0((size_t)a->n_fields * sizeof *fields, &fields, err));
    rc = PS_OK;
    for (int i = 0; i < a->n_fields; i++) {
        if (a->kind == PS_STRUCT && ps_stricmp(a->fields[i].name, b->fields[i].name) != 0)
            goto done;
        fields[i].name = a->fields[i].name;
        fields[i].nullable = a->fields[i].nullable || b->fields[i].nullable || a->fields[i].type->kind == PS_NULL ||
                             b->fields[i].type->kind == PS_NULL;
        PS_TRY_OR(done, psi_meet_types(a->fields[i].type, b->fields[i].type, how, ansi, &fields[i].type, err));
        if (!fields[i].type)
            goto done;
    }
    if (a->kind == PS_ARRAY)
        rc = ps_type_array(fields[0].type, fields[0].nullable, out, err);
    else if (a->kind == PS_MAP)
        rc = ps_type_map(fields[0].type, fields[1].type, fields[1].nullable, out, err);
    else
        rc = ps_type_struct(fields, a->n_fields, out, err);
done:
    for (int i = 0; i < a->n_fields; i++)
        ps_type_unref(fields[i].type);
    ps_free(fields);
    return rc;
}

ps_status psi_meet_types(const ps_type *a, const ps_type *b, psi_meet how, bool ansi, const ps_type **out, ps_error *err)
{
    *out = NULL;
    if (a->kind == PS_NULL || b->kind == PS_NULL) {
        *out = ps_type_ref(a->kind == PS_NULL ? b : a);
        return PS_OK;
    }
    if (ps_type_equal(a, b)) {
        *out = ps_type_ref(a);
        return PS_OK;
    }
    if (ps_kind_is_numeric(a->kind) && ps_kind_is_numeric(b->kind))
        return meet_numbers(a, b, ansi, out, err);
    if (is_time(a->kind) && is_time(b->kind)) {
        *out = ps_type_of(a->kind == PS_TIMESTAMP || b->kind == PS_TIMESTAMP ? PS_TIMESTAMP : PS_TIMESTAMP_NTZ);
        return PS_OK;
    }
    if (a->kind == b->kind && (a->kind == PS_DAYTIME || a->kind == PS_YEARMONTH))
        return ps_type_interval(a->kind, a->unit_from < b->unit_from ? a->unit_from : b->unit_from,
                                max_int(a->unit_to, b->unit_to), out, err);
    if (a->kind == PS_STRING || b->kind == PS_STRING)
        return meet_text(a->kind == PS_STRING ? b : a, how, ansi, out);
    if (a->kind == b->kind && ps_kind_is_nested(a->kind))
        return meet_nested(a, b, how, ansi, out, err);
    return PS_OK;
}

ps_status ps_common_type(const ps_type *a, const ps_type *b, bool ansi, const ps_type **out, ps_error *err)
{
    return psi_meet_types(a, b, PSI_MEET_ANY, ansi, out, err);
}

/* --- parameters ------------------------------------------------------------------------------------------------- */
typedef struct word_row {
    const char *word, *sql;
    int kind; /* of a plain type, else -1 */
} word_row;
static const word_row words[] = {
    {"boolean", "BOOLEAN", PS_BOOL}, {"tinyint", "TINYINT", PS_INT8}, {"smallint", "SMALLINT", PS_INT16},
    {"int", "INT", PS_INT32}, {"bigint", "BIGINT", PS_INT64}, {"float", "FLOAT", PS_FLOAT},
    {"double", "DOUBLE", PS_DOUBLE}, {"decimal", "DECIMAL", PS_DECIMAL}, {"string", "STRING", PS_STRING},
    {"binary", "BINARY", PS_BINARY}, {"date", "DATE", PS_DATE}, {"timestamp", "TIMESTAMP", PS_TIMESTAMP},
    {"timestamp_ntz", "TIMESTAMP_NTZ", PS_TIMESTAMP_NTZ}, {"daytime", "INTERVAL DAY TO SECOND", PS_DAYTIME},
    {"yearmonth", "INTERVAL YEAR TO MONTH", PS_YEARMONTH}, {"calendar", "INTERVAL", PS_CALENDAR},
    {"number", "NUMERIC", -1}, {"integral", "INTEGRAL", -1}, {"interval", "ANSI INTERVAL", -1},
    {"text", "STRING", -1}, {"array", "ARRAY", -1}, {"map", "MAP", -1}, {"struct", "STRUCT", -1},
};

static const word_row *find_word(ps_slice word)
{
    for (size_t i = 0; i < PS_COUNT_OF(words); i++)
        if (ps_slice_equal(ps_slice_of(words[i].word), word))
            return &words[i];
    return NULL;
}

const char *psi_word_sql(ps_slice word)
{
    const word_row *row = find_word(word);

    return row ? row->sql : "ANY";
}

/* Wider by the chain, and a few casts that inserting into a table allows too. */
static bool kind_goes_to(ps_kind from, ps_kind to)
{
    if (ps_kind_is_integer(from) && ps_kind_is_integer(to))
        return true; /* BIGINT to an INT parameter: checked when it runs */
    if (ps_kind_is_integer(from))
        return to == PS_DECIMAL || ps_kind_is_float(to) || to == PS_STRING;
    if (from == PS_DECIMAL)
        return ps_kind_is_float(to) || to == PS_STRING;
    if (from == PS_FLOAT)
        return to == PS_DOUBLE || to == PS_STRING;
    if (from == PS_DOUBLE)
        return to == PS_FLOAT || to == PS_STRING;
    if (is_time(from))
        return is_time(to) || to == PS_STRING;
    if (from == PS_STRING)
        return to != PS_DAYTIME && to != PS_YEARMONTH && to != PS_CALENDAR;
    if (from == PS_BOOL || from == PS_DAYTIME || from == PS_YEARMONTH)
        return to == PS_STRING;
    return false;
}

static ps_status implicit_group(const ps_type *from, const char *word, const ps_type **out)
{
    bool text = from->kind == PS_STRING, null = from->kind == PS_NULL, fits = false;

    if (strcmp(word, "number") == 0) {
        fits = ps_kind_is_numeric(from->kind);
        if (text || null)
            *out = ps_type_of(PS_DOUBLE);
    } else if (strcmp(word, "integral") == 0) {
        fits = ps_kind_is_integer(from->kind);
        if (null)
            *out = ps_type_of(PS_INT32);
    } else if (strcmp(word, "text") == 0) {
        fits = ps_kind_is_text(from->kind);
        if (null || (!fits && kind_goes_to(from->kind, PS_STRING)))
            *out = ps_type_of(PS_STRING);
    } else if (strcmp(word, "interval") == 0) {
        fits = from->kind == PS_DAYTIME || from->kind == PS_YEARMONTH;
        if (null)
            *out = ps_type_of(PS_DAYTIME);
    } else {
        ps_kind kind = strcmp(word, "array") == 0 ? PS_ARRAY : strcmp(word, "map") == 0 ? PS_MAP : PS_STRUCT;
        fits = from->kind == kind || null;
    }
    if (fits)
        *out = ps_type_ref(from);
    return PS_OK;
}

ps_status psi_implicit_type(const ps_type *from, ps_slice word, const ps_type **out, ps_error *err)
{
    const word_row *row = find_word(word);
    const ps_type *type;

    *out = NULL;
    if (row && row->kind < 0)
        return implicit_group(from, row->word, out);
    if (row && (ps_kind)row->kind == from->kind) {
        *out = ps_type_ref(from); /* of its own precision or units */
        return PS_OK;
    }
    if (row && row->kind == PS_DECIMAL && ps_kind_is_integer(from->kind)) {
        int precision, scale;
        psi_decimal_of_kind(from->kind, &precision, &scale);
        return ps_type_decimal(precision, scale, out, err);
    }
    if (row && row->kind == PS_DECIMAL && (from->kind == PS_STRING || from->kind == PS_NULL))
        return ps_type_decimal(38, 18, out, err);
    if (row) {
        if (from->kind == PS_NULL || kind_goes_to(from->kind, (ps_kind)row->kind))
            *out = ps_type_of((ps_kind)row->kind);
        return PS_OK;
    }
    PS_TRY(ps_type_parse(word, &type, err));
    if (from->kind == PS_NULL || ps_type_equal_ignoring_null(from, type)) {
        *out = type;
        return PS_OK;
    }
    if (from->kind == PS_ARRAY && type->kind == PS_ARRAY) {
        const ps_type *element = type->fields[0].type, *own = from->fields[0].type;
        if (own->kind == PS_NULL || kind_goes_to(own->kind, element->kind)) {
            ps_status rc = ps_type_array(element, from->fields[0].nullable, out, err);
            ps_type_unref(type);
            return rc;
        }
    }
    ps_type_unref(type);
    return PS_OK;
}

/* --- operands ------------------------------------------------------------------------------------------------ */
bool psi_is_numeric(const ps_type *type)
{
    return type->kind == PS_NULL || ps_kind_is_numeric(type->kind);
}

ps_status psi_raise_operands(const ps_fn_call *call, ps_error *err)
{
    ps_bytes text = {0};
    char *left = NULL, *right = NULL;
    ps_status rc;

    PS_TRY_OR(done, ps_fn_call_text(call, &text, err));
    PS_TRY_OR(done, psi_type_name(call->args[0]->type, &left, err));
    PS_TRY_OR(done, psi_type_name(call->args[1]->type, &right, err));
    rc = ps_raise(err, PS_E_DT_BINARY_OP_DIFF, text.data, left, right);
done:
    ps_bytes_clear(&text);
    ps_free(left);
    ps_free(right);
    return rc;
}

static int64_t literal_int(const ps_bound *bound)
{
    switch (bound->type->kind) {
    case PS_INT16:
        return *(const int16_t *)bound->value->data;
    case PS_INT32:
        return *(const int32_t *)bound->value->data;
    default:
        return *(const int64_t *)bound->value->data;
    }
}

/* The decimal that an integral operand becomes beside a decimal: a literal takes the digits it has. */
static ps_status decimal_operand(ps_fn_call *call, int arg, ps_error *err)
{
    ps_bound *bound = call->args[arg];
    const ps_type *type = NULL;
    int precision, scale;
    ps_status rc;

    psi_decimal_of_kind(bound->type->kind, &precision, &scale);
    if (ps_bound_is_literal(bound) && bound->type->kind != PS_INT8 && !ps_vec_is_null(bound->value, 0)) {
        uint64_t rest = (uint64_t)literal_int(bound);
        if ((int64_t)rest < 0)
            rest = 0 - rest;
        for (precision = 1; rest >= 10; rest /= 10)
            precision++;
    }
    PS_TRY(ps_type_decimal(precision, 0, &type, err));
    rc = ps_fn_cast_arg(call, arg, type, err);
    ps_type_unref(type);
    return rc;
}

ps_status psi_operands(ps_fn_call *call, bool keep_decimals, ps_error *err)
{
    const ps_type *a = call->args[0]->type, *b = call->args[1]->type, *common;
    bool decimals;
    ps_status rc = PS_OK;

    decimals = (a->kind == PS_DECIMAL && (b->kind == PS_DECIMAL || ps_kind_is_integer(b->kind))) ||
               (b->kind == PS_DECIMAL && ps_kind_is_integer(a->kind));
    if (decimals) {
        if (a->kind != PS_DECIMAL)
            PS_TRY(decimal_operand(call, 0, err));
        if (b->kind != PS_DECIMAL)
            PS_TRY(decimal_operand(call, 1, err));
        if (keep_decimals)
            return PS_OK;
        a = call->args[0]->type;
        b = call->args[1]->type;
    }
    /* Without ANSI text that meets a number is settled below. */
    PS_TRY(psi_meet_types(a, b, ps_kind_is_nested(a->kind) ? PSI_MEET_NO_TEXT : PSI_MEET_ANY,
                          call->ansi || a->kind == PS_STRING || b->kind == PS_STRING, &common, err));
    if (!common)
        return psi_raise_operands(call, err);
    if (!call->ansi && (a->kind == PS_STRING) != (b->kind == PS_STRING) && psi_is_numeric(common)) {
        ps_type_unref(common);
        common = ps_type_of(PS_DOUBLE);
    }
    for (int i = 0; i < 2 && rc == PS_OK; i++)
        rc = ps_fn_cast_arg(call, i, common, err);
    ps_type_unref(common);
    return rc;
}
