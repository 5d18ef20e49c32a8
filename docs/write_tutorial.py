"""Write tutorial.ipynb beside this file: tutorial.py, executed, with its pictures.

    python docs/write_tutorial.py

A test executes the same cells on a smaller folder and compares the code of the notebook with that of its source.
"""

import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

from spectramind_kit.kaggle.rules.kernel import notebook_of_cells

SOURCE = Path(__file__).with_name("tutorial.py")
NOTEBOOK = SOURCE.with_suffix(".ipynb")
_SMALL_PICTURES = "%config InlineBackend.print_figure_kwargs = {'dpi': 70}"
"""Every clone carries them."""


def executed(notebook: NotebookNode) -> NotebookNode:
    """Return a notebook after a run in an empty folder, without what only tells how far a run is."""
    notebook.cells.insert(0, nbformat.v4.new_code_cell(_SMALL_PICTURES))
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(notebook, timeout=600, resources={"metadata": {"path": folder}}).execute()
    del notebook.cells[0]
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    return notebook


if __name__ == "__main__":
    NOTEBOOK.write_text(nbformat.writes(executed(notebook_of_cells(SOURCE))) + "\n")
