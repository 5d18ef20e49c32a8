"""Judge the fit in a world that nobody here simulated: held-out score of `model=none`, scatter of the residuals.

    python benchmarks/foreign.py [--world FILE.npz] [--workers N] [--overrides fit.drift_order=5 ...] [--json FILE]

The world is a file of light curves (``FILE.npz``, with ``FILE_labels.csv`` and ``FILE_stars.csv`` beside it) that lies
in a folder beside the project; nothing of it belongs to the project. Light curves are fitted, visits joined, and every
planet is answered with what the labels of the other folds teach: prior of spectra, limb darkening, scale of the sigmas.

The scatter is that of a channel's white residuals out of transit, over what the errors of its light curves promise: one
where the fit has found everything that the instrument does.
"""

import argparse
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from star_table import star_table
from worlds import Answers

from spectramind_kit.competition.folder import read_spectra
from spectramind_kit.config import Config, load_config
from spectramind_kit.errors import FitError
from spectramind_kit.execution.processes import map_planets
from spectramind_kit.fitting.posterior import fit_transit
from spectramind_kit.fitting.visits import join_visits
from spectramind_kit.instruments import is_fgs1
from spectramind_kit.prediction.inference import infer
from spectramind_kit.prediction.measure import Measurement, PlanetTask
from spectramind_kit.prediction.predict import calibrated_spectra
from spectramind_kit.prediction.training_set import TrainingSet
from spectramind_kit.prediction.worker import one_thread, taught
from spectramind_kit.products import LightCurves, Planet, TransitFit
from spectramind_kit.training.folds import assign_folds
from spectramind_kit.training.held_out import held_out_planets, learn_model
from spectramind_kit.training.nuisance_priors import learn_nuisance_priors

WORLD = Path(__file__).resolve().parents[1].parent / "shared" / "worlds" / "pointing_moves_flux.npz"
_OUT_OF_TRANSIT = 1e-7
"""Where the model of the transit misses less than that of the star's light, there is no transit [1]."""


@dataclass(frozen=True)
class VisitFits:
    """The fits of one planet and the scatter of each visit, FGS1 and AIRS-CH0, over the expected one."""

    fits: tuple[TransitFit, ...]
    scatter: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class ForeignTask:
    """Fit all visits of a planet; picklable, so that processes can share it.

    Attributes:
        world: file of light curves.
        config: of the product.
    """

    world: Path
    config: Config

    def __call__(self, planet_id: int) -> VisitFits:
        """Fit one planet; a visit that cannot be fitted is left out."""
        planet, fits, scatter = star_table(beside(self.world, "stars"))[planet_id], [], []
        with one_thread():
            for curves in light_curves(self.world, planet_id):
                try:
                    fit = fit_transit(curves, planet, self.config.fit)
                except FitError as error:
                    logging.getLogger(__name__).warning("planet %d, visit %d: %s", planet_id, curves.visit, error)
                else:
                    fits.append(fit)
                    scatter.append(scatter_over_expected(curves, fit))
        return VisitFits(tuple(fits), tuple(scatter))


def main() -> None:
    """Fit, judge, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--world", type=Path, default=WORLD, help="light curves, with labels and stars beside them")
    parser.add_argument("--planets", type=int, default=0, help="planets to fit; 0 is all")
    parser.add_argument("--workers", type=int, default=0, help="processes; 0 is one per core")
    parser.add_argument("--overrides", nargs="*", default=[], help="configuration overrides of the product")
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    if not options.world.is_file():
        parser.error(f"no world {options.world}: name its file with --world")
    found = measure(options.world, load_config(options.overrides), options.workers, options.planets)
    for name, value in found.items():
        print(f"{name:<20} {value:.4g}")
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")


def measure(world: Path, config: Config, workers: int = 0, n_planet: int = 0) -> dict[str, float]:
    """Return every figure by name.

    Args:
        world: file of light curves.
        config: of the product.
        workers: processes; 0 is one per core.
        n_planet: planets to fit, the first of the table of labels; 0 is all.
    """
    ids, spectra = read_spectra(beside(world, "labels"))
    planets = [int(planet) for planet in ids[: n_planet or len(ids)]]
    done = map_planets(
        ForeignTask(world, config), planets, workers=workers, lost=lambda *_: VisitFits((), ()), label="foreign world"
    )
    labels = dict(zip(planets, spectra))
    fits = {planet: one.fits for planet, one in done.items()}
    answers = held_out_score(fits, labels, star_table(beside(world, "stars")), config)
    scatter = np.array([each for one in done.values() for each in one.scatter])
    return {
        "foreign_planets": float(len(planets)),
        "foreign_visits": float(len(scatter)),
        **{f"foreign_{name}": value for name, value in answers.figures().items()},
        "foreign_scatter_fgs1": float(np.median(scatter[:, 0])),
        "foreign_scatter_airs": float(np.median(scatter[:, 1])),
    }


def held_out_score(
    fits: Mapping[int, Sequence[TransitFit]],
    labels: Mapping[int, np.ndarray],
    stars: Mapping[int, Planet],
    config: Config,
    labels_teach: bool = True,
) -> Answers:
    """Answer labelled planets from their fits, each with what the labels of the other folds teach.

    It is what ``spectramind train model=none`` does after its fits; a planet without a fit gets the population's
    spectrum.

    Args:
        fits: of each planet, one a visit.
        labels: of the same planets, (n_wavelength,) each [(Rp/Rs)^2].
        stars: what the star table says of them.
        config: of the product.
        labels_teach: whether star and instrument are learned with the labels, as the product does.

    Returns:
        Answers, whose ``figures`` are score and mean z^2; in the order of the labels.
    """
    config = replace(config, model=replace(config.model, kind="none"))
    ids = np.array(list(labels), dtype=np.int64)
    estimates = {planet: join_visits(fits[planet]) if fits.get(planet) else None for planet in labels}
    fold = assign_folds(ids.tolist(), min(config.training.folds, len(ids)), config.seed)
    visits = {
        planet: taught(fits.get(planet, ()), spectrum if labels_teach else None) for planet, spectrum in labels.items()
    }
    training_set = TrainingSet(
        planet_ids=ids,
        spectra=np.array(list(labels.values())),
        fold=fold,
        wavelength=next(fit.wavelength for each in fits.values() for fit in each),
        nuisance=learn_nuisance_priors(visits, dict(zip(ids.tolist(), fold.tolist())), config.workers),
    )
    with one_thread():
        populations = [training_set.population(fold) for fold in range(training_set.n_fold)]
        inferred = [
            infer(Measurement(planet, estimate, planet=stars.get(planet)), populations[fold])
            for fold, (planet, estimate) in zip(training_set.fold, estimates.items())
        ]
        # The task names folders of networks, and without a network none of them is looked at.
        task = PlanetTask(Path(), Path(), "train", config)
        model, _ = learn_model(training_set, held_out_planets(training_set, inferred), task, "2025")
        spectra = calibrated_spectra(model, inferred, [None] * len(inferred), config)
    mean, sigma = (np.array([getattr(each, name) for each in spectra]) for name in ("mean", "sigma"))
    return Answers(training_set.spectra, mean, sigma, training_set.labels().naive)


def scatter_over_expected(curves: LightCurves, fit: TransitFit) -> tuple[float, float]:
    """Return the scatter of FGS1's and AIRS-CH0's white residual out of transit, over the expected one [1].

    Args:
        curves: light curves with the errors that photons and reads give.
        fit: of them.
    """
    error = curves.flux_err / np.nanmedian(curves.flux, axis=0)
    out = fit.model.max(axis=1) > 1.0 - _OUT_OF_TRANSIT
    fgs1, ratios = is_fgs1(fit.wavelength), []
    for channel in (fgs1, ~fgs1):
        residual, weight = fit.residual[out][:, channel], error[out][:, channel] ** -2.0
        weight = np.where(np.isfinite(residual), weight, 0.0)
        total = weight.sum(axis=1)
        observed = total > 0
        white = np.nansum(weight * residual, axis=1)[observed] / np.sqrt(total[observed])
        ratios.append(float(white.std()) if observed.sum() > 1 else np.nan)
    return ratios[0], ratios[1]


def light_curves(world: Path, planet_id: int) -> list[LightCurves]:
    """Return the light curves of all visits of a planet."""
    found = []
    with np.load(world) as archive:
        for name in archive["visits"].tolist():
            planet, _, visit = name.rpartition("_")
            if int(planet) == planet_id:
                flux = archive[f"{name}/flux"].astype(float)
                found.append(
                    LightCurves(
                        planet_id=planet_id,
                        visit=int(visit),
                        time=archive[f"{name}/time"],
                        bin_seconds=float(archive["bin_seconds"]),
                        flux=flux,
                        flux_err=np.broadcast_to(archive[f"{name}/flux_err"].astype(float), flux.shape),
                        wavelength=archive["wavelength"],
                        regressors=archive[f"{name}/regressors"].astype(float),
                        regressor_names=tuple(archive["regressor_names"].tolist()),
                    )
                )
    return found


def beside(world: Path, table: str) -> Path:
    """Return where a table of a world lies: ``labels`` or ``stars``."""
    return world.with_name(f"{world.stem}_{table}.csv")


if __name__ == "__main__":
    main()
