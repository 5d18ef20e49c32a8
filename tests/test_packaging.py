"""The package as users get it: wheel and source distribution, installed where there is no checkout."""

import re
import runpy
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from spectramind_kit import __version__
from spectramind_kit.kaggle.wheels.wheelhouse import PROJECT_FILES
from tests.site_folders import SITE_FOLDERS

PROJECT = Path(__file__).parents[1]
LARGEST_WHEEL = 2_000_000
"""It travels with every wheel dataset [bytes]."""
BUILD = "import sys; from setuptools import build_meta as b; out = sys.argv[1]; b.build_sdist(out); b.build_wheel(out)"


def run(*command, folder):
    """Return what a command prints in a folder, without this checkout on Python's path."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(list(map(str, command)), cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Wheel and source distribution, built from a copy of what is needed."""
    pytest.importorskip("setuptools")
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    for name in PROJECT_FILES:
        shutil.copy(PROJECT / name, source)
    shutil.copytree(
        PROJECT / "spectramind_kit", source / "spectramind_kit", ignore=shutil.ignore_patterns("__pycache__")
    )
    run(sys.executable, "-c", BUILD, out, folder=source)
    return out


def installed(distribution, place):
    """Install a distribution alone, beside the packages that are here; return the environment's bin."""
    run(sys.executable, "-m", "venv", "--without-pip", place, folder=place.parent)
    python = place / "bin" / "python"
    packages = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", folder=place))
    (packages / "beside.pth").write_text("".join(f"{folder}\n" for folder in SITE_FOLDERS))
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index", "--no-deps"]
    run(*pip, "--no-build-isolation", "--no-warn-script-location", distribution, folder=place)
    return place / "bin"


@pytest.mark.parametrize("kind", ["*.whl", "*.tar.gz"])
def test_an_installed_distribution_works_without_the_checkout(built, tmp_path, kind):
    (distribution,) = built.glob(kind)
    binaries, elsewhere = installed(distribution, tmp_path / "venv"), tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert run(binaries / "spectramind", "--version", folder=elsewhere) == __version__
    where = run(binaries / "python", "-c", "import spectramind_kit as s; print(s.__file__)", folder=elsewhere)
    assert Path(where).is_relative_to(tmp_path)
    if kind == "*.whl":
        few = ["simulation.airs_average=75", "simulation.fgs1_average=900", "workers=1"]
        simulate = [binaries / "spectramind", "-q", "simulate", "--out", "data", "--train", 1, "--test", 1]
        assert run(*simulate, *few, folder=elsewhere) == "1 training and 1 test planets in data"
        assert len(list((elsewhere / "data").glob("t*/*/AIRS-CH0_signal_0.parquet"))) == 2


def test_the_wheel_is_small_and_holds_what_the_checkout_holds(built):
    (wheel,) = built.glob("*.whl")
    print(f"{wheel.name}: {wheel.stat().st_size / 1e6:.2f} MB")
    assert wheel.stat().st_size < LARGEST_WHEEL
    inside = {
        name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name and ".data/data/" not in name
    }
    ours = {str(path.relative_to(PROJECT)) for path in (PROJECT / "spectramind_kit").rglob("*") if path.is_file()}
    assert inside == {name for name in ours if "__pycache__" not in name}


def test_the_index_gets_a_description_without_dead_links(built):
    (wheel,) = built.glob("*.whl")
    archive = zipfile.ZipFile(wheel)
    (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
    head, _, text = archive.read(name).decode().partition("\n\n")
    assert "Description-Content-Type: text/markdown" in head and "Project-URL: " in head
    assert text.lstrip().startswith("# spectramind_kit") and "make demo" in text
    assert not re.findall(r"\]\((?!https?:)", text)


def test_links_and_pictures_become_words():
    description = runpy.run_path(str(PROJECT / "setup.py"))["description"]
    readme = "# A\n\n![b](c.png)\n\n*of d, by `e`*\n\nSee [f](docs/f.md#g) and [h](https://i).\n"
    assert description(readme) == "# A\n\nSee f and [h](https://i).\n"
