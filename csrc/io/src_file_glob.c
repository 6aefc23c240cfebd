/*
 * io/src_file_glob.c - Hadoop's file patterns.
 *
 * Braces are multiplied out first, so that matching is a walk over one component with at most one place to go
 * back to.  A component without special characters is not listed but taken as it is.
 */
#include "io/src_file_int.h"
#include <stdlib.h>

#define MAX_PATTERNS 4096 /* of one pattern, braces multiplied out */

void psi_texts_clear(psi_texts *texts)
{
    for (int i = 0; i < texts->n; i++)
        ps_free(texts->items[i]);
    ps_free(texts->items);
    *texts = (psi_texts){0};
}

/* Takes text, also when it fails. */
static ps_status take_text(psi_texts *texts, char *text, ps_error *err)
{
    ps_status rc = PS_PUSH(texts, text, err);

    if (rc != PS_OK)
        ps_free(text);
    return rc;
}

ps_status psi_texts_add(psi_texts *texts, const char *text, ps_error *err)
{
    char *copy;

    PS_TRY(ps_strdup(text, &copy, err));
    return take_text(texts, copy, err);
}

bool psi_texts_has(const psi_texts *texts, const char *text, size_t n_bytes)
{
    for (int i = 0; i < texts->n; i++)
        if (strlen(texts->items[i]) == n_bytes && memcmp(texts->items[i], text, n_bytes) == 0)
            return true;
    return false;
}

int psi_file_order(const void *a, const void *b)
{
    return strcmp(((const ps_file_info *)a)->path, ((const ps_file_info *)b)->path);
}

ps_status psi_path_dir(const char *path, char **out, ps_error *err)
{
    size_t n = (size_t)(ps_path_name(path) - path);

    return ps_strndup(path, n > 1 ? n - 1 : n, out, err);
}

bool psi_glob_is(const char *path) { return strpbrk(path, "{}[]*?\\") != NULL; }

/* --- matching ------------------------------------------------------------------------------------------- */

/* The next code point; a byte that begins none stands for itself. */
static uint32_t take_char(const char **text)
{
    const unsigned char *p = (const unsigned char *)*text;
    int n = *p >= 0xF0 ? 4 : *p >= 0xE0 ? 3 : *p >= 0xC0 ? 2 : 1;
    uint32_t c = n == 1 ? *p : *p & (0xFFu >> (n + 1));

    for (int i = 1; i < n; i++) {
        if ((p[i] & 0xC0) != 0x80) {
            *text += 1;
            return *p;
        }
        c = c << 6 | (p[i] & 0x3Fu);
    }
    *text += n;
    return c;
}

static uint32_t take_literal(const char **pattern)
{
    if (**pattern == '\\' && (*pattern)[1])
        ++*pattern;
    return take_char(pattern);
}

/* *pattern follows the '['; moves behind the ']'.  A class that does not end matches nothing. */
static bool match_class(const char **pattern, uint32_t c)
{
    bool negated = **pattern == '^' || **pattern == '!', found = false;

    *pattern += negated;
    while (**pattern && **pattern != ']') {
        uint32_t first = take_literal(pattern), last = first;
        if (**pattern == '-' && (*pattern)[1] && (*pattern)[1] != ']') {
            ++*pattern;
            last = take_literal(pattern);
        }
        found |= c >= first && c <= last;
    }
    if (**pattern != ']')
        return false;
    ++*pattern;
    return found != negated;
}

bool psi_glob_match(const char *pattern, const char *name)
{
    const char *star = NULL, *retry = NULL; /* the last '*', and where its rest was tried */

    while (*name) {
        const char *p = pattern, *n = name;
        bool ok = false;
        if (*p == '*') {
            star = ++pattern;
            retry = name;
            continue;
        }
        if (*p) {
            uint32_t c = take_char(&n);
            if (*p == '?')
                ok = p++ != NULL;
            else if (*p == '[')
                ok = (p++, match_class(&p, c));
            else
                ok = take_literal(&p) == c;
        }
        if (ok) {
            pattern = p;
            name = n;
        } else if (star) {
            take_char(&retry);
            pattern = star;
            name = retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

bool psi_glob_match_any(const psi_texts *patterns, const char *name)
{
    for (int i = 0; i < patterns->n; i++)
        if (psi_glob_match(patterns->items[i], name))
            return true;
    return false;
}

/* --- braces ------------------------------------------------------------------------------------------------ */

/* The brace that ends the group opened before `p`, NULL when none does. */
static const char *group_end(const char *p)
{
    int depth = 1;

    for (; *p; p++) {
        if (*p == '\\' && p[1])
            p++;
        else if (*p == '{')
            depth++;
        else if (*p == '}' && --depth == 0)
            return p;
    }
    return NULL;
}

static const char *first_brace(const char *p)
{
    for (; *p; p++) {
        if (*p == '\\' && p[1])
            p++;
        else if (*p == '{')
            return p;
    }
    return NULL;
}

static ps_status expand_group(const char *pattern, const char *open, const char *close, psi_texts *out, ps_error *err)
{
    const char *part = open + 1;
    int depth = 0;

    for (const char *p = part; p <= close; p++) {
        ps_bytes text = {0};
        ps_status rc;
        if (*p == '\\' && p < close) {
            p++;
            continue;
        }
        depth += *p == '{';
        if (p < close && (depth > 0 || *p != ',')) {
            depth -= *p == '}';
            continue;
        }
        rc = ps_bytes_append(&text, pattern, (size_t)(open - pattern), err);
        if (rc == PS_OK)
            rc = ps_bytes_append(&text, part, (size_t)(p - part), err);
        if (rc == PS_OK)
            rc = ps_bytes_text(&text, close + 1, err);
        if (rc == PS_OK)
            rc = psi_glob_braces(text.data, out, err);
        ps_bytes_clear(&text);
        PS_TRY(rc);
        part = p + 1;
    }
    return PS_OK;
}

ps_status psi_glob_braces(const char *pattern, psi_texts *out, ps_error *err)
{
    const char *open = first_brace(pattern), *close = open ? group_end(open + 1) : NULL;

    if (open && !close)
        return ps_raise(err, PS_E_GLOB, pattern, "Unclosed group");
    if (out->n >= MAX_PATTERNS)
        return ps_raise(err, PS_E_GLOB, pattern, "Too many alternatives");
    return open ? expand_group(pattern, open, close, out, err) : psi_texts_add(out, pattern, err);
}

/* --- expanding ------------------------------------------------------------------------------------------------ */

/* Removes the backslashes of a component that has no other special characters. */
static void unescape(char *text)
{
    char *to = text;

    for (; *text; text++) {
        if (*text == '\\' && text[1])
            text++;
        *to++ = *text;
    }
    *to = '\0';
}

/* A pattern in the sense that the directory must be listed; escapes alone do not make one. */
static bool needs_listing(const char *component)
{
    for (const char *p = component; *p; p++) {
        if (*p == '\\' && p[1])
            p++;
        else if (*p == '*' || *p == '?' || *p == '[')
            return true;
    }
    return false;
}

static ps_status step_into(ps_fs *fs, const psi_texts *dirs, char *component, psi_texts *out, ps_error *err)
{
    bool list = needs_listing(component);

    if (!list)
        unescape(component);
    for (int i = 0; i < dirs->n; i++) {
        ps_file_list entries = {0};
        ps_status rc = PS_OK;
        if (!list) {
            char *path;
            PS_TRY(ps_path_join(dirs->items[i], component, &path, err));
            PS_TRY(take_text(out, path, err));
            continue;
        }
        ps_file_info info;
        bool exists;
        PS_TRY(ps_fs_stat(fs, dirs->items[i], &info, &exists, err));
        if (!exists || !info.is_dir)
            continue;
        rc = ps_fs_list(fs, dirs->items[i], &entries, err);
        for (int j = 0; rc == PS_OK && j < entries.n; j++)
            if (psi_glob_match(component, ps_path_name(entries.items[j].path)))
                rc = psi_texts_add(out, entries.items[j].path, err);
        ps_file_list_clear(&entries);
        PS_TRY(rc);
    }
    return PS_OK;
}

static ps_status expand_one(ps_fs *fs, const char *pattern, psi_texts *found, ps_error *err)
{
    psi_texts dirs = {0};
    char *copy = NULL, *save = NULL;
    ps_status rc;

    PS_TRY_OR(done, ps_strdup(pattern, &copy, err));
    PS_TRY_OR(done, psi_texts_add(&dirs, "/", err));
    for (char *part = strtok_r(copy, "/", &save); part; part = strtok_r(NULL, "/", &save)) {
        psi_texts next = {0};
        rc = step_into(fs, &dirs, part, &next, err);
        psi_texts_clear(&dirs);
        dirs = next;
        if (rc != PS_OK)
            goto done;
    }
    for (int i = 0; i < dirs.n; i++)
        PS_TRY_OR(done, psi_texts_add(found, dirs.items[i], err));
    rc = PS_OK;
done:
    psi_texts_clear(&dirs);
    ps_free(copy);
    return rc;
}

static int text_order(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

ps_status psi_glob_expand(ps_fs *fs, const char *pattern, ps_file_list *out, ps_error *err)
{
    psi_texts patterns = {0}, found = {0};
    ps_status rc;

    PS_TRY_OR(done, psi_glob_braces(pattern, &patterns, err));
    for (int i = 0; i < patterns.n; i++)
        PS_TRY_OR(done, expand_one(fs, patterns.items[i], &found, err));
    if (found.n > 1)
        qsort(found.items, (size_t)found.n, sizeof *found.items, text_order);
    for (int i = 0; i < found.n; i++) {
        ps_file_info info;
        bool exists;
        if (i > 0 && strcmp(found.items[i], found.items[i - 1]) == 0)
            continue;
        PS_TRY_OR(done, ps_fs_stat(fs, found.items[i], &info, &exists, err));
        if (!exists)
            continue;
        PS_TRY_OR(done, ps_strdup(found.items[i], &info.path, err));
        if ((rc = PS_PUSH(out, info, err)) != PS_OK) {
            ps_free(info.path);
            goto done;
        }
    }
    rc = PS_OK;
done:
    psi_texts_clear(&patterns);
    psi_texts_clear(&found);
    return rc;
}
