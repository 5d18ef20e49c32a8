"""README and docs: links lead somewhere, commands and settings exist, the module map is whole, no page is stale."""

import re
import runpy
import shlex
from pathlib import Path

import pytest
import typer

from spectramind_kit.cli import app
from spectramind_kit.commands import wheels
from spectramind_kit.config import Config, choices, load_config
from spectramind_kit.settings.descriptions import describe_settings

PROJECT = Path(__file__).parents[1]
PAGES = sorted([*PROJECT.glob("*.md"), *PROJECT.glob("docs/*.md"), PROJECT / "benchmarks" / "RESULTS.md"])
FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
ANYWHERE = {"--config", "--multirun", "-v", "--verbose", "-q", "--quiet", "--debug", "--help"}
"""Options that every command takes: ``cli.everywhere``."""
OTHERS = {"...", "COMMAND"}
"""Words that stand for any command."""


def each_page():
    return pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])


def headings(page: Path) -> set[str]:
    """Anchors of a page's headings, as GitHub and PyPI make them."""
    titles = re.findall(r"^#+ (.*)$", FENCE.sub("", page.read_text()), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def broken_links(page: Path) -> list[str]:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", page.read_text())):
        if re.match(r"(https?|mailto):", target):
            continue
        name, _, anchor = target.partition("#")
        other = page.parent / name if name else page
        if not other.exists() or (anchor and anchor not in headings(other)):
            broken.append(target)
    return broken


def commands_in(text: str, start: str) -> list[str]:
    """Command lines in fences, and in words set as code; what follows a # is a comment."""
    fences = [line for fence in FENCE.findall(text) for line in fence.splitlines()[1:-1]]
    spans = re.findall(r"`([^`]+)`", FENCE.sub("", text))
    lines = [" ".join(line.split("#")[0].split()) for line in (*fences, *spans)]
    return [line for line in lines if line.startswith(f"{start} ")]


def wrong_words(line: str, keys: set[str]) -> list[str]:
    """What a ``spectramind`` command line names that is not there: a command, an option, a setting."""
    words = re.sub(r"[\[\]]", " ", line).split()[1:]
    found = [typer.main.get_command(app)]
    while words and all(hasattr(command, "commands") for command in found) and not words[0].startswith("-"):
        names = words.pop(0).split("|")
        if names[0] in OTHERS:
            return []
        there = [getattr(each, "commands", {}) for each in found]
        if unknown := [name for name in names if any(name not in commands for commands in there)]:
            return unknown
        found = [commands[name] for commands in there for name in names]
    wrong = []
    for command in found:
        options = {option for each in command.params for option in each.opts} | ANYWHERE
        options |= {"--install-completion", "--version"} if hasattr(command, "commands") else set()
        wrong += [word for word in words if re.match(r"--?[a-z]", word) and word.partition("=")[0] not in options]
    given = [re.match(r"[\"']?([a-z]\w*(?:\.\w+)*)=", word) for word in words]
    return wrong + [each[0] for each in given if each and each[1] not in keys]


@pytest.fixture(scope="module")
def keys() -> set[str]:
    settings = {each.key for each in describe_settings(Config, load_config())}
    return settings | set(choices()) | {"hydra/launcher", "hydra/sweeper"}


@each_page()
def test_links_lead_somewhere(page):
    assert not broken_links(page)


def test_a_broken_link_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "# A title: two\n[a](#a-title-two) [b](page.md) [c](gone.md) [d](page.md#gone)\n```\n[e](gone)\n```\n"
    )
    assert broken_links(page) == ["gone.md", "page.md#gone"]


@each_page()
def test_commands_options_and_settings_exist(page, keys):
    lines = commands_in(page.read_text(), "spectramind")
    lines = [line for line in lines if not line.startswith("spectramind wheels")]  # a parser of its own, see below
    assert not {line: wrong for line in lines if (wrong := wrong_words(line, keys))}


def test_wrong_command_lines_are_found(keys):
    assert not wrong_words("spectramind runs list|show [RUN] --work W", keys)
    for line in (
        "spectramind trian --data D",
        "spectramind kernel push|sbumit DIR",
        "spectramind score --truth T --naiv",
        "spectramind train --data D model=none fit.drift_ordre=3",
    ):
        assert len(wrong_words(line, keys)) == 1, line


def test_the_door_names_commands_at_all():
    assert len(commands_in((PROJECT / "README.md").read_text(), "spectramind")) > 5


@each_page()
def test_build_commands_are_understood(page):
    for start in ("python build_dataset.py", "spectramind wheels"):
        for line in commands_in(page.read_text(), start):
            if OTHERS.isdisjoint(words := shlex.split(line)[2:]) and "|" not in line:
                wheels.parse(words)


@each_page()
def test_make_has_what_is_named(page):
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), flags=re.MULTILINE))
    named = {line.split()[1] for line in commands_in(page.read_text(), "make")}
    assert named <= targets


def test_the_demo_ends_as_the_readme_says():
    ends = re.findall(r'^\t@echo "(.+)"$', (PROJECT / "Makefile").read_text(), flags=re.MULTILINE)
    readme = (PROJECT / "README.md").read_text()
    assert len(ends) == 3 and all(line.replace("$(DEMO)", "demo") in readme for line in ends)


@each_page()
def test_benchmarks_and_kernels_that_are_named_exist(page):
    named = re.findall(r"\b((?:benchmarks|kernels|docs|tests)/[\w./-]*\w)", page.read_text())
    assert not [name for name in named if not (PROJECT / name).exists()]


def test_module_map_names_what_exists_and_all_of_it():
    table = (PROJECT / "docs" / "module-map.md").read_text()
    rows = "\n".join(line for line in table.splitlines() if line.startswith("|"))
    named = re.findall(r"`([a-z_/]+?)(?:/|\.py)`", rows)
    package = PROJECT / "spectramind_kit"
    missing = [name for name in named if not ((package / name).is_dir() or (package / f"{name}.py").is_file())]
    assert len(named) > 20 and not missing
    parts = {path.stem for path in package.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    assert parts - {name.split("/")[0] for name in named} == {"__init__", "__main__"}


def test_configuration_page_is_up_to_date():
    module = runpy.run_path(str(PROJECT / "docs" / "write_configuration.py"))
    assert module["PAGE"].read_text() == module["configuration_page"](), "run `make docs`"
