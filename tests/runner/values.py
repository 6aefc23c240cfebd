"""Cells of test files as Python values and back, by type."""
from __future__ import annotations

import datetime as dt
import decimal
import json
import math

EPOCH = dt.datetime(1970, 1, 1)


def seconds_of(text: str) -> dt.datetime:
    """A timestamp given as seconds or in ISO form."""
    try:
        return EPOCH + dt.timedelta(microseconds=round(decimal.Decimal(text) * 1_000_000))
    except decimal.InvalidOperation:
        at = dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
        return at.astimezone(dt.timezone.utc).replace(tzinfo=None) if at.tzinfo else at


def from_json(value, kind):
    """A JSON value as a value of a nested type."""
    name = kind.typeName()
    if value is None:
        return None
    if name == "array":
        return [from_json(item, kind.elementType) for item in value]
    if name == "map":
        return {from_json(key, kind.keyType): from_json(item, kind.valueType) for key, item in value.items()}
    if name == "struct":
        items = [value.get(field.name) for field in kind.fields] if isinstance(value, dict) else value
        return tuple(from_json(item, field.dataType) for item, field in zip(items, kind.fields))
    return from_text(value if isinstance(value, str) else json.dumps(value), kind)


def from_text(text: str, kind):
    """A cell as a value of a type."""
    name = kind.typeName()
    if text == "NULL":
        return None
    if name in ("string", "char", "varchar"):
        return "" if text == "''" else text
    if name in ("byte", "short", "integer", "long"):
        return int(text)
    if name in ("float", "double"):
        return float(text)
    if name == "decimal":
        return decimal.Decimal(text)
    if name == "boolean":
        return {"true": True, "false": False}[text.lower()]
    if name in ("timestamp", "timestamp_ntz"):
        return seconds_of(text)
    if name == "date":
        return dt.date.fromisoformat(text)
    if name == "binary":
        return bytearray.fromhex(text)
    if name.startswith("interval day") or name == "daytimeinterval":
        return dt.timedelta(seconds=float(text))
    if name in ("array", "map", "struct"):
        return from_json(json.loads(text), kind)
    raise ValueError(f"cells of type {name} cannot be written in a test")


def to_text(value) -> str:
    """A value as a cell."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return value or "''"
    if isinstance(value, dt.datetime):
        whole = (value - EPOCH).total_seconds()
        return f"{whole:g}" if 0 <= whole < 86400 else value.isoformat(sep="T")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).hex()
    if isinstance(value, (list, tuple, dict)):
        return json.dumps(jsonable(value), ensure_ascii=False)
    return str(value)


def jsonable(value):
    if isinstance(value, dict):
        return {to_text(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [jsonable(item) for item in value]
    return value if value is None or isinstance(value, (bool, int, float)) else to_text(value)


def plain(value):
    """A value in a form in which equal values are equal: rows as tuples, NaN as a word, doubles rounded in the last place."""
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else float(f"{value:.12g}")
    if isinstance(value, dict):
        return tuple(sorted(((plain(key), plain(item)) for key, item in value.items()), key=repr))
    if isinstance(value, (list, tuple)):
        return tuple(plain(item) for item in value)
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    return value
