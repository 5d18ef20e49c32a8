"""What the fit says of damaged light curves: is every damage flagged, and do the sigmas still cover the truth?

Simulated planets, each visit damaged in every way below; the answer is the fit with the prior on spectra, as a
prediction uses it. Fraction flagged, errors in sigma (median and worst of FGS1, and of AIRS-CH0 as a mean),
the fraction of them within 3 sigma (wanted: 0.95 for every damage), and how many predictions had to fall back to the
population.

    python benchmarks/damaged.py [--planets 12] [--seed 0] [--folder FOLDER] [--json FILE]
"""

import argparse
import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from spectramind_kit.competition.folder import open_competition
from spectramind_kit.config import Config, load_config
from spectramind_kit.errors import FitError
from spectramind_kit.fitting.posterior import fit_transit
from spectramind_kit.fitting.visits import join_visits
from spectramind_kit.prediction.inference import infer
from spectramind_kit.prediction.measure import Measurement, PlanetTask
from spectramind_kit.prediction.population import Population, learn_population
from spectramind_kit.prediction.spectrum import predict_spectrum
from spectramind_kit.products import LightCurves, Planet, Spectrum, TransitFit
from spectramind_kit.simulation.simulated_folder import draw_systems, simulate_folder
from spectramind_kit.uncertainty.recalibration import no_recalibration

N_LABEL = 100
Damage = Callable[[LightCurves, TransitFit, np.random.Generator], LightCurves]


def no_transit(curves: LightCurves, fit: TransitFit, rng: np.random.Generator) -> LightCurves:
    """Divide the fitted transit out."""
    return replace(curves, flux=curves.flux / fit.model)


def half_a_transit(curves: LightCurves, fit: TransitFit, rng: np.random.Generator) -> LightCurves:
    """End the visit in the middle of the transit."""
    kept = curves.time < fit.parameters["mid_time"].value
    cut = {name: getattr(curves, name)[kept] for name in ("time", "flux", "flux_err", "regressors")}
    return replace(curves, **cut)


def gaps(curves: LightCurves, fit: TransitFit, rng: np.random.Generator) -> LightCurves:
    """Lose three stretches of a twelfth of the visit each."""
    flux, n = curves.flux.copy(), len(curves.time)
    for start in rng.integers(0, n - n // 12, 3):
        flux[start : start + n // 12] = np.nan
    return replace(curves, flux=flux)


def spikes(curves: LightCurves, fit: TransitFit, rng: np.random.Generator) -> LightCurves:
    """Brighten two per cent of the points by up to a half."""
    hit = rng.random(curves.flux.shape) < 0.02
    return replace(curves, flux=curves.flux * np.where(hit, 1.0 + 0.5 * rng.random(hit.shape), 1.0))


def step(curves: LightCurves, fit: TransitFit, rng: np.random.Generator) -> LightCurves:
    """Change the gain of all wavelengths by a per cent in mid-visit."""
    late = curves.time > rng.uniform(*np.quantile(curves.time, (0.3, 0.7)))
    return replace(curves, flux=curves.flux * np.where(late, 1.01, 1.0)[:, None])


def fgs1_dead(curves: LightCurves, fit: TransitFit, rng: np.random.Generator) -> LightCurves:
    """Lose FGS1."""
    return _lost(curves, slice(0, 1))


def airs_dead(curves: LightCurves, fit: TransitFit, rng: np.random.Generator) -> LightCurves:
    """Lose AIRS-CH0."""
    return _lost(curves, slice(1, None))


def no_star_row(curves: LightCurves, fit: TransitFit, rng: np.random.Generator) -> LightCurves:
    """Leave the light as it is: here the star table has no row."""
    return curves


DAMAGES: tuple[Damage, ...] = (no_transit, half_a_transit, gaps, spikes, step, fgs1_dead, airs_dead, no_star_row)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--planets", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where folders and runs are stored and found again")
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    threadpool_limits(1)  # for the rest of the process: planets are the unit of parallelism
    with tempfile.TemporaryDirectory() as scratch:
        table = measure(
            options.folder or Path(scratch), options.planets, options.seed, load_config(["simulation=small"])
        )
    names = list(next(iter(table.values())))
    print(f"{'':<16}" + "".join(f"{name:>{len(name) + 2}}" for name in names))
    for damage, row in table.items():
        print(f"{damage:<16}" + "".join(f"{row[name]:>{len(name) + 2}.2f}" for name in names))
    if options.json:
        options.json.write_text(json.dumps(table, indent=1) + "\n")


def measure(folder: Path, n_planet: int, seed: int, config: Config) -> dict[str, dict[str, float]]:
    """Damage every planet in every way and return the figures by damage."""
    data = folder / "data"
    if not (data / "simulation.json").is_file():
        simulate_folder(data, 0, n_planet, config.simulation, seed=seed, workers=config.workers)
    systems = draw_systems(N_LABEL, n_planet, seed, "2025")
    test = draw_systems(0, n_planet, seed, "2025")["test"]
    population = learn_population(np.array([s.label() for s in systems["train"]]), open_competition(data).wavelength)
    task, found = PlanetTask(data, folder / "work", "test", config), {d.__name__: [] for d in DAMAGES}
    for system in tqdm(test, "damaged planets"):
        planet = system.planet
        visits = open_competition(data).observations("test", planet.planet_id)
        pairs = [(visit.light_curves, visit.fit) for visit in map(task.visit, visits)]
        for damage in DAMAGES:
            rng = np.random.default_rng((seed, planet.planet_id))
            known = Planet(planet.planet_id) if damage is no_star_row else planet
            spectrum = answer([damage(c, f, rng) for c, f in pairs], known, population, config)
            found[damage.__name__].append((spectrum, (spectrum.mean - system.label()) / spectrum.sigma))
    return {name: figures(answers) for name, answers in found.items()}


def answer(visits: list[LightCurves], planet: Planet, population: Population, config: Config) -> Spectrum:
    """Predict from damaged light curves; a visit that cannot be fitted is left out, as a prediction does."""
    fits, problems = [], []
    for visit in visits:
        try:
            fits.append(fit_transit(visit, planet, config.fit))
        except FitError as error:
            problems.append(str(error))
    measured = Measurement(planet.planet_id, join_visits(fits) if fits else None, tuple(problems))
    one = no_recalibration()
    return predict_spectrum(infer(measured, population), one, visits[0].wavelength, config.uncertainty)


def figures(answers: list[tuple[Spectrum, np.ndarray]]) -> dict[str, float]:
    """Return fractions and errors of the answers to one damage."""
    z = np.array([z_value for _, z_value in answers])
    fgs1, airs = np.abs(z[:, 0]), np.abs(z[:, 1:]).mean(axis=1)
    return {
        "flagged": float(np.mean([bool(s.flags) or bool(s.problems) for s, _ in answers])),
        "fallback": float(np.mean([s.source == "population" for s, _ in answers])),
        "FGS1 median": float(np.median(fgs1)),
        "FGS1 worst": float(fgs1.max()),
        "AIRS median": float(np.median(airs)),
        "AIRS worst": float(airs.max()),
        "FGS1 in 3": float((fgs1 < 3.0).mean()),
        "AIRS in 3": float((np.abs(z[:, 1:]) < 3.0).mean()),
    }


def _lost(curves: LightCurves, part: slice) -> LightCurves:
    flux = curves.flux.copy()
    flux[:, part] = np.nan
    return replace(curves, flux=flux)


if __name__ == "__main__":
    main()
