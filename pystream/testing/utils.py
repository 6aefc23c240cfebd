"""assertDataFrameEqual and assertSchemaEqual."""
from __future__ import annotations

import decimal
import difflib

from pystream.errors import PySparkAssertionError, PySparkValueError
from pystream.sql.dataframe import DataFrame
from pystream.sql.types import ArrayType, MapType, Row, StructField, StructType

__all__ = ["assertDataFrameEqual", "assertSchemaEqual"]


def _wrong_argument(name: str, value, expected: str) -> PySparkAssertionError:
    return PySparkAssertionError(
        errorClass="INVALID_TYPE_DF_EQUALITY_ARG",
        messageParameters={"expected_type": expected, "arg_name": name, "actual_type": str(type(value))})


def _comparable(kind, ignore_nullable: bool, ignore_name: bool = False):
    """A type without what shall not count."""
    if isinstance(kind, StructType):
        return StructType([StructField("" if ignore_name else field.name,
                                       _comparable(field.dataType, ignore_nullable, ignore_name),
                                       True if ignore_nullable else field.nullable) for field in kind])
    if isinstance(kind, ArrayType):
        return ArrayType(_comparable(kind.elementType, ignore_nullable, ignore_name),
                         True if ignore_nullable else kind.containsNull)
    if isinstance(kind, MapType):
        return MapType(_comparable(kind.keyType, ignore_nullable), _comparable(kind.valueType, ignore_nullable),
                       True if ignore_nullable else kind.valueContainsNull)
    return kind


def assertSchemaEqual(actual: StructType, expected: StructType, ignoreNullable: bool = True,
                      ignoreColumnOrder: bool = False, ignoreColumnName: bool = False) -> None:
    """Fail unless two schemas are equal.

    Examples
    --------
    >>> assertSchemaEqual(StructType.fromDDL("a INT"), StructType.fromDDL("a INT NOT NULL"))
    """
    for name, value in (("actual", actual), ("expected", expected)):
        if not isinstance(value, StructType):
            raise _wrong_argument(name, value, "StructType")
    sides = [_comparable(schema, ignoreNullable, ignoreColumnName) for schema in (actual, expected)]
    if ignoreColumnOrder:
        sides = [StructType(sorted(schema.fields, key=lambda field: field.name)) for schema in sides]
    if sides[0] != sides[1]:
        diff = "\n".join(difflib.ndiff(str(actual).splitlines(), str(expected).splitlines()))
        raise PySparkAssertionError(errorClass="DIFFERENT_SCHEMA", messageParameters={"error_msg": diff})


def _close(a, b, rtol: float, atol: float) -> bool:
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(_close(x, y, rtol, atol) for x, y in zip(tuple(a), tuple(b)))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_close(a[key], b[key], rtol, atol) for key in a)
    if isinstance(a, float) and isinstance(b, float):
        return a == b or (a != a and b != b) or abs(a - b) <= atol + rtol * abs(b)
    if isinstance(a, decimal.Decimal) and isinstance(b, decimal.Decimal):
        return a == b or abs(a - b) <= decimal.Decimal(atol) + decimal.Decimal(rtol) * abs(b)
    return a == b


def _rows(name: str, value):
    """(rows, schema or None) of one side."""
    if isinstance(value, DataFrame):
        if value.isStreaming:
            raise PySparkAssertionError(
                errorClass="UNSUPPORTED_OPERATION",
                messageParameters={"operation": "assertDataFrameEqual on streaming DataFrame"})
        return value.collect(), value.schema
    if isinstance(value, list) and all(isinstance(row, Row) for row in value):
        return value, None
    if type(value).__module__.partition(".")[0] == "pandas":
        names = [str(column) for column in value.columns]
        return [Row(**dict(zip(names, row))) for row in value.itertuples(index=False, name=None)], None
    raise _wrong_argument(name, value, "Union[DataFrame, ps.DataFrame, List[Row]]")


def assertDataFrameEqual(actual, expected, checkRowOrder: bool = False, rtol: float = 1e-5, atol: float = 1e-8,
                         ignoreNullable: bool = True, ignoreColumnOrder: bool = False, ignoreColumnName: bool = False,
                         ignoreColumnType: bool = False, maxErrors: int | None = None, showOnlyDiff: bool = False,
                         includeDiffRows: bool = False) -> None:
    """Fail unless two frames (or lists of Row) have equal rows.

    Examples
    --------
    >>> assertDataFrameEqual(spark.range(2), [Row(id=1), Row(id=0)])
    """
    if actual is None and expected is None:
        return
    if ignoreColumnOrder and ignoreColumnName:
        raise PySparkValueError(
            errorClass="CANNOT_SET_TOGETHER", messageParameters={"arg_list": "ignoreColumnOrder and ignoreColumnName"})
    (got, got_schema), (want, want_schema) = _rows("actual", actual), _rows("expected", expected)
    if got_schema is not None and want_schema is not None and not ignoreColumnType:
        assertSchemaEqual(got_schema, want_schema, ignoreNullable, ignoreColumnOrder, ignoreColumnName)
    if ignoreColumnOrder:
        got, want = ([Row(**dict(sorted(row.asDict().items()))) for row in rows] for rows in (got, want))
    if not checkRowOrder:
        got, want = sorted(got, key=str), sorted(want, key=str)
    pairs = [(got[i] if i < len(got) else None, want[i] if i < len(want) else None)
             for i in range(max(len(got), len(want)))]
    bad = [pair for pair in pairs if pair[0] is None or pair[1] is None or not _close(*pair, rtol, atol)]
    if not bad:
        return
    shown = (bad if showOnlyDiff else pairs)[:maxErrors]
    text = f"Results do not match: ( {100 * len(bad) / len(pairs):.5f} % )\n*** actual ***\n"
    text += "\n".join(f"{'! ' if pair in bad else '  '}{pair[0]}" for pair in shown)
    text += "\n*** expected ***\n" + "\n".join(f"{'! ' if pair in bad else '  '}{pair[1]}" for pair in shown)
    raise PySparkAssertionError(
        errorClass="DIFFERENT_ROWS", messageParameters={"error_msg": text}, data=bad if includeDiffRows else None)
