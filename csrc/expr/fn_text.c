/* expr/fn_text.c - the rarer functions of text: distances, masks, choices. */
#include "expr/fn_args.h"
#include "expr/fn_int.h"

/* --- levenshtein ---------------------------------------------------------------------------------------------------------------- */
static ps_status code_points(ps_slice text, uint32_t **out, int64_t *n, ps_error *err)
{
    size_t step;

    PS_TRY(ps_alloc((text.n_bytes + 1) * sizeof **out, out, err));
    *n = 0;
    for (size_t at = 0; at < text.n_bytes; at += step)
        (*out)[(*n)++] = ps_utf8_decode(text, at, &step);
    return PS_OK;
}

static ps_status distance(ps_slice a, ps_slice b, int32_t *out, ps_error *err)
{
    uint32_t *x = NULL, *y = NULL;
    int32_t *row = NULL;
    int64_t n, m;
    ps_status rc;

    PS_TRY_OR(done, code_points(a, &x, &n, err));
    PS_TRY_OR(done, code_points(b, &y, &m, err));
    PS_TRY_OR(done, ps_alloc((size_t)(m + 1) * sizeof *row, &row, err));
    for (int64_t j = 0; j <= m; j++)
        row[j] = (int32_t)j;
    for (int64_t i = 1; i <= n; i++) {
        int32_t diagonal = row[0];
        row[0] = (int32_t)i;
        for (int64_t j = 1; j <= m; j++) {
            int32_t best = diagonal + (x[i - 1] != y[j - 1]);
            diagonal = row[j];
            best = row[j] + 1 < best ? row[j] + 1 : best;
            row[j] = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
        }
    }
    *out = row[m];
done:
    ps_free(x);
    ps_free(y);
    ps_free(row);
    return rc;
}

PS_KERNEL_2(levenshtein_any, ps_str, ps_str, int32_t) { return distance(ps_str_slice(&x), ps_str_slice(&y), out, err); }

PS_KERNEL_3(levenshtein_below, ps_str, ps_str, int32_t, int32_t)
{
    *out = 0;
    PS_TRY(distance(ps_str_slice(&x), ps_str_slice(&y), out, err));
    *out = *out > z ? -1 : *out;
    return PS_OK;
}
PSI_KERNEL(levenshtein) { return (run->n_args == 2 ? psi_levenshtein_any : psi_levenshtein_below)(run, result, err); }

/* --- soundex -------------------------------------------------------------------------------------------------------------------------- */
PS_KERNEL_TEXT_1(soundex, ps_str)
{
    /* 0: a vowel, which parts equal sounds; 7: h and w, which do not. */
    static const char sounds[] = "01230127022455012623017202";
    ps_slice text = ps_str_slice(&x);
    char code[4] = {0, '0', '0', '0'}, last;
    int n = 1;

    if (text.n_bytes == 0)
        return PS_OK;
    code[0] = (char)(text.data[0] >= 'a' && text.data[0] <= 'z' ? text.data[0] - 32 : text.data[0]);
    if (code[0] < 'A' || code[0] > 'Z')
        return ps_bytes_append(out, text.data, text.n_bytes, err);
    last = sounds[code[0] - 'A'];
    for (size_t i = 1; i < text.n_bytes && n < 4; i++) {
        char c = (char)(text.data[i] & ~0x20);
        if (c < 'A' || c > 'Z') {
            last = '0';
            continue;
        }
        char sound = sounds[c - 'A'];
        if (sound == '7')
            continue;
        if (sound != '0' && sound != last)
            code[n++] = sound;
        last = sound;
    }
    return ps_bytes_append(out, code, 4, err);
}

/* --- elt --------------------------------------------------------------------------------------------------------------------------------- */
ps_status psi_bind_elt(ps_fn_call *call, ps_error *err);
ps_status psi_bind_elt(ps_fn_call *call, ps_error *err)
{
    bool binaries = true;

    for (int i = 1; i < call->n_args; i++)
        binaries &= call->args[i]->type->kind == PS_BINARY;
    call->type = ps_type_of(binaries ? PS_BINARY : PS_STRING);
    call->nullable = true;
    for (int i = 1; i < call->n_args; i++)
        PS_TRY(ps_fn_cast_arg(call, i, call->type, err));
    return PS_OK;
}

PSI_KERNEL(elt)
{
    ps_view places;
    ps_builder *b;
    ps_status rc = PS_OK;

    ps_view_init(&places, run->args[0]);
    PS_TRY(ps_build_new(run->type, run->rows->n, &b, err));
    PS_EACH_ROW(run->rows, i) {
        int32_t n = ps_view_is_null(&places, i) ? 0 : PSI_AT(int32_t, &places, i);
        bool outside = !ps_view_is_null(&places, i) && (n < 1 || n >= run->n_args);
        if (outside && run->env->ansi) {
            rc = ps_raise(err, PS_E_INVALID_ARRAY_INDEX, (long long)n, (long long)run->n_args - 1);
            goto done;
        }
        PS_TRY_OR(done, n < 1 || outside ? ps_build_null(b, err) : ps_build_from(b, run->args[n], i, err));
    }
done:
    return psi_kernel_built(run, b, rc, result, err);
}

/* --- mask(text, upper, lower, digit, other): NULL keeps what is there -------------------------------------------------------------------- */
static int mask_class(uint32_t code)
{
    return code >= 'A' && code <= 'Z' ? 1 : code >= 'a' && code <= 'z' ? 2 : code >= '0' && code <= '9' ? 3 : 4;
}

static ps_status mask_row(const ps_fn_run *run, const ps_view *views, int64_t i, ps_bytes *out, ps_error *err)
{
    ps_slice text = psi_text_at(&views[0], i), with;
    size_t step;

    PS_UNUSED(run);
    for (size_t at = 0; at < text.n_bytes; at += step) {
        int k = mask_class(ps_utf8_decode(text, at, &step));
        bool keep = views[k].base->type->kind != PS_STRING || ps_view_is_null(&views[k], i);
        with = keep ? (ps_slice){text.data + at, step} : psi_text_at(&views[k], i);
        PS_TRY(ps_bytes_append(out, with.data, with.n_bytes, err));
    }
    return PS_OK;
}

PSI_KERNEL(mask) { return psi_kernel_texts(run, 1, mask_row, result, err); }
