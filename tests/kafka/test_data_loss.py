"""Records that are gone before they were read: an error, or a warning and what is left (D.7)."""
import json

import pytest
from judge import wait_until
from pystream.errors import StreamingQueryException
from queries import VALUES, wording

EARLIEST = {"startingOffsets": "earliest"}
LOSS = wording("KAFKA_DATA_LOSS", "(?s)data may have been lost|are gone|was changed|starts from|could not be read|Cannot fetch|"
               "missed|skipped|deleted")


def stopped_after(kafka, **options):
    """A query that read what there is, and stopped; its checkpoint."""
    follower = kafka.follow(**options)
    follower.settle()
    return follower.stop().checkpoint


def fails(kafka, match=LOSS, **options):
    follower = kafka.follow(**options)
    with pytest.raises(StreamingQueryException, match=match) as caught:
        follower.settle()
    return caught.value


def test_aged_out_records_are_an_error(kafka, judge, topic):
    name = topic()
    judge.produce(name, "0", "1")
    checkpoint = stopped_after(kafka, subscribe=name, **EARLIEST)
    judge.produce(name, *"23456")
    judge.delete_records(name, {0: 5})
    fails(kafka, subscribe=name, checkpoint=checkpoint)


def test_aged_out_records_may_be_passed_over(kafka, judge, topic):
    name = topic()
    judge.produce(name, "0", "1")
    checkpoint = stopped_after(kafka, subscribe=name, **EARLIEST)
    judge.produce(name, *"23456")
    judge.delete_records(name, {0: 5})
    assert kafka.follow(subscribe=name, checkpoint=checkpoint, failOnDataLoss=False).settle() == ["5", "6"]


def test_all_records_aged_out(kafka, judge, topic):
    name = topic()
    judge.produce(name, "0")
    checkpoint = stopped_after(kafka, subscribe=name, **EARLIEST)
    judge.produce(name, "1", "2")
    judge.delete_records(name, {0: 3})
    follower = kafka.follow(subscribe=name, checkpoint=checkpoint, failOnDataLoss=False)
    assert follower.settle() == []
    judge.produce(name, "3")
    assert follower.settle() == ["3"]


def test_all_records_aged_out_of_a_topic_that_is_read_twice(kafka, judge, topic):
    """A stream beside itself: both know that nothing is left."""
    name = topic()
    judge.produce(name, "0")

    def follow(checkpoint=None):
        rows = kafka.stream(subscribe=name, failOnDataLoss=False, **{"kafkaConsumer.pollTimeoutMs": 5000}, **EARLIEST)
        return kafka.follow(rows.union(rows), checkpoint)
    follower = follow()
    assert follower.settle() == ["0", "0"]
    follower.stop()
    judge.produce(name, "1", "2")
    judge.delete_records(name, {0: 3})
    follower = follow(follower.checkpoint)
    assert follower.settle() == []
    judge.produce(name, "3")
    assert follower.settle() == ["3", "3"]


def test_a_topic_made_anew_is_an_error(kafka, judge, topic):
    """Its offsets went back."""
    name = topic()
    judge.produce(name, *"01234")
    checkpoint = stopped_after(kafka, subscribe=name, **EARLIEST)
    judge.delete(name)
    wait_until(lambda: judge.create(name), what="the new topic")
    judge.produce(name, "a", "b")
    error = fails(kafka, subscribe=name, checkpoint=checkpoint)
    assert "PARTITION_OFFSET_CHANGED" in str(error) or "was changed" in str(error)


def test_a_topic_made_anew_may_go_on(kafka, judge, topic):
    name = topic()
    judge.produce(name, *"01234")
    checkpoint = stopped_after(kafka, subscribe=name, **EARLIEST)
    judge.delete(name)
    judge.create(name)
    judge.produce(name, "a", "b")
    follower = kafka.follow(subscribe=name, checkpoint=checkpoint, failOnDataLoss=False)
    follower.settle()
    judge.produce(name, "c")
    follower.settle()
    assert follower.rows[-1:] == ["c"]


@pytest.fixture
def late_partition(kafka, judge, topic):
    """A partition that came while the query was away, and whose first three of five records are gone; topic, checkpoint."""
    name = topic()
    checkpoint = stopped_after(kafka, subscribe=name)
    judge.add_partitions(name, 2)
    judge.produce(name, *"01234", partition=1)
    judge.delete_records(name, {1: 3})
    return name, checkpoint


def test_a_new_partition_begins_with_zero(kafka, late_partition):
    name, checkpoint = late_partition
    fails(kafka, wording("KAFKA_DATA_LOSS.ADDED_PARTITION_DOES_NOT_START_FROM_OFFSET_ZERO", "starts from 3 instead of 0"),
          subscribe=name, checkpoint=checkpoint)


def test_a_new_partition_may_begin_later(kafka, late_partition):
    name, checkpoint = late_partition
    assert kafka.follow(subscribe=name, checkpoint=checkpoint, failOnDataLoss=False).settle() == ["3", "4"]


def test_an_offset_before_the_log_is_data_loss(kafka, judge, topic):
    name = topic()
    judge.produce(name, *"01234")
    judge.delete_records(name, {0: 3})
    first = json.dumps({name: {"0": 1}})
    fails(kafka, subscribe=name, startingOffsets=first)
    assert kafka.follow(subscribe=name, startingOffsets=first, failOnDataLoss=False).settle() == ["3", "4"]


def test_an_offset_behind_the_log_is_data_loss(kafka, judge, topic):
    name = topic()
    judge.produce(name, *"01234")
    fails(kafka, subscribe=name, startingOffsets=json.dumps({name: {"0": 50}}))


def test_a_batch_that_is_run_again_says_what_is_gone(kafka, judge, topic):
    """Logged before a stop, not committed: the same range, or an error."""
    name = topic()
    judge.produce(name, *"01234")
    checkpoint = stopped_after(kafka, subscribe=name, **EARLIEST)
    for log in (checkpoint / "commits").iterdir():
        log.unlink()
    judge.delete_records(name, {0: 2})
    fails(kafka, subscribe=name, checkpoint=checkpoint)
    follower = kafka.follow(subscribe=name, checkpoint=checkpoint, failOnDataLoss=False, select=VALUES + ";offset")
    assert follower.settle() == [("2", 2), ("3", 3), ("4", 4)]


def test_batch_read_of_what_is_gone(kafka, judge, topic):
    name = topic()
    judge.produce(name, *"01234")
    judge.delete_records(name, {0: 3})
    first = json.dumps({name: {"0": 1}})
    with pytest.raises(Exception, match=LOSS):
        kafka.values(subscribe=name, startingOffsets=first)
    assert kafka.values(subscribe=name, startingOffsets=first, failOnDataLoss=False) == ["3", "4"]


def test_records_that_age_out_while_the_query_runs(kafka, judge, topic):
    """Between two batches: what was read stays read."""
    name = topic()
    follower = kafka.follow(subscribe=name)
    follower.settle()
    judge.produce(name, *"012")
    assert follower.settle() == ["0", "1", "2"]
    judge.delete_records(name, {0: 3})
    judge.produce(name, "3")
    assert follower.settle() == ["3"]
