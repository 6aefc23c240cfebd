"""What a query reports: progress objects, events and listeners."""
from __future__ import annotations

import json
from abc import ABC, abstractmethod

__all__ = [
    "StreamingQueryListener", "QueryStartedEvent", "QueryProgressEvent", "QueryIdleEvent", "QueryTerminatedEvent",
    "StreamingQueryProgress", "StateOperatorProgress", "SourceProgress", "SinkProgress",
]


class _Report(dict):
    """A dict whose keys are attributes too, with the engine's JSON beside."""

    def __init__(self, values, engine):
        super().__init__(values)
        self._engine = engine

    def __getattr__(self, name):
        if name in self:
            return dict.__getitem__(self, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def json(self) -> str:
        """The report as JSON, on one line."""
        return json.dumps(self._engine)

    @property
    def prettyJson(self) -> str:
        """The report as JSON, a line per value."""
        return json.dumps(self._engine, indent=4)

    def __str__(self):
        return self.prettyJson

    __repr__ = __str__

    def __reduce__(self):
        return _again, (type(self), dict(self), self._engine)


def _again(cls, values, engine):
    return cls(values, engine)


class StateOperatorProgress(_Report):
    """What a stateful operator did in a batch."""

    @classmethod
    def fromJson(cls, j: dict) -> StateOperatorProgress:
        """The report of a parsed JSON form."""
        return cls({**j, "customMetrics": dict(j.get("customMetrics") or {})}, j)


class SourceProgress(_Report):
    """What was read from a source in a batch."""

    @classmethod
    def fromJson(cls, j: dict) -> SourceProgress:
        """The report of a parsed JSON form."""
        return cls({
            "description": j.get("description"), "startOffset": _offset(j.get("startOffset")),
            "endOffset": _offset(j.get("endOffset")), "latestOffset": _offset(j.get("latestOffset")),
            "numInputRows": j.get("numInputRows"), "inputRowsPerSecond": j.get("inputRowsPerSecond", float("nan")),
            "processedRowsPerSecond": j.get("processedRowsPerSecond", float("nan")),
            "metrics": dict(j.get("metrics") or {})}, j)


class SinkProgress(_Report):
    """What a sink took in a batch."""

    @classmethod
    def fromJson(cls, j: dict) -> SinkProgress:
        """The report of a parsed JSON form."""
        return cls({"description": j.get("description"), "numOutputRows": j.get("numOutputRows"),
                    "metrics": dict(j.get("metrics") or {})}, j)


def _offset(value) -> str:
    return str(value) if value is None or isinstance(value, str) else json.dumps(value)


class StreamingQueryProgress(_Report):
    """The report about one batch: keys as attributes or with ``[]``."""

    @classmethod
    def fromJson(cls, j: dict) -> StreamingQueryProgress:
        """The report of a parsed JSON form."""
        import uuid
        from pystream.sql.types import Row
        sources = [SourceProgress.fromJson(item) for item in j.get("sources") or []]
        return cls({
            "id": uuid.UUID(j["id"]), "runId": uuid.UUID(j["runId"]), "name": j.get("name"),
            "timestamp": j.get("timestamp"), "batchId": j.get("batchId"), "batchDuration": j.get("batchDuration"),
            "durationMs": dict(j.get("durationMs") or {}), "eventTime": dict(j.get("eventTime") or {}),
            "stateOperators": [StateOperatorProgress.fromJson(item) for item in j.get("stateOperators") or []],
            "sources": sources, "sink": SinkProgress.fromJson(j.get("sink") or {}),
            "numInputRows": j.get("numInputRows", sum(item.numInputRows or 0 for item in sources)),
            "inputRowsPerSecond": j.get("inputRowsPerSecond", sum(item.inputRowsPerSecond for item in sources)),
            "processedRowsPerSecond": j.get(
                "processedRowsPerSecond", sum(item.processedRowsPerSecond for item in sources)),
            "observedMetrics": {name: Row(**item) for name, item in (j.get("observedMetrics") or {}).items()}}, j)

    def __getitem__(self, key):
        value = super().__getitem__(key)
        return str(value) if key in ("id", "runId") else value


class QueryStartedEvent:
    """A query has started."""

    def __init__(self, id, runId, name, timestamp, jobTags=()):
        self.id, self.runId, self.name, self.timestamp, self.jobTags = id, runId, name, timestamp, set(jobTags)


class QueryProgressEvent:
    """A batch has ended; `progress` is the report."""

    def __init__(self, progress: StreamingQueryProgress):
        self.progress = progress


class QueryIdleEvent:
    """A query waits for data."""

    def __init__(self, id, runId, timestamp):
        self.id, self.runId, self.timestamp = id, runId, timestamp


class QueryTerminatedEvent:
    """A query has ended; `exception` is None when it was stopped."""

    def __init__(self, id, runId, exception, errorClassOnException):
        self.id, self.runId, self.exception = id, runId, exception
        self.errorClassOnException = errorClassOnException


def _event(kind: str, j: dict):
    """The event object of what the engine tells."""
    import uuid
    if kind == "progress":
        return QueryProgressEvent(StreamingQueryProgress.fromJson(j))
    ids = uuid.UUID(j["id"]), uuid.UUID(j["runId"])
    if kind == "started":
        return QueryStartedEvent(*ids, j.get("name"), j.get("timestamp"), j.get("jobTags") or ())
    if kind == "idle":
        return QueryIdleEvent(*ids, j.get("timestamp"))
    return QueryTerminatedEvent(*ids, j.get("exception"), j.get("errorClassOnException"))


class StreamingQueryListener(ABC):
    """Hears of the queries of a session; subclass it and add it with `spark.streams.addListener`.

    `onQueryStarted` is called before `start()` returns; the others by one thread of their own, in order.
    """

    spark = None

    @abstractmethod
    def onQueryStarted(self, event: QueryStartedEvent) -> None:
        """A query has started."""

    @abstractmethod
    def onQueryProgress(self, event: QueryProgressEvent) -> None:
        """A batch has ended."""

    def onQueryIdle(self, event: QueryIdleEvent) -> None:
        """A query waits for data."""

    @abstractmethod
    def onQueryTerminated(self, event: QueryTerminatedEvent) -> None:
        """A query has ended."""
