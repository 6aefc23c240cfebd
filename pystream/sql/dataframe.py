"""DataFrame: rows with named columns, computed when an action asks for them."""
from __future__ import annotations

from typing import TYPE_CHECKING

from pystream import _native
from pystream.errors import (
    AnalysisException, PySparkAttributeError, PySparkIndexError, PySparkValueError, _not_implemented, _wrong_type)
from pystream.sql._actions import _Actions
from pystream.sql._missing import DataFrameNaFunctions, _MissingValues
from pystream.sql._statistics import DataFrameStatFunctions, _Statistics
from pystream.sql.column import Column, _column_expr, _flat, _of
from pystream.sql.group import GroupedData, _grouping
from pystream.storagelevel import StorageLevel

if TYPE_CHECKING:
    from pystream.sql.readwriter import DataFrameWriter
    from pystream.sql.session import SparkSession
    from pystream.sql.streaming.readwriter import DataStreamWriter
    from pystream.sql.types import StructType

__all__ = ["DataFrame", "DataFrameNaFunctions", "DataFrameStatFunctions"]


def _streaming_refusal(method: str) -> AnalysisException:
    return AnalysisException._of_engine(
        f"[CALL_ON_STREAMING_DATASET_UNSUPPORTED] The method `{method}` can not be called on streaming "
        "Dataset/DataFrame. SQLSTATE: 42KDE", "CALL_ON_STREAMING_DATASET_UNSUPPORTED", "42KDE")


class DataFrame(_Actions, _MissingValues, _Statistics):
    """Rows with named columns.

    Made by `SparkSession.createDataFrame`, `SparkSession.read`, `SparkSession.readStream` and by the methods here.
    A DataFrame that reads a stream is run by `writeStream`, any other by its actions.

    Examples
    --------
    >>> df = spark.createDataFrame([(1, "a"), (2, "b")], ["id", "name"])
    >>> df.filter(df.id > 1).select("name").collect()
    [Row(name='b')]
    """

    def __init__(self, plan, session):
        self._plan = plan
        self._session = session

    # -- making others ------------------------------------------------------------------------------------------

    def _with(self, plan) -> DataFrame:
        return DataFrame(plan, self._session)

    def _node(self, kind: str, *others: DataFrame, **args) -> DataFrame:
        """The DataFrame of one plan node over this one (and others)."""
        return self._with(self._session._engine.node(kind, [self._plan, *(other._plan for other in others)], args))

    def select(self, *cols) -> DataFrame:
        """The columns and expressions asked for.

        Parameters
        ----------
        cols : str, Column or one list of them
            ``"*"`` stands for all columns.

        Examples
        --------
        >>> df = spark.createDataFrame([(1, "a")], ["id", "name"])
        >>> df.select("name", (df.id + 1).alias("next")).collect()
        [Row(name='a', next=2)]
        """
        items = [part for item in _flat(cols) for part in (item._parts if isinstance(item, _Columns) else [item])]
        return self._node("select", exprs=[_column_expr(item, "cols") for item in items])

    def selectExpr(self, *expr) -> DataFrame:
        """The SQL expressions asked for.

        Examples
        --------
        >>> spark.range(2).selectExpr("id * 2 AS twice").collect()
        [Row(twice=0), Row(twice=2)]
        """
        texts = _flat(expr)
        for text in texts:
            if not isinstance(text, str):
                raise _wrong_type("expr", "str", text)
        return self._node("select", exprs=[_native.parse_expr(text) for text in texts])

    def filter(self, condition) -> DataFrame:
        """The rows for which a condition (a Column or SQL text) is true.

        Examples
        --------
        >>> spark.range(5).filter("id % 2 = 1").collect()
        [Row(id=1), Row(id=3)]
        """
        if isinstance(condition, str):
            expr = _native.parse_expr(condition)
        elif isinstance(condition, Column):
            expr = condition._expr
        else:
            raise _wrong_type("condition", "Column or str", condition)
        return self._node("filter", condition=[expr])

    where = filter

    def withColumn(self, colName: str, col: Column) -> DataFrame:
        """With a column added, or replaced where it stands.

        Examples
        --------
        >>> spark.range(1).withColumn("next", F.col("id") + 1).collect()
        [Row(id=0, next=1)]
        """
        if not isinstance(col, Column):
            raise _wrong_type("col", "Column", col)
        return self.withColumns({colName: col})

    def withColumns(self, *colsMap) -> DataFrame:
        """With several columns added or replaced: a dict of name to Column."""
        assert len(colsMap) == 1
        if not isinstance(colsMap[0], dict):
            raise _wrong_type("colsMap", "dict", colsMap[0])
        aliases = []
        for name, column in colsMap[0].items():
            if not isinstance(column, Column):
                raise _wrong_type("col", "Column", column)
            aliases.append(_native.alias(column._expr, [name]))
        return self._node("with_columns", exprs=aliases)

    def withColumnRenamed(self, existing: str, new: str) -> DataFrame:
        """With a column renamed; the same when there is no such column."""
        return self.withColumnsRenamed({existing: new})

    def withColumnsRenamed(self, colsMap: dict) -> DataFrame:
        """With several columns renamed: a dict of old to new name."""
        if not isinstance(colsMap, dict):
            raise _wrong_type("colsMap", "dict", colsMap)
        pairs = [text for pair in colsMap.items() for text in pair]
        return self._node("rename", texts=pairs) if pairs else self

    def withMetadata(self, columnName: str, metadata: dict) -> DataFrame:
        """With metadata on a column."""
        if not isinstance(metadata, dict):
            raise _wrong_type("metadata", "dict", metadata)
        return self.select(*[self[name].alias(name, metadata=metadata) if name == columnName else self[index]
                             for index, name in enumerate(self.columns)])

    def drop(self, *cols) -> DataFrame:
        """Without these columns; unknown names are ignored.

        Examples
        --------
        >>> spark.range(1).withColumn("x", F.lit(1)).drop("id", "nothing").collect()
        [Row(x=1)]
        """
        names = [item for item in cols if isinstance(item, str)]
        columns = [item._expr for item in cols if isinstance(item, Column)]
        if len(names) + len(columns) < len(cols):
            wrong = next(item for item in cols if not isinstance(item, (str, Column)))
            raise _wrong_type("cols", "Column or str", wrong)
        result = self._node("drop", texts=names) if names else self
        return result._node("drop", exprs=columns) if columns else result

    def toDF(self, *cols: str) -> DataFrame:
        """The same columns under new names."""
        for name in cols:
            if not isinstance(name, str):
                raise _wrong_type("cols", "str", name)
        return self._node("to_df", texts=list(cols))

    def to(self, schema) -> DataFrame:
        """The columns of a schema, by name, cast to its types."""
        from pystream.sql.types import StructType
        if not isinstance(schema, StructType):
            raise _wrong_type("schema", "StructType", schema)
        return self.select(*[self[field.name].cast(field.dataType).alias(field.name) for field in schema])

    def alias(self, alias: str) -> DataFrame:
        """The same under a name, so that ``col("name.column")`` finds it."""
        if not isinstance(alias, str):
            raise _wrong_type("alias", "str", alias)
        return self._node("alias", name=alias)

    def transform(self, func, *args, **kwargs) -> DataFrame:
        """What a Python function makes of this DataFrame."""
        result = func(self, *args, **kwargs)
        assert isinstance(result, DataFrame), f"Func returned an instance of type [{type(result)}], should have been DataFrame."
        return result

    # -- groups -------------------------------------------------------------------------------------------------

    def groupBy(self, *cols) -> GroupedData:
        """The rows parted by keys: names, Columns or 1-based positions.

        Examples
        --------
        >>> spark.range(4).groupBy((F.col("id") % 2).alias("odd")).count().orderBy("odd").collect()
        [Row(odd=0, count=2), Row(odd=1, count=2)]
        """
        return GroupedData(self, _grouping(self, cols))

    groupby = groupBy

    def rollup(self, *cols) -> GroupedData:
        """Groups by these keys, and by each shorter list of them.

        Examples
        --------
        >>> df = spark.createDataFrame([("a", 1), ("b", 2)], "k string, v int")
        >>> df.rollup("k").sum("v").orderBy("k").collect()
        [Row(k=None, sum(v)=3), Row(k='a', sum(v)=1), Row(k='b', sum(v)=2)]
        """
        from pystream.sql import _reshape
        grouping = _grouping(self, cols)
        return GroupedData(self, grouping, "Rollup", _reshape.rollup_sets(len(grouping)))

    def cube(self, *cols) -> GroupedData:
        """Groups by every subset of these keys.

        Examples
        --------
        >>> df = spark.createDataFrame([("a", 1), ("b", 2)], "k string, v int")
        >>> df.cube("k").count().orderBy("k").collect()
        [Row(k=None, count=2), Row(k='a', count=1), Row(k='b', count=1)]
        """
        from pystream.sql import _reshape
        grouping = _grouping(self, cols)
        return GroupedData(self, grouping, "Cube", _reshape.cube_sets(len(grouping)))

    def groupingSets(self, groupingSets, *cols) -> GroupedData:
        """Groups by each of these lists of keys."""
        grouping = _grouping(self, cols)
        texts = [expr.text() for expr in grouping]
        sets = [[texts.index(expr.text()) for expr in _grouping(self, list(keys))] for keys in groupingSets]
        return GroupedData(self, grouping, "GroupingSets", sets)

    def agg(self, *exprs) -> DataFrame:
        """Aggregates of all rows."""
        return self.groupBy().agg(*exprs)

    # -- two frames -----------------------------------------------------------------------------------------------

    def join(self, other: DataFrame, on=None, how: str | None = None) -> DataFrame:
        """The rows of both frames that belong together.

        Parameters
        ----------
        other : DataFrame
        on : str, Column or list, optional
            Names that both sides have (each comes out once), or conditions.
        how : str, default "inner"
            inner, cross, outer, full, left, right, semi, anti and their longer spellings.

        Examples
        --------
        >>> a = spark.createDataFrame([(1, "x"), (2, "y")], "id int, l string")
        >>> b = spark.createDataFrame([(2, "z")], "id int, r string")
        >>> a.join(b, "id").collect()
        [Row(id=2, l='y', r='z')]
        """
        if not isinstance(other, DataFrame):
            raise _wrong_type("other", "DataFrame", other)
        if how is not None and not isinstance(how, str):
            raise _wrong_type("how", "str", how)
        if on is not None and not isinstance(on, list):
            on = [on]
        args = {"how": "inner" if how is None else how}
        if on and all(isinstance(item, str) for item in on):
            args["on"] = on
        elif on:
            if not all(isinstance(item, Column) for item in on):
                raise _wrong_type("on", "Column, str or list", on)
            condition = on[0]
            for item in on[1:]:
                condition = condition & item
            args["on"] = [condition._expr]
        return self._node("join", other, **args)

    def crossJoin(self, other: DataFrame) -> DataFrame:
        """Every row of this frame with every row of the other."""
        return self.join(other, how="cross")

    def lateralJoin(self, other: DataFrame, on=None, how=None) -> DataFrame:
        """A join whose right side sees the left one: not part of this version."""
        raise _not_implemented("DataFrame.lateralJoin")

    def union(self, other: DataFrame) -> DataFrame:
        """The rows of both frames, by position; duplicates stay.

        Examples
        --------
        >>> spark.range(1).union(spark.range(1)).count()
        2
        """
        if not isinstance(other, DataFrame):
            raise _wrong_type("other", "DataFrame", other)
        return self._node("union", other)

    unionAll = union

    def unionByName(self, other: DataFrame, allowMissingColumns: bool = False) -> DataFrame:
        """The rows of both frames, columns matched by name."""
        if not isinstance(other, DataFrame):
            raise _wrong_type("other", "DataFrame", other)
        return self._node("union_by_name", other, allow_missing=int(allowMissingColumns))

    def _set_operation(self, other: DataFrame, kind: str, how: str, counts: str) -> DataFrame:
        from pystream.sql import _reshape
        if not isinstance(other, DataFrame):
            raise _wrong_type("other", "DataFrame", other)
        if self.isStreaming or other.isStreaming:
            raise _not_implemented(f"DataFrame.{kind} of a stream")
        return getattr(_reshape, how)(self, other, counts)

    def intersect(self, other: DataFrame) -> DataFrame:
        """The distinct rows that both frames have.

        Examples
        --------
        >>> spark.range(3).intersect(spark.range(1, 5)).orderBy("id").collect()
        [Row(id=1), Row(id=2)]
        """
        return self._set_operation(other, "intersect", "compared", "l > 0 AND r > 0")

    def intersectAll(self, other: DataFrame) -> DataFrame:
        """The rows that both frames have, as often as both have them."""
        return self._set_operation(other, "intersectAll", "repeated", "least(l, r)")

    def subtract(self, other: DataFrame) -> DataFrame:
        """The distinct rows that the other frame has not."""
        return self._set_operation(other, "subtract", "compared", "l > 0 AND r = 0")

    def exceptAll(self, other: DataFrame) -> DataFrame:
        """The rows that the other frame has not, or not as often.

        Examples
        --------
        >>> spark.range(3).union(spark.range(1)).exceptAll(spark.range(2)).orderBy("id").collect()
        [Row(id=0), Row(id=2)]
        """
        return self._set_operation(other, "exceptAll", "repeated", "l - r")

    # -- fewer rows, other order -----------------------------------------------------------------------------------

    def distinct(self) -> DataFrame:
        """Each row once."""
        return self._node("dedup") if self.isStreaming else self._node("distinct")

    def dropDuplicates(self, subset=None) -> DataFrame:
        """One row of those that agree in some columns, by default in all."""
        names = self._subset_names(subset)
        if names is None:
            return self.distinct()
        return self._node("dedup", texts=names)

    drop_duplicates = dropDuplicates

    def dropDuplicatesWithinWatermark(self, subset=None) -> DataFrame:
        """As `dropDuplicates` on a stream, remembering rows as long as the watermark says: not part of this version."""
        self._subset_names(subset)
        if not self.isStreaming:
            raise AnalysisException._of_engine(
                "dropDuplicatesWithinWatermark is not supported with batch DataFrames/DataSets;", "_LEGACY_ERROR_TEMP_3102", None)
        raise _not_implemented("DataFrame.dropDuplicatesWithinWatermark")

    @staticmethod
    def _subset_names(subset):
        if subset is None:
            return None
        if not isinstance(subset, (list, tuple)):
            raise _wrong_type("subset", "list or tuple", subset)
        for name in subset:
            if not isinstance(name, str):
                raise _wrong_type("subset", "str", name)
        return list(subset)

    def withWatermark(self, eventTime: str, delayThreshold: str) -> DataFrame:
        """Names the column that tells an event's time, and how late events may be.

        Parameters
        ----------
        eventTime : str
            A column of type TIMESTAMP.
        delayThreshold : str
            Such as ``"10 minutes"``.

        Examples
        --------
        >>> stream = spark.readStream.format("rate").load()
        >>> stream.withWatermark("timestamp", "10 seconds").isStreaming
        True
        """
        for name, value in (("eventTime", eventTime), ("delayThreshold", delayThreshold)):
            if not value or not isinstance(value, str):
                raise _wrong_type(name, "str", value)
        return self._node("watermark", column=eventTime, delay=delayThreshold)

    def _sort_exprs(self, cols, kwargs):
        cols = _flat(cols)
        if not cols:
            raise PySparkValueError(errorClass="CANNOT_BE_EMPTY", messageParameters={"item": "column"})
        found = []
        for item in cols:
            if isinstance(item, bool) or not isinstance(item, (str, int, Column)):
                raise _wrong_type("cols", "Column, int or str", item)
            if isinstance(item, int):
                if item == 0:
                    raise PySparkIndexError(
                        errorClass="ZERO_INDEX", messageParameters={"arg_name": "cols"},
                        message="Index must be non-zero.")
                column = self[abs(item) - 1]
                found.append(column.desc() if item < 0 else column)
            else:
                found.append(item if isinstance(item, Column) else _of(_native.name(item)))
        ascending = kwargs.pop("ascending", True)
        if isinstance(ascending, (bool, int)):
            if not ascending:
                found = [column.desc() for column in found]
        elif isinstance(ascending, list):
            found = [column if up else column.desc() for column, up in zip(found, ascending)]
        else:
            raise _wrong_type("ascending", "bool or list", ascending)
        return [column._expr if column._expr.kind == "sort" else column.asc()._expr for column in found]

    def orderBy(self, *cols, **kwargs) -> DataFrame:
        """The rows in order.

        Parameters
        ----------
        cols : str, Column, int or one list of them
            Positions are 1-based, negative ones descend.
        ascending : bool or list of bool, default True

        Examples
        --------
        >>> spark.range(3).orderBy(F.desc("id")).collect()
        [Row(id=2), Row(id=1), Row(id=0)]
        """
        return self._node("sort", exprs=self._sort_exprs(cols, kwargs), **{"global": 1})

    sort = orderBy

    def sortWithinPartitions(self, *cols, **kwargs) -> DataFrame:
        """The rows in order: a frame is one partition."""
        return self._node("sort", exprs=self._sort_exprs(cols, kwargs), **{"global": 0})

    def limit(self, num: int) -> DataFrame:
        """At most so many rows."""
        if not isinstance(num, int):
            raise _wrong_type("num", "int", num)
        return self._node("limit", n=num)

    def offset(self, num: int) -> DataFrame:
        """Without the first rows."""
        if not isinstance(num, int):
            raise _wrong_type("num", "int", num)
        return self._node("offset", n=num)

    def sample(self, withReplacement=None, fraction=None, seed=None) -> DataFrame:
        """A share of the rows, chosen at random."""
        if isinstance(withReplacement, float):
            withReplacement, fraction, seed = None, withReplacement, fraction
        if not isinstance(fraction, (int, float)) or isinstance(fraction, bool):
            raise _wrong_type("fraction", "float", fraction)
        if withReplacement:
            raise _not_implemented("DataFrame.sample(withReplacement=True)")
        args = [] if seed is None else [_native.literal(int(seed))]
        return self.filter(_of(_native.call("rand", args)) < float(fraction))

    def randomSplit(self, weights, seed=None) -> list[DataFrame]:
        """The rows dealt out at random, in shares that are as the weights.

        Examples
        --------
        >>> a, b = spark.range(100).randomSplit([1.0, 3.0], seed=5)
        >>> a.count() + b.count()
        100
        """
        from pystream.sql import _reshape
        return _reshape.random_split(self, weights, seed)

    # -- columns --------------------------------------------------------------------------------------------------------

    def __getitem__(self, item):
        if isinstance(item, str):
            return _of(self._session._engine.resolve(self._plan, item))
        if isinstance(item, Column):
            return self.filter(item)
        if isinstance(item, (list, tuple)):
            return self.select(*item)
        if isinstance(item, int):
            columns = self._plan.columns()
            try:
                name, _, attr = columns[item]
            except IndexError:
                raise PySparkIndexError(
                    errorClass="INDEX_OUT_OF_RANGE",
                    messageParameters={"arg_name": "DataFrame", "index": str(item)}) from None
            return _of(_native.attr(attr, name))
        raise _wrong_type("item", "Column, float, int, list, str or tuple", item)

    def __getattr__(self, name: str):
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in self.columns:
            raise PySparkAttributeError(
                errorClass="ATTRIBUTE_NOT_SUPPORTED", messageParameters={"attr_name": name})
        return _of(self._session._engine.resolve(self._plan, f"`{name}`"))

    def __dir__(self):
        return sorted({*super().__dir__(), *(name for name in self.columns if name.isidentifier())})

    def _ipython_key_completions_(self):
        return self.columns

    def colRegex(self, colName: str) -> Column:
        """The columns whose whole names match a regular expression in backticks.

        Examples
        --------
        >>> df = spark.createDataFrame([(1, 2, 3)], "a1 int, a2 int, b int")
        >>> df.select(df.colRegex("`a.`")).columns
        ['a1', 'a2']
        """
        if not isinstance(colName, str):
            raise _wrong_type("colName", "str", colName)
        if not (len(colName) > 1 and colName[0] == colName[-1] == "`"):
            return self[colName]
        import re
        sensitive = self._session.conf.get("spark.sql.caseSensitive", "false") == "true"
        pattern = re.compile(colName[1:-1], 0 if sensitive else re.IGNORECASE)
        found = [self[index] for index, name in enumerate(self.columns) if pattern.fullmatch(name)]
        return found[0] if len(found) == 1 else _Columns(found)

    def metadataColumn(self, colName: str) -> Column:
        """A hidden column, such as ``_metadata``."""
        return self[colName]

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return [name for name, _, _ in self._plan.columns()]

    @property
    def dtypes(self) -> list[tuple[str, str]]:
        """Names and types of the columns."""
        return [(name, simple) for name, simple, _ in self._plan.columns()]

    @property
    def schema(self) -> StructType:
        """The schema, as StructType."""
        from pystream.sql.types import _parse_datatype_json_string
        return _parse_datatype_json_string(self._plan.json())

    def printSchema(self, level: int | None = None) -> None:
        """Print the schema as a tree.

        Examples
        --------
        >>> spark.range(1).printSchema()
        root
         |-- id: long (nullable = false)
        <BLANKLINE>
        """
        print(_native.type_text(self._plan.json(), "tree", True, -1 if level is None else level))

    @property
    def isStreaming(self) -> bool:
        """Does it read a stream."""
        return self._plan.is_streaming

    def isLocal(self) -> bool:
        """True: everything runs in this process."""
        return True

    @property
    def sparkSession(self) -> SparkSession:
        """The session that made this frame."""
        return self._session

    # -- views and writing ----------------------------------------------------------------------------------------------

    def createTempView(self, name: str) -> None:
        """Give the frame a name for SQL; an error when the name is taken."""
        self._session._engine.view_set(name, self._plan, False)

    def createOrReplaceTempView(self, name: str) -> None:
        """Give the frame a name for SQL.

        Examples
        --------
        >>> spark.range(3).createOrReplaceTempView("numbers")
        >>> spark.sql("SELECT id FROM numbers WHERE id > 1").collect()
        [Row(id=2)]
        """
        self._session._engine.view_set(name, self._plan, True)

    registerTempTable = createOrReplaceTempView

    def createGlobalTempView(self, name: str) -> None:
        """Give the frame a name in ``global_temp``."""
        self._session._engine.view_set(f"global_temp.{name}", self._plan, False)

    def createOrReplaceGlobalTempView(self, name: str) -> None:
        """Give the frame a name in ``global_temp``."""
        self._session._engine.view_set(f"global_temp.{name}", self._plan, True)

    @property
    def write(self) -> DataFrameWriter:
        """The writer of a bounded frame."""
        from pystream.sql.readwriter import DataFrameWriter
        if self.isStreaming:
            raise _streaming_refusal("write")
        return DataFrameWriter(self)

    @property
    def writeStream(self) -> DataStreamWriter:
        """The writer of a streaming frame."""
        from pystream.sql.streaming.readwriter import DataStreamWriter
        if not self.isStreaming:
            raise AnalysisException._of_engine(
                "[WRITE_STREAM_NOT_ALLOWED] `writeStream` can be called only on streaming Dataset/DataFrame. "
                "SQLSTATE: 42601", "WRITE_STREAM_NOT_ALLOWED", "42601")
        return DataStreamWriter(self)

    def writeTo(self, table: str):
        """The writer of a table: not part of this version."""
        if self.isStreaming:
            raise _streaming_refusal("writeTo")
        raise _not_implemented("DataFrame.writeTo")

    def mergeInto(self, table: str, condition: Column):
        """Merge into a table: there is no table format that can."""
        if self.isStreaming:
            raise _streaming_refusal("mergeInto")
        raise _not_implemented("DataFrame.mergeInto")

    # -- hints and the like -------------------------------------------------------------------------------------------------

    def cache(self) -> DataFrame:
        """The frame itself; a micro-batch is kept anyway while it is worked on."""
        return self.persist()

    def persist(self, storageLevel: StorageLevel = StorageLevel.MEMORY_AND_DISK_DESER) -> DataFrame:
        """The frame itself, with the level recorded."""
        self._plan.check_batch()
        self.__dict__["_storage"] = storageLevel
        return self

    def unpersist(self, blocking: bool = False) -> DataFrame:
        """The frame itself."""
        self.__dict__.pop("_storage", None)
        return self

    @property
    def storageLevel(self) -> StorageLevel:
        """The level that `persist` recorded."""
        return self.__dict__.get("_storage", StorageLevel.NONE)

    @property
    def is_cached(self) -> bool:
        """Was `persist` called."""
        return "_storage" in self.__dict__

    def _materialised(self) -> DataFrame:
        return self._with(self._session._engine.local(self._plan.json(), self.collect(), False))

    def checkpoint(self, eager: bool = True) -> DataFrame:
        """The rows computed now and kept."""
        return self._materialised()

    def localCheckpoint(self, eager: bool = True, storageLevel=None) -> DataFrame:
        """The rows computed now and kept."""
        return self._materialised()

    def repartition(self, numPartitions, *cols) -> DataFrame:
        """The frame itself, after a check of the arguments."""
        if not isinstance(numPartitions, (int, str, Column)):
            raise _wrong_type("numPartitions", "Column, int or str", numPartitions)
        return self

    def repartitionByRange(self, numPartitions, *cols) -> DataFrame:
        """The frame itself, after a check of the arguments."""
        return self.repartition(numPartitions, *cols)

    def repartitionById(self, numPartitions: int, partitionIdCol) -> DataFrame:
        """The frame itself."""
        return self.repartition(numPartitions)

    def coalesce(self, numPartitions: int) -> DataFrame:
        """The frame itself."""
        if not isinstance(numPartitions, int):
            raise _wrong_type("numPartitions", "int", numPartitions)
        return self

    def hint(self, name: str, *parameters) -> DataFrame:
        """The frame itself."""
        if not isinstance(name, str):
            raise _wrong_type("name", "str", name)
        return self

    def observe(self, observation, *exprs) -> DataFrame:
        """Metrics computed on the way: not part of this version."""
        raise _not_implemented("DataFrame.observe")

    def mapInPandas(self, func, schema, barrier: bool = False, profile=None) -> DataFrame:
        """A function over pandas frames: not part of this version."""
        raise _not_implemented("DataFrame.mapInPandas")

    def mapInArrow(self, func, schema, barrier: bool = False, profile=None) -> DataFrame:
        """A function over Arrow batches: not part of this version."""
        raise _not_implemented("DataFrame.mapInArrow")

    def unpivot(self, ids, values, variableColumnName: str, valueColumnName: str) -> DataFrame:
        """Columns as rows: the columns `ids`, a name and a value.

        Examples
        --------
        >>> df = spark.createDataFrame([(1, 10, 20)], "id int, a int, b int")
        >>> df.unpivot("id", ["a", "b"], "name", "value").collect()
        [Row(id=1, name='a', value=10), Row(id=1, name='b', value=20)]
        """
        from pystream.sql import _reshape
        return _reshape.unpivot(self, ids, values, variableColumnName, valueColumnName)

    melt = unpivot

    def sameSemantics(self, other: DataFrame) -> bool:
        """Are both the same plan."""
        return self._plan.explain("simple") == other._plan.explain("simple")

    def inputFiles(self) -> list[str]:
        """The files that are read: not part of this version."""
        raise _not_implemented("DataFrame.inputFiles")

    def transpose(self, indexColumn=None) -> DataFrame:
        """Rows as columns: the values of a column, by default the first, become the names."""
        from pystream.sql import _reshape
        return _reshape.transpose(self, indexColumn)

    @property
    def rdd(self):
        """RDDs are not supported."""
        raise _not_implemented("DataFrame.rdd (use DataFrame operations or foreachBatch)")

    @property
    def executionInfo(self):
        """As in classic Spark: not supported."""
        raise PySparkValueError(
            errorClass="CLASSIC_OPERATION_NOT_SUPPORTED_ON_DF", messageParameters={"member": "executionInfo"})

    def pandas_api(self, index_col=None):
        """The pandas API is out of scope."""
        raise _not_implemented("DataFrame.pandas_api")


class _Columns(Column):
    """What `DataFrame.colRegex` gives: columns for `select`."""

    def __new__(cls, *parts):
        return object.__new__(cls)

    def __init__(self, parts):
        self._parts = parts
