"""Compares two outputs of run.py: a change counts only beyond 5 % and beyond 0.02 s.

    python tests/bench/compare.py OLD NEW
"""
from __future__ import annotations

import pathlib
import sys

RELATIVE, ABSOLUTE = 0.05, 0.02


def read(path: str) -> dict[tuple[str, str], float]:
    rows = [line.split("\t") for line in pathlib.Path(path).read_text("utf-8").splitlines()[1:]]
    return {(row[0], row[1]): float(row[3]) for row in rows if len(row) > 3}


def main() -> int:
    old, new = read(sys.argv[1]), read(sys.argv[2])
    slower = 0
    for key in sorted(old.keys() & new.keys()):
        before, after = old[key], new[key]
        if abs(after - before) <= max(RELATIVE * before, ABSOLUTE):
            word = "same"
        else:
            word = "faster" if after < before else "SLOWER"
        slower += word == "SLOWER"
        print(f"{key[0]}\t{key[1]}\t{before:.4f}\t{after:.4f}\t{after / before:.2f}\t{word}")
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main())
