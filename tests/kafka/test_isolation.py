"""Transactions and compaction: offsets without a record (D.6)."""
import json

import pytest
from judge import wait_until
from queries import VALUES, progress_of

EARLIEST = {"startingOffsets": "earliest"}
COMMITTED = {"kafka_isolation_level": "read_committed"}


def newest_offsets(follower) -> dict:
    newest = max((follower.checkpoint / "offsets").glob("[0-9]*"), key=lambda path: int(path.name))
    return json.loads(newest.read_text().splitlines()[2])


@pytest.fixture
def half_aborted(judge, topic):
    """EX-D6: 1..5 aborted, 6..10 committed; twelve offsets, with the two markers."""
    name = topic()
    judge.transaction(name, *"12345", abort=True)
    judge.transaction(name, *"6789", "10")
    return name


def test_uncommitted_is_the_default(kafka, half_aborted):
    follower = kafka.follow(subscribe=half_aborted, **EARLIEST)
    assert follower.settle() == [*"123456789", "10"]
    assert newest_offsets(follower) == {half_aborted: {"0": 12}}
    assert kafka.values(subscribe=half_aborted) == [*"123456789", "10"]


def test_committed_leaves_out_what_was_aborted(kafka, half_aborted):
    follower = kafka.follow(subscribe=half_aborted, **EARLIEST, **COMMITTED)
    assert follower.settle() == [*"6789", "10"]
    assert [one["numInputRows"] for one in progress_of(follower.query)] == [5], "markers and aborted records are no rows"
    assert newest_offsets(follower) == {half_aborted: {"0": 12}}
    assert kafka.values(subscribe=half_aborted, **COMMITTED) == [*"6789", "10"]


def test_open_transactions_are_not_read(kafka, judge, topic):
    """Nor what lies behind them: the end is the last stable offset."""
    name = topic()
    judge.produce(name, "a")
    held = judge.open_transaction(name, "b", name="held")
    judge.produce(name, "c")
    committed = kafka.follow(subscribe=name, **EARLIEST, **COMMITTED)
    assert committed.settle() == ["a"]
    assert newest_offsets(committed) == {name: {"0": 1}}
    assert kafka.follow(subscribe=name, **EARLIEST).settle() == ["a", "b", "c"]
    held.commit_transaction()
    assert committed.settle() == ["b", "c"]


def test_an_aborted_tail_moves_the_offset(kafka, judge, topic):
    """A batch without rows, and none after that."""
    name = topic()
    judge.produce(name, "a")
    follower = kafka.follow(subscribe=name, **EARLIEST, **COMMITTED)
    assert follower.settle() == ["a"]
    judge.transaction(name, "b", "c", abort=True)
    assert follower.settle() == []
    assert newest_offsets(follower) == {name: {"0": 4}}
    judge.produce(name, "d")
    assert follower.settle() == ["d"]


@pytest.mark.parametrize("limit", [1, 3])
def test_batches_of_nothing_but_gaps(kafka, half_aborted, limit):
    follower = kafka.follow(subscribe=half_aborted, maxOffsetsPerTrigger=limit, **EARLIEST, **COMMITTED)
    assert follower.settle() == [*"6789", "10"]
    assert newest_offsets(follower) == {half_aborted: {"0": 12}}


def test_a_start_inside_a_gap(kafka, half_aborted):
    at = json.dumps({half_aborted: {"0": 2}})
    assert kafka.follow(subscribe=half_aborted, startingOffsets=at, **COMMITTED).settle() == [*"6789", "10"]


def test_a_topic_that_ends_with_a_marker(kafka, judge, topic):
    """Read to the marker, and known to be read."""
    name = topic()
    judge.transaction(name, "a")
    for options in ({}, COMMITTED):
        assert kafka.values(subscribe=name, **options) == ["a"]
        follower = kafka.follow(subscribe=name, trigger={"availableNow": True}, **EARLIEST, **options).end()
        assert follower.rows == ["a"] and newest_offsets(follower) == {name: {"0": 2}}


@pytest.fixture
def compacted(judge, topic):
    """Keys a, b, c, of which only the newest records are left; topic, and the offsets that are."""
    name = topic(cleanup_policy="compact", segment_ms=100, min_cleanable_dirty_ratio=0.01, delete_retention_ms=100)
    judge.produce(name, *((key, f"{key}{i}") for i in range(10) for key in "abc"))

    def done():
        judge.produce(name, ("roll", "x"))
        return len([record for record in judge.read(name) if record.key in (b"a", b"b", b"c")]) == 3
    wait_until(done, what="compaction")
    return name


def test_compacted_topics_have_gaps(kafka, judge, compacted):
    left = judge.read(compacted)
    follower = kafka.follow(subscribe=compacted, select=VALUES + ";offset", **EARLIEST)
    follower.settle()
    by_offset = dict((offset, value) for value, offset in follower.rows)
    assert [by_offset[n] for n in sorted(by_offset) if by_offset[n] != "x"] == ["a9", "b9", "c9"]
    assert {record.offset for record in left if record.key != b"roll"} <= set(by_offset)


def test_a_start_inside_a_compacted_range(kafka, compacted):
    """Offset 5 is gone; the log begins before it: no loss."""
    rows = kafka.follow(subscribe=compacted, startingOffsets=json.dumps({compacted: {"0": 5}})).settle()
    assert [row for row in rows if row != "x"] == ["a9", "b9", "c9"]


def test_limits_count_offsets_that_are_gone(kafka, compacted):
    follower = kafka.follow(subscribe=compacted, maxOffsetsPerTrigger=5, **EARLIEST)
    assert [row for row in follower.settle() if row != "x"] == ["a9", "b9", "c9"]
    assert follower.batches[0] == [] and len(follower.batches) > 5
