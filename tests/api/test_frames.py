"""DataFrames from and to Arrow, pandas and numpy."""
import datetime as dt
import gc
import sys
from decimal import Decimal

import pytest

from pystream import _native
from pystream.errors import PySparkImportError, PySparkTypeError
from pystream.sql import Row

SCHEMA = ("i int, s string, a array<int>, m map<string,double>, st struct<p:int,q:string>, t timestamp, d date, "
          "c decimal(5,2), b boolean, x binary, iv interval day to second, n timestamp_ntz")
VALUES = (1, "a", [1, 2], {"x": 1.5}, Row(p=1, q="z"), dt.datetime(2024, 1, 2, 3), dt.date(2024, 1, 1), Decimal("1.50"), True,
          b"x", dt.timedelta(seconds=5), dt.datetime(2024, 1, 2, 3))


@pytest.fixture
def frame(spark):
    return spark.createDataFrame([VALUES, (None,) * 12], SCHEMA)


def test_arrow_there_and_back(spark, frame):
    pyarrow = pytest.importorskip("pyarrow")
    table = frame.toArrow()
    assert table.schema.field("t").type == pyarrow.timestamp("us", spark.conf.get("spark.sql.session.timeZone"))
    assert pyarrow.table(frame).equals(table)
    assert spark.createDataFrame(table, frame.schema).collect() == frame.collect()
    again = spark.createDataFrame(table.drop_columns("n"))
    assert again.collect() == frame.drop("n").collect()
    assert spark.createDataFrame(table.select(["n"])).dtypes == [("n", "timestamp")]


def test_arrow_table_with_names_and_types(spark):
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table({"a": [1, 2], "b": ["x", None]})
    assert spark.createDataFrame(table, ["p", "q"]).collect() == [Row(p=1, q="x"), Row(p=2, q=None)]
    assert spark.createDataFrame(table, "a tinyint, b string").dtypes == [("a", "tinyint"), ("b", "string")]
    with pytest.raises(PySparkTypeError, match="column b"):
        spark.createDataFrame(table, "a int, b int")
    with pytest.raises(ValueError, match="LENGTH_SHOULD_BE_THE_SAME"):
        spark.createDataFrame(table, "a int")
    assert spark.createDataFrame(table.to_reader(), "a int, b string").count() == 2
    assert spark.createDataFrame(table.to_batches()[0], ["p"]).columns == ["p", "b"]


def test_any_object_with_an_arrow_stream(spark):
    class Stream:
        def __arrow_c_stream__(self, requested_schema=None):
            return spark.range(3).__arrow_c_stream__()

    assert spark.createDataFrame(Stream()).collect() == spark.range(3).collect()
    assert spark.createDataFrame(Stream(), "n string").columns == ["n"]
    assert spark.createDataFrame(Stream(), "n string").collect() == [("0",), ("1",), ("2",)]


def test_an_arrow_stream_outlives_its_frame_and_frees_its_rows(spark):
    pytest.importorskip("pyarrow")
    before = _native.mem_used()[0]
    table = spark.range(100_000).toArrow()
    gc.collect()
    assert table.column(0).to_pylist()[-1] == 99_999
    capsule = spark.range(1000).__arrow_c_stream__()
    del table, capsule
    gc.collect()
    assert _native.mem_used()[0] < before + 10_000


def test_pandas_there_and_back(spark, frame):
    pandas = pytest.importorskip("pandas")
    made = frame.toPandas()
    assert list(made.columns) == frame.columns and len(made) == 2
    assert made["st"][0] == Row(p=1, q="z") and made["m"][0] == {"x": 1.5} and list(made["a"][0]) == [1, 2]
    assert made["i"].dtype == "float64" and made["t"].dt.tz is None
    source = pandas.DataFrame({"i": [1, 2], "t": pandas.to_datetime(["2024-01-02 03:04:05", None])})
    back = spark.createDataFrame(source)
    assert back.dtypes == [("i", "bigint"), ("t", "timestamp")]
    assert back.toPandas().equals(source.astype(back.toPandas().dtypes.to_dict()))
    with pytest.raises(PySparkTypeError):
        spark.createDataFrame(pandas.DataFrame({"a": ["x"]}), "a int")


def test_pandas_times_are_of_the_sessions_zone(spark):
    pandas = pytest.importorskip("pandas")
    old = spark.conf.get("spark.sql.session.timeZone")
    spark.conf.set("spark.sql.session.timeZone", "America/New_York")
    try:
        source = pandas.DataFrame({"t": pandas.to_datetime(["2024-07-01 12:00:00"])})
        df = spark.createDataFrame(source)
        assert df.selectExpr("unix_timestamp(t)").first()[0] == 1719849600
        assert str(df.toPandas()["t"][0]) == "2024-07-01 12:00:00"
        mixed = source.assign(r=pandas.Series([Row(a=1)], dtype=object))
        assert spark.createDataFrame(mixed).selectExpr("unix_timestamp(t)").first()[0] == 1719849600
    finally:
        spark.conf.set("spark.sql.session.timeZone", old)


def test_pandas_without_pyarrow(spark, frame, monkeypatch):
    pytest.importorskip("pandas")
    want = frame.toPandas().dtypes
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    made = frame.toPandas()
    assert made.dtypes.equals(want) and made["s"][0] == "a"
    assert spark.createDataFrame(made[["s", "b"]]).collect() == [Row(s="a", b=True), Row(s=None, b=None)]
    with pytest.raises(PySparkImportError, match=r"the extra \[arrow\]"):
        frame.toArrow()


def test_numpy(spark):
    numpy = pytest.importorskip("numpy")
    assert spark.createDataFrame(numpy.array([[1, 2], [3, 4]])).collect() == [Row(_1=1, _2=2), Row(_1=3, _2=4)]
    assert spark.createDataFrame(numpy.array([1.5])).dtypes == [("value", "double")]
    with pytest.raises(ValueError, match="INVALID_NDARRAY_DIMENSION"):
        spark.createDataFrame(numpy.zeros((1, 1, 1)))


def test_without_pandas(frame, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(PySparkImportError, match=r"the extra \[pandas\]"):
        frame.toPandas()
