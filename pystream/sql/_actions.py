"""Actions of a DataFrame: what computes its rows, and what prints them."""
from __future__ import annotations

from typing import TYPE_CHECKING

from pystream import _native
from pystream.errors import PySparkValueError, _wrong_type
from pystream.sql.column import _of

if TYPE_CHECKING:
    from pystream.sql.types import Row


class _Actions:
    """The part of DataFrame that runs it."""

    def collect(self) -> list[Row]:
        """All rows.

        Examples
        --------
        >>> spark.range(2).collect()
        [Row(id=0), Row(id=1)]
        """
        return self._session._engine.collect(self._plan)

    def count(self) -> int:
        """The number of rows."""
        return self.groupBy().count().collect()[0][0]

    def head(self, n: int | None = None):
        """The first row or None; with `n` a list of the first rows."""
        if n is None:
            rows = self.head(1)
            return rows[0] if rows else None
        return self.take(n)

    def first(self):
        """The first row, or None."""
        return self.head()

    def take(self, num: int) -> list:
        """The first rows."""
        return self.limit(num).collect()

    def tail(self, num: int) -> list:
        """The last rows."""
        rows = self.collect()
        return rows[max(0, len(rows) - num):] if num > 0 else []

    def isEmpty(self) -> bool:
        """Are there no rows."""
        return not self.limit(1).collect()

    def toLocalIterator(self, prefetchPartitions: bool = False):
        """The rows one after another."""
        return iter(self.collect())

    def foreach(self, f) -> None:
        """Call a function with every row."""
        for row in self.collect():
            f(row)

    def foreachPartition(self, f) -> None:
        """Call a function with an iterator of the rows."""
        f(iter(self.collect()))

    def show(self, n: int = 20, truncate: bool | int = True, vertical: bool = False) -> None:
        """Print the first rows as a table.

        Parameters
        ----------
        n : int, default 20
        truncate : bool or int, default True
            Cut cells to 20 characters, to so many, or not at all.
        vertical : bool, default False
            A line per value.

        Examples
        --------
        >>> spark.range(2).show()
        +---+
        | id|
        +---+
        |  0|
        |  1|
        +---+
        <BLANKLINE>
        """
        print(self._show_text(n, truncate, vertical))

    def _show_text(self, n, truncate, vertical) -> str:
        if not isinstance(n, int) or isinstance(n, bool):
            raise _wrong_type("n", "int", n)
        if not isinstance(vertical, bool):
            raise _wrong_type("vertical", "bool", vertical)
        if isinstance(truncate, bool):
            width = 20 if truncate else 0
        else:
            try:
                width = int(truncate)
            except ValueError:
                raise _wrong_type("truncate", "bool, float, int or str", truncate) from None
        return self._session._engine.show(self._plan, n, width, vertical)

    def toPandas(self):
        """The rows as a pandas.DataFrame; TIMESTAMP columns are naive, in the session's time zone.

        Needs pandas (the extra ``pandas``), and is faster with pyarrow.

        Examples
        --------
        >>> spark.range(2).toPandas()  # doctest: +SKIP
           id
        0   0
        1   1
        """
        from pystream.sql import _frames
        return _frames.to_pandas(self)

    def toArrow(self):
        """The rows as a pyarrow.Table; needs pyarrow (the extra ``arrow``).

        Examples
        --------
        >>> spark.range(2).toArrow().num_rows  # doctest: +SKIP
        2
        """
        from pystream.sql import _frames
        self._plan.check_batch()
        return _frames.to_arrow(self)

    def __arrow_c_stream__(self, requested_schema=None):
        """The rows as an Arrow stream: what pyarrow, polars or duckdb read without a copy by Python.

        Examples
        --------
        >>> type(spark.range(2).__arrow_c_stream__()).__name__
        'PyCapsule'
        """
        return _native.arrow_out(self._session._engine, self._plan)

    def toJSON(self, use_unicode: bool = True):
        """The rows as JSON texts; the result has collect, first and take."""
        columns = [_native.attr(attr, name) for name, _, attr in self._plan.columns()]
        text = _of(_native.call("to_json", [_native.call("struct", columns)])).alias("value")
        return _Texts(self.select(text))

    def explain(self, extended=None, mode: str | None = None) -> None:
        """Print the plan; modes are simple, extended, codegen, cost and formatted."""
        if extended is not None and mode is not None:
            raise PySparkValueError(
                errorClass="CANNOT_SET_TOGETHER", messageParameters={"arg_list": "extended and mode"})
        if extended is not None and not isinstance(extended, (bool, str)):
            raise _wrong_type("extended", "bool or str", extended)
        if mode is not None and not isinstance(mode, str):
            raise _wrong_type("mode", "str", mode)
        if isinstance(extended, str):
            mode = extended
        print(self._plan.explain(mode or ("extended" if extended else "simple")))

    # -- text forms ----------------------------------------------------------------------------------------------------------

    def _eager(self) -> bool:
        return not self.isStreaming and self._session.conf.get("spark.sql.repl.eagerEval.enabled", "false") == "true"

    def __repr__(self):
        if self._eager():
            conf = self._session.conf
            return self._show_text(int(conf.get("spark.sql.repl.eagerEval.maxNumRows", "20")),
                                   int(conf.get("spark.sql.repl.eagerEval.truncate", "20")), False)
        return f"DataFrame[{', '.join(f'{name}: {simple}' for name, simple in self.dtypes)}]"

    def _repr_html_(self):
        if not self._eager():
            return None
        from html import escape
        conf = self._session.conf
        n = int(conf.get("spark.sql.repl.eagerEval.maxNumRows", "20"))
        width = int(conf.get("spark.sql.repl.eagerEval.truncate", "20"))
        rows = self.select(*[self[index].cast("string") for index in range(len(self.columns))]).take(n + 1)

        def cell(value):
            text = "NULL" if value is None else value
            if width and len(text) > width:
                text = text[:width] if width < 4 else text[:width - 3] + "..."
            return escape(text)
        lines = ["<table border='1'>", f"<tr>{''.join(f'<th>{escape(name)}</th>' for name in self.columns)}</tr>"]
        lines += [f"<tr>{''.join(f'<td>{cell(value)}</td>' for value in row)}</tr>" for row in rows[:n]]
        lines.append("</table>")
        if len(rows) > n:
            lines.append(f"only showing top {n} row{'' if n == 1 else 's'}")
        return "\n".join(lines) + "\n"


class _Texts:
    """What `DataFrame.toJSON` gives."""

    def __init__(self, df):
        self._df = df

    def collect(self) -> list[str]:
        """All texts."""
        return [row[0] for row in self._df.collect()]

    def first(self) -> str:
        """The first text."""
        return self._df.first()[0]

    def take(self, num: int) -> list[str]:
        """The first texts."""
        return [row[0] for row in self._df.take(num)]
