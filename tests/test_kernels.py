"""The repository's kernels: generated from their sources, thin, offline, attached to what the configuration names."""

import json
import sys
from pathlib import Path

import IPython
import nbformat
import pytest

from spectramind_kit.config import load_config
from spectramind_kit.errors import PackagingError
from spectramind_kit.files import sha256_of
from spectramind_kit.kaggle.remote.kernel_push import prepare_push
from spectramind_kit.kaggle.rules.kernel import (
    check_kernel,
    notebook_from_source,
    notebook_path,
    read_metadata,
    write_notebook,
)
from spectramind_kit.kaggle.rules.output_check import check_output
from spectramind_kit.kaggle.session.sharing import private_parts

KERNELS = sorted(path.parent for path in (Path(__file__).parents[1] / "kernels").glob("*/kernel-metadata.json"))
OVERRIDES = ["workers=1", "model=v50_small", "model.d_model=8", "model.heads=2", "model.d_state=2", "training.epochs=2"]
"""The smallest network, on one core: what the attached training session used."""
NOTEBOOK = '# %% tags=["install"]\nimport math\n\n# %% tags=["parameters"]\nradius: float = 1.0\n\n# %%\n'


def install_cell(folder):
    """Return the code of a kernel's install cell."""
    (cell,) = [cell for cell in check_kernel(folder).cells if "install" in cell.metadata.get("tags", [])]
    return cell.source


def write_kernel(folder, source, **changes):
    """Write a kernel folder with its notebook."""
    folder.mkdir()
    metadata = {"title": "A notebook", "code_file": "thin.ipynb", "language": "python", "kernel_type": "notebook"}
    (folder / "kernel-metadata.json").write_text(json.dumps({**metadata, "enable_internet": False, **changes}))
    (folder / "thin.py").write_text(source)
    return folder


@pytest.mark.parametrize("folder", KERNELS, ids=lambda folder: folder.name)
def test_kernel_is_a_thin_notebook_generated_from_its_source(folder):
    assert check_kernel(folder) == nbformat.from_dict(notebook_from_source(folder))


@pytest.mark.parametrize("folder", KERNELS, ids=lambda folder: folder.name)
def test_kernel_attaches_what_the_configuration_names(folder):
    metadata, config = read_metadata(folder), load_config().kaggle

    assert metadata["dataset_sources"] == [f"{config.owner}/{config.dataset}"]
    assert metadata["competition_sources"] == ([] if metadata["enable_internet"] else [config.competition])
    assert metadata["id"] == f"{config.owner}/spectramind-{folder.name}"


@pytest.mark.parametrize("folder", KERNELS, ids=lambda folder: folder.name)
def test_kernel_can_be_pushed_and_says_what_it_leaves(folder):
    push = prepare_push(folder, 3600)

    assert read_metadata(folder)["expected_output"] and "expected_output" not in push.metadata
    assert push.metadata.get("machine_shape") == read_metadata(folder).get("machine_shape")


def test_there_are_five_kernels_and_one_alone_uses_the_internet():
    assert [folder.name for folder in KERNELS] == ["build-wheels", "diagnose", "preprocess", "submit", "train"]
    assert [f.name for f in KERNELS if read_metadata(f)["enable_internet"]] == ["build-wheels"]
    assert [f.name for f in KERNELS if not read_metadata(f)["is_private"]] == ["diagnose"]
    assert [f.name for f in KERNELS if read_metadata(f)["enable_gpu"]] == ["build-wheels", "submit", "train"]


def test_every_notebook_installs_in_the_same_way():
    install = {
        cell.source for f in KERNELS for cell in check_kernel(f).cells if "install" in cell.metadata.get("tags", [])
    }

    assert len(install) == 1


@pytest.mark.parametrize(
    "place",
    ["wheels-here", "datasets/me/wheels-here", "notebooks/me/build/wheels-here", "build/wheels-here"],
)
def test_install_cell_finds_the_dataset_under_every_layout(tmp_path, monkeypatch, place):
    dataset = tmp_path / place
    write_installer(dataset)
    monkeypatch.setenv("KAGGLE_INPUT_ROOT", str(tmp_path))
    scope = {}
    exec(install_cell(KERNELS[0]), scope)

    assert scope["installed"] == str(dataset / "install.py")


def write_installer(dataset):
    """Write a dataset whose installer installs nothing; return its manifest."""
    dataset.mkdir(parents=True)
    (dataset / "install.py").write_text("def install():\n    return __file__\n")
    manifest = dataset / "manifest.json"
    manifest.write_text(json.dumps({"installer_sha256": sha256_of(dataset / "install.py")}))
    facts = {"id": "somebody/wheels-here", "title": "Wheels here", "licenses": [{"name": "other"}]}
    (dataset / "dataset-metadata.json").write_text(json.dumps(facts))
    return manifest


def test_two_installers_are_refused(tmp_path, monkeypatch):
    write_installer(tmp_path / "datasets" / "me" / "wheels-here")
    write_installer(tmp_path / "datasets" / "other" / "wheels-there")
    monkeypatch.setenv("KAGGLE_INPUT_ROOT", str(tmp_path))

    with pytest.raises(AssertionError, match="attach one dataset with an install.py"):
        exec(install_cell(KERNELS[0]), {})


def bound_cell(dataset):
    """Return the install cell of a notebook pushed for a dataset."""
    push = prepare_push(KERNELS[0], 60, more_sources={"dataset_sources": ["somebody/wheels-here"]}, trust=dataset)
    cells = nbformat.reads(push.text, as_version=4).cells
    return next(cell.source for cell in cells if "install" in cell.metadata.get("tags", []))


def test_notebook_installs_the_dataset_that_it_was_pushed_for(tmp_path, monkeypatch):
    manifest = write_installer(tmp_path / "wheels-here")
    monkeypatch.setenv("KAGGLE_INPUT_ROOT", str(tmp_path))
    cell, scope = bound_cell(manifest.parent), {}
    exec(cell, scope)

    assert sha256_of(manifest) in cell and scope["installed"] == str(manifest.parent / "install.py")
    assert 'manifest_sha256 = ""' in install_cell(KERNELS[0]), "the reviewed notebook stays as it is"


@pytest.mark.parametrize("altered", ["manifest.json", "install.py"])
def test_notebook_installs_no_other_dataset(tmp_path, monkeypatch, altered):
    manifest = write_installer(tmp_path / "wheels-here")
    monkeypatch.setenv("KAGGLE_INPUT_ROOT", str(tmp_path))
    cell, file = bound_cell(manifest.parent), manifest.with_name(altered)
    file.write_text(file.read_text() + "\n")

    with pytest.raises(AssertionError, match="is not the dataset|was altered"):
        exec(cell, {})


def test_dataset_that_is_not_attached_or_not_whole_cannot_be_trusted(tmp_path):
    manifest = write_installer(tmp_path / "wheels-here")
    with pytest.raises(PackagingError, match="got wheels-here; attach it"):
        prepare_push(KERNELS[0], 60, trust=manifest.parent)
    manifest.write_text("{}")
    with pytest.raises(PackagingError, match="install.py of .*the manifest's SHA-256.*build again"):
        bound_cell(manifest.parent)
    manifest.write_text("{")
    with pytest.raises(PackagingError, match="manifest.json: wanted JSON, got .*line 1"):
        bound_cell(manifest.parent)
    with pytest.raises(PackagingError, match="a folder with manifest.json and install.py"):
        bound_cell(tmp_path)


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
def test_program_in_a_notebook_is_refused(tmp_path, program):
    folder = write_kernel(tmp_path / "thin", NOTEBOOK + program + "\n")
    write_notebook(folder)

    with pytest.raises(PackagingError, match="a notebook that calls the library"):
        check_kernel(folder)


@pytest.mark.parametrize(
    "cell",
    [
        "%matplotlib inline\nradius * math.pi",
        "!nvidia-smi",
        "if radius:\n    !df -h",
        "%%time\nradius",
        "%%bash\nfor name in *; do echo $name; done",
        "math.pi?",
        "!pip install \\\n    nothing",
        "pip install nothing",
        "%pip install nothing",
        "ls -l /kaggle/input",
        "cat notes.txt",
        "cd /kaggle/working",
        "time math.sqrt(radius)",
        "!!nvidia-smi",
        "??math",
        "math.pi??",
        "took = %timeit -o -n1 radius",
        "if radius:\n    %time radius\nelse:\n    !df -h",
        "if radius:\n\t!df -h",
        "print(\n    radius,\n)\n!df -h",
        'text = """\n!ls\n%cd x\n"""',
        "half = 5 \\\n%2",
        "%%html\n<b>bold</b>",
        "%%capture out\nradius",
        "await math.pi",
    ],
)
def test_magics_and_shell_lines_are_no_program(tmp_path, cell):
    folder = write_kernel(tmp_path / "thin", NOTEBOOK + cell + "\n")
    write_notebook(folder)

    assert check_kernel(folder).cells[-1].source == cell


def test_the_assigned_output_of_a_program_is_warned_of_or_refused(tmp_path, caplog):
    """IPython of Kaggle's image does not read it; a newer one here does."""
    folder = write_kernel(tmp_path / "thin", NOTEBOOK + "files = !ls /kaggle/input\nfiles\n")
    write_notebook(folder)
    if IPython.version_info < (8,) and sys.version_info >= (3, 12):
        with pytest.raises(PackagingError, match="invalid syntax"):
            check_kernel(folder)
    else:
        check_kernel(folder)
        assert "write get_ipython().getoutput" in caplog.text


@pytest.mark.parametrize(
    "cell",
    [
        *(
            "%%time\nfor i in (): i",
            "%matplotlib inline\ndef area(): ...",
            "radius = = 2",
            "%%time\n!ls\n[r for r in ()]",
        ),
        *("pip install nothing\nradius", "if radius: !ls", "print((", "!ls\nlambda: 1"),
    ],
)
def test_magics_hide_no_program_and_no_mistake(tmp_path, cell):
    folder = write_kernel(tmp_path / "thin", NOTEBOOK + cell + "\n")
    write_notebook(folder)

    with pytest.raises(PackagingError, match="in the cell that starts"):
        check_kernel(folder)


def test_notebook_edited_by_hand_is_refused(tmp_path):
    folder = write_kernel(tmp_path / "thin", NOTEBOOK + "radius * math.pi\n")
    write_notebook(folder)
    check_kernel(folder)
    path = notebook_path(folder)
    path.write_text(path.read_text().replace("math.pi", "3.14"))

    with pytest.raises(PackagingError, match="build_dataset.py notebooks"):
        check_kernel(folder)


def test_generating_twice_gives_the_same_bytes(tmp_path):
    folder = write_kernel(tmp_path / "thin", NOTEBOOK + "radius\n")

    assert write_notebook(folder).read_bytes() == write_notebook(folder).read_bytes()


def test_missing_tag_is_refused(tmp_path):
    folder = write_kernel(tmp_path / "thin", NOTEBOOK.replace(' tags=["install"]', ""))
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
        read_metadata(write_kernel(tmp_path / "thin", NOTEBOOK, **change))


@pytest.fixture
def attached(tmp_path, monkeypatch, competition, trained_work):
    """A session: the simulated competition and the output of a training session are attached."""
    return attach(tmp_path, monkeypatch, competition.data, trained_work)


def attach(tmp_path, monkeypatch, data, output):
    """Attach a competition and a session's output as Kaggle does; return the working folder."""
    root, working = tmp_path / "input", tmp_path / "working"
    working.mkdir()
    (root / "competitions").mkdir(parents=True)
    (root / "competitions" / "ariel").symlink_to(data)
    (root / "notebooks" / "ada-l").mkdir(parents=True)
    (root / "notebooks" / "ada-l" / "train").symlink_to(output)
    monkeypatch.setenv("KAGGLE_INPUT_ROOT", str(root))
    monkeypatch.setenv("KAGGLE_WORKING_ROOT", str(working))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return working


def run_notebook(name):
    """Run a kernel's cells but the one that installs."""
    (folder,) = [folder for folder in KERNELS if folder.name == name]
    scope = {"Path": Path}
    for cell in check_kernel(folder).cells:
        tags = cell.metadata.get("tags", [])
        if cell.cell_type == "code" and "install" not in tags:
            exec(cell.source, scope)
            scope |= {"overrides": OVERRIDES} if "parameters" in tags else {}


@pytest.mark.parametrize("name", ["preprocess", "train", "submit"])
def test_notebook_runs_on_a_competition_and_leaves_its_output(attached, name):
    before = {path: path.read_bytes() for path in (attached.parent / "input").rglob("*.json")}
    run_notebook(name)

    (folder,) = [folder for folder in KERNELS if folder.name == name]
    assert check_output(attached, read_metadata(folder)["expected_output"])
    curves = list(attached.glob("light_curves/*/*.npz"))
    assert curves and all(path.is_symlink() for path in curves), "light curves of the same frames are not made anew"
    assert before == {path: path.read_bytes() for path in before}


def test_shared_notebook_leaves_a_report_without_names(attached):
    run_notebook("diagnose")

    assert [path.name for path in attached.iterdir()] == ["report.html"]
    text = (attached / "report.html").read_text()
    assert "data:application/gzip" in text and not private_parts(text, {"ada-l"})
