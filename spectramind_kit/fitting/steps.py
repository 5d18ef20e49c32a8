"""Steps in the flux: a gain or a pointing that changes at once, found on the white light by evidence.

At the end of a fit a step h_i at any time, added to one curve with the prior N(0, s^2) of its size, gains

    ln Z_i = g^2 / (2 (I + 1 / s^2)) - ln(s^2 I + 1) / 2,
    g = h_i' W r,   I = h_i' W h_i - h_i' W J (J' W J + P)^-1 J' W h_i,

r the residual, W the weight, J the Jacobian of all that was fitted and P its prior precision: what a drift or a
transit imitates does not count. The gains of the channels add up, because what shakes one usually shakes the other.
"""

import numpy as np
import torch
from torch import Tensor

from spectramind_kit.fitting.curve_model import CurveModel, prior_pull
from spectramind_kit.fitting.gauss_newton import Solution, solve_scaled
from spectramind_kit.fitting.systematics import STEP_SCATTER

MOST_ROUNDS = 4
"""Searches at most; the second step found replaces the first, which was looked for beside a transit led astray."""
_LEAST_EVIDENCE = 15.0
"""ln Z from which a step is believed: hundreds of times are tried, and steps are rare."""
_EDGE = 3
"""Times at the ends of the window where a step would be an outlier."""


def find_step(
    time: np.ndarray, model: CurveModel, solution: Solution, drift_scatter: float, known: tuple[float, ...] = ()
) -> float | None:
    """Return when the flux most evidently jumps [s], None where it does not.

    Args:
        time: (n_time,) [s]; model, solution: of few curves, such as the white ones.
        drift_scatter: prior scatter of the drift's lowest degree [1].
        known: jumps that are in the model [s].
    """
    times = 0.5 * (time[1:] + time[:-1])
    tried = ~np.isin(times, known)
    tried[:_EDGE], tried[-_EDGE:] = False, False
    evidence = np.where(tried, step_evidence(model, solution, STEP_SCATTER * drift_scatter).numpy(), 0.0)
    best = int(evidence.argmax())
    return float(times[best]) if evidence[best] > _LEAST_EVIDENCE else None


def step_evidence(model: CurveModel, solution: Solution, scatter: float) -> Tensor:
    """Return ln Z of a step after each time but the last, (n_time - 1,); scatter: prior of its size [1]."""
    columns, precision = _design(model, solution)
    n_curve, n_time = model.flux.shape
    after = torch.triu(torch.ones(n_time - 1, n_time, dtype=model.flux.dtype), diagonal=1) - 0.5
    normal = torch.einsum("pct,ct,qct->pq", columns, model.weight, columns) + torch.diag(precision)
    total = torch.zeros(n_time - 1, dtype=model.flux.dtype)
    for curve in range(n_curve):
        weight, star = model.weight[curve], solution.at.transit[curve] * solution.state.level[curve]
        steps = after * star
        pull = steps @ (weight * solution.at.residual[curve])
        overlap = columns[:, curve] @ (weight * steps).T
        information = (steps**2) @ weight - (overlap * solve_scaled(normal, overlap)).sum(dim=0)
        sharp = information.clamp(min=0.0) + scatter**-2
        total += (0.5 * pull**2 / sharp - 0.5 * torch.log(sharp * scatter**2)).clamp(min=0.0)
    return total


def _design(model: CurveModel, solution: Solution) -> tuple[Tensor, Tensor]:
    """Return the Jacobian by every parameter, own and shared, (n_parameter, n_curve, n_time), and prior precisions."""
    jacobian, n_curve = solution.at.jacobian, len(model.flux)
    own = torch.einsum("cpt,cd->pdct", jacobian[:, :2], torch.eye(n_curve, dtype=jacobian.dtype)).flatten(0, 1)
    shared = torch.einsum("crt,crs->sct", jacobian[:, 2:], model.mixing)
    own_precision = prior_pull(model, solution.state)[0].repeat_interleave(n_curve)
    return torch.cat((own, shared)), torch.cat((own_precision, model.prior_scatter**-2))
