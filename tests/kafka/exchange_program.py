"""One run of a stateless query, on either engine, as its environment says: exchange_program.py BOOTSTRAP FROM TO CHECKPOINT.

PYSTREAM_ENGINE=spark: real PySpark, with its Kafka package from build/spark-kafka-jars.
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import queries  # noqa: E402

bootstrap, source, target, checkpoint = sys.argv[1:]
spark = queries.make_session()
df = (spark.readStream.format("kafka").option("kafka.bootstrap.servers", bootstrap).option("subscribe", source)
      .option("startingOffsets", "earliest").option("maxOffsetsPerTrigger", 4).load()
      .selectExpr("key", "upper(CAST(value AS STRING)) AS value"))
(df.writeStream.format("kafka").option("kafka.bootstrap.servers", bootstrap).option("topic", target)
 .option("checkpointLocation", checkpoint).trigger(availableNow=True).start().awaitTermination())
