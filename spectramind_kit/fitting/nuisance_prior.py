"""The prior of star and instrument: what it is, and how parameters are grouped in it.

A visit's likelihood (``visit_likelihood``) takes any Gaussian prior of limb darkening, drift, pointing and noise.
``nuisance_learning`` learns one from many visits; fits do not depend on how, and outlive its changes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from spectramind_kit.fitting.systematics import kind_of

_GROUPS = {
    "fgs1": "darkening",
    "airs": "darkening",
    "dilution": "darkening",
    "clock": "clock",
    "drift": "drift",
    "ramp": "drift",
    "bend": "bend",
    "pointing": "pointing",
    "width": "width",
    "noise": "noise",
}
"""Groups of parameters by how their names begin."""
SCALED = ("drift", "noise")
"""Groups of which every visit has a size of its own."""


@dataclass(frozen=True, eq=False)
class NuisancePrior:
    """Gaussian prior of star and instrument.

    Attributes:
        names: of the parameters.
        mean: (n,).
        covariance: (n, n), in visits of usual size.
        spread: of the logarithm of a visit's size, by group.
    """

    names: tuple[str, ...]
    mean: np.ndarray
    covariance: np.ndarray
    spread: Mapping[str, float]


def group_of(name: str) -> str | None:
    """Return the group of a parameter; None where no population is learned: orbit, mid-time, jumps."""
    return _GROUPS.get(kind_of(name).partition("_")[0])


def blockwise_root(covariance: np.ndarray, blocks: Sequence[np.ndarray]) -> np.ndarray:
    """Return L with L L' = covariance, each block with columns of its own.

    Args:
        covariance: (n, n), zero between the blocks; it need not have full rank.
        blocks: places of each.
    """
    found = np.zeros_like(covariance)
    for where in blocks:
        if len(where):
            at = np.ix_(where, where)
            scale = np.sqrt(np.maximum(np.diag(covariance[at]), 1e-300))
            value, vector = np.linalg.eigh(covariance[at] / np.outer(scale, scale))
            found[at] = scale[:, None] * vector * np.sqrt(np.maximum(value, 0.0))
    return found


def factor_beside_identity(matrix: np.ndarray) -> np.ndarray:
    """Return L with L L' = I + M, lower, for an M that is at least zero but for rounding.

    Light curves without noise, or damaged ones, may know a parameter 10^9 times better than its prior: rounding of M is
    then larger than I.

    Args:
        matrix: M, (n, n).
    """
    identity = np.eye(len(matrix))
    try:
        return np.linalg.cholesky(identity + matrix)
    except np.linalg.LinAlgError:
        value, vector = np.linalg.eigh(0.5 * (matrix + matrix.T))
        rows = np.vstack([identity, np.sqrt(np.maximum(value, 0.0))[:, None] * vector.T])
        upper = np.asarray(np.linalg.qr(rows, mode="r"))
        return (upper * np.sign(np.diag(upper))[:, None]).T
