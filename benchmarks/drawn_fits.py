"""Fits of planets of random worlds, made once and kept: what a model that corrects fits can be taught and judged with.

    python benchmarks/drawn_fits.py FOLDER [--worlds 30] [--planets 50] [--hard 5] [--kinds noise=none ...]

One process on one core; run it again and it goes on where it stopped. A planet is drawn, fitted and stored in .6 s and
1.2 MB. Each has one visit. A folder holds worlds of one kind: drawn ones, or such as ``--kinds`` asks for.
"""

import argparse
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from drawn_curves import HARD, draw_light_curves, hardened
from tqdm import tqdm

from spectramind_kit.config import load_config
from spectramind_kit.errors import FitError
from spectramind_kit.features.visit import VisitFeatures, visit_features
from spectramind_kit.fitting.posterior import fit_transit
from spectramind_kit.prediction.input_ranges import statistics_of
from spectramind_kit.prediction.measure import FEATURES_MADE_BY, FIT_MADE_BY
from spectramind_kit.prediction.worker import one_thread
from spectramind_kit.products import Planet, TransitFit
from spectramind_kit.random_world.planets import WorldPlanet
from spectramind_kit.random_world.visit import VisitTruth, draw_visit
from spectramind_kit.random_world.world import World, draw_planets, draw_world, visit_stream
from spectramind_kit.settings.fit import FitConfig
from spectramind_kit.work_folder.provenance import code_hash, config_hash
from spectramind_kit.work_folder.store import UNREADABLE, load_product, save_product, stored_key

FIRST_SEED = 2000
"""No other benchmark looks at these worlds."""
MADE_BY = ("spectramind_kit.random_world.visit", FIT_MADE_BY, FEATURES_MADE_BY)


@dataclass(frozen=True, eq=False)
class DrawnFit:
    """One planet of a random world, fitted.

    Attributes:
        kind: "usual", or one of ``HARD``.
        crossed: whether it crosses a spot.
        impact: the true impact parameter [R_star].
        label: (283,) its true spectrum [(Rp/Rs)^2].
        fit: of its only visit; flux, model and covariance in single precision.
        features: what a network sees of it.
        statistics: (2, n_statistic) of the visit, and their errors.
    """

    kind: str
    crossed: bool
    impact: float
    label: np.ndarray
    fit: TransitFit
    features: VisitFeatures
    statistics: np.ndarray


def main() -> None:
    """Fit what is not there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--worlds", type=int, default=30)
    parser.add_argument("--planets", type=int, default=50, help="usual planets of each world")
    parser.add_argument("--hard", type=int, default=5, help="planets of each hard kind in each world")
    parser.add_argument("--kinds", nargs="*", default=[], help="kinds taken for those drawn: noise=none drift=...")
    options = parser.parse_args()
    config, key = load_config().fit, code_key()
    options.folder.mkdir(parents=True, exist_ok=True)
    kinds = options.folder / "kinds.txt"
    if kinds.exists() and kinds.read_text().split() != options.kinds:
        parser.error(f"{options.folder} holds worlds of kinds {kinds.read_text()!r}")
    kinds.write_text(" ".join(options.kinds))
    for seed in tqdm(range(FIRST_SEED, FIRST_SEED + options.worlds), "worlds", disable=None):
        world = draw_world(seed, options.kinds)
        for name, kind, index in names(options.planets, options.hard):
            path = options.folder / str(seed) / f"{name}.npz"
            if stored_key(path) != key:
                path.parent.mkdir(parents=True, exist_ok=True)
                try:
                    save_product(path, drawn_fit(world, kind, index, config), key)
                except FitError as error:
                    tqdm.write(f"world {seed}, {name}: {error}")


def names(n_usual: int, n_hard: int) -> Iterator[tuple[str, str, int]]:
    """Yield name, kind and place of every planet of a world."""
    for kind, n in (("usual", n_usual), *((kind, n_hard) for kind in HARD)):
        for index in range(n):
            yield f"{kind}_{index:03d}", kind, index


def drawn_fit(world: World, kind: str, index: int, config: FitConfig) -> DrawnFit:
    """Draw one planet and fit it.

    Args:
        world: that it lives in.
        kind: "usual", or one of ``HARD``.
        index: its place among those of its kind.
        config: options of the fit.

    Raises:
        FitError: if its light curves cannot be fitted.
    """
    planet, truth = drawn(world, kind, index)
    rng = np.random.default_rng([world.seed, zlib.crc32(kind.encode()), index])
    with one_thread():
        curves = draw_light_curves(world, planet, truth, 0, rng)
        fit = fit_transit(curves, planet.planet, config)
        features, statistics = visit_features(curves, fit, planet.planet), statistics_of(fit, planet.planet)
    small = {name: getattr(fit, name).astype(np.float32) for name in ("flux", "model", "covariance")}
    impact, label = planet.impact, planet.label()
    return DrawnFit(kind, truth.crossing is not None, impact, label, replace(fit, **small), features, statistics)


def drawn(world: World, kind: str, index: int) -> tuple[WorldPlanet, VisitTruth]:
    """Return a planet and what happens in its visit."""
    planet = draw_planets(world, index + 1, 0)["train"][index]
    if kind == "usual":
        return planet, draw_visit(world, planet, visit_stream(world, "train", index, 0))
    return hardened(world, planet, kind, np.random.default_rng([world.seed, HARD.index(kind), index]))


def read_world(folder: Path, seed: int) -> dict[str, DrawnFit]:
    """Return the fits of a world that lie in a folder, by name; those of other code are left out."""
    found, key = {}, code_key()
    for path in sorted((folder / str(seed)).glob("*.npz")):
        try:
            if stored_key(path) == key:
                found[path.stem] = load_product(path, DrawnFit)
        except UNREADABLE:
            continue
    return found


def star_table_row(seed: int, name: str) -> Planet:
    """Return what the star table says of a planet of ``names``."""
    kind, _, index = name.partition("_")
    return drawn(draw_world(seed), kind, int(index))[0].planet


def code_key() -> str:
    """Return the hash of all code that a stored fit depends on."""
    here = [Path(__file__).with_name(name).read_text() for name in ("drawn_curves.py", "world_bound.py")]
    return config_hash(*(code_hash(module) for module in MADE_BY), load_config().fit, *here)


if __name__ == "__main__":
    main()
