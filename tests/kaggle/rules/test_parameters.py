"""Parameters: read from the command line, held against the notebook, put where they are not overwritten."""

import nbformat
import pytest

from spectramind_kit.errors import ConfigurationError, PackagingError
from spectramind_kit.kaggle.rules.kernel import notebook_path
from spectramind_kit.kaggle.rules.parameters import bake_parameters, check_parameters, parse_parameters


def test_values_are_yaml():
    texts = ["overrides=[fit.drift_order=4, workers=2]", "value=0.5", "name=", "on=true", "text=a=b"]

    assert parse_parameters(texts) == {
        "overrides": ["fit.drift_order=4", "workers=2"],
        "value": 0.5,
        "name": "",
        "on": True,
        "text": "a=b",
    }


@pytest.mark.parametrize("text", ["value", "=1", "a.b=1", "value=[1"])
def test_what_is_no_parameter_is_refused(text):
    with pytest.raises(ConfigurationError, match="parameter"):
        parse_parameters([text])


@pytest.mark.parametrize("value", ["much", True, [1]])
def test_value_of_another_type_is_refused(kernel, value):
    with pytest.raises(PackagingError, match="wanted float, got"):
        check_parameters(notebook_path(kernel), {"value": value})


def test_unknown_name_is_refused(kernel):
    with pytest.raises(PackagingError, match="among.*value.*got.*vlaue"):
        check_parameters(notebook_path(kernel), {"vlaue": 1.0})


def test_baked_notebook_runs_with_the_value_and_leaves_the_file(kernel):
    before = notebook_path(kernel).read_bytes()
    baked = bake_parameters(notebook_path(kernel), {"value": 1})
    tagged = next(i for i, cell in enumerate(baked.cells) if "parameters" in cell.metadata.get("tags", []))
    scope = {}
    exec(baked.cells[tagged].source + "\n" + baked.cells[tagged + 1].source, scope)

    assert scope["value"] == 1 and notebook_path(kernel).read_bytes() == before
    assert baked == bake_parameters(notebook_path(kernel), {"value": 1})
    nbformat.validate(baked)
    assert bake_parameters(notebook_path(kernel), {}) == nbformat.read(notebook_path(kernel), as_version=4)
