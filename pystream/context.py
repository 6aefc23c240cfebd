"""SparkContext and SparkConf: what streaming programs use of them, without a cluster behind."""
from __future__ import annotations

import logging
import os
import sys
import threading

from pystream.errors import PySparkValueError, _not_implemented

_RDD_HINT = "RDDs are not supported; use DataFrame operations (mapInPandas, mapInArrow, foreachBatch)"
_LEVELS = {"ALL": 1, "TRACE": 5, "DEBUG": 10, "INFO": 20, "WARN": 30, "ERROR": 40, "FATAL": 50, "OFF": 100}


class SparkConf:
    """A set of configuration values to build a session from.

    Examples
    --------
    >>> conf = SparkConf().setAppName("demo").set("spark.sql.shuffle.partitions", "2")
    >>> conf.get("spark.app.name"), conf.get("nothing", "default")
    ('demo', 'default')
    """

    def __init__(self, loadDefaults: bool = True, _jvm=None, _jconf=None):
        self._values = {}

    def set(self, key: str, value: str) -> SparkConf:
        """Set a value."""
        self._values[key] = str(value)
        return self

    def setIfMissing(self, key: str, value: str) -> SparkConf:
        """Set a value unless there is one."""
        self._values.setdefault(key, str(value))
        return self

    def setMaster(self, value: str) -> SparkConf:
        """Set the master URL; it is recorded and has no other effect."""
        return self.set("spark.master", value)

    def setAppName(self, value: str) -> SparkConf:
        """Set the name of the application."""
        return self.set("spark.app.name", value)

    def setSparkHome(self, value: str) -> SparkConf:
        """Recorded, without effect."""
        return self.set("spark.home", value)

    def setExecutorEnv(self, key=None, value=None, pairs=None) -> SparkConf:
        """Recorded, without effect."""
        for name, text in [(key, value)] if key is not None else pairs or []:
            self.set(f"spark.executorEnv.{name}", text)
        return self

    def setAll(self, pairs) -> SparkConf:
        """Set several (key, value) pairs."""
        for key, value in pairs:
            self.set(key, value)
        return self

    def get(self, key: str, defaultValue: str | None = None) -> str | None:
        """The value, or the default."""
        return self._values.get(key, defaultValue)

    def getAll(self) -> list[tuple[str, str]]:
        """All (key, value) pairs."""
        return list(self._values.items())

    def contains(self, key: str) -> bool:
        """Is there a value."""
        return key in self._values

    def toDebugString(self) -> str:
        """A line per value."""
        return "\n".join(f"{key}={value}" for key, value in self._values.items())


class Broadcast:
    """A value for all workers: there is one process, so it is the value itself."""

    def __init__(self, value):
        self.value = value

    def unpersist(self, blocking: bool = False) -> None:
        """Nothing to do."""

    def destroy(self, blocking: bool = False) -> None:
        """Forget the value."""
        self.value = None


class Accumulator:
    """A value that can be added to."""

    def __init__(self, value, param=None):
        self.value = value
        self._lock = threading.Lock()

    def add(self, term) -> None:
        """Add to the value."""
        with self._lock:
            self.value += term

    def __iadd__(self, term):
        self.add(term)
        return self


class RDD:
    """Not supported; the name exists so that `isinstance` checks run."""

    def __init__(self, *args, **kwargs):
        raise _not_implemented(f"RDD ({_RDD_HINT})")


class SparkFiles:
    """Files added to the context."""

    _paths: dict = {}

    @classmethod
    def get(cls, filename: str) -> str:
        """Where an added file is."""
        return cls._paths.get(filename, os.path.abspath(filename))

    @classmethod
    def getRootDirectory(cls) -> str:
        """The working directory."""
        return os.getcwd()


class TaskContext:
    """What a task knows about itself: there is one task."""

    @classmethod
    def get(cls) -> TaskContext:
        """The context of the running function."""
        return cls()

    def partitionId(self) -> int:
        """0: a batch is one partition."""
        return 0

    def attemptNumber(self) -> int:
        """0: a failed task is not run again."""
        return 0

    def taskAttemptId(self) -> int:
        """0."""
        return 0


class SparkContext:
    """The part of SparkContext that DataFrame programs touch.

    Made by the session (`spark.sparkContext`) or by `SparkContext.getOrCreate()`.
    """

    _active: SparkContext | None = None

    def __init__(self, master=None, appName=None, conf=None, **ignored):
        self._conf = SparkConf()
        self._conf.setAll(conf.getAll() if conf else [])
        if master:
            self._conf.setMaster(master)
        if appName:
            self._conf.setAppName(appName)
        self._local = threading.local()
        self._checkpoint_dir = None
        self.startTime = 0
        self.applicationId = f"local-{os.getpid()}"
        SparkContext._active = self

    @classmethod
    def getOrCreate(cls, conf: SparkConf | None = None) -> SparkContext:
        """The context of this process, made when there is none."""
        return cls._active or cls(conf=conf)

    @property
    def appName(self) -> str:
        """The name of the application."""
        return self._conf.get("spark.app.name", "pystream")

    @property
    def master(self) -> str:
        """The master URL that was asked for."""
        return self._conf.get("spark.master", "local[*]")

    @property
    def version(self) -> str:
        """The level of Spark that is emulated."""
        return "4.3.0"

    @property
    def defaultParallelism(self) -> int:
        """Number of worker threads."""
        return os.cpu_count() or 1

    @property
    def defaultMinPartitions(self) -> int:
        """At most 2."""
        return min(self.defaultParallelism, 2)

    @property
    def uiWebUrl(self) -> None:
        """None: there is no web interface."""
        return None

    def getConf(self) -> SparkConf:
        """A copy of the configuration."""
        return SparkConf().setAll(self._conf.getAll())

    def setLogLevel(self, logLevel: str) -> None:
        """Set the level of the logger ``pystream``: ALL, DEBUG, ERROR, FATAL, INFO, OFF, TRACE or WARN."""
        level = _LEVELS.get(str(logLevel).upper())
        if level is None:
            raise PySparkValueError(
                errorClass="VALUE_NOT_ALLOWED",
                messageParameters={"arg_name": "logLevel", "allowed_values": str(sorted(_LEVELS))})
        logging.getLogger("pystream").setLevel(level)

    def broadcast(self, value) -> Broadcast:
        """A value for all workers."""
        return Broadcast(value)

    def accumulator(self, value, accum_param=None) -> Accumulator:
        """A value that functions can add to."""
        return Accumulator(value)

    def addFile(self, path: str, recursive: bool = False) -> None:
        """Remember a file for `SparkFiles.get`."""
        SparkFiles._paths[os.path.basename(path)] = os.path.abspath(path)

    def addPyFile(self, path: str) -> None:
        """Put a module or archive on ``sys.path``."""
        path = os.path.abspath(path)
        if path not in sys.path:
            sys.path.insert(1, os.path.dirname(path) if path.endswith(".py") else path)

    def setCheckpointDir(self, dirName: str) -> None:
        """Recorded, without effect: frames are checkpointed in memory."""
        self._checkpoint_dir = dirName

    def getCheckpointDir(self) -> str | None:
        """What `setCheckpointDir` was given."""
        return self._checkpoint_dir

    def setJobGroup(self, groupId: str, description: str, interruptOnCancel: bool = False) -> None:
        """Recorded, without effect."""
        self.setLocalProperty("spark.jobGroup.id", groupId)

    def setJobDescription(self, value: str) -> None:
        """Recorded, without effect."""
        self.setLocalProperty("spark.job.description", value)

    def setLocalProperty(self, key: str, value: str) -> None:
        """Remember a value for this thread."""
        vars(self._local)[key] = value

    def getLocalProperty(self, key: str) -> str | None:
        """What this thread remembers."""
        return vars(self._local).get(key)

    def parallelize(self, c, numSlices: int | None = None) -> list:
        """The values as a list, which `createDataFrame` takes."""
        return list(c)

    def stop(self) -> None:
        """Stop the session of this process."""
        from pystream.sql.session import SparkSession
        session = SparkSession._default
        SparkContext._active = None
        if session is not None:
            session.stop()

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        self.stop()

    def __getattr__(self, name):
        if name in ("textFile", "union", "runJob", "hadoopFile", "newAPIHadoopFile", "sequenceFile", "statusTracker",
                    "wholeTextFiles", "binaryFiles", "emptyRDD", "range", "_jvm", "_jsc", "_gateway"):
            raise _not_implemented(f"SparkContext.{name} ({_RDD_HINT})")
        raise AttributeError(f"'SparkContext' object has no attribute {name!r}")
