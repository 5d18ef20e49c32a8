"""What an answer may be at most: neither farther out nor surer than what the training planets bear out.

Damaged files make answers that are finite, sharp and wrong: the other channel's file of another planet, a calibration
map with one impossible number. Each check compares what is independent of each other, and is blind as long as the two
agree as well as those of training planets do, so that undamaged planets keep their answers:

    FGS1 against AIRS-CH0     one star, one planet: the depths differ by an atmosphere at most
    a wavelength against      spectra are smooth to a few per cent within a handful of detector columns
      its neighbours
    the depth against labels  no planet of the population is far deeper or shallower than all that are known

Where two channels disagree, each is as likely to be the wrong one. The answer is right or wrong by the whole
difference D, and the variance of that, D^2 / 2, is what makes the expected likelihood largest.
"""

from dataclasses import dataclass, replace

import numpy as np

from spectramind_kit.flags import Flag, Flags
from spectramind_kit.products import DepthEstimate

_WRONG = 0.5
"""Probability that a channel is the wrong one of two that disagree."""
_SIGNIFICANT = 5.0
"""Standard errors, beyond which a difference is no chance."""
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


@dataclass(frozen=True)
class PlausibleRange:
    """Where the training planets lie.

    Attributes:
        levels: lowest and highest depth that a planet may have [(Rp/Rs)^2].
        ratio: usual depth of FGS1 over that of AIRS-CH0 [1].
        largest_difference: of that ratio from the usual one [1].
    """

    levels: tuple[float, float]
    ratio: float
    largest_difference: float


def plausible_range(spectra: np.ndarray) -> PlausibleRange:
    """Return the range of labels, with a margin.

    Args:
        spectra: (n_planet, n_wavelength), FGS1 first [(Rp/Rs)^2].
    """
    low, high = _USUAL_LEVELS
    levels = min(low, float(spectra.min()) / _MARGIN), max(high, float(spectra.max()) * _MARGIN)
    ratio = spectra[:, 0] / spectra[:, 1:].mean(axis=1)
    if len(spectra) < _FEWEST_LABELS:
        return PlausibleRange(levels, 1.0, _USUAL_DIFFERENCE)
    usual = float(np.median(ratio))
    return PlausibleRange(levels, usual, _MARGIN * float(np.abs(ratio - usual).max()))


def plausible(
    mean: np.ndarray,
    sigma: np.ndarray,
    measured: tuple[np.ndarray, np.ndarray],
    flags: Flags,
    known: PlausibleRange,
) -> tuple[np.ndarray, np.ndarray, Flags]:
    """Return mean and sigma that no training planet contradicts, and the flags of what was changed.

    Args:
        mean: (n_wavelength,) of the prediction [(Rp/Rs)^2].
        sigma: (n_wavelength,) of the prediction.
        measured: depths before any prior and their standard errors, (n_wavelength,) each.
        flags: of the measurement.
        known: range of the training planets.
    """
    found: dict[Flag, str] = {}
    difference = _channel_difference(*measured, flags, known)
    if difference:
        sigma = np.hypot(sigma, np.sqrt(_WRONG) * difference)
        found[Flag.CHANNELS_DISAGREE] = f"by {100 * difference / max(float(mean[1:].mean()), 1e-6):.0f} %"
    clamped = np.clip(mean, *known.levels)
    moved = np.abs(clamped - mean)
    if moved.any():
        sigma = np.hypot(sigma, moved)
        found[Flag.DEPTH_CLAMPED] = f"{int((moved > 0).sum())} of {len(mean)} wavelengths"
    return clamped, sigma, found


def _channel_difference(depth: np.ndarray, error: np.ndarray, flags: Flags, known: PlausibleRange) -> float:
    """Return by how much FGS1 and AIRS-CH0 disagree beyond what training planets do [(Rp/Rs)^2]; 0 if they agree.

    Args:
        depth: (n_wavelength,) measured.
        error: (n_wavelength,) its standard errors.
        flags: of the measurement.
        known: range of the training planets.
    """
    if flags.keys() & {Flag.FGS1_SATURATED, Flag.FGS1_MISSING, Flag.AIRS_MISSING, Flag.FGS1_UNUSABLE}:
        return 0.0  # nothing to compare with, or FGS1 is known to be the wrong one
    weight = 1.0 / error[1:] ** 2
    level = float(weight @ depth[1:] / weight.sum())
    difference = abs(float(depth[0]) - known.ratio * level)
    # Errors of AIRS-CH0 go together, so the smallest of them and not the mean's is that of the level.
    chance = _SIGNIFICANT * float(np.hypot(error[0], error[1:].min()))
    if Flag.FGS1_DEPTH not in flags and difference <= known.largest_difference * abs(level) + chance:
        return 0.0
    return difference


def without_outlying_wavelengths(estimate: DepthEstimate) -> DepthEstimate:
    """Take away the weight of wavelengths that stand far off their neighbours, as no spectrum does.

    They get the depth of their neighbours with an uninformative sigma, and the prior of spectra says the rest.

    Args:
        estimate: of one planet; FGS1, which comes first, has no neighbours.
    """
    outlying = np.zeros(len(estimate.depth), dtype=bool)
    typical = estimate.depth.copy()
    if len(estimate.depth) > _NEIGHBOURS:
        from scipy.ndimage import median_filter  # here: it takes a second to load

        airs, error = estimate.depth[1:], np.sqrt(np.diag(estimate.covariance))[1:]
        typical[1:] = median_filter(airs, size=_NEIGHBOURS, mode="mirror")
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
