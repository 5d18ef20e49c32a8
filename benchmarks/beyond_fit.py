"""What each effect that the fit's model leaves out costs the fit.

The same simulated planets, as light curves, with nothing of it, with each effect of ``simulation=beyond_fit`` alone,
and with all of them. Each planet is fitted, combined with the prior on spectra that labels of other planets give, and
scored as it is ("plain"), and with sigmas scaled by what the other half of the planets shows ("scaled").

    python benchmarks/beyond_fit.py [--planets 20] [--labels 500] [--seed 0] [--only star_spots ...] [--json FILE]
"""

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from fit import Answer, figures
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from spectramind_kit.config import Config, SimulationConfig, load_config
from spectramind_kit.fitting.posterior import fit_transit
from spectramind_kit.fitting.visits import join_visits
from spectramind_kit.metric import score
from spectramind_kit.prediction.inference import infer
from spectramind_kit.prediction.measure import Measurement
from spectramind_kit.prediction.population import Population, learn_population
from spectramind_kit.prediction.spectrum import predict_spectrum
from spectramind_kit.products import DepthEstimate
from spectramind_kit.simulation.disturbances import draw_disturbances
from spectramind_kit.simulation.light_curves import simulate_light_curves
from spectramind_kit.simulation.simulated_folder import draw_systems
from spectramind_kit.simulation.system import SimulatedSystem, draw_mid_transit, label_wavelengths
from spectramind_kit.uncertainty.recalibration import Recalibration, learn_recalibration, no_recalibration

EFFECTS = ("limb_darkening_laws", "star_spots", "drift_beyond", "jitter_tail", "red_noise", "test_shift")
COLUMNS = ("plain", "scaled", "z2 FGS1", "z2 AIRS", "rms FGS1", "rms AIRS level", "rms AIRS shape", "s/planet")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--planets", type=int, default=20)
    parser.add_argument("--labels", type=int, default=500, help="training planets whose labels give the prior")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", choices=(*EFFECTS, "all"), help="rows to compute beside 'nothing'")
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    threadpool_limits(1)  # for the rest of the process: planets are the unit of parallelism
    config = load_config(["simulation=beyond_fit"])
    rows = {name: s for name, s in variants(config.simulation).items() if not options.only or name in options.only}
    rows = {"nothing": variants(config.simulation)["nothing"]} | rows
    with threadpool_limits(1):
        table = {
            name: measure(replace(config, simulation=simulation), options.planets, options.labels, options.seed, name)
            for name, simulation in rows.items()
        }
    print(f"\n{options.planets} planets, one visit each, seed {options.seed}; score of the 2025 edition, errors in ppm")
    print(as_text(table))
    if options.json:
        sizes = {name: getattr(config.simulation, name) for name in EFFECTS}
        facts = {"planets": options.planets, "labels": options.labels, "seed": options.seed, "sizes": sizes}
        options.json.write_text(json.dumps(facts | {"table": table}, indent=1) + "\n")


def variants(everything: SimulationConfig) -> dict[str, SimulationConfig]:
    """Return the simulations to compare, by name."""
    nothing = replace(everything, **dict.fromkeys(EFFECTS, 0.0))
    alone = {name: replace(nothing, **{name: getattr(everything, name)}) for name in EFFECTS}
    return {"nothing": nothing, **alone, "all": everything}


def measure(config: Config, n_planet: int, n_label: int, seed: int, name: str) -> dict[str, float]:
    """Simulate, fit and score; return the figures of one row."""
    splits = draw_systems(n_label, n_planet, seed, "2025", config.simulation)
    population = learn_population(np.array([system.label() for system in splits["train"]]), label_wavelengths())
    truth = np.array([system.label() for system in splits["test"]])
    started = time.process_time()
    estimates = [fitted(s, config, (seed, i)) for i, s in enumerate(tqdm(splits["test"], name))]
    seconds = (time.process_time() - started) / n_planet
    plain = answer(estimates, population, [no_recalibration()] * n_planet, config)
    z, flagged = (truth - plain.mean) / plain.sigma, np.array([bool(e.flags) for e in estimates])
    parts = [(z[half::2], plain.sigma[half::2], population.labels.spread, flagged[half::2]) for half in (1, 0)]
    halves = [learn_recalibration(*part, config.uncertainty) for part in parts]
    scaled = answer(estimates, population, [halves[i % 2] for i in range(n_planet)], config)
    result = figures(plain, truth, population.labels.naive) | {"s/planet": seconds}
    for kind, each in (("plain", plain), ("scaled", scaled)):
        result[kind] = score(truth, each.mean, each.sigma, population.labels.naive)
    return {column: result[column] for column in COLUMNS}


def fitted(system: SimulatedSystem, config: Config, seed: tuple[int, int]) -> DepthEstimate:
    """Simulate one visit's light curves and fit them; the same seed gives the same noise with any effect."""
    rng = np.random.default_rng(seed)
    mid_transit, disturbances = draw_mid_transit(rng), draw_disturbances(system, config.simulation, rng)
    curves = simulate_light_curves(system, mid_transit, config.simulation, config.photometry, rng, disturbances)
    return join_visits([fit_transit(curves, system.planet, config.fit)])


def answer(
    estimates: list[DepthEstimate], population: Population, recalibrations: list[Recalibration], config: Config
) -> Answer:
    """Answer as the product does, with given recalibrations of sigma."""
    spectra = [
        predict_spectrum(infer(Measurement(i, e), population), recalibration, label_wavelengths(), config.uncertainty)
        for i, (e, recalibration) in enumerate(zip(estimates, recalibrations))
    ]
    return Answer(*(np.array([getattr(s, part) for s in spectra]) for part in ("mean", "sigma")))


def as_text(table: dict[str, dict[str, float]]) -> str:
    """Return the table as lines."""
    digits = {"plain": 3, "scaled": 3, "z2": 2, "rms": 0, "s/planet": 2}
    lines = [" " * 20 + "".join(f"{name:>{len(name) + 3}}" for name in COLUMNS)]
    for effect, row in table.items():
        cells = (f"{row[name]:>{len(name) + 3}.{digits[name.split()[0]]}f}" for name in COLUMNS)
        lines.append(f"{effect:<20}" + "".join(cells))
    return "\n".join(lines)


if __name__ == "__main__":
    main()
