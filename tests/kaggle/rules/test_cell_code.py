"""Cells as IPython takes them: what is a command, and what calls stand for magics."""

import ast

import pytest

from spectramind_kit.kaggle.rules.cell_code import as_python, is_command


@pytest.mark.parametrize("cell", ["pip install x", "ls *.csv", "  cat notes.txt\n", "time f(x)"])
def test_command_without_mark_is_one_where_it_is_alone(cell):
    assert is_command(cell) and not is_command(f"{cell}\n1")


@pytest.mark.parametrize("cell", ["", "ls", "cat = 5", "time.sleep(1)", "radius = = 2", "import x y"])
def test_python_and_mistakes_are_no_commands(cell):
    assert not is_command(cell)


@pytest.mark.parametrize(
    "cell", ["%cd x", "if 1:\n    !ls", "a, b = !ls", "name?", "!!ls", "%%bash\nfor f in *; do echo $f; done"]
)
def test_magics_become_calls(cell):
    tree = ast.parse(as_python(cell))

    assert any(isinstance(node, ast.Name) and node.id == "get_ipython" for node in ast.walk(tree))
