"""The examples in docstrings run."""
import doctest
import importlib
import pkgutil

import pytest

import pystream

MODULES = sorted(info.name for info in pkgutil.walk_packages(pystream.__path__, "pystream.")
                 if not info.name.rpartition(".")[2].startswith("_"))


@pytest.mark.parametrize("name", MODULES)
def test_examples(name, spark, F):
    module = importlib.import_module(name)
    names = {**vars(module), "spark": spark, "F": F}
    failed, _ = doctest.testmod(module, globs=names, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert failed == 0
