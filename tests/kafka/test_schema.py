"""The columns of a record (D.1)."""
import datetime

import pytest
from pystream.errors import AnalysisException, UnsupportedOperationException
from pystream.sql import functions as F
from queries import VALUES

EARLIEST = {"startingOffsets": "earliest"}
COLUMNS = ["key: binary", "value: binary", "topic: string", "partition: integer", "offset: long", "timestamp: timestamp",
           "timestampType: integer"]


@pytest.mark.parametrize("kind", ["stream", "table"])
def test_seven_columns_all_nullable(kafka, topic, kind, capsys):
    df = getattr(kafka, kind)(select=None, subscribe=topic())
    df.printSchema()
    assert capsys.readouterr().out.split("\n")[1:8] == [f" |-- {column} (nullable = true)" for column in COLUMNS]
    assert len(df.columns) == 7


def test_headers_come_last(kafka, topic):
    df = kafka.stream(select=None, subscribe=topic(), includeHeaders=True)
    assert df.columns[-1] == "headers"
    assert df.schema["headers"].dataType.simpleString() == "array<struct<key:string,value:binary>>"


def test_a_record_is_a_row(kafka, judge, topic):
    name = topic(partitions=2)
    judge.produce(name, ("k", "v", None, 1_600_000_000_123), partition=1)
    [row] = kafka.table(select=None, subscribe=name).collect()
    assert (row.key, row.value, row.topic, row.partition, row.offset, row.timestampType) == (b"k", b"v", name, 1, 0, 0)
    [at] = kafka.table("CAST(timestamp AS DOUBLE)", subscribe=name).collect()[0]
    assert at == 1_600_000_000.123
    assert isinstance(row.timestamp, datetime.datetime)


def test_time_of_the_log(kafka, judge, topic):
    name = topic(message_timestamp_type="LogAppendTime")
    judge.produce(name, (None, "v", None, 1000))
    [row] = kafka.table("CAST(timestamp AS LONG) AS at;timestampType", subscribe=name).collect()
    assert row.timestampType == 1 and row.at > 1_500_000_000


def test_nulls_and_empty_bytes(kafka, judge, topic):
    """Tombstones are delivered; an empty value is not a null one."""
    name = topic()
    judge.produce(name, ("k", None), (None, None), ("", ""))
    follower = kafka.follow(subscribe=name, select="key;value", **EARLIEST)
    assert follower.settle() == [(b"k", None), (None, None), (b"", b"")]


def test_any_bytes(kafka, judge, topic):
    name, every = topic(), bytes(range(256))
    judge.produce(name, (every, every * 8), (b"\0", b"\xff\xfe"))
    assert [tuple(map(bytes, row)) for row in kafka.table("key;value", subscribe=name).collect()] == \
        [(every, every * 8), (b"\0", b"\xff\xfe")]


def test_large_records(kafka, judge, topic):
    """Beyond what a fetch asks of a partition at once."""
    name = topic(max_message_bytes=6_000_000)
    producer = judge.producer(message_max_bytes=6_000_000)
    judge.produce(name, "small", "x" * 3_000_000, "y" * 5_000_000, "end", producer=producer)
    assert [row[0] for row in kafka.table("length(value)", subscribe=name).collect()] == [5, 3_000_000, 5_000_000, 3]


HEADERS = [[("a", b"b")], [("c", b"d"), ("e", b"f")], [("g", b"h"), ("g", b"i")], [("n", None), ("", b"")], None]


def test_headers(kafka, judge, topic):
    """In order, with their duplicates; a record without any has null."""
    name = topic()
    judge.produce(name, *(("k", "v", headers) for headers in HEADERS))
    rows = kafka.table("headers", subscribe=name, includeHeaders="true").collect()
    assert [row[0] and [tuple(header) for header in row[0]] for row in rows] == HEADERS
    follower = kafka.follow(subscribe=name, includeHeaders="TRUE", select="size(headers)", **EARLIEST)
    assert follower.settle() == [1, 2, 2, 2, None]


@pytest.mark.parametrize("kind", ["readStream", "read"])
def test_a_schema_of_the_user_is_an_error(kafka, topic, kind):
    reader = getattr(kafka.spark, kind).format("kafka").schema("a INT").option("kafka.bootstrap.servers", kafka.bootstrap)
    with pytest.raises((UnsupportedOperationException, AnalysisException),
                       match="does not support user-specified schema|fixed schema|user-specified schema doesn't match"):
        reader.option("subscribe", topic()).load()


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_compressed_topics(kafka, judge, topic, codec):
    name = topic()
    rows = [f"{codec} {i}" for i in range(2000)]
    judge.produce(name, *rows, producer=judge.producer(compression_type=codec))
    follower = kafka.follow(subscribe=name, **EARLIEST)
    assert follower.settle() == rows


def test_columns_that_nobody_asks_for(kafka, judge, topic):
    name = topic()
    judge.produce(name, ("k", "v", [("h", b"1")]))
    assert kafka.table("partition", subscribe=name, includeHeaders=True).collect()[0][0] == 0
    assert kafka.table(select=None, subscribe=name).count() == 1


def test_values_as_text_keep_their_name(kafka, judge, topic):
    name = topic()
    judge.produce(name, ("ключ", "значение"))
    df = kafka.table("CAST(key AS STRING)", subscribe=name)
    assert df.columns == ["key"]
    both = kafka.table(select=None, subscribe=name).select(F.col("key").cast("string"), F.col("value").cast("string"))
    assert [tuple(row) for row in both.collect()] == [("ключ", "значение")]


def test_timestamps_are_event_times(kafka, judge, topic):
    name = topic()
    judge.produce(name, *((None, word, None, at * 1000) for word, at in (("a", 1), ("b", 4), ("a", 12), ("c", 40))))
    counted = (kafka.stream("timestamp;" + VALUES, subscribe=name, **EARLIEST).withWatermark("timestamp", "5 seconds")
               .groupBy(F.window("timestamp", "10 seconds")).count()
               .selectExpr("CAST(window.start AS LONG)", "count"))
    follower = kafka.follow(counted)
    assert sorted(follower.settle()) == [(0, 2), (10, 1)]
