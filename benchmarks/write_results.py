"""Write RESULTS.md beside this file from what ``results/*.json`` hold: every table with command, date, commit, machine.

    python benchmarks/write_results.py                              write it
    python benchmarks/write_results.py about COMMAND [COMMIT]       the record of a table, to put beside new figures

A table whose code has changed since says so: ``code`` is a hash of the benchmark's script, the scripts it imports, and
every module of the package that they import, however far away. A section of a file is

    {"title": ..., "place": ..., "about": [paragraphs], "tables": [
        {"command": ..., "date": ..., "commit": ..., "machine": ..., "code": ..., "columns": [...], "rows": [[...]],
         "head": what the table is, "notes": [paragraphs], "written_down": true where the commit only wrote it down}]}

Figures are written as they are to be read; the last three keys may be left out. A test compares RESULTS.md with the
files, and the README's figures, too.
"""

import ast
import datetime
import hashlib
import json
import subprocess
import sys
import tempfile
import textwrap
from dataclasses import dataclass
from pathlib import Path

from spectramind_kit.work_folder.provenance import code_hash

PROJECT = Path(__file__).resolve().parents[1]
PAGE = PROJECT / "benchmarks" / "RESULTS.md"
FOLDER = PROJECT / "benchmarks" / "results"
MACHINE = "2 cores, no GPU"
_PACKAGE = "spectramind_kit"
_WIDTH = 120
_HEAD = """# Results

Each table says by which command, on which code, when and where it was measured, and whether that code has changed
since. Written by `make docs` from `benchmarks/results`; what words mean is in [the glossary](../docs/glossary.md).
"""


@dataclass(frozen=True)
class Section:
    """A headline and its tables.

    Attributes:
        title: the headline.
        place: where it stands among the others.
        about: paragraphs before the tables.
        tables: as the file has them.
    """

    title: str
    place: float
    about: list[str]
    tables: list[dict]


def sections(folder: Path = FOLDER) -> list[Section]:
    """Return the sections of a folder's files, in the order of their places."""
    found = [Section(**json.loads(path.read_text())) for path in folder.glob("*.json")]
    return sorted(found, key=lambda section: section.place)


def results_page(folder: Path = FOLDER, project: Path = PROJECT) -> str:
    """Return the page.

    Args:
        folder: of the files.
        project: checkout whose code the tables are held against.
    """
    parts = [_HEAD]
    for section in sections(folder):
        parts += [f"## {section.title}\n", *map(_paragraph, section.about)]
        for table in section.tables:
            parts += [_paragraph(origin_of(table, project)), f"{_table(table)}\n"]
            parts += map(_paragraph, table.get("notes", []))
    return "\n".join(parts)


def origin_of(table: dict, project: Path = PROJECT) -> str:
    """Return the sentence that says where a table comes from, and whether that still is the code.

    Args:
        table: as a file has it; command and code are empty where there is no one command.
        project: checkout to compare with.
    """
    day = datetime.date.fromisoformat(table["date"])
    commit = f"{'written down with' if table.get('written_down') else 'commit'} {table['commit']}"
    command = f"`{table['command']}`" if table["command"] else "No one command"
    head = f"{table['head']}: " if table.get("head") else ""
    return f"{head}{command}, {day.day} {day:%B %Y}, {commit}, {table['machine']}. {_age(table, project)}"


def _age(table: dict, project: Path) -> str:
    if not table["code"]:
        return "Whether its code has changed since is not known."
    try:
        changed = code_of(table["command"], project) != table["code"]
    except FileNotFoundError:
        return "**Its script is gone.**"
    return "**Its code has changed since.**" if changed else "Its code is that of today."


def code_of(command: str, project: Path = PROJECT) -> str:
    """Return a hash of the code that a command runs: scripts of the project, and what they import of the package.

    Args:
        command: as one types it: "python benchmarks/worlds.py ...", "spectramind ...", "make demo".
        project: checkout.

    Raises:
        FileNotFoundError: if there is no such script.
    """
    words = command.split()
    script = next((project / word for word in words if word.endswith(".py")), None)
    scripts = _with_neighbours(script) if script else {}
    modules = {name for source in scripts.values() for name in _imports_of(source, project)}
    # What calls the command runs all of it.
    if not scripts or any(f'"{_PACKAGE}"' in source for source in scripts.values()):
        modules.add(f"{_PACKAGE}.cli")
    digest = hashlib.sha256()
    for path, source in sorted(scripts.items()):
        digest.update(f"{path.name}\0{source}\0".encode())
    digest.update(code_hash(*sorted(modules), package=project / _PACKAGE).encode())
    return digest.hexdigest()[:16]


def _with_neighbours(script: Path) -> dict[Path, str]:
    """Return the sources of a script and of those beside it that it imports, and so on."""
    found: dict[Path, str] = {}
    waiting = [script]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found[path] = path.read_text()
            names = {name.split(".")[0] for name in _imported(found[path])}
            waiting += [near for name in names if (near := path.with_name(f"{name}.py")).is_file()]
    return found


def _imported(source: str) -> set[str]:
    """Return the dotted names that a source imports, and those that may be modules of them."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def _imports_of(source: str, project: Path) -> set[str]:
    """Return the modules of the package that a source imports."""
    names = {name for name in _imported(source) if name.split(".")[0] == _PACKAGE}
    places = {name: project.joinpath(*name.split(".")) for name in names}
    return {name for name, at in places.items() if at.with_suffix(".py").is_file() or (at / "__init__.py").is_file()}


def _paragraph(text: str) -> str:
    return textwrap.fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False) + "\n"


def _table(table: dict) -> str:
    lines = [f"| {' | '.join(row)} |" for row in (table["columns"], *table["rows"])]
    return "\n".join([lines[0], "|---" * len(table["columns"]) + "|", *lines[1:]])


def about(command: str, commit: str = "") -> dict[str, str]:
    """Return the record of a table that a command has just given, or gave at a commit.

    Args:
        command: as it was typed.
        commit: of this project; the code as it lies here if not given.
    """
    if commit:
        with tempfile.TemporaryDirectory() as folder:
            archive = subprocess.run(["git", "archive", commit], cwd=PROJECT, capture_output=True, check=True).stdout
            subprocess.run(["tar", "--extract", "--directory", folder], input=archive, check=True)
            code = code_of(command, Path(folder))
    else:
        code = code_of(command)
    name = _git("rev-parse", "--short", commit or "HEAD")
    day = _git("log", "-1", "--format=%cs", commit) if commit else datetime.date.today().isoformat()
    return {"command": command, "date": day, "commit": name, "machine": MACHINE, "code": code}


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=PROJECT, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    if sys.argv[1:2] == ["about"]:
        print(json.dumps(about(*sys.argv[2:4]), indent=1))
    else:
        PAGE.write_text(results_page())
