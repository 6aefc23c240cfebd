/*
 * base/status.c - rendering errors from the table.
 */
#include "base/status.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const ps_error_row error_rows[PS_E_COUNT] = {
    {"NONE", "", "", "RuntimeError", ""},
#define PS_ERROR(id, condition, sqlstate, py_class, text) {#id, condition, sqlstate, py_class, text},
#include "base/errors.def"
#undef PS_ERROR
};

const ps_error_row *ps_error_describe(ps_status code)
{
    ps_assert(code >= 0 && code < PS_E_COUNT);
    return &error_rows[code];
}

/* Conditions that Spark shows: all but the unnamed and the numbered ones. */
static bool shows_condition(const ps_error_row *row)
{
    return row->condition[0] != '\0' && strncmp(row->condition, "_LEGACY_", 8) != 0;
}

/* The longest prefix of text that is at most n bytes and ends between two UTF-8 characters. */
static size_t cut_at_character(const char *text, size_t n)
{
    if (strlen(text) <= n)
        return strlen(text);
    while (n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80)
        n--;
    return n;
}

ps_status ps_raise(ps_error *err, ps_status code, ...)
{
    va_list args;

    va_start(args, code);
    ps_raise_v(err, code, args);
    va_end(args);
    return code;
}

ps_status ps_raise_v(ps_error *err, ps_status code, va_list args)
{
    const ps_error_row *row = ps_error_describe(code);
    char text[PS_ERROR_TEXT], before[128] = "", after[32] = "";
    size_t room, n;

    if (err == NULL)
        return code;
    /* By way of `text`, since an argument may be the message that err holds now. */
    if (vsnprintf(text, sizeof text, row->text, args) < 0)
        text[0] = '\0';
    if (shows_condition(row)) {
        snprintf(before, sizeof before, "[%s] ", row->condition);
        if (row->sqlstate[0] != '\0')
            snprintf(after, sizeof after, " SQLSTATE: %s", row->sqlstate);
    }
    room = sizeof err->message - 1 - strlen(before) - strlen(after);
    n = cut_at_character(text, room);
    snprintf(err->message, sizeof err->message, "%s%.*s%s", before, (int)n, text, after);
    err->code = code;
    err->foreign = false;
    return code;
}

void ps_error_append(ps_error *err, const char *format, ...)
{
    size_t n;
    va_list args;

    if (err == NULL)
        return;
    n = strlen(err->message);
    va_start(args, format);
    if (vsnprintf(err->message + n, sizeof err->message - n, format, args) < 0)
        err->message[n] = '\0';
    va_end(args);
    err->message[cut_at_character(err->message, sizeof err->message - 2)] = '\0';
}

void ps_error_bare_text(const ps_error *err, char *out)
{
    const ps_error_row *row = ps_error_describe(err->code);
    const char *text = err->message, *end = text + strlen(text);
    char after[32];

    if (shows_condition(row)) {
        size_t n = strlen(row->condition);
        if (text[0] == '[' && strncmp(text + 1, row->condition, n) == 0 &&
            strncmp(text + 1 + n, "] ", 2) == 0)
            text += n + 3;
        if (row->sqlstate[0] != '\0') {
            int n_after = snprintf(after, sizeof after, " SQLSTATE: %s", row->sqlstate);
            if (end - text >= n_after && strcmp(end - n_after, after) == 0)
                end -= n_after;
        }
    }
    memmove(out, text, (size_t)(end - text));
    out[end - text] = '\0';
}

#ifdef PS_DEBUG
void ps_assert_failed(const char *file, int line, const char *text)
{
    fprintf(stderr, "%s:%d: broken invariant: %s\n", file, line, text);
    abort();
}
#endif
