"""The light curves as a posterior sees them: star and instrument apart from the transit.

The end of the fit knows neither ramps, bends nor widths, and what they do it gives to drift and pointing; only the
posterior holds all of them (``visit_likelihood``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spectramind_kit.fitting.curve_model import CurveModel
from spectramind_kit.fitting.gauss_newton import Solution
from spectramind_kit.fitting.laplace import Posterior
from spectramind_kit.fitting.visit_likelihood import instrument_terms
from spectramind_kit.products import LightCurves

_LOCAL = 2
"""Rows of a Jacobian before those of the linear predictor: level and depth."""
_TRANSIT = 5
"""Rows of the predictor that shape the transit."""


@dataclass(frozen=True)
class Detrended:
    """Light curves, taken apart; wavelength first.

    Attributes:
        star: (n_curve, n_time), star and instrument, in the units of the flux.
        transit: (n_curve, n_time) [1].
        residual: (n_curve, n_time), flux less the product of both.
    """

    star: np.ndarray
    transit: np.ndarray
    residual: np.ndarray


def detrended(
    model: CurveModel, solution: Solution, curves: LightCurves, names: Sequence[str], posterior: Posterior
) -> Detrended:
    """Return star and transit at the posterior's mean, linear around the end of the fit as the posterior is.

    Args:
        model: data and geometry of the fit.
        solution: its end.
        curves: that were fitted.
        names: of the posterior's shared parameters, those of the model first.
        posterior: of depths and shared parameters.
    """
    state, at = solution.state, solution.at
    step = model.mixing @ (posterior.shared[: len(model.names)] - state.shared)
    drift = step[:, _TRANSIT:] @ model.functions
    found = dict(zip(names, posterior.shared))
    for term in instrument_terms(curves, curves.wavelength):
        drift += found[term.name] * np.outer(term.strength, term.function)
    observed = (model.weight > 0).any(axis=1)
    depth = np.where(observed, posterior.depth - state.depth, 0.0)  # of a masked wavelength it is the prior's
    shape = np.concatenate((depth[:, None], step[:, :_TRANSIT]), axis=1)[:, None]
    slope = at.jacobian[:, _LOCAL - 1 : _LOCAL + _TRANSIT]
    star = state.level[:, None] * (at.systematics + drift)
    predicted = star * at.transit + (shape @ slope)[:, 0]
    # The level of a curve is whatever suits it best.
    weighted = model.weight * predicted
    level = np.where(observed, (weighted * model.flux).sum(axis=1), 1.0)
    level /= np.where(observed, (weighted * predicted).sum(axis=1), 1.0)
    star, predicted = level[:, None] * star, level[:, None] * predicted
    return Detrended(star, predicted / star, model.flux - predicted)
