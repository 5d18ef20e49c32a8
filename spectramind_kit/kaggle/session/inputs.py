"""Inside a Kaggle session: find what is attached by its content, not by its path.

Kaggle mounts the same thing at ``/kaggle/input/<slug>``, ``/kaggle/input/datasets/<owner>/<slug>`` or
``/kaggle/input/competitions/<slug>``, depending on the session. The roots can be moved with the environment
variables ``KAGGLE_INPUT_ROOT`` and ``KAGGLE_WORKING_ROOT``, which is how a dry run without mounts works.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.rules.session_folders import (
    INPUT_ROOT,
    INPUT_ROOT_VARIABLE,
    WORKING_ROOT,
    WORKING_ROOT_VARIABLE,
)
from spectramind_kit.work_folder.model_record import is_model

RUN_RECORD = "events.jsonl"
MAX_DEPTH = 6
"""Deepest mount: models/<owner>/<model>/<framework>/<variation>/<version>."""
MAX_FOLDERS = 60
"""A folder with more sub-folders holds data (planets), not attachments, and is not searched."""


def input_root() -> Path:
    """The folder under which Kaggle mounts what is attached."""
    return Path(os.environ.get(INPUT_ROOT_VARIABLE, INPUT_ROOT))


def working_root() -> Path:
    """The folder whose files Kaggle keeps and scores."""
    return Path(os.environ.get(WORKING_ROOT_VARIABLE, WORKING_ROOT))


def find_competition(folder: Path | str = "") -> Path:
    """Return the attached competition's folder: the one with planets to answer and its time or ADC table.

    Args:
        folder: where it is, if that is known; "" searches.

    Raises:
        PackagingError: if none or several are attached.
    """
    if folder:
        return _only([Path(folder)] if is_competition(Path(folder)) else [], "competition folder", Path(folder))
    return _only(_search(input_root(), is_competition), "competition folder", input_root())


def find_model(folder: Path | str = "") -> Path | None:
    """Return the attached trained model's folder (the one with our ``model.json``), None if none is attached.

    Raises:
        PackagingError: if several are attached, or none is at the place given.
    """
    if folder:
        return _only([Path(folder)] if is_model(Path(folder)) else [], "trained model", Path(folder))
    found = _search(input_root(), is_model)
    return _only(found, "trained model", input_root()) if found else None


def find_source(folder: Path | str = "") -> Path:
    """Return the attached source of the kit, which travels with the wheels: the folder with ``build_dataset.py``.

    Raises:
        PackagingError: if none or several are attached.
    """
    if folder:
        return _only([Path(folder)] if is_source(Path(folder)) else [], "source of the kit", Path(folder))
    return _only(_search(input_root(), is_source), "source of the kit", input_root())


def find_runs() -> list[Path]:
    """Return the attached outputs of earlier sessions: every folder with the record that each command leaves."""
    return _search(input_root(), is_run)


def is_competition(folder: Path) -> bool:
    """True for a folder in the competition's layout, of either edition.

    A run goes on without the sample submission, so it is found without it as well.
    """
    tables = ("axis_info.parquet", "adc_info.csv", "train_adc_info.csv", "test_adc_info.csv")
    answers = (folder / "sample_submission.csv").is_file() or (folder / "test").is_dir()
    return answers and any((folder / name).is_file() for name in tables)


def is_source(folder: Path) -> bool:
    """True for a checkout of the kit, or the copy of it that a dataset carries."""
    return (folder / "build_dataset.py").is_file() and (folder / "setup.cfg").is_file()


def is_run(folder: Path) -> bool:
    """True for a work folder that a command of the kit wrote into."""
    return (folder / RUN_RECORD).is_file()


def _search(root: Path, is_wanted: Callable[[Path], bool]) -> list[Path]:
    return [folder for folder in _folders(root, MAX_DEPTH) if is_wanted(folder)]


def _folders(root: Path, depth: int) -> Iterator[Path]:
    """Yield a folder and its sub-folders, breadth bounded, without descending into competition data."""
    if not root.is_dir():
        return
    yield root
    below = [path for path in sorted(root.iterdir()) if path.is_dir()]
    if depth and len(below) <= MAX_FOLDERS and not is_competition(root):
        for folder in below:
            yield from _folders(folder, depth - 1)


def _only(found: list[Path], what: str, root: Path) -> Path:
    if len(found) == 1:
        return found[0]
    there = [str(folder.relative_to(root)) for folder in _folders(root, 3)][1:25]
    raise PackagingError(
        f"{what} under {root}",
        wanted="exactly one",
        got=[str(folder) for folder in found] or f"none among the folders {there}",
        remedy="attach it to the notebook, or name its folder",
    )
