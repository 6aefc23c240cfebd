"""Program 1: words of a directory of text (or CSV) files, counted as files arrive.

    python notebooks/programs/word_count.py INPUT OUTPUT [--format text|csv] [--mode complete|update] [--show]

The counts go to OUTPUT/batch=<id>.json by foreachBatch; kill the program and start it again as often as you like.
With --show they are printed too, by the console sink, a memory table and a foreach writer.
"""
from __future__ import annotations

import argparse
import json
import os
import pathlib

from pystream.sql import SparkSession
from pystream.sql.functions import col, explode, lower, split


def save_as(output: str):
    """A foreachBatch function: a file per batch, put in place by rename, so a repeated batch overwrites itself."""
    def save(batch, batch_id):
        rows = sorted(json.dumps(row.asDict(recursive=True), default=str, sort_keys=True) for row in batch.collect())
        path = pathlib.Path(output, f"batch={batch_id}.json")
        temporary = path.with_name(f".{path.name}.tmp")
        temporary.write_text("".join(row + "\n" for row in rows), "utf-8")
        os.replace(temporary, path)
    return save


def read_lines(spark, path: str, format: str):
    """The stream of lines: a column `line`."""
    reader = spark.readStream.format(format).option("maxFilesPerTrigger", 1)
    if format == "csv":
        return reader.schema("n INT, line STRING").load(path).select("line")
    return reader.load(path).withColumnRenamed("value", "line")


def count_words(lines):
    return (lines.select(explode(split(col("line"), " ")).alias("word"))
            .select(lower("word").alias("word"))
            .filter(col("word") != "")
            .groupBy("word").count())


class Tally:
    """A foreach writer: counts the rows that reach it."""

    def __init__(self):
        self.rows = 0

    def open(self, partition_id, epoch_id):
        return True

    def process(self, row):
        self.rows += 1

    def close(self, error):
        pass


def show(spark, counts) -> None:
    """The same counts in the other sinks."""
    query = counts.orderBy(col("count").desc(), "word").limit(5).writeStream.outputMode("complete").format("console") \
        .trigger(once=True).start()
    query.awaitTermination()
    query = counts.writeStream.outputMode("complete").format("memory").queryName("words").trigger(availableNow=True).start()
    query.awaitTermination()
    spark.sql("SELECT word, count FROM words WHERE count > 100 ORDER BY count DESC, word LIMIT 5").show()
    tally = Tally()
    query = counts.writeStream.outputMode("update").foreach(tally).trigger(availableNow=True).start()
    query.awaitTermination()
    print(f"foreach saw {tally.rows} changed counts")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input")
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--format", default="text", choices=["text", "csv"])
    parser.add_argument("--mode", default="update", choices=["complete", "update"])
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    spark = SparkSession.builder.appName("word count").config("spark.sql.session.timeZone", "UTC").getOrCreate()
    counts = count_words(read_lines(spark, options.input, options.format))
    (options.output / "counts").mkdir(parents=True, exist_ok=True)
    query = (counts.writeStream.outputMode(options.mode).foreachBatch(save_as(str(options.output / "counts")))
             .option("checkpointLocation", str(options.output / "checkpoint")).trigger(availableNow=True).start())
    query.awaitTermination()
    if options.show:
        show(spark, counts)


if __name__ == "__main__":
    main()
