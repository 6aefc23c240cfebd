"""PYSTREAM_ENGINE=spark: every public module of this package is then PySpark's own."""
from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys

#: Modules that exist here only and stay ours.
OURS = ("pystream._", "pystream.testing.stream")


class _Alias(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, fullname, path=None, target=None):
        if not fullname.startswith("pystream.") or fullname.startswith(OURS):
            return None
        return importlib.machinery.ModuleSpec(fullname, self)

    def create_module(self, spec):
        try:
            return importlib.import_module("pyspark" + spec.name[len("pystream"):])
        except ModuleNotFoundError as problem:
            if problem.name == "pyspark":
                raise ImportError("PYSTREAM_ENGINE=spark needs PySpark: pip install pyspark") from problem
            raise

    def exec_module(self, module):
        pass


def install(package) -> None:
    """Make the public names of `package` PySpark's, and its submodules too."""
    sys.meta_path.insert(0, _Alias())
    try:
        spark = importlib.import_module("pyspark")
    except ModuleNotFoundError as problem:
        raise ImportError("PYSTREAM_ENGINE=spark needs PySpark: pip install pyspark") from problem
    for name in spark.__all__:
        package[name] = getattr(spark, name)
    package["__all__"] = list(spark.__all__)
