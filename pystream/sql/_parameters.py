"""Values put into SQL text: `:name` and `?` as literals, `{name}` as views, columns and literals."""
from __future__ import annotations

import datetime
import itertools
import re
import string

from pystream.errors import AnalysisException, PySparkValueError
from pystream.sql.column import Column

_count = itertools.count()

#: What is skipped: strings, quoted names, comments; then the places.
_PLACES = re.compile(r"""'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`[^`]*`|--[^\n]*|/\*.*?\*/|::|:([A-Za-z_]\w*)|(\?)""", re.S)


def literal_text(value) -> str:
    """A Python value as a SQL literal."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return f"CAST('{value!r}' AS DOUBLE)" if value != value or value in (float("inf"), -float("inf")) else f"{value!r}D"
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    if isinstance(value, (bytes, bytearray)):
        return f"X'{bytes(value).hex()}'"
    if isinstance(value, datetime.datetime):
        return f"TIMESTAMP'{value.astimezone(datetime.timezone.utc):%Y-%m-%d %H:%M:%S.%f}Z'"
    if isinstance(value, datetime.date):
        return f"DATE'{value.isoformat()}'"
    if isinstance(value, datetime.timedelta):
        return f"INTERVAL '{value // datetime.timedelta(microseconds=1) / 1e6:.6f}' SECOND"
    if isinstance(value, (list, tuple)):
        return f"array({', '.join(literal_text(item) for item in value)})"
    if isinstance(value, dict):
        return f"map({', '.join(literal_text(item) for pair in value.items() for item in pair)})"
    if type(value).__name__ == "Decimal":
        return f"{value}BD"
    if isinstance(value, Column):
        return value._expr.text()
    raise PySparkValueError(f"a value of class {type(value).__name__} cannot be a SQL parameter")


def substituted(text: str, args) -> str:
    """The text with `:name` (a dict) or `?` (a list) replaced by literals."""
    positional = iter(args) if not isinstance(args, dict) else None

    def place(found):
        name, mark = found[1], found[2]
        try:
            if name and positional is None:
                return literal_text(args[name])
            if mark and positional is not None:
                return literal_text(next(positional))
        except (KeyError, StopIteration):
            raise AnalysisException._of_engine(
                f"[UNBOUND_SQL_PARAMETER] Found the unbound parameter: {name or '_' + str(found.start())}. SQLSTATE: 42P02",
                "UNBOUND_SQL_PARAMETER", "42P02") from None
        return found[0]
    return _PLACES.sub(place, text)


class _Formatter(string.Formatter):
    def __init__(self, session, views):
        self.session, self.views = session, views

    def format_field(self, value, spec):
        from pystream.sql.dataframe import DataFrame
        if isinstance(value, DataFrame):
            name = f"_pystream_{next(_count)}"
            self.session._engine.view_set(name, value._plan, True)
            self.views.append(name)
            return name
        return literal_text(value) if not spec else format(value, spec)


def formatted(session, text: str, values: dict, views: list) -> str:
    """The text with `{name}` replaced; `views` gets the names of the views made for it."""
    return _Formatter(session, views).format(text, **values)
