"""From topic to topic with pystream.kafka.exactlyOnce; test_exactly_once.py has the sink alone."""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys

import pytest
from judge import wait_until
from pystream.errors import IllegalArgumentException, StreamingQueryException

pytestmark = pytest.mark.ours
ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(__file__).with_name("program.py")
EARLIEST = {"startingOffsets": "earliest"}
ONCE = {"pystream.kafka.exactlyOnce": "true"}
KILLED = -signal.SIGKILL


def failpoints() -> list[str]:
    """Of the sink, and between the steps of a batch."""
    return sorted({name for folder in ("kafka", "query") for path in (ROOT / "csrc" / folder).glob("*.c")
                   for name in re.findall(r'PS_FAILPOINT\("([^"]+)"', path.read_text("utf-8"))})


def run(broker, query, source, target, checkpoint, *options, failpoint=None):
    environment = {key: value for key, value in os.environ.items() if key != "PYSTREAM_FAILPOINTS"}
    if failpoint:
        environment["PYSTREAM_FAILPOINTS"] = failpoint
    command = [sys.executable, str(PROGRAM), query, broker.bootstrap, source, target, str(checkpoint),
               "pystream.kafka.exactlyOnce=true", *options]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


def query_id(checkpoint) -> str:
    return json.loads((checkpoint / "metadata").read_text())["id"]


def group_of(checkpoint) -> str:
    return f"pystream-{query_id(checkpoint)}"


def test_a_batch_is_one_transaction(kafka, judge, topic):
    """Its rows, then a marker; and the group's offset says how many batches are there."""
    one, two, checkpoint = topic(), topic(), kafka.new_checkpoint()
    judge.produce(one, "a", "b", "c")
    query = kafka.write_stream(kafka.stream(subscribe=one, **EARLIEST), checkpoint=checkpoint, topic=two, **ONCE)
    query.processAllAvailable()
    assert judge.values(two) == ["a", "b", "c"] and judge.ends(two) == {0: 4}
    assert judge.group_offsets(group_of(checkpoint)) == {(two, 0): 1}
    judge.produce(one, "d")
    query.processAllAvailable()
    assert judge.values(two) == ["a", "b", "c", "d"] and judge.ends(two) == {0: 6}
    assert judge.group_offsets(group_of(checkpoint)) == {(two, 0): 2}


def test_a_transaction_spans_topics_and_partitions(kafka, judge, topic):
    one, two, three = topic(partitions=2), topic(partitions=3), topic()
    for partition in (0, 1):
        judge.produce(one, *((two if i % 2 else three, str(i)) for i in range(30)), partition=partition)
    df = kafka.stream("CAST(key AS STRING) AS topic;value", subscribe=one, **EARLIEST)
    kafka.write_stream(df, **ONCE).processAllAvailable()
    assert sorted(map(int, judge.values(two) + judge.values(three))) == sorted([*range(30)] * 2)
    assert judge.ends(three) == {0: 31}


@pytest.mark.parametrize("query", ["copy", "count"])
@pytest.mark.parametrize("point", failpoints())
def test_death_at_each_step(broker, judge, topic, tmp_path, query, point):
    """At the first and second passage; what a read_committed reader sees is what one calm run gives."""
    one, two = topic(), topic()
    values = [f"{i % 5}" for i in range(40)]
    judge.produce(one, *values)
    limit = "source.maxOffsetsPerTrigger=10"
    died = 0
    for nth in (1, 2, 1):
        done = run(broker, query, one, two, tmp_path / "c", limit, failpoint=f"{point}=exit:{nth}")
        assert done.returncode in (0, KILLED), done.stderr
        died += done.returncode == KILLED
    done = run(broker, query, one, two, tmp_path / "c", limit)
    assert done.returncode == 0, done.stderr
    if not (point == "batch.state" and query == "copy"):
        assert died >= 1, "nobody passed it"
    if query == "copy":
        assert judge.values(two) == values
    else:
        assert [(record.key.decode(), record.value.decode()) for record in judge.read(two)] == \
            [(str(key), str(count)) for count in (2, 4, 6, 8) for key in sorted_as(judge.read(two), count)]


def sorted_as(records, count) -> list[str]:
    """The five keys, in the order in which the batch wrote them; each once."""
    keys = [record.key.decode() for record in records if record.value == str(count).encode()]
    assert sorted(keys) == [*"01234"]
    return keys


def test_a_killed_writer_holds_nobody_up(broker, kafka, judge, topic, tmp_path):
    """The restart ends the open transaction at once: readers do not wait for its time-out."""
    one, two = topic(), topic()
    judge.produce(one, "a", "b")
    done = run(broker, "copy", one, two, tmp_path / "c", failpoint="kafka.produced=exit:1")
    assert done.returncode == KILLED
    assert run(broker, "copy", one, two, tmp_path / "c").returncode == 0
    assert judge.values(two) == ["a", "b"]
    assert len(judge.values(two, committed=False)) >= 2


def test_at_least_once_repeats(broker, judge, topic, tmp_path):
    """Without the option a batch that died before its commit is written again."""
    one, two = topic(), topic()
    judge.produce(one, "a")
    options = (tmp_path / "c", "pystream.kafka.exactlyOnce=false")
    assert run(broker, "copy", one, two, *options, failpoint="batch.sink=exit:1").returncode == KILLED
    assert run(broker, "copy", one, two, *options).returncode == 0
    assert judge.values(two) == ["a", "a"]


def forgotten(broker, judge, topic, tmp_path):
    """A batch logged and not committed, of which the broker has forgotten whether it came: source, target, checkpoint."""
    one, two, checkpoint = topic(), topic(), tmp_path / "c"
    judge.produce(one, "a")
    assert run(broker, "copy", one, two, checkpoint).returncode == 0
    judge.produce(one, "b")
    assert run(broker, "copy", one, two, checkpoint, failpoint="kafka.committed=exit:1").returncode == KILLED
    wait_until(lambda: judge.values(two) == ["a", "b"])
    judge.forget_group(group_of(checkpoint))
    return one, two, checkpoint


def test_a_forgotten_batch_is_an_error(broker, judge, topic, tmp_path):
    one, two, checkpoint = forgotten(broker, judge, topic, tmp_path)
    done = run(broker, "copy", one, two, checkpoint)
    assert done.returncode == 1 and "KAFKA_BATCH_ID_LOST" in done.stderr and "onLostBatchId" in done.stderr
    assert judge.values(two) == ["a", "b"]


@pytest.mark.parametrize("choice, values", [("skip", ["a", "b", "c"]), ("resend", ["a", "b", "b", "c"])])
def test_a_forgotten_batch_by_choice(broker, judge, topic, tmp_path, choice, values):
    one, two, checkpoint = forgotten(broker, judge, topic, tmp_path)
    judge.produce(one, "c")
    done = run(broker, "copy", one, two, checkpoint, f"pystream.kafka.onLostBatchId={choice}")
    assert done.returncode == 0, done.stderr
    assert judge.values(two) == values


@pytest.mark.parametrize("options, match", [
    ({"pystream.kafka.exactlyOnce": "perhaps"}, "exactlyOnce"),
    ({**ONCE, "kafka.transactional.id": "x"}, "transactional.id"),
    ({**ONCE, "kafka.enable.idempotence": "false"}, "idempotence"),
    ({**ONCE, "kafka.acks": "1"}, "acks"),
    ({"pystream.kafka.exactlyonec": "true"}, "exactlyOnce"),
    ({**ONCE, "pystream.kafka.onLostBatchId": "guess"}, "onLostBatchId"),
], ids=str)
def test_options_that_do_not_go_together(kafka, topic, options, match):
    with pytest.raises((IllegalArgumentException, StreamingQueryException), match=match):
        kafka.write_stream(kafka.stream(subscribe=topic()), topic=topic(), **options).processAllAvailable()


def test_a_batch_write_has_no_batch_id(kafka, topic):
    with pytest.raises(IllegalArgumentException, match="exactlyOnce"):
        kafka.write(kafka.spark.sql("SELECT 'a' AS value"), topic=topic(), **ONCE)


def test_turned_on_and_off(broker, judge, topic, tmp_path):
    """A query may change its mind between runs."""
    one, two, checkpoint = topic(), topic(), tmp_path / "c"
    for value, once in (("a", "false"), ("b", "true"), ("c", "false"), ("d", "true")):
        judge.produce(one, value)
        done = run(broker, "copy", one, two, checkpoint, f"pystream.kafka.exactlyOnce={once}")
        assert done.returncode == 0, done.stderr
    assert judge.values(two) == ["a", "b", "c", "d"]
