"""Faults, by the mock cluster and by a broker that is killed or frozen: recovery, or the documented error; never a hang
beyond the configured time-out, never a lost row."""
import pathlib
import subprocess
import sys
import threading
import time

import pytest
from judge import Judge, wait_until
from mock import Api, Error
from pystream.errors import StreamingQueryException
from queries import Kafka

pytestmark = pytest.mark.ours
EARLIEST = {"startingOffsets": "earliest"}
#: Time-outs of a few seconds, in the Java client's names.
SHORT = {"kafka.default.api.timeout.ms": 4000, "kafka.request.timeout.ms": 2000, "fetchOffset.numRetries": 1,
         "kafkaConsumer.pollTimeoutMs": 4000}
SHORT_SINK = {"kafka.max.block.ms": 3000, "kafka.delivery.timeout.ms": 4000, "kafka.request.timeout.ms": 2000}
SECONDS = 15
PROGRAM = pathlib.Path(__file__).with_name("program.py")


@pytest.fixture
def faulty(spark, mock, tmp_path):
    """Reads and writes the mock cluster's topics."""
    made = Kafka(spark, mock.bootstrap, tmp_path)
    yield made
    made.close()


@pytest.fixture
def pen(mock):
    """Writes into the mock cluster."""
    return Judge(mock.bootstrap)


@pytest.fixture
def frail(spark, own_broker, tmp_path):
    """Of a broker that may be killed."""
    made = Kafka(spark, own_broker.bootstrap, tmp_path)
    yield made
    made.close()


def fails_within(seconds, match, do) -> None:
    began = time.monotonic()
    with pytest.raises(Exception, match=match):
        do()
    assert time.monotonic() - began < seconds


def later(seconds, do) -> threading.Timer:
    timer = threading.Timer(seconds, do)
    timer.start()
    return timer


# the broker is not there ---------------------------------------------------------------


def test_down_at_start(mock, faulty):
    """Names the broker and the reason, within the look-up's time-out."""
    mock.create("t")
    mock.down()
    fails_within(SECONDS, r"127\.0\.0\.1:\d+", lambda: faulty.follow(subscribe="t", **SHORT).settle())


def test_down_at_start_of_a_batch(mock, faulty):
    mock.create("t")
    mock.down()
    fails_within(SECONDS, r"127\.0\.0\.1:\d+", lambda: faulty.values(subscribe="t", **SHORT))


def test_down_at_start_of_a_sink(mock, faulty):
    mock.create("t")
    mock.down()
    rows = faulty.spark.sql("SELECT 'a' AS value")
    fails_within(SECONDS, "(?i)timed.?out|refused|down", lambda: faulty.write(rows, topic="t", **SHORT_SINK))


def test_up_a_moment_after_the_start(mock, faulty, pen):
    mock.create("t")
    pen.produce("t", "a")
    mock.down()
    later(1.5, mock.up)
    assert faulty.follow(subscribe="t", **EARLIEST).settle() == ["a"]


def test_stop_while_the_broker_is_down(mock, faulty):
    """stop() does not wait for time-outs."""
    mock.create("t")
    mock.down()
    query = faulty.follow(subscribe="t")
    time.sleep(0.3)
    began = time.monotonic()
    query.stop()
    assert time.monotonic() - began < 3


def test_down_in_the_middle(mock, faulty, pen):
    """Between batches: the query waits, and goes on when it is up again."""
    mock.create("t")
    pen.produce("t", "a")
    follower = faulty.follow(subscribe="t", **EARLIEST)
    assert follower.settle() == ["a"]
    mock.down()
    time.sleep(1)
    mock.up()
    pen.produce("t", "b")
    assert follower.settle() == ["b"]


def test_down_in_the_middle_for_good(mock, faulty, pen):
    mock.create("t")
    pen.produce("t", "a")
    follower = faulty.follow(subscribe="t", **EARLIEST, **SHORT)
    assert follower.settle() == ["a"]
    mock.down()
    fails_within(3 * SECONDS, "(?i)timed.?out|refused|down|disconnect", follower.settle)


def test_killed_and_started_again(own_broker, frail):
    """A real broker, in the middle of a stream from topic to topic; nothing is lost."""
    judge = Judge(own_broker.bootstrap)
    judge.create("from", 2)
    judge.create("to")
    judge.produce("from", *map(str, range(100)))
    query = frail.write_stream(frail.stream(subscribe="from", **EARLIEST), topic="to")
    query.processAllAvailable()
    own_broker.kill()
    time.sleep(1)
    own_broker.start()
    judge.produce("from", *map(str, range(100, 200)), partition=1)
    query.processAllAvailable()
    assert sorted(set(map(int, judge.values("to")))) == list(range(200))


def test_killed_while_it_writes_transactions(own_broker, frail):
    judge = Judge(own_broker.bootstrap)
    judge.create("from")
    judge.create("to")
    query = frail.write_stream(frail.stream(subscribe="from", **EARLIEST, maxOffsetsPerTrigger=50), topic="to",
                               **{"pystream.kafka.exactlyOnce": "true"})
    judge.produce("from", *map(str, range(1000)))
    wait_until(lambda: judge.ends("to")[0] > 100, what="the first batches")
    own_broker.kill()
    own_broker.start()
    query.processAllAvailable()
    assert [*map(int, judge.values("to"))] == list(range(1000))


def test_frozen_and_thawed(own_broker, frail):
    """Slower than a request's time-out, faster than the look-up's."""
    judge = Judge(own_broker.bootstrap)
    judge.create("t")
    judge.produce("t", "a")
    follower = frail.follow(subscribe="t", kafka_request_timeout_ms=2000, **EARLIEST)
    assert follower.settle() == ["a"]
    own_broker.freeze()
    timer = later(4, own_broker.thaw)
    time.sleep(4.5)
    timer.join()
    judge.produce("t", "b")
    assert follower.settle() == ["b"]


# leaders ------------------------------------------------------------------------------------


def test_a_leader_that_moves(mock, faulty, pen):
    mock.create("t", partitions=2)
    pen.produce("t", "a")
    follower = faulty.follow(subscribe="t", **EARLIEST)
    assert follower.settle() == ["a"]
    for turn in range(4):
        mock.lead("t", 0, 1 + turn % 2)
        pen.produce("t", str(turn))
        assert follower.settle() == [str(turn)]


def test_a_leader_that_moves_while_rows_are_written(mock, faulty, pen):
    mock.create("from")
    mock.create("to")
    pen.produce("from", *map(str, range(3000)))
    query = faulty.write_stream(faulty.stream(subscribe="from", maxOffsetsPerTrigger=300, **EARLIEST), topic="to")
    for turn in range(6):
        mock.lead("to", 0, 1 + turn % 2)
        time.sleep(0.2)
    query.processAllAvailable()
    assert [*map(int, pen.values("to"))] == list(range(3000)), "the producer is idempotent: in order, none twice"


@pytest.mark.parametrize("options", [EARLIEST, {"startingOffsets": '{"t":{"0":-2}}'}, {"startingOffsets": '{"t":{"0":0}}'}], ids=str)
def test_a_leader_that_comes_late(mock, faulty, pen, options):
    """Waited for, however the offsets are asked for."""
    mock.create("t")
    pen.produce("t", "a")
    mock.lead("t", 0, -1)
    later(1.5, lambda: mock.lead("t", 0, 1))
    assert faulty.follow(subscribe="t", **options).settle() == ["a"]


@pytest.mark.parametrize("error", [Error.NOT_LEADER, Error.LEADER_NOT_AVAILABLE, Error.TRANSPORT, Error.REQUEST_TIMED_OUT])
@pytest.mark.parametrize("api", [Api.FETCH, Api.LIST_OFFSETS, Api.METADATA])
def test_passing_errors_of_reading(mock, faulty, pen, api, error):
    """Tried again by themselves."""
    if api == Api.FETCH and error == Error.REQUEST_TIMED_OUT:
        pytest.skip("no broker answers a fetch so; it fails the batch, as in the Java client")
    mock.create("t")
    pen.produce("t", "a")
    mock.fail(api, error, error)
    follower = faulty.follow(subscribe="t", **EARLIEST)
    assert follower.settle() == ["a"]
    mock.fail(api, error)
    pen.produce("t", "b")
    assert follower.settle() == ["b"]


@pytest.mark.parametrize("error", [Error.NOT_LEADER, Error.TRANSPORT, Error.REQUEST_TIMED_OUT, Error.NOT_ENOUGH_REPLICAS])
def test_passing_errors_of_writing(mock, faulty, pen, error):
    mock.create("t")
    mock.fail(Api.PRODUCE, error, error)
    faulty.write(faulty.spark.range(100).selectExpr("CAST(id AS STRING) AS value"), topic="t")
    assert sorted(map(int, pen.values("t"))) == list(range(100))


# offsets -----------------------------------------------------------------------------------------


def test_out_of_range(mock, faulty, pen):
    """The broker refuses the offset of a fetch: data loss, told."""
    mock.create("t")
    pen.produce("t", "a", "b")
    mock.fail(Api.FETCH, *[Error.OFFSET_OUT_OF_RANGE] * 20)
    fails_within(2 * SECONDS, "(?i)KAFKA_DATA_LOSS|out of range|Cannot fetch",
                 lambda: faulty.follow(subscribe="t", **EARLIEST, **SHORT).settle())


# permissions, sizes ---------------------------------------------------------------------------------


def test_a_topic_that_may_not_be_read(mock, faulty):
    """Its offsets are refused; test_security.py has the same of a real broker, whose metadata refuse it."""
    mock.create("t")
    mock.fail(Api.LIST_OFFSETS, *[Error.TOPIC_AUTHORIZATION_FAILED] * 20)
    fails_within(SECONDS, "(?i)authori[sz]ation", lambda: faulty.follow(subscribe="t", **SHORT).settle())


def test_reading_that_is_forbidden_later(mock, faulty, pen):
    mock.create("t")
    pen.produce("t", "a")
    mock.fail(Api.FETCH, *[Error.TOPIC_AUTHORIZATION_FAILED] * 50)
    fails_within(2 * SECONDS, "(?i)authori[sz]ation|Cannot fetch", lambda: faulty.follow(subscribe="t", **EARLIEST, **SHORT).settle())


@pytest.fixture
def grown(mock, faulty, pen):
    """A query of t1; then t2 and t3 came, each with a row: options, checkpoint."""
    options = {"subscribePattern": "t.*", **SHORT, **EARLIEST}
    mock.lead(mock.create("t1"), 0, 1)
    pen.produce("t1", "1")
    follower = faulty.follow(**options)
    assert follower.settle() == ["1"]
    follower.stop()
    for topic in ("t2", "t3"):
        mock.lead(mock.create(topic), 0, 1)
        pen.produce(topic, topic[1:])
    return options, follower.checkpoint


def test_a_new_partition_that_is_not_told_of_is_no_loss(mock, faulty, grown):
    """Where it begins cannot be looked up: the batch fails, though a loss would be passed over, and the next run has its rows."""
    options, checkpoint = grown
    mock.fail(Api.LIST_OFFSETS, Error.NONE, *[Error.TOPIC_AUTHORIZATION_FAILED] * 50)  # how far: answered; from where on: not
    with pytest.raises(StreamingQueryException, match="Looking up offsets.*(?i:authori[sz]ation)"):
        faulty.follow(checkpoint=checkpoint, failOnDataLoss=False, **options).settle()
    assert (checkpoint / "offsets" / "1").exists() and not (checkpoint / "commits" / "1").exists()
    mock.stop_failing(Api.LIST_OFFSETS)
    assert sorted(faulty.follow(checkpoint=checkpoint, failOnDataLoss=False, **options).settle()) == ["2", "3"]


def test_a_new_partition_that_is_gone_is_lost(mock, faulty, grown, caplog):
    """When its batch is run again: an error, or a warning, and the other new partition is read."""
    options, checkpoint = grown
    follower = faulty.follow(checkpoint=checkpoint, **options)
    assert sorted(follower.settle()) == ["2", "3"]
    follower.stop()
    max((checkpoint / "commits").glob("[0-9]*"), key=lambda path: int(path.name)).unlink()
    mock.set_topic_error("t2", Error.UNKNOWN_TOPIC_OR_PARTITION)
    with pytest.raises(StreamingQueryException, match="Cannot find initial offsets for partitions t2-0. They may"):
        faulty.follow(checkpoint=checkpoint, **options).settle()
    assert faulty.follow(checkpoint=checkpoint, failOnDataLoss=False, **options).settle() == ["3"]
    assert "Cannot find initial offsets for partitions t2-0." in caplog.text


@pytest.mark.parametrize("error, match", [(Error.TOPIC_AUTHORIZATION_FAILED, "(?i)authori[sz]ation"),
                                          (Error.MESSAGE_TOO_LARGE, "(?i)too large"),
                                          (Error.CLUSTER_AUTHORIZATION_FAILED, "(?i)authori[sz]ation")])
def test_writing_that_is_refused(mock, faulty, error, match):
    """The batch fails, with the broker's reason."""
    mock.create("t")
    mock.fail(Api.PRODUCE, error)
    fails_within(SECONDS, match, lambda: faulty.write(faulty.spark.sql("SELECT 'a' AS value"), topic="t"))


def test_part_of_a_batch_is_refused(mock, faulty, pen):
    """The rows behind are not lost: the batch fails, and comes again."""
    mock.create("from")
    mock.create("to", partitions=2)
    pen.produce("from", *map(str, range(200)))
    df = faulty.stream("value;CAST(CAST(CAST(value AS STRING) AS INT) % 2 AS INT) AS partition", subscribe="from", **EARLIEST)
    checkpoint = faulty.new_checkpoint()
    mock.fail(Api.PRODUCE, Error.NONE, Error.TOPIC_AUTHORIZATION_FAILED)
    query = faulty.write_stream(df, checkpoint=checkpoint, topic="to", kafka_linger_ms=0)
    try:
        query.processAllAvailable()
        raise AssertionError("the batch did not fail")
    except StreamingQueryException as error:
        assert "authoriz" in str(error).lower()
    faulty.write_stream(df, checkpoint=checkpoint, topic="to").processAllAvailable()
    assert {*map(int, pen.values("to"))} == {*range(200)}


def test_a_message_larger_than_the_producer_takes(mock, faulty):
    mock.create("t")
    fails_within(SECONDS, "(?i)too large", lambda: faulty.write(
        faulty.spark.sql("SELECT repeat('x', 200000) AS value"), topic="t", kafka_max_request_size=100_000))


# slowness -----------------------------------------------------------------------------------------------


def test_a_slow_broker_is_waited_for(mock, faulty, pen):
    mock.create("from", partitions=2)
    mock.create("to")
    pen.produce("from", *map(str, range(100)))
    mock.delay(300)
    query = faulty.write_stream(faulty.stream(subscribe="from", **EARLIEST), topic="to")
    query.processAllAvailable()
    mock.delay(0)
    assert sorted(map(int, pen.values("to"))) == list(range(100))


def test_a_broker_too_slow_for_the_time_out(mock, faulty, pen):
    mock.create("t")
    pen.produce("t", "a")
    mock.delay(30_000)
    fails_within(2 * SECONDS, "(?i)timed.?out|Cannot fetch", lambda: faulty.follow(subscribe="t", **EARLIEST, **SHORT).settle())


def test_a_sink_too_slow_for_its_time_out(mock, faulty):
    mock.create("t")
    mock.delay(30_000)
    fails_within(2 * SECONDS, "(?i)timed.?out", lambda: faulty.write(faulty.spark.sql("SELECT 'a' AS value"), topic="t", **SHORT_SINK))


# transactions ------------------------------------------------------------------------------------------------


ONCE = {"pystream.kafka.exactlyOnce": "true"}


@pytest.mark.parametrize("api", [Api.INIT_PRODUCER_ID, Api.FIND_COORDINATOR, Api.ADD_PARTITIONS_TO_TXN, Api.ADD_OFFSETS_TO_TXN,
                                 Api.TXN_OFFSET_COMMIT, Api.END_TXN, Api.PRODUCE])
@pytest.mark.parametrize("error", [Error.COORDINATOR_NOT_AVAILABLE, Error.TRANSPORT])
def test_passing_errors_of_transactions(mock, faulty, pen, api, error):
    if api == Api.PRODUCE and error == Error.COORDINATOR_NOT_AVAILABLE:
        error = Error.NOT_LEADER
    mock.create("from")
    mock.create("to")
    pen.produce("from", *map(str, range(10)))
    mock.fail(api, error, error)
    faulty.write_stream(faulty.stream(subscribe="from", **EARLIEST), topic="to", **ONCE).processAllAvailable()
    assert [*map(int, pen.values("to", committed=False))] == list(range(10))


@pytest.mark.parametrize("error", [Error.NOT_COORDINATOR, Error.COORDINATOR_LOAD_IN_PROGRESS, Error.UNSTABLE_OFFSET_COMMIT,
                                   Error.COORDINATOR_NOT_AVAILABLE, Error.TRANSPORT])
def test_passing_errors_of_the_stored_number(mock, pen, tmp_path, error):
    """In a process of its own, which such an answer once killed."""
    mock.create("from")
    mock.create("to")
    pen.produce("from", *map(str, range(10)))
    mock.fail(Api.OFFSET_FETCH, error, error)
    done = subprocess.run([sys.executable, str(PROGRAM), "copy", mock.bootstrap, "from", "to", str(tmp_path / "c"),
                           "pystream.kafka.exactlyOnce=true"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert [*map(int, pen.values("to", committed=False))] == list(range(10))


@pytest.mark.parametrize("api", [Api.ADD_PARTITIONS_TO_TXN, Api.END_TXN, Api.ADD_OFFSETS_TO_TXN, Api.TXN_OFFSET_COMMIT])
def test_a_writer_that_was_fenced(mock, faulty, pen, api):
    mock.create("from")
    mock.create("to")
    pen.produce("from", "a")
    query = faulty.write_stream(faulty.stream(subscribe="from", **EARLIEST), topic="to", **ONCE)
    query.processAllAvailable()
    mock.fail(api, Error.INVALID_PRODUCER_EPOCH, Error.PRODUCER_FENCED, Error.PRODUCER_FENCED)
    pen.produce("from", "b")
    fails_within(2 * SECONDS, "KAFKA_FENCED", query.processAllAvailable)


def test_transactions_that_are_forbidden(mock, faulty, pen):
    mock.create("from")
    mock.create("to")
    pen.produce("from", "a")
    mock.fail(Api.INIT_PRODUCER_ID, Error.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
    fails_within(2 * SECONDS, "(?i)authori[sz]ation", faulty.write_stream(faulty.stream(subscribe="from", **EARLIEST), topic="to",
                                                                     **ONCE).processAllAvailable)
