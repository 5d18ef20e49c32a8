"""The size of this visit's drift by empirical Bayes: the prior scatter of its coefficients, learned from themselves.

The coefficients c of one kind of drift (FGS1's; AIRS-CH0's of one degree in wavelength) have the prior N(0, a^2 s^2)
with s as configured and a common to the kind. The a that makes the light curves most probable, with everything else
marginalised, is found by expectation maximisation,

    a^2 <- (sum (E[c]^2 + Var[c]) / s^2 + b) / (n + b),

b the prior weight of a = 1 (MacKay 1992; Bishop 2006, ch. 9.3.4). A quiet visit thereby keeps what a loose prior would
give away: drift of high degree imitates a transit.
"""

import numpy as np

from spectramind_kit.fitting.curve_model import CurveModel
from spectramind_kit.fitting.gauss_newton import Solution, eliminate, reduced_score
from spectramind_kit.fitting.systematics import kind_of

_PRIOR_WEIGHT = 1.0
"""Weight of the configured scatter, in coefficients."""
_N_STEP = 30
_LEAST = 0.02
"""Smallest scatter, in configured ones."""


def empirical_bayes_scatter(model: CurveModel, solution: Solution) -> np.ndarray:
    """Return the prior scatter of all shared parameters (n_shared,), that of the drift by empirical Bayes.

    Args:
        model: with the configured scatter.
        solution: a fit of the model with that scatter.
    """
    # The likelihood of the shared parameters, levels and depths marginalised, is the Schur complement without its
    # prior, and its score at zero. Both are kept while the prior changes: the light curves are not looked at again.
    _, response, schur = eliminate(solution.normal)
    precision = model.prior_scatter**-2
    information = schur - np.diag(precision)
    # The slope where the fit ended is zero, unless its steps ran out first, or b^2 is held at zero.
    slope = reduced_score(solution.normal, response)
    score = schur @ solution.state.shared + slope - precision * model.prior_mean
    kinds = sorted({kind_of(name) for name in model.names if name.startswith(("drift", "pointing", "noise"))})
    members = [np.array([kind_of(name) == kind for name in model.names]) for kind in kinds]
    scatter = model.prior_scatter
    identity = np.eye(len(schur))
    for _ in range(_N_STEP):
        # In units of the prior's scatter the matrix is at least one in all directions: beside the modes of noise there
        # are some in which the light curves say nothing, and rounding would say whether it can be inverted.
        covariance = scatter[:, None] * np.linalg.inv(identity + scatter[:, None] * information * scatter) * scatter
        mean = covariance @ (score + scatter**-2 * model.prior_mean)
        power = (mean**2 + covariance.diagonal()) / model.prior_scatter**2
        scatter = model.prior_scatter.copy()
        for kind in members:
            size2 = (power[kind].sum() + _PRIOR_WEIGHT) / (kind.sum() + _PRIOR_WEIGHT)
            scatter[kind] *= np.maximum(np.sqrt(size2), _LEAST)
    return scatter
