/*
 * kafka/props.c - from the user's options to librdkafka's configuration.
 *
 * Defaults first, then what the user gave by Java's names, then librdkafka's own names, so that the last word is the most
 * particular one; at the end settle() looks at the outcome, where Java and librdkafka have different rules of what goes
 * together.
 */
#include "kafka/props.h"
#include "base/fs.h"
#include "base/logger.h"
#include "base/nearest.h"
#include "kafka/jaas.h"
#include <stdio.h>
#include <stdlib.h>

#define PREFIX "kafka."
#define EXACTLY_ONCE "pystream.kafka.exactlyOnce"

typedef enum who { CONSUMER = 1, PRODUCER = 2, BOTH = CONSUMER | PRODUCER } who;
enum { OPEN = 0, SECRET = 1 };
typedef enum action { PASS, NUMBER, CALL, KEEP, PART, IGNORE, REFUSE } action;
typedef struct job job;

typedef struct prop {
    const char *name;
    who who;
    action action;
    const char *target; /* librdkafka's name, when it is another; REFUSE: the rest of the message */
    const char *fallback;
    bool secret;
    int64_t lowest, highest; /* NUMBER */
    ps_status (*call)(job *job, const struct prop *prop, const char *value, ps_error *err);
    size_t field; /* KEEP: the place in psi_props_kept */
} prop;

struct job {
    const ps_options *options; /* only those of Kafka, in lower case without the prefix, and trimmed */
    rd_kafka_conf_t *conf;
    psi_props_kept *kept;
    who who;
    bool quiet;    /* warnings are another client's */
    bool defaults; /* not the user's values: what this librdkafka does not have is left out without a word */
};

static void warn(const job *job, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void warn(const job *job, const char *format, ...)
{
    char text[1024];
    va_list args;

    if (job->quiet)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    ps_log(PS_LOG_WARNING, "pystream.kafka", "%s", text);
}

static const char *target_of(const prop *prop) { return prop->target ? prop->target : prop->name; }

/* What the user gave for another property; NULL when nothing. */
static const char *given(const job *job, const char *name) { return ps_options_get(job->options, name); }

/* --- one property of librdkafka ------------------------------------------------------------------------------- */

static ps_status refuse_value(const prop *prop, const char *reason, ps_error *err)
{
    return ps_raise(err, PS_E_KAFKA_OPTION_VALUE, prop->name, prop->secret ? "it is not understood (and not shown)" : reason);
}

static ps_status set(job *job, const prop *prop, const char *name, const char *value, ps_error *err)
{
    char reason[512];

    switch (rd_kafka_conf_set(job->conf, name, value, reason, sizeof reason)) {
    case RD_KAFKA_CONF_OK:
        return PS_OK;
    case RD_KAFKA_CONF_UNKNOWN:
        if (!job->defaults)
            warn(job, "Kafka option '%s' has no effect: librdkafka %s has no property %s.", prop->name,
                   rd_kafka_version_str(), name);
        return PS_OK;
    default: /* a default of ours is a good one (a test sees to it), but librdkafka may have been built without TLS, say */
        return job->defaults ? PS_OK : refuse_value(prop, reason, err);
    }
}

static ps_status parse(const prop *prop, const char *value, int64_t *out, ps_error *err)
{
    return ps_parse_int(value, out) ? PS_OK : refuse_value(prop, "it is not a whole number", err);
}

/* Java takes larger and smaller numbers than librdkafka; -1, where 0 is the least, means 0: the system's choice, or never. */
static int64_t fit(const job *job, const prop *prop, int64_t value, int64_t lowest, int64_t highest)
{
    int64_t taken = value < lowest ? lowest : value > highest ? highest : value;

    if (taken != value && !(value == -1 && lowest == 0))
        warn(job, "Kafka option '%s' is taken as %lld: librdkafka has no more and no less than %lld to %lld.",
               prop->name, (long long)taken, (long long)lowest, (long long)highest);
    return taken;
}

static ps_status set_number(job *job, const prop *prop, const char *name, int64_t value, int64_t lowest, int64_t highest, ps_error *err)
{
    char text[24];

    snprintf(text, sizeof text, "%lld", (long long)fit(job, prop, value, lowest, highest));
    return set(job, prop, name, text, err);
}

/* A time that calls of librdkafka take as an int. */
static ps_status keep_time(const job *job, const prop *prop, const char *value, int64_t lowest, int64_t *out, ps_error *err)
{
    int64_t ms;

    PS_TRY(parse(prop, value, &ms, err));
    *out = fit(job, prop, ms, lowest, INT32_MAX);
    return PS_OK;
}

/* --- values to translate: functions of PSI_CALL ----------------------------------------------------------------- */

/* Java bounds the bytes that wait; librdkafka has a bound of messages besides, which its own bookkeeping of some hundred
 * bytes a message makes worth having, but not before the bytes count. */
static ps_status buffer_memory(job *job, const prop *prop, const char *value, ps_error *err)
{
    int64_t n_bytes;

    PS_TRY(parse(prop, value, &n_bytes, err));
    PS_TRY(set_number(job, prop, target_of(prop), n_bytes >= 0 && n_bytes < 1024 ? 1 : n_bytes / 1024, 1, INT32_MAX, err));
    n_bytes = n_bytes / 64 > INT32_MAX ? INT32_MAX : n_bytes / 64;
    return set_number(job, prop, "queue.buffering.max.messages", n_bytes < 1000 ? 1000 : n_bytes, 1, INT32_MAX, err);
}

/* compression.<codec>.level counts when that codec is the one. */
static ps_status compression_level(job *job, const prop *prop, const char *value, ps_error *err)
{
    const char *codec = given(job, "compression.type"), *name = prop->name + strlen("compression.");
    int64_t level;

    PS_TRY(parse(prop, value, &level, err));
    if (!codec || strncmp(name, codec, strlen(codec)) != 0 || name[strlen(codec)] != '.')
        return PS_OK;
    return set_number(job, prop, target_of(prop), level, -1, 12, err);
}

static ps_status delivery_timeout(job *job, const prop *prop, const char *value, ps_error *err)
{
    PS_TRY(keep_time(job, prop, value, 1, &job->kept->delivery_timeout_ms, err));
    return set_number(job, prop, target_of(prop), job->kept->delivery_timeout_ms, 1, INT32_MAX, err);
}

static ps_status endpoint_identification(job *job, const prop *prop, const char *value, ps_error *err)
{
    return set(job, prop, target_of(prop), *value ? value : "none", err);
}

static ps_status ignore_keys(job *job, const prop *prop, const char *value, ps_error *err)
{
    return ps_stricmp(value, "true") == 0 ? set(job, prop, target_of(prop), "random", err) : PS_OK;
}

static ps_status login_handler(job *job, const prop *prop, const char *value, ps_error *err)
{
    const char *last = strrchr(value, '.');

    if (strcmp(last ? last + 1 : value, "OAuthBearerLoginCallbackHandler") != 0)
        return ps_raise(err, PS_E_KAFKA_FORBIDDEN, prop->name, ", as it names a Java class. librdkafka fetches tokens by itself: set "
                        "kafka.sasl.oauthbearer.token.endpoint.url, and clientId and clientSecret in kafka.sasl.jaas.config.");
    return set(job, prop, target_of(prop), "oidc", err);
}

/* The Java client waits so long for any answer, and tells the brokers the same. */
static ps_status request_timeout(job *job, const prop *prop, const char *value, ps_error *err)
{
    int64_t ms;

    PS_TRY(parse(prop, value, &ms, err));
    PS_TRY(set_number(job, prop, "request.timeout.ms", ms, 1, 900000, err));
    return set_number(job, prop, "socket.timeout.ms", ms, 10, 300000, err);
}

typedef struct jaas_self { job *job; const prop *prop; } jaas_self;
static ps_status set_of_jaas(void *self, const char *name, const char *value, ps_error *err)
{
    jaas_self *to = self;
    return set(to->job, to->prop, name, value, err);
}

static ps_status jaas_config(job *job, const prop *prop, const char *value, ps_error *err)
{
    jaas_self self = {job, prop};
    return psi_jaas_read(value, set_of_jaas, &self, err);
}

/* --- certificates and keys --- */

static bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* One block, its base64 in lines of 64.  A block that has lines is left as it is: an encrypted key has headers in them. */
static ps_status pem_block(ps_slice head, ps_slice body, ps_slice foot, ps_bytes *out, ps_error *err)
{
    int column = 0;

    PS_TRY(ps_bytes_append(out, head.data, head.n_bytes, err));
    if (memchr(body.data, '\n', body.n_bytes)) {
        PS_TRY(ps_bytes_append(out, body.data, body.n_bytes, err));
        body.n_bytes = 0;
    }
    for (size_t i = 0; i < body.n_bytes; i++) {
        if (is_blank(body.data[i]))
            continue;
        if (column++ % 64 == 0)
            PS_TRY(ps_bytes_char(out, '\n', err));
        PS_TRY(ps_bytes_char(out, body.data[i], err));
    }
    if (column > 0)
        PS_TRY(ps_bytes_char(out, '\n', err));
    PS_TRY(ps_bytes_append(out, foot.data, foot.n_bytes, err));
    return ps_bytes_char(out, '\n', err);
}

/* "-----BEGIN x-----" or END, from `text` on; its data is NULL when there is none. */
static ps_slice pem_mark(const char *text, const char *mark)
{
    const char *begin = strstr(text, mark), *end = begin ? strstr(begin + strlen(mark), "-----") : NULL;

    return end ? (ps_slice){begin, (size_t)(end + 5 - begin)} : (ps_slice){NULL, 0};
}

/* Java takes PEM text in one line, blanks where OpenSSL wants ends of lines. */
static ps_status pem_text(job *job, const prop *prop, const char *value, ps_error *err)
{
    ps_bytes text = {0};
    ps_status rc = PS_OK;

    for (;;) {
        ps_slice head = pem_mark(value, "-----BEGIN "), foot;

        if (!head.data)
            break;
        value = head.data + head.n_bytes;
        foot = pem_mark(value, "-----END ");
        if (!foot.data)
            break;
        PS_TRY_OR(done, pem_block(head, (ps_slice){value, (size_t)(foot.data - value)}, foot, &text, err));
        value = foot.data + foot.n_bytes;
    }
    rc = text.n_bytes ? set(job, prop, target_of(prop), text.data, err) : refuse_value(prop, "it is not PEM text", err);
done:
    ps_bytes_clear(&text);
    return rc;
}

typedef enum store { STORE_JKS, STORE_PEM, STORE_PKCS12 } store;

/* Of a file whose type is not given, or is said to be JKS as Java's default is, which reads PKCS12 as well. */
static ps_status look_at_store(const char *path, store *out, ps_error *err)
{
    unsigned char begin[4] = {0};
    ps_file *file = NULL;
    size_t n_read = 0;
    ps_status rc;

    PS_TRY(ps_fs_open_read(ps_fs_local(), path, &file, err));
    rc = ps_file_read(file, begin, sizeof begin, &n_read, err);
    ps_file_close(file, NULL);
    if (memcmp(begin, "\xfe\xed\xfe\xed", 4) == 0 || memcmp(begin, "\xce\xce\xce\xce", 4) == 0)
        *out = STORE_JKS;
    else
        *out = begin[0] == 0x30 ? STORE_PKCS12 : STORE_PEM;
    return rc;
}

static ps_status store_of(const job *job, const char *type_name, const char *path, store *out, ps_error *err)
{
    const char *type = given(job, type_name);

    *out = STORE_PEM;
    if (!type || ps_stricmp(type, "JKS") == 0)
        return look_at_store(path, out, err);
    if (ps_stricmp(type, "PKCS12") == 0)
        *out = STORE_PKCS12;
    else if (ps_stricmp(type, "PEM") != 0)
        return ps_raise(err, PS_E_KAFKA_OPTION_VALUE, type_name, "it must be PEM or PKCS12");
    return PS_OK;
}

static ps_status keystore(job *job, const prop *prop, const char *value, ps_error *err)
{
    static const struct prop password_prop = {.name = "ssl.keystore.password", .secret = true};
    const char *password = given(job, password_prop.name);
    store store;

    PS_TRY(store_of(job, "ssl.keystore.type", value, &store, err));
    if (store == STORE_JKS)
        return refuse_value(prop, "Java's own format, JKS, cannot be read. Convert it: keytool -importkeystore -srckeystore F "
                                  "-destkeystore F.p12 -deststoretype PKCS12, and set kafka.ssl.keystore.type to PKCS12", err);
    if (store == STORE_PEM) {
        PS_TRY(set(job, prop, "ssl.certificate.location", value, err));
        return set(job, prop, "ssl.key.location", value, err);
    }
    PS_TRY(set(job, prop, "ssl.keystore.location", value, err));
    return password ? set(job, &password_prop, password_prop.name, password, err) : PS_OK;
}

static ps_status truststore(job *job, const prop *prop, const char *value, ps_error *err)
{
    store store;

    PS_TRY(store_of(job, "ssl.truststore.type", value, &store, err));
    if (store == STORE_JKS)
        return refuse_value(prop, "Java's own format, JKS, cannot be read. Convert it to PEM: keytool -exportcert -rfc -keystore F "
                                  "-alias A, for each certificate, and set kafka.ssl.truststore.type to PEM", err);
    if (store == STORE_PKCS12)
        return refuse_value(prop, "trusted certificates are read from PEM only. Convert it: openssl pkcs12 -in F -nokeys -out F.pem, "
                                  "and set kafka.ssl.truststore.type to PEM", err);
    return set(job, prop, target_of(prop), value, err);
}

/* --- the table -------------------------------------------------------------------------------------------------- */

static const prop props[] = {
#define PSI_PASS(name, who, target, fallback, secret, doc) {name, who, PASS, target, fallback, secret, 0, 0, NULL, 0},
#define PSI_NUMBER(name, who, target, lowest, highest, fallback, doc) {name, who, NUMBER, target, fallback, OPEN, lowest, highest, NULL, 0},
#define PSI_CALL(name, who, target, call, fallback, secret, doc) {name, who, CALL, target, fallback, secret, 0, 0, call, 0},
#define PSI_KEEP(name, who, field, fallback, doc) {name, who, KEEP, NULL, fallback, OPEN, 0, 0, NULL, offsetof(psi_props_kept, field)},
#define PSI_PART(name, who, secret, doc) {name, who, PART, NULL, NULL, secret, 0, 0, NULL, 0},
#define PSI_IGNORE(name, who, doc) {name, who, IGNORE, NULL, NULL, OPEN, 0, 0, NULL, 0},
#define PSI_REFUSE(name, who, rest, doc) {name, who, REFUSE, rest, NULL, OPEN, 0, 0, NULL, 0},
#include "kafka/props.def"
};

static bool names(const prop *prop, const char *name)
{
    size_t n = strlen(prop->name);

    return prop->name[n - 1] == '*' ? strncmp(prop->name, name, n - 1) == 0 : strcmp(prop->name, name) == 0;
}

/* The row of a lower-case name for this kind of client, else that of the other kind; NULL when it has none. */
static const prop *find(const char *name, who who)
{
    const prop *other = NULL;

    for (size_t i = 0; i < PS_COUNT_OF(props); i++) {
        if (!names(&props[i], name))
            continue;
        if (props[i].who & who)
            return &props[i];
        other = &props[i];
    }
    return other;
}

static ps_status apply_row(job *job, const prop *prop, const char *value, ps_error *err)
{
    int64_t number;

    switch (prop->action) {
    case PASS:
        return set(job, prop, target_of(prop), value, err);
    case NUMBER:
        PS_TRY(parse(prop, value, &number, err));
        return set_number(job, prop, target_of(prop), number, prop->lowest, prop->highest, err);
    case CALL:
        return prop->call(job, prop, value, err);
    case KEEP:
        return keep_time(job, prop, value, 0, (int64_t *)((char *)job->kept + prop->field), err);
    case REFUSE:
        return ps_raise(err, PS_E_KAFKA_FORBIDDEN, prop->name, prop->target);
    case PART:
    case IGNORE:
        break;
    }
    return PS_OK;
}

static ps_status apply_defaults(job *job, ps_error *err)
{
    job->defaults = true;
    for (size_t i = 0; i < PS_COUNT_OF(props); i++)
        if (props[i].fallback && (props[i].action == KEEP || props[i].who & job->who))
            PS_TRY(apply_row(job, &props[i], props[i].fallback, err));
    job->defaults = false;
    return PS_OK;
}

/* --- names without a row ---------------------------------------------------------------------------------------- */

static ps_status unknown(const char *name, ps_error *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_topic_conf_t *topic_conf = rd_kafka_topic_conf_new();
    size_t n, n_topic;
    const char **pairs = rd_kafka_conf_dump(conf, &n), **topic_pairs = rd_kafka_topic_conf_dump(topic_conf, &n_topic);
    ps_nearest nearest = {.wrong = name, .limit = 3};
    ps_status rc = ps_raise(err, PS_E_KAFKA_OPTION_UNKNOWN, name, rd_kafka_version_str());

    for (size_t i = 0; i < PS_COUNT_OF(props); i++)
        ps_nearest_offer(&nearest, props[i].name);
    for (size_t i = 0; i < n; i += 2)
        ps_nearest_offer(&nearest, pairs[i]);
    for (size_t i = 0; i < n_topic; i += 2)
        ps_nearest_offer(&nearest, topic_pairs[i]);
    if (nearest.name)
        ps_error_append(err, " Did you mean '%s'?", nearest.name);
    rd_kafka_conf_dump_free(pairs, n);
    rd_kafka_conf_dump_free(topic_pairs, n_topic);
    rd_kafka_topic_conf_destroy(topic_conf);
    rd_kafka_conf_destroy(conf);
    return rc;
}

/* librdkafka's own names are passed on. */
static ps_status apply_foreign(job *job, const char *name, const char *value, ps_error *err)
{
    prop prop = {.name = name, .who = BOTH, .action = PASS, .secret = psi_props_secret(name)};
    char reason[512];

    switch (rd_kafka_conf_set(job->conf, name, value, reason, sizeof reason)) {
    case RD_KAFKA_CONF_OK:
        return PS_OK;
    case RD_KAFKA_CONF_UNKNOWN:
        return unknown(name, err);
    default:
        return refuse_value(&prop, reason, err);
    }
}

static bool is_prefixed(const char *name)
{
    return ps_slice_equal_nocase((ps_slice){name, strnlen(name, strlen(PREFIX))}, ps_slice_of(PREFIX));
}

bool psi_props_secret(const char *name)
{
    static const char *const marks[] = {"password", "passphrase", "secret", "private.key", "token", ".pem"};
    char lower[128];
    const prop *prop;
    size_t n = 0;

    if (is_prefixed(name))
        name += strlen(PREFIX);
    for (; name[n] && n < sizeof lower - 1; n++)
        lower[n] = name[n] >= 'A' && name[n] <= 'Z' ? (char)(name[n] + 32) : name[n];
    lower[n] = '\0';
    prop = find(lower, BOTH);
    for (size_t i = 0; !prop && i < PS_COUNT_OF(marks); i++)
        if (strstr(lower, marks[i]))
            return true;
    return prop && prop->secret;
}

/* --- all of them ------------------------------------------------------------------------------------------------ */

/* Those that begin with "kafka.", without it; names in lower case, values trimmed as the Java client trims them. */
static ps_status gather(const ps_options *from, ps_options *to, ps_error *err)
{
    ps_bytes name = {0}, text = {0};
    ps_status rc = PS_OK;

    for (int i = 0; i < from->n; i++) {
        const char *key = from->items[i].key;
        ps_slice value = ps_slice_trimmed(ps_slice_of(from->items[i].value));

        if (!is_prefixed(key))
            continue;
        ps_bytes_reset(&name);
        ps_bytes_reset(&text);
        PS_TRY_OR(done, ps_bytes_text(&name, key + strlen(PREFIX), err));
        PS_TRY_OR(done, ps_bytes_append(&text, value.data, value.n_bytes, err));
        for (char *c = name.data; *c; c++)
            *c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
        PS_TRY_OR(done, ps_options_set(to, name.data, text.data, err));
    }
done:
    ps_bytes_clear(&name);
    ps_bytes_clear(&text);
    return rc;
}

static ps_status apply_given(job *job, ps_error *err)
{
    for (int i = 0; i < job->options->n; i++) {
        const char *name = job->options->items[i].key, *value = job->options->items[i].value;
        const prop *prop = find(name, job->who);

        if (!prop)
            continue;
        if (!(prop->who & job->who))
            warn(job, "The configuration '%s' was supplied but isn't a known config of a %s.", name,
                   job->who == CONSUMER ? "consumer" : "producer");
        else if (prop->action == IGNORE)
            warn(job, "Kafka option '%s' has no effect here.", name);
        else
            PS_TRY(apply_row(job, prop, value, err));
    }
    for (int i = 0; i < job->options->n; i++)
        if (!find(job->options->items[i].key, job->who))
            PS_TRY(apply_foreign(job, job->options->items[i].key, job->options->items[i].value, err));
    return PS_OK;
}

/* --- what goes together ------------------------------------------------------------------------------------------ */

static int64_t number_of(const job *job, const char *name)
{
    char text[64] = "";
    size_t size = sizeof text;

    return rd_kafka_conf_get(job->conf, name, text, &size) == RD_KAFKA_CONF_OK ? strtoll(text, NULL, 10) : 0;
}

static ps_status settle_number(job *job, const char *name, int64_t value, ps_error *err)
{
    prop prop = {.name = name};
    char text[24];

    snprintf(text, sizeof text, "%lld", (long long)value);
    return set(job, &prop, name, text, err);
}

/* Why the producer cannot be idempotent; NULL when it can.  The words are the Java client's. */
static const char *against_idempotence(const job *job)
{
    if (number_of(job, "acks") != -1)
        return "Must set acks to all in order to use the idempotent producer. Otherwise we cannot guarantee idempotence.";
    if (number_of(job, "retries") == 0)
        return "Must set retries to non-zero when using the idempotent producer.";
    if (number_of(job, "max.in.flight.requests.per.connection") > 5)
        return "Must set max.in.flight.requests.per.connection to at most 5 to use the idempotent producer.";
    return NULL;
}

/* Idempotence that nobody asked for gives way to what somebody did ask for, as in the Java client. */
static ps_status settle_idempotence(job *job, bool transactional, ps_error *err)
{
    const char *asked = given(job, "enable.idempotence"), *against = against_idempotence(job);
    char is[8] = "";
    size_t size = sizeof is;
    prop prop = {.name = "enable.idempotence"};

    rd_kafka_conf_get(job->conf, prop.name, is, &size);
    if (transactional && strcmp(is, "true") != 0)
        return ps_raise(err, PS_E_KAFKA_PROPERTIES, "Cannot write exactly once without also enabling idempotence.");
    if (!against || strcmp(is, "true") != 0)
        return PS_OK;
    if (asked || transactional)
        return ps_raise(err, PS_E_KAFKA_PROPERTIES, against);
    warn(job, "Idempotence is disabled: %s", against);
    return set(job, &prop, prop.name, "false", err);
}

/* librdkafka has no request and no message outlive a transaction; in Java they may, to no use. */
static ps_status settle_transaction(job *job, ps_error *err)
{
    int64_t most = number_of(job, "transaction.timeout.ms");

    if (number_of(job, "delivery.timeout.ms") > most) {
        if (given(job, "delivery.timeout.ms"))
            warn(job, "Kafka option 'delivery.timeout.ms' is taken as %lld, the transaction.timeout.ms.", (long long)most);
        job->kept->delivery_timeout_ms = most;
        PS_TRY(settle_number(job, "delivery.timeout.ms", most, err));
    }
    return number_of(job, "socket.timeout.ms") > most ? settle_number(job, "socket.timeout.ms", most, err) : PS_OK;
}

static ps_status settle(job *job, bool transactional, ps_error *err)
{
    int64_t pause = number_of(job, "reconnect.backoff.ms"), answer = number_of(job, "fetch.max.bytes");

    if (number_of(job, "reconnect.backoff.max.ms") < pause)
        PS_TRY(settle_number(job, "reconnect.backoff.max.ms", pause, err));
    if (job->who == CONSUMER) /* librdkafka wants an answer to have room for a message of message.max.bytes, a producer's limit */
        return answer < number_of(job, "message.max.bytes") ? settle_number(job, "message.max.bytes", answer, err) : PS_OK;
    PS_TRY(settle_idempotence(job, transactional, err));
    if (!given(job, "topic.metadata.propagation.max.ms")) /* how long a topic that is not there may yet come: Java has one time for all that blocks */
        PS_TRY(settle_number(job, "topic.metadata.propagation.max.ms", job->kept->max_block_ms < 3600000 ? job->kept->max_block_ms : 3600000, err));
    return transactional ? settle_transaction(job, err) : PS_OK;
}

ps_status psi_props_apply(const ps_options *options, bool producer, bool quiet, rd_kafka_conf_t *conf, psi_props_kept *kept, ps_error *err)
{
    ps_options own = {0};
    job job = {.options = &own, .conf = conf, .kept = kept, .who = producer ? PRODUCER : CONSUMER, .quiet = quiet};
    bool transactional;
    ps_status rc;

    *kept = (psi_props_kept){0};
    PS_TRY(ps_options_bool(options, EXACTLY_ONCE, false, &transactional, err));
    PS_TRY_OR(done, gather(options, &own, err));
    PS_TRY_OR(done, apply_defaults(&job, err));
    PS_TRY_OR(done, apply_given(&job, err));
    rc = settle(&job, transactional, err);
done:
    ps_options_clear(&own);
    return rc;
}

ps_status psi_props_forbidden(const ps_options *options, bool producer, ps_error *err)
{
    for (size_t i = 0; i < PS_COUNT_OF(props); i++) {
        char key[128];

        if (props[i].action != REFUSE || !(props[i].who & (producer ? PRODUCER : CONSUMER)))
            continue;
        snprintf(key, sizeof key, PREFIX "%s", props[i].name);
        if (ps_options_get(options, key))
            return ps_raise(err, PS_E_KAFKA_FORBIDDEN, props[i].name, props[i].target);
    }
    return PS_OK;
}
