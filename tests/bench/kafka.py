"""Throughput with a real broker: reading the YSB stream and writing small messages, beside loops over librdkafka alone.

    python tests/bench/kafka.py [--messages 2000000] [--rounds 3] [--pairs 3]

The broker runs on one core and the client on another.  The contestants take turns; the best round of each counts.  Lines,
tab-separated: what, contestant, million messages/s, nanoseconds of processor time a message, and against the first.
`loop` reads and does nothing, `counting loop` also parses, filters, joins, and counts by window; `spark` is the engine's program
on real Spark, on the same core (after `make spark-kafka`; its processor time is not counted).  The results are checked: the rows
counted, and the messages that arrived.
"""
from __future__ import annotations

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "kafka")]
import broker as brokers  # noqa: E402
import gen  # noqa: E402
import queries  # noqa: E402

PARTITIONS = 4
ROOT = HERE.parents[1]
SPARK = ROOT / "build" / "spark-venv" / "bin" / "python"
JAVA = ["-XX:+UseSerialGC"]  # with the full compiler, which fast rounds want


def fill(servers: str, topic: str, messages: int) -> None:
    """Writes the events, lz4, 240 bytes each."""
    from confluent_kafka import Producer
    producer = Producer({"bootstrap.servers": servers, "compression.type": "lz4", "linger.ms": 20, "batch.size": 1_000_000,
                         "queue.buffering.max.messages": 1_000_000, "queue.buffering.max.kbytes": 1_000_000})
    for i, line in enumerate(gen.ysb_lines(100, 0, messages, gen.ads_of_ysb(), messages)):
        while True:
            try:
                producer.produce(topic, line[:-1], partition=i // 1000 % PARTITIONS)
                break
            except BufferError:
                producer.poll(0.1)
        if i % 1000 == 0:
            producer.poll(0)
    assert producer.flush(120) == 0


def make_topic(servers: str, name: str) -> None:
    from confluent_kafka.admin import AdminClient, NewTopic
    admin = AdminClient({"bootstrap.servers": servers})
    admin.create_topics([NewTopic(name, PARTITIONS, 1)])[name].result(30)


def build_loop(folder: pathlib.Path) -> pathlib.Path:
    flags = subprocess.check_output(["pkg-config", "--cflags", "--libs", "rdkafka"], text=True).split()
    subprocess.run(["gcc", "-O3", "-D_GNU_SOURCE", str(HERE / "ceiling" / "kafka.c"), "-o", str(folder / "kafka"), *flags], check=True)
    return folder / "kafka"


def rounds_of(command, core: int) -> list[tuple[float, float, int]]:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, preexec_fn=lambda: os.sched_setaffinity(0, {core}))
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} failed:\n{done.stderr}")
    return [(float(wall), float(cpu), int(n)) for wall, cpu, n in (line.split("\t") for line in done.stdout.splitlines())]


# --- the engine's side, in a process of its own ------------------------------------------------------------------------

def make_session():
    """Of either engine, on one core."""
    from pystream.sql import SparkSession
    builder = SparkSession.builder.config("spark.sql.session.timeZone", "UTC")
    if os.environ.get("PYSTREAM_ENGINE") == "spark":
        builder = (builder.master("local[1]").config("spark.sql.shuffle.partitions", "1").config("spark.ui.enabled", "false")
                   .config("spark.driver.memory", "4g").config("spark.jars", queries.spark_jars()))
    return builder.config("pystream.workers", "1").config("pystream.checkpoint.sync", "false").getOrCreate()


def ysb_of(spark, servers, topic, ads):
    from pystream.sql import functions as F
    return (spark.readStream.format("kafka").option("kafka.bootstrap.servers", servers).option("subscribe", topic)
            .option("startingOffsets", "earliest").load()
            .select(F.from_json(F.col("value").cast("string"), gen.YSB_SCHEMA).alias("e"))
            .where("e.event_type = 'view'")
            .select("e.ad_id", F.timestamp_millis(F.col("e.event_time").cast("long")).alias("ts"))
            .join(ads, "ad_id")
            .groupBy(F.window("ts", "10 seconds"), "campaign_id").count()
            .select(F.unix_millis("window.start"), "campaign_id", "count"))


def engine_consume(servers, topic, messages, rounds, result):
    spark = make_session()
    ads = spark.createDataFrame(gen.ads_of_ysb(), "ad_id STRING, campaign_id STRING")
    for i in range(rounds + 1):
        checkpoint, counted = tempfile.mkdtemp(prefix="bench-"), []
        writer = ysb_of(spark, servers, topic, ads).writeStream.outputMode("update").option("checkpointLocation", checkpoint)
        wall, cpu = time.perf_counter(), time.process_time()
        query = writer.foreachBatch(lambda df, n: counted.extend(df.collect())).trigger(availableNow=True).start()
        query.awaitTermination()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        shutil.rmtree(checkpoint)
        assert query.recentProgress[0]["numInputRows"] == messages
        if i > 0:
            print(f"{wall:.4f}\t{cpu:.4f}\t{messages}")
    pathlib.Path(result).write_text("".join("\t".join(map(str, row)) + "\n" for row in counted))


def engine_produce(servers, topic, messages, rounds):
    spark = make_session()
    text = "0123456789" * 10
    rows = spark.range(messages).selectExpr(f"'{text}' AS value")
    for i in range(rounds + 1):
        wall, cpu = time.perf_counter(), time.process_time()
        rows.write.format("kafka").option("kafka.bootstrap.servers", servers).option("topic", topic).save()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        if i > 0:
            print(f"{wall:.4f}\t{cpu:.4f}\t{messages}")


# --- the comparison -----------------------------------------------------------------------------------------------------

def compare(what: str, contestants: dict[str, list], pairs: int, core: int) -> None:
    rounds = {name: [] for name in contestants}
    for _ in range(pairs):
        for name, command in contestants.items():
            rounds[name] += rounds_of(command, core)
    base = None
    for name, all_rounds in rounds.items():
        wall, _, n = min(all_rounds)
        cpu = min(one[1] for one in all_rounds)
        base = base or (wall, cpu)
        print(f"{what}\t{name}\t{n / wall / 1e6:.2f}\t{cpu / n * 1e9:.0f}\t{base[0] / wall:.2f} of the rate, "
              f"{(cpu - base[1]) / n * 1e9:+.0f} ns", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--engine", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.engine:
        what, servers, topic, messages, *result = options.engine
        {"consume": engine_consume, "produce": engine_produce}[what](servers, topic, int(messages), options.rounds, *result)
        return 0
    client, server = sorted(os.sched_getaffinity(0))[:2]
    n, rounds = options.messages, options.rounds
    print("what\tcontestant\tmillion messages/s\tns a message\tagainst the loop")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, brokers.Broker(java=JAVA, cores={server}) as broker:
        folder, servers = pathlib.Path(folder), broker.bootstrap
        loop, mine = build_loop(folder), [sys.executable, __file__, "--rounds", rounds, "--engine"]
        (folder / "ysb-ads.csv").write_text("".join(f"{ad},{campaign}\n" for ad, campaign in gen.ads_of_ysb()))
        read = {"loop": [loop, "consume", servers, "ysb", PARTITIONS, n, rounds],
                "counting loop": [loop, "count", servers, "ysb", PARTITIONS, n, rounds, folder, folder / "counting loop"],
                "engine": [*mine, "consume", servers, "ysb", n, folder / "engine"]}
        if SPARK.exists():
            read["spark"] = ["env", "PYSTREAM_ENGINE=spark", f"PYTHONPATH={ROOT}", SPARK, *mine[1:], "consume", servers, "ysb", n, folder / "spark"]
        make_topic(servers, "ysb")
        fill(servers, "ysb", n)
        compare("read", read, options.pairs, client)
        results = [sorted((folder / name).read_text().splitlines()) for name in read if name != "loop"]
        right = len(results[0]) > 0 and all(rows == results[0] for rows in results)
        print(f"read\tthe rows are equal: {len(results[0])}" if right else "read\tWRONG: the rows differ, or there are none")
        make_topic(servers, "out")
        compare("write", {"loop": [loop, "produce", servers, "out", PARTITIONS, n, rounds],
                          "engine": [*mine, "produce", servers, "out", n]}, options.pairs, client)
        from judge import Judge
        arrived = sum(Judge(servers).ends("out").values())
        right = right and arrived == 2 * options.pairs * (rounds + 1) * n
        print(f"write\t{arrived} messages arrived")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
