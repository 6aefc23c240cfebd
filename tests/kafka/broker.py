"""A Kafka broker of one node on 127.0.0.1, from the jars that `make kafka-jars` fetched.

    with Broker() as broker:
        broker.bootstrap            # "127.0.0.1:23456"
        broker.kill(); broker.start()   # SIGKILL, then again on the same directory and port

By hand: `python tests/kafka/broker.py` runs one until Ctrl-C.
"""
from __future__ import annotations

import ctypes
import os
import pathlib
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
JARS = ROOT / "build" / "kafka-jars"  # new: 4.3; old: 3.9
CLUSTER = "cHlzdHJlYW0tdGVzdHMtMQ"  # 16 bytes in base64url
READY_SECONDS = 120
JAVA = ["-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-Xshare:auto"]
QUICK = ["-XX:TieredStopAtLevel=1"]  # starts sooner, runs slower


def missing() -> str | None:
    """Why there can be no broker here; None: there can."""
    if shutil.which("java") is None:
        return "there is no Java (Debian: openjdk-17-jre-headless)"
    if not all(list((JARS / line).glob("kafka_2.13-*.jar")) for line in ("new", "old")):
        return "the broker's jars are missing: make kafka-jars"
    return None


def free_port() -> int:
    """A port that nobody listens on, below those which the kernel gives to clients, so that a restart finds it free."""
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def answers(port: int) -> bool:
    """Whether a broker answers an ApiVersions request (key 18, version 0): a connection alone succeeds too early."""
    body = struct.pack(">hhih", 18, 0, 1, -1)
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as link:
            link.sendall(struct.pack(">i", len(body)) + body)
            link.settimeout(5)
            return len(link.recv(4)) == 4
    except OSError:
        return False


def die_with_parent():
    """In the child: when the test process is killed, the broker does not stay behind."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Broker:
    """`listeners` maps further listeners' names to protocols (`{"SASL": "SASL_PLAINTEXT"}`); `properties` are added to
    the server's; `format_options` to the tool that formats its directory (SCRAM users); `line` is new (4.3) or old (3.9)."""

    def __init__(self, directory=None, properties=None, listeners=None, format_options=(), java=QUICK, cores=None,
                 line="new"):
        self._own_directory = directory is None
        self.directory = pathlib.Path(directory or tempfile.mkdtemp(prefix="kafka-"))
        self.protocols = {"PLAINTEXT": "PLAINTEXT", **(listeners or {})}
        self.ports = {name: free_port() for name in [*self.protocols, "CONTROLLER"]}
        self.properties, self.format_options = dict(properties or {}), list(format_options)
        self.java, self.cores, self.process = [*JAVA, *java], cores, None
        self.jars = JARS / line

    @property
    def bootstrap(self) -> str:
        return self.address("PLAINTEXT")

    def address(self, listener: str) -> str:
        return f"127.0.0.1:{self.ports[listener]}"

    def log(self) -> str:
        path = self.directory / "broker.log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def _server_properties(self) -> dict[str, object]:
        clients = ",".join(f"{name}://{self.address(name)}" for name in self.protocols)
        protocols = {**self.protocols, "CONTROLLER": "PLAINTEXT"}
        return {
            "process.roles": "broker,controller", "node.id": 1,
            "controller.quorum.voters": f"1@{self.address('CONTROLLER')}",
            "controller.listener.names": "CONTROLLER", "inter.broker.listener.name": "PLAINTEXT",
            "listeners": f"{clients},CONTROLLER://{self.address('CONTROLLER')}", "advertised.listeners": clients,
            "listener.security.protocol.map": ",".join(f"{name}:{protocol}" for name, protocol in protocols.items()),
            "log.dirs": self.directory / "logs",
            # One node: nobody else will ever join, and groups and transactions must not wait for fifty partitions.
            "offsets.topic.replication.factor": 1, "offsets.topic.num.partitions": 1,
            "transaction.state.log.replication.factor": 1, "transaction.state.log.min.isr": 1,
            "transaction.state.log.num.partitions": 1, "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1, "group.initial.rebalance.delay.ms": 0,
            # After a kill the controller takes the broker back only when its old session is over.
            "broker.heartbeat.interval.ms": 500, "broker.session.timeout.ms": 3000,
            "log.retention.ms": -1,  # records of tests bear old times
            "transaction.abort.timed.out.transaction.cleanup.interval.ms": 500,
            "log.cleaner.backoff.ms": 200, "log.cleaner.dedupe.buffer.size": 4 << 20, "log.initial.task.delay.ms": 1000,
            "auto.create.topics.enable": "false", "delete.topic.enable": "true",
            **self.properties,
        }

    def _java(self, main: str, *args) -> list[str]:
        return ["java", *self.java, "-cp", f"{self.jars}/*", main, *map(str, args)]

    def _format(self, properties: pathlib.Path) -> None:
        done = subprocess.run(self._java("kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", properties,
                                         *self.format_options), capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"formatting failed:\n{done.stdout}{done.stderr}")

    def start(self) -> Broker:
        assert self.process is None, "it runs"
        path = self.directory / "server.properties"
        if not path.exists():
            path.write_text("".join(f"{key}={value}\n" for key, value in self._server_properties().items()), "utf-8")
            self._format(path)
        with open(self.directory / "broker.log", "ab") as log:
            self.process = subprocess.Popen(self._java("kafka.Kafka", path), stdout=log, stderr=log, cwd=self.directory,
                                            start_new_session=True, preexec_fn=self._in_child)
        deadline = time.monotonic() + READY_SECONDS
        while not answers(self.ports["PLAINTEXT"]):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"the broker did not start:\n{self.log()[-4000:]}")
            time.sleep(0.05)
        return self

    def _in_child(self) -> None:
        die_with_parent()
        if self.cores:
            os.sched_setaffinity(0, self.cores)

    def _end(self, number: int) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        process.send_signal(number)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """It is there, and does not answer."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self.stop()
        if self._own_directory:
            shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Broker:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_) -> None:
        self.close()


if __name__ == "__main__":
    if missing():
        sys.exit(missing())
    topics = sys.argv[2].split(",") if sys.argv[1:2] == ["--topics"] and len(sys.argv) == 3 else []
    with Broker() as running:
        if topics:
            from judge import Judge
            for topic in topics:
                Judge(running.bootstrap).create(topic)
        print(running.bootstrap, running.directory, flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            pass
