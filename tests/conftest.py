"""Collects `.stream` and `.expr` files, gives tests a session and the run mode (see README.md here)."""
from __future__ import annotations

import os
import pathlib
import sys
import time

import pytest

os.environ["TZ"] = "UTC"
os.environ["PYTHONSAFEPATH"] = "1"  # programs that tests start import the installed package, not the source tree
time.tzset()
sys.path.insert(0, str(pathlib.Path(__file__).parent))
MODES = ("plain", "tiny", "shaped", "restart", "replay", "workers")


def pytest_addoption(parser):
    parser.addoption("--mode", default="plain", choices=MODES, help="how .stream and .expr files are played")
    parser.addoption("--rewrite", action="store_true", help="write what came out into the .stream files")


def make_session():
    from pystream.sql import SparkSession
    return SparkSession.builder.appName("tests").config("spark.sql.session.timeZone", "UTC") \
        .config("pystream.checkpoint.sync", "false").getOrCreate()


@pytest.fixture(scope="session")
def spark():
    return make_session()


@pytest.fixture(scope="session")
def mode(request):
    return request.config.getoption("--mode")


def pytest_collect_file(parent, file_path):
    if file_path.suffix == ".stream":
        return StreamFile.from_parent(parent, path=file_path)
    if file_path.suffix == ".expr":
        return ExprFile.from_parent(parent, path=file_path)
    return None


class StreamFile(pytest.File):
    def collect(self):
        yield StreamItem.from_parent(self, name=self.path.stem)


class StreamItem(pytest.Item):
    def runtest(self):
        from runner.modes import engine_mode
        from runner.player import Player, Rewrite
        from runner.script import parse
        steps = parse(self.path.read_text("utf-8"))
        mode = self.config.getoption("--mode")
        for step in steps:
            if step.word == "skip" and step.rest.split()[0] == mode:
                pytest.skip(step.rest)
        rewrite = Rewrite() if self.config.getoption("--rewrite") else None
        spark = make_session()
        with engine_mode(mode, spark):
            player = Player(spark, mode, rewrite)
            try:
                player.play(steps)
            finally:
                player.close()
        if rewrite is not None:
            rewrite.apply(self.path)

    def repr_failure(self, excinfo):
        from runner.player import Mismatch
        from runner.script import ScriptError
        if not excinfo.errisinstance((Mismatch, ScriptError)):
            return super().repr_failure(excinfo)
        text = str(excinfo.value)
        at = int(text.split(":")[0].removeprefix("line ")) if text.startswith("line ") else 0
        lines = self.path.read_text("utf-8").splitlines()
        return "\n".join(f"{'->' if n == at else '  '} {line}" for n, line in enumerate(lines, 1)) + f"\n\n{text}"

    def reportinfo(self):
        return self.path, 0, str(self.path.name)


class ExprFile(pytest.File):
    def collect(self):
        from runner.expressions import parse
        confs, cases = parse(self.path.read_text("utf-8"))
        for case in cases:
            item = ExprItem.from_parent(self, name=f"{case.line}: {case.left}")
            item.case, item.confs = case, confs
            yield item


class ExprItem(pytest.Item):
    def runtest(self):
        from runner.expressions import check
        from runner.modes import engine_mode
        spark = make_session()
        with engine_mode(self.config.getoption("--mode"), spark):
            for key, value in self.confs.items():
                spark.conf.set(key, value)
            try:
                wrong = check(spark, self.case)
            finally:
                for key in self.confs:
                    spark.conf.unset(key)
        if wrong:
            pytest.fail(f"{self.path.name}:{self.case.line}: {self.case.left}\n  {wrong}", pytrace=False)

    def repr_failure(self, excinfo):
        return str(excinfo.value)
