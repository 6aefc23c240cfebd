"""`make test`: every check in turn, each one's output as it comes, and at the end the counts.

    python .ci/check.py [STEP ...]    only these steps (--list names them)
"""
from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import sys
import sysconfig
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = pathlib.Path(sys.executable).parent
JOBS = f"-j{os.cpu_count() or 1}"
FOLDERS = "base col log fmt state expr io op plan sql query py"
if subprocess.call(["pkg-config", "--exists", "rdkafka"]) == 0:
    FOLDERS += " kafka"


def run(*command, env=None) -> tuple[int, str]:
    """A command with its output shown and kept."""
    print("$", *command, flush=True)
    process = subprocess.Popen([str(part) for part in command], cwd=ROOT, text=True, errors="replace",
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, **(env or {})})
    kept = []
    for line in process.stdout:
        sys.stdout.write(line)
        sys.stdout.flush()
        kept.append(line)
    return process.wait(), "".join(kept)


def as_one(code: int) -> tuple[int, int]:
    return (1, 0) if code == 0 else (0, 1)


def pytest(*args):
    """Counts of a pytest run; a run that breaks counts as one failure."""
    code, text = run(BIN / "pytest", "-p", "no:cacheprovider", *args)
    tail = text.strip().splitlines()[-1] if text.strip() else ""
    number = {word: int(n) for n, word in re.findall(r"(\d+) (passed|failed|error)", tail)}
    failed = number.get("failed", 0) + number.get("error", 0)
    return number.get("passed", 0), failed if failed or code in (0, 5) else 1


def cmocka(sanitize: int):
    code, text = run("make", JOBS, "-s", "-f", "tests/c/run.mk", f"SAN={sanitize}")
    passed = sum(map(int, re.findall(r"\[  PASSED  \] (\d+) test", text)))
    failed = sum(map(int, re.findall(r"\[  FAILED  \] (?:[a-z_]+: )?(\d+) test", text)))
    return passed, failed if failed or code == 0 else 1


def build(compiler: str):
    if shutil.which(compiler) is None:
        compiler += "-14"
    include = sysconfig.get_path("include")
    code, _ = run("make", JOBS, "-s", "-f", "csrc/build.mk", f"OUT=build/{compiler}", f"DIRS={FOLDERS}",
                  f"CC={compiler}", f"EXTRA=-I{include}")
    return as_one(code)


def fuzz():
    """Ten seconds of each target, under sanitizers: a look, not a search."""
    return as_one(run("make", JOBS, "-s", "-f", "tests/fuzz/run.mk", "SECONDS=10")[0])


def conformance():
    code, text = run(sys.executable, ".ci/conformance.py")
    found = re.findall(r"^(\d+) passed, (\d+) failed$", text, re.M)
    return tuple(map(int, found[-1])) if found else as_one(code)


def kills():
    return as_one(run(sys.executable, "tests/recovery/kill.py", "--kills", "20")[0])


def kafka_kills():
    return as_one(run(sys.executable, "tests/kafka/kill.py", "--kills", "10", "--broker-kills", "2")[0])


STEPS = {
    "hygiene": lambda: pytest("tests/hygiene"),
    "gcc": lambda: build("gcc"),
    "clang": lambda: build("clang"),
    "stream": lambda: pytest("tests/stream", "tests/expr"),
    "tiny": lambda: pytest("tests/stream", "tests/expr", "--mode", "tiny"),
    "shaped": lambda: pytest("tests/stream", "tests/expr", "--mode", "shaped"),
    "restart": lambda: pytest("tests/stream", "--mode", "restart"),
    "replay": lambda: pytest("tests/stream", "--mode", "replay"),
    "workers": lambda: pytest("tests/stream", "tests/expr", "--mode", "workers"),
    "api": lambda: pytest("tests/api", "tests/model"),
    "recovery": lambda: pytest("tests/recovery"),
    "kill": kills,
    "kafka": lambda: pytest("tests/kafka"),
    "kafka-kill": kafka_kills,
    "conformance": conformance,
    "c": lambda: cmocka(0),
    "c-sanitized": lambda: cmocka(1),
    "fuzz": fuzz,
}


def main() -> int:
    if "--list" in sys.argv:
        print(*STEPS, sep="\n")
        return 0
    total = [0, 0]
    table = []
    for name in sys.argv[1:] or STEPS:
        print(f"\n== {name}", flush=True)
        began = time.monotonic()
        passed, failed = STEPS[name]()
        total = [total[0] + passed, total[1] + failed]
        table.append(f"{name:<14}{passed:>6} passed {failed:>4} failed {time.monotonic() - began:>7.0f} s")
    print("\n" + "\n".join(table))
    counts = f"{total[0]} passed, {total[1]} failed"
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build" / "counts").write_text(counts + "\n")
    print(counts, flush=True)
    return 1 if total[1] else 0


if __name__ == "__main__":
    sys.exit(main())
