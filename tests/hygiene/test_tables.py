"""The registries: what the engine has, what Python offers, and what the stubs say go together."""
import builtins
import importlib
import pathlib
import re

import pytest

import pystream.errors
from pystream import _native

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_error_rows_are_whole():
    for name, condition, sqlstate, kind, text in _native.errors():
        assert re.fullmatch(r"[A-Z0-9_]+", name)
        assert not condition or re.fullmatch(r"[A-Z0-9_.a-z]+", condition), name
        assert not sqlstate or re.fullmatch(r"[0-9A-Z]{5}", sqlstate), name
        assert hasattr(pystream.errors, kind) or hasattr(builtins, kind), f"{name}: Python has no class {kind}"


def test_confs_say_what_they_are():
    for key, _, _, doc in _native.confs():
        assert key.startswith(("spark.", "pystream.")), key
        assert doc.endswith("."), key


def test_names_of_functions_module_exist():
    module = importlib.import_module("pystream.sql.functions")
    assert module.__all__
    for name in module.__all__:
        assert callable(getattr(module, name)), name


def test_engine_names_are_known_to_the_stub():
    stub = ROOT / "pystream" / "_engine.pyi"
    if not stub.exists():
        pytest.skip("there is no stub of the extension")
    text = stub.read_text("utf-8")
    for name in dir(_native._engine):
        if not name.startswith("__"):
            assert re.search(rf"\b(def|class) {name}\b", text), name
