"""All planets of a split: handed to workers, followed while they are measured, and predicted.

A planet that its first process could not finish is tried a second time, frugally, before it is the population's.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from spectramind_kit.config import Config
from spectramind_kit.execution.processes import Progress, map_planets
from spectramind_kit.execution.supervisor import OUT_OF_TIME, Limits
from spectramind_kit.execution.time_budget import TimeBudget, pace_of
from spectramind_kit.prediction.inference import Inference
from spectramind_kit.prediction.measure import PlanetTask
from spectramind_kit.prediction.predict import calibrated_spectra, predict_planets
from spectramind_kit.prediction.stand_ins import UsableModel, population_spectra
from spectramind_kit.prediction.trained_model import TrainedModel
from spectramind_kit.prediction.training_set import store_training_set
from spectramind_kit.prediction.worker import PosteriorTask
from spectramind_kit.products import Spectrum
from spectramind_kit.work_folder.growing_submission import GrowingSubmission
from spectramind_kit.work_folder.layout import WorkFolder

Result = TypeVar("Result")
FEW = 32
"""Planets that this process infers, from stored products, in the time that worker processes take to start."""
_HASTY_SHARE = 0.25
"""Of a planet's seconds, kept for a second, frugal try."""


def spectra_of(
    planets: list[int],
    usable: UsableModel,
    place: Path,
    data: Path,
    work: Path,
    config: Config,
    growing: GrowingSubmission,
    time_budget: TimeBudget,
) -> tuple[Spectrum, ...]:
    """Return the spectra of planets; each goes into the growing submission as soon as it is measured.

    Args:
        planets: of the sample.
        usable: the model.
        place: where it lies, networks beside it.
        data: competition folder.
        work: where products are stored.
        config: the configuration.
        growing: the submission.
        time_budget: that everything must be done in.
    """
    if usable.model is None:
        reason = "; ".join(usable.losses)
        return tuple(population_spectra(planets, None, config.uncertainty, reason))
    trained, work_folder = asked_for(usable.model, config), WorkFolder(work)
    config = as_trained(config, trained)

    def came(_: int, one: Inference) -> None:
        growing.put(*calibrated_spectra(trained, [one], [None], config))

    known = store_training_set(trained.training_set, work_folder.training)
    until = time_budget.for_measuring
    # Clocks of other machines differ: a cluster gets no pace to keep.
    pace = pace_of(planets, until) if config.executor == "processes" else None
    task = PlanetTask(data, work, "test", config, place)
    inferring = PosteriorTask(task, known, pace)
    lost: dict[int, str] = {}

    def lose(planet: int, reason: str) -> Inference:
        lost[planet] = reason
        return inferring.lost(planet, reason)

    patient, hasty = (
        replace(config, planet_seconds=share * config.planet_seconds) for share in (1.0 - _HASTY_SHARE, _HASTY_SHARE)
    )
    measured = for_each_planet(inferring, planets, patient, lose, "predict test", came, until, task.is_stored)
    if again := [planet for planet in lost if lost[planet] != OUT_OF_TIME]:
        frugal = replace(inferring, pace=None, frugal=True)
        # What one process could not do is not tried in this one, which must live.
        hasty = replace(hasty, workers=max(2, hasty.workers) if hasty.workers else 0)
        found = for_each_planet(frugal, again, hasty, inferring.lost, "again, frugally", came, until)
        measured |= {planet: _with_first_problem(one, lost[planet]) for planet, one in found.items()}
    return predict_planets(trained, place, list(measured.values()), config, time_budget.for_networks)


def _with_first_problem(one: Inference, problem: str) -> Inference:
    """Return a planet with what happened to it before."""
    return replace(one, problems=(problem, *one.problems))


def for_each_planet(
    work: Callable[[int], Result],
    planets: Sequence[int],
    config: Config,
    lost: Callable[[int, str], Result],
    label: str,
    came: Callable[[int, Result], None] = lambda planet, result: None,
    until: float = math.inf,
    stored: Callable[[int], bool] | None = None,
) -> dict[int, Result]:
    """Do the same work for every planet: where the configuration says, or here if all of a few need only be read.

    Args:
        work: to do.
        planets: the planets.
        config: the configuration.
        lost: makes the result of a planet that was not worked on to its end.
        label: what the progress bar says.
        came: called with every planet and its result.
        until: when all must be done, on the monotonic clock [s].
        stored: whether a planet's products are stored; None where this makes the work no shorter.
    """
    few = config.executor == "processes" and len(planets) <= FEW
    if few and stored is not None and all(stored(planet) for planet in planets):
        results = {}
        with Progress(label, len(planets)) as progress:
            for planet in planets:
                results[planet] = work(planet)
                came(planet, results[planet])
                progress.step()
        return results
    return map_planets(
        work,
        planets,
        workers=config.workers,
        lost=lost,
        label=label,
        executor=config.executor,
        scheduler=config.scheduler,
        limits=Limits(seconds=config.planet_seconds, memory=1e9 * config.planet_gb, until=until),
        came=came,
    )


def asked_for(model: TrainedModel, config: Config) -> TrainedModel:
    """Return the model, without its networks if the fit alone is asked for."""
    return replace(model, kind="none") if config.model.kind == "none" else model


def as_trained(config: Config, model: TrainedModel) -> Config:
    """Return the configuration with the kind of network that the model has, whatever it says itself."""
    return replace(config, model=replace(config.model, kind=model.kind))
