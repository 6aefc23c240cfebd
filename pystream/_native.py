"""The one module that imports the extension: its functions, made known to each other with Python's side."""
from __future__ import annotations

import importlib
import logging
import os

from pystream import _engine
from pystream._engine import (  # noqa: F401
    Expr, Feed, Plan, Query, Session, alias, arrow_in, arrow_out, arrow_schema, attr, call, cast, check_interval, confs, errors, failpoint,
    failpoint_clear, functions, lambda_, literal, mem_fail_at, mem_used, name, parse_expr, register, run_mode, session, sort, start, type_text, whole_name)

os.register_at_fork(after_in_child=_engine.forked)


def load_connector(name: str) -> None:
    """Brings the extension module of a source and sink; called by the engine when a program first names them."""
    try:
        importlib.import_module(f"pystream._{name.lower()}")
    except ModuleNotFoundError as error:
        raise ImportError(
            "this build of pystream was made without librdkafka. Install its headers (on Debian: apt-get install "
            "librdkafka-dev), then build pystream again (pip install --force-reinstall --no-cache-dir .)") from error


def log(level: int, name: str, text: str) -> None:
    """A line of the engine's log, for Python's `logging`."""
    logging.getLogger(name).log((logging.ERROR, logging.WARNING, logging.INFO)[level], "%s", text)
