"""What the tests here stand on: the broker, the judge and the mock cluster do what the others ask of them."""
import pytest
from confluent_kafka import Producer
from judge import Judge, Record, wait_until
from mock import Api, Error, MockCluster


def test_judge_reads_what_it_wrote(judge, topic):
    name = topic(partitions=2)
    judge.produce(name, ("k", "a", [("h", b"1"), ("h", None)], 1234), partition=1)
    judge.produce(name, ("k", None))
    assert judge.read(name)[1] == Record(1, 0, b"k", b"a", 1234, 0, [("h", b"1"), ("h", None)])
    assert judge.values(name) == [None, "a"]
    assert judge.ends(name) == {0: 1, 1: 1}


def test_transactions_are_seen_once_committed(judge, topic):
    name = topic()
    judge.transaction(name, "1", "2", abort=True)
    judge.transaction(name, "3")
    assert judge.values(name) == ["3"]
    assert judge.values(name, committed=False) == ["1", "2", "3"]
    assert judge.ends(name) == {0: 5}
    held = judge.open_transaction(name, "4")
    assert judge.ends(name, committed=True) == {0: 5}
    assert judge.ends(name) == {0: 6}
    held.commit_transaction()
    assert judge.values(name) == ["3", "4"]


def test_topics_change(judge, topic):
    name = topic()
    judge.produce(name, "a", "b", "c")
    judge.delete_records(name, {0: 2})
    assert judge.starts(name) == {0: 2}
    judge.add_partitions(name, 3)
    assert judge.ends(name) == {0: 3, 1: 0, 2: 0}
    judge.delete(name)
    assert name not in judge.admin.list_topics().topics


def test_compaction_comes_soon(judge, topic):
    name = topic(cleanup_policy="compact", segment_ms=100, min_cleanable_dirty_ratio=0.01, delete_retention_ms=100)
    judge.produce(name, *[("a", str(i)) for i in range(10)])
    judge.produce(name, ("b", "0"))

    def compacted():
        judge.produce(name, ("roll", "x"))  # a new segment starts: the old one may be cleaned
        return len([record for record in judge.read(name) if record.key == b"a"]) == 1
    wait_until(compacted, what="compaction")


def test_broker_keeps_what_it_has_through_a_kill(own_broker):
    judge = Judge(own_broker.bootstrap)
    judge.create("t")
    judge.produce("t", "1", "2")
    own_broker.kill()
    own_broker.start()
    judge.produce("t", "3")
    assert judge.values("t") == ["1", "2", "3"]


def test_frozen_broker_thaws(own_broker):
    judge = Judge(own_broker.bootstrap)
    judge.create("t")
    own_broker.freeze()
    producer = Producer({"bootstrap.servers": own_broker.bootstrap})
    producer.produce("t", b"1")
    assert producer.flush(1) == 1
    own_broker.thaw()
    assert producer.flush(30) == 0


SASL = {"security_protocol": "SASL_PLAINTEXT", "sasl_username": "alice", "sasl_password": "wonder-land-7"}


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_secure_broker_knows_its_users(secure_broker, new_name, mechanism):
    judge = Judge(secure_broker.address("SASL"), **SASL, sasl_mechanism=mechanism)
    name = judge.create(new_name())
    judge.produce(name, "1")
    assert judge.values(name) == ["1"]


def test_secure_broker_speaks_tls(secure_broker, certificates, new_name):
    judge = Judge(secure_broker.address("SSL"), security_protocol="SSL", ssl_ca_location=str(certificates / "ca.pem"))
    judge.create(new_name())
    judge = Judge(secure_broker.address("MUTUAL"), security_protocol="SSL", ssl_ca_location=str(certificates / "ca.pem"),
                  ssl_certificate_location=str(certificates / "client.crt"), ssl_key_location=str(certificates / "client.key"))
    judge.create(new_name())


def test_secure_broker_refuses_bob(secure_broker, new_name):
    bob = {**SASL, "sasl_username": "bob", "sasl_password": "builder-secret-9"}
    judge = Judge(secure_broker.address("SASL"), **bob, sasl_mechanism="PLAIN")
    with pytest.raises(Exception, match="TOPIC_AUTHORIZATION_FAILED"):
        judge.create(new_name())


def test_mock_cluster_fails_as_told(mock):
    mock.create("t", partitions=2)
    judge = Judge(mock.bootstrap)
    judge.produce("t", "1", "2")
    mock.lead("t", 0, 2)
    judge.produce("t", "3")
    mock.down(1)
    judge.produce("t", "4")
    mock.up(1)
    assert judge.values("t") == ["1", "2", "3", "4"]
    mock.fail(Api.PRODUCE, Error.MESSAGE_TOO_LARGE)
    with pytest.raises(AssertionError, match="MSG_SIZE_TOO_LARGE"):
        judge.produce("t", "5")


def test_mock_clusters_live_side_by_side():
    with MockCluster() as one, MockCluster() as two:
        assert one.bootstrap != two.bootstrap

