"""What held-out training planets teach: the scale of the sigmas, the networks, and how much these may say.

Every training planet is answered three times without its own label: by fit and prior, by the networks of its fold, and
by both together, which is what the score and the share rest on.
"""

import logging
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from spectramind_kit.config import Config
from spectramind_kit.metric import score
from spectramind_kit.prediction.answer import Inference, fit_answer
from spectramind_kit.prediction.ensemble import Answer
from spectramind_kit.prediction.measure import Measurement, PlanetTask
from spectramind_kit.prediction.predict import (
    infer_planets,
    network_answers,
    network_inputs,
    public_features,
    recalibration_factor,
)
from spectramind_kit.prediction.trained_model import Model
from spectramind_kit.products import DARKENING_NAMES
from spectramind_kit.public_baselines.cross_validation import train_baselines
from spectramind_kit.symbolic.bands import region_names
from spectramind_kit.training.augmentation import injected_examples, simulated_examples
from spectramind_kit.training.examples import Examples, concatenated
from spectramind_kit.training.task import NetworkTask
from spectramind_kit.uncertainty.blend import Answers, blended, learn_share
from spectramind_kit.uncertainty.conformal import conformal_scale, cross_conformal_scale, neighbour_weights
from spectramind_kit.uncertainty.recalibration import Recalibration, learn_recalibration, no_recalibration
from spectramind_kit.work_folder.layout import WorkFolder

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Training planets, each inferred with a population that has not seen its label; truth (n_planet, n_wavelength)."""

    inferred: tuple[Inference, ...]
    truth: np.ndarray


def infer_held_out(labels: Model, measured: Mapping[int, Measurement]) -> HeldOut:
    """Return the training planets that have a posterior, with their labels; none where only one label is known."""
    known = measured if len(labels.planet_ids) > 1 else {}
    inferred = tuple(one for one in infer_planets(labels, known) if one.mean is not None)
    place = {int(planet): i for i, planet in enumerate(labels.planet_ids)}
    return HeldOut(inferred, labels.spectra[[place[one.measurement.planet_id] for one in inferred]])


def learn_model(
    labels: Model, held_out: HeldOut, task: PlanetTask, edition: str, unlabelled: Sequence[Inference] = ()
) -> Model:
    """Return the model that the held-out planets teach; networks are left in ``WORK/model/networks``.

    Args:
        labels: the model that knows the labels only; held_out: planets with a posterior.
        task: where the training planets' products, networks and checkpoints lie; edition: whose score is told.
        unlabelled: planets whose light curves a pre-training may see.
    """
    truth, config = held_out.truth, task.config
    plain = _fit_answers(held_out.inferred, no_recalibration(), config)
    recalibration = _recalibrated(labels, held_out, plain, config)
    model = replace(labels, recalibration=recalibration.table(), n_measured=len(truth))
    if len(truth) == 0:
        return model
    naive, alone = model.population().naive, _fit_answers(held_out.inferred, recalibration, config)
    fit_score = score(truth, *alone, naive, edition)
    model = replace(model, fit_score=fit_score, score=fit_score)
    if config.model.kind == "none":
        return _with_conformal(model, held_out, alone, config, edition)
    model = replace(model, kind=config.model.kind)
    if model.kind == "v50":
        _train_networks(model, held_out, task, unlabelled, edition)
    else:
        _train_baselines(model, held_out, task)
    return _with_share(model, held_out, alone, task, edition)


def _with_share(model: Model, held_out: HeldOut, alone: Answers, task: PlanetTask, edition: str) -> Model:
    """Return the model with what its networks may say, and the score that comes of it.

    Args:
        alone: what fit and prior say of the held-out planets.
    """
    truth, config, naive = held_out.truth, task.config, model.population().naive
    answers = network_answers(model, WorkFolder(task.work).model, held_out.inferred, config)
    mean, sigma = _stacked([answer or fit for answer, fit in zip(answers, zip(*alone))], truth)
    heard = np.maximum(mean, config.uncertainty.sigma_floor), sigma
    own, share = no_recalibration(), np.ones(truth.shape[1])  # a baseline answers by itself
    if model.kind == "v50":
        own = _recalibrated(model, held_out, heard, config)
        heard = (
            heard[0],
            np.array([sigma * recalibration_factor(own, one, sigma) for one, sigma in zip(held_out.inferred, sigma)]),
        )
        share = learn_share(truth, alone, heard, naive)
    both = blended(alone, heard, share)
    model = replace(model, network_recalibration=own.table(), share=share, score=score(truth, *both, naive, edition))
    logger.info(
        "held-out planets: fit %.4f, network %.4f, share of the network FGS1 %.2f, AIRS-CH0 %.2f: %.4f",
        *(model.fit_score, score(truth, *heard, naive, edition), share[0], share[1], model.score),
    )
    return _with_conformal(model, held_out, both, config, edition)


def _with_conformal(model: Model, held_out: HeldOut, answers: Answers, config: Config, edition: str) -> Model:
    """Return the model with conformal factors on its sigmas, where asked for, and the score that comes of them."""
    coverage = config.uncertainty.conformal
    if coverage == 0.0:
        return model
    z = (held_out.truth - answers[0]) / answers[1]
    fold = np.array([model.fold_of(one.measurement.planet_id) for one in held_out.inferred])
    weight = neighbour_weights(model.wavelength, region_names(model.wavelength))
    sigma = answers[1] * cross_conformal_scale(z, fold, coverage, weight)
    after = score(held_out.truth, answers[0], sigma, model.population().naive, edition)
    logger.info("held-out planets: %.4f after conformal factors", after)
    return replace(model, conformal=conformal_scale(z, coverage, weight), score=after)


def _fit_answers(inferred: Sequence[Inference], recalibration: Recalibration, config: Config) -> Answers:
    """Return what fit and prior say, (n_planet, n_wavelength) each."""
    answers = [fit_answer(one, recalibration, config.uncertainty) for one in inferred]
    return tuple(np.array(part) for part in zip(*answers)) if answers else (np.zeros((0, 0)), np.zeros((0, 0)))


def _recalibrated(model: Model, held_out: HeldOut, answers: Answers, config: Config) -> Recalibration:
    """Learn the recalibration of held-out answers."""
    shape = held_out.truth.shape
    mean, sigma = (part.reshape(shape) for part in answers)
    flagged = np.array([bool(one.measurement.estimate.flags) for one in held_out.inferred], dtype=bool)
    z = (held_out.truth - mean) / sigma
    return learn_recalibration(z, sigma, model.population().spread, flagged, config.uncertainty)


def _train_networks(
    model: Model, held_out: HeldOut, task: PlanetTask, unlabelled: Sequence[Inference], edition: str
) -> None:
    """Train the networks on the held-out planets, and on what the configuration adds to them."""
    from spectramind_kit.training.network import train_networks  # here: Lightning takes seconds, and no answer needs it

    config, work = task.config, task.work
    networks = NetworkTask(
        model=config.model,
        loss=config.loss,
        training=config.training,
        seed=config.seed,
        folder=WorkFolder(work).training,
        networks=WorkFolder(work).networks,
        edition=edition,
    )
    examples, simulated = _examples(model, held_out, config), None
    if config.training.injections:
        ids = [each.planet_id for each in examples.features]
        examples = concatenated([examples, injected_examples(model, task, ids, examples.truth)])
    if config.training.simulated_planets:
        simulated = simulated_examples(model, work, config)
    seen = [network_inputs(one, model, config) for one in unlabelled]
    train_networks(networks, examples, simulated, [features for features in seen if features is not None])


def _train_baselines(model: Model, held_out: HeldOut, task: PlanetTask) -> None:
    """Train a public baseline on what its own front end says of the held-out planets."""
    fold = np.array([model.fold_of(one.measurement.planet_id) for one in held_out.inferred])
    networks = WorkFolder(task.work).networks
    shutil.rmtree(networks, ignore_errors=True)
    seen = public_features(held_out.inferred)
    train_baselines(model.kind, seen, held_out.truth, fold, task.config.seed, networks)


def _examples(model: Model, held_out: HeldOut, config: Config) -> Examples:
    """Return the held-out planets as the networks learn from them."""
    seen = [network_inputs(one, model, config) for one in held_out.inferred]
    places = [i for i, features in enumerate(seen) if features is not None]
    fold = np.array([model.fold_of(seen[i].planet_id) for i in places])
    return Examples(tuple(seen[i] for i in places), held_out.truth[places], fold, model.wavelength)


def _stacked(answers: Sequence[Answer], truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean, sigma = zip(*answers) if answers else ((), ())
    return np.array(mean).reshape(truth.shape), np.array(sigma).reshape(truth.shape)


def limb_darkening(planet_ids: np.ndarray, measured: Mapping[int, Measurement]) -> tuple[np.ndarray, np.ndarray]:
    """Gather the fitted limb darkening of planets, (n_planet, n, 2) and its covariances; NaN where there is none."""
    n = len(DARKENING_NAMES)
    offsets, covariances = np.full((len(planet_ids), n, 2), np.nan), np.full((len(planet_ids), n, n), np.nan)
    for place, planet in enumerate(planet_ids.tolist()):
        estimate = measured[planet].estimate if planet in measured else None
        if estimate is not None and len(estimate.darkening):
            offsets[place], covariances[place] = estimate.darkening, estimate.darkening_covariance
    return offsets, covariances
