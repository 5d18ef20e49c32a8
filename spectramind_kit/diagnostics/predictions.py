"""What was predicted, beside the truth where it is known: what every judgement of a report starts from."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from spectramind_kit.competition.folder import CompetitionFolder, open_competition, read_spectra
from spectramind_kit.errors import ProductError, SpectraMindError
from spectramind_kit.metric import element_scores, planet_scores, score
from spectramind_kit.prediction.population import label_statistics
from spectramind_kit.work_folder.layout import WorkFolder
from spectramind_kit.work_folder.submission import read_submission, submission_arrays

CHANNEL_PARTS = {"FGS1": slice(0, 1), "AIRS-CH0": slice(1, None)}
"""Places of each channel on the wavelength axis."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """A split's predictions and, where known, the truth.

    Attributes:
        split: "train" or "test".
        planet_ids: (n_planet,).
        mean: (n_planet, n_wavelength) [(Rp/Rs)^2].
        sigma: (n_planet, n_wavelength) [(Rp/Rs)^2].
        truth: (n_planet, n_wavelength) [(Rp/Rs)^2]; None where it is not known of every planet.
        edition: whose score, "2025" or "2024".
        naive: the score's zero point, mean and spread of the training labels; None: those of the truth.
    """

    split: str
    planet_ids: np.ndarray
    mean: np.ndarray
    sigma: np.ndarray
    truth: np.ndarray | None
    edition: str = "2025"
    naive: tuple[float, float] | None = None

    @property
    def known(self) -> np.ndarray:
        """The truth, (n_planet, n_wavelength).

        Raises:
            ProductError: where it is not known.
        """
        if self.truth is None:
            raise ProductError(f"predictions of split {self.split}", wanted="the truth of every planet", got="none")
        return self.truth

    @property
    def error(self) -> np.ndarray:
        """Predicted less true depth (n_planet, n_wavelength) [(Rp/Rs)^2]."""
        return self.mean - self.known

    @property
    def z(self) -> np.ndarray:
        """Errors in units of sigma, (n_planet, n_wavelength)."""
        return self.error / self.sigma

    @property
    def score(self) -> float:
        """The competition's score."""
        return score(self.known, self.mean, self.sigma, self.naive, self.edition)

    @cached_property
    def planet_scores(self) -> np.ndarray:
        """What each planet adds to the score, unclipped, (n_planet,)."""
        return planet_scores(self.known, self.mean, self.sigma, self.naive, self.edition)

    @cached_property
    def element_scores(self) -> np.ndarray:
        """Score of each element (n_planet, n_wavelength), unweighted and unclipped."""
        return element_scores(self.known, self.mean, self.sigma, self.naive, self.edition)

    def of_planets(self, planet_ids: np.ndarray) -> "Predictions":
        """Return the predictions of some planets, in this order.

        Raises:
            KeyError: if one is not there.
        """
        place = {int(planet): i for i, planet in enumerate(self.planet_ids)}
        rows = [place[int(planet)] for planet in planet_ids]
        truth = None if self.truth is None else self.truth[rows]
        arrays = self.planet_ids[rows], self.mean[rows], self.sigma[rows], truth
        return Predictions(self.split, *arrays, self.edition, self.naive)


def collect_predictions(folder: CompetitionFolder, work: Path, truth: Path | None = None) -> list[Predictions]:
    """Read what a work folder holds: training planets, each predicted without its label, and the submission.

    Args:
        folder: of the competition.
        work: folder of a run.
        truth: true spectra of the test split; ``DATA/truth/test.csv`` of a simulation is found by itself.

    Raises:
        SpectraMindError: if there is neither.
    """
    found, here = [], WorkFolder(work)
    truth = truth or folder.root / "truth" / "test.csv"
    if here.predictions("train").is_file():
        found.append(_beside_truth("train", here.predictions("train"), folder, folder.labels()))
    if here.submission.is_file():
        labels = read_spectra(truth) if truth.is_file() else None
        found.append(_beside_truth("test", here.submission, folder, labels))
    if not found:
        raise SpectraMindError(
            f"report on {work}", wanted="predictions or a submission", got="neither", remedy="run train or submit first"
        )
    return found


def fit_alone(folder: CompetitionFolder, work: Path, predictions: Predictions) -> Predictions | None:
    """Return the same training planets as fit and prior alone predict them; None where that was not kept.

    Args:
        folder: of the competition.
        work: folder of a run.
        predictions: of the training planets.
    """
    path = WorkFolder(work).predictions_of_the_fit
    if predictions.split != "train" or not path.is_file():
        return None
    try:
        return _beside_truth("train", path, folder, folder.labels()).of_planets(predictions.planet_ids)
    except KeyError:  # another training left it
        return None


def population_alone(predictions: Predictions, spectra: np.ndarray) -> Predictions:
    """Return the same planets as the other training planets' labels predict them, without a look at a light curve.

    Args:
        predictions: of planets with a known truth.
        spectra: (n_label, n_wavelength) training labels [(Rp/Rs)^2].
    """
    n = len(spectra)
    labels = label_statistics(spectra)
    mean, sigma = np.tile(labels.mean, (len(predictions.mean), 1)), np.tile(labels.spread, (len(predictions.mean), 1))
    if predictions.split == "train" and n > 1:  # a planet's own label must not predict it
        mean = (n * labels.mean - predictions.known) / (n - 1)
    p = predictions
    return Predictions(p.split, p.planet_ids, np.maximum(mean, 0.0), sigma, p.truth, p.edition, p.naive)


def held_out_predictions(data: Path, work: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read the training planets as the other folds predict them, each beside its label.

    Returns:
        labels, means and sigmas, each (n_planet, n_wavelength) [(Rp/Rs)^2].

    Raises:
        SpectraMindError: if the work folder has no such predictions, or a planet of them has no label.
    """
    path, folder = WorkFolder(work).predictions("train"), open_competition(data)
    found = _beside_truth("train", path, folder, folder.labels())
    if found.truth is None:
        remedy = "take the competition folder that the model was trained on"
        raise ProductError(f"{path}", wanted="a label of every planet", got=f"some without in {data}", remedy=remedy)
    return found.truth, found.mean, found.sigma


def _beside_truth(
    split: str, path: Path, folder: CompetitionFolder, labels: tuple[np.ndarray, np.ndarray] | None
) -> Predictions:
    """Join predictions with labels by planet; without all labels there is no truth."""
    ids, mean, sigma = submission_arrays(read_submission(path))
    known = dict(zip(labels[0].tolist(), labels[1])) if labels else {}
    truth = np.array([known[planet] for planet in ids.tolist()]) if all(p in known for p in ids.tolist()) else None
    return Predictions(split, ids, mean, sigma, truth, folder.edition, _zero_point(folder))


def _zero_point(folder: CompetitionFolder) -> tuple[float, float] | None:
    """Return mean and spread of the training labels; None where the folder has none, as a test set by itself has."""
    try:
        return label_statistics(folder.labels()[1]).naive
    except SpectraMindError:
        return None
