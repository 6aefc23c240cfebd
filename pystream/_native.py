"""The one module that imports the extension: its functions, made known to each other with Python's side."""
from __future__ import annotations

import os

from pystream import _engine
from pystream._engine import (  # noqa: F401
    Expr, Feed, Plan, Query, Session, alias, arrow_in, arrow_out, arrow_schema, attr, call, cast, check_interval, confs, errors, failpoint,
    failpoint_clear, functions, lambda_, literal, mem_fail_at, mem_used, name, parse_expr, register, run_mode, session, sort, start, type_text, whole_name)

os.register_at_fork(after_in_child=_engine.forked)
