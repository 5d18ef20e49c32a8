"""The house: floors, no cycles, and the style that text alone can show."""

import ast
import re
from functools import lru_cache
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
PACKAGE = PROJECT / "spectramind_kit"
FLOORS = {
    0: ("errors", "environment", "files", "instruments", "config", "settings", "darkening", "products", "conf"),
    1: ("competition", "transit"),
    2: ("simulation", "calibration"),
    3: ("photometry",),
    4: ("fitting",),
    5: ("networks", "symbolic", "losses", "features"),
    6: ("training", "uncertainty", "inference", "augmentation", "learning", "cluster", "parallel", "manifest"),
    7: ("submission", "runs", "diagnostics"),
    8: ("selftest",),
    9: ("cli",),
    10: ("__main__",),
}
FLOOR = {name: floor for floor, names in FLOORS.items() for name in names}
LENT_DOWN = "metric"
"""Floor 7 by what it is for, but floor 6 may use it: it rests on the vocabulary alone."""
BESIDE = "kaggle"
"""Packaging and delivery: knows the vocabulary, the answer's format, and no physics."""
KAGGLE_MAY_USE = {
    "errors",
    "environment",
    "files",
    "config",
    "products",
    "instruments",
    "submission",
    "metric",
    "competition",
}
LONGEST_FILE = 320


def module_name(path: Path) -> str:
    parts = path.relative_to(PROJECT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@lru_cache(maxsize=1)
def sources() -> dict[str, ast.Module]:
    """Every module of the package, parsed."""
    return {module_name(path): ast.parse(path.read_text(), str(path)) for path in sorted(PACKAGE.rglob("*.py"))}


def imports(tree: ast.AST) -> set[str]:
    """Modules of ours that a tree imports, wherever in the file."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in line {node.lineno}"
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in sources() else node.module for name in names}
    return {name for name in found if name.split(".")[0] == "spectramind_kit"}


def top(module: str) -> str:
    """The folder or file of the package that a module lies in."""
    return module.split(".")[1] if "." in module else module


def test_every_part_has_a_floor():
    parts = {top(module) for module in sources()} - {"spectramind_kit", LENT_DOWN, BESIDE}
    assert parts <= set(FLOOR), f"no floor for {parts - set(FLOOR)}"


def may_import(here: str, there: str) -> bool:
    """Whether one room of the house may use another; rooms of one floor may, as long as no circle comes of it."""
    if here == LENT_DOWN:
        return FLOOR.get(there) == 0
    if there == LENT_DOWN:
        return FLOOR[here] >= 6
    if there == BESIDE:
        return here in ("cli", "selftest")
    return FLOOR[there] <= FLOOR[here]


def test_imports_go_down_only():
    wrong = []
    for module, tree in sources().items():
        here = top(module)
        others = {target for target in imports(tree) if top(target) not in (here, "spectramind_kit")}
        if here not in ("spectramind_kit", BESIDE):
            wrong += [f"{module} imports {target}" for target in others if not may_import(here, top(target))]
    assert not wrong, "\n".join(wrong)


def test_packaging_knows_no_physics():
    used = {top(target) for module, tree in sources().items() if top(module) == BESIDE for target in imports(tree)}
    assert used - {BESIDE, "spectramind_kit"} <= KAGGLE_MAY_USE


@pytest.mark.parametrize("level", ["modules", "rooms"])
def test_no_cycles(level):
    name = (lambda m: m) if level == "modules" else top
    graph: dict[str, set[str]] = {}
    for module, tree in sources().items():
        graph.setdefault(name(module), set()).update(name(t) for t in imports(tree) if name(t) != name(module))
    finished: set[str] = set()

    def visit(node: str, path: tuple[str, ...]) -> None:
        assert node not in path, "cycle: " + " -> ".join((*path[path.index(node) :], node))
        if node not in finished:
            for following in sorted(graph.get(node, ())):
                visit(following, (*path, node))
            finished.add(node)

    for node in sorted(graph):
        visit(node, ())


def test_package_files_are_docstrings_only():
    for path in PACKAGE.rglob("__init__.py"):
        statements = ast.parse(path.read_text()).body
        assert statements and isinstance(statements[0], ast.Expr), f"{path} has no docstring"
        rest = statements[1:]
        if path.parent == PACKAGE:
            rest = [s for s in rest if not (isinstance(s, ast.Assign) and s.targets[0].id == "__version__")]
        assert not rest, f"{path} holds more than a docstring"


def test_no_print_below_the_command_line():
    allowed = {"spectramind_kit.cli", "spectramind_kit.kaggle.install"}
    for module, tree in sources().items():
        calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "print"]
        assert not calls or module in allowed, f"{module} prints in line {calls[0].lineno}"


def test_files_are_short():
    lengths = {path: len(path.read_text().splitlines()) for path in PACKAGE.rglob("*.py")}
    long = {str(path.relative_to(PROJECT)): n for path, n in lengths.items() if n > LONGEST_FILE}
    assert not long


def test_modules_and_public_names_have_docstrings():
    bare = []
    for module, tree in sources().items():
        if not ast.get_docstring(tree):
            bare.append(module)
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                bare += [] if ast.get_docstring(node) else [f"{module}.{node.name}"]
                bare += [
                    f"{module}.{node.name}.{m.name}"
                    for m in (node.body if isinstance(node, ast.ClassDef) else ())
                    if isinstance(m, ast.FunctionDef) and not m.name.startswith("_") and not ast.get_docstring(m)
                ]
    assert not bare, bare


def test_public_functions_are_typed():
    untyped = []
    for module, tree in sources().items():
        if module == "spectramind_kit.kaggle.install":
            continue  # plain Python of any age: it runs before anything is installed
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                if node.returns is None or any(a.annotation is None for a in arguments):
                    untyped.append(f"{module}.{node.name}")
    assert not untyped, untyped


def test_no_paths_of_one_machine():
    pattern = re.compile(r"/(?:home|root|work|Users|tmp)/\w")
    files = [p for p in PACKAGE.rglob("*") if p.suffix in (".py", ".yaml", ".html", ".toml")]
    found = [
        f"{path.relative_to(PROJECT)}:{number}"
        for path in files
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if pattern.search(line)
    ]
    assert not found, found


def test_nothing_unfinished():
    pattern = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")
    found = [str(p.relative_to(PROJECT)) for p in PACKAGE.rglob("*.py") if pattern.search(p.read_text())]
    assert not found, found
