"""Python values in and out: createDataFrame, collect, Row, and what does not fit a schema."""
import datetime as dt
import gc
import pickle
from decimal import Decimal

import pytest

from pystream.errors import PySparkTypeError, PySparkValueError
from pystream.sql import Row

VALUES = [
    ("boolean", True), ("tinyint", -128), ("smallint", 32767), ("int", -2**31), ("bigint", 2**63 - 1), ("float", 1.5),
    ("double", -0.1), ("decimal(5,2)", Decimal("1.50")), ("decimal(38,0)", Decimal("9" * 38)), ("string", "日本 😀"),
    ("binary", b"\0x"), ("date", dt.date(1, 1, 1)), ("date", dt.date(9999, 12, 31)),
    ("timestamp", dt.datetime(2024, 1, 2, 3, 4, 5, 678901)), ("timestamp", dt.datetime(1883, 1, 1)),
    ("timestamp_ntz", dt.datetime(2024, 1, 2, 3)), ("interval day to second", dt.timedelta(days=-1, microseconds=1)),
    ("array<int>", [1, None, 3]), ("array<array<string>>", [["a"], [], None]), ("map<string,int>", {"k": 1, "n": None}),
    ("struct<a:int,b:struct<c:string>>", Row(a=1, b=Row(c="x"))), ("array<struct<x:int>>", [Row(x=1), None]),
]


@pytest.mark.parametrize("kind, value", VALUES)
def test_a_value_comes_back_as_it_was(spark, kind, value):
    rows = spark.createDataFrame([(value,), (None,)], f"c {kind}").collect()
    assert rows == [(value,), (None,)]
    assert type(rows[0][0]) is type(value)


def test_many_rows_keep_their_order(spark):
    rows = [(i, str(i) * (i % 20), [i] * (i % 3)) for i in range(20_000)]
    assert spark.createDataFrame(rows, "a int, b string, c array<int>").collect() == rows


@pytest.mark.parametrize("kind, value, condition, path", [
    ("int", "x", "FIELD_DATA_TYPE_UNACCEPTABLE_WITH_NAME", "field c"),
    ("double", 1, "FIELD_DATA_TYPE_UNACCEPTABLE_WITH_NAME", "field c"),
    ("int", True, "FIELD_DATA_TYPE_UNACCEPTABLE_WITH_NAME", "field c"),
    ("tinyint", 128, "VALUE_OUT_OF_BOUNDS", "field c"),
    ("bigint", 2**63, "VALUE_OUT_OF_BOUNDS", "field c"),
    ("int not null", None, "FIELD_NOT_NULLABLE_WITH_NAME", "field c"),
    ("array<int>", [1, "x"], "FIELD_DATA_TYPE_UNACCEPTABLE_WITH_NAME", "element in array field c"),
    ("struct<d:date>", (1,), "FIELD_DATA_TYPE_UNACCEPTABLE_WITH_NAME", "field d in field c"),
    ("struct<d:date>", (1, 2), "FIELD_STRUCT_LENGTH_MISMATCH_WITH_NAME", "field c"),
])
def test_a_value_that_does_not_fit_is_named(spark, kind, value, condition, path):
    with pytest.raises((PySparkTypeError, PySparkValueError)) as caught:
        spark.createDataFrame([(value,)], f"c {kind}")
    assert caught.value.getCondition() == condition
    assert path in str(caught.value)


def test_types_are_inferred(spark):
    df = spark.createDataFrame([{"b": 1, "a": None}, {"b": None, "a": [1.5]}])
    assert df.schema.simpleString() == "struct<a:array<double>,b:bigint>"
    assert df.collect() == [(None, 1), ([1.5], None)]


@pytest.mark.parametrize("rows, condition", [
    ([], "CANNOT_INFER_EMPTY_SCHEMA"), ([(None,)], "CANNOT_DETERMINE_TYPE"), ([(1,), (2.5,)], "CANNOT_MERGE_TYPE"),
    ([1, 2], "CANNOT_INFER_SCHEMA_FOR_TYPE"),
])
def test_types_that_cannot_be_inferred(spark, rows, condition):
    with pytest.raises((PySparkTypeError, PySparkValueError)) as caught:
        spark.createDataFrame(rows)
    assert caught.value.getCondition() == condition


def test_rows_are_tuples_with_names():
    row = Row(b=2, a="x")
    assert (row.a, row["b"], row[0], "a" in row, len(row)) == ("x", 2, 2, True, 2)
    assert row == (2, "x") and repr(row) == "Row(b=2, a='x')"
    assert pickle.loads(pickle.dumps(row)).a == "x"
    assert Row("n", "m")(1, 2) == Row(n=1, m=2)
    assert Row(a=Row(b=[Row(c=1)])).asDict(True) == {"a": {"b": [{"c": 1}]}}


def test_collected_rows_of_plain_values_are_no_work_for_the_cycle_collector(spark):
    plain, nested, listed = (spark.sql(f"SELECT {text} AS a").collect()[0] for text in ("1", "struct(1, 'x')", "array(1)"))
    assert [gc.is_tracked(row) for row in (plain, nested, nested.a, listed)] == [False, False, False, True]


def test_names_given_to_a_collected_row_are_its_own(spark):
    first, second = spark.range(2).collect()
    first.__fields__ = ["other"]
    assert (first.other, second.id, second.__fields__) == (0, 1, ["id"])
