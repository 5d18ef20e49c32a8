"""What a product is made from: edits of its code, its settings or its visit's files show in a hash, others do not."""

import ast
import dataclasses
import os
import shutil
import subprocess
import sys
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import pytest

from spectramind_kit.competition.folder import open_competition
from spectramind_kit.config import load_config
from spectramind_kit.errors import ProductError
from spectramind_kit.features.visit import visit_features
from spectramind_kit.fitting.posterior import fit_transit
from spectramind_kit.instruments import N_WAVELENGTH
from spectramind_kit.photometry.light_curves import extract_light_curves
from spectramind_kit.prediction import measure
from spectramind_kit.prediction.training_set import TrainingSet, store_training_set
from spectramind_kit.public_baselines.front_end import baseline_features
from spectramind_kit.training.augmentation import SimulatedPlanets
from spectramind_kit.work_folder import provenance
from spectramind_kit.work_folder.provenance import (
    PACKAGE,
    code_hash,
    config_hash,
    fingerprint,
    import_closure,
    imported_modules,
    observation_hash,
)

MAKERS = {
    "light curves": measure.LIGHT_CURVES_MADE_BY,
    "fit": measure.FIT_MADE_BY,
    "features": measure.FEATURES_MADE_BY,
    "baseline input": measure.BASELINE_INPUT_MADE_BY,
    "examples": "spectramind_kit.training.augmentation",
    "networks": "spectramind_kit.training.train_network",
}


@lru_cache(maxsize=1)
def names(package=PACKAGE):
    """Every module of the package by name, and its file."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = (package.name, *path.relative_to(package).with_suffix("").parts)
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports_by_syntax(module):
    """The reference implementation: imports of ours as Python's own parser finds them, but for types' sake only."""
    found, waiting = {module.rpartition(".")[0]}, [ast.parse(names()[module].read_bytes())]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif not (isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"):
            waiting += ast.iter_child_nodes(node)
    return found & names().keys()


def test_imports_found_as_text_are_those_that_the_parser_finds():
    """A statement within a string is found as well: that only makes a product anew once too often."""
    code_of_products = import_closure(*MAKERS.values())
    for module in names():
        found, wanted = imported_modules(module), imports_by_syntax(module)
        assert found == wanted if module in code_of_products else found >= wanted, module


@pytest.fixture
def copied(tmp_path):
    """The package's sources, to be edited."""
    return Path(shutil.copytree(PACKAGE, tmp_path / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__")))


@pytest.mark.parametrize("product", MAKERS)
def test_an_edit_of_any_module_of_the_closure_changes_the_hash_and_no_other_does(copied, product):
    maker, closure = MAKERS[product], import_closure(MAKERS[product])
    before, sources = code_hash(maker, package=copied), provenance._sources(copied)
    assert before == code_hash(maker) and closure < sources.keys() == names().keys()
    for module, content in list(sources.items()):
        sources[module] = content + b"\n_EDITED = True\n"
        code_hash.cache_clear()
        assert (code_hash(maker, package=copied) != before) == (module in closure), module
        sources[module] = content


def test_what_counts_is_what_the_files_hold(copied):
    before = code_hash(measure.FIT_MADE_BY, package=copied)
    path = copied / "fitting" / "nuisance_prior.py"
    path.write_text(path.read_text() + "_EDITED = True\n")
    for cached in (code_hash, imported_modules, provenance._sources):
        cached.cache_clear()
    assert code_hash(measure.FIT_MADE_BY, package=copied) != before


@pytest.fixture
def executed():
    """Modules of ours whose functions were called while the test ran."""
    seen = set()

    def note(frame, event, argument):
        name = frame.f_globals.get("__name__", "")
        if name.split(".")[0] == PACKAGE.name:
            seen.add(name)

    def watch(make):
        seen.clear()
        sys.setprofile(note)
        try:
            make()
        finally:
            sys.setprofile(None)
        return set(seen)

    return watch


def test_whatever_runs_while_a_product_is_made_belongs_to_its_code(competition, executed, tmp_path):
    """A planet that nothing is stored of; what only finds the product's place or stores it makes no difference."""
    config, planet = competition.config, int(next((competition.data / "test").iterdir()).name)
    observation = open_competition(competition.data).observations("test", planet)[0]
    made = {}

    def makes(product, make):
        ran = executed(lambda: made.update({product: make()}))
        assert ran and ran <= import_closure(MAKERS[product]), ran - import_closure(MAKERS[product])

    for path in ("readable", "fused"):
        photometry = dataclasses.replace(config.photometry, path=path)
        curves = partial(extract_light_curves, observation, config.calibration, photometry)
        makes("light curves", curves)
    makes("fit", lambda: fit_transit(made["light curves"], observation.planet, config.fit))
    makes("features", lambda: visit_features(made["light curves"], made["fit"], observation.planet))
    makes("baseline input", lambda: baseline_features(observation))
    ids = np.arange(4)
    spectra = np.random.default_rng(0).normal(0.01, 1e-4, (4, N_WAVELENGTH))
    labels = TrainingSet(ids, spectra, ids, open_competition(competition.data).wavelength)
    known = store_training_set(labels, tmp_path)
    makes("examples", lambda: SimulatedPlanets(config, known)(0))


@pytest.mark.parametrize("product", ["light curves", "fit", "features", "baseline input"])
def test_settings_of_other_groups_and_the_store_are_no_part_of_a_planets_products(product):
    parts = {name.split(".")[1] for name in import_closure(MAKERS[product]) if "." in name}
    assert not parts & {"config", "work_folder", "prediction", "training", "networks", "kaggle", "runs", "cli"}
    own = {name for name in import_closure(MAKERS[product]) if name.startswith("spectramind_kit.settings.")}
    assert own <= {f"spectramind_kit.settings.{name}" for name in ("calibration", "photometry", "fit", "quantities")}


def test_examples_belong_to_what_injects_and_simulates_them():
    closure = import_closure(MAKERS["examples"])
    wanted = ("training.injection", "simulation.light_curves", "fitting.nuisance_prior", "features.visit")
    assert {f"spectramind_kit.{name}" for name in wanted} <= closure


def test_fits_outlive_changes_of_what_is_learned_from_them():
    learning = "spectramind_kit.fitting.nuisance_learning"
    assert learning not in import_closure(measure.FIT_MADE_BY)
    assert learning in import_closure("spectramind_kit.training.measured_planets")


def test_a_module_that_is_not_there_is_refused(copied):
    with pytest.raises(ProductError, match=r"code of spectramind_kit\.nothing: wanted a module"):
        code_hash("spectramind_kit.nothing")


def test_all_hashes_read_a_file_once_and_parse_none(monkeypatch):
    """A worker process has them in milliseconds: parsing takes ten times as long."""
    for cached in (code_hash, imported_modules, provenance._sources):
        cached.cache_clear()
    read, read_bytes = [], Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read.append(path) or read_bytes(path))
    monkeypatch.setattr("builtins.compile", lambda *_, **__: pytest.fail("a source was parsed"))
    assert len({code_hash(maker) for maker in MAKERS.values()}) == len(MAKERS)
    assert len(read) == len(set(read)) == len(provenance._sources(provenance.PACKAGE))
    assert imported_modules.cache_info().misses <= len(read)


def test_an_installed_package_has_the_same_hash(copied):
    """Without a checkout, from another folder, in another process."""
    code = "from spectramind_kit.work_folder.provenance import PACKAGE, code_hash; print(PACKAGE, code_hash({!r}))"
    done = subprocess.run(
        [sys.executable, "-c", code.format(measure.FIT_MADE_BY)],
        env={**os.environ, "PYTHONPATH": str(copied.parent)},
        cwd=copied.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [str(copied), code_hash(measure.FIT_MADE_BY)]


def test_hash_changes_with_every_value_and_with_the_order_of_parts(config):
    original = config_hash(config.calibration)
    assert original == config_hash(load_config().calibration)
    assert original != config_hash(dataclasses.replace(config.calibration, flat_minimum=0.51))
    assert config_hash("a", "b") != config_hash("b", "a")
    assert config_hash(1) != config_hash("1")


def test_hash_is_the_same_in_another_session(config):
    code = (
        "from spectramind_kit.config import load_config; c = load_config();"
        "from spectramind_kit.work_folder.provenance import config_hash;"
        "print(config_hash(c, 'x', 3, c.fit, (1.5, {'b': 1, 'a': 2})))"
    )
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert there == config_hash(config, "x", 3, config.fit, (1.5, {"a": 2, "b": 1}))


class TestObservationHash:
    @pytest.fixture
    def root(self, write_competition):
        return write_competition(visits=2)

    @staticmethod
    def key(root, visit=0, planet=34983):
        return observation_hash(open_competition(root).observations("train", planet)[visit])

    def test_the_same_while_nothing_changes(self, root):
        assert self.key(root) == self.key(root)

    def test_differs_by_planet_and_visit(self, root):
        assert len({self.key(root), self.key(root, visit=1), self.key(root, planet=4294967311)}) == 3

    @pytest.mark.parametrize("name", ["FGS1_signal_0.parquet", "AIRS-CH0_calibration_0/flat.parquet"])
    def test_changes_with_the_content_of_a_file_of_the_visit(self, root, name):
        before, other_visit = self.key(root), self.key(root, visit=1)
        path = root / "train" / "34983" / name
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        changed = self.key(root)
        path.unlink()
        assert len({before, changed, self.key(root)}) == 3
        assert self.key(root, visit=1) == other_visit

    def test_neither_dates_nor_the_folder_matter(self, root, tmp_path):
        before = self.key(root)
        for path in root.rglob("*.parquet"):
            os.utime(path, ns=(1, 1))
        moved = root.rename(tmp_path / "elsewhere")
        assert self.key(moved) == before

    def test_changes_with_the_tables_it_rests_on(self, root):
        before = self.key(root)
        adc = root / "adc_info.csv"
        adc.write_text(adc.read_text().replace("0.4369", "0.5"))
        assert self.key(root) != before


def test_a_large_file_is_known_by_samples_of_its_content(tmp_path):
    path, rng = tmp_path / "large", np.random.default_rng(1)
    path.write_bytes(rng.bytes(3 * 2**20))
    prints = [fingerprint(path), fingerprint(path)]
    path.write_bytes(rng.bytes(3 * 2**20))  # of the same size
    prints.append(fingerprint(path))
    path.write_bytes(path.read_bytes() + b"0")
    prints.append(fingerprint(path))
    assert prints[0] == prints[1] and len(set(prints)) == 3
    assert fingerprint(tmp_path / "nothing") == "missing"
