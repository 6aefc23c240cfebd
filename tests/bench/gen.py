"""The benchmarks' input, from seeds: the same bytes every time.

    python tests/bench/gen.py DIRECTORY [--scale 1.0]

    ysb/*.json     the advertising events of the Yahoo streaming benchmark: 241 bytes, seven texts, the time in milliseconds
    ysb-ads.csv    1,000 ads of 100 campaigns
    trades/*.json  time, symbol, price, size
    words/*.txt    sentences over 18,000 words, the common ones often
    columns-N.bin  rows of (time in microseconds, key below N, value), three little-endian longs each
"""
from __future__ import annotations

import argparse
import array
import pathlib
import random

FILES = 4
YSB_SCHEMA = ("user_id STRING, page_id STRING, ad_id STRING, ad_type STRING, event_type STRING, event_time STRING, "
              "ip_address STRING")
YSB_ROWS, TRADE_ROWS, LINES, COLUMN_ROWS = 1_600_000, 3_200_000, 1_600_000, 8_388_608
START_MS = 1_700_000_000_000
START_MINUTE_US = 1_699_999_980_000_000


def uuid(rng: random.Random) -> str:
    text = f"{rng.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def write_lines(path: pathlib.Path, lines) -> None:
    with open(path, "w", encoding="ascii") as out:
        block = []
        for line in lines:
            block.append(line)
            if len(block) == 10_000:
                out.write("".join(block))
                block.clear()
        out.write("".join(block))


def ads_of_ysb() -> list[tuple[str, str]]:
    """(ad, campaign), ten ads a campaign."""
    rng = random.Random(1)
    return [(uuid(rng), campaign) for campaign in [uuid(rng) for _ in range(100)] for _ in range(10)]


def ysb_lines(seed: int, first: int, rows: int, ads, total: int):
    rng = random.Random(seed)
    users, pages = [uuid(rng) for _ in range(997)], [uuid(rng) for _ in range(991)]
    kinds, below = ("view", "click", "purchase"), rng.random
    for i in range(first, first + rows):
        at = START_MS + i * 600_000 // total  # sixty windows of ten seconds
        yield (f'{{"user_id":"{users[int(below() * 997)]}","page_id":"{pages[int(below() * 991)]}",'
               f'"ad_id":"{ads[int(below() * 1000)][0]}","ad_type":"banner78","event_type":"{kinds[int(below() * 3)]}",'
               f'"event_time":"{at}","ip_address":"1.2.3.4"}}\n')


def make_ysb(to: pathlib.Path, scale: float) -> None:
    ads, rows = ads_of_ysb(), int(YSB_ROWS * scale) // FILES
    (to / "ysb-ads.csv").write_text("".join(f"{ad},{campaign}\n" for ad, campaign in ads))
    for f in range(FILES):
        write_lines(to / f"ysb/part-{f}.json", ysb_lines(100 + f, f * rows, rows, ads, FILES * rows))


def trade_lines(seed: int, first: int, rows: int, total: int):
    rng = random.Random(seed)
    below = rng.random
    symbols = ["".join(random.Random(i).choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=3 + i % 3)) + str(i % 10) for i in range(500)]
    for i in range(first, first + rows):
        ms = i * 7_200_000 // total  # two hours
        s = ms // 1000
        yield (f'{{"ts":"2023-11-14 {10 + s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}.{ms % 1000:03d}",'
               f'"symbol":"{symbols[int(below() * below() * 500)]}","price":{int(below() * 100000) / 100},"size":{int(below() * 1000)}}}\n')


def make_trades(to: pathlib.Path, scale: float) -> None:
    rows = int(TRADE_ROWS * scale) // FILES
    for f in range(FILES):
        write_lines(to / f"trades/part-{f}.json", trade_lines(200 + f, f * rows, rows, FILES * rows))


def make_words(to: pathlib.Path, scale: float) -> None:
    rng = random.Random(3)
    words = sorted({"".join(rng.choices("etaoinshrdlu", k=rng.choice((2, 3, 3, 4, 4, 5, 6, 7, 8, 10)))) for _ in range(26_000)})
    rng.shuffle(words)
    words = words[:18_000]
    weights = [1 / (i + 5) for i in range(len(words))]
    rows = int(LINES * scale) // FILES
    for f in range(FILES):
        drawn = rng.choices(words, weights, k=200_000)
        write_lines(to / f"words/part-{f}.txt",
                    (" ".join(drawn[(at := int(rng.random() * 199_980)):at + 10]) + "\n" for _ in range(rows)))


def make_columns(to: pathlib.Path, scale: float) -> None:
    rows = int(COLUMN_ROWS * scale)
    for keys in (10_000, 1_000_000):
        rng = random.Random(keys)
        below, rows_of = rng.random, array.array("q")
        for i in range(rows):
            rows_of.extend((START_MINUTE_US + i * 60_000_000 // rows, int(below() * keys), i & 1023))
        with open(to / f"columns-{keys}.bin", "wb") as out:
            rows_of.tofile(out)


def make(to: pathlib.Path, scale: float = 1.0) -> None:
    """All input, unless it is there."""
    done = to / f"done-{scale}"
    if done.exists():
        return
    for name in ("ysb", "trades", "words"):
        (to / name).mkdir(parents=True, exist_ok=True)
    for step in (make_ysb, make_trades, make_words, make_columns):
        step(to, scale)
    done.touch()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--scale", type=float, default=1.0)
    options = parser.parse_args()
    make(options.directory, options.scale)
