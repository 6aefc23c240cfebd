"""Random events through the engine and through the naive model, batch by batch."""
import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model.naive import WIDTH, Windowed
from pystream.sql import functions as F
from pystream.testing import MemoryStream

EPOCH = dt.datetime(1970, 1, 1)
ROW = st.tuples(st.one_of(st.none(), st.integers(0, 120)), st.sampled_from(["a", "b", "c", None]), st.integers(-5, 5))
BATCHES = st.lists(st.lists(ROW, max_size=12), min_size=1, max_size=6)


def start(df, mode, out, checkpoint):
    writer = df.writeStream.outputMode(mode).option("checkpointLocation", checkpoint)
    writer = writer.foreachBatch(lambda batch, n: out.__setitem__(n, [tuple(row) for row in batch.collect()]))
    writer._trigger = ("manual", None)
    return writer.start()


@pytest.mark.parametrize("mode", ["append", "update", "complete"])
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(batches=BATCHES, restarts=st.sets(st.integers(0, 5)))
def test_windowed_counts(spark, tmp_path_factory, mode, batches, restarts):
    stream = MemoryStream(spark, "at timestamp, key string, n int")
    df = (stream.df.withWatermark("at", f"{WIDTH} seconds").groupBy(F.window("at", f"{WIDTH} seconds"), "key")
          .agg(F.count("*"), F.sum("n")).selectExpr("CAST(window.start AS long)", "key", "`count(1)`", "`sum(n)`"))
    checkpoint, out, judge = str(tmp_path_factory.mktemp("model")), {}, Windowed(mode)
    query = start(df, mode, out, checkpoint)
    try:
        for number, rows in enumerate(batches):
            if number in restarts:
                query.stop()
                query = start(df, mode, out, checkpoint)
            stream.add(*[(None if at is None else EPOCH + dt.timedelta(seconds=at), key, n) for at, key, n in rows])
            given_rows = rows
            while query._handle.step():
                wanted = judge.batch(given_rows)
                assert sorted(out[max(out)], key=repr) == sorted(wanted, key=repr)
                dropped = query.lastProgress.stateOperators[0].numRowsDroppedByWatermark
                assert dropped == (0 if mode == "complete" else judge.dropped)
                given_rows = []
    finally:
        query.stop()
