"""Options of the sink: the Java producer's properties, and those that are refused (D.8, E.2)."""
import pytest
from pystream.errors import IllegalArgumentException

PRODUCER = {
    "kafka.acks": "all", "kafka.retries": 5, "kafka.linger.ms": 1, "kafka.batch.size": 20000, "kafka.compression.type": "lz4",
    "kafka.delivery.timeout.ms": 30000, "kafka.request.timeout.ms": 10000, "kafka.enable.idempotence": "true",
    "kafka.max.in.flight.requests.per.connection": 2, "kafka.buffer.memory": 8_388_608, "kafka.max.request.size": 500_000,
    "kafka.max.block.ms": 20000, "kafka.client.id": "tester", "kafka.send.buffer.bytes": 65536,
}


@pytest.mark.parametrize("key", PRODUCER)
def test_properties_of_the_java_producer(kafka, judge, topic, key):
    name = topic()
    kafka.write(kafka.spark.sql("SELECT 'a' AS value"), topic=name, **{key: PRODUCER[key]})
    assert judge.values(name) == ["a"]


@pytest.mark.ours
@pytest.mark.parametrize("part", ["key", "value"])
def test_serializers_are_refused(kafka, topic, part):
    with pytest.raises(IllegalArgumentException, match=rf"Kafka option '{part}\.serializer' is not supported as {part}s are serialized "
                                                       r"with ByteArraySerializer\."):
        kafka.write(kafka.spark.sql("SELECT 'a' AS value"), topic=topic(), **{f"kafka.{part}.serializer": "x"})


@pytest.mark.ours
def test_a_java_partitioner_is_refused(kafka, topic):
    with pytest.raises(IllegalArgumentException, match=r"partitioner\.class"):
        kafka.write(kafka.spark.sql("SELECT 'a' AS value"), topic=topic(), **{"kafka.partitioner.class": "x.Y"})
