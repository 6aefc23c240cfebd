/*
 * sql/interval.c - INTERVAL literals (api-sql.md 2.9): INTERVAL 10 MINUTES, INTERVAL 1 DAY 2 HOURS, INTERVAL '1-2' YEAR TO
 * MONTH, INTERVAL '10 minutes'.  The type has exactly the fields that were written.
 */
#include "col/time.h"
#include "sql/parse.h"

/* field: of day-time 0 day .. 3 second, of year-month 0 year, 1 month. */
typedef struct unit_row {
    const char *name;
    bool months;
    int field;
    int64_t factor; /* months, or microseconds; 0: nanoseconds */
} unit_row;
static const unit_row units[] = {
    {"year", true, 0, 12}, {"month", true, 1, 1}, {"week", false, 0, 7 * PS_US_DAY}, {"day", false, 0, PS_US_DAY},
    {"hour", false, 1, 3600 * PS_US_SECOND}, {"minute", false, 2, 60 * PS_US_SECOND}, {"second", false, 3, PS_US_SECOND},
    {"millisecond", false, 3, 1000}, {"microsecond", false, 3, 1}, {"nanosecond", false, 3, 0},
};

static const unit_row *find_unit(ps_slice word)
{
    for (size_t i = 0; i < PS_COUNT_OF(units); i++) {
        ps_slice name = ps_slice_of(units[i].name);
        if (ps_slice_equal_nocase(word, name))
            return &units[i];
        if (word.n_bytes == name.n_bytes + 1 && (word.data[name.n_bytes] | 32) == 's' &&
            ps_slice_equal_nocase((ps_slice){word.data, name.n_bytes}, name))
            return &units[i];
    }
    return NULL;
}

static const unit_row *unit_at(const psi_parser *p, int ahead)
{
    const psi_token *token = psi_token_at(p, ahead);

    return token->kind == PSI_T_WORD ? find_unit(token->text) : NULL;
}

/* What a sequence of values and units adds up to. */
typedef struct total {
    int64_t months, us;
    bool has_months, has_time;
    int first, last; /* fields */
} total;

static bool add_scaled(int64_t value, int64_t factor, int64_t *sum)
{
    return !__builtin_mul_overflow(value, factor, &value) && !__builtin_add_overflow(*sum, value, sum);
}

typedef enum value_problem { VALUE_FINE, VALUE_NUMBER, VALUE_FRACTION, VALUE_RANGE } value_problem;

/* One value with its unit; `text` has an optional sign, digits and, for seconds, a fraction. */
static value_problem add_value(ps_slice text, bool negative, const unit_row *unit, total *sum)
{
    int64_t whole = 0, micros = 0;
    size_t i = 0;
    int places = -1;
    bool digits = false, over = false;

    if (i < text.n_bytes && (text.data[i] == '-' || text.data[i] == '+'))
        negative ^= text.data[i++] == '-';
    for (; i < text.n_bytes; i++) {
        char c = text.data[i];
        if (c == '.' && places < 0) {
            places = 0;
        } else if (c < '0' || c > '9') {
            return VALUE_NUMBER;
        } else if (places >= 0) {
            if (places++ < 6)
                micros = micros * 10 + (c - '0');
        } else {
            digits = true;
            over |= __builtin_mul_overflow(whole, 10, &whole) || __builtin_add_overflow(whole, c - '0', &whole);
        }
    }
    if (!digits && places <= 0)
        return VALUE_NUMBER;
    if (places >= 0 && strcmp(unit->name, "second") != 0)
        return VALUE_FRACTION;
    for (places = places < 0 ? 0 : places; places < 6; places++)
        micros *= 10;
    if (over)
        return VALUE_RANGE;
    if (!sum->has_time && !sum->has_months) {
        sum->first = sum->last = unit->field;
    } else if (unit->months == sum->has_months) {
        sum->first = unit->field < sum->first ? unit->field : sum->first;
        sum->last = unit->field > sum->last ? unit->field : sum->last;
    }
    sum->has_months |= unit->months;
    sum->has_time |= !unit->months;
    if (negative) {
        whole = -whole;
        micros = -micros;
    }
    if (unit->months)
        return add_scaled(whole, unit->factor, &sum->months) && sum->months == (int32_t)sum->months ? VALUE_FINE : VALUE_RANGE;
    if (unit->factor == 0)
        return add_scaled(whole / 1000, 1, &sum->us) ? VALUE_FINE : VALUE_RANGE;
    if (!add_scaled(whole, unit->factor, &sum->us))
        return VALUE_RANGE;
    return places == 6 && micros ? (add_scaled(micros, 1, &sum->us) ? VALUE_FINE : VALUE_RANGE) : VALUE_FINE;
}

static ps_status raise_value(psi_parser *p, value_problem problem, ps_slice text, size_t at)
{
    int n = (int)text.n_bytes;
    ps_status rc;

    if (problem == VALUE_NUMBER)
        rc = ps_raise(p->err, PS_E_INTERVAL_VALUE, n, text.data);
    else if (problem == VALUE_FRACTION)
        rc = ps_raise(p->err, PS_E_INTERVAL_FRACTION, n, text.data);
    else
        rc = ps_raise(p->err, PS_E_INTERVAL_RANGE, n, text.data);
    return psi_raise_at(p, rc, at);
}

static ps_status interval_of(psi_parser *p, const total *sum, ps_expr **out)
{
    ps_kind kind = sum->has_months ? PS_YEARMONTH : PS_DAYTIME;
    const ps_type *type;
    ps_builder *b;
    ps_status rc;

    PS_TRY(ps_type_interval(kind, sum->first, sum->last, &type, p->err));
    rc = ps_build_new(type, 1, &b, p->err);
    ps_type_unref(type);
    return rc == PS_OK ? ps_expr_literal_built(b, ps_build_int(b, sum->has_months ? sum->months : sum->us, p->err), out, p->err) : rc;
}

static ps_status finish(psi_parser *p, const total *sum, size_t at, ps_expr **out)
{
    if (sum->has_months && sum->has_time)
        return psi_raise_at(p, ps_raise(p->err, PS_E_INTERVAL_MIXED), at);
    return interval_of(p, sum, out);
}

/* --- INTERVAL '...' unit TO unit ------------------------------------------------------------------------------------- */
static ps_status parse_range(psi_parser *p, ps_slice text, bool negative, const unit_row *from, const unit_row *to, size_t at, ps_expr **out)
{
    const ps_type *type;
    int64_t value;
    ps_builder *b;
    ps_status rc;

    if (from->months != to->months || from->field >= to->field)
        return psi_syntax_error(p);
    PS_TRY(ps_type_interval(from->months ? PS_YEARMONTH : PS_DAYTIME, from->field, to->field, &type, p->err));
    if (!ps_parse_interval_fields(text, type, &value)) {
        rc = ps_raise(p->err, from->months ? PS_E_INTERVAL_PARSING : from->field == 0 ? PS_E_INTERVAL_BOUNDS : PS_E_INTERVAL_SHAPE,
                      (int)text.n_bytes, text.data);
        ps_type_unref(type);
        return psi_raise_at(p, rc, at);
    }
    rc = ps_build_new(type, 1, &b, p->err);
    ps_type_unref(type);
    return rc == PS_OK ? ps_expr_literal_built(b, ps_build_int(b, negative ? -value : value, p->err), out, p->err) : rc;
}

/* --- INTERVAL '10 minutes' ------------------------------------------------------------------------------------------------ */
static ps_slice next_word(ps_slice *rest)
{
    size_t start = 0, n = 0;

    while (start < rest->n_bytes && (unsigned char)rest->data[start] <= ' ')
        start++;
    while (start + n < rest->n_bytes && (unsigned char)rest->data[start + n] > ' ')
        n++;
    ps_slice word = {rest->data + start, n};
    *rest = (ps_slice){rest->data + start + n, rest->n_bytes - start - n};
    return word;
}

static ps_status parse_text(psi_parser *p, ps_slice text, size_t at, ps_expr **out)
{
    total sum = {0};
    ps_slice rest = text, word = next_word(&rest);
    bool good = word.n_bytes > 0;

    if (ps_slice_equal_nocase(word, ps_slice_of("interval")))
        word = next_word(&rest);
    while (good && word.n_bytes > 0) {
        const unit_row *unit = find_unit(next_word(&rest));
        good = unit && add_value(word, false, unit, &sum) == VALUE_FINE;
        word = next_word(&rest);
    }
    if (!good || (!sum.has_months && !sum.has_time)) {
        ps_bytes copy = {0};
        ps_status rc = ps_bytes_append(&copy, text.data, text.n_bytes, p->err);
        if (rc == PS_OK)
            rc = psi_raise_at(p, ps_raise(p->err, PS_E_INVALID_TYPED, "\"INTERVAL\"", copy.data), at);
        ps_bytes_clear(&copy);
        return rc;
    }
    return finish(p, &sum, at, out);
}

/* --- the literal ----------------------------------------------------------------------------------------------------------- */
/* A value begins here: '..' or a number, with an optional sign. */
static bool is_value(const psi_parser *p, int ahead)
{
    if (psi_is_symbol(p, ahead, "-") || psi_is_symbol(p, ahead, "+"))
        ahead++;
    return psi_token_at(p, ahead)->kind == PSI_T_STRING || psi_token_at(p, ahead)->kind == PSI_T_NUMBER;
}

/* The text of a value, its sign apart. */
static ps_status take_value(psi_parser *p, bool *negative, ps_bytes *text)
{
    *negative = psi_is_symbol(p, 0, "-");
    p->at += *negative || psi_is_symbol(p, 0, "+");
    ps_bytes_reset(text);
    if (psi_token_at(p, 0)->kind == PSI_T_STRING)
        return psi_take_string(p, text);
    PS_TRY(ps_bytes_append(text, psi_token_at(p, 0)->text.data, psi_token_at(p, 0)->text.n_bytes, p->err));
    p->at++;
    return PS_OK;
}

static ps_status parse_units(psi_parser *p, size_t at, ps_bytes *text, ps_expr **out)
{
    total sum = {0};
    bool first = true;

    while (is_value(p, 0)) {
        bool negative, string = psi_token_at(p, 0)->kind == PSI_T_STRING || psi_token_at(p, 1)->kind == PSI_T_STRING;
        const unit_row *unit;
        value_problem problem;
        PS_TRY(take_value(p, &negative, text));
        unit = unit_at(p, 0);
        if (!unit && first && string && !negative)
            return parse_text(p, ps_bytes_slice(text), at, out);
        if (!unit)
            return psi_syntax_error(p);
        p->at++;
        if (first && string && psi_is_word(p, 0, "to") && unit_at(p, 1)) {
            const unit_row *to = unit_at(p, 1);
            p->at += 2;
            return parse_range(p, ps_bytes_slice(text), negative, unit, to, at, out);
        }
        problem = add_value(ps_slice_trimmed(ps_bytes_slice(text)), negative, unit, &sum);
        if (problem != VALUE_FINE)
            return raise_value(p, problem, ps_bytes_slice(text), at);
        first = false;
        if (!(is_value(p, 0) && (unit_at(p, 1) || unit_at(p, 2))))
            break;
    }
    return finish(p, &sum, at, out);
}

ps_status psi_parse_interval(psi_parser *p, ps_expr **out)
{
    size_t at = psi_token_at(p, 0)->at;
    ps_bytes text = {0};
    ps_status rc;

    *out = NULL;
    if (!psi_is_word(p, 0, "interval") || !is_value(p, 1))
        return PS_OK;
    if (psi_token_at(p, 1)->kind == PSI_T_SYMBOL && !unit_at(p, 3)) /* a column: interval - 1 */
        return PS_OK;
    p->at++;
    rc = parse_units(p, at, &text, out);
    ps_bytes_clear(&text);
    return rc;
}
