"""RuntimeConfig: the configuration of a session."""
from __future__ import annotations

from pystream import _native
from pystream.errors import SparkNoSuchElementException, _wrong_type

__all__ = ["RuntimeConfig"]

_NO_DEFAULT = object()


class RuntimeConfig:
    """Text values by name; `spark.conf`.

    Examples
    --------
    >>> spark.conf.set("spark.sql.shuffle.partitions", 2)
    >>> spark.conf.get("spark.sql.shuffle.partitions")
    '2'
    >>> spark.conf.get("no.such.key", "default")
    'default'
    """

    def __init__(self, session):
        self._session = session

    def set(self, key: str, value) -> None:
        """Set a value: text, a number or a bool."""
        if isinstance(value, bool):
            value = "true" if value else "false"
        elif isinstance(value, int):
            value = str(value)
        elif not isinstance(value, str):
            raise _wrong_type("value", "bool, int or str", value)
        self._session.conf_set(key, value)

    def get(self, key: str, default=_NO_DEFAULT) -> str | None:
        """The value that was set, else `default`, else the key's own default."""
        if not isinstance(key, str):
            raise _wrong_type("key", "str", key)
        if default is not _NO_DEFAULT and default is not None and not isinstance(default, str):
            raise _wrong_type("default", "str", default)
        value = self._session.conf_all().get(key) if default is not _NO_DEFAULT else self._session.conf_get(key)
        if value is not None:
            return value
        if default is _NO_DEFAULT:
            raise SparkNoSuchElementException._of_engine(
                f'[SQL_CONF_NOT_FOUND] The SQL config "{key}" cannot be found. Please verify that the config exists. '
                'SQLSTATE: 42K0I', "SQL_CONF_NOT_FOUND", "42K0I", {"sqlConf": f'"{key}"'})
        return default

    @property
    def getAll(self) -> dict[str, str]:
        """All values that were set."""
        return self._session.conf_all()

    def unset(self, key: str) -> None:
        """Forget a value."""
        self._session.conf_set(key, None)

    def isModifiable(self, key: str) -> bool:
        """May the key be set while the session lives."""
        if not isinstance(key, str):
            raise _wrong_type("key", "str", key)
        return any(row[0] == key and row[2] != "static" for row in _native.confs())
