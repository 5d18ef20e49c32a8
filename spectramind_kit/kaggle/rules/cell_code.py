"""What IPython makes of a cell: its magics, shell lines and questions, as Python. IPython itself is asked."""

import ast
from functools import lru_cache


def as_python(code: str) -> str:
    """Return a cell's code with magics, shell lines and questions (``name?``) as the calls that IPython makes of them.

    Raises:
        SyntaxError: on some mistakes; others are found when the result is parsed.
    """
    from IPython.core.inputtransformer2 import TransformerManager

    return TransformerManager().transform_cell(code)


def assigns_output(code: str, python: str) -> bool:
    """Return whether a cell assigns what a program prints, as ``files = !ls`` does.

    IPython 7.34, which Kaggle's image has, ends in a SyntaxError there: Python 3.12 takes ``!`` for an operator, and it
    looks for another sort of token. IPython 9 reads it.

    Args:
        code: of the cell.
        python: what ``as_python`` makes of it.
    """
    return "getoutput(" not in code and " = get_ipython().getoutput(" in python


def is_command(code: str) -> bool:
    """Return whether a cell is a magic or a program without its mark, such as ``pip install x`` or ``cat notes.txt``.

    IPython takes it for one only where it is the cell's one line and no Python.
    """
    (line, *more) = code.strip().splitlines() or [""]
    words = line.split()
    if more or not words or words[0] not in _command_names():
        return False
    try:
        ast.parse(line)
    except SyntaxError:
        return True
    return False


@lru_cache(maxsize=1)
def _command_names() -> frozenset[str]:
    """Return the names of IPython's line magics, and of the programs for which it has one."""
    from IPython.core import magics
    from IPython.core.alias import default_aliases

    kinds = [
        getattr(magics, name) for name in dir(magics) if name.endswith("Magics")
    ]  # newer ones load each when asked
    names = {name for kind in kinds for name in (kind.magics or {}).get("line", {})}
    return frozenset(names | {name for name, _ in default_aliases()})
