/*
 * tests/fuzz/fuzz_jaas.c - sasl.jaas.config: any text is read or refused, and a refusal shows none of it.
 */
#include "fuzz.h"
#include "kafka/jaas.h"

static ps_status note(void *self, const char *name, const char *value, ps_error *e)
{
    MUST(name && *name && value);
    return ps_bytes_printf(self, e, "%s=%s\n", name, value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    char *text = malloc(n_bytes + 1), without[PS_ERROR_TEXT];
    ps_bytes noted = {0};
    ps_status rc;

    memcpy(text, data, n_bytes);
    text[n_bytes] = '\0';
    rc = psi_jaas_read(text, note, &noted, &err);
    MUST(rc == PS_OK || rc == PS_E_KAFKA_JAAS);
    if (rc != PS_OK) { /* the same message, but for the place, whatever stands in the text */
        strcpy(without, err.message);
        for (char *c = text; *c; c++)
            if (*c == 'x' || *c == 'y')
                *c = (char)('x' + 'y' - *c);
        if (psi_jaas_read(text, note, &noted, &err) == rc)
            MUST(strcmp(without, err.message) == 0);
    }
    ps_bytes_clear(&noted);
    free(text);
    return 0;
}
