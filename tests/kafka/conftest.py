"""A broker per session, topics of one test, queries between them (see README.md here)."""
from __future__ import annotations

import itertools
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import broker as brokers  # noqa: E402
import queries  # noqa: E402

NUMBERS = itertools.count(1)
USERS = {"alice": "wonder-land-7", "bob": "builder-secret-9"}  # bob may do nothing


def need_broker() -> None:
    if why := brokers.missing():
        pytest.skip(why)


@pytest.fixture(scope="session")
def broker():
    need_broker()
    with brokers.Broker() as running:
        yield running


@pytest.fixture(scope="session")
def judge(broker):
    from judge import Judge
    return Judge(broker.bootstrap)


@pytest.fixture
def own_broker():
    """A broker of this test alone: it may be killed, frozen, and started again."""
    need_broker()
    with brokers.Broker() as running:
        yield running


@pytest.fixture
def mock():
    from mock import MockCluster
    with MockCluster(brokers=2) as cluster:
        yield cluster


@pytest.fixture
def new_name(request):
    """Makes names that no other test has."""
    stem = request.node.name.replace("[", "-").rstrip("]").removeprefix("test_").replace("_", "-")
    stem = "".join(c if c.isalnum() or c == "-" else "-" for c in stem)[:80]
    return lambda: f"{stem}-{next(NUMBERS)}"


@pytest.fixture
def topic(judge, new_name):
    """Makes topics: topic(partitions=3, cleanup_policy="compact")."""
    return lambda partitions=1, **config: judge.create(new_name(), partitions, **config)


def pytest_configure(config):
    config.addinivalue_line("markers", "ours: says what this engine adds or words its own way; not run on real Spark")


def pytest_collection_modifyitems(items):
    if queries.ON_SPARK:
        for item in items:
            if item.get_closest_marker("ours"):
                item.add_marker(pytest.mark.skip(reason="of this engine alone"))


@pytest.fixture(scope="session")
def spark():
    return queries.make_session()


@pytest.fixture
def kafka(spark, broker, tmp_path):
    """Reads and writes the broker's topics; stops what it started."""
    made = queries.Kafka(spark, broker.bootstrap, tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    import certificates as made
    return made.make(tmp_path_factory.mktemp("certificates"))


def plain_module(users: dict[str, str]) -> str:
    known = " ".join(f'user_{name}="{password}"' for name, password in users.items())
    return f"org.apache.kafka.common.security.plain.PlainLoginModule required {known};"


@pytest.fixture(scope="session")
def secure_broker(certificates):
    """Listeners SASL, SSL, SASLSSL and MUTUAL (a client certificate is asked for) beside PLAINTEXT; only alice, the client
    certificate and who comes without a name may do anything.  Of the old line: librdkafka before 2.6.1 repeats its part of the
    nonce, which SCRAM of 4.x refuses."""
    need_broker()
    keys = {"keystore.type": "PEM", "keystore.location": certificates / "server.pem",
            "truststore.type": "PEM", "truststore.location": certificates / "ca.pem"}
    properties = {
        "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS;User:alice;User:CN=client",
        "listener.name.mutual.ssl.client.auth": "required",
        **{f"ssl.{key}": value for key, value in keys.items()},
    }
    for listener in ("sasl", "saslssl"):
        properties[f"listener.name.{listener}.plain.sasl.jaas.config"] = plain_module(USERS)
        for mechanism in ("scram-sha-256", "scram-sha-512"):
            properties[f"listener.name.{listener}.{mechanism}.sasl.jaas.config"] = \
                "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    scram = [part for name, password in USERS.items() for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512")
             for part in ("--add-scram", f"{mechanism}=[name={name},password={password}]")]
    listeners = {"SASL": "SASL_PLAINTEXT", "SSL": "SSL", "SASLSSL": "SASL_SSL", "MUTUAL": "SSL"}
    with brokers.Broker(properties=properties, listeners=listeners, format_options=scram, line="old") as running:
        yield running


@pytest.fixture
def gated(spark, certificates, tmp_path):
    """A broker that clients reach through a gate, by TLS: the gate, a Kafka, a judge within."""
    need_broker()
    keys = {"ssl.keystore.type": "PEM", "ssl.keystore.location": certificates / "server.pem"}
    broker = brokers.Broker(properties=keys, listeners={"SSL": "SSL"})
    from gate import Gate
    from judge import Judge
    with Gate(("127.0.0.1", broker.ports["SSL"])) as gate:
        broker.properties["advertised.listeners"] = f"PLAINTEXT://{broker.bootstrap},SSL://{gate.address}"
        with broker:
            kafka = queries.Kafka(spark, gate.address, tmp_path)
            yield gate, kafka, Judge(broker.bootstrap)
            kafka.close()
