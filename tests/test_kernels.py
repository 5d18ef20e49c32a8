"""The repository's kernels: generated from their sources, thin, offline, attached to what the configuration names."""

import json
from pathlib import Path

import nbformat
import pytest

from spectramind_kit.config import load_config
from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.kernel import (
    check_kernel,
    notebook_from_source,
    notebook_path,
    read_metadata,
    write_notebook,
)

KERNELS = sorted(path.parent for path in (Path(__file__).parents[1] / "kernels").glob("*/kernel-metadata.json"))
PAGE = '# %% tags=["install"]\nimport math\n\n# %% tags=["parameters"]\nradius: float = 1.0\n\n# %%\n'


def write_kernel(folder, source, **changes):
    """Write a kernel folder with its notebook."""
    folder.mkdir()
    metadata = {"title": "A page", "code_file": "page.ipynb", "language": "python", "kernel_type": "notebook"}
    (folder / "kernel-metadata.json").write_text(json.dumps({**metadata, "enable_internet": False, **changes}))
    (folder / "page.py").write_text(source)
    return folder


@pytest.mark.parametrize("folder", KERNELS, ids=lambda folder: folder.name)
def test_kernel_is_a_thin_page_generated_from_its_source(folder):
    assert check_kernel(folder) == nbformat.from_dict(notebook_from_source(folder))


@pytest.mark.parametrize("folder", KERNELS, ids=lambda folder: folder.name)
def test_kernel_attaches_what_the_configuration_names(folder):
    metadata, config = read_metadata(folder), load_config().kaggle

    assert f"{config.owner}/{config.dataset}" in metadata["dataset_sources"]
    assert metadata["competition_sources"] == [config.competition]
    assert metadata["id"].split("/")[0] == config.owner
    assert metadata["id"].split("/")[1] == metadata["title"].lower().replace(" ", "-")


def test_there_is_a_submit_kernel():
    assert "submit" in [folder.name for folder in KERNELS]


@pytest.mark.parametrize(
    "program",
    [
        "def area(r):\n    return r",
        "class Star:\n    pass",
        "for planet in ():\n    planet",
        "while radius > 2:\n    radius -= 1",
        "try:\n    radius\nexcept NameError:\n    radius = 1",
        "[r for r in (1, 2)]",
        "grow = lambda r: r + 1",
    ],
)
def test_program_in_a_page_is_refused(tmp_path, program):
    folder = write_kernel(tmp_path / "page", PAGE + program + "\n")
    write_notebook(folder)

    with pytest.raises(PackagingError, match="a page that calls the library"):
        check_kernel(folder)


def test_notebook_edited_by_hand_is_refused(tmp_path):
    folder = write_kernel(tmp_path / "page", PAGE + "radius * math.pi\n")
    write_notebook(folder)
    check_kernel(folder)
    path = notebook_path(folder)
    path.write_text(path.read_text().replace("math.pi", "3.14"))

    with pytest.raises(PackagingError, match="build_dataset.py notebooks"):
        check_kernel(folder)


def test_generating_twice_gives_the_same_bytes(tmp_path):
    folder = write_kernel(tmp_path / "page", PAGE + "radius\n")

    assert write_notebook(folder).read_bytes() == write_notebook(folder).read_bytes()


def test_missing_tag_is_refused(tmp_path):
    folder = write_kernel(tmp_path / "page", PAGE.replace(' tags=["install"]', ""))
    write_notebook(folder)

    with pytest.raises(PackagingError, match="install"):
        check_kernel(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"enable_internet": True, "competition_sources": ["a-competition"]},
        {"enable_internet": "no"},
        {"kernel_type": "script"},
        {"title": "x" * 51},
    ],
)
def test_metadata_that_would_not_be_scored_is_refused(tmp_path, change):
    with pytest.raises(PackagingError, match="kernel-metadata.json"):
        read_metadata(write_kernel(tmp_path / "page", PAGE, **change))
