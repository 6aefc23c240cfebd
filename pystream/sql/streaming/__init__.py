"""Structured Streaming: readers, writers, queries and listeners."""
from pystream.sql.streaming.listener import StreamingQueryListener
from pystream.sql.streaming.query import StreamingQuery, StreamingQueryManager
from pystream.sql.streaming.readwriter import DataStreamReader, DataStreamWriter

__all__ = ["StreamingQuery", "StreamingQueryManager", "StreamingQueryListener", "DataStreamReader", "DataStreamWriter"]
