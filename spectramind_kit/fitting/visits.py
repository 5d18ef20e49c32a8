"""All visits of a planet together, under a prior of star and instrument; widened where visits disagree.

    p(d, star) ~ prior(star) prod_i p(visit_i | d, star)

Given star and orbit, which they share, visits are independent: their information adds up, and the prior counts once.
Where a fit brings no likelihood of these, its depths and covariance stand for it.

Visits can disagree in two ways, and each inflates what it concerns: in level (what drift and star spots move;
one number, drowned in a chi^2 over all wavelengths) by a variance between visits, and in shape by the chi^2 per degree
of freedom. One or two degrees of freedom prove little, so the level's chi^2 is shrunk by a prior weight of agreement.
"""

from collections.abc import Sequence

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from spectramind_kit.errors import FitError
from spectramind_kit.fitting.laplace import Posterior, fill_masked_wavelengths, truncated_at_zero
from spectramind_kit.fitting.nuisance_prior import NuisancePrior, blockwise_root
from spectramind_kit.fitting.visit_posterior import Conditional, given_star, star_names, under_prior, visit_prior
from spectramind_kit.flags import Flag
from spectramind_kit.products import DepthEstimate, TransitFit

_PRIOR_WEIGHT = 3.0
"""Weight of the prior that levels agree, in degrees of freedom."""
_REMARKABLE = 3.0
"""Disagreement that is flagged [sigma]."""
_NO_STAR = (), np.zeros(0), np.zeros((0, 0))


def join_visits(fits: Sequence[TransitFit], population: NuisancePrior | None = None) -> DepthEstimate:
    """Join the fits of one planet.

    Args:
        fits: one per visit.
        population: prior of star and instrument; without it the loose one that the fits were made under.

    Returns:
        Depths and covariance of all visits; flags of the visits, and where visits disagree.

    Raises:
        FitError: without a fit, or if the fits are not of one planet and one set of wavelengths.
    """
    _require_one_planet(fits)
    given, (fits, twice) = tuple(fits), _different_visits(fits)
    flags = _flags(fits) | twice
    if len(fits) == 1 and (population is None or fits[0].likelihood is None):
        return DepthEstimate(fits[0].planet_id, fits[0].depth, fits[0].covariance, 1, flags, given)
    visits, star = _given_star(fits, population)
    depth, covariance = _joined(visits, star)
    if len(fits) > 1:
        covariance, disagreements = _widened(depth, covariance, [_joined([visit], star) for visit in visits])
        flags |= disagreements
    masked = np.all([_masked(fit) for fit in fits], axis=0)
    depth, covariance = fill_masked_wavelengths(depth, covariance, fits[0].wavelength, masked)
    return DepthEstimate(fits[0].planet_id, depth, covariance, len(fits), flags, given)


def with_population(estimate: DepthEstimate, population: NuisancePrior | None) -> DepthEstimate:
    """Return the estimate as if its visits had been fitted under the prior of a population.

    Args:
        estimate: of a planet; one that carries no fits stays as it is.
        population: of star and instrument, if one is known.
    """
    return join_visits(estimate.fits, population) if population is not None and estimate.fits else estimate


def _require_one_planet(fits: Sequence[TransitFit]) -> None:
    planets = sorted({fit.planet_id for fit in fits})
    if len(planets) != 1:
        raise FitError("visits to be joined", wanted="fits of one planet", got=f"planets {planets}")
    lengths = sorted({len(fit.depth) for fit in fits})
    if len(lengths) != 1:
        raise FitError(f"visits of planet {planets[0]}", wanted="the same wavelengths", got=f"{lengths} of them")


def _different_visits(fits: Sequence[TransitFit]) -> tuple[list[TransitFit], dict[Flag, str]]:
    """Return the fits without those that repeat another one bit for bit, as no second visit does; and a flag for these.

    One visit counted twice would have a sigma too small by a square root of two.
    """
    different: list[TransitFit] = []
    again = []
    for fit in fits:
        same = (one for one in different if np.array_equal(one.flux, fit.flux, equal_nan=True))
        first = next((one for one in same if np.array_equal(one.depth, fit.depth)), None)
        if first is None:
            different.append(fit)
        else:
            again.append(f"visit {fit.visit} is visit {first.visit}")
    return different, {Flag.VISIT_TWICE: "; ".join(again)} if again else {}


def _flags(fits: Sequence[TransitFit]) -> dict[Flag, str]:
    """Return the flags of all visits; where there are several, each says which visits carry it."""
    if len(fits) == 1:
        return dict(fits[0].flags)
    visits: dict[Flag, list[str]] = {}
    for fit in fits:
        for flag, detail in fit.flags.items():
            visits.setdefault(flag, []).append(f"visit {fit.visit}{f': {detail}' if detail else ''}")
    return {flag: "; ".join(details) for flag, details in visits.items()}


def _masked(fit: TransitFit) -> np.ndarray:
    return fit.likelihood.masked if fit.likelihood is not None else np.zeros(len(fit.depth), dtype=bool)


def _given_star(
    fits: Sequence[TransitFit], population: NuisancePrior | None
) -> tuple[list[Conditional], tuple[tuple[str, ...], np.ndarray, np.ndarray]]:
    """Return the visits given star and orbit, and the prior of these: names, mean (n,) and covariance (n, n)."""
    likelihoods = [fit.likelihood for fit in fits]
    known = [one for one in likelihoods if one is not None]
    shared = star_names(known[0].names) if known else ()
    if len(known) < len(fits) or any(star_names(one.names) != shared for one in known):
        n = len(fits[0].depth)
        without = [Conditional(f.depth, f.covariance, np.zeros((n, 0)), np.zeros((0, 0)), np.zeros(0)) for f in fits]
        return without, _NO_STAR
    visits, star = [], _NO_STAR
    for one in known:
        prior, place = visit_prior(one, population), np.isin(one.names, shared)
        visits.append(given_star(one, prior, place))
        star = shared, prior.mean[place], prior.covariance[np.ix_(place, place)]
    return visits, star


def _joined(
    visits: Sequence[Conditional], star: tuple[tuple[str, ...], np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Return depths (n,) and covariance (n, n) of visits together, star and orbit marginalised."""
    (names, mean, covariance), given = star, _together(visits)
    if not names:
        return given.depth, given.covariance
    root = blockwise_root(covariance, [np.arange(len(names))])
    value, spread = under_prior(given.information, given.score, mean, root)
    cross = given.response @ spread
    together = Posterior(
        depth=given.depth + given.response @ value,
        depth_covariance=given.covariance + cross @ given.response.T,
        shared=value,
        shared_covariance=spread,
        cross=cross,
    )
    if "impact_squared" in names:
        together = truncated_at_zero(together, names.index("impact_squared"))
    return together.depth, together.depth_covariance


def _together(visits: Sequence[Conditional]) -> Conditional:
    """Return all visits as one, given star and orbit."""
    if len(visits) == 1:
        return visits[0]
    inverse = [np.linalg.inv(visit.covariance) for visit in visits]
    weighted = [weight @ np.column_stack([visit.depth, visit.response]) for weight, visit in zip(inverse, visits)]
    covariance = np.linalg.inv(np.sum(inverse, axis=0))
    covariance = 0.5 * (covariance + covariance.T)
    total = np.sum(weighted, axis=0)
    mean = covariance @ total
    # What the visits' disagreement about the depths says of the star: each by itself, less all of them together.
    own = np.sum([visit.response.T @ each for visit, each in zip(visits, weighted)], axis=0) - mean[:, 1:].T @ total
    return Conditional(
        depth=mean[:, 0],
        covariance=covariance,
        response=mean[:, 1:],
        information=np.sum([visit.information for visit in visits], axis=0) + own[:, 1:],
        score=np.sum([visit.score for visit in visits], axis=0) - own[:, 0],
    )


def _widened(
    depth: np.ndarray, covariance: np.ndarray, visits: Sequence[tuple[np.ndarray, np.ndarray]]
) -> tuple[np.ndarray, dict[Flag, str]]:
    """Return the covariance grown by how far the visits disagree, and flags where that is remarkable.

    Args:
        depth: (n,) of all visits.
        covariance: (n, n) of all visits.
        visits: depth and covariance of each by itself.
    """
    weight = 1.0 / np.diag(covariance)
    weight /= weight.sum()
    freedom, flags = len(visits) - 1, {}
    level_chi2, level_variance = _level_disagreement(visits, weight)
    shape_chi2 = sum(_shape_chi2(one - depth, spread) for one, spread in visits)
    shape_freedom = freedom * (len(depth) - 1)
    growth = max(1.0, shape_chi2 / shape_freedom)
    level_growth = max(1.0, (level_chi2 + _PRIOR_WEIGHT * freedom) / ((1.0 + _PRIOR_WEIGHT) * freedom))
    if level_chi2 > _REMARKABLE**2 * freedom:
        flags[Flag.VISITS_DIFFER_IN_LEVEL] = f"by {np.sqrt(level_chi2 / freedom):.1f} sigma"
    if growth > 1.0 + _REMARKABLE * np.sqrt(2.0 / shape_freedom):
        flags[Flag.VISITS_DIFFER_IN_SHAPE] = f"chi^2 per degree of freedom {growth:.2f}"
    return growth * covariance + (level_growth - 1.0) * level_variance, flags


def _level_disagreement(visits: Sequence[tuple[np.ndarray, np.ndarray]], weight: np.ndarray) -> tuple[float, float]:
    """Return chi^2 of the visits' levels around their mean, and the variance of that mean."""
    levels = np.array([weight @ depth for depth, _ in visits])
    precision = np.array([1.0 / (weight @ covariance @ weight) for _, covariance in visits])
    mean = (precision @ levels) / precision.sum()
    return float(precision @ (levels - mean) ** 2), float(1.0 / precision.sum())


def _shape_chi2(difference: np.ndarray, covariance: np.ndarray) -> float:
    """Return chi^2 of a visit's difference from the joint spectrum, with a free level."""
    factor, ones = cho_factor(covariance), np.ones(len(difference))
    weighted, flat = cho_solve(factor, difference), cho_solve(factor, ones)
    return float(difference @ weighted - (ones @ weighted) ** 2 / (ones @ flat))
