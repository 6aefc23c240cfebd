"""What the sink does its own way: its options, runs of rows, a full queue, brokers that do not answer."""
import threading
import time

import pytest
from broker import free_port
from judge import wait_until

from pystream.errors import IllegalArgumentException
from pystream.sql import functions as F

pytestmark = pytest.mark.ours
NOWHERE = "127.0.0.1:1"


def put(path, text):
    """A file that is there at once: a running query must not see half of it."""
    hidden = path.with_name(f".{path.name}")
    hidden.write_text(text)
    hidden.rename(path)


def write(df, bootstrap, **options):
    writer = df.write.format("kafka").mode("append").option("kafka.bootstrap.servers", bootstrap)
    for name, value in options.items():
        writer = writer.option(name.replace("_", "."), value)
    writer.save()


# options ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("options, message", [
    ({"kafka_transactional_id": "x"}, "Set the option pystream.kafka.exactlyOnce to true"),
    ({"pystream_kafka_exactlyOnce": "true"}, "is for streaming queries"),
    ({"pystream_kafka_exactlyOnce": "yes"}, "Invalid value 'yes' for option 'pystream.kafka.exactlyOnce'"),
    ({"pystream_kafka_onLostBatchId": "x"}, "must be 'fail', 'resend' or 'skip'"),
    ({"pystream_kafka_exactlyOne": "true"}, "no option 'pystream.kafka.exactlyOne'. Did you mean 'pystream.kafka.exactlyOnce'?"),
])
def test_options_are_checked(spark, options, message):
    with pytest.raises(IllegalArgumentException) as failed:
        write(spark.sql("SELECT 'v' value"), NOWHERE, topic="t", **options)
    assert message in str(failed.value)


# rows ---------------------------------------------------------------------------------------------------------

def test_runs_of_rows_keep_their_order(spark, broker, judge, topic):
    """Rows are handed over in runs of one topic."""
    names = [topic(), topic(), topic()]
    rows = [(names[i * 7 % 3], str(i)) for i in range(3000)]
    write(spark.createDataFrame(rows, "topic string, value string"), broker.bootstrap)
    for name in names:
        assert judge.values(name) == [value for at, value in rows if at == name]


@pytest.mark.parametrize("name", ["", "a b", "x" * 250])
def test_names_that_no_topic_has(spark, broker, name):
    with pytest.raises(Exception, match="(?i)topic|invalid"):
        write(spark.createDataFrame([(name, "v")], "topic string, value string"), broker.bootstrap, kafka_delivery_timeout_ms="3000")


# waiting and failing ------------------------------------------------------------------------------------------------------

def test_full_queue_is_waited_for(spark, broker, judge, topic):
    """More rows than the queue holds, all of one key: none is lost and they keep their order."""
    name = topic(partitions=2)
    rows = spark.range(60_000).select(F.lit("k").alias("key"), F.col("id").cast("string").alias("value"))
    write(rows, broker.bootstrap, topic=name, kafka_queue_buffering_max_messages="500")
    assert judge.values(name) == [str(i) for i in range(60_000)]


def test_full_queue_with_headers(spark, broker, judge, topic):
    name = topic()
    rows = spark.range(5_000).select(F.col("id").cast("string").alias("value"), F.expr(
        "CASE WHEN id % 3 = 0 THEN array(named_struct('key', 'h', 'value', CAST('x' AS binary))) END").alias("headers"))
    write(rows, broker.bootstrap, topic=name, kafka_queue_buffering_max_messages="100")
    assert judge.values(name) == [str(i) for i in range(5_000)]


def test_too_large_a_message(spark, broker, topic):
    name = topic(max_message_bytes=2000)
    with pytest.raises(Exception, match=rf"Writing to {name}-0 failed: Broker: Message size too large \(MSG_SIZE_TOO_LARGE\)"):
        write(spark.sql("SELECT repeat('x', 5000) value"), broker.bootstrap, topic=name)
    with pytest.raises(Exception, match=rf"Writing to {name} failed: .*Message size too large"):
        write(spark.sql("SELECT repeat('x', 2000000) value"), broker.bootstrap, topic=name)


def test_nobody_answers(spark):
    began = time.monotonic()
    with pytest.raises(Exception, match="Writing to t timed out: .*Last failure: .*Connection refused"):
        write(spark.sql("SELECT 'v' value"), f"127.0.0.1:{free_port()}", topic="t", kafka_delivery_timeout_ms="2000",
              kafka_request_timeout_ms="1000")
    assert time.monotonic() - began < 6


def test_full_queue_that_stays_so(spark):
    began = time.monotonic()
    with pytest.raises(Exception, match="Writing to t timed out: the queue of messages stayed full for max.block.ms"):
        write(spark.range(100_000).selectExpr("CAST(id AS string) value"), f"127.0.0.1:{free_port()}", topic="t",
              kafka_max_block_ms="1000", kafka_queue_buffering_max_messages="1000")
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("rows", [1, 100_000], ids=["at the flush", "at the queue"])
def test_stop_while_nobody_answers(spark, tmp_path, rows):
    source = tmp_path / "in"
    source.mkdir()
    put(source / "0", "x\n" * rows)
    query = (spark.readStream.format("text").load(str(source)).writeStream.format("kafka")
             .option("kafka.bootstrap.servers", f"127.0.0.1:{free_port()}").option("topic", "t")
             .option("kafka.queue.buffering.max.messages", "1000")
             .option("checkpointLocation", str(tmp_path / "checkpoint")).start())
    wait_until(lambda: query.status["isTriggerActive"], what="the batch")
    time.sleep(0.5)
    began = time.monotonic()
    query.stop()
    assert time.monotonic() - began < 1
    assert query.exception() is None


def test_broker_that_pauses(spark, own_broker, tmp_path):
    """It freezes while rows are on their way: they arrive when it goes on."""
    from judge import Judge
    judge = Judge(own_broker.bootstrap)
    judge.create("t")
    own_broker.freeze()
    threading.Timer(2, own_broker.thaw).start()
    write(spark.range(1000).selectExpr("CAST(id AS string) value"), own_broker.bootstrap, topic="t")
    assert judge.values("t") == [str(i) for i in range(1000)]
