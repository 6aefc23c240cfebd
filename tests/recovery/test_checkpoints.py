"""Checkpoints that earlier formats wrote are gone on with: tests/checkpoints/<format>, each from two batches of this program.

    python tests/recovery/test_checkpoints.py CHECKPOINT /tmp/pystream-in     writes one, from an empty directory
"""
import json
import pathlib
import shutil
import sys

import pytest

CHECKPOINTS = pathlib.Path(__file__).resolve().parents[1] / "checkpoints"


def write_input(folder: pathlib.Path, number: int) -> None:
    """Keys number .. number + 299, so that batches share most of theirs."""
    rows = [{"k": k, "t": f"the text of key {k % 7}", "v": k * k} for k in range(number, number + 300)]
    (folder / f"{number}.json").write_text("".join(json.dumps(row) + "\n" for row in rows))


def run(checkpoint: pathlib.Path, folder: pathlib.Path) -> dict:
    """Reads what is new and gives the groups of the last batch, by key."""
    from pystream.sql import SparkSession, functions as F
    spark = SparkSession.builder.getOrCreate()
    rows = {}
    for name, keys in (("numbers", ["k"]), ("texts", ["t"])):
        df = spark.readStream.schema("k LONG, t STRING, v LONG").json(str(folder))
        df = df.groupBy(*keys).agg(F.count("*").alias("n"), F.sum("v").alias("sum"))
        query = (df.writeStream.outputMode("update").option("checkpointLocation", str(checkpoint / name))
                 .foreachBatch(lambda batch, _, name=name: rows.update({name: {row[0]: (row.n, row.sum) for row in batch.collect()}}))
                 .trigger(availableNow=True).start())
        query.awaitTermination()
    return rows


@pytest.mark.parametrize("version", sorted(path.name for path in CHECKPOINTS.iterdir()))
def test_earlier_format(version, tmp_path):
    checkpoint, folder = tmp_path / "checkpoint", tmp_path / "in"
    folder.mkdir()
    shutil.copytree(CHECKPOINTS / version, checkpoint)
    for path in checkpoint.glob("*/sources/0/*"):
        path.write_text(path.read_text().replace("/tmp/pystream-in", str(folder)))
    for number in (0, 10, 20):
        write_input(folder, number)
    rows = run(checkpoint, folder)
    batches = [range(0, 300), range(10, 310), range(20, 320)]
    assert rows["numbers"] == {k: (n := sum(k in batch for batch in batches), n * k * k) for k in batches[2]}
    assert rows["texts"] == {f"the text of key {i}": (sum(k % 7 == i for batch in batches for k in batch),
                                                      sum(k * k for batch in batches for k in batch if k % 7 == i)) for i in range(7)}
    assert run(checkpoint, folder) == {}


if __name__ == "__main__":
    for number in (0, 10):
        write_input(pathlib.Path(sys.argv[2]), number)
        run(*map(pathlib.Path, sys.argv[1:]))
