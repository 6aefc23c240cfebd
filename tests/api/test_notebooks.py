"""The notebooks run from top to bottom, as their kernel would run them, each in a process of its own."""
import json
import pathlib
import subprocess
import sys

import pytest

NOTEBOOKS = sorted((pathlib.Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))


def as_program(path):
    """The code cells in order; the last expression of a cell is shown, as a kernel does."""
    cells = [cell for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]
    lines = ["import ast", "def run_cell(text, names):",
             "    tree = ast.parse(text)",
             "    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None",
             "    exec(compile(tree, 'cell', 'exec'), names)",
             "    if last: print(repr(eval(compile(ast.Expression(last.value), 'cell', 'eval'), names)))",
             "names = {'__name__': '__main__'}"]
    return "\n".join([*lines, *(f"run_cell({''.join(cell['source'])!r}, names)" for cell in cells)])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook(path, tmp_path):
    done = subprocess.run([sys.executable, "-c", as_program(path)], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
