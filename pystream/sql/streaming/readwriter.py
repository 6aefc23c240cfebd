"""Reading streams into DataFrames, and starting the queries that write them."""
from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pystream.errors import (
    AnalysisException, IllegalArgumentException, PySparkAttributeError, PySparkValueError, _not_implemented, _wrong_type)
from pystream.sql.readwriter import _csv_options, _json_options, _Options, _Reader

if TYPE_CHECKING:
    from pystream.sql.dataframe import DataFrame
    from pystream.sql.streaming.query import StreamingQuery

__all__ = ["DataStreamReader", "DataStreamWriter"]


def _text(name: str, value) -> str:
    """A non-blank text argument."""
    if not isinstance(value, str) or not value.strip():
        raise PySparkValueError(
            errorClass="VALUE_NOT_NON_EMPTY_STR", messageParameters={"arg_name": name, "arg_value": str(value)})
    return value


class DataStreamReader(_Reader):
    """Describes a stream; `spark.readStream`.

    Notes
    -----
    ``format("kafka")`` reads topics, in the columns ``key`` and ``value`` (binary), ``topic``, ``partition``, ``offset``,
    ``timestamp`` and ``timestampType``. Its options:

    - ``kafka.bootstrap.servers``: the brokers to ask first, ``"host1:9092,host2:9092"``;
    - ``subscribe`` (topics: ``"a,b"``), ``subscribePattern`` (a regular expression that is found in a topic's name) or
      ``assign`` (partitions: ``'{"a": [0, 1]}'``);
    - ``startingOffsets``: ``latest`` (the default of streams), ``earliest``, or ``'{"a": {"0": 23, "1": -2}}'`` where -1 is
      latest and -2 earliest; it counts when a query starts for the first time;
    - ``startingTimestamp``, ``startingOffsetsByTimestamp``: the same by time, in milliseconds since 1970, and
      ``startingOffsetsByTimestampStrategy``: ``error`` (the default) or ``latest`` when no message is so new;
    - ``endingOffsets``, ``endingTimestamp``, ``endingOffsetsByTimestamp``: where `spark.read` ends;
    - ``maxOffsetsPerTrigger``: the most messages of a micro-batch;
    - ``minOffsetsPerTrigger``: wait for so many, but not longer than ``maxTriggerDelay`` (``15m``);
    - ``failOnDataLoss``: ``true`` (the default) fails when messages are gone before they were read;
    - ``includeHeaders``: ``true`` adds the column ``headers``;
    - ``groupIdPrefix``, ``kafka.group.id``: a name for the brokers' rules and logs; offsets are kept in the checkpoint;
    - ``kafka.*``: any property of the Java client, or of librdkafka: ``kafka.isolation.level``, ``kafka.sasl.jaas.config``.

    Examples
    --------
    >>> stream = spark.readStream.format("rate").option("rowsPerSecond", 10).load()
    >>> stream.columns
    ['timestamp', 'value']
    """

    _streaming = True

    def load(self, path: str | None = None, format: str | None = None, schema=None, **options) -> DataFrame:
        """The stream as a DataFrame."""
        if format is not None:
            self.format(format)
        if schema is not None:
            self.schema(schema)
        self.options(**options)
        if path is None:
            return self._load([])
        _text("path", path)
        if any(key.lower() == "path" for key in self._options):
            raise AnalysisException._of_engine(
                "There is a 'path' option set and load() is called with a path parameter. Either remove the path "
                "option, or call load() without the parameter.", "_LEGACY_ERROR_TEMP_1188", None)
        options, self._options = self._options, {**self._options, "path": path}
        try:
            return self._load([])
        finally:
            self._options = options

    def _read(self, format: str, path, schema=None, options=None):
        self._given(**(options or {}))
        if schema is not None:
            self.schema(schema)
        if not isinstance(path, str):
            raise _wrong_type("path", "str", path)
        return self.load(path, format)

    def json(self, path: str, *args, **kwargs) -> DataFrame:
        """JSON files as they appear in a directory, a value per line."""
        schema, options = _json_options(self, path, *args, **kwargs)
        return self._read("json", path, schema, options)

    def csv(self, path: str, *args, **kwargs) -> DataFrame:
        """CSV files as they appear in a directory."""
        schema, options = _csv_options(self, path, *args, **kwargs)
        return self._read("csv", path, schema, options)

    json.__wrapped__, csv.__wrapped__ = _json_options, _csv_options  # their parameters, for help() and editors

    def text(self, path: str, wholetext: bool = False, lineSep: str | None = None, pathGlobFilter=None,
             recursiveFileLookup=None) -> DataFrame:
        """Text files as they appear in a directory, a row per line."""
        return self._read("text", path, None, dict(
            wholetext=wholetext, lineSep=lineSep, pathGlobFilter=pathGlobFilter,
            recursiveFileLookup=recursiveFileLookup))

    def parquet(self, path: str, **options) -> DataFrame:
        """Parquet files: not part of this version."""
        return self._read("parquet", path, None, options)

    def orc(self, path: str, **options) -> DataFrame:
        """ORC files: not part of this version."""
        return self._read("orc", path, None, options)

    def xml(self, path: str, rowTag: str | None = None, schema=None, **options) -> DataFrame:
        """XML files: not part of this version."""
        return self._read("xml", path, schema, dict(rowTag=rowTag, **options))

    def table(self, tableName: str) -> DataFrame:
        """A streaming view."""
        if not isinstance(tableName, str):
            raise _wrong_type("tableName", "str", tableName)
        df = self._session.table(tableName)
        if not df.isStreaming or self._schema is not None:
            raise AnalysisException._of_engine(
                f"User specified schema not supported with `table`, or {tableName} is not a streaming relation.",
                "_LEGACY_ERROR_TEMP_1008", None)
        return df

    def name(self, sourceName: str) -> DataStreamReader:
        """A name for the source: recorded."""
        _text("sourceName", sourceName)
        return self


class DataStreamWriter(_Options):
    """Says where a stream goes, and starts the query; `df.writeStream`.

    Notes
    -----
    ``format("kafka")`` writes a message per row: its ``value`` and, where they are there, ``key``, ``topic``, ``partition``
    and ``headers``. Its options:

    - ``kafka.bootstrap.servers``: the brokers to ask first;
    - ``topic``: of all rows; else the column says it;
    - ``kafka.*``: any property of the Java client, or of librdkafka;
    - ``pystream.kafka.exactlyOnce``: ``true`` makes a micro-batch one transaction, so that readers with
      ``kafka.isolation.level=read_committed`` see no message twice; else a failure may repeat the messages of a batch;
    - ``pystream.kafka.onLostBatchId``: ``fail`` (the default), ``resend`` or ``skip``, see below.

    **Kafka, exactly once.** ``format("kafka")`` writes at least once, as in Spark. With
    ``option("pystream.kafka.exactlyOnce", "true")`` every micro-batch is one transaction, which also commits the batch's number
    as the offset of a consumer group; group and transactional id are ``pystream-<query id>``, and the principal needs the
    right to write to that id and to read that group. Readers must set ``kafka.isolation.level`` to ``read_committed``. A
    restarted query learns from the number whether its last batch is there, and a second run of the same query shuts the first
    one out. What the brokers need:

    - ``transaction.state.log.replication.factor`` and ``.min.isr`` (3 and 2 by default) no higher than there are brokers.
    - ``transaction.max.timeout.ms`` (15 minutes) no lower than the option ``kafka.transaction.timeout.ms`` (1 minute), which in
      turn must be longer than any batch takes to write. When it is over the broker gives the transaction up and the batch
      fails: raise it. After a crash it is also how long readers may wait for the query to come back.
    - ``offsets.retention.minutes`` (7 days) longer than the longest time between a crash and the next start. After that, or
      when the topic is deleted, the number is gone. If the last batch is in the checkpoint's ``commits`` that does no harm.
      Otherwise the next start fails with ``KAFKA_BATCH_ID_LOST``: look whether the batch is in the topic, and start once with
      the option ``pystream.kafka.onLostBatchId`` set to ``"skip"`` when it is, or to ``"resend"`` when it is not. A number
      that is a minute old is stored again before the next batch. If that fails, the brokers being out of reach, and the pause
      was longer than they keep it, the next start fails with ``KAFKA_BATCH_ID_LOST`` though nothing of the batch was written:
      ``"resend"`` is right then.

    The number is ahead of an old copy of the checkpoint. A query that starts from one goes through the batches since the copy
    again, but writes none of those that the brokers already have, also when its source now gives them other rows. To have them
    written again start with a new checkpoint.

    Examples
    --------
    >>> seen = []
    >>> stream = spark.readStream.format("rate-micro-batch").option("rowsPerBatch", 3).load()
    >>> query = stream.writeStream.foreachBatch(lambda df, n: seen.append(df.count())).trigger(once=True).start()
    >>> query.awaitTermination()
    >>> seen
    [3]
    """

    def __init__(self, df):
        super().__init__()
        self._df = df
        self._mode = "append"
        self._partition_by = []
        self._name = None
        self._trigger = ("interval", None)
        self._function = None

    def outputMode(self, outputMode: str) -> DataStreamWriter:
        """append, update or complete."""
        self._mode = _text("outputMode", outputMode)
        if outputMode.lower() not in ("append", "update", "complete"):
            raise IllegalArgumentException._of_engine(
                f"[STREAMING_OUTPUT_MODE.INVALID] Invalid streaming output mode: {outputMode}. Accepted output modes are "
                "'Append', 'Complete', 'Update'. SQLSTATE: 42KDE", "STREAMING_OUTPUT_MODE.INVALID", "42KDE")
        return self

    def partitionBy(self, *cols) -> DataStreamWriter:
        """A directory per value of these columns, for file sinks."""
        self._partition_by = list(cols[0]) if len(cols) == 1 and isinstance(cols[0], (list, tuple)) else list(cols)
        return self

    def clusterBy(self, *cols) -> DataStreamWriter:
        """Not part of this version."""
        raise _not_implemented("DataStreamWriter.clusterBy")

    def queryName(self, queryName: str) -> DataStreamWriter:
        """A name for the query; the memory sink's table is called so."""
        self._name = _text("queryName", queryName)
        return self

    def trigger(self, *, processingTime: str | None = None, once: bool | None = None, continuous: str | None = None,
                availableNow: bool | None = None, realTime: str | None = None) -> DataStreamWriter:
        """When batches are made; exactly one of these.

        Parameters
        ----------
        processingTime : str
            Every so often: ``"5 seconds"``.
        once : bool
            One batch with all there is, then end.
        availableNow : bool
            Batches until all that is there now is read, then end.
        continuous, realTime : str
            Not part of this version.
        """
        given = {name: value for name, value in (
            ("processingTime", processingTime), ("once", once), ("continuous", continuous),
            ("availableNow", availableNow), ("realTime", realTime)) if value is not None}
        if len(given) != 1:
            raise PySparkValueError(errorClass="ONLY_ALLOW_SINGLE_TRIGGER", messageParameters={})
        (name, value), = given.items()
        if name in ("once", "availableNow"):
            if value is not True:
                raise PySparkValueError(
                    errorClass="VALUE_NOT_ALLOWED", messageParameters={"arg_name": name, "allowed_values": "[True]"})
            self._trigger = ("once" if name == "once" else "available_now", None)
            return self
        from pystream import _native
        text = _text(name, value).strip()
        _native.check_interval(text)
        if name == "realTime":
            raise _not_implemented("trigger(realTime=...)")
        self._trigger = ("interval" if name == "processingTime" else "continuous", text)
        return self

    def foreachBatch(self, func) -> DataStreamWriter:
        """Call ``func(df, batch_id)`` with every batch, as a bounded DataFrame.

        The batch is computed once, at the first action on it, however many follow.
        """
        self._format, self._function = "foreachbatch", func
        return self

    def foreach(self, f) -> DataStreamWriter:
        """Call a function with every row, or an object's ``open``, ``process`` and ``close``."""
        if not callable(f):
            for name in ("process", "open", "close"):
                if not callable(getattr(f, name, None)) and (name == "process" or hasattr(f, name)):
                    raise PySparkAttributeError(
                        errorClass="ATTRIBUTE_NOT_CALLABLE",
                        messageParameters={"attr_name": name, "obj_name": "f"})
        self._format, self._function = "foreach", f
        return self

    def start(self, path: str | None = None, format: str | None = None, outputMode: str | None = None,
              partitionBy=None, queryName: str | None = None, **options) -> StreamingQuery:
        """Start the query and return its handle."""
        self.options(**options)
        if outputMode is not None:
            self.outputMode(outputMode)
        if partitionBy is not None:
            self.partitionBy(partitionBy)
        if format is not None:
            self.format(format)
        if queryName is not None:
            self.queryName(queryName)
        given = dict(self._options)
        if path is not None:
            if any(key.lower() == "path" for key in given):
                raise AnalysisException._of_engine(
                    "There is a 'path' option set and start() is called with a path parameter. Either remove the path "
                    "option, or call start() without the parameter.", "_LEGACY_ERROR_TEMP_1188", None)
            given["path"] = os.fspath(path)
        from pystream.sql.streaming.query import _start
        return _start(self, given)

    def toTable(self, tableName: str, format: str | None = None, outputMode: str | None = None, partitionBy=None,
                queryName: str | None = None, **options) -> StreamingQuery:
        """Write to a table: not part of this version; use a file sink with a path, or foreachBatch."""
        raise _not_implemented("DataStreamWriter.toTable (write to a path with format() and start(path), or use foreachBatch)")
