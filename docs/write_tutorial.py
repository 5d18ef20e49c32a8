"""Write docs/tutorial.ipynb from docs/tutorial.py: python docs/write_tutorial.py, or make docs."""

from pathlib import Path

import nbformat

from spectramind_kit.kaggle.rules.kernel import notebook_of

SOURCE = Path(__file__).with_name("tutorial.py")
NOTEBOOK = SOURCE.with_suffix(".ipynb")

if __name__ == "__main__":
    NOTEBOOK.write_text(nbformat.writes(notebook_of(SOURCE)) + "\n")
