"""The tutorial: its cells run, and the notebook that is shown is theirs."""

import shutil
from pathlib import Path

import matplotlib
import nbformat
import numpy as np
import polars as pl
import pytest

PROJECT = Path(__file__).parents[2]
LARGEST_NOTEBOOK = 400_000
"""Every clone carries it [bytes]."""
jupytext = pytest.importorskip("jupytext")


def test_cells_run_from_raw_frames_to_a_score(competition, trained_work, tmp_path, monkeypatch, capsys):
    matplotlib.use("agg")
    work = shutil.copytree(trained_work, tmp_path / "work")
    shutil.rmtree(work / "model")
    names: dict = {}
    for cell in jupytext.read(PROJECT / "docs" / "tutorial.py").cells:
        if cell.cell_type == "code" and "simulate" not in cell.metadata.get("tags", []):
            exec(cell.source, names)
            if "parameters" in cell.metadata.get("tags", []):
                names |= {"data": competition.data, "work": work}
    assert 0.0 < names["sm"].score(competition.data / "truth" / "test.csv", names["summary"].path) < 1.0
    assert pl.read_csv(work / "submission.csv").shape == (2, 567)
    with_all, alone = (float(line.split()[-2]) for line in capsys.readouterr().out.splitlines()[-2:])
    assert with_all > alone
    assert np.isfinite(names["fit"].depth).all()


def test_the_notebook_is_the_executed_source():
    from spectramind_kit.kaggle.rules.kernel import notebook_of_cells

    path = PROJECT / "docs" / "tutorial.ipynb"
    shown, source = nbformat.read(path, as_version=4), notebook_of_cells(PROJECT / "docs" / "tutorial.py")
    assert [(cell.id, cell.source) for cell in shown.cells] == [(cell.id, cell.source) for cell in source.cells]
    code = [cell for cell in shown.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(2, 2 + len(code)))
    assert path.stat().st_size < LARGEST_NOTEBOOK
