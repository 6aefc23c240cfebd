"""How much a batch takes, and in how many pieces it is read (D.4, D.5)."""
import json
import time

import pytest
from pystream.errors import IllegalArgumentException, StreamingQueryException
from queries import ON_SPARK, VALUES


@pytest.fixture
def three_partitions(judge, topic):
    """101, 11 and 1 records: 100..200, 10..20 and 1."""
    name = topic(partitions=3)
    judge.produce(name, *map(str, range(100, 201)))
    judge.produce(name, *map(str, range(10, 21)), partition=1)
    judge.produce(name, "1", partition=2)
    return name


def numbers(rows) -> list[int]:
    return sorted(map(int, rows))


def test_max_offsets_are_shared_by_backlog(kafka, three_partitions):
    """EX-D1."""
    follower = kafka.follow(subscribe=three_partitions, startingOffsets="earliest", maxOffsetsPerTrigger=10)
    follower.settle()
    assert numbers(follower.batches[0]) == [1, 10, *range(100, 108)]
    assert numbers(follower.batches[1]) == [11, *range(108, 117)]
    assert numbers(follower.rows) == [1, *range(10, 21), *range(100, 201)]


def test_many_small_partitions_may_exceed_the_limit(kafka, judge, topic):
    name = topic(partitions=4)
    for partition in range(4):
        judge.produce(name, "a", "b", partition=partition)
    follower = kafka.follow(subscribe=name, startingOffsets="earliest", maxOffsetsPerTrigger=2)
    follower.settle()
    assert [len(batch) for batch in follower.batches] == [4, 4]


def test_available_now_keeps_to_the_limit_and_to_its_end(kafka, judge, three_partitions):
    follower = kafka.follow(subscribe=three_partitions, startingOffsets="earliest", maxOffsetsPerTrigger=50,
                            trigger={"availableNow": True}).end()
    assert len(follower.batches) >= 3 and numbers(follower.rows) == [1, *range(10, 21), *range(100, 201)]
    judge.produce(three_partitions, "300")
    again = kafka.follow(subscribe=three_partitions, checkpoint=follower.checkpoint, trigger={"availableNow": True}).end()
    assert again.rows == ["300"]


def test_once_takes_all(kafka, three_partitions):
    follower = kafka.follow(subscribe=three_partitions, startingOffsets="earliest", maxOffsetsPerTrigger=10,
                            trigger={"once": True}).end()
    assert [len(batch) for batch in follower.batches] == [113]


def test_min_offsets_hold_a_batch_back(kafka, judge, topic):
    """But for the first of a start, whose clock begins at 0."""
    name = topic()
    judge.produce(name, "a")
    follower = kafka.follow(subscribe=name, startingOffsets="earliest", minOffsetsPerTrigger=3)
    assert follower.settle() == ["a"]
    judge.produce(name, "b", "c")
    time.sleep(1)
    assert follower.rows == ["a"]
    judge.produce(name, "d")
    deadline = time.monotonic() + 20
    while len(follower.rows) < 4 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert follower.batches[1:] == [["b", "c", "d"]]


def test_min_offsets_wait_no_longer_than_the_delay(kafka, judge, topic):
    name = topic()
    judge.produce(name, "a")
    follower = kafka.follow(subscribe=name, startingOffsets="earliest", minOffsetsPerTrigger=100, maxTriggerDelay="2s")
    assert follower.settle() == ["a"]
    judge.produce(name, "b")
    began = time.monotonic()
    while len(follower.rows) < 2 and time.monotonic() < began + 20:
        time.sleep(0.02)
    assert follower.rows == ["a", "b"] and time.monotonic() - began > 0.5


def test_a_restart_does_not_wait_for_min_offsets(kafka, judge, topic):
    name = topic()
    judge.produce(name, "a")
    first = kafka.follow(subscribe=name, startingOffsets="earliest", minOffsetsPerTrigger=100)
    assert first.settle() == ["a"]
    first.stop()
    judge.produce(name, "b")
    assert kafka.follow(subscribe=name, minOffsetsPerTrigger=100, checkpoint=first.checkpoint).settle() == ["b"]


def test_min_and_max_together(kafka, three_partitions):
    follower = kafka.follow(subscribe=three_partitions, startingOffsets="earliest", minOffsetsPerTrigger=20, maxOffsetsPerTrigger=50,
                            maxTriggerDelay="1s")
    deadline = time.monotonic() + 30
    while len(follower.rows) < 113 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(follower.batches) == 3 and all(len(batch) <= 51 for batch in follower.batches)


def test_min_above_max_is_an_error(kafka, topic):
    with pytest.raises((StreamingQueryException, IllegalArgumentException),
                       match=r"The value of minOffsetPerTrigger\(20\) is higher than the maxOffsetsPerTrigger\(10\)"):
        kafka.follow(subscribe=topic(), minOffsetsPerTrigger=20, maxOffsetsPerTrigger=10).settle()


def pieces(rows) -> list[tuple]:
    """(partition of the topic, first, last + 1) of what each task read."""
    found = {}
    for task, partition, offset in rows:
        found.setdefault(task, []).append((partition, offset))
    return sorted((part[0][0], part[0][1], part[-1][1] + 1) for part in found.values())


@pytest.mark.parametrize("options, sizes, expected", [
    ({"minPartitions": 4}, [4, 20], [(0, 0, 4), (1, 0, 6), (1, 6, 13), (1, 13, 20)]),
    ({"minPartitions": 4}, [1, 1000], [(0, 0, 1), (1, 0, 333), (1, 333, 666), (1, 666, 1000)]),
    ({"minPartitions": 4}, [4], [(0, 0, 1), (0, 1, 2), (0, 2, 3), (0, 3, 4)]),
    ({"minPartitions": 3}, [10], [(0, 0, 3), (0, 3, 6), (0, 6, 10)]),
    ({"minPartitions": 6}, [10, 10, 1], [(0, 0, 3), (0, 3, 6), (0, 6, 10), (1, 0, 3), (1, 3, 6), (1, 6, 10), (2, 0, 1)]),
    ({"maxRecordsPerPartition": 4}, [10, 3], [(0, 0, 3), (0, 3, 6), (0, 6, 10), (1, 0, 3)]),
    ({"minPartitions": 5, "maxRecordsPerPartition": 5}, [10], [(0, 0, 1), (0, 1, 3), (0, 3, 5), (0, 5, 6), (0, 6, 8), (0, 8, 10)]),
    ({}, [4, 20], [(0, 0, 4), (1, 0, 20)]),
])
@pytest.mark.parametrize("how", ["stream", "batch"])
def test_ranges_are_split(kafka, judge, topic, how, options, sizes, expected):
    """EX-D2."""
    if how == "batch" and ON_SPARK and "maxRecordsPerPartition" in options:
        pytest.skip("Spark 4.0 has it for streams alone")
    name = topic(partitions=len(sizes))
    for partition, size in enumerate(sizes):
        judge.produce(name, *map(str, range(size)), partition=partition)
    select = "spark_partition_id();partition;offset"
    if how == "stream":
        follower = kafka.follow(subscribe=name, startingOffsets="earliest", select=select, **options)
        follower.settle()
        rows = follower.rows
    else:
        rows = [*map(tuple, kafka.table(select, subscribe=name, **options).collect())]
    assert sorted((partition, offset) for _, partition, offset in rows) == [(p, i) for p, size in enumerate(sizes) for i in range(size)]
    if ON_SPARK:  # here spark_partition_id() is always 0
        assert pieces(rows) == expected


def test_pieces_hold_all_rows_of_a_stream(kafka, judge, topic):
    name = topic(partitions=2)
    for partition in (0, 1):
        judge.produce(name, *map(str, range(500)), partition=partition)
    follower = kafka.follow(subscribe=name, startingOffsets="earliest", minPartitions=7, maxRecordsPerPartition=90,
                            select=VALUES + ";partition;offset")
    follower.settle()
    assert sorted(follower.rows, key=lambda row: row[1:]) == [(str(i), p, i) for p in (0, 1) for i in range(500)]


def test_batch_reads_pass_over_limits(kafka, judge, topic):
    name = topic()
    judge.produce(name, *map(str, range(20)))
    assert len(kafka.values(subscribe=name, maxOffsetsPerTrigger=3, minOffsetsPerTrigger=2, maxTriggerDelay="1s")) == 20


def test_limit_counts_new_partitions_from_earliest(kafka, judge, topic):
    name = topic()
    follower = kafka.follow(subscribe=name, maxOffsetsPerTrigger=4, select=VALUES)
    follower.settle()
    judge.add_partitions(name, 2)
    judge.produce(name, *map(str, range(8)), partition=1)
    assert sorted(follower.settle()) == [str(i) for i in range(8)]
    assert all(len(batch) <= 4 for batch in follower.batches)


def test_offsets_of_a_limited_batch(kafka, three_partitions):
    follower = kafka.follow(subscribe=three_partitions, startingOffsets="earliest", maxOffsetsPerTrigger=10)
    follower.settle()
    logged = (follower.checkpoint / "offsets" / "0").read_text().splitlines()[2]
    assert json.loads(logged) == {three_partitions: {"0": 8, "1": 1, "2": 1}}
