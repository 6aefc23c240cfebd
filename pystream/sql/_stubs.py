"""Writes functions.pyi: ``python -m pystream.sql._stubs``; a test compares."""
from __future__ import annotations

import inspect
import pathlib

PATH = pathlib.Path(__file__).with_name("functions.pyi")
HEAD = '''"""Functions that make Columns. Made by pystream/sql/_stubs.py from the engine's table."""
from typing import Any, Callable

from pystream.sql.column import Column
from pystream.sql.dataframe import DataFrame

'''


def text() -> str:
    """The stub."""
    from pystream.sql import functions
    lines = []
    for name in functions.__dir__():
        function = getattr(functions, name)
        if inspect.isclass(function):
            continue
        parts = []
        star = False
        for word, parameter in inspect.signature(function).parameters.items():
            if parameter.kind is parameter.VAR_POSITIONAL:
                parts.append(f"*{word}: Any")
                star = True
                continue
            if parameter.kind is parameter.KEYWORD_ONLY and not star:
                parts.append("*")
                star = True
            parts.append(f"{word}: Any" + ("" if parameter.default is parameter.empty else " = ..."))
        result = {"broadcast": "DataFrame"}.get(name, "Any" if "udf" in name or name == "udtf" else "Column")
        lines.append(f"def {name}({', '.join(parts)}) -> {result}: ...\n")
    return HEAD + "".join(lines)


if __name__ == "__main__":
    PATH.write_text(text())
