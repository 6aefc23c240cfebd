"""Both engines on one checkpoint: a stateless query stopped on one goes on on the other, from where it stood.

Needs PySpark 4.0 and its Kafka package: `make spark-kafka`.
"""
import json
import os
import pathlib
import subprocess
import sys

import pytest

pytestmark = pytest.mark.ours
ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(__file__).with_name("exchange_program.py")
SPARK = ROOT / "build" / "spark-venv" / "bin" / "python"


@pytest.fixture(autouse=True)
def _spark_is_there():
    if not SPARK.exists() or not list((ROOT / "build" / "spark-kafka-jars").glob("spark-sql-kafka*.jar")):
        pytest.skip("PySpark and its Kafka package are missing: make spark-kafka")


def run(engine, broker, source, target, checkpoint):
    """One run to the end of what there is."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONSAFEPATH"}
    if engine == "spark":
        environment.update(PYSTREAM_ENGINE="spark", PYTHONPATH=str(ROOT))  # the package's Python part leads to PySpark
    done = subprocess.run([SPARK if engine == "spark" else sys.executable, PROGRAM, broker.bootstrap, source, target, checkpoint],
                          env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.parametrize("first", ["pystream", "spark"])
def test_taken_over_and_given_back(broker, judge, topic, tmp_path, first):
    """Three runs, each of the other engine; each record once, and one line of offsets."""
    one, two, checkpoint = topic(partitions=2), topic(), tmp_path / "checkpoint"
    second = "spark" if first == "pystream" else "pystream"
    wanted = []
    for number, engine in enumerate((first, second, first)):
        for partition in (0, 1):
            values = [f"{number}-{partition}-{i}" for i in range(5)]
            wanted += values
            judge.produce(one, *values, partition=partition)
        run(engine, broker, one, two, checkpoint)
        assert sorted(judge.values(two)) == sorted(value.upper() for value in wanted), f"after {engine}"
    offsets = sorted((int(path.name), json.loads(path.read_text().splitlines()[2])) for path in (checkpoint / "offsets").glob("[0-9]*"))
    assert offsets[-1][1] == {one: {"0": 15, "1": 15}}
    assert [number for number, _ in offsets] == list(range(len(offsets)))


@pytest.mark.parametrize("first", ["pystream", "spark"])
def test_a_batch_that_was_not_committed(broker, judge, topic, tmp_path, first):
    """Logged by one engine, run again by the other: the same range."""
    one, two, checkpoint = topic(), topic(), tmp_path / "checkpoint"
    second = "spark" if first == "pystream" else "pystream"
    judge.produce(one, *"abc")
    run(first, broker, one, two, checkpoint)
    for path in (checkpoint / "commits").iterdir():
        path.unlink()
    judge.produce(one, "d")
    run(second, broker, one, two, checkpoint)
    assert judge.values(two) == [*"ABC", *"ABC", "D"]
