"""What tests say about reading and writing topics, in few words; on either engine (PYSTREAM_ENGINE=spark)."""
from __future__ import annotations

import itertools
import json
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
ON_SPARK = os.environ.get("PYSTREAM_ENGINE") == "spark"
SPARK_JARS = ROOT / "build" / "spark-kafka-jars"
VALUES = "CAST(value AS STRING) AS value"


def option_names(options: dict) -> dict:
    """kafka_isolation_level stands for kafka.isolation.level."""
    return {key.replace("_", ".") if key.startswith("kafka_") else key: value for key, value in options.items()}


def spark_jars() -> str:
    """What PySpark lacks of its Kafka package, for `spark.jars`."""
    wanted = ("spark-sql-kafka", "spark-token", "kafka-clients", "commons-pool2")
    return ",".join(str(path) for path in SPARK_JARS.glob("*.jar") if path.name.startswith(wanted))


def make_session():
    from pystream.sql import SparkSession
    builder = SparkSession.builder.appName("kafka-tests").config("spark.sql.session.timeZone", "UTC")
    if ON_SPARK:
        builder = (builder.master("local[2]").config("spark.jars", spark_jars()).config("spark.ui.enabled", "false")
                   .config("spark.sql.shuffle.partitions", "1").config("spark.driver.memory", "1g"))
    else:
        builder = builder.config("pystream.checkpoint.sync", "false")
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF" if ON_SPARK else "WARN")
    return session


def wording(ours: str, spark40: str) -> str:
    """A pattern for an error's text; Spark 4.0 has not yet all conditions of later versions."""
    return spark40 if ON_SPARK else ours


def progress_of(query) -> list[dict]:
    """What the batches with rows reported, as their JSON says it."""
    told = [json.loads(one.json) for one in query.recentProgress]
    return [one for one in told if one["numInputRows"]]


class Follower:
    """A running query; the rows of each batch, as tuples, or as they are when they have one column."""

    def __init__(self, df, checkpoint: pathlib.Path, trigger: dict, mode: str):
        self.batches: list[list] = []
        self.told = 0  # rows that settle() gave
        self.checkpoint = checkpoint
        writer = df.writeStream.outputMode(mode).foreachBatch(self._keep).option("checkpointLocation", str(checkpoint))
        self.query = (writer.trigger(**trigger) if trigger else writer).start()

    def _keep(self, batch, _):
        rows = [tuple(row) for row in batch.collect()]
        self.batches.append([row[0] for row in rows] if len(batch.columns) == 1 else rows)

    @property
    def rows(self) -> list:
        return [row for batch in self.batches for row in batch]

    def settle(self) -> list:
        """Waits until what is in the topics now is read; the rows since the last time."""
        self.query.processAllAvailable()
        rows, self.told = self.rows[self.told:], len(self.rows)
        return rows

    def end(self, seconds: int = 60) -> Follower:
        assert self.query.awaitTermination(seconds), "the query goes on"
        return self

    def stop(self) -> Follower:
        self.query.stop()
        return self


class Kafka:
    """Topics of one broker as tables and streams."""

    def __init__(self, spark, bootstrap: str, folder: pathlib.Path):
        self.spark, self.bootstrap, self.folder = spark, bootstrap, folder
        self.numbers, self.started = itertools.count(), []

    def _options(self, options: dict) -> dict:
        return {"kafka.bootstrap.servers": self.bootstrap, **option_names(options)}

    def stream(self, select: str = VALUES, **options):
        df = self.spark.readStream.format("kafka").options(**self._options(options)).load()
        return df.selectExpr(*select.split(";")) if select else df

    def table(self, select: str = VALUES, **options):
        df = self.spark.read.format("kafka").options(**self._options(options)).load()
        return df.selectExpr(*select.split(";")) if select else df

    def values(self, **options) -> list:
        return [row[0] for row in self.table(**options).collect()]

    def new_checkpoint(self) -> pathlib.Path:
        return self.folder / f"checkpoint-{next(self.numbers)}"

    def follow(self, df=None, checkpoint=None, trigger=None, mode="append", **options) -> Follower:
        """Starts a query that keeps what it reads; without `df`, of the values in these topics."""
        df = self.stream(**options) if df is None else df
        follower = Follower(df, checkpoint or self.new_checkpoint(), trigger or {}, mode)
        self.started.append(follower.query)
        return follower

    def write(self, df, **options) -> None:
        mode = options.pop("mode", None)
        writer = df.write.format("kafka").options(**self._options(options))
        (writer.mode(mode) if mode else writer).save()

    def write_stream(self, df, checkpoint=None, mode="append", trigger=None, **options):
        """Starts a query into topics; the query."""
        writer = df.writeStream.format("kafka").outputMode(mode).options(**self._options(options))
        writer = writer.option("checkpointLocation", str(checkpoint or self.new_checkpoint()))
        query = (writer.trigger(**trigger) if trigger else writer).start()
        self.started.append(query)
        return query

    def close(self) -> None:
        for query in self.started:
            query.stop()
