"""The exceptions: pyspark's classes, raised by the engine and by argument checks.

Every class has `getCondition()` (the stable name of the error, for example ``"UNRESOLVED_COLUMN.WITH_SUGGESTION"``),
`getSqlState()`, `getMessageParameters()` and `getMessage()`.
"""
from __future__ import annotations

import enum
import re

from pystream._conditions import CONDITIONS


class QueryContextType(enum.Enum):
    """Where a `QueryContext` comes from."""

    SQL = 0
    DataFrame = 1


class QueryContext:
    """The piece of a query that an error is about."""


class PySparkException(Exception):
    """The root of all errors of this package.

    Parameters
    ----------
    message : str, optional
        The text; made from `errorClass` and `messageParameters` when absent.
    errorClass : str, optional
        The error condition.
    messageParameters : dict of str to str, optional
        What the text's places stand for.
    contexts : list of QueryContext, optional

    Examples
    --------
    >>> error = PySparkException(errorClass="CANNOT_BE_NONE", messageParameters={"arg_name": "x"})
    >>> str(error)
    '[CANNOT_BE_NONE] Argument `x` cannot be None.'
    >>> error.getCondition()
    'CANNOT_BE_NONE'
    """

    _from_engine = False

    def __init__(self, message=None, errorClass=None, messageParameters=None, contexts=None):
        self._condition = errorClass
        self._sqlstate = None
        self._parameters = dict(messageParameters or {})
        self._contexts = list(contexts or [])
        if message is None:
            text = CONDITIONS.get(errorClass, "")
            message = re.sub(r"<(\w+)>", lambda found: str(self._parameters.get(found[1], found[0])), text)
        self._message = message
        super().__init__(message)

    @classmethod
    def _of_engine(cls, message, condition, sqlstate, parameters=None):
        error = cls(message, messageParameters=parameters)
        error._condition, error._sqlstate, error._from_engine = condition, sqlstate, True
        return error

    def getCondition(self) -> str | None:
        """The error condition, or None when it has none."""
        return self._condition

    def getErrorClass(self) -> str | None:
        """The old name of `getCondition`."""
        return self._condition

    def getMessageParameters(self) -> dict[str, str] | None:
        """What was filled into the text; empty when the places of the text have no names."""
        if not self._parameters and self._from_engine:
            self._parameters = _parameters_of(self._condition, self._message)
        return self._parameters

    def getSqlState(self) -> str | None:
        """The SQLSTATE, or None."""
        return self._sqlstate

    def getMessage(self) -> str:
        """The whole text, with its condition."""
        return str(self)

    def getQueryContext(self) -> list[QueryContext]:
        """The pieces of the query that the error is about."""
        return self._contexts

    def getBreakingChangeInfo(self):
        """None: no error of this engine announces a change of behaviour."""
        return None

    def __str__(self):
        if self._condition and self._condition in CONDITIONS and not self._message.startswith("["):
            return f"[{self._condition}] {self._message}"
        return self._message


class AnalysisException(PySparkException):
    """A query that has no meaning: unknown names, wrong types, what streaming does not allow."""


class SessionNotSameException(PySparkException):
    """Objects of different sessions were mixed."""


class TempTableAlreadyExistsException(AnalysisException):
    """A temporary view of that name exists."""


class ParseException(AnalysisException):
    """SQL text that cannot be read."""


class IllegalArgumentException(PySparkException):
    """An argument, option or conf with a value that is not allowed."""


class NumberFormatException(IllegalArgumentException):
    """Text that is no number where one is needed."""


class ArithmeticException(PySparkException):
    """Overflow, division by zero and the like."""


class UnsupportedOperationException(PySparkException):
    """Something that this engine, or streaming, does not do."""


class ArrayIndexOutOfBoundsException(PySparkException):
    """An array has no such element."""


class DateTimeException(PySparkException):
    """A date or time that does not exist or cannot be read."""


class StreamingQueryException(PySparkException):
    """A streaming query ended with an error; `__cause__` is the user's exception when there was one."""


class QueryExecutionException(PySparkException):
    """A query failed while it ran."""


class SparkException(PySparkException):
    """Anything that has no class of its own."""


class SparkRuntimeException(PySparkException):
    """An error in the evaluation of an expression."""


class SparkUpgradeException(PySparkException):
    """A result that depends on the version."""


class SparkNoSuchElementException(PySparkException):
    """Nothing is known under that name."""


class SparkClassNotFoundException(PySparkException):
    """No data source is known under that name."""


class SparkIllegalStateException(PySparkException):
    """A call at the wrong time."""


class SparkFileNotFoundException(PySparkException):
    """A file that was there is gone."""


class SparkFileAlreadyExistsException(PySparkException):
    """A file that must not be there exists."""


class SparkSecurityException(PySparkException):
    """A connection was refused."""


class PythonException(PySparkException):
    """A function of the user failed."""


class UnknownException(PySparkException):
    """None of the others."""


class RetriesExceeded(PySparkException):
    """It did not work however often it was tried."""


class PickleException(PySparkException):
    """A value could not be pickled."""


class StreamingPythonRunnerInitializationException(PySparkException):
    """The user's function could not be set up."""


class TimeoutException(PySparkException):
    """Something did not end in time."""


class PySparkValueError(PySparkException, ValueError):
    """A ValueError with a condition."""


class PySparkTypeError(PySparkException, TypeError):
    """A TypeError with a condition."""


class PySparkIndexError(PySparkException, IndexError):
    """An IndexError with a condition."""


class PySparkAttributeError(PySparkException, AttributeError):
    """An AttributeError with a condition."""


class PySparkRuntimeError(PySparkException, RuntimeError):
    """A RuntimeError with a condition."""


class PySparkAssertionError(PySparkException, AssertionError):
    """An AssertionError with a condition."""

    def __init__(self, message=None, errorClass=None, messageParameters=None, data=None, contexts=None):
        super().__init__(message, errorClass, messageParameters, contexts)
        self.data = data


class PySparkNotImplementedError(PySparkException, NotImplementedError):
    """A NotImplementedError with a condition."""


class PySparkPicklingError(PySparkException):
    """A PicklingError with a condition."""


class PySparkKeyError(PySparkException, KeyError):
    """A KeyError with a condition."""


class PySparkImportError(PySparkException, ImportError):
    """An ImportError with a condition."""


_CONVERSION = re.compile(r"%[-+ #0]*(?:\*|\d+)?(?:\.(?:\*|\d+))?(?:hh|h|ll|l|z|j)?[diouxXscfgeE]")


def _parameters_of(condition, message: str) -> dict[str, str]:
    """The values in a message of the engine, found by the text of its row."""
    from pystream._native import errors
    from pystream._places import PLACES
    for row, known, _, _, text in errors():
        if known != condition or row not in PLACES or not condition:
            continue
        pattern = "(.*?)".join(re.escape(part.replace("%%", "%")) for part in _CONVERSION.split(text))
        found = re.fullmatch(rf"\[{re.escape(known)}\] {pattern}(?: SQLSTATE: \w+)?(?: \(line.*|\n.*|;.*)?", message, re.S)
        if found:
            values = iter(found.groups())
            forms = (item.partition("=") for item in PLACES[row])
            return {name: re.sub("%s", lambda _: next(values), form) for name, _, form in forms}
    return {}


def _wrong_type(name: str, expected: str, value) -> PySparkTypeError:
    """The error about an argument of the wrong kind."""
    return PySparkTypeError(
        errorClass="NOT_EXPECTED_TYPE",
        messageParameters={"arg_name": name, "expected_type": expected, "arg_type": type(value).__name__})


def _not_implemented(feature: str) -> PySparkNotImplementedError:
    """The error about something that is not built."""
    return PySparkNotImplementedError(errorClass="NOT_IMPLEMENTED", messageParameters={"feature": feature})


def _require(module: str, extra: str, minimum: str):
    """An optional package, or the error that names the extra which brings it."""
    try:
        return __import__(module, fromlist=["_"])
    except ImportError as problem:
        raise PySparkImportError(
            errorClass="PACKAGE_NOT_INSTALLED",
            messageParameters={"package_name": module, "minimum_version": minimum, "extra": extra}) from problem


__all__ = [name for name, value in list(globals().items())
           if not name.startswith("_") and isinstance(value, type) and value.__module__ == __name__]
