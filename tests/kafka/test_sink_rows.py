"""Writing into topics: columns, checks, placement, batches (E.1 to E.4)."""
import json
import time

import pytest
from judge import wait_until
from pystream.errors import AnalysisException, StreamingQueryException
from pystream.sql import functions as F
from queries import ON_SPARK, VALUES, progress_of, wording

EARLIEST = {"startingOffsets": "earliest"}


def frame(kafka, rows, schema):
    return kafka.spark.createDataFrame(rows, schema)


def keys_and_values(judge, name) -> list[tuple]:
    return [(record.key, record.value) for record in judge.read(name)]


# columns ------------------------------------------------------------------------


@pytest.mark.parametrize("schema, row, expected", [
    ("value STRING", ("ä",), (None, "ä".encode())),
    ("value BINARY", (b"\0\xff",), (None, b"\0\xff")),
    ("key STRING, value STRING", ("k", "v"), (b"k", b"v")),
    ("key BINARY, value BINARY", (b"k", b"v"), (b"k", b"v")),
    ("value STRING, key STRING", (None, "k"), (b"k", None)),
    ("key STRING, value STRING", (None, "v"), (None, b"v")),
    ("key STRING, value STRING", ("", ""), (b"", b"")),
    ("key BINARY, value BINARY", (None, None), (None, None)),
    pytest.param("key BINARY, value STRING", (b"k" * 13, "é" * 5000), (b"k" * 13, "é".encode() * 5000), id="long ones"),
    ("key STRING, value STRING, other INT, timestamp TIMESTAMP", ("k", "v", 3, None), (b"k", b"v")),
], ids=str)
def test_keys_and_values(kafka, judge, topic, schema, row, expected):
    name = topic()
    kafka.write(frame(kafka, [row], schema), topic=name)
    assert keys_and_values(judge, name) == [expected]


def test_time_is_the_producers(kafka, judge, topic):
    """A column `timestamp` is not honoured."""
    name = topic()
    kafka.write(kafka.spark.sql("SELECT 'v' AS value, TIMESTAMP '2001-01-01 00:00:00' AS timestamp"), topic=name)
    assert abs(judge.read(name)[0].timestamp / 1000 - time.time()) < 600


def test_each_row_names_its_topic(kafka, judge, topic):
    one, two = topic(), topic()
    kafka.write(frame(kafka, [(one, "a"), (two, "b"), (one, "c")], "topic STRING, value STRING"))
    assert (sorted(judge.values(one)), judge.values(two)) == (["a", "c"], ["b"])


def test_the_option_wins_over_the_column(kafka, judge, topic):
    """EX-E1."""
    one, two = topic(), topic()
    kafka.write(frame(kafka, [(one, "a"), (None, "b")], "topic STRING, value STRING"), topic=f"  {two}\t")
    assert (judge.values(one), sorted(judge.values(two))) == ([], ["a", "b"])


def test_headers_arrive_as_they_were(kafka, judge, topic):
    """EX-E2: order and duplicates kept, null is none."""
    name = topic()
    rows = [([("a", b"b")], "1"), ([("c", b"d"), ("e", b"f")], "2"), ([("g", b"h"), ("g", b"i")], "3"), (None, "4"),
            ([("n", None), ("", b"")], "5")]
    kafka.write(frame(kafka, rows, "headers ARRAY<STRUCT<key: STRING, value: BINARY>>, value STRING"), topic=name)
    assert sorted(((record.headers, record.value.decode()) for record in judge.read(name)), key=lambda row: row[1]) == rows
    back = kafka.table("headers;" + VALUES, subscribe=name, includeHeaders=True).collect()
    assert sorted(((row[0] and [tuple(header) for header in row[0]], row[1]) for row in back), key=lambda row: row[1]) == rows


def test_headers_that_are_none_and_that_have_no_key(kafka, judge, topic):
    name, schema = topic(), "headers ARRAY<STRUCT<key: STRING, value: BINARY>>, value STRING"
    kafka.write(frame(kafka, [([], "v")], schema), topic=name)
    assert not judge.read(name)[0].headers
    with pytest.raises(Exception, match=wording("Null header keys are not permitted", "NullPointerException")):
        kafka.write(frame(kafka, [([(None, b"x")], "v")], schema), topic=name)


def test_headers_go_from_topic_to_topic(kafka, judge, topic):
    one, two = topic(), topic()
    judge.produce(one, ("k", "v", [("h", b"1"), ("h", b"2")]), ("k", None))
    query = kafka.write_stream(kafka.stream("key;value;headers", subscribe=one, includeHeaders=True, **EARLIEST), topic=two)
    query.processAllAvailable()
    assert [record[2:4] + record[6:] for record in judge.read(two)] == [(b"k", b"v", [("h", b"1"), ("h", b"2")]), (b"k", None, None)]


# checks --------------------------------------------------------------------------

CHECKS = [
    ("SELECT 'k' AS key", {"topic": "t"}, "Required attribute 'value' not found"),
    ("SELECT 'v' AS value", {}, "topic option required when no 'topic' attribute is present. Use the topic option for setting a topic."),
    ("SELECT 1 AS value", {"topic": "t"}, r"value attribute unsupported type int. value must be a\(n\) string or binary"),
    ("SELECT 1.5D AS key, 'v' AS value", {"topic": "t"}, r"key attribute unsupported type double. key must be a\(n\) string or binary"),
    ("SELECT 1 AS topic, 'v' AS value", {}, r"topic attribute unsupported type int. topic must be a\(n\) string"),
    ("SELECT 'x' AS partition, 'v' AS value", {"topic": "t"}, r"partition attribute unsupported type string. partition must be a\(n\) int"),
    ("SELECT 1L AS partition, 'v' AS value", {"topic": "t"}, r"partition attribute unsupported type bigint. partition must be a\(n\) int"),
    ("SELECT array('x') AS headers, 'v' AS value", {"topic": "t"}, r"headers attribute unsupported type array<string>. "
     r"headers must be a\(n\) array<struct<key:string,value:binary>>"),
    ("SELECT 'x' AS headers, 'v' AS value", {"topic": "t"}, r"headers attribute unsupported type string. "
     r"headers must be a\(n\) array<struct<key:string,value:binary>>"),
]


@pytest.mark.parametrize("sql, options, match", CHECKS, ids=str)
def test_columns_of_a_batch_are_checked(kafka, sql, options, match):
    with pytest.raises(AnalysisException, match="(?i)" + match) as caught:
        kafka.write(kafka.spark.sql(sql), **options)
    assert caught.value.getCondition() == "_LEGACY_ERROR_TEMP_3080"


@pytest.mark.parametrize("sql, options, match", CHECKS, ids=str)
def test_columns_of_a_stream_are_checked(kafka, judge, topic, sql, options, match):
    name = topic()
    judge.produce(name, "a")
    df = kafka.stream(select=None, subscribe=name, **EARLIEST).selectExpr(sql.removeprefix("SELECT ").split(", ")[0],
                                                                        *sql.split(", ")[1:])
    with pytest.raises((StreamingQueryException, AnalysisException), match="(?i)" + match):
        kafka.write_stream(df, **options).processAllAvailable()


def test_a_null_topic_fails(kafka):
    """EX-E4."""
    with pytest.raises(Exception, match=wording("KAFKA_NULL_TOPIC_IN_DATA", "null topic present in the data|KAFKA_NULL_TOPIC_IN_DATA")):
        kafka.write(frame(kafka, [(None, "1")], "topic STRING, value STRING"))


def test_servers_are_required(kafka):
    with pytest.raises(Exception, match=wording("Option 'kafka.bootstrap.servers' must be specified for configuring Kafka producer",
                                              r"bootstrap\.servers")):
        kafka.spark.sql("SELECT 'v' AS value").write.format("kafka").option("topic", "t").save()


def test_names_of_columns_are_exact(kafka, judge, topic):
    name = topic()
    kafka.write(frame(kafka, [("k", "v")], "KEY STRING, value STRING"), topic=name)
    assert keys_and_values(judge, name) == [(None, b"v")]
    with pytest.raises(AnalysisException, match="Required attribute 'value' not found"):
        kafka.write(frame(kafka, [("v",)], "Value STRING"), topic=name)


# partitions ------------------------------------------------------------------------


def test_the_partition_column_wins(kafka, judge, topic):
    """EX-E3."""
    name = topic(partitions=4)
    rows = [(str(i), str(i), 2 if i % 2 else None) for i in range(200)]
    kafka.write(frame(kafka, rows, "key STRING, value STRING, partition INT"), topic=name)
    places = {int(record.value): record.partition for record in judge.read(name)}
    assert len(places) == 200
    assert {place for value, place in places.items() if value % 2} == {2}
    assert {place for value, place in places.items() if not value % 2} == {0, 1, 2, 3}


def test_keys_lie_where_the_java_client_puts_them(kafka, judge, topic):
    """murmur2 of the key, so that topics written by both stay joinable; a null partition is none.  The hashes are those of the
    tests of Kafka's own utilities."""
    here, null = topic(partitions=7), topic(partitions=7)
    hashes = {"21": -973932308, "foobar": -790332482, "a-little-bit-long-string": -985981536,
              "a-little-bit-longer-string": -1486304829, "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971}
    kafka.write(frame(kafka, [(key, key) for key in hashes], "key STRING, value STRING"), topic=here)
    kafka.write(frame(kafka, [(key, key, None) for key in hashes], "key STRING, value STRING, partition INT"), topic=null)
    for name in (here, null):
        assert {record.key.decode(): record.partition for record in judge.read(name)} == \
            {key: (number & 0x7fffffff) % 7 for key, number in hashes.items()}


@pytest.mark.parametrize("partition", [2, -2])
def test_a_partition_that_is_not_there_fails(kafka, topic, partition):
    name = topic(partitions=2)
    with pytest.raises(Exception, match=f"Invalid partition: {partition}" if partition < 0 else wording("Unknown partition", "(?i)partition")):
        kafka.write(frame(kafka, [("v", partition)], "value STRING, partition INT"), topic=name, kafka_max_block_ms=2000,
                    kafka_delivery_timeout_ms=3000, kafka_request_timeout_ms=2000)


# batches -------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["append", "error", "errorifexists", None])
def test_modes_that_append(kafka, judge, topic, mode):
    name = topic()
    for value in "ab":
        kafka.write(frame(kafka, [(value,)], "value STRING"), topic=name, mode=mode)
    assert judge.values(name) == ["a", "b"]


@pytest.mark.parametrize("mode", ["overwrite", "ignore"])
def test_modes_that_are_refused(kafka, topic, mode):
    """EX-E5."""
    with pytest.raises(AnalysisException, match=f"(?i)Save mode {mode} not allowed for Kafka. Allowed save modes are Append and "
                                                "ErrorIfExists"):
        kafka.write(frame(kafka, [("a",)], "value STRING"), topic=topic(), mode=mode)


def test_many_rows(kafka, judge, topic):
    name = topic(partitions=3)
    kafka.write(kafka.spark.range(50_000).selectExpr("CAST(id AS STRING) AS key", "repeat(CAST(id AS STRING), 10) AS value"), topic=name)
    records = judge.read(name)
    assert sorted(int(record.key) for record in records) == list(range(50_000))
    assert all(record.value == record.key * 10 for record in records)


def test_a_small_buffer_holds_up_but_loses_nothing(kafka, judge, topic):
    """buffer.memory: what is full makes the query wait, not fail."""
    name = topic()
    kafka.write(kafka.spark.range(20_000).selectExpr("repeat('x', 1000) AS value"), topic=name, kafka_buffer_memory=2 << 20,
                kafka_batch_size=200_000)
    assert judge.ends(name) == {0: 20_000}


# streams --------------------------------------------------------------------------------


def test_topic_to_topic(kafka, judge, topic):
    one, two, checkpoint = topic(partitions=2), topic(), kafka.new_checkpoint()
    judge.produce(one, "a", "b")
    judge.produce(one, "c", partition=1)

    def run():
        query = kafka.write_stream(kafka.stream(subscribe=one, **EARLIEST), checkpoint=checkpoint, topic=two)
        query.processAllAvailable()
        query.stop()
    run()
    assert sorted(judge.values(two)) == ["a", "b", "c"]
    judge.produce(one, "d")
    run()
    assert judge.values(two)[3:] == ["d"]


def test_changed_groups_are_appended(kafka, judge, topic):
    """EX-E6."""
    words, counts = topic(), topic()
    judge.produce(words, *"abca")
    counted = kafka.stream(subscribe=words, **EARLIEST).groupBy("value").count() \
        .select(F.col("value").alias("key"), F.col("count").cast("string").alias("value"))
    query = kafka.write_stream(counted, mode="update", topic=counts)
    query.processAllAvailable()
    assert progress_of(query)[-1]["sink"]["numOutputRows"] == 3
    assert progress_of(query)[-1]["sink"]["description"].startswith("org.apache.spark.sql.kafka010.KafkaSourceProvider$KafkaTable")
    judge.produce(words, "a")
    query.processAllAvailable()
    assert sorted(keys_and_values(judge, counts)) == [(b"a", b"2"), (b"a", b"3"), (b"b", b"1"), (b"c", b"1")]
    assert progress_of(query)[-1]["sink"]["numOutputRows"] == 1


@pytest.mark.parametrize("mode, expected", [("complete", ["a1", "a2", "b1", "b1"]), ("append", None)])
def test_output_modes(kafka, judge, topic, mode, expected):
    words, counts = topic(), topic()
    judge.produce(words, "a", "b")
    counted = kafka.stream(subscribe=words, **EARLIEST).groupBy("value").count() \
        .selectExpr("concat(value, CAST(count AS STRING)) AS value")
    if expected is None:
        with pytest.raises(AnalysisException, match="(?i)append output mode|output mode: append"):
            kafka.write_stream(counted, mode=mode, topic=counts)
        return
    query = kafka.write_stream(counted, mode=mode, topic=counts)
    query.processAllAvailable()
    judge.produce(words, "a")
    query.processAllAvailable()
    assert sorted(judge.values(counts)) == expected


def test_windows_from_topic_to_topic(kafka, judge, topic):
    one, two = topic(), topic()
    judge.produce(one, *((None, word, None, at * 1000) for word, at in (("a", 1), ("a", 4), ("b", 12), ("c", 40))))
    windows = (kafka.stream("timestamp;" + VALUES, subscribe=one, **EARLIEST).withWatermark("timestamp", "1 second")
               .groupBy(F.window("timestamp", "10 seconds"), "value").count()
               .select(F.to_json(F.struct(F.col("window.start").cast("long").alias("at"), "value", "count")).alias("value")))
    kafka.write_stream(windows, topic=two).processAllAvailable()
    assert sorted(judge.values(two)) == ['{"at":0,"value":"a","count":2}', '{"at":10,"value":"b","count":1}']


def test_foreach_batch_writes_batches(kafka, judge, topic):
    one, two = topic(), topic()
    judge.produce(one, "a", "b")
    query = kafka.stream(subscribe=one, **EARLIEST).writeStream.foreachBatch(lambda df, _: kafka.write(df, topic=two)) \
        .option("checkpointLocation", str(kafka.new_checkpoint())).start()
    kafka.started.append(query)
    query.processAllAvailable()
    assert judge.values(two) == ["a", "b"]


def test_a_failed_delivery_fails_the_batch(kafka, judge, topic):
    """With the broker's reason; a restart writes the batch again: at least once."""
    one, two, checkpoint = topic(), topic(max_message_bytes=1000), kafka.new_checkpoint()
    judge.produce(one, "small", "x" * 5000)
    df = kafka.stream(subscribe=one, **EARLIEST)
    query = kafka.write_stream(df, checkpoint=checkpoint, topic=two)
    with pytest.raises(StreamingQueryException, match="(?i)too.?large|larger than"):
        query.processAllAvailable()
    query = kafka.write_stream(df.where("length(value) < 1000"), checkpoint=checkpoint, topic=two)
    query.processAllAvailable()
    assert set(judge.values(two)) == {"small"}


@pytest.mark.ours
def test_a_topic_that_is_not_there_fails(kafka, new_name):
    """Within max.block.ms; brokers here make no topics by themselves."""
    began = time.monotonic()
    name = new_name()
    with pytest.raises(Exception, match="(?i)unknown topic|not present in metadata") as caught:
        kafka.write(frame(kafka, [("a",)], "value STRING"), topic=name, kafka_max_block_ms=3000)
    assert name in str(caught.value) and time.monotonic() - began < 20


def test_stop_does_not_wait_for_the_broker(kafka, judge, topic):
    name = topic()
    query = kafka.write_stream(kafka.stream(subscribe=name), topic=topic())
    wait_until(lambda: query.lastProgress or ON_SPARK and query.isActive, what="the first batch")
    began = time.monotonic()
    query.stop()
    assert time.monotonic() - began < 5


def test_to_json_into_value(kafka, judge, topic):
    one, two = topic(), topic()
    records = ['{"id":1,"name":"one","tags":["a","b"],"inner":{"a":1,"b":"x"}}', '{"name":"ä\\n\\"","id":2}']
    judge.produce(one, *records)
    schema = "id LONG, name STRING, tags ARRAY<STRING>, inner STRUCT<a: INT, b: STRING>"
    df = kafka.stream(select=None, subscribe=one, **EARLIEST).select(F.from_json(F.col("value").cast("string"), schema).alias("row")) \
        .select(F.col("row.id").cast("string").alias("key"), F.to_json("row").alias("value"))
    kafka.write_stream(df, topic=two).processAllAvailable()
    assert [(record.key, json.loads(record.value)) for record in judge.read(two)] == [
        (str(number).encode(), json.loads(text)) for number, text in enumerate(records, 1)]


def test_to_json_of_a_struct_into_value(kafka, judge, topic):
    one, two = topic(), topic()
    judge.produce(one, ("k", "v"))
    df = kafka.stream("CAST(key AS STRING) AS key;to_json(struct(CAST(value AS STRING) AS v, offset, topic)) AS value",
                      subscribe=one, **EARLIEST)
    kafka.write_stream(df, topic=two).processAllAvailable()
    assert judge.values(two) == [json.dumps({"v": "v", "offset": 0, "topic": one}, separators=(",", ":"))]
