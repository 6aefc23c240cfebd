"""The names of PySpark's API: present, or listed as missing; a stale excuse fails too."""
import pathlib

import pytest

HERE = pathlib.Path(__file__).parent


def read(name):
    lines = [line for line in (HERE / name).read_text().splitlines() if line and not line.startswith("#")]
    return {owner: set(names.split()) for owner, _, names in (line.partition(":") for line in lines)}


NAMES, MISSING = read("names.txt"), read("missing.txt")


def owner_of(name):
    if name == "functions":
        import pystream.sql.functions
        return pystream.sql.functions
    import pystream.sql
    import pystream.sql.streaming
    return getattr(pystream.sql, name, None) or getattr(pystream.sql.streaming, name)


@pytest.mark.parametrize("owner", NAMES)
def test_names_are_there_or_known_to_be_missing(owner):
    found = owner_of(owner)
    absent = {name for name in NAMES[owner] if not hasattr(found, name)}
    assert absent == MISSING.get(owner, set())


def test_functions_stub_is_what_the_table_gives():
    from pystream.sql import _stubs
    assert _stubs.PATH.read_text() == _stubs.text(), "run: python -m pystream.sql._stubs"


def test_extension_stub_names_what_there_is():
    import ast

    import pystream
    from pystream import _engine
    tree = ast.parse((pathlib.Path(pystream.__file__).parent / "_engine.pyi").read_text())
    listed = {node.name for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
    assert listed == {name for name in vars(_engine) if not name.startswith("__")}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            members = {item.name for item in node.body if isinstance(item, ast.FunctionDef)}
            members |= {item.target.id for item in node.body if isinstance(item, ast.AnnAssign)}
            own = {name for name in vars(getattr(_engine, node.name)) if not name.startswith("__")}
            assert members - {"__init__"} == own, node.name
