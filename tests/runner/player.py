"""Plays the steps of a `.stream` file against pystream and compares what comes out."""
from __future__ import annotations

import datetime as dt
import json
import pathlib
import re
import shutil
import tempfile

import pystream.errors
import pystream.sql
import pystream.sql.functions
import pystream.sql.types
from pystream import _native
from pystream.testing import MemoryStream
from runner.script import Step, cells
from runner.values import EPOCH, from_text, plain, to_text

COUNTERS = {"state": "numRowsTotal", "updated": "numRowsUpdated", "removed": "numRowsRemoved", "dropped": "numRowsDroppedByWatermark"}
#: Dies before the batch is committed, in the mode "replay".
BEFORE_COMMIT = "log.commits_add"


class Mismatch(Exception):
    """What came out is not what the file says."""


class Rewrite:
    """What came out, to be put into the file: line numbers [from, to) -> lines."""

    def __init__(self):
        self.changes: dict[tuple[int, int], list[str]] = {}

    def apply(self, path: pathlib.Path) -> None:
        lines = path.read_text("utf-8").splitlines()
        for (first, last), new in sorted(self.changes.items(), reverse=True):
            lines[first - 1:last - 1] = new
        path.write_text("\n".join(lines) + "\n", "utf-8")


class Player:
    """One run of one file. `close` ends the query and removes the checkpoint."""

    def __init__(self, spark, mode: str = "plain", rewrite: Rewrite | None = None):
        self.spark, self.mode, self.rewrite = spark, mode, rewrite
        self.names = {"F": pystream.sql.functions, "T": pystream.sql.types, "Window": pystream.sql.Window, "spark": spark}
        self.streams: dict[str, MemoryStream] = {}
        self.options: dict[str, str] = {}
        self.confs: dict[str, str | None] = {}
        self.query = self.df = self.checkpoint = None
        self.output_mode = "append"
        self.batches: dict[int, list] = {}
        self.progress = None
        self.error: Step | None = None
        self.pushed = True
        self.held = False
        self.crashed = False

    def play(self, steps: list[Step]) -> None:
        for at, step in enumerate(steps):
            following = next((later.word for later in steps[at + 1:] if later.word != "expect"), None)
            try:
                getattr(self, f"do_{step.word}")(step, following)
            except Mismatch as found:
                raise Mismatch(f"line {step.line}: {found}{self.situation()}") from None
        if self.error is not None:
            raise Mismatch(f"line {self.error.line}: nothing failed after this")

    def close(self) -> None:
        self.stop()
        for key, value in self.confs.items():
            self.spark.conf.unset(key) if value is None else self.spark.conf.set(key, value)
        if self.held:
            self.spark._engine.hold_clock(None)
        if self.checkpoint:
            shutil.rmtree(self.checkpoint, ignore_errors=True)

    # -- what is there -------------------------------------------------------------------------------------------

    def do_stream(self, step, _):
        name, schema = self.declaration(step)
        self.streams[name] = MemoryStream(self.spark, schema)
        self.names[name] = self.streams[name].df

    def do_table(self, step, _):
        name, schema = self.declaration(step)
        self.names[name] = self.spark.createDataFrame(self.rows(step.body, schema), schema)
        self.names[name].createOrReplaceTempView(name)

    def do_option(self, step, _):
        key, _, value = step.rest.partition(" ")
        if key.startswith(("spark.", "pystream.")):
            self.confs.setdefault(key, self.spark.conf.get(key, None))
            self.spark.conf.set(key, value.strip())
        else:
            self.options[key] = value.strip()

    def do_query(self, step, _):
        self.stop()
        if self.checkpoint:
            shutil.rmtree(self.checkpoint, ignore_errors=True)
        self.checkpoint = tempfile.mkdtemp(prefix="stream-")
        self.batches.clear()
        self.progress = None
        self.output_mode = step.rest or "append"
        self.attempt(lambda: (self.define(step), self.start()))

    def do_skip(self, step, _):
        pass

    # -- what happens --------------------------------------------------------------------------------------------

    def do_push(self, step, _):
        stream = self.streams[step.rest]
        stream.add(*self.rows(step.body, stream.df.schema))

    def do_batch(self, step, following):
        def one():
            if not self.step():
                raise Mismatch("no batch ran")
        if not self.attempt(one):
            return
        batch_id = max(self.batches)
        self.compare(step, self.batches[batch_id], ordered="inorder" in step.rest)
        if self.mode == "restart" and following in ("push", "clock"):
            self.restart()

    def do_drain(self, step, _):
        found = []

        def all_of_it():
            while self.step():
                found.extend(self.batches[max(self.batches)])
        if self.attempt(all_of_it):
            self.compare(step, found, ordered="inorder" in step.rest)

    def do_idle(self, step, _):
        if self.step():
            raise Mismatch(f"a batch ran: {self.batches[max(self.batches)]}")

    def do_clock(self, step, _):
        found = re.fullmatch(r"\+(\d+(?:\.\d+)?)(ms|s|m|h)", step.rest)
        if not found:
            raise Mismatch("clock wants +5s, +100ms, +1m or +1h")
        if not self.held:
            raise Mismatch("a file that moves the clock needs `option clock manual` before its query")
        self.clock += int(float(found[1]) * {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}[found[2]])
        self.spark._engine.hold_clock(self.clock)

    def do_restart(self, step, _):
        if step.rest:
            self.stop()
            self.output_mode = step.rest.partition(" ")[2] or self.output_mode
            self.attempt(lambda: (self.define(step), self.start()))
        else:
            self.restart()
        self.crashed = False

    def do_crash(self, step, _):
        name, _, nth = step.rest.partition(" ")
        _native.failpoint(name, "error", int(nth or 1))
        try:
            while self.query._handle.step():
                pass
        except RuntimeError as problem:
            if "failpoint" not in str(problem):
                raise
            self.crashed = True
        if not self.crashed:
            _native.failpoint(name, None)
            raise Mismatch(f"no batch passed {name}")

    def do_error(self, step, _):
        self.error = step

    # -- what must come out --------------------------------------------------------------------------------------

    def do_expect(self, step, _):
        for pair in step.rest.split(","):
            name, _, wanted = pair.strip().partition(" ")
            got = self.counter(name)
            if got != float(wanted):
                raise Mismatch(f"{name} is {got:g}, not {wanted}")

    def do_explain(self, step, _):
        got = re.sub(r"#\d+", "#", self.query._handle.explain()).strip().splitlines()
        if self.rewrite is not None:
            self.rewrite.changes[step.rows_at] = got
        elif [line.strip() for line in got] != [line.strip() for line in step.rows or []]:
            raise Mismatch("the plan is\n" + "\n".join(got))

    def counter(self, name: str) -> float:
        progress = self.progress
        if progress is None:
            raise Mismatch("no batch has run")
        if name == "watermark":
            text = (progress.get("eventTime") or {}).get("watermark", "1970-01-01T00:00:00Z")
            return (dt.datetime.fromisoformat(text.replace("Z", "")) - EPOCH).total_seconds()
        if name == "input":
            return progress["numInputRows"]
        if name == "id":
            return progress["batchId"]
        if name not in COUNTERS:
            raise Mismatch(f"there is no counter {name!r}: id, input, watermark, {', '.join(COUNTERS)}")
        return sum(state[COUNTERS[name]] for state in progress.get("stateOperators") or [])

    def compare(self, step: Step, got: list, ordered: bool) -> None:
        schema = self.df.schema
        if self.rewrite is not None:
            lines = ["  ".join(map(to_text, row)) for row in got]
            if step.rows is not None:
                self.rewrite.changes[step.rows_at] = lines if ordered else sorted(lines)
            return
        if step.rows is None:
            return
        wanted = [plain(row) for row in self.rows(step.rows, schema)]
        found = [plain(tuple(row)) for row in got]
        if not ordered:
            wanted.sort(key=repr)
            found.sort(key=repr)
        if wanted != found:
            show = "\n".join("    " + "  ".join(map(to_text, row)) for row in (got if ordered else sorted(got, key=repr)))
            raise Mismatch(f"got\n{show or '    (no rows)'}\n  expected\n" + "\n".join("    " + row for row in step.rows or ["(no rows)"]))

    def situation(self) -> str:
        """What helps to see why: offsets, state, plan."""
        if self.checkpoint is None:
            return ""
        logs = {}
        for name in ("offsets", "commits"):
            folder = pathlib.Path(self.checkpoint, name)
            entries = sorted((int(path.name) for path in folder.iterdir() if path.name.isdigit()), reverse=True) if folder.is_dir() else []
            logs[name] = f"{name}/{entries[0]}: {(folder / str(entries[0])).read_text('utf-8').splitlines()[-1]}" if entries else f"no {name}"
        return f"\n  {logs['offsets']}\n  {logs['commits']}\n  state: {(self.progress or {}).get('stateOperators')}\n  mode: {self.mode}"

    # -- the query -----------------------------------------------------------------------------------------------

    def declaration(self, step: Step):
        found = re.fullmatch(r"(\w+) \((.*)\)", step.rest)
        if not found:
            raise Mismatch(f"{step.word} wants: {step.word} NAME (name type, ...)")
        return found[1], self.spark.createDataFrame([], found[2]).schema

    def rows(self, lines: list[str], schema) -> list[tuple]:
        out = []
        for line in lines:
            found = cells(line)
            if len(found) != len(schema.fields):
                raise Mismatch(f"{line!r} has {len(found)} cells, the schema {schema.simpleString()} has {len(schema.fields)}")
            out.append(tuple(from_text(cell, field.dataType) for cell, field in zip(found, schema.fields)))
        return out

    def define(self, step: Step) -> None:
        self.df = eval("(" + "\n".join(line.strip() for line in step.body) + ")", dict(self.names))  # noqa: S307 - the test's own text

    def start(self) -> None:
        self.clock = getattr(self, "clock", 0)
        options = dict(self.options)
        if options.pop("clock", None) == "manual" and not self.held:
            self.spark._engine.hold_clock(self.clock)
            self.held = True
        writer = self.df.writeStream.outputMode(self.output_mode).foreachBatch(self.keep).options(**options)
        writer = writer.option("checkpointLocation", self.checkpoint)
        writer._trigger = ("manual", None)
        self.query = writer.start()

    def keep(self, batch, batch_id: int) -> None:
        self.batches[batch_id] = batch.collect()

    def step(self) -> bool:
        """One trigger; in the mode "replay" it dies before the commit and is run again."""
        if self.crashed:
            raise Mismatch("`restart` must follow `crash`")
        if self.mode == "replay":
            _native.failpoint(BEFORE_COMMIT, "error", 1)
            try:
                if not self.query._handle.step():
                    return False
            except RuntimeError as problem:
                if "failpoint" not in str(problem):
                    raise
                self.restart()
            finally:
                _native.failpoint(BEFORE_COMMIT, None)
        ran = self.query._handle.step()
        if ran:
            self.progress = json.loads(self.query._handle.progress(False))[-1]
        return ran

    def attempt(self, fn) -> bool:
        """Runs fn; when an `error` stands before, it must fail so. Whether it came to its end."""
        error, self.error = self.error, None
        try:
            fn()
        except pystream.errors.PySparkException as problem:
            if error is None:
                raise Mismatch(f"failed: {problem}") from problem
            condition = problem.getCondition()
            named = [condition, *re.findall(r"\[([A-Z][A-Z0-9_.]+)\]", str(problem)), type(problem).__name__]
            if error.rest not in named:
                raise Mismatch(f"failed with {named}, not {error.rest}: {problem}") from problem
            for part in error.rows or []:
                if part not in str(problem):
                    raise Mismatch(f"{part!r} is not in the message: {problem}") from problem
            return False
        if error is not None:
            raise Mismatch(f"did not fail with {error.rest}")
        return True

    def stop(self) -> None:
        if self.query is not None:
            self.query.stop()
            self.query = None

    def restart(self) -> None:
        self.stop()
        self.start()
