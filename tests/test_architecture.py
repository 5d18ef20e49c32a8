"""The house: layers, no cycles, and the style that text alone can show."""

import ast
import re
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
PACKAGE = PROJECT / "spectramind_kit"
LAYERS = (
    (
        "errors",
        "extras",
        "exchange",
        "files",
        "environment",
        "hub_kernel",
        "robust_statistics",
        "instruments",
        "flags",
        "shapes",
        "likelihood",
        "settings",
        "conf",
        "products",
        "metric",
    ),
    ("config", "execution"),
    ("competition", "transit"),
    ("work_folder", "simulation", "calibration"),
    ("random_world",),
    ("photometry",),
    ("fitting",),
    ("features", "symbolic"),
    ("own_models",),
    ("networks", "public_baselines", "uncertainty"),
    ("model_templates",),
    ("prediction",),
    ("training",),
    ("runs", "diagnostics", "ledger"),
    ("blends",),
    ("api",),
    ("selftest",),
    ("commands", "cli"),
    ("__main__",),
)
"""What may import what: a part uses its own layer and those above it in this list."""
LAYER = {name: place for place, names in enumerate(LAYERS) for name in names}
BESIDE = "kaggle"
"""Packaging and delivery: knows the vocabulary, the answer's format, and no physics."""
KAGGLE_MAY_USE = {
    "errors",
    "hub_kernel",
    "environment",
    "files",
    "config",
    "settings",
    "products",
    "shapes",
    "likelihood",
    "instruments",
    "work_folder",
    "metric",
    "competition",
}
KAGGLE_ROOMS = {
    "rules": set(),
    "wheels": {"rules"},
    "session": {"rules", "wheels"},
    "remote": {"rules"},
    "rehearsal": {"rules", "wheels"},
}
"""Each room of ``kaggle/``, and the rooms it may use."""
FIT = ("calibration", "photometry", "transit", "fitting")
"""What turns counts into depths."""
WORLDS = ("simulation", "random_world")
"""What the fit is judged in."""
FACTS_OF_THE_COMPETITION = {"errors", "flags", "files", "environment", "instruments", "products", "settings", "config"}
FACTS_OF_THE_COMPETITION |= {"execution", "shapes", "likelihood", "exchange", "extras"}
"""What simulated worlds and the fit may both use: formats, shapes and processes, no physics."""
UNITS = {60.0, 3600.0, 86400.0}
COINCIDENCES = {
    0.12: "FGS1's second Gaussian; a bump that is too short to be a transit",
    0.15: "scatters and shares of many kinds; u1 of one real star",
    0.85: "of H-'s opacity the peak [um]; a share of a transit's duration",
    0.95: "largest darkening; largest eccentricity",
    2.9: "the middle of AIRS-CH0 [um]",
    15.0: "shortest excursion [s]; bins of a flux jump",
    1200.0: "scales that the fit tries for any noise [s]; memories of random worlds",
    1800.0: "scales that the fit tries for any noise [s]; walks of random worlds",
}
"""Numbers that mean one thing in a world and another in the fit."""
LONGEST_FILE = 400


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


def test_every_part_has_a_layer():
    parts = {top(module) for module in sources()} - {"spectramind_kit", BESIDE}
    assert parts <= set(LAYER), f"no layer for {parts - set(LAYER)}"


def may_import(here: str, there: str) -> bool:
    """Whether one part of the package may use another."""
    if there == BESIDE:
        return here in ("cli", "commands", "selftest")
    return LAYER[there] <= LAYER[here]


def test_imports_go_one_way_only():
    wrong = []
    for module, tree in sources().items():
        here = top(module)
        others = {target for target in imports(tree) if top(target) not in (here, "spectramind_kit")}
        if here not in ("spectramind_kit", BESIDE):
            wrong += [f"{module} imports {target}" for target in others if not may_import(here, top(target))]
    assert not wrong, "\n".join(wrong)


def import_closure(*parts: str) -> set[str]:
    """Modules that some parts of the package consist of or import, however far away."""
    closure, waiting = set(), [m for m in sources() if top(m) in parts]
    while waiting:
        module = waiting.pop()
        if module not in closure:
            closure.add(module)
            waiting += imports(sources()[module])
    return closure


def test_predicting_never_imports_training():
    assert not {module for module in import_closure("prediction") if top(module) == "training"}


@pytest.mark.parametrize("room", WORLDS)
def test_simulated_worlds_and_the_fit_share_no_physics(room):
    """A world that the fit is judged in may not hold a law of the fit's, nor the fit one of the world's."""
    world, fit = import_closure(room), import_closure(*FIT)
    assert f"spectramind_kit.{room}.visit" in world and "spectramind_kit.fitting.systematics" in fit
    assert not {module for module in world if top(module) in FIT}
    assert not {module for module in fit if top(module) in WORLDS}
    assert {top(module) for module in world & fit} - {"spectramind_kit"} <= FACTS_OF_THE_COMPETITION


def constants(*rooms: str) -> dict[str, list[float]]:
    """Every constant of some rooms' modules, by its place: the numbers with a point that are written in it."""
    found = {}
    for module, tree in sources().items():
        for node in tree.body if top(module) in rooms else ():
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
                inside = [n.value for n in ast.walk(node.value) if isinstance(n, ast.Constant)]
                if numbers := [n for n in inside if isinstance(n, float)]:
                    found[f"{module}:{node.lineno}"] = numbers
    return found


def says_nothing(number: float) -> bool:
    """Whether a number is too round to tell where it comes from: one digit, or a half of the next, if not tiny."""
    digits = f"{number:.12e}".split("e")[0].rstrip("0")
    round_one = digits in ("1.", "1.5", "2.5", "7.5") or (len(digits) == 2 and number >= 1e-3)
    return number == 0.0 or number in UNITS or (round_one and not 1.01e-5 < number < 0.99e-3)


def shared_numbers(world: dict[str, list[float]], fit: dict[str, list[float]]) -> list[str]:
    """Numbers of the fit's that stand in a world: one that tells where it comes from, or two side by side."""
    shared = []
    for here, ours in world.items():
        for there, theirs in fit.items():
            telling = {n for n in set(ours) & set(theirs) if not says_nothing(n) and n not in COINCIDENCES}
            pairs = set(pairwise(ours)) & set(pairwise(theirs))
            pairs = {pair for pair in pairs if not set(pair) <= {0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0}}
            if telling or pairs:
                shared.append(f"{sorted(telling)} {sorted(pairs)}: {here} and {there}")
    return shared


def test_simulated_worlds_and_the_fit_share_no_number():
    assert not shared_numbers(constants(*WORLDS), constants("fitting", "transit"))


def test_shared_numbers_are_found():
    """What the simulator and the fit did share: times of ramps and noise, sizes, and a star's darkening."""
    fit = {"times": [600.0, 3600.0, 4800.0], "darkening": [0.43, 0.11], "sizes": [2e-4, 4e-5, 2.5e-5], "noise": [0.3]}
    for numbers in ([600.0, 3600.0], [300.0, 4800.0], [0.6, 0.43], [2e-4], [2.5e-5]):
        assert len(shared_numbers({"world": numbers}, fit)) == 1
    assert not shared_numbers({"world": [0.3, 1.0, 310.0, 1e-5, 0.5]}, fit)


def test_packaging_knows_no_physics():
    used = {top(target) for module, tree in sources().items() if top(module) == BESIDE for target in imports(tree)}
    assert used - {BESIDE, "spectramind_kit"} <= KAGGLE_MAY_USE


def test_rooms_of_packaging_keep_apart():
    wrong = []
    for module, tree in sources().items():
        if top(module) == BESIDE and module.count(".") > 1:
            room = module.split(".")[2]
            used = {target.split(".")[2] for target in imports(tree) if top(target) == BESIDE and target.count(".") > 1}
            wrong += [f"{module} uses {other}" for other in used - {room} - KAGGLE_ROOMS[room]]
    assert not wrong, "\n".join(wrong)


def kaggle_room(module: str) -> str:
    """The room of ``kaggle/`` that a module lies in; other modules are one."""
    return module.split(".")[2] if top(module) == BESIDE and module.count(".") > 1 else "elsewhere"


@pytest.mark.parametrize("level", ["modules", "rooms", "kaggle"])
def test_no_cycles(level):
    name = {"modules": str, "rooms": top, "kaggle": kaggle_room}[level]
    graph: dict[str, set[str]] = {}
    for module, tree in sources().items():
        if level == "kaggle" and top(module) != BESIDE:
            continue
        graph.setdefault(name(module), set()).update(
            {name(t) for t in imports(tree) if name(t) != name(module)} - {"elsewhere"}
        )
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
        if path.parent == PACKAGE:  # it offers the kit's few words to Python, and imports nothing for it
            assert not imports(ast.parse(path.read_text())), f"{path} imports from the package"
            continue
        assert not rest, f"{path} holds more than a docstring"


def test_no_print_below_the_command_line():
    allowed = {"spectramind_kit.cli", "spectramind_kit.kaggle.wheels.install"}
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
        if module == "spectramind_kit.kaggle.wheels.install":
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


def test_importing_changes_no_warnings_and_no_loggers():
    """They belong to the caller; a module may set them only around what it does."""
    pattern = re.compile(
        r"^(warnings\.(filter|simplefilter)|logging\.(basicConfig|disable)|\w*\.setLevel)", re.MULTILINE
    )
    assert not [str(p.relative_to(PROJECT)) for p in PACKAGE.rglob("*.py") if pattern.search(p.read_text())]
