"""Missing values of a DataFrame: rows without them, and values in their place."""
from __future__ import annotations

from typing import TYPE_CHECKING

from pystream import _native
from pystream.errors import PySparkTypeError, PySparkValueError, _wrong_type
from pystream.sql.column import Column, _literal, _of

if TYPE_CHECKING:
    from pystream.sql.dataframe import DataFrame

_KINDS = {"tinyint": "number", "smallint": "number", "int": "number", "bigint": "number", "float": "float",
          "double": "float", "decimal": "number", "string": "text", "boolean": "bool"}


class _MissingValues:
    """The part of DataFrame that deals with NULL and NaN, and exchanges values."""

    def _kind(self, simple: str) -> str:
        return _KINDS.get(simple.split("(")[0], "other")

    def _is_missing(self, index: int, simple: str) -> Column:
        column = self[index]
        return column.isNull() | column.isNaN() if self._kind(simple) == "float" else column.isNull()

    def dropna(self, how: str = "any", thresh: int | None = None, subset=None) -> DataFrame:
        """Without the rows that have NULL or NaN.

        Examples
        --------
        >>> spark.createDataFrame([(1, None), (2, "x")], "a int, b string").dropna().collect()
        [Row(a=2, b='x')]
        """
        if how not in ("any", "all"):
            raise PySparkValueError(
                errorClass="VALUE_NOT_ALLOWED",
                messageParameters={"arg_name": "how", "allowed_values": "['any', 'all']"})
        chosen = self._chosen(subset)
        least = thresh if thresh is not None else len(chosen) if how == "any" else 1
        count = _of(_native.literal(0))
        for index, simple in chosen:
            present = ~self._is_missing(index, simple)
            count = count + present.cast("int")
        return self.filter(count >= least)

    def _chosen(self, subset):
        """[(position, type)] of the columns that `subset` names, by default of all."""
        columns = self._plan.columns()
        if subset is None:
            return [(index, simple) for index, (_, simple, _) in enumerate(columns)]
        if isinstance(subset, str):
            subset = [subset]
        elif not isinstance(subset, (list, tuple)):
            raise _wrong_type("subset", "list, str or tuple", subset)
        found = []
        for name in subset:
            matches = [(index, simple) for index, (own, simple, _) in enumerate(columns) if own.lower() == name.lower()]
            if not matches:
                self[name]
            found += matches
        return found

    def fillna(self, value, subset=None) -> DataFrame:
        """With a value for NULL (and NaN), in the columns of its kind.

        Examples
        --------
        >>> spark.createDataFrame([(None, None)], "a int, b string").fillna({"a": 0, "b": "?"}).collect()
        [Row(a=0, b='?')]
        """
        if not isinstance(value, (float, int, str, bool, dict)):
            raise _wrong_type("value", "bool, dict, float, int or str", value)
        if isinstance(value, dict):
            given = {index: item for name, item in value.items() for index, _ in self._chosen([name])}
        else:
            kinds = ("bool",) if isinstance(value, bool) else ("text",) if isinstance(value, str) else ("number", "float")
            if isinstance(value, int) and not isinstance(value, bool):
                value = float(value)
            given = {index: value for index, simple in self._chosen(subset) if self._kind(simple) in kinds}
        columns = []
        for index, (name, simple, _) in enumerate(self._plan.columns()):
            column = self[index]
            if index in given:
                filler = _of(_literal(given[index])).cast(simple)
                if self._kind(simple) == "float":
                    column = _of(_native.call("nanvl", [column._expr, _native.cast(_native.literal(None), simple)]))
                column = _of(_native.call("coalesce", [column._expr, filler._expr])).alias(name)
            columns.append(column)
        return self.select(*columns)

    def replace(self, to_replace, value=..., subset=None) -> DataFrame:
        """With values exchanged for others."""
        pairs = _replacements(to_replace, value)
        kinds = {bool: ("bool",), str: ("text",)}.get(next((type(old) for old, _ in pairs if old is not None), None),
                                                     ("number", "float"))
        chosen = {index for index, simple in self._chosen(subset) if self._kind(simple) in kinds}
        columns = []
        for index, (name, simple, _) in enumerate(self._plan.columns()):
            column = self[index]
            if index in chosen:
                cases = []
                for old, new in pairs:
                    if old != old and self._kind(simple) == "number":
                        continue
                    cases += [(column == _of(_native.cast(_literal(old), simple)))._expr,
                              _native.cast(_literal(new), simple)]
                if cases:
                    column = _of(_native.call("case", [*cases, column._expr], operator=True)).alias(name)
            columns.append(column)
        return self.select(*columns)

    @property
    def na(self) -> DataFrameNaFunctions:
        """Methods for missing values."""
        return DataFrameNaFunctions(self)


class DataFrameNaFunctions:
    """Methods for missing values; `DataFrame.na`."""

    def __init__(self, df: DataFrame):
        self._df = df

    def drop(self, how: str = "any", thresh: int | None = None, subset=None) -> DataFrame:
        """As `DataFrame.dropna`."""
        return self._df.dropna(how, thresh, subset)

    def fill(self, value, subset=None) -> DataFrame:
        """As `DataFrame.fillna`."""
        return self._df.fillna(value, subset)

    def replace(self, to_replace, value=..., subset=None) -> DataFrame:
        """As `DataFrame.replace`."""
        return self._df.replace(to_replace, value, subset)


def _replacements(to_replace, value):
    """[(old, new)] of the arguments of replace."""
    from collections.abc import Iterable
    if value is ...:
        if not isinstance(to_replace, dict):
            raise PySparkTypeError(
                errorClass="ARGUMENT_REQUIRED",
                messageParameters={"arg_name": "value", "condition": "`to_replace` is dict"})
        value = None
    if not isinstance(to_replace, (bool, float, int, str, list, tuple, dict)):
        raise _wrong_type("to_replace", "bool, dict, float, int, str or tuple", to_replace)
    if isinstance(to_replace, dict):
        pairs = list(to_replace.items())
    elif isinstance(to_replace, (list, tuple)):
        values = list(value) if isinstance(value, Iterable) and not isinstance(value, str) else [value] * len(to_replace)
        if len(values) != len(to_replace):
            raise PySparkValueError(
                errorClass="LENGTH_SHOULD_BE_THE_SAME",
                messageParameters={"arg1": "to_replace", "arg2": "value", "arg1_length": str(len(to_replace)),
                                   "arg2_length": str(len(values))})
        pairs = list(zip(to_replace, values))
    else:
        pairs = [(to_replace, value)]
    given = [item for pair in pairs for item in pair if item is not None]
    kinds = [lambda x: isinstance(x, bool), lambda x: isinstance(x, str),
             lambda x: isinstance(x, (int, float)) and not isinstance(x, bool)]
    if not any(all(kind(item) for item in given) for kind in kinds):
        raise PySparkValueError(errorClass="MIXED_TYPE_REPLACEMENT", messageParameters={})
    return pairs
