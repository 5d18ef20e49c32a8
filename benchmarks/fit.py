"""How good the spectra are, against simpler answers and against what the photons allow.

Simulated folders; the rows of the table:

- population: mean and spread of the training labels;
- one depth: the public method, with its own constants and with constants learned on the training planets;
- fit: depths of the light-curve fit, then with the prior on spectra, then with limb darkening learned from the training
  planets as well, then with recalibrated sigmas (the product);
- from truth: the fit started at the truth, with the noise that photons and reads give, on the same light curves;
- bound: answers drawn from the information bound, everything else free, or (for orientation) everything else known.

    python benchmarks/fit.py [--train 150] [--test 50] [--seeds 0 1 2] [--folder FOLDER] [--json FILE]
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from information_bound import fit_from_truth, joined
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from spectramind_kit import runs
from spectramind_kit.competition.folder import open_competition
from spectramind_kit.config import Config, load_config
from spectramind_kit.fitting.posterior import fit_transit
from spectramind_kit.fitting.visits import join_visits
from spectramind_kit.metric import score
from spectramind_kit.prediction.inference import infer
from spectramind_kit.prediction.measure import Measurement, PlanetTask
from spectramind_kit.prediction.population import Population
from spectramind_kit.prediction.spectrum import predict_spectrum
from spectramind_kit.prediction.trained_model import TrainedModel
from spectramind_kit.products import DepthEstimate, LightCurves, Spectrum
from spectramind_kit.public_baselines.one_depth import SCALE, SIGMA, one_depth_answer, one_depth_of_visits
from spectramind_kit.simulation.simulated_folder import draw_systems, simulate_folder
from spectramind_kit.simulation.system import SimulatedSystem
from spectramind_kit.uncertainty.recalibration import no_recalibration
from spectramind_kit.work_folder.submission import read_submission, submission_arrays

DRAWS = 8
"""Answers drawn from a bound for every planet."""


@dataclass(frozen=True)
class Answer:
    """Answers of one method: mean and sigma (n_answer, 283), and the time a planet took on one core [s]."""

    mean: np.ndarray
    sigma: np.ndarray
    seconds: float = 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", type=int, default=150)
    parser.add_argument("--test", type=int, default=50)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--folder", type=Path, help="where folders and runs are stored and found again")
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--overrides", nargs="*", default=[], help="configuration overrides, such as fit.drift_order=3")
    options = parser.parse_args()
    threadpool_limits(1)  # for the rest of the process: planets are the unit of parallelism
    config = load_config(["simulation=small", "model=none", *options.overrides])
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        tables = [measure(folder / f"seed{s}", options.train, options.test, s, config) for s in options.seeds]
    mean = {name: {k: float(np.mean([t[name][k] for t in tables])) for k in tables[0][name]} for name in tables[0]}
    print(f"\n{options.train} training and {options.test} test planets, mean of seeds {options.seeds}; errors in ppm")
    print(as_text(mean))
    if options.json:
        facts = {"train": options.train, "test": options.test, "seeds": options.seeds, "overrides": options.overrides}
        options.json.write_text(json.dumps(facts | {"mean": mean, "by_seed": tables}, indent=1) + "\n")


def measure(folder: Path, n_train: int, n_test: int, seed: int, config: Config) -> dict[str, dict[str, float]]:
    """Simulate, train, answer in every way; return the figures by method."""
    data, work = folder / "data", folder / "work"
    if not (data / "simulation.json").is_file():
        simulate_folder(data, n_train, n_test, config.simulation, seed=seed, workers=config.workers)
    model = runs.train(data, work, config)
    predicted = runs.predict(data, work, "test", config)
    systems = draw_systems(n_train, n_test, seed, "2025")["test"]
    truth = np.array([system.label() for system in systems])
    task = PlanetTask(data, work, "test", config)
    curves = {s.planet.planet_id: light_curves(task, s.planet.planet_id) for s in systems}
    answers = {"population": population_answer(model, len(systems))}
    answers |= one_depth_answers(curves, PlanetTask(data, work, "train", config), model)
    answers |= fit_answers(systems, curves, model, predicted, config)
    answers |= bound_answers(systems, curves, truth, model, task, seed)
    naive = model.training_set.labels().naive
    return {name: figures(answer, truth, naive) for name, answer in answers.items()}


def light_curves(task: PlanetTask, planet_id: int) -> list[LightCurves]:
    """Return the light curves of every visit."""
    observations = open_competition(task.data).observations(task.split, planet_id)
    return [task.visit(observation).light_curves for observation in observations]


def population_answer(model: TrainedModel, n: int) -> Answer:
    """Answer every planet with mean and spread of the labels."""
    labels = model.training_set.labels()
    return Answer(np.tile(labels.mean, (n, 1)), np.tile(labels.spread, (n, 1)))


def one_depth_answers(
    curves: dict[int, list[LightCurves]], training: PlanetTask, model: TrainedModel
) -> dict[str, Answer]:
    """Answer with the public method: its constants, and constants that suit the training planets."""
    planets = tqdm(model.training_set.planet_ids, "one depth")
    known = np.array([one_depth_of_visits(light_curves(training, int(planet))) for planet in planets])
    started = time.perf_counter()
    depth = np.array([one_depth_of_visits(visits) for visits in curves.values()])
    seconds = (time.perf_counter() - started) / len(depth)
    scale = float(np.median(model.training_set.spectra.mean(axis=1) / known))
    sigma = float(np.sqrt(np.mean((model.training_set.spectra - scale * known[:, None]) ** 2)))

    def answer(scale: float, sigma: float) -> Answer:
        return Answer(*one_depth_answer(depth, model.training_set.spectra.shape[1], scale, sigma), seconds)

    return {"one depth, public constants": answer(SCALE, SIGMA), "one depth, learned constants": answer(scale, sigma)}


def fit_answers(
    systems: list[SimulatedSystem], curves: dict, model: TrainedModel, predicted: Path, config: Config
) -> dict[str, Answer]:
    """Answer with the fit alone, with the prior on spectra, and as the product does."""
    started = time.perf_counter()
    joint = [
        join_visits([fit_transit(visit, s.planet, config.fit) for visit in curves[s.planet.planet_id]])
        for s in tqdm(systems, "fit")
    ]
    fitted = time.perf_counter()
    population = model.training_set.population()
    loose = [predicted_from(j, replace(population, nuisance=None), config, model) for j in joint]
    learned_from = time.perf_counter()
    learned = [predicted_from(j, population, config, model) for j in joint]
    done, n = time.perf_counter(), len(systems)
    seconds = (fitted - started + done - learned_from) / n
    floor = config.uncertainty.sigma_floor
    depth = np.maximum([j.depth for j in joint], floor)
    sigma = np.sqrt([np.diag(j.covariance) for j in joint])
    loose_arrays, learned_arrays = (
        [np.array([getattr(s, k) for s in spectra]) for k in ("mean", "sigma")] for spectra in (loose, learned)
    )
    ids, mean, scaled = submission_arrays(read_submission(predicted))
    order = [ids.tolist().index(s.planet.planet_id) for s in systems]
    return {
        "fit": Answer(depth, sigma, (fitted - started) / n),
        "fit + prior": Answer(*loose_arrays, seconds),
        "fit + prior + stars": Answer(*learned_arrays, seconds),
        "fit + prior + stars + recal.": Answer(mean[order], scaled[order], seconds),
    }


def predicted_from(estimate: DepthEstimate, population: Population, config: Config, model: TrainedModel) -> Spectrum:
    """Return the answer from an estimate, its sigmas as they are."""
    inference = infer(Measurement(estimate.planet_id, estimate), population)
    return predict_spectrum(inference, no_recalibration(), model.wavelength, config.uncertainty)


def bound_answers(
    systems: list[SimulatedSystem], curves: dict, truth: np.ndarray, model: TrainedModel, task: PlanetTask, seed: int
) -> dict[str, Answer]:
    """Answer with fits of the same light that start at the truth, and with draws from the bounds."""
    same, free, alone = [], [], []
    population = model.training_set.population()
    for system in tqdm(systems, "bound"):
        visits = curves[system.planet.planet_id]
        observations = open_competition(task.data).observations("test", system.planet.planet_id)
        # The mid-time is the fit's: it is known to seconds, over which the Jacobian does not change.
        times = [task.visit(observation).fit.parameters["mid_time"].value for observation in observations]
        parts = [fit_from_truth(v, system, t, task.config.fit, population.nuisance) for v, t in zip(visits, times)]
        same.append(joined([p[0] for p in parts], [p[1] for p in parts]))
        free.append(same[-1][1])
        alone.append(np.diag(1.0 / sum(1.0 / p[2] for p in parts)))
    rng = np.random.default_rng(seed)
    prior = population.prior.posterior
    drawn, known = draws(truth, free, rng), draws(truth, alone, rng)
    return {
        "from truth": _answer(same),
        "from truth + prior": _answer(same, prior),
        "bound": _answer(drawn),
        "bound + prior": _answer(drawn, prior),
        "bound + prior, depths only": _answer(known, prior),
    }


def draws(truth: np.ndarray, covariances: list[np.ndarray], rng: np.random.Generator) -> list[tuple]:
    """Return measurements of every planet with errors of known covariance, and that covariance, several times."""
    factors = [np.linalg.cholesky(c) for c in covariances]
    return [
        (y + factor @ rng.standard_normal(len(y)), c)
        for _ in range(DRAWS)
        for y, factor, c in zip(truth, factors, covariances)
    ]


def _answer(measured: list[tuple[np.ndarray, np.ndarray]], prior: Callable | None = None) -> Answer:
    ends = [prior(*m) if prior else m for m in measured]
    return Answer(np.maximum([m for m, _ in ends], 0.0), np.sqrt([np.diag(c) for _, c in ends]))


def figures(answer: Answer, truth: np.ndarray, naive: tuple[float, float]) -> dict[str, float]:
    """Return the columns of the table; answers to the same planets may follow each other several times."""
    truth = np.tile(truth, (len(answer.mean) // len(truth), 1))
    error = answer.mean - truth
    z, level = error / answer.sigma, error[:, 1:].mean(axis=1, keepdims=True)
    result = {f"score {e}": score(truth, answer.mean, answer.sigma, naive, e) for e in ("2025", "2024")}
    parts = (("FGS1", error[:, :1]), ("AIRS level", level), ("AIRS shape", error[:, 1:] - level))
    result |= {f"rms {name}": 1e6 * float(np.sqrt((e**2).mean())) for name, e in parts}
    for name, part in (("FGS1", z[:, :1]), ("AIRS", z[:, 1:])):
        result[f"z2 {name}"] = float((part**2).mean())
        result[f"68 {name}"] = 100 * float((np.abs(part) < 1.0).mean())
        result[f"95 {name}"] = 100 * float((np.abs(part) < 1.96).mean())
    return result | {"s/planet": answer.seconds}


def as_text(table: dict[str, dict[str, float]]) -> str:
    """Return the table as lines."""
    digits = {"score": 3, "rms": 0, "z2": 2, "68": 0, "95": 0, "s/planet": 2}
    names = list(next(iter(table.values())))
    lines = [" " * 28 + "".join(f"{name:>{len(name) + 2}}" for name in names)]
    for method, row in table.items():
        cells = (f"{row[name]:>{len(name) + 2}.{digits[name.split()[0]]}f}" for name in names)
        lines.append(f"{method:<28}" + "".join(cells))
    return "\n".join(lines)


if __name__ == "__main__":
    main()
