"""The notebooks run from top to bottom, as their kernel would run them, each in a process of its own."""
import pathlib
import subprocess
import sys

import pytest
from runner.notebook import as_program

#: Those that need a broker are run by tests/kafka.
NOTEBOOKS = [path for path in sorted((pathlib.Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))
             if not path.stem.startswith("kafka_")]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook(path, tmp_path):
    done = subprocess.run([sys.executable, "-c", as_program(path)], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
