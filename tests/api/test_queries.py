"""Streaming queries from Python: their handles, callbacks, failures, listeners, threads and processes."""
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from pystream.errors import StreamingQueryException
from pystream.sql.streaming import StreamingQueryListener


def test_batches_reach_the_function_once_each(feed, batches):
    stream = feed("word string, n int")
    query = stream.df.writeStream.foreachBatch(batches).start()
    stream.add(("a", 1), ("b", 2))
    query.processAllAvailable()
    stream.add(("c", None))
    query.processAllAvailable()
    query.stop()
    assert batches == [(0, [("a", 1), ("b", 2)]), (1, [("c", None)])]
    assert not query.isActive and query.exception() is None


def test_state_goes_on_after_a_restart(feed, batches, tmp_path):
    stream = feed("word string")
    counts = stream.df.groupBy("word").count()

    def run(*words):
        query = (counts.writeStream.outputMode("update").foreachBatch(batches)
                 .option("checkpointLocation", str(tmp_path)).start())
        stream.add(*((word,) for word in words))
        query.processAllAvailable()
        query.stop()
        return query

    first, second = run("a", "b"), run("a")
    assert [(number, sorted(rows)) for number, rows in batches] == [(0, [("a", 1), ("b", 1)]), (1, [("a", 2)])]
    assert first.id == second.id and first.runId != second.runId


def test_a_failure_carries_the_users_exception(feed):
    def fail(df, batch_id):
        raise ValueError("a word to look for")

    stream = feed("n int")
    query = stream.df.writeStream.foreachBatch(fail).start()
    stream.add((1,))
    with pytest.raises(StreamingQueryException) as caught:
        query.processAllAvailable()
    assert caught.value.getCondition() == "STREAM_FAILED"
    assert "[FOREACH_BATCH_USER_FUNCTION_ERROR]" in str(caught.value) and "in fail" in str(caught.value)
    assert isinstance(caught.value.__cause__, ValueError) and caught.value.__cause__.__traceback__ is not None
    kept = query.exception()
    assert kept.getCondition() is None and str(kept).startswith("Traceback")
    assert not query.isActive and query.status["message"].startswith("Terminated with exception")


def test_a_failure_of_foreach_tells_where_it_was(feed):
    def fail(row):
        raise ValueError("a word to look for")

    stream = feed("n int")
    query = stream.df.writeStream.foreach(fail).start()
    stream.add((1,))
    with pytest.raises(StreamingQueryException, match=r"(?s)\[PYTHON_EXCEPTION\].*Traceback.*in fail.*a word to look for"):
        query.processAllAvailable()


def test_foreach_object_sees_open_rows_and_close(feed):
    calls = []

    class Writer:
        def open(self, partition, epoch):
            calls.append(("open", partition, epoch))
            return True

        def process(self, row):
            calls.append(row.n)

        def close(self, error):
            calls.append(error)

    stream = feed("n int")
    query = stream.df.writeStream.foreach(Writer()).start()
    stream.add((1,), (2,))
    query.processAllAvailable()
    query.stop()
    assert calls == [("open", 0, 0), 1, 2, None]


def test_stop_inside_the_callback_marks_the_query_and_returns(feed):
    stream, ready, box = feed("n int"), threading.Event(), []

    def stop(df, batch_id):
        ready.wait(10)
        began = time.monotonic()
        box[0].stop()
        box.append(time.monotonic() - began)

    query = stream.df.writeStream.foreachBatch(stop).start()
    box.append(query)
    ready.set()
    stream.add((1,))
    assert query.awaitTermination(10) is True
    assert box[1] < 1 and query.exception() is None


def test_listener_hears_a_query_from_start_to_end(spark, feed):
    heard = []

    class Listener(StreamingQueryListener):
        def onQueryStarted(self, event):
            heard.append(("started", event.name, threading.current_thread().name.split(" [")[0]))

        def onQueryProgress(self, event):
            heard.append(("progress", event.progress.batchId, event.progress.numInputRows))

        def onQueryTerminated(self, event):
            heard.append(("terminated", event.exception))

    listener = Listener()
    spark.streams.addListener(listener)
    try:
        stream = feed("n int")
        stream.add((1,), (2,))
        query = stream.df.writeStream.format("noop").queryName("heard").start()
        assert heard[0] == ("started", "heard", "stream execution thread for heard")
        query.processAllAvailable()
        query.stop()
        end = time.monotonic() + 10
        while heard[-1][0] != "terminated" and time.monotonic() < end:
            time.sleep(0.01)
    finally:
        spark.streams.removeListener(listener)
    assert heard[1:] == [("progress", 0, 2), ("terminated", None)]


def test_progress_is_a_dict_with_attributes(feed):
    stream = feed("n int")
    stream.add((1,))
    query = stream.df.groupBy("n").count().writeStream.outputMode("complete").format("noop").start()
    query.processAllAvailable()
    query.stop()
    report = query.lastProgress
    assert report["batchId"] == report.batchId == 0
    assert report["id"] == query.id == str(report.id)
    assert report.stateOperators[0].numRowsTotal == 1 and report.sources[0].numInputRows == 1
    assert list(report)[:6] == ["id", "runId", "name", "timestamp", "batchId", "batchDuration"]


def python(text, **environment):
    """Run a program in a process of its own, which Ctrl-C reaches though the tests may run in the background."""
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(text)], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, env={**os.environ, **environment},
                            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))


def test_ctrl_c_ends_the_wait_and_not_the_query():
    program = python("""
        from pystream.sql import SparkSession
        spark = SparkSession.builder.getOrCreate()
        query = spark.readStream.format("rate").load().writeStream.format("noop").start()
        print("ready", flush=True)
        try:
            query.awaitTermination()
        except KeyboardInterrupt:
            print("interrupted", query.isActive, flush=True)
    """)
    assert program.stdout.readline() == "ready\n"
    time.sleep(0.2)
    program.send_signal(signal.SIGINT)
    out, err = program.communicate(timeout=20)
    assert (out, program.returncode) == ("interrupted True\n", 0), err


@pytest.mark.parametrize("action", [
    "spark.range(10**11).where('id < 0').collect()",
    "spark.range(10**11).where('id % 7 = 3').groupBy().count().show()",
    "spark.range(10**11).where('id < 0').__arrow_c_stream__()",
    "spark.streams.awaitAnyTermination()",
])
def test_ctrl_c_ends_an_action(action):
    program = python(f"""
        import time
        from pystream.sql import SparkSession
        spark = SparkSession.builder.getOrCreate()
        query = spark.readStream.format("rate").load().writeStream.format("noop").start()
        print("ready", flush=True)
        try:
            {action}
        except KeyboardInterrupt:
            print(time.time(), query.isActive, spark.range(2).count(), flush=True)
    """)
    assert program.stdout.readline() == "ready\n"
    time.sleep(0.3)
    began = time.time()
    program.send_signal(signal.SIGINT)
    out, err = program.communicate(timeout=20)
    ended, *rest = out.split() or [0]
    assert rest == ["True", "2"] and program.returncode == 0, err
    assert float(ended) - began < 1


def test_leaving_while_a_batch_runs_ends_cleanly():
    program = python("""
        import time
        from pystream.sql import SparkSession
        from pystream.sql.streaming import StreamingQueryListener
        class Listener(StreamingQueryListener):
            def onQueryStarted(self, event): print("started", flush=True)
            def onQueryProgress(self, event): pass
            def onQueryTerminated(self, event): pass
        spark = SparkSession.builder.getOrCreate()
        spark.streams.addListener(Listener())
        begun = []
        def slow(df, batch_id):
            begun.append(df.count())
            time.sleep(0.5)
        stream = spark.readStream.format("rate").option("rowsPerSecond", 1000).load()
        stream.writeStream.foreachBatch(slow).start()
        while not begun:
            time.sleep(0.01)
    """)
    out, err = program.communicate(timeout=20)
    assert (out, err, program.returncode) == ("started\n", "", 0)


def test_a_child_of_fork_makes_its_own_session():
    program = python("""
        import os
        from pystream.sql import SparkSession
        spark = SparkSession.builder.getOrCreate()
        query = spark.readStream.format("rate").load().writeStream.format("noop").start()
        pid = os.fork()
        if pid == 0:
            try:
                spark.range(1).collect()
                print("no error")
            except RuntimeError as problem:
                print("refused")
            print(SparkSession.builder.getOrCreate().range(2).count(), flush=True)
            os._exit(0)
        os.waitpid(pid, 0)
        print(spark.range(3).count(), query.isActive)
    """)
    out, err = program.communicate(timeout=20)
    assert (out, program.returncode) == ("refused\n2\n3 True\n", 0), err


def test_leaving_the_interpreter_stops_queries():
    program = python("""
        from pystream.sql import SparkSession
        spark = SparkSession.builder.getOrCreate()
        spark.readStream.format("rate").load().writeStream.format("noop").start()
    """)
    began = time.monotonic()
    out, err = program.communicate(timeout=20)
    assert (out, err, program.returncode) == ("", "", 0) and time.monotonic() - began < 10
