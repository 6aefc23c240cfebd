"""The sink exactly once: a reader of what is committed sees each row once, whatever dies in between."""
import collections
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest
from broker import Broker, missing
from judge import Judge, wait_until

from pystream.errors import StreamingQueryException
from pystream.sql import functions as F

PROGRAM = pathlib.Path(__file__).with_name("sink_program.py")
SOURCES = pathlib.Path(__file__).parents[2] / "csrc"
#: The steps of the sink, and those of the engine around them.
POINTS = sorted(set(re.findall(r'PS_FAILPOINT\("(kafka\.[^"]+)"', (SOURCES / "kafka/sink_txn.c").read_text("utf-8")))
                ) + ["batch.logged", "batch.ran", "batch.state", "batch.sink", "batch.committed"]
ONCE = {"kafka.marked", "kafka.noted"}  # passed by the first batch only
KILLED = -signal.SIGKILL
FILES = 5


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(FILES):
        (folder / str(number)).write_text("".join(f"{number}-{row}\n" for row in range(20)) + "again\n")
        os.utime(folder / str(number), (1_700_000_000 + number,) * 2)
    return folder


def put(path, text):
    """A file that is there at once: a running query must not see half of it."""
    hidden = path.with_name(f".{path.name}")
    hidden.write_text(text)
    hidden.rename(path)


def program(query, broker, topic, source, checkpoint, *options, failpoint=""):
    return subprocess.run([sys.executable, PROGRAM, query, broker.bootstrap, topic, source, checkpoint, *options], text=True,
                          env={**os.environ, "PYSTREAM_FAILPOINTS": failpoint}, capture_output=True, timeout=120)


def check_lines(values):
    expected = collections.Counter(f"{number}-{row}" for number in range(FILES) for row in range(20))
    expected["again"] = FILES
    assert collections.Counter(value.split()[0] for value in values) == expected


def check_counts(values):
    """Each batch wrote the counts of its own state."""
    expected = [f"{number}-{row} 1" for number in range(FILES) for row in range(20)]
    assert sorted(values) == sorted(expected + [f"again {number + 1}" for number in range(FILES)])


def committed(judge, topic):
    """What a reader of committed records sees once the brokers have ended every transaction (a moment after the commit)."""
    wait_until(lambda: judge.ends(topic, committed=True) == judge.ends(topic), what="the end of all transactions")
    return judge.values(topic)


def number_is(judge, checkpoint, number):
    """The brokers come to know that so many batches are done (a moment after the commit); under which group and topic."""
    note = (pathlib.Path(checkpoint) / "sinks/0/kafka/0").read_text()
    group, topic = re.search(r'"group":"([^"]+)","topic":"([^"]+)"', note).groups()
    wait_until(lambda: judge.group_offsets(group).get((topic, 0)) == number, what=f"the number {number}")
    return group, topic


# crashes ------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("query", ["lines", "counts"])
@pytest.mark.parametrize("point", POINTS)
def test_crash(broker, judge, topic, source, tmp_path, query, point):
    """The program dies at a step of its first batch, then at that of its second of a run, and is started again."""
    name, checkpoint = topic(partitions=2), tmp_path / "checkpoint"
    died = 0
    for nth in (1, 2):
        done = program(query, broker, name, source, checkpoint, failpoint=f"{point}=exit:{nth}")
        assert done.returncode in (0, KILLED), done.stderr
        died += done.returncode == KILLED
    done = program(query, broker, name, source, checkpoint)
    assert done.returncode == 0, done.stderr
    assert died >= (1 if point in ONCE else 0 if (point, query) == ("batch.state", "lines") else 2), "the failpoint was not passed"
    (check_counts if query == "counts" else check_lines)(committed(judge, name))
    number_is(judge, checkpoint, FILES)


def test_crash_twice_in_one_batch(broker, judge, topic, source, tmp_path):
    """Both steps of the first batch that make the note, then its commit: the marker transaction is harmless when repeated."""
    name, checkpoint = topic(), tmp_path / "checkpoint"
    for failpoint in ("kafka.marked=exit", "kafka.noted=exit", "kafka.offsets_sent=exit", "kafka.committed=exit"):
        assert program("lines", broker, name, source, checkpoint, failpoint=failpoint).returncode == KILLED
    assert program("lines", broker, name, source, checkpoint).returncode == 0
    check_lines(committed(judge, name))


def test_kills_at_any_moment(broker, judge, topic, source, tmp_path):
    name, checkpoint = topic(), tmp_path / "checkpoint"
    arguments = [sys.executable, PROGRAM, "counts", broker.bootstrap, name, source, checkpoint]
    for after in (0.25, 0.3, 0.35, 0.4, 0.5):
        running = subprocess.Popen(arguments, stderr=subprocess.DEVNULL)
        time.sleep(after)
        running.kill()
        running.wait()
    assert program("counts", broker, name, source, checkpoint).returncode == 0
    values = committed(judge, name)  # a batch may hold two files: a killed run may have chosen the first without logging its batch
    again = [int(value.split()[1]) for value in values if value.startswith("again")]
    assert again == sorted(set(again)) and again[-1] == FILES
    assert sorted(value for value in values if "again" not in value) == sorted(f"{number}-{row} 1" for number in range(FILES)
                                                                              for row in range(20))


def test_broker_dies(source, own_broker, tmp_path):
    """The broker is killed in the middle of a batch and comes back: the query goes on."""
    judge = Judge(own_broker.bootstrap)
    judge.create("t")
    arguments = [sys.executable, PROGRAM, "lines", own_broker.bootstrap, "t", source, tmp_path / "checkpoint"]
    running = subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: (tmp_path / "checkpoint/commits/0").exists() or running.poll() is not None, what="the first batch")
    own_broker.kill()
    own_broker.start()
    _, errors = running.communicate(timeout=120)
    if running.returncode:  # it may have met the failure in a step that cannot be taken again; a new start can
        assert program("lines", own_broker, "t", source, tmp_path / "checkpoint").returncode == 0, errors
    check_lines(committed(Judge(own_broker.bootstrap), "t"))


# a batch that fails ----------------------------------------------------------------------------------------------------

def start(df, broker, checkpoint, topic=None, **options):
    writer = (df.writeStream.format("kafka").option("kafka.bootstrap.servers", broker.bootstrap)
              .option("checkpointLocation", str(checkpoint)).option("pystream.kafka.exactlyOnce", "true"))
    if topic:
        writer = writer.option("topic", topic)
    for name, value in options.items():
        writer = writer.option(name.replace("_", "."), value)
    return writer.start()


def test_nothing_of_a_failed_batch_is_seen(spark, broker, judge, topic, tmp_path):
    name, source = topic(), tmp_path / "in"
    source.mkdir()
    put(source / "0", "1\n2\nx\n" * 5000)
    rows = spark.readStream.format("text").load(str(source))
    query = start(rows.selectExpr("CAST(value + 0 AS string) AS value"), broker, tmp_path / "checkpoint", name)
    with pytest.raises(StreamingQueryException, match="CAST_INVALID_INPUT"):
        query.awaitTermination(30)
    assert judge.values(name) == []
    query = start(rows, broker, tmp_path / "checkpoint", name)
    query.processAllAvailable()
    query.stop()
    assert len(committed(judge, name)) == 15_000


def test_undelivered_row_fails_the_batch(spark, broker, judge, topic, tmp_path):
    name, source = topic(max_message_bytes=2000), tmp_path / "in"
    source.mkdir()
    put(source / "0", "a\n" + "x" * 5000 + "\n")
    query = start(spark.readStream.format("text").load(str(source)), broker, tmp_path / "checkpoint", name)
    with pytest.raises(StreamingQueryException, match=rf"Writing to {name}-0 failed: Broker: Message size too large"):
        query.awaitTermination(30)
    assert judge.values(name) == []


def test_batch_without_rows_makes_no_transaction(spark, broker, judge, topic, tmp_path):
    name, source = topic(), tmp_path / "in"
    source.mkdir()
    put(source / "0", "a\n")
    query = start(spark.readStream.format("text").load(str(source)).where("value = 'b'"), broker, tmp_path / "checkpoint", name)
    query.processAllAvailable()
    assert query.lastProgress.batchId == 0 and not (tmp_path / "checkpoint/sinks").exists()
    put(source / "1", "b\n")
    query.processAllAvailable()
    query.stop()
    assert committed(judge, name) == ["b"]
    number_is(judge, tmp_path / "checkpoint", 2)


def test_topics_of_the_rows(spark, broker, judge, topic, tmp_path):
    """Without the option the number stands under the topic of the first row ever written."""
    names, source = [topic(), topic()], tmp_path / "in"
    source.mkdir()
    rows = spark.readStream.format("text").load(str(source)).select("value", F.expr("split(value, ' ')[0]").alias("topic"))
    query = start(rows, broker, tmp_path / "checkpoint")
    for number, order in enumerate((1, -1, 1)):
        put(source / str(number), "".join(f"{name} {number}\n" for name in names[::order]))
        query.processAllAvailable()
    query.stop()
    for name in names:
        assert committed(judge, name) == [f"{name} {number}" for number in range(3)]
    assert number_is(judge, tmp_path / "checkpoint", 3)[1] == names[0]


def test_conf_asks_for_it(spark, broker, judge, topic, tmp_path):
    name = topic()
    (tmp_path / "in").mkdir()
    put(tmp_path / "in/0", "a\n")
    spark.conf.set("pystream.kafka.exactlyOnce", "true")
    try:
        query = (spark.readStream.format("text").load(str(tmp_path / "in")).writeStream.format("kafka").option("topic", name)
                 .option("kafka.bootstrap.servers", broker.bootstrap).option("checkpointLocation", str(tmp_path / "checkpoint"))
                 .start())
    finally:
        spark.conf.unset("pystream.kafka.exactlyOnce")
    query.processAllAvailable()
    query.stop()
    assert committed(judge, name) == ["a"]
    number_is(judge, tmp_path / "checkpoint", 1)


def test_properties_are_told_of_once(spark, broker, judge, topic, tmp_path, caplog):
    """Beside the producer there is a consumer, for the number: what it has no use for is no news to the user."""
    (tmp_path / "in").mkdir()
    with caplog.at_level("WARNING", "pystream.kafka"):
        query = start(spark.readStream.format("text").load(str(tmp_path / "in")), broker, tmp_path / "checkpoint", topic(),
                      kafka_linger_ms="1", kafka_acks="all", kafka_compression_type="lz4", kafka_ssl_protocol="TLS",
                      kafka_queue_buffering_max_messages="1000", kafka_sticky_partitioning_linger_ms="1")
        wait_until(lambda: query.status["message"].startswith("Waiting") or query.exception(), what="the first trigger")
        query.stop()
    told = [record.getMessage() for record in caplog.records]
    assert [text for text in told if re.search("(?i)option|config", text)] == ["Kafka option 'ssl.protocol' has no effect here."]


# another run -------------------------------------------------------------------------------------------------------------

def test_older_run_is_shut_out(spark, broker, judge, topic, tmp_path):
    """Two machines run one query (its checkpoint copied): the later one takes over, the earlier one says so."""
    name, source = topic(), tmp_path / "in"
    source.mkdir()
    put(source / "0", "0\n")
    rows = spark.readStream.format("text").load(str(source))
    query = start(rows, broker, tmp_path / "checkpoint", name)
    query.processAllAvailable()
    shutil.copytree(tmp_path / "checkpoint", tmp_path / "copy")
    done = program("lines", broker, name, source, tmp_path / "copy")
    assert done.returncode == 0, done.stderr
    put(source / "1", "1\n")
    with pytest.raises(StreamingQueryException, match=r"\[KAFKA_FENCED\] Another run of this query writes to Kafka now"):
        query.processAllAvailable()
    assert committed(judge, name) == ["0"]


def test_transaction_of_a_dead_run_is_ended(broker, judge, topic, source, tmp_path):
    """A killed run leaves a transaction open, which holds readers up: the next run ends it when it starts."""
    name, checkpoint = topic(), tmp_path / "checkpoint"
    assert program("lines", broker, name, source, checkpoint, failpoint="kafka.offsets_sent=exit:2").returncode == KILLED
    assert judge.ends(name, committed=True)[0] < judge.ends(name)[0]
    assert program("lines", broker, name, source, checkpoint).returncode == 0
    check_lines(committed(judge, name))


def test_old_copy_of_a_checkpoint(spark, broker, judge, topic, tmp_path):
    """Batch 1 is in Kafka, so the copy's batch 1 is not written, whatever its rows are: as the writer's notes say."""
    name, source = topic(), tmp_path / "in"
    source.mkdir()
    rows = spark.readStream.format("text").load(str(source))
    for number in range(2):
        put(source / str(number), f"{number}\n")
        query = start(rows, broker, tmp_path / "checkpoint", name)
        query.processAllAvailable()
        query.stop()
        if number == 0:
            shutil.copytree(tmp_path / "checkpoint", tmp_path / "copy")
    put(source / "1", "one\n")
    query = start(rows, broker, tmp_path / "copy", name)
    query.processAllAvailable()
    put(source / "2", "2\n")
    query.processAllAvailable()
    query.stop()
    assert committed(judge, name) == ["0", "1", "2"]


# the number is lost --------------------------------------------------------------------------------------------------------

@pytest.fixture
def lost(broker, judge, topic, source, tmp_path):
    """A run that died after the commit of its second batch, and brokers that forgot its number."""
    name, checkpoint = topic(), tmp_path / "checkpoint"
    assert program("lines", broker, name, source, checkpoint, failpoint="kafka.committed=exit:2").returncode == KILLED
    judge.forget_group(number_is(judge, checkpoint, 2)[0])
    return name, checkpoint


def test_lost_number_is_an_error(broker, judge, source, lost):
    name, checkpoint = lost
    for _ in range(2):  # and stays one
        done = program("lines", broker, name, source, checkpoint)
        assert done.returncode == 1
        assert re.search(r"\[KAFKA_BATCH_ID_LOST\] An earlier run may have written batch 1 to Kafka, .* pystream.kafka.onLostBatchId",
                         done.stderr)
    assert len(committed(judge, name)) == 2 * 21


@pytest.mark.parametrize("point", ["batch.sink", "kafka.begun", "kafka.offsets_sent"])
@pytest.mark.parametrize("choice, times", [("skip", 1), ("resend", 2)])
def test_lost_number_with_a_choice(broker, judge, source, lost, choice, times, point):
    """The batch is there already, so `skip` is right here, and `resend` writes it twice; a crash on the way changes nothing."""
    name, checkpoint = lost
    option = f"pystream.kafka.onLostBatchId={choice}"
    assert program("lines", broker, name, source, checkpoint, option, failpoint=f"{point}=exit").returncode == KILLED
    done = program("lines", broker, name, source, checkpoint)  # the choice was made: the option is not needed any more
    assert done.returncode == 0, done.stderr
    values = collections.Counter(value.split()[0] for value in committed(judge, name))
    assert {values[f"1-{row}"] for row in range(20)} == {times}
    assert {values[f"{number}-{row}"] for number in (0, 2, 3, 4) for row in range(20)} == {1}


def test_lost_number_between_batches(broker, judge, topic, source, tmp_path):
    """No batch was on its way: nothing is in doubt.  A crash of the next batch is an ordinary one again."""
    name, checkpoint = topic(), tmp_path / "checkpoint"
    assert program("lines", broker, name, source, checkpoint, failpoint="batch.committed=exit:2").returncode == KILLED
    judge.forget_group(number_is(judge, checkpoint, 2)[0])
    for point in ("batch.logged", "kafka.begun", "kafka.offsets_sent", "kafka.committed"):
        assert program("lines", broker, name, source, checkpoint, failpoint=f"{point}=exit").returncode == KILLED
    done = program("lines", broker, name, source, checkpoint)
    assert done.returncode == 0, done.stderr
    check_lines(committed(judge, name))


def test_lost_number_of_a_query_that_had_nothing_to_do(spark, broker, judge, topic, tmp_path):
    """Forgotten in a pause of a running query: the batch behind the pause stores it again, so that its failure leaves no doubt."""
    name, source, checkpoint = topic(), tmp_path / "in", tmp_path / "checkpoint"
    source.mkdir()
    put(source / "0", "0\n")
    rows = spark.readStream.format("text").load(str(source))
    query = start(rows, broker, checkpoint, name)
    query.processAllAvailable()
    query.stop()
    query = start(rows.selectExpr("CAST(value + 0 AS string) AS value"), broker, checkpoint, name)
    query.processAllAvailable()
    judge.forget_group(number_is(judge, checkpoint, 1)[0])
    put(source / "1", "1\nx\n")
    with pytest.raises(StreamingQueryException, match="CAST_INVALID_INPUT"):
        query.awaitTermination(30)
    query = start(rows, broker, checkpoint, name)
    query.processAllAvailable()
    query.stop()
    assert committed(judge, name) == ["0", "1", "x"]
    number_is(judge, checkpoint, 2)


def test_topic_of_the_number_is_deleted(broker, judge, topic, source, tmp_path):
    """With the topic its number goes.  Between two batches that is harmless, and another topic takes it."""
    old, new, checkpoint = topic(), topic(), tmp_path / "checkpoint"
    assert program("lines", broker, old, source, checkpoint, failpoint="batch.committed=exit:2").returncode == KILLED
    judge.delete(old)
    done = program("lines", broker, new, source, checkpoint)
    assert done.returncode == 0, done.stderr
    assert len(committed(judge, new)) == 3 * 21
    assert (checkpoint / "sinks/0/kafka/1").exists()


# time ------------------------------------------------------------------------------------------------------------------------

def test_transaction_that_takes_too_long(tmp_path):
    """The program is stopped in the middle of a batch until the broker has given its transaction up."""
    if why := missing():
        pytest.skip(why)
    source = tmp_path / "in"
    source.mkdir()
    put(source / "0", "a\n" * 1_000_000)
    with Broker(properties={"transaction.abort.timed.out.transaction.cleanup.interval.ms": 200}) as broker:
        judge = Judge(broker.bootstrap)
        judge.create("t")
        running = subprocess.Popen([sys.executable, PROGRAM, "lines", broker.bootstrap, "t", source, tmp_path / "checkpoint",
                                    "kafka.transaction.timeout.ms=1000"], stderr=subprocess.PIPE, text=True)
        wait_until(lambda: judge.ends("t")[0] > 0, what="the first row")
        running.send_signal(signal.SIGSTOP)
        wait_until(lambda: judge.ends("t", committed=True) == judge.ends("t"), what="the end of the transaction")
        running.send_signal(signal.SIGCONT)
        _, errors = running.communicate(timeout=60)
        assert re.search(r"\[KAFKA_TRANSACTION_EXPIRED\] The brokers gave up the transaction of batch 0: it was open for \d+ ms, "
                         r"longer than kafka.transaction.timeout.ms \(1000\) allows", errors), errors
        assert judge.values("t") == []


def test_timeout_above_the_brokers(spark, broker, topic, tmp_path):
    query = start(spark.readStream.format("rate").load().selectExpr("CAST(value AS string) value"), broker, tmp_path, topic(),
                  kafka_transaction_timeout_ms="3600000")
    with pytest.raises(StreamingQueryException, match="Starting transactions failed: .*timeout"):
        query.awaitTermination(30)


@pytest.mark.parametrize("when", ["start", "batch"])
def test_stop_while_the_broker_is_frozen(spark, own_broker, tmp_path, when):
    judge = Judge(own_broker.bootstrap)
    judge.create("t")
    source = tmp_path / "in"
    source.mkdir()
    if when == "start":
        own_broker.freeze()
    query = start(spark.readStream.format("text").load(str(source)), own_broker, tmp_path / "checkpoint", "t")
    if when == "batch":
        put(source / "0", "a\n")
        query.processAllAvailable()
        own_broker.freeze()
        put(source / "1", "b\n")
    time.sleep(1)
    began = time.monotonic()
    query.stop()
    assert time.monotonic() - began < 0.5
    own_broker.thaw()
    query = start(spark.readStream.format("text").load(str(source)), own_broker, tmp_path / "checkpoint", "t")
    query.processAllAvailable()
    query.stop()
    assert committed(judge, "t") == (["a", "b"] if when == "batch" else [])


def test_frozen_broker_is_an_error_in_time(spark, own_broker, tmp_path):
    own_broker.freeze()
    began = time.monotonic()
    query = start(spark.readStream.format("rate").load().selectExpr("CAST(value AS string) value"), own_broker, tmp_path, "t",
                  kafka_max_block_ms="1500")
    with pytest.raises(StreamingQueryException, match="Starting transactions timed out"):
        query.awaitTermination(30)
    assert time.monotonic() - began < 5
    own_broker.thaw()
