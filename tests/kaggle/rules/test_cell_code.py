"""Cells as IPython takes them: what is a command, and what calls stand for magics."""

import ast
import sys

import IPython
import pytest

from spectramind_kit.kaggle.rules.cell_code import as_python, assigns_output, is_command


@pytest.mark.parametrize("cell", ["pip install x", "ls *.csv", "  cat notes.txt\n", "time f(x)"])
def test_command_without_mark_is_one_where_it_is_alone(cell):
    assert is_command(cell) and not is_command(f"{cell}\n1")


@pytest.mark.parametrize("cell", ["", "ls", "cat = 5", "time.sleep(1)", "radius = = 2", "import x y"])
def test_python_and_mistakes_are_no_commands(cell):
    assert not is_command(cell)


@pytest.mark.parametrize("cell", ["%cd x", "if 1:\n    !ls", "name?", "!!ls", "%%bash\nfor f in *; do echo $f; done"])
def test_magics_become_calls(cell):
    tree = ast.parse(as_python(cell))

    assert any(isinstance(node, ast.Name) and node.id == "get_ipython" for node in ast.walk(tree))


@pytest.mark.parametrize("cell", ["files = !ls", "a, *rest = !ls -l", "if 1:\n    files = !ls\nprint(files)"])
def test_assigned_output_of_a_program_is_told_or_a_mistake_where_ipython_is_that_of_the_image(cell):
    try:
        ast.parse(as_python(cell))
    except SyntaxError:
        assert IPython.version_info < (8,) and sys.version_info >= (3, 12)
    else:
        assert assigns_output(cell, as_python(cell))


@pytest.mark.parametrize("cell", ["!ls", "took = %timeit -o 1", "files = get_ipython().getoutput('ls')", "x = 1 != 2"])
def test_other_cells_assign_no_output_of_a_program(cell):
    assert not assigns_output(cell, as_python(cell))
