"""How probable light curves are under the fit's model, with everything that it fits marginalised.

    ln Z = sum ln N(F | model, s r) - (x - m)' P (x - m) / 2 - ln det(H P^-1) / 2 + g' H^-1 g / 2 + ln(Phi_x / Phi_m)

is Laplace's approximation around the end x of the fit (MacKay 2003, ch. 27): s the expected errors, r the measured
scatter over them, m and P mean and precision of the priors (levels, depths, orbit, limb darkening, drift, pointing), H
the precision of the posterior, g the slope that is left where the fit is held at b^2 = 0. There prior and posterior
end: Phi_m and Phi_x are their parts above. A point that the fit leaves out, as an outlier or as a spike, counts as
drawn from a flat density over a relative flux of one, which is thousands of times less than that of a point at rest.

The scales r, the size of the drift, when the flux jumps and when spots are crossed are measured on the same light
curves and not marginalised.
"""

import numpy as np
from scipy.special import log_ndtr

from spectramind_kit.fitting.curve_model import IMPACT_SQUARED, CurveModel, local_prior
from spectramind_kit.fitting.gauss_newton import Solution, eliminate, solve_normal_equations, solve_scaled
from spectramind_kit.fitting.posterior import joint_fit
from spectramind_kit.products import LightCurves, Planet
from spectramind_kit.settings.fit import FitConfig


def ln_evidence(curves: LightCurves, planet: Planet, config: FitConfig) -> float:
    """Return ln Z of one visit [nat].

    Args:
        curves: light curves of the visit.
        planet: whose orbit and star are priors.
        config: options of the fit.
    """
    fit = joint_fit(curves, planet, config)
    return laplace_evidence(fit.model, fit.solution)


def laplace_evidence(model: CurveModel, solution: Solution) -> float:
    """Return ln Z of a fitted model [nat].

    Args:
        model: data, geometry and priors; a weight of zero leaves a point out.
        solution: the fit's end.
    """
    used = model.weight > 0
    ln_normalisation = 0.5 * (np.log(model.weight[used]) - np.log(2.0 * np.pi)).sum()
    normal = solution.normal
    eliminated = eliminate(normal)
    # An arrowhead matrix has the determinant of its local blocks times that of their Schur complement.
    ln_posterior = np.linalg.slogdet(normal.local)[1].sum() + _ln_determinant(eliminated.schur)
    local_precision, _ = local_prior(model, solution.state)
    ln_prior = len(model.flux) * np.log(local_precision).sum() - 2.0 * np.log(model.prior_scatter).sum()
    local, shared = solve_normal_equations(normal)
    to_peak = 0.5 * ((normal.local_score * local).sum() + normal.corner_score @ shared)
    spread = np.sqrt(solve_scaled(eliminated.schur, np.eye(len(eliminated.schur)))[IMPACT_SQUARED, IMPACT_SQUARED])
    peak = solution.state.shared[IMPACT_SQUARED] + shared[IMPACT_SQUARED]
    above = log_ndtr(peak / spread) - log_ndtr(model.prior_mean[IMPACT_SQUARED] / model.prior_scatter[IMPACT_SQUARED])
    return float(ln_normalisation - solution.at.cost + 0.5 * (ln_prior - ln_posterior) + to_peak + above)


def _ln_determinant(matrix: np.ndarray) -> float:
    """Return the logarithm of a positive definite matrix's determinant, whose units differ by many decades."""
    scale = np.sqrt(matrix.diagonal())
    return float(2.0 * np.log(scale).sum() + np.linalg.slogdet(matrix / np.outer(scale, scale))[1])
