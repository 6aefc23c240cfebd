/*
 * kafka/jaas.c - reads sasl.jaas.config.
 */
#include "kafka/jaas.h"
#include <stdio.h>

/* What each login module may be told, and what that is in librdkafka; what is not here has no effect, as in Java. */
typedef struct jaas_option {
    const char *module, *name, *property;
    bool required;
} jaas_option;
static const jaas_option options[] = {
    {"PlainLoginModule", "username", "sasl.username", true},
    {"PlainLoginModule", "password", "sasl.password", true},
    {"ScramLoginModule", "username", "sasl.username", true},
    {"ScramLoginModule", "password", "sasl.password", true},
    {"Krb5LoginModule", "keyTab", "sasl.kerberos.keytab", false},
    {"Krb5LoginModule", "principal", "sasl.kerberos.principal", false},
    {"Krb5LoginModule", "serviceName", "sasl.kerberos.service.name", false},
    {"OAuthBearerLoginModule", "clientId", "sasl.oauthbearer.client.id", true},
    {"OAuthBearerLoginModule", "clientSecret", "sasl.oauthbearer.client.secret", true},
    {"OAuthBearerLoginModule", "scope", "sasl.oauthbearer.scope", false},
};
#define EXTENSION "extension_" /* OAuthBearerLoginModule: extension_<name>="value" */

typedef struct jaas {
    const char *text, *at;
    ps_bytes word;       /* of the last token */
    ps_bytes module;     /* the last part of the class */
    ps_bytes extensions; /* name=value,name=value */
    bool seen[PS_COUNT_OF(options)];
    ps_status (*set)(void *self, const char *name, const char *value, ps_error *err);
    void *self;
} jaas;

/* A token: the end, one of the characters = and ;, or a word, which is in jaas.word. */
typedef enum token { END, EQUALS, SEMICOLON, WORD, QUOTED } token;

static ps_status complain(const jaas *jaas, const char *what, ps_error *err)
{
    return ps_raise(err, PS_E_KAFKA_JAAS, what, (long long)(jaas->at - jaas->text));
}

static bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("._-$", c)) ||
           (unsigned char)c >= 0xA0;
}

static ps_status skip(jaas *jaas, ps_error *err)
{
    for (;;) {
        const char *end;

        while (is_blank(*jaas->at))
            jaas->at++;
        if (jaas->at[0] != '/')
            return PS_OK;
        if (jaas->at[1] != '*') { /* Java: a single slash begins a comment as well as two */
            jaas->at += strcspn(jaas->at, "\r\n");
            continue;
        }
        if (!(end = strstr(jaas->at + 2, "*/")))
            return complain(jaas, "a comment does not end", err);
        jaas->at = end + 2;
    }
}

/* The character behind a backslash, or up to three octal digits; moves past it. */
static char escaped(jaas *jaas)
{
    static const char names[] = "abfnrtv", values[] = "\a\b\f\n\r\t\v";
    const char *known, c = *jaas->at++;

    if (c >= '0' && c <= '7') {
        int code = c - '0', most = c <= '3' ? 2 : 1;

        for (; most > 0 && *jaas->at >= '0' && *jaas->at <= '7'; most--)
            code = code * 8 + *jaas->at++ - '0';
        return (char)code;
    }
    known = strchr(names, c);
    return known ? values[known - names] : c;
}

static ps_status quoted(jaas *jaas, ps_error *err)
{
    char quote = *jaas->at++;

    while (*jaas->at != quote) {
        char c = *jaas->at;

        if (c == '\0' || c == '\n' || c == '\r')
            return complain(jaas, "a quotation mark is not closed", err);
        jaas->at++;
        if (c == '\\') {
            if (*jaas->at == '\0')
                return complain(jaas, "a quotation mark is not closed", err);
            if ((c = escaped(jaas)) == '\0')
                return complain(jaas, "a value has a zero byte", err);
        }
        PS_TRY(ps_bytes_char(&jaas->word, c, err));
    }
    jaas->at++;
    return PS_OK;
}

static ps_status next(jaas *jaas, token *out, ps_error *err)
{
    ps_bytes_reset(&jaas->word);
    PS_TRY(ps_bytes_append(&jaas->word, "", 0, err));
    PS_TRY(skip(jaas, err));
    switch (*jaas->at) {
    case '\0':
        *out = END;
        return PS_OK;
    case '=':
    case ';':
        *out = *jaas->at++ == '=' ? EQUALS : SEMICOLON;
        return PS_OK;
    case '"':
    case '\'':
        *out = QUOTED;
        return quoted(jaas, err);
    default:
        break;
    }
    *out = WORD;
    if (!is_word(*jaas->at))
        return complain(jaas, "a value with other characters than letters and digits wants quotation marks", err);
    while (is_word(*jaas->at))
        PS_TRY(ps_bytes_char(&jaas->word, *jaas->at++, err));
    return PS_OK;
}

static bool is_module(const jaas *jaas, const char *name) { return strcmp(jaas->module.data, name) == 0; }

static ps_status read_module(jaas *jaas, ps_error *err)
{
    static const char *const flags[] = {"required", "requisite", "sufficient", "optional"};
    const char *last;
    bool known = false;
    token token;

    PS_TRY(next(jaas, &token, err));
    if (token != WORD)
        return complain(jaas, "the class of a login module is missing", err);
    last = strrchr(jaas->word.data, '.');
    PS_TRY(ps_bytes_text(&jaas->module, last ? last + 1 : jaas->word.data, err));
    for (size_t i = 0; i < PS_COUNT_OF(options); i++)
        known |= is_module(jaas, options[i].module);
    if (!known)
        return complain(jaas, "the login module must be a PlainLoginModule, ScramLoginModule, Krb5LoginModule or "
                              "OAuthBearerLoginModule", err);
    PS_TRY(next(jaas, &token, err));
    known = false;
    for (size_t i = 0; token == WORD && i < PS_COUNT_OF(flags); i++)
        known |= ps_stricmp(jaas->word.data, flags[i]) == 0;
    return known ? PS_OK : complain(jaas, "the login module's control flag, 'required', is missing", err);
}

/* extension_<name> joins the others; what the table has not, has no effect. */
static ps_status use_option(jaas *jaas, const char *name, const char *value, ps_error *err)
{
    for (size_t i = 0; i < PS_COUNT_OF(options); i++) {
        if (!is_module(jaas, options[i].module) || strcmp(options[i].name, name) != 0)
            continue;
        jaas->seen[i] = true;
        return jaas->set(jaas->self, options[i].property, value, err);
    }
    if (is_module(jaas, "OAuthBearerLoginModule") && strncmp(name, EXTENSION, strlen(EXTENSION)) == 0)
        return ps_bytes_printf(&jaas->extensions, err, "%s%s=%s", jaas->extensions.n_bytes ? "," : "", name + strlen(EXTENSION), value);
    if (is_module(jaas, "ScramLoginModule") && strcmp(name, "tokenauth") == 0 && ps_stricmp(value, "true") == 0)
        return complain(jaas, "delegation tokens (tokenauth) are not supported; write the user's own name and password", err);
    /* A ticket that somebody else keeps fresh: librdkafka is not to run kinit for it. */
    if (is_module(jaas, "Krb5LoginModule") && strcmp(name, "useTicketCache") == 0 && ps_stricmp(value, "true") == 0)
        return jaas->set(jaas->self, "sasl.kerberos.kinit.cmd", "true", err);
    return PS_OK;
}

static ps_status read_options(jaas *jaas, ps_bytes *name, ps_error *err)
{
    token token;

    for (;;) {
        PS_TRY(next(jaas, &token, err));
        if (token == SEMICOLON)
            return PS_OK;
        if (token == END)
            return complain(jaas, "the semicolon at the end is missing", err);
        if (token == EQUALS)
            return complain(jaas, "a key is missing", err);
        ps_bytes_reset(name);
        PS_TRY(ps_bytes_append(name, jaas->word.data, jaas->word.n_bytes, err));
        PS_TRY(next(jaas, &token, err));
        if (token == EQUALS)
            PS_TRY(next(jaas, &token, err));
        else
            token = END;
        if (token != WORD && token != QUOTED)
            return complain(jaas, "the value of a key is missing", err);
        PS_TRY(use_option(jaas, name->data, jaas->word.data, err));
    }
}

static ps_status finish(jaas *jaas, ps_error *err)
{
    token token;

    for (size_t i = 0; i < PS_COUNT_OF(options); i++) {
        char what[64];

        if (!options[i].required || !is_module(jaas, options[i].module) || jaas->seen[i])
            continue;
        snprintf(what, sizeof what, "the key '%s' is missing", options[i].name);
        return complain(jaas, what, err);
    }
    PS_TRY(next(jaas, &token, err));
    if (token != END)
        return complain(jaas, "only one login module may be given", err);
    if (is_module(jaas, "OAuthBearerLoginModule"))
        PS_TRY(jaas->set(jaas->self, "sasl.oauthbearer.method", "oidc", err));
    if (jaas->extensions.n_bytes)
        PS_TRY(jaas->set(jaas->self, "sasl.oauthbearer.extensions", jaas->extensions.data, err));
    return PS_OK;
}

ps_status psi_jaas_read(const char *text, ps_status (*set)(void *self, const char *name, const char *value, ps_error *err),
                        void *self, ps_error *err)
{
    jaas jaas = {.text = text, .at = text, .set = set, .self = self};
    ps_bytes name = {0};
    ps_status rc;

    PS_TRY_OR(done, read_module(&jaas, err));
    PS_TRY_OR(done, read_options(&jaas, &name, err));
    rc = finish(&jaas, err);
done:
    ps_bytes_clear(&jaas.word);
    ps_bytes_clear(&jaas.module);
    ps_bytes_clear(&jaas.extensions);
    ps_bytes_clear(&name);
    return rc;
}
