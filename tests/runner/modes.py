"""The worlds a `.stream` file is played in; the file and what it expects are the same in all of them."""
from __future__ import annotations

import contextlib

from pystream import _native

MODES = ("plain", "tiny", "shaped", "restart", "replay", "workers")

#: mode -> (rows of a batch, rows of a slice, shaped, workers); 0: as usual
ENGINE = {"tiny": (2, 2, False, 1), "shaped": (0, 0, True, 1), "workers": (0, 1, False, 4)}


@contextlib.contextmanager
def engine_mode(mode: str, spark):
    """The engine in a run mode for the time of a block."""
    batch_rows, slice_rows, shaped, workers = ENGINE.get(mode, (0, 0, False, 0))
    _native.run_mode(batch_rows, slice_rows, shaped)
    if workers:
        spark.conf.set("pystream.workers", str(workers))
    try:
        yield
    finally:
        _native.run_mode()
        _native.failpoint_clear()
        spark.conf.unset("pystream.workers")
