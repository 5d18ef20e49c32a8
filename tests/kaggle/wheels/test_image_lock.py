"""The lock of an image: a published freeze under the record's own pins, resolved as Kaggle resolves it."""

import dataclasses
from pathlib import Path

import pytest

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.wheels.image_lock import make_image_lock, parse_pins, read_image_lock
from spectramind_kit.kaggle.wheels.targets import load_target
from tests.kaggle.tiny_packages import write_wheel

WHEELS = Path(__file__).parents[3] / "wheels"
FREEZE = """\
# python -m pip freeze
tiny-star==1.0
tiny-orbit==1.0
tiny_Spectra==1.2+cu128
google-colab @ file:///colabtools/dist/google_colab-1.0.0.tar.gz
unused==3.0
"""


@pytest.fixture
def uv_index(tmp_path, monkeypatch) -> Path:
    """A folder that uv finds everything in, two versions of each."""
    pytest.importorskip("uv")
    folder = tmp_path / "uv-index"
    folder.mkdir()
    requires = {"tiny-star": "", "tiny-orbit": "", "tiny-spectra": "tiny-star\nRequires-Dist: tiny-orbit>=2"}
    for name, others in requires.items():
        for version in ("1.0", "1.2", "2.0"):
            write_wheel(folder, name, version, requires=others)
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(folder))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
    return folder


def test_a_freeze_keeps_its_versions_where_the_record_allows(target, uv_index, tmp_path):
    """A version stays as long as the others can live with it; what nothing asks for stays out."""
    (tmp_path / "freeze.txt").write_text(FREEZE)
    target = dataclasses.replace(target, image={"tiny-spectra": "2.0"}, lacks={})
    pins = make_image_lock(target, tmp_path / "freeze.txt")

    assert pins == {"tiny-spectra": "2.0", "tiny-star": "1.0", "tiny-orbit": "2.0"}
    assert read_image_lock(target) == pins


def test_what_the_image_lacks_is_not_in_its_lock(target, uv_index, tmp_path):
    (tmp_path / "freeze.txt").write_text(FREEZE)
    target = dataclasses.replace(target, image={"tiny-spectra": "*"}, lacks={"tiny-star": "1.0"})

    assert make_image_lock(target, tmp_path / "freeze.txt") == {"tiny-spectra": "1.2", "tiny-orbit": "2.0"}


def test_versions_that_do_not_exist_are_named(target, uv_index, tmp_path):
    (tmp_path / "freeze.txt").write_text(FREEZE)
    with pytest.raises(PackagingError, match="tiny-star==9.0"):
        make_image_lock(dataclasses.replace(target, image={"tiny-star": "9.0"}), tmp_path / "freeze.txt")


@pytest.mark.parametrize(
    "text", ["", "a file of something else\n", "google-colab @ file:///dist/google_colab.tar.gz\n"]
)
def test_a_file_without_pins_is_refused(target, tmp_path, text):
    (tmp_path / "freeze.txt").write_text(text)
    with pytest.raises(PackagingError, match="pip freeze.*got none"):
        make_image_lock(target, tmp_path / "freeze.txt")


def test_a_target_without_lock_says_how_to_make_one(target):
    with pytest.raises(PackagingError, match="image.lock.*lock --target cp312-torch2.10-cu128 --freeze"):
        read_image_lock(target)


def test_the_lock_of_kaggles_image_holds_its_record_and_nothing_that_it_lacks():
    target = load_target(WHEELS, "cp312-torch2.10-cu128")
    pins, named = read_image_lock(target), parse_pins("\n".join(f"{n}=={v}" for n, v in target.image.items()))

    assert set(named) <= set(pins)
    assert {name: pins[name] for name, version in named.items() if version != "*"} == {
        name: version for name, version in named.items() if version != "*"
    }
    assert not set(pins) & {*target.lacks, *target.compiled}
