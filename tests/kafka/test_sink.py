"""The sink at least once: columns, options, errors, placement, back-pressure."""
import threading
import time

import pytest
from broker import free_port
from judge import wait_until

from pystream.errors import AnalysisException, IllegalArgumentException, StreamingQueryException
from pystream.sql import functions as F

NOWHERE = "127.0.0.1:1"


def put(path, text):
    """A file that is there at once: a running query must not see half of it."""
    hidden = path.with_name(f".{path.name}")
    hidden.write_text(text)
    hidden.rename(path)


def write(df, bootstrap, mode="append", **options):
    writer = df.write.format("kafka").mode(mode).option("kafka.bootstrap.servers", bootstrap)
    for name, value in options.items():
        writer = writer.option(name.replace("_", "."), value)
    writer.save()


# columns and options ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("columns, options, message", [
    ("'v' value", {}, "topic option required when no 'topic' attribute is present. Use the topic option for setting a topic."),
    ("1 value", {"topic": "t"}, "value attribute unsupported type int. value must be a(n) string or binary"),
    ("'k' key", {"topic": "t"}, "Required attribute 'value' not found"),
    ("'v' VALUE", {"topic": "t"}, "Required attribute 'value' not found"),
    ("'v' value, 1.0 key", {"topic": "t"}, "key attribute unsupported type decimal(2,1). key must be a(n) string or binary"),
    ("'v' value, 1 topic", {}, "topic attribute unsupported type int. topic must be a(n) string"),
    ("'v' value, 1L partition", {"topic": "t"}, "partition attribute unsupported type bigint. partition must be a(n) int"),
    ("'v' value, array('a') headers", {"topic": "t"},
     "headers attribute unsupported type array<string>. headers must be a(n) array<struct<key:string,value:binary>>"),
])
def test_columns_are_checked(spark, columns, options, message):
    with pytest.raises(AnalysisException) as failed:
        write(spark.sql(f"SELECT {columns}"), NOWHERE, **options)
    assert str(failed.value) == message


@pytest.mark.parametrize("mode, name", [("overwrite", "Overwrite"), ("ignore", "Ignore")])
def test_save_modes(spark, mode, name):
    with pytest.raises(AnalysisException, match=f"Save mode {name} not allowed for Kafka. Allowed save modes are Append and "):
        write(spark.sql("SELECT 'v' value"), NOWHERE, mode, topic="t")


@pytest.mark.parametrize("options, message", [
    ({"kafka_key_serializer": "x"}, "Kafka option 'key.serializer' is not supported as keys are serialized with ByteArraySerializer."),
    ({"kafka_value_serializer": "x"}, "Kafka option 'value.serializer' is not supported as values are serialized with ByteArraySerializer."),
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


def test_servers_must_be_named(spark):
    with pytest.raises(IllegalArgumentException) as failed:
        spark.sql("SELECT 'v' value").write.format("kafka").option("topic", "t").save()
    assert str(failed.value) == "Option 'kafka.bootstrap.servers' must be specified for configuring Kafka producer"


def test_streams_tell_on_the_query(spark, tmp_path):
    query = (spark.readStream.format("rate").load().writeStream.format("kafka").option("kafka.bootstrap.servers", NOWHERE)
             .option("topic", "t").option("checkpointLocation", str(tmp_path)).start())
    with pytest.raises(StreamingQueryException, match="value attribute unsupported type bigint|Required attribute 'value' not found"):
        query.awaitTermination(10)


# what arrives ---------------------------------------------------------------------------------------------------------

def test_option_names_the_topic_of_all_rows(spark, broker, judge, topic):
    named, column = topic(), topic()
    write(spark.sql(f"SELECT 'v' value, '{column}' topic"), broker.bootstrap, topic=f"  {named}\t")
    assert judge.values(named) == ["v"]
    assert judge.values(column) == []


def test_rows_name_their_topics(spark, broker, judge, topic):
    names = [topic(), topic(), topic()]
    rows = [(names[i * 7 % 3], str(i)) for i in range(3000)]
    write(spark.createDataFrame(rows, "topic string, value string"), broker.bootstrap)
    for name in names:
        assert judge.values(name) == [value for at, value in rows if at == name]


def test_null_topic(spark, broker, topic):
    with pytest.raises(Exception, match=r"\[KAFKA_NULL_TOPIC_IN_DATA\] The Kafka message data sent to the producer contains a null topic"):
        write(spark.sql("SELECT '1' value, CAST(NULL AS string) topic"), broker.bootstrap)


@pytest.mark.parametrize("name", ["", "a b", "x" * 250])
def test_names_that_no_topic_has(spark, broker, name):
    with pytest.raises(Exception, match="(?i)topic|invalid"):
        write(spark.createDataFrame([(name, "v")], "topic string, value string"), broker.bootstrap, kafka_delivery_timeout_ms="3000")


def test_values_and_keys(spark, broker, judge, topic):
    name = topic()
    long = "é" * 5000
    rows = [(b"", b"\x00\xff"), (None, None), (b"k", b""), (b"k" * 13, long.encode())]
    write(spark.createDataFrame(rows, "key binary, value binary"), broker.bootstrap, topic=name)
    assert [(record.key, record.value) for record in judge.read(name)] == rows
    write(spark.createDataFrame([("é", "ü")], "key string, value string"), broker.bootstrap, topic=name)
    assert judge.read(name)[-1][2:4] == ("é".encode(), "ü".encode())


def test_headers(spark, broker, judge, topic):
    name = topic()
    headers = [[("a", b"b")], [("c", b"d"), ("e", b"f")], [("g", b"h"), ("g", b"i"), ("n", None), ("", b"")], None, []]
    rows = [(str(i), row) for i, row in enumerate(headers)]
    write(spark.createDataFrame(rows, "value string, headers array<struct<key:string,value:binary>>"), broker.bootstrap, topic=name)
    assert [record.headers for record in judge.read(name)] == [*headers[:3], None, None]
    with pytest.raises(Exception, match="Null header keys are not permitted"):
        write(spark.createDataFrame([("v", [(None, b"x")])], "value string, headers array<struct<key:string,value:binary>>"),
              broker.bootstrap, topic=name)


def test_partition_column_wins(spark, broker, judge, topic):
    name = topic(partitions=4)
    rows = [(str(i), str(i), 2 if i % 2 else None) for i in range(200)]
    write(spark.createDataFrame(rows, "key string, value string, partition int"), broker.bootstrap, topic=name)
    records = judge.read(name)
    assert len(records) == 200
    assert {record.partition for record in records if int(record.value) % 2} == {2}
    assert len({record.partition for record in records if not int(record.value) % 2}) == 4
    for partition in (4, -2):
        with pytest.raises(Exception, match=f"Unknown partition|Invalid partition: {partition}"):
            write(spark.sql(f"SELECT 'v' value, {partition} partition"), broker.bootstrap, topic=name)


def test_keys_lie_where_the_java_client_puts_them(spark, broker, judge, topic):
    """Hashes from the tests of Kafka's own utilities."""
    name = topic(partitions=7)
    hashes = {"21": -973932308, "foobar": -790332482, "a-little-bit-long-string": -985981536,
              "a-little-bit-longer-string": -1486304829, "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971}
    write(spark.createDataFrame([(key, key) for key in hashes], "key string, value string"), broker.bootstrap, topic=name)
    assert {record.key.decode(): record.partition for record in judge.read(name)} == \
        {key: (number & 0x7fffffff) % 7 for key, number in hashes.items()}


def test_updates_are_appended(spark, broker, judge, topic, tmp_path):
    name, source = topic(), tmp_path / "in"
    source.mkdir()
    put(source / "0", "a\nb\nb\n")
    query = (spark.readStream.format("text").load(str(source)).groupBy("value").count()
             .select(F.expr("concat(value, count) AS value")).writeStream.outputMode("update").format("kafka")
             .option("kafka.bootstrap.servers", broker.bootstrap).option("topic", name)
             .option("checkpointLocation", str(tmp_path / "checkpoint")).start())
    try:
        query.processAllAvailable()
        assert query.lastProgress.sink.numOutputRows == 2
        assert query.lastProgress.sink.description == "org.apache.spark.sql.kafka010.KafkaSourceProvider$KafkaTable"
        put(source / "1", "a\n")
        query.processAllAvailable()
    finally:
        query.stop()
    assert sorted(judge.values(name)[:2]) == ["a1", "b2"] and judge.values(name)[2:] == ["a2"]


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
