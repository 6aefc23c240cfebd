"""A notebook as a program."""
import json


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
