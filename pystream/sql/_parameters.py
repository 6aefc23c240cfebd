"""Values for SQL text: `:name` and `?` as expressions, `{name}` as views, columns and literals in the text."""
from __future__ import annotations

import datetime
import itertools
import string

from pystream import _native
from pystream.errors import PySparkValueError
from pystream.sql.column import Column, _literal

_count = itertools.count()


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


def value_expr(value):
    """The Expr that stands for `:name` or `?`."""
    if isinstance(value, dict):
        return _native.call("map", [value_expr(item) for pair in value.items() for item in pair])
    if isinstance(value, (list, tuple)):
        return _native.call("array", [value_expr(item) for item in value])
    return _literal(value)


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
