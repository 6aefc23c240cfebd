"""Structured Streaming: readers, writers, queries and listeners."""
from pystream.errors import StreamingQueryException, _not_implemented
from pystream.sql.streaming.listener import StreamingQueryListener
from pystream.sql.streaming.query import StreamingQuery, StreamingQueryManager
from pystream.sql.streaming.readwriter import DataStreamReader, DataStreamWriter

__all__ = ["StreamingQuery", "StreamingQueryManager", "StreamingQueryException", "StreamingQueryListener", "DataStreamReader",
           "DataStreamWriter"]


def __getattr__(name: str):
    if name in ("StatefulProcessor", "StatefulProcessorHandle", "ListState", "MapState", "ValueState", "TimerValues"):
        raise _not_implemented(f"streaming.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
