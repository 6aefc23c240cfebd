"""The program that tests of the sink kill: sink_program.py QUERY BOOTSTRAP TOPIC INPUT CHECKPOINT [OPTION=VALUE ...].

Reads text files, one a batch, into a topic. QUERY is `lines` (each line, with random bits behind a blank) or `counts` (how
often each line has come so far).
"""
import sys

from pystream.sql import SparkSession
from pystream.sql import functions as F


def main():
    query, bootstrap, topic, source, checkpoint, *options = sys.argv[1:]
    spark = SparkSession.builder.getOrCreate()
    rows = spark.readStream.format("text").option("maxFilesPerTrigger", 1).load(source)
    if query == "counts":
        rows = rows.groupBy("value").count().select(F.expr("concat(value, ' ', CAST(count AS string)) AS value"))
    else:
        rows = rows.select(F.expr("concat(value, ' ', CAST(rand() AS string)) AS value"))
    writer = (rows.writeStream.outputMode("update").format("kafka").option("kafka.bootstrap.servers", bootstrap)
              .option("topic", topic).option("checkpointLocation", checkpoint).option("pystream.kafka.exactlyOnce", "true"))
    for option in options:
        writer = writer.option(*option.split("=", 1))
    writer.trigger(availableNow=True).start().awaitTermination()


main()
