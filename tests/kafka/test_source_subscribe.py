"""Which topics and partitions a stream reads, and what happens when they come and go (D.2, D.4, D.7)."""
import json

import pytest
from judge import wait_until
from pystream.errors import StreamingQueryException
from queries import VALUES, wording

EARLIEST = {"startingOffsets": "earliest"}


def test_subscribe_takes_a_list(kafka, judge, topic):
    """EX-D9: items trimmed, empty ones dropped."""
    one, two = topic(), topic()
    judge.produce(one, "a")
    judge.produce(two, "b")
    follower = kafka.follow(subscribe=f"{one}, ,{two} ", **EARLIEST, select=VALUES + ";topic")
    assert sorted(follower.settle()) == [("a", one), ("b", two)]


def test_pattern_is_found_anywhere_in_a_name(kafka, judge, new_name):
    """As real Spark 4.0 does; anchors make it the whole name (EX-D10 says whole, and was not verified)."""
    stem = new_name()
    names = [f"{stem}-1", f"{stem}-10", f"x-{stem}-1"]
    for name in names:
        judge.create(name)
        judge.produce(name, name)
    assert sorted(kafka.follow(subscribePattern=f"{stem}-1", **EARLIEST).settle()) == names
    assert kafka.follow(subscribePattern=f"^{stem}-1$", **EARLIEST).settle() == names[:1]
    assert sorted(kafka.follow(subscribePattern=rf"^{stem}-\d+", **EARLIEST).settle()) == names[:2]
    assert sorted(kafka.follow(subscribePattern=rf".*{stem}-(1|2)$", **EARLIEST).settle()) == [names[0], names[2]]


def test_pattern_finds_topics_that_come_later(kafka, judge, new_name):
    stem = new_name()
    judge.create(f"{stem}-1")
    follower = kafka.follow(subscribePattern=f"{stem}-.")
    assert follower.settle() == []
    judge.create(f"{stem}-2")
    judge.produce(f"{stem}-2", "a")
    wait_until(lambda: follower.settle() or follower.rows, what="the new topic's record")
    assert follower.rows == ["a"]


def test_pattern_without_a_topic_waits(kafka, judge, new_name):
    stem = new_name()
    follower = kafka.follow(subscribePattern=f"{stem}.*")
    assert follower.settle() == []
    judge.create(stem)
    judge.produce(stem, "a")
    wait_until(lambda: follower.settle() or follower.rows, what="the new topic's record")
    assert follower.rows == ["a"]


def test_assign_reads_its_partitions_alone(kafka, judge, topic):
    name = topic(partitions=3)
    for partition in range(3):
        judge.produce(name, str(partition), partition=partition)
    follower = kafka.follow(assign=json.dumps({name: [0, 2]}), **EARLIEST)
    assert sorted(follower.settle()) == ["0", "2"]
    judge.produce(name, "1b", partition=1)
    judge.produce(name, "2b", partition=2)
    assert follower.settle() == ["2b"]


def test_new_partitions_are_read_from_their_beginning(kafka, judge, topic):
    """EX-D8: whatever startingOffsets says."""
    name = topic()
    follower = kafka.follow(subscribe=name, select=VALUES + ";partition;offset")
    assert follower.settle() == []
    judge.add_partitions(name, 2)
    judge.produce(name, "a", "b", partition=1)
    wait_until(lambda: follower.settle() or len(follower.rows) == 2, what="the new partition")
    assert follower.rows == [("a", 1, 0), ("b", 1, 1)]


def test_new_partitions_are_found_at_a_restart(kafka, judge, topic):
    name = topic()
    first = kafka.follow(subscribe=name)
    first.settle()
    first.stop()
    judge.add_partitions(name, 3)
    judge.produce(name, "a", partition=2)
    again = kafka.follow(subscribe=name, checkpoint=first.checkpoint)
    assert again.settle() == ["a"]
    again.stop()
    newest = max((first.checkpoint / "offsets").glob("[0-9]*"), key=lambda path: int(path.name))
    assert json.loads(newest.read_text().splitlines()[2]) == {name: {"0": 0, "1": 0, "2": 1}}


def test_another_subscription_may_go_on(kafka, judge, topic):
    """A restart with one more topic reads it from its beginning."""
    one, two = topic(), topic()
    judge.produce(one, "a")
    judge.produce(two, "b")
    first = kafka.follow(subscribe=one, **EARLIEST)
    assert first.settle() == ["a"]
    first.stop()
    assert kafka.follow(subscribe=f"{one},{two}", checkpoint=first.checkpoint).settle() == ["b"]


def test_a_topic_that_is_not_there(kafka, new_name):
    follower = kafka.follow(subscribe=new_name())
    with pytest.raises(StreamingQueryException, match=r"(?i)unknown.?topic|does not exist|host this topic-partition"):
        follower.settle()


def test_a_topic_that_is_not_there_any_more(kafka, judge, new_name):
    stem = new_name()
    for i in (1, 2):
        judge.create(f"{stem}-{i}")
        judge.produce(f"{stem}-{i}", str(i))
    follower = kafka.follow(subscribePattern=f"{stem}-.", **EARLIEST)
    assert sorted(follower.settle()) == ["1", "2"]
    judge.delete(f"{stem}-1")
    judge.produce(f"{stem}-2", "more")
    with pytest.raises(StreamingQueryException, match=wording("KAFKA_DATA_LOSS.PARTITIONS_DELETED", "have been deleted")):
        wait_until(lambda: follower.settle() and False, what="the failure")


def test_a_topic_that_is_not_there_any_more_with_a_group(kafka, judge, new_name):
    stem = new_name()
    for i in (1, 2):
        judge.create(f"{stem}-{i}")
    follower = kafka.follow(subscribePattern=f"{stem}-.", kafka_group_id=f"{stem}-group", **EARLIEST)
    follower.settle()
    judge.delete(f"{stem}-1")
    judge.produce(f"{stem}-2", "more")
    with pytest.raises(StreamingQueryException,
                       match=wording("KAFKA_DATA_LOSS.PARTITIONS_DELETED_AND_GROUP_ID_CONFIG_PRESENT", "(?s)have been deleted.*group.id")):
        wait_until(lambda: follower.settle() and False, what="the failure")


def test_a_topic_that_is_gone_may_be_passed_over(kafka, judge, new_name):
    stem = new_name()
    for i in (1, 2):
        judge.create(f"{stem}-{i}")
        judge.produce(f"{stem}-{i}", str(i))
    follower = kafka.follow(subscribePattern=f"{stem}-.", failOnDataLoss=False, **EARLIEST)
    assert sorted(follower.settle()) == ["1", "2"]
    judge.delete(f"{stem}-1")
    judge.produce(f"{stem}-2", "more")
    wait_until(lambda: follower.settle() or len(follower.rows) == 3, what="the other topic's record")
    follower.stop()
    assert follower.rows[2:] == ["more"]
    newest = max((follower.checkpoint / "offsets").glob("[0-9]*"), key=lambda path: int(path.name))
    assert json.loads(newest.read_text().splitlines()[2]) == {f"{stem}-2": {"0": 2}}


def test_two_sources_of_one_query(kafka, judge, topic):
    one, two = topic(), topic()
    judge.produce(one, "a")
    judge.produce(two, "b")
    both = kafka.stream(subscribe=one, **EARLIEST).union(kafka.stream(subscribe=two, **EARLIEST))
    follower = kafka.follow(both)
    assert sorted(follower.settle()) == ["a", "b"]
    judge.produce(two, "c")
    assert follower.settle() == ["c"]
