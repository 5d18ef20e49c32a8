"""What held-out training planets teach: the scale of the sigmas, the networks, and how much these may say.

Every training planet is answered three times without its own label: by fit and prior, by the networks of its fold, and
by both together, which is what the score and the share rest on.
"""

import logging
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from spectramind_kit.augmentation import injected_examples, simulated_examples
from spectramind_kit.config import Config
from spectramind_kit.errors import SpectraMindError
from spectramind_kit.features.planet import Features
from spectramind_kit.inference import (
    Heard,
    Inference,
    Measurement,
    PlanetTask,
    features_of,
    fit_answer,
    infer,
    predict_spectrum,
)
from spectramind_kit.metric import score
from spectramind_kit.networks.public_baselines.front_end import FEATURE_NAMES
from spectramind_kit.products import Spectrum
from spectramind_kit.symbolic.bands import region_names
from spectramind_kit.training.baselines import baseline_answers, train_baselines
from spectramind_kit.training.checkpoint import Model
from spectramind_kit.training.device import chosen_device
from spectramind_kit.training.ensemble import Answer, load_ensemble
from spectramind_kit.training.examples import Examples, joined
from spectramind_kit.training.task import NetworkTask
from spectramind_kit.uncertainty.blend import Answers, blended, learn_share
from spectramind_kit.uncertainty.conformal import conformal_scale, cross_conformal_scale, neighbour_weights
from spectramind_kit.uncertainty.recalibration import Recalibration, learn_recalibration, no_recalibration

logger = logging.getLogger(__name__)

NETWORKS = "networks"


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Training planets, each inferred with a population that has not seen its label; truth (n_planet, n_wavelength)."""

    inferred: tuple[Inference, ...]
    truth: np.ndarray


def infer_planets(model: Model, measured: Mapping[int, Measurement]) -> list[Inference]:
    """Combine every planet with a population that has not seen its label."""
    with threadpool_limits(1):  # matrices of 283 rows: threads cost ten times what they save on a busy machine
        return [infer(measurement, model.population_without(planet)) for planet, measurement in measured.items()]


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
        _train_networks(model, held_out, task, unlabelled)
    else:
        _train_baselines(model, held_out, task)
    return _with_share(model, held_out, alone, task, edition)


def _with_share(model: Model, held_out: HeldOut, alone: Answers, task: PlanetTask, edition: str) -> Model:
    """Return the model with what its networks may say, and the score that comes of it.

    Args:
        alone: what fit and prior say of the held-out planets.
    """
    truth, config, naive = held_out.truth, task.config, model.population().naive
    answers = network_answers(model, task.work / "model", held_out.inferred, config)
    mean, sigma = _stacked([answer or fit for answer, fit in zip(answers, zip(*alone))], truth)
    heard = np.maximum(mean, config.uncertainty.sigma_floor), sigma
    own, share = no_recalibration(), np.ones(truth.shape[1])  # a baseline answers by itself
    if model.kind == "v50":
        own = _recalibrated(model, held_out, heard, config)
        heard = heard[0], np.array([sigma * _factor(own, one, sigma) for one, sigma in zip(held_out.inferred, sigma)])
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


def _factor(recalibration: Recalibration, one: Inference, sigma: np.ndarray) -> np.ndarray:
    return recalibration.factor(sigma, one.population.spread, bool(one.measurement.estimate.flags))


def _train_networks(model: Model, held_out: HeldOut, task: PlanetTask, unlabelled: Sequence[Inference]) -> None:
    """Train the networks on the held-out planets, and on what the configuration adds to them."""
    from spectramind_kit.training.network import train_networks  # here: Lightning takes seconds, and no answer needs it

    config, work = task.config, task.work
    networks = NetworkTask(
        config.model, config.loss, config.training, config.seed, work / "training", work / "model" / NETWORKS
    )
    examples, simulated = _examples(model, held_out, config), None
    if config.training.injections:
        ids = [each.planet_id for each in examples.features]
        examples = joined([examples, injected_examples(model, task, ids, examples.truth)])
    if config.training.simulated_planets:
        simulated = simulated_examples(model, work, config)
    seen = [_seen(one, model, config) for one in unlabelled]
    train_networks(networks, examples, simulated, [features for features in seen if features is not None])


def _train_baselines(model: Model, held_out: HeldOut, task: PlanetTask) -> None:
    """Train a public baseline on what its own front end says of the held-out planets."""
    fold = np.array([model.fold_of(one.measurement.planet_id) for one in held_out.inferred])
    networks = task.work / "model" / NETWORKS
    shutil.rmtree(networks, ignore_errors=True)
    seen = _public_features(held_out.inferred)
    train_baselines(model.kind, seen, held_out.truth, fold, task.config.seed, networks)


def _public_features(inferred: Sequence[Inference]) -> np.ndarray:
    """Return what the public front end says of planets (n_planet, n_feature); NaN where it failed."""
    unknown = np.full(len(FEATURE_NAMES), np.nan)
    return np.stack([unknown if one.measurement.public is None else one.measurement.public for one in inferred])


def network_answers(model: Model, folder: Path, inferred: Sequence[Inference], config: Config) -> list[Answer | None]:
    """Return what the networks beside a model say of every planet, before sigmas are scaled; None where nothing.

    Args:
        model: whose networks; folder: where it lies; inferred: the planets, training planets being answered by the
            networks of their fold.
    """
    if model.kind == "none" or not inferred:
        return [None] * len(inferred)
    if model.kind != "v50":
        folds = [model.fold_of(one.measurement.planet_id) for one in inferred]
        return baseline_answers(folder / NETWORKS, _public_features(inferred), folds)
    ensemble = load_ensemble(folder / NETWORKS, model.wavelength, chosen_device(config.training))
    seen = [_seen(one, model, config) for one in inferred]
    places = [i for i, features in enumerate(seen) if features is not None]
    folds = [model.fold_of(inferred[i].measurement.planet_id) for i in places]
    found = dict(zip(places, ensemble.answers([seen[i] for i in places], folds)))
    return [found.get(i) for i in range(len(inferred))]


def predict_planets(model: Model, folder: Path, inferred: Sequence[Inference], config: Config) -> list[Spectrum]:
    """Return the spectra of planets; networks that cannot be read cost their share of the accuracy, not the file.

    Args:
        model: that answers; folder: where it lies; inferred: the planets.
    """
    try:
        answers = network_answers(model, folder, inferred, config)
    except SpectraMindError as error:
        logger.warning("the fit answers alone: %s", error)
        answers = [None] * len(inferred)
    own, recalibration = (Recalibration.from_table(t) for t in (model.network_recalibration, model.recalibration))
    heard = [
        answer and Heard(answer[0], answer[1] * _factor(own, one, answer[1]), model.share)
        for answer, one in zip(answers, inferred)
    ]
    finish = recalibration, model.wavelength, config.uncertainty
    return [predict_spectrum(one, *finish, network, model.conformal) for one, network in zip(inferred, heard)]


def _seen(one: Inference, model: Model, config: Config) -> Features | None:
    """Return what the network sees of a planet."""
    return features_of(one, Recalibration.from_table(model.recalibration), model.wavelength, config.uncertainty)


def _examples(model: Model, held_out: HeldOut, config: Config) -> Examples:
    """Return the held-out planets as the networks learn from them."""
    seen = [_seen(one, model, config) for one in held_out.inferred]
    places = [i for i, features in enumerate(seen) if features is not None]
    fold = np.array([model.fold_of(seen[i].planet_id) for i in places])
    return Examples(tuple(seen[i] for i in places), held_out.truth[places], fold, model.wavelength)


def _stacked(answers: Sequence[Answer], truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean, sigma = zip(*answers) if answers else ((), ())
    return np.array(mean).reshape(truth.shape), np.array(sigma).reshape(truth.shape)
