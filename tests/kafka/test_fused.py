"""from_json over CAST(value AS STRING), to_json into value: the common path, in its results (fused or not)."""
import json

import pytest
from pystream.sql import functions as F

EARLIEST = {"startingOffsets": "earliest"}
SCHEMA = "id LONG, name STRING, price DOUBLE, tags ARRAY<STRING>, inner STRUCT<a: INT, b: STRING>"


def parsed(df):
    return df.select(F.from_json(F.col("value").cast("string"), SCHEMA).alias("row"))


RECORDS = [
    ('{"id":1,"name":"one","price":1.5,"tags":["a","b"],"inner":{"a":1,"b":"x"}}', (1, "one", 1.5, ["a", "b"], (1, "x"))),
    ('{"name":"ä\\u00e4\\n\\"","id":2}', (2, 'ää\n"', None, None, None)),
    ('{"id":"not a number","name":"n"}', (None, "n", None, None, None)),
    ("{}", (None, None, None, None, None)), ("garbage", (None, None, None, None, None)), ("", None), (None, None),
    ('{"id":3,"id":4}', (4, None, None, None, None)), ('{"ID":5}', (None, None, None, None, None)),
    ('{"id":6, "unknown": {"deep": [1, {"x": 2}]}, "name": "long ' + "x" * 5000 + '"}', (6, "long " + "x" * 5000, None, None, None)),
]


def flat(row):
    if row is None:
        return None
    return (row.id, row.name, row.price, row.tags, row.inner and tuple(row.inner))


@pytest.mark.parametrize("kind", ["stream", "table"])
def test_values_are_parsed(kafka, judge, topic, kind):
    name = topic()
    judge.produce(name, *(text for text, _ in RECORDS))
    if kind == "table":
        rows = [row[0] for row in parsed(kafka.table(select=None, subscribe=name)).collect()]
    else:
        rows = kafka.follow(parsed(kafka.stream(select=None, subscribe=name, **EARLIEST))).settle()
    assert [flat(row) for row in rows] == [expected for _, expected in RECORDS]


def test_all_columns_beside_the_parsed_ones(kafka, judge, topic):
    name = topic()
    judge.produce(name, ("k1", '{"id":1}'), ("k2", '{"id":2,"name":"b"}'))
    df = (kafka.stream(select=None, subscribe=name, **EARLIEST)
          .select(F.col("key").cast("string"), F.from_json(F.col("value").cast("string"), SCHEMA).alias("r"), "offset",
                  F.col("value").cast("string").alias("text"))
          .select("key", "r.id", "r.name", "offset", "text"))
    assert kafka.follow(df).settle() == [("k1", 1, None, 0, '{"id":1}'), ("k2", 2, "b", 1, '{"id":2,"name":"b"}')]


def test_filters_before_and_behind(kafka, judge, topic):
    name = topic()
    judge.produce(name, *(json.dumps({"id": i, "name": "even" if i % 2 == 0 else "odd"}) for i in range(1000)))
    df = parsed(kafka.stream(select=None, subscribe=name, **EARLIEST).where("offset >= 100")).select("row.*") \
        .where("name = 'even' AND id < 200").select("id")
    assert kafka.follow(df).settle() == list(range(100, 200, 2))


def test_group_by_a_parsed_name(kafka, judge, topic):
    name = topic(partitions=3)
    for partition in range(3):
        judge.produce(name, *(json.dumps({"id": i, "name": f"n{i % 7}"}) for i in range(2000)), partition=partition)
    counted = parsed(kafka.stream(select=None, subscribe=name, **EARLIEST)).groupBy("row.name").agg(F.count("*"), F.sum("row.id"))
    follower = kafka.follow(counted, mode="update")
    follower.settle()
    last = {word: (n, total) for word, n, total in follower.rows}
    assert last == {f"n{k}": (3 * len(range(k, 2000, 7)), 3 * sum(range(k, 2000, 7))) for k in range(7)}


def test_strings_outlive_their_batch(kafka, judge, topic):
    """What state keeps of a message is not the message's memory."""
    name = topic()
    counted = parsed(kafka.stream(select=None, subscribe=name, **EARLIEST)).groupBy(F.col("row.name").alias("name")) \
        .agg(F.max("row.inner.b").alias("b"))
    follower = kafka.follow(counted, mode="update")
    for round_ in range(5):
        judge.produce(name, *(json.dumps({"name": f"a name longer than sixteen bytes {i}", "inner": {"b": f"{round_}" * 40}})
                              for i in range(300)))
        follower.settle()
    assert {row[0]: row[1] for row in follower.rows} == {f"a name longer than sixteen bytes {i}": "4" * 40 for i in range(300)}


def test_bytes_that_are_no_text(kafka, judge, topic):
    """CAST to STRING keeps them as they are; what JSON makes of them is a malformed record."""
    name = topic()
    judge.produce(name, b'{"id":1,"name":"\xff\xfe"}', b"\xff")
    rows = kafka.follow(parsed(kafka.stream(select=None, subscribe=name, **EARLIEST))).settle()
    assert len(rows) == 2 and rows[1] == (None, None, None, None, None)
    sizes = kafka.table("length(value);length(CAST(CAST(value AS STRING) AS BINARY))", subscribe=name).collect()
    assert [tuple(row) for row in sizes] == [(len(b'{"id":1,"name":"\xff\xfe"}'),) * 2, (1, 1)]
