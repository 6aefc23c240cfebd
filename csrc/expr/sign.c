/* expr/sign.c - signatures of functions: counting, coercing and completing the arguments of a call. */
#include "expr/coerce.h"
#include "expr/fn_int.h"

typedef struct param {
    ps_slice words;    /* "string|binary" */
    ps_slice fallback; /* after '=', or no data */
    bool optional, repeats;
} param;

/* The text up to a separator outside of <>, () and quotes; *rest is what follows it. */
static ps_slice cut(ps_slice text, char separator, ps_slice *rest)
{
    int depth = 0;
    bool quoted = false;
    size_t i;

    for (i = 0; i < text.n_bytes; i++) {
        char c = text.data[i];
        if (c == '\'')
            quoted = !quoted;
        else if (!quoted && (c == '<' || c == '('))
            depth++;
        else if (!quoted && (c == '>' || c == ')'))
            depth--;
        else if (!quoted && depth == 0 && c == separator)
            break;
    }
    *rest = i < text.n_bytes ? (ps_slice){text.data + i + 1, text.n_bytes - i - 1} : (ps_slice){NULL, 0};
    while (rest->n_bytes > 0 && *rest->data == ' ') {
        rest->data++;
        rest->n_bytes--;
    }
    return (ps_slice){text.data, i};
}

static bool is_word(ps_slice text, const char *word)
{
    return ps_slice_equal(text, ps_slice_of(word));
}

static param read_param(ps_slice text)
{
    param p = {0};

    p.words = cut(text, '=', &p.fallback);
    if (p.words.n_bytes >= 3 && memcmp(p.words.data + p.words.n_bytes - 3, "...", 3) == 0) {
        p.words.n_bytes -= 3;
        p.repeats = true;
    } else if (p.words.n_bytes > 0 && p.words.data[p.words.n_bytes - 1] == '?') {
        p.words.n_bytes--;
        p.optional = true;
    }
    return p;
}

void ps_fn_arity(const ps_fn *fn, int *min, int *max)
{
    ps_slice rest = ps_slice_of(fn->accepts);

    *min = *max = 0;
    if (is_word(rest, "*"))
        *max = -1;
    while (rest.n_bytes > 0 && !is_word(rest, "*")) {
        param p = read_param(cut(rest, ',', &rest));
        if (p.repeats) {
            *max = -1;
            continue;
        }
        *min += !p.optional && !p.fallback.data;
        *max += *max >= 0;
    }
}

static ps_status raise_count(const ps_fn_call *call, ps_error *err)
{
    int min, max;
    ps_bytes expected = {0};
    ps_status rc;

    ps_fn_arity(call->fn, &min, &max);
    if (max < 0)
        rc = ps_bytes_printf(&expected, err, "> %d", min - 1);
    else if (min == max)
        rc = ps_bytes_printf(&expected, err, "%d", min);
    else if (max - min == 1)
        rc = ps_bytes_printf(&expected, err, "[%d, %d]", min, max);
    else
        rc = ps_bytes_printf(&expected, err, "[%d-%d]", min, max);
    if (rc == PS_OK && call->fn->flags & PS_FN_GENERATOR && call->n_args < min)
        rc = ps_raise(err, PS_E_REQUIRED_PARAMETER, call->name, "collection", call->n_args);
    if (rc == PS_OK && strcmp(call->name, "count") == 0)
        rc = ps_raise(err, PS_E_WRONG_NUM_ARGS_LEGACY, call->name, expected.data, call->n_args, call->n_args);
    if (rc == PS_OK)
        rc = ps_raise(err, PS_E_WRONG_NUM_ARGS, call->name, expected.data, call->n_args);
    ps_bytes_clear(&expected);
    return rc;
}

/* --- one argument --------------------------------------------------------------------------------------------- */
/* "NUMERIC" or "ANSI INTERVAL", quoted as messages have them. */
static ps_status raise_words(const ps_fn_call *call, int arg, ps_slice alternatives, ps_error *err)
{
    ps_bytes sql = {0};
    ps_slice rest = alternatives;
    ps_status rc = PS_OK;
    int n = 0;

    while (rc == PS_OK && rest.n_bytes > 0) {
        ps_slice word = cut(rest, '|', &rest);
        rc = ps_bytes_printf(&sql, err, "%s%s", n++ ? "\" or \"" : "", psi_word_sql(word));
    }
    if (rc == PS_OK)
        rc = ps_fn_wrong_type(call, arg, sql.data ? sql.data : "ANY", err);
    ps_bytes_clear(&sql);
    return rc;
}

/* An exact fit first, then the first word that allows a cast. */
static ps_status coerce_plain(ps_fn_call *call, int arg, ps_slice alternatives, ps_error *err)
{
    const ps_type *from = call->args[arg]->type, *type = NULL, *cast = NULL;
    ps_slice rest = alternatives;
    ps_status rc = PS_OK;

    while (rc == PS_OK && rest.n_bytes > 0) {
        ps_slice word = cut(rest, '|', &rest);
        if (is_word(word, "any")) {
            type = ps_type_ref(from);
            break;
        }
        rc = psi_implicit_type(from, word, &type, err);
        if (rc == PS_OK && type && ps_type_equal_ignoring_null(type, from))
            break;
        if (cast)
            ps_type_unref(type);
        else
            cast = type;
        type = NULL;
    }
    if (!type) {
        type = cast;
        cast = NULL;
    }
    if (rc == PS_OK)
        rc = type ? ps_fn_cast_arg(call, arg, type, err) : raise_words(call, arg, alternatives, err);
    ps_type_unref(type);
    ps_type_unref(cast);
    return rc;
}

static ps_status check_constant(ps_fn_call *call, int arg, const char *type, ps_error *err)
{
    ps_vec *value;

    PS_TRY(coerce_plain(call, arg, ps_slice_of(type), err));
    PS_TRY(ps_fn_constant(call, arg, &value, err));
    ps_vec_unref(value);
    return PS_OK;
}

typedef struct sharing {
    bool used, no_text;
    int args[64];
    int n;
} sharing;

static ps_status coerce_arg(ps_fn_call *call, int arg, const param *p, sharing *same, ps_error *err)
{
    if (!call->args[arg] && !is_word(p->words, "lambda"))
        return ps_raise(err, PS_E_LAMBDA_NOT_ALLOWED, call->name);
    if (is_word(p->words, "lambda"))
        return PS_OK;
    if (is_word(p->words, "constint"))
        return check_constant(call, arg, "int", err);
    if (is_word(p->words, "consttext"))
        return check_constant(call, arg, "string", err);
    if (is_word(p->words, "same") || is_word(p->words, "alike")) {
        same->used = true;
        same->no_text = is_word(p->words, "alike");
        return PS_OK;
    }
    return coerce_plain(call, arg, p->words, err);
}

static ps_status add_fallback(ps_fn_call *call, ps_slice text, ps_error *err)
{
    ps_builder *b;
    int64_t number;
    ps_status rc;

    if (is_word(text, "true") || is_word(text, "false")) {
        PS_TRY(ps_build_new(ps_type_of(PS_BOOL), 1, &b, err));
        rc = ps_build_int(b, is_word(text, "true"), err);
    } else if (is_word(text, "NULL")) {
        PS_TRY(ps_build_new(ps_type_of(PS_NULL), 1, &b, err));
        rc = ps_build_null(b, err);
    } else if (text.data[0] == '\'') {
        PS_TRY(ps_build_new(ps_type_of(PS_STRING), 1, &b, err));
        rc = ps_build_text(b, text.data + 1, text.n_bytes - 2, err);
    } else {
        number = 0;
        for (size_t i = text.data[0] == '-'; i < text.n_bytes; i++)
            number = number * 10 + (text.data[i] - '0');
        PS_TRY(ps_build_new(ps_type_of(PS_INT32), 1, &b, err));
        rc = ps_build_int(b, text.data[0] == '-' ? -number : number, err);
    }
    return psi_fn_add_built(call, b, rc, err);
}

/* --- the result ------------------------------------------------------------------------------------------------ */
static ps_status set_result(ps_fn_call *call, int first_same, ps_error *err)
{
    const char *returns = call->fn->returns;
    int arg = -1;

    ps_type_unref(call->type);
    call->type = NULL;
    if (!*returns)
        return PS_OK;
    if (strcmp(returns, "same") == 0)
        arg = first_same;
    else if (strncmp(returns, "arg", 3) == 0 && returns[3] >= '1' && returns[3] <= '9')
        arg = returns[3] - '1';
    if (arg >= 0) {
        ps_assert(arg < call->n_args);
        call->type = ps_type_ref(call->args[arg]->type);
        return PS_OK;
    }
    if (strncmp(returns, "element", 7) == 0) {
        arg = returns[7] - '1';
        ps_assert(arg >= 0 && arg < call->n_args);
        call->type = call->args[arg]->type->kind == PS_ARRAY ? ps_type_ref(call->args[arg]->type->fields[0].type)
                                                             : ps_type_ref(call->args[arg]->type);
        return PS_OK;
    }
    return psi_type_of_word(ps_slice_of(returns), &call->type, err);
}

ps_status psi_fn_sign(ps_fn_call *call, ps_error *err)
{
    ps_slice rest = ps_slice_of(call->fn->accepts);
    sharing same = {0};
    param p = {0};
    int min, max, first_same = 0;

    if (is_word(rest, "*"))
        return set_result(call, 0, err);
    ps_fn_arity(call->fn, &min, &max);
    if (call->n_args < min || (max >= 0 && call->n_args > max))
        return raise_count(call, err);
    for (int i = 0; i < call->n_args; i++) {
        if (!p.repeats)
            p = read_param(cut(rest, ',', &rest));
        PS_TRY(coerce_arg(call, i, &p, &same, err));
        if (is_word(p.words, "same") || is_word(p.words, "alike")) {
            if (same.n == 0)
                first_same = i;
            if (same.n < 64)
                same.args[same.n] = i;
            same.n++;
        }
    }
    while (rest.n_bytes > 0) {
        p = read_param(cut(rest, ',', &rest));
        if (p.fallback.data)
            PS_TRY(add_fallback(call, p.fallback, err));
    }
    if (same.used)
        PS_TRY(psi_fn_share_type(call, same.n <= 64 ? same.args : NULL, same.n, first_same, same.no_text, err));
    return set_result(call, first_same, err);
}
