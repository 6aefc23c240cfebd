"""Runs the throughput benchmarks: the engine, the hand-written loop and DuckDB over the same bytes, on one pinned core.

    python tests/bench/run.py [PROGRAM ...] [--input DIR] [--scale 1.0] [--rounds 5] [--two-cores]

Each contestant runs in a process of its own, the best of its rounds counts (processor seconds), and all results must be equal.
A tab-separated line each: program, contestant, million rows/s, seconds, and against the engine.  --two-cores adds the engine
with two workers.  Without DuckDB (pip install duckdb) its lines are left out.
"""
from __future__ import annotations

import argparse
import collections
import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import gen  # noqa: E402

LOOPS = {"ysb": "ysb", "trades": "trades", "words": "words", "columns-10000": "columns", "columns-1000000": "columns"}


def pinned(cores: set[int]):
    return lambda: os.sched_setaffinity(0, cores)


def build_loop(program: str, folder: pathlib.Path) -> pathlib.Path:
    out = folder / "loops" / program  # the columns program learns its input from its name
    if not out.exists():
        out.parent.mkdir(exist_ok=True)
        subprocess.run(["gcc", "-O3", "-D_GNU_SOURCE", str(HERE / "ceiling" / f"{LOOPS[program]}.c"), "-o", str(out)], check=True)
    return out


def rounds_of(command: list[str], cores: set[int]) -> tuple[list[tuple[float, float, int]], dict[str, float]]:
    """(wall, processor, rows) of each round, and what else the contestant prints."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, preexec_fn=pinned(cores))
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} failed:\n{done.stderr}")
    rounds, more = [], {}
    for line in done.stdout.splitlines():
        cells = line.split("\t")
        if len(cells) == 3:
            rounds.append((float(cells[0]), float(cells[1]), int(cells[2])))
        else:
            more[cells[0]] = float(cells[1])
    return rounds, more


def plain(cell: str):
    try:
        number = float(cell)
    except ValueError:
        return cell
    return f"{number:.4f}"


def rows_of(path: pathlib.Path) -> collections.Counter:
    """The rows of a result, in a form in which equal rows are equal."""
    return collections.Counter(tuple(map(plain, line.split("\t"))) for line in path.read_text("utf-8").splitlines())


def contestants(program: str, options, folder: pathlib.Path):
    """(name, command, cores) of all that run."""
    cores = sorted(os.sched_getaffinity(0))
    one, two = {cores[0]}, set(cores[:2])
    engine = [sys.executable, HERE / "engine.py", program, options.input, "--rounds", options.rounds]
    yield "engine", [*engine, "--result", folder / "engine"], one
    yield "loop", [build_loop(program, folder), options.input, folder / "loop", options.rounds], one
    if importlib.util.find_spec("duckdb"):
        yield "duckdb", [sys.executable, HERE / "duck.py", program, options.input, "--rounds", options.rounds,
                         "--result", folder / "duckdb"], one
    if options.two_cores and len(cores) > 1:
        yield "engine on two cores", [*engine, "--workers", 2, "--result", folder / "engine on two cores"], two


def run(program: str, options, folder: pathlib.Path) -> bool:
    base, wanted, right = None, None, True
    for name, command, cores in contestants(program, options, folder):
        rounds, more = rounds_of(command, cores)
        wall, cpu, n = min(rounds, key=lambda one: one[0] if "two" in name else one[1])
        seconds = wall if len(cores) > 1 else cpu
        rows = rows_of(folder / name)
        wanted = rows if wanted is None else wanted
        right = right and rows == wanted
        if base is None:
            base, base_wall = seconds, min(one[0] for one in rounds)
        against = (base_wall if len(cores) > 1 else base) / seconds
        said = "" if rows == wanted else f"\tWRONG: {len(rows - wanted)} rows more, {len(wanted - rows)} missing"
        scan = f"\tscan {more['scan'] / seconds:.2f}" if "scan" in more else ""
        print(f"{program}\t{name}\t{n / seconds / 1e6:.2f}\t{seconds:.4f}\t{against:.2f}{scan}{said}", flush=True)
    return right


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", nargs="*", default=list(LOOPS))
    parser.add_argument("--input", type=pathlib.Path, default=HERE.parents[1] / "build" / "bench")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--two-cores", action="store_true")
    options = parser.parse_args()
    options.input.mkdir(parents=True, exist_ok=True)
    gen.make(options.input, options.scale)
    right = True
    print("program\tcontestant\tmillion rows/s\tseconds\tagainst the engine")
    for program in options.programs:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            right = run(program, options, pathlib.Path(folder)) and right
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
