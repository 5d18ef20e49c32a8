"""From measured planets to their spectra: the prior, the networks that have not seen the planet, the answer."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from spectramind_kit.config import Config
from spectramind_kit.errors import SpectraMindError
from spectramind_kit.features.planet import Features
from spectramind_kit.prediction.answer import Heard, Inference, features_of, infer, predict_spectrum
from spectramind_kit.prediction.device import chosen_device
from spectramind_kit.prediction.ensemble import Answer, load_ensemble
from spectramind_kit.prediction.measure import Measurement
from spectramind_kit.prediction.trained_model import Model
from spectramind_kit.products import Spectrum
from spectramind_kit.public_baselines.cross_validation import baseline_predictions
from spectramind_kit.public_baselines.front_end import FEATURE_NAMES
from spectramind_kit.uncertainty.recalibration import Recalibration
from spectramind_kit.work_folder.layout import NETWORKS

logger = logging.getLogger(__name__)


def infer_planets(model: Model, measured: Mapping[int, Measurement]) -> list[Inference]:
    """Combine every planet with a population that has not seen its label."""
    with threadpool_limits(1):  # matrices of 283 rows: threads cost ten times what they save on a busy machine
        return [infer(measurement, model.population_without(planet)) for planet, measurement in measured.items()]


def recalibration_factor(recalibration: Recalibration, one: Inference, sigma: np.ndarray) -> np.ndarray:
    """Return the factor on the sigmas (n_wavelength,) of a planet."""
    return recalibration.factor(sigma, one.population.spread, bool(one.measurement.estimate.flags))


def public_features(inferred: Sequence[Inference]) -> np.ndarray:
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
        return baseline_predictions(folder / NETWORKS, public_features(inferred), folds)
    ensemble = load_ensemble(folder / NETWORKS, model.wavelength, chosen_device(config.training))
    seen = [network_inputs(one, model, config) for one in inferred]
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
        answer and Heard(answer[0], answer[1] * recalibration_factor(own, one, answer[1]), model.share)
        for answer, one in zip(answers, inferred)
    ]
    finish = recalibration, model.wavelength, config.uncertainty
    return [predict_spectrum(one, *finish, network, model.conformal) for one, network in zip(inferred, heard)]


def network_inputs(one: Inference, model: Model, config: Config) -> Features | None:
    """Return what the network sees of a planet."""
    return features_of(one, Recalibration.from_table(model.recalibration), model.wavelength, config.uncertainty)
