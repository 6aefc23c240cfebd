/*
 * base/logger.c - hands lines of the log to the host.
 */
#include "base/logger.h"
#include <stdatomic.h>
#include <stdio.h>

static _Atomic(ps_logger) host;

void ps_logger_set(ps_logger logger) { atomic_store(&host, logger); }

void ps_log(ps_log_level level, const char *name, const char *format, ...)
{
    ps_logger logger = atomic_load(&host);
    char text[2048];
    va_list args;

    if (!logger)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    logger(level, name, text);
}
