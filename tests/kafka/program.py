"""The program that tests kill: from topic to topic.

    program.py QUERY BOOTSTRAP FROM TO CHECKPOINT [KEY=VALUE options of the sink, or of the source behind "source."]

QUERY: `copy` (each value as it came), `count` (key and running count, update mode).  Ends when all is read, with
`follow-` before it (`follow-copy`) never.
"""
import sys

from pystream.sql import SparkSession
from pystream.sql import functions as F


def main():
    query, bootstrap, source, target, checkpoint, *options = sys.argv[1:]
    spark = SparkSession.builder.config("spark.sql.session.timeZone", "UTC").getOrCreate()
    options = dict(option.split("=", 1) for option in options)
    df = (spark.readStream.format("kafka").option("kafka.bootstrap.servers", bootstrap).option("subscribe", source)
          .option("startingOffsets", "earliest").option("kafka.isolation.level", "read_committed")
          .options(**{key.removeprefix("source."): value for key, value in options.items() if key.startswith("source.")}).load())
    mode = "append"
    if query.endswith("count"):
        df, mode = df.groupBy(F.col("value").cast("string").alias("key")).agg(F.count("*").cast("string").alias("value")), "update"
    else:
        df = df.selectExpr("key", "value")
    writer = (df.writeStream.format("kafka").outputMode(mode).option("kafka.bootstrap.servers", bootstrap)
              .option("topic", target).option("checkpointLocation", checkpoint)
              .options(**{key: value for key, value in options.items() if not key.startswith("source.")}))
    if not query.startswith("follow-"):
        writer = writer.trigger(availableNow=True)
    writer.start().awaitTermination()


main()
