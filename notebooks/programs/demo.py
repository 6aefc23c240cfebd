"""`make demo`: makes input, runs both programs, kills the second with SIGKILL a few times, and shows what they print."""
from __future__ import annotations

import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import make_input  # noqa: E402


def program(name: str, *args) -> list[str]:
    return [sys.executable, str(HERE / name), *map(str, args)]


def say(text: str) -> None:
    print(f"\n== {text}", flush=True)


def count_logged(checkpoint: pathlib.Path) -> int:
    return len([name for name in os.listdir(checkpoint / "offsets") if name.isdigit()]) if (checkpoint / "offsets").is_dir() else 0


def kill_and_restart(command: list[str], output: pathlib.Path, times: int) -> int:
    """Starts the program and kills it in the middle of a batch, again and again; how often that came off."""
    chance, killed = random.Random(7), 0
    checkpoint = output / "checkpoint-closed"
    for _ in range(times):
        before = count_logged(checkpoint)
        process = subprocess.Popen(command)
        while process.poll() is None and count_logged(checkpoint) <= before:
            time.sleep(0.001)
        time.sleep(chance.random() * 0.02)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            killed += 1
        process.wait()
        print(f"killed while batch {count_logged(checkpoint) - 1} was the newest in the log", flush=True)
    return killed


def last_changes(directory: pathlib.Path) -> dict:
    """What update mode said last of every window and symbol."""
    found = {}
    for path in sorted(directory.glob("batch=*.json"), key=lambda path: int(path.stem.partition("=")[2])):
        for line in path.read_text("utf-8").splitlines():
            row = json.loads(line)
            found[row["start"], row["symbol"]] = row
    return found


def run_trades(data: pathlib.Path, input: pathlib.Path, output: pathlib.Path, kills: int) -> dict:
    """Program 2 over a copy of the trades; the sentinel comes after the last restart."""
    shutil.copytree(data / "trades", input)
    command = program("trades.py", input, data / "companies.csv", output)
    if kills:
        print(f"{kill_and_restart(command, output, kills)} kills")
    subprocess.run(command, check=True)
    shutil.copy2(data / "sentinel.json", input / "99999.json")
    subprocess.run([*command, "--show"] if kills else command, check=True)
    return last_changes(output / "changes")


def closed_rows(output: pathlib.Path) -> list:
    from pystream.sql import SparkSession

    import trades
    spark = SparkSession.builder.config("spark.sql.session.timeZone", "UTC").getOrCreate()
    return sorted(tuple(map(str, row)) for row in trades.read_closed(spark, output).collect())


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="pystream-demo-") as name:
        root = pathlib.Path(name)
        say("input: 12 text, CSV and JSON files, with late and broken rows")
        make_input.make(root / "in", files=12, rows=400, seed=7)
        print((root / "in" / "trades" / "00000.json").read_text("utf-8")[:340] + "...")
        say("program 1: word count from text, in the console, a memory table and foreach")
        subprocess.run(program("word_count.py", root / "in" / "text", root / "words", "--mode", "complete", "--show"), check=True)
        say("program 1 again, from CSV in update mode")
        subprocess.run(program("word_count.py", root / "in" / "csv", root / "words-csv", "--format", "csv"), check=True)
        print(f"{len(list((root / 'words-csv' / 'counts').glob('batch=*.json')))} batches written by foreachBatch")
        say("program 2: trades, killed with kill -9 and started again; its closed windows")
        killed = run_trades(root / "in", root / "trades-in", root / "killed", kills=4)
        say("the same without a kill")
        calm = run_trades(root / "in", root / "trades-in-2", root / "calm", kills=0)
        same = killed == calm and closed_rows(root / "killed") == closed_rows(root / "calm")
        print(f"{len(calm)} windows, {len(closed_rows(root / 'calm'))} of them closed; "
              f"with and without kills the results are {'equal' if same else 'DIFFERENT'}")
        if not same:
            sys.exit(1)


if __name__ == "__main__":
    main()
