"""Brokers that ask who comes: SASL, TLS, and secrets that are nowhere to be read (D.8)."""
import contextlib
import io
import logging
import time

import pytest
from certificates import PASSWORD
from judge import Judge, wait_until
from pystream.errors import StreamingQueryException
from queries import Kafka

pytestmark = pytest.mark.ours
SECRET = "wonder-land-7"
PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule"
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"
EARLIEST = {"startingOffsets": "earliest"}


def jaas(module: str, user: str = "alice", password: str = SECRET) -> str:
    return f'{module} required username="{user}" password="{password}";'


def sasl(mechanism: str, config: str | None = None, protocol: str = "SASL_PLAINTEXT") -> dict:
    module = PLAIN if mechanism == "PLAIN" else SCRAM
    return {"kafka.security.protocol": protocol, "kafka.sasl.mechanism": mechanism,
            "kafka.sasl.jaas.config": config or jaas(module)}


@pytest.fixture
def secure(spark, secure_broker, tmp_path):
    """Makes a Kafka of one of the secure broker's listeners."""
    made = []

    def at(listener: str) -> Kafka:
        made.append(Kafka(spark, secure_broker.address(listener), tmp_path / f"{listener}-{len(made)}"))
        return made[-1]
    yield at
    for one in made:
        one.close()


@pytest.fixture(scope="module")
def insider(secure_broker):
    return Judge(secure_broker.bootstrap)


@pytest.fixture
def filled(insider, new_name):
    name = insider.create(new_name())
    insider.produce(name, "a", "b")
    return name


def round_trip(kafka, insider, filled, new_name, **options) -> None:
    """Reads, streams, and writes with these options."""
    assert kafka.values(subscribe=filled, **options) == ["a", "b"]
    target = insider.create(new_name())
    query = kafka.write_stream(kafka.stream(subscribe=filled, **EARLIEST, **options), topic=target, **options)
    query.processAllAvailable()
    query.stop()
    assert insider.values(target) == ["a", "b"]


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_sasl(secure, insider, filled, new_name, mechanism):
    round_trip(secure("SASL"), insider, filled, new_name, **sasl(mechanism))


def test_sasl_by_librdkafkas_own_names(secure, insider, filled, new_name):
    round_trip(secure("SASL"), insider, filled, new_name,
               **{"kafka.security.protocol": "SASL_PLAINTEXT", "kafka.sasl.mechanism": "PLAIN",
                  "kafka.sasl.username": "alice", "kafka.sasl.password": SECRET})


def test_exactly_once_with_sasl(secure, insider, filled, new_name):
    kafka, target, options = secure("SASL"), insider.create(new_name()), sasl("SCRAM-SHA-256")
    kafka.write_stream(kafka.stream(subscribe=filled, **EARLIEST, **options), topic=target,
                       **{"pystream.kafka.exactlyOnce": "true"}, **options).processAllAvailable()
    assert insider.values(target) == ["a", "b"]


def tls(certificates, protocol: str = "SSL") -> dict:
    return {"kafka.security.protocol": protocol, "kafka.ssl.truststore.type": "PEM",
            "kafka.ssl.truststore.location": certificates / "ca.pem"}


def test_tls(secure, insider, filled, new_name, certificates):
    round_trip(secure("SSL"), insider, filled, new_name, **tls(certificates))


def test_tls_with_certificates_in_the_options(secure, insider, filled, new_name, certificates):
    round_trip(secure("SSL"), insider, filled, new_name,
               **{"kafka.security.protocol": "SSL", "kafka.ssl.truststore.type": "PEM",
                  "kafka.ssl.truststore.certificates": (certificates / "ca.pem").read_text()})


def test_sasl_over_tls(secure, insider, filled, new_name, certificates):
    round_trip(secure("SASLSSL"), insider, filled, new_name,
               **{**sasl("SCRAM-SHA-512"), **tls(certificates, "SASL_SSL")})


KEYSTORES = {
    "pem": lambda at: {"kafka.ssl.keystore.type": "PEM", "kafka.ssl.keystore.location": at / "client.pem"},
    "pkcs12": lambda at: {"kafka.ssl.keystore.type": "PKCS12", "kafka.ssl.keystore.location": at / "client.p12",
                          "kafka.ssl.keystore.password": PASSWORD},
    "in the options": lambda at: {"kafka.ssl.keystore.type": "PEM",
                                  "kafka.ssl.keystore.certificate.chain": (at / "client.crt").read_text(),
                                  "kafka.ssl.keystore.key": (at / "client.key").read_text()},
}


@pytest.mark.parametrize("kind", KEYSTORES)
def test_client_certificates(secure, insider, filled, new_name, certificates, kind):
    round_trip(secure("MUTUAL"), insider, filled, new_name, **tls(certificates), **KEYSTORES[kind](certificates))


def test_a_stranger_is_not_trusted(secure, filled, certificates):
    options = {**tls(certificates), "kafka.ssl.truststore.location": certificates / "stranger.pem"}
    with pytest.raises(Exception, match="(?i)certificate|ssl"):
        secure("SSL").values(subscribe=filled, **options, **QUICK)


#: So that a test of what cannot succeed does not last a minute.
QUICK = {"kafka.default.api.timeout.ms": 5000, "kafka.request.timeout.ms": 3000, "fetchOffset.numRetries": 1}


def test_a_refusal_that_is_over_is_none(gated, certificates):
    """The client was turned away between two triggers, and is connected again when the second one comes."""
    gate, kafka, judge = gated
    judge.create("t")
    judge.produce("t", "a")
    follower = kafka.follow(subscribe="t", trigger={"processingTime": "10 seconds"}, **EARLIEST, **tls(certificates))
    assert follower.settle() == ["a"]
    wait_until(lambda: 0.3 < time.time() % 10 < 1, what="the moment after a trigger")
    gate.refuse()
    wait_until(lambda: gate.turned_away >= 2, what="an attempt of both clients")
    gate.passed = 0
    gate.reopen()
    wait_until(lambda: gate.passed >= 2, what="their connections")
    gate.delay = 0.1  # long enough for what librdkafka said in the meantime to be heard
    judge.produce("t", "b")
    assert follower.settle() == ["b"]


def test_a_refusal_that_lasts_ends_the_query(gated, certificates):
    gate, kafka, judge = gated
    judge.create("t")
    judge.produce("t", "a")
    follower = kafka.follow(subscribe="t", **EARLIEST, **tls(certificates))
    assert follower.settle() == ["a"]
    gate.refuse()
    with pytest.raises(StreamingQueryException, match="The Kafka brokers refuse this client: .*(?i:ssl)"):
        wait_until(lambda: follower.query.exception() or None, what="the failure")
        follower.query.awaitTermination(1)


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256"])
def test_a_wrong_password_is_told(secure, filled, mechanism):
    module = PLAIN if mechanism == "PLAIN" else SCRAM
    with pytest.raises(Exception, match="(?i)authentication|sasl") as caught:
        secure("SASL").values(subscribe=filled, **sasl(mechanism, jaas(module, password="a-wrong-secret")), **QUICK)
    assert "a-wrong-secret" not in str(caught.value)


def test_who_may_not_read_is_told(secure, filled):
    """bob is known, and may do nothing."""
    with pytest.raises(Exception, match="(?i)authoriz|not authorized|authorisation"):
        secure("SASL").values(subscribe=filled, **sasl("PLAIN", jaas(PLAIN, "bob", "builder-secret-9")), **QUICK)


def test_who_may_not_write_is_told(secure, filled):
    kafka = secure("SASL")
    with pytest.raises(Exception, match="(?i)authoriz|not authorized|authorisation"):
        kafka.write(kafka.spark.sql("SELECT 'a' AS value"), topic=filled, kafka_max_block_ms=5000,
                    **sasl("PLAIN", jaas(PLAIN, "bob", "builder-secret-9")))


def test_a_plain_client_at_a_sasl_listener_is_told(secure, filled):
    with pytest.raises(Exception, match="(?i)timed out|disconnect|sasl|transport"):
        secure("SASL").values(subscribe=filled, **QUICK)


def everything_said(kafka, filled, options, capfd, caplog) -> str:
    """Logs, progress, plans, errors, what a DataFrame, reader and query say of themselves."""
    said = []
    with caplog.at_level(logging.DEBUG):
        df = kafka.stream(subscribe=filled, **EARLIEST, **options)
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            df.explain(True)
            df.printSchema()
        said += [out.getvalue(), repr(df), str(df)]
        query = kafka.write_stream(df, topic=filled + "-nowhere", kafka_max_block_ms=2000, kafka_delivery_timeout_ms=3000,
                                   kafka_request_timeout_ms=2000, **options)
        try:
            query.processAllAvailable()
        except Exception as error:
            said.append(str(error) + repr(error))
        said += [str(query.exception()), str(query.lastProgress), str(query.recentProgress), str(query.status), repr(query)]
        with contextlib.redirect_stdout(out):
            query.explain(True)
        said.append(out.getvalue())
        checkpoint = kafka.folder
        said += [path.read_text("utf-8", "replace") for path in checkpoint.rglob("*") if path.is_file()]
    streams = capfd.readouterr()
    return "\n".join([*said, streams.out, streams.err, *(record.getMessage() for record in caplog.records)])


def test_secrets_are_nowhere(secure, filled, certificates, capfd, caplog):
    key = (certificates / "client.key").read_text().splitlines()[2]
    for listener, secret, options in (("SASL", SECRET, sasl("PLAIN")), ("MUTUAL", PASSWORD, KEYSTORES["pkcs12"](certificates)),
                                      ("MUTUAL", key, KEYSTORES["in the options"](certificates))):
        options = {**(tls(certificates) if listener == "MUTUAL" else {}), **options, "kafka.debug": "security,broker,conf"}
        said = everything_said(secure(listener), filled, options, capfd, caplog)
        lines = [line for line in said.splitlines() if secret in line]
        assert not lines and "KafkaV2" in said


@pytest.mark.parametrize("config", [
    f'{PLAIN} required username="alice" password="{SECRET}"', f'{PLAIN} required username="alice" password="{SECRET};',
    f'{PLAIN} sometimes username="alice" password="{SECRET}";', f'{PLAIN} required password="{SECRET}";',
    f'com.x.Other required username="alice" password="{SECRET}";', f'{PLAIN} required username=alice password="{SECRET}" =;',
])
def test_errors_of_the_login_keep_its_secret(secure, filled, config):
    with pytest.raises(Exception) as caught:
        secure("SASL").values(subscribe=filled, **sasl("PLAIN", config), **QUICK)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("key", ["kafka.sasl.pasword", "kafka.ssl.keystore.pasword", "kafka.ssl.key.pasword"])
def test_a_misspelt_secret_is_not_repeated(secure, filled, key):
    with pytest.raises(Exception, match="pasword") as caught:
        secure("SASL").values(subscribe=filled, **sasl("PLAIN"), **{key: SECRET})
    assert SECRET not in str(caught.value)
