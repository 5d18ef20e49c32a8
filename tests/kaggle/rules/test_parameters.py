"""Parameters: read from the command line, held against the notebook, put where they are not overwritten."""

import nbformat
import pytest

from spectramind_kit.errors import ConfigurationError, PackagingError
from spectramind_kit.kaggle.rules.kernel import notebook_path
from spectramind_kit.kaggle.rules.parameters import bake_parameters, check_parameters, parse_parameters

PARAMETERS = """
overrides: list = []
text: str = ""
number: float = 0.5
count: int = 1
switch: bool = False
table: dict = {}
folder: Optional[str] = None
names: list[str] = []
limit = 2.5
debug = False
word = "a"
anything = 2 * 3
assigned: list = ["workers=2", "seed=1"]  # as in workers=4
maybe: int | None = None
quoted: "str | None" = None
union: Union[int, str] = 1
rates: dict[str, float] = {}
nested: list[list[int] | None] = []
either: "Optional[list[str]]" = None
place: pathlib.Path = pathlib.Path("a")
free: Any = None
pair: tuple[float, ...] = (1, 2)
several: list = [
    "a",
    "b",
]
old = "a"  # type: float
"""


@pytest.fixture
def typed(tmp_path):
    """A notebook with a parameter of every type."""
    cell = nbformat.v4.new_code_cell(PARAMETERS.strip(), metadata={"tags": ["parameters"]})
    path = tmp_path / "typed.ipynb"
    kernelspec = {"name": "python3", "language": "python", "display_name": "Python 3"}
    nbformat.write(nbformat.v4.new_notebook(cells=[cell], metadata={"kernelspec": kernelspec}), path)
    return path


@pytest.mark.parametrize(
    "text, value",
    [
        ("overrides=[fit.drift_order=4, workers=2]", ["fit.drift_order=4", "workers=2"]),
        ("overrides=[no, 12:30, 010, 1e-3, true]", ["no", "12:30", 10, 1e-3, True]),
        ("names=[a, b]", ["a", "b"]),
        ("names=[no, 12:30, 010, 1e-3, null, 'a b']", ["no", "12:30", "010", "1e-3", "null", "a b"]),
        ("assigned=[seed=2]", ["seed=2"]),
        ("maybe=None", None),
        ("maybe=010", 10),
        ("quoted=no", "no"),
        ("quoted=010", "010"),
        ("quoted=null", None),
        ("union=010", 10),
        ("union=1e3", "1e3"),
        ("rates={a: 1e-3, 010: 5}", {"a": 1e-3, "010": 5.0}),
        ("nested=[[010, 2], null]", [[10, 2], None]),
        ("either=[010]", ["010"]),
        ("either=None", None),
        *((f"place={each}", each) for each in ("no", "010", "1e-3", "/kaggle/input")),
        ("free=1e-3", 1e-3),
        ("free=no", "no"),
        ("pair=[1, 010]", [1.0, 10.0]),
        ("several=[c]", ["c"]),
        ("old=010", 10.0),
        ("table={a: 1}", {"a": 1}),
        *((f"text={each}", each) for each in ("", "no", "12:30", "010", "1e-3", "null", "a=b", "[1", "true", "1_000")),
        *((f"word={each}", each) for each in ("no", "5")),
        ("number=1e-3", 1e-3),
        ("number=010", 10.0),
        ("number=5", 5.0),
        ("limit=1e3", 1000.0),
        ("count=010", 10),
        ("count=-3", -3),
        *((f"switch={each}", True) for each in ("true", "True", "yes", "on", "1")),
        *((f"debug={each}", False) for each in ("false", "no", "Off", "0")),
        ("folder=None", None),
        ("folder=no", "no"),
        ("anything=1e-3", 1e-3),
        ("anything=12:30", "12:30"),
    ],
)
def test_value_is_read_by_the_stated_type(typed, text, value):
    parameters = parse_parameters([text], typed)

    assert list(parameters.values()) == [value] and [type(v) for v in parameters.values()] == [type(value)]
    check_parameters(typed, parameters)


@pytest.mark.parametrize(
    "text",
    [
        *("value", "=1", "a.b=1", "overrides=[1", "overrides=a", "number=12:30", "number=much", "count=1.5"),
        *("count=1e3", "switch=2", "switch=", "table=[1]", "count=", "anything=[1"),
        *("maybe=no", "maybe=1.5", "names=[[a]]", "names=a", "rates={a: no}", "rates=[1]", "nested=[1]", "pair=(1, 2)"),
        *("either=a", "old=no", "free=[1"),
    ],
)
def test_what_is_no_parameter_or_of_another_type_is_refused(typed, text):
    with pytest.raises(ConfigurationError, match="parameter"):
        parse_parameters([text], typed)


def test_name_that_the_notebook_has_not_is_refused_before_its_value_is_read(typed):
    with pytest.raises(PackagingError, match="among.*count.*got.*cuont"):
        parse_parameters(["cuont=1"], typed)


def test_missing_notebook_is_a_sentence(tmp_path):
    with pytest.raises(PackagingError, match="the notebook none.ipynb, got no such file"):
        parse_parameters(["count=1"], tmp_path / "none.ipynb")


@pytest.mark.parametrize("code", ["value: float = ", "value = = 5"])
def test_cell_of_parameters_that_is_no_python_is_a_sentence(tmp_path, code):
    cell = nbformat.v4.new_code_cell(code, metadata={"tags": ["parameters"]})
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "broken.ipynb")

    with pytest.raises(PackagingError, match="cell of parameters of .*broken.ipynb: wanted Python.*line 1"):
        parse_parameters(["value=1"], tmp_path / "broken.ipynb")


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
