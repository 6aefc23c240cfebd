"""What a batch reports of its topics (D.7, EX-D4, EX-D5)."""
import logging
import time

import pytest
from judge import wait_until
from queries import VALUES, Kafka, progress_of

EARLIEST = {"startingOffsets": "earliest"}


def source_of(follower, at=-1) -> dict:
    """The source's part of the last progress with rows."""
    return progress_of(follower.query)[at]["sources"][0]


@pytest.mark.parametrize("options, description", [
    ({"subscribe": "{name}"}, "KafkaV2[Subscribe[{name}]]"), ({"subscribePattern": "{name}"}, "KafkaV2[SubscribePattern[{name}]]"),
    ({"assign": '{{"{name}":[0,1]}}'}, "KafkaV2[Assign[{name}-0, {name}-1]]"),
])
def test_descriptions(kafka, judge, topic, options, description):
    name = topic(partitions=2)
    judge.produce(name, "a")
    follower = kafka.follow(**{key: value.format(name=name) for key, value in options.items()}, **EARLIEST)
    follower.settle()
    assert source_of(follower)["description"] == description.format(name=name)


def test_offsets_and_rates(kafka, judge, topic):
    name = topic(partitions=2)
    judge.produce(name, "a", "b")
    follower = kafka.follow(subscribe=name, **EARLIEST)
    follower.settle()
    first = source_of(follower)
    assert first["startOffset"] is None and first["endOffset"] == first["latestOffset"] == {name: {"0": 2, "1": 0}}
    judge.produce(name, "c", partition=1)
    follower.settle()
    second = source_of(follower)
    assert second["startOffset"] == {name: {"0": 2, "1": 0}} and second["endOffset"] == {name: {"0": 2, "1": 1}}
    assert second["numInputRows"] == 1 and second["processedRowsPerSecond"] > 0


def test_distance_behind_the_latest(kafka, judge, topic):
    """EX-D4, in its numbers: consumed 1 and 2 of 3 and 6."""
    name = topic(partitions=2)
    judge.produce(name, *"abc")
    judge.produce(name, *"abcdef", partition=1)
    follower = kafka.follow(subscribe=name, maxOffsetsPerTrigger=3, **EARLIEST)
    follower.settle()
    first = source_of(follower, 0)
    assert first["endOffset"] == {name: {"0": 1, "1": 2}} and first["latestOffset"] == {name: {"0": 3, "1": 6}}
    assert {key: first["metrics"][key] for key in ("minOffsetsBehindLatest", "maxOffsetsBehindLatest", "avgOffsetsBehindLatest")} == \
        {"minOffsetsBehindLatest": "2", "maxOffsetsBehindLatest": "4", "avgOffsetsBehindLatest": "3.0"}


def test_nothing_behind_the_latest(kafka, judge, topic):
    """EX-D5."""
    name = topic(partitions=2)
    judge.produce(name, *"abc")
    follower = kafka.follow(subscribe=name, **EARLIEST)
    follower.settle()
    metrics = source_of(follower)["metrics"]
    assert [metrics[f"{kind}OffsetsBehindLatest"] for kind in ("min", "max", "avg")] == ["0", "0", "0.0"]


@pytest.mark.ours
def test_bytes_behind_the_latest(kafka, judge, topic):
    """estimatedTotalBytesBehindLatest: what is left, at the size of what was read."""
    name = topic()
    judge.produce(name, *("x" * 1000 for _ in range(10)))
    follower = kafka.follow(subscribe=name, maxOffsetsPerTrigger=5, **EARLIEST)
    follower.settle()
    estimate = float(source_of(follower, 0)["metrics"]["estimatedTotalBytesBehindLatest"])
    assert 4000 <= estimate <= 8000
    assert float(source_of(follower)["metrics"]["estimatedTotalBytesBehindLatest"]) == 0


@pytest.mark.ours
def test_a_first_connection_error_is_told_within_a_second(spark, new_name, tmp_path, caplog):
    """Naming the broker and the reason, in our log."""
    from broker import free_port
    address = f"127.0.0.1:{free_port()}"
    kafka = Kafka(spark, address, tmp_path)
    with caplog.at_level(logging.WARNING, logger="pystream.kafka"):
        began = time.monotonic()
        kafka.follow(subscribe=new_name())
        try:
            wait_until(lambda: [r for r in caplog.records if address in r.getMessage() and "refused" in r.getMessage().lower()],
                       seconds=10, what="a word about the broker that is not there")
            assert time.monotonic() - began < 1.5
        finally:
            kafka.close()


def test_metrics_of_a_topic_that_grows(kafka, judge, topic):
    name = topic()
    follower = kafka.follow(subscribe=name, select=VALUES)
    follower.settle()
    for i in range(3):
        judge.produce(name, *map(str, range(i + 1)))
        follower.settle()
    assert [one["sources"][0]["numInputRows"] for one in progress_of(follower.query)] == [1, 2, 3]
