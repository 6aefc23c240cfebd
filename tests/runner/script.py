"""Reads `.stream` files: the text of a test as a list of steps (the format is in tests/README.md)."""
from __future__ import annotations

import dataclasses
import re

#: Directives that may be followed by indented lines.
WITH_BODY = ("stream", "table", "query", "push", "restart")
#: Directives that may be followed by `----` and what must come out.
WITH_RESULT = ("batch", "drain", "error", "explain")
PLAIN = ("option", "expect", "idle", "clock", "crash", "skip")


class ScriptError(Exception):
    """The file is not well formed."""


@dataclasses.dataclass
class Step:
    """One directive: `line` is its number, `body` the indented lines, `rows` what stands after `----` (None: nothing)."""
    line: int
    word: str
    rest: str
    body: list[str]
    rows: list[str] | None = None
    rows_at: tuple[int, int] = (0, 0)  # line numbers [from, to) of the rows, for --rewrite


def without_comment(line: str) -> str:
    return re.sub(r"(^|\s{2,}|\t)#.*$", "", line).rstrip()


def expand(lines: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Repeats `foreach X in a b ... end`."""
    out, at = [], 0
    while at < len(lines):
        number, line = lines[at]
        found = re.match(r"foreach (\w+) in (.+)$", line)
        if not found:
            out.append((number, line))
            at += 1
            continue
        end, depth = at + 1, 1
        while end < len(lines):
            depth += lines[end][1].startswith("foreach ") - (lines[end][1] == "end")
            if depth == 0:
                break
            end += 1
        else:
            raise ScriptError(f"line {number}: foreach without end")
        for value in found[2].split():
            inner = [(n, text.replace("{" + found[1] + "}", value)) for n, text in lines[at + 1:end]]
            out.extend([*expand(inner), (number, "")])
        at = end + 1
    return out


def parse(text: str) -> list[Step]:
    """The steps of a file."""
    lines = expand([(n, without_comment(line)) for n, line in enumerate(text.splitlines(), 1)])
    steps: list[Step] = []
    at = 0
    while at < len(lines):
        number, line = lines[at]
        at += 1
        if not line:
            continue
        word, _, rest = line.partition(" ")
        if word not in (*WITH_BODY, *WITH_RESULT, *PLAIN):
            raise ScriptError(f"line {number}: {word!r} is no directive")
        step = Step(number, word, rest.strip(), [])
        while word in WITH_BODY and at < len(lines) and lines[at][1][:1] in (" ", "\t"):
            step.body.append(lines[at][1].strip() if word in ("push", "table") else lines[at][1])
            at += 1
        if word in WITH_RESULT and at < len(lines) and lines[at][1] == "----":
            at += 1
            step.rows = []
            first = lines[at - 1][0] + 1
            while at < len(lines) and lines[at][1] and not re.match(r"(expect|option) ", lines[at][1]):
                step.rows.append(lines[at][1])
                at += 1
            step.rows_at = (first, first + len(step.rows))
        steps.append(step)
    return steps


def cells(row: str) -> list[str]:
    """The cells of a row: parted by two spaces or more, or a tab."""
    return re.split(r"\s{2,}|\t", row.strip())
