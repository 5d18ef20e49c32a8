"""All visits of a planet together: inverse-variance mean with full covariances, widened where visits disagree.

    C = (sum C_i^-1)^-1,   d = C sum C_i^-1 d_i

Where the fits report their limb darkening, it is joined with the depths: one star has one, and its prior counts once.

Visits can disagree in two ways, and each inflates what it concerns: in level (what orbit, drift and star spots move;
one number, drowned in a chi^2 over all wavelengths) by a variance between visits, and in shape by the chi^2 per degree
of freedom. One or two degrees of freedom prove little, so the level's chi^2 is shrunk by a prior weight of agreement.
"""

from collections.abc import Sequence

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from spectramind_kit.errors import FitError
from spectramind_kit.fitting.darkening_prior import Conditional, conditional
from spectramind_kit.flags import Flag
from spectramind_kit.products import DepthEstimate, TransitFit

_PRIOR_WEIGHT = 3.0
"""Weight of the prior that levels agree, in degrees of freedom."""
_DARKENING = ("darkening", "darkening_covariance", "darkening_cross")
_REMARKABLE = 3.0
"""Disagreement that is flagged [sigma]."""


def join_visits(fits: Sequence[TransitFit]) -> DepthEstimate:
    """Join the fits of one planet.

    Args:
        fits: one per visit.

    Returns:
        Depths and covariance of all visits; flags of the visits, and where visits disagree.

    Raises:
        FitError: without a fit, or if the fits are not of one planet and one set of wavelengths.
    """
    _require_one_planet(fits)
    flags = _flags(fits)
    if len(fits) == 1:
        darkening = {name: getattr(fits[0], name) for name in _DARKENING}
        return DepthEstimate(fits[0].planet_id, fits[0].depth, fits[0].covariance, 1, flags, **darkening)
    depth, covariance, darkening = _weighted_mean(fits)
    weight = 1.0 / np.diag(covariance)
    weight /= weight.sum()

    freedom = len(fits) - 1
    level_chi2, level_variance = _level_disagreement(fits, weight)
    shape_chi2 = _shape_disagreement(fits, depth)
    shape_freedom = freedom * (len(depth) - 1)
    growth = max(1.0, shape_chi2 / shape_freedom)
    level_growth = max(1.0, (level_chi2 + _PRIOR_WEIGHT * freedom) / ((1.0 + _PRIOR_WEIGHT) * freedom))
    covariance = growth * covariance + (level_growth - 1.0) * level_variance

    if level_chi2 > _REMARKABLE**2 * freedom:
        flags[Flag.VISITS_DIFFER_IN_LEVEL] = f"by {np.sqrt(level_chi2 / freedom):.1f} sigma"
    if growth > 1.0 + _REMARKABLE * np.sqrt(2.0 / shape_freedom):
        flags[Flag.VISITS_DIFFER_IN_SHAPE] = f"chi^2 per degree of freedom {growth:.2f}"
    return DepthEstimate(fits[0].planet_id, depth, covariance, len(fits), flags, **darkening)


def _require_one_planet(fits: Sequence[TransitFit]) -> None:
    planets = sorted({fit.planet_id for fit in fits})
    if len(planets) != 1:
        raise FitError("visits to be joined", wanted="fits of one planet", got=f"planets {planets}")
    lengths = sorted({len(fit.depth) for fit in fits})
    if len(lengths) != 1:
        raise FitError(f"visits of planet {planets[0]}", wanted="the same wavelengths", got=f"{lengths} of them")


def _flags(fits: Sequence[TransitFit]) -> dict[Flag, str]:
    """Return the flags of all visits; where there are several, each says which visits carry it."""
    if len(fits) == 1:
        return dict(fits[0].flags)
    visits: dict[Flag, list[str]] = {}
    for fit in fits:
        for flag, detail in fit.flags.items():
            visits.setdefault(flag, []).append(f"visit {fit.visit}{f': {detail}' if detail else ''}")
    return {flag: "; ".join(details) for flag, details in visits.items()}


def _weighted_mean(fits: Sequence[TransitFit]) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Return depths, covariance and the limb darkening's arrays of all fits together."""
    n = len(fits[0].depth)
    if all(len(fit.darkening) for fit in fits):
        given = [conditional(fit) for fit in fits]
    else:
        none = np.zeros((n, 0)), np.zeros((0, 0)), np.zeros(0)
        given = [Conditional(fit.depth, fit.covariance, *none) for fit in fits]
    n_darkening = given[0].response.shape[1]
    # Unknowns are the depths and the one limb darkening of the star. Each visit measures depth - response @ darkening
    # and adds its likelihood of the darkening; the prior, which every fit had in it, comes back once.
    precision, score = np.zeros((n + n_darkening, n + n_darkening)), np.zeros(n + n_darkening)
    for visit in given:
        factor = cho_factor(visit.covariance)
        design = np.hstack([np.eye(n), -visit.response])
        precision += design.T @ cho_solve(factor, design)
        score += design.T @ cho_solve(factor, visit.depth)
    for visit in given:
        precision[n:, n:] += visit.information
        score[n:] += visit.score
    if n_darkening:
        precision[n:, n:] += np.diag(fits[0].darkening[:, 1] ** -2.0)
    scale = 1.0 / np.sqrt(np.diag(precision))
    factor = cho_factor(precision * scale[:, None] * scale)
    covariance = cho_solve(factor, np.eye(n + n_darkening)) * scale[:, None] * scale
    covariance, value = 0.5 * (covariance + covariance.T), scale * cho_solve(factor, scale * score)
    if not n_darkening:
        return value, covariance, {}
    darkening = {
        "darkening": np.column_stack([value[n:], fits[0].darkening[:, 1]]),
        "darkening_covariance": covariance[n:, n:],
        "darkening_cross": covariance[:n, n:],
    }
    return value[:n], covariance[:n, :n], darkening


def _level_disagreement(fits: Sequence[TransitFit], weight: np.ndarray) -> tuple[float, float]:
    """Return chi^2 of the visits' levels around their mean, and the variance of that mean."""
    levels = np.array([weight @ fit.depth for fit in fits])
    precision = np.array([1.0 / (weight @ fit.covariance @ weight) for fit in fits])
    mean = (precision @ levels) / precision.sum()
    return float(precision @ (levels - mean) ** 2), float(1.0 / precision.sum())


def _shape_disagreement(fits: Sequence[TransitFit], depth: np.ndarray) -> float:
    """Return chi^2 of the visits around their joint spectrum, with a free level for every visit."""
    total, ones = 0.0, np.ones(len(depth))
    for fit in fits:
        factor = cho_factor(fit.covariance)
        difference = fit.depth - depth
        weighted, flat = cho_solve(factor, difference), cho_solve(factor, ones)
        total += difference @ weighted - (ones @ weighted) ** 2 / (ones @ flat)  # less what the best level explains
    return float(total)
