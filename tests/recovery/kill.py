"""Kills the example programs with SIGKILL at random moments, restarts them, and compares the results with calm runs.

    python tests/recovery/kill.py --kills 200 [--seed 1]

Both programs of notebooks/programs/ take turns.  A round has files to read, is killed and restarted until about ten kills came off,
then ends; word counts and windows must equal those of a run that nobody disturbed.  What lies on disk tells at which step of
the protocol (csrc/query/microbatch.c) each kill came; a table of that is printed.
"""
from __future__ import annotations

import argparse
import collections
import json
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "notebooks" / "programs"), str(ROOT / "tests")]
import make_input  # noqa: E402
from recovery import disk  # noqa: E402

FILES, ROWS, KILLS_A_ROUND = 40, 300, 10
STEPS = ("before the first batch", "1 latest: the source's log is ahead", "3 log: offsets written", "4 run: the function has its rows",
         "5 state: version written", "6 sink: batch in the sink's log", "7 commit: batch committed")


def step_of(checkpoint: pathlib.Path, sink: pathlib.Path) -> str:
    """At which step a query stood, by what its checkpoint and its sink hold."""
    logged, committed = disk.newest(checkpoint / "offsets"), disk.newest(checkpoint / "commits")
    source = disk.log_newest(checkpoint / "sources" / "0")
    if logged < 0:
        return STEPS[0] if source < 0 else STEPS[1]
    if logged == committed:
        covered = json.loads((checkpoint / "offsets" / str(logged)).read_text("utf-8").splitlines()[2])["logOffset"]
        return STEPS[1] if source > covered else STEPS[6]
    if (sink / "_spark_metadata").is_dir() and disk.log_newest(sink / "_spark_metadata") >= logged:
        return STEPS[5]
    if disk.state_version(checkpoint) > logged:
        return STEPS[4]
    return STEPS[3] if (sink / f"batch={logged}.json").exists() else STEPS[2]


class Program:
    """One of the example programs: how to run it, where it stands, what it has to say in the end."""

    def __init__(self, name: str, data: pathlib.Path):
        self.name, self.data = name, data

    def command(self, root: pathlib.Path) -> list[str]:
        if self.name == "word_count":
            arguments = [root / "in", root]
        else:
            arguments = [root / "in", self.data / "companies.csv", root]
        return [sys.executable, str(ROOT / "notebooks" / "programs" / f"{self.name}.py"), *map(str, arguments)]

    def queries(self, root: pathlib.Path) -> list[tuple[pathlib.Path, pathlib.Path]]:
        """(checkpoint, sink) of each query."""
        if self.name == "word_count":
            return [(root / "checkpoint", root / "counts")]
        return [(root / "checkpoint-closed", root / "closed"), (root / "checkpoint-changes", root / "changes")]

    def prepare(self, root: pathlib.Path) -> None:
        shutil.copytree(self.data / ("text" if self.name == "word_count" else "trades"), root / "in")

    def finish(self, root: pathlib.Path) -> dict:
        """Runs to the end, with the sentinel that closes every window; the result."""
        subprocess.run(self.command(root), check=True)
        if self.name == "trades":
            shutil.copy2(self.data / "sentinel.json", root / "in" / "99999.json")
            subprocess.run(self.command(root), check=True)
        return self.result(root)

    def result(self, root: pathlib.Path) -> dict:
        last = {}
        for _, sink in self.queries(root):
            for path in sorted(sink.glob("batch=*.json"), key=lambda path: int(path.stem.partition("=")[2])):
                for row in map(json.loads, path.read_text("utf-8").splitlines()):
                    last[row.get("word") or (row["start"], row["symbol"])] = row
        closed = sorted(json.dumps(row) for row in disk.sink_rows(root / "closed")) if self.name == "trades" else []
        return {"last": last, "closed": closed}


def run_and_kill(program: Program, root: pathlib.Path, chance: random.Random) -> list[str] | None:
    """Starts the program, kills it some batches later; at which steps its queries stood. None: it ended by itself."""
    watched = chance.choice(program.queries(root))[0]
    goal = disk.newest(watched / "offsets") + chance.randint(0, 3)
    process = subprocess.Popen(program.command(root), stderr=subprocess.PIPE)
    while process.poll() is None and disk.newest(watched / "offsets") < goal:
        time.sleep(0.0005)
    time.sleep(chance.random() * 0.008)
    process.send_signal(signal.SIGKILL)
    error = process.communicate()[1].decode()
    if process.returncode == 0:
        return None
    if process.returncode != -signal.SIGKILL:
        raise SystemExit(f"{program.name} failed:\n{error}")
    return [step_of(checkpoint, sink) for checkpoint, sink in program.queries(root)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    table, kills, rounds, wrong = collections.Counter(), 0, 0, 0
    with tempfile.TemporaryDirectory(prefix="kill-") as name:
        folder = pathlib.Path(name)
        make_input.make(folder / "data", FILES, ROWS, seed=options.seed)
        programs = [Program("word_count", folder / "data"), Program("trades", folder / "data")]
        calm = {}
        for program in programs:
            (folder / program.name).mkdir()
            program.prepare(folder / program.name)
            calm[program.name] = program.finish(folder / program.name)
        while kills < options.kills:
            program, root = programs[rounds % 2], folder / f"round{rounds}"
            root.mkdir()
            program.prepare(root)
            for _ in range(min(KILLS_A_ROUND, options.kills - kills)):
                steps = run_and_kill(program, root, chance)
                if steps is None:
                    break
                kills += 1
                table.update(steps)
            same = program.finish(root) == calm[program.name]
            wrong += not same
            rounds += 1
            print(f"round {rounds}: {program.name}, {kills} kills so far, the result is {'equal' if same else 'DIFFERENT'}", flush=True)
            if same:
                shutil.rmtree(root)
            elif wrong == 1:
                shutil.copytree(root, pathlib.Path(tempfile.mkdtemp(prefix="kill-kept-")) / root.name)
    print(f"\n{kills} kills in {rounds} rounds; where the queries stood:")
    for step in STEPS:
        print(f"  {table[step]:>5}  {step}")
    print("all results are equal" if not wrong else f"{wrong} results differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
