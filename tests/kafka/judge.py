"""An independent client (confluent-kafka, with a librdkafka of its own) that prepares topics and says what is in them."""
from __future__ import annotations

import time
from typing import NamedTuple

from confluent_kafka import OFFSET_BEGINNING, Consumer, IsolationLevel, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic, OffsetSpec

SECONDS = 30


class Record(NamedTuple):
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int  # milliseconds
    timestamp_type: int  # 0 CreateTime, 1 LogAppendTime
    headers: list | None


def as_bytes(value):
    return value.encode() if isinstance(value, str) else value


def wait_until(true, seconds=SECONDS, what="it"):
    """What `true` returns, as soon as that is true."""
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline, f"{what} did not come within {seconds} s"
        time.sleep(0.02)
    return found


class Judge:
    def __init__(self, bootstrap: str, **conf):
        self.conf = {"bootstrap.servers": bootstrap, "log_level": 0, **{key.replace("_", "."): value for key, value in conf.items()}}
        self.admin = AdminClient(self.conf)
        self._producer = None

    # topics ----------------------------------------------------------------

    def create(self, topic: str, partitions: int = 1, **config) -> str:
        new = NewTopic(topic, partitions, 1, config={key.replace("_", "."): str(value) for key, value in config.items()})
        self.admin.create_topics([new])[topic].result(SECONDS)
        wait_until(lambda: self.has_leaders(topic, partitions), what=f"a leader of each partition of {topic}")
        return topic

    def has_leaders(self, topic: str, partitions: int) -> bool:
        found = self.admin.list_topics(topic, SECONDS).topics[topic]
        if found.error or len(found.partitions) != partitions or any(part.leader < 0 for part in found.partitions.values()):
            return False
        try:  # the leader itself knows of it only a moment later
            return len(self.offsets(topic, OffsetSpec.latest())) == partitions
        except KafkaException:
            return False

    def add_partitions(self, topic: str, total: int) -> None:
        self.admin.create_partitions([NewPartitions(topic, total)])[topic].result(SECONDS)
        wait_until(lambda: self.has_leaders(topic, total), what=f"{total} partitions of {topic}")

    def delete(self, topic: str) -> None:
        self.admin.delete_topics([topic])[topic].result(SECONDS)
        wait_until(lambda: topic not in self.admin.list_topics(timeout=SECONDS).topics, what=f"the end of {topic}")

    def delete_records(self, topic: str, before: dict[int, int]) -> None:
        """Removes what lies before these offsets."""
        parts = [TopicPartition(topic, partition, offset) for partition, offset in before.items()]
        for future in self.admin.delete_records(parts).values():
            future.result(SECONDS)

    def offsets(self, topic: str, spec, committed: bool = False) -> dict[int, int]:
        n = len(self.admin.list_topics(topic, SECONDS).topics[topic].partitions)
        level = IsolationLevel.READ_COMMITTED if committed else IsolationLevel.READ_UNCOMMITTED
        asked = self.admin.list_offsets({TopicPartition(topic, i): spec for i in range(n)}, isolation_level=level)
        return {part.partition: future.result(SECONDS).offset for part, future in asked.items()}

    def ends(self, topic: str, committed: bool = False) -> dict[int, int]:
        return self.offsets(topic, OffsetSpec.latest(), committed)

    def starts(self, topic: str) -> dict[int, int]:
        return self.offsets(topic, OffsetSpec.earliest())

    # groups ----------------------------------------------------------------

    def groups(self) -> list[str]:
        return sorted(group.group_id for group in self.admin.list_consumer_groups().result(SECONDS).valid)

    def group_offsets(self, group: str) -> dict[tuple[str, int], int]:
        """What is committed.  Asked by a consumer of the group: librdkafka's admin request for it may crash or hang."""
        topics = self.admin.list_topics(timeout=SECONDS).topics.values()
        every = [TopicPartition(topic.topic, partition) for topic in topics for partition in topic.partitions]
        consumer = Consumer({**self.conf, "group.id": group, "isolation.level": "read_uncommitted"})
        try:
            return {(part.topic, part.partition): part.offset for part in consumer.committed(every, SECONDS) if part.offset >= 0}
        finally:
            consumer.close()

    def forget_group(self, group: str) -> None:
        """As the broker does with a group that nobody used for offsets.retention.minutes."""
        self.admin.delete_consumer_groups([group])[group].result(SECONDS)

    # records ---------------------------------------------------------------

    def producer(self, **conf) -> Producer:
        return Producer({**self.conf, "linger.ms": 1, **{key.replace("_", "."): value for key, value in conf.items()}})

    def produce(self, topic: str, *values, partition: int = 0, producer: Producer | None = None) -> None:
        """Values, or (key, value), (key, value, headers), (key, value, headers, timestamp in milliseconds)."""
        if producer is None:
            producer = self._producer = self._producer or self.producer()
        failed = []
        for row in values:
            key, value, headers, timestamp = (*row, None, None)[:4] if isinstance(row, tuple) else (None, row, None, None)
            more = {"headers": headers} if headers else {}
            if timestamp is not None:
                more["timestamp"] = timestamp
            while True:
                try:
                    producer.produce(topic, as_bytes(value), as_bytes(key), partition,
                                     on_delivery=lambda error, _: error and failed.append(error), **more)
                    break
                except BufferError:
                    producer.poll(0.1)
        assert producer.flush(SECONDS) == 0, f"{topic} was not written within {SECONDS} s"
        assert not failed, failed[0]

    def transaction(self, topic: str, *values, partition: int = 0, abort: bool = False, name: str = "judge") -> None:
        """Like produce(), in one transaction."""
        producer = self.producer(transactional_id=name)
        producer.init_transactions(SECONDS)
        producer.begin_transaction()
        self.produce(topic, *values, partition=partition, producer=producer)
        producer.abort_transaction(SECONDS) if abort else producer.commit_transaction(SECONDS)

    def open_transaction(self, topic: str, *values, partition: int = 0, name: str = "judge-open") -> Producer:
        """The same, left open: ends with commit_transaction() or abort_transaction() of what it returns."""
        producer = self.producer(transactional_id=name)
        producer.init_transactions(SECONDS)
        producer.begin_transaction()
        self.produce(topic, *values, partition=partition, producer=producer)
        return producer

    def read(self, topic: str, committed: bool = True) -> list[Record]:
        """All records, partition by partition."""
        consumer = Consumer({**self.conf, "group.id": "judge", "enable.auto.commit": False, "enable.partition.eof": True,
                             "isolation.level": "read_committed" if committed else "read_uncommitted"})
        try:
            open_ones = set(consumer.list_topics(topic, SECONDS).topics[topic].partitions)
            consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in open_ones])
            records, deadline = [], time.monotonic() + SECONDS
            while open_ones:
                assert time.monotonic() < deadline, f"{topic} was not read within {SECONDS} s"
                for message in consumer.consume(10_000, 0.05):
                    if message.error() is None:
                        kind, at = message.timestamp()
                        records.append(Record(message.partition(), message.offset(), message.key(), message.value(), at,
                                              kind - 1, message.headers()))
                        deadline = time.monotonic() + SECONDS
                    elif message.error().code() == KafkaError._PARTITION_EOF:
                        open_ones.discard(message.partition())
                    else:
                        raise KafkaException(message.error())
            return sorted(records, key=lambda record: record[:2])
        finally:
            consumer.close()

    def values(self, topic: str, committed: bool = True) -> list[str | None]:
        return [None if record.value is None else record.value.decode() for record in self.read(topic, committed)]
