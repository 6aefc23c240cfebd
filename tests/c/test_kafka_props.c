/*
 * tests/c/test_kafka_props.c - the Java client's properties in librdkafka's terms, and what is told of them.
 */
#include "unit.h"
#include "base/logger.h"
#include "kafka/jaas.h"
#include "kafka/props.h"
#include <stdlib.h>
#include <unistd.h>

static rd_kafka_conf_t *conf;
static psi_props_kept kept;
static bool quiet;
static char told[4096]; /* the warnings of the last apply(), a line each */

static void tell(ps_log_level level, const char *name, const char *text)
{
    assert_int_equal(level, PS_LOG_WARNING);
    assert_string_equal(name, "pystream.kafka");
    snprintf(told + strlen(told), sizeof told - strlen(told), "%s\n", text);
}

static ps_status apply_options(bool producer, const ps_options *options)
{
    if (conf)
        rd_kafka_conf_destroy(conf);
    conf = rd_kafka_conf_new();
    *told = '\0';
    return psi_props_apply(options, producer, quiet, conf, &kept, &err);
}

/* Names and values in turn, ended by NULL. */
static ps_status apply(bool producer, const char *const *pairs)
{
    ps_options options = {0};
    ps_status rc;

    for (; *pairs; pairs += 2)
        OK(ps_options_set(&options, pairs[0], pairs[1], &err));
    rc = apply_options(producer, &options);
    ps_options_clear(&options);
    return rc;
}
#define CONSUMER(...) apply(false, (const char *const[]){__VA_ARGS__ __VA_OPT__(,) NULL})
#define PRODUCER(...) apply(true, (const char *const[]){__VA_ARGS__ __VA_OPT__(,) NULL})

static const char *of(const char *name)
{
    static char text[8192];
    size_t size = sizeof text;

    return rd_kafka_conf_get(conf, name, text, &size) == RD_KAFKA_CONF_OK ? text : "-";
}
#define IS(name, expected) assert_string_equal(of(name), (expected))
#define TOLD(text) assert_non_null(strstr(told, (text)))

/* librdkafka takes the whole of it. */
static void starts(bool producer)
{
    char reason[512];
    rd_kafka_t *rk = rd_kafka_new(producer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER, conf, reason, sizeof reason);

    if (!rk)
        fail_msg("%s", reason);
    conf = NULL;
    rd_kafka_destroy(rk);
}

static void defaults_are_java_s(void **state)
{
    (void)state;
    OK(CONSUMER());
    IS("isolation.level", "read_uncommitted");
    IS("check.crcs", "true");
    IS("socket.timeout.ms", "30000");
    IS("reconnect.backoff.ms", "50");
    IS("socket.nagle.disable", "true");
    assert_int_equal(kept.api_timeout_ms, 60000);
    assert_string_equal(told, "");
    starts(false);
    OK(PRODUCER());
    IS("partitioner", "murmur2_random");
    IS("enable.idempotence", "true");
    IS("acks", "-1");
    IS("delivery.timeout.ms", "120000");
    IS("request.timeout.ms", "30000");
    IS("queue.buffering.max.kbytes", "32768");
    IS("queue.buffering.max.messages", "524288");
    IS("message.max.bytes", "1048576");
    assert_int_equal(kept.delivery_timeout_ms, 120000);
    assert_int_equal(kept.max_block_ms, 60000);
    assert_string_equal(told, "");
    starts(true);
}

/* This librdkafka has all that it can be built with: it takes each of our defaults, or is too old to know the name. */
static void every_default_is_taken(void **state)
{
    static const char *const pairs[][2] = {
#define PSI_PASS(name, who, target, fallback, secret, doc) {(const char *)(target) ? (const char *)(target) : name, fallback},
#define PSI_NUMBER(name, who, target, lowest, highest, fallback, doc) {(const char *)(target) ? (const char *)(target) : name, fallback},
#define PSI_CALL(name, who, target, call, fallback, secret, doc)
#define PSI_KEEP(name, who, field, fallback, doc)
#define PSI_PART(name, who, secret, doc)
#define PSI_IGNORE(name, who, doc)
#define PSI_REFUSE(name, who, rest, doc)
#include "kafka/props.def"
    };
    rd_kafka_conf_t *plain = rd_kafka_conf_new();
    char reason[512];

    (void)state;
    for (size_t i = 0; i < PS_COUNT_OF(pairs); i++)
        if (pairs[i][1] && rd_kafka_conf_set(plain, pairs[i][0], pairs[i][1], reason, sizeof reason) == RD_KAFKA_CONF_INVALID)
            fail_msg("%s", reason);
    rd_kafka_conf_destroy(plain);
}

static void names_are_translated(void **state)
{
    (void)state;
    OK(CONSUMER("KAFKA.Fetch.Max.Wait.ms", " 7 ", "kafka.receive.buffer.bytes", "4096", "kafka.request.timeout.ms", "900000",
                "kafka.send.buffer.bytes", "-1", "subscribe", "t", "kafka.fetch.max.bytes", "5000", "kafka.default.api.timeout.ms", "9",
                "kafka.socket.max.fails", "3"));
    IS("fetch.wait.max.ms", "7");
    IS("socket.receive.buffer.bytes", "4096");
    IS("socket.send.buffer.bytes", "0");
    IS("socket.timeout.ms", "300000");
    IS("socket.max.fails", "3");
    IS("message.max.bytes", "5000");
    TOLD("Kafka option 'request.timeout.ms' is taken as 300000");
    assert_null(strstr(told, "send.buffer"));
    assert_int_equal(kept.api_timeout_ms, 9);
    starts(false);
    OK(PRODUCER("kafka.buffer.memory", "10485760", "kafka.max.block.ms", "5", "kafka.compression.type", "lz4", "kafka.compression.lz4.level",
                "9", "kafka.compression.gzip.level", "1", "kafka.partitioner.ignore.keys", "true", "kafka.request.timeout.ms", "40000",
                "kafka.reconnect.backoff.ms", "5000", "kafka.linger.ms", "3", "kafka.queue.buffering.max.messages", "77"));
    IS("queue.buffering.max.kbytes", "10240");
    IS("queue.buffering.max.messages", "77");
    IS("compression.type", "lz4");
    IS("compression.level", "9");
    IS("partitioner", "random");
    IS("socket.timeout.ms", "40000");
    IS("reconnect.backoff.max.ms", "5000");
    assert_int_equal(kept.max_block_ms, 5);
    assert_string_equal(told, "");
    starts(true);
}

/* Java's longest times are no int. */
static void times_fit_an_int(void **state)
{
    (void)state;
    OK(PRODUCER("kafka.max.block.ms", "9223372036854775807", "kafka.delivery.timeout.ms", "9223372036854775807"));
    assert_int_equal(kept.max_block_ms, INT32_MAX);
    assert_int_equal(kept.delivery_timeout_ms, INT32_MAX);
    TOLD("Kafka option 'max.block.ms' is taken as 2147483647");
    OK(PRODUCER("kafka.max.block.ms", "-5"));
    assert_int_equal(kept.max_block_ms, 0);
}

static void what_has_no_effect_is_told_once(void **state)
{
    (void)state;
    OK(CONSUMER("kafka.max.poll.records", "5", "kafka.metric.reporters", "x", "kafka.metrics.num.samples", "2", "kafka.acks", "0",
                "kafka.ssl.protocol", "TLS"));
    TOLD("Kafka option 'max.poll.records' has no effect here.");
    TOLD("'metric.reporters'");
    TOLD("'metrics.num.samples'");
    TOLD("The configuration 'acks' was supplied but isn't a known config of a consumer.");
    assert_string_not_equal(of("acks"), "0");
    quiet = true; /* another client has told it */
    OK(CONSUMER("kafka.max.poll.records", "5", "kafka.acks", "0", "kafka.request.timeout.ms", "900000"));
    quiet = false;
    assert_string_equal(told, "");
    IS("socket.timeout.ms", "300000");
}

static void refused_with_what_to_write(void **state)
{
    ps_options options = {0};

    (void)state;
    FAILS(KAFKA_FORBIDDEN, CONSUMER("kafka.auto.offset.reset", "earliest"));
    HAS("Instead set the source option 'startingoffsets'");
    FAILS(KAFKA_FORBIDDEN, CONSUMER("kafka.enable.auto.commit", "true"));
    assert_string_equal(err.message, "Kafka option 'enable.auto.commit' is not supported");
    FAILS(KAFKA_FORBIDDEN, PRODUCER("kafka.transactional.id", "x"));
    HAS("pystream.kafka.exactlyOnce");
    FAILS(KAFKA_FORBIDDEN, PRODUCER("kafka.key.serializer", "x"));
    OK(ps_options_set(&options, "Kafka.Value.Deserializer", "x", &err));
    FAILS(KAFKA_FORBIDDEN, psi_props_forbidden(&options, false, &err));
    OK(psi_props_forbidden(&options, true, &err));
    ps_options_clear(&options);
    FAILS(KAFKA_OPTION_UNKNOWN, CONSUMER("kafka.bootstrap.server", "x"));
    HAS("'bootstrap.server'");
    HAS("Did you mean 'bootstrap.servers'?");
    FAILS(KAFKA_OPTION_UNKNOWN, CONSUMER("kafka.sasl.usernam", "x"));
    HAS("Did you mean 'sasl.username'?");
    FAILS(KAFKA_OPTION_UNKNOWN, CONSUMER("kafka.something.else.entirely", "x"));
    assert_null(strstr(err.message, "mean"));
    FAILS(KAFKA_OPTION_VALUE, CONSUMER("kafka.fetch.min.bytes", "many"));
    HAS("Invalid value of Kafka option 'fetch.min.bytes': it is not a whole number");
    FAILS(KAFKA_OPTION_VALUE, PRODUCER("kafka.compression.type", "zip"));
    HAS("zip");
}

static void idempotence_gives_way_as_in_java(void **state)
{
    (void)state;
    OK(PRODUCER("kafka.acks", "1"));
    IS("enable.idempotence", "false");
    TOLD("Idempotence is disabled");
    starts(true);
    OK(PRODUCER("kafka.message.send.max.retries", "0"));
    IS("enable.idempotence", "false");
    FAILS(KAFKA_PROPERTIES, PRODUCER("kafka.max.in.flight.requests.per.connection", "6", "kafka.enable.idempotence", "true"));
    HAS("at most 5");
    OK(PRODUCER("kafka.acks", "-1", "kafka.enable.idempotence", "true"));
    starts(true);
    FAILS(KAFKA_PROPERTIES, PRODUCER("kafka.acks", "1", "pystream.kafka.exactlyOnce", "true"));
    FAILS(KAFKA_PROPERTIES, PRODUCER("kafka.enable.idempotence", "false", "pystream.kafka.exactlyOnce", "true"));
}

static void nothing_outlives_a_transaction(void **state)
{
    char reason[512];

    (void)state;
    OK(PRODUCER("pystream.kafka.exactlyOnce", "true"));
    assert_int_equal(kept.delivery_timeout_ms, 60000);
    assert_string_equal(told, "");
    assert_int_equal(rd_kafka_conf_set(conf, "transactional.id", "x", reason, sizeof reason), RD_KAFKA_CONF_OK);
    starts(true);
    OK(PRODUCER("pystream.kafka.exactlyOnce", "true", "kafka.transaction.timeout.ms", "5000", "kafka.delivery.timeout.ms", "70000"));
    assert_int_equal(kept.delivery_timeout_ms, 5000);
    TOLD("'delivery.timeout.ms' is taken as 5000");
    assert_int_equal(rd_kafka_conf_set(conf, "transactional.id", "x", reason, sizeof reason), RD_KAFKA_CONF_OK);
    starts(true);
}

#define PLAIN "org.apache.kafka.common.security.plain.PlainLoginModule required "
static void login_modules(void **state)
{
    (void)state;
    OK(CONSUMER("kafka.sasl.mechanism", "PLAIN", "kafka.security.protocol", "SASL_PLAINTEXT", "kafka.sasl.jaas.config",
                PLAIN "username=\"ann\" /* who */ password='p\\'\"q\\u \\101;= ' ; // end"));
    IS("sasl.username", "ann");
    IS("sasl.password", "p'\"qu A;= ");
    starts(false);
    OK(CONSUMER("kafka.sasl.jaas.config", "kafkashaded.org.x.ScramLoginModule REQUIRED username=a.b-c_1 password=x;"));
    IS("sasl.username", "a.b-c_1");
    OK(CONSUMER("kafka.sasl.jaas.config", "com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true keyTab=\"/k t\" "
                                          "principal=\"me@X\" serviceName='kfk';"));
    IS("sasl.kerberos.keytab", "/k t");
    IS("sasl.kerberos.principal", "me@X");
    IS("sasl.kerberos.service.name", "kfk");
    FAILS(KAFKA_FORBIDDEN, CONSUMER("kafka.sasl.login.callback.handler.class", "com.x.MyHandler"));
}

static ps_status note(void *self, const char *name, const char *value, ps_error *e)
{
    return ps_bytes_printf(self, e, "%s=%s\n", name, value);
}

/* Read without librdkafka, which is not always built with OIDC. */
static void oauth_becomes_oidc(void **state)
{
    ps_bytes noted = {0};

    (void)state;
    OK(psi_jaas_read("x.OAuthBearerLoginModule required clientId='c' clientSecret='s' scope='r' extension_a='1' extension_b='2';", note,
                     &noted, &err));
    TEXT(&noted, "sasl.oauthbearer.client.id=c\nsasl.oauthbearer.client.secret=s\nsasl.oauthbearer.scope=r\n"
                 "sasl.oauthbearer.method=oidc\nsasl.oauthbearer.extensions=a=1,b=2\n");
    ps_bytes_clear(&noted);
}

static void errors_show_no_secret(void **state)
{
    static const char *const broken[] = {
        PLAIN "username=\"ann\" password=\"geheim\"",
        PLAIN "username=\"ann\" password=\"geheim;",
        PLAIN "username=\"ann\" password=\"ge\"geheim\";",
        PLAIN "username=\"ann\" password=geheim!;",
        PLAIN "password=geheim;",
        PLAIN "username geheim;",
        PLAIN "username=ann password=geheim; " PLAIN "username=b password=geheim;",
        "geheim",
        "x.geheimModule required a=b;",
        "PlainLoginModule geheim a=b;",
        "PlainLoginModule required =geheim;",
        "PlainLoginModule required username=a password=\"geheim\\0\";",
        "ScramLoginModule required username=a password=geheim tokenauth=true;",
        "",
        ";",
        "/* geheim",
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT_OF(broken); i++) {
        FAILS(KAFKA_JAAS, CONSUMER("kafka.sasl.jaas.config", broken[i]));
        assert_null(strstr(err.message, "geheim"));
        assert_null(strstr(told, "geheim"));
    }
    FAILS(KAFKA_OPTION_VALUE, CONSUMER("kafka.ssl.keystore.key", "geheim"));
    assert_null(strstr(err.message, "geheim"));
    assert_true(psi_props_secret("kafka.sasl.jaas.config"));
    assert_true(psi_props_secret("Kafka.SASL.jaas.config"));
    assert_true(psi_props_secret("SASL.Password"));
    assert_true(psi_props_secret("kafka.ssl.truststore.password"));
    assert_true(psi_props_secret("kafka.sasl.oauthbearer.assertion.private.key.passphrase"));
    assert_false(psi_props_secret("kafka.bootstrap.servers"));
    assert_false(psi_props_secret("kafka.sasl.oauthbearer.token.endpoint.url"));
}

/* A file of some bytes; its name is good until the next one. */
static const char *file(const void *data, size_t n_bytes)
{
    static char path[64];
    int fd;

    strcpy(path, "/tmp/ps_kafka_props_XXXXXX");
    fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, data, n_bytes) == (ssize_t)n_bytes);
    close(fd);
    return path;
}

static void stores(void **state)
{
    const char *path = file("-----BEGIN", 10);

    (void)state;
    OK(CONSUMER("kafka.ssl.truststore.location", "/ca.pem", "kafka.ssl.truststore.type", "PEM", "kafka.ssl.keystore.location", path,
                "kafka.ssl.key.password", "x"));
    IS("ssl.ca.location", "/ca.pem");
    IS("ssl.certificate.location", path);
    IS("ssl.key.location", path);
    unlink(path);
    path = file("\xfe\xed\xfe\xed", 4);
    FAILS(KAFKA_OPTION_VALUE, CONSUMER("kafka.ssl.truststore.location", path, "kafka.ssl.truststore.password", "x"));
    HAS("keytool -exportcert");
    FAILS(KAFKA_OPTION_VALUE, CONSUMER("kafka.ssl.keystore.location", path, "kafka.ssl.keystore.type", "jks"));
    HAS("-deststoretype PKCS12");
    unlink(path);
    path = file("\x30\x82\x01\x02", 4);
    OK(CONSUMER("kafka.ssl.keystore.location", path, "kafka.ssl.keystore.password", "pw"));
    IS("ssl.keystore.location", path);
    IS("ssl.keystore.password", "pw");
    FAILS(KAFKA_OPTION_VALUE, CONSUMER("kafka.ssl.truststore.location", path));
    HAS("openssl pkcs12");
    unlink(path);
    FAILS(FILE_NOT_FOUND, CONSUMER("kafka.ssl.truststore.location", path));
    FAILS(KAFKA_OPTION_VALUE, CONSUMER("kafka.ssl.truststore.location", path, "kafka.ssl.truststore.type", "BKS"));
    HAS("'ssl.truststore.type'");
}

static void host_names(void **state)
{
    (void)state;
    OK(CONSUMER("kafka.ssl.endpoint.identification.algorithm", " "));
    IS("ssl.endpoint.identification.algorithm", "none");
    OK(CONSUMER("kafka.ssl.endpoint.identification.algorithm", "https"));
    IS("ssl.endpoint.identification.algorithm", "https");
}

#define BASE64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
static void pem_in_one_line(void **state)
{
    (void)state;
    OK(CONSUMER("kafka.ssl.truststore.certificates",
                "-----BEGIN CERTIFICATE----- " BASE64 "xy== -----END CERTIFICATE----- -----BEGIN CERTIFICATE-----\nab\ncd\n-----END CERTIFICATE-----"));
    IS("ssl.ca.pem", "-----BEGIN CERTIFICATE-----\n" BASE64 "\nxy==\n-----END CERTIFICATE-----\n"
                     "-----BEGIN CERTIFICATE-----\nab\ncd\n-----END CERTIFICATE-----\n");
    FAILS(KAFKA_OPTION_VALUE, CONSUMER("kafka.ssl.truststore.certificates", "-----BEGIN CERTIFICATE-----abc"));
}

static void memory_may_end_anywhere(void **state)
{
    ps_options options = {0};

    (void)state;
    OK(ps_options_set(&options, "kafka.bootstrap.servers", "x", &err));
    OK(ps_options_set(&options, "kafka.sasl.jaas.config", PLAIN "username=\"ann\" password=\"b\";", &err));
    OK(ps_options_set(&options, "kafka.ssl.keystore.key", "-----BEGIN PRIVATE KEY----- ab -----END PRIVATE KEY-----", &err));
    EVERY_ALLOCATION(apply_options(true, &options), );
    ps_options_clear(&options);
}

static int clean(void **state)
{
    (void)state;
    if (conf)
        rd_kafka_conf_destroy(conf);
    conf = NULL;
    ps_logger_set(NULL);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_java_s),
        cmocka_unit_test(every_default_is_taken),
        cmocka_unit_test(names_are_translated),
        cmocka_unit_test(times_fit_an_int),
        cmocka_unit_test(what_has_no_effect_is_told_once),
        cmocka_unit_test(refused_with_what_to_write),
        cmocka_unit_test(idempotence_gives_way_as_in_java),
        cmocka_unit_test(nothing_outlives_a_transaction),
        cmocka_unit_test(login_modules),
        cmocka_unit_test(oauth_becomes_oidc),
        cmocka_unit_test(errors_show_no_secret),
        cmocka_unit_test(stores),
        cmocka_unit_test(host_names),
        cmocka_unit_test(pem_in_one_line),
        cmocka_unit_test(memory_may_end_anywhere),
    };

    ps_logger_set(tell);
    return cmocka_run_group_tests(tests, NULL, clean);
}
