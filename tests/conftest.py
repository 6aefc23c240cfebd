"""Fixtures for all tests, and the names that docstring examples use."""
import os
import time

os.environ.setdefault("TZ", "UTC")
time.tzset()

import pytest  # noqa: E402


@pytest.fixture(scope="session")
def _session():
    from pystream.sql import SparkSession
    session = (SparkSession.builder.master("local[2]").appName("tests").config("spark.sql.session.timeZone", "UTC")
               .config("spark.sql.shuffle.partitions", "2").config("pystream.checkpoint.sync", "false").getOrCreate())
    yield session
    session.stop()


@pytest.fixture
def spark(_session):
    """The session; whatever queries and views a test leaves are removed."""
    yield _session
    for query in _session.streams.active:
        query.stop()
    for table in _session.catalog.listTables():
        _session.catalog.dropTempView(table.name)


@pytest.fixture
def F():
    from pystream.sql import functions
    return functions


@pytest.fixture
def feed(spark):
    """Makes a MemoryStream of a schema."""
    from pystream.testing import MemoryStream
    return lambda schema: MemoryStream(spark, schema)


@pytest.fixture
def batches():
    """A foreachBatch function that keeps (batch id, rows as tuples)."""
    class Batches(list):
        def __call__(self, df, batch_id):
            self.append((batch_id, [tuple(row) for row in df.collect()]))

    return Batches()
