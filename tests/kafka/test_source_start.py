"""Where a stream begins: startingOffsets and its relatives (D.3)."""
import json

import pytest
from pystream.errors import StreamingQueryException
from queries import VALUES, wording


def fails(kafka, match, **options):
    follower = kafka.follow(**options)
    with pytest.raises(StreamingQueryException, match=match):
        follower.settle()


def test_latest_is_the_default_and_its_first_batch_is_empty(kafka, judge, topic):
    name = topic()
    judge.produce(name, "old")
    follower = kafka.follow(subscribe=name)
    assert follower.settle() == [] and follower.batches == [[]]
    judge.produce(name, "new")
    assert follower.settle() == ["new"]


@pytest.mark.parametrize("word", ["earliest", "Earliest", "LATEST"])
def test_words_in_any_case(kafka, judge, topic, word):
    name = topic()
    judge.produce(name, "old")
    follower = kafka.follow(subscribe=name, startingOffsets=word)
    assert follower.settle() == (["old"] if word.lower() == "earliest" else [])
    judge.produce(name, "new")
    assert follower.settle() == ["new"]


def test_offsets_by_partition(kafka, judge, topic):
    """A number, -1 for the latest, -2 for the earliest."""
    name = topic(partitions=3)
    for partition in range(3):
        judge.produce(name, *(f"{partition}{i}" for i in range(3)), partition=partition)
    follower = kafka.follow(subscribe=name, startingOffsets=json.dumps({name: {"0": 2, "1": -1, "2": -2}}))
    assert sorted(follower.settle()) == ["02", "20", "21", "22"]
    judge.produce(name, "13", partition=1)
    assert follower.settle() == ["13"]


@pytest.mark.parametrize("given", [{"0": -2, "1": -1}, {"0": 0, "1": 0, "2": 0, "3": 0}], ids=["too few", "too many"])
def test_offsets_must_name_all_partitions(kafka, topic, given):
    name = topic(partitions=3)
    fails(kafka, wording("KAFKA_START_OFFSET_DOES_NOT_MATCH_ASSIGNED", "you must specify all TopicPartitions"),
          subscribe=name, startingOffsets=json.dumps({name: given}))


def test_timestamp_for_all_partitions(kafka, judge, topic):
    """The first record that is not older, in each partition."""
    name = topic(partitions=2)
    judge.produce(name, *((None, f"a{at}", None, at) for at in (1000, 2000, 3000)))
    judge.produce(name, *((None, f"b{at}", None, at) for at in (1500, 2500)), partition=1)
    assert sorted(kafka.follow(subscribe=name, startingTimestamp=2000).settle()) == ["a2000", "a3000", "b2500"]


def test_timestamp_by_partition(kafka, judge, topic):
    name = topic(partitions=2)
    for partition in (0, 1):
        judge.produce(name, *((None, f"{partition}@{at}", None, at) for at in (1000, 2000)), partition=partition)
    times = json.dumps({name: {"0": 1001, "1": 1000}})
    assert sorted(kafka.follow(subscribe=name, startingOffsetsByTimestamp=times).settle()) == ["0@2000", "1@1000", "1@2000"]


def test_timestamps_must_name_all_partitions(kafka, topic):
    name = topic(partitions=2)
    fails(kafka, wording("KAFKA_TIMESTAMP_OFFSET_DOES_NOT_MATCH_ASSIGNED", "don't match what are assigned"),
          subscribe=name, startingOffsetsByTimestamp=json.dumps({name: {"0": 1}}))


@pytest.mark.parametrize("time, values", [(-1, ["new"]), (-2, ["old", "new"])])
def test_latest_and_earliest_as_times(kafka, judge, topic, time, values):
    """The protocol's numbers, which Spark hands on."""
    name = topic()
    judge.produce(name, "old")
    follower = kafka.follow(subscribe=name, startingTimestamp=time)
    seen = follower.settle()
    judge.produce(name, "new")
    assert seen + follower.settle() == values


@pytest.mark.parametrize("option", ["startingTimestamp", "startingOffsetsByTimestamp"])
def test_no_record_so_young_is_an_error(kafka, judge, topic, option):
    name = topic()
    judge.produce(name, (None, "a", None, 1000))
    value = 1001 if option == "startingTimestamp" else json.dumps({name: {"0": 1001}})
    fails(kafka, rf"No offset matched from request of topic-partition {name}-0 and timestamp 1001\.",
          subscribe=name, **{option: value})


@pytest.mark.parametrize("option", ["startingTimestamp", "startingOffsetsByTimestamp"])
def test_no_record_so_young_may_mean_latest(kafka, judge, topic, option):
    name = topic(partitions=2)
    judge.produce(name, (None, "a", None, 1000))
    judge.produce(name, (None, "b", None, 2000), partition=1)
    value = 1001 if option == "startingTimestamp" else json.dumps({name: {"0": 1001, "1": 1001}})
    follower = kafka.follow(subscribe=name, startingOffsetsByTimestampStrategy="latest", **{option: value})
    assert follower.settle() == ["b"]
    judge.produce(name, (None, "c", None, 1))
    assert follower.settle() == ["c"]


def test_which_option_wins(kafka, judge, topic):
    """startingTimestamp before startingOffsetsByTimestamp before startingOffsets."""
    name = topic()
    judge.produce(name, *((None, str(at), None, at) for at in (1, 2, 3)))
    by_partition = json.dumps({name: {"0": 2}})
    assert kafka.follow(subscribe=name, startingOffsets="earliest", startingOffsetsByTimestamp=by_partition).settle() == ["2", "3"]
    assert kafka.follow(subscribe=name, startingOffsets="earliest", startingOffsetsByTimestamp=by_partition,
                        startingTimestamp=3).settle() == ["3"]


def test_restart_goes_on_whatever_the_options_say(kafka, judge, topic):
    name, checkpoint = topic(), kafka.new_checkpoint()
    judge.produce(name, "1")
    assert kafka.follow(subscribe=name, startingOffsets="earliest", checkpoint=checkpoint).settle() == ["1"]
    kafka.close()
    judge.produce(name, "2")
    for options in ({}, {"startingOffsets": "earliest"}, {"startingTimestamp": 1 << 50}, {"startingOffsets": '{"x":{"0":5}}'}):
        follower = kafka.follow(subscribe=name, checkpoint=checkpoint, **options)
        follower.settle()
        follower.stop()
        assert follower.rows == (["2"] if options == {} else [])


def test_initial_offsets_are_kept_as_spark_keeps_them(kafka, judge, topic):
    """A zero byte, the version, the offsets; the first start alone decides."""
    name, checkpoint = topic(partitions=2), kafka.new_checkpoint()
    judge.produce(name, "a", "b")
    follower = kafka.follow(subscribe=name, checkpoint=checkpoint)
    follower.settle()
    follower.stop()
    content = (checkpoint / "sources" / "0" / "0").read_bytes()
    assert content.startswith(b"\0v1\n{")
    assert json.loads(content[4:]) == {name: {"0": 2, "1": 0}}
    assert json.loads((checkpoint / "offsets" / "0").read_text().splitlines()[2]) == {name: {"0": 2, "1": 0}}


def test_empty_topic_settles(kafka, judge, topic):
    name = topic()
    follower = kafka.follow(subscribe=name, startingOffsets="earliest", select=VALUES + ";offset")
    assert follower.settle() == []
    judge.produce(name, "a")
    assert follower.settle() == [("a", 0)]
