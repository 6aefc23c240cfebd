/* expr/regex.c - compiling and matching patterns with PCRE2. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "expr/regex.h"
#include "base/utf8.h"
#include <pcre2.h>

/* Above this many steps of backtracking a match is given up: Java would not come back for hours. */
#define MATCH_LIMIT 50000000
#define HEAP_LIMIT_KIB 65536

static void *pcre_alloc(size_t n_bytes, void *unused)
{
    void *block;

    PS_UNUSED(unused);
    return ps_alloc(n_bytes, &block, NULL) == PS_OK ? block : NULL;
}

static void pcre_free(void *block, void *unused)
{
    PS_UNUSED(unused);
    ps_free(block);
}

static ps_status no_memory(ps_error *err) { return ps_raise(err, PS_E_NO_MEMORY, (size_t)0); }

static ps_status compile(psi_regex *regex, ps_slice translated, const char *function, ps_error *err)
{
    pcre2_general_context *general = pcre2_general_context_create(pcre_alloc, pcre_free, NULL);
    pcre2_compile_context *context = general ? pcre2_compile_context_create(general) : NULL;
    ps_status rc = PS_OK;
    int number = 0;
    size_t at = 0;
    uint32_t n_groups = 0;

    if (!context) {
        rc = no_memory(err);
        goto done;
    }
    pcre2_set_newline(context, PCRE2_NEWLINE_ANYCRLF);
    regex->code = pcre2_compile((PCRE2_SPTR)translated.data, translated.n_bytes, PCRE2_UTF | PCRE2_MATCH_INVALID_UTF, &number, &at, context);
    if (!regex->code) {
        rc = number == PCRE2_ERROR_HEAP_FAILED ? no_memory(err)
                                            : ps_raise(err, PS_E_REGEX_PATTERN, function, (int)regex->pattern.n_bytes, regex->pattern.data);
        goto done;
    }
    pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE); /* without a JIT the interpreter serves */
    regex->match = pcre2_match_data_create_from_pattern(regex->code, general);
    regex->context = pcre2_match_context_create(general);
    if (!regex->match || !regex->context) {
        rc = no_memory(err);
        goto done;
    }
    pcre2_set_match_limit(regex->context, MATCH_LIMIT);
    pcre2_set_heap_limit(regex->context, HEAP_LIMIT_KIB);
    pcre2_pattern_info(regex->code, PCRE2_INFO_CAPTURECOUNT, &n_groups);
    regex->n_groups = (int)n_groups;
    regex->spans = pcre2_get_ovector_pointer(regex->match);
done:
    pcre2_compile_context_free(context);
    pcre2_general_context_free(general);
    return rc;
}

static void forget(psi_regex *regex)
{
    pcre2_match_context_free(regex->context);
    pcre2_match_data_free(regex->match);
    pcre2_code_free(regex->code);
    regex->context = NULL;
    regex->match = NULL;
    regex->code = NULL;
    regex->ready = regex->is_literal = false;
    regex->n_groups = 0;
}

void psi_regex_clear(psi_regex *regex)
{
    forget(regex);
    ps_bytes_clear(&regex->pattern);
    ps_bytes_clear(&regex->literal);
}

ps_status psi_regex_prepare(psi_regex *regex, ps_slice pattern, const char *function, ps_error *err)
{
    ps_bytes translated = {0};
    ps_status rc = PS_OK;

    if (PS_LIKELY(regex->ready && ps_slice_equal(ps_bytes_slice(&regex->pattern), pattern)))
        return PS_OK;
    forget(regex);
    ps_bytes_reset(&regex->pattern);
    ps_bytes_reset(&regex->literal);
    PS_TRY(ps_bytes_append(&regex->pattern, pattern.data, pattern.n_bytes, err));
    if (psi_regex_literal(pattern, &regex->literal, &rc, err)) {
        regex->is_literal = true;
        regex->spans = regex->literal_span;
    } else if (rc == PS_OK) {
        rc = psi_regex_translate(pattern, &translated, err);
        if (rc == PS_OK)
            rc = compile(regex, (ps_slice){translated.data ? translated.data : "", translated.n_bytes}, function, err);
    }
    ps_bytes_clear(&translated);
    regex->ready = rc == PS_OK;
    return rc;
}

static ps_status find_compiled(psi_regex *regex, ps_slice text, size_t from, bool *found, ps_error *err)
{
    int n = pcre2_match(regex->code, (PCRE2_SPTR)text.data, text.n_bytes, from, 0, regex->match, regex->context);

    if (n == PCRE2_ERROR_JIT_STACKLIMIT)
        n = pcre2_match(regex->code, (PCRE2_SPTR)text.data, text.n_bytes, from, PCRE2_NO_JIT, regex->match, regex->context);
    *found = n > 0;
    if (n > 0 || n == PCRE2_ERROR_NOMATCH)
        return PS_OK;
    if (n == PCRE2_ERROR_NOMEMORY)
        return no_memory(err);
    return ps_raise(err, PS_E_REGEX_LIMIT, (int)regex->pattern.n_bytes, regex->pattern.data);
}

ps_status psi_regex_find(psi_regex *regex, ps_slice text, size_t from, bool *found, ps_error *err)
{
    size_t at;

    if (!regex->is_literal)
        return find_compiled(regex, text, from, found, err);
    at = ps_slice_find(text, (ps_slice){regex->literal.data ? regex->literal.data : "", regex->literal.n_bytes}, from);
    *found = at != SIZE_MAX;
    regex->literal_span[0] = at;
    regex->literal_span[1] = at + regex->literal.n_bytes;
    return PS_OK;
}

size_t psi_regex_next(const psi_regex *regex, ps_slice text)
{
    size_t start = regex->spans[0], end = regex->spans[1];

    if (end > start)
        return end;
    return end < text.n_bytes ? end + ps_utf8_step(text, end) : SIZE_MAX;
}

ps_slice psi_regex_group(const psi_regex *regex, ps_slice text, int group)
{
    size_t start = regex->spans[2 * group], end = regex->spans[2 * group + 1];

    return start == SIZE_MAX || end < start ? (ps_slice){text.data, 0} : (ps_slice){text.data + start, end - start};
}

int psi_regex_named(const psi_regex *regex, ps_slice name)
{
    char text[64];
    int n;

    if (regex->is_literal || name.n_bytes >= sizeof text)
        return -1;
    memcpy(text, name.data, name.n_bytes);
    text[name.n_bytes] = 0;
    n = pcre2_substring_number_from_name(regex->code, (PCRE2_SPTR)text);
    return n > 0 ? n : -1;
}
