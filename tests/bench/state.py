"""Durable state: 100,000 of 0.7, 1.0 and 1.3 million keys updated a batch.

    python tests/bench/state.py

Tab-separated: million updates/s for upsert, delta, compression and sync, as the progress of the query gives their times
(best of ten batches), and bytes of memory per key.
"""
from __future__ import annotations

import random
import shutil
import tempfile
import time

from pystream.sql import SparkSession
from pystream.testing import MemoryStream


def main() -> None:
    spark = SparkSession.builder.getOrCreate()
    stream = MemoryStream(spark, "key LONG")
    checkpoint = tempfile.mkdtemp(prefix="bench-")
    query = (stream.df.groupBy("key").count().writeStream.outputMode("update").option("checkpointLocation", checkpoint)
             .format("noop").start())
    rng, n_keys = random.Random(7), 0

    def run(keys):
        stream.add(*[(key * 1_000_003,) for key in keys])
        query.processAllAvailable()
        while True:
            last = query.lastProgress
            if last["numInputRows"]:
                return last
            time.sleep(0.001)

    try:
        for size in (700_000, 1_000_000, 1_300_000):
            while n_keys < size:
                run(range(n_keys, n_keys + 100_000))
                n_keys += 100_000
            best = None
            for _ in range(10):
                state = run(rng.sample(range(n_keys), 100_000))["stateOperators"][0]
                took = (state["allUpdatesTimeMs"] + state["commitTimeMs"]) / 1000
                best = min(best or took, took)
            print(f"durable updates at {size:,} keys\t{0.1 / best:.1f}\tM/s\nbytes per key\t{state['memoryUsedBytes'] / n_keys:.1f}\t")
    finally:
        query.stop()
        shutil.rmtree(checkpoint)


if __name__ == "__main__":
    main()
