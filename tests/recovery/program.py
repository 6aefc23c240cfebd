"""The program that recovery tests kill: program.py QUERY MODE SINK INPUT OUTPUT [KEY=VALUE confs]."""
import json
import os
import pathlib
import sys

from pystream.sql import SparkSession
from pystream.sql import functions as F


def save_as(folder):
    def save(batch, batch_id):
        rows = [list(row) for row in batch.collect()]
        temporary = folder / f".{batch_id}.tmp"
        temporary.write_text(json.dumps(rows))
        os.replace(temporary, folder / f"batch={batch_id}.json")
    return save


def main():
    query, mode, sink, source, output, *confs = sys.argv[1:]
    builder = SparkSession.builder.config("spark.sql.session.timeZone", "UTC")
    for conf in confs:
        builder = builder.config(*conf.split("=", 1))
    spark = builder.getOrCreate()
    rows = spark.readStream.schema("at long, key string, n long").option("maxFilesPerTrigger", 1)
    if query == "cleaned":
        rows = rows.option("cleanSource", "archive").option("sourceArchiveDir", output + "/archive")
    rows = rows.json(source)
    if query == "windowed":
        rows = (rows.withColumn("t", F.expr("CAST(at AS timestamp)")).withWatermark("t", "10 seconds")
                .groupBy(F.window("t", "10 seconds"), "key").agg(F.count("*").alias("c"), F.sum("n").alias("s"))
                .selectExpr("CAST(window.start AS long) AS start", "key", "c", "s"))
    else:
        rows = rows.where("n % 2 = 1")
    writer = rows.writeStream.outputMode(mode).option("checkpointLocation", output + "/checkpoint").trigger(availableNow=True)
    if sink == "file":
        writer = writer.format("json").option("path", output + "/data")
    else:
        folder = pathlib.Path(output, "data")
        folder.mkdir(parents=True, exist_ok=True)
        writer = writer.foreachBatch(save_as(folder))
    writer.start().awaitTermination()


main()
