"""A working model to start from: one of the examples under a name of one's own, and a test that runs it."""

from importlib.resources import files
from pathlib import Path

from spectramind_kit.errors import SpectraMindError

EXAMPLES = {"regressor": ("ridge", "Ridge"), "network": ("perceptron", "Perceptron")}
"""Module and class of the example of each sort."""
_TEST = '''"""{class_name} goes the whole way from training to a submission."""

from spectramind_kit.config import load_config
from spectramind_kit.selftest import run_selftest


def test_it_trains_and_stands_in_a_submission():
    config = load_config(["model.kind={module}:{class_name}", "training.folds=2"])
    assert [check for check in run_selftest(config) if not check.passed] == []
'''


def write_template(name: str, sort: str, folder: Path) -> tuple[Path, Path, str]:
    """Write a model and its test.

    Args:
        name: of the model, as a module is named: my_ridge.
        sort: "regressor" or "network".
        folder: that the files come into.

    Returns:
        The model, its test, and its kind, "module:Class".

    Raises:
        SpectraMindError: if the name cannot be a module's, or a file is there already.
    """
    if not name.isidentifier() or name != name.lower():
        wanted = "lower-case letters, digits and underscores, such as my_ridge"
        raise SpectraMindError(f"name of a model: {name}", wanted=wanted, got=name)
    example, class_name = EXAMPLES[sort]
    own = "".join(part.capitalize() for part in name.split("_"))
    source = (files("spectramind_kit.model_templates") / f"{example}.py").read_text(encoding="utf-8")
    model, test = folder / f"{name}.py", folder / f"test_{name}.py"
    for path in (model, test):
        if path.exists():
            raise SpectraMindError(
                f"{path}", wanted="a new file", got="one that is there", remedy="choose another name"
            )
    folder.mkdir(parents=True, exist_ok=True)
    model.write_text(source.replace(class_name, own), encoding="utf-8")
    test.write_text(_TEST.format(module=name, class_name=own), encoding="utf-8")
    return model, test, f"{name}:{own}"
