"""Fixtures of the tests of the Python side."""
import pytest


@pytest.fixture(autouse=True)
def _tidy(request):
    """Whatever queries and views a test leaves in the session are removed."""
    yield
    if "spark" in request.fixturenames:
        session = request.getfixturevalue("spark")
        for query in session.streams.active:
            query.stop()
        for table in session.catalog.listTables():
            session.catalog.dropTempView(table.name)


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
