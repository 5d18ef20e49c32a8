"""The tutorial: its notebook is that of its source, and every cell of it runs and shows what it promises."""

import ast
import runpy
import shutil
from pathlib import Path

import nbformat
import polars as pl
from matplotlib.figure import Figure

from spectramind_kit.kaggle.rules.kernel import notebook_of
from spectramind_kit.work_folder.submission import read_submission, validate_submission

DOCS = Path(__file__).parents[1] / "docs"
OVERRIDES = ["model=none", "workers=1"]


def shown_by(cells, parameters):
    """Run cells as a notebook does; return what the last line of each shows, and the names at the end."""
    scope, shown = {}, []
    for cell in cells:
        *body, last = ast.parse(cell.source).body
        is_shown = isinstance(last, ast.Expr)
        exec(compile(ast.Module([*body, *([] if is_shown else [last])], []), "tutorial", "exec"), scope)
        shown.append(eval(compile(ast.Expression(last.value), "tutorial", "eval"), scope) if is_shown else None)
        if "parameters" in cell.metadata.get("tags", []):
            scope |= parameters
    return shown, scope


def test_the_notebook_is_that_of_its_source():
    written = runpy.run_path(str(DOCS / "write_tutorial.py"))
    found = nbformat.read(written["NOTEBOOK"], as_version=4)
    assert found == nbformat.from_dict(notebook_of(written["SOURCE"])), "run `make docs`"


def test_every_cell_runs_and_the_pictures_are_there(competition, trained_work, tmp_path):
    """On the tests' planets, whose light curves and fits are there already."""
    (tmp_path / "data").symlink_to(competition.data)
    shutil.copytree(trained_work, tmp_path / "work", ignore=shutil.ignore_patterns("model", "submission.csv", "runs"))
    cells = [cell for cell in notebook_of(DOCS / "tutorial.py").cells if cell.cell_type == "code"]
    shown, scope = shown_by(cells, {"folder": str(tmp_path), "overrides": OVERRIDES})

    pages = [getattr(each, "_repr_html_", str)() or "" for each in shown]
    pictures = [each for each, page in zip(shown, pages) if isinstance(each, Figure) or "<img" in page]
    assert [type(each).__name__ for each in pictures] == ["Figure", "LightCurves", "TransitFit", "Figure"]
    assert 0.2 < scope["score"] <= 1.0 and 0.2 < scope["model"].score <= 1.0
    sample = pl.read_csv(competition.data / "sample_submission.csv")
    validate_submission(read_submission(tmp_path / "work" / "submission.csv"), sample)
    assert scope["likelihood"].factor.shape[0] == 283
