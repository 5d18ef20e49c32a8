"""Training planets damaged on purpose, and what they teach: how wrong an answer is where a check finds something.

Light curves of a few training planets are damaged as files are in practice, fitted and answered like any other:

    the light of one channel is another planet's       swapped files
    a channel is missing                               unreadable files
    the transit is cut, before or after its middle     observations that began late or ended early
    wavelengths have light added to them               calibration maps with impossible numbers

Their labels tell what came of it. Flags of damage get the factor on sigma that damaged planets needed, unless planets
as they were carry them too; who has no such flag keeps the answer as it was.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from spectramind_kit.config import Config
from spectramind_kit.flags import Flag
from spectramind_kit.instruments import is_fgs1
from spectramind_kit.prediction.inference import Inference, infer
from spectramind_kit.prediction.input_ranges import PARTS, learn_input_ranges
from spectramind_kit.prediction.measure import Measurement, PlanetTask
from spectramind_kit.prediction.plausibility import Safeguards, channel_difference, excess_difference, plausible_range
from spectramind_kit.prediction.predict import calibrated_spectra
from spectramind_kit.prediction.trained_model import TrainedModel
from spectramind_kit.prediction.training_set import StoredTrainingSet
from spectramind_kit.prediction.worker import one_thread
from spectramind_kit.products import LightCurves
from spectramind_kit.robust_statistics import shrunk_excess
from spectramind_kit.uncertainty.recalibration import GROUPS

_MOST = 8
"""Planets that are damaged: each in every way, and a way costs a fit."""
_FEWEST_HELD_OUT = 16
"""Training planets below which damage teaches nothing that can be told from chance."""
_FEWEST_DAMAGED = 4
"""Planets with a flag, below which it has no factor."""
_ROOM = 1.5
"""By how much channels of a new planet may differ more than those of all training planets [1]."""
_LEAST_SIGNIFICANCE = 3.0
_LEAST_WRONG, _LARGEST_WRONG = 0.05, 4.0

_FLAGS = (
    *(Flag.FGS1_MISSING, Flag.AIRS_MISSING, Flag.INGRESS_CUT, Flag.EGRESS_CUT, Flag.WAVELENGTHS_OUTLYING),
    *PARTS,
)
"""Flags of damage; the others say of many planets what the fit has allowed for."""

Damage = Callable[[LightCurves, LightCurves, np.random.Generator], LightCurves]
"""Returns damaged light curves; the second ones are another planet's."""


def _during(curves: LightCurves, bins: slice) -> LightCurves:
    """Return light curves in some time bins only."""
    parts = {name: getattr(curves, name)[bins] for name in ("time", "flux", "flux_err", "regressors")}
    return replace(curves, **parts)


def _swapped(fgs1: bool) -> Damage:
    """Return a damage that takes the light of a channel from another planet."""

    def damage(own: LightCurves, other: LightCurves, rng: np.random.Generator) -> LightCurves:
        n, part = min(len(own.time), len(other.time)), is_fgs1(own.wavelength) == fgs1
        own, other = (_during(curves, slice(0, n)) for curves in (own, other))
        from_other = [fgs1 == name.startswith("fgs1") for name in own.regressor_names]
        regressors = own.regressors
        if own.regressor_names == other.regressor_names:
            regressors = np.where(from_other, other.regressors, own.regressors)
        flux, error = (np.where(part, b, a) for a, b in ((own.flux, other.flux), (own.flux_err, other.flux_err)))
        return replace(own, flux=flux, flux_err=error, regressors=regressors)

    return damage


def _missing(fgs1: bool) -> Damage:
    """Return a damage that leaves one channel out."""
    flag = Flag.FGS1_MISSING if fgs1 else Flag.AIRS_MISSING

    def damage(own: LightCurves, other: LightCurves, rng: np.random.Generator) -> LightCurves:
        part = is_fgs1(own.wavelength) == fgs1
        flux, error = np.where(part, 1.0, own.flux), np.where(part, np.inf, own.flux_err)
        return replace(own, flux=flux, flux_err=error, flags={**own.flags, flag: ""})

    return damage


def _cut(own: LightCurves, other: LightCurves, rng: np.random.Generator) -> LightCurves:
    """Leave out the first or the last part of a visit, up to about its middle, where transits lie."""
    edge = int(rng.uniform(0.4, 0.6) * len(own.time))
    return _during(own, slice(edge, None) if rng.random() < 0.5 else slice(0, edge))


def _brightened(own: LightCurves, other: LightCurves, rng: np.random.Generator) -> LightCurves:
    """Add a constant to the light of three wavelengths, as a dark current far below zero does."""
    flux = own.flux.copy()
    wavelengths = rng.choice(np.flatnonzero(~is_fgs1(own.wavelength)), 3, replace=False)
    flux[:, wavelengths] += np.median(flux[:, wavelengths], axis=0) * rng.uniform(0.03, 1.0, 3)
    return replace(own, flux=flux)


DAMAGES: Mapping[str, Damage] = {
    "AIRS-CH0 of another planet": _swapped(fgs1=False),
    "FGS1 of another planet": _swapped(fgs1=True),
    "FGS1 missing": _missing(fgs1=True),
    "AIRS-CH0 missing": _missing(fgs1=False),
    "transit cut": _cut,
    "wavelengths brightened": _brightened,
}
"""Kinds of damage by name."""


@dataclass(frozen=True)
class DamageTask:
    """Damage a planet in every way and infer it; picklable, so that processes can share it.

    Attributes:
        task: where the planets and their products lie.
        known: the training set that populations are learned from.
        planets: that are damaged, each with the next one's light.
    """

    task: PlanetTask
    known: StoredTrainingSet
    planets: tuple[int, ...]

    def __call__(self, planet_id: int) -> tuple[Inference, ...]:
        """Infer a planet once for each kind of damage that it can be fitted with."""
        from spectramind_kit.fitting.posterior import fit_transit
        from spectramind_kit.fitting.visits import join_visits

        place = self.planets.index(planet_id)
        own, other = (self._visit(self.planets[i % len(self.planets)]) for i in (place, place + 1))
        population, found = self.known.population_without(planet_id), []
        for number, damage in enumerate(DAMAGES.values()):
            curves = damage(own.light_curves, other.light_curves, np.random.default_rng((planet_id, number)))
            planet = own.observation.planet
            with one_thread():
                try:
                    joined = join_visits([fit_transit(curves, planet, self.task.config.fit)])
                except Exception:  # what cannot be fitted falls to another rung, and teaches nothing about this one
                    continue
                found.append(infer(Measurement(planet_id, joined, planet=planet), population))
        return tuple(found)

    def _visit(self, planet_id: int):
        return self.task.fitted_visits(planet_id)[0]


def planets_to_damage(planets: Sequence[int]) -> tuple[int, ...]:
    """Return the planets that are damaged, evenly spread; none where too few are measured.

    Args:
        planets: training planets with a fit.
    """
    if len(planets) < _FEWEST_HELD_OUT:
        return ()
    return tuple(dict.fromkeys(planets[int(place)] for place in np.linspace(0, len(planets) - 1, _MOST)))


def learn_safeguards(
    model: TrainedModel, held_out: Sequence[Inference], fold: np.ndarray, damaged: Sequence[Inference], config: Config
) -> Safeguards:
    """Return what planets as they are, and damaged ones, teach; what is usual where they are too few.

    Args:
        model: of fit and prior, calibrated.
        held_out: training planets with a posterior.
        fold: (n_planet,) of each.
        damaged: some of them, damaged.
        config: floors of sigmas.
    """
    if len(held_out) < _FEWEST_HELD_OUT:
        return Safeguards()
    learned = Safeguards(
        ranges=learn_input_ranges([one.statistics for one in held_out], fold),
        significance=_significance(model, held_out),
    )
    damaged = [one for one in damaged if one.posterior is not None]
    learned = replace(learned, wrong=_wrong(replace(model, safeguards=learned), damaged, config))
    return replace(learned, factors=_factors(replace(model, safeguards=learned), held_out, damaged, config))


def _significance(model: TrainedModel, held_out: Sequence[Inference]) -> float:
    """Return the standard errors beyond which channels differ as those of no training planet do."""
    excess = [_LEAST_SIGNIFICANCE / _ROOM]
    for one in held_out:
        if one.posterior is not None and not one.flagged:
            known = plausible_range(model.training_set.spectra_without(model.training_set.fold_of(one.planet_id)))
            excess.append(excess_difference(one.posterior.depth, one.posterior.depth_sigma, one.flags, known))
    return _ROOM * max(excess)


def _wrong(model: TrainedModel, damaged: Sequence[Inference], config: Config) -> float:
    """Return the mean squared error of planets whose channels disagree, over their difference squared."""
    squares, truth = [], _truth_of(model)
    for one, spectrum in zip(damaged, calibrated_spectra(model, damaged, [None] * len(damaged), config)):
        if one.posterior is None or Flag.CHANNELS_DISAGREE not in spectrum.flags:
            continue
        known = plausible_range(
            model.training_set.spectra_without(model.training_set.fold_of(one.planet_id)), model.safeguards
        )
        difference = channel_difference(one.posterior.depth, one.posterior.depth_sigma, one.flags, known)
        squares.append((np.square(spectrum.mean - truth[one.planet_id]).mean(), difference**2))
    if len(squares) < _FEWEST_DAMAGED:
        return Safeguards().wrong
    error, difference = np.sum(squares, axis=0)
    return float(np.clip(error / difference, _LEAST_WRONG, _LARGEST_WRONG))


def _factors(
    model: TrainedModel, held_out: Sequence[Inference], damaged: Sequence[Inference], config: Config
) -> dict[Flag, float]:
    """Return the factors on sigma: of flags of ranges for each width beyond, whatever the channels disagree by."""
    truth, powers = _truth_of(model), dict[Flag, list[float]]()
    usual = {flag for s in calibrated_spectra(model, held_out, [None] * len(held_out), config) for flag in s.flags}
    # Sigmas before anything has widened them: what disagreement adds would hide what a range must.
    alone = replace(model, safeguards=replace(model.safeguards, wrong=0.0))
    for one, spectrum in zip(damaged, calibrated_spectra(alone, damaged, [None] * len(damaged), config)):
        z2 = np.square((spectrum.mean - truth[spectrum.planet_id]) / spectrum.sigma)
        power = max(float(z2[group].mean()) for group in GROUPS)
        beyond = model.safeguards.ranges.beyond(one.statistics) if model.safeguards.ranges else {}
        distances = {flag: distance for flag, (_, distance) in beyond.items()}
        # Of several ranges the one that is left farthest behind tells the damage; without any, each flag does.
        telling = {max(distances, key=distances.__getitem__)} if distances else set(spectrum.flags)
        for flag in (flag for flag in _FLAGS if flag in telling - usual):
            powers.setdefault(flag, []).append(power / distances.get(flag, 1.0) ** 2)
    return {
        flag: float(np.sqrt(np.mean(found) if flag in PARTS else shrunk_excess(float(np.mean(found)), len(found))))
        for flag, found in powers.items()
        if len(found) >= _FEWEST_DAMAGED
    }


def _truth_of(model: TrainedModel) -> dict[int, np.ndarray]:
    return dict(zip(model.training_set.planet_ids.tolist(), model.training_set.spectra))
