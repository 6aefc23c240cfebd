"""SparkSession: where DataFrames come from."""
from __future__ import annotations

import threading
from typing import TYPE_CHECKING, ClassVar

from pystream import _native
from pystream.context import SparkConf, SparkContext
from pystream.errors import (
    AnalysisException, PySparkException, PySparkRuntimeError, PySparkTypeError, PySparkValueError, _not_implemented, _wrong_type)
from pystream.sql.conf import RuntimeConfig
from pystream.sql.dataframe import DataFrame

if TYPE_CHECKING:
    from pystream.sql.catalog import Catalog
    from pystream.sql.readwriter import DataFrameReader
    from pystream.sql.streaming.query import StreamingQueryManager
    from pystream.sql.streaming.readwriter import DataStreamReader

__all__ = ["SparkSession"]


def _local_zone() -> str:
    """The name of the process's time zone."""
    import os
    name = os.environ.get("TZ", "").lstrip(":")
    if not name:
        try:
            name = os.readlink("/etc/localtime").partition("zoneinfo/")[2]
        except OSError:
            name = ""
    return "UTC" if not name or name.startswith("/") else name


def _new_engine():
    """An engine session in the process's time zone."""
    engine = _native.session()
    try:
        engine.conf_set("spark.sql.session.timeZone", _local_zone())
    except PySparkException:  # a TZ that is no zone's name
        engine.conf_set("spark.sql.session.timeZone", "UTC")
    return engine


class _ClassProperty:
    def __init__(self, function):
        self.function = function

    def __get__(self, instance, owner):
        return self.function(owner)


class SparkSession:
    """The entry point: makes DataFrames, keeps configuration and views.

    Examples
    --------
    >>> from pystream.sql import SparkSession
    >>> spark = SparkSession.builder.appName("demo").getOrCreate()
    >>> spark.range(3).count()
    3
    """

    _default: SparkSession | None = None
    _lock = threading.RLock()

    class Builder:
        """Collects configuration; `getOrCreate` gives the session."""

        def __init__(self):
            self._options = {}

        def appName(self, name: str) -> SparkSession.Builder:
            """The name of the application."""
            return self.config("spark.app.name", name)

        def master(self, master: str) -> SparkSession.Builder:
            """Recorded: everything runs in this process."""
            return self.config("spark.master", master)

        def config(self, key: str | None = None, value=None, conf: SparkConf | None = None, *,
                   map: dict | None = None) -> SparkSession.Builder:
            """One value, a SparkConf, or a dict of values."""
            if conf is not None:
                self._options.update(conf.getAll())
            for name, item in (map or {}).items() if map is not None else [(key, value)] if key is not None else []:
                self._options[name] = ("true" if item else "false") if isinstance(item, bool) else str(item)
            return self

        def enableHiveSupport(self) -> SparkSession.Builder:
            """Accepted, without effect."""
            return self

        def remote(self, url: str) -> SparkSession.Builder:
            """There is no remote mode."""
            raise _not_implemented("SparkSession.builder.remote")

        def create(self) -> SparkSession:
            """A new session."""
            return self._apply(SparkSession(_new_engine()), True)

        def getOrCreate(self) -> SparkSession:
            """The session of this process with these values set, or a new one."""
            with SparkSession._lock:
                session = SparkSession._default
                if session is None or session._stopped or not session._alive():
                    session = SparkSession._default = SparkSession(_new_engine())
                    return self._apply(session, True)
                return self._apply(session, False)

        def _apply(self, session: SparkSession, new: bool) -> SparkSession:
            for key, value in self._options.items():
                try:
                    session._engine.conf_set_static(key, value) if new else session._engine.conf_set(key, value)
                except AnalysisException as problem:
                    if problem.getCondition() != "CANNOT_MODIFY_STATIC_CONFIG":
                        raise
                if key in ("spark.app.name", "spark.master") and new:
                    session.sparkContext._conf.set(key, value)
            return session

    #: A new Builder at every access.
    builder: ClassVar[Builder] = _ClassProperty(lambda owner: owner.Builder())

    def __init__(self, engine, parent: SparkSession | None = None):
        self._engine = engine
        self._parent = parent
        self._stopped = False
        self._streams = None
        self._conf = RuntimeConfig(engine)

    def _alive(self) -> bool:
        try:
            self._engine.conf_get("spark.app.name")
        except RuntimeError:  # made before fork()
            return False
        return True

    def _timeout(self, key: str) -> int:
        """A duration conf in milliseconds."""
        return self._engine.conf_ms(key)

    # -- the process's session ------------------------------------------------------------------------------------

    @classmethod
    def getActiveSession(cls) -> SparkSession | None:
        """The session of this process, or None."""
        session = SparkSession._default
        return None if session is None or session._stopped else session

    @classmethod
    def active(cls) -> SparkSession:
        """The session of this process; an error when there is none."""
        session = cls.getActiveSession()
        if session is None:
            raise PySparkRuntimeError(errorClass="NO_ACTIVE_OR_DEFAULT_SESSION", messageParameters={})
        return session

    def newSession(self) -> SparkSession:
        """A session with its own configuration and views."""
        return SparkSession(self._engine.clone(False), self)

    def stop(self) -> None:
        """Stop the session's queries, and the session."""
        for query in self.streams.active:
            query.stop()
        self._stopped = True
        with SparkSession._lock:
            if SparkSession._default is self:
                SparkSession._default = None
                SparkContext._active = None

    def __enter__(self) -> SparkSession:
        return self

    def __exit__(self, *problem) -> None:
        self.stop()

    # -- parts ----------------------------------------------------------------------------------------------------

    @property
    def version(self) -> str:
        """The level of Spark that is emulated."""
        return "4.3.0"

    @property
    def conf(self) -> RuntimeConfig:
        """The configuration."""
        return self._conf

    @property
    def sparkContext(self) -> SparkContext:
        """The context of this process."""
        return SparkContext.getOrCreate()

    @property
    def catalog(self) -> Catalog:
        """Views and functions."""
        from pystream.sql.catalog import Catalog
        return Catalog(self)

    @property
    def read(self) -> DataFrameReader:
        """Reads files."""
        from pystream.sql.readwriter import DataFrameReader
        return DataFrameReader(self)

    @property
    def readStream(self) -> DataStreamReader:
        """Describes streams."""
        from pystream.sql.streaming.readwriter import DataStreamReader
        return DataStreamReader(self)

    @property
    def streams(self) -> StreamingQueryManager:
        """The running queries."""
        from pystream.sql.streaming.query import StreamingQueryManager
        if self._streams is None:
            self._streams = StreamingQueryManager(self)
        return self._streams

    @property
    def udf(self):
        """Functions of the user: not part of this version."""
        raise _not_implemented("SparkSession.udf")

    @property
    def udtf(self):
        """Table functions of the user: not part of this version."""
        raise _not_implemented("SparkSession.udtf")

    @property
    def dataSource(self):
        """Data sources written in Python: not part of this version."""
        raise _not_implemented("SparkSession.dataSource")

    # -- making frames ----------------------------------------------------------------------------------------------

    def range(self, start: int, end: int | None = None, step: int = 1, numPartitions: int | None = None) -> DataFrame:
        """The numbers from `start` to before `end`, in column ``id``.

        Examples
        --------
        >>> [row.id for row in spark.range(10, 0, -3).collect()]
        [10, 7, 4, 1]
        """
        if end is None:
            start, end = 0, start
        args = {"start": int(start), "end": int(end), "step": int(step)}
        return DataFrame(self._engine.node("range", [], args), self)

    def table(self, tableName: str) -> DataFrame:
        """A view."""
        if not isinstance(tableName, str):
            raise _wrong_type("tableName", "str", tableName)
        return DataFrame(self._engine.view_get(tableName), self)

    def sql(self, sqlQuery: str, args=None, **kwargs) -> DataFrame:
        """The result of a statement.

        Parameters
        ----------
        sqlQuery : str
        args : dict or list, optional
            Values for ``:name`` or ``?`` in the text.
        kwargs
            Values for ``{name}`` in the text; DataFrames become views for the statement.

        Examples
        --------
        >>> spark.sql("SELECT id FROM {numbers} WHERE id > :low", {"low": 1}, numbers=spark.range(3)).collect()
        [Row(id=2)]
        """
        from pystream.sql import _parameters
        views: list = []
        if args is not None and not isinstance(args, (dict, list, tuple)):
            raise _wrong_type("args", "dict, list or tuple", args)
        if kwargs:
            sqlQuery = _parameters.formatted(self, sqlQuery, kwargs, views)
        names = [str(name) for name in args] if isinstance(args, dict) else None
        values = list(args.values() if isinstance(args, dict) else args or ())
        try:
            return DataFrame(self._engine.sql(sqlQuery, names, [_parameters.value_expr(value) for value in values]), self)
        finally:
            for name in views:
                self._engine.view_drop(name)

    def createDataFrame(self, data, schema=None, samplingRatio: float | None = None,
                        verifySchema: bool = True) -> DataFrame:
        """A DataFrame of rows that are here already.

        Parameters
        ----------
        data : list or iterator of tuple, list, dict, Row or object; pandas.DataFrame; numpy.ndarray; pyarrow.Table
        schema : StructType, DDL text, a type, or a list of names, optional
            Types are taken from the values when it does not give them.
        samplingRatio : float, optional
            Accepted; every row is looked at.
        verifySchema : bool, default True
            An error for values that do not fit the schema; else they become NULL.

        Examples
        --------
        >>> spark.createDataFrame([("Ann", 5)], ["name", "age"]).collect()
        [Row(name='Ann', age=5)]
        >>> spark.createDataFrame([(1, None)], "id INT, note STRING").schema.simpleString()
        'struct<id:int,note:string>'
        """
        from pystream.sql.types import DataType, StructType, _parse_datatype_string
        if isinstance(data, DataFrame):
            raise PySparkTypeError(
                errorClass="INVALID_TYPE", messageParameters={"arg_name": "data", "arg_type": "DataFrame"})
        if isinstance(schema, str):
            schema = _parse_datatype_string(schema)
        elif isinstance(schema, (list, tuple)):
            schema = [name if isinstance(name, str) else str(name) for name in schema]
        elif schema is not None and not isinstance(schema, DataType):
            raise _wrong_type("schema", "DataType, list, str or None", schema)
        package = type(data).__module__.partition(".")[0]
        if package in ("pandas", "numpy", "pyarrow") or hasattr(data, "__arrow_c_stream__"):
            from pystream.sql import _frames
            made = _frames.frame_of(self, data, schema)
            if made is not None:
                return made
            data, schema = _frames.rows_of(self, data, schema)
        rows = data if isinstance(data, list) else list(data)
        if isinstance(schema, DataType) and not isinstance(schema, StructType):
            schema = StructType().add("value", schema)
            rows = [(value,) for value in rows]
        elif not isinstance(schema, StructType):
            rows, schema = self._inferred(rows, schema)
        return DataFrame(self._engine.local(schema.json(), rows, bool(verifySchema)), self)

    def _inferred(self, rows, names):
        """The rows as they are, and their schema."""
        from pystream.sql.types import StructType, _has_nulltype, _infer_schema, _merge_type
        if not rows:
            raise PySparkValueError(errorClass="CANNOT_INFER_EMPTY_SCHEMA", messageParameters={})
        as_struct = self.conf.get("spark.sql.pyspark.inferNestedDictAsStruct.enabled", "false") == "true"
        prefer_ntz = self.conf.get("spark.sql.timestampType", "") == "TIMESTAMP_NTZ"
        schema = None
        for row in rows:
            found = _infer_schema(row, names, as_struct, prefer_ntz)
            schema = found if schema is None or schema == found else _merge_type(schema, found)
        if _has_nulltype(schema):
            raise PySparkValueError(errorClass="CANNOT_DETERMINE_TYPE", messageParameters={})
        if names:
            schema = StructType(schema.fields)
            for index, name in enumerate(names):
                schema.fields[index].name = name
                schema.names[index] = name
        if isinstance(rows[0], dict) or not isinstance(rows[0], (tuple, list)):
            own = [field.name for field in _infer_schema_names(rows)]
            rows = [tuple(_value_of(row, name) for name in own) for row in rows]
        return rows, schema

    # -- what has no meaning here -----------------------------------------------------------------------------------

    def addTag(self, tag: str) -> None:
        """Remember a tag for this thread."""
        self._tags().add(tag)

    def removeTag(self, tag: str) -> None:
        """Forget a tag."""
        self._tags().discard(tag)

    def getTags(self) -> set[str]:
        """The tags of this thread."""
        return set(self._tags())

    def clearTags(self) -> None:
        """Forget all tags."""
        self._tags().clear()

    def _tags(self) -> set:
        local = self.__dict__.setdefault("_local", threading.local())
        return local.__dict__.setdefault("tags", set())

    def interruptAll(self) -> list[str]:
        """Stops nothing."""
        return []

    def addArtifact(self, *path, **kwargs) -> None:
        """Nothing to do."""

    addArtifacts = addArtifact

    def _repr_html_(self) -> str:
        from html import escape
        import pystream
        name = self.conf.get("spark.app.name", "pystream")
        return (f"<div><p><b>SparkSession - pystream {pystream.__version__}</b></p><dl><dt>Version</dt>"
                f"<dd><code>v{self.version}</code></dd><dt>AppName</dt><dd><code>{escape(name)}</code></dd></dl></div>")


def _infer_schema_names(rows):
    """The fields of rows that are dicts or objects, merged in the order of the schema."""
    from pystream.sql.types import StructField, NullType
    names: dict = {}
    for row in rows:
        for name in sorted(row if isinstance(row, dict) else row.__dict__):
            names.setdefault(name)
    return [StructField(name, NullType()) for name in names]


def _value_of(row, name):
    return row.get(name) if isinstance(row, dict) else row.__dict__.get(name)
