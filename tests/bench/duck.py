"""The benchmarked programs in DuckDB, one batch over all input, its cache warm: the peer that run.py compares with.

    python tests/bench/duck.py PROGRAM INPUT [--rounds 5] [--threads 1] [--result FILE]

Prints as engine.py does: wall seconds, processor seconds and rows of each round after the first.
"""
from __future__ import annotations

import argparse
import pathlib
import time

import duckdb

YSB = """
SELECT CAST(floor(CAST(event_time AS BIGINT) / 10000) * 10000 AS BIGINT) AS start, campaign_id, count(*) AS count
FROM read_json('{at}/ysb/*.json', format='newline_delimited', columns={{ad_id: 'VARCHAR', event_type: 'VARCHAR', event_time: 'VARCHAR'}})
JOIN ads USING (ad_id) WHERE event_type = 'view' GROUP BY ALL"""
TRADES = """
SELECT w AS start, symbol, round(avg(price), 6) AS avg, min(price), max(price), sum(size) AS size, count(*) AS n
FROM (SELECT *, epoch_ms(ts) AS ms, unnest([ms // 300000 * 300000, ms // 300000 * 300000 - 300000]) AS w
      FROM read_json('{at}/trades/*.json', format='newline_delimited',
                     columns={{ts: 'TIMESTAMP', symbol: 'VARCHAR', price: 'DOUBLE', size: 'BIGINT'}}))
GROUP BY ALL"""
WORDS = """
SELECT word, count(*) AS count
FROM (SELECT unnest(string_split(line, ' ')) AS word
      FROM read_csv('{at}/words/*.txt', header=false, delim='\\0', quote='', escape='', columns={{line: 'VARCHAR'}}, auto_detect=false))
GROUP BY word"""
COLUMNS = "SELECT ts // 60000000 * 60000 AS start, key, count(*) AS n, sum(value) AS sum FROM columns GROUP BY ALL"
PROGRAMS = {"ysb": YSB, "trades": TRADES, "words": WORDS, "columns-10000": COLUMNS, "columns-1000000": COLUMNS}


def prepare(con, program: str, at: pathlib.Path) -> int:
    """Tables that are there before the clock runs; the number of input rows."""
    if program == "ysb":
        con.execute(f"CREATE TABLE ads AS SELECT * FROM read_csv('{at}/ysb-ads.csv', header=false, "
                    "columns={ad_id: 'VARCHAR', campaign_id: 'VARCHAR'})")
    if program.startswith("columns"):
        import numpy
        rows = numpy.fromfile(at / f"{program}.bin", "<i8").reshape(-1, 3)
        ts, key, value = (numpy.ascontiguousarray(rows[:, i]) for i in range(3))
        given = {"ts": ts, "key": key, "value": value}  # noqa: F841 - DuckDB finds it by its name
        con.execute("CREATE TABLE columns AS SELECT * FROM given")
        return len(rows)
    files = sorted((at / program).iterdir())
    return sum(file.read_bytes().count(b"\n") for file in files)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", choices=PROGRAMS)
    parser.add_argument("input", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--result", type=pathlib.Path)
    options = parser.parse_args()
    con = duckdb.connect()
    con.execute(f"SET threads={options.threads}")
    con.execute("SET preserve_insertion_order=false")
    n = prepare(con, options.program, options.input)
    query = PROGRAMS[options.program].format(at=options.input)
    for i in range(options.rounds + 1):
        wall, cpu = time.perf_counter(), time.process_time()
        rows = con.execute(f"CREATE OR REPLACE TABLE result AS {query}")
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        if i > 0:
            print(f"{wall:.4f}\t{cpu:.4f}\t{n}", flush=True)
    if options.result:
        rows = con.execute("SELECT * FROM result").fetchall()
        options.result.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows), "utf-8")


if __name__ == "__main__":
    main()
