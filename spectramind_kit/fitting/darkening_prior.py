"""Limb darkening learned from training planets, and put in place of the loose prior that a fit was made under.

A fit gives depths d and limb-darkening offsets u as one Gaussian. Given u the depths are d0 + G u with covariance C0,
and the light curves alone give of u the information L and the score e at u = 0. Under a prior N(m, T) of the offsets

    V = (L + T^-1)^-1,   u = V (e + T^-1 m),   d = d0 + G u,   C = C0 + G V G',

so that another prior needs no other fit. m and T are those of the training planets' stars, by expectation maximisation
over their L and e (Gelman et al. 2013, ch. 5 and 13.4): estimates that are noisy count little, and their noise
does not enter the spread.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from spectramind_kit.products import DARKENING_NAMES, DepthEstimate, TransitFit

if TYPE_CHECKING:
    from spectramind_kit.fitting.curve_model import CurveModel
    from spectramind_kit.fitting.laplace import Posterior

_PRIOR_WEIGHT = 2.0
"""Weight of the loose prior's scatter, and of a mean of zero, in planets."""
_N_STEP = 300
_LEAST = 0.05
"""Smallest learned scatter, in loose ones: no star is darkened exactly as its temperature says."""


@dataclass(frozen=True)
class Conditional:
    """Depths given the limb darkening, and the likelihood of that from the light curves alone.

    Attributes:
        depth: (n,) at offsets of zero.
        covariance: (n, n) at given offsets.
        response: (n, n_offset), slope of the depths by the offsets.
        information: (n_offset, n_offset) of the offsets' likelihood.
        score: (n_offset,), slope of its logarithm at offsets of zero.
    """

    depth: np.ndarray
    covariance: np.ndarray
    response: np.ndarray
    information: np.ndarray
    score: np.ndarray


@dataclass(frozen=True)
class DarkeningPrior:
    """The offsets over stars.

    Attributes:
        mean: (n_offset,) [1].
        scatter: (n_offset,) [1].
    """

    mean: np.ndarray
    scatter: np.ndarray


def darkening_arrays(posterior: "Posterior", model: "CurveModel") -> dict[str, np.ndarray]:
    """Return the fields of ``Darkened``; none where the model lacks one of the offsets."""
    if not set(DARKENING_NAMES) <= set(model.names):
        return {}
    places = [model.names.index(name) for name in DARKENING_NAMES]
    return {
        "darkening": np.column_stack([posterior.shared[places], model.prior_scatter[places]]),
        "darkening_covariance": posterior.shared_covariance[places][:, places],
        "darkening_cross": posterior.cross[:, places],
    }


def conditional(measured: TransitFit | DepthEstimate) -> Conditional:
    """Take the prior of the limb darkening out of a fit or an estimate that reports it."""
    offset, scatter = measured.darkening.T
    information, score = likelihood(offset, scatter, measured.darkening_covariance)
    response = np.linalg.solve(measured.darkening_covariance, measured.darkening_cross.T).T
    return Conditional(
        depth=measured.depth - response @ offset,
        covariance=measured.covariance - response @ measured.darkening_cross.T,
        response=response,
        information=information,
        score=score,
    )


def likelihood(offset: np.ndarray, scatter: np.ndarray, covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return information (n, n) and score at zero (n,) of the offsets' likelihood from the light curves alone.

    Args:
        offset: (n,), posterior mean of the offsets.
        scatter: (n,), of the zero-mean prior in that posterior.
        covariance: (n, n), posterior covariance of the offsets.
    """
    # In units of the prior its precision is one: what an eigenvalue has beyond that is the light curves'.
    precision = np.linalg.inv(covariance / np.outer(scatter, scatter))
    eigenvalue, vector = np.linalg.eigh(0.5 * (precision + precision.T))
    # Noise that was added afterwards may leave more variance than the prior had: no information there.
    information = np.where(eigenvalue > 1.0, eigenvalue - 1.0, 0.0)
    score = np.where(eigenvalue > 1.0, eigenvalue, 0.0) * (vector.T @ (offset / scatter))
    return (vector * information) @ vector.T / np.outer(scatter, scatter), vector @ score / scatter


def with_darkening_prior(estimate: DepthEstimate, prior: DarkeningPrior | None) -> DepthEstimate:
    """Return the estimate as if it had been fitted under another prior; unchanged where it has no limb darkening."""
    if prior is None or not len(estimate.darkening):
        return estimate
    given, precision = conditional(estimate), np.diag(prior.scatter**-2.0)
    covariance = np.linalg.inv(given.information + precision)
    offset = covariance @ (given.score + precision @ prior.mean)
    cross = given.response @ covariance
    total = given.covariance + cross @ given.response.T
    return replace(
        estimate,
        depth=given.depth + given.response @ offset,
        covariance=0.5 * (total + total.T),
        darkening=np.column_stack([offset - prior.mean, prior.scatter]),
        darkening_covariance=covariance,
        darkening_cross=cross,
    )


def learn_darkening_prior(darkening: np.ndarray, covariance: np.ndarray) -> DarkeningPrior | None:
    """Learn the prior from fitted stars; None without any.

    Args:
        darkening: (n_planet, n_offset, 2), offsets and the scatter of the prior they were fitted under; planets with
            NaN are left out.
        covariance: (n_planet, n_offset, n_offset) of the offsets.
    """
    fitted = np.isfinite(darkening).all(axis=(1, 2)) & np.isfinite(covariance).all(axis=(1, 2))
    if not fitted.any():
        return None
    likelihoods = [likelihood(d[:, 0], d[:, 1], c) for d, c in zip(darkening[fitted], covariance[fitted])]
    information, score = (np.array(part) for part in zip(*likelihoods))
    loose = np.median(darkening[fitted, :, 1], axis=0)
    n, mean, scatter = len(information), np.zeros(len(loose)), loose
    for _ in range(_N_STEP):
        precision = np.diag(scatter**-2.0)
        spread = np.linalg.inv(information + precision)
        offset = np.einsum("pij,pj->pi", spread, score + precision @ mean)
        mean = offset.sum(axis=0) / (n + _PRIOR_WEIGHT)
        power = (offset - mean) ** 2 + np.diagonal(spread, axis1=1, axis2=2)
        scatter = np.sqrt((power.sum(axis=0) + _PRIOR_WEIGHT * loose**2) / (n + _PRIOR_WEIGHT))
        scatter = np.clip(scatter, _LEAST * loose, loose)
    return DarkeningPrior(mean, scatter)
