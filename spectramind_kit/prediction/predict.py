"""From inferred planets to their spectra: networks that have not seen the planet, calibrated by held-out planets."""

import logging
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from spectramind_kit.config import Config
from spectramind_kit.errors import describe
from spectramind_kit.features.planet import Features
from spectramind_kit.own_models.regressors import are_regressors, corrected_by_regressors
from spectramind_kit.prediction.device import chosen_device
from spectramind_kit.prediction.inference import Inference
from spectramind_kit.prediction.plausibility import PlausibleRange, plausible_range
from spectramind_kit.prediction.spectrum import NetworkPrediction, fit_prediction, network_features, predict_spectrum
from spectramind_kit.prediction.trained_model import TrainedModel, require_own_networks
from spectramind_kit.products import Spectrum
from spectramind_kit.settings.model import corrects_the_fit
from spectramind_kit.uncertainty.blending import Prediction
from spectramind_kit.work_folder.layout import NETWORKS

logger = logging.getLogger(__name__)


def predict_planets(
    model: TrainedModel, folder: Path, inferred: Sequence[Inference], config: Config, until: float = math.inf
) -> tuple[Spectrum, ...]:
    """Return the spectra of planets; networks that cannot be read, or fail, cost their gain and not the file.

    Args:
        model: that predicts.
        folder: where it lies.
        inferred: the planets.
        config: device of the networks, floors and fallbacks.
        until: no network looks at a planet later than this, on the monotonic clock [s].
    """
    reason = "it failed, or the time budget was used up"
    try:
        if model.kind != "none":
            require_own_networks(folder)
        predicted = network_predictions(model, folder, inferred, config, until)
    except Exception as error:
        reason = describe(error)
        logger.warning("the fit predicts alone: %s", reason)
        predicted = [None] * len(inferred)
    if model.kind != "none":
        problem = f"without the network: {reason}"
        inferred = [one if raw is not None else _with_problem(one, problem) for one, raw in zip(inferred, predicted)]
    return calibrated_spectra(model, inferred, predicted, config)


def _with_problem(one: Inference, problem: str) -> Inference:
    """Return a planet with one problem more; one that was not measured has worse ones."""
    return one if one.posterior is None else replace(one, problems=(*one.problems, problem))


def network_predictions(
    model: TrainedModel, folder: Path, inferred: Sequence[Inference], config: Config, until: float = math.inf
) -> list[Prediction | None]:
    """Return what the networks beside a model predict, before sigmas are recalibrated; None where nothing.

    Args:
        model: whose networks.
        folder: where it lies.
        inferred: the planets; a training planet is predicted by the networks of its fold.
        config: device of the networks, floors.
        until: no network looks at a planet later than this, on the monotonic clock [s].
    """
    if model.kind == "none" or not inferred:
        return [None] * len(inferred)
    fold_of = model.training_set.fold_of
    if not corrects_the_fit(model.kind):
        from spectramind_kit.public_baselines.cross_validation import baseline_predictions  # here: it loads torch

        folds = [fold_of(one.planet_id) for one in inferred]
        return list(baseline_predictions(folder / NETWORKS, public_features(inferred), folds))
    inputs = {i: features for i, one in enumerate(inferred) if (features := network_inputs(one, model, config))}
    folds = [fold_of(inferred[i].planet_id) for i in inputs]
    if are_regressors(folder / NETWORKS):
        corrected = corrected_by_regressors(folder / NETWORKS, list(inputs.values()), folds, model.wavelength)
    else:
        from spectramind_kit.prediction.ensemble import load_ensemble  # here: it loads torch, and a fit needs none

        ensemble = load_ensemble(folder / NETWORKS, model.wavelength, chosen_device(config.training))
        corrected = ensemble.predictions(list(inputs.values()), folds, until)
    found = dict(zip(inputs, corrected))
    return [found.get(i) for i in range(len(inferred))]


def calibrated_spectra(
    model: TrainedModel, inferred: Sequence[Inference], predicted: Sequence[Prediction | None], config: Config
) -> tuple[Spectrum, ...]:
    """Return the spectra of planets, each calibrated without its own label.

    Args:
        model: whose calibrations.
        inferred: the planets.
        predicted: what networks predict of each, before sigmas are recalibrated.
        config: floors and fallbacks.
    """
    spectra, ranges = [], dict[int | None, PlausibleRange]()
    for one, raw in zip(inferred, predicted):
        fold = model.training_set.fold_of(one.planet_id)
        if fold not in ranges:
            ranges[fold] = plausible_range(model.training_set.spectra_without(fold), model.safeguards)
        calibration, network = model.calibration_of(one.planet_id), None
        if raw is not None:
            mean, sigma = raw
            factor = calibration.network_recalibration.factor(sigma, one.labels.spread, one.flagged)
            held, fit = (mean, sigma * factor), fit_prediction(one, calibration.recalibration, config.uncertainty)
            if fit is not None and corrects_the_fit(model.kind):  # a public baseline predicts by itself
                held = calibration.network_limits.held(held, fit)
            network = NetworkPrediction(*held, calibration.blending_weight)
        recalibration, conformal = calibration.recalibration, calibration.conformal
        spectra.append(
            predict_spectrum(one, recalibration, model.wavelength, config.uncertainty, network, conformal, ranges[fold])
        )
    return tuple(spectra)


def network_inputs(one: Inference, model: TrainedModel, config: Config) -> Features | None:
    """Return what the network sees of a planet.

    Args:
        one: the planet.
        model: whose calibration scales the sigmas that the network corrects.
        config: floor of sigma.
    """
    recalibration = model.calibration_of(one.planet_id).recalibration
    return network_features(one, recalibration, model.wavelength, config.uncertainty)


def public_features(inferred: Sequence[Inference]) -> np.ndarray:
    """Return the public front end's features of planets (n_planet, n_feature); NaN where it failed."""
    from spectramind_kit.public_baselines.front_end import FEATURE_NAMES  # here: it loads scipy.signal

    unknown = np.full(len(FEATURE_NAMES), np.nan)
    return np.stack([unknown if one.public is None else one.public for one in inferred])
