/*
 * base/logger.h - warnings that are no errors: the host language decides where they go.
 *
 * Without a host they are dropped.  The host may take a lock of its own (the binding takes the GIL), so a line is written
 * by a query's thread or an action's, with no lock held, and never by a thread of a library: such a thread leaves its
 * lines for the query's thread.
 */
#ifndef PS_BASE_LOGGER_H
#define PS_BASE_LOGGER_H
#include "base/status.h"

typedef enum ps_log_level { PS_LOG_ERROR, PS_LOG_WARNING, PS_LOG_INFO } ps_log_level;

/* `name` is a logger's, as Python's logging has them: "pystream.kafka". */
typedef void (*ps_logger)(ps_log_level level, const char *name, const char *text);
void ps_logger_set(ps_logger logger);
void ps_log(ps_log_level level, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));
#endif
