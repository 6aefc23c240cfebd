/*
 * kafka/jaas.h - the text of sasl.jaas.config, `<LoginModule class> required key="value" ...;`, in librdkafka's terms.
 *
 * The grammar is that of the Java client: words, or text in single or double quotes with Java's escapes; comments; one
 * module.  Modules are told by the last part of their class, so that repackaged ("shaded") ones are understood as well.
 * Errors name the place and what is wrong there, and never repeat what stands there: it may be a password.
 */
#ifndef PS_KAFKA_JAAS_H
#define PS_KAFKA_JAAS_H
#include "base/bytes.h"

/* Calls set(self, name, value) for each property of librdkafka that follows from the text.  Fails with KAFKA_JAAS, or with
 * what set() raised. */
ps_status psi_jaas_read(const char *text, ps_status (*set)(void *self, const char *name, const char *value, ps_error *err),
                        void *self, ps_error *err);
#endif
