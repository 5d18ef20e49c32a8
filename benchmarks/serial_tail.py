"""What the parent process does for each planet while all others wait, and how much memory it holds.

Synthetic planets: smooth spectra, measured with noise whose covariance has 283 x 283 entries, as a fit leaves it. The
workers' part (posterior) and the parent's part (calibrations, networks, spectra) run as in ``train`` and ``submit``;
the fits themselves are not made.

    serial tail   processor time of the parent for a planet, after the last worker is done [ms]; wanted: below 10
    peak          memory of the parent [GB]; wanted: below 0.8

    python benchmarks/serial_tail.py [--planets 1100] [--workers 2] [--folds 5] [--json FILE]
"""

import argparse
import json
import resource
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spectramind_kit.config import load_config
from spectramind_kit.execution.processes import map_planets
from spectramind_kit.prediction.inference import Inference, infer
from spectramind_kit.prediction.measure import Measurement, PlanetTask
from spectramind_kit.prediction.predict import predict_planets
from spectramind_kit.prediction.training_set import (
    StoredTrainingSet,
    TrainingSet,
    store_training_set,
)
from spectramind_kit.products import DepthEstimate
from spectramind_kit.simulation.system import label_wavelengths
from spectramind_kit.training.folds import assign_folds
from spectramind_kit.training.held_out import held_out_planets, learn_model

SIGMA = 1e-4
"""Noise of a wavelength [(Rp/Rs)^2]."""
FIRST_TEST_PLANET = 1_000_000
WANTED = {"train tail [ms/planet]": 10.0, "submit tail [ms/planet]": 10.0, "peak of the parent [GB]": 0.8}


def spectrum(planet_id: int) -> np.ndarray:
    """Return the spectrum of a planet, (283,) [(Rp/Rs)^2]; the same number gives the same one."""
    rng, x = np.random.default_rng((0, planet_id)), np.log(label_wavelengths())
    return rng.uniform(0.004, 0.03) * (1.0 + 0.01 * np.sin(rng.uniform(4.0, 12.0) * x))


@dataclass(frozen=True)
class SyntheticPosterior:
    """The posterior task of a planet whose fit is drawn instead of made."""

    known: StoredTrainingSet

    def __call__(self, planet_id: int) -> Inference:
        """Draw a fit and combine it with the prior."""
        truth, rng = spectrum(planet_id), np.random.default_rng((1, planet_id))
        covariance = SIGMA**2 * (np.eye(len(truth)) + 0.3)
        depth = truth + SIGMA * (rng.standard_normal(len(truth)) + np.sqrt(0.3) * rng.standard_normal())
        estimate = DepthEstimate(planet_id, depth, covariance, 1)
        return infer(Measurement(planet_id, estimate), self.known.population_without(planet_id))

    def lost(self, planet_id: int, reason: str) -> Inference:
        """Stop: no planet of a benchmark may be lost."""
        raise RuntimeError(f"planet {planet_id}: {reason}")


def measure(n_planet: int, n_fold: int, workers: int, work: Path) -> dict[str, float]:
    """Train on synthetic planets and predict as many others; return times and memory."""
    config, ids = load_config(["model=none"]), list(range(n_planet))
    fold = assign_folds(ids, n_fold, config.seed)
    spectra = np.array([spectrum(planet) for planet in ids])
    training_set = TrainingSet(np.array(ids), spectra, fold, label_wavelengths())
    known = store_training_set(training_set, work)
    task, figures = SyntheticPosterior(known), {}

    def inferred(planets: list[int], label: str) -> list[Inference]:
        started = time.perf_counter()
        found = map_planets(task, planets, workers=workers, lost=task.lost, label=label)
        figures[f"{label} posteriors [ms/planet]"] = 1e3 * (time.perf_counter() - started) / len(planets)
        return list(found.values())

    training = inferred(ids, "train")
    started = time.process_time()
    held_out = held_out_planets(training_set, training)
    model, _ = learn_model(training_set, held_out, PlanetTask(work, work, "train", config), "2025")
    figures["train tail [ms/planet]"] = 1e3 * (time.process_time() - started) / n_planet
    test = inferred([FIRST_TEST_PLANET + planet for planet in ids], "submit")
    started = time.process_time()
    predict_planets(model, work / "model", test, config)
    figures["submit tail [ms/planet]"] = 1e3 * (time.process_time() - started) / n_planet
    figures["peak of the parent [GB]"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    figures["held-out score"] = model.score
    return figures


def main() -> None:
    """Measure, print, and write the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--planets", type=int, default=1100)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        figures = measure(options.planets, options.folds, options.workers, Path(scratch))
    for name, value in figures.items():
        wanted = f"   wanted: below {WANTED[name]:g}" if name in WANTED else ""
        print(f"{name:<32}{value:10.3f}{wanted}")
    if options.json:
        facts = {"planets": options.planets, "folds": options.folds, "workers": options.workers}
        options.json.write_text(json.dumps(facts | figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
