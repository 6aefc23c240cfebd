"""Structured Streaming without a cluster: the PySpark API on an engine in C, one process, no JVM.

Programs written for PySpark run with the import changed::

    from pystream.sql import SparkSession, functions as F

With ``PYSTREAM_ENGINE=spark`` in the environment the same imports give PySpark itself.
"""
import os as _os

__version__ = "0.1.0"

if _os.environ.get("PYSTREAM_ENGINE", "") == "spark":
    from pystream._spark import install as _install

    _install(globals())
else:
    from pystream.context import SparkConf, SparkContext, SparkFiles, TaskContext
    from pystream.sql.types import Row
    from pystream.storagelevel import StorageLevel
    from pystream.util import InheritableThread, inheritable_thread_target, keyword_only, since

    __all__ = [
        "InheritableThread", "Row", "SparkConf", "SparkContext", "SparkFiles", "StorageLevel", "TaskContext",
        "inheritable_thread_target", "keyword_only", "since",
    ]

    def __getattr__(name):
        if name in ("SQLContext", "HiveContext"):
            import pystream.sql
            return getattr(pystream.sql, name)
        if name in ("RDD", "Broadcast", "Accumulator"):
            import pystream.context
            return getattr(pystream.context, name)
        if name in ("ml", "mllib", "pandas", "streaming", "resource", "pipelines"):
            raise ImportError(f"pystream.{name} is out of scope: pystream has the SQL and Structured Streaming API only")
        raise AttributeError(f"module 'pystream' has no attribute {name!r}")
