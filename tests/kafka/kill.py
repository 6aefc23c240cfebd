"""Kills a query from topic to topic with SIGKILL at random moments, and its broker, and counts what arrived.

    python tests/kafka/kill.py [--kills 100] [--broker-kills 20] [--seed 1]

The query (program.py) is exactly once, and takes turns at copying and at counting.  Records keep coming in while it is
killed and restarted, some ten times a round; now and then the broker is killed too, and started again.  Then the rest is read: a
read_committed reader must see each record once, in the order of its partition, or each count of each key once.  What the
checkpoint and the topic hold tells at which step of the protocol (csrc/query/microbatch.c, csrc/kafka/sink_txn.h) a kill
came; a table of that is printed.
"""
from __future__ import annotations

import argparse
import collections
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
from broker import Broker, missing  # noqa: E402
from judge import Judge  # noqa: E402
from recovery import disk  # noqa: E402

PARTITIONS, KEYS, KILLS_A_ROUND, A_BATCH = 3, 7, 10, 40
STEPS = ("before the first batch", "batch logged, no row of it in the topic", "rows written, the transaction open",
         "transaction committed, the batch not", "batch committed")


class Feeder(threading.Thread):
    """Writes records, a few every few milliseconds, until it is told to end; waits while the broker is away."""

    def __init__(self, bootstrap: str, topic: str, keys: int | None):
        super().__init__(daemon=True)
        self.producer = Judge(bootstrap).producer(enable_idempotence=True, message_timeout_ms=300_000)
        self.topic, self.keys, self.n, self.failed, self.ending = topic, keys, 0, [], threading.Event()

    def run(self) -> None:
        while not self.ending.wait(0.005):
            self.feed(5)

    def feed(self, n: int) -> None:
        for _ in range(n):
            value = self.n % self.keys if self.keys else self.n
            self.producer.produce(self.topic, str(value).encode(), partition=self.n % PARTITIONS,
                                  on_delivery=lambda error, _: error and self.failed.append(error))
            self.n += 1
        self.producer.poll(0)

    def end(self) -> int:
        """How many records there are."""
        self.ending.set()
        self.join()
        assert self.producer.flush(120) == 0 and not self.failed, self.failed
        return self.n


class Round:
    """One query, its topics and its checkpoint."""

    def __init__(self, broker: Broker, judge: Judge, query: str, number: int, folder: pathlib.Path):
        self.broker, self.judge, self.query, self.checkpoint = broker, judge, query, folder / f"checkpoint-{number}"
        self.source, self.target = f"from-{number}", f"to-{number}"
        judge.create(self.source, PARTITIONS)
        judge.create(self.target, PARTITIONS)
        self.feeder = Feeder(broker.bootstrap, self.source, KEYS if query == "count" else None)

    def command(self, follow: bool) -> list[str]:
        options = ["pystream.kafka.exactlyOnce=true", f"source.maxOffsetsPerTrigger={A_BATCH}"]
        return [sys.executable, str(HERE / "program.py"), ("follow-" if follow else "") + self.query, self.broker.bootstrap,
                self.source, self.target, str(self.checkpoint), *options]

    def step(self) -> str:
        """Where the dead query stood."""
        logged, committed = disk.newest(self.checkpoint / "offsets"), disk.newest(self.checkpoint / "commits")
        if logged < 0:
            return STEPS[0]
        if logged == committed:
            return STEPS[4]
        group = "pystream-" + json.loads((self.checkpoint / "metadata").read_text())["id"]
        done = max(self.judge.group_offsets(group).values(), default=0)
        if done > logged:
            return STEPS[3]
        open_ones = self.judge.ends(self.target) != self.judge.ends(self.target, committed=True)
        return STEPS[2] if open_ones else STEPS[1]

    def kill_once(self, chance: random.Random) -> str:
        """Starts the query, kills it some batches later; where it stood."""
        goal = disk.newest(self.checkpoint / "offsets") + chance.randint(0, 4)
        process = subprocess.Popen(self.command(follow=True), stderr=subprocess.PIPE)
        while process.poll() is None and disk.newest(self.checkpoint / "offsets") < goal:
            time.sleep(0.0005)
        time.sleep(chance.random() * 0.012)
        process.send_signal(signal.SIGKILL)
        error = process.communicate()[1].decode()
        if process.returncode != -signal.SIGKILL:
            raise SystemExit(f"the query ended with {process.returncode}:\n{error}")
        return self.step()

    def kill_broker(self, chance: random.Random) -> str:
        """Kills the broker under a running query, starts it again; how the query took it."""
        process = subprocess.Popen(self.command(follow=True), stderr=subprocess.PIPE)
        goal = disk.newest(self.checkpoint / "commits") + chance.randint(1, 5)
        while process.poll() is None and disk.newest(self.checkpoint / "commits") < goal:
            time.sleep(0.001)
        time.sleep(chance.random() * 0.012)
        self.broker.kill()
        self.broker.start()
        goal, deadline = disk.newest(self.checkpoint / "commits") + 3, time.monotonic() + 120
        while process.poll() is None and disk.newest(self.checkpoint / "commits") < goal and time.monotonic() < deadline:
            time.sleep(0.01)
        ended = process.poll() is not None
        process.kill()
        error = process.communicate()[1].decode()
        if ended:
            return "ended with an error, and went on after a restart: " + error.strip().splitlines()[0][:150]
        return "went on by itself" if time.monotonic() < deadline else "STOOD STILL"

    def finish(self) -> str:
        """Reads to the end; what is wrong, or nothing."""
        n = self.feeder.end()
        done = subprocess.run(self.command(follow=False), stderr=subprocess.PIPE, text=True, timeout=300)
        if done.returncode:
            return f"the last run failed:\n{done.stderr}"
        records = self.judge.read(self.target)
        if self.query == "copy":
            values = [int(record.value) for record in records]
            seen = collections.Counter(values)
            return "" if seen == collections.Counter(range(n)) else \
                f"{sum(1 for i in range(n) if not seen[i])} of {n} are missing, {sum(c > 1 for c in seen.values())} are there twice"
        seen = collections.Counter((record.key, record.value) for record in records)
        counts = collections.Counter(str(i % KEYS).encode() for i in range(n))
        last = {key: max(int(value) for other, value in seen if other == key) for key in counts}
        twice = sum(c > 1 for c in seen.values())
        return "" if last == counts and not twice else f"counts are {last} for {counts}, {twice} are there twice"


def kill_a_round(round_: Round, chance: random.Random, kills: int, broker_kills: int, steps, ends) -> None:
    round_.feeder.start()
    turns = ["query"] * kills + ["broker"] * broker_kills
    chance.shuffle(turns)
    for turn in turns:
        if turn == "query":
            steps[round_.kill_once(chance)] += 1
        else:
            ends[round_.kill_broker(chance)] += 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--broker-kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if missing():
        print(missing())
        return 0
    os.environ["PYTHONSAFEPATH"] = "1"  # the installed package, not the source tree
    chance, steps, ends, wrong = random.Random(options.seed), collections.Counter(), collections.Counter(), 0
    rounds = max(1, -(-options.kills // KILLS_A_ROUND))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="kafka-kill-"))
    with Broker() as broker:
        judge = Judge(broker.bootstrap)
        for number in range(rounds):
            query = ("copy", "count")[number % 2]
            kills = options.kills * (number + 1) // rounds - options.kills * number // rounds
            broker_kills = options.broker_kills * (number + 1) // rounds - options.broker_kills * number // rounds
            round_ = Round(broker, judge, query, number, folder)
            kill_a_round(round_, chance, kills, broker_kills, steps, ends)
            problem = round_.finish()
            wrong += bool(problem)
            print(f"round {number + 1}: {query}, {kills} kills of the query, {broker_kills} of the broker, "
                  f"{round_.feeder.n} records: {problem or 'each once'}", flush=True)
    print(f"\n{steps.total()} kills of the query; where it stood:")
    for step in STEPS:
        print(f"  {steps[step]:>5}  {step}")
    print(f"{ends.total()} kills of the broker; the query:")
    for text, n in ends.items():
        print(f"  {n:>5}  {text}")
    wrong += any("STOOD STILL" in text for text in ends)
    if not wrong:
        shutil.rmtree(folder)
    print("a reader of committed records saw each once" if not wrong else f"{wrong} rounds are wrong; their checkpoints: {folder}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
