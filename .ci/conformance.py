"""Runs the recorded cases of Apache Spark that belong to this version, and compares the verdicts with what is expected.

    python .ci/conformance.py              every case passes but those named in tests/conformance_expected.txt
    python .ci/conformance.py --rewrite    writes that file anew, keeping its reasons

The kit lies beside the repository, in ../shared/conformance; without it there is nothing to run.
"""
from __future__ import annotations

import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
KIT = ROOT.parent / "shared" / "conformance" / "run.py"
LIST = ROOT / "tests" / "conformance_expected.txt"
VERDICTS = ROOT / "build" / "conformance.json"
MODULES = ("windows output_modes watermarks word_counts source_json source_csv source_text source_files source_rate sink_console "
           "sink_memory sink_files sink_foreach triggers checkpoint_files").split()
HEAD = """\
# Conformance cases that may fail, and why: `name  reason`.  .ci/conformance.py fails on any other.
"""


def expected() -> dict[str, str]:
    rows = [line.partition("  ") for line in LIST.read_text("utf-8").splitlines() if line and not line.startswith("#")] \
        if LIST.exists() else []
    return {name.strip(): reason.strip() for name, _, reason in rows}


def main() -> int:
    if not KIT.exists():
        print("conformance: the kit is not beside this repository; skipped")
        return 0
    VERDICTS.parent.mkdir(exist_ok=True)
    VERDICTS.unlink(missing_ok=True)
    subprocess.run([sys.executable, str(KIT), *MODULES, "--json", str(VERDICTS)], cwd=ROOT / "build")
    if not VERDICTS.exists():
        print("0 passed, 1 failed")
        return 1
    verdicts = json.loads(VERDICTS.read_text("utf-8"))
    excused = expected()
    failed = sorted(name for name, why in verdicts.items() if not why.startswith("ok"))
    if "--rewrite" in sys.argv:
        LIST.write_text(HEAD + "".join(f"{name}  {excused.get(name) or 'open'}\n" for name in failed), "utf-8")
        return 0
    surprises = [name for name in failed if name not in excused]
    for name in surprises:
        print(f"REGRESSION {name}: {verdicts[name]}")
    for name in sorted(excused):
        if verdicts.get(name, "").startswith("ok"):
            print(f"notice: {name} passes now; take it off {LIST.relative_to(ROOT)}")
    print(f"{len(verdicts) - len(failed)} pass, {len(failed) - len(surprises)} may fail, {len(surprises)} must not")
    print(f"{len(verdicts) - len(failed)} passed, {len(surprises)} failed")
    return 1 if surprises else 0


if __name__ == "__main__":
    sys.exit(main())
