"""Plays `.expr` files: `expression = expression`, or `expression ! CONDITION`, one a line.

Both sides must have one type and one value (NULL equals NULL, NaN equals NaN); a refused expression must fail with that
condition.  The sides that are no errors are also evaluated as columns of several rows, so that constant folding does not
stand in for the kernels.
"""
from __future__ import annotations

import dataclasses

from runner.values import plain


@dataclasses.dataclass
class Case:
    line: int
    left: str
    right: str
    fails: bool


def split_top(line: str, mark: str) -> tuple[str, str] | None:
    """Parts at the last ` mark ` outside quotes and brackets."""
    depth, quote, at, found = 0, "", 0, None
    while at < len(line):
        char = line[at]
        if quote:
            at += char == "\\"
            quote = "" if char == quote else quote
        elif char in "'\"`":
            quote = char
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif depth == 0 and line.startswith(f" {mark} ", at):
            found = at
        at += 1
    return None if found is None else (line[:found].strip(), line[found + len(mark) + 2:].strip())


def parse(text: str) -> tuple[dict[str, str], list[Case]]:
    """Confs (`option KEY VALUE` lines) and cases of a file."""
    confs, cases = {}, []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("option "):
            _, key, value = line.split(None, 2)
            confs[key] = value
            continue
        fails = split_top(line, "!")
        equal = fails or split_top(line, "=")
        if equal is None:
            raise ValueError(f"line {number}: neither ` = ` nor ` ! `")
        cases.append(Case(number, *equal, fails is not None))
    return confs, cases


def evaluate(df, text: str):
    """Type and values of an expression."""
    result = df.selectExpr(f"{text} AS value")
    return result.schema.fields[0].dataType.simpleString(), [plain(row[0]) for row in result.collect()]


def check(spark, case: Case) -> str | None:
    """What is wrong with a case, or None."""
    import pystream.errors
    one, three = spark.range(1), spark.range(3)
    if case.fails:
        try:
            _, got = evaluate(one, case.left)
        except pystream.errors.PySparkException as problem:
            name = problem.getCondition() or type(problem).__name__
            return None if name == case.right else f"fails with {name}, not {case.right}: {problem}"
        return f"gives {got[0]!r} instead of failing with {case.right}"
    try:
        (left_type, left), (right_type, right) = evaluate(one, case.left), evaluate(one, case.right)
        if left != right:
            return f"gives {left[0]!r}, not {right[0]!r}"
        if left_type != right_type and case.right != "NULL":
            return f"is a {left_type}, not a {right_type}"
        column = evaluate(three, f"IF(id < 0, NULL, {case.left})")[1]
        if column != right * 3:
            return f"as a column gives {column!r}, not {right[0]!r} thrice"
    except pystream.errors.PySparkException as problem:
        return f"fails: {problem}"
    return None
