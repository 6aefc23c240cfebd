"""A stream whose rows come from the test. (Not in PySpark.)"""
from __future__ import annotations

from pystream import _native
from pystream.sql.dataframe import DataFrame

__all__ = ["MemoryStream"]


class MemoryStream:
    """A streaming source that holds what `add` gave it.

    Parameters
    ----------
    spark : SparkSession
    schema : StructType or str

    Examples
    --------
    >>> from pystream.testing import MemoryStream
    >>> stream = MemoryStream(spark, "word STRING")
    >>> query = stream.df.writeStream.format("memory").queryName("words").start()
    >>> stream.add(("a",), ("b",))
    0
    >>> query.processAllAvailable()
    >>> spark.table("words").count()
    2
    >>> query.stop()
    """

    def __init__(self, spark, schema):
        from pystream.sql.types import DataType
        text = schema.json() if isinstance(schema, DataType) else schema
        self._feed = _native.Feed(text)
        plan = spark._engine.source("pystream-memory", {}, [], text, True, self._feed)
        #: The stream as a DataFrame.
        self.df = DataFrame(plan, spark)

    def add(self, *rows) -> int:
        """Add rows, all at once; the offset they make."""
        return self._feed.add(list(rows))

    def toDF(self) -> DataFrame:
        """The stream as a DataFrame."""
        return self.df
