"""The page of results: written from its files, true to the code, and where the README's figures come from."""

import json
import re
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

from spectramind_kit.work_folder import provenance

PROJECT = Path(__file__).parents[2]
README = (PROJECT / "README.md").read_text()


@pytest.fixture(scope="module")
def results(benchmark):
    """The script."""
    return benchmark("write_results")


def test_the_page_is_what_its_files_say(results):
    assert results.PAGE.read_text() == results.results_page(), "run `make docs`"


def test_every_table_says_where_it_comes_from(results):
    found = results.sections()
    assert len({section.place for section in found}) == len({section.title for section in found}) == len(found)
    for table in (table for section in found for table in section.tables):
        assert re.fullmatch(r"[0-9a-f]{7,}", table["commit"]) and table["machine"], table
        assert bool(table["command"]) == bool(table["code"]), table
        assert all(len(row) == len(table["columns"]) for row in table["rows"]), table


@pytest.fixture
def project(tmp_path):
    """A checkout with a benchmark that imports one of two modules, and a neighbour of its own."""
    sources = {
        "spectramind_kit/__init__.py": '"""Made up."""',
        "spectramind_kit/cli.py": "import spectramind_kit.other",
        "spectramind_kit/measured.py": "VALUE = 1",
        "spectramind_kit/other.py": "VALUE = 1",
        "benchmarks/speed.py": "from neighbour import near\nfrom spectramind_kit import measured",
        "benchmarks/neighbour.py": "near = 1",
        "benchmarks/apart.py": "far = 1",
        "benchmarks/caller.py": 'command = ["-m", "spectramind_kit", "submit"]',
    }
    for name, text in sources.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    return tmp_path


@pytest.mark.parametrize(
    "command, edited, changes",
    [
        ("python benchmarks/speed.py --runs 3", "spectramind_kit/measured.py", True),
        ("python benchmarks/speed.py --runs 3", "benchmarks/neighbour.py", True),
        ("python benchmarks/speed.py --runs 3", "benchmarks/speed.py", True),
        ("python benchmarks/speed.py --runs 3", "spectramind_kit/other.py", False),
        ("python benchmarks/speed.py --runs 3", "benchmarks/apart.py", False),
        ("python benchmarks/caller.py", "spectramind_kit/other.py", True),
        ("spectramind score --truth T", "spectramind_kit/other.py", True),
        ("make demo", "spectramind_kit/other.py", True),
        ("make demo", "spectramind_kit/measured.py", False),
    ],
)
def test_a_table_says_whether_its_code_has_changed(results, project, command, edited, changes):
    table = {"command": command, "date": "2026-11-29", "commit": "abcdef1", "machine": "2 cores"}
    table["code"] = results.code_of(command, project)
    assert results.origin_of(table, project).endswith("Its code is that of today.")
    path = project / edited
    path.write_text(path.read_text() + "more = 1\n")
    for remembered in (provenance.code_hash, provenance.imported_modules, provenance._sources):
        remembered.cache_clear()
    assert results.origin_of(table, project).endswith("**Its code has changed since.**") == changes


def test_a_table_whose_script_is_gone_says_so(results, project):
    table = {"command": "python benchmarks/gone.py", "date": "2026-11-29", "commit": "abcdef1", "machine": "2 cores"}
    assert results.origin_of(table | {"code": "0"}, project).endswith("**Its script is gone.**")
    unknown = results.origin_of(table | {"command": "", "code": ""}, project)
    assert unknown == (
        "No one command, 29 November 2026, commit abcdef1, 2 cores. Whether its code has changed since is not known."
    )


def rows_of(name: str, number: int) -> list[list[str]]:
    """Return the rows of a table: the file's name, and the table's number in it."""
    return json.loads((PROJECT / "benchmarks" / "results" / f"{name}.json").read_text())["tables"][number]["rows"]


def rounded(figure: str, digits: str) -> str:
    """Return a figure as the README has it: halves up, no zero before the point."""
    return str(Decimal(figure).quantize(Decimal(digits), ROUND_HALF_UP)).removeprefix("0")


def figures_of_readme() -> tuple[list[list[str]], list[str]]:
    """Return the scores of each row of the README's score table, and all figures of the words below it."""
    rows, words = README.split("## How good it is")[1].split("|---|---|---|---|\n")[1].split("\n\n")[:2]
    return [re.findall(r"(?<!\w)\.\d{3}\b", row) for row in rows.splitlines()], re.findall(r"\.\d{3}|\d+", words)


def mean_of(rows: list[list[str]], column: int) -> str:
    """Return the mean of a column of scores, rounded as the README has it."""
    return rounded(str(sum(Decimal(row[column]) for row in rows) / len(rows)), ".001")


def test_the_readmes_scores_are_those_of_the_results():
    worlds, real, headroom = rows_of("worlds", 0), rows_of("real", 0), (PROJECT / "benchmarks/results/headroom.json")
    fit, cubic = (real[row][column].split(", ") for row, column in ((0, 3), (3, 1)))
    network = re.findall(r"(\.\d{3}) \+- (\.\d{3}) at its cross-fitted", headroom.read_text())
    rows, words = figures_of_readme()
    assert rows == [
        [mean_of(worlds, column) for column in (1, 3, 2)],
        [rows_of("foreign", 0)[0][2], ".738"],  # the bound is in the words above that table
    ]
    errors = [rounded(figure, "1") for figure in (*fit, *cubic)]
    assert words == ["504", *errors, "50", *network[0]]  # 50: the name of the network
    assert "bound is .738" in " ".join((PROJECT / "benchmarks" / "RESULTS.md").read_text().split())


def test_the_demo_prints_what_the_results_say():
    printed = dict(re.findall(r"^(score|one depth).*? (0\.\d{4})$", README, flags=re.MULTILINE))
    assert printed == {"score": f"0{rows_of('demo', 0)[0][1]}", "one depth": f"0{rows_of('demo', 0)[2][1]}"}


def test_the_record_of_a_table_holds_all_that_it_needs(results):
    if not (PROJECT / ".git").exists():
        pytest.skip("no checkout")
    record = results.about("python benchmarks/startup.py")
    assert record.keys() == {"command", "date", "commit", "machine", "code"} and all(record.values())
