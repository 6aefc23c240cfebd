"""split() over the lines of files, which it takes many at once."""
import random

from pystream.sql import functions as F


def test_split_at_a_byte_is_pythons(spark, tmp_path):
    """Lines of a file are parted together, whatever their lengths, their ends and what lies between them."""
    rng = random.Random(5)
    words = ["", "a", "twelve bytes", "thirteen byte", "é" * 9, "x" * 70]
    lines = [",".join(rng.choices(words, k=rng.choice((1, 2, 9, 60)))) for _ in range(3000)]
    lines += [",".join("y" * rng.randrange(20) for _ in range(n)) for n in (400, 5000, 1)] + ["z" * n for n in (12, 13, 4095, 4096, 9000)]
    rng.shuffle(lines)
    for end in ("\n", "\r\n", ",\n", ","):
        (tmp_path / "lines.txt").write_bytes(end.join([*lines, "the last, of all"]).encode())
        read = spark.read.option("lineSep", end) if "," in end else spark.read
        rows = read.text(str(tmp_path / "lines.txt")).select("value", F.split("value", ",").alias("parts")).collect()
        if end != ",":
            assert [row.value for row in rows] == [*lines, "the last, of all"]
        assert [row.parts for row in rows] == [row.value.split(",") for row in rows]
