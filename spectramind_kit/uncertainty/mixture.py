"""Several predictions as one: the moments of their mixture, with a weight of each per channel.

    mean = sum_k w_k m_k,   sigma^2 = sum_k w_k (s_k^2 + m_k^2) - mean^2,   w_k >= 0, sum_k w_k = 1

So sigma grows where members disagree. The weights are those that score best on held-out planets; ``cross_fitted``
predicts each planet by weights that have not seen its label, which is what a blend is to be judged by.
"""

from itertools import starmap

import numpy as np
from scipy.optimize import minimize

from spectramind_kit.metric import element_scores
from spectramind_kit.uncertainty.blending import Predictions
from spectramind_kit.uncertainty.recalibration import GROUPS

_STEPS = 60


def mixed(members: Predictions, weight: np.ndarray) -> Predictions:
    """Return mean and sigma of the mixture, each (n_planet, n_wavelength).

    Args:
        members: means and sigmas, (n_member, n_planet, n_wavelength) each [(Rp/Rs)^2].
        weight: (n_member, n_group) of FGS1 and AIRS-CH0; columns add up to one.
    """
    means, sigmas = members
    # From the members' plain mean: depths are a thousand times their sigmas, and squares lose what they differ by.
    middle = means.mean(axis=0)
    apart = means - middle
    shift, variance = np.empty_like(middle), np.empty_like(middle)
    for place, group in enumerate(GROUPS):
        w = weight[:, place]
        shift[:, group] = np.tensordot(w, apart[..., group], axes=1)
        second = np.tensordot(w, sigmas[..., group] ** 2 + apart[..., group] ** 2, axes=1)
        variance[:, group] = second - shift[:, group] ** 2
    return np.maximum(middle + shift, 0.0), np.sqrt(variance)


def alone(place: int, n_member: int) -> np.ndarray:
    """Return the weights of one member by itself, (n_member, n_group)."""
    return np.repeat(np.eye(n_member)[:, [place]], len(GROUPS), axis=1)


def equal(n_member: int) -> np.ndarray:
    """Return equal weights, (n_member, n_group)."""
    return np.full((n_member, len(GROUPS)), 1.0 / n_member)


def learn_mixture(
    truth: np.ndarray, members: Predictions, naive: tuple[float, float], edition: str = "2025"
) -> np.ndarray:
    """Return the weights that score best, (n_member, n_group), each channel by itself.

    Args:
        truth: (n_planet, n_wavelength) of held-out planets [(Rp/Rs)^2].
        members: as in ``mixed``.
        naive: mean and spread of the labels, the score's zero point [(Rp/Rs)^2].
        edition: whose score, "2025" or "2024".
    """
    n_member = len(members[0])
    weight = equal(n_member)
    for place, group in enumerate(GROUPS):

        def loss(w: np.ndarray, place: int = place, group: slice = group) -> float:
            tried = weight.copy()
            tried[:, place] = _on_simplex(w)
            return -float(element_scores(truth, *mixed(members, tried), naive, edition)[:, group].mean())

        corners = list(np.eye(n_member))
        best = min(corners, key=loss)
        # Near a corner the gradient may vanish, so the search also starts half-way from the middle to it.
        starts = (weight[:, place], 0.5 * (best + weight[:, place]))
        found = [_on_simplex(each) for each in starmap(_search, ((loss, start) for start in starts))]
        weight[:, place] = min((best, *found), key=loss)
    return weight


def cross_fitted(
    truth: np.ndarray, members: Predictions, fold: np.ndarray, naive: tuple[float, float], edition: str = "2025"
) -> Predictions:
    """Return the mixture of held-out planets, the weights of each fold learned on the other folds.

    Args:
        truth: (n_planet, n_wavelength) of held-out planets [(Rp/Rs)^2].
        members: as in ``mixed``.
        fold: (n_planet,) of each; two folds at least.
        naive: as in ``learn_mixture``.
        edition: likewise.
    """
    mean, sigma = np.empty_like(truth), np.empty_like(truth)
    for held_out in np.unique(fold):
        here = fold == held_out
        others = members[0][:, ~here], members[1][:, ~here]
        weight = learn_mixture(truth[~here], others, naive, edition)
        mean[here], sigma[here] = mixed((members[0][:, here], members[1][:, here]), weight)
    return mean, sigma


def _search(loss, start: np.ndarray) -> np.ndarray:
    """Return the weights of one channel that a search over the simplex ends at."""
    adds_up = {"type": "eq", "fun": lambda w: w.sum() - 1.0}
    options = {"maxiter": _STEPS, "ftol": 1e-7}
    bounds = [(0.0, 1.0)] * len(start)
    return minimize(loss, start, method="SLSQP", bounds=bounds, constraints=[adds_up], options=options).x


def _on_simplex(w: np.ndarray) -> np.ndarray:
    """Return weights without the search's rounding errors; those below a thousandth count for nothing."""
    w = np.where(w > 1e-3, w, 0.0)
    return w / w.sum()
