"""What moves the network: by how much the score falls when a part of its inputs is another planet's.

Permutation importance (Breiman 2001, Machine Learning 45, 5) on held-out training planets, each predicted by networks
that have not seen it. Inputs of one kind are exchanged together, because each alone could be guessed from the others.
It takes a few seconds of processor time and no more: as many planets as they allow.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import process_time

import numpy as np

from spectramind_kit.competition.folder import CompetitionFolder
from spectramind_kit.config import Config
from spectramind_kit.diagnostics import figure
from spectramind_kit.diagnostics.figure import AIRS_COLOUR, Figure
from spectramind_kit.diagnostics.payload import rounded
from spectramind_kit.diagnostics.planet_products import PlanetProducts, planet_products
from spectramind_kit.features.planet import CONTEXT, LINEAR_PREDICTORS, NODE, Features
from spectramind_kit.features.visit import REGRESSORS, SEQUENCE, VISIT_CONTEXT, VISIT_NODE, VisitFeatures
from spectramind_kit.fitting.visits import join_visits
from spectramind_kit.metric import planet_scores
from spectramind_kit.prediction.inference import Inference, infer
from spectramind_kit.prediction.measure import Measurement
from spectramind_kit.prediction.population import Population
from spectramind_kit.prediction.predict import calibrated_spectra, network_inputs
from spectramind_kit.prediction.trained_model import TrainedModel, load_model
from spectramind_kit.prediction.worker import one_thread
from spectramind_kit.uncertainty.blending import Prediction
from spectramind_kit.work_folder.layout import NETWORKS, WorkFolder
from spectramind_kit.work_folder.store import UNREADABLE, load_product

logger = logging.getLogger(__name__)

_NOISE_CONTEXT = tuple(name for name in VISIT_CONTEXT if "_lag_" in name or name.split("_")[-1] in ("flag", "jump"))
GROUPS = {
    "white residuals in time": ("visits", ("fgs1_residual", "airs_residual")),
    "colour of the residuals in time": ("visits", ("colour_residual",)),
    "transit in time": ("visits", ("fgs1_transit", "airs_transit", "fgs1_flux", "airs_flux", "phase")),
    "pointing in time": ("visits", REGRESSORS),
    "depth bias and gain responses": ("node", LINEAR_PREDICTORS),
    "spectrum and its sigmas": ("node", ("fit_residual", "shape", "fit_shape", "ln_sigma", "ln_fit_sigma")),
    "residuals by wavelength": ("node", VISIT_NODE),
    "star table": ("context", CONTEXT[:7]),
    "level of the spectrum": ("context", CONTEXT[7:12]),
    "fitted orbit and darkening": ("context", tuple(n for n in VISIT_CONTEXT if n not in _NOISE_CONTEXT)),
    "noise of the visit": ("context", _NOISE_CONTEXT),
}
"""Kinds of inputs: where they are in ``Features``, and the names of their channels."""
_NAMES = {"visits": SEQUENCE, "node": NODE, "context": CONTEXT}
_FEWEST = 4
_PART_FOR_INPUTS = 0.4
"""Of the seconds, for reading and inferring planets; the rest is the networks'."""


@dataclass(frozen=True)
class Importance:
    """How much a kind of inputs matters.

    Attributes:
        name: of the kind.
        drop: by which the score falls without it [1].
        standard_error: of the drop over planets.
    """

    name: str
    drop: float
    standard_error: float


def permutation_importance(
    folder: CompetitionFolder, work: Path, planets: Sequence[int], config: Config
) -> tuple[list[Importance], int]:
    """Return the importance of each kind of inputs, and how many planets it rests on; none without a network.

    Args:
        folder: of the competition.
        work: folder of a run.
        planets: training planets that were predicted.
        config: floors, device, and the seconds that this may take.
    """
    seconds, model = config.diagnostics.importance_seconds, load_model(WorkFolder(work).model)
    if model.kind != "v50" or not seconds or not model.calibration.blending_weight.any():
        return [], 0
    from spectramind_kit.prediction.device import chosen_device
    from spectramind_kit.prediction.ensemble import load_ensemble  # here: it loads torch, which takes seconds itself

    ensemble = load_ensemble(WorkFolder(work).model / NETWORKS, model.wavelength, chosen_device(config.training))
    started = process_time()
    with one_thread():
        known = _planets(folder, work, planets, model, config, started + _PART_FOR_INPUTS * seconds)
        if len(known) < _FEWEST:
            return [], 0
        folds = [model.training_set.fold_of(one.planet_id) for one, _ in known]
        ensemble.predictions([known[0][1]], folds[:1])  # the first one takes longer than all others
        before = process_time()
        ensemble.predictions([known[0][1]], folds[:1])
        pace, left = process_time() - before, seconds - (process_time() - started)
        known = known[: max(_FEWEST, int(left / (max(pace, 1e-4) * (len(GROUPS) + 1))))]

        def scores(inputs: Sequence[Features]) -> np.ndarray:
            return _scores(model, known, ensemble.predictions(inputs, folds[: len(inputs)]), config, folder.edition)

        inputs = [features for _, features in known]
        others = [inputs[-1], *inputs[:-1]]
        usual, found = scores(inputs), []
        for name, (part, channels) in GROUPS.items():
            drop = usual - scores([exchanged(x, other, part, channels) for x, other in zip(inputs, others)])
            found.append(Importance(name, float(drop.mean()), float(drop.std(ddof=1) / np.sqrt(len(drop)))))
    return found, len(known)


def exchanged(features: Features, other: Features, part: str, channels: Sequence[str]) -> Features:
    """Return a planet's inputs with some channels of another planet's.

    Args:
        features: of the planet.
        other: of the other one; its first visit is stretched to the length of each visit.
        part: "visits", "node" or "context".
        channels: names of the channels.
    """
    places = [_NAMES[part].index(name) for name in channels]
    if part != "visits":
        array = getattr(features, part).copy()
        array[..., places] = getattr(other, part)[..., places]
        return replace(features, **{part: array})
    visits = []
    for visit in features.visits:
        array, source = visit.copy(), other.visits[0]
        array[:, places] = source[np.linspace(0, len(source) - 1, len(array)).round().astype(int)][:, places]
        visits.append(array)
    return replace(features, visits=tuple(visits))


def importance_figure(found: Sequence[Importance], n_planet: int) -> Figure:
    """Show by how much the score falls without each kind of inputs."""
    ordered = sorted(found, key=lambda each: each.drop)
    drops, errors = (np.array([getattr(each, name) for each in ordered]) for name in ("drop", "standard_error"))
    trace = {"type": "bar", "orientation": "h", "x": rounded(drops), "y": [each.name for each in ordered]}
    trace |= {
        "marker": {"color": f"{AIRS_COLOUR}/0.75"},
        "error_x": figure.errors(errors) | {"color": figure.TRUTH_COLOUR},
        "showlegend": False,
    }
    layout = figure.axes("fall of the score", "")
    note = (
        f"Each kind of inputs is taken from another planet, on {n_planet} held-out planets; the lines are standard "
        "errors. What lies within them of zero moves nothing."
    )
    return Figure("What moves the network", note, [trace], layout, 340)


def _planets(
    folder: CompetitionFolder,
    work: Path,
    planets: Sequence[int],
    model: TrainedModel,
    config: Config,
    until: float,
) -> list[tuple[Inference, Features]]:
    """Return held-out planets with the network's inputs, as many as there is time for, in an order of chance."""
    labelled = sorted({int(planet) for planet in model.training_set.planet_ids} & set(planets))
    found, populations = [], {}
    for planet_id in np.random.default_rng(0).permutation(labelled).tolist():
        if process_time() > until and len(found) >= _FEWEST:
            break
        fold = model.training_set.fold_of(planet_id)
        if fold not in populations:
            populations[fold] = model.training_set.population(fold)
        one = _inferred(work, planet_products(folder, work, "train", planet_id), populations[fold])
        features = None if one is None else network_inputs(one, model, config)
        if one is not None and features is not None:
            found.append((one, features))
    return found


def _inferred(work: Path, planet: PlanetProducts, population: Population) -> Inference | None:
    """Infer a planet from what is stored; None where something is missing."""
    planet_id = planet.planet.planet_id
    try:
        visits = tuple(
            load_product(WorkFolder(work).features(planet.split, planet_id, fit.visit), VisitFeatures)
            for fit in planet.fits
        )
        return infer(Measurement(planet_id, join_visits(planet.fits), (), planet.planet, visits), population)
    except UNREADABLE as error:
        logger.debug("planet %d is left out of the importance: %s", planet_id, error)
        return None


def _scores(
    model: TrainedModel,
    planets: Sequence[tuple[Inference, Features]],
    predicted: Sequence[Prediction | None],
    config: Config,
    edition: str,
) -> np.ndarray:
    """Return what each planet adds to the score, (n_planet,)."""
    inferred = [one for one, _ in planets]
    spectra = calibrated_spectra(model, inferred, predicted, config)
    row = {int(planet): i for i, planet in enumerate(model.training_set.planet_ids)}
    truth = model.training_set.spectra[[row[one.planet_id] for one in inferred]]
    mean, sigma = (np.stack([getattr(each, name) for each in spectra]) for name in ("mean", "sigma"))
    return planet_scores(truth, mean, sigma, model.training_set.labels().naive, edition)
