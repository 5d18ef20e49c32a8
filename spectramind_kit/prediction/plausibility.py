"""What an answer may be at most: neither farther out nor surer than what the training planets bear out.

Damaged files make answers that are finite, sharp and wrong: the other channel's file of another planet, a calibration
map with one impossible number. Each check compares what is independent of each other, and is blind as long as the two
agree as well as those of training planets do, so that undamaged planets keep their answers:

    FGS1 against AIRS-CH0     one star, one planet: the depths differ by an atmosphere at most
    a wavelength against      spectra are smooth to a few per cent within a handful of detector columns
      its neighbours
    the depth against labels  no planet of the population is far deeper or shallower than all that are known
    the visit against ranges  no visit looks to the fit like none of the training planets' (``input_ranges.py``)

How much disagreement is chance, and by how much sigma must grow where a check finds something, is measured on training
planets as they are and damaged on purpose (``training/damaged_planets.py``).

Where two channels disagree, each is as likely to be the wrong one. The answer is right or wrong by the whole
difference D, and the variance of that, about D^2 / 2, is what makes the expected likelihood largest.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from spectramind_kit.flags import Flag, Flags
from spectramind_kit.prediction.input_ranges import InputRanges
from spectramind_kit.products import DepthEstimate

_WRONG = 0.5
"""Mean squared error over that of the difference of two channels that disagree, until it is measured."""
_SIGNIFICANT = 5.0
"""Standard errors, beyond which a difference is no chance, until it is measured."""
_FEWEST_LABELS = 8
_USUAL_DIFFERENCE = 0.12
"""Ten scale heights of a hot giant's atmosphere, relative to the depth: where labels are too few to tell [1]."""
_MARGIN = 1.5
"""By how much a new planet may go beyond the most extreme one of the training planets [1]."""
_USUAL_LEVELS = (3e-4, 6e-2)
"""Depths of the shallowest and the deepest planets of both editions' labels and examples, with room [(Rp/Rs)^2]."""
_NEIGHBOURS = 11
_LARGEST_STEP = 0.03
"""Of a wavelength from the median of its neighbours, relative to the depth [1]."""
_STEP_SIGMA = 8.0
_UNKNOWN_SIGMA = 1.0
"""Of a depth of which nothing is known [(Rp/Rs)^2]."""
_NOT_LINEAR = 0.025
"""Depths of planets whose linearity was not corrected are off by so much, relative to them (`benchmarks/faults.py`)."""
_NOT_COMPARABLE = {Flag.FGS1_SATURATED, Flag.FGS1_MISSING, Flag.AIRS_MISSING, Flag.FGS1_UNUSABLE}
"""Flags of channels with nothing to compare, or of which FGS1 is known to be the wrong one."""
_NOT_LOOKED_AT = np.zeros((0, 0))


@dataclass(frozen=True, eq=False)
class Safeguards:
    """What training planets, as they are and damaged on purpose, teach about damage.

    Attributes:
        ranges: of what training planets look like to the fit; None where they were too few.
        significance: standard errors, beyond which two channels differ by no chance [1].
        wrong: variance to be added where they do, over their difference squared [1].
        factors: on sigma, by flag [1]; of flags of ranges, for each width beyond.
    """

    ranges: InputRanges | None = None
    significance: float = _SIGNIFICANT
    wrong: float = _WRONG
    factors: Mapping[Flag, float] = field(default_factory=dict)


@dataclass(frozen=True)
class PlausibleRange:
    """Where the training planets lie.

    Attributes:
        levels: lowest and highest depth that a planet may have [(Rp/Rs)^2].
        ratio: usual depth of FGS1 over that of AIRS-CH0 [1].
        largest_difference: of that ratio from the usual one [1].
        safeguards: what damaged planets taught.
    """

    levels: tuple[float, float]
    ratio: float
    largest_difference: float
    safeguards: Safeguards = field(default_factory=Safeguards)


def plausible_range(spectra: np.ndarray, safeguards: Safeguards | None = None) -> PlausibleRange:
    """Return the range of labels, with a margin.

    Args:
        spectra: (n_planet, n_wavelength), FGS1 first [(Rp/Rs)^2].
        safeguards: what damaged planets taught; what is usual if None.
    """
    safeguards = safeguards or Safeguards()
    low, high = _USUAL_LEVELS
    levels = min(low, float(spectra.min()) / _MARGIN), max(high, float(spectra.max()) * _MARGIN)
    ratio = spectra[:, 0] / spectra[:, 1:].mean(axis=1)
    if len(spectra) < _FEWEST_LABELS:
        return PlausibleRange(levels, 1.0, _USUAL_DIFFERENCE, safeguards)
    usual = float(np.median(ratio))
    return PlausibleRange(levels, usual, _MARGIN * float(np.abs(ratio - usual).max()), safeguards)


def plausible(
    mean: np.ndarray,
    sigma: np.ndarray,
    measured: tuple[np.ndarray, np.ndarray],
    flags: Flags,
    known: PlausibleRange,
    statistics: np.ndarray = _NOT_LOOKED_AT,
) -> tuple[np.ndarray, np.ndarray, Flags]:
    """Return mean and sigma that no training planet contradicts, and the flags of what was changed.

    Args:
        mean: (n_wavelength,) of the prediction [(Rp/Rs)^2].
        sigma: (n_wavelength,) of the prediction.
        measured: depths before any prior and their standard errors, (n_wavelength,) each.
        flags: of the measurement.
        known: range of the training planets.
        statistics: (n_visit, 2, n_statistic) of what the planet looks like to the fit, and their errors.
    """
    found, learned = dict[Flag, str](), known.safeguards
    factor = max((learned.factors.get(flag, 1.0) for flag in flags), default=1.0)
    for flag, (name, distance) in (learned.ranges.beyond(statistics) if learned.ranges else {}).items():
        found[flag] = f"{name}, by {distance:.1f} widths of the range"
        factor = max(factor, learned.factors.get(flag, 0.0) * distance)
    sigma = sigma * factor
    difference = channel_difference(*measured, flags, known)
    if difference:
        sigma = np.hypot(sigma, np.sqrt(learned.wrong) * difference)
        found[Flag.CHANNELS_DISAGREE] = f"by {100 * difference / max(float(mean[1:].mean()), 1e-6):.0f} %"
    for flag, channel in ((Flag.FGS1_NOT_LINEAR, slice(0, 1)), (Flag.AIRS_NOT_LINEAR, slice(1, None))):
        if flag in flags:
            sigma = sigma.copy()
            sigma[channel] = np.hypot(sigma[channel], _NOT_LINEAR * mean[channel])
    clamped = np.clip(mean, *known.levels)
    moved = np.abs(clamped - mean)
    if moved.any():
        sigma = np.hypot(sigma, moved)
        found[Flag.DEPTH_CLAMPED] = f"{int((moved > 0).sum())} of {len(mean)} wavelengths"
    return clamped, sigma, found


def channel_difference(depth: np.ndarray, error: np.ndarray, flags: Flags, known: PlausibleRange) -> float:
    """Return by how much FGS1 and AIRS-CH0 disagree beyond what training planets do [(Rp/Rs)^2]; 0 if they agree.

    Args:
        depth: (n_wavelength,) measured.
        error: (n_wavelength,) its standard errors.
        flags: of the measurement.
        known: range of the training planets.
    """
    if flags.keys() & _NOT_COMPARABLE:
        return 0.0
    difference, excess = _difference(depth, error, known)
    agree = Flag.FGS1_DEPTH not in flags and excess <= known.safeguards.significance
    return 0.0 if agree else difference


def excess_difference(depth: np.ndarray, error: np.ndarray, flags: Flags, known: PlausibleRange) -> float:
    """Return the difference of the channels beyond what atmospheres make, in standard errors; 0 if not comparable.

    Args:
        depth: (n_wavelength,) measured.
        error: (n_wavelength,) its standard errors.
        flags: of the measurement.
        known: range of the training planets.
    """
    return 0.0 if flags.keys() & _NOT_COMPARABLE else _difference(depth, error, known)[1]


def _difference(depth: np.ndarray, error: np.ndarray, known: PlausibleRange) -> tuple[float, float]:
    """Return by how much the channels differ [(Rp/Rs)^2], and how far that is beyond atmospheres [standard errors]."""
    weight = 1.0 / error[1:] ** 2
    level = float(weight @ depth[1:] / weight.sum())
    difference = abs(float(depth[0]) - known.ratio * level)
    # Errors of AIRS-CH0 go together, so the smallest of them and not the mean's is that of the level.
    chance = float(np.hypot(error[0], error[1:].min()))
    return difference, (difference - known.largest_difference * abs(level)) / chance


def without_outlying_wavelengths(estimate: DepthEstimate) -> DepthEstimate:
    """Take away the weight of wavelengths that stand far off their neighbours, as no spectrum does.

    They get the depth of their neighbours with an uninformative sigma, and the prior of spectra says the rest.

    Args:
        estimate: of one planet; FGS1, which comes first, has no neighbours.
    """
    outlying = np.zeros(len(estimate.depth), dtype=bool)
    typical = estimate.depth.copy()
    if len(estimate.depth) > _NEIGHBOURS:
        airs, error = estimate.depth[1:], np.sqrt(np.diag(estimate.covariance))[1:]
        mirrored = np.pad(airs, _NEIGHBOURS // 2, mode="reflect")
        typical[1:] = np.median(np.lib.stride_tricks.sliding_window_view(mirrored, _NEIGHBOURS), axis=1)
        limit = np.maximum(_LARGEST_STEP * np.abs(np.median(airs)), _STEP_SIGMA * error)
        outlying[1:] = np.abs(airs - typical[1:]) > limit
    if not outlying.any():
        return estimate
    covariance = np.where(outlying[:, None] | outlying, 0.0, estimate.covariance)
    covariance[outlying, outlying] = _UNKNOWN_SIGMA**2
    found = {Flag.WAVELENGTHS_OUTLYING: f"{int(outlying.sum())} of {len(outlying)}"}
    return replace(
        estimate,
        depth=np.where(outlying, typical, estimate.depth),
        covariance=covariance,
        flags={**estimate.flags, **found},
    )
