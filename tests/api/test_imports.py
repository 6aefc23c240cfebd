"""What an import brings, and what it needs."""
import subprocess
import sys

import pytest


def test_import_needs_the_standard_library_only():
    text = ("import sys; import pystream.sql, pystream.sql.functions, pystream.testing; "
            "print([m for m in ('numpy', 'pandas', 'pyarrow', 'py4j', 'pyspark') if m in sys.modules])")
    out = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert out.stdout == "[]\n"


@pytest.mark.parametrize("module, names", [
    ("pystream", "SparkConf SparkContext StorageLevel Row TaskContext SparkFiles"),
    ("pystream.sql", "SparkSession DataFrame Column Row GroupedData Window WindowSpec DataFrameReader DataFrameWriter Catalog"),
    ("pystream.sql.dataframe", "DataFrame"), ("pystream.sql.column", "Column"),
    ("pystream.sql.utils", "AnalysisException ParseException StreamingQueryException"),
    ("pystream.sql.streaming", "StreamingQuery StreamingQueryException StreamingQueryManager StreamingQueryListener DataStreamReader DataStreamWriter"),
    ("pystream.sql.streaming.listener", "StreamingQueryProgress QueryStartedEvent"),
    ("pystream.sql.streaming.state", "GroupState GroupStateTimeout"),
    ("pystream.errors", "PySparkException AnalysisException PySparkTypeError PySparkValueError"),
    ("pystream.testing", "assertDataFrameEqual assertSchemaEqual MemoryStream"),
    ("pystream.storagelevel", "StorageLevel"), ("pystream.util", "keyword_only"), ("pystream.logger", "PySparkLogger"),
])
def test_names_stand_where_pyspark_has_them(module, names):
    found = __import__(module, fromlist=["_"])
    assert [name for name in names.split() if not hasattr(found, name)] == []


def test_what_is_out_of_scope_says_so():
    import pystream
    with pytest.raises(ImportError, match="out of scope"):
        pystream.ml  # noqa: B018


def test_functions_that_are_not_built_can_be_imported_and_say_so():
    from pystream.errors import PySparkNotImplementedError
    from pystream.sql.functions import lag, row_number
    for function in (lag, row_number):
        with pytest.raises(PySparkNotImplementedError, match=rf"functions\.{function.__name__} is not implemented"):
            function("x")
    import pystream.sql.functions
    assert "row_number" not in dir(pystream.sql.functions)
    with pytest.raises(PySparkNotImplementedError, match=r"streaming\.StatefulProcessor is not implemented"):
        from pystream.sql.streaming import StatefulProcessor  # noqa: F401


def test_a_wrong_argument_of_a_reader_names_the_method(spark):
    with pytest.raises(TypeError, match=r"json\(\) got an unexpected keyword argument 'schem'"):
        spark.readStream.json("x", schem="a INT")


def test_only_listeners_listen(spark):
    with pytest.raises(TypeError, match="should be StreamingQueryListener, got object"):
        spark.streams.addListener(object())
