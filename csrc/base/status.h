/*
 * base/status.h - how a function says that it failed.
 *
 * What can fail returns ps_status and takes a ps_error as its last argument.  The caller owns the
 * ps_error, usually on its stack.  Every error is a row of errors.def: its name, SQLSTATE, Python class
 * and message; ps_raise() fills the message from there, so no message is written twice.
 */
#ifndef PS_BASE_STATUS_H
#define PS_BASE_STATUS_H
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* PS_OK, or the number of a row of errors.def (also in ps_error.code). */
typedef int ps_status;
#define PS_OK 0

typedef enum ps_code {
    PS_E_NONE = 0,
#define PS_ERROR(id, condition, sqlstate, py_class, text) PS_E_##id,
#include "base/errors.def"
#undef PS_ERROR
    PS_E_COUNT
} ps_code;

#define PS_ERROR_TEXT 8192

typedef struct ps_error {
    ps_status code;           /* PS_OK when nothing was raised */
    bool foreign;             /* a Python exception that the binding keeps and will re-raise */
    char message[PS_ERROR_TEXT]; /* rendered: "[CONDITION] text SQLSTATE: 12345", or the text alone */
} ps_error;

typedef struct ps_error_row {
    const char *name;      /* the id without PS_E_ */
    const char *condition; /* Spark's error condition, or "" when Spark has none */
    const char *sqlstate;  /* or "" */
    const char *py_class;  /* a class of pystream.errors, or a Python built-in */
    const char *text;      /* printf format */
} ps_error_row;

/* The row of an error; code must be one of ps_code. */
const ps_error_row *ps_error_describe(ps_status code);

/* Fills *err (which may be NULL) from errors.def and returns `code`. */
ps_status ps_raise(ps_error *err, ps_status code, ...);
ps_status ps_raise_v(ps_error *err, ps_status code, va_list args);

/* Appends text to the message of an error that was raised before, cutting at the buffer's end. */
void ps_error_append(ps_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The message without "[CONDITION] " and " SQLSTATE: ...", written to out (PS_ERROR_TEXT bytes). */
void ps_error_bare_text(const ps_error *err, char *out);

#define PS_TRY(expression)                                                                         \
    do {                                                                                           \
        ps_status rc_try_ = (expression);                                                          \
        if (rc_try_ != PS_OK)                                                                      \
            return rc_try_;                                                                        \
    } while (0)

/* Needs a local `ps_status rc`. */
#define PS_TRY_OR(label, expression)                                                               \
    do {                                                                                           \
        if ((rc = (expression)) != PS_OK)                                                          \
            goto label;                                                                            \
    } while (0)

/* A broken invariant: a bug of ours.  Active in debug builds (PYSTREAM_DEBUG). */
#ifdef PS_DEBUG
void ps_assert_failed(const char *file, int line, const char *text) __attribute__((noreturn));
#define ps_assert(x) ((x) ? (void)0 : ps_assert_failed(__FILE__, __LINE__, #x))
#else
#define ps_assert(x) ((void)sizeof(x))
#endif

#define PS_UNUSED(x) ((void)(x))
#define PS_LIKELY(x) __builtin_expect(!!(x), 1)
#define PS_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define PS_COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#endif
