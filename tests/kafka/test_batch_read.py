"""spark.read.format("kafka"): from where to where (D.2, D.7)."""
import json

import pytest
from pystream.errors import IllegalArgumentException
from queries import ON_SPARK, VALUES, wording

if ON_SPARK:  # what fails in a task has no class of PySpark
    ANY = Exception
else:
    from pystream.errors import PySparkException as ANY


@pytest.fixture
def filled(judge, topic):
    """Two partitions with records of the times 1000, 2000, 3000 each: values 00 01 02 and 10 11 12."""
    name = topic(partitions=2)
    for partition in (0, 1):
        judge.produce(name, *((None, f"{partition}{i}", None, 1000 * (i + 1)) for i in range(3)), partition=partition)
    return name


def offsets(name, zero, one) -> str:
    return json.dumps({name: {"0": zero, "1": one}})


def test_all_there_is(kafka, filled):
    assert sorted(kafka.values(subscribe=filled)) == ["00", "01", "02", "10", "11", "12"]


def test_each_action_looks_again(kafka, judge, filled):
    df = kafka.table(subscribe=filled)
    assert df.count() == 6
    judge.produce(filled, "03")
    assert df.count() == 7


def test_from_offsets_to_offsets(kafka, filled):
    assert sorted(kafka.values(subscribe=filled, startingOffsets=offsets(filled, 1, -2), endingOffsets=offsets(filled, -1, 2))) == \
        ["01", "02", "10", "11"]


@pytest.mark.parametrize("options, expected", [
    ({"startingOffsets": "earliest", "endingOffsets": "latest"}, "00 01 02 10 11 12"),
    ({"startingTimestamp": 2000}, "01 02 11 12"),
    ({"endingTimestamp": 2000}, "00 10"),
    ({"startingTimestamp": 1500, "endingTimestamp": 2500}, "01 11"),
    ({"endingTimestamp": 99999}, "00 01 02 10 11 12"),
    ({"startingTimestamp": 99999, "startingOffsetsByTimestampStrategy": "latest"}, ""),
    ({"startingTimestamp": 3000, "startingOffsets": "earliest", "endingOffsets": "latest"}, "02 12"),
], ids=str)
def test_from_time_to_time(kafka, filled, options, expected):
    assert sorted(kafka.values(subscribe=filled, **options)) == expected.split()


def test_by_time_and_partition(kafka, filled):
    assert sorted(kafka.values(subscribe=filled, startingOffsetsByTimestamp=offsets(filled, 2000, 1000),
                               endingOffsetsByTimestamp=offsets(filled, 3000, 2000))) == ["01", "10"]


def test_no_record_so_young_is_an_error(kafka, filled):
    with pytest.raises(ANY, match="No offset matched from request of topic-partition .* and timestamp 99999"):
        kafka.values(subscribe=filled, startingTimestamp=99999)


@pytest.mark.parametrize("options, match", [
    ({"startingOffsets": "latest"}, "starting offset can't be latest for batch queries on Kafka"),
    ({"startingOffsets": "-1"}, "startingOffsets for .*-1 can't be latest for batch queries on Kafka"),
    ({"endingOffsets": "earliest"}, "ending offset can't be earliest for batch queries on Kafka"),
    ({"endingOffsets": "-2"}, "ending.*can't be earliest for batch queries on Kafka"),
])
def test_places_that_a_batch_cannot_have(kafka, filled, options, match):
    """Told at load()."""
    options = {key: offsets(filled, 0, int(value)) if value.startswith("-") else value for key, value in options.items()}
    with pytest.raises(IllegalArgumentException, match=match):
        kafka.table(subscribe=filled, **options)


def test_start_and_end_name_the_same_partitions(kafka, filled, topic):
    other = topic()
    with pytest.raises(ANY, match=wording("MISMATCHED_TOPIC_PARTITIONS_BETWEEN_START_OFFSET_AND_END_OFFSET",
                                          "different topic partitions|TopicPartitions|MISMATCHED")):
        kafka.values(subscribe=filled, startingOffsets=offsets(filled, 0, 0), endingOffsets=json.dumps({other: {"0": 0}}))


def test_start_behind_end_as_written(kafka, filled):
    with pytest.raises(ANY, match=wording("UNRESOLVED_START_OFFSET_GREATER_THAN_END_OFFSET", "is after the ending offset")):
        kafka.values(subscribe=filled, startingOffsets=offsets(filled, 3, 0), endingOffsets=offsets(filled, 2, 3))


def test_start_behind_end_as_found(kafka, filled):
    with pytest.raises(ANY, match=wording("RESOLVED_START_OFFSET_GREATER_THAN_END_OFFSET", "is after the ending offset")):
        kafka.values(subscribe=filled, startingOffsets=offsets(filled, 3, 0), endingTimestamp=2000)


def test_assign_and_pattern(kafka, filled):
    assert sorted(kafka.values(assign=json.dumps({filled: [1]}))) == ["10", "11", "12"]
    assert len(kafka.values(subscribePattern=f"{filled[:-1]}.")) >= 6


def test_empty_topic(kafka, topic):
    assert kafka.values(subscribe=topic(partitions=3)) == []


def test_a_topic_that_is_not_there(kafka, new_name):
    with pytest.raises(ANY, match=r"(?i)unknown.?topic|does not exist|host this topic-partition"):
        kafka.values(subscribe=new_name())


def test_two_topics_are_joined(kafka, judge, topic):
    """A table like any other."""
    names, counts = topic(), topic()
    judge.produce(names, ("1", "one"), ("2", "two"))
    judge.produce(counts, ("1", "10"), ("2", "20"), ("2", "21"))
    left = kafka.table("CAST(key AS STRING) AS key;CAST(value AS STRING) AS name", subscribe=names)
    right = kafka.table("CAST(key AS STRING) AS key;CAST(CAST(value AS STRING) AS INT) AS n", subscribe=counts)
    joined = left.join(right, "key").groupBy("name").sum("n").collect()
    assert sorted(map(tuple, joined)) == [("one", 10), ("two", 41)]


def test_stream_joins_a_table_of_a_topic(kafka, judge, topic):
    events, names = topic(), topic()
    judge.produce(names, ("1", "one"), ("2", "two"))
    judge.produce(events, ("2", "a"), ("1", "b"))
    key = "CAST(key AS STRING) AS key"
    joined = kafka.stream(f"{key};{VALUES}", subscribe=events, startingOffsets="earliest") \
        .join(kafka.table(f"{key};CAST(value AS STRING) AS name", subscribe=names), "key").select("value", "name")
    follower = kafka.follow(joined)
    assert sorted(follower.settle()) == [("a", "two"), ("b", "one")]
