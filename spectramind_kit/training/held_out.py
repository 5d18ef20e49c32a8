"""What held-out training planets teach: the scale of the sigmas, the networks, and how much these count.

Every training planet is predicted without its own label: the prior, the network and the calibration that it gets are
learned from the other folds. The score rests on these predictions, and ``WORK/predictions/train.csv`` holds them.
What is stored for new planets is learned from all held-out planets.

Two things still reach a planet from its own label, both through the planets of other folds: their priors and networks
know it, and their errors teach the planet's calibration. Only training anew for every pair of folds would undo that.
"""

import logging
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from spectramind_kit.config import Config
from spectramind_kit.files import replacing
from spectramind_kit.instruments import is_fgs1
from spectramind_kit.metric import score
from spectramind_kit.own_models.import_model import is_network, model_class
from spectramind_kit.own_models.regressors import are_regressors, train_regressors
from spectramind_kit.prediction.inference import Inference
from spectramind_kit.prediction.measure import PlanetTask
from spectramind_kit.prediction.population import LabelStatistics
from spectramind_kit.prediction.predict import (
    calibrated_spectra,
    network_inputs,
    network_predictions,
    public_features,
)
from spectramind_kit.prediction.spectrum import fit_prediction
from spectramind_kit.prediction.trained_model import TrainedModel
from spectramind_kit.prediction.training_set import TrainingSet
from spectramind_kit.products import Spectrum
from spectramind_kit.settings.model import corrects_the_fit, is_own
from spectramind_kit.symbolic.bands import region_names
from spectramind_kit.training.damaged_planets import learn_safeguards
from spectramind_kit.training.examples import Examples, concatenated
from spectramind_kit.uncertainty.blending import Prediction, Predictions, blended, learn_blending_weight
from spectramind_kit.uncertainty.conformal import conformal_scale, neighbour_weights
from spectramind_kit.uncertainty.network_limits import learn_network_limits
from spectramind_kit.uncertainty.posthoc import PosthocCalibration, fit_calibration
from spectramind_kit.uncertainty.recalibration import Recalibration, learn_recalibration, no_recalibration
from spectramind_kit.work_folder.layout import WorkFolder
from spectramind_kit.work_folder.submission import submission_table

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Training planets with a posterior, each inferred with a population that has not seen its label.

    Attributes:
        inferred: one a planet.
        truth: (n_planet, n_wavelength) [(Rp/Rs)^2].
        fold: (n_planet,) of each.
        predicted: by the networks of each planet's fold, sigmas as they are; None where nothing; empty without any.
    """

    inferred: tuple[Inference, ...]
    truth: np.ndarray
    fold: np.ndarray
    predicted: tuple[Prediction | None, ...] = ()

    def __len__(self) -> int:
        return len(self.inferred)

    def without(self, fold: int) -> "HeldOut":
        """Return the planets of the other folds."""
        return self._where(self.fold != fold)

    def only(self, fold: int) -> "HeldOut":
        """Return the planets of one fold."""
        return self._where(self.fold == fold)

    def _where(self, chosen: np.ndarray) -> "HeldOut":
        places = np.flatnonzero(chosen)
        return HeldOut(
            tuple(self.inferred[i] for i in places),
            self.truth[places],
            self.fold[places],
            tuple(self.predicted[i] for i in places) if self.predicted else (),
        )


def held_out_planets(training_set: TrainingSet, inferred: Sequence[Inference]) -> HeldOut:
    """Return the training planets that have a posterior, with their labels; none where only one label is known.

    Args:
        training_set: labels and folds.
        inferred: training planets, each without its own label.
    """
    place = {int(planet): i for i, planet in enumerate(training_set.planet_ids)}
    known = tuple(one for one in inferred if one.posterior is not None) if len(place) > 1 else ()
    places = [place[one.planet_id] for one in known]
    return HeldOut(known, training_set.spectra[places], training_set.fold[places])


def learn_model(
    training_set: TrainingSet,
    held_out: HeldOut,
    task: PlanetTask,
    edition: str,
    unlabelled: Sequence[Inference] = (),
    keep: Callable[[TrainedModel], object] = lambda fit_alone: None,
    damaged: Sequence[Inference] = (),
) -> tuple[TrainedModel, tuple[Spectrum, ...]]:
    """Return the model that the held-out planets teach, and their spectra, each predicted without its own label.

    Networks are left in ``WORK/model/networks``, and what fit and prior predict without them beside the spectra.

    Args:
        training_set: labels, folds and stars.
        held_out: planets with a posterior.
        task: where the training planets' products, networks and checkpoints lie, and the configuration.
        edition: whose score is measured and striven for, "2025" or "2024".
        unlabelled: planets whose light curves a pre-training may see.
        keep: called with the model of fit and prior alone before networks train, which may be interrupted.
        damaged: some of the planets, damaged on purpose.
    """
    config, teacher = task.config, _Teacher(training_set, task.config, edition, tuple(damaged))
    fit_alone = teacher.model(held_out, kind="none")
    fit_spectra = teacher.spectra(fit_alone, held_out)
    fit_score = teacher.score(fit_spectra, held_out)
    fit_alone = replace(fit_alone, score=fit_score, fit_score=fit_score)
    kind = config.model.kind if len(held_out) else "none"
    _keep_fit_alone(fit_spectra if kind != "none" else (), task)
    if kind == "none" and not config.uncertainty.conformal:
        return fit_alone, fit_spectra
    keep(fit_alone)
    if kind != "none":
        if corrects_the_fit(kind):
            _train_correction(fit_alone, held_out, task, edition, unlabelled)
        else:
            _train_baselines(kind, held_out, task)
        folder = WorkFolder(task.work).model
        predicted = network_predictions(replace(fit_alone, kind=kind), folder, held_out.inferred, config)
        held_out = replace(held_out, predicted=tuple(predicted))
    model = teacher.model(held_out, kind, config.uncertainty.conformal if len(held_out) else 0.0)
    spectra = teacher.spectra(model, held_out)
    model = replace(model, score=teacher.score(spectra, held_out), fit_score=fit_score)
    weight = model.calibration.blending_weight
    logger.info(
        "held-out planets: fit %.4f; with %s, weights FGS1 %.2f, AIRS-CH0 %.2f, conformal coverage %g: %.4f",
        *(fit_score, kind, weight[0], weight[1], config.uncertainty.conformal, model.score),
    )
    return model, spectra


@dataclass(frozen=True, eq=False)
class _Teacher:
    """Learns calibrations from held-out planets: from all for new planets, from the other folds for each fold."""

    training_set: TrainingSet
    config: Config
    edition: str
    damaged: tuple[Inference, ...]

    def model(self, held_out: HeldOut, kind: str, coverage: float = 0.0) -> TrainedModel:
        """Return the model with its calibrations; scores are not measured yet."""
        folds = range(self.training_set.n_fold) if len(held_out) else ()
        model = TrainedModel(
            training_set=self.training_set,
            calibration=self._calibration(held_out, None, kind, coverage),
            fold_calibrations=tuple(self._calibration(held_out.without(f), f, kind, coverage) for f in folds),
            n_measured=len(held_out),
            kind=kind,
        )
        learned = learn_safeguards(model, held_out.inferred, held_out.fold, self.damaged, self.config)
        return replace(model, safeguards=learned)

    def spectra(self, model: TrainedModel, held_out: HeldOut) -> tuple[Spectrum, ...]:
        """Return the spectra of held-out planets."""
        predicted = held_out.predicted or (None,) * len(held_out)
        return calibrated_spectra(model, held_out.inferred, predicted, self.config)

    def score(self, spectra: Sequence[Spectrum], held_out: HeldOut) -> float:
        """Return the score of held-out planets; NaN without any."""
        if not spectra:
            return float("nan")
        mean, sigma = (np.array([getattr(each, name) for each in spectra]) for name in ("mean", "sigma"))
        return score(held_out.truth, mean, sigma, self.training_set.labels().naive, self.edition)

    def _calibration(self, planets: HeldOut, fold: int | None, kind: str, coverage: float) -> PosthocCalibration:
        """Learn from planets none of which is of ``fold``; conformal factors too where a coverage is asked for."""
        labels = self.training_set.labels(fold)
        calibration = self._scales_and_weight(planets, labels, kind)
        if not coverage:
            return calibration
        # Errors after a calibration that has seen them are too small for a conformal factor, so it is learned anew
        # without each fold's planets.
        parts = [(planets.without(f), planets.only(f)) for f in np.unique(planets.fold)]
        z = [self._errors(here, self._scales_and_weight(others, labels, kind)) for others, here in parts]
        weight = neighbour_weights(self.training_set.wavelength, region_names(self.training_set.wavelength))
        return replace(calibration, conformal=conformal_scale(np.concatenate(z), coverage, weight))

    def _scales_and_weight(self, planets: HeldOut, labels: LabelStatistics, kind: str) -> PosthocCalibration:
        """Learn recalibrations and blending weight."""
        n_wavelength = len(self.training_set.wavelength)
        recalibration = self._recalibration(planets, self._fit(planets, no_recalibration()), labels)
        calibration = fit_calibration(recalibration, n_wavelength)
        if kind == "none":
            return calibration
        if not corrects_the_fit(kind):  # a public baseline predicts by itself
            return replace(calibration, blending_weight=np.ones(n_wavelength))
        own = self._recalibration(planets, self._network(planets, calibration), labels)
        calibration = replace(calibration, network_recalibration=own)
        fit, network = self._fit(planets, recalibration), self._network(planets, calibration)
        weight = learn_blending_weight(planets.truth, fit, network, labels.naive, self.edition)
        return replace(calibration, blending_weight=weight, network_limits=learn_network_limits(network, fit))

    def _recalibration(self, planets: HeldOut, predicted: Predictions, labels: LabelStatistics) -> Recalibration:
        mean, sigma = predicted
        flagged = np.array([one.flagged for one in planets.inferred], dtype=bool)
        z = (planets.truth - mean) / sigma
        return learn_recalibration(z, sigma, labels.spread, flagged, self.config.uncertainty)

    def _fit(self, planets: HeldOut, recalibration: Recalibration) -> Predictions:
        """Return what fit and prior predict, (n_planet, n_wavelength) each."""
        pairs = [fit_prediction(one, recalibration, self.config.uncertainty) for one in planets.inferred]
        return _stacked([pair for pair in pairs if pair is not None], planets.truth.shape)

    def _network(self, planets: HeldOut, calibration: PosthocCalibration) -> Predictions:
        """Return what networks predict, (n_planet, n_wavelength) each; what the fit does where they predict nothing."""
        fit, pairs = self._fit(planets, calibration.recalibration), []
        for i, (one, raw) in enumerate(zip(planets.inferred, planets.predicted)):
            mean, sigma = (fit[0][i], fit[1][i]) if raw is None else raw
            factor = calibration.network_recalibration.factor(sigma, one.labels.spread, one.flagged)
            pairs.append((np.maximum(mean, self.config.uncertainty.sigma_floor), sigma * factor))
        return _stacked(pairs, planets.truth.shape)

    def _errors(self, planets: HeldOut, calibration: PosthocCalibration) -> np.ndarray:
        """Return the standardised errors of planets after a calibration, (n_planet, n_wavelength)."""
        prediction = self._fit(planets, calibration.recalibration)
        if planets.predicted:
            prediction = blended(prediction, self._network(planets, calibration), calibration.blending_weight)
        return (planets.truth - prediction[0]) / prediction[1]


def _train_correction(
    model: TrainedModel, held_out: HeldOut, task: PlanetTask, edition: str, unlabelled: Sequence[Inference]
) -> None:
    """Train what corrects fit and prior: V50, a torch module of the user's, or a regressor over tables.

    Arguments as of ``_train_networks``.
    """
    kind, networks = task.config.model.kind, WorkFolder(task.work).networks
    if is_own(kind) and not is_network(model_class(kind)):
        examples = network_examples(model, held_out, task.config)
        fgs1 = is_fgs1(model.wavelength)
        train_regressors(task.config.model, examples.features, examples.truth, examples.fold, fgs1, networks)
        return
    if are_regressors(networks):
        shutil.rmtree(networks)
    _train_networks(model, held_out, task, edition, unlabelled)


def _keep_fit_alone(spectra: Sequence[Spectrum], task: PlanetTask) -> None:
    """Write what fit and prior predict, by which networks are judged; without a network remove what another left."""
    path = WorkFolder(task.work).predictions_of_the_fit
    if not spectra:
        path.unlink(missing_ok=True)
        return
    with replacing(path) as temporary:
        submission_table(spectra, [each.planet_id for each in spectra]).write_csv(temporary)


def _train_networks(
    model: TrainedModel, held_out: HeldOut, task: PlanetTask, edition: str, unlabelled: Sequence[Inference]
) -> None:
    """Train the networks on the held-out planets, and on what the configuration adds to them.

    Args:
        model: of fit and prior, whose predictions the networks correct.
        held_out: planets with a posterior.
        task: where products, networks and checkpoints lie.
        edition: whose score is striven for.
        unlabelled: planets whose light curves a pre-training may see.
    """
    # Here, because torch, Lightning and the simulator take seconds to load, and no fit needs them.
    from spectramind_kit.training.augmentation import injected_examples, simulated_examples
    from spectramind_kit.training.task import NetworkTask
    from spectramind_kit.training.train_network import train_networks

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
    examples, simulated = network_examples(model, held_out, config), None
    if config.training.injections:
        ids = [each.planet_id for each in examples.features]
        examples = concatenated([examples, injected_examples(model, task, ids, examples.truth)])
    if config.training.simulated_planets:
        simulated = simulated_examples(model, work, config)
    inputs = [network_inputs(one, model, config) for one in unlabelled]
    train_networks(networks, examples, simulated, [features for features in inputs if features is not None])


def _train_baselines(kind: str, held_out: HeldOut, task: PlanetTask) -> None:
    """Train a public baseline on what its own front end sees of the held-out planets."""
    from spectramind_kit.public_baselines.cross_validation import train_baselines  # here: it loads torch

    networks = WorkFolder(task.work).networks
    shutil.rmtree(networks, ignore_errors=True)
    inputs = public_features(held_out.inferred)
    train_baselines(kind, inputs, held_out.truth, held_out.fold, task.config.seed, networks)


def network_examples(model: TrainedModel, held_out: HeldOut, config: Config) -> Examples:
    """Return held-out planets as networks learn from them.

    Args:
        model: whose calibrations the networks correct the predictions of.
        held_out: the planets.
        config: floor of sigma.
    """
    inputs = {
        i: features for i, one in enumerate(held_out.inferred) if (features := network_inputs(one, model, config))
    }
    places = list(inputs)
    return Examples(tuple(inputs.values()), held_out.truth[places], held_out.fold[places], model.wavelength)


def _stacked(pairs: Sequence[Prediction], shape: tuple[int, ...]) -> Predictions:
    """Return means and sigmas of planets, (n_planet, n_wavelength) each, whether there are any or none."""
    mean, sigma = zip(*pairs) if pairs else ((), ())
    return np.array(mean).reshape(shape), np.array(sigma).reshape(shape)
