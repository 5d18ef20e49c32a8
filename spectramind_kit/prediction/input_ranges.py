"""Ranges of what training planets look like to the fit; they travel with the model, and show who is like none of them.

Labels say where answers may lie; ranges of inputs say where they were tested. A planet far beyond the ranges may have
another one's file in the place of its own, a stretch of time missing, or a star that no training planet has.

Each visit has its statistics, and the error that each has of its own: what a shallow transit in a strong drift says of
the orbit may be anything, and makes no visit unlike others. How far a visit is beyond a range for certain is counted in
widths of the range. What counts as far is measured: training planets, looked at from the ranges of the others, are
beyond a range now and then.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spectramind_kit.flags import Flag
from spectramind_kit.instruments import is_fgs1
from spectramind_kit.products import Estimate, Planet, TransitFit
from spectramind_kit.shapes import require_shape

_COVERAGE = ("bins", "bin length", "mid-transit", "FGS1: sigma of depth", "AIRS-CH0: sigma of depth")
_OF_VISIT = ("duration", "impact parameter", "axis over the published one", "depth", "FGS1 over AIRS-CH0")
_OF_CHANNEL = ("noise scale", "red noise", "wrong time", "wrong duration")
_OF_STAR = ("radius", "mass", "temperature", "period", "axis", "inclination", "planet mass")
STATISTICS = (
    *_COVERAGE,
    *_OF_VISIT,
    *(f"{channel}: {name}" for channel in ("FGS1", "AIRS-CH0") for name in _OF_CHANNEL),
    *_OF_STAR,
)
"""What is looked at, in this order; NaN where it could not be measured, which no range minds."""
PARTS = {
    Flag.COVERAGE_UNLIKE_TRAINING: slice(0, len(_COVERAGE)),
    Flag.UNLIKE_TRAINING: slice(len(_COVERAGE), -len(_OF_STAR)),
    Flag.STAR_UNLIKE_TRAINING: slice(-len(_OF_STAR), None),
}
"""Which of them say how much light there was, what it was like, and whose; and the flag of a planet that is beyond."""
_FEWEST = 8
"""Planets below which ranges say little."""
_ROOM = 1.5
"""By how much a new planet may be farther beyond than every training planet [1]."""
_LEAST_ALLOWANCE = 0.5
"""Of something normal that is two standard deviations beyond the largest of some tens of planets [widths]."""
_NARROWEST = 0.1
"""Width of a range of numbers that hardly differ; nearly all are ratios, or logarithms [1]."""
_RUNNING = 8
"""Bins of the running mean by which red noise is measured."""
_UNKNOWN = Estimate(np.nan, np.nan)
_CERTAIN = 3.0
"""Own errors that a visit may be beyond a range by chance."""


@dataclass(frozen=True, eq=False)
class InputRanges:
    """Ranges of the training planets' statistics.

    Attributes:
        low: (n_statistic,) smallest of all visits, in the order of ``STATISTICS``.
        high: (n_statistic,) largest.
        allowance: (n_statistic,) how far a visit may be beyond a range [widths of the range].
    """

    low: np.ndarray
    high: np.ndarray
    allowance: np.ndarray

    def __post_init__(self):
        for name in ("low", "high", "allowance"):
            require_shape("InputRanges", name, getattr(self, name), (len(STATISTICS),))

    def beyond(self, statistics: np.ndarray) -> dict[Flag, tuple[str, float]]:
        """Return flags of the parts that are beyond what is allowed: which statistic is farthest, and how far [widths].

        Args:
            statistics: (n_visit, 2, n_statistic) of a planet, and their errors.
        """
        if not statistics.size:
            return {}
        distance, found = _distance(statistics, self.low, self.high).max(axis=0), {}
        for flag, part in PARTS.items():
            excess = distance[part] / self.allowance[part]
            farthest = int(excess.argmax())
            if excess[farthest] > 1.0:
                found[flag] = STATISTICS[part][farthest], float(distance[part][farthest])
        return found


def learn_input_ranges(statistics: Sequence[np.ndarray], fold: np.ndarray) -> InputRanges | None:
    """Return the ranges of training planets; None where they are too few.

    Args:
        statistics: (n_visit, 2, n_statistic) of each planet, and their errors.
        fold: (n_planet,) of each: how far planets are beyond ranges is measured by those of the other folds.
    """
    observed = [len(one) > 0 for one in statistics]
    statistics, fold = [one for one in statistics if len(one)], fold[observed]
    if len(statistics) < _FEWEST or len(set(fold.tolist())) < 2:
        return None
    farthest = np.zeros(len(STATISTICS))
    for held_out in set(fold.tolist()):
        others = np.concatenate([one for one, f in zip(statistics, fold) if f != held_out])
        here = np.concatenate([one for one, f in zip(statistics, fold) if f == held_out])
        farthest = np.maximum(farthest, _distance(here, *_range(others)).max(axis=0))
    allowance = np.maximum(_ROOM * farthest, _LEAST_ALLOWANCE)
    return InputRanges(*_range(np.concatenate(list(statistics))), allowance)


def statistics_of(fit: TransitFit, planet: Planet | None) -> np.ndarray:
    """Return the statistics of a visit and their errors, (2, n_statistic).

    Args:
        fit: of its light curves.
        planet: what the star table says; None where nobody looked.
    """
    with np.errstate(all="ignore"):  # what cannot be measured is NaN
        fgs1 = is_fgs1(fit.wavelength)
        channels = [_of_channel(fit, part) for part in (fgs1, ~fgs1)]
        visit = np.array(_of_visit(fit, planet, fgs1))
        values = [*_coverage(fit, fgs1), *visit[:, 0], *channels[0], *channels[1], *_of_star(planet)]
        # Noise that is correlated in time makes the errors of a fit larger than it takes them for.
        red = np.exp(np.nanmax([0.0, *(channel[_OF_CHANNEL.index("red noise")] for channel in channels)]))
        errors = np.zeros(len(values))
        errors[len(_COVERAGE) :][: len(visit)] = red * visit[:, 1]
    return np.stack([np.where(np.isfinite(values), values, np.nan), np.where(np.isfinite(errors), np.abs(errors), 0.0)])


def _coverage(fit: TransitFit, fgs1: np.ndarray) -> list[float]:
    mid_time = (_parameter(fit, "mid_time").value - fit.time.mean()) / np.ptp(fit.time)
    used = np.isfinite(fit.flux)
    sigma = [np.log(_level(fit, part)[1]) if used[:, part].any() else np.nan for part in (fgs1, ~fgs1)]
    return [np.log(len(fit.time)), np.log(np.median(np.diff(fit.time))), mid_time, *sigma]


def _of_visit(fit: TransitFit, planet: Planet | None, fgs1: np.ndarray) -> list[tuple[float, float]]:
    """Return the statistics of orbit and depths, each with its error where no noise is correlated in time."""
    duration, impact, axis = (_parameter(fit, name) for name in ("duration", "impact_parameter", "semi_major_axis"))
    level, used = _level(fit, ~fgs1)[0], np.isfinite(fit.flux)
    published = planet.orbit.semi_major_axis if planet is not None and planet.orbit else np.nan
    both = used[:, fgs1].any() and used[:, ~fgs1].any()
    ratio = float(fit.depth[fgs1].mean() / level)
    relative = [np.sqrt(fit.covariance[np.ix_(part, part)].mean()) / fit.depth[part].mean() for part in (fgs1, ~fgs1)]
    return [
        (np.log(duration.value), duration.error / duration.value),
        (impact.value, impact.error),
        (np.log(axis.value / published), axis.error / axis.value),
        (np.log(level), relative[1]),
        (ratio if both else np.nan, ratio * np.hypot(*relative)),
    ]


def _of_channel(fit: TransitFit, part: np.ndarray) -> list[float]:
    """Return the statistics of a channel; all NaN if it was not measured.

    A transit that is not where the model has it leaves residuals like the model's change with time, of opposite signs
    at ingress and egress; one of another duration leaves them with the same sign.
    """
    if not np.isfinite(fit.flux[:, part]).any():
        return [np.nan] * len(_OF_CHANNEL)
    white = _white(fit.residual[:, part])
    red = np.convolve(white, np.full(_RUNNING, 1.0 / _RUNNING), mode="valid").std() * np.sqrt(_RUNNING)
    change = np.gradient(fit.model[:, part].mean(axis=1))
    after = np.sign(fit.time - _parameter(fit, "mid_time").value)
    size = np.sqrt(np.square(change).sum())
    return [
        np.log(float(np.median(fit.noise_scale[part]))),
        np.log(red / white.std()),
        float(white @ change) / size,
        float(white @ (change * after)) / size,
    ]


def _of_star(planet: Planet | None) -> list[float]:
    star, orbit = (planet.star, planet.orbit) if planet is not None else (None, None)
    numbers = [star.radius, star.mass, star.temperature] if star else [np.nan] * 3
    numbers += [orbit.period, orbit.semi_major_axis] if orbit else [np.nan] * 2
    mass = planet.mass if planet is not None and planet.mass is not None else np.nan
    return [*np.log(numbers), orbit.inclination if orbit else np.nan, np.log(mass)]


def _white(residual: np.ndarray) -> np.ndarray:
    """Return the mean residual of many wavelengths in units of its scatter from bin to bin, (n_time,)."""
    change = np.abs(np.diff(residual, axis=0))
    used = np.isfinite(change).any(axis=0)
    scatter = np.zeros(residual.shape[1])
    scatter[used] = np.nanmedian(change[:, used], axis=0)
    weight = np.where(np.isfinite(residual) & (scatter > 0), scatter, np.inf) ** -2.0
    series = (np.nan_to_num(residual) * weight).sum(axis=1) / np.maximum(weight.sum(axis=1), 1e-300)
    return series / np.sqrt(0.5 * np.square(np.diff(series)).mean())


def _level(fit: TransitFit, part: np.ndarray) -> tuple[float, float]:
    """Return the mean depth of a channel's wavelengths by their weights, and the smallest of their errors."""
    error = fit.sigma[part]
    return float(np.average(fit.depth[part], weights=error**-2.0)), float(error.min())


def _parameter(fit: TransitFit, name: str) -> Estimate:
    return fit.parameters.get(name, _UNKNOWN)


def _range(statistics: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return smallest and largest of visits (n_visit, 2, n_statistic); no limits where nothing was measured."""
    value = statistics[:, 0]
    known = np.isfinite(value)
    measured = known.any(axis=0)
    low = np.where(measured, np.where(known, value, np.inf).min(axis=0), -np.inf)
    return low, np.where(measured, np.where(known, value, -np.inf).max(axis=0), np.inf)


def _distance(statistics: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return how far visits are beyond ranges for certain, (n_visit, n_statistic) [widths]; 0 if nothing is known.

    Args:
        statistics: (n_visit, 2, n_statistic) of the visits, and their errors.
        low: (n_statistic,) of the ranges.
        high: (n_statistic,) of the ranges.
    """
    width, (value, error) = np.maximum(high - low, _NARROWEST), statistics.swapaxes(0, 1)
    outside = np.maximum(np.maximum(value - high, low - value) - _CERTAIN * error, 0.0)
    return np.nan_to_num(np.where(np.isfinite(width), outside / width, 0.0))
