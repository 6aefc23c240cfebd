"""Column: an expression over the columns of a DataFrame."""
from __future__ import annotations

from pystream import _native
from pystream.errors import (
    IllegalArgumentException, PySparkAttributeError, PySparkTypeError, PySparkValueError, SparkRuntimeException,
    _not_implemented, _wrong_type)
from pystream.sql.types import DataType

__all__ = ["Column"]

_NUMPY_TYPES = {"bool": "boolean", "int8": "tinyint", "int16": "smallint", "int32": "int", "int64": "bigint",
                "float32": "float", "float64": "double", "uint8": "smallint", "uint16": "int", "uint32": "bigint",
                "uint64": "bigint", "str": "string"}


def _unsupported_literal(value) -> SparkRuntimeException:
    return SparkRuntimeException._of_engine(
        f"[UNSUPPORTED_FEATURE.LITERAL_TYPE] The feature is not supported: Literal for '{value}' of class "
        f"{type(value).__name__}. SQLSTATE: 0A000", "UNSUPPORTED_FEATURE.LITERAL_TYPE", "0A000")


def _literal(value):
    """The Expr of a literal."""
    if isinstance(value, Column):
        return value._expr
    kind = type(value)
    if kind.__module__ == "numpy":
        if kind.__name__ == "ndarray":
            return _native.call("array", [_literal(item) for item in value])
        name = value.dtype.name
        if name in _NUMPY_TYPES:
            return _native.literal(value.item(), _NUMPY_TYPES[name])
        return _literal(value.item())
    if isinstance(value, list):
        return _native.call("array", [_literal(item) for item in value])
    if hasattr(kind, "__members__"):  # an Enum
        return _literal(value.value)
    if isinstance(value, int) and kind not in (int, bool):
        value = int(value)
    elif isinstance(value, float) and kind is not float:
        value = float(value)
    try:
        return _native.literal(value)
    except OverflowError as problem:
        raise _unsupported_literal(value) from problem
    except TypeError as problem:
        if isinstance(problem, PySparkTypeError):
            raise
        raise _unsupported_literal(value) from problem


def _of(expr) -> Column:
    """The Column of an Expr."""
    column = Column.__new__(Column)
    column._expr = expr
    return column


def _flat(cols):
    """What was given one by one or as one list, as a list."""
    return list(cols[0]) if len(cols) == 1 and isinstance(cols[0], (list, tuple)) else list(cols)


def _column_expr(value, name: str = "col"):
    """The Expr of a ColumnOrName argument."""
    if isinstance(value, Column):
        return value._expr
    if isinstance(value, str):
        return _native.name(value)
    raise _wrong_type(name, "Column or str", value)


def _operator(name: str, *args) -> Column:
    return _of(_native.call(name, [_literal(arg) for arg in args], operator=True))


class Column:
    """An expression over the columns of a DataFrame.

    Columns come from ``df.name``, ``df["name"]``, ``F.col("name")`` and from functions and operators over others.

    Examples
    --------
    >>> from pystream.sql import functions as F
    >>> F.col("a") + 1
    Column<'+(a, 1)'>
    >>> (F.col("a") > 1) & F.col("b").isNull()
    Column<'and(>(a, 1), isNull(b))'>
    """

    def __new__(cls, *args, **kwargs):
        if args or kwargs:
            raise _not_implemented("Column(jc)")
        return object.__new__(cls)

    # -- arithmetic -------------------------------------------------------------------------------------------

    def __neg__(self):
        return _of(_native.call("negative", [self._expr]))

    def __add__(self, other):
        return _operator("+", self, other)

    def __sub__(self, other):
        return _operator("-", self, other)

    def __mul__(self, other):
        return _operator("*", self, other)

    def __truediv__(self, other):
        return _operator("/", self, other)

    def __mod__(self, other):
        return _operator("%", self, other)

    def __radd__(self, other):
        return _operator("+", self, other)

    def __rsub__(self, other):
        return _operator("-", other, self)

    def __rmul__(self, other):
        return _operator("*", self, other)

    def __rtruediv__(self, other):
        return _operator("/", other, self)

    def __rmod__(self, other):
        return _operator("%", other, self)

    def __pow__(self, other):
        return _of(_native.call("power", [self._expr, _literal(other)]))

    def __rpow__(self, other):
        return _of(_native.call("power", [_literal(other), self._expr]))

    # -- comparison and logic ---------------------------------------------------------------------------------

    def __eq__(self, other):  # type: ignore[override]
        return _operator("=", self, other)

    def __ne__(self, other):  # type: ignore[override]
        return _operator("not", _operator("=", self, other))

    def __lt__(self, other):
        return _operator("<", self, other)

    def __le__(self, other):
        return _operator("<=", self, other)

    def __gt__(self, other):
        return _operator(">", self, other)

    def __ge__(self, other):
        return _operator(">=", self, other)

    __hash__ = None  # type: ignore[assignment]

    def __and__(self, other):
        return _operator("and", self, other)

    def __or__(self, other):
        return _operator("or", self, other)

    def __rand__(self, other):
        return _operator("and", other, self)

    def __ror__(self, other):
        return _operator("or", other, self)

    def __invert__(self):
        return _operator("not", self)

    def __contains__(self, item):
        raise PySparkValueError(errorClass="CANNOT_APPLY_IN_FOR_COLUMN", messageParameters={})

    def __bool__(self):
        raise PySparkValueError(
            errorClass="CANNOT_CONVERT_COLUMN_INTO_BOOL", messageParameters={"column": repr(self)})

    __nonzero__ = __bool__

    def __iter__(self):
        raise PySparkTypeError(errorClass="NOT_ITERABLE", messageParameters={"objectName": "Column"})

    def eqNullSafe(self, other) -> Column:
        """Equality for which NULL equals NULL.

        Examples
        --------
        >>> df = spark.createDataFrame([(1,), (None,)], "a int")
        >>> df.select(df.a.eqNullSafe(None).alias("none")).collect()
        [Row(none=False), Row(none=True)]
        """
        return _operator("<=>", self, other)

    def bitwiseOR(self, other) -> Column:
        """Bitwise or."""
        return _operator("|", self, other)

    def bitwiseAND(self, other) -> Column:
        """Bitwise and."""
        return _operator("&", self, other)

    def bitwiseXOR(self, other) -> Column:
        """Bitwise exclusive or."""
        return _operator("^", self, other)

    # -- parts ------------------------------------------------------------------------------------------------

    def getItem(self, key) -> Column:
        """An element of an array (0-based) or the value of a map's key.

        Examples
        --------
        >>> df = spark.createDataFrame([([1, 2], {"k": "v"})], "l array<int>, m map<string, string>")
        >>> df.select(df.l.getItem(0).alias("a"), df.m.getItem("k").alias("b")).collect()
        [Row(a=1, b='v')]
        """
        return _of(_native.call("getitem", [self._expr, _literal(key)]))

    def getField(self, name) -> Column:
        """A field of a struct."""
        return self.getItem(name)

    def __getitem__(self, k):
        if isinstance(k, slice):
            if k.step is not None:
                raise PySparkValueError(errorClass="SLICE_WITH_STEP", messageParameters={})
            return self.substr(k.start, k.stop)
        return self.getItem(k)

    def __getattr__(self, item):
        if item.startswith("__"):
            raise PySparkAttributeError(errorClass="CANNOT_ACCESS_TO_DUNDER", messageParameters={})
        if item.startswith("_"):
            raise AttributeError(item)
        return self.getItem(item)

    def withField(self, fieldName: str, col: Column) -> Column:
        """The struct with a field added or replaced."""
        if not isinstance(fieldName, str):
            raise _wrong_type("fieldName", "str", fieldName)
        if not isinstance(col, Column):
            raise _wrong_type("col", "Column", col)
        return _of(_native.call("update_fields", [self._expr, _native.literal(fieldName), col._expr]))

    def dropFields(self, *fieldNames: str) -> Column:
        """The struct without these fields."""
        return _of(_native.call("drop_fields", [self._expr, *(_native.literal(name) for name in fieldNames)]))

    def substr(self, startPos, length) -> Column:
        """A part of a text, by 1-based position and length; both int or both Column.

        Examples
        --------
        >>> df = spark.createDataFrame([("Alice",)], "name string")
        >>> df.select(df.name.substr(1, 3).alias("s")).collect()
        [Row(s='Ali')]
        """
        if type(startPos) is not type(length):
            raise PySparkTypeError(
                errorClass="NOT_SAME_TYPE",
                messageParameters={"arg_name1": "startPos", "arg_name2": "length",
                                   "arg_type1": type(startPos).__name__, "arg_type2": type(length).__name__})
        if not isinstance(startPos, (int, Column)):
            raise _wrong_type("startPos", "Column or int", startPos)
        return _of(_native.call("substr", [self._expr, _literal(startPos), _literal(length)]))

    # -- tests ------------------------------------------------------------------------------------------------

    def isNull(self) -> Column:
        """Is it NULL."""
        return _of(_native.call("isnull", [self._expr]))

    def isNotNull(self) -> Column:
        """Is it anything but NULL."""
        return _of(_native.call("isnotnull", [self._expr]))

    def isNaN(self) -> Column:
        """Is it NaN."""
        return _of(_native.call("isNaN", [self._expr]))

    def isin(self, *cols) -> Column:
        """Is it one of these values.

        Examples
        --------
        >>> df = spark.createDataFrame([("a",), ("b",)], "s string")
        >>> df.filter(df.s.isin("b", "c")).collect()
        [Row(s='b')]
        """
        if len(cols) == 1 and isinstance(cols[0], (list, set, tuple)):
            cols = tuple(cols[0])
        return _operator("in", self, *cols)

    def between(self, lowerBound, upperBound) -> Column:
        """Is it between the bounds, both included."""
        return (self >= lowerBound) & (self <= upperBound)

    def like(self, other) -> Column:
        """SQL LIKE: ``%`` is any text, ``_`` any character."""
        return _operator("like", self, other)

    def ilike(self, other) -> Column:
        """LIKE without regard to case."""
        return _operator("ilike", self, other)

    def rlike(self, other) -> Column:
        """Does the regular expression match somewhere."""
        return _operator("rlike", self, other)

    def contains(self, other) -> Column:
        """Does the text contain this one."""
        return _of(_native.call("contains", [self._expr, _literal(other)]))

    def startswith(self, other) -> Column:
        """Does the text begin so."""
        return _of(_native.call("startsWith", [self._expr, _literal(other)]))

    def endswith(self, other) -> Column:
        """Does the text end so."""
        return _of(_native.call("endsWith", [self._expr, _literal(other)]))

    # -- order ------------------------------------------------------------------------------------------------

    def asc(self) -> Column:
        """Ascending, NULL first."""
        return _of(_native.sort(self._expr, False, True))

    def asc_nulls_first(self) -> Column:
        """Ascending, NULL first."""
        return _of(_native.sort(self._expr, False, True))

    def asc_nulls_last(self) -> Column:
        """Ascending, NULL last."""
        return _of(_native.sort(self._expr, False, False))

    def desc(self) -> Column:
        """Descending, NULL last."""
        return _of(_native.sort(self._expr, True, False))

    def desc_nulls_first(self) -> Column:
        """Descending, NULL first."""
        return _of(_native.sort(self._expr, True, True))

    def desc_nulls_last(self) -> Column:
        """Descending, NULL last."""
        return _of(_native.sort(self._expr, True, False))

    # -- the rest ---------------------------------------------------------------------------------------------

    def alias(self, *alias: str, metadata: dict | None = None) -> Column:
        """The same under another name; several names are for generators.

        Examples
        --------
        >>> spark.range(1).select((F.col("id") + 1).alias("next")).collect()
        [Row(next=1)]
        """
        if metadata is not None and len(alias) != 1:
            raise PySparkValueError(
                errorClass="ONLY_ALLOWED_FOR_SINGLE_COLUMN", messageParameters={"arg_name": "metadata"})
        if metadata is None:
            return _of(_native.alias(self._expr, alias))
        import json
        return _of(_native.alias(self._expr, alias, json.dumps(metadata)))

    name = alias

    def cast(self, dataType) -> Column:
        """The value as another type.

        Examples
        --------
        >>> spark.range(1).select(F.col("id").cast("string")).collect()
        [Row(id='0')]
        """
        if isinstance(dataType, str):
            return _of(_native.cast(self._expr, dataType))
        if isinstance(dataType, DataType):
            return _of(_native.cast(self._expr, dataType.json()))
        raise _wrong_type("dataType", "DataType or str", dataType)

    astype = cast

    def try_cast(self, dataType) -> Column:
        """As `cast`, with NULL where the value does not fit."""
        if isinstance(dataType, (str, DataType)):
            return _of(_native.cast(self._expr, dataType if isinstance(dataType, str) else dataType.json(), True))
        raise _wrong_type("dataType", "DataType or str", dataType)

    def when(self, condition: Column, value) -> Column:
        """One more case of a `functions.when` chain."""
        if not isinstance(condition, Column):
            raise _wrong_type("condition", "Column", condition)
        args = self._cases()
        return _of(_native.call("case", [*args, condition._expr, _literal(value)], operator=True))

    def otherwise(self, value) -> Column:
        """The value of a `functions.when` chain where no case holds."""
        return _of(_native.call("case", [*self._cases(), _literal(value)], operator=True))

    def _cases(self):
        if self._expr.kind != "call" or self._expr.name != "case" or len(self._expr.args) % 2:
            raise IllegalArgumentException(
                "otherwise() and when() can only be applied on a Column previously generated by when(), once")
        return self._expr.args

    def over(self, window) -> Column:
        """The aggregate or ranking function over a window of rows."""
        from pystream.sql.window import WindowSpec
        if not isinstance(window, WindowSpec):
            raise _wrong_type("window", "WindowSpec", window)
        raise _not_implemented("Column.over")

    def transform(self, f) -> Column:
        """What the Python function makes of this Column."""
        result = f(self)
        if not isinstance(result, Column):
            raise PySparkTypeError(
                errorClass="HIGHER_ORDER_FUNCTION_SHOULD_RETURN_COLUMN",
                messageParameters={"func_name": getattr(f, "__name__", "f"), "return_type": type(result).__name__})
        return result

    def outer(self) -> Column:
        """A column of the outer query, in a subquery."""
        raise _not_implemented("Column.outer")

    def __repr__(self):
        return f"Column<'{self._expr.text()}'>"
