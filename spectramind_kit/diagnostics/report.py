"""One self-contained HTML page about a run: scores, calibration of sigmas, spectra, light curves, what went wrong."""

import base64
import io
import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import jinja2
import numpy as np
from matplotlib.figure import Figure

from spectramind_kit import __version__
from spectramind_kit.competition.folder import CompetitionFolder, open_competition, read_spectra
from spectramind_kit.config import Config
from spectramind_kit.diagnostics import physics, plots
from spectramind_kit.environment import describe
from spectramind_kit.errors import ProductError, SpectraMindError
from spectramind_kit.flags import flag_sentences
from spectramind_kit.metric import planet_scores, score
from spectramind_kit.prediction.population import label_statistics
from spectramind_kit.products import LightCurves, Spectrum, TransitFit
from spectramind_kit.work_folder.layout import WorkFolder
from spectramind_kit.work_folder.manifest import read_events, shareable_config
from spectramind_kit.work_folder.model_record import MARKER
from spectramind_kit.work_folder.provenance import config_hash
from spectramind_kit.work_folder.store import load_product
from spectramind_kit.work_folder.submission import read_submission, submission_arrays

LEVELS = {"68": 1.0, "95": 1.959964}
"""Coverage levels [%] and their half-widths [sigma]."""


@dataclass(frozen=True)
class Predictions:
    """A split's predictions and, where known, the truth.

    Attributes:
        split: "train" or "test".
        planet_ids: (n_planet,).
        mean: (n_planet, n_wavelength) [(Rp/Rs)^2].
        sigma: (n_planet, n_wavelength) [(Rp/Rs)^2].
        truth: (n_planet, n_wavelength) [(Rp/Rs)^2]; None where it is not known of every planet.
    """

    split: str
    planet_ids: np.ndarray
    mean: np.ndarray
    sigma: np.ndarray
    truth: np.ndarray | None

    @property
    def z(self) -> np.ndarray:
        """Errors in units of sigma, (n_planet, n_wavelength)."""
        return (self.mean - np.asarray(self.truth)) / self.sigma


def write_report(data: Path, work: Path, config: Config, truth: Path | None = None) -> Path:
    """Write ``WORK/report.html`` from what lies in the work folder.

    Args:
        data: competition folder (for the training labels).
        work: folder of a run; training predictions, a submission or both must be there.
        config: how many planets get pictures.
        truth: true spectra of the test split; ``DATA/truth/test.csv`` of a simulation is found by itself.

    Raises:
        SpectraMindError: if there is nothing to report on.
    """
    data, work = Path(data), Path(work)
    folder = open_competition(data)
    splits = _collect(folder, work, truth)
    if not splits:
        raise SpectraMindError(
            f"report on {work}", wanted="predictions or a submission", got="neither", remedy="run train or submit first"
        )
    naive = _zero_point(folder)
    manifest, model = WorkFolder(work).manifest, WorkFolder(work).model / MARKER
    page = _template().render(
        version=__version__,
        data=data.name,
        config_hash=config_hash(config),
        config=json.dumps(shareable_config(config), indent=2),
        environment=json.dumps(describe(), indent=2),
        events=read_events(work),
        manifest=json.loads(manifest.read_text()) if manifest.is_file() else {},
        splits=[_split_section(split, folder, config, work, naive) for split in splits],
        model=json.loads(model.read_text()) if model.is_file() else {},
        planets=[_planet_section(p, work, folder.wavelength, config) for p in _shown(splits, folder, config, naive)],
    )
    path = WorkFolder(work).report
    path.write_text(page)
    return path


def summarise(
    predictions: Predictions, edition: str = "2025", naive: tuple[float, float] | None = None
) -> dict[str, float]:
    """Return the figures of a split: score, and per channel rms error [ppm], mean z^2, coverage.

    Args:
        predictions: of a split with known truth.
        edition: whose score, "2025" or "2024".
        naive: the score's zero point, mean and spread of the training labels; the truth's own if not given.

    Raises:
        ProductError: without a truth.
    """
    if predictions.truth is None:
        raise ProductError("figures of predictions", wanted="the truth of every planet", got="none")
    figures = {"score": score(predictions.truth, predictions.mean, predictions.sigma, naive, edition)}
    error = predictions.mean - predictions.truth
    for name, group in (("FGS1", slice(0, 1)), ("AIRS-CH0", slice(1, None))):
        z = predictions.z[:, group]
        figures[f"{name} rms error [ppm]"] = 1e6 * np.sqrt(np.square(error[:, group]).mean())
        figures[f"{name} mean z^2"] = np.square(z).mean()
        for level, width in LEVELS.items():
            figures[f"{name} coverage {level} %"] = 100 * (np.abs(z) <= width).mean()
    return figures


def held_out_predictions(data: Path, work: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read the training planets as the other folds predict them, each beside its label.

    Returns:
        labels, means and sigmas, each (n_planet, n_wavelength) [(Rp/Rs)^2].

    Raises:
        SpectraMindError: if the work folder has no such predictions, or a planet of them has no label.
    """
    path = WorkFolder(work).predictions("train")
    found = _with_truth("train", path, open_competition(data).labels())
    if found.truth is None:
        remedy = "take the competition folder that the model was trained on"
        raise ProductError(f"{path}", wanted="a label of every planet", got=f"some without in {data}", remedy=remedy)
    return found.truth, found.mean, found.sigma


def _collect(folder: CompetitionFolder, work: Path, truth: Path | None) -> list[Predictions]:
    """Read what was predicted: training planets out of fold, the submission."""
    found = []
    train = WorkFolder(work).predictions("train")
    if train.is_file():
        found.append(_with_truth("train", train, folder.labels()))
    submission = WorkFolder(work).submission
    if submission.is_file():
        truth = truth or folder.root / "truth" / "test.csv"
        found.append(_with_truth("test", submission, read_spectra(truth) if truth.is_file() else None))
    return found


def _zero_point(folder: CompetitionFolder) -> tuple[float, float] | None:
    """Return mean and spread of the training labels; None where the folder has none, as a test set by itself has."""
    try:
        return label_statistics(folder.labels()[1]).naive
    except SpectraMindError:
        return None


def _with_truth(split: str, path: Path, labels: tuple[np.ndarray, np.ndarray] | None) -> Predictions:
    """Join predictions with labels by planet; without all labels there is no truth."""
    ids, mean, sigma = submission_arrays(read_submission(path))
    known = dict(zip(labels[0].tolist(), labels[1])) if labels else {}
    truth = np.array([known[planet] for planet in ids.tolist()]) if all(p in known for p in ids.tolist()) else None
    return Predictions(split, ids, mean, sigma, truth)


def _split_section(
    predictions: Predictions, folder: CompetitionFolder, config: Config, work: Path, naive: tuple[float, float] | None
) -> dict:
    """Return figures, table and pictures of one split for the template."""
    p, wavelength = predictions, folder.wavelength
    section = {"split": p.split, "n_planet": len(p.planet_ids), "figures": {}, "rows": [], "pictures": []}
    section["violations"] = physics.violation_rows(p.planet_ids, p.mean, p.sigma, wavelength, p.truth)
    section["violating"] = physics.most_violating(p.planet_ids, p.mean, p.sigma, wavelength)
    section["coverage"] = []
    parts = (
        np.full(len(p.planet_ids), np.nan)
        if p.truth is None
        else planet_scores(p.truth, p.mean, p.sigma, naive, folder.edition)
    )
    for i, planet in enumerate(p.planet_ids):
        error = np.nan if p.truth is None else 1e6 * np.sqrt(np.square(p.mean[i] - p.truth[i]).mean())
        section["rows"].append((planet, 100 * p.mean[i].mean(), 1e6 * np.median(p.sigma[i]), error, parts[i]))
    if p.truth is not None:
        section["figures"] = summarise(p, folder.edition, naive)
        if p.split == "train":
            section["coverage"] = physics.coverage_table(p.z, wavelength, work).to_dicts()
        figures = {
            "Errors and sigmas by wavelength": plots.plot_errors_by_wavelength(wavelength, p.truth, p.mean, p.sigma),
            "Are the sigmas calibrated?": plots.plot_calibration(p.z),
            "Errors of the mean depth": plots.plot_parity(p.truth, p.mean, p.sigma),
            "Errors in sigmas, planet by planet": plots.plot_score_map(wavelength, p.z, p.planet_ids),
        }
        section["pictures"] = [(title, _png(figure, config.diagnostics.dpi)) for title, figure in figures.items()]
    return section


def _shown(
    splits: list[Predictions], folder: CompetitionFolder, config: Config, naive: tuple[float, float] | None
) -> list[tuple[Predictions, int]]:
    """Choose planets for pictures of their own: the last split's, evenly from its worst to its best."""
    predictions = splits[-1]
    n = min(config.diagnostics.planets_shown, len(predictions.planet_ids))
    order = np.arange(len(predictions.planet_ids))
    if predictions.truth is not None:
        p = predictions
        order = np.argsort(planet_scores(predictions.truth, p.mean, p.sigma, naive, folder.edition))
    return [(predictions, int(i)) for i in order[np.linspace(0, len(order) - 1, n).astype(int)]]


def _planet_section(chosen: tuple[Predictions, int], work: Path, wavelength: np.ndarray, config: Config) -> dict:
    """Return the pictures of one planet: spectrum, and per visit fit, correlation and light curves, where stored."""
    p, i = chosen
    planet, dpi = int(p.planet_ids[i]), config.diagnostics.dpi
    spectrum = Spectrum(planet, wavelength, p.mean[i], p.sigma[i], "submitted" if p.split == "test" else "out of fold")
    pictures = [_png(plots.plot_spectrum(spectrum, None if p.truth is None else p.truth[i]), dpi)]
    estimates, flags = {}, []
    for path in WorkFolder(work).stored_fits(p.split, planet):
        fit = load_product(path, TransitFit)
        estimates[fit.visit] = fit.parameters
        flags += flag_sentences(fit.flags)
        pictures += [_png(plots.plot_fit(fit), dpi), _png(plots.plot_correlation(fit), dpi)]
    for path in WorkFolder(work).stored_light_curves(p.split, planet):
        pictures.append(_png(plots.plot_light_curves(load_product(path, LightCurves)), dpi))
    return {"planet": planet, "pictures": pictures, "estimates": estimates, "flags": flags}


def _png(figure: Figure, dpi: int) -> str:
    """Return a figure as the data address of a PNG."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def _template() -> jinja2.Template:
    source = resources.files("spectramind_kit.diagnostics").joinpath("report.html").read_text()
    return jinja2.Environment(autoescape=True).from_string(source)
