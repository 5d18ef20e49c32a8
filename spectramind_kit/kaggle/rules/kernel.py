"""Kernels: a folder with ``kernel-metadata.json``, a reviewed source and the notebook generated from it.

The source is a Python file of percent cells (jupytext); the notebook is derived from it, never edited. A notebook is
thin: its cells call the library and hold no function, class, loop or ``try``.
"""

import ast
import hashlib
import logging
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.rules.cell_code import as_python, assigns_output, is_command
from spectramind_kit.kaggle.rules.metadata_file import read_metadata_file, with_meaning
from spectramind_kit.kaggle.rules.notebook_file import read_notebook
from spectramind_kit.kaggle.rules.upload_rules import check_kernel_metadata

logger = logging.getLogger(__name__)

METADATA = "kernel-metadata.json"
TAGS = ("install", "parameters")
PROGRAM_NODES = (
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda),
    *(ast.For, ast.AsyncFor, ast.While, ast.comprehension, ast.Try, ast.TryStar),
)


def source_path(folder: Path) -> Path:
    """The reviewed source of a kernel: it has the notebook's name, so that the folder may bear any."""
    return notebook_path(folder).with_suffix(".py")


def notebook_path(folder: Path) -> Path:
    """The notebook that Kaggle runs: ``code_file`` of the kernel's metadata.

    Raises:
        PackagingError: if the metadata names none.
    """
    name = read_metadata(folder).get("code_file")
    if not isinstance(name, str) or not name.endswith(".ipynb"):
        raise PackagingError(f"code_file in {folder / METADATA}", wanted="the notebook, *.ipynb", got=name or "none")
    return folder / name


def notebook_from_source(folder: Path) -> NotebookNode:
    """Return the notebook of a kernel's source, the same in every build."""
    if not source_path(folder).is_file():
        raise PackagingError(f"kernel {folder}", wanted=f"its source {source_path(folder).name}", got="no such file")
    return notebook_of_cells(source_path(folder))


def notebook_of_cells(source: Path) -> NotebookNode:
    """Return the notebook of a file of percent cells, not executed; its cells are named by what they hold.

    Args:
        source: Python file that jupytext reads.
    """
    kernelspec = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": kernelspec, "language_info": {"name": "python"}})
    for number, cell in enumerate(jupytext.read(source).cells):
        new = nbformat.v4.new_code_cell if cell.cell_type == "code" else nbformat.v4.new_markdown_cell
        identity = hashlib.sha256(f"{number} {cell.source}".encode()).hexdigest()[:8]
        tags = {"tags": cell.metadata["tags"]} if "tags" in cell.metadata else {}
        notebook.cells.append(new(source=cell.source, id=identity, metadata=tags))
    return notebook


def write_notebook(folder: Path) -> Path:
    """Generate the notebook from the source and return its path."""
    path = notebook_path(folder)
    path.write_text(nbformat.writes(notebook_from_source(folder)) + "\n")
    return path


def read_metadata(folder: Path) -> dict:
    """Read ``kernel-metadata.json``, what is written in it put as it is meant (see ``metadata_file``).

    Raises:
        PackagingError: if it is missing, or Kaggle would not run it as we mean it (see ``limits``).
    """
    path = folder / METADATA
    if not path.is_file():
        raise PackagingError(f"kernel {folder}", wanted=f"a folder with {METADATA}", got="none")
    metadata = with_meaning(read_metadata_file(path), path)
    check_kernel_metadata(metadata, path)
    return metadata


def check_kernel(folder: Path) -> NotebookNode:
    """Return a kernel's notebook after checking that it is generated from its source and is thin.

    Raises:
        PackagingError: naming the cell at fault.
    """
    path = notebook_path(folder)
    notebook = read_notebook(path)
    if notebook != notebook_from_source(folder):
        remedy = "run `build_dataset.py notebooks`; changes belong into the source"
        raise PackagingError(
            f"{path}", wanted=f"what {source_path(folder).name} generates", got="another", remedy=remedy
        )
    tags = [tag for cell in notebook.cells for tag in cell.metadata.get("tags", [])]
    if sorted(tags) != sorted(TAGS):
        raise PackagingError(f"cell tags of {path}", wanted=f"one cell each of {list(TAGS)}", got=tags)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            _check_thin(cell.source, path)
    return notebook


def _check_thin(code: str, path: Path) -> None:
    for node in ast.walk(_parsed(code, path)):
        if isinstance(node, PROGRAM_NODES):
            got = f"{type(node).__name__} in the cell that starts {code.splitlines()[0]!r}"
            raise PackagingError(f"{path}", wanted="a notebook that calls the library", got=got, remedy="move it there")


def _parsed(code: str, path: Path) -> ast.Module:
    """Return the Python of a cell, without what its magics and shell lines are to other programs.

    Raises:
        PackagingError: if IPython, which runs the cell on Kaggle, would find a mistake in it.
    """
    lines = code.strip().splitlines()
    is_cell_magic = bool(lines) and lines[0].startswith("%%")
    if is_command(code):
        return ast.parse("")
    own = "\n".join(lines[1:] if is_cell_magic else lines)
    try:
        python = as_python(own)
        parsed = ast.parse(python)
        if assigns_output(own, python):
            logger.warning("%s: the image's IPython does not read %r: write get_ipython().getoutput", path, lines[0])
        return parsed
    except SyntaxError as error:
        if is_cell_magic:  # the rest of the cell is in another language
            return ast.parse("")
        got = f"{error.msg} in the cell that starts {lines[0]!r}"
        raise PackagingError(f"{path}", wanted="Python, magics and shell lines", got=got) from error
