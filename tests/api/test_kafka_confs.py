"""Programs that bring Spark's Kafka connector along run as they are; without librdkafka the error says what is missing."""
import logging
import subprocess
import sys

import pytest

CONFS = {
    "spark.jars": "/opt/jars/spark-sql-kafka-0-10_2.13-4.0.0.jar",
    "spark.jars.packages": "org.apache.spark:spark-sql-kafka-0-10_2.13:4.0.0,org.apache.kafka:kafka-clients:3.9.0",
    "spark.jars.repositories": "https://repository.example",
    "spark.kafka.consumer.cache.capacity": "128",
    "spark.kafka.consumer.cache.timeout": "10m",
    "spark.kafka.consumer.cache.evictorThreadRunInterval": "1m",
    "spark.kafka.consumer.fetchedData.cache.timeout": "5m",
    "spark.kafka.producer.cache.timeout": "10m",
}


def test_jars_and_caches_are_accepted_in_silence(caplog, capfd, recwarn):
    from pystream.sql import SparkSession
    builder = SparkSession.builder
    for key, value in CONFS.items():
        builder = builder.config(key, value)
    with caplog.at_level(logging.DEBUG):
        session = builder.create()
        builder.getOrCreate()  # and on a session that is there
    assert {key: session.conf.get(key) for key in CONFS} == CONFS
    assert not caplog.records
    assert tuple(capfd.readouterr()) == ("", "")
    assert not [warning for warning in recwarn if "pystream" in str(warning.filename)]


def test_librdkafka_is_not_loaded_before_it_is_needed():
    program = "import pystream.sql, sys; print('pystream._kafka' in sys.modules, 'rdkafka' in open('/proc/self/maps').read())"
    assert subprocess.check_output([sys.executable, "-c", program], text=True).split() == ["False", "False"]


def told_without_kafka(text):
    """What a program says in a process whose build has no such module."""
    program = """
import sys
sys.modules["pystream._kafka"] = None
from pystream.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
kafka = {"kafka.bootstrap.servers": "127.0.0.1:9", "subscribe": "t", "topic": "t"}
def reads(reader): return reader.format("kafka").options(**kafka).load()
def writes(): return spark.createDataFrame([("a",)], "value STRING").write.format("kafka").options(**kafka)
try:
    {}
except Exception as problem:
    print(type(problem).__name__, problem)
"""
    return subprocess.check_output([sys.executable, "-c", program.replace("{}", text)], text=True)


@pytest.mark.parametrize("text", ["reads(spark.readStream)", "reads(spark.read)", "writes().save()"])
def test_without_librdkafka_the_package_is_named(text):
    told = told_without_kafka(text)
    assert "librdkafka-dev" in told and "kafka" in told
