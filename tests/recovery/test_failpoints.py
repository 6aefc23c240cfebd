"""A program that dies at a failpoint, again and again, still gives what a naive model gives over the same batches."""
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys

import pytest

from model import naive
from recovery import disk

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(__file__).with_name("program.py")
#: Those of csrc/kafka are passed in tests/kafka.
POINTS = sorted({name for path in (ROOT / "csrc").glob("*/*.c") if path.parent.name != "kafka"
                 for name in re.findall(r'PS_FAILPOINT\("([^"]+)"', path.read_text("utf-8"))})
#: Failpoints that only some programs pass; the others pass them all (state ones when there is state).
SPECIAL = {"log.purge", "source.file.clean", "state.snapshot_written"}
CONFIGS = [("stateless", "append", "file"), ("stateless", "append", "foreach_batch"), ("stateless", "update", "foreach_batch"),
           ("windowed", "append", "file"), ("windowed", "append", "foreach_batch"), ("windowed", "update", "foreach_batch")]
KILLED = -signal.SIGKILL


def make_input(folder, files=6, rows=40):
    """Files in the order of their time; from the fourth on some rows are late by many batches."""
    folder.mkdir()
    chance = random.Random(11)
    for number in range(files):
        lines = []
        for row in range(rows):
            at = 1000 + number * 30 + row * 30 // rows - (500 if number > 3 and row % 13 == 0 else 0)
            lines.append(json.dumps({"at": at, "key": chance.choice("abc"), "n": chance.randint(1, 9)}))
        path = folder / f"{number}.json"
        path.write_text("\n".join(lines) + "\n")
        os.utime(path, (1_700_000_000 + number,) * 2)


def run(config, source, output, failpoint=None, *confs):
    environment = {key: value for key, value in os.environ.items() if key != "PYSTREAM_FAILPOINTS"}
    if failpoint:
        environment["PYSTREAM_FAILPOINTS"] = failpoint
    return subprocess.run([sys.executable, PROGRAM, *config, str(source), str(output), *confs], env=environment,
                          capture_output=True, text=True, timeout=60)


def run_with_deaths(config, point, source, output, *confs):
    """Dies at the first, then at the second, then the third passage of a run; how often it died."""
    died = 0
    for nth in (1, 2, 3, 1):
        done = run(config, source, output, f"{point}=exit:{nth}", *confs)
        assert done.returncode in (0, KILLED), done.stderr
        died += done.returncode == KILLED
    done = run(config, source, output, None, *confs)
    assert done.returncode == 0, done.stderr
    return died


def read(paths):
    rows = [json.loads(line) for path in paths for line in path.read_text().splitlines()]
    return [(row["at"], row["key"], row["n"]) for row in rows]


def judge(config, output):
    query, mode, sink = config
    batches = [read(paths) for paths in disk.batches_of_files(output / "checkpoint")]
    wanted = naive.run(query, mode, batches)
    assert disk.newest(output / "checkpoint" / "commits") == len(batches) - 1
    if sink == "file":
        assert sorted(tuple(row.values()) for row in disk.sink_rows(output / "data")) == sorted(sum(wanted, []))
        return
    for number, rows in enumerate(wanted):
        got = json.loads((output / "data" / f"batch={number}.json").read_text())
        assert sorted(map(tuple, got)) == sorted(rows), f"batch {number}"
    assert sum(map(len, wanted)) > 0


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("recovery") / "in"
    make_input(path)
    return path


def passes(point, config):
    if point in SPECIAL:
        return False
    if point.startswith("sink.file."):
        return config[2] == "file"
    if point in ("batch.ran",):
        return config[2] == "file"
    return config[0] == "windowed" or not point.startswith(("state.", "batch.state"))


@pytest.mark.parametrize("config", CONFIGS, ids="-".join)
@pytest.mark.parametrize("point", [point for point in POINTS if point not in SPECIAL])
def test_failpoint(point, config, source, tmp_path):
    if not passes(point, config):
        pytest.skip("this program does not pass there")
    assert run_with_deaths(config, point, source, tmp_path) > 0, "the failpoint was never passed"
    judge(config, tmp_path)


def final(output):
    found = {}
    for number in range(1000):
        path = output / "data" / f"batch={number}.json"
        if not path.exists():
            return found
        for start, key, *values in json.loads(path.read_text()):
            found[start, key] = values


def test_purge(source, tmp_path):
    """With little retained the batches cannot be told any more, but the last word on each window can."""
    config = ("windowed", "update", "foreach_batch")
    assert run(config, source, tmp_path / "calm").returncode == 0
    assert run_with_deaths(config, "log.purge", source, tmp_path / "killed", "spark.sql.streaming.minBatchesToRetain=2") > 0
    assert final(tmp_path / "killed") == final(tmp_path / "calm")


def test_snapshot(tmp_path):
    """Snapshots are written on a thread of their own, from the eleventh batch on."""
    make_input(tmp_path / "in", files=40)
    config = ("windowed", "update", "foreach_batch")
    died = run_with_deaths(config, "state.snapshot_written", tmp_path / "in", tmp_path,
                           "spark.sql.streaming.stateStore.minDeltasForSnapshot=1")
    assert died > 0, "the failpoint was never passed"
    judge(config, tmp_path)


def test_clean_source(source, tmp_path):
    """Files that are moved away after their batch: nothing is read twice or lost."""
    own = tmp_path / "in"
    make_input(own)
    config = ("cleaned", "append", "foreach_batch")
    assert run_with_deaths(config, "source.file.clean", own, tmp_path / "out") > 0
    got = sorted(tuple(row) for path in (tmp_path / "out" / "data").glob("batch=*.json") for row in json.loads(path.read_text()))
    assert got == sorted(naive.stateless(read(sorted(source.iterdir()))))


def test_every_failpoint_has_a_test():
    assert set(POINTS) == {point for point in POINTS if any(passes(point, config) for config in CONFIGS)} | (SPECIAL & set(POINTS))
