"""Installation: the pins fit every Python the README names, and what is required is what is imported."""

import ast
import configparser
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path

import pytest

from spectramind_kit import __version__

PROJECT = Path(__file__).parents[1]
PINS = PROJECT / "requirements-dev.txt"
PINS_OF_EXTRAS = PROJECT / "requirements-extras.txt"
EXTRAS = ("dvc", "loggers", "sweep")
"""What continuous integration installs beside the pins: much to fetch, and nothing that the kit or its demo needs."""
FIRST_RELEASES = ("3.11.0", "3.12.0", "3.13.0")
"""First patch releases: a pin that needs a later one fails on stock distributions."""
PLATFORM = "x86_64-manylinux_2_28"
SOURCE_ONLY = "antlr4-python3-runtime"
"""The one pin that the index has as source only; it is Python alone, so no compiler is needed."""
CUDA = re.compile(r"^(nvidia-|cuda-)")
"""What torch's CUDA build brings along: fixed by torch itself, absent beside a CPU build."""
SAID_TO_BE_NEEDED = {"six", "einops", "ipykernel", "mkdocs-material", "mkdocstrings"}
"""Required without being imported; setup.cfg says beside each who imports it."""
COMMAND_LINE_TOOLS = {"basedpyright", "pytest-xdist", "ruff", "uv"}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def requirement_names(lines: str) -> set[str]:
    """Names in lines of requirements; comments and interpolated lines have none."""
    found = (re.match(r"[A-Za-z0-9][\w.-]*", line.strip()) for line in lines.splitlines())
    return {canonical(match.group()) for match in found if match}


@lru_cache(maxsize=1)
def setup_cfg() -> configparser.ConfigParser:
    parsed = configparser.ConfigParser()
    parsed.read(PROJECT / "setup.cfg")
    return parsed


def versions(lines: str) -> dict[str, str]:
    """Pinned versions by name."""
    return {canonical(name): version for name, version in re.findall(r"^([\w.-]+)==([^;\s]+)", lines, flags=re.M)}


def resolve(requirements: str, *arguments: str, python: str) -> dict[str, str]:
    """Return what uv resolves lines of requirements to, from wheels alone; skip where no package index answers."""
    uv = pytest.importorskip("uv").find_uv_bin()
    options = ["--python-version", python, "--python-platform", PLATFORM, "--no-header", "--no-annotate", "--quiet"]
    options += ["--only-binary", ":all:", "--no-binary", SOURCE_ONLY]
    command = [uv, "pip", "compile", *options, *arguments, "-"]
    done = subprocess.run(command, input=requirements, capture_output=True, text=True, cwd=PROJECT)
    if done.returncode:
        offline = re.search(r"dns error|error sending request|Connection refused|timed out|unreachable", done.stderr)
        if offline:
            pytest.skip(f"no package index answers: {offline.group()}")
        pytest.fail(f"Python {python}: {done.stderr}")
    return versions(done.stdout)


def test_the_pins_install_from_wheels_on_the_first_release_of_each_python():
    lines = PINS.read_text() + PINS_OF_EXTRAS.read_text()
    pins = versions(lines)
    with ThreadPoolExecutor() as pool:  # a resolution waits for the index most of its time
        found = pool.map(lambda python: resolve(lines, python=python), FIRST_RELEASES)
        for python, resolved in zip(FIRST_RELEASES, found):
            unpinned = {name for name in set(resolved) - set(pins) if not CUDA.match(name)}
            assert not unpinned, f"packages that no pin names on Python {python}: {unpinned}"
            assert {name: resolved[name] for name in pins} == pins, python


def test_the_pins_are_what_the_kit_requires_and_nothing_else():
    wanted = setup_cfg()["options"]["install_requires"] + setup_cfg()["options.extras_require"]["dev"]
    resolved = resolve(wanted, "--constraint", str(PINS), python=FIRST_RELEASES[0])
    assert set(versions(PINS.read_text())) == {name for name in resolved if not CUDA.match(name)} | {"setuptools"}


def test_the_pins_of_other_extras_are_what_they_require_and_nothing_else():
    wanted = "".join(setup_cfg()["options.extras_require"][extra] for extra in EXTRAS)
    constraints = [word for path in (PINS, PINS_OF_EXTRAS) for word in ("--constraint", str(path))]
    resolved = resolve(wanted, *constraints, python=FIRST_RELEASES[0])
    beside = {name: resolved[name] for name in resolved.keys() - versions(PINS.read_text())}
    assert beside == versions(PINS_OF_EXTRAS.read_text())


def test_the_readme_and_the_set_up_name_the_same_pythons():
    assert setup_cfg()["options"]["python_requires"] == ">=3.11,<3.14"
    classifiers = re.findall(r"Python :: (3\.\d+)", setup_cfg()["metadata"]["classifiers"])
    assert classifiers == [python.rpartition(".")[0] for python in FIRST_RELEASES]
    assert "Python 3.11-3.13" in (PROJECT / "README.md").read_text()


def test_every_place_names_the_same_version():
    stated = re.findall(r"^version: (.+)$", (PROJECT / "CITATION.cff").read_text(), flags=re.MULTILINE)
    changed = re.findall(r"^## (\d\S+) - \d{4}-\d\d-\d\d$", (PROJECT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    assert setup_cfg()["metadata"]["version"] == "attr: spectramind_kit.__version__"
    assert stated == [__version__] == changed[:1]


def test_the_package_says_that_it_is_typed():
    assert (PROJECT / "spectramind_kit" / "py.typed").is_file()
    assert "py.typed" in setup_cfg()["options.package_data"]["spectramind_kit"].split()


def imported(*folders: str) -> set[str]:
    """Top-level names that the files of folders import, anywhere in them."""
    found = set()
    for folder in folders:
        place = PROJECT / folder
        for path in [place] if place.is_file() else sorted(place.rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    found |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module:
                    found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names)


def distributions(names: set[str]) -> set[str]:
    """Distributions that hold importable names, as far as they are installed here."""
    owners = packages_distributions()
    return {canonical(owner) for name in names for owner in owners.get(name, [name])}


@pytest.mark.skipif(find_spec("torch") is None, reason="without torch not everything is installed")
def test_what_is_required_is_imported_and_what_is_imported_is_required():
    required = requirement_names(setup_cfg()["options"]["install_requires"])
    extras = setup_cfg()["options.extras_require"]
    optional = set().union(*(requirement_names(extras[name]) for name in ("kaggle", "scale", "docs", "dev")))
    package = distributions(imported("spectramind_kit", "build_dataset.py"))
    assert required <= package, f"required, but nothing imports them: {required - package}"
    everywhere = package | distributions(imported("tests", "benchmarks", "docs"))
    assert optional - SAID_TO_BE_NEEDED - COMMAND_LINE_TOOLS <= everywhere
    ours = {"spectramind-kit"}
    compiled = {"mamba-ssm", "causal-conv1d"}  # wheels of a target, never required
    assert not package - required - optional - ours - compiled, "imported, but nothing requires them"
