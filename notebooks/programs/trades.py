"""Program 2: trades in sliding windows with a watermark, joined with a table of companies, written exactly once.

    python notebooks/programs/trades.py INPUT COMPANIES OUTPUT [--show]

Closed windows go to OUTPUT/closed as JSON files (append mode, the file sink); windows as they change go to
OUTPUT/changes/batch=<id>.json (update mode, foreachBatch).  Kill the program and start it again as often as you like.
"""
from __future__ import annotations

import argparse
import pathlib

from pystream.sql import SparkSession
from pystream.sql import functions as F

from word_count import save_as

SCHEMA = "ts TIMESTAMP, symbol STRING, price DOUBLE, volume LONG"
CLOSED = "start TIMESTAMP, end TIMESTAMP, symbol STRING, company STRING, avg DOUBLE, min DOUBLE, max DOUBLE, volume LONG, n LONG"


def summarise(spark, input: str, companies: str):
    trades = spark.readStream.schema(SCHEMA).option("maxFilesPerTrigger", 1).json(input)
    names = spark.read.schema("symbol STRING, company STRING").csv(companies)
    return (trades.withWatermark("ts", "10 minutes")
            .groupBy(F.window("ts", "10 minutes", "5 minutes"), "symbol")
            .agg(F.avg("price").alias("avg"), F.min("price").alias("min"), F.max("price").alias("max"),
                 F.sum("volume").alias("volume"), F.count("*").alias("n"))
            .join(names, "symbol")
            .select("window.start", "window.end", "symbol", "company", "avg", "min", "max", "volume", "n"))


def start(spark, input: str, companies: str, output: pathlib.Path):
    """Both queries, until all files that are there are read."""
    windows = summarise(spark, input, companies)
    (output / "changes").mkdir(parents=True, exist_ok=True)
    closed = (windows.writeStream.outputMode("append").format("json").option("path", str(output / "closed"))
              .option("checkpointLocation", str(output / "checkpoint-closed")).trigger(availableNow=True).start())
    changes = (windows.writeStream.outputMode("update").foreachBatch(save_as(str(output / "changes")))
               .option("checkpointLocation", str(output / "checkpoint-changes")).trigger(availableNow=True).start())
    return closed, changes


def read_closed(spark, output: pathlib.Path):
    """What the file sink has committed: the reader goes by its log, not by what lies in the directory."""
    return spark.read.schema(CLOSED).json(str(output / "closed"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input")
    parser.add_argument("companies")
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    spark = SparkSession.builder.appName("trades").config("spark.sql.session.timeZone", "UTC").getOrCreate()
    for query in start(spark, options.input, options.companies, options.output):
        query.awaitTermination()
    if options.show:
        read_closed(spark, options.output).orderBy("start", "symbol").show(8, truncate=False)


if __name__ == "__main__":
    main()
