"""GroupedData: a DataFrame parted by keys, waiting for its aggregates."""
from __future__ import annotations

from typing import TYPE_CHECKING

from pystream import _native
from pystream.errors import AnalysisException, PySparkValueError, _not_implemented, _wrong_type
from pystream.sql.column import Column

if TYPE_CHECKING:
    from pystream.sql.dataframe import DataFrame

__all__ = ["GroupedData"]

_NUMERIC = ("tinyint", "smallint", "int", "bigint", "float", "double", "decimal")


class GroupedData:
    """What `DataFrame.groupBy` gives.

    Examples
    --------
    >>> df = spark.createDataFrame([("a", 1), ("a", 2), ("b", 5)], "k string, v int")
    >>> df.groupBy("k").agg(F.sum("v").alias("s")).orderBy("k").collect()
    [Row(k='a', s=3), Row(k='b', s=5)]
    """

    def __init__(self, df, grouping, kind: str = "GroupBy", sets=None, pivot=None):
        self._df = df
        self._grouping = grouping
        self._kind = kind
        self._sets = sets
        self._pivot = pivot

    def _aggregate(self, aggregates):
        from pystream.sql import _reshape
        if self._sets is not None:
            return _reshape.grouped_by_sets(self._df, self._grouping, self._sets, aggregates)
        if self._pivot is not None:
            return _reshape.pivoted(self._df, self._grouping, *self._pivot, aggregates)
        return self._df._node("aggregate", grouping=self._grouping, aggregates=aggregates)

    def agg(self, *exprs) -> DataFrame:
        """Aggregates of each group: Columns, or a dict of column to function name.

        Examples
        --------
        >>> df = spark.createDataFrame([("a", 1), ("a", 2)], "k string, v int")
        >>> df.groupBy("k").agg({"v": "max", "*": "count"}).collect()
        [Row(k='a', max(v)=2, count(1)=2)]
        """
        if len(exprs) == 1 and isinstance(exprs[0], dict):
            return self._aggregate([_native.call("avg" if name == "mean" else name, [_native.name(column)])
                                    for column, name in _as_java_orders(exprs[0])])
        if not exprs:
            raise AssertionError("exprs should not be empty")
        if not all(isinstance(item, Column) for item in exprs):
            raise AssertionError("all exprs should be Column")
        return self._aggregate([item._expr for item in exprs])

    def count(self) -> DataFrame:
        """The number of rows of each group, as column ``count``."""
        return self._aggregate([_native.alias(_native.call("count", [_native.literal(1)]), ["count"])])

    def _numeric(self, name: str, cols):
        types = {column: kind for column, kind, _ in self._df._plan.columns()}
        if not cols:
            keys = {expr.name for expr in self._grouping}
            cols = [column for column, kind in types.items()
                    if kind.split("(")[0] in _NUMERIC and column not in keys]
        for column in cols:
            if column in types and types[column].split("(")[0] not in _NUMERIC:
                raise AnalysisException._of_engine(
                    f'"{column}" is not a numeric column. Aggregation function can only be applied on a numeric column.',
                    "_LEGACY_ERROR_TEMP_1323", None)
        return self._aggregate([_native.call(name, [_native.name(column)]) for column in cols])

    def sum(self, *cols: str) -> DataFrame:
        """The sums of these columns, by default of every numeric one."""
        return self._numeric("sum", cols)

    def avg(self, *cols: str) -> DataFrame:
        """The means of these columns, by default of every numeric one."""
        return self._numeric("avg", cols)

    mean = avg

    def min(self, *cols: str) -> DataFrame:
        """The least values of these columns, by default of every numeric one."""
        return self._numeric("min", cols)

    def max(self, *cols: str) -> DataFrame:
        """The greatest values of these columns, by default of every numeric one."""
        return self._numeric("max", cols)

    def pivot(self, pivot_col: str, values=None) -> GroupedData:
        """A column per value of another column.

        Parameters
        ----------
        pivot_col : str
        values : list, optional
            By default the distinct values, which takes a pass over the rows.

        Examples
        --------
        >>> df = spark.createDataFrame([("a", "x", 1), ("a", "y", 2), ("b", "x", 5)], "k string, p string, v int")
        >>> df.groupBy("k").pivot("p", ["x", "y"]).sum("v").orderBy("k").collect()
        [Row(k='a', x=1, y=2), Row(k='b', x=5, y=None)]
        """
        from pystream.sql import _reshape
        if self._kind != "GroupBy":
            raise _repeated_pivot(self._kind)
        pivot = pivot_col._expr if isinstance(pivot_col, Column) else self._df[pivot_col]._expr
        if values is None:
            values = _reshape.pivot_values(self._df, pivot)
        return GroupedData(self._df, self._grouping, "Pivot", pivot=(pivot, list(values)))

    def cogroup(self, other):
        """Two grouped frames side by side: not part of this version."""
        raise _not_implemented("GroupedData.cogroup")

    def apply(self, udf):
        """The old name of `applyInPandas`: not part of this version."""
        raise _not_implemented("GroupedData.apply")

    def applyInPandas(self, func, schema) -> DataFrame:
        """A function over each group as a pandas frame: not part of this version."""
        raise _not_implemented("GroupedData.applyInPandas")

    def applyInArrow(self, func, schema) -> DataFrame:
        """A function over each group as an Arrow table: not part of this version."""
        raise _not_implemented("GroupedData.applyInArrow")

    def applyInPandasWithState(self, func, outputStructType, stateStructType, outputMode, timeoutConf) -> DataFrame:
        """A function with state over each group of a stream: not part of this version."""
        raise _not_implemented("GroupedData.applyInPandasWithState")

    def transformWithState(self, statefulProcessor, outputStructType, outputMode, timeMode, initialState=None,
                           eventTimeColumnName="") -> DataFrame:
        """A stateful processor over each group of a stream: not part of this version."""
        raise _not_implemented("GroupedData.transformWithState")

    def transformWithStateInPandas(self, statefulProcessor, outputStructType, outputMode, timeMode, initialState=None,
                                   eventTimeColumnName="") -> DataFrame:
        """A stateful processor over each group of a stream: not part of this version."""
        raise _not_implemented("GroupedData.transformWithStateInPandas")

    def __repr__(self):
        keys = ", ".join(expr.text() for expr in self._grouping)
        columns = self._df._plan.columns()
        value = ", ".join(f"{name}: {kind}" for name, kind, _ in columns[:2])
        if len(columns) > 2:
            value += f" ... {len(columns) - 2} more field{'s' if len(columns) > 3 else ''}"
        return f"GroupedData[grouping expressions: [{keys}], value: [{value}], type: {self._kind}]"


def _repeated_pivot(kind: str):
    what = "REPEATED_CLAUSE" if kind == "Pivot" else "UNSUPPORTED_FEATURE.PIVOT_AFTER_GROUP_BY"
    return AnalysisException._of_engine(f"[{what}] PIVOT is only supported after a groupBy.", what, None)


def _as_java_orders(mapping: dict):
    """The items as a java.util.HashMap has them: the order of the result's columns in Spark."""
    size = 16
    while len(mapping) > size * 3 // 4:
        size *= 2

    def place(item):
        code = 0
        for unit in memoryview(item[0].encode("utf-16-le")).cast("H"):
            code = (31 * code + unit) & 0xFFFFFFFF
        return (code ^ code >> 16) & size - 1
    return sorted(mapping.items(), key=place)


def _grouping(df, cols):
    """The Exprs of the arguments of groupBy: names, Columns, 1-based positions."""
    if len(cols) == 1 and isinstance(cols[0], list):
        cols = cols[0]
    found = []
    for item in cols:
        if isinstance(item, bool) or not isinstance(item, (str, int, Column)):
            raise _wrong_type("col", "Column, int or str", item)
        if isinstance(item, int):
            if item < 1:
                raise PySparkValueError(errorClass="INDEX_NOT_POSITIVE", messageParameters={"index": str(item)})
            found.append(df[item - 1]._expr)
        else:
            found.append(item._expr if isinstance(item, Column) else _native.name(item))
    return found
