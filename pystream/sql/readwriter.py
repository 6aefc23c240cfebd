"""Reading files into bounded DataFrames, and writing bounded DataFrames to files."""
from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pystream.errors import _not_implemented, _wrong_type

if TYPE_CHECKING:
    from pystream.sql.dataframe import DataFrame

__all__ = ["DataFrameReader", "DataFrameWriter", "DataFrameWriterV2"]


_Own = TypeVar("_Own", bound="_Options")


def _option_text(value) -> str | None:
    """An option's value as text: bools in lower case."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


class _Options:
    """What readers and writers have in common: a format and options."""

    def __init__(self):
        self._format = None
        self._options = {}

    def format(self: _Own, source: str) -> _Own:
        """The data source: json, csv, text and others."""
        self._format = source
        return self

    def option(self: _Own, key: str, value) -> _Own:
        """One option; bools and numbers become text."""
        self._options[key] = _option_text(value)
        return self

    def options(self: _Own, **options) -> _Own:
        """Several options."""
        for key, value in options.items():
            self.option(key, value)
        return self

    def _given(self, **options):
        """Those arguments of a format method that were given."""
        for key, value in options.items():
            if value is not None:
                self.option(key, value)
        return self


class _Reader(_Options):
    _streaming = False

    def __init__(self, session):
        super().__init__()
        self._session = session
        self._schema = None

    def schema(self: _Own, schema) -> _Own:
        """The schema to read with: a StructType or DDL text.

        Examples
        --------
        >>> reader = spark.read.schema("id INT, name STRING")
        """
        from pystream.sql.types import StructType, _parse_datatype_string
        if isinstance(schema, StructType):
            self._schema = schema.json()
        elif isinstance(schema, str):
            self._schema = _parse_datatype_string(schema).json()
        else:
            raise _wrong_type("schema", "StructType or str", schema)
        return self

    def _load(self, paths):
        from pystream.sql.dataframe import DataFrame
        source = self._format or self._session.conf.get("spark.sql.sources.default", "parquet")
        plan = self._session._engine.source(source, self._options, paths, self._schema, self._streaming)
        return DataFrame(plan, self._session)


def _csv_options(self, path, schema=None, sep=None, encoding=None, quote=None, escape=None, comment=None, header=None,
                 inferSchema=None, ignoreLeadingWhiteSpace=None, ignoreTrailingWhiteSpace=None, nullValue=None,
                 nanValue=None, positiveInf=None, negativeInf=None, dateFormat=None, timestampFormat=None,
                 maxColumns=None, maxCharsPerColumn=None, maxMalformedLogPerPartition=None, mode=None,
                 columnNameOfCorruptRecord=None, multiLine=None, charToEscapeQuoteEscaping=None, samplingRatio=None,
                 enforceSchema=None, emptyValue=None, locale=None, lineSep=None, pathGlobFilter=None,
                 recursiveFileLookup=None, modifiedBefore=None, modifiedAfter=None, unescapedQuoteHandling=None):
    given = dict(locals())
    del given["self"], given["path"], given["maxMalformedLogPerPartition"]
    return given.pop("schema"), given


def _json_options(self, path, schema=None, primitivesAsString=None, prefersDecimal=None, allowComments=None,
                  allowUnquotedFieldNames=None, allowSingleQuotes=None, allowNumericLeadingZero=None,
                  allowBackslashEscapingAnyCharacter=None, mode=None, columnNameOfCorruptRecord=None, dateFormat=None,
                  timestampFormat=None, multiLine=None, allowUnquotedControlChars=None, lineSep=None,
                  samplingRatio=None, dropFieldIfAllNull=None, encoding=None, locale=None, pathGlobFilter=None,
                  recursiveFileLookup=None, modifiedBefore=None, modifiedAfter=None, allowNonNumericNumbers=None,
                  useUnsafeRow=None):
    given = dict(locals())
    del given["self"], given["path"]
    given["allowNumericLeadingZeros"] = given.pop("allowNumericLeadingZero")
    return given.pop("schema"), given


# What a wrong argument is told of.
_csv_options.__qualname__, _json_options.__qualname__ = "csv", "json"


class DataFrameReader(_Reader):
    """Reads files, or topics of Kafka, into a DataFrame; `spark.read`.

    ``format("kafka")`` reads what is there now; `DataStreamReader` lists its options.

    Examples
    --------
    >>> import tempfile
    >>> directory = tempfile.mkdtemp()
    >>> spark.range(2).write.mode("append").json(directory)
    >>> sorted(row.id for row in spark.read.schema("id LONG").json(directory).collect())
    [0, 1]
    """

    def load(self, path=None, format: str | None = None, schema=None, **options) -> DataFrame:
        """Read a path, or a list of paths."""
        if format is not None:
            self.format(format)
        if schema is not None:
            self.schema(schema)
        self.options(**options)
        if path is None:
            return self._load([])
        if isinstance(path, str):
            return self._load([path])
        if not isinstance(path, (list, tuple)):
            raise _wrong_type("path", "list or str", path)
        return self._load(list(path))

    def _read(self, format: str, paths, schema=None, options=None):
        self._given(**(options or {}))
        return self.load(paths, format, schema)

    def json(self, path, *args, **kwargs) -> DataFrame:
        """JSON files, a value per line."""
        schema, options = _json_options(self, path, *args, **kwargs)
        return self._read("json", path, schema, options)

    def csv(self, path, *args, **kwargs) -> DataFrame:
        """CSV files."""
        schema, options = _csv_options(self, path, *args, **kwargs)
        return self._read("csv", path, schema, options)

    json.__wrapped__, csv.__wrapped__ = _json_options, _csv_options  # their parameters, for help() and editors

    def text(self, paths, wholetext: bool = False, lineSep: str | None = None, pathGlobFilter=None,
             recursiveFileLookup=None, modifiedBefore=None, modifiedAfter=None) -> DataFrame:
        """Text files, a row per line, in column ``value``."""
        return self._read("text", paths, None, dict(
            wholetext=wholetext, lineSep=lineSep, pathGlobFilter=pathGlobFilter,
            recursiveFileLookup=recursiveFileLookup, modifiedBefore=modifiedBefore, modifiedAfter=modifiedAfter))

    def parquet(self, *paths: str, **options) -> DataFrame:
        """Parquet files: not part of this version."""
        return self._read("parquet", list(paths), None, options)

    def orc(self, path, **options) -> DataFrame:
        """ORC files: not part of this version."""
        return self._read("orc", path, None, options)

    def xml(self, path, rowTag: str | None = None, schema=None, **options) -> DataFrame:
        """XML files: not part of this version."""
        return self._read("xml", path, schema, dict(rowTag=rowTag, **options))

    def table(self, tableName: str) -> DataFrame:
        """A temporary view."""
        return self._session.table(tableName)

    def jdbc(self, *args, **kwargs) -> DataFrame:
        """A database table: not part of this version."""
        raise _not_implemented("DataFrameReader.jdbc")


class DataFrameWriter(_Options):
    """Writes a bounded DataFrame to files, or to topics of Kafka (as `DataStreamWriter`, but not exactly once); `df.write`."""

    def __init__(self, df):
        super().__init__()
        self._df = df
        self._mode = "errorifexists"
        self._partition_by = []

    def mode(self, saveMode: str | None) -> DataFrameWriter:
        """What to do when the target exists: append, overwrite, error or ignore."""
        if saveMode is not None:
            self._mode = saveMode
        return self

    def partitionBy(self, *cols) -> DataFrameWriter:
        """A directory per value of these columns."""
        self._partition_by = list(cols[0]) if len(cols) == 1 and isinstance(cols[0], (list, tuple)) else list(cols)
        return self

    def bucketBy(self, numBuckets, col, *cols) -> DataFrameWriter:
        """Recorded for tables only."""
        raise _not_implemented("DataFrameWriter.bucketBy")

    def sortBy(self, col, *cols) -> DataFrameWriter:
        """Recorded for tables only."""
        raise _not_implemented("DataFrameWriter.sortBy")

    def clusterBy(self, *cols) -> DataFrameWriter:
        """Recorded for tables only."""
        raise _not_implemented("DataFrameWriter.clusterBy")

    def save(self, path: str | None = None, format: str | None = None, mode: str | None = None, partitionBy=None,
             **options) -> None:
        """Write the rows."""
        self.mode(mode).options(**options)
        if partitionBy is not None:
            self.partitionBy(partitionBy)
        if format is not None:
            self.format(format)
        if path is not None:
            self.option("path", path)
        session = self._df.sparkSession
        target = self._format or session.conf.get("spark.sql.sources.default", "parquet")
        session._engine.write(self._df._plan, target, self._options, self._mode, self._partition_by)

    def _write(self, format: str, path, mode, options) -> None:
        self._given(**options)
        self.save(path, format, mode)

    def json(self, path: str, mode: str | None = None, compression=None, dateFormat=None, timestampFormat=None,
             lineSep=None, encoding=None, ignoreNullFields=None) -> None:
        """JSON files, a row per line."""
        self._write("json", path, mode, dict(
            compression=compression, dateFormat=dateFormat, timestampFormat=timestampFormat, lineSep=lineSep,
            encoding=encoding, ignoreNullFields=ignoreNullFields))

    def csv(self, path: str, mode: str | None = None, compression=None, sep=None, quote=None, escape=None, header=None,
            nullValue=None, escapeQuotes=None, quoteAll=None, dateFormat=None, timestampFormat=None,
            ignoreLeadingWhiteSpace=None, ignoreTrailingWhiteSpace=None, charToEscapeQuoteEscaping=None,
            encoding=None, emptyValue=None, lineSep=None) -> None:
        """CSV files."""
        given = dict(locals())
        for name in ("self", "path", "mode"):
            given.pop(name)
        self._write("csv", path, mode, given)

    def text(self, path: str, compression=None, lineSep=None) -> None:
        """Text files, from one column of text."""
        self._write("text", path, None, dict(compression=compression, lineSep=lineSep))

    def parquet(self, path: str, mode: str | None = None, partitionBy=None, compression=None) -> None:
        """Parquet files: not part of this version."""
        if partitionBy is not None:
            self.partitionBy(partitionBy)
        self._write("parquet", path, mode, dict(compression=compression))

    def orc(self, path: str, mode: str | None = None, partitionBy=None, compression=None) -> None:
        """ORC files: not part of this version."""
        if partitionBy is not None:
            self.partitionBy(partitionBy)
        self._write("orc", path, mode, dict(compression=compression))

    def saveAsTable(self, name: str, format=None, mode=None, partitionBy=None, **options) -> None:
        """A table: not part of this version."""
        raise _not_implemented("DataFrameWriter.saveAsTable")

    def insertInto(self, tableName: str, overwrite=None) -> None:
        """A table: not part of this version."""
        raise _not_implemented("DataFrameWriter.insertInto")

    def jdbc(self, *args, **kwargs) -> None:
        """A database table: not part of this version."""
        raise _not_implemented("DataFrameWriter.jdbc")


class DataFrameWriterV2:
    """Writes to tables: not part of this version."""

    def __init__(self, *args):
        raise _not_implemented("DataFrameWriterV2")
