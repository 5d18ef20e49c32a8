"""Classes from outside: found by name, refused in words, carried along with what they trained."""

import sys

import pytest

from spectramind_kit.config import load_config
from spectramind_kit.errors import ConfigurationError, SpectraMindError
from spectramind_kit.own_models.import_model import SOURCE, carry_source, model_class, source_hash


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Write a module into the current folder, under a name that nothing else has."""
    monkeypatch.chdir(tmp_path)
    written = []

    def write(text, name="brought_along"):
        (tmp_path / f"{name}.py").write_text(text)
        written.append(name)
        return name

    yield write
    for name in written:
        sys.modules.pop(name, None)


def test_a_class_of_the_current_folder_is_found_and_the_path_left_as_it_was(module):
    before = list(sys.path)
    name = module("class Mine:\n    answer = 42\n")
    assert model_class(f"{name}:Mine").answer == 42
    assert sys.path == before


@pytest.mark.parametrize(
    "text, kind, said",
    [
        ("", "brought_along:Mine", "no attribute 'Mine'"),
        ("Mine = 3", "brought_along:Mine", "wanted a class, got int"),
        ("import nothing_of_this_name", "brought_along:Mine", "No module named 'nothing_of_this_name'"),
        ("class Mine(", "brought_along:Mine", "SyntaxError"),
        ("", "not_there_at_all:Mine", "No module named 'not_there_at_all'"),
    ],
)
def test_what_cannot_be_a_model_is_refused_in_words(module, text, kind, said):
    module(text)
    with pytest.raises(SpectraMindError, match=r"model\.kind=") as refused:
        model_class(kind)
    assert said in str(refused.value)


@pytest.mark.parametrize("kind", ["v51", "Ridge", "a.b.c", "my model:Ridge", "module:", ":Class"])
def test_a_kind_that_names_no_class_is_refused_with_the_known_ones(kind):
    with pytest.raises(ConfigurationError, match=r"package\.module:Class"):
        load_config([f"model.kind='{kind}'"])


def test_an_edit_changes_the_hash_and_the_carried_source_is_what_was_trained(module, tmp_path):
    name = module("class Mine:\n    answer = 1\n")
    before = source_hash(f"{name}:Mine")
    carry_source(f"{name}:Mine", tmp_path / "networks")
    module("class Mine:\n    answer = 2\n")
    assert source_hash(f"{name}:Mine") != before
    sys.modules.pop(name)
    assert model_class(f"{name}:Mine", tmp_path / "networks" / SOURCE).answer == 1


def test_all_of_a_package_is_carried_and_nothing_of_an_installed_one(tmp_path, monkeypatch):
    package = tmp_path / "brought_package"
    (package / "inner").mkdir(parents=True)
    for path in ("__init__.py", "inner/__init__.py", "inner/model.py"):
        (package / path).write_text("class Mine:\n    pass\n")
    monkeypatch.chdir(tmp_path)
    for kind in ("brought_package.inner.model:Mine", "numpy.linalg:LinAlgError"):
        model_class(kind)
        carry_source(kind, tmp_path / kind.split(".")[0])
    carried = sorted(path.name for path in (tmp_path / "brought_package" / SOURCE).rglob("*.py"))
    assert carried == ["__init__.py", "__init__.py", "model.py"]
    assert not (tmp_path / "numpy" / SOURCE).exists()
    for name in [name for name in sys.modules if name.startswith("brought_package")]:
        del sys.modules[name]
