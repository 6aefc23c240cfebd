"""The registries: what the engine has, what Python offers, and what the stubs say go together."""
import builtins
import ctypes
import ctypes.util
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


#: Properties of later versions of librdkafka than the oldest that we build with; a row for them is left out before.
LATER = {"client.dns.lookup": 0x020200, "enable.metrics.push": 0x020500, "fetch.queue.backoff.ms": 0x020200,
         "metadata.recovery.rebootstrap.trigger.ms": 0x020c00, "metadata.recovery.strategy": 0x020a00, "retry.backoff.max.ms": 0x020300}


def kafka_rows():
    """(kind of row, name, who, the rest) of csrc/kafka/props.def."""
    text = re.sub(r"/\*.*?\*/", "", (ROOT / "csrc/kafka/props.def").read_text("utf-8"), flags=re.S)
    rows = re.findall(r'^PSI_(\w+)\("([^"]+)", (CONSUMER|PRODUCER|BOTH), (.*)\)$', text, re.M)
    assert len(rows) == len(re.findall(r"^PSI_", text, re.M)) > 100
    return rows


def test_kafka_properties_are_in_order():
    names = [(name, who) for _, name, who, _ in kafka_rows()]
    assert names == sorted(names)
    assert len(names) == len(set(names))
    for _, name, _, rest in kafka_rows():
        assert rest.endswith('."'), f"{name} does not say what it is"


def test_kafka_properties_are_librdkafka_s():
    """What a row passes on, librdkafka knows."""
    library = ctypes.util.find_library("rdkafka")
    if not library:
        pytest.skip("librdkafka is not installed")
    rdkafka = ctypes.CDLL(library)
    rdkafka.rd_kafka_conf_new.restype = ctypes.c_void_p
    conf, reason, version = ctypes.c_void_p(rdkafka.rd_kafka_conf_new()), ctypes.create_string_buffer(512), rdkafka.rd_kafka_version() >> 8
    for kind, name, _, rest in kafka_rows():
        target = re.match(r'"([\w.]+)"', rest)
        if kind in ("PASS", "NUMBER") or kind == "CALL" and target:
            target = target[1] if target else name
            known = rdkafka.rd_kafka_conf_set(conf, target.encode(), b"", reason, 512) != -2
            assert known or LATER.get(target, 0) > version, f"{name}: librdkafka has no {target}"
    rdkafka.rd_kafka_conf_destroy(conf)
