"""Levenberg-Marquardt on an arrow: two parameters per curve, and a border of shared ones.

With own parameters x_l (level, depth) and shared parameters s the normal equations

    [ A_l   B_l ] [dx_l]   [a_l]
    [ B_l'   C  ] [ ds ] = [ c ]

are solved by eliminating the A_l (2 x 2 each): S ds = c - sum B_l' A_l^-1 a_l, S = C - sum B_l' A_l^-1 B_l. S^-1 is the
covariance of the shared parameters with all levels and depths marginalised, and the depths' own covariance is
diag(A_l^-1) + R S^-1 R' with R = -A_l^-1 B_l: a diagonal and a low-rank part (Triggs et al. 2000, sec. 6).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from spectramind_kit.errors import FitError
from spectramind_kit.fitting.curve_model import IMPACT_SQUARED, CurveModel, Linearisation, State, linearise, prior_pull

_FIRST_DAMPING = 1e-3
_LARGEST_DAMPING = 1e8
_DEPTH = 1
"""Place of the depth among a curve's own parameters."""


@dataclass(frozen=True)
class Arrow:
    """Normal equations: own blocks A (n_curve, 2, 2), border B (n_curve, 2, n_shared), corner C, right-hand sides."""

    own: Tensor
    border: Tensor
    corner: Tensor
    own_side: Tensor
    corner_side: Tensor


@dataclass(frozen=True)
class Solution:
    """Where the fit ended: state, model there, normal equations there, steps taken, and whether it converged."""

    state: State
    at: Linearisation
    arrow: Arrow
    n_step: int
    converged: bool


def normal_equations(model: CurveModel, state: State, at: Linearisation) -> Arrow:
    """Build the normal equations of data and prior."""
    weighted = at.jacobian * model.weight[:, None]
    block = weighted @ at.jacobian.mT
    side = (weighted @ at.residual[:, :, None])[:, :, 0]
    precision, pull = prior_pull(model, state)
    reach = model.mixing
    prior_precision = model.prior_scatter**-2
    corner_side = torch.einsum("lrs,lr->s", reach, side[:, 2:])
    return Arrow(
        own=block[:, :2, :2] + torch.diag(precision),
        border=block[:, :2, 2:] @ reach,
        corner=(reach.mT @ (block[:, 2:, 2:] @ reach)).sum(dim=0) + torch.diag(prior_precision),
        own_side=side[:, :2] + pull,
        corner_side=corner_side + (model.prior_mean - state.shared) * prior_precision,
    )


def eliminate(arrow: Arrow, damping: float = 0.0) -> tuple[Tensor, Tensor, Tensor]:
    """Return A^-1 (n_curve, 2, 2), R = -A^-1 B (n_curve, 2, n_shared) and the Schur complement S."""
    grown = 1.0 + damping
    own = arrow.own * torch.tensor([[grown, 1.0], [1.0, grown]], dtype=arrow.own.dtype)
    own_inverse = torch.linalg.inv(own)
    response = -own_inverse @ arrow.border
    corner = arrow.corner + damping * torch.diag(arrow.corner.diagonal())
    schur = corner + (arrow.border.mT @ response).sum(dim=0)
    return own_inverse, response, schur


def solve_arrow(arrow: Arrow, damping: float = 0.0, lowest_step: float | None = None) -> tuple[Tensor, Tensor]:
    """Solve for the own step (n_curve, 2) and the shared step (n_shared,).

    Args:
        damping: Levenberg-Marquardt factor on the diagonal.
        lowest_step: the step in b^2 is held there if it would be lower, so that b^2 stays >= 0.
    """
    own_inverse, response, schur = eliminate(arrow, damping)
    side = arrow.corner_side + torch.einsum("lis,li->s", response, arrow.own_side)
    shared = solve_scaled(schur, side)
    if lowest_step is not None and shared[IMPACT_SQUARED] < lowest_step:
        shared = _with_held_step(schur, side, lowest_step)
    own = (own_inverse @ arrow.own_side[:, :, None])[:, :, 0] + response @ shared
    return own, shared


def solve_scaled(matrix: Tensor, side: Tensor) -> Tensor:
    """Solve a positive definite system after scaling its diagonal to one: the units differ by many decades.

    Raises:
        FitError: if the matrix is not finite or not positive definite.
    """
    scale = matrix.diagonal().rsqrt()
    factor, failed = torch.linalg.cholesky_ex(matrix * scale[:, None] * scale)
    if failed or not torch.isfinite(factor).all():
        raise FitError(
            "normal equations of the light-curve fit",
            wanted="a positive definite matrix",
            got=f"diagonal from {float(matrix.diagonal().min()):.3g} to {float(matrix.diagonal().max()):.3g}",
            remedy="look for absurd fluxes or errors in the light curves",
        )
    columns = side[:, None] if side.ndim == 1 else side
    solved = scale[:, None] * torch.cholesky_solve(scale[:, None] * columns, factor)
    return solved[:, 0] if side.ndim == 1 else solved


def _with_held_step(schur: Tensor, side: Tensor, held: float) -> Tensor:
    free = torch.arange(len(side)) != IMPACT_SQUARED
    step = torch.full_like(side, held)
    step[free] = solve_scaled(schur[free][:, free], side[free] - schur[free, IMPACT_SQUARED] * held)
    return step


def minimise(model: CurveModel, state: State, max_iterations: int, tolerance: float) -> Solution:
    """Descend to the most probable parameters.

    Args:
        max_iterations: steps at most, refused ones counted.
        tolerance: converged when a step gains less than that in half chi^2.
    """
    damping = _FIRST_DAMPING
    at = linearise(model, state)
    arrow = normal_equations(model, state, at)
    for n_step in range(1, max_iterations + 1):
        own, shared = solve_arrow(arrow, damping, lowest_step=-float(state.shared[IMPACT_SQUARED]))
        trial = State(state.level + own[:, 0], state.depth + own[:, _DEPTH], state.shared + shared)
        trial.shared[IMPACT_SQUARED].clamp_(min=0.0)
        there = linearise(model, trial)
        gain = at.cost - there.cost
        if gain >= -tolerance:
            state, at, damping = trial, there, damping / 30.0
            arrow = normal_equations(model, state, at)
        else:
            damping *= 10.0
        if abs(gain) < tolerance or damping > _LARGEST_DAMPING:
            return Solution(state, at, arrow, n_step, abs(gain) < tolerance)
    return Solution(state, at, arrow, max_iterations, False)
