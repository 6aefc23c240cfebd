"""Helpers for tests of streaming programs: comparisons as in pyspark, and a stream fed from memory."""
from pystream.testing.stream import MemoryStream
from pystream.testing.utils import assertDataFrameEqual, assertSchemaEqual

__all__ = ["MemoryStream", "assertDataFrameEqual", "assertSchemaEqual"]
