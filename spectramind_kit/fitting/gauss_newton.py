"""Levenberg-Marquardt on an arrowhead matrix: two local parameters per curve, and a border of shared ones.

With local parameters x_l (level, depth) and shared parameters s the normal equations

    [ A_l   B_l ] [dx_l]   [a_l]
    [ B_l'   C  ] [ ds ] = [ c ]

are solved by eliminating the A_l (2 x 2 each): S ds = c - sum B_l' A_l^-1 a_l, S = C - sum B_l' A_l^-1 B_l. S^-1 is the
covariance of the shared parameters with all levels and depths marginalised, and the depths' own covariance is
diag(A_l^-1) + R S^-1 R' with R = -A_l^-1 B_l: a diagonal and a low-rank part (Triggs et al. 2000, sec. 6).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.linalg import LinAlgError
from scipy.linalg import cho_solve, cholesky

from spectramind_kit.errors import FitError
from spectramind_kit.fitting.curve_model import IMPACT_SQUARED, CurveModel, Linearisation, State, linearise, local_prior

_FIRST_DAMPING = 1e-3
_LARGEST_DAMPING = 1e8
_DEPTH = 1
"""Place of the depth among a curve's local parameters."""


@dataclass(frozen=True)
class NormalEquations:
    """Normal equations of data and prior, an arrowhead matrix and its right-hand side.

    Attributes:
        local: (n_curve, 2, 2), blocks A of level and depth.
        border: (n_curve, 2, n_shared), B.
        corner: (n_shared, n_shared), C.
        local_score: (n_curve, 2), right-hand sides a: slope of the log posterior by level and depth.
        corner_score: (n_shared,), right-hand side c.
    """

    local: np.ndarray
    border: np.ndarray
    corner: np.ndarray
    local_score: np.ndarray
    corner_score: np.ndarray


class Eliminated(NamedTuple):
    """Normal equations without the local parameters.

    Attributes:
        local_inverse: A^-1, (n_curve, 2, 2).
        response: R = -A^-1 B, (n_curve, 2, n_shared), how level and depth move with the shared parameters.
        schur: Schur complement S, (n_shared, n_shared).
    """

    local_inverse: np.ndarray
    response: np.ndarray
    schur: np.ndarray


@dataclass(frozen=True)
class Solution:
    """Where the fit ended.

    Attributes:
        state: parameters.
        at: the model there.
        normal: the normal equations there.
        converged: False where the steps ran out first.
    """

    state: State
    at: Linearisation
    normal: NormalEquations
    converged: bool


def normal_equations(model: CurveModel, state: State, at: Linearisation) -> NormalEquations:
    """Build the normal equations of data and prior at a state."""
    weighted = at.jacobian * model.weight[:, None]
    block = weighted @ at.jacobian.swapaxes(-1, -2)
    score = (weighted @ at.residual[:, :, None])[:, :, 0]
    precision, prior_score = local_prior(model, state)
    prior_precision = model.prior_scatter**-2
    row, place, pattern = model.patterns
    # Sums over curves are taken for every pair of patterns, and each parameter then finds its own among them.
    pair = (pattern.T[:, None] * pattern.T).reshape(len(pattern.T) ** 2, -1) @ block[:, 2:, 2:].reshape(len(block), -1)
    pair = pair.reshape(len(pattern.T), len(pattern.T), *block[0, 2:, 2:].shape)
    return NormalEquations(
        local=block[:, :2, :2] + np.diag(precision),
        border=block[:, :2, 2:][:, :, row] * pattern[:, None, place],
        corner=pair[place[:, None], place, row[:, None], row] + np.diag(prior_precision),
        local_score=score[:, :2] + prior_score,
        corner_score=(pattern.T @ score[:, 2:])[place, row] + (model.prior_mean - state.shared) * prior_precision,
    )


def eliminate(normal: NormalEquations, damping: float = 0.0) -> Eliminated:
    """Eliminate the local parameters, the diagonal grown by the Levenberg-Marquardt factor 1 + ``damping``."""
    grown = 1.0 + damping
    local = normal.local * np.array([[grown, 1.0], [1.0, grown]])
    local_inverse = np.linalg.inv(local)
    response = -local_inverse @ normal.border
    corner = normal.corner + damping * np.diag(normal.corner.diagonal())
    schur = corner + (normal.border.swapaxes(-1, -2) @ response).sum(axis=0)
    return Eliminated(local_inverse, response, schur)


def at_least_nothing(information: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Return information without the negative eigenvalues that rounding leaves where light curves say nothing.

    Args:
        information: (n, n), the information of a Gaussian likelihood.
        scale: (n,) by which parameters are measured.
    """
    units = np.outer(scale, scale)
    value, vector = np.linalg.eigh(0.5 * (information + information.T) * units)
    return (vector * np.maximum(value, 0.0)) @ vector.T / units


def reduced_score(normal: NormalEquations, response: np.ndarray) -> np.ndarray:
    """Return the slope by the shared parameters (n_shared,), the local ones following them.

    Args:
        normal: before the local parameters are eliminated.
        response: of ``eliminate``.
    """
    return normal.corner_score + np.tensordot(response, normal.local_score, axes=((0, 1), (0, 1)))


def solve_normal_equations(
    normal: NormalEquations, damping: float = 0.0, lowest_step: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Solve for the local step (n_curve, 2) and the shared step (n_shared,).

    Args:
        normal: arrowhead matrix and right-hand side.
        damping: Levenberg-Marquardt factor on the diagonal.
        lowest_step: the step in b^2 is held there if it would be lower, so that b^2 stays >= 0.
    """
    local_inverse, response, schur = eliminate(normal, damping)
    score = reduced_score(normal, response)
    shared = solve_scaled(schur, score)
    if lowest_step is not None and shared[IMPACT_SQUARED] < lowest_step:
        # Cutting b^2 alone would leave a/Rs, depths and limb darkening where a negative b^2 wanted them.
        shared = _with_held_step(schur, score, lowest_step)
    local = (local_inverse @ normal.local_score[:, :, None])[:, :, 0] + response @ shared
    return local, shared


def scaled_factor(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return Cholesky's lower factor of a matrix whose diagonal was scaled to one: the units differ by many decades.

    Args:
        matrix: (n, n), symmetric.

    Returns:
        Lower factor (n, n), and by what rows and columns were multiplied before (n,).

    Raises:
        FitError: if the matrix is not finite or not positive definite.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = matrix.diagonal() ** -0.5
    try:
        return cholesky(matrix * scale[:, None] * scale, lower=True), scale
    except (LinAlgError, ValueError) as error:  # not positive definite, not finite
        raise FitError(
            "normal equations of the light-curve fit",
            wanted="a positive definite matrix",
            got=f"diagonal from {float(matrix.diagonal().min()):.3g} to {float(matrix.diagonal().max()):.3g}",
            remedy="look for absurd fluxes or errors in the light curves",
        ) from error


def solve_scaled(matrix: np.ndarray, side: np.ndarray) -> np.ndarray:
    """Solve a positive definite system by ``scaled_factor``, which says what may go wrong.

    Args:
        matrix: (n, n).
        side: (n,) or (n, n_column).
    """
    lower, scale = scaled_factor(matrix)
    return (scale * cho_solve((lower, True), (scale * side.T).T).T).T


def _with_held_step(schur: np.ndarray, score: np.ndarray, held: float) -> np.ndarray:
    """Solve for all other shared parameters, given the step in b^2."""
    free = np.arange(len(score)) != IMPACT_SQUARED
    step = np.full_like(score, held)
    step[free] = solve_scaled(schur[free][:, free], score[free] - schur[free, IMPACT_SQUARED] * held)
    return step


def minimise(model: CurveModel, state: State, max_iterations: int, tolerance: float) -> Solution:
    """Descend to the most probable parameters.

    Args:
        model: data, geometry and priors.
        state: where to start.
        max_iterations: steps at most, refused ones counted.
        tolerance: converged when a step gains less than that in half chi^2.
    """
    damping = _FIRST_DAMPING
    at = linearise(model, state)
    normal = normal_equations(model, state, at)
    for _ in range(max_iterations):
        local, shared = solve_normal_equations(normal, damping, lowest_step=-float(state.shared[IMPACT_SQUARED]))
        trial = State(state.level + local[:, 0], state.depth + local[:, _DEPTH], state.shared + shared)
        trial.shared[IMPACT_SQUARED] = max(trial.shared[IMPACT_SQUARED], 0.0)
        there = linearise(model, trial)
        gain = at.cost - there.cost
        # A loss below the tolerance is rounding at the minimum, not a step too long: refusing it would only damp.
        if gain >= -tolerance:
            state, at, damping = trial, there, damping / 30.0
            normal = normal_equations(model, state, at)
        else:
            damping *= 10.0
        if abs(gain) < tolerance or damping > _LARGEST_DAMPING:
            return Solution(state, at, normal, abs(gain) < tolerance)
    return Solution(state, at, normal, False)
