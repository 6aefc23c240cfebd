/* expr/fn_regexp.c - functions of regular expressions but for split (fn_split.c). */
#include "expr/fn_args.h"
#include "expr/regex.h"

void psi_free_regex(void *scratch);
void psi_free_regex(void *scratch) { psi_regex_clear(scratch); }

/* --- finding ---------------------------------------------------------------------------------------------------------- */
PS_KERNEL_2(rlike, ps_str, ps_str, uint8_t)
{
    psi_regex *regex = run->scratch;
    bool found = false;

    PS_TRY(psi_regex_prepare(regex, ps_str_slice(&y), run->node->fn->name, err));
    PS_TRY(psi_regex_find(regex, ps_str_slice(&x), 0, &found, err));
    *out = found;
    return PS_OK;
}

PS_KERNEL_2(regexp_count, ps_str, ps_str, int32_t)
{
    psi_regex *regex = run->scratch;
    ps_slice text = ps_str_slice(&x);
    bool found = true;
    size_t at = 0;

    PS_TRY(psi_regex_prepare(regex, ps_str_slice(&y), "regexp_count", err));
    for (*out = 0; at != SIZE_MAX; at = psi_regex_next(regex, text), (*out)++) {
        PS_TRY(psi_regex_find(regex, text, at, &found, err));
        if (!found)
            break;
    }
    return PS_OK;
}

PS_KERNEL_3(regexp_instr, ps_str, ps_str, int32_t, int32_t)
{
    psi_regex *regex = run->scratch;
    ps_slice text = ps_str_slice(&x);
    bool found = false;

    PS_TRY(psi_regex_prepare(regex, ps_str_slice(&y), "regexp_instr", err));
    PS_TRY(psi_regex_find(regex, text, 0, &found, err));
    *out = found ? (int32_t)ps_utf8_count((ps_slice){text.data, regex->spans[0]}) + 1 : 0;
    return PS_OK;
}

PS_KERNEL_2(regexp_substr, ps_str, ps_str, ps_str)
{
    psi_regex *regex = run->scratch;
    bool found = false;
    ps_slice group;

    PS_TRY(psi_regex_prepare(regex, ps_str_slice(&y), "regexp_substr", err));
    PS_TRY(psi_regex_find(regex, ps_str_slice(&x), 0, &found, err));
    *null = !found;
    group = found ? psi_regex_group(regex, ps_str_slice(&x), 0) : (ps_slice){"", 0};
    *out = ps_str_make(group.data, (uint32_t)group.n_bytes);
    return PS_OK;
}

/* --- extracting --------------------------------------------------------------------------------------------------------- */
static ps_status check_group(const psi_regex *regex, const char *function, int32_t group, ps_error *err)
{
    return group >= 0 && group <= regex->n_groups ? PS_OK : ps_raise(err, PS_E_REGEX_GROUP, function, regex->n_groups, group);
}

PS_KERNEL_3(regexp_extract, ps_str, ps_str, int32_t, ps_str)
{
    psi_regex *regex = run->scratch;
    bool found = false;
    ps_slice group = {"", 0};

    PS_TRY(psi_regex_prepare(regex, ps_str_slice(&y), "regexp_extract", err));
    PS_TRY(psi_regex_find(regex, ps_str_slice(&x), 0, &found, err));
    if (found) {
        PS_TRY(check_group(regex, "regexp_extract", z, err));
        group = psi_regex_group(regex, ps_str_slice(&x), z);
    }
    *out = ps_str_make(group.data, (uint32_t)group.n_bytes);
    return PS_OK;
}

PS_KERNEL_BUILD_3(regexp_extract_all, ps_str, ps_str, int32_t)
{
    psi_regex *regex = run->scratch;
    ps_slice text = ps_str_slice(&x), group;
    bool found = true;

    PS_TRY(psi_regex_prepare(regex, ps_str_slice(&y), "regexp_extract_all", err));
    PS_TRY(ps_build_list(out, 0, err));
    for (size_t at = 0; at != SIZE_MAX; at = psi_regex_next(regex, text)) {
        PS_TRY(psi_regex_find(regex, text, at, &found, err));
        if (!found)
            break;
        PS_TRY(check_group(regex, "regexp_extract_all", z, err));
        group = psi_regex_group(regex, text, z);
        PS_TRY(ps_build_text(ps_build_child(out, 0), group.data, group.n_bytes, err));
    }
    ps_build_list_end(out);
    return PS_OK;
}

/* --- replacing ----------------------------------------------------------------------------------------------------------- */
static bool take_group(const psi_regex *regex, ps_slice with, size_t *at, int *group)
{
    if (*at < with.n_bytes && with.data[*at] == '{') {
        size_t end = ps_slice_find(with, ps_slice_of("}"), *at);
        if (end == SIZE_MAX || (*group = psi_regex_named(regex, psi_slice_from(with, *at + 1, end))) < 0)
            return false;
        *at = end + 1;
        return true;
    }
    if (*at >= with.n_bytes || with.data[*at] < '0' || with.data[*at] > '9')
        return false;
    *group = with.data[(*at)++] - '0';
    if (*group > regex->n_groups)
        return false;
    /* More digits belong to the number as long as there is such a group. */
    while (*at < with.n_bytes && with.data[*at] >= '0' && with.data[*at] <= '9' &&
           *group * 10 + (with.data[*at] - '0') <= regex->n_groups)
        *group = *group * 10 + (with.data[(*at)++] - '0');
    return true;
}

/* Appends the replacement of the last match: $1, ${name}, and \ before what stands for itself. */
static ps_status replacement(const psi_regex *regex, ps_slice text, ps_slice with, bool *valid, ps_bytes *out, ps_error *err)
{
    for (size_t at = 0; at < with.n_bytes;) {
        char c = with.data[at++];
        int group;
        if (c == '\\') {
            if (at == with.n_bytes) {
                *valid = false;
                return PS_OK;
            }
            PS_TRY(ps_bytes_char(out, with.data[at++], err));
        } else if (c == '$') {
            if (!take_group(regex, with, &at, &group)) {
                *valid = false;
                return PS_OK;
            }
            ps_slice part = psi_regex_group(regex, text, group);
            PS_TRY(ps_bytes_append(out, part.data, part.n_bytes, err));
        } else {
            PS_TRY(ps_bytes_char(out, c, err));
        }
    }
    return PS_OK;
}

static ps_status replace_all(psi_regex *regex, ps_slice text, size_t from, ps_slice with, ps_bytes *out, ps_error *err)
{
    size_t copied = 0, at = from;
    bool found = true, valid = true;

    while (at != SIZE_MAX) {
        PS_TRY(psi_regex_find(regex, text, at, &found, err));
        if (!found)
            break;
        PS_TRY(ps_bytes_append(out, text.data + copied, regex->spans[0] - copied, err));
        PS_TRY(replacement(regex, text, with, &valid, out, err));
        if (!valid)
            return ps_raise(err, PS_E_REGEX_REPLACE, (int)text.n_bytes, text.data, (int)regex->pattern.n_bytes,
                            regex->pattern.data, (int)with.n_bytes, with.data, 1);
        PS_TRY(psi_check_text_size(out->n_bytes, err));
        copied = regex->spans[1];
        at = psi_regex_next(regex, text);
    }
    return ps_bytes_append(out, text.data + copied, text.n_bytes - copied, err);
}

/* regexp_replace(text, pattern, with, pos) */
static ps_status replace_row(const ps_fn_run *run, const ps_view *views, int64_t i, ps_bytes *out, ps_error *err)
{
    ps_slice text = psi_text_at(&views[0], i);
    int32_t pos = PSI_AT(int32_t, &views[3], i);

    PS_TRY(psi_regex_prepare(run->scratch, psi_text_at(&views[1], i), "regexp_replace", err));
    return replace_all(run->scratch, text, ps_utf8_offset(text, (int64_t)pos - 1), psi_text_at(&views[2], i), out, err);
}

ps_status psi_regexp_replace(ps_fn_run *run, ps_vec **result, ps_error *err);
ps_status psi_regexp_replace(ps_fn_run *run, ps_vec **result, ps_error *err) { return psi_kernel_texts(run, 4, replace_row, result, err); }

ps_status psi_bind_regexp_replace(ps_fn_call *call, ps_error *err);
ps_status psi_bind_regexp_replace(ps_fn_call *call, ps_error *err)
{
    ps_bytes text = {0};
    int64_t pos;
    bool is_null;
    ps_status rc;

    PS_TRY(ps_fn_constant_int(call, 3, &pos, &is_null, err));
    if (is_null || pos > 0)
        return PS_OK;
    PS_TRY_OR(done, ps_fn_call_text(call, &text, err));
    rc = ps_raise(err, PS_E_DT_RANGE, text.data, "position", "(0, 2147483647]", (long long)pos);
done:
    ps_bytes_clear(&text);
    return rc;
}
