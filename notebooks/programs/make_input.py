"""Makes the input of the programs: seeded, so that everybody sees the same rows.

    python notebooks/programs/make_input.py DIR [--files 12] [--rows 400] [--seed 7]

DIR/text    files of English-looking lines, for the word count
DIR/csv     the same lines as the second column of CSV files
DIR/trades  files of JSON trades, in the order of their time; some come many files late, some records are broken
DIR/companies.csv   the static table: symbol, company
DIR/sentinel.json   one trade far in the future; put among the trades as the last file it closes every window

Prices are multiples of 1/4 and so are sums of them exact, whatever the order of the rows.
"""
from __future__ import annotations

import argparse
import datetime
import json
import os
import pathlib
import random

WORDS = ("the quick brown fox jumps over a lazy dog while Streams carry many small rows to one Window "
         "and late rows wait for nobody").split()
SYMBOLS = {"ACME": "Acme Corporation", "BOLT": "Bolt & Nut", "CORN": "Corn Trading", "DUNE": "Dune Logistics",
           "ECHO": "Echo Audio"}
START = datetime.datetime(2024, 1, 1, 9, 0, tzinfo=datetime.timezone.utc)
FIRST_MTIME = 1_700_000_000


def put(path: pathlib.Path, text: str, order: int) -> None:
    """A file that appears at once; files of a directory are read in the order of their times."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(text, "utf-8")
    os.utime(temporary, (FIRST_MTIME + order, FIRST_MTIME + order))
    temporary.rename(path)


def lines(random_: random.Random, rows: int) -> list[str]:
    return [" ".join(random_.choices(WORDS, k=random_.randint(1, 9))) for _ in range(rows)]


def trade(at: datetime.datetime, symbol: str, price: float, volume: int) -> str:
    return json.dumps({"ts": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "symbol": symbol, "price": price, "volume": volume})


def trades(random_: random.Random, file: int, rows: int, span: datetime.timedelta) -> list[str]:
    """The trades of one file: each covers `span`; from the fourth on one row in a hundred is hours late, so that it stays
    late even where a restart puts two files into one batch; one in a hundred is broken."""
    out = []
    for row in range(rows):
        at = START + span * file + span * row / rows
        kind = random_.random()
        if kind < 0.01 and file >= 4:
            at -= datetime.timedelta(hours=random_.randint(8, 12))
        text = trade(at, random_.choice([*SYMBOLS, "NONE"]), random_.randrange(40, 4000) / 4, random_.randint(1, 500))
        if 0.01 <= kind < 0.02:
            text = random_.choice([text[: len(text) // 2], '{"ts": "no time", "symbol": "ACME", "price": 1, "volume": 1}',
                                   "not JSON", ""])
        out.append(text)
    return out


def sentinel() -> str:
    return trade(START + datetime.timedelta(days=3650), "ACME", 1.0, 1) + "\n"


def make(root: pathlib.Path, files: int, rows: int, seed: int) -> None:
    random_ = random.Random(seed)
    for name in ("text", "csv", "trades"):
        (root / name).mkdir(parents=True, exist_ok=True)
    for file in range(files):
        text = lines(random_, rows)
        put(root / "text" / f"{file:05d}.txt", "\n".join(text) + "\n", file)
        put(root / "csv" / f"{file:05d}.csv", "".join(f'{n},"{line}"\n' for n, line in enumerate(text)), file)
        put(root / "trades" / f"{file:05d}.json", "\n".join(trades(random_, file, rows, datetime.timedelta(minutes=30))) + "\n",
            file)
    put(root / "companies.csv", "".join(f"{symbol},{name}\n" for symbol, name in SYMBOLS.items()), 0)
    put(root / "sentinel.json", sentinel(), files)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dir", type=pathlib.Path)
    parser.add_argument("--files", type=int, default=12)
    parser.add_argument("--rows", type=int, default=400)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    make(options.dir, options.files, options.rows, options.seed)


if __name__ == "__main__":
    main()
