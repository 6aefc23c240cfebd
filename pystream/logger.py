"""PySparkLogger: a logger of the standard library whose calls take context as keywords."""
from __future__ import annotations

import logging

__all__ = ["PySparkLogger"]


class PySparkLogger(logging.LoggerAdapter):
    """A logger whose keyword arguments are added to the message."""

    @classmethod
    def getLogger(cls, name: str | None = None) -> PySparkLogger:
        """The logger of that name."""
        return cls(logging.getLogger(name or "PySparkLogger"), {})

    def process(self, msg, kwargs):
        own = {key: kwargs.pop(key) for key in ("exc_info", "stack_info", "stacklevel", "extra") if key in kwargs}
        return (f"{msg} {kwargs}" if kwargs else msg), own
