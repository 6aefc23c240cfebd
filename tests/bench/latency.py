"""Small batches, first result, memory: what an interactive user feels.

    python tests/bench/latency.py [--batches 500] [--runs 5]

`batch`: MemoryStream -> groupBy.count -> update -> foreachBatch with one collect, 1,000 rows each, from adding the data
to `commits/N` on disk, default trigger; best of the runs.  The adding thread waits as programs wait, by sleeping
between its looks (a loop that never sleeps would measure how the interpreter's lock is fought over).  `first`: process start to the first row of a streaming query.
"""
from __future__ import annotations

import argparse
import os
import pathlib
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

FIRST = """
import time
from pystream.sql import SparkSession
from pystream.testing import MemoryStream
spark = SparkSession.builder.getOrCreate()
stream = MemoryStream(spark, "k LONG")
stream.add((1,), (2,))
query = stream.df.writeStream.foreachBatch(lambda batch, n: print(batch.collect()[0][0], flush=True)).start()
query.processAllAvailable()
"""


def batches(n: int, sync: bool) -> list[float]:
    """Milliseconds of each batch."""
    from pystream.sql import SparkSession
    from pystream.testing import MemoryStream
    spark = SparkSession.builder.getOrCreate()
    spark.conf.set("pystream.checkpoint.sync", str(sync).lower())
    chance = random.Random(1)
    rows = [[(chance.randrange(5000),) for _ in range(1000)] for _ in range(n)]
    checkpoint = tempfile.mkdtemp(prefix="latency-", dir=os.environ.get("BENCH_DIR"))
    seen, taken = [0], []
    stream = MemoryStream(spark, "k LONG")
    query = (stream.df.groupBy("k").count().writeStream.outputMode("update")
             .foreachBatch(lambda batch, n: seen.__setitem__(0, seen[0] + len(batch.collect())))
             .option("checkpointLocation", checkpoint).start())
    try:
        for number in range(n):
            path = pathlib.Path(checkpoint, "commits", str(number))
            began = time.perf_counter()
            stream.add(*rows[number])
            while not path.exists():
                time.sleep(0.0001)
            taken.append((time.perf_counter() - began) * 1000)
        query.processAllAvailable()
        assert seen[0] == sum(len(set(part)) for part in rows)
    finally:
        query.stop()
        shutil.rmtree(checkpoint)
    return taken


def first_result() -> tuple[float, float]:
    """Seconds to the first row, and the process's peak of memory in MB."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", FIRST], stdout=subprocess.PIPE, cwd=tempfile.gettempdir())
    assert process.stdout.readline()
    took = time.perf_counter() - began
    process.communicate()
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return took, usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=int, default=500)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    firsts = [first_result() for _ in range(options.runs)]
    print(f"first\t{min(took for took, _ in firsts):.3f} s\tpeak {firsts[-1][1]:.1f} MB")
    for sync in (False, True):
        found = []
        for _ in range(options.runs):
            taken = sorted(batches(options.batches, sync))
            found.append((statistics.median(taken), taken[int(len(taken) * 0.99)]))
        p50, p99 = min(found)
        print(f"batch {'synced' if sync else 'unsynced'}\tp50 {p50:.2f} ms\tp99 {p99:.2f} ms\tratio {p99 / p50:.1f}")


if __name__ == "__main__":
    main()
