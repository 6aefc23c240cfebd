"""The SQL and DataFrame API."""
from pystream.sql.catalog import Catalog
from pystream.sql.column import Column
from pystream.sql.dataframe import DataFrame, DataFrameNaFunctions, DataFrameStatFunctions
from pystream.sql.group import GroupedData
from pystream.sql.readwriter import DataFrameReader, DataFrameWriter, DataFrameWriterV2
from pystream.sql.session import SparkSession
from pystream.sql.types import Row, VariantVal
from pystream.sql.utils import is_remote
from pystream.sql.window import Window, WindowSpec

__all__ = [
    "Catalog", "Column", "DataFrame", "DataFrameNaFunctions", "DataFrameReader", "DataFrameStatFunctions",
    "DataFrameWriter", "DataFrameWriterV2", "GroupedData", "Row", "SparkSession", "VariantVal", "Window", "WindowSpec",
    "is_remote",
]


def __getattr__(name):
    if name in ("SQLContext", "HiveContext", "UDFRegistration", "UDTFRegistration", "Observation",
                "PandasCogroupedOps", "Geography", "Geometry", "MergeIntoWriter"):
        from pystream.errors import _not_implemented

        class Missing:
            """A class that is not part of this version."""

            def __init__(self, *args, **kwargs):
                raise _not_implemented(name)
        Missing.__name__ = Missing.__qualname__ = name
        globals()[name] = Missing
        return Missing
    raise AttributeError(f"module 'pystream.sql' has no attribute {name!r}")
