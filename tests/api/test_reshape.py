"""DataFrame methods that are made of others: pivot, rollup, cube, unpivot, statistics, samples, counted set operations."""
import pytest

from pystream.errors import AnalysisException, PySparkTypeError, PySparkValueError
from pystream.sql import functions as F


@pytest.fixture
def sales(spark):
    return spark.createDataFrame(
        [("a", "x", 1), ("a", "y", 2), ("a", "x", 4), ("b", "x", 8), (None, None, 16)], "k string, p string, v int")


def tuples(df):
    return sorted(map(tuple, df.collect()), key=str)


def test_pivot(sales):
    df = sales.groupBy("k").pivot("p").agg(F.sum("v").alias("s"), F.collect_list("v"))
    assert df.columns == ["k", "null_s", "null_collect_list(v)", "x_s", "x_collect_list(v)", "y_s", "y_collect_list(v)"]
    assert tuples(df) == [("a", None, [], 5, [1, 4], 2, [2]), ("b", None, [], 8, [8], None, []), (None, 16, [16], None, [], None, [])]
    assert tuples(sales.groupBy().pivot("p", ["y", "z"]).count()) == [(1, None)]
    with pytest.raises(AnalysisException):
        sales.rollup("k").pivot("p")


def test_rollup_cube_and_grouping_sets(sales):
    assert tuples(sales.rollup("k", "p").sum("v")) == sorted(
        [("a", "x", 5), ("a", "y", 2), ("b", "x", 8), (None, None, 16), ("a", None, 7), ("b", None, 8), (None, None, 16),
         (None, None, 31)], key=str)
    assert sorted(row["count"] for row in sales.cube("k", "p").count().collect()) == [1] * 7 + [2, 3, 3, 5]
    both = sales.groupingSets([["k"], []], "k").agg(F.max("v"))
    assert both.columns == ["k", "max(v)"] and tuples(both) == [("a", 4), ("b", 8), (None, 16), (None, 16)]
    assert tuples(sales.where("false").rollup("k").count()) == []


def test_a_stream_rolls_up(spark, feed, batches):
    stream = feed("k string, v int")
    query = stream.df.rollup("k").sum("v").writeStream.outputMode("complete").foreachBatch(batches).start()
    stream.add(("a", 1), ("b", 2))
    query.processAllAvailable()
    stream.add(("a", 4))
    query.processAllAvailable()
    query.stop()
    assert sorted(batches[-1][1], key=str) == [("a", 5), ("b", 2), (None, 7)]


def test_unpivot_and_transpose(spark):
    wide = spark.createDataFrame([(1, 10, 100), (2, None, 200)], "id int, a int, b bigint")
    assert tuples(wide.melt(["id"], None, "k", "v")) == [(1, "a", 10), (1, "b", 100), (2, "a", None), (2, "b", 200)]
    flipped = wide.transpose()
    assert flipped.columns == ["key", "1", "2"] and flipped.collect() == [("a", 10, None), ("b", 100, 200)]
    with pytest.raises(AnalysisException, match="UNPIVOT_VALUE_DATA_TYPE_MISMATCH"):
        wide.withColumn("s", F.lit("x")).unpivot("id", ["a", "s"], "k", "v")


def test_statistics(spark):
    df = spark.createDataFrame([(i, f"n{i}") for i in range(1, 11)], "v int, s string")
    assert df.describe("v").collect()[2] == ("stddev", "3.0276503540974917")
    assert df.summary("count", "25%", "max").collect() == [("count", "10", "10"), ("25%", "3", None), ("max", "10", "n9")]
    assert df.approxQuantile(["v"], [0.5], 0.0) == [[5.0]] and df.stat.approxQuantile("v", [0.0, 1.0], 0.1) == [1.0, 10.0]
    pairs = df.select("v", (F.col("v") * 2).alias("w"))
    assert pairs.corr("v", "w") == pytest.approx(1.0) and pairs.cov("v", "w") == pytest.approx(18.3333333)
    with pytest.raises(PySparkTypeError):
        df.approxQuantile("v", 0.5, 0.0)
    with pytest.raises(PySparkValueError):
        df.corr("v", "v", "spearman")


def test_crosstab(sales):
    df = sales.crosstab("k", "p")
    assert df.columns == ["k_p", "null", "x", "y"]
    assert tuples(df) == [("a", 0, 2, 1), ("b", 0, 1, 0), ("null", 1, 0, 0)]


def test_samples(spark):
    df = spark.range(1000)
    parts = df.randomSplit([1, 2, 1], seed=3)
    ids = [row.id for part in parts for row in part.collect()]
    assert sorted(ids) == list(range(1000)) and 150 < parts[0].count() < 350
    chosen = df.sampleBy(F.col("id") % 3, {0: 1.0, 1: 0.0}, seed=1).collect()
    assert [row.id for row in chosen] == list(range(0, 1000, 3))


def test_set_operations_count(spark):
    a = spark.createDataFrame([(1,), (1,), (2,), (None,), (None,)], "x int")
    b = spark.createDataFrame([(1,), (None,), (3,)], "y int")
    assert tuples(a.intersect(b)) == [(1,), (None,)] and tuples(a.subtract(b)) == [(2,)]
    assert tuples(a.exceptAll(b)) == [(1,), (2,), (None,)] and tuples(a.intersectAll(b)) == [(1,), (None,)]
    with pytest.raises(AnalysisException):
        a.intersect(b.withColumn("z", F.lit(1)))
