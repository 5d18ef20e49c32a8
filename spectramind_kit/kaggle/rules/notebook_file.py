"""Notebooks on disk: read whole, or said what is wrong with the file."""

from pathlib import Path

import nbformat
from nbformat import NotebookNode

from spectramind_kit.errors import PackagingError


def read_notebook(path: Path) -> NotebookNode:
    """Read a notebook in the format that Kaggle runs.

    Raises:
        PackagingError: if it is missing or no notebook.
    """
    if not path.is_file():
        raise PackagingError(f"kernel {path.parent}", wanted=f"the notebook {path.name}", got="no such file")
    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
    except (ValueError, KeyError, AttributeError, TypeError, nbformat.ValidationError) as error:
        remedy = "generate it from its source: build_dataset.py notebooks"
        got = (str(error).splitlines() or [type(error).__name__])[0][:160]
        raise PackagingError(f"{path}", wanted="a Jupyter notebook", got=got, remedy=remedy) from error
    return notebook
