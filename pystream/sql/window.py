"""Window specifications for functions over neighbouring rows."""
from __future__ import annotations

from pystream.sql.column import _flat

__all__ = ["Window", "WindowSpec"]

_MIN, _MAX = -(1 << 63), (1 << 63) - 1


class WindowSpec:
    """How rows are parted, ordered and framed; made by `Window`."""

    def __init__(self, partition=(), order=(), frame=None):
        self._partition = tuple(partition)
        self._order = tuple(order)
        self._frame = frame

    def partitionBy(self, *cols) -> WindowSpec:
        """The columns that part the rows."""
        return WindowSpec(tuple(_flat(cols)), self._order, self._frame)

    def orderBy(self, *cols) -> WindowSpec:
        """The columns that order the rows of a part."""
        return WindowSpec(self._partition, tuple(_flat(cols)), self._frame)

    def rowsBetween(self, start: int, end: int) -> WindowSpec:
        """The frame, counted in rows from the current one."""
        return WindowSpec(self._partition, self._order, ("rows", _bound(start), _bound(end)))

    def rangeBetween(self, start: int, end: int) -> WindowSpec:
        """The frame, by distance of the ordering value."""
        return WindowSpec(self._partition, self._order, ("range", _bound(start), _bound(end)))


def _bound(value: int) -> int:
    return max(_MIN, min(_MAX, value))


class Window:
    """Where window specifications begin.

    Examples
    --------
    >>> spec = Window.partitionBy("user").orderBy("time")
    >>> type(spec).__name__
    'WindowSpec'
    """

    unboundedPreceding: int = _MIN
    unboundedFollowing: int = _MAX
    currentRow: int = 0

    @staticmethod
    def partitionBy(*cols) -> WindowSpec:
        """The columns that part the rows."""
        return WindowSpec().partitionBy(*cols)

    @staticmethod
    def orderBy(*cols) -> WindowSpec:
        """The columns that order the rows."""
        return WindowSpec().orderBy(*cols)

    @staticmethod
    def rowsBetween(start: int, end: int) -> WindowSpec:
        """The frame, counted in rows."""
        return WindowSpec().rowsBetween(start, end)

    @staticmethod
    def rangeBetween(start: int, end: int) -> WindowSpec:
        """The frame, by distance of the ordering value."""
        return WindowSpec().rangeBetween(start, end)
