"""The benchmarked programs in the public API: each is one micro-batch over all input.

    python tests/bench/engine.py PROGRAM INPUT [--rounds 5] [--workers 1] [--result FILE]

Prints, tab-separated, wall seconds and processor seconds of each round; the rows of the first one, which does not count,
go to FILE.
"""
from __future__ import annotations

import argparse
import array
import pathlib
import shutil
import tempfile
import time

from pystream.sql import SparkSession
from pystream.sql import functions as F
from pystream.testing import MemoryStream

import gen


def ysb(spark, at):
    ads = spark.createDataFrame([tuple(line.split(",")) for line in (at / "ysb-ads.csv").read_text().split()],
                                "ad_id STRING, campaign_id STRING")
    return (spark.readStream.schema(gen.YSB_SCHEMA).json(str(at / "ysb"))
            .where("event_type = 'view'")
            .select("ad_id", F.timestamp_millis(F.col("event_time").cast("long")).alias("ts"))
            .join(ads, "ad_id")
            .groupBy(F.window("ts", "10 seconds"), "campaign_id").count()
            .select(F.unix_millis("window.start").alias("start"), "campaign_id", "count"))


def trades(spark, at):
    return (spark.readStream.schema("ts TIMESTAMP, symbol STRING, price DOUBLE, size LONG").json(str(at / "trades"))
            .groupBy(F.window("ts", "10 minutes", "5 minutes"), "symbol")
            .agg(F.avg("price").alias("avg"), F.min("price").alias("min"), F.max("price").alias("max"),
                 F.sum("size").alias("size"), F.count("*").alias("n"))
            .select(F.unix_millis("window.start").alias("start"), "symbol", F.round("avg", 6).alias("avg"), "min", "max", "size", "n"))


def words(spark, at):
    return (spark.readStream.text(str(at / "words"))
            .select(F.explode(F.split("value", " ")).alias("word"))
            .groupBy("word").count())


def columns(keys):
    def program(spark, at):
        stream = MemoryStream(spark, "ts TIMESTAMP_NTZ, key LONG, value LONG")
        rows = array.array("q")
        rows.frombytes((at / f"columns-{keys}.bin").read_bytes())
        import datetime
        start, micro = datetime.datetime(1970, 1, 1), datetime.timedelta(microseconds=1)
        for i in range(0, len(rows), 3 * 262_144):
            part = rows[i:i + 3 * 262_144]
            stream.add(*[(start + t * micro, k, v) for t, k, v in zip(part[0::3], part[1::3], part[2::3])])
        return (stream.df.groupBy(F.window("ts", "1 minute"), "key").agg(F.count("*").alias("n"), F.sum("value").alias("sum"))
                .select(F.unix_millis(F.col("window.start").cast("timestamp")).alias("start"), "key", "n", "sum"))
    return program


PROGRAMS = {"ysb": ysb, "trades": trades, "words": words, "columns-10000": columns(10_000), "columns-1000000": columns(1_000_000)}


def run(df, checkpoint, write=None):
    writer = df.writeStream.outputMode("update").option("checkpointLocation", checkpoint).trigger(availableNow=True)
    writer = writer.foreachBatch(write) if write else writer.format("noop")
    wall, cpu = time.perf_counter(), time.process_time()
    query = writer.start()
    query.awaitTermination()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    progress = [p for p in query.recentProgress if p["numInputRows"] > 0]
    assert len(progress) == 1, [p["numInputRows"] for p in query.recentProgress]
    return wall, cpu, progress[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", choices=PROGRAMS)
    parser.add_argument("input", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--result", type=pathlib.Path)
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    spark = (SparkSession.builder.appName("bench").config("spark.sql.session.timeZone", "UTC")
             .config("pystream.workers", str(options.workers)).config("pystream.checkpoint.sync", "false").getOrCreate())
    df = PROGRAMS[options.program](spark, options.input)

    def save(batch, _):
        with open(options.result, "w", encoding="utf-8") as out:
            for row in batch.collect():
                out.write("\t".join(map(str, row)) + "\n")

    for i in range(options.rounds + 1):
        checkpoint = tempfile.mkdtemp(prefix="bench-")
        try:
            wall, cpu, progress = run(df, checkpoint, save if i == 0 and options.result else None)
        finally:
            shutil.rmtree(checkpoint)
        if i > 0:
            print(f"{wall:.4f}\t{cpu:.4f}\t{progress['numInputRows']}", flush=True)
        if options.verbose:
            print(progress["durationMs"], progress["stateOperators"][0]["allUpdatesTimeMs"])


if __name__ == "__main__":
    main()
