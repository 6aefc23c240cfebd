"""StreamingQuery and StreamingQueryManager: queries that run, and all of a session's."""
from __future__ import annotations

import collections
import atexit
import json
import logging
import queue
import sys
import threading
import traceback
import weakref

from pystream import _native
from pystream.errors import (
    IllegalArgumentException, PySparkException, PySparkValueError, SparkIllegalStateException, StreamingQueryException, TimeoutException,
    _wrong_type)
from pystream.sql.streaming.listener import StreamingQueryListener, StreamingQueryProgress, _event

__all__ = ["StreamingQuery", "StreamingQueryManager"]

_log = logging.getLogger("pystream")
_running: weakref.WeakSet = weakref.WeakSet()


def _milliseconds(timeout) -> int:
    if timeout is None:
        return -1
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or timeout <= 0:
        raise PySparkValueError(
            errorClass="VALUE_NOT_POSITIVE", messageParameters={"arg_name": "timeout", "arg_value": str(timeout)})
    return int(timeout * 1000)


def _users_traceback(error) -> str:
    """The traceback text of an exception, without our own frame at its beginning."""
    trace = error.__traceback__
    return "".join(traceback.format_exception(type(error), error, trace and (trace.tb_next or trace)))


@atexit.register
def _stop_all() -> None:
    """Leaving the interpreter stops all queries."""
    queries = list(_running)
    for query in queries:
        try:
            query._handle.stop()
        except RuntimeError:  # inherited through fork()
            pass
    for query in queries:
        query._thread.join(10)


class _Host:
    """What the engine calls while a query runs."""

    def __init__(self, manager, session, function, names):
        self.manager = manager
        self.session = session
        self.function = function
        self.names = names
        self.started = threading.Event()
        self.clone = None
        self.process = True
        self.error = None

    def print(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()

    def describe(self, error) -> str:
        """The traceback of the user's function, its end when it is too long."""
        text = _users_traceback(error)
        return text if len(text) < 7000 else "..." + text[-7000:]

    # foreachBatch

    def batch(self, engine_session, plan, batch_id: int) -> None:
        from pystream.sql.dataframe import DataFrame
        from pystream.sql.session import SparkSession
        if self.clone is None:
            self.clone = SparkSession(engine_session, self.session)
        self.function(DataFrame(plan, self.clone), batch_id)

    # foreach

    def open(self, batch_id: int) -> None:
        self.process, self.error = True, None
        if not callable(self.function) and hasattr(self.function, "open"):
            self.process = bool(self.function.open(0, batch_id))

    def rows(self, rows: list) -> None:
        if not self.process:
            return
        call = self.function if callable(self.function) else self.function.process
        try:
            for row in rows:
                call(row)
        except Exception as error:
            self.error = error
            raise

    def close(self, failed: bool) -> None:
        if not callable(self.function) and hasattr(self.function, "close"):
            self.function.close(self.error)

    # events

    def event(self, kind: str, text: str) -> None:
        if kind == "started":
            self.manager._begun(json.loads(text))
            self.started.set()
        else:
            self.manager._post(kind, text)


def _start(writer, options) -> StreamingQuery:
    """Start the query that a DataStreamWriter describes."""
    df = writer._df
    session = df.sparkSession
    manager = session.streams
    format = writer._format or session.conf.get("spark.sql.sources.default", "parquet")
    host = _Host(manager, session, writer._function, df.columns)
    trigger, interval = writer._trigger
    handle = _native.start(session._engine, df._plan, format, writer._name, writer._mode, options, writer._partition_by,
                           trigger, interval, host)
    query = StreamingQuery(handle, session)
    manager._queries[query.runId] = manager._known[query.runId] = query
    _running.add(query)
    query._thread.start()
    while not host.started.wait(0.05) and query._thread.is_alive():
        pass
    return query


class StreamingQuery:
    """A query that runs in the background, from `DataStreamWriter.start` until `stop` or a failure.

    Examples
    --------
    >>> stream = spark.readStream.format("rate").load()
    >>> query = stream.writeStream.format("memory").queryName("numbers").start()
    >>> query.isActive, query.name
    (True, 'numbers')
    >>> query.stop()
    >>> query.isActive
    False
    """

    def __init__(self, handle, session):
        self._handle = handle
        self._session = session
        pretty = f"[id = {handle.id}, runId = {handle.run_id}]"
        pretty = f"{handle.name} {pretty}" if handle.name else pretty
        self._pretty = pretty
        self._thread = threading.Thread(target=handle.run, name=f"stream execution thread for {pretty}", daemon=True)

    @property
    def id(self) -> str:
        """Names the query over restarts."""
        return self._handle.id

    @property
    def runId(self) -> str:
        """Names this run."""
        return self._handle.run_id

    @property
    def name(self) -> str | None:
        """The name it was given."""
        return self._handle.name

    @property
    def isActive(self) -> bool:
        """Has it not ended."""
        return self._handle.is_active

    @property
    def status(self) -> dict:
        """What it does now: message, isDataAvailable, isTriggerActive."""
        return json.loads(self._handle.status())

    @property
    def recentProgress(self) -> list[StreamingQueryProgress]:
        """The newest reports, oldest first."""
        return [StreamingQueryProgress.fromJson(item) for item in json.loads(self._handle.progress(True))]

    @property
    def lastProgress(self) -> StreamingQueryProgress | None:
        """The newest report."""
        found = json.loads(self._handle.progress(False))
        return StreamingQueryProgress.fromJson(found[-1]) if found else None

    def _check_thread(self) -> None:
        if self._handle.is_own_thread:
            raise SparkIllegalStateException(
                "Cannot wait for a query state from the same thread that is running the query")

    def awaitTermination(self, timeout: float | None = None) -> bool | None:
        """Wait until the query has ended; with a timeout in seconds, tell whether it has.

        A failure of the query is raised. Ctrl-C ends the wait, not the query.
        """
        ms = _milliseconds(timeout)
        self._check_thread()
        ended = self._handle.wait(ms)
        if ended:
            self._raise_failure()
        return None if timeout is None else ended

    def processAllAvailable(self) -> None:
        """Wait until all data that is there has been worked on."""
        self._check_thread()
        if not self._handle.process_all():
            self._handle.wait(-1)
            self._raise_failure()

    def stop(self) -> None:
        """End the query; a batch in flight is abandoned.

        Inside a callback of the query this marks it and returns.
        """
        self._handle.stop()
        if self._handle.is_own_thread:
            return
        limit = self._session._timeout("spark.sql.streaming.stopTimeout")
        if not self._handle.wait(limit or -1):
            raise TimeoutException(
                f"Stream Execution thread for stream {self._pretty} failed to stop within {limit} milliseconds "
                "(specified by spark.sql.streaming.stopTimeout). See the cause on what was being executed in the "
                "streaming query thread.")
        self._thread.join()

    def _failure(self):
        """(message, condition, sqlstate, class, block, exception of the user) or None."""
        return self._handle.failure()

    def _raise_failure(self) -> None:
        failure = self._failure()
        if failure is None:
            return
        message, _, _, _, block, error = failure
        text = (f"[STREAM_FAILED] Query [id = {self.id}, runId = {self.runId}] terminated with exception: {message} "
                f"SQLSTATE: XXKST\n{block}")
        raised = StreamingQueryException._of_engine(text, "STREAM_FAILED", "XXKST")
        raised._parameters = {"id": self.id, "runId": self.runId, "message": message}
        raise raised from error

    def exception(self) -> StreamingQueryException | None:
        """Why the query failed, or None."""
        failure = self._failure()
        if failure is None:
            return None
        message, _, _, _, block, error = failure
        if error is not None:
            message = _users_traceback(error).rstrip()
        found = StreamingQueryException._of_engine(f"{message}\n\n{block}", None, None)
        found.__cause__ = error
        return found

    def explain(self, extended: bool = False) -> None:
        """Print the plan of the last batch."""
        print(self._handle.explain(bool(extended)))

    def explainProgress(self) -> str:
        """What is held back, by which watermark, and what would release it. (Not in Spark.)"""
        return self._handle.explain_progress()


class StreamingQueryManager:
    """The queries of a session; `spark.streams`.

    Examples
    --------
    >>> spark.streams.active
    []
    """

    def __init__(self, session):
        self._session = session
        self._queries: dict = {}
        self._known = weakref.WeakValueDictionary()
        self._failed = collections.deque(maxlen=16)  # ended ones that nobody else may hold
        self._listeners: list = []
        self._heard: dict = {}
        self._events = queue.SimpleQueue()
        self._dispatcher = None

    @property
    def active(self) -> list[StreamingQuery]:
        """The queries that run."""
        for run, query in list(self._queries.items()):
            if not query.isActive:
                self._queries.pop(run, None)
                if query._failure() is not None:
                    self._failed.append(query)
        return list(self._queries.values())

    def get(self, id: str) -> StreamingQuery | None:
        """The running query of that id, or None."""
        import uuid
        try:
            wanted = str(uuid.UUID(str(id)))
        except ValueError:
            raise IllegalArgumentException(f"Invalid UUID string: {id}") from None
        return next((query for query in self.active if query.id == wanted), None)

    def awaitAnyTermination(self, timeout: float | None = None) -> bool | None:
        """Wait until some query has ended since the session began or `resetTerminated` was called.

        The failure of one that failed is raised.
        """
        ms = _milliseconds(timeout)
        try:
            ended = self._session._engine.wait_any(ms)
        except PySparkException as problem:
            for query in reversed([*self._failed, *self._known.values()]):
                failure = query._failure()
                if failure is not None and failure[0] == str(problem):
                    query._raise_failure()
            raise
        return None if timeout is None else ended

    def resetTerminated(self) -> None:
        """Forget the queries that have ended."""
        self._failed.clear()
        self._session._engine.reset_terminated()

    def addListener(self, listener: StreamingQueryListener) -> None:
        """From now on tell this listener of the session's queries."""
        if not isinstance(listener, StreamingQueryListener):
            raise _wrong_type("listener", "StreamingQueryListener", listener)
        if not any(known is listener for known in self._listeners):
            self._listeners.append(listener)
            self._session._engine.listen(True)

    def removeListener(self, listener: StreamingQueryListener) -> None:
        """Tell this listener no more."""
        self._listeners = [known for known in self._listeners if known is not listener]
        self._session._engine.listen(bool(self._listeners))

    # -- events: "started" on the query's thread, the others on the dispatcher ------------------------------------

    @staticmethod
    def _tell(listeners, method: str, event) -> None:
        for listener in listeners:
            try:
                getattr(listener, method)(event)
            except Exception:  # a listener's mistake is its own
                _log.exception("a StreamingQueryListener failed")

    def _begun(self, values: dict) -> None:
        listeners = list(self._listeners)
        self._heard[values["runId"]] = listeners
        if listeners:
            self._tell(listeners, "onQueryStarted", _event("started", values))

    def _post(self, kind: str, text: str) -> None:
        if not self._listeners and kind != "terminated":
            return
        if self._dispatcher is None or not self._dispatcher.is_alive():
            if not self._listeners:
                return
            self._dispatcher = threading.Thread(target=self._dispatch, name="streaming listener bus", daemon=True)
            self._dispatcher.start()
        self._events.put((kind, text, list(self._listeners)))

    def _dispatch(self) -> None:
        methods = {"progress": "onQueryProgress", "idle": "onQueryIdle", "terminated": "onQueryTerminated"}
        while True:
            kind, text, listeners = self._events.get()
            values = json.loads(text)
            if values.get("runId") in self._heard:
                self._tell(listeners, methods[kind], _event(kind, values))
            if kind == "terminated":
                self._heard.pop(values["runId"], None)
