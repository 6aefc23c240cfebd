"""Latency with a real broker: 1,000 messages a second from topic to topic, through a running count per key.

    python tests/bench/kafka_latency.py [--seconds 20] [--rate 1000] [--sync false]

Both topics bear the broker's own time of appending, in milliseconds: the latency of a message is the time from its append to
the append of the first result that counts it.  Lines, tab-separated: delivery, p50, p90, p99 and worst milliseconds, messages.
All messages must have been counted, exactly once each.
"""
from __future__ import annotations

import argparse
import collections
import json
import pathlib
import shutil
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "kafka")]
import broker as brokers  # noqa: E402

KEYS, WARM_SECONDS = 100, 3


def make_topic(servers: str, name: str) -> None:
    from confluent_kafka.admin import AdminClient, NewTopic
    admin = AdminClient({"bootstrap.servers": servers})
    admin.create_topics([NewTopic(name, 1, 1, config={"message.timestamp.type": "LogAppendTime"})])[name].result(30)


def send(servers: str, topic: str, rate: int, seconds: float) -> None:
    """A message each 1/rate seconds, its key one of KEYS in turn."""
    from confluent_kafka import Producer
    producer = Producer({"bootstrap.servers": servers, "linger.ms": 0})
    began, n = time.monotonic(), int(rate * seconds)
    for i in range(n):
        producer.produce(topic, key=str(i % KEYS), value=str(i))
        producer.poll(0)
        time.sleep(max(0.0, began + (i + 1) / rate - time.monotonic()))
    assert producer.flush(30) == 0


def read(servers: str, topic: str):
    """(key, value, append time) of all that is committed."""
    from confluent_kafka import Consumer, TopicPartition
    consumer = Consumer({"bootstrap.servers": servers, "group.id": "judge", "isolation.level": "read_committed"})
    low, high = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=30)
    consumer.assign([TopicPartition(topic, 0, 0)])
    rows, idle = [], 0
    while idle < 3:
        batch = consumer.consume(10_000, timeout=0.5)
        idle = 0 if batch else idle + 1
        rows += [(m.key(), m.value(), m.timestamp()[1]) for m in batch]
    consumer.close()
    return rows


def run(spark, servers: str, exactly: bool, rate: int, seconds: float):
    from pystream.sql import functions as F
    source, target = f"in-{exactly}".lower(), f"out-{exactly}".lower()
    make_topic(servers, source)
    make_topic(servers, target)
    checkpoint = tempfile.mkdtemp(prefix="bench-")
    query = (spark.readStream.format("kafka").option("kafka.bootstrap.servers", servers).option("subscribe", source).load()
             .groupBy("key").count().select("key", F.to_json(F.struct("count")).alias("value"))
             .writeStream.format("kafka").option("kafka.bootstrap.servers", servers).option("topic", target)
             .option("pystream.kafka.exactlyOnce", str(exactly).lower()).option("checkpointLocation", checkpoint).outputMode("update").start())
    query.processAllAvailable()
    sender = threading.Thread(target=send, args=(servers, source, rate, seconds + WARM_SECONDS))
    sender.start()
    sender.join()
    query.processAllAvailable()
    progress = query.recentProgress[-50:]
    query.stop()
    shutil.rmtree(checkpoint)
    return read(servers, source), read(servers, target), progress


def latencies(sent, results, rate: int):
    """Milliseconds of each message behind the warm-up; fails when one was not counted, or counted twice."""
    at = collections.defaultdict(list)
    for key, value, ms in results:
        at[key].append((json.loads(value)["count"], ms))
    seen, found = collections.Counter(), []
    nexts = collections.Counter()
    for i, (key, _, ms) in enumerate(sent):
        seen[key] += 1
        counts = at[key]
        while counts[nexts[key]][0] < seen[key]:
            nexts[key] += 1
        if i >= rate * WARM_SECONDS:
            found.append(counts[nexts[key]][1] - ms)
    assert all(max(count for count, _ in at[key]) == n for key, n in seen.items())
    return sorted(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--sync", default="true")
    parser.add_argument("--steps", action="store_true", help="how long the steps of the last batches took")
    options = parser.parse_args()
    from pystream.sql import SparkSession
    spark = SparkSession.builder.config("pystream.checkpoint.sync", options.sync).getOrCreate()
    print("delivery\tp50\tp90\tp99\tworst\tmessages")
    with brokers.Broker(java=["-XX:+UseSerialGC"]) as broker:
        for exactly in (False, True):
            sent, results, progress = run(spark, broker.bootstrap, exactly, options.rate, options.seconds)
            found = latencies(sent, results, options.rate)
            shown = [found[min(int(len(found) * q), len(found) - 1)] for q in (0.5, 0.9, 0.99, 1)]
            print("exactly once" if exactly else "at least once", *shown, len(found), sep="\t", flush=True)
            if options.steps:
                for step in progress[-1]["durationMs"]:
                    print("#", step, sum(p["durationMs"].get(step, 0) for p in progress) / len(progress))
                print("# rows a batch", sum(p["numInputRows"] for p in progress) / len(progress))


if __name__ == "__main__":
    main()
