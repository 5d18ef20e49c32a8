"""One visit under a prior of star and instrument: what of it is its own is marginalised.

Each visit has drift, pointing, noise and mid-time of its own. What remains are the depths and the one star and orbit
that all visits of a planet share.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.linalg import solve_triangular

from spectramind_kit.fitting.laplace import Posterior, truncated_at_zero
from spectramind_kit.fitting.nuisance_prior import (
    SCALED,
    NuisancePrior,
    blockwise_root,
    factor_beside_identity,
    group_of,
)
from spectramind_kit.likelihood import VisitLikelihood

_ORBIT = ("log_axis", "impact_squared")
_SCALES = 2.0 ** np.arange(-2, 6)
"""Sizes of a visit's drift and noise over the population's that are tried. The large ones are for what no fit knew, as
a spot crossing that was missed: it counts as slow noise then, and with the population's size it would cost ten sigma.
"""
_UNKNOWN_SPREAD = 1.0
"""Spread of the logarithm of these sizes where no population is known."""


@dataclass(frozen=True, eq=False)
class VisitPrior:
    """The prior of all shared parameters of one visit, and how probable it makes the visit.

    Attributes:
        mean: (n_shared,).
        covariance: (n_shared, n_shared).
        scale: size of drift and of noise over the population's, by group.
        ln_evidence: of the light curves.
    """

    mean: np.ndarray
    covariance: np.ndarray
    scale: dict[str, float]
    ln_evidence: float


@dataclass(frozen=True, eq=False)
class Conditional:
    """Depths of one visit given star and orbit, and the likelihood of these.

    Attributes:
        depth: (n_wavelength,) at star and orbit of zero.
        covariance: (n_wavelength, n_wavelength) at given star and orbit.
        response: (n_wavelength, n_star).
        information: (n_star, n_star).
        score: (n_star,) at zero.
    """

    depth: np.ndarray
    covariance: np.ndarray
    response: np.ndarray
    information: np.ndarray
    score: np.ndarray


def visit_prior(visit: VisitLikelihood, population: NuisancePrior | None) -> VisitPrior:
    """Return the prior of a visit: the population's, where there is one, with sizes that the visit itself bears out.

    Args:
        visit: its likelihood.
        population: of star and instrument; without it the fit's own loose prior.
    """
    mean, covariance = visit.prior_mean.copy(), np.diag(visit.prior_scatter**2)
    spread = dict.fromkeys(SCALED, _UNKNOWN_SPREAD)
    if population is not None:
        place = {name: i for i, name in enumerate(population.names)}
        here = np.array([i for i, name in enumerate(visit.names) if name in place], dtype=int)
        there = np.array([place[visit.names[i]] for i in here], dtype=int)
        mean[here] = population.mean[there]
        covariance[np.ix_(here, here)] = population.covariance[np.ix_(there, there)]
        spread = dict(population.spread)
    blocks = _blocks(visit.names)
    whole = blockwise_root(covariance, list(blocks.values()))
    offset = mean - visit.reference
    observed = visit.information @ whole
    data, residual = whole.T @ observed, whole.T @ (visit.score - visit.information @ offset)
    base = visit.ln_likelihood + visit.score @ offset - 0.5 * offset @ visit.information @ offset
    ln_evidence, factors = [], []
    sizes = list(product(_SCALES, repeat=len(SCALED)))
    for size in sizes:
        factor = np.ones(len(mean))
        for group, each in zip(SCALED, size):
            factor[blocks.get(group, [])] = each
        lower = factor_beside_identity(factor[:, None] * data * factor)
        half = solve_triangular(lower, factor * residual, lower=True)
        ln_evidence.append(base + 0.5 * half @ half - np.log(np.diag(lower)).sum())
        factors.append(factor)
    ln_prior = -0.5 * ((np.log(sizes) / [spread[group] for group in SCALED]) ** 2).sum(axis=1)
    ln_weight = ln_prior - np.logaddexp.reduce(ln_prior) + np.array(ln_evidence)
    total = np.logaddexp.reduce(ln_weight)
    # The covariance averaged over sizes: one Gaussian with the second moments of their mixture.
    factor = np.sqrt(np.exp(ln_weight - total) @ np.square(factors))
    scale = {group: float(factor[blocks[group][0]]) for group in SCALED if group in blocks}
    return VisitPrior(mean, covariance * np.outer(factor, factor), scale, float(total))


def given_star(visit: VisitLikelihood, prior: VisitPrior, star: np.ndarray) -> Conditional:
    """Marginalise what is the visit's own.

    Args:
        visit: its likelihood.
        prior: of its parameters.
        star: boolean (n_shared,), which parameters are the star's and its planet's.
    """
    own = ~star
    names = [name for name, mine in zip(visit.names, own) if mine]
    whole = blockwise_root(prior.covariance[np.ix_(own, own)], list(_blocks(names).values()))
    # Everything at the prior mean of the visit's own, and at zero of the star's.
    offset = np.where(own, prior.mean, 0.0) - visit.reference
    score = visit.score - visit.information @ offset
    observed = visit.information[:, own] @ whole
    inverse = np.linalg.inv(np.eye(len(names)) + whole.T @ observed[own])
    response = visit.response[:, own] @ whole
    step = inverse @ (whole.T @ score[own])
    gain = inverse @ observed[star].T
    covariance = np.diag(visit.variance) + response @ inverse @ response.T
    # A visit that is not what it looks like counts as one of so much wider errors.
    return Conditional(
        depth=visit.depth + visit.response @ offset + response @ step,
        covariance=visit.growth * covariance + np.diag(visit.extra_variance) + visit.common_extra_variance,
        response=visit.response[:, star] - response @ gain,
        information=(visit.information[np.ix_(star, star)] - observed[star] @ gain) / visit.growth,
        score=(score[star] - observed[star] @ step) / visit.growth,
    )


def visit_posterior(visit: VisitLikelihood, prior: VisitPrior) -> Posterior:
    """Return the posterior of depths and all shared parameters of a visit alone, aware of b^2 >= 0."""
    whole = blockwise_root(prior.covariance, list(_blocks(visit.names).values()))
    step, covariance = under_prior(visit.information, visit.score, prior.mean - visit.reference, whole)
    cross = visit.response @ covariance
    return truncated_at_zero(
        Posterior(
            depth=visit.depth + visit.response @ step,
            depth_covariance=np.diag(visit.variance) + cross @ visit.response.T,
            shared=visit.reference + step,
            shared_covariance=covariance,
            cross=cross,
        ),
        visit.names.index("impact_squared"),
    )


def under_prior(
    information: np.ndarray, score: np.ndarray, mean: np.ndarray, root: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean (n,) and covariance (n, n) of parameters with a Gaussian likelihood under a Gaussian prior.

    Args:
        information: (n, n) of the likelihood.
        score: (n,) of it at zero.
        mean: (n,) of the prior.
        root: (n, n), L of the prior's covariance L L': parameters may have no freedom at all.
    """
    lower = factor_beside_identity(root.T @ information @ root)
    half = solve_triangular(lower, root.T, lower=True)
    step = half.T @ solve_triangular(lower, root.T @ (score - information @ mean), lower=True)
    return mean + step, half.T @ half


def star_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return which shared parameters are the star's and its planet's, the same in every visit."""
    return tuple(name for name in names if name in _ORBIT or group_of(name) == "darkening")


def _blocks(names: Sequence[str]) -> dict[str, np.ndarray]:
    groups = np.array([group_of(name) or "own" for name in names])
    return {group: np.flatnonzero(groups == group) for group in dict.fromkeys(groups.tolist())}
