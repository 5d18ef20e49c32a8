"""How evident patterns are that a fit may have left in the residuals of few curves: jumps, spot crossings.

At the end of a fit a pattern h(t) of the flux, added to one curve with the prior N(0, s^2) of its height, gains

    ln Z = g^2 / (2 (I + 1 / s^2)) - ln(s^2 I + 1) / 2,
    g = h' W r - h' W J N^-1 b,   I = h' W h - h' W J N^-1 J' W h,   N = J' W J + P,

r the residual, W the weight, J the Jacobian of all that was fitted, P its prior precision and b the slope by it, zero
where the fit has converged: what a drift or a transit imitates does not count. Slow noise is in J as well where asked
for. The gains of the channels add up.
"""

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_solve

from spectramind_kit.fitting.curve_model import CurveModel, local_prior
from spectramind_kit.fitting.gauss_newton import Solution, scaled_factor
from spectramind_kit.fitting.noise_modes import N_MODE, cosines, kernel_covariances, usual_covariance

_LARGE = (4, 5)
"""Places among the kernels of those that may be far larger than usual: a random walk, and smooth changes."""
_SIZES = (1.0, 4.0)
"""Sizes of slow noise that are tried, over the usual one."""
_LARGE_SIZES = (1e-4, 4e-4, 1.6e-3, 6.4e-3)
"""Sizes of a walk or of smooth changes beside it that are tried [1]."""


def evidence_beside_white_noise(
    model: CurveModel, solution: Solution, scatter: float, patterns: np.ndarray
) -> np.ndarray:
    """Return ln Z of patterns in the flux, (n_pattern,).

    Args:
        model: of few curves, such as the white ones.
        solution: its fit.
        scatter: prior of the patterns' height [1].
        patterns: (n_pattern, n_time), of height 1.
    """
    columns, precision, slope = _design(model, solution)
    _, gain = _evidence(_products(model, solution, patterns, columns, slope), precision, scatter)
    return gain


def evidence_beside_slow_noise(
    time: np.ndarray, bin_seconds: float, model: CurveModel, solution: Solution, scatter: float, patterns: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return ln Z of patterns in the flux where every curve has slow noise of unknown size, and the likeliest noise.

    Args:
        time: (n_time,) ascending [s].
        bin_seconds: between them [s].
        model: of few curves, such as the white ones.
        solution: its fit.
        scatter: prior of the patterns' height [1].
        patterns: (n_pattern, n_time), of height 1.

    Returns:
        ln Z (n_pattern,), and prior variances of the noise's modes (N_MODE,) [1].
    """
    columns, precision, slope = _design(model, solution)
    star, n_curve = solution.at.transit * solution.state.level[:, None], len(model.flux)
    modes = np.einsum("kt,ct,cd->ckdt", cosines(time, N_MODE), star, np.eye(n_curve)).reshape(-1, n_curve, len(time))
    columns, slope = np.concatenate([columns, modes]), np.append(slope, np.zeros(len(modes)))
    products = _products(model, solution, patterns, columns, slope)
    variances = list(_noise_variances(bin_seconds * len(time)))
    every = [_evidence(products, np.append(precision, np.tile(1.0 / v, n_curve)), scatter) for v in variances]
    ln_evidence, gain = np.array([e for e, _ in every]), np.stack([g for _, g in every])
    mean = np.logaddexp.reduce(ln_evidence[:, None] + gain, axis=0) - np.logaddexp.reduce(ln_evidence)
    return mean, variances[int(ln_evidence.argmax())]


def _noise_variances(length: float) -> Iterator[np.ndarray]:
    """Yield prior variances of the modes (N_MODE,) that are tried."""
    usual = np.diag(usual_covariance(length, N_MODE))
    large = [np.diag(kernel_covariances(length, N_MODE)[kernel]) for kernel in _LARGE]
    beside = [np.zeros(N_MODE), *(size**2 * kernel for size in _LARGE_SIZES for kernel in large)]
    for size, more in product(_SIZES, beside):
        yield size**2 * usual + more


class _Products(NamedTuple):
    """What of a fit and of patterns does not depend on the prior of its parameters.

    Attributes:
        normal: J' W J, (n_parameter, n_parameter).
        side: J' W r + b, (n_parameter,).
        overlap: J' W h in each curve, (n_curve, n_parameter, n_pattern).
        score: h' W r, (n_curve, n_pattern).
        power: h' W h, (n_curve, n_pattern).
    """

    normal: np.ndarray
    side: np.ndarray
    overlap: np.ndarray
    score: np.ndarray
    power: np.ndarray


def _products(
    model: CurveModel, solution: Solution, patterns: np.ndarray, columns: np.ndarray, slope: np.ndarray
) -> _Products:
    weighted, residual = columns * model.weight, solution.at.residual
    star = solution.at.transit * solution.state.level[:, None]
    return _Products(
        normal=np.tensordot(weighted, columns, axes=((1, 2), (1, 2))),
        side=np.tensordot(weighted, residual, axes=((1, 2), (0, 1))) + slope,
        overlap=np.stack([(weighted[:, curve] * one) @ patterns.T for curve, one in enumerate(star)]),
        score=(model.weight * residual * star) @ patterns.T,
        power=(model.weight * star**2) @ (patterns**2).T,
    )


def _evidence(products: _Products, precision: np.ndarray, scatter: float) -> tuple[float, np.ndarray]:
    """Return ln Z of the residuals without a pattern, up to a constant, and what each pattern gains (n_pattern,)."""
    lower, scale = scaled_factor(products.normal + np.diag(precision))
    side = scale * products.side
    step = cho_solve((lower, True), side)
    ln_evidence = 0.5 * side @ step - np.log(np.diag(lower) / scale).sum() + 0.5 * np.log(precision).sum()
    gain = np.zeros(products.score.shape[1])
    for overlap, score, power in zip(products.overlap, products.score, products.power):
        overlap = scale[:, None] * overlap
        left = power - (overlap * cho_solve((lower, True), overlap)).sum(axis=0)
        posterior = np.maximum(left, 0.0) + scatter**-2
        # A channel without the pattern loses by it; it must not veto the one that has it.
        gain += np.maximum(0.5 * (score - step @ overlap) ** 2 / posterior - 0.5 * np.log(posterior * scatter**2), 0.0)
    return float(ln_evidence), gain


def _design(model: CurveModel, solution: Solution) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the Jacobian by all parameters, local and shared, (n_parameter, n_curve, n_time), precision and slope of
    their prior."""
    jacobian, n_curve, state = solution.at.jacobian, len(model.flux), solution.state
    local = np.einsum("cpt,cd->pdct", jacobian[:, :2], np.eye(n_curve)).reshape(2 * n_curve, n_curve, -1)
    shared = (model.mixing.swapaxes(-1, -2) @ jacobian[:, 2:]).swapaxes(0, 1)
    local_precision, local_slope = local_prior(model, state)
    precision = np.append(np.repeat(local_precision, n_curve), model.prior_scatter**-2)
    slope = np.append(local_slope.T.ravel(), (model.prior_mean - state.shared) * model.prior_scatter**-2)
    return np.concatenate((local, shared)), precision, slope
